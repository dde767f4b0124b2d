//! Digit collection: a pure state machine that the gateway feeds with digits and time.

use super::{CollectSpec, Digits};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How a collection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    /// The terminator was keyed, with enough digits.
    Terminator,
    /// The greatest number of digits was reached.
    Full,
    /// Time ran out between digits, with enough digits.
    NextDigitTimeout,
    /// Too few digits before the terminator or before time ran out between digits.
    TooShort,
    /// No digit at all within the first-digit time.
    NoInput,
}

/// What the collector is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A collection begins ([`super::Verb::Collect`]), replacing one under way. What was typed ahead counts as keyed
    /// now.
    Start(CollectSpec),
    /// The collection is given up and what was typed ahead is forgotten ([`super::Verb::StopCollect`]).
    Stop,
    /// One key press; see [`is_dtmf`]. Anything else is ignored.
    Digit(char),
    /// Whether something is being played to the caller from now on. A playback that takes the place of another begins
    /// (`true`), and the end of the one replaced is not told.
    Playing(bool),
}

/// What the collector answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// The first key of a collection was pressed: stop what is played to the caller.
    BargeIn,
    /// The collection is over: [`super::Event::Collected`].
    Collected {
        /// What was keyed, without the terminator.
        digits: Digits,
        /// How it ended.
        how: Completion,
    },
    /// A key outside a collection: [`super::Event::Digit`]. It is kept as type-ahead too, until the next
    /// [`Input::Start`] or [`Input::Stop`].
    Digit(char),
}

/// Most keys kept from before a collection. Later ones are reported and not kept.
pub const TYPE_AHEAD_DIGITS: usize = 16;

/// A pause this long makes what was typed ahead stale: nobody is still entering that PIN.
pub const TYPE_AHEAD_AGE: Duration = Duration::from_secs(15);

/// Keys that follow a full entry of variable length within this time of each other are the rest of an entry that was
/// too long.
pub const OVERRUN_PAUSE: Duration = Duration::from_secs(1);

/// A terminator that follows a full entry within this time still belongs to it: callers press it out of habit.
pub const LATE_TERMINATOR: Duration = Duration::from_secs(3);

/// Whether `digit` is a key of a telephone: `0`-`9`, `*`, `#`, `A`-`D`.
#[must_use]
pub const fn is_dtmf(digit: char) -> bool {
    matches!(digit, '0'..='9' | '*' | '#' | 'A'..='D')
}

/// Collects the digits of one call, for as long as the call lasts.
///
/// Tell it everything with [`handle_input`](Self::handle_input), wake it with [`handle_timeout`](Self::handle_timeout)
/// when [`poll_timeout`](Self::poll_timeout) says so, and take what it has to say with
/// [`poll_output`](Self::poll_output) until that is `None`.
///
/// Between collections it keeps the last few keys, so that a caller who knows the menu may type ahead.
#[derive(Debug, Default)]
pub struct Collector {
    state: State,
    playing: bool,
    type_ahead: TypeAhead,
    overrun: Option<Overrun>,
    output: VecDeque<Output>,
}

#[derive(Debug, Default)]
enum State {
    /// No collection.
    #[default]
    Idle,
    /// No digit yet. `deadline` is `None` while something is played.
    First { spec: CollectSpec, deadline: Option<Instant> },
    /// At least one digit.
    Next { spec: CollectSpec, digits: Digits, deadline: Option<Instant> },
}

/// The last collection ended full: keys that still come may be the rest of it, even if the next one has begun.
#[derive(Debug)]
struct Overrun {
    terminator: Option<char>,
    /// Only the terminator may be left over; other keys are meant for what comes next.
    fixed_length: bool,
    last_key: Instant,
}

