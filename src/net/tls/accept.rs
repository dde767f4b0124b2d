//! Connections others open: what we show them, and which trunk's certificate they show us.

use super::files::{CertificateError, load_certificate, load_roots, system_roots};
use super::names;
use crate::dialplan::{CertificateFiles, Plan, TrunkTls};
use crate::net::log::NetLog;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};
use tokio_rustls::server::TlsStream;
use webpki::{EndEntityCert, KeyUsage};

/// How often the certificate's files are looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Which trunks are known by their client certificates; replaced with the dialplan.
#[derive(Debug, Default)]
pub(in crate::net) struct Callers(RwLock<Vec<(String, TrunkTls)>>);

impl Callers {
    /// Takes the trunks of a dialplan.
    pub(in crate::net) fn set_plan(&self, plan: &Plan) {
        let trunks = plan.trunks.iter().filter(|trunk| !trunk.tls.accept.is_empty());
        let callers = trunks.map(|trunk| (trunk.name.clone(), trunk.tls.clone())).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = callers;
    }

    fn list(&self) -> Vec<(String, TrunkTls)> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Shakes hands with those who connect.
#[derive(Clone)]
pub(in crate::net) struct Acceptor {
    acceptor: TlsAcceptor,
    callers: Arc<Callers>,
    log: NetLog,
}

impl Acceptor {
    /// Reads the certificate and looks after its files from now on.
    ///
    /// # Errors
    /// When it cannot be used.
    pub(in crate::net) fn new(
        files: &CertificateFiles,
        callers: Arc<Callers>,
        log: NetLog,
    ) -> Result<Self, CertificateError> {
        let shown = Arc::new(Shown::read(files)?);
        let provider = Arc::new(ring::default_provider());
        let asks = AnyCaller { provider: Arc::clone(&provider), callers: Arc::clone(&callers) };
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has both versions' ciphers")
            .with_client_cert_verifier(Arc::new(asks))
            .with_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>);
        tokio::spawn(watch(Arc::downgrade(&shown)));
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), callers, log })
    }

    /// Shakes hands. Gives the trunk whose certificate was shown, if one was.
    pub(in crate::net) async fn accept(&self, stream: TcpStream) -> io::Result<(TlsStream<TcpStream>, Option<String>)> {
        let stream = self.acceptor.accept(stream).await?;
        let chain = stream
            .get_ref()
            .1
            .peer_certificates()
            .map(|chain| chain.iter().cloned().map(CertificateDer::into_owned).collect::<Vec<_>>());
        let Some(chain) = chain.filter(|chain| !chain.is_empty()) else { return Ok((stream, None)) };
        let (callers, log) = (self.callers.list(), self.log.clone());
        // Roots are read from files.
        let trunk = tokio::task::spawn_blocking(move || whose(&chain, callers, &log)).await.ok().flatten();
        Ok((stream, trunk))
    }
}

