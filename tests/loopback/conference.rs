//! The conference that scenarios make, in the real gateway: two browsers with JsSIP, two telephones that key its PIN,
//! and a third that a browser has called. With our scenarios, and with the four of the VoxEngine platform, unchanged
//! but for the values that they ask their reader to put in; their texts are not in the project.

use super::harness::baresip::Baresip;
use super::harness::chromium::{Chromium, assert_hears};
use super::harness::http::request;
use super::harness::slot::Slot;
use super::harness::{ADMIN, Gateway, Phone, Setup, seconds, sound};
use std::path::{Path, PathBuf};

/// What each says: two telephones, the third, the browsers; and the browsers to each other past the gateway. A tone
/// whose packets come late is mended, and then is heard beside its frequency too: none is near another.
const ANNAS: f64 = 500.0;
const OTTOS: f64 = 1_500.0;
const THIRDS: f64 = 900.0;
const ALICES: f64 = 2_350.0;
const BOBS: f64 = 3_150.0;
const ALICE_TO_BOB: f64 = 2_100.0;
const BOB_TO_ALICE: f64 = 2_500.0;

/// The third telephone, and a number that no route allows.
const THIRD: &str = "+442079460123";
const NOBODY: &str = "+4930123456";
/// Longer than all takes, seconds.
const LONG: u32 = 240;

/// Scenarios by what they are for.
pub struct Scripts {
    folder: PathBuf,
    telephone: &'static str,
    browser: &'static str,
    conference: &'static str,
    direct: &'static str,
    /// The conference deletes the user of a browser that has left, by the HTTP API, and is over without browsers.
    pub deletes_users: bool,
}

pub fn ours() -> Scripts {
    Scripts {
        folder: Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios"),
        telephone: "TelephoneGate",
        browser: "BrowserGate",
        conference: "Conference",
        direct: "DirectCall",
        deletes_users: false,
    }
}

pub fn reference() -> Option<Scripts> {
    let shared = std::env::var_os("PARTYLINE_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let folder = shared.join("scenarios");
    if !folder.is_dir() {
        eprintln!("skipped: no ../shared/scenarios");
        return None;
    }
    Some(Scripts {
        folder,
        telephone: "VideoConferencePSTNgatekeeper",
        browser: "VideoConferenceGatekeeper",
        conference: "VideoConference",
        direct: "VideoConferenceP2P",
        deletes_users: true,
    })
}

impl Scripts {
    /// The four routes in their order, and the one by which telephones are called.
    pub fn routes(&self, third: &str) -> String {
        let Self { telephone, browser, conference, direct, .. } = self;
        format!(
            r#"
[trunks.local]
allow = ["127.0.0.0/8"]

[trunks.carrier]
address   = ["{third}"]
caller_id = "+442079460100"

[[routes]]
name     = "InboundFromPSTN"
from     = "local"
number   = "7000"
scenario = "{telephone}"

[[routes]]
name     = "InboundCall"
from     = "users"
number   = "joinconf"
scenario = "{browser}"

[[routes]]
name     = "Fwd"
from     = "sessions"
number   = "conf_[A-Za-z0-9]+"
scenario = "{conference}"

[[routes]]
name     = "P2P"
from     = "users"
number   = ".*"
scenario = "{direct}"

[[routes]]
name   = "Out"
from   = "sessions"
number = '\+4420\d+'
trunk  = "carrier"
"#
        )
    }

    /// Puts them beside a dialplan, with the values that they ask for.
    pub fn copy(&self, to: &Path, api: &str) {
        std::fs::create_dir_all(to.join("scenarios")).unwrap();
        for name in [self.telephone, self.browser, self.conference, self.direct] {
            let text = std::fs::read_to_string(self.folder.join(format!("{name}.js"))).unwrap();
            let text = text.replace("https://api.voximplant.com/platform_api", api);
            let text = text.replace("your_voximplant_account_name", "admin").replace("your_voximplant_api_key", ADMIN);
            std::fs::write(to.join("scenarios").join(format!("{name}.js")), text).unwrap();
        }
    }
}

fn users(gateway: &Gateway) -> Vec<String> {
    let users = request(gateway, "GET", "/api/v1/users", Some(ADMIN), None).json();
    users.as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap().to_owned()).collect()
}

/// Calls, each half of a call between two sessions among them.
fn calls(gateway: &Gateway) -> Vec<String> {
    let status = gateway.status();
    status["calls"].as_array().unwrap().iter().map(|call| call["call"].as_str().unwrap().to_owned()).collect()
}

