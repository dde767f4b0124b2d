//! Properties of the message layer: no bytes make it panic, and what it writes it reads as the same.

use std::{collections::BTreeSet, path::PathBuf, sync::LazyLock};

use bytes::Bytes;
use partyline::sip::{
    auth::{Authorization, Challenge},
    message::{
        Contacts, Date, Diversion, Expires, Frame, HeaderName, Headers, Message, Method, NameAddr, Outline, ParseError,
        RAck, RSeq, Reason, Replaces, Request, Response, RetryAfter, StatusCode, StreamFramer, Text, Uri, Via, Warning,
        check_request, check_response,
    },
};
use proptest::prelude::*;

use crate::{torture_ipv6::RFC5118, torture_own};

/// Reads a message in every way there is and checks what must hold for any bytes. Whether it was a message.
pub fn exercise(bytes: &Bytes) -> bool {
    let mut framer = StreamFramer::new();
    framer.push(bytes);
    assert!(framer.by_ref().count() <= bytes.len());
    let outline = Outline::of(bytes);
    let message = match Message::parse(bytes) {
        Ok(message) => message,
        Err(error) => {
            if let Some(stub) = error.stub() {
                let status = error.status().expect("a stub is there to be answered");
                let answer = Message::Response(Response::to_request(stub, status));
                assert_eq!(Message::parse(&answer.to_bytes()), Ok(answer));
            }
            return false;
        }
    };
    let written = message.to_bytes();
    // Writing out compact names and line ends can only push a message over a bound, not change it.
    match Message::parse(&written) {
        Ok(again) => assert_eq!(again, message),
        Err(error) => assert!(written.len() > 8_000, "{error}"),
    }
    read_headers(message.headers());
    assert_eq!(message.response().is_some(), outline == Outline::Response, "{outline:?}");
    match &message {
        Message::Request(request) => {
            let _checked = check_request(request);
            let mut marked = request.clone();
            if let Ok(via) = marked.mark_received("[2001:db8::5]:5060".parse().unwrap()) {
                assert_eq!(marked.via_top().as_ref(), Ok(&via));
            }
            let _ = (request.max_forwards(), request.supports("timer"), request.contact());
            let mut answer = Response::to_request(request, StatusCode::OK);
            answer.set_to_tag("ours");
            if let Ok(to) = answer.to() {
                assert!(to.tag().is_some());
            }
        }
        Message::Response(response) => drop((check_response(response), response.retry_after())),
    }
    true
}

/// Reads every header as every type; what is read must be read again as the same when written.
fn read_headers(headers: &Headers) {
    macro_rules! again {
        ($value:expr, $($type:ty),*) => {
            $(if let Ok(parsed) = <$type>::parse($value) {
                let written = Bytes::from(parsed.to_string());
                assert_eq!(<$type>::parse(&written).as_ref(), Ok(&parsed), "{written:?}");
            })*
        };
    }
    for (name, line) in headers.iter() {
        for value in headers.values(name).take(20) {
            again!(&value, Uri, NameAddr, Via, Reason, Replaces, Diversion, RAck, Warning);
        }
        again!(line, Uri, NameAddr, Via, RSeq, Expires, RetryAfter, Date, Challenge, Authorization);
    }
    if let Ok(Contacts::List(list)) = headers.contacts() {
        assert!(list.len() <= headers.values(&HeaderName::Contact).count());
    }
}

static OWN_MESSAGES: LazyLock<Vec<Bytes>> = LazyLock::new(|| {
    let torture = torture_own::messages().into_iter().map(|(_, bytes)| bytes);
    torture.chain(RFC5118.iter().map(|case| case.bytes())).collect()
});

