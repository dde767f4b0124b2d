//! Digit collection: a pure state machine that the gateway feeds with digits and time.

/// How a collection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    /// The terminator was keyed, with enough digits.
    Terminator,
    /// The greatest number of digits was reached.
    Full,
    /// Time ran out between digits, with enough digits.
    NextDigitTimeout,
    /// Too few digits before the terminator.
    TooShort,
    /// No digit at all within the first-digit time.
    NoInput,
}
