//! What we receive.

use super::cipher::{Cipher, Nonce, Role};
use super::index::{estimate, first_guesses, rollover};
use super::window::{Sources, Window};
use super::{SrtpError, rtcp_source, rtp_header_len, rtp_source};
use crate::types::{Mki, SrtpKey};
use std::fmt;
use std::ops::Range;

/// Opens packets under the peer's master key.
///
/// Sources are told apart by their SSRC, RTP and RTCP by their own windows of 128 packets; of each at most
/// [`MAX_SOURCES`](super::MAX_SOURCES) are kept, and only an authentic packet of another makes room for it.
pub struct Unprotector {
    rtp: Cipher,
    rtcp: Cipher,
    mki: Option<Mki>,
    rtp_windows: Sources<Window>,
    rtcp_windows: Sources<Window>,
    /// The highest RTP indices under the key before.
    carried: Sources<u64>,
}

impl Unprotector {
    /// An unprotector for packets under `key`.
    #[must_use]
    pub fn new(key: &SrtpKey) -> Self {
        Self::with(Cipher::new(key, Role::Rtp), Cipher::new(key, Role::Rtcp), key.mki())
    }

    pub(super) fn with(rtp: Cipher, rtcp: Cipher, mki: Option<Mki>) -> Self {
        let (rtp_windows, rtcp_windows, carried) = <_>::default();
        Self { rtp, rtcp, mki, rtp_windows, rtcp_windows, carried }
    }

    /// An unprotector under a new key. A source known from before goes on counting, or starts anew: both are tried.
    #[must_use]
    pub fn rekeyed(&self, key: &SrtpKey) -> Self {
        let mut next = Self { carried: self.carried.clone(), ..Self::new(key) };
        for (ssrc, window) in self.rtp_windows.iter() {
            next.carried.add(*ssrc, window.highest());
        }
        next
    }

    /// Opens an SRTP packet in place. Gives the length of the RTP packet that is left.
    ///
    /// # Errors
    /// It is no packet, not authentic or was received before. Nothing of the packet and of our state is changed then.
    pub fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let header = rtp_header_len(packet).ok_or(SrtpError::Malformed)?;
        let (sequence, ssrc) = rtp_source(packet).ok_or(SrtpError::Malformed)?;
        let body = self.body(packet, header, 0)?;
        let mut tag = [0; 20];
        let tag = copied(&mut tag, packet.get(body.tag.clone()))?;
        let (head, payload) = packet.split_at_mut(header);
        let payload = payload.get_mut(..body.end - header).ok_or(SrtpError::Malformed)?;
        let cipher = &self.rtp;
        let mut open = |index| {
            cipher.open(Nonce::Rtp { ssrc, index }, head, payload, rollover(index).to_be_bytes(), tag).map(|()| index)
        };
        if let Some(window) = self.rtp_windows.get(ssrc) {
            let index = estimate(window.highest(), sequence).ok_or(SrtpError::Forged)?;
            if window.holds(index) {
                return Err(SrtpError::Replayed);
            }
            open(index)?;
            if let Some(window) = self.rtp_windows.get_mut(ssrc) {
                window.note(index);
            }
        } else {
            let mut guesses = first_guesses(self.carried.get(ssrc).copied(), sequence);
            let index = guesses.find_map(|guess| open(guess).ok()).ok_or(SrtpError::Forged)?;
            self.rtp_windows.add(ssrc, Window::starting_with(index));
        }
        Ok(body.end)
    }

    /// Opens an SRTCP packet in place. Gives the length of the RTCP packet that is left.
    ///
    /// # Errors
    /// As [`Unprotector::unprotect_rtp`].
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let ssrc = rtcp_source(packet).ok_or(SrtpError::Malformed)?;
        let body = self.body(packet, 8, 4)?;
        let mut tag = [0; 20];
        let tag = copied(&mut tag, packet.get(body.tag.clone()))?;
        let word: [u8; 4] =
            packet.get(body.word.clone()).and_then(|word| word.try_into().ok()).ok_or(SrtpError::Malformed)?;
        let (index, encrypted) = (u32::from_be_bytes(word) & !(1 << 31), word[0] & 0x80 != 0);
        let known = self.rtcp_windows.get(ssrc);
        if known.is_some_and(|window| window.holds(u64::from(index))) {
            return Err(SrtpError::Replayed);
        }
        let nonce = Nonce::Rtcp { ssrc, index };
        let plain = packet.get_mut(..body.end).ok_or(SrtpError::Malformed)?;
        if encrypted {
            let (head, payload) = plain.split_at_mut(8);
            self.rtcp.open(nonce, head, payload, word, tag)?;
        } else {
            self.rtcp.authenticate(nonce, plain, word, tag)?;
        }
        match self.rtcp_windows.get_mut(ssrc) {
            Some(window) => window.note(u64::from(index)),
            None => self.rtcp_windows.add(ssrc, Window::starting_with(u64::from(index))),
        }
        Ok(body.end)
    }

    /// Finds what stands behind the payload: tag, MKI and (`word_len` octets of) the RTCP index word, whose order
    /// differs between RFC 3711 and RFC 7714. At least `header` octets come before.
    fn body(&self, packet: &[u8], header: usize, word_len: usize) -> Result<Body, SrtpError> {
        let cipher = if word_len == 0 { &self.rtp } else { &self.rtcp };
        let (tag_len, mki_len) = (cipher.tag_len(), self.mki.map_or(0, Mki::length));
        let end = packet.len().checked_sub(tag_len + mki_len + word_len).filter(|end| *end >= header);
        let end = end.ok_or(SrtpError::Malformed)?;
        let (tag, word, mki) = if cipher.is_aead() {
            (end, end + tag_len, end + tag_len + word_len)
        } else {
            (end + word_len + mki_len, end, end + word_len)
        };
        let body = Body { end, tag: tag..tag + tag_len, word: word..word + word_len };
        let marked = self.mki.is_none_or(|ours| packet.get(mki..mki + mki_len).is_some_and(|octets| ours.is(octets)));
        if marked { Ok(body) } else { Err(SrtpError::Forged) }
    }
}

impl fmt::Debug for Unprotector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unprotector").field("mki", &self.mki).finish_non_exhaustive()
    }
}

/// The places in a protected packet.
struct Body {
    /// Of header and payload.
    end: usize,
    tag: Range<usize>,
    word: Range<usize>,
}

/// A copy of the tag: the packet is written while it is looked at.
fn copied<'a>(room: &'a mut [u8; 20], tag: Option<&[u8]>) -> Result<&'a [u8], SrtpError> {
    let tag = tag.ok_or(SrtpError::Malformed)?;
    let room = room.get_mut(..tag.len()).ok_or(SrtpError::Malformed)?;
    room.copy_from_slice(tag);
    Ok(room)
}
