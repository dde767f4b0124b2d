//! Messages of users that are on their way to other users.

use crate::gateway::forking::better_refusal;
use crate::sip::message::StatusCode;
use crate::sip::{MessageId, RequestId};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Messages that one user may send within [`WINDOW`].
const MOST: u32 = 20;
const WINDOW: Duration = Duration::from_secs(2);

/// What is known of messages until they are answered.
#[derive(Debug, Default)]
pub(super) struct Messages {
    relays: HashMap<u64, Relay>,
    by_message: HashMap<MessageId, u64>,
    last: u64,
    /// By user: since when messages are counted, and how many there were.
    sent: HashMap<String, (Instant, u32)>,
}

/// One message, sent to every place where its receiver is registered.
#[derive(Debug)]
struct Relay {
    request: RequestId,
    unanswered: usize,
    refused: Option<StatusCode>,
}

impl Messages {
    /// Whether a user may send another one now; it is counted.
    pub(super) fn admit(&mut self, now: Instant, user: &str) -> bool {
        let (since, count) = self.sent.entry(user.to_owned()).or_insert((now, 0));
        if now.saturating_duration_since(*since) >= WINDOW {
            (*since, *count) = (now, 0);
        }
        *count += 1;
        *count <= MOST
    }

    /// Forgets what is counted of users who are none any more.
    pub(super) fn retain_users(&mut self, is_user: impl Fn(&str) -> bool) {
        self.sent.retain(|user, _| is_user(user));
    }

    /// A request was passed on as these.
    pub(super) fn sent(&mut self, request: RequestId, messages: &[MessageId]) {
        self.last += 1;
        self.relays.insert(self.last, Relay { request, unanswered: messages.len(), refused: None });
        self.by_message.extend(messages.iter().map(|message| (*message, self.last)));
    }

    /// One was answered. Gives what is to be answered to whom, once that is known: the first success, or the best
    /// refusal when the last place has refused.
    pub(super) fn answered(&mut self, message: MessageId, status: StatusCode) -> Option<(RequestId, StatusCode)> {
        let key = self.by_message.remove(&message)?;
        let relay = self.relays.get_mut(&key)?;
        relay.unanswered -= 1;
        if !status.is_success() {
            relay.refused = Some(better_refusal(relay.refused, status));
            if relay.unanswered > 0 {
                return None;
            }
        }
        let relay = self.relays.remove(&key)?;
        Some((relay.request, if status.is_success() { status } else { relay.refused.unwrap_or(status) }))
    }

    /// Whether none is on its way.
    pub(super) fn is_idle(&self) -> bool {
        self.relays.is_empty() && self.by_message.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_a_burst_of_messages_waits() {
        let mut messages = Messages::default();
        let now = crate::test_clock();
        assert_eq!((0..30).filter(|_| messages.admit(now, "alice")).count(), 20);
        assert!(messages.admit(now, "bob") && !messages.admit(now, "alice"));
        assert!(messages.admit(now + WINDOW, "alice"));
        messages.retain_users(|user| user == "bob");
        assert_eq!(messages.sent.len(), 1);
    }
}
