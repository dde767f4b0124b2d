//! Invitations: a URL that admits one person to one room.

use super::extract::{Json, Name, NameAnd};
use super::rooms;
use crate::dialplan::ApiRole;
use crate::gateway::{InvitationStatus, InvitedUser, MadeInvitation, Refusal, Reply, Request, Rule};
use crate::http::access::Caller;
use crate::http::app::App;
use crate::http::client::{Client, Peer, place};
use crate::http::ice::{self, IceServer};
use crate::http::invitation::Claims;
use crate::http::problem::Problem;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use utoipa::ToSchema;

/// An invitation that is to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewInvitation {
    /// Whom it is for: what others are shown.
    #[schema(example = "Anna Ashton", min_length = 1, max_length = 64)]
    name: String,
    /// When it ends: a time (RFC 3339), or how long from now it lasts (`90m`, `2h 30m`, `7d`); within a year.
    #[schema(example = "2h", min_length = 2, max_length = 40)]
    expires: String,
    /// Whether the room's host is invited: whoever uses the invitation is told.
    #[serde(default)]
    host: bool,
}

/// An invitation.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Invitation {
    /// By which it is taken back.
    #[schema(example = "5d8f2b1c90a7e346")]
    id: String,
    /// The room's name.
    room: String,
    /// Whom it is for.
    name: String,
    /// Whether the room's host is invited.
    host: bool,
    /// When it ends (RFC 3339).
    #[schema(format = DateTime)]
    expires: String,
    /// It was taken back.
    revoked: bool,
    /// The user that whoever used it is, as long as there is one.
    user: Option<String>,
}

impl From<InvitationStatus> for Invitation {
    fn from(invitation: InvitationStatus) -> Self {
        let InvitationStatus { id, room, name, host, until, revoked, user } = invitation;
        let user = Some(user).filter(|user| !user.is_empty());
        Self { id, room, name, host, expires: time(until), revoked, user }
    }
}

/// An invitation that was made.
#[derive(Serialize, ToSchema)]
pub(super) struct Invited {
    #[serde(flatten)]
    invitation: Invitation,
    /// What its person opens: whoever has it is admitted. Told this once.
    url: String,
    /// The last part of the URL.
    token: String,
    /// How its person comes by telephone instead: the number, where the dialplan says it.
    #[schema(example = "+44 20 7946 0100")]
    access_number: Option<String>,
    /// And what is keyed there, where the room has a PIN.
    #[schema(example = "482917")]
    pin: Option<String>,
}

/// What an invitation says.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Admittance {
    /// The room's name.
    room: String,
    /// Whom it is for.
    name: String,
    /// Whether the room's host is invited.
    host: bool,
    /// When it ends (RFC 3339).
    #[schema(format = DateTime)]
    expires: String,
}

impl From<InvitationStatus> for Admittance {
    fn from(InvitationStatus { room, name, host, until, .. }: InvitationStatus) -> Self {
        Self { room, name, host, expires: time(until) }
    }
}

/// What a client that speaks SIP over WebSocket needs to be in the room, as JsSIP and SIP.js take it.
#[derive(Serialize, ToSchema)]
pub(super) struct Admitted {
    #[serde(flatten)]
    to: Admittance,
    /// The user's name, for the digest too.
    #[schema(example = "guest-90a7e3465d8f")]
    user: String,
    /// The user's password. Told this once.
    password: String,
    /// The user's address.
    #[schema(example = "sip:guest-90a7e3465d8f@sip.example.com")]
    uri: String,
    /// Where SIP is spoken (RFC 7118).
    #[schema(example = "wss://gateway.example/sip")]
    websocket: String,
    /// Whom to call: the room, or the scenario that it is held by, with the room's name in `X-Conference-Id`.
    #[schema(example = "sip:standup@sip.example.com")]
    call: String,
    /// A scenario holds it: browsers are not mixed, and hear each other by calls of their own.
    by_scenario: bool,
    /// As `new RTCPeerConnection({ iceServers })` takes them.
    ice_servers: Vec<IceServer>,
    /// What the host reads out to whoever comes by telephone: the number, where the dialplan says it.
    #[schema(example = "+44 20 7946 0100")]
    access_number: Option<String>,
    /// And what they key there, where the room has a PIN.
    #[schema(example = "482917")]
    pin: Option<String>,
}

