//! OPTIONS outside of any dialog (RFC 3261 section 11): is the peer there?

use std::time::Duration;

use super::Endpoint;
use crate::sip::core::{ACCEPT, ALLOW, Event, Owner, PingId};
use crate::sip::flow::Flow;
use crate::sip::message::{HeaderName as H, Method, NameAddr, Request, StatusCode, Uri};
use crate::types::Now;

impl Endpoint {
    /// Sends an OPTIONS to `to` by way of `route`; `Event::Pinged` follows.
    pub fn ping(&mut self, now: Now, flow: Flow, to: Uri, route: &[NameAddr]) -> PingId {
        let id = PingId(self.core.next_id());
        let tag = self.core.new_tag();
        let address = self.core.transactions.public_address(&flow);
        let from = NameAddr::new(Uri::sip(Some(self.core.config.contact_user.as_str()), address.ip(), None));
        let mut request = Request::new(Method::Options, to.clone());
        request.headers.push(H::MaxForwards, "70");
        for route in route {
            request.headers.push_display(H::Route, route);
        }
        request.headers.push_display(H::From, &from.with_tag(tag.to_string()));
        request.headers.push_display(H::To, &NameAddr::new(to));
        request.headers.push(H::CallId, self.core.new_call_id());
        request.headers.push(H::CSeq, format!("{} OPTIONS", self.core.new_cseq()));
        request.headers.push(H::Contact, self.core.contact(&flow, None, false));
        request.headers.push(H::Accept, ACCEPT);
        request.headers.push(H::Allow, ALLOW);
        self.core.transactions.start(now, request, flow, Owner::Ping(id).into());
        id
    }

    pub(super) fn on_pinged(&mut self, ping: PingId, status: StatusCode, retry_after: Option<Duration>, reached: bool) {
        if !status.is_provisional() {
            self.core.event(Event::Pinged { ping, status, retry_after, reached });
        }
    }
}
