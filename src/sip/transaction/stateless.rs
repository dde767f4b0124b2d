//! Answers without a transaction (RFC 3261 section 8.2.7).

use std::net::SocketAddr;

use super::{Key, Received, Reply, Transactions};
use crate::sip::flow::Flow;
use crate::sip::message::{HeaderName as H, Request, Response, StatusCode};

impl<C: Clone + Default, S: Copy> Transactions<C, S> {
    /// Answers a request that could be read in part only.
    pub fn respond_unread(&mut self, request: &Request, flow: Flow, status: StatusCode) {
        let mut request = request.clone();
        let Ok(via) = request.mark_received(flow.remote) else { return };
        let flow = if flow.transport.is_reliable() {
            flow
        } else {
            let port = via.rport.flatten().or(via.port).unwrap_or(flow.transport.default_port());
            flow.towards(SocketAddr::new(flow.remote.ip(), port))
        };
        let tag = self.new_tag().to_string();
        self.send_stateless(&request, flow, Reply::new(status), &tag);
    }

    /// Answers a request that gets no transaction. The same request, by its `key`, gets the same tag each time it comes.
    pub fn respond_statelessly(&mut self, received: &Received, key: Key, reply: Reply) {
        self.send_stateless(&received.request, received.response_flow(), reply, &key.stateless_tag());
    }

    fn send_stateless(&mut self, request: &Request, flow: Flow, reply: Reply, tag: &str) {
        let mut response = Response::to_request(request, reply.status);
        response.set_to_tag(tag);
        response.headers.extend(&reply.headers);
        response.body = reply.body;
        self.add_identity(&mut response.headers, H::Server);
        self.transmit(flow, response.to_bytes());
    }
}
