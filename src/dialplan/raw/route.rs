//! `[[routes]]`, as written.

use super::read::table;
use super::{RawDuration, Strings};

table! {
    /// `[[routes]]`.
    RawRoute, "a route", later ["dial", "record"],
    {
        /// What log and call record call it. Required.
        name: String = r#""InboundFromPSTN""#,
        /// Where the call comes from: a trunk, `"users"`, `"sessions"` (calls that sessions make), or a list. Required.
        from: Strings = r#""carrier""#,
        /// The called number: a regular expression for all of it, in single quotes. Routes see international numbers as
        /// `+442079460100`, without separators. Required.
        number: String = r#"'\+4420794601\d\d'"#,
        /// Leads to this IVR.
        ivr: String = r#""conference""#,
        /// Leads straight into this room; `{number}` in its name is the called number.
        room: String = r#""standup""#,
        /// Leads to this user, wherever the user is registered; `{number}` in the name is the called number. 404 where
        /// there is no such user, 480 where the user is not registered. `"direct"`, with `from = "users"`: to the user
        /// whose name is the called number, and the media goes from one to the other, not through the gateway.
        to_user: String = r#""alice""#,
        /// Leads to this scenario, the file `scenarios/NAME.js` beside the dialplan. With `from = "sessions"`: the
        /// number is the name of a conference, and the first call to it starts a session that takes all others.
        scenario: String = r#""VideoConference""#,
        /// Takes, of its numbers, only those that name a room of this file with `invited_call`, whose name stands where
        /// `{room}` is: nobody opens another conference. Default: all its numbers.
        for_room: String = r#""conf_{room}""#,
        /// A text that the scenario is handed, at most 4096 characters; with `scenario`. Default empty.
        custom_data: String = r#""room=standup""#,
        /// Calls out by this trunk; with `from = "sessions"`.
        trunk: String = r#""carrier""#,
        /// Calls out by the first of these trunks that can; with `from = "sessions"`.
        trunks: Strings = r#"["carrier", "second"]"#,
        /// Refuses the call with this SIP status, 400 to 699.
        reject: i64 = "404",
        /// Whether numbers that cost extra are called; with a trunk. Default `false`.
        premium: bool = "true",
        /// How long it may ring, all targets together, 5s to 5m; with a trunk. Default `"60s"`.
        ring_timeout: RawDuration = r#""60s""#,
        /// How long a call may last from its answer, 10s to 24h; with a trunk. Default `"4h"`.
        max_duration: RawDuration = r#""4h""#,
        /// Whether the callee must press 1 before being heard; with a trunk. Default: yes for a call into a room, no
        /// for one that is joined with a single caller.
        confirm: bool = "true",
        /// Language that its callers are spoken to in; with `ivr`, `room` or `scenario`. Default: that of the ivr, else
        /// of the gateway.
        language: String = r#""fr-FR""#,
        /// How long it rings before it is answered, 0s to 60s. Default `"0s"`.
        answer_after: RawDuration = r#""3s""#,
    }
}
