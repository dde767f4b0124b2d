//! One media thread: an engine, its legs' sockets, and the loop that drives them.

use super::super::command::{Command, Event};
use super::super::engine::Engine;
use super::super::outbox::PacketKind;
use super::super::plane::{FromThread, ToThread, Transit};
use super::super::slots::LegSlot;
use super::busy::Busy;
use super::poller::{Poller, Ready};
use super::sockets::{self, Receiver, TransportSockets};
use super::{clock, realtime};
use crate::types::{CallId, Now};
use nix::sys::eventfd::EventFd;
use rtrb::{Consumer, Producer, PushError};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

/// Commands done before the clock is looked at again.
const COMMANDS_AT_ONCE: usize = 32;
/// Datagrams read from one socket at once, at most: a flood must not hold up the tick.
const READS_AT_ONCE: usize = 64;
/// Rounds of 20 ms between two looks at all that waits in a leg's RTP socket, and at RTCP.
const FULL_READ_EVERY: u64 = 64;
const RTCP_EVERY: u64 = 8;
/// How much earlier than expected the next packet may have come, and still be read at this tick.
const EARLY: Duration = Duration::from_millis(2);

/// What both ends of a thread see.
#[derive(Debug)]
pub(super) struct Control {
    wake: EventFd,
    pub(super) stop: AtomicBool,
    pub(super) realtime: AtomicBool,
    /// As [`Busy::look`] says.
    pub(super) busy: AtomicU32,
}

impl Control {
    pub(super) fn new(wake: EventFd) -> Self {
        Self { wake, stop: AtomicBool::new(false), realtime: AtomicBool::new(false), busy: AtomicU32::new(0) }
    }

    pub(super) fn wake(&self) {
        // It fails only when the counter is full, and then the thread is awake.
        let _ = self.wake.write(1);
    }
}

/// A leg's sockets while they are here.
struct Port {
    leg: CallId,
    sockets: TransportSockets,
    is_ipv6: bool,
    urgent: bool,
}

/// One media thread.
pub(super) struct Worker {
    engine: Engine,
    /// By the engine's slots.
    ports: Vec<Option<Port>>,
    slots: HashMap<CallId, LegSlot>,
    control: Arc<Control>,
    commands: Consumer<ToThread<TransportSockets>>,
    reports: Producer<FromThread<TransportSockets>>,
    /// Reports the ring had no room for: exports, and events already taken from the engine (one at most).
    waiting: VecDeque<FromThread<TransportSockets>>,
    gateway: Arc<EventFd>,
    poller: Poller,
    receiver: Receiver,
    ready: Vec<Ready>,
    /// Legs whose tick is due.
    due: Vec<LegSlot>,
    /// The round in which RTCP was read last.
    rtcp_read: u64,
}

impl Worker {
    pub(super) fn new(
        engine: Engine,
        control: Arc<Control>,
        commands: Consumer<ToThread<TransportSockets>>,
        reports: Producer<FromThread<TransportSockets>>,
        gateway: Arc<EventFd>,
    ) -> io::Result<Self> {
        let poller = Poller::new(&control.wake)?;
        Ok(Self {
            engine,
            ports: Vec::new(),
            slots: HashMap::new(),
            control,
            commands,
            reports,
            waiting: VecDeque::new(),
            gateway,
            poller,
            receiver: Receiver::new(),
            ready: Vec::with_capacity(256),
            due: Vec::with_capacity(256),
            rtcp_read: 0,
        })
    }

    /// Runs until it is stopped.
    pub(super) fn run(mut self, realtime: bool) {
        if realtime {
            self.control.realtime.store(realtime::request(), Ordering::Relaxed);
        }
        let mut busy = Busy::new(clock::now().instant);
        while !self.control.stop.load(Ordering::Acquire) {
            let more = self.do_commands();
            let now = clock::now();
            if let Some(share) = busy.look(now.instant) {
                self.control.busy.store(share, Ordering::Relaxed);
            }
            if self.engine.poll_timeout().is_some_and(|at| at <= now.instant) {
                self.tick(now);
                continue;
            }
            if more {
                continue;
            }
            // Reports that found the ring full are tried again at the tick, or soon if there are no ticks.
            let retry = (!self.waiting.is_empty()).then(|| now.instant + Duration::from_millis(20));
            let deadline = self.engine.poll_timeout().or(retry);
            if deadline.is_none() {
                // It may sleep for hours.
                self.control.busy.store(0, Ordering::Relaxed);
            }
            if self.poller.wait(now.instant, deadline, &mut self.ready).is_err() {
                return;
            }
            busy.sleep(now.instant, clock::now().instant);
            let _ = self.control.wake.read();
            self.read_ready();
            self.flush();
        }
        self.goodbye();
    }

