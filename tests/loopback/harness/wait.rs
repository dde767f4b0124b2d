//! Waiting for things, each with a limit.

use std::time::{Duration, Instant};

/// How often a thing that gives no sign of itself is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Limits are so many times as long as they are said to be: for a machine that has a lot else to do.
const BUSY: u32 = 4;

/// Looks until `thing` is there; panics with `what` when `limit` is over.
pub fn until<T>(what: &str, limit: Duration, mut thing: impl FnMut() -> Option<T>) -> T {
    let limit = limit * BUSY;
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = thing() {
            return found;
        }
        assert!(Instant::now() < end, "waited {limit:?} in vain: {what}");
        std::thread::sleep(LOOK);
    }
}

/// Looks until `fact` holds, now and after each `pause`.
pub fn until_true_each(pause: Duration, what: &str, limit: Duration, mut fact: impl FnMut() -> bool) {
    let limit = limit * BUSY;
    let end = Instant::now() + limit;
    while !fact() {
        assert!(Instant::now() < end, "waited {limit:?} in vain: {what}");
        std::thread::sleep(pause);
    }
}

/// Looks until `fact` holds.
pub fn until_true(what: &str, limit: Duration, mut fact: impl FnMut() -> bool) {
    until(what, limit, || fact().then_some(()));
}

/// Lets time pass that is part of what is done, as while a key is held down.
pub fn pass(time: Duration) {
    std::thread::sleep(time);
}

/// A length of time in seconds.
pub const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
