//! WebSockets of scenarios, all on one thread: texts to and from whoever serves the session, and sound past them,
//! straight to and from the media plane's rings.
//!
//! | file | what happens there |
//! |---|---|
//! | `connect.rs` | the way there: which hosts, TLS, the handshake |
//! | `socket.rs` | one socket, from its opening to its end |
//! | `framing.rs` | sound in messages |
//! | `encoding.rs` | sound in octets |

mod connect;
mod encoding;
mod framing;
mod socket;
#[cfg(test)]
mod tests;

use super::mailbox::Mailbox;
use crate::dialplan::FetchSettings;
use crate::gateway::{SessionId, StreamEnd};
use crate::session::StreamHandle;
use crate::session::scenario::{SocketAsk, SocketNews};
use connect::{Io, connect, limits};
use encoding::Encoding;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use socket::{Order, Teller, serve};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

/// WebSockets at once, of all scenarios.
const MOST: usize = 256;
/// Those of one session that others have opened.
const MOST_GUESTS: usize = 10;
/// The first number of those.
const FIRST_GUEST: u32 = 1 << 31;
/// How long one whose handshake is being done is waited for.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// All WebSockets of scenarios. Their thread begins with the first.
#[derive(Debug)]
pub(super) struct Sockets {
    settings: RwLock<FetchSettings>,
    orders: OnceLock<Option<UnboundedSender<Command>>>,
}

/// What the thread is told.
enum Command {
    /// A scenario asks.
    Ask { session: SessionId, ask: SocketAsk, settings: FetchSettings, scenario: Arc<Mailbox> },
    /// The other end of one of its streams.
    Stream { session: SessionId, stream: StreamHandle, end: StreamEnd },
    /// Somebody comes to a session of their own accord.
    Enter { session: SessionId, entered: Entered, scenario: Arc<Mailbox> },
    /// A session is over.
    Over(SessionId),
}

/// The connection of somebody who comes, once its handshake is done.
pub(super) type Entered = oneshot::Receiver<TokioIo<Upgraded>>;

impl Sockets {
    pub(super) const fn new(settings: FetchSettings) -> Self {
        Self { settings: RwLock::new(settings), orders: OnceLock::new() }
    }

    /// Asks by other settings from now on.
    pub(super) fn ask_by(&self, settings: FetchSettings) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = settings;
    }

    /// What a scenario asks of its sockets; what happens to them goes to `scenario`.
    pub(super) fn ask(&self, session: SessionId, ask: SocketAsk, scenario: Arc<Mailbox>) {
        let settings = self.settings.read().unwrap_or_else(PoisonError::into_inner).clone();
        self.order(Command::Ask { session, ask, settings, scenario });
    }

    pub(super) fn stream(&self, session: SessionId, stream: StreamHandle, end: StreamEnd) {
        self.order(Command::Stream { session, stream, end });
    }

    /// Somebody comes to a session of their own accord.
    pub(super) fn enter(&self, session: SessionId, entered: Entered, scenario: Arc<Mailbox>) {
        self.order(Command::Enter { session, entered, scenario });
    }

    /// A session is over, and with it its sockets.
    pub(super) fn end(&self, session: SessionId) {
        // Where no socket was ever asked for there is no thread to be told.
        if self.orders.get().is_some() {
            self.order(Command::Over(session));
        }
    }

    fn order(&self, command: Command) {
        if let Some(orders) = self.orders.get_or_init(start) {
            // Unbounded: verbs are counted, and so are what scenarios ask; the thread waits for nobody.
            let _ = orders.send(command);
        }
    }
}

/// The thread; `None` where there can be none.
fn start() -> Option<UnboundedSender<Command>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let (orders, ordered) = unbounded_channel();
    let thread = std::thread::Builder::new().name("scenario-ws".into());
    let begun = thread.spawn(move || runtime.block_on(Hub::default().work(ordered)));
    begun.is_ok().then_some(orders)
}

/// What the thread knows.
struct Hub {
    sessions: HashMap<SessionId, Session>,
    places: Arc<Semaphore>,
}

/// The sockets of one session.
#[derive(Default)]
struct Session {
    sockets: HashMap<u32, UnboundedSender<Order>>,
    /// Ends of streams that nobody has asked for yet, and who waits for the others.
    ends: HashMap<StreamHandle, StreamEnd>,
    awaited: HashMap<StreamHandle, (u32, Wanted)>,
    /// How many have come of their own accord.
    guests: u32,
}

/// What a stream is for.
enum Wanted {
    In { tag: String },
    Out { encoding: Encoding, tag: String, custom: String },
}

impl Default for Hub {
    fn default() -> Self {
        Self { sessions: HashMap::new(), places: Arc::new(Semaphore::new(MOST)) }
    }
}

impl Hub {
    async fn work(mut self, mut ordered: UnboundedReceiver<Command>) {
        while let Some(command) = ordered.recv().await {
            match command {
                Command::Ask { session, ask, settings, scenario } => self.ask(session, ask, settings, scenario),
                Command::Stream { session, stream, end } => {
                    let known = self.sessions.entry(session).or_default();
                    known.ends.insert(stream, end);
                    known.bring_together(stream);
                }
                Command::Enter { session, entered, scenario } => self.enter(session, entered, scenario),
                Command::Over(session) => drop(self.sessions.remove(&session)),
            }
        }
    }

