//! From packets to key presses.

use super::super::Header;
use super::habits::Habits;
use super::press::{Between, MEMORY, PAUSE, Press, Seen, samples};
use super::{TelephoneEvent, digit_of};
use std::time::{Duration, Instant};

/// Key presses remembered at a time.
const PRESSES: usize = 8;
/// Packets up to this many behind the newest were overtaken (RFC 3550 appendix A.1); others begin the numbers anew.
const MAX_MISORDER: i16 = 100;
/// The longest time from one packet of an event to the next, and so what the first one may claim.
const UPDATE: Duration = Duration::from_millis(50);
/// Sound of a key may be so far ahead of the time that passed.
const CLOCKS_APART: Duration = Duration::from_secs(1);

/// What a receiver counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Key presses reported.
    pub digits: u64,
    /// Packets too short, or of an event that is no digit.
    pub ignored: u64,
}

/// Packets that are no events.
#[derive(Debug, Clone, Copy, Default)]
struct Others {
    first: Option<u16>,
    count: u16,
    /// Samples in them.
    sound: u32,
}

impl Others {
    fn note(&mut self, sequence: u16, sound: u32) {
        let first = self.first.get_or_insert(sequence);
        if first.wrapping_sub(sequence).cast_signed() > 0 {
            *first = sequence;
        }
        self.count = self.count.saturating_add(1);
        self.sound = self.sound.saturating_add(sound);
    }

    /// What of it lies before an event that is `step` packets ahead of the one before.
    fn before(self, sequence: u16, step: i16) -> Between {
        let gap = u16::try_from(step).map_or(u16::MAX, |step| step.saturating_sub(1));
        let is_before = self.first.is_some_and(|first| sequence.wrapping_sub(first).cast_signed() > 0);
        let (count, sound) = if is_before { (self.count, self.sound) } else { (0, 0) };
        Between { missing: gap.saturating_sub(count), sound }
    }
}

/// Where a packet belongs.
enum Place {
    /// To a press that was reported.
    Known,
    /// It begins the newest press.
    Newest(Press),
    /// It begins a press that later ones have overtaken.
    Overtaken(Press),
}

/// Reports each key press once, at its start or, if that was lost, as soon as any of its packets arrives.
///
/// A key press is a run of packets of one event that nothing interrupts: no end followed by a new start, no pause, no
/// other event. Its packets should share one timestamp, but there are senders that move it with every packet or every
/// repeated end, and senders that never move it; neither marker nor end is needed. What a sender does in packets that
/// come in a row tells what its timestamps mean where packets are missing. A packet that comes late, even after the
/// next key was pressed, finds its own press remembered.
#[derive(Debug, Clone, Default)]
pub struct Receiver {
    /// Oldest overwritten first.
    presses: [Option<Press>; PRESSES],
    next: usize,
    /// Index of the press last reported.
    newest: usize,
    habits: Habits,
    /// What is no event, since the newest event.
    others: Others,
    /// Another source takes over.
    is_taken_over: bool,
    /// Sound that came after the end of the key was taken for its last.
    is_tail_heard: bool,
    statistics: Statistics,
}

impl Receiver {
    /// Takes one packet of the negotiated telephone-event payload type. Returns the digit when this packet is the first
    /// that is seen of its key press.
    pub fn receive(&mut self, arrival: Instant, header: &Header, payload: &[u8]) -> Option<char> {
        let parsed = TelephoneEvent::parse(payload).and_then(|event| Some((event, digit_of(event.event)?)));
        let Some((event, digit)) = parsed else {
            self.statistics.ignored += 1;
            return None;
        };
        let seen = Seen { arrival, header, event };
        if std::mem::take(&mut self.is_taken_over) && self.adopt(&seen) {
            return None;
        }
        let (press, is_newest) = match self.place(&seen) {
            Place::Known => return None,
            Place::Newest(press) => (press, true),
            Place::Overtaken(press) => (press, false),
        };
        self.presses[self.next] = Some(press);
        if is_newest {
            self.newest = self.next;
            self.is_tail_heard = false;
        }
        self.next = (self.next + 1) % PRESSES;
        if self.next == self.newest {
            self.next = (self.next + 1) % PRESSES;
        }
        self.statistics.digits += 1;
        Some(digit)
    }

