//! Keys on their way in: as telephone events (RFC 4733) and as tones by the media plane, and by INFO.
//!
//! What arrives decides, not what was negotiated: telephones that negotiate telephone events and send INFO, or tones,
//! all the same are understood. Each call has one source of keys: with the first key of a better one all others are
//! over, so that a key sent in several ways counts once.

use super::Gateway;
use crate::session::collect;
use crate::sip::InviteId;
use crate::types::{CallId, DigitSource, Now};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A key comes by two ways within so long.
const SAME_KEY: Duration = Duration::from_secs(2);
/// Keys that may still come by a better way.
const MOST_UNMATCHED: usize = 16;

/// By which way a call's keys come.
#[derive(Debug, Default)]
pub(super) struct KeyWay {
    /// The best that a key has come by.
    source: Option<DigitSource>,
    /// Keys that counted and may come by a better way, too.
    unmatched: VecDeque<Unmatched>,
}

/// A key that counted.
#[derive(Debug)]
struct Unmatched {
    key: char,
    at: Instant,
    source: DigitSource,
}

impl KeyWay {
    /// The way they come.
    pub(super) const fn source(&self) -> Option<DigitSource> {
        self.source
    }

    /// Whether a key counts: none by a worse way than one before, and none that counted when it came by a worse one.
    fn counts(&mut self, now: Instant, key: char, source: DigitSource) -> bool {
        if self.source > Some(source) {
            return false;
        }
        self.source = Some(source);
        let is_same = |known: &Unmatched| {
            known.key == key && known.source < source && now.saturating_duration_since(known.at) < SAME_KEY
        };
        let same = self.unmatched.iter().position(is_same);
        if let Some(same) = same {
            self.unmatched.drain(..=same);
        }
        if source < DigitSource::TelephoneEvent {
            if self.unmatched.len() == MOST_UNMATCHED {
                self.unmatched.pop_front();
            }
            let unmatched = Unmatched { key, at: now, source };
            if same.is_some() { self.unmatched.push_front(unmatched) } else { self.unmatched.push_back(unmatched) }
        }
        same.is_none()
    }
}

impl Gateway {
    /// A key by INFO.
    pub(super) fn on_info(&mut self, now: Now, invite: InviteId, content_type: &str, body: &[u8]) {
        let Some(id) = self.calls.of(invite) else { return };
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Some(key) = info_key(content_type, body)
            && call.keys.counts(now.instant, key, DigitSource::Info)
        {
            self.collect(now, id, collect::Input::Digit(key));
        }
    }

    /// A key that the media plane heard. Which one stays out of the log: it may be one of a PIN.
    pub(super) fn on_key(&mut self, now: Now, id: CallId, key: char, source: DigitSource) {
        if self.calls.get_mut(&id).is_some_and(|call| call.keys.counts(now.instant, key, source)) {
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

    /// Which of these keys count: by tones (`t`), INFO (`i`) or event (`e`), at these milliseconds.
    fn counted(keys: &[(u64, char, char)]) -> String {
        let start = crate::test_clock();
        let mut way = KeyWay::default();
        let count = |&(at, by, key): &(u64, char, char)| {
            let now = start + Duration::from_millis(at);
            let source = match by {
                't' => DigitSource::InBand,
                'i' => DigitSource::Info,
                _ => DigitSource::TelephoneEvent,
            };
            way.counts(now, key, source).then_some(key)
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
    fn a_key_that_comes_as_tones_too_counts_once() {
        for (first, second) in [('t', 'i'), ('i', 't'), ('t', 'e'), ('e', 't')] {
            assert_eq!(counted(&[(0, first, '1'), (60, second, '1'), (300, first, '1'), (360, second, '1')]), "11");
        }
        // In all three ways, in every order.
        for [a, b, c] in ["tie", "tei", "ite", "iet", "eti", "eit"].map(|order| {
            let order: Vec<char> = order.chars().collect();
            [order[0], order[1], order[2]]
        }) {
            let keys = [(0, a, '5'), (30, b, '5'), (60, c, '5'), (300, a, '6'), (330, b, '6'), (360, c, '6')];
            assert_eq!(counted(&keys), "56", "{a}{b}{c}");
        }
    }

    #[test]
    fn keys_by_info_count_until_the_first_event() {
        assert_eq!(counted(&[(0, 'i', '1'), (200, 'i', '1'), (400, 'i', '2')]), "112");
        assert_eq!(counted(&[(0, 'i', '1'), (9_000, 'e', '1'), (9_500, 'i', '2')]), "11");
        // By the time its source is known to be a better one, a tone is over.
        assert_eq!(
            counted(&[(0, 't', '1'), (200, 't', '1'), (400, 'i', '2'), (450, 't', '2'), (600, 't', '3')]),
            "112"
        );
        let many: Vec<_> = (0..100).map(|n| (n * 100, 'i', '7')).collect();
        assert_eq!(counted(&many).len(), 100);
    }
}