    /// Does some of the commands that wait. Says whether there may be more.
    fn do_commands(&mut self) -> bool {
        for _ in 0..COMMANDS_AT_ONCE {
            let Ok(message) = self.commands.pop() else { return false };
            let now = clock::now();
            match message {
                ToThread::Command(command, sockets) => self.do_command(now, command, sockets),
                ToThread::Export { ticket, units } => {
                    let legs: Vec<CallId> = units
                        .iter()
                        .filter_map(|unit| match unit {
                            crate::types::UnitId::Leg(leg) => Some(*leg),
                            _ => None,
                        })
                        .collect();
                    let sockets = legs.into_iter().filter_map(|leg| Some((leg, self.release(leg)?))).collect();
                    let bundle = Box::new(self.engine.export(&units));
                    self.report(FromThread::Exported { ticket, transit: Transit { bundle, sockets } });
                }
                ToThread::Import(Transit { bundle, sockets }) => {
                    self.engine.import(now, *bundle);
                    for (leg, sockets) in sockets {
                        self.admit(leg, sockets);
                        if let Some(&slot) = self.slots.get(&leg) {
                            self.read_all(now, (slot, PacketKind::Rtp));
                        }
                    }
                    // What the legs missed on the way is due at once.
                    self.engine.handle_timeout(clock::now());
                }
            }
            self.flush();
        }
        true
    }

    fn do_command(&mut self, now: Now, command: Command, sockets: Option<TransportSockets>) {
        let about = match &command {
            Command::AddLeg { leg, .. } | Command::CollectDigits { leg, .. } => Some(*leg),
            _ => None,
        };
        self.engine.handle_command(now, command);
        if let Some(leg) = about {
            if let Some(sockets) = sockets {
                self.admit(leg, sockets);
            }
            self.set_urgency(leg);
        }
    }

    /// Takes a leg's sockets in. Without them (out of file descriptors for time stamps) the leg is silent, and its
    /// media timeout ends it.
    fn admit(&mut self, leg: CallId, sockets: TransportSockets) {
        let Some(slot) = self.engine.leg_slot(leg) else { return };
        if self.slots.contains_key(&leg) || sockets.prepare().is_err() {
            return;
        }
        let index = slot.0 as usize;
        if self.ports.len() <= index {
            self.ports.resize_with(index + 1, || None);
        }
        if let Some(rtcp) = &sockets.rtcp {
            let _ = self.poller.add_idle(rtcp, (slot, PacketKind::Rtcp));
        }
        let is_ipv6 = sockets::is_ipv6(&sockets.rtp);
        self.ports[index] = Some(Port { leg, sockets, is_ipv6, urgent: false });
        self.slots.insert(leg, slot);
        self.set_urgency(leg);
    }

    /// Gives a leg's sockets away.
    fn release(&mut self, leg: CallId) -> Option<TransportSockets> {
        let slot = self.slots.remove(&leg)?;
        // While reports wait, the engine may have given the slot to another leg: its sockets are not ours to close.
        let port = self.ports.get_mut(slot.0 as usize)?.take_if(|port| port.leg == leg)?;
        if port.urgent {
            let _ = self.poller.remove_urgent(&port.sockets.rtp);
        }
        if let Some(rtcp) = &port.sockets.rtcp {
            let _ = self.poller.remove_idle(rtcp);
        }
        Some(port.sockets)
    }

    /// Has a leg's packets handled on arrival, or at the tick, as its engine wants it.
    fn set_urgency(&mut self, leg: CallId) {
        let Some(&slot) = self.slots.get(&leg) else { return };
        let Some(Some(port)) = self.ports.get_mut(slot.0 as usize) else { return };
        let urgent = self.engine.is_urgent(slot);
        if urgent != port.urgent {
            let changed = if urgent {
                self.poller.add_urgent(&port.sockets.rtp, (slot, PacketKind::Rtp))
            } else {
                self.poller.remove_urgent(&port.sockets.rtp)
            };
            port.urgent = urgent && changed.is_ok();
        }
    }

