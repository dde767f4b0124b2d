//! The head of a WAV file as programs really write it, made into one that is correct.

use std::io::{self, Cursor, Read};

/// Octets of a `fmt ` chunk that are read; the longest in use has 40.
const MAX_FORMAT: u32 = 1_024;
/// Chunks before the sound that are passed over.
const MAX_CHUNKS: usize = 1_000;

/// What a file is that is no WAV file we read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Form {
    /// Nothing is known of it.
    #[error("this is not a WAV file")]
    Unknown,
    /// It ends before any sound begins.
    #[error("the WAV file has no sound in it")]
    NoSound,
    /// The sound comes before what explains it, or the explanation is broken.
    #[error("the WAV file's header is broken")]
    Broken,
    /// Another kind of file.
    #[error("this is {0}, not a WAV file")]
    Other(&'static str),
    /// WAV, with sound in a form that is not read.
    #[error("the WAV file holds {0}")]
    Encoding(&'static str),
}

/// Reads up to where the sound begins. Returns a correct header, for as much sound as is announced (for as much as comes,
/// where that cannot be known), and what follows it.
///
/// Chunks of odd length are padded; but not by every program. Programs that write into a pipe announce 0 octets, or so
/// many that the file is shorter.
pub(super) fn repaired<R: Read>(mut reader: R) -> io::Result<Result<impl Read, Form>> {
    let mut head = [0; 12];
    let length = read_up_to(&mut reader, &mut head)?;
    if let Some(form) = other_form(head.get(..length).unwrap_or_default()) {
        return Ok(Err(form));
    }
    let mut format: Option<Vec<u8>> = None;
    let mut first = None;
    for _ in 0..MAX_CHUNKS {
        let mut chunk = [0; 8];
        let begun = usize::from(first.is_some());
        if let Some(first) = first.take() {
            chunk[0] = first;
        }
        if read_up_to(&mut reader, &mut chunk[begun..])? < 8 - begun {
            return Ok(Err(Form::NoSound));
        }
        let [name @ .., a, b, c, d] = chunk;
        let length = u32::from_le_bytes([a, b, c, d]);
        match &name {
            b"data" => {
                let Some(format) = format else { return Ok(Err(Form::Broken)) };
                return Ok(header(&format, length).map(|header| Cursor::new(header).chain(reader)));
            }
            b"fmt " if (16..=MAX_FORMAT).contains(&length) => {
                let mut body = vec![0; length as usize];
                if read_up_to(&mut reader, &mut body)? < body.len() {
                    return Ok(Err(Form::NoSound));
                }
                format = Some(body);
            }
            b"fmt " => return Ok(Err(Form::Broken)),
            _ => {
                io::copy(&mut reader.by_ref().take(length.into()), &mut io::sink())?;
            }
        }
        if !length.is_multiple_of(2) {
            let mut pad = [0];
            // Where it was forgotten, the next chunk's name begins here.
            let next = read_up_to(&mut reader, &mut pad)?;
            first = (next > 0 && pad != [0]).then_some(pad[0]);
        }
    }
    Ok(Err(Form::Broken))
}

/// A header with nothing but the format and the announcement of the sound.
fn header(format: &[u8], announced: u32) -> Result<Vec<u8>, Form> {
    let field = |at: usize| Some(u16::from_le_bytes(*format.get(at..)?.first_chunk()?));
    let [Some(tag), Some(block), Some(bits)] = [0, 12, 14].map(field) else { return Err(Form::Broken) };
    let tag = if tag == 0xFFFE { field(24).unwrap_or(tag) } else { tag };
    if let Some(encoding) = unread(tag, bits) {
        return Err(Form::Encoding(encoding));
    }
    let block = u32::from(block);
    if block == 0 {
        return Err(Form::Broken);
    }
    let length = if announced == 0 { u32::MAX } else { announced };
    let length = length - length % block;
    // What may follow in it says nothing of PCM, and is often wrong.
    let format = if field(0) == Some(1) { format.get(..16).unwrap_or(format) } else { format };
    let mut header = b"RIFF\xFF\xFF\xFF\xFFWAVEfmt ".to_vec();
    header.extend(u32::try_from(format.len()).unwrap_or(0).to_le_bytes());
    header.extend(format);
    header.extend(b"data");
    header.extend(length.to_le_bytes());
    Ok(header)
}

/// The name of an encoding that is not read.
const fn unread(tag: u16, bits: u16) -> Option<&'static str> {
    Some(match tag {
        0x0001 => return None,
        0x0003 if bits == 32 => return None,
        0x0003 => "64-bit floats",
        0x0002 => "Microsoft ADPCM",
        0x0006 => "A-law",
        0x0007 => "\u{b5}-law",
        0x0011 => "IMA ADPCM",
        0x0031 => "GSM",
        0x0050 | 0x0055 => "MPEG audio (MP3)",
        0x0161..=0x0163 => "Windows Media audio",
        _ => "an encoding that is not PCM",
    })
}

/// What a file is by its first octets; nothing for WAV.
fn other_form(head: &[u8]) -> Option<Form> {
    Some(match head {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E'] => return None,
        [b'R', b'I', b'F', b'X', ..] => Form::Other("RIFX (WAV of the other byte order)"),
        [b'R', b'F', b'6', b'4', ..] | [b'B', b'W', b'6', b'4', ..] => Form::Other("RF64 (WAV for huge files)"),
        [b'I', b'D', b'3', ..] | [0xFF, 0xE0..=0xFF, ..] => Form::Other("MP3"),
        [b'O', b'g', b'g', b'S', ..] => Form::Other("Ogg"),
        [b'f', b'L', b'a', b'C', ..] => Form::Other("FLAC"),
        [b'F', b'O', b'R', b'M', ..] => Form::Other("AIFF"),
        [b'.', b's', b'n', b'd', ..] => Form::Other("an AU file"),
        [b'#', b'!', b'A', b'M', b'R', ..] => Form::Other("AMR"),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Form::Other("MP4 (M4A)"),
        _ => Form::Unknown,
    })
}

/// Fills as much of `buffer` as there is.
fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}
