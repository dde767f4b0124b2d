//! Responses: the request each belongs to, and the ACKs that go back (RFC 3261 sections 13.2.2.4 and 17.1.3).

use rand::Rng;

use super::Transactions;
use super::cancelling::hop_request;
use super::client::Event;
use super::timer::ClientId;
use crate::sip::flow::Flow;
use crate::sip::message::{HeaderName as H, Method, Request, Response, Text};
use crate::types::Now;

impl<C: Clone + Default, S: Copy> Transactions<C, S> {
    /// Hands the transaction `id` a response to its request. The transaction again, once it has taken note; `None`
    /// where there is nothing to be passed up.
    pub fn receive_response(&mut self, now: Now, id: ClientId, flow: &Flow, response: &Response) -> Option<ClientId> {
        self.adopt_connection(id, flow);
        if let Some(transaction) = self.clients.get_mut(&id) {
            transaction.answered_by = Some(flow.peer());
        }
        if self.repeat_ack(id, response) {
            return None;
        }
        let outcome = self.drive(now, id, Event::Response(response.status), Some(response));
        if response.status.is_provisional() {
            self.send_wanted_cancel(now, id);
            self.bound_proceeding(now, id);
        }
        if !outcome.pass_up {
            self.sweep_client(id);
        }
        outcome.pass_up.then_some(id)
    }

    /// Learns by which connection a request went that left the choice to the shell, so that its end is noticed.
    fn adopt_connection(&mut self, id: ClientId, flow: &Flow) {
        let Some(transaction) = self.clients.get_mut(&id) else { return };
        let before = transaction.flow;
        if before.connection.is_some() || flow.connection.is_none() || before.transport != flow.transport {
            return;
        }
        transaction.flow.connection = flow.connection;
        if transaction.is_waiting() {
            let after = transaction.flow;
            self.stop_waiting(&before, id);
            self.waiting.entry(after.identity()).or_default().insert(id);
        }
    }

    /// The transaction whose branch a response bears.
    pub fn matching(&self, response: &Response) -> Option<ClientId> {
        let via = response.via_top().ok()?;
        let branch = via.branch.as_deref()?.strip_prefix("z9hG4bK").filter(|branch| branch.len() == 16)?;
        let branch = u64::from_str_radix(branch, 16).ok()?;
        let Ok(cseq) = response.cseq() else {
            // Without the method, an INVITE and its CANCEL look the same; but only a call has somewhere to be reached.
            let is_call = response.headers.contains(&H::Contact) || !response.body.is_empty();
            let both = [!is_call, is_call].map(|cancel| ClientId { branch, cancel });
            return both.into_iter().find(|id| self.clients.contains_key(id));
        };
        let id = ClientId { branch, cancel: cseq.method == Method::Cancel };
        self.clients.get(&id).filter(|transaction| transaction.method == cseq.method).map(|_| id)
    }

    /// A 2xx that came again is acknowledged again, without anybody else hearing of it.
    fn repeat_ack(&mut self, id: ClientId, response: &Response) -> bool {
        if !response.status.is_success() {
            return false;
        }
        let Some(transaction) = self.clients.get(&id).filter(|it| !it.acks.is_empty()) else { return false };
        let tag = response.to_tag();
        let Some((_, flow, bytes)) = transaction.acks.iter().find(|(other, ..)| *other == tag) else { return false };
        let (flow, bytes) = (*flow, bytes.clone());
        self.totals.retransmitted += 1;
        self.transmit(flow, bytes);
        true
    }

    /// Sends the ACK of a 2xx that has this To tag, which has no transaction, and again whenever that response comes
    /// again.
    pub fn acknowledge(&mut self, tx: ClientId, tag: Text, mut ack: Request, flow: Flow) {
        let id = ClientId { branch: self.rng.random(), cancel: false };
        ack.headers.push_front(H::Via, self.via(&flow, id));
        let bytes = ack.to_bytes();
        if let Some(transaction) = self.clients.get_mut(&tx) {
            transaction.acks.push((tag, flow, bytes.clone()));
        }
        self.transmit(flow, bytes);
    }

    /// Forgets a transaction that has come to its end: to be called once its user has seen the response.
    pub fn sweep_client(&mut self, tx: ClientId) {
        if self.clients.get(&tx).is_some_and(|transaction| transaction.is_terminated()) {
            self.forget_client(tx);
        }
    }

    pub(super) fn acknowledge_failure(&mut self, id: ClientId, response: Option<&Response>) {
        let Some(transaction) = self.clients.get_mut(&id) else { return };
        let flow = transaction.flow;
        let bytes = match (transaction.acks.first(), response) {
            (Some((_, _, bytes)), _) => bytes.clone(),
            (None, Some(response)) => {
                let Some(invite) = transaction.parsed_request() else { return };
                let to = response.headers.get(&H::To).or(invite.headers.get(&H::To)).cloned();
                let ack = hop_request(&invite, Method::Ack, to);
                let bytes = ack.to_bytes();
                transaction.acks.push((Text::default(), flow, bytes.clone()));
                bytes
            }
            (None, None) => return,
        };
        self.transmit(flow, bytes);
    }
}
