//! Several people in browsers, and telephones with them.

use super::super::harness::chromium::Chromium;
use super::super::harness::folder::Folder;
use super::super::harness::slot::Slot;
use super::super::harness::turn::{SECRET, Turn};
use super::super::harness::{PIN, Phone, Setup, seconds, sound};
use super::{
    ANNAS, PAGES, ROUTES, assert_hears_once, bring_axe, faults, invite, invite_to, join, join_with, pictures, start,
    wait_for_nobody,
};
use serde_json::json;

/// Tones: of another telephone, and of two more pages.
const OTTOS: f64 = 1_500.0;
const SECONDS: f64 = 1_130.0;
const THIRDS: f64 = 1_870.0;

/// No candidate of UDP is told to the page, and none tells it.
pub const ONLY_TCP: &str = "{
    const passed = sdp => sdp.replace(/a=candidate:\\S+ \\d+ udp .*\\r\\n/gi, '');
    const told = RTCPeerConnection.prototype.setRemoteDescription;
    RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
        return told.call(this, { type, sdp: passed(sdp) });
    };
    const own = Object.getOwnPropertyDescriptor(RTCPeerConnection.prototype, 'localDescription').get;
    Object.defineProperty(RTCPeerConnection.prototype, 'localDescription', { get() {
        const described = own.call(this);
        return described && { type: described.type, sdp: passed(described.sdp) };
    } });
}";

#[test]
fn two_pages_see_each_other_hear_each_other_once_and_write_to_each_other() {
    let _slot = Slot::take();
    let (gateway, browser) = (start(), Chromium::start());
    join(&browser, &invite(&gateway, "Hanna Hill", true), PAGES);
    browser.does("await reads('Nobody else is here yet'); await press('Chat');");
    browser.does(
        "const line = await until('a line', () => document.querySelector('.chat input'));
         line.value = 'written before'; line.dispatchEvent(new Event('input', { bubbles: true }));
         await press('Send'); await reads('written before');",
    );
    let first = browser.window();
    let second = browser.opens_window();
    join(&browser, &invite(&gateway, "Otto Ober", false), SECONDS);
    browser.does("await reads('Hanna Hill');");
    browser.does(&pictures(1));
    browser.does("await press('Raise hand'); await button('Chat, 1 new message');");
    browser.does("await press('Chat, 1 new message'); await reads('written before');");
    assert_hears_once(&browser, "the second", &[PAGES], &[SECONDS]);
    browser.turns_to(&first);
    browser.does(&pictures(1));
    browser.does("await reads('Otto Ober'); await until('his hand', () => document.querySelector('.tile .hand'));");
    assert_hears_once(&browser, "the first", &[SECONDS], &[PAGES]);
    bring_axe(&browser);
    assert_eq!(faults(&browser), json!([]), "two of them");
    browser.does("await press('Mute Otto Ober'); await button('Unmute Otto Ober'); await press('Remove Otto Ober');");
    browser.does(
        "await reads('Nobody else is here yet'); await until('no tile', () => !document.querySelector('.tile'));",
    );
    browser.turns_to(&second);
    browser.does("await reads('You were hung up');");
    browser.turns_to(&first);
    browser.does("await press('Leave'); await reads('You have left');");
    wait_for_nobody(&gateway);
    gateway.finish();
}

#[test]
fn three_pages_and_two_telephones_hear_every_other_once_and_see_each_other() {
    let _slot = Slot::take();
    let (gateway, browser) = (start(), Chromium::start());
    let pin = format!("{PIN}#");
    let anna = Phone::dials("1000").says(ANNAS).keys(&pin, 1.0).seconds(60.0).call(&gateway);
    let otto = Phone::dials("1000").says(OTTOS).keys(&pin, 1.0).seconds(60.0).call(&gateway);
    gateway.wait_for_members("demo", 2);
    let tones = [PAGES, SECONDS, THIRDS];
    let mut windows = vec![browser.window()];
    for (name, tone) in ["Pia", "Quinn", "Rosa"].into_iter().zip(tones) {
        if windows.len() > 1 || name != "Pia" {
            windows.push(browser.opens_window());
        }
        join(&browser, &invite_to("demo", &gateway, name, false), tone);
    }
    gateway.wait_for_members("demo", 5);
    for (window, own) in windows.iter().zip(tones) {
        browser.turns_to(window);
        browser.does(&pictures(2));
        browser
            .does("await until('two telephones', () => document.querySelectorAll('.tile.telephone.in').length === 2);");
        let others: Vec<f64> = [ANNAS, OTTOS, PAGES, SECONDS, THIRDS].into_iter().filter(|&tone| tone != own).collect();
        assert_hears_once(&browser, &format!("the page of {own} Hz"), &others, &[own]);
    }
    for window in &windows {
        browser.turns_to(window);
        browser.does("await press('Leave'); await reads('You have left');");
    }
    gateway.wait_for_members("demo", 2);
    assert_eq!(gateway.ctl(&["kick", "--room", "demo"]).code(), 0);
    for (who, phone, other, own) in [("Anna", anna, OTTOS, ANNAS), ("Otto", otto, ANNAS, OTTOS)] {
        let heard = phone.finish().heard;
        for tone in tones {
            sound::assert_hears(who, &heard, tone);
        }
        sound::assert_hears_other_not_own(who, &heard, other, own);
    }
    wait_for_nobody(&gateway);
    gateway.finish();
}

