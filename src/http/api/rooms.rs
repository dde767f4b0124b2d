//! Rooms, and what is done to all who are in one.

use super::calls::Call;
use super::extract::{Json, Name};
use super::{Message, Placed, Sound, Text};
use crate::dialplan::{ApiRole, Plan};
use crate::gateway::{Audience, Progress, Refusal, Reply, Request, Rule, Status};
use crate::http::access::Caller;
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::types::Disturbance;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::mpsc;
use utoipa::ToSchema;

/// Time between two signs of life of a stream.
const ALIVE: Duration = Duration::from_secs(15);

/// A room.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Room {
    /// Its name.
    #[schema(example = "standup")]
    name: String,
    /// Where it comes from.
    origin: Origin,
    /// Who is not in it cannot come in.
    locked: bool,
    /// Names of the calls in it.
    calls: Vec<String>,
    /// The call that speaks; none while nobody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    speaker: Option<String>,
}

/// Where a room comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Origin {
    /// From the dialplan.
    Dialplan,
    /// Made by the API.
    Made,
    /// Made on demand; gone when the last call leaves.
    Demand,
}

/// A room that is to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRoom {
    /// Its name.
    #[schema(example = "board", min_length = 1, max_length = 64)]
    name: String,
    /// Opens it to callers of an IVR that asks for PINs. By default it is reached by routes alone.
    #[serde(default)]
    #[schema(example = "902817", pattern = "^[0-9]{4,16}$")]
    pin: Option<String>,
    /// Opens it to its host.
    #[serde(default)]
    #[schema(example = "663172", pattern = "^[0-9]{4,16}$")]
    host_pin: Option<String>,
    /// Calls in it at one time; no limit by default.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 10000)]
    max_members: Option<u32>,
    /// Whoever disturbs the others by `echo`, `noise` (a fan, a hum) or `music` (a telephone that put the conference on
    /// hold) is muted until it is over. By default nobody is.
    #[serde(default)]
    mute: Vec<Disturbing>,
}

/// Settings of a room that the API made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Opens it to callers of an IVR that asks for PINs. By default it is reached by routes alone.
    #[serde(default)]
    #[schema(example = "902817", pattern = "^[0-9]{4,16}$")]
    pin: Option<String>,
    /// Opens it to its host.
    #[serde(default)]
    #[schema(example = "663172", pattern = "^[0-9]{4,16}$")]
    host_pin: Option<String>,
    /// Calls in it at one time; no limit by default.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 10000)]
    max_members: Option<u32>,
    /// Whoever disturbs the others by `echo`, `noise` (a fan, a hum) or `music` (a telephone that put the conference on
    /// hold) is muted until it is over. By default nobody is.
    #[serde(default)]
    mute: Vec<Disturbing>,
}

/// How a call disturbs the others in its room.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Disturbing {
    /// What it hears comes back.
    Echo,
    /// A steady noise.
    Noise,
    /// Music, as of a hold.
    Music,
}

impl From<Disturbing> for Disturbance {
    fn from(disturbing: Disturbing) -> Self {
        match disturbing {
            Disturbing::Echo => Self::Echo,
            Disturbing::Noise => Self::Noise,
            Disturbing::Music => Self::Music,
        }
    }
}

/// Whether a room is locked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Lock {
    locked: bool,
}

/// A telephone that is to be called into a room.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Dial {
    /// The number, in any way of writing it; routes with `from = "sessions"` say whether it may be called.
    #[schema(example = "+442079460123", min_length = 1, max_length = 64)]
    number: String,
    /// Whether the callee must press 1 first. By default what the route says, else yes.
    #[serde(default)]
    confirm: Option<bool>,
    /// Keys pressed when it is answered, as for an extension.
    #[serde(default)]
    #[schema(example = "12#", pattern = "^[0-9*#A-D]{0,64}$")]
    digits: Option<String>,
}

/// All rooms that a caller may see, by name.
fn rooms(plan: &Plan, status: &Status, caller: &Caller) -> Vec<Room> {
    let configured = plan.rooms.iter().map(|room| room.name.as_str());
    let made = status.made_rooms.iter().map(String::as_str);
    let open = status.rooms.iter().map(|room| room.room.as_str());
    let names: BTreeSet<&str> = configured.chain(made).chain(open).collect();
    let names = names.into_iter().filter(|name| caller.has_room(name));
    names.map(|name| room(plan, status, name)).collect()
}

fn room(plan: &Plan, status: &Status, name: &str) -> Room {
    let open = status.rooms.iter().find(|room| room.room == name);
    Room {
        name: name.to_owned(),
        origin: if plan.room(name).is_some() {
            Origin::Dialplan
        } else if status.made_rooms.iter().any(|made| made == name) {
            Origin::Made
        } else {
            Origin::Demand
        },
        locked: open.is_some_and(|room| room.locked) || status.locked_rooms.iter().any(|locked| locked == name),
        calls: open.map(|room| room.calls.clone()).unwrap_or_default(),
        speaker: open.map(|room| room.speaker.clone()).filter(|speaker| !speaker.is_empty()),
    }
}

