use super::super::*;
use super::{Raw, secs};
use crate::sip::message::{HeaderName as H, Method, Request, StatusCode};

fn config(raw: &Raw) -> RegistrationConfig {
    RegistrationConfig {
        flow: raw.flow,
        registrar: "sip:example.com".parse().unwrap(),
        address: "<sip:acme@example.com>".parse().unwrap(),
        credentials: Some(Credentials::new("acme", "secret")),
        expires: secs(600),
        contact_user: None,
        bulk: false,
        headers: crate::sip::message::Headers::new(),
        route: Vec::new(),
    }
}

fn register(raw: &mut Raw) -> (RegistrationId, Request) {
    let (now, config) = (raw.now, config(raw));
    let id = raw.endpoint.register(now, config);
    (id, raw.request())
}

fn answer_with(raw: &mut Raw, request: &Request, headers: &[(H, &str)]) {
    let contact = request.headers.get_str(&H::Contact).unwrap().to_owned();
    raw.answer(request, 200, "r", |response| {
        response.headers.push(H::Contact, format!("{contact};expires=300"));
        for (name, value) in headers {
            response.headers.push(name.clone(), (*value).to_owned());
        }
    });
    raw.sent();
}

fn grant(raw: &mut Raw, request: &Request, expires: u32) {
    let contact = request.headers.get_str(&H::Contact).unwrap().to_owned();
    raw.answer(request, 200, "r", move |response| {
        response.headers.push(H::Contact, format!("<sip:old@192.0.2.200>;expires=5, {contact};expires={expires}"));
    });
    raw.sent();
}

