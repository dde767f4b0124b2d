//! Calls that `partyline call` makes to a telephone.

use super::harness::{Gateway, Phone, Sipp, address};

#[test]
fn when_two_telephones_answer_one_is_hung_up() {
    let gateway = Gateway::start();
    let telephones = Sipp::new("forked_answer").listen(gateway.family());
    let uri = format!("sip:2000@{}", address::host_port(telephones.address, telephones.port));
    let called = Phone::dials("2000").seconds(2.0).call_uri(&uri, &gateway).finish().answered();
    assert!(called.output.contains("hung up"), "{}", called.output);
    telephones.finish();
    gateway.finish();
}

#[test]
fn a_digest_that_is_asked_for_is_given() {
    let gateway = Gateway::start();
    let telephone = Sipp::new("challenged_invite").listen(gateway.family());
    let uri = format!("sip:2000@{}", address::host_port(telephone.address, telephone.port));
    let phone = Phone::dials("2000").account("acme", "correct horse").seconds(1.0);
    phone.call_uri(&uri, &gateway).finish().answered();
    telephone.finish();
    gateway.finish();
}

#[test]
fn a_telephone_that_refuses_is_told_as_it_is() {
    let gateway = Gateway::start();
    Phone::dials("4711").run(&gateway).failed_with(404);
    gateway.finish();
}
