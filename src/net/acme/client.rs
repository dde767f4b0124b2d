//! Requests to the authority: by the HTTP client that fetches sounds, on threads that may wait.

use super::super::tls::{CertificateError, certificates};
use bytes::Bytes;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use std::io::Read;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls::crypto::ring;
use ureq::Agent;
use ureq::http::{Request, Response};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// Patience with one request.
const PATIENCE: Duration = Duration::from_secs(30);
/// Octets of the longest answer: a chain of certificates is a few kilobytes.
const LONGEST: u64 = 256 * 1_024;

/// Asks the authority. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Client(Agent);

impl Client {
    /// One that believes the certificates in `ca`, or those that the system does.
    pub(super) fn new(ca: Option<&Path>) -> Result<Self, CertificateError> {
        let roots = match ca {
            Some(path) => certificates(path)?,
            None => rustls_native_certs::load_native_certs().certs,
        };
        let roots: Vec<Certificate<'static>> =
            roots.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .https_only(true)
            .max_redirects(0)
            .http_status_as_error(false)
            .user_agent(concat!("partyline/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(PATIENCE))
            .build();
        Ok(Self(config.new_agent()))
    }

    /// What instant-acme takes.
    pub(super) fn boxed(&self) -> Box<dyn HttpClient> {
        Box::new(self.clone())
    }

    fn ask(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, ureq::Error> {
        let (parts, body) = request.into_parts();
        let response = if body.is_empty() {
            self.0.run(Request::from_parts(parts, ()))?
        } else {
            self.0.run(Request::from_parts(parts, body))?
        };
        let (parts, mut body) = response.into_parts();
        let mut bytes = Vec::new();
        body.as_reader().take(LONGEST).read_to_end(&mut bytes)?;
        Ok(Response::from_parts(parts, bytes))
    }
}

impl HttpClient for Client {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let client = self.clone();
        Box::pin(async move {
            let other = |error: Box<dyn std::error::Error + Send + Sync>| Error::Other(error);
            let (parts, body) = request.into_parts();
            let limit = usize::try_from(LONGEST).unwrap_or(usize::MAX);
            let body =
                axum::body::to_bytes(axum::body::Body::new(body), limit).await.map_err(|e| other(Box::new(e)))?;
            let asked = Request::from_parts(parts, body.to_vec());
            let answered = tokio::task::spawn_blocking(move || client.ask(asked)).await;
            let response = answered.map_err(|e| other(Box::new(e)))?.map_err(|e| other(Box::new(e)))?;
            Ok(BytesResponse::from(response.map(axum::body::Body::from)))
        })
    }
}
