//! Every timer of the gateway by name.

use super::{Gateway, Level, SessionId};
use crate::session::{self, TimerHandle};
use crate::types::{CallId, Now};
use std::time::Duration;

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Timer {
    /// The first packet of an answered caller: the prompt starts without it after [`FIRST_PACKET`].
    FirstPacket(CallId),
    /// The first packet of an answered call: that there is none is told.
    NoSound(CallId),
    /// The first response of a target that we call: the next one is tried after [`SILENCE`].
    Silence(CallId),
    /// The callee has not answered in time.
    NoAnswer(CallId),
    /// A call of ours has lasted as long as it may.
    Longest(CallId),
    /// The next digit to be sent by INFO.
    InfoDigit(CallId),
    /// Its place was taken, and the one who wanted that has not hung up.
    Transferred(CallId),
    /// The outcome of our REFER.
    Referral(CallId),
    /// The end of a digit collection.
    Collect(CallId),
    /// The media plane's last word on a leg: the record is written without it after [`LEG_REMOVAL`].
    LegRemoval(CallId),
    /// The last word to a call that is sent away.
    Dismissal(CallId),
    /// The address of the host of its media.
    MediaHost(CallId),
    /// The next sentence of a text that a session plays, or room for it.
    StreamedText(u64),
    /// A timer of a session.
    Session(SessionId, TimerHandle),
    /// A scenario without calls has been left alone for long enough.
    Idle(SessionId),
    /// The next rooms in which those who disturb are looked for.
    Measure,
    /// A drain that has waited long enough.
    Drain,
    /// A peer that does not answer our last BYE: we leave without after [`GOODBYE`].
    Goodbye,
}

/// Longest wait for an answered caller's first packet.
pub(super) const FIRST_PACKET: Duration = Duration::from_millis(500);
/// Longest wait for a target's first response to our INVITE, while there is another target.
pub(super) const SILENCE: Duration = Duration::from_secs(4);
/// Longest wait for the answer to our last BYE.
pub(super) const GOODBYE: Duration = Duration::from_secs(2);
/// Longest wait for a leg's statistics.
pub(super) const LEG_REMOVAL: Duration = Duration::from_secs(2);

impl Gateway {
    pub(super) fn on_timer(&mut self, now: Now, timer: Timer) {
        match timer {
            Timer::FirstPacket(call) => self.caller_hears_us(call),
            Timer::NoSound(call) => self.on_no_sound(now, call),
            Timer::Silence(call) => self.on_silence(now, call),
            Timer::NoAnswer(call) => self.on_no_answer(now, call),
            Timer::Longest(call) => self.on_longest(now, call),
            Timer::InfoDigit(call) => self.send_info_digit(now, call),
            Timer::Transferred(call) => self.on_transferred(now, call),
            Timer::Referral(call) => self.on_referral_overdue(call),
            Timer::Dismissal(call) => self.on_dismissed(now, call),
            Timer::Collect(call) => self.collect_timeout(now, call),
            Timer::MediaHost(call) => self.on_media_host_overdue(now, call),
            Timer::StreamedText(id) => self.on_streamed_timer(now, id),
            Timer::LegRemoval(call) => {
                self.log(Level::Warn, Some(call), "no statistics", "the media plane did not answer".into());
                self.finish(now, call, None);
            }
            Timer::Session(id, timer) => {
                if let Some(session) = self.sessions.get_mut(&id) {
                    session.timers.retain(|known| *known != timer);
                    self.emit(id, session::Event::Timer { timer });
                }
            }
            Timer::Idle(session) => self.on_idle_session(now, session),
            Timer::Measure => self.on_measure(now),
            Timer::Drain => self.hang_up_all(now),
            // `run_until_idle` does the rest.
            Timer::Goodbye => {}
        }
    }
}
