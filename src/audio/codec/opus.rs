//! Opus (RFC 6716) by libopus: mono, 48 kHz and below.
//!
//! The library's own state is used without a binding on top, since a listener who leaves a shared stream takes a copy
//! of its encoder along, and the states of libopus are flat blocks made to be copied (opus.h), which no binding shows.

mod repair;

pub use repair::Repair;

use super::Made;
use crate::audio::Rate;
use crate::types::OpusSettings;
use opusic_sys as sys;
use std::ffi::c_int;

/// Units of the RTP clock in a second, whatever the audio is (RFC 7587 section 4.1).
const CLOCK: c_int = 48_000;
/// It conceals in pieces of 2.5 ms, samples at 48 kHz.
pub const CONCEALED: usize = 120;
/// A decoder of this complexity conceals by a neural network (deep PLC).
const DEEP_CONCEALMENT: c_int = 5;
/// Packets this short say that nothing need be sent (DTX).
const NOTHING: usize = 2;
/// The least loss that an encoder is told of, percent.
const LEAST_EXPECTED_LOSS: u8 = 10;
/// The same where packets describe what went before them (DRED).
const LEAST_DESCRIBED_LOSS: u8 = 20;
/// Where more is lost, percent, packets describe what went before them: so much of it, in pieces of 10 ms, if they have
/// so many bits a second.
const MUCH_LOSS: u8 = 3;
const DESCRIBED: c_int = 10;
const DESCRIBING_BITRATE: c_int = 36_000;
/// Whoever describes what went before their packets is believed to go on with it for so many losses.
const BELIEVED: u8 = 16;

/// Why libopus refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpusError {
    /// The packet cannot be read.
    #[error("the packet is no Opus packet")]
    Packet,
    /// The length of the sound is none that Opus has.
    #[error("the length of the sound is none that Opus has")]
    Length,
    /// Anything else: a bug of ours.
    #[error("libopus: error {0}")]
    Other(i32),
}

/// Checks what the library returned, a length or an error.
fn checked(result: c_int) -> Result<usize, OpusError> {
    match result {
        sys::OPUS_INVALID_PACKET => Err(OpusError::Packet),
        sys::OPUS_BAD_ARG | sys::OPUS_BUFFER_TOO_SMALL => Err(OpusError::Length),
        other => usize::try_from(other).map_err(|_| OpusError::Other(other)),
    }
}

/// The sound of a packet in units of the RTP clock (48 kHz), by its first octets; `None` where it is no Opus packet. At
/// most 120 ms.
#[must_use]
pub fn packet_duration(packet: &[u8]) -> Option<usize> {
    let length = c_int::try_from(packet.len()).ok().filter(|length| *length > 0)?;
    // SAFETY: the pointer is good for `length` octets, of which the library reads no more.
    let samples = unsafe { sys::opus_packet_get_nb_samples(packet.as_ptr(), length, CLOCK) };
    usize::try_from(samples).ok().filter(|samples| *samples > 0)
}

/// Whether a packet carries the one before it (FEC).
fn carries_the_one_before(packet: &[u8]) -> Result<bool, OpusError> {
    let length = c_int::try_from(packet.len()).map_err(|_| OpusError::Packet)?;
    // SAFETY: the pointer is good for `length` octets, of which the library reads no more.
    checked(unsafe { sys::opus_packet_has_lbrr(packet.as_ptr(), length) }).map(|carries| carries > 0)
}

/// A piece of a state, aligned as `malloc` would.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(16))]
struct Block([u8; 16]);

/// Memory for a state of the library, which fills it.
#[derive(Debug)]
struct State(Box<[Block]>);

impl State {
    fn new(size: c_int) -> Option<Self> {
        let blocks = usize::try_from(size).ok().filter(|size| *size > 0)?.div_ceil(size_of::<Block>());
        Some(Self(vec![Block([0; 16]); blocks].into_boxed_slice()))
    }

    const fn as_mut<T>(&mut self) -> *mut T {
        self.0.as_mut_ptr().cast()
    }
}

/// Encodes one stream.
#[derive(Debug)]
pub struct Encoder {
    state: State,
    bitrate: c_int,
    lossy_bitrate: c_int,
}

