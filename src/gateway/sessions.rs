//! The sessions that run, and the names they gave to things.

use super::handles::Handles;
use super::sounds::Sounds;
use crate::dialplan::Plan;
use crate::session::{self, PlaybackHandle, RoomHandle, Running, StreamHandle, TimerHandle, Verbs};
use crate::types::{IdMap, Now, PlayerId, RoomId, UnitId, relax};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A session that asks for more than this in one turn has run wild.
const VERBS_A_TURN: u32 = 1_000;
/// Over which `gateway.dial_rate` counts.
const MINUTE: Duration = Duration::from_secs(60);

/// One running session. Never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u64);

/// A session with the names it gave to things.
pub(super) struct RunningSession {
    pub(super) running: Running,
    /// What it began with; a reload changes neither.
    pub(super) plan: Arc<Plan>,
    pub(super) sounds: Arc<dyn Sounds>,
    pub(super) calls: Handles,
    pub(super) rooms: HashMap<RoomHandle, RoomId>,
    pub(super) playbacks: HashMap<PlaybackHandle, PlayerId>,
    pub(super) timers: Vec<TimerHandle>,
    pub(super) streams: Vec<(StreamHandle, UnitId)>,
    /// Verbs carried out since the last input, against a session that answers itself for ever.
    verbs_this_turn: u32,
    /// Sessions that have started one another up to this one.
    pub(super) depth: u8,
    /// The administrator who waits to hear what came of it.
    pub(super) asked: Option<u64>,
    /// Calls it has placed.
    dialled: u32,
    /// When it placed the last of them.
    dialled_at: VecDeque<Instant>,
}

impl RunningSession {
    pub(super) fn new(running: Running, plan: Arc<Plan>, sounds: Arc<dyn Sounds>) -> Self {
        Self {
            running,
            plan,
            sounds,
            calls: Handles::default(),
            rooms: HashMap::new(),
            playbacks: HashMap::new(),
            timers: Vec::new(),
            streams: Vec::new(),
            verbs_this_turn: 0,
            depth: 0,
            asked: None,
            dialled: 0,
            dialled_at: VecDeque::new(),
        }
    }

    /// What a stream is in the media plane.
    pub(super) fn stream(&self, stream: StreamHandle) -> Option<UnitId> {
        self.streams.iter().find(|(known, _)| *known == stream).map(|(_, unit)| *unit)
    }

    /// Counts one more call that it places, unless it has placed as many as it may: `most` in all, `rate` a minute.
    pub(super) fn count_dial(&mut self, now: Now, (most, rate): (u32, u32)) -> Result<(), String> {
        if self.dialled >= most {
            return Err(format!("gateway.dial_limit = {most} calls of one session is reached"));
        }
        self.dialled_at.retain(|at| now.instant.saturating_duration_since(*at) < MINUTE);
        if self.dialled_at.len() >= rate as usize {
            return Err(format!("gateway.dial_rate = {rate} calls of one session a minute is reached"));
        }
        self.dialled += 1;
        self.dialled_at.push_back(now.instant);
        Ok(())
    }
}

/// Whether a verb of a session is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is.
    Goes,
    /// The session is over.
    Over,
    /// The session asks for more than anybody needs, and is to be ended.
    RunWild,
}

/// All sessions that run.
#[derive(Default)]
pub(super) struct Sessions {
    running: IdMap<SessionId, RunningSession>,
    /// Those that had verbs carried out since the last input.
    busy: Vec<SessionId>,
    /// Where verbs are gathered: kept, so that none need be allocated.
    verbs: Verbs,
}

impl Sessions {
    pub(super) fn insert(&mut self, id: SessionId, session: RunningSession) {
        self.running.insert(id, session);
    }

    pub(super) fn get(&self, id: &SessionId) -> Option<&RunningSession> {
        self.running.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &SessionId) -> Option<&mut RunningSession> {
        self.running.get_mut(id)
    }

    pub(super) fn remove(&mut self, id: &SessionId) -> Option<RunningSession> {
        let session = self.running.remove(id);
        relax(&mut self.running);
        session
    }

    pub(super) fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// Tells a session what happened. Gives what it asks for; to be handed back with [`Self::keep_for_next`].
    pub(super) fn tell(&mut self, id: SessionId, event: &session::Event) -> Option<Verbs> {
        let session = self.running.get_mut(&id)?;
        let mut verbs = std::mem::take(&mut self.verbs);
        session.running.handle(event, &mut verbs);
        Some(verbs)
    }

    pub(super) fn keep_for_next(&mut self, verbs: Verbs) {
        self.verbs = verbs;
    }

    /// Counts a verb that is about to be carried out.
    pub(super) fn count_verb(&mut self, id: SessionId) -> Turn {
        let Some(session) = self.running.get_mut(&id) else { return Turn::Over };
        if session.verbs_this_turn == 0 {
            self.busy.push(id);
        }
        session.verbs_this_turn += 1;
        if session.verbs_this_turn > VERBS_A_TURN { Turn::RunWild } else { Turn::Goes }
    }

    /// All that came of an input is done.
    pub(super) fn end_turn(&mut self) {
        for id in self.busy.drain(..) {
            if let Some(session) = self.running.get_mut(&id) {
                session.verbs_this_turn = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialplan::{Trusting, parse};
    use crate::media::command::{Clip, Pcm};
    use crate::session::Invited;

    struct Silent;

    impl Sounds for Silent {
        fn prompt(&self, _: &str, _: &str) -> Option<Pcm> {
            None
        }
        fn text(&self, _: &str, _: &str) -> Option<Pcm> {
            None
        }
        fn file(&self, _: &crate::dialplan::SoundSource, _: bool) -> Option<crate::media::command::Clip> {
            None
        }
        fn tone(&self, _: &str) -> Option<Clip> {
            None
        }
    }

    fn session() -> RunningSession {
        let text =
            "[trunks.a]\nallow = \"192.0.2.1\"\n[[routes]]\nname = \"R\"\nfrom = \"a\"\nnumber = \"1\"\nroom = \"r\"\n";
        let plan = parse("dialplan.toml", text, &Trusting).unwrap().plan;
        let invited = Invited { room: "r".into(), number: "1".into(), confirm: None, digits: None };
        RunningSession::new(Running::inviting(&plan, invited), plan, Arc::new(Silent))
    }

    #[test]
    fn the_thousand_and_first_verb_of_a_turn_is_one_too_many() {
        let mut sessions = Sessions::default();
        let id = SessionId(1);
        assert_eq!(sessions.count_verb(id), Turn::Over);
        sessions.insert(id, session());
        for _ in 0..2 {
            assert!((0..VERBS_A_TURN).all(|_| sessions.count_verb(id) == Turn::Goes));
            assert_eq!(sessions.count_verb(id), Turn::RunWild);
            sessions.end_turn();
        }
    }
}
