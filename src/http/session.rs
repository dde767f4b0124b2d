//! WebSockets and HTTP requests to the sessions of scenarios, at URLs that only those know who were told:
//! `/sessions/KEY`, and for requests whatever follows it.
//!
//! The handshake is done here (RFC 6455 section 4.2), and the connection handed over: frames are the session's.

use super::app::{App, Asked, SessionRequest, SessionUnasked};
use super::client::Client;
use super::problem::Problem;
use super::sip::check_origin;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, Path, Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, any};
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/sessions/{key}", any(enter)).route("/sessions/{key}/{*path}", any(ask_below))
}

/// Patience with a session's answer.
const ANSWER: Duration = Duration::from_secs(10);

async fn ask_below(
    State(app): State<App>,
    Path((key, _)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    ask(&app, key, request).await
}

/// Has a session answer a request.
async fn ask(app: &App, key: String, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    // The guard has read it, and knows that it is short.
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_else(|_| Bytes::new());
    let request = SessionRequest {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
        content: String::from_utf8_lossy(&body).into_owned(),
    };
    let (answer, answered) = oneshot::channel();
    let asked = app.asked().send(Asked::Session { key, request, answer }).await;
    let coming = if asked.is_ok() { answered.await.ok() } else { None };
    let coming = match coming.unwrap_or(Err(SessionUnasked::Nobody)) {
        Ok(coming) => coming,
        Err(SessionUnasked::Nobody) => return Err(Problem::not_found()),
        Err(SessionUnasked::Busy) => return Err(Problem::too_many(1, "too many requests to this session")),
    };
    let slow = |_| Problem::new(StatusCode::GATEWAY_TIMEOUT, "no-answer", "the session has not answered in time");
    // A session that ends meanwhile answers nothing.
    let text = tokio::time::timeout(ANSWER, coming).await.map_err(slow)?.ok().flatten();
    Ok(text.ok_or_else(Problem::not_found)?.into_response())
}

async fn enter(
    State(app): State<App>,
    Extension(client): Extension<Client>,
    Path(key): Path<String>,
    mut request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers();
    let Some(accept) = accept(headers) else { return ask(&app, key, request).await };
    check_origin(headers, &app.plan().gateway.origins, client.secure)?;
    let (answer, answered) = oneshot::channel();
    let asked = app.asked().send(Asked::Enter { key, answer }).await;
    let entrance = if asked.is_ok() { answered.await.ok().flatten() } else { None };
    let Some(entrance) = entrance else { return Err(Problem::not_found()) };
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        if let Ok(connection) = upgrade.await {
            // The session may be over by now.
            let _ = entrance.send(TokioIo::new(connection));
        }
    });
    let response = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, accept);
    response.body(Body::empty()).map_err(|_| Problem::not_found())
}

/// The answer to the key of a handshake, if it is one.
fn accept(headers: &HeaderMap) -> Option<String> {
    let value = |name: HeaderName| headers.get(name)?.to_str().ok();
    let names = |list: &str, word: &str| list.split(',').any(|part| part.trim().eq_ignore_ascii_case(word));
    let is_upgrade = value(header::CONNECTION).is_some_and(|list| names(list, "upgrade"))
        && value(header::UPGRADE).is_some_and(|list| names(list, "websocket"))
        && value(header::SEC_WEBSOCKET_VERSION) == Some("13");
    let key = value(header::SEC_WEBSOCKET_KEY)?;
    is_upgrade.then(|| derive_accept_key(key.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_is_answered_as_the_rfc_has_it_and_anything_else_is_none() {
        let all = [
            (header::CONNECTION, "keep-alive, Upgrade"),
            (header::UPGRADE, "WebSocket"),
            (header::SEC_WEBSOCKET_VERSION, "13"),
            (header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let of = |list: &[(HeaderName, &'static str)]| -> HeaderMap {
            list.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
        };
        assert_eq!(accept(&of(&all)).as_deref(), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        for without in 0..all.len() {
            let mut some = all.to_vec();
            some.remove(without);
            assert_eq!(accept(&of(&some)), None);
        }
    }
}
