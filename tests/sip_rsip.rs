//! What we write, an independent implementation reads as what we meant: rsip, for messages within its abilities.

use std::net::Ipv4Addr;

use partyline::sip::message::{
    CSeq, HeaderName, Host, Message, Method, NameAddr, Request, Response, StatusCode, Transport, Uri, Via,
};
use proptest::prelude::*;
use rsip::{
    SipMessage,
    prelude::{HasHeaders, HeadersExt, ToTypedHeader, UntypedHeader},
};

fn method() -> impl Strategy<Value = Method> {
    prop::sample::select(vec![
        Method::Invite,
        Method::Ack,
        Method::Bye,
        Method::Cancel,
        Method::Options,
        Method::Register,
        Method::Prack,
        Method::Update,
        Method::Info,
        Method::Subscribe,
        Method::Notify,
        Method::Refer,
        Method::Message,
        Method::Publish,
    ])
}

fn uri() -> impl Strategy<Value = Uri> {
    let host = prop_oneof![
        "[a-z]{1,8}\\.example\\.com".prop_map(|name| Host::from(name.as_str())),
        any::<[u8; 4]>().prop_map(|octets| Host::Ip(Ipv4Addr::from(octets).into())),
    ];
    ("[a-z0-9]{1,10}", host, prop::option::of(1024..65535u16))
        .prop_map(|(user, host, port)| Uri::sip(Some(&user), host, port))
}

fn request() -> impl Strategy<Value = Request> {
    let address = ("[A-Za-z ]{0,10}[A-Za-z]", uri(), "[a-z0-9]{6,12}")
        .prop_map(|(display, uri, tag)| NameAddr::new(uri).with_display(display).with_tag(tag));
    (method(), uri(), uri(), address, "[a-z0-9]{8,20}", 0..2_000_000_000u32, "[ -~]{0,60}").prop_map(
        |(method, target, contact, from, token, number, body)| {
            let via = Via::new(Transport::Udp, contact.host.clone(), contact.port, format!("z9hG4bK{token}"));
            let mut request = Request::new(method.clone(), target.clone());
            request.headers.push_display(HeaderName::Via, &via);
            request.headers.push(HeaderName::MaxForwards, "70");
            request.headers.push_display(HeaderName::From, &from);
            request.headers.push_display(HeaderName::To, &NameAddr::new(target));
            request.headers.push(HeaderName::CallId, token);
            request.headers.push_display(HeaderName::CSeq, &CSeq { number, method });
            request.headers.push_display(HeaderName::Contact, &NameAddr::new(contact));
            request.headers.push(HeaderName::Supported, "timer, 100rel");
            request.headers.push(HeaderName::UserAgent, "Partyline");
            request.headers.push(HeaderName::SessionExpires, "1800;refresher=uac");
            request.with_body("text/plain", body)
        },
    )
}

/// Every header line that we wrote is there, in order, with its value.
fn assert_same_headers(ours: &Message, theirs: &SipMessage) {
    let written: Vec<String> = ours
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)))
        .chain([format!("Content-Length: {}", ours.body().len())])
        .collect();
    let read: Vec<String> = theirs.headers().iter().map(ToString::to_string).collect();
    assert_eq!(read, written);
    assert_eq!(theirs.body()[..], ours.body()[..]);
}

fn assert_same_dialog_fields(ours: &Message, theirs: &impl HeadersExt) {
    let headers = ours.headers();
    let from = headers.from().unwrap();
    let their_from = theirs.from_header().unwrap().typed().unwrap();
    assert_eq!(their_from.tag().map(|tag| tag.value().to_owned()).as_deref(), from.tag());
    assert_eq!(their_from.uri.to_string(), from.uri.to_string());
    assert_eq!(theirs.call_id_header().unwrap().value(), &*headers.call_id().unwrap());
    let cseq = theirs.cseq_header().unwrap().typed().unwrap();
    assert_eq!((cseq.seq, cseq.method.to_string()), {
        let ours = headers.cseq().unwrap();
        (ours.number, ours.method.to_string())
    });
    let via = theirs.via_header().unwrap().typed().unwrap();
    let branch = via.branch().map(|branch| branch.value().to_owned());
    assert_eq!(branch.as_deref(), headers.via_top().unwrap().branch.as_deref());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rsip_reads_our_requests(request in request()) {
        let ours = Message::Request(request.clone());
        let theirs = SipMessage::try_from(&ours.to_bytes()[..]).unwrap();
        assert_same_headers(&ours, &theirs);
        let SipMessage::Request(theirs) = theirs else { panic!("a request") };
        prop_assert_eq!(theirs.method().to_string(), request.method.to_string());
        prop_assert_eq!(theirs.uri().to_string(), request.uri.to_string());
        assert_same_dialog_fields(&ours, &theirs);
    }

    #[test]
    fn rsip_reads_our_answers(request in request(), status in prop::sample::select(vec![100u16, 180, 200, 302, 404, 487, 503, 603])) {
        let mut response = Response::to_request(&request, StatusCode(status));
        response.set_to_tag("answerer");
        let ours = Message::Response(response.with_body("application/sdp", "v=0\r\n"));
        let theirs = SipMessage::try_from(&ours.to_bytes()[..]).unwrap();
        assert_same_headers(&ours, &theirs);
        let SipMessage::Response(theirs) = theirs else { panic!("a response") };
        prop_assert_eq!(theirs.status_code().code(), status);
        let to = theirs.to_header().unwrap().typed().unwrap();
        prop_assert_eq!(to.tag().map(|tag| tag.value().to_owned()), Some("answerer".to_owned()));
        assert_same_dialog_fields(&ours, &theirs);
    }

    #[test]
    fn we_read_what_rsip_writes(request in request()) {
        let ours = Message::Request(request);
        let theirs = SipMessage::try_from(&ours.to_bytes()[..]).unwrap();
        let bytes = bytes::Bytes::from(theirs.to_string());
        prop_assert_eq!(Message::parse(&bytes), Ok(ours));
    }
}
