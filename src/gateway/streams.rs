//! Streams: sound between a session's calls and rooms and whoever it knows outside, as a bot. The media plane sees a
//! player or a recorder; the other end of its ring goes to whoever runs the session.

use super::{Gateway, Output, SessionId};
use crate::media::command::{Clip, Command, Live, LiveWriter, RecorderSink};
use crate::session::{StreamHandle, StreamWay, VerbError};
use crate::types::{PlayerId, RecorderId, UnitId};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What waits to be heard, at most: whoever sends may be so far ahead.
const AHEAD: Duration = Duration::from_secs(10);
/// What waits to be sent or written, in milliseconds.
const BEHIND: u32 = 4_000;
/// Streams of one session.
const MOST: usize = 64;

/// The end of a stream that is not the media plane's.
#[derive(Debug)]
pub enum StreamEnd {
    /// What is written is heard.
    In(LiveWriter),
    /// What is read was heard, 20 ms a tick, silence included.
    Out(rtrb::Consumer<i16>),
}

impl Gateway {
    pub(super) fn open_stream(
        &mut self,
        session: SessionId,
        stream: StreamHandle,
        way: StreamWay,
    ) -> Result<(), VerbError> {
        const VERB: &str = "open_stream";
        let Some(running) = self.sessions.get(&session) else { return Err(VerbError::Unknown { verb: VERB }) };
        if running.stream(stream).is_some() {
            return Err(VerbError::WrongState { verb: VERB, state: "there already" });
        }
        if running.streams.len() >= MOST {
            return Err(VerbError::Limit { verb: VERB, limit: "64 streams of one session" });
        }
        let less = match way {
            StreamWay::Out { less: Some(less), .. } => match running.stream(less) {
                Some(UnitId::Player(player)) => Some(player),
                _ => return Err(VerbError::Unknown { verb: VERB }),
            },
            _ => None,
        };
        let (unit, end) = match way {
            StreamWay::In => {
                let (writer, live) = Live::new(AHEAD);
                let player = PlayerId(self.fresh_id());
                self.media(Command::AddPlayer { player, clips: vec![Clip::Live(live)] });
                (UnitId::Player(player), StreamEnd::In(writer))
            }
            StreamWay::Out { rate, ear, .. } => {
                let (ring, read) = rtrb::RingBuffer::new((rate.0 / 1_000 * BEHIND) as usize);
                let recorder = RecorderId(self.fresh_id());
                let sink = RecorderSink(Arc::new(Mutex::new(Some(ring))));
                self.media(Command::AddRecorder { recorder, sink, rate, less, ear });
                (UnitId::Recorder(recorder), StreamEnd::Out(read))
            }
        };
        if let Some(running) = self.sessions.get_mut(&session) {
            running.streams.push((stream, unit));
        }
        self.effects.output(Output::StreamOpened { session, stream, end });
        Ok(())
    }

    pub(super) fn close_stream(&mut self, session: SessionId, stream: StreamHandle) -> Result<(), VerbError> {
        let unit = self.stream_of(session, stream, "close_stream")?;
        if let Some(running) = self.sessions.get_mut(&session) {
            running.streams.retain(|(known, _)| *known != stream);
        }
        self.end_stream(unit);
        Ok(())
    }

    /// Takes a stream out of the media plane.
    pub(super) fn end_stream(&mut self, unit: UnitId) {
        self.joins.flat.forget(unit);
        match unit {
            UnitId::Player(player) => self.media(Command::StopPlayer { player }),
            UnitId::Recorder(recorder) => self.media(Command::RemoveRecorder { recorder }),
            UnitId::Leg(_) | UnitId::Room(_) => {}
        }
    }

    pub(super) fn stream_of(
        &self,
        session: SessionId,
        stream: StreamHandle,
        verb: &'static str,
    ) -> Result<UnitId, VerbError> {
        let unit = self.sessions.get(&session).and_then(|running| running.stream(stream));
        unit.ok_or(VerbError::Unknown { verb })
    }
}
