//! PIN checks: when the guard lets one through, which room it opens.

use super::pin_guard::{CallerKey, Decision, Limits, PinGuard};
use super::{Gateway, Level, SessionId};
use crate::dialplan::{Plan, RoomAccess};
use crate::session::{self, CallHandle, Digits, PinVerdict, RoomHandle, RoomName, VerbError};
use crate::types::{CallId, Now, Seed};
use rand::RngCore;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// A PIN that was keyed and is not looked up yet.
#[derive(Debug, Clone)]
pub(super) struct PendingPin {
    pub(super) pin: Digits,
    pub(super) room: RoomHandle,
    /// The administrator chose open rooms: a PIN that no room has opens its own.
    pub(super) open_rooms: bool,
}

/// A PIN whose turn has come.
#[derive(Debug)]
pub(super) struct DuePin {
    call: CallId,
    pending: PendingPin,
    key: CallerKey,
    /// None is accepted from its caller.
    is_blocked: bool,
}

/// PINs that were keyed: which wait for their turn, what their callers have guessed, and what is shown of them.
#[derive(Debug)]
pub(super) struct Pins {
    guard: PinGuard,
    /// By the call that keyed it, and whose guess it is.
    waiting: BTreeMap<CallId, (PendingPin, CallerKey)>,
    /// Makes names out of PINs that cannot be turned back. Secret.
    salt: u64,
}

impl Pins {
    /// None was keyed yet. `budget` wrong ones within an hour are looked up at once.
    pub(super) fn new(budget: u32, seed: Seed) -> Self {
        let limits = Limits { shared_wrong: budget as usize, ..Limits::default() };
        let mut random = seed.generator();
        let salt = random.next_u64();
        Self { guard: PinGuard::new(limits, random), waiting: BTreeMap::new(), salt }
    }

    /// Changes the budget, as a reload may; what was counted stays.
    pub(super) fn set_budget(&mut self, budget: u32) {
        self.guard.set_shared_wrong(budget as usize);
    }

    /// A call has keyed a PIN, after `wrong` wrong ones; `None`: it waits, in the place of one that the call keyed
    /// before.
    fn check(&mut self, now: Instant, call: CallId, key: CallerKey, wrong: u32, pending: PendingPin) -> Option<DuePin> {
        let decision = self.guard.check(now, call, key, wrong);
        if decision == Decision::Wait {
            self.waiting.insert(call, (pending, key));
            return None;
        }
        self.waiting.remove(&call);
        Some(DuePin { call, pending, key, is_blocked: decision == Decision::Blocked })
    }

    /// The next that has waited long enough.
    fn take_due(&mut self, now: Instant) -> Option<DuePin> {
        loop {
            let (call, decision) = self.guard.take_due(now)?;
            if let Some((pending, key)) = self.waiting.remove(&call) {
                return Some(DuePin { call, pending, key, is_blocked: decision == Decision::Blocked });
            }
        }
    }

    /// A call is over.
    pub(super) fn forget(&mut self, call: CallId) {
        self.guard.forget(call);
        self.waiting.remove(&call);
    }

    /// Another call takes a call's place, with its PIN that waits.
    pub(super) fn rename(&mut self, call: CallId, to: CallId) {
        self.guard.rename(call, to);
        if let Some(waiting) = self.waiting.remove(&call) {
            self.waiting.insert(to, waiting);
        }
    }

    /// Whether a PIN of the call waits.
    #[cfg(test)]
    pub(super) fn is_waiting(&self, call: CallId) -> bool {
        self.waiting.contains_key(&call)
    }

    /// Whether none waits.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether checks are slowed down.
    pub(super) fn is_slow(&mut self, now: Instant) -> bool {
        self.guard.is_slow(now)
    }

