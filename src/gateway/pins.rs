//! PIN checks: when the guard lets one through, which room it opens, or whether a conference has that name.

use super::joins::JoinRequest;
use super::pin_guard::{CallerKey, Decision, Limits, PinGuard};
use super::{Gateway, Level, SessionId};
use crate::dialplan::{Plan, RoomAccess};
use crate::session::{self, CallHandle, DialCause, Digits, PinVerdict, RoomHandle, RoomName, Unit, Verb, VerbError};
use crate::types::{CallId, Now, Seed};
use rand::RngCore;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// Verbs that are kept for a call to a conference that waits.
const MOST_LATER: usize = 64;

/// What was keyed and is not looked up yet.
#[derive(Debug)]
pub(super) enum Pending {
    /// A PIN.
    Pin(PendingPin),
    /// The name of a conference that a session calls, which only those conferences have that there are; and what the
    /// session wants done with the call.
    Conference(SessionId, JoinRequest, Vec<Verb>),
}

/// A PIN that was keyed and is not looked up yet.
#[derive(Debug)]
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
    pending: Pending,
    key: CallerKey,
    /// None is accepted from its caller.
    is_blocked: bool,
}

/// PINs that were keyed: which wait for their turn, what their callers have guessed, and what is shown of them.
#[derive(Debug)]
pub(super) struct Pins {
    guard: PinGuard,
    /// By the call that keyed it, and whose guess it is.
    waiting: BTreeMap<CallId, (Pending, CallerKey)>,
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
    fn check(&mut self, now: Instant, call: CallId, key: CallerKey, wrong: u32, pending: Pending) -> Option<DuePin> {
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

    /// A call is over. Gives what waits of it.
    fn forget(&mut self, call: CallId) -> Option<Pending> {
        self.guard.forget(call);
        self.waiting.remove(&call).map(|(pending, _)| pending)
    }

    /// Another call takes a call's place, with its PIN that waits.
    pub(super) fn rename(&mut self, call: CallId, to: CallId) {
        self.guard.rename(call, to);
        if let Some(waiting) = self.waiting.remove(&call) {
            self.waiting.insert(to, waiting);
        }
    }

    /// Whether a PIN of the call waits.
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
        match self.pins.check(now.instant, id, key, wrong, Pending::Pin(pending)) {
            Some(due) => self.look_up(now, due),
            None => self.note_pin_waits(now, id),
        }
        Ok(())
    }

    /// A session calls a conference of whose name the dialplan tells whether there is one, for a caller from outside:
    /// what the caller has keyed is as good as a PIN.
    pub(super) fn check_conference(&mut self, now: Now, session: SessionId, caller: CallId, request: JoinRequest) {
        let Some(call) = self.calls.get(&caller) else { return };
        let (key, wrong) = (call.guesses, call.keyed.wrong_pins);
        if self.pins.is_waiting(caller) {
            let rule = "another PIN of the caller waits".into();
            return self.conference_refused(now, session, &request, rule, (DialCause::NoAnswer, 480));
        }
        match self.pins.check(now.instant, caller, key, wrong, Pending::Conference(session, request, Vec::new())) {
            Some(due) => self.look_up(now, due),
            None => self.note_pin_waits(now, caller),
        }
    }

    /// Keeps what a session wants done with a call to a conference that waits for its turn, until then. Gives back what
    /// is to be done now.
    pub(super) fn keep_for_conference(&mut self, session: SessionId, verb: Verb) -> Option<Verb> {
        for (pending, _) in self.pins.waiting.values_mut() {
            if let Pending::Conference(of, request, later) = pending
                && *of == session
                && later.len() < MOST_LATER
                && is_about(&verb, request.call)
            {
                later.push(verb);
                return None;
            }
        }
        Some(verb)
    }

    /// A session wants a call to a conference no more. Says whether it waits.
    pub(super) fn give_up_conference(&mut self, session: SessionId, call: CallHandle) -> bool {
        let is_it =
            |pending: &Pending| matches!(pending, Pending::Conference(of, it, _) if (*of, it.call) == (session, call));
        let caller = self.pins.waiting.iter().find(|(_, (pending, _))| is_it(pending)).map(|(caller, _)| *caller);
        caller.inspect(|caller| self.forget_pins(*caller)).is_some()
    }

