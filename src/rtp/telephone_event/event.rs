//! The payload format (RFC 4733 section 2.3).

/// Octets of one event.
pub const PAYLOAD_LEN: usize = 4;

/// One telephone-event payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TelephoneEvent {
    /// The event code; 0 to 15 are the DTMF digits.
    pub event: u8,
    /// The end bit.
    pub end: bool,
    /// Power level as −dBm0, 0 to 63.
    pub volume: u8,
    /// Timestamp units since the packet's timestamp.
    pub duration: u16,
}

impl TelephoneEvent {
    /// Reads the first event of a payload. `None` when it is too short. The reserved bit is ignored; what follows the
    /// first event is, too (several in one packet are obsolete since RFC 4733).
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let &[event, flags, high, low, ..] = payload else { return None };
        let duration = u16::from_be_bytes([high, low]);
        Some(Self { event, end: flags & 0x80 != 0, volume: flags & 0x3F, duration })
    }

    /// The payload.
    #[must_use]
    pub fn to_bytes(self) -> [u8; PAYLOAD_LEN] {
        let [high, low] = self.duration.to_be_bytes();
        [self.event, (u8::from(self.end) << 7) | (self.volume & 0x3F), high, low]
    }
}

/// The digit of an event code: `0`-`9`, `*`, `#`, `A`-`D` for 0 to 15 (section 3.2).
#[must_use]
pub const fn digit_of(event: u8) -> Option<char> {
    Some(match event {
        0..=9 => (b'0' + event) as char,
        10 => '*',
        11 => '#',
        12..=15 => (b'A' + event - 12) as char,
        _ => return None,
    })
}

/// The event code of a digit.
#[must_use]
pub const fn event_of(digit: char) -> Option<u8> {
    Some(match digit {
        '0'..='9' => digit as u8 - b'0',
        '*' => 10,
        '#' => 11,
        'A'..='D' => digit as u8 - b'A' + 12,
        'a'..='d' => digit as u8 - b'a' + 12,
        _ => return None,
    })
}
