//! PIN guessing, bounded twice (see SECURITY.md): by caller, and for the gateway as a whole.
//!
//! A caller with [`Limits::caller_wrong`] wrong PINs within [`Limits::caller_window`] is blocked for
//! [`Limits::block`]; others, on the same trunk too, are not affected. All wrong PINs together have a budget
//! ([`Limits::shared_wrong`] within [`Limits::shared_window`]); once it is spent, checks are made one every
//! [`Limits::slow_interval`], first come, first served, right PINs and wrong ones alike. So whoever forges calling
//! numbers gains nothing, and nobody is shut out.
//!
//! The lookup itself, in constant time, is [`crate::dialplan::Plan::room_by_pin`].
//!
//! **A right PIN forgives nothing.** If it did, anyone who knows one room's PIN could key it between guesses at another's
//! and guess for ever. The price is that ten honest slips within one hour from one number (an office behind one line)
//! cost that number an hour.

use crate::types::{CallId, Deadlines};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Bounds of PIN guessing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Wrong PINs of one caller within `caller_window` that block the caller. Default 10.
    pub caller_wrong: usize,
    /// Default one hour.
    pub caller_window: Duration,
    /// How long a caller stays blocked. Default one hour.
    pub block: Duration,
    /// Wrong PINs of all callers within `shared_window` beyond which checks slow down. Default 60.
    pub shared_wrong: usize,
    /// Default one hour.
    pub shared_window: Duration,
    /// Time between two checks while slowed down. Default 3 seconds.
    pub slow_interval: Duration,
    /// Callers remembered at most (about 400 bytes each); beyond it the one whose record would expire first is
    /// forgotten. The default, 4,096, is more than can key a wrong PIN within an hour past the shared budget (60 + 1,200).
    pub callers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        const HOUR: Duration = Duration::from_secs(3_600);
        Self {
            caller_wrong: 10,
            caller_window: HOUR,
            block: HOUR,
            shared_wrong: 60,
            shared_window: HOUR,
            slow_interval: Duration::from_secs(3),
            callers: 4_096,
        }
    }
}

/// Who is counted as one caller. A digest: of fixed size whatever a peer sends, and no number lies about in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallerKey([u8; 16]);

impl CallerKey {
    /// The calling number, if the call came over a trunk and shows one; otherwise the source address, of which IPv6
    /// counts as a /64, since one subscriber has a whole one. `number` is the normalised number, empty when withheld.
    ///
    /// The trunk is part of the key: a number forged on one trunk blocks nobody on another.
    #[must_use]
    pub fn of(trunk: Option<&str>, number: &str, source: IpAddr) -> Self {
        let mut hash = Sha256::new();
        match (trunk, source.to_canonical()) {
            (Some(trunk), _) if !number.is_empty() => {
                hash.update(b"number\0");
                hash.update(trunk);
                hash.update(b"\0");
                hash.update(number);
            }
            (_, IpAddr::V4(address)) => {
                hash.update(b"ipv4\0");
                hash.update(address.octets());
            }
            (_, IpAddr::V6(address)) => {
                hash.update(b"ipv6\0");
                hash.update((u128::from(address) >> 64).to_be_bytes());
            }
        }
        let mut key = [0; 16];
        for (to, from) in key.iter_mut().zip(hash.finalize()) {
            *to = from;
        }
        Self(key)
    }
}

/// The answer to [`PinGuard::check`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Look the PIN up now and report [`PinGuard::wrong`] if it is, before anything else is asked.
    Now,
    /// Wait: [`PinGuard::take_due`] will name this call, at about that time unless others give up or are blocked.
    At(Instant),
    /// The caller hears that PINs are not accepted.
    Blocked,
}

/// Decides when, and whether, a PIN that was keyed is looked up.
///
/// Ask with [`check`](Self::check); after a lookup that fails, tell it with [`wrong`](Self::wrong). When
/// [`poll_timeout`](Self::poll_timeout) is reached, [`take_due`](Self::take_due) until it gives `None`, and treat each as
/// if `check` had answered then. A call that ends is taken out with [`forget`](Self::forget).
///
/// Memory is bounded by [`Limits::callers`] and by the calls that wait, one place each. Nothing scans.
#[derive(Debug)]
pub struct PinGuard {
    limits: Limits,
    callers: HashMap<CallerKey, Caller>,
    /// When each caller's record says nothing any more.
    expiry: Deadlines<CallerKey>,
    /// The latest `shared_wrong` wrong PINs.
    shared: VecDeque<Instant>,
    /// While slowed down: when the next check may be made.
    next_slot: Option<Instant>,
    queue: BTreeMap<u64, (CallId, CallerKey)>,
    places: HashMap<CallId, u64>,
    next_place: u64,
}

