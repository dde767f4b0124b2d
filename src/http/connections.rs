//! How many connections there may be, and which makes room.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::AbortHandle;

/// Connections at once, those that became WebSockets of SIP not counted: they are with SIP's.
const MOST: usize = 512;
/// The same from one source that is no proxy of ours.
const MOST_EACH: usize = 64;

struct Connection {
    source: IpAddr,
    task: AbortHandle,
    /// Somebody with a token uses it.
    is_known: Arc<AtomicBool>,
}

/// All connections. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Connections(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    open: HashMap<u64, Connection>,
    next: u64,
}

impl Connections {
    /// Takes a connection from `address` that `start` serves, which is given its number. Where there are too many, the
    /// oldest over which nobody has shown a token makes room; where there is none, `start` is not called.
    pub(super) fn take(
        &self,
        address: IpAddr,
        is_proxy: bool,
        is_known: Arc<AtomicBool>,
        start: impl FnOnce(u64) -> AbortHandle,
    ) -> bool {
        let source = source(address);
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let from_there = table.open.values().filter(|connection| connection.source == source).count();
        let has_room = (is_proxy || from_there < MOST_EACH || table.make_room(|other| other.source == source))
            && (table.open.len() < MOST || table.make_room(|_| true));
        if has_room {
            let number = table.next;
            table.next += 1;
            let task = start(number);
            table.open.insert(number, Connection { source, task, is_known });
        }
        has_room
    }

    /// A connection is over, or a WebSocket.
    pub(super) fn ended(&self, number: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).open.remove(&number);
    }
}

impl Table {
    fn make_room(&mut self, which: impl Fn(&Connection) -> bool) -> bool {
        let unknown = |connection: &Connection| !connection.is_known.load(Ordering::Relaxed);
        let oldest =
            self.open.iter().filter(|(_, other)| unknown(other) && which(other)).map(|(number, _)| *number).min();
        let Some(connection) = oldest.and_then(|number| self.open.remove(&number)) else { return false };
        connection.task.abort();
        true
    }
}

/// What counts as one source: an address, or the /64 of an IPv6 address, all of which one customer has.
pub(super) fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_has_shown_a_token_stays_and_the_oldest_of_the_others_makes_room() {
        let connections = Connections::default();
        let known = Arc::new(AtomicBool::new(true));
        let waiting = || tokio::spawn(std::future::pending::<()>()).abort_handle();
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        assert!(connections.take(address, false, known, |_| waiting()));
        let mut tasks = Vec::new();
        for _ in 0..3 * MOST_EACH {
            let task = waiting();
            tasks.push(task.clone());
            assert!(connections.take(address, false, Arc::default(), |_| task));
        }
        let open = |connections: &Connections| connections.0.lock().unwrap().open.len();
        assert_eq!(open(&connections), MOST_EACH);
        // Time for those that were ended.
        for _ in 0..10 * MOST_EACH {
            tokio::task::yield_now().await;
        }
        assert_eq!(tasks.iter().filter(|task| !task.is_finished()).count(), MOST_EACH - 1);
        assert!(!tasks.last().unwrap().is_finished());
        for n in 0..2 * MOST as u32 {
            let address = IpAddr::from((0x0a00_0000 + n).to_be_bytes());
            assert!(connections.take(address, false, Arc::default(), |_| waiting()));
        }
        assert_eq!(open(&connections), MOST);
        assert!(connections.0.lock().unwrap().open.contains_key(&0), "the one with the token");
    }
}
