//! From TOML values to what was written, every mismatch reported.

use crate::dialplan::diagnostic::Sink;
use crate::dialplan::mask::is_secret_key;
use crate::dialplan::suggestion;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and its place.
pub(in crate::dialplan) type Value<'i> = Spanned<DeValue<'i>>;

/// Why a value could not be read.
pub(in crate::dialplan) enum Mismatch {
    /// It is of another kind; whoever knows the key tells it.
    Kind,
    /// What is wrong has been reported.
    Reported,
}

/// Something that can be written in the file.
pub(in crate::dialplan) trait Read: Sized {
    /// What it is called in "expected …".
    const WHAT: &'static str;

    /// Reads it.
    fn read(value: &Value<'_>, sink: &mut Sink) -> Result<Self, Mismatch>;
}

/// A key as it was found.
#[derive(Debug, Default)]
pub(in crate::dialplan) enum Field<T> {
    /// Not there.
    #[default]
    Absent,
    /// There, wrong, and reported.
    Wrong,
    /// There.
    Given(Spanned<T>),
}

impl<T> Field<T> {
    /// The value, if one was read.
    pub(in crate::dialplan) const fn get(&self) -> Option<&Spanned<T>> {
        match self {
            Self::Given(value) => Some(value),
            Self::Absent | Self::Wrong => None,
        }
    }

    /// Whether the key is not there at all.
    pub(in crate::dialplan) const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// What the messages about a table need: its name, the keys it takes, and those of later versions.
pub(in crate::dialplan) struct Shape {
    /// What the table is.
    pub what: &'static str,
    /// Keys it takes.
    pub known: &'static [&'static str],
    /// Keys that mean something, but not yet.
    pub later: &'static [&'static str],
}

/// One key of a table, as the reference page shows it.
#[derive(Debug, Clone, Copy)]
pub(in crate::dialplan) struct Setting {
    /// Its name.
    pub key: &'static str,
    /// A value, as it is written.
    pub example: &'static str,
    /// What it does, with unit, range and default.
    pub text: &'static str,
}

/// Reads one key's value.
pub(in crate::dialplan) fn field<T: Read>(key: &str, value: &Value<'_>, example: &str, sink: &mut Sink) -> Field<T> {
    if is_secret_key(key) && !matches!(value.get_ref(), DeValue::Table(_)) {
        sink.secret(value.span());
    }
    match T::read(value, sink) {
        Ok(read) => Field::Given(Spanned::new(value.span(), read)),
        Err(Mismatch::Reported) => Field::Wrong,
        Err(Mismatch::Kind) => {
            if is_secret_key(key) {
                hide_scalars(value, sink);
            }
            hide_all(key, value, sink);
            sink.error(value.span(), format!("`{key}` takes {}, not {}", T::WHAT, kind(value.get_ref())))
                .label(format!("expected {}", T::WHAT))
                .help(format!("for example: {key} = {example}"));
            Field::Wrong
        }
    }
}

/// What a key that a table does not have was probably meant to be.
pub(in crate::dialplan) enum Meant {
    /// A key of a later version.
    Later,
    /// A misspelt key of this one.
    Known(&'static str),
    /// Nobody knows.
    Unknown,
}

/// Tells a key that a table does not have.
pub(in crate::dialplan) fn unknown(
    key: &str,
    span: Range<usize>,
    value: &Value<'_>,
    shape: &Shape,
    sink: &mut Sink,
) -> Meant {
    // Beside a PIN or password, whatever has an unknown name may be one; and nobody looks into an unknown table.
    if shape.known.iter().any(|known| is_secret_key(known)) || matches!(value.get_ref(), DeValue::Table(_)) {
        hide_scalars(value, sink);
    }
    hide_all(key, value, sink);
    let what = shape.what;
    if shape.later.contains(&key) {
        sink.error(span, format!("`{key}` is not supported in this version"))
            .label("of a later version")
            .help("take it out for now");
        return Meant::Later;
    }
    let help = suggestion::sentence(key, shape.known.iter().copied(), "it takes no keys");
    sink.error(span, format!("{what} has no key `{key}`")).label("unknown key").help(help);
    suggestion::nearest(key, shape.known.iter().copied()).map_or(Meant::Unknown, Meant::Known)
}

/// The table in `value`.
pub(in crate::dialplan) fn as_table<'a, 'i>(value: &'a Value<'i>) -> Result<&'a DeTable<'i>, Mismatch> {
    match value.get_ref() {
        DeValue::Table(table) => Ok(table),
        _ => Err(Mismatch::Kind),
    }
}

/// Masks whatever secret keys hold, however deep, in a part of the file that nobody else looks at.
fn hide_all(key: &str, value: &Value<'_>, sink: &mut Sink) {
    match value.get_ref() {
        DeValue::Table(table) => table.iter().for_each(|(key, value)| hide_all(key.get_ref(), value, sink)),
        DeValue::Array(array) => array.iter().for_each(|value| hide_all(key, value, sink)),
        _ if is_secret_key(key) => sink.secret(value.span()),
        _ => {}
    }
}

/// Masks every value, however deep.
fn hide_scalars(value: &Value<'_>, sink: &mut Sink) {
    match value.get_ref() {
        DeValue::Table(table) => table.iter().for_each(|(_, value)| hide_scalars(value, sink)),
        DeValue::Array(array) => array.iter().for_each(|value| hide_scalars(value, sink)),
        _ => sink.secret(value.span()),
    }
}

/// What a value is, with its article.
pub(in crate::dialplan) const fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

impl Read for String {
    const WHAT: &'static str = "a string";

