//! One dialog of a call with all that goes on inside it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;

use super::refer::{OurRefer, TheirRefer};
use super::session_timer::SessionTimer;
use crate::sip::core::{Core, InviteId, InviteTimer, Owner, Proof, Terms, authorize, seconds};
use crate::sip::dialog::Dialog;
use crate::sip::flow::{Flow, canonical, literal_address};
use crate::sip::message::{
    Body, HeaderName as H, Headers, Method, RAck, Reason, Request, SessionExpires, StatusCode, Text, Transport,
};
use crate::sip::transaction::{ClientId, Reply, ServerId};
use crate::types::Now;

/// Where offer and answer stand (RFC 3264, RFC 6337).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exchange {
    /// The INVITE had no offer; the callee is to make it.
    Wanted,
    /// Our offer waits for the peer's answer.
    LocalOffer,
    /// The peer's offer waits for our user's answer.
    RemoteOffer,
    /// Nothing is open.
    Settled,
}

/// A re-INVITE or UPDATE of ours.
#[derive(Debug)]
pub(crate) struct OurRequest {
    pub method: Method,
    /// In flight. `None`: it waits, for the ACK of our 2xx or after a 491.
    pub tx: Option<ClientId>,
    pub body: Option<Body>,
    /// It only refreshes the session timer.
    pub refresh: bool,
    /// The peer's own offer was settled while it waited.
    pub overtaken: bool,
    pub attempts: u8,
    /// Raised by a 422.
    pub min_se: Option<u32>,
    /// The session interval it asks for.
    pub asked: Option<SessionExpires>,
}

/// A request of the peer's that waits for our user.
#[derive(Debug)]
pub(crate) struct TheirRequest {
    pub tx: ServerId,
    pub method: Method,
    pub cseq: u32,
    pub wants_offer: bool,
    pub agreed: Option<super::session_timer::Agreed>,
    /// Contact and Allow of the request, to be heeded when it succeeds.
    pub refresh: Headers,
    pub flow: Flow,
}

/// A 2xx of ours to an INVITE that waits for its ACK.
#[derive(Debug)]
pub(crate) struct AwaitedAck {
    pub tx: ServerId,
    pub cseq: u32,
    pub interval: Duration,
    pub has_offer: bool,
    pub initial: bool,
}

/// A 2xx to our INVITE whose ACK waits for our user's answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OwedAck {
    pub tx: ClientId,
    pub cseq: u32,
}

/// What all dialogs of a call share.
#[derive(Debug)]
pub(crate) struct Common {
    pub contact_user: Option<String>,
    pub proof: Proof,
}

impl Common {
    /// What stands in its place while it is lent.
    pub fn empty() -> Self {
        Self { contact_user: None, proof: Proof::new(None) }
    }
}

/// One dialog of a call.
#[derive(Debug)]
pub(crate) struct Session {
    pub dialog: Dialog,
    /// How the peer's messages come.
    base: Flow,
    /// What our neighbour calls itself in Via.
    neighbour: Option<SocketAddr>,
    /// How our requests go.
    pub flow: Flow,
    pub exchange: Exchange,
    pub terms: Terms,
    pub local_body: Option<Body>,
    pub remote_body: Option<Bytes>,
    /// Whether the peer's first answer has been replaced since, by UPDATE or PRACK.
    pub changed: bool,
    pub peer_allows_update: bool,
    pub ours: Option<OurRequest>,
    pub theirs: Option<TheirRequest>,
    pub awaited_ack: Option<AwaitedAck>,
    pub owed_ack: Option<OwedAck>,
    /// A reliable provisional response with an offer, whose PRACK waits for our user's answer.
    pub owed_prack: Option<RAck>,
    /// The latest RSeq of the peer's.
    pub remote_rseq: Option<u32>,
    pub timer: Option<SessionTimer>,
    /// The peer's REFER, and ours.
    pub referred: Option<Box<TheirRefer>>,
    pub referring: Option<Box<OurRefer>>,
    /// The BYE that ends it, and why.
    pub bye: Option<ClientId>,
    pub bye_reason: Option<Reason>,
}

impl Session {
    pub fn new(dialog: Dialog, base: Flow, neighbour: Option<SocketAddr>, exchange: Exchange, terms: Terms) -> Self {
        let flow = next_flow(base, neighbour, &dialog);
        Self {
            dialog,
            base,
            neighbour,
            flow,
            exchange,
            terms,
            local_body: None,
            remote_body: None,
            changed: false,
            peer_allows_update: false,
            ours: None,
            theirs: None,
            awaited_ack: None,
            owed_ack: None,
            owed_prack: None,
            remote_rseq: None,
            timer: None,
            referred: None,
            referring: None,
            bye: None,
            bye_reason: None,
        }
    }

