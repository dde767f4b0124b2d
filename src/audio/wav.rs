//! WAV files.

use super::resample::resample;
use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use std::io::{Read, Seek, Write};

/// The longest file that is read: an hour.
pub const MAX_SECONDS: u64 = 3_600;
/// The rate of what is read and written.
pub const RATE: u32 = 8_000;

/// Why a WAV file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum WavError {
    /// The file is broken, of a format we cannot read, or the medium failed.
    #[error("{0}")]
    Wav(#[from] hound::Error),
    /// Longer than [`MAX_SECONDS`].
    #[error("longer than {MAX_SECONDS} seconds")]
    TooLong,
    /// A sampling rate below 1 kHz or above 384 kHz.
    #[error("a sampling rate of {0} Hz")]
    Rate(u32),
}

/// Reads a WAV file of any common format (8 to 32 bits integer, 32 bits float, any number of channels, any rate) as mono
/// at 8 kHz. Channels are averaged.
///
/// # Errors
/// See [`WavError`].
pub fn read(reader: impl Read) -> Result<Vec<i16>, WavError> {
    let mut reader = WavReader::new(reader)?;
    let spec = reader.spec();
    if !(1_000..=384_000).contains(&spec.sample_rate) {
        return Err(WavError::Rate(spec.sample_rate));
    }
    let most = MAX_SECONDS * u64::from(spec.sample_rate);
    if u64::from(reader.duration()) > most {
        return Err(WavError::TooLong);
    }
    let mono = match spec.sample_format {
        SampleFormat::Float => mix_down(reader.samples::<f32>(), spec.channels, 1.0)?,
        SampleFormat::Int => {
            let full_scale = 2f32.powi(i32::from(spec.bits_per_sample.clamp(1, 32)) - 1);
            #[expect(clippy::cast_precision_loss, reason = "24 bits of 32 are plenty")]
            let samples = reader.samples::<i32>().map(|sample| sample.map(|sample| sample as f32));
            mix_down(samples, spec.channels, full_scale.recip())?
        }
    };
    Ok(resample(&mono, spec.sample_rate, RATE).into_iter().map(to_i16).collect())
}

/// Averages the channels of each moment.
fn mix_down(
    samples: impl Iterator<Item = hound::Result<f32>>,
    channels: u16,
    gain: f32,
) -> Result<Vec<f32>, hound::Error> {
    let channels = channels.max(1);
    let gain = gain / f32::from(channels);
    let mut mono = Vec::new();
    let (mut sum, mut seen) = (0.0, 0);
    for sample in samples {
        let sample = sample?;
        sum += if sample.is_finite() { sample } else { 0.0 };
        seen += 1;
        if seen == channels {
            mono.push(sum * gain);
            (sum, seen) = (0.0, 0);
        }
    }
    Ok(mono)
}

#[expect(clippy::cast_possible_truncation, reason = "clamped")]
fn to_i16(sample: f32) -> i16 {
    (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16
}

/// Writes 8 kHz mono, 16 bits.
///
/// # Errors
/// See [`WavError`].
pub fn write(writer: impl Write + Seek, samples: &[i16]) -> Result<(), WavError> {
    let spec = WavSpec { channels: 1, sample_rate: RATE, bits_per_sample: 16, sample_format: SampleFormat::Int };
    let mut writer = WavWriter::new(writer, spec)?;
    for &sample in samples {
        writer.write_sample(sample)?;
    }
    Ok(writer.finalize()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{goertzel, level};
    use std::io::Cursor;

    /// A second of 440 Hz at half of full scale, in every channel.
    fn file(channels: u16, sample_rate: u32, bits_per_sample: u16, sample_format: SampleFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let spec = WavSpec { channels, sample_rate, bits_per_sample, sample_format };
        let mut writer = WavWriter::new(&mut bytes, spec).unwrap();
        for i in 0..sample_rate {
            let value = 0.5 * (std::f64::consts::TAU * 440.0 * f64::from(i) / f64::from(sample_rate)).sin();
            for _ in 0..channels {
                match sample_format {
                    SampleFormat::Float => writer.write_sample(value as f32).unwrap(),
                    SampleFormat::Int => {
                        let full = 2f64.powi(i32::from(bits_per_sample) - 1);
                        writer.write_sample((value * full) as i32).unwrap();
                    }
                }
            }
        }
        writer.finalize().unwrap();
        bytes.into_inner()
    }

    #[test]
    fn every_common_format_becomes_telephone_sound() {
        for (channels, rate, bits, format) in [
            (1, 8_000, 16, SampleFormat::Int),
            (2, 44_100, 16, SampleFormat::Int),
            (1, 22_050, 8, SampleFormat::Int),
            (2, 48_000, 24, SampleFormat::Int),
            (6, 16_000, 32, SampleFormat::Int),
            (1, 48_000, 32, SampleFormat::Float),
        ] {
            let samples = read(&file(channels, rate, bits, format)[..]).unwrap();
            assert_eq!(samples.len(), 8_000);
            assert!((level::dbfs(&samples) + 6.0).abs() < 0.2, "{channels} {rate} {bits}: {}", level::dbfs(&samples));
            assert!((goertzel::tone_dbfs(&samples, 8_000, 440.0) + 6.0).abs() < 0.2);
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let samples = [0, 1, -1, i16::MAX, i16::MIN, 1_234];
        let mut bytes = Cursor::new(Vec::new());
        write(&mut bytes, &samples).unwrap();
        assert_eq!(read(&bytes.into_inner()[..]).unwrap(), samples);
    }

    #[test]
    fn broken_files_are_errors() {
        assert!(matches!(read(&b"RIFF"[..]), Err(WavError::Wav(_))));
        assert!(matches!(read(&b"this is no wav file, but it is long enough"[..]), Err(WavError::Wav(_))));
        assert!(matches!(read(&file(1, 10, 16, SampleFormat::Int)[..]), Err(WavError::Rate(10))));
        let cut = file(1, 8_000, 16, SampleFormat::Int);
        assert!(read(&cut[..3_001]).is_err());
    }
}
