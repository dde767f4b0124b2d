//! Who is mixed in a room where more speak at once than are to be heard: the loudest, and nobody is cut off in a word.
//!
//! Whoever is mixed stays so until a pause; a place that is free goes to the loudest of those who wait. A pause is much
//! quieter than that speaker was: on a noisy line it is never silent. What has no loud and quiet moments at all is no
//! speech, but an open microphone, and gives way to whoever is louder. While no more speak than there are places,
//! everyone is mixed, and nothing of this costs anything.

use super::voices::{Presence, VoiceId, Voices};
use crate::audio::fade::{fade_in, fade_out};
use crate::audio::{FRAME_8K, level};

/// What is quieter is a pause whoever speaks, dBFS.
const PAUSE_DBFS: f32 = -55.0;
/// What has so small a part of the energy that the speaker had lately is a pause: 20 dB less.
const PAUSE_PART: u64 = 100;
/// The lately highest energy falls by this part a tick, 3 dB in 0.9 s, and the lowest rises by a part four times as
/// large.
const FORGOTTEN: u64 = 64;
/// Speech is at times so many times as loud as at others within a second: 9 dB. Noise is not.
const DYNAMICS: u64 = 8;
/// Whoever has had none for so many ticks, a second, gives way to whoever has `LOUDER` times the energy, 6 dB.
const STEADY: u8 = 50;
const LOUDER: u64 = 4;
/// Whoever pauses for so many ticks gives way: 100 ms, more than there is silence within a word.
const PAUSE: u8 = 5;
/// Whoever has not paused for so many ticks, 30 s, does not speak: it is music or noise, and gives way as well.
const WITHOUT_PAUSE: u16 = 1_500;

/// The choice of one room.
#[derive(Debug)]
pub(crate) struct Loudest {
    /// Places.
    most: usize,
    /// All who may speak, where they are more than there are places.
    speakers: Vec<VoiceId>,
    /// What is said to all and always mixed: prompts and tones.
    announcements: Vec<VoiceId>,
    chosen: Vec<Chosen>,
    /// Whoever speaks and has no place, with the energy of a frame.
    waiting: Vec<(u64, VoiceId)>,
    /// Whoever has given way in this tick, and is faded out.
    leaving: Vec<VoiceId>,
    /// More speak in this tick than there are places.
    is_limited: bool,
    pause_energy: u64,
}

/// Somebody who is mixed.
#[derive(Debug, Clone, Copy)]
struct Chosen {
    voice: VoiceId,
    /// Ticks of the pause so far, and ticks without one.
    pause: u8,
    without_pause: u16,
    /// The highest and the lowest energy of late, and ticks in which they were close together.
    high: u64,
    low: u64,
    steady: u8,
}

