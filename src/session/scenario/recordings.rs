//! Recordings of scenarios: what they ask for, what they are told, and the natives for it.

use super::natives::{Maker, id};
use crate::session::{CallHandle, RoomHandle, StreamHandle, StreamWay, Unit, Verb};
use crate::types::SampleRate;
use rquickjs::Result;
use std::rc::Rc;

/// A recording that is to be made. It is over when its streams are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The scenario's number for it.
    pub recording: u32,
    /// What is recorded, outgoing streams of one rate.
    pub streams: Vec<StreamHandle>,
    /// Each stream has a channel of its own, or all are one.
    pub is_stereo: bool,
}

/// What happens to one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordNews {
    /// Its file has been made.
    Started {
        /// A URL of the file.
        url: String,
    },
    /// Its file is whole.
    Stopped {
        /// A URL of the file.
        url: String,
        /// How long it is, in whole seconds.
        seconds: u64,
    },
    /// It could not be made, or not to its end; what there is of it stays.
    Failed {
        /// Why.
        why: String,
        /// How long what there is of it is, in whole seconds.
        seconds: u64,
    },
}

/// The kind of news, and what comes with it, as `js/recorder.js` has them.
pub(super) fn facts(news: &RecordNews) -> (&'static str, &str, u64) {
    match news {
        RecordNews::Started { url } => ("started", url, 0),
        RecordNews::Stopped { url, seconds } => ("stopped", url, *seconds),
        RecordNews::Failed { why, seconds } => ("failed", why, *seconds),
    }
}

pub(super) fn make(maker: &Maker<'_, '_>) -> Result<()> {
    let shared = Rc::clone(maker.shared);
    maker.add("record", move |recording, streams: Vec<f64>, is_stereo: bool| {
        let streams = streams.into_iter().map(|stream| StreamHandle(id(stream))).collect();
        shared.turn.borrow_mut().recordings.push(Record { recording: id(recording), streams, is_stereo });
    })?;
    let shared = Rc::clone(maker.shared);
    maker.add("streamRecord", move |stream, rate, ear: bool| {
        let way = StreamWay::Out { rate: SampleRate(id(rate)), less: None, ear };
        shared.push(Verb::OpenStream { stream: StreamHandle(id(stream)), way });
    })?;
    let shared = Rc::clone(maker.shared);
    maker.add("streamNotFrom", move |is_call: bool, from, to| {
        let from = id(from);
        let source = if is_call { Unit::Call(CallHandle(from)) } else { Unit::Room(RoomHandle(from)) };
        shared.push(Verb::Disconnect { source, sink: Unit::Stream(StreamHandle(id(to))) });
    })
}
