//! Who is counted as one caller.

use sha2::{Digest, Sha256};

/// One caller, as far as guesses are counted. Digests: of fixed size whatever a peer sends, and no number lies about in
/// memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallerKey {
    pub(super) trunk: TrunkKey,
    caller: Caller,
}

/// The trunk a caller came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TrunkKey([u8; 16]);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Caller {
    /// Everybody on the trunk of whom nothing is known.
    Withheld,
    Number([u8; 16]),
}

impl CallerKey {
    /// The calling number on its trunk. `number` is the normalised number, be it shown to others or only asserted to
    /// us; empty where the trunk says nothing that may be believed: all such callers of a trunk are one.
    ///
    /// The trunk is part of the key: a number forged on one trunk blocks nobody on another.
    #[must_use]
    pub fn of(trunk: &str, number: &str) -> Self {
        let caller = if number.is_empty() { Caller::Withheld } else { Caller::Number(digest(number)) };
        Self { trunk: TrunkKey(digest(trunk)), caller }
    }

    /// Whether it stands for many callers, who cannot be told apart.
    #[must_use]
    pub const fn is_withheld(&self) -> bool {
        matches!(self.caller, Caller::Withheld)
    }
}

fn digest(text: &str) -> [u8; 16] {
    let mut key = [0; 16];
    for (to, from) in key.iter_mut().zip(Sha256::digest(text)) {
        *to = from;
    }
    key
}
