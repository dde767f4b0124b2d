//! A gateway with users, and clients that prove who they are.

use crate::dialplan::{self, SoundSource, Trusting};
use crate::gateway::{
    Event, Gateway, Input, Kept, OpenedTransport, Output, Query, Reply, Request, Sounds, StoredBinding, StoredRoom,
    TransportKind, UserStatus,
};
use crate::media::command::{Clip, Command, Event as MediaEvent, LegStatistics, Pcm};
use crate::session;
use crate::sip::auth::{Covered, Credentials, DigestClient};
use crate::sip::message::{HeaderName as H, Message, Method, Request as SipRequest, Response, Transport, Uri};
use crate::sip::{self, EndpointConfig, Flow};
use crate::types::{Fingerprint, Now, Seed};
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Alice and Bob, a room, and numbers that lead to them.
pub(in crate::gateway) const PLAN: &str = r#"
[gateway]
domain = "sip.example.com"

[trunks.office]
allow = ["198.51.100.0/24"]

[users.alice]
display_name = "Alice Ashton"
password     = { plain = "correct horse battery" }

[users.bob]
password = { plain = "staple gun and glue" }
max_calls = 1

[rooms.lobby]
announce = "none"

[[routes]]
name   = "Lobby"
from   = ["users", "office"]
number = "lobby"
room   = "lobby"
"#;

pub(in crate::gateway) const ALICE: (&str, &str) = ("alice", "correct horse battery");
pub(in crate::gateway) const BOB: (&str, &str) = ("bob", "staple gun and glue");

pub(in crate::gateway) struct Silent;

impl Sounds for Silent {
    fn prompt(&self, _: &str, _: &str) -> Option<Pcm> {
        None
    }
    fn text(&self, _: &str, _: &str) -> Option<Pcm> {
        None
    }
    fn file(&self, _: &SoundSource, _: bool) -> Option<Clip> {
        None
    }
    fn tone(&self, _: &str) -> Option<Clip> {
        None
    }
}

pub(super) struct Desk {
    pub gateway: Gateway,
    pub now: Now,
    pub sent: Vec<(Flow, Message)>,
    pub log: Vec<String>,
    pub events: Vec<Event>,
    pub records: Vec<crate::gateway::CallRecord>,
    pub replies: Vec<Reply>,
    /// What the database is asked, and what it is to keep.
    pub queries: Vec<(u64, Query)>,
    pub kept: Vec<(String, Vec<StoredBinding>)>,
    pub kept_rooms: Vec<(String, Option<StoredRoom>)>,
    /// What scenarios are told.
    pub told: Vec<session::Event>,
    next_port: u16,
}

impl Desk {
    pub fn new() -> Self {
        Self::with(PLAN)
    }

