//! What random numbers are drawn from.

use rand::rngs::StdRng;
use rand::{Rng, RngCore, SeedableRng};

/// 256 bits from which all that is random follows: nonces, tags, branches, Call-IDs, keys. The shell draws them from
/// the system; whoever hands some on draws new ones, so that what one part shows tells nothing of another's.
#[derive(Clone, Copy)]
pub struct Seed([u8; 32]);

impl Seed {
    /// The seed of these bits, which nobody may guess.
    #[must_use]
    pub const fn new(bits: [u8; 32]) -> Self {
        Self(bits)
    }

    /// One of the seeds that anybody can guess, for runs that are to be repeated: tests and benches.
    #[must_use]
    pub fn fixed(number: u64) -> Self {
        Self::drawn(&mut StdRng::seed_from_u64(number))
    }

    /// A seed for a part of its own.
    #[must_use]
    pub fn drawn(random: &mut impl RngCore) -> Self {
        Self(random.random())
    }

    /// The generator that begins here.
    #[must_use]
    pub fn generator(&self) -> StdRng {
        StdRng::from_seed(self.0)
    }
}

impl std::fmt::Debug for Seed {
    /// Says nothing of it: all secrets follow from it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_each_time_and_another_one_others() {
        let numbers = |seed: Seed| seed.generator().random::<[u64; 4]>();
        assert_eq!(numbers(Seed::fixed(1)), numbers(Seed::fixed(1)));
        assert_ne!(numbers(Seed::fixed(1)), numbers(Seed::fixed(2)));
        // Each of the 256 bits counts.
        let mut seen = std::collections::HashSet::new();
        for bit in 0..256 {
            let mut bits = [0; 32];
            bits[bit / 8] = 1 << (bit % 8);
            assert!(seen.insert(numbers(Seed::new(bits))));
        }
    }

    #[test]
    fn a_part_has_numbers_of_its_own() {
        let mut random = Seed::fixed(1).generator();
        let [one, other] = [(); 2].map(|()| Seed::drawn(&mut random).generator().random::<u64>());
        assert!(one != other && one != random.random::<u64>());
    }

    #[test]
    fn debug_output_says_nothing_of_it() {
        assert_eq!(format!("{:?}", Seed::fixed(1)), "Seed");
    }
}
