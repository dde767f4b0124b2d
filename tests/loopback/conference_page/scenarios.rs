//! The page in a conference that scenarios hold: browsers hear and see each other directly, and from the gateway the
//! telephones alone. With our scenarios, and with the reference's, unchanged.

use super::super::conference::{Scripts, ours, reference};
use super::super::harness::chromium::Chromium;
use super::super::harness::slot::Slot;
use super::super::harness::{Baresip, Family, Gateway, Phone, Setup, Sipp, address, seconds, sound};
use super::people::ONLY_TCP;
use super::telephones::dial;
use super::{ANNAS, EARS, PAGES, assert_hears_once, invite_to, join, join_with, pictures, wait_for_nobody};
use partyline::audio::goertzel;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Tones: of another telephone and one that is called, and of two more pages.
const OTTOS: f64 = 1_500.0;
const CALLED: f64 = 2_300.0;
pub const SECONDS: f64 = 1_130.0;
const THIRDS: f64 = 1_870.0;
/// The telephone that is called, and how it is shown.
const NUMBER: &str = "+442079460123";
const SHOWN: &str = "+442…23";
/// What the voice says everything as.
const VOICES: f64 = 3_100.0;
/// Longer than all takes, seconds.
const LONG: u32 = 180;

/// A conference by the name of its PIN, and a trunk whose telephone is at `place`.
pub fn start(scripts: &Scripts, place: &str) -> Gateway {
    start_beside(scripts, place, |_| {})
}

/// The same with something more in its folder.
fn start_beside(scripts: &Scripts, place: &str, more: impl FnOnce(&Path)) -> Gateway {
    // The page calls what the gateway tells it to.
    let routes =
        scripts.routes(place).replace("caller_id =", "ping = \"off\"\ncaller_id =").replace("joinconf", "meet");
    let room = "[rooms.4217]\ninvited_call = \"meet\"\n";
    let setup = Setup::new().routes(&routes).also(room).web().ice_tcp();
    let setup = setup.setting("fetch = { allow = [\"127.0.0.0/8\"] }");
    let gateway = setup.prepare(|folder| {
        scripts.copy(folder, "http://127.0.0.1:9");
        more(folder);
    });
    gateway.wait_for_log("users loaded", seconds(20));
    scripts.copy(gateway.folder(), &format!("http://{}/platform_api", gateway.web_place()));
    assert_eq!(gateway.ctl(&["reload"]).code(), 0);
    gateway
}

/// Ends the calls that are left: those of telephones.
pub fn kick_all(gateway: &Gateway) {
    gateway.wait_for("nobody is left", seconds(30), |status| {
        let calls = status["calls"].as_array().unwrap();
        for call in calls {
            gateway.ctl(&["kick", call["call"].as_str().unwrap()]);
        }
        calls.is_empty()
    });
}

