//! Requests too large for a datagram (RFC 3261 section 18.1.1).

use std::time::Duration;

use super::Transactions;
use super::client::{CancelState, Machine};
use super::clients::Outcome;
use super::machine::{client, client_invite};
use super::timer::ClientId;
use crate::sip::flow::Flow;
use crate::sip::message::Transport;
use crate::types::Now;

/// How long a peer that refused TCP is not asked again.
const REFUSAL_KEPT: Duration = Duration::from_secs(600);
/// Beyond this many such peers, they are counted anew.
const REFUSALS_KEPT: usize = 1_024;

impl<C: Clone + Default, S: Copy> Transactions<C, S> {
    /// Whether a request is too large for a datagram and may go by TCP (RFC 3261 section 18.1.1).
    pub(super) fn is_too_large(&self, now: Now, flow: &Flow, bytes: usize) -> bool {
        flow.transport == Transport::Udp
            && bytes > self.config.datagram_limit
            && self.no_tcp.get(&flow.remote).is_none_or(|until| *until <= now.instant)
    }

    /// A large request whose TCP was refused goes by UDP after all. Says whether there was such a way left.
    pub(super) fn send_as_datagram(&mut self, now: Now, id: ClientId) -> bool {
        let Some(transaction) = self.clients.get_mut(&id) else { return false };
        let fresh = matches!(
            transaction.machine,
            Machine::Invite(client_invite::State::Calling) | Machine::Other(client::State::Trying)
        );
        let Some(datagram) = transaction.datagram.take().filter(|_| fresh) else { return false };
        let (flow, request) = *datagram;
        if self.no_tcp.len() >= REFUSALS_KEPT {
            self.no_tcp.clear();
        }
        self.no_tcp.insert(flow.remote, now.instant + REFUSAL_KEPT);
        if transaction.cancel != CancelState::No {
            // Given up meanwhile, and nobody has seen it: there it stays.
            return false;
        }
        transaction.flow = flow;
        transaction.request = request;
        transaction.interval = self.config.timing.t1;
        let start = match transaction.machine {
            Machine::Invite(_) => client_invite::START,
            Machine::Other(_) => client::START,
        };
        self.waiting.entry(flow.identity()).or_default().insert(id);
        self.act(now, id, start, None, &mut Outcome::default());
        true
    }
}
