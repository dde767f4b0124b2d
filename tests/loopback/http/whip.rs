//! WHIP and WHEP: what they refuse; what they do with good offers is tried in a browser.

use super::super::harness::http::Http;
use super::super::harness::{LOBBY, OPERATOR, Setup, VIEWER};

const SDP: &str = "application/sdp";
/// An offer of a telephone, which is none of WebRTC.
const TELEPHONE: &str =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

#[test]
fn what_is_no_offer_or_not_allowed_is_refused_by_its_rule() {
    let gateway = Setup::new().web().start();
    let both = format!("{TELEPHONE}a=sendrecv\r\n");
    let table: [(&str, &str, &str, &str, &str, u16, &str); 12] = [
        ("POST", "/whip/lobby", "", SDP, TELEPHONE, 401, "unauthorized"),
        ("POST", "/whip/lobby", "of-nobody-0123456789", SDP, TELEPHONE, 401, "unauthorized"),
        ("POST", "/whip/lobby", VIEWER, SDP, TELEPHONE, 403, "role"),
        ("POST", "/whip/demo", LOBBY, SDP, TELEPHONE, 403, "room"),
        ("POST", "/whip/nowhere", OPERATOR, SDP, TELEPHONE, 404, "no-such-room"),
        ("POST", "/whip/lobby", OPERATOR, "application/json", "{}", 415, "no-sdp"),
        ("POST", "/whip/lobby", OPERATOR, SDP, "no offer at all", 422, "invalid"),
        ("POST", "/whip/lobby", OPERATOR, SDP, TELEPHONE, 422, "invalid"),
        ("POST", "/whep/lobby", OPERATOR, SDP, &both, 422, "invalid"),
        ("DELETE", "/whip/lobby/call-1-4711", OPERATOR, "", "", 404, "no-such-call"),
        ("DELETE", "/whip/lobby/call-1-4711", VIEWER, "", "", 403, "role"),
        ("PATCH", "/whip/lobby/call-1-4711", OPERATOR, SDP, "", 405, "method-not-allowed"),
    ];
    for (method, path, token, kind, body, status, rule) in table {
        let authorization = format!("Bearer {token}");
        let mut headers = vec![];
        if !token.is_empty() {
            headers.push(("Authorization", authorization.as_str()));
        }
        if !kind.is_empty() {
            headers.push(("Content-Type", kind));
        }
        let answer = Http::open(&gateway).send(method, path, &headers, body).unwrap();
        assert_eq!((answer.status, answer.rule().as_str()), (status, rule), "{method} {path} {body}");
    }
    let records = gateway.finish().records;
    assert!(records.is_empty(), "nobody was let in: {records:#?}");
}