fn pages_and_telephones_meet(scripts: &Scripts, knows_hosts_and_keys: bool) {
    let _slot = Slot::take();
    let browser = Chromium::start();
    let (mut called, place) = Baresip::listening(NUMBER, CALLED, LONG.into());
    let gateway = start(scripts, &place);
    let phone = |from, hertz| {
        Phone::dials("7000").from(from).says(hertz).keys("4217#", 3.0).seconds(f64::from(LONG)).call(&gateway)
    };
    let tones = [PAGES, SECONDS, THIRDS];
    let mut windows = vec![browser.window()];
    for (name, tone) in ["Pia", "Quinn", "Rosa"].into_iter().zip(tones) {
        if name != "Pia" {
            windows.push(browser.opens_window());
        }
        join(&browser, &invite_to("4217", &gateway, name, name == "Pia"), tone);
    }
    let (anna, otto) = (phone("1001", ANNAS), phone("1002", OTTOS));
    browser.does(&dial(NUMBER));
    called.wait_for_answer();
    browser.does(&format!("await reads('{SHOWN}'); await reads('On the telephone');"));
    let all = [ANNAS, OTTOS, CALLED, PAGES, SECONDS, THIRDS];
    for (window, own) in windows.iter().zip(tones) {
        browser.turns_to(window);
        browser.does(&pictures(2));
        browser
            .does("await until('all telephones', () => document.querySelectorAll('.tile.telephone.in').length === 3);");
        let others: Vec<f64> = all.into_iter().filter(|&tone| tone != own).collect();
        assert_hears_once(&browser, &format!("the page of {own} Hz"), &others, &[own]);
    }
    browser.turns_to(&windows[0]);
    for button in ["Lock the room", "End for all", "Mute Quinn", "Remove 1001", &format!("Keypad of {SHOWN}")] {
        assert_eq!(browser.does(&has(button)), knows_hosts_and_keys, "a host has the button {button}");
    }
    if knows_hosts_and_keys {
        browser.does(&format!("await press('Keypad of {SHOWN}');"));
        for key in "123456789*0#".chars() {
            let name = match key {
                '*' => "Star".to_owned(),
                '#' => "Pound".to_owned(),
                digit => digit.to_string(),
            };
            browser.does(&format!("await press('{name}');"));
            called.wait_for(&format!("'{key}'"));
        }
        browser.does("await press('Close');");
    }
    // Rosa has had it called: she may hang it up, Quinn may not, and neither may send away who called in.
    let remove = format!("Remove {SHOWN}");
    for (window, button, expected) in
        [(1, &*remove, false), (2, "Remove 1001", false), (2, "Mute Quinn", false), (2, &*remove, knows_hosts_and_keys)]
    {
        browser.turns_to(&windows[window]);
        assert_eq!(browser.does(&has(button)), expected, "a guest has the button {button}");
    }
    if knows_hosts_and_keys {
        browser.does(&format!("await press('{remove}');"));
    } else {
        called.hang_up();
    }
    browser.does("await until('it has left', () => document.querySelectorAll('.tile.telephone').length === 2);");
    for window in &windows {
        browser.turns_to(window);
        browser.does("await press('Leave'); await reads('You have left');");
    }
    kick_all(&gateway);
    called.quits();
    for (who, heard, own) in [
        ("Anna", anna.finish().heard, ANNAS),
        ("Otto", otto.finish().heard, OTTOS),
        ("the called", called.finish(LONG.into()), CALLED),
    ] {
        for other in all.into_iter().filter(|&other| other != own) {
            sound::assert_hears_other_not_own(who, &heard, other, own);
        }
    }
    let remains = gateway.finish();
    assert!(!remains.log.contains("scenario failed"), "{}", remains.log);
}

/// Whether there is such a button.
fn has(button: &str) -> String {
    format!("return [...document.querySelectorAll('button')].some(one => one.title === '{button}');")
}

#[test]
fn three_pages_and_three_telephones_meet_in_our_scenarios() {
    pages_and_telephones_meet(&ours(), true);
}

#[test]
fn three_pages_and_three_telephones_meet_in_the_scenarios_of_the_reference() {
    // It does not pass keys on.
    let Some(scripts) = reference() else { return };
    pages_and_telephones_meet(&scripts, false);
}

/// A voice that says everything as two seconds of a tone, and writes down what it said.
fn install_voice(folder: &Path) {
    let voice = folder.join("var/voice");
    std::fs::create_dir_all(&voice).unwrap();
    let speaks = "#!/bin/sh\nwhile read -r line; do echo \"$line\" >> \"$1/said\"; printf 'sound 8000 16000\\n'; \
                  cat \"$1/tone\"; done\n";
    std::fs::write(voice.join("partyline-voice"), speaks).unwrap();
    std::fs::set_permissions(voice.join("partyline-voice"), Permissions::from_mode(0o755)).unwrap();
    let tone = sound::tone(VOICES, seconds(2));
    std::fs::write(voice.join("tone"), tone.iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<u8>>())
        .unwrap();
    std::fs::write(voice.join("version"), "1").unwrap();
}