#[derive(Debug)]
enum Caller {
    /// Its wrong PINs, oldest first, fewer than `caller_wrong`.
    Counted(VecDeque<Instant>),
    Blocked,
}

impl PinGuard {
    /// A guard that has seen nothing yet. A bound of 0 counts as 1.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let limits = Limits { shared_wrong: limits.shared_wrong.max(1), callers: limits.callers.max(1), ..limits };
        Self {
            limits,
            callers: HashMap::new(),
            expiry: Deadlines::default(),
            shared: VecDeque::new(),
            next_slot: None,
            queue: BTreeMap::new(),
            places: HashMap::new(),
            next_place: 0,
        }
    }

    /// Changes [`Limits::shared_wrong`], as a reload may; what was counted stays.
    pub fn set_shared_wrong(&mut self, shared_wrong: usize) {
        self.limits.shared_wrong = shared_wrong.max(1);
        while self.shared.len() > self.limits.shared_wrong {
            self.shared.pop_front();
        }
    }

    /// Whether the PIN that `call`, of the caller `key`, has keyed may be looked up. A call waits for one check at most: asking again
    /// while it waits keeps its place.
    pub fn check(&mut self, now: Instant, call: CallId, key: CallerKey) -> Decision {
        if self.is_blocked(now, key) {
            self.forget(call);
            return Decision::Blocked;
        }
        if self.places.is_empty() && self.take_slot(now) {
            return Decision::Now;
        }
        let place = *self.places.entry(call).or_insert_with(|| {
            self.next_place += 1;
            self.next_place
        });
        self.queue.insert(place, (call, key));
        let ahead = u32::try_from(self.queue.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let wait = self.limits.slow_interval.saturating_mul(ahead);
        let first = self.next_slot.unwrap_or(now).max(now);
        Decision::At(first.checked_add(wait).unwrap_or(first))
    }

    /// Counts a wrong PIN. Says whether the caller is blocked from now on.
    pub fn wrong(&mut self, now: Instant, key: CallerKey) -> bool {
        self.shared.push_back(now);
        while self.shared.len() > self.limits.shared_wrong {
            self.shared.pop_front();
        }
        self.expire(now);
        if !self.callers.contains_key(&key) {
            self.make_room();
        }
        let caller = self.callers.entry(key).or_insert_with(|| Caller::Counted(VecDeque::new()));
        let Caller::Counted(wrong) = caller else { return true };
        while wrong.front().is_some_and(|at| now.saturating_duration_since(*at) >= self.limits.caller_window) {
            wrong.pop_front();
        }
        wrong.push_back(now);
        let blocked = wrong.len() >= self.limits.caller_wrong;
        let lasts = if blocked { self.limits.block } else { self.limits.caller_window };
        if blocked {
            *caller = Caller::Blocked;
        }
        if let Some(until) = now.checked_add(lasts) {
            self.expiry.set(key, until);
        }
        blocked
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
        self.places.remove(&call).is_some_and(|place| self.queue.remove(&place).is_some())
    }

    /// Another call takes the turn of one that waits, if it does.
    pub fn rename(&mut self, call: CallId, to: CallId) {
        let Some(place) = self.places.remove(&call) else { return };
        if let Some((waits, _)) = self.queue.get_mut(&place) {
            *waits = to;
        }
        self.places.insert(to, place);
    }

    /// When a call that waits may be looked at; `None` while none waits.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.queue.is_empty() {
            return None;
        }
        let quick_again = self.shared.front().and_then(|oldest| oldest.checked_add(self.limits.shared_window));
        match (self.next_slot, quick_again) {
            (Some(slot), Some(quick)) => Some(slot.min(quick)),
            (slot, quick) => slot.or(quick),
        }
    }

    /// The next call whose turn it is, as if [`Self::check`] had just answered [`Decision::Now`] or
    /// [`Decision::Blocked`]. Act on it before asking for the next.
    pub fn take_due(&mut self, now: Instant) -> Option<(CallId, Decision)> {
        let (&place, &(call, key)) = self.queue.first_key_value()?;
        // A caller who was blocked while waiting takes no slot.
        let decision = if self.is_blocked(now, key) {
            Decision::Blocked
        } else if self.take_slot(now) {
            Decision::Now
        } else {
            return None;
        };
        self.queue.remove(&place);
        self.places.remove(&call);
        Some((call, decision))
    }

    /// Calls that wait and callers that are remembered.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.queue.len(), self.callers.len())
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
        while let Some(key) = self.expiry.pop_due(now) {
            self.callers.remove(&key);
        }
    }

    fn make_room(&mut self) {
        while self.callers.len() >= self.limits.callers {
            let Some(first) = self.expiry.next() else { return };
            self.expire(first);
        }
    }
}

#[cfg(test)]
mod tests;
