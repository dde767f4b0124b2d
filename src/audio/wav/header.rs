//! The head of a WAV file as programs really write it.

use std::io::{self, Read};

/// Octets of a `fmt ` chunk that are read; the longest in use has 40, and 16 for each predictor of ADPCM.
const MAX_FORMAT: u32 = 2_048;
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
    #[error("the WAV file's header is broken: {0}")]
    Broken(&'static str),
    /// Another kind of file.
    #[error("this is {0}, not a WAV file")]
    Other(&'static str),
    /// WAV, with sound in a form that is not read.
    #[error("the WAV file holds {0}")]
    Encoding(&'static str),
}

/// What the head says of the sound.
#[derive(Debug, Clone)]
pub(super) struct Head {
    /// The encoding (`wFormatTag`, or what WAVE_FORMAT_EXTENSIBLE has in its place).
    pub tag: u16,
    pub channels: u16,
    pub rate: u32,
    /// Octets of what can only be read together: a sample of each channel, or a block.
    pub block: u16,
    pub bits: u16,
    /// What an encoding adds to it.
    pub extra: Vec<u8>,
    /// Octets of sound that are announced; `u64::MAX` where that cannot be known.
    pub announced: u64,
}

/// Reads up to where the sound begins.
///
/// Chunks of odd length are padded; but not by every program. Programs that write into a pipe announce 0 octets, or so
/// many that the file is shorter.
pub(super) fn read(reader: &mut impl Read) -> io::Result<Result<Head, Form>> {
    let mut head = [0; 12];
    let length = read_up_to(reader, &mut head)?;
    if let Some(form) = other_form(head.get(..length).unwrap_or_default()) {
        return Ok(Err(form));
    }
    let mut format: Option<Vec<u8>> = None;
    let mut first = None;
    let mut long = None;
    for _ in 0..MAX_CHUNKS {
        let mut chunk = [0; 8];
        let begun = usize::from(first.is_some());
        if let Some(first) = first.take() {
            chunk[0] = first;
        }
        if read_up_to(reader, &mut chunk[begun..])? < 8 - begun {
            return Ok(Err(Form::NoSound));
        }
        let [name @ .., a, b, c, d] = chunk;
        let length = u32::from_le_bytes([a, b, c, d]);
        match &name {
            b"data" => {
                let announced = match length {
                    // It does not fit: `ds64` has it, or it was not known.
                    u32::MAX => long.unwrap_or(u64::MAX),
                    0 => u64::MAX,
                    length => length.into(),
                };
                return Ok(match format {
                    Some(format) => Head::of(&format, announced),
                    None => Err(Form::Broken("the sound comes before the fmt chunk that explains it")),
                });
            }
            b"fmt " if (16..=MAX_FORMAT).contains(&length) => {
                let mut body = vec![0; length as usize];
                if read_up_to(reader, &mut body)? < body.len() {
                    return Ok(Err(Form::NoSound));
                }
                format = Some(body);
            }
            b"fmt " => return Ok(Err(Form::Broken("the fmt chunk has a length that cannot be"))),
            b"ds64" if (16..=MAX_FORMAT).contains(&length) => {
                let mut body = vec![0; length as usize];
                if read_up_to(reader, &mut body)? < body.len() {
                    return Ok(Err(Form::NoSound));
                }
                long = body.get(8..).and_then(|rest| rest.first_chunk()).map(|length| u64::from_le_bytes(*length));
            }
            _ => {
                io::copy(&mut reader.by_ref().take(length.into()), &mut io::sink())?;
            }
        }
        if !length.is_multiple_of(2) {
            let mut pad = [0];
            // Where it was forgotten, the next chunk's name begins here.
            let next = read_up_to(reader, &mut pad)?;
            first = (next > 0 && pad != [0]).then_some(pad[0]);
        }
    }
    Ok(Err(Form::Broken("no sound after a thousand chunks")))
}

impl Head {
    fn of(format: &[u8], announced: u64) -> Result<Self, Form> {
        let field = |at: usize| Some(u16::from_le_bytes(*format.get(at..)?.first_chunk()?));
        let rate = format.get(4..).and_then(|rest| rest.first_chunk()).map(|rate| u32::from_le_bytes(*rate));
        let fields = (field(0), field(2), rate, field(12), field(14));
        let (Some(tag), Some(channels), Some(rate), Some(block), Some(bits)) = fields else {
            return Err(Form::Broken("the fmt chunk is too short"));
        };
        let tag = if tag == 0xFFFE { field(24).unwrap_or(tag) } else { tag };
        let extra = format.get(18..).unwrap_or_default().to_vec();
        if channels == 0 {
            return Err(Form::Broken("it has no channels"));
        }
        if block == 0 {
            return Err(Form::Broken("its blocks have no length (block align 0)"));
        }
        Ok(Self { tag, channels, rate, block, bits, extra, announced })
    }
}

/// What a file is by its first octets; nothing for WAV.
fn other_form(head: &[u8]) -> Option<Form> {
    Some(match head {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E'] => return None,
        [b'R', b'F', b'6', b'4', _, _, _, _, b'W', b'A', b'V', b'E'] => return None,
        [b'B', b'W', b'6', b'4', _, _, _, _, b'W', b'A', b'V', b'E'] => return None,
        [b'R', b'I', b'F', b'X', ..] => Form::Other("RIFX (WAV of the other byte order)"),
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
pub(super) fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
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
