//! Reading a session description: tolerant, bounded, and an error names its line.

use super::description::{Attribute, MediaDescription, NetAddress, Origin, SessionDescription};
use super::error::SdpError;
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

/// The longest description that is read, bytes.
pub const MAX_BYTES: usize = 64 * 1024;
/// The most lines that are read; blank ones do not count.
pub const MAX_LINES: usize = 1_000;
/// The most `m=` lines that are read.
pub const MAX_MEDIA: usize = 32;
/// The most formats in one `m=` line that are read: as many as there are payload types.
pub const MAX_FORMATS: usize = 128;

impl SessionDescription {
    /// Reads a description.
    ///
    /// Tolerated: LF or CR alone as line end, blank lines, blanks around `=` and between fields, any order of the lines
    /// before the first `m=`, missing `o= s= t=`, bytes that are not UTF-8 (replaced), a byte order mark, unknown lines
    /// and attributes, times to live in `c=`, a display name with blanks in `o=`, and anything else there.
    ///
    /// What cannot be read in an `m=` or `c=` line is its media section's alone ([`MediaDescription::fault`],
    /// [`NetAddress::Unreadable`]): whether it matters shows when the line is wanted.
    ///
    /// # Errors
    /// The first line is not `v=0`; a limit of this module on the whole.
    pub fn parse(input: &[u8]) -> Result<Self, SdpError> {
        if input.len() > MAX_BYTES {
            return Err(SdpError::TooLong { bytes: input.len() });
        }
        let mut description: Option<Self> = None;
        let mut count = 0;
        let input = input.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(input);
        // Whole, since no line end can stand inside what is repaired.
        let text = match std::str::from_utf8(input) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(input),
        };
        for (number, text) in text.split('\n').enumerate() {
            for text in text.split('\r') {
                let line = Line { number: number + 1, text: text.trim_ascii() };
                if line.text.is_empty() {
                    continue;
                }
                count += 1;
                if count > MAX_LINES {
                    return Err(SdpError::TooManyLines { line: line.number });
                }
                match &mut description {
                    None => description = Some(line.first()?),
                    Some(description) => line.add_to(description)?,
                }
            }
        }
        description.ok_or(SdpError::NotADescription { line: 1 })
    }
}

/// One line that is not blank.
struct Line<'a> {
    number: usize,
    text: &'a str,
}

