//! SIP over TCP: framing, keep-alives, one task a connection.

use super::transports::{ConnectionEvent, NetEvents};
use crate::sip::message::{Frame, StreamFramer};
use crate::sip::{Flow, Input};
use bytes::Bytes;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// A connection nothing was heard on for this long is closed (keep-alives count as heard).
const IDLE: Duration = Duration::from_secs(3_600);
/// A message that has begun must be complete within this time.
const SLOW_MESSAGE: Duration = Duration::from_secs(30);
/// A peer that does not take what we send for this long is gone.
const STUCK_WRITE: Duration = Duration::from_secs(30);

/// Silence after which the kernel asks whether the peer is still there.
const KEEP_ALIVE_SECONDS: u32 = 120;

/// Serves one connection until either side closes it, then reports [`ConnectionEvent::Closed`].
pub(super) async fn serve(
    stream: TcpStream,
    flow: Flow,
    outgoing: mpsc::Receiver<Bytes>,
    events: NetEvents,
    connections: mpsc::Sender<ConnectionEvent>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
    if let Err(error) = notice_dead_peer(&stream) {
        tracing::debug!(%error, "TCP keep-alive");
    }
    let (reader, writer) = stream.into_split();
    let (pong, pongs) = mpsc::channel(4);
    tokio::select! {
        () = read(reader, flow, &events, pong) => {}
        () = write(writer, outgoing, pongs) => {}
    }
    // The gateway first: it must not send into a connection that is already forgotten here.
    let _ = events.send(Input::FlowClosed { flow }).await;
    let _ = connections.send(ConnectionEvent::Closed { flow }).await;
}

/// Has the kernel end a connection whose peer is gone without a word: else what we send would vanish in it for a quarter
/// of an hour, REGISTERs and BYEs included.
fn notice_dead_peer(stream: &TcpStream) -> nix::Result<()> {
    use nix::sys::socket::{setsockopt, sockopt};
    setsockopt(stream, sockopt::KeepAlive, &true)?;
    setsockopt(stream, sockopt::TcpKeepIdle, &KEEP_ALIVE_SECONDS)?;
    setsockopt(stream, sockopt::TcpUserTimeout, &u32::try_from(STUCK_WRITE.as_millis()).unwrap_or(u32::MAX))
}

async fn read(mut reader: tokio::net::tcp::OwnedReadHalf, flow: Flow, events: &NetEvents, pong: mpsc::Sender<()>) {
    let mut framer = StreamFramer::default();
    let mut buffer = vec![0_u8; 16 * 1024];
    let mut deadline = Instant::now() + IDLE;
    loop {
        let read = match tokio::time::timeout_at(deadline, reader.read(&mut buffer)).await {
            Ok(Ok(0)) | Err(_) => return,
            Ok(Ok(read)) => read,
            Ok(Err(error)) => {
                tracing::debug!(%error, remote = %flow.remote, "TCP receive");
                return;
            }
        };
        let had_begun = framer.pending() > 0;
        framer.push(&buffer[..read]);
        let mut complete = false;
        for framed in framer.by_ref() {
            complete = true;
            match framed {
                Ok(Frame::Message(bytes)) => {
                    if events.send(Input::Message { flow, bytes }).await.is_err() {
                        return;
                    }
                }
                // RFC 5626 section 3.5.1: a double CRLF is answered with a single one.
                Ok(Frame::Ping) => {
                    let _ = pong.try_send(());
                }
                Ok(Frame::Pong) => {}
                Err(error) => {
                    tracing::warn!(%error, remote = %flow.remote, "TCP stream cannot be framed; connection closed");
                    return;
                }
            }
        }
        // A message that trickles in keeps the deadline it began with.
        if framer.pending() == 0 {
            deadline = Instant::now() + IDLE;
        } else if complete || !had_begun {
            deadline = Instant::now() + SLOW_MESSAGE;
        }
    }
}

async fn write(
    mut writer: tokio::net::tcp::OwnedWriteHalf,
    mut outgoing: mpsc::Receiver<Bytes>,
    mut pongs: mpsc::Receiver<()>,
) {
    loop {
        let bytes = tokio::select! {
            bytes = outgoing.recv() => match bytes {
                Some(bytes) => bytes,
                None => return,
            },
            Some(()) = pongs.recv() => Bytes::from_static(b"\r\n"),
        };
        match tokio::time::timeout(STUCK_WRITE, writer.write_all(&bytes)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(%error, "TCP send");
                return;
            }
            Err(_) => return,
        }
    }
}
