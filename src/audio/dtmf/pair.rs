//! One block of sound: which two tones it has, and whether blocks are one key.

use crate::audio::{Rate, level};
use std::f32::consts::TAU;
use std::ops::{Add, Mul, Sub};

/// The tones of the rows of keys, and of their columns, Hz.
const FREQUENCIES: [f32; 8] = [697.0, 770.0, 852.0, 941.0, 1_209.0, 1_336.0, 1_477.0, 1_633.0];
const KEYS: [[char; 4]; 4] = [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// Blocks in a second, and samples in each: sound of a higher rate is brought to 8 kHz.
const BLOCKS_A_SECOND: f32 = 100.0;
const BLOCK: usize = 80;
const COUNT: f32 = 80.0;
/// Radians a sample of 1 Hz.
const STEP: f32 = TAU / (BLOCKS_A_SECOND * COUNT);
/// A fainter tone is none, dBFS: -28.3 dBm0. Q.24 has -27 dBm heard and -29 dBm not.
const FAINTEST: f32 = -31.5;
/// One tone is fainter than the other by so much at most, decibels. Q.24 has up to 10.
const TWIST: f32 = 10.0;
/// How far a frequency is off at most. Q.24 has 1.8 % taken, and 1.5 % and 4 Hz; 3 % not.
const TOLERANCE: f32 = 0.022;
/// The part of the sound that the two tones have at least, noise of 15 dB below and quantising apart.
const SHARE: f32 = 0.9;
/// The same before it is known how far their frequencies are off, which makes them look fainter.
const SHARE_AT_FIRST: f32 = 0.55;
/// The part of both tones' energy that an overtone has at most: -22 dB.
const OVERTONE: f32 = 0.0063;
/// The part that a key has that is down already, whatever is said beside it.
const SHARE_OF_KEY: f32 = 0.1;
/// From block to block a tone gets so much louder or fainter at most, decibels.
const UNSTEADY: f32 = 2.5;
/// And its phase is off so much more or less, radians.
const PHASES_APART: f32 = 0.6;

/// Looks for pairs of tones.
#[derive(Debug, Clone)]
pub(super) struct Search {
    /// Radians a sample, and twice the cosine of that.
    steps: [f32; 8],
    coefficients: [f32; 8],
    /// A block with less energy has no key.
    least: u64,
    /// Samples for each one at 8 kHz.
    scale: usize,
}

/// What may be the tones of a key, in one block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    row: usize,
    column: usize,
    /// What was found at the frequencies of the row and of the column, which is of both tones.
    found: [Complex; 2],
    /// The tones: half of each one's amplitude, with its phase at the beginning of the block.
    tones: [Complex; 2],
    /// dBFS.
    levels: [f32; 2],
    /// The part of the block's energy that they have.
    share: f32,
    block: [i16; BLOCK],
}

impl Search {
    pub(super) fn new(rate: Rate) -> Self {
        let steps = FREQUENCIES.map(|frequency| frequency * STEP);
        let coefficients = steps.map(|step| 2.0 * step.cos());
        Self { steps, coefficients, least: level::energy_at(FAINTEST, BLOCK), scale: rate.scale() }
    }

    /// The loudest tone of a row and that of a column, if they may be a key; one that is `down` may be fainter, and
    /// hidden by what is said beside it.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub(super) fn pair(&self, block: &[i16], down: bool) -> Option<Pair> {
        let mut narrow = [0; BLOCK];
        let block = match <&[i16; BLOCK]>::try_from(block) {
            Ok(block) => block,
            Err(_) => {
                average(block, self.scale, &mut narrow);
                &narrow
            }
        };
        let energy = level::energy(block);
        if energy < self.least && !down {
            return None;
        }
        let (share_at_least, fainter) = if down { (SHARE_OF_KEY, 10.0) } else { (SHARE_AT_FIRST, 0.0) };
        let energy = (energy as f32).max(1.0);
        let found = self.goertzel(block);
        let power = found.power(&self.coefficients);
        let loudest = |from: usize| (from..from + 4).max_by(|&a, &b| power[a].total_cmp(&power[b]));
        let (row, column) = (loudest(0)?, loudest(4)?);
        // Two tones look a little louder together than they are: never twice as loud.
        if (power[row] + power[column]) * 4.0 < share_at_least * COUNT * energy {
            return None;
        }
        let [low, high] = [row, column].map(|at| found.phasor(at, self.steps[at]));
        let tones = apart([self.steps[row], self.steps[column]], [low, high], [0.0; 2]);
        let levels = tones.map(|tone| 10.0 * (4.0 * tone.norm() / (32_768.0 * 32_768.0)).max(1e-12).log10());
        let share = tones.iter().map(|tone| 2.0 * tone.norm() * COUNT / energy).sum::<f32>();
        let is_key = share >= share_at_least
            && levels.iter().all(|level| *level >= FAINTEST - fainter)
            && (levels[0] - levels[1]).abs() <= TWIST + fainter;
        is_key.then_some(Pair { row, column: column - 4, found: [low, high], tones, levels, share, block: *block })
    }

    /// Goertzel's algorithm, for all frequencies at once.
    fn goertzel(&self, block: &[i16; BLOCK]) -> Resonators {
        let (mut last, mut before) = ([0.0f32; 8], [0.0f32; 8]);
        let (pairs, _) = block.as_chunks::<2>();
        for &[first, second] in pairs {
            let (first, second) = (f32::from(first), f32::from(second));
            for i in 0..8 {
                before[i] = first + self.coefficients[i] * last[i] - before[i];
            }
            for i in 0..8 {
                last[i] = second + self.coefficients[i] * before[i] - last[i];
            }
        }
        Resonators { last, before }
    }
}

