//! Keys that are heard as tones (DTMF: ITU-T Q.23 and Q.24).

mod pair;
#[cfg(test)]
mod tests;

use self::pair::{Pair, Search};
use super::Rate;
use super::fade::{fade_in, fade_out};

/// A key is down when as many blocks in a row have its tones: 40 ms have them wherever the blocks begin, 23 ms never.
const BLOCKS: usize = 3;
/// It is up when so many in a row have not: an interruption of 10 ms is none (Q.24), a pause of 30 ms is one.
const MISSING: u8 = 2;
/// Tones that fall by more have ended, decibels.
const FALL: f32 = 8.0;

/// Finds keys in the sound of one leg, frame by frame, and takes their tones out of it.
///
/// Sound is judged in blocks of 10 ms. A key is a pair of tones that three blocks have alike: they hold nearly all of
/// the sound, neither is too faint nor much fainter than the other, they are steady, and their phases advance as those
/// of its frequencies do. So speech and music hold no keys, and one that is held down counts once.
///
/// Others hear less than 25 ms of a key: what came before the first block that its tones fill, and a ramp of 5 ms.
#[derive(Debug, Clone)]
pub struct Detector {
    rate: Rate,
    search: Search,
    /// What the blocks before had, the newest last.
    before: [Option<Pair>; BLOCKS - 1],
    down: Option<Down>,
    /// The last block was taken out.
    is_silent: bool,
}

/// A key that is down.
#[derive(Debug, Clone, Copy)]
struct Down {
    pair: Pair,
    /// Blocks in a row that do not have it.
    missing: u8,
}

/// What a frame held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heard {
    /// A key went down: `0`-`9`, `*`, `#`, `A`-`D`.
    pub key: Option<char>,
    /// Nothing is left of the frame.
    pub is_silent: bool,
}

impl Detector {
    /// A detector for sound of a rate.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self { rate, search: Search::new(rate), before: [None; BLOCKS - 1], down: None, is_silent: false }
    }

    /// The rate of the sound it takes.
    #[must_use]
    pub const fn rate(&self) -> Rate {
        self.rate
    }

    /// Listens to a frame, and silences what of it are the tones of a key. What is concealed, and nobody said, begins
    /// no key and ends none.
    pub fn hear(&mut self, frame: &mut [i16], is_concealed: bool) -> Heard {
        let mut heard = Heard { key: None, is_silent: true };
        for block in frame.chunks_exact_mut(self.rate.frame() / 2) {
            let is_tone = if is_concealed {
                self.before = [None; BLOCKS - 1];
                self.down.is_some()
            } else {
                let (key, is_tone) = self.judge(block);
                heard.key = heard.key.or(key);
                is_tone
            };
            heard.is_silent &= is_tone && self.is_silent;
            match (std::mem::replace(&mut self.is_silent, is_tone), is_tone) {
                (true, true) => block.fill(0),
                (false, true) => fade_out(block, self.rate),
                (true, false) => fade_in(block, self.rate),
                (false, false) => {}
            }
        }
        heard
    }

    /// A frame in which nothing was said.
    pub const fn pause(&mut self) {
        self.before = [None; BLOCKS - 1];
        self.down = None;
        self.is_silent = false;
    }

    /// The key that goes down with a block, and whether the block is a key's.
    fn judge(&mut self, block: &[i16]) -> (Option<char>, bool) {
        let pair = self.search.pair(block, self.down.is_some());
        let [first, second] = self.before;
        self.before = [second, pair];
        if let Some(down) = &mut self.down {
            down.missing = if pair.is_some_and(|pair| pair.goes_on(&down.pair, FALL)) { 0 } else { down.missing + 1 };
            if down.missing == MISSING {
                self.down = None;
            }
            return (None, true);
        }
        let Some(pair) = pair else { return (None, false) };
        if let (Some(first), Some(second)) = (first, second)
            && Pair::are_one_key([&first, &second, &pair])
        {
            self.down = Some(Down { pair, missing: 0 });
            return (Some(pair.key()), true);
        }
        (None, pair.fills_its_block())
    }
}
