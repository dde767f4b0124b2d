use super::*;
use crate::dialplan::{Identity, NumberFormat, Trusting, parse};
use crate::sip::message::Message;
use bytes::Bytes;

fn british() -> NumberRules {
    NumberRules::of_country("GB").unwrap()
}

/// An INVITE as it comes from the wire, with these lines among its headers.
fn invite(from: &str, lines: &str) -> Request {
    let text = format!(
        "INVITE sip:1000@gateway.example SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
         From: {from};tag=1\r\n{lines}To: <sip:1000@gateway.example>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\
         Content-Length: 0\r\n\r\n"
    );
    match Message::parse(&Bytes::from(text)) {
        Ok(Message::Request(request)) => request,
        other => panic!("{lines}: {other:?}"),
    }
}

fn party(number: &str, name: Option<&str>) -> Party {
    Party { number: number.into(), name: name.map(str::to_owned) }
}

const FROM: &str = "\"Eve\" <sip:02079460100@peer.example>";

#[test]
fn what_an_untrusted_peer_claims_is_not_believed_however_it_is_written() {
    for smuggled in [
        "P-Asserted-Identity: <sip:+442079460999@boss.example>\r\n",
        "P-Asserted-Identity : <sip:+442079460999@boss.example>\r\n",
        "P-Asserted-Identity\t:<sip:+442079460999@boss.example>\r\n",
        "p-aSSERTED-iDENTITY: \"Boss\" <tel:+442079460999>\r\n",
        "P-Asserted-Identity:\r\n  <sip:+442079460999\r\n @boss.example>\r\n",
        "P-Asserted-Identity: <tel:+442079460999>\r\nP-Asserted-Identity: <sip:+442079460999@boss.example>\r\n",
        "P-Asserted-Identity: <sip:+442079460999@boss.example>, <tel:+442079460999>\r\n",
        "P-Preferred-Identity: <sip:+442079460999@boss.example>\r\n",
        "Remote-Party-ID: \"Boss\" <sip:+442079460999@boss.example>;party=calling;screen=yes\r\n",
        "remote-party-id :<sip:+442079460999@boss.example>\r\n",
        "Diversion: <sip:+442079460999@boss.example>;reason=unconditional\r\n",
        "History-Info: <sip:+442079460999@boss.example>;index=1\r\n",
        "X-Caller: +442079460999\r\nx-asserted-identity : +442079460999\r\n",
        "P-Asserted_Identity: <sip:+442079460999@boss.example>\r\nP-Charge-Info: <sip:+442079460999@boss.example>\r\n",
        "Referred-By: <sip:+442079460999@boss.example>\r\nb: <sip:+442079460999@boss.example>\r\n",
    ] {
        let request = invite(FROM, smuggled);
        let caller = caller(&request, false, &british());
        assert_eq!(caller.party, party("+442079460100", Some("Eve")), "{smuggled}");
        assert_eq!(caller.diverted_from, None, "{smuggled}");
        let left = believed(&request.headers, false);
        assert!(!left.iter().any(|(_, value)| String::from_utf8_lossy(value).contains("2079460999")), "{smuggled}");
    }
}

#[test]
fn what_a_trusted_peer_asserts_goes_before_from() {
    for (lines, expected) in [
        ("P-Asserted-Identity: \"Boss\" <sip:+442079460999@b>\r\n", party("+442079460999", Some("Boss"))),
        ("P-Asserted-Identity: <sip:boss@b>, <tel:+44-20-7946-0999>\r\n", party("+442079460999", Some("Eve"))),
        ("P-Asserted-Identity: tel:2079460999;phone-context=+44\r\n", party("+442079460999", Some("Eve"))),
        ("P-Asserted-Identity: <sip:00442079460999@b;user=phone>\r\n", party("+442079460999", Some("Eve"))),
        ("Remote-Party-ID: <sip:02079460999@b>;privacy=off\r\n", party("+442079460999", Some("Eve"))),
        ("Remote-Party-ID: <sip:02079460999@b>;party=called\r\n", party("+442079460100", Some("Eve"))),
        ("P-Asserted-Identity: <mailto:boss@b>\r\nP-Asserted-Identity: ???\r\n", party("+442079460100", Some("Eve"))),
    ] {
        assert_eq!(caller(&invite(FROM, lines), true, &british()).party, expected, "{lines}");
    }
    let diverted = invite(FROM, "Diversion: <sip:020 7946 0111@b>\r\nDiversion: <tel:+442079460222>\r\n");
    assert!(caller(&diverted, true, &british()).diverted_from.is_some_and(|number| number.starts_with("+44")));
}

#[test]
fn a_caller_who_does_not_want_to_be_known_is_not() {
    let asserted = "P-Asserted-Identity: \"Boss\" <sip:+442079460999@b>\r\n";
    for (from, lines) in [
        (FROM, format!("{asserted}Privacy: id\r\n")),
        (FROM, format!("{asserted}privacy : header; USER\r\n")),
        (FROM, "Privacy: full\r\n".to_owned()),
        (FROM, "Remote-Party-ID: <sip:02079460999@b>;privacy=full\r\n".to_owned()),
        ("\"Anonymous\" <sip:anonymous@anonymous.invalid>", String::new()),
        ("<sip:Anonymous@192.0.2.1>", String::new()),
        ("<sip:x@Anonymous.Invalid>", String::new()),
        ("<sip:192.0.2.1>", String::new()),
        ("<sip:restricted@b>", String::new()),
    ] {
        let caller = caller(&invite(from, &lines), true, &british());
        assert!(caller.withheld && caller.party == Party::default(), "{from} {lines}");
    }
    for open in ["Privacy: none\r\n", "Privacy: critical\r\n", ""] {
        assert!(!caller(&invite(FROM, open), false, &british()).withheld, "{open}");
    }
    // An untrusted peer may hide itself all the same.
    assert!(caller(&invite(FROM, "Privacy: id\r\n"), false, &british()).withheld);
}

