//! JSON that people read: each string in it is [`Plain`].

use crate::types::Plain;
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CharEscape, Formatter};
use std::io::{self, Write};

/// One line of JSON, its end included. None of its strings holds a character that must not be shown, escaped or not:
/// whoever decodes it has nothing to fear either.
///
/// # Errors
///
/// For what JSON cannot say, such as a map whose keys are not strings.
pub(super) fn line(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut line = Vec::with_capacity(512);
    value.serialize(&mut Serializer::with_formatter(&mut line, PlainFormatter))?;
    line.push(b'\n');
    Ok(line)
}

struct PlainFormatter;

impl Formatter for PlainFormatter {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        write!(writer, "{}", Plain(fragment))
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        match escape {
            CharEscape::Quote => writer.write_all(b"\\\""),
            CharEscape::ReverseSolidus => writer.write_all(b"\\\\"),
            CharEscape::Solidus => writer.write_all(b"/"),
            // All others are control characters.
            _ => write!(writer, "{}", char::REPLACEMENT_CHARACTER),
        }
    }
}