impl Encoder {
    /// An encoder for mono sound of `rate`. Allocates; encoding never does. `None` where the library will not have it.
    #[must_use]
    pub fn new(rate: Rate, settings: &OpusSettings) -> Option<Self> {
        // SAFETY: asks for a number.
        let size = unsafe { sys::opus_encoder_get_size(1) };
        let bitrate = |bitrate: u32| c_int::try_from(bitrate.clamp(6_000, 510_000)).unwrap_or(c_int::MAX);
        let mut encoder = Self {
            state: State::new(size)?,
            bitrate: bitrate(settings.bitrate),
            // All packets are to have one size.
            lossy_bitrate: bitrate(if settings.constant_bitrate { 0 } else { settings.lossy_bitrate }),
        };
        // SAFETY: the state is as large as the library asked for, and aligned as `malloc` would.
        let result =
            unsafe { sys::opus_encoder_init(encoder.state.as_mut(), hertz(rate), 1, sys::OPUS_APPLICATION_VOIP) };
        if result != sys::OPUS_OK {
            return None;
        }
        let bandwidth = match settings.max_playback_rate {
            0..=8_000 => sys::OPUS_BANDWIDTH_NARROWBAND,
            8_001..=12_000 => sys::OPUS_BANDWIDTH_MEDIUMBAND,
            12_001..=16_000 => sys::OPUS_BANDWIDTH_WIDEBAND,
            16_001..=24_000 => sys::OPUS_BANDWIDTH_SUPERWIDEBAND,
            _ => sys::OPUS_BANDWIDTH_FULLBAND,
        };
        for (request, value) in [
            (sys::OPUS_SET_BITRATE_REQUEST, encoder.bitrate),
            (sys::OPUS_SET_COMPLEXITY_REQUEST, c_int::from(settings.complexity.min(10))),
            (sys::OPUS_SET_INBAND_FEC_REQUEST, c_int::from(settings.fec)),
            (sys::OPUS_SET_DTX_REQUEST, c_int::from(settings.dtx)),
            (sys::OPUS_SET_VBR_REQUEST, c_int::from(!settings.constant_bitrate)),
            (sys::OPUS_SET_MAX_BANDWIDTH_REQUEST, bandwidth),
        ] {
            encoder.set(request, value);
        }
        Some(encoder)
    }

    /// Encodes 2.5, 5, 10, 20, 40 or 60 ms. Returns the octets written, 0 where nothing need be sent (DTX).
    ///
    /// # Errors
    /// The length is none of these, or `packet` is too short.
    pub fn encode(&mut self, samples: &[i16], packet: &mut [u8]) -> Result<usize, OpusError> {
        let length = c_int::try_from(samples.len()).map_err(|_| OpusError::Length)?;
        let room = i32::try_from(packet.len()).map_err(|_| OpusError::Length)?;
        // SAFETY: the state was made by `opus_encoder_init`; both pointers are good for the lengths given with them.
        let result =
            unsafe { sys::opus_encode(self.state.as_mut(), samples.as_ptr(), length, packet.as_mut_ptr(), room) };
        checked(result).map(|octets| if octets <= NOTHING { 0 } else { octets })
    }

    /// The other side loses so many packets of a hundred: how much of each goes into mending the loss of the one
    /// before, and, where that is much and there are bits for it, of those before that (DRED). Told less than 10 %,
    /// libopus puts nothing of the former into packets of 24 kb/s, told less than 20 % little of the latter into those
    /// of 40 (`benches/README.md`).
    pub fn expect_loss(&mut self, percent: u8) {
        let is_much = percent > MUCH_LOSS;
        let bitrate = if is_much { self.bitrate.max(self.lossy_bitrate) } else { self.bitrate };
        let describes = is_much && bitrate >= DESCRIBING_BITRATE;
        let least = match percent {
            0 => 0,
            _ if describes => LEAST_DESCRIBED_LOSS,
            _ => LEAST_EXPECTED_LOSS,
        };
        for (request, value) in [
            (sys::OPUS_SET_BITRATE_REQUEST, bitrate),
            (sys::OPUS_SET_PACKET_LOSS_PERC_REQUEST, c_int::from(percent.max(least).min(100))),
            (sys::OPUS_SET_DRED_DURATION_REQUEST, if describes { DESCRIBED } else { 0 }),
        ] {
            self.set(request, value);
        }
    }

