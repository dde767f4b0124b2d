//! ITU-T G.722 at 64 kb/s (mode 1): two bands of 4 kHz, each coded by its difference from a prediction. 16 kHz samples,
//! two of which make an octet.
//!
//! The arithmetic is the Recommendation's, bit by bit; block names in comments are those of its clause 6.

/// The quadrature mirror filter (table 11), its coefficients of even place; those of odd place are the same in reverse.
const MIRROR: [i32; 12] = [3, -11, 12, 32, -210, 951, 3_876, -805, 362, -156, 53, -11];
/// Samples the filter looks at.
const REACH: usize = 24;

/// Samples that [`Decoder::follow`] wants behind what was made up: both mirror filters come so much later.
pub const BEHIND: usize = REACH - 2;
/// And before it.
pub const BEFORE: usize = 2;

/// Samples of what follows lost octets that are not to be believed: the mirror filter reaches back into what was made
/// up, and the predictions are not yet what the sender's are.
pub const SETTLING: usize = 40;

/// Decision levels of the low band's quantiser (table 14).
const LEVELS: [i32; 29] = [
    35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1_023, 1_121, 1_219, 1_339,
    1_458, 1_612, 1_765, 1_980, 2_195, 2_557, 2_919,
];
/// Outputs of the low band's inverse quantisers, of 4 and 6 bits (tables 17 and 19).
const LOW_4: [i32; 16] =
    [0, -20_456, -12_896, -8_968, -6_288, -4_240, -2_584, -1_200, 20_456, 12_896, 8_968, 6_288, 4_240, 2_584, 1_200, 0];
const LOW_6: [i32; 64] = [
    -136, -136, -136, -136, -24_808, -21_904, -19_008, -16_704, -14_984, -13_512, -12_280, -11_192, -10_232, -9_360,
    -8_576, -7_856, -7_192, -6_576, -6_000, -5_456, -4_944, -4_464, -4_008, -3_576, -3_168, -2_776, -2_400, -2_032,
    -1_688, -1_360, -1_040, -728, 24_808, 21_904, 19_008, 16_704, 14_984, 13_512, 12_280, 11_192, 10_232, 9_360, 8_576,
    7_856, 7_192, 6_576, 6_000, 5_456, 4_944, 4_464, 4_008, 3_576, 3_168, 2_776, 2_400, 2_032, 1_688, 1_360, 1_040,
    728, 432, 136, -432, -136,
];
/// Outputs of the high band's inverse quantiser (table 18).
const HIGH_2: [i32; 4] = [-7_408, -1_616, 7_408, 1_616];
/// How the scale factors grow (tables 20 and 21), by the code.
const LOW_GROWTH: [i32; 16] = [-60, 3_042, 1_198, 538, 334, 172, 58, -30, 3_042, 1_198, 538, 334, 172, 58, -30, -60];
const HIGH_GROWTH: [i32; 4] = [798, -214, 798, -214];
/// Powers of two in 32 steps (table 22).
const POWERS: [i32; 32] = [
    2_048, 2_093, 2_139, 2_186, 2_233, 2_282, 2_332, 2_383, 2_435, 2_489, 2_543, 2_599, 2_656, 2_714, 2_774, 2_834,
    2_896, 2_960, 3_025, 3_091, 3_158, 3_228, 3_298, 3_371, 3_444, 3_520, 3_597, 3_676, 3_756, 3_838, 3_922, 4_008,
];

const fn saturated(value: i32) -> i32 {
    if value > 32_767 {
        32_767
    } else if value < -32_768 {
        -32_768
    } else {
        value
    }
}

/// What one band remembers: its prediction and its scale.
#[derive(Debug, Clone)]
struct Band {
    /// The prediction, and its part made of differences.
    prediction: i32,
    zeros: i32,
    /// Reconstructed signals and partial ones, the newest first.
    signal: [i32; 2],
    partial: [i32; 2],
    /// Coefficients of the poles and of the zeros.
    poles: [i32; 2],
    zero: [i32; 6],
    /// Differences, the newest first.
    difference: [i32; 6],
    /// The scale factor and its logarithm.
    scale: i32,
    log_scale: i32,
}

impl Band {
    const fn new(scale: i32) -> Self {
        Self {
            prediction: 0,
            zeros: 0,
            signal: [0; 2],
            partial: [0; 2],
            poles: [0; 2],
            zero: [0; 6],
            difference: [0; 6],
            scale,
            log_scale: 0,
        }
    }

