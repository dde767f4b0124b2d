//! WebRTC in offers and answers, with offers shaped as the browsers' are.

use super::*;
use crate::types::{DtlsRole, Fingerprint, IceCredentials, Seed};

const PRINT: &str =
    "sha-256 01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF";

fn browser_side() -> LocalMedia {
    let ice = IceCredentials::random(&mut Seed::fixed(5).generator());
    let webrtc =
        LocalWebRtc { ice, fingerprint: Fingerprint([0xAA; 32]), tcp_port: None, ssrc: 77, cname: "us".into() };
    LocalMedia { webrtc: Some(webrtc), ..wide() }
}

/// Audio alone, the address for later: what Chromium says before it has a candidate.
fn chromium() -> String {
    format!(
        "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
         a=extmap-allow-mixed\r\na=msid-semantic: WMS 5f1\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n\
         a=ice-ufrag:kT3p\r\na=ice-pwd:0123456789abcdefghijklmn\r\na=ice-options:trickle\r\na=fingerprint:{PRINT}\r\n\
         a=setup:actpass\r\na=mid:0\r\na=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n\
         a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=sendrecv\r\na=msid:5f1 a01\r\na=rtcp-mux\r\n\
         a=rtcp-rsize\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n\
         a=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n\
         a=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:13 CN/8000\r\n\
         a=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\na=ssrc:77 cname:x\r\n"
    )
}

/// Sound and picture, all candidates there, the fingerprint for all: what Firefox says. Of TCP it only begins.
fn firefox() -> String {
    format!(
        "v=0\r\no=mozilla...THIS_IS_SDPARTA-99.0 7777 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=sendrecv\r\n\
         a=fingerprint:{PRINT}\r\na=group:BUNDLE 0 1\r\na=ice-options:trickle\r\na=msid-semantic:WMS *\r\n\
         m=audio 50123 UDP/TLS/RTP/SAVPF 109 9 0 8 101\r\nc=IN IP4 203.0.113.7\r\n\
         a=candidate:0 1 UDP 2122187007 203.0.113.7 50123 typ host\r\n\
         a=candidate:2 1 TCP 2105458943 203.0.113.7 9 typ host tcptype active\r\n\
         a=candidate:0 2 UDP 2122187006 203.0.113.7 50124 typ host\r\n\
         a=candidate:1 1 UDP 1685987327 198.51.100.77 61000 typ srflx raddr 203.0.113.7 rport 50123\r\n\
         a=end-of-candidates\r\na=sendrecv\r\na=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n\
         a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level\r\n\
         a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1\r\na=fmtp:101 0-15\r\n\
         a=ice-pwd:fedcba98765432100123456789abcdef\r\na=ice-ufrag:1a2b3c4d\r\na=mid:0\r\na=rtcp-mux\r\n\
         a=rtpmap:109 opus/48000/2\r\na=rtpmap:9 G722/8000/1\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=setup:actpass\r\n\
         m=video 0 UDP/TLS/RTP/SAVPF 120\r\nc=IN IP4 0.0.0.0\r\na=bundle-only\r\na=mid:1\r\n\
         a=rtpmap:120 VP8/90000\r\na=setup:actpass\r\n"
    )
}

/// The picture first, addresses under names of the moment: what Safari says.
fn safari() -> String {
    format!(
        "v=0\r\no=- 8182838485 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE v a\r\na=msid-semantic: WMS s\r\n\
         m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:Sfri\r\na=ice-pwd:ABCDEFGHIJKLMNOPQRSTUVWX\r\n\
         a=fingerprint:{PRINT}\r\na=setup:actpass\r\na=mid:v\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:96 H264/90000\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8 110 126\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:Sfri\r\n\
         a=ice-pwd:ABCDEFGHIJKLMNOPQRSTUVWX\r\na=fingerprint:{PRINT}\r\na=setup:actpass\r\na=mid:a\r\n\
         a=candidate:9 1 udp 2113937151 0c5b1d0e-0000-4000-8000-00aa00bb00cc.local 50000 typ host generation 0\r\n\
         a=sendrecv\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
         a=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\n"
    )
}