    /// When [`Gateway::serve_waiting_pins`] is due.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.guard.poll_timeout()
    }

    /// A room's name, and the one it has in status, log and record: the same, unless keyed digits are in it. Whoever
    /// asks for such a room by its name, as an administrator may, means the same room.
    pub(super) fn room_names(&self, plan: &Plan, name: &RoomName) -> (String, String) {
        match name {
            RoomName::Keyed { template, number, digits } => {
                let name = template.expand(number, digits);
                let shown = template.expand(number, &self.hidden(&name));
                (name, shown)
            }
            RoomName::Plain(name) => {
                let shown = plan.keyed_room(name).map(|template| template.expand("", &self.hidden(name)));
                (name.clone(), shown.unwrap_or_else(|| name.clone()))
            }
            // Its session has no name for it.
            RoomName::Own => Default::default(),
        }
    }

    /// A name as log and record have it where telephones key its digits: what stands for them is in their place.
    pub(super) fn without_digits(&self, name: &str) -> String {
        let mut shown = String::new();
        let mut rest = name;
        while let Some(from) = rest.find(|c: char| c.is_ascii_digit()) {
            let (before, digits) = rest.split_at(from);
            let (digits, after) = digits.split_at(digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len()));
            shown.push_str(before);
            shown.push_str(&self.hidden(digits));
            rest = after;
        }
        shown + rest
    }

    /// What stands for digits in a name: the same for the same digits as long as the process lives, and not to be
    /// turned back without its secret.
    fn hidden(&self, digits: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(self.salt.to_be_bytes());
        hash.update(digits);
        hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Gateway {
    pub(super) fn check_pin(
        &mut self,
        now: Now,
        session: SessionId,
        call: CallHandle,
        pending: PendingPin,
    ) -> Result<(), VerbError> {
        let call = self.call_with_leg(session, call, "check_pin")?;
        let (id, key, wrong) = (call.id, call.guesses, call.keyed.wrong_pins);
        match self.pins.check(now.instant, id, key, wrong, pending) {
            Some(due) => self.look_up_pin(now, &due),
            None => {
                self.log_limited(now, Level::Warn, Some(id), "PIN waits", || "too many wrong PINs lately".into());
            }
        }
        Ok(())
    }

    /// PINs that waited for their turn.
    pub(super) fn serve_waiting_pins(&mut self, now: Now) {
        while let Some(due) = self.pins.take_due(now.instant) {
            self.look_up_pin(now, &due);
        }
    }

    fn look_up_pin(&mut self, now: Now, due: &DuePin) {
        let &DuePin { call: id, ref pending, key, is_blocked } = due;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let (session, plan) = (call.session, Arc::clone(&call.plan));
        let verdict = if is_blocked {
            call.keyed.blocked_pins = call.keyed.blocked_pins.saturating_add(1);
            self.log_limited(now, Level::Warn, Some(id), "PIN not accepted", || {
                "ten wrong ones from this caller within the hour".into()
            });
            PinVerdict::Blocked
        } else if let Some((room, access)) =
            plan.room_by_pin(&pending.pin).or_else(|| self.rooms.made_by_pin(&pending.pin))
        {
            let name = room.name.clone();
            self.pins.guard.right(now.instant, key);
            self.log(Level::Info, Some(id), "PIN accepted", format!("room {}", self.logged_room(&name)));
            self.opened(session, pending.room, name, access == RoomAccess::Host)
        } else if pending.open_rooms {
            let name = format!("open-{}", self.pins.hidden(&pending.pin));
            self.log(Level::Info, Some(id), "PIN accepted", "it opens a room of its own".into());
            self.opened(session, pending.room, name, false)
        } else {
            call.keyed.wrong_pins = call.keyed.wrong_pins.saturating_add(1);
            let detail = match (self.pins.guard.wrong(now.instant, key), key.is_withheld()) {
                (false, _) => "",
                (true, false) => "the caller is blocked for an hour",
                (true, true) => "withheld callers of this trunk are slowed down for an hour",
            };
            self.log_limited(now, Level::Info, Some(id), "wrong PIN", || detail.to_owned());
            PinVerdict::Wrong
        };
        self.emit_of(id, |call| session::Event::PinChecked { call, verdict });
    }

    fn opened(&mut self, session: SessionId, handle: RoomHandle, name: String, host: bool) -> PinVerdict {
        let room = self.open_room(session, handle, &RoomName::Plain(name));
        let room = self.rooms.get(room);
        let (name, members) = room.map_or_else(Default::default, |room| (room.settings.name.clone(), room.members()));
        PinVerdict::Opened { name, host, members }
    }
}
