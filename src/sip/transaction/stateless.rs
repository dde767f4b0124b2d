//! Answers without a transaction (RFC 3261 section 8.2.7).

use super::received::response_flow;
use super::{Key, Received, Reply, Transactions};
use crate::sip::flow::Flow;
use crate::sip::message::{HeaderName as H, Repeated, Request, Response, StatusCode};

impl<C: Clone + Default, S: Copy> Transactions<C, S> {
    /// Answers a request that could be read in part only.
    pub fn respond_unread(&mut self, request: &Request, flow: Flow, status: StatusCode) {
        let mut request = request.clone();
        let Ok(via) = request.mark_received(flow.remote) else { return };
        let flow = response_flow(flow, &via);
        let tag = self.new_tag().to_string();
        self.send_stateless(&request, flow, Reply::new(status), &tag);
    }

    /// Answers a request that gets no transaction. The same request, by its `key`, gets the same tag each time it
    /// comes.
    pub fn respond_statelessly(&mut self, received: &Received, key: Key, reply: Reply) {
        self.send_stateless(&received.request, received.response_flow(), reply, &key.stateless_tag());
    }

    /// The same of a request of which no more was read than must be repeated.
    pub fn respond_unparsed(&mut self, flow: Flow, repeated: &Repeated<'_>, key: Key, reply: Reply) {
        let Reply { status, mut headers, .. } = reply;
        self.add_identity(&mut headers, H::Server);
        let bytes = repeated.answer(status, &key.stateless_tag(), &headers);
        self.transmit(response_flow(flow, &repeated.via), bytes);
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
