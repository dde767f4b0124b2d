//! What is lost of Opus, made by neural networks: out of what came before (deep PLC), or out of the description of the
//! last second that a later packet may carry (DRED).
//!
//! That costs thirty times what concealing costs otherwise. So all decoders of an engine share what a tick may spend
//! on it, and the memory that is needed for the moment alone; what is beyond that is concealed as ever.

use super::{OpusError, State, checked, hertz};
use crate::audio::Rate;
use opusic_sys as sys;
use std::ffi::c_int;

/// So much may be made in a tick: 80 ms, four frames.
const A_TICK: usize = 4 * Rate::Full.frame();
/// To ask how much a packet describes costs as much as making so many samples (`benches/README.md`).
const QUESTION: usize = Rate::Full.frame() / 128;

/// What the decoders of an engine have in common to mend losses by.
#[derive(Debug)]
pub struct Repair {
    /// The decoder of descriptions, and the one that was parsed last; `None` where the library has neither.
    description: Option<(State, State)>,
    /// Samples at 48 kHz that may be made in a tick, and that still may in this one.
    a_tick: usize,
    left: usize,
}

impl Default for Repair {
    fn default() -> Self {
        Self { description: description(), a_tick: A_TICK, left: A_TICK }
    }
}

/// A decoder of descriptions, and room for one.
fn description() -> Option<(State, State)> {
    // SAFETY: both ask for a number.
    let (decoder, parsed) = unsafe { (sys::opus_dred_decoder_get_size(), sys::opus_dred_get_size()) };
    let (mut decoder, parsed) = (State::new(decoder)?, State::new(parsed)?);
    // SAFETY: the state is as large as the library asked for, and aligned as `malloc` would.
    (unsafe { sys::opus_dred_decoder_init(decoder.as_mut()) } == sys::OPUS_OK).then_some((decoder, parsed))
}

impl Repair {
    /// One with which nothing may be spent: everything is concealed as ever, and no description is read.
    #[must_use]
    pub const fn none() -> Self {
        Self { description: None, a_tick: 0, left: 0 }
    }

    /// A tick begins.
    pub const fn begin(&mut self) {
        self.left = self.a_tick;
    }

    /// Spends what so many samples cost, if that much is left.
    pub(super) const fn spend(&mut self, samples: usize) -> bool {
        let Some(left) = self.left.checked_sub(samples) else { return false };
        self.left = left;
        true
    }

    /// Whether `packet` describes more than the `ahead` samples before it; `None` where that is not looked at, since
    /// too much was spent in this tick.
    pub(super) fn is_described_in(&mut self, packet: &[u8], ahead: usize) -> Option<bool> {
        if self.left < QUESTION {
            return None;
        }
        // To be processed later, that is never: whether it is there is all that is asked.
        let (reaches, _) = self.read(packet, 2 * ahead, true)?;
        // Where there is nothing, next to nothing was done.
        if reaches > 0 {
            self.left -= QUESTION;
        }
        Some(reaches > ahead)
    }

    /// Reads what `packet` describes of the `samples` samples that began `ahead` samples before it. False where it does
    /// not reach back so far, or too much was spent in this tick.
    pub(super) fn parse(&mut self, packet: &[u8], ahead: usize, samples: usize) -> bool {
        if self.left < samples {
            return false;
        }
        // What is newest may be missing; and the last piece that it reaches may be so in part.
        let Some((reaches, end)) = self.read(packet, ahead, false) else { return false };
        reaches + samples > ahead && ahead > end && self.spend(samples)
    }

