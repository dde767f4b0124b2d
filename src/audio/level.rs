//! How loud a signal is. 0 dBFS is a sine that just reaches full scale, which for G.711 is +3.17 dBm0.

/// The power of a full-scale sine: half of 32768².
const FULL_SCALE_SINE: f64 = 536_870_912.0;

/// The level of a full-scale square wave, which is the overload of RFC 6464 (0 dBov).
const SQUARE_DBFS: f32 = 3.01;

/// The level of digital silence, and the lowest that is told.
pub const SILENCE_DBFS: f32 = -96.0;

/// Sum of the squares of the samples.
#[must_use]
#[inline]
pub fn energy(samples: &[i16]) -> u64 {
    // The sum of two squares is 2³¹ at most, which an i32 wraps and a u32 holds: so a pair is one multiply-add of a
    // vector, and only then widened.
    let square = |sample: i16| i32::from(sample) * i32::from(sample);
    let (pairs, rest) = samples.as_chunks();
    let last: u64 = rest.iter().map(|&sample| u64::from(square(sample).cast_unsigned())).sum();
    pairs.iter().map(|&[a, b]| u64::from(square(a).wrapping_add(square(b)).cast_unsigned())).sum::<u64>() + last
}

/// The level in dBFS, from [`SILENCE_DBFS`] to +3 (a full-scale square wave).
#[must_use]
pub fn dbfs(samples: &[i16]) -> f32 {
    dbfs_of(energy(samples), samples.len())
}

/// The level in dBFS of `count` samples whose squares sum to `energy`.
#[must_use]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a level needs no more")]
pub fn dbfs_of(energy: u64, count: usize) -> f32 {
    if energy == 0 || count == 0 {
        return SILENCE_DBFS;
    }
    let power = energy as f64 / count as f64;
    (10.0 * (power / FULL_SCALE_SINE).log10()).max(f64::from(SILENCE_DBFS)) as f32
}

/// The level as RFC 6464 and RFC 6465 tell it: decibels below overload, 0 to 127, where a full-scale square wave is 0
/// and digital silence 127.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
pub fn below_overload(samples: &[i16]) -> u8 {
    let energy = energy(samples);
    if energy == 0 { 127 } else { (SQUARE_DBFS - dbfs_of(energy, samples.len())).round().clamp(0.0, 127.0) as u8 }
}

/// The amplitude (peak) of a sine at `dbfs`.
#[must_use]
pub fn amplitude(dbfs: f32) -> f32 {
    32_767.0 * 10f32.powf(dbfs / 20.0)
}

/// The energy that `count` samples at `dbfs` have: for gates that compare without a logarithm.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a threshold needs no more"
)]
pub fn energy_at(dbfs: f32, count: usize) -> u64 {
    (FULL_SCALE_SINE * 10f64.powf(f64::from(dbfs) / 10.0) * count as f64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_scale_sine_is_zero_and_silence_is_the_floor() {
        let sine: Vec<i16> =
            (0..800).map(|i| (32_767.0 * (f64::from(i) * std::f64::consts::TAU / 8.0).sin()) as i16).collect();
        assert!(dbfs(&sine).abs() < 0.01);
        assert_eq!(dbfs(&[0; 160]), SILENCE_DBFS);
        assert_eq!(dbfs(&[]), SILENCE_DBFS);
        assert!(dbfs(&[i16::MIN; 160]) < 3.1);
        assert_eq!([&sine[..], &[i16::MIN; 160], &[0; 160], &[1; 160]].map(below_overload), [3, 0, 127, 90]);
        assert_eq!(energy(&[i16::MIN; 161]), 161 << 30);
    }

    #[test]
    fn a_threshold_agrees_with_the_level() {
        let quiet = [33i16; 160];
        let level = dbfs(&quiet);
        assert!(energy_at(level - 0.1, 160) < energy(&quiet));
        assert!(energy_at(level + 0.1, 160) > energy(&quiet));
        assert!((amplitude(-20.0) - 3_276.7).abs() < 0.1);
    }
}
