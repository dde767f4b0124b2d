//! Trunks with several servers that fail, come back and move: signalling only, by hand.

mod events;
mod reload;
mod way;

use super::{CallRecord, Event, Gateway, Input, OpenedTransport, Output, Reply, Request, Sounds, TrunkStatus};
use crate::dialplan::{self, Trusting};
use crate::media::command::{Clip, Pcm};
use crate::sip::locate::{Candidate, Located};
use crate::sip::message::{HeaderName as H, Message, Method, Request as SipRequest, Response, StatusCode, Transport};
use crate::sip::{self, EndpointConfig, Flow};
use crate::types::{CallId, Now};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

struct Silence;

impl Sounds for Silence {
    fn prompt(&self, _: &str, _: &str) -> Option<Pcm> {
        None
    }

    fn text(&self, _: &str, _: &str) -> Option<Pcm> {
        None
    }

    fn file(&self, _: &crate::dialplan::SoundSource, _: bool) -> Option<crate::media::command::Clip> {
        None
    }

    fn tone(&self, _: &str) -> Option<Clip> {
        None
    }
}

struct Bench {
    gateway: Gateway,
    plan: Arc<dialplan::Plan>,
    now: Now,
    sent: Vec<(Flow, SipRequest)>,
    lookups: usize,
    opening: Vec<(CallId, std::net::IpAddr)>,
    records: Vec<CallRecord>,
    log: Vec<String>,
    events: Vec<Event>,
}

