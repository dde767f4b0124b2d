//! Telephones that are called from the page.

use super::super::harness::chromium::Chromium;
use super::super::harness::slot::Slot;
use super::super::harness::{Baresip, Family, Sipp, address, sound};
use super::{HEARD, PAGES, bring_axe, calls_out_to, faults, invite, join, wait_for_nobody};
use serde_json::json;

/// The telephone's tone.
const TONE: f64 = 1_300.0;

/// Has a number called from the page.
pub fn dial(number: &str) -> String {
    format!(
        "await press('Call a telephone');
         const field = await until('the field', () => document.querySelector('dialog input'));
         await until('the countries', () => document.querySelectorAll('dialog option').length > 200);
         field.value = '{number}'; field.dispatchEvent(new Event('input', {{ bubbles: true }}));
         await press('Call');"
    )
}

#[test]
fn a_host_calls_a_telephone_from_the_page_keys_its_digits_and_sees_it_leave() {
    let _slot = Slot::take();
    let browser = Chromium::start();
    let (mut telephone, place) = Baresip::listening("+442079460123", TONE, 60);
    let gateway = calls_out_to(&place);
    join(&browser, &invite(&gateway, "Hanna", true), PAGES);
    browser.does("await reads('Nobody else is here yet');");
    browser.does(&dial("+49 30 901820"));
    browser.does("await reads('This number may not be called from here'); await press('Close');");
    browser.does(&dial("+44 20 7946 0123"));
    browser.does("await reads('+442…23'); await reads('Ringing…');");
    telephone.wait_for_answer();
    // It is asked to press 1.
    telephone.keys("1");
    browser.does("await reads('On the telephone');");
    gateway.wait_for_members("lobby", 2);
    bring_axe(&browser);
    assert_eq!(faults(&browser), json!([]), "with a telephone");
    browser.does(&format!("await until('its tone', async () => (await hears([{TONE}]))[0] > {HEARD});"));
    browser.does("await press('Keypad of +442…23');");
    for key in "123456789".chars() {
        browser.does(&format!("await press('{key}');"));
    }
    // The keyboard's keys are those of the telephone too.
    browser.does(
        "await press('Star');
         for (const key of ['0', '#']) dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
         await until('all keys', () => document.querySelector('output').textContent === '123456789*0#');",
    );
    for key in "123456789*0#".chars() {
        telephone.wait_for(&format!("'{key}'"));
    }
    browser.does("await press('Close');");
    // Its tone is a noise to the others, or music: which the host reads, hears from a screen reader, and ends.
    browser.does(
        "const disturbs = /(Echo|Noise|Music) comes from this telephone[^:]*: mute it/;
         await until('it is written', () => disturbs.test(document.querySelector('.tile.telephone .disturbs p')?.textContent));
         await until('it is said', () => [...document.querySelectorAll('p[role=status]')]
             .some(one => one.textContent.startsWith('Telephone +442…23: ') && disturbs.test(one.textContent)));",
    );
    assert_eq!(faults(&browser), json!([]), "with a telephone that disturbs");
    browser.does(
        "document.querySelector('.disturbs button').click(); await button('Unmute +442…23');
         await reads('would still come from here.');",
    );
    telephone.hang_up();
    browser.does("await until('it has left', () => !document.querySelector('.tile')); await press('Leave');");
    telephone.quits();
    sound::assert_hears("the telephone", &telephone.finish(60), PAGES);
    wait_for_nobody(&gateway);
    gateway.finish();
}

#[test]
fn a_busy_telephone_is_shown_with_its_reason() {
    let _slot = Slot::take();
    let (browser, telephone) = (Chromium::start(), Sipp::new("is_called_and_is_busy").limit(60).listen(Family::V4));
    let gateway = calls_out_to(&address::host_port(telephone.address, telephone.port));
    join(&browser, &invite(&gateway, "Hanna", true), PAGES);
    browser.does(&dial("+442079460123"));
    browser.does("await reads('Busy'); await reads('+442…23 was not reached');");
    browser.does("await press('Leave');");
    telephone.finish();
    gateway.finish();
}
