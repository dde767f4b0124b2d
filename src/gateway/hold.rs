//! Hold by us: the peer is told that we only send (RFC 3264 section 8.4), hears a tune, and is heard by nobody, nor
//! hears who is in its room, until it is taken back. It stays where it is all the while.

use super::{Call, Gateway, Level, Refusal, Reply, Rule};
use crate::media::command::Command;
use crate::sdp;
use crate::session::{self, VerbError};
use crate::sip::Body;
use crate::sip::message::StatusCode;
use crate::types::{CallId, Direction, Now, PlayerId, UnitId};

/// Offers of ours that may cross the peer's before the hold is given up.
const TRIES: u8 = 3;

/// Hold by us, of a call that is answered.
#[derive(Debug, Default)]
pub(super) struct Hold {
    /// It is on hold.
    held: Option<Held>,
    /// An offer of ours that changes that.
    holding: Option<Holding>,
}

impl Hold {
    /// Whether the call is on hold.
    pub(super) const fn is_on(&self) -> bool {
        self.held.is_some()
    }
}

/// A call that we have put on hold.
#[derive(Debug, Clone, Copy)]
struct Held {
    /// What it hears. `None`: silence.
    tune: Option<PlayerId>,
}

/// An offer of ours that puts a call on hold, or takes it back.
#[derive(Debug, Clone, Copy)]
struct Holding {
    /// The administrator's request; `None`: a session wants it.
    asked: Option<u64>,
    on: bool,
    tries_left: u8,
}

impl Gateway {
    /// Puts a call on hold, or takes it back; the reply comes with the peer's answer.
    pub(super) fn hold(&mut self, now: Now, asked: u64, name: &str, on: bool) {
        let held = self.call_named(name).and_then(|id| self.hold_call(now, id, Some(asked), on));
        if let Err(why) = held {
            self.effects.reply(asked, Reply::Error(why));
        }
    }

    /// The same for whoever asks. A session is told where the peer does not take it.
    pub(super) fn hold_call(&mut self, now: Now, id: CallId, asked: Option<u64>, on: bool) -> Result<(), Refusal> {
        let call = self.calls.get(&id).ok_or_else(Refusal::call_is_over)?;
        if call.invite.is_none() {
            return Err(Refusal::new(Rule::NotAllowed, format!("{id} came without SIP, and cannot be put on hold")));
        }
        let hold = call.phase.hold().filter(|_| call.media.negotiation.is_some());
        let hold = hold.ok_or_else(|| Refusal::new(Rule::NotAnswered, format!("{id} is not answered")))?;
        if hold.holding.is_some() || call.media.offered.is_some() {
            return Err(Refusal::new(Rule::Busy, format!("another offer to {id} is under way; try again")));
        }
        if hold.is_on() == on {
            let why = format!("{id} is {} on hold", if on { "already" } else { "not" });
            return Err(Refusal::new(Rule::NoChange, why));
        }
        self.set_held(id, on);
        if let Some(hold) = self.calls.get_mut(&id).and_then(|call| call.phase.hold_mut()) {
            hold.holding = Some(Holding { asked, on, tries_left: TRIES });
        }
        if !self.offer_anew(now, id) {
            self.hold_completed(now, id, Err("another offer is under way; try again".into()));
        }
        Ok(())
    }

    /// Offers what we now want. Says whether it could be sent.
    fn offer_anew(&mut self, now: Now, id: CallId) -> bool {
        let Some(call) = self.calls.get_mut(&id) else { return false };
        let Some((invite, local)) = call.invite.zip(call.media.local.as_ref()) else { return false };
        let offer = sdp::offer(local, call.media.negotiation.as_ref());
        let body = Body::sdp(offer.to_string());
        if self.endpoint.reinvite(now, invite, Some(body)).is_err() {
            return false;
        }
        if let Some(call) = self.calls.get_mut(&id) {
            call.media.offered = Some(offer);
        }
        true
    }

