//! The control plane's core: signalling in, sessions in the middle, commands to the media plane out.
//!
//! Sans-IO. Feed it with [`Gateway::handle_input`] and [`Gateway::handle_timeout`] (not before
//! [`Gateway::poll_timeout`]), and carry out what [`Gateway::poll_output`] hands out until it is `None`. What comes
//! from the network may be queued first ([`Gateway::queue`]) and served in the order of its worth ([`Gateway::serve`]).
//!
//! | file | what happens there |
//! |---|---|
//! | `peer.rs` | whom we speak with: what is settled between us, and its calls |
//! | `admission.rs` | who may send us requests at all; limits |
//! | `digest.rs` | unknown sources that prove by digest to be a trunk or a user |
//! | `users/`, `new_user.rs` | the users there are, where they are registered; one who is to be made |
//! | `kept.rs` | what a database is asked of users, invitations and rooms |
//! | `identity.rs` | who calls: what is believed, and what is claimed |
//! | `calls.rs`, `call.rs` | all calls; the state of one |
//! | `intake.rs`, `overload.rs` | what waits to be served, in which order; who is refused when there is too much |
//! | `incoming.rs` | an INVITE: called number, route, session, media ports |
//! | `signalling.rs` | the endpoint's other events |
//! | `negotiation.rs` | offers and answers of a call |
//! | `hold.rs` | hold by us |
//! | `sessions.rs`, `handles.rs` | the sessions that run, and the names they gave to things |
//! | `scenarios.rs` | sessions that run elsewhere: their events go out, their verbs come in |
//! | `apply.rs`, `connecting.rs` | verbs of sessions → effects; who hears whom |
//! | `joins.rs`, `joining.rs`, `flat.rs` | calls between sessions, which the media plane does not see |
//! | `call_messages.rs`, `message_limit.rs` | texts and data inside calls |
//! | `players.rs`, `playback.rs` | what is being played, and to whom |
//! | `speaking.rs` | texts that are spoken while they are played |
//! | `pins.rs` | PIN checks |
//! | `rooms.rs`, `bridges.rs` | the room directory: who is in which room; calls that hear each other without one |
//! | `alone.rs` | what somebody hears who is alone in a room |
//! | `outbound/`, `outgoing.rs`, `forking.rs` | calls of ours up to their answer; what is kept of one until then |
//! | `direct/`, `relayed.rs` | direct calls of users: descriptions that pass untouched |
//! | `guests.rs` | whoever comes into a room without SIP |
//! | `messages.rs`, `messaging.rs` | messages of users outside of calls |
//! | `media_events.rs` | what the media plane reports |
//! | `media_host.rs` | host names in descriptions |
//! | `ending.rs`, `dismissal.rs`, `call_record.rs` | the ways a call ends, its record |
//! | `cause.rs`, `reason.rs` | why it ended, as we say it and as its peer does |
//! | `transfer/` | calls that take another's place, and calls that are sent away |
//! | `trunks.rs`, `targets.rs` | the trunks; their servers, and which of them are tried |
//! | `trunk_registration.rs`, `trunk_reload.rs` | our registrations at trunks; what a reload begins anew |
//! | `trunk_health.rs`, `health.rs` | OPTIONS: which trunks are there |
//! | `event.rs` | what happens, for programs that follow the gateway |
//! | `effects.rs` | what is to come of an input: outputs, deadlines, news for sessions |
//! | `shutdown.rs` | taking no new calls, and leaving after the last |
//! | `streamed_text.rs`, `speaking.rs` | texts heard while they are spoken: a session's, an administrator's |
//! | `control.rs`, `user_status.rs`, `refusal.rs` | what an administrator asks and is told, and why it is not done |
//! | `steering.rs`, `made_rooms.rs` | rooms that an administrator makes and locks, and calls moved between rooms |

