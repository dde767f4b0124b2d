//! Where we send and whom we believe where nothing but the packets tells, two different things.
//!
//! We send to the address of the SDP until a valid source is learned (symmetric RTP, RFC 4961). We accept the first
//! valid sender within the accepted networks and lock to it. Learning opens again after an SDP with another address,
//! and when the locked source fell silent and another sender within the same networks speaks. The address of the SDP
//! itself may take the lock back at any time: whoever else got it first, or while its owner was silent, does not keep
//! it. Everything else is foreign.
//!
//! RTCP goes to where valid reports come from, if that is the locked source's host; to another port of it only after
//! the one before fell silent.

use crate::types::{MediaParameters, Network};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// How long the locked source must have been silent before another one may take its place.
pub(crate) const REOPEN_AFTER: Duration = Duration::from_millis(500);
/// How long a learned source of RTCP must have been silent before another port may take its place: three reports.
const RTCP_REOPEN_AFTER: Duration = Duration::from_secs(15);
/// How long after a new address in the SDP the source of before is heard without being locked to again.
const HANDOVER: Duration = Duration::from_secs(1);

/// Whom packets come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// The first valid sender will be locked to.
    Open,
    /// A new SDP named another address: whoever spoke before is heard on, and the first other sender is locked to.
    Handover { before: SocketAddr, since: Instant },
    /// Only this sender is heard.
    Locked { address: SocketAddr, heard: Instant },
}

/// What became of a packet's source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Believed, from where it came before (or the first since the SDP named this address).
    Accepted,
    /// Believed, from another address than before.
    Moved,
    /// To be dropped and counted.
    Foreign,
}

/// The addresses of a leg that locks to whom it hears.
#[derive(Debug, Clone)]
pub(crate) struct Latching {
    negotiated_rtp: Option<SocketAddr>,
    negotiated_rtcp: Option<SocketAddr>,
    rtcp_mux: bool,
    accept: Vec<Network>,
    /// The SDP names no address for now (hold by c=0.0.0.0): nothing is sent, and what was learned is kept for later.
    held: bool,
    source: Source,
    /// Learned from accepted packets; kept over a new SDP with the old address (it may be behind a NAT).
    learned_rtp: Option<SocketAddr>,
    /// And when it was heard last.
    learned_rtcp: Option<(SocketAddr, Instant)>,
}

impl Latching {
    pub(crate) fn new(parameters: &MediaParameters) -> Self {
        Self {
            negotiated_rtp: parameters.remote_rtp,
            negotiated_rtcp: parameters.remote_rtcp,
            rtcp_mux: parameters.rtcp_mux,
            accept: networks(parameters),
            held: false,
            source: Source::Open,
            learned_rtp: None,
            learned_rtcp: None,
        }
    }

    /// Takes over a new SDP. Under the same address whoever is locked to stays so; under another one learning opens
    /// again.
    pub(crate) fn update(&mut self, now: Instant, parameters: &MediaParameters) {
        self.held = parameters.remote_rtp.is_none() && self.negotiated_rtp.is_some();
        if self.held {
            return;
        }
        let before = match self.source {
            Source::Open => None,
            Source::Handover { before, .. } => Some(before),
            Source::Locked { address, .. } => Some(address),
        };
        let same_address = parameters.remote_rtp == self.negotiated_rtp;
        if parameters.remote_rtcp != self.negotiated_rtcp {
            self.learned_rtcp = None;
        }
        self.negotiated_rtp = parameters.remote_rtp;
        self.negotiated_rtcp = parameters.remote_rtcp;
        self.rtcp_mux = parameters.rtcp_mux;
        self.accept = networks(parameters);
        let is_believed = before.is_none_or(|before| self.accepts(before.ip()));
        if !same_address || !is_believed {
            self.source = before.map_or(Source::Open, |before| Source::Handover { before, since: now });
            self.learned_rtp = None;
            self.learned_rtcp = None;
        }
    }

    /// Judges the source of a packet that is valid RTP in itself, and learns from it.
    pub(crate) fn judge_rtp(&mut self, now: Instant, address: SocketAddr) -> Verdict {
        if !self.believes_rtp(now, address) {
            return Verdict::Foreign;
        }
        match &mut self.source {
            Source::Locked { address: locked, heard } if *locked == address => {
                *heard = (*heard).max(now);
                return Verdict::Accepted;
            }
            Source::Handover { before, since } if *before == address => {
                let goes_on_alone = now.saturating_duration_since(*since) > HANDOVER;
                if !goes_on_alone && Some(address) != self.negotiated_rtp {
                    return Verdict::Accepted;
                }
            }
            _ => {}
        }
        self.source = Source::Locked { address, heard: now };
        let before = self.learned_rtp.replace(address);
        self.learned_rtcp = self.learned_rtcp.filter(|(rtcp, _)| rtcp.ip() == address.ip());
        if before.is_some_and(|before| before != address) { Verdict::Moved } else { Verdict::Accepted }
    }

