//! The peer offers.

use super::*;

const PLAIN: &str = "m=audio 4000 RTP/AVP 0 8 101\na=rtpmap:101 telephone-event/8000\n";

fn refused(media: &str) -> Refusal {
    answer(&peer(media), &local(), None).unwrap_err()
}

#[test]
fn a_plain_offer_is_answered_in_full() {
    let negotiation = answered(PLAIN);
    assert_eq!(
        negotiation.local.to_string(),
        "v=0\r\no=- 655884233731895160 1 IN IP4 198.51.100.5\r\ns=-\r\nc=IN IP4 198.51.100.5\r\nt=0 0\r\n\
         m=audio 20000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=maxptime:60\r\na=sendrecv\r\n"
    );
    let parameters = negotiation.parameters;
    assert_eq!(parameters.remote_rtp, remote(4000));
    assert_eq!(parameters.remote_rtcp, remote(4001));
    assert_eq!((parameters.codec, parameters.send_payload_type), (AudioCodec::Pcmu, 0));
    assert_eq!(parameters.receive_payload_types, [(0, AudioCodec::Pcmu), (8, AudioCodec::Pcma)]);
    assert_eq!(
        (parameters.send_telephone_event, parameters.receive_telephone_events.as_slice()),
        (Some(101), [(101, 8_000)].as_slice())
    );
    assert!(parameters.accept_from.is_empty());
}

#[test]
fn the_offerers_order_of_codecs_rules_as_far_as_they_are_ours() {
    let parameters = answered("m=audio 4000 RTP/AVP 18 8 0\n").parameters;
    assert_eq!(parameters.codec, AudioCodec::Pcma);
    let only_mu = LocalMedia { codecs: speaking(&[AudioCodec::Pcmu]), ..local() };
    let negotiation = answer(&peer("m=audio 4000 RTP/AVP 18 8 0\n"), &only_mu, None).unwrap();
    assert_eq!(negotiation.parameters.codec, AudioCodec::Pcmu);
    assert_eq!(negotiation.local.media[0].formats, ["0"]);
}

#[test]
fn a_codec_is_known_by_its_name_under_any_number_and_case() {
    let parameters =
        answered("m=audio 4000 RTP/AVP 97 98\na=rtpmap:97 opus/48000/2\na=rtpmap:98 pcma/8000/1\n").parameters;
    assert_eq!((parameters.codec, parameters.send_payload_type), (AudioCodec::Pcma, 98));
    assert_eq!(parameters.receive_payload_types, [(98, AudioCodec::Pcma)]);
}

#[test]
fn a_number_explained_otherwise_or_out_of_range_is_no_codec() {
    assert_eq!(refused("m=audio 4000 RTP/AVP 0\na=rtpmap:0 L16/44100\n"), Refusal::NoCommonCodec);
    assert_eq!(refused("m=audio 4000 RTP/AVP 96\na=rtpmap:96 PCMU/16000\n"), Refusal::NoCommonCodec);
    assert_eq!(refused("m=audio 4000 RTP/AVP 96\na=rtpmap:96 PCMU/8000/2\n"), Refusal::NoCommonCodec);
    assert_eq!(refused("m=audio 4000 RTP/AVP 200\na=rtpmap:200 PCMU/8000\n"), Refusal::NoCommonCodec);
    assert_eq!(refused("m=audio 4000 RTP/AVP\n"), Refusal::NoCommonCodec);
}

#[test]
fn nothing_in_common_is_refused_with_488() {
    assert_eq!(refused("m=audio 4000 RTP/AVP 18 3 101\na=rtpmap:101 telephone-event/8000\n"), Refusal::NoCommonCodec);
    assert_eq!(refused("m=video 4000 RTP/AVP 31\n"), Refusal::NoAudio);
    assert_eq!(refused("m=audio 0 RTP/AVP 0\n"), Refusal::NoAudio);
    assert_eq!(refused(""), Refusal::NoAudio);
    assert_eq!(refused("m=audio 4000 RTP/SAVP 0\n"), Refusal::UnsupportedTransport("RTP/SAVP".to_owned()));
    assert_eq!(Refusal::NoCommonCodec.status(), 488);
}