    /// The peer's answer to our offer, or that there is none.
    pub(super) fn hold_completed(&mut self, now: Now, id: CallId, outcome: Result<(), String>) {
        let Some(Holding { asked, on, .. }) =
            self.calls.get_mut(&id).and_then(|call| call.phase.hold_mut()?.holding.take())
        else {
            return;
        };
        let is_done = outcome.is_ok();
        let reply = match outcome {
            Ok(()) => Reply::Done(format!("{id} is {}", if on { "on hold" } else { "taken back" })),
            Err(why) => {
                // All stays as the peer knows it.
                self.set_held(id, !on);
                self.apply_negotiation(now, id);
                let why = format!("{id} is not {}: {why}", if on { "on hold" } else { "taken back" });
                Reply::Error(Refusal::new(Rule::Failed, why))
            }
        };
        self.log(Level::Info, Some(id), "hold by us", if on { "on" } else { "off" }.to_owned());
        match asked {
            Some(asked) => self.effects.reply(asked, reply),
            None if is_done => {}
            None => self.emit_of(id, |call| {
                let error = VerbError::WrongState { verb: "hold", state: "with a peer that does not take it" };
                session::Event::VerbFailed { call: Some(call), error }
            }),
        }
    }

    /// Our offer was refused, or crossed one of the peer's that was settled first: that one is tried again.
    pub(super) fn hold_refused(&mut self, now: Now, id: CallId, status: StatusCode) {
        let Some(holding) = self.calls.get_mut(&id).and_then(|call| call.phase.hold_mut()?.holding.as_mut()) else {
            return;
        };
        if status == StatusCode::REQUEST_PENDING && holding.tries_left > 0 {
            holding.tries_left -= 1;
            if self.offer_anew(now, id) {
                return;
            }
        }
        self.hold_completed(now, id, Err(format!("the peer says {} {}", status.0, status.reason())));
    }

    /// The call is over before the peer has answered.
    pub(super) fn hold_over(&mut self, id: CallId) {
        let Some(hold) = self.calls.get_mut(&id).and_then(|call| call.phase.hold_mut()) else { return };
        let Hold { held, holding } = std::mem::take(hold);
        let asked = holding.and_then(|holding| holding.asked);
        if let Some(Held { tune: Some(tune) }) = held {
            self.media(Command::StopPlayer { player: tune });
        }
        if let Some(asked) = asked {
            let why = Refusal::new(Rule::Failed, format!("{id} ended before the peer answered"));
            self.effects.reply(asked, Reply::Error(why));
        }
    }

    /// Takes the call's ears away, or gives them back, and changes what we want of the peer.
    fn set_held(&mut self, id: CallId, on: bool) {
        let leg = UnitId::Leg(id);
        let tune = if on { self.start_tune(id) } else { None };
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Some(local) = &mut call.media.local {
            local.direction = if on { Direction::SendOnly } else { Direction::SendRecv };
        }
        let Some(hold) = call.phase.hold_mut() else { return };
        let before = std::mem::replace(&mut hold.held, on.then_some(Held { tune }));
        if let Some(Held { tune: Some(tune) }) = before {
            self.media(Command::StopPlayer { player: tune });
        }
        for source in self.rooms.sources_of(id) {
            self.media(if on {
                Command::Disconnect { source, sink: leg }
            } else {
                Command::Connect { source, sink: leg }
            });
        }
        self.apply_mute(id);
    }

    fn start_tune(&mut self, id: CallId) -> Option<PlayerId> {
        let tune = self.sounds_of(id).tone("hold")?;
        Some(self.players.announce(&mut self.effects, UnitId::Leg(id), tune))
    }

    /// Whether a connection into this unit has to wait until a call is taken back.
    pub(super) fn is_held(&self, sink: UnitId) -> bool {
        matches!(sink, UnitId::Leg(id) if self.calls.get(&id).is_some_and(|call| call.phase.is_held()))
    }
}

/// Whether the peer holds the call. While we do, it does so too if it does not want to hear us either. A guest that
/// only talks, or only listens, came for that.
pub(super) fn is_hold_of_peer(call: &Call, direction: Direction) -> bool {
    if call.is_guest() {
        return false;
    }
    if call.phase.is_held() { !direction.sends() } else { direction != Direction::SendRecv }
}
