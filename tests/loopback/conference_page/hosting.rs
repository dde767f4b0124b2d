//! A host who begins at the first page, and those who are invited there.

use super::super::harness::chromium::Chromium;
use super::super::harness::slot::Slot;
use super::super::harness::{ADMIN, Phone, Setup, seconds};
use super::{ANNAS, EARS, PAGES, ROUTES, assert_hears_once, pictures, wait_for_nobody};
use serde_json::{Value, json};

/// Another page's tone.
const OTHERS: f64 = 1_130.0;

/// Writes into the field that is labelled so.
fn writes(label: &str, text: &str) -> String {
    format!(
        "{{
             const field = await until('the field {label}', () => [...document.querySelectorAll('label')]
                 .find(one => one.querySelector('span')?.textContent === '{label}')?.querySelector('input'));
             field.value = '{text}'; field.dispatchEvent(new Event('input', {{ bubbles: true }}));
         }}"
    )
}

#[test]
fn a_host_makes_a_room_in_one_click_and_others_come_by_link_and_by_telephone() {
    let _slot = Slot::take();
    let browser = Chromium::start();
    let gateway = Setup::new().web().setting("access_number = \"+44 20 7946 0100\"").also(ROUTES).start();
    gateway.wait_for_log("users loaded", seconds(20));
    let first = browser.window();
    browser.opens(&format!("http://{}/", gateway.web_place()), &format!("window.tone = {PAGES}; {EARS}"));
    browser.does(&format!(
        "{} await press('Continue'); await reads('This access token is none of this gateway');
         {} await press('Continue'); {} await press('Start a conference');",
        writes("Access token", "none of them"),
        writes("Access token", ADMIN),
        writes("Your name", "Hanna Hill"),
    ));
    // It is another page from here on.
    browser.does("await press('Join'); await reads('Nobody else is here yet');");
    browser
        .does(&format!("await press('Invite'); {} await press('Make a link');", writes("Whom do you invite?", "Otto")));
    let told = browser.does(
        "const written = () => [...document.querySelectorAll('dialog input, dialog textarea')].map(({ value }) => value);
         await until('the link', () => written().some(value => value.startsWith('http')));
         await until('the code', () => document.querySelector('dialog img')?.naturalWidth > 100);
         const [url] = written().filter(value => value.startsWith('http'));
         const [pin] = written().filter(value => /^[0-9]{6}$/.test(value));
         return { url, pin, calendar: written().find(value => value.includes('\\n')) };",
    );
    let [url, pin, calendar] = ["url", "pin", "calendar"].map(|name| told[name].as_str().unwrap().to_owned());
    for part in [&*url, "+44 20 7946 0100", &format!("PIN: {pin}#")] {
        assert!(calendar.contains(part), "{part} is not in {calendar}");
    }
    // What is copied is what is shown.
    browser.commands(
        "Browser.grantPermissions",
        &json!({ "permissions": ["clipboardReadWrite", "audioCapture", "videoCapture"] }),
    );
    let copied = browser.does(
        "window.focus(); await press('Copy: Link'); await reads('Copied'); return navigator.clipboard.readText();",
    );
    assert_eq!(copied, Value::String(url.clone()));
    browser.does("await press('Close');");

    let room = url.split('/').nth(4).unwrap().replace("%2D", "-");
    browser.opens_window();
    browser.opens(&url, &format!("window.tone = {OTHERS}; {EARS}"));
    browser.does("await press('Join'); await reads('Hanna Hill');");
    browser.does(&pictures(1));
    let anna = Phone::dials("1000").says(ANNAS).keys(&format!("{pin}#"), 1.0).seconds(60.0).call(&gateway);
    gateway.wait_for_members(&room, 3);
    assert_hears_once(&browser, "who was invited", &[PAGES, ANNAS], &[OTHERS]);
    browser.turns_to(&first);
    assert_hears_once(&browser, "the host", &[OTHERS, ANNAS], &[PAGES]);
    browser.does(
        "await press('End for all'); await until('the question', () => document.querySelector('dialog'));
         [...document.querySelectorAll('dialog button')].find(one => one.textContent === 'End for all').click();
         await reads('You have left the conference.');",
    );
    anna.finish().answered();
    wait_for_nobody(&gateway);
    let remains = gateway.finish();
    assert!(!remains.log.contains(&pin), "a PIN is in the log");
}
