//! How a leg's packets come and go: which path they take, and what opens and seals them.

mod latching;
mod security;

use self::latching::Latching;
use self::security::{SrtpReceiver, SrtpSender};
use super::outbox::{Envelope, Outbox, PacketKind, Who};
use crate::rtp::packet;
use crate::rtp::srtp::SrtpError;
use crate::types::MediaParameters;
use crate::webrtc;
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
    /// ICE says, and what is authentic is believed: it comes from whom the keys were made with.
    Ice(SocketAddr),
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
    /// ICE or DTLS, which are spoken elsewhere.
    Aside,
}

impl Transport {
    pub(crate) fn new(parameters: &MediaParameters) -> Self {
        let mut transport = Self { path: Path::new(parameters), opens: None, seals: None };
        transport.change_keys(parameters);
        transport
    }

    /// Takes over what was negotiated anew.
    pub(crate) fn update(&mut self, now: Instant, parameters: &MediaParameters) {
        match (&mut self.path, Path::new(parameters)) {
            (Path::Latching(latching), Path::Latching(_)) => latching.update(now, parameters),
            (path, new) => *path = new,
        }
        self.change_keys(parameters);
    }

    fn change_keys(&mut self, parameters: &MediaParameters) {
        SrtpReceiver::renegotiate(&mut self.opens, parameters.srtp.as_ref().map(|keys| &keys.receive));
        SrtpSender::renegotiate(&mut self.seals, parameters.srtp.as_ref().map(|keys| &keys.send));
    }

    /// Takes a datagram that came on the port `kind`. Gives which stream it belongs to, and what is left of it: SRTP is
    /// opened in place, and only what is authentic may teach us anything.
    #[inline]
    pub(crate) fn receive<'a>(
        &mut self,
        kind: PacketKind,
        arrival: Instant,
        source: SocketAddr,
        bytes: &'a mut [u8],
    ) -> Result<(PacketKind, &'a [u8]), Dropped> {
        let is_rtcp = kind == PacketKind::Rtcp || (self.path.rtcp_mux() && packet::is_rtcp(bytes));
        let kind = if is_rtcp { PacketKind::Rtcp } else { PacketKind::Rtp };
        if self.opens.is_none() {
            return Ok((kind, bytes));
        }
        let length = self.open(kind, arrival, source, bytes)?;
        Ok((kind, bytes.get(..length).unwrap_or_default()))
    }

    #[inline(never)]
    fn open(
        &mut self,
        kind: PacketKind,
        arrival: Instant,
        source: SocketAddr,
        bytes: &mut [u8],
    ) -> Result<usize, Dropped> {
        if matches!(self.path, Path::Ice(_)) && !webrtc::is_media(bytes) {
            return Err(Dropped::Aside);
        }
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
            Path::Ice(_) => Verdict::Accepted,
        }
    }

    /// Whether [`Transport::judge_rtp`] would believe such a packet. Learns nothing.
    pub(crate) fn believes_rtp(&self, now: Instant, address: SocketAddr) -> bool {
        match &self.path {
            Path::Latching(latching) => latching.believes_rtp(now, address),
            Path::Ice(_) => true,
        }
    }

    /// Whether this is the source that is heard; it is noted as still there.
    pub(crate) fn is_source(&mut self, now: Instant, address: SocketAddr) -> bool {
        match &mut self.path {
            Path::Latching(latching) => latching.is_source(now, address),
            Path::Ice(_) => true,
        }
    }

    /// Whether RTCP is believed from there. Learns nothing.
    pub(crate) fn believes_rtcp(&self, address: SocketAddr) -> bool {
        match &self.path {
            Path::Latching(latching) => latching.believes_rtcp(address),
            Path::Ice(_) => true,
        }
    }

    /// Learns from an RTCP packet that is believed and valid where reports go.
    pub(crate) fn learn_rtcp(&mut self, now: Instant, address: SocketAddr) {
        if let Path::Latching(latching) = &mut self.path {
            latching.learn_rtcp(now, address);
        }
    }

    /// Whether it is known where RTP goes.
    pub(crate) fn is_reachable(&self) -> bool {
        self.path.rtp_destination().is_some()
    }

    /// By what RTP goes out now, if it is known where to.
    #[inline]
    pub(crate) fn way<'a>(&'a mut self, (slot, leg): Who, outbox: &'a mut Outbox) -> Option<Way<'a>> {
        let destination = self.path.rtp_destination()?;
        let envelope = Envelope { slot, leg, kind: PacketKind::Rtp, destination };
        Some(Way { envelope, seals: &mut self.seals, outbox })
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

/// By what a leg's RTP goes out.
pub(crate) struct Way<'a> {
    envelope: Envelope,
    seals: &'a mut Option<Box<SrtpSender>>,
    outbox: &'a mut Outbox,
}

impl Way<'_> {
    /// Sends a packet, made of header and payload.
    #[inline]
    pub(crate) fn send(&mut self, head: &[u8], payload: &[u8]) {
        match SrtpSender::awake(self.seals) {
            None => self.outbox.push(self.envelope, head, payload),
            Some(seals) => seals.send_rtp(self.envelope, head, payload, self.outbox),
        }
    }
}

impl Path {
    fn new(parameters: &MediaParameters) -> Self {
        match parameters.remote_rtp.filter(|_| parameters.ice) {
            Some(nominated) => Self::Ice(nominated),
            None => Self::Latching(Latching::new(parameters)),
        }
    }

    #[inline]
    fn rtcp_mux(&self) -> bool {
        match self {
            Self::Latching(latching) => latching.rtcp_mux(),
            Self::Ice(_) => true,
        }
    }

    #[inline]
    fn rtp_destination(&self) -> Option<SocketAddr> {
        match self {
            Self::Latching(latching) => latching.rtp_destination(),
            Self::Ice(nominated) => Some(*nominated),
        }
    }

    fn rtcp_destination(&self) -> Option<SocketAddr> {
        match self {
            Self::Latching(latching) => latching.rtcp_destination(),
            Self::Ice(nominated) => Some(*nominated),
        }
    }
}

#[cfg(test)]
mod tests;
