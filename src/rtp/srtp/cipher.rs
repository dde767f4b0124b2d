//! One session's encryption and authentication: of RTP, or of RTCP.

use super::SrtpError;
use super::derivation::{Label, derive};
use crate::types::{SrtpKey, SrtpSuite};
use aes::Aes128Enc;
use aes::cipher::generic_array::GenericArray;
use aes::cipher::{BlockEncrypt, BlockSizeUser, consts::U16};
use aes_gcm::aead::AeadInPlace;
use aes_gcm::{Aes128Gcm, Aes256Gcm, KeyInit};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use zeroize::{Zeroize, Zeroizing};

/// Octets of an AEAD tag.
pub(super) const AEAD_TAG: usize = 16;

/// The keys of RTP or of RTCP under one master key.
pub(super) struct Cipher {
    transform: Transform,
    /// 14 octets, or 12 and two of zero.
    salt: [u8; 14],
}

enum Transform {
    /// RFC 3711: encrypt, then authenticate.
    CounterHmac { cipher: Aes128Enc, hmac: HmacKey, tag: usize },
    /// RFC 7714.
    Gcm128(Aes128Gcm),
    /// RFC 7714.
    Gcm256(Aes256Gcm),
}

/// Which of the two a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Rtp,
    Rtcp,
}

impl Cipher {
    pub(super) fn new(master: &SrtpKey, role: Role) -> Self {
        let [encryption, authentication, salting] = match role {
            Role::Rtp => [Label::RtpEncryption, Label::RtpAuthentication, Label::RtpSalt],
            Role::Rtcp => [Label::RtcpEncryption, Label::RtcpAuthentication, Label::RtcpSalt],
        };
        let suite = master.suite();
        let mut key = Zeroizing::new([0; 32]);
        let key = &mut key[..suite.key_len()];
        derive(master, encryption, key);
        let mut salt = [0; 14];
        derive(master, salting, &mut salt[..suite.salt_len()]);
        let mut authentication_key = Zeroizing::new([0; 20]);
        derive(master, authentication, &mut *authentication_key);
        Self::of(suite, role, key, salt, &authentication_key)
    }

    /// A session with these keys.
    pub(super) fn of(suite: SrtpSuite, role: Role, key: &[u8], salt: [u8; 14], authentication: &[u8; 20]) -> Self {
        const FITS: &str = "the key has the suite's length";
        let transform = match suite {
            SrtpSuite::AeadAes128Gcm => Transform::Gcm128(Aes128Gcm::new_from_slice(key).expect(FITS)),
            SrtpSuite::AeadAes256Gcm => Transform::Gcm256(Aes256Gcm::new_from_slice(key).expect(FITS)),
            SrtpSuite::AesCm128HmacSha1_80 | SrtpSuite::AesCm128HmacSha1_32 => Transform::CounterHmac {
                cipher: Aes128Enc::new_from_slice(key).expect(FITS),
                hmac: HmacKey::new(authentication),
                tag: if suite == SrtpSuite::AesCm128HmacSha1_32 && role == Role::Rtp { 4 } else { 10 },
            },
        };
        Self { transform, salt }
    }

    /// Octets of an authentication tag.
    pub(super) fn tag_len(&self) -> usize {
        match &self.transform {
            Transform::CounterHmac { tag, .. } => *tag,
            Transform::Gcm128(_) | Transform::Gcm256(_) => AEAD_TAG,
        }
    }

    /// Whether the tag is a part of the ciphertext (RFC 7714), so that what else is added comes behind it.
    pub(super) fn is_aead(&self) -> bool {
        !matches!(self.transform, Transform::CounterHmac { .. })
    }

    /// Encrypts `payload` and gives the tag over it, over `head` before it and over `trailer`, which is the rollover
    /// counter or the RTCP index word. Of the tag the first [`Cipher::tag_len`] octets count.
    pub(super) fn seal(
        &self,
        nonce: Nonce,
        head: &[u8],
        payload: &mut [u8],
        trailer: [u8; 4],
    ) -> Result<[u8; 20], SrtpError> {
        let mut tag = [0; 20];
        match &self.transform {
            Transform::CounterHmac { cipher, hmac, .. } => {
                counter_mode(cipher, nonce.counter_block(&self.salt), payload);
                tag = hmac.tag([head, payload, &trailer]);
            }
            Transform::Gcm128(gcm) => self.seal_aead(gcm, nonce, head, payload, trailer, &mut tag)?,
            Transform::Gcm256(gcm) => self.seal_aead(gcm, nonce, head, payload, trailer, &mut tag)?,
        }
        Ok(tag)
    }

