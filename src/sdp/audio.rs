//! What an audio line says, read the same way for offers and answers, the peer's and our own.

use super::crypto::Crypto;
use super::description::{Attribute, MediaDescription, NetAddress, SessionDescription};
use super::format::{EXTMAP, Extension, Extensions, Format, OpusWishes, holds_digits};
use super::local::fit_packet_time;
use super::parse::net_address;
use super::security::Profile;
use super::webrtc::Described;
use crate::types::{AudioCodec, Direction};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// One audio line with all that the session level adds to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AudioLine {
    /// Codecs we know in the line's order, each once, with the line's number for it.
    pub codecs: Vec<(u8, AudioCodec)>,
    /// The numbers for telephone-event, one for each clock rate.
    pub telephone_events: Vec<(u8, u32)>,
    /// The numbers for comfort noise, one for each clock rate.
    pub comfort_noise: Vec<(u8, u32)>,
    /// The number for Opus with copies of what went before, where they are all of the line's Opus.
    pub redundancy: Option<u8>,
    /// What its writer asks of Opus.
    pub opus: OpusWishes,
    /// The header extension for audio levels.
    pub audio_level: Option<Extension>,
    /// The header extension for the levels of those who are heard.
    pub contributor_levels: Option<Extension>,
    /// As its writer sees it; a hold address takes away "receive".
    pub direction: Direction,
    /// Where RTP is wanted; `None` for port 0, a hold address or one that nothing may be sent to.
    pub rtp: Option<SocketAddr>,
    /// Where it is wanted, given by name.
    pub host: Option<HostPort>,
    /// Where RTCP is wanted (RFC 3605, else the next port).
    pub rtcp: Option<SocketAddr>,
    /// RTCP may come to the RTP port (RFC 5761).
    pub rtcp_mux: bool,
    /// The writer's keys that can be used, in its order of preference.
    pub crypto: Vec<Crypto>,
    /// It names keys, usable or not.
    pub names_keys: bool,
    /// ICE and DTLS, where its profile is that of WebRTC: its address and port are then of no account.
    pub webrtc: Option<Box<Described>>,
    ptime: Option<u64>,
    maxptime: Option<u64>,
}

/// Where RTP is wanted by a description that names a host instead of an address (RFC 8866 section 5.7 allows it).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPort {
    /// The name.
    pub host: String,
    /// An IPv6 address is meant rather than an IPv4 one.
    pub ip6: bool,
    /// The port of RTP.
    pub rtp: u16,
    /// The port of RTCP, if any is wanted.
    pub rtcp: Option<u16>,
}

/// Formats that are named to people, of one description.
const MOST_NAMED: usize = 16;

impl SessionDescription {
    /// Whether its sound is that of WebRTC: the first open audio line has the profile, and ICE.
    #[must_use]
    pub fn is_webrtc(&self) -> bool {
        let is_webrtc = |line: &MediaDescription| {
            let has_ice = [&line.attributes, &self.attributes].into_iter().any(|all| find(all, "ice-ufrag").is_some());
            Profile::of(&line.protocol) == Some(Profile::WebRtc) && has_ice
        };
        self.media.iter().find(|line| line.is_audio() && line.port != 0).is_some_and(is_webrtc)
    }

    /// The formats of its audio lines for people: as `a=rtpmap` names them (`opus/48000/2`), else by the names that RFC
    /// 3551 gives to static payload types, else by number. At most 16, shortened to printable ASCII.
    #[must_use]
    pub fn audio_formats(&self) -> Vec<String> {
        let named = self.media.iter().filter(|line| line.is_audio()).flat_map(|line| {
            line.formats.iter().map(|format| {
                let map = line.attributes.iter().filter(|attribute| attribute.name.eq_ignore_ascii_case("rtpmap"));
                let mut maps = map.filter_map(|map| map.value.as_deref()?.trim().split_once(char::is_whitespace));
                let name = maps.find(|(number, _)| number == format).map(|(_, name)| name.trim());
                name.or_else(|| static_format(format)).unwrap_or(format).to_owned()
            })
        });
        let printable = |name: String| name.chars().filter(char::is_ascii_graphic).take(32).collect();
        named.take(MOST_NAMED).map(printable).collect()
    }
}

