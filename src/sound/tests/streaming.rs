//! Sounds that are decoded while they are played, by a player that hears as fast as it is fed.

use super::data;
use crate::audio::codec::g711::Law;
use crate::media::command::{Clip, Pcm, StreamSample};
use crate::sound::stream::{Ask, StreamPatience, Streams};
use crate::sound::{Hint, Reader, Unplayable};
use std::io::{self, Cursor, Read};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A moment each.
const SHORT: StreamPatience = StreamPatience { first: Duration::from_millis(300), next: Duration::from_millis(300) };
const LONG: StreamPatience = StreamPatience { first: Duration::from_secs(60), next: Duration::from_secs(60) };

fn ask(name: &str, is_loop: bool, usual: Option<Pcm>) -> Ask {
    Ask { path: PathBuf::from(name), hint: Hint::of_name("a.ulaw"), name: name.to_owned(), is_loop, usual }
}

/// A sound of steps: 3 s, each tenth with a value of its own.
fn steps() -> Vec<i16> {
    (0..30).flat_map(|step| [1_000 * (step % 10) + 500; 800]).collect()
}

fn open(ask: &Ask) -> Result<Reader, Unplayable> {
    let sound = data::law(Law::Mu, &steps());
    match ask.name.as_str() {
        "good" => Reader::new(Cursor::new(sound), &ask.hint),
        "hangs" => Reader::new(Cursor::new(sound[..8_192].to_vec()).chain(Hanging), &ask.hint),
        "hangs at once" => Reader::new(Cursor::new(vec![0; 16]).chain(Hanging), &ask.hint),
        "dies" => panic!("a decoder that dies"),
        _ => Err(Unplayable::Empty),
    }
}

/// A disk that does not answer.
struct Hanging;

impl Read for Hanging {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        loop {
            std::thread::park();
        }
    }
}

/// Hears up to `most` samples of 8 kHz, until the clip is over.
fn hear(clip: Clip, most: usize) -> Vec<StreamSample> {
    let Clip::Stream(stream) = clip else { panic!("no stream") };
    let mut ring = stream.take_for_test().unwrap();
    let mut heard = Vec::new();
    let limit = crate::test_clock() + Duration::from_secs(60);
    while heard.len() < most {
        let is_over = ring.is_abandoned();
        match ring.pop() {
            Ok(sample) => heard.push(sample),
            Err(_) if is_over => break,
            Err(_) => {
                assert!(crate::test_clock() < limit, "nothing more after {} samples", heard.len());
                std::thread::park_timeout(Duration::from_millis(1));
            }
        }
    }
    heard
}

fn narrow(samples: &[StreamSample]) -> Vec<i16> {
    samples.iter().map(|sample| sample.narrow).collect()
}

#[test]
fn all_of_a_sound_is_heard_at_both_rates_and_a_loop_goes_on_without_a_gap() {
    let streams = Streams::with_opener(LONG, open).unwrap();
    let heard = hear(streams.play(ask("good", false, None)), usize::MAX);
    assert_eq!(heard.len(), 24_000);
    let expected = steps();
    assert!(narrow(&heard).iter().zip(&expected).all(|(heard, right)| (heard - right).abs() < right / 16 + 8));
    let middle = heard[400 + 800 * 12];
    assert!((middle.wide[0] - middle.narrow).abs() < 100, "{middle:?}");
    let again = hear(streams.play(ask("good", true, None)), 60_000);
    assert_eq!(narrow(&again)[..24_000], narrow(&heard));
    assert_eq!(narrow(&again)[24_000..48_000], narrow(&heard));
}

#[test]
fn who_hangs_or_dies_is_left_behind_and_what_is_usual_is_heard() {
    let streams = Streams::with_opener(SHORT, open).unwrap();
    let usual = || Some(Pcm::from(vec![7; 4_000]));
    for name in ["hangs at once", "dies", "empty"] {
        let heard = hear(streams.play(ask(name, false, usual())), usize::MAX);
        assert_eq!(narrow(&heard), [7; 4_000], "{name}");
        // Music goes on.
        assert_eq!(hear(streams.play(ask(name, true, usual())), 10_000).len(), 10_000, "{name}");
        assert_eq!(hear(streams.play(ask(name, false, None)), usize::MAX), [], "{name}");
    }
    let heard = hear(streams.play(ask("hangs", true, usual())), 20_000);
    assert_eq!(narrow(&heard)[10_000..], [7; 10_000], "music goes on as the tune");
    // What has begun ends: nothing else fits behind it.
    // Where its decoder gets no processor in so short a time it has not begun.
    let limit = crate::test_clock() + Duration::from_secs(60);
    loop {
        let heard = hear(streams.play(ask("hangs", false, usual())), usize::MAX).len();
        if (8_000..=8_192).contains(&heard) {
            break;
        }
        assert_eq!(heard, 4_000, "neither what has begun nor the usual");
        assert!(crate::test_clock() < limit, "it never begins");
    }
    // And others are not held up meanwhile, but for the same reason.
    while hear(streams.play(ask("good", false, None)), usize::MAX).len() != 24_000 {
        assert!(crate::test_clock() < limit, "nothing else is decoded");
    }
}

#[test]
fn more_sounds_than_can_be_decoded_are_replaced_and_their_places_come_back() {
    let streams = Streams::with_opener(LONG, open).unwrap();
    let all: Vec<Clip> = (0..64).map(|_| streams.play(ask("good", true, None))).collect();
    let usual = Some(Pcm::from(vec![7; 100]));
    assert_eq!(narrow(&hear(streams.play(ask("good", false, usual.clone())), usize::MAX)), [7; 100]);
    drop(all);
    let limit = crate::test_clock() + Duration::from_secs(60);
    while hear(streams.play(ask("good", false, usual.clone())), usize::MAX).len() != 24_000 {
        assert!(Instant::max(limit, crate::test_clock()) == limit, "no place came back");
    }
}