    /// Whether [`Latching::judge_rtp`] would believe such a packet. Learns nothing.
    pub(crate) fn believes_rtp(&self, now: Instant, address: SocketAddr) -> bool {
        match self.source {
            Source::Locked { address: locked, .. } if locked == address => true,
            Source::Locked { heard, .. }
                if now.saturating_duration_since(heard) < REOPEN_AFTER && Some(address) != self.negotiated_rtp =>
            {
                false
            }
            _ => self.accepts(address.ip()),
        }
    }

    /// Whether this is the source that is heard; it is noted as still there.
    pub(crate) fn is_source(&mut self, now: Instant, address: SocketAddr) -> bool {
        match &mut self.source {
            Source::Locked { address: locked, heard } if *locked == address => {
                *heard = (*heard).max(now);
                true
            }
            _ => false,
        }
    }

    /// Whether RTCP is believed from there: it must come from where the RTP comes from, port apart, or from where the
    /// SDP says. Learns nothing.
    pub(crate) fn believes_rtcp(&self, address: SocketAddr) -> bool {
        let negotiated = [self.negotiated_rtp, self.negotiated_rtcp].into_iter().flatten();
        let is_negotiated = || negotiated.map(|known| known.ip()).any(|known| known == address.ip());
        match self.source {
            Source::Locked { address: locked, .. } if locked.ip() == address.ip() => true,
            Source::Handover { before, .. } if before.ip() == address.ip() => self.accepts(address.ip()),
            Source::Locked { .. } | Source::Handover { .. } => is_negotiated() && self.accepts(address.ip()),
            Source::Open => self.accepts(address.ip()),
        }
    }

    /// Learns from an RTCP packet that is believed and valid (and authentic, with SRTP) where reports go.
    pub(crate) fn learn_rtcp(&mut self, now: Instant, address: SocketAddr) {
        // Only beside a locked RTP source: RTCP alone must not turn our reports to somebody else.
        let Source::Locked { address: locked, .. } = self.source else { return };
        let is_negotiated = Some(address) == self.negotiated_rtcp;
        if self.rtcp_mux || (locked.ip() != address.ip() && !is_negotiated) {
            return;
        }
        let is_taken = self.learned_rtcp.is_some_and(|(learned, heard)| {
            learned != address && now.saturating_duration_since(heard) < RTCP_REOPEN_AFTER
        });
        if is_negotiated || !is_taken {
            self.learned_rtcp = Some((address, now));
        }
    }

    /// Where RTP goes, once anything is known.
    pub(crate) fn rtp_destination(&self) -> Option<SocketAddr> {
        if self.held { None } else { self.learned_rtp.or(self.negotiated_rtp) }
    }

    /// Where RTCP goes.
    pub(crate) fn rtcp_destination(&self) -> Option<SocketAddr> {
        if self.held {
            None
        } else if self.rtcp_mux {
            self.rtp_destination()
        } else {
            self.learned_rtcp.map(|(address, _)| address).or(self.negotiated_rtcp)
        }
    }

    /// Whether RTCP shares the RTP port (RFC 5761).
    pub(crate) fn rtcp_mux(&self) -> bool {
        self.rtcp_mux
    }

    fn accepts(&self, address: IpAddr) -> bool {
        self.accept.iter().any(|network| network.contains(address))
    }
}

