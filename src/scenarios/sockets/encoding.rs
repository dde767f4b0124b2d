//! How sound is written in messages, and samples as the media plane has them.

use crate::audio::codec::g711::Law;
use crate::audio::resample::Resampler;
use crate::media::command::StreamSample;

/// An encoding of the platform's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// 16 bits, little end first, at 8 kHz.
    Pcm8,
    /// The same at 16 kHz.
    Pcm16,
    /// G.711, µ-law.
    Ulaw,
    /// G.711, A-law.
    Alaw,
}

impl Encoding {
    /// By the names that programs use. Where a rate is given, it counts for PCM; without a name it is PCM at 8 kHz.
    pub(super) fn named(name: Option<&str>, rate: Option<u32>) -> Option<Self> {
        let is_narrow = rate.is_none_or(|rate| rate == 8_000);
        match name.unwrap_or("PCM8").to_ascii_uppercase().as_str() {
            "PCM8" | "PCM16" | "PCM" if rate == Some(16_000) => Some(Self::Pcm16),
            "PCM16" if rate.is_none() => Some(Self::Pcm16),
            "PCM8" | "PCM16" | "PCM" if is_narrow => Some(Self::Pcm8),
            "ULAW" | "PCMU" | "AUDIO/X-MULAW" | "AUDIO/MULAW" if is_narrow => Some(Self::Ulaw),
            "ALAW" | "PCMA" | "AUDIO/X-ALAW" | "AUDIO/ALAW" if is_narrow => Some(Self::Alaw),
            _ => None,
        }
    }

    /// The platform's own name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Pcm8 => "PCM8",
            Self::Pcm16 => "PCM16",
            Self::Ulaw => "ULAW",
            Self::Alaw => "ALAW",
        }
    }

    /// Samples a second.
    pub(super) const fn rate(self) -> u32 {
        if matches!(self, Self::Pcm16) { 16_000 } else { 8_000 }
    }

    const fn law(self) -> Option<Law> {
        match self {
            Self::Ulaw => Some(Law::Mu),
            Self::Alaw => Some(Law::A),
            Self::Pcm8 | Self::Pcm16 => None,
        }
    }

    pub(super) fn encode(self, samples: &[i16]) -> Vec<u8> {
        let Some(law) = self.law() else {
            return samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        };
        let mut octets = vec![0; samples.len()];
        law.encode(samples, &mut octets);
        octets
    }

    fn decode(self, octets: &[u8]) -> Vec<i16> {
        let Some(law) = self.law() else {
            return octets.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
        };
        let mut samples = vec![0; octets.len()];
        law.decode(octets, &mut samples);
        samples
    }
}

/// Sound that comes, on its way to both rates of a stream.
pub(super) struct Decoding {
    encoding: Encoding,
    converter: Resampler,
    /// As it came, and converted, as far as the one has no counterpart in the other yet.
    given: Vec<i16>,
    converted: Vec<f32>,
    /// Octets of sound so far.
    octets: u64,
}

impl std::fmt::Debug for Decoding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoding").field("encoding", &self.encoding).finish_non_exhaustive()
    }
}

impl Decoding {
    pub(super) fn new(encoding: Encoding) -> Self {
        let other = if encoding.rate() == 8_000 { 16_000 } else { 8_000 };
        let converter = Resampler::new(encoding.rate(), other);
        Self { encoding, converter, given: Vec::new(), converted: Vec::new(), octets: 0 }
    }

    pub(super) const fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// How long all of it is, in milliseconds.
    pub(super) const fn milliseconds(&self) -> u64 {
        let octets_a_second = match self.encoding {
            Encoding::Pcm8 => 16_000,
            Encoding::Pcm16 => 32_000,
            Encoding::Ulaw | Encoding::Alaw => 8_000,
        };
        self.octets * 1_000 / octets_a_second
    }

    /// The samples of a piece.
    pub(super) fn decode(&mut self, payload: &[u8]) -> Vec<StreamSample> {
        self.octets += payload.len() as u64;
        let samples = self.encoding.decode(payload);
        let wide: Vec<f32> = samples.iter().map(|sample| f32::from(*sample)).collect();
        self.converter.push(&wide, &mut self.converted);
        self.given.extend(samples);
        let is_narrow = self.encoding.rate() == 8_000;
        let (narrow, wide) =
            if is_narrow { (self.given.len(), self.converted.len()) } else { (self.converted.len(), self.given.len()) };
        let count = narrow.min(wide / 2);
        let (given, converted) = if is_narrow { (count, 2 * count) } else { (2 * count, count) };
        let given: Vec<i16> = self.given.drain(..given).collect();
        let converted: Vec<i16> = self.converted.drain(..converted).map(rounded).collect();
        let (narrow, wide) = if is_narrow { (given, converted) } else { (converted, given) };
        let pairs = narrow.into_iter().zip(wide.chunks_exact(2));
        pairs.map(|(narrow, wide)| StreamSample { narrow, wide: [wide[0], wide[1]] }).collect()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "it saturates")]
fn rounded(sample: f32) -> i16 {
    sample.round() as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::goertzel;

    const ALL: [Encoding; 4] = [Encoding::Pcm8, Encoding::Pcm16, Encoding::Ulaw, Encoding::Alaw];

    #[test]
    fn a_tone_is_the_same_tone_at_both_rates_whatever_its_encoding() {
        for encoding in ALL {
            let rate = encoding.rate();
            let value = |n| 8_000.0 * (std::f64::consts::TAU * 440.0 * f64::from(n) / f64::from(rate)).sin();
            let tone: Vec<i16> = (0..rate).map(|n| value(n) as i16).collect();
            let mut decoding = Decoding::new(encoding);
            let samples: Vec<StreamSample> =
                tone.chunks(177).flat_map(|piece| decoding.decode(&encoding.encode(piece))).collect();
            assert_eq!(decoding.milliseconds(), 1_000);
            assert!(samples.len() > 7_900, "{encoding:?}: {}", samples.len());
            let narrow: Vec<i16> = samples.iter().map(|sample| sample.narrow).collect();
            let wide: Vec<i16> = samples.iter().flat_map(|sample| sample.wide).collect();
            for (sound, rate) in [(&narrow[400..7_600], 8_000), (&wide[800..15_200], 16_000)] {
                let level = goertzel::tone_dbfs(sound, rate, 440.0);
                assert!((level + 12.3).abs() < 0.5, "{encoding:?} at {rate}: {level}");
            }
        }
    }

    #[test]
    fn encodings_have_the_names_that_programs_use() {
        for encoding in ALL {
            assert_eq!(Encoding::named(Some(encoding.name()), Some(encoding.rate())), Some(encoding));
        }
        for (name, rate, expected) in [
            (None, None, Some(Encoding::Pcm8)),
            (Some("PCM16"), None, Some(Encoding::Pcm16)),
            (Some("PCM16"), Some(8_000), Some(Encoding::Pcm8)),
            (Some("audio/x-mulaw"), Some(8_000), Some(Encoding::Ulaw)),
            (Some("ULAW"), Some(16_000), None),
            (Some("PCM16"), Some(44_100), None),
            (Some("OPUS"), None, None),
        ] {
            assert_eq!(Encoding::named(name, rate), expected, "{name:?} {rate:?}");
        }
    }
}