    /// Takes somebody in, unless there are too many: then their connection is cut.
    fn enter(&mut self, id: SessionId, entered: Entered, scenario: Arc<Mailbox>) {
        let session = self.sessions.entry(id).or_default();
        session.sockets.retain(|_, orders| !orders.is_closed());
        let guests = session.sockets.keys().filter(|socket| **socket >= FIRST_GUEST).count();
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return };
        if guests >= MOST_GUESTS {
            return;
        }
        let socket = FIRST_GUEST + session.guests;
        session.guests = (session.guests + 1) % FIRST_GUEST;
        let (orders, ordered) = unbounded_channel();
        session.sockets.insert(socket, orders);
        tokio::spawn(receive(entered, Teller { socket, scenario }, ordered, place));
    }

    fn ask(&mut self, id: SessionId, ask: SocketAsk, settings: FetchSettings, scenario: Arc<Mailbox>) {
        let session = self.sessions.entry(id).or_default();
        let mut send = |socket: u32, order: Order| {
            if let Some(orders) = session.sockets.get(&socket)
                && orders.send(order).is_err()
            {
                session.sockets.remove(&socket);
            }
        };
        match ask {
            SocketAsk::Open { socket, url, protocols, headers } => {
                let (orders, ordered) = unbounded_channel();
                session.sockets.insert(socket, orders);
                let teller = Teller { socket, scenario };
                let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
                    tokio::spawn(async move { refuse(&teller, "too many WebSockets are open").await });
                    return;
                };
                let way = Way { url, protocols, headers, settings };
                tokio::spawn(begin(way, teller, ordered, place));
            }
            // Whoever comes is asked for it before.
            SocketAsk::Listen => {}
            SocketAsk::Send { socket, text } => send(socket, Order::Send(text)),
            SocketAsk::Close { socket } => send(socket, Order::Close),
            SocketAsk::Clear { socket, tag } => send(socket, Order::Clear(tag)),
            SocketAsk::Hear { socket, stream, tag } => {
                session.awaited.insert(stream, (socket, Wanted::In { tag }));
                session.bring_together(stream);
            }
            SocketAsk::Tell { socket, stream, encoding, tag, custom } => {
                let Some(encoding) = Encoding::named(Some(&encoding), None) else { return };
                session.awaited.insert(stream, (socket, Wanted::Out { encoding, tag, custom }));
                session.bring_together(stream);
            }
        }
    }
}

impl Session {
    /// Hands a stream to its socket, once both are known.
    fn bring_together(&mut self, stream: StreamHandle) {
        if !(self.awaited.contains_key(&stream) && self.ends.contains_key(&stream)) {
            return;
        }
        let (Some((socket, wanted)), Some(end)) = (self.awaited.remove(&stream), self.ends.remove(&stream)) else {
            return;
        };
        let order = match (wanted, end) {
            (Wanted::In { tag }, StreamEnd::In(writer)) => Order::Hear { tag, writer },
            (Wanted::Out { encoding, tag, custom }, StreamEnd::Out(sound)) => {
                Order::Tell { encoding, tag, custom, sound }
            }
            _ => return,
        };
        if let Some(orders) = self.sockets.get(&socket) {
            let _ = orders.send(order);
        }
    }
}

/// Where to.
struct Way {
    url: String,
    protocols: Vec<String>,
    headers: Vec<(String, String)>,
    settings: FetchSettings,
}

/// Opens a socket and serves it, unless it is given up before.
async fn begin(way: Way, teller: Teller, mut orders: UnboundedReceiver<Order>, _place: OwnedSemaphorePermit) {
    let opening = connect(&way.url, &way.protocols, &way.headers, &way.settings);
    tokio::pin!(opening);
    let mut early = Vec::new();
    let opened = loop {
        tokio::select! {
            opened = &mut opening => break opened,
            order = orders.recv() => match order {
                None => return,
                Some(Order::Close) => return teller.closed(1006, "it was given up", false).await,
                // Kept for when it is open.
                Some(order) => early.push(order),
            }
        }
    };
    match opened {
        Ok(socket) => {
            teller.tell(SocketNews::Opened).await;
            serve(socket, teller, early, &mut orders).await;
        }
        Err(why) => refuse(&teller, &why).await,
    }
}

/// Serves a socket that somebody else has opened.
async fn receive(entered: Entered, teller: Teller, mut orders: UnboundedReceiver<Order>, _place: OwnedSemaphorePermit) {
    let Ok(Ok(connection)) = timeout(HANDSHAKE, entered).await else { return };
    let connection: Box<dyn Io> = Box::new(connection);
    let socket = WebSocketStream::from_raw_socket(connection, Role::Server, Some(limits())).await;
    teller.tell(SocketNews::Came).await;
    serve(socket, teller, Vec::new(), &mut orders).await;
}

async fn refuse(teller: &Teller, why: &str) {
    teller.tell(SocketNews::Failed(why.to_owned())).await;
    teller.closed(1006, why, false).await;
}
