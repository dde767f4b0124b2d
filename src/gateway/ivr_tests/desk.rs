//! Telephones at a gateway without a media plane: messages by hand, keys as the media plane reports them, and for each
//! call a list of what it was played. A thousand of them cost next to nothing.

use crate::dialplan::SoundSource;
use crate::dialplan::{self, Plan, Trusting};
use crate::gateway::{CallRecord, Gateway, Input, OpenedTransport, Output, Reply, Request, Sounds, Status};
use crate::media::command::{Clip, Command, Event, LegStatistics, Pcm};
use crate::sip::locate::{Candidate, Located};
use crate::sip::message::{Message, Method, Response, StatusCode, Transport};
use crate::sip::{self, EndpointConfig, Flow};
use crate::types::{CallId, DigitSource, Now, PlayerId, RoomId, UnitId};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

/// How long every prompt lasts.
pub(super) const PROMPT: Duration = Duration::from_secs(2);

/// Sounds that can be told apart: the first sample of each is its number.
#[derive(Default)]
struct Named(Mutex<Vec<String>>);

impl Named {
    fn sound(&self, name: &str) -> Pcm {
        let mut names = self.0.lock().unwrap();
        let number = names.iter().position(|known| known == name).unwrap_or_else(|| {
            names.push(name.to_owned());
            names.len() - 1
        });
        vec![i16::try_from(number).unwrap(); 8_000 * usize::try_from(PROMPT.as_secs()).unwrap()].into()
    }

    fn name(&self, clip: &Clip) -> Option<String> {
        match clip {
            Clip::Samples(pcm) | Clip::Loop(pcm) => {
                Some(self.0.lock().unwrap()[usize::try_from(pcm.narrow()[0]).unwrap()].clone())
            }
            Clip::Silence(_) | Clip::Stream(_) | Clip::Live(_) | Clip::Restart => None,
        }
    }
}

impl Sounds for Named {
    fn prompt(&self, language: &str, name: &str) -> Option<Pcm> {
        Some(if language == "en-GB" { self.sound(name) } else { self.sound(&format!("{language} {name}")) })
    }

    fn text(&self, _: &str, text: &str) -> Option<Pcm> {
        Some(self.sound(&format!("\"{text}\"")))
    }

    fn file(&self, source: &SoundSource, is_loop: bool) -> Option<Clip> {
        let sound = self.sound(&format!("file {source}"));
        Some(if is_loop { Clip::Loop(sound) } else { Clip::Samples(sound) })
    }

    fn tone(&self, name: &str) -> Option<Clip> {
        let sound = self.sound(&format!("tone {name}"));
        Some(if matches!(name, "hold" | "busy" | "ringback") { Clip::Loop(sound) } else { Clip::Samples(sound) })
    }
}

/// One telephone's call, as its network sees it.
struct Dialog {
    call: CallId,
    flow: Flow,
    call_id: String,
    to_tag: Option<String>,
}

struct Player {
    names: Vec<String>,
    /// From its first connection.
    length: Option<Duration>,
    ends: Option<Instant>,
    room: Option<RoomId>,
}

/// A gateway, and whoever calls it.
pub(super) struct Desk {
    pub(super) gateway: Gateway,
    pub(super) now: Now,
    sounds: Arc<Named>,
    dialogs: Vec<Dialog>,
    opened: Option<CallId>,
    players: BTreeMap<PlayerId, Player>,
    events: Vec<Event>,
    /// What each call was played by itself, and each room.
    pub(super) heard: BTreeMap<CallId, Vec<String>>,
    pub(super) sounded: BTreeMap<RoomId, Vec<String>>,
    /// Calls that the gateway hung up.
    pub(super) ended: BTreeSet<CallId>,
    pub(super) records: Vec<CallRecord>,
    pub(super) log: Vec<String>,
    replies: Vec<Reply>,
    /// What a call of the gateway is answered with, one status after the other.
    pub(super) callee: Vec<u16>,
    /// The INVITE of that call.
    invite: String,
}

impl Desk {
    pub(super) fn new(dialplan: &str) -> Self {
        Self::with_plan(dialplan::parse("dialplan.toml", dialplan, &Trusting).unwrap().plan)
    }

