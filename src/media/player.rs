//! Prepared sound: prompts and tones.

use super::command::{Clip, LiveReader, Pcm, StreamSample};
use super::phase::Beat;
use super::slots::Ticking;
use super::voices::VoiceId;
use crate::audio::fade::{self, fade_in, fade_out};
use crate::audio::rate_converter::RateConverter;
use crate::audio::{FRAME_8K, Frame, Rate, SILENCE, mix};
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
    /// The rate it is played at, 8 or 16 kHz; decided when it starts.
    pub(crate) rate: Rate,
    /// It was stopped in the middle of its sound: its next frame fades out, and is its last.
    pub(crate) is_ending: bool,
    pause: Pause,
    /// It goes on when nobody hears it.
    pub(crate) is_live: bool,
    pub(crate) tail: Tail,
    /// Where it is played at 16 kHz, and has sound of 8 kHz alone.
    upsampling: Option<Box<Upsampling>>,
    pieces: Vec<Piece>,
    /// The piece being played and the next sample in it, of 8 kHz.
    piece: usize,
    at: usize,
}

/// Whether a player waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pause {
    No,
    /// Its next frame fades out.
    Begins,
    Yes,
    /// Its next frame fades in.
    Ends,
}

/// How the player ends in whose place another one plays: heard with the first frame of that.
#[derive(Debug)]
pub(crate) struct Tail {
    samples: [i16; 2 * fade::RAMP],
    length: usize,
}

/// Sound of 8 kHz alone on its way to 16 kHz.
#[derive(Debug)]
struct Upsampling {
    converter: RateConverter,
    narrow: Frame,
    has_sound: bool,
    sum: [i32; 2 * FRAME_8K],
}

impl Upsampling {
    fn new() -> Self {
        let converter = RateConverter::new(Rate::Narrow, Rate::Wide);
        Self { converter, narrow: SILENCE, has_sound: false, sum: [0; 2 * FRAME_8K] }
    }

    /// Adds what there is to a frame of 16 kHz. Says whether there was anything.
    fn add_to(&mut self, frame: &mut [i16]) -> bool {
        if !self.has_sound && self.converter.is_clear() {
            return false;
        }
        self.sum.fill(0);
        if std::mem::take(&mut self.has_sound) {
            self.converter.add(&self.narrow, &mut self.sum);
            self.narrow = SILENCE;
        } else {
            self.converter.add_silence(&mut self.sum);
        }
        mix::add(&mut self.sum, frame);
        mix::clamp(&self.sum, frame);
        true
    }
}

/// A clip as it is played.
#[derive(Debug)]
enum Piece {
    Samples(Pcm),
    Loop(Pcm),
    Silence(usize),
    Stream(Consumer<StreamSample>),
    Live(LiveReader),
    Restart,
}

