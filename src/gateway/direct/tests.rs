//! Two users' clients, each an endpoint of its own, and the gateway between them.

use crate::dialplan::{self, Trusting};
use crate::gateway::users::tests::desk::{ALICE, BOB, PLAN, Silent};
use crate::gateway::{CallRecord, Cause, Gateway, Input, Output};
use crate::sip::message::{Headers, Host, NameAddr, Request, StatusCode, Transport, Uri};
use crate::sip::{
    self, Admission, Admitted, Body, Credentials, Endpoint, EndpointConfig, Event, Flow, InviteId, OutgoingInvite,
    Policy, RegistrationConfig, Terms,
};
use crate::types::{Now, Seed};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const ROUTE: &str = "\n[[routes]]\nname = \"P2P\"\nfrom = \"users\"\nnumber = '.*'\nto_user = \"direct\"\n";
const GATEWAY: &str = "192.0.2.1:5060";
/// What no reader of ours would take: it is none of our business.
const OFFER: &[u8] = b"v=0\r\no=- 1 1 IN IP4 203.0.113.1\r\ns=-\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=x-odd:\xFF\r\n";
const ANSWER: &[u8] = b"v=0\r\no=- 2 1 IN IP4 203.0.113.2\r\ns=-\r\nthis is no line\r\n";

fn terms() -> Terms {
    Terms { messages: true, ..EndpointConfig::default().terms() }
}

struct Everybody;

impl Policy for Everybody {
    fn admit(&mut self, _: &Request, _: &Flow) -> Admission {
        Admission::Accept(Admitted { terms: Some(terms()), ..Admitted::default() })
    }
}

/// A client at an address of its own.
struct Client {
    name: &'static str,
    credentials: Credentials,
    endpoint: Endpoint,
    at: SocketAddr,
    events: Vec<Event>,
    is_cut_off: bool,
}

impl Client {
    fn new((name, password): (&'static str, &str), host: u8) -> Self {
        let at = SocketAddr::from(([192, 0, 2, host], 5060));
        let config = EndpointConfig { contact_user: name.to_owned(), ..EndpointConfig::default() };
        let endpoint = Endpoint::new(config, Seed::fixed(u64::from(host)));
        let credentials = Credentials::new(name, password);
        Self { name, credentials, endpoint, at, events: Vec::new(), is_cut_off: false }
    }

    fn flow(&self) -> Flow {
        Flow { transport: Transport::Udp, local: self.at, remote: GATEWAY.parse().unwrap(), connection: None }
    }

    fn address(&self) -> NameAddr {
        NameAddr::new(uri(self.name))
    }

    /// The event that `wanted` recognises, taken out.
    fn took<T>(&mut self, wanted: impl Fn(&Event) -> Option<T>) -> Option<T> {
        let at = self.events.iter().position(|event| wanted(event).is_some())?;
        wanted(&self.events.remove(at))
    }

    fn takes<T>(&mut self, what: &str, wanted: impl Fn(&Event) -> Option<T>) -> T {
        let name = self.name;
        self.took(wanted).unwrap_or_else(|| panic!("{name} hears of no {what}: {:#?}", self.events))
    }
}

fn uri(name: &str) -> Uri {
    Uri::sip(Some(name), Host::Name("sip.example.com".into()), None)
}

struct Between {
    gateway: Gateway,
    now: Now,
    clients: Vec<Client>,
    records: Vec<CallRecord>,
}

/// Places in [`Between::clients`]; Bob is registered at two.
const A: usize = 0;
const B: usize = 1;
const B2: usize = 2;

impl Between {
    fn new(clients: Vec<Client>) -> Self {
        let plan = dialplan::parse("dialplan.toml", &format!("{PLAN}{ROUTE}"), &Trusting)
            .unwrap_or_else(|found| panic!("{found}"))
            .plan;
        let now =
            Now { instant: crate::test_clock(), wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000) };
        let gateway = Gateway::new(now, plan, Arc::new(Silent), EndpointConfig::default(), Seed::fixed(1));
        let mut between = Self { gateway, now, clients, records: Vec::new() };
        for at in 0..between.clients.len() {
            let client = &mut between.clients[at];
            let registration = RegistrationConfig {
                flow: client.flow(),
                registrar: Uri::sip(None, Host::Name("sip.example.com".into()), None),
                address: client.address(),
                credentials: Some(client.credentials.clone()),
                expires: Duration::from_secs(3_600),
                contact_user: Some(client.name.to_owned()),
                bulk: false,
                headers: Headers::new(),
                route: Vec::new(),
            };
            client.endpoint.register(between.now, registration);
            between.settle();
            between.clients[at].takes("registration", |event| matches!(event, Event::Registered { .. }).then_some(()));
        }
        between
    }

