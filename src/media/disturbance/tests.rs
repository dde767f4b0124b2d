//! Conversations in which somebody disturbs, and an hour of one in which nobody does.

use super::super::command::Measured;
use super::*;
use crate::audio::{FRAME_8K, wav};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::f32::consts::TAU;
use std::fs::File;
use std::path::Path;

const ROOM: RoomId = RoomId(1);
/// Frames between two looks.
const PERIOD: usize = 100;
const SECOND: usize = 50;

/// A factor for amplitudes.
fn decibels(decibels: f32) -> f32 {
    10f32.powf(decibels / 20.0)
}

/// What somebody says: our prompts in a language, samples of ±1 at −21 dBov.
fn voice(language: &str) -> Vec<Vec<f32>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts").join(language);
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "wav"));
    paths.sort();
    let read = |path: &_| wav::read(File::open(path).unwrap()).unwrap();
    paths.iter().map(|path| read(path).iter().map(|sample| f32::from(*sample) / 32_768.0).collect()).collect()
}

/// Somebody who speaks for so many seconds, with a short breath after each sentence.
fn talk(language: &str, seconds: usize, random: &mut StdRng) -> Vec<f32> {
    let voice = voice(language);
    let mut sound = Vec::new();
    while sound.len() < seconds * 8_000 {
        sound.extend_from_slice(&voice[random.random_range(0..voice.len())]);
        sound.resize(sound.len() + random.random_range(800..4_000), 0.0);
    }
    sound.truncate(seconds * 8_000);
    sound
}

/// Noise of so many decibels below overload; one of the low frequencies for a `pole` near 1.
fn noise(samples: usize, level: f32, pole: f32, random: &mut StdRng) -> Vec<f32> {
    // White noise that was filtered so is louder by this.
    let scale = decibels(level) * 3f32.sqrt() * (1.0 - pole * pole).sqrt();
    let mut last = 0.0;
    let mut next = || {
        last = last * pole + random.random_range(-1.0..1.0) * scale;
        last
    };
    (0..samples).map(|_| next()).collect()
}

/// One sound and another.
fn both(one: &[f32], other: &[f32]) -> Vec<f32> {
    one.iter().zip(other).map(|(one, other)| one + other).collect()
}

/// What comes back of a sound, so much later and fainter.
fn echo(of: &[f32], milliseconds: usize, level: f32) -> Vec<f32> {
    let silence = std::iter::repeat_n(0.0, milliseconds * 8);
    silence.chain(of.iter().map(|sample| sample * decibels(level))).take(of.len()).collect()
}

/// The powers of frames, as they are behind the gate of a leg.
fn powers(sound: &[f32]) -> Vec<f32> {
    let mut open = 0;
    let power = |frame: &[f32]| frame.iter().map(|sample| sample * sample).sum::<f32>() / FRAME_8K as f32;
    let gate = |power: f32| {
        open = if power >= echo::FAINTEST { 20 } else { open.max(1) - 1 };
        if open > 0 { power } else { 0.0 }
    };
    sound.chunks_exact(FRAME_8K).map(power).map(gate).collect()
}

/// What begins and ends, of whom and by which frame. What each says is given as powers.
fn listen(legs: &[Vec<f32>]) -> Vec<(usize, usize, Disturbance, bool)> {
    let mut listener = Listener::default();
    let mut told = Vec::new();
    let mut last = [0.0; MEASURED];
    for end in (PERIOD..=legs[0].len()).step_by(PERIOD) {
        let mut measured = Vec::new();
        for (leg, powers) in legs.iter().enumerate() {
            let from = end.saturating_sub(MEASURED);
            last.fill(0.0);
            last[MEASURED - (end - from)..].copy_from_slice(&powers[from..end]);
            if last.iter().any(|power| *power > 0.0) {
                measured.push(Measured { leg: CallId(leg as u64), is_heard: true, powers: Box::new(last) });
            }
        }
        let mut events = Vec::new();
        listener.hear(&Measurement { room: ROOM, end: 1_000 + end as u64, legs: measured }, &mut events);
        for event in events {
            let Event::Disturbance { leg, room: ROOM, disturbance, is_heard } = event else { panic!("{event:?}") };
            told.push((leg.0 as usize, end, disturbance, is_heard));
        }
    }
    told
}

