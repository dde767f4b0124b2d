//! The conference page in Chromium.

mod coming_in;
mod devices;
mod direct_way;
mod everybody;
mod hosting;
mod lasting;
mod people;
mod scenarios;
mod telephones;
mod views;

use super::harness::chromium::Chromium;
use super::harness::http::request;
use super::harness::{Gateway, OPERATOR, Setup, seconds};
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
const EARS: &str = include_str!("../../browser/ears.js");

fn start() -> Gateway {
    let gateway = Setup::new().web().also(ROUTES).start();
    gateway.wait_for_log("users loaded", seconds(20));
    gateway
}

/// The same with a browser whose windows are in the lobby: of Hanna, a host, and of Otto, whose tone is `others`. It is
/// turned to the latter.
fn start_with_two(others: f64) -> (Gateway, Chromium, [String; 2]) {
    let (gateway, browser) = (start(), Chromium::start());
    let first = browser.window();
    join(&browser, &invite(&gateway, "Hanna", true), PAGES);
    let second = browser.opens_window();
    join(&browser, &invite(&gateway, "Otto", false), others);
    (gateway, browser, [first, second])
}

/// A gateway whose trunk "carrier" is the telephone that waits there.
fn calls_out_to(place: &str) -> Gateway {
    let out = format!(
        r#"
[trunks.carrier]
address   = ["{place}"]
ping      = "off"
caller_id = "+442079460100"

[[routes]]
name   = "Out"
from   = "sessions"
number = '\+4420\d+'
trunk  = "carrier"
"#
    );
    let setup = Setup::new().web().setting("access_number = \"+44 20 7946 0100\"");
    let gateway = setup.also(ROUTES).also(&out).start();
    gateway.wait_for_log("users loaded", seconds(20));
    gateway
}

/// The URL of an invitation to the lobby.
fn invite(gateway: &Gateway, name: &str, host: bool) -> String {
    invite_to("lobby", gateway, name, host)
}

fn invite_to(room: &str, gateway: &Gateway, name: &str, host: bool) -> String {
    let body = format!(r#"{{"name":"{name}","expires":"2h","host":{host}}}"#);
    let path = format!("/api/v1/rooms/{room}/invitations");
    let made = request(gateway, "POST", &path, Some(OPERATOR), Some(&body));
    assert_eq!(made.status, 201, "{}", made.body);
    format!("http://{}/join/{room}/{}", gateway.web_place(), made.json()["token"].as_str().unwrap())
}

/// Opens an invitation in the window that the browser is turned to, with a microphone that hears a tone, and joins.
fn join(browser: &Chromium, url: &str, tone: f64) {
    join_with(browser, url, tone, "");
}

/// The same with something else that runs before the page.
fn join_with(browser: &Chromium, url: &str, tone: f64, before: &str) {
    browser.opens(url, &format!("window.tone = {tone}; {before} {EARS}"));
    browser.does("await press('Join'); await button('Leave');");
}

/// The page hears each of these tones from one place and no more, and the others from none; if not at once, then soon.
fn assert_hears_once(browser: &Chromium, who: &str, heard: &[f64], unheard: &[f64]) {
    let all: Vec<String> = heard.iter().chain(unheard).map(f64::to_string).collect();
    let script = format!(
        "let told; try {{
             await until('tones', async () => {{
                 told = await hearsEach([{}], {HEARD});
                 return told.slice(0, {}).every(places => places === 1);
             }});
         }} catch {{}} return told;",
        all.join(","),
        heard.len()
    );
    let places = browser.does(&script);
    let expected: Vec<u64> = heard.iter().map(|_| 1).chain(unheard.iter().map(|_| 0)).collect();
    assert_eq!(places, json!(expected), "{who}: from how many places it hears {heard:?}, and {unheard:?}");
}

/// Puts axe into the window.
fn bring_axe(browser: &Chromium) {
    browser.does(&axe());
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

/// Waits until so many others are seen to move.
fn pictures(count: usize) -> String {
    format!(
        "await until('{count} pictures', () => {{
             const all = [...document.querySelectorAll('.tile video')];
             return all.length === {count} && all.every(one => one.videoWidth > 100 && one.currentTime > 0.5);
         }});"
    )
}

/// Nobody is left in a call.
fn wait_for_nobody(gateway: &Gateway) {
    gateway.wait_for("nobody is left", seconds(10), |status| status["calls"].as_array().unwrap().is_empty());
}
