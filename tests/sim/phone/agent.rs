//! A phone's signalling: a small user agent of its own, made of message types only, so that it shares no rule with the
//! gateway's endpoint. One call at a time.

mod called;
mod habits;
mod referring;
mod refreshing;
mod seen;

pub(crate) use called::{Step, says};
pub(crate) use refreshing::{Odd, Refreshing};
pub(crate) use seen::Seen;

use super::super::network::Datagram;
use super::description::{Local, Remote};
use bytes::Bytes;
use called::Called;
use habits::Habits;
use partyline::sip::message::{HeaderName as H, Message, Method, NameAddr, Request, Response, StatusCode, Uri};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// RFC 3261 section 17.1.1.1.
const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);

/// Where the phone's call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Idle,
    /// INVITE is out; `rings` when 18x came.
    Calling {
        rings: bool,
    },
    /// An INVITE came; `described` when we may speak already.
    Called {
        described: bool,
    },
    Talking,
    /// Over.
    Ended(End),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// We sent BYE.
    Local,
    /// BYE came.
    Remote,
    /// The INVITE was refused, or cancelled with 487.
    Refused(u16),
    /// Nobody answered the INVITE.
    Unanswered,
    /// We were called, and CANCEL came.
    Cancelled,
}

/// A request of ours that waits for its final response.
#[derive(Debug)]
struct Client {
    branch: String,
    request: Request,
    again: Option<Instant>,
    interval: Duration,
    gives_up: Instant,
    /// The final status and the ACK for it, repeated as often as the response is.
    done: Option<(u16, Option<Bytes>)>,
    cancel: bool,
}

#[derive(Debug)]
struct Dialog {
    call_id: String,
    tag: String,
    remote_tag: Option<String>,
    target: Uri,
    to: String,
    cseq: u32,
    remote_cseq: Option<u32>,
}

/// A 2xx of ours that waits for its ACK.
#[derive(Debug)]
struct Unacknowledged {
    cseq: u32,
    bytes: Bytes,
    again: Instant,
    interval: Duration,
}

pub(crate) struct Agent {
    pub(crate) address: SocketAddr,
    gateway: SocketAddr,
    pub(crate) number: String,
    pub(crate) habits: Habits,
    pub(crate) stage: Stage,
    pub(crate) local: Local,
    pub(crate) remote: Option<Remote>,
    /// Of each INVITE that began a call: its Call-ID and all different final responses to it.
    pub(crate) invites: Vec<(String, Vec<u16>)>,
    pub(crate) seen: Vec<Seen>,
    /// What it says when it is called; nothing: silence.
    pub(crate) manner: Vec<Step>,
    /// INVITEs that began a call to us, and the numbers in them.
    pub(crate) taken: usize,
    pub(crate) numbers: Vec<String>,
    called: Option<Called>,
    /// It takes calls.
    pub(crate) answers: bool,
    dialog: Option<Dialog>,
    clients: Vec<Client>,
    served: Vec<(String, Method, Bytes)>,
    unacknowledged: Option<Unacknowledged>,
    /// The re-INVITE is to be sent again, after 491.
    retry: Option<Instant>,
    pub(crate) refreshing: Refreshing,
    /// More headers for the INVITE.
    pub(crate) carries: Vec<(H, String)>,
    /// What it answers to REFER.
    pub(crate) takes_refer: u16,
    serial: u32,
    out: Vec<Datagram>,
}

impl Agent {
    pub(crate) fn new(address: SocketAddr, gateway: SocketAddr, number: String, local: Local) -> Self {
        Self {
            address,
            gateway,
            number,
            habits: Habits::default(),
            stage: Stage::Idle,
            local,
            remote: None,
            invites: Vec::new(),
            seen: Vec::new(),
            manner: Vec::new(),
            taken: 0,
            numbers: Vec::new(),
            called: None,
            answers: false,
            dialog: None,
            clients: Vec::new(),
            served: Vec::new(),
            unacknowledged: None,
            retry: None,
            refreshing: Refreshing::default(),
            carries: Vec::new(),
            takes_refer: 202,
            serial: 0,
            out: Vec::new(),
        }
    }

