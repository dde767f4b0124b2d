//! Sampling rate conversion of whole recordings.

/// Converts mono samples from one rate to another (band-limited; a polyphase windowed sinc). Allocates: for prompts and files, never
/// in the tick.
#[must_use]
pub fn resample(samples: &[f32], from: u32, to: u32) -> Vec<f32> {
    let _ = (samples, from, to);
    todo!()
}
