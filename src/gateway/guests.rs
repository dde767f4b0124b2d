//! Guests: whoever comes into a room without SIP, as encoders and pages do by WHIP and WHEP (RFC 9725).

use super::call::{Beginning, Call, Phase};
use super::cause::Cause;
use super::peer::Peer;
use super::{Gateway, Guest, Level, Output, Refusal, Reply, Rule, RunningSession, SessionId, TransportKind};
use crate::sdp::SessionDescription;
use crate::session::{Party, Running};
use crate::sip::Flow;
use crate::sip::message::Transport;
use crate::types::{CallId, IdMap, Now};
use bytes::Bytes;
use std::sync::Arc;

/// Those whose answer is on its way.
#[derive(Debug, Default)]
pub(super) struct Guests {
    /// Who asked for each, the request's name.
    asked: IdMap<CallId, u64>,
}

impl Guests {
    /// Whether nobody waits.
    pub(super) fn is_idle(&self) -> bool {
        self.asked.is_empty()
    }
}

impl Gateway {
    /// Lets a guest into a room. Answered with [`Reply::Joined`] when there are ports, or an error.
    pub(super) fn join(&mut self, now: Now, asked: u64, room: &str, guest: Guest) {
        if let Err(why) = self.try_join(now, asked, room, guest) {
            self.effects.reply(asked, Reply::Error(why));
        }
    }

    fn try_join(&mut self, now: Now, asked: u64, room: &str, guest: Guest) -> Result<(), Refusal> {
        if !self.has_room(room) {
            return Err(Refusal::new(Rule::NoSuchRoom, format!("there is no room {room:?}")));
        }
        if self.rooms.is_locked(room) {
            return Err(Refusal::new(Rule::RoomLocked, format!("room {room:?} is locked")));
        }
        if let Some((_, rule)) = self.gateway_limit() {
            return Err(Refusal::new(Rule::Limit, rule));
        }
        let invalid = |why: String| Refusal::new(Rule::Invalid, why);
        let offer = SessionDescription::parse(guest.offer.as_bytes())
            .map_err(|error| invalid(format!("the offer cannot be read: {error}")))?;
        if !offer.is_webrtc() {
            return Err(invalid("the offer is none of WebRTC".into()));
        }
        let transport = if guest.secure { Transport::Wss } else { Transport::Ws };
        let flow = Flow { transport, local: guest.at, remote: guest.from, connection: None };
        let (id, session) = (CallId(self.fresh_id()), SessionId(self.fresh_id()));
        let plan = Arc::clone(&self.plan);
        let party = Party { number: String::new(), name: Some(guest.name.clone()) };
        let call = Call::begin(Beginning {
            id,
            session,
            phase: Phase::Opening { offer: Some(offer), alerting: None },
            peer: Peer::guest(&plan, guest.name),
            plan: Arc::clone(&plan),
            flow: &flow,
            from: party,
            number: room.to_owned(),
            route: String::new(),
            now,
        });
        self.admission.peers.call_began(now.instant, &call.peer);
        self.effects.event(call.start_event());
        self.calls.insert(call);
        let running = Running::into_room(&plan, room);
        let mut running = RunningSession::new(running, plan, Arc::clone(&self.players.sounds));
        running.calls.give(id);
        self.sessions.insert(session, running);
        self.guests.asked.insert(id, asked);
        let (kind, local) = (TransportKind::WebRtc, guest.at.ip());
        self.effects.output(Output::OpenTransport { call: id, kind, local });
        Ok(())
    }

    /// A call without SIP is answered.
    pub(super) fn guest_answered(&mut self, id: CallId, answer: &Bytes) {
        if let Some(asked) = self.guests.asked.remove(&id) {
            let answer = String::from_utf8_lossy(answer).into_owned();
            self.log(Level::Debug, Some(id), "guest answered", String::new());
            self.effects.reply(asked, Reply::Joined { call: id.to_string(), answer });
        }
        // There is no ACK to wait for.
        self.note_ready(id, true, false);
    }

    /// A call is over: whoever waits for its answer gets none.
    pub(super) fn guest_over(&mut self, id: CallId, cause: &Cause) {
        if let Some(asked) = self.guests.asked.remove(&id) {
            self.effects.reply(asked, Reply::Error(Refusal::new(Rule::Failed, cause.to_string())));
        }
    }
}
