//! Our side of a stream, and the lines we write for it.

use super::audio::{AudioLine, has};
use super::description::{Attribute, MediaDescription, NetAddress, Origin, SessionDescription};
use super::format::{AUDIO_LEVEL, CONTRIBUTOR_LEVELS, Extension, fmtp};
use super::security::LocalSrtp;
use super::webrtc::{LocalWebRtc, OurEnd, Setup};
use crate::types::{AudioCodec, CodecPolicy, Direction, OpusSettings};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The packet times that are sent and that a peer may ask for, shortest first.
pub const PACKET_TIMES: [Duration; 5] = [
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(30),
    Duration::from_millis(40),
    Duration::from_millis(60),
];

/// Payload types where nothing was said before, as most devices have them: telephone-event at 8 kHz, at 48 kHz, Opus,
/// and Opus with copies of what went before.
const TELEPHONE_EVENT: u8 = 101;
const TELEPHONE_EVENT_48: u8 = 110;
const OPUS: u8 = 111;
const REDUNDANCY: u8 = 112;
/// The clock of comfort noise: Opus has its own.
const NOISE_CLOCK: u32 = 8_000;
/// The identifier of the header extension for audio levels.
const AUDIO_LEVEL_ID: u8 = 1;
/// The same for the levels of those who are heard.
const CONTRIBUTOR_LEVELS_ID: u8 = 2;
/// Dynamic payload types (RFC 3551 section 6).
const DYNAMIC: std::ops::RangeInclusive<u8> = 96..=127;

/// What we can do for one call's audio, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalMedia {
    /// The address to advertise.
    pub address: IpAddr,
    /// Our RTP port.
    pub rtp_port: u16,
    /// Our RTCP port; written down (RFC 3605) unless it is the one after RTP's.
    pub rtcp_port: u16,
    /// What we speak.
    pub codecs: CodecPolicy,
    /// How we would send Opus.
    pub opus: OpusSettings,
    /// What we would like to be sent, and send where the peer asks for nothing: one of [`PACKET_TIMES`], normally 20
    /// ms.
    pub packet_time: Duration,
    /// Whether RFC 4733 digits are spoken.
    pub telephone_event: bool,
    /// Whether comfort noise (RFC 3389) is taken where the peer offers it.
    pub comfort_noise: bool,
    /// Whether audio levels (RFC 6464) are listened to: taken where the peer offers them, offered beside Opus.
    pub audio_level: bool,
    /// What we wish for; an answer gives as much of it as the offer allows.
    pub direction: Direction,
    /// The session's identity in `o=`: any random number (63 bits are used). Only the first description of a dialog
    /// reads it, later ones keep what was said.
    pub session_id: u64,
    /// Our keys, where SRTP is spoken.
    pub srtp: Option<LocalSrtp>,
    /// Our ICE and DTLS, where the transport is that of WebRTC.
    pub webrtc: Option<LocalWebRtc>,
}

/// The longest packet time of `codec` that is not longer than `asked`; the shortest one if all are.
pub(super) fn fit_packet_time(asked: Duration, codec: AudioCodec) -> Duration {
    let [shortest, _, three_frames, ..] = PACKET_TIMES;
    // No Opus frame has 30 ms (RFC 6716 section 2.1.4).
    let has = |time: &Duration| codec != AudioCodec::Opus || *time != three_frames;
    PACKET_TIMES.into_iter().rev().filter(has).find(|time| *time <= asked).unwrap_or(shortest)
}

/// The numbers for what one description of ours offers or answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    pub codecs: Vec<(u8, AudioCodec)>,
    /// By clock rate.
    pub telephone_events: Vec<(u8, u32)>,
    /// By clock rate.
    pub comfort_noise: Vec<(u8, u32)>,
    /// Of Opus with copies of what went before.
    pub redundancy: Option<u8>,
    pub audio_level: Option<Extension>,
    pub contributor_levels: Option<Extension>,
}

