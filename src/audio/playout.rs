//! A leg's decoded samples on their way to the tick: see [`Playout`].

use super::concealment::{Concealment, HISTORY, fade};
use super::{FRAME_8K, Frame, Rate, time_scale};
use std::ops::Range;

/// Samples that may wait, at 8 kHz: more than a packet of 200 ms, what waited before it and all that is put in at once.
const CAPACITY: usize = 13 * FRAME_8K;
/// Sound that follows silence rises over 2 ms.
const RISE: usize = 16;
/// Sound before silence falls over 5 ms.
const FALL: usize = 40;
/// The longest that a decoder settles, at 8 kHz: 5 ms.
pub const MOST_SETTLING: usize = 40;

/// The store of decoded samples between decoder and tick: appends, conceals, shortens, lengthens, and hands out frames.
///
/// The driving loop stands at `crate::rtp::JitterBuffer`. Fixed size, about 6 KiB for 8 kHz and six times that for 48;
/// nothing allocates after [`Playout::new`].
#[derive(Debug, Clone)]
pub struct Playout {
    rate: Rate,
    /// From `start` on: what was played, and behind it what waits. It wanders up, and is moved down when there is no
    /// room behind it. It has room for the highest rate; of it is used what the present rate needs.
    buffer: Box<[i16]>,
    /// How much of the buffer is used, and how much of that is what was played.
    used: usize,
    history: usize,
    start: usize,
    len: usize,
    ending: Ending,
    /// Concealed samples at the end of what waits.
    gap: usize,
    /// Apart: it is seldom needed.
    concealment: Box<Concealment>,
}

/// What the last samples appended were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Sound,
    Concealed,
    Noise,
    Silence,
}

impl Playout {
    /// An empty playout for rates up to `highest`, set to that.
    #[must_use]
    pub fn new(highest: Rate) -> Self {
        let used = (HISTORY + CAPACITY) * highest.scale();
        Self {
            rate: highest,
            buffer: vec![0; used].into_boxed_slice(),
            used,
            history: HISTORY * highest.scale(),
            start: 0,
            len: 0,
            ending: Ending::Silence,
            gap: 0,
            concealment: Box::new(Concealment::new(highest.scale())),
        }
    }

    /// The rate of its samples.
    #[must_use]
    pub const fn rate(&self) -> Rate {
        self.rate
    }

    /// Whether it has room for a rate.
    #[must_use]
    pub const fn holds(&self, rate: Rate) -> bool {
        (HISTORY + CAPACITY) * rate.scale() <= self.buffer.len()
    }

    /// Sound of another rate follows, one that it [holds](Playout::holds); what it has is forgotten.
    pub fn set_rate(&mut self, rate: Rate) {
        if rate != self.rate && self.holds(rate) {
            self.rate = rate;
            self.used = (HISTORY + CAPACITY) * rate.scale();
            self.history = HISTORY * rate.scale();
            self.clear();
        }
    }

    /// Decoded samples that wait.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether none waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends `count` samples which `decode` writes into the slice it is given (its contents are stale: all of it must
    /// be written). Concealment before it that still waits is led to it; what follows played concealment is faded into.
    /// More than fits is cut off; a packet is never that long.
    #[inline]
    pub fn push_with(&mut self, count: usize, decode: impl FnOnce(&mut [i16])) {
        self.push_settling(count, 0, decode);
    }

    /// The same of a decoder whose first `settling` samples are not to be believed where something was lost before
    /// them, at most [`MOST_SETTLING`] at 8 kHz: the first half of those is made up as well, the rest faded into.
    pub fn push_settling(&mut self, count: usize, settling: usize, decode: impl FnOnce(&mut [i16])) {
        if self.ending == Ending::Noise {
            self.start_concealment();
        }
        let place = self.room(count);
        decode(&mut self.buffer[place.clone()]);
        if self.ending != Ending::Sound {
            self.begin_sound(place, settling);
        }
    }

    /// Appends samples, as [`Playout::push_with`].
    pub fn push(&mut self, samples: &[i16]) {
        self.push_with(samples.len(), |out| out.copy_from_slice(&samples[..out.len()]));
    }

    /// Appends `count` samples made from what was heard before; they fade to silence within 120 ms.
    pub fn conceal(&mut self, count: usize) {
        if matches!(self.ending, Ending::Sound | Ending::Noise) {
            self.start_concealment();
            self.ending = Ending::Concealed;
            self.gap = 0;
        }
        let silent = self.ending == Ending::Silence;
        let place = self.room(count);
        self.gap += place.len();
        let out = &mut self.buffer[place];
        if silent {
            out.fill(0);
        } else {
            self.concealment.fill(out);
        }
    }

