//! Codecs.

pub mod g711;

use crate::types::AudioCodec;

/// Decodes a payload of a codec without state into samples, as many as both slices hold. Returns how many.
pub fn decode(codec: AudioCodec, payload: &[u8], samples: &mut [i16]) -> usize {
    match codec {
        AudioCodec::Pcmu => g711::decode_ulaw(payload, samples),
        AudioCodec::Pcma => g711::decode_alaw(payload, samples),
        AudioCodec::Opus | AudioCodec::G722 | AudioCodec::G729 => 0,
    }
}

/// Encodes samples for a codec without state, as many as both slices hold. Returns the octets written.
pub fn encode(codec: AudioCodec, samples: &[i16], payload: &mut [u8]) -> usize {
    match codec {
        AudioCodec::Pcmu => g711::encode_ulaw(samples, payload),
        AudioCodec::Pcma => g711::encode_alaw(samples, payload),
        AudioCodec::Opus | AudioCodec::G722 | AudioCodec::G729 => 0,
    }
}

/// Samples in a payload of `octets` octets, at the codec's clock rate.
#[must_use]
pub const fn samples_in(codec: AudioCodec, octets: usize) -> usize {
    match codec {
        AudioCodec::Pcmu | AudioCodec::Pcma => octets,
        AudioCodec::Opus | AudioCodec::G722 | AudioCodec::G729 => 0,
    }
}

/// Octets that `samples` samples take.
#[must_use]
pub const fn octets_for(codec: AudioCodec, samples: usize) -> usize {
    match codec {
        AudioCodec::Pcmu | AudioCodec::Pcma => samples,
        AudioCodec::Opus | AudioCodec::G722 | AudioCodec::G729 => 0,
    }
}

/// The octet that decodes to silence.
#[must_use]
pub const fn silence(codec: AudioCodec) -> u8 {
    match codec {
        AudioCodec::Pcmu => g711::ULAW_SILENCE,
        AudioCodec::Pcma => g711::ALAW_SILENCE,
        AudioCodec::Opus | AudioCodec::G722 | AudioCodec::G729 => 0,
    }
}
