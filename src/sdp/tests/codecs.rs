//! Codecs beside G.711, and what comes with them.

use super::*;
use crate::types::MediaParameters;
use smallvec::smallvec;

const SOFTPHONE: &str = "m=audio 4000 RTP/AVP 96 9 0 97 101\na=rtpmap:96 opus/48000/2\na=fmtp:96 useinbandfec=1\n\
                         a=rtpmap:97 telephone-event/48000\na=rtpmap:101 telephone-event/8000\n";

fn taken(media: &str) -> MediaParameters {
    answer(&peer(media), &wide(), None).unwrap().parameters
}

fn opus_with(fmtp: &str, ours: OpusSettings) -> OpusSettings {
    let offer = peer(&format!("m=audio 4000 RTP/AVP 111\na=rtpmap:111 opus/48000/2\na=fmtp:111{fmtp}\n"));
    answer(&offer, &LocalMedia { opus: ours, ..wide() }, None).unwrap().parameters.opus
}

#[test]
fn an_offer_of_opus_has_its_digits_and_levels_beside_it() {
    assert_eq!(
        offer(&wide(), None).media[0].to_string(),
        "m=audio 20000 RTP/AVP 111 9 0 8 110 101\r\na=rtpmap:111 opus/48000/2\r\n\
         a=fmtp:111 useinbandfec=1;stereo=0;sprop-stereo=0;maxaveragebitrate=24000\r\n\
         a=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
         a=rtpmap:110 telephone-event/48000\r\na=fmtp:110 0-15\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=maxptime:60\r\n\
         a=extmap:1/recvonly urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=sendrecv\r\n"
    );
    let quiet = LocalMedia { opus: OpusSettings { dtx: true, bitrate: 16_000, ..OpusSettings::default() }, ..wide() };
    assert!(offer(&quiet, None).to_string().contains(";maxaveragebitrate=16000;usedtx=1\r\n"));
}

#[test]
fn an_offer_of_opus_is_answered_under_its_numbers() {
    let negotiation = answer(&peer(SOFTPHONE), &wide(), None).unwrap();
    assert_eq!(negotiation.local.media[0].formats, ["96", "9", "0", "97", "101"]);
    let parameters = negotiation.parameters;
    assert_eq!((parameters.codec, parameters.send_payload_type), (AudioCodec::Opus, 96));
    assert_eq!(
        parameters.receive_payload_types,
        [(96, AudioCodec::Opus), (9, AudioCodec::G722), (0, AudioCodec::Pcmu)]
    );
    assert_eq!(parameters.send_telephone_event, Some(97));
    assert_eq!(parameters.receive_telephone_events.as_slice(), [(97, 48_000), (101, 8_000)]);
    // Without Opus there is no need of its digits.
    let narrow = answered(SOFTPHONE);
    assert_eq!(narrow.parameters.receive_telephone_events.as_slice(), [(101, 8_000)]);
    assert_eq!(narrow.local.media[0].formats, ["0", "101"]);
}

#[test]
fn codecs_of_a_higher_rate_than_the_one_in_use_wait_for_no_packets() {
    let telephone = "m=audio 4000 RTP/AVP 0 9 96\na=rtpmap:96 opus/48000/2\n";
    assert_eq!(taken(telephone).receive_payload_types, [(0, AudioCodec::Pcmu)]);
    let accepted = |media: &str| accept_answer(&offer(&wide(), None), &peer(media), &wide()).unwrap().parameters;
    let narrow = [(0, AudioCodec::Pcmu), (8, AudioCodec::Pcma)];
    assert_eq!(accepted("m=audio 4000 RTP/AVP 8\n").receive_payload_types, narrow);
    assert_eq!(accepted("m=audio 4000 RTP/AVP 8 9\n").receive_payload_types.len(), 3);
}

#[test]
fn an_answer_says_which_of_the_clocks_digits_have() {
    let accepted = |media: &str| accept_answer(&offer(&wide(), None), &peer(media), &wide()).unwrap().parameters;
    let wideband = accepted(SOFTPHONE);
    assert_eq!(
        (wideband.codec, wideband.send_payload_type, wideband.send_telephone_event),
        (AudioCodec::Opus, 96, Some(97))
    );
    assert_eq!(wideband.receive_telephone_events.as_slice(), [(110, 48_000), (101, 8_000)]);
    let narrow = accepted("m=audio 4000 RTP/AVP 9 101\na=rtpmap:101 telephone-event/8000\n");
    assert_eq!((narrow.codec, narrow.send_telephone_event), (AudioCodec::G722, Some(101)));
    assert_eq!(narrow.receive_telephone_events.as_slice(), [(101, 8_000)]);
    // Our numbers unexplained mean what we said.
    let unexplained = accepted("m=audio 4000 RTP/AVP 111 110\n");
    assert_eq!((unexplained.codec, unexplained.send_telephone_event), (AudioCodec::Opus, Some(110)));
}

