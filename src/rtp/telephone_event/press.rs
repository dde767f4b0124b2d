//! One key press, and whether a packet belongs to it.

use super::super::Header;
use super::TelephoneEvent;
use super::habits::{Habits, Timestamp, Transition};
use std::time::{Duration, Instant};

/// How long a key press is remembered after its last packet: longer than packets travel.
pub(super) const MEMORY: Duration = Duration::from_secs(5);
/// No packet for so long, on our clock and on the sender's, is a pause: updates come at least every 50 ms.
pub(super) const PAUSE: Duration = Duration::from_millis(200);
/// How often an end is sent (RFC 4733 section 2.5.1.4).
const ENDS: u16 = 3;
/// The length of all segments of a long event but the last (RFC 4733 section 2.5.1.3).
const SEGMENT: u32 = 0xFFFF;
/// Segments in a row that may be lost whole and still leave it the same key press.
const MAX_SEGMENTS_LOST: u32 = 4;
/// A duration beyond this may have wrapped before the next packet.
const NEAR_WRAP: u16 = 60_000;
/// A timestamp that moves with the packets may be so far ahead of what the duration says.
const PACKETS_AHEAD: u32 = samples(Duration::from_millis(60));
/// Packets behind the first one received of a key press that still belong to it.
const OVERTAKEN: i16 = 10;

/// Samples in a time, at the clock of telephone events, 8 kHz.
pub(super) const fn samples(time: Duration) -> u32 {
    // Minutes at most: what is longer has no meaning here.
    let millis = time.as_millis();
    if millis < 3_600_000 { millis as u32 * 8 } else { 3_600_000 * 8 }
}

/// A packet that carries an event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) arrival: Instant,
    pub(super) header: &'a Header,
    pub(super) event: TelephoneEvent,
}

/// What lies between the newest packet of a key press and one that came after it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Between {
    /// Packets that are missing: they were lost, or are late.
    pub(super) missing: u16,
    /// Samples of sound.
    pub(super) sound: u32,
}

/// A key press as far as it was received.
#[derive(Debug, Clone, Copy)]
pub(super) struct Press {
    pub(super) event: u8,
    /// Where its sound begins, in timestamps.
    pub(super) start: u32,
    pub(super) first_sequence: u16,
    /// Of the newest packet: sequence number, timestamp, duration.
    pub(super) sequence: u16,
    timestamp: u32,
    duration: u16,
    /// The first packet received was marked.
    marked: bool,
    /// Two updates came in a row: sound is not sent beside them.
    is_unaccompanied: bool,
    pub(super) end: Option<End>,
    /// When the first packet came, and the duration it claimed.
    pub(super) began: Instant,
    pub(super) claimed_first: u16,
    /// When the last packet came.
    pub(super) seen: Instant,
}

/// The end of a key press.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    /// The first packet that told it.
    pub(super) sequence: u16,
    pub(super) arrival: Instant,
    /// The longest duration claimed.
    pub(super) claimed: u16,
}

impl Press {
    pub(super) fn new(seen: &Seen<'_>) -> Self {
        let Seen { arrival, header, event } = *seen;
        Self {
            event: event.event,
            start: header.timestamp,
            first_sequence: header.sequence,
            sequence: header.sequence,
            timestamp: header.timestamp,
            duration: event.duration,
            marked: header.marker,
            is_unaccompanied: false,
            end: event.end.then_some(End { sequence: header.sequence, arrival, claimed: event.duration }),
            began: arrival,
            claimed_first: event.duration,
            seen: arrival,
        }
    }

    /// Whether a packet sent after the newest of this press belongs to it: the key has not been released and pressed
    /// again between them.
    ///
    /// What was received in a row is one press, whatever its timestamps say, until an end is followed by a new start.
    /// Where something is missing between them, what this sender was seen to do with timestamps, durations and the
    /// marker decides; in doubt it is one press.
    pub(super) fn goes_on_with(&self, seen: &Seen<'_>, between: Between, habits: &Habits) -> bool {
        let Seen { arrival, header, event } = *seen;
        let waited = arrival.saturating_duration_since(self.seen);
        if event.event != self.event || (waited >= MEMORY && (self.end.is_some() || between.missing > 0)) {
            return false;
        }
        let starts_anew = self.end.is_some() && !event.end;
        if header.timestamp == self.timestamp {
            // Senders exist that never move the timestamp.
            return !(starts_anew && event.duration <= self.duration);
        }
        if starts_anew {
            return false;
        }
        if self.is_segment(seen) {
            return true;
        }
        let ahead = header.timestamp.wrapping_sub(self.timestamp);
        let grown = u32::from(event.duration.saturating_sub(self.duration));
        let grows_with_time = grown >= ahead - ahead / 4;
        let paused = waited >= PAUSE && ahead >= samples(PAUSE);
        if paused || between.sound >= samples(PAUSE) || (between.sound > 0 && self.is_unaccompanied) {
            return grows_with_time;
        }
        if between.missing == 0 {
            return true;
        }
        let may_begin = self.end.is_none() && event.duration <= self.duration && between.missing >= ENDS;
        if header.marker && habits.marks_starts(may_begin) {
            return false;
        }
        if event.duration < self.duration && self.duration < NEAR_WRAP {
            return false;
        }
        match habits.timestamp_over(self.transition(&event)) {
            Timestamp::Held => false,
            Timestamp::Moved => true,
            Timestamp::Unknown => grown == 0 || ahead <= u32::from(event.duration) + PACKETS_AHEAD,
        }
    }

