//! How a call of ours is being placed: what `outbound/` keeps of it until somebody answers.

use crate::dialplan::{Route, Trunk};
use crate::sip::Flow;
use crate::sip::message::{Headers, Host};
use std::collections::VecDeque;
use std::sync::Arc;

/// How a call of ours is being placed.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// The route that allowed the number, for its limits.
    pub(super) route: Arc<Route>,
    /// The number in the INVITE: the one asked for, or where a redirection led.
    pub(super) number: String,
    /// The number that the callee sees; none: withheld.
    pub(super) caller: CallerNumber,
    /// The target that has our INVITE, or is about to.
    pub(super) target: Target,
    /// Targets that were not tried yet, best first.
    pub(super) targets: VecDeque<Target>,
    /// 18x came from any target: the session was told.
    pub(super) rings: bool,
    /// 18x came from this target.
    pub(super) rang_here: bool,
    /// Sound came before the answer.
    pub(super) sounds: bool,
    pub(super) redirections_left: u8,
    /// Further headers of the INVITE.
    pub(super) headers: Headers,
}

/// Whose number the callee sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CallerNumber {
    /// The trunk's own, which may be none.
    Trunk,
    /// This one.
    Other(String),
    /// None.
    Withheld,
}

/// One place that may be sent an INVITE.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) trunk: Arc<Trunk>,
    pub(super) flow: Flow,
    /// What the request URI says after the `@`.
    pub(super) host: Host,
    pub(super) port: Option<u16>,
}

impl Target {
    /// The request URI names the trunk as the dialplan does, but for an address, which is the target's own.
    pub(super) fn new(trunk: &Arc<Trunk>, flow: Flow) -> Self {
        let named = trunk.address.iter().find(|address| address.ip().is_none());
        let own = trunk.address.iter().any(|address| address.ip().is_some_and(|ip| ip == flow.peer()));
        let (host, port) = match named.filter(|_| !own) {
            Some(address) => (Host::Name(address.host.as_str().into()), address.port),
            None => (Host::Ip(flow.peer()), Some(flow.remote.port()).filter(|port| *port != 5060)),
        };
        Self { trunk: Arc::clone(trunk), flow, host, port }
    }
}
