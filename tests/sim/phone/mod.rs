//! A phone behind a trunk: an agent that signals, a mouth and an ear.

mod agent;
mod description;
mod ear;
mod mouth;
mod secure;

pub(crate) use agent::{Agent, End, Odd, Stage, Step, says};
pub(crate) use description::base64;
pub(crate) use ear::Ear;
pub(crate) use mouth::{LEVEL, Mouth, Says, Stamps, written};

use super::network::{Datagram, Weather};
use bytes::Bytes;
use description::Local;
use partyline::rtp::{Packet, packet};
use partyline::types::AudioCodec;
use secure::Secure;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// The tone of a phone, whole hertz.
pub(crate) fn tone(n: usize) -> f64 {
    300.0 + 53.0 * n as f64
}

pub(crate) struct Phone {
    pub(crate) agent: Agent,
    pub(crate) mouth: Mouth,
    pub(crate) ear: Ear,
    pub(crate) sip_weather: Weather,
    pub(crate) rtp_weather: Weather,
    /// Switched off: it sends nothing and takes nothing in.
    pub(crate) gone: bool,
    /// RTCP datagrams that came.
    pub(crate) reports: u64,
    /// SRTP, once keys are known.
    pub(crate) secure: Option<Secure>,
    /// Packets that could not be opened.
    pub(crate) unreadable: u64,
    /// The last media packet that was sent.
    pub(crate) last_sent: Bytes,
    dialled: usize,
}

impl Phone {
    pub(crate) fn new(n: usize, address: IpAddr, gateway: SocketAddr, codec: AudioCodec) -> Self {
        let port = 30_000 + 2 * u16::try_from(n).unwrap();
        let media = SocketAddr::new(address, port);
        // No number's digits are any PIN's.
        let number = format!("+4420794600{n:02}");
        let ssrc = 0x1000_0000 + u32::try_from(n).unwrap();
        Self {
            agent: Agent::new(SocketAddr::new(address, 5060), gateway, number, Local::new(media, codec)),
            mouth: Mouth::new(media, tone(n), ssrc, codec),
            ear: Ear::remembering(Duration::from_secs(120)),
            sip_weather: Weather::CLEAR,
            rtp_weather: Weather::CLEAR,
            gone: false,
            reports: 0,
            secure: None,
            unreadable: 0,
            last_sent: Bytes::new(),
            dialled: 0,
        }
    }

    pub(crate) fn is_talking(&self) -> bool {
        self.agent.stage == Stage::Talking
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        if self.gone {
            return None;
        }
        self.agent.poll_timeout().into_iter().chain(self.mouth.poll_timeout()).min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.agent.handle_timeout(now);
        self.follow(now);
    }

    pub(crate) fn handle_sip(&mut self, now: Instant, bytes: &Bytes) {
        self.agent.handle(now, bytes);
        self.follow(now);
    }

    pub(crate) fn handle_media(&mut self, now: Instant, bytes: &Bytes) {
        let bytes = match &mut self.secure {
            None => bytes.clone(),
            Some(secure) => match secure.open(bytes) {
                Some(clear) => clear,
                None => {
                    self.unreadable += 1;
                    return;
                }
            },
        };
        if packet::is_rtcp(&bytes) {
            self.reports += 1;
            return;
        }
        let packet = Packet::parse(&bytes).expect("RTP of the gateway can be read");
        if Some(packet.header.payload_type) != self.agent.local.event_payload_type {
            self.ear.hear(now, &packet);
        }
    }

    /// The mouth follows the agent: it talks while there is a call.
    pub(crate) fn follow(&mut self, now: Instant) {
        let calls = self.agent.invites.len() + self.agent.taken;
        if self.dialled < calls {
            self.dialled = calls;
            self.ear = Ear::remembering(self.ear.memory);
        }
        match self.agent.stage {
            Stage::Talking | Stage::Called { described: true } => {
                let remote = self.agent.remote.as_ref();
                Secure::follow(&mut self.secure, &self.agent.local, remote);
                self.mouth.event_payload_type = remote.and_then(|remote| remote.event_payload_type).unwrap_or(101);
                let wanted = remote.filter(|remote| remote.direction.receives() && self.agent.local.direction.sends());
                match wanted {
                    Some(remote) => self.mouth.start(now, Some(remote.media)),
                    None => self.mouth.stop(),
                }
            }
            _ => self.mouth.stop(),
        }
    }

    /// Everything that is to be sent now: signalling, then media.
    pub(crate) fn take_out(&mut self, now: Instant) -> (Vec<Datagram>, Vec<Datagram>) {
        let mut media = Vec::new();
        self.mouth.handle_timeout(now, &mut media);
        if let Some(secure) = &mut self.secure {
            media.iter_mut().for_each(|datagram| datagram.bytes = secure.seal(&datagram.bytes));
        }
        if let Some(last) = media.last() {
            self.last_sent = last.bytes.clone();
        }
        (self.agent.take_out(), media)
    }
}
