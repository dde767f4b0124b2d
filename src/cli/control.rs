//! The control socket: one line of JSON in, one line out, for the machine's administrator alone.

use crate::gateway::{Reply, Request};
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

/// A longer request is none.
const LONGEST_REQUEST: u64 = 4_096;
/// Connections at once. One that asked for a call stays until that is answered.
const CONNECTIONS: usize = 64;

/// Wait after a connection that could not be accepted.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Replies that may wait to be written; a call has fewer stations than that.
const REPLIES: usize = 64;

/// A request and where its answers go.
pub(super) type Asked = (Request, mpsc::Sender<Reply>);

/// A connection that does not ask, or does not take its answer, for this long is closed: places are few.
const PATIENCE: Duration = Duration::from_secs(10);

/// The socket; removed when dropped.
pub(super) struct ControlSocket {
    path: PathBuf,
    accepting: JoinHandle<()>,
    places: Arc<Semaphore>,
}

impl ControlSocket {
    /// Listens on `path`. A socket that a gateway left behind is replaced; one that answers is not.
    pub(super) fn bind(path: &Path, asked: mpsc::Sender<Asked>) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        if path.exists() {
            if std::os::unix::net::UnixStream::connect(path).is_ok() {
                return Err(io::Error::new(io::ErrorKind::AddrInUse, "another gateway answers on it"));
            }
            if !std::fs::metadata(path)?.file_type().is_socket() {
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, "a file that is no socket is there"));
            }
            std::fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let accepting = tokio::spawn(accept(listener, asked, Arc::clone(&places)));
        Ok(Self { path: path.to_owned(), accepting, places })
    }

    /// Takes no more connections and lets those there are write their answers, for as long as `patience` lasts.
    pub(super) async fn close(mut self, patience: Duration) {
        self.accepting.abort();
        let _ = (&mut self.accepting).await;
        let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
        if tokio::time::timeout(patience, self.places.acquire_many(all)).await.is_err() {
            tracing::debug!("control connections left without an answer");
        }
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "control socket");
        }
    }
}

async fn accept(listener: UnixListener, asked: mpsc::Sender<Asked>, places: Arc<Semaphore>) {
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a control connection");
                // Out of descriptors, most likely: the waiting connection stays in the backlog.
                tokio::time::sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        let asked = asked.clone();
        tokio::spawn(async move {
            if let Err(error) = serve(stream, &asked).await {
                tracing::debug!(%error, "control connection");
            }
            drop(place);
        });
    }
}

async fn serve(stream: UnixStream, asked: &mpsc::Sender<Asked>) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    patiently(BufReader::new(reader.take(LONGEST_REQUEST)).read_line(&mut line)).await?;
    let request = match serde_json::from_str(&line) {
        Ok(request) => request,
        Err(error) => return write(&mut writer, &Reply::Error(format!("this is no request: {error}"))).await,
    };
    let (answer, mut answers) = mpsc::channel(REPLIES);
    if asked.send((request, answer)).await.is_err() {
        return Ok(());
    }
    loop {
        let reply = answers.recv().await.unwrap_or_else(|| Reply::Error("the gateway is ending".into()));
        write(&mut writer, &reply).await?;
        if reply.is_last() {
            return Ok(());
        }
    }
}

async fn write(writer: &mut OwnedWriteHalf, reply: &Reply) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(reply)?;
    bytes.push(b'\n');
    patiently(writer.write_all(&bytes)).await
}

/// Waits for the other side, but not for ever. (For the gateway itself there is nothing to be feared.)
async fn patiently<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
