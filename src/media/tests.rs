//! The media plane as a whole, on a virtual clock: phones that each have a tone of their own, and what each of them
//! hears.

mod comfort_noise;
mod contributors;
mod controls;
mod events;
mod g729;
mod learning;
mod leveling;
mod levels;
mod limiting;
mod mixing;
mod moves;
mod network;
mod phases;
mod playing;
mod random;
mod tones;
mod wideband;
mod world;
