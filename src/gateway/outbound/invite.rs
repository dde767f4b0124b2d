//! The INVITE, and who we say we are in it.

use crate::dialplan::Trunk;
use crate::gateway::cause::Cause;
use crate::gateway::outgoing::{CallerNumber, Target};
use crate::gateway::timer::{SILENCE, Timer};
use crate::gateway::{Gateway, identity, trunks};
use crate::sdp;
use crate::session::{DialCause, Party};
use crate::sip::message::Uri;
use crate::sip::{Body, OutgoingInvite};
use crate::types::{CallId, Now};

/// Who we are to a trunk: its own number for us, another call's where the trunk lets it be shown, or nobody.
fn claims(trunk: &Trunk, caller: &CallerNumber, target: &Target) -> identity::Claims {
    let forwarded = match caller {
        CallerNumber::Other(number) => Some(identity::Caller {
            party: Party { number: number.clone(), name: None },
            ..identity::Caller::default()
        }),
        CallerNumber::Trunk | CallerNumber::Withheld => None,
    };
    let withheld = matches!(caller, CallerNumber::Withheld);
    identity::claims(trunk, &trunk.numbers, forwarded.as_ref(), None, &target.host, withheld)
}

impl Gateway {
    /// Sends the INVITE to the target that is next; its media ports are open.
    pub(in crate::gateway) fn send_invite(&mut self, now: Now, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        if call.phase.forking().is_some() {
            return self.send_to_branches(now, id);
        }
        let Some((local, outgoing)) = call.media.local.as_ref().zip(call.phase.outgoing()) else { return };
        let offer = sdp::offer(local, None);
        let target = outgoing.target.clone();
        let trunk = &target.trunk;
        let identity::Claims { from, mut headers } = claims(trunk, &outgoing.caller, &target);
        for (name, value) in outgoing.headers.iter() {
            headers.push(name.clone(), value.clone());
        }
        let number = trunk.numbers.written(&outgoing.number, trunk.identity.format);
        let mut to = Uri::sip(Some(number.as_str()), target.host.clone(), target.port);
        let (registrar, route) = self.way_to(now, trunk, &target.flow);
        to.params = registrar.params;
        let invite = OutgoingInvite {
            headers,
            credentials: trunks::credentials(trunk),
            route,
            terms: Some(call.peer.terms()),
            ..OutgoingInvite::new(target.flow, from, to, Some(Body::sdp(offer.to_string())))
        };
        if let Some(call) = self.calls.get_mut(&id) {
            call.media.offered = Some(offer);
        }
        self.tell_target(id, &target);
        match self.endpoint.invite(now, invite) {
            Ok(invite) => {
                let sip_call_id = self.endpoint.call_id(invite).unwrap_or_default();
                self.calls.invited(id, invite);
                if let Some(call) = self.calls.get_mut(&id) {
                    call.sip_call_id = sip_call_id;
                }
                self.effects.timers.set(Timer::Silence(id), now.instant + SILENCE);
            }
            Err(error) => {
                let why = error.to_string();
                self.dial_failed(now, id, DialCause::Unreachable, Cause::Unreachable(why));
            }
        }
    }
}