    pub fn with(plan: &str) -> Self {
        let plan = dialplan::parse("dialplan.toml", plan, &Trusting).unwrap_or_else(|found| panic!("{found}")).plan;
        let now =
            Now { instant: crate::test_clock(), wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000) };
        let gateway = Gateway::new(now, plan, Arc::new(Silent), EndpointConfig::default(), Seed::fixed(1));
        let mut desk = Self {
            gateway,
            now,
            sent: Vec::new(),
            log: Vec::new(),
            events: Vec::new(),
            records: Vec::new(),
            replies: Vec::new(),
            queries: Vec::new(),
            kept: Vec::new(),
            kept_rooms: Vec::new(),
            told: Vec::new(),
            next_port: 20_000,
        };
        desk.settle();
        desk
    }

    pub fn input(&mut self, input: Input) {
        self.gateway.handle_input(self.now, input);
        self.settle();
    }

    pub fn pass(&mut self, time: Duration) {
        let end = self.now.after(time);
        while let Some(at) = self.gateway.poll_timeout().filter(|at| *at <= end.instant) {
            self.now = self.now.after(at.saturating_duration_since(self.now.instant));
            self.gateway.handle_timeout(self.now);
            self.settle();
        }
        self.now = end;
    }

    pub fn settle(&mut self) {
        while let Some(output) = self.gateway.poll_output() {
            match output {
                Output::Sip { flow, bytes, .. } => self.sent.push((flow, Message::parse(&bytes).unwrap())),
                Output::OpenTransport { call, kind, .. } => {
                    let address = SocketAddr::from(([192, 0, 2, 1], self.next_port));
                    self.next_port += 2;
                    let (rtcp_port, fingerprint) = (address.port() + 1, Fingerprint([9; 32]));
                    let opened = match kind {
                        TransportKind::Rtp => OpenedTransport::Rtp { address, rtcp_port },
                        TransportKind::WebRtc => OpenedTransport::WebRtc { address, fingerprint, tcp_port: None },
                        TransportKind::Either => {
                            OpenedTransport::Either { address, rtcp_port, fingerprint, tcp_port: None }
                        }
                    };
                    self.gateway.handle_input(self.now, Input::TransportOpened { call, opened });
                }
                Output::Media(Command::RemoveLeg { leg }) => {
                    let removed = MediaEvent::LegRemoved { leg, statistics: Box::<LegStatistics>::default() };
                    self.gateway.handle_input(self.now, Input::Media(removed));
                }
                Output::Query { id, query } => self.queries.push((id, query)),
                Output::KeepBindings { user, bindings } => self.kept.push((user, bindings)),
                Output::KeepRoom { name, room } => self.kept_rooms.push((name, room)),
                Output::SessionEvent { event, .. } => self.told.push(event),
                Output::Log(line) => self.log.push(line.to_string()),
                Output::Event(event) => self.events.push(event),
                Output::Record(record) => self.records.push(*record),
                Output::Reply { reply, .. } => self.replies.push(reply),
                _ => {}
            }
        }
    }

    pub fn send(&mut self, flow: Flow, request: &SipRequest) {
        let input = sip::Input::Message { flow, bytes: request.to_bytes() };
        self.input(Input::Sip(input));
    }

    /// The responses since the last look.
    pub fn responses(&mut self) -> Vec<Response> {
        let (responses, others) =
            std::mem::take(&mut self.sent).into_iter().partition(|(_, sent)| sent.response().is_some());
        self.sent = others;
        let responses: Vec<(Flow, Message)> = responses;
        responses.into_iter().filter_map(|(_, sent)| sent.response().cloned()).collect()
    }

    /// The requests since the last look, and where they went.
    pub fn requests(&mut self) -> Vec<(Flow, SipRequest)> {
        let (requests, others) =
            std::mem::take(&mut self.sent).into_iter().partition(|(_, sent)| sent.request().is_some());
        self.sent = others;
        let requests: Vec<(Flow, Message)> = requests;
        requests.into_iter().filter_map(|(flow, sent)| Some((flow, sent.request()?.clone()))).collect()
    }

    /// The final responses to a request: their statuses.
    pub fn finals(&mut self) -> Vec<u16> {
        self.responses().iter().map(|response| response.status.0).filter(|status| *status >= 200).collect()
    }

    pub fn ask(&mut self, request: Request) -> Reply {
        self.input(Input::Control { id: 7, request });
        self.replies.pop().expect("a reply")
    }

    pub fn users(&mut self) -> Vec<UserStatus> {
        match self.ask(Request::Users) {
            Reply::Users(users) => users,
            other => panic!("{other:?}"),
        }
    }

    /// Answers what the database was asked first.
    pub fn answer(&mut self, answer: Result<Kept, String>) -> Query {
        let (id, query) = self.queries.remove(0);
        self.input(Input::QueryDone { id, answer });
        query
    }

    pub fn assert_logged(&self, words: &str) {
        assert!(self.log.iter().any(|line| line.contains(words)), "no line says {words:?}: {:#?}", self.log);
    }
}

/// Somebody who knows a password.
pub(super) struct Client {
    pub name: &'static str,
    pub credentials: Credentials,
    pub digest: DigestClient,
    pub flow: Flow,
    pub call_id: String,
    pub cseq: u32,
}

