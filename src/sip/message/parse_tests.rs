use super::*;

fn parse_text(text: &str) -> Result<Message, ParseError> {
    Message::parse(&Bytes::copy_from_slice(text.as_bytes()))
}

fn request(headers: &str) -> Request {
    let text = format!("OPTIONS sip:b@example.com SIP/2.0\r\n{headers}\r\n");
    match parse_text(&text) {
        Ok(Message::Request(request)) => request,
        other => panic!("{text}: {other:?}"),
    }
}

const ANSWERABLE: &str = "Via: SIP/2.0/UDP h.example;branch=z9hG4bKa\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n";

#[test]
fn folded_values_are_joined_by_one_space() {
    let request = request("Subject: one \r\n\t two\r\n   \r\n three \r\nTo:\r\n <sip:b@h>\r\n");
    assert_eq!(request.headers.get_str(&HeaderName::Subject), Some("one two three"));
    assert_eq!(request.headers.get_str(&HeaderName::To), Some("<sip:b@h>"));
}

#[test]
fn names_may_be_compact_lower_case_and_followed_by_white_space() {
    let request = request("v  : 1\r\nFROM\t: 2\r\nx-Other: 3\r\n");
    let lines: Vec<_> =
        request.headers.iter().map(|(name, value)| format!("{name}={}", value.escape_ascii())).collect();
    assert_eq!(lines, ["Via=1", "From=2", "x-Other=3"]);
}

#[test]
fn leading_line_ends_and_lines_without_cr_are_taken() {
    let message = parse_text("\r\n\r\nOPTIONS sip:b@h SIP/2.0\nTo: x\n\nbody").unwrap();
    assert_eq!(message.headers().get_str(&HeaderName::To), Some("x"));
    assert_eq!(message.body(), "body");
}

#[test]
fn bytes_that_are_not_utf_8_are_kept() {
    let bytes = Bytes::from_static(b"OPTIONS sip:b@h SIP/2.0\r\nSubject: \xff\xfe\0ok\r\n\r\n");
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(&message.headers().get(&HeaderName::Subject).unwrap()[..], b"\xff\xfe\0ok");
    assert_eq!(Message::parse(&message.to_bytes()), Ok(message));
}

#[test]
fn values_share_the_datagram() {
    let bytes = Bytes::from_static(b"OPTIONS sip:b@h SIP/2.0\r\nSubject: shared\r\n\r\n");
    let message = Message::parse(&bytes).unwrap();
    let value = message.headers().get(&HeaderName::Subject).unwrap();
    assert!(bytes.as_ptr_range().contains(&value.as_ptr()));
}

#[test]
fn content_length_rules_the_body() {
    for (header, body) in [
        ("Content-Length: 3\r\n", Ok("abc")),
        ("l : 0\r\n", Ok("")),
        ("", Ok("abcdef")),
        ("Content-Length: 3\r\nl: 003\r\n", Ok("abc")),
        ("Content-Length: 3\r\nl: 4\r\n", Err(Defect::ContentLength)),
        ("Content-Length: 7\r\n", Err(Defect::BodyTooShort)),
        ("Content-Length: -1\r\n", Err(Defect::ContentLength)),
        ("Content-Length: 18446744073709551615\r\n", Err(Defect::BodyTooShort)),
        ("Content-Length: 99999999999999999999999\r\n", Err(Defect::ContentLength)),
        ("Content-Length:\r\n", Err(Defect::ContentLength)),
    ] {
        let parsed = parse_text(&format!("OPTIONS sip:b@h SIP/2.0\r\n{header}{ANSWERABLE}\r\nabcdef"));
        match (parsed, body) {
            (Ok(message), Ok(body)) => assert_eq!(message.body(), body),
            (Err(ParseError::Request { defect, stub: Some(_) }), Err(expected)) => assert_eq!(defect, expected),
            other => panic!("{header}: {other:?}"),
        }
    }
}

