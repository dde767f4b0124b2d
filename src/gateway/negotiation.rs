//! Offers and answers of a call (RFC 3264), and what they mean for its leg.

use super::call::Phase;
use super::hold::is_hold_of_peer;
use super::peer::fresh_key;
use super::{Call, Gateway, Level};
use crate::media::command::{Command, LegSettings, VoiceProcessing};
use crate::sdp::{self, LocalSrtp, Negotiation, Refusal, SessionDescription};
use crate::sip::message::StatusCode;
use crate::sip::{Body, InviteId};
use crate::types::{CallId, Direction, IceCredentials, MediaParameters, Network, Now};
use bytes::Bytes;
use rand::RngCore;
use rand::rngs::StdRng;
use std::time::Duration;

impl Gateway {
    /// Answers the offer of the INVITE, if it has one, so that answer or early media can go out at once.
    pub(super) fn answer_first_offer(&mut self, id: CallId, offer: Option<&SessionDescription>) -> Result<(), Refusal> {
        let Some(call) = self.calls.get_mut(&id) else { return Ok(()) };
        if let (Some(offer), Some(local)) = (offer, &call.media.local) {
            call.media.negotiation = Some(sdp::answer(offer, local, None)?);
        }
        Ok(())
    }

    /// What goes into our 200: the answer, or our offer when the INVITE had none.
    pub(super) fn description_for_answer(&mut self, id: CallId) -> Option<Bytes> {
        let call = self.calls.get_mut(&id)?;
        if let Some(answer) = call.local_description() {
            return Some(answer);
        }
        let offer = sdp::offer(call.media.local.as_ref()?, None);
        let bytes = Bytes::from(offer.to_string());
        call.media.offered = Some(offer);
        Some(bytes)
    }

    /// Hands the leg to the media plane, once what is negotiated is known; that of a browser when it is connected.
    pub(super) fn start_leg(&mut self, now: Now, id: CallId) {
        if self.connects_first(id) {
            return;
        }
        self.look_up_media_host(now, id);
        let seed = self.random.next_u64();
        let processing = self.wanted_processing(id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(negotiation) = call.media.negotiation.as_ref().filter(|_| !call.media.leg) else { return };
        let parameters = believed(&negotiation.parameters, call);
        let seed = call.media.seed.unwrap_or(seed);
        // Before the answer of one we call its side may well be silent, or only send.
        let early = call.phase.is_dialling();
        call.on_hold = !early && is_hold_of_peer(call, parameters.direction);
        let settings = LegSettings {
            media_timeout: media_timeout(call, early || parameters.direction != Direction::SendRecv),
            parameters,
            seed,
            cname: LegSettings::cname(seed),
            collect_digits: true,
            playout: call.media.playout.clone(),
            processing,
        };
        call.processing = processing;
        call.media.leg = true;
        let on_hold = call.on_hold;
        self.media(Command::AddLeg { leg: id, settings: Box::new(settings) });
        if on_hold {
            self.apply_mute(id);
        }
    }

    /// A new offer inside the dialog: answered, or refused with the call kept.
    pub(super) fn on_offer(&mut self, now: Now, invite: InviteId, offer: Option<&Bytes>) {
        let Some(id) = self.calls.of(invite) else {
            return self.answer_offer(now, invite, Err(StatusCode(481)));
        };
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(local) = call.media.local.clone() else {
            return self.answer_offer(now, invite, Err(StatusCode(488)));
        };
        let Some(offer) = offer else {
            let ours = sdp::offer(&local, call.media.negotiation.as_ref());
            let body = Body::sdp(ours.to_string());
            call.media.offered = Some(ours);
            return self.answer_offer(now, invite, Ok(body));
        };
        let offer = SessionDescription::parse(offer);
        let mut local = local;
        let restarts = call.restarts_ice(offer.as_ref().ok());
        if let Some(webrtc) = local.webrtc.as_mut().filter(|_| restarts) {
            webrtc.ice = IceCredentials::random(&mut self.keys);
        }
        let answered = offer.map_err(|error| (error.status(), error.to_string())).and_then(|offer| {
            sdp::answer(&offer, &local, call.media.negotiation.as_ref())
                .map_err(|refusal| (refusal.status(), refusal.to_string()))
        });
        match answered {
            Ok(negotiation) => {
                let body = Body::sdp(negotiation.local.to_string());
                call.media.local = Some(local);
                agree(call, negotiation, &mut self.keys);
                self.restart_ice(id, restarts);
                self.apply_negotiation(now, id);
                self.answer_offer(now, invite, Ok(body));
            }
            Err((status, why)) => {
                self.log_limited(now, Level::Info, Some(id), "offer refused, call kept", || format!("{status}: {why}"));
                self.answer_offer(now, invite, Err(StatusCode(status)));
            }
        }
    }

    /// The answer to an offer of ours: in an ACK, a 200 to our re-INVITE, a PRACK.
    pub(super) fn on_answer(&mut self, now: Now, id: CallId, answer: &Bytes) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some((offered, local)) = call.media.offered.take().zip(call.media.local.as_ref()) else { return };
        let accepted = SessionDescription::parse(answer)
            .map_err(|error| error.to_string())
            .and_then(|answer| sdp::accept_answer(&offered, &answer, local).map_err(|refusal| refusal.to_string()));
        match accepted {
            Ok(negotiation) => {
                agree(call, negotiation, &mut self.keys);
                self.apply_negotiation(now, id);
                self.hold_completed(now, id, Ok(()));
            }
            Err(why) => {
                if let Some(negotiation) = &mut call.media.negotiation {
                    // An offer of ours inside a call came to nothing: what stood before goes on standing.
                    negotiation.offer_failed(&offered);
                    self.hold_completed(now, id, Err(why.clone()));
                    self.log_limited(now, Level::Warn, Some(id), "answer cannot be used, call kept", || why);
                } else {
                    self.hang_up(now, id, super::Cause::MediaRefused(why));
                }
            }
        }
    }

