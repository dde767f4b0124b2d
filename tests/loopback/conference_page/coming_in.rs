//! By an invitation into the room, and out of it.

use super::super::conference::ours;
use super::super::harness::chromium::Chromium;
use super::super::harness::folder::Folder;
use super::super::harness::http::Http;
use super::super::harness::process::Running;
use super::super::harness::slot::Slot;
use super::super::harness::wait::{self, seconds};
use super::super::harness::{PROGRAM, Phone, address, sound};
use super::{
    ANNAS, EARS, HEARD, PAGES, assert_hears_once, bring_axe, faults, invite, join, pictures, start, wait_for_nobody,
};
use nix::sys::signal::Signal;
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::process::Command;

/// Tones: of another telephone, and of another page.
const OTTOS: f64 = 1_500.0;
const OTHERS: f64 = 1_100.0;

#[test]
fn somebody_invited_is_in_the_room_by_the_page_hears_a_telephone_is_heard_and_leaves() {
    let _slot = Slot::take();
    let (gateway, browser) = (start(), Chromium::start());
    let anna = Phone::dials("2000").says(ANNAS).seconds(25.0).call(&gateway);
    gateway.wait_for_members("lobby", 1);
    browser.opens(&invite(&gateway, "Mia Möller", false), EARS);
    browser.does("await button('Join');");
    bring_axe(&browser);
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
    wait_for_nobody(&gateway);
    browser.does("await press('Join again'); await press('Join'); await button('Leave');");
    gateway.wait_for_members("lobby", 1);
    browser.does("await press('Leave'); await button('Join again');");
    gateway.finish();
}

/// `cargo test --test all -- the_first_sound --nocapture` tells how long it took (benches/README.md).
#[test]
fn the_first_sound_of_a_telephone_follows_the_click() {
    let _slot = Slot::take();
    let (gateway, browser) = (start(), Chromium::start());
    let anna = Phone::dials("2000").says(ANNAS).seconds(40.0).call(&gateway);
    gateway.wait_for_members("lobby", 1);
    browser.opens(&invite(&gateway, "Mia", false), EARS);
    let took = browser.does(
        "const join = await button('Join'); await new Promise(done => setTimeout(done, 2000));
         const begin = performance.now(); join.click(); return soundSince(begin);",
    );
    eprintln!("from the click to the first sound: {took} ms");
    browser
        .does(&format!("await until('it', async () => (await hears([{ANNAS}]))[0] > {HEARD}); await press('Leave');"));
    anna.finish().answered();
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
    bring_axe(&browser);
    assert_eq!(faults(&browser), json!([]), "the first page");
    gateway.finish();
}

#[test]
fn a_browser_gets_the_page_and_a_program_what_the_invitation_says() {
    let gateway = start();
    let url = invite(&gateway, "Mia Möller", false);
    let path = url[url.find("/join/").unwrap()..].to_owned();
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

#[test]
fn who_starts_the_gateway_at_a_terminal_is_told_urls_by_which_two_browsers_meet_directly() {
    let _slot = Slot::take();
    let folder = Folder::new();
    let browser = Chromium::start();
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let (sip, web) = (address::free_port(here), address::free_port(here));
    let (first, last) = address::free_block(here, 60);
    let mut dialplan = String::from(include_str!("../../../dialplan.toml"));
    for (ours, tests) in [
        (
            r#""udp://0.0.0.0:5060", "tcp://0.0.0.0:5060", "udp://[::]:5060", "tcp://[::]:5060""#,
            format!(r#""udp://127.0.0.1:{sip}""#),
        ),
        ("20000-29999", format!("{first}-{last}")),
        ("127.0.0.1:8080", format!("127.0.0.1:{web}")),
        (r#"prompts   = "prompts""#, format!(r#"prompts = "{}/prompts""#, env!("CARGO_MANIFEST_DIR"))),
    ] {
        assert!(dialplan.contains(ours), "{ours} is not in the dialplan that ships");
        dialplan = dialplan.replace(ours, &tests);
    }
    std::fs::write(folder.file("dialplan.toml"), dialplan).unwrap();
    ours().copy(folder.path(), "");
    // A terminal of its own.
    let mut command = Command::new("script");
    command.args(["-qec", &format!("exec {PROGRAM} run"), "/dev/null"]).current_dir(folder.path());
    let terminal = Running::start(command, folder.path(), "terminal");
    let urls = || {
        let found: Vec<String> = terminal
            .output()
            .split_whitespace()
            .filter(|word| word.contains("/join/604715/"))
            .map(str::to_owned)
            .collect();
        (found.len() == 2).then_some(found)
    };
    let urls = wait::until("two URLs", seconds(20), urls);
    for (url, host) in urls.iter().zip([true, false]) {
        let path = url.strip_prefix(&format!("http://localhost:{web}")).unwrap_or_else(|| panic!("{url}"));
        let answer = Http::over(TcpStream::connect((here, web)).unwrap()).send("GET", path, &[], "").unwrap().json();
        assert_eq!((&answer["room"], &answer["host"]), (&json!("604715"), &json!(host)), "{answer}");
    }
    let phone = |number: &str, pin: &str, name: &str, tone: f64| {
        let mut command = Command::new(PROGRAM);
        command.args(["call", &format!("sip:{number}@127.0.0.1:{sip}"), "--digits", &format!("{pin}#"), "--tone"]);
        command
            .args([&tone.to_string(), "--digits-after", "3", "--seconds", "90", "--record"])
            .arg(folder.file(&format!("{name}.wav")));
        Running::start(command, folder.path(), name)
    };
    // The PIN of a room still opens it, and another one the conference.
    let in_room = phone("1000", "482917", "anna", ANNAS);
    let in_conference = phone("4000", "604715", "otto", OTTOS);
    join(&browser, &urls[0], PAGES);
    let host = browser.window();
    browser.opens_window();
    join(&browser, &urls[1], OTHERS);
    for (who, heard, unheard) in [("the guest", PAGES, OTHERS), ("the host", OTHERS, PAGES)] {
        browser.does(&pictures(1));
        browser.does("await until('the telephone', () => document.querySelector('.tile.telephone.in'));");
        assert_hears_once(&browser, who, &[heard, OTTOS], &[unheard, ANNAS]);
        browser.turns_to(&host);
    }
    browser.does("await press('End for all'); await until('the question', () => document.querySelector('dialog'));");
    browser.does(
        "[...document.querySelectorAll('dialog button')].find(one => one.textContent === 'End for all').click();",
    );
    in_conference.finish(seconds(30));
    sound::assert_hears_other_not_own("Otto", &sound::read(&folder.file("otto.wav")), PAGES, OTTOS);
    let ctl = |args: &[&str]| {
        let output = Command::new(PROGRAM).arg("ctl").args(args).current_dir(folder.path()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(ctl(&["rooms"]).contains("demo"), "{}", ctl(&["rooms"]));
    ctl(&["kick", "--room", "demo"]);
    in_room.finish(seconds(30));
    terminal.signal(Signal::SIGTERM);
    terminal.finish(seconds(15));
}
