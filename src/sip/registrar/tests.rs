//! RFC 3261 section 10.3, RFC 5626 sections 6 and 7, RFC 5627: requests in, bindings and answers out.

use super::*;
use crate::sip::message::Message;
use bytes::Bytes;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn flow(port: u16, connection: Option<u64>) -> Flow {
    let transport = if connection.is_some() { Transport::Tcp } else { Transport::Udp };
    let local = "192.0.2.1:5060".parse().unwrap();
    Flow { transport, local, remote: SocketAddr::from(([192, 0, 2, 9], port)), connection }
}

use std::net::SocketAddr;

/// A client that registers as alice.
struct Client {
    registrar: Registrar,
    now: Instant,
    call_id: &'static str,
    cseq: u32,
    flow: Flow,
}

/// Status and Contacts of an answer, and its other headers.
type Answer = (u16, Vec<String>, Headers);

impl Client {
    fn new() -> Self {
        let flow = flow(5060, None);
        Self { registrar: Registrar::default(), now: crate::test_clock(), call_id: "a", cseq: 0, flow }
    }

    fn register(&mut self, headers: &str) -> Answer {
        self.cseq += 1;
        self.register_as(self.cseq, headers)
    }

    fn register_as(&mut self, cseq: u32, headers: &str) -> Answer {
        let text = format!(
            "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n\
             From: <sip:alice@example.com>;tag=1\r\nTo: <sip:alice@example.com>\r\nCall-ID: {}\r\n\
             CSeq: {cseq} REGISTER\r\nMax-Forwards: 70\r\n{}Content-Length: 0\r\n\r\n",
            self.call_id,
            headers
                .split('\n')
                .map(|line| format!("{}\r\n", line.trim()))
                .collect::<String>()
                .replace("\r\n\r\n", "\r\n"),
        );
        let Ok(Message::Request(request)) = Message::parse(&Bytes::from(text.clone())) else { panic!("{text}") };
        let done = self.registrar.register(self.now, "alice", &request, self.flow);
        let contacts = done.headers.values(&H::Contact).map(|value| String::from_utf8(value.to_vec()).unwrap());
        let contacts = contacts.collect();
        (done.status.0, contacts, done.headers)
    }

    fn contacts(&self) -> Vec<String> {
        self.registrar.live(self.now, "alice").iter().map(|binding| binding.contact.to_string()).collect()
    }
}

#[test]
fn a_contact_is_bound_for_the_time_that_is_asked_for_within_bounds() {
    for (headers, seconds) in [
        ("Contact: <sip:alice@192.0.2.9>", 3_600),
        ("Contact: <sip:alice@192.0.2.9>\nExpires: 600", 600),
        ("Contact: <sip:alice@192.0.2.9>;expires=90\nExpires: 600", 90),
        ("Contact: <sip:alice@192.0.2.9>;expires=nonsense", 3_600),
        ("Contact: <sip:alice@192.0.2.9>\nExpires: 86400", 3_600),
        // Its own idea of its address is not ours: a NAT stands between.
        ("Contact: <sip:alice@10.0.0.7:5060>\nExpires: 600", 120),
        ("Contact: <sip:alice@phone.invalid>\nExpires: 600", 600),
    ] {
        let mut client = Client::new();
        let (status, contacts, _) = client.register(headers);
        assert_eq!((status, contacts.len()), (200, 1), "{headers}");
        assert!(contacts[0].contains(&format!(";expires={seconds}")), "{headers}: {contacts:?}");
        client.now += secs(seconds);
        assert!(client.contacts().is_empty());
        assert_eq!(client.registrar.expire(client.now).as_deref(), Some("alice"));
        assert!(client.registrar.is_empty() && client.registrar.expire(client.now).is_none());
        assert!(client.registrar.poll_timeout().is_none() && client.registrar.flows.is_empty());
    }
}

#[test]
fn a_binding_for_too_short_a_time_is_refused_with_the_shortest_there_is() {
    let mut client = Client::new();
    let (status, _, headers) = client.register("Contact: <sip:alice@192.0.2.9>\nExpires: 59");
    assert_eq!((status, headers.get_str(&H::MinExpires)), (423, Some("60")));
    assert!(client.registrar.is_empty());
}

