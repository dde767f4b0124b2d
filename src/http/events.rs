//! What happens, as server-sent events and over WebSocket; `docs/asyncapi.yaml` describes it.

use super::access::Caller;
use super::app::{App, Asked, Followed};
use super::client::Client;
use super::extract::Query;
use super::problem::Problem;
use super::sip::check_origin;
use crate::gateway::TimedEvent;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, any};
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;
use utoipa::IntoParams;

/// The subprotocol; pages that cannot set headers offer `bearer.TOKEN` beside it.
const PROTOCOL: &str = "partyline.events";
/// Time between two signs of life.
const ALIVE: Duration = Duration::from_secs(15);
/// A client from whom nothing comes, no pong either, is gone.
const GONE: Duration = Duration::from_secs(60);
/// A client that does not take what we send for this long is gone.
const STUCK_WRITE: Duration = Duration::from_secs(10);
/// Octets of the largest message from a client, which has nothing to say.
const LARGEST: usize = 1_024;

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// How many of those that have happened already come first; none by default.
    #[param(maximum = 256)]
    last: Option<usize>,
}

pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/events/ws", any(upgrade))
}

/// What happens from now on, as server-sent events named as the events are. A token that is good for some rooms alone
/// sees who joins and leaves those.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "events", params(Which),
    responses((status = 200, content_type = "text/event-stream", body = String))
)]
pub(super) async fn stream(
    State(app): State<App>,
    caller: Caller,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let follower = Follower::new(&app, caller, which.last).await?;
    let events = stream::unfold(follower, async |mut follower| {
        let (name, data) = follower.next().await?;
        let event = Event::default().event(name).data(data.to_string());
        Some((Ok::<_, Infallible>(event), follower))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)).into_response())
}

async fn upgrade(
    State(app): State<App>,
    caller: Caller,
    Extension(client): Extension<Client>,
    Query(which): Query<Which>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade
        .map_err(|_| Problem::new(StatusCode::UPGRADE_REQUIRED, "no-websocket", "events come over WebSocket here"))?;
    check_origin(&headers, &app.plan().gateway.origins, client.secure)?;
    let follower = Follower::new(&app, caller, which.last).await?;
    let upgrade = upgrade.protocols([PROTOCOL]).max_message_size(LARGEST).max_frame_size(LARGEST);
    Ok(upgrade.on_upgrade(async move |socket| follow(socket, follower).await))
}

async fn follow(mut socket: WebSocket, mut follower: Follower) {
    let (mut heard, mut ping) = (Instant::now(), Instant::now() + ALIVE);
    loop {
        let message = tokio::select! {
            event = follower.next() => match event {
                Some((_, data)) => Message::Text(data.to_string().into()),
                None => break,
            },
            received = socket.recv() => match received {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {
                    heard = Instant::now();
                    continue;
                }
            },
            () = tokio::time::sleep_until(ping.min(heard + GONE)) => {
                if heard.elapsed() >= GONE {
                    return;
                }
                ping = Instant::now() + ALIVE;
                Message::Ping(Bytes::new())
            }
        };
        if !matches!(tokio::time::timeout(STUCK_WRITE, socket.send(message)).await, Ok(Ok(()))) {
            return;
        }
    }
    let farewell = CloseFrame { code: close_code::AWAY, reason: "".into() };
    let _ = tokio::time::timeout(STUCK_WRITE, socket.send(Message::Close(Some(farewell)))).await;
}

/// Somebody who follows the events.
struct Follower {
    app: App,
    caller: Caller,
    events: Followed,
    _place: OwnedSemaphorePermit,
}

impl Follower {
    async fn new(app: &App, caller: Caller, last: Option<usize>) -> Result<Self, Problem> {
        let too_many = "too many follow the events already";
        let place = Arc::clone(app.followers())
            .try_acquire_owned()
            .map_err(|_| Problem { rule: "too-many-followers", ..Problem::too_many(10, too_many) })?;
        let (answer, answered) = oneshot::channel();
        let asked = Asked::Events { last: last.unwrap_or(0), answer };
        let ending = || Problem::unavailable("ending", "the gateway is ending");
        app.asked().send(asked).await.map_err(|_| ending())?;
        let events = answered.await.map_err(|_| ending())?;
        Ok(Self { app: app.clone(), caller, events, _place: place })
    }

    /// The next event that the caller may see, with its name; `None` when the gateway ends, or the token is none any
    /// more.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            let event = match self.events.last.pop_front() {
                Some(event) => event,
                None => match self.events.new.recv().await {
                    Ok(event) => event,
                    Err(RecvError::Lagged(count)) => {
                        return Some(("missed".into(), json!({ "event": "missed", "count": count })));
                    }
                    Err(RecvError::Closed) => return None,
                },
            };
            if !self.caller.is_known_in(&self.app.plan()) {
                return None;
            }
            if let Some(seen) = seen(&event, &self.caller) {
                return Some(seen);
            }
        }
    }
}

/// The event as the caller sees it, if it may.
fn seen(event: &TimedEvent, caller: &Caller) -> Option<(String, Value)> {
    let event = serde_json::to_value(event).ok()?;
    let name = event.get("event")?.as_str()?.to_owned();
    let is_for_all = caller.has_all_rooms();
    let room = event.get("room").and_then(Value::as_str);
    (is_for_all || room.is_some_and(|room| caller.has_room(room))).then_some((name, event))
}
