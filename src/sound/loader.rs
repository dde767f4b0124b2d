//! Sounds of the dialplan and of administrators, from wherever they are.
//!
//! A file is read when it is asked for. What a URL names is there if it was fetched before; it is fetched, or asked
//! whether it has changed, beside the calls, and again every hour; where that fails, sooner.

use super::fetch::{Fetcher, Patience};
use super::load::{Loaded, whole};
use super::pool::{Lost, Pool, now};
use super::reader::Reader;
use super::store::{Kept, Store};
use super::stream::{Ask, StreamPatience, Streams, hint_of};
use super::unplayable::Unplayable;
use crate::dialplan::{FetchSettings, SoundSource, SoundUrl};
use crate::media::command::{Clip, Pcm, StreamSample};
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How often what is there is asked after.
const REFRESH: Duration = Duration::from_secs(3_600);
/// After a failure; twice as long after each further one …
const RETRY: Duration = Duration::from_secs(30);
/// … up to this.
const LONGEST_RETRY: Duration = Duration::from_secs(900);
/// Beyond the time for fetching: deciding what it is, and decoding it.
const DECODING: Duration = Duration::from_secs(20);

/// What came of a sound: it, or why not.
type Outcome = Result<Found, String>;

/// A sound that can be played.
#[derive(Debug, Clone)]
enum Found {
    Whole(Pcm),
    /// It is decoded while it is played.
    Long(Kept),
}

impl Found {
    fn read(kept: Kept) -> Result<Self, Unplayable> {
        let file = File::open(&kept.path).map_err(Unplayable::Open)?;
        Ok(match whole(Reader::new(BufReader::new(file), &kept.hint)?)? {
            Loaded::Whole(pcm) => Self::Whole(pcm),
            Loaded::Long => Self::Long(kept),
        })
    }

    /// How long it is, where that is known before it is played.
    fn length(&self) -> Option<Duration> {
        match self {
            Self::Whole(pcm) => Some(pcm.duration()),
            Self::Long(_) => None,
        }
    }

    fn clip(&self, streams: &Streams, name: &str, is_loop: bool, usual: Option<&Pcm>) -> Clip {
        match self {
            Self::Whole(pcm) if is_loop => Clip::Loop(pcm.clone()),
            Self::Whole(pcm) => Clip::Samples(pcm.clone()),
            Self::Long(Kept { path, hint }) => streams.play(Ask {
                path: path.clone(),
                hint: hint.clone(),
                name: name.to_owned(),
                is_loop,
                usual: usual.cloned(),
            }),
        }
    }
}

/// A sound that the dialplan names.
#[derive(Debug, Clone)]
pub struct Source {
    name: Arc<str>,
    streams: Streams,
    slot: Arc<Slot>,
}

/// What is there of it.
#[derive(Debug, Default)]
struct Slot {
    found: Mutex<Option<Found>>,
}

impl Slot {
    fn set(&self, found: Found) {
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
    }

    fn get(&self) -> Option<Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Source {
    /// The sound as a player takes it, over and over if it is a loop; `usual` where it is not there.
    #[must_use]
    pub fn clip(&self, is_loop: bool, usual: Option<&Pcm>) -> Option<Clip> {
        match self.slot.get() {
            Some(found) => Some(found.clip(&self.streams, &self.name, is_loop, usual)),
            None if is_loop => usual.cloned().map(Clip::Loop),
            None => usual.cloned().map(Clip::Samples),
        }
    }
}

/// Loads sounds. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Loader {
    store: Arc<Store>,
    pool: Pool<Outcome>,
    streams: Streams,
    patience: Patience,
    fetcher: Arc<Mutex<Option<Arc<Fetcher>>>>,
    keeper: Sender<News>,
}

impl Loader {
    /// Starts the threads; `data` is the folder for what the gateway writes.
    ///
    /// # Errors
    /// There are no threads.
    pub fn start(data: &Path, patience: Patience) -> io::Result<Self> {
        let (keeper, news) = mpsc::channel();
        let loader = Self {
            store: Arc::new(Store::new(data.join("sounds"))),
            pool: Pool::start()?,
            streams: Streams::start(StreamPatience::default())?,
            patience,
            fetcher: Arc::default(),
            keeper,
        };
        let (pool, store, back) = (loader.pool.clone(), Arc::clone(&loader.store), loader.keeper.clone());
        let keeper = Keeper { pool, store, back, kept: Vec::new() };
        std::thread::Builder::new().name("sound-keeper".into()).spawn(move || keeper.work(&news))?;
        Ok(loader)
    }

