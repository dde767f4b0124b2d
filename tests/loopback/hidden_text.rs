//! Control characters, marks of writing direction and line separators in a caller's number: what people read of it.

use super::harness::{Gateway, Setup, seconds};
use partyline::types::is_plain;
use std::net::UdpSocket;

const ROUTES: &str = "[trunks.local]\nallow = [\"127.0.0.1\"]\n\
                      [[routes]]\nname = \"In\"\nfrom = \"local\"\nnumber = '(?s).*'\nroom = \"room {number}\"\n";

/// The user part of an address, escaped where it must be.
const HIDDEN: [&str; 4] = [
    // What clears the screen, a line of its own, C1.
    "20%1b%5b2J%0d%0a2026-01-01T00:00:00Z%20ERROR%20forged%c2%9b31m",
    // From right to left, isolates, zero width.
    "20%e2%80%ae0010%e2%81%a6a%e2%81%a9%e2%80%8b",
    // Line and paragraph separators, next line.
    "20%e2%80%a8b%e2%80%a9c%c2%85d",
    // As they are.
    "20\u{202e}0010\u{2028}x",
];

/// A caller that answers nothing but what it must.
struct Caller {
    socket: UdpSocket,
    head: String,
}

impl Caller {
    fn call(gateway: &Gateway, number: usize, user: &str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(gateway.place()).unwrap();
        socket.set_read_timeout(Some(seconds(10))).unwrap();
        let (here, place) = (socket.local_addr().unwrap(), gateway.place());
        let head = format!(
            "Via: SIP/2.0/UDP {here};branch=z9hG4bKhidden{number}BRANCH\r\nMax-Forwards: 70\r\n\
             From: \"{user}\" <sip:{user}@{here}>;tag=1\r\nCall-ID: hidden{number}@{here}\r\nContact: <sip:{here}>\r\n"
        );
        let body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n";
        let text = format!(
            "INVITE sip:{user}@{place} SIP/2.0\r\n{head}To: <sip:{user}@{place}>\r\nCSeq: 1 INVITE\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        socket.send(text.replace("BRANCH", "i").as_bytes()).unwrap();
        let mut caller = Self { socket, head };
        let answer = caller.final_answer();
        assert!(answer.starts_with("SIP/2.0 200 "), "{user}: {answer}");
        let to = answer.lines().find(|line| line.starts_with("To: ")).unwrap();
        caller.head = format!("{}{to}\r\n", caller.head);
        caller.send(gateway, "ACK", 1);
        caller
    }

    fn send(&self, gateway: &Gateway, method: &str, cseq: u32) {
        let head = self.head.replace("BRANCH", method);
        let text = format!("{method} sip:{} SIP/2.0\r\n{head}CSeq: {cseq} {method}\r\n\r\n", gateway.place());
        self.socket.send(text.as_bytes()).unwrap();
    }

    fn final_answer(&self) -> String {
        let mut buffer = [0; 8192];
        loop {
            let length = self.socket.recv(&mut buffer).unwrap();
            let answer = String::from_utf8(buffer[..length].to_vec()).unwrap();
            if !answer.starts_with("SIP/2.0 1") {
                return answer;
            }
        }
    }
}

fn assert_plain(what: &str, text: &str) {
    let odd: Vec<char> = text.chars().filter(|c| *c != '\n' && !is_plain(*c)).collect();
    assert!(odd.is_empty(), "{what}: {odd:?} in {text}");
}

/// All texts in a value.
fn assert_plain_inside(what: &str, value: &serde_json::Value) {
    use serde_json::Value::{Array, Object, String};
    match value {
        String(text) => assert_plain(what, &text.replace('\n', "\0")),
        Array(values) => values.iter().for_each(|value| assert_plain_inside(what, value)),
        Object(values) => values.iter().for_each(|(name, value)| assert_plain_inside(&format!("{what}.{name}"), value)),
        _ => {}
    }
}

#[test]
fn what_a_callers_number_hides_reaches_no_log_status_or_record() {
    let gateway = Setup::new().routes(ROUTES).start();
    let callers: Vec<_> =
        HIDDEN.iter().enumerate().map(|(number, user)| Caller::call(&gateway, number, user)).collect();
    gateway.wait_for("all are there", seconds(10), |status| status["calls"].as_array().unwrap().len() == HIDDEN.len());
    for shown in [&["status"][..], &["calls"], &["rooms"], &["events"]] {
        assert_plain("what is shown", &gateway.ctl(shown).output);
        let json = gateway.ctl(&[shown, &["--json"]].concat()).output;
        assert_plain("JSON", &json);
        for value in serde_json::Deserializer::from_str(&json).into_iter() {
            assert_plain_inside("JSON", &value.unwrap());
        }
    }
    for caller in &callers {
        caller.send(&gateway, "BYE", 2);
        assert!(caller.final_answer().starts_with("SIP/2.0 200 "));
    }
    gateway.wait_for("the records", seconds(10), |_| gateway.records().len() == HIDDEN.len());
    let written = std::fs::read_to_string(gateway.folder().join("var/calls.jsonl")).unwrap();
    assert_plain("the records", &written);
    let remains = gateway.finish();
    assert_eq!(written.lines().count(), HIDDEN.len());
    remains.records.iter().for_each(|record| assert_plain_inside("a record", record));
    let is_cleaned = |number: &str| number.starts_with("20") && number.contains(char::REPLACEMENT_CHARACTER);
    assert!(remains.records.iter().all(|record| is_cleaned(record["number"].as_str().unwrap())));
    assert_plain("the log", &remains.log);
    assert!(!remains.log.lines().any(|line| line.starts_with("2026-01-01T00:00:00Z ERROR forged")));
}
