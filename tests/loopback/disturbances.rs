//! A telephone that sends back what it hears is named and muted, and the others are heard.

use super::harness::address::free_port;
use super::harness::http::request;
use super::harness::slot::Slot;
use super::harness::{ADMIN, Gateway, Phone, Setup, Sipp, VIEWER, seconds, sound, wait};
use partyline::audio::codec::g711;
use partyline::audio::tone::Tone;
use partyline::rtp::{Header, Packet};
use serde_json::Value;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const ROOM: &str = "\
[rooms.office]
announce = \"none\"
alone = \"silence\"
mute = [\"echo\"]
[[routes]]
name = \"Office\"
from = \"local\"
number = \"2900\"
room = \"office\"
";

/// The telephone says this tone while nobody should hear it, Hz.
const TONE: f64 = 1_700.0;
/// So many packets of 20 ms later it sends back what it heard.
const DELAY: usize = 8;

/// What the telephone does: it sends back what it hears, says a tone, sends silence, or nothing any more.
const ECHO: u8 = 0;
const SAYS: u8 = 1;
const SILENT: u8 = 2;
const OVER: u8 = 3;

/// Sends RTP for a telephone from a port of its own.
fn telephone(socket: UdpSocket, does: Arc<AtomicU8>) -> JoinHandle<()> {
    socket.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    let tone = Tone::sine(TONE, -15.0).samples(Duration::from_secs(1));
    std::thread::spawn(move || {
        let (mut heard, mut gateway) = (Vec::<Vec<i16>>::new(), None);
        let mut datagram = [0; 2_048];
        let mut sent = 0u16;
        while does.load(Ordering::Relaxed) != OVER {
            if let Ok((length, source)) = socket.recv_from(&mut datagram)
                && let Ok(packet) = Packet::parse(&datagram[..length])
                && packet.header.payload_type == 0
            {
                gateway.get_or_insert((source, Instant::now()));
                let mut samples = vec![0; packet.payload.len()];
                g711::decode_ulaw(packet.payload, &mut samples);
                heard.push(samples);
            }
            let is_due = |begin: Instant| begin.elapsed() >= Duration::from_millis(20 * u64::from(sent));
            let Some((gateway, _)) = gateway.filter(|(_, begin)| is_due(*begin)) else { continue };
            let late = heard.len().checked_sub(DELAY).and_then(|at| heard.get(at));
            let mut samples = match does.load(Ordering::Relaxed) {
                SAYS => tone[usize::from(sent) % 50 * 160..][..160].to_vec(),
                // 14 dB fainter.
                ECHO => late.map(|late| late.iter().map(|sample| sample / 5).collect()).unwrap_or_default(),
                _ => Vec::new(),
            };
            samples.resize(160, 0);
            let mut payload = [0; 160];
            g711::encode_ulaw(&samples, &mut payload);
            let header = Header {
                marker: sent == 0,
                payload_type: 0,
                sequence: sent,
                timestamp: u32::from(sent) * 160,
                ssrc: 7,
            };
            let mut packet = [0; 172];
            let length = Packet { header, payload: &payload }.write(&mut packet).unwrap();
            socket.send_to(&packet[..length], gateway).unwrap();
            sent += 1;
        }
    })
}

/// The calls of the API that disturb, with whether they are muted.
fn disturbing(gateway: &Gateway) -> Vec<(Value, bool)> {
    let calls = request(gateway, "GET", "/api/v1/rooms/office/participants", Some(VIEWER), None).json();
    let calls = calls.as_array().unwrap().iter().filter(|call| call["disturbs"] != Value::Array(Vec::new()));
    calls.map(|call| (call["disturbs"].clone(), call["muted"].as_bool().unwrap())).collect()
}

#[test]
fn a_telephone_that_echoes_is_named_and_muted_until_it_is_over_and_the_others_are_heard() {
    let _slot = Slot::take();
    let gateway = Setup::new().web().also(ROOM).start();
    let speech = gateway.folder().join("speech.wav");
    let prompts = ["pin-blocked", "no-answer", "enter-pin", "room-full", "press-one", "number-busy"];
    sound::write(&speech, &prompts.map(sound::prompt).concat());
    let speaker = Phone::dials("2900").plays(&speech).seconds(200.0).call(&gateway);
    let listener = Phone::dials("2900").from("1002").seconds(200.0).call(&gateway);
    gateway.wait_for_members("office", 2);

    let address = gateway.family().own_address();
    let socket = UdpSocket::bind((address, free_port(address))).unwrap();
    let port = socket.local_addr().unwrap().port();
    let does = Arc::new(AtomicU8::new(ECHO));
    let echoes = telephone(socket, Arc::clone(&does));
    let sipp = Sipp::new("sounds_elsewhere").number("2900").at(address).limit(200).with("PORT", &port.to_string());
    let sipp = sipp.call(&gateway);
    wait::until_true("the echo is named", seconds(20), || {
        disturbing(&gateway) == [(Value::Array(vec!["echo".into()]), true)]
    });
    assert!(gateway.ctl(&["calls"]).output.contains("disturbs the others: echo"));
    // Nobody hears what it says now.
    does.store(SAYS, Ordering::Relaxed);
    wait::pass(seconds(2));
    does.store(SILENT, Ordering::Relaxed);
    wait::until_true("the echo is over", seconds(40), || disturbing(&gateway).is_empty());
    let muted = gateway.status()["calls"].as_array().unwrap().iter().filter(|call| call["muted"] == true).count();
    assert_eq!(muted, 0);

    let events = gateway.ctl(&["events", "--json"]).output;
    let events = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let told: Vec<Value> = events.filter(|event| event["disturbance"].is_string()).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!((&told[0]["event"], &told[1]["event"]), (&"disturbance_began".into(), &"disturbance_ended".into()));
    assert!(told.iter().all(|event| event["room"] == "office" && event["call"] == told[0]["call"]), "{told:?}");

    for call in gateway.status()["calls"].as_array().unwrap() {
        gateway.ctl(&["kick", call["call"].as_str().unwrap()]);
    }
    sipp.finish();
    does.store(OVER, Ordering::Relaxed);
    echoes.join().unwrap();
    speaker.finish();
    let heard = listener.finish().heard;
    assert!(sound::contains_prompt(&heard, &sound::prompt("enter-pin")), "the speaker is heard");
    assert!(!sound::hears(&heard, TONE), "who is muted is not");
    let records = gateway.finish().records;
    let disturbed = records.iter().filter(|record| record["disturbed"] == Value::Array(vec!["echo".into()]));
    assert_eq!((records.len(), disturbed.count()), (3, 1), "{records:?}");
}

#[test]
fn in_a_room_that_the_api_makes_with_a_rule_against_noise_nobody_hears_it_for_long() {
    let _slot = Slot::take();
    let route = ROOM.split_once("[[routes]]").unwrap().1;
    let gateway = Setup::new().web().also(&format!("[[routes]]{route}")).start();
    let rule = r#"{"name":"office","mute":["noise"]}"#;
    assert_eq!(request(&gateway, "POST", "/api/v1/rooms", Some(ADMIN), Some(rule)).status, 201);
    let listener = Phone::dials("2900").seconds(200.0).call(&gateway);
    gateway.wait_for_members("office", 1);
    let noisy = Phone::dials("2900").from("1002").says(TONE).seconds(200.0).call(&gateway);
    wait::until_true("the noise is named", seconds(30), || {
        disturbing(&gateway) == [(Value::Array(vec!["noise".into()]), true)]
    });
    // Nobody hears it now, though it goes on.
    wait::pass(seconds(3));
    for call in gateway.status()["calls"].as_array().unwrap() {
        gateway.ctl(&["kick", call["call"].as_str().unwrap()]);
    }
    noisy.finish();
    let heard = listener.finish().heard;
    // The last that is heard is that the call was removed.
    let (before, after) = heard.split_at(heard.len() - sound::prompt("removed").len() - 2 * 8_000);
    sound::assert_hears("who listens", before, TONE);
    assert!(!sound::hears(after, TONE), "the noise is heard though the rule of the room is against it");
    gateway.finish();
}
