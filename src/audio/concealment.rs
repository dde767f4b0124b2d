//! Packet loss concealment: the voice goes on as it was. What excites it, the prediction residual of the last pitch
//! period, is repeated through the filter that shaped it, with some noise where there was no pitch, attenuated from 10
//! ms on and silent after 120 ms.
//!
//! Where the sound that follows is there before the gap is played, the same is done from its side, backwards, and the
//! two are faded over ([`Concealment::mend`]): that is worth more than all the rest (`benches/README.md`). Where it is
//! not, what comes back is faded into ([`Concealment::recover`]).
//!
//! Lengths are given at 8 kHz and multiplied by the `scale` of a rate: 1, 2 for 16 kHz, 6 for 48 kHz.

/// Samples of the past that are looked at, 8 kHz.
pub const HISTORY: usize = 160;
/// The greatest scale.
const MOST: usize = 6;

/// The pitch periods looked for: 67 to 400 Hz, 2.5 to 15 ms.
const SHORTEST_PERIOD: usize = 20;
const LONGEST_PERIOD: usize = 119;
/// What is compared. Longer pieces mistake the voice of 20 ms ago for the present one.
const TEMPLATE: usize = 32;
/// Coefficients of the filter.
const ORDER: usize = 16;
/// Likeness of a period to the one before from which on there is no pitch, and to which on nothing else.
const UNVOICED: f32 = 0.3;
const VOICED: f32 = 0.8;
/// How much of the excitation is noise where there is no pitch.
const NOISE: f32 = 0.5;
/// Full level for 10 ms, silence from 120 ms on.
const FULL: usize = 80;
const GONE: usize = 960;
/// The fade into the sound that comes back: 2 ms, and 1 ms more for each 10 ms concealed, 10 ms at most.
const FADE: usize = 16;
const MORE_FADE: usize = 8;
const LONGEST_FADE: usize = 80;
/// As much of a gap is made from the sound behind it.
const MENDED: usize = 480;
/// Samples of the sound behind a gap that tell how it came about, at least.
const TELLING: usize = 140;

/// One concealment, from the last good sample to the first one after it.
#[derive(Debug, Clone)]
pub struct Concealment {
    scale: usize,
    /// The excitation of one period; room for the longest at the greatest scale.
    excitation: Box<[f32]>,
    period: usize,
    /// Where in the period the next sample is.
    at: usize,
    /// What each of the last samples takes from the next, the newest first.
    filter: [f32; ORDER],
    memory: [f32; ORDER],
    /// Parts of the excitation that are its repetition, and the peak of the noise beside it.
    repeated: f32,
    noise: f32,
    seed: u32,
    /// Samples made since the start.
    made: usize,
}

impl Concealment {
    /// For rates up to 8 kHz × `most`. The only call that allocates.
    #[must_use]
    pub fn new(most: usize) -> Self {
        let scale = most.clamp(1, MOST);
        Self {
            scale,
            excitation: vec![0.0; LONGEST_PERIOD * scale].into_boxed_slice(),
            period: 1,
            at: 0,
            filter: [0.0; ORDER],
            memory: [0.0; ORDER],
            repeated: 0.0,
            noise: 0.0,
            seed: 1,
            made: GONE * scale,
        }
    }

