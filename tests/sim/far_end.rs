//! Phones behind the trunks that calls go out by, and what an administrator asks for.

use super::phone::{Phone, Step};
use super::world::{GATEWAY, World};
use partyline::gateway::{CallRecord, Reply, Request, Way};
use partyline::types::AudioCodec;
use std::net::{IpAddr, SocketAddr};

impl World {
    /// A phone behind trunk "first" (1) or "second" (2), which says this when it is called.
    pub(crate) fn far_end(&mut self, trunk: u8, manner: Vec<Step>) -> usize {
        let n = self.phones.len();
        let address = IpAddr::from([100, 64, 0, trunk]);
        let mut phone = Phone::new(n, address, SocketAddr::from((GATEWAY, 5060)), AudioCodec::Pcma);
        phone.agent.manner = manner;
        phone.agent.answers = true;
        self.phones.push(phone);
        n
    }

    /// The administrator has `number` called into a room.
    pub(crate) fn invite(&mut self, room: &str, number: &str, confirm: Option<bool>) -> Reply {
        let (room, number) = (room.to_owned(), number.to_owned());
        self.ask(Request::Dial { room, number, confirm, digits: None, create: true })
    }

    /// The record of the only call out to `number`.
    pub(crate) fn record_of(&self, number: &str) -> &CallRecord {
        let found: Vec<&CallRecord> = self.records.iter().filter(|record| record.number == number).collect();
        assert_eq!(found.len(), 1, "one record of the call to {number}: {:#?}; log: {:#?}", self.records, self.tail());
        assert_eq!(found[0].way, Way::Out);
        found[0]
    }
}
