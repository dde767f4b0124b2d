//! The log: lines wait in a bounded queue for a thread that writes them to standard error.
//!
//! Whoever reads the log may be slow, stopped or gone, and its disk may be full. No call hears of that: a line that
//! finds no room is dropped and counted, and how many there were is told as soon as lines can be written again.

use crate::types::Plain;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::{MakeWriter, format};

/// Lines that may wait.
const LINES: usize = 8_192;
/// Bytes of them.
const BYTES: usize = 4 << 20;
/// Wait after a write that failed for want of room, before it is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// Patience with the reader of the log when the gateway ends.
const END_PATIENCE: Duration = Duration::from_secs(1);

/// The end of the queue that lines go into. Never waits for the writer.
#[derive(Debug, Clone, Default)]
pub(super) struct Log(Arc<Queue>);

#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    /// There is a line, or the last one was written.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<Vec<u8>>,
    /// Of those lines and of those being written.
    bytes: usize,
    is_writing: bool,
    /// Since the start.
    dropped: u64,
    /// Of them, those that the log has told of.
    told: u64,
}

impl Log {
    /// A queue with its writer.
    pub(super) fn to_stderr() -> io::Result<Self> {
        Self::to(|bytes| rustix::io::write(io::stderr().as_fd(), bytes).map_err(io::Error::from))
    }

    pub(super) fn to(write: impl FnMut(&[u8]) -> io::Result<usize> + Send + 'static) -> io::Result<Self> {
        let log = Self::default();
        let queue = Arc::clone(&log.0);
        std::thread::Builder::new().name("log".into()).spawn(move || write_lines(&queue, write))?;
        Ok(log)
    }

    /// Hands over one line, its end included.
    pub(super) fn push(&self, line: &[u8]) {
        let mut state = self.0.lock();
        if state.lines.len() >= LINES || state.bytes + line.len() > BYTES {
            state.dropped += 1;
            return;
        }
        state.bytes += line.len();
        state.lines.push_back(line.to_vec());
        drop(state);
        self.0.changed.notify_all();
    }

    /// Lines dropped since the start.
    pub(super) fn dropped(&self) -> u64 {
        self.0.lock().dropped
    }

    /// Lets panics tell of themselves by the queue: whoever panics must not wait for the reader of the log first.
    pub(super) fn take_panics(&self) {
        let log = self.clone();
        std::panic::set_hook(Box::new(move |panic| {
            let thread = std::thread::current();
            let name = thread.name().unwrap_or("unnamed").to_owned();
            let trace = std::backtrace::Backtrace::capture();
            for line in format!("thread {name} {panic}\n{trace}").lines() {
                log.push(stamped("ERROR", &Plain(line).to_string()).as_bytes());
            }
        }));
    }

