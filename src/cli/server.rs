//! The gateway's shell: the one task that owns everything of the control plane.

mod queries;
mod scenarios;
mod transports;

use self::queries::{Resolved, Sentence};
use super::control::Asked;
use super::events::Events;
use super::log::Log;
use super::log_filter::LogFilter;
use super::mistakes::Mistakes;
use super::records::Records;
use super::reload::{Loaded, Reloads};
use super::wake::media_wake;
use super::wire::{Answer, Ask, ReloadOutcome, Reloaded, ShellReply, ShellRequest};
use crate::dialplan::Plan;
use crate::gateway::{Event, Gateway, Input, Level, LogLine, Output, Reply, Request};
use crate::http::{self, HttpServer};
use crate::media::thread::{MediaHandle, TransportSockets};
use crate::net::{Arrival, IceTcp, PortRange, Resolver, Transports, WebRtc, WebRtcEvent};
use crate::scenarios::Scenarios;
use crate::sip::{self, Flow};
use crate::sound::Loader;
use crate::speech::{self, Saying, Speaker};
use crate::store::{self, Store};
use crate::types::{CallId, Now, Rush, give_back_memory};
use bytes::Bytes;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// Messages served in one go before outputs are carried out and timers looked at …
const BATCH: usize = 64;
/// … and how long that may take: meanwhile the kernel's buffer fills.
const TURN: Duration = Duration::from_millis(2);

/// Patience with connections that take their last messages slowly.
const END_PATIENCE: Duration = Duration::from_secs(2);

/// Patience with a database that has bindings to take when the gateway ends.
const LAST_BINDINGS: Duration = Duration::from_secs(2);

/// Both clocks, read at once.
pub(super) fn now() -> Now {
    Now { instant: Instant::now(), wall: SystemTime::now() }
}

/// Where everything comes from that is not asked of the gateway itself.
pub(super) struct Sources {
    pub(super) sip: mpsc::Receiver<Arrival>,
    pub(super) asked: mpsc::Receiver<Asked>,
    pub(super) http: mpsc::Receiver<http::Asked>,
    pub(super) scenarios: mpsc::Receiver<Input>,
}

/// The gateway with its sockets, threads and files.
pub(super) struct Server {
    gateway: Gateway,
    plan: Arc<Plan>,
    /// Of the plan's text.
    fingerprint: u64,
    transports: Transports,
    media: MediaHandle,
    ports: PortRange,
    opened: HashMap<CallId, TransportSockets>,
    /// ICE and DTLS of calls whose other end is a browser.
    webrtc: WebRtc,
    connected: mpsc::Receiver<WebRtcEvent>,
    /// Messages that leave once the media threads have their commands.
    unsent: Vec<(Flow, Bytes, bool)>,
    records: Records,
    log: Log,
    filter: LogFilter,
    events: Events,
    replies: HashMap<u64, ReplyTo>,
    http: Option<HttpServer>,
    next_reply: u64,
    resolver: Resolver,
    resolved: (mpsc::Sender<Resolved>, mpsc::Receiver<Resolved>),
    sounds_read: (mpsc::Sender<Input>, mpsc::Receiver<Input>),
    /// `None`: there is no thread for it.
    speaker: Option<Speaker>,
    loader: Loader,
    /// Users and their bindings; opened when it is first asked.
    store: Option<Store>,
    stored: (mpsc::Sender<store::Answered>, mpsc::Receiver<store::Answered>),
    spoken: (mpsc::Sender<Sentence>, mpsc::Receiver<Sentence>),
    /// What is being said, by the gateway's name for it.
    sayings: HashMap<u64, Saying>,
    scenarios: Option<Scenarios>,
    drained: bool,
    /// Of transactions and calls.
    rush: Rush,
}

/// Who asked the gateway something.
enum ReplyTo {
    /// A connection to the control socket.
    Control(mpsc::Sender<Answer>),
    /// The HTTP server.
    Http(mpsc::Sender<Reply>),
}

impl ReplyTo {
    /// Passes a reply on. Whoever asked may have hung up, or not listen: then it is lost.
    fn reply(&self, reply: Reply) {
        match self {
            Self::Control(answer) => drop(answer.try_send(Answer::Gateway(reply))),
            Self::Http(answer) => drop(answer.try_send(reply)),
        }
    }
}

