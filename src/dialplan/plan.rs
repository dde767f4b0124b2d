//! The dialplan ready to use: every name resolved, every pattern compiled, every default in place.
//!
//! Each setting says its unit, its default, its range and what it costs. Nothing downstream checks a value again.
//! A [`Plan`] never changes once made. It is shared as `Arc<Plan>`, its parts as `Arc` too, so that a call may keep the
//! parts it began with after the file was reloaded.

mod api;
mod database;
mod gateway;
mod ice;
mod identity;
mod ivr;
mod room;
mod route;
mod scenario;
mod secret;
mod sound;
mod template;
mod tls;
mod trunk;
mod user;

pub use api::{Api, ApiRole, ApiToken, Origins};
pub use database::Database;
pub use gateway::{Digest, DigestAlgorithm, FetchSettings, Gateway, ListenAddress, Retention, SipTransport};
pub use ice::Ice;
pub use identity::{FromUser, Identity, IdentityHeader, NumberFormat};
pub use ivr::{Collect, Greeting, Ivr, IvrPrompts, Say, Then};
pub use room::{Alone, Announce, Room, RoomAccess};
pub use route::{Origin, Outgoing, RoomNumber, Route, RouteTarget};
pub use scenario::{LONGEST_SCENARIO, Scenario, sounds_of};
pub use secret::{Pin, Secret};
pub use sound::{SoundSource, SoundUrl};
pub use template::{BadPlaceholder, RoomTemplate};
pub use tls::{Acme, CertificateFiles, TrunkTls};
pub use trunk::{
    AuthSecret, DigitTransport, NumberSource, Proxy, Register, ReliableProvisional, SessionTimer, SrtpPolicy, Trunk,
    TrunkAddress, TrunkAuth,
};
pub use user::{USER_MAX_CALLS, User, check_user_name};

use std::net::IpAddr;
use std::sync::Arc;

/// The validated `dialplan.toml`.
///
/// Made by [`super::parse`] or [`super::load`]; asked with [`Plan::trunk`], [`Plan::trunk_for`], [`Plan::room_by_pin`],
/// [`Plan::room`] and [`super::route::find`].
#[derive(Debug, Clone)]
pub struct Plan {
    /// Settings of the whole gateway.
    pub gateway: Gateway,
    /// Who may use the HTTP API.
    pub api: Api,
    /// Servers that help browsers through firewalls.
    pub ice: Ice,
    /// Trunks, in the order of the file.
    pub trunks: Vec<Arc<Trunk>>,
    /// Users of the file, in its order. Others may be made while the gateway runs.
    pub users: Vec<Arc<User>>,
    /// Configured rooms, in the order of the file. Others are made on demand.
    pub rooms: Vec<Arc<Room>>,
    /// IVRs, in the order of the file.
    pub ivrs: Vec<Arc<Ivr>>,
    /// Routes; the first that matches is taken.
    pub routes: Vec<Arc<Route>>,
}

impl Plan {
    /// The trunk of that name.
    #[must_use]
    pub fn trunk(&self, name: &str) -> Option<&Arc<Trunk>> {
        self.trunks.iter().find(|trunk| trunk.name == name)
    }

    /// The first trunk whose `allow` networks hold the address a request came from.
    /// A trunk known by host name alone is matched by whoever resolves the name.
    #[must_use]
    pub fn trunk_for(&self, source: IpAddr) -> Option<&Arc<Trunk>> {
        self.trunks.iter().find(|trunk| trunk.allows(source))
    }

    /// Whether there are users, or may be: then whoever wants to register is asked for a password.
    #[must_use]
    pub fn has_users(&self) -> bool {
        !self.users.is_empty() || self.routes.iter().any(|route| route.from.contains(&Origin::Users))
    }

    /// Whether anything is to outlive the process: users, and rooms that are made by the API.
    #[must_use]
    pub fn needs_database(&self) -> bool {
        self.has_users() || !self.api.tokens.is_empty()
    }

    /// The configured room of that name.
    #[must_use]
    pub fn room(&self, name: &str) -> Option<&Arc<Room>> {
        self.rooms.iter().find(|room| room.name == name)
    }

    /// What those who were invited to a room call: a scenario's number, or the room.
    #[must_use]
    pub fn called_by_invited<'a>(&'a self, room: &'a str) -> &'a str {
        self.room(room).and_then(|room| room.invited_call.as_deref()).unwrap_or(room)
    }

    /// Whether a scenario holds the conference of those who were invited to a room.
    #[must_use]
    pub fn is_held_by_scenario(&self, room: &str) -> bool {
        self.room(room).is_some_and(|room| room.invited_call.is_some())
    }

    /// The number that telephones reach a room by, for people: its own, or that of the gateway.
    #[must_use]
    pub fn access_number(&self, room: &str) -> Option<&str> {
        let own = self.room(room).and_then(|room| room.access_number.as_deref());
        own.or(self.gateway.access_number.as_deref())
    }

    /// The template by which a caller could key the digits in a room's name, if there is one: `conf_{digits}` for
    /// `conf_4711`.
    #[must_use]
    pub fn keyed_room(&self, name: &str) -> Option<&RoomTemplate> {
        self.ivrs.iter().find_map(|ivr| {
            let (Then::Room(template), Some(collect)) = (&ivr.then, &ivr.collect) else { return None };
            let digits = Some(name).filter(|_| template.uses_digits()).and_then(|name| template.filling(name))?;
            let fits = (usize::from(collect.min_digits)..=usize::from(collect.max_digits)).contains(&digits.len());
            let is_key = |key: char| matches!(key, '0'..='9' | '*' | '#' | 'A'..='D');
            (fits && digits.chars().all(is_key)).then_some(template)
        })
    }

    /// The IVR of that name.
    #[must_use]
    pub fn ivr(&self, name: &str) -> Option<&Arc<Ivr>> {
        self.ivrs.iter().find(|ivr| ivr.name == name)
    }

    /// The room a PIN opens, and as whom. Every PIN of the plan is compared, each in constant time, so that the time
    /// taken tells nothing.
    #[must_use]
    pub fn room_by_pin(&self, keyed: &str) -> Option<(&Arc<Room>, RoomAccess)> {
        let keyed = Pin::new(keyed)?;
        let mut found = None;
        for room in &self.rooms {
            for (pin, access) in [(&room.pin, RoomAccess::Member), (&room.host_pin, RoomAccess::Host)] {
                let equal = pin.as_ref().is_some_and(|pin| pin.matches(&keyed));
                if equal && found.is_none() {
                    found = Some((room, access));
                }
            }
        }
        found
    }
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Plan>();
};
