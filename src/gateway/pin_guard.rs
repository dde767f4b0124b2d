//! PIN guessing, bounded twice (see SECURITY.md): by caller, and for the gateway as a whole.
//!
//! A caller with [`Limits::caller_wrong`] wrong PINs within [`Limits::caller_window`] is blocked for
//! [`Limits::block`]; others, on the same trunk too, are not affected. Callers of a trunk who withhold their number
//! cannot be told apart: they count as one, and are not blocked but slowed down to one check every
//! [`Limits::withheld_interval`], so that one of them does not shut the others out.
//!
//! All wrong PINs together have a budget ([`Limits::shared_wrong`] within [`Limits::shared_window`]); once it is spent,
//! checks are made one every [`Limits::slow_interval`], right PINs and wrong ones alike. So whoever forges calling
//! numbers gains no guesses. Who is next is fair (`turns.rs`): first those who have opened a room by its PIN lately,
//! then those with nothing wrong, then those with the fewest wrong PINs; among equals trunk by trunk, and caller by
//! caller.
//!
//! So a caller with nothing wrong waits for one check and one of another trunk at most, however many wait who have
//! something wrong. Guessers with a number never seen have nothing wrong either until their first PIN is looked up, and
//! nothing tells them from others. However many of these wait, a caller has one of the next two turns of the trunk as
//! long as nobody comes after; where new ones go on coming it is a lot that nobody can turn (figures in
//! benches/README.md), and where they come oftener than checks are made most callers never have a turn. Those who have
//! opened a room within [`Limits::known_for`] go before all of them.
//!
//! The lookup itself, in constant time, is [`crate::dialplan::Plan::room_by_pin`].
//!
//! **A right PIN forgives nothing.** If it did, anyone who knows one room's PIN could key it between guesses at
//! another's and guess for ever. The price is that ten honest slips within one hour from one number (an office behind
//! one line) cost that number an hour.

mod caller;
mod turns;

pub use caller::CallerKey;

use crate::types::{CallId, Deadlines};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};
use turns::{Priority, Turns};

/// Bounds of PIN guessing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Wrong PINs of one caller within `caller_window` that block the caller. Default 10.
    pub caller_wrong: usize,
    /// Default one hour.
    pub caller_window: Duration,
    /// How long a caller stays blocked. Default one hour.
    pub block: Duration,
    /// Time between two checks of the withheld callers of one trunk, in place of a block. Default 30 seconds.
    pub withheld_interval: Duration,
    /// Wrong PINs of all callers within `shared_window` beyond which checks slow down. Default 60.
    pub shared_wrong: usize,
    /// Default one hour.
    pub shared_window: Duration,
    /// Time between two checks while slowed down. Default 3 seconds.
    pub slow_interval: Duration,
    /// How long a caller is known by a right PIN. Default 30 days.
    pub known_for: Duration,
    /// Callers remembered at most for wrong PINs (about 400 bytes each), and as many for right ones (about 150); beyond
    /// it the one whose record would expire first is forgotten. The default, 4,096, is more than can key a wrong PIN
    /// within an hour past the shared budget (60 + 1,200).
    pub callers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        const HOUR: Duration = Duration::from_secs(3_600);
        Self {
            caller_wrong: 10,
            caller_window: HOUR,
            block: HOUR,
            withheld_interval: Duration::from_secs(30),
            shared_wrong: 60,
            shared_window: HOUR,
            slow_interval: Duration::from_secs(3),
            known_for: 30 * 24 * HOUR,
            callers: 4_096,
        }
    }
}

/// The answer to [`PinGuard::check`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Look the PIN up now and report [`PinGuard::wrong`] or [`PinGuard::right`], before anything else is asked.
    Now,
    /// Wait: [`PinGuard::take_due`] will name this call.
    Wait,
    /// The caller hears that PINs are not accepted.
    Blocked,
}

/// Decides when, and whether, a PIN that was keyed is looked up.
///
/// Ask with [`check`](Self::check); after the lookup, tell it with [`wrong`](Self::wrong) or [`right`](Self::right).
/// When [`poll_timeout`](Self::poll_timeout) is reached, [`take_due`](Self::take_due) until it gives `None`, and treat
/// each as if `check` had answered then. A call that ends is taken out with [`forget`](Self::forget).
///
/// Memory is bounded by [`Limits::callers`] and by the calls that wait, one place each. Nothing scans.
#[derive(Debug)]
pub struct PinGuard {
    limits: Limits,
    callers: HashMap<CallerKey, Caller>,
    /// When each caller's record says nothing any more.
    expiry: Deadlines<CallerKey>,
    /// Callers who have opened a room by its PIN, until when.
    known: Deadlines<CallerKey>,
    /// The latest `shared_wrong` wrong PINs.
    shared: VecDeque<Instant>,
    /// While slowed down: when the next check may be made.
    next_slot: Option<Instant>,
    /// Calls that wait for such a check.
    turns: Turns,
    /// Withheld calls that wait until their trunk's withheld callers may have a turn at all.
    resting: Turns,
    /// When that is.
    rests: Deadlines<CallerKey>,
    /// Calls that waited when their caller was blocked.
    refused: BTreeSet<CallId>,
    /// Since when [`Self::take_due`] may have something that no deadline tells of.
    due: Option<Instant>,
}