impl Server {
    pub(super) fn new(
        gateway: Gateway,
        loaded: Loaded,
        transports: Transports,
        media: MediaHandle,
        records: Records,
        (log, filter): (Log, LogFilter),
        loader: Loader,
    ) -> Self {
        let Loaded { plan, fingerprint, .. } = loaded;
        let settings = &plan.gateway;
        let (tell, connected) = mpsc::channel(64);
        let ports = PortRange::new(*settings.rtp_ports.start(), *settings.rtp_ports.end(), settings.dscp);
        Self {
            gateway,
            transports,
            media,
            ports,
            opened: HashMap::new(),
            webrtc: WebRtc::new(tell),
            connected,
            unsent: Vec::new(),
            records,
            log,
            filter,
            events: Events::default(),
            replies: HashMap::new(),
            http: None,
            next_reply: 0,
            resolver: Resolver::new(&settings.dns),
            resolved: mpsc::channel(64),
            sounds_read: mpsc::channel(1),
            speaker: None,
            loader,
            store: None,
            stored: mpsc::channel(64),
            spoken: mpsc::channel(4),
            sayings: HashMap::new(),
            scenarios: None,
            drained: false,
            rush: Rush::default(),
            plan,
            fingerprint,
        }
    }

    /// The same server with somebody who says texts.
    pub(super) fn with_speaker(mut self, speaker: Option<Speaker>) -> Self {
        self.speaker = speaker;
        self
    }

    /// The same server with what takes connections of browsers that UDP does not reach.
    pub(super) fn with_ice_tcp(mut self, ice_tcp: Option<IceTcp>) -> Self {
        self.webrtc = self.webrtc.with_tcp(ice_tcp);
        self
    }

    /// The same server with the HTTP server whose requests it answers.
    pub(super) fn with_http(mut self, http: Option<HttpServer>) -> Self {
        self.http = http;
        self
    }

    /// Runs until a drain is complete. `reload` reads the dialplan anew, or says why not.
    pub(super) async fn run(
        mut self,
        mut sources: Sources,
        reload: impl Fn() -> Result<Loaded, Mistakes> + Send + Sync + 'static,
    ) -> io::Result<()> {
        let media_events = media_wake(&self.media)?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hangup = signal(SignalKind::hangup())?;
        let mut reloads = Reloads::new(reload);
        self.carry_out();
        let mut healthy = true;
        while !self.drained {
            if healthy && !self.media.is_healthy() {
                // Its callers hear nothing any more: better hung up, and the process started anew, than left in
                // silence.
                healthy = false;
                tracing::error!("a media thread has ended: hanging up all calls");
                self.ask(Request::Drain { seconds: Some(0) }, None);
                self.carry_out();
                continue;
            }
            let wake = self.gateway.poll_timeout().map(tokio::time::Instant::from_std);
            tokio::select! {
                Some(Arrival { at, input }) = sources.sip.recv(), if !self.gateway.queue_is_full() => {
                    self.gateway.queue(at, input);
                }
                // What is left of the last turn; what has come meanwhile is read first.
                () = tokio::task::yield_now(), if self.gateway.has_queued() => {}
                Ok(mut ready) = media_events.readable() => {
                    ready.clear_ready();
                    self.take_media_events();
                }
                Some((asked, answer)) = sources.asked.recv() => match asked {
                    Ask::Gateway(request) => self.ask(request, Some(ReplyTo::Control(answer))),
                    Ask::Shell(ShellRequest::Reload) => reloads.ask(Some(answer)),
                    Ask::Shell(ShellRequest::Events { follow, last }) => {
                        // Whoever asked may have hung up.
                        let _ = answer.try_send(Answer::Events(self.events.read(last, follow)));
                    }
                    Ask::Shell(ShellRequest::Log { level }) => {
                        let reply = self.log_at(level.as_deref());
                        // Whoever asked may have hung up.
                        let _ = answer.try_send(Answer::Shell(reply));
                    }
                },
                Some(asked) = sources.http.recv() => match asked {
                    http::Asked::Request { request, answer } => self.ask(request, Some(ReplyTo::Http(answer))),
                    http::Asked::Enter { key, answer } => {
                        let _ = answer.send(self.scenarios.as_ref().and_then(|all| all.enter(&key)));
                    }
                    http::Asked::Session { key, request, answer } => drop(answer.send(self.ask_session(&key, request))),
                    // Whoever asked may have hung up.
                    http::Asked::Events { last, answer } => drop(answer.send(self.events.follow(last))),
                },
                Some(read) = self.sounds_read.1.recv() => self.gateway.handle_input(now(), read),
                Some(Sentence { id, sound, is_last }) = self.spoken.1.recv() => {
                    if is_last {
                        self.sayings.remove(&id);
                    }
                    self.gateway.handle_input(now(), Input::Sound { id, sound, is_last });
                }
                Some(resolved) = self.resolved.1.recv() => self.on_resolved(resolved),
                Some((id, answer)) = self.stored.1.recv() => {
                    self.gateway.handle_input(now(), Input::QueryDone { id, answer });
                }
                Some(input) = sources.scenarios.recv() => self.gateway.handle_input(now(), input),
                Some(told) = self.connected.recv() => self.on_told(told),
                () = self.transports.rush_over() => give_back_memory(),
                () = until(wake) => {}
                Some(()) = terminate.recv() => self.ask(Request::Drain { seconds: None }, None),
                Some(()) = interrupt.recv() => self.ask(Request::Drain { seconds: Some(0) }, None),
                Some(()) = hangup.recv() => reloads.ask(None),
                (loaded, waiting) = reloads.next() => {
                    let reloaded = self.reload(loaded);
                    for answer in waiting {
                        // Whoever asked may have hung up.
                        let _ = answer.try_send(Answer::Shell(ShellReply::Reload(reloaded.clone())));
                    }
                }
            }
            self.serve(&mut sources.sip);
            if self.gateway.poll_timeout().is_some_and(|at| at <= Instant::now()) {
                self.gateway.handle_timeout(now());
            }
            self.carry_out();
            if self.rush.note_held(self.gateway.transaction_count() + self.gateway.call_count()) {
                give_back_memory();
            }
        }
        // Nothing is asked any more, and nothing happens.
        drop((sources, self.replies, self.events));
        if let Some(store) = &self.store {
            store.flush(LAST_BINDINGS).await;
        }
        // The last BYEs and un-REGISTERs over TCP are still to be written; the last records are with their writer.
        self.transports.close(END_PATIENCE).await;
        if let Some(http) = self.http {
            http.close(END_PATIENCE).await;
        }
        if healthy { Ok(()) } else { Err(io::Error::other("a media thread ended before its time")) }
    }

