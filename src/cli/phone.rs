//! The test phone: the gateway's own endpoint and media engine, used from the other side.

use super::server::now;
use super::wake::media_wake;
use super::{say, tell};
use crate::audio::codec::Libraries;
use crate::audio::tone::Tone;
use crate::dialplan::TrunkTls;
use crate::media::command::{
    Clip, Command, Event as MediaEvent, LegSettings, PlayoutCounters, RecorderSink, VoiceProcessing,
};
use crate::media::thread::{MediaHandle, Settings, TransportSockets};
use crate::net::{Arrival, ListenAddress, PortError, PortRange, TlsPeer, Transports};
use crate::sdp::{self, LocalMedia, Negotiation, SessionDescription};
use crate::sip::message::{Host, NameAddr, Request, StatusCode, Transport, Uri};
use crate::sip::{
    self, Admission, Body, Credentials, EndedBy, Endpoint, EndpointConfig, Event, Flow, InviteId, OutgoingInvite,
    Policy,
};
use crate::types::{
    AudioCodec, CallId, CodecPolicy, Direction, OpusSettings, PlayerId, RecorderId, SampleRate, Seed, UnitId,
};
use bytes::Bytes;
use rand::RngCore;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const LEG: CallId = CallId(1);
const PLAYER: PlayerId = PlayerId(1);
const RECORDER: RecorderId = RecorderId(1);
const DIGIT: Duration = Duration::from_millis(100);
/// How often what was heard is fetched from the recorder's ring.
const FETCH: Duration = Duration::from_millis(100);
/// Samples the ring holds: two seconds at the higher rate.
const RING: usize = 32_000;
/// The rates at which it records.
const NARROW: SampleRate = SampleRate(8_000);
const WIDE: SampleRate = SampleRate(16_000);
/// Patience with the answer to our BYE, and with a connection that takes it slowly.
const GOODBYE: Duration = Duration::from_secs(2);
/// Level of a tone, dBFS.
const TONE_LEVEL: f32 = -15.0;
/// Ports for our own sound.
const PORTS: std::ops::Range<u16> = 30_000..39_998;

