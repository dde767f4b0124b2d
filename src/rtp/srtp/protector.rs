//! What we send.

use super::cipher::{Cipher, Nonce, Role};
use super::index::{self, estimate, rollover};
use super::window::Sources;
use super::{SrtpError, rtcp_source, rtp_header_len, rtp_source};
use crate::types::SrtpKey;
use std::fmt;

/// The E bit of the RTCP index word: the packet is encrypted.
const ENCRYPTED: u32 = 1 << 31;

/// Seals packets under our master key.
///
/// No index is used twice under one key: a packet whose sequence number is not after the ones before is refused.
pub struct Protector {
    rtp: Cipher,
    rtcp: Cipher,
    /// The last index of each source.
    rtp_sources: Sources<u64>,
    /// The index word to come, of all sources together: so each has its own.
    rtcp_index: u32,
    /// The last indices under the key before.
    carried: Sources<u64>,
}

impl Protector {
    /// A protector for packets under `key`. Its MKI, if it has one, is not written: none of ours has.
    #[must_use]
    pub fn new(key: &SrtpKey) -> Self {
        Self {
            rtp: Cipher::new(key, Role::Rtp),
            rtcp: Cipher::new(key, Role::Rtcp),
            rtp_sources: Sources::default(),
            rtcp_index: 1,
            carried: Sources::default(),
        }
    }

    /// A protector under a new key; the rollover counters go on (RFC 3711 section 3.3.1).
    #[must_use]
    pub fn rekeyed(&self, key: &SrtpKey) -> Self {
        let mut carried = self.carried.clone();
        for (ssrc, last) in self.rtp_sources.iter() {
            carried.add(*ssrc, *last);
        }
        Self { carried, ..Self::new(key) }
    }

    /// Goes on under this key after another one, under which `between` sent: what was counted under this key is not
    /// counted again, and the rollover counters are where `between` has them.
    pub fn resume(&mut self, between: &Self) {
        for (ssrc, last) in between.carried.iter().chain(between.rtp_sources.iter()) {
            let known = self.rtp_sources.get(*ssrc).is_some();
            let sources = if known { &mut self.rtp_sources } else { &mut self.carried };
            match sources.get_mut(*ssrc) {
                Some(before) => *before = (*before).max(*last),
                None => sources.add(*ssrc, *last),
            }
        }
    }

    /// Protects the RTP packet in the first `length` octets of `buffer`, which has room for
    /// [`MAX_RTP_OVERHEAD`](super::MAX_RTP_OVERHEAD) more. Gives its new length.
    ///
    /// # Errors
    /// It is no RTP packet, there is no room, too many sources, or its index is used up; the packet is not to be sent.
    pub fn protect_rtp(&mut self, buffer: &mut [u8], length: usize) -> Result<usize, SrtpError> {
        let packet = buffer.get(..length).ok_or(SrtpError::NoRoom)?;
        let header = rtp_header_len(packet).ok_or(SrtpError::Malformed)?;
        let (sequence, ssrc) = rtp_source(packet).ok_or(SrtpError::Malformed)?;
        let last = self.rtp_sources.get(ssrc).copied();
        let index = match last.or_else(|| self.carried.get(ssrc).copied()) {
            Some(last) => estimate(last, sequence).filter(|index| *index > last).ok_or(SrtpError::Exhausted)?,
            None if self.rtp_sources.is_full() => return Err(SrtpError::TooManySources),
            None => u64::from(sequence),
        };
        debug_assert!(index < index::END);
        let tag_len = self.rtp.tag_len();
        let end = length + tag_len;
        if buffer.len() < end {
            return Err(SrtpError::NoRoom);
        }
        let (packet, rest) = buffer.split_at_mut(length);
        let (head, payload) = packet.split_at_mut(header);
        let tag = self.rtp.seal(Nonce::Rtp { ssrc, index }, head, payload, rollover(index).to_be_bytes())?;
        rest[..tag_len].copy_from_slice(&tag[..tag_len]);
        match self.rtp_sources.get_mut(ssrc) {
            Some(last) => *last = index,
            None => self.rtp_sources.add(ssrc, index),
        }
        Ok(end)
    }

    /// Protects the RTCP packet in the first `length` octets of `buffer`, which has room for
    /// [`MAX_RTCP_OVERHEAD`](super::MAX_RTCP_OVERHEAD) more. Gives its new length.
    ///
    /// # Errors
    /// It is no RTCP packet, there is no room, or all 2^31 indices are used up; the packet is not to be sent.
    pub fn protect_rtcp(&mut self, buffer: &mut [u8], length: usize) -> Result<usize, SrtpError> {
        let packet = buffer.get(..length).ok_or(SrtpError::NoRoom)?;
        let ssrc = rtcp_source(packet).ok_or(SrtpError::Malformed)?;
        let index = self.rtcp_index;
        if index >= ENCRYPTED {
            return Err(SrtpError::Exhausted);
        }
        let tag_len = self.rtcp.tag_len();
        let end = length + tag_len + 4;
        if buffer.len() < end {
            return Err(SrtpError::NoRoom);
        }
        let (packet, rest) = buffer.split_at_mut(length);
        let (head, payload) = packet.split_at_mut(8);
        let word = (index | ENCRYPTED).to_be_bytes();
        let tag = self.rtcp.seal(Nonce::Rtcp { ssrc, index }, head, payload, word)?;
        let (first, second) =
            if self.rtcp.is_aead() { (&tag[..tag_len], &word[..]) } else { (&word[..], &tag[..tag_len]) };
        rest[..first.len()].copy_from_slice(first);
        rest[first.len()..first.len() + second.len()].copy_from_slice(second);
        self.rtcp_index += 1;
        Ok(end)
    }

    #[cfg(test)]
    pub(super) fn with(rtp: Cipher, rtcp: Cipher, rtcp_index: u32) -> Self {
        Self { rtp, rtcp, rtp_sources: Sources::default(), rtcp_index, carried: Sources::default() }
    }
}

impl fmt::Debug for Protector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protector").field("rtcp_index", &self.rtcp_index).finish_non_exhaustive()
    }
}
