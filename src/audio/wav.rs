//! WAV files, and sound without any header in the encodings that telephony has.

mod coding;
mod header;

pub use header::Form;

use super::codec::g711::Law;
use super::codec::gsm;
use super::resample::resample;
use coding::Coding;
use hound::{SampleFormat, WavSpec, WavWriter};
use std::io::{self, Read, Seek, Write};

/// The longest file that is read whole: an hour.
pub const MAX_SECONDS: u64 = 3_600;
/// The rate of what is read whole and written.
pub const RATE: u32 = 8_000;
/// The rates of files that are read.
pub const RATES: std::ops::RangeInclusive<u32> = 1_000..=384_000;

/// About how many octets are decoded in one go.
const PIECE: usize = 8_192;

/// How to make a file that is read of one that is not.
pub const CONVERT: &str =
    "convert it: sox FILE -b 16 -e signed-integer NEW.wav (or: ffmpeg -i FILE -c:a pcm_s16le NEW.wav)";

/// Why a WAV file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum WavError {
    /// It is of a form that is not read.
    #[error("{0}; {CONVERT}")]
    Form(#[from] Form),
    /// The medium failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It could not be written.
    #[error("{0}")]
    Write(#[from] hound::Error),
    /// Longer than [`MAX_SECONDS`].
    #[error("longer than {MAX_SECONDS} seconds")]
    TooLong,
    /// A sampling rate outside of [`RATES`].
    #[error("a sampling rate of {0} Hz; {CONVERT}")]
    Rate(u32),
}

/// Reads a WAV file piece by piece: PCM of 8 to 32 bits, floats of 32 and 64, µ-law, A-law, ADPCM of IMA and Microsoft,
/// and GSM, with any number of channels and any rate; RF64 too.
///
/// A file that ends before the sound it announces is read as far as it goes: so it is written into pipes.
#[derive(Debug)]
pub struct Reader<R> {
    reader: R,
    coding: Coding,
    channels: u16,
    rate: u32,
    block: usize,
    /// Octets of sound that are announced and not yet read.
    left: u64,
    octets: Vec<u8>,
}

impl<R: Read> Reader<R> {
    /// Reads the head.
    ///
    /// # Errors
    /// It is no WAV file, broken, or of a form that is not read.
    pub fn open(mut reader: R) -> Result<Self, WavError> {
        let head = header::read(&mut reader)??;
        let coding = Coding::of(&head)?;
        if !RATES.contains(&head.rate) {
            return Err(WavError::Rate(head.rate));
        }
        let (channels, rate, block) = (head.channels, head.rate, head.block.into());
        Ok(Self { reader, coding, channels, rate, block, left: head.announced, octets: Vec::new() })
    }

    /// G.711 without any head: mono, 8 kHz.
    pub const fn raw(reader: R, law: Law) -> Self {
        Self::headless(reader, Coding::Law(law), 1)
    }

    /// GSM without any head.
    #[must_use]
    pub fn raw_gsm(reader: R) -> Self {
        Self::headless(reader, Coding::Gsm(Box::default()), gsm::OCTETS)
    }

    const fn headless(reader: R, coding: Coding, block: usize) -> Self {
        Self { reader, coding, channels: 1, rate: RATE, block, left: u64::MAX, octets: Vec::new() }
    }

    /// Samples a second.
    pub const fn rate(&self) -> u32 {
        self.rate
    }

    /// The name of the encoding, for people.
    pub const fn encoding(&self) -> &'static str {
        self.coding.name()
    }

    /// Decodes a piece and appends it to `mono`: samples of ±1, the channels averaged. False at the end.
    ///
    /// # Errors
    /// The medium failed, or a block cannot be read.
    pub fn read(&mut self, mono: &mut Vec<f32>) -> io::Result<bool> {
        let piece = (PIECE / self.block).max(1) * self.block;
        let piece = usize::try_from(self.left).map_or(piece, |left| piece.min(left));
        self.octets.resize(piece, 0);
        let length = header::read_up_to(&mut self.reader, &mut self.octets)?;
        self.left -= length as u64;
        let mut mix = Mix { channels: self.channels, sum: 0.0, seen: 0, mono };
        for block in self.octets[..length].chunks(self.block) {
            if !self.coding.decode(block, usize::from(self.channels), &mut mix) {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a block of it cannot be read"));
            }
        }
        Ok(length > 0)
    }
}

