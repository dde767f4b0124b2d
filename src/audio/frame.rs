//! The unit of the media plane's work.

/// Samples in one 20 ms frame at 8 kHz.
pub const FRAME_8K: usize = 160;

/// 20 ms of mono PCM at 8 kHz.
pub type Frame = [i16; FRAME_8K];

/// 20 ms of digital silence.
pub const SILENCE: Frame = [0; FRAME_8K];
