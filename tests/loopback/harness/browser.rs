//! A scripted browser: str0m's WebRTC, its offers and answers carried by SIP over UDP.

use super::gateway::Gateway;
use super::sound;
use partyline::audio::codec::g711;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::media::{Direction, Frequency, MediaKind, MediaTime, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc};

/// How long a response may take.
const LIMIT: Duration = Duration::from_secs(5);
/// Sound in a packet, and its octets.
const PACKET: Duration = Duration::from_millis(20);
const OCTETS: usize = 160;

/// A browser in a call.
pub struct Browser {
    sip: UdpSocket,
    gateway: String,
    call: Dialog,
    media: Line,
    here: SocketAddr,
    rtc: Rtc,
    mid: Mid,
    /// What it says, µ-law, over and over; from where it goes on.
    tone: Vec<u8>,
    said: usize,
    next: Instant,
    connected: bool,
    heard: Vec<i16>,
    /// The other side is to hear nothing of it any more, as where its network is gone.
    pub is_cut_off: bool,
}

/// What its packets go by.
enum Line {
    Udp(UdpSocket),
    /// A connection to the gateway (RFC 6544), and what has come of it and is no whole frame yet.
    Tcp(TcpStream, Vec<u8>),
}

impl Line {
    fn local(&self) -> SocketAddr {
        match self {
            Self::Udp(socket) => socket.local_addr().unwrap(),
            Self::Tcp(stream, _) => stream.local_addr().unwrap(),
        }
    }

    const fn protocol(&self) -> Protocol {
        match self {
            Self::Udp(_) => Protocol::Udp,
            Self::Tcp(..) => Protocol::Tcp,
        }
    }

    fn send(&mut self, to: SocketAddr, bytes: &[u8]) {
        match self {
            Self::Udp(socket) => drop(socket.send_to(bytes, to).unwrap()),
            Self::Tcp(stream, _) => {
                let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
                // It may have been torn.
                let _ = stream.write_all(&[&length, bytes].concat());
            }
        }
    }

    /// What comes within `wait`, and where from.
    fn receive(&mut self, wait: Duration) -> Option<(Vec<u8>, SocketAddr)> {
        let mut bytes = [0; 2_000];
        match self {
            Self::Udp(socket) => {
                socket.set_read_timeout(Some(wait)).unwrap();
                let (length, source) = socket.recv_from(&mut bytes).ok()?;
                Some((bytes[..length].to_vec(), source))
            }
            Self::Tcp(stream, waiting) => {
                let whole = |waiting: &[u8]| {
                    let length = usize::from(u16::from_be_bytes(*waiting.first_chunk()?));
                    (waiting.len() >= 2 + length).then_some(length)
                };
                if whole(waiting).is_none() {
                    stream.set_read_timeout(Some(wait)).unwrap();
                    let length = stream.read(&mut bytes).ok()?;
                    waiting.extend_from_slice(&bytes[..length]);
                    if length == 0 {
                        std::thread::sleep(wait);
                    }
                }
                let length = whole(waiting)?;
                let frame = waiting.drain(..2 + length).skip(2).collect();
                Some((frame, stream.peer_addr().ok()?))
            }
        }
    }
}

/// What requests within the call are made of.
struct Dialog {
    id: String,
    to: String,
    target: String,
    sequence: u32,
}

impl Browser {
    /// Calls `number`, saying a tone. `change` may change the offer on its way.
    pub fn calls(
        number: &str,
        hertz: f64,
        gateway: &Gateway,
        change: impl FnOnce(String) -> String,
    ) -> Result<Self, u16> {
        Self::calls_by(Line::Udp(UdpSocket::bind("127.0.0.1:0").unwrap()), number, hertz, gateway, change)
    }

    /// The same from a network that lets nothing out but TCP.
    pub fn calls_by_tcp(number: &str, hertz: f64, gateway: &Gateway) -> Result<Self, u16> {
        let line = Line::Tcp(TcpStream::connect(gateway.ice_tcp_place()).unwrap(), Vec::new());
        Self::calls_by(line, number, hertz, gateway, |offer| offer)
    }

