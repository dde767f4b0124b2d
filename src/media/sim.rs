//! The media plane on a virtual clock, without sockets and threads: for tests of everything above.

use super::command::{Command, Event};
use super::engine::Engine;
use super::outbox::PacketKind;
use super::plane::{FromThread, Plane, ToThread, Transit};
use crate::audio::codec::Libraries;
use crate::types::{CallId, Now, UnitId};
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Datagrams that wait in a leg's socket, as in a kernel: more are dropped.
const SOCKET_BUFFER: usize = 256;

/// A datagram the media plane sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Whose socket sent it.
    pub leg: CallId,
    /// From which of its ports.
    pub kind: PacketKind,
    /// Where to.
    pub destination: SocketAddr,
    /// The datagram.
    pub bytes: Vec<u8>,
}

#[derive(Debug)]
struct Arrived {
    kind: PacketKind,
    arrival: Instant,
    source: SocketAddr,
    bytes: Vec<u8>,
}

/// A [`Plane`] with its engines inline.
///
/// In: [`SimMedia::send`], [`SimMedia::deliver`], [`SimMedia::handle_timeout`] at [`SimMedia::poll_timeout`]. Out,
/// after each: [`SimMedia::poll_transmit`] and [`SimMedia::poll_event`].
#[derive(Debug)]
pub struct SimMedia {
    plane: Plane<()>,
    engines: Vec<Engine>,
    /// How long a message takes between the gateway and a thread.
    latency: Duration,
    to_threads: VecDeque<(Instant, usize, ToThread<()>)>,
    from_threads: VecDeque<(Instant, FromThread<()>)>,
    /// What waits in each leg's sockets; it waits there while the leg moves, too.
    sockets: HashMap<CallId, VecDeque<Arrived>>,
    sent: VecDeque<Sent>,
}

impl SimMedia {
    /// `threads` engines that count their ticks from `now`.
    #[must_use]
    pub fn new(now: Now, threads: usize) -> Self {
        Self {
            plane: Plane::new(threads),
            engines: (0..threads.max(1)).map(|thread| Engine::new(thread, now.instant)).collect(),
            latency: Duration::ZERO,
            to_threads: VecDeque::new(),
            from_threads: VecDeque::new(),
            sockets: HashMap::new(),
            sent: VecDeque::new(),
        }
    }

    /// The same with codecs that are not built in.
    #[must_use]
    pub fn with_libraries(mut self, libraries: &Libraries) -> Self {
        let engines = self.engines.into_iter();
        self.engines = engines.map(|engine| engine.with_libraries(libraries.clone())).collect();
        self
    }

    /// An engine.
    #[cfg(test)]
    pub(super) fn engine(&mut self, thread: usize) -> &mut Engine {
        &mut self.engines[thread]
    }

    /// Makes every message between the gateway and a thread take `latency`; none by default.
    #[must_use]
    pub fn with_latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Does a command of the gateway.
    pub fn send(&mut self, now: Now, command: Command) {
        let sockets = matches!(command, Command::AddLeg { .. }).then_some(());
        self.plane.handle_command(command, sockets);
        self.dispatch(now);
        self.messages(now);
    }

    /// A datagram arrived on a leg's port `kind`. It is handled at the tick, or at once for a leg that collects digits.
    /// Dropped if there is no such leg.
    pub fn deliver(&mut self, now: Now, leg: CallId, kind: PacketKind, source: SocketAddr, bytes: &[u8]) {
        let Some(socket) = self.sockets.get_mut(&leg) else { return };
        if socket.len() < SOCKET_BUFFER {
            socket.push_back(Arrived { kind, arrival: now.instant, source, bytes: bytes.to_vec() });
        }
        for thread in 0..self.engines.len() {
            let engine = &self.engines[thread];
            if engine.leg_slot(leg).is_some_and(|slot| engine.is_urgent(slot)) {
                self.drain(thread, leg);
                self.collect(now, thread);
            }
        }
        self.messages(now);
    }

