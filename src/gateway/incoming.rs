//! An INVITE from a trunk or a user: its called number, its route, its session, its media ports.

use super::call::{Beginning, Call, Phase};
use super::call_record::{CallRecord, Keyed, Way};
use super::cause::Cause;
use super::ending::Final;
use super::identity;
use super::negotiation::srtp_of;
use super::peer::Peer;
use super::pin_guard::CallerKey;
use super::scenarios::UNANSWERED;
use super::timer::Timer;
use super::transfer::Replaced;
use super::{Event, Gateway, Level, Masked, OpenedTransport, Output, SessionId, TransportKind};
use crate::dialplan::route;
use crate::dialplan::{NumberSource, RouteTarget, SrtpPolicy};
use crate::media::command::LegSettings;
use crate::sdp::{self, LocalMedia, LocalWebRtc, SessionDescription};
use crate::session::{self, Alerting, DialCause, Party, Running};
use crate::sip::message::{HeaderName, NameAddr, Request, StatusCode};
use crate::sip::registrar::Binding;
use crate::sip::{Flow, InviteId, PeerId};
use crate::types::{CallId, Direction, Disturbances, Fingerprint, IceCredentials, Now};
use bytes::Bytes;
use rand::RngCore;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// Octets of the longest instance.
const LONGEST_GR: usize = 512;

/// Where a call says which conference its scenario is to lead it to.
const CONFERENCE: &str = "X-Conference-Id";

/// Where a scenario finds as what somebody was invited: `host` or `guest`. Ours to say, and no caller's.
const ROLE: &str = "X-Conference-Role";

/// Sound in each packet, unless the peer asks for another time.
const PACKET_TIME: Duration = Duration::from_millis(20);

impl Gateway {
    pub(super) fn on_incoming(
        &mut self,
        now: Now,
        (invite, peer): (InviteId, PeerId),
        request: &Request,
        flow: Flow,
        offer: Option<&Bytes>,
        replaces: Option<InviteId>,
    ) {
        let Some(peer) = self.admission.peers.get(peer).cloned() else {
            // It was admitted with the message that this event comes of; a reload cannot come between.
            self.reject(now, invite, &Final::status(403));
            return;
        };
        let (from, hidden_number) = who_calls(request, &peer);
        let number = self.called_number(request, &peer);
        let arrival = Arrival { invite, request, flow, peer, from, hidden_number, number };
        let decided = match replaces {
            Some(old) => self.decide_replacing(now, &arrival, old),
            None => self.decide(now, &arrival),
        };
        let decided = match decided {
            Ok(decided) => decided,
            Err(refusal) => return self.refuse_arrival(now, &arrival, refusal),
        };
        if let Leads::Directly(places) = decided.leads {
            return self.begin_direct(now, arrival, decided.route, places, offer);
        }
        let as_offered = offer;
        let offer = match offer.map(|offer| SessionDescription::parse(offer)).transpose() {
            Ok(offer) => offer,
            Err(error) => {
                let rule = format!("its offer cannot be read: {error}");
                return self.refuse_arrival(
                    now,
                    &arrival,
                    Refusal { answer: Final::status(error.status()), rule, route: None },
                );
            }
        };
        self.begin(now, arrival, decided, (offer, as_offered));
    }

    fn decide(&self, now: Now, arrival: &Arrival<'_>) -> Result<Decided, Refusal> {
        if let Some((status, rule)) = self.limit_for(now, &arrival.peer) {
            return Err(Refusal { answer: Final::busy(status), rule, route: None });
        }
        check_security(arrival)?;
        if let Some(to) = arrival.peer.invited_to() {
            return self.decide_invited(now, arrival, &to.room);
        }
        let origin = arrival.peer.origin();
        let Some(route) = route::find(&self.plan, &origin, &arrival.number) else {
            let rule = route::decide(&self.plan, &origin, &arrival.number).no_route();
            return Err(Refusal { answer: Final::status(404), rule, route: None });
        };
        if let RouteTarget::Direct = route.target {
            let places = self.direct_places(now, (&arrival.number, arrival.gr()), &route.name)?;
            return Ok(Decided { route: route.name.clone(), leads: Leads::Directly(places) });
        }
        let Some(running) = session::for_route(&self.plan, route) else {
            let status = if let RouteTarget::Reject(status) = route.target { status } else { 403 };
            let rule = format!("route {} says reject = {status}", route.name);
            return Err(Refusal { answer: Final::status(status), rule, route: Some(route.name.clone()) });
        };
        Ok(Decided { route: route.name.clone(), leads: Leads::Anew(running.into()) })
    }

