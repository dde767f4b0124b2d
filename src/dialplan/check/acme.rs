//! `acme` of `[gateway]`.

use super::Checker;
use super::values::parse_host;
use crate::dialplan::plan::Acme;
use crate::dialplan::raw::{Field, RawAcme, RawGatewayTls};
use toml::Spanned;
use url::Url;

/// Directories that have a word of their own.
const DIRECTORIES: [(&str, &str); 2] = [
    ("letsencrypt", "https://acme-v02.api.letsencrypt.org/directory"),
    ("letsencrypt-staging", "https://acme-staging-v02.api.letsencrypt.org/directory"),
];

/// `own` is the certificate of `https` from a file; `listens`: `https` has an address.
pub(super) fn check(
    checker: &mut Checker<'_>,
    field: &Field<RawAcme>,
    own: &Field<RawGatewayTls>,
    listens: bool,
) -> Option<Acme> {
    let value = field.get()?;
    let raw = value.get_ref();
    if let Some(own) = own.get() {
        checker
            .sink
            .error(value.span(), "HTTPS has a certificate from a file already")
            .label("one of the two is shown")
            .also(own.span(), "this one")
            .help("take one of the two out");
    }
    if !listens {
        let warning = checker.sink.warning(value.span(), "no address is listened on by HTTPS");
        warning.label("has no effect").help("add: https = \"0.0.0.0:443\"");
    }
    let domains = domains(checker, value, raw);
    let contact = checker.text("contact", &raw.contact).and_then(|text| contact(checker, &raw.contact, &text));
    let directory = match raw.directory.get() {
        None => Some(DIRECTORIES[0].1.to_owned()),
        Some(value) => directory(checker, value),
    };
    let ca = checker.path("ca", &raw.ca);
    if let (Some(path), Some(value)) = (&ca, raw.ca.get())
        && let Err(reason) = checker.checks.authorities(path)
    {
        checker.sink.error(value.span(), "no roots can be read from this file").label(reason);
    }
    let domains = domains.filter(|domains| !domains.is_empty())?;
    Some(Acme { domains, contact, directory: directory?, ca })
}

fn domains(checker: &mut Checker<'_>, value: &Spanned<RawAcme>, raw: &RawAcme) -> Option<Vec<String>> {
    let list = raw.domains.get();
    if list.is_none_or(|list| list.get_ref().is_empty()) {
        let error = checker.sink.error(value.span(), "a certificate is for names");
        error.label("has no `domains`").help("add: domains = [\"conference.example.com\"]");
    }
    let mut found = Vec::new();
    for name in list?.get_ref() {
        let text = name.get_ref().to_ascii_lowercase();
        let is_name = parse_host(&text).is_ok_and(|host| host.port.is_none() && host.ip().is_none());
        if is_name && text.contains('.') && !text.ends_with('.') {
            if !found.contains(&text) {
                found.push(text);
            }
            continue;
        }
        checker
            .sink
            .error(name.span(), "no authority gives a certificate for this by TLS-ALPN-01")
            .label("a whole host name; no address, and no `*`")
            .help("for example \"conference.example.com\"");
    }
    Some(found)
}

fn contact(checker: &mut Checker<'_>, field: &Field<String>, text: &str) -> Option<String> {
    let address = text.strip_prefix("mailto:").unwrap_or(text);
    let is_address = address.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && host.contains('.') && !host.contains('@') && address.is_ascii()
    }) && !address.contains(char::is_whitespace);
    if is_address {
        return Some(format!("mailto:{address}"));
    }
    let error = checker.sink.error(field.get()?.span(), "`contact` is no mail address");
    error.label("the authority could not write to it").help("for example \"admin@example.com\"");
    None
}

fn directory(checker: &mut Checker<'_>, value: &Spanned<String>) -> Option<String> {
    let text = value.get_ref().as_str();
    if let Some((_, url)) = DIRECTORIES.iter().find(|(word, _)| *word == text) {
        return Some((*url).to_owned());
    }
    let url = Url::parse(text).ok().filter(|url| {
        url.scheme() == "https" && url.has_host() && url.username().is_empty() && url.password().is_none()
    });
    if url.is_none() {
        checker
            .sink
            .error(value.span(), "this is no directory of an authority")
            .label("`letsencrypt`, `letsencrypt-staging`, or a URL that begins with https://")
            .help("for example \"https://ca.example/acme/directory\"");
    }
    url.map(|_| text.to_owned())
}