#[test]
fn names_are_taken_without_control_characters_and_not_too_long() {
    let name = caller(&invite("\"E\u{1b}[31mve\" <sip:1001@b>", ""), false, &british()).party.name;
    assert_eq!(name.as_deref(), Some("E[31mve"));
    let long = format!("\"{}\" <sip:1001@b>", "n".repeat(500));
    assert_eq!(caller(&invite(&long, ""), false, &british()).party.name.map(|name| name.len()), Some(LONGEST_NAME));
}

fn trunk(lines: &str) -> std::sync::Arc<Trunk> {
    let text = format!(
        "[trunks.carrier]\naddress = [\"carrier.example\"]\nusername = \"acme\"\npassword = {{ env = \"P\" }}\n\
         caller_id = \"+442079460100\"\ncountry = \"GB\"\n{lines}\n[rooms.lobby]\n[[routes]]\nname = \"In\"\n\
         from = \"carrier\"\nnumber = \"1\"\nroom = \"lobby\"\n"
    );
    let loaded = parse("dialplan.toml", &text, &Trusting).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    std::sync::Arc::clone(loaded.plan.trunk("carrier").unwrap())
}

/// From and the other headers of a call to a trunk with these settings, in lines.
fn claimed(lines: &str, caller: Option<&Caller>, withheld: bool) -> Vec<String> {
    let trunk = trunk(lines);
    let host = Host::Name("carrier.example".into());
    let claims = claims(&trunk, &trunk.numbers, caller, caller.map(|_| "+442079460100"), &host, withheld);
    let headers =
        claims.headers.iter().map(|(name, value)| format!("{}: {}", name.as_str(), String::from_utf8_lossy(value)));
    std::iter::once(claims.from.to_string()).chain(headers).collect()
}

#[test]
fn our_number_stands_where_the_trunk_wants_it() {
    let own = "<sip:+442079460100@carrier.example>";
    assert_eq!(claimed("", None, false), [own]);
    assert_eq!(
        claimed("identity = \"p-asserted-identity\"", None, false),
        [own.to_owned(), format!("P-Asserted-Identity: {own}")]
    );
    assert_eq!(claimed("number_format = \"national\"", None, false), ["<sip:02079460100@carrier.example>"]);
    assert_eq!(claimed("from = \"username\"", None, false), ["<sip:acme@carrier.example>"]);
    assert_eq!(
        claimed("preset = \"sipgate\"", None, true),
        ["<sip:acme@carrier.example>", "P-Preferred-Identity: <sip:442079460100@carrier.example>", "Privacy: id"]
    );
}

#[test]
fn whoever_hides_is_nobody_to_the_called_and_known_to_the_trunk() {
    let nobody = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";
    assert_eq!(claimed("", None, true), [nobody, "Privacy: id"]);
    assert_eq!(
        claimed("preset = \"telnyx\"", None, true),
        [nobody, "P-Asserted-Identity: <sip:+442079460100@carrier.example>", "Privacy: id"]
    );
}

#[test]
fn a_forwarded_call_shows_its_caller_only_where_that_is_allowed() {
    let caller = Caller { party: party("+4921158000100", Some("Eve")), ..Caller::default() };
    assert_eq!(claimed("", Some(&caller), false), ["<sip:+442079460100@carrier.example>"]);
    assert_eq!(
        claimed("show_caller = true\ndiversion = true", Some(&caller), false),
        [
            "\"Eve\" <sip:+4921158000100@carrier.example>",
            "Diversion: <sip:+442079460100@carrier.example>;reason=unconditional"
        ]
    );
    let hidden = Caller { withheld: true, ..Caller::default() };
    assert_eq!(
        claimed("show_caller = true\nidentity = \"p-asserted-identity\"", Some(&hidden), false),
        [
            "\"Anonymous\" <sip:anonymous@anonymous.invalid>",
            "P-Asserted-Identity: <sip:+442079460100@carrier.example>",
            "Privacy: id"
        ]
    );
    // An extension is no number that the world could call back.
    let extension = Caller { party: party("1001", Some("Eve")), ..Caller::default() };
    assert_eq!(claimed("show_caller = true", Some(&extension), false), ["<sip:+442079460100@carrier.example>"]);
}

#[test]
fn a_setting_goes_before_the_preset() {
    let trunk = trunk("preset = \"sipgate\"\nnumber_format = \"+e164\"\ndiversion = false\nbare_numbers = false");
    let expected = Identity {
        header: IdentityHeader::Preferred,
        from: FromUser::Username,
        format: NumberFormat::PlusE164,
        ..Identity::default()
    };
    assert_eq!((trunk.identity, trunk.numbers.bare), (expected, false));
}
