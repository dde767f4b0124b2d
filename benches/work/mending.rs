//! What is lost of Opus, 20 ms at a time, made of what it brings along itself, or by the neural network.

use std::hint::black_box;

use partyline::audio::Rate;
use partyline::audio::codec::opus::{Encoder, Repair};
use partyline::audio::codec::{Decoder, LONGEST_PAYLOAD, Libraries};
use partyline::types::{AudioCodec, OpusSettings};

use super::Work;
use super::sound::voice;

const FRAME: usize = Rate::Full.frame();

/// Half a second of a voice, sent to somebody who loses so many of a hundred packets.
fn packets(loss: u8) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new(Rate::Full, &OpusSettings::default()).expect("it is built in");
    encoder.expect_loss(loss);
    let packet = |n: u32| {
        let frame = voice(n / 5, 8_000);
        let samples: [i16; FRAME] = std::array::from_fn(|i| frame[i / 6]);
        let mut packet = vec![0; LONGEST_PAYLOAD];
        let length = encoder.encode(&samples, &mut packet).expect("there is room");
        packet.truncate(length);
        packet
    };
    (0..25).map(packet).collect()
}

/// What was lost so many packets before the one that is there, or before none, while so much is lost of a hundred.
fn mended(name: &str, loss: u8, before: Option<usize>, repair: fn() -> Repair) -> Work {
    Work::new(format!("codec/mend/{name}"), 0, move || {
        let packets = packets(loss);
        let mut decoder = Decoder::new(AudioCodec::Opus, &Libraries::default()).expect("it is built in");
        let (mut repair, mut samples) = (repair(), [0; FRAME]);
        for packet in &packets {
            decoder.decode(packet, &mut samples);
        }
        move || {
            repair.begin();
            let next = before.map(|before| (&packets[24][..], before * FRAME));
            black_box(decoder.conceal(black_box(next), &mut samples, &mut repair));
        }
    })
}

pub fn works() -> Vec<Work> {
    vec![
        mended("guessed", 0, None, Repair::none),
        mended("guessed_deep", 0, None, Repair::default),
        mended("carried", 3, Some(1), Repair::default),
        mended("carried_and_described", 20, Some(1), Repair::default),
        mended("carried_not_asked", 20, Some(1), Repair::none),
        mended("described", 20, Some(2), Repair::default),
    ]
}
