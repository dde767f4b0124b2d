//! A user agent that speaks SIP over WebSocket, or over UDP.

use super::super::harness::http::WebSocket;
use super::super::harness::{Gateway, seconds};
use sha2::{Digest, Sha256};
use std::net::{TcpStream, UdpSocket};
use tokio_rustls::rustls::{ClientConnection, StreamOwned};

/// Who it is where it is asked.
pub const USER: &str = "anna";
pub const PASSWORD: &str = "a password that nobody guesses";

/// Dialplan of a gateway that knows it: a trunk by digest, and by address all that is on this machine.
pub const ROUTES: &str = r##"
[trunks.local]
allow = ["127.0.0.0/8"]

[trunks.web]
auth = { username = "anna", password = { plain = "a password that nobody guesses" } }

[rooms.lobby]
announce = "none"

[rooms.demo]
pin = "482917"

[[routes]]
name   = "Lobby"
from   = ["local", "web"]
number = "2000"
room   = "lobby"

[[routes]]
name   = "Demo"
from   = ["local", "web"]
number = "2001"
room   = "demo"
"##;

/// How its messages travel.
pub trait Line {
    const VIA: &'static str;
    fn send(&mut self, message: &str);
    fn receive(&mut self) -> String;
}

impl Line for WebSocket {
    const VIA: &'static str = "SIP/2.0/WS df7jal23ls0d.invalid";

    fn send(&mut self, message: &str) {
        WebSocket::send(self, message);
    }

    fn receive(&mut self) -> String {
        self.receive_text()
    }
}

/// A connection by TLS.
pub type Tls = StreamOwned<ClientConnection, TcpStream>;

impl Line for WebSocket<Tls> {
    const VIA: &'static str = "SIP/2.0/WSS df7jal23ls0d.invalid";

    fn send(&mut self, message: &str) {
        WebSocket::send(self, message);
    }

    fn receive(&mut self) -> String {
        self.receive_text()
    }
}

/// A socket and the gateway's place.
pub struct Udp(UdpSocket, String);

impl Udp {
    pub fn towards(gateway: &Gateway) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(seconds(10))).unwrap();
        Self(socket, gateway.place())
    }
}

impl Line for Udp {
    const VIA: &'static str = "SIP/2.0/UDP 127.0.0.1;rport";

    fn send(&mut self, message: &str) {
        self.0.send_to(message.as_bytes(), &self.1).unwrap();
    }

    fn receive(&mut self) -> String {
        let mut bytes = [0; 4_096];
        let (length, _) = self.0.recv_from(&mut bytes).expect("a message");
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }
}

/// The user agent, in one call at most.
pub struct Client<L> {
    pub line: L,
    pub media: UdpSocket,
    user: String,
    password: String,
    number: String,
    id: String,
    to: String,
    target: String,
    sequence: u32,
}

impl<L: Line> Client<L> {
    pub fn new(line: L, number: &str) -> Self {
        Self::of(line, number, (USER, PASSWORD))
    }

    /// That of another user, by name and password.
    pub fn of(line: L, number: &str, (user, password): (&str, &str)) -> Self {
        let media = UdpSocket::bind("127.0.0.1:0").unwrap();
        media.set_read_timeout(Some(seconds(5))).unwrap();
        let id = format!("client-{}", media.local_addr().unwrap().port());
        let target = format!("sip:{number}@gate.invalid");
        let (user, password, number) = (user.to_owned(), password.to_owned(), number.to_owned());
        Self { line, media, user, password, number, id, to: format!("<{target}>"), target, sequence: 0 }
    }

    /// A request, with more header lines and a description if it has one.
    pub fn request(&mut self, method: &str, more: &str, body: &str) -> String {
        if !matches!(method, "ACK" | "CANCEL") {
            self.sequence += 1;
        }
        let Self { id, to, target, sequence, user, .. } = self;
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        format!(
            "{method} {target} SIP/2.0\r\nVia: {};branch=z9hG4bK{id}{sequence}{method}\r\nMax-Forwards: 70\r\n\
             From: <sip:{user}@gate.invalid>;tag={id}\r\nTo: {to}\r\nCall-ID: {id}\r\nCSeq: {sequence} {method}\r\n\
             Contact: <sip:{user}@df7jal23ls0d.invalid;transport=ws>\r\n{more}{kind}Content-Length: {}\r\n\r\n{body}",
            L::VIA,
            body.len()
        )
    }

    pub fn offer(&self) -> String {
        let port = self.media.local_addr().unwrap().port();
        format!("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n")
    }