/// What Goertzel's algorithm comes to: the last two states of each resonator.
struct Resonators {
    last: [f32; 8],
    before: [f32; 8],
}

impl Resonators {
    /// How much there is of each frequency: the square of half its amplitude times the count of samples.
    fn power(&self, coefficients: &[f32; 8]) -> [f32; 8] {
        std::array::from_fn(|i| {
            let (last, before) = (self.last[i], self.before[i]);
            last * last + before * before - coefficients[i] * last * before
        })
    }

    /// The same of one, with its phase at the beginning of the block.
    fn phasor(&self, at: usize, step: f32) -> Complex {
        let end = Complex(self.last[at], 0.0) - Complex::turn(-step).times(self.before[at]);
        end * Complex::turn(-step * (COUNT - 1.0))
    }
}

impl Pair {
    /// The key with these tones.
    pub(super) fn key(&self) -> char {
        KEYS[self.row][self.column]
    }

    /// Whether a block has hardly anything else: so it is a key's, though it is not yet known whether it lasts.
    pub(super) fn fills_its_block(&self) -> bool {
        self.share >= SHARE
    }

    /// Whether these are the tones of a key that went down before, and did not fall by so many decibels.
    pub(super) fn goes_on(&self, down: &Self, fall: f32) -> bool {
        (self.row, self.column) == (down.row, down.column)
            && self.levels.iter().sum::<f32>() > down.levels.iter().sum::<f32>() - 2.0 * fall
    }

    /// Whether three blocks in a row have one key's tones.
    pub(super) fn are_one_key(blocks: [&Self; 3]) -> bool {
        let [first, ..] = blocks;
        let is_steady = |tone: usize| {
            let levels = blocks.map(|block| block.levels[tone]);
            levels.iter().fold(f32::MIN, |a, b| a.max(*b)) - levels.iter().fold(f32::MAX, |a, b| a.min(*b)) <= UNSTEADY
        };
        if blocks.iter().any(|block| (block.row, block.column) != (first.row, first.column))
            || !is_steady(0)
            || !is_steady(1)
        {
            return false;
        }
        let frequencies = [FREQUENCIES[first.row], FREQUENCIES[4 + first.column]];
        let errors = |tones: [[Complex; 2]; 3], most: f32| {
            let error = |at: usize| {
                let error = frequency_error(tones.map(|tones| tones[at]), frequencies[at])?;
                (error.abs() <= most * frequencies[at]).then_some(error)
            };
            Some([error(0)?, error(1)?])
        };
        // Where they are off, one tone is taken from the other not quite as it is: a second look is at what they are.
        let Some(off) = errors(blocks.map(|block| block.tones), 1.5 * TOLERANCE) else { return false };
        let steps = frequencies.map(|frequency| frequency * STEP);
        let off = off.map(|error| error * STEP);
        let tones = blocks.map(|block| apart(steps, block.found, off));
        errors(tones, TOLERANCE).is_some() && is_pure(blocks.map(|block| &block.block), tones, steps, off)
    }
}

