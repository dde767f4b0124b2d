use std::{fmt, str::FromStr};

use bytes::Bytes;

use super::{InvalidValue, Params, Text, Uri, Values, charset};

const INVALID: InvalidValue = InvalidValue("address");

/// An address with its parameters: the value of From, To, Contact, Route, Record-Route, Refer-To, P-Asserted-Identity
/// and their like (RFC 3261 section 20.10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameAddr {
    /// The display name without quotes and escapes.
    pub display: Option<Text>,
    /// The URI.
    pub uri: Uri,
    /// The header's parameters (not the URI's).
    pub params: Params,
}

impl NameAddr {
    /// An address without display name and parameters.
    pub fn new(uri: Uri) -> Self {
        Self { display: None, uri, params: Params::new() }
    }

    /// Reads one address. Without `<>`, parameters belong to the header and `?` and `,` are refused, as the RFC says.
    /// White space inside the brackets, and characters that a display name without quotes may not have, are forgiven.
    pub fn parse(value: &Bytes) -> Result<Self, InvalidValue> {
        let part = charset::trim(value);
        // A `<` inside a quoted parameter of an address without brackets opens nothing.
        let Some(at) = charset::find_outside_quotes(part, b'<', true) else { return Self::parse_bare(value, part) };
        let (name, rest) = part.split_at(at);
        let display = display_name(value, charset::trim(name))?;
        let inside = rest.strip_prefix(b"<").ok_or(INVALID)?;
        let (uri, rest) = charset::split_at_byte(inside, b'>');
        let rest = charset::trim(rest.ok_or(INVALID)?);
        if !matches!(rest, [] | [b';', ..]) {
            return Err(INVALID);
        }
        Ok(Self { display, uri: Uri::parse_part(value, charset::trim(uri))?, params: Params::parse_part(value, rest)? })
    }

    fn parse_bare(whole: &Bytes, part: &[u8]) -> Result<Self, InvalidValue> {
        let (uri, params) = charset::split_at_byte(part, b';');
        if uri.iter().any(|byte| matches!(byte, b'?' | b',')) {
            return Err(INVALID);
        }
        Ok(Self {
            display: None,
            uri: Uri::parse_part(whole, charset::trim(uri))?,
            params: Params::parse_part(whole, params.unwrap_or_default())?,
        })
    }

    /// The `tag` parameter, if there is one that is not empty.
    pub fn tag(&self) -> Option<&str> {
        self.params.get("tag").filter(|tag| !tag.is_empty())
    }

    /// The same address with this tag.
    #[must_use]
    pub fn with_tag(mut self, tag: impl Into<Text>) -> Self {
        self.params.set("tag", tag);
        self
    }

    /// The same address with this display name.
    #[must_use]
    pub fn with_display(mut self, display: impl Into<Text>) -> Self {
        self.display = Some(display.into());
        self
    }
}

/// What stands before `<`: a quoted string, or words without quotes.
fn display_name(whole: &Bytes, name: &[u8]) -> Result<Option<Text>, InvalidValue> {
    match charset::quoted_inside(name) {
        Some(inside) if inside.contains(&b'\\') => Ok(Some(Text::from_wire(charset::unescape_quoted(inside).into()))),
        Some(inside) => Ok(Some(Text::part(whole, inside))),
        // A quote elsewhere would make the reading depend on the reader.
        None if name.contains(&b'"') => Err(INVALID),
        None => Ok((!name.is_empty()).then(|| Text::part(whole, name))),
    }
}

impl From<Uri> for NameAddr {
    fn from(uri: Uri) -> Self {
        Self::new(uri)
    }
}

impl FromStr for NameAddr {
    type Err = InvalidValue;
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        Self::parse(&Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            charset::write_quoted(f, display)?;
            f.write_str(" ")?;
        }
        write!(f, "<{}>{}", self.uri, self.params)
    }
}

/// All Contact headers of a message together (RFC 3261 section 20.10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contacts {
    /// `*`: all bindings, in a REGISTER that removes them.
    Star,
    /// Addresses in order, possibly none.
    List(Vec<NameAddr>),
}

impl Contacts {
    pub(super) fn parse<'a>(lines: impl Iterator<Item = &'a Bytes>) -> Result<Self, InvalidValue> {
        let mut list = Vec::new();
        let mut star = false;
        for value in lines.flat_map(Values::new) {
            if value == "*" {
                star = true;
            } else {
                list.push(NameAddr::parse(&value).map_err(|_| InvalidValue("Contact"))?);
            }
        }
        match (star, list.is_empty()) {
            (false, _) => Ok(Self::List(list)),
            (true, true) => Ok(Self::Star),
            (true, false) => Err(InvalidValue("Contact")),
        }
    }

    /// The first address.
    pub fn first(&self) -> Option<&NameAddr> {
        match self {
            Self::Star => None,
            Self::List(list) => list.first(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<NameAddr, InvalidValue> {
        text.parse()
    }

    #[test]
    fn the_forms_of_an_address_are_read() {
        let full = read(r#""Mr. \"W\" Smith" <sip:w@example.com;lr>;tag=1;x="a;b""#).unwrap();
        assert_eq!(full.display.as_deref(), Some(r#"Mr. "W" Smith"#));
        assert!(full.uri.is_loose_router());
        assert_eq!(full.tag(), Some("1"));
        assert_eq!(read(&full.to_string()).as_ref(), Ok(&full));

        let tokens = read("Alice  Liddell<sip:a@example.com>").unwrap();
        assert_eq!(tokens.display.as_deref(), Some("Alice  Liddell"));

        let bare = read("sip:a@example.com;tag=2").unwrap();
        assert_eq!((bare.tag(), bare.uri.params.is_empty()), (Some("2"), true));
    }

    #[test]
    fn delimiters_in_the_quoted_parameter_of_an_address_without_brackets_are_text() {
        for inside in
            ["<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>", "<", ">", "a,b", "a;tag=no", "=", r#"\"<\\"#, "?"]
        {
            let parsed = read(&format!(r#"sip:x@host;+sip.instance="{inside}";tag=1"#)).unwrap();
            assert_eq!((parsed.display.as_deref(), parsed.tag()), (None, Some("1")), "{inside}");
            assert_eq!(parsed.params.get("+sip.instance"), Some(&*format!("\"{inside}\"")));
            assert_eq!(read(&parsed.to_string()), Ok(parsed));
        }
    }

    #[test]
    fn addresses_that_could_be_read_two_ways_are_refused() {
        for bad in [
            r#""open <sip:a@b>"#,
            "sip:a@b?Route=x",
            "sip:a@b,c@d",
            "<sip:a@b",
            "<sip:a@b>tag=1",
            r#"a "b <sip:a@b>"#,
            r#""a" "b" <sip:a@b>"#,
            r#"sip:a@b;x="<" <sip:c@d>"#,
            r#"sip:a@b;x="<"#,
            "",
            "<>",
            "*",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_display_name_in_latin_1_does_not_cost_the_call() {
        let parsed = NameAddr::parse(&Bytes::from_static(b"\"J\xf6rg\" <sip:j@example.de>;tag=x")).unwrap();
        assert_eq!(parsed.display.as_deref(), Some("J\u{fffd}rg"));
        assert_eq!(parsed.tag(), Some("x"));
    }
}