fn flow(host: u8) -> Flow {
    let at = |last| std::net::SocketAddr::from(([192, 0, 2, last], 5060));
    Flow { transport: Transport::Udp, local: at(1), remote: at(host), connection: None }
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn servers(hosts: &[u8]) -> Located<Flow> {
    let candidates = hosts.iter().enumerate().map(|(place, host)| Candidate {
        rank: (u16::try_from(place).unwrap(), 0, 0),
        weight: 0,
        targets: vec![flow(*host)],
    });
    Located { candidates: candidates.collect(), lifetime: secs(10), ..Located::nothing() }
}

impl Bench {
    fn new(trunk: &str) -> Self {
        let text = format!(
            "[trunks.carrier]\naddress = \"sip.carrier.example\"\n{trunk}\n[rooms.a]\npin = \"482917\"\n\
             [[routes]]\nname = \"A\"\nfrom = \"carrier\"\nnumber = \"1\"\nroom = \"a\"\n"
        );
        let plan = dialplan::parse("dialplan.toml", &text, &Trusting).unwrap().plan;
        Self::with_plan(Now { instant: crate::test_clock(), wall: SystemTime::UNIX_EPOCH }, plan)
    }

    fn with_plan(now: Now, plan: Arc<dialplan::Plan>) -> Self {
        let gateway = Gateway::new(
            now,
            Arc::clone(&plan),
            Arc::new(Silence),
            EndpointConfig::default(),
            crate::types::Seed::fixed(1),
        );
        let mut bench = Self {
            gateway,
            plan,
            now,
            sent: Vec::new(),
            lookups: 0,
            opening: Vec::new(),
            records: Vec::new(),
            log: Vec::new(),
            events: Vec::new(),
        };
        bench.collect();
        bench
    }

    fn registering() -> Self {
        Self::new("register = true\nping = \"off\"\nusername = \"acme\"\npassword = { env = \"P\" }")
    }

    fn collect(&mut self) -> Option<Reply> {
        let mut reply = None;
        while let Some(output) = self.gateway.poll_output() {
            match output {
                Output::Sip { flow, bytes, .. } => {
                    if let Ok(Message::Request(request)) = Message::parse(&bytes) {
                        self.sent.push((flow, request));
                    }
                }
                Output::Resolve { .. } => self.lookups += 1,
                Output::OpenTransport { call, local, .. } => self.opening.push((call, local)),
                Output::Record(record) => self.records.push(*record),
                Output::Event(event) => self.events.push(event),
                Output::Log(line) => self.log.push(line.to_string()),
                Output::Reply { reply: answer, .. } => reply = Some(answer),
                _ => {}
            }
        }
        reply
    }

    fn input(&mut self, input: Input) -> Option<Reply> {
        self.gateway.handle_input(self.now, input);
        let mut reply = self.collect();
        for (call, local) in std::mem::take(&mut self.opening) {
            let address = std::net::SocketAddr::new(local, 20_000);
            let opened = OpenedTransport::Rtp { address, rtcp_port: 20_001 };
            self.gateway.handle_input(self.now, Input::TransportOpened { call, opened });
            reply = self.collect().or(reply);
        }
        reply
    }

    fn found(&mut self, hosts: &[u8]) {
        let found = if hosts.is_empty() { Vec::new().into() } else { servers(hosts) };
        self.input(Input::Resolved { trunk: "carrier".into(), found });
    }

    /// Lets time pass; servers in `alive` answer everything with 200.
    fn run(&mut self, time: Duration, alive: &[u8]) {
        let end = self.now.instant + time;
        loop {
            self.answer_from(alive);
            let Some(at) = self.gateway.poll_timeout().filter(|at| *at <= end) else { break };
            self.now.instant = self.now.instant.max(at);
            self.gateway.handle_timeout(self.now);
            self.collect();
        }
        self.now.instant = end;
    }

    fn answer_from(&mut self, alive: &[u8]) {
        for (flow, request) in std::mem::take(&mut self.sent) {
            let host = match flow.remote.ip() {
                std::net::IpAddr::V4(ip) => ip.octets()[3],
                std::net::IpAddr::V6(_) => 0,
            };
            if alive.contains(&host) {
                self.answer(flow, &request, 200, None);
            } else {
                self.sent.push((flow, request));
            }
        }
    }

    fn answer(&mut self, flow: Flow, request: &SipRequest, status: u16, header: Option<(H, &'static str)>) {
        let mut response = Response::to_request(request, StatusCode(status));
        response.set_to_tag("peer");
        response.headers.copy_all(&H::Contact, &request.headers);
        response.headers.push(H::Expires, "3600");
        if let Some((name, value)) = header {
            response.headers.push(name, value);
        }
        self.input(Input::Sip(sip::Input::Message { flow, bytes: response.to_bytes() }));
    }

    /// The last REGISTER or OPTIONS that waits for its answer.
    fn last(&self, method: &Method) -> (Flow, SipRequest) {
        self.sent.iter().rev().find(|(_, request)| request.method == *method).cloned().expect("a request")
    }

    fn status(&mut self) -> TrunkStatus {
        let reply = self.input(Input::Control { id: 1, request: Request::Status });
        let Some(Reply::Status(status)) = reply else { panic!("no status") };
        status.trunks[0].clone()
    }
}

#[test]
fn a_registrar_that_is_unavailable_is_followed_by_the_next_at_once() {
    let mut bench = Bench::registering();
    bench.found(&[11, 12]);
    let (first, request) = bench.last(&Method::Register);
    assert_eq!(first, flow(11));
    bench.answer(first, &request, 503, Some((H::RetryAfter, "120")));
    let (second, request) = bench.last(&Method::Register);
    assert_eq!(second, flow(12));
    bench.answer(second, &request, 200, None);
    let status = bench.status();
    assert_eq!((status.state.as_str(), status.server.as_str()), ("registered", "udp:192.0.2.12:5060"));
}

#[test]
fn a_refusal_is_not_taken_to_the_next_server() {
    let mut bench = Bench::registering();
    bench.found(&[11, 12]);
    let (first, request) = bench.last(&Method::Register);
    bench.sent.clear();
    bench.answer(first, &request, 403, None);
    assert!(bench.sent.is_empty());
    let status = bench.status();
    assert_eq!(status.state, "failed 403");
    assert!(status.trouble.starts_with("the registrar refuses this account, tried again in "), "{}", status.trouble);
    let logged = |line: &String| line.contains("the registrar refuses this account (403 Forbidden), tried again in");
    assert!(bench.log.iter().any(logged), "{:?}", bench.log);
}

#[test]
fn a_refused_password_is_called_so() {
    let mut bench = Bench::registering();
    bench.found(&[11]);
    let challenge = "Digest realm=\"a.example\", nonce=\"n\", algorithm=MD5, qop=\"auth\"";
    for _ in 0..2 {
        let (flow, request) = bench.last(&Method::Register);
        bench.answer(flow, &request, 401, Some((H::WwwAuthenticate, challenge)));
    }
    let trouble = bench.status().trouble;
    assert!(trouble.starts_with("the password was refused, "), "{trouble}");
}

#[test]
fn a_silent_registrar_is_followed_by_the_next_after_its_time() {
    let mut bench = Bench::registering();
    bench.found(&[11, 12]);
    bench.run(secs(40), &[12]);
    assert_eq!(bench.status().state, "registered");
}

#[test]
fn names_are_looked_up_again_and_the_last_good_answer_stands_while_the_dns_is_down() {
    let mut bench = Bench::registering();
    assert_eq!(bench.lookups, 1);
    bench.found(&[11]);
    bench.run(secs(59), &[11]);
    assert_eq!(bench.lookups, 1, "a time to live of ten seconds is too short to be heeded");
    bench.run(secs(2), &[11]);
    assert_eq!(bench.lookups, 2);
    bench.found(&[]);
    assert!(bench.log.iter().any(|line| line.contains("the last answer stands")), "{:?}", bench.log);
    assert_eq!(bench.status().server, "udp:192.0.2.11:5060");
    bench.run(secs(31), &[11]);
    assert_eq!(bench.lookups, 3);
    bench.found(&[13]);
    assert_eq!(bench.last(&Method::Register).0, flow(13), "it has moved");
}

#[test]
fn a_binding_is_made_anew_when_its_connection_ends() {
    let mut bench = Bench::registering();
    let by_tcp = Flow { transport: Transport::Tcp, ..flow(11) };
    bench.input(Input::Resolved { trunk: "carrier".into(), found: vec![by_tcp].into() });
    bench.run(secs(1), &[11]);
    assert_eq!(bench.status().state, "registered");
    let closed = Flow { connection: Some(7), ..by_tcp };
    bench.input(Input::Sip(sip::Input::FlowClosed { flow: closed }));
    bench.run(secs(4), &[]);
    assert_eq!(bench.last(&Method::Register).0, by_tcp);
}

#[test]
fn a_reload_does_not_forget_that_a_binding_is_to_be_made_anew() {
    let mut bench = Bench::registering();
    let by_tcp = Flow { transport: Transport::Tcp, ..flow(11) };
    bench.input(Input::Resolved { trunk: "carrier".into(), found: vec![by_tcp].into() });
    bench.run(secs(1), &[11]);
    bench.input(Input::Sip(sip::Input::FlowClosed { flow: Flow { connection: Some(7), ..by_tcp } }));
    bench.sent.clear();
    let plan = bench.plan.clone();
    bench.input(Input::Reload(plan));
    bench.run(secs(4), &[]);
    assert_eq!(bench.last(&Method::Register).0, by_tcp);
}

#[test]
fn a_connection_is_not_known_by_its_certificate_once_the_trunk_has_changed() {
    let accepting = "tls = { accept = \"sip.carrier.example\" }\nping = \"off\"";
    let mut bench = Bench::new(accepting);
    let by_tls = Flow { transport: Transport::Tls, connection: Some(7), ..flow(99) };
    bench.input(Input::Sip(sip::Input::FlowIdentified { flow: by_tls, peer: "carrier".into() }));
    let known = |bench: &Bench| bench.gateway.trunks.by_certificate(&by_tls).map(str::to_owned);
    assert_eq!(known(&bench).as_deref(), Some("carrier"));
    let plan = bench.plan.clone();
    bench.input(Input::Reload(plan));
    assert_eq!(known(&bench).as_deref(), Some("carrier"), "nothing has changed");
    let plan = Bench::new("ping = \"off\"").plan;
    bench.input(Input::Reload(plan));
    assert_eq!(known(&bench), None);
}

#[test]
fn a_trunk_is_down_when_no_server_answers_and_up_when_one_does_again() {
    let mut bench = Bench::new("ping = \"30s\"");
    bench.found(&[11, 12]);
    bench.run(secs(10), &[11, 12]);
    assert_eq!(bench.status().presence, "up");
    // One server of two is no loss.
    bench.run(secs(60), &[12]);
    let status = bench.status();
    assert_eq!((status.presence.as_str(), status.server.as_str()), ("up", "udp:192.0.2.12:5060"));
    bench.run(secs(90), &[]);
    assert_eq!(bench.status().presence, "down");
    assert!(!bench.gateway.trunks.is_up("carrier") && !bench.gateway.trunks.is_up("nobody"));
    bench.run(secs(90), &[11, 12]);
    assert_eq!(bench.status().presence, "up");
    assert!(bench.gateway.trunks.is_up("carrier"));
    let told = |what: &str| bench.log.iter().filter(|line| line.contains(what)).count();
    assert_eq!((told("trunk up"), told("trunk down")), (2, 1), "{:?}", bench.log);
}

#[test]
fn a_trunk_that_refuses_options_is_there_all_the_same() {
    let mut bench = Bench::new("ping = \"30s\"");
    bench.found(&[11]);
    bench.run(secs(3), &[]);
    let (flow, request) = bench.last(&Method::Options);
    bench.answer(flow, &request, 405, None);
    assert_eq!(bench.status().presence, "up");
}

#[test]
fn a_proxy_is_on_the_way_of_every_request() {
    let mut bench = Bench::new(
        "register = true\nproxy = \"sip:proxy.example;transport=tcp\"\nusername = \"acme\"\npassword = { env = \"P\" }",
    );
    bench.found(&[11]);
    bench.run(secs(3), &[]);
    for method in [Method::Register, Method::Options] {
        let (_, request) = bench.last(&method);
        assert_eq!(request.headers.get_str(&H::Route), Some("<sip:proxy.example;transport=tcp;lr>"));
        assert_eq!(request.uri.to_string(), "sip:sip.carrier.example");
    }
}

#[test]
fn a_dns_that_fails_for_some_questions_is_told_and_does_not_move_the_trunk() {
    let mut bench = Bench::new("ping = \"off\"");
    bench.found(&[11]);
    for _ in 0..2 {
        let mut found = servers(&[12]);
        found.doubt(0, "the DNS fails for _sip._udp.sip.carrier.example".into());
        bench.input(Input::Resolved { trunk: "carrier".into(), found });
        let status = bench.status();
        assert_eq!(status.server, "udp:192.0.2.11:5060");
        assert_eq!(status.trouble, "the DNS fails for _sip._udp.sip.carrier.example");
    }
    let lookups = bench.lookups;
    bench.run(secs(31), &[]);
    assert_eq!(bench.lookups, lookups + 1, "asked again soon");
    bench.found(&[12]);
    let status = bench.status();
    assert_eq!((status.server.as_str(), status.trouble.as_str()), ("udp:192.0.2.12:5060", ""));
    let told = |what: &str| bench.log.iter().filter(|line| line.contains(what)).count();
    assert_eq!((told("the DNS is in trouble"), told("found again")), (2, 1), "{:?}", bench.log);
}

#[test]
fn what_is_wrong_with_tls_is_told_once_and_stands_in_the_status() {
    let mut bench = Bench::new("ping = \"off\"");
    let by_tls = Flow { transport: Transport::Tls, connection: Some(7), ..flow(11) };
    bench.input(Input::Resolved { trunk: "carrier".into(), found: vec![by_tls].into() });
    let failed = |why: &str| Input::Sip(sip::Input::TlsFailed { flow: by_tls, why: why.into() });
    for why in ["the certificate expired on 2026-01-02", "it is signed by an authority we do not know"] {
        for _ in 0..3 {
            bench.input(failed(why));
            assert_eq!(bench.status().trouble, format!("no TLS with {}: {why}", by_tls.remote));
            assert_eq!(bench.gateway.trunks.no_tls("carrier", &by_tls), Some(why));
        }
    }
    let elsewhere = Flow { connection: Some(8), ..flow(12) };
    bench.input(Input::Sip(sip::Input::TlsFailed { flow: elsewhere, why: "not a server of ours".into() }));
    for _ in 0..2 {
        bench.input(Input::Sip(sip::Input::TlsOpened { flow: by_tls }));
        assert_eq!(bench.status().trouble, "");
    }
    let told = |what: &str| bench.log.iter().filter(|line| line.contains(what)).count();
    assert_eq!((told("no TLS with"), told("works again")), (2, 1), "{:?}", bench.log);
}
