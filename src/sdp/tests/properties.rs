//! What holds for every input.

use super::*;
use crate::sdp::audio::AudioLine;
use crate::types::{MediaParameters, SrtpKeys};
use proptest::prelude::*;

fn codecs() -> impl Strategy<Value = CodecPolicy> {
    let list = || proptest::sample::subsequence(AudioCodec::ALL.to_vec(), 1..=5).prop_shuffle();
    (list(), list(), any::<bool>()).prop_map(|(offered, mut accepted, own_order)| {
        // What is offered is spoken.
        accepted.extend(&offered);
        CodecPolicy { offered, accepted, own_order }
    })
}

prop_compose! {
    fn opus()(
        bitrate in 6_000u32..=128_000,
        lossy_bitrate in 6_000u32..=128_000,
        complexity in 0u8..=10,
        fec in any::<bool>(),
        dtx in any::<bool>(),
    ) -> OpusSettings {
        OpusSettings { bitrate, lossy_bitrate, complexity, fec, dtx, ..OpusSettings::default() }
    }
}

fn direction() -> impl Strategy<Value = Direction> {
    (any::<bool>(), any::<bool>()).prop_map(|(send, receive)| Direction::of(send, receive))
}

prop_compose! {
    fn side()(
        codecs in codecs(),
        opus in opus(),
        (comfort_noise, audio_level) in any::<(bool, bool)>(),
        direction in direction(),
        telephone_event in any::<bool>(),
        packet_time in proptest::sample::select(PACKET_TIMES.to_vec()),
        six in any::<bool>(),
        port in 1u16..65_534,
        apart in any::<bool>(),
        session_id in any::<u64>(),
        srtp in proptest::option::of(any::<bool>()),
    ) -> LocalMedia {
        let address = if six { "2001:db8::5" } else { "198.51.100.5" }.parse().unwrap();
        let rtcp_port = if apart { 9 } else { port + 1 };
        let srtp = srtp.map(super::securing::keys);
        LocalMedia {
            address,
            rtp_port: port,
            rtcp_port,
            codecs,
            opus,
            packet_time,
            telephone_event,
            comfort_noise,
            audio_level,
            direction,
            session_id,
            srtp,
            webrtc: None,
        }
    }
}

/// A line as peers write them, or nearly.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "m=(audio|video|image|AUDIO) (0|4000|65535|70000|x)(/2)? (RTP/AVP|RTP/AVPF|RTP/SAVP|udptl)( [0-9]{1,3}){0,6}",
        "a=rtpmap:[0-9]{1,3} (PCMU|pcma|G722|G729|CN|telephone-event|opus)(/(8000|16000|48000))?(/[12])?",
        "a=fmtp:[0-9]{1,3} (useinbandfec|maxaveragebitrate|maxplaybackrate|usedtx|cbr|annexb) ?= ?[0-9no]{0,6}( ?;)?",
        "a=extmap:[0-9]{1,3}(/(sendrecv|sendonly|recvonly|inactive|x))? urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        "a=fmtp:[0-9]{1,3} [0-9]{1,3}(-[0-9]{0,3})?(,[0-9]{1,2})?",
        "a=(sendrecv|sendonly|recvonly|inactive|rtcp-mux|bundle-only)",
        "a=(ptime|maxptime|rtcp):[0-9]{0,6}",
        "a=crypto:[0-9]{1,3} AES_CM_128_HMAC_SHA1_(80|32) inline:[A-Za-z0-9+/]{40}(\\|2\\^[0-9]{2})?(\\|1:[0-9])?",
        "c=IN IP4 (0\\.0\\.0\\.0|203\\.0\\.113\\.7|pbx\\.example|239\\.1\\.1\\.1/3)",
        "c=IN IP6 (::|2001:db8::1|x)",
        "o=[a-z ]{0,5} [0-9]{1,25} [0-9]{1,3} IN IP4 203\\.0\\.113\\.7",
        "[a-z]=.{0,20}",
        ".{0,10}",
    ]
}

fn description() -> impl Strategy<Value = String> {
    proptest::collection::vec(line(), 0..24).prop_map(|lines| format!("v=0\r\n{}", lines.join("\r\n")))
}

