//! Certificates for tests: an authority that signs what it is asked to.

use crate::dialplan::CertificateFiles;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType, date_time_ymd};
use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;

pub(in crate::net) struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate.
    pub(in crate::net) ca: PathBuf,
}

impl Authority {
    /// A new one, with a folder of its own below the system's for temporary files.
    pub(in crate::net) fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("partyline-tls-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let ca = folder.join("ca.pem");
        fs::write(&ca, params.self_signed(&key).unwrap().pem()).unwrap();
        Self { folder, issuer: Issuer::new(params, key), ca }
    }

    /// A good certificate for these names: `sip:` URIs, IP addresses and domains.
    pub(in crate::net) fn issue(&self, file: &str, names: &[&str]) -> CertificateFiles {
        self.issue_until(file, names, 2099)
    }

    /// The same, good until the end of a year.
    pub(in crate::net) fn issue_until(&self, file: &str, names: &[&str], year: i32) -> CertificateFiles {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names
            .iter()
            .map(|name| match name.parse::<IpAddr>() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) if name.contains(':') => SanType::URI((*name).try_into().unwrap()),
                Err(_) => SanType::DnsName((*name).try_into().unwrap()),
            })
            .collect();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, 12, 31);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let files = CertificateFiles {
            certificate: self.folder.join(format!("{file}.pem")),
            key: self.folder.join(format!("{file}.key.pem")),
        };
        fs::write(&files.certificate, certificate.pem()).unwrap();
        fs::write(&files.key, key.serialize_pem()).unwrap();
        files
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
