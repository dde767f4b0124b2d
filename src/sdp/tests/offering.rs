//! We offer.

use super::*;

fn accepted(media: &str) -> Result<Negotiation, Refusal> {
    accept_answer(&offer(&local(), None), &peer(media), &local())
}

#[test]
fn a_first_offer_holds_all_we_can_do() {
    assert_eq!(
        offer(&local(), None).to_string(),
        "v=0\r\no=- 655884233731895160 1 IN IP4 198.51.100.5\r\ns=-\r\nc=IN IP4 198.51.100.5\r\nt=0 0\r\n\
         m=audio 20000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=maxptime:60\r\na=sendrecv\r\n"
    );
}

#[test]
fn our_order_of_codecs_is_offered() {
    let codecs = speaking(&[AudioCodec::Pcma, AudioCodec::Pcmu, AudioCodec::Pcma]);
    assert_eq!(offer(&LocalMedia { codecs, ..local() }, None).media[0].formats, ["8", "0", "101"]);
}

#[test]
fn each_side_keeps_its_own_numbers() {
    let parameters = accepted(
        "m=audio 4000 RTP/AVP 97 100\na=rtpmap:97 PCMA/8000\na=rtpmap:100 telephone-event/8000\na=ptime:30\na=rtcp:4050\n",
    )
    .unwrap()
    .parameters;
    assert_eq!((parameters.codec, parameters.send_payload_type), (AudioCodec::Pcma, 97));
    assert_eq!(parameters.receive_payload_types, [(0, AudioCodec::Pcmu), (8, AudioCodec::Pcma)]);
    assert_eq!(
        (parameters.send_telephone_event, parameters.receive_telephone_events.as_slice()),
        (Some(100), [(101, 8_000)].as_slice())
    );
    assert_eq!(parameters.send_packet_time, Duration::from_millis(30));
    assert_eq!((parameters.remote_rtp, parameters.remote_rtcp), (remote(4000), remote(4050)));
}

#[test]
fn an_answer_may_leave_our_numbers_unexplained() {
    let parameters = accepted("m=audio 4000 RTP/AVP 8 101\n").unwrap().parameters;
    assert_eq!(parameters.codec, AudioCodec::Pcma);
    assert_eq!(parameters.send_telephone_event, Some(101));
}

#[test]
fn without_telephone_event_in_the_answer_there_is_none() {
    let parameters = accepted("m=audio 4000 RTP/AVP 0\n").unwrap().parameters;
    assert_eq!(
        (parameters.send_telephone_event, parameters.receive_telephone_events.as_slice()),
        (None, [].as_slice())
    );
}

#[test]
fn codecs_that_were_not_offered_are_passed_over() {
    let only_mu = LocalMedia { codecs: speaking(&[AudioCodec::Pcmu]), ..local() };
    let ours = offer(&only_mu, None);
    let parameters = accept_answer(&ours, &peer("m=audio 4000 RTP/AVP 18 8 0\n"), &only_mu).unwrap().parameters;
    assert_eq!((parameters.codec, parameters.send_payload_type), (AudioCodec::Pcmu, 0));
    let none = accept_answer(&ours, &peer("m=audio 4000 RTP/AVP 8\n"), &only_mu);
    assert_eq!(none.unwrap_err(), Refusal::NoCommonCodec);
}

#[test]
fn too_many_too_few_and_misplaced_lines_are_borne() {
    let parameters =
        accepted("m=video 0 RTP/AVP 31\nm=audio 4000 RTP/AVP 0\nm=video 9 RTP/AVP 31\n").unwrap().parameters;
    assert_eq!(parameters.remote_rtp, remote(4000));
    assert_eq!(accepted("").unwrap_err(), Refusal::AnswerWithoutAudio);
    assert_eq!(accepted("m=video 4000 RTP/AVP 0\n").unwrap_err(), Refusal::AnswerWithoutAudio);
    assert!(Refusal::AnswerWithoutAudio.is_peers_fault());
}

#[test]
fn an_answer_that_declines_or_changes_the_transport_is_refused() {
    assert_eq!(accepted("m=audio 0 RTP/AVP 0\n").unwrap_err(), Refusal::AudioDeclined);
    let savp = Refusal::AnswerChangedTransport("RTP/SAVP".to_owned());
    assert_eq!(accepted("m=audio 4000 RTP/SAVP 0\n").unwrap_err(), savp);
    assert!(accepted("m=audio 4000 RTP/AVPF 0\n").is_ok());
}

#[test]
fn rtcp_mux_that_we_did_not_offer_is_not_taken() {
    let parameters = accepted("m=audio 4000 RTP/AVP 0\na=rtcp-mux\n").unwrap().parameters;
    assert_eq!((parameters.rtcp_mux, parameters.remote_rtcp), (false, remote(4001)));
}