    pub(crate) fn dial(&mut self, now: Instant, number: &str) {
        assert!(matches!(self.stage, Stage::Idle | Stage::Ended(_)), "one call at a time");
        let serial = self.next_serial();
        let call_id = format!("{serial}-{}@{}", self.number, self.address.ip());
        let target = Uri::sip(Some(number), self.gateway.ip(), None);
        let to = format!("<sip:{number}@{}>", self.gateway.ip());
        self.invites.push((call_id.clone(), Vec::new()));
        let tag = format!("tag-{serial}");
        self.dialog = Some(Dialog { call_id, tag, remote_tag: None, target, to, cseq: 0, remote_cseq: None });
        self.stage = Stage::Calling { rings: false };
        self.served.clear();
        self.unacknowledged = None;
        self.retry = None;
        self.remote = None;
        let mut invite = self.request(Method::Invite);
        for (name, value) in &self.carries {
            invite.headers.push(name.clone(), value.clone());
        }
        if !self.habits.late_offer {
            invite = invite.with_body("application/sdp", self.local.text());
        }
        self.send(now, invite);
    }

    /// Gives up: CANCEL, as soon as it is allowed.
    pub(crate) fn cancel(&mut self, now: Instant) {
        if let Some(invite) = self.clients.iter_mut().find(|client| client.is_open(&Method::Invite)) {
            invite.cancel = true;
            // Before any provisional response CANCEL has to wait for one (section 9.1).
            if invite.again.is_none() {
                self.send_cancel(now);
            }
        }
    }

    pub(crate) fn bye(&mut self, now: Instant) {
        if self.stage == Stage::Talking {
            self.stage = Stage::Ended(End::Local);
            let mut bye = self.request(Method::Bye);
            self.habits.reason.into_iter().for_each(|reason| bye.headers.push(H::Reason, reason));
            self.send(now, bye);
        }
    }

    /// Offers the local description anew.
    pub(crate) fn reinvite(&mut self, now: Instant) {
        if self.stage == Stage::Talking {
            self.local.version += 1;
            let body = self.local.text();
            let invite = self.request(Method::Invite).with_body("application/sdp", body);
            self.send(now, invite);
        }
    }

    /// A request inside the dialog, with a body if there is one.
    pub(crate) fn ask(&mut self, now: Instant, method: Method, body: Option<(&'static str, &'static str)>) {
        if self.stage == Stage::Talking {
            let mut request = self.request(method);
            if let Some((content_type, body)) = body {
                request = request.with_body(content_type, body);
            }
            self.send(now, request);
        }
    }

    /// OPTIONS to the gateway itself, outside of any dialog.
    pub(crate) fn ping(&mut self, now: Instant) {
        let serial = self.next_serial();
        let request = Request::new(Method::Options, Uri::sip(None, self.gateway.ip(), None))
            .with(H::From, format!("<sip:{}@{}>;tag=ping-{serial}", self.number, self.address.ip()))
            .with(H::To, format!("<sip:{}>", self.gateway.ip()))
            .with(H::CallId, format!("ping-{serial}@{}", self.address.ip()))
            .with(H::CSeq, "1 OPTIONS");
        self.send(now, request);
    }

    /// REGISTER for 600 s, with what a challenge asked for.
    pub(crate) fn register(&mut self, now: Instant, authorization: Option<String>) {
        let serial = self.next_serial();
        let (name, here) = (&self.number, self.address.ip());
        let mut request = Request::new(Method::Register, Uri::sip(None, self.gateway.ip(), None))
            .with(H::From, format!("<sip:{name}@{}>;tag=register-{serial}", self.gateway.ip()))
            .with(H::To, format!("<sip:{name}@{}>", self.gateway.ip()))
            .with(H::CallId, format!("register@{here}"))
            .with(H::CSeq, format!("{serial} REGISTER"))
            .with(H::Contact, self.contact())
            .with(H::Expires, "600");
        if let Some(authorization) = authorization {
            request.headers.push(H::Authorization, authorization);
        }
        self.send(now, request);
    }

