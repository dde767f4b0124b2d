//! Session keys out of a master key (RFC 3711 section 4.3, RFC 7714 section 11).

use super::cipher::counter_mode;
use crate::types::SrtpKey;
use aes::cipher::KeyInit;
use aes::{Aes128Enc, Aes256Enc};

/// What a session key is for; the numbers are the RFC's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    RtpEncryption = 0,
    RtpAuthentication = 1,
    RtpSalt = 2,
    RtcpEncryption = 3,
    RtcpAuthentication = 4,
    RtcpSalt = 5,
}

/// Fills `derived` with the session key for `label`; the key derivation rate is 0, so there is one for the life of the
/// master key.
pub(super) fn derive(master: &SrtpKey, label: Label, derived: &mut [u8]) {
    // The salt stands at the left: AEAD's is two octets shorter than the others'.
    let mut block = [0; 16];
    block.iter_mut().zip(master.salt()).for_each(|(octet, salt)| *octet = *salt);
    block[7] ^= label as u8;
    derived.fill(0);
    if let Ok(cipher) = Aes256Enc::new_from_slice(master.key()) {
        counter_mode(&cipher, block, derived);
    } else {
        let cipher = Aes128Enc::new_from_slice(master.key()).expect("a master key has 16 or 32 octets");
        counter_mode(&cipher, block, derived);
    }
}
