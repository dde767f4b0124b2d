//! Which media thread each unit lives on.
//!
//! Connected units live on one thread. New legs go to the thread with the fewest legs; rooms, players and recorders are
//! made where they are first connected. When two sets on different threads are connected the smaller one moves: its
//! thread exports it, the other imports it, and commands about anything concerned wait meanwhile, in order.
//!
//! This is a pure core: [`Plane::handle_command`] and [`Plane::handle_report`] in, [`Plane::poll_dispatch`] and
//! [`Plane::poll_event`] out. `S` is what a leg's sockets are: real ones in [`super::thread`], none in [`super::sim`].

use super::active_speaker::ActiveSpeakers;
use super::bundle::Bundle;
use super::command::{Command, Event, RefusedReason};
use super::disturbance::Listener;
use super::routes::Routes;
use crate::types::{CallId, UnitId};
use std::collections::{HashMap, HashSet, VecDeque};

/// One move of a connected set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket(u64);

/// A connected set on its way between threads, with its sockets.
#[derive(Debug)]
pub struct Transit<S> {
    /// The units.
    pub bundle: Box<Bundle>,
    /// The sockets of its legs.
    pub sockets: Vec<(CallId, S)>,
}

/// What a media thread is told.
#[derive(Debug)]
pub enum ToThread<S> {
    /// A command, with the sockets of [`Command::AddLeg`].
    Command(Command, Option<S>),
    /// Give these units away; answered with [`FromThread::Exported`].
    Export {
        /// The move.
        ticket: Ticket,
        /// A whole connected set.
        units: Vec<UnitId>,
    },
    /// Take these units in.
    Import(Transit<S>),
}

/// What a media thread reports.
#[derive(Debug)]
pub enum FromThread<S> {
    /// An event for the gateway.
    Event(Event),
    /// The answer to [`ToThread::Export`].
    Exported {
        /// The move.
        ticket: Ticket,
        /// What was exported.
        transit: Transit<S>,
    },
}

/// Where a unit is.
#[derive(Debug)]
enum Place {
    /// Nowhere yet: made by this command when it is first connected; a player perhaps to wait from its beginning.
    Unplaced { made_by: Box<Command>, waits: bool },
    /// On a thread, or on its way there.
    On(usize),
}

#[derive(Debug)]
struct Move {
    to: usize,
    units: Vec<UnitId>,
}

/// Placement over N threads.
#[derive(Debug)]
pub struct Plane<S> {
    /// Legs on each thread.
    legs: Vec<usize>,
    places: HashMap<UnitId, Place>,
    routes: Routes,
    moves: HashMap<Ticket, Move>,
    next_ticket: u64,
    /// Commands that wait for a move, and the units that they and the moves concern.
    waiting: VecDeque<(Command, Option<S>)>,
    blocked: HashSet<UnitId>,
    dispatches: VecDeque<(usize, ToThread<S>)>,
    events: VecDeque<Event>,
    listener: Listener,
    speakers: ActiveSpeakers,
}

impl<S> Plane<S> {
    /// A plane of `threads` threads, at least one.
    #[must_use]
    pub fn new(threads: usize) -> Self {
        Self {
            legs: vec![0; threads.max(1)],
            places: HashMap::new(),
            routes: Routes::default(),
            moves: HashMap::new(),
            next_ticket: 0,
            waiting: VecDeque::new(),
            blocked: HashSet::new(),
            dispatches: VecDeque::new(),
            events: VecDeque::new(),
            listener: Listener::default(),
            speakers: ActiveSpeakers::default(),
        }
    }

    /// Takes a command of the gateway.
    pub fn handle_command(&mut self, command: Command, sockets: Option<S>) {
        let (unit, other) = units_of(&command);
        if self.is_blocked(unit) || other.is_some_and(|other| self.is_blocked(other)) {
            self.wait(command, sockets);
        } else {
            self.route(command, sockets);
        }
    }