#[test]
fn every_line_but_one_audio_line_is_refused_in_its_place() {
    let negotiation = answered(
        "m=video 5000 RTP/AVP 99\na=rtpmap:99 H264/90000\nm=audio 4100 RTP/SAVP 0\nm=audio 4000 RTP/AVP 0\n\
         m=audio 4200 RTP/AVP 8\nm=application 6000 UDP/BFCP *\nm=video 0 RTP/AVP 31\na=bundle-only\nm=text 9 RTP/AVP\n",
    );
    let lines: Vec<String> = negotiation.local.media.iter().map(|m| format!("{} {}", m.media, m.port)).collect();
    assert_eq!(
        lines,
        ["video 0", "audio 0", "audio 20000", "audio 0", "application 0", "video 0", "text 0"].map(str::to_owned)
    );
    assert_eq!(negotiation.audio_line, 2);
    assert_eq!(negotiation.local.media[0].formats, ["99"]);
    assert!(negotiation.local.media.iter().all(|line| !line.formats.is_empty()));
    assert_eq!(negotiation.parameters.remote_rtp, remote(4000));
}

#[test]
fn the_transport_of_the_offer_is_answered() {
    assert_eq!(answered("m=audio 4000 RTP/AVPF 0\n").local.media[0].protocol, "RTP/AVPF");
}

#[test]
fn hold_takes_all_its_forms_and_resume_undoes_it() {
    let mut negotiation = answered(PLAIN);
    let mut version = negotiation.local.origin.version;
    for (address, attribute, expected, written) in [
        ("IN IP4 203.0.113.7", "a=sendonly", Direction::RecvOnly, "recvonly"),
        ("IN IP4 203.0.113.7", "a=inactive", Direction::Inactive, "inactive"),
        ("IN IP4 0.0.0.0", "a=sendrecv", Direction::RecvOnly, "recvonly"),
        ("IN IP4 203.0.113.7", "a=SendRecv", Direction::SendRecv, "sendrecv"),
        ("IN IP4 0.0.0.0", "a=inactive", Direction::Inactive, "inactive"),
        ("IN IP6 ::", "", Direction::RecvOnly, "recvonly"),
        ("IN IP4 203.0.113.7", "a=recvonly", Direction::SendOnly, "sendonly"),
        ("IN IP4 203.0.113.7", "", Direction::SendRecv, "sendrecv"),
    ] {
        let offer = peer_at(address, &format!("{PLAIN}{attribute}\n"));
        negotiation = answer(&offer, &local(), Some(&negotiation)).unwrap();
        assert_eq!(negotiation.parameters.direction, expected, "{address} {attribute}");
        assert!(negotiation.local.media[0].attributes.contains(&Attribute::flag(written)));
        assert_eq!(negotiation.parameters.remote_rtp.is_some(), address.contains("203"), "{address}");
        assert_eq!(negotiation.parameters.remote_rtcp.is_some(), address.contains("203"), "{address}");
        version += 1;
        assert_eq!(negotiation.local.origin.version, version);
    }
}

#[test]
fn a_direction_of_the_session_holds_unless_the_line_has_its_own() {
    let at_session = |line: &str| {
        let text = format!("v=0\nc=IN IP4 203.0.113.7\na=sendonly\nm=audio 4000 RTP/AVP 0\n{line}");
        let offer = SessionDescription::parse(text.as_bytes()).unwrap();
        answer(&offer, &local(), None).unwrap().parameters.direction
    };
    assert_eq!(at_session(""), Direction::RecvOnly);
    assert_eq!(at_session("a=inactive\n"), Direction::Inactive);
    assert_eq!(at_session("a=sendrecv\n"), Direction::SendRecv);
}

#[test]
fn our_own_wish_limits_the_direction_too() {
    let holding = LocalMedia { direction: Direction::SendOnly, ..local() };
    let direction = |attribute: &str| {
        let offer = peer(&format!("{PLAIN}a={attribute}\n"));
        answer(&offer, &holding, None).unwrap().parameters.direction
    };
    assert_eq!(direction("sendrecv"), Direction::SendOnly);
    assert_eq!(direction("recvonly"), Direction::SendOnly);
    assert_eq!(direction("sendonly"), Direction::Inactive);
}

#[test]
fn packets_are_as_long_as_the_peer_asks_within_what_we_can() {
    let time = |attributes: &str| {
        let negotiation = answered(&format!("m=audio 4000 RTP/AVP 0\n{attributes}"));
        let milliseconds = negotiation.parameters.send_packet_time.as_millis();
        let written = format!("a=ptime:{milliseconds}\r\n");
        assert!(negotiation.local.to_string().contains(&written));
        milliseconds
    };
    assert_eq!(time(""), 20);
    for asked in [10, 20, 30, 40, 60] {
        assert_eq!(time(&format!("a=ptime:{asked}\n")), asked);
    }
    assert_eq!(time("a=ptime:25\n"), 20);
    assert_eq!(time("a=ptime:5\n"), 10);
    assert_eq!(time("a=ptime:1000\n"), 60);
    assert_eq!(time("a=ptime:30.0\n"), 30);
    assert_eq!(time("a=ptime:0\n"), 20);
    assert_eq!(time("a=ptime:soon\n"), 20);
    assert_eq!(time("a=maxptime:10\n"), 10);
    assert_eq!(time("a=ptime:60\na=maxptime:40\n"), 40);
    assert_eq!(time("a=maxptime:150\n"), 20);
}

