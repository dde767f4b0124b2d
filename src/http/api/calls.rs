//! Calls, one by one.

use super::extract::{Json, Name};
use super::{Message, Placed, Sound, Text};
use crate::dialplan::ApiRole;
use crate::gateway::{Audience, CallStatus, Refusal, Reply, Request, Rule};
use crate::http::access::Caller;
use crate::http::app::App;
use crate::http::problem::Problem;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A call.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Call {
    /// Its name.
    #[schema(example = "call-3-7")]
    name: String,
    /// The trunk it came or goes by; empty for a user's.
    trunk: String,
    /// The user who calls or is called; empty for a trunk's.
    user: String,
    /// What others are shown of who calls; empty for nothing.
    display_name: String,
    /// Whether we call.
    outgoing: bool,
    /// Who calls, shortened.
    #[schema(example = "+442…23")]
    from: String,
    /// The called number, shortened.
    number: String,
    /// The route it took.
    route: String,
    /// Where it stands.
    #[schema(example = "answered")]
    state: String,
    /// Seconds since the answer.
    seconds: u64,
    /// The rooms it is in.
    rooms: Vec<String>,
    /// The codec we send with; empty until one is agreed on.
    codec: String,
    /// By which way keys came, `rfc4733`, `info` or `in-band`; empty while none came.
    #[schema(example = "rfc4733")]
    digits: String,
    /// The caller has put us on hold.
    on_hold: bool,
    /// We have put the caller on hold.
    held: bool,
    /// Nobody hears the caller.
    muted: bool,
    /// How much louder than it is the others hear it, decibels.
    gain: i8,
    /// What is wrong with its sound; empty when all is well.
    warning: String,
    /// Samples of the caller's sound that were made up because their packet was lost or late, silence among them. This
    /// and the next three: samples of the codec's RTP clock, since the call's sound began.
    concealed_samples: u64,
    /// Those of them that were silence.
    silent_concealed_samples: u64,
    /// Samples put in to make the delay longer.
    inserted_samples_for_deceleration: u64,
    /// Samples taken out to make the delay shorter.
    removed_samples_for_acceleration: u64,
    /// How it disturbs the others in its room: by `echo`, `noise` or `music`.
    #[schema(example = json!(["echo"]))]
    disturbs: Vec<String>,
}

impl From<CallStatus> for Call {
    fn from(call: CallStatus) -> Self {
        Self {
            name: call.call,
            trunk: call.trunk,
            user: call.user,
            display_name: call.display_name,
            outgoing: call.outgoing,
            from: call.from,
            number: call.number,
            route: call.route,
            state: call.state,
            seconds: call.seconds,
            rooms: call.rooms,
            codec: call.codec,
            digits: call.digits,
            on_hold: call.on_hold,
            held: call.held,
            muted: call.muted,
            gain: call.gain,
            warning: call.warning,
            concealed_samples: call.playout.concealed_samples,
            silent_concealed_samples: call.playout.silent_concealed_samples,
            inserted_samples_for_deceleration: call.playout.inserted_samples_for_deceleration,
            removed_samples_for_acceleration: call.playout.removed_samples_for_acceleration,
            disturbs: call.disturbs.iter().map(|disturbance| disturbance.to_string()).collect(),
        }
    }
}

/// Whether nobody hears a call.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Mute {
    muted: bool,
}

/// How loud a call is heard.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Gain {
    /// By so much louder than it is, or quieter; 0 as it is.
    #[schema(example = -6, minimum = -40, maximum = 20)]
    decibels: i8,
}

/// Whether a call is on hold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Hold {
    held: bool,
}

/// Where a call is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Destination {
    /// The room's name.
    #[schema(example = "standup", min_length = 1, max_length = 64)]
    room: String,
}

/// Keys that are to be pressed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Digits {
    #[schema(example = "12#", pattern = "^[0-9*#A-D]{1,64}$")]
    digits: String,
}

