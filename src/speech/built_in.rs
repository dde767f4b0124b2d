//! The prompts that are part of the binary.

/// `catalogue.toml` of [`super::DEFAULT_LANGUAGE`].
pub(super) const CATALOGUE: &str = include_str!("../../prompts/en-GB/catalogue.toml");

macro_rules! sounds {
    ($($name:literal)*) => {
        &[$(($name, include_bytes!(concat!("../../prompts/en-GB/", $name, ".wav")))),*]
    };
}

/// The WAV files of [`super::DEFAULT_LANGUAGE`] by name.
pub(super) const SOUNDS: &[(&str, &[u8])] = sounds![
    "call-failed" "conference-ended" "enter-pin" "first-here" "goodbye" "joining" "muted" "no-answer" "no-input"
    "no-such-number" "number-busy" "pin-blocked" "please-wait" "press-one" "removed" "room-full" "too-short" "unmuted"
    "wrong-pin"
];
