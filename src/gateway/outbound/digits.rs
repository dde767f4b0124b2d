//! Digits sent down a call, as its trunk wants them.

use crate::dialplan::DigitTransport;
use crate::gateway::Gateway;
use crate::gateway::timer::Timer;
use crate::media::command::Command;
use crate::sip::Body;
use crate::sip::message::Headers;
use crate::types::{CallId, Now};
use bytes::Bytes;
use std::time::Duration;

/// Length of each digit.
const SENT_DIGIT: Duration = Duration::from_millis(100);
/// From one INFO to the next.
const INFO_PACE: Duration = Duration::from_millis(250);
/// Digits that may wait to be sent.
const MOST_DIGITS: usize = 128;

impl Gateway {
    /// Sends digits in the sound's stream, or one by one as INFO.
    pub(in crate::gateway) fn send_digits(&mut self, now: Now, id: CallId, digits: String) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.peer.media().digits == DigitTransport::Rtp {
            return self.media(Command::SendDigits { leg: id, digits, duration: SENT_DIGIT });
        }
        let idle = call.unsent_digits.is_empty();
        let room = MOST_DIGITS.saturating_sub(call.unsent_digits.len());
        call.unsent_digits.extend(digits.chars().take(room));
        if idle {
            self.send_info_digit(now, id);
        }
    }

    /// Sends the next digit by INFO.
    pub(in crate::gateway) fn send_info_digit(&mut self, now: Now, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some((digit, invite)) = call.unsent_digits.pop_front().zip(call.invite) else { return };
        let more = !call.unsent_digits.is_empty();
        let body = format!("Signal={digit}\r\nDuration={}\r\n", SENT_DIGIT.as_millis());
        let body = Body { content_type: "application/dtmf-relay".into(), bytes: Bytes::from(body) };
        let result = self.endpoint.info(now, invite, &Headers::new(), &body);
        self.note("digit by INFO", result);
        if more {
            self.effects.timers.set(Timer::InfoDigit(id), now.instant + INFO_PACE);
        }
    }
}
