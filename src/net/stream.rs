//! SIP over TCP and TLS: framing, keep-alives, one task a connection on the streams' thread.

use super::connections::Connections;
use super::log::NetLog;
use super::state::ConnectionState;
use super::transports::NetEvents;
use crate::sip::message::{Frame, StreamFramer};
use crate::sip::{Flow, Input};
use bytes::Bytes;
use std::cell::RefCell;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// A connection nothing was heard on for this long is closed (keep-alives count as heard).
const IDLE: Duration = Duration::from_secs(3_600);
/// The same for a peer we have not sent anything yet, which is one who sent nothing that deserved an answer.
pub(super) const UNKNOWN_IDLE: Duration = Duration::from_secs(60);
/// A message that has begun must be complete within this time.
const SLOW_MESSAGE: Duration = Duration::from_secs(30);
/// A peer that does not take what we send for this long is gone.
const STUCK_WRITE: Duration = Duration::from_secs(30);
/// Silence after which the kernel asks whether the peer is still there.
const KEEP_ALIVE_SECONDS: u32 = 120;
/// Time between two pings of ours on connections that we opened: from here (RFC 5626 section 4.4.1) …
const PING: Duration = Duration::from_secs(95);
/// … to as much later, in seconds.
const PING_SPREAD: u64 = 25;
/// Patience with a pong, of a peer that has sent one before (RFC 5626 section 4.4.1).
const PONG: Duration = Duration::from_secs(10);

/// One connection to be served.
pub(super) struct Served {
    pub(super) flow: Flow,
    pub(super) outgoing: mpsc::Receiver<Bytes>,
    pub(super) events: NetEvents,
    pub(super) connections: Connections,
    pub(super) state: Arc<ConnectionState>,
    /// Held until the end.
    pub(super) alive: Option<mpsc::Sender<Infallible>>,
}

impl Served {
    /// Reads and writes until either side closes it, then reports that.
    pub(super) async fn run(mut self, reader: impl AsyncRead + Unpin, writer: impl AsyncWrite + Unpin) {
        let (pong, pongs) = mpsc::channel(4);
        let ping = self.state.is_ours.then(|| {
            // Spread by the connection's number: many that were opened at once do not ping at once.
            PING + Duration::from_secs(self.flow.connection.unwrap_or_default().wrapping_mul(7) % (PING_SPREAD + 1))
        });
        let (flow, events, state) = (self.flow, self.events.clone(), Arc::clone(&self.state));
        tokio::select! {
            () = read(reader, flow, &events, pong, &state, self.connections.log()) => {}
            () = write(writer, &mut self.outgoing, pongs, &state, ping) => {}
        }
        self.closed().await;
    }

    /// Reports that the connection is gone, or never came about.
    pub(super) async fn closed(mut self) {
        let flow = self.flow;
        self.connections.ended(flow, &self.state, &mut self.outgoing).await;
        if self.state.is_ours {
            // What was sent before the connection had its name waits under the addresses alone.
            let _ = self.events.send(Input::SendFailed { flow: flow.reopened() }.into()).await;
        }
        drop(self.alive);
    }
}

/// Sets what every stream needs. Has the kernel end a connection whose peer is gone without a word: else what we send
/// would vanish in it for a quarter of an hour, REGISTERs and BYEs included.
pub fn prepare(stream: &TcpStream) {
    use nix::sys::socket::{setsockopt, sockopt};
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
    let stuck = u32::try_from(STUCK_WRITE.as_millis()).unwrap_or(u32::MAX);
    let set = setsockopt(stream, sockopt::KeepAlive, &true)
        .and_then(|()| setsockopt(stream, sockopt::TcpKeepIdle, &KEEP_ALIVE_SECONDS))
        .and_then(|()| setsockopt(stream, sockopt::TcpUserTimeout, &stuck));
    if let Err(error) = set {
        tracing::debug!(%error, "TCP keep-alive");
    }
}

async fn read(
    mut reader: impl AsyncRead + Unpin,
    flow: Flow,
    events: &NetEvents,
    pong: mpsc::Sender<()>,
    state: &ConnectionState,
    log: &NetLog,
) {
    let mut unknown = true;
    let idle = |unknown: &mut bool| {
        *unknown = !state.is_known();
        Instant::now() + if *unknown { UNKNOWN_IDLE } else { IDLE }
    };
    let mut framer = StreamFramer::default();
    let mut deadline = idle(&mut unknown);
    loop {
        let read = match tokio::time::timeout_at(deadline, read_some(&mut reader, &mut framer)).await {
            // Our answer may have gone out since the deadline was set: then the peer is none that is sent away so soon.
            Err(_) if framer.pending() == 0 && unknown && state.is_known() => {
                deadline = idle(&mut unknown);
                continue;
            }
            Ok(Ok(0)) | Err(_) => return,
            Ok(Ok(read)) => read,
            Ok(Err(error)) => {
                return log.debug("stream receive", format_args!("{} from {}: {error}", flow.transport, flow.remote));
            }
        };
        let had_begun = framer.pending() > read;
        let mut complete = false;
        for framed in framer.by_ref() {
            complete = true;
            match framed {
                Ok(Frame::Message(bytes)) => {
                    state.received(&bytes);
                    if events.send(Input::Message { flow, bytes }.into()).await.is_err() {
                        return;
                    }
                }
                // RFC 5626 section 3.5.1: a double CRLF is answered with a single one.
                Ok(Frame::Ping) => {
                    let _ = pong.try_send(());
                }
                Ok(Frame::Pong) => {
                    state.pong();
                }
                Err(error) => {
                    return log.warn(
                        "connection closed",
                        format_args!("the stream of {} cannot be framed: {error}", flow.remote),
                    );
                }
            }
        }
        // A message that trickles in keeps the deadline it began with.
        if framer.pending() == 0 {
            framer.relax();
            deadline = idle(&mut unknown);
        } else if complete || !had_begun {
            deadline = Instant::now() + SLOW_MESSAGE;
        }
    }
}

