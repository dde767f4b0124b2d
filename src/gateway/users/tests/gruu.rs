//! Whoever calls the GRUU of one of a user's clients reaches that one alone (RFC 5627).

use super::desk::{ALICE, BOB, Client, Desk, PLAN};
use crate::sip::message::{HeaderName as H, Method, Request};
use bytes::Bytes;

const INSTANCES: [&str; 2] =
    ["urn:uuid:0c67446e-f1a1-11d9-94d3-000a95a0e128", "urn:uuid:1c67446e-f1a1-11d9-94d3-000a95a0e128"];
const ROUTES: &str = "\n[[routes]]\nname = \"ToUser\"\nfrom = \"users\"\nnumber = \"alice\"\nto_user = \"{number}\"\n";

/// Alice registers by two clients that are told their GRUUs, and by one that has none.
fn desk(routes: &str) -> (Desk, [String; 2]) {
    let mut desk = Desk::with(&format!("{PLAN}{routes}"));
    Client::new(ALICE, 12).register(&mut desk).unwrap();
    let gruus = [0, 1].map(|at| {
        let host = 10 + at as u8;
        let mut client = Client::new(ALICE, host);
        let mut register = client.request(Method::Register, "alice").with(H::Supported, "gruu");
        let contact = format!("<sip:alice@192.0.2.{host}:5060>;+sip.instance=\"<{}>\"", INSTANCES[at]);
        register.headers.set(H::Contact, contact);
        let answer = client.ask(&mut desk, register).unwrap();
        let contacts: Vec<String> =
            answer.headers.values(&H::Contact).map(|value| String::from_utf8_lossy(&value).into_owned()).collect();
        let mine = contacts.iter().find(|contact| contact.contains(INSTANCES[at])).unwrap();
        mine.split("pub-gruu=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    });
    (desk, gruus)
}

/// Where requests of this method to `uri` go.
fn reached(desk: &mut Desk, method: Method, uri: &str) -> Vec<u8> {
    let mut bob = Client::new(BOB, 20);
    let mut request: Request = bob.request(method.clone(), "alice");
    request.uri = uri.parse().unwrap();
    let offer = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
    let request = match method {
        Method::Invite => request.with_body("application/sdp", Bytes::from_static(offer.as_bytes())),
        _ => request.with_body("text/plain", Bytes::from_static(b"hello")),
    };
    if let Some(answer) = bob.ask(desk, request) {
        assert_eq!(answer.status.0, 480, "nobody is there");
    }
    let requests = desk.requests().into_iter().filter(|(_, request)| request.method == method);
    let mut hosts: Vec<u8> = requests.map(|(flow, _)| flow.remote.ip().to_string()[8..].parse().unwrap()).collect();
    hosts.sort_unstable();
    hosts
}

#[test]
fn a_gruu_leads_to_its_instance_and_the_users_address_to_all() {
    for target in ["{number}", "direct"] {
        for method in [Method::Invite, Method::Message] {
            let at = |uri: &str| {
                let (mut desk, gruus) = desk(&ROUTES.replace("{number}", target));
                assert_eq!(gruus[0], format!("sip:alice@sip.example.com;gr={}", INSTANCES[0]));
                reached(&mut desk, method.clone(), &uri.replace("FIRST", &gruus[0]).replace("SECOND", &gruus[1]))
            };
            assert_eq!(at("FIRST"), [10], "{target} {method:?}");
            assert_eq!(at("SECOND"), [11], "{target} {method:?}");
            assert_eq!(at("sip:alice@sip.example.com"), [10, 11, 12], "{target} {method:?}");
            assert!(at("sip:alice@sip.example.com;gr=urn:uuid:2c67446e-f1a1-11d9-94d3-000a95a0e128").is_empty());
        }
    }
}