    /// A file that the dialplan names, as it was loaded.
    #[must_use]
    pub fn file(&self, path: &Path, loaded: Loaded) -> Source {
        let kept = Kept { hint: hint_of(path), path: path.to_owned() };
        let slot = Arc::new(Slot::default());
        slot.set(match loaded {
            Loaded::Whole(pcm) => Found::Whole(pcm),
            Loaded::Long => Found::Long(kept),
        });
        self.source(path.display().to_string(), slot)
    }

    /// A URL that the dialplan names. It is fetched in the background, and until then what was fetched before stands.
    #[must_use]
    pub fn url(&self, url: &SoundUrl, settings: &FetchSettings) -> Source {
        let slot = Arc::new(Slot::default());
        // One that is damaged is fetched anew.
        if let Some(found) = self.store.kept(url).and_then(|kept| Found::read(kept).ok()) {
            slot.set(found);
        }
        let wanted = Wanted { slot: Arc::downgrade(&slot), url: url.clone(), fetcher: self.fetcher(settings) };
        // It is there for as long as the process.
        let _ = self.keeper.send(News::Wanted(wanted));
        self.source(url.to_string(), slot)
    }

    fn source(&self, name: String, slot: Arc<Slot>) -> Source {
        Source { name: name.into(), streams: self.streams.clone(), slot }
    }

    /// Has a sound made ready that an administrator wants played once. `deliver` gets it, or why not, on another
    /// thread.
    pub fn clip(
        &self,
        source: SoundSource,
        settings: &FetchSettings,
        deliver: impl FnOnce(Result<Clip, String>) + Send + 'static,
    ) {
        let (store, fetcher, streams) = (Arc::clone(&self.store), self.fetcher(settings), self.streams.clone());
        let name = source.to_string();
        let of_file = name.clone();
        let work = move || match source {
            SoundSource::File(path) => {
                Found::read(Kept { hint: hint_of(&path), path }).map_err(|error| format!("{of_file}: {error}"))
            }
            SoundSource::Url(url) => match (fetched(&store, &fetcher, &url), store.kept(&url)) {
                // What is there is better than nothing.
                (Err(why), Some(kept)) => Found::read(kept).map_err(|_| why),
                (outcome, _) => outcome,
            },
        };
        self.pool.run(settings.timeout + DECODING, work, move |outcome| {
            let outcome = outcome.unwrap_or_else(|lost| Err(format!("{name}: {lost}")));
            deliver(outcome.map(|found| found.clip(&streams, &name, false, None)));
        });
    }

    /// Has a URL fetched for a player that waits for it: what is there is written to `stream` from then on, over and
    /// over if it is a loop. `deliver` gets how long it is, if that is known, or why there is none, on another thread.
    pub fn stream(
        &self,
        url: SoundUrl,
        settings: &FetchSettings,
        is_loop: bool,
        stream: rtrb::Producer<StreamSample>,
        deliver: impl FnOnce(Result<Option<Duration>, String>) + Send + 'static,
    ) {
        let (store, fetcher, streams) = (Arc::clone(&self.store), self.fetcher(settings), self.streams.clone());
        let (kept, name) = (Arc::clone(&self.store), url.clone());
        let work = move || match (fetched(&store, &fetcher, &url), store.kept(&url)) {
            // What is there is better than nothing.
            (Err(why), Some(kept)) => Found::read(kept).map_err(|_| why),
            (outcome, _) => outcome,
        };
        self.pool.run(settings.timeout + DECODING, work, move |outcome| {
            let outcome = outcome.unwrap_or_else(|lost| Err(format!("{name}: {lost}")));
            let length = outcome.and_then(|found| {
                let Kept { path, hint } = kept.kept(&name).ok_or_else(|| format!("{name}: it is not kept"))?;
                streams.feed(Ask { path, hint, name: name.to_string(), is_loop, usual: None }, stream);
                Ok(found.length())
            });
            deliver(length);
        });
    }