    /// Shows the last `count` samples, which are concealed, with `before` that precede them, and `behind` more that
    /// would follow. Nothing where that is more than 100 ms.
    pub fn show_concealed(&mut self, count: usize, before: usize, behind: usize, show: impl FnOnce(&[i16])) {
        let mut sound = [0; 5 * FRAME_8K * Rate::Full.scale()];
        let end = self.start + self.history + self.len;
        let Some(from) = end.checked_sub(count + before) else { return };
        let Some(sound) = sound.get_mut(..before + count + behind) else { return };
        let (made, more) = sound.split_at_mut(before + count);
        made.copy_from_slice(&self.buffer[from..end]);
        if self.ending == Ending::Concealed {
            self.concealment.preview(more);
        }
        show(sound);
    }

    /// Appends `count` samples of the noise of a pause, which `fill` writes as for [`Playout::push_with`]: faded over
    /// with the sound before and behind it.
    pub fn noise(&mut self, count: usize, fill: impl FnOnce(&mut [i16])) {
        if self.ending == Ending::Sound {
            self.start_concealment();
        }
        let place = self.room(count);
        let out = &mut self.buffer[place];
        fill(out);
        let fade = (FALL * self.rate.scale()).min(out.len());
        match self.ending {
            Ending::Noise => {}
            Ending::Silence => rise(out, fade),
            Ending::Sound | Ending::Concealed => {
                let mut before = [0; FALL * Rate::Full.scale()];
                self.concealment.fill(&mut before[..fade]);
                for (i, (sample, before)) in out.iter_mut().zip(&before[..fade]).enumerate() {
                    *sample = scaled(*sample, i + 1, fade) + scaled(*before, fade - i - 1, fade);
                }
            }
        }
        self.ending = Ending::Noise;
    }

    /// Appends `count` samples of silence, faded into.
    pub fn silence(&mut self, count: usize) {
        if self.ending == Ending::Silence {
            let place = self.room(count);
            self.buffer[place].fill(0);
            return;
        }
        let before = self.len;
        self.conceal(count);
        let waiting = self.start + self.history;
        let fall = FALL * self.rate.scale();
        let out = &mut self.buffer[waiting + before..waiting + self.len];
        for (i, sample) in out.iter_mut().enumerate() {
            *sample = scaled(*sample, fall.saturating_sub(i + 1), fall);
        }
        self.ending = Ending::Silence;
    }

    /// Removes up to `most` samples where it is heard least (a pitch period, or a piece of silence). Returns how many:
    /// 0 where there is no such place and `force` is not given.
    pub fn shorten(&mut self, most: usize, force: bool) -> usize {
        let waiting = &mut self.buffer[self.start + self.history..self.used];
        let removed = time_scale::shorten(waiting, self.len, most, force, self.rate.scale());
        self.len -= removed;
        removed
    }

    /// Inserts up to `most` samples where it is heard least. Returns how many, as [`Playout::shorten`].
    pub fn lengthen(&mut self, most: usize, force: bool) -> usize {
        self.move_down();
        let waiting = &mut self.buffer[self.history..self.used];
        let inserted = time_scale::lengthen(waiting, self.len, most, force, self.rate.scale());
        self.len += inserted;
        inserted
    }

    /// Takes the next 20 ms: a frame at its [rate](Playout::rate). What is missing is concealed.
    pub fn take(&mut self, frame: &mut [i16]) {
        let length = frame.len();
        if self.len < length {
            self.conceal(length - self.len);
        }
        let waiting = self.start + self.history;
        let next = &self.buffer[waiting..waiting + length];
        match <&mut Frame>::try_from(&mut *frame) {
            Ok(narrow) => narrow.copy_from_slice(next),
            Err(_) => frame.copy_from_slice(next),
        }
        self.start += length;
        self.len -= length;
        self.gap = self.gap.min(self.len);
    }

    /// Forgets all, the past included.
    pub fn clear(&mut self) {
        self.start = 0;
        self.buffer[..self.history].fill(0);
        self.len = 0;
        self.ending = Ending::Silence;
    }

    /// Sound was written to `place`, before which there was none, and its first `settling` samples are in doubt.
    #[inline(never)]
    fn begin_sound(&mut self, place: Range<usize>, settling: usize) {
        let out = &mut self.buffer[place.clone()];
        match self.ending {
            Ending::Sound => {}
            Ending::Concealed => self.mend(place, settling),
            Ending::Noise => self.concealment.recover(out),
            Ending::Silence => rise(out, RISE * self.rate.scale()),
        }
        self.ending = Ending::Sound;
    }

