//! Transports of calls: their ports, their connections to browsers, and their way to the media plane.

use super::{Server, now};
use crate::gateway::{Input, OpenedTransport, TransportKind};
use crate::media::command::Command;
use crate::media::thread::TransportSockets;
use crate::net::WebRtcEvent;
use crate::types::{CallId, IceCredentials, WebRtcPeer};
use std::net::IpAddr;

impl Server {
    pub(super) fn command(&mut self, command: Command) {
        let sockets = match &command {
            Command::AddLeg { leg, .. } => self.opened.remove(leg),
            Command::RemoveLeg { leg } => {
                self.webrtc.close(*leg);
                None
            }
            _ => None,
        };
        self.media.queue(command, sockets);
    }

    pub(super) fn open_transport(&mut self, call: CallId, kind: TransportKind, local: IpAddr) {
        let tcp_port = self.webrtc.tcp_port(local);
        let opened = match self.ports.open(local) {
            Ok(sockets) => {
                let address = sockets.address;
                let (opened, rtcp) = match kind {
                    TransportKind::Rtp => {
                        (Ok(OpenedTransport::Rtp { address, rtcp_port: address.port() + 1 }), sockets.rtcp)
                    }
                    TransportKind::Either => {
                        let fingerprint = self.webrtc.fingerprint().map_err(|error| error.to_string());
                        let rtcp_port = address.port() + 1;
                        let opened =
                            |fingerprint| OpenedTransport::Either { address, rtcp_port, fingerprint, tcp_port };
                        (fingerprint.map(opened), sockets.rtcp)
                    }
                    TransportKind::WebRtc => {
                        let fingerprint = self.webrtc.fingerprint().map_err(|error| error.to_string());
                        let opened = |fingerprint| OpenedTransport::WebRtc { address, fingerprint, tcp_port };
                        (fingerprint.map(opened), None)
                    }
                };
                self.opened.insert(call, TransportSockets { rtp: sockets.rtp, rtcp, aside: None });
                opened
            }
            Err(error) => Err(error.to_string()),
        };
        let input = match opened {
            Ok(opened) => Input::TransportOpened { call, opened },
            Err(reason) => {
                self.opened.remove(&call);
                Input::TransportRefused { call, reason }
            }
        };
        self.gateway.handle_input(now(), input);
    }

    pub(super) fn connect_transport(&mut self, call: CallId, ice: IceCredentials, peer: WebRtcPeer) {
        let socket = self.opened.get(&call).map(|sockets| &sockets.rtp);
        if let Err(error) = self.webrtc.connect(call, socket, ice, peer) {
            self.gateway.handle_input(now(), Input::TransportLost { call, why: error.to_string() });
        }
    }

    pub(super) fn on_told(&mut self, told: WebRtcEvent) {
        let input = match told {
            WebRtcEvent::Connected { call, remote, keys, aside } => {
                let Some(sockets) = self.opened.get_mut(&call) else { return };
                sockets.aside = Some(aside);
                Input::TransportConnected { call, remote, keys }
            }
            WebRtcEvent::Moved { call, remote } => Input::TransportMoved { call, remote },
            WebRtcEvent::Lost { call, why } => Input::TransportLost { call, why },
        };
        self.gateway.handle_input(now(), input);
    }
}
