//! The media threads: the only IO of the media plane.
//!
//! The gateway keeps a [`MediaHandle`]: it sends commands (with the sockets of a new leg), and is woken by a file
//! descriptor when there are events. Nothing is shared with the threads but two bounded rings and an eventfd each.

mod busy;
mod clock;
mod link;
mod poller;
mod realtime;
mod sockets;
mod worker;

use self::link::Link;
use super::command::{Command, Event};
use super::engine::Engine;
use super::plane::{FromThread, Plane};
use crate::audio::codec::Libraries;
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;

pub use sockets::TransportSockets;

/// How the media threads are set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many there are; at least 1. A room is at most one core.
    pub threads: usize,
    /// Ask for real-time scheduling (SCHED_RR). Goes on without where it is not permitted: see
    /// [`MediaHandle::realtime`].
    pub realtime: bool,
    /// Codecs that are not built in, as soon as they are loaded.
    pub libraries: Libraries,
}

impl Default for Settings {
    fn default() -> Self {
        Self { threads: 1, realtime: false, libraries: Libraries::default() }
    }
}

/// The gateway's end of the media plane.
///
/// Wait for [`MediaHandle::as_fd`] to be readable (tokio: `AsyncFd`), then call [`MediaHandle::acknowledge`] and
/// [`MediaHandle::poll_event`] until it gives `None`. [`MediaHandle::send`] never blocks.
#[derive(Debug)]
pub struct MediaHandle {
    plane: Plane<TransportSockets>,
    links: Vec<Link>,
    wake: Arc<EventFd>,
    /// Which ring to look at first, so that none starves.
    turn: usize,
}

impl MediaHandle {
    /// Starts the threads.
    ///
    /// # Errors
    /// No file descriptors or threads are left.
    pub fn spawn(settings: Settings) -> io::Result<Self> {
        let wake = Arc::new(EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?);
        let epoch = clock::now().instant;
        let links = (0..settings.threads.max(1))
            .map(|thread| Link::spawn(Engine::new(thread, epoch), &settings, Arc::clone(&wake)))
            .collect::<io::Result<Vec<_>>>()?;
        Ok(Self { plane: Plane::new(links.len()), links, wake, turn: 0 })
    }

    /// Sends a command; [`Command::AddLeg`] with the leg's sockets.
    pub fn send(&mut self, command: Command, sockets: Option<TransportSockets>) {
        self.queue(command, sockets);
        self.flush();
    }

    /// Like [`MediaHandle::send`], for several commands: they leave, and their threads are woken once, at
    /// [`MediaHandle::flush`].
    pub fn queue(&mut self, command: Command, sockets: Option<TransportSockets>) {
        self.plane.handle_command(command, sockets);
    }

    /// Lets queued commands leave.
    pub fn flush(&mut self) {
        self.dispatch();
    }

    /// The next event; `None` when all were taken.
    pub fn poll_event(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.plane.poll_event() {
                return Some(event);
            }
            let report = self.poll_report();
            match report {
                Some(report) => self.plane.handle_report(report),
                None => {
                    self.dispatch();
                    return None;
                }
            }
            self.dispatch();
        }
    }

    /// Takes note of the wake-up. Call it before [`MediaHandle::poll_event`], so that no event is slept through.
    pub fn acknowledge(&self) {
        // Fails only when there was no wake-up.
        let _ = self.wake.read();
    }

    /// Legs on each thread.
    #[must_use]
    pub fn load(&self) -> &[usize] {
        self.plane.load()
    }

    /// How many thousandths of its time the least busy thread works, of the last tenth of a second.
    #[must_use]
    pub fn busy(&self) -> u32 {
        self.links.iter().map(Link::busy).min().unwrap_or(0)
    }

    /// Whether every thread runs with the real-time scheduling that was asked for.
    #[must_use]
    pub fn realtime(&self) -> bool {
        self.links.iter().all(Link::realtime)
    }

    /// Whether every thread is alive. A thread ends before [`MediaHandle::shutdown`] only by a bug or for want of file
    /// descriptors.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.links.iter().all(Link::is_alive)
    }

    /// Whether no unit is left.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.plane.is_idle()
    }

    /// Ends the threads and waits for them. Legs that are left say goodbye (RTCP BYE).
    pub fn shutdown(mut self) {
        self.stop();
    }

    fn stop(&mut self) {
        self.links.iter_mut().for_each(Link::stop);
        self.links.iter_mut().for_each(Link::join);
    }

    fn poll_report(&mut self) -> Option<FromThread<TransportSockets>> {
        for _ in 0..self.links.len() {
            if let Some(report) = self.links[self.turn].poll() {
                return Some(report);
            }
            self.turn = (self.turn + 1) % self.links.len();
        }
        None
    }

    fn dispatch(&mut self) {
        while let Some((thread, message)) = self.plane.poll_dispatch() {
            self.links[thread].queue(message);
        }
        self.links.iter_mut().for_each(Link::flush);
    }
}

impl Drop for MediaHandle {
    fn drop(&mut self) {
        self.stop();
    }
}

impl AsFd for MediaHandle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}

impl AsRawFd for MediaHandle {
    fn as_raw_fd(&self) -> RawFd {
        self.wake.as_fd().as_raw_fd()
    }
}

#[cfg(test)]
mod tests;