    /// The same behind concealment.
    fn mend(&mut self, place: Range<usize>, settling: usize) {
        let gap = place.start - self.gap.min(self.len - place.len());
        let settling = settling.min(place.len()).min(MOST_SETTLING * self.rate.scale());
        let mut decoded = [0; MOST_SETTLING * Rate::Full.scale()];
        let decoded = &mut decoded[..settling];
        let (before, out) = self.buffer[..place.end].split_at_mut(place.start + settling);
        let doubtful = &mut before[place.start..];
        decoded.copy_from_slice(doubtful);
        self.concealment.preview(doubtful);
        let is_mended = self.concealment.mend(&mut before[gap..], out);
        if is_mended {
            let half = settling / 2;
            fade(&mut before[place.start + half..], &decoded[half..]);
        } else {
            before[place.start..].copy_from_slice(decoded);
            self.concealment.recover(&mut self.buffer[place]);
        }
    }

    /// What was appended last is to go on.
    #[inline(never)]
    fn start_concealment(&mut self) {
        let end = self.start + self.history + self.len;
        self.concealment.start(&self.buffer[end - self.history..end], self.rate.scale());
    }

    /// Makes the next `count` samples part of what waits, as far as there is room: where they are.
    fn room(&mut self, count: usize) -> Range<usize> {
        if self.start + self.history + self.len + count > self.used {
            self.move_down();
        }
        let begin = self.start + self.history + self.len;
        let end = (begin + count).min(self.used);
        self.len += end - begin;
        begin..end
    }

    fn move_down(&mut self) {
        self.buffer.copy_within(self.start..self.start + self.history + self.len, 0);
        self.start = 0;
    }
}

