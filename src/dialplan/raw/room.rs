//! `[rooms.*]`, as written.

use super::read::table;
use super::{RawPin, Strings};

table! {
    /// `[rooms.*]`.
    RawRoom, "a room", later ["record", "moderated", "locked"],
    {
        /// Opens it to callers of an IVR that asks for PINs: 4 to 16 digits, in quotes. Default: none, it is reached by
        /// routes alone.
        pin: RawPin = r#""482917""#,
        /// Opens it as `pin` does. It is meant for hosts, who cannot do more than others yet. Default: none.
        host_pin: RawPin = r#""775310""#,
        /// What members hear when others come and go: `tone` or `none`. Default `"tone"`.
        announce: String = r#""tone""#,
        /// What somebody who is alone in it hears: `tone` (every 20 s), `music` or `silence`. Default `"tone"`.
        alone: String = r#""music""#,
        /// What is heard with `alone = "music"`, over and over: a sound file or a URL. Default: `music` of the gateway.
        music: String = r#""lobby.mp3""#,
        /// Calls in it at one time, 1 to 10000. Default: no limit.
        max_members: i64 = "50",
        /// Whoever disturbs the others by `echo`, `noise` (a fan, a hum) or `music` (a tune of a telephone that put the
        /// conference on hold) is muted until it is over, or somebody lets the call be heard again. Default: none of
        /// them; they are named all the same.
        mute: Strings = r#"["echo", "music"]"#,
        /// Whether all in it are heard equally loud, as with `automatic_gain` of a trunk. Default `false`.
        automatic_gain: bool = "true",
        /// Whether the noise behind all in it is made quieter, as with `noise_suppression` of a trunk. Default `false`.
        noise_suppression: bool = "true",
        /// What those who were invited call in its stead: a number that a route from `users` leads to a scenario, which
        /// finds the room's name in `X-Conference-Id`. Default: the room itself.
        invited_call: String = r#""joinconf""#,
        /// The number that hosts read out to whoever comes by telephone, as people write it. Default: that of the
        /// gateway.
        access_number: String = r#""+44 20 7946 0100""#,
    }
}
