//! Speaks for the gateway: reads lines `VOICE TAB TEXT` and answers each with `sound RATE SAMPLES` and that many
//! samples (mono, 16 bits, little-endian), or with `error WHY`. Ends with its input.
//!
//! `partyline-voice FOLDER`: the folder holds the model (`.onnx`), `voices-v1.0.bin` and `libonnxruntime.so`.

use std::error::Error;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tts_rs::SynthesisEngine;
use tts_rs::engines::kokoro::{KokoroEngine, KokoroInferenceParams, KokoroModelParams};

/// A telephone needs it slower than a desk. `PARTYLINE_VOICE_SPEED` says otherwise.
const SPEED: f32 = 0.86;
/// What the model was made for.
const SPEEDS: std::ops::RangeInclusive<f32> = 0.5..=2.0;

fn main() -> ExitCode {
    match std::env::args_os().nth(1).map(PathBuf::from).ok_or("usage: partyline-voice FOLDER".into()).and_then(serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("partyline-voice: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(folder: PathBuf) -> Result<(), Box<dyn Error>> {
    ort::init_from(folder.join("libonnxruntime.so"))?.commit();
    let speed = match std::env::var("PARTYLINE_VOICE_SPEED") {
        Ok(speed) => speed_of(&speed)?,
        Err(_) => SPEED,
    };
    let mut engine = load(&folder)?;
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let spoken = line.split_once('\t').ok_or("a line is VOICE TAB TEXT".into()).and_then(|(voice, text)| {
            let params = KokoroInferenceParams { voice: voice.to_owned(), speed, style_index: None };
            engine.synthesize(text, Some(params))
        });
        match spoken {
            Ok(sound) => {
                let to_i16 = |sample: &f32| (sample.clamp(-1.0, 1.0) * 32_767.0) as i16;
                let octets: Vec<u8> = sound.samples.iter().flat_map(|sample| to_i16(sample).to_le_bytes()).collect();
                writeln!(out, "sound {} {}", sound.sample_rate, sound.samples.len())?;
                out.write_all(&octets)?;
            }
            Err(error) => writeln!(out, "error {}", error.to_string().replace(['\n', '\r'], " "))?,
        }
        out.flush()?;
    }
    Ok(())
}

fn speed_of(text: &str) -> Result<f32, String> {
    let speed = text.parse().ok().filter(|speed| SPEEDS.contains(speed));
    speed.ok_or_else(|| format!("PARTYLINE_VOICE_SPEED = {text:?} is no number from 0.5 to 2"))
}

/// One thread: the gateway's calls go first. The optimised graph is not kept on the disk: that would save 0.3 s of the
/// 0.6 s that reading the model takes, but be 92 MB more, and of one kind of CPU.
fn load(folder: &Path) -> Result<KokoroEngine, Box<dyn Error>> {
    let mut engine = KokoroEngine::new();
    let params = KokoroModelParams { num_threads: Some(1), optimized_model_cache_path: None };
    engine.load_model_with_params(folder, params)?;
    Ok(engine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_a_number_that_can_be_spoken_at() {
        assert_eq!(speed_of("0.8"), Ok(0.8));
        for bad in ["0", "NaN", "inf", "-1", "fast", ""] {
            assert!(speed_of(bad).is_err(), "{bad}");
        }
    }
}
