//! WebSockets to the sessions of scenarios, at URLs that only those know who were told: `/sessions/KEY`.
//!
//! The handshake is done here (RFC 6455 section 4.2), and the connection handed over: frames are the session's.

use super::app::{App, Asked};
use super::client::Client;
use super::problem::Problem;
use super::sip::check_origin;
use axum::body::Body;
use axum::extract::{Extension, Path, Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::Response;
use axum::routing::{Router, any};
use hyper_util::rt::TokioIo;
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/sessions/{key}", any(enter))
}

async fn enter(
    State(app): State<App>,
    Extension(client): Extension<Client>,
    Path(key): Path<String>,
    mut request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers();
    let Some(accept) = accept(headers) else {
        let why = "a session takes WebSockets alone (RFC 6455, version 13)";
        return Err(Problem::new(StatusCode::UPGRADE_REQUIRED, "no-websocket", why));
    };
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