#[derive(Debug)]
enum Caller {
    /// Its wrong PINs, oldest first, fewer than `caller_wrong`.
    Counted(VecDeque<Instant>),
    Blocked,
    /// Withheld callers with too many: when the next of them may have a turn.
    Slowed {
        next: Instant,
    },
}

/// Known by a right PIN, nothing wrong.
const KNOWN: Priority = 0;
/// Nothing is known, and nothing wrong. Each wrong PIN is one more.
const CLEAN: Priority = 1;

impl PinGuard {
    /// A guard that has seen nothing yet. A bound of 0 counts as 1. `random` draws the lots of those who wait.
    #[must_use]
    pub fn new(limits: Limits, mut random: StdRng) -> Self {
        let limits = Limits { shared_wrong: limits.shared_wrong.max(1), callers: limits.callers.max(1), ..limits };
        Self {
            limits,
            callers: HashMap::new(),
            expiry: Deadlines::default(),
            known: Deadlines::default(),
            shared: VecDeque::new(),
            next_slot: None,
            resting: Turns::new(StdRng::from_rng(&mut random)),
            turns: Turns::new(random),
            rests: Deadlines::default(),
            refused: BTreeSet::new(),
            due: None,
        }
    }

    /// Changes [`Limits::shared_wrong`], as a reload may; what was counted stays.
    pub fn set_shared_wrong(&mut self, shared_wrong: usize) {
        self.limits.shared_wrong = shared_wrong.max(1);
        while self.shared.len() > self.limits.shared_wrong {
            self.shared.pop_front();
        }
    }

    /// Whether the PIN that `call`, of the caller `key`, has keyed may be looked up; `wrong` were wrong in this call
    /// before. A call waits for one check at most: asking again while it waits keeps its place.
    pub fn check(&mut self, now: Instant, call: CallId, key: CallerKey, wrong: u32) -> Decision {
        self.expire(now);
        let priority = self.priority(key, wrong);
        match self.callers.get_mut(&key) {
            Some(Caller::Blocked) => {
                self.forget(call);
                return Decision::Blocked;
            }
            Some(Caller::Slowed { next }) if !self.turns.holds(call) => {
                if *next > now || self.rests.get(key).is_some() {
                    self.rests.set(key, *next);
                    self.resting.add(call, key, priority);
                    return Decision::Wait;
                }
                *next = now.checked_add(self.limits.withheld_interval).unwrap_or(now);
            }
            _ => {}
        }
        if self.turns.is_empty() && self.take_slot(now) {
            return Decision::Now;
        }
        self.turns.add(call, key, priority);
        Decision::Wait
    }

    /// Counts a wrong PIN. Says whether the caller is blocked from now on, or slowed down if withheld.
    pub fn wrong(&mut self, now: Instant, key: CallerKey) -> bool {
        self.shared.push_back(now);
        while self.shared.len() > self.limits.shared_wrong {
            self.shared.pop_front();
        }
        self.expire(now);
        if !self.callers.contains_key(&key) {
            self.make_room(now);
        }
        let caller = self.callers.entry(key).or_insert_with(|| Caller::Counted(VecDeque::new()));
        let Caller::Counted(wrong) = caller else { return true };
        while wrong.front().is_some_and(|at| now.saturating_duration_since(*at) >= self.limits.caller_window) {
            wrong.pop_front();
        }
        wrong.push_back(now);
        let many = wrong.len() >= self.limits.caller_wrong;
        let lasts = if many { self.limits.block } else { self.limits.caller_window };
        if many && key.is_withheld() {
            let next = now.checked_add(self.limits.withheld_interval).unwrap_or(now);
            *caller = Caller::Slowed { next };
        } else if many {
            *caller = Caller::Blocked;
        }
        if let Some(until) = now.checked_add(lasts) {
            self.expiry.set(key, until);
        }
        self.move_waiting(now, key);
        many
    }

    /// A PIN was right: its caller is known from now on, and goes first as long as nothing is wrong.
    pub fn right(&mut self, now: Instant, key: CallerKey) {
        let Some(until) = now.checked_add(self.limits.known_for).filter(|_| !key.is_withheld()) else { return };
        self.known.set(key, until);
        while self.known.len() > self.limits.callers {
            let first = self.known.next();
            first.and_then(|first| self.known.pop_due(first));
        }
    }

    /// Whether PINs of this caller are not accepted at `now`.
    pub fn is_blocked(&mut self, now: Instant, key: CallerKey) -> bool {
        self.expire(now);
        matches!(self.callers.get(&key), Some(Caller::Blocked))
    }

    /// Whether the shared budget is spent, for the log and the status page.
    pub fn is_slow(&mut self, now: Instant) -> bool {
        self.slow_until(now).is_some()
    }

    /// Takes a call out of the queue. Says whether it waited.
    pub fn forget(&mut self, call: CallId) -> bool {
        self.turns.remove(call).or_else(|| self.resting.remove(call)).is_some() || self.refused.remove(&call)
    }

