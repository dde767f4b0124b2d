//! `a=crypto`: SRTP keys in the description (RFC 4568), the suites of RFC 7714 among them.
//!
//! `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNf…|2^20|1:4 WSH=64`
//!
//! A line that cannot be read, or asks for what is not done here, is passed over: the others count.

use super::description::Attribute;
use crate::types::{Mki, SrtpKey, SrtpSuite};
use std::fmt;
use zeroize::Zeroizing;

/// The most lines of one stream that are looked at.
const MAX_LINES: usize = 16;
/// The most packets one master key may serve (RFC 3711 section 9.2).
const MAX_LIFETIME: u64 = 1 << 48;

/// One usable line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Crypto {
    /// What an answer names it by: up to nine digits.
    pub tag: u32,
    /// Its writer's key: what the writer sends is under it.
    pub key: SrtpKey,
}

impl Crypto {
    /// The usable lines among the attributes of a stream, in their order.
    pub(super) fn of(attributes: &[Attribute]) -> Vec<Self> {
        lines(attributes).take(MAX_LINES).filter_map(Self::parse).collect()
    }

    /// Whether there is any line at all, usable or not.
    pub(super) fn is_in(attributes: &[Attribute]) -> bool {
        lines(attributes).next().is_some()
    }

    /// Reads what stands behind `a=crypto:`.
    ///
    /// `None`: malformed; a suite nobody here knows; several keys; a key of the wrong length; an MKI too long; a
    /// session parameter that takes protection away or changes the packets (`UNENCRYPTED_SRTP`, `KDR`, `FEC_ORDER`, …)
    /// or that is unknown and not marked as optional by `-`. A lifetime is checked and then believed to be kept by the
    /// key's owner; ending a call over it is not ours.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let mut fields = value.split_ascii_whitespace();
        let tag = fields.next().filter(|tag| tag.len() <= 9 && tag.bytes().all(|byte| byte.is_ascii_digit()))?;
        let tag = tag.parse().ok()?;
        let suite = fields.next()?;
        let suite = SrtpSuite::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(suite))?;
        let key = key(suite, fields.next()?)?;
        fields.all(harmless).then_some(Self { tag, key })
    }

    /// The attribute that says it.
    pub(super) fn attribute(&self) -> Attribute {
        Attribute::with_value("crypto", self.to_string())
    }
}

impl fmt::Display for Crypto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} inline:", self.tag, self.key.suite().name())?;
        f.write_str(&encoded(self.key.master()))
    }
}

fn lines(attributes: &[Attribute]) -> impl Iterator<Item = &str> {
    let named = attributes.iter().filter(|attribute| attribute.name.eq_ignore_ascii_case("crypto"));
    named.map(|attribute| attribute.value.as_deref().unwrap_or_default())
}

/// `inline:<base64>`, then `|<lifetime>` and `|<mki>:<length>`, each if there is one.
fn key(suite: SrtpSuite, text: &str) -> Option<SrtpKey> {
    // Several keys are parted by semicolons; telling them apart by their MKI is not done.
    let (method, text) = text.split_once(':')?;
    if !method.eq_ignore_ascii_case("inline") || text.contains(';') {
        return None;
    }
    let mut parts = text.split('|');
    let master = decoded(parts.next()?)?;
    let mut mki = None;
    let mut expected = 0;
    for part in parts {
        // A lifetime may be left out, the order is fixed.
        match part.split_once(':') {
            Some((value, length)) if expected < 2 => {
                mki = Some(Mki::new(value.parse().ok()?, length.parse().ok()?)?);
                expected = 2;
            }
            None if expected == 0 => {
                lifetime(part)?;
                expected = 1;
            }
            _ => return None,
        }
    }
    Some(SrtpKey::new(suite, &master)?.with_mki(mki))
}

/// `2^20`, or a plain number of packets.
fn lifetime(text: &str) -> Option<u64> {
    let packets = match text.split_once('^') {
        Some(("2", exponent)) => 1u64.checked_shl(exponent.parse().ok()?)?,
        Some(_) => return None,
        None => text.parse().ok()?,
    };
    (1..=MAX_LIFETIME).contains(&packets).then_some(packets)
}

