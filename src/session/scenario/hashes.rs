//! `CryptoEngine`: hashes and HMAC (RFC 2104), as hexadecimal digits.

use super::octets::hex;
use hmac::{Hmac, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The hash of that name: md5, sha1 or sha256.
pub(super) fn hash(name: &str, data: &[u8]) -> Option<String> {
    Some(match name {
        "md5" => hex(&Md5::digest(data)),
        "sha1" => hex(&Sha1::digest(data)),
        "sha256" => hex(&Sha256::digest(data)),
        _ => return None,
    })
}

/// HMAC with the hash of that name: sha1 or sha256.
pub(super) fn hmac(name: &str, key: &[u8], data: &[u8]) -> Option<String> {
    Some(match name {
        "sha1" => hex(&Hmac::<Sha1>::new_from_slice(key).ok()?.chain_update(data).finalize().into_bytes()),
        "sha256" => hex(&Hmac::<Sha256>::new_from_slice(key).ok()?.chain_update(data).finalize().into_bytes()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_standards() {
        for (name, expected) in [
            ("md5", "900150983cd24fb0d6963f7d28e17f72"),
            ("sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ] {
            assert_eq!(hash(name, b"abc").as_deref(), Some(expected));
        }
        assert_eq!(hash("sha3", b"abc"), None);
    }

    #[test]
    fn hmac_is_as_in_rfc_2202_and_4231() {
        let data = b"what do ya want for nothing?";
        assert_eq!(hmac("sha1", b"Jefe", data).as_deref(), Some("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"));
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hmac("sha256", b"Jefe", data).as_deref(), Some(expected));
        assert_eq!(hmac("md5", b"Jefe", data), None);
    }
}