#[test]
fn who_returns_what_the_others_say_is_named_within_ten_seconds() {
    let mut random = StdRng::seed_from_u64(1);
    let samples = 16 * 8_000;
    for (milliseconds, voice) in [30, 100, 200, 300].into_iter().zip(["en-GB", "fr-FR", "es-ES", "en-US"]) {
        for level in [-10.0, -20.0, -30.0] {
            let speaker = both(&talk(voice, 16, &mut random), &noise(samples, -60.0, 0.0, &mut random));
            // 45 ms to the telephone and back, and through the jitter buffer.
            let returned = echo(&speaker, milliseconds + 45, level);
            let listener = both(&returned, &noise(samples, -60.0, 0.0, &mut random));
            let told = listen(&[powers(&speaker), powers(&listener)]);
            assert!(
                matches!(told[..], [(1, at, Disturbance::Echo, true)] if at <= 10 * SECOND),
                "{milliseconds} ms, {level} dB: {told:?}"
            );
        }
    }
}

#[test]
fn an_echo_is_found_beneath_what_its_own_side_says_and_is_over_when_it_is_gone() {
    let mut random = StdRng::seed_from_u64(2);
    let samples = 120 * 8_000;
    let mut turns = [talk("en-GB", 120, &mut random), talk("es-ES", 120, &mut random)];
    // By turns of six seconds, and both at once for one of them.
    for (who, turn) in turns.iter_mut().enumerate() {
        for (at, sample) in turn.iter_mut().enumerate() {
            let second = at / 8_000 % 12;
            *sample *= f32::from(u8::from(second / 6 == who || second % 6 == 5));
        }
    }
    let ours = both(&turns[0], &noise(samples, -60.0, 0.0, &mut random));
    let mut returned = echo(&ours, 245, -20.0);
    returned[60 * 8_000..].fill(0.0);
    let theirs = both(&both(&turns[1], &returned), &noise(samples, -60.0, 0.0, &mut random));
    let told = listen(&[powers(&ours), powers(&theirs)]);
    assert!(
        matches!(told[..], [(1, begins, Disturbance::Echo, true), (1, ends, Disturbance::Echo, false)]
            if begins <= 22 * SECOND && (66..95).contains(&(ends / SECOND))),
        "{told:?}"
    );
}

#[test]
fn a_fan_is_named_within_ten_seconds_and_a_quiet_line_never() {
    let mut random = StdRng::seed_from_u64(3);
    let samples = 60 * 8_000;
    let speaker = powers(&both(&talk("en-US", 60, &mut random), &noise(samples, -60.0, 0.0, &mut random)));
    for (level, pole) in [(-40.0, 0.0), (-40.0, 0.9), (-30.0, 0.7)] {
        let mut fan = noise(samples, level, pole, &mut random);
        fan[30 * 8_000..].iter_mut().for_each(|sample| *sample *= decibels(-60.0 - level));
        let told = listen(&[speaker.clone(), powers(&fan)]);
        assert!(
            matches!(told[..], [(1, begins, Disturbance::Noise, true), (1, ends, Disturbance::Noise, false)]
                if begins <= 10 * SECOND && ends <= 50 * SECOND),
            "{level} dBov, {pole}: {told:?}"
        );
    }
    let hum: Vec<f32> = (0..samples).map(|at| 0.015 * (TAU * 100.0 * at as f32 / 8_000.0).sin()).collect();
    assert!(matches!(listen(&[speaker.clone(), powers(&hum)])[..], [(1, 0..=500, Disturbance::Noise, true)]));
    for level in [-60.0, -50.0] {
        assert_eq!(listen(&[speaker.clone(), powers(&noise(samples, level, 0.0, &mut random))]), []);
    }
}

#[test]
fn a_fan_is_named_though_somebody_speaks_beside_it() {
    let mut random = StdRng::seed_from_u64(4);
    let samples = 40 * 8_000;
    let mut sound = talk("fr-FR", 40, &mut random);
    // Every other five seconds.
    let speaks = |at: usize| at / 40_000 % 2 == 1;
    sound.iter_mut().enumerate().for_each(|(at, sample)| *sample *= f32::from(u8::from(speaks(at))));
    let told = listen(&[powers(&both(&sound, &noise(samples, -38.0, 0.8, &mut random)))]);
    assert!(matches!(told[..], [(0, at, Disturbance::Noise, true)] if at <= 12 * SECOND), "{told:?}");
}

