//! What every request passes before anything is done for it.

use super::access::{Caller, Credentials, bearer, credentials};
use super::app::App;
use super::client::{Client, Peer};
use super::problem::Problem;
use crate::gateway::{self, Reply};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::time::Duration;

/// Octets of the largest body.
const LARGEST_BODY: usize = 64 * 1_024;
/// Patience with a body.
const BODY: Duration = Duration::from_secs(10);

/// Headers of every response: nobody keeps it, guesses what it is, or puts it into a frame.
const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];

/// Lets a request pass, with [`Client`] and [`Credentials`] among its extensions and its body read, or refuses it.
pub(super) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = match admit(&app, request).await {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

/// Whoever shows an invitation of ours as a token, as long as it admits somebody.
async fn invited(app: &App, headers: &HeaderMap) -> Option<Caller> {
    let token = bearer(headers)?;
    let claims = app.invitations().open(token)?;
    let is_good =
        matches!(app.ask(gateway::Request::Invitation { id: claims.id.clone() }).await, Ok(Reply::Invited(_)));
    is_good.then(|| Caller::invited(token, claims))
}

async fn admit(app: &App, mut request: Request) -> Result<Request, Problem> {
    let plan = app.plan();
    let peer = request.extensions().get::<Peer>().cloned();
    let peer = peer.ok_or_else(|| Problem::bad_request("it came over no connection"))?;
    let client = Client::of(&peer, request.headers(), &plan);
    let mut credentials = credentials(request.headers(), &plan);
    if credentials == Credentials::Wrong
        && let Some(caller) = invited(app, request.headers()).await
    {
        credentials = Credentials::Known(caller);
    }
    let address = client.address.ip();
    match &credentials {
        Credentials::Known(caller) => {
            peer.recognise();
            if !app.limits(|limits, now| limits.token(now, caller.hash)) {
                return Err(Problem::too_many(1, "too many requests with this token"));
            }
        }
        other => {
            let wrong = *other == Credentials::Wrong;
            if !app.limits(|limits, now| limits.stranger(now, address, wrong)) {
                return Err(Problem::too_many(6, "too many requests from this address"));
            }
            if wrong {
                app.log("wrong API token", format_args!("from {address}"));
            }
        }
    }
    request.extensions_mut().insert(client);
    request.extensions_mut().insert(credentials);
    let (parts, body) = request.into_parts();
    let body = tokio::time::timeout(BODY, to_bytes(body, LARGEST_BODY)).await;
    let body = body.map_err(|_| Problem::new(StatusCode::REQUEST_TIMEOUT, "slow-body", "the body came too slowly"))?;
    let body = body.map_err(|error| {
        let is_length = std::error::Error::source(&error).is_some_and(|why| why.to_string().contains("length limit"));
        if is_length || error.to_string().contains("length limit") {
            let detail = format!("the body is longer than {LARGEST_BODY} octets");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
        } else {
            Problem::bad_request("the body cannot be read")
        }
    })?;
    Ok(Request::from_parts(parts, Body::from(body)))
}
