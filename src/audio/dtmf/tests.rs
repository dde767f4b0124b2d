//! The table of ITU-T Q.24. Speech and music are in `tests/talk_off.rs`.

use super::*;
use crate::audio::codec::g711::Law;
use crate::audio::level;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::f64::consts::TAU;

const KEYS: &str = "123A456B789C*0#D";
const ROWS: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f64; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
/// Of a digital line that is at 0 dBm0, dBFS.
const DBM0: f64 = -3.17;

/// How a telephone presses its keys.
#[derive(Clone, Copy)]
struct Press {
    /// Levels of the row's tone and of the column's, dBm0.
    levels: [f64; 2],
    /// How far their frequencies are off: per cent, and Hz.
    percent: [f64; 2],
    hertz: [f64; 2],
    milliseconds: usize,
    pause: usize,
    /// The tones' distance from noise, dB.
    noise: Option<f64>,
    /// An interruption in their middle, milliseconds.
    interruption: usize,
    /// An echo, so many milliseconds later and so many dB fainter.
    echo: Option<(usize, f64)>,
}

const PRESS: Press = Press {
    levels: [-10.0; 2],
    percent: [0.0; 2],
    hertz: [0.0; 2],
    milliseconds: 40,
    pause: 40,
    noise: None,
    interruption: 0,
    echo: None,
};
/// Of each key so many are pressed, each at another place in its frame.
const TIMES: usize = 5;

