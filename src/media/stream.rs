//! Encoding with state: 20 ms of sound a tick go in, packets of the negotiated length come out.
//!
//! G.711 needs none of this (`encoded.rs`): its frames are alike whoever encodes them.

use crate::audio::codec::{Encoder, LONGEST_PAYLOAD, Libraries};
use crate::audio::{LONGEST_FRAME, Rate};
use crate::types::{AudioCodec, MediaParameters, OpusSettings};

/// What streams must have in common to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) codec: AudioCodec,
    /// Milliseconds in a packet of the encoder; a codec whose octets can be cut anywhere gives a tick at a time.
    packet_ms: usize,
    opus: OpusSettings,
}

/// Ticks in the longest packet.
const LONGEST_PACKET: usize = 3;
/// Packets in a tick, at most.
const PACKETS: usize = 2;
/// For so many rounds of 20 ms the worst loss that a listener reports is remembered.
const LOSS_WINDOW: u64 = 250;

impl Format {
    /// What is sent by these parameters; `None` for G.711, which has no state.
    pub(crate) fn of(parameters: &MediaParameters) -> Option<Self> {
        let packet_ms = match parameters.codec {
            AudioCodec::Pcmu | AudioCodec::Pcma => return None,
            AudioCodec::G722 | AudioCodec::G729 => 20,
            AudioCodec::Opus => match parameters.send_packet_time.as_millis() {
                0..20 => 10,
                20..40 => 20,
                40..60 => 40,
                _ => 60,
            },
        };
        Some(Self { codec: parameters.codec, packet_ms, opus: parameters.opus })
    }

    /// The rate of the sound it is made of.
    pub(crate) const fn rate(&self) -> Rate {
        Rate::of(self.codec.sample_rate())
    }

    /// Samples in a packet of the encoder.
    const fn packet(&self) -> usize {
        self.rate().hertz() as usize / 1_000 * self.packet_ms
    }

    /// The same in units of the RTP clock.
    pub(crate) const fn units(&self) -> u32 {
        self.codec.clock_rate() / 1_000 * self.packet_ms as u32
    }

    /// Whether listeners who hear the same can follow one stream: whoever leaves it takes a copy of its encoder along.
    pub(crate) const fn is_shared(&self) -> bool {
        !matches!(self.codec, AudioCodec::G729)
    }

    /// Whether a payload of the encoder is a packet, whole and of its own; else its octets may be cut anywhere.
    pub(crate) const fn is_packet(&self) -> bool {
        matches!(self.codec, AudioCodec::Opus)
    }
}

/// One encoded stream, of one listener or of many who hear the same.
#[derive(Debug)]
pub(crate) struct Stream {
    format: Format,
    encoder: Encoder,
    /// Sound that waits for its packet to be full.
    sound: Box<[i16; LONGEST_PACKET * LONGEST_FRAME]>,
    filled: usize,
    payloads: Box<[[u8; LONGEST_PAYLOAD]; PACKETS]>,
    /// Octets of each payload of the newest tick; 0 where nothing is to be sent.
    lengths: [usize; PACKETS],
    /// Packets of the newest tick.
    count: usize,
    /// The round of 20 ms it was fed last.
    fed_in: Option<u64>,
    loss: Loss,
}

/// The worst that listeners report, parts of 256.
#[derive(Debug, Default)]
struct Loss {
    told: u8,
    worst: u8,
    /// The round from which on `worst` is the worst.
    since: u64,
}

impl Stream {
    /// A stream at its beginning; `None` where the codec's library is not loaded. Allocates.
    pub(crate) fn new(format: Format, libraries: &Libraries) -> Option<Self> {
        Some(Self {
            encoder: Encoder::new(format.codec, &format.opus, libraries)?,
            format,
            sound: Box::new([0; LONGEST_PACKET * LONGEST_FRAME]),
            filled: 0,
            payloads: Box::new([[0; LONGEST_PAYLOAD]; PACKETS]),
            lengths: [0; PACKETS],
            count: 0,
            fed_in: None,
            loss: Loss::default(),
        })
    }

