//! The jitter buffer: see [`JitterBuffer`].

mod adjusting;
mod delay;
mod lifetime;
mod playing;
#[cfg(test)]
mod simulation;
mod store;
#[cfg(test)]
mod tests;
mod timeline;
mod types;

use super::Header;
use crate::types::micros_since;
use adjusting::Plan;
use delay::DelayControl;
use std::time::{Duration, Instant};
use store::{Entry, MAX_PAYLOAD, Store};
use timeline::{Seen, Timeline};
pub use types::{Inserted, LifetimeStatistics, Pull, Recovery, Settings, Statistics};

/// Packets of so many frames are taken: 200 ms (RFC 3551 section 4.2).
const LONGEST_FRAMES: usize = 10;
/// Packets without audio that are remembered: those at whose place nothing is missing.
const OTHERS: usize = 4;

/// Puts packets in order and in time. What sequence numbers mean is judged before, by `crate::rtp::sequence::Source`.
/// Drive it so, once for each 20 ms tick, after inserting what arrived
/// (`playout` is the leg's store of decoded samples, `crate::audio::playout::Playout`):
///
/// ```text
/// loop {
///     match buffer.pull(tick, playout.len()) {
///         Pull::Packet { payload_type, payload } => { decode; playout.push(samples) }
///         Pull::Conceal(n)  => playout.conceal(n),
///         Pull::Recover { samples, payload, .. } => {
///             decode what it carries of them; playout.push(samples);
///             buffer.recovered(samples, what it carried)
///         }
///         Pull::Silence(n)  => playout.silence(n),
///         Pull::Shorten { most, force }  => { let n = playout.shorten(most, force); buffer.shortened(n) }
///         Pull::Lengthen { most, force } => { let n = playout.lengthen(most, force); buffer.lengthened(n) }
///         Pull::Done => break,
///     }
/// }
/// playout.take(&mut frame);
/// ```
///
/// The loop ends after a dozen steps at most. `tick` is the tick's nominal time, not the moment at which a late
/// thread got to it, and differs from tick to tick.
///
/// Packets of any length (to 200 ms) are handed out whole and in order, so a decoder may have state. A packet is
/// handed out at the tick that needs it; how long before that it arrived is its *slack*:
///
/// - On a clean line each packet leaves at the tick after its arrival.
/// - A packet that is not there when needed is concealed. If it comes while nothing newer was played, it is played
///   then, and the delay has grown by what was concealed; if a newer one is there in its stead, it was lost, and the
///   delay stays. A packet that comes too late for that is dropped; the second within two seconds makes the delay grow.
/// - On a line that loses, the delay grows by a packet, or by two where several are lost in a row: so a packet is there
///   that follows the lost one, and is handed out with the concealment, which can be led to it. Where packets describe
///   several that went before them it grows by all of a gap, 100 ms at most. After 30 s without a loss the delay may shrink again.
/// - When for three seconds every packet had slack for a whole step (a frame, or a packet where packets are shorter)
///   and a little more, the delay shrinks by pieces that are taken out of the decoded sound. Where that turns out to be
///   a mistake, the three seconds double, up to 48. A sender's clock that is off by some ppm needs nothing else.
/// - Where the line stood still and all that it held up comes at once, the delay that this made is taken out again as
///   soon as 300 ms of what follows show that it is not needed: two seconds after a stall it is what it was.
/// - When nothing comes for 100 ms, or the sender says so, it is a pause; the first packet after it is played when it
///   is due, earlier by the slack that nobody needed, and at once after five seconds.
#[derive(Debug)]
pub struct JitterBuffer {
    clock_rate: i64,
    recovers: bool,
    /// Whether the last packet that mended a loss carries more than the one before it.
    describes: bool,
    max_delay: i64,
    /// Samples in a tick.
    frame: usize,
    epoch: Option<Instant>,
    timeline: Timeline,
    store: Store,
    newest: i64,
    playing: bool,
    /// The sequence number that follows the one last handed out.
    next_sequence: i64,
    /// The sample that follows the last one handed out.
    next_media: i64,
    /// Samples concealed since then.
    stalled: i64,
    /// Samples and times counted as concealed since then: undone when it turns out that nothing was missing.
    suspected: (u64, u64),
    /// The sender said that it pauses after this sequence number.
    pause_after: Option<i64>,
    /// The newest sequence numbers whose packets carry no audio.
    others: [i64; OTHERS],
    /// When which sample plays.
    anchor: Option<Anchor>,
    control: DelayControl,
    plan: Plan,
    tick: Option<(Instant, i64)>,
    adjusted: bool,
    statistics: Statistics,
}

