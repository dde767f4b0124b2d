//! Call records to a file, one line of JSON each, written behind so that a slow disk holds up no call.

use crate::gateway::CallRecord;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Records that may wait for the disk; later ones are lost, and that is said.
const QUEUE: usize = 10_000;
/// Records in one write.
const AT_ONCE: usize = 1_024;
/// Bytes of the writer's buffer that it keeps between two writes.
const LINES_KEPT: usize = 64 << 10;
/// The writer's rest between two writes.
const PAUSE: Duration = Duration::from_millis(20);

/// The writer's end that the gateway sees.
pub(super) struct Records {
    queue: Option<SyncSender<Box<CallRecord>>>,
    writer: Option<JoinHandle<()>>,
    lost: u64,
}

impl Records {
    /// Opens the file to append to. It holds full numbers, so only its owner may read it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        let (queue, waiting) = sync_channel(QUEUE);
        let path = path.to_path_buf();
        let writer = std::thread::Builder::new().name("records".into()).spawn(move || write(&path, file, &waiting))?;
        Ok(Self { queue: Some(queue), writer: Some(writer), lost: 0 })
    }

    /// Hands one record over. Never waits.
    pub(super) fn write(&mut self, record: Box<CallRecord>) {
        let Some(queue) = &self.queue else { return };
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = queue.try_send(record) {
            self.lost += 1;
            tracing::error!(lost = self.lost, "call record lost: the disk does not keep up");
        }
    }
}

impl Drop for Records {
    /// Waits until all is written.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the writer of call records failed");
        }
    }
}

/// Writes what there is at once, then rests, so that a rush of calls costs a write for many records.
#[expect(clippy::disallowed_methods, reason = "a thread of its own that paces itself; nothing waits for it")]
fn write(path: &Path, mut file: File, waiting: &Receiver<Box<CallRecord>>) {
    let mut lines = Vec::new();
    while let Ok(first) = waiting.recv() {
        let records: Vec<_> = std::iter::once(first).chain(waiting.try_iter()).take(AT_ONCE).collect();
        lines.clear();
        let written = records
            .iter()
            .try_for_each(|record| {
                serde_json::to_writer(&mut lines, record)?;
                lines.push(b'\n');
                Ok(())
            })
            .and_then(|()| file.write_all(&lines));
        if let Err(error) = written {
            for record in &records {
                // A full disk must not end calls; the record goes to the log, without its numbers.
                tracing::error!(%error, path = %path.display(), call = %record.call, "call record not written");
            }
        }
        lines.shrink_to(LINES_KEPT);
        std::thread::sleep(PAUSE);
    }
}
