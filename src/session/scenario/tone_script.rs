//! Tone scripts: frequencies with levels, then cadences, as telephone adapters have them in their settings:
//! `350@-13,440@-13;10(*/0/1+2)` is 350 and 440 Hz at -13 dBm0 each, both for 10 s without a pause.
//!
//! ```text
//! script   = frequency *("," frequency) 1*(";" section)
//! frequency = hertz "@" level                    up to 6, 20 to 3,900 Hz, -60 to 3 dBm0
//! section  = length "(" segment *("," segment) ")"
//! segment  = on "/" off ["/" number *("+" number)]  seconds; which of the frequencies, by number; 0 is none
//! ```
//!
//! Lengths are seconds, and `*` is for ever; what follows that is never heard.

use crate::session::PlayItem;
use std::f64::consts::{PI, TAU};
use std::sync::Arc;

/// Samples in a second.
const RATE: f64 = 8_000.0;
/// The longest that a section lasts, and a turn of its cadence, in seconds; but for ever.
const LONGEST: f64 = 60.0;
/// The shortest turn of a cadence.
const SHORTEST: f64 = 0.01;
/// The longest script, in octets.
const LONGEST_SCRIPT: usize = 1_000;
/// Frequencies, sections, and segments of a section.
const MOST: usize = 6;
/// How long a tone takes to rise and to fall, so that it does not click.
const RAMP: usize = 32;
/// The level of a sine that just fills the range of µ-law (ITU-T G.711, section 4), dBm0.
const FULL: f64 = 3.17;

struct Sine {
    hertz: f64,
    amplitude: f64,
}

struct Segment {
    on: f64,
    off: f64,
    /// Of the frequencies, from 0.
    sines: Vec<usize>,
}

struct Section {
    /// `None`: for ever.
    length: Option<f64>,
    segments: Vec<Segment>,
}

/// What a script sounds like, a piece for each section.
///
/// # Errors
/// Why it is none.
pub(super) fn items(script: &str) -> Result<Vec<PlayItem>, String> {
    let wrong = |why: &str| format!("{script:.100} is no tone script: {why}");
    if script.len() > LONGEST_SCRIPT {
        return Err(format!("a tone script has at most {LONGEST_SCRIPT} octets"));
    }
    let mut parts = script.split(';');
    let sines = parts.next().unwrap_or_default().split(',').map(sine).collect::<Result<Vec<_>, _>>();
    let sines = sines.map_err(wrong)?;
    let sections = parts.map(|part| section(part, sines.len())).collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    if sines.len() > MOST || sections.len() > MOST {
        return Err(wrong("there are more than six frequencies or cadences"));
    }
    if sections.is_empty() {
        return Err(wrong("there is no cadence"));
    }
    let endless = sections.iter().position(|section| section.length.is_none());
    let heard = endless.map_or(sections.len(), |at| at + 1);
    Ok(sections.iter().take(heard).map(|section| made(section, &sines)).collect())
}

fn sine(text: &str) -> Result<Sine, &'static str> {
    let (hertz, level) = text.split_once('@').ok_or("a frequency is written hertz@level")?;
    let hertz = number(hertz).filter(|hertz| (20.0..=3_900.0).contains(hertz));
    let level = number(level).filter(|level| (-60.0..=3.0).contains(level));
    let (Some(hertz), Some(level)) = (hertz, level) else {
        return Err("frequencies are from 20 to 3,900 Hz, levels from -60 to 3 dBm0");
    };
    Ok(Sine { hertz, amplitude: 32_767.0 * 10_f64.powf((level - FULL) / 20.0) })
}

fn section(text: &str, sines: usize) -> Result<Section, &'static str> {
    let shape = text.trim().strip_suffix(')').and_then(|text| text.split_once('('));
    let (length, segments) = shape.ok_or("a cadence is written length(on/off/frequencies)")?;
    let length = seconds(length)?;
    let segments = segments.split(',').map(|text| segment(text, sines)).collect::<Result<Vec<_>, _>>()?;
    let turn: f64 = segments.iter().map(|segment| segment.on + segment.off).sum();
    match length {
        _ if segments.len() > MOST => Err("a cadence has more than six parts"),
        _ if turn < SHORTEST || length == Some(0.0) => Err("a cadence takes no time"),
        // Of a section with an end it is the rest.
        None if turn.is_infinite()
            && (segments.len() > 1 || segments.iter().any(|segment| segment.off.is_infinite())) =>
        {
            Err("what sounds for ever stands alone")
        }
        None if turn.is_finite() && turn > LONGEST => Err("a cadence takes more than 60 s"),
        length => Ok(Section { length, segments }),
    }
}

