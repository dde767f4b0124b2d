//! What a room's settings have done to the sound of those in it.

use super::harness::slot::Slot;
use super::harness::{Gateway, Phone, Setup, sound};
use partyline::audio::active_level::active_level;
use partyline::audio::level;

/// Two rooms, of which the second processes what is said in it.
fn rooms(setting: &str) -> Gateway {
    let room = |number: u32, setting: &str| {
        format!(
            "[rooms.r{number}]\nannounce = \"none\"\nalone = \"silence\"\n{setting}\n\
             [[routes]]\nname = \"R{number}\"\nfrom = \"local\"\nnumber = \"{number}\"\nroom = \"r{number}\"\n"
        )
    };
    Setup::new().also(&room(2901, "")).also(&room(2902, setting)).start()
}

/// Sentences with pauses, at so many dBov, over noise that is so loud.
fn speech(dbov: f64, noise: f64) -> Vec<i16> {
    let amplitude = |dbov: f64| 10f64.powf(dbov / 20.0);
    let names = ["enter-pin", "room-full", "press-one", "no-answer", "number-busy", "pin-blocked"];
    let sentences = names.map(|name| [sound::prompt(name), vec![0; 6_000]].concat()).concat();
    let gain = amplitude(dbov - loudness(&sentences));
    let mut state = 7u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state) / f64::from(u32::MAX) * 2.0 - 1.0
    };
    let sample = |sample: i16| f64::from(sample) * gain + random() * amplitude(noise) * 3f64.sqrt() * 32_768.0;
    sentences.into_iter().map(sample).map(|sample| sample as i16).collect()
}

/// How loud the speech in it is, dBov.
fn loudness(samples: &[i16]) -> f64 {
    let samples: Vec<f32> = samples.iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
    active_level(&samples, sound::RATE).map_or(-100.0, |found| found.dbov)
}

/// How loud its pauses are, dBFS: a tenth of it is fainter.
fn pauses(samples: &[i16]) -> f32 {
    let mut levels: Vec<f32> = samples.chunks_exact(160).map(level::dbfs).collect();
    levels.sort_by(f32::total_cmp);
    levels[levels.len() / 10]
}

/// What is heard of `said` in both rooms once whatever is done has settled: the last ten seconds.
fn heard(gateway: Gateway, said: &[i16]) -> [Vec<i16>; 2] {
    let file = gateway.folder().join("said.wav");
    sound::write(&file, said);
    let both = ["2901", "2902"];
    let talkers = both.map(|number| Phone::dials(number).plays(&file).seconds(26.0).call(&gateway));
    let listeners = both.map(|number| Phone::dials(number).from("1002").seconds(24.0).call(&gateway));
    let heard = listeners.map(|listener| {
        let heard = listener.finish().answered().heard;
        heard[heard.len().saturating_sub(10 * 8_000)..].to_vec()
    });
    for talker in talkers {
        talker.finish().answered();
    }
    gateway.finish();
    heard
}

#[test]
fn a_faint_talker_is_heard_as_loud_as_others_where_the_room_levels() {
    let _slot = Slot::take();
    let [plain, leveled] = heard(rooms("automatic_gain = true"), &speech(-38.0, -80.0)).map(|heard| loudness(&heard));
    assert!((plain + 38.0).abs() < 3.0, "as it is: {plain} dBov");
    assert!((leveled + 20.0).abs() < 4.0, "leveled: {leveled} dBov");
}

#[test]
fn the_noise_behind_a_talker_is_fainter_where_the_room_suppresses_it() {
    let _slot = Slot::take();
    let [plain, still] = heard(rooms("noise_suppression = true\nmax_members = 10"), &speech(-24.0, -44.0));
    let [before, after] = [&plain, &still].map(|heard| pauses(heard));
    assert!((-46.0..=-38.0).contains(&before) && after < before - 8.0, "pauses: {before}, {after} dBFS");
    let [before, after] = [&plain, &still].map(|heard| loudness(heard));
    assert!((after - before).abs() < 3.0, "speech: {before}, {after} dBov");
}
