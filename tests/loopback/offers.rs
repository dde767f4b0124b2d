//! Offers and answers that do not come with INVITE and 200, and offers that cross.

use super::harness::{Gateway, Sipp};

fn a_call(scenario: &'static str, number: &'static str) {
    let gateway = Gateway::start();
    Sipp::new(scenario).number(number).run(&gateway);
    let remains = gateway.finish();
    assert_eq!(remains.record()["cause"], "caller-hung-up", "{}", remains.log);
}

#[test]
fn an_invite_without_an_offer_gets_one() {
    a_call("late_offer", "2000");
}

#[test]
fn a_provisional_response_is_sent_reliably_when_required() {
    a_call("prack", "2100");
}

#[test]
fn an_update_is_answered() {
    a_call("update", "2000");
}

#[test]
fn an_update_before_the_answer_is_asked_to_come_again() {
    a_call("update_before_answer", "2100");
}

#[test]
fn an_offer_that_crosses_ours_gets_491() {
    a_call("glare_update", "2000");
}

#[test]
fn a_fax_is_refused_and_the_call_kept() {
    let gateway = Gateway::start();
    Sipp::new("t38_reinvite").run(&gateway);
    let remains = gateway.finish();
    assert!(remains.says(&["offer refused, call kept", "488"]), "{}", remains.log);
    assert_eq!(remains.record()["cause"], "caller-hung-up");
}
