//! Scenarios run inline: events in, verbs out.

mod calls;
mod conference;
mod declared;
mod limits;
mod media;
mod names;
mod recordings;
mod reference;
mod sockets;
mod sounds;
mod storage;
mod tools;

use super::*;
use crate::session::{
    Alerting, CallerId, DialTarget, Ending, Party, PlayItem, PlaybackHandle, ReferTarget, StreamWay, TimerHandle, Unit,
};
use crate::types::Disturbance;
use std::time::{Duration, UNIX_EPOCH};

/// The first call that comes in.
const CALL: CallHandle = CallHandle::FIRST_GIVEN;
/// The first and second calls that a scenario makes.
const FIRST: CallHandle = CallHandle(1);
const SECOND: CallHandle = CallHandle(2);

/// A scenario under test.
struct Running {
    runtime: Runtime,
    now: Now,
}

fn now() -> Now {
    Now { instant: crate::test_clock(), wall: UNIX_EPOCH + Duration::from_secs(1_700_000_000) }
}

/// What a turn comes to, in short words, joined by "; ". Lines of the log are in quotes.
fn short(turn: &Turn) -> String {
    let verbs = turn.verbs.iter().map(verb);
    let fetches = turn.fetches.iter().map(|fetch| format!("{} {}", fetch.method, fetch.url));
    let sockets = turn.sockets.iter().map(socket).chain(turn.recordings.iter().map(recording));
    let lines = turn.lines.iter().map(|line| format!("{line:?}"));
    let end = turn.end.iter().map(|fault| format!("FAILED {fault}"));
    verbs.chain(fetches).chain(sockets).chain(lines).chain(end).collect::<Vec<_>>().join("; ")
}

/// Runs a script's own code.
fn start(source: &str) -> (Running, String) {
    let setup = Setup {
        session: "s1".into(),
        custom_data: "data".into(),
        access: ["http://gate/s".into(), "https://gate/s".into()],
        seed: Seed::fixed(7),
    };
    let mut runtime = Runtime::new(setup, Fuel::new(100)).unwrap();
    let turn = runtime.begin(now(), &Script::compile("test.js", source));
    (Running { runtime, now: now() }, short(&turn))
}

/// A script that says nothing until something happens.
#[track_caller]
fn silent(source: &str) -> Running {
    let (running, said) = start(source);
    assert_eq!(said, "");
    running
}

/// What a script's own code logs.
#[track_caller]
fn logs(source: &str) -> String {
    start(source).1
}

/// What `Logger.write` shows of an expression.
#[track_caller]
fn value(expression: &str) -> String {
    let said = logs(&format!("Logger.write(JSON.stringify({expression}))"));
    let text: String = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{expression}: {said}"));
    text
}

impl Running {
    fn tell(&mut self, event: &Event) -> String {
        short(&self.runtime.handle(self.now, event))
    }

    /// Each event with what must come of it.
    #[track_caller]
    fn play(&mut self, script: &[(Event, &str)]) {
        for (n, (event, expected)) in script.iter().enumerate() {
            assert_eq!(self.tell(event), *expected, "after event {n}, {event:?}");
        }
    }
}

fn verb(verb: &Verb) -> String {
    match verb {
        Verb::Ring { call } => format!("ring {}", name(*call)),
        Verb::EarlyMedia { call } => format!("early {}", name(*call)),
        Verb::Answer { call } => format!("answer {}", name(*call)),
        Verb::Reject { call, status } => format!("reject {} {status}", name(*call)),
        Verb::Hangup { call, .. } => format!("hangup {}", name(*call)),
        Verb::Play { to, playback, items, repeat } => {
            let items: Vec<String> = items.iter().map(sound).collect();
            format!("play{} {} {}{}", playback.0, unit(*to), items.join("+"), if *repeat { " for ever" } else { "" })
        }
        Verb::StopPlayback { playback } => format!("stop{}", playback.0),
        Verb::PausePlayback { playback, on } => format!("{}{}", if *on { "pause" } else { "resume" }, playback.0),
        Verb::HandleDigits { call, on } => format!("digits {} {on}", name(*call)),
        Verb::SendDigits { call, digits } => format!("send {} {digits}", name(*call)),
        Verb::Dial { call, to, caller, headers, .. } => {
            let to = match to {
                DialTarget::Number(number) => number.clone(),
                DialTarget::User(user) => format!("user:{user}"),
            };
            format!("dial {} {to}{}{}", name(*call), from(caller), list(headers))
        }
        Verb::Join { call, to, from, headers } => {
            let party = CallerId::Given(from.clone());
            format!("join {} {to}{}{}", name(*call), self::from(&party), list(headers))
        }
        Verb::ForwardDirect { call, to } => format!("direct {} {}", name(*call), to.as_deref().unwrap_or("-")),
        Verb::OpenRoom { room, .. } => format!("open room{}", room.0),
        Verb::CloseRoom { room } => format!("close room{}", room.0),
        Verb::OpenStream { stream, way: StreamWay::In } => format!("open stream{} in", stream.0),
        Verb::OpenStream { stream, way: StreamWay::Out { rate, ear: true, .. } } => {
            format!("open stream{} ear at {}", stream.0, rate.0)
        }
        Verb::OpenStream { stream, way: StreamWay::Out { rate, less, .. } } => {
            let less = less.map_or_else(String::new, |less| format!(" less {}", less.0));
            format!("open stream{} out at {}{less}", stream.0, rate.0)
        }
        Verb::CloseStream { stream } => format!("close stream{}", stream.0),
        Verb::Connect { source, sink } => format!("{}>{}", unit(*source), unit(*sink)),
        Verb::Disconnect { source, sink } => format!("{}|{}", unit(*source), unit(*sink)),
        Verb::Hold { call, on } => format!("hold {} {on}", name(*call)),
        Verb::Refer { call, to: ReferTarget::Number(to) } => format!("refer {} {to}", name(*call)),
        Verb::Refer { call, to: ReferTarget::Call(other, to) } => {
            format!("refer {} to {} or {to}", name(*call), name(*other))
        }
        Verb::SendMessage { call, text } => format!("message {} {text}", name(*call)),
        Verb::SendInfo { call, content_type, headers, body } => {
            format!("info {} {content_type} {body}{}", name(*call), list(headers))
        }
        Verb::SetTimer { timer, after } => format!("timer{} {}ms", timer.0, after.as_millis()),
        Verb::ClearTimer { timer } => format!("clear{}", timer.0),
        Verb::Store { request, what } => format!("store{} {what:?}", request.0),
        Verb::EndSession => "end".into(),
        other => format!("{other:?}"),
    }
}

