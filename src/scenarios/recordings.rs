//! Recordings of scenarios: one thread takes them from the media plane's rings and writes them, so that a disk that is
//! slow or full costs no call anything.

use super::Message;
use super::mailbox::Mailbox;
use crate::dialplan::Retention;
use crate::gateway::{SessionId, StreamEnd};
use crate::session::StreamHandle;
use crate::session::scenario::{Record, RecordNews};
use hound::{SampleFormat, WavSpec, WavWriter};
use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{BufWriter, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How often sound is taken; rings hold 4 s.
const PAUSE: Duration = Duration::from_millis(100);
/// Rounds after which what is written is on the disk, its head included: 5 s.
const FLUSH: u32 = 50;
/// The longest recording, seconds: an hour of WAV in stereo at 16 kHz is 230 MB.
const LONGEST: u64 = 6 * 60 * 60;
/// Files tried for one recording.
const NAMES: u32 = 10_000;
/// Recordings at once, of all sessions.
const MOST: usize = 256;
/// How often it is looked for what is not to be kept, while something is recorded …
const LOOK: Duration = Duration::from_secs(60);
/// … and while nothing is.
const SELDOM: Duration = Duration::from_secs(60 * 60);

/// All recordings. Their thread begins with the first.
#[derive(Debug)]
pub(super) struct Recordings {
    folder: PathBuf,
    waiting: Mutex<Waiting>,
    thread: OnceLock<Option<Sender<Task>>>,
}

/// What the thread is told.
#[derive(Debug)]
enum Task {
    Record(Recording),
    Keep(Retention),
}

/// Recordings whose streams are not open yet.
#[derive(Debug, Default)]
struct Waiting {
    /// Which recording a stream is for.
    streams: HashMap<(SessionId, StreamHandle), u32>,
    recordings: HashMap<(SessionId, u32), Recording>,
    /// Made so far: the last part of the next file's name.
    made: u64,
}

/// One of them.
#[derive(Debug)]
struct Recording {
    path: PathBuf,
    number: u32,
    scenario: Arc<Mailbox>,
    streams: Vec<StreamHandle>,
    sounds: Vec<rtrb::Consumer<i16>>,
    rate: u32,
    is_stereo: bool,
}

impl Recordings {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, waiting: Mutex::default(), thread: OnceLock::new() }
    }

    /// Keeps recordings so long from now on; what is not to be kept goes at once.
    pub(super) fn keep(&self, retention: Retention) {
        // Those of before the last start are looked at although nothing is recorded.
        let is_any = retention != Retention::default();
        let thread = if is_any { self.thread() } else { self.thread.get().and_then(Option::as_ref) };
        if let Some(thread) = thread {
            let _ = thread.send(Task::Keep(retention));
        }
    }

    fn thread(&self) -> Option<&Sender<Task>> {
        self.thread.get_or_init(|| start(self.folder.clone())).as_ref()
    }

    /// A scenario wants something recorded; its streams are to be opened after this.
    pub(super) fn begin(&self, session: SessionId, record: Record, name: &str, scenario: Arc<Mailbox>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.made += 1;
        let path = self.folder.join(format!("{name}-{}-{}.wav", session.0, waiting.made));
        for stream in &record.streams {
            waiting.streams.insert((session, *stream), record.recording);
        }
        let Record { recording: number, streams, is_stereo } = record;
        let recording = Recording { path, number, scenario, streams, sounds: Vec::new(), rate: 0, is_stereo };
        waiting.recordings.insert((session, number), recording);
    }

    /// A stream is open. Gives it back where it is not for a recording.
    pub(super) fn stream(&self, session: SessionId, stream: StreamHandle, end: StreamEnd) -> Option<StreamEnd> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(number) = waiting.streams.remove(&(session, stream)) else { return Some(end) };
        let StreamEnd::Out(sound) = end else { return Some(end) };
        let recording = waiting.recordings.get_mut(&(session, number))?;
        // The ring holds a known time.
        recording.rate = u32::try_from(sound.buffer().capacity()).unwrap_or_default() / 4;
        recording.sounds.push(sound);
        if recording.sounds.len() == recording.streams.len() {
            let recording = waiting.recordings.remove(&(session, number))?;
            if let Some(thread) = self.thread() {
                let _ = thread.send(Task::Record(recording));
            }
        }
        None
    }

    /// A session is over: what has not begun does not begin any more.
    pub(super) fn end(&self, session: SessionId) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.streams.retain(|(of, _), _| *of != session);
        waiting.recordings.retain(|(of, _), _| *of != session);
    }
}

