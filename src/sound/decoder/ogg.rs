//! Ogg (RFC 3533): pages to packets of the first stream that holds sound, and those to its decoder.
//!
//! Our own, since what symphonia reads of tags may say that it is longer than the memory of this machine.

use super::Fault;
use super::opus::Opus;
use super::vorbis::Vorbis;
use crate::sound::source::{Metered, read_up_to};
use std::collections::VecDeque;
use std::io;

/// The longest packet that is gathered.
const LONGEST_PACKET: usize = 1 << 20;
/// Packets one after the other that cannot be decoded before the rest is given up.
const MOST_BAD: u32 = 100;
/// Pages that are none, or spoilt, before the file is given up.
const MOST_SPOILT: u32 = 10_000;
/// The length of a page's head.
const HEAD: usize = 27;

/// An Ogg file and the decoder of its sound.
pub(in crate::sound) struct Ogg {
    pages: Pages,
    codec: Codec,
    /// Samples of this stream that were decoded, at its rate.
    made: u64,
    bad: u32,
}

/// Why a file is not played.
pub(super) enum Refused {
    Other(&'static str),
    Fault(Fault),
}

impl<F: Into<Fault>> From<F> for Refused {
    fn from(fault: F) -> Self {
        Self::Fault(fault.into())
    }
}

enum Codec {
    Vorbis(Box<Vorbis>),
    Opus(Box<Opus>),
}

impl Codec {
    /// The decoder of a stream whose first packet this is, with its other heads read.
    fn begin(first: &[u8], pages: &mut Pages) -> Result<Self, Refused> {
        let other = |what| Err(Refused::Other(what));
        match first {
            [1, b'v', b'o', b'r', b'b', b'i', b's', ..] => {
                let _tags = pages.packet()?;
                let setup = pages.packet()?.ok_or_else(|| Fault::Broken("it ends within its heads".into()))?;
                Ok(Self::Vorbis(Box::new(Vorbis::new(first, &setup.octets)?)))
            }
            [b'O', b'p', b'u', b's', b'H', b'e', b'a', b'd', ..] => {
                let _tags = pages.packet()?;
                Ok(Self::Opus(Box::new(Opus::new(first)?)))
            }
            [0x7F, b'F', b'L', b'A', b'C', ..] => other("FLAC within Ogg"),
            [b'S', b'p', b'e', b'e', b'x', ..] => other("Speex"),
            [0x80, b't', b'h', b'e', b'o', b'r', b'a', ..] => other("Theora (a film)"),
            _ => other("Ogg with something that is neither Vorbis nor Opus"),
        }
    }
}

impl Ogg {
    pub(super) fn open(source: Metered) -> Result<Self, Refused> {
        let mut pages = Pages::new(source);
        let first = pages.packet()?.ok_or_else(|| Fault::Broken("no whole page of Ogg is in it".into()))?;
        let codec = Codec::begin(&first.octets, &mut pages)?;
        Ok(Self { pages, codec, made: 0, bad: 0 })
    }

    pub(super) const fn form(&self) -> &'static str {
        match self.codec {
            Codec::Vorbis(_) => "Ogg Vorbis",
            Codec::Opus(_) => "Ogg Opus",
        }
    }

    pub(super) const fn rate(&self) -> u32 {
        match &self.codec {
            Codec::Vorbis(vorbis) => vorbis.rate(),
            Codec::Opus(_) => Opus::RATE,
        }
    }

    /// Decodes the next packet; one that is broken is passed over.
    pub(super) fn read(&mut self, mono: &mut Vec<f32>) -> Result<bool, Fault> {
        let Some(packet) = self.pages.packet()? else { return Ok(false) };
        if packet.is_first {
            // Another stream, chained to the one before.
            self.codec = match Codec::begin(&packet.octets, &mut self.pages) {
                Ok(codec) => codec,
                Err(Refused::Other(what)) => return Err(Fault::Broken(format!("it goes on with {what}"))),
                Err(Refused::Fault(fault)) => return Err(fault),
            };
            self.made = 0;
            return Ok(true);
        }
        let begin = mono.len();
        let decoded = match &mut self.codec {
            Codec::Vorbis(vorbis) => vorbis.decode(&packet.octets, mono),
            Codec::Opus(opus) => opus.decode(&packet.octets, mono),
        };
        match decoded {
            Ok(()) => self.bad = 0,
            Err(fault) => {
                self.bad += 1;
                if self.bad >= MOST_BAD {
                    return Err(fault);
                }
            }
        }
        self.made += (mono.len() - begin) as u64;
        if let Some(end) = packet.end {
            // The last page says how much of its last packet is to be heard.
            let end = match &self.codec {
                Codec::Vorbis(_) => end,
                Codec::Opus(opus) => end.saturating_sub(opus.pre_skip()),
            };
            let excess = usize::try_from(self.made.saturating_sub(end)).unwrap_or(usize::MAX);
            mono.truncate(mono.len().saturating_sub(excess).max(begin));
        }
        Ok(true)
    }
}

/// A packet of the stream that is played.
struct Packet {
    octets: Vec<u8>,
    /// It is the first of its stream.
    is_first: bool,
    /// It is the last of its stream, which ends at this position.
    end: Option<u64>,
}

/// Pages, and the packets cut out of them.
struct Pages {
    source: Metered,
    /// The stream that is played, once it has begun.
    serial: Option<u32>,
    packets: VecDeque<Packet>,
    /// The beginning of a packet that goes on on the next page.
    begun: Vec<u8>,
    /// Read, and not yet taken.
    window: Vec<u8>,
    spoilt: u32,
}

