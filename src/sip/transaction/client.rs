//! One request of ours.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;

use super::machine::{Action, client, client_invite};
use super::timer::{ClientId, TimerName};
use crate::sip::flow::Flow;
use crate::sip::message::{Message, Method, Reason, Request, StatusCode, Text};

/// Why no response will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Nobody answered.
    Timeout,
    /// The transport failed.
    Transport,
}

impl Failure {
    /// The status RFC 3261 section 8.1.3.1 puts in the place of the missing response.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::Transport => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// A request of ours that comes to nothing.
pub(crate) struct Failed<C> {
    pub tx: ClientId,
    pub user: C,
    pub method: Method,
    pub failure: Failure,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Machine {
    Invite(client_invite::State),
    Other(client::State),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CancelState {
    No,
    /// To be sent with the first provisional response.
    Wanted,
    Sent,
}

/// A request of ours and what became of it. The request is kept as bytes only: it is seldom looked at again.
pub(crate) struct ClientTransaction<C> {
    pub method: Method,
    /// Where it went.
    pub flow: Flow,
    /// What its user left with it.
    pub user: C,
    pub(super) request: Bytes,
    /// The same request by UDP, in case its TCP is refused.
    pub(super) datagram: Option<Box<(Flow, Bytes)>>,
    pub(super) machine: Machine,
    pub(super) interval: Duration,
    pub(super) cancel: CancelState,
    /// What the CANCEL says, and the BYE after an answer that comes all the same.
    pub cancel_reason: Option<Box<Reason>>,
    /// ACKs to repeat when the final response is repeated, by its To tag. More than one when the INVITE forked.
    pub(super) acks: Vec<(Text, Flow, Bytes)>,
    /// Where the latest response came from.
    pub(super) answered_by: Option<IpAddr>,
}

impl<C> ClientTransaction<C> {
    /// Whether both the one it went to and the one who answered are such a peer.
    pub fn is_between(&self, such: impl Fn(IpAddr) -> bool) -> bool {
        such(self.flow.peer()) && self.answered_by.is_none_or(such)
    }

    /// The request, read again.
    pub fn parsed_request(&self) -> Option<Request> {
        match Message::parse(&self.request) {
            Ok(Message::Request(request)) => Some(request),
            _ => None,
        }
    }

    /// How many dialogs were acknowledged.
    pub fn ack_count(&self) -> usize {
        self.acks.len()
    }
}

/// Something a machine has to be told.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    Response(StatusCode),
    Timer(TimerName),
    TransportError,
}

impl<C> ClientTransaction<C> {
    pub(super) fn step(&mut self, event: Event) -> &'static [Action] {
        match &mut self.machine {
            Machine::Invite(state) => {
                let event = match event {
                    Event::Response(status) if status.is_provisional() => client_invite::Event::Provisional,
                    Event::Response(status) if status.is_success() => client_invite::Event::Success,
                    Event::Response(_) => client_invite::Event::Failure,
                    Event::Timer(timer) => client_invite::Event::Timer(timer),
                    Event::TransportError => client_invite::Event::TransportError,
                };
                let (next, actions) = client_invite::step(*state, event);
                *state = next;
                actions
            }
            Machine::Other(state) => {
                let event = match event {
                    Event::Response(status) if status.is_provisional() => client::Event::Provisional,
                    Event::Response(_) => client::Event::Final,
                    Event::Timer(timer) => client::Event::Timer(timer),
                    Event::TransportError => client::Event::TransportError,
                };
                let (next, actions) = client::step(*state, event);
                *state = next;
                actions
            }
        }
    }

    pub(super) fn is_terminated(&self) -> bool {
        matches!(
            self.machine,
            Machine::Invite(client_invite::State::Terminated) | Machine::Other(client::State::Terminated)
        )
    }

    /// Whether no final response has come.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(
            self.machine,
            Machine::Invite(client_invite::State::Calling | client_invite::State::Proceeding)
                | Machine::Other(client::State::Trying | client::State::Proceeding)
        )
    }
}
