//! What descriptions settle of a WebRTC transport: ICE and DTLS (RFC 8839, RFC 8842).

use rand::RngCore;
use std::fmt;

/// The characters of ICE credentials (RFC 8839 section 5.4).
const ICE_CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What the connectivity checks to one side are signed with (RFC 8839 section 5.4). The password is not to be seen in
/// `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct IceCredentials {
    /// The username fragment, 4 to 256 characters.
    pub fragment: String,
    /// The password, 22 to 256 characters.
    pub password: String,
}

impl IceCredentials {
    /// Credentials that nobody can guess, if `random` cannot be: 48 bits in the fragment, 192 in the password.
    #[must_use]
    pub fn random(random: &mut impl RngCore) -> Self {
        let mut characters = |count: usize| {
            let character = |()| char::from(ICE_CHARACTERS[(random.next_u32() % 64) as usize]);
            std::iter::repeat_n((), count).map(character).collect()
        };
        Self { fragment: characters(8), password: characters(32) }
    }
}

impl fmt::Debug for IceCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IceCredentials({}, …)", self.fragment)
    }
}

/// The SHA-256 digest of a certificate (RFC 8122).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// Reads `sha-256 4A:AD:…`; `None` for anything else, other digests included.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let (digest, octets) = value.trim().split_once(' ')?;
        let mut bytes = [0; 32];
        let mut octets = octets.trim().split(':');
        for byte in &mut bytes {
            let octet = octets.next().filter(|octet| octet.len() == 2)?;
            *byte = u8::from_str_radix(octet, 16).ok()?;
        }
        (digest.eq_ignore_ascii_case("sha-256") && octets.next().is_none()).then_some(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha-256 ")?;
        self.0.iter().enumerate().try_for_each(|(place, byte)| {
            let colon = if place == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")
        })
    }
}

/// One side's part in the DTLS handshake (RFC 5763 section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DtlsRole {
    /// It begins: `a=setup:active`.
    Client,
    /// It waits: `a=setup:passive`.
    Server,
}

/// What the peer's description says of its end of a WebRTC transport, and the parts that the two sides have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebRtcPeer {
    /// What checks to it are signed with.
    pub ice: IceCredentials,
    /// Its candidates as it wrote them (`candidate:…`, RFC 8839 section 5.1), those alone that can be tried. Others are
    /// found when it checks us.
    pub candidates: Vec<String>,
    /// Its certificate is one of these.
    pub fingerprints: Vec<Fingerprint>,
    /// Our part in the DTLS handshake.
    pub role: DtlsRole,
    /// We say which pair of candidates is used (RFC 8445 section 6.1.1).
    pub we_control: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Seed;

    #[test]
    fn credentials_are_long_enough_and_never_the_same() {
        let mut random = Seed::fixed(1).generator();
        let [one, two] = [(); 2].map(|()| IceCredentials::random(&mut random));
        assert_eq!((one.fragment.len(), one.password.len()), (8, 32));
        assert!(one.fragment != two.fragment && one.password != two.password);
        assert!(one.password.bytes().all(|byte| ICE_CHARACTERS.contains(&byte)));
        assert!(!format!("{one:?}").contains(&one.password));
    }

    #[test]
    fn a_fingerprint_is_read_as_it_is_written() {
        let fingerprint = Fingerprint(std::array::from_fn(|place| place as u8 * 8));
        assert!(fingerprint.to_string().starts_with("sha-256 00:08:10:18:"));
        assert_eq!(Fingerprint::parse(&fingerprint.to_string()), Some(fingerprint));
        assert_eq!(Fingerprint::parse(&fingerprint.to_string().to_lowercase()), Some(fingerprint));
        let text = fingerprint.to_string();
        for bad in
            ["", "sha-256", &text[8..], &text[..text.len() - 3], &format!("{text}:00"), &text.replace("256", "1")]
        {
            assert_eq!(Fingerprint::parse(bad), None, "{bad}");
        }
    }
}
