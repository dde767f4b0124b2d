//! Why a scenario ended, and where in its text.

use rquickjs::{CaughtError, Ctx, Value};
use std::fmt;

/// A mistake of a scenario that ended it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What went wrong.
    pub what: String,
    /// Where, if that is known: values that are no errors bear no place.
    pub place: Option<Place>,
}

/// A place in a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The script.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
}

/// Longer messages are cut.
const LONGEST: usize = 500;

impl Fault {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), place: None }
    }

    /// Says what it happened in.
    pub(super) fn within(self, what: &str) -> Self {
        Self { what: format!("{what}: {}", self.what), ..self }
    }

    /// What was thrown; its place is the innermost that lies in one of the session's own `files`.
    pub(super) fn of<'js>(ctx: &Ctx<'js>, error: CaughtError<'js>, files: &[String]) -> Self {
        match error {
            CaughtError::Error(error) => Self::new(error.to_string()),
            CaughtError::Exception(exception) => Self::of_value(ctx, &exception.into_object().into_value(), files),
            CaughtError::Value(value) => Self::of_value(ctx, &value, files),
        }
    }

    /// The same of any value.
    pub(super) fn of_value<'js>(ctx: &Ctx<'js>, value: &Value<'js>, files: &[String]) -> Self {
        let Some(object) = value.as_object().filter(|object| object.is_error()) else {
            return Self::new(cut(&format!("{} was thrown", shown(ctx, value))));
        };
        let text = |key| object.get::<_, Option<String>>(key).ok().flatten().unwrap_or_default();
        let (name, message, stack) = (text("name"), text("message"), text("stack"));
        // What getters of the script's own threw on the way is of no interest.
        ctx.catch();
        Self { what: cut(&format!("{name}: {message}")), place: place(&stack, files) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.what.fmt(f)?;
        self.place.as_ref().map_or(Ok(()), |place| write!(f, " ({place})"))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A value that is no error, as text. Objects are not asked: their code is not to run now.
fn shown<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> String {
    if value.is_object() || value.is_symbol() {
        return format!("a value of type {}", value.type_name());
    }
    let text = ctx.json_stringify(value.clone()).ok().flatten().and_then(|text| text.to_string().ok());
    text.unwrap_or_else(|| value.type_name().to_owned())
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// The first line of a stack that lies in one of the files: `    at name (file:line:column)`, or without a name.
fn place(stack: &str, files: &[String]) -> Option<Place> {
    stack.lines().find_map(|line| {
        let written = line.trim().strip_prefix("at ")?;
        let written = written.rfind('(').map_or(written, |at| &written[at + 1..]).trim_end_matches(')');
        let mut parts = written.rsplitn(3, ':');
        let column = parts.next()?.parse().ok()?;
        let line = parts.next()?.parse().ok()?;
        let file = parts.next()?;
        files.iter().any(|known| known == file).then(|| Place { file: file.to_owned(), line, column })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_the_innermost_of_the_scripts_own() {
        let files = ["My (new) one.js".to_owned(), "b.js".to_owned()];
        let found = |stack| place(stack, &files).map(|place| place.to_string());
        assert_eq!(
            found("    at fire (partyline)\n    at f (b.js:3:7)\n    at b.js:9:1\n").as_deref(),
            Some("b.js:3:7")
        );
        assert_eq!(found("    at b.js:9:1\n").as_deref(), Some("b.js:9:1"));
        assert_eq!(found("    at f (native)\n"), None);
        assert_eq!(found(""), None);
    }
}