mod admission;
mod alone;
mod apply;
mod bridges;
mod call;
mod call_messages;
mod call_record;
mod calls;
mod cause;
mod challenge_limit;
mod connecting;
mod control;
mod digest;
mod direct;
mod dismissal;
mod disturbing;
mod effects;
mod ending;
mod event;
mod flat;
mod forking;
mod guests;
mod handles;
mod health;
mod hold;
pub mod identity;
mod incoming;
mod intake;
mod io;
#[cfg(test)]
mod ivr_tests;
mod joining;
mod joins;
mod kept;
mod keys;
mod log;
mod made_rooms;
mod media_events;
mod media_host;
mod message_limit;
mod messages;
mod messaging;
mod moderation;
mod negotiation;
mod new_user;
mod one_way;
mod outbound;
mod outgoing;
mod overload;
mod peer;
pub mod pin_guard;
mod pins;
mod playback;
mod players;
pub mod reason;
mod refusal;
mod relayed;
mod rooms;
mod scenarios;
mod sessions;
mod shutdown;
mod signalling;
mod snapshot;
mod sounds;
mod speaking;
mod steering;
mod streamed_text;
mod streams;
mod targets;
mod timer;
mod transfer;
mod transport;
mod trunk_health;
mod trunk_registration;
mod trunk_reload;
#[cfg(test)]
mod trunk_tests;
mod trunk_tls;
mod trunk_way;
mod trunks;
mod user_status;
mod users;
mod webrtc;

pub use call_record::{CallRecord, Keyed, Tried, Way};
pub use cause::Cause;
pub use control::{Backlog, CallStatus, Guest, Progress, Reply, Request, RoomStatus, Status, TrunkStatus};
pub use event::{Event, TimedEvent};
pub use io::{Input, Output};
pub use kept::{
    InvitedTo, Kept, Query, StorageAnswer, StorageRequest, Stored, StoredBinding, StoredInvitation, StoredKey,
    StoredRoom, StoredSettings, StoredText, StoredUser,
};
pub use log::{Level, LogLine, Masked};
pub use moderation::Audience;
pub use new_user::{NewUser, Password, UserChange};
pub use refusal::{Refusal, Rule};
pub use snapshot::CallSnapshot;
pub use sounds::{Sounds, Unspoken};
pub use streams::StreamEnd;
pub use transport::{OpenedTransport, TransportKind};
pub use user_status::{BindingStatus, InvitationStatus, InvitedUser, MadeInvitation, UserStatus};

use crate::dialplan::Plan;
use crate::media::command::Command;
use crate::session::{self, CallHandle};
use crate::sip::{self, Endpoint, EndpointConfig};
use crate::types::{CallId, Now, Seed};
use admission::Admission;
use call::Call;
use calls::Calls;
use effects::{Effects, News};
use guests::Guests;
use intake::Intake;
use joins::Joins;
use messages::Messages;
use overload::LateCalls;
use pins::Pins;
use players::Players;
use rand::rngs::StdRng;
use rooms::Rooms;
pub use sessions::SessionId;
use sessions::{RunningSession, Sessions, Turn};
use shutdown::Shutdown;
use speaking::Speeches;
use std::sync::Arc;
use std::time::Instant;
use streamed_text::StreamedTexts;
use timer::Timer;
use transfer::Transfers;
use trunks::Trunks;
use users::Users;

/// Stands for a call that its session has no handle for: it is to take another's place, and is the gateway's own
/// affair.
const UNNAMED: CallHandle = CallHandle(u32::MAX);

