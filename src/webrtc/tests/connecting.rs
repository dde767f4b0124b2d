//! From the answer to the end.

use super::pair::{Pair, at, candidates, ice, identities, peer};
use crate::types::{DtlsRole, Fingerprint, Seed, WebRtcPeer};
use crate::webrtc::connection::CONSENT;
use crate::webrtc::{Identity, Lost, Protocol, TransportAddress, fragment_of_check};
use rand::RngCore;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn two_peers_connect_whoever_begins_the_handshake() {
    for role in [DtlsRole::Client, DtlsRole::Server] {
        let mut pair = Pair::new(role);
        let began = pair.now;
        pair.connect();
        assert!(pair.now - began < SECOND, "{:?}", pair.now - began);
        assert!(pair.understand_each_other());
        let [us, them] = &pair.ends;
        assert_eq!(us.connected.as_ref().unwrap().0, them.address.into());
        assert_eq!(them.connected.as_ref().unwrap().0, us.address.into());
    }
}

#[test]
fn losses_delay_a_connection_and_do_not_prevent_it() {
    for role in [DtlsRole::Client, DtlsRole::Server] {
        let mut pair = Pair::new(role);
        pair.loss = 20;
        pair.connect();
        assert!(pair.understand_each_other());
    }
}

#[test]
fn another_certificate_than_the_one_described_ends_it() {
    for role in [DtlsRole::Client, DtlsRole::Server] {
        let [us, them] = identities();
        let believed = WebRtcPeer { fingerprints: vec![Fingerprint([7; 32])], ..peer(1, them, role, false) };
        let mut pair = Pair::with(believed, us);
        assert!(pair.run_until(5 * SECOND, |pair| pair.ends[0].lost.is_some()), "{role:?}");
        assert_eq!(pair.ends[0].lost, Some(Lost::Fingerprint));
        assert!(pair.ends[0].connected.is_none());
    }
}

#[test]
fn of_several_fingerprints_one_is_enough() {
    let [us, them] = identities();
    let fingerprints = vec![Fingerprint([7; 32]), them.fingerprint()];
    let mut pair = Pair::with(WebRtcPeer { fingerprints, ..peer(1, them, DtlsRole::Client, false) }, us);
    pair.connect();
}