    /// LOGSCL, SCALEL and their like of the high band.
    fn rescale(&mut self, growth: i32, most: i32, shift: i32) {
        self.log_scale = (((self.log_scale * 127) >> 7) + growth).clamp(0, most);
        let power = POWERS[((self.log_scale >> 6) & 31) as usize];
        let shift = shift - (self.log_scale >> 11);
        self.scale = if shift < 0 { power << -shift } else { power >> shift } << 2;
    }

    /// Takes the quantised difference of this sample and predicts the next (block 4).
    fn adapt(&mut self, difference: i32) {
        // RECONS, PARREC.
        let signal = saturated(self.prediction + difference);
        let partial = saturated(self.zeros + difference);
        let same = |a: i32, b: i32| (a < 0) == (b < 0);
        // UPPOL2.
        let grown = saturated(self.poles[0] << 2);
        let grown = if same(partial, self.partial[0]) { (-grown).min(32_767) } else { grown };
        let step = if same(partial, self.partial[1]) { 128 } else { -128 };
        let second = (step + (grown >> 7) + ((self.poles[1] * 32_512) >> 15)).clamp(-12_288, 12_288);
        // UPPOL1.
        let step = if same(partial, self.partial[0]) { 192 } else { -192 };
        let limit = saturated(15_360 - second);
        let first = saturated(step + ((self.poles[0] * 32_640) >> 15)).clamp(-limit, limit);
        self.poles = [first, second];
        // UPZERO.
        let step = if difference == 0 { 0 } else { 128 };
        for (zero, before) in self.zero.iter_mut().zip(self.difference) {
            let step = if same(before, difference) { step } else { -step };
            *zero = saturated(step + ((*zero * 32_640) >> 15));
        }
        // DELAYA.
        self.difference.copy_within(..5, 1);
        self.difference[0] = difference;
        self.signal = [signal, self.signal[0]];
        self.partial = [partial, self.partial[0]];
        // FILTEP, FILTEZ, PREDIC.
        let term = |coefficient: i32, value: i32| (coefficient * saturated(value + value)) >> 15;
        let poles = saturated(term(self.poles[0], self.signal[0]) + term(self.poles[1], self.signal[1]));
        let zeros = self.zero.iter().zip(self.difference).map(|(&zero, difference)| term(zero, difference)).sum();
        self.zeros = saturated(zeros);
        self.prediction = saturated(poles + self.zeros);
    }

    /// Takes a code of the low band; gives back the difference it stands for, at 4 bits.
    fn adapt_low(&mut self, code: usize) -> i32 {
        self.adapt_by(LOW_4[code >> 2], LOW_GROWTH[code >> 2], 18_432, 8)
    }

    /// The same of the high band.
    fn adapt_high(&mut self, code: usize) -> i32 {
        self.adapt_by(HIGH_2[code], HIGH_GROWTH[code], 22_528, 10)
    }

    /// What a code means to either band (blocks 3 and 4).
    fn adapt_by(&mut self, output: i32, growth: i32, most: i32, shift: i32) -> i32 {
        let difference = (self.scale * output) >> 15;
        self.rescale(growth, most, shift);
        self.adapt(difference);
        difference
    }
}

/// Both bands at the beginning of a stream.
const LOW: Band = Band::new(32);
const HIGH: Band = Band::new(8);

/// The last samples that a mirror filter saw, with the sums of its two halves.
#[derive(Debug, Clone)]
struct Mirror {
    past: [i32; REACH],
}

impl Mirror {
    /// Takes two in and gives the sums over the samples of even and of odd place.
    fn push(&mut self, pair: [i32; 2]) -> (i32, i32) {
        self.past.copy_within(2.., 0);
        self.past[REACH - 2..].copy_from_slice(&pair);
        let (mut even, mut odd) = (0, 0);
        for (i, pair) in self.past.as_chunks::<2>().0.iter().enumerate() {
            even += pair[0] * MIRROR[i];
            odd += pair[1] * MIRROR[11 - i];
        }
        (even, odd)
    }
}

/// Encodes one stream.
#[derive(Debug, Clone)]
pub struct Encoder {
    low: Band,
    high: Band,
    mirror: Mirror,
}

