//! Character classes and scanning over raw bytes (RFC 3261 section 25.1).

static TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~');
        byte += 1;
    }
    table
};

/// A token character.
pub(in crate::sip) fn is_token(byte: u8) -> bool {
    TOKEN[usize::from(byte)]
}

/// One or more token characters and nothing else.
pub(in crate::sip) fn is_token_text(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| is_token(*byte))
}

/// Space, tab, and what is left of a line end.
pub(in crate::sip) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Without white space at both ends.
pub(in crate::sip) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes {
        if !is_space(*first) {
            break;
        }
        bytes = rest;
    }
    while let [rest @ .., last] = bytes {
        if !is_space(*last) {
            break;
        }
        bytes = rest;
    }
    bytes
}

/// Splits at the first `separator`: what stands before it, and what behind it if there is one. Plain search.
pub(in crate::sip) fn split_at_byte(bytes: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(separator, bytes) {
        Some(at) => (&bytes[..at], bytes.get(at + 1..)),
        None => (bytes, None),
    }
}

/// Where the first `wanted` stands outside quoted strings and, when `in_angles` is false, outside `<…>`.
/// An unterminated quoted string or bracket runs to the end.
pub(in crate::sip) fn find_outside_quotes(bytes: &[u8], wanted: u8, in_angles: bool) -> Option<usize> {
    let mut from = 0;
    loop {
        let rest = bytes.get(from..)?;
        let found =
            if in_angles { memchr::memchr2(wanted, b'"', rest) } else { memchr::memchr3(wanted, b'"', b'<', rest) };
        let at = found?;
        let opened = rest.get(at..)?;
        let closing = match opened.first()? {
            byte if *byte == wanted => return Some(from + at),
            b'"' => closing_quote(opened)?,
            _ => memchr::memchr(b'>', opened)?,
        };
        from += at + closing + 1;
    }
}

/// Splits at the first `separator` outside quoted strings: what stands before it, and what behind it if there is one.
/// For header values; what has no quoted strings by its grammar (a URI, a start line) is split by [`split_at_byte`].
pub(in crate::sip) fn split_outside_quotes(bytes: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    match find_outside_quotes(bytes, separator, true) {
        Some(at) => (&bytes[..at], bytes.get(at + 1..)),
        None => (bytes, None),
    }
}

/// The inside of a value that is one quoted string from its first byte to its last, escapes as written.
pub(in crate::sip) fn quoted_inside(value: &[u8]) -> Option<&[u8]> {
    let whole = value.first() == Some(&b'"') && closing_quote(value) == value.len().checked_sub(1);
    if whole { value.get(1..value.len() - 1) } else { None }
}

/// Whether every quoted string and every `<` that is opened is closed. What stands behind an open one would be read
/// differently by every reader.
pub(in crate::sip) fn is_balanced(mut bytes: &[u8]) -> bool {
    while let Some(at) = memchr::memchr2(b'"', b'<', bytes) {
        let opened = bytes.get(at..).unwrap_or_default();
        let closing = if opened.first() == Some(&b'"') { closing_quote(opened) } else { memchr::memchr(b'>', opened) };
        match closing {
            Some(closing) => bytes = opened.get(closing + 1..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

/// Where a quoted string ends: `bytes` begins with `"`; the index of the closing quote.
pub(in crate::sip) fn closing_quote(bytes: &[u8]) -> Option<usize> {
    let mut from = 1;
    loop {
        let at = from + memchr::memchr2(b'"', b'\\', bytes.get(from..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at);
        }
        // The backslash takes the next byte with it.
        from = at + 2;
    }
}

/// Reads decimal digits and nothing else; `None` when there are none, others, or the value is larger than `max`.
pub(in crate::sip) fn number(bytes: &[u8], max: u64) -> Option<u64> {
    if bytes.is_empty() {
        return None;
    }
    let mut value: u64 = 0;
    for byte in bytes {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
    }
    (value <= max).then_some(value)
}

/// Undoes `%41` escapes. An escape that is none stays as it is.
pub(in crate::sip) fn percent_decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if let (b'%', [high, low, after @ ..]) = (first, tail)
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            out.push(high << 4 | low);
            rest = after;
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    out
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Takes the content out of a quoted string's inside: `\x` becomes `x`.
pub(in crate::sip) fn unescape_quoted(inside: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(inside.len());
    let mut escaped = false;
    for byte in inside {
        if !escaped && *byte == b'\\' {
            escaped = true;
        } else {
            out.push(*byte);
            escaped = false;
        }
    }
    out
}

/// Writes `text` as a quoted string.
pub(in crate::sip) fn write_quoted(f: &mut std::fmt::Formatter<'_>, text: &str) -> std::fmt::Result {
    use std::fmt::Write as _;
    f.write_char('"')?;
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(character)?;
    }
    f.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_inside_quotes_and_angle_brackets_are_not_found() {
        assert_eq!(find_outside_quotes(br#""a,\",b" <c,d>,e"#, b',', false), Some(14));
        assert_eq!(find_outside_quotes(br#""open, <x"#, b',', false), None);
    }

    #[test]
    fn only_a_value_that_is_all_one_quoted_string_has_an_inside() {
        assert_eq!(quoted_inside(br#""a\"b""#), Some(&br#"a\"b"#[..]));
        assert_eq!(quoted_inside(br#""""#), Some(&b""[..]));
        for other in [&b""[..], b"a", b"\"", br#""a\""#, br#""a"b"#, br#""a" "b""#] {
            assert_eq!(quoted_inside(other), None);
        }
    }

    #[test]
    fn an_open_quote_or_bracket_is_noticed() {
        for (text, balanced) in
            [("", true), (r#"a"b\""<c"d>"#, true), (r#"a"b\""#, false), ("a<b", false), ("a>b", true)]
        {
            assert_eq!(is_balanced(text.as_bytes()), balanced, "{text}");
        }
    }

    #[test]
    fn numbers_are_bounded() {
        assert_eq!(number(b"0042", 100), Some(42));
        for bad in [&b""[..], b"-1", b"1 2", b"101", b"99999999999999999999999999"] {
            assert_eq!(number(bad, 100), None);
        }
    }

    #[test]
    fn broken_escapes_stay() {
        assert_eq!(percent_decode("a%41%4%zz%"), b"aA%4%zz%");
    }
}