#[test]
fn a_telephone_that_the_page_calls_hears_that_it_has_joined_before_it_hears_anybody() {
    let _slot = Slot::take();
    let browser = Chromium::start();
    let (mut called, place) = Baresip::listening(NUMBER, CALLED, LONG.into());
    let gateway = start_beside(&ours(), &place, install_voice);
    join(&browser, &invite_to("4217", &gateway, "Pia", true), PAGES);
    browser.does("await reads('Nobody else is here yet');");
    browser.does(&dial(NUMBER));
    called.wait_for_answer();
    browser.does(&format!("await reads('{SHOWN}'); await reads('On the telephone');"));
    // Twice, for a second each: so long the telephone hears the page, too.
    for _ in 0..2 {
        assert_hears_once(&browser, "the page", &[CALLED], &[PAGES]);
    }
    called.hang_up();
    browser.does(&format!("{} await press('Leave'); await reads('You have left');", tiles(0)));
    called.quits();
    let heard = called.finish(LONG.into());
    sound::assert_hears("the telephone, of the page", &heard, PAGES);
    sound::assert_hears("the telephone, of the voice", &heard, VOICES);
    let tenths = |hertz| heard.chunks_exact(800).map(move |piece| goertzel::hears(piece, sound::RATE, hertz, -24.0));
    let voice_ends = tenths(VOICES).rposition(|hears| hears);
    let page_begins = tenths(PAGES).position(|hears| hears);
    assert!(voice_ends < page_begins, "the voice ends in tenth {voice_ends:?}, the page begins in {page_begins:?}");
    let said = std::fs::read_to_string(gateway.folder().join("var/voice/said")).unwrap();
    assert!(said.lines().all(|line| line.contains("You have joined a conference.")), "{said}");
    gateway.finish();
}

/// A busy telephone, and what the page says of it.
fn a_busy_telephone_is_shown(scripts: &Scripts, reason: &str) {
    let _slot = Slot::take();
    let (browser, telephone) = (Chromium::start(), Sipp::new("is_called_and_is_busy").limit(60).listen(Family::V4));
    let gateway = start(scripts, &address::host_port(telephone.address, telephone.port));
    join(&browser, &invite_to("4217", &gateway, "Pia", false), PAGES);
    browser.does("await reads('Nobody else is here yet');");
    browser.does(&dial(NUMBER));
    browser.does(&format!("await reads('{reason}'); await reads('{SHOWN} was not reached');"));
    browser.does("await press('Leave'); await reads('You have left');");
    telephone.finish();
    wait_for_nobody(&gateway);
    gateway.finish();
}

#[test]
fn a_busy_telephone_is_shown_with_its_reason_by_our_scenarios() {
    a_busy_telephone_is_shown(&ours(), "Busy");
}

#[test]
fn a_busy_telephone_is_shown_by_the_scenarios_of_the_reference() {
    let Some(scripts) = reference() else { return };
    a_busy_telephone_is_shown(&scripts, "Not reached");
}

#[test]
fn pages_that_do_not_reach_each_other_are_heard_through_the_gateway_within_five_seconds() {
    let _slot = Slot::take();
    let browser = Chromium::start();
    let gateway = start(&ours(), "127.0.0.1:9");
    let anna = Phone::dials("7000").says(ANNAS).keys("4217#", 3.0).seconds(90.0).call(&gateway);
    let first = browser.window();
    join_with(&browser, &invite_to("4217", &gateway, "Pia", false), PAGES, ONLY_TCP);
    browser.opens_window();
    join_with(&browser, &invite_to("4217", &gateway, "Quinn", false), SECONDS, ONLY_TCP);
    // From the moment on that they know of each other.
    browser.does("await reads('Pia');");
    let took = browser.does(&format!(
        "const begin = performance.now();
         await until('her tone', async () => (await hears([{PAGES}]))[0] > -65);
         return performance.now() - begin;"
    ));
    assert!(took.as_f64().unwrap() < 5_000.0, "{took} ms");
    assert_hears_once(&browser, "the second", &[PAGES, ANNAS], &[SECONDS]);
    browser.does("await reads('Sound only');");
    assert_hears_once(&browser, "the second, after all tries", &[PAGES, ANNAS], &[SECONDS]);
    browser.does("await press('Leave'); await reads('You have left');");
    browser.turns_to(&first);
    browser.does("await press('Leave'); await reads('You have left');");
    kick_all(&gateway);
    anna.finish();
    let remains = gateway.finish();
    assert!(!remains.log.contains("scenario failed"), "{}", remains.log);
}

/// How many tiles there are.
fn tiles(count: usize) -> String {
    format!("await until('{count} tiles', () => document.querySelectorAll('.tile').length === {count});")
}

