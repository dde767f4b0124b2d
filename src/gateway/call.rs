//! The control-plane state of one participant.

use super::call_record::{CallTimes, Keyed, Tried, Way};
use super::cause::Cause;
use super::disturbing::Disturbing;
use super::forking::Forking;
use super::hold::Hold;
use super::keys::KeyWay;
use super::media_host::MediaHost;
use super::message_limit::MessageLimit;
use super::outgoing::Outgoing;
use super::peer::Peer;
use super::pin_guard::CallerKey;
use super::reason::PeerReason;
use super::relayed::Relayed;
use super::transport::ConnectionStage;
use super::{Event, Masked, SessionId};
use crate::dialplan::Plan;
use crate::media::command::{PlayoutCounters, VoiceProcessing};
use crate::sdp::{LocalMedia, Negotiation, SessionDescription};
use crate::session::collect::Collector;
use crate::session::{Alerting, Party, PlaybackHandle};
use crate::sip::{Flow, InviteId};
use crate::types::{AudioCodec, CallId, Now, PlayerId};
use bytes::Bytes;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

/// Where a call stands between its INVITE and its record, with all that is valid only there.
#[derive(Debug)]
pub(super) enum Phase {
    /// Its media ports are being opened.
    Opening {
        /// The offer of the INVITE, if it has one.
        offer: Option<SessionDescription>,
        /// What its session is told of the INVITE, where that is a scenario.
        alerting: Option<Box<Alerting>>,
    },
    /// We call: from the opening of its media ports to the answer.
    Dialling(Box<Outgoing>),
    /// The same for a user, who may be registered at several places.
    Forking(Box<Forking>),
    /// Both dialogs of a direct call, from its INVITE to its end.
    Relayed(Box<Relayed>),
    /// The session decides: ring, early media, answer, reject.
    Incoming,
    /// 200 is sent; the session is told when the caller can hear us.
    Answering {
        /// The ACK has come.
        acknowledged: bool,
        /// A packet was heard from the caller.
        heard: bool,
    },
    /// The caller hears us, unless it is on hold.
    Talking {
        /// Hold by us.
        hold: Hold,
        /// Why it is hung up once it has heard so.
        dismissed: Option<Cause>,
    },
    /// The signalling is over, for this reason; the leg's statistics are awaited.
    Ending(Cause),
}