/// One page.
struct Page {
    continues: bool,
    begins: bool,
    ends: bool,
    position: u64,
    serial: u32,
    lacing: Vec<u8>,
    body: Vec<u8>,
}

impl Pages {
    const fn new(source: Metered) -> Self {
        Self { source, serial: None, packets: VecDeque::new(), begun: Vec::new(), window: Vec::new(), spoilt: 0 }
    }

    /// The next packet; `None` at the end.
    fn packet(&mut self) -> io::Result<Option<Packet>> {
        loop {
            if let Some(packet) = self.packets.pop_front() {
                return Ok(Some(packet));
            }
            let Some(page) = self.page()? else { return Ok(None) };
            // Others, of pictures say, are passed over.
            if page.begins && (self.serial.is_none() || is_sound(&page.body)) {
                if self.serial.is_none() && is_passed_over(&page.body) {
                    continue;
                }
                self.serial = Some(page.serial);
                self.begun.clear();
            }
            if self.serial == Some(page.serial) {
                self.cut(&page)?;
            }
        }
    }

    fn cut(&mut self, page: &Page) -> io::Result<()> {
        if !page.continues {
            self.begun.clear();
        }
        // Where its beginning was lost, it is no packet.
        let mut is_lost = page.continues && self.begun.is_empty();
        let mut is_first = page.begins;
        let mut body = page.body.as_slice();
        for &length in &page.lacing {
            let (piece, rest) = body.split_at_checked(length.into()).unwrap_or((body, &[]));
            body = rest;
            self.begun.extend_from_slice(piece);
            if self.begun.len() > LONGEST_PACKET {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a packet of more than 1 MiB"));
            }
            if length < u8::MAX {
                let octets = std::mem::take(&mut self.begun);
                if !std::mem::take(&mut is_lost) {
                    self.packets.push_back(Packet { octets, is_first, end: None });
                }
                is_first = false;
            }
        }
        if is_lost {
            self.begun.clear();
        }
        if page.ends
            && let Some(last) = self.packets.back_mut()
            && page.position != u64::MAX
        {
            last.end = Some(page.position);
        }
        Ok(())
    }

    /// The next whole page with the right checksum; what lies between is passed over.
    fn page(&mut self) -> io::Result<Option<Page>> {
        loop {
            if !self.ahead(HEAD)? {
                return Ok(None);
            }
            match self.window.windows(4).position(|four| four == b"OggS") {
                Some(0) => {}
                Some(at) => {
                    self.window.drain(..at);
                    continue;
                }
                None => {
                    self.window.drain(..self.window.len() - 3);
                    continue;
                }
            }
            let lacing = usize::from(self.window[HEAD - 1]);
            let has_lacing = self.ahead(HEAD + lacing)?;
            let body = self.window.get(HEAD..HEAD + lacing).unwrap_or_default();
            let length = HEAD + lacing + body.iter().map(|length| usize::from(*length)).sum::<usize>();
            if has_lacing
                && self.ahead(length)?
                && let Some(page) = Page::read(&self.window[..length], lacing)
            {
                self.window.drain(..length);
                return Ok(Some(page));
            }
            // Cut, or not what it was when it was written: the packet that it is a part of is lost. Or no page at all.
            self.begun.clear();
            self.window.drain(..1);
            self.spoilt += 1;
            if self.spoilt > MOST_SPOILT {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "too many spoilt pages"));
            }
        }
    }

    /// Reads until there are so many octets in the window. False where there are no more.
    fn ahead(&mut self, length: usize) -> io::Result<bool> {
        let begin = self.window.len();
        if begin < length {
            self.window.resize(length, 0);
            let read = read_up_to(&mut self.source, &mut self.window[begin..])?;
            self.window.truncate(begin + read);
        }
        Ok(self.window.len() >= length)
    }
}

impl Page {
    /// Reads a page of so many segments; `None` where its checksum is wrong.
    fn read(octets: &[u8], segments: usize) -> Option<Self> {
        let field = |at: usize| octets.get(at..)?.first_chunk().map(|field| u32::from_le_bytes(*field));
        let (low, high, serial, checksum) = (field(6)?, field(10)?, field(14)?, field(22)?);
        let (lacing, body) = octets.get(HEAD..)?.split_at_checked(segments)?;
        if checksum != crc([octets.get(..22)?, &[0; 4], octets.get(26..)?]) {
            return None;
        }
        let [continues, begins, ends] = [1, 2, 4].map(|flag| octets[5] & flag != 0);
        let position = u64::from(high) << 32 | u64::from(low);
        Some(Self { continues, begins, ends, position, serial, lacing: lacing.to_vec(), body: body.to_vec() })
    }
}

/// Whether a stream's first packet is one of sound that is played.
fn is_sound(first: &[u8]) -> bool {
    first.starts_with(b"OpusHead") || first.starts_with(b"\x01vorbis")
}

/// Whether a stream is known to be no sound, and another may follow that is.
fn is_passed_over(first: &[u8]) -> bool {
    first.starts_with(b"fishead\0") || first.starts_with(b"\x80theora")
}

/// The checksum of RFC 3533 section 6.
fn crc(parts: [&[u8]; 3]) -> u32 {
    parts
        .iter()
        .flat_map(|part| part.iter())
        .fold(0, |crc: u32, octet| crc << 8 ^ CRC[usize::from((crc >> 24) as u8 ^ octet)])
}

static CRC: [u32; 256] = {
    let mut table = [0; 256];
    let mut n = 0;
    while n < 256 {
        let mut value = (n as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            value = value << 1 ^ if value & 0x8000_0000 == 0 { 0 } else { 0x04C1_1DB7 };
            bit += 1;
        }
        table[n] = value;
        n += 1;
    }
    table
};
