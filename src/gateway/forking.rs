//! How a call to a user is being placed: what `outbound/` keeps of it until one of the user's clients answers.

use crate::sdp::{LocalMedia, SessionDescription};
use crate::session::Party;
use crate::sip::InviteId;
use crate::sip::message::{Headers, Host, NameAddr, StatusCode, Uri};
use crate::sip::registrar::Binding;
use std::net::IpAddr;

/// A call to all places where a user is registered.
#[derive(Debug)]
pub(super) struct Forking {
    /// Who calls, as the user is shown it.
    pub(super) caller: Party,
    /// The places, the preferred first.
    pub(super) branches: Vec<Branch>,
    /// The best of the refusals so far.
    pub(super) refused: Option<StatusCode>,
    /// One of them rings: the session was told.
    pub(super) rings: bool,
    /// Further headers of the INVITEs.
    pub(super) headers: Headers,
}

/// One place that is called.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) binding: Binding,
    /// Our INVITE, while it has no final response.
    pub(super) invite: Option<InviteId>,
    pub(super) sip_call_id: String,
    /// Our side as this place was told of it, and how.
    pub(super) offered: Option<(LocalMedia, SessionDescription)>,
}

impl Branch {
    pub(super) const fn new(binding: Binding) -> Self {
        Self { binding, invite: None, sip_call_id: String::new(), offered: None }
    }
}

impl Forking {
    /// Whether no place is left that may still answer.
    pub(super) fn is_over(&self) -> bool {
        self.branches.iter().all(|branch| branch.invite.is_none())
    }

    /// Keeps the better of the refusals so far.
    pub(super) fn note_refusal(&mut self, status: StatusCode) {
        self.refused = Some(better_refusal(self.refused, status));
    }
}

/// The better of two refusals: what the user said before what a client could not do (RFC 3261 section 16.7).
pub(super) fn better_refusal(before: Option<StatusCode>, status: StatusCode) -> StatusCode {
    let rank = |status: StatusCode| match status.0 {
        600.. => 0,
        486 => 1,
        480 => 2,
        400..=499 if status != StatusCode::REQUEST_TIMEOUT => 3,
        _ => 4,
    };
    before.filter(|before| rank(*before) <= rank(status)).unwrap_or(status)
}

/// What stands behind the @ in addresses that a user is shown: our domain, else the address of ours that it sees.
pub(super) fn shown_host(domain: Option<&str>, address: IpAddr) -> Host {
    domain.map_or(Host::Ip(address), |domain| Host::Name(domain.into()))
}

/// Who calls, as a user is shown it; nobody where that is withheld (RFC 3323).
pub(super) fn user_address(caller: &Party, host: &Host) -> NameAddr {
    if caller.number.is_empty() {
        let nobody = Uri::sip(Some("anonymous"), Host::Name("anonymous.invalid".into()), None);
        return NameAddr::new(nobody).with_display("Anonymous");
    }
    let address = NameAddr::new(Uri::sip(Some(caller.number.as_str()), host.clone(), None));
    match &caller.name {
        Some(name) => address.with_display(name.as_str()),
        None => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_user_said_goes_before_what_a_client_could_not_do() {
        for (refusals, best) in [
            (&[503, 486, 408][..], 486),
            (&[480, 404], 480),
            (&[408, 488], 488),
            (&[486, 603], 603),
            (&[486, 600], 600),
            (&[408, 503], 408),
        ] {
            let mut forking = Forking {
                caller: Party::default(),
                branches: Vec::new(),
                refused: None,
                rings: false,
                headers: Headers::new(),
            };
            refusals.iter().for_each(|status| forking.note_refusal(StatusCode(*status)));
            assert_eq!(forking.refused, Some(StatusCode(best)), "{refusals:?}");
        }
    }
}