/// Chords of four notes that are struck, fade and are struck again, so many a minute, with a bass.
fn music(seconds: usize, chords_a_minute: usize, random: &mut StdRng) -> Vec<f32> {
    let length = 60 * 8_000 / chords_a_minute;
    let mut sound = vec![0.0; seconds * 8_000];
    for begin in (0..sound.len()).step_by(length) {
        let root = 110.0 * 2f32.powf(random.random_range(0..12) as f32 / 12.0);
        for (third, loudness) in [(1.0, 0.05), (2.0, 0.04), (2.52, 0.03), (3.0, 0.03)] {
            for (at, sample) in sound[begin..].iter_mut().take(2 * length).enumerate() {
                let time = at as f32 / 8_000.0;
                let swell = (time * 60.0).min(1.0) * (-1.5 * time).exp();
                *sample += loudness
                    * swell
                    * ((TAU * root * third * time).sin() + 0.4 * (TAU * 2.0 * root * third * time).sin());
            }
        }
    }
    sound
}

#[test]
fn hold_music_is_named_within_fifteen_seconds_and_over_when_it_stops() {
    for (seed, chords) in [(5, 60), (6, 90), (7, 140)] {
        let mut random = StdRng::seed_from_u64(seed);
        let mut sound = music(90, chords, &mut random);
        sound[45 * 8_000..].fill(0.0);
        let told = listen(&[powers(&sound)]);
        assert!(
            matches!(told[..], [(0, begins, Disturbance::Music, true), (0, ends, Disturbance::Music, false)]
                if begins <= 15 * SECOND && (46..70).contains(&(ends / SECOND))),
            "{chords} chords a minute: {told:?}"
        );
    }
}

#[test]
fn speech_is_no_music_however_long_and_by_however_many() {
    let mut random = StdRng::seed_from_u64(8);
    let voices = ["en-GB", "fr-FR", "es-ES", "en-US"].map(|language| {
        // Without a breath.
        let sentences: Vec<f32> = voice(language).concat();
        let long: Vec<f32> = sentences.iter().copied().cycle().take(180 * 8_000).collect();
        both(&long, &noise(long.len(), -60.0, 0.0, &mut random))
    });
    let (two, three) = (both(&voices[0], &voices[1]), both(&both(&voices[1], &voices[2]), &voices[3]));
    for sound in voices.iter().chain([&two, &three]) {
        assert_eq!(listen(&[powers(sound)]), []);
    }
}

/// An hour of four who take turns and talk over one another, on lines with noise of −60 dBov. Sentences are made of
/// frames, or it would take long.
fn hour(people: usize, overlap: f64, random: &mut StdRng) -> Vec<Vec<f32>> {
    let hour = 3_600 * SECOND;
    let frames = |sound: &Vec<f32>| -> Vec<f32> {
        let power = |frame: &[f32]| frame.iter().map(|sample| sample * sample).sum::<f32>() / FRAME_8K as f32;
        sound.chunks_exact(FRAME_8K).map(power).collect()
    };
    let languages = ["en-GB", "fr-FR", "es-ES", "en-US"];
    let voices: Vec<Vec<Vec<f32>>> =
        (0..people).map(|who| voice(languages[who]).iter().map(frames).collect()).collect();
    let mut legs = vec![vec![0.0; hour]; people];
    let mut says = |who: usize, at: usize, random: &mut StdRng| {
        let sentence = &voices[who][random.random_range(0..voices[who].len())];
        let loudness = [0.6, 1.5, 0.25, 1.0][who];
        let leg: &mut Vec<f32> = &mut legs[who];
        leg.iter_mut().skip(at).zip(sentence).for_each(|(frame, power)| *frame += loudness * power);
        at + sentence.len()
    };
    let (mut at, mut who) = (0, 0);
    while at < hour {
        let begin = at;
        for _ in 0..random.random_range(1..5) {
            at = says(who, at, random) + random.random_range(0..25);
        }
        let other = (who + random.random_range(1..people)) % people;
        if random.random_bool(overlap) {
            says(other, random.random_range(begin..at), random);
        }
        // The next one begins a little before the end, or lets a little time pass.
        at = (at + random.random_range(0..75)).saturating_sub(37).max(begin + 10);
        who = other;
    }
    for leg in &mut legs {
        let mut open = 0;
        for frame in leg {
            *frame += 1.0e-6 * random.random_range(0.75..1.25);
            open = if *frame >= echo::FAINTEST { 20 } else { open.max(1) - 1 };
            if open == 0 {
                *frame = 0.0;
            }
        }
    }
    legs
}

