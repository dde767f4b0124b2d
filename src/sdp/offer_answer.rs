//! Offers and answers (RFC 3264) as pure functions.

use super::audio::{AudioLine, HostPort, has, target};
use super::crypto::Crypto;
use super::description::{Attribute, MediaDescription, NetAddress, SessionDescription};
use super::error::Refusal;
use super::local::{LocalMedia, Numbers, common, fit_packet_time};
use super::security::{self, Agreed, Profile};
use super::webrtc::{self, Described, Setup};
use crate::types::{AudioCodec, CodecPolicy, Direction, MediaParameters, WebRtcPeer};
use std::net::IpAddr;

/// What an offer and an answer settled, kept for the next exchange of the same dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiation {
    /// Our description, as sent: the answer to the peer's offer, or our offer that was answered.
    pub local: SessionDescription,
    /// What the media plane does with it. `accept_from` is empty: the gateway knows the trunk.
    pub parameters: MediaParameters,
    /// Which `m=` line is the call's audio, counted from 0.
    pub audio_line: usize,
    /// Where the peer wants packets, where it gave a name: to be resolved, and set by [`Negotiation::resolved`].
    pub host: Option<HostPort>,
    /// The peer's ICE and DTLS, where the transport is that of WebRTC: where packets go, and under which keys, is
    /// settled with it.
    pub webrtc: Option<Box<WebRtcPeer>>,
    /// The version last used in `o=`, by an offer that failed perhaps.
    last_version: u64,
}

impl Negotiation {
    /// Notes that `offer` was sent and refused, while what was settled before goes on: its version is used up.
    pub fn offer_failed(&mut self, offer: &SessionDescription) {
        self.last_version = self.last_version.max(offer.origin.version);
    }

    /// The name in [`Negotiation::host`] stands for this address: packets may be sent there.
    pub fn resolved(&mut self, address: IpAddr) {
        let Some(host) = self.host.take() else { return };
        self.parameters.remote_rtp = target(address, host.rtp);
        let rtcp = if self.parameters.rtcp_mux { Some(host.rtp) } else { host.rtcp };
        self.parameters.remote_rtcp = rtcp.and_then(|port| target(address, port));
    }

    /// Whether an offer of the peer begins ICE anew (RFC 8839 section 4.4.1.1.1): our credentials have to be new as
    /// well.
    #[must_use]
    pub fn is_restarted_by(&self, offer: &SessionDescription) -> bool {
        let line = offer.media.get(self.audio_line);
        let ice = line.and_then(|line| Described::read(offer, line).into_ice());
        self.webrtc.as_ref().zip(ice).is_some_and(|(before, ice)| before.ice != ice)
    }

    fn new(local: SessionDescription, parameters: MediaParameters, audio_line: usize, host: Option<HostPort>) -> Self {
        Self { last_version: local.origin.version, local, parameters, audio_line, host, webrtc: None }
    }
}

