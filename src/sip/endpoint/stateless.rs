//! What is answered without a transaction (RFC 3261 section 8.2.7): OPTIONS, and what a password, a limit or too much
//! work keeps out. Nothing is remembered, and the same request gets the same tag each time it comes.

use std::time::Duration;

use bytes::Bytes;

use super::receive::rule_of;
use super::{Challenge, Endpoint};
use crate::sip::core::{Event, elsewhere};
use crate::sip::flow::Flow;
use crate::sip::message::{HeaderName as H, Message, Method, Repeated, StatusCode};
use crate::sip::transaction::{Key, Received, Reply, summary};
use crate::types::Now;

impl Endpoint {
    /// Refuses an INVITE that came too long ago to be worth a call, of somebody who may call: 503 and Retry-After, of
    /// which nobody hears. Says whether it did. What turns out to belong to a call or a transaction, or cannot be read,
    /// is left to [`handle_input`](Self::handle_input).
    pub fn refuse_late(&mut self, now: Now, flow: Flow, bytes: &Bytes) -> bool {
        // The ladder wants all of it.
        if !self.core.config.trace
            && let Some(repeated) = Repeated::of_new(bytes, flow.remote)
            && let Some(key) = self.core.transactions.key_by_branch(&repeated.via, &Method::Invite)
        {
            if self.core.transactions.find(&key).is_some() {
                return false;
            }
            self.count_late();
            let reply = self.unavailable();
            self.core.transactions.note_turned_away(now, key);
            self.core.transactions.respond_unparsed(flow, &repeated, key, reply);
            return true;
        }
        let Ok(Message::Request(request)) = Message::parse(bytes) else { return false };
        let received = Received::read(request, flow);
        let is_new = |it: &Received| it.request.method == Method::Invite && it.to_tag.is_none();
        let Some(received) = received.filter(is_new) else { return false };
        let key = self.core.transactions.key(&received, &Method::Invite);
        if self.core.transactions.find(&key).is_some() {
            return false;
        }
        self.count_late();
        self.core.transactions.trace_received(&flow, &Message::Request(received.request.clone()));
        self.turn_away(now, &received, key);
        true
    }

    fn count_late(&mut self) {
        self.totals.received += 1;
        self.totals.limited += 1;
    }

    /// Asks for a password. A flood of unknown sources costs nothing but the answers: no transaction, and no
    /// retransmission.
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
        let reply = self.unavailable();
        self.core.transactions.respond_statelessly(received, key, reply);
    }

    fn unavailable(&mut self) -> Reply {
        let seconds = 1 + self.core.jitter(Duration::from_secs(9)).as_secs();
        Reply::new(StatusCode::SERVICE_UNAVAILABLE).with(H::RetryAfter, seconds.to_string())
    }
}
