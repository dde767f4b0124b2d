//! Delimiters inside quoted strings are text, whichever header they stand in (RFC 3261 section 25.1).

use bytes::Bytes;
use partyline::sip::auth::{Authorization, Challenge};
use partyline::sip::message::{
    Contacts, Diversion, HeaderName as H, Headers, Message, Method, NameAddr, Reason, Replaces, Request, RetryAfter,
    SessionExpires, Via, Warning, WithParams, check_request,
};
use proptest::prelude::*;

/// Headers whose values are addresses, one or a list of them.
const ADDRESSES: [H; 14] = [
    H::From,
    H::To,
    H::Contact,
    H::Route,
    H::RecordRoute,
    H::Path,
    H::ServiceRoute,
    H::PAssertedIdentity,
    H::PPreferredIdentity,
    H::ReferTo,
    H::ReferredBy,
    H::RemotePartyId,
    H::Diversion,
    H::HistoryInfo,
];

/// A quoted string's inside that holds every delimiter there is, the quote and the backslash escaped.
const INSIDE: &str = r#"<urn:uuid:f81d4fae>, \"x\\y\"; tag=no=<>?@:"#;

fn request() -> Request {
    Request::new(Method::Invite, "sip:room@192.0.2.1".parse().unwrap())
        .with(H::Via, "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1")
        .with(H::From, "<sip:peer@192.0.2.9>;tag=peer")
        .with(H::To, "<sip:room@192.0.2.1>")
        .with(H::CallId, "c")
        .with(H::CSeq, "1 INVITE")
        .with(H::Contact, "<sip:peer@192.0.2.9>")
}

/// The request as it is read from the wire with this line in the place of any of its name.
fn received(name: H, value: &str) -> Request {
    let mut request = request();
    request.headers.set(name, value.to_owned());
    match Message::parse(&request.to_bytes()) {
        Ok(Message::Request(request)) => request,
        other => panic!("{value}: {other:?}"),
    }
}

fn addresses(headers: &Headers, name: &H) -> Vec<NameAddr> {
    headers.addresses(name).unwrap_or_else(|error| panic!("{name:?}: {error}"))
}

