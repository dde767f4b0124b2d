//! `[gateway.tls]`, `acme` of `[gateway]`, and `[trunks.*.tls]`.

use std::path::PathBuf;

/// A certificate with its key, both PEM.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CertificateFiles {
    /// The certificate, followed by those that lead to its root.
    pub certificate: PathBuf,
    /// Its private key: PKCS #8, SEC1 or PKCS #1, not encrypted.
    pub key: PathBuf,
}

/// A certificate that the gateway gets itself (RFC 8555).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acme {
    /// The names it is for, in lower case; at least one.
    pub domains: Vec<String>,
    /// A URL that the authority may write to: `mailto:…`.
    pub contact: Option<String>,
    /// URL of the authority's directory. Default: that of Let's Encrypt.
    pub directory: String,
    /// Roots that the authority's own server is believed by. Default: the system's.
    pub ca: Option<PathBuf>,
}

/// TLS between us and one trunk.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TrunkTls {
    /// What we show when the trunk asks for a certificate. Default: none.
    pub certificate: Option<CertificateFiles>,
    /// Roots its certificate must lead to. Default: the system's.
    pub ca: Option<PathBuf>,
    /// The name its certificate must hold. Default: the host in `address` (or `proxy`), as RFC 5922 has it.
    pub name: Option<String>,
    /// Whether `*.carrier.example` in a certificate stands for `sip.carrier.example`. RFC 5922 section 7.2 says no,
    /// which is the default; some providers have such certificates all the same.
    pub wildcard: bool,
    /// Whether its certificate is looked at at all. Default yes; no lets anybody on the way take the calls.
    pub verify: bool,
    /// Connections with a client certificate for one of these names are this trunk's, wherever they come from. The
    /// certificate must lead to `ca`, or to the system's roots. Default: none.
    pub accept: Vec<String>,
}

impl Default for TrunkTls {
    fn default() -> Self {
        Self { certificate: None, ca: None, name: None, wildcard: false, verify: true, accept: Vec::new() }
    }
}
