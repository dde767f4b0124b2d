//! One call through the endpoint: INVITE, 100, 180, 200, ACK, BYE, 200; a second of its clock for each, so that what
//! absorbs retransmissions comes and goes as it does in service. And one that is refused because it comes too late.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use partyline::sip::message::{Message, Request, Response, StatusCode, Transport};
use partyline::sip::{Admission, Admitted, Body, Endpoint, EndpointConfig, Event, Flow, Input, Output, Policy};
use partyline::types::Now;

use super::{Work, sip, start};

struct Everybody;

impl Policy for Everybody {
    fn admit(&mut self, _: &Request, _: &Flow) -> Admission {
        Admission::Accept(Admitted::default())
    }
}

/// The endpoint and the peer who calls it.
pub(super) struct Peer {
    endpoint: Endpoint,
    now: Now,
    flow: Flow,
    calls: u64,
}

impl Peer {
    pub(super) fn new() -> Self {
        let flow = Flow {
            transport: Transport::Udp,
            local: SocketAddr::from(([203, 0, 113, 7], 5060)),
            remote: SocketAddr::from(([198, 51, 100, 20], 5060)),
            connection: None,
        };
        Self {
            endpoint: Endpoint::new(EndpointConfig::default(), partyline::types::Seed::fixed(1)),
            now: start(),
            flow,
            calls: 0,
        }
    }

    /// Hands in a message in which the texts are made this call's. Gives back the call if it is a new one, and the
    /// last message sent.
    fn receive(&mut self, text: &str) -> (Option<partyline::sip::InviteId>, Option<Bytes>) {
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        self.endpoint.handle_input(self.now, Input::Message { flow: self.flow, bytes }, &mut Everybody);
        self.drain()
    }

    /// Hands in a message whose `CALL` and `BRANCH` are made new ones.
    pub(super) fn call_with(&mut self, text: &str) {
        self.calls += 1;
        let number = format!("{:012}", self.calls);
        self.receive(&text.replacen("CALL", &number, 1).replacen("BRANCH", &number, 1));
    }

    fn drain(&mut self) -> (Option<partyline::sip::InviteId>, Option<Bytes>) {
        let (mut call, mut sent) = (None, None);
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Transmit { bytes, .. } => sent = Some(bytes),
                Output::Event(Event::Incoming { invite, .. }) => call = Some(invite),
                Output::Event(_) | Output::Trace(_) => {}
            }
        }
        (call, sent)
    }

    fn call(&mut self, texts: &Texts) {
        self.calls += 1;
        let id = format!("1073873_{:012}@", self.calls);
        let branch = format!("z9hG4bK{:012}", self.calls);
        let own = |text: &str| text.replace("CALL@", &id).replace("BRANCH", &branch);

        let (call, _) = self.receive(&own(&texts.invite));
        let call = call.expect("everybody may call");
        self.endpoint.provisional(self.now, call, StatusCode::RINGING, None).expect("it may ring");
        self.endpoint.accept(self.now, call, Body::sdp(texts.answer.clone())).expect("it may be answered");
        let ok = self.drain().1.expect("the answer is sent");
        let Ok(Message::Response(Response { headers, .. })) = Message::parse(&ok) else { panic!("it is a response") };
        let to = headers.to().expect("a To").to_string();
        for text in [&texts.ack, &texts.bye] {
            self.receive(&own(text).replace("TO", &to));
        }
        self.now = self.now.after(Duration::from_secs(1));
        while self.endpoint.poll_timeout().is_some_and(|at| at <= self.now.instant) {
            self.endpoint.handle_timeout(self.now);
        }
        self.drain();
    }
}

impl Peer {
    /// One INVITE of more than can be served, in the same second as some hundred others.
    fn refuse(&mut self, texts: &Texts) {
        self.calls += 1;
        let branch = format!("z9hG4bK{:012}", self.calls);
        let bytes = Bytes::from(texts.invite.replace("BRANCH", &branch));
        assert!(self.endpoint.refuse_late(self.now, self.flow, &bytes), "it is new");
        self.drain();
        self.now = self.now.after(Duration::from_millis(3));
    }
}

/// The messages of the caller: `CALL@`, `BRANCH` and `TO` are to be filled in.
struct Texts {
    invite: String,
    ack: String,
    bye: String,
    answer: Bytes,
}

impl Texts {
    fn new() -> Self {
        let offer = sip::wire(super::sdp::PHONE);
        let text = |text: &str, body: &str| {
            let text = text.replace("1073873_131203412@", "CALL@");
            let text = text.replace("z9hG4bK3oc1vk10d0h2s5p6b8q0", "BRANCH").replace("z9hG4bK9a0b1c2d3e4f", "BRANCH.2");
            String::from_utf8(sip::message(&text, body).to_vec()).expect("it is ASCII")
        };
        let answered = "To: <sip:+442079460100@203.0.113.7>;tag=5f1c9a77";
        let bye = sip::BYE.replace(answered, "To: TO");
        let ack = bye.replace("BYE", "ACK").replace("14624", "14623").replace("9a0b1c2d3e4f", "9a0b1c2d3e4f.3");
        Self { invite: text(sip::INVITE, &offer), ack: text(&ack, ""), bye: text(&bye, ""), answer: offer.into() }
    }
}

pub fn works() -> Vec<Work> {
    let refused = Work::new("sip/refuse_late", 400, || {
        let (texts, mut peer) = (Texts::new(), Peer::new());
        move || peer.refuse(&texts)
    });
    let call = Work::new("sip/call", 40, || {
        let (texts, mut peer) = (Texts::new(), Peer::new());
        // Until as many transactions end as begin.
        for _ in 0..70 {
            peer.call(&texts);
        }
        let held = peer.endpoint.counts().server_transactions;
        assert!(peer.endpoint.counts().calls < 5 && held < 150, "calls end: {:?}", peer.endpoint.counts());
        move || peer.call(&texts)
    });
    vec![call, refused]
}