/// Static audio payload types that are met (RFC 3551 section 6).
fn static_format(number: &str) -> Option<&'static str> {
    Some(match number {
        "0" => "PCMU/8000",
        "3" => "GSM/8000",
        "4" => "G723/8000",
        "8" => "PCMA/8000",
        "9" => "G722/8000",
        "13" => "CN/8000",
        "15" => "G728/8000",
        "18" => "G729/8000",
        _ => return None,
    })
}

/// The one number of which all blocks are, by the parameters `111/111` of RFC 2198 section 5.
fn copied(fmtp: &str) -> Option<u8> {
    let mut numbers = fmtp.split('/').map(payload_type);
    let first = numbers.next()??;
    numbers.all(|number| number == Some(first)).then_some(first)
}

impl AudioLine {
    /// Reads `line` of `session`. `fallback` explains payload types that the line lists without explaining them: an
    /// answer may leave out what the offer has said.
    pub(super) fn read(session: &SessionDescription, line: &MediaDescription, fallback: Option<&Self>) -> Self {
        let mut maps: [Option<&str>; 128] = [None; 128];
        let mut parameters: [Option<&str>; 128] = [None; 128];
        let mut extensions = Extensions::default();
        for attribute in &line.attributes {
            let table = match attribute.name.as_str() {
                name if name.eq_ignore_ascii_case("rtpmap") => &mut maps,
                name if name.eq_ignore_ascii_case("fmtp") => &mut parameters,
                name if name.eq_ignore_ascii_case(EXTMAP) => {
                    extensions.take(attribute.value.as_deref().unwrap_or_default());
                    continue;
                }
                _ => continue,
            };
            let Some((number, rest)) =
                attribute.value.as_deref().and_then(|v| v.split_once(|c: char| c.is_ascii_whitespace()))
            else {
                continue;
            };
            if let Some(slot) = number.parse::<usize>().ok().and_then(|number| table.get_mut(number)) {
                slot.get_or_insert(rest.trim());
            }
        }

        for attribute in session.attributes.iter().filter(|attribute| attribute.name.eq_ignore_ascii_case(EXTMAP)) {
            extensions.take(attribute.value.as_deref().unwrap_or_default());
        }
        let mut codecs: Vec<(u8, AudioCodec)> = Vec::new();
        let (mut telephone_events, mut comfort_noise) = (Vec::new(), Vec::new());
        let mut opus = OpusWishes::default();
        let mut redundancy = None;
        for number in line.formats.iter().filter_map(|format| payload_type(format)) {
            let map = maps.get(usize::from(number)).copied().flatten();
            let fmtp = parameters.get(usize::from(number)).copied().flatten();
            let format = match map {
                Some(map) => Format::of_map(map),
                None => Format::of_static(number).or_else(|| fallback.and_then(|other| other.format(number))),
            };
            match format {
                Some(Format::Codec(codec)) if codecs.iter().all(|(_, known)| *known != codec) => {
                    codecs.push((number, codec));
                    if codec == AudioCodec::Opus {
                        opus = fmtp.map(OpusWishes::read).unwrap_or_default();
                    }
                }
                Some(Format::TelephoneEvent(clock)) if !has(&telephone_events, clock) => {
                    telephone_events.extend(fmtp.is_none_or(holds_digits).then_some((number, clock)));
                }
                Some(Format::Redundancy) if redundancy.is_none() => {
                    redundancy = fmtp.and_then(copied).map(|copied| (number, copied));
                }
                Some(Format::ComfortNoise(clock)) if !has(&comfort_noise, clock) => {
                    comfort_noise.push((number, clock));
                }
                _ => {}
            }
        }

        let attribute = |name: &str| find(&line.attributes, name).or_else(|| find(&session.attributes, name));
        let milliseconds = |name: &str| attribute(name).and_then(|a| a.value.as_deref()).and_then(whole_number);
        let stated = |attributes: &[Attribute]| attributes.iter().find_map(Attribute::as_direction);
        let direction = stated(&line.attributes).or_else(|| stated(&session.attributes)).unwrap_or_default();

        let webrtc = (Profile::of(&line.protocol) == Some(Profile::WebRtc)).then(|| Described::read(session, line));
        let address = line.connection.as_ref().or(session.connection.as_ref()).filter(|_| webrtc.is_none());
        let on_hold = matches!(address, Some(NetAddress::Ip(address)) if address.to_canonical().is_unspecified());
        let rtp = address.and_then(ip).and_then(|address| target(address, line.port));
        let rtcp_mux = find(&line.attributes, "rtcp-mux").is_some();
        let is_opus = |copied| codecs.contains(&(copied, AudioCodec::Opus));
        let redundancy = redundancy.filter(|(_, copied)| is_opus(*copied)).map(|(number, _)| number);
        Self {
            codecs,
            telephone_events,
            comfort_noise,
            redundancy,
            opus,
            audio_level: extensions.audio_level,
            contributor_levels: extensions.contributor_levels,
            direction: if on_hold { Direction::of(direction.sends(), false) } else { direction },
            rtp,
            host: host_port(address, line),
            rtcp: rtp.and_then(|rtp| rtcp_target(line, rtp)),
            rtcp_mux,
            crypto: Crypto::of(&line.attributes),
            names_keys: Crypto::is_in(&line.attributes),
            webrtc: webrtc.map(Box::new),
            ptime: milliseconds("ptime"),
            maxptime: milliseconds("maxptime"),
        }
    }