/// Whether a session parameter leaves packets as they are.
fn harmless(parameter: &str) -> bool {
    let name = parameter.split_once('=').map_or(parameter, |(name, _)| name);
    // A hint on the size of the replay window; ours is never smaller than the least there may be.
    let window = name.eq_ignore_ascii_case("WSH");
    let no_rotation = parameter.eq_ignore_ascii_case("KDR=0");
    window || no_rotation || parameter.starts_with('-')
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 (RFC 4648 section 4).
fn encoded(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(bytes.len().div_ceil(3) * 4));
    for group in bytes.chunks(3) {
        let word = group.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = ALPHABET.get((word >> (18 - 6 * place)) as usize & 63).filter(|_| place <= group.len());
            text.push(digit.map_or('=', |digit| char::from(*digit)));
        }
    }
    text
}

/// Reads base64 of a key; padding may be missing, nothing may follow it.
fn decoded(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    const LONGEST: usize = 64;
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let padded = padding == 0 || (padding < 3 && text.len().is_multiple_of(4));
    if !padded || digits.len() > LONGEST || digits.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST));
    for group in digits.as_bytes().chunks(4) {
        let mut word = 0u32;
        for digit in group {
            let value = ALPHABET.iter().position(|known| known == digit)?;
            word = word << 6 | u32::try_from(value).ok()?;
        }
        word <<= 6 * (4 - group.len());
        let [_, octets @ ..] = word.to_be_bytes();
        let (octets, rest) = octets.split_at(group.len() - 1);
        // Bits that are left over are zero, so that one key is written in one way.
        if rest.iter().any(|octet| *octet != 0) {
            return None;
        }
        bytes.extend_from_slice(octets);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

    fn parse(value: &str) -> Option<Crypto> {
        Crypto::parse(value)
    }

    #[test]
    fn the_example_of_the_rfc_is_read_and_printed() {
        let line = parse(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:4 WSH=64")).unwrap();
        assert_eq!((line.tag, line.key.suite()), (1, SrtpSuite::AesCm128HmacSha1_80));
        assert_eq!(line.key.master(), b"YS___semctl () {\t220;}\n}\nunles");
        assert_eq!(line.key.mki(), Mki::new(1, 4));
        assert_eq!(line.to_string(), format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"));
        assert!(!format!("{line:?}").contains("WVNf"));
    }

    #[test]
    fn lifetime_and_identifier_are_both_optional() {
        for rest in ["", "|2^31", "|1000", "|1:4", "|2^48|7:1", "|2^20|255:1 -UNKNOWN=3 KDR=0"] {
            assert!(parse(&format!("22 AES_CM_128_HMAC_SHA1_32 inline:{KEY}{rest}")).is_some(), "{rest}");
        }
    }

    #[test]
    fn lines_that_cannot_be_used_are_refused() {
        for line in [
            String::new(),
            "1".into(),
            "1 AES_CM_128_HMAC_SHA1_80".into(),
            format!("x AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
            format!("+1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
            format!("1234567890 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
            format!("1 F8_128_HMAC_SHA1_80 inline:{KEY}"),
            format!("1 AEAD_AES_128_GCM inline:{KEY}"),
            format!("1 AES_CM_128_HMAC_SHA1_80 uri:{KEY}"),
            format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{}", &KEY[1..]),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}AA=="),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}====="),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{}!", &KEY[1..]),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|1:4;inline:{KEY}|2:4"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^49"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^64"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|0"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|3^4"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|1:4|2^20"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:200"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|256:1"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNENCRYPTED_SRTP"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} WSH=64 UNAUTHENTICATED_SRTP"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNENCRYPTED_SRTCP"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} KDR=3"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} FEC_ORDER=FEC_SRTP"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} SOMETHING=new"),
        ] {
            assert_eq!(parse(&line), None, "{line}");
        }
    }

    #[test]
    fn one_bad_line_spoils_no_other() {
        let attributes = ["1 NEW_SUITE inline:AAAA", &format!("2 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"), ""];
        let attributes: Vec<Attribute> =
            attributes.iter().map(|value| Attribute::with_value("crypto", *value)).collect();
        assert_eq!(Crypto::of(&attributes).iter().map(|line| line.tag).collect::<Vec<_>>(), [2]);
        assert!(Crypto::is_in(&attributes[..1]) && Crypto::of(&attributes[..1]).is_empty());
    }

    proptest::proptest! {
        #[test]
        fn base64_comes_back_as_it_went(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..47)) {
            let text = encoded(&bytes);
            proptest::prop_assert_eq!(decoded(&text).unwrap().to_vec(), bytes.clone());
            proptest::prop_assert_eq!(decoded(text.trim_end_matches('=')).unwrap().to_vec(), bytes);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,120}", rest in "[0-9|:;^=A-Za-z+/ -]{0,80}") {
            let _ = parse(&text);
            let _ = parse(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}{rest}"));
        }
    }
}