impl From<Clip> for Piece {
    fn from(clip: Clip) -> Self {
        match clip {
            Clip::Samples(pcm) => Self::Samples(pcm),
            Clip::Loop(pcm) => Self::Loop(pcm),
            Clip::Silence(duration) => Self::Silence(samples_in(duration)),
            Clip::Stream(stream) => stream.take().map_or(Self::Silence(0), Self::Stream),
            Clip::Live(live) => live.take().map_or(Self::Silence(0), Self::Live),
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
        let pieces: Vec<Piece> = clips.into_iter().map(Piece::from).collect();
        let is_live = pieces.iter().any(|piece| matches!(piece, Piece::Live(_)));
        let tail = Tail { samples: [0; 2 * fade::RAMP], length: 0 };
        Self {
            voice,
            next_tick: tick,
            started: false,
            rate: Rate::Narrow,
            is_ending: false,
            pause: Pause::No,
            is_live,
            tail,
            upsampling: None,
            pieces,
            piece: 0,
            at: 0,
        }
    }

    /// Has it wait where it is, or go on from there.
    pub(crate) fn pause(&mut self, on: bool) {
        self.pause = match (self.pause, on) {
            // Nothing was heard of it yet.
            (Pause::No, true) if !self.started => Pause::Yes,
            (Pause::No, true) => Pause::Begins,
            (Pause::Ends, true) => Pause::Yes,
            (Pause::Yes, false) => Pause::Ends,
            (Pause::Begins, false) => Pause::No,
            (known, _) => known,
        };
    }

    /// It is played at 16 kHz. Allocates.
    pub(crate) fn widen(&mut self) {
        self.rate = Rate::Wide;
        let is_narrow = |piece: &Piece| matches!(piece, Piece::Samples(pcm) | Piece::Loop(pcm) if pcm.wide().is_none());
        self.upsampling = self.pieces.iter().any(is_narrow).then(|| Box::new(Upsampling::new()));
    }

    /// The rest of it as it fades out. It has no frame to play after that.
    pub(crate) fn fade_out(&mut self) -> Tail {
        let mut frame = [0; 2 * FRAME_8K];
        let frame = &mut frame[..self.rate.frame()];
        self.play(frame);
        fade_out(frame, self.rate);
        let mut tail = Tail { samples: [0; 2 * fade::RAMP], length: fade::RAMP * self.rate.scale() };
        tail.samples[..tail.length].copy_from_slice(&frame[..tail.length]);
        tail
    }

    /// The next frame, of 8 or 16 kHz, with what is left to be heard of the player before.
    pub(crate) fn next_frame(&mut self, frame: &mut [i16]) -> Played {
        let played = if self.pause == Pause::No { self.play(frame) } else { self.play_around_pause(frame) };
        if self.is_ending {
            fade_out(frame, self.rate);
        }
        if self.tail.length == 0 {
            return played;
        }
        let tail = &self.tail.samples[..std::mem::take(&mut self.tail.length)];
        mix::add_clamped(&mut frame[..tail.len()], tail);
        Played::Sound
    }

    /// The frame before a pause, one of it, or the one behind it.
    fn play_around_pause(&mut self, frame: &mut [i16]) -> Played {
        if self.pause == Pause::Yes {
            frame.fill(0);
            return Played::Pause;
        }
        let played = self.play(frame);
        if self.pause == Pause::Begins {
            fade_out(frame, self.rate);
            self.pause = Pause::Yes;
        } else {
            fade_in(frame, self.rate);
            self.pause = Pause::No;
        }
        played
    }

    /// Fills the next frame, of 8 or 16 kHz; the last one is filled up with silence.
    fn play(&mut self, frame: &mut [i16]) -> Played {
        let played = self.play_pieces(frame);
        let is_converted = self.upsampling.as_mut().is_some_and(|upsampling| upsampling.add_to(frame));
        if is_converted { Played::Sound } else { played }
    }

    fn play_pieces(&mut self, frame: &mut [i16]) -> Played {
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
                Piece::Stream(_) | Piece::Live(_) => {
                    let (taken, is_over) = match piece {
                        Piece::Live(live) => read_live(live, &mut out[..wanted * scale], scale),
                        Piece::Stream(stream) => read(stream, &mut out[..wanted * scale], scale),
                        _ => (0, true),
                    };
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
                    let narrow = &pcm.narrow()[self.at..][..taken];
                    match (scale, pcm.wide(), &mut self.upsampling) {
                        (1, ..) => out.copy_from_slice(narrow),
                        (_, Some(wide), _) => out.copy_from_slice(&wide[self.at * scale..][..taken * scale]),
                        (_, None, upsampling) => {
                            out.fill(0);
                            if let Some(upsampling) = upsampling {
                                upsampling.narrow[filled..filled + taken].copy_from_slice(narrow);
                                upsampling.has_sound = true;
                            }
                        }
                    }
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
        let frames = if self.pause == Pause::Yes { 0 } else { frames.min(500) };
        for _ in 0..frames {
            self.play(scratch);
        }
    }

    /// Whether nothing is left to play.
    pub(crate) fn is_finished(&self) -> bool {
        let is_clear = |upsampling: &Upsampling| upsampling.converter.is_clear();
        self.piece >= self.pieces.len() && self.upsampling.as_deref().is_none_or(is_clear)
    }
}

/// Reads what is ready into `out`, of `scale` times 8 kHz. Says how many samples of 8 kHz that was, and whether nothing
/// follows.
fn read(stream: &mut Consumer<StreamSample>, out: &mut [i16], scale: usize) -> (usize, bool) {
    // In this order: what is written before the other end goes away is heard.
    let is_over = stream.is_abandoned();
    let ready = stream.slots().min(out.len() / scale);
    let Ok(chunk) = stream.read_chunk(ready) else { return (0, is_over) };
    for (sample, place) in chunk.into_iter().zip(out.chunks_exact_mut(scale)) {
        match place {
            [narrow] => *narrow = sample.narrow,
            wide => wide.copy_from_slice(&sample.wide),
        }
    }
    (ready, is_over)
}

/// The same of live sound, less what was thrown away.
fn read_live(live: &mut LiveReader, out: &mut [i16], scale: usize) -> (usize, bool) {
    live.discard();
    let (taken, is_over) = read(&mut live.ring, out, scale);
    live.note_read(taken);
    (taken, is_over)
}

fn samples_in(duration: Duration) -> usize {
    usize::try_from(duration.as_nanos() * RATE / 1_000_000_000).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::goertzel;
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
        let mut frame = SILENCE;
        assert_eq!(narrow.play(&mut frame), Played::Sound);
        assert_eq!((frame[99], frame[100]), (1, 0));
        let mut wide =
            player(vec![Clip::Samples(sound()), Clip::Silence(Duration::from_millis(1)), Clip::Loop(sound())]);
        wide.widen();
        let mut frame = [7; 320];
        assert_eq!(wide.play(&mut frame), Played::Sound);
        assert_eq!((frame[199], frame[200], frame[215], frame[216], frame[319]), (2, 0, 0, 2, 2));
    }

    #[test]
    fn sound_of_8_khz_alone_is_heard_at_16_khz_too_between_sound_of_both_rates_and_to_its_end() {
        let tone = |rate: u32| -> Vec<i16> {
            let value = |n| 3_000.0 * (std::f64::consts::TAU * 500.0 * f64::from(n) / f64::from(rate)).sin();
            (0..rate / 10).map(|n| value(n) as i16).collect()
        };
        let both = Pcm::wideband(tone(8_000), tone(16_000));
        let mut mixed =
            player(vec![Clip::Samples(both.clone()), Clip::Samples(tone(8_000).into()), Clip::Samples(both)]);
        mixed.widen();
        let mut heard = Vec::new();
        let mut frame = [0; 320];
        while !mixed.is_finished() {
            assert_eq!(mixed.play(&mut frame), Played::Sound);
            heard.extend_from_slice(&frame);
        }
        assert_eq!((heard.len(), mixed.play(&mut frame)), (3 * 1_600, Played::Finished));
        for tenth in heard.chunks(1_600) {
            assert!((goertzel::tone_dbfs(&tenth[100..1_500], 16_000, 500.0) + 20.8).abs() < 0.5);
        }
        // The filter is 2 ms behind: that much is heard after its end.
        let mut last = player(vec![Clip::Samples(tone(8_000).into())]);
        last.widen();
        let frames = (0..).take_while(|_| !last.is_finished() && last.play(&mut frame) == Played::Sound).count();
        assert_eq!(frames, 6);
        assert!(frame[..32].iter().any(|sample| *sample != 0) && frame[64..].iter().all(|sample| *sample == 0));
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
        player.widen();
        (0..160).for_each(|n| ring.push(StreamSample { narrow: n, wide: [2 * n, 2 * n + 1] }).unwrap());
        let mut frame = [7; 320];
        assert_eq!(player.play(&mut frame), Played::Sound);
        assert!((0..).zip(frame).all(|(n, sample)| n == sample));
        assert!(!ring.is_abandoned());
        drop(player);
        assert!(ring.is_abandoned());
    }
}