    /// Has all that has come put into order, and serves it for a while.
    fn serve(&mut self, sip: &mut mpsc::Receiver<Arrival>) {
        while !self.gateway.queue_is_full()
            && let Ok(Arrival { at, input }) = sip.try_recv()
        {
            self.gateway.queue(at, input);
        }
        self.gateway.note_media_busy(self.media.busy());
        let began = Instant::now();
        for _ in 0..BATCH {
            let now = now();
            if now.instant.saturating_duration_since(began) >= TURN || !self.gateway.serve(now) {
                break;
            }
        }
    }

    /// Takes a dialplan that was read anew, and says what came of that.
    fn reload(&mut self, loaded: Result<Loaded, Mistakes>) -> Reloaded {
        let Loaded { plan, sounds, summary, fingerprint, warnings } = match loaded {
            Ok(loaded) => loaded,
            Err(mistakes) => {
                let outcome = ReloadOutcome::Refused;
                let refused = Event::ReloadRefused { mistakes: mistakes.found.len().max(1) };
                self.events.push(SystemTime::now(), refused);
                return Reloaded { outcome, summary: String::new(), mistakes, restart_needed: Vec::new() };
            }
        };
        let is_new = std::mem::replace(&mut self.fingerprint, fingerprint) != fingerprint;
        if plan.gateway.log != self.plan.gateway.log {
            self.filter.plan(&plan.gateway.log);
            self.gateway.set_trace(is_tracing());
        }
        self.plan = Arc::clone(&plan);
        if let Some(scenarios) = &mut self.scenarios {
            scenarios.fetch_by(plan.gateway.fetch.clone());
            scenarios.keep_recordings(plan.gateway.recordings);
        }
        self.transports.set_plan(&plan);
        if let Some(http) = &self.http {
            http.set_plan(Arc::clone(&plan));
        }
        if plan.gateway.dns != self.resolver.servers() {
            self.resolver = Resolver::new(&plan.gateway.dns);
        }
        self.gateway.set_sounds(sounds);
        self.gateway.handle_input(now(), Input::Reload(plan));
        Reloaded {
            outcome: if is_new { ReloadOutcome::Loaded } else { ReloadOutcome::Unchanged },
            summary,
            mistakes: warnings,
            restart_needed: self.gateway.awaiting_restart().into_iter().map(str::to_owned).collect(),
        }
    }

    fn ask(&mut self, request: Request, reply: Option<ReplyTo>) {
        let id = self.next_reply;
        self.next_reply += 1;
        if let Some(reply) = reply {
            self.replies.insert(id, reply);
        }
        self.gateway.handle_input(now(), Input::Control { id, request });
    }

