//! Who speaks in each room: one of those who do, and not whoever coughs.
//!
//! It is told by how loud the frames of 20 ms were, which is handed out for [`super::disturbance`] anyway: looked at
//! here, on the gateway's side, and never in a tick. Speech stands out of the leg's own noise; a cough or a knock does
//! as well, but not for as long. Compared with detectors that look at the samples: `benches/README.md`.

use super::command::{Event, MEASURED, Measured, Measurement};
use crate::types::{CallId, RoomId};
use std::collections::{BTreeMap, HashMap};

/// Frames of a step, 100 ms.
const STEP: usize = 5;
const STEP_MS: u64 = 100;
/// Speech stands out of the noise by so much, 9 dB, and is no fainter than −56 dBov, as powers.
const STANDS_OUT: f32 = 7.94;
const FAINTEST: f32 = 2.5e-6;
/// The noise is the faintest of two windows of so many frames, 1.5 s each.
const NOISE: u8 = 75;
/// Who speaks for so many of the last frames, 400 of 800 ms, speaks.
const SPEECH: u32 = 20;
const RECENT: u64 = (1 << 40) - 1;
/// The loudness of so many frames of speech counts, 400 ms.
const LOUDNESS: f32 = 20.0;
/// Whoever has paused for so many steps gives way to who speaks, and after so many is not the speaker any more: 300 ms
/// and 1.5 s.
const GIVES_WAY: u8 = 3;
const HANGOVER: u8 = 15;
/// Whoever speaks and is so many times as loud, 3 dB, for so many steps takes the place of who goes on.
const LOUDER: f32 = 2.0;
const INSISTS: u8 = 2;

/// The speakers of all rooms that are measured.
#[derive(Debug, Default)]
pub(super) struct ActiveSpeakers {
    rooms: HashMap<RoomId, Room>,
    /// For how long each leg was the speaker, of those that ever were and are not gone.
    spoke: HashMap<CallId, u64>,
}

/// A room.
#[derive(Debug, Default)]
struct Room {
    /// The 20 ms that were looked at last.
    end: u64,
    voices: BTreeMap<CallId, Voice>,
    speaker: Option<CallId>,
    /// Steps for which the speaker has paused.
    pause: u8,
    /// Who would take its place, and for how many steps it has been louder.
    rival: Option<(CallId, u8)>,
}

/// What is known of one who is heard in a room.
#[derive(Debug, Clone)]
struct Voice {
    noise_before: f32,
    noise: f32,
    noise_frames: u8,
    /// A bit for each frame, the newest the lowest: whether it is speech.
    speech: u64,
    /// The mean power of its speech.
    loudness: f32,
}

impl Default for Voice {
    fn default() -> Self {
        Self { noise_before: f32::MAX, noise: f32::MAX, noise_frames: 0, speech: 0, loudness: 0.0 }
    }
}

impl Voice {
    /// A frame, which is of no speech but where it `may_be`.
    fn hear(&mut self, power: f32, may_be: bool) {
        self.noise = self.noise.min(power);
        self.noise_frames += 1;
        let floor = self.noise.min(self.noise_before);
        if self.noise_frames >= NOISE {
            (self.noise_before, self.noise, self.noise_frames) = (self.noise, f32::MAX, 0);
        }
        let is_speech = may_be && power >= FAINTEST && power >= floor * STANDS_OUT;
        self.speech = self.speech << 1 | u64::from(is_speech);
        if is_speech {
            self.loudness += (power - self.loudness) / LOUDNESS;
        }
    }

    const fn speaks(&self) -> bool {
        (self.speech & RECENT).count_ones() >= SPEECH
    }

    /// Whether it said nothing in the last step.
    const fn pauses(&self) -> bool {
        self.speech & ((1 << STEP) - 1) == 0
    }
}