/// What shakes hands with browsers: asks for no certificate, and shows that of `files`, which it looks after from now
/// on. Within a runtime.
///
/// # Errors
/// When it cannot be used.
pub fn https_acceptor(files: &CertificateFiles) -> Result<TlsAcceptor, CertificateError> {
    let shown = Arc::new(Shown::read(files)?);
    let config = server_config(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>);
    tokio::spawn(watch(Arc::downgrade(&shown)));
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// How HTTPS is spoken: with the certificates of `shown`, and without asking for one.
pub(in crate::net) fn server_config(shown: Arc<dyn ResolvesServerCert>) -> ServerConfig {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has both versions' ciphers")
        .with_no_client_auth()
        .with_cert_resolver(shown);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

/// The trunk that takes calls with this certificate. Its key was proven in the handshake.
fn whose(chain: &[CertificateDer<'_>], callers: Vec<(String, TrunkTls)>, log: &NetLog) -> Option<String> {
    let (first, rest) = chain.split_first()?;
    let certificate = EndEntityCert::try_from(first).ok()?;
    let algorithms = ring::default_provider().signature_verification_algorithms.all;
    callers.into_iter().find_map(|(trunk, settings)| {
        if !settings.accept.iter().any(|name| names::speaks_for(&certificate, name, settings.wildcard)) {
            return None;
        }
        let roots = match &settings.ca {
            Some(path) => load_roots(path).map(Arc::new),
            None => system_roots(),
        };
        // Whoever shows a certificate of this name leads here.
        let told = |error: CertificateError| {
            log.warn("client certificate", format_args!("that of trunk {trunk} cannot be checked: {error}"));
        };
        let roots = roots.map_err(told).ok()?;
        // A SIP server's certificate serves for both sides (RFC 5922 section 7.4), also where it only says "server".
        let good = [KeyUsage::client_auth(), KeyUsage::server_auth()].into_iter().any(|usage| {
            certificate.verify_for_usage(algorithms, &roots.roots, rest, UnixTime::now(), usage, None, None).is_ok()
        });
        good.then_some(trunk)
    })
}

/// The certificate we show, kept up with its files.
#[derive(Debug)]
struct Shown {
    files: CertificateFiles,
    key: RwLock<Arc<CertifiedKey>>,
    seen: RwLock<Stamps>,
}

type Stamps = [Option<(SystemTime, u64)>; 2];

impl Shown {
    fn read(files: &CertificateFiles) -> Result<Self, CertificateError> {
        let seen = stamps(files);
        let key = load_certificate(&files.certificate, &files.key)?;
        Ok(Self { files: files.clone(), key: RwLock::new(Arc::new(key)), seen: RwLock::new(seen) })
    }

    /// Takes up files that changed. What cannot be used leaves everything as it was.
    fn look(&self) {
        let now = stamps(&self.files);
        let before = std::mem::replace(&mut *self.seen.write().unwrap_or_else(PoisonError::into_inner), now);
        if before == now {
            return;
        }
        let path = self.files.certificate.display();
        match load_certificate(&self.files.certificate, &self.files.key) {
            Ok(key) => {
                *self.key.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
                tracing::info!("TLS certificate {path} taken up anew");
            }
            Err(error) => tracing::warn!("TLS certificate {path} not taken up, the old one stands: {error}"),
        }
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.key.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn stamps(files: &CertificateFiles) -> Stamps {
    let stamp = |path: &Path| {
        let data = fs::metadata(path).ok()?;
        Some((data.modified().ok()?, data.len()))
    };
    [stamp(&files.certificate), stamp(&files.key)]
}

async fn watch(shown: std::sync::Weak<Shown>) {
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        let Some(shown) = shown.upgrade() else { return };
        if tokio::task::spawn_blocking(move || shown.look()).await.is_err() {
            return;
        }
    }
}

/// Asks for a certificate where a trunk is known by one, and takes every certificate whose key the peer has, or none:
/// what it is worth is judged afterwards, for one trunk after the other.
#[derive(Debug)]
struct AnyCaller {
    provider: Arc<CryptoProvider>,
    callers: Arc<Callers>,
}

impl ClientCertVerifier for AnyCaller {
    fn offer_client_auth(&self) -> bool {
        !self.callers.0.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::authority::Authority;
    use super::*;

    #[test]
    fn a_changed_certificate_is_taken_up_and_a_broken_one_leaves_the_old() {
        let authority = Authority::new("shown");
        let files = authority.issue("one", &["a.example"]);
        let shown = Shown::read(&files).unwrap();
        let first = shown.key.read().unwrap().cert.clone();
        let second = authority.issue("two", &["a.example", "bb.example"]);
        fs::copy(&second.certificate, &files.certificate).unwrap();
        shown.look();
        assert_eq!(shown.key.read().unwrap().cert, first, "the key of another certificate");
        fs::copy(&second.key, &files.key).unwrap();
        // Keys are of one length: make sure that the change shows whatever the clock's grain.
        *shown.seen.write().unwrap() = [None, None];
        shown.look();
        let now = shown.key.read().unwrap().cert.clone();
        assert_ne!(now, first);
        fs::write(&files.certificate, "no PEM").unwrap();
        shown.look();
        assert_eq!(shown.key.read().unwrap().cert, now);
    }
}
