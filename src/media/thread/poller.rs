//! What a media thread sleeps in.
//!
//! It is woken by commands, by the next deadline, and by packets of the legs that collect digits. RTCP, which nobody
//! waits for, is asked about now and then in one call for all legs.

use super::super::outbox::PacketKind;
use super::super::slots::LegSlot;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::EventFd;
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use std::net::UdpSocket;
use std::time::{Duration, Instant};

const WAKE: u64 = u64::MAX;
const TIMER: u64 = u64::MAX - 1;
/// Sockets reported by one call.
const EVENTS: usize = 64;

/// The poller of one thread.
pub(super) struct Poller {
    urgent: Epoll,
    idle: Epoll,
    timer: TimerFd,
    /// What the timer is set to.
    armed: Option<Instant>,
    /// It has gone off and was not set since: until it is, it ends every sleep.
    has_fired: bool,
    events: [EpollEvent; EVENTS],
}

/// A socket with something to read.
pub(super) type Ready = (LegSlot, PacketKind);

impl Poller {
    pub(super) fn new(wake: &EventFd) -> nix::Result<Self> {
        let urgent = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let idle = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC)?;
        urgent.add(wake, EpollEvent::new(EpollFlags::EPOLLIN, WAKE))?;
        urgent.add(&timer, EpollEvent::new(EpollFlags::EPOLLIN, TIMER))?;
        Ok(Self { urgent, idle, timer, armed: None, has_fired: false, events: [EpollEvent::empty(); EVENTS] })
    }

    /// Handles this socket's packets on arrival.
    pub(super) fn add_urgent(&self, socket: &UdpSocket, ready: Ready) -> nix::Result<()> {
        self.urgent.add(socket, EpollEvent::new(EpollFlags::EPOLLIN, token(ready)))
    }

    pub(super) fn remove_urgent(&self, socket: &UdpSocket) -> nix::Result<()> {
        self.urgent.delete(socket)
    }

    /// Handles this socket's packets when somebody asks.
    pub(super) fn add_idle(&self, socket: &UdpSocket, ready: Ready) -> nix::Result<()> {
        self.idle.add(socket, EpollEvent::new(EpollFlags::EPOLLIN, token(ready)))
    }

    pub(super) fn remove_idle(&self, socket: &UdpSocket) -> nix::Result<()> {
        self.idle.delete(socket)
    }

    /// Sleeps until there is a command, an urgent packet, or `deadline`; then `ready` has the urgent sockets.
    pub(super) fn wait(&mut self, now: Instant, deadline: Option<Instant>, ready: &mut Vec<Ready>) -> nix::Result<()> {
        if self.armed != deadline || self.has_fired {
            match deadline {
                Some(at) => {
                    // Zero would disarm the timer.
                    let left = at.saturating_duration_since(now).max(Duration::from_nanos(1));
                    self.timer.set(Expiration::OneShot(TimeSpec::from_duration(left)), TimerSetTimeFlags::empty())?;
                }
                None => self.timer.unset()?,
            }
            self.armed = deadline;
            self.has_fired = false;
        }
        let count = match self.urgent.wait(&mut self.events, EpollTimeout::NONE) {
            Ok(count) => count,
            Err(nix::errno::Errno::EINTR) => 0,
            Err(error) => return Err(error),
        };
        for event in self.events.iter().take(count) {
            match event.data() {
                WAKE => {}
                // Set anew, or unset, before the next sleep, which clears it.
                TIMER => self.has_fired = true,
                token => ready.push(ready_of(token)),
            }
        }
        Ok(())
    }

    /// Which of the sockets that nobody waits for have something to read; some of them, if there are many.
    pub(super) fn poll_idle(&mut self, ready: &mut Vec<Ready>) {
        let count = self.idle.wait(&mut self.events, EpollTimeout::ZERO).unwrap_or(0);
        ready.extend(self.events.iter().take(count).map(|event| ready_of(event.data())));
    }
}

fn token((slot, kind): Ready) -> u64 {
    u64::from(slot.0) << 1 | u64::from(kind == PacketKind::Rtcp)
}

fn ready_of(token: u64) -> Ready {
    let slot = LegSlot(u32::try_from(token >> 1).unwrap_or(u32::MAX));
    (slot, if token & 1 == 1 { PacketKind::Rtcp } else { PacketKind::Rtp })
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::eventfd::EfdFlags;

    #[test]
    fn a_timer_that_went_off_ends_no_sleep_but_its_own() {
        let wake = EventFd::from_flags(EfdFlags::EFD_NONBLOCK).unwrap();
        let mut poller = Poller::new(&wake).unwrap();
        let (now, mut ready) = (crate::test_clock(), Vec::new());
        poller.wait(now, Some(now), &mut ready).unwrap();
        // The last leg is gone: there is nothing to wait for but commands, of which one is there.
        wake.write(1).unwrap();
        poller.wait(now, None, &mut ready).unwrap();
        wake.read().unwrap();
        let left = poller.urgent.wait(&mut poller.events, EpollTimeout::ZERO).unwrap();
        assert_eq!(left, 0, "the next sleep would end at once, again and again");
        // And it goes off again where it is to.
        poller.wait(now, Some(now), &mut ready).unwrap();
        assert!(ready.is_empty());
    }
}
