//! The dialplan as written: every value with its place in the file, nothing judged but its kind.
//!
//! The TOML tree is walked by hand, since serde stops at the first mistake and this must find them all.

mod api;
mod gateway;
mod ice;
mod ivr;
mod read;
mod room;
mod route;
mod trunk;
mod user;

pub(super) use api::{RawApi, RawToken};
pub(super) use gateway::{RawAcme, RawDigest, RawFetch, RawGateway, RawGatewayTls, RawOpus, RawRecordings};
pub(super) use ice::RawIce;
pub(super) use ivr::{RawCollect, RawIvr, RawSayTable, RawThen};
pub(super) use room::RawRoom;
pub(super) use route::RawRoute;
pub(super) use trunk::{RawAuth, RawSecretTable, RawTrunk, RawTrunkTls};
pub(super) use user::RawUser;

pub(super) use read::{Field, Meant, Mismatch, Named, Read, Setting, Shape, Value};

use super::diagnostic::Sink;
use read::table;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

type Strings = Vec<Spanned<String>>;

/// Reads a whole file. What is no TOML is told, and the rest is read all the same.
pub(super) fn read(text: &str, sink: &mut Sink) -> RawPlan {
    let (table, errors) = DeTable::parse_recoverable(text);
    let broken = !errors.is_empty();
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let help = mend(text, &span, error.message());
        sink.syntax(text, span, format!("this is not TOML: {}", error.message()), help);
    }
    let span = table.span();
    let value = Spanned::new(span, DeValue::Table(table.into_inner()));
    let mut plan = RawPlan::read(&value, sink).unwrap_or_default();
    plan.broken = broken;
    plan
}

/// What to write instead, for the mistakes that TOML invites to.
fn mend(text: &str, span: &Range<usize>, message: &str) -> Option<String> {
    let before = text.get(..span.start).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |at| at.saturating_add(1));
    let line = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let is_single_table =
        |name| line.trim_start().strip_prefix('[').is_some_and(|rest: &str| rest.trim_start().starts_with(name));
    if message.contains("duplicate") && is_single_table("routes") {
        return Some("each route begins with [[routes]], in two brackets".into());
    }
    if message.contains("escape") && line.contains('"') && line.contains('\\') {
        return Some("a pattern stands in single quotes, which leave \\ as it is: number = '\\+4420\\d+'".into());
    }
    None
}

/// The whole file.
#[derive(Debug, Default)]
pub(super) struct RawPlan {
    /// Some of the file could not be read at all, so that absence proves nothing.
    pub broken: bool,
    /// Its tables.
    pub tables: RawTables,
}

impl RawPlan {
    fn read(value: &Value<'_>, sink: &mut Sink) -> Option<Self> {
        if let DeValue::Table(tables) = value.get_ref()
            && let Some((key, written)) = tables.get_key_value("routes")
            && written.get_ref().is_table()
        {
            sink.error(key.span(), "routes are a list, and this is a single table")
                .label("[routes]")
                .help("each route begins with [[routes]], in two brackets");
        }
        RawTables::read(value, sink).ok().map(|tables| Self { broken: false, tables })
    }
}

table! {
    /// The top of the file.
    RawTables, "the dialplan", later ["scenarios", "voices", "store"],
    {
        /// Settings of the whole gateway.
        gateway: RawGateway = "a table [gateway]",
        /// Who may use the HTTP API.
        api: RawApi = "a table [api]",
        /// Servers that help browsers through firewalls.
        ice: RawIce = "a table [ice]",
        /// SIP peers that carry calls to and from the telephone network, each under a name of its own.
        trunks: Named<RawTrunk> = "a table [trunks.NAME]",
        /// Users: who calls and is called by a telephone or browser of their own, each under the name they are called
        /// by.
        users: Named<RawUser> = "a table [users.NAME]",
        /// Rooms, each under its name. Others are made on demand, where a route or an IVR names them.
        rooms: Named<RawRoom> = "a table [rooms.NAME]",
        /// What callers hear and key before they are let into a room, each under a name.
        ivr: Named<RawIvr> = "a table [ivr.NAME]",
        /// What happens to which call. The first that matches is taken, top to bottom.
        routes: Vec<Spanned<RawRoute>> = "tables [[routes]]",
    }
}

