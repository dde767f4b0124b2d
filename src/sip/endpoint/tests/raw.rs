use std::time::Duration;

use bytes::Bytes;

use super::super::*;
use super::{secs, start};
use crate::sip::message::{HeaderName as H, Message, Method, Request, Response, StatusCode, Transport};

/// Lets everybody in.
pub struct Open;

impl Policy for Open {
    fn admit(&mut self, _: &Request, _: &Flow) -> Admission {
        Admission::Accept(Admitted::default())
    }
}

/// One endpoint; the test is the network and the peer.
pub struct Raw {
    pub now: Now,
    pub endpoint: Endpoint,
    pub flow: Flow,
    pub events: Vec<Event>,
}

impl Raw {
    pub fn new() -> Self {
        Self::with(EndpointConfig::default(), Transport::Udp)
    }

    pub fn with(config: EndpointConfig, transport: Transport) -> Self {
        let flow = Flow {
            transport,
            local: "192.0.2.1:5060".parse().unwrap(),
            remote: "192.0.2.9:5060".parse().unwrap(),
            connection: transport.is_reliable().then_some(7),
        };
        Self { now: start(), endpoint: Endpoint::new(config, crate::types::Seed::fixed(3)), flow, events: Vec::new() }
    }

    /// What was sent since the last look; events are put aside.
    pub fn sent(&mut self) -> Vec<Message> {
        self.sent_by_flow().into_iter().map(|(_, message)| message).collect()
    }

    pub fn sent_by_flow(&mut self) -> Vec<(Flow, Message)> {
        let mut messages = Vec::new();
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Transmit { flow, bytes, .. } => messages.push((flow, Message::parse(&bytes).unwrap())),
                Output::Event(event) => self.events.push(event),
                Output::Trace(_) => {}
            }
        }
        messages
    }

    pub fn requests(&mut self) -> Vec<Request> {
        self.sent().into_iter().filter_map(|message| message.request().cloned()).collect()
    }

    pub fn responses(&mut self) -> Vec<Response> {
        self.sent().into_iter().filter_map(|message| message.response().cloned()).collect()
    }

    /// The only request sent since the last look.
    pub fn request(&mut self) -> Request {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:#?}");
        requests.into_iter().next().unwrap()
    }

    pub fn statuses(&mut self) -> Vec<u16> {
        self.responses().iter().map(|response| response.status.0).collect()
    }

    pub fn receive(&mut self, message: &Message) {
        self.receive_bytes(message.to_bytes());
    }

    pub fn receive_bytes(&mut self, bytes: impl Into<Bytes>) {
        let (now, flow) = (self.now, self.flow);
        self.endpoint.handle_input(now, Input::Message { flow, bytes: bytes.into() }, &mut Open);
    }

    /// A request arrives; the responses to it.
    pub fn ask(&mut self, request: &Request) -> Vec<u16> {
        self.receive(&Message::Request(request.clone()));
        self.statuses()
    }

    /// Answers a request of the endpoint's.
    pub fn answer(&mut self, request: &Request, status: u16, tag: &str, edit: impl FnOnce(&mut Response)) {
        let mut response = Response::to_request(request, StatusCode(status));
        if !tag.is_empty() {
            response.set_to_tag(tag);
        }
        edit(&mut response);
        self.receive(&Message::Response(response));
    }

    pub fn wait(&mut self, duration: Duration) {
        let end = self.now.after(duration);
        while let Some(at) = self.endpoint.poll_timeout().filter(|at| *at <= end.instant) {
            self.now = self.now.after(at.saturating_duration_since(self.now.instant));
            self.endpoint.handle_timeout(self.now);
            assert!(self.endpoint.poll_timeout().is_none_or(|at| at > self.now.instant));
        }
        self.now = end;
    }

    pub fn finish(mut self) {
        self.wait(secs(500));
        assert!(self.endpoint.is_idle(), "{:?}", self.endpoint.counts());
    }
}

/// A request from outside any dialog.
pub fn request(method: Method, branch: &str) -> Request {
    let cseq = format!("1 {method}");
    Request::new(method, "sip:room@192.0.2.1".parse().unwrap())
        .with(H::Via, format!("SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK{branch};rport"))
        .with(H::MaxForwards, "70")
        .with(H::From, "<sip:peer@192.0.2.9>;tag=peer")
        .with(H::To, "<sip:room@192.0.2.1>")
        .with(H::CallId, "call-1")
        .with(H::CSeq, cseq)
        .with(H::Contact, "<sip:peer@192.0.2.9:5060>")
}

pub fn invite(branch: &str) -> Request {
    request(Method::Invite, branch).with_body("application/sdp", "v=0\r\n")
}

/// A request inside the dialog that `response` made for the peer.
pub fn inside(response: &Response, method: Method, cseq: u32, branch: &str) -> Request {
    let mut request = request(method.clone(), branch);
    request.headers.set(H::To, response.headers.get(&H::To).unwrap().clone());
    request.headers.set(H::CSeq, format!("{cseq} {method}"));
    request
}
