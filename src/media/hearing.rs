//! What one sink hears, compiled from the routes.

use super::phase::{Beat, TICK_BEATS};
use super::room::Room;
use super::slots::Slots;
use super::voices::{Presence, VoiceId, Voices};
use crate::audio::{FRAME_8K, Frame, mix};
use crate::types::{AudioCodec, RoomId};

/// The one source of a leg or recorder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Source {
    /// Nobody.
    #[default]
    Nobody,
    /// One leg.
    Voice(VoiceId),
    /// A room, by slot.
    Room(u32),
}

/// Who is heard, and the private player.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Hearing {
    pub(crate) source: Source,
    pub(crate) player: Option<VoiceId>,
    /// The sink's own voice, if it sounds in the room it hears.
    pub(crate) own: Option<VoiceId>,
}

/// What there is to hear in a tick.
#[derive(Debug)]
pub(crate) enum Heard<'a> {
    /// Nothing.
    Silence,
    /// The mix of a room for all who contribute nothing: encode it once.
    Shared(&'a mut Room),
    /// Somebody else's frame as it is.
    Frame(&'a Frame),
    /// A frame made for this sink, in its scratch.
    Own,
}

impl Heard<'_> {
    /// The payload in `codec`, made in `scratch` unless it is shared. `None` for silence.
    pub(crate) fn encode<'b>(
        &'b mut self,
        codec: AudioCodec,
        own: &Frame,
        payload: &'b mut [u8; FRAME_8K],
    ) -> Option<&'b [u8; FRAME_8K]> {
        let frame = match self {
            Heard::Silence => return None,
            Heard::Shared(room) => return Some(room.encoded(codec)),
            Heard::Frame(frame) => *frame,
            Heard::Own => own,
        };
        crate::audio::codec::encode(codec, frame, payload);
        Some(payload)
    }
}

impl Hearing {
    /// What is heard in the tick on the beat `tick`. A frame that is this sink's alone is made in `scratch`.
    pub(crate) fn hear<'a>(
        &self,
        voices: &'a Voices,
        rooms: &'a mut Slots<RoomId, Room>,
        scratch: &mut Frame,
        tick: Beat,
    ) -> Heard<'a> {
        let player = self.player.filter(|player| voices.presence(*player) == Presence::Loud);
        let base = match self.source {
            Source::Nobody => Heard::Silence,
            Source::Voice(voice) if voices.presence(voice) == Presence::Absent => Heard::Silence,
            Source::Voice(voice) => Heard::Frame(voices.frame(voice)),
            Source::Room(slot) => match rooms.at_mut(slot) {
                // A room that was not mixed in this tick has nothing new to say.
                Some((_, room)) if room.next_tick == tick + TICK_BEATS => {
                    let own = self.own.filter(|own| voices.presence(*own) == Presence::Loud);
                    match (own, player) {
                        (own, _) if room.is_silent(usize::from(own.is_some())) => Heard::Silence,
                        (None, None) => return Heard::Shared(room),
                        (Some(own), None) => {
                            mix::minus(room.sum(), voices.frame(own), scratch);
                            return Heard::Own;
                        }
                        (None, Some(player)) => {
                            *scratch = *voices.frame(player);
                            add_sum(scratch, room.sum());
                            return Heard::Own;
                        }
                        (Some(own), Some(player)) => {
                            mix::minus_plus(room.sum(), voices.frame(own), voices.frame(player), scratch);
                            return Heard::Own;
                        }
                    }
                }
                _ => Heard::Silence,
            },
        };
        match (base, player) {
            (Heard::Silence, Some(player)) => Heard::Frame(voices.frame(player)),
            (Heard::Frame(frame), Some(player)) => {
                *scratch = *frame;
                mix::add_clamped(scratch, voices.frame(player));
                Heard::Own
            }
            (base, _) => base,
        }
    }
}

/// The sum plus a frame, clamped once.
fn add_sum(frame: &mut Frame, sum: &[i32; FRAME_8K]) {
    for (sample, &sum) in frame.iter_mut().zip(sum) {
        let total = (sum + i32::from(*sample)).clamp(i32::from(i16::MIN), i32::from(i16::MAX));
        *sample = i16::try_from(total).expect("clamped just before");
    }
}
