//! `acme` of `[gateway]`.

use super::mistakes::{told, with};
use super::*;

fn acme(text: &str) -> plan::Acme {
    let text = with("gateway", &format!("https = \"[::]:443\"\nacme = {{ {text} }}"));
    let loaded = parse("dialplan.toml", &text, &Trusting).unwrap();
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    assert_eq!(loaded.plan.gateway.https_certificate, None);
    loaded.plan.gateway.acme.clone().unwrap()
}

#[test]
fn names_are_enough_for_a_certificate_and_the_rest_may_be_said() {
    let standard = acme("domains = \"Conference.Example.COM\"");
    assert_eq!(standard.domains, ["conference.example.com"]);
    assert_eq!(standard.directory, "https://acme-v02.api.letsencrypt.org/directory");
    assert_eq!((standard.contact, standard.ca), (None, None));
    let staging =
        acme("domains = \"a.example\", directory = \"letsencrypt-staging\", contact = \"mailto:a@b.example\"");
    assert_eq!(staging.directory, "https://acme-staging-v02.api.letsencrypt.org/directory");
    assert_eq!(staging.contact.as_deref(), Some("mailto:a@b.example"));
    let own =
        acme("domains = [\"a.example\", \"b.example\", \"a.example\"], directory = \"https://ca.example:9000/dir\"");
    assert_eq!((own.domains.len(), own.directory.as_str()), (2, "https://ca.example:9000/dir"));
}

#[test]
fn mistakes_with_a_certificate_by_acme_are_told_where_they_are() {
    for (text, expected) in [
        (
            "https = \"[::]:443\"\nacme = { domains = \"a.example\" }\nhttps_tls = { certificate = \"a\", key = \"k\" }",
            "3 error: HTTPS has a certificate from a file already <{ domains = \"a.example\" }>",
        ),
        (
            "acme = { domains = \"a.example\" }",
            "2 warning: no address is listened on by HTTPS <{ domains = \"a.example\" }>",
        ),
        (
            "https = \"[::]:443\"\nacme = { contact = \"a@b.example\" }",
            "3 error: a certificate is for names <{ contact = \"a@b.example\" }>",
        ),
        (
            "https = \"[::]:443\"\nacme = { domains = [\"192.0.2.1\"] }",
            "3 error: no authority gives a certificate for this by TLS-ALPN-01 <\"192.0.2.1\">",
        ),
        (
            "https = \"[::]:443\"\nacme = { domains = [\"*.example.com\"] }",
            "3 error: no authority gives a certificate for this by TLS-ALPN-01 <\"*.example.com\">",
        ),
        (
            "https = \"[::]:443\"\nacme = { domains = \"a.example\", contact = \"admin\" }",
            "3 error: `contact` is no mail address <\"admin\">",
        ),
        (
            "https = \"[::]:443\"\nacme = { domains = \"a.example\", directory = \"http://ca.example\" }",
            "3 error: this is no directory of an authority <\"http://ca.example\">",
        ),
    ] {
        assert_eq!(told(&with("gateway", text)), [expected]);
    }
}