    pub(crate) fn take_out(&mut self) -> Vec<Datagram> {
        std::mem::take(&mut self.out)
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let clients = self.clients.iter().filter(|client| client.done.is_none());
        let clients = clients.flat_map(|client| client.again.into_iter().chain([client.gives_up]));
        clients
            .chain(self.unacknowledged.as_ref().map(|ours| ours.again))
            .chain(self.retry)
            .chain(self.next_step())
            .chain(self.next_refresh())
            .min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.take_steps(now);
        self.refresh_if_due(now);
        let mut again = Vec::new();
        let mut unanswered = false;
        for client in self.clients.iter_mut().filter(|client| client.done.is_none()) {
            if client.gives_up <= now {
                client.done = Some((408, None));
                unanswered |= client.request.method == Method::Invite && client.is_first();
            } else if client.again.is_some_and(|at| at <= now) {
                again.push(client.request.to_bytes());
                client.interval *= 2;
                if client.request.method != Method::Invite {
                    client.interval = client.interval.min(T2);
                }
                client.again = Some(now + client.interval);
            }
        }
        if unanswered {
            self.stage = Stage::Ended(End::Unanswered);
        }
        if let Some(ours) = self.unacknowledged.as_mut().filter(|ours| ours.again <= now) {
            again.push(ours.bytes.clone());
            ours.interval = (ours.interval * 2).min(T2);
            ours.again = now + ours.interval;
        }
        for bytes in again {
            self.transmit(bytes);
        }
        if self.retry.is_some_and(|at| at <= now) {
            self.retry = None;
            self.reinvite(now);
        }
    }

    pub(crate) fn handle(&mut self, now: Instant, bytes: &Bytes) {
        let message = Message::parse(bytes).expect("what the gateway sends can be read");
        let cseq = message.headers().cseq().expect("CSeq");
        let status = message.response().map(|response| response.status.0);
        self.seen.push(Seen { at: now, method: cseq.method.clone(), status, message: message.clone() });
        match message {
            Message::Request(request) => self.on_request(now, &request),
            Message::Response(response) => self.on_response(now, &response, &cseq.method),
        }
    }

    fn on_response(&mut self, now: Instant, response: &Response, method: &Method) {
        let branch = response.via_top().expect("Via").branch.expect("a branch");
        let Some(place) =
            self.clients.iter().position(|client| client.branch == *branch && (client.request.method == *method))
        else {
            panic!("a response to nothing: {} {method}", response.status.0);
        };
        let status = response.status.0;
        let client = &mut self.clients[place];
        client.again = None;
        if let Some((before, ack)) = &client.done {
            assert!(*before == status || status < 200 || *before == 408, "a final {before}, then {status} to {method}");
            if let Some(ack) = ack.clone().filter(|_| status >= 200) {
                self.acknowledge(ack);
            }
            return;
        }
        if status >= 200 {
            client.done = Some((status, None));
        }
        if *method == Method::Invite {
            self.on_invite_response(now, place, response);
        }
    }

    fn on_invite_response(&mut self, now: Instant, place: usize, response: &Response) {
        let status = response.status.0;
        let first = self.clients[place].is_first();
        if status < 200 {
            if first && status > 100 && matches!(self.stage, Stage::Calling { .. }) {
                self.stage = Stage::Calling { rings: true };
                self.remember_peer(response);
            }
            if self.clients[place].cancel {
                self.send_cancel(now);
            }
            return;
        }
        assert!(response.to().expect("To").tag().is_some(), "a final response has a To tag");
        if first {
            self.invites.last_mut().unwrap().1.push(status);
        }
        let current = self.dialog.as_ref().map(|dialog| &*dialog.call_id) == response.call_id().as_deref();
        let ack = match status {
            // An offer in a call that we have left since.
            _ if !current => self.ack_like(place, response, status < 300).to_bytes(),
            200..=299 => self.on_accepted(now, place, response),
            _ => self.on_refused(now, place, response),
        };
        self.clients[place].done = Some((status, Some(ack.clone())));
        self.acknowledge(ack);
        if first && status < 300 && self.clients[place].cancel {
            // The CANCEL crossed the answer: a call we do not want any more.
            self.bye(now);
        }
    }

    /// A 2xx. Gives the ACK.
    fn on_accepted(&mut self, now: Instant, place: usize, response: &Response) -> Bytes {
        self.remember_peer(response);
        let late = self.clients[place].request.body.is_empty();
        self.remote = Some(Remote::read(&response.body));
        if self.clients[place].is_first() {
            self.stage = Stage::Talking;
            self.begin_refreshing(now);
        }
        let cseq = self.clients[place].request.cseq().unwrap().number;
        let mut ack = self.in_dialog(Method::Ack, cseq);
        let branch = self.next_branch();
        ack.headers.push_front(H::Via, self.via(&branch));
        if late {
            ack = ack.with_body("application/sdp", self.local.text());
        }
        ack.to_bytes()
    }