impl Numbers {
    /// What is answered to `peer`, under its numbers. Codecs of a higher rate than the first are left: a telephone that
    /// names Opus last is to cost no more than a telephone. Digits and noise have the clock of a codec (RFC 4733
    /// section 2.1, RFC 3389 section 4); a peer that offers digits of another clock alone is understood all the same.
    pub(super) fn for_answer(local: &LocalMedia, peer: &AudioLine) -> Self {
        let mut codecs = common(peer, &local.codecs);
        if let Some(&(_, first)) = codecs.first() {
            codecs.retain(|(_, codec)| codec.sample_rate() <= first.sample_rate());
        }
        let of_a_codec = |(_, clock): &(u8, u32)| codecs.iter().any(|(_, codec)| codec.clock_rate() == *clock);
        let mut events: Vec<_> = peer.telephone_events.iter().copied().filter(of_a_codec).collect();
        if events.is_empty() {
            events.clone_from(&peer.telephone_events);
        }
        let noise = peer.comfort_noise.iter().copied().filter(of_a_codec);
        let noise: Vec<_> = noise.filter(|(_, clock)| local.comfort_noise && *clock == NOISE_CLOCK).collect();
        let level = peer.audio_level.filter(|level| local.audio_level && level.direction.sends());
        let is_opus = codecs.first().is_some_and(|(_, codec)| *codec == AudioCodec::Opus);
        let told = peer.contributor_levels.filter(|levels| local.webrtc.is_some() && levels.direction.receives());
        Self {
            telephone_events: if local.telephone_event { events } else { Vec::new() },
            comfort_noise: noise,
            redundancy: peer.redundancy.filter(|_| local.webrtc.is_some() && is_opus),
            audio_level: level.map(|level| Extension::heard(level.id)),
            contributor_levels: told.map(|levels| Extension::told(levels.id)),
            codecs,
        }
    }

    /// Numbers for an offer of `local`. A number keeps its meaning for the whole session (RFC 3264 section 8.3.2), so
    /// those in `before`, our description until now, are taken over; and what is spoken there is offered again,
    /// `in_use` first where we would not have offered it.
    pub(super) fn for_offer(local: &LocalMedia, before: Option<&AudioLine>, in_use: Option<AudioCodec>) -> Self {
        let CodecPolicy { offered, accepted, .. } = &local.codecs;
        let spoken = before.iter().flat_map(|before| &before.codecs).map(|(_, codec)| *codec);
        let beyond = spoken.filter(|codec| !offered.contains(codec) && accepted.contains(codec));
        let (first, rest): (Vec<_>, Vec<_>) = beyond.partition(|codec| Some(*codec) == in_use);
        let mut numbers = Self::default();
        for codec in first.into_iter().chain(offered.iter().copied()).chain(rest) {
            if numbers.codecs.iter().any(|(_, known)| *known == codec) {
                continue;
            }
            let known = before.and_then(|before| before.codecs.iter().find(|(_, known)| *known == codec));
            let usual = codec.static_payload_type().unwrap_or(OPUS);
            let number = known.map(|(number, _)| *number).or_else(|| numbers.free(usual, before));
            numbers.codecs.extend(number.map(|number| (number, codec)));
        }
        if local.telephone_event {
            for clock in numbers.codecs.iter().map(|(_, codec)| codec.clock_rate()).collect::<Vec<_>>() {
                if has(&numbers.telephone_events, clock) {
                    continue;
                }
                let known = before.and_then(|before| before.telephone_events.iter().find(|(_, known)| *known == clock));
                let usual = if clock == 8_000 { TELEPHONE_EVENT } else { TELEPHONE_EVENT_48 };
                let number = known.map(|(number, _)| *number).or_else(|| numbers.free(usual, before));
                numbers.telephone_events.extend(number.map(|number| (number, clock)));
            }
        }
        if let Some(before) = before.filter(|_| local.comfort_noise) {
            numbers.comfort_noise.clone_from(&before.comfort_noise);
        }
        let opus = numbers.codecs.iter().any(|(_, codec)| *codec == AudioCodec::Opus);
        numbers.redundancy = match before {
            Some(before) => before.redundancy,
            None => numbers.free(REDUNDANCY, None),
        }
        .filter(|_| opus && local.webrtc.is_some());
        numbers.audio_level = match before {
            Some(before) => before.audio_level,
            None => opus.then_some(Extension::heard(AUDIO_LEVEL_ID)),
        }
        .filter(|_| local.audio_level);
        numbers.contributor_levels = match before {
            Some(before) => before.contributor_levels,
            None => Some(Extension::told(CONTRIBUTOR_LEVELS_ID)),
        }
        .filter(|_| local.webrtc.is_some());
        numbers
    }

    /// `usual` if it has no meaning yet, else a dynamic number that has none.
    fn free(&self, usual: u8, before: Option<&AudioLine>) -> Option<u8> {
        let in_codecs = |codecs: &[(u8, AudioCodec)], number| codecs.iter().any(|(known, _)| *known == number);
        let in_clocks = |clocks: &[(u8, u32)], number| clocks.iter().any(|(known, _)| *known == number);
        let is_taken = |number: u8| {
            in_codecs(&self.codecs, number)
                || in_clocks(&self.telephone_events, number)
                || before.is_some_and(|before| {
                    in_codecs(&before.codecs, number)
                        || in_clocks(&before.telephone_events, number)
                        || in_clocks(&before.comfort_noise, number)
                        || before.redundancy == Some(number)
                })
        };
        std::iter::once(usual).chain(DYNAMIC).find(|number| !is_taken(*number))
    }
}