#[test]
fn an_address_without_brackets_keeps_its_quoted_parameter_in_every_header() {
    for name in ADDRESSES {
        let request = received(name.clone(), &format!(r#"sip:x@host.example;+sip.instance="{INSIDE}";tag=yes"#));
        assert_eq!(check_request(&request), Ok(()), "{name:?}");
        let [address] = &addresses(&request.headers, &name)[..] else { panic!("{name:?} is one address") };
        assert_eq!(address.uri.to_string(), "sip:x@host.example");
        assert_eq!((address.display.as_deref(), address.tag()), (None, Some("yes")), "{name:?}");
        assert_eq!(address.params.get("+sip.instance"), Some(&*format!("\"{INSIDE}\"")), "{name:?}");
    }
}

#[test]
fn an_address_in_brackets_keeps_its_quoted_name_and_parameter_in_every_header() {
    for name in ADDRESSES {
        let value = format!(r#""{INSIDE}" <sip:x@host.example;lr>;+sip.instance="{INSIDE}";tag=yes"#);
        let request = received(name.clone(), &value);
        assert_eq!(check_request(&request), Ok(()), "{name:?}");
        let [address] = &addresses(&request.headers, &name)[..] else { panic!("{name:?} is one address") };
        assert_eq!(address.display.as_deref(), Some(r#"<urn:uuid:f81d4fae>, "x\y"; tag=no=<>?@:"#));
        assert_eq!((address.tag(), address.uri.is_loose_router()), (Some("yes"), true), "{name:?}");
    }
}

#[test]
fn a_list_is_split_between_its_addresses_only() {
    for name in ADDRESSES.into_iter().filter(|name| !matches!(name, H::From | H::To)) {
        let one = format!(r#"sip:x@host.example;p="{INSIDE}""#);
        let two = format!(r#""{INSIDE}" <sip:y@host.example,a>;p="{INSIDE}""#);
        let request = received(name.clone(), &format!("{one}, {two} ,{one}"));
        let read: Vec<_> = request.headers.values(&name).collect();
        assert_eq!(read, [one.as_bytes(), two.as_bytes(), one.as_bytes()], "{name:?}");
    }
}

#[test]
fn every_other_header_with_parameters_keeps_its_quoted_strings() {
    let quoted = format!("\"{INSIDE}\"");
    let plain = r#"<urn:uuid:f81d4fae>, "x\y"; tag=no=<>?@:"#;
    let bytes = |text: String| Bytes::from(text);

    let via = Via::parse(&bytes(format!("SIP/2.0/UDP h.example;x={quoted};branch=z9hG4bKa"))).unwrap();
    assert_eq!((via.branch.as_deref(), via.params.get("x")), (Some("z9hG4bKa"), Some(&*quoted)));
    let reason = Reason::parse(&bytes(format!("Q.850;text={quoted};cause=16"))).unwrap();
    assert_eq!((reason.cause(), reason.text().as_deref()), (Some(16), Some(plain)));
    let replaces = Replaces::parse(&bytes(format!("c@h;x={quoted};to-tag=1;from-tag=2"))).unwrap();
    assert_eq!((&*replaces.to_tag, &*replaces.from_tag), ("1", "2"));
    let expires = SessionExpires::parse(&bytes(format!("90;x={quoted};refresher=uas"))).unwrap();
    assert!(expires.refresher.is_some());
    let retry = RetryAfter::parse(&bytes(format!("5;x={quoted};duration=7"))).unwrap();
    assert_eq!(retry.params.get("duration"), Some("7"));
    let warning = Warning::parse(&bytes(format!("399 h.example {quoted}"))).unwrap();
    assert_eq!(&*warning.text, plain);
    let diversion = Diversion::parse(&bytes(format!("sip:a@h;reason={quoted};counter=3"))).unwrap();
    assert_eq!((diversion.reason().as_deref(), diversion.counter()), (Some(plain), 3));
    let kind = WithParams::parse(&bytes(format!("multipart/mixed;x={quoted};boundary=b"))).unwrap();
    assert_eq!((kind.is("multipart/mixed"), kind.params.get("boundary")), (true, Some("b")));
    let challenge = Challenge::parse(&bytes(format!("Digest realm={quoted}, nonce=\"n\""))).unwrap();
    assert_eq!((&*challenge.realm, &*challenge.nonce), (plain, "n"));
    let answer = format!("Digest username={quoted}, realm=\"r\", nonce=\"n\", uri=\"sip:a@h\", response=\"0\"");
    assert_eq!(&*Authorization::parse(&bytes(answer)).unwrap().username, plain);
    for open in [r#"Digest realm="a\", nonce=n"#, r#"Digest realm="a" "b", nonce=n"#, r#"Digest realm=a"b", nonce=n"#] {
        assert!(Challenge::parse(&open.into()).is_err(), "{open}");
    }
}

#[test]
fn a_list_header_of_many_kinds_is_split_outside_its_quoted_strings() {
    for name in [H::Reason, H::Warning, H::Accept, H::Via] {
        let one = format!("a;text=\"{INSIDE}\"");
        let request = received(name.clone(), &format!("{one},{one}"));
        assert_eq!(request.headers.values(&name).collect::<Vec<_>>(), [one.as_bytes(), one.as_bytes()], "{name:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever text goes into the quoted strings of a list of addresses comes out of it again, and nothing else.
    #[test]
    fn any_text_in_quoted_strings_is_read_as_it_was_written(
        texts in prop::collection::vec(("[<>,;=\"\\\\ a?@:*\u{e4}]{0,12}", any::<bool>()), 1..5),
    ) {
        let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        let written: Vec<_> = texts.iter().enumerate().map(|(at, (text, bare))| match bare {
            true => format!("sip:u{at}@h.example;p={};q=0.{at}", quoted(text)),
            false => format!("{} <sip:u{at}@h.example>;p={};q=0.{at}", quoted(text), quoted(text)),
        }).collect();
        let request = received(H::Contact, &written.join(", "));
        let Ok(Contacts::List(read)) = request.contacts() else { panic!("{written:?}") };
        prop_assert_eq!(read.len(), texts.len());
        for (at, (address, (text, bare))) in read.iter().zip(&texts).enumerate() {
            prop_assert_eq!(address.uri.to_string(), format!("sip:u{at}@h.example"));
            let param = address.params.get_unquoted("p");
            prop_assert_eq!(param.as_deref(), Some(text.as_str()));
            prop_assert_eq!(address.params.get("q"), Some(&*format!("0.{at}")));
            prop_assert_eq!(address.display.as_deref(), (!bare).then_some(text.as_str()));
        }
    }
}