/// Whether hardly anything else is in any of the blocks, and no overtones: those are of instruments and voices.
fn is_pure(blocks: [&[i16; BLOCK]; 3], tones: [[Complex; 2]; 3], steps: [f32; 2], off: [f32; 2]) -> bool {
    let mut rest = [0.0; 3 * BLOCK];
    let mut energy_of_tones = 0.0;
    let steps = [steps[0] + off[0], steps[1] + off[1]];
    for ((block, tones), rest) in blocks.into_iter().zip(tones).zip(rest.as_chunks_mut::<BLOCK>().0) {
        let mut now = tones.map(|tone| tone.times(2.0));
        let turns = steps.map(Complex::turn);
        let (mut whole, mut left) = (1.0, 0.0);
        for (sample, rest) in block.iter().zip(rest) {
            let sample = f32::from(*sample);
            *rest = sample - now[0].0 - now[1].0;
            whole += sample * sample;
            left += *rest * *rest;
            now = [now[0] * turns[0], now[1] * turns[1]];
        }
        if left > (1.0 - SHARE) * whole {
            return false;
        }
        energy_of_tones += whole - left;
    }
    [2.0 * steps[0], 2.0 * steps[1], 3.0 * steps[0]].into_iter().all(|step| {
        let turn = Complex::turn(step);
        let (mut now, mut sum) = (Complex(1.0, 0.0), Complex(0.0, 0.0));
        for rest in &rest {
            sum = sum + now.times(*rest);
            now = now * turn;
        }
        2.0 * sum.norm() / (3.0 * COUNT) <= OVERTONE * energy_of_tones
    })
}

/// Two tones, of what was found at the frequencies `steps`, when they are beside them by `off`, all in radians a
/// sample.
fn apart(steps: [f32; 2], found: [Complex; 2], off: [f32; 2]) -> [Complex; 2] {
    let [low, high] = found;
    let between = steps[1] - steps[0];
    // How much of each tone is found at its own place, and how much at the other's.
    let (own_low, own_high) = (seen(off[0]), seen(off[1]));
    let (high_at_low, low_at_high) = (seen(between + off[1]), seen(off[0] - between));
    let scale = (own_low * own_high - high_at_low * low_at_high).inverse();
    [(own_high * low - high_at_low * high) * scale, (own_low * high - low_at_high * low) * scale]
}

/// What is found of a tone of one, so many radians a sample beside where it is looked for.
fn seen(beside: f32) -> Complex {
    let half = beside / 2.0;
    if half.abs() < 1e-5 {
        return Complex(COUNT, 0.0);
    }
    Complex::turn(half * (COUNT - 1.0)).times((COUNT * half).sin() / half.sin())
}

/// A block at 8 kHz: means of `scale` samples. They fold what is above the telephone's band into it, but faintly, and
/// only so that less is taken for a key.
fn average(block: &[i16], scale: usize, narrow: &mut [i16; BLOCK]) {
    for (sample, from) in narrow.iter_mut().zip(block.chunks_exact(scale)) {
        let sum: i32 = from.iter().map(|sample| i32::from(*sample)).sum();
        #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "a mean of samples; 6 at most")]
        let mean = (sum / scale as i32) as i16;
        *sample = mean;
    }
}

/// By how many Hz a tone is off, as its phase tells that advances from block to block; `None` where it does not advance
/// evenly.
fn frequency_error(tones: [Complex; 3], frequency: f32) -> Option<f32> {
    let [first, second, third] = tones;
    let back = Complex::turn(-TAU * (frequency / BLOCKS_A_SECOND).fract());
    let advance = |from: Complex, to: Complex| to * from.conjugate() * back;
    let (early, late) = (advance(first, second), advance(second, third));
    let is_even = (early * late.conjugate()).angle().abs() <= PHASES_APART;
    is_even.then_some((early + late).angle() / TAU * BLOCKS_A_SECOND)
}

/// Real and imaginary part.
#[derive(Debug, Clone, Copy)]
struct Complex(f32, f32);

impl Complex {
    /// One, turned by an angle.
    fn turn(angle: f32) -> Self {
        let (sine, cosine) = angle.sin_cos();
        Self(cosine, sine)
    }

    const fn conjugate(self) -> Self {
        Self(self.0, -self.1)
    }

    fn inverse(self) -> Self {
        self.conjugate().times(1.0 / self.norm().max(f32::MIN_POSITIVE))
    }

    const fn times(self, scale: f32) -> Self {
        Self(self.0 * scale, self.1 * scale)
    }

    /// The square of its magnitude.
    const fn norm(self) -> f32 {
        self.0 * self.0 + self.1 * self.1
    }

    fn angle(self) -> f32 {
        self.1.atan2(self.0)
    }
}

impl Add for Complex {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0, self.1 + other.1)
    }
}

impl Sub for Complex {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0, self.1 - other.1)
    }
}

impl Mul for Complex {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self(self.0 * other.0 - self.1 * other.1, self.0 * other.1 + self.1 * other.0)
    }
}