    /// A final refusal. Gives the ACK, which belongs to the INVITE's transaction.
    fn on_refused(&mut self, now: Instant, place: usize, response: &Response) -> Bytes {
        let ack = self.ack_like(place, response, false);
        let client = &self.clients[place];
        if client.is_first() {
            self.stage = Stage::Ended(End::Refused(response.status.0));
        } else if response.status.0 == 491 {
            // We made the Call-ID: 2.1 to 4 s (section 14.1).
            self.retry = Some(now + Duration::from_millis(2_500));
        }
        ack.to_bytes()
    }

    /// The ACK with the headers of an INVITE of ours, in the INVITE's transaction or one of its own.
    fn ack_like(&mut self, place: usize, response: &Response, own: bool) -> Request {
        let branch = if own { self.next_branch() } else { self.clients[place].branch.clone() };
        let invite = &self.clients[place].request;
        let mut ack = Request::new(Method::Ack, invite.uri.clone());
        ack.headers.push(H::Via, self.via(&branch));
        ack.headers.copy_all(&H::From, &invite.headers);
        ack.headers.copy_all(&H::To, &response.headers);
        ack.headers.copy_all(&H::CallId, &invite.headers);
        ack.headers.push(H::CSeq, format!("{} ACK", invite.cseq().unwrap().number));
        ack.headers.push(H::MaxForwards, "70");
        ack
    }

    fn acknowledge(&mut self, ack: Bytes) {
        if self.habits.loses_acks > 0 {
            self.habits.loses_acks -= 1;
        } else {
            self.transmit(ack);
        }
    }

    fn remember_peer(&mut self, response: &Response) {
        let Some(dialog) = &mut self.dialog else { return };
        let tag = response.to().expect("To").tag().map(str::to_owned);
        assert!(dialog.remote_tag.is_none() || dialog.remote_tag == tag, "the To tag changed");
        dialog.remote_tag = tag;
        if let Ok(contact) = response.contact() {
            dialog.target = contact.uri;
        } else {
            assert!(!response.status.is_success(), "a 2xx has a Contact");
        }
    }

    fn on_request(&mut self, now: Instant, request: &Request) {
        let cseq = request.cseq().unwrap();
        if request.method == Method::Ack {
            let ours = !self.is_for_other_fork(request);
            if ours && self.unacknowledged.as_ref().is_some_and(|ours| ours.cseq == cseq.number) {
                self.unacknowledged = None;
                if !request.body.is_empty() {
                    self.remote = Some(Remote::read(&request.body));
                }
            }
            return;
        }
        let branch = request.via_top().unwrap().branch.expect("a branch").to_string();
        let known = self.served.iter().find(|(other, method, _)| *other == branch && *method == request.method);
        if let Some((.., bytes)) = known {
            let bytes = bytes.clone();
            return self.transmit(bytes);
        }
        if self.is_called_by(now, request) {
            return;
        }
        let mut response = self.answer(now, request, cseq.number);
        if request.headers.contains(&H::SessionExpires) && response.status.is_success() {
            match self.odd(request, response) {
                Some(odd) => response = odd,
                None => return,
            }
        }
        let bytes = response.to_bytes();
        if request.method == Method::Invite && response.status.is_success() {
            self.unacknowledged =
                Some(Unacknowledged { cseq: cseq.number, bytes: bytes.clone(), again: now + T1, interval: T1 });
        }
        self.served.push((branch, request.method.clone(), bytes.clone()));
        self.transmit(bytes);
    }

    fn answer(&mut self, _now: Instant, request: &Request, cseq: u32) -> Response {
        let reply = |status| Response::to_request(request, StatusCode(status));
        let call_id = request.call_id().map(|id| id.to_string());
        let Some(dialog) = self.dialog.as_mut().filter(|dialog| Some(&dialog.call_id) == call_id.as_ref()) else {
            return reply(481);
        };
        let tag = request.to().unwrap().tag().map(str::to_owned);
        assert_eq!(tag.as_deref(), Some(dialog.tag.as_str()), "our tag in To");
        assert_eq!(request.from().unwrap().tag(), dialog.remote_tag.as_deref(), "the gateway's tag in From");
        if dialog.remote_cseq.is_some_and(|before| before >= cseq) {
            // It was overtaken on the way (RFC 3261 section 12.2.2).
            return reply(500);
        }
        dialog.remote_cseq = Some(cseq);
        match request.method {
            Method::Bye => {
                if self.stage == Stage::Talking {
                    self.stage = Stage::Ended(End::Remote);
                }
                reply(200)
            }
            Method::Invite | Method::Update => {
                if self.clients.iter().any(|client| client.is_open(&Method::Invite)) {
                    return reply(491);
                }
                if let Some(status) = self.habits.refuses_offers {
                    return reply(status);
                }
                let mut response = reply(200).with(H::Contact, self.contact());
                if let Some(expires) = request.headers.get(&H::SessionExpires) {
                    response = response.with(H::Require, "timer").with(H::SessionExpires, expires.clone());
                }
                if !request.body.is_empty() {
                    self.remote = Some(Remote::read(&request.body));
                }
                if request.method == Method::Invite || !request.body.is_empty() {
                    response = response.with_body("application/sdp", self.local.text());
                }
                response
            }
            Method::Refer => reply(self.takes_refer).with(H::Contact, self.contact()),
            _ => reply(200),
        }
    }

