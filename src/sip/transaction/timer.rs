//! The timers of RFC 3261 table 4 with those RFC 6026 adds, and how long each runs.

use std::time::Duration;

/// A transaction timer by the letter the RFCs give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TimerName {
    /// INVITE request retransmission, unreliable transports only.
    A,
    /// INVITE client transaction timeout.
    B,
    /// Wait for response retransmissions of a failed INVITE.
    D,
    /// Non-INVITE request retransmission, unreliable transports only.
    E,
    /// Non-INVITE client transaction timeout.
    F,
    /// INVITE failure response retransmission, unreliable transports only.
    G,
    /// Wait for the ACK of a failure response.
    H,
    /// Wait for ACK retransmissions.
    I,
    /// Wait for non-INVITE request retransmissions.
    J,
    /// Wait for non-INVITE response retransmissions.
    K,
    /// Wait for retransmissions of an accepted INVITE (RFC 6026 section 7.1).
    L,
    /// Wait for retransmitted or forked 2xx to an INVITE (RFC 6026 section 7.2).
    M,
}

/// The three durations all others derive from (RFC 3261 section 17).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Round-trip estimate; default 500 ms.
    pub t1: Duration,
    /// Longest retransmission interval; default 4 s.
    pub t2: Duration,
    /// Longest time a message stays in the network; default 5 s.
    pub t4: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { t1: Duration::from_millis(500), t2: Duration::from_secs(4), t4: Duration::from_secs(5) }
    }
}

impl Timing {
    /// 64·T1: how long a transaction waits for its other half.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.t1 * 64
    }

    /// How long `timer` runs when first started. `None`: it is not started at all on this transport;
    /// zero: it fires at once.
    #[must_use]
    pub fn first(&self, timer: TimerName, reliable: bool) -> Option<Duration> {
        use TimerName as T;
        match timer {
            T::A | T::E | T::G => (!reliable).then_some(self.t1),
            T::B | T::F | T::H | T::L | T::M => Some(self.patience()),
            T::D => Some(if reliable { Duration::ZERO } else { self.patience().max(Duration::from_secs(32)) }),
            T::I | T::K => Some(if reliable { Duration::ZERO } else { self.t4 }),
            T::J => Some(if reliable { Duration::ZERO } else { self.patience() }),
        }
    }

    /// The interval of a retransmission timer after one of `last`: A doubles, E and G double up to T2.
    #[must_use]
    pub fn next(&self, timer: TimerName, last: Duration) -> Duration {
        let doubled = last.saturating_mul(2);
        if timer == TimerName::A { doubled } else { doubled.min(self.t2) }
    }
}

/// A transaction we started: the random part of its branch, and whether it is the CANCEL of the INVITE so numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ClientId {
    pub(super) branch: u64,
    pub(super) cancel: bool,
}

/// A transaction a peer started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ServerId(pub(super) u64);

/// Every deadline of the layer by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Timer {
    /// A client transaction's timer of RFC 3261 table 4.
    Client(ClientId, TimerName),
    /// A cancelled INVITE has had 64·T1 to end (RFC 3261 section 9.1).
    Cancelled(ClientId),
    /// An INVITE has rung longer than any call may: no final response will come. (A call's own timer is shorter; this
    /// is for re-INVITEs, and for those whose call is over.)
    Stalled(ClientId),
    /// A server transaction's timer of RFC 3261 table 4.
    Server(ServerId, TimerName),
    /// An INVITE has waited 200 ms for a response: send 100 (RFC 3261 section 17.2.1).
    Trying(ServerId),
}

#[cfg(test)]
mod tests {
    use super::*;
    use TimerName as T;

    #[test]
    fn timers_last_as_table_4_says() {
        let timing = Timing::default();
        let seconds = |s| Some(Duration::from_secs(s));
        for (timer, unreliable, reliable) in [
            (T::A, Some(timing.t1), None),
            (T::B, seconds(32), seconds(32)),
            (T::D, seconds(32), seconds(0)),
            (T::E, Some(timing.t1), None),
            (T::F, seconds(32), seconds(32)),
            (T::G, Some(timing.t1), None),
            (T::H, seconds(32), seconds(32)),
            (T::I, seconds(5), seconds(0)),
            (T::J, seconds(32), seconds(0)),
            (T::K, seconds(5), seconds(0)),
            (T::L, seconds(32), seconds(32)),
            (T::M, seconds(32), seconds(32)),
        ] {
            assert_eq!(timing.first(timer, false), unreliable, "{timer:?} unreliable");
            assert_eq!(timing.first(timer, true), reliable, "{timer:?} reliable");
        }
    }

    #[test]
    fn only_timer_a_doubles_without_end() {
        let timing = Timing::default();
        let three = Duration::from_secs(3);
        assert_eq!(timing.next(T::A, three), Duration::from_secs(6));
        assert_eq!(timing.next(T::E, three), timing.t2);
        assert_eq!(timing.next(T::G, timing.t1), timing.t1 * 2);
    }
}