/// Answers the peer's `offer`, the first of a dialog or a later one (`previous`).
///
/// One audio line is accepted: the one in use, else the first that is open, over RTP/AVP or RTP/AVPF, or RTP/SAVP or
/// RTP/SAVPF with a key that can be used, with a codec of ours; of several one that is SRTP. All others are refused
/// with port 0, in place, so that the answer has the offer's lines in the offer's order. Codecs are answered in the
/// offerer's order, or in ours where the policy says so, as far as they are ours, under the offer's payload types, none
/// of a higher sample rate than the first, which is what we send. The packet time is what the peer asks for (`ptime`,
/// within `maxptime`), rounded down to one of [`super::PACKET_TIMES`] that the codec has, else ours. A hold address
/// (RFC 2543: `c=0.0.0.0`, also `::`) counts as "the peer does not listen".
///
/// Within a dialog an offer that switches every line off is answered so; the call is then kept without sound.
///
/// # Errors
/// There is no acceptable audio line; within a dialog, the call then stays as it was.
pub fn answer(
    offer: &SessionDescription,
    local: &LocalMedia,
    previous: Option<&Negotiation>,
) -> Result<Negotiation, Refusal> {
    let Chosen { index, peer, agreed } = match choose(offer, local, previous) {
        Ok(chosen) => chosen,
        Err(refusal) => return switched_off(offer, local, previous).ok_or(refusal),
    };
    let line = offer.media.get(index).ok_or(Refusal::NoAudio)?;
    let numbers = Numbers::for_answer(local, &peer);
    let &(send_payload_type, codec) = numbers.codecs.first().ok_or(Refusal::NoCommonCodec)?;
    let packet_time = peer.packet_time(local.packet_time, codec);
    let direction = meet(local.direction, peer.direction);
    let mid = webrtc::mid(Some(line));
    let secured = match &agreed {
        Agreed::Plain => Vec::new(),
        Agreed::Keyed { line, .. } => vec![line.attribute()],
        Agreed::WebRtc(peer) => local.webrtc_attributes(Setup::Is(peer.role), mid),
    };
    let audio = local.audio_line(&line.protocol, &numbers, packet_time, direction, peer.rtcp_mux, secured);
    let group = local.webrtc.as_ref().and_then(|_| webrtc::bundle(mid, Some(offer)));
    let description = with_audio_at(&offer.media, index, audio, local, previous, group);
    let (srtp, webrtc) = agreed.into_parts();
    let parameters = MediaParameters {
        remote_rtp: peer.rtp,
        remote_rtcp: if peer.rtcp_mux { peer.rtp } else { peer.rtcp },
        rtcp_mux: peer.rtcp_mux,
        direction,
        codec,
        send_payload_type,
        receive_payload_types: numbers.codecs,
        send_packet_time: packet_time,
        send_telephone_event: at_clock(&numbers.telephone_events, codec.clock_rate()),
        send_comfort_noise: at_clock(&numbers.comfort_noise, codec.clock_rate()),
        receive_telephone_events: numbers.telephone_events.into(),
        receive_comfort_noise: numbers.comfort_noise.into(),
        receive_audio_level: numbers.audio_level.map(|level| level.id),
        receive_redundancy: numbers.redundancy,
        send_redundancy: numbers.redundancy,
        send_contributors: webrtc.is_some(),
        send_contributor_levels: numbers.contributor_levels.map(|levels| levels.id),
        opus: peer.opus.limit(local.opus),
        accept_from: Vec::new(),
        ice: webrtc.is_some(),
        srtp,
    };
    Ok(Negotiation { webrtc, ..Negotiation::new(description, parameters, index, peer.host) })
}

/// Makes an offer: the first of a dialog, or a later one that keeps the session's identity, its `m=` lines (those
/// refused before stay so) and the meaning of its payload types. rtcp-mux is offered only where it is in use; SRTP on
/// an RTP/SAVP line where it is required, else by keys on an RTP/AVP line (RFC 8643).
#[must_use]
pub fn offer(local: &LocalMedia, previous: Option<&Negotiation>) -> SessionDescription {
    let line = previous.and_then(|before| before.local.media.get(before.audio_line));
    let line = line.filter(|line| line.is_audio() && Profile::of(&line.protocol).is_some());
    let mid = webrtc::mid(line);
    let (protocol, numbers, rtcp_mux) = match (previous, line) {
        (Some(before), Some(line)) => {
            let ours = AudioLine::read(&before.local, line, None);
            let numbers = Numbers::for_offer(local, Some(&ours), Some(before.parameters.codec));
            (line.protocol.as_str(), numbers, before.parameters.rtcp_mux)
        }
        _ if local.webrtc.is_some() => ("UDP/TLS/RTP/SAVPF", Numbers::for_offer(local, None, None), true),
        _ if local.srtp.as_ref().is_some_and(|srtp| srtp.required) => {
            ("RTP/SAVP", Numbers::for_offer(local, None, None), false)
        }
        _ => ("RTP/AVP", Numbers::for_offer(local, None, None), false),
    };
    let packet_time = match numbers.codecs.first() {
        Some((_, codec)) => fit_packet_time(local.packet_time, *codec),
        None => local.packet_time,
    };
    let in_use = previous.and_then(|before| before.parameters.srtp.as_ref());
    let (secured, group) = if local.webrtc.is_some() {
        (local.webrtc_attributes(Setup::ActPass, mid), webrtc::bundle(mid, None))
    } else {
        let crypto = security::offered(local.srtp.as_ref(), in_use);
        (crypto.iter().map(Crypto::attribute).collect(), None)
    };
    let audio = local.audio_line(protocol, &numbers, packet_time, local.direction, rtcp_mux, secured);
    match previous {
        Some(before) => with_audio_at(&before.local.media, before.audio_line, audio, local, previous, group),
        None => with_audio_at(&[], 0, audio, local, None, group),
    }
}

