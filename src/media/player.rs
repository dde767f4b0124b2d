//! Prepared sound: prompts and tones.

use super::command::{Clip, Pcm, StreamSample};
use super::phase::Beat;
use super::slots::Ticking;
use super::voices::VoiceId;
use crate::audio::{FRAME_8K, Rate};
use rtrb::Consumer;
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
    /// The rate it is played at, 8 or 16 kHz; settled when it starts.
    pub(crate) rate: Rate,
    pieces: Vec<Piece>,
    /// The piece being played and the next sample in it, of 8 kHz.
    piece: usize,
    at: usize,
}

/// A clip as it is played.
#[derive(Debug)]
enum Piece {
    Samples(Pcm),
    Loop(Pcm),
    Silence(usize),
    Stream(Consumer<StreamSample>),
    Restart,
}

impl From<Clip> for Piece {
    fn from(clip: Clip) -> Self {
        match clip {
            Clip::Samples(pcm) => Self::Samples(pcm),
            Clip::Loop(pcm) => Self::Loop(pcm),
            Clip::Silence(duration) => Self::Silence(samples_in(duration)),
            Clip::Stream(stream) => stream.take().map_or(Self::Silence(0), Self::Stream),
            Clip::Restart => Self::Restart,
        }
    }
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
        let pieces = clips.into_iter().map(Piece::from).collect();
        Self { voice, next_tick: tick, started: false, rate: Rate::Narrow, pieces, piece: 0, at: 0 }
    }

    /// The best rate it can be played at: what has no samples of 16 kHz keeps all of it at 8 kHz.
    pub(crate) fn best_rate(&self) -> Rate {
        let mut sounds = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Samples(pcm) | Piece::Loop(pcm) => Some(pcm.wide().is_some()),
            Piece::Stream(_) => Some(true),
            Piece::Silence(_) | Piece::Restart => None,
        });
        if sounds.next() == Some(true) && sounds.all(|is_wide| is_wide) { Rate::Wide } else { Rate::Narrow }
    }

    /// Fills the next frame, of 8 or 16 kHz; the last one is filled up with silence.
    pub(crate) fn play(&mut self, frame: &mut [i16]) -> Played {
        let scale = frame.len() / FRAME_8K;
        let mut filled = 0;
        let mut played = Played::Pause;
        // Pieces without a sample, over and over, would never fill the frame.
        let mut restarted_at = None;
        while filled < FRAME_8K {
            let Some(piece) = self.pieces.get_mut(self.piece) else { break };
            let wanted = FRAME_8K - filled;
            let out = &mut frame[filled * scale..];
            let is_loop = matches!(piece, Piece::Loop(_));
            let (pcm, length) = match piece {
                Piece::Samples(pcm) | Piece::Loop(pcm) => (Some(&*pcm), pcm.narrow().len()),
                Piece::Silence(length) => (None, *length),
                Piece::Stream(stream) => {
                    // In this order: what is written before the other end goes away is heard.
                    let is_over = stream.is_abandoned();
                    let taken = read(stream, &mut out[..wanted * scale], scale);
                    filled += taken;
                    if taken > 0 {
                        played = Played::Sound;
                    }
                    if taken < wanted && !is_over {
                        // Late: silence, and it goes on as soon as there is more.
                        frame[filled * scale..].fill(0);
                        return played;
                    }
                    self.piece += usize::from(taken < wanted);
                    continue;
                }
                Piece::Restart => {
                    self.piece = if restarted_at == Some(filled) { self.pieces.len() } else { 0 };
                    restarted_at = Some(filled);
                    continue;
                }
            };
            let taken = length.saturating_sub(self.at).min(wanted);
            let out = &mut out[..taken * scale];
            match pcm {
                Some(pcm) if taken > 0 => {
                    let samples = if scale == 1 { pcm.narrow() } else { pcm.wide().unwrap_or_default() };
                    out.copy_from_slice(&samples[self.at * scale..][..taken * scale]);
                    played = Played::Sound;
                }
                _ => out.fill(0),
            }
            filled += taken;
            self.at += taken;
            if self.at >= length {
                self.at = 0;
                // An empty loop would never fill the frame.
                if !is_loop || length == 0 {
                    self.piece += 1;
                }
            }
        }
        frame[filled * scale..].fill(0);
        if filled == 0 { Played::Finished } else { played }
    }

    /// Passes over `frames` frames that came too late to be played.
    pub(crate) fn skip(&mut self, frames: u64, scratch: &mut [i16]) {
        for _ in 0..frames.min(500) {
            self.play(scratch);
        }
    }

    /// Whether nothing is left to play.
    pub(crate) fn is_finished(&self) -> bool {
        self.piece >= self.pieces.len()
    }
}

