//! Call records to a file, one line of JSON each, written behind so that a slow or full disk holds up no call.

mod journal;
mod lines;
mod run_number;

pub(super) use run_number::next_run;

use super::json;
use crate::gateway::{Backlog, CallRecord};
use crate::types::LogLimit;
use journal::Journal;
use lines::LineFile;
use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Records that may wait for the disk; later ones are lost, and that is said.
const QUEUE: usize = 10_000;
/// Records in one write.
const AT_ONCE: usize = 1_024;
/// The writer's rest between two writes.
const PAUSE: Duration = Duration::from_millis(20);
/// Wait after a write that failed.
const AGAIN: Duration = Duration::from_millis(500);
/// How exactly a gateway that is killed leaves behind when it was.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);
/// Patience with the disk when the gateway ends.
const END_PATIENCE: Duration = Duration::from_secs(5);

/// The writer's end that the gateway sees.
pub(super) struct Records {
    queue: Option<Sender<Entry>>,
    finished: Receiver<()>,
    shared: Arc<Shared>,
    lost: u64,
    limit: LogLimit,
}

/// What both ends know.
#[derive(Debug, Default)]
struct Shared {
    /// Entries that are not in a file yet.
    waiting: AtomicUsize,
    /// Why not, when that is for want of a disk.
    trouble: Mutex<String>,
}

/// What is to be written.
enum Entry {
    /// A call was answered.
    Answered(Box<CallRecord>),
    /// It is over.
    Ended(Box<CallRecord>),
}

impl Records {
    /// Opens the file to append to, and the one beside it that keeps answered calls until they are over. Calls that a
    /// gateway which was killed left there get their records now.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut file = LineFile::open(path)?;
        // What goes to a pipe or a device has nothing beside it.
        let (journal, left) = if lines::is_file(path) {
            let (journal, left) = Journal::open(&path.with_extension("open"), &mut file)?;
            (Some(journal), left)
        } else {
            (None, Vec::new())
        };
        if !left.is_empty() {
            tracing::warn!(
                "{} calls were answered when the gateway last stopped: they get their records now",
                left.len()
            );
        }
        let shared = Arc::new(Shared { waiting: AtomicUsize::new(left.len()), ..Shared::default() });
        let (queue, entries) = channel();
        let (done, finished) = channel();
        let pending = left.into_iter().map(|(call, line)| Line { call, line }).collect();
        let writer = Writer {
            path: path.display().to_string(),
            file,
            journal,
            pending,
            is_unsynced: true,
            shared: Arc::clone(&shared),
        };
        std::thread::Builder::new().name("records".into()).spawn(move || {
            writer.run(&entries);
            // The gateway may have stopped waiting.
            let _ = done.send(());
        })?;
        Ok(Self { queue: Some(queue), finished, shared, lost: 0, limit: LogLimit::default() })
    }

    /// Hands over what is known of a call that was answered. Never waits.
    pub(super) fn answered(&self, record: Box<CallRecord>) {
        if !self.is_full() {
            self.send(Entry::Answered(record));
        }
    }

    /// Hands one record over. Never waits.
    pub(super) fn write(&mut self, now: Instant, record: Box<CallRecord>) {
        if self.is_full() {
            return self.lose(now);
        }
        self.shared.waiting.fetch_add(1, Ordering::Relaxed);
        if !self.send(Entry::Ended(record)) {
            self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
            self.lose(now);
        }
    }

    fn is_full(&self) -> bool {
        self.shared.waiting.load(Ordering::Relaxed) >= QUEUE
    }

    /// False: the writer is gone.
    fn send(&self, entry: Entry) -> bool {
        self.queue.as_ref().is_some_and(|queue| queue.send(entry).is_ok())
    }

    fn lose(&mut self, now: Instant) {
        self.lost += 1;
        if let Some(left_out) = self.limit.pop_due(now) {
            tracing::error!("{left_out}");
        }
        if self.limit.allows(now, "call record lost") {
            tracing::error!(lost = self.lost, "call record lost: too many wait for the disk");
        }
    }

    /// Adds how the writer fares.
    pub(super) fn note_backlog(&self, backlog: &mut Backlog) {
        backlog.records_waiting = self.shared.waiting.load(Ordering::Relaxed) as u64;
        backlog.records_lost = self.lost;
        backlog.records_trouble = self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
    }
}

impl Drop for Records {
    /// Waits until all is written, but not for a disk that stays full.
    fn drop(&mut self) {
        self.queue = None;
        if self.finished.recv_timeout(END_PATIENCE).is_err() {
            let waiting = self.shared.waiting.load(Ordering::Relaxed);
            tracing::error!("{waiting} call records could not be written");
        }
    }
}

