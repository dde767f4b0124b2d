//! Verbs as people read them.

use crate::session::scenario::SocketAsk;
use crate::session::{CallHandle, CallerId, DialTarget, PlayItem, ReferTarget, StorageRequest, StreamWay, Unit, Verb};

pub(super) fn of(verb: &Verb) -> String {
    match verb {
        Verb::Ring { call } => format!("ring {}", name(*call)),
        Verb::EarlyMedia { call } => format!("early media to {}", name(*call)),
        Verb::Answer { call } => format!("answer {}", name(*call)),
        Verb::Reject { call, status } => format!("reject {} with {status}", name(*call)),
        Verb::Hangup { call, .. } => format!("hang up {}", name(*call)),
        Verb::Play { to, playback, items, repeat } => {
            let items: Vec<String> = items.iter().map(item).collect();
            let repeat = if *repeat { ", again and again" } else { "" };
            format!("play {} to {}: {}{repeat}", playback.0, unit(*to), items.join(", "))
        }
        Verb::PausePlayback { playback, on: true } => format!("pause playback {}", playback.0),
        Verb::PausePlayback { playback, .. } => format!("playback {} goes on", playback.0),
        Verb::StopPlayback { playback } => format!("stop playback {}", playback.0),
        Verb::HandleDigits { call, on } => format!("digits of {}: {}", name(*call), if *on { "on" } else { "off" }),
        Verb::SendDigits { call, digits } => format!("send {digits} to {}", name(*call)),
        Verb::Dial { call, to, caller, headers, .. } => {
            let to = match to {
                DialTarget::Number(number) => number.clone(),
                DialTarget::User(user) => format!("user {user}"),
            };
            let from = match caller {
                CallerId::Given(party) => format!(" from {}", party.number),
                _ => String::new(),
            };
            format!("{}: call {to}{from}{}", name(*call), list(headers))
        }
        Verb::Join { call, to, from, headers } => {
            format!("{}: call conference {to} from {}{}", name(*call), from.number, list(headers))
        }
        Verb::ForwardDirect { call, to } => {
            format!("forward {} directly to {}", name(*call), to.as_deref().unwrap_or("whom it called"))
        }
        Verb::OpenRoom { room, .. } => format!("conference {}", room.0),
        Verb::CloseRoom { room } => format!("conference {} ends", room.0),
        Verb::OpenStream { stream, way: StreamWay::In } => format!("stream {} from outside", stream.0),
        Verb::OpenStream { stream, .. } => format!("stream {} to outside", stream.0),
        Verb::CloseStream { stream } => format!("stream {} ends", stream.0),
        Verb::Connect { source, sink } => format!("{} is heard by {}", unit(*source), unit(*sink)),
        Verb::Disconnect { source, sink } => format!("{} is no more heard by {}", unit(*source), unit(*sink)),
        Verb::Hold { call, on } => format!("{}: {}", name(*call), if *on { "on hold" } else { "taken back" }),
        Verb::Refer { call, to: ReferTarget::Number(to) } => format!("transfer {} to {to}", name(*call)),
        Verb::Refer { call, to: ReferTarget::Call(other, to) } => {
            format!("transfer {} to {}, else {to}", name(*call), name(*other))
        }
        Verb::SendMessage { call, text } => format!("message to {}: {text}", name(*call)),
        Verb::SendInfo { call, content_type, body, .. } => format!("info to {}: {content_type} {body}", name(*call)),
        Verb::SetTimer { timer, after } => format!("timer {} in {} ms", timer.0, after.as_millis()),
        Verb::ClearTimer { timer } => format!("clear timer {}", timer.0),
        Verb::Store { request, what } => format!("storage request {}: {}", request.0, storage(what)),
        Verb::EndSession => "the session ends".to_owned(),
        // What scenarios have no use for.
        other => other.name().to_owned(),
    }
}

/// What is asked of a WebSocket; `None` where the verbs say it.
pub(super) fn of_socket(ask: &SocketAsk) -> Option<String> {
    Some(match ask {
        SocketAsk::Open { socket, url, .. } => format!("WebSocket {socket}: open {url}"),
        SocketAsk::Listen => "WebSockets may come in".to_owned(),
        SocketAsk::Send { socket, text } => format!("WebSocket {socket}: send {text}"),
        SocketAsk::Close { socket } => format!("WebSocket {socket}: close"),
        SocketAsk::Clear { socket, .. } => format!("WebSocket {socket}: clear its sound"),
        SocketAsk::Hear { .. } | SocketAsk::Tell { .. } => return None,
    })
}

fn storage(what: &StorageRequest) -> String {
    match what {
        StorageRequest::Put { key, value, keep } => format!("keep {value:?} as {key} for {} s", keep.as_secs()),
        StorageRequest::Get { key } => format!("get {key}"),
        StorageRequest::Remove { key } => format!("remove {key}"),
        StorageRequest::Keys { pattern } => format!("keys like {pattern}"),
    }
}

fn name(call: CallHandle) -> String {
    match call.0.checked_sub(CallHandle::FIRST_GIVEN.0) {
        Some(n) => format!("in{}", n + 1),
        None => format!("out{}", call.0),
    }
}

fn unit(unit: Unit) -> String {
    match unit {
        Unit::Call(call) => name(call),
        Unit::Room(room) => format!("conference {}", room.0),
        Unit::Stream(stream) => format!("stream {}", stream.0),
    }
}

fn item(item: &PlayItem) -> String {
    match item {
        PlayItem::Text(text) => format!("{text:?}"),
        PlayItem::Prompt(name) => format!("prompt {name}"),
        PlayItem::TextIn { language, text } => format!("{text:?} in {language}"),
        PlayItem::Made { samples, repeat: false } => format!("{} ms of tones", samples.len() / 8),
        PlayItem::Made { .. } => "tones, for ever".to_owned(),
        PlayItem::File(source) => source.to_string(),
        PlayItem::Tone(tone) => format!("tone {tone}"),
        PlayItem::Silence(length) => format!("{} ms of silence", length.as_millis()),
    }
}

fn list(headers: &[(String, String)]) -> String {
    headers.iter().map(|(name, value)| format!(", {name}: {value}")).collect()
}