/// Reads what is ready into `out`, of `scale` times 8 kHz. Says how many samples of 8 kHz that was.
fn read(stream: &mut Consumer<StreamSample>, out: &mut [i16], scale: usize) -> usize {
    let ready = stream.slots().min(out.len() / scale);
    let Ok(chunk) = stream.read_chunk(ready) else { return 0 };
    for (sample, place) in chunk.into_iter().zip(out.chunks_exact_mut(scale)) {
        match place {
            [narrow] => *narrow = sample.narrow,
            wide => wide.copy_from_slice(&sample.wide),
        }
    }
    ready
}

fn samples_in(duration: Duration) -> usize {
    usize::try_from(duration.as_nanos() * RATE / 1_000_000_000).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::SILENCE;
    use crate::media::command::Stream;
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

    #[test]
    fn sound_of_two_rates_is_played_at_the_one_that_is_asked_for() {
        let sound = || Pcm::wideband(vec![1; 100], vec![2; 200]);
        let mut narrow = player(vec![Clip::Samples(sound()), Clip::Silence(Duration::from_millis(1))]);
        assert_eq!(narrow.best_rate(), Rate::Wide);
        let mut frame = SILENCE;
        assert_eq!(narrow.play(&mut frame), Played::Sound);
        assert_eq!((frame[99], frame[100]), (1, 0));
        let mut wide =
            player(vec![Clip::Samples(sound()), Clip::Silence(Duration::from_millis(1)), Clip::Loop(sound())]);
        let mut frame = [7; 320];
        assert_eq!(wide.play(&mut frame), Played::Sound);
        assert_eq!((frame[199], frame[200], frame[215], frame[216], frame[319]), (2, 0, 0, 2, 2));
        let mixed = player(vec![Clip::Samples(sound()), Clip::Samples(vec![1].into())]);
        assert_eq!((mixed.best_rate(), player(vec![]).best_rate()), (Rate::Narrow, Rate::Narrow));
    }

    #[test]
    fn a_stream_is_played_as_it_comes_and_ends_with_its_other_end() {
        let sample = StreamSample { narrow: 1, wide: [2, 3] };
        let (mut ring, stream) = Stream::new(400);
        let clips = || vec![Clip::Stream(stream.clone()), Clip::Samples(vec![9; 10].into())];
        let mut first = player(clips());
        let mut frame = [7; 160];
        assert_eq!(first.play(&mut frame), Played::Pause, "nothing is there yet");
        assert_eq!(frame, SILENCE);
        (0..300).for_each(|_| ring.push(sample).unwrap());
        assert_eq!(first.play(&mut frame), Played::Sound);
        assert_eq!(frame, [1; 160]);
        assert_eq!(first.play(&mut frame), Played::Sound, "late: what is there, and silence");
        assert_eq!((frame[139], frame[140]), (1, 0));
        (0..5).for_each(|_| ring.push(sample).unwrap());
        drop(ring);
        assert_eq!(first.play(&mut frame), Played::Sound);
        assert_eq!((frame[4], frame[5], frame[14], frame[15]), (1, 9, 9, 0));
        assert_eq!(first.play(&mut frame), Played::Finished);
        let mut second = player(clips());
        assert_eq!(second.play(&mut frame), Played::Sound, "a stream is played once");
        assert_eq!((frame[0], frame[10]), (9, 0));
    }

    #[test]
    fn a_stream_is_heard_at_16_khz_and_its_writer_learns_that_the_player_is_gone() {
        let (mut ring, stream) = Stream::new(160);
        let mut player = player(vec![Clip::Stream(stream)]);
        assert_eq!(player.best_rate(), Rate::Wide);
        (0..160).for_each(|n| ring.push(StreamSample { narrow: n, wide: [2 * n, 2 * n + 1] }).unwrap());
        let mut frame = [7; 320];
        assert_eq!(player.play(&mut frame), Played::Sound);
        assert!((0..).zip(frame).all(|(n, sample)| n == sample));
        assert!(!ring.is_abandoned());
        drop(player);
        assert!(ring.is_abandoned());
    }
}