/// The invitations to a room that have not ended. Role: operator.
#[utoipa::path(
    get, path = "/api/v1/rooms/{room}/invitations", tag = "invitations",
    params(("room" = String, Path, max_length = 64)), responses((status = 200, body = Vec<Invitation>))
)]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    Name(room): Name,
) -> Result<axum::Json<Vec<Invitation>>, Problem> {
    caller.must_be(ApiRole::Operator)?;
    rooms::find(&app, &caller, &room).await?;
    match app.ask(Request::Invitations).await? {
        Reply::Invitations(all) => {
            let of_room = all.into_iter().filter(|invitation| invitation.room == room);
            Ok(axum::Json(of_room.map(Invitation::from).collect()))
        }
        _ => Err(Problem::unavailable("no-answer", "the gateway does not say who is invited")),
    }
}

/// Invites one person to a room of the dialplan, or one that was made. Its URL begins with the host that this request
/// names. Role: operator.
#[utoipa::path(
    post, path = "/api/v1/rooms/{room}/invitations", tag = "invitations",
    params(("room" = String, Path, max_length = 64)), request_body = NewInvitation,
    responses((status = 201, body = Invited))
)]
pub(super) async fn make(
    State(app): State<App>,
    caller: Caller,
    (Extension(peer), Extension(client)): (Extension<Peer>, Extension<Client>),
    headers: HeaderMap,
    Name(room): Name,
    Json(NewInvitation { name, expires, host }): Json<NewInvitation>,
) -> Result<(StatusCode, axum::Json<Invited>), Problem> {
    caller.must_be(ApiRole::Operator)?;
    caller.must_have_room(&room)?;
    let until = end(&expires, ice::now()).ok_or_else(|| {
        Refusal::new(Rule::Invalid, "expires is a time as 2026-12-24T18:00:00Z, or how long it lasts, as 2h")
    })?;
    let (MadeInvitation { invitation, pin }, token) = app.invite(room, name, until, host).await?;
    let scheme = if client.secure { "https" } else { "http" };
    let invited = Invited {
        url: format!("{scheme}://{}/join/{}/{token}", place(&peer, &headers), escaped(&invitation.room)),
        token,
        access_number: app.plan().access_number(&invitation.room).map(str::to_owned),
        pin: pin.map(|pin| pin.reveal().to_owned()),
        invitation: invitation.into(),
    };
    Ok((StatusCode::CREATED, axum::Json(invited)))
}

/// Takes an invitation back: it admits nobody any more, and who is in the room by it is sent out. Role: operator.
#[utoipa::path(
    delete, path = "/api/v1/rooms/{room}/invitations/{invitation}", tag = "invitations",
    params(("room" = String, Path, max_length = 64), ("invitation" = String, Path, max_length = 64)),
    responses((status = 204, description = "It is taken back"))
)]
pub(super) async fn revoke(
    State(app): State<App>,
    caller: Caller,
    NameAnd(room, id): NameAnd,
) -> Result<StatusCode, Problem> {
    caller.must_be(ApiRole::Operator)?;
    caller.must_have_room(&room)?;
    app.order(Request::RevokeInvitation { id, room }).await
}

/// What an invitation says. Nothing is used up by looking. Takes no token but the invitation's own.
#[utoipa::path(
    get, path = "/join/{room}/{invitation}", tag = "invitations", security(()),
    params(("room" = String, Path, max_length = 64), ("invitation" = String, Path, max_length = 1024)),
    responses((status = 200, body = Admittance))
)]
pub(super) async fn look(
    State(app): State<App>,
    Extension(client): Extension<Client>,
    NameAnd(room, token): NameAnd,
) -> Result<axum::Json<Admittance>, Problem> {
    let Claims { id, .. } = opened(&app, &client, &room, &token)?;
    match app.ask(Request::Invitation { id }).await? {
        Reply::Invited(invitation) => Ok(axum::Json(invitation.into())),
        _ => Err(Problem::unavailable("no-answer", "nothing is known of the invitation")),
    }
}

