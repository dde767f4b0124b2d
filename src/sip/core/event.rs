//! What goes into an [`Endpoint`](crate::sip::Endpoint) and what comes out.

use std::fmt;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::sip::flow::Flow;
use crate::sip::message::{Defect, Headers, Method, NameAddr, Reason, Replaces, Request, Response, StatusCode, Uri};
use crate::sip::transaction::{self, ServerId, TraceLine};

/// One INVITE usage: a call from its INVITE to its end. Never reused within a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct InviteId(pub u64);

impl fmt::Display for InviteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invite-{}", self.0)
    }
}

/// One registration of ours at a registrar. Never reused within a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RegistrationId(pub u64);

impl fmt::Display for RegistrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "registration-{}", self.0)
    }
}

/// One OPTIONS of ours. Never reused within a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PingId(pub u64);

/// One MESSAGE of ours outside of any call. Never reused within a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub u64);

/// A request of a peer outside of any call, until [`Endpoint::respond`](crate::sip::Endpoint::respond).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(pub(crate) ServerId);

/// Who a peer is, as its [`Policy`](crate::sip::Policy) calls it. The endpoint hands it back with [`Event::Incoming`]
/// and knows nothing of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerId(pub u64);

/// What the world tells the endpoint.
#[derive(Debug, Clone)]
pub enum Input {
    /// A datagram, or one message cut out of a stream.
    Message {
        /// Where it came from.
        flow: Flow,
        /// The whole message.
        bytes: Bytes,
    },
    /// A connection ended.
    FlowClosed {
        /// The connection's flow.
        flow: Flow,
    },
    /// The peer of a connection has proven who it is. Nothing to the endpoint; its user's
    /// [`Policy`](crate::sip::Policy) may go by it until the connection ends.
    FlowIdentified {
        /// The connection's flow.
        flow: Flow,
        /// Who, by the name the shell and the policy have for it.
        peer: String,
    },
    /// A TLS connection of ours is open. Nothing to the endpoint; its user may have waited for it.
    TlsOpened {
        /// The connection's flow.
        flow: Flow,
    },
    /// A TLS connection of ours did not come about; what was to go by it fails after this. Nothing to the endpoint; its
    /// user may tell why.
    TlsFailed {
        /// The connection's flow.
        flow: Flow,
        /// Why, as a sentence without its full stop.
        why: String,
    },
    /// A message of ours could not be sent: refused, unreachable, no connection.
    SendFailed {
        /// The flow it was to go by, as in [`Output::Transmit`].
        flow: Flow,
    },
}

/// What the endpoint asks for or tells.
#[derive(Debug, Clone)]
pub enum Output {
    /// Send these bytes.
    Transmit {
        /// Where to.
        flow: Flow,
        /// One whole message.
        bytes: Bytes,
        /// It goes by datagram if no connection is to be had: one that does not open soon counts as refused.
        hurried: bool,
    },
    /// Something the user of the endpoint must know.
    Event(Event),
    /// One message, for the ladder in the log; only with [`EndpointConfig::trace`](super::EndpointConfig::trace).
    Trace(TraceLine),
}

impl From<transaction::Output> for Output {
    fn from(output: transaction::Output) -> Self {
        match output {
            transaction::Output::Transmit { flow, bytes, hurried } => Self::Transmit { flow, bytes, hurried },
            transaction::Output::Trace(line) => Self::Trace(line),
        }
    }
}

/// Why a method of the endpoint did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// The id is gone or never was.
    #[error("no such call")]
    NoSuchCall,
    /// The call is not in a state where this can be done now.
    #[error("not possible in the call's present state")]
    WrongState,
    /// A limit of [`Limits`](crate::sip::endpoint::Limits) is reached.
    #[error("too many calls or transactions")]
    LimitReached,
}

/// Who or what ended a call that was there to be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// We hung up.
    Local,
    /// The peer sent BYE.
    Remote,
    /// Our 2xx was never acknowledged; BYE was sent (RFC 3261 section 13.3.1.4).
    AckTimeout,
    /// No refresh came in time; BYE was sent (RFC 4028 section 10).
    SessionExpired,
    /// The peer no longer knows the dialog, or did not answer a request inside it (481, 408, timeout).
    DialogLost,
    /// The transport failed under a request inside the dialog.
    TransportFailed,
    /// Offer and answer came to nothing: an answer that had to come did not.
    NoAnswer,
}

