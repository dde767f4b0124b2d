//! The gateway calls, as `partyline ctl dial` tells it to.

use super::Relay;
use crate::loopback::harness::process::Outcome;
use crate::loopback::harness::{Family, Gateway, Playing, Setup, Sipp, address, seconds};
use serde_json::Value;
use std::net::UdpSocket;

const NUMBER: &str = "+442079460123";

fn place(of: &Playing) -> String {
    address::host_port(of.address, of.port)
}

/// A gateway whose trunk is at `places`, with more settings for the trunk and for the route to it.
fn calls_out_to(places: &[String], trunk: &str, route: &str) -> Gateway {
    let routes = format!(
        "[trunks.carrier]\naddress = {places:?}\nping = \"off\"\ncaller_id = \"+442079460100\"\n{trunk}\n\
         [rooms.standup]\nannounce = \"none\"\n\
         [[routes]]\nname = \"Out\"\nfrom = \"sessions\"\nnumber = '\\+4420\\d+'\ntrunk = \"carrier\"\nconfirm = false\n{route}\n"
    );
    let gateway = Setup::new().routes(&routes).start();
    gateway.wait_for("the trunk is found", seconds(5), |status| status["trunks"][0]["trunk"] == "carrier");
    gateway
}

fn dial(gateway: &Gateway) -> Outcome {
    gateway.ctl(&["dial", "--room", "standup", NUMBER])
}

fn dial_into_the_room(gateway: &Gateway) {
    let dialled = dial(gateway);
    assert_eq!(dialled.code(), 0, "{}{}\n{}", dialled.output, dialled.errors, gateway.log());
    gateway.wait_for_members("standup", 1);
}

/// Dials, hangs up when the callee is in the room, and gives back the record.
fn dial_and_hang_up(gateway: Gateway, telephone: Playing) -> Value {
    dial_into_the_room(&gateway);
    gateway.kick_only_call();
    telephone.finish();
    let record = gateway.finish().record().clone();
    assert_eq!((&record["way"], &record["cause"]), (&"out".into(), &"kicked".into()), "{record:#}");
    record
}

#[test]
fn a_call_is_answered_and_ended() {
    let telephone = Sipp::new("is_called").listen(Family::V4);
    let gateway = calls_out_to(&[place(&telephone)], "", "");
    dial_into_the_room(&gateway);
    telephone.finish();
    assert_eq!(gateway.finish().record()["cause"], "called-hung-up");
}

#[test]
fn through_two_proxies_that_ask_for_a_digest() {
    let telephone = Sipp::new("is_called_through_proxies").listen(Family::V4);
    let account = "username = \"acme\"\npassword = { plain = \"correct horse\" }";
    let gateway = calls_out_to(&[place(&telephone)], account, "");
    dial_and_hang_up(gateway, telephone);
}

#[test]
fn a_dead_proxy_is_passed_over() {
    let telephone = Sipp::new("is_called").listen(Family::V4);
    let dead = UdpSocket::bind((Family::V4.own_address(), 0)).unwrap();
    let gateway = calls_out_to(&[dead.local_addr().unwrap().to_string(), place(&telephone)], "", "");
    dial_into_the_room(&gateway);
    telephone.finish();
    let remains = gateway.finish();
    let record = remains.record();
    assert_eq!(record["cause"], "called-hung-up");
    assert_eq!(record["tried"][0]["outcome"], "silent for 4 s", "{record:#}");
}

/// The answer comes from the one address and names another for sound.
#[test]
fn sound_may_come_from_elsewhere() {
    let relay = Relay::new();
    let telephone = relay.tell(Sipp::new("is_called_behind_alg")).listen(Family::V4);
    let gateway = calls_out_to(&[place(&telephone)], "", "");
    dial_into_the_room(&gateway);
    relay.hears();
    telephone.finish();
    assert_eq!(gateway.finish().record()["cause"], "called-hung-up");
}