    /// Takes over the state of another encoder: what this one makes next is what the other would have made. Settings
    /// are a part of the state.
    pub fn copy_from(&mut self, other: &Self) {
        if self.state.0.len() == other.state.0.len() {
            self.state.0.copy_from_slice(&other.state.0);
        }
    }

    fn set(&mut self, request: c_int, value: c_int) {
        // SAFETY: the state was made by `opus_encoder_init`, and each of these requests takes one number.
        let result = unsafe { sys::opus_encoder_ctl(self.state.as_mut(), request, value) };
        debug_assert_eq!(result, sys::OPUS_OK, "request {request} with {value}");
    }
}

/// Decodes one stream.
#[derive(Debug)]
pub struct Decoder {
    state: State,
    /// Its packets are known to describe several before them, which is to be looked at again so many losses later; 0:
    /// they are not.
    describes: u8,
}

impl Decoder {
    /// A decoder to mono sound of `rate`, whatever is sent. Allocates; decoding never does.
    #[must_use]
    pub fn new(rate: Rate) -> Option<Self> {
        // SAFETY: asks for a number.
        let size = unsafe { sys::opus_decoder_get_size(1) };
        let mut decoder = Self { state: State::new(size)?, describes: 0 };
        // SAFETY: the state is as large as the library asked for, and aligned as `malloc` would.
        let result = unsafe { sys::opus_decoder_init(decoder.state.as_mut(), hertz(rate), 1) };
        (result == sys::OPUS_OK).then_some(decoder)
    }

    /// Decodes a packet. Returns the samples written.
    ///
    /// # Errors
    /// It is no Opus packet, or holds more than `samples` has room for.
    pub fn decode(&mut self, packet: &[u8], samples: &mut [i16]) -> Result<usize, OpusError> {
        if packet.is_empty() {
            // The library would take it for a lost one.
            return Err(OpusError::Packet);
        }
        self.run(Some(packet), samples, false)
    }

    /// Makes the sound of what is lost out of `next`, a packet that comes after it and may carry it: what was lost
    /// right before it (FEC), or more (DRED). It begins `ahead` samples behind the begin of what is lost. What it does
    /// not carry is concealed. `samples` are a whole number of 2.5 ms.
    ///
    /// # Errors
    /// `next` is no Opus packet, or the length is none that Opus has.
    pub fn decode_lost_from(
        &mut self,
        next: &[u8],
        ahead: usize,
        samples: &mut [i16],
        repair: &mut Repair,
    ) -> Result<Made, OpusError> {
        if next.is_empty() {
            return Err(OpusError::Packet);
        }
        if ahead <= samples.len() && carries_the_one_before(next)? {
            self.run(Some(next), samples, true)?;
            return Ok(if self.describes_several(next, ahead, repair) { Made::Described } else { Made::Recovered });
        }
        if repair.parse(next, ahead, samples.len()) {
            repair.decode(&mut self.state, ahead, samples)?;
            return Ok(Made::Described);
        }
        self.conceal(samples, repair)?;
        Ok(Made::Guessed)
    }

    /// Whether packets such as `next` describe more than the `ahead` samples before them. That is looked at seldom
    /// where they do: it takes a twentieth of the time in which the loss itself is mended.
    fn describes_several(&mut self, next: &[u8], ahead: usize, repair: &mut Repair) -> bool {
        self.describes = match self.describes {
            2.. => self.describes - 1,
            // What was known last holds where too much was spent in this tick.
            known => repair.is_described_in(next, ahead).map_or(known, |several| if several { BELIEVED } else { 0 }),
        };
        self.describes > 0
    }

    /// Makes the sound of what is lost out of what came before: a whole number of 2.5 ms.
    ///
    /// # Errors
    /// The length is none that Opus has.
    pub fn conceal(&mut self, samples: &mut [i16], repair: &mut Repair) -> Result<usize, OpusError> {
        let complexity = if repair.spend(samples.len()) { DEEP_CONCEALMENT } else { 0 };
        // SAFETY: the state was made by `opus_decoder_init`; this request takes a number.
        let result =
            unsafe { sys::opus_decoder_ctl(self.state.as_mut(), sys::OPUS_SET_COMPLEXITY_REQUEST, complexity) };
        debug_assert_eq!(result, sys::OPUS_OK);
        self.run(None, samples, false)
    }

