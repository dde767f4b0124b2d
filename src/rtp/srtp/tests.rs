//! Published test vectors, and what must hold for all packets.

use super::cipher::{Cipher, Role, counter_mode};
use super::derivation::{Label, derive};
use super::*;
use crate::types::{Mki, SrtpKey, SrtpSuite};
use aes::cipher::KeyInit;
use proptest::prelude::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len() / 2).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap()).collect()
}

fn key(suite: SrtpSuite) -> SrtpKey {
    let master: Vec<u8> = (0..suite.master_len()).map(|octet| (7 * octet + 3) as u8).collect();
    SrtpKey::new(suite, &master).unwrap()
}

fn pair(suite: SrtpSuite) -> (Protector, Unprotector) {
    (Protector::new(&key(suite)), Unprotector::new(&key(suite)))
}

fn rtp(ssrc: u32, sequence: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 0];
    packet.extend(sequence.to_be_bytes());
    packet.extend((u32::from(sequence) * 160).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend(payload);
    packet
}

fn rtcp(ssrc: u32, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 201, 0, 1];
    packet.extend(ssrc.to_be_bytes());
    packet.extend(body);
    packet
}

fn sealed_rtp(protector: &mut Protector, packet: &[u8]) -> Vec<u8> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + MAX_RTP_OVERHEAD, 0);
    let length = protector.protect_rtp(&mut buffer, packet.len()).unwrap();
    buffer.truncate(length);
    buffer
}

fn sealed_rtcp(protector: &mut Protector, packet: &[u8]) -> Vec<u8> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + MAX_RTCP_OVERHEAD, 0);
    let length = protector.protect_rtcp(&mut buffer, packet.len()).unwrap();
    buffer.truncate(length);
    buffer
}

fn opened_rtp(unprotector: &mut Unprotector, packet: &[u8]) -> Result<Vec<u8>, SrtpError> {
    let mut buffer = packet.to_vec();
    let length = unprotector.unprotect_rtp(&mut buffer);
    if length.is_err() {
        assert_eq!(buffer, packet, "a refused packet is left as it was");
    }
    buffer.truncate(length?);
    Ok(buffer)
}

fn opened_rtcp(unprotector: &mut Unprotector, packet: &[u8]) -> Result<Vec<u8>, SrtpError> {
    let mut buffer = packet.to_vec();
    let length = unprotector.unprotect_rtcp(&mut buffer);
    if length.is_err() {
        assert_eq!(buffer, packet, "a refused packet is left as it was");
    }
    buffer.truncate(length?);
    Ok(buffer)
}

// RFC 3711 appendix B.2.
#[test]
fn the_key_stream_is_the_one_of_the_rfc() {
    let cipher = aes::Aes128Enc::new_from_slice(&hex("2B7E151628AED2A6ABF7158809CF4F3C")).unwrap();
    let block: [u8; 16] = hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000").try_into().unwrap();
    let mut stream = vec![0; 16 * 0xFF02];
    counter_mode(&cipher, block, &mut stream);
    let expected = "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0";
    assert_eq!(stream[..48], hex(expected));
    let expected = "EC8CDF7398607CB0F2D21675EA9EA1E4 362B7C3C6773516318A077D7FC5073AE 6A2CC3787889374FBEB4C81B17BA6C44";
    assert_eq!(stream[16 * 0xFEFF..], hex(expected));
}

// RFC 3711 appendix B.3.
#[test]
fn session_keys_are_derived_as_in_the_rfc() {
    let master = hex("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6");
    let master = SrtpKey::new(SrtpSuite::AesCm128HmacSha1_80, &master).unwrap();
    for (label, expected) in [
        (Label::RtpEncryption, "C61E7A93744F39EE10734AFE3FF7A087"),
        (Label::RtpSalt, "30CBBC08863D8C85D49DB34A9AE1"),
        (
            Label::RtpAuthentication,
            "CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE E049646C43D9327AD175578EF7227098
             6371C10C9A369AC2F94A8C5FBCDDDC25 6D6E919A48B610EF17C2041E47403576 6B68642C59BBFC2F34DB60DBDFB2",
        ),
    ] {
        let expected = hex(expected);
        let mut derived = vec![0xFF; expected.len()];
        derive(&master, label, &mut derived);
        assert_eq!(derived, expected, "{label:?}");
    }
}

