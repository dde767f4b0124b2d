//! The control socket: one line of JSON in, one line out, for the machine's administrator alone.

use crate::gateway::{Reply, Request};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};

/// A longer request is none.
const LONGEST_REQUEST: u64 = 4_096;
/// Connections at once.
const CONNECTIONS: usize = 16;

/// Wait after a connection that could not be accepted.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// A request and where its answer goes.
pub(super) type Asked = (Request, oneshot::Sender<Reply>);

/// The socket; removed when dropped.
pub(super) struct ControlSocket {
    path: PathBuf,
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
            std::fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        tokio::spawn(accept(listener, asked));
        Ok(Self { path: path.to_owned() })
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "control socket");
        }
    }
}

async fn accept(listener: UnixListener, asked: mpsc::Sender<Asked>) {
    let places = std::sync::Arc::new(tokio::sync::Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = std::sync::Arc::clone(&places).acquire_owned().await else { return };
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
    BufReader::new(reader.take(LONGEST_REQUEST)).read_line(&mut line).await?;
    let reply = match serde_json::from_str(&line) {
        Ok(request) => {
            let (answer, answered) = oneshot::channel();
            if asked.send((request, answer)).await.is_err() {
                return Ok(());
            }
            answered.await.unwrap_or_else(|_| Reply::Error("the gateway is ending".into()))
        }
        Err(error) => Reply::Error(format!("this is no request: {error}")),
    };
    let mut bytes = serde_json::to_vec(&reply)?;
    bytes.push(b'\n');
    writer.write_all(&bytes).await
}
