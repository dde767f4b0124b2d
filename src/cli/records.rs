//! Call records to a file, one line of JSON each, written behind so that a slow disk holds up no call.

use crate::gateway::CallRecord;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

/// Records that may wait for the disk; later ones are lost, and that is said.
const QUEUE: usize = 10_000;

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

fn write(path: &Path, mut file: File, waiting: &Receiver<Box<CallRecord>>) {
    let mut line = Vec::new();
    while let Ok(record) = waiting.recv() {
        line.clear();
        let written = serde_json::to_writer(&mut line, &record).map_err(io::Error::from).and_then(|()| {
            line.push(b'\n');
            file.write_all(&line)
        });
        if let Err(error) = written {
            // A full disk must not end calls; the record goes to the log, without its numbers.
            tracing::error!(%error, path = %path.display(), call = %record.call, "call record not written");
        }
    }
}
