//! Speech and music hold no keys.

use partyline::audio::codec::g711::Law;
use partyline::audio::dtmf::Detector;
use partyline::audio::{Rate, wav};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::f32::consts::TAU;
use std::fs::File;
use std::path::{Path, PathBuf};

/// The keys in a sound as a telephone brings it, by µ-law.
fn keys(sound: &[i16]) -> String {
    let mut detector = Detector::new(Rate::Narrow);
    let frames = sound.chunks_exact(Rate::Narrow.frame());
    let key = |frame: &[i16]| {
        let (mut octets, mut heard) = ([0; 160], [0; 160]);
        Law::Mu.encode(frame, &mut octets);
        Law::Mu.decode(&octets, &mut heard);
        detector.hear(&mut heard, false).key
    };
    frames.filter_map(key).collect()
}

/// The WAV files in a folder and those below it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "wav") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Listens to the speech in a folder. Gives how many seconds that was, and what was taken for keys.
fn listen_to(folder: &Path) -> (usize, Vec<(PathBuf, String)>) {
    let (mut samples, mut wrong) = (0, Vec::new());
    for path in files(folder) {
        let sound = wav::read(File::open(&path).unwrap()).unwrap();
        samples += sound.len();
        let keys = keys(&sound);
        if !keys.is_empty() {
            wrong.push((path, keys));
        }
    }
    (samples / 8_000, wrong)
}

/// An instrument that plays a note.
struct Note {
    hertz: f32,
    loudness: f32,
    /// How fast overtones get fainter: the second is `2^-falling` of the first.
    falling: f32,
    decay: f32,
    vibrato: f32,
}

impl Note {
    fn play(&self, sound: &mut [f32]) {
        for (n, sample) in sound.iter_mut().enumerate() {
            let time = n as f32 / 8_000.0;
            let phase = TAU * self.hertz * time + self.vibrato * self.hertz / 5.5 * (TAU * 5.5 * time).sin();
            let overtones = (1..=5).map(|overtone| overtone as f32).filter(|at| at * self.hertz < 3_900.0);
            let tone: f32 = overtones.map(|at| (phase * at).sin() * at.powf(-self.falling)).sum();
            *sample += self.loudness * tone * (-self.decay * time).exp() * (time * 100.0).min(1.0);
        }
    }
}

/// A song: several instruments that play chords of the twelve notes, and a drum.
fn song(seed: u64, seconds: usize) -> Vec<i16> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut sound = vec![0.0; seconds * 8_000];
    let beat = random.random_range(1_200..4_800);
    let instruments: Vec<(f32, f32, f32)> = (0..random.random_range(1..5))
        .map(|_| (random.random_range(0.7..2.5), random.random_range(0.5..6.0), random.random_range(0.0..0.004)))
        .collect();
    let has_drum = random.random_bool(0.5);
    for start in (0..sound.len()).step_by(beat) {
        let end = (start + beat * 3 / 2).min(sound.len());
        for &(falling, decay, vibrato) in &instruments {
            let hertz = 440.0 * 2f32.powf(random.random_range(-24..24) as f32 / 12.0);
            Note { hertz, loudness: random.random_range(500.0..4_000.0), falling, decay, vibrato }
                .play(&mut sound[start..end]);
        }
        for n in start..(start + 400).min(sound.len()) {
            if has_drum {
                sound[n] += random.random_range(-3_000.0..3_000.0f32) * (-((n - start) as f32) / 80.0).exp();
            }
        }
    }
    sound.iter().map(|sample| sample.clamp(-32_768.0, 32_767.0) as i16).collect()
}

#[test]
fn five_minutes_of_prompts_and_two_of_music_hold_no_keys() {
    let (seconds, wrong) = listen_to(&Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts"));
    assert!(seconds > 200, "{seconds} s of speech");
    assert_eq!(wrong, []);
    for seed in 0..12 {
        assert_eq!(keys(&song(seed, 10)), "", "song {seed}");
    }
}

/// Of the folders in SPEECH, with a colon between two: `make talk-off` has five people by Debian's recordings.
#[test]
#[ignore = "takes minutes, and needs recordings"]
fn hours_of_speech_and_half_an_hour_of_music_hold_no_keys() {
    let folders = std::env::var("SPEECH").expect("SPEECH names folders of WAV files");
    let (mut seconds, mut wrong) = (0, Vec::new());
    for folder in folders.split(':') {
        let (more, found) = listen_to(Path::new(folder));
        seconds += more;
        wrong.extend(found);
    }
    println!("{} minutes of speech: {wrong:?}", seconds / 60);
    let songs: Vec<String> = (0..180).map(|seed| keys(&song(seed, 10))).collect();
    println!("30 minutes of music: {}", songs.concat());
    assert!(seconds >= 1_800, "{seconds} s of speech");
    assert_eq!((wrong, songs.concat()), (Vec::new(), String::new()));
}
