//! Behaviour of descriptions, offers and answers.

mod answering;
mod codecs;
mod corpus;
mod describing;
mod offering;
mod properties;
mod securing;
mod tolerance;
mod webrtc;

use super::*;
use crate::types::{AudioCodec, CodecPolicy, Direction, OpusSettings};
use std::time::Duration;

/// A telephone gateway's side at 198.51.100.5:20000.
fn local() -> LocalMedia {
    LocalMedia {
        address: "198.51.100.5".parse().unwrap(),
        rtp_port: 20_000,
        rtcp_port: 20_001,
        codecs: speaking(&AudioCodec::G711),
        opus: OpusSettings::default(),
        packet_time: Duration::from_millis(20),
        telephone_event: true,
        comfort_noise: true,
        audio_level: true,
        direction: Direction::SendRecv,
        session_id: 0x1234_5678_9abc_def0,
        srtp: None,
        webrtc: None,
    }
}

/// These codecs both ways, in the offerer's order.
fn speaking(codecs: &[AudioCodec]) -> CodecPolicy {
    CodecPolicy { own_order: false, ..CodecPolicy::exactly(codecs) }
}

/// The same side with Opus and G.722.
fn wide() -> LocalMedia {
    LocalMedia {
        codecs: speaking(&[AudioCodec::Opus, AudioCodec::G722, AudioCodec::Pcmu, AudioCodec::Pcma]),
        ..local()
    }
}

/// A peer's description at 203.0.113.7 with these `m=` lines and what follows.
fn peer(media: &str) -> SessionDescription {
    peer_at("IN IP4 203.0.113.7", media)
}

fn peer_at(address: &str, media: &str) -> SessionDescription {
    let text = format!("v=0\no=- 7 7 IN IP4 203.0.113.7\ns=-\nc={address}\nt=0 0\n{media}");
    SessionDescription::parse(text.as_bytes()).unwrap()
}

/// The answer of a dialog's first exchange.
fn answered(media: &str) -> Negotiation {
    answer(&peer(media), &local(), None).unwrap()
}

/// Where the peer of [`peer`] wants packets.
fn remote(port: u16) -> Option<std::net::SocketAddr> {
    Some(std::net::SocketAddr::new("203.0.113.7".parse().unwrap(), port))
}
