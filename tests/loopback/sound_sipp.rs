//! sipp and our test phone in one room. sipp cannot record: what it hears it sends back, and the phone hears itself.

use super::harness::slot::Slot;
use super::harness::{Family, Phone, Setup, Sipp, seconds, sound};

const OURS: f64 = 500.0;
const SIPPS: f64 = 900.0;

fn a_phone_hears_sipp_and_sipp_hears_the_phone(family: Family, tcp: bool) {
    let _slot = Slot::take();
    let gateway = Setup::new().family(family).start();
    let by = |sipp: Sipp| if tcp { sipp.tcp() } else { sipp };

    let phone = Phone::dials("2000").tcp(tcp).says(OURS).seconds(6.0).call(&gateway);
    gateway.wait_for_members("lobby", 1);
    by(Sipp::new("plays_tone")).file("tone.ulaw", sound::tone_as_ulaw(SIPPS, seconds(1))).run(&gateway);
    sound::assert_hears_other_not_own("the phone", &phone.finish().answered().heard, SIPPS, OURS);

    let phone = Phone::dials("2000").tcp(tcp).says(OURS).seconds(6.0).call(&gateway);
    gateway.wait_for_members("lobby", 1);
    by(Sipp::new("echoes")).arguments(&["-rtp_echo"]).run(&gateway);
    sound::assert_hears("the phone, by way of sipp,", &phone.finish().answered().heard, OURS);

    assert_eq!(gateway.finish().records.len(), 4);
}

#[test]
fn over_udp_and_ipv4() {
    a_phone_hears_sipp_and_sipp_hears_the_phone(Family::V4, false);
}

#[test]
fn over_tcp_and_ipv4() {
    a_phone_hears_sipp_and_sipp_hears_the_phone(Family::V4, true);
}

#[test]
fn over_udp_and_ipv6() {
    a_phone_hears_sipp_and_sipp_hears_the_phone(Family::V6, false);
}

#[test]
fn over_tcp_and_ipv6() {
    a_phone_hears_sipp_and_sipp_hears_the_phone(Family::V6, true);
}
