//! Hold and resume, in the three ways there are.

use super::harness::{Gateway, Sipp, seconds};

fn hold_and_resume(scenario: &'static str) {
    let gateway = Gateway::start();
    Sipp::new(scenario).run(&gateway);
    let remains = gateway.finish();
    assert!(remains.says(&["on hold"]) && remains.says(&["resumed"]), "{}", remains.log);
    assert_eq!(remains.record()["cause"], "caller-hung-up");
}

#[test]
fn hold_by_sendonly() {
    hold_and_resume("hold_sendonly");
}

#[test]
fn hold_by_inactive() {
    hold_and_resume("hold_inactive");
}

#[test]
fn hold_by_address_zero() {
    hold_and_resume("hold_zero_address");
}

#[test]
fn hold_by_us() {
    let gateway = Gateway::start();
    let telephone = Sipp::new("is_held").call(&gateway);
    gateway.wait_for_members("lobby", 1);
    let call = gateway.status()["calls"][0]["call"].as_str().unwrap().to_owned();
    gateway.wait_for("it is answered", seconds(5), |status| status["calls"][0]["state"] == "answered");
    let held = gateway.ctl(&["hold", &call]);
    assert_eq!((held.code(), held.output.trim()), (0, format!("{call} is on hold").as_str()), "{}", held.errors);
    assert_eq!(gateway.status()["calls"][0]["held"], true);
    let back = gateway.ctl(&["resume", &call]);
    assert_eq!((back.code(), back.output.trim()), (0, format!("{call} is taken back").as_str()), "{}", back.errors);
    telephone.finish();
    assert_eq!(gateway.finish().record()["cause"], "caller-hung-up");
}