    pub(super) fn with_plan(plan: Arc<Plan>) -> Self {
        let now = Now { instant: crate::test_clock(), wall: SystemTime::UNIX_EPOCH };
        let sounds = Arc::new(Named::default());
        let shared: Arc<dyn Sounds> = Arc::clone(&sounds) as _;
        let gateway = Gateway::new(now, plan, shared, EndpointConfig::default(), crate::types::Seed::fixed(1));
        let mut desk = Self {
            gateway,
            now,
            sounds,
            dialogs: Vec::new(),
            opened: None,
            players: BTreeMap::new(),
            events: Vec::new(),
            heard: BTreeMap::new(),
            sounded: BTreeMap::new(),
            ended: BTreeSet::new(),
            records: Vec::new(),
            log: Vec::new(),
            replies: Vec::new(),
            callee: Vec::new(),
            invite: String::new(),
        };
        desk.settle();
        desk
    }

    /// Calls `number` from an address of a trunk, is answered and hears the gateway.
    pub(super) fn call(&mut self, from: [u8; 4], caller: &str, number: &str) -> CallId {
        self.call_saying(from, &format!("<sip:{caller}@carrier.example>"), "", number)
    }

    /// The same with more headers.
    pub(super) fn call_saying(&mut self, from: [u8; 4], caller: &str, headers: &str, number: &str) -> CallId {
        let n = self.dialogs.len();
        let port = 10_000 + u16::try_from(n % 50_000).unwrap();
        let local = SocketAddr::from(([10, 0, 0, 1], 5060));
        let flow = Flow { transport: Transport::Udp, local, remote: SocketAddr::from((from, port)), connection: None };
        let body = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 101\r\n\
                    a=rtpmap:101 telephone-event/8000\r\n";
        let call_id = format!("desk-{n}");
        let text = format!(
            "INVITE sip:{number}@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {remote};branch=z9hG4bK{n}\r\nMax-Forwards: 70\r\n\
             From: {caller};tag=t{n}\r\nTo: <sip:{number}@10.0.0.1>\r\nCall-ID: {call_id}\r\nCSeq: 1 INVITE\r\n\
             {headers}Contact: <sip:{remote}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len(),
            remote = flow.remote,
        );
        self.opened = None;
        self.dialogs.push(Dialog { call: CallId(0), flow, call_id, to_tag: None });
        self.sip(flow, text);
        let call = self.opened.expect("the call is let in");
        self.event(Event::FirstPacket { leg: call });
        call
    }

    /// Presses keys, all at once.
    pub(super) fn key(&mut self, call: CallId, keys: &str) {
        for digit in keys.chars() {
            self.event(Event::Digit { leg: call, digit, source: DigitSource::TelephoneEvent });
        }
    }

    pub(super) fn hang_up(&mut self, call: CallId) {
        let dialog = self.dialogs.iter().find(|dialog| dialog.call == call).expect("a call");
        let (flow, text) = (dialog.flow, request(dialog, "BYE", 2));
        self.sip(flow, text);
    }

    pub(super) fn ask(&mut self, request: Request) -> Reply {
        self.gateway.handle_input(self.now, Input::Control { id: 1, request });
        self.settle();
        self.replies.pop().expect("a reply")
    }

    pub(super) fn status(&mut self) -> Status {
        let Reply::Status(status) = self.ask(Request::Status) else { panic!("no status") };
        status
    }