fn segment(text: &str, sines: usize) -> Result<Segment, &'static str> {
    let mut parts = text.trim().split('/');
    let (Some(on), Some(off), which, None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err("a part of a cadence is written on/off/frequencies");
    };
    let length = |text| Ok::<_, &str>(seconds(text)?.unwrap_or(f64::INFINITY));
    let number = |text: &str| {
        let number: usize = text.trim().parse().map_err(|_| "a frequency's number is none")?;
        if number > sines { Err("there is no frequency of that number") } else { Ok(number) }
    };
    let numbers = which.unwrap_or("0").split('+').map(number).collect::<Result<Vec<_>, _>>()?;
    if numbers.len() > MOST {
        return Err("more than six frequencies sound at once");
    }
    let sines = numbers.into_iter().filter_map(|number| number.checked_sub(1)).collect();
    Ok(Segment { on: length(on)?, off: length(off)?, sines })
}

/// A length; `None` is for ever.
fn seconds(text: &str) -> Result<Option<f64>, &'static str> {
    if text.trim() == "*" {
        return Ok(None);
    }
    let length = number(text).filter(|length| (0.0..=LONGEST).contains(length));
    length.map(Some).ok_or("lengths are from 0 to 60 s, or *")
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// The samples of a section: of all of it, or of a turn that is repeated.
fn made(Section { length, segments }: &Section, sines: &[Sine]) -> PlayItem {
    let turn: f64 = segments.iter().map(|segment| segment.on + segment.off).sum();
    // Whole hertz are at their beginning again after a second, tenths of a hertz after ten.
    let round = if sines.iter().all(|sine| sine.hertz.fract() == 0.0) { 1.0 } else { 10.0 };
    let total = count(length.unwrap_or(if turn.is_finite() { turn } else { round }));
    let is_steady = length.is_none() && segments.first().is_some_and(|segment| segment.on.is_infinite());
    let mut samples: Vec<i16> = Vec::with_capacity(total);
    let mut at = 0.0;
    for segment in segments.iter().cycle() {
        if samples.len() >= total {
            break;
        }
        let ends = [count(at + segment.on).min(total), count(at + segment.on + segment.off).min(total)];
        sound(&mut samples, ends[0], segment.sines.iter().filter_map(|at| sines.get(*at)), is_steady);
        samples.resize(ends[1].max(samples.len()), 0);
        at += segment.on + segment.off;
    }
    PlayItem::Made { samples: Arc::from(samples), repeat: length.is_none() }
}

/// Sounds up to sample number `end`; rises and falls at its edges, unless it is one turn of a steady tone.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "sample numbers; clamped")]
fn sound<'a>(samples: &mut Vec<i16>, end: usize, sines: impl Iterator<Item = &'a Sine> + Clone, is_steady: bool) {
    let begin = samples.len();
    let length = end.saturating_sub(begin);
    let ramp = RAMP.min(length / 2);
    samples.extend((0..length).map(|at| {
        let time = (begin + at) as f64 / RATE;
        let sum: f64 = sines.clone().map(|sine| (TAU * sine.hertz * time).sin() * sine.amplitude).sum();
        let from_edge = at.min(length - 1 - at);
        let is_ramp = !is_steady && from_edge < ramp;
        let gain = if is_ramp { 0.5 - 0.5 * (PI * from_edge as f64 / ramp as f64).cos() } else { 1.0 };
        (sum * gain).round().clamp(-32_768.0, 32_767.0) as i16
    }));
}

