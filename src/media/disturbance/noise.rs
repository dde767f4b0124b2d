//! Noise: under whatever a leg sends lies a floor that is loud and always the same.
//!
//! The floor of a second is what its faintest frames have. Of speech it is the silence between the words, and differs
//! from second to second; of a fan it is the same in all seconds, and many frames hold nothing else.

use super::changes;

/// Full scale is 1; a floor is a disturbance from here on, −45 dBov: that of a fan of −40 dBov with what its frames
/// differ.
const LOUD: f32 = 3.2e-5;
/// Frames in a second.
const SECOND: usize = 50;
/// Of so many frames of a second, the faintest, its floor is the mean.
const FAINTEST: usize = 5;
/// The floors of all seconds but one are as that of the middle, 2 dB more or less; none is 4 dB fainter.
const ALIKE: f32 = 1.6;
const FAINTER: f32 = 2.5;
/// Where somebody speaks as well, so many hundredths of the frames hold the floor alone: up to 4 dB more than it.
const ALONE: usize = 20;
const SPREAD: f32 = 2.5;
/// Where nobody does, the half of all tenths of a second, of so many frames, is alike: 1.5 dB.
const TENTH: usize = 5;
const STEADY: f32 = 1.4;

/// Whether there is a steady noise in the `own` sound of a leg, the powers of the frames of up to eight whole seconds.
pub(super) fn is_heard(own: &[f32], scratch: &mut Vec<f32>) -> bool {
    let mut floors = [0.0; 8];
    let mut frames = [0.0; SECOND];
    let mut count = 0;
    for (floor, second) in floors.iter_mut().zip(own.chunks_exact(SECOND)) {
        frames.copy_from_slice(second);
        frames.select_nth_unstable_by(FAINTEST, f32::total_cmp);
        *floor = frames[..FAINTEST].iter().sum::<f32>() / 5.0;
        count += 1;
    }
    let floors = &mut floors[..count];
    floors.sort_unstable_by(f32::total_cmp);
    let Some(&middle) = floors.get(count / 2).filter(|middle| **middle >= LOUD) else { return false };
    let alike = floors.iter().filter(|floor| (middle / ALIKE..=middle * ALIKE).contains(*floor)).count();
    if alike + 1 < count || floors[0] < middle / FAINTER {
        return false;
    }
    if changes::is_speech(own) {
        let alone = own.iter().filter(|power| (middle / ALIKE..=middle * SPREAD).contains(*power)).count();
        return 100 * alone >= ALONE * own.len();
    }
    // Nobody speaks: of its tenths of a second half are alike, or it is music.
    scratch.clear();
    scratch.extend(own.chunks_exact(TENTH).map(|tenth| tenth.iter().sum::<f32>()));
    let tenths = scratch.len();
    let mut quarter = |quarter| *scratch.select_nth_unstable_by(tenths * quarter / 4, f32::total_cmp).1;
    quarter(3) <= quarter(1) * STEADY
}
