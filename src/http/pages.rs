//! What pages of other hosts may ask (Fetch, "CORS protocol"): WHIP, WHEP, and to come in by an invitation.

use super::app::App;
use super::client::Client;
use super::sip::check_origin;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// What an offer and its answer are.
pub(super) const SDP: &str = "application/sdp";
/// The media type that may be posted.
const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");

/// Lets pages of the origins that may open WebSockets ask, and read what comes back (Fetch, "CORS protocol").
pub(super) async fn for_pages(State(app): State<App>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let secure = request.extensions().get::<Client>().is_some_and(|client| client.secure);
    let is_ours = check_origin(request.headers(), &app.plan().gateway.origins, secure).is_ok();
    let mut response = next.run(request).await;
    if let Some(origin) = origin.filter(|_| is_ours) {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::VARY, HeaderValue::from_static("Origin"));
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Location, Link"));
    }
    response
}

/// What may be asked here, for pages that ask before.
pub(super) async fn may_ask() -> impl IntoResponse {
    (
        StatusCode::NO_CONTENT,
        [
            (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE, OPTIONS"),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type"),
            (ACCEPT_POST, SDP),
        ],
    )
}
