//! Two endpoints on a virtual clock and a bad network, and one endpoint against hand-made messages.

mod calls;
mod clear;
mod digest;
mod ending;
mod hostile;
mod large;
mod load;
mod modify;
mod odd_responses;
mod pair;
mod provisional;
mod raw;
mod refusals;
mod registration;
mod timers;
mod uac;

pub(super) use pair::{Pair, Side};
pub(super) use raw::{Open, Raw};

use std::time::{Duration, SystemTime};

use super::Body;
use crate::types::Now;

pub(super) fn start() -> Now {
    Now { instant: crate::test_clock(), wall: SystemTime::UNIX_EPOCH }
}

pub(super) fn sdp(name: &str) -> Body {
    Body::sdp(format!("v=0\r\ns={name}\r\n"))
}

pub(super) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