/// Takes the peer's `answer` to our `offer`; `local` is what the offer was made of.
///
/// We send what the answer puts first of what we offered, under the answer's payload type, and receive under ours,
/// whichever codec of our offer arrives. Tolerated: too many or too few `m=` lines, another position of the audio line,
/// codecs that were not offered (ignored), payload types changed, dynamic ones left unexplained (they mean what the
/// offer said), rtcp-mux that was not offered (ignored), a direction that does not match (the common part holds).
///
/// # Errors
/// The answer has no audio line or turns it down, has no codec of the offer, changes the transport, or names no key of
/// ours where SRTP is required or keys are named.
pub fn accept_answer(
    offer: &SessionDescription,
    answer: &SessionDescription,
    local: &LocalMedia,
) -> Result<Negotiation, Refusal> {
    let is_ours = |line: &MediaDescription| line.is_audio() && line.port != 0;
    let index = offer.media.iter().position(is_ours).ok_or(Refusal::NoAudio)?;
    let line = offer.media.get(index).ok_or(Refusal::NoAudio)?;
    let ours = AudioLine::read(offer, line, None);

    let in_place = answer.media.get(index).into_iter();
    let mut audio = in_place.chain(&answer.media).filter(|line| line.is_audio());
    // The line in its place, where it is one of ours; what has nothing to do with RTP may stand before it.
    let is_usable = |line: &&MediaDescription| Profile::of(&line.protocol).is_some() && usable(answer, line).is_ok();
    let reply = audio.clone().find(is_usable).or_else(|| audio.next()).ok_or(Refusal::AnswerWithoutAudio)?;
    usable(answer, reply)?;
    if reply.port == 0 {
        return Err(Refusal::AudioDeclined);
    }
    // AVP for AVPF and the reverse is common and harmless: we need no feedback.
    let peer = AudioLine::read(answer, reply, Some(&ours));
    let required = local.srtp.as_ref().is_some_and(|srtp| srtp.required);
    let (srtp, webrtc) = security::for_answered((&line.protocol, &ours), (&reply.protocol, &peer), required)?;
    let offered = ours.codecs.iter().map(|(_, codec)| *codec).collect();
    let answered = common(&peer, &CodecPolicy { accepted: offered, ..CodecPolicy::default() });
    let &(send_payload_type, codec) = answered.first().ok_or(Refusal::NoCommonCodec)?;
    // What is of a higher rate than all that was answered does not come: no decoder has to wait for it.
    let is_answered = |codec: &AudioCodec| answered.iter().any(|(_, known)| known == codec);
    let received =
        ours.codecs.iter().copied().filter(|(_, ours)| is_answered(ours) || ours.sample_rate() <= codec.sample_rate());
    let received = received.collect();
    let rtcp_mux = ours.rtcp_mux && peer.rtcp_mux;
    let send_events = both(&peer.telephone_events, &ours.telephone_events);
    let send_noise = both(&peer.comfort_noise, &ours.comfort_noise);
    let audio_level = ours.audio_level.zip(peer.audio_level);
    let audio_level = audio_level.filter(|(ours, theirs)| ours.id == theirs.id && theirs.direction.sends());
    let told = ours.contributor_levels.zip(peer.contributor_levels);
    let told = told.filter(|(ours, theirs)| ours.id == theirs.id && theirs.direction.receives());
    let parameters = MediaParameters {
        remote_rtp: peer.rtp,
        remote_rtcp: if rtcp_mux { peer.rtp } else { peer.rtcp },
        rtcp_mux,
        direction: meet(ours.direction, peer.direction),
        codec,
        send_payload_type,
        receive_payload_types: received,
        send_packet_time: peer.packet_time(local.packet_time, codec),
        send_telephone_event: at_clock(&send_events, codec.clock_rate()),
        send_comfort_noise: at_clock(&send_noise, codec.clock_rate()),
        receive_telephone_events: both(&ours.telephone_events, &peer.telephone_events).into(),
        receive_comfort_noise: both(&ours.comfort_noise, &peer.comfort_noise).into(),
        receive_audio_level: audio_level.map(|(ours, _)| ours.id),
        receive_redundancy: ours.redundancy.filter(|_| peer.redundancy.is_some()),
        send_redundancy: peer.redundancy.filter(|_| ours.redundancy.is_some() && codec == AudioCodec::Opus),
        send_contributors: webrtc.is_some(),
        send_contributor_levels: told.map(|(ours, _)| ours.id),
        opus: peer.opus.limit(local.opus),
        accept_from: Vec::new(),
        ice: webrtc.is_some(),
        srtp,
    };
    Ok(Negotiation { webrtc, ..Negotiation::new(offer.clone(), parameters, index, peer.host) })
}

/// The audio line to accept, what it says, and its keys if it is to be SRTP.
struct Chosen {
    index: usize,
    peer: AudioLine,
    agreed: Agreed,
}

