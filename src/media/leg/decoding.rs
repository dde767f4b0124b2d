//! From payloads to samples: the decoders of what was negotiated, each with its own state.

use super::passing::Passing;
use crate::audio::Rate;
use crate::audio::codec::{Decoder, Libraries, Made, Repair, duration, g722};
use crate::audio::playout::Playout;
use crate::types::{AudioCodec, MediaParameters};
use smallvec::SmallVec;

/// Beside a payload type, which has seven bits: the sender says that the packet is silence, and it need not be decoded.
pub(super) const SILENCE: u8 = 0x80;

/// So much that is made up in place of G.722 is followed by its decoder, 20 ms: what comes later fades, and the
/// sender's sound did not.
const FOLLOWED: usize = Rate::Wide.frame();

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
    /// Samples made up since the last packet.
    made_up: usize,
}

/// A packet that comes after something that is lost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Next<'a> {
    pub payload_type: u8,
    pub payload: &'a [u8],
    /// So many samples after the first of those that are lost it begins.
    pub ahead: usize,
}

impl Format {
    #[inline]
    fn decode(&mut self, payload: &[u8], passing: &mut Option<Box<Passing>>, playout: &mut Playout) {
        // An octet of G.711 is a sample, and all of them can be read.
        match self.decoder.law() {
            Some(law) => playout.push_with(payload.len(), |out| {
                law.decode(payload, out);
            }),
            None => self.decode_stream(payload, passing, playout),
        }
    }

    /// The same of a decoder that has state.
    #[inline(never)]
    fn decode_stream(&mut self, payload: &[u8], passing: &mut Option<Box<Passing>>, playout: &mut Playout) {
        passing.iter_mut().for_each(|passing| passing.wake(&mut self.decoder));
        let settling = if self.made_up > 0 { g722::SETTLING } else { 0 };
        self.made_up = 0;
        playout.push_settling(self.samples(payload), settling, |out| {
            // What could not be read is silence.
            let made = self.decoder.decode(payload, out);
            out.get_mut(made..).unwrap_or_default().fill(0);
        });
    }

    /// The sound of a payload, in samples.
    fn samples(&self, payload: &[u8]) -> usize {
        duration(self.decoder.codec(), payload) * self.scale
    }
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
            self.formats.extend(decoder.map(|decoder| Format { payload_type, scale, decoder, made_up: 0 }));
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
        match self.formats.get_mut(self.current) {
            Some(format) if format.payload_type == payload_type => format.decode(payload, &mut self.passing, playout),
            _ => self.decode_other(payload_type, payload, playout),
        }
    }

    /// The same of a packet of another payload type than the one before, or of one that its sender says is silence:
    /// where the decoder has state it becomes just that, undecoded.
    #[inline(never)]
    fn decode_other(&mut self, marked: u8, payload: &[u8], playout: &mut Playout) {
        let payload_type = marked & !SILENCE;
        let Some(at) = self.formats.iter().position(|format| format.payload_type == payload_type) else {
            playout.silence(payload.len());
            return;
        };
        let format = &mut self.formats[at];
        if at != self.current {
            self.current = at;
            format.decoder.reset();
            self.passing.iter_mut().for_each(|passing| passing.end());
        } else if let Some(passing) = self.passing.as_mut().filter(|_| format.decoder.law().is_none()) {
            let samples = format.samples(payload);
            if marked & SILENCE != 0 && passing.keep(payload, samples) {
                playout.silence(samples);
                return;
            }
        }
        format.decode(payload, &mut self.passing, playout);
    }

    /// Makes up for what is lost, `samples` of it; `next` is a packet that comes after it, where one is there.
    pub(super) fn conceal(
        &mut self,
        samples: usize,
        next: Option<Next<'_>>,
        playout: &mut Playout,
        repair: &mut Repair,
    ) -> Made {
        let mut rest = samples;
        let mut made = Made::Nothing;
        if let Some(Format { payload_type: known, decoder, .. }) = self.formats.get_mut(self.current) {
            let next = next.filter(|next| next.payload_type == *known).map(|next| (next.payload, next.ahead));
            if let Some(passing) = self.passing.as_mut().filter(|passing| passing.is_passing()) {
                if next.is_none() {
                    playout.silence(samples);
                    return Made::Nothing;
                }
                passing.wake(decoder);
            }
            if let Some(step) = decoder.conceals() {
                rest = samples % step;
                playout.push_with(samples - rest, |out| {
                    made = decoder.conceal(next, out, repair);
                    if made == Made::Nothing {
                        out.fill(0);
                    }
                });
            }
        }
        if rest > 0 {
            playout.conceal(rest);
            if let Some(Format { decoder: Decoder::G722(decoder), made_up, .. }) = self.formats.get_mut(self.current) {
                *made_up += rest;
                if *made_up <= FOLLOWED {
                    playout.show_concealed(rest, g722::BEFORE, g722::BEHIND, |sound| decoder.follow(sound));
                }
            }
        }
        if rest == 0 { made } else { Made::Guessed }
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
