//! The conference page in Chromium: somebody comes in by an invitation, talks, and leaves.

use super::harness::chromium::Chromium;
use super::harness::http::{Http, request};
use super::harness::slot::Slot;
use super::harness::{Family, Gateway, OPERATOR, Phone, Playing, Setup, Sipp, address, seconds, sound};
use serde_json::{Value, json};
use std::path::Path;

const ROUTES: &str = r#"
[[routes]]
name   = "UsersLobby"
from   = "users"
number = "2000"
room   = "lobby"
"#;

/// Tones: of a telephone, and of the browser (`tests/browser/ears.js`).
const ANNAS: f64 = 500.0;
const PAGES: f64 = 700.0;
const HEARD: f64 = -65.0;
const EARS: &str = include_str!("../browser/ears.js");

fn start() -> Gateway {
    let gateway = Setup::new().web().also(ROUTES).start();
    gateway.wait_for_log("users loaded", seconds(20));
    gateway
}

/// The same, whose trunk "carrier" is the telephone that listens.
fn calls_out_to(telephone: &Playing) -> Gateway {
    let place = address::host_port(telephone.address, telephone.port);
    let out = format!(
        r#"
[trunks.carrier]
address   = ["{place}"]
caller_id = "+442079460100"

[[routes]]
name   = "Out"
from   = "sessions"
number = '\+4420\d+'
trunk  = "carrier"
"#
    );
    let gateway = Setup::new().web().also(ROUTES).also(&out).start();
    gateway.wait_for_log("users loaded", seconds(20));
    gateway
}

/// The path of an invitation to the lobby.
fn invite(gateway: &Gateway) -> String {
    invite_as(gateway, "Mia Möller", false)
}

fn invite_as(gateway: &Gateway, name: &str, host: bool) -> String {
    let body = format!(r#"{{"name":"{name}","expires":"2h","host":{host}}}"#);
    let made = request(gateway, "POST", "/api/v1/rooms/lobby/invitations", Some(OPERATOR), Some(&body));
    assert_eq!(made.status, 201, "{}", made.body);
    format!("/join/lobby/{}", made.json()["token"].as_str().unwrap())
}

/// What is wrong with the view for those who use a keyboard or a screen reader, as axe finds it.
fn faults(browser: &Chromium) -> Value {
    browser.does(
        "const found = await window.axe.run(document, { resultTypes: ['violations'] });
         return found.violations.map(one => `${one.id}: ${one.nodes.map(node => node.html).join(' ')}`);",
    )
}

/// Its source, as `.ci/web` has installed it.
fn axe() -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("web/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}: `make test` makes it (CONTRIBUTING.md)", path.display()))
}

#[test]
fn somebody_invited_is_in_the_room_by_the_page_hears_a_telephone_is_heard_and_leaves() {
    let _slot = Slot::take();
    let (gateway, browser) = (start(), Chromium::start());
    let anna = Phone::dials("2000").says(ANNAS).seconds(25.0).call(&gateway);
    gateway.wait_for_members("lobby", 1);
    browser.opens(&format!("http://{}{}", gateway.web_place(), invite(&gateway)), EARS);
    browser.does("await button('Join');");
    browser.does(&axe());
    assert_eq!(faults(&browser), json!([]), "before joining");
    browser.does("await press('Join'); await button('Leave'); await press('Mute');");
    gateway.wait_for_members("lobby", 2);
    browser.does("await press('Unmute'); await button('Mute');");
    browser.does(&format!("await until('the tone', async () => (await hears([{ANNAS}]))[0] > {HEARD});"));
    let own = browser.does(&format!("return await hears([{ANNAS}, {PAGES}]);"));
    let level = |at: usize| own[at].as_f64().unwrap();
    assert!(level(1) < level(0) - 25.0, "it hears itself: {own}");
    assert_eq!(faults(&browser), json!([]), "in the conference");
    browser.does("await press('Chat'); await press('Invite'); await reads('Ask the host'); await press('Close');");
    let heard = anna.finish().answered().heard;
    sound::assert_hears_other_not_own("Anna", &heard, PAGES, ANNAS);
    browser.does("await press('Leave'); await reads('You have left the conference.');");
    assert_eq!(faults(&browser), json!([]), "after it");
    gateway.wait_for("nobody is left", seconds(10), |status| status["calls"].as_array().unwrap().is_empty());
    browser.does("await press('Join again'); await press('Join'); await button('Leave');");
    gateway.wait_for_members("lobby", 1);
    browser.does("await press('Leave'); await button('Join again');");
    gateway.finish();
}

