//! Which call a connection is for, and how many there may be. Shared by the thread of the connections and that of
//! [`super::super::webrtc`]; each holds it for a look only.

use super::super::arrivals::source;
use crate::types::{CallId, relax};
use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Connections at once that have not said yet which call they are for.
const STRANGERS: usize = 512;
/// The same from one source.
const STRANGERS_EACH: usize = 16;
/// Connections of one call: one for each network that the browser is in, and those that it has left without a word.
const EACH_CALL: usize = 8;
/// Ended connections of one call that are told at once.
const ENDED: usize = 64;

/// Closed when the connection is to end: it makes room, or its call is over.
pub(super) type End = oneshot::Receiver<Infallible>;

/// All connections and calls. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(in crate::net) struct Relays(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    next: u64,
    strangers: BTreeMap<u64, Stranger>,
    calls: HashMap<CallId, Call>,
    /// Calls by our username fragment.
    fragments: HashMap<String, CallId>,
    /// Connections by the relay's address.
    relays: HashMap<SocketAddr, SocketAddr>,
}

#[derive(Debug)]
struct Stranger {
    source: IpAddr,
    end: oneshot::Sender<Infallible>,
}

/// A call that connections may be for.
#[derive(Debug)]
struct Call {
    fragment: String,
    /// Of its leg's socket.
    address: SocketAddr,
    connections: BTreeMap<u64, Connection>,
    /// By their other end, since this was asked last.
    ended: Vec<SocketAddr>,
}

#[derive(Debug)]
struct Connection {
    /// Our socket that the leg sees.
    relay: SocketAddr,
    remote: SocketAddr,
    _end: oneshot::Sender<Infallible>,
}

impl Relays {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connections that show our `fragment` are for this call, whose leg's socket has that address. Those it has stay.
    pub(in crate::net) fn register(&self, call: CallId, fragment: &str, address: SocketAddr) {
        let mut table = self.table();
        let connections = table.remove(call).map(|before| before.connections).unwrap_or_default();
        table.fragments.insert(fragment.to_owned(), call);
        let entry = Call { fragment: fragment.to_owned(), address, connections, ended: Vec::new() };
        table.calls.insert(call, entry);
    }

    /// A call is over: its connections send what is on its way, and end.
    pub(in crate::net) fn forget(&self, call: CallId) {
        self.table().remove(call);
    }

    /// The other end of the connection that datagrams from `relay` came by.
    pub(in crate::net) fn remote(&self, relay: SocketAddr) -> Option<SocketAddr> {
        self.table().relays.get(&relay).copied()
    }

    /// Where datagrams of a call go that are for the connection with `remote`.
    pub(in crate::net) fn relay(&self, call: CallId, remote: SocketAddr) -> Option<SocketAddr> {
        let table = self.table();
        let connections = table.calls.get(&call)?.connections.values();
        connections.rev().find(|connection| connection.remote == remote).map(|connection| connection.relay)
    }

    /// The other ends of a call's connections that have ended, each told once.
    pub(in crate::net) fn take_ended(&self, call: CallId) -> Vec<SocketAddr> {
        self.table().calls.get_mut(&call).map(|call| std::mem::take(&mut call.ended)).unwrap_or_default()
    }

    /// Takes a connection of somebody unknown. Where there are too many, the oldest makes room.
    pub(super) fn admit(&self, address: IpAddr) -> (Guest, End) {
        let source = source(address);
        let mut table = self.table();
        let near: Vec<u64> =
            table.strangers.iter().filter(|(_, other)| other.source == source).map(|(number, _)| *number).collect();
        if near.len() >= STRANGERS_EACH
            && let Some(oldest) = near.first()
        {
            table.strangers.remove(oldest);
        }
        if table.strangers.len() >= STRANGERS {
            table.strangers.pop_first();
        }
        let number = table.next;
        table.next += 1;
        let (end, ended) = oneshot::channel();
        table.strangers.insert(number, Stranger { source, end });
        (Guest { number, relays: self.clone(), call: None }, ended)
    }

    /// The address of the leg that a check with our `fragment` is for.
    pub(super) fn leg(&self, fragment: &str) -> Option<(CallId, SocketAddr)> {
        let table = self.table();
        let call = *table.fragments.get(fragment)?;
        Some((call, table.calls.get(&call)?.address))
    }

    /// Connections of strangers, and of calls.
    #[cfg(test)]
    pub(super) fn counts(&self) -> (usize, usize) {
        let table = self.table();
        (table.strangers.len(), table.relays.len())
    }
}

impl Table {
    fn remove(&mut self, call: CallId) -> Option<Call> {
        let removed = self.calls.remove(&call)?;
        self.fragments.remove(&removed.fragment);
        relax(&mut self.calls);
        relax(&mut self.fragments);
        Some(removed)
    }
}

/// A connection's place in the table, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Guest {
    number: u64,
    relays: Relays,
    /// Whose it is, and under which address of ours, once it has said so.
    call: Option<(CallId, SocketAddr)>,
}

impl Guest {
    pub(super) fn leg(&self, fragment: &str) -> Option<(CallId, SocketAddr)> {
        self.relays.leg(fragment)
    }

    /// It is a connection of that call from now on, relayed by our socket `relay`. Where the call has too many, the
    /// oldest makes room. Says whether there still is such a call.
    pub(super) fn join(&mut self, call: CallId, relay: SocketAddr, remote: SocketAddr) -> bool {
        let mut guard = self.relays.table();
        let table = &mut *guard;
        let Some(entry) = table.calls.get_mut(&call) else { return false };
        let Some(Stranger { end, .. }) = table.strangers.remove(&self.number) else { return false };
        if entry.connections.len() >= EACH_CALL
            && let Some((_, oldest)) = entry.connections.pop_first()
        {
            entry.note_end(oldest.remote);
            table.relays.remove(&oldest.relay);
        }
        entry.connections.insert(self.number, Connection { relay, remote, _end: end });
        table.relays.insert(relay, remote);
        self.call = Some((call, relay));
        true
    }
}

impl Call {
    fn note_end(&mut self, remote: SocketAddr) {
        if self.ended.len() < ENDED {
            self.ended.push(remote);
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut table = self.relays.table();
        let Some((call, relay)) = self.call else {
            table.strangers.remove(&self.number);
            return;
        };
        let ended = table.calls.get_mut(&call).and_then(|call| Some((call.connections.remove(&self.number)?, call)));
        if let Some((connection, call)) = ended {
            call.note_end(connection.remote);
        }
        // Nobody else has that address: its socket is still open.
        table.relays.remove(&relay);
        relax(&mut table.relays);
    }
}