// The reference packets that libsrtp checks itself with (test/srtp_driver.c).
#[test]
fn whole_packets_are_as_another_implementation_makes_them() {
    let (rtp, rtcp) = ("800f1234decafbadcafebabe", "81c8000bcafebabe");
    let text = "abababababababababababababababab";
    for (suite, master, secured_rtp, secured_rtcp) in [
        (
            SrtpSuite::AesCm128HmacSha1_80,
            "e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6",
            "4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb",
            "7128035be487b9bdbef89041f977a5a8 80000001 993e08cd54d6c1230798",
        ),
        (
            SrtpSuite::AeadAes128Gcm,
            "000102030405060708090a0b0c0d0e0f a0a1a2a3a4a5a6a7a8a9aaab",
            "c5002ede04cfdd2eb91159e0880aa06e d2976826f796b201df3131a127e8a392",
            "c98b8b5df0392a55852b6c21ac8e7025 c52c6fbea2b3b446ea31123ba88ce61e 80000001",
        ),
        (
            SrtpSuite::AeadAes256Gcm,
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f a0a1a2a3a4a5a6a7a8a9aaab",
            "0af7f21e8a90bdad7a425c9c31ed4bb1 d90238917e7390a2793500e1681acaea",
            "",
        ),
    ] {
        let key = SrtpKey::new(suite, &hex(master)).unwrap();
        let (mut protector, mut unprotector) = (Protector::new(&key), Unprotector::new(&key));
        let (plain, secured) = (hex(&format!("{rtp}{text}")), hex(&format!("{rtp}{secured_rtp}")));
        assert_eq!(sealed_rtp(&mut protector, &plain), secured, "{suite:?}");
        assert_eq!(opened_rtp(&mut unprotector, &secured), Ok(plain));
        if !secured_rtcp.is_empty() {
            let (plain, secured) = (hex(&format!("{rtcp}{text}")), hex(&format!("{rtcp}{secured_rtcp}")));
            assert_eq!(sealed_rtcp(&mut protector, &plain), secured, "{suite:?}");
            assert_eq!(opened_rtcp(&mut unprotector, &secured), Ok(plain));
        }
    }
}

/// RFC 7714 sections 16 and 17 give session keys: octets counted from 0, "Quid pro quo".
fn rfc_7714(suite: SrtpSuite, role: Role) -> Cipher {
    let key: Vec<u8> = (0..suite.key_len()).map(|octet| octet as u8).collect();
    let salt = hex("51756964 2070726f 2071756f 0000").try_into().unwrap();
    Cipher::of(suite, role, &key, salt, &[0; 20])
}

