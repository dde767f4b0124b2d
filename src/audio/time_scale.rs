//! Shortening and lengthening of sound without a change of pitch: a whole number of pitch periods (or any piece of
//! near silence) is taken out or put in, and the seam faded.
//!
//! Lengths are given at 8 kHz and multiplied by the `scale` of a rate: 1, 2 for 16 kHz, 6 for 48 kHz.

use super::concealment::{fade, likeness};
use super::level;

/// Samples over which a seam is faded and on which likeness is judged: 10 ms.
const SEAM: usize = 80;
/// The greatest scale.
const MOST: usize = 6;
/// Shorter pieces are not worth a seam unless it is quiet.
const SHORTEST: usize = 20;
/// What is taken for near silence, dBFS.
const QUIET: f32 = -48.0;
/// Likeness from which a seam is hardly heard.
const ALIKE: f32 = 0.85;

/// How many samples to take out of, or put into, the beginning of `sound`: at most `most`, 0 for none.
fn piece(sound: &[i16], most: usize, force: bool, scale: usize) -> usize {
    let seam = SEAM * scale;
    let most = most.min(sound.len().saturating_sub(seam));
    if most == 0 {
        return 0;
    }
    let near = &sound[..most + seam];
    if level::energy(near) <= level::energy_at(QUIET, near.len()) {
        return most;
    }
    let shortest = (SHORTEST * scale).min(most);
    let score = |piece: usize, step: usize| likeness(&sound[..seam], &sound[piece..piece + seam], step);
    let best = |pieces: &mut dyn Iterator<Item = usize>, step: usize| {
        pieces.map(|piece| (piece, score(piece, step))).max_by(|a, b| a.1.total_cmp(&b.1))
    };
    let coarse_step = 2 * scale;
    let Some((coarse, _)) = best(&mut (shortest..=most).step_by(coarse_step), coarse_step) else { return 0 };
    let near = coarse.saturating_sub(coarse_step - 1).max(shortest)..=(coarse + coarse_step - 1).min(most);
    match best(&mut near.into_iter(), scale) {
        Some((piece, alike)) if force || (alike >= ALIKE && piece >= SHORTEST * scale) => piece,
        _ => 0,
    }
}

/// Takes up to `most` samples out of the first `len` of `buffer`; what follows moves up. Returns how many.
pub fn shorten(buffer: &mut [i16], len: usize, most: usize, force: bool, scale: usize) -> usize {
    let len = len.min(buffer.len());
    let piece = piece(&buffer[..len], most, force, scale);
    if piece == 0 {
        return 0;
    }
    // The seam fades from what is left out to what comes after it.
    let (head, tail) = buffer[..len].split_at_mut(piece);
    let overlap = (SEAM * scale).min(tail.len());
    let mut seam = [0; SEAM * MOST];
    for (i, sample) in seam[..overlap].iter_mut().enumerate() {
        *sample = head.get(i).copied().unwrap_or_else(|| tail[i - piece]);
    }
    fade(&mut seam[..overlap], &tail[..overlap]);
    tail[..overlap].copy_from_slice(&seam[..overlap]);
    buffer.copy_within(piece..len, 0);
    piece
}

/// Puts up to `most` samples into the first `len` of `buffer`, which must have room behind; what follows moves down.
/// Returns how many.
pub fn lengthen(buffer: &mut [i16], len: usize, most: usize, force: bool, scale: usize) -> usize {
    let len = len.min(buffer.len());
    let most = most.min(buffer.len() - len);
    let piece = piece(&buffer[..len], most, force, scale);
    if piece == 0 {
        return 0;
    }
    let overlap = SEAM * scale;
    let mut seam = [0; SEAM * MOST];
    let seam = &mut seam[..overlap];
    seam.copy_from_slice(&buffer[piece..piece + overlap]);
    fade(seam, &buffer[..overlap]);
    buffer.copy_within(0..len, piece);
    // The first `piece` samples are played as they were, the seam leads back to the beginning.
    buffer[piece..piece + overlap].copy_from_slice(seam);
    piece
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{goertzel, tone::Tone};
    use std::time::Duration;

    fn steepest(samples: &[i16]) -> i16 {
        samples.windows(2).map(|w| (w[1] - w[0]).abs()).max().unwrap()
    }

    #[test]
    fn a_tone_is_shortened_and_lengthened_by_whole_periods() {
        let tone = Tone::sine(200.0, -12.0).samples(Duration::from_millis(200));
        let sound = &tone[400..1_200];
        let mut shorter = sound.to_vec();
        let out = shorten(&mut shorter, 800, 150, false, 1);
        assert!(out > 0 && out.is_multiple_of(40), "{out}");
        shorter.truncate(800 - out);
        assert!(steepest(&shorter) <= steepest(sound) + 40);
        assert!((goertzel::tone_dbfs(&shorter[..400], 8_000, 200.0) + 12.0).abs() < 0.5);
        let mut longer = sound.to_vec();
        longer.resize(1_000, 0);
        let put = lengthen(&mut longer, 800, 150, false, 1);
        assert!(put > 0 && put.is_multiple_of(40), "{put}");
        longer.truncate(800 + put);
        assert!(steepest(&longer) <= steepest(sound) + 40);
        assert_eq!(longer[..40], sound[..40]);
        assert_eq!(longer[longer.len() - 40..], sound[760..]);
    }

    #[test]
    fn near_silence_gives_all_that_is_asked() {
        let mut quiet = [3; 600];
        assert_eq!(shorten(&mut quiet, 500, 160, false, 1), 160);
        assert_eq!(lengthen(&mut quiet, 340, 160, false, 1), 160);
        assert_eq!(shorten(&mut quiet, 500, 5, false, 1), 5);
    }

    #[test]
    fn noise_is_left_alone_unless_it_must_be() {
        let mut noise = [0; 600];
        crate::audio::comfort_noise::ComfortNoise::new(1, -25.0).fill(&mut noise);
        assert_eq!(shorten(&mut noise, 400, 160, false, 1), 0);
        assert_eq!(lengthen(&mut noise, 400, 160, false, 1), 0);
        assert!(shorten(&mut noise, 400, 160, true, 1) > 0);
        assert!(lengthen(&mut noise, 240, 160, true, 1) > 0);
    }

    #[test]
    fn too_little_sound_is_left_alone() {
        let mut sound = [1_000; 300];
        assert_eq!(shorten(&mut sound, SEAM, 160, true, 1), 0);
        assert_eq!(shorten(&mut sound, 0, 160, true, 1), 0);
        assert_eq!(lengthen(&mut sound, 300, 160, true, 1), 0, "no room");
        assert_eq!(shorten(&mut sound, 300, 0, true, 1), 0);
    }
}
