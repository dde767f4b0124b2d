//! SRTP: a packet of 20 ms protected, and one protected and opened, by suite. In time alone: what the ciphers take
//! depends on the processor's own instructions for them.

use std::hint::black_box;

use partyline::rtp::Header;
use partyline::rtp::srtp::{MAX_RTP_OVERHEAD, Protector, Unprotector};
use partyline::types::{SrtpKey, SrtpSuite};

use super::Work;

/// Header and 20 ms of G.711.
const LENGTH: usize = 172;

/// The sender's side: gives the next packet, protected.
fn sender(key: &SrtpKey) -> impl FnMut() -> ([u8; LENGTH + MAX_RTP_OVERHEAD], usize) + use<> {
    let mut protector = Protector::new(key);
    let mut sequence = 0u16;
    move || {
        let header = Header { marker: false, payload_type: 0, sequence, timestamp: 160 * u32::from(sequence), ssrc: 7 };
        sequence = sequence.wrapping_add(1);
        let mut packet = [0xD5; LENGTH + MAX_RTP_OVERHEAD];
        packet[..12].copy_from_slice(&header.to_bytes());
        let length = protector.protect_rtp(&mut packet, LENGTH).expect("indices are left");
        (packet, length)
    }
}

pub fn works() -> Vec<Work> {
    SrtpSuite::ALL
        .into_iter()
        .flat_map(|suite| {
            let key = move || SrtpKey::random(suite, |octets| octets.fill(7));
            let protect = Work::new(format!("srtp/protect/{}", suite.name()), 0, move || {
                let mut next = sender(&key());
                move || {
                    black_box(next());
                }
            });
            let open = Work::new(format!("srtp/protect_and_open/{}", suite.name()), 0, move || {
                let mut next = sender(&key());
                let mut unprotector = Unprotector::new(&key());
                move || {
                    let (mut packet, length) = next();
                    let opened = unprotector.unprotect_rtp(&mut packet[..length]);
                    assert_eq!(black_box(opened), Ok(LENGTH));
                }
            });
            [protect, open]
        })
        .collect()
}
