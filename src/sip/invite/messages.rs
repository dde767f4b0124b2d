//! What the peer says inside a call: INFO (RFC 6086) and MESSAGE (RFC 3428).

use super::Usage;
use crate::sip::core::{Core, Event, check_info, check_require, elsewhere};
use crate::sip::message::{HeaderName as H, StatusCode};
use crate::sip::transaction::{Received, Reply, ServerId};
use crate::types::Now;
use std::time::{Duration, Instant};

/// Octets of the longest body.
const LONGEST: usize = 8 * 1_024;
/// What one call may bring within [`WINDOW`].
const MOST: u32 = 40;
const WINDOW: Duration = Duration::from_secs(2);

/// How many came within the current window.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    since: Option<Instant>,
    count: u32,
}

impl Messages {
    /// Whether another one may come now; it is counted.
    fn admit(&mut self, now: Instant) -> bool {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= WINDOW) {
            (self.since, self.count) = (Some(now), 0);
        }
        self.count = self.count.saturating_add(1);
        self.count <= MOST
    }
}

impl Usage {
    pub(super) fn on_info(&mut self, core: &mut Core, now: Now, received: Received, tx: ServerId) {
        let checked = match self.takes_messages(&received) {
            true => check_require(&received.request, None).and_then(|()| self.check_message(now, &received)),
            false => check_info(&received.request),
        };
        if let Err(reply) = checked {
            return core.transactions.respond(now, tx, reply);
        }
        core.transactions.respond(now, tx, Reply::new(StatusCode::OK));
        let content_type = received.request.headers.get_str(&H::ContentType).map(str::to_owned);
        let (headers, body) = (Box::new(received.request.headers), received.request.body);
        core.event(Event::Info { invite: self.id, content_type, headers, body });
    }

    pub(super) fn on_message(&mut self, core: &mut Core, now: Now, received: Received, tx: ServerId) {
        let taken = match self.takes_messages(&received) {
            true => check_require(&received.request, None).and_then(|()| self.check_message(now, &received)),
            false => Err(elsewhere(&received.request)),
        };
        if let Err(reply) = taken {
            return core.transactions.respond(now, tx, reply);
        }
        core.transactions.respond(now, tx, Reply::new(StatusCode::OK));
        let content_type = received.request.headers.get_str(&H::ContentType).map(str::to_owned);
        core.event(Event::Message { invite: self.id, content_type, body: received.request.body });
    }

    fn takes_messages(&mut self, received: &Received) -> bool {
        self.session(&received.from_tag, &received.call_id).is_some_and(|it| it.terms.messages)
    }

    /// Neither too long nor too many.
    fn check_message(&mut self, now: Now, received: &Received) -> Result<(), Reply> {
        if received.request.body.len() > LONGEST {
            return Err(Reply::new(StatusCode::REQUEST_ENTITY_TOO_LARGE));
        }
        if self.messages.admit(now.instant) {
            return Ok(());
        }
        let seconds = WINDOW.as_secs().to_string();
        Err(Reply::new(StatusCode::SERVICE_UNAVAILABLE).with(H::RetryAfter, seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_a_burst_of_messages_waits() {
        let (mut messages, now) = (Messages::default(), crate::test_clock());
        assert_eq!((0..10_000).filter(|_| messages.admit(now)).count(), 40);
        assert!(messages.admit(now + WINDOW));
    }
}
