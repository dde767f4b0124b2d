//! The mixing engine of one media thread: packets in, mixed audio out. No IO, no clock.

pub use super::slots::LegSlot;

use super::budget::Budget;
use super::command::{Command, Event, Measurement, RefusedReason};
use super::encoded::Noise;
use super::events::EventQueue;
use super::leg::{Arrived, Leg};
use super::outbox::{Outbox, PacketKind, Transmit};
use super::phase::{BEAT, Beat, TICK_BEATS};
use super::player::Player;
use super::quiet::Quiet;
use super::recorder::Recorder;
use super::room::Room;
use super::routes::{Routes, Walk};
use super::slots::Slots;
use super::voices::{Presence, Voices};
use super::work::Work;
use crate::audio::Rate;
use crate::audio::codec::Libraries;
use crate::types::{CallId, DigitSource, Now, PlayerId, RecorderId, RoomId, UnitId};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The length of a tick.
pub const TICK: Duration = Duration::from_millis(20);
/// Ticks that are caught up when a thread is late; if it is later, all but the newest are skipped.
pub const MAX_CATCH_UP: u64 = 4;

/// An engine.
///
/// In: [`Engine::handle_command`], [`Engine::handle_packet`], [`Engine::handle_timeout`] at [`Engine::poll_timeout`];
/// [`Engine::export`] and [`Engine::import`] for units that move. Out, after each of these: [`Engine::transmits`] then
/// [`Engine::clear_transmits`], and [`Engine::poll_event`].
///
/// Every unit ticks each 20 ms, on one of eight phases 2.5 ms apart (see `phase.rs`); what is connected ticks together.
/// A tick first hears all legs of its phase, then mixes the rooms, then sends to the legs; see `tick.rs`.
#[derive(Debug)]
pub struct Engine {
    pub(super) thread: usize,
    pub(super) epoch: Instant,
    /// The next beat to be done.
    pub(super) next_beat: Beat,
    /// The first beat that units which were imported have missed.
    pub(super) lagging: Option<Beat>,
    /// Ticks that were skipped.
    pub(super) skipped: u64,
    pub(super) legs: Slots<CallId, Leg>,
    pub(super) rooms: Slots<RoomId, Room>,
    pub(super) players: Slots<PlayerId, Player>,
    pub(super) recorders: Slots<RecorderId, Recorder>,
    pub(super) routes: Routes,
    /// Sinks whose sources changed since they were compiled.
    pub(super) changed: HashSet<UnitId>,
    pub(super) voices: Voices,
    pub(super) noise: Noise,
    pub(super) quiet: Quiet,
    pub(super) outbox: Outbox,
    pub(super) events: EventQueue,
    pub(super) work: Work,
    pub(super) walk: Walk,
    pub(super) budget: Budget,
    libraries: Libraries,
}

impl Engine {
    /// An empty engine, number `thread`, whose ticks count from `epoch`.
    #[must_use]
    pub fn new(thread: usize, epoch: Instant) -> Self {
        Self {
            thread,
            epoch,
            next_beat: 0,
            lagging: None,
            skipped: 0,
            legs: Slots::default(),
            rooms: Slots::default(),
            players: Slots::default(),
            recorders: Slots::default(),
            routes: Routes::default(),
            changed: HashSet::new(),
            voices: Voices::default(),
            noise: Noise::new(),
            quiet: Quiet::new(),
            outbox: Outbox::default(),
            events: EventQueue::default(),
            work: Work::default(),
            walk: Walk::default(),
            budget: Budget::default(),
            libraries: Libraries::default(),
        }
    }

    /// The same engine with codecs that are not built in, as soon as they are loaded.
    #[must_use]
    pub fn with_libraries(mut self, libraries: Libraries) -> Self {
        self.libraries = libraries;
        self
    }