#[test]
fn nobody_is_named_in_an_hour_of_clean_conversation() {
    let mut random = StdRng::seed_from_u64(9);
    for (people, overlap) in [(4, 0.7), (2, 0.4)] {
        assert_eq!(listen(&hour(people, overlap, &mut random)), [], "{people} people");
    }
}

#[test]
fn who_leaves_or_is_muted_disturbs_nobody_and_is_no_cause_of_an_echo() {
    let mut listener = Listener::default();
    let mut told: Vec<Event> = Vec::new();
    let event = |leg, is_heard| Event::Disturbance { leg, room: ROOM, disturbance: Disturbance::Noise, is_heard };
    let hum = |leg, is_heard| Measured { leg, is_heard, powers: Box::new([1.0e-3; MEASURED]) };
    let (anna, ben) = (CallId(1), CallId(2));
    for round in 1..6 {
        let legs = vec![hum(anna, true), hum(ben, false)];
        listener.hear(&Measurement { room: ROOM, end: 100 * round, legs }, &mut told);
    }
    told.sort_by_key(|event| format!("{event:?}"));
    assert_eq!(told, [event(anna, true), event(ben, true)]);
    assert!((listener.rooms[&ROOM].powers[KEPT - 1] - 1.0e-3).abs() < 1.0e-6, "only one of them is heard");
    told.clear();
    listener.forget_leg(anna, &mut told);
    listener.leave(ben, ROOM, &mut told);
    assert_eq!(told, [event(anna, false), event(ben, false)]);
    listener.forget_room(ROOM, &mut told);
    assert!(listener.is_idle() && listener.legs.is_empty());
}

#[test]
fn who_is_heard_in_two_rooms_is_named_once_and_until_it_is_over_in_both() {
    let mut listener = Listener::default();
    let mut told: Vec<Event> = Vec::new();
    let anna = CallId(1);
    let other = RoomId(2);
    let event = |room, is_heard| Event::Disturbance { leg: anna, room, disturbance: Disturbance::Noise, is_heard };
    // Each room is measured in its turn.
    for round in 1..6 {
        for (room, end) in [(ROOM, 100 * round), (other, 100 * round + 50)] {
            let legs = vec![Measured { leg: anna, is_heard: true, powers: Box::new([1.0e-3; MEASURED]) }];
            listener.hear(&Measurement { room, end, legs }, &mut told);
        }
    }
    assert_eq!(told, [event(ROOM, true)]);
    listener.leave(anna, ROOM, &mut told);
    assert_eq!(told.len(), 1, "it goes on in the other room");
    listener.forget_room(other, &mut told);
    assert_eq!(told, [event(ROOM, true), event(other, false)]);
    listener.forget_leg(anna, &mut told);
    assert_eq!(told.len(), 2);
}

#[test]
fn a_measurement_that_comes_late_or_twice_leaves_a_gap_and_nothing_else() {
    let mut listener = Listener::default();
    let mut told: Vec<Event> = Vec::new();
    let mut hear = |end, power| {
        let legs = vec![Measured { leg: CallId(1), is_heard: true, powers: Box::new([power; MEASURED]) }];
        listener.hear(&Measurement { room: ROOM, end, legs }, &mut told);
        listener.legs[&(CallId(1), ROOM)].own.iter().filter(|known| **known > 0.0).count()
    };
    assert_eq!([hear(1_000, 1.0), hear(1_100, 1.0), hear(1_100, 1.0), hear(900, 1.0)], [128, 228, 228, 228]);
    assert_eq!(hear(1_300, 1.0), 356);
    assert_eq!(hear(u64::MAX, 1.0), 128);
}