/// Something to be said: a word or text, or a table that says which.
#[derive(Debug)]
pub(super) enum RawSay {
    /// A prompt's name or a text.
    Plain(Spanned<String>),
    /// A table.
    Table(Box<RawSayTable>),
}

impl Read for RawSay {
    const WHAT: &'static str = "a text, a prompt's name, or { file = … }";

    fn read(value: &Value<'_>, sink: &mut Sink) -> Result<Self, Mismatch> {
        match value.get_ref() {
            DeValue::String(text) => Ok(Self::Plain(Spanned::new(value.span(), text.to_string()))),
            DeValue::Table(_) => RawSayTable::read(value, sink).map(|table| Self::Table(Box::new(table))),
            _ => Err(Mismatch::Kind),
        }
    }
}

/// A password: where it is to be found.
#[derive(Debug)]
pub(super) struct RawSecret(pub RawSecretTable);

impl Read for RawSecret {
    const WHAT: &'static str = "a table that says where the password is";

    fn read(value: &Value<'_>, sink: &mut Sink) -> Result<Self, Mismatch> {
        if value.get_ref().is_str() {
            sink.secret(value.span());
            sink.error(value.span(), "a password does not belong into the dialplan")
                .label("everybody who reads the file reads it")
                .help("write { env = \"NAME\" } or { file = \"PATH\" }; or, if it must be, { plain = \"…\" }");
            return Err(Mismatch::Reported);
        }
        RawSecretTable::read(value, sink).map(Self)
    }
}

/// A URL, or where it is to be found.
#[derive(Debug)]
pub(super) enum RawUrl {
    /// As it stands.
    Plain(Spanned<String>),
    /// In the environment or a file, since there is a password in it.
    Secret(Box<RawSecretTable>),
}

impl Read for RawUrl {
    const WHAT: &'static str = "a URL, or a table that says where it is";

    fn read(value: &Value<'_>, sink: &mut Sink) -> Result<Self, Mismatch> {
        match value.get_ref() {
            DeValue::String(text) => Ok(Self::Plain(Spanned::new(value.span(), text.to_string()))),
            DeValue::Table(_) => RawSecretTable::read(value, sink).map(|table| Self::Secret(Box::new(table))),
            _ => Err(Mismatch::Kind),
        }
    }
}

/// A PIN. Not printed by Debug.
pub(super) struct RawPin(pub String);

impl std::fmt::Debug for RawPin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RawPin(••••)")
    }
}

impl Read for RawPin {
    const WHAT: &'static str = "digits in quotes";

    fn read(value: &Value<'_>, sink: &mut Sink) -> Result<Self, Mismatch> {
        sink.secret(value.span());
        match value.get_ref() {
            DeValue::String(text) => Ok(Self(text.to_string())),
            DeValue::Integer(_) => {
                sink.error(value.span(), "a PIN stands in quotes")
                    .label("a number loses its leading zeros")
                    .help("put quotes around the digits");
                Err(Mismatch::Reported)
            }
            _ => Err(Mismatch::Kind),
        }
    }
}

/// `true`, `false`, or a word that says how.
#[derive(Debug)]
pub(super) enum RawRegister {
    /// Whether.
    Plain(bool),
    /// How.
    Word(Spanned<String>),
}

impl Read for RawRegister {
    const WHAT: &'static str = "true, false or \"bulk\"";

    fn read(value: &Value<'_>, _: &mut Sink) -> Result<Self, Mismatch> {
        match value.get_ref() {
            DeValue::Boolean(whether) => Ok(Self::Plain(*whether)),
            DeValue::String(word) => Ok(Self::Word(Spanned::new(value.span(), word.to_string()))),
            _ => Err(Mismatch::Kind),
        }
    }
}

/// A length of time as text.
#[derive(Debug)]
pub(super) struct RawDuration(pub String);

impl Read for RawDuration {
    const WHAT: &'static str = "a length of time with its unit, in quotes";

    fn read(value: &Value<'_>, _: &mut Sink) -> Result<Self, Mismatch> {
        value.get_ref().as_str().map(|text| Self(text.to_owned())).ok_or(Mismatch::Kind)
    }
}
