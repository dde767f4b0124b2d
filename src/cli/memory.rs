//! Memory that a rush of calls left behind goes back to the system.

/// Less than this is not worth the trouble: the allocator will need it again.
const RUSH: usize = 512;

/// Watches how much is held.
///
/// What is freed in small pieces stays with the allocator, unless it happens to lie at the end of the heap. After a rush
/// that is hundreds of times what an idle gateway needs.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The most that was held since memory was last given back.
    most: usize,
}

impl Memory {
    /// Takes note of how many things are held now.
    pub(super) fn note_held(&mut self, held: usize) {
        self.most = self.most.max(held);
        if self.is_over(held) {
            self.most = held;
            give_back();
        }
    }

    /// Whether a rush is over: next to nothing is left of it.
    fn is_over(&self, held: usize) -> bool {
        self.most >= RUSH && held < self.most / 8
    }
}

/// Gives the allocator's free pages back. Once after a rush, and some milliseconds at most.
#[cfg(target_env = "gnu")]
fn give_back() {
    // SAFETY: the call may be made at any time and from any thread; it only touches memory that nobody holds. nix has no
    // wrapper.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Other allocators see to it themselves.
#[cfg(not(target_env = "gnu"))]
fn give_back() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_goes_back_once_after_a_rush_and_never_in_one() {
        let mut memory = Memory::default();
        for held in [100, 5, RUSH - 1, 0] {
            memory.note_held(held);
            assert!(!memory.is_over(held));
        }
        memory.note_held(50_000);
        memory.note_held(10_000);
        assert_eq!(memory.most, 50_000);
        memory.note_held(3_000);
        assert_eq!(memory.most, 3_000);
        memory.note_held(0);
        memory.note_held(0);
        assert_eq!(memory.most, 0);
    }
}
