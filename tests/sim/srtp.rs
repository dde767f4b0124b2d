//! Calls whose sound is encrypted.

use super::phone::{End, base64, written};
use super::world::{Settings, World, ms, secs};
use partyline::rtp::Header;
use partyline::types::{AudioCodec, Direction, SrtpKey, SrtpSuite};

/// Networks of the trunks with srtp = required, opportunistic, and opportunistic where keys could be overheard.
const VAULT: [u8; 3] = [100, 64, 1];
const EAGER: [u8; 3] = [100, 64, 2];
const OVERHEARD: [u8; 3] = [100, 64, 3];

fn key(suite: SrtpSuite, octet: u8) -> SrtpKey {
    SrtpKey::random(suite, |octets| octets.fill(octet))
}

/// A phone that names a key on a line with `profile`.
fn secure_phone(world: &mut World, network: [u8; 3], profile: &'static str, key: SrtpKey) -> usize {
    let phone = world.phone_at(network, AudioCodec::Pcmu);
    let local = &mut world.phones[phone].agent.local;
    (local.profile, local.key) = (profile, Some((1, key)));
    phone
}

fn dial(world: &mut World, phone: usize) {
    world.dial(phone, "2000");
    world.run(secs(3));
}

/// No line of the log and no record holds a key.
fn finish(world: World) {
    for phone in &world.phones {
        let secure = phone.secure.as_ref().map(|secure| base64(secure.theirs.master()));
        let local = phone.agent.local.key.as_ref().map(|(_, key)| base64(key.master()));
        for key in [secure, local].into_iter().flatten() {
            assert!(world.log.iter().all(|line| !line.contains(&key) && !line.contains("inline")));
        }
    }
    world.finish();
}

#[test]
fn calls_of_every_suite_and_a_plain_one_hear_each_other() {
    let mut world = World::new(Settings::default());
    let mut room = world.phones_in("2000", 1);
    for (n, suite) in (1..).zip(SrtpSuite::ALL) {
        let phone = secure_phone(&mut world, VAULT, "RTP/SAVP", key(suite, n));
        dial(&mut world, phone);
        room.push(phone);
    }
    world.run(secs(12));
    world.assert_together(&room);
    for &phone in &room[1..] {
        let remote = world.phones[phone].agent.remote.clone().unwrap();
        assert_eq!((remote.profile.as_str(), remote.keys.len()), ("RTP/SAVP", 1));
        assert!(world.phones[phone].reports > 0, "reports are protected too");
        assert_eq!(world.phones[phone].unreadable, 0);
        let statistics = world.statistics(phone);
        assert_eq!((statistics.packets_forged, statistics.packets_replayed, statistics.packets_invalid), (0, 0, 0));
    }
    finish(world);
}

#[test]
fn digits_are_heard_through_srtp() {
    let mut world = World::new(Settings::default());
    let phone = secure_phone(&mut world, VAULT, "RTP/SAVP", key(SrtpSuite::AesCm128HmacSha1_80, 7));
    dial(&mut world, phone);
    world.key_and_wait(phone, "12");
    world.run(secs(1));
    assert_eq!(world.statistics(phone).digits_received, 2);
    finish(world);
}

#[test]
fn where_srtp_is_required_a_plain_call_is_refused() {
    let mut world = World::new(Settings::default());
    let phone = world.phone_at(VAULT, AudioCodec::Pcmu);
    dial(&mut world, phone);
    world.assert_ended(phone, End::Refused(488));
    world.assert_logged("srtp = required");
    finish(world);
}

#[test]
fn a_secure_offer_is_refused_where_srtp_is_off_or_its_key_could_be_overheard() {
    let mut world = World::new(Settings::default());
    for (network, word) in [([198, 51, 100], "srtp = off"), (OVERHEARD, "srtp = opportunistic, signalling unencrypted")]
    {
        let phone = secure_phone(&mut world, network, "RTP/SAVP", key(SrtpSuite::AesCm128HmacSha1_80, 7));
        dial(&mut world, phone);
        world.assert_ended(phone, End::Refused(488));
        world.assert_logged(word);
    }
    // On a plain line the key is passed over, and none is given away.
    let phone = secure_phone(&mut world, OVERHEARD, "RTP/AVP", key(SrtpSuite::AesCm128HmacSha1_80, 7));
    dial(&mut world, phone);
    world.assert_talking(&[phone]);
    assert!(world.phones[phone].agent.remote.as_ref().unwrap().keys.is_empty());
    finish(world);
}

