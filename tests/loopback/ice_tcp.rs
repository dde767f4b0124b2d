//! Browsers that only TCP reaches.

use super::harness::chromium::Chromium;
use super::harness::slot::Slot;
use super::harness::{Browser, Phone, Setup, seconds, sound};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

const ANNAS: f64 = 500.0;
const BROWSERS: f64 = 900.0;

#[test]
fn a_browser_that_udp_does_not_reach_is_in_the_room() {
    let gateway = Setup::new().ice_tcp().start();
    let anna = Phone::dials("2000").says(ANNAS).seconds(8.0).call(&gateway);
    let mut browser = Browser::calls_by_tcp("2000", BROWSERS, &gateway).unwrap();
    browser.connects();
    browser.talks_for(seconds(4));
    let heard = browser.hangs_up();
    sound::assert_hears_other_not_own("the browser", &heard, ANNAS, BROWSERS);
    sound::assert_hears_other_not_own("Anna", &anna.finish().answered().heard, BROWSERS, ANNAS);
    let remains = gateway.finish();
    let record = remains.records.iter().find(|record| record["from"] == "1009").unwrap();
    for (count, least) in [("packets_received", 150), ("packets_sent", 150)] {
        assert!(record["media"][count].as_u64().unwrap() >= least, "{record}");
    }
    for count in ["packets_forged", "packets_invalid", "packets_foreign", "packets_replayed", "packets_lost"] {
        assert_eq!(record["media"][count], 0, "{record}");
    }
}

#[test]
fn a_connection_that_is_torn_is_made_again_and_the_sound_goes_on() {
    let gateway = Setup::new().ice_tcp().start();
    let anna = Phone::dials("2000").says(ANNAS).seconds(9.0).call(&gateway);
    let mut browser = Browser::calls_by_tcp("2000", BROWSERS, &gateway).unwrap();
    browser.connects();
    browser.talks_for(seconds(1));
    browser.connects_again(&gateway);
    browser.talks_for(seconds(4));
    let heard = browser.hangs_up();
    sound::assert_hears_other_not_own("the browser", &heard[heard.len() / 2..], ANNAS, BROWSERS);
    sound::assert_hears("Anna", &anna.finish().answered().heard, BROWSERS);
    gateway.finish();
}

#[test]
fn strangers_on_the_port_are_turned_away_and_the_sound_goes_on() {
    let gateway = Setup::new().ice_tcp().start();
    let anna = Phone::dials("2000").says(ANNAS).seconds(8.0).call(&gateway);
    let mut browser = Browser::calls_by_tcp("2000", BROWSERS, &gateway).unwrap();
    browser.connects();
    let place = gateway.ice_tcp_place();
    let mut silent = Vec::new();
    for round in 0..200 {
        browser.talks_for(seconds(4) / 200);
        for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0, 3, 1, 1, 1], &[0], &[]] {
            let mut stream = TcpStream::connect(&place).unwrap();
            // It may be closed already.
            let _ = stream.write_all(bytes);
            if round < 10 && bytes.len() > 1 {
                stream.set_read_timeout(Some(seconds(5))).unwrap();
                let read = stream.read(&mut [0]).map_err(|error| error.kind());
                assert!(matches!(read, Ok(0) | Err(ErrorKind::ConnectionReset)), "{read:?} to {bytes:?}");
            }
            silent.push(stream);
        }
    }
    let heard = browser.hangs_up();
    sound::assert_hears_other_not_own("the browser", &heard, ANNAS, BROWSERS);
    sound::assert_hears_other_not_own("Anna", &anna.finish().answered().heard, BROWSERS, ANNAS);
    let remains = gateway.finish();
    let record = remains.records.iter().find(|record| record["from"] == "1009").unwrap();
    assert!(record["media"]["packets_received"].as_u64().unwrap() >= 150, "{record}");
}

#[test]
fn chromium_that_udp_does_not_reach_is_in_the_room() {
    let _slot = Slot::take();
    let browser = Chromium::start();
    let users = "[users.alice]\npassword = { plain = \"correct horse battery\" }\n\
                 [[routes]]\nname = \"UsersLobby\"\nfrom = \"users\"\nnumber = \"2000\"\nroom = \"lobby\"\n";
    let settings = format!("domain = \"sip.example.com\"\norigins = [\"{}\"]", browser.origin());
    let gateway = Setup::new().web().ice_tcp().also(users).setting(&settings).start();
    gateway.wait_for_log("users loaded", seconds(10));
    let anna = Phone::dials("2000").says(ANNAS).seconds(12.0).call(&gateway);
    browser.does(&format!(
        "page.passesOnlyTcp(true);
         window.alice = new page.JsSipUser('ws://{}/sip', 'sip.example.com', 'alice', 'correct horse battery');
         await alice.registers();
         await alice.calls(2000, {BROWSERS});",
        gateway.web_place()
    ));
    gateway.wait_for_members("lobby", 2);
    let levels = browser.does(&format!("return await alice.hears([{ANNAS}, {BROWSERS}]);"));
    let [annas, own] = [0, 1].map(|place| levels[place].as_f64().unwrap());
    assert!(annas > -65.0 && own < annas - 25.0, "{levels}");
    assert_eq!(browser.does("return await alice.protocol();"), "tcp");
    sound::assert_hears_other_not_own("Anna", &anna.finish().answered().heard, BROWSERS, ANNAS);
    browser.does("alice.hangsUp(); await alice.isOver();");
    gateway.finish();
}
