//! Passwords: ours at a trunk, and a trunk's with us (`auth = { … }`, `[gateway] digest = { … }`).

use super::Checker;
use crate::dialplan::plan::{AuthSecret, Digest, DigestAlgorithm, Secret, TrunkAuth};
use crate::dialplan::raw::{Field, RawAuth, RawDigest, RawSecret, RawSecretTable};
use std::ops::Range;
use toml::Spanned;

/// A password of fewer characters that the whole Internet may try deserves a warning.
const SHORT: usize = 12;

/// `[gateway] digest = { … }`.
pub(super) fn digest(
    checker: &mut Checker<'_>,
    field: &Field<RawDigest>,
    domain: Option<&str>,
    has_users: bool,
) -> Digest {
    let standard = Digest::default();
    let algorithms = if has_users { vec![DigestAlgorithm::Md5] } else { standard.algorithms };
    let standard = Digest { realm: domain.map_or(standard.realm, str::to_owned), algorithms, ..standard };
    let Some(raw) = field.get().map(Spanned::get_ref) else { return standard };
    let mut algorithms = Vec::new();
    for value in raw.algorithms.get().map(Spanned::get_ref).into_iter().flatten() {
        let Some(algorithm) = checker.word("algorithms", value, &DigestAlgorithm::NAMES) else { continue };
        if algorithms.contains(&algorithm) {
            checker.sink.warning(value.span(), "this is named twice").label("offered already").help("take it out");
        } else {
            algorithms.push(algorithm);
        }
    }
    if let Some(list) = raw.algorithms.get().filter(|list| list.get_ref().is_empty()) {
        checker
            .sink
            .error(list.span(), "`algorithms` is empty")
            .label("nothing is offered")
            .help("take the line out for the usual ones: [\"SHA-256\", \"MD5\"]");
    }
    Digest {
        realm: checker.text("realm", &raw.realm).unwrap_or(standard.realm),
        algorithms: if algorithms.is_empty() { standard.algorithms } else { algorithms },
        body: raw.body.get().is_some_and(|value| *value.get_ref()),
    }
}

/// `auth = { … }` of a trunk.
pub(super) fn trunk(checker: &mut Checker<'_>, field: &Field<RawAuth>, digest: &Digest) -> Option<TrunkAuth> {
    let value = field.get()?;
    let raw = value.get_ref();
    let username = checker.text("username", &raw.username);
    if raw.username.is_absent() {
        checker
            .sink
            .error(value.span(), "`auth` needs a user name")
            .label("has no `username`")
            .help("add: username = \"pbx\"");
    }
    let secret = secret(checker, value.span(), "`auth`", (&raw.password, &raw.ha1), digest)?;
    Some(TrunkAuth { username: username?, secret })
}

/// A password or its hashes; one of the two. `whose` needs it, and begins at `place`.
pub(super) fn secret(
    checker: &mut Checker<'_>,
    place: Range<usize>,
    whose: &str,
    (password_field, ha1): (&Field<RawSecret>, &Field<RawSecret>),
    digest: &Digest,
) -> Option<AuthSecret> {
    match (password_field.get(), ha1.get()) {
        (Some(given), None) => {
            let password = password(checker, password_field)?;
            if password.reveal().chars().count() < SHORT && checker.checks.secrets_are_real() {
                checker
                    .sink
                    .warning(given.span(), "this password is short")
                    .label(format!("fewer than {SHORT} characters"))
                    .help("anybody may try to guess it; make it long and random: openssl rand -base64 24");
            }
            Some(AuthSecret::Password(password))
        }
        (None, Some(given)) => Some(AuthSecret::Hashes(hashes(checker, ha1, given.span(), digest)?)),
        (None, None) if password_field.is_absent() && ha1.is_absent() => {
            checker
                .sink
                .error(place, format!("{whose} needs a password"))
                .label("has neither `password` nor `ha1`")
                .help("add: password = { env = \"PASSWORD\" }");
            None
        }
        (Some(_), Some(given)) => {
            checker
                .sink
                .error(given.span(), "a password and its hash")
                .label("one of the two is enough")
                .help("take one out");
            None
        }
        (None, None) => None,
    }
}

