//! What the user hands in to start a call or a registration.

use std::time::Duration;

use super::Terms;
use crate::sip::auth::Credentials;
use crate::sip::flow::Flow;
use crate::sip::message::{Body, HeaderName as H, Headers, NameAddr, Uri};

/// A call to be made.
#[derive(Debug, Clone)]
pub struct OutgoingInvite {
    /// Where the INVITE goes: resolving names is the caller's work.
    pub flow: Flow,
    /// The request URI.
    pub request_uri: Uri,
    /// Who we are, without a tag.
    pub from: NameAddr,
    /// Whom we call, without a tag.
    pub to: NameAddr,
    /// The user part of our Contact; `None`: the endpoint's own.
    pub contact_user: Option<String>,
    /// Further headers, as they are.
    pub headers: Headers,
    /// Our offer; `None`: the peer is to offer.
    pub body: Option<Body>,
    /// For a digest challenge.
    pub credentials: Option<Credentials>,
    /// Routes to travel (RFC 3261 section 8.1.2); mostly none.
    pub route: Vec<NameAddr>,
    /// What holds with this peer; `None`: what the configuration says.
    pub terms: Option<Terms>,
}

impl OutgoingInvite {
    /// A call with nothing but the necessary.
    #[must_use]
    pub fn new(flow: Flow, from: NameAddr, to: Uri, body: Option<Body>) -> Self {
        Self {
            flow,
            request_uri: to.clone(),
            from,
            to: NameAddr::new(to),
            contact_user: None,
            headers: Headers::new(),
            body,
            credentials: None,
            route: Vec::new(),
            terms: None,
        }
    }
}

/// A binding to be kept at a registrar (RFC 3261 section 10).
#[derive(Debug, Clone)]
pub struct RegistrationConfig {
    /// Where REGISTER goes.
    pub flow: Flow,
    /// The registrar: the request URI, without a user part.
    pub registrar: Uri,
    /// The address of record: To and From.
    pub address: NameAddr,
    /// For the digest challenge.
    pub credentials: Option<Credentials>,
    /// How long each binding is asked for. Default of most trunks: 3600 s; the registrar may shorten it.
    pub expires: Duration,
    /// The user part of the Contact. `None` (best): an unguessable one is made, so that calls to it are known to come
    /// by way of this registrar; see
    /// [`Endpoint::registered_contact_user`](crate::sip::Endpoint::registered_contact_user).
    pub contact_user: Option<String>,
    /// Registers all numbers of the account at once (RFC 6140, "GIN"): the Contact has no user, and calls come to its
    /// host with the called number in their request URI. A registrar that cannot do this says 420.
    pub bulk: bool,
    /// Further headers, as they are.
    pub headers: Headers,
    /// Routes to travel.
    pub route: Vec<NameAddr>,
}

/// Adds the user's headers, but none that are ours to write.
pub(crate) fn add_extra(headers: &mut Headers, extra: &Headers) {
    for (name, value) in extra.iter() {
        let ours = matches!(
            name,
            H::Via
                | H::From
                | H::To
                | H::CallId
                | H::CSeq
                | H::Contact
                | H::MaxForwards
                | H::Route
                | H::RecordRoute
                | H::ContentLength
                | H::ContentType
                | H::Allow
                | H::Supported
                | H::SessionExpires
                | H::MinSe
        );
        if !ours {
            headers.push(name.clone(), value.clone());
        }
    }
}
