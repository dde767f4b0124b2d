//! Giving an INVITE up (RFC 3261 section 9.1), and what is sent to the next hop on its behalf.

use bytes::Bytes;

use super::Transactions;
use super::client::{CancelState, ClientTransaction, Machine};
use super::machine::client_invite;
use super::timer::{ClientId, Timer};
use crate::sip::message::{HeaderName as H, Method, Reason, Request};
use crate::types::Now;

impl<C: Clone + Default, S: Copy> Transactions<C, S> {
    /// Gives an INVITE up: CANCEL now, or with the first provisional response (RFC 3261 section 9.1).
    pub fn cancel(&mut self, now: Now, id: ClientId, reason: Option<&Reason>) {
        let Some(transaction) = self.clients.get_mut(&id) else { return };
        transaction.cancel_reason = reason.map(|reason| Box::new(reason.clone()));
        match transaction.machine {
            Machine::Invite(client_invite::State::Calling) => transaction.cancel = CancelState::Wanted,
            Machine::Invite(client_invite::State::Proceeding) => {
                transaction.cancel = CancelState::Wanted;
                self.send_cancel(now, id);
            }
            _ => transaction.cancel = CancelState::Sent,
        }
    }

    pub(super) fn send_wanted_cancel(&mut self, now: Now, id: ClientId) {
        let wanted = |transaction: &ClientTransaction<C>| {
            transaction.cancel == CancelState::Wanted
                && transaction.machine == Machine::Invite(client_invite::State::Proceeding)
        };
        if self.clients.get(&id).is_some_and(|transaction| wanted(transaction)) {
            self.send_cancel(now, id);
        }
    }

    fn send_cancel(&mut self, now: Now, id: ClientId) {
        let Some(transaction) = self.clients.get_mut(&id) else { return };
        transaction.cancel = CancelState::Sent;
        let flow = transaction.flow;
        let Some(invite) = transaction.parsed_request() else { return };
        let mut cancel = hop_request(&invite, Method::Cancel, invite.headers.get(&H::To).cloned());
        if let Some(reason) = &transaction.cancel_reason {
            cancel.headers.push_display(H::Reason, reason);
        }
        let patience = self.config.timing.patience();
        self.set_timer(now, Timer::Cancelled(id), patience);
        let id = ClientId { cancel: true, ..id };
        self.launch(now, id, Method::Cancel, cancel.to_bytes(), flow, C::default(), None);
    }
}

/// The ACK of a failure, or the CANCEL, of `invite`: same top Via, request URI, routes and CSeq number
/// (RFC 3261 sections 9.1 and 17.1.1.3).
pub(super) fn hop_request(invite: &Request, method: Method, to: Option<Bytes>) -> Request {
    let mut request = Request::new(method, invite.uri.clone());
    if let Some(via) = invite.headers.values(&H::Via).next() {
        request.headers.push(H::Via, via);
    }
    request.headers.push(H::MaxForwards, "70");
    request.headers.copy_all(&H::Route, &invite.headers);
    request.headers.copy_all(&H::From, &invite.headers);
    if let Some(to) = to {
        request.headers.push(H::To, to);
    }
    request.headers.copy_all(&H::CallId, &invite.headers);
    let number = invite.cseq().map(|cseq| cseq.number).unwrap_or_default();
    request.headers.push(H::CSeq, format!("{number} {}", request.method));
    request
}
