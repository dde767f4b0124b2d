//! Packet loss concealment in the manner of ITU-T G.711 Appendix I: the last pitch periods are repeated, attenuated
//! from 10 ms on, silent after 60 ms, and faded over into the sound that comes back.
//!
//! The Appendix delays all sound by 3.75 ms so that it can fade into the repetition; here the repetition is bent to
//! start where the sound broke off, which costs no delay.
//!
//! Lengths are given at 8 kHz and multiplied by the `scale` of a rate: 1, 2 for 16 kHz, 6 for 48 kHz.

/// Samples of the past that are looked at, 8 kHz.
pub const HISTORY: usize = 400;

/// The pitch periods looked for: 66 to 200 Hz, 5 to 15 ms.
const SHORTEST_PERIOD: usize = 40;
const LONGEST_PERIOD: usize = 120;
/// What is compared.
const TEMPLATE: usize = 160;
/// Repeating less than this sounds like a buzzer: short periods are repeated several at a time.
const LEAST_CYCLE: usize = 120;
/// A period is at most 120 samples, and several at most one and a half times that.
const LONGEST_CYCLE: usize = 180;
/// Samples over which the start is bent.
const BEND: usize = 24;
/// Full level for 10 ms, silence from 60 ms on.
const FULL: usize = 80;
const GONE: usize = 480;
/// The fade into the sound that comes back: 4 ms, and 4 ms more for each 10 ms concealed, 10 ms at most.
const FADE: usize = 32;
const LONGEST_FADE: usize = 80;

/// One concealment, from the last good sample to the first one after it.
#[derive(Debug, Clone)]
pub struct Concealment {
    scale: usize,
    /// Room for the longest cycle at the greatest scale.
    cycle: Box<[i16]>,
    len: usize,
    /// Where in the cycle the next sample is.
    at: usize,
    /// Samples made since the start.
    made: usize,
    /// What the sound was above the repetition where it broke off.
    bend: i32,
}

impl Concealment {
    /// For rates up to 8 kHz × `most`. The only call that allocates.
    #[must_use]
    pub fn new(most: usize) -> Self {
        let scale = most.max(1);
        Self {
            scale,
            cycle: vec![0; LONGEST_CYCLE * scale].into_boxed_slice(),
            len: 1,
            at: 0,
            made: GONE * scale,
            bend: 0,
        }
    }

    /// The sound broke off after `history`, which holds [`HISTORY`] × `scale` samples; other lengths are silence.
    pub fn start(&mut self, history: &[i16], scale: usize) {
        self.scale = scale;
        self.at = 0;
        if history.len() != HISTORY * scale || self.cycle.len() < LONGEST_CYCLE * scale {
            self.made = GONE * scale;
            return;
        }
        let period = pitch(history, scale);
        let periods = ((LEAST_CYCLE * scale + period / 2) / period).max(1);
        self.len = (period * periods).min(LONGEST_CYCLE * scale);
        let from = history.len() - self.len;
        let cycle = &mut self.cycle[..self.len];
        cycle.copy_from_slice(&history[from..]);
        // The end of the cycle is faded into what came before its beginning, so that it goes round smoothly.
        let overlap = period / 4;
        let lead = &history[from - overlap..from];
        let end = self.len - overlap;
        fade(&mut cycle[end..], lead);
        self.bend = i32::from(history[history.len() - 1]) - i32::from(history[from - 1]);
        self.made = 0;
    }

    /// Whether it has faded to silence.
    #[must_use]
    pub const fn is_silent(&self) -> bool {
        self.made >= GONE * self.scale
    }

    /// Writes the next samples.
    pub fn fill(&mut self, out: &mut [i16]) {
        for sample in out {
            *sample = self.next();
        }
    }

    /// The sound is back: its beginning is faded over.
    pub fn recover(&mut self, samples: &mut [i16]) {
        let over = (FADE * self.scale + FADE * self.made / 80).min(LONGEST_FADE * self.scale).min(samples.len());
        for (i, sample) in samples[..over].iter_mut().enumerate() {
            *sample = blend(self.next(), *sample, i + 1, over + 1);
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "small numbers; clamped")]
    fn next(&mut self) -> i16 {
        let (bend, full, gone) = (BEND * self.scale, FULL * self.scale, GONE * self.scale);
        if self.made >= gone {
            return 0;
        }
        let mut value = i32::from(self.cycle[self.at]);
        self.at = (self.at + 1) % self.len;
        if self.made < bend {
            value += self.bend * (bend - self.made) as i32 / bend as i32;
        }
        if self.made > full {
            value = value * (gone - self.made) as i32 / (gone - full) as i32;
        }
        self.made += 1;
        value.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
    }
}

/// The period after which the end of `history` is most like itself.
fn pitch(history: &[i16], scale: usize) -> usize {
    if scale == 1 {
        return pitch_8k(history);
    }
    let mut narrow = [0i16; HISTORY];
    for (narrow, wide) in narrow.iter_mut().zip(history.chunks_exact(scale)) {
        let sum: i32 = wide.iter().map(|&sample| i32::from(sample)).sum();
        *narrow = i16::try_from(sum / i32::try_from(scale).unwrap_or(1)).unwrap_or(0);
    }
    let coarse = pitch_8k(&narrow) * scale;
    let near = coarse.saturating_sub(scale).max(SHORTEST_PERIOD * scale)..=(coarse + scale).min(LONGEST_PERIOD * scale);
    best(history, TEMPLATE * scale, near, 2).unwrap_or(coarse)
}

