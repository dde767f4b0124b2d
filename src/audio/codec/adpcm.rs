//! ADPCM as it stands in WAV files, decoding alone: of IMA and of Microsoft, both of four bits, block by block.

/// Steps of IMA ADPCM.
#[rustfmt::skip]
const IMA_STEPS: [i32; 89] = [
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107, 118,
    130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963, 1_060,
    1_166, 1_282, 1_411, 1_552, 1_707, 1_878, 2_066, 2_272, 2_499, 2_749, 3_024, 3_327, 3_660, 4_026, 4_428, 4_871, 5_358,
    5_894, 6_484, 7_132, 7_845, 8_630, 9_493, 10_442, 11_487, 12_635, 13_899, 15_289, 16_818, 18_500, 20_350, 22_385,
    24_623, 27_086, 29_794, 32_767,
];
/// How the step changes with the size of a code.
const IMA_CHANGES: [i32; 8] = [-1, -1, -1, -1, 2, 4, 6, 8];

/// How the step of Microsoft's changes with a code, parts of 256.
const MS_CHANGES: [i32; 16] = [230, 230, 230, 230, 307, 409, 512, 614, 768, 614, 512, 409, 307, 230, 230, 230];
/// The predictors that every file has.
pub const MS_PREDICTORS: [(i16, i16); 7] =
    [(256, 0), (512, -256), (0, 0), (192, 64), (240, 0), (460, -208), (392, -232)];

/// One channel of IMA ADPCM.
#[derive(Debug, Clone, Copy)]
struct Ima {
    sample: i32,
    index: i32,
}

impl Ima {
    fn next(&mut self, code: u8) -> i16 {
        let step = usize::try_from(self.index).ok().and_then(|index| IMA_STEPS.get(index)).copied().unwrap_or(7);
        let code = i32::from(code);
        let change = [(1, step >> 2), (2, step >> 1), (4, step)];
        let change = change.iter().fold(step >> 3, |sum, (bit, part)| if code & bit != 0 { sum + part } else { sum });
        self.sample = clamped(if code & 8 == 0 { self.sample + change } else { self.sample - change });
        self.index = (self.index + IMA_CHANGES[usize::from(code as u8 & 7)]).clamp(0, 88);
        short(self.sample)
    }
}

/// Decodes a block of IMA ADPCM, and calls `sample` with each sample, the channels of a moment one after the other. A
/// block that is cut is decoded as far as it goes. False where it has not even a head.
pub fn decode_ima(block: &[u8], channels: usize, mut sample: impl FnMut(i16)) -> bool {
    let Some((head, codes)) = block.split_at_checked(4 * channels).filter(|_| channels > 0) else { return false };
    let (heads, _) = head.as_chunks::<4>();
    let first =
        |head: &[u8; 4]| Ima { sample: i16::from_le_bytes([head[0], head[1]]).into(), index: head[2].min(88).into() };
    let mut states: Vec<Ima> = heads.iter().map(first).collect();
    states.iter().for_each(|state| sample(short(state.sample)));
    // Eight samples of each channel in turn.
    let mut moments = vec![[0; 8]; channels];
    for group in codes.chunks_exact(4 * channels) {
        let (words, _) = group.as_chunks::<4>();
        for ((state, word), moments) in states.iter_mut().zip(words).zip(&mut moments) {
            *moments = std::array::from_fn(|n| state.next(word[n / 2] >> (4 * (n % 2)) & 15));
        }
        (0..8).for_each(|n| moments.iter().for_each(|moments| sample(moments[n])));
    }
    true
}

/// One channel of Microsoft's.
#[derive(Debug, Clone, Copy, Default)]
struct Ms {
    predictor: (i32, i32),
    delta: i32,
    before: i32,
    last: i32,
}

impl Ms {
    fn next(&mut self, code: u8) -> i16 {
        let signed = i32::from(code) - if code & 8 == 0 { 0 } else { 16 };
        let predicted = (self.last * self.predictor.0 + self.before * self.predictor.1) >> 8;
        let sample = clamped(predicted.saturating_add(signed.saturating_mul(self.delta)));
        (self.before, self.last) = (self.last, sample);
        self.delta = (MS_CHANGES[usize::from(code & 15)].saturating_mul(self.delta) >> 8).clamp(16, i32::MAX / 1_024);
        short(sample)
    }
}

/// As [`decode_ima`], for Microsoft's ADPCM with the predictors of the file.
pub fn decode_ms(block: &[u8], channels: usize, predictors: &[(i16, i16)], mut sample: impl FnMut(i16)) -> bool {
    let Some((head, codes)) = block.split_at_checked(7 * channels).filter(|_| channels > 0) else { return false };
    let (numbers, head) = head.split_at(channels);
    let (words, _) = head.as_chunks::<2>();
    let word = |n: usize| words.get(n).map_or(0, |word| i32::from(i16::from_le_bytes(*word)));
    let mut states = vec![Ms::default(); channels];
    for (n, (state, number)) in states.iter_mut().zip(numbers).enumerate() {
        let Some(&(a, b)) = predictors.get(usize::from(*number)) else { return false };
        *state = Ms {
            predictor: (a.into(), b.into()),
            delta: word(n),
            last: word(channels + n),
            before: word(2 * channels + n),
        };
    }
    states.iter().for_each(|state| sample(short(state.before)));
    states.iter().for_each(|state| sample(short(state.last)));
    for (n, code) in codes.iter().flat_map(|octet| [octet >> 4, octet & 15]).enumerate() {
        if let Some(state) = states.get_mut(n % channels) {
            sample(state.next(code));
        }
    }
    true
}

fn clamped(sample: i32) -> i32 {
    sample.clamp(i16::MIN.into(), i16::MAX.into())
}

#[expect(clippy::cast_possible_truncation, reason = "clamped before")]
const fn short(sample: i32) -> i16 {
    sample as i16
}
