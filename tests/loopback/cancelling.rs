//! Callers who give up.

use super::harness::{Gateway, Sipp};

#[test]
fn a_caller_gives_up_while_it_rings() {
    let gateway = Gateway::start();
    Sipp::new("cancel").number("2200").run(&gateway);
    let remains = gateway.finish();
    let record = remains.record();
    assert_eq!(record["cause"], "cancelled");
    assert_eq!(record["status"], 487);
    assert_eq!(record["talk_ms"], 0);
}

#[test]
fn giving_up_after_the_answer_changes_nothing() {
    let gateway = Gateway::start();
    Sipp::new("cancel_crosses_answer").run(&gateway);
    let remains = gateway.finish();
    assert_eq!(remains.record()["cause"], "caller-hung-up");
    assert_eq!(remains.record()["status"], 200);
}
