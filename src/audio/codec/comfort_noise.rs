//! Comfort noise (RFC 3389): what a pause sounds like, in a dozen octets, for codecs that have no such thing of their
//! own.
//!
//! A payload is a level and reflection coefficients of an all-pole filter. The RFC leaves open which way round their
//! sign is; here as in the implementations that are heard most, WebRTC and FFmpeg: the filter is
//! 1 / (1 + a₁z⁻¹ + … ) with aₘ = kₘ in its m-th stage, so that a rumble has a negative k₁.

mod analysis;
mod synthesis;

pub use analysis::Encoder;
pub use synthesis::Decoder;

/// The most reflection coefficients that are sent or listened to.
pub const ORDER: usize = 10;
/// The longest payload that is made, octets.
pub const LONGEST_PAYLOAD: usize = 1 + ORDER;

/// The mean square of 0 dBov: a square wave of full scale (RFC 3389 section 3.1).
const OVERLOAD: f32 = 32_768.0 * 32_768.0;
/// The octet of a coefficient of 0, and how far two octets are apart (section 3.2).
const MIDDLE: u8 = 127;
const STEP: f32 = 258.0 / 32_768.0;
/// Reserved.
const RESERVED: u8 = 255;

/// The payload has no level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a comfort noise payload without a level")]
pub struct Empty;

/// What a payload says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Description {
    /// Decibels below overload, 0 to 127.
    level: u8,
    /// The coefficients' octets.
    indices: [u8; ORDER],
}

impl Description {
    /// Reads a payload. Coefficients beyond [`ORDER`], and all from a reserved octet on, count as 0, which section 3
    /// allows.
    fn parse(payload: &[u8]) -> Result<Self, Empty> {
        let (&level, coefficients) = payload.split_first().ok_or(Empty)?;
        let mut indices = [MIDDLE; ORDER];
        for (index, &octet) in indices.iter_mut().zip(coefficients).take_while(|(_, octet)| **octet != RESERVED) {
            *index = octet;
        }
        Ok(Self { level: level & 0x7f, indices })
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    fn new(mean_square: f32, reflection: &[f32; ORDER]) -> Self {
        let level = -10.0 * (mean_square / OVERLOAD).max(1e-20).log10();
        let index = |k: f32| (k / STEP + f32::from(MIDDLE)).round().clamp(0.0, 254.0) as u8;
        Self { level: level.round().clamp(0.0, 127.0) as u8, indices: reflection.map(index) }
    }

    /// Writes the payload, as much as there is room for. Returns the octets written.
    fn write(&self, payload: &mut [u8]) -> usize {
        let octets = std::iter::once(self.level).chain(self.indices);
        payload.iter_mut().zip(octets).map(|(place, octet)| *place = octet).count()
    }

    fn reflection(&self) -> [f32; ORDER] {
        self.indices.map(|index| (f32::from(index) - f32::from(MIDDLE)) * STEP)
    }
}

/// The filter of reflection coefficients: a₁ and so on, of 1 / (1 + a₁z⁻¹ + …). Stable while each is within ±1.
fn predictor(reflection: &[f32; ORDER]) -> [f32; ORDER] {
    let mut a = [0.0; ORDER];
    for (m, &k) in reflection.iter().enumerate() {
        let before = a;
        a[m] = k;
        for i in 0..m {
            a[i] += k * before[m - 1 - i];
        }
    }
    a
}

#[cfg(test)]
mod tests;
