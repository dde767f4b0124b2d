//! `[gateway] database`: a file of SQLite, or PostgreSQL.

use super::{Checker, auth};
use crate::dialplan::plan::{Database, Secret};
use crate::dialplan::raw::{Field, RawUrl};
use std::ops::Range;
use std::path::Path;
use toml::Spanned;
use url::Url;

/// The database; `data` is the gateway's folder.
pub(super) fn check(checker: &mut Checker<'_>, field: &Field<RawUrl>, data: &Path) -> Database {
    let standard = || Database::Sqlite(data.join("partyline.db"));
    let Some(value) = field.get() else { return standard() };
    let place = value.span();
    let found = match value.get_ref() {
        RawUrl::Plain(text) => plain(checker, text),
        RawUrl::Secret(table) => {
            let url = auth::kept(checker, place.clone(), table);
            url.and_then(|url| secret(checker, place, url))
        }
    };
    found.unwrap_or_else(standard)
}

fn plain(checker: &mut Checker<'_>, text: &Spanned<String>) -> Option<Database> {
    let url = text.get_ref();
    if is_postgres(url) && Url::parse(url).is_ok_and(|url| url.password().is_some()) {
        checker.sink.secret(text.span());
        checker
            .sink
            .error(text.span(), "a password does not belong into the dialplan")
            .label("everybody who reads the file reads it")
            .help("write { env = \"NAME\" } or { file = \"PATH\" }, with the whole URL there");
        return None;
    }
    read(checker, text.span(), url)
}

fn secret(checker: &mut Checker<'_>, place: Range<usize>, url: Secret) -> Option<Database> {
    if !checker.checks.secrets_are_real() {
        return Some(Database::Postgres(url));
    }
    read(checker, place, url.reveal())
}

fn read(checker: &mut Checker<'_>, place: Range<usize>, url: &str) -> Option<Database> {
    if let Some(path) = url.strip_prefix("sqlite://").filter(|path| !path.is_empty()) {
        return Some(Database::Sqlite(checker.base.join(path)));
    }
    if is_postgres(url) && Url::parse(url).is_ok_and(|url| url.host_str().is_some_and(|host| !host.is_empty())) {
        return Some(Database::Postgres(Secret::new(url.to_owned())));
    }
    checker
        .sink
        .error(place, "this is no database that users can be kept in")
        .label("begins with sqlite:// or postgres://")
        .help("for example \"sqlite://var/partyline.db\" or \"postgres://partyline@127.0.0.1/partyline\"");
    None
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}