/// Uses an invitation: makes a user who may call its room and nothing else, and who ends with it, or a minute after
/// being registered nowhere any more. Used again, it makes another one: whoever came by it before is sent out. Takes no
/// token but the invitation's own.
#[utoipa::path(
    post, path = "/join/{room}/{invitation}", tag = "invitations", security(()),
    params(("room" = String, Path, max_length = 64), ("invitation" = String, Path, max_length = 1024)),
    responses((status = 201, body = Admitted))
)]
pub(super) async fn join(
    State(app): State<App>,
    (Extension(peer), Extension(client)): (Extension<Peer>, Extension<Client>),
    headers: HeaderMap,
    NameAnd(room, token): NameAnd,
) -> Result<(StatusCode, axum::Json<Admitted>), Problem> {
    let Claims { id, .. } = opened(&app, &client, &room, &token)?;
    let Reply::Admitted(InvitedUser { user, password, invitation, pin }) =
        app.ask(Request::UseInvitation { id }).await?
    else {
        return Err(Problem::unavailable("no-answer", "nothing is known of the user"));
    };
    let plan = app.plan();
    let place = place(&peer, &headers);
    let host = plan.gateway.domain.as_deref().unwrap_or_else(|| place.host());
    let scheme = if client.secure { "wss" } else { "ws" };
    let admitted = Admitted {
        access_number: plan.access_number(&invitation.room).filter(|_| invitation.host).map(str::to_owned),
        by_scenario: plan.is_held_by_scenario(&invitation.room),
        pin: pin.map(|pin| pin.reveal().to_owned()),
        uri: format!("sip:{user}@{host}"),
        call: format!("sip:{}@{host}", escaped(plan.called_by_invited(&invitation.room))),
        websocket: format!("{scheme}://{place}/sip"),
        ice_servers: ice::servers(&plan, &user, ice::now()),
        to: invitation.into(),
        password: password.reveal().to_owned(),
        user,
    };
    Ok((StatusCode::CREATED, axum::Json(admitted)))
}

/// What an invitation says that is ours, to this room, and has not ended.
fn opened(app: &App, client: &Client, room: &str, token: &str) -> Result<Claims, Problem> {
    let Some(claims) = app.invitations().open(token) else {
        let address = client.address.ip();
        if !app.limits(|limits, now| limits.stranger(now, address, true)) {
            return Err(Problem::too_many(6, "too many requests from this address"));
        }
        app.log("wrong invitation", format_args!("from {address}"));
        return Err(Problem::forbidden("invitation-altered", "this invitation is none of ours, or was altered"));
    };
    if claims.room != room {
        return Err(Problem::forbidden("invitation-room", "this invitation is to another room"));
    }
    if claims.until <= ice::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() {
        return Err(Refusal::new(Rule::InvitationExpired, "the invitation has ended").into());
    }
    Ok(claims)
}

/// When that is, in seconds since 1970: a time (RFC 3339, with any offset), or a duration from `now` on.
fn end(text: &str, now: SystemTime) -> Option<u64> {
    let whole = |time: SystemTime| Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs());
    if let Ok(duration) = humantime::parse_duration(text) {
        return whole(now.checked_add(duration)?);
    }
    let text = text.to_ascii_uppercase();
    if let Ok(time) = humantime::parse_rfc3339(&text) {
        return whole(time);
    }
    // `+02:00`, which is later than the same hour in Greenwich by that much.
    let (local, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok())?;
    let (hours, minutes) = (number(hours).filter(|hours| *hours < 24)?, number(minutes).filter(|one| *one < 60)?);
    let offset = (hours * 60 + minutes) * 60;
    let local = whole(humantime::parse_rfc3339(&format!("{local}Z")).ok()?)?;
    match text.as_bytes()[text.len() - 6] {
        b'+' => local.checked_sub(offset),
        b'-' => local.checked_add(offset),
        _ => None,
    }
}

fn time(seconds: u64) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds)).to_string()
}

fn escaped(room: &str) -> impl std::fmt::Display {
    utf8_percent_encode(room, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_time_with_any_offset_or_how_long_it_lasts() {
        let now = UNIX_EPOCH + Duration::from_secs(1_790_000_000);
        for (text, expected) in [
            ("2h", Some(1_790_007_200)),
            ("1day 30m", Some(1_790_088_200)),
            ("2026-09-21T14:13:21Z", Some(1_790_000_001)),
            ("2026-09-21t14:13:21.5z", Some(1_790_000_001)),
            ("2026-09-21T16:13:21+02:00", Some(1_790_000_001)),
            ("2026-09-21T09:43:21-04:30", Some(1_790_000_001)),
            ("2026-09-21T14:13:21", None),
            ("2026-09-21T16:13:21+99:00", None),
            ("2026-09-21T16:13:21+-2:00", None),
            ("2026-13-21T14:13:21Z", None),
            ("tomorrow", None),
            ("é+02:00", None),
            ("+2:00", None),
            ("-2h", None),
            ("99999999999999999999y", None),
            ("", None),
        ] {
            assert_eq!(end(text, now), expected, "{text}");
        }
    }
}