#[test]
fn a_port_that_takes_connections_is_a_candidate_behind_that_by_udp() {
    let webrtc = browser_side().webrtc.map(|webrtc| LocalWebRtc { tcp_port: Some(3_478), ..webrtc });
    let negotiation = answer(&parsed(&chromium()), &LocalMedia { webrtc, ..browser_side() }, None).unwrap();
    let (address, port) = (browser_side().address, browser_side().rtp_port);
    let candidates: Vec<_> = said(&negotiation, 0).into_iter().filter(|line| line.starts_with("candidate:")).collect();
    let by_udp = format!("candidate:1 1 udp 2130706431 {address} {port} typ host");
    let by_tcp = format!("candidate:2 1 tcp 1520435199 {address} 3478 typ host tcptype passive");
    assert_eq!(candidates, [by_udp, by_tcp]);
}

fn parsed(text: &str) -> SessionDescription {
    SessionDescription::parse(text.as_bytes()).unwrap()
}

fn browser_answer(offer: &str) -> Negotiation {
    answer(&parsed(offer), &browser_side(), None).unwrap()
}

/// The attributes of one of our lines.
fn said(negotiation: &Negotiation, line: usize) -> Vec<String> {
    negotiation.local.media[line].attributes.iter().map(|a| a.to_string().trim_end()[2..].to_owned()).collect()
}

/// What we tell of those who are heard.
fn contributors(offer: &str) -> (bool, Option<u8>, bool) {
    let told = browser_answer(offer);
    let written = told.local.to_string().contains("csrc-audio-level");
    (told.parameters.send_contributors, told.parameters.send_contributor_levels, written)
}

#[test]
fn who_is_heard_is_told_to_browsers_and_how_loud_to_those_who_ask() {
    assert_eq!(contributors(&firefox()), (true, Some(2), true));
    assert_eq!(contributors(&chromium()), (true, None, false));
    let ours = browser_answer(&firefox()).local.to_string();
    assert!(ours.contains("a=extmap:2/sendonly urn:ietf:params:rtp-hdrext:csrc-audio-level"), "{ours}");
    let levels =
        |direction: &str| contributors(&firefox().replace("extmap:2/recvonly", &format!("extmap:2/{direction}")));
    assert_eq!(levels("sendrecv"), (true, Some(2), true));
    assert_eq!(levels("sendonly"), (true, None, false));
    // A telephone is told nothing.
    let plain = answered("m=audio 4000 RTP/AVP 0\na=extmap:2 urn:ietf:params:rtp-hdrext:csrc-audio-level\n");
    assert_eq!((plain.parameters.send_contributors, plain.parameters.send_contributor_levels), (false, None));
    let offered = offer(&browser_side(), None).to_string();
    assert!(offered.contains("a=extmap:2/sendonly urn:ietf:params:rtp-hdrext:csrc-audio-level"), "{offered}");
}

