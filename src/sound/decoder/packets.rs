//! MP3 and FLAC, by symphonia.

use super::Fault;
use crate::sound::source::{Metered, read_up_to};
use std::io::{self, Cursor, Read};
use symphonia_bundle_flac::{FlacDecoder, FlacReader};
use symphonia_bundle_mp3::{MpaDecoder, MpaReader};
use symphonia_core::audio::{AudioBuffer, AudioBufferRef, Signal};
use symphonia_core::codecs::{CodecParameters, Decoder, DecoderOptions};
use symphonia_core::conv::IntoSample;
use symphonia_core::errors::{Error, Result};
use symphonia_core::formats::{FormatOptions, FormatReader};
use symphonia_core::io::{MediaSourceStream, ReadOnlySource};
use symphonia_core::sample::Sample;

/// Frames one after the other that cannot be decoded before the rest is given up.
const MOST_BAD: u32 = 100;
/// The body of FLAC's STREAMINFO.
const STREAM_INFO: usize = 34;
/// FLAC's metadata blocks that are passed over.
const MOST_BLOCKS: usize = 1_000;

/// A demultiplexer with its decoder.
pub(in crate::sound) struct Packets {
    form: &'static str,
    reader: Box<dyn FormatReader>,
    decoder: Box<dyn Decoder>,
    rate: u32,
    bad: u32,
}

/// What a library says.
pub(super) fn fault(error: Error) -> Fault {
    match error {
        Error::IoError(error) => error.into(),
        error => Fault::Broken(error.to_string()),
    }
}

impl Packets {
    /// MP3. Tags before it are gone already.
    pub(super) fn mp3(source: Metered) -> std::result::Result<Self, Fault> {
        let options = FormatOptions { enable_gapless: true, ..FormatOptions::default() };
        let reader = MpaReader::try_new(stream(source), &options).map_err(|error| match error {
            Error::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Fault::Broken("no frame of MP3 is in it".into())
            }
            error => fault(error),
        })?;
        Self::new("MP3", Box::new(reader), |parameters, options| {
            Ok(Box::new(MpaDecoder::try_new(parameters, options)?))
        })
    }

    /// FLAC. What stands before the sound is left out, but for what decoding needs: tags and pictures may say that they
    /// are longer than the memory of this machine.
    pub(super) fn flac(mut source: Metered) -> std::result::Result<Self, Fault> {
        let mut head = b"fLaC\x80\0\0\x22".to_vec();
        let info = stream_info(&mut source)?;
        if u32::from_be_bytes([0, info[10], info[11], info[12]]) >> 4 == 0 {
            return Err(Fault::Broken("a sampling rate of 0 Hz".into()));
        }
        head.extend(info);
        let reader = FlacReader::try_new(stream(Cursor::new(head).chain(source)), &FormatOptions::default());
        let reader = reader.map_err(|error| match error {
            Error::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Fault::Broken("no frame of FLAC is in it".into())
            }
            error => fault(error),
        })?;
        Self::new("FLAC", Box::new(reader), |parameters, options| {
            Ok(Box::new(FlacDecoder::try_new(parameters, options)?))
        })
    }

    fn new(
        form: &'static str,
        reader: Box<dyn FormatReader>,
        decoder: impl FnOnce(&CodecParameters, &DecoderOptions) -> Result<Box<dyn Decoder>>,
    ) -> std::result::Result<Self, Fault> {
        let track = reader.tracks().first().ok_or_else(|| Fault::Broken("it has no track".into()))?;
        let rate = track.codec_params.sample_rate.unwrap_or(0);
        let decoder = decoder(&track.codec_params, &DecoderOptions::default()).map_err(fault)?;
        Ok(Self { form, reader, decoder, rate, bad: 0 })
    }

    pub(super) const fn form(&self) -> &'static str {
        self.form
    }

    pub(super) const fn rate(&self) -> u32 {
        self.rate
    }

    /// Decodes the next frame; one that is broken is passed over.
    pub(super) fn read(&mut self, mono: &mut Vec<f32>) -> std::result::Result<bool, Fault> {
        let decoded = match self.reader.next_packet() {
            Ok(packet) => self.decoder.decode(&packet),
            Err(error) => Err(error),
        };
        match decoded {
            Ok(buffer) => {
                self.bad = 0;
                mix(&buffer, mono);
                Ok(true)
            }
            Err(Error::IoError(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(Error::ResetRequired) => Ok(false),
            Err(error @ Error::IoError(_)) => Err(fault(error)),
            Err(error) => {
                self.bad += 1;
                if self.bad < MOST_BAD { Ok(true) } else { Err(fault(error)) }
            }
        }
    }
}

fn stream(source: impl Read + Send + Sync + 'static) -> MediaSourceStream {
    MediaSourceStream::new(Box::new(ReadOnlySource::new(source)), Default::default())
}

/// Reads FLAC's metadata (RFC 9639 section 8) up to the first frame.
fn stream_info(source: &mut Metered) -> std::result::Result<[u8; STREAM_INFO], Fault> {
    let short = || Fault::Broken("it ends before any sound begins".into());
    let mut marker = [0; 4];
    read_up_to(source, &mut marker)?;
    let mut info = None;
    for _ in 0..MOST_BLOCKS {
        let mut block = [0; 4];
        if read_up_to(source, &mut block)? < block.len() {
            return Err(short());
        }
        let [kind, a, b, c] = block;
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        if kind & 0x7F == 0 && length == STREAM_INFO && info.is_none() {
            let mut body = [0; STREAM_INFO];
            if read_up_to(source, &mut body)? < body.len() {
                return Err(short());
            }
            info = Some(body);
        } else {
            source.skip(length as u64)?;
        }
        if kind & 0x80 != 0 {
            return info.ok_or_else(|| Fault::Broken("what it says of its sound (STREAMINFO) is missing".into()));
        }
    }
    Err(Fault::Broken("its metadata has no end".into()))
}

/// Appends a buffer, its channels averaged.
pub(super) fn mix(buffer: &AudioBufferRef<'_>, mono: &mut Vec<f32>) {
    match buffer {
        AudioBufferRef::F32(buffer) => mix_of(buffer, mono),
        AudioBufferRef::S32(buffer) => mix_of(buffer, mono),
        AudioBufferRef::S16(buffer) => mix_of(buffer, mono),
        _ => {}
    }
}

fn mix_of<S: Sample + IntoSample<f32>>(buffer: &AudioBuffer<S>, mono: &mut Vec<f32>) {
    let begin = mono.len();
    mono.resize(begin + buffer.frames(), 0.0);
    let channels = buffer.spec().channels.count();
    #[expect(clippy::cast_precision_loss, reason = "a few channels")]
    let gain = (channels.max(1) as f32).recip();
    for channel in 0..channels {
        for (sum, sample) in mono[begin..].iter_mut().zip(buffer.chan(channel)) {
            let sample: f32 = (*sample).into_sample();
            *sum += if sample.is_finite() { sample * gain } else { 0.0 };
        }
    }
}
