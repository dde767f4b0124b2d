//! Microphones, cameras, screens and loudspeakers: none of them, blocked ones, and others than before.

use super::super::harness::chromium::Chromium;
use super::super::harness::slot::Slot;
use super::super::harness::{Phone, seconds};
use super::{ANNAS, EARS, PAGES, assert_hears_once, invite, pictures, start, start_with_two, wait_for_nobody};
use serde_json::{Value, json};

/// Another page's tone.
const OTHERS: f64 = 1_130.0;

/// No device is given, for that reason; and what plays sound is kept in `players`.
fn without_devices(error: &str) -> String {
    format!(
        "{EARS} navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('none', '{error}'); }};
         window.players = [];
         const create = document.createElement.bind(document);
         document.createElement = (name, ...more) => {{
             const made = create(name, ...more);
             if (name === 'audio') players.push(made);
             return made;
         }};"
    )
}

/// Clicks a button as a person does: browsers count that.
fn clicks(browser: &Chromium, name: &str) {
    let place = browser.does(&format!(
        "const box = (await button('{name}')).getBoundingClientRect();
         return [box.left + box.width / 2, box.top + box.height / 2];"
    ));
    for kind in ["mousePressed", "mouseReleased"] {
        mouse(browser, kind, &place);
    }
}

fn mouse(browser: &Chromium, kind: &str, place: &Value) {
    let held = u8::from(kind != "mouseReleased");
    let event =
        json!({ "type": kind, "x": place[0], "y": place[1], "button": "left", "buttons": held, "clickCount": 1 });
    browser.commands("Input.dispatchMouseEvent", &event);
}

#[test]
fn who_has_no_microphone_and_no_camera_joins_and_is_asked_for_a_click_where_sound_takes_one() {
    let _slot = Slot::take();
    let browser = Chromium::start_with(&["--autoplay-policy=document-user-activation-required"]);
    let gateway = start();
    let anna = Phone::dials("2000").says(ANNAS).seconds(60.0).call(&gateway);
    gateway.wait_for_members("lobby", 1);
    browser.opens(&invite(&gateway, "Mia", false), &without_devices("NotAllowedError"));
    browser.does(
        "await reads('Your browser does not let this page use the microphone. Allow it beside the page');
         await reads('Your browser does not let this page use the camera.');",
    );
    browser.opens_window();
    browser.opens(&invite(&gateway, "Otto", false), &without_devices("NotFoundError"));
    browser.does("await reads('No microphone was found. Plug one in to be heard'); await press('Join');");
    browser.does(
        "await button('Leave'); await press('Unmute'); await reads('No microphone was found.');
         await press('Start camera'); await reads('No camera was found.');
         await reads('Your browser waits for a click before it plays sound.');
         if (!players.some(one => one.paused)) throw new Error('something plays');",
    );
    clicks(&browser, "Turn sound on");
    browser.does(
        "await until('no banner', () => !document.querySelector('.banner'));
         await until('it plays', () => players.every(one => !one.srcObject || !one.paused));
         await soundSince(performance.now());
         if (document.querySelector('[title^=\"Keypad\"]')) throw new Error('a guest of a room has a keypad');",
    );
    browser.does("await press('Leave'); await reads('You have left');");
    gateway.ctl(&["kick", "--room", "lobby"]);
    anna.finish();
    wait_for_nobody(&gateway);
    gateway.finish();
}

#[test]
fn a_screen_is_shown_a_camera_stopped_a_microphone_replaced_and_the_own_picture_moved() {
    let _slot = Slot::take();
    let (gateway, browser, [first, second]) = start_with_two(OTHERS);
    browser.does(&pictures(1));
    let sees = |what: &str, fact: &str| {
        browser.turns_to(&second);
        browser.does(&format!("await until('{what}', () => {fact});"));
        browser.turns_to(&first);
    };
    browser.turns_to(&first);
    clicks(&browser, "Share screen");
    browser.does("await button('Stop sharing');");
    sees("the screen", "document.querySelector('.tile.shares video')?.videoWidth > 100");
    browser.does("await press('Stop sharing'); await button('Share screen');");
    sees("the camera again", "document.querySelector('.tile:not(.shares) video')?.videoWidth > 100");
    browser.does("await press('Stop camera'); await button('Start camera');");
    sees("nobody", "document.querySelector('.tile .avatar') && !document.querySelector('.tile video')");
    browser.does("await press('Start camera'); await button('Stop camera');");
    sees("the camera once more", "document.querySelector('.tile video')?.videoWidth > 100");

    // A headset is pulled out: another microphone takes its place, without anybody's doing.
    browser.does(
        "const gone = window.microphone; gone.stop();
         navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
         await until('another one', () => window.microphone !== gone && window.microphone.readyState === 'live');",
    );
    browser.turns_to(&second);
    assert_hears_once(&browser, "the other", &[PAGES], &[OTHERS]);

    // With the keyboard, and dragged.
    browser.turns_to(&first);
    let place = "const box = document.querySelector('.self').getBoundingClientRect();
                 const area = document.querySelector('.stage').getBoundingClientRect();
                 const corner = document.querySelector('.self').getAnimations().length > 0 ? 'none yet'
                     : [box.left - area.left < 20 ? 'left' : 'right', box.top - area.top < 20 ? 'top' : 'bottom'].join();";
    browser.does("document.querySelector('.self').focus();");
    for (key, expected) in [("ArrowUp", "right,top"), ("ArrowLeft", "left,top"), ("ArrowDown", "left,bottom")] {
        for kind in ["keyDown", "keyUp"] {
            browser.commands("Input.dispatchKeyEvent", &json!({ "type": kind, "key": key, "code": key }));
        }
        browser.does(&format!("await until('{expected}', () => {{ {place} return corner === '{expected}'; }});"));
    }
    let held = browser.does(&format!("{place} return [box.left + 20, box.top + 20];"));
    mouse(&browser, "mousePressed", &held);
    for step in [400.0, 900.0] {
        mouse(&browser, "mouseMoved", &json!([step, 60.0]));
    }
    mouse(&browser, "mouseReleased", &json!([900.0, 60.0]));
    browser.does(&format!("await until('dropped', () => {{ {place} return corner === 'right,top'; }});"));
    for window in [&first, &second] {
        browser.turns_to(window);
        browser.does("await press('Leave'); await reads('You have left');");
    }
    wait_for_nobody(&gateway);
    gateway.finish();
}

#[test]
fn who_comes_into_another_network_is_back_by_themselves_and_heard_once() {
    let _slot = Slot::take();
    let (gateway, browser, [first, _]) = start_with_two(OTHERS);
    browser.does(&pictures(1));
    let network = |offline: bool| {
        let conditions = json!({ "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
        browser.commands("Network.emulateNetworkConditions", &conditions);
    };
    browser.does("window.told = until('the banner', () => document.body.innerText.includes('Reconnecting…'));");
    network(true);
    network(false);
    browser.does("await told; await until('no banner', () => !document.querySelector('.banner'));");
    gateway.wait_for("both are in", seconds(10), |status| {
        status["rooms"].as_array().unwrap().iter().any(|room| room["calls"].as_array().unwrap().len() == 2)
    });
    browser.does(&pictures(1));
    assert_hears_once(&browser, "who is back", &[PAGES], &[OTHERS]);
    browser.does("await press('Leave'); await reads('You have left');");
    browser.turns_to(&first);
    browser.does("await press('Leave'); await reads('You have left');");
    wait_for_nobody(&gateway);
    gateway.finish();
}
