//! Numbers of connections to TLS peers, which outlive the connections.

use super::connections::Connections;
use super::tls::TlsPeer;
use crate::sip::Flow;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

/// TLS peers whose connection numbers are remembered.
const MAX_LINES: usize = 4_096;

/// A TLS peer's connection, open or not: its number stays, so that whoever holds a flow with it reaches this peer and
/// no other, by a new connection if need be.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) flow: Flow,
    pub(super) peer: Arc<TlsPeer>,
}

/// All of them.
#[derive(Default)]
pub(super) struct Lines {
    lines: HashMap<u64, Line>,
    numbers: HashMap<(SocketAddr, Arc<TlsPeer>), u64>,
}

impl Lines {
    /// The number of the connection to a TLS peer.
    pub(super) fn number(&mut self, flow: Flow, peer: &TlsPeer, connections: &Connections) -> u64 {
        let key = (flow.remote, Arc::new(peer.clone()));
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        if self.lines.len() >= MAX_LINES {
            // Names that moved from address to address for months: open connections stay, the others are counted anew.
            self.lines.retain(|number, _| connections.contains(*number));
            self.numbers.retain(|_, number| connections.contains(*number));
        }
        connections.note_peer(flow.remote.ip());
        let number = connections.number();
        let flow = Flow { connection: Some(number), ..flow };
        self.lines.insert(number, Line { flow, peer: Arc::clone(&key.1) });
        self.numbers.insert(key, number);
        number
    }

    /// The line of that number.
    pub(super) fn get(&self, number: u64) -> Option<&Line> {
        self.lines.get(&number)
    }

    /// The line to an address: of several the one whose peer is checked, and of those the newest.
    pub(super) fn towards(&self, remote: SocketAddr) -> Option<&Line> {
        let same = self.lines.values().filter(|line| line.flow.remote == remote);
        same.max_by_key(|line| (line.peer.settings.verify, line.flow.connection))
    }
}