    fn read(value: &Value<'_>, _: &mut Sink) -> Result<Self, Mismatch> {
        value.get_ref().as_str().map(str::to_owned).ok_or(Mismatch::Kind)
    }
}

impl Read for bool {
    const WHAT: &'static str = "true or false";

    fn read(value: &Value<'_>, _: &mut Sink) -> Result<Self, Mismatch> {
        value.get_ref().as_bool().ok_or(Mismatch::Kind)
    }
}

impl Read for i64 {
    const WHAT: &'static str = "a whole number";

    fn read(value: &Value<'_>, sink: &mut Sink) -> Result<Self, Mismatch> {
        let DeValue::Integer(number) = value.get_ref() else { return Err(Mismatch::Kind) };
        Self::from_str_radix(number.as_str(), number.radix()).map_err(|_| {
            sink.error(value.span(), "the number is too large").label("does not fit into 64 bits");
            Mismatch::Reported
        })
    }
}

/// A list, or one value that stands for a list of one.
impl<T: Read> Read for Vec<Spanned<T>> {
    const WHAT: &'static str = T::WHAT;

    fn read(value: &Value<'_>, sink: &mut Sink) -> Result<Self, Mismatch> {
        let DeValue::Array(array) = value.get_ref() else {
            return Ok(vec![Spanned::new(value.span(), T::read(value, sink)?)]);
        };
        let mut list = Self::new();
        let mut reported = false;
        for element in array {
            match T::read(element, sink) {
                Ok(read) => list.push(Spanned::new(element.span(), read)),
                Err(Mismatch::Reported) => reported = true,
                Err(Mismatch::Kind) => {
                    reported = true;
                    let found = kind(element.get_ref());
                    sink.error(element.span(), format!("the list takes {} each, not {found}", T::WHAT))
                        .label(format!("expected {}", T::WHAT));
                }
            }
        }
        // A list that lost members must not be taken for the shorter list.
        if reported { Err(Mismatch::Reported) } else { Ok(list) }
    }
}

/// A table whose keys are names that the administrator chose.
#[derive(Debug)]
pub(in crate::dialplan) struct Named<T>(pub Vec<(Spanned<String>, T)>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Read> Read for Named<T> {
    const WHAT: &'static str = "a table";

    fn read(value: &Value<'_>, sink: &mut Sink) -> Result<Self, Mismatch> {
        let mut list = Vec::new();
        for (key, value) in as_table(value)? {
            let name = Spanned::new(key.span(), key.get_ref().to_string());
            match T::read(value, sink) {
                Ok(read) => list.push((name, read)),
                Err(Mismatch::Reported) => {}
                Err(Mismatch::Kind) => {
                    hide_all(key.get_ref(), value, sink);
                    let found = kind(value.get_ref());
                    sink.error(value.span(), format!("`{}` takes {}, not {found}", key.get_ref(), T::WHAT))
                        .label(format!("expected {}", T::WHAT));
                }
            }
        }
        list.sort_by_key(|(name, _)| name.span().start);
        Ok(Self(list))
    }
}

/// Declares a table: its fields, each with what it does, its key (the field's name unless `as` says another), its type
/// and an example.
macro_rules! table {
    (@key $field:ident) => { stringify!($field) };
    (@key $field:ident $key:literal) => { $key };
    (
        $(#[$doc:meta])* $name:ident, $what:literal, later [$($later:literal),*],
        { $($(#[doc = $text:literal])* $field:ident $(as $key:literal)?: $kind:ty = $example:literal,)* }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub(in crate::dialplan) struct $name {
            /// It has keys of a later version.
            pub later: bool,
            $($(#[doc = $text])* pub $field: $crate::dialplan::raw::Field<$kind>,)*
        }

        impl $name {
            /// Its keys, for the reference page.
            pub const SETTINGS: &[$crate::dialplan::raw::Setting] = &[$($crate::dialplan::raw::Setting {
                key: table!(@key $field $($key)?),
                example: $example,
                text: concat!($($text),*),
            },)*];
        }

        impl $crate::dialplan::raw::Read for $name {
            const WHAT: &'static str = "a table";

            fn read(
                value: &$crate::dialplan::raw::Value<'_>,
                sink: &mut $crate::dialplan::diagnostic::Sink,
            ) -> Result<Self, $crate::dialplan::raw::Mismatch> {
                const SHAPE: $crate::dialplan::raw::Shape = $crate::dialplan::raw::Shape {
                    what: $what,
                    known: &[$(table!(@key $field $($key)?)),*],
                    later: &[$($later),*],
                };
                let mut read = Self::default();
                for (key, value) in $crate::dialplan::raw::read::as_table(value)? {
                    let name: &str = key.get_ref();
                    $(
                        if name == table!(@key $field $($key)?) {
                            read.$field = $crate::dialplan::raw::read::field(name, value, $example, sink);
                            continue;
                        }
                    )*
                    match $crate::dialplan::raw::read::unknown(name, key.span(), value, &SHAPE, sink) {
                        $crate::dialplan::raw::Meant::Later => read.later = true,
                        // The misspelt key stands for the right one, so that this is not missed as well.
                        $crate::dialplan::raw::Meant::Known(meant) => {
                            $(
                                if meant == table!(@key $field $($key)?) && read.$field.is_absent() {
                                    read.$field = $crate::dialplan::raw::Field::Wrong;
                                }
                            )*
                        }
                        $crate::dialplan::raw::Meant::Unknown => {}
                    }
                }
                Ok(read)
            }
        }
    };
}
pub(in crate::dialplan) use table;