/// The first datagram of a DTLS client.
fn client_hello(identity: &Identity, pair: &Pair) -> Vec<u8> {
    let mut dtls = identity.dtls(pair.now);
    dtls.set_active(true);
    dtls.handle_timeout(pair.now).unwrap();
    let mut buffer = [0; 1_500];
    match dtls.poll_output(&mut buffer) {
        dimpl::Output::Packet(bytes) => bytes.to_vec(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_client_hello_from_an_address_that_ice_has_not_validated_is_ignored() {
    let mut pair = Pair::new(DtlsRole::Server);
    let unknown = at("192.0.2.66:4000");
    let hello = client_hello(&identities()[1], &pair);
    let now = pair.now;
    for source in [unknown, pair.ends[1].address] {
        // Not even from the browser's own address, before it has answered a check of ours.
        pair.ends[0].connection.handle_packet(now, source, &hello);
    }
    pair.run(Duration::from_millis(5));
    assert!(pair.sent.iter().all(|(end, sent)| *end == 1 || sent.bytes[0] <= 3), "checks alone");
    pair.connect();
    let sent = pair.sent.len();
    let now = pair.now;
    pair.ends[0].connection.handle_packet(now, unknown, &hello);
    pair.run(SECOND);
    assert!(pair.sent[sent..].iter().all(|(_, sent)| sent.destination.address != unknown));
    assert_eq!(pair.ends[0].lost, None);
    assert!(pair.understand_each_other());
}

#[test]
fn consent_is_lost_thirty_seconds_after_the_last_answer() {
    let mut pair = Pair::new(DtlsRole::Client);
    pair.connect();
    pair.run(120 * SECOND);
    assert!(pair.ends.iter().all(|end| end.lost.is_none()), "two minutes without a word but the checks");
    pair.loss = 100;
    let silent = pair.now;
    assert!(pair.run_until(60 * SECOND, |pair| pair.ends[0].lost.is_some()));
    assert_eq!(pair.ends[0].lost, Some(Lost::Consent));
    let after = pair.now - silent;
    assert!((CONSENT - 5 * SECOND..=CONSENT).contains(&after), "{after:?}");
}

#[test]
fn a_peer_that_never_comes_is_given_up() {
    let mut pair = Pair::new(DtlsRole::Client);
    pair.loss = 100;
    assert!(pair.run_until(60 * SECOND, |pair| pair.ends[0].lost.is_some()));
    assert_eq!(pair.ends[0].lost, Some(Lost::Consent));
}

#[test]
fn checks_come_seldom_when_nothing_happens() {
    let mut pair = Pair::new(DtlsRole::Client);
    pair.connect();
    pair.run(10 * SECOND);
    pair.sent.clear();
    pair.run(60 * SECOND);
    let ours = pair.sent.iter().filter(|(end, _)| *end == 0).count();
    assert!((20..=60).contains(&ours), "{ours} datagrams in a minute");
}

#[test]
fn a_restart_finds_the_peer_at_its_new_address_under_the_same_keys() {
    let mut pair = Pair::new(DtlsRole::Client);
    pair.connect();
    pair.run(5 * SECOND);
    let elsewhere = at("192.0.2.77:40000");
    pair.ends[1].address = elsewhere;
    let [us, them] = identities();
    let now = pair.now;
    pair.ends[0].connection.restart(now, &ice(10), &peer(11, them, DtlsRole::Client, false));
    let known = WebRtcPeer { candidates: candidates(Protocol::Udp), ..peer(10, us, DtlsRole::Server, true) };
    pair.ends[1].connection.restart(now, &ice(11), &known);
    assert!(pair.run_until(5 * SECOND, |pair| pair.ends[0].moved == Some(elsewhere.into())));
    pair.run(60 * SECOND);
    assert!(pair.ends.iter().all(|end| end.lost.is_none()));
    assert!(pair.understand_each_other());
}

/// Two peers, and only TCP passes between them.
fn by_tcp(ours: DtlsRole) -> Pair {
    let [us, them] = identities();
    Pair::over(Protocol::Tcp, peer(1, them, ours, false), us)
}

#[test]
fn where_udp_does_not_pass_they_connect_by_tcp() {
    for role in [DtlsRole::Client, DtlsRole::Server] {
        let mut pair = by_tcp(role);
        pair.connect();
        assert!(pair.understand_each_other());
        let [us, them] = &pair.ends;
        assert_eq!(us.connected.as_ref().unwrap().0, TransportAddress::tcp(them.tcp));
        assert_eq!(them.connected.as_ref().unwrap().0, TransportAddress::tcp(us.tcp));
        pair.run(120 * SECOND);
        assert!(pair.ends.iter().all(|end| end.lost.is_none()));
    }
}

#[test]
fn a_connection_that_ends_takes_the_call_with_it_unless_another_comes() {
    let mut pair = by_tcp(DtlsRole::Client);
    pair.connect();
    let before = pair.ends[1].tcp;
    // Another connection of the same browser.
    let after = at("203.0.113.9:52001");
    pair.ends[1].tcp = after;
    let now = pair.now;
    pair.ends[0].connection.handle_disconnect(now, before);
    assert!(pair.run_until(5 * SECOND, |pair| pair.ends[0].moved == Some(TransportAddress::tcp(after))));
    pair.run(60 * SECOND);
    assert!(pair.ends.iter().all(|end| end.lost.is_none()));
    assert!(pair.understand_each_other());
    // And then none.
    let now = pair.now;
    pair.ends[1].tcp = at("203.0.113.9:52002");
    pair.loss = 100;
    pair.ends[0].connection.handle_disconnect(now, after);
    assert!(pair.run_until(CONSENT + SECOND, |pair| pair.ends[0].lost.is_some()));
    assert_eq!(pair.ends[0].lost, Some(Lost::Consent));
}

#[test]
fn a_browser_that_connects_again_and_again_is_heard_each_time() {
    let mut pair = by_tcp(DtlsRole::Client);
    pair.connect();
    for port in 0..200 {
        let (now, before) = (pair.now, pair.ends[1].tcp);
        let after = std::net::SocketAddr::new(before.ip(), 40_000 + port);
        pair.ends[1].tcp = after;
        pair.ends[0].connection.handle_disconnect(now, before);
        // Its next check may take a while.
        assert!(pair.run_until(25 * SECOND, |pair| pair.ends[0].moved == Some(TransportAddress::tcp(after))), "{port}");
    }
}

#[test]
fn a_check_says_whose_it_is_and_nothing_else_does() {
    let pair = {
        let mut pair = Pair::new(DtlsRole::Client);
        pair.run(SECOND / 2);
        pair
    };
    let check = &pair.sent.iter().find(|(end, _)| *end == 1).unwrap().1.bytes;
    assert_eq!(fragment_of_check(check), Some(ice(0).fragment));
    for length in 0..check.len() {
        assert_eq!(fragment_of_check(&check[..length]), None, "{length}");
    }
    let answer = &pair.sent.iter().find(|(_, sent)| sent.bytes.starts_with(&[1, 1])).unwrap().1.bytes;
    assert_eq!(fragment_of_check(answer), None);
    assert_eq!(fragment_of_check(&[22; 100]), None);
}

#[test]
fn whoever_closes_tells_the_other() {
    let mut pair = Pair::new(DtlsRole::Client);
    pair.connect();
    pair.ends[1].connection.close();
    assert!(pair.run_until(SECOND, |pair| pair.ends[0].lost.is_some()));
    assert_eq!(pair.ends[0].lost, Some(Lost::Closed));
    assert_eq!(pair.ends[0].connection.poll_timeout(), None);
}

#[test]
fn a_check_under_another_password_teaches_nothing() {
    let [us, them] = identities();
    // The gateway has a browser in mind that this one is not.
    let mut pair = Pair::with(peer(99, them, DtlsRole::Client, false), us);
    pair.run(20 * SECOND);
    assert!(pair.sent.iter().all(|(end, _)| *end == 1), "not a word to whoever it is");
}

#[test]
fn garbage_is_survived_before_and_after() {
    let mut random = Seed::fixed(3).generator();
    let mut pair = Pair::new(DtlsRole::Server);
    for round in 0..2 {
        let now = pair.now;
        for _ in 0..2_000 {
            let mut bytes = vec![0; (random.next_u32() % 200) as usize];
            random.fill_bytes(&mut bytes);
            if let Some(first) = bytes.first_mut() {
                *first %= 64;
            }
            for source in [at("192.0.2.66:4000"), pair.ends[1].address] {
                pair.ends[0].connection.handle_packet(now, source, &bytes);
            }
        }
        if round == 0 {
            pair.connect();
        }
    }
    pair.run(5 * SECOND);
    assert_eq!(pair.ends[0].lost, None);
}
