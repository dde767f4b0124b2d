//! ITU-T G.711: µ-law and A-law, eight bits a sample.
//!
//! Decoding looks up a table of 512 bytes. Encoding computes, several samples at a time: a segment and the interval in
//! it are the exponent and the first bits of the mantissa of the magnitude as a floating point number, and a table of
//! all samples would push what the mix needs out of the cache. Linear values use the full 16 bits: the Recommendation's
//! 14-bit (µ) and 13-bit (A) values shifted left by 2 and 3.

use crate::types::AudioCodec;

/// The µ-law octet of zero.
pub const ULAW_SILENCE: u8 = 0xFF;
/// The A-law octet of the smallest positive value (A-law has no zero).
pub const ALAW_SILENCE: u8 = 0xD5;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Law {
    /// µ-law.
    Mu,
    /// A-law.
    A,
}

impl Law {
    /// The law of a codec, if it is G.711.
    #[must_use]
    pub const fn of(codec: AudioCodec) -> Option<Self> {
        match codec {
            AudioCodec::Pcmu => Some(Self::Mu),
            AudioCodec::Pcma => Some(Self::A),
            AudioCodec::Opus | AudioCodec::G722 | AudioCodec::G729 => None,
        }
    }

    /// Decodes octets, as many as both slices hold. Returns how many.
    pub fn decode(self, octets: &[u8], samples: &mut [i16]) -> usize {
        match self {
            Self::Mu => decode_ulaw(octets, samples),
            Self::A => decode_alaw(octets, samples),
        }
    }

    /// Encodes samples, as many as both slices hold. Returns how many.
    pub fn encode(self, samples: &[i16], octets: &mut [u8]) -> usize {
        match self {
            Self::Mu => encode_ulaw(samples, octets),
            Self::A => encode_alaw(samples, octets),
        }
    }
}

static ULAW_TO_LINEAR: [i16; 256] = ulaw_decode_table();
static ALAW_TO_LINEAR: [i16; 256] = alaw_decode_table();

/// Decodes µ-law octets, as many as both slices hold. Returns how many.
pub fn decode_ulaw(octets: &[u8], samples: &mut [i16]) -> usize {
    for (sample, &octet) in samples.iter_mut().zip(octets) {
        *sample = ULAW_TO_LINEAR[usize::from(octet)];
    }
    samples.len().min(octets.len())
}

/// Decodes A-law octets, as many as both slices hold. Returns how many.
pub fn decode_alaw(octets: &[u8], samples: &mut [i16]) -> usize {
    for (sample, &octet) in samples.iter_mut().zip(octets) {
        *sample = ALAW_TO_LINEAR[usize::from(octet)];
    }
    samples.len().min(octets.len())
}

/// Encodes samples as µ-law, as many as both slices hold. Returns how many.
pub fn encode_ulaw(samples: &[i16], octets: &mut [u8]) -> usize {
    for (octet, &sample) in octets.iter_mut().zip(samples) {
        *octet = ulaw_code(sample);
    }
    samples.len().min(octets.len())
}

/// Encodes samples as A-law, as many as both slices hold. Returns how many.
pub fn encode_alaw(samples: &[i16], octets: &mut [u8]) -> usize {
    for (octet, &sample) in octets.iter_mut().zip(samples) {
        *octet = alaw_code(sample);
    }
    samples.len().min(octets.len())
}

/// G.711 table 2a/2b: sign, three bits of segment, four of interval, all inverted on the line.
const fn ulaw_value(octet: u8) -> i16 {
    let code = !octet;
    let segment = (code >> 4) & 0x07;
    let interval = (code & 0x0F) as i16;
    // 33 is the law's bias in 14-bit units; 132 in 16-bit units.
    let magnitude = (((interval << 3) + 0x84) << segment) - 0x84;
    if code & 0x80 != 0 { -magnitude } else { magnitude }
}

/// G.711 table 1a/1b: even bits inverted on the line.
const fn alaw_value(octet: u8) -> i16 {
    let code = octet ^ 0x55;
    let segment = (code >> 4) & 0x07;
    let interval = (code & 0x0F) as i16;
    let magnitude = if segment == 0 { (interval << 4) + 8 } else { ((interval << 4) + 0x108) << (segment - 1) };
    if code & 0x80 != 0 { magnitude } else { -magnitude }
}

const fn ulaw_decode_table() -> [i16; 256] {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        table[octet] = ulaw_value(octet as u8);
        octet += 1;
    }
    table
}

const fn alaw_decode_table() -> [i16; 256] {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        table[octet] = alaw_value(octet as u8);
        octet += 1;
    }
    table
}

