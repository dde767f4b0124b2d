//! Why something cannot be played.

use crate::audio::wav::{CONVERT, WavError};
use std::io;

/// Why something cannot be played, as a half sentence about it.
#[derive(Debug, thiserror::Error)]
pub enum Unplayable {
    /// It is not there, or not ours to read.
    #[error("cannot be opened: {0}")]
    Open(io::Error),
    /// The medium failed.
    #[error("cannot be read: {0}")]
    Io(io::Error),
    /// There is nothing in it.
    #[error("is empty")]
    Empty,
    /// It is of no form that is known.
    #[error("is no sound of a form that is played (WAV, MP3, Ogg Vorbis, Ogg Opus, FLAC); {CONVERT}")]
    Unknown,
    /// It is of a form that is not played.
    #[error("is {0}, which is not played; {CONVERT}")]
    Other(&'static str),
    /// The WAV file's head.
    #[error("cannot be read as WAV: {0}")]
    Wav(WavError),
    /// It is broken.
    #[error("is {form}, but broken about octet {at}: {why}; {CONVERT}")]
    Broken {
        /// Its form.
        form: &'static str,
        /// How far it was read, octets.
        at: u64,
        /// What is wrong there.
        why: String,
    },
    /// Nothing can be heard in it.
    #[error("holds no sound")]
    Silent,
}
