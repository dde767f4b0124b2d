//! One WebSocket of a scenario, from its opening to its end.

use super::super::Message as Told;
use super::super::mailbox::{Mailbox, Unsent};
use super::connect::Socket;
use super::encoding::{Decoding, Encoding};
use super::framing::{Framed, Sent, read};
use crate::media::command::LiveWriter;
use crate::session::scenario::SocketNews;
use futures_util::{Sink, Stream};
use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Message};

/// How often sound is taken from the media plane: what is heard there is late by half of that.
const PUMP: Duration = Duration::from_millis(5);
/// Pieces of sound that wait for a peer who does not read, 5 s: the oldest give way.
const MOST_PIECES: usize = 250;
/// Octets of texts that may wait for it.
const MOST_TEXT: usize = 4 << 20;
/// Streams of sound that a peer may send at once.
const MOST_TAGS: usize = 16;
/// Time between two pings of ours.
const PING: Duration = Duration::from_secs(20);
/// A peer from whom nothing comes, no pong either, is gone.
const GONE: Duration = Duration::from_secs(60);
/// How long a peer may take to close.
const FAREWELL: Duration = Duration::from_secs(2);
/// Sound that has come to an end without saying so.
const PAUSE: Duration = Duration::from_secs(1);
/// Wait for a scenario that has no time for news.
const BUSY: Duration = Duration::from_millis(5);

/// What a socket's task is told.
pub(super) enum Order {
    Send(String),
    Close,
    Hear { tag: String, writer: LiveWriter },
    Tell { encoding: Encoding, tag: String, custom: String, sound: rtrb::Consumer<i16> },
    Clear(Option<String>),
}

/// Whom a socket tells what happens to it.
#[derive(Clone)]
pub(super) struct Teller {
    pub(super) socket: u32,
    pub(super) scenario: Arc<Mailbox>,
}

impl Teller {
    /// Waits while the scenario is busy. Says whether it is still there.
    pub(super) async fn tell(&self, news: SocketNews) -> bool {
        let mut message = Told::Socket(self.socket, news);
        loop {
            match self.scenario.try_send(message) {
                Ok(()) => return true,
                Err(Unsent::Closed) => return false,
                Err(Unsent::Full(back)) => message = back,
            }
            sleep(BUSY).await;
        }
    }

    pub(super) async fn closed(&self, code: u16, reason: &str, is_clean: bool) {
        self.tell(SocketNews::Closed { code, reason: reason.to_owned(), is_clean }).await;
    }
}

/// Sound that the peer sends under a tag.
struct Brought {
    decoding: Decoding,
    custom: String,
    /// It is told of, and has not paused.
    is_on: bool,
    last: Instant,
}

/// Sound that is sent to the peer.
struct Taken {
    sent: Sent,
    samples: usize,
    sound: rtrb::Consumer<i16>,
}

/// How a socket ended.
struct End {
    code: u16,
    reason: String,
    is_clean: bool,
}

/// A socket that is open.
struct Open {
    socket: Socket,
    teller: Teller,
    outbox: VecDeque<Message>,
    /// Of the messages there, those that are sound; and octets of the others.
    pieces: usize,
    text: usize,
    /// Something was written that is not on its way yet.
    is_unflushed: bool,
    brought: BTreeMap<String, Brought>,
    writers: BTreeMap<String, LiveWriter>,
    taken: Vec<Taken>,
    /// Pieces that gave way, and samples that there was no room for.
    lost_pieces: u64,
    lost_samples: u64,
    heard: Instant,
    /// Until when the peer may take its time to close.
    closing: Option<Instant>,
    has_complained: bool,
}

/// Serves a socket that is open until it is closed, or nobody gives orders any more.
/// `early` orders came while it was opened.
pub(super) async fn serve(socket: Socket, teller: Teller, early: Vec<Order>, orders: &mut UnboundedReceiver<Order>) {
    let mut open = Open {
        socket,
        teller,
        outbox: VecDeque::new(),
        pieces: 0,
        text: 0,
        is_unflushed: false,
        brought: BTreeMap::new(),
        writers: BTreeMap::new(),
        taken: Vec::new(),
        lost_pieces: 0,
        lost_samples: 0,
        heard: Instant::now(),
        closing: None,
        has_complained: false,
    };
    early.into_iter().for_each(|order| open.obey(order));
    let end = open.run(orders).await;
    if open.lost_pieces > 0 || open.lost_samples > 0 {
        let (pieces, milliseconds) = (open.lost_pieces, open.lost_samples / 8);
        tracing::info!(
            "a scenario's WebSocket was too slow for {pieces} pieces of sound, and sent {milliseconds} ms too many"
        );
    }
    open.teller.closed(end.code, &end.reason, end.is_clean).await;
    // Their players are the session's to end.
    let writers = std::mem::take(&mut open.writers);
    drop(open);
    while writers.values().any(|writer| !writer.is_over()) {
        sleep(PAUSE).await;
    }
}