/// The room of that name, if the caller may see it.
pub(super) async fn find(app: &App, caller: &Caller, name: &str) -> Result<(Status, Room), Problem> {
    caller.must_have_room(name)?;
    let status = app.status().await?;
    let found = rooms(&app.plan(), &status, caller).into_iter().find(|room| room.name == name);
    let found = found.ok_or_else(|| Refusal::new(Rule::NoSuchRoom, format!("there is no room {name:?}")))?;
    Ok((status, found))
}

/// The rooms of the dialplan, those that were made, and those that somebody is in.
#[utoipa::path(get, path = "/api/v1/rooms", tag = "rooms", responses((status = 200, body = Vec<Room>)))]
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<axum::Json<Vec<Room>>, Problem> {
    let status = app.status().await?;
    Ok(axum::Json(rooms(&app.plan(), &status, &caller)))
}

/// Makes a room, which lasts until it is taken away. Role: admin.
#[utoipa::path(
    post, path = "/api/v1/rooms", tag = "rooms", request_body = NewRoom,
    responses((status = 201, body = Room, headers(("Location" = String))))
)]
pub(super) async fn make(
    State(app): State<App>,
    caller: Caller,
    Json(NewRoom { name, pin, host_pin, max_members, mute }): Json<NewRoom>,
) -> Result<(StatusCode, HeaderMap, axum::Json<Room>), Problem> {
    caller.must_be(ApiRole::Admin)?;
    let mute = mute.into_iter().map(Disturbance::from).collect();
    app.ask(Request::MakeRoom { room: name.clone(), pin, host_pin, max_members, mute, replace: false }).await?;
    let (_, made) = find(&app, &caller, &name).await?;
    let place = format!("/api/v1/rooms/{}", utf8_percent_encode(&name, NON_ALPHANUMERIC));
    let place = HeaderValue::from_str(&place).map_err(|_| Problem::bad_request("the name"))?;
    Ok((StatusCode::CREATED, HeaderMap::from_iter([(header::LOCATION, place)]), axum::Json(made)))
}

/// One room.
#[utoipa::path(
    get, path = "/api/v1/rooms/{room}", tag = "rooms", params(("room" = String, Path, max_length = 64)),
    responses((status = 200, body = Room))
)]
pub(super) async fn get(State(app): State<App>, caller: Caller, Name(name): Name) -> Result<axum::Json<Room>, Problem> {
    Ok(axum::Json(find(&app, &caller, &name).await?.1))
}

/// Changes all settings of a room that was made. Role: admin.
#[utoipa::path(
    put, path = "/api/v1/rooms/{room}", tag = "rooms", params(("room" = String, Path, max_length = 64)),
    request_body = Settings, responses((status = 204, description = "They are changed"))
)]
pub(super) async fn change(
    State(app): State<App>,
    caller: Caller,
    Name(room): Name,
    Json(Settings { pin, host_pin, max_members, mute }): Json<Settings>,
) -> Result<StatusCode, Problem> {
    caller.must_be(ApiRole::Admin)?;
    let mute = mute.into_iter().map(Disturbance::from).collect();
    app.order(Request::MakeRoom { room, pin, host_pin, max_members, mute, replace: true }).await
}

/// Takes a room away that was made, once nobody is in it. Role: admin.
#[utoipa::path(
    delete, path = "/api/v1/rooms/{room}", tag = "rooms", params(("room" = String, Path, max_length = 64)),
    responses((status = 204, description = "It is taken away"))
)]
pub(super) async fn unmake(State(app): State<App>, caller: Caller, Name(room): Name) -> Result<StatusCode, Problem> {
    caller.must_be(ApiRole::Admin)?;
    app.order(Request::UnmakeRoom { room }).await
}

/// Locks a room, or lets others in again. Role: operator.
#[utoipa::path(
    put, path = "/api/v1/rooms/{room}/lock", tag = "rooms", params(("room" = String, Path, max_length = 64)),
    request_body = Lock, responses((status = 204, description = "It is so"))
)]
pub(super) async fn lock(
    State(app): State<App>,
    caller: Caller,
    Name(room): Name,
    Json(Lock { locked }): Json<Lock>,
) -> Result<StatusCode, Problem> {
    caller.must_be(ApiRole::Operator)?;
    caller.must_have_room(&room)?;
    app.order(Request::LockRoom { room, locked }).await
}

/// The calls in a room.
#[utoipa::path(
    get, path = "/api/v1/rooms/{room}/participants", tag = "rooms",
    params(("room" = String, Path, max_length = 64)), responses((status = 200, body = Vec<Call>))
)]
pub(super) async fn participants(
    State(app): State<App>,
    caller: Caller,
    Name(name): Name,
) -> Result<axum::Json<Vec<Call>>, Problem> {
    let (status, room) = find(&app, &caller, &name).await?;
    let inside = status.calls.into_iter().filter(|call| room.calls.contains(&call.call));
    Ok(axum::Json(inside.map(Call::from).collect()))
}

