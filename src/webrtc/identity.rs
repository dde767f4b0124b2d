//! Who we are in DTLS: one certificate for the life of the process.

use crate::types::Fingerprint;
use dimpl::{Config, Dtls, DtlsCertificate};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The first wait for an answer to a flight: a path that ICE has just found is a short one.
const RETRANSMIT_AFTER: Duration = Duration::from_millis(250);
/// How often a flight is repeated: in all 16 s.
const RETRANSMISSIONS: usize = 5;
/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(20);

/// Our certificate, its key, and how we speak DTLS.
#[derive(Clone)]
pub struct Identity {
    config: Arc<Config>,
    certificate: Arc<DtlsCertificate>,
    fingerprint: Fingerprint,
}

/// No certificate could be made.
#[derive(Debug, thiserror::Error)]
#[error("no certificate for DTLS: {0}")]
pub struct IdentityError(String);

impl Identity {
    /// Makes a key (ECDSA, P-256) and signs a certificate with it. Nobody looks at its names and dates: it is known by
    /// its fingerprint.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn new() -> Result<Self, IdentityError> {
        let wrong = |error: rcgen::Error| IdentityError(error.to_string());
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(wrong)?;
        let certificate = rcgen::CertificateParams::new(Vec::new()).and_then(|parameters| parameters.self_signed(&key));
        let certificate = certificate.map_err(wrong)?.der().to_vec();
        let config = Config::builder()
            .with_crypto_provider(dimpl::crypto::rust_crypto::default_provider())
            // ICE has shown that the address is the peer's own.
            .use_server_cookie(false)
            .flight_start_rto(RETRANSMIT_AFTER)
            .flight_retries(RETRANSMISSIONS)
            .handshake_timeout(HANDSHAKE)
            .build()
            .map_err(|error| IdentityError(error.to_string()))?;
        Ok(Self {
            config: Arc::new(config),
            fingerprint: fingerprint_of(&certificate),
            certificate: Arc::new(DtlsCertificate { certificate, private_key: key.serialize_der() }),
        })
    }

    /// What descriptions name our certificate by.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    pub(super) fn dtls(&self, now: Instant) -> Dtls {
        Dtls::new_12(Arc::clone(&self.config), DtlsCertificate::clone(&self.certificate), now)
    }
}

impl std::fmt::Debug for Identity {
    /// Says nothing of the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

/// The fingerprint of a certificate in DER.
pub(super) fn fingerprint_of(certificate: &[u8]) -> Fingerprint {
    Fingerprint(Sha256::digest(certificate).into())
}