#[test]
fn the_direction_is_what_both_sides_go_along_with() {
    let holding = LocalMedia { direction: Direction::SendOnly, ..local() };
    let ours = offer(&holding, None);
    let direction = |attribute: &str| {
        let reply = peer(&format!("m=audio 4000 RTP/AVP 0\na={attribute}\n"));
        accept_answer(&ours, &reply, &holding).unwrap().parameters.direction
    };
    assert_eq!(direction("recvonly"), Direction::SendOnly);
    assert_eq!(direction("inactive"), Direction::Inactive);
    // A phone that ignores our hold is still not listened to.
    assert_eq!(direction("sendrecv"), Direction::SendOnly);
}

#[test]
fn a_later_offer_keeps_session_lines_and_numbers() {
    let first = answer(
        &peer("m=video 5000 RTP/AVP 31\nm=audio 4000 RTP/AVPF 97 96\na=rtpmap:97 PCMA/8000\na=rtpmap:96 telephone-event/8000\na=rtcp-mux\n"),
        &local(),
        None,
    )
    .unwrap();
    let hold = LocalMedia { direction: Direction::SendOnly, session_id: 1, ..local() };
    let again = offer(&hold, Some(&first));
    assert_eq!(again.origin.session_id, first.local.origin.session_id);
    assert_eq!(again.origin.version, first.local.origin.version + 1);
    assert_eq!(again.media.len(), 2);
    assert_eq!((again.media[0].media.as_str(), again.media[0].port), ("video", 0));
    assert_eq!(again.media[1].protocol, "RTP/AVPF");
    assert_eq!(again.media[1].formats, ["0", "97", "96"]);
    assert!(again.media[1].attributes.contains(&Attribute::flag("rtcp-mux")));
    let reply = peer("m=video 0 RTP/AVP 31\nm=audio 4000 RTP/AVPF 97 96\na=rtcp-mux\na=recvonly\n");
    let held = accept_answer(&again, &reply, &hold).unwrap();
    assert_eq!(held.audio_line, 1);
    assert!(held.parameters.rtcp_mux);
    assert_eq!((held.parameters.codec, held.parameters.send_payload_type), (AudioCodec::Pcma, 97));
    assert_eq!((held.parameters.send_telephone_event, held.parameters.direction), (Some(96), Direction::SendOnly));
}

#[test]
fn an_unchanged_offer_keeps_its_version() {
    let first = accepted("m=audio 4000 RTP/AVP 0\n").unwrap();
    assert_eq!(offer(&local(), Some(&first)), first.local);
    let moved = LocalMedia { rtp_port: 20_002, rtcp_port: 20_003, ..local() };
    assert_eq!(offer(&moved, Some(&first)).origin.version, 2);
}

#[test]
fn the_version_of_an_offer_that_failed_is_used_up() {
    let mut call = accepted("m=audio 4000 RTP/AVP 0\n").unwrap();
    let hold = offer(&LocalMedia { direction: Direction::Inactive, ..local() }, Some(&call));
    assert_eq!(hold.origin.version, 2);
    call.offer_failed(&hold);
    assert_eq!(offer(&local(), Some(&call)).origin.version, 3);
}

#[test]
fn a_number_taken_by_the_peer_is_not_given_another_meaning() {
    let first = answer(&peer("m=audio 4000 RTP/AVP 101 8\na=rtpmap:101 PCMU/8000\n"), &local(), None).unwrap();
    assert_eq!(offer(&local(), Some(&first)).media[0].formats, ["101", "8", "96"]);
}

#[test]
fn audio_that_was_switched_off_is_offered_in_its_own_place() {
    let call = answer(&peer("m=audio 4000 RTP/AVP 0\nm=image 0 udptl t38\n"), &local(), None).unwrap();
    let off = answer(&peer("m=audio 0 RTP/AVP 0\nm=image 0 udptl t38\n"), &local(), Some(&call)).unwrap();
    let again = offer(&local(), Some(&off));
    let ports: Vec<u16> = again.media.iter().map(|line| line.port).collect();
    assert_eq!(ports, [20_000, 0]);
    // Even where the peer lost the line altogether.
    let lost = answer(&peer("m=image 0 udptl t38\n"), &local(), Some(&call)).unwrap();
    let again = offer(&local(), Some(&lost));
    let lines: Vec<String> = again.media.iter().map(|line| format!("{} {}", line.protocol, line.port)).collect();
    assert_eq!(lines, ["udptl 0", "RTP/AVP 20000"].map(str::to_owned));
}
