//! REFER and Replaces, with sipp as telephones.

use super::harness::{Family, Gateway, Setup, Sipp, address, seconds};

/// A gateway whose trunk "carrier" calls in and is called at `place`.
fn gateway(place: &str) -> Gateway {
    let routes = format!(
        r#"
[trunks.carrier]
address   = ["{place}"]
allow     = ["127.0.0.0/8"]
caller_id = "+442079460100"
refer     = true
replaces  = true

[rooms.standup]
announce = "none"

[[routes]]
name   = "Lobby"
from   = "carrier"
number = "2000"
room   = "standup"

[[routes]]
name   = "Out"
from   = "sessions"
number = '\+4420\d+'
trunk  = "carrier"
"#
    );
    Setup::new().routes(&routes).start()
}

#[test]
fn a_call_is_referred_to_another_telephone() {
    let telephone = Sipp::new("is_called_and_presses_1").listen(Family::V4);
    let gateway = gateway(&address::host_port(telephone.address, telephone.port));
    Sipp::new("refer_blind").run(&gateway);
    gateway.wait_for_members("standup", 1);
    telephone.finish();
    let remains = gateway.finish();
    let of = |way: &str| remains.records.iter().find(|record| record["way"] == way).unwrap();
    assert_eq!(of("in")["cause"], "replaced");
    assert_eq!((&of("out")["cause"], &of("out")["rooms"][0]), (&"called-hung-up".into(), &"standup".into()));
}

#[test]
fn referrals_that_may_not_be_are_refused() {
    let gateway = gateway("127.0.0.1:9");
    Sipp::new("refer_refused").run(&gateway);
    let remains = gateway.finish();
    assert!(remains.says(&["transfer refused", "emergency"]), "{}", remains.log);
    assert_eq!(remains.records.last().unwrap()["cause"], "caller-hung-up");
}

#[test]
fn a_call_takes_the_place_of_another() {
    let gateway = gateway("127.0.0.1:9");
    let first = Sipp::new("is_replaced").call(&gateway);
    gateway.wait_for_members("standup", 1);
    let messages = first.messages();
    let answer = messages.split("SIP/2.0 200").nth(1).expect("the answer");
    let header = |name: &str| answer.lines().find_map(|line| line.strip_prefix(name)).expect(name).trim().to_owned();
    let tag = |value: String| value.split("tag=").nth(1).expect("a tag").to_owned();
    let replaces = format!("{};to-tag={};from-tag={}", header("Call-ID:"), tag(header("To:")), tag(header("From:")));
    Sipp::new("replaces").arguments(&["-key", "replaces", &replaces]).run(&gateway);
    first.finish();
    gateway.wait_for("both are gone", seconds(5), |status| status["calls"].as_array().is_some_and(Vec::is_empty));
    let remains = gateway.finish();
    let causes: Vec<&str> = remains.records.iter().filter_map(|record| record["cause"].as_str()).collect();
    assert_eq!(causes, ["replaced", "caller-hung-up"]);
}