    fn seal_aead<A: AeadInPlace>(
        &self,
        gcm: &A,
        nonce: Nonce,
        head: &[u8],
        payload: &mut [u8],
        trailer: [u8; 4],
        tag: &mut [u8; 20],
    ) -> Result<(), SrtpError> {
        let iv = nonce.aead_iv(&self.salt);
        let mut room;
        let data = match nonce {
            Nonce::Rtp { .. } => head,
            Nonce::Rtcp { .. } => {
                room = [0; ASSOCIATED];
                joined(&mut room, head, trailer)?
            }
        };
        let made = gcm.encrypt_in_place_detached(GenericArray::from_slice(&iv), data, payload);
        let made = made.map_err(|_| SrtpError::Malformed)?;
        tag.iter_mut().zip(made).for_each(|(octet, made)| *octet = made);
        Ok(())
    }

    /// Checks `tag`, and only then decrypts `payload`. When the tag is wrong nothing is changed.
    pub(super) fn open(
        &self,
        nonce: Nonce,
        head: &[u8],
        payload: &mut [u8],
        trailer: [u8; 4],
        tag: &[u8],
    ) -> Result<(), SrtpError> {
        match &self.transform {
            Transform::CounterHmac { cipher, hmac, .. } => {
                hmac.verify([head, payload, &trailer], tag)?;
                counter_mode(cipher, nonce.counter_block(&self.salt), payload);
                Ok(())
            }
            Transform::Gcm128(gcm) => self.open_aead(gcm, nonce, head, payload, trailer, tag),
            Transform::Gcm256(gcm) => self.open_aead(gcm, nonce, head, payload, trailer, tag),
        }
    }

    fn open_aead<A: AeadInPlace>(
        &self,
        gcm: &A,
        nonce: Nonce,
        head: &[u8],
        payload: &mut [u8],
        trailer: [u8; 4],
        tag: &[u8],
    ) -> Result<(), SrtpError> {
        if tag.len() != AEAD_TAG {
            return Err(SrtpError::Malformed);
        }
        let iv = nonce.aead_iv(&self.salt);
        let mut room;
        let data = match nonce {
            Nonce::Rtp { .. } => head,
            Nonce::Rtcp { .. } => {
                room = [0; ASSOCIATED];
                joined(&mut room, head, trailer)?
            }
        };
        gcm.decrypt_in_place_detached(GenericArray::from_slice(&iv), data, payload, GenericArray::from_slice(tag))
            .map_err(|_| SrtpError::Forged)
    }

    /// Authenticates without decrypting: an RTCP packet whose E bit is not set.
    pub(super) fn authenticate(
        &self,
        nonce: Nonce,
        packet: &[u8],
        trailer: [u8; 4],
        tag: &[u8],
    ) -> Result<(), SrtpError> {
        match &self.transform {
            Transform::CounterHmac { hmac, .. } => hmac.verify([packet, &[], &trailer], tag),
            Transform::Gcm128(gcm) => self.open_aead(gcm, nonce, packet, &mut [], trailer, tag),
            Transform::Gcm256(gcm) => self.open_aead(gcm, nonce, packet, &mut [], trailer, tag),
        }
    }
}

impl Drop for Cipher {
    fn drop(&mut self) {
        self.salt.zeroize();
    }
}

/// What makes the key stream of one packet unlike all others: its source and index.
#[derive(Debug, Clone, Copy)]
pub(super) enum Nonce {
    /// A 48-bit index: rollover counter and sequence number.
    Rtp { ssrc: u32, index: u64 },
    /// A 31-bit index.
    Rtcp { ssrc: u32, index: u32 },
}

