//! SRTP of a leg: what it sends is protected, what it receives is authenticated before anything is believed of it.

use super::super::outbox::{Envelope, Outbox};
use crate::rtp::srtp::{MAX_RTCP_OVERHEAD, MAX_RTP_OVERHEAD, Protector, SrtpError, Unprotector};
use crate::types::SrtpKey;

/// The sending side.
#[derive(Debug)]
pub(crate) struct Sealing {
    key: SrtpKey,
    protector: Protector,
}

impl Sealing {
    fn new(key: &SrtpKey) -> Box<Self> {
        Box::new(Self { key: key.clone(), protector: Protector::new(key) })
    }

    /// Takes over what was negotiated. Under the same key counting goes on: no index may be used twice.
    pub(crate) fn follow(sealing: &mut Option<Box<Self>>, key: Option<&SrtpKey>) {
        match (sealing.as_mut(), key) {
            (_, None) => *sealing = None,
            (None, Some(key)) => *sealing = Some(Self::new(key)),
            (Some(sealing), Some(key)) if sealing.key != *key => {
                sealing.protector = sealing.protector.rekeyed(key);
                sealing.key = key.clone();
            }
            _ => {}
        }
    }

    /// Sends an RTP packet. One that cannot be protected is not sent.
    pub(crate) fn send_rtp(&mut self, envelope: Envelope, head: &[u8], payload: &[u8], outbox: &mut Outbox) {
        outbox.push_sealed(envelope, [head, payload], MAX_RTP_OVERHEAD, |buffer, length| {
            self.protector.protect_rtp(buffer, length).ok()
        });
    }

    /// Sends an RTCP packet.
    pub(crate) fn send_rtcp(&mut self, envelope: Envelope, report: &[u8], outbox: &mut Outbox) {
        outbox.push_sealed(envelope, [report, &[]], MAX_RTCP_OVERHEAD, |buffer, length| {
            self.protector.protect_rtcp(buffer, length).ok()
        });
    }
}

/// The receiving side.
#[derive(Debug)]
pub(crate) struct Opening {
    key: SrtpKey,
    unprotector: Unprotector,
    /// Under the key of before, whose packets are still on their way until one under the new key has come.
    before: Option<Box<Unprotector>>,
}

impl Opening {
    pub(crate) fn new(key: &SrtpKey) -> Box<Self> {
        Box::new(Self { key: key.clone(), unprotector: Unprotector::new(key), before: None })
    }

    /// Takes over what was negotiated. Under the same key what was received stays so.
    pub(crate) fn follow(opening: &mut Option<Box<Self>>, key: Option<&SrtpKey>) {
        match (opening.as_mut(), key) {
            (_, None) => *opening = None,
            (None, Some(key)) => *opening = Some(Self::new(key)),
            (Some(opening), Some(key)) if opening.key != *key => {
                let next = opening.unprotector.rekeyed(key);
                opening.before = Some(Box::new(std::mem::replace(&mut opening.unprotector, next)));
                opening.key = key.clone();
            }
            _ => {}
        }
    }

    /// Opens a packet in place and gives its new length.
    pub(crate) fn open(&mut self, is_rtcp: bool, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let mut open = |unprotector: &mut Unprotector| {
            if is_rtcp { unprotector.unprotect_rtcp(packet) } else { unprotector.unprotect_rtp(packet) }
        };
        let opened = open(&mut self.unprotector);
        if let (Err(SrtpError::Forged | SrtpError::Malformed), Some(before)) = (opened, &mut self.before) {
            return open(before);
        }
        if opened.is_ok() && self.before.is_some() {
            self.before = None;
        }
        opened
    }
}