    /// The sound broke off after `history`, which holds [`HISTORY`] × `scale` samples; other lengths are silence.
    pub fn start(&mut self, history: &[i16], scale: usize) {
        self.scale = scale;
        self.at = 0;
        if history.len() != HISTORY * scale || self.excitation.len() < LONGEST_PERIOD * scale {
            self.made = GONE * scale;
            return;
        }
        self.made = 0;
        self.period = pitch(history, scale);
        let end = history.len();
        let likeness = likeness(
            &history[end - TEMPLATE * scale..],
            &history[end - TEMPLATE * scale - self.period..end - self.period],
            1,
        );
        self.filter = prediction(history);
        let mut energy = 0.0;
        for (i, excitation) in self.excitation[..self.period].iter_mut().enumerate() {
            let here = end - self.period + i;
            let before = history[here - ORDER..here].iter().rev();
            let predicted: f32 = self.filter.iter().zip(before).map(|(a, &sample)| a * f32::from(sample)).sum();
            *excitation = f32::from(history[here]) - predicted;
            energy += *excitation * *excitation;
        }
        let voiced = ((likeness - UNVOICED) / (VOICED - UNVOICED)).clamp(0.0, 1.0);
        let noise = NOISE * (1.0 - voiced);
        // Equal power.
        self.repeated = (1.0 - noise * noise).sqrt();
        // A uniform distribution ±a has the power a²/3.
        self.noise = noise * (3.0 * energy / float(self.period)).sqrt();
        for (memory, &sample) in self.memory.iter_mut().zip(history.iter().rev()) {
            *memory = f32::from(sample);
        }
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

    /// Writes what [`Concealment::fill`] would, and leaves it to be made yet.
    pub fn preview(&mut self, out: &mut [i16]) {
        let state = (self.at, self.memory, self.seed, self.made);
        self.fill(out);
        (self.at, self.memory, self.seed, self.made) = state;
    }

    /// The sound is back: its beginning is faded over.
    pub fn recover(&mut self, samples: &mut [i16]) {
        let over = (FADE * self.scale + MORE_FADE * self.made / 80).min(LONGEST_FADE * self.scale).min(samples.len());
        for (i, sample) in samples[..over].iter_mut().enumerate() {
            *sample = blend(self.next(), *sample, i + 1, over + 1);
        }
    }

    /// The sound that follows `gap`, which is concealed and was not heard yet, is there: the gap is led to it. Says
    /// whether there was a gap, and enough sound to tell how it came about, 17.5 ms; if not, nothing has changed.
    pub fn mend(&mut self, gap: &mut [i16], next: &[i16]) -> bool {
        let scale = self.scale;
        let looked_at = HISTORY * scale;
        let mut backwards = [0; HISTORY * MOST];
        if gap.is_empty() || next.len() < TELLING * scale || looked_at > backwards.len() {
            return false;
        }
        for (sample, &next) in backwards[..looked_at].iter_mut().rev().zip(next) {
            *sample = next;
        }
        self.start(&backwards[..looked_at], scale);
        let length = gap.len().min(MENDED * scale);
        let from = gap.len() - length;
        for (i, sample) in gap[from..].iter_mut().rev().enumerate() {
            *sample = blend(self.next(), *sample, i + 1, length + 1);
        }
        true
    }

    #[expect(clippy::cast_possible_truncation, reason = "clamped by the cast")]
    fn next(&mut self) -> i16 {
        let (full, gone) = (FULL * self.scale, GONE * self.scale);
        if self.made >= gone {
            return 0;
        }
        self.seed = self.seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = f32::from((self.seed >> 16) as u16 as i16) / 32_768.0;
        let excitation = self.repeated * self.excitation[self.at] + self.noise * noise;
        self.at = (self.at + 1) % self.period;
        let value = excitation + self.filter.iter().zip(&self.memory).map(|(a, sample)| a * sample).sum::<f32>();
        self.memory.copy_within(..ORDER - 1, 1);
        self.memory[0] = value;
        let gain = if self.made > full { float(gone - self.made) / float(gone - full) } else { 1.0 };
        self.made += 1;
        (value * gain) as i16
    }
}

/// What each of the last [`ORDER`] samples, the newest first, says of the next: linear prediction by autocorrelation
/// (Levinson and Durbin). The window ends steeply, since the end is what goes on.
fn prediction(history: &[i16]) -> [f32; ORDER] {
    let mut windowed = [0.0; HISTORY * MOST];
    let (rise, fall) = (history.len() * 9 / 10, history.len() - history.len() * 9 / 10);
    for (i, (windowed, &sample)) in windowed.iter_mut().zip(history).enumerate() {
        let angle = if i < rise { float(i) / float(rise) } else { 1.0 - float(i - rise) / float(fall) };
        *windowed = f32::from(sample) * (std::f32::consts::FRAC_PI_2 * angle).sin();
    }
    let windowed = &windowed[..history.len()];
    let mut correlation = [0.0f32; ORDER + 1];
    for (lag, correlation) in correlation.iter_mut().enumerate() {
        // A little noise, and peaks a little wider than they are: or a tone makes a filter that rings for ever.
        let widened = std::f32::consts::TAU * 40.0 / 8_000.0 * float(lag);
        let sum: f32 = windowed.iter().zip(&windowed[lag..]).map(|(a, b)| a * b).sum();
        *correlation = sum * (-0.5 * widened * widened).exp();
    }
    correlation[0] = correlation[0] * 1.000_1 + 1.0;
    let mut filter = [0.0f32; ORDER];
    let mut error = correlation[0];
    for i in 0..ORDER {
        let known: f32 = (0..i).map(|j| filter[j] * correlation[i - j]).sum();
        let reflection = (correlation[i + 1] - known) / error;
        let before = filter;
        for j in 0..i {
            filter[j] = before[j] - reflection * before[i - 1 - j];
        }
        filter[i] = reflection;
        error *= 1.0 - reflection * reflection;
        if error <= 0.0 {
            break;
        }
    }
    let mut narrower = 1.0;
    for coefficient in &mut filter {
        narrower *= 0.99;
        *coefficient *= narrower;
    }
    filter
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
    best(history, TEMPLATE * scale, near).unwrap_or(coarse)
}

fn pitch_8k(history: &[i16]) -> usize {
    best(history, TEMPLATE, SHORTEST_PERIOD..=LONGEST_PERIOD).unwrap_or(SHORTEST_PERIOD)
}

/// Which of `periods` back the last `template` samples of `history` are most alike.
fn best(history: &[i16], template: usize, periods: impl Iterator<Item = usize>) -> Option<usize> {
    let end = history.len() - template;
    let score = |period: usize| likeness(&history[end..], &history[end - period..history.len() - period], 1);
    periods.map(|period| (period, score(period))).max_by(|a, b| a.1.total_cmp(&b.1)).map(|(period, _)| period)
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
const fn float(count: usize) -> f32 {
    count as f32
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
        let mut made = [0; 1_040];
        concealment.fill(&mut made);
        for (i, (made, real)) in made[..40].iter().zip(&voice[800..]).enumerate() {
            assert!((made - real).abs() < 200, "sample {i}: {made} for {real}");
        }
        let start = level::dbfs(&made[..80]);
        let middle = level::dbfs(&made[520..600]);
        assert!(start - middle > 5.0 && start - middle < 7.0, "{start} {middle}");
        assert!(level::dbfs(&made[940..]) < start - 30.0);
        assert!(concealment.is_silent());
        concealment.fill(&mut made);
        assert_eq!(made, [0; 1_040]);
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

    /// How far `made` is from `real`, against the level of that: dB.
    fn error(made: &[i16], real: &[i16]) -> f32 {
        let difference: Vec<i16> = made.iter().zip(real).map(|(a, b)| a.saturating_sub(*b)).collect();
        level::dbfs(&difference) - level::dbfs(real)
    }

    #[test]
    fn a_gap_is_led_to_what_follows_it() {
        for scale in [1, 2, 6] {
            // A voice whose pitch falls from 160 Hz, and grows louder.
            let rate = 8_000.0 * scale as f64;
            let voice: Vec<i16> = (0..1_600 * scale)
                .map(|n| {
                    let time = n as f64 / rate;
                    let phase = std::f64::consts::TAU * (160.0 * time - 120.0 * time * time);
                    let sum = phase.sin() + 0.7 * (2.0 * phase).sin() + 0.5 * (5.0 * phase).cos();
                    (2_000.0 * (1.0 + 4.0 * time) * sum) as i16
                })
                .collect();
            let steepest = voice.windows(2).map(|w| (w[1] - w[0]).abs()).max().unwrap();
            let (from, to) = (600 * scale, 760 * scale);
            let mut concealment = Concealment::new(scale);
            concealment.start(&voice[from - HISTORY * scale..from], scale);
            let mut gap = vec![0; to - from];
            concealment.fill(&mut gap);
            let alone = error(&gap, &voice[from..to]);
            assert!(concealment.mend(&mut gap, &voice[to..to + 160 * scale]));
            let mended = error(&gap, &voice[from..to]);
            assert!(mended < alone - 3.0 && mended < -4.0, "{scale}: {alone} {mended}");
            let all = [&voice[..from], &gap, &voice[to..]].concat();
            let steepest_now = all.windows(2).map(|w| (w[1] - w[0]).abs()).max().unwrap();
            assert!(steepest_now <= steepest * 3 / 2, "{scale}: {steepest_now} {steepest}");
            assert!(!concealment.mend(&mut gap, &voice[..139 * scale]), "too little to tell");
        }
    }

    #[test]
    fn what_is_heard_is_never_louder_than_what_was() {
        // Filters that ring: pure tones, clicks, full scale.
        for hertz in [50.0, 440.0, 1_000.0, 3_999.0] {
            let tone = Tone::sine(hertz, -1.0).samples(Duration::from_millis(100));
            for end in 300..340 {
                let mut concealment = started(&tone[..end]);
                let mut made = [0; 480];
                concealment.fill(&mut made);
                let peak = made.iter().map(|s| s.unsigned_abs()).max().unwrap();
                assert!(peak <= 32_767 && level::dbfs(&made[..80]) < 1.5, "{hertz} {end}: {peak}");
            }
        }
        let mut click = [0; HISTORY];
        click[HISTORY - 3] = i16::MAX;
        let mut concealment = started(&click);
        let mut made = [0; 480];
        concealment.fill(&mut made);
        assert!(level::dbfs(&made) <= level::dbfs(&click) + 3.0);
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
