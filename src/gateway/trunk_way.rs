//! What a registration says of the way: out by the registrar's Service-Route (RFC 3608), in by a bulk Contact (RFC
//! 6140).

use super::Gateway;
use super::trunks::{Entry, Trunks, destination};
use crate::dialplan::{Register, Trunk};
use crate::sip::Flow;
use crate::sip::message::{NameAddr, Request, Uri};
use crate::types::Now;

impl Gateway {
    /// The trunk's request URI without a user, and the routes to it by this flow: its proxy, then what its registrar
    /// asks for. The latter only to the server that holds our binding: to others it would lead by way of one that is
    /// perhaps gone.
    pub(super) fn way_to(&self, now: Now, trunk: &Trunk, flow: &Flow) -> (Uri, Vec<NameAddr>) {
        let (uri, mut route) = destination(trunk, flow);
        let service = self.service_route(now, &trunk.name, flow);
        let is_first = |proxy: &NameAddr| {
            service.first().is_some_and(|first| first.uri.host == proxy.uri.host && first.uri.port == proxy.uri.port)
        };
        route.retain(|proxy| !is_first(proxy));
        route.extend_from_slice(service);
        (uri, route)
    }

    /// The Service-Route of a trunk's registrar for requests to one of its servers. Empty: none.
    pub(super) fn service_route(&self, now: Now, name: &str, flow: &Flow) -> &[NameAddr] {
        let Some(registration) = self.trunks.named(name).and_then(|entry| entry.registration) else { return &[] };
        let bound = self.endpoint.registration_flow(registration);
        let holds_it = bound.is_some_and(|bound| bound.transport == flow.transport && bound.remote == flow.remote);
        if holds_it { self.endpoint.service_route(now, registration) } else { &[] }
    }
}

impl Trunks {
    /// The trunk whose bulk registration leads a request here: sent to the host and port of that Contact, from one of
    /// the trunk's addresses.
    pub(super) fn by_bulk_contact(&self, request: &Request, flow: &Flow) -> Option<&str> {
        let source = flow.peer();
        let is_meant = |entry: &&Entry| {
            entry.trunk.register == Register::Bulk
                && entry.contact_address.is_some_and(|address| request.uri.is_at(address))
                && (entry.is_at(source) || entry.trunk.allows(source))
        };
        self.entries.iter().find(is_meant).map(|entry| entry.trunk.name.as_str())
    }
}
