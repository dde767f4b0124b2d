//! Who is mixed in a room where more speak at once than are to be heard: the loudest, and nobody is cut off in a word.
//!
//! Whoever is mixed stays so until a pause; a place that is free goes to the loudest of those who wait. While no more speak
//! than there are places, everyone is mixed, and nothing of this costs anything.

use super::voices::{Presence, VoiceId, Voices};
use crate::audio::{FRAME_8K, Rate, level};

/// What is quieter is a pause, dBFS.
const PAUSE_DBFS: f32 = -55.0;
/// Whoever pauses for so many ticks gives way: 100 ms, more than there is silence within a word.
const PAUSE: u8 = 5;
/// Whoever has not paused for so many ticks, 30 s, does not speak: it is music or noise, and gives way as well.
const WITHOUT_PAUSE: u16 = 1_500;
/// Whoever is let in while speaking is faded in over 5 ms: so many samples at 8 kHz.
const FADE: usize = 40;

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
}

impl Loudest {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            speakers: Vec::new(),
            announcements: Vec::new(),
            chosen: Vec::new(),
            waiting: Vec::new(),
            is_limited: false,
            pause_energy: level::energy_at(PAUSE_DBFS, FRAME_8K),
        }
    }

    /// Who may sound from here on, and which of them are announcements. Allocates.
    pub(crate) fn arrange(&mut self, voices: &[VoiceId], announcements: &[VoiceId]) {
        self.speakers.clear();
        self.announcements.clear();
        self.is_limited = false;
        if voices.len().saturating_sub(announcements.len()) <= self.most {
            self.chosen.clear();
            return;
        }
        self.announcements.extend_from_slice(announcements);
        self.speakers.extend(voices.iter().filter(|voice| !announcements.contains(voice)));
        self.chosen.retain(|chosen| voices.binary_search(&chosen.voice).is_ok());
        self.chosen.reserve(self.most);
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
            || self.announcements.contains(&voice)
    }

    /// Chooses for this tick. Who is let in while speaking is faded in.
    pub(crate) fn choose(&mut self, voices: &mut Voices) {
        if self.speakers.is_empty() {
            return;
        }
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
            chosen.went_on(energy(chosen.voice) < self.pause_energy);
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
            if self.chosen.len() >= self.most {
                let Some(gone) = self.chosen.iter().position(Chosen::gives_way) else { break };
                self.chosen.swap_remove(gone);
            }
            let (_, voice) = self.waiting.swap_remove(at);
            self.chosen.push(Chosen::new(voice));
            fade_in(voices.samples_mut_at(voice));
        }
    }

    fn loudest_waiting(&self) -> Option<usize> {
        (0..self.waiting.len()).max_by_key(|at| self.waiting[*at].0)
    }
}

impl Chosen {
    const fn new(voice: VoiceId) -> Self {
        Self { voice, pause: 0, without_pause: 0 }
    }

    fn went_on(&mut self, is_pause: bool) {
        self.without_pause = if is_pause { 0 } else { self.without_pause.saturating_add(1) };
        self.pause = if is_pause { self.pause.saturating_add(1) } else { 0 };
    }

    const fn gives_way(&self) -> bool {
        self.pause >= PAUSE || self.without_pause >= WITHOUT_PAUSE
    }
}

fn fade_in((samples, rate): (&mut [i16], Rate)) {
    let length = FADE * rate.scale();
    for (i, sample) in samples.iter_mut().take(length).enumerate() {
        #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "a part of the sample")]
        {
            *sample = (i32::from(*sample) * (i + 1) as i32 / length as i32) as i16;
        }
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

    #[test]
    fn who_speaks_is_not_cut_off_by_who_is_louder_until_a_pause() {
        let mut table = Table::new(2, 4);
        assert_eq!(table.tick(&[Some(500), Some(600), None, None]), [0, 1]);
        let all = [Some(500), Some(600), Some(9_000), Some(8_000)];
        for _ in 0..100 {
            assert_eq!(table.tick(&all), [0, 1]);
        }
        // A pause within a word changes nothing; one between two words lets the loudest in, faded in.
        for _ in 1..PAUSE {
            assert_eq!(table.tick(&[Some(500), Some(0), Some(9_000), Some(8_000)]), [0, 1]);
        }
        assert_eq!(table.tick(&[Some(500), Some(0), Some(9_000), Some(8_000)]), [0, 2]);
        let frame = table.voices.samples(table.ids[2]);
        assert!(frame[0] < 300 && frame[FADE] == 9_000);
        // Who gave way speaks again and waits its turn.
        assert_eq!(table.tick(&[Some(500), Some(9_900), Some(9_000), Some(8_000)]), [0, 2]);
        assert_eq!(table.tick(&[None, Some(9_900), Some(9_000), Some(8_000)]), [1, 2]);
    }

    #[test]
    fn music_without_an_end_gives_way_too() {
        let mut table = Table::new(1, 2);
        table.tick(&[Some(3_000), None]);
        let ticks = (0..2_000).position(|_| table.tick(&[Some(3_000), Some(2_000)]) == [1]);
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
