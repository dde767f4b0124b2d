//! Account and certificate on disk: a folder for each authority, `acme/HOST` in the data folder, for nobody else to
//! read.

use super::super::tls::{CertificateError, load_certificate};
use crate::dialplan::Acme;
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};
use tokio_rustls::rustls::sign::CertifiedKey;
use url::Url;
use webpki::{EndEntityCert, Error, KeyUsage};

/// The end of the year 9999: no certificate holds longer (RFC 5280 section 4.1.2.5).
const END_OF_TIME: u64 = 253_402_300_799;

/// The folder of one authority.
#[derive(Debug, Clone)]
pub(super) struct Files(PathBuf);

/// An account at the authority.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptAccount {
    pub(super) contact: Option<String>,
    pub(super) credentials: instant_acme::AccountCredentials,
}

/// A certificate with its key.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) key: CertifiedKey,
    pub(super) names: Vec<String>,
    pub(super) from: SystemTime,
    pub(super) until: SystemTime,
}

impl std::fmt::Display for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "valid until {}", humantime::format_rfc3339_seconds(self.until))
    }
}

impl Files {
    /// Makes the folder.
    pub(super) fn open(data: &Path, settings: &Acme) -> Result<Self, CertificateError> {
        let directory = Url::parse(&settings.directory).ok();
        let host = directory.as_ref().and_then(Url::host_str).unwrap_or("authority");
        let port = directory.as_ref().and_then(Url::port).map(|port| format!("-{port}")).unwrap_or_default();
        let folder = data.join("acme").join(format!("{host}{port}"));
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(|source| CertificateError::Folder { path: folder.clone(), source })?;
        Ok(Self(folder))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The account that was made before.
    pub(super) fn account(&self) -> Option<KeptAccount> {
        let text = fs::read(self.path("account.json")).ok()?;
        serde_json::from_slice(&text).inspect_err(|error| tracing::warn!("account.json of ACME: {error}")).ok()
    }

    pub(super) fn keep_account(&self, account: &KeptAccount) -> io::Result<()> {
        self.write("account.json", &serde_json::to_vec_pretty(account)?)
    }

    pub(super) fn forget_account(&self) {
        // Where it is not there, all is well.
        let _ = fs::remove_file(self.path("account.json"));
    }

    /// The certificate that was made last, if it holds and can be used.
    pub(super) fn certificate(&self) -> Option<Kept> {
        let path = self.path("certificate.pem");
        if !path.exists() {
            return None;
        }
        let read = load_certificate(&path, &path).map_err(|error| error.to_string());
        let kept = read.and_then(|key| Kept::new(key).ok_or_else(|| format!("{}: no times", path.display())));
        kept.inspect_err(|error| tracing::warn!("the certificate of ACME: {error}")).ok()
    }

    /// Keeps a certificate and its key, both PEM, and gives it back as it is shown.
    pub(super) fn keep_certificate(&self, pem: &str) -> io::Result<Kept> {
        self.write("certificate.pem", pem.as_bytes())?;
        self.certificate().ok_or_else(|| io::Error::other("what the authority gave is no certificate for our key"))
    }

    /// Writes a file whole or not at all.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let (path, new) = (self.path(name), self.path(&format!("{name}.new")));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(new, path)
    }
}

impl Kept {
    fn new(key: CertifiedKey) -> Option<Self> {
        let first = key.cert.first()?;
        let (from, until) = validity(first)?;
        let names = EndEntityCert::try_from(first).ok()?.valid_dns_names().map(str::to_owned).collect();
        Some(Self { names, from, until, key })
    }
}

/// From when until when a certificate holds: told by why it does not hold at the beginning and the end of time.
fn validity(certificate: &CertificateDer<'_>) -> Option<(SystemTime, SystemTime)> {
    let certificate = EndEntityCert::try_from(certificate).ok()?;
    let algorithms = ring::default_provider().signature_verification_algorithms.all;
    let verdict = |seconds| {
        let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        certificate.verify_for_usage(algorithms, &[], &[], time, KeyUsage::server_auth(), None, None).err()
    };
    let at = |time: UnixTime| UNIX_EPOCH + Duration::from_secs(time.as_secs());
    match (verdict(0)?, verdict(END_OF_TIME)?) {
        (Error::CertNotValidYet { not_before, .. }, Error::CertExpired { not_after, .. }) => {
            Some((at(not_before), at(not_after)))
        }
        _ => None,
    }
}
