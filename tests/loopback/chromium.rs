//! People in browsers: JsSIP and SIP.js, unchanged, in Chromium, and telephones.

use super::harness::chromium::{Chromium, assert_hears};
use super::harness::http::request;
use super::harness::slot::Slot;
use super::harness::{Gateway, LOBBY, OPERATOR, PIN, Phone, Setup, VIEWER, seconds, sound, wait};
use serde_json::Value;

const ROUTES: &str = r#"
[users.alice]
display_name = "Alice Ashton"
password     = { plain = "correct horse battery" }

[users.bob]
password     = { plain = "staple gun and glue" }

[[routes]]
name   = "UsersLobby"
from   = "users"
number = "2000"
room   = "lobby"

[[routes]]
name   = "UsersConference"
from   = "users"
number = "1000"
ivr    = "conference"

[[routes]]
name    = "P2P"
from    = "users"
number  = "alice|bob"
to_user = "direct"
"#;

/// Tones: of a telephone, of another, of Alice's browser and of Bob's.
const ANNAS: f64 = 500.0;
const OTTOS: f64 = 1_500.0;
const ALICES: f64 = 700.0;
const BOBS: f64 = 1_100.0;

/// A gateway, and a browser whose page may open WebSockets to it.
fn start() -> (Gateway, Chromium) {
    let browser = Chromium::start();
    let origins = format!("domain = \"sip.example.com\"\norigins = [\"{}\"]", browser.origin());
    let gateway = Setup::new().web().also(ROUTES).setting(&origins).start();
    gateway.wait_for_log("users loaded", seconds(10));
    (gateway, browser)
}

/// Where SIP is spoken over WebSocket.
fn server(gateway: &Gateway) -> String {
    format!("ws://{}/sip", gateway.web_place())
}

/// Alice with JsSIP, Bob with SIP.js, both registered.
fn register(browser: &Chromium, gateway: &Gateway) {
    let server = server(gateway);
    browser.does(&format!(
        "window.alice = new page.JsSipUser('{server}', 'sip.example.com', 'alice', 'correct horse battery');
         window.bob = new page.SipJsUser('{server}', 'sip.example.com', 'bob', 'staple gun and glue');
         await Promise.all([alice.registers(), bob.registers()]);"
    ));
}

#[test]
fn two_browsers_and_two_telephones_hear_every_other_and_not_themselves() {
    let _slot = Slot::take();
    let (gateway, browser) = start();
    register(&browser, &gateway);
    browser.does(&format!("await Promise.all([alice.calls(2000, {ALICES}), bob.calls(2000, {BOBS})]);"));
    let anna = Phone::dials("2000").says(ANNAS).seconds(14.0).call(&gateway);
    let otto = Phone::dials("2000").says(OTTOS).seconds(14.0).call(&gateway);
    gateway.wait_for_members("lobby", 4);
    assert_hears(&browser, "alice", &[ANNAS, OTTOS, BOBS], &[ALICES]);
    assert_hears(&browser, "bob", &[ANNAS, OTTOS, ALICES], &[BOBS]);
    // Those who talk are named, by the number in their call's name.
    let status = gateway.status();
    let calls = status["calls"].as_array().unwrap();
    let number = |user: &str| {
        let call = calls.iter().find(|call| call["user"] == *user).unwrap();
        call["call"].as_str().unwrap().rsplit('-').next().unwrap().parse::<u64>().unwrap()
    };
    let named = browser.does("return alice.contributors();");
    let named: Vec<u64> = named.as_array().unwrap().iter().map(|source| source.as_u64().unwrap()).collect();
    assert_eq!(named.len(), 3, "{named:?} of {status}");
    assert!(named.contains(&number("bob")) && !named.contains(&number("alice")), "{named:?}");
    for (who, heard, others, own) in [
        ("Anna", anna.finish().answered().heard, [OTTOS, ALICES, BOBS], ANNAS),
        ("Otto", otto.finish().answered().heard, [ANNAS, ALICES, BOBS], OTTOS),
    ] {
        others.iter().for_each(|other| sound::assert_hears_other_not_own(who, &heard, *other, own));
    }
    browser.does("alice.hangsUp(); bob.hangsUp(); await Promise.all([alice.isOver(), bob.isOver()]);");
    let remains = gateway.finish();
    for user in ["alice", "bob"] {
        let record = remains.records.iter().find(|record| record["user"] == user).unwrap();
        let media = &record["media"];
        assert!(media["packets_redundant"].as_u64() > Some(200), "it was asked for copies: {record}");
        for count in ["packets_forged", "packets_invalid", "packets_foreign", "packets_replayed"] {
            assert_eq!(media[count], 0, "{record}");
        }
    }
    remains.assert_silent_about(&["correct horse", "staple gun"]);
}

