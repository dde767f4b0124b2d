//! Every view, at the size of a desk and of a telephone, light and dark: axe finds no fault of any level.
//! `SCREENSHOTS=docs/page cargo test views` takes the pictures of the documentation.

use super::super::harness::chromium::Chromium;
use super::super::harness::slot::Slot;
use super::super::harness::{Baresip, PIN, Phone, sound};
use super::{bring_axe, calls_out_to, faults, invite_to, pictures, wait_for_nobody};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::path::Path;

const SIZES: [(&str, u32, u32, bool); 2] = [("desktop", 1280, 800, false), ("phone", 390, 844, true)];
const SCHEMES: [&str; 2] = ["dark", "light"];

/// Views that the documentation shows.
const SHOWN: [&str; 6] = ["start", "before-joining", "conference", "chat", "invite", "noise"];

/// Looks at the view that is there.
pub fn inspect(browser: &Chromium, view: &str) {
    bring_axe(browser);
    for (size, width, height, mobile) in SIZES {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile });
        browser.commands("Emulation.setDeviceMetricsOverride", &metrics);
        for scheme in SCHEMES {
            let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
            browser.commands("Emulation.setEmulatedMedia", &features);
            // Two frames: laid out, and drawn.
            browser.does("for (let n = 0; n < 2; n++) await new Promise(requestAnimationFrame);");
            assert_eq!(faults(browser), json!([]), "{view}, {size}, {scheme}");
            let wide = browser.does("return document.documentElement.scrollWidth;");
            assert!(wide.as_u64() <= Some(width.into()), "{view} is {wide} wide, {size}");
        }
        take(browser, view, size);
    }
    browser.commands("Emulation.clearDeviceMetricsOverride", &json!({}));
}

/// Takes a picture of one that the documentation shows, where pictures are wanted.
fn take(browser: &Chromium, view: &str, size: &str) {
    let Ok(folder) = std::env::var("SCREENSHOTS") else { return };
    if !SHOWN.contains(&view) {
        return;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(format!("{view}-{size}.webp"));
    let picture = browser.commands("Page.captureScreenshot", &json!({ "format": "webp", "quality": 70 }));
    std::fs::write(path, STANDARD.decode(picture["data"].as_str().unwrap()).unwrap()).unwrap();
}

#[test]
fn axe_finds_no_fault_of_any_view_at_any_size() {
    let _slot = Slot::take();
    let browser = Chromium::start();
    let prompts = ["pin-blocked", "no-answer", "enter-pin", "room-full", "press-one", "number-busy"];
    let speech = prompts.map(sound::prompt).concat().repeat(12);
    let (mut telephone, place) = Baresip::listening_and_saying("+442079460123", &speech, 240);
    let gateway = calls_out_to(&place);
    browser.opens(&format!("http://{}/", gateway.web_place()), "");
    browser.does("await new Promise(done => setTimeout(done, 200));");
    inspect(&browser, "start");
    browser.opens(&format!("http://{}/join/lobby/none", gateway.web_place()), "");
    browser.does("const end = Date.now() + 9000; while (!document.querySelector('[role=alert]') && Date.now() < end) await new Promise(requestAnimationFrame);");
    inspect(&browser, "error");
    let host = browser.window();
    let url = invite_to("demo", &gateway, "Hanna Hill", true);
    browser.opens(&url, &format!("window.portrait = 20; {}", super::EARS));
    browser
        .does("await button('Join'); await until('ourselves', () => document.querySelector('video')?.videoWidth > 0);");
    inspect(&browser, "before-joining");
    browser.does("await press('Join'); await reads('Nobody else is here yet');");
    inspect(&browser, "alone");
    for (name, hue) in [("Otto Ober", 150), ("Pia Perez", 260)] {
        browser.opens_window();
        browser.opens(
            &invite_to("demo", &gateway, name, false),
            &format!("window.portrait = {hue}; window.tone = 0; {}", super::EARS),
        );
        browser.does("await press('Join'); await reads('Hanna Hill');");
    }
    browser.does("await press('Raise hand');");
    browser.turns_to(&host);
    browser.does(&super::telephones::dial("+442079460123"));
    telephone.wait_for_answer();
    telephone.keys("1");
    browser.does("await reads('On the telephone');");
    browser.does(&pictures(2));
    browser.does("await until('who talks', () => document.querySelector('.telephone.speaks'));");
    inspect(&browser, "conference");
    browser.does("await press('Keypad of +442…23'); await press('5');");
    inspect(&browser, "keypad");
    browser.does(
        "await press('Close'); await press('Chat');
         const write = async text => {
             const line = await until('a line', () => document.querySelector('.chat input'));
             line.value = text; line.dispatchEvent(new Event('input', { bubbles: true }));
             await press('Send'); await reads(text);
         };
         await write('The figures are in the shared folder.'); await write('Who takes the minutes today?');",
    );
    inspect(&browser, "chat");
    // A steady tone is a noise.
    let noise = Phone::dials("1000").from("+442079460177").says(440.0).keys(&format!("{PIN}#"), 1.0).seconds(120.0);
    let noise = noise.call(&gateway);
    browser.does("await press('Close'); await reads('Noise comes from this telephone');");
    inspect(&browser, "noise");
    browser.does("await press('Remove +442…77');");
    noise.finish();
    browser.does("await press('Call a telephone'); await until('the countries', () => document.querySelectorAll('dialog option').length > 200);");
    inspect(&browser, "call");
    browser.does(
        "await press('Close'); await press('Invite');
         const name = await until('the field', () => document.querySelector('dialog form input'));
         name.value = 'Quinn Quist'; name.dispatchEvent(new Event('input', { bubbles: true }));
         await press('Make a link'); await until('the code', () => document.querySelector('dialog img')?.naturalWidth > 0);",
    );
    browser.does(
        "const written = [...document.querySelectorAll('dialog input, dialog textarea')].map(({ value }) => value);
         for (const told of ['+44 20 7946 0100', '482917', 'By telephone:\\n+44 20 7946 0100\\nPIN: 482917#']) {
             if (!written.some(value => value.includes(told))) throw new Error(`${told} is not in ${written}`);
         }",
    );
    inspect(&browser, "invite");
    for (button, view) in [("Devices", "devices"), ("End for all", "end")] {
        browser.does(&format!(
            "await press('Close'); await press('{button}'); await until('it', () => document.querySelector('dialog'));"
        ));
        inspect(&browser, view);
    }
    browser.does(
        "[...document.querySelectorAll('dialog button')].find(one => one.textContent === 'End for all').click();
         await reads('The conference is over for you');",
    );
    inspect(&browser, "over");
    wait_for_nobody(&gateway);
    gateway.finish();
    drop(telephone);
}
