//! Mixing: sums of i32, clamped once. What is too loud for that is limited first ([`super::limiter`]).
//!
//! The slices' lengths are those of the shorter one; the loops are plain so that the compiler makes vectors of them.

/// Adds `samples` to the sum.
pub fn add(sum: &mut [i32], samples: &[i16]) {
    for (sum, &sample) in sum.iter_mut().zip(samples) {
        *sum += i32::from(sample);
    }
}

/// Takes `samples` out of the sum again.
pub fn subtract(sum: &mut [i32], samples: &[i16]) {
    for (sum, &sample) in sum.iter_mut().zip(samples) {
        *sum -= i32::from(sample);
    }
}

/// Clamps the sum to 16 bits.
pub fn clamp(sum: &[i32], out: &mut [i16]) {
    for (out, &sum) in out.iter_mut().zip(sum) {
        *out = saturate(sum);
    }
}

/// The same; says whether the sum fits and stays as it is.
pub fn fit(sum: &[i32], out: &mut [i16]) -> bool {
    let mut above = 0;
    for (out, &sum) in out.iter_mut().zip(sum) {
        *out = saturate(sum);
        above |= above_16_bits(sum);
    }
    above.cast_unsigned() <= u32::from(u16::MAX)
}

/// Whether clamping would leave the sum as it is.
#[must_use]
#[inline]
pub fn fits(sum: &[i32]) -> bool {
    let above = sum.iter().fold(0, |above, sum| above | above_16_bits(*sum));
    above.cast_unsigned() <= u32::from(u16::MAX)
}

/// Has bits above the sixteenth where the sample does not fit: what fits has none once its least is zero.
const fn above_16_bits(sample: i32) -> i32 {
    sample.wrapping_sub(i16::MIN as i32)
}

/// What one talker hears: the mix of all less their own share.
pub fn minus(mixed: &[i16], own: &[i16], out: &mut [i16]) {
    for ((out, &mixed), &own) in out.iter_mut().zip(mixed).zip(own) {
        *out = mixed.saturating_sub(own);
    }
}

/// The same of a mix that was multiplied by `factors`, parts of 32,768: their own share was, too.
pub fn minus_limited(mixed: &[i16], own: &[i16], factors: &[i16], out: &mut [i16]) {
    for (((out, &mixed), &own), &factor) in out.iter_mut().zip(mixed).zip(own).zip(factors) {
        // The upper half of the product, in one instruction for eight samples.
        let half = ((i32::from(own) * i32::from(factor)) >> 16) as i16;
        *out = mixed.saturating_sub(half.saturating_add(half));
    }
}

/// Takes a share out of a sum that was multiplied by `factors`, parts of 32,768: the share was, too.
pub fn subtract_limited(sum: &mut [i32], share: &[i32], factors: &[i16]) {
    for ((sum, &share), &factor) in sum.iter_mut().zip(share).zip(factors) {
        *sum -= share.wrapping_mul(i32::from(factor)) >> 15;
    }
}

/// What one talker hears who also hears a private player: the mix less their own share plus the extra, clamped once.
pub fn minus_plus(mixed: &[i16], own: &[i16], extra: &[i16], out: &mut [i16]) {
    for (((out, &mixed), &own), &extra) in out.iter_mut().zip(mixed).zip(own).zip(extra) {
        *out = saturate(i32::from(mixed) - i32::from(own) + i32::from(extra));
    }
}

/// Adds two signals, clamped.
pub fn add_clamped(out: &mut [i16], extra: &[i16]) {
    for (out, &extra) in out.iter_mut().zip(extra) {
        *out = out.saturating_add(extra);
    }
}

/// Clamped to 16 bits.
#[expect(clippy::cast_possible_truncation, reason = "clamped just before")]
pub(super) fn saturate(sum: i32) -> i16 {
    sum.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_hears_the_others_and_not_themselves() {
        let voices = [[100i16; 160], [2_000; 160], [-30; 160]];
        let mut sum = [0i32; 160];
        voices.iter().for_each(|voice| add(&mut sum, voice));
        let (mut mixed, mut heard) = ([0i16; 160], [0i16; 160]);
        clamp(&sum, &mut mixed);
        minus(&mixed, &voices[1], &mut heard);
        assert_eq!(heard, [70; 160]);
        minus_plus(&mixed, &voices[0], &[5; 160], &mut heard);
        assert_eq!(heard, [1_975; 160]);
        subtract(&mut sum, &voices[1]);
        clamp(&sum, &mut heard);
        assert_eq!(heard, [70; 160]);
    }

    #[test]
    fn loud_voices_are_clamped_once_at_the_end() {
        let mut sum = [0i32; 4];
        for _ in 0..400 {
            add(&mut sum, &[i16::MAX; 4]);
        }
        let mut heard = [0i16; 4];
        clamp(&sum, &mut heard);
        assert!(!fits(&sum) && heard == [i16::MAX; 4]);
        for _ in 0..399 {
            subtract(&mut sum, &[i16::MAX; 4]);
        }
        clamp(&sum, &mut heard);
        assert!(fits(&sum) && heard == [i16::MAX; 4]);
        let mixed = heard;
        minus(&mixed, &[i16::MAX; 4], &mut heard);
        assert_eq!(heard, [0; 4]);
        add_clamped(&mut heard, &[i16::MIN; 4]);
        add_clamped(&mut heard, &[i16::MIN; 4]);
        assert_eq!(heard, [i16::MIN; 4]);
    }
}
