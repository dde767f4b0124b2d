//! What happens, for programs that follow the gateway. Numbers are masked as in the log.

use super::call_record::Way;
use super::cause::Cause;
use crate::types::{CallId, Disturbance};
use serde::Serialize;
use std::time::SystemTime;

/// Something that happened. Each call that starts ends, and has left all its rooms by then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// A call started: an INVITE that a route matches, or a call out.
    CallStarted {
        /// The call.
        #[serde(serialize_with = "name")]
        call: CallId,
        /// Which way it goes.
        way: Way,
        /// The trunk it comes or goes by; empty for a call of a user.
        trunk: String,
        /// The user who calls or is called; empty for a call by a trunk.
        #[serde(skip_serializing_if = "String::is_empty")]
        user: String,
        /// The caller's number, masked; empty when withheld.
        from: String,
        /// The called number, masked.
        number: String,
        /// The route it takes.
        route: String,
    },
    /// An INVITE was refused before it became a call. Under a flood only those that are also logged are events.
    CallRefused {
        /// As in its record.
        #[serde(serialize_with = "name")]
        call: CallId,
        /// The trunk it came by; empty for a call of a user.
        trunk: String,
        /// The user who called; empty for a call by a trunk.
        #[serde(skip_serializing_if = "String::is_empty")]
        user: String,
        /// The caller's number, masked.
        from: String,
        /// The called number, masked.
        number: String,
        /// The status it was refused with.
        status: u16,
        /// The rule that refused it.
        why: String,
    },
    /// A call was answered.
    CallAnswered {
        /// The call.
        #[serde(serialize_with = "name")]
        call: CallId,
    },
    /// A call joined a room.
    RoomJoined {
        /// The call.
        #[serde(serialize_with = "name")]
        call: CallId,
        /// The room's name; `room-N` for one made on demand, whose name may be a telephone number.
        room: String,
        /// Calls in it now.
        members: usize,
    },
    /// A call left a room, as it also does when it ends.
    RoomLeft {
        /// The call.
        #[serde(serialize_with = "name")]
        call: CallId,
        /// As in [`Event::RoomJoined`].
        room: String,
        /// Calls in it now.
        members: usize,
    },
    /// A call disturbs the others in a room: it sends back what it hears, a steady noise, or music.
    DisturbanceBegan {
        /// The call.
        #[serde(serialize_with = "name")]
        call: CallId,
        /// As in [`Event::RoomJoined`].
        room: String,
        /// How.
        disturbance: Disturbance,
    },
    /// It does so no more, or has left the room.
    DisturbanceEnded {
        /// The call.
        #[serde(serialize_with = "name")]
        call: CallId,
        /// As in [`Event::RoomJoined`].
        room: String,
        /// How it did.
        disturbance: Disturbance,
    },
    /// Somebody else speaks in a room than did, or nobody has for a while: a second and a half. Whoever coughs or says a
    /// word between does not.
    SpeakerChanged {
        /// As in [`Event::RoomJoined`].
        room: String,
        /// The call that speaks; none for nobody.
        #[serde(serialize_with = "name_if_any")]
        call: Option<CallId>,
    },
    /// A call's other end sent a text. What it says is told to nobody but those it is for.
    MessageReceived {
        /// The call.
        #[serde(serialize_with = "name")]
        call: CallId,
        /// Its length.
        octets: usize,
    },
    /// A call ended.
    CallEnded {
        /// The call.
        #[serde(serialize_with = "name")]
        call: CallId,
        /// Why, as in its record.
        #[serde(flatten)]
        cause: Cause,
        /// The final status of its INVITE, if there was one.
        status: Option<u16>,
        /// Milliseconds from answer to end; 0 without an answer.
        talk_ms: u64,
    },
    /// A trunk answers OPTIONS.
    TrunkUp {
        /// The trunk.
        trunk: String,
    },
    /// A trunk does not answer OPTIONS, or says that it cannot work.
    TrunkDown {
        /// The trunk.
        trunk: String,
        /// What it answered, if it did.
        why: String,
    },
    /// The gateway is registered at a trunk, and was not before. Refreshes are no events.
    Registered {
        /// The trunk.
        trunk: String,
        /// How long the registration holds without a refresh, seconds.
        expires: u64,
    },
    /// A registration, or its refresh, failed.
    RegistrationFailed {
        /// The trunk.
        trunk: String,
        /// The registrar's answer; 408 for none.
        status: u16,
        /// What that means, in words.
        why: String,
    },
    /// The connection that a registration was made over ended, and the registration with it; it is made again.
    RegistrationLost {
        /// The trunk.
        trunk: String,
    },
    /// A user was made.
    UserAdded {
        /// The user.
        user: String,
    },
    /// A user who was made was changed.
    UserChanged {
        /// The user.
        user: String,
    },
    /// A user who was made is no more: removed, or temporary.
    UserRemoved {
        /// The user.
        user: String,
    },
    /// A user registered at a place that was not known.
    UserRegistered {
        /// The user.
        user: String,
        /// At how many places the user is registered now.
        bindings: usize,
    },
    /// A user is registered nowhere any more.
    UserUnregistered {
        /// The user.
        user: String,
    },
    /// New calls are refused from now on.
    Draining {
        /// Calls in progress.
        calls: usize,
    },
    /// The dialplan was reloaded.
    Reloaded {
        /// How many routes it has.
        routes: usize,
        /// Settings of `[gateway]` that have changed and need a restart.
        restart_needed: Vec<&'static str>,
    },
    /// A reload was refused, since the dialplan has mistakes; the old one stands. (Comes from the shell, which reads
    /// it.)
    ReloadRefused {
        /// How many.
        mistakes: usize,
    },
}

/// An event and its time.
#[derive(Debug, Serialize)]
pub struct TimedEvent {
    /// When it happened.
    #[serde(serialize_with = "rfc3339")]
    pub at: SystemTime,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

fn rfc3339<S: serde::Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_rfc3339_millis(*time))
}

fn name<S: serde::Serializer>(call: &CallId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(call)
}

#[expect(clippy::ref_option, reason = "serde hands a reference in")]
fn name_if_any<S: serde::Serializer>(call: &Option<CallId>, serializer: S) -> Result<S::Ok, S::Error> {
    match call {
        Some(call) => serializer.collect_str(call),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_names_its_call_and_cause_as_the_record_does_and_masks_the_number() {
        let cause = Cause::Transferred("+442079460123".into()).masked();
        let ended = Event::CallEnded { call: CallId(7), cause, status: Some(200), talk_ms: 4_000 };
        let expected = serde_json::json!({
            "event": "call_ended", "call": "call-7", "cause": "transferred", "cause_detail": "+442…23",
            "status": 200, "talk_ms": 4_000,
        });
        assert_eq!(serde_json::to_value(&ended).unwrap(), expected);
    }
}