impl Line<'_> {
    /// The letter and the value of `letter=value`; `None` for anything else.
    fn split(&self) -> Option<(&str, &str)> {
        let (letter, value) = self.text.split_once('=')?;
        Some((letter.trim_ascii(), value.trim_ascii()))
    }

    fn malformed(&self, expected: &'static str) -> SdpError {
        SdpError::Malformed { line: self.number, expected, text: self.text.chars().take(80).collect() }
    }

    /// The description that begins with this line.
    fn first(&self) -> Result<SessionDescription, SdpError> {
        if self.split() != Some(("v", "0")) {
            return Err(SdpError::NotADescription { line: self.number });
        }
        Ok(SessionDescription {
            origin: unknown_origin(),
            name: "-".to_owned(),
            connection: None,
            attributes: Vec::new(),
            media: Vec::new(),
        })
    }

    fn add_to(&self, description: &mut SessionDescription) -> Result<(), SdpError> {
        // A line that is not even `letter=value` says nothing to us, as an unknown letter does not.
        let Some((letter, value)) = self.split() else { return Ok(()) };
        match letter {
            // Nothing depends on a peer's.
            "o" => description.origin = origin(value).unwrap_or_else(unknown_origin),
            "s" if !value.is_empty() => value.clone_into(&mut description.name),
            "c" => {
                let connection = match description.media.last_mut() {
                    Some(media) => &mut media.connection,
                    None => &mut description.connection,
                };
                // Of several (a multicast habit, RFC 8866 section 5.7) the first counts that can be read.
                if matches!(connection, None | Some(NetAddress::Unreadable(_))) {
                    match address(value) {
                        Some(address) => *connection = Some(address),
                        None => *connection = Some(NetAddress::Unreadable(value.to_owned())),
                    }
                }
            }
            "a" => {
                if let Some(attribute) = attribute(value) {
                    match description.media.last_mut() {
                        Some(media) => media.attributes.push(attribute),
                        None => description.attributes.push(attribute),
                    }
                }
            }
            "m" => {
                if description.media.len() == MAX_MEDIA {
                    return Err(SdpError::TooManyMedia { line: self.number });
                }
                description.media.push(self.media(value));
            }
            _ => {}
        }
        Ok(())
    }

    /// Reads an `m=` line. One that cannot be used keeps as much as its place in an answer needs.
    fn media(&self, value: &str) -> MediaDescription {
        let mut fields = value.split_ascii_whitespace();
        let media = fields.next();
        // "49170/2" announces several ports; only the first is used.
        let port = fields.next().and_then(|port| port.split('/').next()?.parse().ok());
        let protocol = fields.next();
        let mut formats = Vec::with_capacity(8);
        formats.extend(fields.by_ref().take(MAX_FORMATS).map(str::to_owned));
        let fault = if media.is_none() || port.is_none() || protocol.is_none() {
            Some(self.malformed("m= is: media, port, protocol, formats"))
        } else {
            fields.next().map(|_| SdpError::TooManyFormats { line: self.number })
        };
        MediaDescription {
            media: media.unwrap_or("-").to_owned(),
            port: if fault.is_some() { 0 } else { port.unwrap_or(0) },
            protocol: protocol.unwrap_or("RTP/AVP").to_owned(),
            formats,
            connection: None,
            // As many as a phone writes.
            attributes: Vec::with_capacity(12),
            fault,
        }
    }
}

/// `username session-id version IN IP4 address`, read from its end since the first field may hold blanks.
fn origin(value: &str) -> Option<Origin> {
    let mut fields: Vec<&str> = value.split_ascii_whitespace().collect();
    let tail = fields.len().checked_sub(3).map(|at| fields.split_off(at))?;
    let address = net_address(&tail)?;
    let version = fields.pop().and_then(number)?;
    let session_id = fields.pop().and_then(number)?;
    let username = if fields.is_empty() { "-".to_owned() } else { fields.join(" ") };
    Some(Origin { username, session_id, version, address })
}

/// The `o=` of a description that has none, or one that cannot be read.
fn unknown_origin() -> Origin {
    let address = NetAddress::Ip(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    Origin { username: "-".to_owned(), session_id: 0, version: 0, address }
}

fn address(value: &str) -> Option<NetAddress> {
    let mut fields = [""; 3];
    fields.iter_mut().zip(value.split_ascii_whitespace()).for_each(|(field, word)| *field = word);
    net_address(&fields)
}

/// A number of digits only; one that does not fit becomes the greatest.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// `IN`, `IP4` or `IP6`, address. A literal counts for what it is, whatever the address type says.
pub(super) fn net_address(fields: &[&str]) -> Option<NetAddress> {
    let &[network, kind, address] = fields else { return None };
    let ip6 = kind.eq_ignore_ascii_case("IP6");
    if !network.eq_ignore_ascii_case("IN") || !(ip6 || kind.eq_ignore_ascii_case("IP4")) {
        return None;
    }
    let address = address.split_once('/').map_or(address, |(address, _)| address);
    if address.is_empty() {
        return None;
    }
    let literal = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
    Some(match literal.parse::<IpAddr>() {
        Ok(address) => NetAddress::Ip(address),
        Err(_) => NetAddress::Name { ip6, host: address.to_owned() },
    })
}

fn attribute(value: &str) -> Option<Attribute> {
    let (name, value) = match value.split_once(':') {
        Some((name, value)) => (name.trim_ascii(), Some(value.trim_ascii().to_owned())),
        None => (value, None),
    };
    (!name.is_empty()).then(|| Attribute { name: name.to_owned(), value })
}