#[test]
fn two_browsers_hear_twelve_kilohertz_of_each_other() {
    let _slot = Slot::take();
    let (gateway, browser) = start();
    register(&browser, &gateway);
    browser.does("await Promise.all([alice.calls(2000, 11500), bob.calls(2000, 9500)]);");
    assert_hears(&browser, "alice", &[9_500.0], &[11_500.0]);
    assert_hears(&browser, "bob", &[11_500.0], &[9_500.0]);
    browser.does("alice.hangsUp(); bob.hangsUp(); await Promise.all([alice.isOver(), bob.isOver()]);");
    gateway.finish();
}

#[test]
fn keys_of_a_browser_count_once_and_hold_and_mute_work() {
    let _slot = Slot::take();
    let (gateway, browser) = start();
    register(&browser, &gateway);
    browser.does(&format!("await alice.calls(1000, {ALICES}); await page.until('sound', () => alice.connection().connectionState === 'connected'); await alice.presses('{PIN}#');"));
    gateway.wait_for_members("demo", 1);
    let anna = Phone::dials("1000").says(ANNAS).keys(&format!("{PIN}#"), 2.0).seconds(22.0).call(&gateway);
    gateway.wait_for_members("demo", 2);
    assert_hears(&browser, "alice", &[ANNAS], &[ALICES]);
    browser.does("await alice.holds(true); await alice.holds(false);");
    assert_hears(&browser, "alice", &[ANNAS], &[ALICES]);
    let heard = anna.finish().answered().heard;
    sound::assert_hears_other_not_own("Anna", &heard, ALICES, ANNAS);
    browser.does("alice.hangsUp(); await alice.isOver();");
    let remains = gateway.finish();
    let record = remains.records.iter().find(|record| record["user"] == "alice");
    let record = record.unwrap_or_else(|| panic!("{:#?}\n{}", remains.records, remains.log));
    assert_eq!((&record["keyed"]["keys"], &record["keyed"]["wrong_pins"]), (&7.into(), &0.into()), "{record}");
    remains.assert_silent_about(&[PIN]);
}

#[test]
fn two_users_call_each_other_directly_with_pictures_and_write_to_each_other() {
    let _slot = Slot::take();
    let (gateway, browser) = start();
    register(&browser, &gateway);
    browser.does(&format!("await Promise.all([alice.calls('bob', {ALICES}, true), bob.answers({BOBS}, true)]);"));
    assert_hears(&browser, "alice", &[BOBS], &[ALICES]);
    assert_hears(&browser, "bob", &[ALICES], &[BOBS]);
    browser.does("await page.until('pictures', async () => await alice.pictures() > 5 && await bob.pictures() > 5);");
    // What she said is what he was told, octet by octet.
    let told = browser.does("return alice.said.length > 0 && alice.said.every(one => page.described.includes(one));");
    assert_eq!(told, Value::Bool(true));
    let media = gateway.status()["calls"].as_array().unwrap().len();
    assert_eq!(media, 1, "both dialogs are one call");
    assert_eq!(browser.does("return await alice.says('bob', 'grüß');"), "taken");
    browser.does("alice.informs('a word in the call'); await page.until('the word', () => bob.infos.length > 0);");
    assert_eq!(browser.does("return bob.read;"), serde_json::json!(["grüß"]));
    assert_eq!(browser.does("return bob.infos;"), serde_json::json!(["a word in the call"]));
    browser.does("alice.hangsUp(); await bob.isOver();");
    let remains = gateway.finish();
    let record = remains.record();
    assert!(
        record["media"].is_null() && record["route"] == "P2P" && record["talk_ms"].as_u64() > Some(1_000),
        "{record}"
    );
}

#[test]
fn who_does_not_know_the_password_or_comes_from_a_foreign_page_stays_out() {
    let _slot = Slot::take();
    let (gateway, browser) = start();
    let here = server(&gateway);
    for (kind, user, password) in [
        ("JsSipUser", "alice", "wrong"),
        ("SipJsUser", "bob", "correct horse battery"),
        ("JsSipUser", "nobody", "correct horse battery"),
    ] {
        let tried = browser.run(&format!(
            "return await new page.{kind}('{here}', 'sip.example.com', '{user}', '{password}').registers();"
        ));
        assert!(tried.is_err(), "{kind} {user}: {tried:?}");
    }
    assert_eq!(browser.does(&format!("return await page.opens('{here}', 'sip');")), Value::Bool(true));
    assert_eq!(browser.does(&format!("return await page.opens('{here}', 'chat');")), Value::Bool(false));
    let foreign = Setup::new().web().also(ROUTES).start();
    let there = server(&foreign);
    assert_eq!(browser.does(&format!("return await page.opens('{there}', 'sip');")), Value::Bool(false));
    foreign.finish();
    gateway.finish();
}