impl Phase {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Opening { .. } => "opening",
            Self::Dialling(_) | Self::Forking(_) => "being called",
            Self::Incoming => "not answered",
            Self::Relayed(relayed) if relayed.callee.is_some() => "answered",
            Self::Relayed(_) => "being called",
            Self::Answering { .. } => "being answered",
            Self::Talking { .. } => "answered",
            Self::Ending(_) => "ended",
        }
    }

    pub(super) const fn is_incoming(&self) -> bool {
        matches!(self, Self::Incoming)
    }

    pub(super) const fn is_answering(&self) -> bool {
        matches!(self, Self::Answering { .. })
    }

    pub(super) const fn is_talking(&self) -> bool {
        matches!(self, Self::Talking { .. })
    }

    pub(super) const fn is_ending(&self) -> bool {
        matches!(self, Self::Ending(_))
    }

    /// Hold by us, which only one who hears us can be on.
    pub(super) const fn hold(&self) -> Option<&Hold> {
        if let Self::Talking { hold, .. } = self { Some(hold) } else { None }
    }

    /// Hold by us, which only one who hears us can be on.
    pub(super) const fn hold_mut(&mut self) -> Option<&mut Hold> {
        if let Self::Talking { hold, .. } = self { Some(hold) } else { None }
    }

    /// Whether we have put it on hold.
    pub(super) fn is_held(&self) -> bool {
        self.hold().is_some_and(Hold::is_on)
    }

    /// How we call, while nobody has answered.
    pub(super) const fn outgoing(&self) -> Option<&Outgoing> {
        if let Self::Dialling(outgoing) = self { Some(outgoing) } else { None }
    }

    /// How we call, while nobody has answered.
    pub(super) const fn outgoing_mut(&mut self) -> Option<&mut Outgoing> {
        if let Self::Dialling(outgoing) = self { Some(outgoing) } else { None }
    }

    /// How a user is called, while none of the user's clients has answered.
    pub(super) const fn forking(&self) -> Option<&Forking> {
        if let Self::Forking(forking) = self { Some(forking) } else { None }
    }

    /// How a user is called, while none of the user's clients has answered.
    pub(super) const fn forking_mut(&mut self) -> Option<&mut Forking> {
        if let Self::Forking(forking) = self { Some(forking) } else { None }
    }

    /// How a direct call stands.
    pub(super) const fn relayed(&self) -> Option<&Relayed> {
        if let Self::Relayed(relayed) = self { Some(relayed) } else { None }
    }

    /// How a direct call stands.
    pub(super) const fn relayed_mut(&mut self) -> Option<&mut Relayed> {
        if let Self::Relayed(relayed) = self { Some(relayed) } else { None }
    }

    /// Whether we call, and nobody has answered.
    pub(super) const fn is_dialling(&self) -> bool {
        matches!(self, Self::Dialling(_) | Self::Forking(_))
    }

    /// Whether it rings where we call.
    pub(super) const fn rings(&self) -> bool {
        match self {
            Self::Dialling(outgoing) => outgoing.rings,
            Self::Forking(forking) => forking.rings,
            _ => false,
        }
    }

    /// Why it is hung up once it has heard so, which only one who hears us can.
    pub(super) const fn dismissed(&self) -> Option<&Cause> {
        if let Self::Talking { dismissed, .. } = self { dismissed.as_ref() } else { None }
    }

    /// The caller hears us from now on.
    pub(super) fn talk(&mut self) {
        *self = Self::Talking { hold: Hold::default(), dismissed: None };
    }

    /// It will be hung up for this reason. Nothing, where it does not hear us.
    pub(super) fn dismiss(&mut self, cause: Cause) {
        if let Self::Talking { dismissed, .. } = self {
            *dismissed = Some(cause);
        }
    }

    /// The signalling is over. Whoever hangs up while it is being told to go was sent away all the same.
    pub(super) fn end(&mut self, cause: Cause) {
        let dismissed = if let Self::Talking { dismissed, .. } = self { dismissed.take() } else { None };
        *self = Self::Ending(dismissed.unwrap_or(cause));
    }

    /// Why it ended, when it has.
    pub(super) const fn cause(&self) -> Option<&Cause> {
        if let Self::Ending(cause) = self { Some(cause) } else { None }
    }

    /// The media ports of a call in are open. Gives the offer, and what a scenario is told; `None`: the call waits for
    /// no ports (any more).
    pub(super) fn opened(&mut self) -> Option<(Option<SessionDescription>, Option<Box<Alerting>>)> {
        match std::mem::replace(self, Self::Incoming) {
            Self::Opening { offer, alerting } => Some((offer, alerting)),
            other => {
                *self = other;
                None
            }
        }
    }

    /// The one whom we call has answered. Gives how it was called; `None`: nobody is being called.
    pub(super) fn callee_answers(&mut self) -> Option<Box<Outgoing>> {
        match std::mem::replace(self, Self::Answering { acknowledged: true, heard: false }) {
            Self::Dialling(outgoing) => Some(outgoing),
            other => {
                *self = other;
                None
            }
        }
    }
}

impl Phase {
    /// One of the clients of the user whom we call has answered. Gives how it was called; `None`: no user is being
    /// called.
    pub(super) fn branch_answers(&mut self) -> Option<Box<Forking>> {
        match std::mem::replace(self, Self::Answering { acknowledged: true, heard: false }) {
            Self::Forking(forking) => Some(forking),
            other => {
                *self = other;
                None
            }
        }
    }
}

/// The media of a call as the control plane knows it.
#[derive(Debug, Default)]
pub(super) struct CallMedia {
    /// Our ports and wishes, once the transport is open.
    pub(super) local: Option<LocalMedia>,
    /// An offer of ours that waits for its answer.
    pub(super) offered: Option<SessionDescription>,
    /// The offer of the INVITE as it came, until the call is answered, where a scenario may forward it.
    pub(super) as_offered: Option<Bytes>,
    /// What stands.
    pub(super) negotiation: Option<Negotiation>,
    /// Where the peer names it.
    pub(super) host: MediaHost,
    /// The leg's seed, where it is drawn before the leg is made: a browser's description names the SSRC.
    pub(super) seed: Option<u64>,
    /// How far the connection to a browser is.
    pub(super) webrtc: ConnectionStage,
    /// The media plane has the leg (and its sockets).
    pub(super) leg: bool,
    /// A packet has come.
    pub(super) heard: bool,
    /// What its leg does to the sound, which the media plane counts.
    pub(super) playout: PlayoutCounters,
}

