//! Messages of users outside of calls (RFC 3428): where a route lets a user call, a message may go.

use super::forking::{shown_host, user_address};
use super::peer::Peer;
use super::{Gateway, Level};
use crate::dialplan::{Origin, RouteTarget, route};
use crate::sip::message::{HeaderName, Headers, NameAddr, Request, StatusCode, Uri};
use crate::sip::{Body, MessageId, OutgoingMessage, PeerId, RequestId};
use crate::types::Now;

/// Octets of the longest message.
const LONGEST: usize = 8 * 1_024;

impl Gateway {
    pub(super) fn on_messaged(&mut self, now: Now, id: RequestId, peer: PeerId, request: &Request) {
        let (status, retry) = match self.pass_on(now, id, peer, request) {
            Ok(()) => return,
            Err(refused) => refused,
        };
        let mut headers = Headers::new();
        if retry {
            headers.push(HeaderName::RetryAfter, "2");
        }
        self.log_limited(now, Level::Info, None, "message refused", || status.to_string());
        self.endpoint.respond(now, id, status, headers);
    }

    /// Sends a message on, to every place where its receiver is registered. Otherwise: the refusal, and whether it
    /// holds for a moment only.
    fn pass_on(&mut self, now: Now, id: RequestId, peer: PeerId, request: &Request) -> Result<(), (StatusCode, bool)> {
        let Some(Peer::User(sender)) = self.admission.peers.get(peer).cloned() else {
            return Err((StatusCode::METHOD_NOT_ALLOWED, false));
        };
        if sender.invited_to.is_some() {
            return Err((StatusCode::FORBIDDEN, false));
        }
        if request.body.len() > LONGEST {
            return Err((StatusCode::REQUEST_ENTITY_TOO_LARGE, false));
        }
        if !self.messages.admit(now.instant, &sender.name) {
            return Err((StatusCode::SERVICE_UNAVAILABLE, true));
        }
        let number = self.called_number(request, &Peer::User(sender.clone()));
        let receiver = match route::find(&self.plan, &Origin::Users, &number).map(|route| &route.target) {
            Some(RouteTarget::Direct) => number,
            Some(RouteTarget::User(name)) => name.expand(&number, ""),
            _ => return Err((StatusCode::NOT_FOUND, false)),
        };
        if self.users.get(&receiver).is_none() {
            return Err((StatusCode::NOT_FOUND, false));
        }
        let places = self.users.registrar().targets(now.instant, &receiver, request.uri.params.get("gr"));
        if places.is_empty() {
            return Err((StatusCode::TEMPORARILY_UNAVAILABLE, false));
        }
        let content_type = request.headers.get_str(&HeaderName::ContentType).unwrap_or("text/plain").to_owned();
        let domain = self.plan.gateway.domain.clone();
        let mut sent: Vec<MessageId> = Vec::new();
        for place in places {
            let address = self.trunks.own_addresses.towards(place.flow.remote.ip(), place.flow.local.ip());
            let host = shown_host(domain.as_deref(), address);
            let message = OutgoingMessage {
                flow: place.flow,
                request_uri: place.contact,
                from: user_address(&sender.party(), &host),
                to: NameAddr::new(Uri::sip(Some(receiver.as_str()), host, None)),
                body: Body { content_type: content_type.clone().into(), bytes: request.body.clone() },
            };
            sent.extend(self.endpoint.send_message(now, message).ok());
        }
        if sent.is_empty() {
            return Err((StatusCode::SERVICE_UNAVAILABLE, true));
        }
        self.messages.sent(id, &sent);
        Ok(())
    }

    pub(super) fn on_message_answered(&mut self, now: Now, message: MessageId, status: StatusCode) {
        if let Some((request, status)) = self.messages.answered(message, status) {
            self.endpoint.respond(now, request, status, Headers::new());
        }
    }
}