#[test]
fn digits_of_another_clock_than_the_codec_are_heard_and_not_sent() {
    let odd = taken("m=audio 4000 RTP/AVP 96 101\na=rtpmap:96 opus/48000/2\na=rtpmap:101 telephone-event/8000\n");
    assert_eq!((odd.send_telephone_event, odd.receive_telephone_events), (None, smallvec![(101, 8_000)]));
}

#[test]
fn our_own_order_decides_where_it_is_set() {
    let ours = |codecs: &[AudioCodec]| LocalMedia { codecs: CodecPolicy::exactly(codecs), ..local() };
    let offered = peer("m=audio 4000 RTP/AVP 0 8 9\n");
    let chosen = |local: &LocalMedia| {
        let negotiation = answer(&offered, local, None).unwrap();
        (negotiation.parameters.codec, negotiation.local.media[0].formats.join(" "))
    };
    assert_eq!(chosen(&ours(&[AudioCodec::G722, AudioCodec::Pcma])), (AudioCodec::G722, "9 8".to_owned()));
    assert_eq!(chosen(&wide()), (AudioCodec::Pcmu, "0 8".to_owned()));
    // Of an answer the peer's order counts: it has seen ours.
    let local = ours(&[AudioCodec::G722, AudioCodec::Pcma]);
    let parameters =
        accept_answer(&offer(&local, None), &peer("m=audio 4000 RTP/AVP 8 9\n"), &local).unwrap().parameters;
    assert_eq!(parameters.codec, AudioCodec::Pcma);
}

#[test]
fn by_default_telephones_are_offered_what_they_always_were() {
    let standard = LocalMedia { codecs: CodecPolicy::default(), ..local() };
    assert_eq!(offer(&standard, None), offer(&local(), None));
    assert_eq!(answer(&peer(SOFTPHONE), &standard, None).unwrap().parameters.codec, AudioCodec::Opus);
}

#[test]
fn what_was_taken_of_the_peers_offer_is_offered_again_in_first_place_while_it_is_in_use() {
    let standard = LocalMedia { codecs: CodecPolicy::default(), ..local() };
    let call = answer(&peer(SOFTPHONE), &standard, None).unwrap();
    let again = offer(&LocalMedia { direction: Direction::SendOnly, ..standard.clone() }, Some(&call));
    assert_eq!(again.media[0].formats, ["96", "0", "8", "9", "97", "101"]);
    let telephone = answer(&peer("m=audio 4000 RTP/AVP 0 9\n"), &standard, None).unwrap();
    assert_eq!(offer(&standard, Some(&telephone)).media[0].formats, ["0", "8", "101"]);
}

#[test]
fn opus_is_sent_within_what_the_peer_asks() {
    let ours = OpusSettings { bitrate: 32_000, dtx: true, ..OpusSettings::default() };
    assert_eq!(opus_with(" useinbandfec=1", ours), ours);
    assert_eq!(opus_with(" minptime=10", ours), OpusSettings { fec: false, ..ours });
    let slow = opus_with(" useinbandfec=1;maxaveragebitrate=20000", ours);
    assert_eq!((slow.bitrate, slow.lossy_bitrate), (20_000, 20_000));
    assert_eq!(opus_with(" useinbandfec=1;maxaveragebitrate=36000", ours).lossy_bitrate, 36_000);
    assert_eq!(opus_with(" maxaveragebitrate=510000", ours).bitrate, 32_000);
    assert_eq!(opus_with(" maxaveragebitrate=500", ours).bitrate, 6_000);
    assert_eq!(opus_with(" maxaveragebitrate=0", ours).bitrate, 32_000);
    assert_eq!(opus_with(" maxplaybackrate=16000", ours).max_playback_rate, 16_000);
    assert_eq!(opus_with(" maxplaybackrate=96000", ours).max_playback_rate, 48_000);
    assert!(!opus_with(" usedtx=0", ours).dtx);
    assert!(opus_with(" cbr=1", ours).constant_bitrate);
    let odd = "  MaxAverageBitrate = 18000 ;useinbandfec =1;; stereo=1 ;x;y=z;usedtx=1 ;sprop-stereo=1;maxptime=60";
    assert_eq!(opus_with(odd, ours), OpusSettings { bitrate: 18_000, lossy_bitrate: 18_000, ..ours });
    assert!(!opus_with(" useinbandfec=1", OpusSettings { fec: false, ..ours }).fec);
}

