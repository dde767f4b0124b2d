//! Reading and printing.

use super::*;

fn error(text: &str) -> SdpError {
    SessionDescription::parse(text.as_bytes()).unwrap_err()
}

#[test]
fn a_description_prints_as_it_was_written() {
    let text = "v=0\r\no=- 20518 2 IN IP4 203.0.113.1\r\ns=Call\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\na=sendonly\r\n\
                m=audio 4000 RTP/AVP 0 101\r\nc=IN IP4 203.0.113.2\r\na=rtpmap:101 telephone-event/8000\r\na=rtcp-mux\r\n\
                m=image 0 udptl t38\r\n";
    assert_eq!(SessionDescription::parse(text.as_bytes()).unwrap().to_string(), text);
}

#[test]
fn line_ends_and_blanks_do_not_matter() {
    let clean = peer("m=audio 4000 RTP/AVP 0\na=ptime:20\n");
    for untidy in [
        "\r\n v = 0 \no= - 7 7 IN IP4 203.0.113.7\nc=IN\tIP4 203.0.113.7/127\n\nm=audio  4000 RTP/AVP  0 \na= ptime : 20",
        "v=0\ro=- 7 7 IN IP4 203.0.113.7\rc=IN IP4 203.0.113.7\rm=audio 4000/1 RTP/AVP 0\ra=ptime:20\r",
        "v=0\r\no=7 7 in ip4 203.0.113.7\r\ns=\r\nc=IN IP4 203.0.113.7\r\nm=audio 4000 RTP/AVP 0\r\na=ptime:20\r\n",
    ] {
        assert_eq!(SessionDescription::parse(untidy.as_bytes()).unwrap(), clean, "{untidy:?}");
    }
}

#[test]
fn unknown_lines_are_passed_over_and_unknown_attributes_kept() {
    let description = peer("q=what\nno line at all\ny=\nm=audio 4000 RTP/AVP 0\nb=AS:64\nX=1\na=colour:blue\n=\n");
    assert_eq!(description.media.len(), 1);
    assert_eq!(description.media[0].attributes, [Attribute::with_value("colour", "blue")]);
}

#[test]
fn a_display_name_in_the_origin_is_read() {
    let text = "v=0\no=John Q. Public 12 3 IN IP4 desk.example\nm=audio 1 RTP/AVP 0\n";
    let origin = SessionDescription::parse(text.as_bytes()).unwrap().origin;
    assert_eq!(origin.username, "John Q. Public");
    assert_eq!((origin.session_id, origin.version), (12, 3));
    assert_eq!(origin.address, NetAddress::Name { ip6: false, host: "desk.example".to_owned() });
}

#[test]
fn an_error_names_the_line_and_what_is_expected() {
    let fault = |text: &str| SessionDescription::parse(text.as_bytes()).unwrap().media[0].fault.clone().unwrap();
    assert_eq!(fault("v=0\n\ns=-\nm=audio x RTP/AVP 0\n").line(), Some(4));
    assert_eq!(fault("v=0\nm=audio 4000\n").line(), Some(2));
    assert_eq!(fault("v=0\nm=audio 70000 RTP/AVP 0\n").line(), Some(2));
    let message = fault("v=0\nm=audio\n").to_string();
    assert_eq!(message, r#"line 2: m= is: media, port, protocol, formats, not "m=audio""#);
    assert_eq!(fault("v=0\nm=\n").status(), 400);
}

#[test]
fn what_does_not_begin_with_version_0_is_no_description() {
    assert_eq!(error(""), SdpError::NotADescription { line: 1 });
    assert_eq!(error("\r\n\r\n"), SdpError::NotADescription { line: 1 });
    assert_eq!(error("\no=- 1 1 IN IP4 203.0.113.7\n"), SdpError::NotADescription { line: 2 });
    assert_eq!(error("v=1\n"), SdpError::NotADescription { line: 1 });
    assert_eq!(error("<xml/>"), SdpError::NotADescription { line: 1 });
}

#[test]
fn size_is_bounded() {
    let long = format!("v=0\na={}\n", "x".repeat(MAX_BYTES));
    assert!(matches!(error(&long), SdpError::TooLong { .. }));
    assert_eq!(error(&long).status(), 413);
    let lines = |count: usize| format!("v=0\n{}", "a=x\n".repeat(count - 1));
    assert!(SessionDescription::parse(lines(MAX_LINES).as_bytes()).is_ok());
    assert_eq!(error(&lines(MAX_LINES + 1)), SdpError::TooManyLines { line: MAX_LINES + 1 });
    let media = |count: usize| format!("v=0\n{}", "m=audio 0 RTP/AVP 0\n".repeat(count));
    assert!(SessionDescription::parse(media(MAX_MEDIA).as_bytes()).is_ok());
    assert_eq!(error(&media(MAX_MEDIA + 1)), SdpError::TooManyMedia { line: MAX_MEDIA + 2 });
    let formats = |count: usize| format!("v=0\nm=audio 4000 RTP/AVP{}\n", " 0".repeat(count));
    assert!(SessionDescription::parse(formats(MAX_FORMATS).as_bytes()).is_ok());
    let line = &SessionDescription::parse(formats(MAX_FORMATS + 1).as_bytes()).unwrap().media[0];
    assert_eq!((line.port, &line.fault), (0, &Some(SdpError::TooManyFormats { line: 2 })));
}

#[test]
fn the_audio_address_tells_the_family() {
    let audio = "m=video 2 RTP/AVP 31\nc=IN IP4 203.0.113.8\nm=audio 4000 RTP/AVP 0\n";
    let six = peer_at("IN IP6 2001:db8::1", audio);
    assert_eq!(six.audio_address(), Some("2001:db8::1".parse().unwrap()));
    assert_eq!(peer_at("IN IP4 pbx.example", audio).audio_address(), None);
    assert_eq!(peer("m=audio 0 RTP/AVP 0\n").audio_address(), None);
}