    /// Waits until all is written, but not for ever.
    pub(super) fn flush(&self) {
        let is_busy = |state: &mut State| state.is_writing || !state.lines.is_empty();
        // Who is woken too late, or finds the lock poisoned, goes on just the same.
        let _ = self.0.changed.wait_timeout_while(self.0.lock(), END_PATIENCE, is_busy);
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self) -> MutexGuard<'_, State> {
        let is_empty = |state: &mut State| state.lines.is_empty();
        self.changed.wait_while(self.lock(), is_empty).unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has the logger use another filter from now on.
pub(super) type SetFilter = Box<dyn Fn(EnvFilter) -> Result<(), String>>;

/// The logger: each event one line of plain text, by the queue. And what gives it another filter.
pub(super) fn subscriber(
    log: &Log,
    filter: EnvFilter,
    colours: bool,
) -> (impl tracing::Subscriber + Send + Sync + use<>, SetFilter) {
    let fields = format::debug_fn(|writer, field, value| match field.name() {
        "message" => write!(writer, "{}", Plain(format_args!("{value:?}"))),
        name => write!(writer, "{name}={}", Plain(format_args!("{value:?}"))),
    });
    let logger = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(colours)
        .fmt_fields(fields.delimited(" "))
        .with_writer(log.clone())
        .log_internal_errors(false)
        .with_filter_reloading();
    let handle = logger.reload_handle();
    (logger.finish(), Box::new(move |filter| handle.reload(filter).map_err(|error| error.to_string())))
}

/// One write of the logger is one line.
impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What the queue's thread does.
fn write_lines(queue: &Queue, mut write: impl FnMut(&[u8]) -> io::Result<usize>) {
    let mut text = Vec::new();
    // Dropped lines that a line now on its way tells of.
    let mut telling = 0;
    loop {
        let mut state = queue.wait();
        let lines = std::mem::take(&mut state.lines);
        state.is_writing = true;
        drop(state);
        text.clear();
        lines.iter().for_each(|line| text.extend_from_slice(line));
        let written = write_whole(&text, &mut write);
        let mut state = queue.lock();
        state.bytes -= text.len();
        if written {
            state.told += telling;
        } else {
            state.dropped += lines.len() as u64 - u64::from(telling > 0);
        }
        telling = 0;
        state.is_writing = false;
        let untold = state.dropped - state.told;
        if written && untold > 0 && state.lines.len() < LINES / 2 {
            telling = untold;
            let line = stamped("WARN", &format!("{untold} lines of the log were dropped: they could not be written"));
            state.bytes += line.len();
            state.lines.push_back(line.into_bytes());
        }
        drop(state);
        queue.changed.notify_all();
        text.shrink_to(64 << 10);
    }
}

/// Writes all of it, however long that takes. False: nobody can read it any more.
#[expect(clippy::disallowed_methods, reason = "a thread of its own that paces itself; nothing waits for it")]
fn write_whole(mut text: &[u8], write: &mut impl FnMut(&[u8]) -> io::Result<usize>) -> bool {
    while !text.is_empty() {
        match write(text) {
            Ok(0) => std::thread::sleep(AGAIN),
            Ok(written) => text = text.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait_for_room(),
            // Its reader is gone, or it was closed.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return false,
            Err(error) if error.raw_os_error() == Some(libc::EBADF) => return false,
            // A full disk may have room again.
            Err(_) => std::thread::sleep(AGAIN),
        }
    }
    true
}

fn wait_for_room() {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    let stderr = io::stderr();
    // A wait that fails is followed by another write, whose failure says what to do.
    let _ = poll(&mut [PollFd::new(stderr.as_fd(), PollFlags::POLLOUT)], PollTimeout::from(1_000u16));
}

/// A line as the logger makes it.
fn stamped(level: &str, text: &str) -> String {
    let time = humantime::format_rfc3339_micros(SystemTime::now());
    format!("{time} {level:>5} {text}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// A log whose reader takes what it is told to, and what was written.
    fn log_with(answers: Vec<io::Result<usize>>) -> (Log, mpsc::Receiver<String>) {
        let (wrote, written) = mpsc::channel();
        let mut answers = answers.into_iter();
        let write = move |bytes: &[u8]| {
            let taken = answers.next().unwrap_or(Ok(bytes.len()))?.min(bytes.len());
            wrote.send(String::from_utf8(bytes[..taken].to_vec()).unwrap()).unwrap();
            Ok(taken)
        };
        (Log::to(write).unwrap(), written)
    }

    #[test]
    fn a_line_is_written_whole_though_the_reader_takes_it_in_pieces() {
        let (log, written) = log_with(vec![Err(io::ErrorKind::Interrupted.into()), Ok(3), Ok(2)]);
        log.push(b"one line\n");
        log.flush();
        assert_eq!(written.try_iter().collect::<String>(), "one line\n");
    }

    #[test]
    fn lines_that_nobody_can_read_are_counted_and_told_when_somebody_can() {
        let (log, written) = log_with(vec![Err(io::ErrorKind::BrokenPipe.into())]);
        log.push(b"lost\n");
        log.flush();
        assert_eq!(log.dropped(), 1);
        log.push(b"read\n");
        log.flush();
        let written: String = written.try_iter().collect();
        assert!(written.starts_with("read\n"), "{written}");
        assert!(written.ends_with("1 lines of the log were dropped: they could not be written\n"), "{written}");
    }

    #[test]
    fn a_reader_that_stands_still_costs_lines_and_no_memory() {
        let (go, gate) = mpsc::channel::<()>();
        let (stands, stood) = mpsc::channel();
        let log = Log::to(move |bytes| {
            let _ = stands.send(());
            // Until the test lets go.
            let _ = gate.recv();
            Ok(bytes.len())
        })
        .unwrap();
        log.push(b"what it stands still with\n");
        // Or a writer that begins late would make room while the queue is filled.
        stood.recv().unwrap();
        for _ in 0..3 * LINES {
            log.push(b"a line\n");
        }
        assert!((LINES as u64..=2 * LINES as u64).contains(&log.dropped()), "{}", log.dropped());
        let long = vec![b'x'; BYTES / 4];
        let before = log.dropped();
        (0..8).for_each(|_| log.push(&long));
        assert_eq!(log.dropped(), before + 8);
        drop(go);
        log.flush();
        let dropped = log.dropped();
        log.push(b"there is room again\n");
        assert_eq!(log.dropped(), dropped);
    }
}
