//! The next trunk is called when one fails: in simulated time `tests/sim/failover.rs` tells all of it, here by sockets
//! and the clocks of the carriers.

use super::harness::{Family, Gateway, Playing, Setup, Sipp, address, seconds, sipp};
use serde_json::Value;

const NUMBER: &str = "+442079460123";

/// A gateway whose calls go by trunk one, then by trunk two.
fn calls_out_by(one: &Playing, two: &Playing) -> Gateway {
    let trunk = |name: &str, at: &Playing| {
        let place = address::host_port(at.address, at.port);
        format!("[trunks.{name}]\naddress = [\"{place}\"]\nping = \"off\"\ncaller_id = \"+442079460100\"\n")
    };
    let routes = format!(
        "{}{}[rooms.standup]\nannounce = \"none\"\n\
         [[routes]]\nname = \"Out\"\nfrom = \"sessions\"\nnumber = '\\+4420\\d+'\ntrunks = [\"one\", \"two\"]\nconfirm = false\n",
        trunk("one", one),
        trunk("two", two)
    );
    let gateway = Setup::new().routes(&routes).start();
    gateway.wait_for("both trunks are found", seconds(5), |status| {
        status["trunks"].as_array().unwrap().iter().all(|trunk| trunk["server"] != "")
    });
    gateway
}

/// Trunk two is called after trunk one, whose scenario this is, has failed. The messages of both, and the call's
/// record.
fn falls_to_the_second(one: &'static str) -> (String, String, Value) {
    let (one, two) = (Sipp::new(one).limit(40).listen(Family::V4), Sipp::new("is_called").limit(40).listen(Family::V4));
    let gateway = calls_out_by(&one, &two);
    let dialled = gateway.ctl(&["dial", "--room", "standup", NUMBER]);
    assert_eq!(dialled.code(), 0, "{}{}\n{}", dialled.output, dialled.errors, gateway.log());
    let (one, two) = (one.finish(), two.finish());
    let record = gateway.finish().record().clone();
    assert_eq!((&record["trunk"], &record["cause"]), (&"two".into(), &"called-hung-up".into()), "{record:#}");
    assert_eq!(record["tried"].as_array().unwrap().len(), 1, "{record:#}");
    assert_eq!(record["tried"][0]["trunk"], "one");
    (one, two, record)
}

#[test]
fn trunk_two_rings_within_two_seconds_of_a_503() {
    let (one, two, record) = falls_to_the_second("is_called_and_cannot");
    let wait = sipp::moment(&two, "INVITE ") - sipp::moment(&one, "SIP/2.0 503 ");
    assert!(wait < 2.0, "{wait} s");
    assert_eq!(record["tried"][0]["outcome"], "503 Service Unavailable");
}

/// Trunk one answers when trunk two has: its scenario asks to be acknowledged and ended.
#[test]
fn trunk_two_rings_after_four_seconds_of_silence_and_a_late_answer_is_ended() {
    let (one, two, record) = falls_to_the_second("is_called_and_answers_late");
    let wait = sipp::moment(&two, "INVITE ") - sipp::moment(&one, "INVITE ");
    assert!((3.9..8.0).contains(&wait), "{wait} s");
    assert_eq!(record["tried"][0]["outcome"], "silent for 4 s");
}
