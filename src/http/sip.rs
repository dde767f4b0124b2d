//! SIP over WebSocket (RFC 7118): `/sip`, and `/` for clients that are given a host alone.

use super::app::App;
use super::client::{Client, Peer};
use super::problem::Problem;
use crate::dialplan::Origins;
use crate::net::{self, Received};
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::{Router, any};
use bytes::Bytes;
use std::time::Duration;
use tokio::time::Instant;

/// The subprotocol (RFC 7118 section 4).
const PROTOCOL: &str = "sip";
/// Octets of the largest message, as of a datagram.
const LARGEST: usize = 65_535;
/// Octets that may wait to be written to a client that does not read.
const UNWRITTEN: usize = 1 << 20;
/// Time between two pings of ours.
const PING: Duration = Duration::from_secs(30);
/// A client from whom nothing comes, no pong either, is gone.
const GONE: Duration = Duration::from_secs(100);
/// A client that does not take what we send for this long is gone.
const STUCK_WRITE: Duration = Duration::from_secs(30);

pub(super) fn routes() -> Router<App> {
    Router::new().route("/sip", any(upgrade)).route("/", any(upgrade))
}

async fn upgrade(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|_| {
        Problem::new(StatusCode::UPGRADE_REQUIRED, "no-websocket", "SIP is spoken over WebSocket here (RFC 7118)")
    })?;
    check_origin(&headers, &app.plan().gateway.origins, client.secure)?;
    let upgrade = upgrade.protocols([PROTOCOL]).max_message_size(LARGEST).max_frame_size(LARGEST);
    if upgrade.selected_protocol().is_none() {
        return Err(Problem::bad_request("Sec-WebSocket-Protocol must offer sip (RFC 7118 section 4)"));
    }
    let upgrade = upgrade.max_write_buffer_size(UNWRITTEN);
    Ok(upgrade.on_upgrade(async move |socket| {
        let serve = |line| serve(socket, line);
        app.websockets().accept(app.runtime(), client.secure, peer.local, client.address, serve);
    }))
}

/// Whether the page that opens a WebSocket is one of ours (RFC 6455 section 10.2). Programs that are no browsers name
/// none.
pub(super) fn check_origin(headers: &HeaderMap, origins: &Origins, secure: bool) -> Result<(), Problem> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default().to_ascii_lowercase();
    let is_named = match origins {
        Origins::All => true,
        Origins::Some(named) => named.contains(&origin),
    };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
    let (scheme, standard) = if secure { ("https", ":443") } else { ("http", ":80") };
    let is_ours = !host.is_empty() && origin == format!("{scheme}://{}", host.strip_suffix(standard).unwrap_or(&host));
    if is_named || is_ours {
        return Ok(());
    }
    Err(Problem::new(StatusCode::FORBIDDEN, "foreign-origin", "pages of this origin may open no WebSockets here"))
}

async fn serve(mut socket: WebSocket, mut line: net::WebSocket) {
    let began = Instant::now();
    let (mut heard, mut message, mut ping) = (began, began, began + PING);
    loop {
        // Of a client that we never answer, pongs are not enough.
        let gone = if line.is_known() { heard + GONE } else { message + line.patience() };
        let received = tokio::select! {
            frame = socket.recv() => frame,
            bytes = line.next() => {
                let sent = match bytes {
                    Some(bytes) => send(&mut socket, framed(bytes)).await,
                    None => {
                        let farewell = CloseFrame { code: close_code::AWAY, reason: "".into() };
                        let _ = send(&mut socket, Message::Close(Some(farewell))).await;
                        false
                    }
                };
                if sent { continue } else { break }
            }
            () = tokio::time::sleep_until(gone.min(ping)) => {
                ping = Instant::now() + PING;
                if gone <= Instant::now() || !send(&mut socket, Message::Ping(Bytes::new())).await {
                    break;
                }
                continue;
            }
        };
        heard = Instant::now();
        let bytes = match received {
            Some(Ok(Message::Text(text))) => Bytes::from(text),
            Some(Ok(Message::Binary(bytes))) => bytes,
            // Pings are answered where frames are read.
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(Message::Close(_))) | None => break,
            Some(Err(error)) => {
                line.log("WebSocket closed", &error.to_string());
                break;
            }
        };
        message = heard;
        let goes_on = match line.received(bytes).await {
            Received::Message => true,
            Received::Ping => send(&mut socket, Message::Text("\r\n".into())).await,
            Received::Closed => false,
        };
        if !goes_on {
            break;
        }
    }
    line.closed().await;
}

/// One message, one frame: text where it can be (RFC 7118 section 5).
fn framed(bytes: Bytes) -> Message {
    match axum::extract::ws::Utf8Bytes::try_from(bytes.clone()) {
        Ok(text) => Message::Text(text),
        Err(_) => Message::Binary(bytes),
    }
}

async fn send(socket: &mut WebSocket, message: Message) -> bool {
    matches!(tokio::time::timeout(STUCK_WRITE, socket.send(message)).await, Ok(Ok(())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_our_host_and_of_named_sites_may_open_websockets() {
        let named = Origins::Some(vec!["https://app.example".into()]);
        for (origin, host, secure, may) in [
            (None, "gate.example", false, true),
            (Some("http://gate.example:8080"), "gate.example:8080", false, true),
            (Some("https://Gate.example"), "gate.EXAMPLE:443", true, true),
            (Some("http://gate.example"), "gate.example", true, false),
            (Some("https://app.example"), "gate.example", true, true),
            (Some("https://app.example.evil.example"), "gate.example", true, false),
            (Some("null"), "gate.example", true, false),
            (Some("http://"), "", false, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            headers.insert(header::HOST, host.parse().unwrap());
            assert_eq!(check_origin(&headers, &named, secure).is_ok(), may, "{origin:?} at {host}");
        }
        let mut foreign = HeaderMap::new();
        foreign.insert(header::ORIGIN, "https://evil.example".parse().unwrap());
        assert!(check_origin(&foreign, &Origins::All, true).is_ok());
        assert!(check_origin(&foreign, &Origins::default(), true).is_err());
    }
}
