//! Music: there is always something, and it changes little from one frame to the next.
//!
//! Speech has pauses, and the power of its frames jumps with each sound. Several who speak at once leave no pauses, but
//! still jump; the notes of an instrument swell and fade. What has a steady floor is noise.

use super::changes;

/// Full scale is 1; music is a disturbance from here on, −42 dBov in the mean.
const LOUD: f32 = 6.3e-5;
/// Fainter than the mean by more than this, 10 dB, are so many hundredths of the frames at most: of speech it is a
/// fourth.
const FAINT: f32 = 0.1;
const PAUSES: usize = 16;

/// Whether the `own` sound of a leg is music or noise, by the powers of the frames of some ten seconds.
pub(super) fn is_heard(own: &[f32]) -> bool {
    let mean = changes::mean(own);
    if mean < LOUD {
        return false;
    }
    let pauses = own.iter().filter(|power| **power < mean * FAINT).count();
    100 * pauses <= PAUSES * own.len() && !changes::is_speech(own)
}