    pub(crate) const fn format(&self) -> Format {
        self.format
    }

    /// Whether it was fed in `round`.
    pub(crate) fn was_fed_in(&self, round: u64) -> bool {
        self.fed_in == Some(round)
    }

    /// Takes the frame of `round`, at the format's rate. All streams of a format end their packets in the same rounds.
    pub(crate) fn put(&mut self, round: u64, frame: &[i16]) {
        let packet = self.format.packet();
        self.fed_in = Some(round);
        self.count = 0;
        if packet <= frame.len() {
            for piece in frame.chunks_exact(packet).take(PACKETS) {
                self.lengths[self.count] = self.encoder.encode(piece, &mut self.payloads[self.count][..]);
                self.count += 1;
            }
            return;
        }
        let ticks = (packet / frame.len()) as u64;
        let place = usize::try_from(round % ticks).unwrap_or(0) * frame.len();
        if place != self.filled {
            // It begins in the middle of a packet, or missed a tick.
            let from = self.filled.min(place);
            self.sound[from..place].fill(0);
        }
        self.sound[place..place + frame.len()].copy_from_slice(frame);
        self.filled = place + frame.len();
        if self.filled == packet {
            self.lengths[0] = self.encoder.encode(&self.sound[..packet], &mut self.payloads[0][..]);
            self.count = 1;
            self.filled = 0;
        }
    }

    /// The packets of the newest tick; an empty one stands for sound that need not be sent.
    pub(crate) fn payloads(&self) -> impl Iterator<Item = &[u8]> {
        self.payloads.iter().zip(self.lengths).take(self.count).map(|(payload, length)| &payload[..length])
    }

    /// Goes on where `other`, of the same format, is: who heard that one hears this one without a seam.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.encoder.copy_from(&other.encoder);
        self.sound[..other.filled].copy_from_slice(&other.sound[..other.filled]);
        self.filled = other.filled;
        self.fed_in = other.fed_in;
        // The encoder expects what the other one did.
        self.loss = Loss { told: other.loss.told, ..Loss::default() };
    }

    /// In this round a listener reports so much loss, parts of 256.
    pub(crate) fn note_loss(&mut self, round: u64, fraction: u8) {
        let loss = &mut self.loss;
        loss.worst = loss.worst.max(fraction);
        if loss.worst > loss.told || round.saturating_sub(loss.since) >= LOSS_WINDOW {
            if loss.worst != loss.told {
                let percent = u16::from(loss.worst) * 100 / 256;
                self.encoder.expect_loss(u8::try_from(percent).unwrap_or(100));
            }
            *loss = Loss { told: loss.worst, worst: 0, since: round };
        }
    }
}

/// Streams by their format.
#[derive(Debug, Default)]
pub(crate) struct Streams(Vec<Stream>);

impl Streams {
    /// The stream of a format, if it was made.
    pub(crate) fn get(&self, format: Format) -> Option<&Stream> {
        self.0.iter().find(|stream| stream.format == format)
    }

    pub(crate) fn get_mut(&mut self, format: Format) -> Option<&mut Stream> {
        self.0.iter_mut().find(|stream| stream.format == format)
    }

    /// Has a stream for each of `formats` and for no other. Allocates.
    pub(crate) fn keep(&mut self, formats: &[Format]) {
        self.0.retain(|stream| formats.contains(&stream.format));
        for &format in formats {
            self.add(format);
        }
    }

    /// Has a stream for `format`, unless each listener has one of its own. Allocates where it is new.
    pub(crate) fn add(&mut self, format: Format) {
        if format.is_shared() && self.get(format).is_none() {
            // What can be shared needs none.
            self.0.extend(Stream::new(format, &Libraries::default()));
        }
    }
}
