//! What is played at a tick: packets in their order, and what stands in for those that are not there.

use super::store::Entry;
use super::{Anchor, JitterBuffer, Pull, Recovery, signed};
use std::time::{Duration, Instant};

/// From a tick to the next.
const TICK: Duration = Duration::from_millis(20);
const TICK_US: i64 = 20_000;
/// Concealment goes on for so long; after that it is silence (it has faded by then).
const CONCEAL_MS: i64 = 100;
/// After so long a silence nothing of what was learned holds: playing begins at once.
const FORGET_US: i64 = 5_000_000;
/// Frames that a gap and the packet behind it may have to be concealed and played at once.
const MENDED: usize = 6;
/// So many packets of a gap, and microseconds, are waited for at most, so that it can be led to what follows.
const LED: i64 = 2;
const LED_US: i64 = 60_000;
/// The same where it can be made of what follows.
const DESCRIBED_US: i64 = 100_000;
/// Concealment that joins two pieces of sound which do not belong together.
const BRIDGE_MS: usize = 5;

impl JitterBuffer {
    /// The next thing to do for the tick at `tick`; `pending` is how many decoded samples the playout holds.
    pub fn pull(&mut self, tick: Instant, pending: usize) -> Pull<'_> {
        let now = match self.tick {
            Some((at, now)) if at == tick => now,
            _ => self.begin(tick, pending),
        };
        if pending >= self.frame {
            return match self.behind_a_gap() {
                Some(entry) => self.hand_out_early(now, pending, entry),
                None => self.adjust(now, pending),
            };
        }
        let need = self.frame - pending;
        if self.plan.bridge > 0 {
            let bridge = std::mem::take(&mut self.plan.bridge).min(need);
            return self.conceal(bridge);
        }
        let first = self.store.first_from(self.next_sequence);
        match (self.playing, first) {
            (false, None) => Pull::Silence(need),
            (false, Some(entry)) if self.early(now, &entry).is_some_and(|early| early > self.control.spare(now)) => {
                Pull::Silence(need)
            }
            (false, Some(entry)) => {
                // Packets that do not fill frames evenly: where the next one could not be here in time, begin late in
                // the frame.
                let uneven = signed(self.frame - gcd(usize::try_from(entry.samples).unwrap_or(0), self.frame));
                if pending == 0 && uneven > 0 && self.samples_in(now - entry.arrival) < uneven {
                    return Pull::Silence(usize::try_from(uneven).unwrap_or(0));
                }
                let late = self.count_silence(now, pending, &entry);
                self.playing = true;
                self.control.spurt(now, self.early(now, &entry));
                self.control.stalled(now, self.time_for(late));
                self.hand_out(now, pending, entry)
            }
            (true, None) => self.underrun(need),
            (true, Some(entry)) => self.play_next(now, pending, entry),
        }
    }

    /// A tick begins. Gives its time.
    fn begin(&mut self, tick: Instant, pending: usize) -> i64 {
        // Ticks mostly follow each other by a frame: that is less to reckon than a difference of two times.
        let now = match self.tick {
            Some((before, then)) if before + TICK == tick => then + TICK_US,
            _ => self.time_of(tick),
        };
        self.tick = Some((tick, now));
        self.adjusted = false;
        self.plan.rest = self.plan.rest.saturating_add(1);
        self.bound(pending);
        if self.playing {
            self.control.tick(pending);
            self.plan_shortening(now);
        }
        now
    }

    /// Throws the oldest packets away when more waits than the longest delay.
    fn bound(&mut self, pending: usize) {
        let Some(last) = self.store.last() else { return };
        let most = self.samples_in(self.max_delay) - signed(pending);
        let end = last.media + last.samples;
        let Some(mut first) = self.store.first_from(self.next_sequence) else { return };
        // The last packet may be longer than a frame; no sound waits longer for that.
        if end - first.media.max(self.next_media) <= most + signed(self.frame).max(last.samples) {
            return;
        }
        let oldest = first.sequence;
        while end - first.media > most
            && let Some(next) = self.store.first_from(first.sequence + 1)
        {
            first = next;
        }
        if first.sequence == oldest {
            return;
        }
        self.statistics.skipped += self.store.discard_before(first.sequence);
        if self.playing {
            self.next_sequence = first.sequence;
            self.next_media = first.media;
            self.stalled = 0;
            self.plan.bridge = BRIDGE_MS * self.frame / 20;
        }
    }

    /// How long before its due time the first packet after a pause would be played now; `None` when the past tells
    /// nothing of that.
    fn early(&self, now: i64, entry: &Entry) -> Option<i64> {
        let anchor = self.anchor.filter(|anchor| now - anchor.time <= FORGET_US)?;
        let early = anchor.time + self.time_for(entry.media - anchor.media) - now;
        (early <= self.max_delay).then_some(early)
    }

    /// Nothing is there to be played.
    fn underrun(&mut self, need: usize) -> Pull<'_> {
        if self.pause_after.is_some() || self.stalled >= self.clock_rate * CONCEAL_MS / 1_000 {
            self.playing = false;
            return Pull::Silence(need);
        }
        self.stalled += signed(need);
        self.conceal(need)
    }

    /// Something is there; perhaps not what should come next.
    fn play_next(&mut self, now: i64, pending: usize, entry: Entry) -> Pull<'_> {
        let missing = entry.media - self.next_media - self.stalled;
        if missing <= 0 || missing > self.samples_in(self.max_delay) {
            return self.hand_out(now, pending, entry);
        }
        // Where a packet without audio stands the sender paused, and has gone on meanwhile.
        let lost = entry.sequence > self.next_sequence && !self.others.contains(&self.next_sequence);
        if lost && self.recovers {
            return self.recover(missing, pending, entry);
        }
        let fill = usize::try_from(missing).unwrap_or(0);
        let is_mended = lost && fill + usize::try_from(entry.samples).unwrap_or(0) <= MENDED * self.frame;
        let fill = if is_mended { fill } else { fill.min(self.frame - pending) };
        self.stalled += signed(fill);
        if lost && self.stalled <= self.clock_rate * CONCEAL_MS / 1_000 {
            self.conceal(fill)
        } else {
            self.statistics.silent_samples += if lost { fill as u64 } else { 0 };
            Pull::Silence(fill)
        }
    }

    /// What follows a gap that was concealed just now is handed out with it, so that the one can be led to the other.
    fn behind_a_gap(&self) -> Option<Entry> {
        if self.recovers || !self.playing || self.suspected.1 == 0 {
            return None;
        }
        let entry = self.store.first_from(self.next_sequence)?;
        (entry.media == self.next_media + self.stalled).then_some(entry)
    }

    /// Hands a packet out that is needed only when what waits in the playout is played.
    fn hand_out_early(&mut self, now: i64, pending: usize, entry: Entry) -> Pull<'_> {
        let ticks = signed(pending / self.frame);
        self.take_out(now, pending, entry, self.time_for(ticks * signed(self.frame)))
    }

    /// What is before `entry` is lost, `missing` samples from here on, and it may carry what mends that: the packet
    /// right before it, whole, or more.
    fn recover(&mut self, missing: i64, pending: usize, entry: Entry) -> Pull<'_> {
        let more = missing - entry.samples;
        let samples = match (more, usize::try_from(more)) {
            (1.., Ok(more)) => more.min(self.frame - pending),
            _ => usize::try_from(missing).unwrap_or(0),
        };
        self.stalled += signed(samples);
        if self.stalled > self.clock_rate * CONCEAL_MS / 1_000 {
            self.statistics.silent_samples += samples as u64;
            return Pull::Silence(samples);
        }
        match self.store.payload(&entry) {
            Some(payload) => {
                let ahead = usize::try_from(missing).unwrap_or(0);
                Pull::Recover { samples, ahead, payload_type: entry.payload_type, payload }
            }
            None => Pull::Conceal(samples),
        }
    }

    /// So many samples of [`Pull::Recover`] were made of what the packet carries, or, where it does not, guessed.
    pub fn recovered(&mut self, samples: usize, recovery: Recovery) {
        if recovery == Recovery::Nothing {
            let _ = self.conceal(samples);
        } else {
            self.statistics.recoveries += 1;
            self.describes = recovery == Recovery::Several;
        }
    }

    fn conceal(&mut self, samples: usize) -> Pull<'_> {
        self.statistics.concealed_samples += samples as u64;
        self.statistics.concealments += 1;
        self.suspected.0 += samples as u64;
        self.suspected.1 += 1;
        Pull::Conceal(samples)
    }

    /// Packets before `entry` are lost.
    fn note_gap(&mut self, now: i64, entry: &Entry) {
        let packet = self.time_for(entry.samples.max(signed(self.frame)));
        let most = match (self.recovers, self.describes) {
            // What mends a loss is in the next packet alone.
            (true, false) => packet.min(LED_US),
            (true, true) => DESCRIBED_US,
            (false, _) => (LED * packet).min(LED_US),
        };
        let lost = entry.sequence - self.next_sequence;
        if let Some(missing) = self.control.lost(now, lost, packet, most) {
            // A packet comes a tick later, or it does not.
            let frames = usize::try_from(self.samples_in(missing)).unwrap_or(0).div_ceil(self.frame);
            self.plan.shorten = 0;
            self.plan.tries = 0;
            self.plan.lengthen = self.plan.lengthen.max(frames * self.frame);
        }
    }

    /// Hands a packet out.
    pub(super) fn hand_out(&mut self, now: i64, pending: usize, entry: Entry) -> Pull<'_> {
        self.take_out(now, pending, entry, 0)
    }

    /// Hands a packet out that is needed `later`, in microseconds from now.
    fn take_out(&mut self, now: i64, pending: usize, entry: Entry, later: i64) -> Pull<'_> {
        let grown = self.stalled - (entry.media - self.next_media);
        if self.stalled > 0 && grown > 0 {
            self.control.grew(now);
            self.control.stalled(now, self.time_for(grown));
        }
        let (samples, times) = std::mem::take(&mut self.suspected);
        if self.stalled > 0 && entry.sequence > self.next_sequence && !self.others.contains(&self.next_sequence) {
            self.note_gap(now, &entry);
        }
        if entry.sequence == self.next_sequence && entry.media - self.next_media >= self.stalled {
            // Nothing was missing: the sender had paused.
            self.statistics.concealed_samples -= samples;
            self.statistics.concealments -= times;
        }
        self.store.remove(&entry);
        let slack = now - entry.arrival;
        self.control.taken(slack + later, entry.arrival);
        self.next_sequence = entry.sequence + 1;
        self.next_media = entry.media + entry.samples;
        self.stalled = 0;
        self.anchor = Some(Anchor { time: now + self.time_for(signed(pending)), media: entry.media });
        let delay = slack + self.time_for(signed(pending));
        self.statistics.delay_us = u64::try_from(delay).unwrap_or(0);
        self.statistics.max_delay_us = self.statistics.max_delay_us.max(self.statistics.delay_us);
        match self.store.payload(&entry) {
            Some(payload) => Pull::Packet { payload_type: entry.payload_type, payload },
            None => {
                // Overwritten: more came in than the longest delay holds.
                self.statistics.skipped += 1;
                let samples = usize::try_from(entry.samples).unwrap_or(0);
                self.statistics.concealed_samples += samples as u64;
                Pull::Conceal(samples)
            }
        }
    }
}

const fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
