//! The table of connections: who has one, and who makes room for another. It is shared by the gateway's thread, which
//! sends and opens, and the streams' own, which accepts and reads; each holds it for a look only.

use super::arrivals::{Arrivals, source};
use super::log::NetLog;
use super::state::{ConnectionState, Worth};
use super::stream::Served;
use super::transports::NetEvents;
use crate::sip::message::Transport;
use crate::sip::{Flow, Input};
use crate::types::{Network, Rush, relax};
use bytes::Bytes;
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;

/// Messages waiting for one slow peer of a stream before it is given up.
const OUTGOING_QUEUE: usize = 256;
/// Connections at once.
const MAX_CONNECTIONS: usize = 4_096;
/// Connections at once from one address.
const MAX_CONNECTIONS_EACH: usize = 256;
/// TLS handshakes in progress that unknown sources began, and as many that trunks began.
const MAX_HANDSHAKES: usize = 64;

/// What the log calls a connection that was not taken.
const REFUSED: &str = "connection refused";

/// An open connection, or one that is being opened.
struct Connection {
    flow: Flow,
    outgoing: mpsc::Sender<Bytes>,
    state: Arc<ConnectionState>,
    task: AbortHandle,
}

/// What became of a message for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Queued {
    /// It will be written.
    Yes,
    /// Too much waits for this peer already.
    Full,
    /// There is no such connection, or it has ended.
    NoConnection,
}

/// All connections, by number and by peer. Cheap to clone.
#[derive(Clone)]
pub(super) struct Connections {
    table: Arc<Mutex<Table>>,
    events: NetEvents,
    log: NetLog,
    /// Of the streams' thread.
    runtime: Handle,
    rush_over: Arc<Notify>,
}

struct Table {
    open: HashMap<u64, Connection>,
    /// TCP connections.
    by_remote: HashMap<SocketAddr, u64>,
    next: u64,
    arrivals: Arrivals,
    rush: Rush,
    /// Every connection holds one; gone when we are closing.
    alive: Option<mpsc::Sender<Infallible>>,
}

impl Connections {
    /// None yet; they are served on `runtime`. What comes with it ends when the last of them has ended after
    /// [`Self::clear`].
    pub(super) fn new(events: NetEvents, log: NetLog, runtime: Handle) -> (Self, mpsc::Receiver<Infallible>) {
        let (alive, all_ended) = mpsc::channel(1);
        let table = Table {
            open: HashMap::new(),
            by_remote: HashMap::new(),
            next: 1,
            arrivals: Arrivals::new(Instant::now()),
            rush: Rush::default(),
            alive: Some(alive),
        };
        (Self { table: Arc::new(Mutex::new(table)), events, log, runtime, rush_over: Arc::default() }, all_ended)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) const fn log(&self) -> &NetLog {
        &self.log
    }

    /// Takes the networks that trunks allow.
    pub(super) fn set_trunks(&self, trunks: Vec<Network>) {
        self.table().arrivals.set_trunks(trunks);
    }

    /// Takes note of an address that we connect to.
    pub(super) fn note_peer(&self, address: IpAddr) {
        self.table().arrivals.note_peer(address);
    }

    /// A number that no connection had before.
    pub(super) fn number(&self) -> u64 {
        self.table().number()
    }

    /// Waits until a rush of connections is over.
    pub(super) async fn rush_over(&self) {
        self.rush_over.notified().await;
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.table().open.len()
    }

    pub(super) fn contains(&self, number: u64) -> bool {
        self.table().open.contains_key(&number)
    }

    /// The number of the TCP connection to or from `remote`, be it alive or not.
    pub(super) fn number_with(&self, remote: SocketAddr) -> Option<u64> {
        self.table().by_remote.get(&remote).copied()
    }

    /// Sends on the connection of that number.
    pub(super) fn send(&self, number: u64, bytes: &Bytes) -> Queued {
        self.table().send(number, bytes)
    }

    /// Sends on the TCP connection to or from `remote`.
    pub(super) fn send_to(&self, remote: SocketAddr, bytes: &Bytes) -> Queued {
        let table = self.table();
        table.by_remote.get(&remote).map_or(Queued::NoConnection, |number| table.send(*number, bytes))
    }