#[test]
fn a_secure_offer_without_a_usable_key_is_refused() {
    let mut world = World::new(Settings::default());
    for network in [VAULT, EAGER] {
        let phone = world.phone_at(network, AudioCodec::Pcmu);
        world.phones[phone].agent.local.profile = "RTP/SAVP";
        dial(&mut world, phone);
        world.assert_ended(phone, End::Refused(488));
    }
    world.assert_logged("no a=crypto line can be used");
    finish(world);
}

#[test]
fn opportunistic_srtp_is_spoken_with_who_can_and_rtp_with_who_cannot() {
    let mut world = World::new(Settings::default());
    let plain = world.phone_at(EAGER, AudioCodec::Pcmu);
    let secure = secure_phone(&mut world, EAGER, "RTP/AVP", key(SrtpSuite::AeadAes128Gcm, 9));
    let insisting = secure_phone(&mut world, EAGER, "RTP/SAVP", key(SrtpSuite::AesCm128HmacSha1_32, 11));
    let room = [plain, secure, insisting];
    room.iter().for_each(|phone| dial(&mut world, *phone));
    world.assert_together(&room);
    assert_eq!(room.map(|phone| world.phones[phone].secure.is_some()), [false, true, true]);
    assert_eq!(world.phones[secure].agent.remote.as_ref().unwrap().profile, "RTP/AVP");
    finish(world);
}

#[test]
fn our_offer_names_keys_and_is_answered_with_one() {
    let mut world = World::new(Settings::default());
    for (network, profile) in [(VAULT, "RTP/SAVP"), (EAGER, "RTP/AVP")] {
        let phone = secure_phone(&mut world, network, profile, key(SrtpSuite::AesCm128HmacSha1_80, 9));
        world.phones[phone].agent.habits.late_offer = true;
        // Our third suite.
        world.phones[phone].agent.local.key.as_mut().unwrap().0 = 3;
        dial(&mut world, phone);
        assert_eq!(world.phones[phone].agent.remote.as_ref().unwrap().keys.len(), 4);
    }
    world.assert_together(&[0, 1]);
    // Left alone, the keys of an opportunistic offer do no harm.
    let plain = world.phone_at(EAGER, AudioCodec::Pcmu);
    world.phones[plain].agent.habits.late_offer = true;
    dial(&mut world, plain);
    world.assert_together(&[0, 1, plain]);
    finish(world);
}

#[test]
fn garbage_and_replays_are_counted_and_end_nothing() {
    let mut world = World::new(Settings::default());
    let phone = secure_phone(&mut world, VAULT, "RTP/SAVP", key(SrtpSuite::AesCm128HmacSha1_80, 7));
    let other = secure_phone(&mut world, VAULT, "RTP/SAVP", key(SrtpSuite::AeadAes256Gcm, 8));
    dial(&mut world, phone);
    dial(&mut world, other);
    let address = world.phones[phone].mouth.address.to_string();
    let near = format!("{}:1", world.phones[phone].mouth.address.ip());
    for n in 0..500u16 {
        let mouth = &world.phones[phone].mouth;
        let header = Header {
            marker: n == 0,
            payload_type: 0,
            sequence: mouth.sequence.wrapping_add(n * 7),
            timestamp: mouth.timestamp,
            ssrc: mouth.ssrc ^ u32::from(n % 3),
        };
        let plain = written(header, &[n as u8; 160]);
        world.inject(phone, &address, &plain);
        world.inject(phone, &address, &plain[..usize::from(n % 40)]);
        world.inject(phone, &near, &plain);
        let sent = world.phones[phone].last_sent.clone();
        world.inject(phone, &address, &sent);
        world.run(ms(20));
        world.inject(phone, &near, &sent);
    }
    world.assert_together(&[phone, other]);
    let statistics = world.statistics(phone);
    assert!(statistics.packets_forged >= 500, "{statistics:?}");
    assert!(statistics.packets_replayed >= 400, "{statistics:?}");
    assert_eq!((statistics.ssrc_changes, statistics.address_changes), (0, 0));
    assert_eq!(statistics.packets_lost, 0);
    finish(world);
}