#[test]
fn without_a_contact_the_bindings_are_told_and_stay() {
    let mut client = Client::new();
    client.register("Contact: <sip:alice@192.0.2.9>;q=0.5, <sip:alice@192.0.2.9:5070>");
    let (status, contacts, _) = client.register("");
    assert_eq!((status, contacts.len()), (200, 2));
    assert!(contacts[0].contains(";q=0.500"), "{contacts:?}");
    assert_eq!(client.contacts().len(), 2);
    let order: Vec<u16> = client.registrar.targets(client.now, "alice", None).iter().map(|target| target.q).collect();
    assert_eq!(order, [1_000, 500]);
}

#[test]
fn the_same_contact_is_refreshed_and_zero_removes_it() {
    let mut client = Client::new();
    client.register("Contact: <sip:alice@192.0.2.9>, <sip:alice@192.0.2.9:5070>");
    // The user part by its meaning, host without regard to case (RFC 3261 section 19.1.4).
    let (_, contacts, _) = client.register("Contact: <sip:%61lice@192.0.2.9>;expires=100");
    assert_eq!(contacts.len(), 2, "{contacts:?}");
    let (_, contacts, _) = client.register("Contact: <sip:alice@192.0.2.9>;expires=0");
    assert_eq!(contacts.len(), 1);
    let (status, contacts, _) = client.register("Contact: *\nExpires: 0");
    assert_eq!((status, contacts.len()), (200, 0));
    assert!(client.registrar.is_empty());
}

#[test]
fn a_star_stands_alone_and_with_expires_zero() {
    for headers in ["Contact: *", "Contact: *\nExpires: 600", "Contact: *, <sip:alice@192.0.2.9>\nExpires: 0"] {
        let mut client = Client::new();
        client.register("Contact: <sip:alice@192.0.2.9>");
        assert_eq!(client.register(headers).0, 400, "{headers}");
        assert_eq!(client.contacts().len(), 1);
    }
}

#[test]
fn what_comes_late_changes_nothing() {
    for headers in ["Contact: <sip:alice@192.0.2.9>;expires=0", "Contact: *\nExpires: 0"] {
        let mut client = Client::new();
        client.register_as(7, "Contact: <sip:alice@192.0.2.9>");
        for cseq in [6, 7] {
            assert_eq!(client.register_as(cseq, headers).0, 500, "{headers}");
        }
        assert_eq!(client.contacts().len(), 1);
        // Another Call-ID has numbers of its own: the client was started anew.
        client.call_id = "b";
        assert_eq!(client.register_as(1, headers).0, 200);
        assert!(client.contacts().is_empty());
    }
}

#[test]
fn all_contacts_of_a_request_are_taken_or_none() {
    let mut client = Client::new();
    for wrong in ["<mailto:alice@example.com>", "<sip:alice@192.0.2.9:5070>;expires=10"] {
        let (status, ..) = client.register(&format!("Contact: <sip:alice@192.0.2.9>, {wrong}"));
        assert!(matches!(status, 400 | 423), "{wrong}: {status}");
        assert!(client.registrar.is_empty());
    }
}

#[test]
fn what_is_required_and_not_understood_is_refused() {
    let mut client = Client::new();
    let (status, _, headers) = client.register("Contact: <sip:alice@192.0.2.9>\nRequire: outbound, path, pref");
    assert_eq!((status, headers.get_str(&H::Unsupported)), (420, Some("path, pref")));
}

#[test]
fn one_binding_too_many_takes_the_place_of_the_oldest() {
    let mut client = Client::new();
    for port in 0..MOST as u16 {
        client.register(&format!("Contact: <sip:alice@192.0.2.9:{}>", 6_000 + port));
    }
    client.register("Contact: <sip:alice@192.0.2.9:6000>");
    client.register("Contact: <sip:alice@192.0.2.9:7000>");
    let left = client.contacts();
    assert_eq!(left.len(), MOST);
    assert!(left.contains(&"sip:alice@192.0.2.9:6000".into()) && !left.contains(&"sip:alice@192.0.2.9:6001".into()));
    let many: Vec<String> = (0..=MOST).map(|n| format!("<sip:alice@192.0.2.9:{}>", 8_000 + n)).collect();
    assert_eq!(client.register(&format!("Contact: {}", many.join(", "))).0, 400);
}

const INSTANCE: &str = "+sip.instance=\"<urn:uuid:0C67446E-F1A1-11D9-94D3-000A95A0E128>\"";