#[test]
fn a_redirection_is_followed() {
    let telephone = Sipp::new("is_called").listen(Family::V4);
    let contact = format!("sip:+442079460200@{}", place(&telephone));
    let proxy = Sipp::new("redirects").with("CONTACT", &contact).listen(Family::V4);
    let networks = "redirects = true\nallow = [\"127.0.0.0/8\"]";
    let gateway = calls_out_to(&[place(&proxy)], networks, "");
    dial_into_the_room(&gateway);
    proxy.finish();
    let messages = telephone.finish();
    assert!(messages.contains("INVITE sip:+442079460200@"), "{messages}");
    let remains = gateway.finish();
    assert_eq!(remains.record()["cause"], "called-hung-up");
    assert_eq!(remains.record()["number"], "+442079460200");
    let outcome = remains.record()["tried"][0]["outcome"].as_str().unwrap();
    assert_eq!(outcome, format!("302 Moved Temporarily, when {NUMBER} was called"));
}

#[test]
fn a_redirection_that_nobody_allowed_is_not_followed() {
    let proxy = Sipp::new("redirects").with("CONTACT", "sip:+442079460200@127.0.0.1").listen(Family::V4);
    let gateway = calls_out_to(&[place(&proxy)], "", "");
    assert_eq!(dial(&gateway).code(), 1);
    proxy.finish();
    assert_eq!(gateway.finish().record()["cause"], "declined");
}

#[test]
fn the_callee_holds_and_moves() {
    let relay = Relay::new();
    let telephone = relay.tell(Sipp::new("is_called_and_holds")).listen(Family::V4);
    let gateway = calls_out_to(&[place(&telephone)], "", "");
    dial_into_the_room(&gateway);
    gateway.wait_for_log("on hold", seconds(10));
    relay.hears();
    gateway.kick_only_call();
    telephone.finish();
    let remains = gateway.finish();
    assert!(remains.says(&["resumed"]), "{}", remains.log);
    assert_eq!(remains.record()["cause"], "kicked");
}

#[test]
fn nobody_answers() {
    let telephone = Sipp::new("is_called_and_does_not_answer").listen(Family::V4);
    let gateway = calls_out_to(&[place(&telephone)], "", "ring_timeout = \"5s\"");
    let dialled = dial(&gateway);
    assert!(dialled.code() == 1 && dialled.errors.contains("no answer"), "{}{}", dialled.output, dialled.errors);
    telephone.finish();
    assert_eq!(gateway.finish().record()["cause"], "no-answer");
}

#[test]
fn refusals_have_their_causes() {
    for (before, status, cause) in [
        // Nobody is there: the proxy heard nothing.
        ("183 Session Progress", "480 No Response", "no-answer"),
        ("180 Ringing", "480 Temporarily Unavailable", "no-answer"),
        ("180 Ringing", "603 Decline", "declined"),
        ("183 Session Progress", "403 Screening Failure", "declined"),
    ] {
        let telephone =
            Sipp::new("is_called_and_refuses").with("BEFORE", before).with("STATUS", status).listen(Family::V4);
        let gateway = calls_out_to(&[place(&telephone)], "", "");
        assert_eq!(dial(&gateway).code(), 1, "{status}");
        telephone.finish();
        let remains = gateway.finish();
        let record = remains.record();
        assert_eq!(record["cause"], cause, "{record:#}");
        assert_eq!(record["status"].to_string(), status[..3], "{record:#}");
    }
}

#[test]
fn a_call_is_forwarded() {
    // Always; when the first is busy, which shows in nothing; when the first rang in vain.
    for first in ["181 Call Is Being Forwarded", "182 Queued", "180 Ringing"] {
        let telephone = Sipp::new("is_called_and_forwarded").with("FIRST", first).listen(Family::V4);
        let gateway = calls_out_to(&[place(&telephone)], "", "");
        dial_and_hang_up(gateway, telephone);
    }
}
