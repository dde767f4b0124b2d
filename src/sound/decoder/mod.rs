//! Decoders of all forms, to mono samples of ±1, piece by piece.

mod codebooks;
mod ogg;
mod opus;
mod packets;
mod vorbis;

use super::form::{self, Form, Hint};
use super::source::{Meter, Metered, Octets, read_up_to};
use super::unplayable::Unplayable;
use crate::audio::codec::g711::Law;
use crate::audio::wav::{self, WavError};
use packets::Packets;
use std::io::{self, Cursor, Read};

/// What a form is decided by, octets.
const HEAD: usize = 16;
/// ID3 tags before the sound that are passed over.
const MOST_TAGS: usize = 4;

/// Decodes one sound.
pub(super) enum Decoder {
    Wav(wav::Reader<Metered>),
    /// MP3 and FLAC.
    Packets(Packets),
    Ogg(Box<ogg::Ogg>),
}

/// Why no more can be decoded.
#[derive(Debug)]
pub(super) enum Fault {
    /// The medium's.
    Io(io::Error),
    /// The sound's own.
    Broken(String),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Self::Broken(error.to_string()),
            _ => Self::Io(error),
        }
    }
}

impl Decoder {
    /// Finds out what it is, and reads its head.
    pub(super) fn open(mut octets: Octets, hint: &Hint, meter: &Meter) -> Result<Self, Unplayable> {
        let mut head = [0; HEAD];
        let mut length = read_up_to(&mut octets, &mut head).map_err(Unplayable::Io)?;
        let mut hint = hint.clone();
        for _ in 0..MOST_TAGS {
            let Some(tag) = id3(head.get(..length).unwrap_or_default()) else { break };
            // What is tagged in this way is MP3, unless it says otherwise.
            hint = hint.or_content_type("audio/mpeg");
            let rest = tag.saturating_sub(HEAD as u64);
            io::copy(&mut octets.by_ref().take(rest), &mut io::sink()).map_err(Unplayable::Io)?;
            length = read_up_to(&mut octets, &mut head).map_err(Unplayable::Io)?;
        }
        let head = head.get(..length).unwrap_or_default();
        let form = form::of(head, &hint)?;
        let source = Metered::new(Box::new(Cursor::new(head.to_vec()).chain(octets)), meter.clone());
        let broken = |form, fault| match fault {
            Fault::Io(error) => Unplayable::Io(error),
            Fault::Broken(why) => Unplayable::Broken { form, at: meter.position(), why },
        };
        let decoder = match form {
            Form::Wav => Self::Wav(wav::Reader::open(source).map_err(|error| match error {
                WavError::Io(error) => Unplayable::Io(error),
                error => Unplayable::Wav(error),
            })?),
            Form::Ulaw => Self::Wav(wav::Reader::raw(source, Law::Mu)),
            Form::Alaw => Self::Wav(wav::Reader::raw(source, Law::A)),
            Form::Gsm => Self::Wav(wav::Reader::raw_gsm(source)),
            Form::Mp3 => Self::Packets(Packets::mp3(source).map_err(|fault| broken("MP3", fault))?),
            Form::Flac => Self::Packets(Packets::flac(source).map_err(|fault| broken("FLAC", fault))?),
            Form::Ogg => Self::Ogg(Box::new(ogg::Ogg::open(source).map_err(|error| match error {
                ogg::Refused::Other(what) => Unplayable::Other(what),
                ogg::Refused::Fault(fault) => broken("Ogg", fault),
            })?)),
        };
        let rate = decoder.rate();
        if wav::RATES.contains(&rate) {
            Ok(decoder)
        } else {
            Err(Unplayable::Broken {
                form: decoder.form(),
                at: meter.position(),
                why: format!("a sampling rate of {rate} Hz"),
            })
        }
    }

    /// Its form, for people.
    pub(super) const fn form(&self) -> &'static str {
        match self {
            Self::Wav(reader) => reader.encoding(),
            Self::Packets(packets) => packets.form(),
            Self::Ogg(ogg) => ogg.form(),
        }
    }

    /// Samples a second of what was decoded last.
    pub(super) const fn rate(&self) -> u32 {
        match self {
            Self::Wav(reader) => reader.rate(),
            Self::Packets(packets) => packets.rate(),
            Self::Ogg(ogg) => ogg.rate(),
        }
    }

    /// Decodes a piece and appends it. False at the end.
    pub(super) fn read(&mut self, mono: &mut Vec<f32>) -> Result<bool, Fault> {
        match self {
            Self::Wav(reader) => Ok(reader.read(mono)?),
            Self::Packets(packets) => packets.read(mono),
            Self::Ogg(ogg) => ogg.read(mono),
        }
    }
}

/// The length of an ID3v2 tag (id3v2.4.0-structure, section 3.1) that begins here.
fn id3(head: &[u8]) -> Option<u64> {
    let [b'I', b'D', b'3', version, _, flags, size @ ..] = head.first_chunk::<10>()? else { return None };
    let is_sound = size.iter().all(|octet| octet & 0x80 == 0) && *version < 0xFF;
    let size = size.iter().fold(0, |size, octet| size << 7 | u64::from(*octet));
    is_sound.then_some(10 + size + if flags & 0x10 == 0 { 0 } else { 10 })
}
