//! Certificates for peers that speak TLS.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use std::path::Path;

/// Writes an authority's `ca.pem`, and of a host named `name` the `{file}.pem` and `{file}.key.pem` it signed.
pub fn issue(folder: &Path, file: &str, name: &str) {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "Authority of a test");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    std::fs::write(folder.join("ca.pem"), authority.self_signed(&key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(authority, key);

    let mut host = CertificateParams::new([name.to_owned()]).unwrap();
    host.not_before = date_time_ymd(2020, 1, 1);
    host.not_after = date_time_ymd(2099, 12, 31);
    let key = KeyPair::generate().unwrap();
    let certificate = host.signed_by(&key, &issuer).unwrap();
    std::fs::write(folder.join(format!("{file}.pem")), certificate.pem()).unwrap();
    std::fs::write(folder.join(format!("{file}.key.pem")), key.serialize_pem()).unwrap();
}
