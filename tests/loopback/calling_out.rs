//! Calls that the gateway makes, with sipp as the callee.

use super::harness::{Family, Gateway, Playing, Setup, Sipp, address, seconds};

const OFFICE: &str = "+442079460123";

/// A gateway whose trunk "carrier" is the telephone that listens.
fn calls_out_to(telephone: &Playing) -> Gateway {
    let place = address::host_port(telephone.address, telephone.port);
    let routes = format!(
        r#"
[trunks.carrier]
address   = ["{place}"]
caller_id = "+442079460100"

[rooms.standup]
announce = "none"

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
fn a_number_is_called_into_a_room() {
    let telephone = Sipp::new("is_called_and_presses_1").listen(Family::V4);
    let gateway = calls_out_to(&telephone);
    gateway.wait_for("the trunk is found", seconds(5), |status| status["trunks"][0]["trunk"] == "carrier");
    let dialled = gateway.ctl(&["dial", "--room", "standup", OFFICE]);
    assert_eq!(dialled.code(), 0, "{}{}", dialled.output, dialled.errors);
    for station in ["calling by trunk carrier", ": ringing", ": answered", "is in room standup"] {
        assert!(dialled.output.contains(station), "{station}: {}", dialled.output);
    }
    gateway.wait_for_members("standup", 1);
    telephone.finish();
    let remains = gateway.finish();
    let record = remains.record();
    assert_eq!(
        (&record["way"], &record["cause"], &record["number"]),
        (&"out".into(), &"called-hung-up".into(), &OFFICE.into())
    );
    assert_eq!(record["rooms"][0], "standup");
}

#[test]
fn a_busy_telephone_and_a_number_that_is_not_allowed_are_told() {
    let telephone = Sipp::new("is_called_and_is_busy").listen(Family::V4);
    let gateway = calls_out_to(&telephone);
    let refused = gateway.ctl(&["dial", "--room", "standup", "+4930123456"]);
    assert_eq!(refused.code(), 1);
    assert!(refused.errors.contains("no route allows it"), "{}", refused.errors);
    let emergency = gateway.ctl(&["dial", "--room", "standup", "999"]);
    assert!(emergency.errors.contains("emergency numbers are never called"), "{}", emergency.errors);
    let busy = gateway.ctl(&["dial", "--room", "standup", OFFICE]);
    assert_eq!(busy.code(), 1);
    assert!(busy.errors.contains("busy"), "{}{}", busy.output, busy.errors);
    telephone.finish();
    let causes: Vec<String> =
        gateway.finish().records.iter().map(|record| record["cause"].as_str().unwrap().to_owned()).collect();
    assert_eq!(causes, ["refused", "refused", "busy"]);
}