    /// Takes a report of a thread.
    pub fn handle_report(&mut self, report: FromThread<S>) {
        match report {
            FromThread::Event(Event::Measured(mut measurement)) => {
                // What has left meanwhile is nobody's any more.
                if self.places.contains_key(&UnitId::Room(measurement.room)) {
                    measurement.legs.retain(|measured| self.places.contains_key(&UnitId::Leg(measured.leg)));
                    self.listener.hear(&measurement, &mut self.events);
                    let disturbs = |leg| self.listener.disturbs(leg, measurement.room);
                    self.speakers.hear(&measurement, disturbs, &mut self.events);
                }
            }
            FromThread::Event(Event::LegRemoved { leg, mut statistics }) => {
                statistics.active_speaker_ms = self.speakers.spoke_ms(leg);
                self.events.push_back(Event::LegRemoved { leg, statistics });
            }
            FromThread::Event(event) => {
                // The one unit that ends by itself; all others are forgotten when they are removed.
                if let Event::PlaybackFinished { player, .. } = &event {
                    self.forget(UnitId::Player(*player));
                }
                self.events.push_back(event);
            }
            FromThread::Exported { ticket, transit } => {
                let Some(moved) = self.moves.remove(&ticket) else { return };
                self.dispatches.push_back((moved.to, ToThread::Import(transit)));
                self.blocked.clear();
                self.blocked.extend(self.moves.values().flat_map(|other| &other.units));
                for (command, sockets) in std::mem::take(&mut self.waiting) {
                    self.handle_command(command, sockets);
                }
            }
        }
    }

    /// The next thing to tell a thread. Order per thread matters.
    pub fn poll_dispatch(&mut self) -> Option<(usize, ToThread<S>)> {
        self.dispatches.pop_front()
    }

    /// The next event for the gateway.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Legs on each thread.
    #[must_use]
    pub fn load(&self) -> &[usize] {
        &self.legs
    }

    /// The thread a unit lives on or moves to; `None` if there is no such unit or it was never connected.
    #[must_use]
    pub fn thread_of(&self, unit: UnitId) -> Option<usize> {
        match self.places.get(&unit)? {
            Place::Unplaced { .. } => None,
            Place::On(thread) => Some(*thread),
        }
    }