/// RFC 3264 section 6: as many lines, in the same order, over the same transports, and what was off stays off.
fn assert_legal(offer: &SessionDescription, answer: &SessionDescription) {
    assert_eq!(offer.media.len(), answer.media.len());
    for (asked, given) in offer.media.iter().zip(&answer.media) {
        assert!(asked.media.eq_ignore_ascii_case(&given.media));
        assert_eq!(asked.protocol, given.protocol);
        assert!(asked.port != 0 || given.port == 0);
        // Compared as numbers: "00" is answered as "0".
        let asked: Vec<Option<u8>> = asked.formats.iter().map(|format| format.parse().ok()).collect();
        assert!(given.port == 0 || given.formats.iter().all(|format| asked.contains(&format.parse().ok())));
    }
    assert!(answer.media.iter().filter(|line| line.port != 0).count() <= 1);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        corpus::survives(&bytes);
        corpus::survives(&[b"v=0\n".as_slice(), &bytes].concat());
    }

    #[test]
    fn anything_like_a_description_is_survived(text in description()) {
        corpus::survives(text.as_bytes());
    }

    #[test]
    fn a_mutated_seed_is_survived(
        seed in proptest::sample::select(corpus::seeds().into_values().collect::<Vec<_>>()),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = seed;
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        corpus::survives(&bytes);
    }

    #[test]
    fn an_answer_to_anything_is_legal(text in description(), us in side()) {
        if let Ok(offer) = SessionDescription::parse(text.as_bytes())
            && let Ok(negotiation) = answer(&offer, &us, None)
        {
            assert_legal(&offer, &negotiation.local);
            prop_assert!(PACKET_TIMES.contains(&negotiation.parameters.send_packet_time));
            let is_opus = negotiation.parameters.codec == AudioCodec::Opus;
            prop_assert!(!is_opus || negotiation.parameters.send_packet_time != Duration::from_millis(30));
            prop_assert!((6_000..=us.opus.bitrate).contains(&negotiation.parameters.opus.bitrate));
            prop_assert!(negotiation.parameters.remote_rtp.is_none_or(|to| to.port() != 0 && !to.ip().is_unspecified()));
        }
    }

    /// Both ends of a call of ours agree, whoever offers, and again when the other side offers next.
    #[test]
    fn two_gateways_agree_with_each_other(caller in side(), called in side(), later in side()) {
        let first = offer(&caller, None);
        match answer(&first, &called, None) {
            Err(refusal) if refusal.is_about_security() => {
                let requires = |side: &LocalMedia| side.srtp.as_ref().is_some_and(|srtp| srtp.required);
                prop_assert!(caller.srtp.is_none() && requires(&called) || called.srtp.is_none() && requires(&caller));
            }
            Err(refusal) => {
                prop_assert_eq!(refusal, Refusal::NoCommonCodec);
                prop_assert!(caller.codecs.offered.iter().all(|codec| !called.codecs.accepted.contains(codec)));
            }
            Ok(answered) => {
                assert_legal(&first, &answered.local);
                let accepted = accept_answer(&first, &answered.local, &caller).unwrap();
                assert_agreed(&accepted, &answered);
                prop_assert_eq!(answered.parameters.srtp.is_some(), caller.srtp.is_some() && called.srtp.is_some());
                let second = offer(&later, Some(&answered));
                let kept = AudioLine::read(&second, &second.media[answered.audio_line], None).codecs;
                for (number, codec) in &answered.parameters.receive_payload_types {
                    let same = |(known, meant): &&(u8, AudioCodec)| known == number || meant == codec;
                    prop_assert!(kept.iter().filter(same).all(|known| *known == (*number, *codec)), "{:?}", kept);
                }
                if let Ok(reply) = answer(&second, &caller, Some(&accepted)) {
                    assert_legal(&second, &reply.local);
                    let settled = match accept_answer(&second, &reply.local, &later) {
                        Err(Refusal::SrtpRequired) if reply.parameters.srtp.is_none() => return Ok(()),
                        settled => settled.unwrap(),
                    };
                    assert_agreed(&settled, &reply);
                    prop_assert_eq!(settled.local.origin.session_id, answered.local.origin.session_id);
                    let grown = settled.local.origin.version - answered.local.origin.version;
                    prop_assert_eq!(grown, u64::from(settled.local != answered.local));
                }
            }
        }
    }
}

fn assert_agreed(offerer: &Negotiation, answerer: &Negotiation) {
    let (a, b) = (&offerer.parameters, &answerer.parameters);
    assert_eq!(a.direction, b.direction.reversed());
    assert_eq!((a.codec, a.send_payload_type), (b.codec, b.send_payload_type));
    // Every number means the same to both.
    assert_eq!(a.receive_telephone_events, b.receive_telephone_events);
    assert_eq!(a.send_telephone_event, b.send_telephone_event);
    let clock = a.codec.clock_rate();
    let at_clock = |events: &[(u8, u32)]| events.iter().find(|(_, known)| *known == clock).map(|(number, _)| *number);
    assert_eq!(a.send_telephone_event, at_clock(&a.receive_telephone_events));
    assert!(a.codec != AudioCodec::Opus || a.opus.bitrate == b.opus.bitrate);
    // Neither offers noise first, nor tells levels.
    assert!(a.receive_comfort_noise.is_empty() && b.receive_comfort_noise.is_empty());
    assert_eq!((a.receive_audio_level, b.receive_audio_level), (None, None));
    let numbers = |parameters: &MediaParameters| {
        let codecs = parameters.receive_payload_types.iter().map(|(number, _)| *number);
        let events = parameters.receive_telephone_events.iter().map(|(number, _)| *number);
        codecs.chain(events).collect::<Vec<u8>>()
    };
    for numbers in [numbers(a), numbers(b)] {
        let distinct: std::collections::BTreeSet<&u8> = numbers.iter().collect();
        assert_eq!(distinct.len(), numbers.len(), "{numbers:?}");
    }
    assert!(b.receive_payload_types.iter().all(|known| a.receive_payload_types.contains(known)));
    assert_eq!(a.send_packet_time, b.send_packet_time);
    assert_eq!(a.rtcp_mux, b.rtcp_mux);
    let mirrored = |keys: &SrtpKeys| SrtpKeys { send: keys.receive.clone(), receive: keys.send.clone() };
    assert_eq!(a.srtp, b.srtp.as_ref().map(mirrored));
    assert!(a.receive_payload_types.contains(&(b.send_payload_type, b.codec)));
}