    /// Opens a connection to `flow.remote`, on which `first` is the first message. Its number is the flow's, or a new
    /// one. Says whether there was room for it.
    pub(super) fn open<F>(&self, flow: Flow, first: Bytes, serve: impl FnOnce(Served) -> F) -> bool
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut table = self.table();
        let has_room = table.open.len() < MAX_CONNECTIONS || self.make_room(&mut table, |_| true);
        if has_room {
            let outgoing = self.start(&self.runtime, &mut table, flow, ConnectionState::opened(Instant::now()), serve);
            // It is empty, and its reader has only just begun.
            let _ = outgoing.try_send(first);
        }
        has_room
    }

    /// Whether a connection that was opened to us comes slowly enough.
    pub(super) fn admit(&self, flow: Flow) -> bool {
        let tls = flow.transport == Transport::Tls;
        let admitted = self.table().arrivals.admit(Instant::now(), flow.remote.ip(), tls);
        if let Err(why) = admitted {
            self.log.warn(REFUSED, format_args!("{}: {why}", flow.remote));
        }
        admitted.is_ok()
    }

    /// Takes a connection that was opened to us; `serve` has its stream, and is dropped where there is no room.
    pub(super) fn accept<F>(&self, flow: Flow, serve: impl FnOnce(Served) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.accept_on(&self.runtime, flow, serve);
    }

    /// The same; it is served on `runtime`.
    pub(super) fn accept_on<F>(&self, runtime: &Handle, flow: Flow, serve: impl FnOnce(Served) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (now, address, tls) = (Instant::now(), flow.remote.ip(), flow.transport == Transport::Tls);
        let mut table = self.table();
        if table.alive.is_none() {
            return;
        }
        // A page may be opened at a trunk's address too: it is no trunk for that.
        let is_trunk = !flow.transport.is_websocket() && table.arrivals.is_trunk(address);
        if tls {
            let shakes = |state: &ConnectionState| state.worth() == Worth::Handshake && state.is_trunk == is_trunk;
            let handshakes = table.open.values().filter(|connection| shakes(&connection.state)).count();
            if handshakes >= MAX_HANDSHAKES {
                self.make_room(&mut table, |connection| shakes(&connection.state));
            }
        }
        let near = source(address);
        let is_near = |connection: &Connection| source(connection.flow.remote.ip()) == near;
        let from_there = table.open.values().filter(|connection| is_near(connection)).count();
        let has_room = (from_there < MAX_CONNECTIONS_EACH || self.make_room(&mut table, is_near))
            && (table.open.len() < MAX_CONNECTIONS || self.make_room(&mut table, |_| true));
        if !has_room {
            drop(table);
            return self.log.warn(REFUSED, format_args!("{}: there are too many already", flow.remote));
        }
        self.start(runtime, &mut table, flow, ConnectionState::accepted(now, tls, is_trunk), serve);
    }

    /// Starts what serves a connection, and takes it into the table.
    fn start<F>(
        &self,
        runtime: &Handle,
        table: &mut Table,
        mut flow: Flow,
        state: ConnectionState,
        serve: impl FnOnce(Served) -> F,
    ) -> mpsc::Sender<Bytes>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let number = flow.connection.unwrap_or_else(|| table.number());
        flow.connection = Some(number);
        let (sender, outgoing) = mpsc::channel(OUTGOING_QUEUE);
        let state = Arc::new(state);
        let served = Served {
            flow,
            outgoing,
            events: self.events.clone(),
            connections: self.clone(),
            state: Arc::clone(&state),
            alive: table.alive.clone(),
        };
        // It may be at its end before this returns; then it waits for the table.
        let task = runtime.spawn(serve(served)).abort_handle();
        if flow.transport == Transport::Tcp {
            table.by_remote.insert(flow.remote, number);
        }
        table.open.insert(number, Connection { flow, outgoing: sender.clone(), state, task });
        table.rush.note_held(table.open.len());
        sender
    }

    /// Closes the connection that is worth least among those that others opened and `which` names. Says whether there
    /// was one.
    fn make_room(&self, table: &mut Table, which: impl Fn(&Connection) -> bool) -> bool {
        let others = table.open.iter().filter(|(_, connection)| !connection.state.is_ours && which(connection));
        let Some(number) = others.min_by_key(|(_, connection)| connection.state.rank()).map(|(number, _)| *number)
        else {
            return false;
        };
        let Some(connection) = table.forget(number) else { return false };
        connection.task.abort();
        self.log.debug("connection closed to make room", format_args!("{}", connection.flow.remote));
        if connection.state.is_known() {
            // The gateway may count on it.
            let (events, flow) = (self.events.clone(), connection.flow);
            self.runtime.spawn(async move {
                let _ = events.send(Input::FlowClosed { flow }.into()).await;
            });
        }
        true
    }

    /// Takes a connection that ended out of the table, and tells the gateway of it in the same moment: what was sent
    /// into it until then fails by this, and what is sent from then on opens a new one.
    pub(super) async fn ended(&self, flow: Flow, state: &Arc<ConnectionState>, outgoing: &mut mpsc::Receiver<Bytes>) {
        // Of one from whom nothing came, and to whom nothing went, the gateway has never heard.
        let permit = if state.is_told() { self.events.reserve().await.ok() } else { None };
        let mut table = self.table();
        outgoing.close();
        // Its number may have gone on to the next connection to the same peer.
        let listed = flow
            .connection
            .filter(|number| table.open.get(number).is_some_and(|connection| Arc::ptr_eq(&connection.state, state)));
        if let Some(number) = listed {
            table.forget(number);
        }
        if let Some(permit) = permit {
            permit.send(Input::FlowClosed { flow }.into());
        }
        table.arrivals.sweep(Instant::now());
        let held = table.open.len();
        if table.rush.note_held(held) {
            self.rush_over.notify_one();
        }
    }

    /// Takes the senders away, so that each connection ends when all is written, and takes no more.
    pub(super) fn clear(&self) {
        let mut table = self.table();
        table.alive = None;
        table.open.clear();
    }
}

impl Table {
    fn number(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }

    fn send(&self, number: u64, bytes: &Bytes) -> Queued {
        match self.open.get(&number).map(|connection| connection.outgoing.try_send(bytes.clone())) {
            Some(Ok(())) => Queued::Yes,
            Some(Err(mpsc::error::TrySendError::Full(_))) => Queued::Full,
            Some(Err(mpsc::error::TrySendError::Closed(_))) | None => Queued::NoConnection,
        }
    }

    fn forget(&mut self, number: u64) -> Option<Connection> {
        let connection = self.open.remove(&number)?;
        if self.by_remote.get(&connection.flow.remote) == Some(&number) {
            self.by_remote.remove(&connection.flow.remote);
        }
        relax(&mut self.open);
        relax(&mut self.by_remote);
        Some(connection)
    }
}