    /// Another call takes the turn of one that waits, if it does.
    pub fn rename(&mut self, call: CallId, to: CallId) {
        self.turns.rename(call, to);
        self.resting.rename(call, to);
        if self.refused.remove(&call) {
            self.refused.insert(to);
        }
    }

    /// When a call that waits may be looked at; `None` while none waits.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let quick_again = self.shared.front().and_then(|oldest| oldest.checked_add(self.limits.shared_window));
        let turn = self.next_slot.into_iter().chain(quick_again).min().filter(|_| !self.turns.is_empty());
        let rest = self.rests.next().filter(|_| !self.resting.is_empty());
        let waits = !(self.turns.is_empty() && self.resting.is_empty() && self.refused.is_empty());
        self.due.filter(|_| waits).into_iter().chain(turn).chain(rest).min()
    }

    /// The next call whose turn it is, as if [`Self::check`] had just answered [`Decision::Now`] or
    /// [`Decision::Blocked`]. Act on it before asking for the next.
    pub fn take_due(&mut self, now: Instant) -> Option<(CallId, Decision)> {
        self.expire(now);
        if let Some(call) = self.refused.pop_first() {
            return Some((call, Decision::Blocked));
        }
        while let Some(key) = self.rests.pop_due(now) {
            let Some(Caller::Slowed { next }) = self.callers.get_mut(&key) else { continue };
            *next = now.checked_add(self.limits.withheld_interval).unwrap_or(now);
            let next = *next;
            if let Some((call, priority)) = self.resting.take_of(key) {
                self.turns.add(call, key, priority);
                // If none is left, this finds none and is not set again.
                self.rests.set(key, next);
            }
        }
        if !self.turns.is_empty() && self.take_slot(now) {
            return self.turns.take().map(|(call, _)| (call, Decision::Now));
        }
        self.due = None;
        None
    }

    /// Calls that wait and callers that are remembered for wrong PINs.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.turns.len() + self.resting.len() + self.refused.len(), self.callers.len())
    }

    /// How soon a call is served: of a caller who is known by what that caller has done, of one who withholds the
    /// number by what this call has, since there is no telling the callers apart.
    fn priority(&self, key: CallerKey, wrong_in_call: u32) -> Priority {
        let wrong = match self.callers.get(&key) {
            _ if key.is_withheld() => wrong_in_call as usize,
            Some(Caller::Counted(wrong)) => wrong.len(),
            _ if self.known.get(key).is_some() => return KNOWN,
            _ => 0,
        };
        Priority::try_from(wrong).unwrap_or(Priority::MAX).saturating_add(CLEAN)
    }

    /// A caller's priority has changed: its calls that wait go where they now belong.
    fn move_waiting(&mut self, now: Instant, key: CallerKey) {
        match self.callers.get(&key) {
            Some(Caller::Blocked) => {
                let calls = self.turns.take_all_of(key);
                self.refused.extend(calls.into_iter().map(|(call, _)| call));
                self.due.get_or_insert(now);
            }
            Some(Caller::Slowed { next }) => {
                let next = *next;
                for (call, priority) in self.turns.take_all_of(key) {
                    self.resting.add(call, key, priority);
                    self.rests.set(key, next);
                }
            }
            Some(Caller::Counted(_)) if !key.is_withheld() => {
                let priority = self.priority(key, 0);
                for (call, _) in self.turns.take_all_of(key) {
                    self.turns.add(call, key, priority);
                }
            }
            _ => {}
        }
    }

    /// Takes the right to one check at `now`, if there is one.
    fn take_slot(&mut self, now: Instant) -> bool {
        if self.slow_until(now).is_none() {
            self.next_slot = None;
            return true;
        }
        if self.next_slot.is_some_and(|slot| slot > now) {
            return false;
        }
        self.next_slot = now.checked_add(self.limits.slow_interval);
        true
    }

    /// Until when the shared budget is spent, if nothing more is wrong.
    fn slow_until(&self, now: Instant) -> Option<Instant> {
        if self.shared.len() < self.limits.shared_wrong {
            return None;
        }
        let until = self.shared.front()?.checked_add(self.limits.shared_window)?;
        (until > now).then_some(until)
    }

    fn expire(&mut self, now: Instant) {
        while self.known.pop_due(now).is_some() {}
        while let Some(key) = self.expiry.pop_due(now) {
            self.forget_caller(now, key);
        }
    }

    fn make_room(&mut self, now: Instant) {
        while self.callers.len() >= self.limits.callers {
            let Some(first) = self.expiry.next().and_then(|first| self.expiry.pop_due(first)) else { return };
            self.forget_caller(now, first);
        }
    }

    fn forget_caller(&mut self, now: Instant, key: CallerKey) {
        self.callers.remove(&key);
        if self.rests.clear(key) {
            for (call, priority) in self.resting.take_all_of(key) {
                self.turns.add(call, key, priority);
                self.due.get_or_insert(now);
            }
        }
    }
}

#[cfg(test)]
mod tests;