/// Where a call is to be transferred to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Transfer {
    /// The number, in any way of writing it.
    #[schema(example = "+442079460123", min_length = 1, max_length = 64)]
    number: String,
}

async fn calls(app: &App, caller: &Caller) -> Result<impl Iterator<Item = CallStatus> + use<>, Problem> {
    let calls = app.status().await?.calls;
    let all = caller.has_all_rooms();
    let sees = move |call: &CallStatus, caller: &Caller| all || call.rooms.iter().any(|room| caller.has_room(room));
    let seen: Vec<_> = calls.into_iter().filter(|call| sees(call, caller)).collect();
    Ok(seen.into_iter())
}

/// Looks whether an operator may do something to a call.
async fn operate(app: &App, caller: &Caller, call: &str) -> Result<(), Problem> {
    caller.must_be(ApiRole::Operator)?;
    app.must_see(caller, call).await
}

/// The calls in progress, oldest first.
#[utoipa::path(get, path = "/api/v1/calls", tag = "calls", responses((status = 200, body = Vec<Call>)))]
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<axum::Json<Vec<Call>>, Problem> {
    Ok(axum::Json(calls(&app, &caller).await?.map(Call::from).collect()))
}

/// One call.
#[utoipa::path(
    get, path = "/api/v1/calls/{call}", tag = "calls", params(("call" = String, Path, max_length = 64)),
    responses((status = 200, body = Call))
)]
pub(super) async fn get(State(app): State<App>, caller: Caller, Name(name): Name) -> Result<axum::Json<Call>, Problem> {
    let found = calls(&app, &caller).await?.find(|call| call.call == name);
    let found = found.ok_or_else(|| Refusal::new(Rule::NoSuchCall, format!("there is no call {name:?}")))?;
    Ok(axum::Json(found.into()))
}

/// Hangs a call up. Role: operator.
#[utoipa::path(
    delete, path = "/api/v1/calls/{call}", tag = "calls", params(("call" = String, Path, max_length = 64)),
    responses((status = 204, description = "It is hung up"))
)]
pub(super) async fn hang_up(State(app): State<App>, caller: Caller, Name(call): Name) -> Result<StatusCode, Problem> {
    operate(&app, &caller, &call).await?;
    app.order(Request::Kick { call }).await
}

/// Lets nobody hear a call, or lets it be heard again; its caller is told. Role: operator.
#[utoipa::path(
    put, path = "/api/v1/calls/{call}/mute", tag = "calls", params(("call" = String, Path, max_length = 64)),
    request_body = Mute, responses((status = 204, description = "It is so"))
)]
pub(super) async fn mute(
    State(app): State<App>,
    caller: Caller,
    Name(call): Name,
    Json(Mute { muted }): Json<Mute>,
) -> Result<StatusCode, Problem> {
    operate(&app, &caller, &call).await?;
    app.order(Request::Mute { call, muted }).await
}

/// Has all others hear a call louder than it is, or quieter. Role: operator.
#[utoipa::path(
    put, path = "/api/v1/calls/{call}/gain", tag = "calls", params(("call" = String, Path, max_length = 64)),
    request_body = Gain, responses((status = 204, description = "It is so"))
)]
pub(super) async fn gain(
    State(app): State<App>,
    caller: Caller,
    Name(call): Name,
    Json(Gain { decibels }): Json<Gain>,
) -> Result<StatusCode, Problem> {
    operate(&app, &caller, &call).await?;
    app.order(Request::SetGain { call, decibels }).await
}

/// Puts a call on hold, or takes it back. Answered when its other end has agreed. Role: operator.
#[utoipa::path(
    put, path = "/api/v1/calls/{call}/hold", tag = "calls", params(("call" = String, Path, max_length = 64)),
    request_body = Hold, responses((status = 204, description = "It is so"))
)]
pub(super) async fn hold(
    State(app): State<App>,
    caller: Caller,
    Name(call): Name,
    Json(Hold { held }): Json<Hold>,
) -> Result<StatusCode, Problem> {
    operate(&app, &caller, &call).await?;
    app.order(if held { Request::Hold { call } } else { Request::Resume { call } }).await
}

