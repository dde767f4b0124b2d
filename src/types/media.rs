//! What an offer and an answer settle for one audio stream.

use super::{AudioCodec, OpusSettings};
use smallvec::SmallVec;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Telephones of whom a media thread suppresses the noise at a time, at most: 4.4 ms of each 20 (`benches/README.md`).
/// One at 16 kHz counts as two.
pub const SUPPRESSED_A_THREAD: usize = 400;

/// The direction of a stream, seen from us (RFC 3264 section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// We send and do not listen.
    SendOnly,
    /// We listen and do not send.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// The direction with `send` and `receive` as given.
    #[must_use]
    pub const fn of(send: bool, receive: bool) -> Self {
        match (send, receive) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// Whether we send.
    #[must_use]
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether we listen.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same stream seen from the other side.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self::of(self.receives(), self.sends())
    }
}

/// A network in CIDR notation, `203.0.113.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Network {
    /// Any address inside it; bits beyond the prefix are ignored.
    pub address: IpAddr,
    /// Length of the prefix in bits: 0 to 32 or 0 to 128.
    pub prefix: u8,
}

impl Network {
    /// The network that holds one address.
    #[must_use]
    pub const fn host(address: IpAddr) -> Self {
        let prefix = if address.is_ipv4() { 32 } else { 128 };
        Self { address, prefix }
    }

    /// Its first address: all bits beyond the prefix are 0.
    #[must_use]
    pub fn first(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32u32.saturating_sub(u32::from(self.prefix))).unwrap_or(0);
                IpAddr::V4((u32::from(address) & mask).into())
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128u32.saturating_sub(u32::from(self.prefix))).unwrap_or(0);
                IpAddr::V6((u128::from(address) & mask).into())
            }
        }
    }

    /// Whether `address` lies inside. An IPv4-mapped IPv6 address counts as its IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address.to_canonical(), address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(host)) => {
                let shift = 32u32.saturating_sub(u32::from(self.prefix));
                (u64::from(u32::from(net)) >> shift) == (u64::from(u32::from(host)) >> shift)
            }
            (IpAddr::V6(net), IpAddr::V6(host)) => {
                let shift = 128u32.saturating_sub(u32::from(self.prefix));
                shift == 128 || (u128::from(net) >> shift) == (u128::from(host) >> shift)
            }
            _ => false,
        }
    }
}

/// What was negotiated for one leg's audio. Made by `sdp`, obeyed by `media`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MediaParameters {
    /// Where the SDP asks us to send RTP; `None` when it names none yet (port 0, 0.0.0.0).
    pub remote_rtp: Option<SocketAddr>,
    /// Where the SDP asks us to send RTCP (RFC 3605); equals `remote_rtp` with rtcp-mux.
    pub remote_rtcp: Option<SocketAddr>,
    /// RTP and RTCP share the RTP port (RFC 5761).
    pub rtcp_mux: bool,
    /// The direction seen from us.
    pub direction: Direction,
    /// The codec we send.
    pub codec: AudioCodec,
    /// The payload type we put on what we send (the other side's number).
    pub send_payload_type: u8,
    /// The payload types we accept and what each decodes as (our numbers).
    pub receive_payload_types: Vec<(u8, AudioCodec)>,
    /// Length of sound in each packet we send: 10, 20, 30, 40 or 60 ms; a length that the codec has.
    pub send_packet_time: Duration,
    /// The payload type for telephone-event that the other side listens on (RFC 4733), of the clock rate of `codec`.
    pub send_telephone_event: Option<u8>,
    /// The payload types on which we accept telephone-event, and the clock rate of each, Hz.
    pub receive_telephone_events: SmallVec<[(u8, u32); 2]>,
    /// The payload type on which the other side takes comfort noise (RFC 3389), of the clock rate of `codec`.
    pub send_comfort_noise: Option<u8>,
    /// The payload types on which we accept comfort noise, and the clock rate of each, Hz.
    pub receive_comfort_noise: SmallVec<[(u8, u32); 2]>,
    /// The header extension in which the other side tells its levels (RFC 6464): its local identifier.
    pub receive_audio_level: Option<u8>,
    /// Whether the other side is told who is heard: in the CSRC list (RFC 3550 section 5.1), by [`CallId::source`].
    ///
    /// [`CallId::source`]: super::CallId::source
    pub send_contributors: bool,
    /// The header extension in which it is told how loud each of them is (RFC 6465): its local identifier.
    pub send_contributor_levels: Option<u8>,
    /// The payload type under which Opus may come with copies of the packets before (RFC 2198), and that under which
    /// the other side takes it so.
    pub receive_redundancy: Option<u8>,
    /// See `receive_redundancy`.
    pub send_redundancy: Option<u8>,
    /// How Opus is sent, where it is `codec`.
    pub opus: OpusSettings,
    /// Packets go where ICE says, which is `remote_rtp`, and nothing is learned of those that come: what is authentic
    /// is believed, from wherever.
    pub ice: bool,
    /// Networks from which media is believed. Empty: the networks of `remote_rtp` and what the gateway adds.
    pub accept_from: Vec<Network>,
    /// The keys if the stream is SRTP; `None`: it is plain RTP. Never serialised: keys leave the process in no other
    /// way than the signalling they were agreed by.
    #[serde(skip)]
    pub srtp: Option<super::SrtpKeys>,
}

impl MediaParameters {
    /// Plain RTP both ways with `remote`, RTCP at the port after it: 20 ms of one codec in a packet, under one payload
    /// type, and nothing else.
    #[must_use]
    pub fn plain(remote: SocketAddr, codec: AudioCodec, payload_type: u8) -> Self {
        Self {
            remote_rtp: Some(remote),
            remote_rtcp: Some(SocketAddr::new(remote.ip(), remote.port().saturating_add(1))),
            rtcp_mux: false,
            direction: Direction::SendRecv,
            codec,
            send_payload_type: payload_type,
            receive_payload_types: vec![(payload_type, codec)],
            send_packet_time: Duration::from_millis(20),
            send_telephone_event: None,
            receive_telephone_events: SmallVec::new(),
            send_comfort_noise: None,
            receive_comfort_noise: SmallVec::new(),
            receive_audio_level: None,
            send_contributors: false,
            send_contributor_levels: None,
            receive_redundancy: None,
            send_redundancy: None,
            opus: OpusSettings::default(),
            ice: false,
            accept_from: vec![Network::host(remote.ip())],
            srtp: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_own_addresses_and_no_others() {
        let net = Network { address: "203.0.113.77".parse().unwrap(), prefix: 24 };
        assert!(net.contains("203.0.113.1".parse().unwrap()));
        assert!(net.contains("::ffff:203.0.113.1".parse().unwrap()));
        assert!(!net.contains("203.0.114.1".parse().unwrap()));
        assert!(!net.contains("2001:db8::1".parse().unwrap()));
        let all = Network { address: "0.0.0.0".parse().unwrap(), prefix: 0 };
        assert!(all.contains("198.51.100.4".parse().unwrap()));
        let six = Network { address: "2001:db8::".parse().unwrap(), prefix: 32 };
        assert!(six.contains("2001:db8:9::1".parse().unwrap()));
        assert!(!six.contains("2001:db9::1".parse().unwrap()));
        assert!(Network { address: "::".parse().unwrap(), prefix: 0 }.contains("2001:db8::1".parse().unwrap()));
    }

    #[test]
    fn a_direction_reversed_twice_is_itself() {
        for direction in [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive] {
            assert_eq!(direction.reversed().reversed(), direction);
        }
        assert_eq!(Direction::SendOnly.reversed(), Direction::RecvOnly);
    }
}
