//! The table of connections: who has one, and who makes room for another.

use super::stream::{ConnectionState, Served};
use super::tls::Acceptor;
use super::transports::NetEvents;
use crate::sip::Flow;
use crate::sip::message::Transport;
use bytes::Bytes;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// Messages waiting for one slow peer of a stream before it is given up.
const OUTGOING_QUEUE: usize = 256;
/// Connections at once.
const MAX_CONNECTIONS: usize = 4_096;
/// Connections at once from one address.
const MAX_CONNECTIONS_EACH: usize = 256;

/// What connection tasks report.
pub(super) enum ConnectionEvent {
    /// A peer connected.
    Accepted { stream: TcpStream, local: SocketAddr, remote: SocketAddr, tls: Option<Acceptor> },
    /// A connection ended. Its number may have gone on to the next connection to the same peer: `state` tells them apart.
    Closed { flow: Flow, state: Arc<ConnectionState> },
}

/// An open connection, or one that is being opened.
pub(super) struct Connection {
    pub(super) flow: Flow,
    pub(super) outgoing: mpsc::Sender<Bytes>,
    pub(super) state: Arc<ConnectionState>,
    pub(super) task: AbortHandle,
}

/// All connections, by number and by peer.
pub(super) struct Connections {
    open: HashMap<u64, Connection>,
    /// TCP connections.
    by_remote: HashMap<SocketAddr, u64>,
    next: u64,
    events: NetEvents,
    reports: mpsc::Sender<ConnectionEvent>,
}

impl Connections {
    pub(super) fn new(events: NetEvents, reports: mpsc::Sender<ConnectionEvent>) -> Self {
        Self { open: HashMap::new(), by_remote: HashMap::new(), next: 1, events, reports }
    }

    /// A number that no connection had before.
    pub(super) fn number(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn contains(&self, number: u64) -> bool {
        self.open.contains_key(&number)
    }

    /// Makes what a connection's task needs; `ours` when we open it. Its number is the flow's, or a new one.
    pub(super) fn serve(&mut self, mut flow: Flow, ours: bool) -> (Served, mpsc::Sender<Bytes>, Arc<ConnectionState>) {
        flow.connection = flow.connection.or_else(|| Some(self.number()));
        let (sender, outgoing) = mpsc::channel(OUTGOING_QUEUE);
        let state = Arc::new(ConnectionState::new(ours));
        let (events, connections) = (self.events.clone(), self.reports.clone());
        let served = Served { flow, outgoing, events, connections, state: Arc::clone(&state), ours };
        (served, sender, state)
    }

    pub(super) fn list(&mut self, connection: Connection) {
        let flow = connection.flow;
        let Some(number) = flow.connection else { return };
        if flow.transport != Transport::Tls {
            self.by_remote.insert(flow.remote, number);
        }
        self.open.insert(number, connection);
    }

    /// Makes sure that there is a place for one more connection of ours. Says whether there is.
    pub(super) fn has_room(&mut self) -> bool {
        self.open.len() < MAX_CONNECTIONS || self.evict(None)
    }

    /// The same for a connection from `address`.
    pub(super) fn has_room_for(&mut self, address: IpAddr) -> bool {
        let from_there = self.open.values().filter(|connection| connection.flow.remote.ip() == address).count();
        (from_there < MAX_CONNECTIONS_EACH || self.evict(Some(address))) && self.has_room()
    }

    /// Makes room: closes the oldest connection (from `address`, if given) of a peer that has sent nothing worth an
    /// answer. Says whether there was one.
    fn evict(&mut self, address: Option<IpAddr>) -> bool {
        let strangers = self.open.iter().filter(|(_, connection)| {
            !connection.state.is_known() && address.is_none_or(|address| connection.flow.remote.ip() == address)
        });
        let Some(oldest) = strangers.map(|(number, _)| *number).min() else { return false };
        if let Some(connection) = self.open.get(&oldest) {
            connection.task.abort();
            tracing::debug!(remote = %connection.flow.remote, "connection closed to make room");
        }
        self.forget(oldest);
        true
    }

    /// The connection of that number, unless it has ended and only its report is still to come.
    pub(super) fn live(&self, number: u64) -> Option<&Connection> {
        self.open.get(&number).filter(|connection| !connection.outgoing.is_closed())
    }

    /// The TCP connection to or from `remote`.
    pub(super) fn live_with(&self, remote: SocketAddr) -> Option<&Connection> {
        self.by_remote.get(&remote).and_then(|number| self.live(*number))
    }

    /// Its number, be it alive or not.
    pub(super) fn number_with(&self, remote: SocketAddr) -> Option<u64> {
        self.by_remote.get(&remote).copied()
    }

    /// Takes note that a connection has ended, unless its number has gone on to another.
    pub(super) fn ended(&mut self, flow: Flow, state: &Arc<ConnectionState>) {
        let Some(number) = flow.connection else { return };
        if self.open.get(&number).is_some_and(|connection| Arc::ptr_eq(&connection.state, state)) {
            self.forget(number);
        }
    }

    /// Takes the senders away: the connections end when all is written.
    pub(super) fn clear(&mut self) {
        self.open.clear();
    }

    fn forget(&mut self, number: u64) {
        let Some(connection) = self.open.remove(&number) else { return };
        if self.by_remote.get(&connection.flow.remote) == Some(&number) {
            self.by_remote.remove(&connection.flow.remote);
        }
    }
}