#[test]
fn flows_of_an_instance_are_kept_apart_and_one_of_them_is_called() {
    let mut client = Client::new();
    let outbound = |client: &mut Client, port: u16, reg_id: u32, connection| {
        client.flow = flow(port, Some(connection));
        client.register(&format!(
            "Supported: outbound, gruu\nContact: <sip:alice@10.0.0.7:{port};transport=tcp>;reg-id={reg_id};{INSTANCE}"
        ))
    };
    let (status, contacts, headers) = outbound(&mut client, 4_001, 1, 1);
    assert_eq!((status, headers.get_str(&H::Require)), (200, Some("outbound")));
    assert!(contacts[0].contains(";reg-id=1"), "{contacts:?}");
    let gruu = "pub-gruu=\"sip:alice@example.com;gr=urn:uuid:0C67446E-F1A1-11D9-94D3-000A95A0E128\"";
    assert!(contacts[0].contains(gruu), "{contacts:?}");
    assert_eq!(outbound(&mut client, 4_002, 2, 2).1.len(), 2);
    let called = client.registrar.targets(client.now, "alice", None);
    assert_eq!((called.len(), called[0].reg_id), (1, Some(2)));
    // The first connection failed, and is made anew under another port: the same flow, as the client sees it.
    assert_eq!(outbound(&mut client, 4_003, 1, 3).1.len(), 2);
    assert!(
        client.registrar.is_flow_known(&flow(4_003, Some(3))) && !client.registrar.is_flow_known(&flow(4_001, Some(1)))
    );
    assert_eq!(client.registrar.closed(&flow(4_001, Some(1))).len(), 0, "an old flow's end takes nothing");
    let lost: Vec<_> = client.registrar.closed(&flow(4_003, Some(3)));
    assert_eq!((lost.len(), client.contacts().len()), (1, 1));
    assert_eq!(client.registrar.targets(client.now, "alice", None)[0].reg_id, Some(2));
    client.registrar.closed(&flow(4_002, Some(2)));
    assert!(client.registrar.is_empty() && client.registrar.connections.is_empty());
}

#[test]
fn the_gruu_of_an_instance_leads_to_that_one_alone() {
    let mut client = Client::new();
    client.register("Contact: <sip:alice@192.0.2.9>");
    client.register(&format!("Supported: gruu\nContact: <sip:alice@192.0.2.10>;{INSTANCE}"));
    let other = INSTANCE.replace("0C67446E", "1C67446E");
    client.register(&format!("Supported: gruu\nContact: <sip:alice@192.0.2.11>;{other}"));
    let called = |gr: &str| {
        let targets = client.registrar.targets(client.now, "alice", Some(gr));
        targets.iter().map(|target| target.contact.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(client.registrar.targets(client.now, "alice", None).len(), 3);
    assert_eq!(called("urn:uuid:0C67446E-F1A1-11D9-94D3-000A95A0E128"), ["sip:alice@192.0.2.10"]);
    assert_eq!(called("urn:uuid:1c67446e-f1a1-11d9-94d3-000a95a0e128"), ["sip:alice@192.0.2.11"]);
    assert!(called("urn:uuid:2C67446E-F1A1-11D9-94D3-000A95A0E128").is_empty());
}

#[test]
fn a_flow_number_that_cannot_be_kept_is_left_unheeded() {
    for contact in [
        format!("Contact: <sip:alice@192.0.2.9>;reg-id=1;{INSTANCE}"),
        "Supported: outbound\nContact: <sip:alice@192.0.2.9>;reg-id=1".to_owned(),
    ] {
        let mut client = Client::new();
        let (status, contacts, headers) = client.register(&contact);
        assert_eq!(status, 200);
        assert!(!contacts[0].contains("reg-id") && !headers.contains(&H::Require), "{contacts:?}");
    }
    let mut client = Client::new();
    let hop = format!(
        "Via: SIP/2.0/UDP 10.0.0.7;branch=z9hG4bK0\nSupported: outbound\nContact: <sip:alice@10.0.0.7>;reg-id=1;{INSTANCE}"
    );
    assert_eq!(client.register(&hop).0, 439, "the first hop knows nothing of flows");
}

#[test]
fn bindings_that_were_kept_elsewhere_do_not_replace_newer_ones() {
    let mut client = Client::new();
    client.register("Contact: <sip:alice@192.0.2.9>");
    let kept = client.registrar.live(client.now, "alice");
    let mut other = Registrar::default();
    other.restore("alice", kept.clone());
    assert_eq!(other.targets(client.now, "alice", None).len(), 1);
    assert!(other.is_flow_known(&flow(5060, None)));
    client.register("Contact: <sip:alice@192.0.2.9:5070>");
    client.registrar.restore("alice", kept);
    assert_eq!(client.contacts().len(), 2);
    assert!(client.registrar.remove("alice") && !client.registrar.remove("alice"));
}