    /// Somebody who was invited: to the room, or directly to who was invited to it too. No route says so, but where the
    /// room is a scenario's.
    fn decide_invited(&self, now: Now, arrival: &Arrival<'_>, room: &str) -> Result<Decided, Refusal> {
        let refused = |status, rule| Err(Refusal { answer: Final::status(status), rule, route: None });
        let callee = self.users.get(&arrival.number);
        let is_invited_too = callee.is_some_and(|user| user.invited_to.as_ref().is_some_and(|to| to.room == room));
        if let Some(number) = self.plan.room(room).and_then(|room| room.invited_call.as_ref())
            && (is_invited_too || arrival.number == arrival.peer.numbers().normalise(number))
        {
            let named = identity::extensions(&arrival.request.headers);
            let is_named = |(name, value): &(String, String)| name.eq_ignore_ascii_case(CONFERENCE) && value == room;
            if !is_invited_too && !named.iter().any(is_named) {
                return refused(403, format!("its invitation is to the conference {} alone", self.logged_room(room)));
            }
            let route = route::find(&self.plan, &arrival.peer.origin(), &arrival.number);
            let scenario = route.filter(|route| matches!(route.target, RouteTarget::Scenario(_)));
            if let Some((route, running)) =
                scenario.and_then(|route| Some((route, session::for_route(&self.plan, route)?)))
            {
                return Ok(Decided { route: route.name.clone(), leads: Leads::Anew(running.into()) });
            }
        }
        if is_invited_too {
            let places = self.direct_places(now, (&arrival.number, arrival.gr()), "")?;
            return Ok(Decided { route: String::new(), leads: Leads::Directly(places) });
        }
        if arrival.number != arrival.peer.numbers().normalise(room) {
            return refused(403, format!("its invitation is to room {} alone", self.logged_room(room)));
        }
        if !self.has_room(room) {
            return refused(404, format!("there is no room {} any more", self.logged_room(room)));
        }
        let running = Running::into_room(&self.plan, room);
        Ok(Decided { route: String::new(), leads: Leads::Anew(running.into()) })
    }

    /// An INVITE with Replaces takes no route: it goes where the call went that it replaces, and makes one more only
    /// until that one is over.
    fn decide_replacing(&self, now: Now, arrival: &Arrival<'_>, old: InviteId) -> Result<Decided, Refusal> {
        if let Some((status, rule)) = self.limit_for_replacing(now, &arrival.peer) {
            return Err(Refusal { answer: Final::busy(status), rule, route: None });
        }
        check_security(arrival)?;
        let Some(replaced) = self.replaced_by(&arrival.peer, old) else {
            let rule = "the call it is to replace is none of its trunk's".into();
            return Err(Refusal { answer: Final::status(481), rule, route: None });
        };
        Ok(Decided { route: replaced.route.clone(), leads: Leads::ToPlaceOf(replaced) })
    }