    /// Whether it goes by a transport that nobody can read. It began so: nothing moves it from one kind to the other.
    pub fn is_private(&self) -> bool {
        self.base.transport.is_secure()
    }

    /// Notes what the peer says of itself.
    pub fn update_allow(&mut self, headers: &Headers) {
        if headers.contains(&H::Allow) {
            self.peer_allows_update = headers.texts(&H::Allow).any(|method| method == "UPDATE");
        }
    }

    /// Heeds a target refresh that succeeded; `flow` where it came by, if it was a request.
    pub fn refresh_target(&mut self, headers: &Headers, flow: Option<Flow>) {
        self.dialog.refresh_target(headers);
        self.update_allow(headers);
        if let Some(flow) = flow {
            self.base = flow;
        }
        self.flow = next_flow(self.base, self.neighbour, &self.dialog);
    }

    /// Replaces the early dialog by what the 2xx says of it (RFC 3261 section 13.2.2.4).
    pub fn confirm(&mut self, confirmed: Dialog) {
        let (local, remote) = (self.dialog.local_cseq.max(confirmed.local_cseq), self.dialog.remote_cseq);
        self.dialog = Dialog { local_cseq: local, remote_cseq: remote, ..confirmed };
        self.flow = next_flow(self.base, self.neighbour, &self.dialog);
    }

    /// The connection is gone: what comes next opens a new one.
    pub fn reopen(&mut self, closed: &Flow) {
        for flow in [&mut self.base, &mut self.flow] {
            if flow.connection == closed.connection {
                *flow = flow.reopened();
            }
        }
    }

    /// Sends a request inside the dialog.
    pub fn send(
        &mut self,
        core: &mut Core,
        now: Now,
        id: InviteId,
        common: &mut Common,
        mut request: Request,
    ) -> ClientId {
        authorize(&mut common.proof, &mut request, &self.flow);
        core.transactions.start(now, request, self.flow, Owner::Invite(id).into())
    }

    /// Sends the request of `self.ours`.
    pub fn send_ours(&mut self, core: &mut Core, now: Now, id: InviteId, common: &mut Common) {
        let Some(ours) = &self.ours else { return };
        let (method, body, min_se) = (ours.method.clone(), ours.body.clone(), ours.min_se);
        let is_offer = body.is_some();
        let mut request = self.dialog.request(method);
        self.describe(core, common, &mut request.headers);
        let timer = self.timer.map(SessionTimer::for_request).or_else(|| {
            let seconds = self.terms.session_expires.map(seconds)?;
            Some(SessionExpires { seconds, refresher: None })
        });
        let mut asked = None;
        if let Some(mut timer) = timer {
            if let Some(min_se) = min_se {
                timer.seconds = timer.seconds.max(min_se);
                request.headers.push(H::MinSe, min_se.to_string());
            }
            request.headers.push_display(H::SessionExpires, &timer);
            asked = Some(timer);
        }
        request.set_body(body.as_ref());
        let tx = self.send(core, now, id, common, request);
        if let Some(ours) = &mut self.ours {
            ours.asked = asked;
            ours.tx = Some(tx);
            ours.attempts = ours.attempts.saturating_add(1);
        }
        if is_offer {
            self.exchange = Exchange::LocalOffer;
        }
    }

    /// Contact, Allow and Supported.
    pub fn describe(&self, core: &Core, common: &Common, headers: &mut Headers) {
        headers.push(H::Contact, core.contact(&self.flow, common.contact_user.as_deref(), self.dialog.secure));
        headers.push(H::Allow, self.terms.allow());
        headers.push(H::Supported, self.terms.supported());
    }

    /// A response inside the dialog that tells where we are.
    pub fn reply(&self, core: &Core, common: &Common, status: StatusCode) -> Reply {
        let mut reply = Reply::new(status);
        self.describe(core, common, &mut reply.headers);
        reply
    }