    /// An offer of ours was refused.
    pub(super) fn on_offer_failed(&mut self, now: Now, id: CallId, status: StatusCode) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Some((offered, negotiation)) = call.media.offered.take().zip(call.media.negotiation.as_mut()) {
            negotiation.offer_failed(&offered);
        }
        self.log_limited(now, Level::Info, Some(id), "our offer was refused, call kept", || status.0.to_string());
        self.hold_refused(now, id, status);
    }

    /// Carries what was just negotiated over to the leg.
    pub(super) fn apply_negotiation(&mut self, now: Now, id: CallId) {
        self.look_up_media_host(now, id);
        let Some(call) = self.calls.get(&id) else { return };
        let Some(negotiation) = &call.media.negotiation else { return };
        if !call.media.leg {
            if call.is_answered() {
                self.start_leg(now, id);
            }
            return;
        }
        let parameters = believed(&negotiation.parameters, call);
        let early = call.phase.is_dialling();
        let (on_hold, before) = (!early && is_hold_of_peer(call, parameters.direction), call.on_hold);
        let timeout = media_timeout(call, early || parameters.direction != Direction::SendRecv);
        self.media(Command::UpdateLeg { leg: id, parameters: Box::new(parameters) });
        self.media(Command::WatchMedia { leg: id, timeout });
        if let Some(call) = self.calls.get_mut(&id) {
            call.on_hold = on_hold;
        }
        if on_hold != before {
            self.apply_mute(id);
            self.log_limited(now, Level::Info, Some(id), if on_hold { "on hold" } else { "resumed" }, String::new);
            self.emit_of(id, |call| crate::session::Event::Held { call, on: on_hold });
        }
    }

    /// Nobody hears a call that is muted, nor one on hold: its music would play to the whole room.
    pub(super) fn apply_mute(&mut self, id: CallId) {
        if let Some(call) = self.calls.get(&id) {
            let muted = call.is_muted() || call.on_hold || call.phase.is_held();
            self.media(Command::Mute { leg: id, muted });
        }
    }

    /// What its trunk, or a room that it is in, wants done to a call's sound.
    fn wanted_processing(&self, id: CallId) -> VoiceProcessing {
        let own = self.calls.get(&id).map(|call| call.peer.media().processing);
        let rooms = self.rooms.of(id).filter_map(|room| {
            let settings = &self.rooms.get(room)?.settings;
            let (automatic_gain, noise_suppression) = (settings.automatic_gain, settings.noise_suppression);
            Some(VoiceProcessing { automatic_gain, noise_suppression })
        });
        own.into_iter().chain(rooms).fold(VoiceProcessing::default(), VoiceProcessing::or)
    }

    /// A call has come into a room or left one: something else may be done to its sound.
    pub(super) fn apply_processing(&mut self, id: CallId) {
        let processing = self.wanted_processing(id);
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.media.leg) else { return };
        if std::mem::replace(&mut call.processing, processing) != processing {
            self.media(Command::SetProcessing { leg: id, processing });
        }
    }

    /// A packet or the ACK has come: the session is told once both have.
    pub(super) fn note_ready(&mut self, id: CallId, acknowledged: bool, heard: bool) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Phase::Answering { acknowledged: was_acknowledged, heard: was_heard } = call.phase else { return };
        let (acknowledged, heard) = (acknowledged || was_acknowledged, heard || was_heard);
        call.phase = Phase::Answering { acknowledged, heard };
        if acknowledged && heard {
            self.caller_hears_us(id);
        }
    }

    /// Ends the wait for the caller's first sign of life.
    pub(super) fn caller_hears_us(&mut self, id: CallId) {
        self.effects.timers.clear(super::Timer::FirstPacket(id));
        let Some(call) = self.calls.get_mut(&id) else { return };
        // A late offer whose answer is still on its way: there is no leg that could play.
        if call.phase.is_answering() && call.media.leg {
            call.phase.talk();
            self.emit_of(id, |call| crate::session::Event::Answered { call });
        }
    }
}

