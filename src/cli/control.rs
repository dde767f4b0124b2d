//! The control socket: one line of JSON in, one line out, for the machine's administrator alone.

use super::events::EventReader;
use super::json;
use super::limits::lift_reserve;
use super::wire::{Answer, Ask, ENDING, ShellReply};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::Serialize;
use std::convert::Infallible;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinHandle};

/// A longer request is none.
const LONGEST_REQUEST: u64 = 4_096;
/// Connections at once. One that asked for a call stays until that is answered; of those that have not asked yet, the
/// oldest makes room.
const CONNECTIONS: usize = 64;

/// Wait after a connection that could not be accepted.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Replies that may wait to be written; a call has fewer stations than that.
const REPLIES: usize = 64;

/// A request and where its answers go.
pub(super) type Asked = (Ask, mpsc::Sender<Answer>);

/// A connection that does not ask, or does not take its answer, for this long is closed.
const PATIENCE: Duration = Duration::from_secs(10);

/// The socket; removed when dropped.
pub(super) struct ControlSocket {
    path: PathBuf,
    accepting: JoinHandle<()>,
    /// Ends with the last connection, once no more are taken.
    all_served: mpsc::Receiver<Infallible>,
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
        let (serving, all_served) = mpsc::channel(1);
        let accepting = tokio::spawn(accept(listener, asked, serving));
        Ok(Self { path: path.to_owned(), accepting, all_served })
    }

    /// Takes no more connections and lets those there are write their answers, for as long as `patience` lasts.
    pub(super) async fn close(mut self, patience: Duration) {
        self.accepting.abort();
        let _ = (&mut self.accepting).await;
        if tokio::time::timeout(patience, self.all_served.recv()).await.is_err() {
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

/// An administrator's connection.
struct Client {
    task: AbortHandle,
    /// It has asked something, and waits for the answer.
    has_asked: Arc<AtomicBool>,
}

async fn accept(listener: UnixListener, asked: mpsc::Sender<Asked>, serving: mpsc::Sender<Infallible>) {
    // The oldest first.
    let mut clients: Vec<Client> = Vec::new();
    let mut is_told = false;
    loop {
        let stream = match accept_one(&listener).await {
            Ok(stream) => stream,
            Err(error) => {
                // Without descriptors it fails where nobody waits, too.
                if is_waited_for(&listener) {
                    // Once is enough: it is tried ten times a second.
                    if !is_told {
                        tracing::warn!(%error, "cannot accept a control connection");
                    }
                    is_told = true;
                    // It may be for administrators' connections that there is no descriptor left.
                    drop_idle(&mut clients);
                }
                tokio::time::sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        is_told = false;
        clients.retain(|client| !client.task.is_finished());
        if clients.len() >= CONNECTIONS && !drop_idle(&mut clients) {
            // All wait for calls that they asked for.
            clients.remove(0).task.abort();
        }
        let (asked, serving, has_asked) = (asked.clone(), serving.clone(), Arc::new(AtomicBool::new(false)));
        let asks = Arc::clone(&has_asked);
        let task = tokio::spawn(async move {
            if let Err(error) = serve(stream, &asked, &asks).await {
                tracing::debug!(%error, "control connection");
            }
            drop(serving);
        });
        clients.push(Client { task: task.abort_handle(), has_asked });
    }
}

/// Closes the oldest connection on which nothing was asked yet. Says whether there was one.
fn drop_idle(clients: &mut Vec<Client>) -> bool {
    clients.retain(|client| !client.task.is_finished());
    let idle = clients.iter().position(|client| !client.has_asked.load(Ordering::Relaxed));
    if let Some(place) = idle {
        clients.remove(place).task.abort();
    }
    idle.is_some()
}

/// Whether somebody waits to be accepted.
fn is_waited_for(listener: &UnixListener) -> bool {
    let mut listening = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
    poll(&mut listening, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
}

/// The next connection. When the process may open no more files, by one of those that are kept for this.
async fn accept_one(listener: &UnixListener) -> io::Result<UnixStream> {
    match listener.accept().await {
        Err(error) if error.raw_os_error() == Some(Errno::EMFILE as i32) => {
            let _lifted = lift_reserve()?;
            tokio::select! {
                biased;
                accepted = listener.accept() => accepted,
                () = std::future::ready(()) => Err(error),
            }
        }
        accepted => accepted,
    }
    .map(|(stream, _)| stream)
}

async fn serve(stream: UnixStream, asked: &mpsc::Sender<Asked>, has_asked: &AtomicBool) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    let mut reader = BufReader::new(reader.take(LONGEST_REQUEST));
    patiently(reader.read_line(&mut line)).await?;
    has_asked.store(true, Ordering::Relaxed);
    let request = match Ask::parse(&line) {
        Ok(request) => request,
        Err(error) => return write(&mut writer, &ShellReply::Error(format!("this is no request: {error}"))).await,
    };
    let (answer, mut answers) = mpsc::channel(REPLIES);
    if asked.send((request, answer)).await.is_err() {
        return Ok(());
    }
    loop {
        let answer = answers.recv().await.unwrap_or_else(|| Answer::Shell(ShellReply::Error(ENDING.into())));
        match answer {
            Answer::Gateway(reply) => {
                write(&mut writer, &reply).await?;
                if reply.is_last() {
                    return Ok(());
                }
            }
            Answer::Shell(reply) => return write(&mut writer, &reply).await,
            Answer::Events(events) => return write_events(reader, &mut writer, events).await,
        }
    }
}

/// Writes all events; a follower's until it closes the connection. It may stop reading for as long as it likes, and
/// misses what happens meanwhile.
async fn write_events(
    mut reader: impl AsyncRead + Unpin,
    writer: &mut OwnedWriteHalf,
    mut events: EventReader,
) -> io::Result<()> {
    let (follows, mut ignored) = (events.follows(), tokio::io::sink());
    let written = async {
        while let Some(event) = events.next().await {
            writer.write_all(&json::line(&event)?).await?;
        }
        let end = if follows { ShellReply::Error(ENDING.into()) } else { ShellReply::End };
        write(writer, &end).await
    };
    tokio::select! {
        written = written => written,
        closed = tokio::io::copy(&mut reader, &mut ignored), if follows => closed.map(drop),
    }
}

async fn write(writer: &mut OwnedWriteHalf, reply: &impl Serialize) -> io::Result<()> {
    let bytes = json::line(reply)?;
    patiently(writer.write_all(&bytes)).await
}

/// Waits for the other side, but not for ever. (For the gateway itself there is nothing to be feared.)
async fn patiently<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

#[cfg(test)]
mod tests {
    use super::super::events::Events;
    use super::*;
    use crate::gateway::Event;
    use std::time::SystemTime;

    fn pushed(events: &mut Events, number: usize) {
        // Long, to fill the socket's buffer soon.
        let why = "x".repeat(1_000);
        events.push(SystemTime::UNIX_EPOCH, Event::TrunkDown { trunk: number.to_string(), why });
    }

    #[tokio::test]
    async fn a_follower_that_does_not_read_loses_events_with_a_count_and_the_others_none() {
        const COUNT: usize = 5_000;
        let folder = std::env::temp_dir().join(format!("partyline-followers-{}", std::process::id()));
        let path = folder.join("control.sock");
        let (asking, mut asked) = mpsc::channel(4);
        let socket = ControlSocket::bind(&path, asking).unwrap();
        let (mut events, mut clients) = (Events::default(), Vec::new());
        for _ in 0..3 {
            let mut stream = UnixStream::connect(&path).await.unwrap();
            stream.write_all(b"{\"do\":\"events\",\"follow\":true}\n").await.unwrap();
            let (_, answer) = asked.recv().await.unwrap();
            answer.try_send(Answer::Events(events.read(None, true))).unwrap();
            clients.push(BufReader::new(stream));
        }
        let [mut quick, mut slow, gone] = <[_; 3]>::try_from(clients).unwrap();
        drop(gone);
        let mut line = String::new();
        for number in 0..COUNT {
            pushed(&mut events, number);
            line.clear();
            quick.read_line(&mut line).await.unwrap();
            assert!(line.contains(&format!("\"trunk\":\"{number}\"")), "{line}");
        }
        assert_eq!(events.followers(), 2, "the one that closed its connection is gone");
        drop(events);
        let (mut read, mut missed) = (0, 0);
        loop {
            line.clear();
            slow.read_line(&mut line).await.unwrap();
            let reply: serde_json::Value = serde_json::from_str(&line).unwrap();
            let event = &reply["event"];
            match event["event"].as_str() {
                None => break,
                Some("missed") => missed += event["count"].as_u64().unwrap(),
                Some(_) => read += 1,
            }
        }
        assert!(line.contains(ENDING), "{line}");
        assert!(missed > 0);
        assert_eq!(read + missed, COUNT as u64);
        socket.close(PATIENCE).await;
        _ = std::fs::remove_dir_all(folder);
    }

    #[tokio::test]
    async fn hundreds_of_idle_clients_do_not_shut_the_administrator_out() {
        let folder = std::env::temp_dir().join(format!("partyline-control-{}", std::process::id()));
        let path = folder.join("control.sock");
        let (asking, mut asked) = mpsc::channel(4);
        let socket = ControlSocket::bind(&path, asking).unwrap();
        tokio::spawn(async move {
            while let Some((_, answer)) = asked.recv().await {
                _ = answer.send(Answer::Shell(ShellReply::Error("asked".into()))).await;
            }
        });
        let mut idle = Vec::new();
        for _ in 0..500 {
            idle.push(UnixStream::connect(&path).await.unwrap());
        }
        let mut stream = UnixStream::connect(&path).await.unwrap();
        stream.write_all(b"{\"do\":\"status\"}\n").await.unwrap();
        let mut answer = String::new();
        // Less than the time after which an idle one is sent away.
        let read = tokio::time::timeout(PATIENCE / 2, stream.read_to_string(&mut answer));
        read.await.expect("an answer").unwrap();
        assert!(answer.contains("asked"), "{answer}");
        // The first ones have made room, the last ones are there.
        assert_eq!(idle[0].try_read(&mut [0; 1]).unwrap(), 0);
        let last = idle.last().unwrap().try_read(&mut [0; 1]);
        assert_eq!(last.unwrap_err().kind(), io::ErrorKind::WouldBlock);
        socket.close(Duration::from_millis(1)).await;
        _ = std::fs::remove_dir_all(folder);
    }
}
