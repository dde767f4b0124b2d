//! Discontinuous transmission: where nothing but noise is to be sent, it is described now and then (RFC 3389) and the
//! rest is not sent.

use crate::audio::codec::comfort_noise::{Encoder, LONGEST_PAYLOAD};
use crate::audio::{FRAME_8K, Frame};
use crate::types::SampleRate;

/// So much noise is sent as it is before a pause begins, ticks: 200 ms.
const HANGOVER: u8 = 10;
/// Our own hint of noise is described again after so many ticks, since a packet may be lost: a second.
const REPEATED: u8 = 50;
/// What we say of it: −68 dBFS are −71 dBov. White, so that no coefficient is needed.
const FAINT: u8 = 71;

/// Noise that is to be heard.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Noise<'a> {
    /// The hint of noise that stands for silence.
    Faint,
    /// That of somebody's room: a frame of 8 or 16 kHz.
    Of(&'a [i16]),
}

/// What is sent of a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    /// The sound.
    Sound,
    /// Nothing.
    Nothing,
    /// A description of so many octets.
    Description(usize),
}

/// The pauses of what one leg is sent.
#[derive(Debug)]
pub(super) struct Dtx {
    pub(super) payload_type: u8,
    encoder: Encoder,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Sound is sent; the last ticks of it were noise.
    Sound { noise: u8 },
    /// A pause, whose faint noise was described so many ticks ago.
    Faint { ago: u8 },
    /// A pause whose noise goes through the encoder.
    Described,
}

impl Dtx {
    /// Descriptions under this payload type, of the clock rate of telephones.
    pub(super) const fn new(payload_type: u8) -> Self {
        Self { payload_type, encoder: Encoder::new(SampleRate::HZ_8000), state: State::Sound { noise: 0 } }
    }

    /// There is sound to be sent.
    pub(super) const fn sound(&mut self) {
        self.state = State::Sound { noise: 0 };
    }

    /// There is noise to be sent. A pause begins only where it `may`: between packets.
    pub(super) fn noise(&mut self, noise: Noise<'_>, may: bool, payload: &mut [u8; LONGEST_PAYLOAD]) -> Sending {
        if let State::Sound { noise } = &mut self.state
            && (*noise < HANGOVER || !may)
        {
            *noise = noise.saturating_add(1);
            return Sending::Sound;
        }
        let octets = match noise {
            Noise::Faint => {
                let ago = match self.state {
                    State::Faint { ago } if ago < REPEATED => ago + 1,
                    _ => 1,
                };
                self.state = State::Faint { ago };
                payload[0] = FAINT;
                usize::from(ago == 1)
            }
            Noise::Of(frame) => {
                if self.state != State::Described {
                    self.encoder.begin();
                    self.state = State::Described;
                }
                self.encoder.encode(&narrow(frame), payload)
            }
        };
        if octets == 0 { Sending::Nothing } else { Sending::Description(octets) }
    }
}

/// A frame at 8 kHz. Of a wide one each two samples become their mean, which is filter enough for noise.
fn narrow(frame: &[i16]) -> Frame {
    let mut narrow = [0; FRAME_8K];
    match <&Frame>::try_from(frame) {
        Ok(frame) => narrow = *frame,
        Err(_) => {
            let (pairs, _) = frame.as_chunks();
            narrow.iter_mut().zip(pairs).for_each(|(sample, &[a, b])| *sample = i16::midpoint(a, b));
        }
    }
    narrow
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_sent_for_a_while_then_described_at_once_and_each_second() {
        let mut dtx = Dtx::new(13);
        let mut payload = [0; LONGEST_PAYLOAD];
        for _ in 0..2 {
            for _ in 0..HANGOVER {
                assert_eq!(dtx.noise(Noise::Faint, true, &mut payload), Sending::Sound);
            }
            assert_eq!(dtx.noise(Noise::Faint, false, &mut payload), Sending::Sound);
            for _ in 0..3 {
                assert_eq!(dtx.noise(Noise::Faint, true, &mut payload), Sending::Description(1));
                assert_eq!(payload[0], FAINT);
                for _ in 1..REPEATED {
                    assert_eq!(dtx.noise(Noise::Faint, true, &mut payload), Sending::Nothing);
                }
            }
            // Another noise is described at once.
            for frame in [&[100; 160][..], &[100; 320]] {
                let octets = dtx.noise(Noise::Of(frame), true, &mut payload);
                assert_eq!(octets, Sending::Description(LONGEST_PAYLOAD));
                assert_eq!(payload[0], 50);
                assert_eq!(dtx.noise(Noise::Of(frame), true, &mut payload), Sending::Nothing);
                assert_eq!(dtx.noise(Noise::Faint, true, &mut payload), Sending::Description(1));
            }
            dtx.sound();
        }
    }
}
