//! Prepared sound: prompts and tones.

use super::command::Clip;
use super::phase::Beat;
use super::slots::Ticking;
use super::voices::VoiceId;
use crate::audio::Frame;
use std::time::Duration;

/// Samples a second.
const RATE: u128 = 8_000;

/// A player. It does not start before it is connected: the engine does not ask it for frames.
#[derive(Debug)]
pub(crate) struct Player {
    pub(crate) voice: VoiceId,
    /// The first beat it has not played yet.
    pub(crate) next_tick: Beat,
    /// Whether it was ever connected.
    pub(crate) started: bool,
    clips: Vec<Clip>,
    /// The clip being played and the next sample in it.
    clip: usize,
    at: usize,
}

/// What a player gave for one tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Played {
    /// A frame of sound.
    Sound,
    /// A frame of a pause.
    Pause,
    /// Nothing was left.
    Finished,
}

impl Ticking for Player {
    fn next_tick(&mut self) -> &mut Beat {
        &mut self.next_tick
    }
}

impl Player {
    pub(crate) fn new(clips: Vec<Clip>, voice: VoiceId, tick: Beat) -> Self {
        Self { voice, next_tick: tick, started: false, clips, clip: 0, at: 0 }
    }

    /// Fills the next frame; the last one is filled up with silence.
    pub(crate) fn play(&mut self, frame: &mut Frame) -> Played {
        let mut filled = 0;
        let mut played = Played::Pause;
        // Clips without a sample, over and over, would never fill the frame.
        let mut restarted_at = None;
        while filled < frame.len() {
            let Some(clip) = self.clips.get(self.clip) else { break };
            if let Clip::Restart = clip {
                self.clip = if restarted_at == Some(filled) { self.clips.len() } else { 0 };
                restarted_at = Some(filled);
                continue;
            }
            let (samples, length) = match clip {
                Clip::Samples(pcm) | Clip::Loop(pcm) => (Some(pcm), pcm.len()),
                Clip::Silence(duration) => (None, samples_in(*duration)),
                Clip::Restart => (None, 0),
            };
            let taken = length.saturating_sub(self.at).min(frame.len() - filled);
            let out = &mut frame[filled..filled + taken];
            match samples {
                Some(pcm) if taken > 0 => {
                    out.copy_from_slice(&pcm[self.at..self.at + taken]);
                    played = Played::Sound;
                }
                _ => out.fill(0),
            }
            filled += taken;
            self.at += taken;
            if self.at >= length {
                self.at = 0;
                // An empty loop would never fill the frame.
                if !matches!(clip, Clip::Loop(_)) || length == 0 {
                    self.clip += 1;
                }
            }
        }
        frame[filled..].fill(0);
        if filled == 0 { Played::Finished } else { played }
    }

    /// Passes over `frames` frames that came too late to be played.
    pub(crate) fn skip(&mut self, frames: u64, scratch: &mut Frame) {
        for _ in 0..frames.min(500) {
            self.play(scratch);
        }
    }

    /// Whether nothing is left to play.
    pub(crate) fn is_finished(&self) -> bool {
        self.clip >= self.clips.len()
    }
}

fn samples_in(duration: Duration) -> usize {
    usize::try_from(duration.as_nanos() * RATE / 1_000_000_000).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::SILENCE;
    use crate::media::voices::Voices;

    fn player(clips: Vec<Clip>) -> Player {
        Player::new(clips, Voices::default().add(), 0)
    }

    #[test]
    fn clips_follow_each_other_without_a_gap() {
        let mut player = player(vec![
            Clip::Samples(vec![1; 100].into()),
            Clip::Silence(Duration::from_millis(5)),
            Clip::Samples(vec![2; 100].into()),
        ]);
        let mut frame = SILENCE;
        assert_eq!(player.play(&mut frame), Played::Sound);
        assert_eq!((frame[99], frame[100], frame[139], frame[140]), (1, 0, 0, 2));
        assert_eq!(player.play(&mut frame), Played::Sound);
        assert_eq!((frame[79], frame[80]), (2, 0));
        assert!(player.is_finished());
        assert_eq!(player.play(&mut frame), Played::Finished);
    }

    #[test]
    fn a_loop_goes_on_and_an_empty_one_ends() {
        let mut frame = SILENCE;
        let mut endless = player(vec![Clip::Loop(vec![1, 2, 3].into())]);
        for _ in 0..100 {
            assert_eq!(endless.play(&mut frame), Played::Sound);
        }
        assert_eq!(frame[..3], [1, 2, 3][..].repeat(2)[(99 * 160) % 3..][..3]);
        let mut empty = player(vec![Clip::Loop(Vec::new().into()), Clip::Samples(Vec::new().into())]);
        assert_eq!(empty.play(&mut frame), Played::Finished);
    }

    #[test]
    fn clips_begin_anew_as_often_as_needed_and_nothing_over_and_over_ends() {
        let mut player =
            player(vec![Clip::Silence(Duration::from_millis(30)), Clip::Samples(vec![3; 80].into()), Clip::Restart]);
        let mut frame = SILENCE;
        for _ in 0..100 {
            assert_eq!(player.play(&mut frame), Played::Pause);
            assert_eq!(player.play(&mut frame), Played::Sound);
            assert_eq!((frame[79], frame[80], frame[159]), (0, 3, 3));
        }
        let mut empty = self::player(vec![Clip::Samples(Vec::new().into()), Clip::Restart]);
        assert_eq!(empty.play(&mut frame), Played::Finished);
        assert!(empty.is_finished());
    }

    #[test]
    fn a_pause_is_not_sound() {
        let mut frame = [7; 160];
        let mut pause = player(vec![Clip::Silence(Duration::from_millis(40))]);
        assert_eq!(pause.play(&mut frame), Played::Pause);
        assert_eq!(frame, SILENCE);
        assert_eq!(pause.play(&mut frame), Played::Pause);
        assert_eq!(pause.play(&mut frame), Played::Finished);
    }
}