/// Hangs up all calls in a room. Role: operator.
#[utoipa::path(
    delete, path = "/api/v1/rooms/{room}/participants", tag = "rooms",
    params(("room" = String, Path, max_length = 64)), responses((status = 204, description = "They are hung up"))
)]
pub(super) async fn hang_up(State(app): State<App>, caller: Caller, Name(room): Name) -> Result<StatusCode, Problem> {
    caller.must_be(ApiRole::Operator)?;
    caller.must_have_room(&room)?;
    app.order(Request::KickRoom { room }).await
}

/// Calls a telephone into a room. Answered once it is called; how that goes, the events say. Whoever takes
/// `text/event-stream` is told here: `progress` (`{"call", "what"}`), at last `done` or `failed`
/// (`{"rule", "detail"}`). Role: operator.
#[utoipa::path(
    post, path = "/api/v1/rooms/{room}/dial", tag = "rooms", params(("room" = String, Path, max_length = 64)),
    request_body = Dial, responses((status = 202, body = Placed))
)]
pub(super) async fn dial(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Name(room): Name,
    Json(Dial { number, confirm, digits }): Json<Dial>,
) -> Result<Response, Problem> {
    caller.must_be(ApiRole::Operator)?;
    caller.must_have_room(&room)?;
    let request = Request::Dial { room, number, confirm, digits, create: false };
    let takes_events = |accept: &HeaderValue| accept.to_str().is_ok_and(|kinds| kinds.contains("text/event-stream"));
    if headers.get(header::ACCEPT).is_some_and(takes_events) {
        let (first, rest) = app.follow(request).await?;
        return Ok(as_events(first, rest));
    }
    match app.ask(request).await? {
        Reply::Progress(progress) => {
            Ok((StatusCode::ACCEPTED, axum::Json(Placed { call: progress.call })).into_response())
        }
        _ => Err(Problem::unavailable("no-answer", "the call has no name")),
    }
}

/// Replies as server-sent events.
fn as_events(first: Reply, rest: mpsc::Receiver<Reply>) -> Response {
    let events = stream::unfold((Some(first), rest), async |(first, mut rest)| {
        let reply = match first {
            Some(reply) => reply,
            None => rest.recv().await?,
        };
        let (name, data) = match reply {
            Reply::Progress(Progress { call, what }) => ("progress", json!({ "call": call, "what": what })),
            Reply::Error(Refusal { rule, detail }) => ("failed", json!({ "rule": rule.as_str(), "detail": detail })),
            _ => ("done", json!({})),
        };
        Some((Ok::<_, Infallible>(Event::default().event(name).data(data.to_string())), (None, rest)))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)).into_response()
}

/// Plays a sound to all in a room. Role: operator.
#[utoipa::path(
    post, path = "/api/v1/rooms/{room}/play", tag = "rooms", params(("room" = String, Path, max_length = 64)),
    request_body = Sound, responses((status = 204, description = "It is heard"))
)]
pub(super) async fn play(
    State(app): State<App>,
    caller: Caller,
    Name(room): Name,
    Json(sound): Json<Sound>,
) -> Result<StatusCode, Problem> {
    caller.must_be(ApiRole::Operator)?;
    caller.must_have_room(&room)?;
    app.order(Request::Play { to: Audience::Room(room), sound: sound.checked()? }).await
}

/// Says a text to all in a room. Role: operator.
#[utoipa::path(
    post, path = "/api/v1/rooms/{room}/say", tag = "rooms", params(("room" = String, Path, max_length = 64)),
    request_body = Text, responses((status = 204, description = "It is heard"))
)]
pub(super) async fn say(
    State(app): State<App>,
    caller: Caller,
    Name(room): Name,
    Json(text): Json<Text>,
) -> Result<StatusCode, Problem> {
    caller.must_be(ApiRole::Operator)?;
    caller.must_have_room(&room)?;
    app.order(Request::Say { to: Audience::Room(room), text: text.checked()? }).await
}

/// Sends a text to all in a room who take any: browsers and users. Role: operator.
#[utoipa::path(
    post, path = "/api/v1/rooms/{room}/messages", tag = "rooms", params(("room" = String, Path, max_length = 64)),
    request_body = Message, responses((status = 204, description = "It is sent"))
)]
pub(super) async fn message(
    State(app): State<App>,
    caller: Caller,
    Name(room): Name,
    Json(Message { text }): Json<Message>,
) -> Result<StatusCode, Problem> {
    caller.must_be(ApiRole::Operator)?;
    caller.must_have_room(&room)?;
    app.order(Request::Message { to: Audience::Room(room), text }).await
}
