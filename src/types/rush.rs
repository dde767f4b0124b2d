//! When a rush is over, and with it the time to give memory back.

/// Less than this is not worth the trouble: the allocator will need it again.
const RUSH: usize = 512;

/// Watches how much is held.
#[derive(Debug, Default)]
pub struct Rush {
    /// The most that was held since the last rush was over.
    most: usize,
}

impl Rush {
    /// Takes note of how many things are held now. Says, once, that a rush is over: next to nothing is left of it.
    pub fn note_held(&mut self, held: usize) -> bool {
        self.most = self.most.max(held);
        let is_over = self.most >= RUSH && held < self.most / 8;
        if is_over {
            self.most = held;
        }
        is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rush_is_over_once_and_never_in_the_middle_of_it() {
        let mut rush = Rush::default();
        for held in [100, 5, RUSH - 1, 0, 50_000, 10_000] {
            assert!(!rush.note_held(held), "{held}");
        }
        assert!(rush.note_held(3_000));
        assert!(!rush.note_held(2_900));
        assert!(rush.note_held(0));
        assert!(!rush.note_held(0));
    }
}
