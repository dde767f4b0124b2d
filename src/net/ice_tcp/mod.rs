//! Browsers that UDP does not reach: ICE over TCP (RFC 6544), to one port for all calls.
//!
//! A thread of its own takes the connections. The first connectivity check says which call a connection is for; from
//! then on it is relayed, frame by datagram, to the leg's UDP socket, from a socket of its own on the same machine. So
//! the media threads know nothing of TCP, and a slow connection holds up nobody.
//!
//! | file | what happens there |
//! |---|---|
//! | `framing.rs` | frames of a stream (RFC 4571) |
//! | `relay.rs` | one connection, from the first octet to the last |
//! | `relays.rs` | which call is whose, and how many connections there may be |

mod framing;
mod relay;
mod relays;
#[cfg(test)]
mod tests;

pub(super) use relays::Relays;

use super::listening::bind_tcp;
use super::log::NetLog;
use super::stream::prepare;
use super::thread::ShellThread;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpListener;

/// Wait after a connection that could not be accepted.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Why nothing takes connections of browsers.
#[derive(Debug, thiserror::Error)]
pub enum IceTcpError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address} for ICE by TCP: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system gave no thread, or nothing to wait with.
    #[error("the thread for ICE by TCP: {0}")]
    Thread(#[from] io::Error),
}

/// Takes connections of browsers. Ends when dropped, and with it every connection.
pub struct IceTcp {
    bound: Vec<SocketAddr>,
    pub(super) relays: Relays,
    _thread: ShellThread,
}

impl std::fmt::Debug for IceTcp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IceTcp").field("bound", &self.bound).finish_non_exhaustive()
    }
}

impl IceTcp {
    /// Listens on `addresses`; `None` where there is none.
    ///
    /// # Errors
    /// When one of them cannot be listened on.
    pub fn start(addresses: &[SocketAddr]) -> Result<Option<Self>, IceTcpError> {
        if addresses.is_empty() {
            return Ok(None);
        }
        let thread = ShellThread::start("ice-tcp")?;
        let (relays, log) = (Relays::default(), NetLog::default());
        thread.runtime().spawn(log.clone().tell_left_out());
        let mut bound = Vec::new();
        let within = thread.runtime().enter();
        for &address in addresses {
            let failed = |source| IceTcpError::Listen { address, source };
            let listener = bind_tcp(address).map_err(failed)?;
            bound.push(listener.local_addr().map_err(failed)?);
            tokio::spawn(accept(listener, relays.clone(), log.clone()));
        }
        drop(within);
        Ok(Some(Self { bound, relays, _thread: thread }))
    }

    /// Where it listens.
    pub fn bound(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.bound.iter().copied()
    }

    /// The port that takes connections to `local`, the address of a leg.
    #[must_use]
    pub fn port(&self, local: IpAddr) -> Option<u16> {
        let takes = |bound: &&SocketAddr| {
            bound.is_ipv4() == local.is_ipv4() && (bound.ip().is_unspecified() || bound.ip() == local)
        };
        self.bound.iter().find(takes).map(SocketAddr::port)
    }
}

async fn accept(listener: TcpListener, relays: Relays, log: NetLog) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                prepare(&stream);
                let remote = SocketAddr::new(remote.ip().to_canonical(), remote.port());
                let (stranger, end) = relays.admit(remote.ip());
                tokio::spawn(relay::serve(stream, remote, stranger, end, log.clone()));
            }
            Err(error) => {
                log.warn("cannot accept a connection for ICE", format_args!("{error}"));
                // Out of descriptors, most likely: the waiting connection stays in the backlog.
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}
