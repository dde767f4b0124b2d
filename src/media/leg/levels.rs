//! Which packets need not be decoded, as their sender tells by their level (RFC 6464).

use crate::rtp::AudioLevel;

/// What is told to be no voice and this quiet adds nothing to a conference anyway: the threshold of the gate, −55 dBFS,
/// is −58 dBov.
const SILENT: u8 = 60;
/// So much silence is decoded before the rest is not: until then the gate has closed.
const SETTLED_US: u64 = 500_000;

/// The levels of one sender.
#[derive(Debug)]
pub(super) struct Levels {
    /// The identifier of the header extension.
    id: u8,
    /// How much in a row was told to be silent.
    silent_us: u64,
}

impl Levels {
    pub(super) const fn new(id: u8) -> Self {
        Self { id, silent_us: 0 }
    }

    pub(super) const fn set_id(&mut self, id: u8) {
        self.id = id;
    }

    /// Whether the packet in `datagram`, of so many microseconds, need not be decoded. Nothing else is believed of a
    /// level: whoever tells a wrong one is not heard, never heard more.
    pub(super) fn is_silence(&mut self, datagram: &[u8], micros: u64) -> bool {
        let level = AudioLevel::of(datagram, self.id);
        if level.is_some_and(|level| !level.is_voice && level.below_overload >= SILENT) {
            self.silent_us = self.silent_us.saturating_add(micros);
        } else {
            self.silent_us = 0;
        }
        self.silent_us > SETTLED_US
    }

    /// Another sender.
    pub(super) const fn restart(&mut self) {
        self.silent_us = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram(level: u8) -> Vec<u8> {
        let mut bytes = vec![0x90, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        bytes.extend([0xBE, 0xDE, 0, 1, 0x30, level, 0, 0, 7]);
        bytes
    }

    #[test]
    fn silence_is_believed_after_half_a_second_and_sound_at_once() {
        let mut levels = Levels::new(3);
        let mut silence = |level: u8| levels.is_silence(&datagram(level), 20_000);
        for _ in 0..25 {
            assert!(!silence(127));
        }
        assert!(silence(127) && silence(60));
        for sound in [59, 0x80 | 127, 0x80 | 20, 0] {
            assert!(!silence(sound) && !silence(127), "{sound}");
        }
    }

    #[test]
    fn what_tells_no_level_is_sound() {
        let mut levels = Levels::new(3);
        for _ in 0..100 {
            assert!(!levels.is_silence(&[0x80, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 7], 20_000));
        }
        levels.set_id(4);
        assert!((0..100).all(|_| !levels.is_silence(&datagram(127), 20_000)));
    }
}
