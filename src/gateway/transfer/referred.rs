//! The peer's REFER: it wants us to call somebody who takes its place. Never a way round the rules: such a call is
//! placed like any other call of ours, by the routes with `from = "sessions"`.

use super::can_be_moved;
use crate::dialplan::outgoing;
use crate::gateway::outbound::{DialRequest, DialResult};
use crate::gateway::{Call, Gateway, Level, Masked};
use crate::session::{CallerId, DialTarget};
use crate::sip::message::{HeaderName, Headers, StatusCode, Uri};
use crate::sip::{InviteId, Referral};
use crate::types::Now;
use std::net::IpAddr;

/// Longest Referred-By that is passed on, in bytes.
const LONGEST_REFERRER: usize = 256;

/// Why we do not call whom the peer refers us to.
struct Refusal(StatusCode, String);

impl Gateway {
    pub(in crate::gateway) fn on_referred(&mut self, now: Now, invite: InviteId, referral: &Referral) {
        let id = self.calls.of(invite);
        let status = match self.try_referred(now, invite, referral) {
            Ok(()) => StatusCode::ACCEPTED,
            Err(Refusal(status, rule)) => {
                self.log_limited(now, Level::Info, id, "transfer refused, call kept", || {
                    format!("{}: {rule}", status.0)
                });
                status
            }
        };
        let answered = self.endpoint.answer_refer(now, invite, status);
        self.note("answer to a referral", answered);
    }

    fn try_referred(&mut self, now: Now, invite: InviteId, referral: &Referral) -> Result<(), Refusal> {
        let gone = || Refusal(StatusCode::CALL_DOES_NOT_EXIST, "the call is over".into());
        let id = self.calls.of(invite).ok_or_else(gone)?;
        let call = self.calls.get(&id).ok_or_else(gone)?;
        if !call.peer.terms().refer {
            return Err(Refusal(StatusCode::FORBIDDEN, format!("{} is not set", call.peer.setting("refer"))));
        }
        if !can_be_moved(call) || self.transfers.successor_of(id).is_some() {
            return Err(Refusal(StatusCode::REQUEST_PENDING, "it is being transferred already".into()));
        }
        let user = referral.uri.user_decoded().filter(|user| !user.is_empty());
        let Some(user) = user else { return Err(Refusal(StatusCode::BAD_REQUEST, "Refer-To names nobody".into())) };
        if self.is_ourselves(call, &referral.uri)
            || referral.replaces.as_ref().is_some_and(|it| self.endpoint.is_ours(it))
        {
            return Err(Refusal(StatusCode::BAD_REQUEST, "Refer-To leads back to ourselves".into()));
        }
        let (session, number) = (call.session, call.peer.numbers().normalise(&user));
        let allowed = outgoing::allow(&call.plan, &number);
        if let Ok(allowed) = &allowed
            && allowed.outgoing.confirm == Some(true)
        {
            let rule =
                format!("route {} says confirm = true, and a call that is transferred asks nobody", allowed.route.name);
            return Err(Refusal(StatusCode::FORBIDDEN, rule));
        }
        let masked = Masked(&number).to_string();
        let headers = headers(referral);
        let request =
            DialRequest { call: None, to: DialTarget::Number(number), caller: CallerId::Trunk, timeout: None, headers };
        // What the routes do not allow is refused, and recorded, as any other call of ours.
        let new = match self.place_call(now, session, request) {
            DialResult::Placed(new) => new,
            DialResult::Refused(rule) => return Err(Refusal(StatusCode::FORBIDDEN, rule)),
        };
        self.transfers.begin(new, id, Some(invite));
        self.log(Level::Info, Some(id), "referred", format!("to {masked}, {new}"));
        Ok(())
    }

    /// Whether a URI names one of our own addresses.
    fn is_ourselves(&self, call: &Call, uri: &Uri) -> bool {
        let Some(ip) = uri.host.ip().map(|ip| ip.to_canonical()) else { return false };
        let gateway = &call.plan.gateway;
        let heard = uri.port.is_none_or(|port| gateway.sip.iter().any(|listen| listen.address.port() == port));
        let local = call.media.local.as_ref().map(|local| local.address);
        let listening = gateway.sip.iter().map(|listen| listen.address.ip());
        let public: [Option<IpAddr>; 3] = [gateway.public_address, call.peer.public_address(), local];
        heard && listening.chain(public.into_iter().flatten()).any(|own| own.to_canonical() == ip)
    }
}

/// What the INVITE carries on from the REFER.
fn headers(referral: &Referral) -> Headers {
    let mut headers = Headers::new();
    if let Some(replaces) = &referral.replaces {
        headers.push_display(HeaderName::Replaces, replaces);
    }
    if let Some(referred_by) = &referral.referred_by {
        let text = referred_by.to_string();
        if text.len() <= LONGEST_REFERRER {
            headers.push(HeaderName::ReferredBy, text);
        }
    }
    headers
}