#[test]
fn a_page_whose_gateway_was_killed_is_back_in_the_room_by_itself() {
    let _slot = Slot::take();
    let (gateway, browser) = (start(), Chromium::start());
    browser.opens(&format!("http://{}{}", gateway.web_place(), invite(&gateway)), EARS);
    browser.does("await press('Join');");
    gateway.wait_for_members("lobby", 1);
    let gateway = gateway.kill_and_start_again();
    browser.does("await reads('The connection was lost.');");
    gateway.wait_for_members("lobby", 1);
    browser.does("await until('no banner', () => !document.querySelector('.banner')); await press('Leave');");
    gateway.finish();
}

#[test]
fn an_invitation_that_is_none_is_told_in_a_sentence() {
    let _slot = Slot::take();
    let (gateway, browser) = (start(), Chromium::start());
    browser.opens(&format!("http://{}/join/lobby/eyJ.none", gateway.web_place()), EARS);
    browser.does("await reads('This link is not complete.');");
    browser.opens(&format!("http://{}/", gateway.web_place()), EARS);
    browser.does("await reads('Open an invitation');");
    browser.does(&axe());
    assert_eq!(faults(&browser), json!([]), "the first page");
    gateway.finish();
}

#[test]
fn a_browser_gets_the_page_and_a_program_what_the_invitation_says() {
    let gateway = start();
    let path = invite(&gateway);
    let ask = |path: &str, headers: &[(&str, &str)]| Http::open(&gateway).send("GET", path, headers, "").unwrap();
    let page = ask(&path, &[("Accept", "text/html,*/*;q=0.8")]);
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
    assert_eq!(ask(&path, &[]).json()["name"], "Mia Möller");
    let etag = ask("/", &[]).header("etag").unwrap().to_owned();
    assert_eq!(ask("/", &[("If-None-Match", &etag)]).status, 304);
    let script = page.body.split('"').find(|part| part.starts_with("/assets/") && part.ends_with(".js")).unwrap();
    let plain = ask(script, &[]);
    assert_eq!(plain.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert!(plain.header("cache-control").unwrap().contains("immutable"));
    for (missing, status) in [("/assets/none.js", 404), ("/assets/../Cargo.toml", 404), ("/index.html.gz", 404)] {
        assert_eq!(ask(missing, &[]).status, status, "{missing}");
    }
    gateway.finish();
}

/// Has a number called from the page.
fn dial(number: &str) -> String {
    format!(
        "await press('Call a telephone');
         const field = await until('the field', () => document.querySelector('dialog input'));
         await until('the countries', () => document.querySelectorAll('dialog option').length > 200);
         field.value = '{number}'; field.dispatchEvent(new Event('input', {{ bubbles: true }}));
         await press('Call');"
    )
}

/// Whether pictures of somebody else come.
const PICTURES: &str = "await until('a picture', async () => {
    const video = document.querySelector('.tile video');
    return video && video.videoWidth > 100 && video.currentTime > 0.5;
});";

