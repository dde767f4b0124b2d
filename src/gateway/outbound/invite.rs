//! The INVITE, and who we say we are in it.

use super::dial::CallerNumber;
use super::targets::Target;
use crate::dialplan::Trunk;
use crate::gateway::call_record::Cause;
use crate::gateway::timer::{SILENCE, Timer};
use crate::gateway::{Gateway, admission, trunks};
use crate::sdp;
use crate::session::DialCause;
use crate::sip::message::{HeaderName, Headers, Host, NameAddr, Uri};
use crate::sip::{Body, OutgoingInvite};
use crate::types::{CallId, Now};

/// What the INVITE says of the caller.
struct Identity {
    from: NameAddr,
    headers: Headers,
}

/// Who we are to a trunk: its own number for us, another call's, or nobody (RFC 3323, RFC 3325).
fn identity(trunk: &Trunk, caller: &CallerNumber, target: &Target) -> Identity {
    let number = match caller {
        CallerNumber::Trunk => trunk.caller_id.as_deref(),
        CallerNumber::Other(number) => Some(number.as_str()),
        CallerNumber::Withheld => None,
    };
    let mut headers = Headers::new();
    let from = match number {
        Some(number) => NameAddr::new(Uri::sip(Some(number), target.host.clone(), None)),
        None => {
            headers.push(HeaderName::Privacy, "id");
            let nobody = Uri::sip(Some("anonymous"), Host::Name("anonymous.invalid".into()), None);
            NameAddr::new(nobody).with_display("Anonymous")
        }
    };
    Identity { from, headers }
}

impl Gateway {
    /// Sends the INVITE to the target that is next; its media ports are open.
    pub(in crate::gateway) fn send_invite(&mut self, now: Now, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some((local, outgoing)) = call.media.local.as_ref().zip(call.outgoing.as_ref()) else { return };
        let offer = sdp::offer(local, None);
        let target = outgoing.target.clone();
        let trunk = &target.trunk;
        let Identity { from, headers } = identity(trunk, &outgoing.caller, &target);
        let to = Uri::sip(Some(&outgoing.number), target.host.clone(), target.port);
        let invite = OutgoingInvite {
            headers,
            credentials: trunks::credentials(trunk),
            terms: Some(admission::terms_of(trunk)),
            ..OutgoingInvite::new(target.flow, from, to, Some(Body::sdp(offer.to_string())))
        };
        call.media.offered = Some(offer);
        self.advertise_public_address(target.flow);
        self.tell_target(id, &target);
        match self.endpoint.invite(now, invite) {
            Ok(invite) => {
                let sip_call_id = self.endpoint.call_id(invite).unwrap_or_default();
                if let Some(call) = self.calls.get_mut(&id) {
                    call.invite = Some(invite);
                    call.sip_call_id = sip_call_id;
                }
                self.by_invite.insert(invite, id);
                self.timers.set(Timer::Silence(id), now.instant + SILENCE);
            }
            Err(error) => {
                let why = error.to_string();
                self.dial_failed(now, id, DialCause::Unreachable, Cause::Unreachable(why));
            }
        }
    }
}
