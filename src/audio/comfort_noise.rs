//! A hint of noise, so that silence does not sound like a dead line.

use super::level;

/// The customary level: audible to nobody who does not listen for it.
pub const FAINT_DBFS: f32 = -68.0;

/// White noise from a small generator: one multiplication a sample, the same for the same seed.
#[derive(Debug, Clone)]
pub struct ComfortNoise {
    state: u32,
    /// Peak of the uniform distribution, in 1/65536 of a step.
    scale: i32,
}

impl ComfortNoise {
    /// Noise at `dbfs` (at most −20).
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "bounded above by the clamp")]
    pub fn new(seed: u64, dbfs: f32) -> Self {
        // A uniform distribution ±a has the power a²/3; a sine of amplitude b has b²/2.
        let peak = level::amplitude(dbfs.clamp(level::SILENCE_DBFS, -20.0)) * 1.5f32.sqrt();
        Self { state: (seed ^ (seed >> 32)) as u32 | 1, scale: (peak * 65_536.0 / 32_768.0) as i32 }
    }

    /// Overwrites `out` with noise.
    pub fn fill(&mut self, out: &mut [i16]) {
        for sample in out {
            *sample = self.next();
        }
    }

    /// Adds noise to `sum`.
    pub fn add(&mut self, sum: &mut [i32]) {
        for sample in sum {
            *sample += i32::from(self.next());
        }
    }

    fn next(&mut self) -> i16 {
        self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // The high half of a linear congruential generator is the good half. Rounded, or the mean would be off.
        let uniform = i32::from((self.state >> 16) as u16 as i16);
        // The scale is below 2^14, so the product fits.
        ((uniform * self.scale + (1 << 15)) >> 16) as i16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_faint_repeatable_and_without_offset() {
        let mut noise = [0i16; 8_000];
        ComfortNoise::new(7, FAINT_DBFS).fill(&mut noise);
        let level = level::dbfs(&noise);
        assert!((FAINT_DBFS - 1.5..FAINT_DBFS + 1.5).contains(&level), "{level}");
        assert!(noise.iter().map(|&s| i64::from(s)).sum::<i64>().abs() < 800);
        let mut again = [0i32; 8_000];
        ComfortNoise::new(7, FAINT_DBFS).add(&mut again);
        assert!(noise.iter().zip(&again).all(|(&a, &b)| i32::from(a) == b));
        let mut other = [0i16; 8_000];
        ComfortNoise::new(8, FAINT_DBFS).fill(&mut other);
        assert_ne!(noise, other);
    }
}