    fn begin(
        &mut self,
        now: Now,
        arrival: Arrival<'_>,
        decided: Decided,
        (offer, as_offered): (Option<SessionDescription>, Option<&Bytes>),
    ) {
        let local = arrival.flow.local.ip();
        let is_browser = offer.as_ref().is_some_and(SessionDescription::is_webrtc);
        let kind = if is_browser { TransportKind::WebRtc } else { TransportKind::Rtp };
        let session = match &decided.leads {
            Leads::ToPlaceOf(replaced) => replaced.session,
            Leads::Anew(_) | Leads::Directly(_) => SessionId(self.fresh_id()),
        };
        let alerting = match &decided.leads {
            Leads::Anew(running) if running.scenario().is_some() => Some(self.alerting(&arrival)),
            _ => None,
        };
        let as_offered = as_offered.filter(|_| alerting.is_some()).cloned();
        let rule = decided.route.clone();
        let id = self.enter(now, arrival, decided.route, session, Phase::Opening { offer, alerting });
        if let Some(call) = self.calls.get_mut(&id) {
            call.media.as_offered = as_offered;
        }
        match decided.leads {
            Leads::Anew(running) => {
                self.begin_session(session, *running, &rule);
                if let Some(running) = self.sessions.get_mut(&session) {
                    running.calls.give(id);
                }
            }
            Leads::ToPlaceOf(replaced) => {
                self.transfers.begin(id, replaced.of, None);
                if let Some(session) = self.sessions.get_mut(&session) {
                    session.calls.insert(id, None);
                }
            }
            Leads::Directly(_) => {}
        }
        self.effects.output(Output::OpenTransport { call: id, kind, local });
    }

    /// An INVITE becomes a call.
    pub(super) fn enter(
        &mut self,
        now: Now,
        arrival: Arrival<'_>,
        route: String,
        session: SessionId,
        phase: Phase,
    ) -> CallId {
        let called_instance = arrival.gr().map(str::to_owned);
        let Arrival { invite, request, flow, peer, from, hidden_number, number } = arrival;
        let id = CallId(self.fresh_id());
        let plan = Arc::clone(&self.plan);
        let beginning = Beginning { id, session, phase, plan, peer, flow: &flow, from, number, route, now };
        let mut call = Call {
            invite: Some(invite),
            sip_call_id: request.call_id().map_or_else(String::new, |id| id.to_string()),
            called_instance,
            ..Call::begin(beginning)
        };
        if let Some(number) = hidden_number {
            call.guesses = CallerKey::of(&call.peer.guesser(), &number);
        }
        self.admission.peers.call_began(now.instant, &call.peer);
        self.effects.event(call.start_event());
        self.calls.insert(call);
        id
    }

    pub(super) fn on_transport_opened(&mut self, now: Now, id: CallId, opened: &OpenedTransport) {
        let session_id = self.random.next_u64();
        let (address, rtcp_port, srtp, webrtc) = match *opened {
            OpenedTransport::Rtp { address, rtcp_port } => {
                let srtp = self.calls.get(&id).and_then(|call| srtp_of(call, &mut self.keys));
                (address, rtcp_port, srtp, None)
            }
            OpenedTransport::WebRtc { address, fingerprint, tcp_port } => {
                (address, address.port(), None, Some(self.webrtc_of(id, fingerprint, tcp_port)))
            }
            OpenedTransport::Either { address, rtcp_port, fingerprint, tcp_port } => {
                (address, rtcp_port, None, Some(self.webrtc_of(id, fingerprint, tcp_port)))
            }
        };
        let opening = |call: &&mut Call| match call.phase {
            Phase::Opening { .. } => true,
            Phase::Dialling(_) | Phase::Forking(_) => call.media.local.is_none(),
            _ => false,
        };
        let Some(call) = self.calls.get_mut(&id).filter(opening) else {
            // The caller gave up meanwhile.
            self.effects.output(Output::CloseTransport { call: id });
            return;
        };
        call.media.local = Some(LocalMedia {
            address: self.trunks.own_addresses.towards(call.remote.ip(), address.ip()),
            rtp_port: address.port(),
            rtcp_port,
            codecs: call.peer.codecs(),
            opus: call.plan.gateway.opus,
            packet_time: PACKET_TIME,
            telephone_event: true,
            comfort_noise: call.plan.gateway.comfort_noise,
            audio_level: true,
            direction: Direction::SendRecv,
            session_id,
            srtp,
            webrtc,
        });
        let Some((offer, alerting)) = call.phase.opened() else {
            return self.send_invite(now, id);
        };
        let detail = call.in_words();
        self.log(Level::Info, Some(id), "incoming", detail);
        let Some(call) = self.calls.get(&id) else { return };
        let (from, number) = (call.from.clone(), call.number.clone());
        if let Err(refusal) = self.answer_first_offer(id, offer.as_ref()) {
            let mut rule = format!("its offer cannot be met: {refusal}");
            if let Some(call) = self.calls.get(&id).filter(|_| refusal.is_about_security()) {
                let secure = if call.is_private { "encrypted" } else { "unencrypted" };
                let _ = write!(rule, " (srtp = {}, signalling {secure})", call.peer.media().srtp.as_str());
            }
            if let Some(offer) = offer.filter(|_| refusal == sdp::Refusal::NoCommonCodec) {
                let _ = write!(rule, " (offered: {})", offer.audio_formats().join(", "));
            }
            return self.refuse(now, id, Final::status(refusal.status()), rule);
        }
        if alerting.is_some() {
            self.effects.timers.set(Timer::NoAnswer(id), now.instant + UNANSWERED);
        }
        self.emit_of(id, |call| session::Event::Incoming { call, from, number, alerting });
    }

