//! Sound files that somebody spoilt take no more memory than good ones, whatever length they claim.

use crate::alloc::peak;
use partyline::sound::{Hint, Reader};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::io::Cursor;

/// What decoding may take, octets: tables of decoders, and a few blocks.
const MOST: usize = 16 << 20;
/// Spoilt files of each form.
const EACH: usize = 150;
/// Blocks that are decoded of each.
const BLOCKS: usize = 40;

/// A tenth of a second of something.
fn wav() -> Vec<u8> {
    let mut file =
        b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0\x40\x1F\0\0\0\0\0\0\x04\0\x10\0data\x80\x0C\0\0".to_vec();
    file.extend((0..3_200).map(|n| n as u8));
    file
}

#[test]
fn spoilt_sound_takes_no_more_memory_than_good_sound() {
    let seeds: [(&str, Vec<u8>); 6] = [
        ("a.wav", wav()),
        ("a.mp3", include_bytes!("../src/sound/tests/tone.mp3").to_vec()),
        ("a.ogg", include_bytes!("../src/sound/tests/tone.ogg").to_vec()),
        ("a.opus", include_bytes!("../src/sound/tests/tone.opus").to_vec()),
        ("a.flac", include_bytes!("../src/sound/tests/tone.flac").to_vec()),
        ("a.gsm", include_bytes!("../src/sound/tests/speech.gsm").to_vec()),
    ];
    let mut random = StdRng::seed_from_u64(9);
    for (name, good) in seeds {
        let mut played = 0;
        for _ in 0..EACH {
            let mut file = good.clone();
            for _ in 0..random.random_range(1..6) {
                // Lengths stand in heads: those are spoilt more often, and with the largest numbers.
                let end = if random.random_bool(0.5) { 256.min(file.len()) } else { file.len() };
                let at = random.random_range(0..end);
                file[at] = if random.random_bool(0.5) { 0xFF } else { random.random() };
            }
            if name == "a.ogg" || name == "a.opus" {
                seal(&mut file);
            }
            let before = played;
            let took = peak(|| {
                let Ok(reader) = Reader::new(Cursor::new(file), &Hint::of_name(name)) else { return };
                played = before + usize::from(reader.take(BLOCKS).filter_map(Result::ok).count() > 0);
            });
            assert!(took < MOST, "{name}: {took} octets");
        }
        assert!(played > EACH / 20, "{name}: {played} of {EACH} were played at all");
    }
}

/// Gives pages of Ogg the checksums that they have now.
fn seal(file: &mut [u8]) {
    let starts: Vec<usize> = (0..file.len()).filter(|at| file[*at..].starts_with(b"OggS")).collect();
    for at in starts {
        let Some(&segments) = file.get(at + 26) else { return };
        let lacing = at + 27..at + 27 + usize::from(segments);
        let Some(body) = file.get(lacing.clone()) else { return };
        let end = lacing.end + body.iter().map(|length| usize::from(*length)).sum::<usize>();
        let Some(page) = file.get_mut(at..end) else { return };
        page[22..26].fill(0);
        let mut crc = 0u32;
        for octet in page.iter() {
            crc ^= u32::from(*octet) << 24;
            for _ in 0..8 {
                crc = crc << 1 ^ if crc >> 31 == 1 { 0x04C1_1DB7 } else { 0 };
            }
        }
        page[22..26].copy_from_slice(&crc.to_le_bytes());
    }
}