    /// Whether nothing is left: no unit, no move, no waiting command.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.places.is_empty()
            && self.listener.is_idle()
            && self.speakers.is_idle()
            && self.routes.is_empty()
            && self.moves.is_empty()
            && self.waiting.is_empty()
    }

    fn is_blocked(&self, unit: UnitId) -> bool {
        !self.blocked.is_empty() && self.blocked.contains(&unit)
    }

    /// Queues a command; whatever else comes about its units waits behind it.
    fn wait(&mut self, command: Command, sockets: Option<S>) {
        let (unit, other) = units_of(&command);
        self.blocked.extend(std::iter::once(unit).chain(other));
        self.waiting.push_back((command, sockets));
    }

    fn route(&mut self, command: Command, sockets: Option<S>) {
        let (unit, _) = units_of(&command);
        match &command {
            Command::AddLeg { .. }
            | Command::AddRoom { .. }
            | Command::AddPlayer { .. }
            | Command::AddRecorder { .. } => {
                self.add(unit, command, sockets);
            }
            Command::Connect { source, sink } => self.connect(*source, *sink),
            Command::Disconnect { source, sink } => {
                let (source, sink) = (*source, *sink);
                for unit in [source, sink] {
                    if !self.places.contains_key(&unit) {
                        return self.refuse(unit, RefusedReason::Unknown);
                    }
                }
                // Units on different threads, or nowhere yet, are not connected: nothing to undo.
                if self.routes.disconnect(source, sink) {
                    if let (UnitId::Leg(leg), UnitId::Room(room)) = (source, sink) {
                        self.listener.leave(leg, room, &mut self.events);
                        self.speakers.leave(leg, room, &mut self.events);
                    }
                    self.tell(source, command);
                }
            }
            Command::RemoveLeg { .. }
            | Command::RemoveRoom { .. }
            | Command::StopPlayer { .. }
            | Command::RemoveRecorder { .. } => match self.places.get(&unit) {
                None => self.refuse(unit, RefusedReason::Unknown),
                Some(Place::Unplaced { .. }) => {
                    self.forget(unit);
                    if let UnitId::Player(player) = unit {
                        self.events.push_back(Event::PlaybackFinished { player, completed: false });
                    }
                }
                Some(Place::On(_)) => {
                    self.tell(unit, command);
                    self.forget(unit);
                }
            },
            Command::PausePlayer { paused, .. } => match self.places.get_mut(&unit) {
                None => self.refuse(unit, RefusedReason::Unknown),
                Some(Place::Unplaced { waits, .. }) => *waits = *paused,
                Some(Place::On(_)) => self.tell(unit, command),
            },
            Command::UpdateLeg { .. }
            | Command::Mute { .. }
            | Command::SetGain { .. }
            | Command::SetProcessing { .. }
            | Command::CollectDigits { .. }
            | Command::SendDigits { .. }
            | Command::WatchMedia { .. }
            | Command::MeasureRoom { .. }
            | Command::QueryStatistics { .. } => {
                if self.places.contains_key(&unit) {
                    self.tell(unit, command);
                } else {
                    self.refuse(unit, RefusedReason::Unknown);
                }
            }
        }
    }

    fn add(&mut self, unit: UnitId, command: Command, sockets: Option<S>) {
        if self.places.contains_key(&unit) {
            return self.refuse(unit, RefusedReason::Exists);
        }
        self.routes.add(unit);
        if matches!(unit, UnitId::Leg(_)) {
            let thread = self.least_loaded();
            self.legs[thread] += 1;
            self.places.insert(unit, Place::On(thread));
            self.dispatches.push_back((thread, ToThread::Command(command, sockets)));
        } else {
            self.places.insert(unit, Place::Unplaced { made_by: Box::new(command), waits: false });
        }
    }

    fn connect(&mut self, source: UnitId, sink: UnitId) {
        if let Err((unit, reason)) = self.routes.check(source, sink) {
            return self.refuse(unit, reason);
        }
        let thread = match (self.thread_of(source), self.thread_of(sink)) {
            (Some(a), Some(b)) if a != b => return self.move_smaller((source, a), (sink, b)),
            (Some(thread), _) | (None, Some(thread)) => thread,
            (None, None) => self.least_loaded(),
        };
        self.assign(source, thread);
        self.assign(sink, thread);
        let _ = self.routes.connect(source, sink);
        self.dispatches.push_back((thread, ToThread::Command(Command::Connect { source, sink }, None)));
    }

    /// Makes a unit on `thread` if it is nowhere yet.
    fn assign(&mut self, unit: UnitId, thread: usize) {
        let Some(place) = self.places.get_mut(&unit) else { return };
        if let Place::Unplaced { made_by, waits } = std::mem::replace(place, Place::On(thread)) {
            self.dispatches.push_back((thread, ToThread::Command(*made_by, None)));
            if let UnitId::Player(player) = unit
                && waits
            {
                let pause = Command::PausePlayer { player, paused: true };
                self.dispatches.push_back((thread, ToThread::Command(pause, None)));
            }
        }
    }

    /// Brings both sets onto one thread; the connection is made when they have met.
    fn move_smaller(&mut self, a: (UnitId, usize), b: (UnitId, usize)) {
        let (set_a, set_b) = (self.routes.connected(a.0), self.routes.connected(b.0));
        let weight = |set: &[UnitId]| (set.iter().filter(|unit| matches!(unit, UnitId::Leg(_))).count(), set.len());
        let (units, from, to) = if weight(&set_a) <= weight(&set_b) { (set_a, a.1, b.1) } else { (set_b, b.1, a.1) };
        for unit in &units {
            self.places.insert(*unit, Place::On(to));
            if matches!(unit, UnitId::Leg(_)) {
                self.legs[from] -= 1;
                self.legs[to] += 1;
            }
        }
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.blocked.extend(&units);
        self.dispatches.push_back((from, ToThread::Export { ticket, units: units.clone() }));
        self.moves.insert(ticket, Move { to, units });
        self.wait(Command::Connect { source: a.0, sink: b.0 }, None);
    }

    fn tell(&mut self, unit: UnitId, command: Command) {
        if let Some(thread) = self.thread_of(unit) {
            self.dispatches.push_back((thread, ToThread::Command(command, None)));
        }
    }

    fn forget(&mut self, unit: UnitId) {
        if let (Some(Place::On(thread)), UnitId::Leg(_)) = (self.places.remove(&unit), unit) {
            self.legs[thread] -= 1;
        }
        match unit {
            UnitId::Leg(leg) => {
                self.listener.forget_leg(leg, &mut self.events);
                self.speakers.forget_leg(leg, &mut self.events);
            }
            UnitId::Room(room) => {
                self.listener.forget_room(room, &mut self.events);
                self.speakers.forget_room(room);
            }
            UnitId::Player(_) | UnitId::Recorder(_) => {}
        }
        self.routes.remove(unit);
    }

    fn refuse(&mut self, unit: UnitId, reason: RefusedReason) {
        self.events.push_back(Event::Refused { unit, reason });
    }

    fn least_loaded(&self) -> usize {
        (0..self.legs.len()).min_by_key(|thread| self.legs[*thread]).unwrap_or(0)
    }
}