fn pitch_8k(history: &[i16]) -> usize {
    // Coarse first: every second period by every second sample.
    let all = (SHORTEST_PERIOD..=LONGEST_PERIOD).step_by(2);
    let coarse = best(history, TEMPLATE, all, 2).unwrap_or(SHORTEST_PERIOD);
    let near = coarse.saturating_sub(1).max(SHORTEST_PERIOD)..=(coarse + 1).min(LONGEST_PERIOD);
    best(history, TEMPLATE, near, 1).unwrap_or(coarse)
}

/// Which of `periods` back the last `template` samples of `history` are most alike; every `step`th sample counts.
fn best(history: &[i16], template: usize, periods: impl Iterator<Item = usize>, step: usize) -> Option<usize> {
    let end = history.len() - template;
    let score = |period: usize| likeness(&history[end..], &history[end - period..history.len() - period], step);
    periods.map(|period| (period, score(period))).max_by(|a, b| a.1.total_cmp(&b.1)).map(|(period, _)| period)
}

/// How alike two pieces are: 1 for equal shape, 0 for none, −1 for opposite; every `step`th sample counts.
#[expect(clippy::cast_precision_loss, reason = "a likeness needs no more")]
pub(super) fn likeness(a: &[i16], b: &[i16], step: usize) -> f32 {
    let (mut product, mut energy_a, mut energy_b) = (0i64, 1i64, 1i64);
    for (&a, &b) in a.iter().zip(b).step_by(step) {
        let (a, b) = (i32::from(a), i32::from(b));
        product += i64::from(a * b);
        energy_a += i64::from(a * a);
        energy_b += i64::from(b * b);
    }
    product as f32 / ((energy_a as f32) * (energy_b as f32)).sqrt()
}

/// Fades from what is in `samples` to `into`.
pub(super) fn fade(samples: &mut [i16], into: &[i16]) {
    let len = samples.len();
    for (i, (sample, &into)) in samples.iter_mut().zip(into).enumerate() {
        *sample = blend(*sample, into, i + 1, len + 1);
    }
}

/// `part` of `whole` of the way from `a` to `b`.
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "lies between a and b")]
fn blend(a: i16, b: i16, part: usize, whole: usize) -> i16 {
    let (a, b) = (i32::from(a), i32::from(b));
    (a + (b - a) * part as i32 / whole as i32) as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{level, tone::Tone};
    use std::time::Duration;

    fn voice() -> Vec<i16> {
        // A buzz of 125 Hz with its harmonics: 64 samples a period.
        let mut tone = Tone::sine(125.0, -20.0);
        tone.frequencies = vec![125.0, 250.0, 500.0, 1_000.0];
        tone.samples(Duration::from_millis(200))
    }

    fn started(history: &[i16]) -> Concealment {
        let mut concealment = Concealment::new(1);
        concealment.start(&history[history.len() - HISTORY..], 1);
        concealment
    }

    #[test]
    fn a_voice_goes_on_in_its_pitch_and_fades_to_silence() {
        let voice = voice();
        let mut concealment = started(&voice[..800]);
        let mut made = [0; 480];
        concealment.fill(&mut made);
        for (i, (made, real)) in made[..80].iter().zip(&voice[800..]).enumerate() {
            assert!((made - real).abs() < 200, "sample {i}: {made} for {real}");
        }
        let start = level::dbfs(&made[..80]);
        let middle = level::dbfs(&made[240..320]);
        assert!(start - middle > 5.0 && start - middle < 8.0, "{start} {middle}");
        assert!(level::dbfs(&made[470..]) < start - 30.0);
        assert!(concealment.is_silent());
        concealment.fill(&mut made);
        assert_eq!(made, [0; 480]);
    }

    #[test]
    fn neither_the_start_nor_the_return_clicks() {
        let voice = voice();
        let steepest = voice[100..900].windows(2).map(|w| (w[1] - w[0]).abs()).max().unwrap();
        for lost in [80, 160, 320, 640] {
            for from in 500..564 {
                let mut concealment = started(&voice[..from]);
                let mut all = voice[..from].to_vec();
                let mut made = vec![0; lost];
                concealment.fill(&mut made);
                all.extend(&made);
                // What comes back is the voice in any phase.
                let mut back = voice[from + 21..from + 181].to_vec();
                concealment.recover(&mut back);
                all.extend(&back);
                let steepest_now = all[from - 10..].windows(2).map(|w| (w[1] - w[0]).abs()).max().unwrap();
                assert!(steepest_now <= steepest * 3 / 2, "{lost} {from}: {steepest_now} {steepest}");
            }
        }
    }

    #[test]
    fn silence_and_noise_are_concealed_without_a_fuss() {
        let mut concealment = started(&[0; HISTORY]);
        let mut made = [1; 160];
        concealment.fill(&mut made);
        assert_eq!(made, [0; 160]);
        let mut noise = [0; HISTORY];
        crate::audio::comfort_noise::ComfortNoise::new(3, -30.0).fill(&mut noise);
        let mut concealment = started(&noise);
        concealment.fill(&mut made);
        assert!((level::dbfs(&made[..80]) - level::dbfs(&noise)).abs() < 3.0);
        // The loudest there is.
        let mut square = [i16::MIN; HISTORY];
        square.iter_mut().skip(1).step_by(2).for_each(|s| *s = i16::MAX);
        let mut concealment = started(&square);
        concealment.fill(&mut made);
        concealment.recover(&mut made);
    }
}