impl Default for Encoder {
    fn default() -> Self {
        Self { low: LOW, high: HIGH, mirror: Mirror { past: [0; REACH] } }
    }
}

impl Encoder {
    /// Encodes samples at 16 kHz, two to an octet, as many as both slices hold. Returns the octets written.
    pub fn encode(&mut self, samples: &[i16], octets: &mut [u8]) -> usize {
        let (pairs, _) = samples.as_chunks::<2>();
        for (octet, pair) in octets.iter_mut().zip(pairs) {
            let (even, odd) = self.mirror.push(pair.map(i32::from));
            *octet = code(&self.low, &self.high, (odd + even) >> 14, (odd - even) >> 14);
            self.low.adapt_low(usize::from(*octet & 0x3F));
            self.high.adapt_high(usize::from(*octet >> 6));
        }
        pairs.len().min(octets.len())
    }
}

/// The code of a pair of samples, one of each band.
fn code(low_band: &Band, high_band: &Band, low: i32, high: i32) -> u8 {
    let error = saturated(low - low_band.prediction);
    let magnitude = if error < 0 { -(error + 1) } else { error };
    // QUANTL.
    let level = LEVELS.partition_point(|level| magnitude >= (level * low_band.scale) >> 12);
    let low_code = match (error < 0, level) {
        (true, 0) => 63,
        (true, 1) => 62,
        (true, level) => 33 - level,
        (false, level) => 61 - level,
    };
    let error = saturated(high - high_band.prediction);
    let magnitude = if error < 0 { -(error + 1) } else { error };
    // QUANTH.
    let is_far = magnitude >= (564 * high_band.scale) >> 12;
    let high_code = match (error < 0, is_far) {
        (true, false) => 1,
        (true, true) => 0,
        (false, false) => 3,
        (false, true) => 2,
    };
    u8::try_from(high_code << 6 | low_code).unwrap_or(u8::MAX)
}

/// Decodes one stream.
#[derive(Debug, Clone)]
pub struct Decoder {
    low: Band,
    high: Band,
    mirror: Mirror,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { low: LOW, high: HIGH, mirror: Mirror { past: [0; REACH] } }
    }
}

impl Decoder {
    /// Decodes octets into two samples each at 16 kHz, as many as both slices hold. Returns the samples written.
    pub fn decode(&mut self, octets: &[u8], samples: &mut [i16]) -> usize {
        let (pairs, _) = samples.as_chunks_mut::<2>();
        let written = pairs.len().min(octets.len()) * 2;
        for (pair, &octet) in pairs.iter_mut().zip(octets) {
            let (low_code, high_code) = (usize::from(octet & 0x3F), usize::from(octet >> 6));
            let fine = (self.low.scale * LOW_6[low_code]) >> 15;
            let low = (self.low.prediction + fine).clamp(-16_384, 16_383);
            self.low.adapt_low(low_code);
            let prediction = self.high.prediction;
            let high = (self.high.adapt_high(high_code) + prediction).clamp(-16_384, 16_383);
            let (even, odd) = self.mirror.push([low + high, low - high]);
            *pair = [odd, even].map(|sum| i16::try_from(saturated(sum >> 11)).unwrap_or(0));
        }
        written
    }