#[test]
fn telephone_event_keeps_the_offers_number() {
    let events = |media: &str| {
        let parameters = answered(media).parameters;
        let received: Vec<_> = parameters.receive_telephone_events.iter().map(|(number, _)| *number).collect();
        assert_eq!(parameters.send_telephone_event.into_iter().collect::<Vec<_>>(), received);
        parameters.send_telephone_event
    };
    assert_eq!(events("m=audio 4000 RTP/AVP 0 96\na=rtpmap:96 Telephone-Event/8000\na=fmtp:96 0-16\n"), Some(96));
    assert_eq!(events("m=audio 4000 RTP/AVP 0 96\na=rtpmap:96 telephone-event\n"), Some(96));
    assert_eq!(events("m=audio 4000 RTP/AVP 0\n"), None);
    // Listed without an explanation, or explained without being listed.
    assert_eq!(events("m=audio 4000 RTP/AVP 0 101\n"), None);
    assert_eq!(events("m=audio 4000 RTP/AVP 0\na=rtpmap:101 telephone-event/8000\n"), None);
    // One clock for digits and sound.
    let two = "m=audio 4000 RTP/AVP 0 110 126\na=rtpmap:110 telephone-event/48000\na=rtpmap:126 telephone-event/8000\n";
    assert_eq!(events(two), Some(126));
    // Fax tones only are no digits.
    assert_eq!(events("m=audio 4000 RTP/AVP 0 96\na=rtpmap:96 telephone-event/8000\na=fmtp:96 32-36\n"), None);
    assert_eq!(events("m=audio 4000 RTP/AVP 0 96\na=rtpmap:96 telephone-event/8000\na=fmtp:96 0-9, 10,11\n"), Some(96));
}

#[test]
fn telephone_event_is_not_answered_when_we_do_not_speak_it() {
    let deaf = LocalMedia { telephone_event: false, ..local() };
    let negotiation = answer(&peer(PLAIN), &deaf, None).unwrap();
    assert_eq!(negotiation.parameters.receive_telephone_events.as_slice(), []);
    assert_eq!(negotiation.local.media[0].formats, ["0", "8"]);
}

#[test]
fn rtcp_goes_where_the_peer_wants_it() {
    let rtcp = |attributes: &str| answered(&format!("m=audio 4000 RTP/AVP 0\n{attributes}")).parameters.remote_rtcp;
    assert_eq!(rtcp(""), remote(4001));
    assert_eq!(rtcp("a=rtcp:4500\n"), remote(4500));
    assert_eq!(rtcp("a=rtcp:4500 IN IP4 203.0.113.9\n"), Some("203.0.113.9:4500".parse().unwrap()));
    assert_eq!(rtcp("a=rtcp:0\n"), None);
    assert_eq!(rtcp("a=rtcp:off\n"), None);
    assert_eq!(rtcp("a=rtcp:4500 IN IP4 239.1.1.1\n"), None);
    assert_eq!(answered("m=audio 65535 RTP/AVP 0\n").parameters.remote_rtcp, None);
}

#[test]
fn rtcp_mux_is_answered_only_when_offered() {
    let muxed = answered("m=audio 4000 RTP/AVP 0\na=rtcp:4009\na=rtcp-mux\n");
    assert!(muxed.parameters.rtcp_mux);
    assert_eq!(muxed.parameters.remote_rtcp, remote(4000));
    assert!(muxed.local.media[0].attributes.contains(&Attribute::flag("rtcp-mux")));
    let plain = answered(PLAIN);
    assert!(!plain.parameters.rtcp_mux);
    assert!(!plain.local.to_string().contains("rtcp"));
}

#[test]
fn our_rtcp_port_is_written_when_it_is_not_the_next_one() {
    let apart = LocalMedia { rtcp_port: 20_777, ..local() };
    let negotiation = answer(&peer(PLAIN), &apart, None).unwrap();
    assert!(negotiation.local.media[0].attributes.contains(&Attribute::with_value("rtcp", "20777")));
}