    /// The fetcher of these settings.
    fn fetcher(&self, settings: &FetchSettings) -> Arc<Fetcher> {
        let mut current = self.fetcher.lock().unwrap_or_else(PoisonError::into_inner);
        match &*current {
            Some(fetcher) if fetcher.settings() == settings => Arc::clone(fetcher),
            _ => Arc::clone(current.insert(Arc::new(Fetcher::new(settings.clone(), self.patience)))),
        }
    }
}

/// Fetches a URL, and reads what is then there.
fn fetched(store: &Store, fetcher: &Fetcher, url: &SoundUrl) -> Outcome {
    store.refresh(fetcher, url).map_err(|error| error.to_string())?;
    let kept = store.kept(url).ok_or_else(|| format!("{url}: it is not kept"))?;
    Found::read(kept).map_err(|error| format!("{url}: what the server has {error}"))
}

/// A URL that a dialplan names, for as long as anybody has its slot.
struct Wanted {
    slot: Weak<Slot>,
    url: SoundUrl,
    fetcher: Arc<Fetcher>,
}

enum News {
    Wanted(Wanted),
    Done { number: u64, outcome: Result<Outcome, Lost> },
}

/// Has URLs fetched when it is time.
struct Keeper {
    pool: Pool<Outcome>,
    store: Arc<Store>,
    back: Sender<News>,
    kept: Vec<Entry>,
}

struct Entry {
    wanted: Wanted,
    number: u64,
    /// `None`: it is being fetched.
    due: Option<Instant>,
    failures: u32,
    told: Option<String>,
}

impl Keeper {
    fn work(mut self, news: &Receiver<News>) {
        let mut next = 0;
        loop {
            let due = self.kept.iter().filter_map(|entry| entry.due).min();
            let wait = due.map_or(REFRESH, |due| due.saturating_duration_since(now()));
            match news.recv_timeout(wait) {
                Ok(News::Wanted(wanted)) => {
                    next += 1;
                    self.kept.push(Entry { wanted, number: next, due: Some(now()), failures: 0, told: None });
                }
                Ok(News::Done { number, outcome }) => self.done(number, outcome),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            // Those of a dialplan that is gone.
            self.kept.retain(|entry| entry.wanted.slot.strong_count() > 0);
            let now = now();
            for entry in self.kept.iter_mut().filter(|entry| entry.due.is_some_and(|due| due <= now)) {
                entry.due = None;
                let (store, fetcher, url) =
                    (Arc::clone(&self.store), Arc::clone(&entry.wanted.fetcher), entry.wanted.url.clone());
                let (back, number) = (self.back.clone(), entry.number);
                let patience = fetcher.settings().timeout + DECODING;
                let deliver = move |outcome| drop(back.send(News::Done { number, outcome }));
                self.pool.run(patience, move || fetched(&store, &fetcher, &url), deliver);
            }
        }
    }

    fn done(&mut self, number: u64, outcome: Result<Outcome, Lost>) {
        let Some(entry) = self.kept.iter_mut().find(|entry| entry.number == number) else { return };
        let Some(slot) = entry.wanted.slot.upgrade() else { return };
        let outcome = outcome.unwrap_or_else(|lost| Err(format!("{}: {lost}", entry.wanted.url)));
        match outcome {
            Ok(found) => {
                slot.set(found);
                if entry.told.take().is_some() {
                    tracing::info!("{} is there now", entry.wanted.url);
                }
                (entry.failures, entry.due) = (0, Some(now() + REFRESH));
            }
            Err(why) => {
                let meanwhile = if slot.get().is_some() { "what was fetched before" } else { "what is usual" };
                if entry.told.as_ref() != Some(&why) {
                    tracing::warn!("{why}; {meanwhile} is played instead");
                    entry.told = Some(why);
                }
                let wait = RETRY.saturating_mul(1 << entry.failures.min(10)).min(LONGEST_RETRY);
                (entry.failures, entry.due) = (entry.failures + 1, Some(now() + wait));
            }
        }
    }
}