    fn send_cancel(&mut self, now: Instant) {
        let Some(client) = self.clients.iter_mut().find(|client| client.is_open(&Method::Invite)) else { return };
        client.cancel = false;
        let (invite, branch) = (&client.request, client.branch.clone());
        let mut cancel = Request::new(Method::Cancel, invite.uri.clone());
        for name in [H::Via, H::From, H::To, H::CallId] {
            cancel.headers.copy_all(&name, &invite.headers);
        }
        cancel.headers.push(H::CSeq, format!("{} CANCEL", invite.cseq().unwrap().number));
        cancel.headers.push(H::MaxForwards, "70");
        self.habits.reason.into_iter().for_each(|reason| cancel.headers.push(H::Reason, reason));
        client.cancel = true;
        self.start(now, branch, cancel);
    }

    /// A new request inside the dialog, or the one that begins it.
    fn request(&mut self, method: Method) -> Request {
        let dialog = self.dialog.as_mut().expect("a dialog");
        dialog.cseq += 1;
        let cseq = dialog.cseq;
        self.in_dialog(method, cseq)
    }

    fn in_dialog(&self, method: Method, cseq: u32) -> Request {
        let dialog = self.dialog.as_ref().expect("a dialog");
        let remote_tag = dialog.remote_tag.as_ref().map_or(String::new(), |tag| format!(";tag={tag}"));
        let mut request = Request::new(method.clone(), dialog.target.clone());
        let headers = &mut request.headers;
        headers.push(H::MaxForwards, "70");
        headers.push(H::From, format!("<sip:{}@{}>;tag={}", self.number, self.address.ip(), dialog.tag));
        headers.push(H::To, format!("{}{remote_tag}", dialog.to));
        headers.push(H::CallId, dialog.call_id.clone());
        headers.push(H::CSeq, format!("{cseq} {method}"));
        if method == Method::Invite {
            headers.push(H::Contact, self.contact());
            headers.push(H::Allow, self.allow());
            if let Some(seconds) = self.habits.session {
                headers.push(H::SessionExpires, format!("{seconds};refresher={}", self.habits.refresher));
                headers.push(H::Supported, "timer");
            }
        }
        request
    }

    fn contact(&self) -> String {
        NameAddr::new(Uri::sip(Some(&self.number), self.address.ip(), Some(self.address.port()))).to_string()
    }

    fn via(&self, branch: &str) -> String {
        format!("SIP/2.0/UDP {};rport;branch={branch}", self.address)
    }

    fn send(&mut self, now: Instant, mut request: Request) {
        let branch = self.next_branch();
        request.headers.push_front(H::Via, self.via(&branch));
        self.start(now, branch, request);
    }

    fn start(&mut self, now: Instant, branch: String, request: Request) {
        let bytes = request.to_bytes();
        let gives_up = now + T1 * 64;
        let again = Some(now + T1);
        self.clients.push(Client { branch, request, again, interval: T1, gives_up, done: None, cancel: false });
        self.transmit(bytes);
    }

    fn transmit(&mut self, bytes: Bytes) {
        self.out.push(Datagram { from: self.address, to: self.gateway, bytes });
    }

    fn next_serial(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }

    fn next_branch(&mut self) -> String {
        let serial = self.next_serial();
        format!("z9hG4bK-{}-{serial}", self.number)
    }
}

impl Client {
    fn is_open(&self, method: &Method) -> bool {
        self.request.method == *method && self.done.is_none()
    }

    /// The INVITE that begins a call.
    fn is_first(&self) -> bool {
        self.request.to().is_ok_and(|to| to.tag().is_none())
    }
}