impl ActiveSpeakers {
    /// Takes what was measured. Tells who speaks now, where that is somebody else. Whoever disturbs the room does not.
    pub(super) fn hear(
        &mut self,
        measurement: &Measurement,
        disturbs: impl Fn(CallId) -> bool,
        out: &mut impl Extend<Event>,
    ) {
        let Measurement { room: id, end, legs } = measurement;
        let room = self.rooms.entry(*id).or_default();
        let passed = end.saturating_sub(room.end).min(MEASURED as u64) as usize;
        let steps = passed / STEP;
        // What is left of a step comes again with the next ones.
        let rest = passed % STEP;
        if steps == 0 {
            return;
        }
        room.end = end - rest as u64;
        let before = room.speaker;
        let mut legs: Vec<&Measured> = legs.iter().collect();
        legs.sort_unstable_by_key(|measured| measured.leg);
        let measured = |leg: CallId| legs.binary_search_by_key(&leg, |measured| measured.leg).ok().map(|at| legs[at]);
        for leg in &legs {
            room.voices.entry(leg.leg).or_default();
        }
        let from = MEASURED - rest - steps * STEP;
        for step in (from..MEASURED - rest).step_by(STEP) {
            for (leg, voice) in &mut room.voices {
                let measured = measured(*leg);
                let may_be = measured.is_some_and(|measured| measured.is_heard && !disturbs(*leg));
                for frame in step..step + STEP {
                    voice.hear(measured.map_or(0.0, |measured| measured.powers[frame]), may_be);
                }
            }
            room.choose();
            if let Some(speaker) = room.speaker {
                *self.spoke.entry(speaker).or_default() += STEP_MS;
            }
        }
        let speaker = room.speaker;
        room.voices.retain(|leg, _| speaker == Some(*leg) || measured(*leg).is_some());
        if speaker != before {
            out.extend([Event::ActiveSpeaker { room: *id, leg: speaker }]);
        }
    }

    /// A leg has left a room.
    pub(super) fn leave(&mut self, leg: CallId, id: RoomId, out: &mut impl Extend<Event>) {
        if let Some(room) = self.rooms.get_mut(&id)
            && room.voices.remove(&leg).is_some()
            && room.speaker == Some(leg)
        {
            room.speaker = None;
            out.extend([Event::ActiveSpeaker { room: id, leg: None }]);
        }
    }

    /// A leg is gone.
    pub(super) fn forget_leg(&mut self, leg: CallId, out: &mut impl Extend<Event>) {
        let rooms: Vec<RoomId> = self.rooms.keys().copied().collect();
        rooms.into_iter().for_each(|room| self.leave(leg, room, out));
    }

    /// For how long a leg that is gone was the speaker of a room, milliseconds. Asked once.
    pub(super) fn spoke_ms(&mut self, leg: CallId) -> u64 {
        self.spoke.remove(&leg).unwrap_or_default()
    }

    /// A room is gone.
    pub(super) fn forget_room(&mut self, room: RoomId) {
        self.rooms.remove(&room);
    }

    /// Whether it knows of nobody.
    pub(super) fn is_idle(&self) -> bool {
        self.rooms.is_empty() && self.spoke.is_empty()
    }
}

