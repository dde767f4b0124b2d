//! Session descriptions, written and read by hand: the phones' word on them is independent of the gateway's.

use partyline::types::{AudioCodec, Direction};
use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

/// What the phone offers and answers.
#[derive(Debug, Clone)]
pub(crate) struct Local {
    pub(crate) media: SocketAddr,
    /// Seen from the phone.
    pub(crate) direction: Direction,
    /// The hold of RFC 2543: `c=IN IP4 0.0.0.0`.
    pub(crate) nowhere: bool,
    pub(crate) codec: AudioCodec,
    /// `None`: the phone knows nothing of RFC 4733.
    pub(crate) event_payload_type: Option<u8>,
    pub(crate) version: u32,
}

impl Local {
    pub(crate) fn new(media: SocketAddr, codec: AudioCodec) -> Self {
        Self { media, direction: Direction::SendRecv, nowhere: false, codec, event_payload_type: Some(101), version: 1 }
    }

    pub(crate) fn text(&self) -> String {
        let address = if self.nowhere { IpAddr::from([0, 0, 0, 0]) } else { self.media.ip() };
        let family = if address.is_ipv6() { "IP6" } else { "IP4" };
        let codec = self.codec.static_payload_type().unwrap();
        let port = self.media.port();
        let events = self.event_payload_type.map_or(String::new(), |events| format!(" {events}"));
        let mut text = format!("v=0\r\no=phone 4711 {} IN {family} {}\r\n", self.version, self.media.ip());
        let _ = write!(text, "s=-\r\nc=IN {family} {address}\r\nt=0 0\r\nm=audio {port} RTP/AVP {codec}{events}\r\n");
        if let Some(events) = self.event_payload_type {
            let _ = write!(text, "a=rtpmap:{events} telephone-event/8000\r\na=fmtp:{events} 0-15\r\n");
        }
        text += match self.direction {
            Direction::SendRecv => "a=sendrecv\r\n",
            Direction::SendOnly => "a=sendonly\r\n",
            Direction::RecvOnly => "a=recvonly\r\n",
            Direction::Inactive => "a=inactive\r\n",
        };
        text
    }
}

/// What the gateway's description says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Remote {
    pub(crate) media: SocketAddr,
    /// Seen from the gateway.
    pub(crate) direction: Direction,
    pub(crate) event_payload_type: Option<u8>,
    pub(crate) version: u64,
}

impl Remote {
    pub(crate) fn read(body: &[u8]) -> Self {
        let text = std::str::from_utf8(body).expect("the gateway's description is text");
        let value = |prefix: &str| text.lines().find_map(|line| line.strip_prefix(prefix));
        let address = value("c=IN IP4 ").expect("a connection line").trim();
        let line = value("m=audio ").expect("an audio line");
        let port = line.split(' ').next().unwrap().parse().expect("a port");
        let direction = match ["a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive"]
            .into_iter()
            .find(|attribute| text.lines().any(|line| line == *attribute))
        {
            Some("a=sendonly") => Direction::SendOnly,
            Some("a=recvonly") => Direction::RecvOnly,
            Some("a=inactive") => Direction::Inactive,
            _ => Direction::SendRecv,
        };
        let events = text
            .lines()
            .find_map(|line| line.strip_prefix("a=rtpmap:")?.strip_suffix(" telephone-event/8000")?.parse().ok());
        let version = value("o=").and_then(|origin| origin.split(' ').nth(2)?.parse().ok()).expect("a version");
        let address: IpAddr = address.parse().expect("an address");
        Self { media: SocketAddr::new(address, port), direction, event_payload_type: events, version }
    }
}
