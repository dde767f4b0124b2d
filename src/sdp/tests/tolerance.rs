//! What we would not use, and cannot read: it costs its own line, never the call.

use super::*;

const AUDIO: &str = "m=audio 4000 RTP/AVP 0 8\r\n";

fn parsed(text: &str) -> SessionDescription {
    SessionDescription::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The lines of our answer, `media port`, and where we would send.
fn lines_of(negotiation: &Negotiation) -> (Vec<String>, Option<std::net::SocketAddr>) {
    let lines = negotiation.local.media.iter().map(|line| format!("{} {}", line.media, line.port)).collect();
    (lines, negotiation.parameters.remote_rtp)
}

/// Offers as real peers send them: by kind, what is odd in it, and the lines of the answer.
fn offers() -> Vec<(&'static str, String, &'static [&'static str])> {
    let head = "v=0\r\no=- 7 7 IN IP4 203.0.113.7\r\ns=-\r\n";
    let ours = "c=IN IP4 203.0.113.7\r\n";
    let with = |media: &str| format!("{head}{ours}t=0 0\r\n{media}");
    vec![
        // RFC 2848 (PINT) and RFC 7195: a circuit beside the stream.
        (
            "a circuit of the telephone network first",
            with(&format!("m=audio 9 PSTN -\r\nc=PSTN E164 +441134960000\r\na=setup:actpass\r\n{AUDIO}")),
            &["audio 0", "audio 20000"],
        ),
        (
            "a circuit of the telephone network last",
            with(&format!("{AUDIO}m=audio 9 PSTN -\r\nc=PSTN - -\r\na=cs-correlation:callerid:+441134960000\r\n")),
            &["audio 20000", "audio 0"],
        ),
        // RFC 3108.
        (
            "an ATM line",
            with(&format!("m=audio $ AAL1/ATMF -\r\nc=ATM NSAP 47.0091.8100\r\na=eecid:B3D58E32\r\n{AUDIO}")),
            &["audio 0", "audio 20000"],
        ),
        (
            "the circuit's address for the session, the stream's on its line",
            format!("{head}c=PSTN E164 +441134960000\r\nt=0 0\r\n{AUDIO}{ours}m=audio 9 PSTN -\r\n"),
            &["audio 20000", "audio 0"],
        ),
        (
            "a cut address under video",
            with(&format!("{AUDIO}m=video 5000 RTP/AVP 96\r\nc=IN IP4\r\n")),
            &["audio 20000", "video 0"],
        ),
        ("video without a port", with(&format!("m=video - RTP/AVP 96\r\n{AUDIO}")), &["video 0", "audio 20000"]),
        (
            "video with a port out of range",
            with(&format!("m=video 99999 RTP/AVP 96\r\n{AUDIO}")),
            &["video 0", "audio 20000"],
        ),
        (
            "lines cut off",
            with(&format!("{AUDIO}m=video 5000\r\nm=text\r\nm=\r\n")),
            &["audio 20000", "video 0", "text 0", "- 0"],
        ),
        (
            "too many formats under video",
            with(&format!("m=video 5000 RTP/AVP{}\r\n{AUDIO}", " 96".repeat(200))),
            &["video 0", "audio 20000"],
        ),
        ("a range of ports", with("m=audio 4000/2 RTP/AVP 0\r\n"), &["audio 20000"]),
        (
            "duplicate and dangling mids",
            with(&format!(
                "a=group:BUNDLE 0 1 9\r\n{AUDIO}a=mid:0\r\na=mid:0\r\nm=video 5000 RTP/AVP 96\r\na=mid:0\r\n"
            )),
            &["audio 20000", "video 0"],
        ),
        (
            "attributes of payload types that are not listed, and broken ones",
            with(&format!(
                "{AUDIO}a=rtpmap:97 opus/48000/2\r\na=rtpmap:0\r\na=rtpmap:\r\na=rtpmap:x PCMU/8000\r\na=rtpmap:999 X/1\r\n\
                 a=fmtp:97\r\na=fmtp\r\na=ptime\r\na=ptime:\r\na=rtcp\r\na=candidate:\r\na=ssrc:\r\na=:\r\na=\r\n"
            )),
            &["audio 20000"],
        ),
        (
            "bandwidths, times, repeats, zones, keys and contacts of any form",
            format!(
                "{head}i=\r\nu=not a URI\r\ne=@@\r\np=+44 (0) x\r\n{ours}b=AS\r\nb=:\r\nb=X-YZ:-1\r\nt=\r\nt=x y\r\n\
                 r=7d 1h 0 25h\r\nr=\r\nz=2882844526 -1h\r\nz=\r\nk=prompt\r\nk=clear:x\r\n{AUDIO}b=TIAS:sixty\r\nk=\r\n"
            ),
            &["audio 20000"],
        ),
        ("a byte order mark", format!("\u{feff}{}", with(AUDIO)), &["audio 20000"]),
        ("no session name, no times", format!("v=0\r\no=- 7 7 IN IP4 203.0.113.7\r\n{ours}{AUDIO}"), &["audio 20000"]),
        ("line feeds alone", with(AUDIO).replace("\r\n", "\n"), &["audio 20000"]),
        ("empty lines", with(AUDIO).replace("\r\n", "\r\n\r\n"), &["audio 20000"]),
        ("no end of the last line", with(AUDIO).trim_end().to_owned(), &["audio 20000"]),
        (
            "two addresses, the first of another network",
            with(&format!("{AUDIO}c=PSTN E164 +44\r\n{ours}")),
            &["audio 20000"],
        ),
    ]
}

#[test]
fn what_we_would_not_use_costs_its_own_line() {
    for (kind, text, lines) in offers() {
        let answered = answer(&parsed(&text), &local(), None).unwrap_or_else(|why| panic!("{kind}: {why}"));
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        assert_eq!(lines_of(&answered), (lines, remote(4000)), "{kind}");
        assert_eq!(answered.local.media.len(), parsed(&text).media.len(), "{kind}");
    }
}

#[test]
fn the_same_within_a_call_keeps_the_call_and_its_line() {
    for (kind, text, _) in offers() {
        let call = answer(&parsed(&text), &local(), None).unwrap();
        let again = answer(&parsed(&text), &local(), Some(&call)).unwrap_or_else(|why| panic!("{kind}: {why}"));
        assert_eq!(again, call, "{kind}");
    }
}

#[test]
fn the_same_in_an_answer_gives_the_call_its_sound() {
    for (kind, text, _) in offers() {
        let accepted = accept_answer(&offer(&local(), None), &parsed(&text), &local());
        // Their first audio line is where ours was; a circuit there is another answer than we asked for.
        match accepted {
            Ok(accepted) => assert_eq!(accepted.parameters.remote_rtp, remote(4000), "{kind}"),
            Err(why) => panic!("{kind}: {why}"),
        }
    }
}

#[test]
fn an_origin_of_any_form_is_read() {
    for origin in [
        "o=",
        "o=-",
        "o=- 1 IN IP4 203.0.113.7",
        "o=- x y IN IP4 203.0.113.7",
        "o=- 1 1 IN IP5 203.0.113.7",
        "o=- -1 1.5 IN IP4 203.0.113.7",
        "o=alice 1 1 PSTN E164 +441134960000",
        "o=\u{fffd}\u{fffd} 1 1 IN IP4",
        "o=- 99999999999999999999999999 1 IN IP4 203.0.113.7",
        "o=a b c 1 1 IN IP4 desk.example",
        "x=no origin at all",
    ] {
        let text = format!("v=0\r\n{origin}\r\ns=-\r\nc=IN IP4 203.0.113.7\r\nt=0 0\r\n{AUDIO}");
        assert_eq!(answer(&parsed(&text), &local(), None).unwrap().parameters.remote_rtp, remote(4000), "{origin}");
    }
}

#[test]
fn only_a_chosen_line_without_an_address_refuses_the_call() {
    for address in ["c=", "c=IN", "c=IN IP4", "c=203.0.113.7", "c=IN IP5 203.0.113.7", "c=PSTN E164 +441134960000"] {
        let text = format!("v=0\r\no=- 7 7 IN IP4 203.0.113.7\r\ns=-\r\n{address}\r\nt=0 0\r\n{AUDIO}");
        let offered = parsed(&text);
        let no_address = Refusal::NoAddress(address[2..].to_owned());
        assert_eq!(answer(&offered, &local(), None).unwrap_err(), no_address);
        let call = answered(AUDIO);
        assert_eq!(answer(&offered, &local(), Some(&call)).unwrap_err(), no_address);
        assert_eq!(accept_answer(&offer(&local(), None), &offered, &local()).unwrap_err(), no_address);
        // Another line that has one is taken instead.
        let better = parsed(&format!("{text}m=audio 4000 RTP/AVP 8\r\nc=IN IP4 203.0.113.7\r\n"));
        let negotiation = answer(&better, &local(), None).unwrap();
        assert_eq!((negotiation.audio_line, negotiation.parameters.remote_rtp), (1, remote(4000)));
    }
}

#[test]
fn an_audio_line_that_cannot_be_read_is_refused_by_its_number() {
    let text = "v=0\r\nc=IN IP4 203.0.113.7\r\nm=audio 70000 RTP/AVP 0\r\n";
    let refusal = answer(&parsed(text), &local(), None).unwrap_err();
    assert_eq!(
        (refusal.status(), refusal.to_string().as_str()),
        (400, r#"line 3: m= is: media, port, protocol, formats, not "m=audio 70000 RTP/AVP 0""#)
    );
    // Within a call it is no line that was switched off.
    assert_eq!(answer(&parsed(text), &local(), Some(&answered(AUDIO))).unwrap_err(), refusal);
    assert_eq!(accept_answer(&offer(&local(), None), &parsed(text), &local()).unwrap_err(), refusal);
}

#[test]
fn a_name_for_an_address_waits_to_be_resolved() {
    let named = |attributes: &str| {
        let text = format!("v=0\r\nc=IN IP4 media.example\r\n{AUDIO}{attributes}");
        answer(&parsed(&text), &local(), None).unwrap()
    };
    let mut negotiation = named("");
    assert_eq!((negotiation.parameters.remote_rtp, negotiation.parameters.remote_rtcp), (None, None));
    let host = HostPort { host: "media.example".to_owned(), ip6: false, rtp: 4000, rtcp: Some(4001) };
    assert_eq!(negotiation.host, Some(host));
    negotiation.resolved("203.0.113.7".parse().unwrap());
    assert_eq!((negotiation.parameters.remote_rtp, negotiation.parameters.remote_rtcp), (remote(4000), remote(4001)));
    assert_eq!(negotiation.host, None);
    let mut muxed = named("a=rtcp-mux\r\n");
    muxed.resolved("203.0.113.7".parse().unwrap());
    assert_eq!(muxed.parameters.remote_rtcp, remote(4000));
    for nowhere in ["0.0.0.0", "239.1.1.1", "255.255.255.255", "ff02::1"] {
        let mut negotiation = named("a=rtcp:4009\r\n");
        negotiation.resolved(nowhere.parse().unwrap());
        assert_eq!(negotiation.parameters.remote_rtp, None, "{nowhere}");
    }
    assert_eq!(answered(AUDIO).host, None);
}

proptest::proptest! {
    /// Whatever stands beside a good audio line that has its own address: the call is taken.
    #[test]
    fn nothing_beside_a_good_line_refuses_it(
        session in proptest::collection::vec("(o|s|i|u|e|p|c|b|t|r|z|k|a|x)=[ -~]{0,30}", 0..8),
        // No audio, which could be chosen first.
        before in proptest::collection::vec("m=(video|text|image|)[ -~]{0,20}|[a-ln-z]=[ -~]{0,30}", 0..6),
        after in proptest::collection::vec("m=(video|text|audio|)[ -~]{0,20}|[a-ln-z]=[ -~]{0,30}", 0..6),
        end in "\r\n|\n|\r",
    ) {
        let mut lines = vec!["v=0".to_owned()];
        lines.extend(session);
        // A line before the first m= belongs to the session.
        lines.extend(before);
        lines.extend(["m=audio 4000 RTP/AVP 0".to_owned(), "c=IN IP4 203.0.113.7".to_owned(), "a=sendrecv".to_owned()]);
        let index = lines.iter().filter(|line| line.starts_with("m=")).count() - 1;
        lines.push("m=video 0 RTP/AVP 31".to_owned());
        lines.extend(after);
        let offered = parsed(&lines.join(&end));
        let negotiation = answer(&offered, &local(), None).unwrap();
        proptest::prop_assert_eq!(negotiation.parameters.remote_rtp, remote(4000));
        proptest::prop_assert_eq!(negotiation.audio_line, index);
        proptest::prop_assert_eq!(negotiation.local.media.len(), offered.media.len());
    }
}