impl Room {
    /// Who speaks, after a step.
    fn choose(&mut self) {
        let others = self.voices.iter().filter(|(leg, voice)| Some(**leg) != self.speaker && voice.speaks());
        let loudest = others.max_by(|(_, a), (_, b)| a.loudness.total_cmp(&b.loudness));
        let Some(speaker) = self.speaker.and_then(|speaker| self.voices.get(&speaker)) else {
            (self.speaker, self.pause, self.rival) = (loudest.map(|(leg, _)| *leg), 0, None);
            return;
        };
        self.pause = if speaker.pauses() { self.pause.saturating_add(1) } else { 0 };
        let louder = loudest.filter(|(_, other)| other.loudness > speaker.loudness * LOUDER).map(|(leg, _)| *leg);
        self.rival = louder.map(|leg| match self.rival {
            Some((rival, steps)) if rival == leg => (leg, steps.saturating_add(1)),
            _ => (leg, 1),
        });
        let insists = self.rival.filter(|(_, steps)| *steps >= INSISTS).map(|(leg, _)| leg);
        let next = insists.or_else(|| loudest.map(|(leg, _)| *leg).filter(|_| self.pause >= GIVES_WAY));
        if next.is_some() || self.pause >= HANGOVER {
            (self.speaker, self.pause, self.rival) = (next, 0, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: RoomId = RoomId(1);

    /// A room that is measured every so many frames, and who spoke when.
    struct Conference {
        speakers: ActiveSpeakers,
        period: usize,
        sound: Vec<[f32; 3]>,
        told: Vec<(usize, Option<u64>)>,
        muted: Option<u64>,
        disturbs: Option<u64>,
    }

    impl Conference {
        fn new(period: usize) -> Self {
            let (sound, told) = (vec![[0.0; 3]; MEASURED], Vec::new());
            Self { speakers: ActiveSpeakers::default(), period, sound, told, muted: None, disturbs: None }
        }

        /// So many milliseconds in which legs 1 to 3 are so loud, dBov: `None` is silence, a number a syllable of
        /// 160 ms and 40 ms of pause in turn.
        fn sounds(&mut self, milliseconds: usize, levels: [Option<f32>; 3]) {
            for _ in 0..milliseconds / 20 {
                let is_syllable = self.sound.len() % 10 < 8;
                let power = |level: Option<f32>| {
                    let speech = level.filter(|_| is_syllable).map_or(0.0, |dbov| 10f32.powf(dbov / 10.0));
                    speech + 1e-7
                };
                self.sound.push(levels.map(power));
                if self.sound.len().is_multiple_of(self.period) {
                    self.measure();
                }
            }
        }

        fn measure(&mut self) {
            let end = self.sound.len();
            let leg = |n: usize| {
                let mut powers = Box::new([0.0; MEASURED]);
                let last = &self.sound[end - MEASURED..];
                powers.iter_mut().zip(last).for_each(|(power, frame)| *power = frame[n]);
                let n = n as u64 + 1;
                Measured { leg: CallId(n), is_heard: self.muted != Some(n), powers }
            };
            let measurement = Measurement { room: ROOM, end: end as u64, legs: (0..3).map(leg).collect() };
            let mut out = Vec::new();
            let disturbs = self.disturbs;
            self.speakers.hear(&measurement, |leg| disturbs == Some(leg.0), &mut out);
            for event in out {
                let Event::ActiveSpeaker { room: ROOM, leg } = event else { panic!("{event:?}") };
                self.told.push(((end - MEASURED) * 20, leg.map(|leg| leg.0)));
            }
        }

        fn speaker(&self) -> Option<u64> {
            self.told.last().and_then(|(_, leg)| *leg)
        }
    }

    const QUIET: [Option<f32>; 3] = [None; 3];

    #[test]
    fn who_speaks_for_half_a_second_is_the_speaker_until_a_second_and_a_half_after() {
        for period in [25, 5, 33] {
            let late = period * 20;
            let mut room = Conference::new(period);
            room.sounds(3_000, QUIET);
            assert_eq!(room.told, []);
            room.sounds(2_000, [None, Some(-26.0), None]);
            let (at, speaker) = room.told[0];
            assert!(speaker == Some(2) && (3_400..=3_700 + late).contains(&at), "{at}");
            room.sounds(5_000, QUIET);
            let (at, speaker) = room.told[1];
            assert!(speaker.is_none() && (6_400..=6_700 + late).contains(&at), "{at}");
            assert_eq!(room.told.len(), 2);
            // Two seconds less those in which it is found, and the pause after which nobody speaks.
            let spoke = [1, 2].map(|leg| room.speakers.spoke_ms(CallId(leg)));
            assert!(spoke[0] == 0 && (2_800..=3_200).contains(&spoke[1]), "{period}: {spoke:?}");
        }
    }

    #[test]
    fn a_cough_or_a_word_between_takes_nothing() {
        let mut room = Conference::new(25);
        room.sounds(3_000, QUIET);
        for _ in 0..5 {
            room.sounds(300, [Some(-15.0), None, None]);
            room.sounds(1_000, QUIET);
        }
        assert_eq!(room.told, []);
        room.sounds(2_000, [None, Some(-26.0), None]);
        for _ in 0..5 {
            room.sounds(200, [None, Some(-26.0), Some(-15.0)]);
            room.sounds(1_000, [None, Some(-26.0), None]);
            // Between two sentences.
            room.sounds(1_000, QUIET);
            room.sounds(1_000, [None, Some(-26.0), None]);
        }
        assert_eq!(room.told.len(), 1, "{:?}", room.told);
        assert_eq!(room.speaker(), Some(2));
    }

    #[test]
    fn the_next_speaker_follows_in_a_pause_and_a_louder_one_at_any_time() {
        let mut room = Conference::new(5);
        room.sounds(3_000, QUIET);
        room.sounds(2_000, [Some(-26.0), None, None]);
        room.sounds(200, QUIET);
        room.sounds(1_500, [None, Some(-26.0), None]);
        assert_eq!(room.speaker(), Some(2));
        assert!(room.told[1].0 <= 5_200 + 800, "{:?}", room.told);
        // As loud, it does not interrupt; louder it does.
        room.sounds(3_000, [Some(-26.0), Some(-26.0), None]);
        assert_eq!(room.speaker(), Some(2));
        let begins = (room.sound.len() - MEASURED) * 20;
        room.sounds(1_500, [None, Some(-26.0), Some(-18.0)]);
        assert_eq!(room.speaker(), Some(3));
        let taken = room.told.last().unwrap().0 - begins;
        assert!((500..=1_200).contains(&taken), "{taken}");
    }

    #[test]
    fn whoever_is_muted_disturbs_or_has_left_is_not_the_speaker() {
        let mut room = Conference::new(25);
        room.muted = Some(1);
        room.disturbs = Some(2);
        room.sounds(3_000, QUIET);
        room.sounds(2_000, [Some(-20.0), Some(-20.0), None]);
        assert_eq!(room.told, []);
        room.sounds(2_000, [Some(-20.0), Some(-20.0), Some(-30.0)]);
        assert_eq!(room.speaker(), Some(3));
        let mut out = Vec::new();
        room.speakers.forget_leg(CallId(3), &mut out);
        assert_eq!(out, [Event::ActiveSpeaker { room: ROOM, leg: None }]);
        room.speakers.forget_room(ROOM);
        assert!(room.speakers.spoke_ms(CallId(3)) > 1_000 && room.speakers.spoke_ms(CallId(3)) == 0);
        assert!(room.speakers.is_idle());
    }

    #[test]
    fn a_steady_noise_is_no_speech_for_long_and_speech_over_it_is() {
        let mut room = Conference::new(25);
        let noise = 10f32.powf(-4.5);
        let frames = |room: &mut Conference, milliseconds: usize, speech: Option<f32>| {
            for _ in 0..milliseconds / 20 {
                let is_syllable = room.sound.len() % 10 < 8;
                let power = speech.filter(|_| is_syllable).map_or(0.0, |dbov| 10f32.powf(dbov / 10.0));
                room.sound.push([noise + power, 0.0, 0.0]);
                if room.sound.len().is_multiple_of(25) {
                    room.measure();
                }
            }
        };
        frames(&mut room, 8_000, None);
        assert_eq!(room.speaker(), None);
        let told = room.told.len();
        frames(&mut room, 10_000, None);
        assert_eq!(room.told.len(), told);
        frames(&mut room, 3_000, Some(-26.0));
        assert_eq!(room.speaker(), Some(1));
    }
}