/// Reads what there is into `framer`; says how much, 0 at the end of the stream.
///
/// By way of one buffer of the thread: connections that wait have none.
async fn read_some(reader: &mut (impl AsyncRead + Unpin), framer: &mut StreamFramer) -> io::Result<usize> {
    thread_local! {
        static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; 16 * 1024].into());
    }
    std::future::poll_fn(|context| {
        BUFFER.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            let read = Pin::new(&mut *reader).poll_read(context, &mut buffer);
            framer.push(buffer.filled());
            read.map_ok(|()| buffer.filled().len())
        })
    })
    .await
}

async fn write(
    mut writer: impl AsyncWrite + Unpin,
    outgoing: &mut mpsc::Receiver<Bytes>,
    mut pongs: mpsc::Receiver<()>,
    state: &ConnectionState,
    ping: Option<Duration>,
) {
    let mut next_ping = ping.map(|ping| Instant::now() + ping);
    // When the pong to our last ping is due, and how many had come before.
    let mut awaited: Option<(Instant, u32)> = None;
    loop {
        let wake = [next_ping, awaited.map(|(due, _)| due)].into_iter().flatten().min();
        let bytes = tokio::select! {
            bytes = outgoing.recv() => match bytes {
                Some(bytes) => {
                    state.sent(&bytes);
                    bytes
                }
                None => {
                    // TLS says goodbye.
                    let _ = tokio::time::timeout(STUCK_WRITE, writer.shutdown()).await;
                    return;
                }
            },
            Some(()) = pongs.recv() => Bytes::from_static(b"\r\n"),
            () = until(wake) => {
                let now = Instant::now();
                if let Some((due, before)) = awaited.filter(|(due, _)| *due <= now) {
                    let _ = due;
                    awaited = None;
                    // A peer that never answered a ping may not know them (RFC 5626 is an agreement); one that did is
                    // gone.
                    if before > 0 && state.pongs() == before {
                        return;
                    }
                }
                match (next_ping, ping) {
                    (Some(at), Some(ping)) if at <= now => {
                        next_ping = Some(now + ping);
                        awaited = Some((now + PONG, state.pongs()));
                        Bytes::from_static(b"\r\n\r\n")
                    }
                    _ => continue,
                }
            }
        };
        let written = async {
            writer.write_all(&bytes).await?;
            writer.flush().await
        };
        match tokio::time::timeout(STUCK_WRITE, written).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(%error, "stream send");
                return;
            }
            Err(_) => return,
        }
    }
}

async fn until(wake: Option<Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn a_connection_of_ours_is_pinged_and_a_peer_that_never_answered_a_ping_is_kept() {
        let (near, mut far) = tokio::io::duplex(64);
        let state = ConnectionState::opened(std::time::Instant::now());
        let (_keep, mut outgoing) = mpsc::channel(1);
        let (_keep_too, pongs) = mpsc::channel(1);
        let writing = write(near, &mut outgoing, pongs, &state, Some(Duration::from_millis(5)));
        let twice = async {
            for _ in 0..2 {
                let mut ping = [0; 4];
                far.read_exact(&mut ping).await.unwrap();
                assert_eq!(&ping, b"\r\n\r\n");
            }
        };
        tokio::select! {
            () = writing => panic!("given up"),
            () = twice => {}
        }
    }

    #[tokio::test]
    async fn what_is_sent_makes_a_peer_known() {
        let (near, mut far) = tokio::io::duplex(64);
        let state = ConnectionState::accepted(std::time::Instant::now(), false, false);
        let (sender, mut outgoing) = mpsc::channel(1);
        let (_keep, pongs) = mpsc::channel(1);
        sender.send(Bytes::from_static(b"hello")).await.unwrap();
        drop(sender);
        write(near, &mut outgoing, pongs, &state, None).await;
        let mut heard = Vec::new();
        far.read_to_end(&mut heard).await.unwrap();
        assert!(state.is_known() && heard == b"hello");
    }
}
