//! The certificate of HTTPS from an authority that speaks ACME (RFC 8555), kept from the first start on.
//!
//! A task on the HTTP server's thread orders it, proves that the names are ours by TLS-ALPN-01 (RFC 8737) on the HTTPS
//! port itself, and renews it when a third of its time is left. It lies in the data folder, and is shown for as long as
//! it holds, whatever the authority does; what goes wrong is told by the log and the status, and tried again.
//!
//! | file | what happens there |
//! |---|---|
//! | `client.rs` | requests to the authority |
//! | `files.rs` | account and certificate on disk |
//! | `order.rs` | one order, from the account to the certificate |

mod client;
mod files;
mod order;
#[cfg(test)]
mod tests;

use super::tls::{CertificateError, server_config};
use crate::dialplan::{Acme, Plan};
use files::{Files, Kept};
use order::obtain;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::{Duration, SystemTime};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

/// What a connection speaks that only proves a name (RFC 8737 section 4).
pub const ACME_TLS: &[u8] = b"acme-tls/1";
/// The first wait after an order that failed. Authorities take a handful an hour.
const FIRST_WAIT: Duration = Duration::from_secs(60);
/// The longest.
const LONGEST_WAIT: Duration = Duration::from_secs(6 * 3_600);
/// The longest sleep: the wall clock may be set meanwhile.
const LOOK_AGAIN: Duration = Duration::from_secs(3_600);

/// The certificate that is shown, and how its renewal goes. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct AcmeCertificate(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    certificate: RwLock<Option<Arc<CertifiedKey>>>,
    /// What proves that a name is ours, by name.
    challenges: RwLock<HashMap<String, Arc<CertifiedKey>>>,
    trouble: Mutex<String>,
}

impl AcmeCertificate {
    /// Why there is none, or why it is not renewed; empty when all is well.
    #[must_use]
    pub fn trouble(&self) -> String {
        self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn show(&self, certificate: CertifiedKey) {
        *self.0.certificate.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(certificate));
    }

    fn challenge(&self, name: &str, certificate: CertifiedKey) {
        let mut challenges = self.0.challenges.write().unwrap_or_else(PoisonError::into_inner);
        challenges.insert(name.to_owned(), Arc::new(certificate));
    }

    fn forget_challenges(&self) {
        self.0.challenges.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn set_trouble(&self, trouble: String) {
        *self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// What shakes hands with this certificate.
    fn acceptor(&self) -> TlsAcceptor {
        let mut config = server_config(Arc::clone(&self.0) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols.push(ACME_TLS.to_vec());
        TlsAcceptor::from(Arc::new(config))
    }
}

impl ResolvesServerCert for Shared {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let proves =
            hello.alpn().is_some_and(|mut offered| offered.next() == Some(ACME_TLS) && offered.next().is_none());
        if proves {
            let challenges = self.challenges.read().unwrap_or_else(PoisonError::into_inner);
            return challenges.get(hello.server_name()?).cloned();
        }
        self.certificate.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What shakes hands with browsers by the certificate of `settings`, and keeps that from now on. Within a runtime.
///
/// # Errors
/// The roots of the authority cannot be read, or the folder of `plan` cannot be written.
pub fn acme_acceptor(plan: &Plan, settings: &Acme) -> Result<(TlsAcceptor, AcmeCertificate), CertificateError> {
    let files = Files::open(&plan.gateway.data, settings)?;
    let client = client::Client::new(settings.ca.as_deref())?;
    let certificate = AcmeCertificate::default();
    if let Some(kept) = files.certificate() {
        certificate.show(kept.key);
    }
    tokio::spawn(keep(settings.clone(), files, client, Arc::downgrade(&certificate.0)));
    Ok((certificate.acceptor(), certificate))
}

/// Orders and renews for as long as somebody shows the certificate.
async fn keep(settings: Acme, files: Files, client: client::Client, shown: Weak<Shared>) {
    let mut failures = 0;
    loop {
        let due = files.certificate().and_then(|kept| kept.due(&settings.domains)).unwrap_or(SystemTime::UNIX_EPOCH);
        let left = due.duration_since(SystemTime::now()).unwrap_or_default();
        if !left.is_zero() {
            tokio::time::sleep(left.min(LOOK_AGAIN)).await;
            continue;
        }
        let Some(certificate) = shown.upgrade().map(AcmeCertificate) else { return };
        let obtained = obtain(&settings, &files, &client, &certificate).await;
        certificate.forget_challenges();
        match obtained {
            Ok(kept) => {
                failures = 0;
                certificate.set_trouble(String::new());
                tracing::info!("HTTPS certificate for {} from ACME, {kept}", settings.domains.join(", "));
                let is_due = kept.due(&settings.domains).is_none_or(|due| due <= SystemTime::now());
                certificate.show(kept.key);
                if is_due {
                    // Asking again would give the same.
                    tracing::warn!("the authority left names out of it, or has a clock of its own");
                    drop(certificate);
                    tokio::time::sleep(LONGEST_WAIT).await;
                }
            }
            Err(why) => {
                let wait = wait_after(failures);
                failures += 1;
                let trouble = format!("no certificate for {} from ACME: {why}", settings.domains.join(", "));
                tracing::warn!("{trouble}; tried again in {} min", wait.as_secs() / 60);
                certificate.set_trouble(trouble);
                drop(certificate);
                tokio::time::sleep(wait).await;
            }
        }
    }
}

/// How long to wait after so many failures before this one.
fn wait_after(failures: u32) -> Duration {
    FIRST_WAIT.saturating_mul(2_u32.saturating_pow(failures)).min(LONGEST_WAIT)
}

impl Kept {
    /// When it is to be renewed: when a third of its time is left, and at once where it lacks one of `domains`.
    fn due(&self, domains: &[String]) -> Option<SystemTime> {
        let holds = domains.iter().all(|domain| self.names.contains(domain));
        let time = self.until.duration_since(self.from).ok()?;
        holds.then(|| self.until - time / 3)
    }
}