/// A sample and the time (microseconds) at which it plays.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    time: i64,
    media: i64,
}

impl JitterBuffer {
    /// An empty buffer, 8 KiB. The only call that allocates.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            clock_rate: i64::from(settings.clock_rate.max(1_000)),
            recovers: settings.recovers,
            describes: false,
            max_delay: i64::try_from(settings.max_delay.as_micros()).unwrap_or(i64::MAX).min(1_000_000),
            frame: settings.clock_rate.max(1_000) as usize / 50,
            epoch: None,
            timeline: Timeline::default(),
            store: Store::new(),
            newest: i64::MIN,
            playing: false,
            next_sequence: i64::MIN,
            next_media: 0,
            stalled: 0,
            suspected: (0, 0),
            pause_after: None,
            others: [i64::MIN; OTHERS],
            anchor: None,
            control: DelayControl::new(0),
            plan: Plan::default(),
            tick: None,
            adjusted: false,
            statistics: Statistics::default(),
        }
    }

    /// Takes a packet of audio in: `sequence` is its place by [`sequence::Verdict`](crate::rtp::sequence::Verdict),
    /// never the same twice; `arrival` the kernel's time of arrival; `samples` the length of its sound at the clock
    /// rate.
    pub fn insert(
        &mut self,
        arrival: Instant,
        sequence: i64,
        header: &Header,
        samples: usize,
        payload: &[u8],
    ) -> Inserted {
        if samples > LONGEST_FRAMES * self.frame || payload.len() > MAX_PAYLOAD {
            self.statistics.too_long += 1;
            self.insert_other(arrival, sequence);
            return Inserted::TooLong;
        }
        if samples == 0 || payload.is_empty() {
            self.insert_other(arrival, sequence);
            return Inserted::Empty;
        }
        let arrival = self.time_of(arrival);
        let samples = signed(samples);
        let place = self.timeline.place(Seen {
            sequence,
            timestamp: header.timestamp,
            samples,
            arrival: self.samples_in(arrival),
            clock_rate: self.clock_rate,
        });
        let Some(place) = place else {
            self.statistics.late += 1;
            return Inserted::Late;
        };
        self.statistics.resyncs += u64::from(place.jumped);
        self.newest = self.newest.max(sequence);
        if sequence < self.next_sequence {
            self.late(arrival, place.media, samples);
            return Inserted::Late;
        }
        if self.pause_after.is_some_and(|pause| pause < sequence) {
            self.pause_after = None;
        }
        let entry = Entry::new(sequence, place.media, samples, arrival, header.payload_type);
        self.statistics.skipped += self.store.insert(entry, payload);
        self.statistics.stored += 1;
        Inserted::Stored
    }

    /// Takes note of a packet of the same source that carries no audio (a telephone event, comfort noise): what follows
    /// until the next packet of audio is silence and not to be concealed.
    pub fn insert_other(&mut self, arrival: Instant, sequence: i64) {
        let _ = self.time_of(arrival);
        self.timeline.note(sequence);
        self.others.rotate_right(1);
        self.others[0] = sequence;
        if sequence > self.newest && self.newest != i64::MIN {
            self.pause_after = Some(sequence);
        }
    }

    /// The sender says with the packet of this sequence number, which was inserted, that it pauses after it.
    pub fn pause_after(&mut self, sequence: i64) {
        if sequence >= self.newest {
            self.pause_after = Some(sequence);
        }
    }

    /// The source began anew with the packet that is inserted next
    /// ([`Verdict::Restarted`](crate::rtp::sequence::Verdict)): its timestamps may have, too.
    pub fn source_restarted(&mut self) {
        self.timeline.restarted();
    }

    /// Forgets all packets and all that was learned (another SSRC, another codec): the next packet is played at the
    /// next tick. Counters stay.
    pub fn restart(&mut self) {
        self.timeline = Timeline::default();
        self.store.clear();
        self.newest = i64::MIN;
        self.playing = false;
        self.next_sequence = i64::MIN;
        self.stalled = 0;
        self.describes = false;
        self.suspected = (0, 0);
        self.pause_after = None;
        self.others = [i64::MIN; OTHERS];
        self.anchor = None;
        self.control = DelayControl::new(self.tick.map_or(0, |(_, now)| now));
        self.plan = Plan::default();
    }

    /// Packets of another clock follow: what waits is forgotten as by [`JitterBuffer::restart`]. The longest delay
    /// stays.
    pub fn change_clock(&mut self, clock_rate: u32, recovers: bool) {
        self.recovers = recovers;
        let clock_rate = clock_rate.max(1_000);
        if self.clock_rate != i64::from(clock_rate) {
            self.clock_rate = i64::from(clock_rate);
            self.frame = clock_rate as usize / 50;
            self.restart();
        }
    }

    /// Ticks will come so many microseconds later than they came until now, or earlier, and everything with them.
    pub fn shift(&mut self, micros: i64) {
        if let Some(anchor) = &mut self.anchor {
            anchor.time += micros;
        }
        self.control.shift(micros);
    }

    /// By how much the ticks could come earlier without a packet being late, as far as the last seconds tell; `None`
    /// while too little was seen, or the delay is about to change anyway.
    #[must_use]
    pub fn slack(&self) -> Option<Duration> {
        if !self.playing || self.plan.shorten > 0 || self.plan.lengthen > 0 {
            return None;
        }
        let slack = self.control.least(self.tick?.1)?;
        Some(Duration::from_micros(u64::try_from(slack).unwrap_or(0)))
    }

    /// Whether [`JitterBuffer::shift`] by so much makes no packet late, as far as is known.
    #[must_use]
    pub fn endures(&self, micros: i64) -> bool {
        !self.playing
            || micros >= 0
            || self.slack().is_some_and(|slack| slack.as_micros() >= u128::from(micros.unsigned_abs()))
    }

    /// How long before the newest tick the delay grew last, if ever.
    #[must_use]
    pub fn grew_ago(&self) -> Option<Duration> {
        let grown_at = self.control.grown_at()?;
        Some(Duration::from_micros(u64::try_from(self.tick?.1 - grown_at).unwrap_or(0)))
    }

    /// Whether there is nothing to play and nobody talking: a tick may be skipped for this leg, as silence.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        !self.playing && self.store.is_empty()
    }

    /// The sequence number that follows the packet handed out last.
    #[must_use]
    pub const fn next_sequence(&self) -> i64 {
        self.next_sequence
    }

    /// Whether what it plays is made up, or silence in the place of sound that may be missing.
    #[must_use]
    pub const fn is_making_up(&self) -> bool {
        self.stalled > 0
    }

    /// What it counted.
    #[must_use]
    pub const fn statistics(&self) -> Statistics {
        self.statistics
    }

    /// A packet came after what follows it was played.
    fn late(&mut self, arrival: i64, media: i64, samples: i64) {
        self.statistics.late += 1;
        self.control.came_late();
        let (Some(anchor), Some((_, tick))) = (self.anchor, self.tick) else { return };
        let sounds = anchor.time + self.time_for(media - anchor.media + self.stalled);
        // One of several in a frame was needed when the frame began.
        let frame = signed(self.frame);
        let within = if samples < frame { (sounds - tick).rem_euclid(self.time_for(frame)) } else { 0 };
        let due = sounds - within;
        let deficit = arrival - due;
        if !self.playing || deficit <= 0 {
            return;
        }
        if let Some(deficit) = self.control.out_of_reach(arrival, deficit) {
            let frames = (self.samples_in(deficit) / frame + 1).min(self.samples_in(self.max_delay) / frame);
            self.plan.shorten = 0;
            self.plan.tries = 0;
            let missing = frames * frame - self.samples_in(within);
            self.plan.lengthen = self.plan.lengthen.max(usize::try_from(missing).unwrap_or(0));
        }
    }

    /// Microseconds since the first time the buffer saw.
    fn time_of(&mut self, at: Instant) -> i64 {
        let epoch = *self.epoch.get_or_insert(at);
        micros_since(epoch, at)
    }

    const fn samples_in(&self, micros: i64) -> i64 {
        micros.saturating_mul(self.clock_rate) / 1_000_000
    }

    const fn time_for(&self, samples: i64) -> i64 {
        samples.saturating_mul(1_000_000) / self.clock_rate
    }
}

const fn signed(samples: usize) -> i64 {
    samples as i64
}