    /// A call is over, or its session wants nothing of it any more.
    pub(super) fn forget_pins(&mut self, call: CallId) {
        if let Some(Pending::Conference(session, JoinRequest { call, .. }, _)) = self.pins.forget(call) {
            let cause = DialCause::GivenUp;
            let status = cause.status();
            self.emit(session, session::Event::DialFailed { call, cause, status });
        }
    }

    /// PINs that waited for their turn.
    pub(super) fn serve_waiting_pins(&mut self, now: Now) {
        while let Some(due) = self.pins.take_due(now.instant) {
            self.look_up(now, due);
        }
    }

    fn look_up(&mut self, now: Now, due: DuePin) {
        let DuePin { call, pending, key, is_blocked } = due;
        match pending {
            Pending::Pin(pending) => self.look_up_pin(now, (call, key), is_blocked, &pending),
            Pending::Conference(session, request, _) if is_blocked => {
                self.note_pin_not_accepted(now, call);
                let rule = "no PIN of the caller is accepted".into();
                self.conference_refused(now, session, &request, rule, (DialCause::Declined, 403));
            }
            Pending::Conference(session, request, later) => {
                match self.told_room(session, &request.to) {
                    Some((_, true)) => self.pins.guard.right(now.instant, key),
                    Some((_, false)) => self.note_wrong_pin(now, (call, key)),
                    // The session is over: the PIN was neither.
                    None => {}
                }
                self.place_conference(now, session, request);
                for verb in later {
                    self.apply(now, session, verb);
                }
            }
        }
    }

    fn look_up_pin(&mut self, now: Now, (id, key): (CallId, CallerKey), is_blocked: bool, pending: &PendingPin) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let (session, plan) = (call.session, Arc::clone(&call.plan));
        let verdict = if is_blocked {
            self.note_pin_not_accepted(now, id);
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
            self.note_wrong_pin(now, (id, key));
            PinVerdict::Wrong
        };
        self.emit_of(id, |call| session::Event::PinChecked { call, verdict });
    }

    fn note_pin_waits(&mut self, now: Now, id: CallId) {
        self.log_limited(now, Level::Warn, Some(id), "PIN waits", || "too many wrong PINs lately".into());
    }

    fn note_pin_not_accepted(&mut self, now: Now, id: CallId) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.keyed.blocked_pins = call.keyed.blocked_pins.saturating_add(1);
        }
        self.log_limited(now, Level::Warn, Some(id), "PIN not accepted", || {
            "ten wrong ones from this caller within the hour".into()
        });
    }

    fn note_wrong_pin(&mut self, now: Now, (id, key): (CallId, CallerKey)) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.keyed.wrong_pins = call.keyed.wrong_pins.saturating_add(1);
        }
        let detail = match (self.pins.guard.wrong(now.instant, key), key.is_withheld()) {
            (false, _) => "",
            (true, false) => "the caller is blocked for an hour",
            (true, true) => "withheld callers of this trunk are slowed down for an hour",
        };
        self.log_limited(now, Level::Info, Some(id), "wrong PIN", || detail.to_owned());
    }

    fn opened(&mut self, session: SessionId, handle: RoomHandle, name: String, host: bool) -> PinVerdict {
        let room = self.open_room(session, handle, &RoomName::Plain(name));
        let room = self.rooms.get(room);
        let (name, members) = room.map_or_else(Default::default, |room| (room.settings.name.clone(), room.members()));
        PinVerdict::Opened { name, host, members }
    }
}

/// Whether a verb wants something done with a call to a conference, but to make it or to give it up.
fn is_about(verb: &Verb, call: CallHandle) -> bool {
    let it = Unit::Call(call);
    match verb {
        Verb::Connect { source, sink } | Verb::Disconnect { source, sink } => *source == it || *sink == it,
        Verb::Play { to, .. } => *to == it,
        Verb::HandleDigits { call: of, .. }
        | Verb::SendDigits { call: of, .. }
        | Verb::SendMessage { call: of, .. }
        | Verb::SendInfo { call: of, .. }
        | Verb::Mute { call: of, .. }
        | Verb::Hold { call: of, .. } => *of == call,
        _ => false,
    }
}