#[test]
fn pages_that_no_udp_reaches_hear_each_other_through_the_gateway() {
    let _slot = Slot::take();
    let browser = Chromium::start();
    let gateway = Setup::new().web().ice_tcp().also(ROUTES).start();
    gateway.wait_for_log("users loaded", seconds(20));
    join_with(&browser, &invite(&gateway, "Hanna Hill", true), PAGES, ONLY_TCP);
    let first = browser.window();
    let second = browser.opens_window();
    join_with(&browser, &invite(&gateway, "Otto Ober", false), SECONDS, ONLY_TCP);
    let by = "return (await ways()).join();";
    for (window, other, own) in [(&second, PAGES, SECONDS), (&first, SECONDS, PAGES)] {
        browser.turns_to(window);
        assert_hears_once(&browser, "a page without UDP", &[other], &[own]);
        assert_eq!(browser.does(by), "tcp");
        browser.does("await reads('Sound only');");
        assert_hears_once(&browser, "a page without UDP", &[other], &[own]);
    }
    for window in [&first, &second] {
        browser.turns_to(window);
        browser.does("await press('Leave'); await reads('You have left');");
    }
    wait_for_nobody(&gateway);
    gateway.finish();
}

/// Every way goes through the TURN servers that the gateway names.
const ONLY_TURN: &str = "{
    const Given = RTCPeerConnection;
    window.made = [];
    window.RTCPeerConnection = class extends Given {
        constructor(configuration, ...more) {
            super({ ...configuration, iceTransportPolicy: 'relay' }, ...more);
            made.push(this);
        }
    };
    window.localTypes = async () => {
        const connected = made.filter(one => one.connectionState === 'connected');
        return (await Promise.all(connected.map(async one => {
            const stats = await one.getStats();
            const transport = [...stats.values()].find(({ type }) => type === 'transport');
            return stats.get(stats.get(transport?.selectedCandidatePairId)?.localCandidateId)?.candidateType;
        }))).join();
    };
}";

#[test]
fn pages_whose_networks_let_nothing_else_through_meet_by_turn() {
    let _slot = Slot::take();
    let folder = Folder::new();
    let turn = Turn::start(&folder);
    let ice = format!("[ice]\nturn = [\"turn:127.0.0.1:{}\"]\nturn_secret = {{ env = \"TURN_SECRET\" }}\n", turn.port);
    let browser = Chromium::start();
    let gateway = Setup::new().web().also(ROUTES).also(&ice).environment("TURN_SECRET", SECRET).start();
    gateway.wait_for_log("users loaded", seconds(20));
    let first = browser.window();
    join_with(&browser, &invite(&gateway, "Hanna Hill", true), PAGES, ONLY_TURN);
    browser.opens_window();
    join_with(&browser, &invite(&gateway, "Otto Ober", false), SECONDS, ONLY_TURN);
    browser.does(&pictures(1));
    assert_hears_once(&browser, "a page behind TURN", &[PAGES], &[SECONDS]);
    assert_eq!(browser.does("return localTypes();"), "relay,relay", "with the gateway, and with the other page");
    browser.does("await press('Leave'); await reads('You have left');");
    browser.turns_to(&first);
    browser.does("await press('Leave'); await reads('You have left');");
    wait_for_nobody(&gateway);
    gateway.finish();
}
