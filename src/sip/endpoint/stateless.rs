//! What is answered without a transaction (RFC 3261 section 8.2.7): OPTIONS, and what a password, a limit or too much work
//! keeps out. Nothing is remembered, and the same request gets the same tag each time it comes.

use std::time::Duration;

use bytes::Bytes;

use super::receive::rule_of;
use super::{Admission, Challenge, Endpoint, Policy};
use crate::sip::core::{Event, elsewhere};
use crate::sip::flow::Flow;
use crate::sip::message::{HeaderName as H, Message, Method, StatusCode};
use crate::sip::transaction::{Key, Received, Reply, summary};
use crate::types::Now;

impl Endpoint {
    /// Takes an INVITE that came too long ago to be worth a call: 503 and Retry-After, and nobody hears of it. Who must not
    /// be answered is not; says whether it was done with. What turns out to belong to a call or a transaction, or cannot be
    /// read, is left to [`handle_input`](Self::handle_input).
    pub fn refuse_late(&mut self, now: Now, flow: Flow, bytes: &Bytes, policy: &mut dyn Policy) -> bool {
        let Ok(message) = Message::parse(bytes) else { return false };
        self.core.transactions.trace_received(&flow, &message);
        let Message::Request(request) = message else { return false };
        if request.method != Method::Invite {
            return false;
        }
        let Some(received) = Received::read(request, flow).filter(|received| received.to_tag.is_none()) else {
            return false;
        };
        let key = self.core.transactions.key(&received, &Method::Invite);
        if self.core.transactions.find(&key).is_some() {
            return false;
        }
        self.totals.received += 1;
        if self.core.transactions.is_turned_away(now, &key) {
            self.turn_away(now, &received, key);
            return true;
        }
        match policy.admit(&received.request, &flow) {
            Admission::Accept(_) => {
                self.totals.limited += 1;
                self.turn_away(now, &received, key);
            }
            Admission::Challenge(challenges) => self.challenge(&received, key, &challenges),
            Admission::Drop => self.refused(&received, None, "not admitted"),
            Admission::Reject(status) => {
                self.totals.refused += 1;
                self.core.transactions.respond_statelessly(&received, key, Reply::new(status));
            }
        }
        true
    }

    /// Asks for a password. A flood of unknown sources costs nothing but the answers: no transaction, and no retransmission.
    pub(super) fn challenge(&mut self, received: &Received, key: Key, challenges: &[Challenge]) {
        self.totals.refused += 1;
        let mut reply = Reply::new(StatusCode::UNAUTHORIZED);
        for challenge in challenges {
            reply.headers.push_display(H::WwwAuthenticate, challenge);
        }
        self.core.transactions.respond_statelessly(received, key, reply);
    }

    /// Answers an OPTIONS outside of any call, by which nothing changes: whoever asks again gets the same answer.
    pub(super) fn answer_options(&mut self, received: &Received, key: Key, rejected: Option<StatusCode>) {
        let (reply, rule) = match rejected {
            Some(status) => (Reply::new(status), Some("rejected by policy")),
            None if received.to_tag.is_some() => (Reply::new(StatusCode::CALL_DOES_NOT_EXIST), Some("no such call")),
            None => {
                let reply = elsewhere(&received.request);
                let rule = rule_of(reply.status);
                (reply, rule)
            }
        };
        if let Some(rule) = rule {
            self.refused(received, Some(reply.status), rule);
        }
        self.core.transactions.respond_statelessly(received, key, reply);
    }

    /// Turns away what a limit keeps out. Says whether it did.
    pub(super) fn is_over_limit(&mut self, now: Now, received: &Received, key: Key) -> bool {
        let over = self.core.transactions.is_over_limit(received.flow.peer());
        if over {
            self.totals.limited += 1;
            let summary = summary(&received.request);
            let status = Some(StatusCode::SERVICE_UNAVAILABLE);
            self.core.event(Event::Refused { summary, flow: received.flow, status, rule: "too many requests" });
            self.turn_away(now, received, key);
        }
        over
    }

    /// 503, and when to come back: not all at once. Should the INVITE come again meanwhile, it gets the same.
    pub(super) fn turn_away(&mut self, now: Now, received: &Received, key: Key) {
        if received.request.method == Method::Invite {
            self.core.transactions.note_turned_away(now, key);
        }
        let seconds = 1 + self.core.jitter(Duration::from_secs(9)).as_secs();
        let reply = Reply::new(StatusCode::SERVICE_UNAVAILABLE).with(H::RetryAfter, seconds.to_string());
        self.core.transactions.respond_statelessly(received, key, reply);
    }
}