/// Takes a call out of its room and into another. Role: operator.
#[utoipa::path(
    put, path = "/api/v1/calls/{call}/room", tag = "calls", params(("call" = String, Path, max_length = 64)),
    request_body = Destination, responses((status = 204, description = "It is there"))
)]
pub(super) async fn move_to(
    State(app): State<App>,
    caller: Caller,
    Name(call): Name,
    Json(Destination { room }): Json<Destination>,
) -> Result<StatusCode, Problem> {
    operate(&app, &caller, &call).await?;
    caller.must_have_room(&room)?;
    app.order(Request::Move { call, room }).await
}

/// Presses keys in the direction of a call's other end. Role: operator.
#[utoipa::path(
    post, path = "/api/v1/calls/{call}/digits", tag = "calls", params(("call" = String, Path, max_length = 64)),
    request_body = Digits, responses((status = 204, description = "They are pressed"))
)]
pub(super) async fn digits(
    State(app): State<App>,
    caller: Caller,
    Name(call): Name,
    Json(Digits { digits }): Json<Digits>,
) -> Result<StatusCode, Problem> {
    operate(&app, &caller, &call).await?;
    app.order(Request::SendDigits { call, digits }).await
}

/// Plays a sound to one call. Role: operator.
#[utoipa::path(
    post, path = "/api/v1/calls/{call}/play", tag = "calls", params(("call" = String, Path, max_length = 64)),
    request_body = Sound, responses((status = 204, description = "It is heard"))
)]
pub(super) async fn play(
    State(app): State<App>,
    caller: Caller,
    Name(call): Name,
    Json(sound): Json<Sound>,
) -> Result<StatusCode, Problem> {
    operate(&app, &caller, &call).await?;
    app.order(Request::Play { to: Audience::Call(call), sound: sound.checked()? }).await
}

/// Says a text to one call. Role: operator.
#[utoipa::path(
    post, path = "/api/v1/calls/{call}/say", tag = "calls", params(("call" = String, Path, max_length = 64)),
    request_body = Text, responses((status = 204, description = "It is heard"))
)]
pub(super) async fn say(
    State(app): State<App>,
    caller: Caller,
    Name(call): Name,
    Json(text): Json<Text>,
) -> Result<StatusCode, Problem> {
    operate(&app, &caller, &call).await?;
    app.order(Request::Say { to: Audience::Call(call), text: text.checked()? }).await
}

/// Sends a text to one call. Role: operator.
#[utoipa::path(
    post, path = "/api/v1/calls/{call}/messages", tag = "calls", params(("call" = String, Path, max_length = 64)),
    request_body = Message, responses((status = 204, description = "It is sent"))
)]
pub(super) async fn message(
    State(app): State<App>,
    caller: Caller,
    Name(call): Name,
    Json(Message { text }): Json<Message>,
) -> Result<StatusCode, Problem> {
    operate(&app, &caller, &call).await?;
    app.order(Request::Message { to: Audience::Call(call), text }).await
}

/// Asks a call's other end to call a number instead of us (REFER). Answered once it has agreed. Role: operator.
#[utoipa::path(
    post, path = "/api/v1/calls/{call}/transfer", tag = "calls", params(("call" = String, Path, max_length = 64)),
    request_body = Transfer, responses((status = 202, body = Placed))
)]
pub(super) async fn transfer(
    State(app): State<App>,
    caller: Caller,
    Name(call): Name,
    Json(Transfer { number }): Json<Transfer>,
) -> Result<(StatusCode, axum::Json<Placed>), Problem> {
    operate(&app, &caller, &call).await?;
    let placed = Placed { call: call.clone() };
    match app.ask(Request::Transfer { call, number }).await? {
        Reply::Progress(_) | Reply::Done(_) => Ok((StatusCode::ACCEPTED, axum::Json(placed))),
        _ => Err(Problem::unavailable("no-answer", "nothing is known of the transfer")),
    }
}