/// A record on its way to the file.
struct Line {
    call: String,
    line: Vec<u8>,
}

/// What the thread owns.
struct Writer {
    path: String,
    file: LineFile,
    journal: Option<Journal>,
    pending: VecDeque<Line>,
    /// Something was written, or is about to be, that the disk was not asked to keep.
    is_unsynced: bool,
    shared: Arc<Shared>,
}

impl Writer {
    #[expect(clippy::disallowed_methods, reason = "a thread of its own that paces itself; nothing waits for it")]
    fn run(mut self, entries: &Receiver<Entry>) {
        let mut is_open = true;
        while is_open || !self.pending.is_empty() {
            if self.pending.is_empty() {
                match entries.recv_timeout(SIGN_OF_LIFE) {
                    Ok(entry) => self.take(entry),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => is_open = false,
                }
            }
            // So that a rush of calls costs a write for many records.
            while self.pending.len() < AT_ONCE
                && let Ok(entry) = entries.try_recv()
            {
                self.take(entry);
            }
            let result = self.write().and_then(|()| self.sync());
            if let Some(journal) = self.journal.as_mut().filter(|journal| !journal.is_empty()) {
                // A journal that cannot be touched makes the end of a call less exact, and that is all.
                let _ = journal.touch();
            }
            let pause = if result.is_ok() { PAUSE } else { AGAIN };
            self.note(result);
            if is_open || !self.pending.is_empty() {
                std::thread::sleep(pause);
            }
        }
    }

    fn take(&mut self, entry: Entry) {
        self.is_unsynced = true;
        match entry {
            Entry::Ended(record) => self.pending.push_back(Line { line: line_of(&record), call: record.call }),
            Entry::Answered(record) => {
                if let Some(journal) = &mut self.journal {
                    let result = journal.begin(record.call.clone(), line_of(&record));
                    self.note(result);
                }
            }
        }
    }

    /// Writes what waits, as far as there is room, and takes note of the calls that are over with it.
    fn write(&mut self) -> io::Result<()> {
        let text: Vec<u8> = self.pending.iter().take(AT_ONCE).flat_map(|line| &line.line).copied().collect();
        let (mut written, result) = self.file.append(&text);
        let mut done = Vec::new();
        while self.pending.front().is_some_and(|line| line.line.len() <= written)
            && let Some(line) = self.pending.pop_front()
        {
            written -= line.line.len();
            done.push(line);
        }
        self.shared.waiting.fetch_sub(done.len(), Ordering::Relaxed);
        let Some(journal) = &mut self.journal else { return result };
        let over = journal.over(done.iter().map(|line| line.call.as_str()));
        result.and(over).and(journal.write())
    }

    /// Has the disk keep what was written in this turn.
    fn sync(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.is_unsynced) {
            return Ok(());
        }
        self.file.sync()?;
        self.journal.as_ref().map_or(Ok(()), Journal::sync)
    }

    /// Says once that something cannot be written, and once that it can again.
    fn note(&self, result: io::Result<()>) {
        let trouble = result.err().map_or_else(String::new, |error| error.to_string());
        let mut known = self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if *known == trouble {
            return;
        }
        if trouble.is_empty() {
            tracing::info!("call records are written again");
        } else {
            tracing::error!("call records wait, they cannot be written to {}: {trouble}", self.path);
        }
        *known = trouble;
    }
}

fn line_of(record: &CallRecord) -> Vec<u8> {
    // A record is made of text, numbers and times: there is nothing in it that JSON cannot say.
    json::line(record).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::outlets_tests::record;

    #[test]
    fn ten_thousand_records_wait_for_a_disk_that_takes_none_and_those_beyond_are_counted() {
        let mut records = Records::open(Path::new("/dev/full")).unwrap();
        let now = Instant::now();
        let backlog = |records: &Records| {
            let mut backlog = Backlog::default();
            records.note_backlog(&mut backlog);
            (backlog.records_waiting, backlog.records_lost)
        };
        for _ in 0..10_000 {
            records.write(now, Box::new(record("full")));
        }
        assert_eq!(backlog(&records), (10_000, 0));
        for _ in 0..7 {
            records.write(now, Box::new(record("full")));
            records.answered(Box::new(record("full")));
        }
        assert_eq!(backlog(&records), (10_000, 7));
        // Its end would wait for the disk.
        std::mem::forget(records);
    }
}