impl Client {
    /// At 192.0.2.`host`, by UDP.
    pub fn new((name, password): (&'static str, &str), host: u8) -> Self {
        let flow = Flow {
            transport: Transport::Udp,
            local: "192.0.2.1:5060".parse().unwrap(),
            remote: SocketAddr::from(([192, 0, 2, host], 5060)),
            connection: None,
        };
        let credentials = Credentials::new(name, password);
        Self { name, credentials, digest: DigestClient::new(), flow, call_id: format!("{name}-{host}"), cseq: 0 }
    }

    /// The same over a connection.
    pub fn by_tcp(mut self, connection: u64) -> Self {
        self.flow = Flow { transport: Transport::Tcp, connection: Some(connection), ..self.flow };
        self
    }

    /// The same as a browser, over WebSocket.
    pub fn by_websocket(mut self, connection: u64) -> Self {
        self.flow = Flow { transport: Transport::Wss, connection: Some(connection), ..self.flow };
        self
    }

    /// A request of this client's, without authorization.
    pub fn request(&mut self, method: Method, to: &str) -> SipRequest {
        self.cseq += 1;
        let uri: Uri = match method {
            Method::Register => "sip:sip.example.com".parse().unwrap(),
            _ => format!("sip:{to}@sip.example.com").parse().unwrap(),
        };
        let via = self.flow.transport.as_str();
        let port = self.flow.remote.port();
        SipRequest::new(method.clone(), uri)
            .with(
                H::Via,
                format!("SIP/2.0/{via} {};rport;branch=z9hG4bK{}{}", self.flow.remote, self.call_id, self.cseq),
            )
            .with(H::MaxForwards, "70")
            .with(H::From, format!("<sip:{}@sip.example.com>;tag={}", self.name, self.cseq))
            .with(H::To, format!("<sip:{to}@sip.example.com>"))
            .with(H::CallId, self.call_id.clone())
            .with(H::CSeq, format!("{} {}", self.cseq, method.as_str()))
            .with(H::Contact, format!("<sip:{}@{}:{port}>", self.name, self.flow.remote.ip()))
    }

    /// Sends it, answers the challenge, and gives the final response; `None` where there is none.
    pub fn ask(&mut self, desk: &mut Desk, mut request: SipRequest) -> Option<Response> {
        for _ in 0..2 {
            self.authorize(&mut request);
            desk.send(self.flow, &request);
            let response = desk.responses().into_iter().find(|response| response.status.is_final())?;
            if response.status.0 != 401 {
                self.digest.accepted(None);
                return Some(response);
            }
            let uri = request.uri.to_string();
            let covered = Covered { method: &request.method.clone(), uri: &uri, body: &request.body.clone() };
            if self.digest.answer(&response, covered, &self.credentials, "c-nonce").is_err() {
                return Some(response);
            }
            self.again(&mut request);
        }
        None
    }

    /// Makes it the next request.
    fn again(&mut self, request: &mut SipRequest) {
        self.cseq += 1;
        request.headers.set(H::CSeq, format!("{} {}", self.cseq, request.method.as_str()));
        let via = request.via_top().unwrap().to_string();
        request.headers.set(H::Via, via.replace("branch=z9hG4bK", &format!("branch=z9hG4bKn{}", self.cseq)));
    }

    fn authorize(&mut self, request: &mut SipRequest) {
        let uri = request.uri.to_string();
        request.headers.remove(&H::Authorization);
        let covered = Covered { method: &request.method.clone(), uri: &uri, body: &request.body.clone() };
        for (name, value) in self.digest.again(covered, &self.credentials) {
            request.headers.push(name, value);
        }
    }

    /// Registers for 600 s.
    pub fn register(&mut self, desk: &mut Desk) -> Option<Response> {
        let request = self.request(Method::Register, self.name).with(H::Expires, "600");
        self.ask(desk, request)
    }

    /// Calls somebody.
    pub fn call(&mut self, desk: &mut Desk, number: &str) -> Option<Response> {
        let offer = Bytes::from_static(
            b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
        );
        let request = self.request(Method::Invite, number).with_body("application/sdp", offer);
        self.ask(desk, request)
    }
}
