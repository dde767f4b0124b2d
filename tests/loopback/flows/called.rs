//! The gateway is called.

use super::Relay;
use crate::loopback::harness::{Family, Gateway, Phone, Setup, Sipp, address, seconds};

#[test]
fn through_two_proxies() {
    let gateway = Gateway::start();
    let call = Sipp::new("through_proxies").call(&gateway);
    gateway.wait_for_members("lobby", 1);
    gateway.kick_only_call();
    call.finish();
    assert_eq!(gateway.finish().record()["cause"], "kicked");
}

/// Signalling comes from the one address, and sound goes to another, behind which there is somebody else.
#[test]
fn through_an_alg() {
    let gateway = Gateway::start();
    let relay = Relay::new();
    let call = relay.tell(Sipp::new("through_alg")).call(&gateway);
    relay.hears();
    gateway.wait_for_members("lobby", 1);
    gateway.kick_only_call();
    call.finish();
    assert_eq!(gateway.finish().record()["cause"], "kicked");
}

#[test]
fn the_caller_moves() {
    let gateway = Gateway::start();
    let relay = Relay::new();
    let call = relay.tell(Sipp::new("moves_in_call")).call(&gateway);
    relay.hears();
    gateway.kick_only_call();
    call.finish();
    assert_eq!(gateway.finish().record()["cause"], "kicked");
}

#[test]
fn a_number_may_be_refused() {
    for status in [403, 480, 486, 603] {
        let routes = format!(
            "[trunks.local]\nallow = [\"127.0.0.0/8\"]\n[rooms.lobby]\n\
             [[routes]]\nname = \"No\"\nfrom = \"local\"\nnumber = \"2000\"\nreject = {status}\n"
        );
        let gateway = Setup::new().routes(&routes).start();
        Sipp::new("is_refused").with("STATUS", &status.to_string()).run(&gateway);
        let remains = gateway.finish();
        let record = remains.record();
        assert_eq!((&record["cause"], &record["status"]), (&"refused".into(), &status.into()));
    }
}

#[test]
fn music_on_hold() {
    let gateway = Gateway::start();
    Sipp::new("music_on_hold").with("ELSEWHERE", &Family::V4.own_address().to_string()).run(&gateway);
    assert_eq!(gateway.finish().record()["cause"], "caller-hung-up");
}

/// A caller puts us on hold, makes another call, ends that one, and takes the first one back.
#[test]
fn consultation_hold() {
    let gateway = Gateway::start();
    let first = Sipp::new("consultation_hold").number("2000").call(&gateway);
    gateway.wait_for_log("on hold", seconds(10));
    Sipp::new("basic").number("3000").run(&gateway);
    assert!(!gateway.log().contains("resumed"), "the second call came too late");
    first.finish();
    let remains = gateway.finish();
    assert!(remains.says(&["resumed"]), "{}", remains.log);
    let causes: Vec<_> = remains.records.iter().map(|record| record["cause"].clone()).collect();
    assert_eq!(causes, ["caller-hung-up", "caller-hung-up"]);
}

#[test]
fn a_third_is_called_into_the_room() {
    let telephone = Sipp::new("is_called").listen(Family::V4);
    let place = address::host_port(telephone.address, telephone.port);
    let routes = format!(
        "[trunks.local]\nallow = [\"127.0.0.0/8\"]\naddress = [\"{place}\"]\nping = \"off\"\n[rooms.lobby]\nannounce = \"none\"\n\
         [[routes]]\nname = \"In\"\nfrom = \"local\"\nnumber = \"2000\"\nroom = \"lobby\"\n\
         [[routes]]\nname = \"Out\"\nfrom = \"sessions\"\nnumber = '\\+4420\\d+'\ntrunk = \"local\"\n"
    );
    let gateway = Setup::new().routes(&routes).start();
    let callers = [(); 2].map(|()| Phone::dials("2000").seconds(6.0).call(&gateway));
    gateway.wait_for_members("lobby", 2);
    let dialled = gateway.ctl(&["dial", "--room", "lobby", "--no-confirm", "+442079460123"]);
    assert_eq!(dialled.code(), 0, "{}{}", dialled.output, dialled.errors);
    gateway.wait_for_members("lobby", 3);
    telephone.finish();
    for caller in callers {
        caller.finish().answered();
    }
    let remains = gateway.finish();
    assert_eq!(remains.records.len(), 3);
    assert!(remains.records.iter().all(|record| record["rooms"][0] == "lobby"), "{:#?}", remains.records);
}