#[test]
fn a_browser_that_takes_copies_is_asked_to_send_them() {
    let agreed = browser_answer(&chromium());
    assert_eq!((agreed.parameters.receive_redundancy, agreed.parameters.send_redundancy), (Some(63), Some(63)));
    assert_eq!((agreed.parameters.codec, agreed.parameters.send_payload_type), (AudioCodec::Opus, 111));
    assert_eq!(agreed.local.media[0].formats.first().map(String::as_str), Some("63"), "what is first is preferred");
    let said = said(&agreed, 0);
    assert!(
        said.iter().any(|line| line == "rtpmap:63 red/48000/2") && said.iter().any(|line| line == "fmtp:63 111/111")
    );
    // Of something else, or of nobody knows what.
    for other in ["fmtp:63 0/0", "fmtp:63 111/0", "fmtp:63 x", "x:1"] {
        let agreed = browser_answer(&chromium().replace("fmtp:63 111/111", other));
        assert_eq!((agreed.parameters.receive_redundancy, agreed.parameters.send_redundancy), (None, None), "{other}");
    }
    // Without Opus, and to a telephone.
    let narrow = browser_answer(&chromium().replace("opus/48000", "other/48000"));
    assert_eq!((narrow.parameters.codec, narrow.parameters.receive_redundancy), (AudioCodec::G722, None));
    let opus = "a=rtpmap:111 opus/48000/2\na=rtpmap:63 red/48000/2\na=fmtp:63 111/111\n";
    let telephone = answer(&peer(&format!("m=audio 4000 RTP/AVP 111 63\n{opus}")), &wide(), None).unwrap();
    assert_eq!((telephone.parameters.receive_redundancy, telephone.parameters.send_redundancy), (None, None));
}

#[test]
fn copies_are_offered_to_a_browser_and_sent_if_it_takes_them() {
    let offered = offer(&browser_side(), None);
    assert!(offered.to_string().contains("a=rtpmap:112 red/48000/2\r\na=fmtp:112 111/111\r\n"), "{offered}");
    let reply = |formats: &str, red: &str| {
        let text = chromium().replace("111 63 9 0 8 13 110 126", formats).replace("actpass", "active");
        let text = text.replace("63 red", &format!("{red} red")).replace("fmtp:63", &format!("fmtp:{red}"));
        accept_answer(&offered, &parsed(&text), &browser_side()).unwrap().parameters
    };
    let taken = reply("112 111 0", "112");
    assert_eq!((taken.receive_redundancy, taken.send_redundancy), (Some(112), Some(112)));
    let refused = reply("111 0", "63");
    assert_eq!((refused.receive_redundancy, refused.send_redundancy), (None, None));
}

#[test]
fn chromiums_offer_is_answered_with_ice_dtls_and_the_group() {
    assert!(parsed(&chromium()).is_webrtc());
    let agreed = browser_answer(&chromium());
    let line = &agreed.local.media[0];
    assert_eq!((line.protocol.as_str(), line.port), ("UDP/TLS/RTP/SAVPF", 20_000));
    assert_eq!(line.formats, ["63", "111", "9", "0", "8", "110", "126", "13"]);
    assert_eq!(agreed.local.attributes, [Attribute::with_value("group", "BUNDLE 0")]);
    let said = said(&agreed, 0);
    let local = browser_side().webrtc.unwrap();
    for expected in [
        "mid:0",
        "ssrc:77 cname:us",
        "rtcp-mux",
        "setup:active",
        "end-of-candidates",
        "sendrecv",
        &format!("ice-ufrag:{}", local.ice.fragment),
        &format!("ice-pwd:{}", local.ice.password),
        &format!("fingerprint:{}", local.fingerprint),
        "candidate:1 1 udp 2130706431 198.51.100.5 20000 typ host",
        "rtpmap:110 telephone-event/48000",
        "rtpmap:126 telephone-event/8000",
    ] {
        assert!(said.iter().any(|line| line == expected), "{expected} in {said:?}");
    }
    let peer = agreed.webrtc.unwrap();
    assert_eq!((peer.ice.fragment.as_str(), peer.ice.password.as_str()), ("kT3p", "0123456789abcdefghijklmn"));
    assert_eq!((peer.role, peer.we_control, peer.candidates.len()), (DtlsRole::Client, false, 0));
    assert_eq!(peer.fingerprints[0].to_string(), PRINT);
    // Where packets go is for ICE to say; an address for later is no hold.
    assert!(agreed.parameters.ice && agreed.parameters.rtcp_mux && agreed.parameters.srtp.is_none());
    assert_eq!((agreed.parameters.remote_rtp, agreed.parameters.direction), (None, Direction::SendRecv));
    assert_eq!(agreed.parameters.codec, AudioCodec::Opus);
}

