//! Room names with holes in them.

/// A room's name as a route or IVR writes it: `standup`, `{number}`, `conf_{digits}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomTemplate {
    source: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Number,
    Digits,
}

/// A placeholder nobody knows, or a brace that is not closed: its byte range in the template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no placeholder")]
pub struct BadPlaceholder(pub std::ops::Range<usize>);

impl RoomTemplate {
    /// Reads a template.
    ///
    /// # Errors
    /// When a placeholder is neither `{number}` nor `{digits}`, or a brace stands alone.
    pub fn parse(source: &str) -> Result<Self, BadPlaceholder> {
        let mut parts = Vec::new();
        let mut rest = source;
        let mut at = 0usize;
        while let Some(open) = rest.find(['{', '}']) {
            let (text, tail) = rest.split_at(open);
            if !text.is_empty() {
                parts.push(Part::Text(text.to_owned()));
            }
            let start = at.saturating_add(open);
            let length = tail.find('}').map_or(tail.len(), |close| close.saturating_add(1));
            let (hole, after) = tail.split_at(length);
            parts.push(match hole {
                "{number}" => Part::Number,
                "{digits}" => Part::Digits,
                _ => return Err(BadPlaceholder(start..start.saturating_add(length))),
            });
            at = start.saturating_add(length);
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { source: source.to_owned(), parts })
    }

    /// A room's very name.
    #[must_use]
    pub fn plain(name: &str) -> Self {
        Self { source: name.to_owned(), parts: vec![Part::Text(name.to_owned())] }
    }

    /// The room's name for a call to `number` (normalised) whose caller keyed `digits` (empty where none are asked
    /// for).
    #[must_use]
    pub fn expand(&self, number: &str, digits: &str) -> String {
        let mut name = String::new();
        for part in &self.parts {
            name.push_str(match part {
                Part::Text(text) => text,
                Part::Number => number,
                Part::Digits => digits,
            });
        }
        name
    }

    /// The name, if it is the same for every call.
    #[must_use]
    pub fn fixed(&self) -> Option<&str> {
        self.parts.iter().all(|part| matches!(part, Part::Text(_))).then_some(self.source.as_str())
    }

    /// What the one hole must be filled with to give `name`; `None` without a way, or without exactly one hole.
    pub(in crate::dialplan) fn filling<'name>(&self, name: &'name str) -> Option<&'name str> {
        let text = |part: &Part| matches!(part, Part::Text(_));
        let hole = self.parts.iter().position(|part| !text(part))?;
        let (before, after) = self.parts.split_at_checked(hole)?;
        let after = after.get(1..).filter(|after| after.iter().all(text))?;
        let joined = |parts: &[Part]| -> String {
            parts.iter().map(|part| if let Part::Text(text) = part { text.as_str() } else { "" }).collect()
        };
        name.strip_prefix(joined(before).as_str())?.strip_suffix(joined(after).as_str())
    }

    /// Whether keyed digits are part of the name.
    #[must_use]
    pub fn uses_digits(&self) -> bool {
        self.parts.contains(&Part::Digits)
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_filled_with_number_and_digits() {
        let template = RoomTemplate::parse("conf_{digits}-{number}").unwrap();
        assert_eq!(template.expand("1000", "42"), "conf_42-1000");
        assert!(template.uses_digits());
        assert_eq!(template.fixed(), None);
        assert_eq!(RoomTemplate::parse("standup").unwrap().fixed(), Some("standup"));
    }

    #[test]
    fn the_filling_of_the_one_hole_is_found() {
        let template = RoomTemplate::parse("conf_{digits}-x").unwrap();
        assert_eq!(template.filling("conf_42-x"), Some("42"));
        assert_eq!(template.filling("conf_42"), None);
        assert_eq!(RoomTemplate::parse("{number}").unwrap().filling("standup"), Some("standup"));
        assert_eq!(RoomTemplate::parse("{number}{digits}").unwrap().filling("12"), None);
        assert_eq!(RoomTemplate::parse("lobby").unwrap().filling("lobby"), None);
    }

    #[test]
    fn unknown_and_unclosed_placeholders_are_told_with_their_place() {
        assert_eq!(RoomTemplate::parse("a{caller}").unwrap_err().0, 1..9);
        assert_eq!(RoomTemplate::parse("{number}{").unwrap_err().0, 8..9);
        assert_eq!(RoomTemplate::parse("x}").unwrap_err().0, 1..2);
    }
}