/// The networks media is believed from: those given, or the host of the SDP.
fn networks(parameters: &MediaParameters) -> Vec<Network> {
    if parameters.accept_from.is_empty() {
        parameters.remote_rtp.iter().map(|address| Network::host(address.ip())).collect()
    } else {
        parameters.accept_from.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::AudioCodec;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn parameters(remote: &str) -> MediaParameters {
        MediaParameters {
            accept_from: vec![Network { address: address(remote).ip(), prefix: 24 }],
            ..MediaParameters::plain(address(remote), AudioCodec::Pcmu, 0)
        }
    }

    #[test]
    fn we_send_to_the_sdp_until_a_valid_source_is_learned() {
        let now = crate::test_clock();
        let mut transport = Latching::new(&parameters("192.0.2.1:4000"));
        assert_eq!(transport.rtp_destination(), Some(address("192.0.2.1:4000")));
        assert_eq!(transport.judge_rtp(now, address("198.51.100.1:4000")), Verdict::Foreign);
        assert_eq!(transport.rtp_destination(), Some(address("192.0.2.1:4000")));
        assert_eq!(transport.judge_rtp(now, address("192.0.2.9:62000")), Verdict::Accepted);
        assert_eq!(transport.rtp_destination(), Some(address("192.0.2.9:62000")));
        assert_eq!(transport.rtcp_destination(), Some(address("192.0.2.1:4001")));
    }

    #[test]
    fn a_second_sender_is_foreign_until_the_first_fell_silent() {
        let now = crate::test_clock();
        let mut transport = Latching::new(&parameters("192.0.2.1:4000"));
        assert_eq!(transport.judge_rtp(now, address("192.0.2.1:4008")), Verdict::Accepted);
        let soon = now + Duration::from_millis(400);
        assert_eq!(transport.judge_rtp(soon, address("192.0.2.1:4002")), Verdict::Foreign);
        let later = now + Duration::from_millis(600);
        assert_eq!(transport.judge_rtp(later, address("198.51.100.7:4002")), Verdict::Foreign);
        assert_eq!(transport.judge_rtp(later, address("192.0.2.1:4002")), Verdict::Moved);
        assert_eq!(transport.judge_rtp(later, address("192.0.2.1:4008")), Verdict::Foreign);
        assert_eq!(transport.rtp_destination(), Some(address("192.0.2.1:4002")));
    }

    #[test]
    fn a_new_sdp_with_the_same_address_keeps_the_learned_destination() {
        let now = crate::test_clock();
        let mut transport = Latching::new(&parameters("192.0.2.1:4000"));
        transport.judge_rtp(now, address("192.0.2.8:1234"));
        transport.update(now, &parameters("192.0.2.1:4000"));
        assert_eq!(transport.rtp_destination(), Some(address("192.0.2.8:1234")));
        assert_eq!(transport.judge_rtp(now, address("192.0.2.9:1234")), Verdict::Foreign);
        assert_eq!(transport.judge_rtp(now, address("192.0.2.8:1234")), Verdict::Accepted);
    }

    #[test]
    fn the_address_of_the_sdp_takes_the_lock_back_from_whoever_has_it() {
        let now = crate::test_clock();
        let mut transport = Latching::new(&parameters("192.0.2.1:4000"));
        assert_eq!(transport.judge_rtp(now, address("192.0.2.66:6000")), Verdict::Accepted);
        assert_eq!(transport.judge_rtp(now, address("192.0.2.1:4000")), Verdict::Moved);
        for n in 1..100 {
            let now = now + Duration::from_millis(20) * n;
            assert_eq!(transport.judge_rtp(now, address("192.0.2.66:6000")), Verdict::Foreign);
            assert_eq!(transport.judge_rtp(now, address("192.0.2.1:4000")), Verdict::Accepted);
        }
        // While it is silent another one may speak, until it is back.
        let later = now + Duration::from_secs(10);
        assert_eq!(transport.judge_rtp(later, address("192.0.2.66:6000")), Verdict::Moved);
        assert_eq!(transport.judge_rtp(later, address("192.0.2.1:4000")), Verdict::Moved);
        assert_eq!(transport.rtp_destination(), Some(address("192.0.2.1:4000")));
    }

    #[test]
    fn what_teaches_nothing_keeps_the_lock_all_the_same() {
        let now = crate::test_clock();
        let mut transport = Latching::new(&parameters("192.0.2.1:4000"));
        transport.judge_rtp(now, address("192.0.2.8:1234"));
        transport.is_source(now + Duration::from_millis(400), address("192.0.2.8:1234"));
        let later = now + Duration::from_millis(700);
        assert_eq!(transport.judge_rtp(later, address("192.0.2.66:6000")), Verdict::Foreign);
    }

    #[test]
    fn a_source_that_new_networks_leave_out_is_not_kept() {
        let now = crate::test_clock();
        let mut transport = Latching::new(&parameters("192.0.2.1:4000"));
        transport.judge_rtp(now, address("192.0.2.8:1234"));
        let narrow = MediaParameters { accept_from: vec![], ..parameters("192.0.2.1:4000") };
        transport.update(now, &narrow);
        assert_eq!(transport.judge_rtp(now, address("192.0.2.8:1234")), Verdict::Foreign);
        assert_eq!(transport.rtp_destination(), Some(address("192.0.2.1:4000")));
    }

    #[test]
    fn a_hold_without_an_address_sends_nothing_and_forgets_nothing() {
        let now = crate::test_clock();
        let mut transport = Latching::new(&parameters("192.0.2.1:4000"));
        transport.judge_rtp(now, address("192.0.2.8:1234"));
        let held = MediaParameters { remote_rtp: None, remote_rtcp: None, ..parameters("192.0.2.1:4000") };
        transport.update(now, &held);
        assert_eq!((transport.rtp_destination(), transport.rtcp_destination()), (None, None));
        transport.update(now, &parameters("192.0.2.1:4000"));
        assert_eq!(transport.rtp_destination(), Some(address("192.0.2.8:1234")));
    }

    #[test]
    fn after_a_new_address_late_packets_of_the_old_source_do_not_lock() {
        let now = crate::test_clock();
        let mut transport = Latching::new(&parameters("192.0.2.1:4000"));
        transport.judge_rtp(now, address("192.0.2.1:4000"));
        transport.update(now, &parameters("192.0.2.5:5000"));
        assert_eq!(transport.rtp_destination(), Some(address("192.0.2.5:5000")));
        assert_eq!(transport.judge_rtp(now, address("192.0.2.1:4000")), Verdict::Accepted);
        assert_eq!(transport.rtp_destination(), Some(address("192.0.2.5:5000")));
        assert_eq!(transport.judge_rtp(now, address("192.0.2.5:5000")), Verdict::Accepted);
        assert_eq!(transport.judge_rtp(now, address("192.0.2.1:4000")), Verdict::Foreign);
    }

    #[test]
    fn an_old_source_that_goes_on_alone_is_taken_back() {
        let now = crate::test_clock();
        let mut transport = Latching::new(&parameters("192.0.2.1:4000"));
        transport.judge_rtp(now, address("192.0.2.1:4000"));
        transport.update(now, &parameters("192.0.2.5:5000"));
        let later = now + Duration::from_millis(1_500);
        assert_eq!(transport.judge_rtp(later, address("192.0.2.1:4000")), Verdict::Accepted);
        assert_eq!(transport.rtp_destination(), Some(address("192.0.2.1:4000")));
    }

    #[test]
    fn rtcp_is_believed_from_the_host_of_the_rtp_only() {
        let now = crate::test_clock();
        let mut transport = Latching::new(&parameters("192.0.2.1:4000"));
        transport.judge_rtp(now, address("192.0.2.1:4000"));
        assert!(!transport.believes_rtcp(address("192.0.2.2:4001")));
        assert!(transport.believes_rtcp(address("192.0.2.1:4009")));
        assert_eq!(transport.rtcp_destination(), Some(address("192.0.2.1:4001")));
        transport.learn_rtcp(now, address("192.0.2.1:4009"));
        assert_eq!(transport.rtcp_destination(), Some(address("192.0.2.1:4009")));
    }

    #[test]
    fn reports_stay_with_the_port_that_sends_them_and_go_back_to_that_of_the_sdp() {
        let now = crate::test_clock();
        let mut transport = Latching::new(&parameters("192.0.2.1:4000"));
        // Before any RTP nothing is learned of RTCP.
        transport.learn_rtcp(now, address("192.0.2.1:4009"));
        assert_eq!(transport.rtcp_destination(), Some(address("192.0.2.1:4001")));
        transport.judge_rtp(now, address("192.0.2.1:4000"));
        transport.learn_rtcp(now, address("192.0.2.1:4009"));
        transport.learn_rtcp(now + Duration::from_secs(5), address("192.0.2.1:6666"));
        assert_eq!(transport.rtcp_destination(), Some(address("192.0.2.1:4009")));
        transport.learn_rtcp(now + Duration::from_secs(15), address("192.0.2.1:6666"));
        assert_eq!(transport.rtcp_destination(), Some(address("192.0.2.1:6666")));
        transport.learn_rtcp(now + Duration::from_secs(16), address("192.0.2.1:4001"));
        assert_eq!(transport.rtcp_destination(), Some(address("192.0.2.1:4001")));
        // Under another host nothing of it is left.
        transport.learn_rtcp(now + Duration::from_secs(17), address("192.0.2.5:4001"));
        assert_eq!(transport.rtcp_destination(), Some(address("192.0.2.1:4001")));
    }

    #[test]
    fn without_networks_only_the_host_of_the_sdp_is_believed() {
        let now = crate::test_clock();
        let mut transport = Latching::new(&MediaParameters { accept_from: vec![], ..parameters("192.0.2.1:4000") });
        assert_eq!(transport.judge_rtp(now, address("192.0.2.2:4000")), Verdict::Foreign);
        assert_eq!(transport.judge_rtp(now, address("192.0.2.1:9999")), Verdict::Accepted);
    }
}
