//! `[gateway.tls]` and `[trunks.*.tls]`: files that can be used, names that can be compared.

use super::Checker;
use super::values::parse_host;
use crate::dialplan::plan::{CertificateFiles, TrunkTls};
use crate::dialplan::raw::{Field, RawGatewayTls, RawTrunkTls};
use std::ops::Range;
use toml::Spanned;

/// The certificate we show to those who connect. `listens` is the place of the first `tls://` address.
pub(super) fn gateway(
    checker: &mut Checker<'_>,
    field: &Field<RawGatewayTls>,
    listens: Option<Range<usize>>,
) -> Option<CertificateFiles> {
    let files = field.get().and_then(|raw| files(checker, raw.span(), &raw.get_ref().certificate, &raw.get_ref().key));
    match (listens, field.get()) {
        (Some(place), None) if field.is_absent() => {
            checker
                .sink
                .error(place, "TLS needs a certificate")
                .label("what would we show?")
                .help("add: tls = { certificate = \"chain.pem\", key = \"key.pem\" }");
        }
        (Some(_), Some(raw)) if raw.get_ref().certificate.is_absent() && raw.get_ref().key.is_absent() => {
            checker.sink.error(raw.span(), "TLS needs a certificate").label("has neither `certificate` nor `key`");
        }
        (None, Some(raw)) => {
            let warning = checker.sink.warning(raw.span(), "no address is listened on by TLS");
            warning.label("has no effect").help("add to `sip`: \"tls://0.0.0.0:5061\"");
        }
        _ => {}
    }
    files
}

/// The certificate that HTTPS shows, where it is one of its own; `listens`: `https` has an address.
pub(super) fn https(
    checker: &mut Checker<'_>,
    field: &Field<RawGatewayTls>,
    listens: bool,
) -> Option<CertificateFiles> {
    let raw = field.get()?;
    let files = files(checker, raw.span(), &raw.get_ref().certificate, &raw.get_ref().key);
    if raw.get_ref().certificate.is_absent() && raw.get_ref().key.is_absent() {
        checker.sink.error(raw.span(), "HTTPS needs a certificate").label("has neither `certificate` nor `key`");
    } else if !listens {
        let warning = checker.sink.warning(raw.span(), "no address is listened on by HTTPS");
        warning.label("has no effect").help("add: https = \"0.0.0.0:8443\"");
    }
    files
}

/// A trunk's settings.
pub(super) fn trunk(checker: &mut Checker<'_>, field: &Field<RawTrunkTls>) -> TrunkTls {
    let standard = TrunkTls::default();
    let Some(value) = field.get() else { return standard };
    let raw = value.get_ref();
    let verify = raw.verify.get().is_none_or(|value| *value.get_ref());
    if let (false, Some(value)) = (verify, raw.verify.get()) {
        checker
            .sink
            .warning(value.span(), "this trunk's certificate is not looked at")
            .label("anybody on the way can take its calls and its password")
            .help("name the certificate that signs it: ca = \"FILE\"");
    }
    let ca = checker.path("ca", &raw.ca);
    if let (Some(path), Some(value)) = (&ca, raw.ca.get())
        && let Err(reason) = checker.checks.authorities(path)
    {
        checker.sink.error(value.span(), "no roots can be read from this file").label(reason);
    }
    let mut accept = Vec::new();
    for value in raw.accept.get().map(Spanned::get_ref).into_iter().flatten() {
        accept.extend(name(checker, "accept", value));
    }
    TrunkTls {
        certificate: files(checker, value.span(), &raw.certificate, &raw.key),
        ca,
        name: raw.name.get().and_then(|value| name(checker, "name", value)),
        wildcard: raw.wildcard.get().is_some_and(|value| *value.get_ref()),
        verify,
        accept,
    }
}

/// A name as certificates hold it.
fn name(checker: &mut Checker<'_>, key: &str, value: &Spanned<String>) -> Option<String> {
    match parse_host(value.get_ref()) {
        Ok(host) if host.port.is_none() => Some(host.host.trim_end_matches('.').to_owned()),
        other => {
            let label = other.err().unwrap_or("the name alone, without a port");
            checker
                .sink
                .error(value.span(), format!("`{key}` is no name that a certificate holds"))
                .label(label)
                .help("for example \"sip.carrier.example\"");
            None
        }
    }
}

fn files(
    checker: &mut Checker<'_>,
    place: Range<usize>,
    certificate: &Field<String>,
    key: &Field<String>,
) -> Option<CertificateFiles> {
    let missing = match (certificate.is_absent(), key.is_absent()) {
        (true, false) => Some("certificate"),
        (false, true) => Some("key"),
        _ => None,
    };
    if let Some(missing) = missing {
        checker
            .sink
            .error(place.clone(), "a certificate and its key belong together")
            .label(format!("has no `{missing}`"))
            .help(format!("add: {missing} = \"FILE.pem\""));
    }
    let files =
        CertificateFiles { certificate: checker.path("certificate", certificate)?, key: checker.path("key", key)? };
    if let Err(reason) = checker.checks.certificate(&files.certificate, &files.key) {
        let place = certificate.get().map_or(place, Spanned::span);
        checker.sink.error(place, "this certificate cannot be used").label(reason);
    }
    Some(files)
}
