//! Media security as negotiated: suites, keys, directions (RFC 3711, RFC 4568, RFC 7714).

use std::fmt;
use zeroize::Zeroize;

/// A crypto suite of SRTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SrtpSuite {
    /// AES-256-GCM, tags of 128 bits (RFC 7714).
    AeadAes256Gcm,
    /// AES-128-GCM, tags of 128 bits (RFC 7714).
    AeadAes128Gcm,
    /// AES-128 in counter mode, HMAC-SHA1, tags of 80 bits (RFC 4568 section 6.2.1).
    AesCm128HmacSha1_80,
    /// The same with tags of 32 bits on RTP; on RTCP they have 80 (RFC 4568 section 6.2.2).
    AesCm128HmacSha1_32,
}

impl SrtpSuite {
    /// All of them, the one preferred most first.
    pub const ALL: [Self; 4] =
        [Self::AeadAes256Gcm, Self::AeadAes128Gcm, Self::AesCm128HmacSha1_80, Self::AesCm128HmacSha1_32];

    /// The name in `a=crypto`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AeadAes256Gcm => "AEAD_AES_256_GCM",
            Self::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Self::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
        }
    }

    /// Octets of the master key.
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Self::AeadAes256Gcm => 32,
            Self::AeadAes128Gcm | Self::AesCm128HmacSha1_80 | Self::AesCm128HmacSha1_32 => 16,
        }
    }

    /// Octets of the master salt.
    #[must_use]
    pub const fn salt_len(self) -> usize {
        match self {
            Self::AeadAes256Gcm | Self::AeadAes128Gcm => 12,
            Self::AesCm128HmacSha1_80 | Self::AesCm128HmacSha1_32 => 14,
        }
    }

    /// Octets of master key and salt together.
    #[must_use]
    pub const fn master_len(self) -> usize {
        self.key_len() + self.salt_len()
    }
}

/// Octets of the longest master key and salt.
const MAX_MASTER: usize = 44;

/// A master key and its salt for one direction. Wiped from memory when dropped; not to be seen in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct SrtpKey {
    suite: SrtpSuite,
    /// Key, salt, zeros.
    master: [u8; MAX_MASTER],
    mki: Option<Mki>,
}

/// A master key identifier that stands in every packet under its key (RFC 3711 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mki {
    value: u64,
    length: u8,
}

impl Mki {
    /// The most octets one may have here.
    pub const MAX_LEN: usize = 8;

    /// An identifier of `length` octets; `None` if it has none, more than [`Mki::MAX_LEN`], or the value does not fit.
    #[must_use]
    pub fn new(value: u64, length: u8) -> Option<Self> {
        let fits = length == 8 || (length < 8 && value >> (8 * u32::from(length)) == 0);
        (length > 0 && fits).then_some(Self { value, length })
    }

    /// How many octets it has in a packet.
    #[must_use]
    pub const fn length(self) -> usize {
        self.length as usize
    }

    /// Whether these are its octets.
    #[must_use]
    pub fn is(self, octets: &[u8]) -> bool {
        let all = self.value.to_be_bytes();
        all.get(Self::MAX_LEN - self.length()..) == Some(octets)
    }
}

impl SrtpKey {
    /// A key of `suite` made of `master`: the key and behind it the salt; `None` unless there are exactly
    /// [`SrtpSuite::master_len`] octets.
    #[must_use]
    pub fn new(suite: SrtpSuite, master: &[u8]) -> Option<Self> {
        if master.len() != suite.master_len() {
            return None;
        }
        let mut key = Self { suite, master: [0; MAX_MASTER], mki: None };
        key.master.get_mut(..master.len())?.copy_from_slice(master);
        Some(key)
    }

    /// A key of `suite` made by `fill`, which gets the octets to be filled at random.
    #[must_use]
    pub fn random(suite: SrtpSuite, fill: impl FnOnce(&mut [u8])) -> Self {
        let mut key = Self { suite, master: [0; MAX_MASTER], mki: None };
        let (master, _) = key.master.split_at_mut(suite.master_len());
        fill(master);
        key
    }

    /// The same key, its packets marked with an identifier.
    #[must_use]
    pub fn with_mki(self, mki: Option<Mki>) -> Self {
        let mut key = self;
        key.mki = mki;
        key
    }

    /// What it is for.
    #[must_use]
    pub const fn suite(&self) -> SrtpSuite {
        self.suite
    }

    /// What its packets are marked with.
    #[must_use]
    pub const fn mki(&self) -> Option<Mki> {
        self.mki
    }

    /// Key and salt, one behind the other.
    #[must_use]
    pub fn master(&self) -> &[u8] {
        self.master.split_at(self.suite.master_len()).0
    }

    /// The master key.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.master().split_at(self.suite.key_len()).0
    }

    /// The master salt.
    #[must_use]
    pub fn salt(&self) -> &[u8] {
        self.master().split_at(self.suite.key_len()).1
    }
}

impl Drop for SrtpKey {
    fn drop(&mut self) {
        self.master.zeroize();
    }
}

impl fmt::Debug for SrtpKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SrtpKey({}, …)", self.suite.name())
    }
}

/// The keys of a stream, one for each direction; both are of one suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SrtpKeys {
    /// Ours: what we send is under it.
    pub send: SrtpKey,
    /// The peer's: what we receive is under it.
    pub receive: SrtpKey,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_exactly_the_length_of_its_suite() {
        for suite in SrtpSuite::ALL {
            let master: Vec<u8> = (0..60).collect();
            let key = SrtpKey::new(suite, &master[..suite.master_len()]).unwrap();
            assert_eq!(key.key().len(), suite.key_len());
            assert_eq!(key.salt()[0], key.key().len() as u8);
            assert_eq!(key.master(), &master[..suite.master_len()]);
            assert!(SrtpKey::new(suite, &master[..suite.master_len() - 1]).is_none());
            assert!(SrtpKey::new(suite, &master[..=suite.master_len()]).is_none());
            assert_eq!(SrtpKey::random(suite, |octets| octets.copy_from_slice(&master[..octets.len()])), key);
        }
    }

    #[test]
    fn debug_output_says_nothing_of_a_key() {
        let key = SrtpKey::new(SrtpSuite::AesCm128HmacSha1_80, &[0xA7; 30]).unwrap();
        let said = format!("{:?}", SrtpKeys { send: key.clone(), receive: key });
        assert!(said.contains("AES_CM_128_HMAC_SHA1_80"), "{said}");
        assert!(!said.contains("167") && !said.to_lowercase().contains("a7"), "{said}");
    }

    #[test]
    fn an_identifier_has_the_octets_it_says() {
        let mki = Mki::new(0x0102, 4).unwrap();
        assert!(mki.is(&[0, 0, 1, 2]));
        assert!(!mki.is(&[1, 2]) && !mki.is(&[0, 0, 1, 3]));
        assert!(Mki::new(u64::MAX, 8).unwrap().is(&[0xFF; 8]));
        assert!(Mki::new(256, 1).is_none() && Mki::new(0, 0).is_none() && Mki::new(1, 9).is_none());
    }
}
