//! Real sockets on loopback. Phones are paced by the packets they hear: nothing here sleeps.

use super::{MediaHandle, Settings, TransportSockets};
use crate::audio::codec::g711;
use crate::audio::goertzel;
use crate::media::command::{Command, EVERYONE, Event, LegSettings, PlayoutCounters, VoiceProcessing};
use crate::rtp::{Header, Packet, rtcp};
use crate::types::{AudioCodec, CallId, MediaParameters, RoomId, SrtpKey, SrtpKeys, SrtpSuite, UnitId};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(5);
/// How long a phone waits before it lets the gateway look at its events.
const PATIENCE: Duration = Duration::from_millis(10);

struct Phone {
    leg: CallId,
    rtp: UdpSocket,
    rtcp: UdpSocket,
    to: SocketAddr,
    frequency: f64,
    sent: u16,
    heard: Vec<i16>,
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

impl Phone {
    /// A phone, and a leg for it on a socket bound to `bind`.
    fn new(media: &mut MediaHandle, n: u64, bind: &str) -> Self {
        let (rtp, rtcp) = (socket(), socket());
        let leg = CallId(n);
        let ours = TransportSockets {
            rtp: UdpSocket::bind(bind).unwrap(),
            rtcp: Some(UdpSocket::bind(bind).unwrap()),
            aside: None,
        };
        let to = SocketAddr::from(([127, 0, 0, 1], ours.rtp.local_addr().unwrap().port()));
        let parameters = Self::parameters(rtp.local_addr().unwrap(), rtcp.local_addr().unwrap());
        let settings = LegSettings {
            parameters,
            seed: n,
            cname: "test".into(),
            media_timeout: None,
            collect_digits: false,
            playout: PlayoutCounters::default(),
            processing: VoiceProcessing::default(),
        };
        media.send(Command::AddLeg { leg, settings: Box::new(settings) }, Some(ours));
        Self { leg, rtp, rtcp, to, frequency: 400.0 + 100.0 * n as f64, sent: 0, heard: vec![] }
    }

    fn parameters(rtp: SocketAddr, rtcp: SocketAddr) -> MediaParameters {
        MediaParameters {
            remote_rtcp: Some(rtcp),
            receive_telephone_events: [(101, 8_000)].into_iter().collect(),
            ..MediaParameters::plain(rtp, AudioCodec::Pcmu, 0)
        }
    }

    /// Hears one packet and says one. The gateway takes its events meanwhile, as a move needs it.
    fn turn(&mut self, media: &mut MediaHandle, events: &mut Vec<Event>) {
        let mut bytes = [0; 400];
        let length = (0..LIMIT.as_millis() / PATIENCE.as_millis())
            .find_map(|_| {
                events.extend(std::iter::from_fn(|| media.poll_event()));
                self.rtp.recv(&mut bytes).ok()
            })
            .expect("packets flow");
        let packet = Packet::parse(&bytes[..length]).unwrap();
        let mut samples = [0; 160];
        let count = g711::decode_ulaw(packet.payload, &mut samples);
        self.heard.extend(&samples[..count]);
        let tone: [i16; 160] = std::array::from_fn(|i| {
            let at = f64::from(self.sent) * 160.0 + i as f64;
            (4_000.0 * (std::f64::consts::TAU * self.frequency * at / 8_000.0).sin()) as i16
        });
        let mut payload = [0; 160];
        g711::encode_ulaw(&tone, &mut payload);
        self.say(0, &payload);
    }

    fn say(&mut self, payload_type: u8, payload: &[u8]) {
        let header = Header {
            marker: false,
            payload_type,
            sequence: self.sent,
            timestamp: u32::from(self.sent) * 160,
            ssrc: self.leg.0 as u32,
        };
        let mut bytes = header.to_bytes().to_vec();
        bytes.extend_from_slice(payload);
        self.rtp.send_to(&bytes, self.to).unwrap();
        self.sent += 1;
    }

