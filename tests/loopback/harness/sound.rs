//! Tones and prompts in what somebody heard.

use partyline::audio::{codec::g711, goertzel, tone::Tone, wav};
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;
use std::time::Duration;

/// Samples in a second.
pub const RATE: u32 = 8_000;
/// A tone is looked for in pieces of this length: half a second.
const PIECE: usize = 4_000;
/// A tone that is at least so loud, dBFS, is heard.
const HEARD: f32 = -28.0;
/// A tone that is not above this, dBFS, is not there.
const ABSENT: f32 = -45.0;

/// A WAV file as mono at 8 kHz.
pub fn read(path: &Path) -> Vec<i16> {
    wav::read(BufReader::new(File::open(path).unwrap())).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Writes mono at 8 kHz.
pub fn write(path: &Path, samples: &[i16]) {
    wav::write(BufWriter::new(File::create(path).unwrap()), samples).unwrap();
}

/// A tone at -15 dBFS.
pub fn tone(hertz: f64, length: Duration) -> Vec<i16> {
    Tone::sine(hertz, -15.0).samples(length)
}

/// The same as G.711 µ-law.
pub fn tone_as_ulaw(hertz: f64, length: Duration) -> Vec<u8> {
    let samples = tone(hertz, length);
    let mut octets = vec![0; samples.len()];
    g711::encode_ulaw(&samples, &mut octets);
    octets
}

/// The half seconds of `heard` in which `hertz` sounds.
fn pieces_with(heard: &[i16], hertz: f64) -> Vec<&[i16]> {
    heard.chunks_exact(PIECE).filter(|piece| goertzel::hears(piece, RATE, hertz, HEARD)).collect()
}

/// `heard` holds the tone `other` for two seconds at least, and `own` does not sound with it.
pub fn assert_hears_other_not_own(who: &str, heard: &[i16], other: f64, own: f64) {
    let pieces = pieces_with(heard, other);
    assert!(pieces.len() >= 4, "{who} does not hear {other} Hz: {}", survey(heard, &[other, own]));
    // Not in the first half, where prompts may still be heard, which have all frequencies; nor in the last piece, in
    // which the other's tone may break off with a click.
    for piece in &pieces[pieces.len() / 2..pieces.len() - 1] {
        let level = goertzel::tone_dbfs(piece, RATE, own);
        assert!(level <= ABSENT, "{who} hears its own {own} Hz at {level} dBFS: {}", survey(heard, &[other, own]));
    }
}

/// `heard` holds the tone for a second at least.
pub fn assert_hears(who: &str, heard: &[i16], hertz: f64) {
    assert!(pieces_with(heard, hertz).len() >= 2, "{who} does not hear {hertz} Hz: {}", survey(heard, &[hertz]));
}

/// Whether `heard` holds the tone in any half second.
pub fn hears(heard: &[i16], hertz: f64) -> bool {
    !pieces_with(heard, hertz).is_empty()
}

/// The level of each tone in each half second, for whoever reads why a test failed.
fn survey(heard: &[i16], tones: &[f64]) -> String {
    let levels = heard.chunks(PIECE).map(|piece| {
        let levels = tones.iter().map(|&hertz| format!("{:.0}", goertzel::tone_dbfs(piece, RATE, hertz)));
        levels.collect::<Vec<_>>().join("/")
    });
    format!("{} samples; dBFS of {tones:?} Hz by half seconds: {}", heard.len(), levels.collect::<Vec<_>>().join(" "))
}

/// Whether a loud half second from the middle of `prompt` is somewhere in `heard`.
pub fn contains_prompt(heard: &[i16], prompt: &[i16]) -> bool {
    // A tenth of a second is enough to tell one word from another, and short enough not to suffer from a skipped
    // packet.
    const LENGTH: usize = 1_600;
    let energy = |samples: &[i16]| samples.iter().map(|&sample| f64::from(sample).powi(2)).sum::<f64>();
    let loudest = prompt.windows(LENGTH).step_by(200).max_by(|a, b| energy(a).total_cmp(&energy(b)));
    let Some(sample) = loudest else { return false };
    let own = energy(sample).sqrt();
    heard.windows(LENGTH).any(|window| {
        let product: f64 = window.iter().zip(sample).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
        product > 0.8 * own * energy(window).sqrt().max(own * 0.2)
    })
}

/// One of the gateway's own prompts.
pub fn prompt(name: &str) -> Vec<i16> {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("prompts/en-GB/{name}.wav")))
}

#[test]
fn one_prompt_is_not_taken_for_another() {
    let silence = vec![0; 8_000];
    let heard = [silence.clone(), prompt("enter-pin"), prompt("wrong-pin"), silence].concat();
    assert!(contains_prompt(&heard, &prompt("wrong-pin")));
    for other in ["goodbye", "first-here", "pin-blocked"] {
        assert!(!contains_prompt(&heard, &prompt(other)), "{other}");
    }
}
