//! Jitter buffer and playout together: what a listener hears of a bad line.

use partyline::audio::codec::g711;
use partyline::audio::playout::Playout;
use partyline::audio::tone::Tone;
use partyline::audio::{FRAME_8K, Rate, goertzel, level};
use partyline::rtp::jitter_buffer::{Pull, Settings, Statistics};
use partyline::rtp::{Header, JitterBuffer};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::time::{Duration, Instant};

#[expect(clippy::disallowed_methods, reason = "a test needs some origin; it never reads the clock again")]
fn clock() -> Instant {
    Instant::now()
}

/// Sends `sound` in packets of 20 ms; `fate` says how late packet `n` arrives (microseconds), `None` for lost. Returns
/// what is heard, tick by tick.
fn hear(sound: &[i16], mut fate: impl FnMut(u64) -> Option<u64>) -> (Vec<i16>, Statistics) {
    let start = clock();
    let mut flying: Vec<(u64, u16, Vec<u8>)> = Vec::new();
    for (number, samples) in (0u64..).zip(sound.chunks_exact(FRAME_8K)) {
        let mut payload = vec![0; FRAME_8K];
        g711::encode_ulaw(samples, &mut payload);
        if let Some(late) = fate(number) {
            flying.push((number * 20_000 + 9_000 + late, number as u16, payload));
        }
    }
    flying.sort();
    let mut arriving = flying.into_iter().peekable();
    let mut buffer = JitterBuffer::new(Settings::default());
    let mut playout = Playout::new(Rate::Narrow);
    let mut heard = Vec::new();
    for tick in 1..=(sound.len() / FRAME_8K) as u64 {
        while let Some((arrival, number, payload)) = arriving.next_if(|(arrival, ..)| *arrival <= tick * 20_000) {
            let header = Header {
                marker: false,
                payload_type: 0,
                sequence: number,
                timestamp: u32::from(number) * 160,
                ssrc: 1,
            };
            buffer.insert(start + Duration::from_micros(arrival), number.into(), &header, payload.len(), &payload);
        }
        let now = start + Duration::from_micros(tick * 20_000);
        loop {
            match buffer.pull(now, playout.len()) {
                Pull::Packet { payload, .. } => playout.push_with(payload.len(), |out| {
                    g711::decode_ulaw(payload, out);
                }),
                Pull::Conceal(n) | Pull::Recover { samples: n, .. } => playout.conceal(n),
                Pull::Silence(n) => playout.silence(n),
                Pull::Shorten { most, force } => {
                    let n = playout.shorten(most, force);
                    buffer.shortened(n);
                }
                Pull::Lengthen { most, force } => {
                    let n = playout.lengthen(most, force);
                    buffer.lengthened(n);
                }
                Pull::Done => break,
            }
        }
        let mut frame = [0; FRAME_8K];
        playout.take(&mut frame);
        heard.extend(frame);
    }
    (heard, buffer.statistics())
}

fn steepest(samples: &[i16]) -> i32 {
    samples.windows(2).map(|w| (i32::from(w[1]) - i32::from(w[0])).abs()).max().unwrap()
}

/// 100 Hz and harmonics, as a vowel.
fn vowel(seconds: u64) -> Vec<i16> {
    let mut tone = Tone::sine(100.0, -18.0);
    tone.frequencies = vec![100.0, 200.0, 300.0, 500.0, 700.0];
    tone.samples(Duration::from_secs(seconds))
}

#[test]
fn on_a_clean_line_every_sample_is_heard_unchanged() {
    let sound = vowel(3);
    let (heard, statistics) = hear(&sound, |_| Some(0));
    let mut octets = vec![0; sound.len()];
    let mut expected = vec![0; sound.len()];
    g711::encode_ulaw(&sound, &mut octets);
    g711::decode_ulaw(&octets, &mut expected);
    assert_eq!(heard[20..], expected[20..]);
    assert_eq!(statistics.concealed_samples, 0);
}

#[test]
fn five_percent_of_loss_neither_click_nor_hole() {
    let sound = vowel(30);
    let mut random = StdRng::seed_from_u64(4);
    let (heard, statistics) = hear(&sound, |_| (!random.random_bool(0.05)).then_some(0));
    assert!(statistics.concealments > 50);
    assert!(steepest(&heard[1_000..]) <= steepest(&sound) * 3 / 2);
    let quietest = heard[1_000..].chunks_exact(400).map(level::dbfs).fold(0.0, f32::min);
    // Two losses in a row are already fading; three are down by 6 dB.
    assert!(quietest > level::dbfs(&sound) - 8.0, "{quietest}");
}

#[test]
fn a_delay_that_grows_and_shrinks_is_not_heard_as_clicks() {
    let sound = vowel(20);
    // 120 ms of nothing at 5 s, then as before.
    let late = |number: u64| if (250..256).contains(&number) { (256 - number) * 20_000 } else { 0 };
    let (heard, statistics) = hear(&sound, |number| Some(late(number)));
    assert!(statistics.max_delay_us >= 100_000, "{statistics:?}");
    assert!(statistics.delay_us <= 35_000, "{statistics:?}");
    assert!(statistics.shortened_samples >= 700, "{statistics:?}");
    assert!(steepest(&heard) <= steepest(&sound) * 3 / 2, "{} {}", steepest(&heard), steepest(&sound));
    let end = &heard[heard.len() - 8_000..];
    assert!((goertzel::tone_dbfs(end, 8_000, 500.0) + 18.0).abs() < 1.0);
}

#[test]
fn noise_is_shortened_too() {
    let mut random = StdRng::seed_from_u64(9);
    let sound: Vec<i16> = (0..20 * 8_000).map(|_| random.random_range(-6_000..6_000)).collect();
    let late = |number: u64| if (250..256).contains(&number) { (256 - number) * 20_000 } else { 0 };
    let (heard, statistics) = hear(&sound, |number| Some(late(number)));
    println!("{statistics:?}");
    assert!(statistics.delay_us <= 60_000, "{statistics:?}");
    assert!((level::dbfs(&heard[8_000..]) - level::dbfs(&sound)).abs() < 0.5);
}
