//! WAV files.

use std::io::{Read, Seek, Write};

/// Why a WAV file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum WavError {
    /// The file is broken, of a format we cannot read, or the medium failed.
    #[error("{0}")]
    Wav(#[from] hound::Error),
    /// Longer than [`MAX_SECONDS`].
    #[error("longer than {MAX_SECONDS} seconds")]
    TooLong,
    /// A sampling rate below 1 kHz or above 384 kHz.
    #[error("a sampling rate of {0} Hz")]
    Rate(u32),
}

/// The longest file that is read: an hour.
pub const MAX_SECONDS: u64 = 3_600;

/// Reads a WAV file of any common format (8 to 32 bits, integer or float, any number of channels, any rate) as mono at
/// 8 kHz.
///
/// # Errors
/// See [`WavError`].
pub fn read(reader: impl Read) -> Result<Vec<i16>, WavError> {
    let _ = reader;
    todo!()
}

/// Writes 8 kHz mono, 16 bits.
///
/// # Errors
/// See [`WavError`].
pub fn write(writer: impl Write + Seek, samples: &[i16]) -> Result<(), WavError> {
    let _ = (writer, samples);
    todo!()
}
