//! The sound of an Ogg Opus file (RFC 7845), by libopus.

use super::Fault;
use crate::audio::Rate;
use crate::audio::codec::opus::Decoder;

/// The longest packet: 120 ms at 48 kHz.
const LONGEST: usize = 5_760;

/// A stream of Opus.
pub(super) struct Opus {
    decoder: Decoder,
    pre_skip: u64,
    /// What is still to be passed over.
    to_skip: usize,
    gain: f32,
    samples: Vec<i16>,
}

impl Opus {
    /// Samples a second of what is decoded, whatever was encoded.
    pub(super) const RATE: u32 = 48_000;

    /// Begins with the identification header (section 5.1).
    pub(super) fn new(head: &[u8]) -> Result<Self, Fault> {
        let broken = |why: &str| Err(Fault::Broken(why.to_owned()));
        let Some([version, channels, pre_low, pre_high, _, _, _, _, gain_low, gain_high, family]) =
            head.get(8..).and_then(|rest| rest.first_chunk::<11>()).copied()
        else {
            return broken("its head is cut");
        };
        if version & 0xF0 != 0 {
            return broken("its version is not known");
        }
        if channels == 0 || channels > 2 || family > 1 {
            return broken("it has other than one or two channels");
        }
        let Some(decoder) = Decoder::new(Rate::Full) else { return broken("libopus cannot decode it") };
        let pre_skip = u16::from_le_bytes([pre_low, pre_high]);
        let gain = i16::from_le_bytes([gain_low, gain_high]);
        Ok(Self {
            decoder,
            pre_skip: pre_skip.into(),
            to_skip: pre_skip.into(),
            gain: 10f32.powf(f32::from(gain) / 5_120.0),
            samples: vec![0; LONGEST],
        })
    }

    /// What is decoded before the sound begins, in samples: positions count it.
    pub(super) const fn pre_skip(&self) -> u64 {
        self.pre_skip
    }

    pub(super) fn decode(&mut self, packet: &[u8], mono: &mut Vec<f32>) -> Result<(), Fault> {
        let length =
            self.decoder.decode(packet, &mut self.samples).map_err(|error| Fault::Broken(error.to_string()))?;
        let skipped = self.to_skip.min(length);
        self.to_skip -= skipped;
        let samples = self.samples.get(skipped..length).unwrap_or_default();
        mono.extend(samples.iter().map(|sample| f32::from(*sample) / 32_768.0 * self.gain));
        Ok(())
    }
}