    /// Another stream begins.
    pub fn reset(&mut self) {
        // SAFETY: the state was made by `opus_decoder_init`; this request takes nothing.
        let result = unsafe { sys::opus_decoder_ctl(self.state.as_mut(), sys::OPUS_RESET_STATE) };
        debug_assert_eq!(result, sys::OPUS_OK);
        self.describes = 0;
    }

    fn run(&mut self, packet: Option<&[u8]>, samples: &mut [i16], fec: bool) -> Result<usize, OpusError> {
        let room = c_int::try_from(samples.len()).map_err(|_| OpusError::Length)?;
        let length = i32::try_from(packet.map_or(0, <[u8]>::len)).map_err(|_| OpusError::Packet)?;
        let octets = packet.map_or(std::ptr::null(), <[u8]>::as_ptr);
        // SAFETY: the state was made by `opus_decoder_init`; both pointers are good for the lengths given with them,
        // and no packet (null) has length 0, which means that it is lost.
        let result = unsafe {
            sys::opus_decode(self.state.as_mut(), octets, length, samples.as_mut_ptr(), room, c_int::from(fec))
        };
        checked(result)
    }
}

const fn hertz(rate: Rate) -> i32 {
    match rate {
        Rate::Narrow => 8_000,
        Rate::Wide => 16_000,
        Rate::Full => 48_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::tone::Tone;
    use crate::audio::{goertzel, level};
    use rand::rngs::StdRng;
    use rand::{Rng, RngCore, SeedableRng};

    const FRAME: usize = 960;

    fn settings() -> OpusSettings {
        OpusSettings::default()
    }

    fn tone(hertz: f64, frames: usize) -> Vec<i16> {
        let sample = |n: usize| 6_000.0 * (std::f64::consts::TAU * hertz * n as f64 / 48_000.0).sin();
        (0..frames * FRAME).map(|n| sample(n) as i16).collect()
    }

    fn encoded(encoder: &mut Encoder, sound: &[i16], frame: usize) -> Vec<Vec<u8>> {
        let packet = |sound: &[i16]| {
            let mut packet = vec![0; 1_276];
            let length = encoder.encode(sound, &mut packet).unwrap();
            packet.truncate(length);
            packet
        };
        sound.chunks_exact(frame).map(packet).collect()
    }

    #[test]
    fn a_tone_of_12_khz_comes_through_in_packets_of_every_length() {
        for frame in [FRAME / 2, FRAME, 2 * FRAME, 3 * FRAME] {
            let settings = OpusSettings { bitrate: 64_000, ..settings() };
            let mut encoder = Encoder::new(Rate::Full, &settings).unwrap();
            let mut decoder = Decoder::new(Rate::Full).unwrap();
            let mut heard = Vec::new();
            for packet in encoded(&mut encoder, &tone(12_000.0, 30), frame) {
                assert_eq!(packet_duration(&packet), Some(frame));
                let mut samples = vec![0; frame];
                assert_eq!(decoder.decode(&packet, &mut samples), Ok(frame));
                heard.extend(samples);
            }
            let end = &heard[heard.len() - 10 * FRAME..];
            let found = goertzel::tone_dbfs(end, 48_000, 12_000.0);
            assert!((found + 14.7).abs() < 3.0, "{frame}: {found} dBFS");
        }
    }

    #[test]
    fn a_copied_encoder_goes_on_to_the_octet() {
        let mut shared = Encoder::new(Rate::Full, &settings()).unwrap();
        let sound = tone(440.0, 20);
        encoded(&mut shared, &sound, FRAME);
        let mut own = Encoder::new(Rate::Full, &settings()).unwrap();
        assert_ne!(encoded(&mut own, &sound[..FRAME], FRAME), encoded(&mut shared, &sound[..FRAME], FRAME));
        own.copy_from(&shared);
        assert_eq!(encoded(&mut own, &sound, FRAME), encoded(&mut shared, &sound, FRAME));
    }

    #[test]
    fn a_lost_packet_is_made_of_the_next_one() {
        // A voice that changes: what comes cannot be guessed from what came.
        let mut sound = Vec::new();
        for n in 0..100 {
            let mut piece = Tone::sine(0.0, -15.0);
            let base = 120.0 + 40.0 * f64::from(n % 7);
            piece.frequencies = (1..12).map(|k| base * f64::from(k)).collect();
            let narrow = piece.samples(std::time::Duration::from_millis(20));
            sound.extend(narrow.iter().flat_map(|&sample| [sample; 6]));
        }
        let error = |recovers: bool, expected: u8| {
            let settings = OpusSettings { bitrate: 24_000, max_playback_rate: 16_000, ..settings() };
            let mut encoder = Encoder::new(Rate::Full, &settings).unwrap();
            encoder.expect_loss(expected);
            let packets = encoded(&mut encoder, &sound, FRAME);
            let [mut clean, mut lossy] = [(); 2].map(|()| Decoder::new(Rate::Full).unwrap());
            let mut error = 0.0;
            for (n, packet) in packets.iter().enumerate() {
                let [mut right, mut made] = [[0; FRAME]; 2];
                clean.decode(packet, &mut right).unwrap();
                match packets.get(n + 1) {
                    Some(next) if n % 5 == 4 && recovers => {
                        lossy.decode_lost_from(next, FRAME, &mut made, &mut Repair::none()).unwrap();
                    }
                    Some(_) if n % 5 == 4 => assert_eq!(lossy.conceal(&mut made, &mut Repair::none()), Ok(FRAME)),
                    _ => assert_eq!(lossy.decode(packet, &mut made), Ok(FRAME)),
                }
                if n % 5 == 4 {
                    error += right.iter().zip(&made).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>();
                }
            }
            error
        };
        for expected in [1, 5, 20] {
            let (mended, guessed) = (error(true, expected), error(false, expected));
            assert!(mended < guessed / 2.0, "{expected} %: {mended} {guessed}");
        }
    }

    #[test]
    fn a_lost_packet_is_concealed_at_the_level_of_the_voice() {
        // The network knows voices, and no tones.
        for (mut repair, most) in [(Repair::none(), 3.0), (Repair::default(), 6.0)] {
            let mut encoder = Encoder::new(Rate::Full, &settings()).unwrap();
            let mut decoder = Decoder::new(Rate::Full).unwrap();
            let mut samples = [0; FRAME];
            for packet in encoded(&mut encoder, &tone(440.0, 20), FRAME) {
                decoder.decode(&packet, &mut samples).unwrap();
            }
            let before = level::dbfs(&samples);
            decoder.conceal(&mut samples, &mut repair).unwrap();
            assert!((level::dbfs(&samples) - before).abs() < most, "{before} {}", level::dbfs(&samples));
            assert_eq!(decoder.conceal(&mut samples[..100], &mut repair), Err(OpusError::Length));
        }
    }

    #[test]
    fn silence_is_not_sent_where_dtx_is_on() {
        let mut encoder = Encoder::new(Rate::Full, &OpusSettings { dtx: true, ..settings() }).unwrap();
        let packets = encoded(&mut encoder, &[0; 100 * FRAME], FRAME);
        assert!(packets.iter().filter(|packet| packet.is_empty()).count() > 50);
    }

    #[test]
    fn no_octets_make_it_panic_or_write_more_than_they_say() {
        let mut random = StdRng::seed_from_u64(5);
        let mut decoder = Decoder::new(Rate::Full).unwrap();
        let mut repair = Repair::default();
        let mut samples = vec![0; 6 * FRAME];
        for _ in 0..20_000 {
            let mut packet = vec![0; random.random_range(0..200)];
            random.fill_bytes(&mut packet);
            let duration = packet_duration(&packet);
            match decoder.decode(&packet, &mut samples) {
                Ok(written) => assert_eq!(Some(written), duration),
                Err(error) => assert_eq!(error, OpusError::Packet),
            }
            let ahead = random.random_range(0..8) * 480;
            let _ = decoder.decode_lost_from(&packet, ahead, &mut samples[..FRAME], &mut repair);
            repair.begin();
        }
        assert_eq!(decoder.decode(&[], &mut samples), Err(OpusError::Packet));
        assert_eq!(packet_duration(&[]), None);
        let mut encoder = Encoder::new(Rate::Full, &settings()).unwrap();
        assert_eq!(encoder.encode(&[0; 100], &mut [0; 100]), Err(OpusError::Length));
    }
}
