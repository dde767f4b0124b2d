//! From timestamps that wrap, jump and lie to numbers of samples that only grow.

/// A timestamp may run ahead of the clock by so much (milliseconds) before it is taken for a jump.
const MAX_AHEAD_MS: i64 = 400;
/// A timestamp may say that a packet's sound begins so much (milliseconds) before the last one's ends; more is a jump.
const MAX_OVERLAP_MS: i64 = 200;
/// A packet so far (seconds) behind the newest is not believed.
const MAX_BEHIND_S: i64 = 10;
/// So many packets in a row whose timestamp is not where the sound before them ends, and timestamps are believed no
/// more.
const DISTRUST_AFTER: u32 = 4;
/// So many in a row where it is, and they are believed again.
const TRUST_AFTER: u32 = 8;

/// Where a packet's sound belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Number of its first sample, on a line without jumps.
    pub media: i64,
    /// Whether the sender jumped.
    pub jumped: bool,
}

/// The mapping of one sender's timestamps.
///
/// Sound never overlaps, whatever timestamps say. Where they disagree with the length of the sound for a while (several
/// packets under one timestamp, a clock of another rate), samples are counted instead.
#[derive(Debug, Clone, Default)]
pub(super) struct Timeline {
    newest: Option<Reference>,
    /// The newest packet before the last jump: what is older than the jump is placed by it.
    before_jump: Option<Reference>,
    /// By how much the newest packet was put behind where its timestamp says, samples.
    moved: i64,
    /// Packets without audio since the newest packet.
    others: i64,
    belief: Belief,
    /// The next packet's timestamp has nothing to do with those before it.
    restarted: bool,
}

/// Whether timestamps are believed.
#[derive(Debug, Clone, Copy)]
enum Belief {
    /// They are; the packets in a row that speak against it.
    Believed(Doubt),
    /// Samples are counted; how many packets in a row speak against that.
    Counting(u32),
}

/// Packets in a row whose timestamps disagree with the sound, all in samples.
#[derive(Debug, Clone, Copy, Default)]
struct Doubt {
    packets: u32,
    /// How long they took by their timestamps, by their sound and by the clock.
    stamped: i64,
    sounding: i64,
    elapsed: i64,
}

#[derive(Debug, Clone, Copy)]
struct Reference {
    timestamp: u32,
    sequence: i64,
    media: i64,
    samples: i64,
    /// Arrival, in samples.
    arrival: i64,
}

/// What is known of a packet: its place in the sequence, and its length and arrival in samples.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub sequence: i64,
    pub timestamp: u32,
    pub samples: i64,
    pub arrival: i64,
    pub clock_rate: i64,
}

impl Default for Belief {
    fn default() -> Self {
        Self::Believed(Doubt::default())
    }
}

impl Timeline {
    /// The sender began anew: the timestamp of its next packet may be any.
    pub fn restarted(&mut self) {
        self.restarted = true;
    }

    /// Takes note of a packet without audio.
    pub fn note(&mut self, sequence: i64) {
        self.others += i64::from(self.newest.is_some_and(|newest| newest.sequence < sequence));
    }

    /// Places a packet; `None` when it is too old to belong anywhere.
    pub fn place(&mut self, seen: Seen) -> Option<Place> {
        let Some(newest) = self.newest else {
            return Some(self.advance(seen, 0, false));
        };
        if seen.sequence > newest.sequence {
            Some(self.place_next(seen, newest))
        } else {
            self.place_older(seen, newest)
        }
    }