    /// Takes what was made up in place of lost octets as if those had come, so that what follows is decoded from about
    /// the state that its sender had. `sound` are [`BEFORE`] samples heard before it, the samples made up, and
    /// [`BEHIND`] more of their kind.
    pub fn follow(&mut self, sound: &[i16]) {
        let Some((past, sound)) = sound.split_first_chunk::<REACH>() else { return };
        let mut mirror = Mirror { past: past.map(i32::from) };
        for pair in sound.as_chunks::<2>().0 {
            let (even, odd) = mirror.push(pair.map(i32::from));
            let octet = code(&self.low, &self.high, (odd + even) >> 14, (odd - even) >> 14);
            self.decode(&[octet], &mut [0; 2]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{goertzel, level};
    use proptest::prelude::*;

    fn sound(hertz: &[f64], length: usize) -> Vec<i16> {
        let sample = |n: usize| {
            let wave = |hertz: &f64| (std::f64::consts::TAU * hertz * n as f64 / 16_000.0).sin();
            (4_000.0 * hertz.iter().map(wave).sum::<f64>()) as i16
        };
        (0..length).map(sample).collect()
    }

    fn through(samples: &[i16]) -> (Vec<u8>, Vec<i16>) {
        let mut octets = vec![0; samples.len() / 2];
        assert_eq!(Encoder::default().encode(samples, &mut octets), octets.len());
        let mut heard = vec![0; samples.len()];
        assert_eq!(Decoder::default().decode(&octets, &mut heard), heard.len());
        (octets, heard)
    }

    #[test]
    fn both_bands_come_through_at_their_level() {
        for hertz in [200.0, 1_000.0, 3_000.0, 5_000.0, 7_000.0] {
            let (_, heard) = through(&sound(&[hertz], 16_000));
            let found = goertzel::tone_dbfs(&heard[8_000..], 16_000, hertz);
            assert!((found + 18.27).abs() < 0.5, "{hertz} Hz: {found}");
            let noise = level::dbfs(&heard[8_000..]) - found;
            assert!(noise < 0.2, "{hertz} Hz: {noise} dB above the tone");
        }
    }

    /// The digests are those of what the PyPI package G722 1.2.8 makes of the same samples and octets, encoder and
    /// decoder.
    #[test]
    fn octets_and_samples_are_those_of_another_implementation() {
        let mut state = 1u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as u16 as i16
        };
        let mut samples = sound(&[300.0, 1_000.0, 5_100.0], 16_000);
        samples.extend((0..16_000).map(|_| noise() / 4));
        samples.extend((0..1_000).map(|_| noise()));
        let (octets, heard) = through(&samples);
        let digest = |octets: &mut dyn Iterator<Item = u8>| {
            octets
                .fold(0xcbf2_9ce4_8422_2325u64, |hash, octet| (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3))
        };
        assert_eq!(digest(&mut octets.iter().copied()), 0xbf64_e4a9_c60c_1136);
        assert_eq!(digest(&mut heard.iter().flat_map(|sample| sample.to_le_bytes())), 0xc137_6c3f_7fec_3928);
    }

    #[test]
    fn a_decoder_that_followed_what_was_made_up_goes_on_where_the_sender_is() {
        let sound = sound(&[300.0, 1_100.0, 5_000.0], 4_800);
        let (octets, whole) = through(&sound);
        let (from, to) = (1_000, 1_160);
        let difference = |follows: bool| {
            let mut decoder = Decoder::default();
            decoder.decode(&octets[..from], &mut [0; 2_000]);
            if follows {
                decoder.follow(&whole[2 * from - BEFORE..2 * to + BEHIND]);
            }
            let mut after = [0; 320];
            decoder.decode(&octets[to..to + 160], &mut after);
            let difference: Vec<i16> = after.iter().zip(&whole[2 * to..]).map(|(a, b)| a.saturating_sub(*b)).collect();
            level::dbfs(&difference) - level::dbfs(&after)
        };
        let (with, without) = (difference(true), difference(false));
        assert!(with < -15.0 && with < without - 10.0, "{with} dB, {without} dB");
        Decoder::default().follow(&[1; REACH - 1]);
    }

    #[test]
    fn silence_stays_silence() {
        let (_, heard) = through(&[0; 3_200]);
        assert!(level::dbfs(&heard) < -75.0, "{}", level::dbfs(&heard));
    }

    #[test]
    fn a_decoder_that_begins_in_the_middle_finds_its_way() {
        let (octets, heard) = through(&sound(&[300.0, 2_200.0, 5_100.0], 32_000));
        let mut late = Decoder::default();
        let mut found = vec![0; 32_000];
        late.decode(&octets[4_000..], &mut found);
        let difference: Vec<i16> = found[12_000..24_000].iter().zip(&heard[20_000..]).map(|(a, b)| a - b).collect();
        assert!(level::dbfs(&difference) < level::dbfs(&heard) - 30.0);
    }

    proptest! {
        #[test]
        fn no_octets_and_no_samples_make_it_panic(
            octets in prop::collection::vec(any::<u8>(), 0..500),
            samples in prop::collection::vec(any::<i16>(), 0..500),
        ) {
            let mut out = vec![0; 600];
            prop_assert_eq!(Decoder::default().decode(&octets, &mut out), octets.len().min(300) * 2);
            let mut out = vec![0; 100];
            prop_assert_eq!(Encoder::default().encode(&samples, &mut out), (samples.len() / 2).min(100));
        }
    }
}
