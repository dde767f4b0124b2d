//! The gateway's end of one media thread.

use super::super::engine::Engine;
use super::super::plane::{FromThread, ToThread};
use super::Settings;
use super::sockets::TransportSockets;
use super::worker::{Control, Worker};
use nix::sys::eventfd::{EfdFlags, EventFd};
use rtrb::{Consumer, Producer, PushError, RingBuffer};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

/// Messages in each ring.
const RING: usize = 4096;

/// Rings, wake-up and handle of one thread.
#[derive(Debug)]
pub(super) struct Link {
    to: Producer<ToThread<TransportSockets>>,
    from: Consumer<FromThread<TransportSockets>>,
    /// What the ring had no room for. It goes in when the thread has made room; the gateway never waits.
    overflow: VecDeque<ToThread<TransportSockets>>,
    /// Something was put into the ring since the thread was woken last.
    unheard: bool,
    control: Arc<Control>,
    thread: Option<JoinHandle<()>>,
}

impl Link {
    pub(super) fn spawn(engine: Engine, settings: &Settings, gateway: Arc<EventFd>) -> io::Result<Self> {
        let (name, realtime) = (format!("media-{}", engine.thread()), settings.realtime);
        let engine = engine.with_libraries(settings.libraries.clone());
        let (to, commands) = RingBuffer::new(RING);
        let (reports, from) = RingBuffer::new(RING);
        let wake = EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?;
        let control = Arc::new(Control::new(wake));
        let worker = Worker::new(engine, Arc::clone(&control), commands, reports, gateway)?;
        let thread = std::thread::Builder::new().name(name).spawn(move || worker.run(realtime))?;
        Ok(Self { to, from, overflow: VecDeque::new(), unheard: false, control, thread: Some(thread) })
    }

    pub(super) fn queue(&mut self, message: ToThread<TransportSockets>) {
        self.overflow.push_back(message);
    }

    /// Puts into the ring what fits, and wakes the thread.
    pub(super) fn flush(&mut self) {
        while let Some(message) = self.overflow.pop_front() {
            match self.to.push(message) {
                Ok(()) => self.unheard = true,
                Err(PushError::Full(message)) => {
                    self.overflow.push_front(message);
                    break;
                }
            }
        }
        if std::mem::take(&mut self.unheard) {
            self.control.wake();
        }
    }

    pub(super) fn poll(&mut self) -> Option<FromThread<TransportSockets>> {
        self.from.pop().ok()
    }

    pub(super) fn realtime(&self) -> bool {
        self.control.realtime.load(Ordering::Relaxed)
    }

    pub(super) fn busy(&self) -> u32 {
        self.control.busy.load(Ordering::Relaxed)
    }

    pub(super) fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    pub(super) fn stop(&mut self) {
        self.control.stop.store(true, Ordering::Release);
        self.control.wake();
    }

    pub(super) fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            // A panic was printed where it happened; there is nothing to add here.
            let _ = thread.join();
        }
    }
}