    /// Sends an INVITE and gives its final response, acknowledged; a challenge is answered.
    pub fn calls(&mut self) -> String {
        let offer = self.offer();
        let invite = self.request("INVITE", "", &offer);
        self.line.send(&invite);
        let mut response = self.final_response();
        if response.starts_with("SIP/2.0 401") {
            self.acknowledge(&response);
            let answer = self.answer_to(&response, &self.password.clone());
            let invite = self.request("INVITE", &answer, &offer);
            self.line.send(&invite);
            response = self.final_response();
        }
        self.acknowledge(&response);
        response
    }

    /// Registers for a while, and gives the final response.
    pub fn registers(&mut self, expires: u32) -> String {
        let (target, to) = ("sip:gate.invalid".to_owned(), format!("<sip:{}@gate.invalid>", self.user));
        let before = (std::mem::replace(&mut self.target, target), std::mem::replace(&mut self.to, to));
        let more = format!("Expires: {expires}\r\n");
        let register = self.request("REGISTER", &more, "");
        self.line.send(&register);
        let mut response = self.final_response();
        if response.starts_with("SIP/2.0 401") {
            let answer = self.answer(&response, &self.password.clone(), "REGISTER", "sip:gate.invalid");
            let register = self.request("REGISTER", &format!("{more}{answer}"), "");
            self.line.send(&register);
            response = self.final_response();
        }
        (self.target, self.to) = before;
        response
    }

    /// The answer to the challenge of an INVITE.
    pub fn answer_to(&self, response: &str, password: &str) -> String {
        self.answer(response, password, "INVITE", &format!("sip:{}@gate.invalid", self.number))
    }

    /// The answer to a challenge (RFC 7616), by SHA-256 where that is offered.
    fn answer(&self, response: &str, password: &str, method: &str, uri: &str) -> String {
        let challenges = || response.lines().filter(|line| line.starts_with("WWW-Authenticate: "));
        let modern = challenges().find(|line| line.contains("algorithm=SHA-256"));
        let challenge = modern.or_else(|| challenges().next()).expect("a challenge");
        let nonce = challenge.split_once("nonce=\"").unwrap().1.split('"').next().unwrap();
        let hex = |hash: &[u8]| hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let hash = |text: String| match modern {
            Some(_) => hex(&Sha256::digest(text)),
            None => hex(&md5::Md5::digest(text)),
        };
        let (secret, what) = (hash(format!("{}:partyline:{password}", self.user)), hash(format!("{method}:{uri}")));
        let response = hash(format!("{secret}:{nonce}:00000001:abc:auth:{what}"));
        let algorithm = if modern.is_some() { "SHA-256" } else { "MD5" };
        format!(
            "Authorization: Digest username=\"{}\", realm=\"partyline\", nonce=\"{nonce}\", uri=\"{uri}\", \
             response=\"{response}\", algorithm={algorithm}, qop=auth, nc=00000001, cnonce=\"abc\"\r\n",
            self.user
        )
    }

    pub fn final_response(&mut self) -> String {
        loop {
            let message = self.line.receive();
            assert!(message.starts_with("SIP/2.0 "), "{message}");
            if !message.starts_with("SIP/2.0 1") {
                return message;
            }
        }
    }

    fn acknowledge(&mut self, response: &str) {
        let before = self.to.clone();
        self.to = header(response, "To");
        let is_call = response.starts_with("SIP/2.0 2");
        if is_call {
            let contact = header(response, "Contact");
            self.target = contact.trim_matches(['<', '>']).to_owned();
        }
        let mut ack = self.request("ACK", "", "");
        if !is_call {
            // It is of the same transaction (RFC 3261 section 17.1.1.3).
            ack = ack.replace(&format!("{}ACK;", self.sequence), "").replace("ACK\r\nMax", "INVITE\r\nMax");
            self.to = before;
        }
        self.line.send(&ack);
    }

    /// Answers a request of the gateway by 200.
    pub fn accepts(&mut self, request: &str) {
        let copied = ["Via", "From", "To", "Call-ID", "CSeq"];
        let lines = copied.map(|name| format!("{name}: {}\r\n", header(request, name))).concat();
        self.line.send(&format!("SIP/2.0 200 OK\r\n{lines}Content-Length: 0\r\n\r\n"));
    }

    pub fn hangs_up(&mut self) {
        let bye = self.request("BYE", "", "");
        self.line.send(&bye);
        let response = self.final_response();
        assert!(response.starts_with("SIP/2.0 200"), "{response}");
    }
}

/// A header's value.
pub fn header(message: &str, name: &str) -> String {
    let found = message.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    found.unwrap_or_else(|| panic!("no {name}: {message}")).to_owned()
}