/// The codecs of `peer` that are ours, with its numbers: in its order, or in ours where the policy says so.
pub(super) fn common(peer: &AudioLine, policy: &CodecPolicy) -> Vec<(u8, AudioCodec)> {
    let place = |codec: &AudioCodec| policy.accepted.iter().position(|known| known == codec);
    let mut codecs: Vec<_> = peer.codecs.iter().copied().filter(|(_, codec)| place(codec).is_some()).collect();
    if policy.own_order {
        codecs.sort_by_key(|(_, codec)| place(codec));
    }
    codecs
}

impl LocalMedia {
    /// The description around `media`, its version still 1.
    pub(super) fn describe(&self, media: Vec<MediaDescription>) -> SessionDescription {
        let address = NetAddress::Ip(self.address.to_canonical());
        SessionDescription {
            origin: Origin {
                username: "-".to_owned(),
                session_id: self.session_id >> 1,
                version: 1,
                address: address.clone(),
            },
            name: "-".to_owned(),
            connection: Some(address),
            attributes: Vec::new(),
            media,
        }
    }

    /// Our end of a WebRTC transport as a line of ours tells it; nothing where we have none.
    pub(super) fn webrtc_attributes(&self, setup: Setup, mid: &str) -> Vec<Attribute> {
        let address = SocketAddr::new(self.address.to_canonical(), self.rtp_port);
        self.webrtc.as_ref().map_or_else(Vec::new, |local| OurEnd { local, setup, mid, address }.attributes())
    }

    /// Our open audio line; what `secured` says of keys, or of ICE and DTLS, is added to it.
    pub(super) fn audio_line(
        &self,
        protocol: &str,
        numbers: &Numbers,
        packet_time: Duration,
        direction: Direction,
        rtcp_mux: bool,
        secured: Vec<Attribute>,
    ) -> MediaDescription {
        let mut formats = Vec::new();
        let mut attributes = Vec::new();
        // First: what stands so is preferred, and a side that takes copies is to send them.
        let opus = numbers.codecs.iter().find(|(_, codec)| *codec == AudioCodec::Opus);
        if let Some((red, (opus, _))) = numbers.redundancy.zip(opus) {
            formats.push(red.to_string());
            attributes.push(Attribute::with_value("rtpmap", format!("{red} red/48000/2")));
            attributes.push(Attribute::with_value("fmtp", format!("{red} {opus}/{opus}")));
        }
        for (number, codec) in &numbers.codecs {
            formats.push(number.to_string());
            let channels = if codec.channels() == 1 { String::new() } else { format!("/{}", codec.channels()) };
            let map = format!("{number} {}/{}{channels}", codec.encoding_name(), codec.clock_rate());
            attributes.push(Attribute::with_value("rtpmap", map));
            let fmtp = fmtp(*codec, &self.opus).map(|fmtp| Attribute::with_value("fmtp", format!("{number} {fmtp}")));
            attributes.extend(fmtp);
        }
        for (number, clock) in &numbers.telephone_events {
            formats.push(number.to_string());
            attributes.push(Attribute::with_value("rtpmap", format!("{number} telephone-event/{clock}")));
            attributes.push(Attribute::with_value("fmtp", format!("{number} 0-15")));
        }
        for (number, clock) in &numbers.comfort_noise {
            formats.push(number.to_string());
            attributes.push(Attribute::with_value("rtpmap", format!("{number} CN/{clock}")));
        }
        let [.., longest] = PACKET_TIMES;
        attributes.push(Attribute::with_value("ptime", packet_time.as_millis().to_string()));
        attributes.push(Attribute::with_value("maxptime", longest.as_millis().to_string()));
        attributes.extend(numbers.audio_level.map(|level| level.attribute(AUDIO_LEVEL)));
        attributes.extend(numbers.contributor_levels.map(|levels| levels.attribute(CONTRIBUTOR_LEVELS)));
        if rtcp_mux {
            attributes.push(Attribute::flag("rtcp-mux"));
        } else if Some(self.rtcp_port) != self.rtp_port.checked_add(1) {
            attributes.push(Attribute::with_value("rtcp", self.rtcp_port.to_string()));
        }
        attributes.extend(secured);
        attributes.push(Attribute::direction(direction));
        MediaDescription {
            media: "audio".to_owned(),
            port: self.rtp_port,
            protocol: protocol.to_owned(),
            formats,
            connection: None,
            attributes,
            fault: None,
        }
    }
}
