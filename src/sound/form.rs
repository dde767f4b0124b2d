//! What a file is, by its first octets; by its name only where those cannot tell.

use super::Unplayable;

/// A form of sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Wav,
    /// G.711 without a head, which nothing but a name tells.
    Ulaw,
    Alaw,
    /// GSM without a head.
    Gsm,
    Mp3,
    Ogg,
    Flac,
}

/// What a file is called, and what a server says that it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hint {
    form: Option<Form>,
}

impl Hint {
    /// The hint of a name, of a file or the last part of a URL's path.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
        let form = match extension.as_str() {
            "ulaw" | "ul" | "mulaw" | "pcmu" => Some(Form::Ulaw),
            "alaw" | "al" | "pcma" => Some(Form::Alaw),
            "gsm" => Some(Form::Gsm),
            "mp3" => Some(Form::Mp3),
            _ => None,
        };
        Self { form }
    }

    /// The same, where the name says nothing, with what a server says.
    #[must_use]
    pub fn or_content_type(self, content_type: &str) -> Self {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let said = match essence.as_str() {
            "audio/basic" | "audio/pcmu" => Some(Form::Ulaw),
            "audio/pcma" | "audio/x-alaw-basic" => Some(Form::Alaw),
            "audio/gsm" | "audio/x-gsm" => Some(Form::Gsm),
            "audio/mpeg" | "audio/mp3" => Some(Form::Mp3),
            _ => None,
        };
        Self { form: self.form.or(said) }
    }
}

/// The form of something that begins with `head`, up to sixteen octets.
pub(super) fn of(head: &[u8], hint: &Hint) -> Result<Form, Unplayable> {
    let other = |what| Err(Unplayable::Other(what));
    match head {
        [] => return Err(Unplayable::Empty),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => return Ok(Form::Wav),
        [b'R', b'F', b'6', b'4', ..] | [b'B', b'W', b'6', b'4', ..] => return Ok(Form::Wav),
        [b'O', b'g', b'g', b'S', ..] => return Ok(Form::Ogg),
        [b'f', b'L', b'a', b'C', ..] => return Ok(Form::Flac),
        [b'R', b'I', b'F', b'X', ..] => return other("RIFX (WAV of the other byte order)"),
        [b'F', b'O', b'R', b'M', ..] => return other("AIFF"),
        [b'.', b's', b'n', b'd', ..] => return other("an AU file"),
        [b'#', b'!', b'A', b'M', b'R', ..] => return other("AMR"),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => return other("MP4 (M4A)"),
        [b'w', b'v', b'p', b'k', ..] => return other("WavPack"),
        [b'M', b'A', b'C', b' ', ..] => return other("Monkey's Audio"),
        [0x1A, 0x45, 0xDF, 0xA3, ..] => return other("Matroska or WebM"),
        [0x30, 0x26, 0xB2, 0x75, ..] => return other("Windows Media (ASF)"),
        _ => {}
    }
    match (hint.form, head) {
        // A page that says why there is no sound, mostly.
        (Some(Form::Mp3), _) if is_text(head) => other("text"),
        (Some(form), _) => Ok(form),
        (None, [0xFF, second, ..]) if second & 0xE6 == 0xE2 => Ok(Form::Mp3),
        (None, [0xFF, second, ..]) if second & 0xF6 == 0xF0 => other("AAC (ADTS)"),
        (None, [0xFF, second, ..]) if second & 0xE0 == 0xE0 && second & 0x18 != 0x08 => {
            other("MPEG audio of layer I or II")
        }
        (None, _) if is_text(head) => other("text"),
        (None, _) => Err(Unplayable::Unknown),
    }
}

fn is_text(head: &[u8]) -> bool {
    head.iter().all(|octet| matches!(octet, b'\t' | b'\n' | b'\r' | b' '..=b'~'))
}
