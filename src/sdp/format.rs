//! What a payload type stands for, and what comes with it: `a=rtpmap`, `a=fmtp`, `a=extmap`.

use super::description::Attribute;
use crate::types::{AudioCodec, Direction, OpusSettings};

/// The attribute that gives a header extension its name (RFC 8285 section 5).
pub(super) const EXTMAP: &str = "extmap";
/// The header extension that tells how loud a packet is (RFC 6464).
pub(super) const AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
/// The one that tells how loud each of those is who are heard in it (RFC 6465).
pub(super) const CONTRIBUTOR_LEVELS: &str = "urn:ietf:params:rtp-hdrext:csrc-audio-level";
/// Identifiers that fit the one-byte form of header extensions (RFC 8285 section 4.2).
const EXTENSIONS: std::ops::RangeInclusive<u8> = 1..=14;
/// The least that Opus is sent with, bits a second (RFC 7587 section 6.1).
const LEAST_BITRATE: u32 = 6_000;

/// What a payload type stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Sound.
    Codec(AudioCodec),
    /// Digits (RFC 4733), by clock rate.
    TelephoneEvent(u32),
    /// Comfort noise (RFC 3389), by clock rate.
    ComfortNoise(u32),
    /// Opus with copies of what went before (RFC 2198).
    Redundancy,
}

impl Format {
    /// Of a number that is not explained (RFC 3551 section 6).
    pub(super) fn of_static(number: u8) -> Option<Self> {
        if number == 13 {
            return Some(Self::ComfortNoise(8_000));
        }
        AudioCodec::ALL.into_iter().find(|codec| codec.static_payload_type() == Some(number)).map(Self::Codec)
    }

    /// `PCMU/8000`, `pcma/8000/1`, `opus/48000/2`, `telephone-event/8000`: what follows the number in rtpmap. A clock
    /// rate or the channels may be left out.
    pub(super) fn of_map(map: &str) -> Option<Self> {
        let mut parts = map.split('/').map(str::trim);
        let name = parts.next()?;
        let clock = match parts.next() {
            Some(clock) => Some(clock.parse::<u32>().ok()?),
            None => None,
        };
        let channels = match parts.next() {
            None | Some("") => None,
            Some(channels) => Some(channels.parse::<u32>().ok()?),
        };
        if name.eq_ignore_ascii_case("telephone-event") {
            // Those of the clocks that our codecs have (RFC 4733 section 2.1).
            return Some(clock.unwrap_or(8_000)).filter(|clock| is_spoken(*clock)).map(Self::TelephoneEvent);
        }
        if name.eq_ignore_ascii_case("red") {
            return (clock == Some(AudioCodec::Opus.clock_rate())).then_some(Self::Redundancy);
        }
        if name.eq_ignore_ascii_case("CN") {
            return Some(Self::ComfortNoise(clock.unwrap_or(8_000)));
        }
        let codec = AudioCodec::ALL.into_iter().find(|codec| name.eq_ignore_ascii_case(codec.encoding_name()))?;
        let is_clocked = clock.is_none_or(|clock| clock == codec.clock_rate());
        let fits = channels.is_none_or(|channels| channels == 1 || channels == codec.channels());
        (is_clocked && fits).then_some(Self::Codec(codec))
    }
}

fn is_spoken(clock: u32) -> bool {
    AudioCodec::ALL.into_iter().any(|codec| codec.clock_rate() == clock)
}

/// Whether an event list (`0-15`, `0-11,16`) holds all digits, `*` and `#`. One that cannot be read is believed to.
pub(super) fn holds_digits(events: &str) -> bool {
    let mut held = [false; 12];
    for range in events.split(',').map(str::trim) {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (Ok(first), Ok(last)) = (first.trim().parse::<usize>(), last.trim().parse::<usize>()) else { return true };
        held.iter_mut().enumerate().for_each(|(event, held)| *held |= (first..=last).contains(&event));
    }
    held.iter().all(|held| *held)
}

/// What the other side asks of the Opus it is sent (RFC 7587 section 6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct OpusWishes {
    max_bitrate: Option<u32>,
    max_playback_rate: Option<u32>,
    fec: bool,
    dtx: Option<bool>,
    constant_bitrate: bool,
}

