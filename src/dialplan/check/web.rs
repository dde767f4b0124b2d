//! The HTTP server: its addresses and certificate (`[gateway]`), and who may use its API (`[api]`).

use super::gateway::Placed;
use super::{Checker, acme, auth, entries, tls};
use crate::dialplan::plan::{Acme, Api, ApiRole, ApiToken, CertificateFiles, Gateway, Origins};
use crate::dialplan::raw::{Field, RawApi, RawGateway, RawToken};
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::ops::Range;
use toml::Spanned;
use url::Url;

/// A token of fewer characters could be guessed.
const SHORT: usize = 20;

/// The addresses of the HTTP server, and the certificates of `[gateway]`.
pub(super) struct Web {
    /// Of SIP by TLS.
    pub(super) certificate: Option<CertificateFiles>,
    pub(super) http: Vec<SocketAddr>,
    pub(super) https: Vec<SocketAddr>,
    pub(super) https_certificate: Option<CertificateFiles>,
    pub(super) acme: Option<Acme>,
    pub(super) ice_tcp: Vec<SocketAddr>,
    /// All addresses, with their places in the file.
    pub(super) places: Vec<Placed<SocketAddr>>,
}

/// `sip_tls` is the place of the first `tls://` address that SIP is taken on.
pub(super) fn check(checker: &mut Checker<'_>, raw: &RawGateway, sip_tls: Option<Range<usize>>) -> Web {
    let http = addresses(checker, "http", &raw.http);
    let https = addresses(checker, "https", &raw.https);
    let listens = !https.is_empty();
    let acme = acme::check(checker, &raw.acme, &raw.https_tls, listens);
    // Without a place there is nothing that needs a certificate from a file.
    let by_https = https.first().filter(|_| raw.acme.is_absent()).map(|(_, place)| place.clone());
    let (certificate, https_certificate) = match by_https.filter(|_| raw.https_tls.is_absent()) {
        // The certificate of SIP serves for HTTPS as well.
        Some(place) => {
            let certificate = tls::gateway(checker, &raw.tls, sip_tls.or(Some(place)));
            (certificate.clone(), certificate)
        }
        None => {
            let certificate = tls::gateway(checker, &raw.tls, sip_tls);
            (certificate, tls::https(checker, &raw.https_tls, listens))
        }
    };
    let ice_tcp = addresses(checker, "ice_tcp", &raw.ice_tcp);
    let just = |places: &[Placed<SocketAddr>]| places.iter().map(|(address, _)| *address).collect();
    Web {
        certificate,
        https_certificate,
        http: just(&http),
        https: just(&https),
        acme,
        ice_tcp: just(&ice_tcp),
        places: http.into_iter().chain(https).chain(ice_tcp).collect(),
    }
}

fn addresses(checker: &mut Checker<'_>, key: &str, field: &Field<Vec<Spanned<String>>>) -> Vec<Placed<SocketAddr>> {
    let mut found = Vec::new();
    for value in field.get().map(Spanned::get_ref).into_iter().flatten() {
        match value.get_ref().parse::<SocketAddr>() {
            Ok(address) if address.port() != 0 => found.push((address, value.span())),
            _ => {
                checker
                    .sink
                    .error(value.span(), format!("`{key}` is no address to listen on"))
                    .label("an IP address and a port")
                    .help("for example \"0.0.0.0:8080\" or \"[::]:8080\"");
            }
        }
    }
    found
}

/// `origins`, each as browsers write it.
pub(super) fn origins(checker: &mut Checker<'_>, field: &Field<Vec<Spanned<String>>>) -> Origins {
    let Some(list) = field.get() else { return Origins::default() };
    let mut found = Vec::new();
    for value in list.get_ref() {
        if value.get_ref() == "*" {
            checker
                .sink
                .warning(value.span(), "whatever page may open WebSockets")
                .label("of every site")
                .help("name the sites: origins = [\"https://app.example\"]");
            return Origins::All;
        }
        let url = Url::parse(value.get_ref()).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.path() == "/"
                && url.query().is_none()
                && url.fragment().is_none()
                && url.username().is_empty()
                && url.password().is_none()
        });
        match url {
            Some(url) => found.push(url.origin().ascii_serialization()),
            None => {
                checker
                    .sink
                    .error(value.span(), "this is no origin of pages")
                    .label("http:// or https://, a host, and a port if it is not the usual one")
                    .help("for example \"https://app.example\" or \"http://localhost:3000\"");
            }
        }
    }
    Origins::Some(found)
}

