//! The page for everybody: by keyboard alone, without motion, in another language, and with more people than it can show.

use super::super::harness::chromium::Chromium;
use super::super::harness::slot::Slot;
use super::super::harness::{Setup, seconds};
use super::views::inspect;
use super::{EARS, PAGES, invite, invite_to, start, wait_for_nobody};
use serde_json::{Value, json};

/// So many others; beyond ten, pictures are those of a few.
const OTHERS: usize = 12;

/// A conference that is told of many who cannot be reached.
const CROWD: &str = "
VoxEngine.addEventListener(AppEvents.CallAlerting, ({ call }) => {
  const peers = Array.from({ length: 12 }, (_, n) => ({ callerid: `zz${n}`, displayName: `Person ${n + 1}` }));
  call.addEventListener(CallEvents.Connected, () => {
    call.sendMessage(JSON.stringify({ peers, pstnCalls: [{ id: \"a\", callerid: \"+442079460123\" }] }));
  });
  call.addEventListener(CallEvents.Disconnected, () => VoxEngine.terminate());
  call.answer();
});
";

fn press(browser: &Chromium, key: &str, code: u32) {
    let text = if key == "Enter" { "\r" } else { "" };
    for kind in ["keyDown", "keyUp"] {
        let event = json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text });
        browser.commands("Input.dispatchKeyEvent", &event);
    }
}

/// What has the focus, and whether that is seen.
fn focused(browser: &Chromium) -> (String, bool) {
    let told = browser.does(
        "const { activeElement: at } = document;
         return [at.ariaLabel ?? at.title ?? at.textContent, getComputedStyle(at).outlineStyle !== 'none'];",
    );
    (told[0].as_str().unwrap_or_default().to_owned(), told[1] == true)
}

#[test]
fn all_that_a_host_can_do_is_reached_by_the_keyboard_alone_and_nothing_moves_where_that_is_asked_for() {
    let _slot = Slot::take();
    let (gateway, browser) = (start(), Chromium::start());
    let still = json!({ "features": [{ "name": "prefers-reduced-motion", "value": "reduce" }] });
    browser.commands("Emulation.setEmulatedMedia", &still);
    browser.opens(&invite(&gateway, "Hanna", true), &format!("window.tone = {PAGES}; {EARS}"));
    browser.does("(await button('Join')).focus();");
    press(&browser, "Enter", 13);
    browser.does("await reads('Nobody else is here yet');");
    let mut reached = Vec::new();
    for _ in 0..30 {
        press(&browser, "Tab", 9);
        let (name, is_seen) = focused(&browser);
        assert!(is_seen || name.is_empty(), "the focus on {name} is not seen");
        reached.push(name);
    }
    for name in [
        "Invite",
        "Mute",
        "Stop camera",
        "Share screen",
        "Raise hand",
        "Chat",
        "Call a telephone",
        "Devices",
        "Lock the room",
        "End for all",
        "Leave",
    ] {
        assert!(reached.iter().any(|found| found == name), "{name} is not among {reached:?}");
    }
    assert!(reached.iter().any(|found| found == "You"), "the own picture is not among {reached:?}");
    browser.does("(await button('Chat')).focus();");
    press(&browser, "Enter", 13);
    browser.does(
        "await until('the chat', () => document.activeElement.closest('.chat'));
         new MutationObserver((_, watch) => {
             if (document.querySelector('.chat')) return;
             watch.disconnect();
             window.focusedAtClose = document.activeElement.title;
         }).observe(document.body, { childList: true, subtree: true });",
    );
    press(&browser, "Escape", 27);
    let back = browser.does("await until('no chat', () => 'focusedAtClose' in window); return window.focusedAtClose;");
    assert_eq!(back, "Chat", "the focus is back before whoever closed the chat can go on");
    browser.does("(await button('Devices')).focus();");
    press(&browser, "Enter", 13);
    browser.does("await until('the dialog', () => document.activeElement.closest('dialog'));");
    press(&browser, "Escape", 27);
    browser.does("await until('no dialog', () => !document.querySelector('dialog'));");
    assert_eq!(focused(&browser).0, "Devices", "after a dialog the focus is where it was");
    let moving = browser.does(
        "return [...document.querySelectorAll('*')].filter(one => {
             const { transitionDuration, animationName } = getComputedStyle(one);
             return transitionDuration !== '0s' || animationName !== 'none';
         }).map(one => one.outerHTML.slice(0, 80));",
    );
    assert_eq!(moving, json!([]));
    browser.does("await press('Leave'); await reads('You have left');");
    wait_for_nobody(&gateway);
    gateway.finish();
}

#[test]
fn in_russian_every_view_is_russian_and_fits_a_telephone() {
    let _slot = Slot::take();
    let (gateway, browser) = (start(), Chromium::start());
    let metrics = json!({ "width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": true });
    browser.commands("Emulation.setDeviceMetricsOverride", &metrics);
    let latin = |view: &str, names: &[&str]| {
        let wide = browser.does("return document.documentElement.scrollWidth;");
        assert!(wide.as_u64() <= Some(390), "{view} is {wide} wide");
        let seen = browser.does(
            "const seen = [document.body.innerText, ...[...document.querySelectorAll('[title], [aria-label]')]
                 .flatMap(one => [one.title, one.ariaLabel ?? ''])];
             return [...new Set(seen.join(' ').match(/[A-Za-z]{3,}/g) ?? [])];",
        );
        let foreign: Vec<&Value> =
            seen.as_array().unwrap().iter().filter(|word| !names.contains(&word.as_str().unwrap())).collect();
        assert!(foreign.is_empty(), "{view}: {foreign:?}");
    };
    browser.opens(&format!("http://{}/?lang=ru", gateway.web_place()), EARS);
    browser.does("await button('Продолжить');");
    latin("the first page", &[]);
    let url = invite(&gateway, "Анна", true);
    browser.opens(&format!("{url}?lang=ru"), &format!("window.tone = {PAGES}; {EARS}"));
    browser.does("await button('Войти'); await until('it', () => document.querySelector('video')?.videoWidth > 0);");
    // Names of devices and of the room.
    let names = ["lobby", "Fake", "Audio", "Input", "Output", "Default", "Video", "fake", "device", "Device"];
    latin("before joining", &names);
    browser.does("await press('Войти'); await reads('Здесь пока никого нет');");
    latin("alone", &names);
    // The number check names countries; PIN is what it is called in Russian too.
    for (button, title) in [
        ("Чат", "Пока ничего не написано"),
        ("Позвонить на телефон", "Страна"),
        ("Пригласить", "Кого вы приглашаете?"),
        ("Устройства", "Микрофон, камера и динамик"),
        ("Завершить для всех", "Завершить конференцию для всех?"),
    ] {
        browser.does(&format!("await press('{button}'); await reads('{title}');"));
        latin(title, &[&names[..], &["PIN"]].concat());
        browser.does("await press('Закрыть');");
    }
    browser.does("await press('Выйти'); await reads('Вы вышли из конференции.');");
    latin("over", &names);
    wait_for_nobody(&gateway);
    gateway.finish();
}

#[test]
fn with_more_than_ten_others_the_page_says_whom_it_shows_and_has_a_tile_for_everybody() {
    let _slot = Slot::take();
    let browser = Chromium::start();
    let routes = "[[routes]]\nname = \"Crowd\"\nfrom = \"users\"\nnumber = \"meet\"\nscenario = \"Crowd\"\n\
                  [rooms.crowd]\ninvited_call = \"meet\"\n";
    let gateway = Setup::new().web().also(routes).prepare(|folder| {
        std::fs::create_dir_all(folder.join("scenarios")).unwrap();
        std::fs::write(folder.join("scenarios/Crowd.js"), CROWD).unwrap();
    });
    gateway.wait_for_log("users loaded", seconds(20));
    browser.opens(&invite_to("crowd", &gateway, "Hanna", false), &format!("window.tone = {PAGES}; {EARS}"));
    browser.does(&format!(
        "await press('Join'); await reads('There are {OTHERS} others here. You see those who spoke last, and hear everybody.');
         await until('all tiles', () => document.querySelectorAll('.tile').length === {OTHERS} + 1);"
    ));
    inspect(&browser, "crowd");
    browser.does("await press('Leave'); await reads('You have left');");
    wait_for_nobody(&gateway);
    gateway.finish();
}