/// Exponent and first four bits of the mantissa of a number from 1 to 2^23, as they stand in an `f32`, less those of
/// `2^least`: the segment, counted from the one that begins there, and the interval in it.
#[expect(clippy::cast_precision_loss, reason = "numbers of 13 bits are exact")]
fn segment(magnitude: i32, least: i32) -> i32 {
    ((magnitude as f32).to_bits().cast_signed() >> 19) - ((127 + least) << 4)
}

/// The sign of a value, all ones if it is negative, and its one's complement magnitude: the shift before has rounded
/// negatives away from zero.
fn split(value: i32) -> (i32, i32) {
    let sign = value >> 31;
    (sign, value ^ sign)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the low eight bits are the code")]
fn ulaw_code(sample: i16) -> u8 {
    let (sign, magnitude) = split(i32::from(sample) >> 2);
    !((sign & 0x80) | segment(magnitude.min(8_158) + 33, 5)) as u8
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the low eight bits are the code")]
fn alaw_code(sample: i16) -> u8 {
    let (sign, magnitude) = split(i32::from(sample) >> 3);
    // The first two segments have the same step.
    let code = if magnitude < 32 { magnitude >> 1 } else { segment(magnitude, 4) };
    ((!sign & 0x80) | code) as u8 ^ 0x55
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ulaw(sample: i16) -> u8 {
        let mut octet = [0];
        encode_ulaw(&[sample], &mut octet);
        octet[0]
    }

    fn alaw(sample: i16) -> u8 {
        let mut octet = [0];
        encode_alaw(&[sample], &mut octet);
        octet[0]
    }

    #[test]
    fn ulaw_has_the_values_of_the_recommendation() {
        // G.711 tables 2a and 2b, quantised values of 14 bits, shifted by two.
        for (octet, value) in [
            (0xFF, 0),
            (0xFE, 2),
            (0xF0, 30),
            (0xEF, 33),
            (0xE0, 93),
            (0xDF, 99),
            (0xCF, 231),
            (0xBF, 495),
            (0xAF, 1023),
            (0x9F, 2079),
            (0x8F, 4191),
            (0x80, 8031),
            (0x7F, 0),
            (0x7E, -2),
            (0x00, -8031),
            (0x0F, -4191),
        ] {
            assert_eq!(ULAW_TO_LINEAR[octet], value * 4, "octet {octet:#04x}");
        }
    }

    #[test]
    fn alaw_has_the_values_of_the_recommendation() {
        // G.711 tables 1a and 1b, quantised values of 13 bits (12 and sign, in half steps), shifted by three.
        for (octet, value) in [
            (0xD5, 1),
            (0xD4, 3),
            (0xC5, 33),
            (0xF5, 66),
            (0xE5, 132),
            (0x95, 264),
            (0x85, 528),
            (0xB5, 1056),
            (0xA5, 2112),
            (0xAA, 4032),
            (0x55, -1),
            (0x2A, -4032),
        ] {
            assert_eq!(ALAW_TO_LINEAR[octet], value * 8, "octet {octet:#04x}");
        }
    }

    #[test]
    fn encoding_a_decoded_octet_gives_it_back() {
        for octet in 0..=255u8 {
            assert_eq!(alaw(alaw_value(octet)), octet);
            // µ-law has two zeros; both mean 0, and 0 is sent as the positive one.
            let expected = if octet == 0x7F { 0xFF } else { octet };
            assert_eq!(ulaw(ulaw_value(octet)), expected);
        }
        assert_eq!(ulaw(0), ULAW_SILENCE);
        assert_eq!(alaw(0), ALAW_SILENCE);
    }

    #[test]
    fn no_sample_is_off_by_more_than_half_its_interval() {
        for sample in i16::MIN..=i16::MAX {
            let magnitude = i32::from(sample).abs();
            let value = i32::from(ulaw_value(ulaw(sample)));
            assert!((value - i32::from(sample)).abs() <= (magnitude + 132) / 32 + 4, "µ {sample} → {value}");
            let value = i32::from(alaw_value(alaw(sample)));
            assert!((value - i32::from(sample)).abs() <= magnitude / 32 + 8, "A {sample} → {value}");
        }
    }

    #[test]
    fn louder_is_never_encoded_as_quieter() {
        for sample in i16::MIN..i16::MAX {
            assert!(ulaw_value(ulaw(sample)) <= ulaw_value(ulaw(sample + 1)));
            assert!(alaw_value(alaw(sample)) <= alaw_value(alaw(sample + 1)));
        }
    }
}
