//! Keys on their way in: as telephone events (RFC 4733) by the media plane, and by INFO.
//!
//! What arrives decides, not what was negotiated: telephones that negotiate telephone events and send INFO all the same
//! are understood. With the first telephone event of a call INFO is over, so that a key sent both ways counts once.

use super::Gateway;
use crate::session::collect;
use crate::sip::InviteId;
use crate::types::{CallId, Now};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A key by INFO and its telephone event come within so long of each other.
const SAME_KEY: Duration = Duration::from_secs(2);
/// Keys by INFO whose telephone event may still come.
const MOST_UNMATCHED: usize = 16;

/// By which way a call's keys come.
#[derive(Debug, Default)]
pub(super) struct KeyWay {
    /// A telephone event has come.
    has_events: bool,
    /// Keys that INFO brought before that.
    unmatched: VecDeque<(char, Instant)>,
}

impl KeyWay {
    /// Whether a key by INFO counts.
    fn info(&mut self, now: Instant, key: char) -> bool {
        if self.has_events {
            return false;
        }
        if self.unmatched.len() == MOST_UNMATCHED {
            self.unmatched.pop_front();
        }
        self.unmatched.push_back((key, now));
        true
    }

    /// Whether a key by telephone event counts: INFO has not brought it already.
    fn event(&mut self, now: Instant, key: char) -> bool {
        self.has_events = true;
        let is_same =
            |(by_info, at): &(char, Instant)| *by_info == key && now.saturating_duration_since(*at) < SAME_KEY;
        let Some(same) = self.unmatched.iter().position(is_same) else { return true };
        self.unmatched.drain(..=same);
        false
    }
}

impl Gateway {
    /// A key by INFO.
    pub(super) fn on_info(&mut self, now: Now, invite: InviteId, content_type: &str, body: &[u8]) {
        let Some(id) = self.calls.of(invite) else { return };
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Some(key) = info_key(content_type, body)
            && call.keys.info(now.instant, key)
        {
            self.collect(now, id, collect::Input::Digit(key));
        }
    }

    /// A key by telephone event. Which one stays out of the log: it may be one of a PIN.
    pub(super) fn on_key(&mut self, now: Now, id: CallId, key: char) {
        if self.calls.get_mut(&id).is_some_and(|call| call.keys.event(now.instant, key)) {
            self.collect(now, id, collect::Input::Digit(key));
        }
    }
}

/// The key in an INFO: `application/dtmf-relay` has a line `Signal=5`, `application/dtmf` the bare key. Both may write
/// `*`, `#` and A to D as the event codes 10 to 15.
fn info_key(content_type: &str, body: &[u8]) -> Option<char> {
    let body = std::str::from_utf8(body).ok()?;
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let signal = || {
        body.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case("signal").then_some(value.trim())
        })
    };
    let key = if kind.eq_ignore_ascii_case("application/dtmf-relay") {
        signal()?
    } else if kind.eq_ignore_ascii_case("application/dtmf") {
        signal().unwrap_or(body.trim())
    } else {
        return None;
    };
    let mut characters = key.chars();
    match (characters.next()?.to_ascii_uppercase(), characters.next(), characters.next()) {
        (key, None, _) => collect::is_dtmf(key).then_some(key),
        ('1', Some(second @ '0'..='5'), None) => "*#ABCD".chars().nth(usize::from(second as u8 - b'0')),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_an_info_is_read_in_every_way_of_writing_it() {
        assert_eq!(info_key("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n"), Some('5'));
        assert_eq!(info_key("application/dtmf-relay", b"Signal = 11\n"), Some('#'));
        assert_eq!(info_key("application/dtmf-relay", b"Signal=10\nDuration=250"), Some('*'));
        assert_eq!(info_key("application/dtmf-relay", b"signal=15"), Some('D'));
        assert_eq!(info_key("application/dtmf; charset=utf-8", b"*"), Some('*'));
        assert_eq!(info_key("application/dtmf", b"d\r\n"), Some('D'));
        assert_eq!(info_key("application/dtmf", b"Signal=7\r\n"), Some('7'));
        for nothing in [&b"55"[..], b"16", b"100", b"", b"\xff", b"x"] {
            assert_eq!(info_key("application/dtmf", nothing), None, "{nothing:?}");
        }
        assert_eq!(info_key("text/plain", b"5"), None);
    }

    /// Which of these keys count: by INFO (`i`) or event (`e`), at these milliseconds.
    fn counted(keys: &[(u64, char, char)]) -> String {
        let start = crate::test_clock();
        let mut way = KeyWay::default();
        let count = |&(at, by, key): &(u64, char, char)| {
            let now = start + Duration::from_millis(at);
            (if by == 'i' { way.info(now, key) } else { way.event(now, key) }).then_some(key)
        };
        keys.iter().filter_map(count).collect()
    }

    #[test]
    fn a_key_sent_both_ways_counts_once() {
        // INFO first, the event first, INFO faster by a key, INFO slower by a key, equal keys.
        assert_eq!(counted(&[(0, 'i', '1'), (50, 'e', '1'), (300, 'i', '2'), (310, 'e', '2')]), "12");
        assert_eq!(counted(&[(0, 'e', '1'), (50, 'i', '1'), (300, 'e', '2'), (310, 'i', '2')]), "12");
        assert_eq!(counted(&[(0, 'i', '1'), (200, 'i', '2'), (250, 'e', '1'), (450, 'e', '2'), (500, 'i', '3')]), "12");
        assert_eq!(
            counted(&[(0, 'e', '1'), (200, 'e', '2'), (250, 'i', '1'), (400, 'e', '3'), (450, 'i', '2')]),
            "123"
        );
        assert_eq!(counted(&[(0, 'i', '1'), (10, 'e', '1'), (200, 'i', '1'), (210, 'e', '1')]), "11");
        // The event of the first one is lost.
        assert_eq!(counted(&[(0, 'i', '1'), (200, 'i', '2'), (210, 'e', '2'), (400, 'e', '1')]), "121");
    }

    #[test]
    fn keys_by_info_count_until_the_first_event() {
        assert_eq!(counted(&[(0, 'i', '1'), (200, 'i', '1'), (400, 'i', '2')]), "112");
        assert_eq!(counted(&[(0, 'i', '1'), (9_000, 'e', '1'), (9_500, 'i', '2')]), "11");
        let many: Vec<_> = (0..100).map(|n| (n * 100, 'i', '7')).collect();
        assert_eq!(counted(&many).len(), 100);
    }
}