/// Our SRTP keys for a call, as its trunk wants it and its signalling allows.
pub(super) fn srtp_of(call: &Call, random: &mut StdRng) -> Option<LocalSrtp> {
    call.peer.media().fresh_srtp(call.is_private, random)
}

/// Lets a negotiation stand. A key of ours that is in use no more is spent: under it packets were counted that a new
/// beginning would count again.
///
/// What the peer sent until now under another payload type is still on its way (RFC 3264 section 8.3.2): it is
/// understood until its number means something else.
fn agree(call: &mut Call, mut negotiation: Negotiation, random: &mut StdRng) {
    if let Some(before) = &call.media.negotiation {
        let parameters = &mut negotiation.parameters;
        for &(number, codec) in &before.parameters.receive_payload_types {
            let codecs = parameters.receive_payload_types.iter().map(|(known, _)| known);
            let others = parameters.receive_telephone_events.iter().chain(&parameters.receive_comfort_noise);
            if codecs.chain(others.map(|(known, _)| known)).all(|known| *known != number) {
                parameters.receive_payload_types.push((number, codec));
            }
        }
    }
    let key = |negotiation: &Negotiation| negotiation.parameters.srtp.as_ref().map(|keys| keys.send.clone());
    let in_use = key(&negotiation);
    let before = call.media.negotiation.replace(negotiation).as_ref().and_then(key);
    if let (Some(spent), Some(local)) = (before.filter(|before| in_use.as_ref() != Some(before)), &mut call.media.local)
        && let Some(srtp) = &mut local.srtp
    {
        srtp.replace(fresh_key(spent.suite(), random));
    }
}

/// What was negotiated, with the networks from which its media is believed: the trunk's, else the peer and its SDP.
fn believed(parameters: &MediaParameters, call: &Call) -> MediaParameters {
    let mut parameters = parameters.clone();
    if let Some((remote, keys)) = call.media.webrtc.connected() {
        parameters.remote_rtp = Some(remote);
        parameters.remote_rtcp = Some(remote);
        parameters.srtp = Some(keys.clone());
    }
    let networks = call.peer.media().networks;
    parameters.accept_from = if networks.is_empty() {
        let described = parameters.remote_rtp.map(|remote| remote.ip());
        [Some(call.remote.ip()), described].into_iter().flatten().map(Network::host).collect()
    } else {
        networks.to_vec()
    };
    parameters
}

/// A caller from whom nothing comes for so long is gone; but not one who does not hear us or need not speak (RFC 3264
/// section 8.4): it may send music or nothing at all.
fn media_timeout(call: &Call, on_hold: bool) -> Option<Duration> {
    (!on_hold).then_some(call.peer.media().timeout)
}