#[test]
fn a_registration_answers_the_challenge_and_is_kept_alive() {
    let mut raw = Raw::new();
    let (id, first) = register(&mut raw);
    assert_eq!(first.headers.get_str(&H::Expires), Some("600"));
    let user = first.contact().unwrap().uri.user.unwrap();
    assert_eq!(raw.endpoint.registered_contact_user(id), Some(user.as_str()));
    assert_eq!(user.len(), 32);
    raw.answer(&first, 401, "r", |response| {
        response
            .headers
            .push(H::WwwAuthenticate, "Digest realm=\"example.com\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"");
    });
    let second = raw.request();
    assert!(second.headers.contains(&H::Authorization));
    assert_eq!(second.cseq().unwrap().number, first.cseq().unwrap().number + 1);
    grant(&mut raw, &second, 300);
    let Some(Event::Registered { expires, .. }) = raw.events.pop() else { panic!() };
    assert_eq!(expires, secs(300), "what the registrar granted our Contact");
    raw.wait(secs(209));
    assert!(raw.requests().is_empty());
    let refresh = (0..62).find_map(|_| {
        raw.wait(secs(1));
        raw.requests().pop()
    });
    let refresh = refresh.expect("refreshed by nine tenths of the time");
    assert!(refresh.headers.contains(&H::Authorization), "without waiting for another challenge");
    assert_eq!((refresh.call_id(), refresh.contact().unwrap()), (first.call_id(), first.contact().unwrap()));
    grant(&mut raw, &refresh, 300);
    let now = raw.now;
    raw.endpoint.unregister(now, id).unwrap();
    let removal = raw.request();
    assert_eq!(removal.headers.get_str(&H::Expires), Some("0"));
    grant(&mut raw, &removal, 0);
    assert!(matches!(raw.events.pop(), Some(Event::Unregistered { .. })));
    raw.finish();
}

#[test]
fn too_brief_an_interval_is_raised() {
    let mut raw = Raw::new();
    let (_, first) = register(&mut raw);
    raw.answer(&first, 423, "r", |response| response.headers.push(H::MinExpires, "1800"));
    let second = raw.request();
    assert_eq!(second.headers.get_str(&H::Expires), Some("1800"));
    raw.answer(&second, 423, "r", |response| response.headers.push(H::MinExpires, "1800"));
    assert!(raw.requests().is_empty(), "no ping-pong");
    assert!(matches!(raw.events.pop(), Some(Event::RegistrationFailed { status: StatusCode::INTERVAL_TOO_BRIEF, .. })));
}

#[test]
fn failures_are_tried_again_ever_more_slowly_and_retry_after_is_heeded() {
    let mut raw = Raw::new();
    let (id, mut request) = register(&mut raw);
    let mut waits = Vec::new();
    for _ in 0..10 {
        raw.answer(&request, 500, "r", |_| {});
        raw.sent();
        let Some(Event::RegistrationFailed { retry_at: Some(at), .. }) = raw.events.pop() else { panic!() };
        let wait = at - raw.now.instant;
        waits.push(wait);
        raw.wait(wait);
        request = raw.requests().pop().unwrap();
        assert_eq!(request.method, Method::Register);
    }
    assert!(waits[0] <= secs(10) && waits[9] >= secs(900) && waits[9] <= secs(1800), "{waits:?}");
    raw.answer(&request, 503, "r", |response| response.headers.push(H::RetryAfter, "1800"));
    raw.sent();
    let Some(Event::RegistrationFailed { retry_at: Some(at), .. }) = raw.events.pop() else { panic!() };
    assert_eq!(at - raw.now.instant, secs(1800));
    let now = raw.now;
    raw.endpoint.unregister(now, id).unwrap();
    raw.sent();
    assert!(matches!(raw.events.pop(), Some(Event::Unregistered { .. })), "there was no binding to remove");
    raw.finish();
}

#[test]
fn silence_and_a_dead_transport_count_as_failures() {
    let mut raw = Raw::new();
    let (id, _) = register(&mut raw);
    raw.wait(secs(32));
    raw.sent();
    assert!(matches!(raw.events.pop(), Some(Event::RegistrationFailed { status: StatusCode::REQUEST_TIMEOUT, .. })));
    raw.wait(secs(10));
    raw.sent();
    let (now, flow) = (raw.now, raw.flow);
    raw.endpoint.handle_input(now, Input::SendFailed { flow }, &mut super::Open);
    raw.sent();
    assert!(matches!(
        raw.events.pop(),
        Some(Event::RegistrationFailed { status: StatusCode::SERVICE_UNAVAILABLE, .. })
    ));
    raw.endpoint.unregister(now, id).unwrap();
    raw.finish();
}

#[test]
fn unregistering_waits_for_the_register_under_way() {
    let mut raw = Raw::new();
    let (id, first) = register(&mut raw);
    let now = raw.now;
    raw.endpoint.unregister(now, id).unwrap();
    assert_eq!(raw.endpoint.unregister(now, id), Err(EndpointError::WrongState));
    assert!(raw.requests().is_empty());
    let contact = first.headers.get_str(&H::Contact).unwrap().to_owned();
    raw.answer(&first, 200, "r", move |response| response.headers.push(H::Contact, contact));
    let removal = raw.request();
    assert_eq!(removal.headers.get_str(&H::Expires), Some("0"));
    raw.answer(&removal, 500, "r", |_| {});
    raw.sent();
    assert!(matches!(raw.events.pop(), Some(Event::Unregistered { .. })));
    raw.finish();
}

#[test]
fn a_service_route_lasts_as_long_as_the_binding() {
    let mut raw = Raw::new();
    let (id, first) = register(&mut raw);
    assert_eq!(first.headers.get_str(&H::Supported), Some("path"), "all that Path asks of us (RFC 3327 section 5.1)");
    assert!(raw.endpoint.service_route(raw.now, id).is_empty());
    answer_with(
        &mut raw,
        &first,
        &[(H::ServiceRoute, "<sip:p2.example;lr>, <sip:strict.example>, <sip:hsp.example;lr>")],
    );
    assert!(matches!(raw.events.pop(), Some(Event::Registered { ignored_routes: 1, .. })));
    let written =
        |raw: &Raw| raw.endpoint.service_route(raw.now, id).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(written(&raw), ["<sip:p2.example;lr>", "<sip:hsp.example;lr>"]);
    // The refresh brings another one.
    raw.wait(secs(271));
    let refresh = raw.requests().remove(0);
    assert!(!refresh.headers.contains(&H::Route), "REGISTER itself does not take it (RFC 3608 section 5)");
    answer_with(&mut raw, &refresh, &[(H::ServiceRoute, "<sip:p3.example;lr>")]);
    assert_eq!(written(&raw), ["<sip:p3.example;lr>"]);
    // Refreshes that fail leave it until the binding has run out.
    raw.wait(secs(299));
    assert_eq!(written(&raw), ["<sip:p3.example;lr>"]);
    raw.wait(secs(1));
    assert_eq!(written(&raw), [""; 0]);
}

#[test]
fn a_service_route_is_forgotten_when_the_binding_is_made_elsewhere_or_given_up() {
    let mut raw = Raw::new();
    let (id, first) = register(&mut raw);
    answer_with(&mut raw, &first, &[(H::ServiceRoute, "<sip:p2.example;lr>")]);
    let (now, here) = (raw.now, raw.flow);
    raw.endpoint.register_by(now, id, here);
    assert_eq!(raw.endpoint.service_route(now, id).len(), 1, "the same server");
    raw.endpoint.register_by(now, id, Flow { remote: "192.0.2.10:5060".parse().unwrap(), ..here });
    assert!(raw.endpoint.service_route(now, id).is_empty());
    let second = raw.requests().pop().unwrap();
    answer_with(&mut raw, &second, &[]);
    raw.endpoint.unregister(now, id).unwrap();
    let removal = raw.request();
    answer_with(&mut raw, &removal, &[(H::ServiceRoute, "<sip:p2.example;lr>")]);
    assert!(raw.endpoint.service_route(now, id).is_empty());
}

#[test]
fn the_password_is_for_the_server_that_is_asked_now_and_not_for_the_one_before() {
    const CHALLENGE: &str = "Digest realm=\"example.com\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"";
    let mut raw = Raw::new();
    let (id, first) = register(&mut raw);
    let (now, here) = (raw.now, raw.flow);
    let there = Flow { remote: "192.0.2.10:5060".parse().unwrap(), ..here };
    raw.endpoint.register_by(now, id, there);
    let second = raw.requests().pop().unwrap();
    // What the former server still says moves nobody.
    raw.answer(&first, 401, "r", |response| response.headers.push(H::WwwAuthenticate, CHALLENGE));
    assert!(raw.requests().is_empty());
    raw.flow = there;
    raw.answer(&second, 401, "r", |response| response.headers.push(H::WwwAuthenticate, CHALLENGE));
    assert!(raw.request().headers.contains(&H::Authorization));
}

#[test]
fn a_bulk_registration_tells_a_contact_without_a_user() {
    let mut raw = Raw::new();
    let (now, config) = (raw.now, RegistrationConfig { bulk: true, ..config(&raw) });
    let id = raw.endpoint.register(now, config);
    let first = raw.request();
    assert_eq!(first.headers.get_str(&H::Contact), Some("<sip:192.0.2.1:5060;bnc>"));
    for name in [H::Require, H::ProxyRequire] {
        assert_eq!(first.headers.get_str(&name), Some("gin"), "{name:?}");
    }
    assert_eq!(raw.endpoint.registered_contact_user(id), None);
    assert_eq!(raw.endpoint.registered_contact_address(id), Some("192.0.2.1:5060".parse().unwrap()));
    // The port is implied, the others' are not ours.
    raw.answer(&first, 200, "r", |response| {
        let contacts =
            "<sip:192.0.2.1:5070;bnc>;expires=7, <sip:a@192.0.2.1>;expires=8, <sip:192.0.2.1;bnc>;expires=120";
        response.headers.push(H::Contact, contacts);
    });
    raw.sent();
    let Some(Event::Registered { expires, .. }) = raw.events.pop() else { panic!() };
    assert_eq!(expires, secs(120));
}

#[test]
fn an_ordinary_registration_asks_for_no_bulk() {
    let mut raw = Raw::new();
    let (_, first) = register(&mut raw);
    assert!(!first.headers.contains(&H::Require) && !first.headers.contains(&H::ProxyRequire));
    assert!(!first.headers.get_str(&H::Contact).unwrap().contains("bnc"));
}