    /// Lets everything happen for `time`.
    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now.instant + time;
        loop {
            let playing = self.players.values().filter_map(|player| player.ends).min();
            let next = self.gateway.poll_timeout().into_iter().chain(playing).min();
            let Some(at) = next.filter(|at| *at <= end) else { break };
            self.now = self.now.after(at.saturating_duration_since(self.now.instant));
            let over = |player: &Player| player.ends.is_some_and(|ends| ends <= at);
            let done: Vec<PlayerId> =
                self.players.iter().filter(|(_, player)| over(player)).map(|(player, _)| *player).collect();
            for player in done {
                self.players.remove(&player);
                self.event(Event::PlaybackFinished { player, completed: true });
            }
            if self.gateway.poll_timeout().is_some_and(|due| due <= at) {
                self.gateway.handle_timeout(self.now);
                self.settle();
                assert!(self.gateway.poll_timeout().is_none_or(|due| due > at), "a timeout that was done");
            }
        }
        self.now = self.now.after(end.saturating_duration_since(self.now.instant));
    }

    /// Lets things happen until `done`; how long that took.
    pub(super) fn run_until(&mut self, limit: Duration, mut done: impl FnMut(&Self) -> bool) -> Duration {
        let start = self.now.instant;
        while !done(self) {
            assert!(self.now.instant < start + limit, "not within {limit:?}: {:#?}", self.log);
            self.run(Duration::from_millis(100));
        }
        self.now.instant - start
    }

    /// What plays in a room now.
    pub(super) fn playing_in(&self, room: RoomId) -> Vec<&str> {
        let there = self.players.values().filter(|player| player.room == Some(room));
        there.flat_map(|player| &player.names).map(String::as_str).collect()
    }

    /// What a call was played by itself.
    pub(super) fn heard_by(&self, call: CallId) -> Vec<&str> {
        self.heard.get(&call).into_iter().flatten().map(String::as_str).collect()
    }

    fn event(&mut self, event: Event) {
        self.gateway.handle_input(self.now, Input::Media(event));
        self.settle();
    }

    fn sip(&mut self, flow: Flow, text: String) {
        self.gateway.handle_input(self.now, Input::Sip(sip::Input::Message { flow, bytes: Bytes::from(text) }));
        self.settle();
    }

    fn settle(&mut self) {
        loop {
            if let Some(output) = self.gateway.poll_output() {
                self.carry_out(output);
            } else if self.events.is_empty() {
                return;
            } else {
                let event = self.events.remove(0);
                self.gateway.handle_input(self.now, Input::Media(event));
            }
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Sip { flow, bytes, .. } => self.on_message(flow, &bytes),
            Output::Media(command) => self.on_command(command),
            Output::OpenTransport { call, .. } => {
                self.opened = Some(call);
                if let Some(dialog) = self.dialogs.last_mut().filter(|dialog| dialog.call == CallId(0)) {
                    dialog.call = call;
                }
                let address = SocketAddr::from(([10, 0, 0, 1], 20_000));
                let opened = OpenedTransport::Rtp { address, rtcp_port: 20_001 };
                self.gateway.handle_input(self.now, Input::TransportOpened { call, opened });
            }
            Output::Resolve { trunk } => {
                let at = |host, port| SocketAddr::from((host, port));
                let (local, remote) = (at([10, 0, 0, 1], 5060), at([198, 51, 100, 7], 5060));
                let flow = Flow { transport: Transport::Udp, local, remote, connection: None };
                let server = Candidate { rank: (0, 0, 0), weight: 0, targets: vec![flow] };
                let found = Located { candidates: vec![server], lifetime: PROMPT, ..Located::nothing() };
                self.gateway.handle_input(self.now, Input::Resolved { trunk, found });
            }
            Output::Record(record) => self.records.push(*record),
            Output::Log(line) => self.log.push(line.to_string()),
            Output::Reply { reply, .. } => self.replies.push(reply),
            _ => {}
        }
    }

    fn on_message(&mut self, flow: Flow, bytes: &Bytes) {
        match Message::parse(bytes) {
            Ok(Message::Response(response)) if response.status.0 == 200 => {
                let cseq = response.cseq().unwrap();
                let call_id = response.call_id().unwrap().to_string();
                let dialog = self.dialogs.iter_mut().find(|dialog| dialog.call_id == call_id).unwrap();
                if cseq.method == Method::Invite {
                    dialog.to_tag = response.to().unwrap().params.get("tag").map(str::to_owned);
                    let text = request(dialog, "ACK", 1);
                    let bytes = Bytes::from(text);
                    self.gateway.handle_input(self.now, Input::Sip(sip::Input::Message { flow, bytes }));
                }
            }
            Ok(Message::Request(request)) if request.method == Method::Bye => {
                let call_id = request.call_id().unwrap().to_string();
                self.ended
                    .extend(self.dialogs.iter().filter(|dialog| dialog.call_id == call_id).map(|dialog| dialog.call));
                let response = Response::to_request(&request, StatusCode(200));
                let bytes = response.to_bytes();
                self.gateway.handle_input(self.now, Input::Sip(sip::Input::Message { flow, bytes }));
            }
            Ok(Message::Request(request)) if request.method == Method::Invite => {
                self.invite = String::from_utf8(bytes.to_vec()).unwrap();
                for status in self.callee.clone() {
                    self.answer(flow, status);
                }
            }
            Ok(Message::Request(request)) if request.method == Method::Cancel => {
                let bytes = Response::to_request(&request, StatusCode(200)).to_bytes();
                self.gateway.handle_input(self.now, Input::Sip(sip::Input::Message { flow, bytes }));
                self.answer(flow, 487);
            }
            _ => {}
        }
    }

    /// The callee answers the gateway's last INVITE.
    fn answer(&mut self, flow: Flow, status: u16) {
        let copied = ["Via", "From", "To", "Call-ID", "CSeq"];
        let line = |name: &str| {
            let line = self.invite.lines().find(|line| line.starts_with(&format!("{name}: "))).unwrap();
            format!("{line}{}\r\n", if name == "To" { ";tag=callee" } else { "" })
        };
        let head: String = copied.into_iter().map(line).collect();
        let body =
            "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
        let body = if status == 200 { body } else { "" };
        let text = format!(
            "SIP/2.0 {status} Said\r\n{head}Contact: <sip:{}>\r\nContent-Type: application/sdp\r\n\
             Content-Length: {}\r\n\r\n{body}",
            flow.remote,
            body.len(),
        );
        self.gateway.handle_input(self.now, Input::Sip(sip::Input::Message { flow, bytes: Bytes::from(text) }));
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::AddPlayer { player, clips } => {
                let names = clips.iter().filter_map(|clip| self.sounds.name(clip)).collect();
                let length = clips.iter().map(|clip| match clip {
                    Clip::Samples(_) => Some(PROMPT),
                    Clip::Silence(length) => Some(*length),
                    Clip::Loop(_) | Clip::Stream(_) | Clip::Live(_) | Clip::Restart => None,
                });
                let length = length.sum();
                self.players.insert(player, Player { names, length, ends: None, room: None });
            }
            Command::Connect { source: UnitId::Player(player), sink } => {
                let Some(playing) = self.players.get_mut(&player) else { return };
                playing.ends = playing.length.map(|length| self.now.instant + length);
                let names = playing.names.clone();
                match sink {
                    UnitId::Leg(leg) => self.heard.entry(leg).or_default().extend(names),
                    UnitId::Room(room) => {
                        playing.room = Some(room);
                        self.sounded.entry(room).or_default().extend(names);
                    }
                    _ => {}
                }
            }
            Command::StopPlayer { player } if self.players.remove(&player).is_some() => {
                self.events.push(Event::PlaybackFinished { player, completed: false });
            }
            Command::RemoveLeg { leg } => {
                self.events.push(Event::LegRemoved { leg, statistics: Box::<LegStatistics>::default() });
            }
            _ => {}
        }
    }
}

/// A request within a call.
fn request(dialog: &Dialog, method: &str, cseq: u32) -> String {
    let Dialog { flow, call_id, to_tag, .. } = dialog;
    let n = call_id.trim_start_matches("desk-");
    let to_tag = to_tag.as_deref().unwrap_or_default();
    format!(
        "{method} sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {remote};branch=z9hG4bK{n}{method}\r\nMax-Forwards: 70\r\n\
         From: <sip:x@carrier.example>;tag=t{n}\r\nTo: <sip:x@10.0.0.1>;tag={to_tag}\r\nCall-ID: {call_id}\r\n\
         CSeq: {cseq} {method}\r\nContact: <sip:{remote}>\r\nContent-Length: 0\r\n\r\n",
        remote = flow.remote,
    )
}
