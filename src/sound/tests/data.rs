//! Files of every form, made here; the few that only large programs can make lie beside.

use crate::audio::Rate;
use crate::audio::codec::g711::Law;
use crate::audio::codec::{adpcm, opus};
use crate::types::OpusSettings;

/// 0.5 s of 440 Hz at −6 dBFS, mono, 22,050 Hz (ffmpeg, libmp3lame).
pub(super) const MP3: &[u8] = include_bytes!("tone.mp3");
/// The same (ffmpeg, libvorbis).
pub(super) const VORBIS: &[u8] = include_bytes!("tone.ogg");
/// A quarter of a second of it (ffmpeg, flac).
pub(super) const FLAC: &[u8] = include_bytes!("tone.flac");
/// Half a second of it in two channels (ffmpeg, libopus).
pub(super) const OPUS: &[u8] = include_bytes!("tone.opus");
/// A second of speech (sox, libgsm).
pub(super) const GSM: &[u8] = include_bytes!("speech.gsm");

/// A second of 440 Hz at half of full scale.
pub(super) fn tone(rate: u32) -> Vec<i16> {
    let sample = |n: u32| 16_384.0 * (std::f64::consts::TAU * 440.0 * f64::from(n) / f64::from(rate)).sin();
    (0..rate).map(|n| sample(n) as i16).collect()
}

/// A chunk with its padding.
pub(super) fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut chunk = name.to_vec();
    chunk.extend((body.len() as u32).to_le_bytes());
    chunk.extend(body);
    chunk.extend(&[0][..body.len() % 2]);
    chunk
}

/// What the head of a WAV file says.
pub(super) struct Format {
    pub tag: u16,
    pub channels: u16,
    pub rate: u32,
    pub block: u16,
    pub bits: u16,
    pub extra: Vec<u8>,
}

impl Format {
    pub(super) fn new(tag: u16, channels: u16, rate: u32, bits: u16) -> Self {
        Self { tag, channels, rate, block: channels * bits / 8, bits, extra: Vec::new() }
    }

    pub(super) fn body(&self) -> Vec<u8> {
        let mut body = Vec::new();
        body.extend(self.tag.to_le_bytes());
        body.extend(self.channels.to_le_bytes());
        body.extend(self.rate.to_le_bytes());
        body.extend((self.rate * u32::from(self.block)).to_le_bytes());
        body.extend(self.block.to_le_bytes());
        body.extend(self.bits.to_le_bytes());
        if !self.extra.is_empty() {
            body.extend((self.extra.len() as u16).to_le_bytes());
            body.extend(&self.extra);
        }
        body
    }

    pub(super) fn file(&self, data: &[u8]) -> Vec<u8> {
        let chunks = [chunk(b"fmt ", &self.body()), chunk(b"data", data)].concat();
        [b"RIFF", &(chunks.len() as u32 + 4).to_le_bytes()[..], b"WAVE", &chunks].concat()
    }
}

/// The tone in every channel, each sample as `encode` has it.
pub(super) fn interleaved(channels: u16, rate: u32, encode: impl Fn(i16) -> Vec<u8>) -> Vec<u8> {
    let all = tone(rate);
    all.into_iter().flat_map(|sample| encode(sample).repeat(channels.into())).collect()
}

/// G.711 of samples.
pub(super) fn law(law: Law, samples: &[i16]) -> Vec<u8> {
    let mut octets = vec![0; samples.len()];
    law.encode(samples, &mut octets);
    octets
}

/// The code of `codes` that decodes to what is nearest to `wanted`; `decode` decodes a block of the codes so far.
fn nearest(wanted: i16, decode: impl Fn(u8) -> i16) -> u8 {
    (0..16).min_by_key(|code| (i32::from(decode(*code)) - i32::from(wanted)).abs()).unwrap()
}

/// IMA ADPCM, mono, in blocks of 36 octets: 65 samples.
pub(super) fn ima(samples: &[i16]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut index = 0;
    for samples in samples.chunks_exact(65) {
        let [low, high] = samples[0].to_le_bytes();
        let mut block = vec![low, high, index, 0];
        let mut codes = Vec::new();
        for (n, wanted) in samples.iter().enumerate().skip(1) {
            codes.push(nearest(*wanted, |code| {
                let mut codes: Vec<u8> = codes.clone();
                codes.push(code);
                codes.resize(64, 0);
                let octets = codes.chunks(2).map(|two| two[0] | two[1] << 4);
                let mut decoded = Vec::new();
                adpcm::decode_ima(&block.iter().copied().chain(octets).collect::<Vec<_>>(), 1, |s| decoded.push(s));
                decoded[n]
            }));
        }
        block.extend(codes.chunks(2).map(|two| two[0] | two[1] << 4));
        // The step goes on about as it was.
        index = 40;
        out.extend(block);
    }
    out
}

/// Microsoft's ADPCM, mono, in blocks of 39 octets: 66 samples.
pub(super) fn ms(samples: &[i16]) -> Vec<u8> {
    let mut out = Vec::new();
    for samples in samples.chunks_exact(66) {
        let mut block = vec![0];
        for word in [300, samples[1], samples[0]] {
            block.extend(word.to_le_bytes());
        }
        let mut codes = Vec::new();
        for (n, wanted) in samples.iter().enumerate().skip(2) {
            codes.push(nearest(*wanted, |code| {
                let mut codes: Vec<u8> = codes.clone();
                codes.push(code);
                codes.resize(64, 0);
                let octets = codes.chunks(2).map(|two| two[0] << 4 | two[1]);
                let mut decoded = Vec::new();
                let octets: Vec<u8> = block.iter().copied().chain(octets).collect();
                adpcm::decode_ms(&octets, 1, &adpcm::MS_PREDICTORS, |s| decoded.push(s));
                decoded[n]
            }));
        }
        block.extend(codes.chunks(2).map(|two| two[0] << 4 | two[1]));
        out.extend(block);
    }
    out
}