#[test]
fn two_pages_see_each_other_hear_each_other_once_and_write_to_each_other() {
    let _slot = Slot::take();
    let (gateway, browser) = (start(), Chromium::start());
    let url = |name: &str, host: bool| format!("http://{}{}", gateway.web_place(), invite_as(&gateway, name, host));
    browser.opens(&url("Hanna Hill", true), EARS);
    browser.does("await press('Join'); await reads('Nobody else is here yet'); await press('Chat');");
    browser.does(
        "const line = await until('a line', () => document.querySelector('.chat input'));
         line.value = 'written before'; line.dispatchEvent(new Event('input', { bubbles: true }));
         await press('Send'); await reads('written before');",
    );
    let first = browser.window();
    let second = browser.opens_window();
    browser.opens(&url("Otto Ober", false), &format!("window.tone = 1100; {EARS}"));
    browser.does("await press('Join'); await reads('Hanna Hill');");
    browser.does(PICTURES);
    browser.does("await press('Raise hand'); await button('Chat, 1 new message');");
    browser.does("await press('Chat, 1 new message'); await reads('written before');");
    browser.does(&format!("await until('her tone', async () => (await hears([{PAGES}]))[0] > {HEARD});"));
    // What comes by the direct call carries no sound at all: nobody is heard twice.
    let tracks = browser.does("return sounds();");
    assert_eq!(tracks, 1);
    browser.turns_to(&first);
    browser.does(PICTURES);
    browser.does("await reads('Otto Ober'); await until('his hand', () => document.querySelector('.tile .hand'));");
    browser.does("await until('his tone', async () => (await hears([1100]))[0] > -65);");
    browser.does(&axe());
    assert_eq!(faults(&browser), json!([]), "two of them");
    browser.does("await press('Mute Otto Ober'); await button('Unmute Otto Ober'); await press('Remove Otto Ober');");
    browser.does(
        "await reads('Nobody else is here yet'); await until('no tile', () => !document.querySelector('.tile'));",
    );
    browser.turns_to(&second);
    browser.does("await reads('You were hung up');");
    browser.turns_to(&first);
    browser.does("await press('Leave'); await reads('You have left');");
    gateway.wait_for("nobody is left", seconds(10), |status| status["calls"].as_array().unwrap().is_empty());
    gateway.finish();
}

#[test]
fn a_host_calls_a_telephone_from_the_page_keys_its_digits_and_sees_it_leave() {
    let _slot = Slot::take();
    let (browser, telephone) = (Chromium::start(), Sipp::new("is_called_and_presses_1").limit(60).listen(Family::V4));
    let gateway = calls_out_to(&telephone);
    browser.opens(&format!("http://{}{}", gateway.web_place(), invite_as(&gateway, "Hanna", true)), EARS);
    browser.does("await press('Join'); await reads('Nobody else is here yet');");
    browser.does(&dial("+49 30 901820"));
    browser.does("await reads('This number may not be called from here'); await press('Close');");
    browser.does(&dial("+44 20 7946 0123"));
    browser.does("await reads('+442…23'); await reads('On the telephone');");
    gateway.wait_for_members("lobby", 2);
    browser.does(&axe());
    assert_eq!(faults(&browser), json!([]), "with a telephone");
    browser.does("await press('Keypad of +442…23'); await press('5'); await press('Pound');");
    browser.does(
        "await until('both keys', () => document.querySelector('output').textContent === '5#'); await press('Close');",
    );
    browser.does("await until('it has left', () => !document.querySelector('.tile')); await press('Leave');");
    telephone.finish();
    gateway.finish();
}

#[test]
fn a_busy_telephone_is_shown_with_its_reason() {
    let _slot = Slot::take();
    let (browser, telephone) = (Chromium::start(), Sipp::new("is_called_and_is_busy").limit(60).listen(Family::V4));
    let gateway = calls_out_to(&telephone);
    browser.opens(&format!("http://{}{}", gateway.web_place(), invite_as(&gateway, "Hanna", true)), EARS);
    browser.does("await press('Join');");
    browser.does(&dial("+442079460123"));
    browser.does("await reads('Busy'); await reads('+442…23 was not reached');");
    browser.does("await press('Leave');");
    telephone.finish();
    gateway.finish();
}
