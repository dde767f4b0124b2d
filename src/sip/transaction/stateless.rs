//! Answers without a transaction (RFC 3261 section 8.2.7).

use std::net::SocketAddr;

use super::Transactions;
use crate::sip::flow::Flow;
use crate::sip::message::{HeaderName as H, Headers, Request, Response, StatusCode};

impl<C: Clone + Default, S: Copy> Transactions<C, S> {
    /// Answers a request that gets no transaction: it could not be read, or a limit is reached.
    pub fn respond_statelessly(&mut self, request: &Request, flow: Flow, status: StatusCode, extra: Headers) {
        let tag = self.new_tag().to_string();
        self.respond_statelessly_as(request, flow, status, extra, &tag);
    }

    /// The same with this tag.
    pub fn respond_statelessly_as(
        &mut self,
        request: &Request,
        flow: Flow,
        status: StatusCode,
        extra: Headers,
        tag: &str,
    ) {
        let mut request = request.clone();
        let Ok(via) = request.mark_received(flow.remote) else { return };
        let mut response = Response::to_request(&request, status);
        response.set_to_tag(tag);
        response.headers.extend(&extra);
        self.add_identity(&mut response.headers, H::Server);
        let flow = if flow.transport.is_reliable() {
            flow
        } else {
            let port = via.rport.flatten().or(via.port).unwrap_or(flow.transport.default_port());
            flow.towards(SocketAddr::new(flow.remote.ip(), port))
        };
        self.transmit(flow, response.to_bytes());
    }
}