/// What a REFER asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referral {
    /// Whom to call: `sip:` or `sips:`, without headers.
    pub uri: Uri,
    /// The dialog at the callee that our call is to replace (RFC 3891): an attended transfer.
    pub replaces: Option<Replaces>,
    /// Who referred, as the peer says (RFC 3892).
    pub referred_by: Option<NameAddr>,
}

impl Event {
    /// The call that it is of, if it is of one that there was.
    #[must_use]
    pub const fn invite(&self) -> Option<InviteId> {
        match self {
            Self::Acknowledged { invite, .. }
            | Self::Cancelled { invite, .. }
            | Self::Offer { invite, .. }
            | Self::Answer { invite, .. }
            | Self::OfferFailed { invite, .. }
            | Self::Trying { invite }
            | Self::Progress { invite, .. }
            | Self::Answered { invite, .. }
            | Self::Failed { invite, .. }
            | Self::Info { invite, .. }
            | Self::Message { invite, .. }
            | Self::Referred { invite, .. }
            | Self::ReferAccepted { invite, .. }
            | Self::ReferProgress { invite, .. }
            | Self::Ended { invite, .. } => Some(*invite),
            _ => None,
        }
    }
}

/// What happened. `invite` and `registration` name what it happened to.
///
/// An incoming call begins with `Incoming`; an outgoing one with [`Endpoint::invite`](crate::sip::Endpoint::invite).
/// Each has exactly one last event: `Cancelled`, `Failed` or `Ended`. After a last event the id is gone.
#[derive(Debug, Clone)]
pub enum Event {
    /// A new INVITE; 100 has been sent. Answer with `provisional`, `accept`, `reject` or `hangup`.
    Incoming {
        /// The new call.
        invite: InviteId,
        /// Who calls, as the [`Policy`](crate::sip::Policy) said when it admitted the INVITE.
        peer: PeerId,
        /// The INVITE as it came.
        request: Box<Request>,
        /// Where it came from.
        flow: Flow,
        /// The session description in it, unpacked from multipart if need be. `None`: the peer wants our offer.
        offer: Option<Bytes>,
        /// The answered call whose place it is to take (RFC 3891).
        replaces: Option<InviteId>,
    },
    /// Our 2xx was acknowledged.
    Acknowledged {
        /// The call.
        invite: InviteId,
        /// The answer to the offer in our 2xx; always `None` when the INVITE had an offer.
        body: Option<Bytes>,
    },
    /// The caller gave up before we answered; 487 has been sent. Last event.
    Cancelled {
        /// The call.
        invite: InviteId,
        /// The caller's Reason, if it gave one.
        reason: Option<Reason>,
    },
    /// The peer offers, or wants our offer. Reply with `answer_offer`.
    Offer {
        /// The call.
        invite: InviteId,
        /// The offer; `None`: `answer_offer` takes our offer, and `Answer` brings the peer's answer.
        body: Option<Bytes>,
        /// What brought it: INVITE, UPDATE, PRACK.
        method: Method,
    },
    /// The peer's answer to an offer of ours, other than the one in our first INVITE.
    /// It also comes after a session refresh that repeated our last description, if the peer's changed.
    Answer {
        /// The call.
        invite: InviteId,
        /// The answer.
        body: Bytes,
    },
    /// Our re-INVITE or UPDATE came to nothing; the call goes on as before.
    ///
    /// 491 is retried inside (RFC 3261 section 14.1). It is only reported when the peer's own offer was settled
    /// while ours waited: the description is out of date then, make a new one if it is still wanted.
    OfferFailed {
        /// The call.
        invite: InviteId,
        /// The peer's status; 408 without an answer, 400 when an ACK lacked the answer.
        status: StatusCode,
    },
    /// The next hop has our INVITE (100): it is there, whatever becomes of the call.
    Trying {
        /// The call.
        invite: InviteId,
    },
    /// The far end rings or plays.
    Progress {
        /// The call.
        invite: InviteId,
        /// 101-199.
        status: StatusCode,
        /// The description of early media: an answer if the response was reliable, else a preview of it.
        /// Another Progress may bring another one, when the call forked.
        body: Option<Bytes>,
    },
    /// The far end answered.
    Answered {
        /// The call.
        invite: InviteId,
        /// The 2xx.
        response: Box<Response>,
        /// The answer to our offer (even if it came in an earlier reliable response); the peer's offer with
        /// `needs_answer`.
        body: Option<Bytes>,
        /// Our INVITE had no offer: reply with `acknowledge`.
        needs_answer: bool,
    },
    /// The outgoing call did not come about. Last event.
    Failed {
        /// The call.
        invite: InviteId,
        /// The peer's status; 408 for a timeout, 503 for a transport failure, 504 for an incoming call whose
        /// reliable response was never acknowledged, 480 for one that nobody answered.
        status: StatusCode,
        /// The peer's response. `None`: there was none.
        response: Option<Box<Response>>,
    },
    /// An INFO inside the dialog; 200 has been sent.
    Info {
        /// The call.
        invite: InviteId,
        /// Value of Content-Type.
        content_type: Option<String>,
        /// All headers.
        headers: Box<Headers>,
        /// The body.
        body: Bytes,
    },
    /// A MESSAGE inside the dialog, of a peer whose terms allow it; 200 has been sent.
    Message {
        /// The call.
        invite: InviteId,
        /// Value of Content-Type.
        content_type: Option<String>,
        /// The body.
        body: Bytes,
    },
    /// The peer wants us to call somebody in its place. Reply with `answer_refer`.
    Referred {
        /// The call.
        invite: InviteId,
        /// Whom.
        referral: Box<Referral>,
    },
    /// The peer takes our REFER.
    ReferAccepted {
        /// The call.
        invite: InviteId,
        /// It will not tell what comes of it (RFC 4488).
        over: bool,
    },
    /// What comes of our REFER.
    ReferProgress {
        /// The call.
        invite: InviteId,
        /// The status of the call that the peer makes, or of its refusal to make one; 408 when it said nothing.
        status: Option<StatusCode>,
        /// Nothing more will come.
        over: bool,
    },
    /// The call is over. Last event.
    Ended {
        /// The call.
        invite: InviteId,
        /// Who or what ended it.
        by: EndedBy,
        /// The peer's Reason (RFC 3326), if it gave one.
        reason: Option<Reason>,
    },
    /// The registrar took or refreshed our binding.
    Registered {
        /// The registration.
        registration: RegistrationId,
        /// For how long.
        expires: Duration,
        /// Values of its Service-Route that are not used: see
        /// [`Endpoint::service_route`](crate::sip::Endpoint::service_route).
        ignored_routes: usize,
    },
    /// The registrar refused or did not answer; it is tried again by itself unless `retry_at` is `None`.
    RegistrationFailed {
        /// The registration.
        registration: RegistrationId,
        /// The registrar's status; 408 for a timeout, 503 for a transport failure.
        status: StatusCode,
        /// When it is tried again.
        retry_at: Option<Instant>,
        /// How long the registrar wants to be left alone, if it said so.
        retry_after: Option<Duration>,
    },
    /// A peer wants to register with us. Reply with `respond`, once.
    Registering {
        /// The request.
        id: RequestId,
        /// Whose it is, as the [`Policy`](crate::sip::Policy) said when it admitted it.
        peer: PeerId,
        /// The REGISTER as it came.
        request: Box<Request>,
        /// Where its responses go, and requests to whoever sent it.
        flow: Flow,
    },
    /// A peer, whose terms allow it, sends a MESSAGE outside of any call. Reply with `respond`, once.
    Messaged {
        /// The request.
        id: RequestId,
        /// Whose it is, as the [`Policy`](crate::sip::Policy) said when it admitted it.
        peer: PeerId,
        /// The MESSAGE as it came.
        request: Box<Request>,
    },
    /// A MESSAGE of ours was answered, or will not be.
    MessageAnswered {
        /// Which.
        message: MessageId,
        /// The final status; 408 without an answer, 503 where it could not be sent.
        status: StatusCode,
    },
    /// An OPTIONS of ours was answered, or will not be.
    Pinged {
        /// Which.
        ping: PingId,
        /// The peer's status; 408 for a timeout, 503 for a transport failure.
        status: StatusCode,
        /// When the peer wants to be asked again, if it said so.
        retry_after: Option<Duration>,
        /// Whether there was an answer.
        reached: bool,
    },
    /// Our binding is removed and the registration forgotten. Last event.
    Unregistered {
        /// The registration.
        registration: RegistrationId,
    },
    /// A response of which something could not be read. It was heeded as far as it could be: for the log, which limits
    /// the rate.
    OddResponse {
        /// The call whose request it answers.
        invite: Option<InviteId>,
        /// Where it came from.
        flow: Flow,
        /// Its status.
        status: StatusCode,
        /// What is wrong with it.
        defect: Defect,
    },
    /// A request was refused or dropped before it became a call: for the log, which limits the rate.
    Refused {
        /// `INVITE sip:…`.
        summary: String,
        /// Where it came from.
        flow: Flow,
        /// The status it was answered with; `None`: silence.
        status: Option<StatusCode>,
        /// The rule, in words for the log.
        rule: &'static str,
    },
}
