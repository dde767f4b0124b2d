//! An HTTP client that sends what it is told, well-formed or not, and a WebSocket client.

use super::gateway::Gateway;
use super::wait::seconds;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// A response.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Status line and headers.
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.head, self.body))
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// The rule of problem details, which this must be.
    pub fn rule(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}\n{}", self.head, self.body);
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{problem}");
        assert!(problem["type"].as_str().unwrap().ends_with(problem["rule"].as_str().unwrap()), "{problem}");
        problem["rule"].as_str().unwrap().to_owned()
    }
}

/// A connection that may be used again.
pub struct Http<S = TcpStream>(BufReader<S>);

impl Http {
    pub fn open(gateway: &Gateway) -> Self {
        let stream = TcpStream::connect((gateway.address, gateway.web_port())).unwrap();
        stream.set_read_timeout(Some(seconds(20))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }
}

impl<S: Read + Write> Http<S> {
    /// Over a connection that is there.
    pub fn over(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    /// Sends a request and reads the response, if there is one.
    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Option<Answer> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: gate.example\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        // It may be refused before all is sent.
        let _ = self.0.get_mut().write_all(format!("{head}\r\n{body}").as_bytes());
        self.read()
    }

    /// Sends octets as they are.
    pub fn send_raw(&mut self, bytes: &[u8]) -> Option<Answer> {
        let _ = self.0.get_mut().write_all(bytes);
        self.read()
    }

    fn read(&mut self) -> Option<Answer> {
        let head = read_head(&mut self.0)?;
        let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).ok()?;
        Some(Answer { status: status(&head), head, body: String::from_utf8(body).unwrap() })
    }
}

/// Sends one request by a connection of its own.
pub fn request(gateway: &Gateway, method: &str, path: &str, token: Option<&str>, body: Option<&str>) -> Answer {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut headers = Vec::new();
    headers.extend(bearer.as_deref().map(|value| ("Authorization", value)));
    headers.extend(body.map(|_| ("Content-Type", "application/json")));
    let answer = Http::open(gateway).send(method, path, &headers, body.unwrap_or_default());
    answer.unwrap_or_else(|| panic!("{method} {path} has no answer\n{}", gateway.log()))
}

fn read_head(reader: &mut impl BufRead) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    Some(head)
}

fn status(head: &str) -> u16 {
    head[9..12].parse().unwrap()
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")))?;
    Some(line.split_once(':').unwrap().1.trim())
}

/// A WebSocket, client's side.
pub struct WebSocket<S = TcpStream>(BufReader<S>);

/// A frame's kind (RFC 6455 section 5.2).
pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

impl WebSocket {
    /// Opens one, or gives the response that refuses it.
    pub fn open(gateway: &Gateway, path: &str, headers: &[(&str, &str)]) -> Result<Self, Answer> {
        Self::over(Http::open(gateway), path, headers)
    }

    /// One that carries SIP.
    pub fn sip(gateway: &Gateway) -> Self {
        Self::open(gateway, "/sip", &[("Sec-WebSocket-Protocol", "sip")])
            .unwrap_or_else(|answer| panic!("{}\n{}", answer.head, answer.body))
    }
}

impl<S: Read + Write> WebSocket<S> {
    /// Opens one over a connection that is there, or gives the response that refuses it.
    pub fn over(mut http: Http<S>, path: &str, headers: &[(&str, &str)]) -> Result<Self, Answer> {
        let mut all = vec![
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        all.extend_from_slice(headers);
        let answer = http.send("GET", path, &all, "").expect("an answer");
        if answer.status != 101 {
            return Err(answer);
        }
        // That of RFC 6455 section 1.3, to the key above.
        assert_eq!(answer.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        Ok(Self(http.0))
    }

    pub fn send(&mut self, text: &str) {
        self.send_frame(0x80 | TEXT, text.as_bytes()).unwrap();
    }

    /// Sends a frame whose first octet is `first`.
    pub fn send_frame(&mut self, first: u8, payload: &[u8]) -> std::io::Result<()> {
        let mut frame = vec![first];
        match payload.len() {
            length @ 0..126 => frame.push(0x80 | length as u8),
            length @ 126..65_536 => {
                frame.push(0x80 | 126);
                frame.extend((length as u16).to_be_bytes());
            }
            length => {
                frame.push(0x80 | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        let mask = [0x37, 0xfa, 0x21, 0x3d];
        frame.extend(mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(octet, mask)| octet ^ mask));
        self.0.get_mut().write_all(&frame)
    }

    /// Sends octets that are no frame.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        let _ = self.0.get_mut().write_all(bytes);
    }

    /// The next message; pings are answered. `None` when the connection is closed.
    pub fn receive(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            let mut head = [0; 2];
            self.0.read_exact(&mut head).ok()?;
            let length = match head[1] & 0x7f {
                126 => {
                    let mut length = [0; 2];
                    self.0.read_exact(&mut length).ok()?;
                    usize::from(u16::from_be_bytes(length))
                }
                127 => {
                    let mut length = [0; 8];
                    self.0.read_exact(&mut length).ok()?;
                    usize::try_from(u64::from_be_bytes(length)).unwrap()
                }
                length => usize::from(length),
            };
            let mut payload = vec![0; length];
            self.0.read_exact(&mut payload).ok()?;
            match head[0] & 0x0f {
                PING => self.send_frame(0x80 | PONG, &payload).ok()?,
                PONG => {}
                kind => return Some((kind, payload)),
            }
        }
    }

    /// The next message, which must be text.
    pub fn receive_text(&mut self) -> String {
        let (kind, payload) = self.receive().expect("a message");
        assert_eq!(kind, TEXT, "{payload:?}");
        String::from_utf8(payload).unwrap()
    }

    /// Whether the other side closes it: with a frame that says so, or without.
    pub fn is_closed(&mut self) -> bool {
        self.receive().is_none_or(|(kind, _)| kind == CLOSE)
    }
}
