//! Certificates, keys and roots from PEM files.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use tokio_rustls::rustls::sign::CertifiedKey;

/// How long the system's roots are taken as read.
const ROOTS_FRESH: Duration = Duration::from_secs(3_600);

/// Why a certificate, key or file of roots cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The file cannot be read, or is no PEM.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// The file holds no certificate.
    #[error("{}: there is no certificate in it", .0.display())]
    Empty(PathBuf),
    /// The key is of a kind that is not known, or is not the certificate's.
    #[error("{}: {source}", path.display())]
    Key {
        /// The certificate's file.
        path: PathBuf,
        /// Why.
        source: tokio_rustls::rustls::Error,
    },
    /// The folder of certificates that we get ourselves cannot be made.
    #[error("{}: {source}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The system has no roots to trust.
    #[error("the system has no root certificates: install ca-certificates, or set `ca`")]
    NoRoots,
}

/// Reads a certificate chain and its key, and checks that they belong together.
///
/// # Errors
/// When one cannot be read, or they do not belong together.
pub fn load_certificate(certificate: &Path, key: &Path) -> Result<CertifiedKey, CertificateError> {
    let chain = certificates(certificate)?;
    let private =
        PrivateKeyDer::from_pem_file(key).map_err(|source| CertificateError::File { path: key.to_owned(), source })?;
    CertifiedKey::from_der(chain, private, &ring::default_provider())
        .map_err(|source| CertificateError::Key { path: certificate.to_owned(), source })
}

/// Reads a file of roots.
///
/// # Errors
/// When it cannot be read, or holds none that can be used.
pub fn load_roots(path: &Path) -> Result<RootCertStore, CertificateError> {
    let mut roots = RootCertStore::empty();
    let (good, _) = roots.add_parsable_certificates(certificates(path)?);
    if good == 0 { Err(CertificateError::Empty(path.to_owned())) } else { Ok(roots) }
}

pub(in crate::net) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let failed = |source| CertificateError::File { path: path.to_owned(), source };
    let read: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).map_err(failed)?.collect();
    let read = read.map_err(failed)?;
    if read.is_empty() { Err(CertificateError::Empty(path.to_owned())) } else { Ok(read) }
}

/// The system's roots, read once an hour at most: what the administrator adds or takes away is heeded without a
/// restart.
///
/// # Errors
/// When there are none.
pub(super) fn system_roots() -> Result<Arc<RootCertStore>, CertificateError> {
    static ROOTS: Mutex<Option<(Instant, Arc<RootCertStore>)>> = Mutex::new(None);
    let mut known = ROOTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((read, roots)) = known.as_ref().filter(|(read, _)| read.elapsed() < ROOTS_FRESH) {
        let _ = read;
        return Ok(Arc::clone(roots));
    }
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::debug!(%error, "system roots");
    }
    if roots.add_parsable_certificates(found.certs).0 == 0 {
        return Err(CertificateError::NoRoots);
    }
    let roots = Arc::new(roots);
    *known = Some((Instant::now(), Arc::clone(&roots)));
    Ok(roots)
}
