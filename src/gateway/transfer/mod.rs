//! Calls that take another's place, and calls that are sent away.
//!
//! ```text
//! REFER of the peer ─ permission, rules ─▶ a call of ours ─▶ answered ─┐
//! INVITE with Replaces ─ permission ─────▶ answered by us ─────────────┴▶ takes the place of the old one, which ends
//! ctl transfer ─▶ REFER of ours ─▶ NOTIFY 200 ─▶ BYE
//! ```
//!
//! A session does not notice: its handle means the new call from then on. Until then that has none, and is the
//! gateway's own affair.
//!
//! | file | what happens there |
//! |---|---|
//! | `referred.rs` | the peer's REFER |
//! | `replacing.rs` | INVITE with Replaces |
//! | `pending.rs` | which calls are being transferred, and how far each is |
//! | `place.rs` | what a call hears and where it is heard, moved to another |
//! | `referring.rs` | our REFER |

mod pending;
mod place;
mod referred;
mod referring;
mod replacing;

use super::cause::Cause;
use super::timer::Timer;
use super::{Gateway, Level, SessionId};
use crate::session;
use crate::sip::message::StatusCode;
use crate::types::{CallId, Now, UnitId};
use pending::Succession;
pub(super) use pending::Transfers;
pub(super) use replacing::Replaced;
use std::time::Duration;

/// The session of calls that have none any more.
const NOWHERE: SessionId = SessionId(0);
/// How long the one who referred has to hang up by itself, so that our BYE does not overtake the last NOTIFY.
const GRACE: Duration = Duration::from_secs(2);

impl Gateway {
    /// Something happened to a call that is to take another's place.
    pub(super) fn on_successor(&mut self, now: Now, id: CallId, event: session::Event) {
        match event {
            session::Event::Incoming { .. } => {
                if let Err(error) = self.answer(now, id) {
                    self.hang_up(now, id, Cause::Session(error.to_string()));
                }
            }
            session::Event::Ringing { .. } => self.tell_referrer(now, id, StatusCode::RINGING),
            session::Event::Answered { .. } => self.take_over(now, id),
            // Of the one who had the place and is gone: its PIN waited for its turn, its keys for more.
            session::Event::PinChecked { .. } | session::Event::Collected { .. } => {
                self.transfers.keep_untold(id, event);
            }
            _ => {}
        }
    }

    fn tell_referrer(&mut self, now: Now, id: CallId, status: StatusCode) {
        if let Some(invite) = self.transfers.referrer(id) {
            let told = self.endpoint.notify_refer(now, invite, status);
            self.note("news of a referral", told);
        }
    }

    /// The call is answered: it takes the place.
    fn take_over(&mut self, now: Now, id: CallId) {
        self.tell_referrer(now, id, StatusCode::OK);
        let Some(Succession { of, tells, place, untold }) = self.transfers.take(id) else { return };
        let is_left = place.is_some();
        let place = place.unwrap_or_else(|| {
            let place = self.vacate(of);
            self.hand_over(of, id);
            place
        });
        self.log(Level::Info, Some(id), "takes a call's place", of.to_string());
        if let Some(full) = self.occupy(now, id, place) {
            return self.hang_up(now, id, Cause::Limit(format!("max_members of room {full} is reached")));
        }
        if let Some(session) = self.calls.get(&id).map(|call| call.session) {
            for event in untold {
                self.effects.emit_of(id, session, event);
            }
        }
        if is_left {
            return;
        }
        if tells.is_some() {
            self.effects.timers.set(Timer::Transferred(of), now.instant + GRACE);
        }
        self.transfers.replace(of, id);
        if tells.is_none() {
            self.on_transferred(now, of);
        }
    }

    /// A call whose place was taken has had time to hang up.
    pub(super) fn on_transferred(&mut self, now: Now, id: CallId) {
        let successor = self.transfers.replaced_by(id);
        self.hang_up(now, id, Cause::Replaced(successor.map_or_else(String::new, |call| call.to_string())));
    }

    /// The session goes on with another call under the old one's name: with its keys, its PIN that waits to be looked
    /// up, and what it hears. If it was not told yet that the old one is answered, it is told of the new one.
    fn hand_over(&mut self, old: CallId, new: CallId) {
        let Some(call) = self.calls.get_mut(&old) else { return };
        let id = std::mem::replace(&mut call.session, NOWHERE);
        let collector = std::mem::take(&mut call.collector);
        let playback = call.playback.take();
        let untold = call.phase.is_answering();
        self.effects.timers.clear(Timer::Collect(old));
        if let Some(session) = self.sessions.get_mut(&id) {
            session.calls.replace(old, new);
        }
        if let Some(call) = self.calls.get_mut(&new) {
            call.collector = collector;
            call.playback = playback;
        }
        self.joins.flat.rename(UnitId::Leg(old), UnitId::Leg(new));
        self.pins.rename(old, new);
        if let Some((_, player)) = playback {
            self.move_player(player, old, new);
        }
        let handle = self.sessions.get(&id).and_then(|session| session.calls.of(new));
        if let Some(call) = handle.filter(|_| untold) {
            let event = session::Event::Answered { call };
            if self.transfers.is_pending(new) {
                self.transfers.keep_untold(new, event);
            } else {
                self.effects.emit_of(new, id, event);
            }
        }
        self.after_collector(new);
    }

    /// A call ends that may have something to do with a transfer. Says whether its session is to hear nothing of it.
    pub(super) fn end_of_transfer(&mut self, now: Now, id: CallId, cause: &Cause) -> bool {
        self.referral_over(id, cause);
        if let Some(new) = self.transfers.successor_of(id) {
            if matches!(cause, Cause::CallerHungUp | Cause::CalledHungUp) {
                // The one who referred does not wait for the outcome: its place is kept for the new call.
                let place = self.vacate(id);
                self.hand_over(id, new);
                self.transfers.keep_place(new, place);
            } else {
                self.hang_up(now, new, Cause::Session("transfer-given-up".into()));
            }
        }
        let status = failure(cause, self.calls.get(&id).and_then(|call| call.status));
        self.tell_referrer(now, id, status);
        self.transfers.forget(id);
        let Some(succession) = self.transfers.take(id) else { return false };
        let Some(session) = self.calls.get(&id).map(|call| call.session) else { return false };
        if let Some(place) = succession.place {
            self.give_place_up(place);
            return false;
        }
        if let Some(session) = self.sessions.get_mut(&session) {
            session.calls.remove(id);
        }
        self.log(Level::Info, Some(succession.of), "not transferred, call kept", cause.to_string());
        true
    }
}

/// What the one who referred is told of a call that did not come about.
fn failure(cause: &Cause, status: Option<u16>) -> StatusCode {
    if let Some(status) = status.filter(|status| (400..700).contains(status)) {
        return StatusCode(status);
    }
    match cause {
        Cause::Busy => StatusCode::BUSY_HERE,
        Cause::NoAnswer => StatusCode::TEMPORARILY_UNAVAILABLE,
        Cause::NoSuchNumber => StatusCode::NOT_FOUND,
        Cause::Refused(_) => StatusCode::FORBIDDEN,
        Cause::Declined(_) => StatusCode::DECLINE,
        Cause::Unreachable(_) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::REQUEST_TERMINATED,
    }
}

/// Whether a call can be referred, replaced or sent away at all.
fn can_be_moved(call: &super::Call) -> bool {
    call.is_answered() && call.session != NOWHERE
}
