//! A browser (str0m's WebRTC behind SIP over UDP) and a telephone in one room.

use super::harness::{Browser, Phone, Setup, seconds, sound};

const ANNAS: f64 = 500.0;
const BROWSERS: f64 = 900.0;

#[test]
fn a_browser_and_a_telephone_hear_each_other() {
    let gateway = Setup::new().start();
    let anna = Phone::dials("2000").says(ANNAS).seconds(8.0).call(&gateway);
    let mut browser = Browser::calls("2000", BROWSERS, &gateway, |offer| offer).unwrap();
    browser.connects();
    browser.talks_for(seconds(4));
    let heard = browser.hangs_up();
    sound::assert_hears_other_not_own("the browser", &heard, ANNAS, BROWSERS);
    sound::assert_hears_other_not_own("Anna", &anna.finish().answered().heard, BROWSERS, ANNAS);
    let remains = gateway.finish();
    let record = remains.records.iter().find(|record| record["from"] == "1009").unwrap();
    for (count, least) in [("packets_received", 150), ("packets_sent", 150)] {
        assert!(record["media"][count].as_u64().unwrap() >= least, "{record}");
    }
    for count in ["packets_forged", "packets_invalid", "packets_foreign", "packets_replayed"] {
        assert_eq!(record["media"][count], 0, "{record}");
    }
}

#[test]
fn ice_begins_anew_and_the_sound_goes_on() {
    let gateway = Setup::new().start();
    let anna = Phone::dials("2000").says(ANNAS).seconds(9.0).call(&gateway);
    let mut browser = Browser::calls("2000", BROWSERS, &gateway, |offer| offer).unwrap();
    browser.connects();
    browser.talks_for(seconds(1));
    browser.restarts_ice();
    browser.talks_for(seconds(4));
    let heard = browser.hangs_up();
    sound::assert_hears_other_not_own("the browser", &heard[heard.len() / 2..], ANNAS, BROWSERS);
    sound::assert_hears("Anna", &anna.finish().answered().heard, BROWSERS);
    gateway.finish();
}

#[test]
fn a_browser_whose_certificate_is_another_one_is_hung_up() {
    let gateway = Setup::new().start();
    let other = |offer: String| {
        let (before, print) = offer.split_once("a=fingerprint:sha-256 ").unwrap();
        let (first, rest) = print.split_at(2);
        let first = if first == "00" { "01" } else { "00" };
        format!("{before}a=fingerprint:sha-256 {first}{rest}")
    };
    let mut browser = Browser::calls("2000", BROWSERS, &gateway, other).unwrap();
    browser.is_hung_up(seconds(10));
    let remains = gateway.finish();
    let record = remains.record().to_string();
    assert!(record.contains("media-lost") && record.contains("certificate is not the one"), "{record}");
    assert!(remains.record()["media"].is_null(), "no leg was ever made: {}", remains.record());
}

#[test]
fn a_browser_that_leaves_without_a_word_is_hung_up_when_its_consent_is_over() {
    let gateway = Setup::new().trunk("media_timeout = \"10m\"").start();
    let mut browser = Browser::calls("2000", BROWSERS, &gateway, |offer| offer).unwrap();
    browser.connects();
    browser.talks_for(seconds(1));
    browser.is_cut_off = true;
    let bye = browser.is_hung_up(seconds(45));
    assert!(bye.contains("Reason: Q.850"), "{bye}");
    let remains = gateway.finish();
    let record = remains.record().to_string();
    assert!(record.contains("media-lost") && record.contains("connectivity check for 30 s"), "{record}");
}

#[test]
fn an_offer_that_lacks_what_webrtc_needs_is_refused() {
    let gateway = Setup::new().start();
    let without_mux = |offer: String| offer.replace("a=rtcp-mux\r\n", "");
    assert_eq!(Browser::calls("2000", BROWSERS, &gateway, without_mux).err(), Some(488));
    let remains = gateway.finish();
    assert!(remains.says(&["rtcp-mux"]), "{}", remains.log);
}