impl Open {
    async fn run(&mut self, orders: &mut UnboundedReceiver<Order>) -> End {
        let mut pump = interval(PUMP);
        pump.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut ping = Instant::now() + PING;
        loop {
            let is_sounding = !self.taken.is_empty() || self.brought.values().any(|brought| brought.is_on);
            let deadline = self.closing.unwrap_or(self.heard + GONE).min(ping);
            let came = tokio::select! {
                biased;
                _ = pump.tick(), if is_sounding => {
                    self.send_sound();
                    self.note_pauses().await;
                    continue;
                }
                order = orders.recv() => {
                    match order {
                        Some(order) => self.obey(order),
                        // The session is over.
                        None => return self.part().await,
                    }
                    if self.text > MOST_TEXT {
                        return End { code: 1008, reason: "the peer does not read".into(), is_clean: false };
                    }
                    continue;
                }
                came = poll_fn(|context| self.poll(context)) => came,
                () = tokio::time::sleep_until(deadline) => {
                    let now = Instant::now();
                    if self.closing.is_some_and(|until| until <= now) {
                        return End { code: 1006, reason: "the peer did not close".into(), is_clean: false };
                    }
                    if self.heard + GONE <= now {
                        return End { code: 1006, reason: "nothing came for 60 s".into(), is_clean: false };
                    }
                    if ping <= now {
                        ping = now + PING;
                        self.outbox.push_back(Message::Ping(tungstenite::Bytes::new()));
                    }
                    continue;
                }
            };
            self.heard = Instant::now();
            if let Some(end) = self.take(came).await {
                return end;
            }
        }
    }

    /// Writes what waits, as far as the peer takes it, and reads.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Message, tungstenite::Error>>> {
        if let Poll::Ready(Err(error)) = self.poll_write(context) {
            return Poll::Ready(Some(Err(error)));
        }
        Pin::new(&mut self.socket).poll_next(context)
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<Result<(), tungstenite::Error>> {
        let mut socket = Pin::new(&mut self.socket);
        while let Some(first) = self.outbox.front() {
            std::task::ready!(socket.as_mut().poll_ready(context))?;
            match first {
                Message::Binary(_) => self.pieces = self.pieces.saturating_sub(1),
                Message::Text(text) => self.text = self.text.saturating_sub(text.len()),
                _ => {}
            }
            if let Some(message) = self.outbox.pop_front() {
                // Sound stands there as octets, to be told from texts; on the wire both are text.
                let message = match message {
                    Message::Binary(octets) => match tungstenite::Utf8Bytes::try_from(octets) {
                        Ok(text) => Message::Text(text),
                        Err(_) => continue,
                    },
                    other => other,
                };
                socket.as_mut().start_send(message)?;
                self.is_unflushed = true;
            }
        }
        if self.is_unflushed {
            std::task::ready!(socket.poll_flush(context))?;
            self.is_unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Takes what came. Says whether it is the end.
    async fn take(&mut self, came: Option<Result<Message, tungstenite::Error>>) -> Option<End> {
        let text = match came {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Close(frame))) => {
                // The answer to it is written by the library.
                let _ = timeout(FAREWELL, poll_fn(|context| Pin::new(&mut self.socket).poll_close(context))).await;
                let (code, reason) =
                    frame.map_or((1005, String::new()), |frame| (frame.code.into(), frame.reason.as_str().to_owned()));
                return Some(End { code, reason, is_clean: true });
            }
            // Pings are answered where frames are read.
            Some(Ok(_)) => return None,
            Some(Err(tungstenite::Error::ConnectionClosed)) | None if self.closing.is_some() => {
                return Some(End { code: 1000, reason: String::new(), is_clean: true });
            }
            Some(Err(error)) => return Some(End { code: 1006, reason: error.to_string(), is_clean: false }),
            None => return Some(End { code: 1006, reason: "the connection was cut".into(), is_clean: false }),
        };
        match read(&text) {
            Framed::Media { tag, payload } => self.bring(tag, &payload).await,
            Framed::Start { tag, encoding, custom } => self.begin(tag, encoding, custom).await,
            Framed::Stop { tag } => self.stop(&tag).await,
            Framed::Bad(why) => self.complain(why).await,
            Framed::Text => {
                self.teller.tell(SocketNews::Message(text.as_str().to_owned())).await;
            }
        }
        None
    }

    async fn begin(&mut self, tag: String, encoding: Encoding, custom: String) {
        if self.brought.len() >= MOST_TAGS && !self.brought.contains_key(&tag) {
            return self.complain(format!("more than {MOST_TAGS} streams of sound at once")).await;
        }
        self.stop(&tag).await;
        let brought =
            Brought { decoding: Decoding::new(encoding), custom: custom.clone(), is_on: true, last: Instant::now() };
        self.brought.insert(tag.clone(), brought);
        self.teller.tell(SocketNews::MediaStarted { tag, encoding: encoding.name().to_owned(), custom }).await;
    }

