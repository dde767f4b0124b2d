//! SRTP in offers and answers.

use super::*;
use crate::types::{SrtpKey, SrtpSuite};

/// Our keys, one of each suite.
pub(super) fn keys(required: bool) -> LocalSrtp {
    let key = |suite: SrtpSuite| SrtpKey::random(suite, |octets| octets.fill(suite as u8 + 1));
    LocalSrtp { required, keys: SrtpSuite::ALL.map(key).to_vec() }
}

fn opportunistic() -> LocalMedia {
    LocalMedia { srtp: Some(keys(false)), ..local() }
}

fn required() -> LocalMedia {
    LocalMedia { srtp: Some(keys(true)), ..local() }
}

const THEIRS: &str = "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

fn offered(protocol: &str, crypto: &[&str]) -> SessionDescription {
    let lines: Vec<String> = crypto.iter().map(|line| format!("a=crypto:{line}\n")).collect();
    peer(&format!("m=audio 4000 {protocol} 0\n{}", lines.concat()))
}

fn sha1_80(tag: u32) -> String {
    format!("{tag} AES_CM_128_HMAC_SHA1_80 {THEIRS}")
}

fn crypto_lines(description: &SessionDescription) -> Vec<String> {
    let text = description.to_string();
    text.lines().filter_map(|line| line.strip_prefix("a=crypto:")).map(str::to_owned).collect()
}

#[test]
fn a_secure_offer_is_answered_with_our_key_under_its_tag() {
    for local in [opportunistic(), required()] {
        let offer = offered("RTP/SAVP", &["1 F8_128_HMAC_SHA1_80 inline:AAAA", &sha1_80(7)]);
        let answered = answer(&offer, &local, None).unwrap();
        let srtp = answered.parameters.srtp.unwrap();
        assert_eq!(srtp.receive.master(), b"YS___semctl () {\t220;}\n}\nunles");
        assert_eq!(srtp.send.suite(), SrtpSuite::AesCm128HmacSha1_80);
        assert_eq!(answered.local.media[0].protocol, "RTP/SAVP");
        let lines = crypto_lines(&answered.local);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].starts_with("7 AES_CM_128_HMAC_SHA1_80 inline:AwMD"), "{lines:?}");
    }
}

#[test]
fn the_offerers_order_of_suites_rules() {
    let first = format!("1 AES_CM_128_HMAC_SHA1_32 {THEIRS}");
    let answered = answer(&offered("RTP/SAVPF", &[&first, &sha1_80(2)]), &required(), None).unwrap();
    assert_eq!(answered.parameters.srtp.unwrap().send.suite(), SrtpSuite::AesCm128HmacSha1_32);
    assert_eq!(answered.local.media[0].protocol, "RTP/SAVPF");
}

#[test]
fn a_secure_offer_without_a_usable_key_is_refused_with_488() {
    let unencrypted = format!("{} UNENCRYPTED_SRTP", sha1_80(1));
    for crypto in [&[][..], &["garbage"][..], &[unencrypted.as_str()][..]] {
        for local in [opportunistic(), required()] {
            let refusal = answer(&offered("RTP/SAVP", crypto), &local, None).unwrap_err();
            assert_eq!(refusal, Refusal::NoUsableCrypto);
            assert_eq!(refusal.status(), 488);
        }
    }
    let refusal = answer(&offered("RTP/SAVP", &[&sha1_80(1)]), &local(), None).unwrap_err();
    assert_eq!(refusal, Refusal::UnsupportedTransport("RTP/SAVP".into()));
    let dtls = answer(&offered("UDP/TLS/RTP/SAVP", &[]), &required(), None).unwrap_err();
    assert_eq!(dtls, Refusal::UnsupportedTransport("UDP/TLS/RTP/SAVP".into()));
}

#[test]
fn a_plain_offer_is_answered_plainly_unless_srtp_is_required() {
    let plain = answer(&offered("RTP/AVP", &[]), &opportunistic(), None).unwrap();
    assert_eq!(plain.parameters.srtp, None);
    assert!(crypto_lines(&plain.local).is_empty());
    let refusal = answer(&offered("RTP/AVP", &[]), &required(), None).unwrap_err();
    assert_eq!((refusal.status(), refusal), (488, Refusal::SrtpRequired));
    // Without keys of ours those of the peer are an attribute that nobody here knows.
    let ignored = answer(&offered("RTP/AVP", &[&sha1_80(1)]), &local(), None).unwrap();
    assert_eq!(ignored.parameters.srtp, None);
    assert!(crypto_lines(&ignored.local).is_empty());
}

#[test]
fn keys_on_a_plain_line_are_taken_up() {
    for local in [opportunistic(), required()] {
        let answered = answer(&offered("RTP/AVP", &[&sha1_80(1)]), &local, None).unwrap();
        assert!(answered.parameters.srtp.is_some());
        assert_eq!(answered.local.media[0].protocol, "RTP/AVP");
        assert_eq!(crypto_lines(&answered.local).len(), 1);
    }
}

