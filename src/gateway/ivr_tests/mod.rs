//! What callers of an IVR meet, with the whole gateway and no media plane.

mod alone;
mod attack;
mod desk;
mod explained;
mod keyed;

use std::time::Duration;

const CARRIER: [u8; 4] = [198, 51, 100, 7];

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A dialplan with one trunk and number 1000 for an IVR: its own lines, and more tables.
fn dialplan(ivr: &str, more: &str) -> String {
    format!(
        "[trunks.carrier]\nallow = \"198.51.100.7\"\n[rooms.red]\npin = \"482917\"\n[ivr.conference]\n{ivr}\n\
         [[routes]]\nname = \"Conference\"\nfrom = \"carrier\"\nnumber = \"1000\"\nivr = \"conference\"\n{more}"
    )
}