    /// Does a command. What is wrong with it comes back as [`Event::Refused`].
    pub fn handle_command(&mut self, now: Now, command: Command) {
        match command {
            Command::AddLeg { leg, settings } => {
                if self.begin(now, UnitId::Leg(leg)) {
                    let (voice, tick) = (self.voices.add(), self.next_on(self.first_phase()));
                    let new = Leg::new(now, &settings, &self.libraries, voice, tick);
                    self.voices.set_source(voice, leg);
                    self.legs.insert(leg, new);
                    self.tune(leg);
                    self.reserve();
                }
            }
            Command::AddRoom { room, loudest } => {
                if self.begin(now, UnitId::Room(room)) {
                    self.rooms.insert(room, Room::new(self.next_beat, loudest));
                }
            }
            Command::AddPlayer { player, clips } => {
                if self.begin(now, UnitId::Player(player)) {
                    let new = Player::new(clips, self.voices.add(), self.next_beat);
                    self.players.insert(player, new);
                    self.reserve();
                }
            }
            Command::AddRecorder { recorder, sink, rate, less, ear } => {
                if self.begin(now, UnitId::Recorder(recorder)) {
                    let new = Recorder::new(&sink, Rate::of(rate), (less, ear), self.next_beat);
                    self.recorders.insert(recorder, new);
                    self.reserve();
                }
            }
            Command::RemoveLeg { leg } => self.remove_leg(now, leg),
            Command::RemoveRoom { room } => {
                if self.rooms.contains(room) {
                    self.unroute(UnitId::Room(room));
                    self.rooms.remove(room);
                } else {
                    self.refuse(UnitId::Room(room), RefusedReason::Unknown);
                }
            }
            Command::StopPlayer { player } => match self.players.get(player) {
                Some(found) if !found.is_ending => self.stop(player),
                _ => self.refuse(UnitId::Player(player), RefusedReason::Unknown),
            },
            Command::PausePlayer { player, paused } => match self.players.get_mut(player) {
                Some(found) if !found.is_ending => found.pause(paused),
                _ => self.refuse(UnitId::Player(player), RefusedReason::Unknown),
            },
            Command::RemoveRecorder { recorder } => {
                if self.recorders.contains(recorder) {
                    self.unroute(UnitId::Recorder(recorder));
                    self.recorders.remove(recorder);
                } else {
                    self.refuse(UnitId::Recorder(recorder), RefusedReason::Unknown);
                }
            }
            Command::Connect { source, sink } => self.connect(source, sink),
            Command::Disconnect { source, sink } => self.disconnect(source, sink),
            Command::UpdateLeg { leg, parameters } => {
                let libraries = self.libraries.clone();
                self.on_leg(leg, |leg| leg.update(now.instant, &parameters, &libraries));
                self.tune(leg);
            }
            Command::Mute { leg, muted } => self.on_leg(leg, |leg| leg.mute(muted)),
            Command::SetGain { leg, decibels } => self.on_leg(leg, |leg| leg.set_gain(decibels)),
            Command::SetProcessing { leg, processing } => self.on_leg(leg, |leg| leg.process(processing)),
            Command::CollectDigits { leg, on } => self.on_leg(leg, |leg| leg.collect(on)),
            Command::WatchMedia { leg, timeout } => self.on_leg(leg, |leg| leg.watch(now.instant, timeout)),
            Command::SendDigits { leg, digits, duration } => {
                let mut sendable = true;
                self.on_leg(leg, |leg| sendable = leg.send_digits(&digits, duration));
                if !sendable {
                    self.refuse(UnitId::Leg(leg), RefusedReason::Digits);
                }
            }
            Command::MeasureRoom { room } => self.measure(room),
            Command::QueryStatistics { leg } => {
                let mut statistics = None;
                self.on_leg(leg, |leg| statistics = Some(Box::new(leg.statistics())));
                if let Some(statistics) = statistics {
                    self.events.answer(Event::Statistics { leg, statistics });
                }
            }
        }
    }

    /// Takes a datagram that arrived for a leg at `arrival` on its port `kind` from `source`; SRTP is opened in place.
    /// Says whether it was media that is believed.
    pub fn handle_packet(
        &mut self,
        slot: LegSlot,
        kind: PacketKind,
        arrival: Instant,
        source: SocketAddr,
        bytes: &mut [u8],
    ) -> bool {
        let Some((id, leg)) = self.legs.at_mut(slot.0) else { return false };
        let arrived = leg.handle_packet(kind, arrival, source, bytes);
        if arrived.has_news() {
            self.tell(slot, id, arrived);
        }
        arrived.believed
    }