impl Loudest {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            speakers: Vec::new(),
            announcements: Vec::new(),
            chosen: Vec::new(),
            waiting: Vec::new(),
            leaving: Vec::new(),
            is_limited: false,
            pause_energy: level::energy_at(PAUSE_DBFS, FRAME_8K),
        }
    }

    /// Who may sound from here on, and which of them are announcements. Allocates.
    pub(crate) fn arrange(&mut self, voices: &[VoiceId], announcements: &[VoiceId]) {
        self.speakers.clear();
        self.announcements.clear();
        self.is_limited = false;
        self.leaving.clear();
        if voices.len().saturating_sub(announcements.len()) <= self.most {
            self.chosen.clear();
            return;
        }
        self.announcements.extend_from_slice(announcements);
        self.speakers.extend(voices.iter().filter(|voice| !announcements.contains(voice)));
        self.chosen.retain(|chosen| voices.binary_search(&chosen.voice).is_ok());
        self.chosen.reserve(self.most);
        self.leaving.reserve(self.most);
        self.waiting.reserve(self.speakers.len());
    }

    /// The room is in another engine now, where its voices have other places.
    pub(crate) fn forget(&mut self) {
        self.arrange(&[], &[]);
    }

    /// Whether a voice that sounds is mixed in this tick.
    pub(crate) fn mixes(&self, voice: VoiceId) -> bool {
        !self.is_limited
            || self.chosen.iter().any(|chosen| chosen.voice == voice)
            || self.leaving.contains(&voice)
            || self.announcements.contains(&voice)
    }

    /// Chooses for this tick. Who is let in while speaking is faded in.
    pub(crate) fn choose(&mut self, voices: &mut Voices) {
        if self.speakers.is_empty() {
            return;
        }
        self.leaving.clear();
        let sounds = |voice: VoiceId| voices.presence(voice) == Presence::Loud;
        self.chosen.retain(|chosen| sounds(chosen.voice));
        let count = self.speakers.iter().filter(|voice| sounds(**voice)).count();
        self.is_limited = count > self.most;
        if !self.is_limited {
            for &voice in self.speakers.iter().filter(|voice| sounds(**voice)) {
                if self.chosen.iter().all(|chosen| chosen.voice != voice) {
                    self.chosen.push(Chosen::new(voice));
                }
            }
            return;
        }
        let energy = |voice: VoiceId| level::energy(voices.samples(voice)) / voices.rate(voice).scale() as u64;
        for chosen in &mut self.chosen {
            chosen.went_on(energy(chosen.voice), self.pause_energy);
        }
        self.waiting.clear();
        for &voice in self.speakers.iter().filter(|voice| sounds(**voice)) {
            if self.chosen.iter().all(|chosen| chosen.voice != voice) {
                let energy = energy(voice);
                if energy >= self.pause_energy {
                    self.waiting.push((energy, voice));
                }
            }
        }
        while let Some(at) = self.loudest_waiting() {
            let (energy, voice) = self.waiting[at];
            if self.chosen.len() >= self.most {
                let pausing = || self.chosen.iter().position(Chosen::pauses);
                let Some(gone) = pausing().or_else(|| self.chosen.iter().position(|it| it.gives_way_to(energy))) else {
                    break;
                };
                let gone = self.chosen.swap_remove(gone).voice;
                let (frame, rate) = voices.samples_mut_at(gone);
                fade_out(frame, rate);
                self.leaving.push(gone);
            }
            self.waiting.swap_remove(at);
            self.chosen.push(Chosen::new(voice));
            let (frame, rate) = voices.samples_mut_at(voice);
            fade_in(frame, rate);
        }
    }

    fn loudest_waiting(&self) -> Option<usize> {
        (0..self.waiting.len()).max_by_key(|at| self.waiting[*at].0)
    }
}

impl Chosen {
    const fn new(voice: VoiceId) -> Self {
        Self { voice, pause: 0, without_pause: 0, high: 0, low: u64::MAX, steady: 0 }
    }

    fn went_on(&mut self, energy: u64, pause_energy: u64) {
        self.high = energy.max(self.high - self.high / FORGOTTEN);
        self.low = energy.min(self.low.saturating_add(self.low / (FORGOTTEN / 4)).saturating_add(1));
        let is_steady = self.high / DYNAMICS < self.low;
        self.steady = if is_steady { self.steady.saturating_add(1) } else { 0 };
        let is_pause = energy < pause_energy.max(self.high / PAUSE_PART);
        self.without_pause = if is_pause { 0 } else { self.without_pause.saturating_add(1) };
        self.pause = if is_pause { self.pause.saturating_add(1) } else { 0 };
    }

    const fn pauses(&self) -> bool {
        self.pause >= PAUSE
    }