#[test]
fn of_firefoxs_offer_the_picture_is_refused_by_its_name_and_udp_candidates_are_kept() {
    let agreed = browser_answer(&firefox());
    assert_eq!(agreed.local.attributes, [Attribute::with_value("group", "BUNDLE 0")]);
    assert_eq!((agreed.local.media[1].port, said(&agreed, 1)), (0, vec!["mid:1".to_owned()]));
    let peer = agreed.webrtc.unwrap();
    assert_eq!(peer.candidates.len(), 2);
    assert!(peer.candidates[0].starts_with("candidate:0 1 UDP 2122187007 203.0.113.7 50123 typ host"));
    assert_eq!(peer.fingerprints.len(), 1, "that of the whole session");
}

#[test]
fn of_safaris_offer_sound_is_taken_wherever_it_stands_and_names_are_left() {
    let agreed = browser_answer(&safari());
    assert_eq!((agreed.audio_line, agreed.local.media[0].port), (1, 0));
    assert_eq!(agreed.local.attributes, [Attribute::with_value("group", "BUNDLE a")]);
    assert_eq!(agreed.webrtc.unwrap().candidates.len(), 0);
}

#[test]
fn the_part_in_the_handshake_is_the_one_that_is_left() {
    for (offered, answered, role) in [
        ("actpass", "setup:active", DtlsRole::Client),
        ("active", "setup:passive", DtlsRole::Server),
        ("passive", "setup:active", DtlsRole::Client),
    ] {
        let agreed = browser_answer(&chromium().replace("actpass", offered));
        assert!(said(&agreed, 0).iter().any(|line| line == answered), "{offered}");
        assert_eq!(agreed.webrtc.unwrap().role, role);
    }
    let lite = chromium().replace("t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n");
    assert!(browser_answer(&lite).webrtc.unwrap().we_control);
}

#[test]
fn what_webrtc_cannot_do_without_is_named() {
    let without = |gone: &str| {
        let offer: String =
            chromium().lines().filter(|line| !line.starts_with(gone)).map(|l| format!("{l}\n")).collect();
        answer(&parsed(&offer), &browser_side(), None).unwrap_err()
    };
    for (gone, named) in [("a=rtcp-mux", "rtcp-mux"), ("a=ice-pwd", "ice-pwd"), ("a=fingerprint", "fingerprint")] {
        let refusal = without(gone);
        assert!(refusal.to_string().contains(named), "{refusal}");
        assert_eq!(refusal.status(), 488);
    }
    let sha1 = chromium().replace("sha-256", "sha-1");
    assert!(answer(&parsed(&sha1), &browser_side(), None).is_err());
}

#[test]
fn an_offer_is_of_webrtc_by_its_profile_and_ice() {
    assert!(!peer(PLAIN_LINE).is_webrtc());
    let no_ice: String = chromium().lines().filter(|l| !l.starts_with("a=ice")).map(|l| format!("{l}\n")).collect();
    assert!(!parsed(&no_ice).is_webrtc());
    // Each transport takes its own alone.
    let refusal = answer(&parsed(&chromium()), &wide(), None).unwrap_err();
    assert_eq!(refusal, Refusal::UnsupportedTransport("UDP/TLS/RTP/SAVPF".into()));
    let refusal = answer(&peer(PLAIN_LINE), &browser_side(), None).unwrap_err();
    assert_eq!(refusal, Refusal::UnsupportedTransport("RTP/AVP".into()));
}

const PLAIN_LINE: &str = "m=audio 4000 RTP/AVP 0\n";

