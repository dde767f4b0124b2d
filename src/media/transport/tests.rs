//! A leg whose way ICE has found.

use super::*;
use crate::rtp::srtp::Protector;
use crate::types::{AudioCodec, CallId, SrtpKey, SrtpKeys, SrtpSuite};

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn key(octet: u8) -> SrtpKey {
    SrtpKey::new(SrtpSuite::AeadAes128Gcm, &[octet; 28]).unwrap()
}

fn parameters(nominated: &str) -> MediaParameters {
    MediaParameters {
        remote_rtcp: Some(address(nominated)),
        rtcp_mux: true,
        ice: true,
        accept_from: vec![],
        srtp: Some(SrtpKeys { send: key(1), receive: key(2) }),
        ..MediaParameters::plain(address(nominated), AudioCodec::Opus, 111)
    }
}

/// An RTP packet of the peer as it comes.
fn sealed(key: &SrtpKey, sequence: u8) -> Vec<u8> {
    let mut packet = vec![0; 64];
    packet[..13].copy_from_slice(&[0x80, 111, 0, sequence, 0, 0, 0, 9, 0, 0, 0, 7, 42]);
    let length = Protector::new(key).protect_rtp(&mut packet, 13).unwrap();
    packet.truncate(length);
    packet
}

/// Where both streams go.
fn destination(transport: &mut Transport, sequence: u8) -> SocketAddr {
    let mut outbox = Outbox::default();
    let who: Who = (Default::default(), CallId(1));
    transport.way(who, &mut outbox).unwrap().send(&[0x80, 111, 0, sequence, 0, 0, 0, 9, 0, 0, 0, 7], &[1]);
    transport.send_rtcp(who, &[0x80, 201, 0, 1, 0, 0, 0, 7], &mut outbox);
    let sent: Vec<_> = outbox.iter().map(|packet| (packet.kind, packet.destination, packet.bytes.len())).collect();
    assert_eq!(sent.len(), 2);
    assert!(sent.iter().all(|(kind, to, length)| *kind == PacketKind::Rtp && *to == sent[0].1 && *length > 20));
    sent[0].1
}

#[test]
fn what_is_authentic_is_believed_from_anywhere_and_moves_nothing() {
    let now = crate::test_clock();
    let mut transport = Transport::new(&parameters("203.0.113.9:51000"));
    for (sequence, source) in [(1, "203.0.113.9:51000"), (2, "192.0.2.1:7")] {
        let mut packet = sealed(&key(2), sequence);
        let opened = transport.receive(PacketKind::Rtp, now, address(source), &mut packet);
        assert_eq!(opened.map(|(kind, bytes)| (kind, bytes.len())), Ok((PacketKind::Rtp, 13)));
        assert_eq!(transport.judge_rtp(now, address(source)), Verdict::Accepted);
        assert_eq!(destination(&mut transport, sequence), address("203.0.113.9:51000"));
    }
    for (mut packet, dropped) in [(sealed(&key(3), 3), Dropped::Forged), (sealed(&key(2), 2), Dropped::Replayed)] {
        let taken = transport.receive(PacketKind::Rtp, now, address("203.0.113.9:51000"), &mut packet);
        assert_eq!(taken, Err(dropped));
    }
}

#[test]
fn ice_and_dtls_are_left_as_they_came() {
    let now = crate::test_clock();
    let mut transport = Transport::new(&parameters("203.0.113.9:51000"));
    for first in [0, 1, 20, 22, 63, 64, 127, 192, 255] {
        let mut datagram = [first; 60];
        let taken = transport.receive(PacketKind::Rtp, now, address("192.0.2.1:7"), &mut datagram);
        assert_eq!(taken, Err(Dropped::Aside));
        assert_eq!(datagram, [first; 60]);
    }
}

#[test]
fn another_pair_of_candidates_takes_packets_elsewhere_under_the_same_count() {
    let now = crate::test_clock();
    let mut transport = Transport::new(&parameters("203.0.113.9:51000"));
    assert_eq!(destination(&mut transport, 1), address("203.0.113.9:51000"));
    transport.update(now, &parameters("192.0.2.77:40000"));
    assert_eq!(destination(&mut transport, 2), address("192.0.2.77:40000"));
    let mut packet = sealed(&key(2), 1);
    assert!(transport.receive(PacketKind::Rtp, now, address("192.0.2.77:40000"), &mut packet).is_ok());
    assert!(transport.receive(PacketKind::Rtp, now, address("192.0.2.77:40000"), &mut sealed(&key(2), 1)).is_err());
}
