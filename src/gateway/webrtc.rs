//! Calls whose other end is a browser: their transport is connected, by ICE and DTLS, before the media plane gets the
//! leg.

use super::cause::Cause;
use super::timer::{FIRST_PACKET, Timer};
use super::transport::ConnectionStage;
use super::{Call, Gateway, Level, Output};
use crate::sdp::SessionDescription;
use crate::types::{CallId, Now, SrtpKeys};
use std::net::SocketAddr;

impl Call {
    /// Whether an offer of the peer begins ICE anew.
    pub(super) fn restarts_ice(&self, offer: Option<&SessionDescription>) -> bool {
        offer.zip(self.media.negotiation.as_ref()).is_some_and(|(offer, before)| before.is_restarted_by(offer))
    }
}

impl Gateway {
    /// Whether a call's leg has to wait until its transport is connected; it is then on its way.
    pub(super) fn connects_first(&mut self, id: CallId) -> bool {
        let Some(call) = self.calls.get_mut(&id) else { return false };
        let is_browser = call.media.negotiation.as_ref().is_some_and(|negotiation| negotiation.webrtc.is_some());
        if !is_browser || call.media.webrtc.connected().is_some() {
            return false;
        }
        if matches!(call.media.webrtc, ConnectionStage::Idle) {
            call.media.webrtc = ConnectionStage::Connecting;
            self.connect_transport(id);
        }
        true
    }

    /// ICE begins anew, where the peer's offer `restarts` it, and the peer was looked for before.
    pub(super) fn restart_ice(&mut self, id: CallId, restarts: bool) {
        let is_idle = |call: &Call| matches!(call.media.webrtc, ConnectionStage::Idle);
        if restarts && self.calls.get(&id).is_some_and(|call| !is_idle(call)) {
            self.connect_transport(id);
        }
    }

    fn connect_transport(&mut self, id: CallId) {
        let Some(media) = self.calls.get(&id).map(|call| &call.media) else { return };
        let ours = media.local.as_ref().and_then(|local| local.webrtc.as_ref());
        let theirs = media.negotiation.as_ref().and_then(|negotiation| negotiation.webrtc.as_ref());
        if let Some((ours, theirs)) = ours.zip(theirs) {
            let (ice, peer) = (ours.ice.clone(), theirs.clone());
            self.effects.output(Output::ConnectTransport { call: id, ice, peer });
        }
    }

    pub(super) fn on_transport_connected(&mut self, now: Now, id: CallId, remote: SocketAddr, keys: SrtpKeys) {
        let Some(call) = self.calls.get_mut(&id).filter(|call| !call.phase.is_ending()) else { return };
        call.media.webrtc = ConnectionStage::Connected(remote, Box::new(keys));
        let is_answering = call.phase.is_answering();
        self.log(Level::Info, Some(id), "transport connected", String::new());
        self.start_leg(now, id);
        if is_answering {
            // What it waited for until now could not be heard.
            self.effects.timers.set(Timer::FirstPacket(id), now.instant + FIRST_PACKET);
        }
    }

    pub(super) fn on_transport_moved(&mut self, now: Now, id: CallId, remote: SocketAddr) {
        let Some(call) = self.calls.get_mut(&id).filter(|call| !call.phase.is_ending()) else { return };
        if let ConnectionStage::Connected(before, _) = &mut call.media.webrtc {
            *before = remote;
            self.log_limited(now, Level::Info, Some(id), "transport moved", String::new);
            self.apply_negotiation(now, id);
        }
    }

    pub(super) fn on_transport_lost(&mut self, now: Now, id: CallId, why: String) {
        self.log_limited(now, Level::Info, Some(id), "transport lost", || why.clone());
        self.hang_up(now, id, Cause::MediaLost(why));
    }
}

#[cfg(test)]
mod tests;
