//! `[rooms.*]`.

use super::{Pin, SoundSource};
use crate::types::Disturbances;

/// One room, configured or made on demand.
#[derive(Debug, Clone)]
pub struct Room {
    /// Its global name.
    pub name: String,
    /// Opens it to members. Default: none, it is then reached by routes alone.
    pub pin: Option<Pin>,
    /// Opens it to its host. Default: none.
    pub host_pin: Option<Pin>,
    /// What members hear when others come and go. Default `tone`.
    pub announce: Announce,
    /// What somebody who is alone in it hears. Default `tone`.
    pub alone: Alone,
    /// What is heard where `alone` is music. Default: that of the gateway.
    pub music: Option<SoundSource>,
    /// Calls in it at one time, at least 1. Default: no limit. Each costs one decode, one encode and one addition a
    /// tick.
    pub max_members: Option<u32>,
    /// Whoever disturbs the others so is muted until it is over. Default: none.
    pub mute: Disturbances,
    /// Whether all in it are brought to the same loudness. Default no.
    pub automatic_gain: bool,
    /// Whether the noise behind all in it is suppressed. Default no.
    pub noise_suppression: bool,
    /// The number that those who were invited call in its stead. Default: none, they call the room.
    pub invited_call: Option<String>,
    /// The number that telephones reach it by, for people. Default: that of the gateway.
    pub access_number: Option<String>,
}

impl Room {
    /// The room of that name as it is when nobody configured it.
    #[must_use]
    pub const fn on_demand(name: String) -> Self {
        let (announce, alone) = (Announce::Tone, Alone::Tone);
        Self::bare(name, announce, alone)
    }

    /// One in which nothing is heard but its members.
    #[must_use]
    pub const fn silent(name: String) -> Self {
        Self::bare(name, Announce::None, Alone::Silence)
    }

    const fn bare(name: String, announce: Announce, alone: Alone) -> Self {
        Self {
            name,
            pin: None,
            host_pin: None,
            announce,
            alone,
            music: None,
            max_members: None,
            mute: Disturbances::NONE,
            automatic_gain: false,
            noise_suppression: false,
            invited_call: None,
            access_number: None,
        }
    }

    /// Whether telephones key its very name, which is a PIN then.
    #[must_use]
    pub fn is_keyed_by_name(&self) -> bool {
        self.keyed().is_some_and(|keyed| keyed == self.name)
    }

    /// What telephones key to come in: its PIN, or where a scenario holds it its name, if that can be keyed. For hosts
    /// alone, and never for a log.
    #[must_use]
    pub fn keyed(&self) -> Option<String> {
        let name = || self.name.bytes().all(|byte| byte.is_ascii_digit()).then(|| self.name.clone());
        self.pin.as_ref().map(Pin::reveal).or_else(|| self.invited_call.as_ref().and_then(|_| name()))
    }
}

/// How coming and going is made known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Announce {
    /// Not at all.
    None,
    /// By a tone.
    #[default]
    Tone,
}

/// What somebody hears who is alone in a room. Costs nothing in a room of more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Alone {
    /// Nothing.
    Silence,
    /// A tone every 20 s: the line is still there.
    #[default]
    Tone,
    /// The tune of calls on hold.
    Music,
}

impl Alone {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Silence => "silence",
            Self::Tone => "tone",
            Self::Music => "music",
        }
    }
}

/// As whom a PIN lets a caller in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RoomAccess {
    /// A member.
    Member,
    /// The host.
    Host,
}

impl RoomAccess {
    /// The name of the setting that holds such a PIN, for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "PIN",
            Self::Host => "host PIN",
        }
    }
}
