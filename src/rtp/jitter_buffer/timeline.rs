//! From sequence numbers and timestamps that wrap and jump to numbers that only grow.

/// Farther ahead or behind than this is a restart of the sender's numbers.
const MAX_SEQUENCE_STEP: i64 = 1_000;
/// A timestamp may run ahead of the clock by so much (milliseconds) before it is taken for a jump.
const MAX_AHEAD_MS: i64 = 400;
/// A packet so far (seconds) behind the newest is not believed.
const MAX_BEHIND_S: i64 = 10;

/// Where a packet belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Sequence number, extended; contiguous across jumps.
    pub sequence: i64,
    /// Number of its first sample, on a line without jumps.
    pub media: i64,
    /// Whether the sender jumped.
    pub jumped: bool,
}

/// The mapping of one sender's numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Timeline {
    newest: Option<Reference>,
    /// The newest packet before the last jump: what is older than the jump is placed by it.
    before_jump: Option<Reference>,
}

#[derive(Debug, Clone, Copy)]
struct Reference {
    wire_sequence: u16,
    wire_timestamp: u32,
    sequence: i64,
    media: i64,
    samples: i64,
    /// Arrival, in samples.
    arrival: i64,
}

/// What is known of a packet: numbers from the wire, its length and arrival in samples.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub sequence: u16,
    pub timestamp: u32,
    pub samples: i64,
    pub arrival: i64,
    pub clock_rate: i64,
}

impl Timeline {
    /// Places a packet; `None` when it is too old to belong anywhere.
    pub fn place(&mut self, seen: Seen) -> Option<Place> {
        let Some(newest) = self.newest else {
            // Room below for packets that were overtaken.
            return Some(self.advance(seen, 1 << 20, 0, false));
        };
        let step = i64::from(seen.sequence.wrapping_sub(newest.wire_sequence).cast_signed());
        let stamped = i64::from(seen.timestamp.wrapping_sub(newest.wire_timestamp).cast_signed());
        let elapsed = seen.arrival - newest.arrival;
        if step.abs() > MAX_SEQUENCE_STEP {
            self.before_jump = None;
            let media = newest.media + elapsed.max(newest.samples);
            return Some(self.advance(seen, newest.sequence + 1, media, true));
        }
        if step > 0 {
            let by_sequence = step * newest.samples;
            let plausible =
                stamped == by_sequence || (stamped > 0 && stamped - elapsed <= MAX_AHEAD_MS * seen.clock_rate / 1_000);
            if plausible {
                return Some(self.advance(seen, newest.sequence + step, newest.media + stamped, false));
            }
            self.before_jump = Some(newest);
            let media = newest.media + elapsed.max(by_sequence);
            return Some(self.advance(seen, newest.sequence + step, media, true));
        }
        // Behind the newest: by its own mapping, or by that of before the jump.
        let sequence = newest.sequence + step;
        // Whichever of the two its sequence number and timestamp agree with better.
        let by = |reference: Reference| {
            let offset = i64::from(seen.timestamp.wrapping_sub(reference.wire_timestamp).cast_signed());
            let expected = (sequence - reference.sequence) * reference.samples;
            ((offset - expected).abs(), reference.media + offset)
        };
        let (error, media) = by(newest);
        let (_, media) = self.before_jump.map(by).filter(|before| before.0 < error).unwrap_or((error, media));
        let believed = media <= newest.media && media > newest.media - MAX_BEHIND_S * seen.clock_rate;
        believed.then_some(Place { sequence, media, jumped: false })
    }

    /// Takes note of a packet without audio; its extended sequence number.
    pub fn note(&mut self, sequence: u16) -> Option<i64> {
        let newest = self.newest?;
        let step = i64::from(sequence.wrapping_sub(newest.wire_sequence).cast_signed());
        (step.abs() <= MAX_SEQUENCE_STEP).then_some(newest.sequence + step)
    }

    fn advance(&mut self, seen: Seen, sequence: i64, media: i64, jumped: bool) -> Place {
        self.newest = Some(Reference {
            wire_sequence: seen.sequence,
            wire_timestamp: seen.timestamp,
            sequence,
            media,
            samples: seen.samples,
            arrival: seen.arrival,
        });
        Place { sequence, media, jumped }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(sequence: u16, timestamp: u32, arrival: i64) -> Seen {
        Seen { sequence, timestamp, samples: 160, arrival, clock_rate: 8_000 }
    }

    #[test]
    fn numbers_grow_across_their_wrap() {
        let mut timeline = Timeline::default();
        let first = timeline.place(seen(65_535, u32::MAX - 159, 0)).unwrap();
        let second = timeline.place(seen(0, 0, 160)).unwrap();
        assert_eq!((second.sequence - first.sequence, second.media - first.media), (1, 160));
        let fourth = timeline.place(seen(2, 320, 480)).unwrap();
        let third = timeline.place(seen(1, 160, 500)).unwrap();
        assert_eq!((fourth.media - third.media, fourth.sequence - third.sequence), (160, 1));
    }

    #[test]
    fn a_jump_of_the_timestamp_leaves_no_gap() {
        for jump in [1_000_000u32, 3_000_000_000, 0, 4_000] {
            let mut timeline = Timeline::default();
            let first = timeline.place(seen(1, 5_000, 0)).unwrap();
            let third = timeline.place(seen(3, 5_000u32.wrapping_add(jump), 320)).unwrap();
            assert!(third.jumped);
            assert_eq!(third.media - first.media, 320);
            // One that was overtaken across the jump.
            let second = timeline.place(seen(2, 5_160, 330)).unwrap();
            assert_eq!(second.media - first.media, 160);
            assert_eq!(timeline.place(seen(1, 5_000, 340)).unwrap(), first);
        }
    }

    #[test]
    fn a_pause_keeps_its_length() {
        let mut timeline = Timeline::default();
        let first = timeline.place(seen(1, 5_000, 0)).unwrap();
        let after = timeline.place(seen(2, 5_000 + 80_000, 80_100)).unwrap();
        assert_eq!((after.media - first.media, after.jumped), (80_000, false));
    }

    #[test]
    fn a_restart_of_the_sequence_goes_on_by_the_clock() {
        let mut timeline = Timeline::default();
        let first = timeline.place(seen(1, 5_000, 0)).unwrap();
        let restarted = timeline.place(seen(30_000, 77, 900)).unwrap();
        assert!(restarted.jumped);
        assert_eq!((restarted.sequence - first.sequence, restarted.media - first.media), (1, 900));
        assert_eq!(timeline.note(30_004), Some(restarted.sequence + 4));
        assert_eq!(timeline.note(1), None);
    }
}
