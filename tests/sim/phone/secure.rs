//! A phone's SRTP.

use super::description::{Local, Remote};
use bytes::Bytes;
use partyline::rtp::packet;
use partyline::rtp::srtp::{MAX_RTCP_OVERHEAD, MAX_RTP_OVERHEAD, Protector, Unprotector};
use partyline::types::SrtpKey;

/// Both directions, each with its key.
pub(crate) struct Secure {
    ours: SrtpKey,
    pub(crate) theirs: SrtpKey,
    protector: Protector,
    unprotector: Unprotector,
}

impl Secure {
    /// Takes over the keys of both descriptions, if both have any under one tag. A direction whose key is new begins
    /// anew, as most phones do it.
    pub(crate) fn follow(secure: &mut Option<Self>, local: &Local, remote: Option<&Remote>) {
        let agreed = local.key.as_ref().zip(remote).and_then(|((tag, ours), remote)| {
            let theirs = remote.keys.iter().find(|(their_tag, key)| their_tag == tag && key.suite() == ours.suite())?;
            Some((ours, &theirs.1))
        });
        let Some((ours, theirs)) = agreed else {
            *secure = None;
            return;
        };
        let new = || Self {
            ours: ours.clone(),
            theirs: theirs.clone(),
            protector: Protector::new(ours),
            unprotector: Unprotector::new(theirs),
        };
        let secure = secure.get_or_insert_with(new);
        if secure.ours != *ours {
            (secure.ours, secure.protector) = (ours.clone(), Protector::new(ours));
        }
        if secure.theirs != *theirs {
            (secure.theirs, secure.unprotector) = (theirs.clone(), Unprotector::new(theirs));
        }
    }

    pub(crate) fn seal(&mut self, bytes: &Bytes) -> Bytes {
        let mut buffer = bytes.to_vec();
        buffer.resize(bytes.len() + MAX_RTP_OVERHEAD.max(MAX_RTCP_OVERHEAD), 0);
        let length = if packet::is_rtcp(bytes) {
            self.protector.protect_rtcp(&mut buffer, bytes.len())
        } else {
            self.protector.protect_rtp(&mut buffer, bytes.len())
        };
        let length = length.expect("a packet that can be protected");
        buffer.truncate(length);
        buffer.into()
    }

    pub(crate) fn open(&mut self, bytes: &Bytes) -> Option<Bytes> {
        let mut buffer = bytes.to_vec();
        let length = if packet::is_rtcp(bytes) {
            self.unprotector.unprotect_rtcp(&mut buffer)
        } else {
            self.unprotector.unprotect_rtp(&mut buffer)
        };
        buffer.truncate(length.ok()?);
        Some(buffer.into())
    }
}
