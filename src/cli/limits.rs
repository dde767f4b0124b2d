//! The process's file-descriptor limit.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Descriptors a gateway needs beside those of its calls.
const BASE: u64 = 256;
/// Descriptors of one call: RTP and RTCP; one more for a TCP connection of its own.
const PER_CALL: u64 = 3;

/// Raises the soft limit to the hard one, and says so when even that is too little for `calls`.
pub(super) fn raise_descriptors(calls: u32) {
    let needed = BASE + PER_CALL * u64::from(calls);
    let (soft, hard) = match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok(limits) => limits,
        Err(error) => return tracing::warn!(%error, "file-descriptor limit cannot be read"),
    };
    let limit = if soft < hard {
        match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
            Ok(()) => hard,
            Err(error) => {
                tracing::warn!(%error, "file-descriptor limit cannot be raised");
                soft
            }
        }
    } else {
        soft
    };
    if limit < needed {
        let calls = limit.saturating_sub(BASE) / PER_CALL;
        tracing::warn!(
            limit,
            needed,
            "file descriptors suffice for {calls} calls only: raise the limit (ulimit -n, LimitNOFILE=) or lower gateway.max_calls"
        );
    } else {
        tracing::info!(limit, "file-descriptor limit");
    }
}
