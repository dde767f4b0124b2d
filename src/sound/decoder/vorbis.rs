//! The sound of an Ogg Vorbis file, by symphonia.

use super::packets::{fault, mix};
use super::{Fault, codebooks};
use symphonia_codec_vorbis::VorbisDecoder;
use symphonia_core::codecs::{CODEC_TYPE_VORBIS, CodecParameters, Decoder, DecoderOptions};
use symphonia_core::formats::Packet;

/// A stream of Vorbis.
pub(super) struct Vorbis {
    decoder: VorbisDecoder,
    rate: u32,
}

impl Vorbis {
    /// Begins with the identification and the setup header (Vorbis I, section 4.2).
    pub(super) fn new(head: &[u8], setup: &[u8]) -> Result<Self, Fault> {
        let rate = head.get(12..).and_then(|rest| rest.first_chunk()).map_or(0, |rate| u32::from_le_bytes(*rate));
        codebooks::check(setup).map_err(|why| Fault::Broken(why.to_owned()))?;
        let mut parameters = CodecParameters::new();
        let both: Vec<u8> = head.iter().chain(setup).copied().collect();
        parameters.for_codec(CODEC_TYPE_VORBIS).with_sample_rate(rate).with_extra_data(both.into());
        let decoder = VorbisDecoder::try_new(&parameters, &DecoderOptions::default()).map_err(fault)?;
        Ok(Self { decoder, rate })
    }

    pub(super) const fn rate(&self) -> u32 {
        self.rate
    }

    pub(super) fn decode(&mut self, packet: &[u8], mono: &mut Vec<f32>) -> Result<(), Fault> {
        let packet = Packet::new_from_slice(0, 0, 0, packet);
        mix(&self.decoder.decode(&packet).map_err(fault)?, mono);
        Ok(())
    }
}
