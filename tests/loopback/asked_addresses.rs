//! A gateway on every address of the machine answers from the one that was asked, and means it in all that it says.

use super::harness::{Gateway, Setup, seconds};
use std::net::{SocketAddr, UdpSocket};

/// Sends a request to `asked` and gives back the first final answer and where it came from.
fn ask(peer: &UdpSocket, asked: SocketAddr, method: &str, body: &str) -> (String, SocketAddr) {
    let here = peer.local_addr().unwrap();
    let call = format!("{method}-{}", asked.ip());
    let message = format!(
        "{method} sip:2000@{asked} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{call}\r\nMax-Forwards: 70\r\n\
         From: <sip:1001@{here}>;tag={call}\r\nTo: <sip:2000@{asked}>\r\nCall-ID: {call}@{here}\r\nCSeq: 1 {method}\r\n\
         Contact: <sip:1001@{here}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    peer.send_to(message.as_bytes(), asked).unwrap();
    let mut buffer = [0; 4096];
    loop {
        let (length, from) = peer.recv_from(&mut buffer).unwrap();
        let answer = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if answer.contains(&call) && !answer.starts_with("SIP/2.0 1") {
            return (answer, from);
        }
    }
}

fn line<'a>(message: &'a str, start: &str) -> &'a str {
    message.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no {start} in {message}"))
}

fn hang_up(gateway: &Gateway) {
    let calls = gateway.status()["calls"].as_array().unwrap().clone();
    for call in calls {
        gateway.ctl(&["kick", call["call"].as_str().unwrap()]);
    }
}

#[test]
fn a_gateway_on_all_addresses_answers_from_the_one_that_was_asked() {
    let gateway = Setup::new().everywhere().start();
    let peer = UdpSocket::bind("127.0.0.77:0").unwrap();
    peer.set_read_timeout(Some(seconds(10))).unwrap();
    for last in [2, 9] {
        let asked = SocketAddr::from(([127, 0, 0, last], gateway.port));
        let (answer, from) = ask(&peer, asked, "OPTIONS", "");
        assert_eq!(from, asked, "{answer}");
        let offer = "v=0\r\no=- 1 1 IN IP4 127.0.0.77\r\ns=-\r\nc=IN IP4 127.0.0.77\r\nt=0 0\r\n\
                     m=audio 39998 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";
        let (answer, from) = ask(&peer, asked, "INVITE", offer);
        assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
        assert_eq!(from, asked, "{answer}");
        assert!(line(&answer, "Contact:").contains(&asked.to_string()), "{answer}");
        assert_eq!(line(&answer, "c="), format!("c=IN IP4 127.0.0.{last}"));
    }
    hang_up(&gateway);
}
