//! SRTP of a leg: what it sends is protected, what it receives is authenticated before anything is believed of it.

use super::super::outbox::{Envelope, Outbox};
use crate::rtp::srtp::{MAX_RTCP_OVERHEAD, MAX_RTP_OVERHEAD, Protector, SrtpError, Unprotector};
use crate::types::SrtpKey;

/// Keys of before that are remembered: more than a call has at once, one for each suite. Those of an agreement that
/// another one replaced do not come again, so the oldest may be forgotten.
const KEYS_KEPT: usize = 8;

/// The sending side.
///
/// The answers of a call that forked may go from key to key and back, or to none and back, before one of them stands.
/// Under each key counting goes on where it was: no index may be used twice.
#[derive(Debug)]
pub(super) struct SrtpSender {
    key: SrtpKey,
    protector: Protector,
    /// The stream is not SRTP for now.
    rests: bool,
    /// Keys of before, with what was counted under them.
    spent: Vec<(SrtpKey, Protector)>,
}

impl SrtpSender {
    fn new(key: &SrtpKey) -> Box<Self> {
        Box::new(Self { key: key.clone(), protector: Protector::new(key), rests: false, spent: Vec::new() })
    }

    /// What protects the stream now, if it is SRTP.
    pub(super) fn awake(srtp: &mut Option<Box<Self>>) -> Option<&mut Self> {
        srtp.as_deref_mut().filter(|srtp| !srtp.rests)
    }

    /// Takes over what was negotiated.
    pub(super) fn renegotiate(srtp: &mut Option<Box<Self>>, key: Option<&SrtpKey>) {
        match (srtp.as_mut(), key) {
            (None, None) => {}
            (Some(srtp), None) => srtp.rests = true,
            (None, Some(key)) => *srtp = Some(Self::new(key)),
            (Some(srtp), Some(key)) => {
                srtp.rests = false;
                if srtp.key != *key {
                    srtp.change_key(key);
                }
            }
        }
    }

    fn change_key(&mut self, key: &SrtpKey) {
        let next = match self.spent.iter().position(|(spent, _)| spent == key) {
            Some(at) => {
                let (_, mut protector) = self.spent.remove(at);
                protector.resume(&self.protector);
                protector
            }
            None => self.protector.rekeyed(key),
        };
        let before = std::mem::replace(&mut self.protector, next);
        self.spent.push((std::mem::replace(&mut self.key, key.clone()), before));
        if self.spent.len() > KEYS_KEPT {
            self.spent.remove(0);
        }
    }

    /// Sends an RTP packet. One that cannot be protected is not sent.
    pub(super) fn send_rtp(&mut self, envelope: Envelope, head: &[u8], payload: &[u8], outbox: &mut Outbox) {
        outbox.push_sealed(envelope, [head, payload], MAX_RTP_OVERHEAD, |buffer, length| {
            self.protector.protect_rtp(buffer, length).ok()
        });
    }

    /// Sends an RTCP packet.
    pub(super) fn send_rtcp(&mut self, envelope: Envelope, report: &[u8], outbox: &mut Outbox) {
        outbox.push_sealed(envelope, [report, &[]], MAX_RTCP_OVERHEAD, |buffer, length| {
            self.protector.protect_rtcp(buffer, length).ok()
        });
    }
}

/// The receiving side.
#[derive(Debug)]
pub(super) struct SrtpReceiver {
    key: SrtpKey,
    unprotector: Unprotector,
    /// Under the key of before, whose packets are still on their way.
    before: Option<Box<Unprotector>>,
    /// One under the new key has come: those of before are not taken any more. Memory is given back with the next keys,
    /// since this is found out in a tick.
    has_changed: bool,
}

impl SrtpReceiver {
    pub(super) fn new(key: &SrtpKey) -> Box<Self> {
        Box::new(Self { key: key.clone(), unprotector: Unprotector::new(key), before: None, has_changed: false })
    }

    /// Takes over what was negotiated. Under the same key what was received stays so.
    pub(super) fn renegotiate(srtp: &mut Option<Box<Self>>, key: Option<&SrtpKey>) {
        match (srtp.as_mut(), key) {
            (_, None) => *srtp = None,
            (None, Some(key)) => *srtp = Some(Self::new(key)),
            (Some(srtp), Some(key)) if srtp.key != *key => {
                let next = srtp.unprotector.rekeyed(key);
                srtp.before = Some(Box::new(std::mem::replace(&mut srtp.unprotector, next)));
                srtp.key = key.clone();
                srtp.has_changed = false;
            }
            _ => {}
        }
    }

    /// Opens a packet in place and gives its new length.
    pub(super) fn open(&mut self, is_rtcp: bool, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let mut open = |unprotector: &mut Unprotector| {
            if is_rtcp { unprotector.unprotect_rtcp(packet) } else { unprotector.unprotect_rtp(packet) }
        };
        let opened = open(&mut self.unprotector);
        let before = self.before.as_deref_mut().filter(|_| !self.has_changed);
        if let (Err(SrtpError::Forged | SrtpError::Malformed), Some(before)) = (opened, before) {
            return open(before);
        }
        self.has_changed |= opened.is_ok();
        opened
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::SrtpSuite;

    fn key(octet: u8) -> SrtpKey {
        SrtpKey::new(SrtpSuite::AesCm128HmacSha1_80, &[octet; 30]).unwrap()
    }

    /// The index of the next report.
    fn report(srtp: &mut Option<Box<SrtpSender>>) -> Option<u32> {
        let mut buffer = [0; 64];
        buffer[..8].copy_from_slice(&[0x80, 201, 0, 1, 0, 0, 0, 9]);
        let length = SrtpSender::awake(srtp)?.protector.protect_rtcp(&mut buffer, 8).unwrap();
        let word = buffer[..length - 10].last_chunk::<4>().unwrap();
        Some(u32::from_be_bytes(*word) & 0x7fff_ffff)
    }

    #[test]
    fn a_key_that_comes_back_goes_on_counting() {
        let (one, two) = (key(1), key(2));
        let mut srtp = None;
        let mut follow = |key: Option<&SrtpKey>| {
            SrtpSender::renegotiate(&mut srtp, key);
            report(&mut srtp)
        };
        assert_eq!(follow(None), None);
        assert_eq!((follow(Some(&one)), follow(Some(&one))), (Some(1), Some(2)));
        // Another fork has another suite, a third one none at all; then the first answers.
        assert_eq!(follow(Some(&two)), Some(1));
        assert_eq!(follow(None), None);
        assert_eq!(follow(Some(&one)), Some(3));
        assert_eq!(follow(Some(&two)), Some(2));
        assert_eq!(follow(None), None);
        assert_eq!(follow(Some(&two)), Some(3));
    }

    #[test]
    fn what_was_counted_under_keys_of_before_stays_bounded() {
        let mut srtp = None;
        for octet in 0..100 {
            SrtpSender::renegotiate(&mut srtp, Some(&key(octet)));
        }
        assert_eq!(srtp.unwrap().spent.len(), KEYS_KEPT);
    }
}