impl Nonce {
    /// RFC 3711 section 4.1.1.
    fn counter_block(self, salt: &[u8; 14]) -> [u8; 16] {
        let (ssrc, index) = match self {
            Self::Rtp { ssrc, index } => (ssrc, index),
            Self::Rtcp { ssrc, index } => (ssrc, u64::from(index)),
        };
        let mut block = (u128::from(ssrc) << 64 | u128::from(index) << 16).to_be_bytes();
        block.iter_mut().zip(salt).for_each(|(octet, salt)| *octet ^= *salt);
        block
    }

    /// RFC 7714 sections 8.1 and 9.1.
    fn aead_iv(self, salt: &[u8; 14]) -> [u8; 12] {
        let word = match self {
            Self::Rtp { ssrc, index } => u128::from(ssrc) << 48 | u128::from(index),
            Self::Rtcp { ssrc, index } => u128::from(ssrc) << 48 | u128::from(index),
        };
        let mut iv = [0; 12];
        let bytes = word.to_be_bytes();
        iv.iter_mut().zip(bytes.iter().skip(4)).zip(salt).for_each(|((octet, byte), salt)| *octet = *byte ^ *salt);
        iv
    }
}

/// Octets that AEAD authenticates of an RTCP packet beside what it encrypts: a whole packet that is not encrypted.
const ASSOCIATED: usize = 1_504;

/// The header of an RTCP packet and behind it its index word (RFC 7714 section 9.2). For RTP the header alone is
/// authenticated: its rollover counter is in the nonce.
fn joined<'a>(room: &'a mut [u8; ASSOCIATED], head: &[u8], trailer: [u8; 4]) -> Result<&'a [u8], SrtpError> {
    let data = room.get_mut(..head.len() + trailer.len()).ok_or(SrtpError::Malformed)?;
    let (first, last) = data.split_at_mut(head.len());
    first.copy_from_slice(head);
    last.copy_from_slice(&trailer);
    Ok(data)
}

/// HMAC-SHA1 with the work on the key done once.
struct HmacKey(Hmac<Sha1>);

impl HmacKey {
    fn new(key: &[u8; 20]) -> Self {
        Self(<Hmac<Sha1> as Mac>::new_from_slice(key).expect("HMAC takes keys of any length"))
    }

    fn over(&self, parts: [&[u8]; 3]) -> Hmac<Sha1> {
        let mut hmac = self.0.clone();
        parts.iter().for_each(|part| hmac.update(part));
        hmac
    }

    fn tag(&self, parts: [&[u8]; 3]) -> [u8; 20] {
        self.over(parts).finalize().into_bytes().into()
    }

    /// Compares as many octets as `tag` has, in constant time.
    fn verify(&self, parts: [&[u8]; 3], tag: &[u8]) -> Result<(), SrtpError> {
        self.over(parts).verify_truncated_left(tag).map_err(|_| SrtpError::Forged)
    }
}

impl Drop for HmacKey {
    fn drop(&mut self) {
        // Neither crate wipes its state: it is overwritten with that of a key everybody knows.
        self.0 = <Hmac<Sha1> as Mac>::new_from_slice(&[0; 20]).expect("HMAC takes keys of any length");
        std::hint::black_box(&self.0);
    }
}

/// Adds the key stream that begins at `block` to `data` (RFC 3711 section 4.1.1). The low 16 bits of `block` count.
pub(super) fn counter_mode<C>(cipher: &C, block: [u8; 16], data: &mut [u8])
where
    C: BlockEncrypt + BlockSizeUser<BlockSize = U16>,
{
    /// What the processor works on side by side.
    const BATCH: usize = 8;
    let mut counter = u16::from_be_bytes([block[14], block[15]]);
    let mut stream = [GenericArray::from(block); BATCH];
    for batch in data.chunks_mut(16 * BATCH) {
        let (used, _) = stream.split_at_mut(batch.len().div_ceil(16));
        for next in &mut *used {
            *next = GenericArray::from(block);
            next[14..].copy_from_slice(&counter.to_be_bytes());
            counter = counter.wrapping_add(1);
        }
        cipher.encrypt_blocks(used);
        batch.iter_mut().zip(used.iter().flatten()).for_each(|(octet, key)| *octet ^= *key);
    }
}