/// The one or two units a command is about.
fn units_of(command: &Command) -> (UnitId, Option<UnitId>) {
    match command {
        Command::AddLeg { leg, .. }
        | Command::UpdateLeg { leg, .. }
        | Command::RemoveLeg { leg }
        | Command::Mute { leg, .. }
        | Command::SetGain { leg, .. }
        | Command::SetProcessing { leg, .. }
        | Command::CollectDigits { leg, .. }
        | Command::SendDigits { leg, .. }
        | Command::WatchMedia { leg, .. }
        | Command::QueryStatistics { leg } => (UnitId::Leg(*leg), None),
        Command::AddPlayer { player, .. } | Command::PausePlayer { player, .. } | Command::StopPlayer { player } => {
            (UnitId::Player(*player), None)
        }
        Command::AddRoom { room, .. } | Command::RemoveRoom { room } | Command::MeasureRoom { room } => {
            (UnitId::Room(*room), None)
        }
        Command::AddRecorder { recorder, .. } | Command::RemoveRecorder { recorder } => {
            (UnitId::Recorder(*recorder), None)
        }
        Command::Connect { source, sink } | Command::Disconnect { source, sink } => (*source, Some(*sink)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{PlayerId, RoomId};

    fn dispatched(plane: &mut Plane<()>) -> Vec<(usize, ToThread<()>)> {
        std::iter::from_fn(|| plane.poll_dispatch()).collect()
    }

    #[test]
    fn rooms_and_players_are_made_where_they_are_first_connected() {
        let mut plane: Plane<()> = Plane::new(3);
        let (room, player) = (UnitId::Room(RoomId(1)), UnitId::Player(PlayerId(1)));
        plane.handle_command(Command::AddRoom { room: RoomId(1), loudest: crate::media::command::EVERYONE }, None);
        plane.handle_command(Command::AddPlayer { player: PlayerId(1), clips: vec![] }, None);
        assert!(dispatched(&mut plane).is_empty());
        assert_eq!(plane.thread_of(room), None);
        plane.handle_command(Command::Connect { source: player, sink: room }, None);
        let all = dispatched(&mut plane);
        assert_eq!(all.len(), 3);
        assert!(matches!(all[2].1, ToThread::Command(Command::Connect { .. }, None)));
        assert!(plane.thread_of(room).is_some() && plane.thread_of(room) == plane.thread_of(player));
    }

    #[test]
    fn what_never_reached_a_thread_is_answered_here() {
        let mut plane: Plane<()> = Plane::new(1);
        plane.handle_command(Command::AddPlayer { player: PlayerId(1), clips: vec![] }, None);
        plane.handle_command(Command::StopPlayer { player: PlayerId(1) }, None);
        plane.handle_command(Command::RemoveRoom { room: RoomId(1) }, None);
        assert_eq!(plane.poll_event(), Some(Event::PlaybackFinished { player: PlayerId(1), completed: false }));
        let unit = UnitId::Room(RoomId(1));
        assert_eq!(plane.poll_event(), Some(Event::Refused { unit, reason: RefusedReason::Unknown }));
        assert!(dispatched(&mut plane).is_empty() && plane.is_idle());
    }
}
