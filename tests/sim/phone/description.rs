//! Session descriptions, written and read by hand: the phones' word on them is independent of the gateway's.

use partyline::types::{AudioCodec, Direction, SrtpKey, SrtpSuite};
use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

/// What the phone offers and answers.
#[derive(Debug, Clone)]
pub(crate) struct Local {
    pub(crate) media: SocketAddr,
    /// Seen from the phone.
    pub(crate) direction: Direction,
    /// A host name in the place of the address.
    pub(crate) host: Option<&'static str>,
    /// The hold of RFC 2543: `c=IN IP4 0.0.0.0`.
    pub(crate) nowhere: bool,
    pub(crate) codec: AudioCodec,
    /// `None`: the phone knows nothing of RFC 4733.
    pub(crate) event_payload_type: Option<u8>,
    /// It takes comfort noise (RFC 3389).
    pub(crate) comfort_noise: bool,
    pub(crate) version: u32,
    /// The profile of the audio line.
    pub(crate) profile: &'static str,
    /// What the phone's own media is under, and the tag of its line.
    pub(crate) key: Option<(u32, SrtpKey)>,
}

impl Local {
    pub(crate) fn new(media: SocketAddr, codec: AudioCodec) -> Self {
        Self {
            media,
            direction: Direction::SendRecv,
            host: None,
            nowhere: false,
            codec,
            event_payload_type: Some(101),
            comfort_noise: false,
            version: 1,
            profile: "RTP/AVP",
            key: None,
        }
    }

    pub(crate) fn text(&self) -> String {
        let address = if self.nowhere { IpAddr::from([0, 0, 0, 0]) } else { self.media.ip() };
        let family = if address.is_ipv6() { "IP6" } else { "IP4" };
        let where_to = self.host.map_or_else(|| address.to_string(), str::to_owned);
        let codec = self.codec.static_payload_type().unwrap();
        let port = self.media.port();
        let events = self.event_payload_type.map_or(String::new(), |events| format!(" {events}"));
        let noise = if self.comfort_noise { " 13" } else { "" };
        let mut text = format!("v=0\r\no=phone 4711 {} IN {family} {}\r\n", self.version, self.media.ip());
        let _ = write!(
            text,
            "s=-\r\nc=IN {family} {where_to}\r\nt=0 0\r\nm=audio {port} {} {codec}{noise}{events}\r\n",
            self.profile
        );
        if let Some(events) = self.event_payload_type {
            let _ = write!(text, "a=rtpmap:{events} telephone-event/8000\r\na=fmtp:{events} 0-15\r\n");
        }
        if let Some((tag, key)) = &self.key {
            let _ = write!(text, "a=crypto:{tag} {} inline:{}\r\n", key.suite().name(), base64(key.master()));
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Remote {
    pub(crate) media: SocketAddr,
    /// Seen from the gateway.
    pub(crate) direction: Direction,
    pub(crate) event_payload_type: Option<u8>,
    pub(crate) version: u64,
    /// The profile of the audio line.
    pub(crate) profile: String,
    /// The gateway's keys with their tags.
    pub(crate) keys: Vec<(u32, SrtpKey)>,
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
        Self {
            media: SocketAddr::new(address, port),
            direction,
            event_payload_type: events,
            version,
            profile: line.split(' ').nth(1).expect("a profile").to_owned(),
            keys: text.lines().filter_map(|line| line.strip_prefix("a=crypto:")).map(crypto).collect(),
        }
    }
}

/// Of what stands behind `a=crypto:`, tag and key.
fn crypto(line: &str) -> (u32, SrtpKey) {
    let mut words = line.split(' ');
    let tag = words.next().unwrap().parse().expect("a tag");
    let suite = words.next().expect("a suite");
    let suite = SrtpSuite::ALL.into_iter().find(|known| known.name() == suite).expect("a known suite");
    let key = words.next().and_then(|key| key.strip_prefix("inline:")).expect("a key");
    (tag, SrtpKey::new(suite, &unbase64(key)).expect("a key of the suite's length"))
}

const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64, bit by bit.
pub(crate) fn base64(bytes: &[u8]) -> String {
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let digit = |six: &[u8]| (0..6).fold(0, |value, bit| value << 1 | usize::from(six.get(bit).copied().unwrap_or(0)));
    let mut text: String = bits.chunks(6).map(|six| char::from(DIGITS[digit(six)])).collect();
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

fn unbase64(text: &str) -> Vec<u8> {
    let digits = text.trim_end_matches('=').bytes();
    let values = digits.map(|digit| DIGITS.iter().position(|known| *known == digit).expect("base64"));
    let bits: Vec<u8> = values.flat_map(|value| (0..6).rev().map(move |bit| (value >> bit & 1) as u8)).collect();
    bits.chunks_exact(8).map(|eight| eight.iter().fold(0, |byte, bit| byte << 1 | bit)).collect()
}