    /// Finds the press that a packet belongs to and adds the packet to it, or begins one.
    fn place(&mut self, seen: &Seen<'_>) -> Place {
        let Self { presses, newest, habits, .. } = self;
        let Some(current) = &mut presses[*newest] else { return Place::Newest(Press::new(seen)) };
        let step = seen.header.sequence.wrapping_sub(current.sequence).cast_signed();
        if step == 0 {
            return Place::Known;
        }
        if (-MAX_MISORDER..0).contains(&step) {
            let distance = |press: &Option<Press>| press.as_ref().and_then(|press| press.distance(seen, habits));
            let near = (0..PRESSES).filter_map(|at| Some((distance(&presses[at])?, at))).min();
            let Some((at, press)) = near.and_then(|(_, at)| Some((at, presses[at].as_mut()?))) else {
                return Place::Overtaken(Press::new(seen));
            };
            return match press.fill_in(seen) {
                None => Place::Known,
                Some(later) if at == *newest => Place::Newest(later),
                Some(later) => Place::Overtaken(later),
            };
        }
        let between = std::mem::take(&mut self.others).before(seen.header.sequence, step);
        if !current.goes_on_with(seen, between, habits) {
            return Place::Newest(Press::new(seen));
        }
        current.advance(seen, between, habits);
        Place::Known
    }

    /// Whether a key that was down when the source changed is still the same.
    fn adopt(&mut self, seen: &Seen<'_>) -> bool {
        let current = self.presses[self.newest].filter(|press| press.goes_on_elsewhere(seen));
        self.restart();
        self.presses[0] = current;
        if let Some(current) = &mut self.presses[0] {
            current.adopt(seen);
            self.next = 1;
        }
        current.is_some()
    }

    /// Takes note of a packet of the same source that is no event, with so many samples of sound (0: none).
    ///
    /// True when it is the tone of a key, which some senders send beside the event: it is not to be heard. The duration
    /// that the event claims is believed as far as that time has passed, and never beyond one packet after the end.
    #[must_use]
    pub fn is_tone(&mut self, arrival: Instant, header: &Header, sound: usize) -> bool {
        let recent = |press: &&Press| arrival.saturating_duration_since(press.seen) < MEMORY;
        let Some(press) = self.presses[self.newest].as_ref().filter(recent) else { return false };
        let sound = u32::try_from(sound).unwrap_or(u32::MAX);
        let follows = |sequence: u16| header.sequence.wrapping_sub(sequence).cast_signed() > 0;
        if follows(press.sequence) {
            self.others.note(header.sequence, sound);
        }
        let since_start = header.timestamp.wrapping_sub(press.start);
        let lasted = |until: Instant| samples(until.saturating_duration_since(press.began));
        if since_start >= lasted(arrival).saturating_add(samples(CLOCKS_APART)) {
            return false;
        }
        let Some(end) = press.end else { return press.is_down(arrival) && self.others.sound < samples(PAUSE / 2) };
        if !follows(end.sequence) {
            return true;
        }
        // The piece of the tone that was still being gathered for a packet when the end went out.
        let first = u32::from(press.claimed_first).min(samples(UPDATE));
        let length = u32::from(end.claimed).min(lasted(end.arrival) + first);
        let is_tail = since_start.saturating_add(sound) <= length && !self.is_tail_heard;
        self.is_tail_heard |= is_tail;
        is_tail
    }

    /// Whether a key is down at `now`: its end has not been seen and its last packet is not long past.
    #[must_use]
    pub fn is_pressed(&self, now: Instant) -> bool {
        self.presses[self.newest].is_some_and(|press| press.is_down(now))
    }

    /// Another source (SSRC) takes the place of the current one: what was seen of that is forgotten, but for a key that
    /// is down and may go on under the new one.
    pub fn change_source(&mut self) {
        self.is_taken_over = true;
    }

    /// Forgets what was seen of the current source.
    pub fn restart(&mut self) {
        *self = Self { statistics: self.statistics, ..Self::default() };
    }

    /// What it counted.
    #[must_use]
    pub const fn statistics(&self) -> Statistics {
        self.statistics
    }
}
