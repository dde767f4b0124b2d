//! One connection, from the first octet to the last.

use super::super::log::NetLog;
use super::framing::{Frame, Frames, TooLong};
use super::relays::{End, Guest};
use crate::types::CallId;
use crate::webrtc::fragment_of_check;
use socket2::SockRef;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::Instant;

/// Patience with somebody who has not said which call the connection is for.
const PATIENCE: Duration = Duration::from_secs(10);
/// Checks that it may try with meanwhile: the first may come before the answer that tells us whose it is.
pub(super) const CHECKS: usize = 40;
/// Patience with a connection that nothing comes by: checks come every few seconds.
const IDLE: Duration = Duration::from_secs(60);
/// How long a connection that has to end still carries what the leg has said.
const LAST_WORD: Duration = Duration::from_millis(100);
/// Octets that may wait in the kernel before any are sent: half a second of sound. What does not fit is lost, as in any
/// network, and what goes out is never old.
const UNSENT: u32 = 2_048;

/// Why a connection was ended by us.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("it did not say in time which call it is for")]
    Unknown,
    #[error("no connectivity check")]
    NoCheck,
    #[error("{0}")]
    TooLong(#[from] TooLong),
    #[error("nothing came by it any more")]
    Idle,
    #[error("there are too many, or its call is over")]
    Closed,
    #[error("{0}")]
    System(#[from] io::Error),
}

/// Serves a connection until either side ends it.
pub(super) async fn serve(stream: TcpStream, remote: SocketAddr, mut guest: Guest, mut end: End, log: NetLog) {
    if let Err(error) = SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT) {
        log.debug("TCP_NOTSENT_LOWAT", format_args!("{error}"));
    }
    let mut frames = Frames::new();
    let joined = tokio::select! {
        joined = join(&stream, remote, &mut frames, &mut guest) => joined,
        _ = &mut end => Err(Ended::Closed),
        () = tokio::time::sleep(PATIENCE) => Err(Ended::Unknown),
    };
    let ended = match joined {
        Ok(socket) => {
            let ended = relay(&stream, &socket, &mut frames, &mut end).await;
            // Before the socket: while it is open nobody else has its address.
            drop(guest);
            ended
        }
        Err(ended) => ended,
    };
    log.debug("connection for ICE ended", format_args!("with {}: {ended}", remote.ip()));
}

/// Waits for a connectivity check of a call that we have, and hands it on. Gives the socket that the leg sees.
async fn join(
    stream: &TcpStream,
    remote: SocketAddr,
    frames: &mut Frames,
    guest: &mut Guest,
) -> Result<UdpSocket, Ended> {
    let mut checks = 0;
    loop {
        while let Some(frame) = frames.next()? {
            if frame.is_empty() {
                continue;
            }
            let fragment = fragment_of_check(frame).ok_or(Ended::NoCheck)?;
            if let Some((call, leg)) = guest.leg(&fragment) {
                let socket = connected(leg, call, remote, guest).await?;
                socket.send(frame).await?;
                return Ok(socket);
            }
            checks += 1;
            if checks == CHECKS {
                return Err(Ended::Unknown);
            }
        }
        read(stream, frames).await?;
    }
}

/// A socket from which the leg's is sent to.
async fn connected(leg: SocketAddr, call: CallId, remote: SocketAddr, guest: &mut Guest) -> Result<UdpSocket, Ended> {
    let host = match leg.ip() {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    };
    let socket = UdpSocket::bind(SocketAddr::new(host, 0)).await?;
    socket.connect(SocketAddr::new(host, leg.port())).await?;
    if guest.join(call, socket.local_addr()?, remote) { Ok(socket) } else { Err(Ended::Closed) }
}

async fn read(stream: &TcpStream, frames: &mut Frames) -> io::Result<()> {
    loop {
        stream.readable().await?;
        match stream.try_read(frames.room()) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(octets) => {
                frames.add(octets);
                return Ok(());
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

/// Carries frames and datagrams to and fro.
async fn relay(stream: &TcpStream, socket: &UdpSocket, frames: &mut Frames, end: &mut End) -> Ended {
    let (mut frame, mut writer) = (Frame::new(), Writer::default());
    let mut heard = Instant::now();
    loop {
        loop {
            match frames.next() {
                // What does not fit is lost, as in the network.
                Ok(Some(frame)) => drop(socket.try_send(frame)),
                Ok(None) => break,
                Err(error) => return error.into(),
            }
        }
        let outcome = tokio::select! {
            read = read(stream, frames) => {
                heard = Instant::now();
                read
            }
            received = socket.recv(frame.room()) => match received {
                Ok(length) => writer.write(stream, frame.of(length)),
                // The leg's socket is gone; the call's end follows.
                Err(_) => Ok(()),
            },
            () = writable(stream), if writer.is_behind() => writer.go_on(stream),
            () = tokio::time::sleep_until(heard + IDLE) => return Ended::Idle,
            _ = &mut *end => {
                // The last word of a call is on its way, and may not have reached the socket yet.
                let rest = async {
                    while let Ok(length) = socket.recv(frame.room()).await {
                        if writer.write(stream, frame.of(length)).is_err() {
                            break;
                        }
                    }
                };
                let _ = tokio::time::timeout(LAST_WORD, rest).await;
                return Ended::Closed;
            }
        };
        if let Err(error) = outcome {
            return error.into();
        }
    }
}

async fn writable(stream: &TcpStream) {
    // Where that fails, writing says why.
    let _ = stream.writable().await;
}

/// Writes whole frames, one after the other: one that has begun is finished before the next, and those that come
/// meanwhile are lost.
#[derive(Default)]
struct Writer {
    rest: Vec<u8>,
}

impl Writer {
    fn is_behind(&self) -> bool {
        !self.rest.is_empty()
    }

    fn write(&mut self, stream: &TcpStream, frame: &[u8]) -> io::Result<()> {
        if self.is_behind() {
            return Ok(());
        }
        let written = attempt(stream, frame)?;
        if written > 0 {
            self.rest.extend_from_slice(frame.get(written..).unwrap_or_default());
        }
        Ok(())
    }

    fn go_on(&mut self, stream: &TcpStream) -> io::Result<()> {
        let written = attempt(stream, &self.rest)?;
        self.rest.drain(..written);
        Ok(())
    }
}

/// How many octets were taken.
fn attempt(stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    match stream.try_write(bytes) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        written => written,
    }
}
