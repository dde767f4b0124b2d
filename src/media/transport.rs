//! How a leg's packets come and go: which path they take, and what opens and seals them.

mod latching;
mod security;

use self::latching::Latching;
use self::security::{SrtpReceiver, SrtpSender};
use super::outbox::{Envelope, Outbox, PacketKind, Who};
use crate::rtp::packet;
use crate::rtp::srtp::SrtpError;
use crate::types::MediaParameters;
use std::net::SocketAddr;
use std::time::Instant;

pub(crate) use latching::Verdict;

/// The transport of one leg.
///
/// [`Transport::receive`] opens what came; whether its source is believed is asked for when more is known of it.
#[derive(Debug)]
pub(crate) struct Transport {
    path: Path,
    /// Where the stream is SRTP: what opens it, and what seals it.
    opens: Option<Box<SrtpReceiver>>,
    seals: Option<Box<SrtpSender>>,
}

/// Where packets go, and from where they are believed.
#[derive(Debug)]
enum Path {
    /// The SDP says, and whoever is heard.
    Latching(Latching),
}

/// Why a datagram is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dropped {
    /// From where nobody is believed.
    Foreign,
    /// Not authentic.
    Forged,
    /// Received before, or too old to tell.
    Replayed,
    /// It cannot be read.
    Invalid,
}

impl Transport {
    pub(crate) fn new(parameters: &MediaParameters) -> Self {
        let mut transport = Self { path: Path::Latching(Latching::new(parameters)), opens: None, seals: None };
        transport.change_keys(parameters);
        transport
    }

    /// Takes over what was negotiated anew.
    pub(crate) fn update(&mut self, now: Instant, parameters: &MediaParameters) {
        match &mut self.path {
            Path::Latching(latching) => latching.update(now, parameters),
        }
        self.change_keys(parameters);
    }

    fn change_keys(&mut self, parameters: &MediaParameters) {
        SrtpReceiver::renegotiate(&mut self.opens, parameters.srtp.as_ref().map(|keys| &keys.receive));
        SrtpSender::renegotiate(&mut self.seals, parameters.srtp.as_ref().map(|keys| &keys.send));
    }

    /// Takes a datagram that came on the port `kind`. Gives which stream it belongs to, and how much of it is left: SRTP is
    /// opened in place, and only what is authentic may teach us anything.
    #[inline]
    pub(crate) fn receive(
        &mut self,
        kind: PacketKind,
        arrival: Instant,
        source: SocketAddr,
        bytes: &mut [u8],
    ) -> Result<(PacketKind, usize), Dropped> {
        let is_rtcp = kind == PacketKind::Rtcp || (self.path.rtcp_mux() && packet::is_rtcp(bytes));
        let kind = if is_rtcp { PacketKind::Rtcp } else { PacketKind::Rtp };
        if self.opens.is_none() {
            return Ok((kind, bytes.len()));
        }
        self.open(kind, arrival, source, bytes).map(|length| (kind, length))
    }

    #[inline(never)]
    fn open(
        &mut self,
        kind: PacketKind,
        arrival: Instant,
        source: SocketAddr,
        bytes: &mut [u8],
    ) -> Result<usize, Dropped> {
        // From where nobody is believed anyway not even authentic packets count: they were caught and sent on.
        let is_believed = match kind {
            PacketKind::Rtp => self.believes_rtp(arrival, source),
            PacketKind::Rtcp => self.believes_rtcp(source),
        };
        let Some(opens) = self.opens.as_mut().filter(|_| is_believed) else { return Err(Dropped::Foreign) };
        opens.open(kind == PacketKind::Rtcp, bytes).map_err(|error| match error {
            SrtpError::Forged => Dropped::Forged,
            SrtpError::Replayed => Dropped::Replayed,
            _ => Dropped::Invalid,
        })
    }

    /// Judges the source of a packet that is valid RTP in itself, and learns from it.
    pub(crate) fn judge_rtp(&mut self, now: Instant, address: SocketAddr) -> Verdict {
        match &mut self.path {
            Path::Latching(latching) => latching.judge_rtp(now, address),
        }
    }

    /// Whether [`Transport::judge_rtp`] would believe such a packet. Learns nothing.
    pub(crate) fn believes_rtp(&self, now: Instant, address: SocketAddr) -> bool {
        match &self.path {
            Path::Latching(latching) => latching.believes_rtp(now, address),
        }
    }

    /// Whether this is the source that is heard; it is noted as still there.
    pub(crate) fn is_source(&mut self, now: Instant, address: SocketAddr) -> bool {
        match &mut self.path {
            Path::Latching(latching) => latching.is_source(now, address),
        }
    }

    /// Whether RTCP is believed from there. Learns nothing.
    pub(crate) fn believes_rtcp(&self, address: SocketAddr) -> bool {
        match &self.path {
            Path::Latching(latching) => latching.believes_rtcp(address),
        }
    }

    /// Learns from an RTCP packet that is believed and valid where reports go.
    pub(crate) fn learn_rtcp(&mut self, now: Instant, address: SocketAddr) {
        match &mut self.path {
            Path::Latching(latching) => latching.learn_rtcp(now, address),
        }
    }

    /// Whether it is known where RTP goes.
    pub(crate) fn is_reachable(&self) -> bool {
        self.path.rtp_destination().is_some()
    }

    /// Sends an RTP packet, made of header and payload, if it is known where to.
    #[inline]
    pub(crate) fn send_rtp(&mut self, (slot, leg): Who, head: &[u8], payload: &[u8], outbox: &mut Outbox) {
        let Some(destination) = self.path.rtp_destination() else { return };
        let envelope = Envelope { slot, leg, kind: PacketKind::Rtp, destination };
        match SrtpSender::awake(&mut self.seals) {
            None => outbox.push(envelope, head, payload),
            Some(seals) => seals.send_rtp(envelope, head, payload, outbox),
        }
    }

    /// Sends a report, if it is known where to.
    pub(crate) fn send_rtcp(&mut self, (slot, leg): Who, report: &[u8], outbox: &mut Outbox) {
        let Some(destination) = self.path.rtcp_destination() else { return };
        let kind = if self.path.rtcp_mux() { PacketKind::Rtp } else { PacketKind::Rtcp };
        let envelope = Envelope { slot, leg, kind, destination };
        match SrtpSender::awake(&mut self.seals) {
            None => outbox.push(envelope, report, &[]),
            Some(seals) => seals.send_rtcp(envelope, report, outbox),
        }
    }
}

impl Path {
    #[inline]
    fn rtcp_mux(&self) -> bool {
        match self {
            Self::Latching(latching) => latching.rtcp_mux(),
        }
    }

    #[inline]
    fn rtp_destination(&self) -> Option<SocketAddr> {
        match self {
            Self::Latching(latching) => latching.rtp_destination(),
        }
    }

    fn rtcp_destination(&self) -> Option<SocketAddr> {
        match self {
            Self::Latching(latching) => latching.rtcp_destination(),
        }
    }
}
