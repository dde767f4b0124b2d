use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::super::*;
use super::{ms, raw::Open, sdp, secs, start};
use crate::sip::message::{Message, NameAddr, Transport};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    A,
    B,
}

impl Side {
    pub fn other(self) -> Self {
        if self == Self::A { Self::B } else { Self::A }
    }

    fn index(self) -> usize {
        usize::from(self == Self::B)
    }
}

/// What happens to a message on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Arrive,
    Drop,
    Late(Duration),
    Twice,
}

/// Decides the fate of each message: its start line, and how many went before that began alike.
type Rule = Box<dyn FnMut(Side, &str) -> Fate>;

pub struct Pair {
    pub now: Now,
    ends: [Endpoint; 2],
    addresses: [SocketAddr; 2],
    transport: Transport,
    wire: BTreeMap<(Instant, u64), (Side, Bytes)>,
    count: u64,
    rule: Rule,
    pub events: [VecDeque<Event>; 2],
    /// Start lines with their sender, in the order sent.
    pub log: Vec<(Side, String)>,
    /// Where each message is when it is sent, relative to the start.
    pub times: Vec<Duration>,
    began: Instant,
}

impl Pair {
    pub fn new() -> Self {
        Self::with(EndpointConfig::default(), EndpointConfig::default(), Transport::Udp, false)
    }

    pub fn with(a: EndpointConfig, b: EndpointConfig, transport: Transport, v6: bool) -> Self {
        let addresses =
            if v6 { ["[2001:db8::a]:5060", "[2001:db8::b]:5060"] } else { ["192.0.2.1:5060", "192.0.2.2:5060"] };
        let now = start();
        Self {
            now,
            ends: [Endpoint::new(a, crate::types::Seed::fixed(1)), Endpoint::new(b, crate::types::Seed::fixed(2))],
            addresses: addresses.map(|address| address.parse().unwrap()),
            transport,
            wire: BTreeMap::new(),
            count: 0,
            rule: Box::new(|_, _| Fate::Arrive),
            events: Default::default(),
            log: Vec::new(),
            times: Vec::new(),
            began: now.instant,
        }
    }

    pub fn rule(&mut self, rule: impl FnMut(Side, &str) -> Fate + 'static) {
        self.rule = Box::new(rule);
    }

    /// Drops the first `count` messages whose start line begins so.
    pub fn drop_first(&mut self, mut count: usize, begin: &'static str) {
        self.rule(move |_, line| {
            if line.starts_with(begin) && count > 0 {
                count -= 1;
                return Fate::Drop;
            }
            Fate::Arrive
        });
    }

    pub fn end(&mut self, side: Side) -> &mut Endpoint {
        &mut self.ends[side.index()]
    }

    pub fn flow(&self, side: Side) -> Flow {
        Flow {
            transport: self.transport,
            local: self.addresses[side.index()],
            remote: self.addresses[side.other().index()],
            connection: self.transport.is_reliable().then_some(1),
        }
    }

    fn drain(&mut self) {
        for side in [Side::A, Side::B] {
            while let Some(output) = self.ends[side.index()].poll_output() {
                match output {
                    Output::Transmit { flow, bytes, .. } => {
                        assert!(Message::parse(&bytes).is_ok(), "we send what we could read");
                        let line = String::from_utf8_lossy(&bytes).lines().next().unwrap().to_owned();
                        assert_eq!(flow.remote, self.addresses[side.other().index()], "{line}");
                        self.send(side, line, bytes);
                    }
                    Output::Event(Event::Trying { .. }) => {}
                    Output::Event(event) => self.events[side.index()].push_back(event),
                    Output::Trace(_) => {}
                }
            }
        }
    }

    fn send(&mut self, side: Side, line: String, bytes: Bytes) {
        let fate = (self.rule)(side, &line);
        self.log.push((side, line));
        self.times.push(self.now.instant - self.began);
        let delays: &[Duration] = match fate {
            Fate::Drop => &[],
            Fate::Arrive => &[ms(10)],
            Fate::Twice => &[ms(10), ms(30)],
            Fate::Late(late) => &[late],
        };
        for delay in delays {
            self.count += 1;
            self.wire.insert((self.now.instant + *delay, self.count), (side.other(), bytes.clone()));
        }
    }

    /// Lets time go by.
    pub fn run(&mut self, duration: Duration) {
        let end = self.now.after(duration);
        loop {
            self.drain();
            let timeouts = self.ends.iter().filter_map(Endpoint::poll_timeout).min();
            let arrival = self.wire.keys().next().map(|(at, _)| *at);
            let next = timeouts.into_iter().chain(arrival).min().filter(|at| *at <= end.instant);
            let Some(next) = next else { break };
            self.now = self.now.after(next.saturating_duration_since(self.now.instant));
            while let Some(entry) = self.wire.first_entry().filter(|entry| entry.key().0 <= self.now.instant) {
                let (to, bytes) = entry.remove();
                let flow = self.flow(to);
                self.ends[to.index()].handle_input(self.now, Input::Message { flow, bytes }, &mut Open);
            }
            for endpoint in &mut self.ends {
                endpoint.handle_timeout(self.now);
                assert!(endpoint.poll_timeout().is_none_or(|at| at > self.now.instant), "nothing due is left");
            }
        }
        self.now = end;
    }

    /// The next event, which must be there.
    pub fn event(&mut self, side: Side) -> Event {
        self.events[side.index()].pop_front().unwrap_or_else(|| panic!("no event for {side:?}; log {:#?}", self.log))
    }

    pub fn no_event(&self, side: Side) {
        assert!(self.events[side.index()].is_empty(), "{:?}", self.events[side.index()]);
    }

    /// How many messages began so.
    pub fn sent(&self, side: Side, begin: &str) -> usize {
        self.log.iter().filter(|(by, line)| *by == side && line.starts_with(begin)).count()
    }

    pub fn outgoing(&self, side: Side, body: Option<Body>) -> OutgoingInvite {
        let to = format!("sip:b@{}", self.addresses[side.other().index()]).parse().unwrap();
        let from: NameAddr = "<sip:a@example.com>".parse().unwrap();
        OutgoingInvite::new(self.flow(side), from, to, body)
    }

    /// A invites; B has it.
    pub fn invite(&mut self, body: Option<Body>) -> (InviteId, InviteId) {
        let call = self.outgoing(Side::A, body);
        let now = self.now;
        let a = self.end(Side::A).invite(now, call).unwrap();
        self.run(secs(5));
        let Event::Incoming { invite: b, .. } = self.event(Side::B) else { panic!() };
        (a, b)
    }

    /// A call that is up, with no event left to be looked at.
    pub fn call(&mut self) -> (InviteId, InviteId) {
        let (a, b) = self.invite(Some(sdp("a")));
        let now = self.now;
        self.end(Side::B).accept(now, b, sdp("b")).unwrap();
        self.run(secs(5));
        assert!(matches!(self.event(Side::A), Event::Answered { needs_answer: false, .. }));
        assert!(matches!(self.event(Side::B), Event::Acknowledged { body: None, .. }));
        (a, b)
    }

    pub fn hangup(&mut self, side: Side, id: InviteId) {
        let now = self.now;
        self.end(side).hangup(now, id, None).unwrap();
    }

    /// Nothing may be left on either side once every timer has run out.
    pub fn finish(mut self) {
        self.rule(|_, _| Fate::Arrive);
        self.run(secs(500));
        for endpoint in &self.ends {
            assert!(endpoint.is_idle(), "{:?}; log {:#?}", endpoint.counts(), self.log);
        }
    }
}
