//! One frame (160 samples): codecs, mixing, level.

use std::hint::black_box;

use partyline::audio::automatic_gain::AutomaticGain;
use partyline::audio::codec::{Decoder, Encoder, LONGEST_PAYLOAD, Libraries, comfort_noise, g711, g729};
use partyline::audio::limiter::SumLimiter;
use partyline::audio::noise_suppression::NoiseSuppression;
use partyline::audio::{FRAME_8K, Frame, Rate, level, mix};
use partyline::types::{AudioCodec, OpusSettings, SampleRate};

use super::{Numbers, Work};

/// Something like a voice: a tone of its own for each `n`, and a little noise, peaking at `peak`.
pub fn voice(n: u32, peak: i16) -> Frame {
    let mut numbers = Numbers(n.wrapping_mul(2_654_435_761) | 1);
    let period = 16 + (n % 64) as i32;
    let peak = i32::from(peak);
    std::array::from_fn(|i| {
        let at = i as i32 % period;
        let triangle = (4 * peak * at / period - 2 * peak).abs() - peak;
        let noise = numbers.below(1 + peak as u32 / 8) as i32;
        (triangle * 7 / 8 + noise) as i16
    })
}

pub fn works() -> Vec<Work> {
    let mut works = vec![
        decoded("ulaw", g711::decode_ulaw),
        decoded("alaw", g711::decode_alaw),
        encoded("ulaw", g711::encode_ulaw),
        encoded("alaw", g711::encode_alaw),
        summed("add", mix::add),
        summed("subtract", mix::subtract),
        Work::new("mix/clamp", 50, || {
            let (sum, mut out) = (sum_of(50), [0; FRAME_8K]);
            move || {
                mix::clamp(black_box(&sum), &mut out);
                black_box(&out);
            }
        }),
        mixed("mix/minus", mix::minus),
        mixed("mix/minus_plus", |mixed, own, out| mix::minus_plus(mixed, own, own, out)),
        mixed("mix/minus_limited", |mixed, own, out| mix::minus_limited(mixed, own, own, out)),
        mixed("mix/add_clamped", |_, own, out| mix::add_clamped(out, own)),
        limited("limiter/rests", 2),
        limited("limiter/acts", 40),
        processed("processing/automatic_gain", || {
            let mut gain = AutomaticGain::default();
            move |frame: &mut Frame| gain.apply(frame, true)
        }),
        processed("processing/noise_suppression", || {
            let mut suppression = NoiseSuppression::new(Rate::Narrow);
            move |frame: &mut Frame| suppression.apply(frame)
        }),
        mixed("level/energy", |_, own, _| {
            black_box(level::energy(own));
        }),
        noise_described(),
        noise_made(),
        stateful("encode/g722", AudioCodec::G722, false),
        stateful("decode/g722", AudioCodec::G722, true),
        stateful("encode/opus", AudioCodec::Opus, false),
        stateful("decode/opus", AudioCodec::Opus, true),
    ];
    // The library is one that need not be there.
    if g729::Library::load(g729::LIBRARY).is_ok() {
        works.extend([g729_encoded(), g729_decoded()]);
    }
    works
}

/// 20 ms of a voice that is processed.
fn processed<P: FnMut(&mut Frame) + 'static>(name: &str, process: impl Fn() -> P + 'static) -> Work {
    Work::new(name, 500, move || {
        let (voice, mut process) = (voice(1, 8_000), process());
        move || {
            let mut frame = black_box(voice);
            process(&mut frame);
            black_box(&frame);
        }
    })
}

/// 20 ms of what so many say at once.
fn limited(name: &str, voices: u32) -> Work {
    Work::new(name, 200, move || {
        let (sum, mut out) = (sum_of(voices), [0; FRAME_8K]);
        let mut limiter = SumLimiter::new(Rate::Narrow);
        move || {
            limiter.mix(black_box(&sum), &mut out);
            black_box(&out);
        }
    })
}

