//! The fuzz corpora of the media parsers, replayed: each input as it is, cut at every length, and with every bit
//! turned.

use partyline::rtp::sequence::Source;
use partyline::rtp::telephone_event::{Receiver, TelephoneEvent};
use partyline::rtp::{Header, JitterBuffer, Packet, jitter_buffer, packet, rtcp};
use std::path::PathBuf;
use std::time::{Duration, Instant};

#[expect(clippy::disallowed_methods, reason = "a test needs some origin; it never reads the clock again")]
fn clock() -> Instant {
    Instant::now()
}

/// All inputs and their variants.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut inputs = Vec::new();
    for file in files {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        inputs.extend((0..bytes.len()).map(|len| bytes[..len].to_vec()));
        for bit in 0..bytes.len().min(64) * 8 {
            let mut turned = bytes.clone();
            turned[bit / 8] ^= 1 << (bit % 8);
            inputs.push(turned);
        }
        inputs.push(bytes);
    }
    assert!(inputs.len() > 100, "the corpus of {name} is there");
    inputs
}

#[test]
fn rtp_inputs_are_read_or_refused_and_never_more() {
    let start = clock();
    let mut buffer = JitterBuffer::new(jitter_buffer::Settings::default());
    let mut source = Source::new(1, 8_000);
    let (mut read, mut pending) = (0, 0usize);
    for (i, input) in corpus("rtp").iter().enumerate() {
        let _ = packet::is_rtcp(input);
        let now = start + Duration::from_millis(7) * u32::try_from(i).unwrap();
        if let Ok(packet) = Packet::parse(input) {
            read += 1;
            if let Some(place) = source.receive(now, &packet.header).place() {
                buffer.insert(now, place, &packet.header, packet.payload.len(), packet.payload);
            }
        }
        if i % 3 == 0 {
            loop {
                match buffer.pull(now, pending) {
                    jitter_buffer::Pull::Packet { payload, .. } => pending += payload.len(),
                    jitter_buffer::Pull::Conceal(n)
                    | jitter_buffer::Pull::Silence(n)
                    | jitter_buffer::Pull::Recover { samples: n, .. } => pending += n,
                    jitter_buffer::Pull::Shorten { .. } => buffer.shortened(0),
                    jitter_buffer::Pull::Lengthen { .. } => buffer.lengthened(0),
                    jitter_buffer::Pull::Done => break,
                }
            }
            pending -= 160;
        }
    }
    assert!(read > 1_000, "{read}");
}

#[test]
fn rtcp_inputs_are_read_or_refused_and_never_more() {
    let mut packets = 0;
    for input in corpus("rtcp") {
        let Ok(compound) = rtcp::parse(&input) else { continue };
        for packet in compound {
            packets += 1;
            if let rtcp::Packet::SenderReport { blocks, .. } | rtcp::Packet::ReceiverReport { blocks, .. } = packet {
                for block in blocks {
                    let _ = rtcp::RoundTrip::measure(&block, rtcp::NtpTime(u64::MAX));
                }
            }
        }
    }
    assert!(packets > 1_000, "{packets}");
}

#[test]
fn telephone_event_inputs_give_at_most_a_digit() {
    let start = clock();
    let mut receiver = Receiver::default();
    let mut digits = 0;
    for (i, input) in corpus("telephone_event").iter().enumerate() {
        let _ = TelephoneEvent::parse(input);
        let i = u16::try_from(i).unwrap();
        // Each after a pause, or neighbours of one event would be one key.
        let header = Header { marker: false, payload_type: 101, sequence: i, timestamp: u32::from(i) * 8_000, ssrc: 1 };
        digits += u32::from(receiver.receive(start + Duration::from_secs(1) * u32::from(i), &header, input).is_some());
    }
    assert!(digits > 100, "{digits}");
}
