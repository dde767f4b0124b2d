//! Wrong logins by the thousand, and a telephone that hears nothing of them.

use super::super::harness::http::{Http, WebSocket};
use super::super::harness::slot::Slot;
use super::super::harness::{Phone, Setup, VIEWER, seconds, wait};
use super::sip_client::{Client, ROUTES, Udp};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// Wrong logins a second by each of the two ways, and for how long.
const RATE: usize = 1_000;
const SECONDS: usize = 4;
/// Connections that they come over, each way.
const CONNECTIONS: usize = 2;

#[test]
fn a_thousand_wrong_logins_a_second_by_http_and_by_websocket_cost_a_telephone_no_packet() {
    let _slot = Slot::take();
    let gateway = Setup::new().routes(ROUTES).web().start();
    let talking = Phone::dials("2000").says(500.0).seconds(12.0).call(&gateway);
    let mut phone = Client::new(Udp::towards(&gateway), "2000");
    assert!(phone.calls().starts_with("SIP/2.0 200"));
    gateway.wait_for_members("lobby", 2);
    let (over, refused) = (AtomicBool::new(false), AtomicUsize::new(0));
    let sequences = std::thread::scope(|scope| {
        let media = phone.media.try_clone().unwrap();
        let over = &over;
        let listening = scope.spawn(move || {
            let (mut sequences, mut bytes) = (Vec::new(), [0; 2_000]);
            while !over.load(Ordering::Relaxed) {
                let length = media.recv(&mut bytes).expect("a packet");
                let is_sound = length > 100 && bytes[1] & 0x7f == 0;
                sequences.extend(is_sound.then(|| u16::from_be_bytes([bytes[2], bytes[3]])));
            }
            sequences
        });
        let each = RATE * SECONDS / CONNECTIONS;
        let pause = Duration::from_secs(1) * u32::try_from(CONNECTIONS).unwrap() / u32::try_from(RATE).unwrap();
        let attackers: Vec<_> = (0..CONNECTIONS)
            .flat_map(|_| {
                let (gateway, refused) = (&gateway, &refused);
                let http = scope.spawn(move || {
                    let mut http = Http::open(gateway);
                    for _ in 0..each {
                        let wrong = [("Authorization", "Bearer of-nobody-0123456789")];
                        let answer = http.send("GET", "/api/v1/rooms", &wrong, "").expect("an answer");
                        assert!(matches!(answer.status, 401 | 429), "{}", answer.head);
                        refused.fetch_add(1, Ordering::Relaxed);
                        wait::pass(pause / 2);
                    }
                });
                let websocket = scope.spawn(move || {
                    let mut client = Client::new(WebSocket::sip(gateway), "2000");
                    let offer = client.offer();
                    let invite = client.request("INVITE", "", &offer);
                    client.line.send(&invite);
                    let challenge = client.final_response();
                    let wrong = client.answer_to(&challenge, "a wrong password");
                    // After the tenth nothing is said to it any more.
                    for _ in 0..each {
                        let invite = client.request("INVITE", &wrong, &offer);
                        client.line.send(&invite);
                        refused.fetch_add(1, Ordering::Relaxed);
                        wait::pass(pause / 2);
                    }
                });
                [http, websocket]
            })
            .collect();
        for attacker in attackers {
            attacker.join().unwrap();
        }
        over.store(true, Ordering::Relaxed);
        listening.join().unwrap()
    });
    assert_eq!(refused.into_inner(), 2 * RATE * SECONDS);
    let first = sequences[0];
    let numbers: Vec<u16> = sequences.iter().map(|number| number.wrapping_sub(first)).collect();
    let expected: Vec<u16> = (0..u16::try_from(numbers.len()).unwrap()).collect();
    assert!(numbers == expected, "packets are missing or late: {numbers:?}");
    // It lasts for two seconds at least: each attacker sleeps a millisecond 2,000 times.
    assert!(numbers.len() > 90, "{}", numbers.len());
    let unknown = |status: &serde_json::Value| status["unknown_sources"].as_u64().unwrap();
    gateway.wait_for("all were looked at", seconds(10), |status| unknown(status) > (RATE * SECONDS / 2) as u64);
    phone.hangs_up();
    let heard = talking.finish().answered();
    assert!(!heard.heard.is_empty());
    gateway.wait_for("nobody is left", seconds(10), |status| status["calls"].as_array().unwrap().is_empty());
    let remains = gateway.finish();
    assert!(remains.log.matches("wrong API token").count() < 100 && !remains.log.contains(VIEWER));
}
