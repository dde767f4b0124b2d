//! Sound of any form, at both rates that a player takes.

use super::decoder::{Decoder, Fault};
use super::form::Hint;
use super::source::Meter;
use super::unplayable::Unplayable;
use crate::audio::resample::Resampler;
use crate::audio::wav::to_i16;
use std::fs::File;
use std::io::{BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// The rates of a block.
const NARROW: u32 = 8_000;
const WIDE: u32 = 16_000;

/// A piece of sound at both rates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Block {
    /// At 8 kHz.
    pub narrow: Vec<i16>,
    /// The same at 16 kHz, twice as many.
    pub wide: Vec<i16>,
}

/// Decodes a sound block by block. What it holds in memory does not grow with the sound.
pub struct Reader {
    decoder: Decoder,
    meter: Meter,
    rate: u32,
    mono: Vec<f32>,
    narrow: Track,
    wide: Track,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing was heard yet.
    Silent,
    Sounding,
    Over,
}

/// Sound on its way to one of the rates.
struct Track {
    to: u32,
    resampler: Resampler,
    ready: Vec<f32>,
}

impl Track {
    fn new(from: u32, to: u32) -> Self {
        Self { to, resampler: Resampler::new(from, to), ready: Vec::new() }
    }

    /// What follows has another rate.
    fn change(&mut self, from: u32) {
        self.resampler.finish(&mut self.ready);
        self.resampler = Resampler::new(from, self.to);
    }

    fn take(&mut self, count: usize) -> Vec<i16> {
        let count = count.min(self.ready.len());
        self.ready.drain(..count).map(to_i16).collect()
    }
}

impl Reader {
    /// Begins to read a file.
    ///
    /// # Errors
    /// It cannot be opened, or is no sound that can be played.
    pub fn open(path: &Path) -> Result<Self, Unplayable> {
        let file = File::open(path).map_err(Unplayable::Open)?;
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        Self::new(BufReader::new(file), &Hint::of_name(&name))
    }

    /// Begins to read.
    ///
    /// # Errors
    /// It is no sound that can be played.
    pub fn new(octets: impl Read + Send + Sync + 'static, hint: &Hint) -> Result<Self, Unplayable> {
        let meter = Meter::default();
        let opened = catch_unwind(AssertUnwindSafe(|| Decoder::open(Box::new(octets), hint, &meter)));
        let decoder = opened.unwrap_or_else(|_| {
            Err(Unplayable::Broken { form: "sound", at: meter.position(), why: "its decoder gave up".into() })
        })?;
        let rate = decoder.rate();
        let (narrow, wide) = (Track::new(rate, NARROW), Track::new(rate, WIDE));
        Ok(Self { decoder, meter, rate, mono: Vec::new(), narrow, wide, state: State::Silent })
    }

    /// Whether 16 kHz hold more of it than 8 kHz.
    #[must_use]
    pub const fn is_wide(&self) -> bool {
        self.rate > NARROW
    }

    /// Its form, for people.
    #[must_use]
    pub const fn form(&self) -> &'static str {
        self.decoder.form()
    }

    /// Decodes until there is something; `None` at the end.
    fn block(&mut self) -> Result<Option<Block>, Unplayable> {
        while self.state != State::Over {
            self.mono.clear();
            // A decoder that panics over a file takes nothing with it but that file.
            let read = catch_unwind(AssertUnwindSafe(|| self.decoder.read(&mut self.mono)));
            let goes_on = match read.unwrap_or_else(|_| Err(Fault::Broken("its decoder gave up".into()))) {
                Ok(goes_on) => goes_on,
                Err(fault) => {
                    self.state = State::Over;
                    return Err(self.unplayable(fault));
                }
            };
            if self.decoder.rate() != self.rate {
                self.rate = self.decoder.rate();
                self.narrow.change(self.rate);
                self.wide.change(self.rate);
            }
            if !self.mono.is_empty() {
                self.meter.heard();
                self.state = State::Sounding;
            }
            for track in [&mut self.narrow, &mut self.wide] {
                track.resampler.push(&self.mono, &mut track.ready);
                if !goes_on {
                    track.resampler.finish(&mut track.ready);
                }
            }
            let mut count = self.narrow.ready.len();
            if goes_on {
                count = count.min(self.wide.ready.len() / 2);
            } else {
                let was = std::mem::replace(&mut self.state, State::Over);
                if was == State::Silent {
                    return Err(match self.decoder {
                        Decoder::Wav(_) => Unplayable::Silent,
                        _ => self.unplayable(Fault::Broken("no sound is in it".into())),
                    });
                }
                self.wide.ready.resize(2 * count, 0.0);
            }
            if count > 0 {
                return Ok(Some(Block { narrow: self.narrow.take(count), wide: self.wide.take(2 * count) }));
            }
        }
        Ok(None)
    }

    fn unplayable(&self, fault: Fault) -> Unplayable {
        match fault {
            Fault::Io(error) => Unplayable::Io(error),
            Fault::Broken(why) => Unplayable::Broken { form: self.form(), at: self.meter.position(), why },
        }
    }
}

impl Iterator for Reader {
    type Item = Result<Block, Unplayable>;

    /// The next block. After an error there is none.
    fn next(&mut self) -> Option<Self::Item> {
        self.block().transpose()
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("form", &self.form()).field("rate", &self.rate).finish_non_exhaustive()
    }
}
