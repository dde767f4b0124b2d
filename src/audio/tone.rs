//! Tones: frequencies, cadence, level.

use super::level;
use std::time::Duration;

/// A tone: one to four sines, sounding and pausing in turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Tone {
    /// Frequencies in Hz, sounding together, each at `level`.
    pub frequencies: Vec<f64>,
    /// Level of each sine, dBFS.
    pub level: f32,
    /// How long it sounds and pauses; repeated. Empty: it sounds throughout.
    pub cadence: Vec<(Duration, Duration)>,
}

impl Tone {
    /// One sine without pause.
    #[must_use]
    pub fn sine(frequency: f64, level: f32) -> Self {
        Self { frequencies: vec![frequency], level, cadence: Vec::new() }
    }

    /// `length` of it at 8 kHz, without clicks: 4 ms ramps at every start and end.
    #[must_use]
    pub fn samples(&self, length: Duration) -> Vec<i16> {
        let _ = (length, level::amplitude(self.level));
        todo!()
    }
}
