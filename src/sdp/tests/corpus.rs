//! The seeds of `fuzz/corpus/sdp/`, replayed.

use super::*;
use std::collections::BTreeMap;

/// What becomes of each seed as the first offer of a call: what we would send, or why not.
const OUTCOMES: [(&str, &str); 31] = [
    ("all-off.sdp", "no audio stream is offered"),
    ("audio-and-video.sdp", "Pcmu as 0, digits Some(101), SendRecv"),
    ("blanks-everywhere.sdp", "Pcmu as 0, digits Some(96), RecvOnly"),
    ("browser.sdp", "audio is offered over UDP/TLS/RTP/SAVPF, which is not spoken here"),
    ("cut-off.sdp", "Pcmu as 0, digits None, SendRecv"),
    ("dynamic-pcmu.sdp", "Pcmu as 97, digits Some(127), SendRecv"),
    ("fax-audio-off.sdp", "no audio stream is offered"),
    ("fax.sdp", "no audio stream is offered"),
    ("hold-inactive.sdp", "Pcmu as 0, digits None, Inactive"),
    ("hold-ipv6.sdp", "Pcmu as 0, digits None, RecvOnly"),
    ("hold-rfc2543.sdp", "Pcmu as 0, digits Some(101), RecvOnly"),
    ("hold-sendonly-at-session-level.sdp", "Pcmu as 0, digits None, RecvOnly"),
    ("host-names.sdp", "Pcmu as 0, digits None, SendRecv"),
    ("huge-numbers.sdp", "Pcmu as 0, digits None, SendRecv"),
    ("ipv6-with-rtcp.sdp", "Pcma as 8, digits None, SendRecv"),
    ("line-feeds-only.sdp", "Pcmu as 0, digits None, SendRecv"),
    ("multicast.sdp", "Pcmu as 0, digits None, SendRecv"),
    ("no-common-codec.sdp", "no common audio codec"),
    ("no-media.sdp", "no audio stream is offered"),
    ("no-session-name-no-time.sdp", "Pcmu as 0, digits None, SendRecv"),
    ("no-version.sdp", "line 1: a session description begins with v=0"),
    ("not-utf8.sdp", "Pcmu as 0, digits None, SendRecv"),
    ("plain.sdp", "Pcma as 8, digits Some(101), SendRecv"),
    ("port-out-of-range.sdp", "line 4: m= is: media, port, protocol, formats, not \"m=audio 65536 RTP/AVP 0\""),
    ("returns-only.sdp", "Pcmu as 0, digits None, SendRecv"),
    ("rtcp-mux-avpf.sdp", "Pcmu as 0, digits Some(101), SendRecv"),
    ("srtp-or-plain.sdp", "Pcmu as 0, digits None, SendRecv"),
    ("srtp-refused.sdp", "audio is offered over RTP/SAVP, which is not spoken here"),
    ("static-types-without-rtpmap.sdp", "Pcma as 8, digits None, SendRecv"),
    ("telephone-event-odd.sdp", "Pcma as 8, digits Some(101), SendRecv"),
    ("two-audio-lines.sdp", "Pcmu as 0, digits None, SendRecv"),
];

/// The same for seeds of more codecs, where we speak Opus and G.722 as well.
const WIDE: [(&str, &str); 5] = [
    ("cn-of-three-clocks.sdp", "Opus as 111, digits Some(110), SendRecv"),
    ("g722-desk-phone.sdp", "G722 as 9, digits Some(101), SendRecv"),
    ("g729-only.sdp", "no common audio codec"),
    ("opus-softphone.sdp", "Opus as 96, digits Some(97), SendRecv"),
    ("opus-without-channels.sdp", "Opus as 107, digits None, SendRecv"),
];

pub(super) fn seeds() -> BTreeMap<String, Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/sdp");
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect()
}

fn outcome(bytes: &[u8], local: &LocalMedia) -> String {
    let offer = match SessionDescription::parse(bytes) {
        Ok(offer) => offer,
        Err(error) => return error.to_string(),
    };
    match answer(&offer, local, None) {
        Ok(Negotiation { parameters: p, .. }) => {
            format!("{:?} as {}, digits {:?}, {:?}", p.codec, p.send_payload_type, p.send_telephone_event, p.direction)
        }
        Err(refusal) => refusal.to_string(),
    }
}

/// Seeds that a fuzzer adds need only pass [`survives`]; those written by hand have their line in the table.
#[test]
fn every_seed_of_the_table_has_its_outcome() {
    let seeds = seeds();
    for (name, expected) in OUTCOMES {
        assert_eq!(outcome(&seeds[name], &local()), expected, "{name}");
    }
    for (name, expected) in WIDE {
        assert_eq!(outcome(&seeds[name], &wide()), expected, "{name}");
    }
}

#[test]
fn every_seed_and_every_cut_of_it_is_survived() {
    for (name, bytes) in seeds() {
        survives(&bytes);
        for end in 0..bytes.len() {
            survives(bytes.get(..end).unwrap_or_else(|| panic!("{name} has {end} bytes")));
        }
    }
}

/// Drives every public function with `bytes` as the peer's description, whatever comes of it.
pub(super) fn survives(bytes: &[u8]) {
    let Ok(theirs) = SessionDescription::parse(bytes) else { return };
    let printed = theirs.to_string();
    // What is wrong with a line is not printed: it is off.
    let mut printable = theirs.clone();
    printable.media.iter_mut().for_each(|line| line.fault = None);
    assert_eq!(SessionDescription::parse(printed.as_bytes()).as_ref(), Ok(&printable), "{printed}");
    let ours = offer(&local(), None);
    let mut exchanges = vec![answer(&theirs, &local(), None), accept_answer(&ours, &theirs, &local())];
    exchanges.extend([answer(&theirs, &wide(), None), accept_answer(&offer(&wide(), None), &theirs, &wide())]);
    let call = answer(&peer("m=audio 4000 RTP/AVP 0\n"), &local(), None).unwrap();
    exchanges.push(answer(&theirs, &local(), Some(&call)));
    for negotiation in exchanges.into_iter().flatten() {
        let local_text = negotiation.local.to_string();
        assert_eq!(SessionDescription::parse(local_text.as_bytes()).as_ref(), Ok(&negotiation.local), "{local_text}");
        let next = offer(&local(), Some(&negotiation));
        assert!(next.media.len() >= negotiation.local.media.len());
        assert!(next.media.get(negotiation.audio_line).is_some_and(|line| line.is_audio() && line.port != 0));
        let _ = accept_answer(&next, &theirs, &local());
    }
}