/// The thread; `None` where there can be none.
fn start(folder: PathBuf) -> Option<Sender<Task>> {
    let (tasks, asked) = mpsc::channel();
    let thread = std::thread::Builder::new().name("recordings".into()).spawn(move || {
        let mut running: Vec<Running> = Vec::new();
        let mut retention = Retention::default();
        let mut looked: Option<Instant> = None;
        loop {
            if looked.is_none_or(|at| at.elapsed() >= if running.is_empty() { SELDOM } else { LOOK }) {
                looked = Some(Instant::now());
                let made: Vec<&Path> = running.iter().map(|one| one.recording.path.as_path()).collect();
                remove(&folder, retention, &made, SystemTime::now());
            }
            match asked.recv_timeout(if running.is_empty() { SELDOM } else { PAUSE }) {
                Ok(Task::Keep(given)) => (retention, looked) = (given, None),
                Ok(Task::Record(recording)) if running.len() < MOST => running.extend(Running::begin(recording)),
                Ok(Task::Record(recording)) => recording.failed("too many recordings are being made", 0),
                Err(RecvTimeoutError::Timeout) => {
                    let before = running.len();
                    running = running.into_iter().filter_map(Running::go_on).collect();
                    if running.len() < before {
                        looked = None;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    });
    thread.is_ok().then_some(tasks)
}

/// Removes recordings that are too old, and the oldest until the rest fits; those that are being made stay.
fn remove(folder: &Path, Retention { age, size }: Retention, made: &[&Path], now: SystemTime) {
    if age.is_none() && size.is_none() {
        return;
    }
    let files = fs::read_dir(folder).into_iter().flatten().flatten().filter_map(|entry| {
        let (path, data) = (entry.path(), entry.metadata().ok()?);
        let is_one = data.is_file() && path.extension().is_some_and(|extension| extension == "wav");
        is_one.then(|| Some((data.modified().ok()?, data.len(), path)))?
    });
    let mut files: Vec<(SystemTime, u64, PathBuf)> = files.collect();
    files.sort();
    let mut total: u64 = files.iter().map(|(_, length, _)| length).sum();
    let mut removed = 0_u64;
    for (ended, length, path) in files.into_iter().filter(|(.., path)| !made.contains(&path.as_path())) {
        let is_old = age.is_some_and(|age| now.duration_since(ended).is_ok_and(|since| since >= age));
        if !is_old && size.is_none_or(|size| total <= size) {
            continue;
        }
        match fs::remove_file(&path) {
            Ok(()) => (total, removed) = (total - length, removed + 1),
            Err(error) => tracing::warn!("recording {} is not removed: {error}", path.display()),
        }
    }
    if removed > 0 {
        tracing::info!("{removed} recordings were kept long enough and are removed");
    }
}

impl Recording {
    fn tell(&self, news: RecordNews) {
        // A scenario that is over wants no news; one that has no time misses them.
        let _ = self.scenario.try_send(Message::Recorded(self.number, news));
    }

    fn failed(&self, why: &str, seconds: u64) {
        tracing::warn!("recording {}: {why}", self.path.display());
        self.tell(RecordNews::Failed { why: why.to_owned(), seconds });
    }

    fn url(&self) -> String {
        let path = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        url::Url::from_file_path(path).map(String::from).unwrap_or_default()
    }
}

/// A recording whose file is open.
struct Running {
    recording: Recording,
    file: WavWriter<BufWriter<File>>,
    /// Samples of each channel.
    length: u64,
    rounds: u32,
}

impl Running {
    fn begin(mut recording: Recording) -> Option<Self> {
        let channels = if recording.is_stereo { recording.sounds.len() } else { 1 };
        match create(&recording.path, recording.rate, channels) {
            Ok((file, path)) => {
                recording.path = path;
                recording.tell(RecordNews::Started { url: recording.url() });
                Some(Self { recording, file, length: 0, rounds: 0 })
            }
            Err(error) => {
                recording.failed(&error.to_string(), 0);
                None
            }
        }
    }

    const fn seconds(&self) -> u64 {
        self.length / if self.recording.rate == 0 { 1 } else { self.recording.rate as u64 }
    }

    /// Writes what there is. Nothing is left of a recording that is over.
    fn go_on(mut self) -> Option<Self> {
        // In this order: what is there before the other ends go away is written.
        let is_over = self.recording.sounds.iter().all(rtrb::Consumer::is_abandoned);
        self.rounds += 1;
        let written =
            self.write().and_then(|()| if self.rounds.is_multiple_of(FLUSH) { self.file.flush() } else { Ok(()) });
        let seconds = self.seconds();
        if let Err(error) = written {
            self.recording.failed(&error.to_string(), seconds);
            // What is there is as good as it can be made.
            let _ = self.file.finalize();
            return None;
        }
        if !is_over && seconds < LONGEST {
            return Some(self);
        }
        match self.file.finalize() {
            Ok(()) => self.recording.tell(RecordNews::Stopped { url: self.recording.url(), seconds }),
            Err(error) => self.recording.failed(&error.to_string(), seconds),
        }
        None
    }

    /// Writes as much as all streams have.
    fn write(&mut self) -> Result<(), hound::Error> {
        let Recording { sounds, is_stereo, .. } = &mut self.recording;
        let count = sounds.iter().map(rtrb::Consumer::slots).min().unwrap_or(0);
        let chunks: Vec<Vec<i16>> = sounds
            .iter_mut()
            .filter_map(|sound| sound.read_chunk(count).ok())
            .map(|chunk| chunk.into_iter().collect())
            .collect();
        for at in 0..count {
            let samples = chunks.iter().filter_map(|chunk| chunk.get(at).copied());
            if *is_stereo {
                for sample in samples {
                    self.file.write_sample(sample)?;
                }
            } else {
                let sum: i32 = samples.map(i32::from).sum();
                let clamped = sum.clamp(i32::from(i16::MIN), i32::from(i16::MAX));
                self.file.write_sample(i16::try_from(clamped).unwrap_or_default())?;
            }
        }
        self.length += count as u64;
        Ok(())
    }
}

/// A new file, which nobody else reads, and its path: with a number more where there is such a file already, of a
/// session before the last start.
fn create(path: &Path, rate: u32, channels: usize) -> Result<(WavWriter<BufWriter<File>>, PathBuf), hound::Error> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut free = path.to_owned();
    let mut number = 2_u32;
    let file = loop {
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&free) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && number < NAMES => {
                free = path.with_extension(format!("{number}.wav"));
                number += 1;
            }
            opened => break opened?,
        }
    };
    let channels = u16::try_from(channels).unwrap_or(1);
    let spec = WavSpec { channels, sample_rate: rate, bits_per_sample: 16, sample_format: SampleFormat::Int };
    Ok((WavWriter::new(BufWriter::new(file), spec)?, free))
}

#[cfg(test)]
mod tests {
    use super::super::mailbox::Reader;
    use super::*;

    const SESSION: SessionId = SessionId(5);
    const PATIENCE: Duration = Duration::from_secs(30);

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            Self(std::env::temp_dir().join(format!("partyline-recordings-{}-{name}", std::process::id())))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    /// A recording of so many streams at 8 kHz, the ends that write to it, and its news.
    fn begin(all: &Recordings, streams: u32, is_stereo: bool) -> (Vec<rtrb::Producer<i16>>, Reader) {
        let news = Reader::new();
        let scenario = Arc::clone(&news.mailbox);
        let handles: Vec<_> = (1..=streams).map(StreamHandle).collect();
        all.begin(SESSION, Record { recording: 1, streams: handles.clone(), is_stereo }, "Desk", scenario);
        let rings = handles.into_iter().map(|stream| {
            let (ring, sound) = rtrb::RingBuffer::new(32_000);
            assert!(all.stream(SESSION, stream, StreamEnd::Out(sound)).is_none());
            ring
        });
        (rings.collect(), news)
    }

    fn next(news: &Reader) -> RecordNews {
        match news.next() {
            Message::Recorded(1, news) => news,
            other => panic!("{other:?}"),
        }
    }

    fn fill(ring: &mut rtrb::Producer<i16>, sample: i16, count: usize) {
        ring.write_chunk_uninit(count).unwrap().fill_from_iter(std::iter::repeat_n(sample, count));
    }

    fn read(url: &str) -> (u16, u32, Vec<i16>) {
        let path = url::Url::parse(url).unwrap().to_file_path().unwrap();
        let mut file = hound::WavReader::open(path).unwrap();
        let spec = file.spec();
        (spec.channels, spec.sample_rate, file.samples::<i16>().map(Result::unwrap).collect())
    }

    #[test]
    fn both_sides_of_a_call_are_two_channels_or_one() {
        for is_stereo in [true, false] {
            let folder = Folder::new(if is_stereo { "stereo" } else { "mono" });
            let all = Recordings::new(folder.0.join("deep"));
            let (mut rings, news) = begin(&all, 2, is_stereo);
            let RecordNews::Started { url } = next(&news) else { panic!() };
            fill(&mut rings[0], 30_000, 16_000);
            fill(&mut rings[1], 10_000, 16_000);
            drop(rings);
            assert_eq!(next(&news), RecordNews::Stopped { url: url.clone(), seconds: 2 });
            let (channels, rate, samples) = read(&url);
            let expected: &[i16] = if is_stereo { &[30_000, 10_000] } else { &[i16::MAX] };
            assert_eq!((usize::from(channels), rate), (expected.len(), 8_000));
            assert_eq!(samples, expected.repeat(16_000));
        }
    }

    #[test]
    fn what_was_recorded_before_a_restart_stays() {
        let folder = Folder::new("again");
        let urls = [1, 2].map(|sample| {
            // As after a start: sessions are numbered anew.
            let all = Recordings::new(folder.0.clone());
            let (mut rings, news) = begin(&all, 1, false);
            let RecordNews::Started { url } = next(&news) else { panic!() };
            fill(&mut rings[0], sample, 8_000);
            drop(rings);
            assert_eq!(next(&news), RecordNews::Stopped { url: url.clone(), seconds: 1 });
            url
        });
        assert_eq!(urls.map(|url| read(&url).2[0]), [1, 2]);
    }

    #[test]
    fn a_folder_that_cannot_be_made_fails_the_recording() {
        let folder = Folder::new("shut");
        std::fs::create_dir_all(&folder.0).unwrap();
        std::fs::write(folder.0.join("file"), "").unwrap();
        let all = Recordings::new(folder.0.join("file"));
        let (_rings, news) = begin(&all, 1, false);
        assert!(matches!(next(&news), RecordNews::Failed { seconds: 0, .. }));
    }

    #[test]
    fn a_disk_that_is_full_ends_the_recording() {
        // Takes nothing, as a full disk.
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let spec = WavSpec { channels: 1, sample_rate: 8_000, bits_per_sample: 16, sample_format: SampleFormat::Int };
        let file = WavWriter::new(BufWriter::new(full), spec).expect("the head is in the buffer");
        let news = Reader::new();
        let (mut ring, sound) = rtrb::RingBuffer::new(32_000);
        let recording = Recording {
            path: "/dev/full".into(),
            number: 1,
            scenario: Arc::clone(&news.mailbox),
            streams: Vec::new(),
            sounds: vec![sound],
            rate: 8_000,
            is_stereo: false,
        };
        let running = Running { recording, file, length: 0, rounds: 0 };
        fill(&mut ring, 1, 16_000);
        assert!(running.go_on().is_none());
        assert!(matches!(next(&news), RecordNews::Failed { .. }));
    }

    #[test]
    fn streams_of_others_are_given_back_and_a_session_that_is_over_records_nothing() {
        let all = Recordings::new(PathBuf::new());
        let (_, sound) = rtrb::RingBuffer::new(10);
        assert!(all.stream(SESSION, StreamHandle(1), StreamEnd::Out(sound)).is_some());
        let record = Record { recording: 1, streams: vec![StreamHandle(1)], is_stereo: false };
        all.begin(SESSION, record, "Desk", Reader::new().mailbox);
        all.end(SESSION);
        let (_, sound) = rtrb::RingBuffer::new(10);
        assert!(all.stream(SESSION, StreamHandle(1), StreamEnd::Out(sound)).is_some());
    }

    #[test]
    fn what_is_too_old_or_too_much_is_removed_the_oldest_first_and_what_is_being_made_stays() {
        let folder = Folder::new("kept");
        fs::create_dir_all(&folder.0).unwrap();
        let now = SystemTime::now();
        let day = |n: u64| Duration::from_secs(n * 24 * 60 * 60);
        let write = |name: &str, days: u64, octets: usize| {
            let path = folder.0.join(name);
            fs::write(&path, vec![0; octets]).unwrap();
            File::options().append(true).open(&path).unwrap().set_modified(now - day(days)).unwrap();
            path
        };
        let names = || {
            let mut names: Vec<String> = fs::read_dir(&folder.0)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names.join(" ")
        };
        let made = write("made.wav", 40, 400);
        write("old.wav", 31, 100);
        write("middle.2.wav", 20, 300);
        write("new.wav", 1, 300);
        write("notes.txt", 99, 1_000);
        let made = [made.as_path()];
        remove(&folder.0, Retention::default(), &made, now);
        assert_eq!(names(), "made.wav middle.2.wav new.wav notes.txt old.wav");
        remove(&folder.0, Retention { age: Some(day(30)), size: None }, &made, now);
        assert_eq!(names(), "made.wav middle.2.wav new.wav notes.txt");
        remove(&folder.0, Retention { age: None, size: Some(1_000) }, &made, now);
        assert_eq!(names(), "made.wav middle.2.wav new.wav notes.txt", "it just fits");
        remove(&folder.0, Retention { age: None, size: Some(999) }, &made, now);
        assert_eq!(names(), "made.wav new.wav notes.txt");
        remove(&folder.0, Retention { age: Some(day(1)), size: Some(1) }, &made, now);
        assert_eq!(names(), "made.wav notes.txt");
        remove(&folder.0.join("nothing"), Retention { age: Some(day(1)), size: None }, &[], now);
    }

    #[test]
    fn what_is_not_to_be_kept_goes_at_the_start_and_with_each_change_although_nothing_is_recorded() {
        let folder = Folder::new("before");
        fs::create_dir_all(&folder.0).unwrap();
        let paths = [("old.wav", 600), ("newer.wav", 60)].map(|(name, seconds)| {
            let path = folder.0.join(name);
            fs::write(&path, "x").unwrap();
            let ended = SystemTime::now() - Duration::from_secs(seconds);
            File::options().append(true).open(&path).unwrap().set_modified(ended).unwrap();
            path
        });
        let recordings = Recordings::new(folder.0.clone());
        // The thread looks by itself once an hour.
        for (at, seconds) in [(0, 300), (1, 30)] {
            recordings.keep(Retention { age: Some(Duration::from_secs(seconds)), size: None });
            let limit = Instant::now() + PATIENCE;
            while paths[at].exists() {
                assert!(Instant::now() < limit, "{} is removed", paths[at].display());
                std::thread::park_timeout(Duration::from_millis(5));
            }
            assert_eq!(paths[1].exists(), at == 0);
        }
    }
}
