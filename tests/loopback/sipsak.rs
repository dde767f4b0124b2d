//! sipsak asks whether anybody is there, and wants to register.

use super::harness::process::Running;
use super::harness::{Family, Gateway, Setup, seconds};
use std::net::IpAddr;
use std::process::Command;

/// Plays it from an address: its exit code and all it says.
fn sipsak(gateway: &Gateway, from: IpAddr, name: &str, more: &[&str]) -> (i32, String) {
    let mut command = Command::new("sipsak");
    // Waits of 50, 100, 200 and 400 ms instead of those of the RFC.
    command
        .args(["-vv", "--timer-t1=50", "-k", &from.to_string(), "-s", &format!("sip:2000@{}", gateway.place())])
        .args(more);
    let outcome = Running::start(command, gateway.folder(), name).finish(seconds(20));
    (outcome.code(), outcome.output + &outcome.errors)
}

#[test]
fn sipsak_is_answered_from_where_a_trunk_is_and_nowhere_else() {
    let (known, unknown_source) = (Family::V4.own_address(), Family::V4.own_address());
    let routes = format!(
        "[trunks.known]\nallow = [\"{known}\"]\n[rooms.lobby]\n\
         [[routes]]\nname = \"In\"\nfrom = \"known\"\nnumber = \"2000\"\nroom = \"lobby\"\n"
    );
    let gateway = Setup::new().routes(&routes).start();
    let (code, said) = sipsak(&gateway, known, "asked", &[]);
    assert_eq!(code, 0, "{said}");
    for part in ["SIP/2.0 200 OK", "Allow: INVITE", "Accept: application/sdp"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let (code, said) = sipsak(&gateway, unknown_source, "unknown", &[]);
    assert!(code == 3 && said.contains("giving up") && !said.contains("SIP/2.0 "), "{code} {said}");
    // There is nothing to register at, and who is unknown does not hear even that.
    let (code, said) = sipsak(&gateway, known, "registers", &["-U"]);
    assert!(code == 1 && said.contains("SIP/2.0 405 Method Not Allowed"), "{code} {said}");
    let (code, said) = sipsak(&gateway, unknown_source, "registers-unknown", &["-U"]);
    assert!(code == 3 && said.contains("giving up") && !said.contains("SIP/2.0 4"), "{code} {said}");
    let remains = gateway.finish();
    assert!(remains.says(&["request dropped", &unknown_source.to_string(), "no trunk allows"]), "{}", remains.log);
    assert!(remains.records.is_empty(), "{:#?}", remains.records);
}