/// 20 ms of a codec with state, at its own rate and by its default settings.
fn stateful(name: &str, codec: AudioCodec, decode: bool) -> Work {
    Work::new(format!("codec/{name}"), 0, move || {
        let length = codec.sample_rate().frame_len();
        let samples: Vec<i16> = (1..).flat_map(|n| voice(n, 8_000)).take(length).collect();
        let mut encoder = Encoder::new(codec, &OpusSettings::default(), &Libraries::default()).expect("it is built in");
        let mut decoder = Decoder::new(codec, &Libraries::default()).expect("it is built in");
        let mut payload = [0; LONGEST_PAYLOAD];
        let octets = encoder.encode(&samples, &mut payload);
        let mut out = vec![0; length];
        move || {
            if decode {
                black_box(decoder.decode(black_box(&payload[..octets]), &mut out));
            } else {
                black_box(encoder.encode(black_box(&samples), &mut payload));
            }
        }
    })
}

fn noise_described() -> Work {
    Work::new("codec/encode/comfort_noise", 0, || {
        let samples = voice(1, 100);
        let mut encoder = comfort_noise::Encoder::new(SampleRate::HZ_8000);
        let mut payload = [0; comfort_noise::LONGEST_PAYLOAD];
        move || {
            black_box(encoder.encode(black_box(&samples), &mut payload));
        }
    })
}

fn noise_made() -> Work {
    Work::new("codec/decode/comfort_noise", 0, || {
        let mut decoder = comfort_noise::Decoder::new(SampleRate::HZ_8000, 1);
        let _ = decoder.update(&[50, 20, 130, 120, 127, 127, 127, 127, 127, 127, 127]);
        let mut out = [0; FRAME_8K];
        move || {
            decoder.fill(black_box(&mut out));
        }
    })
}

fn g729_encoded() -> Work {
    Work::new("codec/encode/g729", 0, || {
        let library = g729::Library::load(g729::LIBRARY).expect("it was there");
        let mut encoder = g729::Encoder::new(&library).expect("memory");
        let samples = voice(1, 8_000);
        let mut payload = [0; 20];
        move || {
            black_box(encoder.encode(black_box(&samples), &mut payload));
        }
    })
}

fn g729_decoded() -> Work {
    Work::new("codec/decode/g729", 0, || {
        let library = g729::Library::load(g729::LIBRARY).expect("it was there");
        let mut payload = [0; 20];
        g729::Encoder::new(&library).expect("memory").encode(&voice(1, 8_000), &mut payload);
        let mut decoder = g729::Decoder::new(&library).expect("memory");
        let mut out = [0; FRAME_8K];
        move || {
            black_box(decoder.decode(black_box(&payload), &mut out).ok());
        }
    })
}

fn decoded(law: &str, decode: fn(&[u8], &mut [i16]) -> usize) -> Work {
    Work::new(format!("codec/decode/{law}"), 50, move || {
        let mut payload = [0; FRAME_8K];
        g711::encode_ulaw(&voice(1, 8_000), &mut payload);
        let mut out = [0; FRAME_8K];
        move || {
            decode(black_box(&payload), &mut out);
            black_box(&out);
        }
    })
}

fn encoded(law: &str, encode: fn(&[i16], &mut [u8]) -> usize) -> Work {
    Work::new(format!("codec/encode/{law}"), 50, move || {
        let samples = voice(1, 8_000);
        let mut out = [0; FRAME_8K];
        move || {
            encode(black_box(&samples), &mut out);
            black_box(&out);
        }
    })
}

fn summed(name: &str, change: fn(&mut [i32], &[i16])) -> Work {
    Work::new(format!("mix/{name}"), 50, move || {
        let samples = voice(1, 8_000);
        move || {
            let mut sum = [0i32; FRAME_8K];
            change(black_box(&mut sum), black_box(&samples));
            black_box(&sum);
        }
    })
}

/// From the sum of fifty voices and the share of one of them, something for a listener.
fn mixed(name: &'static str, step: fn(&[i16], &[i16], &mut [i16])) -> Work {
    Work::new(name, 50, move || {
        let (mut mix, mut out) = ([0; FRAME_8K], [0; FRAME_8K]);
        mix::clamp(&sum_of(50), &mut mix);
        let own = voice(7, 8_000);
        move || {
            step(black_box(&mix), black_box(&own), &mut out);
            black_box(&out);
        }
    })
}

/// What so many say at once.
fn sum_of(voices: u32) -> [i32; FRAME_8K] {
    let mut sum = [0; FRAME_8K];
    (0..voices).for_each(|n| mix::add(&mut sum, &voice(n, 8_000)));
    sum
}