#[test]
fn opus_has_no_packets_of_30_milliseconds() {
    let time = |codec: &str, asked: u32| {
        let media = format!("m=audio 4000 RTP/AVP 96\na=rtpmap:96 {codec}\na=ptime:{asked}\n");
        taken(&media).send_packet_time.as_millis()
    };
    assert_eq!([10, 20, 30, 40, 60, 120].map(|asked| time("opus/48000/2", asked)), [10, 20, 20, 40, 60, 60]);
    assert_eq!([10, 30, 120].map(|asked| time("G722/8000", asked)), [10, 30, 60]);
    let long = LocalMedia { packet_time: Duration::from_millis(30), ..wide() };
    assert!(offer(&long, None).to_string().contains("a=ptime:20\r\n"));
}

#[test]
fn codecs_are_known_as_peers_write_them() {
    for (map, codec) in [
        ("OPUS/48000/2", Some(AudioCodec::Opus)),
        ("opus/48000", Some(AudioCodec::Opus)),
        ("opus/48000/1", Some(AudioCodec::Opus)),
        ("opus / 48000 / 2", Some(AudioCodec::Opus)),
        ("opus", Some(AudioCodec::Opus)),
        ("opus/16000", None),
        ("opus/48000/6", None),
        ("g722/8000/1", Some(AudioCodec::G722)),
        ("G722/16000", None),
        ("G7221/32000", None),
    ] {
        let read = answer(&peer(&format!("m=audio 4000 RTP/AVP 97\na=rtpmap:97 {map}\n")), &wide(), None);
        assert_eq!(read.ok().map(|negotiation| negotiation.parameters.codec), codec, "{map}");
    }
    assert_eq!(taken("m=audio 4000 RTP/AVP 9\n").codec, AudioCodec::G722);
}

#[test]
fn g729_is_spoken_without_annex_b_where_it_is_named() {
    let media = "m=audio 4000 RTP/AVP 18 0\na=fmtp:18 annexb=yes\n";
    assert_eq!(taken(media).codec, AudioCodec::Pcmu);
    let named = LocalMedia { codecs: CodecPolicy::exactly(&[AudioCodec::G729, AudioCodec::Pcmu]), ..local() };
    let negotiation = answer(&peer(media), &named, None).unwrap();
    assert_eq!((negotiation.parameters.codec, negotiation.parameters.send_payload_type), (AudioCodec::G729, 18));
    assert!(negotiation.local.to_string().contains("a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\n"));
}

#[test]
fn comfort_noise_is_answered_when_offered_and_never_offered_first() {
    let media = "m=audio 4000 RTP/AVP 0 101 13\na=rtpmap:101 telephone-event/8000\na=rtpmap:13 CN/8000\n";
    let call = answered(media);
    assert_eq!(call.local.media[0].formats, ["0", "101", "13"]);
    assert_eq!(call.parameters.send_comfort_noise, Some(13));
    assert_eq!(call.parameters.receive_comfort_noise.as_slice(), [(13, 8_000)]);
    // Static: it need not be explained.
    assert_eq!(answered("m=audio 4000 RTP/AVP 0 13\n").parameters.send_comfort_noise, Some(13));
    assert!(!offer(&wide(), None).to_string().contains("CN/"));
    assert_eq!(offer(&local(), Some(&call)).media[0].formats, ["0", "8", "101", "13"]);
    let without = LocalMedia { comfort_noise: false, ..local() };
    let negotiation = answer(&peer(media), &without, None).unwrap();
    assert_eq!(negotiation.local.media[0].formats, ["0", "101"]);
    assert_eq!(
        (negotiation.parameters.send_comfort_noise, negotiation.parameters.receive_comfort_noise),
        (None, smallvec![])
    );
    // An answer cannot add it.
    assert_eq!(
        accept_answer(&offer(&local(), None), &peer(media), &local()).unwrap().parameters.send_comfort_noise,
        None
    );
}

