//! The gateway itself.

use super::extract::Json;
use crate::dialplan::ApiRole;
use crate::gateway::{Request, TrunkStatus};
use crate::http::access::Caller;
use crate::http::app::App;
use crate::http::problem::Problem;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the gateway does.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GatewayStatus {
    /// New calls are refused.
    draining: bool,
    /// Calls in progress.
    calls: usize,
    /// Rooms with somebody in them.
    rooms: usize,
    /// In the order of the dialplan.
    trunks: Vec<Trunk>,
    /// Requests from addresses no trunk allows, dropped since the start.
    unknown_sources: u64,
    /// Calls refused since the start because they came faster than they could be answered.
    late_calls_refused: u64,
    /// Ticks of 20 ms of a media thread that came too late and were skipped, since the start: for as long its callers
    /// heard nothing.
    media_ticks_skipped: u64,
    /// Times 20 ms of a call's sound, since the start, in which its noise was to be suppressed and was not, since that
    /// was done for too many others on its media thread.
    media_frames_not_suppressed: u64,
    /// PIN checks are slowed down because of too many wrong PINs.
    pins_slowed: bool,
    /// Call records that wait to be written.
    records_waiting: u64,
    /// Call records lost since the start, because too many waited.
    records_lost: u64,
}

/// A trunk.
#[derive(Debug, Serialize, ToSchema)]
struct Trunk {
    /// Its name.
    #[schema(example = "carrier")]
    trunk: String,
    /// `static`, `trying`, `registered`, `failed 403`.
    state: String,
    /// `up` or `down` by its answers to our OPTIONS, `-` where nothing is known.
    presence: String,
    /// What is wrong, in words; empty when all is well.
    trouble: String,
    /// Calls by it.
    calls: usize,
}

impl From<TrunkStatus> for Trunk {
    fn from(TrunkStatus { trunk, state, presence, trouble, calls, .. }: TrunkStatus) -> Self {
        Self { trunk, state, presence, trouble, calls }
    }
}

/// How the gateway does. For tokens that are good for all rooms.
#[utoipa::path(get, path = "/api/v1/status", tag = "gateway", responses((status = 200, body = GatewayStatus)))]
pub(super) async fn status(State(app): State<App>, caller: Caller) -> Result<axum::Json<GatewayStatus>, Problem> {
    caller.must_have_all_rooms()?;
    let status = app.status().await?;
    Ok(axum::Json(GatewayStatus {
        draining: status.draining,
        calls: status.calls.len(),
        rooms: status.rooms.len(),
        trunks: status.trunks.into_iter().map(Trunk::from).collect(),
        unknown_sources: status.unknown_sources,
        late_calls_refused: status.late_calls_refused,
        media_ticks_skipped: status.media_ticks_skipped,
        media_frames_not_suppressed: status.media_frames_not_suppressed,
        pins_slowed: status.pins_slowed,
        records_waiting: status.backlog.records_waiting,
        records_lost: status.backlog.records_lost,
    }))
}

/// How long calls in progress may go on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Drain {
    /// Seconds after which they are hung up; 60 by default.
    #[serde(default)]
    #[schema(maximum = 86400)]
    seconds: Option<u64>,
}

/// Takes no new calls, and ends the gateway when the last one is over. Role: admin.
#[utoipa::path(
    post, path = "/api/v1/drain", tag = "gateway", request_body = Drain,
    responses((status = 202, description = "It drains"))
)]
pub(super) async fn drain(
    State(app): State<App>,
    caller: Caller,
    Json(drain): Json<Drain>,
) -> Result<StatusCode, Problem> {
    caller.must_be(ApiRole::Admin)?;
    app.order(Request::Drain { seconds: drain.seconds }).await?;
    Ok(StatusCode::ACCEPTED)
}
