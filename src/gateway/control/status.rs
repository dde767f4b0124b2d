//! What is going on, as an administrator is told.

use super::super::call_record::Way;
use super::super::health::Presence;
use super::super::trunks::{TrunkState, next_try, registration_trouble};
use super::super::{Gateway, Masked};
use crate::media::command::LifetimeStatistics;
use crate::types::{Disturbances, Now};
use serde::{Deserialize, Serialize};

/// What is going on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// New calls are refused.
    pub draining: bool,
    /// Calls, oldest first.
    pub calls: Vec<CallStatus>,
    /// Rooms with somebody in them, by name.
    pub rooms: Vec<RoomStatus>,
    /// Rooms that an administrator made, by name, whether somebody is in them or not.
    #[serde(default)]
    pub made_rooms: Vec<String>,
    /// Locked rooms of those that have nobody in them.
    #[serde(default)]
    pub locked_rooms: Vec<String>,
    /// Trunks, in the order of the dialplan.
    pub trunks: Vec<TrunkStatus>,
    /// Requests from addresses no trunk allows, dropped since the start.
    pub unknown_sources: u64,
    /// Calls refused since the start because they came faster than they could be answered.
    #[serde(default)]
    pub late_calls_refused: u64,
    /// Ticks of 20 ms of a media thread that came too late and were skipped, since the start: for as long its callers
    /// heard nothing.
    #[serde(default)]
    pub media_ticks_skipped: u64,
    /// Times 20 ms of a call's sound, since the start, in which its noise was to be suppressed and was not, since that
    /// was done for too many others on its media thread.
    #[serde(default)]
    pub media_frames_not_suppressed: u64,
    /// PIN checks are slowed down because of too many wrong PINs.
    pub pins_slowed: bool,
    /// What waits to be written, and what could not be.
    #[serde(default)]
    pub backlog: Backlog,
    /// Why the database of users did not do what was last asked; empty when all is well.
    #[serde(default)]
    pub database_trouble: String,
}

/// What waits to be written, and what could not be. The shell fills it in: the core writes nothing itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Backlog {
    /// Lines of the log dropped since the start, because nobody read it or its disk was full.
    pub log_lines_dropped: u64,
    /// Call records that wait to be written.
    pub records_waiting: u64,
    /// Call records lost since the start, because too many waited.
    pub records_lost: u64,
    /// Users whose bindings wait to be written.
    pub bindings_waiting: u64,
    /// Rooms that were made, changed or locked, which waits to be written.
    pub rooms_waiting: u64,
    /// Why call records cannot be written just now, in words; empty when all is well.
    pub records_trouble: String,
    /// Why HTTPS has no certificate, or why it is not renewed; empty when all is well.
    pub certificate_trouble: String,
}

/// One call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CallStatus {
    /// Its name.
    pub call: String,
    /// The trunk it came or goes by; empty for a call of a user.
    pub trunk: String,
    /// The user who calls or is called; empty for a call by a trunk.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// What others are shown of who calls; empty for nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub display_name: String,
    /// We call.
    #[serde(default)]
    pub outgoing: bool,
    /// Who calls, shortened.
    pub from: String,
    /// The called number, shortened.
    pub number: String,
    /// The route it took.
    pub route: String,
    /// Where it stands.
    pub state: String,
    /// Seconds since the answer.
    pub seconds: u64,
    /// The rooms it is in.
    pub rooms: Vec<String>,
    /// The codec we send with, once one is agreed on: `PCMU`, `opus`.
    #[serde(default)]
    pub codec: String,
    /// By which way keys came: `rfc4733`, `info` or `in-band`, the best of several; empty while none came.
    #[serde(default)]
    pub digits: String,
    /// The caller has put us on hold.
    pub on_hold: bool,
    /// We have put the caller on hold.
    #[serde(default)]
    pub held: bool,
    /// Nobody hears the caller.
    pub muted: bool,
    /// How much louder than it is the others hear it, decibels.
    #[serde(default)]
    pub gain: i8,
    /// What is wrong with its sound: none comes from the other end. Empty when all is well.
    #[serde(default)]
    pub warning: String,
    /// What was made up, put in and taken out of its sound.
    #[serde(flatten)]
    pub playout: LifetimeStatistics,
    /// How it disturbs the others in its room.
    #[serde(default, skip_serializing_if = "Disturbances::is_empty")]
    pub disturbs: Disturbances,
}

/// One room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoomStatus {
    /// Its name.
    pub room: String,
    /// The calls in it.
    pub calls: Vec<String>,
    /// Who is not in it cannot come in.
    #[serde(default)]
    pub locked: bool,
    /// The call that speaks; empty for nobody.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub speaker: String,
}