    /// When [`SimMedia::handle_timeout`] is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let engines = self.engines.iter().filter_map(Engine::poll_timeout);
        let to = self.to_threads.front().map(|(at, ..)| *at);
        let from = self.from_threads.front().map(|(at, _)| *at);
        engines.chain(to).chain(from).min()
    }

    /// Does all that is due.
    pub fn handle_timeout(&mut self, now: Now) {
        self.messages(now);
        for thread in 0..self.engines.len() {
            if self.engines[thread].poll_timeout().is_some_and(|at| at <= now.instant) {
                self.tick(now, thread);
            }
        }
        self.messages(now);
    }

    /// The next datagram that was sent.
    pub fn poll_transmit(&mut self) -> Option<Sent> {
        self.sent.pop_front()
    }

    /// The next event for the gateway.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.plane.poll_event()
    }

    /// The thread a unit lives on or moves to.
    #[must_use]
    pub fn thread_of(&self, unit: UnitId) -> Option<usize> {
        self.plane.thread_of(unit)
    }

    /// Whether nothing is left: no unit, no message on its way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.plane.is_idle()
            && self.engines.iter().all(Engine::is_idle)
            && self.to_threads.is_empty()
            && self.from_threads.is_empty()
            && self.sockets.is_empty()
    }

    /// Delivers all messages that are due, and what they lead to.
    fn messages(&mut self, now: Now) {
        loop {
            if self.to_threads.front().is_some_and(|(at, ..)| *at <= now.instant) {
                if let Some((_, thread, message)) = self.to_threads.pop_front() {
                    self.handle(now, thread, message);
                }
            } else if self.from_threads.front().is_some_and(|(at, _)| *at <= now.instant) {
                if let Some((_, report)) = self.from_threads.pop_front() {
                    self.plane.handle_report(report);
                    self.dispatch(now);
                }
            } else {
                return;
            }
        }
    }

    fn handle(&mut self, now: Now, thread: usize, message: ToThread<()>) {
        match message {
            ToThread::Command(command, _) => {
                if let Command::AddLeg { leg, .. } = &command {
                    self.sockets.entry(*leg).or_default();
                }
                self.engines[thread].handle_command(now, command);
            }
            ToThread::Export { ticket, units } => {
                let bundle = Box::new(self.engines[thread].export(&units));
                let sockets = bundle.legs().map(|leg| (leg, ())).collect();
                let report = FromThread::Exported { ticket, transit: Transit { bundle, sockets } };
                self.from_threads.push_back((now.instant + self.latency, report));
            }
            ToThread::Import(transit) => {
                self.engines[thread].import(now, *transit.bundle);
                self.tick(now, thread);
            }
        }
        self.collect(now, thread);
    }

    /// Hands in what arrived for the legs of a thread, then does its ticks that are due.
    fn tick(&mut self, now: Now, thread: usize) {
        let mut legs: Vec<CallId> = self.sockets.keys().copied().collect();
        legs.sort_unstable();
        for leg in legs {
            self.drain(thread, leg);
        }
        self.engines[thread].handle_timeout(now);
        self.collect(now, thread);
    }

    fn drain(&mut self, thread: usize, leg: CallId) {
        let Some(slot) = self.engines[thread].leg_slot(leg) else { return };
        for packet in self.sockets.get_mut(&leg).into_iter().flat_map(|socket| socket.drain(..)) {
            let Arrived { kind, arrival, source, mut bytes } = packet;
            self.engines[thread].handle_packet(slot, kind, arrival, source, &mut bytes);
        }
    }

    /// Takes what an engine has to say.
    fn collect(&mut self, now: Now, thread: usize) {
        let engine = &mut self.engines[thread];
        self.sent.extend(engine.transmits().map(|packet| Sent {
            leg: packet.leg,
            kind: packet.kind,
            destination: packet.destination,
            bytes: packet.bytes.to_vec(),
        }));
        engine.clear_transmits();
        while let Some(event) = engine.poll_event() {
            if let Event::LegRemoved { leg, .. } = &event {
                self.sockets.remove(leg);
            }
            self.from_threads.push_back((now.instant + self.latency, FromThread::Event(event)));
        }
    }

    fn dispatch(&mut self, now: Now) {
        while let Some((thread, message)) = self.plane.poll_dispatch() {
            self.to_threads.push_back((now.instant + self.latency, thread, message));
        }
    }
}
