//! Senders as they are in the field, and what must be heard of them.

mod presses;
mod senders;
mod tones;