/// One trunk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrunkStatus {
    /// Its name.
    pub trunk: String,
    /// `static`, `trying`, `registered`, `failed 403`.
    pub state: String,
    /// `up` or `down` by its answers to our OPTIONS, `-` where nothing is known.
    #[serde(default)]
    pub presence: String,
    /// The server in use, `udp:192.0.2.1:5060`; empty while none is known.
    #[serde(default)]
    pub server: String,
    /// What is wrong: why it cannot be found, why there is no TLS with it, or why its registrar refuses and when it is
    /// asked again. Empty when all is well.
    #[serde(default)]
    pub trouble: String,
    /// Calls by it.
    pub calls: usize,
}

impl Gateway {
    pub(super) fn status(&mut self, now: Now) -> Status {
        let room_name = |id| self.rooms.get(id).map(|room| room.settings.name.clone());
        let calls = self.calls.values().map(|call| CallStatus {
            call: call.id.to_string(),
            trunk: call.peer.trunk_name().to_owned(),
            user: call.peer.user_name().to_owned(),
            display_name: call.from.name.clone().unwrap_or_default(),
            outgoing: call.way == Way::Out,
            from: Masked(&call.from.number).to_string(),
            number: Masked(&call.number).to_string(),
            route: call.route.clone(),
            state: call.phase.name().to_owned(),
            seconds: call.times.talked(now).as_secs(),
            rooms: self.rooms.of(call.id).filter_map(room_name).collect(),
            codec: call.codec().map_or_else(String::new, |codec| codec.encoding_name().to_owned()),
            digits: call.keys.source().map_or_else(String::new, |source| source.to_string()),
            on_hold: call.on_hold,
            held: call.phase.is_held(),
            muted: call.is_muted(),
            disturbs: call.disturbing.now,
            gain: call.gain,
            warning: call.warning(call.times.talked(now)).unwrap_or_default(),
            playout: call.media.playout.read(),
        });
        let halves = self.joins.iter().map(|(id, half)| CallStatus {
            call: id.to_string(),
            from: Masked(&half.from.number).to_string(),
            number: Masked(&half.number).to_string(),
            route: half.route.clone(),
            state: half.state().to_owned(),
            seconds: half.talked(now).as_secs(),
            muted: half.muted,
            ..CallStatus::default()
        });
        let mut halves: Vec<CallStatus> = halves.collect();
        halves.sort_by(|a, b| a.call.cmp(&b.call));
        let calls = calls.chain(halves).collect();
        let mut rooms: Vec<RoomStatus> = self
            .rooms
            .iter()
            .filter(|room| room.members() > 0)
            .map(|room| RoomStatus {
                room: room.settings.name.clone(),
                calls: room.calls().map(|call| call.to_string()).collect(),
                locked: self.rooms.is_locked(&room.settings.name),
                speaker: room.speaker().map_or_else(String::new, |call| call.to_string()),
            })
            .collect();
        rooms.sort_by(|a, b| a.room.cmp(&b.room));
        let trunks = self.trunks.states(now.instant).map(|(entry, server)| TrunkStatus {
            trunk: entry.trunk.name.clone(),
            state: match entry.state {
                TrunkState::Static => "static".into(),
                TrunkState::Trying => "trying".into(),
                TrunkState::Registered => "registered".into(),
                TrunkState::Failed { status, .. } => format!("failed {}", status.0),
            },
            presence: match entry.health.presence() {
                Presence::Unknown => "-".into(),
                Presence::Up => "up".into(),
                Presence::Down => "down".into(),
            },
            server: server.map_or_else(String::new, |flow| format!("{}:{}", flow.transport.as_param(), flow.remote)),
            trouble: match (&entry.state, entry.troubles()) {
                (TrunkState::Failed { status, retry_at }, trouble) if trouble.is_empty() => {
                    format!("{}, {}", registration_trouble(*status), next_try(now.instant, *retry_at))
                }
                (_, trouble) => trouble,
            },
            calls: self.admission.peers.calls_with(&entry.trunk.name) as usize,
        });
        let trunks = trunks.collect();
        Status {
            draining: self.shutdown.has_begun(),
            calls,
            rooms,
            made_rooms: self.rooms.made_names().map(str::to_owned).collect(),
            locked_rooms: self.rooms.locked_and_empty(),
            trunks,
            unknown_sources: self.admission.unknown_sources + self.intake.dropped_unknown,
            late_calls_refused: self.late_calls.refused,
            media_ticks_skipped: self.ticks_skipped,
            media_frames_not_suppressed: self.frames_not_suppressed,
            pins_slowed: self.pins.is_slow(now.instant),
            backlog: Backlog::default(),
            database_trouble: self.users.trouble(),
        }
    }
}