/// The control plane's core.
pub struct Gateway {
    plan: Arc<Plan>,
    /// The settings it was started with, some of which stay until it is started again.
    started_with: Box<crate::dialplan::Gateway>,
    /// What came and waits for [`Gateway::serve`].
    intake: Intake,
    late_calls: LateCalls,
    /// Ticks of media threads that came too late and were skipped, since the start.
    ticks_skipped: u64,
    /// Frames whose noise they had no time to suppress.
    frames_not_suppressed: u64,
    endpoint: Endpoint,
    random: StdRng,
    /// Makes keys and passwords and nothing else: what others see of `random` must say nothing of them.
    keys: StdRng,
    admission: Admission,
    calls: Calls,
    sessions: Sessions,
    rooms: Rooms,
    joins: Joins,
    players: Players,
    speeches: Speeches,
    pins: Pins,
    streamed: StreamedTexts,
    trunks: Trunks,
    users: Users,
    messages: Messages,
    guests: Guests,
    transfers: Transfers,
    effects: Effects,
    shutdown: Shutdown,
}

impl Gateway {
    /// A gateway that has not yet seen anything. Same seed and inputs, same outputs.
    #[must_use]
    pub fn new(now: Now, plan: Arc<Plan>, sounds: Arc<dyn Sounds>, config: EndpointConfig, seed: Seed) -> Self {
        let mut random = seed.generator();
        let started_with = Box::new(plan.gateway.clone());
        let endpoint = Endpoint::new(config, Seed::drawn(&mut random));
        let pins = Pins::new(plan.gateway.pin_budget, Seed::drawn(&mut random));
        let keys = Seed::drawn(&mut random).generator();
        let admission = Admission::new(now.instant, Seed::drawn(&mut random), &plan);
        let mut gateway = Self {
            plan,
            started_with,
            intake: Intake::default(),
            late_calls: LateCalls::default(),
            ticks_skipped: 0,
            frames_not_suppressed: 0,
            endpoint,
            random,
            keys,
            admission,
            calls: Calls::default(),
            sessions: Sessions::default(),
            rooms: Rooms::default(),
            joins: Joins::default(),
            players: Players::new(sounds),
            speeches: Speeches::default(),
            pins,
            streamed: StreamedTexts::default(),
            trunks: Trunks::default(),
            users: Users::default(),
            messages: Messages::default(),
            guests: Guests::default(),
            transfers: Transfers::default(),
            effects: Effects::default(),
            shutdown: Shutdown::default(),
        };
        gateway.refresh_users();
        gateway.start_trunks(now);
        gateway.run_until_idle(now);
        gateway
    }

    /// The same gateway with names of its own for calls, `call-RUN-…`, so that those of two runs never share one.
    #[must_use]
    pub fn with_run(mut self, run: u32) -> Self {
        self.effects.begin_run(run);
        self
    }

    /// Takes one input.
    pub fn handle_input(&mut self, now: Now, input: Input) {
        match input {
            Input::Sip(input) => {
                let ended = match &input {
                    sip::Input::FlowClosed { flow } => Some(*flow),
                    _ => None,
                };
                match &input {
                    sip::Input::FlowIdentified { flow, peer } => self.trunks.identified(flow, peer),
                    sip::Input::TlsOpened { flow } => self.on_tls(flow, None),
                    sip::Input::TlsFailed { flow, why } => self.on_tls(flow, Some(why.as_str())),
                    _ => {}
                }
                let mut policy = admission::CallerPolicy {
                    plan: &self.plan,
                    trunks: &self.trunks,
                    admission: &mut self.admission,
                    now: now.instant,
                };
                self.endpoint.handle_input(now, input, &mut policy);
                if let Some(flow) = ended {
                    self.on_connection_ended(now, &flow);
                    self.on_users_connection_ended(now, &flow);
                }
            }
            Input::Media(event) => self.on_media_event(now, event),
            Input::TransportOpened { call, opened } => self.on_transport_opened(now, call, &opened),
            Input::TransportRefused { call, reason } => self.on_transport_refused(now, call, reason),
            Input::TransportConnected { call, remote, keys } => self.on_transport_connected(now, call, remote, *keys),
            Input::TransportMoved { call, remote } => self.on_transport_moved(now, call, remote),
            Input::TransportLost { call, why } => self.on_transport_lost(now, call, why),
            Input::HostResolved { call, found, .. } => self.on_host_resolved(now, call, found),
            Input::Resolved { trunk, found } => self.on_resolved(now, &trunk, found),
            Input::Control { id, request } => self.on_control(now, id, request),
            Input::SoundLoaded { id, to, sound } => self.on_sound_loaded(id, &to, sound),
            Input::SoundStreamed { id, outcome } => self.on_sound_streamed(now, id, outcome),
            Input::Sound { id, sound, is_last } => self.on_sound(now, id, sound, is_last),
            Input::QueryDone { id, answer } => self.on_query_done(now, id, answer),
            Input::Verbs { session, verbs } => self.on_verbs(now, session, verbs),
            Input::SessionFailed { session, cause } => self.on_session_failed(now, session, &cause),
            Input::Reload(plan) => self.on_reload(now, plan),
        }
        self.run_until_idle(now);
    }