fn recording(asked: &Record) -> String {
    let streams: Vec<String> = asked.streams.iter().map(|stream| stream.0.to_string()).collect();
    format!("record{} {}{}", asked.recording, streams.join("+"), if asked.is_stereo { " stereo" } else { "" })
}

fn socket(ask: &SocketAsk) -> String {
    let also = |text: &str| if text.is_empty() { String::new() } else { format!(" {text}") };
    match ask {
        SocketAsk::Open { socket, url, protocols, headers } => {
            format!("ws{socket} open {url} {protocols:?}{}", list(headers))
        }
        SocketAsk::Listen => "ws may come".into(),
        SocketAsk::Send { socket, text } => format!("ws{socket} send {text}"),
        SocketAsk::Close { socket } => format!("ws{socket} close"),
        SocketAsk::Hear { socket, stream, tag } => format!("ws{socket} hears stream{}{}", stream.0, also(tag)),
        SocketAsk::Tell { socket, stream, encoding, tag, custom } => {
            format!("ws{socket} tells stream{} {encoding}{}{}", stream.0, also(tag), also(custom))
        }
        SocketAsk::Clear { socket, tag } => format!("ws{socket} clear{}", also(tag.as_deref().unwrap_or_default())),
    }
}

fn name(call: CallHandle) -> String {
    if call == CALL {
        "me".into()
    } else {
        format!("call{}", if call.0 > CALL.0 { call.0 - CALL.0 + 100 } else { call.0 })
    }
}

fn unit(unit: Unit) -> String {
    match unit {
        Unit::Call(call) => name(call),
        Unit::Room(room) => format!("room{}", room.0),
        Unit::Stream(stream) => format!("stream{}", stream.0),
    }
}

fn sound(item: &PlayItem) -> String {
    match item {
        PlayItem::Prompt(name) => name.clone(),
        PlayItem::Text(text) => format!("'{text}'"),
        PlayItem::TextIn { language, text } => format!("'{text}' in {language}"),
        PlayItem::Made { samples, repeat } => {
            format!("{} samples{}", samples.len(), if *repeat { " for ever" } else { "" })
        }
        PlayItem::File(source) => source.to_string(),
        other => format!("{other:?}"),
    }
}

fn from(caller: &CallerId) -> String {
    match caller {
        CallerId::Given(Party { number, name: None }) => format!(" from {number}"),
        CallerId::Given(Party { number, name: Some(name) }) => format!(" from {name} <{number}>"),
        _ => String::new(),
    }
}

fn list(headers: &[(String, String)]) -> String {
    headers.iter().map(|(name, value)| format!(" {name}={value}")).collect()
}

/// A call of that handle comes in from `from`, with headers.
fn arriving(call: CallHandle, from: &str, headers: &[(&str, &str)]) -> Event {
    Event::Incoming {
        call,
        from: Party { number: from.into(), name: Some("Ann".into()) },
        number: "1000".into(),
        alerting: Some(Box::new(Alerting {
            to: "1000".into(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        })),
    }
}

fn incoming() -> Event {
    arriving(CALL, "+442079460123", &[])
}

fn answered(call: CallHandle) -> Event {
    Event::Answered { call }
}

fn ended(call: CallHandle) -> Event {
    Event::Ended { call, ending: Ending { by_peer: true, reason: "bye".into(), talked: Duration::from_secs(9) } }
}

fn failed(call: CallHandle, status: u16) -> Event {
    Event::DialFailed { call, cause: DialCause::Busy, status }
}

fn digit(call: CallHandle, digit: char) -> Event {
    Event::Digit { call, digit }
}

fn finished(playback: u32) -> Event {
    Event::PlaybackFinished { playback: PlaybackHandle(playback), completed: true }
}

/// A playback begins, of so many milliseconds.
fn playing(playback: u32, milliseconds: u64) -> Event {
    let length = Some(Duration::from_millis(milliseconds)).filter(|length| !length.is_zero());
    Event::PlaybackStarted { playback: PlaybackHandle(playback), length }
}

fn timer(timer: u32) -> Event {
    Event::Timer { timer: TimerHandle(timer) }
}

fn message(call: CallHandle, text: &str) -> Event {
    Event::Message { call, text: text.into() }
}

fn referred(status: u16) -> Event {
    Event::Referred { call: CALL, status, reason: "why".into() }
}

fn refused(call: CallHandle, error: VerbError) -> Event {
    Event::VerbFailed { call: Some(call), error }
}