    fn both() -> Self {
        Self::new(vec![Client::new(ALICE, 11), Client::new(BOB, 12)])
    }

    /// Messages go to and fro until nobody has any.
    fn settle(&mut self) {
        loop {
            let mut moved = false;
            while let Some(output) = self.gateway.poll_output() {
                moved = true;
                match output {
                    Output::Sip { flow, bytes, .. } => {
                        let Some(client) = self.clients.iter_mut().find(|client| client.at == flow.remote) else {
                            continue;
                        };
                        if !client.is_cut_off {
                            let input = sip::Input::Message { flow: client.flow(), bytes };
                            client.endpoint.handle_input(self.now, input, &mut Everybody);
                        }
                    }
                    Output::OpenTransport { .. } | Output::Media(_) => panic!("no media is any of ours: {output:?}"),
                    Output::Record(record) => self.records.push(*record),
                    _ => {}
                }
            }
            for client in &mut self.clients {
                while let Some(output) = client.endpoint.poll_output() {
                    moved = true;
                    match output {
                        sip::Output::Transmit { bytes, .. } if !client.is_cut_off => {
                            let flow = Flow { local: GATEWAY.parse().unwrap(), remote: client.at, ..client.flow() };
                            self.gateway.handle_input(self.now, Input::Sip(sip::Input::Message { flow, bytes }));
                        }
                        sip::Output::Event(event) => client.events.push(event),
                        _ => {}
                    }
                }
            }
            if !moved {
                return;
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now.after(time);
        loop {
            let clients = self.clients.iter().filter_map(|client| client.endpoint.poll_timeout());
            let next = clients.chain(self.gateway.poll_timeout()).min().filter(|at| *at <= end.instant);
            let Some(at) = next else { break };
            self.now = self.now.after(at.saturating_duration_since(self.now.instant));
            self.gateway.handle_timeout(self.now);
            self.clients.iter_mut().for_each(|client| client.endpoint.handle_timeout(self.now));
            self.settle();
        }
        self.now = end;
    }

    /// Alice calls somebody.
    fn calls(&mut self, whom: &str, offer: Option<&'static [u8]>) -> InviteId {
        let client = &mut self.clients[A];
        let invite = OutgoingInvite {
            credentials: Some(client.credentials.clone()),
            terms: Some(terms()),
            ..OutgoingInvite::new(client.flow(), client.address(), uri(whom), offer.map(sdp))
        };
        let id = client.endpoint.invite(self.now, invite).unwrap();
        self.settle();
        id
    }

    /// What comes in at a client: its INVITE, who calls, the offer.
    fn rings_at(&mut self, at: usize) -> (InviteId, String, Option<Vec<u8>>) {
        self.clients[at].takes("call", |event| match event {
            Event::Incoming { invite, request, offer, .. } => {
                let from = request.from().unwrap();
                Some((*invite, from.to_string(), offer.as_ref().map(|offer| offer.to_vec())))
            }
            _ => None,
        })
    }

    fn accepts(&mut self, at: usize, invite: InviteId, body: &'static [u8]) {
        self.clients[at].endpoint.accept(self.now, invite, sdp(body)).unwrap();
        self.settle();
    }

    /// The 200 that Alice gets: its description, and whether an answer is wanted of her.
    fn answered(&mut self) -> (Vec<u8>, bool) {
        self.clients[A].takes("answer", |event| match event {
            Event::Answered { body, needs_answer, .. } => Some((body.as_ref()?.to_vec(), *needs_answer)),
            _ => None,
        })
    }

    /// Alice and Bob talk: their dialogs.
    fn talk(&mut self) -> (InviteId, InviteId) {
        let alice = self.calls("bob", Some(OFFER));
        let (bob, ..) = self.rings_at(B);
        self.accepts(B, bob, ANSWER);
        self.answered();
        self.settle();
        (alice, bob)
    }

    fn hangs_up(&mut self, at: usize, invite: InviteId) {
        self.clients[at].endpoint.hangup(self.now, invite, None).unwrap();
        self.settle();
    }

    fn is_over_at(&mut self, at: usize) {
        self.clients[at].takes("end", |event| matches!(event, Event::Ended { .. }).then_some(()));
    }

    fn failed(&mut self) -> u16 {
        self.clients[A].takes("refusal", |event| match event {
            Event::Failed { status, .. } => Some(status.0),
            _ => None,
        })
    }

    /// Nothing is left, and the only record there is.
    fn record(mut self) -> CallRecord {
        self.pass(Duration::from_secs(64));
        assert!(self.gateway.is_idle() || self.clients.iter().any(|client| client.is_cut_off));
        assert_eq!(self.records.len(), 1, "{:#?}", self.records);
        self.records.remove(0)
    }
}

fn sdp(bytes: &'static [u8]) -> Body {
    Body::sdp(bytes)
}

fn offered(event: &Event) -> Option<(InviteId, Option<Vec<u8>>, String)> {
    match event {
        Event::Offer { invite, body, method } => {
            Some((*invite, body.as_ref().map(|body| body.to_vec()), method.as_str().to_owned()))
        }
        _ => None,
    }
}

fn answer(event: &Event) -> Option<Vec<u8>> {
    if let Event::Answer { body, .. } = event { Some(body.to_vec()) } else { None }
}

#[test]
fn descriptions_pass_untouched_and_both_end_together() {
    for who_ends in [A, B] {
        let mut between = Between::both();
        let alice = between.calls("bob", Some(OFFER));
        let (bob, from, offer) = between.rings_at(B);
        assert_eq!(offer.as_deref(), Some(OFFER));
        assert!(from.starts_with("\"Alice Ashton\" <sip:alice@sip.example.com>"), "{from}");
        between.clients[B].endpoint.provisional(between.now, bob, StatusCode::RINGING, None).unwrap();
        between.settle();
        between.clients[A].takes("ringing", |event| match event {
            Event::Progress { status: StatusCode::RINGING, .. } => Some(()),
            _ => None,
        });
        between.accepts(B, bob, ANSWER);
        assert_eq!(between.answered(), (ANSWER.to_vec(), false));
        between.pass(Duration::from_secs(10));
        between.hangs_up(who_ends, [alice, bob][who_ends]);
        between.is_over_at(A + B - who_ends);
        let record = between.record();
        assert_eq!(record.cause, [Cause::CallerHungUp, Cause::CalledHungUp][who_ends]);
        assert_eq!((record.user.as_str(), record.number.as_str(), record.talk_ms), ("alice", "bob", 10_000));
        assert_eq!((record.route.as_deref(), record.status, record.media), (Some("P2P"), Some(200), None));
    }
}

#[test]
fn an_invite_without_an_offer_is_answered_in_its_ack() {
    let mut between = Between::both();
    let alice = between.calls("bob", None);
    let (bob, _, offer) = between.rings_at(B);
    assert_eq!(offer, None);
    between.accepts(B, bob, OFFER);
    assert_eq!(between.answered(), (OFFER.to_vec(), true));
    between.clients[A].endpoint.acknowledge(between.now, alice, Some(sdp(ANSWER))).unwrap();
    between.settle();
    let acknowledged = between.clients[B].takes("ACK", |event| match event {
        Event::Acknowledged { body, .. } => Some(body.as_ref().map(|body| body.to_vec())),
        _ => None,
    });
    assert_eq!(acknowledged.as_deref(), Some(ANSWER));
    between.hangs_up(A, alice);
    between.is_over_at(B);
}

#[test]
fn offers_inside_the_call_go_to_the_other_side_and_their_answers_back() {
    for (asker, by_update) in [(A, false), (B, false), (A, true), (B, true)] {
        let mut between = Between::both();
        let dialogs = <[InviteId; 2]>::from(between.talk());
        let other = A + B - asker;
        let (now, endpoint) = (between.now, &mut between.clients[asker].endpoint);
        if by_update {
            endpoint.update(now, dialogs[asker], Some(sdp(OFFER))).unwrap();
        } else {
            endpoint.reinvite(now, dialogs[asker], Some(sdp(OFFER))).unwrap();
        }
        between.settle();
        let (invite, offer, method) = between.clients[other].takes("offer", offered);
        assert_eq!(offer.as_deref(), Some(OFFER));
        assert_eq!(method, if by_update { "UPDATE" } else { "INVITE" });
        between.clients[other].endpoint.answer_offer(now, invite, Ok(sdp(ANSWER))).unwrap();
        between.settle();
        assert_eq!(between.clients[asker].takes("answer", answer), ANSWER);
        // And a refusal.
        between.clients[asker].endpoint.reinvite(now, dialogs[asker], Some(sdp(OFFER))).unwrap();
        between.settle();
        let (invite, ..) = between.clients[other].takes("offer", offered);
        between.clients[other].endpoint.answer_offer(now, invite, Err(StatusCode::NOT_ACCEPTABLE_HERE)).unwrap();
        between.settle();
        let refused = between.clients[asker].takes("refusal", |event| match event {
            Event::OfferFailed { status, .. } => Some(status.0),
            _ => None,
        });
        assert_eq!(refused, 488);
        between.pass(Duration::from_secs(40));
        between.hangs_up(asker, dialogs[asker]);
        between.is_over_at(other);
    }
}

#[test]
fn a_side_that_wants_an_offer_gets_the_others_and_its_answer_goes_back() {
    let mut between = Between::both();
    let (alice, bob) = between.talk();
    between.clients[A].endpoint.reinvite(between.now, alice, None).unwrap();
    between.settle();
    let (_, wanted, _) = between.clients[B].takes("wish", offered);
    assert_eq!(wanted, None);
    between.clients[B].endpoint.answer_offer(between.now, bob, Ok(sdp(OFFER))).unwrap();
    between.settle();
    let (_, offer, _) = between.clients[A].takes("offer", offered);
    assert_eq!(offer.as_deref(), Some(OFFER));
    between.clients[A].endpoint.answer_offer(between.now, alice, Ok(sdp(ANSWER))).unwrap();
    between.settle();
    assert_eq!(between.clients[B].takes("answer", answer), ANSWER);
    between.hangs_up(B, bob);
    between.is_over_at(A);
}

#[test]
fn offers_that_cross_are_both_settled_in_the_end() {
    let mut between = Between::both();
    let (alice, bob) = between.talk();
    between.clients[A].endpoint.reinvite(between.now, alice, Some(sdp(OFFER))).unwrap();
    between.clients[B].endpoint.reinvite(between.now, bob, Some(sdp(OFFER))).unwrap();
    for _ in 0..20 {
        between.settle();
        for (at, dialog) in [(A, alice), (B, bob)] {
            if between.clients[at].took(offered).is_some() {
                between.clients[at].endpoint.answer_offer(between.now, dialog, Ok(sdp(ANSWER))).unwrap();
            }
        }
        between.pass(Duration::from_millis(500));
    }
    let settled = [A, B].map(|at| between.clients[at].took(answer).is_some());
    assert!(settled.contains(&true), "{settled:?}");
    between.hangs_up(A, alice);
    between.is_over_at(B);
}

#[test]
fn info_and_messages_pass_both_ways() {
    let mut between = Between::both();
    let dialogs = <[InviteId; 2]>::from(between.talk());
    for (from, to) in [(A, B), (B, A)] {
        let (now, endpoint) = (between.now, &mut between.clients[from].endpoint);
        let body =
            |kind: &str, bytes: &[u8]| Body { content_type: kind.to_owned().into(), bytes: bytes.to_vec().into() };
        let odd = body("application/x-odd", b"\x01\x02");
        endpoint.info(now, dialogs[from], &Headers::new(), &odd).unwrap();
        let text = body("text/plain;charset=UTF-8", "grüß".as_bytes());
        endpoint.message(now, dialogs[from], &Headers::new(), &text).unwrap();
        between.settle();
        let heard = between.clients[to].takes("INFO", |event| match event {
            Event::Info { content_type, body, .. } => Some((content_type.clone(), body.to_vec())),
            _ => None,
        });
        assert_eq!(heard, (Some("application/x-odd".into()), vec![1, 2]));
        let read = between.clients[to].takes("MESSAGE", |event| match event {
            Event::Message { content_type, body, .. } => Some((content_type.clone(), body.to_vec())),
            _ => None,
        });
        assert_eq!(read, (Some("text/plain;charset=UTF-8".into()), "grüß".as_bytes().to_vec()));
    }
    between.hangs_up(A, dialogs[A]);
}

#[test]
fn of_two_places_the_one_that_answers_has_the_call() {
    let mut between = Between::new(vec![Client::new(ALICE, 11), Client::new(BOB, 12), Client::new(BOB, 13)]);
    let alice = between.calls("bob", Some(OFFER));
    let (_, second) = (between.rings_at(B), between.rings_at(B2));
    between.accepts(B2, second.0, ANSWER);
    assert_eq!(between.answered().0, ANSWER);
    between.clients[B].takes("end", |event| matches!(event, Event::Cancelled { .. }).then_some(()));
    between.hangs_up(A, alice);
    between.is_over_at(B2);
    assert_eq!(between.record().cause, Cause::CallerHungUp);
}

#[test]
fn a_caller_who_gives_up_leaves_nobody_ringing() {
    let mut between = Between::both();
    let alice = between.calls("bob", Some(OFFER));
    between.rings_at(B);
    between.hangs_up(A, alice);
    between.clients[B].takes("end", |event| matches!(event, Event::Cancelled { .. }).then_some(()));
    let record = between.record();
    assert_eq!((record.cause, record.status), (Cause::Cancelled, Some(487)));
}

#[test]
fn refusals_reach_the_caller_as_they_are() {
    for (status, cause) in [
        (486, Cause::Busy),
        (603, Cause::Declined("603 Decline".into())),
        (480, Cause::NoAnswer),
        (488, Cause::Declined("488 Not Acceptable Here".into())),
    ] {
        let mut between = Between::both();
        between.calls("bob", Some(OFFER));
        let (bob, ..) = between.rings_at(B);
        between.clients[B].endpoint.reject(between.now, bob, StatusCode(status), Default::default()).unwrap();
        between.settle();
        assert_eq!(between.failed(), status);
        assert_eq!(between.record().cause, cause);
    }
}

#[test]
fn whom_nobody_knows_is_404_and_who_is_not_registered_480() {
    let mut between = Between::both();
    between.calls("carol", Some(OFFER));
    assert_eq!(between.failed(), 404);
    let mut between = Between::new(vec![Client::new(ALICE, 11)]);
    between.calls("bob", Some(OFFER));
    assert_eq!(between.failed(), 480);
}

#[test]
fn nobody_rings_longer_than_a_minute() {
    let mut between = Between::both();
    between.calls("bob", Some(OFFER));
    between.rings_at(B);
    between.pass(Duration::from_secs(61));
    assert_eq!(between.failed(), 480);
    between.clients[B].takes("end", |event| matches!(event, Event::Cancelled { .. }).then_some(()));
}

#[test]
fn a_side_that_is_gone_takes_the_other_along() {
    let mut between = Between::both();
    between.talk();
    between.clients[B].is_cut_off = true;
    // The next refresh of the session finds nobody.
    between.pass(Duration::from_secs(1_900));
    between.is_over_at(A);
    assert_eq!(between.records.len(), 1);
}
