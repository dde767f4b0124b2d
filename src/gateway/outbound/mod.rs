//! Calls of ours, up to their answer; from then on they are calls like any other.
//!
//! ```text
//! Verb::Dial ─ rules, limits ─▶ media ports ─▶ INVITE to a target ─▶ rings ─▶ answered
//!                                 ▲                   │ silent for 4 s, 503, …
//!                                 └── next target ◀───┘
//! ```
//!
//! | file | what happens there |
//! |---|---|
//! | `dial.rs` | whether the call may be placed; its state |
//! | `targets.rs` | where a trunk is reached, and which target is next |
//! | `invite.rs` | the INVITE, and who we say we are in it |
//! | `progress.rs` | ringing, sound before the answer, the answer |
//! | `verdict.rs` | what a failure means: the next target, a redirection, the end |
//! | `failing.rs` | what comes of that; silence and time-outs |
//! | `telling.rs` | what the administrator who asked hears |
//! | `users.rs` | a user, who may be registered at several places |
//! | `digits.rs` | digits sent down a call |

mod dial;
mod digits;
mod failing;
mod invite;
mod progress;
mod targets;
mod telling;
mod users;
mod verdict;

pub(super) use dial::{DialRequest, DialResult};