    /// Our side of a browser's transport.
    fn webrtc_of(&mut self, id: CallId, fingerprint: Fingerprint, tcp_port: Option<u16>) -> LocalWebRtc {
        let seed = self.random.next_u64();
        let (ssrc, cname) = (LegSettings::ssrc(seed), LegSettings::cname(seed));
        let ice = IceCredentials::random(&mut self.keys);
        if let Some(call) = self.calls.get_mut(&id) {
            call.media.seed = Some(seed);
        }
        LocalWebRtc { ice, fingerprint, tcp_port, ssrc, cname }
    }

    pub(super) fn on_transport_refused(&mut self, now: Now, id: CallId, reason: String) {
        if self.calls.get(&id).is_some_and(|call| matches!(call.phase, Phase::Opening { .. })) {
            self.log_limited(now, Level::Warn, Some(id), "no media port", || reason.clone());
            self.refuse(now, id, Final::busy(StatusCode::SERVICE_UNAVAILABLE), reason);
        } else if self.is_being_called(id) {
            self.log_limited(now, Level::Warn, Some(id), "no media port", || reason.clone());
            self.dial_failed(now, id, DialCause::Unreachable, Cause::Unreachable(reason));
        }
    }

    /// An INVITE that never becomes a call: answered, logged, recorded.
    fn refuse_arrival(&mut self, now: Now, arrival: &Arrival<'_>, refusal: Refusal) {
        let status = self.reject(now, arrival.invite, &refusal.answer);
        let number = self.logged_room(&arrival.number);
        let told = self.log_limited(now, Level::Info, None, "refused", || {
            format!("call to {} by {}: {status}, {}", Masked(&number), arrival.peer.label(), refusal.rule)
        });
        if !told {
            // Nor is it recorded: what anybody can send must not fill the disk.
            return;
        }
        let call = CallId(self.fresh_id());
        self.effects.event(Event::CallRefused {
            call,
            trunk: arrival.peer.trunk_name().to_owned(),
            user: arrival.peer.user_name().to_owned(),
            from: Masked(&arrival.from.number).to_string(),
            number: Masked(&number).to_string(),
            status,
            why: refusal.rule.clone(),
        });
        self.effects.output(Output::Record(Box::new(CallRecord {
            call: call.to_string(),
            way: Way::In,
            tried: Vec::new(),
            sip_call_id: arrival.request.call_id().map_or_else(String::new, |id| id.to_string()),
            trunk: arrival.peer.trunk_name().to_owned(),
            user: arrival.peer.user_name().to_owned(),
            from: arrival.from.number.clone(),
            number: arrival.number.clone(),
            route: refusal.route,
            rooms: Vec::new(),
            keyed: Keyed::default(),
            started: now.wall,
            answered: None,
            ended: now.wall,
            talk_ms: 0,
            status: Some(status),
            cause: Cause::Refused(refusal.rule),
            reason: None,
            warning: None,
            disturbed: Disturbances::default(),
            media: None,
        })));
    }