#[test]
fn a_host_mutes_removes_locks_and_ends_a_scenarios_conference_and_a_guest_does_not() {
    let _slot = Slot::take();
    let browser = Chromium::start();
    let gateway = start(&ours(), "127.0.0.1:9");
    let phone = |from: &str, hertz, lasts| {
        Phone::dials("7000").from(from).says(hertz).keys("4217#", 3.0).seconds(lasts).call(&gateway)
    };
    let anna = phone("1001", ANNAS, f64::from(LONG));
    let host = browser.window();
    join(&browser, &invite_to("4217", &gateway, "Hanna", true), PAGES);
    let guest = browser.opens_window();
    join(&browser, &invite_to("4217", &gateway, "Otto", false), SECONDS);
    browser.does(&format!("{} await reads('Hanna');", tiles(2)));
    assert_hears_once(&browser, "the guest", &[PAGES, ANNAS], &[SECONDS]);
    for button in ["Lock the room", "End for all", "Mute Hanna", "Remove Hanna", "Mute 1001"] {
        assert_eq!(browser.does(&has(button)), false, "a guest has the button {button}");
    }

    // A steady tone disturbs the others, and it is for the host to do something about it.
    let disturbs = "/(Echo|Noise|Music) comes from this telephone/.test(document.body.innerText)";
    browser.turns_to(&host);
    browser.does(&format!("await until('it disturbs', () => {disturbs}); await button('Mute 1001');"));
    browser.turns_to(&guest);
    assert_eq!(browser.does(&format!("return {disturbs};")), false, "a guest is told");

    // Who is muted reads it, and a page that goes on all the same is not heard on the telephone.
    browser.turns_to(&host);
    browser.does("await press('Mute Otto'); await button('Unmute Otto');");
    browser.turns_to(&guest);
    browser.does("await reads('A host has muted you.'); window.microphone.enabled = true;");
    let bert = phone("1002", OTTOS, 14.0);
    browser.turns_to(&host);
    browser.does(&tiles(3));
    let heard = bert.finish().answered().heard;
    sound::assert_hears("Bert", &heard, PAGES);
    sound::assert_hears_other_not_own("Bert, of whom the host has muted", &heard, ANNAS, SECONDS);
    browser.does(&format!("await press('Unmute Otto'); await button('Mute Otto'); {}", tiles(2)));
    assert_hears_once(&browser, "the host", &[SECONDS, ANNAS], &[PAGES]);
    browser.does("await press('Mute 1001'); await button('Unmute 1001');");
    assert_hears_once(&browser, "the host, who has muted a telephone", &[SECONDS], &[ANNAS]);
    browser.turns_to(&guest);
    browser.does("await until('no word of it', () => !document.body.innerText.includes('A host has muted you.'));");

    // Nobody comes into a locked conference, by whatever way.
    browser.turns_to(&host);
    browser.does("await press('Lock the room'); await button('Unlock the room');");
    let heard = phone("1003", OTTOS, 60.0).finish().answered().heard;
    assert!(heard.len() < 45 * 8_000, "it was hung up after {} samples", heard.len());
    let late = browser.opens_window();
    browser.opens(&invite_to("4217", &gateway, "Rosa", false), &format!("window.tone = {THIRDS}; {EARS}"));
    browser.does("await press('Join'); await reads('The room is locked.');");
    browser.turns_to(&host);
    browser.does("await press('Unlock the room'); await button('Lock the room');");
    browser.turns_to(&late);
    browser.does("await press('Join again'); await press('Join'); await button('Leave');");

    browser.turns_to(&host);
    browser.does(&format!("{} await press('Remove 1001'); await press('Remove Otto'); {}", tiles(3), tiles(1)));
    anna.finish().answered();
    browser.turns_to(&guest);
    browser.does("await reads('The host has removed you from the conference.');");
    browser.turns_to(&host);
    browser.does(
        "await press('End for all'); await until('the question', () => document.querySelector('dialog'));
         [...document.querySelectorAll('dialog button')].find(one => one.textContent === 'End for all').click();
         await reads('You have left the conference.');",
    );
    browser.turns_to(&late);
    browser.does("await reads('The host has ended the conference.');");
    wait_for_nobody(&gateway);
    let remains = gateway.finish();
    assert!(!remains.log.contains("scenario failed"), "{}", remains.log);
}