/// `SHA-256:… MD5:…`; 32 digits alone are MD5's.
fn hashes(
    checker: &mut Checker<'_>,
    field: &Field<RawSecret>,
    span: Range<usize>,
    digest: &Digest,
) -> Option<Vec<(DigestAlgorithm, Secret)>> {
    let text = password(checker, field)?;
    if !checker.checks.secrets_are_real() {
        return Some(Vec::new());
    }
    let mut hashes: Vec<(DigestAlgorithm, Secret)> = Vec::new();
    for part in text.reveal().split([' ', '\t', '\n', '\r', ',']).filter(|part| !part.is_empty()) {
        let (name, hash) = part.split_once(':').unwrap_or(("MD5", part));
        let known = DigestAlgorithm::NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        let fits = known.filter(|(_, algorithm)| {
            hash.len() == algorithm.digits()
                && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
                && hashes.iter().all(|(other, _)| other != algorithm)
        });
        let Some((_, algorithm)) = fits else {
            checker
                .sink
                .error(span, "`ha1` holds what is no hash of user name, realm and password")
                .label("an algorithm, a colon and the hash in hexadecimal, each algorithm once")
                .help(format!(
                    "for example SHA-256:… made by: printf 'USERNAME:{}:PASSWORD' | sha256sum",
                    digest.realm
                ));
            return None;
        };
        hashes.push((*algorithm, Secret::new(hash.to_ascii_lowercase())));
    }
    if !digest.algorithms.iter().any(|offered| hashes.iter().any(|(algorithm, _)| algorithm == offered)) {
        checker
            .sink
            .error(span, "`ha1` is for no algorithm that is offered")
            .label("nobody could prove to know this password")
            .help("add a hash for one of `algorithms` in the gateway's `digest`; usual are SHA-256 and MD5");
        return None;
    }
    Some(hashes)
}

/// A secret, wherever it is kept.
pub(super) fn password(checker: &mut Checker<'_>, field: &Field<RawSecret>) -> Option<Secret> {
    let value = field.get()?;
    kept(checker, value.span(), &value.get_ref().0)
}

/// The same, once it is known to be written as a table at `place`.
pub(super) fn kept(checker: &mut Checker<'_>, place: Range<usize>, raw: &RawSecretTable) -> Option<Secret> {
    let given = [&raw.env, &raw.file, &raw.plain].iter().filter(|field| !field.is_absent()).count();
    if given != 1 {
        checker
            .sink
            .error(place, "a password comes from one place")
            .label(if given == 0 { "from none" } else { "from more than one" })
            .help("write { env = \"NAME\" }, { file = \"PATH\" } or { plain = \"…\" }");
        return None;
    }
    if let Some(name) = raw.env.get() {
        return match checker.checks.environment(name.get_ref()) {
            Some(text) if !text.is_empty() => Some(Secret::new(text)),
            other => {
                let state = if other.is_some() { "empty" } else { "not set" };
                checker
                    .sink
                    .error(name.span(), format!("the environment variable `{}` is {state}", name.get_ref()))
                    .label(state)
                    .help(format!("set it before the start: export {}=…", name.get_ref()));
                None
            }
        };
    }
    if let Some(path) = raw.file.get() {
        return match checker.checks.secret_file(&checker.base.join(path.get_ref())) {
            Ok(text) if !text.trim().is_empty() => Some(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned())),
            other => {
                let reason = other.err().unwrap_or_else(|| "it is empty".into());
                checker
                    .sink
                    .error(path.span(), "the password's file cannot be used")
                    .label(reason)
                    .help("make it a file with the password in its first line, readable for this user alone");
                None
            }
        };
    }
    checker.sink.secret(raw.plain.get()?.span());
    raw.plain.get().map(|text| Secret::new(text.get_ref().clone()))
}
