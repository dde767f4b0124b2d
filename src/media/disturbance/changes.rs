//! How much the power of a sound changes from one frame to the next: what tells speech from all that goes on and on.

/// Of speech it is 5 dB and more, root mean square, and 3 dB still where three speak at once.
const SPEECH: f32 = 2.7;
/// What differs by more than 30 dB from the mean is no fainter.
const FLOOR: f32 = 0.001;

/// Whether the powers of frames jump as those of speech do.
pub(super) fn is_speech(own: &[f32]) -> bool {
    let floor = mean(own) * FLOOR;
    let decibels = |power: f32| 10.0 * power.max(floor).log10();
    let change = |pair: &[f32]| (decibels(pair[1]) - decibels(pair[0])).powi(2);
    own.windows(2).map(change).sum::<f32>() > SPEECH * SPEECH * count(own)
}

/// The mean power.
pub(super) fn mean(own: &[f32]) -> f32 {
    own.iter().sum::<f32>() / count(own)
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred")]
fn count(own: &[f32]) -> f32 {
    own.len() as f32
}