    /// The packet time to send with `codec`: what the line asks for, else `wish`, within what both sides can.
    pub(super) fn packet_time(&self, wish: Duration, codec: AudioCodec) -> Duration {
        let asked = self.ptime.filter(|ms| *ms > 0).map_or(wish, Duration::from_millis);
        let limit = self.maxptime.filter(|ms| *ms > 0).map_or(Duration::MAX, Duration::from_millis);
        fit_packet_time(asked.min(limit), codec)
    }

    fn format(&self, number: u8) -> Option<Format> {
        let codecs = self.codecs.iter().map(|(number, codec)| (*number, Format::Codec(*codec)));
        let events = self.telephone_events.iter().map(|(number, clock)| (*number, Format::TelephoneEvent(*clock)));
        let noise = self.comfort_noise.iter().map(|(number, clock)| (*number, Format::ComfortNoise(*clock)));
        codecs.chain(events).chain(noise).find(|(known, _)| *known == number).map(|(_, format)| format)
    }
}

/// Whether `clock` is among those that have a number.
pub(super) fn has(numbers: &[(u8, u32)], clock: u32) -> bool {
    numbers.iter().any(|(_, known)| *known == clock)
}

/// The first attribute of that name.
pub(super) fn find<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

fn payload_type(format: &str) -> Option<u8> {
    format.parse().ok().filter(|number| *number < 128)
}

/// Milliseconds; a fraction is cut off.
fn whole_number(text: &str) -> Option<u64> {
    text.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Where packets can be sent, if they may be: never to everybody, never to nobody.
pub(super) fn target(address: IpAddr, port: u16) -> Option<SocketAddr> {
    let address = address.to_canonical();
    let reachable = match address {
        IpAddr::V4(v4) => !v4.is_unspecified() && !v4.is_multicast() && !v4.is_broadcast(),
        IpAddr::V6(v6) => !v6.is_unspecified() && !v6.is_multicast(),
    };
    (reachable && port != 0).then(|| SocketAddr::new(address, port))
}

fn ip(address: &NetAddress) -> Option<IpAddr> {
    match address {
        NetAddress::Ip(address) => Some(*address),
        NetAddress::Name { .. } | NetAddress::Unreadable(_) => None,
    }
}

/// Where packets are wanted, if that is given by name.
fn host_port(address: Option<&NetAddress>, line: &MediaDescription) -> Option<HostPort> {
    let Some(NetAddress::Name { ip6, host }) = address.filter(|_| line.port != 0) else { return None };
    // Whatever the host's address will be: the port alone is asked for.
    let rtcp = rtcp_target(line, SocketAddr::from((Ipv4Addr::LOCALHOST, line.port))).map(|rtcp| rtcp.port());
    Some(HostPort { host: host.clone(), ip6: *ip6, rtp: line.port, rtcp })
}

/// `a=rtcp:53020`, `a=rtcp:53020 IN IP4 203.0.113.9`; else the port after RTP's.
fn rtcp_target(line: &MediaDescription, rtp: SocketAddr) -> Option<SocketAddr> {
    let Some(value) = find(&line.attributes, "rtcp").and_then(|attribute| attribute.value.as_deref()) else {
        return rtp.port().checked_add(1).map(|port| SocketAddr::new(rtp.ip(), port));
    };
    let fields: Vec<&str> = value.split_ascii_whitespace().take(4).collect();
    let (port, address) = fields.split_first()?;
    let port = port.parse().ok()?;
    let address = if address.is_empty() { rtp.ip() } else { ip(&net_address(address)?)? };
    target(address, port)
}