impl OpusWishes {
    /// Reads the parameters of fmtp; what is unknown or unreadable is passed over.
    pub(super) fn read(fmtp: &str) -> Self {
        let mut wishes = Self::default();
        for parameter in fmtp.split(';') {
            let Some((name, value)) = parameter.split_once('=') else { continue };
            let Ok(value) = value.trim().parse::<u32>() else { continue };
            match name.trim().to_ascii_lowercase().as_str() {
                "maxaveragebitrate" if value > 0 => wishes.max_bitrate = Some(value),
                "maxplaybackrate" if value > 0 => wishes.max_playback_rate = Some(value),
                "useinbandfec" => wishes.fec = value == 1,
                "usedtx" => wishes.dtx = Some(value == 1),
                "cbr" => wishes.constant_bitrate = value == 1,
                _ => {}
            }
        }
        wishes
    }

    /// Our settings within what is asked: never more bits, no FEC for one that cannot use it, no DTX against its will.
    pub(super) fn limit(self, ours: OpusSettings) -> OpusSettings {
        let most = self.max_bitrate.map_or(u32::MAX, |most| most.max(LEAST_BITRATE));
        OpusSettings {
            bitrate: ours.bitrate.min(most),
            lossy_bitrate: ours.lossy_bitrate.min(most),
            complexity: ours.complexity,
            fec: ours.fec && self.fec,
            dtx: ours.dtx && self.dtx != Some(false),
            constant_bitrate: ours.constant_bitrate || self.constant_bitrate,
            max_playback_rate: self
                .max_playback_rate
                .map_or(ours.max_playback_rate, |most| ours.max_playback_rate.min(most.max(8_000))),
        }
    }
}

/// What we say of a codec that we are to be sent; `None` where there is nothing to say.
pub(super) fn fmtp(codec: AudioCodec, opus: &OpusSettings) -> Option<String> {
    match codec {
        AudioCodec::Opus => {
            let dtx = if opus.dtx { ";usedtx=1" } else { "" };
            let bitrate = opus.bitrate;
            Some(format!("useinbandfec=1;stereo=0;sprop-stereo=0;maxaveragebitrate={bitrate}{dtx}"))
        }
        // Neither sent nor understood, whatever the other side says (RFC 4856 section 2.1.9; absent means yes).
        AudioCodec::G729 => Some("annexb=no".to_owned()),
        AudioCodec::G722 | AudioCodec::Pcmu | AudioCodec::Pcma => None,
    }
}

/// A header extension, and which way it goes as the writer sees it (RFC 8285 section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extension {
    pub id: u8,
    pub direction: Direction,
}

impl Extension {
    /// One that we read and do not send.
    pub(super) const fn heard(id: u8) -> Self {
        Self { id, direction: Direction::RecvOnly }
    }

    /// One that we send and do not read.
    pub(super) const fn told(id: u8) -> Self {
        Self { id, direction: Direction::SendOnly }
    }

    /// Reads `ID` or `ID/direction`.
    fn read(text: &str) -> Option<Self> {
        let (id, direction) = text.split_once('/').map_or((text, None), |(id, direction)| (id, Some(direction)));
        let id = id.parse().ok().filter(|id| EXTENSIONS.contains(id))?;
        let direction = match direction {
            Some(word) => Attribute::flag(word).as_direction()?,
            None => Direction::SendRecv,
        };
        Some(Self { id, direction })
    }

    /// As the attribute that gives it this name.
    pub(super) fn attribute(self, name: &str) -> Attribute {
        let direction = Attribute::direction(self.direction).name;
        Attribute::with_value(EXTMAP, format!("{}/{direction} {name}", self.id))
    }
}

/// The header extensions that we know, of a line or of a whole description.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Extensions {
    pub audio_level: Option<Extension>,
    pub contributor_levels: Option<Extension>,
}

impl Extensions {
    /// Takes the value of an `a=extmap`. The first of a kind counts.
    pub(super) fn take(&mut self, value: &str) {
        let Some((extension, rest)) = value.split_once(|c: char| c.is_ascii_whitespace()) else { return };
        let place = if is_named(rest, AUDIO_LEVEL) {
            &mut self.audio_level
        } else if is_named(rest, CONTRIBUTOR_LEVELS) {
            &mut self.contributor_levels
        } else {
            return;
        };
        *place = place.or_else(|| Extension::read(extension));
    }
}

/// Whether the first word is this one.
fn is_named(text: &str, name: &str) -> bool {
    let text = text.trim_ascii_start();
    text.get(..name.len()).is_some_and(|word| word.eq_ignore_ascii_case(name))
        && text.as_bytes().get(name.len()).is_none_or(u8::is_ascii_whitespace)
}
