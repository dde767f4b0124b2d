//! Events as they come by HTTP.

use super::super::harness::http::{Http, WebSocket, request};
use super::super::harness::{ADMIN, LOBBY, Phone, Setup, VIEWER, seconds};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

const CALL: [&str; 5] = ["call_started", "call_answered", "room_joined", "room_left", "call_ended"];

fn next(socket: &mut WebSocket) -> Value {
    serde_json::from_str(&socket.receive_text()).unwrap()
}

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event"].as_str().unwrap()).collect()
}

#[test]
fn a_call_is_followed_over_websocket_and_by_server_sent_events_and_each_token_sees_its_rooms() {
    let gateway = Setup::new().web().start();
    let bearer = |token: &str| format!("Bearer {token}");
    let open = |token| WebSocket::open(&gateway, "/api/v1/events/ws", &[("Authorization", &bearer(token))]).unwrap();
    let (mut all, mut lobby) = (open(VIEWER), open(LOBBY));
    let offered = format!("partyline.events, bearer.{VIEWER}");
    let page = [("Sec-WebSocket-Protocol", offered.as_str()), ("Origin", "http://gate.example")];
    let mut page = WebSocket::open(&gateway, "/api/v1/events/ws", &page).unwrap();
    let mut stream = TcpStream::connect((gateway.address, gateway.web_port())).unwrap();
    stream.set_read_timeout(Some(seconds(20))).unwrap();
    let head = format!("GET /api/v1/events HTTP/1.1\r\nHost: gate.example\r\nAuthorization: Bearer {VIEWER}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.eq_ignore_ascii_case("content-type: text/event-stream")));

    for number in ["3001", "2000"] {
        Phone::dials(number).from("+442079460123").seconds(0.5).run(&gateway).answered();
        gateway.wait_for("the call is over", seconds(5), |status| status["calls"].as_array().unwrap().is_empty());
    }
    for socket in [&mut all, &mut page] {
        let events: Vec<Value> = (0..10).map(|_| next(socket)).collect();
        assert_eq!(names(&events), [CALL, CALL].concat());
        assert_eq!(events[0]["from"], "+442…23");
    }
    let events: Vec<Value> = (0..2).map(|_| next(&mut lobby)).collect();
    assert_eq!(names(&events), ["room_joined", "room_left"]);
    assert!(events.iter().all(|event| event["room"] == "lobby"), "{events:?}");
    let named: Vec<String> =
        lines.by_ref().filter_map(|line| Some(line.strip_prefix("event: ")?.to_owned())).take(10).collect();
    assert_eq!(named, [CALL, CALL].concat());

    // Whoever comes later may see the last ones.
    let headers = [("Authorization", bearer(VIEWER))];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut late = WebSocket::open(&gateway, "/api/v1/events/ws?last=1", &headers).unwrap();
    assert_eq!(next(&mut late)["event"], "call_ended");
    // None of them holds the gateway.
    gateway.finish();
    assert_eq!(next(&mut all)["event"], "draining");
    assert!(all.is_closed());
}

#[test]
fn whoever_may_not_follow_is_told_so() {
    let gateway = Setup::new().web().start();
    let refused = |headers: &[(&str, &str)], path: &str| {
        let answer = WebSocket::open(&gateway, path, headers).err().unwrap();
        (answer.status, answer.rule())
    };
    assert_eq!(refused(&[], "/api/v1/events/ws"), (401, "unauthorized".into()));
    let wrong = [("Sec-WebSocket-Protocol", "partyline.events, bearer.of-nobody-0123456789")];
    assert_eq!(refused(&wrong, "/api/v1/events/ws"), (401, "unauthorized".into()));
    let bearer = format!("Bearer {ADMIN}");
    let good = ("Authorization", bearer.as_str());
    assert_eq!(refused(&[good, ("Origin", "https://evil.example")], "/api/v1/events/ws").0, 403);
    assert_eq!(refused(&[good], "/api/v1/events/ws?last=many"), (400, "bad-request".into()));
    assert_eq!(request(&gateway, "GET", "/api/v1/events", None, None).status, 401);
    assert_eq!(request(&gateway, "GET", "/api/v1/events/ws", Some(ADMIN), None).status, 426);
    let mut open = Vec::new();
    let too_many = (0..100).find_map(|_| match WebSocket::open(&gateway, "/api/v1/events/ws", &[good]) {
        Ok(socket) => {
            open.push(socket);
            None
        }
        Err(answer) => Some(answer),
    });
    assert_eq!(too_many.map(|answer| (answer.status, answer.rule())), Some((429, "too-many-followers".into())));
    assert_eq!(Http::open(&gateway).send("GET", "/api/v1/rooms", &[good], "").unwrap().status, 200);
    gateway.finish();
}