impl Collector {
    /// A collector for a call that has just come in.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one input. A deadline that lies before `now` is honoured first.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        self.handle_timeout(now);
        match input {
            Input::Start(spec) => self.start(now, spec),
            Input::Stop => {
                self.state = State::Idle;
                self.overrun = None;
                self.type_ahead.clear();
            }
            Input::Digit(digit) if is_dtmf(digit) => self.digit(now, digit),
            Input::Digit(_) => {}
            Input::Playing(playing) => self.set_playing(now, playing),
        }
    }

    /// What happened, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.output.pop_front()
    }

    /// When to call [`Self::handle_timeout`]; `None` while nothing is waited for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Idle => None,
            State::First { deadline, .. } | State::Next { deadline, .. } => *deadline,
        }
    }

    /// Ends the collection if its time is up.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_none_or(|deadline| deadline > now) {
            return;
        }
        match std::mem::take(&mut self.state) {
            State::First { .. } => self.finish(Digits::default(), Completion::NoInput),
            State::Next { spec, digits, .. } if too_short(&spec, &digits) => self.finish(digits, Completion::TooShort),
            State::Next { digits, .. } => self.finish(digits, Completion::NextDigitTimeout),
            State::Idle => {}
        }
    }

    /// Whether a collection is under way (the leg's digits are wanted on arrival).
    #[must_use]
    pub fn is_collecting(&self) -> bool {
        matches!(self.state, State::First { .. } | State::Next { .. })
    }

    fn start(&mut self, now: Instant, spec: CollectSpec) {
        let deadline = if self.playing { None } else { now.checked_add(spec.first_digit) };
        self.state = State::First { spec, deadline };
        self.type_ahead.forget_stale(now);
        while self.is_collecting() {
            let Some(digit) = self.type_ahead.pop() else { return };
            self.collect(now, digit);
        }
        while self.type_ahead.peek().is_some_and(|digit| self.is_rest_of_last_entry(now, digit)) {
            self.type_ahead.pop();
        }
    }

    fn set_playing(&mut self, now: Instant, playing: bool) {
        if self.playing == playing {
            return;
        }
        self.playing = playing;
        if let State::First { spec, deadline } = &mut self.state {
            *deadline = if playing { None } else { now.checked_add(spec.first_digit) };
        }
    }

    fn digit(&mut self, now: Instant, digit: char) {
        if self.is_rest_of_last_entry(now, digit) {
            return;
        }
        if self.is_collecting() {
            self.collect(now, digit);
        } else {
            self.type_ahead.push(now, digit);
            self.output.push_back(Output::Digit(digit));
        }
    }

    /// A key during a collection.
    fn collect(&mut self, now: Instant, digit: char) {
        let (spec, mut digits) = match std::mem::take(&mut self.state) {
            State::First { spec, .. } => {
                if self.playing {
                    self.playing = false;
                    self.output.push_back(Output::BargeIn);
                }
                (spec, Digits::default())
            }
            State::Next { spec, digits, .. } => (spec, digits),
            State::Idle => return,
        };
        if spec.terminator == Some(digit) {
            let how = if too_short(&spec, &digits) { Completion::TooShort } else { Completion::Terminator };
            self.finish(digits, how);
        } else if spec.restart == Some(digit) {
            let deadline = now.checked_add(spec.first_digit);
            self.state = State::First { spec, deadline };
        } else {
            digits.push(digit);
            if digits.len() >= usize::from(spec.max_digits) {
                self.finish(digits, Completion::Full);
                let fixed_length = spec.min_digits >= spec.max_digits;
                self.overrun = Some(Overrun { terminator: spec.terminator, fixed_length, last_key: now });
            } else {
                let deadline = now.checked_add(spec.next_digit);
                self.state = State::Next { spec, digits, deadline };
            }
        }
    }

    fn finish(&mut self, digits: Digits, how: Completion) {
        self.state = State::Idle;
        self.output.push_back(Output::Collected { digits, how });
    }

    /// Whether a key still belongs to the entry that was full. Taken as the start of the next entry it would spoil it.
    fn is_rest_of_last_entry(&mut self, now: Instant, digit: char) -> bool {
        let Some(overrun) = &mut self.overrun else { return false };
        let pause = now.saturating_duration_since(overrun.last_key);
        if overrun.terminator == Some(digit) {
            self.overrun = None;
            pause < LATE_TERMINATOR
        } else if !overrun.fixed_length && pause < OVERRUN_PAUSE {
            overrun.last_key = now;
            true
        } else {
            self.overrun = None;
            false
        }
    }
}

fn too_short(spec: &CollectSpec, digits: &Digits) -> bool {
    digits.len() < usize::from(spec.min_digits)
}

/// Keys pressed before the collection began.
#[derive(Default)]
struct TypeAhead {
    keys: VecDeque<char>,
    last: Option<Instant>,
}

impl TypeAhead {
    fn push(&mut self, now: Instant, digit: char) {
        self.forget_stale(now);
        if self.keys.len() < TYPE_AHEAD_DIGITS {
            self.keys.push_back(digit);
            self.last = Some(now);
        }
    }

    fn pop(&mut self) -> Option<char> {
        self.keys.pop_front()
    }

    fn peek(&self) -> Option<char> {
        self.keys.front().copied()
    }

    fn forget_stale(&mut self, now: Instant) {
        if self.last.is_some_and(|last| now.saturating_duration_since(last) > TYPE_AHEAD_AGE) {
            self.clear();
        }
    }

    fn clear(&mut self) {
        self.keys.clear();
        self.last = None;
    }
}

impl std::fmt::Debug for TypeAhead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<{} keys>", self.keys.len())
    }
}

#[cfg(test)]
mod tests;