/// The GSM file's frames in pairs, as WAV has them: the same bits, each parameter's lowest first.
pub(super) fn gsm_pairs() -> Vec<u8> {
    let widths: Vec<usize> = {
        let sub_frame = [vec![7, 2, 2, 6], vec![3; 13]].concat();
        [vec![6, 6, 5, 5, 4, 4, 3, 3], sub_frame.repeat(4)].concat()
    };
    let mut out = Vec::new();
    for pair in GSM.chunks_exact(66) {
        let mut bits = Vec::new();
        for frame in pair.chunks_exact(33) {
            let all: Vec<u8> = frame.iter().flat_map(|octet| (0..8).rev().map(move |n| octet >> n & 1)).collect();
            let mut rest = &all[4..];
            for width in &widths {
                let (parameter, others) = rest.split_at(*width);
                bits.extend(parameter.iter().rev());
                rest = others;
            }
        }
        out.extend(bits.chunks(8).map(|bits| bits.iter().rev().fold(0u8, |octet, bit| octet << 1 | bit)));
    }
    out
}

/// Ogg pages, one packet each, of one stream.
pub(super) fn ogg(packets: &[(Vec<u8>, u64)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, (packet, position)) in packets.iter().enumerate() {
        let flags = match number {
            0 => 2,
            n if n + 1 == packets.len() => 4,
            _ => 0,
        };
        let mut page = b"OggS\0".to_vec();
        page.push(flags);
        page.extend(position.to_le_bytes());
        page.extend(7u32.to_le_bytes());
        page.extend((number as u32).to_le_bytes());
        page.extend([0; 4]);
        page.push((packet.len() / 255 + 1) as u8);
        page.extend(vec![255; packet.len() / 255]);
        page.push((packet.len() % 255) as u8);
        page.extend(packet);
        let mut crc = 0u32;
        for octet in &page {
            crc ^= u32::from(*octet) << 24;
            for _ in 0..8 {
                crc = crc << 1 ^ if crc >> 31 == 1 { 0x04C1_1DB7 } else { 0 };
            }
        }
        page[22..26].copy_from_slice(&crc.to_le_bytes());
        out.extend(page);
    }
    out
}

/// A second of the tone as Ogg Opus.
pub(super) fn ogg_opus() -> Vec<u8> {
    let settings = OpusSettings { bitrate: 32_000, ..OpusSettings::default() };
    let mut encoder = opus::Encoder::new(Rate::Full, &settings).unwrap();
    let head = [&b"OpusHead\x01\x01"[..], &312u16.to_le_bytes(), &48_000u32.to_le_bytes(), &[0, 0, 0]].concat();
    let mut packets = vec![(head, 0), (b"OpusTags\0\0\0\0\0\0\0\0".to_vec(), 0)];
    let mut sound = tone(48_000);
    sound.resize(48_960, 0);
    for (number, samples) in sound.chunks_exact(960).enumerate() {
        let mut packet = vec![0; 1_276];
        let length = encoder.encode(samples, &mut packet).unwrap();
        packet.truncate(length);
        packets.push((packet, ((number as u64 + 1) * 960).min(48_312)));
    }
    ogg(&packets)
}

/// FLAC of 16 bits, mono, every frame as it is (RFC 9639).
pub(super) fn flac(samples: &[i16], rate: u32) -> Vec<u8> {
    let mut file = b"fLaC".to_vec();
    // Tags first, which nobody reads.
    file.extend([0x04, 0, 0, 3, 1, 2, 3]);
    file.extend([0x80, 0, 0, 34]);
    file.extend(1_152u16.to_be_bytes());
    file.extend(1_152u16.to_be_bytes());
    file.extend([0; 6]);
    let word = u64::from(rate) << 44 | 15 << 36 | samples.len() as u64;
    file.extend(word.to_be_bytes());
    file.extend([0; 16]);
    for (number, block) in samples.chunks_exact(1_152).enumerate() {
        file.extend(flac_frame(number as u8, 1_152, &verbatim(block)));
    }
    file
}

fn verbatim(block: &[i16]) -> Vec<u8> {
    let samples = block.iter().flat_map(|sample| sample.to_be_bytes());
    std::iter::once(2).chain(samples).collect()
}

/// A frame of FLAC, mono, 16 bits; numbers up to 127.
pub(super) fn flac_frame(number: u8, samples: u16, sub_frame: &[u8]) -> Vec<u8> {
    let crc = |width: u32, polynomial: u32, octets: &[u8]| {
        octets.iter().fold(0u32, |crc, octet| {
            (0..8).fold(crc ^ u32::from(*octet) << (width - 8), |crc, _| {
                (crc << 1 ^ if crc >> (width - 1) & 1 == 1 { polynomial } else { 0 }) & ((1 << width) - 1)
            })
        })
    };
    let mut frame = vec![0xFF, 0xF8, 0x70, 0x08, number & 0x7F];
    frame.extend((samples - 1).to_be_bytes());
    frame.push(crc(8, 7, &frame) as u8);
    frame.extend(sub_frame);
    let check = crc(16, 0x8005, &frame) as u16;
    frame.extend(check.to_be_bytes());
    frame
}