/// Averages the channels of each moment.
struct Mix<'a> {
    channels: u16,
    sum: f32,
    seen: u16,
    mono: &'a mut Vec<f32>,
}

impl Mix<'_> {
    fn add(&mut self, sample: f32) {
        self.sum += if sample.is_finite() { sample } else { 0.0 };
        self.seen += 1;
        if self.seen == self.channels {
            self.mono.push(self.sum / f32::from(self.channels));
            (self.sum, self.seen) = (0.0, 0);
        }
    }
}

/// Reads a WAV file as mono at 8 kHz: see [`read_mono`].
///
/// # Errors
/// See [`WavError`].
pub fn read(reader: impl Read) -> Result<Vec<i16>, WavError> {
    let (mono, rate) = read_mono(reader)?;
    Ok(at_rate(&mono, rate, RATE))
}

/// Reads a whole WAV file, as [`Reader`] does, as mono samples of ±1, with their rate.
///
/// # Errors
/// See [`WavError`].
pub fn read_mono(reader: impl Read) -> Result<(Vec<f32>, u32), WavError> {
    let mut reader = Reader::open(reader)?;
    let most = MAX_SECONDS * u64::from(reader.rate());
    let mut mono = Vec::new();
    while reader.read(&mut mono)? {
        if mono.len() as u64 > most {
            return Err(WavError::TooLong);
        }
    }
    Ok((mono, reader.rate()))
}

/// Samples of ±1 at another rate, clamped.
#[must_use]
pub fn at_rate(mono: &[f32], from: u32, to: u32) -> Vec<i16> {
    resample(mono, from, to).into_iter().map(to_i16).collect()
}

