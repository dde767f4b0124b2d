//! One order (RFC 8555 section 7.4), from the account to the certificate.

use super::AcmeCertificate;
use super::client::Client;
use super::files::{Files, Kept, KeptAccount};
use crate::dialplan::Acme;
use instant_acme::{
    Account, AuthorizationStatus, ChallengeType, Error, Identifier, NewAccount, NewOrder, Order, OrderStatus,
    RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use std::io;
use std::time::Duration;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::sign::CertifiedKey;

/// Patience with the authority's look at our port, and with its signature.
const PATIENCE: RetryPolicy =
    RetryPolicy::new().initial_delay(Duration::from_millis(500)).timeout(Duration::from_secs(120));
/// The authority does not know the account (RFC 8555 section 6.7).
const NO_ACCOUNT: &str = "urn:ietf:params:acme:error:accountDoesNotExist";

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub(super) enum OrderError {
    /// The authority refuses, or cannot be reached.
    #[error("{0}")]
    Authority(#[from] Error),
    /// It does not offer to look at our HTTPS port.
    #[error("the authority has no challenge of type TLS-ALPN-01 for {0}")]
    NoChallenge(String),
    /// It looked, and did not find us.
    #[error("the authority could not see that {name} is ours: {why}")]
    NotOurs {
        /// Which name.
        name: String,
        /// What it says.
        why: String,
    },
    /// It came to nothing without a reason.
    #[error("the order ended as {0:?}")]
    Ended(OrderStatus),
    /// The certificate that proves a name could not be made.
    #[error("{0}")]
    Proof(String),
    /// It cannot be kept.
    #[error("the data folder: {0}")]
    Files(#[from] io::Error),
}

/// Gets a certificate and keeps it.
pub(super) async fn obtain(
    settings: &Acme,
    files: &Files,
    client: &Client,
    shown: &AcmeCertificate,
) -> Result<Kept, OrderError> {
    let identifiers: Vec<Identifier> = settings.domains.iter().cloned().map(Identifier::Dns).collect();
    let account = account(settings, files, client).await?;
    let mut order = match account.new_order(&NewOrder::new(&identifiers)).await {
        Err(Error::Api(problem)) if problem.r#type.as_deref() == Some(NO_ACCOUNT) => {
            // It was removed there: we make another one.
            files.forget_account();
            self::account(settings, files, client).await?.new_order(&NewOrder::new(&identifiers)).await?
        }
        order => order?,
    };
    prove(&mut order, shown).await?;
    let ready = order.poll_ready(&PATIENCE).await;
    if !matches!(ready, Ok(OrderStatus::Ready)) {
        return Err(match (why(&mut order).await, ready) {
            (Some(why), _) => why,
            (None, Ok(status)) => OrderError::Ended(status),
            (None, Err(error)) => error.into(),
        });
    }
    let key = order.finalize().await?;
    let chain = order.poll_certificate(&PATIENCE).await?;
    Ok(files.keep_certificate(&format!("{chain}\n{key}"))?)
}

/// Our account there, made when there is none.
async fn account(settings: &Acme, files: &Files, client: &Client) -> Result<Account, OrderError> {
    let contact: Vec<&str> = settings.contact.as_deref().into_iter().collect();
    if let Some(KeptAccount { contact: told, credentials }) = files.account() {
        let account = Account::builder_with_http(client.boxed()).from_credentials(credentials).await?;
        if told != settings.contact {
            tracing::info!("ACME: the account keeps the contact it was made with; remove account.json for another");
        }
        return Ok(account);
    }
    let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
    let made = Account::builder_with_http(client.boxed()).create(&new, settings.directory.clone(), None).await;
    let (account, credentials) = made?;
    files.keep_account(&KeptAccount { contact: settings.contact.clone(), credentials })?;
    Ok(account)
}

/// Shows on our port, for each name, what the authority looks for there.
async fn prove(order: &mut Order, shown: &AcmeCertificate) -> Result<(), OrderError> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let name = authorization.identifier().to_string();
        let challenge = authorization.challenge(ChallengeType::TlsAlpn01);
        let mut challenge = challenge.ok_or_else(|| OrderError::NoChallenge(name.clone()))?;
        let proof = proof(&name, challenge.key_authorization().digest().as_ref()).map_err(OrderError::Proof)?;
        shown.challenge(&name, proof);
        challenge.set_ready().await?;
    }
    Ok(())
}

/// The certificate of a challenge (RFC 8737 section 3).
pub(super) fn proof(name: &str, digest: &[u8]) -> Result<CertifiedKey, String> {
    let wrong = |error: rcgen::Error| error.to_string();
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(wrong)?;
    let mut parameters = CertificateParams::new([name.to_owned()]).map_err(wrong)?;
    parameters.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let certificate = parameters.self_signed(&key).map_err(wrong)?;
    let private = PrivateKeyDer::try_from(key.serialize_der()).map_err(str::to_owned)?;
    // Not checked against each other: the checker does not know the extension.
    let key = ring::sign::any_supported_type(&private).map_err(|error| error.to_string())?;
    Ok(CertifiedKey::new(vec![certificate.der().clone()], key))
}

/// What the authority says of the first name that it did not find to be ours.
async fn why(order: &mut Order) -> Option<OrderError> {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        // What we know of it is from before the look.
        authorization.refresh().await.ok()?;
        let name = authorization.identifier().to_string();
        let problem = authorization.challenges.iter().find_map(|challenge| challenge.error.as_ref());
        if let Some(problem) = problem {
            return Some(OrderError::NotOurs { name, why: problem.to_string() });
        }
    }
    None
}
