//! baresip and our test phone in one room: each hears the other, and not itself.

use super::harness::baresip::Baresip;
use super::harness::slot::Slot;
use super::harness::{Family, PIN, Phone, Setup, sound};

const OURS: f64 = 500.0;
const BARESIPS: f64 = 900.0;
/// Seconds that baresip is there for.
const LENGTH: u64 = 10;

fn baresip_and_a_phone_hear_each_other(family: Family, tcp: bool) {
    let _slot = Slot::take();
    let gateway = Setup::new().family(family).start();
    let mut baresip = Baresip::call(&gateway, "1000", tcp, BARESIPS, LENGTH);
    baresip.wait_for_answer();
    baresip.keys(&format!("{PIN}#"));
    gateway.wait_for_members("demo", 1);
    let phone = Phone::dials("1000").tcp(tcp).says(OURS).keys(&format!("{PIN}#"), 0.5).seconds(6.0).call(&gateway);
    gateway.wait_for_members("demo", 2);
    let phone = phone.finish().answered();
    let heard = baresip.finish(LENGTH);
    sound::assert_hears_other_not_own("the phone", &phone.heard, BARESIPS, OURS);
    sound::assert_hears_other_not_own("baresip", &heard, OURS, BARESIPS);
    let remains = gateway.finish();
    assert_eq!(remains.records.len(), 2);
    remains.assert_silent_about(&[PIN]);
}

#[test]
fn over_udp_and_ipv4() {
    baresip_and_a_phone_hear_each_other(Family::V4, false);
}

#[test]
fn over_tcp_and_ipv4() {
    baresip_and_a_phone_hear_each_other(Family::V4, true);
}

#[test]
fn over_udp_and_ipv6() {
    baresip_and_a_phone_hear_each_other(Family::V6, false);
}

#[test]
fn over_tcp_and_ipv6() {
    baresip_and_a_phone_hear_each_other(Family::V6, true);
}

/// baresip encrypts and our test phone does not.
fn baresip_with_srtp_and_a_phone_hear_each_other(trunk: &str, account: &str) {
    let _slot = Slot::take();
    let gateway = Setup::new().trunk(trunk).trunk("srtp_keys_in_clear = true").start();
    let mut baresip = Baresip::call_with(&gateway, "1000", false, BARESIPS, LENGTH, account);
    baresip.wait_for_answer();
    baresip.keys(&format!("{PIN}#"));
    gateway.wait_for_members("demo", 1);
    let phone = Phone::dials("1000").says(OURS).keys(&format!("{PIN}#"), 0.5).seconds(6.0).call(&gateway);
    gateway.wait_for_members("demo", 2);
    let phone = phone.finish().answered();
    let heard = baresip.finish(LENGTH);
    sound::assert_hears_other_not_own("the phone", &phone.heard, BARESIPS, OURS);
    sound::assert_hears_other_not_own("baresip", &heard, OURS, BARESIPS);
    let remains = gateway.finish();
    assert_eq!(remains.records.len(), 2);
    for record in &remains.records {
        let media = &record["media"];
        assert!(media["packets_received"].as_u64().unwrap() > 100, "{record}");
        assert_eq!(media["packets_forged"], 0, "{record}");
        // Its first RTCP packet opens the way through a NAT and is not protected: too short to be SRTCP.
        assert!(media["packets_invalid"].as_u64().unwrap() <= 1, "{record}");
    }
    remains.assert_silent_about(&[PIN, "inline:"]);
}

#[test]
fn over_srtp_that_baresip_insists_on() {
    baresip_with_srtp_and_a_phone_hear_each_other("srtp = \"opportunistic\"", ";mediaenc=srtp-mand");
}

#[test]
fn over_srtp_on_a_plain_line() {
    baresip_with_srtp_and_a_phone_hear_each_other("srtp = \"opportunistic\"", ";mediaenc=srtp");
}