#[test]
fn a_later_offer_keeps_the_parts_and_another_certificate_is_refused() {
    let local = browser_side();
    let first = browser_answer(&chromium().replace("actpass", "active"));
    let later = answer(&parsed(&chromium()), &local, Some(&first)).unwrap();
    assert_eq!(later.webrtc, first.webrtc);
    assert!(said(&later, 0).iter().any(|line| line == "setup:passive"));
    assert!(!first.is_restarted_by(&parsed(&chromium())));
    let restart = parsed(&chromium().replace("kT3p", "nEw1"));
    assert!(first.is_restarted_by(&restart));
    assert_eq!(answer(&restart, &local, Some(&first)).unwrap().webrtc.unwrap().ice.fragment, "nEw1");
    let other = parsed(&chromium().replace("sha-256 01", "sha-256 02"));
    assert_eq!(answer(&other, &local, Some(&first)).unwrap_err(), Refusal::CertificateChanged);
}

#[test]
fn our_offer_within_a_browsers_call_keeps_its_ice_and_is_answered() {
    let local = browser_side();
    let first = browser_answer(&chromium());
    let hold = LocalMedia { direction: Direction::SendOnly, ..local.clone() };
    let ours = offer(&hold, Some(&first));
    let text = ours.to_string();
    let ice = &local.webrtc.as_ref().unwrap().ice;
    for expected in ["a=group:BUNDLE 0", "a=setup:actpass", "a=rtcp-mux", "a=sendonly", &ice.fragment, &ice.password] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    let reply = chromium().replace("actpass", "passive").replace("a=sendrecv", "a=recvonly");
    let agreed = accept_answer(&ours, &parsed(&reply), &hold).unwrap();
    assert_eq!(agreed.parameters.direction, Direction::SendOnly);
    assert_eq!(agreed.webrtc.unwrap().role, DtlsRole::Client);
    let plain = accept_answer(&ours, &peer(PLAIN_LINE), &hold).unwrap_err();
    assert_eq!(plain, Refusal::AnswerChangedTransport("RTP/AVP".into()));
}

#[test]
fn our_first_offer_to_a_browser_is_one_line_of_webrtc() {
    let ours = offer(&browser_side(), None);
    assert_eq!(ours.media[0].protocol, "UDP/TLS/RTP/SAVPF");
    let agreed = accept_answer(&ours, &parsed(&chromium().replace("actpass", "active")), &browser_side()).unwrap();
    let peer = agreed.webrtc.unwrap();
    assert_eq!((peer.role, peer.we_control), (DtlsRole::Server, true));
}

#[test]
fn candidates_nobody_may_be_sent_to_are_left() {
    let with = |candidate: &str| {
        let offer = chromium().replace("a=mid:0\r\n", &format!("a=mid:0\r\na=candidate:{candidate}\r\n"));
        browser_answer(&offer).webrtc.unwrap().candidates.len()
    };
    assert_eq!(with("1 1 udp 1 203.0.113.7 50000 typ host"), 1);
    for bad in [
        "1 1 udp 1 239.1.2.3 50000 typ host",
        "1 1 udp 1 255.255.255.255 50000 typ host",
        "1 1 udp 1 0.0.0.0 50000 typ host",
        "1 1 udp 1 203.0.113.7 0 typ host",
        "1 1 udp 1 host.example.com 50000 typ host",
        "1 1 tcp 1 203.0.113.7 9 typ host tcptype active",
        "1 2 udp 1 203.0.113.7 50001 typ host",
        "1 1 udp",
        "",
    ] {
        assert_eq!(with(bad), 0, "{bad}");
    }
    let many: String =
        (0..100).map(|n| format!("a=candidate:1 1 udp 1 203.0.113.7 {} typ host\r\n", 40_000 + n)).collect();
    let offer = chromium().replace("a=mid:0\r\n", &format!("a=mid:0\r\n{many}"));
    assert_eq!(browser_answer(&offer).webrtc.unwrap().candidates.len(), 32);
}

#[test]
fn passwords_are_not_shown() {
    let said = format!("{:?} {:?}", browser_answer(&chromium()), parsed(&chromium()));
    assert!(!said.contains("0123456789abcdefghijklmn"), "{said}");
}