    fn calls_by(
        media: Line,
        number: &str,
        hertz: f64,
        gateway: &Gateway,
        change: impl FnOnce(String) -> String,
    ) -> Result<Self, u16> {
        let sip = UdpSocket::bind("127.0.0.1:0").unwrap();
        sip.set_read_timeout(Some(LIMIT)).unwrap();
        let here = media.local();
        let mut rtc = Rtc::builder().clear_codecs().enable_pcmu(true, false).build(Instant::now());
        rtc.add_local_candidate(Candidate::host(here, media.protocol()).unwrap());
        let mut api = rtc.sdp_api();
        let mid = api.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        let (offer, pending) = api.apply().unwrap();
        let id = format!("browser-{}", here.port());
        let call = Dialog { id, to: String::new(), target: format!("sip:{number}@{}", gateway.place()), sequence: 0 };
        let mut browser = Self {
            sip,
            gateway: gateway.place(),
            call,
            media,
            here,
            rtc,
            mid,
            tone: sound::tone_as_ulaw(hertz, Duration::from_secs(1)),
            said: 0,
            next: Instant::now(),
            connected: false,
            heard: Vec::new(),
            is_cut_off: false,
        };
        browser.offer(offer, pending, change)?;
        Ok(browser)
    }

    /// Begins ICE anew.
    pub fn restarts_ice(&mut self) {
        let mut api = self.rtc.sdp_api();
        api.ice_restart(true);
        let (offer, pending) = api.apply().unwrap();
        self.offer(offer, pending, |offer| offer).unwrap();
    }

    /// Its connection is torn, and it makes another, for which ICE begins anew.
    pub fn connects_again(&mut self, gateway: &Gateway) {
        let stream = TcpStream::connect(gateway.ice_tcp_place()).unwrap();
        self.media = Line::Tcp(stream, Vec::new());
        self.here = self.media.local();
        let mut api = self.rtc.sdp_api();
        api.ice_restart(false);
        let (offer, pending) = api.apply().unwrap();
        self.offer(offer, pending, |offer| offer).unwrap();
        // The answer has put away those of before.
        self.rtc.add_local_candidate(Candidate::host(self.here, Protocol::Tcp).unwrap());
    }

    fn offer(
        &mut self,
        offer: SdpOffer,
        pending: SdpPendingOffer,
        change: impl FnOnce(String) -> String,
    ) -> Result<(), u16> {
        self.send("INVITE", Some(&change(offer.to_sdp_string())));
        let response = self.final_response("INVITE");
        let status: u16 = response[8..11].parse().unwrap();
        self.call.to = header(&response, "To");
        self.call.target = match header(&response, "Contact").trim_matches(['<', '>']) {
            "" => self.call.target.clone(),
            contact => contact.to_owned(),
        };
        self.send("ACK", None);
        if status != 200 {
            return Err(status);
        }
        let (_, body) = response.split_once("\r\n\r\n").unwrap();
        let answer = SdpAnswer::from_sdp_string(body).unwrap_or_else(|error| panic!("{error}: {body}"));
        self.rtc.sdp_api().accept_answer(pending, answer).unwrap_or_else(|error| panic!("{error}: {body}"));
        self.drain();
        Ok(())
    }

    /// Talks and listens for a while.
    pub fn talks_for(&mut self, time: Duration) {
        let end = Instant::now() + time;
        self.talks_until(end, |_| false);
    }

    /// Talks and listens until it is connected.
    pub fn connects(&mut self) {
        let end = Instant::now() + LIMIT;
        assert!(self.talks_until(end, |browser| browser.connected), "a browser did not connect");
    }

    fn talks_until(&mut self, end: Instant, done: impl Fn(&Self) -> bool) -> bool {
        loop {
            let due = self.drain();
            let now = Instant::now();
            if done(self) || now >= end {
                return done(self);
            }
            if now >= self.next {
                self.next += PACKET;
                self.say(now);
                continue;
            }
            let wait = due.min(self.next).min(end).saturating_duration_since(now);
            let received = self.media.receive(wait.max(Duration::from_millis(1)));
            let now = Instant::now();
            let input = match &received {
                Some((bytes, source)) => match Receive::new(self.media.protocol(), *source, self.here, bytes) {
                    Ok(receive) => Input::Receive(now, receive),
                    Err(_) => continue,
                },
                None => Input::Timeout(now),
            };
            self.rtc.handle_input(input).unwrap();
        }
    }

