//! WHIP and WHEP: into a room's sound, and out of it, by one request (RFC 9725).
//!
//! `POST /whip/ROOM` with an offer of WebRTC and a bearer token answers with 201, an answer, and where to hang up by
//! DELETE; `/whep/ROOM` does the same for whoever only listens. Candidates may all stand in the offer, or come with
//! checks. `Link` names the servers that help clients through firewalls (section 4.6).

use super::access::Caller;
use super::app::App;
use super::client::{Client, Peer};
use super::ice::{self, IceServer};
use super::pages::{SDP, for_pages, may_ask};
use super::problem::Problem;
use crate::dialplan::ApiRole;
use crate::gateway::{Guest, Refusal, Reply, Request as Ask, Rule};
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, delete, post};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

pub(super) fn routes(app: &App) -> Router<App> {
    Router::new()
        .route("/whip/{room}", post(talk).options(may_ask))
        .route("/whip/{room}/{call}", delete(leave).options(may_ask))
        .route("/whep/{room}", post(listen).options(may_ask))
        .route("/whep/{room}/{call}", delete(leave).options(may_ask))
        .layer(axum::middleware::from_fn_with_state(app.clone(), for_pages))
}

async fn talk(
    app: State<App>,
    caller: Caller,
    peer: Extension<Peer>,
    client: Extension<Client>,
    room: Path<String>,
    headers: HeaderMap,
    offer: String,
) -> Result<Response, Problem> {
    join(app, caller, (peer, client), ("whip", room), headers, offer).await
}

async fn listen(
    app: State<App>,
    caller: Caller,
    peer: Extension<Peer>,
    client: Extension<Client>,
    room: Path<String>,
    headers: HeaderMap,
    offer: String,
) -> Result<Response, Problem> {
    // What is not to be sent cannot be heard.
    let sends = offer.lines().map(str::trim).any(|line| line == "a=sendrecv" || line == "a=sendonly");
    if sends {
        return Err(Problem::from(Refusal::new(Rule::Invalid, "the offer is not only to receive: a=recvonly")));
    }
    join(app, caller, (peer, client), ("whep", room), headers, offer).await
}

async fn join(
    State(app): State<App>,
    caller: Caller,
    (Extension(peer), Extension(client)): (Extension<Peer>, Extension<Client>),
    (kind, Path(room)): (&'static str, Path<String>),
    headers: HeaderMap,
    offer: String,
) -> Result<Response, Problem> {
    caller.must_be(ApiRole::Operator)?;
    caller.must_have_room(&room)?;
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(SDP) {
        let detail = format!("the body is of type {SDP}");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "no-sdp", detail));
    }
    let servers = ice::servers(&app.plan(), &caller.name, ice::now());
    let guest = Guest { name: caller.name, offer, from: client.address, at: peer.local, secure: client.secure };
    let Reply::Joined { call, answer } = app.ask(Ask::Join { room: room.clone(), guest }).await? else {
        return Err(Problem::unavailable("no-answer", "there is no answer yet"));
    };
    let place = format!("/{kind}/{}/{call}", utf8_percent_encode(&room, NON_ALPHANUMERIC));
    let place = HeaderValue::from_str(&place).map_err(|_| Problem::bad_request("the room's name"))?;
    let mut headers =
        HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(SDP)), (header::LOCATION, place)]);
    // What stands in the dialplan can be a header, or is left out.
    for link in servers.iter().flat_map(IceServer::links).filter_map(|link| HeaderValue::try_from(link).ok()) {
        headers.append(header::LINK, link);
    }
    Ok((StatusCode::CREATED, headers, answer).into_response())
}

async fn leave(
    State(app): State<App>,
    caller: Caller,
    Path((room, call)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    caller.must_be(ApiRole::Operator)?;
    caller.must_have_room(&room)?;
    app.must_see(&caller, &call).await?;
    let calls = app.status().await?.calls;
    if !calls.iter().any(|known| known.call == call && known.rooms.contains(&room)) {
        return Err(Refusal::new(Rule::NoSuchCall, format!("there is no call {call:?} in this room")).into());
    }
    app.ask(Ask::Kick { call }).await.map(|_| StatusCode::OK)
}
