//! Requests that are refused, each with the status the RFC names.

use super::harness::{Gateway, Sipp};

fn refused(scenario: &'static str) {
    let gateway = Gateway::start();
    Sipp::new(scenario).run(&gateway);
    let remains = gateway.finish();
    assert!(remains.records.iter().all(|record| record["talk_ms"] == 0), "{:#?}", remains.records);
    assert!(remains.says(&["refused"]), "no word of it in the log:\n{}", remains.log);
}

#[test]
fn a_method_that_is_not_served_gets_405() {
    refused("method_not_allowed");
}

#[test]
fn an_unknown_method_gets_501() {
    refused("unknown_method");
}

#[test]
fn an_unknown_body_gets_415() {
    refused("unsupported_body");
}

#[test]
fn an_unknown_scheme_gets_416() {
    refused("unknown_scheme");
}

#[test]
fn an_unknown_extension_gets_420() {
    refused("unknown_extension");
}

#[test]
fn requests_outside_of_any_call_get_481() {
    let gateway = Gateway::start();
    Sipp::new("no_dialog").run(&gateway);
    assert!(gateway.finish().records.is_empty());
}

#[test]
fn an_offer_without_a_common_codec_gets_488() {
    let gateway = Gateway::start();
    Sipp::new("no_common_codec").run(&gateway);
    let remains = gateway.finish();
    let record = remains.record();
    assert_eq!(record["status"], 488);
    assert!(record["cause_detail"].as_str().unwrap().ends_with("(offered: G729/8000)"), "{record}");
}

#[test]
fn an_unknown_number_gets_404_and_the_log_says_why() {
    let gateway = Gateway::start();
    Sipp::new("unknown_number").number("4711").run(&gateway);
    let remains = gateway.finish();
    assert_eq!(remains.record()["status"], 404);
    assert!(remains.says(&["refused", "4711", "404", "no route matches", "Conference", "Lobby"]), "{}", remains.log);
}
