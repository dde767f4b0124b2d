//! The media-plane state of one participant: transport, receiver, sender, reports.

mod arriving;
mod decoding;
mod dtx;
mod event_clock;
mod gate;
mod heard;
mod leveling;
mod levels;
mod noise;
mod passing;
mod powers;
mod receiver;
mod reports;
mod sender;
mod sending;
mod sources;
mod tones;
mod watch;

pub(crate) use self::arriving::Arrived;
pub(crate) use self::dtx::Noise;

use self::dtx::Dtx;
use self::heard::HeardAs;
use self::leveling::Leveling;
use self::powers::Powers;
use self::receiver::Receiver;
use self::reports::Reports;
use self::sender::Sender;
use self::tones::Tones;
use self::watch::Watch;
use super::budget::Budget;
use super::command::{LegSettings, LegStatistics};
use super::events::Allowance;
use super::following::Following;
use super::hearing::Hearing;
use super::outbox::{Outbox, Who};
use super::phase::Beat;
use super::slots::Ticking;
use super::stream::Format;
use super::transport::Transport;
use super::voices::{Presence, VoiceId};
use crate::audio::Rate;
use crate::audio::codec::Libraries;
use crate::audio::codec::g711::Law;
use crate::audio::gain::Gain;
use crate::types::{Direction, MediaParameters, Now};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::time::{Duration, Instant};

/// A leg.
#[derive(Debug)]
pub(crate) struct Leg {
    /// Its place among the frames of a tick.
    pub(crate) voice: VoiceId,
    pub(crate) hearing: Hearing,
    /// The first beat not done for it: an engine ahead or behind of the one it came from goes by this.
    pub(crate) next_tick: Beat,
    /// The beat whose frame was taken last.
    pub(crate) heard_at: Option<Beat>,
    /// The beat on which it was loud last.
    pub(crate) loud_at: Option<Beat>,
    heard_as: HeardAs,
    powers: Powers,
    gain: Gain,
    /// Where it is made quieter, louder or free of noise before others hear it.
    leveling: Option<Box<Leveling>>,
    /// It is to be removed once its sound has faded out, with what it had counted until then: what comes later, as a
    /// peer's farewell in clear, is nobody's.
    pub(crate) ending: Option<Box<LegStatistics>>,
    collect_digits: bool,
    /// Where keys may come as tones.
    tones: Option<Box<Tones>>,
    pub(crate) allowance: Allowance,
    /// Where another codec than G.711 is sent.
    pub(crate) following: Option<Box<Following>>,
    /// It is told who is heard.
    is_told: bool,
    /// Where pauses are described to the other side instead of sent.
    dtx: Option<Box<Dtx>>,
    direction: Direction,
    transport: Transport,
    receiver: Receiver,
    sender: Sender,
    reports: Box<Reports>,
    /// When the next report is due: kept here, where every tick looks.
    report_due: Instant,
    watch: Watch,
    heard: bool,
    foreign: u64,
    invalid: u64,
    forged: u64,
    replayed: u64,
    address_changes: u64,
}

impl Ticking for Leg {
    fn next_tick(&mut self) -> &mut Beat {
        &mut self.next_tick
    }
}

impl Leg {
    pub(crate) fn new(now: Now, settings: &LegSettings, libraries: &Libraries, voice: VoiceId, tick: Beat) -> Self {
        let parameters = &settings.parameters;
        let mut random = StdRng::seed_from_u64(settings.seed);
        let sender = Sender::new(parameters, random.random(), random.random(), random.random());
        let reports = Box::new(Reports::new(now, random, &settings.cname));
        let mut leg = Self {
            voice,
            hearing: Hearing::default(),
            next_tick: tick,
            heard_at: None,
            loud_at: None,
            heard_as: HeardAs::Sound,
            powers: Powers::new(),
            gain: Gain::default(),
            leveling: None,
            ending: None,
            collect_digits: false,
            tones: None,
            allowance: Allowance::new(tick),
            following: Format::of(parameters).and_then(|format| Following::new(format, libraries)).map(Box::new),
            is_told: parameters.send_contributors,
            dtx: parameters.send_comfort_noise.map(|payload_type| Box::new(Dtx::new(payload_type))),
            direction: parameters.direction,
            transport: Transport::new(parameters),
            receiver: Receiver::new(parameters, settings.seed as u32, libraries),
            sender,
            report_due: reports.due(),
            reports,
            watch: Watch::new(now.instant, settings.media_timeout),
            heard: false,
            foreign: 0,
            invalid: 0,
            forged: 0,
            replayed: 0,
            address_changes: 0,
        };
        leg.receiver.tell(settings.playout.clone());
        leg.leveling = Leveling::arranged(None, settings.processing, leg.receiver.rate());
        leg.heard_as = leg.steady();
        leg.set_telephone_events(parameters);
        leg.collect(settings.collect_digits);
        leg
    }

