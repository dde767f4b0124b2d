use std::fmt;

use bytes::{Bytes, BytesMut};

use super::{HeaderName, charset, write_line};

/// A message's header fields in the order they came.
///
/// Values are unfolded and trimmed and otherwise the bytes that came, UTF-8 or not. Content-Length is never in here:
/// it is framing, checked while parsing and written by `to_bytes`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(HeaderName, Bytes)>);

impl Headers {
    /// No headers.
    pub fn new() -> Self {
        Self::default()
    }

    /// The first value of `name`.
    pub fn get(&self, name: &HeaderName) -> Option<&Bytes> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    /// The first value of `name`, if it is UTF-8.
    pub fn get_str(&self, name: &HeaderName) -> Option<&str> {
        self.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Whether there is such a header.
    pub fn contains(&self, name: &HeaderName) -> bool {
        self.get(name).is_some()
    }

    /// Every header line of `name`, whole.
    pub fn all<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a Bytes> + 'a {
        self.0.iter().filter(move |(other, _)| other == name).map(|(_, value)| value)
    }

    /// Every comma-separated value of every line of `name`, trimmed, without the empty ones.
    /// Commas in quoted strings and `<…>` do not count. For list headers only: Date and Authorization are none.
    pub fn values<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = Bytes> + 'a {
        self.all(name).flat_map(Values::new)
    }

    /// Adds a line at the end.
    pub fn push(&mut self, name: HeaderName, value: impl Into<Bytes>) {
        self.0.push((name, value.into()));
    }

    /// Adds a line at the end, written from a typed value.
    pub fn push_display(&mut self, name: HeaderName, value: &impl fmt::Display) {
        self.push(name, value.to_string());
    }

    /// Adds a line at the top, as a Via is.
    pub fn push_front(&mut self, name: HeaderName, value: impl Into<Bytes>) {
        self.0.insert(0, (name, value.into()));
    }

    /// Makes this the only line of `name`, in the place of the first one if there was one.
    pub fn set(&mut self, name: HeaderName, value: impl Into<Bytes>) {
        let value = value.into();
        match self.0.iter().position(|(other, _)| *other == name) {
            Some(at) => {
                let mut first = true;
                self.0.retain(|(other, _)| *other != name || std::mem::take(&mut first));
                // `retain` kept everything before `at`, and the line at `at` itself.
                if let Some(line) = self.0.get_mut(at) {
                    line.1 = value;
                }
            }
            None => self.0.push((name, value)),
        }
    }

    /// Makes this the only line of `name`, written from a typed value.
    pub fn set_display(&mut self, name: HeaderName, value: &impl fmt::Display) {
        self.set(name, value.to_string());
    }

    /// Replaces the first comma-separated value of `name` (the top Via), leaving all others as they are.
    pub fn replace_first_value(&mut self, name: &HeaderName, value: &impl fmt::Display) {
        let Some((_, line)) = self.0.iter_mut().find(|(other, _)| other == name) else { return };
        let mut replaced = value.to_string().into_bytes();
        if let Some(comma) = charset::find_outside_quotes(line, b',', false) {
            replaced.extend_from_slice(line.get(comma..).unwrap_or_default());
        }
        *line = replaced.into();
    }

    /// Removes every line of `name`; how many there were.
    pub fn remove(&mut self, name: &HeaderName) -> usize {
        let before = self.0.len();
        self.0.retain(|(other, _)| other != name);
        before - self.0.len()
    }

    /// Keeps the lines for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&HeaderName, &Bytes) -> bool) {
        self.0.retain(|(name, value)| keep(name, value));
    }

    /// Adds every line of `name` that `other` has.
    pub fn copy_all(&mut self, name: &HeaderName, other: &Headers) {
        for value in other.all(name) {
            self.0.push((name.clone(), value.clone()));
        }
    }

    /// Adds all lines of `other`.
    pub fn extend(&mut self, other: &Headers) {
        self.0.extend(other.0.iter().cloned());
    }

    /// All lines in order.
    pub fn iter(&self) -> impl Iterator<Item = (&HeaderName, &Bytes)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn with_capacity(lines: usize) -> Self {
        Self(Vec::with_capacity(lines))
    }

    /// Writes `Name: value` lines.
    pub(super) fn write(&self, out: &mut BytesMut) {
        for (name, value) in &self.0 {
            if *name == HeaderName::ContentLength {
                continue;
            }
            out.extend_from_slice(name.as_str().as_bytes());
            out.extend_from_slice(b": ");
            write_line(out, value);
        }
    }

    pub(super) fn written_len(&self) -> usize {
        self.0.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(name, value)| (name.as_str(), value))).finish()
    }
}

/// The comma-separated values of one header line; see [`Headers::values`].
#[derive(Clone, Debug)]
pub struct Values {
    rest: Bytes,
}

impl Values {
    /// Goes through the values of `line`.
    pub fn new(line: &Bytes) -> Self {
        Self { rest: line.clone() }
    }
}

impl Iterator for Values {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        while !self.rest.is_empty() {
            let end = charset::find_outside_quotes(&self.rest, b',', false).unwrap_or(self.rest.len());
            let value = self.rest.split_to(end);
            if !self.rest.is_empty() {
                let _comma = self.rest.split_to(1);
            }
            let trimmed = charset::trim(&value);
            if !trimmed.is_empty() {
                return Some(value.slice_ref(trimmed));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(line: &'static [u8]) -> Vec<Bytes> {
        Values::new(&Bytes::from_static(line)).collect()
    }

    #[test]
    fn lists_are_split_at_commas_outside_quotes_and_brackets() {
        assert_eq!(
            values(br#""Bell, A" <sip:a,b@x>;p="1,2" , <sip:c@x>,, sip:d@x"#),
            [&br#""Bell, A" <sip:a,b@x>;p="1,2""#[..], b"<sip:c@x>", b"sip:d@x"]
        );
        assert!(values(b" , ,").is_empty());
    }

    #[test]
    fn set_keeps_the_place_and_leaves_one_line() {
        let mut headers = Headers::new();
        headers.push(HeaderName::To, "a");
        headers.push(HeaderName::Via, "1");
        headers.push(HeaderName::From, "b");
        headers.push(HeaderName::Via, "2");
        headers.set(HeaderName::Via, "3");
        let lines: Vec<_> = headers.iter().map(|(name, value)| format!("{name}={}", value.escape_ascii())).collect();
        assert_eq!(lines, ["To=a", "Via=3", "From=b"]);
    }

    #[test]
    fn the_first_value_is_replaced_and_its_neighbours_stay() {
        let mut headers = Headers::new();
        headers.push(HeaderName::Via, "SIP/2.0/UDP a, SIP/2.0/UDP b");
        headers.push(HeaderName::Via, "SIP/2.0/UDP c");
        headers.replace_first_value(&HeaderName::Via, &"new");
        let lines: Vec<_> = headers.values(&HeaderName::Via).collect();
        assert_eq!(lines, [&b"new"[..], b"SIP/2.0/UDP b", b"SIP/2.0/UDP c"]);
    }

    #[test]
    fn a_value_cannot_smuggle_in_a_header() {
        let mut headers = Headers::new();
        headers.push(HeaderName::Subject, "hi\r\nX-Evil: 1");
        let mut out = BytesMut::new();
        headers.write(&mut out);
        assert_eq!(&out[..], b"Subject: hi  X-Evil: 1\r\n");
    }
}