    /// What a scenario is told of a call that comes in.
    fn alerting(&self, arrival: &Arrival<'_>) -> Box<Alerting> {
        let may_say = matches!(arrival.peer, Peer::User(_)) || arrival.peer.is_trusted();
        let mut headers = if may_say { identity::extensions(&arrival.request.headers) } else { Vec::new() };
        headers.retain(|(name, _)| !name.eq_ignore_ascii_case(ROLE));
        if let Some(to) = arrival.peer.invited_to() {
            let role = if self.users.is_host(to) { "host" } else { "guest" };
            headers.push((ROLE.to_owned(), role.to_owned()));
        }
        let to = arrival.request.to().ok().and_then(|to| to.uri.user_decoded()).unwrap_or_default();
        Box::new(Alerting { to, headers })
    }

    /// The called number, from the first place that this peer puts it in.
    pub(super) fn called_number(&self, request: &Request, peer: &Peer) -> String {
        let user_of = |value: &Bytes| NameAddr::parse(value).ok()?.uri.user_decoded();
        let found = peer.number_from().iter().find_map(|source| match source {
            // The Contact we registered is our name there, not a number anybody dialled.
            NumberSource::RequestUri => {
                let user = request.uri.user_decoded()?;
                self.trunks.by_contact_user(&user).is_none().then_some(user)
            }
            NumberSource::To => request.to().ok()?.uri.user_decoded(),
            NumberSource::PCalledPartyId => {
                request.headers.values(&HeaderName::PCalledPartyId).find_map(|value| user_of(&value))
            }
            NumberSource::Diversion => request.headers.values(&HeaderName::Diversion).find_map(|value| user_of(&value)),
        });
        peer.numbers().normalise(&found.unwrap_or_default())
    }
}

/// Where an admitted INVITE goes.
struct Decided {
    /// By its name.
    route: String,
    leads: Leads,
}

enum Leads {
    /// To a session of its own.
    Anew(Box<Running>),
    /// To where another call is.
    ToPlaceOf(Replaced),
    /// To a user, at these places, whose descriptions pass untouched.
    Directly(Vec<Binding>),
}

/// What is known of an INVITE before it is a call.
pub(super) struct Arrival<'a> {
    invite: InviteId,
    request: &'a Request,
    flow: Flow,
    peer: Peer,
    from: Party,
    hidden_number: Option<String>,
    number: String,
}

impl Arrival<'_> {
    /// Which instance of a user was called, where it was by its GRUU (RFC 5627).
    fn gr(&self) -> Option<&str> {
        self.request.uri.params.get("gr").filter(|gr| gr.len() <= LONGEST_GR)
    }
}

/// Why an INVITE does not become a call.
pub(super) struct Refusal {
    pub(super) answer: Final,
    pub(super) rule: String,
    pub(super) route: Option<String>,
}

/// Who calls, as far as it may be told, and the number of a caller who is not to be shown. A user is who the digest
/// says.
fn who_calls(request: &Request, peer: &Peer) -> (Party, Option<String>) {
    let caller = identity::caller(request, peer.is_trusted(), peer.numbers());
    match peer {
        Peer::Trunk(_) => (caller.party, caller.hidden_number),
        Peer::User(user) if caller.withheld => (caller.party, Some(user.name.clone())),
        Peer::User(user) | Peer::Guest(user) => (user.party(), None),
    }
}

/// Whether the keys of a trunk that must have SRTP may travel as this INVITE did.
fn check_security(arrival: &Arrival<'_>) -> Result<(), Refusal> {
    let is_private = arrival.flow.transport.is_secure();
    let media = arrival.peer.media();
    if media.srtp == SrtpPolicy::Required && !media.speaks_srtp(is_private) {
        let rule = "its trunk says srtp = \"required\", and keys are not taken over unencrypted signalling".into();
        return Err(Refusal { answer: Final::status(488), rule, route: None });
    }
    Ok(())
}