    /// Whether keys can come in no other way than as tones.
    fn set_telephone_events(&mut self, parameters: &MediaParameters) {
        let is_only_way = parameters.receive_telephone_events.is_empty();
        if is_only_way {
            self.listen_for_tones();
        }
        self.tones.iter_mut().for_each(|tones| tones.set_only_way(is_only_way));
    }

    /// Keys are waited for, or no longer.
    pub(crate) fn collect(&mut self, on: bool) {
        self.collect_digits = on;
        if on {
            self.listen_for_tones();
        }
        self.tones.iter_mut().for_each(|tones| tones.collect(on));
    }

    /// Keys may come as tones, unless they have come as telephone events.
    fn listen_for_tones(&mut self) {
        if self.tones.is_none() && !self.receiver.has_events() {
            let mut tones = Tones::new(self.receiver.rate());
            tones.collect(self.collect_digits);
            self.tones = Some(Box::new(tones));
        }
    }

    /// Whether keys are waited for.
    pub(crate) const fn collects(&self) -> bool {
        self.collect_digits
    }

    /// The next key that came as tones.
    #[inline]
    pub(crate) fn next_key(&mut self) -> Option<char> {
        self.tones.as_mut()?.next_key()
    }

    /// Takes over what was negotiated anew; the stream that is running goes on.
    pub(crate) fn update(&mut self, now: Instant, parameters: &MediaParameters, libraries: &Libraries) {
        let received = self.direction.receives();
        self.direction = parameters.direction;
        self.transport.update(now, parameters);
        self.receiver.update(parameters, libraries);
        self.sender.update(parameters);
        self.set_telephone_events(parameters);
        self.is_told = parameters.send_contributors;
        if self.dtx.as_ref().map(|dtx| dtx.payload_type) != parameters.send_comfort_noise {
            self.dtx = parameters.send_comfort_noise.map(|payload_type| Box::new(Dtx::new(payload_type)));
        }
        let format = Format::of(parameters);
        if self.format() != format {
            self.following = format.and_then(|format| Following::new(format, libraries)).map(Box::new);
        }
        match (received, self.direction.receives()) {
            (true, false) => self.receiver.stop(),
            (false, true) => self.watch.restart(now),
            _ => {}
        }
    }

    pub(crate) fn watch(&mut self, now: Instant, timeout: Option<Duration>) {
        self.watch = Watch::new(now, timeout);
    }

    /// What the other side says in the tick whose nominal time is `tick`.
    pub(crate) fn listen(&mut self, tick: Instant, frame: &mut [i16], budget: &mut Budget) -> Presence {
        if !self.direction.receives() {
            return Presence::Absent;
        }
        if let Some(tones) = &mut self.tones {
            tones.begin_tick(&self.receiver);
        }
        let mut presence = self.receiver.pull(tick, frame, &mut budget.repair);
        if let Some(tones) = &mut self.tones
            && tones.listens()
        {
            presence = tones.hear(presence, frame, &self.receiver);
        }
        if self.heard_as == HeardAs::Sound { presence } else { self.fade(presence, frame, budget) }
    }

    /// Its sound fades out in the next tick, in which nothing is sent; then it is to be removed.
    pub(crate) fn end(&mut self) {
        self.mute(true);
        self.ending.get_or_insert(Box::new(self.statistics()));
        self.direction = Direction::of(false, self.direction.receives());
    }

