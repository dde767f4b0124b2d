use std::fmt;

use bytes::Bytes;

use super::{InvalidValue, Text, charset};

/// One `;name` or `;name=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// The name as written; compared without regard to case.
    pub name: Text,
    /// The value as written, quotes included.
    pub value: Option<Text>,
}

/// Parameters behind a URI or a header value, in order (RFC 3261 section 7.3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<Param>);

impl Params {
    /// No parameters.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Reads `;a;b=c`, the first semicolon left out or not. Empty ones are passed over, white space is trimmed.
    pub(super) fn parse_part(whole: &Bytes, part: &[u8]) -> Result<Self, InvalidValue> {
        if !charset::is_balanced(part) {
            return Err(InvalidValue("parameter"));
        }
        let mut params = Vec::new();
        let mut rest = part;
        while !rest.is_empty() {
            let end = charset::find_outside_quotes(rest, b';', false).unwrap_or(rest.len());
            let (param, behind) = rest.split_at(end);
            rest = behind.get(1..).unwrap_or_default();
            // No quoted string stands before the first `=`: names are tokens.
            let (name, value) = charset::split_at_byte(param, b'=');
            let name = charset::trim(name);
            if name.contains(&b'"') {
                return Err(InvalidValue("parameter"));
            }
            if name.is_empty() {
                if value.is_some() {
                    return Err(InvalidValue("parameter"));
                }
                continue;
            }
            let value = value.map(|value| Text::part(whole, charset::trim(value)));
            params.push(Param { name: Text::part(whole, name), value });
        }
        Ok(Self(params))
    }

    /// Whether there is a parameter `name`.
    pub fn contains(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The value of `name` as written; `""` for a parameter without one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.find(name).map(|param| param.value.as_deref().unwrap_or_default())
    }

    /// The value of `name`, shared; `None` too for a parameter without one.
    pub fn get_text(&self, name: &str) -> Option<&Text> {
        self.find(name).and_then(|param| param.value.as_ref())
    }

    /// The value of `name` without quotes and escapes.
    pub fn get_unquoted(&self, name: &str) -> Option<String> {
        let value = self.get(name)?;
        match charset::quoted_inside(value.as_bytes()) {
            Some(inside) => Some(String::from_utf8_lossy(&charset::unescape_quoted(inside)).into_owned()),
            None => Some(value.to_owned()),
        }
    }

    /// Adds or replaces `name=value`.
    pub fn set(&mut self, name: &str, value: impl Into<Text>) {
        self.put(name, Some(value.into()));
    }

    /// Adds `name` without a value, or takes its value away.
    pub fn set_flag(&mut self, name: &str) {
        self.put(name, None);
    }

    /// Removes `name`; what it was.
    pub fn remove(&mut self, name: &str) -> Option<Param> {
        let at = self.0.iter().position(|param| param.name.eq_ignore_ascii_case(name))?;
        Some(self.0.remove(at))
    }

    /// Removes all parameters of these names in one pass, since a peer may repeat one a thousand times; the first of
    /// each.
    pub(super) fn take<const N: usize>(&mut self, names: [&str; N]) -> [Option<Param>; N] {
        let mut taken = [const { None }; N];
        self.0.retain(|param| {
            let found = names.iter().zip(&mut taken).find(|(name, _)| param.name.eq_ignore_ascii_case(name));
            let Some((_, first)) = found else { return true };
            first.get_or_insert_with(|| param.clone());
            false
        });
        taken
    }

    /// All parameters in order.
    pub fn iter(&self) -> impl Iterator<Item = &Param> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn find(&self, name: &str) -> Option<&Param> {
        self.0.iter().find(|param| param.name.eq_ignore_ascii_case(name))
    }

    fn put(&mut self, name: &str, value: Option<Text>) {
        match self.0.iter_mut().find(|param| param.name.eq_ignore_ascii_case(name)) {
            Some(param) => param.value = value,
            None => self.0.push(Param { name: name.into(), value }),
        }
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for param in &self.0 {
            write!(f, ";{}", param.name)?;
            if let Some(value) = &param.value {
                write!(f, "={value}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(text: &'static str) -> Params {
        let whole = Bytes::from_static(text.as_bytes());
        Params::parse_part(&whole, &whole).unwrap()
    }

    #[test]
    fn names_have_no_case_and_values_keep_theirs() {
        let params = params(r#"; Tag = a;lr;;x="q;\"=uoted""#);
        assert_eq!(params.get("tag"), Some("a"));
        assert_eq!(params.get("LR"), Some(""));
        assert_eq!(params.get_unquoted("x").as_deref(), Some("q;\"=uoted"));
        assert_eq!(params.to_string(), r#";Tag=a;lr;x="q;\"=uoted""#);
    }

    #[test]
    fn an_open_quote_is_refused_since_it_would_swallow_what_follows() {
        assert!(Params::parse_part(&Bytes::new(), b";a=\"b;c").is_err());
        assert!(Params::parse_part(&Bytes::new(), br#";"a=b"=c"#).is_err());
    }

    #[test]
    fn of_parameters_that_are_taken_out_the_first_of_each_name_remains() {
        let mut params = params(";b=1;a;B=2;c;a=3");
        let [a, b, d] = params.take(["a", "b", "d"]).map(|param| param.map(|param| param.value));
        assert_eq!((a, b, d), (Some(None), Some(Some("1".into())), None));
        assert_eq!(params.to_string(), ";c");
    }

    #[test]
    fn setting_replaces() {
        let mut params = params(";a=1;b");
        params.set("A", "2");
        params.set("c", "3");
        params.remove("b");
        assert_eq!(params.to_string(), ";a=2;c=3");
    }
}