/// The audio line to accept.
fn choose(offer: &SessionDescription, local: &LocalMedia, previous: Option<&Negotiation>) -> Result<Chosen, Refusal> {
    let mut refusal = Refusal::NoAudio;
    let mut first: Option<Chosen> = None;
    for (index, line) in offer.media.iter().enumerate() {
        if !line.is_audio() || (line.port == 0 && line.fault.is_none()) {
            continue;
        }
        if let Err(why) = usable(offer, line) {
            if refusal == Refusal::NoAudio {
                refusal = why;
            }
            continue;
        }
        let peer = AudioLine::read(offer, line, None);
        let before = previous.and_then(|before| before.webrtc.as_deref());
        let agreed = match security::for_offered(&line.protocol, &peer, local, before) {
            Ok(agreed) => agreed,
            Err(why) => {
                if refusal == Refusal::NoAudio {
                    refusal = why;
                }
                continue;
            }
        };
        if common(&peer, &local.codecs).is_empty() {
            refusal = Refusal::NoCommonCodec;
            continue;
        }
        let chosen = Chosen { index, peer, agreed };
        if previous.is_some_and(|before| before.audio_line == index) {
            return Ok(chosen);
        }
        // Lines for the same sound, one plain and one not, are an old way to leave us the choice.
        if first.as_ref().is_none_or(|first| first.agreed == Agreed::Plain && chosen.agreed != Agreed::Plain) {
            first = Some(chosen);
        }
    }
    first.ok_or(refusal)
}

/// Whether an open line and its address can be read.
fn usable(session: &SessionDescription, line: &MediaDescription) -> Result<(), Refusal> {
    if let Some(fault) = &line.fault {
        return Err(Refusal::Unreadable(fault.clone()));
    }
    match line.connection.as_ref().or(session.connection.as_ref()) {
        Some(NetAddress::Unreadable(text)) => Err(Refusal::NoAddress(text.chars().take(80).collect())),
        _ => Ok(()),
    }
}

/// The answer to an offer within a dialog that switches every line off; `None` when it is not that.
fn switched_off(offer: &SessionDescription, local: &LocalMedia, previous: Option<&Negotiation>) -> Option<Negotiation> {
    let before = previous?;
    let is_on = |line: &MediaDescription| line.port != 0 || (line.is_audio() && line.fault.is_some());
    if offer.media.is_empty() || offer.media.iter().any(is_on) {
        return None;
    }
    let media = offer.media.iter().map(MediaDescription::refused).collect();
    let description = versioned(local.describe(media), previous);
    let parameters = MediaParameters {
        remote_rtp: None,
        remote_rtcp: None,
        direction: Direction::Inactive,
        ..before.parameters.clone()
    };
    // Where sound may come back: the line in use, else another, else one that a later offer of ours adds.
    let is_audio = |index: &usize| description.media.get(*index).is_some_and(MediaDescription::is_audio);
    let lines = description.media.len();
    let audio_line = std::iter::once(before.audio_line).chain(0..lines).find(is_audio).unwrap_or(lines);
    Some(Negotiation::new(description, parameters, audio_line, None))
}

/// Our description with `audio` at `index` and every other of `lines` refused in place.
fn with_audio_at(
    lines: &[MediaDescription],
    index: usize,
    audio: MediaDescription,
    local: &LocalMedia,
    previous: Option<&Negotiation>,
    group: Option<Attribute>,
) -> SessionDescription {
    let refused = if local.webrtc.is_some() { webrtc::refused } else { MediaDescription::refused };
    let mut media: Vec<MediaDescription> = lines.iter().map(refused).collect();
    match media.get_mut(index) {
        Some(line) => *line = audio,
        None => media.push(audio),
    }
    let mut description = local.describe(media);
    description.attributes.extend(group);
    versioned(description, previous)
}

/// The same description under the session's identity; the version grows by one exactly when anything has changed since
/// the description sent last (RFC 3264 section 8).
fn versioned(mut description: SessionDescription, previous: Option<&Negotiation>) -> SessionDescription {
    if let Some(before) = previous {
        description.origin.session_id = before.local.origin.session_id;
        description.origin.version = before.last_version;
        if description != before.local {
            description.origin.version = before.last_version.saturating_add(1);
        }
    }
    description
}

/// The numbers of one side whose clock rate the other side has too.
fn both(numbers: &[(u8, u32)], other: &[(u8, u32)]) -> Vec<(u8, u32)> {
    numbers.iter().copied().filter(|(_, clock)| has(other, *clock)).collect()
}

/// The number for a clock rate.
fn at_clock(numbers: &[(u8, u32)], clock: u32) -> Option<u8> {
    numbers.iter().find(|(_, known)| *known == clock).map(|(number, _)| *number)
}

/// Our direction: as much of our wish as the other side (stated from its view) goes along with.
fn meet(ours: Direction, theirs: Direction) -> Direction {
    Direction::of(ours.sends() && theirs.receives(), ours.receives() && theirs.sends())
}
