//! Calls from which no sound comes: told while they last, so that somebody can look at the firewall.

use super::call::Call;
use super::call_record::Way;
use super::timer::Timer;
use super::{Gateway, Level};
use crate::types::{CallId, Direction, Now};
use std::net::SocketAddr;
use std::time::Duration;

/// Sound comes within this of an answer, even from far away.
const PATIENCE: Duration = Duration::from_secs(5);

/// A call shorter than this may end before its first packet comes.
const TOO_SHORT_TO_TELL: Duration = Duration::from_secs(1);

impl Call {
    /// What is wrong with its sound after it was answered for `talked`; `None` if all is well, or nothing is to come.
    pub(super) fn no_sound(&self, talked: Duration) -> Option<String> {
        let negotiation = self.media.negotiation.as_ref()?;
        let should_come = matches!(negotiation.parameters.direction, Direction::SendRecv | Direction::RecvOnly);
        if self.media.heard || !should_come || self.on_hold || self.phase.is_held() || talked < TOO_SHORT_TO_TELL {
            return None;
        }
        let local = self.media.local.as_ref()?;
        let (whom, at) = (self.other_end(), SocketAddr::new(local.address, local.rtp_port));
        Some(format!("{:.0} s without any sound from the {whom}; check RTP to {at}", talked.as_secs_f64().floor()))
    }

    /// Who is at the other end.
    pub(super) const fn other_end(&self) -> &'static str {
        match self.way {
            Way::In => "caller",
            Way::Out => "callee",
        }
    }
}

impl Gateway {
    /// The call is answered: sound is to come.
    pub(super) fn expect_sound(&mut self, now: Now, id: CallId) {
        self.effects.timers.set(Timer::NoSound(id), now.instant + PATIENCE);
    }

    pub(super) fn on_no_sound(&mut self, now: Now, id: CallId) {
        let warning = self.calls.get(&id).and_then(|call| call.no_sound(call.times.talked(now)));
        if let Some(warning) = warning {
            self.log(Level::Warn, Some(id), "one-way sound", warning);
        }
    }

    /// The first packet of a call's sound has come.
    pub(super) fn note_sound(&mut self, id: CallId) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.media.heard = true;
        }
        self.effects.timers.clear(Timer::NoSound(id));
    }
}
