//! What clients behind firewalls need.

use crate::http::access::Caller;
use crate::http::app::App;
use crate::http::ice::{self, IceServer};
use axum::extract::State;

/// STUN and TURN servers for a client, as `new RTCPeerConnection({ iceServers })` takes them. Their passwords end by
/// themselves: ask anew for each call.
#[utoipa::path(get, path = "/api/v1/ice-servers", tag = "gateway", responses((status = 200, body = Vec<IceServer>)))]
pub(super) async fn servers(State(app): State<App>, caller: Caller) -> axum::Json<Vec<IceServer>> {
    axum::Json(ice::servers(&app.plan(), &caller.name, ice::now()))
}
