//! `/platform_api/AddUser`, `DelUser` and `BindUser`, as scenarios that were written against a hosted platform call
//! them: with parameters in the query or a form, answered by `{"result":1}` or `{"error":{"code":…,"msg":"…"}}`.
//!
//! `account_name` is the name of a token whose role is admin, `api_key` the token itself. A gateway is one application:
//! `application_name` is read and means nothing.

use super::users::users;
use crate::dialplan::ApiRole;
use crate::gateway::{NewUser, Password, Request};
use crate::http::access::known;
use crate::http::app::App;
use crate::http::client::Client;
use crate::http::problem::Problem;
use axum::extract::{FromRequest, Request as HttpRequest, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, get};
use bytes::Bytes;
use serde_json::json;
use std::collections::HashMap;
use url::form_urlencoded;

/// The most parameters that are looked at.
const PARAMETERS: usize = 32;

pub(super) fn routes() -> Router<App> {
    // Programs write it with a slash at its end, and without.
    Router::new()
        .route("/platform_api/AddUser", get(add).post(add))
        .route("/platform_api/AddUser/", get(add).post(add))
        .route("/platform_api/DelUser", get(remove).post(remove))
        .route("/platform_api/DelUser/", get(remove).post(remove))
        .route("/platform_api/BindUser", get(bind).post(bind))
        .route("/platform_api/BindUser/", get(bind).post(bind))
}

/// Not done, and why.
struct Failure(Problem);

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Problem { status, detail, retry_after, .. } = self.0;
        let error = json!({ "error": { "code": status.as_u16(), "msg": detail } });
        // Clients look at the body alone, but for what is worth another try.
        let is_passing = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        let mut response = axum::Json(error).into_response();
        if is_passing {
            *response.status_mut() = status;
        }
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

type Outcome = Result<axum::Json<serde_json::Value>, Failure>;

/// What was sent: the query, and a form.
struct Parameters(HashMap<String, String>);

impl Parameters {
    fn read(query: Option<&str>, headers: &HeaderMap, body: &[u8]) -> Self {
        let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
        let form = if kind.starts_with(b"application/x-www-form-urlencoded") { body } else { &[] };
        let query = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let all = query.chain(form_urlencoded::parse(form)).take(PARAMETERS);
        Self(all.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    fn take(&mut self, name: &str) -> Result<String, Failure> {
        let value = self.0.remove(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| Problem::bad_request(format!("{name} is missing")).into())
    }

    /// Whether whoever asks has an admin's token.
    fn check_key(&mut self, app: &App, client: &Client) -> Result<(), Failure> {
        let (account, key) = (self.take("account_name")?, self.take("api_key")?);
        let caller = known(&key, &app.plan()).filter(|caller| caller.name == account);
        let Some(caller) = caller else {
            let address = client.address.ip();
            if !app.limits(|limits, now| limits.stranger(now, address, true)) {
                return Err(Problem::too_many(6, "too many requests from this address").into());
            }
            app.log("wrong API key", format_args!("from {address}"));
            return Err(Problem::unauthorized("account_name and api_key are none of ours").into());
        };
        Ok(caller.must_be(ApiRole::Admin)?)
    }
}

impl FromRequest<App> for Parameters {
    type Rejection = Failure;

    /// Reads what was sent, and sees whether it may be done.
    async fn from_request(request: HttpRequest, app: &App) -> Result<Self, Failure> {
        let client = request.extensions().get::<Client>().copied();
        let client = client.ok_or_else(|| Problem::bad_request("it came over no connection"))?;
        let (query, headers) = (request.uri().query().map(str::to_owned), request.headers().clone());
        let body = Bytes::from_request(request, app).await;
        let body = body.map_err(|error| Problem::bad_request(error.body_text()))?;
        let mut parameters = Self::read(query.as_deref(), &headers, &body);
        parameters.check_key(app, &client)?;
        Ok(parameters)
    }
}

fn done() -> Outcome {
    Ok(axum::Json(json!({ "result": 1 })))
}

async fn add(State(app): State<App>, mut sent: Parameters) -> Outcome {
    let new = NewUser {
        name: sent.take("user_name")?,
        password: Password::new(sent.take("user_password")?),
        display_name: sent.take("user_display_name").unwrap_or_default(),
        temporary: None,
        max_calls: None,
    };
    app.ask(Request::AddUser(new)).await?;
    done()
}

async fn remove(State(app): State<App>, mut sent: Parameters) -> Outcome {
    app.order(Request::RemoveUser { name: sent.take("user_name")? }).await?;
    done()
}

async fn bind(State(app): State<App>, mut sent: Parameters) -> Outcome {
    let name = sent.take("user_name")?;
    if users(&app).await?.iter().any(|user| user.user == name) {
        return done();
    }
    Err(Problem::new(StatusCode::NOT_FOUND, "no-such-user", format!("there is no user {name:?}")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_come_by_query_and_by_form() {
        let mut headers = HeaderMap::new();
        let read = |headers: &HeaderMap| Parameters::read(Some("user_name=a%20b&x"), headers, b"user_password=c%2Bd+e");
        assert_eq!(read(&headers).take("user_name").ok().as_deref(), Some("a b"));
        assert!(read(&headers).take("user_password").is_err(), "it is no form");
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        assert_eq!(read(&headers).take("user_password").ok().as_deref(), Some("c+d e"));
        assert!(read(&headers).take("x").is_err(), "it is empty");
    }
}
