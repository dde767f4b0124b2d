//! Mixing: sums of i32, clamped once.
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

/// What one talker hears: the sum less their own share, clamped.
pub fn minus(sum: &[i32], own: &[i16], out: &mut [i16]) {
    for ((out, &sum), &own) in out.iter_mut().zip(sum).zip(own) {
        *out = saturate(sum - i32::from(own));
    }
}

/// What one talker hears who also hears a private player: the sum less their own share plus the extra, clamped once.
pub fn minus_plus(sum: &[i32], own: &[i16], extra: &[i16], out: &mut [i16]) {
    for (((out, &sum), &own), &extra) in out.iter_mut().zip(sum).zip(own).zip(extra) {
        *out = saturate(sum - i32::from(own) + i32::from(extra));
    }
}

/// Adds two signals, clamped.
pub fn add_clamped(out: &mut [i16], extra: &[i16]) {
    for (out, &extra) in out.iter_mut().zip(extra) {
        *out = out.saturating_add(extra);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "clamped just before")]
fn saturate(sum: i32) -> i16 {
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
        let mut heard = [0i16; 160];
        minus(&sum, &voices[1], &mut heard);
        assert_eq!(heard, [70; 160]);
        minus_plus(&sum, &voices[0], &[5; 160], &mut heard);
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
        minus(&sum, &[i16::MAX; 4], &mut heard);
        assert_eq!(heard, [i16::MAX; 4]);
        for _ in 0..399 {
            subtract(&mut sum, &[i16::MAX; 4]);
        }
        minus(&sum, &[i16::MAX; 4], &mut heard);
        assert_eq!(heard, [0; 4]);
        add_clamped(&mut heard, &[i16::MIN; 4]);
        add_clamped(&mut heard, &[i16::MIN; 4]);
        assert_eq!(heard, [i16::MIN; 4]);
    }
}