fn browsers_and_telephones_meet(scripts: &Scripts) {
    let _slot = Slot::take();
    let browser = Chromium::start();
    let (third, place) = Baresip::listening(THIRD, THIRDS, LONG.into());
    let settings = format!(
        "domain = \"sip.example.com\"\norigins = [\"{}\"]\nfetch = {{ allow = [\"127.0.0.0/8\"] }}",
        browser.origin()
    );
    let setup = Setup::new().routes(&scripts.routes(&place)).web().setting(&settings);
    let gateway = setup.prepare(|folder| scripts.copy(folder, "http://127.0.0.1:9"));
    gateway.wait_for_log("users loaded", seconds(10));
    scripts.copy(gateway.folder(), &format!("http://{}/platform_api", gateway.web_place()));
    assert_eq!(gateway.ctl(&["reload"]).code(), 0);
    for user in ["alice", "bob"] {
        let body = format!(r#"{{"name":"{user}","display_name":"{user}","password":"long and random"}}"#);
        assert_eq!(request(&gateway, "POST", "/api/v1/users", Some(ADMIN), Some(&body)).status, 201, "{user}");
    }
    browser.does(&format!(
        "for (const name of ['alice', 'bob']) {{
             const user = new page.JsSipUser('ws://{}/sip', 'sip.example.com', name, 'long and random');
             user.told = (what, is) => page.until(what, () => user.read.map(text => JSON.parse(text)).some(is));
             window[name] = user;
             await user.registers();
         }}",
        gateway.web_place()
    ));
    let phone = |from, hertz| {
        Phone::dials("7000").from(from).says(hertz).keys("42#", 3.0).seconds(f64::from(LONG)).call(&gateway)
    };
    let (anna, otto) = (phone("1001", ANNAS), phone("1002", OTTOS));
    browser.does(&format!(
        "const header = ['X-Conference-Id: 42'];
         await Promise.all([alice.calls('joinconf', {ALICES}, false, header), bob.calls('joinconf', {BOBS}, false, header)]);
         for (const user of [alice, bob]) await user.told('both browsers', ({{ peers }}) => peers?.length === 2);"
    ));
    gateway.wait_for("all four are in", seconds(20), |status| {
        status["rooms"].as_array().unwrap().iter().any(|room| room["calls"].as_array().unwrap().len() == 4)
    });
    // From the gateway a browser hears the telephones alone.
    assert_hears(&browser, "alice", &[ANNAS, OTTOS], &[ALICES, BOBS]);
    assert_hears(&browser, "bob", &[ANNAS, OTTOS], &[ALICES, BOBS]);

    // A browser has a third called in, and one that cannot be.
    browser.does(&format!(
        "const about = (type, number) => message => message.type === type && message.number === number;
         for (const [number, end] of [['{THIRD}', 'CALL_PARTICIPANT_CONNECTED'], ['{NOBODY}', 'CALL_PARTICIPANT_FAILED']]) {{
             await alice.writes(JSON.stringify({{ type: 'CALL_PARTICIPANT', number }}));
             for (const user of [alice, bob]) {{
                 await user.told(`${{number}} is called`, about('CALL_PARTICIPANT', number));
                 await user.told(`${{number}}: ${{end}}`, about(end, number));
             }}
         }}"
    ));
    assert_hears(&browser, "alice", &[ANNAS, OTTOS, THIRDS], &[ALICES, BOBS]);
    assert_hears(&browser, "bob", &[ANNAS, OTTOS, THIRDS], &[ALICES, BOBS]);

    // Each other they hear and see directly.
    browser.does(&format!(
        "window.aliceToBob = Object.create(alice);
         window.bobToAlice = Object.create(bob);
         await Promise.all([bobToAlice.answers({BOB_TO_ALICE}, true), aliceToBob.calls('bob', {ALICE_TO_BOB}, true)]);
         for (const user of [aliceToBob, bobToAlice]) await page.until('a picture', async () => await user.pictures() > 0);"
    ));
    assert_hears(&browser, "aliceToBob", &[BOB_TO_ALICE], &[ALICE_TO_BOB, ANNAS]);
    assert_hears(&browser, "bobToAlice", &[ALICE_TO_BOB], &[BOB_TO_ALICE, ANNAS]);
    browser.does("aliceToBob.hangsUp(); await aliceToBob.isOver();");

    browser.does("bob.hangsUp(); await bob.isOver();");
    if scripts.deletes_users {
        gateway.wait_for("Bob is no user any more", seconds(10), |_| users(&gateway) == ["alice"]);
    }
    browser.does("alice.hangsUp(); await alice.isOver();");
    if scripts.deletes_users {
        gateway.wait_for("Alice is no user any more", seconds(10), |_| users(&gateway).is_empty());
        // The conference is over, and with it the call that it made.
        gateway.wait_for("two telephones are left", seconds(10), |_| calls(&gateway).len() == 2);
    }
    for call in calls(&gateway) {
        // With one half of a call goes the other.
        gateway.ctl(&["kick", &call]);
    }
    let anna = anna.finish().answered().heard;
    let otto = otto.finish().answered().heard;
    third.quits();
    let third = third.finish(LONG.into());
    for (who, heard, own) in [("Anna", anna, ANNAS), ("Otto", otto, OTTOS), ("the third", third, THIRDS)] {
        for other in [ANNAS, OTTOS, THIRDS, ALICES, BOBS].into_iter().filter(|other| *other != own) {
            sound::assert_hears_other_not_own(who, &heard, other, own);
        }
    }
    let remains = gateway.finish();
    assert!(!remains.log.contains("scenario failed"), "{}", remains.log);
    assert!(!remains.log.contains(ADMIN), "a token is in the log");
}

#[test]
fn browsers_and_telephones_meet_in_our_scenarios() {
    browsers_and_telephones_meet(&ours());
}

#[test]
fn browsers_and_telephones_meet_in_the_scenarios_of_the_reference() {
    let Some(scripts) = reference() else { return };
    browsers_and_telephones_meet(&scripts);
}
