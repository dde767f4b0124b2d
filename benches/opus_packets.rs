//! Writes Opus packets of 20 ms for the load generator, each after its length in two octets: `opus_packets speech FILE`
//! says the English prompts one after the other for a minute, `opus_packets pause FILE` is the faint noise of somebody
//! who listens.

use partyline::audio::codec::{Encoder, Libraries};
use partyline::audio::comfort_noise::ComfortNoise;
use partyline::audio::{Rate, resample, wav};
use partyline::types::{AudioCodec, OpusSettings};
use std::error::Error;
use std::io::Write;

const SECONDS: usize = 60;

fn speech() -> Result<Vec<i16>, Box<dyn Error>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/prompts/en-GB");
    let mut files: Vec<_> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "wav"));
    files.sort();
    let mut narrow = Vec::new();
    for path in files {
        narrow.extend(wav::read(std::fs::File::open(path)?)?);
    }
    let narrow: Vec<f32> = narrow.iter().cycle().take(SECONDS * 8_000).map(|&sample| f32::from(sample)).collect();
    Ok(resample::resample(&narrow, 8_000, Rate::Full.hertz()).into_iter().map(|sample| sample as i16).collect())
}

fn pause() -> Vec<i16> {
    let mut samples = vec![0; SECONDS * Rate::Full.hertz() as usize];
    ComfortNoise::new(1, -68.0).fill(&mut samples);
    samples
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let (samples, path) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["speech", path] => (speech()?, path),
        ["pause", path] => (pause(), path),
        // As any bench, it may be run without a word.
        [] => return Ok(()),
        _ => return Err("opus_packets speech FILE, or opus_packets pause FILE".into()),
    };
    let mut encoder =
        Encoder::new(AudioCodec::Opus, &OpusSettings::default(), &Libraries::default()).ok_or("no encoder")?;
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    let mut packet = [0; 1_276];
    for frame in samples.chunks_exact(Rate::Full.frame()) {
        let length = encoder.encode(frame, &mut packet);
        file.write_all(&u16::try_from(length)?.to_be_bytes())?;
        file.write_all(&packet[..length])?;
    }
    Ok(file.flush()?)
}
