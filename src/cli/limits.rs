//! The process's file-descriptor limit.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::io;

/// Descriptors a gateway needs beside those of its calls.
const BASE: u64 = 256;
/// Descriptors of one call: RTP and RTCP; one more for a TCP connection of its own.
const PER_CALL: u64 = 3;
/// Descriptors of connections for ICE that have not said yet which call they are for.
const ICE_TCP: u64 = 512;
/// Descriptors that a call by ICE-TCP takes beside: its connection and the socket that the leg sees have two, and it
/// has no RTCP port.
const PER_ICE_TCP_CALL: u64 = 1;
/// Descriptors kept for administrators, who must get in when all others are taken.
const RESERVE: u64 = 4;

/// Raises the soft limit to the hard one, but for the reserve, and says so when even that is too little for `calls`, of
/// which all may come by ICE-TCP where `ice_tcp` says so.
pub(super) fn raise_descriptors(calls: u32, ice_tcp: bool) {
    let (base, per_call) = if ice_tcp { (BASE + ICE_TCP, PER_CALL + PER_ICE_TCP_CALL) } else { (BASE, PER_CALL) };
    let needed = base + per_call * u64::from(calls);
    let (soft, hard) = match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok(limits) => limits,
        Err(error) => return tracing::warn!(%error, "file-descriptor limit cannot be read"),
    };
    let most = hard.saturating_sub(RESERVE);
    let limit = if soft != most {
        match setrlimit(Resource::RLIMIT_NOFILE, most, hard) {
            Ok(()) => most,
            Err(error) => {
                tracing::warn!(%error, "file-descriptor limit cannot be set");
                soft
            }
        }
    } else {
        soft
    };
    if limit < needed {
        let calls = limit.saturating_sub(base) / per_call;
        tracing::warn!(
            limit,
            needed,
            "file descriptors suffice for {calls} calls only: raise the limit (ulimit -n, LimitNOFILE=) or lower gateway.max_calls"
        );
    } else {
        tracing::info!(limit, "file-descriptor limit");
    }
}

/// Until it is dropped, descriptors of the reserve may be opened.
pub(super) struct LiftedReserve(u64, u64);

/// Lifts the limit of [`raise_descriptors`] for the moment of one `accept`. What is opened then stays open; when it is
/// closed, the reserve is whole again.
///
/// # Errors
/// When the system does not let us.
pub(super) fn lift_reserve() -> io::Result<LiftedReserve> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    Ok(LiftedReserve(soft, hard))
}

impl Drop for LiftedReserve {
    fn drop(&mut self) {
        if let Err(error) = setrlimit(Resource::RLIMIT_NOFILE, self.0, self.1) {
            tracing::debug!(%error, "file-descriptor limit");
        }
    }
}