    /// A packet that is newer than all before it.
    fn place_next(&mut self, seen: Seen, newest: Reference) -> Place {
        let step = seen.sequence - newest.sequence;
        let others = std::mem::take(&mut self.others).min(step - 1);
        // Where its sound begins if those missing are as long as the last one, counted from the last one's beginning.
        let counted = (step - others) * newest.samples;
        let stamped = i64::from(seen.timestamp.wrapping_sub(newest.timestamp).cast_signed());
        let elapsed = seen.arrival - newest.arrival;
        if std::mem::take(&mut self.restarted) {
            self.belief = Belief::default();
            return self.jump(seen, newest, elapsed.max(counted));
        }
        let is_counting = self.believe(others, stamped, counted, elapsed);
        if is_counting {
            self.moved = 0;
            return self.advance(seen, newest.media + counted, false);
        }
        if stamped == counted {
            self.moved = 0;
            return self.advance(seen, newest.media + counted, false);
        }
        let by_timestamp = stamped - self.moved;
        let overlap = newest.samples - by_timestamp;
        let ahead = stamped - elapsed;
        if overlap > MAX_OVERLAP_MS * seen.clock_rate / 1_000 || ahead > MAX_AHEAD_MS * seen.clock_rate / 1_000 {
            return self.jump(seen, newest, elapsed.max(counted));
        }
        if overlap > 0 {
            self.before_jump = Some(newest);
            self.moved = counted - by_timestamp;
            return self.advance(seen, newest.media + counted, false);
        }
        // A pause takes its time; where that did not pass, the timestamps are of another clock.
        if by_timestamp > counted && others == 0 && elapsed - counted < (by_timestamp - counted) / 2 {
            self.moved = 0;
            return self.advance(seen, newest.media + counted, false);
        }
        self.moved = 0;
        self.advance(seen, newest.media + by_timestamp, false)
    }

    /// A packet that was overtaken: it belongs where its own mapping puts it, or that of before the jump.
    fn place_older(&self, seen: Seen, newest: Reference) -> Option<Place> {
        let step = seen.sequence - newest.sequence;
        let media = if matches!(self.belief, Belief::Counting(_)) {
            newest.media + step * newest.samples
        } else {
            // Whichever of the two its sequence number and timestamp agree with better.
            let by = |reference: Reference| {
                let offset = i64::from(seen.timestamp.wrapping_sub(reference.timestamp).cast_signed());
                let expected = (seen.sequence - reference.sequence) * reference.samples;
                ((offset - expected).abs(), reference.media + offset)
            };
            let (error, media) = by(newest);
            let (_, media) = self.before_jump.map(by).filter(|before| before.0 < error).unwrap_or((error, media));
            media
        };
        let believed = media <= newest.media && media > newest.media - MAX_BEHIND_S * seen.clock_rate;
        believed.then_some(Place { media, jumped: false })
    }

    /// Weighs a packet's timestamp against the sound. Says whether samples are to be counted.
    fn believe(&mut self, others: i64, stamped: i64, counted: i64, elapsed: i64) -> bool {
        let agrees = stamped == counted;
        match &mut self.belief {
            Belief::Believed(_) if others > 0 => {}
            Belief::Believed(doubt) if agrees => *doubt = Doubt::default(),
            Belief::Believed(doubt) => {
                doubt.packets += 1;
                doubt.stamped = doubt.stamped.saturating_add(stamped);
                doubt.sounding += counted;
                doubt.elapsed += elapsed;
                if doubt.packets >= DISTRUST_AFTER {
                    // Pauses between packets are no reason: then the clock agrees with the timestamps.
                    let off = |length: i64| length.saturating_sub(doubt.elapsed).abs();
                    let is_pausing = doubt.stamped > doubt.sounding && off(doubt.stamped) < off(doubt.sounding);
                    self.belief = if is_pausing { Belief::default() } else { Belief::Counting(0) };
                }
            }
            Belief::Counting(agreeing) if agrees => {
                *agreeing += 1;
                if *agreeing >= TRUST_AFTER {
                    self.belief = Belief::default();
                }
            }
            Belief::Counting(agreeing) => *agreeing = 0,
        }
        matches!(self.belief, Belief::Counting(_))
    }

    fn jump(&mut self, seen: Seen, newest: Reference, by: i64) -> Place {
        self.before_jump = Some(newest);
        self.moved = 0;
        self.advance(seen, newest.media + by, true)
    }