    /// Reads what `packet` describes of the last `most` samples before it: how far back that begins, and ends.
    fn read(&mut self, packet: &[u8], most: usize, later: bool) -> Option<(usize, usize)> {
        let (decoder, parsed) = self.description.as_mut()?;
        let (length, most) = (i32::try_from(packet.len()).ok()?, i32::try_from(most).ok()?);
        let mut end = 0;
        // SAFETY: the states were made by the library's own functions, as large as it asked for; the pointer is good
        // for `length` octets.
        let reaches = unsafe {
            sys::opus_dred_parse(
                decoder.as_mut(),
                parsed.as_mut(),
                packet.as_ptr(),
                length,
                most,
                hertz(Rate::Full),
                &raw mut end,
                c_int::from(later),
            )
        };
        Some((usize::try_from(reaches).unwrap_or(0), usize::try_from(end).unwrap_or(0)))
    }

    /// Makes what was parsed the sound of a decoder: the samples that began `ahead` samples before the packet.
    pub(super) fn decode(
        &mut self,
        decoder: &mut State,
        ahead: usize,
        samples: &mut [i16],
    ) -> Result<usize, OpusError> {
        let Some((_, parsed)) = &mut self.description else { return Err(OpusError::Packet) };
        let (Ok(ahead), Ok(room)) = (i32::try_from(ahead), c_int::try_from(samples.len())) else {
            return Err(OpusError::Length);
        };
        // SAFETY: both states were made by the library's own functions; the pointer is good for `room` samples.
        checked(unsafe {
            sys::opus_decoder_dred_decode(
                decoder.as_mut(),
                parsed.as_mut::<sys::OpusDRED>().cast_const(),
                ahead,
                samples.as_mut_ptr(),
                room,
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Decoder, Encoder};
    use super::*;
    use crate::audio::codec::Made;
    use crate::audio::level;
    use crate::audio::tone::Tone;
    use crate::types::OpusSettings;
    use std::time::Duration;

    const FRAME: usize = Rate::Full.frame();

    /// Half a second of a voice, then 20 ms each as loud as `levels` say, dBov, and what follows.
    fn voice(levels: &[f32]) -> Vec<i16> {
        let loud = [-15.0; 25];
        let levels = loud.iter().chain(levels).chain(&loud[..3]);
        let piece = |(n, level): (usize, &f32)| {
            let mut piece = Tone::sine(0.0, *level);
            let base = 140.0 + 3.0 * (n % 9) as f64;
            piece.frequencies = (1..12).map(|k| base * f64::from(k)).collect();
            piece.samples(Duration::from_millis(20)).into_iter().flat_map(|sample| [sample; 6])
        };
        levels.enumerate().flat_map(piece).collect()
    }

    fn packets(sound: &[i16], loss: u8) -> Vec<Vec<u8>> {
        let mut encoder = Encoder::new(Rate::Full, &OpusSettings::default()).unwrap();
        encoder.expect_loss(loss);
        let packet = |frame: &[i16]| {
            let mut packet = vec![0; 1_276];
            let length = encoder.encode(frame, &mut packet).unwrap();
            packet.truncate(length);
            packet
        };
        sound.chunks_exact(FRAME).map(packet).collect()
    }

    /// The levels of `count` packets that are lost behind the first 25, made of the packet that follows them.
    fn mended(packets: &[Vec<u8>], count: usize, repair: &mut Repair) -> Vec<(bool, f32)> {
        let mut decoder = Decoder::new(Rate::Full).unwrap();
        let mut samples = [0; FRAME];
        for packet in &packets[..25] {
            decoder.decode(packet, &mut samples).unwrap();
        }
        let next = &packets[25 + count];
        let mut piece = |left: usize| {
            repair.begin();
            let made = decoder.decode_lost_from(next, left * FRAME, &mut samples, repair).unwrap();
            (made == Made::Described, level::dbfs(&samples))
        };
        (1..=count).rev().map(&mut piece).collect()
    }

    #[test]
    fn what_a_later_packet_describes_is_made_of_it() {
        let levels = [-15.0, -15.0, -60.0, -60.0, -15.0];
        let packets = packets(&voice(&levels), 10);
        let mended = mended(&packets, 5, &mut Repair::default());
        assert!(mended.iter().all(|(is_carried, _)| *is_carried), "{mended:?}");
        assert!(mended[3].1 < mended[0].1 - 10.0, "the pause cannot be guessed: {mended:?}");
        assert!(mended[4].1 > mended[3].1 + 10.0, "nor that it ends: {mended:?}");
    }

    #[test]
    fn whom_nothing_is_lost_to_is_sent_no_descriptions() {
        let sound = voice(&[-15.0; 5]);
        for (loss, described) in [(0, false), (3, false), (4, true), (20, true)] {
            let packets = packets(&sound, loss);
            let mended = mended(&packets, 3, &mut Repair::default());
            assert_eq!(mended[0].0, described, "{loss} %");
            let octets: usize = packets.iter().map(Vec::len).sum();
            assert_eq!(octets > packets.len() * 80, described, "{loss} %: {octets} octets");
        }
    }

    /// What mends the loss of the packet before `next`, `times` over, in ticks in which so many samples may be made;
    /// and in how many of them what it describes was looked at.
    fn asked(decoder: &mut Decoder, next: &[u8], times: usize, left: usize) -> (Vec<Made>, usize) {
        let (mut repair, mut samples) = (Repair::default(), [0; FRAME]);
        let mut questions = 0;
        let mut mend = |_| {
            repair.left = left;
            let made = decoder.decode_lost_from(next, FRAME, &mut samples, &mut repair).unwrap();
            questions += usize::from(repair.left < left);
            made
        };
        ((0..times).map(&mut mend).collect(), questions)
    }

    #[test]
    fn whether_packets_describe_is_looked_at_once_in_sixteen_losses_within_what_a_tick_may_spend() {
        let sound = voice(&[-15.0; 3]);
        let [described, plain] = [20, 3].map(|loss| packets(&sound, loss).swap_remove(27));
        let mut decoder = Decoder::new(Rate::Full).unwrap();
        assert_eq!(asked(&mut decoder, &described, 2, QUESTION - 1), (vec![Made::Recovered; 2], 0), "not known");
        assert_eq!(asked(&mut decoder, &described, 40, A_TICK), (vec![Made::Described; 40], 3));
        // Known, and to be looked at again: what was known holds.
        assert_eq!(asked(&mut decoder, &described, 40, QUESTION - 1), (vec![Made::Described; 40], 0));
        // They do so no more.
        assert_eq!(asked(&mut decoder, &plain, 40, A_TICK), (vec![Made::Recovered; 40], 0));
        assert_eq!(asked(&mut decoder, &described, 1, QUESTION), (vec![Made::Described], 1));
        decoder.reset();
        assert_eq!(asked(&mut decoder, &plain, 1, QUESTION), (vec![Made::Recovered], 0), "another stream begins");
    }

    #[test]
    fn a_tick_spends_so_much_and_no_more() {
        let packets = packets(&voice(&[-15.0; 3]), 10);
        let [mut spent, mut none] = [Repair::default(), Repair::none()];
        let mut samples = [[0; FRAME]; 3];
        let [mut first, mut second, mut third] = [(); 3].map(|()| Decoder::new(Rate::Full).unwrap());
        for decoder in [&mut first, &mut second, &mut third] {
            for packet in &packets[..25] {
                decoder.decode(packet, &mut samples[0]).unwrap();
            }
        }
        for _ in 0..A_TICK / FRAME {
            assert!(spent.spend(FRAME));
        }
        first.conceal(&mut samples[0], &mut spent).unwrap();
        second.conceal(&mut samples[1], &mut none).unwrap();
        assert_eq!(samples[0], samples[1], "as ever");
        spent.begin();
        third.conceal(&mut samples[2], &mut spent).unwrap();
        assert_ne!(samples[0], samples[2], "by the network");
        assert_eq!(spent.left, A_TICK - FRAME);
        let next = &packets[27];
        spent.left = FRAME - 1;
        assert_eq!(first.decode_lost_from(next, 2 * FRAME, &mut samples[0], &mut spent), Ok(Made::Guessed));
    }
}