/// One change to a message.
#[derive(Clone, Debug)]
enum Mutation {
    Set(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, usize),
    Repeat(prop::sample::Index, usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let awkward = prop::sample::select(
        [
            "\r\n",
            "\n",
            "\r",
            "\r\n ",
            "\"",
            "\\",
            "<",
            ">",
            ";",
            ",",
            "=",
            ":",
            "@",
            "?",
            "[",
            "]",
            "%",
            "%0",
            "\0",
            "(",
            ")",
            "*",
            "\u{fffd}",
            " ",
            "\t",
            "SIP/2.0",
            "z9hG4bK",
            "99999999999999999999",
            "-1",
            "l: 3\r\n",
            "::",
        ]
        .map(|text| text.as_bytes().to_vec())
        .to_vec(),
    );
    let bytes = prop_oneof![awkward, prop::collection::vec(any::<u8>(), 1..6)];
    prop_oneof![
        (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        (any::<prop::sample::Index>(), bytes).prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        (any::<prop::sample::Index>(), 1..40usize).prop_map(|(at, count)| Mutation::Remove(at, count)),
        (any::<prop::sample::Index>(), 1..40usize).prop_map(|(at, count)| Mutation::Repeat(at, count)),
    ]
}

fn mutate(bytes: &mut Vec<u8>, mutation: &Mutation) {
    if bytes.is_empty() {
        return;
    }
    match mutation {
        Mutation::Set(at, byte) => {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        Mutation::Insert(at, inserted) => {
            let at = at.index(bytes.len());
            bytes.splice(at..at, inserted.iter().copied());
        }
        Mutation::Remove(at, count) => {
            let at = at.index(bytes.len());
            bytes.drain(at..(at + count).min(bytes.len()));
        }
        Mutation::Repeat(at, count) => {
            let at = at.index(bytes.len());
            let piece = bytes[at..(at + count).min(bytes.len())].to_vec();
            bytes.splice(at..at, piece);
        }
    }
}

fn method() -> impl Strategy<Value = Method> {
    prop_oneof![
        Just(Method::Invite),
        Just(Method::Ack),
        Just(Method::Bye),
        Just(Method::Options),
        "[!-+.A-Z]{0,3}[A-Z]{1,6}".prop_filter_map("a token", |name| {
            let token = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b));
            token.then(|| Method::from_token(Text::from(name)))
        }),
    ]
}

fn uri() -> impl Strategy<Value = Uri> {
    let host = prop_oneof![
        "[a-z][a-z0-9-]{0,8}\\.example".prop_map(|name| name.as_str().into()),
        any::<std::net::IpAddr>().prop_map(partyline::sip::message::Host::from),
    ];
    let params = prop::collection::vec(("[a-z]{1,6}", prop::option::of("[a-zA-Z0-9%._-]{0,8}")), 0..3);
    (prop::option::of("\\PC{1,12}"), host, prop::option::of(any::<u16>()), params).prop_map(
        |(user, host, port, params)| {
            let mut uri = Uri::sip(user.as_deref(), host, port);
            for (name, value) in params {
                match value {
                    Some(value) => uri.params.set(&name, value),
                    None => uri.params.set_flag(&name),
                }
            }
            uri
        },
    )
}

fn headers() -> impl Strategy<Value = Headers> {
    // What parsing trims and unfolds is not there to begin with.
    let value = prop::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| {
        let clean: Vec<u8> = bytes.into_iter().map(|b| if matches!(b, b'\r' | b'\n') { b'.' } else { b }).collect();
        Bytes::copy_from_slice(clean.trim_ascii()).slice(..)
    });
    let value = value.prop_filter("trimmed", |value| {
        let space = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_whitespace());
        !space(value.first()) && !space(value.last())
    });
    let name = prop_oneof![
        "[A-Za-z][A-Za-z0-9!%*_+`'~.-]{0,16}".prop_map(|name| HeaderName::from(name.as_str())),
        prop::sample::select(vec![HeaderName::Via, HeaderName::From, HeaderName::Contact, HeaderName::Route]),
    ];
    let name = name.prop_filter("framing", |name| *name != HeaderName::ContentLength);
    prop::collection::vec((name, value), 0..12).prop_map(|lines| {
        let mut headers = Headers::new();
        for (name, value) in lines {
            headers.push(name, value);
        }
        headers
    })
}

fn message() -> impl Strategy<Value = Message> {
    let body = || prop::collection::vec(any::<u8>(), 0..100).prop_map(Bytes::from);
    let request = (method(), uri(), headers(), body())
        .prop_map(|(method, uri, headers, body)| Message::Request(Request { method, uri, headers, body }));
    let response =
        (100..700u16, "([!-~]\\PC{0,20}[!-~])?", headers(), body()).prop_map(|(status, reason, headers, body)| {
            Message::Response(Response { status: StatusCode(status), reason: reason.into(), headers, body })
        });
    prop_oneof![request, response]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        exercise(&bytes.into());
    }

    #[test]
    fn any_header_lines_are_survived(lines in "([A-Za-z-]{1,12} ?: ?[ -~]{0,40}\r?\n){0,10}\r?\n?") {
        exercise(&format!("OPTIONS sip:a@b SIP/2.0\r\n{lines}").into());
        exercise(&format!("SIP/2.0 200 OK\r\n{lines}").into());
    }

    #[test]
    fn mutated_messages_are_survived(
        which in any::<prop::sample::Index>(),
        mutations in prop::collection::vec(mutation(), 1..8),
    ) {
        let mut bytes = which.get(&OWN_MESSAGES).to_vec();
        for change in &mutations {
            mutate(&mut bytes, change);
        }
        exercise(&bytes.into());
    }

    #[test]
    fn a_message_is_read_as_it_was_built(message in message()) {
        prop_assert_eq!(Message::parse(&message.to_bytes()), Ok(message));
    }

    #[test]
    fn messages_come_whole_out_of_a_stream(
        messages in prop::collection::vec(message(), 0..4),
        cuts in prop::collection::vec(1..200usize, 1..20),
    ) {
        let stream: Vec<u8> = messages.iter().flat_map(|message| message.to_bytes()).collect();
        let mut framer = StreamFramer::new();
        let mut found = Vec::new();
        let mut rest = &stream[..];
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (now, later) = rest.split_at((*cut).min(rest.len()));
            framer.push(now);
            found.extend(framer.by_ref().map(|frame| match frame {
                Ok(Frame::Message(bytes)) => Message::parse(&bytes),
                _ => Err(ParseError::NotSip),
            }));
            rest = later;
        }
        prop_assert_eq!(found, messages.into_iter().map(Ok).collect::<Vec<_>>());
    }

    #[test]
    fn any_stream_is_survived_in_bounded_memory(
        pieces in prop::collection::vec(prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            Just(b"\r\n\r\n".to_vec()),
            Just(b"A sip:b SIP/2.0\r\nl: 70\r\n".to_vec()),
        ], 0..40),
    ) {
        let mut framer = StreamFramer::new();
        for piece in pieces {
            framer.push(&piece);
            for frame in framer.by_ref() {
                if let Ok(Frame::Message(bytes)) = frame {
                    exercise(&bytes);
                }
            }
            prop_assert!(framer.pending() <= partyline::sip::message::MAX_MESSAGE_BYTES);
        }
    }
}

#[test]
fn the_fuzz_corpus_is_survived() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/sip");
    let mut seeds = 0;
    let mut sound = BTreeSet::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = Bytes::from(std::fs::read(&path).unwrap());
        seeds += 1;
        if exercise(&bytes) {
            sound.insert(path);
        }
    }
    assert!(seeds >= 40, "only {seeds} seeds in {}", folder.display());
    assert!(sound.len() * 2 > seeds, "most seeds must reach past the parser: {}", sound.len());
}