/// Samples of so many seconds, at most what a section may have.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 480,000")]
fn count(seconds: f64) -> usize {
    (seconds.clamp(0.0, LONGEST) * RATE).round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(script: &str) -> Vec<(Vec<i16>, bool)> {
        let items = items(script).unwrap();
        let made = items.into_iter().map(|item| match item {
            PlayItem::Made { samples, repeat } => (samples.to_vec(), repeat),
            other => panic!("{other:?}"),
        });
        made.collect()
    }

    /// The level of a frequency, dBm0.
    fn level(samples: &[i16], hertz: f64) -> f64 {
        let (mut sine, mut cosine) = (0.0, 0.0);
        for (at, sample) in samples.iter().enumerate() {
            let phase = TAU * hertz * at as f64 / RATE;
            sine += f64::from(*sample) * phase.sin();
            cosine += f64::from(*sample) * phase.cos();
        }
        let amplitude = 2.0 * f64::hypot(sine, cosine) / samples.len() as f64;
        20.0 * (amplitude.max(1e-9) / 32_767.0).log10() + FULL
    }

    #[test]
    fn a_dial_tone_sounds_throughout_at_its_levels() {
        let [(samples, false)] = &made("350@-13,440@-19;10(*/0/1+2)")[..] else { panic!() };
        assert_eq!(samples.len(), 80_000);
        assert!((level(&samples[8_000..16_000], 350.0) + 13.0).abs() < 0.1);
        assert!((level(&samples[8_000..16_000], 440.0) + 19.0).abs() < 0.1);
        assert!(level(&samples[8_000..16_000], 400.0) < -60.0);
    }

    #[test]
    fn a_cadence_sounds_and_pauses_with_the_frequencies_of_each_part() {
        // The three tones that go before an announcement of the network.
        let [(samples, false)] = &made("985@-16,1428@-16,1777@-16;20(.380/0/1,.380/0/2,.380/0/3,0/4/0)")[..] else {
            panic!()
        };
        assert_eq!(samples.len(), 160_000);
        for turn in [0, 41_120] {
            for (part, hertz) in [985.0, 1_428.0, 1_777.0].into_iter().enumerate() {
                let begin = turn + part * 3_040 + 100;
                assert!((level(&samples[begin..begin + 2_800], hertz) + 16.0).abs() < 0.5, "{turn} {hertz}");
            }
            assert!(samples[turn + 9_120..turn + 41_120].iter().all(|sample| *sample == 0), "{turn}");
        }
    }

    #[test]
    fn what_is_for_ever_is_one_turn_again_and_again_after_what_goes_before() {
        let both = made("440@-20,425.5@-20;2(.2/.3/1);*(1/4/2);3(1/1/1)");
        let lengths: Vec<_> = both.iter().map(|(samples, repeat)| (samples.len(), *repeat)).collect();
        assert_eq!(lengths, [(16_000, false), (40_000, true)]);
        // No click where a steady tone begins anew.
        let [(samples, true)] = &made("440@-20;*(*/0/1)")[..] else { panic!() };
        assert_eq!(samples.len(), 8_000);
        let step = i32::from(samples[0]) - i32::from(samples[7_999]);
        assert_eq!(step, i32::from(samples[1]) - i32::from(samples[0]), "as between any two");
        assert_eq!(made("425.5@-20;*(*/0/1)")[0].0.len(), 80_000);
    }

    #[test]
    fn what_is_no_script_says_why() {
        for (script, why) in [
            ("", "hertz@level"),
            ("440", "hertz@level"),
            ("440@-20", "there is no cadence"),
            ("5000@-20;1(1/0/1)", "from 20 to 3,900 Hz"),
            ("440@10;1(1/0/1)", "from -60 to 3 dBm0"),
            ("440@NaN;1(1/0/1)", "from -60 to 3 dBm0"),
            ("440@-20;1", "length(on/off/frequencies)"),
            ("440@-20;61(1/0/1)", "from 0 to 60 s"),
            ("440@-20;*(60/60/1)", "more than 60 s"),
            ("440@-20;1(0/0/1)", "takes no time"),
            ("440@-20;0(1/0/1)", "takes no time"),
            ("440@-20;1(1e-300/0/1)", "takes no time"),
            ("440@-20;*(1/1/1,*/0/1)", "stands alone"),
            ("440@-20;*(1/*/1)", "stands alone"),
            ("440@-20;1(1/0/2)", "no frequency of that number"),
            ("440@-20;1(1/0/x)", "a frequency's number is none"),
            ("440@-20;1(1)", "on/off/frequencies"),
            ("440@-20;1(1/0/1/1)", "on/off/frequencies"),
            ("440@-20;1(1/0/1+1+1+1+1+1+1)", "more than six"),
            ("1@1,1@1", "from 20"),
        ] {
            let told = items(script).unwrap_err();
            assert!(told.contains(why), "{script}: {told}");
        }
        assert!(items(&format!("440@-20;{}", "1(1/0/1);".repeat(7))).is_err());
        assert!(items(&"4".repeat(2_000)).is_err());
    }
}
