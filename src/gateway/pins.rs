//! PIN checks: when the guard lets one through, which room it opens.

use super::pin_guard::Decision;
use super::{Gateway, Level, SessionId};
use crate::dialplan::{Plan, RoomAccess};
use crate::session::{self, Digits, PinVerdict, RoomHandle, RoomName, VerbError};
use crate::types::{CallId, Now};
use sha2::{Digest, Sha256};

/// A PIN that was keyed and is not looked up yet.
#[derive(Debug, Clone)]
pub(super) struct PendingPin {
    pub(super) pin: Digits,
    pub(super) room: RoomHandle,
    /// The administrator chose open rooms: a PIN that no room has opens its own.
    pub(super) open_rooms: bool,
}

impl Gateway {
    pub(super) fn check_pin(
        &mut self,
        now: Now,
        session: SessionId,
        id: CallId,
        pending: PendingPin,
    ) -> Result<(), VerbError> {
        let call = self.call_with_leg(session, id, "check_pin")?;
        let (key, wrong) = (call.guesses, call.keyed.wrong_pins);
        if let Some(call) = self.calls.get_mut(&id) {
            call.pending_pin = Some((pending, key));
        }
        match self.pin_guard.check(now.instant, id, key, wrong) {
            Decision::Wait => {
                self.log_limited(now, Level::Warn, Some(id), "PIN waits", || "too many wrong PINs lately".into());
            }
            decision => self.decide_pin(now, id, decision),
        }
        Ok(())
    }

    /// PINs that waited for their turn.
    pub(super) fn serve_waiting_pins(&mut self, now: Now) {
        while let Some((call, decision)) = self.pin_guard.take_due(now.instant) {
            self.decide_pin(now, call, decision);
        }
    }

    fn decide_pin(&mut self, now: Now, id: CallId, decision: Decision) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some((pending, key)) = call.pending_pin.take() else { return };
        let (session, plan) = (call.session, std::sync::Arc::clone(&call.plan));
        let verdict = if decision == Decision::Blocked {
            call.keyed.blocked_pins = call.keyed.blocked_pins.saturating_add(1);
            self.log_limited(now, Level::Warn, Some(id), "PIN not accepted", || {
                "ten wrong ones from this caller within the hour".into()
            });
            PinVerdict::Blocked
        } else if let Some((room, access)) = plan.room_by_pin(&pending.pin) {
            let name = room.name.clone();
            self.pin_guard.right(now.instant, key);
            self.log(Level::Info, Some(id), "PIN accepted", format!("room {name}"));
            self.opened(session, pending.room, name, access == RoomAccess::Host)
        } else if pending.open_rooms {
            let name = format!("open-{}", self.hidden(&pending.pin));
            self.log(Level::Info, Some(id), "PIN accepted", "it opens a room of its own".into());
            self.opened(session, pending.room, name, false)
        } else {
            call.keyed.wrong_pins = call.keyed.wrong_pins.saturating_add(1);
            let detail = match (self.pin_guard.wrong(now.instant, key), key.is_withheld()) {
                (false, _) => "",
                (true, false) => "the caller is blocked for an hour",
                (true, true) => "withheld callers of this trunk are slowed down for an hour",
            };
            self.log_limited(now, Level::Info, Some(id), "wrong PIN", || detail.to_owned());
            PinVerdict::Wrong
        };
        self.emit(session, session::Event::PinChecked { call: id, verdict });
    }

    fn opened(&mut self, session: SessionId, handle: RoomHandle, name: String, host: bool) -> PinVerdict {
        let room = self.open_room(session, handle, &RoomName::Plain(name));
        let room = self.rooms.get(room);
        let (name, members) = room.map_or_else(Default::default, |room| (room.settings.name.clone(), room.members()));
        PinVerdict::Opened { name, host, members }
    }

    /// A room's name, and the one it has in status, log and record: the same, unless keyed digits are in it. Whoever asks
    /// for such a room by its name, as an administrator may, means the same room.
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
        }
    }

    /// What stands for digits in a name: the same for the same digits as long as the process lives, and not to be turned
    /// back without its secret.
    fn hidden(&self, digits: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(self.name_salt.to_be_bytes());
        hash.update(digits);
        hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }
}