    fn say(&mut self, now: Instant) {
        let Some(writer) = self.rtc.writer(self.mid).filter(|_| self.connected) else { return };
        let pt = writer.payload_params().next().unwrap().pt();
        let at = self.said * OCTETS % self.tone.len();
        let time = MediaTime::new((self.said * OCTETS) as u64, Frequency::EIGHT_KHZ);
        writer.write(pt, now, time, self.tone[at..at + OCTETS].to_vec()).unwrap();
        self.said += 1;
    }

    /// Sends and takes all that there is. Gives when there is something to do.
    fn drain(&mut self) -> Instant {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(due) => return due,
                Output::Transmit(transmit) => {
                    if !self.is_cut_off {
                        self.media.send(transmit.destination, &transmit.contents);
                    }
                }
                Output::Event(Event::Connected) => {
                    self.connected = true;
                    self.next = Instant::now();
                }
                Output::Event(Event::MediaData(data)) => {
                    let mut samples = vec![0; data.data.len()];
                    g711::decode_ulaw(&data.data, &mut samples);
                    self.heard.extend(samples);
                }
                Output::Event(_) => {}
            }
        }
    }

    /// Hangs up. Gives what it heard, mono at 8 kHz.
    pub fn hangs_up(mut self) -> Vec<i16> {
        self.send("BYE", None);
        assert!(self.final_response("BYE").starts_with("SIP/2.0 200"));
        self.heard
    }

    /// Waits for the gateway to hang up. Gives its BYE.
    pub fn is_hung_up(&mut self, limit: Duration) -> String {
        let end = Instant::now() + limit;
        let mut bytes = [0; 8_000];
        loop {
            self.talks_for(Duration::from_millis(20));
            self.sip.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
            if let Ok(length) = self.sip.recv(&mut bytes) {
                let message = String::from_utf8_lossy(&bytes[..length]).into_owned();
                if message.starts_with("BYE ") {
                    let copied = ["Via", "From", "To", "Call-ID", "CSeq"]
                        .map(|name| format!("{name}: {}\r\n", header(&message, name)));
                    let response = format!("SIP/2.0 200 OK\r\n{}Content-Length: 0\r\n\r\n", copied.concat());
                    self.sip.send_to(response.as_bytes(), self.gateway.as_str()).unwrap();
                    return message;
                }
            }
            assert!(Instant::now() < end, "the gateway did not hang up");
        }
    }

    fn send(&mut self, method: &str, body: Option<&str>) {
        if method != "ACK" {
            self.call.sequence += 1;
        }
        let Self { sip, gateway, call: Dialog { id, to, target, sequence }, .. } = self;
        let here = sip.local_addr().unwrap();
        let to = if to.is_empty() { format!("<{target}>") } else { to.clone() };
        let body = body.unwrap_or_default();
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let message = format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK-{id}-{method}-{sequence}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:1009@{here}>;tag={id}\r\nTo: {to}\r\nCall-ID: {id}\r\n\
             CSeq: {sequence} {method}\r\nContact: <sip:1009@{here}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        sip.send_to(message.as_bytes(), gateway.as_str()).unwrap();
    }

    /// The final response to the last request.
    fn final_response(&mut self, method: &str) -> String {
        let mut bytes = [0; 8_000];
        self.sip.set_read_timeout(Some(LIMIT)).unwrap();
        loop {
            let length = self.sip.recv(&mut bytes).expect("a response");
            let message = String::from_utf8_lossy(&bytes[..length]).into_owned();
            let is_ours = header(&message, "CSeq") == format!("{} {method}", self.call.sequence);
            if message.starts_with("SIP/2.0 ") && !message.starts_with("SIP/2.0 1") && is_ours {
                return message;
            }
        }
    }
}

/// The value of a header, empty if it is not there.
pub fn header(message: &str, name: &str) -> String {
    let lines = message.lines().take_while(|line| !line.is_empty());
    let value = lines.filter_map(|line| line.split_once(':')).find(|(known, _)| known.eq_ignore_ascii_case(name));
    value.map_or_else(String::new, |(_, value)| value.trim().to_owned())
}