    /// Reads what arrived, does the ticks that are due, sends.
    fn tick(&mut self, now: Now) {
        self.due.clear();
        self.due.extend(self.engine.due_legs(now.instant));
        // The other way round than the engine hears and sends them: what was read last is still in the processor's
        // cache.
        for at in (0..self.due.len()).rev() {
            self.read_tick(now, self.due[at]);
            self.engine.hear(now, self.due[at]);
        }
        if self.engine.round() >= self.rtcp_read + RTCP_EVERY {
            self.rtcp_read = self.engine.round();
            self.poller.poll_idle(&mut self.ready);
            self.read_ready();
        }
        self.engine.handle_timeout(clock::now());
        self.flush();
    }

    /// Reads a leg's RTP at the tick: usually one packet. Another one is asked for only if, by the time at which the
    /// last one came, it must have come too; now and then all.
    fn read_tick(&mut self, now: Now, slot: LegSlot) {
        let Some(Some(port)) = self.ports.get_mut(slot.0 as usize) else { return };
        let all = (self.engine.round() + u64::from(slot.0)).is_multiple_of(FULL_READ_EVERY);
        for _ in 0..READS_AT_ONCE {
            let Some(datagram) = self.receiver.receive(now, &port.sockets.rtp) else { return };
            let age = now.instant.saturating_duration_since(datagram.arrival);
            let believed =
                self.engine.handle_packet(slot, PacketKind::Rtp, datagram.arrival, datagram.source, datagram.bytes);
            if believed {
                if !all && age + EARLY < self.engine.packet_time(slot) {
                    return;
                }
            } else if let Some(aside) = &mut port.sockets.aside {
                aside.offer(datagram.source, datagram.bytes);
            }
        }
    }

    /// Reads the sockets that were reported ready.
    fn read_ready(&mut self) {
        if self.ready.is_empty() {
            return;
        }
        let now = clock::now();
        while let Some(ready) = self.ready.pop() {
            self.read_all(now, ready);
        }
    }

    fn read_all(&mut self, now: Now, (slot, kind): Ready) {
        let Some(Some(port)) = self.ports.get_mut(slot.0 as usize) else { return };
        let socket = match (kind, &port.sockets.rtcp) {
            (PacketKind::Rtp, _) => &port.sockets.rtp,
            (PacketKind::Rtcp, Some(rtcp)) => rtcp,
            (PacketKind::Rtcp, None) => return,
        };
        for _ in 0..READS_AT_ONCE {
            let Some(datagram) = self.receiver.receive(now, socket) else { return };
            let believed = self.engine.handle_packet(slot, kind, datagram.arrival, datagram.source, datagram.bytes);
            if let Some(aside) = port.sockets.aside.as_mut().filter(|_| !believed) {
                aside.offer(datagram.source, datagram.bytes);
            }
        }
    }

    /// Sends what the engine wants sent, and passes its events on.
    fn flush(&mut self) {
        for packet in self.engine.transmits() {
            let Some(Some(port)) = self.ports.get(packet.slot.0 as usize) else { continue };
            if port.leg != packet.leg {
                continue;
            }
            let socket = match (packet.kind, &port.sockets.rtcp) {
                (PacketKind::Rtcp, Some(rtcp)) => rtcp,
                _ => &port.sockets.rtp,
            };
            sockets::send(socket, port.is_ipv6, packet.destination, packet.bytes);
        }
        self.engine.clear_transmits();
        let mut reported = false;
        while let Some(report) = self.waiting.pop_front().or_else(|| self.engine.poll_event().map(FromThread::Event)) {
            if let FromThread::Event(Event::LegRemoved { leg, .. }) = &report {
                // The port is closed before the gateway hears that it is free.
                drop(self.release(*leg));
            }
            match self.reports.push(report) {
                Ok(()) => reported = true,
                Err(PushError::Full(report)) => {
                    self.waiting.push_front(report);
                    break;
                }
            }
        }
        if reported {
            // It fails only when the counter is full, and then the gateway has been woken.
            let _ = self.gateway.write(1);
        }
    }

    fn report(&mut self, report: FromThread<TransportSockets>) {
        self.waiting.push_back(report);
    }

    /// Ends the legs that are left.
    fn goodbye(&mut self) {
        let legs: Vec<CallId> = self.slots.keys().copied().collect();
        for leg in legs {
            self.engine.handle_command(clock::now(), Command::RemoveLeg { leg });
        }
        self.flush();
    }
}
