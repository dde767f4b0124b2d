//! What requests hold, read as far as it goes, and refused as problem details.

use super::problem::Problem;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

/// A body in JSON.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let read = axum::Json::<T>::from_request(request, state).await;
        read.map(|axum::Json(read)| Self(read)).map_err(|rejection| {
            let (status, rule) = match &rejection {
                JsonRejection::MissingJsonContentType(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "no-json"),
                JsonRejection::JsonDataError(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
                _ => (StatusCode::BAD_REQUEST, "bad-request"),
            };
            Problem::new(status, rule, rejection.body_text())
        })
    }
}

/// What stands in the path: a name, at most 64 characters.
pub(super) struct Name(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = axum::extract::Path::<String>::from_request_parts(parts, state).await;
        let axum::extract::Path(name) =
            read.map_err(|rejection: PathRejection| Problem::bad_request(rejection.body_text()))?;
        checked(name).map(Self)
    }
}

/// Two things that stand in the path: a name, and something longer.
pub(super) struct NameAnd(pub(super) String, pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for NameAnd {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = axum::extract::Path::<(String, String)>::from_request_parts(parts, state).await;
        let axum::extract::Path((name, other)) =
            read.map_err(|rejection: PathRejection| Problem::bad_request(rejection.body_text()))?;
        Ok(Self(checked(name)?, other))
    }
}

fn checked(name: String) -> Result<String, Problem> {
    if name.chars().count() > 64 || name.chars().any(char::is_control) {
        return Err(Problem::bad_request("a name is at most 64 characters, none of them a control character"));
    }
    Ok(name)
}

/// What stands behind `?`.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        read.map(|axum::extract::Query(read)| Self(read))
            .map_err(|rejection: QueryRejection| Problem::bad_request(rejection.body_text()))
    }
}