/// One participant.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) id: CallId,
    /// `None` while we have not sent an INVITE yet.
    pub(super) invite: Option<InviteId>,
    pub(super) session: SessionId,
    pub(super) phase: Phase,
    /// Which way it goes.
    pub(super) way: Way,
    /// The dialplan it began with, kept over reloads.
    pub(super) plan: Arc<Plan>,
    pub(super) peer: Peer,
    /// Where its signalling goes.
    pub(super) remote: SocketAddr,
    /// Nobody can listen to its signalling.
    pub(super) is_private: bool,
    pub(super) sip_call_id: String,
    pub(super) from: Party,
    pub(super) number: String,
    pub(super) route: String,
    pub(super) media: CallMedia,
    pub(super) collector: Collector,
    /// By which way its keys come.
    pub(super) keys: KeyWay,
    /// What is played to this call alone.
    pub(super) playback: Option<(PlaybackHandle, PlayerId)>,
    /// Names of the rooms it was in, for the record.
    pub(super) room_names: Vec<String>,
    /// The instance of a user that was called, where it was by its GRUU.
    pub(super) called_instance: Option<String>,
    /// By hand.
    pub(super) muted: bool,
    pub(super) disturbing: Disturbing,
    /// How much louder than it is the others hear it, decibels.
    pub(super) gain: i8,
    /// What is done to its sound before the others hear it.
    pub(super) processing: VoiceProcessing,
    pub(super) on_hold: bool,
    pub(super) times: CallTimes,
    pub(super) status: Option<u16>,
    /// Why the peer says it ended the call.
    pub(super) reason: Option<PeerReason>,
    /// Targets of a call out that were tried, and what came of them, the last one left out.
    pub(super) tried: Vec<Tried>,
    /// Messages that its session sends.
    pub(super) messages: MessageLimit,
    /// Digits still to be sent by INFO.
    pub(super) unsent_digits: VecDeque<char>,
    /// Whose guesses its PINs are.
    pub(super) guesses: CallerKey,
    /// What was keyed, counted for the record.
    pub(super) keyed: Keyed,
}

/// What is known of a call when it begins, whichever way it goes.
pub(super) struct Beginning<'a> {
    pub(super) id: CallId,
    pub(super) session: SessionId,
    pub(super) phase: Phase,
    pub(super) plan: Arc<Plan>,
    pub(super) peer: Peer,
    pub(super) flow: &'a Flow,
    pub(super) from: Party,
    pub(super) number: String,
    pub(super) route: String,
    pub(super) now: Now,
}

impl Call {
    /// The codec we send with, once one is agreed on.
    pub(super) fn codec(&self) -> Option<AudioCodec> {
        self.media.negotiation.as_ref().map(|negotiation| negotiation.parameters.codec)
    }

    /// A call of which nothing has come yet.
    pub(super) fn begin(beginning: Beginning<'_>) -> Self {
        let Beginning { id, session, phase, plan, peer, flow, from, number, route, now } = beginning;
        let guesses = CallerKey::of(&peer.guesser(), &from.number);
        Self {
            id,
            invite: None,
            session,
            way: if phase.is_dialling() { Way::Out } else { Way::In },
            phase,
            plan,
            peer,
            remote: flow.remote,
            is_private: flow.transport.is_secure(),
            sip_call_id: String::new(),
            from,
            number,
            route,
            media: CallMedia::default(),
            collector: Collector::new(),
            keys: KeyWay::default(),
            playback: None,
            room_names: Vec::new(),
            called_instance: None,
            muted: false,
            disturbing: Disturbing::default(),
            gain: 0,
            processing: VoiceProcessing::default(),
            on_hold: false,
            times: CallTimes::begin(now),
            status: None,
            reason: None,
            tried: Vec::new(),
            messages: MessageLimit::default(),
            unsent_digits: VecDeque::new(),
            guesses,
            keyed: Keyed::default(),
        }
    }

    /// The event of its start.
    pub(super) fn start_event(&self) -> Event {
        Event::CallStarted {
            call: self.id,
            way: self.way,
            trunk: self.peer.trunk_name().to_owned(),
            user: self.peer.user_name().to_owned(),
            from: Masked(&self.from.number).to_string(),
            number: Masked(&self.number).to_string(),
            route: self.route.clone(),
        }
    }

    /// Who calls whom and which way, for the log.
    pub(super) fn in_words(&self) -> String {
        let from = if self.from.number.is_empty() { "withheld" } else { &self.from.number };
        let room = self.plan.room(&self.number);
        let number = if room.is_some_and(|room| room.is_keyed_by_name()) { "its room" } else { &self.number };
        format!("{} to {} by {}, route {}", Masked(from), Masked(number), self.peer.label(), self.route)
    }

    /// The offer or answer that stands, as it went out.
    pub(super) fn local_description(&self) -> Option<Bytes> {
        let negotiation = self.media.negotiation.as_ref()?;
        Some(Bytes::from(negotiation.local.to_string()))
    }

    /// Whether nobody hears it, by hand or by rule.
    pub(super) const fn is_muted(&self) -> bool {
        self.muted || self.disturbing.is_muted()
    }

    /// Whether it came without SIP.
    pub(super) const fn is_guest(&self) -> bool {
        matches!(self.peer, Peer::Guest(_))
    }

    /// Whether the dialog is up.
    pub(super) const fn is_answered(&self) -> bool {
        matches!(self.phase, Phase::Answering { .. } | Phase::Talking { .. })
    }
}
