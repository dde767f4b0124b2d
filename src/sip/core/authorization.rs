//! Requests of ours that have to prove who we are (RFC 3261 section 22).

use super::Core;
use crate::sip::auth::{Covered, Credentials, DigestClient};
use crate::sip::flow::Flow;
use crate::sip::message::{HeaderName as H, Request, Response, StatusCode};
use crate::sip::transaction::ClientId;
use crate::types::Now;

/// What answers challenges.
#[derive(Debug, Clone)]
pub(crate) struct Proof {
    pub credentials: Option<Credentials>,
    pub digest: DigestClient,
}

impl Proof {
    pub fn new(credentials: Option<Credentials>) -> Self {
        Self { credentials, digest: DigestClient::new() }
    }

    /// The same for requests that outlive the call; `None` where there is nothing to answer with.
    pub fn lasting(&self) -> Option<Self> {
        self.credentials.is_some().then(|| self.clone())
    }
}

/// Adds authorization for those who asked for it before.
pub(crate) fn authorize(proof: &mut Proof, request: &mut Request, flow: &Flow) {
    if let Some(credentials) = proof.credentials.as_ref().filter(|credentials| credentials.are_for(flow.peer())) {
        let uri = request.uri.to_string();
        let covered = Covered { method: &request.method, uri: &uri, body: &request.body };
        for (name, value) in proof.digest.again(covered, credentials) {
            request.headers.push(name, value);
        }
    }
}

/// Answers a challenge: sends the request of `tx` again with authorization and the next CSeq number. `None`: there is
/// nothing to answer it with, it was tried, or whoever asks is not whom the credentials are for.
pub(crate) fn retry_authorized(
    core: &mut Core,
    now: Now,
    credentials: Option<&Credentials>,
    digest: &mut DigestClient,
    tx: ClientId,
    response: &Response,
    cseq: u32,
) -> Option<ClientId> {
    if !matches!(response.status, StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED) {
        return None;
    }
    let cnonce = core.new_call_id();
    let transaction = core.transactions.client(tx)?;
    let credentials = credentials.filter(|credentials| transaction.is_between(|peer| credentials.are_for(peer)))?;
    let mut request = transaction.parsed_request()?;
    let uri = request.uri.to_string();
    let covered = Covered { method: &request.method, uri: &uri, body: &request.body };
    let answers = digest.answer(response, covered, credentials, &cnonce).ok()?;
    request.headers.remove(&H::Authorization);
    request.headers.remove(&H::ProxyAuthorization);
    for (name, value) in answers {
        request.headers.push(name, value);
    }
    core.transactions.resend(now, tx, request, cseq)
}
