//! Our side of a stream, and the lines we write for it.

use super::crypto::Crypto;
use super::description::{Attribute, MediaDescription, NetAddress, Origin, SessionDescription};
use super::security::LocalSrtp;
use crate::types::{AudioCodec, Direction};
use std::net::IpAddr;
use std::time::Duration;

/// The packet times that are sent and that a peer may ask for, shortest first.
pub const PACKET_TIMES: [Duration; 5] = [
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(30),
    Duration::from_millis(40),
    Duration::from_millis(60),
];

/// The payload type of telephone-event where nothing was said before: what most devices expect.
const TELEPHONE_EVENT: u8 = 101;
/// Dynamic payload types (RFC 3551 section 6).
const DYNAMIC: std::ops::RangeInclusive<u8> = 96..=127;

/// What we can do for one call's audio, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalMedia {
    /// The address to advertise.
    pub address: IpAddr,
    /// Our RTP port.
    pub rtp_port: u16,
    /// Our RTCP port; written down (RFC 3605) unless it is the one after RTP's.
    pub rtcp_port: u16,
    /// What we speak. In an offer, in this order of preference; in an answer the offerer's order rules.
    pub codecs: Vec<AudioCodec>,
    /// What we would like to be sent, and send where the peer asks for nothing: one of [`PACKET_TIMES`], normally 20 ms.
    pub packet_time: Duration,
    /// Whether RFC 4733 digits are spoken.
    pub telephone_event: bool,
    /// What we wish for; an answer gives as much of it as the offer allows.
    pub direction: Direction,
    /// The session's identity in `o=`: any random number (63 bits are used). Only the first description of a dialog
    /// reads it, later ones keep what was said.
    pub session_id: u64,
    /// Our keys, where SRTP is spoken.
    pub srtp: Option<LocalSrtp>,
}

/// The longest packet time that is not longer than `asked`; the shortest one if all are.
pub(super) fn fit_packet_time(asked: Duration) -> Duration {
    let [shortest, ..] = PACKET_TIMES;
    PACKET_TIMES.into_iter().rev().find(|time| *time <= asked).unwrap_or(shortest)
}

/// The numbers for what one description of ours offers or answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Numbers {
    pub codecs: Vec<(u8, AudioCodec)>,
    pub telephone_event: Option<u8>,
}

impl Numbers {
    /// Numbers for an offer of `local`. A number keeps its meaning for the whole session (RFC 3264 section 8.3.2), so
    /// those in `before` are taken over.
    pub(super) fn for_offer(local: &LocalMedia, before: &[(u8, AudioCodec)], event_before: Option<u8>) -> Self {
        let mut codecs: Vec<(u8, AudioCodec)> = Vec::new();
        let taken = |codecs: &[(u8, AudioCodec)], number: u8| {
            event_before == Some(number) || codecs.iter().chain(before).any(|(known, _)| *known == number)
        };
        for &codec in &local.codecs {
            if codecs.iter().any(|(_, known)| *known == codec) {
                continue;
            }
            let known = before.iter().find(|(_, known)| *known == codec).map(|(number, _)| *number);
            let standard = codec.static_payload_type().filter(|number| !taken(&codecs, *number));
            let number = known.or(standard).or_else(|| DYNAMIC.into_iter().find(|number| !taken(&codecs, *number)));
            codecs.extend(number.map(|number| (number, codec)));
        }
        let free = std::iter::once(TELEPHONE_EVENT).chain(DYNAMIC).find(|number| !taken(&codecs, *number));
        Self { telephone_event: event_before.or(free).filter(|_| local.telephone_event), codecs }
    }
}

impl LocalMedia {
    /// The description around `media`, its version still 1.
    pub(super) fn describe(&self, media: Vec<MediaDescription>) -> SessionDescription {
        let address = NetAddress::Ip(self.address.to_canonical());
        SessionDescription {
            origin: Origin {
                username: "-".to_owned(),
                session_id: self.session_id >> 1,
                version: 1,
                address: address.clone(),
            },
            name: "-".to_owned(),
            connection: Some(address),
            attributes: Vec::new(),
            media,
        }
    }

    /// Our open audio line.
    pub(super) fn audio_line(
        &self,
        protocol: &str,
        numbers: &Numbers,
        packet_time: Duration,
        direction: Direction,
        rtcp_mux: bool,
        crypto: &[Crypto],
    ) -> MediaDescription {
        let mut formats = Vec::new();
        let mut attributes = Vec::new();
        for (number, codec) in &numbers.codecs {
            formats.push(number.to_string());
            let map = format!("{number} {}/{}", codec.encoding_name(), codec.clock_rate());
            attributes.push(Attribute::with_value("rtpmap", map));
        }
        if let Some(number) = numbers.telephone_event {
            formats.push(number.to_string());
            attributes.push(Attribute::with_value("rtpmap", format!("{number} telephone-event/8000")));
            attributes.push(Attribute::with_value("fmtp", format!("{number} 0-15")));
        }
        let [.., longest] = PACKET_TIMES;
        attributes.push(Attribute::with_value("ptime", packet_time.as_millis().to_string()));
        attributes.push(Attribute::with_value("maxptime", longest.as_millis().to_string()));
        if rtcp_mux {
            attributes.push(Attribute::flag("rtcp-mux"));
        } else if Some(self.rtcp_port) != self.rtp_port.checked_add(1) {
            attributes.push(Attribute::with_value("rtcp", self.rtcp_port.to_string()));
        }
        attributes.extend(crypto.iter().map(Crypto::attribute));
        attributes.push(Attribute::direction(direction));
        MediaDescription {
            media: "audio".to_owned(),
            port: self.rtp_port,
            protocol: protocol.to_owned(),
            formats,
            connection: None,
            attributes,
            fault: None,
        }
    }
}
