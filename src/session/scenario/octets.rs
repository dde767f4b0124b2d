//! Texts as octets and back.

use std::fmt::Write;

/// As hexadecimal digits.
pub(super) fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// What hexadecimal digits say, two for each octet; `None` where they are none.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let pairs = digits?;
    pairs.len().is_multiple_of(2).then(|| pairs.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// A text in an encoding; `None` where that is unknown, or lacks a character of it.
pub(super) fn encode(text: &str, encoding: &str) -> Option<Vec<u8>> {
    let below = |limit: u32| text.chars().map(|c| u8::try_from(c).ok().filter(|_| u32::from(c) < limit)).collect();
    match encoding.to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" => Some(text.as_bytes().to_vec()),
        "ascii" | "us-ascii" => below(0x80),
        "latin1" | "iso-8859-1" => below(0x100),
        _ => None,
    }
}

/// The text of octets in an encoding, with U+FFFD for what is none; `None` where the encoding is unknown.
pub(super) fn decode(octets: &[u8], encoding: &str) -> Option<String> {
    Some(match encoding.to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" => String::from_utf8_lossy(octets).into_owned(),
        "ascii" | "us-ascii" => {
            octets.iter().map(|&o| if o.is_ascii() { char::from(o) } else { char::REPLACEMENT_CHARACTER }).collect()
        }
        "latin1" | "iso-8859-1" => octets.iter().map(|&octet| char::from(octet)).collect(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_go_to_text_and_back() {
        assert_eq!(hex(&[0, 0xab]), "00ab");
        assert_eq!(unhex("00aB"), Some(vec![0, 0xab]));
        assert_eq!((unhex("0"), unhex("0g"), unhex("é")), (None, None, None));
        assert_eq!(encode("é", "UTF-8"), Some(vec![0xc3, 0xa9]));
        assert_eq!(encode("é", "latin1"), Some(vec![0xe9]));
        assert_eq!((encode("é", "ascii"), encode("e", "koi8-r")), (None, None));
        assert_eq!(decode(&[0xe9], "latin1").as_deref(), Some("é"));
        assert_eq!(decode(&[0xe9], "utf-8").as_deref(), Some("\u{fffd}"));
        assert_eq!(decode(&[0x41, 0xe9], "ascii").as_deref(), Some("A\u{fffd}"));
    }
}