    fn advance(&mut self, seen: Seen, media: i64, jumped: bool) -> Place {
        self.newest = Some(Reference {
            timestamp: seen.timestamp,
            sequence: seen.sequence,
            media,
            samples: seen.samples,
            arrival: seen.arrival,
        });
        Place { media, jumped }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(sequence: i64, timestamp: u32, arrival: i64) -> Seen {
        Seen { sequence, timestamp, samples: 160, arrival, clock_rate: 8_000 }
    }

    #[test]
    fn timestamps_grow_across_their_wrap() {
        let mut timeline = Timeline::default();
        let first = timeline.place(seen(9, u32::MAX - 159, 0)).unwrap();
        let second = timeline.place(seen(10, 0, 160)).unwrap();
        assert_eq!(second.media - first.media, 160);
        let fourth = timeline.place(seen(12, 320, 480)).unwrap();
        let third = timeline.place(seen(11, 160, 500)).unwrap();
        assert_eq!(fourth.media - third.media, 160);
    }

    #[test]
    fn a_jump_of_the_timestamp_leaves_no_gap() {
        for jump in [1_000_000u32, 3_000_000_000, 0, 4_000] {
            let mut timeline = Timeline::default();
            let first = timeline.place(seen(1, 5_000, 0)).unwrap();
            let third = timeline.place(seen(3, 5_000u32.wrapping_add(jump), 320)).unwrap();
            assert_eq!(third.jumped, jump > 0);
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
    fn a_restart_goes_on_by_the_clock() {
        for timestamp in [77, 5_000, 5_160, 4_000_000_000] {
            let mut timeline = Timeline::default();
            let first = timeline.place(seen(1, 5_000, 0)).unwrap();
            timeline.restarted();
            let second = timeline.place(seen(2, timestamp, 900)).unwrap();
            assert!(second.jumped);
            assert_eq!(second.media - first.media, 900);
            let third = timeline.place(seen(3, timestamp.wrapping_add(160), 1_060)).unwrap();
            assert_eq!((third.media - second.media, third.jumped), (160, false));
        }
    }

    /// Timestamps of packets of 160 samples, which come one each 160 samples: where each is placed, less where it
    /// belongs.
    fn errors(timestamps: impl IntoIterator<Item = u32>) -> Vec<i64> {
        let mut timeline = Timeline::default();
        let each = |(n, timestamp): (i64, u32)| timeline.place(seen(n, timestamp, 160 * n)).unwrap().media - 160 * n;
        (0..).zip(timestamps).map(each).collect()
    }

    #[test]
    fn where_timestamps_disagree_with_the_sound_samples_are_counted() {
        for errors in [
            errors((0..200).map(|n| 320 * n)),
            errors((0..200).map(|n| 80 * n)),
            errors((0..200).map(|n| 960 * n)),
            errors((0..200).map(|n| 320 * (n / 2))),
            errors((0..200).map(|n| 480 * (n / 3))),
            errors((0..200).map(|_| 7)),
            errors((0..200).map(|n| 160 * n + n * n % 37)),
        ] {
            assert!(errors.iter().all(|error| error.abs() <= 36), "{errors:?}");
        }
    }

    #[test]
    fn timestamps_that_agree_again_are_believed_again() {
        let mut timeline = Timeline::default();
        for n in 0..50 {
            timeline.place(seen(n, 320 * n as u32, 160 * n));
        }
        let mut timestamp = 320 * 49;
        for n in 50..60 {
            timestamp += 160;
            assert_eq!(timeline.place(seen(n, timestamp, 160 * n)).unwrap().media, 160 * n);
        }
        let after_pause = timeline.place(seen(60, timestamp + 8_000, 160 * 59 + 8_000)).unwrap();
        assert_eq!(after_pause.media, 160 * 59 + 8_000);
    }

    #[test]
    fn a_sender_that_pauses_after_each_packet_is_believed() {
        let mut timeline = Timeline::default();
        for n in 0..50 {
            assert_eq!(timeline.place(seen(n, 480 * n as u32, 480 * n)).unwrap().media, 480 * n);
        }
    }
}