    /// Whether the packet begins a later segment of this press.
    fn is_segment(&self, seen: &Seen<'_>) -> bool {
        let ahead = seen.header.timestamp.wrapping_sub(self.timestamp);
        self.end.is_none()
            && !seen.header.marker
            && ahead.is_multiple_of(SEGMENT)
            && ahead / SEGMENT <= MAX_SEGMENTS_LOST
    }

    fn transition(&self, event: &TelephoneEvent) -> Transition {
        Transition { from_end: self.end.is_some(), to_end: event.end }
    }

    /// Takes a packet in that was sent after the newest, and learns from it how this sender does.
    pub(super) fn advance(&mut self, seen: &Seen<'_>, between: Between, habits: &mut Habits) {
        let Seen { arrival, header, event } = *seen;
        let held = header.timestamp == self.timestamp;
        if held || (between.missing == 0 && !self.is_segment(seen)) {
            habits.note_timestamp(self.transition(&event), held);
        }
        if between.missing == 0 {
            habits.note_marker(self.marked, header.marker);
            self.is_unaccompanied |= between.sound == 0 && self.end.is_none() && !event.end;
        }
        self.sequence = header.sequence;
        self.timestamp = header.timestamp;
        self.duration = event.duration;
        self.note_end(seen);
        self.seen = self.seen.max(arrival);
    }

    /// Whether a packet of another source, which takes the place of the one seen so far, is of the same key press.
    pub(super) fn goes_on_elsewhere(&self, seen: &Seen<'_>) -> bool {
        let Seen { arrival, event, .. } = *seen;
        let near = arrival.saturating_duration_since(self.seen) < PAUSE;
        near && event.event == self.event && event.duration >= self.duration && (event.end || self.end.is_none())
    }

    /// Takes a packet of another source in, as the next one.
    pub(super) fn adopt(&mut self, seen: &Seen<'_>) {
        let before = *self;
        *self = Self { began: before.began, ..Self::new(seen) };
    }

    /// Whether a packet sent before the newest one of all belongs to this press: how many packets it lies outside of
    /// those received, 0 for among them.
    pub(super) fn distance(&self, seen: &Seen<'_>, habits: &Habits) -> Option<i16> {
        let Seen { arrival, header, event } = *seen;
        if event.event != self.event || arrival.saturating_duration_since(self.seen) >= MEMORY {
            return None;
        }
        let before_first = self.first_sequence.wrapping_sub(header.sequence).cast_signed();
        let after_last = header.sequence.wrapping_sub(self.sequence).cast_signed();
        let distance = before_first.max(after_last).max(0);
        // An end, and then a start: two presses.
        let is_parted = match self.end {
            Some(end) if before_first > 0 => event.end && end.sequence != self.first_sequence,
            None if before_first > 0 => event.end,
            Some(_) if after_last > 0 => !event.end,
            _ => false,
        };
        // Packets of earlier segments may still arrive after the first of a later one.
        let behind = self.timestamp.wrapping_sub(header.timestamp);
        let is_segment = behind.is_multiple_of(SEGMENT) && behind / SEGMENT <= MAX_SEGMENTS_LOST;
        let may_differ = distance <= OVERTAKEN && !habits.holds_timestamp(event.end || self.end.is_some());
        let has = !is_parted && (distance == 0 || header.timestamp == self.start || is_segment || may_differ);
        has.then_some(distance)
    }

    /// Takes a packet in that others have overtaken; it tells nothing of whether the key is down now. Where it is an
    /// end before a start, or a start after an end, what comes after the end is another press, which is given back.
    pub(super) fn fill_in(&mut self, seen: &Seen<'_>) -> Option<Self> {
        let Seen { arrival, header, event } = *seen;
        let is_after = |sequence: u16| header.sequence.wrapping_sub(sequence).cast_signed() > 0;
        let is_inside = is_after(self.first_sequence) && !is_after(self.sequence);
        match self.end {
            Some(end) if is_inside && !event.end && is_after(end.sequence) => {
                let later = Self { end: Some(End { sequence: self.sequence, ..end }), ..Self::new(seen) };
                let later =
                    Self { sequence: self.sequence, timestamp: self.timestamp, duration: self.duration, ..later };
                self.sequence = end.sequence;
                return Some(later);
            }
            None if is_inside && event.end => {
                let first_sequence = header.sequence.wrapping_add(1);
                let later = Self { first_sequence, start: self.timestamp, marked: false, began: self.seen, ..*self };
                self.sequence = header.sequence;
                self.note_end(seen);
                return Some(later);
            }
            _ => {}
        }
        if !is_after(self.first_sequence) {
            self.first_sequence = header.sequence;
            if self.start.wrapping_sub(header.timestamp).cast_signed() > 0 {
                self.start = header.timestamp;
            }
        }
        if is_after(self.sequence) {
            self.sequence = header.sequence;
        }
        self.note_end(seen);
        self.seen = self.seen.max(arrival);
        None
    }

    fn note_end(&mut self, seen: &Seen<'_>) {
        let Seen { arrival, header, event } = *seen;
        if !event.end {
            return;
        }
        let end = self.end.get_or_insert(End { sequence: header.sequence, arrival, claimed: event.duration });
        end.claimed = end.claimed.max(event.duration);
        if end.sequence.wrapping_sub(header.sequence).cast_signed() > 0 {
            end.sequence = header.sequence;
        }
    }

    /// Whether the key is down at `now`: its end has not been seen and its last packet is not long past.
    pub(super) fn is_down(&self, now: Instant) -> bool {
        self.end.is_none() && now.saturating_duration_since(self.seen) < PAUSE
    }
}