    const fn gives_way_to(&self, energy: u64) -> bool {
        self.without_pause >= WITHOUT_PAUSE || (self.steady >= STEADY && energy / LOUDER > self.high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Table {
        loudest: Loudest,
        voices: Voices,
        ids: Vec<VoiceId>,
    }

    impl Table {
        fn new(most: usize, speakers: usize) -> Self {
            let mut voices = Voices::default();
            let ids: Vec<VoiceId> = (0..speakers).map(|_| voices.add()).collect();
            let mut loudest = Loudest::new(most);
            loudest.arrange(&ids, &[]);
            Self { loudest, voices, ids }
        }

        /// A tick in which each speaks with this amplitude; 0 is a pause, and `None` nobody.
        fn tick(&mut self, amplitudes: &[Option<i16>]) -> Vec<usize> {
            for (&voice, amplitude) in self.ids.iter().zip(amplitudes) {
                self.voices.samples_mut(voice).fill(amplitude.unwrap_or(0));
                self.voices.set(voice, if amplitude.is_some() { Presence::Loud } else { Presence::Absent });
            }
            self.loudest.choose(&mut self.voices);
            let mixed = |at: &usize| amplitudes[*at].is_some() && self.loudest.mixes(self.ids[*at]);
            (0..self.ids.len()).filter(mixed).collect()
        }
    }

    #[test]
    fn everyone_is_mixed_while_there_are_places() {
        let mut table = Table::new(3, 5);
        assert_eq!(table.tick(&[Some(100), None, Some(5_000), None, Some(900)]), [0, 2, 4]);
        assert_eq!(table.tick(&[Some(100), Some(9_000), None, None, Some(900)]), [0, 1, 4]);
    }

    /// Amplitudes of one who speaks: syllables of 140 ms with 60 ms between them.
    fn speech(tick: usize, amplitude: i16) -> i16 {
        if tick % 10 < 7 { amplitude } else { amplitude / 6 }
    }

    #[test]
    fn who_speaks_is_not_cut_off_by_who_is_louder_until_a_pause() {
        let mut table = Table::new(2, 4);
        assert_eq!(table.tick(&[Some(500), Some(600), None, None]), [0, 1]);
        let all = |tick| [Some(speech(tick, 500)), Some(speech(tick, 600)), Some(9_000), Some(8_000)];
        for tick in 0..300 {
            assert_eq!(table.tick(&all(tick)), [0, 1], "{tick}");
        }
        // A pause within a word changes nothing; one between two words lets the loudest in, faded in.
        for _ in 1..PAUSE {
            assert_eq!(table.tick(&[Some(500), Some(0), Some(9_000), Some(8_000)]), [0, 1]);
        }
        assert_eq!(table.tick(&[Some(500), Some(0), Some(9_000), Some(8_000)]), [0, 1, 2], "1 is faded out");
        let frame = table.voices.samples(table.ids[2]);
        assert!(frame[0] < 300 && frame[FRAME_8K / 2] == 9_000);
        // Who gave way speaks again and waits its turn.
        assert_eq!(table.tick(&[Some(500), Some(9_900), Some(9_000), Some(8_000)]), [0, 2]);
        assert_eq!(table.tick(&[None, Some(9_900), Some(9_000), Some(8_000)]), [1, 2]);
    }

    #[test]
    fn on_a_noisy_line_a_pause_is_what_is_much_quieter_than_the_words() {
        let mut table = Table::new(1, 2);
        table.tick(&[Some(5_000), None]);
        (0..100).for_each(|tick| assert_eq!(table.tick(&[Some(speech(tick, 5_000)), Some(2_000)]), [0]));
        // Its noise is far above what is silence to others.
        let ticks = (1..100).find(|_| table.tick(&[Some(300), Some(2_000)]).contains(&1));
        assert_eq!(ticks, Some(usize::from(PAUSE)));
    }

    #[test]
    fn open_microphones_give_way_to_who_speaks_and_are_faded_out() {
        let mut table = Table::new(3, 4);
        let noise = |tick: usize| Some(100 + i16::try_from(tick * 7 % 11).unwrap());
        assert_eq!(table.tick(&[noise(0), noise(3), noise(5), None]), [0, 1, 2]);
        let mut mix = |tick| table.tick(&[noise(tick), noise(tick + 3), noise(tick + 5), Some(speech(tick, 3_000))]);
        let ticks = (0..100).find(|tick| mix(*tick).contains(&3));
        assert!(ticks.is_some_and(|ticks| ticks <= usize::from(STEADY) + 1), "{ticks:?}");
        let gone = table.ids.iter().position(|id| table.voices.samples(*id)[FRAME_8K - 1] == 0).unwrap();
        assert!(gone < 3 && table.voices.samples(table.ids[gone])[0] > 90);
        // Noise that is as loud as other noise takes nobody's place.
        let mut table = Table::new(1, 2);
        assert!((0..200).all(|tick| table.tick(&[noise(tick), (tick > 0).then_some(150)]) == [0]));
    }

    #[test]
    fn music_without_an_end_gives_way_too() {
        let mut table = Table::new(1, 2);
        table.tick(&[Some(3_000), None]);
        let ticks = (0..2_000).position(|_| table.tick(&[Some(3_000), Some(2_000)]).contains(&1));
        assert_eq!(ticks, Some(usize::from(WITHOUT_PAUSE) - 1));
    }

    #[test]
    fn announcements_take_no_place() {
        let mut table = Table::new(1, 3);
        let prompt = table.ids[0];
        table.loudest.arrange(&table.ids, &[prompt]);
        assert_eq!(table.tick(&[Some(100), Some(300), Some(200)]), [0, 1]);
    }
}