    /// Says what is logged, and changes it where a level is named.
    fn log_at(&mut self, level: Option<&str>) -> ShellReply {
        let before = match level.map(|level| self.filter.set(level)).transpose() {
            Ok(before) => before,
            Err(why) => return ShellReply::Error(why),
        };
        let level = self.filter.levels().to_owned();
        if let Some(before) = &before {
            self.gateway.set_trace(is_tracing());
            tracing::info!("the log is at {level}, it was at {before}");
        }
        ShellReply::Log { level, before }
    }

    fn take_media_events(&mut self) {
        self.media.acknowledge();
        while let Some(event) = self.media.poll_event() {
            self.gateway.handle_input(now(), Input::Media(event));
        }
    }

    /// Does all that the gateway asks for; what fails at once goes back in as input.
    ///
    /// Media threads are woken once for all their commands, and before any message leaves: a leg is there when its
    /// caller hears of it.
    fn carry_out(&mut self) {
        loop {
            while let Some(output) = self.gateway.poll_output() {
                self.carry_out_one(output);
            }
            self.media.flush();
            if self.unsent.is_empty() {
                return;
            }
            for (flow, bytes, hurried) in self.unsent.drain(..) {
                if let Err(error) = self.transports.transmit_as(flow, bytes, hurried) {
                    tracing::debug!(%error, "SIP message not sent");
                    self.gateway.handle_input(now(), Input::Sip(sip::Input::SendFailed { flow }));
                }
            }
        }
    }

    fn carry_out_one(&mut self, output: Output) {
        match output {
            Output::Sip { flow, bytes, hurried } => self.unsent.push((flow, bytes, hurried)),
            Output::Media(command) => self.command(command),
            Output::OpenTransport { call, kind, local } => self.open_transport(call, kind, local),
            Output::ConnectTransport { call, ice, peer } => self.connect_transport(call, ice, *peer),
            Output::CloseTransport { call } => {
                self.opened.remove(&call);
                self.webrtc.close(call);
            }
            Output::Resolve { trunk } => self.resolve(&trunk),
            Output::ResolveHost { call, host } => self.resolve_host(call, host),
            Output::Query { id, query } => self.query(id, query),
            Output::KeepBindings { user, bindings } => {
                if let Some(store) = &self.store {
                    store.keep_bindings(user, bindings);
                }
            }
            output @ (Output::StartSession { .. }
            | Output::SessionEvent { .. }
            | Output::StreamOpened { .. }
            | Output::SessionOver { .. }) => {
                self.tell_scenario(output);
            }
            Output::KeepRoom { name, room } => {
                if let Some(store) = &self.store {
                    store.keep_room(name, room);
                }
            }
            Output::Answered(record) => self.records.answered(record),
            Output::Record(record) => self.records.write(Instant::now(), record),
            Output::LoadSound { id, to, source } => self.load_sound(id, to, source),
            Output::StreamSound { id, url, is_loop, stream } => self.stream_sound(id, url, is_loop, stream),
            Output::Synthesize { id, language, text, for_caller } => {
                let who = if for_caller { speech::For::Caller } else { speech::For::Administrator };
                self.synthesize(id, who, language, text);
            }
            Output::SpeechHeard { id, length } => {
                if let Some(saying) = self.sayings.get(&id) {
                    saying.heard(length);
                }
            }
            Output::CancelSpeech { id } => {
                self.sayings.remove(&id);
            }
            Output::Log(line) => write_log(&line),
            Output::Event(event) => self.events.push(SystemTime::now(), event),
            Output::Reply { id, mut reply } => {
                if let Reply::Status(status) = &mut reply {
                    status.backlog.log_lines_dropped = self.log.dropped();
                    let waiting = self.store.as_ref().map(Store::waiting).unwrap_or_default();
                    (status.backlog.bindings_waiting, status.backlog.rooms_waiting) = waiting;
                    self.records.note_backlog(&mut status.backlog);
                    status.backlog.certificate_trouble =
                        self.http.as_ref().map(HttpServer::certificate_trouble).unwrap_or_default();
                }
                let last = reply.is_last();
                if let Some(waiting) = self.replies.get(&id) {
                    waiting.reply(reply);
                }
                if last {
                    self.replies.remove(&id);
                }
            }
            Output::Drained => self.drained = true,
        }
    }
}

async fn until(wake: Option<tokio::time::Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake).await,
        None => std::future::pending().await,
    }
}

/// Whether the messages of calls are logged.
pub(super) fn is_tracing() -> bool {
    tracing::enabled!(tracing::Level::DEBUG)
}

fn write_log(line: &LogLine) {
    match line.level {
        Level::Debug => tracing::debug!("{line}"),
        Level::Info => tracing::info!("{line}"),
        Level::Warn => tracing::warn!("{line}"),
    }
}