#[test]
fn of_several_clocks_of_comfort_noise_that_of_the_codec_is_taken() {
    let noises = "a=rtpmap:105 CN/16000\na=rtpmap:106 CN/32000\na=rtpmap:13 CN/8000\n";
    let telephone = taken(&format!("m=audio 4000 RTP/AVP 0 106 105 13\n{noises}"));
    assert_eq!((telephone.send_comfort_noise, telephone.receive_comfort_noise), (Some(13), smallvec![(13, 8_000)]));
    let wideband = taken(&format!("m=audio 4000 RTP/AVP 9 105 13\n{noises}"));
    assert_eq!((wideband.codec, wideband.send_comfort_noise), (AudioCodec::G722, Some(13)));
    // Opus has its own.
    let opus = taken(&format!("m=audio 4000 RTP/AVP 96 0 13\na=rtpmap:96 opus/48000/2\n{noises}"));
    assert_eq!((opus.send_comfort_noise, opus.receive_comfort_noise), (None, smallvec![(13, 8_000)]));
    let alone = taken(&format!("m=audio 4000 RTP/AVP 96 13\na=rtpmap:96 opus/48000/2\n{noises}"));
    assert!(alone.receive_comfort_noise.is_empty());
}

#[test]
fn audio_levels_are_heard_where_the_peer_tells_them() {
    const LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
    let extmap = |line: &str| {
        let negotiation = answered(&format!("m=audio 4000 RTP/AVP 0\n{line}\n"));
        let written = negotiation.local.media[0].attributes.iter().find(|attribute| attribute.name == "extmap");
        (negotiation.parameters.receive_audio_level, written.and_then(|attribute| attribute.value.clone()))
    };
    let heard = |id: u8| (Some(id), Some(format!("{id}/recvonly {LEVEL}")));
    assert_eq!(extmap(&format!("a=extmap:1 {LEVEL}")), heard(1));
    assert_eq!(extmap(&format!("a=extmap:3/sendonly {LEVEL} vad=on")), heard(3));
    assert_eq!(
        extmap(&format!("a=extmap:2 urn:ietf:params:rtp-hdrext:toffset\na=extmap:14/sendrecv {LEVEL}")),
        heard(14)
    );
    for silent in [
        format!("a=extmap:1/recvonly {LEVEL}"),
        format!("a=extmap:1/inactive {LEVEL}"),
        format!("a=extmap:15 {LEVEL}"),
        format!("a=extmap:4096 {LEVEL}"),
        format!("a=extmap:0 {LEVEL}"),
        format!("a=extmap:1/sometimes {LEVEL}"),
        "a=extmap:1 urn:ietf:params:rtp-hdrext:csrc-audio-level".to_owned(),
        "a=extmap:1".to_owned(),
        "a=extmap".to_owned(),
    ] {
        assert_eq!(extmap(&silent), (None, None), "{silent}");
    }
}

#[test]
fn audio_levels_are_offered_beside_opus_and_heard_if_the_answer_tells_them() {
    let levels = |answer: &str| {
        let reply = peer(&format!("m=audio 4000 RTP/AVP 111\n{answer}\n"));
        accept_answer(&offer(&wide(), None), &reply, &wide()).unwrap()
    };
    let heard = levels("a=extmap:1/sendonly urn:ietf:params:rtp-hdrext:ssrc-audio-level");
    assert_eq!(heard.parameters.receive_audio_level, Some(1));
    assert_eq!(levels("").parameters.receive_audio_level, None);
    assert_eq!(levels("a=extmap:2 urn:ietf:params:rtp-hdrext:ssrc-audio-level").parameters.receive_audio_level, None);
    assert!(!offer(&local(), None).to_string().contains("extmap"));
    // It keeps its number.
    let theirs = "m=audio 4000 RTP/AVP 0\na=extmap:5 urn:ietf:params:rtp-hdrext:ssrc-audio-level\n";
    let call = answered(theirs);
    assert!(offer(&local(), Some(&call)).to_string().contains("a=extmap:5/recvonly urn"));
}

#[test]
fn a_number_keeps_its_meaning_when_codecs_are_added() {
    // What would be ours means something else already.
    let theirs = "m=audio 4000 RTP/AVP 111 101\na=rtpmap:111 PCMU/8000\na=rtpmap:101 telephone-event/8000\n";
    let call = answer(&peer(theirs), &wide(), None).unwrap();
    let again = offer(&wide(), Some(&call));
    assert_eq!(again.media[0].formats, ["96", "9", "111", "8", "110", "101"]);
    assert!(again.to_string().contains("a=rtpmap:96 opus/48000/2\r\n"));
}
