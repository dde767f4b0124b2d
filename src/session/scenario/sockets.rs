//! WebSockets of scenarios: what they ask for, what they are told, and the natives for it.

use super::natives::{Maker, id, pairs};
use super::shared::Shared;
use crate::session::{CallHandle, RoomHandle, StreamHandle, StreamWay, Unit, Verb};
use crate::types::SampleRate;
use rquickjs::Result;
use std::rc::Rc;

/// What a scenario asks of its WebSockets. It numbers those that it opens itself, from 1 up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketAsk {
    /// Opens one.
    Open {
        /// Its number.
        socket: u32,
        /// As written.
        url: String,
        /// Subprotocols that are offered.
        protocols: Vec<String>,
        /// Names and values of the handshake.
        headers: Vec<(String, String)>,
    },
    /// Takes those that come in from now on.
    Listen,
    /// Sends a text.
    Send {
        /// By which.
        socket: u32,
        /// The text.
        text: String,
    },
    /// Closes it, or gives it up.
    Close {
        /// Which.
        socket: u32,
    },
    /// What comes under a tag is heard by the stream of that handle, an incoming one.
    Hear {
        /// By which.
        socket: u32,
        /// The stream.
        stream: StreamHandle,
        /// Empty: whatever has no stream of its own.
        tag: String,
    },
    /// What the stream of that handle hears is sent, until the stream is over.
    Tell {
        /// By which.
        socket: u32,
        /// The stream, an outgoing one.
        stream: StreamHandle,
        /// The platform's name of an encoding.
        encoding: String,
        /// Empty for none.
        tag: String,
        /// JSON for the one who hears it; empty for none.
        custom: String,
    },
    /// Throws away what has come and is not heard yet.
    Clear {
        /// By which.
        socket: u32,
        /// Of this tag, or of all.
        tag: Option<String>,
    },
}

/// What happens to one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketNews {
    /// Somebody has come to the session's own address; the number is one of the gateway's.
    Came,
    /// It is open.
    Opened,
    /// A text that is not about sound.
    Message(String),
    /// Sound begins, or goes on after a pause.
    MediaStarted {
        /// Empty for none.
        tag: String,
        /// The platform's name of its encoding.
        encoding: String,
        /// JSON, as its sender wrote it; empty for none.
        custom: String,
    },
    /// Sound is over, or pauses.
    MediaEnded {
        /// Empty for none.
        tag: String,
        /// How long it was, in milliseconds.
        milliseconds: u64,
    },
    /// It did not open, or something that came cannot be used.
    Failed(String),
    /// It is closed, and nothing more is told of it.
    Closed {
        /// RFC 6455 section 7.4.
        code: u16,
        /// Why.
        reason: String,
        /// The closing handshake was done.
        is_clean: bool,
    },
}

/// The kinds of news, and what comes with each, as `js/socket.js` has them.
pub(super) fn facts(news: &SocketNews) -> (&'static str, &str, &str, &str, u64) {
    match news {
        SocketNews::Came => ("came", "", "", "", 0),
        SocketNews::Opened => ("opened", "", "", "", 0),
        SocketNews::Message(text) => ("message", text, "", "", 0),
        SocketNews::MediaStarted { tag, encoding, custom } => ("mediaStarted", tag, encoding, custom, 0),
        SocketNews::MediaEnded { tag, milliseconds } => ("mediaEnded", tag, "", "", *milliseconds),
        SocketNews::Failed(why) => ("failed", why, "", "", 0),
        SocketNews::Closed { code, reason, is_clean } => {
            ("closed", reason, if *is_clean { "clean" } else { "" }, "", (*code).into())
        }
    }
}

pub(super) fn make(maker: &Maker<'_, '_>) -> Result<()> {
    let own = || Rc::clone(maker.shared);
    let shared = own();
    maker.add("socketOpen", move |socket, url: String, protocols: Vec<String>, headers: Vec<String>| {
        shared.ask(SocketAsk::Open { socket: id(socket), url, protocols, headers: pairs(headers) });
    })?;
    let shared = own();
    maker.add("socketListen", move || shared.ask(SocketAsk::Listen))?;
    let shared = own();
    maker.add("socketSend", move |socket, text: String| shared.ask(SocketAsk::Send { socket: id(socket), text }))?;
    let shared = own();
    maker.add("socketClose", move |socket| shared.ask(SocketAsk::Close { socket: id(socket) }))?;
    let shared = own();
    maker.add("socketClear", move |socket, tag: Option<String>| {
        shared.ask(SocketAsk::Clear { socket: id(socket), tag });
    })?;
    let shared = own();
    maker.add("streamIn", move |stream, socket, tag: String| {
        let stream = StreamHandle(id(stream));
        shared.push(Verb::OpenStream { stream, way: StreamWay::In });
        shared.ask(SocketAsk::Hear { socket: id(socket), stream, tag });
    })?;
    let shared = own();
    type Heard = (String, String, String);
    maker.add("streamOut", move |stream, less, rate, socket, list: Vec<String>| {
        let stream = StreamHandle(id(stream));
        let way = StreamWay::Out { rate: SampleRate(id(rate)), less: Some(StreamHandle(id(less))), ear: false };
        shared.push(Verb::OpenStream { stream, way });
        let (encoding, tag, custom): Heard = match <[String; 3]>::try_from(list) {
            Ok([encoding, tag, custom]) => (encoding, tag, custom),
            Err(_) => Heard::default(),
        };
        shared.ask(SocketAsk::Tell { socket: id(socket), stream, encoding, tag, custom });
    })?;
    maker.verb("streamEnd", |stream| Verb::CloseStream { stream: StreamHandle(id(stream)) })?;
    connections(maker.shared, maker)
}

/// Who hears a stream, and whom one hears.
fn connections(shared: &Rc<Shared>, maker: &Maker<'_, '_>) -> Result<()> {
    let own = || Rc::clone(shared);
    let stream = |handle: f64| Unit::Stream(StreamHandle(id(handle)));
    let shared = own();
    maker.add("streamTo", move |from, is_call: bool, to| {
        shared.push(Verb::Connect { source: stream(from), sink: place(is_call, to) });
    })?;
    let shared = own();
    maker.add("streamNotTo", move |from, is_call: bool, to| {
        shared.push(Verb::Disconnect { source: stream(from), sink: place(is_call, to) });
    })?;
    let shared = own();
    maker.add("streamFrom", move |is_call: bool, from, to| {
        shared.push(Verb::Connect { source: place(is_call, from), sink: stream(to) });
    })
}

const fn place(is_call: bool, handle: f64) -> Unit {
    if is_call { Unit::Call(CallHandle(id(handle))) } else { Unit::Room(RoomHandle(id(handle))) }
}