    fn hears(&self, other: &Self) -> bool {
        let last = &self.heard[self.heard.len() - 4_000..];
        goertzel::hears(last, 8_000, other.frequency, -30.0)
    }
}

/// The next event that `wanted` knows, waited for as the gateway does.
fn event<T>(media: &mut MediaHandle, wanted: impl Fn(&Event) -> Option<T>) -> T {
    loop {
        media.acknowledge();
        while let Some(event) = media.poll_event() {
            if let Some(found) = wanted(&event) {
                return found;
            }
        }
        let mut fds = [PollFd::new(media.as_fd(), PollFlags::POLLIN)];
        let woken = poll(&mut fds, PollTimeout::try_from(LIMIT).unwrap()).unwrap();
        assert!(woken > 0, "an event comes");
    }
}

fn join(media: &mut MediaHandle, phone: &Phone) {
    let (leg, room) = (UnitId::Leg(phone.leg), UnitId::Room(RoomId(1)));
    media.send(Command::Connect { source: leg, sink: room }, None);
    media.send(Command::Connect { source: room, sink: leg }, None);
}

#[test]
fn phones_on_two_threads_meet_in_a_room_and_hear_each_other() {
    let mut media = MediaHandle::spawn(Settings { threads: 2, realtime: false, ..Settings::default() }).unwrap();
    let mut events = vec![];
    let mut phones = [1, 2, 3].map(|n| Phone::new(&mut media, n, "127.0.0.1:0"));
    assert_eq!(media.load(), [2, 1]);
    for _ in 0..10 {
        phones.iter_mut().for_each(|phone| phone.turn(&mut media, &mut events));
    }
    assert_eq!(events.iter().filter(|event| matches!(event, Event::FirstPacket { .. })).count(), 3);
    media.send(Command::AddRoom { room: RoomId(1), loudest: EVERYONE }, None);
    phones.iter().for_each(|phone| join(&mut media, phone));
    for _ in 0..60 {
        phones.iter_mut().for_each(|phone| phone.turn(&mut media, &mut events));
    }
    assert_eq!(media.load(), [3, 0]);
    for listener in &phones {
        for talker in &phones {
            assert_eq!(listener.hears(talker), listener.leg != talker.leg, "{} hears {}", listener.leg, talker.leg);
        }
    }
    assert!(media.is_healthy());
    media.shutdown();
}

#[test]
fn a_digit_wakes_the_gateway() {
    let mut media = MediaHandle::spawn(Settings::default()).unwrap();
    let mut phone = Phone::new(&mut media, 1, "127.0.0.1:0");
    media.send(Command::CollectDigits { leg: phone.leg, on: true }, None);
    phone.turn(&mut media, &mut vec![]);
    phone.say(101, &[7, 0x0a, 0, 160]);
    let digit = event(&mut media, |event| match event {
        Event::Digit { digit, .. } => Some(*digit),
        _ => None,
    });
    assert_eq!(digit, '7');
}

#[test]
fn a_removed_leg_says_goodbye_and_frees_its_ports() {
    let mut media = MediaHandle::spawn(Settings { threads: 1, realtime: true, ..Settings::default() }).unwrap();
    let mut phone = Phone::new(&mut media, 1, "127.0.0.1:0");
    for _ in 0..5 {
        phone.turn(&mut media, &mut vec![]);
    }
    media.send(Command::RemoveLeg { leg: phone.leg }, None);
    let statistics = event(&mut media, |event| match event {
        Event::LegRemoved { statistics, .. } => Some(statistics.clone()),
        _ => None,
    });
    assert!(statistics.packets_sent >= 5 && statistics.packets_received >= 4, "{statistics:?}");
    UdpSocket::bind(phone.to).expect("the port is free when the leg is gone");
    let mut bytes = [0; 400];
    let length = phone.rtcp.recv(&mut bytes).expect("it was sent before the leg was reported gone");
    let goodbye = rtcp::parse(&bytes[..length]).unwrap().any(|packet| matches!(packet, rtcp::Packet::Bye { .. }));
    assert!(goodbye);
    assert!(media.is_idle());
}

#[test]
fn an_ipv6_socket_serves_an_ipv4_phone() {
    if UdpSocket::bind("[::1]:0").is_err() {
        eprintln!("skipped: no IPv6 here");
        return;
    }
    let mut media = MediaHandle::spawn(Settings::default()).unwrap();
    let mut phone = Phone::new(&mut media, 1, "[::]:0");
    for _ in 0..5 {
        phone.turn(&mut media, &mut vec![]);
    }
    media.send(Command::RemoveLeg { leg: phone.leg }, None);
    let statistics = event(&mut media, |event| match event {
        Event::LegRemoved { statistics, .. } => Some(statistics.clone()),
        _ => None,
    });
    assert_eq!(statistics.packets_foreign, 0);
    assert!(statistics.packets_received >= 4);
}

#[test]
fn what_is_no_media_of_a_browsers_leg_is_handed_aside() {
    let mut media = MediaHandle::spawn(Settings::default()).unwrap();
    let wake = Arc::new(EventFd::from_flags(EfdFlags::EFD_NONBLOCK).unwrap());
    let (aside, mut reader) = crate::webrtc::aside(Arc::clone(&wake));
    let (browser, rtp) = (socket(), UdpSocket::bind("127.0.0.1:0").unwrap());
    let to = rtp.local_addr().unwrap();
    let key = |octet: u8| SrtpKey::new(SrtpSuite::AeadAes128Gcm, &[octet; 28]).unwrap();
    let parameters = MediaParameters {
        ice: true,
        rtcp_mux: true,
        srtp: Some(SrtpKeys { send: key(1), receive: key(2) }),
        ..Phone::parameters(browser.local_addr().unwrap(), browser.local_addr().unwrap())
    };
    let settings = LegSettings {
        parameters,
        seed: 1,
        cname: "leg".into(),
        media_timeout: None,
        collect_digits: false,
        playout: PlayoutCounters::default(),
        processing: VoiceProcessing::default(),
    };
    let add = Command::AddLeg { leg: CallId(1), settings: Box::new(settings) };
    media.send(add, Some(TransportSockets { rtp, rtcp: None, aside: Some(aside) }));
    let hello = [22, 254, 253, 7, 7];
    let media_like = [0x80; 40];
    for datagram in [&media_like[..], &hello[..]] {
        browser.send_to(datagram, to).unwrap();
    }
    let mut waiting = PollFd::new(wake.as_fd(), PollFlags::POLLIN);
    let limit = PollTimeout::try_from(LIMIT).unwrap();
    assert_eq!(poll(std::slice::from_mut(&mut waiting), limit), Ok(1), "the other side is woken");
    let datagram = reader.pop().unwrap();
    assert_eq!((datagram.bytes(), datagram.source), (&hello[..], browser.local_addr().unwrap()));
    assert!(reader.pop().is_none());
    media.shutdown();
}
