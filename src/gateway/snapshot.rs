//! All that would be needed to take a call up again after a crash.

use super::Gateway;
use crate::sip::dialog::DialogSnapshot;
use crate::types::{CallId, MediaParameters};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::time::SystemTime;

/// An answered call as plain data.
///
/// A session's place is told by the rooms: a call in none is led through its route from the beginning, one in a room is
/// connected to it again. Digits keyed so far are left out on purpose, for they may be a PIN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallSnapshot {
    /// The call.
    pub call: CallId,
    /// Its SIP dialog.
    pub dialog: DialogSnapshot,
    /// Where its signalling comes from.
    pub peer: SocketAddr,
    /// The trunk it came by, by name; empty for a user's call.
    pub trunk: String,
    /// The user it is with, by name; empty for a trunk's call.
    #[serde(default)]
    pub user: String,
    /// Who calls, normalised; empty when withheld.
    pub from: String,
    /// The called number, normalised.
    pub number: String,
    /// The route it took, by name.
    pub route: String,
    /// What was negotiated for its sound.
    pub media: MediaParameters,
    /// Our RTP port, to be opened again.
    pub rtp_port: u16,
    /// The rooms it is in, by name.
    pub rooms: Vec<String>,
    /// Nobody hears it.
    pub muted: bool,
    /// When its INVITE came.
    pub started: SystemTime,
    /// When it was answered.
    pub answered: SystemTime,
}

impl Gateway {
    /// A call as plain data; `None` unless it is answered and its sound agreed on. `None` also where its sound is SRTP:
    /// keys are not written down, and it must not come back as plain RTP.
    #[must_use]
    pub fn snapshot(&self, id: CallId) -> Option<CallSnapshot> {
        let call = self.calls.get(&id).filter(|call| call.phase.is_talking())?;
        let names = self.rooms.of(id).filter_map(|room| self.rooms.get(room));
        Some(CallSnapshot {
            call: id,
            dialog: self.endpoint.snapshot(call.invite?)?,
            peer: call.remote,
            trunk: call.peer.trunk_name().to_owned(),
            user: call.peer.user_name().to_owned(),
            from: call.from.number.clone(),
            number: call.number.clone(),
            route: call.route.clone(),
            media: call
                .media
                .negotiation
                .as_ref()
                .map(|agreed| agreed.parameters.clone())
                .filter(|p| p.srtp.is_none())?,
            rtp_port: call.media.local.as_ref()?.rtp_port,
            rooms: names.map(|room| room.settings.name.clone()).collect(),
            muted: call.muted,
            started: call.times.started(),
            answered: call.times.answered()?,
        })
    }
}
