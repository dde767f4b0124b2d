//! Two of our own test phones in one room: each hears the other, and not itself.

use super::harness::slot::Slot;
use super::harness::{Family, PIN, Phone, Setup, sound};

const ANNAS: f64 = 500.0;
const BENS: f64 = 900.0;

/// Anna keys the PIN of a room; Ben does too. Each says a tone and records.
fn two_phones_hear_each_other(family: Family, tcp: bool) {
    let _slot = Slot::take();
    let gateway = Setup::new().family(family).start();
    let keyed = format!("{PIN}#");
    let anna = Phone::dials("1000").tcp(tcp).says(ANNAS).keys(&keyed, 1.0).seconds(9.0).call(&gateway);
    let ben = Phone::dials("1000").from("1002").tcp(tcp).says(BENS).keys(&keyed, 1.0).seconds(9.0).call(&gateway);
    gateway.wait_for_members("demo", 2);
    let (anna, ben) = (anna.finish().answered(), ben.finish().answered());
    sound::assert_hears_other_not_own("Anna", &anna.heard, BENS, ANNAS);
    sound::assert_hears_other_not_own("Ben", &ben.heard, ANNAS, BENS);
    let remains = gateway.finish();
    assert_eq!(remains.records.len(), 2);
    remains.assert_silent_about(&[PIN]);
}

#[test]
fn over_udp_and_ipv4() {
    two_phones_hear_each_other(Family::V4, false);
}

#[test]
fn over_tcp_and_ipv4() {
    two_phones_hear_each_other(Family::V4, true);
}

#[test]
fn over_udp_and_ipv6() {
    two_phones_hear_each_other(Family::V6, false);
}

#[test]
fn over_tcp_and_ipv6() {
    two_phones_hear_each_other(Family::V6, true);
}

#[test]
fn over_ipv4_and_ipv6_in_one_room() {
    let _slot = Slot::take();
    let gateway = Setup::new().everywhere().start();
    let anna = Phone::dials("2000").says(ANNAS).seconds(6.0).call_at("127.0.0.1", &gateway);
    let ben = Phone::dials("2000").from("1002").says(BENS).seconds(6.0).call_at("[::1]", &gateway);
    gateway.wait_for_members("lobby", 2);
    sound::assert_hears_other_not_own("Anna", &anna.finish().answered().heard, BENS, ANNAS);
    sound::assert_hears_other_not_own("Ben", &ben.finish().answered().heard, ANNAS, BENS);
    gateway.finish();
}
