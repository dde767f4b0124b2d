//! How the sound of a WAV file is encoded.

use super::Mix;
use super::header::{Form, Head};
use crate::audio::codec::g711::Law;
use crate::audio::codec::{adpcm, gsm};

/// An encoding, and what decoding it takes.
#[derive(Debug)]
pub(super) enum Coding {
    /// 8 bits without a sign.
    Unsigned,
    /// Integers of so many octets, the highest bits first filled.
    Integer(usize),
    /// Floats of 32 bits.
    Float,
    /// Floats of 64 bits.
    Double,
    /// G.711.
    Law(Law),
    /// IMA ADPCM.
    Ima,
    /// Microsoft's ADPCM, with its predictors.
    Ms(Box<[(i16, i16)]>),
    /// GSM in frames of 33 octets.
    Gsm(Box<gsm::Decoder>),
    /// GSM in pairs of frames.
    GsmPairs(Box<gsm::Decoder>),
}

impl Coding {
    /// The encoding that a head names.
    pub(super) fn of(head: &Head) -> Result<Self, Form> {
        let channels = usize::from(head.channels);
        // Octets of a sample, where it has whole ones.
        let width = usize::from(head.block) / channels;
        let is_whole = usize::from(head.block) == width * channels;
        let odd = Form::Broken("the length of its blocks does not fit its channels");
        let coding = match (head.tag, width) {
            (0x0001 | 0x0003 | 0x0006 | 0x0007, _) if !is_whole || width == 0 => return Err(odd),
            (0x0001, 1) => Self::Unsigned,
            (0x0001, 2..=4) => Self::Integer(width),
            (0x0001, _) => return Err(Form::Encoding("PCM of more than 32 bits")),
            (0x0003, 4) if head.bits == 32 => Self::Float,
            (0x0003, 8) if head.bits == 64 => Self::Double,
            (0x0003, _) => return Err(Form::Encoding("floats of neither 32 nor 64 bits")),
            (0x0006, 1) => Self::Law(Law::A),
            (0x0007, 1) => Self::Law(Law::Mu),
            (0x0006 | 0x0007, _) => return Err(odd),
            (0x0011, 0..4) | (0x0002, 0..7) => return Err(odd),
            (0x0011, _) if head.bits == 4 => Self::Ima,
            (0x0002, _) if head.bits == 4 => Self::Ms(predictors(&head.extra)),
            (0x0002 | 0x0011, _) => return Err(Form::Encoding("ADPCM of other than four bits")),
            (0x0031, gsm::PAIR_OCTETS) if channels == 1 => Self::GsmPairs(Box::default()),
            (0x0031, gsm::OCTETS) if channels == 1 => Self::Gsm(Box::default()),
            (0x0031, _) => return Err(Form::Broken("its blocks are not those of GSM")),
            (tag, _) => return Err(Form::Encoding(unread(tag))),
        };
        Ok(coding)
    }

    /// The name, for people.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Unsigned | Self::Integer(_) => "PCM",
            Self::Float => "32-bit floats",
            Self::Double => "64-bit floats",
            Self::Law(Law::Mu) => "\u{b5}-law",
            Self::Law(Law::A) => "A-law",
            Self::Ima => "IMA ADPCM",
            Self::Ms(_) => "Microsoft ADPCM",
            Self::Gsm(_) | Self::GsmPairs(_) => "GSM",
        }
    }

    /// Decodes a block, the last of a file as far as it goes. False where it cannot be read.
    pub(super) fn decode(&mut self, block: &[u8], channels: usize, mix: &mut Mix<'_>) -> bool {
        // The end of a file may lie within a sample, or within the head of a block.
        let mut add = |sample: i16| mix.add(f32::from(sample) / 32_768.0);
        match self {
            Self::Unsigned => block.iter().for_each(|&octet| mix.add((f32::from(octet) - 128.0) / 128.0)),
            Self::Integer(width) => block.chunks_exact(*width).for_each(|octets| mix.add(integer(octets))),
            Self::Float => {
                let (samples, _) = block.as_chunks();
                samples.iter().for_each(|octets| mix.add(f32::from_le_bytes(*octets)));
            }
            Self::Double => {
                let (samples, _) = block.as_chunks();
                #[expect(clippy::cast_possible_truncation, reason = "24 bits of 53 are plenty")]
                samples.iter().for_each(|octets| mix.add(f64::from_le_bytes(*octets) as f32));
            }
            Self::Law(law) => {
                let mut samples = vec![0; block.len()];
                law.decode(block, &mut samples);
                samples.into_iter().for_each(add);
            }
            Self::Ima => return adpcm::decode_ima(block, channels, add) || block.len() < 4 * channels,
            Self::Ms(predictors) => {
                return adpcm::decode_ms(block, channels, predictors, add) || block.len() < 7 * channels;
            }
            Self::Gsm(decoder) => {
                if let Some(frame) = block.first_chunk() {
                    let Some(samples) = decoder.decode(frame) else { return false };
                    samples.into_iter().for_each(add);
                }
            }
            Self::GsmPairs(decoder) => {
                if let Some(pair) = block.first_chunk() {
                    decoder.decode_pair(pair).into_iter().flatten().for_each(&mut add);
                }
            }
        }
        true
    }
}

/// An integer of up to four octets, of ±1.
#[expect(clippy::cast_precision_loss, reason = "24 bits of 32 are plenty")]
fn integer(octets: &[u8]) -> f32 {
    let mut four = [0; 4];
    four[4 - octets.len()..].copy_from_slice(octets);
    i32::from_le_bytes(four) as f32 / 2_147_483_648.0
}

/// The predictors that the head of a file of Microsoft's ADPCM lists.
fn predictors(extra: &[u8]) -> Box<[(i16, i16)]> {
    let listed = extra.get(4..).unwrap_or_default().as_chunks::<4>().0;
    let listed = listed.iter().map(|[a, b, c, d]| (i16::from_le_bytes([*a, *b]), i16::from_le_bytes([*c, *d])));
    let listed: Box<[_]> = listed.collect();
    if listed.is_empty() { adpcm::MS_PREDICTORS.into() } else { listed }
}

/// The name of an encoding that is not read.
const fn unread(tag: u16) -> &'static str {
    match tag {
        0x0040 => "G.721 ADPCM",
        0x0045 => "G.726 ADPCM",
        0x0050 | 0x0055 => "MPEG audio (MP3)",
        0x0065 => "G.722",
        0x0161..=0x0163 => "Windows Media audio",
        0x0083 | 0x0133 | 0x0134 => "G.729",
        _ => "an encoding that is not PCM",
    }
}
