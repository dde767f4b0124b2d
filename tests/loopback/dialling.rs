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
