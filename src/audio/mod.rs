//! Sound: pure functions and small state machines on samples of 16-bit mono PCM.
//!
//! Nothing here knows of packets; [`playout::Playout`] is where a leg's decoded samples wait for the tick.

pub mod active_level;
pub mod automatic_gain;
pub mod codec;
pub mod comfort_noise;
pub mod concealment;
pub mod dc;
pub mod dtmf;
pub mod fade;
pub mod frame;
pub mod gain;
pub mod goertzel;
pub mod level;
pub mod limiter;
pub mod mix;
pub mod noise_suppression;
pub mod playout;
pub mod rate_converter;
pub mod resample;
pub mod time_scale;
pub mod tone;
pub mod wav;

pub use frame::{FRAME_8K, Frame, LONGEST_FRAME, Rate, SILENCE};