/// `[api]`.
pub(super) fn api(checker: &mut Checker<'_>, field: &Field<RawApi>, gateway: &Gateway) -> Api {
    let Some(value) = field.get() else { return Api::default() };
    let named = entries(&value.get_ref().tokens);
    let mut tokens: Vec<(ApiToken, Range<usize>)> = Vec::new();
    for (name, raw) in named {
        checker.name("token", name);
        let Some(token) = token(checker, name, raw) else { continue };
        let same = tokens.iter().find(|(other, _)| other.hash == token.hash && checker.checks.secrets_are_real());
        if let Some((_, first)) = same {
            let first = first.clone();
            checker
                .sink
                .error(name.span(), "two tokens are the same")
                .label("who has one has the other")
                .also(first, "this one")
                .help("make another one: openssl rand -hex 24");
        }
        tokens.push((token, name.span()));
    }
    if let (Some((name, _)), true) = (named.first(), gateway.http.is_empty() && gateway.https.is_empty()) {
        checker
            .sink
            .warning(name.span(), "there is no HTTP server")
            .label("has no effect")
            .help("add to [gateway]: http = \"127.0.0.1:8080\"");
    }
    let in_clear = gateway.http.iter().find(|address| !address.ip().is_loopback());
    if let (Some((name, _)), Some(address), true) = (named.first(), in_clear, gateway.trusted_proxies.is_empty()) {
        checker
            .sink
            .warning(name.span(), format!("tokens are sent in clear to {address}"))
            .label("whoever listens on the way has them")
            .help("use `https`, or a reverse proxy that `trusted_proxies` names");
    }
    Api { tokens: tokens.into_iter().map(|(token, _)| token).collect() }
}

fn token(checker: &mut Checker<'_>, name: &Spanned<String>, raw: &RawToken) -> Option<ApiToken> {
    let hash = hash(checker, name, raw);
    if raw.role.is_absent() {
        checker
            .sink
            .error(name.span(), "a token needs a role")
            .label("has no `role`")
            .help("add: role = \"viewer\", \"operator\" or \"admin\"");
    }
    let role = raw.role.get().and_then(|value| checker.word("role", value, &ApiRole::NAMES));
    let rooms = raw.rooms.get().map(|list| {
        if list.get_ref().is_empty() {
            let error = checker.sink.error(list.span(), "this token may see no room");
            error.label("empty").help("take the line out for all rooms");
        } else if role == Some(ApiRole::Admin) {
            let error = checker.sink.error(list.span(), "an admin has all rooms");
            error.label("limits nothing").help("take the line out, or make it role = \"operator\"");
        }
        list.get_ref().iter().map(|room| room.get_ref().clone()).collect()
    });
    Some(ApiToken { name: name.get_ref().clone(), hash: hash?, role: role?, rooms })
}

fn hash(checker: &mut Checker<'_>, name: &Spanned<String>, raw: &RawToken) -> Option<[u8; 32]> {
    match (raw.token.get(), raw.sha256.get()) {
        (Some(given), None) => {
            let token = auth::password(checker, &raw.token)?;
            if token.reveal().chars().count() < SHORT && checker.checks.secrets_are_real() {
                checker
                    .sink
                    .error(given.span(), "this token is short")
                    .label(format!("fewer than {SHORT} characters"))
                    .help("anybody may try to guess it; make it long and random: openssl rand -hex 24");
            }
            Some(Sha256::digest(token.reveal()).into())
        }
        (None, Some(value)) => {
            let hash = from_hex(value.get_ref());
            if hash.is_none() {
                checker
                    .sink
                    .error(value.span(), "`sha256` is no SHA-256")
                    .label("64 hexadecimal digits")
                    .help("made by: printf %s TOKEN | sha256sum");
            }
            hash
        }
        (Some(_), Some(value)) => {
            let error = checker.sink.error(value.span(), "a token and its hash");
            error.label("one of the two is enough").help("take one out");
            None
        }
        (None, None) => {
            if raw.token.is_absent() && raw.sha256.is_absent() {
                checker
                    .sink
                    .error(name.span(), "there is no token")
                    .label("has neither `token` nor `sha256`")
                    .help("add: token = { env = \"API_TOKEN\" }");
            }
            None
        }
    }
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut hash = [0; 32];
    for (at, octet) in hash.iter_mut().enumerate() {
        *octet = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(hash)
}