    /// Tells what a packet brought.
    #[cold]
    fn tell(&mut self, slot: LegSlot, id: CallId, arrived: Arrived) {
        let Arrived { first, digit, too_long, bye, rate_changed, .. } = arrived;
        if rate_changed {
            self.tune(id);
        }
        let events = [
            first.then_some(Event::FirstPacket { leg: id }),
            digit.map(|digit| Event::Digit { leg: id, digit, source: DigitSource::TelephoneEvent }),
            too_long.map(|milliseconds| Event::PacketTooLong { leg: id, milliseconds }),
            bye.then_some(Event::RemoteBye { leg: id }),
        ];
        let Some((_, leg)) = self.legs.at_mut(slot.0) else { return };
        for event in events.into_iter().flatten() {
            if self.events.notify(event, &mut leg.allowance, self.next_beat) {
                self.events.answer(Event::LegOverran { leg: id });
            }
        }
    }

    /// The packets to send, in order. They stay until [`Engine::clear_transmits`].
    pub fn transmits(&self) -> impl Iterator<Item = Transmit<'_>> {
        self.outbox.iter()
    }

    /// Whether there is anything to send.
    #[must_use]
    pub fn has_transmits(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// Forgets the packets: they were sent.
    pub fn clear_transmits(&mut self) {
        self.outbox.clear();
    }

    /// The next event for the gateway.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    /// The legs whose ticks are due at `now`.
    pub fn due_legs(&self, now: Instant) -> impl Iterator<Item = LegSlot> {
        let end = (self.beat_at(now) + 1).min(self.next_beat + TICK_BEATS);
        (self.next_beat..end).flat_map(|beat| self.legs.on(beat)).map(|slot| LegSlot(*slot))
    }

    /// The number of the 20 ms since the engine's epoch whose ticks are being done.
    #[must_use]
    pub fn round(&self) -> u64 {
        self.next_beat / TICK_BEATS
    }

    /// Its number.
    #[must_use]
    pub const fn thread(&self) -> usize {
        self.thread
    }

    /// Where a leg is kept.
    #[must_use]
    pub fn leg_slot(&self, leg: CallId) -> Option<LegSlot> {
        self.legs.slot(leg).map(LegSlot)
    }

    /// Whether a leg's packets are to be handled on arrival, not at the tick.
    #[must_use]
    pub fn is_urgent(&self, slot: LegSlot) -> bool {
        self.legs.at(slot.0).is_some_and(Leg::collects)
    }

    /// The length of the packets a leg receives, as far as it was seen: what comes next comes so long after the last.
    #[must_use]
    pub fn packet_time(&self, slot: LegSlot) -> Duration {
        self.legs.at(slot.0).map_or(TICK, Leg::packet_time)
    }

    /// How many legs there are.
    #[must_use]
    pub fn leg_count(&self) -> usize {
        self.legs.len()
    }

    /// Whether nothing is left: no unit, no packet, no event.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.routes.is_empty()
            && !self.is_ticking()
            && self.rooms.is_empty()
            && self.outbox.is_empty()
            && self.events.is_empty()
    }

    /// Whether there is anything that needs ticks.
    pub(super) fn is_ticking(&self) -> bool {
        !(self.legs.is_empty() && self.players.is_empty() && self.recorders.is_empty())
    }

    /// The number of the newest beat that is due at `now`.
    pub(super) fn beat_at(&self, now: Instant) -> Beat {
        let beats = now.saturating_duration_since(self.epoch).as_nanos() / BEAT.as_nanos();
        Beat::try_from(beats).unwrap_or(Beat::MAX)
    }

    /// When a beat is due.
    pub(super) fn time_of(&self, beat: Beat) -> Instant {
        self.epoch + Duration::from_nanos(beat.saturating_mul(2_500_000))
    }

    /// Names a new unit; starts the ticks if it is the first. False, and refused, if the name is taken.
    fn begin(&mut self, now: Now, unit: UnitId) -> bool {
        if self.routes.contains(unit) {
            self.refuse(unit, RefusedReason::Exists);
            return false;
        }
        self.wake(now.instant);
        self.routes.add(unit);
        true
    }

    /// Ticks were not counted while there was nothing to do.
    pub(super) fn wake(&mut self, now: Instant) {
        if !self.is_ticking() {
            self.next_beat = self.next_beat.max(self.beat_at(now) + 1);
        }
    }

    /// Makes room for all that a warm tick writes.
    pub(super) fn reserve(&mut self) {
        self.outbox.reserve(self.legs.len());
        self.work.reserve(self.legs.len(), self.players.len());
    }

    /// A leg may speak or be heard at another rate than before: who has to do with it is compiled anew. What all
    /// telephones do costs nothing.
    pub(super) fn tune(&mut self, leg: CallId) {
        let Some(found) = self.legs.get(leg) else { return };
        let (voice, rate, format) = (found.voice, found.rate(), found.format());
        let unit = UnitId::Leg(leg);
        let is_new_rate = self.voices.rate(voice) != rate;
        if is_new_rate {
            self.voices.set_rate(voice, rate);
            self.changed.extend(self.routes.sinks(unit));
        }
        if let Some(format) = format {
            self.quiet.prepare(format);
        }
        if is_new_rate || format.is_some() || found.hearing.ears.is_some() {
            self.changed.insert(unit);
            self.changed.extend(self.routes.sources(unit).iter().filter(|source| matches!(source, UnitId::Room(_))));
        }
    }

    /// Hands out how loud all who speak in a room were, in the rounds that are over on all phases.
    fn measure(&mut self, room: RoomId) {
        let end = (self.next_beat / TICK_BEATS).saturating_sub(1);
        let measured = |unit: &UnitId| match unit {
            UnitId::Leg(leg) => self.legs.get(*leg)?.measured(*leg, end),
            _ => None,
        };
        let legs = self.routes.sources(UnitId::Room(room)).iter().filter_map(measured).collect();
        self.events.answer(Event::Measured(Box::new(Measurement { room, end, legs })));
    }

    fn on_leg(&mut self, leg: CallId, change: impl FnOnce(&mut Leg)) {
        match self.legs.get_mut(leg) {
            Some(found) => change(found),
            None => self.refuse(UnitId::Leg(leg), RefusedReason::Unknown),
        }
    }

    fn remove_leg(&mut self, now: Now, leg: CallId) {
        let heard = !self.routes.sinks(UnitId::Leg(leg)).is_empty();
        match self.legs.get_mut(leg) {
            None => self.refuse(UnitId::Leg(leg), RefusedReason::Unknown),
            // In the middle of its sound: after the tick in which it fades out.
            Some(going) if heard && self.voices.presence(going.voice) == Presence::Loud => going.end(),
            Some(_) => self.take_leg_out(now, leg),
        }
    }

    pub(super) fn take_leg_out(&mut self, now: Now, leg: CallId) {
        let Some(slot) = self.legs.slot(leg) else { return };
        self.unroute(UnitId::Leg(leg));
        let Some((_, mut removed)) = self.legs.remove(leg) else { return };
        removed.say_goodbye(now, (LegSlot(slot), leg), &mut self.outbox);
        self.voices.remove(removed.voice);
        self.outbox.relax(self.legs.len());
        let statistics = removed.ending.take().unwrap_or_else(|| Box::new(removed.statistics()));
        self.events.answer(Event::LegRemoved { leg, statistics });
    }

    fn connect(&mut self, source: UnitId, sink: UnitId) {
        if let Err((unit, reason)) = self.routes.check(source, sink) {
            return self.refuse(unit, reason);
        }
        self.align(source, sink);
        match self.routes.connect(source, sink) {
            Ok(replaced) => {
                self.changed.insert(sink);
                self.listeners_changed(source, sink);
                match source {
                    UnitId::Player(player) => self.start(player, sink),
                    UnitId::Leg(leg) if self.routes.sinks(source).len() == 1 => {
                        if let Some(leg) = self.legs.get_mut(leg) {
                            leg.begin();
                        }
                    }
                    _ => {}
                }
                if let Some(UnitId::Player(player)) = replaced {
                    self.give_way(player, source);
                    self.end_unheard(player);
                }
            }
            Err((unit, reason)) => self.refuse(unit, reason),
        }
    }

    /// A player that is heard for the first time starts, at 16 kHz if whoever hears it hears more than a telephone.
    fn start(&mut self, player: PlayerId, sink: UnitId) {
        let Some(player) = self.players.get_mut(player).filter(|player| !player.started) else { return };
        player.started = true;
        let legs = &self.legs;
        let listens_wide = |unit: &UnitId| matches!(unit, UnitId::Leg(leg) if legs.get(*leg).is_some_and(|leg| leg.hearing_rate() > Rate::Narrow));
        let is_wide = match sink {
            UnitId::Leg(_) => listens_wide(&sink),
            // Who joined it just before may not be compiled yet.
            UnitId::Room(room) => {
                self.rooms.get(room).is_some_and(Room::is_wide)
                    || (self.changed.contains(&sink) && self.routes.sinks(sink).iter().any(listens_wide))
            }
            UnitId::Player(_) | UnitId::Recorder(_) => false,
        };
        if is_wide {
            player.widen();
            self.voices.set_rate(player.voice, player.rate);
        }
    }

    /// Somebody listens to a room, or no longer, who does it by another codec than G.711, or where that makes a
    /// difference.
    fn listeners_changed(&mut self, source: UnitId, sink: UnitId) {
        let UnitId::Room(room) = source else { return };
        let has_format = match sink {
            UnitId::Leg(leg) => self.legs.get(leg).is_some_and(|leg| leg.format().is_some()),
            UnitId::Recorder(recorder) => self.recorders.get(recorder).is_some_and(|found| found.rate > Rate::Narrow),
            UnitId::Room(_) | UnitId::Player(_) => false,
        };
        if has_format || self.rooms.get(room).is_some_and(Room::has_buses) {
            self.changed.insert(source);
        }
    }

    fn disconnect(&mut self, source: UnitId, sink: UnitId) {
        for unit in [source, sink] {
            if !self.routes.contains(unit) {
                return self.refuse(unit, RefusedReason::Unknown);
            }
        }
        if let UnitId::Player(player) = source
            && self.routes.sinks(source) == [sink]
            && self.players.get(player).is_some_and(|player| !player.is_live)
        {
            return self.stop(player);
        }
        if self.routes.disconnect(source, sink) {
            self.changed.insert(sink);
            self.listeners_changed(source, sink);
        }
    }

    /// Takes a unit out of the graph; players that nobody else heard end.
    pub(super) fn unroute(&mut self, unit: UnitId) {
        let sources = self.routes.sources(unit).to_vec();
        self.changed.extend(self.routes.sinks(unit));
        self.routes.remove(unit);
        self.changed.remove(&unit);
        for source in sources {
            if let UnitId::Player(player) = source {
                self.end_unheard(player);
            }
        }
    }

    /// Ends a player: where it is in the middle of its sound, after the tick in which that fades out, and whoever waits
    /// for its end need not.
    fn stop(&mut self, player: PlayerId) {
        let Some(found) = self.players.get_mut(player) else { return };
        if self.voices.presence(found.voice) != Presence::Loud {
            return self.end_player(player, false);
        }
        if !std::mem::replace(&mut found.is_ending, true) {
            self.events.answer(Event::PlaybackFinished { player, completed: false });
        }
    }

    /// Another player has taken the place of one: where nobody else hears that, it fades out in the other's first
    /// frame.
    fn give_way(&mut self, player: PlayerId, next: UnitId) {
        let UnitId::Player(next) = next else { return };
        let is_unheard = self.routes.sinks(UnitId::Player(player)).is_empty();
        let Some(rate) = self.players.get(next).map(|next| next.rate) else { return };
        let is_loud = |gone: &Player| self.voices.presence(gone.voice) == Presence::Loud;
        let sounds = |gone: &&mut Player| is_loud(gone) && gone.rate == rate && !gone.is_live;
        let gone = self.players.get_mut(player).filter(sounds);
        let Some(tail) = gone.filter(|_| is_unheard).map(Player::fade_out) else { return };
        if let Some(next) = self.players.get_mut(next) {
            next.tail = tail;
        }
    }

    /// Ends a player that lost its only sink, unless it is live.
    fn end_unheard(&mut self, player: PlayerId) {
        if self.players.get(player).is_some_and(|player| player.is_live) {
            return;
        }
        if self.routes.sinks(UnitId::Player(player)).is_empty() {
            self.end_player(player, false);
        }
    }

    pub(super) fn end_player(&mut self, player: PlayerId, completed: bool) {
        if let Some((_, ended)) = self.players.remove(player) {
            self.voices.remove(ended.voice);
            self.unroute(UnitId::Player(player));
            if !ended.is_ending {
                self.events.answer(Event::PlaybackFinished { player, completed });
            }
        }
    }

    fn refuse(&mut self, unit: UnitId, reason: RefusedReason) {
        self.events.answer(Event::Refused { unit, reason });
    }
}