/// All keys pressed so, as a telephone of a rate sends them by µ-law.
fn sound_of(press: &Press, rate: Rate) -> Vec<i16> {
    let mut random = StdRng::seed_from_u64(1);
    let hertz = f64::from(rate.hertz());
    let samples = |milliseconds: usize| milliseconds * rate.hertz() as usize / 1_000;
    let amplitudes = press.levels.map(|dbm0| 32_768.0 * 10f64.powf((dbm0 + DBM0) / 20.0));
    let mut sound: Vec<f64> = Vec::new();
    for key in 0..KEYS.len() * TIMES {
        let key = key % KEYS.len();
        sound.resize(sound.len() + samples(press.pause) + random.random_range(0..rate.frame() / 2), 0.0);
        let mut frequencies = [ROWS[key / 4], COLUMNS[key % 4]];
        for (at, frequency) in frequencies.iter_mut().enumerate() {
            *frequency += *frequency * press.percent[at] / 100.0 + press.hertz[at];
        }
        let phases = [random.random_range(0.0..TAU), random.random_range(0.0..TAU)];
        let length = samples(press.milliseconds);
        let middle = length / 2..length / 2 + samples(press.interruption);
        sound.extend((0..length).map(|n| {
            let sine = |at: usize| (TAU * frequencies[at] / hertz * n as f64 + phases[at]).sin() * amplitudes[at];
            if middle.contains(&n) { 0.0 } else { sine(0) + sine(1) }
        }));
    }
    sound.resize(sound.len() + 2 * rate.frame(), 0.0);
    if let Some((milliseconds, fainter)) = press.echo {
        let scale = 10f64.powf(-fainter / 20.0);
        for n in (samples(milliseconds)..sound.len()).rev() {
            sound[n] += scale * sound[n - samples(milliseconds)];
        }
    }
    if let Some(distance) = press.noise {
        // Of the band to 4 kHz: as much for each Hz at every rate. Twelve even draws make a normal one.
        let power = amplitudes.iter().map(|amplitude| amplitude * amplitude / 2.0).sum::<f64>();
        let deviation = (power / 10f64.powf(distance / 10.0) * rate.scale() as f64).sqrt();
        for sample in &mut sound {
            *sample += deviation * ((0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0);
        }
    }
    let linear: Vec<i16> = sound.iter().map(|sample| sample.clamp(-32_768.0, 32_767.0) as i16).collect();
    let (mut octets, mut heard) = (vec![0; linear.len()], vec![0; linear.len()]);
    Law::Mu.encode(&linear, &mut octets);
    Law::Mu.decode(&octets, &mut heard);
    heard
}

/// The keys in a sound.
fn keys(sound: &[i16], rate: Rate) -> String {
    let mut detector = Detector::new(rate);
    let frames = sound.chunks_exact(rate.frame());
    frames.filter_map(|frame| detector.hear(&mut frame.to_vec(), false).key).collect()
}

/// Each key counts once, whatever the rate.
fn assert_heard(name: &str, press: Press) {
    for rate in Rate::ALL {
        assert_eq!(keys(&sound_of(&press, rate), rate), KEYS.repeat(TIMES), "{name} at {rate:?}");
    }
}

fn assert_unheard(name: &str, press: Press) {
    for rate in Rate::ALL {
        assert_eq!(keys(&sound_of(&press, rate), rate), "", "{name} at {rate:?}");
    }
}

#[test]
fn levels_are_taken_as_q_24_has_them() {
    for dbm0 in [0.0, -3.0, -10.0, -24.0, -25.0, -27.0] {
        assert_heard("level", Press { levels: [dbm0; 2], ..PRESS });
    }
    for dbm0 in [-29.0, -30.0, -40.0, -55.0] {
        assert_unheard("level", Press { levels: [dbm0; 2], milliseconds: 200, ..PRESS });
    }
}

#[test]
fn one_tone_may_be_fainter_than_the_other_as_q_24_has_it() {
    // The column's tone against the row's, dB: NTT 5, AT&T +4 and -8, Denmark 6, Brazil 9.
    for twist in [-9.0, -8.0, -6.0, -5.0, 4.0, 5.0, 6.0, 9.0] {
        assert_heard("twist", Press { levels: [-6.0 - f64::max(twist, 0.0), -6.0 + f64::min(twist, 0.0)], ..PRESS });
    }
    for twist in [-12.0, -20.0, -40.0, 12.0, 20.0, 40.0] {
        let levels = [-6.0 - f64::max(twist, 0.0), -6.0 + f64::min(twist, 0.0)];
        assert_unheard("twist", Press { levels, milliseconds: 200, ..PRESS });
    }
}

#[test]
fn frequencies_may_be_off_as_far_as_q_24_has_it() {
    for sides in [[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [0.0, 1.0], [1.0, 0.0]] {
        let off = |by: f64| sides.map(|side| side * by);
        assert_heard("1.8 %", Press { percent: off(1.8), ..PRESS });
        assert_heard("1.5 % and 4 Hz", Press { percent: off(1.5), hertz: off(4.0), ..PRESS });
    }
    for sides in [[0.0, 1.0], [1.0, 0.0], [0.0, -1.0], [-1.0, 0.0], [1.0, 1.0]] {
        for by in [3.0, 3.5, 5.0, 7.0] {
            let percent = sides.map(|side| side * by);
            assert_unheard("too far", Press { percent, milliseconds: 200, ..PRESS });
        }
    }
}

#[test]
fn keys_last_and_pause_as_q_24_has_it() {
    assert_heard("pause of 30 ms", Press { pause: 30, ..PRESS });
    assert_heard("93 ms a digit", Press { milliseconds: 50, pause: 43, ..PRESS });
    for milliseconds in [20, 23] {
        assert_unheard("too short", Press { milliseconds, ..PRESS });
    }
    for interruption in [2, 5, 10] {
        assert_heard("interrupted", Press { milliseconds: 120, interruption, ..PRESS });
    }
    assert_heard("held", Press { milliseconds: 1_500, ..PRESS });
}

#[test]
fn keys_are_heard_in_noise_and_in_their_own_echo() {
    assert_heard("15 dB", Press { noise: Some(15.0), ..PRESS });
    assert_heard("15 dB, off", Press { noise: Some(15.0), percent: [1.5, -1.5], ..PRESS });
    assert_heard("15 dB, +4", Press { noise: Some(15.0), levels: [-10.0, -6.0], ..PRESS });
    assert_heard("15 dB, -8", Press { noise: Some(15.0), levels: [-10.0, -18.0], ..PRESS });
    assert_heard("15 dB, faint", Press { noise: Some(15.0), levels: [-24.0; 2], ..PRESS });
    assert_heard("held in noise", Press { noise: Some(15.0), milliseconds: 800, ..PRESS });
    assert_unheard("15 dB, too far", Press { noise: Some(15.0), percent: [3.5, 0.0], milliseconds: 200, ..PRESS });
    for milliseconds in [5, 10, 20] {
        assert_heard("echo", Press { echo: Some((milliseconds, 10.0)), milliseconds: 60, pause: 60, ..PRESS });
    }
}

#[test]
fn hardly_anything_is_left_of_a_key() {
    for rate in Rate::ALL {
        let press = Press { milliseconds: 150, pause: 100, ..PRESS };
        let sound = sound_of(&press, rate);
        let mut detector = Detector::new(rate);
        let mut left = Vec::new();
        for frame in sound.chunks_exact(rate.frame()) {
            let mut frame = frame.to_vec();
            let heard = detector.hear(&mut frame, false);
            assert!(!heard.is_silent || frame.iter().all(|sample| *sample == 0));
            left.extend(frame);
        }
        // 25 ms of each at most.
        let loud = left.iter().filter(|sample| sample.unsigned_abs() > 100).count();
        let most = KEYS.len() * TIMES * rate.frame() * 25 / 20;
        assert!(loud < most, "{rate:?}: {loud} samples of {most}");
    }
}

#[test]
fn what_is_said_around_a_key_is_left_as_it_is() {
    let voice: Vec<i16> = (0..16_000).map(|n| ((f64::from(n) * 0.16).sin() * 6_000.0) as i16).collect();
    let mut detector = Detector::new(Rate::Narrow);
    for frame in voice.chunks_exact(160) {
        let mut heard = frame.to_vec();
        assert_eq!(detector.hear(&mut heard, false), Heard::default());
        assert_eq!(heard, frame);
    }
}

#[test]
fn a_key_goes_on_over_what_is_concealed_and_begins_with_none() {
    let press = Press { milliseconds: 400, pause: 100, ..PRESS };
    let sound = sound_of(&press, Rate::Narrow);
    // Every second frame is lost: there are never three blocks in a row.
    let mut detector = Detector::new(Rate::Narrow);
    let mut frames = sound.chunks_exact(160).enumerate();
    assert!(frames.all(|(n, frame)| detector.hear(&mut frame.to_vec(), n % 2 == 0).key.is_none()));
    // 60 ms of each 400 are lost, and sound like nothing.
    let mut detector = Detector::new(Rate::Narrow);
    let mut since = 0;
    let keys: String = sound
        .chunks_exact(160)
        .filter_map(|frame| {
            let lost = (5..8).contains(&since);
            let mut frame = if lost { vec![0; 160] } else { frame.to_vec() };
            let key = detector.hear(&mut frame, lost).key;
            since = if key.is_some() { 1 } else { since + usize::from(since > 0) };
            key
        })
        .collect();
    assert_eq!(keys, KEYS.repeat(TIMES));
}

#[test]
fn the_same_key_after_a_pause_is_another_one() {
    let press = Press { milliseconds: 100, ..PRESS };
    let sound = sound_of(&press, Rate::Narrow);
    let mut detector = Detector::new(Rate::Narrow);
    let mut first = sound.chunks_exact(160).filter_map(|frame| detector.hear(&mut frame.to_vec(), false).key);
    assert_eq!(first.next(), Some('1'));
    detector.pause();
    let again: String =
        sound.chunks_exact(160).filter_map(|frame| detector.hear(&mut frame.to_vec(), false).key).collect();
    assert!(again.starts_with("123"), "{again}");
}

#[test]
fn noise_and_single_tones_hold_no_keys() {
    let mut random = StdRng::seed_from_u64(7);
    let noise: Vec<i16> = (0..80_000).map(|_| random.random_range(-8_000..8_000)).collect();
    assert_eq!(keys(&noise, Rate::Narrow), "");
    assert!(level::dbfs(&noise) > -20.0);
    for frequency in ROWS.into_iter().chain(COLUMNS).chain([350.0, 440.0, 1_000.0, 1_100.0, 2_100.0]) {
        let tone: Vec<i16> =
            (0..8_000).map(|n| ((TAU * frequency * f64::from(n) / 8_000.0).sin() * 8_000.0) as i16).collect();
        assert_eq!(keys(&tone, Rate::Narrow), "", "{frequency} Hz");
    }
}
