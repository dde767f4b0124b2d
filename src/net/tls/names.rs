//! Whose certificate it is: SIP domains by RFC 5922.

use std::net::IpAddr;
use tokio_rustls::rustls::pki_types::ServerName;
use webpki::EndEntityCert;

/// Whether `certificate` speaks for `name`, a domain or an IP address (RFC 5922 section 7.2): a SIP URI among its
/// alternative names decides, and only where there is none do the DNS names. `*.example` stands for itself alone unless
/// `wildcard` allows one label in its place.
pub(super) fn speaks_for(certificate: &EndEntityCert<'_>, name: &str, wildcard: bool) -> bool {
    if let Ok(address) = name.parse::<IpAddr>() {
        return certificate.verify_is_valid_for_subject_name(&ServerName::from(address)).is_ok();
    }
    let mut domains = certificate.valid_uri_names().filter_map(sip_domain).peekable();
    if domains.peek().is_some() {
        return domains.any(|domain| domain.eq_ignore_ascii_case(name));
    }
    certificate.valid_dns_names().any(|held| is_name(held, name, wildcard))
}

/// The names a certificate holds, for the log.
pub(super) fn held(certificate: &EndEntityCert<'_>) -> String {
    let names: Vec<&str> = certificate.valid_uri_names().chain(certificate.valid_dns_names()).take(8).collect();
    if names.is_empty() { "no name".into() } else { names.join(", ") }
}

/// The domain in a SIP URI without a user: one with a user is a person's, not a domain's (RFC 5922 section 7.1).
fn sip_domain(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once(':')?;
    let is_sip = scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips");
    let host = rest.split([';', '?']).next()?;
    (is_sip && !host.contains('@') && !host.is_empty()).then_some(host)
}

fn is_name(held: &str, name: &str, wildcard: bool) -> bool {
    let held = held.trim_end_matches('.');
    if let (true, Some(parent)) = (wildcard, held.strip_prefix("*.")) {
        return name.split_once('.').is_some_and(|(label, rest)| {
            !label.is_empty() && parent.contains('.') && rest.eq_ignore_ascii_case(parent)
        });
    }
    held.eq_ignore_ascii_case(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_with_a_user_is_no_domain() {
        assert_eq!(sip_domain("sip:a.example"), Some("a.example"));
        assert_eq!(sip_domain("SIPS:a.example;x"), Some("a.example"));
        for uri in ["sip:bob@a.example", "https://a.example", "a.example", "sip:"] {
            assert_eq!(sip_domain(uri), None, "{uri}");
        }
    }

    #[test]
    fn a_wildcard_stands_for_one_label_and_only_where_it_is_allowed() {
        assert!(is_name("SIP.a.example", "sip.a.example", false));
        assert!(!is_name("*.a.example", "sip.a.example", false));
        assert!(is_name("*.a.example", "sip.a.example", true));
        for name in ["a.example", "x.sip.a.example", ".a.example", "sip.b.example"] {
            assert!(!is_name("*.a.example", name, true), "{name}");
        }
        assert!(!is_name("*.example", "a.example", true), "a whole top-level domain");
    }
}