#[test]
fn a_gateway_that_was_killed_is_found_again_by_the_browsers_and_calls_them() {
    let _slot = Slot::take();
    let (gateway, browser) = start();
    register(&browser, &gateway);
    let gateway = gateway.kill_and_start_again();
    let registered = || gateway.ctl(&["users", "--json"]).output.matches("\"ws:").count() == 2;
    wait::until_true("both clients are registered again", seconds(20), registered);
    let answers = format!("window.answered = Promise.all([alice.answers({ALICES}), bob.answers({BOBS})]);");
    browser.does(&answers);
    for user in ["user:alice", "user:bob"] {
        let dialled = gateway.ctl(&["dial", "--room", "lobby", user]);
        assert_eq!(dialled.code(), 0, "{}{}", dialled.output, dialled.errors);
    }
    browser.does("await answered;");
    assert_hears(&browser, "alice", &[BOBS], &[ALICES]);
    browser.does("alice.hangsUp(); bob.hangsUp(); await Promise.all([alice.isOver(), bob.isOver()]);");
    gateway.finish();
}

#[test]
fn whoever_is_invited_is_in_the_room_until_the_invitation_is_used_again() {
    let _slot = Slot::take();
    let (gateway, browser) = start();
    let body = r#"{"name":"Anna Ashton","expires":"1h"}"#;
    let invited = request(&gateway, "POST", "/api/v1/rooms/lobby/invitations", Some(OPERATOR), Some(body)).json();
    let path = format!("/join/lobby/{}", invited["token"].as_str().unwrap());
    let join = |who: &str, tone: f64| {
        let admitted = request(&gateway, "POST", &path, None, None).json();
        let part = |name: &str| admitted[name].as_str().unwrap().to_owned();
        assert_eq!(part("call"), "sip:lobby@sip.example.com");
        browser.does(&format!(
            "window.{who} = new page.JsSipUser('{}', 'sip.example.com', '{}', '{}');
             await {who}.registers(); await {who}.calls('lobby', {tone});",
            server(&gateway),
            part("user"),
            part("password"),
        ));
    };
    join("first", ALICES);
    let anna = Phone::dials("2000").says(ANNAS).seconds(60.0).call(&gateway);
    gateway.wait_for_members("lobby", 2);
    assert_hears(&browser, "first", &[ANNAS], &[ALICES]);
    join("second", BOBS);
    browser.does("await first.isOver();");
    gateway.wait_for_members("lobby", 2);
    assert_hears(&browser, "second", &[ANNAS], &[ALICES, BOBS]);
    browser.does("second.hangsUp(); await second.isOver();");
    gateway.wait_for_members("lobby", 1);
    request(&gateway, "DELETE", "/api/v1/rooms/lobby/participants", Some(OPERATOR), None);
    anna.finish().answered();
    gateway.finish();
}

#[test]
fn a_whip_client_is_heard_by_a_telephone_and_who_listens_by_whep_hears_both() {
    let _slot = Slot::take();
    let (gateway, browser) = start();
    let place = |kind: &str, room: &str| format!("http://{}/{kind}/{room}", gateway.web_place());
    let (whip, whep) = (place("whip", "lobby"), place("whep", "lobby"));
    let anna = Phone::dials("2000").says(ANNAS).seconds(12.0).call(&gateway);
    browser.does(&format!(
        "window.encoder = new page.WhipUser('{whip}', '{OPERATOR}'); await encoder.talks({ALICES});
         window.listener = new page.WhepUser(); await listener.listens('{whep}', '{LOBBY}');"
    ));
    gateway.wait_for_members("lobby", 3);
    assert_hears(&browser, "listener", &[ANNAS, ALICES], &[]);
    let refused = |token: &str, place: &str| {
        browser.run(&format!("await new page.WhepUser().listens('{place}', '{token}');")).unwrap_err()
    };
    assert_eq!(refused("nobodys", &whep), "401");
    assert_eq!(refused(VIEWER, &whep), "403");
    assert_eq!(refused(LOBBY, &place("whep", "demo")), "403");
    assert_eq!(refused(OPERATOR, &place("whep", "nowhere")), "404");
    assert_eq!(browser.does("return await listener.leaves();"), 200);
    gateway.wait_for_members("lobby", 2);
    let heard = anna.finish().answered().heard;
    sound::assert_hears_other_not_own("Anna", &heard, ALICES, ANNAS);
    browser.does("await encoder.leaves();");
    gateway.wait_for("nobody is left", seconds(10), |status| status["calls"].as_array().unwrap().is_empty());
    let remains = gateway.finish();
    let of = |name: &str| remains.log.contains(&format!("guest {name}"));
    assert!(of("operator") && of("lobby"), "{}", remains.log);
}