#[test]
fn a_source_is_not_learned_from_packets_that_are_not_authentic() {
    let mut world = World::new(Settings::default());
    let phone = secure_phone(&mut world, VAULT, "RTP/SAVP", key(SrtpSuite::AesCm128HmacSha1_80, 7));
    let other = secure_phone(&mut world, VAULT, "RTP/SAVP", key(SrtpSuite::AesCm128HmacSha1_80, 8));
    dial(&mut world, other);
    world.phones[phone].mouth.says = super::phone::Says::Nothing;
    dial(&mut world, phone);
    // Nothing was heard of the phone: whoever speaks first would be believed.
    let near = format!("{}:1", world.phones[phone].mouth.address.ip());
    let header = Header { marker: true, payload_type: 0, sequence: 1, timestamp: 1, ssrc: 1 };
    world.inject(phone, &near, &written(header, &[0; 160]));
    world.phones[phone].mouth.says = super::phone::Says::Tone;
    world.run(secs(3));
    world.assert_together(&[phone, other]);
    assert_eq!(world.statistics(phone).address_changes, 0);
    finish(world);
}

#[test]
fn a_new_key_of_the_peer_is_followed_without_a_gap() {
    let mut world = World::new(Settings::default());
    let suite = SrtpSuite::AesCm128HmacSha1_80;
    let phone = secure_phone(&mut world, VAULT, "RTP/SAVP", key(suite, 7));
    let other = secure_phone(&mut world, VAULT, "RTP/SAVP", key(suite, 8));
    dial(&mut world, phone);
    dial(&mut world, other);
    let ours = world.phones[phone].secure.as_ref().unwrap().theirs.clone();
    for octet in [50, 51, 52] {
        world.phones[phone].agent.local.key = Some((1, key(suite, octet)));
        world.reinvite(phone);
        world.run(secs(2));
        world.assert_together(&[phone, other]);
    }
    assert_eq!(world.phones[phone].secure.as_ref().unwrap().theirs, ours, "our key is as good as before");
    let statistics = world.statistics(phone);
    // One may overtake the offer at each change.
    assert!(statistics.packets_forged <= 3 && statistics.packets_lost <= 3, "{statistics:?}");
    finish(world);
}

#[test]
fn another_suite_and_a_pause_of_encryption_bring_keys_never_used_before() {
    let mut world = World::new(Settings::default());
    let phone = secure_phone(&mut world, EAGER, "RTP/AVP", key(SrtpSuite::AesCm128HmacSha1_80, 7));
    let other = secure_phone(&mut world, EAGER, "RTP/AVP", key(SrtpSuite::AesCm128HmacSha1_80, 8));
    dial(&mut world, phone);
    dial(&mut world, other);
    let mut seen = Vec::new();
    let steps = [
        Some(SrtpSuite::AesCm128HmacSha1_80),
        Some(SrtpSuite::AeadAes128Gcm),
        Some(SrtpSuite::AesCm128HmacSha1_80),
        None,
        Some(SrtpSuite::AesCm128HmacSha1_80),
    ];
    for (octet, step) in (60..).zip(steps) {
        if octet > 60 {
            world.phones[phone].agent.local.key = step.map(|suite| (1, key(suite, octet)));
            world.reinvite(phone);
            world.run(secs(3));
        }
        world.assert_together(&[phone, other]);
        let theirs = world.phones[phone].secure.as_ref().map(|secure| secure.theirs.clone());
        assert_eq!(theirs.is_some(), step.is_some());
        assert!(theirs.is_none() || !seen.contains(&theirs), "a key that was used before");
        seen.push(theirs);
    }
    finish(world);
}

#[test]
fn a_secure_call_is_held_and_taken_up_again() {
    let mut world = World::new(Settings::default());
    let phone = secure_phone(&mut world, VAULT, "RTP/SAVP", key(SrtpSuite::AeadAes128Gcm, 7));
    let other = secure_phone(&mut world, VAULT, "RTP/SAVP", key(SrtpSuite::AeadAes128Gcm, 8));
    dial(&mut world, phone);
    dial(&mut world, other);
    for direction in [Direction::SendOnly, Direction::SendRecv] {
        world.phones[phone].agent.local.direction = direction;
        world.reinvite(phone);
        world.run(secs(3));
    }
    world.assert_together(&[phone, other]);
    assert_eq!(world.phones[phone].unreadable, 0);
    finish(world);
}