/// The first `over` samples rise from nothing.
fn rise(samples: &mut [i16], over: usize) {
    for (i, sample) in samples.iter_mut().take(over).enumerate() {
        *sample = scaled(*sample, i + 1, over);
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "part is at most whole, both small")]
fn scaled(sample: i16, part: usize, whole: usize) -> i16 {
    (i32::from(sample) * part as i32 / whole as i32) as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::tone::Tone;
    use std::time::Duration;

    fn taken(playout: &mut Playout) -> Frame {
        let mut frame = [0; FRAME_8K];
        playout.take(&mut frame);
        frame
    }

    #[test]
    fn what_goes_in_comes_out_in_frames() {
        let mut playout = Playout::new(Rate::Narrow);
        playout.push(&[7; 240]);
        assert_eq!(playout.len(), 240);
        assert_eq!(taken(&mut playout)[RISE..], [7; FRAME_8K - RISE]);
        playout.push_with(240, |out| out.fill(9));
        let frame = taken(&mut playout);
        assert_eq!((frame[..80].to_vec(), frame[80..].to_vec()), (vec![7; 80], vec![9; 80]));
        assert_eq!(taken(&mut playout), [9; FRAME_8K]);
        assert!(playout.is_empty());
    }

    #[test]
    fn a_gap_is_bridged_and_silence_is_faded_into() {
        let tone = Tone::sine(200.0, -12.0).samples(Duration::from_millis(400));
        let steepest = tone.windows(2).map(|w| (w[1] - w[0]).abs()).max().unwrap();
        let mut playout = Playout::new(Rate::Narrow);
        let mut heard = Vec::new();
        let mut rest = tone.chunks(160);
        for step in 0..18 {
            match step {
                5 | 9 => playout.conceal(160),
                11 => playout.silence(160),
                12 => {} // nothing at all
                13 => playout.silence(100),
                _ => playout.push(rest.next().unwrap()),
            }
            heard.extend(taken(&mut playout));
        }
        let worst = heard.windows(2).map(|w| (w[1] - w[0]).abs()).max().unwrap();
        assert!(worst <= steepest * 2, "{worst} {steepest}");
        assert_eq!(heard[12 * 160..13 * 160], [0; 160]);
        playout.clear();
        assert_eq!(taken(&mut playout), [0; 160]);
    }

    #[test]
    fn a_gap_that_was_not_played_yet_is_led_to_the_sound_behind_it() {
        let tone: Vec<i16> = Tone::sine(200.0, -12.0).samples(Duration::from_millis(200));
        // The sound goes on half a period further: what was made up ends where it should not.
        let (before, behind) = (&tone[..480], &tone[660..820]);
        let [alone, mended] = [true, false].map(|is_played| {
            let mut playout = Playout::new(Rate::Narrow);
            before.chunks(160).for_each(|sound| {
                playout.push(sound);
                taken(&mut playout);
            });
            playout.conceal(160);
            let mut heard = Vec::new();
            if is_played {
                heard.extend(taken(&mut playout));
            }
            playout.push(behind);
            while !playout.is_empty() {
                heard.extend(taken(&mut playout));
            }
            heard
        });
        assert_ne!(alone[160..], *behind, "what was played can only be faded over");
        assert_eq!(mended[160..], *behind);
        let worst = mended.windows(2).map(|pair| (pair[1] - pair[0]).abs()).max().unwrap();
        let steepest = tone.windows(2).map(|pair| (pair[1] - pair[0]).abs()).max().unwrap();
        assert!(worst <= steepest * 2, "{worst} {steepest}");
    }

    #[test]
    fn what_a_decoder_makes_before_it_has_settled_is_not_heard() {
        for rate in [Rate::Narrow, Rate::Wide] {
            let frame = rate.frame();
            let step = std::f64::consts::TAU * 200.0 / f64::from(rate.hertz());
            let tone: Vec<i16> = (0..8 * frame).map(|n| (8_000.0 * (step * n as f64).sin()) as i16).collect();
            let settling = 20 * rate.scale();
            let mut playout = Playout::new(rate);
            let mut heard = Vec::new();
            let mut taken = vec![0; frame];
            for (at, sound) in tone.chunks(frame).enumerate() {
                match at {
                    4 => playout.conceal(frame),
                    5 => playout.push_settling(frame, settling, |out| {
                        out.copy_from_slice(sound);
                        out[..settling / 2].iter_mut().for_each(|sample| *sample += 8_000);
                    }),
                    _ => playout.push_settling(frame, settling, |out| out.copy_from_slice(sound)),
                }
                // What is concealed waits for what follows it.
                if at != 4 {
                    playout.take(&mut taken);
                    heard.extend(&taken);
                }
            }
            while !playout.is_empty() {
                playout.take(&mut taken);
                heard.extend(&taken);
            }
            let error = |range: Range<usize>| {
                heard[range.clone()].iter().zip(&tone[range]).map(|(a, b)| (a - b).abs()).max().unwrap()
            };
            assert!(error(4 * frame..5 * frame + settling) < 2_000, "{rate:?}");
            assert_eq!(error(5 * frame + settling..8 * frame), 0, "{rate:?}");
        }
    }

    #[test]
    fn the_noise_of_a_pause_is_faded_over_with_what_is_around_it() {
        for rate in Rate::ALL {
            let frame = rate.frame();
            let mut playout = Playout::new(rate);
            let step = std::f64::consts::TAU * 200.0 / f64::from(rate.hertz());
            let mut tone = (0..).map(|n: u32| (8_000.0 * (step * f64::from(n)).sin()) as i16);
            let steepest = (8_000.0 * step) as i32 + 1;
            let mut heard = Vec::new();
            for step in 0..40 {
                match step {
                    // From silence, from sound and from concealment; into each of them.
                    0 | 10..15 | 26..30 | 35..37 => playout.noise(frame, |out| out.fill(1_000)),
                    25 => playout.conceal(frame),
                    30 => playout.silence(frame),
                    37.. => playout.conceal(frame),
                    _ => playout.push(&tone.by_ref().take(frame).collect::<Vec<_>>()),
                }
                let mut taken = vec![0; frame];
                playout.take(&mut taken);
                heard.extend(taken);
            }
            let worst = heard.windows(2).map(|w| (i32::from(w[1]) - i32::from(w[0])).abs()).max().unwrap();
            assert!(worst <= steepest * 2, "{rate:?}: {worst} {steepest}");
            assert!(heard[11 * frame..15 * frame].iter().all(|&sample| sample == 1_000), "{rate:?}");
        }
    }

    #[test]
    fn more_than_it_holds_is_cut_off() {
        let mut playout = Playout::new(Rate::Narrow);
        for _ in 0..20 {
            playout.push(&[1; 160]);
            playout.conceal(70);
            playout.silence(70);
        }
        assert_eq!(playout.len(), CAPACITY);
        assert_eq!(playout.lengthen(160, true), 0);
        assert!(playout.shorten(160, true) > 0);
        while !playout.is_empty() {
            taken(&mut playout);
        }
    }
}
