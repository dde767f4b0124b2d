//! Sound that is decoded while it is played: what is long, and what is played over and over.
//!
//! One thread feeds all players and never touches a file; each sound has a thread that decodes it. One that hangs or
//! ends too soon is left behind, and its player gets what is usual in its place, or ends.

use super::form::Hint;
use super::pool::{be_nice, now};
use super::reader::{Block, Reader};
use super::unplayable::Unplayable;
use crate::audio::wav;
use crate::media::command::{Clip, Pcm, Stream, StreamSample};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError};
use std::time::{Duration, Instant};

/// How much is ready for a player: two seconds.
const READY: usize = 16_000;
/// Blocks that are decoded ahead of that.
const BLOCKS: usize = 4;
/// How often players are fed …
const FEEDING: Duration = Duration::from_millis(100);
/// … and those that have heard nothing yet.
const BEGINNING: Duration = Duration::from_millis(10);
/// Sounds that are decoded at one time; further ones are replaced by what is usual.
const MOST: usize = 64;
/// Sounds whose failures are remembered, so that each is told once.
const MOST_TOLD: usize = 1_000;

/// How long a decoder is waited for.
#[derive(Debug, Clone, Copy)]
pub struct StreamPatience {
    /// For its first block.
    pub first: Duration,
    /// For the next one.
    pub next: Duration,
}

impl Default for StreamPatience {
    fn default() -> Self {
        Self { first: Duration::from_secs(2), next: Duration::from_secs(5) }
    }
}

/// A sound to be decoded while it is played.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub path: PathBuf,
    pub hint: Hint,
    /// What it is called in the log.
    pub name: String,
    /// Over and over.
    pub is_loop: bool,
    /// What is played where it cannot be.
    pub usual: Option<Pcm>,
}

/// Whoever feeds players. Ends when all its handles are gone and all is played.
#[derive(Debug, Clone)]
pub struct Streams {
    asks: Sender<(Ask, rtrb::Producer<StreamSample>)>,
}

impl Streams {
    /// Starts the feeding thread.
    ///
    /// # Errors
    /// There is none.
    pub fn start(patience: StreamPatience) -> io::Result<Self> {
        Self::with_opener(patience, |ask| {
            File::open(&ask.path)
                .map_err(Unplayable::Open)
                .and_then(|file| Reader::new(BufReader::new(file), &ask.hint))
        })
    }

    pub(super) fn with_opener(patience: StreamPatience, open: Open) -> io::Result<Self> {
        let (asks, asked) = mpsc::channel();
        let mut feeder = Feeder { patience, open, streams: Vec::new(), told: BTreeSet::new() };
        std::thread::Builder::new().name("sound-feeder".into()).spawn(move || feeder.work(&asked))?;
        Ok(Self { asks })
    }

    /// Writes a sound to a player's stream, which ends where there is nobody who does.
    pub(super) fn feed(&self, ask: Ask, stream: rtrb::Producer<StreamSample>) {
        let _ = self.asks.send((ask, stream));
    }

    /// A clip of a sound. It begins to be decoded at once.
    pub(super) fn play(&self, ask: Ask) -> Clip {
        let (producer, stream) = Stream::new(READY);
        match self.asks.send((ask, producer)) {
            Ok(()) => Clip::Stream(stream),
            // Nobody feeds any more.
            Err(mpsc::SendError((Ask { usual: Some(usual), is_loop, .. }, _))) => {
                if is_loop {
                    Clip::Loop(usual)
                } else {
                    Clip::Samples(usual)
                }
            }
            Err(_) => Clip::Silence(Duration::ZERO),
        }
    }
}

pub(super) type Open = fn(&Ask) -> Result<Reader, Unplayable>;

struct Feeder {
    patience: StreamPatience,
    open: Open,
    streams: Vec<Fed>,
    told: BTreeSet<PathBuf>,
}

/// A player that is fed.
struct Fed {
    ask: Ask,
    producer: rtrb::Producer<StreamSample>,
    /// `None`: nothing more is decoded.
    blocks: Option<Receiver<Result<Block, Unplayable>>>,
    block: Block,
    /// Samples of it at 8 kHz that are with the player.
    at: usize,
    heard: bool,
    /// The block is what is usual instead of a loop: it goes on as that would.
    again: bool,
    since: Instant,
}

impl Feeder {
    fn work(&mut self, asked: &Receiver<(Ask, rtrb::Producer<StreamSample>)>) {
        loop {
            let wait = match self.streams.iter().any(|fed| !fed.heard) {
                true => BEGINNING,
                false if self.streams.is_empty() => Duration::from_secs(3_600),
                false => FEEDING,
            };
            match asked.recv_timeout(wait) {
                Ok((ask, producer)) => self.begin(ask, producer),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) if self.streams.is_empty() => return,
                // Nobody asks any more; who hears something hears it to its end.
                Err(RecvTimeoutError::Disconnected) => std::thread::park_timeout(wait),
            }
            let Self { patience, streams, told, .. } = self;
            streams.retain_mut(|fed| fed.feed(*patience, told));
        }
    }

    fn begin(&mut self, ask: Ask, producer: rtrb::Producer<StreamSample>) {
        let decoded = self.streams.iter().filter(|fed| fed.blocks.is_some()).count();
        let blocks = if decoded < MOST { decode(ask.clone(), self.open) } else { None };
        let is_decoded = blocks.is_some();
        let mut fed =
            Fed { ask, producer, blocks, block: Block::default(), at: 0, heard: false, again: false, since: now() };
        if !is_decoded {
            fed.fail("too many sounds are decoded at one time", &mut self.told);
        }
        self.streams.push(fed);
    }
}