/// A sample of ±1 as 16 bits.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "clamped")]
pub fn to_i16(sample: f32) -> i16 {
    (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16
}

/// Writes 8 kHz mono, 16 bits.
///
/// # Errors
/// See [`WavError`].
pub fn write(writer: impl Write + Seek, samples: &[i16]) -> Result<(), WavError> {
    write_at(writer, RATE, samples)
}

/// Writes mono of any rate, 16 bits.
///
/// # Errors
/// See [`WavError`].
pub fn write_at(writer: impl Write + Seek, rate: u32, samples: &[i16]) -> Result<(), WavError> {
    let spec = WavSpec { channels: 1, sample_rate: rate, bits_per_sample: 16, sample_format: SampleFormat::Int };
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
        assert!(matches!(read(&b"RIFF"[..]), Err(WavError::Form(Form::Unknown))));
        assert!(matches!(read(&b"this is no wav file, but it is long enough"[..]), Err(WavError::Form(Form::Unknown))));
        assert!(matches!(read(&file(1, 10, 16, SampleFormat::Int)[..]), Err(WavError::Rate(10))));
        let cut = file(1, 8_000, 16, SampleFormat::Int);
        for length in 12..44 {
            assert!(matches!(read(&cut[..length]), Err(WavError::Form(Form::NoSound))), "{length}");
        }
        let mut no_format = cut.clone();
        no_format[12..16].copy_from_slice(b"odd ");
        assert!(matches!(read(&no_format[..]), Err(WavError::Form(Form::Broken(_)))));
    }

    /// A file of these chunks, behind RIFF and WAVE, with a length that says nothing.
    fn of_chunks(chunks: &[(&[u8; 4], u32, &[u8])]) -> Vec<u8> {
        let mut bytes = b"RIFF\xFF\xFF\xFF\xFFWAVE".to_vec();
        for (name, length, body) in chunks {
            bytes.extend(*name);
            bytes.extend(length.to_le_bytes());
            bytes.extend(*body);
        }
        bytes
    }

    const MONO: [u8; 16] = [1, 0, 1, 0, 0x40, 0x1F, 0, 0, 0x80, 0x3E, 0, 0, 2, 0, 16, 0];
    const SOUND: [u8; 6] = [1, 0, 2, 0, 3, 0];

    #[test]
    fn chunks_of_odd_length_are_passed_over_padded_or_not() {
        for body in [&b"abc\0"[..], b"abc"] {
            for at in 0..2 {
                let mut chunks = vec![(b"fmt ", 16, &MONO[..]), (b"data", 6, &SOUND[..])];
                chunks.insert(at, (b"note", 3, body));
                assert_eq!(read(&of_chunks(&chunks)[..]).unwrap(), [1, 2, 3], "{body:?} at {at}");
            }
        }
        let after = of_chunks(&[(b"fmt ", 16, &MONO), (b"data", 6, &SOUND), (b"LIST", 3, b"abc\0")]);
        assert_eq!(read(&after[..]).unwrap(), [1, 2, 3]);
    }

    #[test]
    fn sound_of_unknown_length_as_pipes_have_it_ends_with_the_file() {
        for announced in [0, 7, 100, 0x7FFF_FFFF, 0x7FFF_F000, u32::MAX - 1, u32::MAX] {
            let file = of_chunks(&[(b"fmt ", 16, &MONO), (b"data", announced, &SOUND)]);
            assert_eq!(read(&file[..]).unwrap(), [1, 2, 3], "{announced:#x}");
            // Cut within a sample.
            assert_eq!(read(&file[..file.len() - 1]).unwrap(), [1, 2], "{announced:#x}");
        }
        let cut = file(2, 8_000, 24, SampleFormat::Int);
        assert_eq!(read(&cut[..cut.len() - 24_000]).unwrap().len(), 4_000);
    }

    #[test]
    fn what_is_not_read_is_named_and_told_how_to_convert() {
        let encoded = |tag: u8, bits: u8| {
            let mut format = MONO;
            (format[0], format[14]) = (tag, bits);
            of_chunks(&[(b"fmt ", 16, &format), (b"data", 6, &SOUND)])
        };
        for (bytes, name) in [
            (encoded(0x55, 0), "MP3"),
            (encoded(3, 24), "floats"),
            (encoded(0x40, 4), "G.721"),
            (encoded(99, 16), "an encoding that is not PCM"),
            (b"ID3\x04\0\0\0\0\0\0\0\0".to_vec(), "MP3"),
            (b"\xFF\xFB\x90\x64\0\0\0\0\0\0\0\0".to_vec(), "MP3"),
            (b"OggS\0\0\0\0\0\0\0\0".to_vec(), "Ogg"),
            (b"fLaC\0\0\0\0\0\0\0\0".to_vec(), "FLAC"),
            (b"FORM\0\0\0\0AIFF".to_vec(), "AIFF"),
            (b".snd\0\0\0\0\0\0\0\0".to_vec(), "AU"),
            (b"#!AMR\n\0\0\0\0\0\0".to_vec(), "AMR"),
            (b"\0\0\0\x20ftypM4A ".to_vec(), "MP4"),
            (b"RIFX\0\0\0\0WAVE".to_vec(), "RIFX"),
            (vec![0; 300], "not a WAV file"),
        ] {
            let told = read(&bytes[..]).unwrap_err().to_string();
            assert!(told.contains(name) && told.contains("sox FILE"), "{name}: {told}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_octets_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200), from in 0usize..44) {
            let mut changed = of_chunks(&[(b"fmt ", 16, &MONO), (b"data", 6, &SOUND)]);
            changed.truncate(from);
            changed.extend(&bytes);
            let _ = read(&changed[..]);
        }
    }
}
