//! Hold and resume, in the three ways there are.

use super::harness::{Gateway, Sipp};

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