/// Decodes on a thread of its own. `None`: there is none.
fn decode(ask: Ask, open: Open) -> Option<Receiver<Result<Block, Unplayable>>> {
    let (sender, blocks) = mpsc::sync_channel(BLOCKS);
    let thread = std::thread::Builder::new().name("sound-decoder".into());
    let spawned = thread.spawn(move || {
        be_nice();
        while decode_once(&ask, open, &sender) && ask.is_loop {}
    });
    spawned.is_ok().then_some(blocks)
}

/// Decodes a sound from its beginning to its end. False where there is no sense in doing so again.
fn decode_once(ask: &Ask, open: Open, sender: &SyncSender<Result<Block, Unplayable>>) -> bool {
    let mut reader = match open(ask) {
        Ok(reader) => reader,
        Err(error) => {
            let _ = sender.send(Err(error));
            return false;
        }
    };
    let mut any = false;
    loop {
        match reader.next() {
            Some(Ok(block)) => {
                any |= !block.narrow.is_empty();
                if sender.send(Ok(block)).is_err() {
                    return false;
                }
            }
            // Broken behind its beginning: it is played as far as it goes.
            Some(Err(_)) if any => return true,
            Some(Err(error)) => {
                let _ = sender.send(Err(error));
                return false;
            }
            None => return any,
        }
    }
}

impl Fed {
    /// Gives the player what it has room for. False when there is nothing more to do.
    fn feed(&mut self, patience: StreamPatience, told: &mut BTreeSet<PathBuf>) -> bool {
        if self.producer.is_abandoned() {
            return false;
        }
        while self.producer.slots() > 0 {
            if self.at < self.block.narrow.len() {
                self.give();
                continue;
            }
            let Some(blocks) = &self.blocks else {
                if self.again && self.at > 0 {
                    self.at = 0;
                    continue;
                }
                return false;
            };
            match blocks.try_recv() {
                Ok(Ok(block)) => {
                    (self.block, self.at) = (block, 0);
                    self.heard = true;
                    self.since = now();
                }
                Ok(Err(error)) => self.fail(&error.to_string(), told),
                Err(TryRecvError::Disconnected) if self.heard => return false,
                Err(TryRecvError::Disconnected) => self.fail("gave nothing", told),
                Err(TryRecvError::Empty) => {
                    let limit = if self.heard { patience.next } else { patience.first };
                    if now().duration_since(self.since) < limit {
                        return true;
                    }
                    self.fail("is not read in time", told);
                }
            }
        }
        // With nothing to give there is nothing to wait for.
        self.since = now();
        true
    }

    fn give(&mut self) {
        let count = self.producer.slots().min(self.block.narrow.len() - self.at);
        let Ok(chunk) = self.producer.write_chunk_uninit(count) else { return };
        let narrow = self.block.narrow.iter().skip(self.at);
        let wide = self.block.wide.as_chunks::<2>().0.iter().skip(self.at);
        let given = chunk.fill_from_iter(narrow.zip(wide).map(|(&narrow, &wide)| StreamSample { narrow, wide }));
        // A block without the other rate would never be given.
        self.at += given.max(1);
    }

    /// It cannot be decoded any further: what is usual is played, if nothing was heard yet. Told once for each sound.
    fn fail(&mut self, why: &str, told: &mut BTreeSet<PathBuf>) {
        if told.len() < MOST_TOLD && told.insert(self.ask.path.clone()) {
            tracing::warn!("{} {why}; what is usual is played instead", self.ask.name);
        }
        self.blocks = None;
        // A loop goes on as what is usual; behind the beginning of anything else that would not fit.
        if let Some(usual) = self.ask.usual.take().filter(|_| !self.heard || self.ask.is_loop) {
            let narrow = usual.narrow().to_vec();
            let wide = usual.wide().map_or_else(|| twice(&narrow), <[i16]>::to_vec);
            (self.block, self.at, self.again) = (Block { narrow, wide }, 0, self.ask.is_loop);
        }
        self.heard = true;
    }
}

/// Sound of 8 kHz at 16 kHz.
fn twice(narrow: &[i16]) -> Vec<i16> {
    let mono: Vec<f32> = narrow.iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
    wav::at_rate(&mono, wav::RATE, 2 * wav::RATE)
}

/// The path of something that is named like a sound, as a hint.
pub(super) fn hint_of(path: &Path) -> Hint {
    Hint::of_name(&path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default())
}
