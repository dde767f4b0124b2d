//! Refusals as problem details (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// Why a request is refused: `rule` is for programs, `detail` for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) rule: &'static str,
    pub(super) detail: String,
    /// Seconds after which it may be asked again.
    pub(super) retry_after: Option<u32>,
}

/// Why a request is refused (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProblemDetails {
    /// Where the rule is explained.
    #[schema(example = "/api/problems#no-such-room")]
    r#type: String,
    /// The status, in words.
    title: String,
    /// The status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// The rule that refused it, for programs.
    #[schema(example = "no-such-room")]
    rule: String,
    /// What it is about, for people.
    detail: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, rule: &'static str, detail: impl Into<String>) -> Self {
        Self { status, rule, detail: detail.into(), retry_after: None }
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", detail)
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "there is nothing at this path")
    }

    pub(super) fn unauthorized(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    pub(super) fn forbidden(rule: &'static str, detail: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, rule, detail)
    }

    pub(super) fn unavailable(rule: &'static str, detail: &str) -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, rule, detail);
        Self { retry_after: Some(10), ..problem }
    }

    pub(super) fn too_many(seconds: u32, detail: &str) -> Self {
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", detail);
        Self { retry_after: Some(seconds), ..problem }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let written = ProblemDetails {
            r#type: format!("/api/problems#{}", self.rule),
            title: self.status.canonical_reason().unwrap_or("Refused").to_owned(),
            status: self.status.as_u16(),
            rule: self.rule.to_owned(),
            detail: self.detail,
        };
        // Strings and a number: it cannot fail.
        let body = serde_json::to_vec(&written).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"partyline\""));
        }
        response
    }
}