#[test]
fn of_a_plain_and_a_secure_line_the_secure_one_is_taken() {
    let offer = peer(&format!("m=audio 4000 RTP/AVP 0\nm=audio 4002 RTP/SAVP 0\na=crypto:{}\n", sha1_80(1)));
    let answered = answer(&offer, &opportunistic(), None).unwrap();
    assert_eq!((answered.audio_line, answered.parameters.remote_rtp), (1, remote(4002)));
    assert_eq!(answer(&offer, &local(), None).unwrap().audio_line, 0);
}

#[test]
fn our_offer_has_a_key_of_each_suite_and_the_answer_chooses_one() {
    for (local, protocol) in [(opportunistic(), "RTP/AVP"), (required(), "RTP/SAVP")] {
        let ours = offer(&local, None);
        assert_eq!(ours.media[0].protocol, protocol);
        assert_eq!(crypto_lines(&ours).len(), 4);
        let accepted = accept_answer(&ours, &offered(protocol, &[&sha1_80(3)]), &local).unwrap();
        let srtp = accepted.parameters.srtp.unwrap();
        assert_eq!(Some(&srtp.send), local.srtp.as_ref().unwrap().keys.get(2));
        assert_eq!(srtp.receive.master(), b"YS___semctl () {\t220;}\n}\nunles");
    }
}

#[test]
fn an_answer_without_the_keys_it_needs_is_refused() {
    let local = required();
    let ours = offer(&local, None);
    // Another tag, no key, plain RTP.
    for (protocol, crypto) in [("RTP/SAVP", Some(sha1_80(1))), ("RTP/SAVP", None), ("RTP/AVP", Some(sha1_80(9)))] {
        let crypto: Vec<&str> = crypto.iter().map(String::as_str).collect();
        let refusal = accept_answer(&ours, &offered(protocol, &crypto), &local).unwrap_err();
        assert_eq!(refusal, Refusal::NoUsableCrypto, "{protocol} {crypto:?}");
    }
    let refusal = accept_answer(&ours, &offered("RTP/AVP", &[]), &local).unwrap_err();
    assert_eq!(refusal, Refusal::SrtpRequired);
}

#[test]
fn keys_that_are_offered_and_left_give_a_plain_stream() {
    let local = opportunistic();
    let ours = offer(&local, None);
    assert_eq!(accept_answer(&ours, &offered("RTP/AVP", &[]), &local).unwrap().parameters.srtp, None);
    // One that names keys nobody can use will send what nobody can read.
    let refusal = accept_answer(&ours, &offered("RTP/AVP", &["1 NEW inline:AAAA"]), &local).unwrap_err();
    assert_eq!(refusal, Refusal::NoUsableCrypto);
    let plain = super::local();
    let refusal = accept_answer(&offer(&plain, None), &offered("RTP/SAVP", &[&sha1_80(1)]), &plain).unwrap_err();
    assert_eq!(refusal, Refusal::AnswerChangedTransport("RTP/SAVP".into()));
}

#[test]
fn a_later_offer_of_the_peer_with_a_new_key_keeps_ours() {
    let local = required();
    let first = answer(&offered("RTP/SAVP", &[&sha1_80(1)]), &local, None).unwrap();
    let new = format!("1 AES_CM_128_HMAC_SHA1_80 inline:{}", "A".repeat(40));
    let second = answer(&offered("RTP/SAVP", &[&new]), &local, Some(&first)).unwrap();
    let (before, after) = (first.parameters.srtp.unwrap(), second.parameters.srtp.unwrap());
    assert_eq!(before.send, after.send);
    assert_eq!(after.receive.master(), [0; 30]);
}

#[test]
fn a_later_offer_of_ours_names_the_suite_in_use_first() {
    let local = required();
    let first = answer(&offered("RTP/SAVP", &[&sha1_80(1)]), &local, None).unwrap();
    let ours = offer(&local, Some(&first));
    let lines = crypto_lines(&ours);
    assert!(lines[0].starts_with("1 AES_CM_128_HMAC_SHA1_80 "), "{lines:?}");
    assert_eq!(lines.len(), 4);
}

#[test]
fn a_replaced_key_is_offered_no_more() {
    let mut keys = keys(true);
    let old = keys.keys[2].clone();
    keys.replace(SrtpKey::random(old.suite(), |octets| octets.fill(0xEE)));
    assert!(!keys.keys.contains(&old) && keys.keys.len() == 4);
}

#[test]
fn debug_output_of_a_description_holds_no_key() {
    let negotiation = answer(&offered("RTP/SAVP", &[&sha1_80(1)]), &required(), None).unwrap();
    let said = format!("{:?} {negotiation:?} {:?}", offered("RTP/SAVP", &[&sha1_80(1)]), required());
    assert!(!said.contains("WVNf") && !said.contains("AwMD") && !said.contains("inline"), "{said}");
}
