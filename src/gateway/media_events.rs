//! What the media plane reports.

use super::cause::Cause;
use super::{Gateway, Level};
use crate::media::command::Event;
use crate::session;
use crate::types::{Now, RoomId, UnitId};

impl Gateway {
    pub(super) fn on_media_event(&mut self, now: Now, event: Event) {
        match event {
            Event::FirstPacket { leg } => {
                self.note_sound(leg);
                self.note_early_sound(leg);
                self.note_ready(leg, false, true);
                self.tell_scenario_of(leg, |call| session::Event::FirstPacket { call });
            }
            Event::Digit { leg, digit, source } => self.on_key(now, leg, digit, source),
            Event::PlaybackFinished { player, completed } => self.on_playback_finished(now, player, completed),
            Event::PacketTooLong { leg, milliseconds } => {
                let why = format!("{milliseconds} ms in a packet, 200 are played (RFC 3551, section 4.2)");
                self.log(Level::Warn, Some(leg), "sound that cannot be heard", why);
            }
            Event::MediaTimeout { leg } => {
                self.log(Level::Info, Some(leg), "nothing heard for too long", String::new());
                self.tell_scenario_of(leg, |call| session::Event::SoundStopped { call });
                self.hang_up(now, leg, Cause::MediaTimeout);
            }
            Event::LegOverran { leg } => {
                self.log_limited(now, Level::Warn, Some(leg), "leg broke its allowance of events", String::new);
                self.hang_up(now, leg, Cause::Limit("media events".into()));
            }
            Event::LegRemoved { leg, statistics } => self.on_leg_removed(now, leg, statistics),
            Event::Refused { unit, reason } => {
                let call = if let UnitId::Leg(call) = unit { Some(call) } else { None };
                self.log_limited(now, Level::Warn, call, "the media plane refused", || format!("{unit}: {reason}"));
                // A leg that could not be made will never report its end: the call must not wait for it.
                match unit {
                    UnitId::Player(player) => self.on_playback_finished(now, player, false),
                    UnitId::Room(room) => self.tell_room_failed(room, &reason.to_string()),
                    _ => {}
                }
            }
            Event::NoiseNotSuppressed { thread, count } => {
                self.frames_not_suppressed += count;
                self.log_limited(now, Level::Warn, None, "noise not suppressed", || {
                    format!("too many calls on thread {thread}: {count} times 20 ms")
                });
            }
            Event::TicksSkipped { thread, count } => {
                self.ticks_skipped += count;
                self.log_limited(now, Level::Warn, None, "media ticks skipped", || {
                    format!("{count} on thread {thread}")
                });
            }
            // Nobody here asks for the statistics of a leg that goes on.
            Event::Disturbance { leg, room, disturbance, is_heard } => {
                self.on_disturbance(leg, room, disturbance, is_heard);
            }
            Event::ActiveSpeaker { room, leg } => self.on_active_speaker(room, leg),
            Event::Statistics { .. } | Event::Measured(_) | Event::RemoteBye { .. } | Event::DigitsSent { .. } => {}
        }
    }

    /// Tells the scenarios that have a room open why it could not be connected.
    fn tell_room_failed(&mut self, room: RoomId, why: &str) {
        let watchers = self.rooms.get(room).map(|room| room.watchers().to_vec()).unwrap_or_default();
        for (session, handle) in watchers {
            self.tell_scenario(session, session::Event::RoomFailed { room: handle, why: why.to_owned() });
        }
    }
}