// RFC 7714 sections 16.1.1, 16.1.2, 16.2.1 and 16.2.2.
#[test]
fn aead_packets_of_rtp_are_those_of_the_rfc() {
    let plain = hex("8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976
                     69736120 696e2070 61727465 73207472 6573");
    for (suite, secured) in [
        (
            SrtpSuite::AeadAes128Gcm,
            "8040f17b8041f8d35501a0b2 f24de3a3fb34de6cacba861c9d7e4bca be633bd50d294e6f42a5f47a51c7d19b
             36de3adf8833 899d7f27beb16a9152cf765ee4390cce",
        ),
        (
            SrtpSuite::AeadAes256Gcm,
            "8040f17b8041f8d35501a0b2 32b1de78a822fe12ef9f78fa332e33aa b18012389a58e2f3b50b2a0276ffae0f
             1ba63799b87b 7aa3db36dfffd6b0f9bb7878d7a76c13",
        ),
    ] {
        let cipher = |role| rfc_7714(suite, role);
        let mut protector = Protector::with(cipher(Role::Rtp), cipher(Role::Rtcp), 1);
        let mut unprotector = Unprotector::with(cipher(Role::Rtp), cipher(Role::Rtcp), None);
        assert_eq!(sealed_rtp(&mut protector, &plain), hex(secured), "{suite:?}");
        assert_eq!(opened_rtp(&mut unprotector, &hex(secured)).as_deref(), Ok(&*plain), "{suite:?}");
    }
}

// RFC 7714 sections 17.1, 17.2 (the encrypted ones) and 17.3 (authenticated only).
#[test]
fn aead_packets_of_rtcp_are_those_of_the_rfc() {
    let plain = hex("81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61
                     deadbeef deadbeef deadbeef deadbeef deadbeef");
    for (suite, secured) in [
        (
            SrtpSuite::AeadAes128Gcm,
            "81c8000d4d617273 63e94885dcdab67ca727d7662f6b7e99 7ff5c0f76c06f32dc676a5f1730d6fda
             4ce09b468630 3ded0bb9275bc84aa45896cf4d2fc5ab f87245d9eade 800005d4",
        ),
        (
            SrtpSuite::AeadAes256Gcm,
            "81c8000d4d617273 d50ae4d1f5ce5d304ba297e47d470c28 2c3ece5dbffe0a50a2eaa5c1110555be
             8415f658c61d e0476f1b6fad1d1eb30c4446839f57ff 6f6cb26ac3be 800005d4",
        ),
    ] {
        let cipher = |role| rfc_7714(suite, role);
        let mut protector = Protector::with(cipher(Role::Rtp), cipher(Role::Rtcp), 0x5d4);
        let mut unprotector = Unprotector::with(cipher(Role::Rtp), cipher(Role::Rtcp), None);
        assert_eq!(sealed_rtcp(&mut protector, &plain), hex(secured), "{suite:?}");
        assert_eq!(opened_rtcp(&mut unprotector, &hex(secured)).as_deref(), Ok(&*plain), "{suite:?}");
    }
    let cipher = |role| rfc_7714(SrtpSuite::AeadAes128Gcm, role);
    let mut unprotector = Unprotector::with(cipher(Role::Rtp), cipher(Role::Rtcp), None);
    let mut tagged = plain.clone();
    tagged.extend(hex("841dd9683dd78ec92ae58790125f62b3 000005d4"));
    assert_eq!(opened_rtcp(&mut unprotector, &tagged), Ok(plain));
}

#[test]
fn every_flipped_bit_is_refused_and_changes_nothing() {
    for suite in SrtpSuite::ALL {
        let (mut protector, mut unprotector) = pair(suite);
        let (audio, report) = (rtp(1, 100, &[9; 20]), rtcp(1, &[5; 12]));
        let secured = (sealed_rtp(&mut protector, &audio), sealed_rtcp(&mut protector, &report));
        for bit in 0..8 * secured.0.len() {
            let mut flipped = secured.0.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(opened_rtp(&mut unprotector, &flipped).is_err(), "{suite:?}, bit {bit}");
        }
        for bit in 0..8 * secured.1.len() {
            let mut flipped = secured.1.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(opened_rtcp(&mut unprotector, &flipped).is_err(), "{suite:?}, bit {bit}");
        }
        assert_eq!(opened_rtp(&mut unprotector, &secured.0), Ok(audio));
        assert_eq!(opened_rtcp(&mut unprotector, &secured.1), Ok(report));
        assert_eq!(opened_rtp(&mut unprotector, &secured.0), Err(SrtpError::Replayed));
        assert_eq!(opened_rtcp(&mut unprotector, &secured.1), Err(SrtpError::Replayed));
    }
}

#[test]
fn packets_overtaken_by_less_than_the_window_are_taken_and_older_ones_are_not() {
    let (mut protector, mut unprotector) = pair(SrtpSuite::AeadAes128Gcm);
    let packets: Vec<Vec<u8>> =
        (0..300u16).map(|n| sealed_rtp(&mut protector, &rtp(1, 65_400u16.wrapping_add(n), &[1; 4]))).collect();
    assert!(opened_rtp(&mut unprotector, &packets[0]).is_ok());
    assert!(opened_rtp(&mut unprotector, &packets[299]).is_ok());
    for n in (1..299).rev() {
        let expected = if n >= 172 { Ok(()) } else { Err(SrtpError::Replayed) };
        assert_eq!(opened_rtp(&mut unprotector, &packets[n]).map(|_| ()), expected, "packet {n}");
    }
}

#[test]
fn the_rollover_counter_is_kept_over_several_wraps() {
    for suite in SrtpSuite::ALL {
        let (mut protector, mut unprotector) = pair(suite);
        let mut sequence = 65_000u16;
        for n in 0..400u32 {
            let plain = rtp(1, sequence, &n.to_be_bytes());
            let secured = sealed_rtp(&mut protector, &plain);
            assert_eq!(opened_rtp(&mut unprotector, &secured), Ok(plain), "packet {n}");
            sequence = sequence.wrapping_add(1_000);
        }
    }
}

#[test]
fn a_stream_whose_first_packets_before_the_wrap_were_lost_is_understood() {
    let (mut protector, mut unprotector) = pair(SrtpSuite::AesCm128HmacSha1_80);
    let early: Vec<Vec<u8>> =
        (0..6u16).map(|n| sealed_rtp(&mut protector, &rtp(1, 65_533u16.wrapping_add(n), &[n as u8]))).collect();
    assert!(opened_rtp(&mut unprotector, &early[4]).is_ok());
    // Those from before the wrap come late, and the next goes on.
    assert!(opened_rtp(&mut unprotector, &early[1]).is_ok());
    assert!(opened_rtp(&mut unprotector, &early[5]).is_ok());
}

#[test]
fn sources_are_told_apart_and_garbage_of_others_forgets_none() {
    let (mut protector, mut unprotector) = pair(SrtpSuite::AesCm128HmacSha1_32);
    for ssrc in 1..=4 {
        let secured = sealed_rtp(&mut protector, &rtp(ssrc, 10, &[3; 8]));
        assert!(opened_rtp(&mut unprotector, &secured).is_ok());
    }
    for ssrc in 100..1_000 {
        let garbage = rtp(ssrc, 11, &[0x5A; 24]);
        assert_eq!(opened_rtp(&mut unprotector, &garbage), Err(SrtpError::Forged));
    }
    for ssrc in 1..=4 {
        let (mut again, _) = pair(SrtpSuite::AesCm128HmacSha1_32);
        let replay = sealed_rtp(&mut again, &rtp(ssrc, 10, &[3; 8]));
        assert_eq!(opened_rtp(&mut unprotector, &replay), Err(SrtpError::Replayed));
    }
    let room = &mut [0; 64][..];
    let fifth = rtp(5, 10, &[3; 8]);
    room[..fifth.len()].copy_from_slice(&fifth);
    assert_eq!(protector.protect_rtp(room, fifth.len()), Err(SrtpError::TooManySources));
}

#[test]
fn no_index_is_used_twice_under_one_key() {
    let (mut protector, _) = pair(SrtpSuite::AeadAes256Gcm);
    sealed_rtp(&mut protector, &rtp(1, 10, &[3; 8]));
    let mut again = rtp(1, 10, &[4; 8]);
    again.resize(64, 0);
    assert_eq!(protector.protect_rtp(&mut again, 20), Err(SrtpError::Exhausted));
    again[3] = 9;
    assert_eq!(protector.protect_rtp(&mut again, 20), Err(SrtpError::Exhausted));
}

#[test]
fn when_all_indices_of_rtcp_are_used_nothing_more_is_sent() {
    let cipher = |role| rfc_7714(SrtpSuite::AeadAes128Gcm, role);
    let mut protector = Protector::with(cipher(Role::Rtp), cipher(Role::Rtcp), (1 << 31) - 1);
    sealed_rtcp(&mut protector, &rtcp(1, &[1; 4]));
    let mut next = rtcp(1, &[1; 4]);
    next.resize(64, 0);
    assert_eq!(protector.protect_rtcp(&mut next, 12), Err(SrtpError::Exhausted));
}

#[test]
fn after_a_new_key_the_other_side_may_count_on_or_start_anew() {
    let suite = SrtpSuite::AesCm128HmacSha1_80;
    let (mut protector, mut unprotector) = pair(suite);
    for sequence in [65_000, 10_000, 40_000, 5_000] {
        let secured = sealed_rtp(&mut protector, &rtp(1, sequence, &[1; 8]));
        assert!(opened_rtp(&mut unprotector, &secured).is_ok());
    }
    let new = SrtpKey::new(suite, &[0xC3; 30]).unwrap();
    for mut protector in [protector.rekeyed(&new), Protector::new(&new)] {
        let mut unprotector = unprotector.rekeyed(&new);
        for sequence in 5_001..5_010 {
            let plain = rtp(1, sequence, &[1; 8]);
            let secured = sealed_rtp(&mut protector, &plain);
            assert_eq!(opened_rtp(&mut unprotector, &secured), Ok(plain));
        }
    }
}

#[test]
fn a_master_key_identifier_is_read_and_must_be_the_right_one() {
    for suite in SrtpSuite::ALL {
        let (mut protector, _) = pair(suite);
        let mut unprotector = Unprotector::new(&key(suite).with_mki(Mki::new(0x0102, 3)));
        let aead = matches!(suite, SrtpSuite::AeadAes128Gcm | SrtpSuite::AeadAes256Gcm);
        let tag = if suite == SrtpSuite::AesCm128HmacSha1_32 { 4 } else { 10 };
        for (sequence, mki, taken) in [(1, [0, 1, 2], true), (2, [0, 1, 3], false), (3, [0, 1, 2], true)] {
            let plain = rtp(1, sequence, &[1; 30]);
            let mut secured = sealed_rtp(&mut protector, &plain);
            let place = if aead { secured.len() } else { secured.len() - tag };
            secured.splice(place..place, mki);
            assert_eq!(opened_rtp(&mut unprotector, &secured), if taken { Ok(plain) } else { Err(SrtpError::Forged) });
            let plain = rtcp(1, &[1; 8]);
            let mut secured = sealed_rtcp(&mut protector, &plain);
            let place = if aead { secured.len() } else { secured.len() - 10 };
            secured.splice(place..place, mki);
            assert_eq!(opened_rtcp(&mut unprotector, &secured), if taken { Ok(plain) } else { Err(SrtpError::Forged) });
        }
    }
}

#[test]
fn sources_and_extensions_in_the_header_stay_readable() {
    let (mut protector, mut unprotector) = pair(SrtpSuite::AeadAes128Gcm);
    let mut plain = rtp(7, 1, &[]);
    plain[0] = 0x92;
    plain.extend([1; 8]);
    plain.extend([0xBE, 0xDE, 0, 1, 5, 5, 5, 5]);
    let header = plain.clone();
    plain.extend([6; 40]);
    let secured = sealed_rtp(&mut protector, &plain);
    assert_eq!(secured[..header.len()], header);
    assert_ne!(secured[header.len()..plain.len()], plain[header.len()..]);
    assert_eq!(opened_rtp(&mut unprotector, &secured), Ok(plain));
}

#[test]
fn a_buffer_without_room_is_refused() {
    let (mut protector, _) = pair(SrtpSuite::AesCm128HmacSha1_80);
    let mut audio = rtp(1, 1, &[0; 160]);
    assert_eq!(protector.protect_rtp(&mut audio, 172), Err(SrtpError::NoRoom));
    assert_eq!(protector.protect_rtp(&mut audio, 500), Err(SrtpError::NoRoom));
    let mut report = rtcp(1, &[0; 20]);
    assert_eq!(protector.protect_rtcp(&mut report, 28), Err(SrtpError::NoRoom));
}

fn any_suite() -> impl Strategy<Value = SrtpSuite> {
    prop::sample::select(SrtpSuite::ALL.to_vec())
}

proptest! {
    #[test]
    fn what_is_protected_comes_out_as_it_was(
        suite in any_suite(),
        start in any::<u16>(),
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 1..12),
    ) {
        let (mut protector, mut unprotector) = pair(suite);
        for (n, payload) in (0u16..).zip(&payloads) {
            let audio = rtp(1, start.wrapping_add(n), payload);
            let secured = sealed_rtp(&mut protector, &audio);
            prop_assert_eq!(opened_rtp(&mut unprotector, &secured), Ok(audio));
            prop_assert_eq!(opened_rtp(&mut unprotector, &secured), Err(SrtpError::Replayed));
            let report = rtcp(2, payload);
            let secured = sealed_rtcp(&mut protector, &report);
            prop_assert_eq!(opened_rtcp(&mut unprotector, &secured), Ok(report));
            prop_assert_eq!(opened_rtcp(&mut unprotector, &secured), Err(SrtpError::Replayed));
        }
    }

    #[test]
    fn no_bytes_make_it_panic_or_pass(suite in any_suite(), bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        let (mut protector, mut unprotector) = pair(suite);
        prop_assert!(opened_rtp(&mut unprotector, &bytes).is_err());
        prop_assert!(opened_rtcp(&mut unprotector, &bytes).is_err());
        let mut room = bytes.clone();
        let _ = protector.protect_rtp(&mut room, bytes.len());
        room.resize(bytes.len() + MAX_RTCP_OVERHEAD, 0);
        let _ = protector.protect_rtp(&mut room, bytes.len());
        let _ = protector.protect_rtcp(&mut room, bytes.len());
    }
}

#[test]
fn a_key_that_is_taken_up_again_uses_no_index_twice_and_keeps_the_rollover_of_the_stream() {
    let (one, two) =
        (key(SrtpSuite::AesCm128HmacSha1_80), SrtpKey::new(SrtpSuite::AesCm128HmacSha1_80, &[0xC3; 30]).unwrap());
    let mut first = Protector::new(&one);
    let mut seen = std::collections::HashSet::new();
    let report = rtcp(1, &[1; 8]);
    for sequence in [40_000, 65_000] {
        assert!(seen.insert(sealed_rtcp(&mut first, &report)));
        sealed_rtp(&mut first, &rtp(1, sequence, &[1; 8]));
    }
    let mut second = first.rekeyed(&two);
    for sequence in [10_000, 40_000] {
        sealed_rtp(&mut second, &rtp(1, sequence, &[1; 8]));
    }
    first.resume(&second);
    for _ in 0..3 {
        assert!(seen.insert(sealed_rtcp(&mut first, &report)), "an index came twice");
    }
    // One who heard all of the stream opens what comes now: its counter has rolled over once.
    let mut unprotector = Unprotector::new(&one);
    for sequence in [40_000, 65_000] {
        let heard = sealed_rtp(&mut Protector::new(&one), &rtp(1, sequence, &[1; 8]));
        opened_rtp(&mut unprotector, &heard).unwrap();
    }
    let plain = rtp(1, 20_000, &[1; 8]);
    let mut packet = plain.clone();
    packet.resize(plain.len() + MAX_RTP_OVERHEAD, 0);
    assert_eq!(
        first.protect_rtp(&mut packet, plain.len()),
        Err(SrtpError::Exhausted),
        "before what went under the other"
    );
    let plain = rtp(1, 41_000, &[1; 8]);
    let secured = sealed_rtp(&mut first, &plain);
    let mut catching_up = Protector::new(&one);
    for sequence in [65_000, 20_000] {
        let heard = sealed_rtp(&mut catching_up, &rtp(1, sequence, &[1; 8]));
        let _ = opened_rtp(&mut unprotector, &heard);
    }
    assert_eq!(opened_rtp(&mut unprotector, &secured), Ok(plain));
}