/// Why there was no call.
#[derive(Debug, thiserror::Error)]
pub(super) enum PhoneError {
    #[error("{0:?} is no SIP address: write sip:1000@127.0.0.1 or sip:1000@[::1]:5070;transport=tcp")]
    Target(String),
    #[error("{0}: the host name is not found")]
    Host(String),
    #[error("{0} Hz is no tone of a telephone: 20 to 4000")]
    Tone(f64),
    #[error("{0}")]
    Codec(String),
    #[error("{0} is no number of seconds")]
    Time(f64),
    #[error("{}: {}", .0.display(), .1)]
    File(PathBuf, String),
    #[error(transparent)]
    Listen(#[from] crate::net::BindError),
    #[error(transparent)]
    Transport(#[from] crate::net::TransportError),
    #[error(transparent)]
    Ports(#[from] PortError),
    #[error("the system refused: {0}")]
    System(#[from] io::Error),
    #[error("the call failed: {0} {1}")]
    Failed(u16, String),
    #[error("the answer cannot be used: {0}")]
    Answer(String),
}

/// What to say.
pub(super) enum Sound {
    Samples(Vec<i16>),
    Tone(f64),
}

/// The call that is wanted.
pub(super) struct CallOptions {
    pub(super) target: String,
    pub(super) from: String,
    pub(super) local: Option<IpAddr>,
    pub(super) digits: Option<String>,
    pub(super) digits_after: Duration,
    pub(super) sound: Option<Sound>,
    pub(super) length: Duration,
    /// What it speaks, best first.
    pub(super) codecs: Vec<AudioCodec>,
    pub(super) libraries: Libraries,
    pub(super) credentials: Option<Credentials>,
    pub(super) seed: Seed,
}

impl CallOptions {
    /// A number of this call alone.
    fn number(&self) -> u64 {
        self.seed.generator().next_u64()
    }
}

/// Nobody calls a test phone.
struct NoCalls;

impl Policy for NoCalls {
    fn admit(&mut self, _: &Request, _: &Flow) -> Admission {
        Admission::Reject(StatusCode(486))
    }
}

/// What was heard, mono.
pub(super) struct Heard {
    /// 8 kHz, or 16 kHz by a codec that carries more than a telephone.
    pub(super) rate: SampleRate,
    pub(super) samples: Vec<i16>,
}

/// One call.
pub(super) struct Phone {
    endpoint: Endpoint,
    transports: Transports,
    media: MediaHandle,
    invite: InviteId,
    local: LocalMedia,
    offer: SessionDescription,
    negotiation: Option<Negotiation>,
    sockets: Option<TransportSockets>,
    recorded: rtrb::Consumer<i16>,
    recorder: Option<rtrb::Producer<i16>>,
    heard: Heard,
    options: CallOptions,
    answered: Option<Instant>,
    digits_at: Option<Instant>,
    hang_up_at: Option<Instant>,
    over: Option<Result<(), PhoneError>>,
    /// When we leave though the far end has not answered our BYE.
    gone_at: Option<Instant>,
}

impl Phone {
    /// Calls, does what is wished, hangs up. Gives back what was heard.
    pub(super) async fn dial(options: CallOptions) -> Result<Heard, PhoneError> {
        let target =
            Uri::parse(&Bytes::from(options.target.clone())).map_err(|_| PhoneError::Target(options.target.clone()))?;
        let transport = target.transport().unwrap_or(Transport::Udp);
        let remote = look_up(&target).await?;
        let local =
            options.local.unwrap_or_else(|| if remote.is_ipv4() { [0, 0, 0, 0].into() } else { [0_u16; 8].into() });
        let (events, sip) = mpsc::channel(256);
        let listen = ListenAddress { transport, address: SocketAddr::new(local, 0) };
        // A telephone on the test bench: it takes any certificate, and says nothing that is secret.
        let peer = (transport == Transport::Tls).then(|| TlsPeer {
            name: target.host.to_string(),
            settings: TrunkTls { verify: false, ..TrunkTls::default() },
        });
        let listens: &[ListenAddress] = if transport == Transport::Tls { &[] } else { std::slice::from_ref(&listen) };
        let mut transports = Transports::bind(listens, None, events)?;
        let flow = transports.flow_to(transport, remote, peer.as_ref())?;
        let sockets = ports(options.number()).open(flow.local.ip())?;
        let local = LocalMedia {
            address: flow.local.ip(),
            rtp_port: sockets.address.port(),
            rtcp_port: sockets.address.port() + 1,
            codecs: CodecPolicy::exactly(&options.codecs),
            opus: OpusSettings::default(),
            packet_time: Duration::from_millis(20),
            telephone_event: true,
            comfort_noise: false,
            audio_level: false,
            direction: Direction::SendRecv,
            session_id: options.number() >> 1,
            srtp: None,
            webrtc: None,
        };
        let offer = sdp::offer(&local, None);
        let mut endpoint =
            Endpoint::new(EndpointConfig { session_expires: None, ..EndpointConfig::default() }, options.seed);
        let from = NameAddr::new(Uri::sip(Some(options.from.as_str()), Host::Ip(flow.local.ip()), None));
        let mut outgoing = OutgoingInvite::new(flow, from, target, Some(Body::sdp(offer.to_string())));
        outgoing.credentials.clone_from(&options.credentials);
        let invite = endpoint
            .invite(now(), outgoing)
            .map_err(|error| PhoneError::System(io::Error::other(error.to_string())))?;
        let (recorder, recorded) = rtrb::RingBuffer::new(RING);
        let phone = Self {
            endpoint,
            transports,
            media: MediaHandle::spawn(Settings { libraries: options.libraries.clone(), ..Settings::default() })?,
            invite,
            local,
            offer,
            negotiation: None,
            sockets: Some(TransportSockets { rtp: sockets.rtp, rtcp: sockets.rtcp, aside: None }),
            recorded,
            recorder: Some(recorder),
            heard: Heard { rate: NARROW, samples: Vec::new() },
            options,
            answered: None,
            digits_at: None,
            hang_up_at: None,
            over: None,
            gone_at: None,
        };
        phone.run(sip).await
    }

    async fn run(mut self, mut sip: mpsc::Receiver<Arrival>) -> Result<Heard, PhoneError> {
        let media_events = media_wake(&self.media)?;
        let mut fetch = tokio::time::interval(FETCH);
        self.carry_out()?;
        while self.over.is_none() || self.is_saying_goodbye() {
            let wake = [self.endpoint.poll_timeout(), self.digits_at, self.hang_up_at, self.gone_at];
            let wake = wake.into_iter().flatten().min();
            tokio::select! {
                Some(arrival) = sip.recv() => self.endpoint.handle_input(now(), arrival.input, &mut NoCalls),
                Ok(mut ready) = media_events.readable() => {
                    ready.clear_ready();
                    self.take_media_events();
                }
                _ = fetch.tick() => self.fetch(),
                () = sleep_until(wake) => self.on_time(),
                _ = tokio::signal::ctrl_c() => self.hang_up(),
            }
            self.carry_out()?;
        }
        // What we said last over TCP is still to be written.
        self.transports.close(GOODBYE).await;
        self.over.unwrap_or(Ok(())).map(|()| self.heard)
    }

    fn on_time(&mut self) {
        let time = now();
        if self.digits_at.is_some_and(|at| at <= time.instant) {
            self.digits_at = None;
            if let Some(digits) = self.options.digits.take() {
                self.media.send(Command::SendDigits { leg: LEG, digits, duration: DIGIT }, None);
            }
        }
        if self.hang_up_at.is_some_and(|at| at <= time.instant) {
            self.hang_up();
        }
        if self.endpoint.poll_timeout().is_some_and(|at| at <= time.instant) {
            self.endpoint.handle_timeout(time);
        }
    }

    fn hang_up(&mut self) {
        self.hang_up_at = None;
        if self.endpoint.hangup(now(), self.invite, None).is_err() {
            self.over.get_or_insert(Ok(()));
        }
    }

    /// The call is over for us, and the far end does not yet know.
    fn is_saying_goodbye(&mut self) -> bool {
        let counts = self.endpoint.counts();
        let now = now().instant;
        let gone_at = *self.gone_at.get_or_insert_with(|| {
            self.media.send(Command::RemoveLeg { leg: LEG }, None);
            now + GOODBYE
        });
        now < gone_at && counts.calls > 0
    }

    fn take_media_events(&mut self) {
        self.media.acknowledge();
        while let Some(event) = self.media.poll_event() {
            match event {
                // A digit that comes to us is a sign of life worth showing; the far end is not typing a PIN.
                MediaEvent::Digit { digit, .. } => say(format_args!("heard digit {digit}")),
                MediaEvent::Refused { unit, reason } => tell(format_args!("partyline: {unit}: {reason}")),
                _ => {}
            }
        }
    }

    fn fetch(&mut self) {
        let waiting = self.recorded.slots();
        if let Ok(chunk) = self.recorded.read_chunk(waiting) {
            self.heard.samples.extend(chunk);
        }
    }

    fn carry_out(&mut self) -> Result<(), PhoneError> {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                sip::Output::Transmit { flow, bytes, hurried } => {
                    if self.transports.transmit_as(flow, bytes, hurried).is_err() {
                        self.endpoint.handle_input(now(), sip::Input::SendFailed { flow }, &mut NoCalls);
                    }
                }
                sip::Output::Event(event) => self.on_event(event)?,
                sip::Output::Trace(_) => {}
            }
        }
        Ok(())
    }

    fn on_event(&mut self, event: Event) -> Result<(), PhoneError> {
        match event {
            Event::Progress { status, .. } => say(format_args!("{} {}", status.0, status.reason())),
            Event::Answered { body, .. } => self.on_answered(body.as_ref())?,
            Event::Offer { invite, body, .. } => {
                let answer = self.answer(body.as_ref());
                if self.endpoint.answer_offer(now(), invite, answer).is_err() {
                    tell("partyline: an offer came too late to be answered");
                }
            }
            Event::Failed { status, response, .. } => {
                let reason =
                    response.map_or_else(|| status.reason().to_owned(), |response| response.reason.to_string());
                self.over = Some(Err(PhoneError::Failed(status.0, reason)));
            }
            Event::Ended { by, .. } => {
                say(if by == EndedBy::Local { "hung up" } else { "the far end hung up" });
                self.over.get_or_insert(Ok(()));
            }
            _ => {}
        }
        Ok(())
    }

    fn on_answered(&mut self, body: Option<&Bytes>) -> Result<(), PhoneError> {
        say("answered");
        let answer = body.ok_or_else(|| PhoneError::Answer("it has no session description".into()))?;
        let answer = SessionDescription::parse(answer).map_err(|error| PhoneError::Answer(error.to_string()))?;
        let negotiation = sdp::accept_answer(&self.offer, &answer, &self.local)
            .map_err(|refusal| PhoneError::Answer(refusal.to_string()))?;
        let settings = LegSettings {
            parameters: negotiation.parameters.clone(),
            seed: self.options.number(),
            cname: format!("{:016x}", self.options.number()),
            media_timeout: None,
            collect_digits: false,
            playout: PlayoutCounters::default(),
            processing: VoiceProcessing::default(),
        };
        self.heard.rate = negotiation.parameters.codec.sample_rate().min(WIDE);
        self.negotiation = Some(negotiation);
        self.media.send(Command::AddLeg { leg: LEG, settings: Box::new(settings) }, self.sockets.take());
        let sink = RecorderSink(Arc::new(Mutex::new(self.recorder.take())));
        self.media.send(
            Command::AddRecorder { recorder: RECORDER, sink, rate: self.heard.rate, less: None, ear: false },
            None,
        );
        self.connect(UnitId::Leg(LEG), UnitId::Recorder(RECORDER));
        if let Some(sound) = self.options.sound.take() {
            let samples = match sound {
                Sound::Samples(samples) => samples,
                // A whole number of periods for every whole number of Hz, so that the loop has no seam.
                Sound::Tone(hertz) => Tone::sine(hertz, TONE_LEVEL).samples(Duration::from_secs(1)),
            };
            self.media.send(Command::AddPlayer { player: PLAYER, clips: vec![Clip::Loop(samples.into())] }, None);
            self.connect(UnitId::Player(PLAYER), UnitId::Leg(LEG));
        }
        let answered = now().instant;
        self.answered = Some(answered);
        self.digits_at = self.options.digits.as_ref().map(|_| answered + self.options.digits_after);
        self.hang_up_at = Some(answered + self.options.length);
        Ok(())
    }

    fn connect(&mut self, source: UnitId, sink: UnitId) {
        self.media.send(Command::Connect { source, sink }, None);
    }

    fn answer(&mut self, offer: Option<&Bytes>) -> Result<Body, StatusCode> {
        let Some(offer) = offer else {
            return Ok(Body::sdp(sdp::offer(&self.local, self.negotiation.as_ref()).to_string()));
        };
        let offer = SessionDescription::parse(offer).map_err(|error| StatusCode(error.status()))?;
        let negotiation = sdp::answer(&offer, &self.local, self.negotiation.as_ref())
            .map_err(|refusal| StatusCode(refusal.status()))?;
        let body = Body::sdp(negotiation.local.to_string());
        let parameters = Box::new(negotiation.parameters.clone());
        self.media.send(Command::UpdateLeg { leg: LEG, parameters }, None);
        self.negotiation = Some(negotiation);
        Ok(body)
    }
}

/// Begins at a place of its own, so that what is still on its way to the call before does not reach this one.
fn ports(seed: u64) -> PortRange {
    let places = u64::from(PORTS.end - PORTS.start) / 2;
    let offset = u16::try_from(seed % places).unwrap_or(0) * 2;
    PortRange::new(PORTS.start + offset, PORTS.end, 46)
}

async fn look_up(target: &Uri) -> Result<SocketAddr, PhoneError> {
    let port = target.port.unwrap_or(target.transport().unwrap_or(Transport::Udp).default_port());
    match &target.host {
        Host::Ip(address) => Ok(SocketAddr::new(*address, port)),
        Host::Name(name) => {
            let name = name.to_string();
            let found = tokio::net::lookup_host((name.as_str(), port)).await;
            let first = found.ok().and_then(|mut found| found.next());
            first.ok_or(PhoneError::Host(name))
        }
    }
}

async fn sleep_until(wake: Option<Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake.into()).await,
        None => std::future::pending().await,
    }
}
