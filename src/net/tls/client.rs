//! Connections we open: whose certificate is taken, and what we show.

use super::files::{CertificateError, load_certificate, load_roots, system_roots};
use super::names;
use crate::dialplan::TrunkTls;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::verify_server_cert_signed_by_trust_anchor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::sign::SingleCertAndKey;
use tokio_rustls::rustls::{
    CertificateError as BadCertificate, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore,
    SignatureScheme,
};

/// Whom we mean to reach by TLS. Connections are shared between trunks only where all of this is the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TlsPeer {
    /// The domain (or IP address) its certificate must speak for.
    pub name: String,
    /// How it is checked, and what we show.
    pub settings: TrunkTls,
}

/// Why a connection was not made.
#[derive(Debug, thiserror::Error)]
pub(in crate::net) enum ConnectError {
    /// Certificates of ours, or roots.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// Connecting, or the handshake; the peer's certificate, mostly.
    #[error(transparent)]
    Handshake(#[from] io::Error),
    /// The settings make no TLS.
    #[error(transparent)]
    Settings(#[from] Error),
    /// We are being ended.
    #[error("given up")]
    GivenUp,
}

/// The certificate holds other names (RFC 5922).
#[derive(Debug, thiserror::Error)]
#[error("the certificate is for {held}, not {wanted}{hint}")]
pub(super) struct OtherName {
    held: String,
    wanted: String,
    hint: &'static str,
}

/// Shakes hands over `stream`. Files are read anew each time, so that a renewed certificate is taken up.
pub(in crate::net) async fn connect(stream: TcpStream, peer: &TlsPeer) -> Result<TlsStream<TcpStream>, ConnectError> {
    let asked = peer.clone();
    let config = tokio::task::spawn_blocking(move || config(&asked)).await.map_err(|_| ConnectError::GivenUp)??;
    // Sent as SNI, which takes no addresses.
    let name = match peer.name.parse::<IpAddr>() {
        Ok(address) => ServerName::from(address),
        Err(_) => ServerName::try_from(peer.name.clone())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?,
    };
    Ok(TlsConnector::from(Arc::new(config)).connect(name, stream).await?)
}

fn config(peer: &TlsPeer) -> Result<ClientConfig, ConnectError> {
    let settings = &peer.settings;
    let roots = match (&settings.ca, settings.verify) {
        (_, false) => Arc::new(RootCertStore::empty()),
        (Some(path), true) => Arc::new(load_roots(path)?),
        (None, true) => system_roots()?,
    };
    let provider = Arc::new(ring::default_provider());
    let verifier = DomainVerifier { peer: peer.clone(), roots, provider: Arc::clone(&provider) };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    Ok(match &settings.certificate {
        None => builder.with_no_client_auth(),
        Some(files) => {
            let key = load_certificate(&files.certificate, &files.key)?;
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key)))
        }
    })
}

/// Takes the certificates of one SIP domain.
#[derive(Debug)]
struct DomainVerifier {
    peer: TlsPeer,
    roots: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for DomainVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if !self.peer.settings.verify {
            return Ok(ServerCertVerified::assertion());
        }
        let algorithms = self.provider.signature_verification_algorithms.all;
        let parsed = ParsedCertificate::try_from(end_entity)?;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, intermediates, now, algorithms)?;
        let certificate =
            webpki::EndEntityCert::try_from(end_entity).map_err(|_| Error::from(BadCertificate::BadEncoding))?;
        let TlsPeer { name, settings } = &self.peer;
        if names::speaks_for(&certificate, name, settings.wildcard) {
            return Ok(ServerCertVerified::assertion());
        }
        let would = !settings.wildcard && names::speaks_for(&certificate, name, true);
        let hint = if would { "; `wildcard = true` in the trunk's tls would take it" } else { "" };
        let other = OtherName { held: names::held(&certificate), wanted: name.clone(), hint };
        Err(BadCertificate::Other(OtherError(Arc::new(other))).into())
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
