//! From payloads to samples: the decoders of what was negotiated, each with its own state.

use super::passing::Passing;
use crate::audio::Rate;
use crate::audio::codec::{Decoder, Libraries, duration};
use crate::audio::playout::Playout;
use crate::types::{AudioCodec, MediaParameters};
use smallvec::SmallVec;

/// Beside a payload type, which has seven bits: the sender says that the packet is silence, and it need not be decoded.
pub(super) const SILENCE: u8 = 0x80;

/// The decoders of a leg. They are made when what they decode is negotiated, so that a tick never has to.
#[derive(Debug, Default)]
pub(super) struct Decoding {
    formats: SmallVec<[Format; 2]>,
    /// Which one has the stream now.
    current: usize,
    /// Where the sender says what is silence.
    passing: Option<Box<Passing>>,
}

/// What a payload type decodes as.
#[derive(Debug)]
struct Format {
    payload_type: u8,
    /// Samples in each unit of the codec's RTP clock.
    scale: usize,
    decoder: Decoder,
}

impl Decoding {
    pub(super) fn new(parameters: &MediaParameters, libraries: &Libraries) -> Self {
        let mut decoding = Self::default();
        decoding.update(parameters, libraries);
        decoding
    }

    /// What was negotiated anew; the state of a decoder that stays goes on.
    pub(super) fn update(&mut self, parameters: &MediaParameters, libraries: &Libraries) {
        let codec = self.formats.get(self.current).map(|format| format.decoder.codec());
        let mut before = std::mem::take(&mut self.formats);
        for &(payload_type, codec) in &parameters.receive_payload_types {
            let known = before.iter().position(|format| format.decoder.codec() == codec);
            let decoder = known.map(|at| before.remove(at).decoder).or_else(|| Decoder::new(codec, libraries));
            let scale = samples_a_unit(codec);
            self.formats.extend(decoder.map(|decoder| Format { payload_type, scale, decoder }));
        }
        let current = self.formats.iter().position(|format| Some(format.decoder.codec()) == codec);
        self.current = current.unwrap_or(0);
        let tells_silence = parameters.receive_audio_level.is_some();
        self.passing = tells_silence.then(|| self.passing.take().unwrap_or_default());
    }

    /// What a payload type decodes as, if it was negotiated.
    pub(super) fn codec(&self, payload_type: u8) -> Option<AudioCodec> {
        self.formats.iter().find(|format| format.payload_type == payload_type).map(|format| format.decoder.codec())
    }

    /// The highest rate of anything negotiated.
    pub(super) fn highest_rate(&self) -> Rate {
        let rates = self.formats.iter().map(|format| Rate::of(format.decoder.codec().sample_rate()));
        rates.max().unwrap_or(Rate::Narrow)
    }

    /// Decodes a packet into the playout.
    #[inline]
    pub(super) fn decode(&mut self, payload_type: u8, payload: &[u8], playout: &mut Playout) {
        if self.formats.get(self.current).is_none_or(|format| format.payload_type != payload_type) {
            if payload_type & SILENCE != 0 {
                return self.pass_over(payload_type & !SILENCE, payload, playout);
            }
            let Some(at) = self.formats.iter().position(|format| format.payload_type == payload_type) else {
                playout.silence(payload.len());
                return;
            };
            self.current = at;
            self.formats[at].decoder.reset();
            self.passing.iter_mut().for_each(|passing| passing.end());
        }
        let Format { scale, decoder, .. } = &mut self.formats[self.current];
        // An octet of G.711 is a sample, and all of them can be read.
        if let Some(law) = decoder.law() {
            playout.push_with(payload.len(), |out| {
                law.decode(payload, out);
            });
            return;
        }
        self.passing.iter_mut().for_each(|passing| passing.wake(decoder));
        let samples = duration(decoder.codec(), payload) * *scale;
        playout.push_with(samples, |out| {
            // What could not be read is silence.
            let made = decoder.decode(payload, out);
            out.get_mut(made..).unwrap_or_default().fill(0);
        });
    }

    /// Takes a packet that its sender says is silence: it becomes just that, undecoded, where its decoder has state.
    #[inline(never)]
    fn pass_over(&mut self, payload_type: u8, payload: &[u8], playout: &mut Playout) {
        let current = self.formats.get(self.current).filter(|format| format.payload_type == payload_type);
        if let (Some(Format { scale, decoder, .. }), Some(passing)) = (current, &mut self.passing)
            && decoder.law().is_none()
        {
            let samples = duration(decoder.codec(), payload) * *scale;
            if passing.keep(payload, samples) {
                playout.silence(samples);
                return;
            }
        }
        self.decode(payload_type, payload, playout);
    }

    /// Makes up for what is lost, `samples` of it; `next` is the packet that follows, where it is there.
    pub(super) fn conceal(&mut self, samples: usize, next: Option<(u8, &[u8])>, playout: &mut Playout) {
        let mut rest = samples;
        if let Some(Format { payload_type: known, decoder, .. }) = self.formats.get_mut(self.current) {
            let next = next.filter(|(payload_type, _)| payload_type == known).map(|(_, payload)| payload);
            if let Some(passing) = self.passing.as_mut().filter(|passing| passing.is_passing()) {
                if next.is_none() {
                    playout.silence(samples);
                    return;
                }
                passing.wake(decoder);
            }
            if let Some(step) = decoder.conceals() {
                rest = samples % step;
                playout.push_with(samples - rest, |out| {
                    if !decoder.conceal(next, out) {
                        out.fill(0);
                    }
                });
            }
        }
        if rest > 0 {
            playout.conceal(rest);
        }
    }

    /// Whether the sender pauses, and its decoder makes the noise of that.
    pub(super) fn is_in_pause(&self) -> bool {
        self.formats.get(self.current).is_some_and(|format| format.decoder.is_in_pause())
    }

    /// Another stream begins.
    pub(super) fn reset(&mut self) {
        if let Some(format) = self.formats.get_mut(self.current) {
            format.decoder.reset();
        }
        self.passing.iter_mut().for_each(|passing| passing.end());
    }
}

/// Samples in each unit of a codec's RTP clock.
pub(super) const fn samples_a_unit(codec: AudioCodec) -> usize {
    (codec.sample_rate().0 / codec.clock_rate()) as usize
}