    /// The next thing to do, until there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.effects.poll_output()
    }

    /// When [`Self::handle_timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let own = [self.effects.poll_timeout(), self.trunks.timers.next(), self.pins.poll_timeout()];
        let others = [self.endpoint.poll_timeout(), self.late_calls.poll_timeout(), self.users.poll_timeout()];
        own.into_iter().chain(others).flatten().min()
    }

    /// Does all that is due.
    pub fn handle_timeout(&mut self, now: Now) {
        self.endpoint.handle_timeout(now);
        self.run_until_idle(now);
        while let Some(timer) = self.effects.timers.pop_due(now.instant) {
            self.on_timer(now, timer);
            self.run_until_idle(now);
        }
        while let Some(timer) = self.trunks.timers.pop_due(now.instant) {
            self.on_trunk_timer(now, timer);
            self.run_until_idle(now);
        }
        self.on_users_timeout(now);
        self.serve_waiting_pins(now);
        self.run_until_idle(now);
        self.tell_late_calls(now);
        while let Some(left_out) = self.effects.pop_left_out(now) {
            self.log(Level::Warn, None, left_out.kind, left_out.in_words());
        }
    }

    /// Whether nothing is left of any call: no call, session, room, player, transaction, dialog or timer.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.calls.is_idle()
            && self.intake.is_empty()
            && self.admission.peers.is_idle()
            && self.sessions.is_empty()
            && self.rooms.is_idle()
            && self.joins.is_idle()
            && self.players.is_idle()
            && self.speeches.is_empty()
            && self.pins.is_idle()
            && self.streamed.is_empty()
            && self.transfers.is_idle()
            && self.messages.is_idle()
            && self.guests.is_idle()
            && self.effects.timers.is_empty()
            && self.endpoint.is_idle()
    }

    /// How many calls there are, those being set up and ended included.
    #[must_use]
    pub fn call_count(&self) -> usize {
        self.calls.len()
    }

    /// Transactions that are held, finished ones included: most of what a rush of calls leaves in memory for a while.
    #[must_use]
    pub fn transaction_count(&self) -> usize {
        let counts = self.endpoint.counts();
        counts.server_transactions + counts.client_transactions
    }

    /// Moves what the endpoint and the sessions have to say to where it belongs, until all is quiet.
    fn run_until_idle(&mut self, now: Now) {
        loop {
            self.drain_endpoint(now);
            let Some(news) = self.effects.pop_news() else { break };
            self.on_news(now, news);
        }
        self.sessions.end_turn();
        self.begin_measuring(now);
        self.leave_when_drained(now);
    }

    fn on_news(&mut self, now: Now, News { session, call, event }: News) {
        if let Some(call) = call.filter(|call| self.transfers.is_pending(*call)) {
            return self.on_successor(now, call, event);
        }
        if event.call() == Some(UNNAMED) {
            return;
        }
        self.run_session(now, session, &event);
        // Whoever has lost the last call has no more to do, unless it has just made another one.
        if matches!(event, session::Event::Ended { .. } | session::Event::DialFailed { .. })
            && self.sessions.get(&session).is_some_and(|session| session.calls.is_empty())
        {
            self.last_call_over(now, session);
        }
    }

    fn run_session(&mut self, now: Now, id: SessionId, event: &session::Event) {
        if self.tell_elsewhere(id, event) {
            return;
        }
        let Some(mut verbs) = self.sessions.tell(id, event) else { return };
        self.carry_out(now, id, verbs.drain());
        self.sessions.keep_for_next(verbs);
    }

    /// Does what a session asks, until it is over.
    fn carry_out(&mut self, now: Now, id: SessionId, verbs: impl Iterator<Item = session::Verb>) {
        for verb in verbs {
            match self.sessions.count_verb(id) {
                Turn::Goes => self.apply(now, id, verb),
                Turn::Over => break,
                Turn::RunWild => {
                    let detail = "it asked for more than a thousand things at once";
                    self.log(Level::Warn, None, "session ended", detail.into());
                    self.end_session(now, id, "runaway session");
                    break;
                }
            }
        }
    }

    fn emit(&mut self, session: SessionId, event: session::Event) {
        self.effects.emit(session, event);
    }

    /// Tells a call's session something of it, which is put in words under the handle that the session knows it by.
    fn emit_of(&mut self, call: CallId, event: impl FnOnce(CallHandle) -> session::Event) {
        let Some(session) = self.calls.get(&call).map(|call| call.session) else { return };
        let handle = self.sessions.get(&session).and_then(|session| session.calls.of(call));
        self.effects.emit_of(call, session, event(handle.unwrap_or(UNNAMED)));
    }

    fn fresh_id(&mut self) -> u64 {
        self.effects.fresh_id()
    }

    fn media(&mut self, command: Command) {
        self.effects.media(command);
    }

    fn log(&mut self, level: Level, call: Option<CallId>, what: &'static str, detail: String) {
        self.effects.log(level, call, what, detail);
    }

    /// The same for a line that somebody outside can cause as often as they like. Says whether it was written.
    fn log_limited(
        &mut self,
        now: Now,
        level: Level,
        call: Option<CallId>,
        what: &'static str,
        detail: impl FnOnce() -> String,
    ) -> bool {
        self.effects.log_limited(now, level, call, what, detail)
    }

    fn on_reload(&mut self, now: Now, plan: Arc<Plan>) {
        self.pins.set_budget(plan.gateway.pin_budget);
        self.admission.set_plan(&plan);
        self.plan = plan;
        self.log(Level::Info, None, "dialplan reloaded", format!("{} routes", self.plan.routes.len()));
        let restart_needed = self.awaiting_restart();
        for name in &restart_needed {
            self.log(
                Level::Warn,
                None,
                "restart needed",
                format!("gateway.{name} has changed, and is as it was until then"),
            );
        }
        self.effects.event(Event::Reloaded { routes: self.plan.routes.len(), restart_needed });
        self.refresh_users();
        self.refresh_trunks(now);
    }

    /// Settings of `[gateway]` that have changed since the start, and are as they were until the next one.
    #[must_use]
    pub fn awaiting_restart(&self) -> Vec<&'static str> {
        self.plan.gateway.awaiting_restart(&self.started_with)
    }

    /// From now on the messages of calls are logged, or are not; as [`EndpointConfig::trace`].
    pub fn set_trace(&mut self, on: bool) {
        self.endpoint.set_trace(on);
    }

    /// The sounds that what begins from now on uses. Sessions keep those they began with.
    pub fn set_sounds(&mut self, sounds: Arc<dyn Sounds>) {
        self.players.sounds = sounds;
    }

    /// The sounds that a call's session began with.
    fn sounds_of(&self, call: CallId) -> &dyn Sounds {
        let session = self.calls.get(&call).and_then(|call| self.sessions.get(&call.session));
        session.map_or(&*self.players.sounds, |session| &*session.sounds)
    }
}