    async fn bring(&mut self, tag: String, payload: &[u8]) {
        let Some(brought) = self.brought.get_mut(&tag) else {
            return self.complain("sound came without a start".to_owned()).await;
        };
        brought.last = Instant::now();
        let began = !std::mem::replace(&mut brought.is_on, true);
        let samples = brought.decoding.decode(payload);
        let writer =
            if self.writers.contains_key(&tag) { self.writers.get_mut(&tag) } else { self.writers.get_mut("") };
        let lost = writer.map_or(0, |writer| writer.write(&samples));
        self.lost_samples += lost as u64;
        if began {
            let (encoding, custom) = (brought.decoding.encoding().name().to_owned(), brought.custom.clone());
            self.teller.tell(SocketNews::MediaStarted { tag, encoding, custom }).await;
        }
    }

    async fn stop(&mut self, tag: &str) {
        let Some(brought) = self.brought.remove(tag) else { return };
        if brought.is_on {
            let milliseconds = brought.decoding.milliseconds();
            self.teller.tell(SocketNews::MediaEnded { tag: tag.to_owned(), milliseconds }).await;
        }
    }

    /// Sound that has not come for a while, and is heard to its end, has paused.
    async fn note_pauses(&mut self) {
        let (now, writers) = (Instant::now(), &self.writers);
        let mut paused = Vec::new();
        for (tag, brought) in self.brought.iter_mut().filter(|(_, brought)| brought.is_on) {
            let writer = writers.get(tag).or_else(|| writers.get(""));
            let is_heard = writer.is_none_or(|writer| writer.waiting().is_zero());
            if is_heard && now.duration_since(brought.last) > PAUSE {
                brought.is_on = false;
                paused.push((tag.clone(), brought.decoding.milliseconds()));
            }
        }
        for (tag, milliseconds) in paused {
            self.teller.tell(SocketNews::MediaEnded { tag, milliseconds }).await;
        }
    }

    /// Something that came cannot be used. Told once: a peer that does it again does it fifty times a second.
    async fn complain(&mut self, why: String) {
        if !std::mem::replace(&mut self.has_complained, true) {
            self.teller.tell(SocketNews::Failed(why)).await;
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Send(text) => {
                self.text += text.len();
                self.outbox.push_back(Message::text(text));
            }
            Order::Close => {
                let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
                self.outbox.push_back(Message::Close(Some(frame)));
                self.closing.get_or_insert(Instant::now() + FAREWELL);
            }
            Order::Hear { tag, writer } => drop(self.writers.insert(tag, writer)),
            Order::Tell { encoding, tag, custom, sound } => {
                let (sent, start) = Sent::start(encoding, tag, &custom);
                self.push_sound(start);
                self.taken.push(Taken { sent, samples: (encoding.rate() / 50) as usize, sound });
            }
            Order::Clear(tag) => {
                for (of, writer) in &mut self.writers {
                    if tag.as_ref().is_none_or(|tag| tag == of) {
                        writer.clear();
                    }
                }
            }
        }
    }

    /// Takes what the media plane has for the peer.
    fn send_sound(&mut self) {
        let mut all = std::mem::take(&mut self.taken);
        for taken in &mut all {
            while let Ok(chunk) = taken.sound.read_chunk(taken.samples) {
                let samples: Vec<i16> = chunk.into_iter().collect();
                let piece = taken.sent.media(&samples);
                self.push_sound(piece);
            }
        }
        for taken in all {
            if taken.sound.is_abandoned() && taken.sound.slots() < taken.samples {
                let stop = taken.sent.stop();
                self.push_sound(stop);
            } else {
                self.taken.push(taken);
            }
        }
    }

    /// A message about sound. Where too many wait, the oldest piece gives way.
    fn push_sound(&mut self, text: String) {
        if self.closing.is_some() {
            return;
        }
        if self.pieces >= MOST_PIECES
            && let Some(oldest) = self.outbox.iter().position(|message| matches!(message, Message::Binary(_)))
        {
            self.outbox.remove(oldest);
            self.pieces -= 1;
            self.lost_pieces += 1;
        }
        self.pieces += 1;
        self.outbox.push_back(Message::Binary(text.into()));
    }

    /// Nobody gives orders any more: the peer is told, if it listens.
    async fn part(&mut self) -> End {
        self.outbox.clear();
        let frame = CloseFrame { code: CloseCode::Away, reason: "".into() };
        self.outbox.push_back(Message::Close(Some(frame)));
        let _ = timeout(FAREWELL, poll_fn(|context| self.poll_write(context))).await;
        End { code: 1001, reason: String::new(), is_clean: true }
    }
}
