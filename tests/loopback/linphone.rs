//! linphonec as the telephone behind the provider: it calls in and is called.

use super::harness::kamailio::{Kamailio, Transport};
use super::harness::linphone::Linphone;
use super::harness::slot::Slot;
use super::harness::{seconds, sound};
use super::kamailio::{OFFICE, OURS, customer_of, with_our_telephone};

const LINPHONES: f64 = 900.0;

#[test]
fn linphone_calls_in_and_is_called() {
    let _slot = Slot::take();
    let kamailio = Kamailio::start("SHA-256");
    let gateway = customer_of(&kamailio, Transport::Udp, "");
    let mut linphone = Linphone::registered(&kamailio, LINPHONES);
    linphone.tell(&format!("call sip:2000@{}", kamailio.place(Transport::Udp)));
    gateway.wait_for_members("lobby", 1);
    let heard_in = with_our_telephone(&gateway);
    linphone.hang_up();
    gateway.wait_for("nobody is left", seconds(10), |status| status["calls"].as_array().unwrap().is_empty());

    let dialled = std::thread::scope(|scope| {
        let dialled = scope.spawn(|| gateway.ctl(&["dial", "--room", "lobby", OFFICE]));
        gateway.wait_for("the call is up", seconds(10), |status| status["calls"][0]["state"] == "answered");
        linphone.wait_for("Media streams established", "call 2");
        linphone.tell("1");
        dialled.join().unwrap()
    });
    assert_eq!(dialled.code(), 0, "{}{}", dialled.output, dialled.errors);
    gateway.wait_for_members("lobby", 1);
    let heard_out = with_our_telephone(&gateway);
    linphone.hang_up();
    let heard = linphone.finish();
    assert_eq!(heard.len(), 2, "calls of linphonec");
    for (ours, linphones) in [(heard_in, &heard[0]), (heard_out, &heard[1])] {
        sound::assert_hears_other_not_own("the phone", &ours, LINPHONES, OURS);
        sound::assert_hears_other_not_own("linphonec", linphones, OURS, LINPHONES);
    }
    let records = gateway.finish().records;
    let ways = records.iter().filter(|record| record["trunk"] == "provider");
    let ways: Vec<_> =
        ways.map(|record| (record["way"].as_str().unwrap(), record["cause"].as_str().unwrap())).collect();
    assert_eq!(ways, [("in", "caller-hung-up"), ("out", "called-hung-up")]);
}