    /// Acknowledges the 2xx to our INVITE (RFC 3261 section 13.2.2.4).
    pub fn acknowledge(&mut self, core: &mut Core, common: &mut Common, owed: OwedAck, body: Option<&Body>) {
        let mut ack = self.dialog.ack(owed.cseq);
        if common.proof.credentials.as_ref().is_some_and(|credentials| credentials.are_for(self.flow.peer()))
            && let Some(invite) = core.transactions.client(owed.tx).and_then(|tx| tx.parsed_request())
        {
            ack.headers.copy_all(&H::Authorization, &invite.headers);
            ack.headers.copy_all(&H::ProxyAuthorization, &invite.headers);
        }
        ack.set_body(body);
        core.transactions.acknowledge(owed.tx, self.dialog.remote_tag.clone(), ack, self.flow);
    }

    /// Sends BYE.
    pub fn send_bye(&mut self, core: &mut Core, now: Now, id: InviteId, common: &mut Common) {
        let mut request = self.dialog.request(Method::Bye);
        if let Some(reason) = &self.bye_reason {
            request.headers.push_display(H::Reason, reason);
        }
        self.bye = Some(self.send(core, now, id, common, request));
    }

    /// Sends the PRACK of a reliable provisional response.
    pub fn send_prack(
        &mut self,
        core: &mut Core,
        now: Now,
        id: InviteId,
        common: &mut Common,
        rack: &RAck,
        body: Option<&Body>,
    ) {
        let mut request = self.dialog.request(Method::Prack);
        request.headers.push_display(H::RAck, rack);
        request.set_body(body);
        self.send(core, now, id, common, request);
    }

    /// Refuses whatever of the peer's waits for our user: the dialog ends.
    pub fn refuse_waiting(&mut self, core: &mut Core, now: Now) {
        if let Some(theirs) = self.theirs.take() {
            core.transactions.respond(now, theirs.tx, Reply::new(StatusCode::REQUEST_TERMINATED));
        }
    }

    /// Starts the session timer anew, or ends it.
    pub fn restart_timer(&mut self, core: &mut Core, now: Now, id: InviteId, timer: Option<SessionTimer>) {
        self.timer = timer;
        core.clear_call_timer(id, InviteTimer::Refresh);
        core.clear_call_timer(id, InviteTimer::Expiry);
        if let Some(timer) = timer {
            core.set_call_timer(now, id, InviteTimer::Expiry, timer.expiry_after());
            if timer.ours {
                core.set_call_timer(now, id, InviteTimer::Refresh, timer.refresh_after());
            }
        }
    }

    /// Whether an offer of ours would cross another one.
    pub fn is_busy(&self) -> bool {
        self.ours.is_some()
            || self.theirs.is_some()
            || self.owed_ack.is_some()
            || self.owed_prack.is_some()
            || matches!(self.exchange, Exchange::LocalOffer | Exchange::RemoteOffer)
    }
}

/// Where requests inside the dialog go. The route set and the remote target say so, where they name an address; but a
/// neighbour that calls itself by that address is reached the way its messages came, and so is one whose address
/// cannot be reached from outside its network.
fn next_flow(base: Flow, neighbour: Option<SocketAddr>, dialog: &Dialog) -> Flow {
    let hop = dialog.next_hop();
    let transport = hop.transport().unwrap_or(base.transport);
    let same_kind =
        matches!((transport, base.transport), (Transport::Udp | Transport::Tcp, Transport::Udp | Transport::Tcp));
    let Some(address) = literal_address(&hop.host, hop.port, transport).filter(|_| hop.is_sip()) else { return base };
    let remote = canonical(base.remote);
    let stays = neighbour == Some(address)
        || address == remote
        || (base.transport.is_reliable() && address.ip() == remote.ip())
        || address.is_ipv4() != remote.is_ipv4()
        || address.port() == 0
        || (is_private(address.ip()) && !is_private(remote.ip()))
        || address.ip().is_unspecified()
        || address.ip().is_multicast()
        || !same_kind;
    if stays {
        return base;
    }
    // A socket for both families wants IPv4 addresses as it gives them.
    let address = match (base.remote, address.ip()) {
        (SocketAddr::V6(_), IpAddr::V4(v4)) => SocketAddr::new(v4.to_ipv6_mapped().into(), address.port()),
        _ => address,
    };
    Flow { transport, ..base.towards(address) }
}

fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_private() || address.is_link_local() || address.is_loopback(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local() || address.is_loopback(),
    }
}

/// A random Retry-After of up to ten seconds, for those who came while we were busy (RFC 3261 section 14.2).
pub(crate) fn busy_reply(core: &mut Core) -> Reply {
    let seconds = core.jitter(Duration::from_secs(10)).as_secs();
    Reply::new(StatusCode::SERVER_INTERNAL_ERROR).with(H::RetryAfter, Text::from(seconds.to_string()))
}