#[test]
fn a_bad_request_can_be_answered_when_the_headers_for_it_are_there() {
    for (start, status) in [
        ("OPTIONS sip:b@h SIP/7.0", StatusCode::VERSION_NOT_SUPPORTED),
        ("OPTIONS <sip:b@h> SIP/2.0", StatusCode::BAD_REQUEST),
        ("OPTIONS  sip:b@h SIP/2.0", StatusCode::BAD_REQUEST),
        ("OPTIONS sip:b@h SIP/2.0 ", StatusCode::BAD_REQUEST),
        ("OPTIONS SIP/2.0", StatusCode::BAD_REQUEST),
        ("OPT{}IONS sip:b@h SIP/2.0", StatusCode::BAD_REQUEST),
    ] {
        let error = parse_text(&format!("{start}\r\n{ANSWERABLE}\r\n")).unwrap_err();
        assert_eq!(error.status(), Some(status), "{start}");
        let answer = Response::to_request(error.stub().unwrap(), status);
        assert_eq!(answer.headers.len(), 5);
    }
}

#[test]
fn there_is_nobody_to_answer_without_those_headers_or_to_an_ack_or_a_response() {
    for text in [
        "OPTIONS sip:b@h SIP/7.0\r\n\r\n".to_owned(),
        format!("ACK <sip:b@h> SIP/2.0\r\n{ANSWERABLE}\r\n"),
        format!("SIP/2.0 99999 Better not\r\n{ANSWERABLE}\r\n"),
        format!("SIP/3.0 200 OK\r\n{ANSWERABLE}\r\n"),
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
        "\0\0\0\0".to_owned(),
        "\r\n\r\n".to_owned(),
        String::new(),
    ] {
        assert_eq!(parse_text(&text).unwrap_err().status(), None, "{text}");
    }
}

#[test]
fn a_status_line_needs_no_reason() {
    for (line, reason) in [("SIP/2.0 200", ""), ("SIP/2.0 200 ", ""), ("sip/2.0 200 Все в порядке", "Все в порядке")]
    {
        let Ok(Message::Response(response)) = parse_text(&format!("{line}\r\n\r\n")) else { panic!("{line}") };
        assert_eq!((response.status, &*response.reason), (StatusCode::OK, reason));
    }
}

#[test]
fn every_size_is_bounded() {
    let many = "X: y\r\n".repeat(MAX_HEADERS);
    let most = "X: y\r\n".repeat(MAX_HEADERS - 5);
    assert!(parse_text(&format!("OPTIONS sip:b@h SIP/2.0\r\n{ANSWERABLE}{most}\r\n")).is_ok());
    let long = format!("X: {}\r\n", "y".repeat(MAX_LINE_BYTES));
    let folded = format!("X: y\r\n{}", " y\r\n".repeat(MAX_LINE_BYTES / 4));
    let big_body = "y".repeat(MAX_MESSAGE_BYTES);
    for (headers, body) in [(many, ""), (long, ""), (folded, ""), (String::new(), big_body.as_str())] {
        let text = format!("OPTIONS sip:b@h SIP/2.0\r\n{ANSWERABLE}{headers}\r\n{body}");
        assert_eq!(parse_text(&text).unwrap_err().status(), Some(StatusCode::MESSAGE_TOO_LARGE));
    }
}

#[test]
fn lines_that_are_no_headers_and_cut_off_heads_are_refused() {
    for (headers, defect) in [
        ("no colon here\r\n\r\n", Defect::HeaderLine),
        ("Foo Bar: x\r\n\r\n", Defect::HeaderLine),
        (": x\r\n\r\n", Defect::HeaderLine),
        ("Subject: cut", Defect::Truncated),
    ] {
        let error = parse_text(&format!("OPTIONS sip:b@h SIP/2.0\r\n{ANSWERABLE}{headers}")).unwrap_err();
        assert!(matches!(error, ParseError::Request { defect: found, stub: Some(_) } if found == defect), "{error:?}");
    }
}
