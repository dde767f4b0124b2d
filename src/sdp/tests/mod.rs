//! Behaviour of descriptions, offers and answers.

mod answering;
mod corpus;
mod describing;
mod offering;
mod properties;
mod securing;
mod tolerance;

use super::*;
use crate::types::{AudioCodec, Direction};
use std::time::Duration;

/// A telephone gateway's side at 198.51.100.5:20000.
fn local() -> LocalMedia {
    LocalMedia {
        address: "198.51.100.5".parse().unwrap(),
        rtp_port: 20_000,
        rtcp_port: 20_001,
        codecs: AudioCodec::G711.to_vec(),
        packet_time: Duration::from_millis(20),
        telephone_event: true,
        direction: Direction::SendRecv,
        session_id: 0x1234_5678_9abc_def0,
        srtp: None,
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