#[test]
fn packets_are_never_sent_to_everybody_or_to_a_name() {
    for address in ["IN IP4 255.255.255.255", "IN IP4 239.1.2.3/64", "IN IP6 ff02::1", "IN IP4 pbx.example.com"] {
        let parameters = answer(&peer_at(address, PLAIN), &local(), None).unwrap().parameters;
        assert_eq!((parameters.remote_rtp, parameters.direction), (None, Direction::SendRecv), "{address}");
    }
}

#[test]
fn ipv6_is_answered_with_ipv6() {
    let six = LocalMedia { address: "2001:db8::5".parse().unwrap(), ..local() };
    let negotiation = answer(&peer_at("IN IP6 2001:db8::9", PLAIN), &six, None).unwrap();
    assert_eq!(negotiation.parameters.remote_rtp, Some("[2001:db8::9]:4000".parse().unwrap()));
    assert!(negotiation.local.to_string().contains("c=IN IP6 2001:db8::5\r\n"));
    let mapped = peer_at("IN IP6 ::ffff:203.0.113.7", PLAIN);
    assert_eq!(answer(&mapped, &six, None).unwrap().parameters.remote_rtp, remote(4000));
}

#[test]
fn the_same_offer_again_gets_the_same_answer_and_version() {
    let first = answered(PLAIN);
    let again = answer(&peer(PLAIN), &LocalMedia { session_id: 99, ..local() }, Some(&first)).unwrap();
    assert_eq!(again, first);
}

#[test]
fn a_later_offer_keeps_to_the_audio_line_in_use() {
    let first = answered("m=audio 4000 RTP/AVP 18\nm=audio 4002 RTP/AVP 0\n");
    assert_eq!(first.audio_line, 1);
    let both = peer("m=audio 4000 RTP/AVP 0\nm=audio 4002 RTP/AVP 0\n");
    assert_eq!(answer(&both, &local(), Some(&first)).unwrap().audio_line, 1);
    let moved = peer("m=audio 4000 RTP/AVP 0\nm=audio 0 RTP/AVP 0\n");
    assert_eq!(answer(&moved, &local(), Some(&first)).unwrap().audio_line, 0);
}

#[test]
fn fax_within_a_call_is_refused_and_nothing_changes() {
    let call = answered(PLAIN);
    let before = call.clone();
    for fax in ["m=image 4000 udptl t38\n", "m=audio 0 RTP/AVP 0\nm=image 4000 udptl t38\n"] {
        let refusal = answer(&peer(fax), &local(), Some(&call)).unwrap_err();
        assert_eq!((refusal.status(), refusal), (488, Refusal::NoAudio));
    }
    assert_eq!(call, before);
    let beside = peer("m=audio 4000 RTP/AVP 0 8 101\nm=image 4010 udptl t38\n");
    let negotiation = answer(&beside, &local(), Some(&call)).unwrap();
    assert_eq!(negotiation.local.media[1].port, 0);
}

#[test]
fn audio_switched_off_within_a_call_keeps_the_call_and_can_come_back() {
    let call = answered(PLAIN);
    let off = answer(&peer("m=audio 0 RTP/AVP 0\n"), &local(), Some(&call)).unwrap();
    assert_eq!(off.local.media[0].port, 0);
    assert_eq!((off.parameters.direction, off.parameters.remote_rtp), (Direction::Inactive, None));
    let back = answer(&peer(PLAIN), &local(), Some(&off)).unwrap();
    assert_eq!(back.parameters, call.parameters);
    assert_eq!(back.local.origin.version, call.local.origin.version + 2);
}

#[test]
fn the_formats_of_an_offer_are_named_for_people() {
    let offer = "v=0\no=- 1 1 IN IP4 192.0.2.9\ns=-\nc=IN IP4 192.0.2.9\nt=0 0\nm=video 4002 RTP/AVP 31\n\
                 m=audio 4000 RTP/AVP 18 96 97 110 3\na=rtpmap:96 opus/48000/2\na=rtpmap:97 \u{1b}[31mAMR/8000\n";
    let offer = SessionDescription::parse(offer.as_bytes()).unwrap();
    assert_eq!(offer.audio_formats(), ["G729/8000", "opus/48000/2", "[31mAMR/8000", "110", "GSM/8000"]);
    let many = format!("v=0\no=- 1 1 IN IP4 192.0.2.9\ns=-\nt=0 0\nm=audio 4000 RTP/AVP{}\n", " 0".repeat(40));
    assert_eq!(SessionDescription::parse(many.as_bytes()).unwrap().audio_formats().len(), 16);
}