    /// Passes over ticks that were skipped: their sound is gone, and time went on.
    pub(crate) fn skip(&mut self, ticks: u64, tick: Instant, frame: &mut [i16], budget: &mut Budget) {
        for _ in 0..ticks.min(50) {
            self.listen(tick, frame, budget);
        }
        self.sender.pass(ticks);
    }

    /// Its ticks come so many microseconds later than until now, or earlier.
    pub(crate) fn shifted(&mut self, micros: i64) {
        self.receiver.shifted(micros);
    }

    /// Whether its ticks can be moved so, and no packet is late by it that is waited for.
    pub(crate) fn endures(&self, micros: i64) -> bool {
        self.receiver.endures(micros)
    }

    /// By how much its ticks could come earlier, and no packet would be late; `None` while that is not known.
    pub(crate) fn slack(&self) -> Option<Duration> {
        self.receiver.slack()
    }

    /// How long ago what it receives had to be delayed more, if ever.
    pub(crate) fn grew_ago(&self) -> Option<Duration> {
        self.receiver.grew_ago()
    }

    /// Whether anything is sent, and so whether it is worth being encoded.
    pub(crate) fn is_sending(&self) -> bool {
        self.direction.sends() && self.transport.is_reachable()
    }

    /// How G.711 is sent; `None` where another codec is.
    pub(crate) fn law(&self) -> Option<Law> {
        self.sender.law()
    }

    /// What is sent where it is not G.711.
    pub(crate) fn format(&self) -> Option<Format> {
        self.following.as_ref().map(|following| following.format())
    }

    /// The rate of what it says.
    pub(crate) fn rate(&self) -> Rate {
        self.receiver.rate()
    }

    /// The rate of what it hears.
    pub(crate) fn hearing_rate(&self) -> Rate {
        self.format().map_or(Rate::Narrow, |format| format.rate())
    }

    /// How much of what is sent the other side reports lost, parts of 256.
    pub(crate) fn remote_fraction_lost(&self) -> u8 {
        self.reports.remote_fraction_lost()
    }

    /// The length of the packets received.
    pub(crate) fn packet_time(&self) -> Duration {
        self.receiver.packet_time()
    }

    /// Sends a report if one is due. Says whether the media timeout has passed.
    pub(crate) fn keep_time(&mut self, now: Now, who: Who, outbox: &mut Outbox) -> bool {
        if self.report_due <= now.instant {
            self.report(now, who, outbox, false);
        }
        self.direction.receives() && self.watch.expired(now.instant)
    }

    /// Says goodbye (RFC 3550 section 6.6).
    pub(crate) fn say_goodbye(&mut self, now: Now, who: Who, outbox: &mut Outbox) {
        if self.sender.packets() > 0 {
            self.report(now, who, outbox, true);
        }
    }

    fn report(&mut self, now: Now, who: Who, outbox: &mut Outbox, bye: bool) {
        let mut buffer = [0; reports::MAX_REPORT];
        let length = self.reports.build(now, &mut buffer, &mut self.sender, self.receiver.source(), bye);
        self.report_due = self.reports.due();
        if let Some(bytes) = buffer.get(..length).filter(|bytes| !bytes.is_empty()) {
            self.transport.send_rtcp(who, bytes, outbox);
        }
    }

    pub(crate) fn statistics(&self) -> LegStatistics {
        let mut statistics = LegStatistics {
            packets_sent: self.sender.packets(),
            octets_sent: self.sender.octets(),
            packets_foreign: self.foreign,
            packets_invalid: self.invalid,
            packets_forged: self.forged,
            packets_replayed: self.replayed,
            address_changes: self.address_changes,
            remote_fraction_lost: self.reports.remote_fraction_lost(),
            round_trip_us: self.reports.round_trip_us(),
            ..LegStatistics::default()
        };
        self.receiver.count(&mut statistics);
        statistics.digits_in_band = self.tones.as_ref().map_or(0, |tones| tones.count());
        statistics.digits_received += statistics.digits_in_band;
        statistics
    }
}
