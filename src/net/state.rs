//! What is known of a connection: by it the table chooses which one makes room for another.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const INVITE: &[u8] = b"INVITE ";

/// What a connection is worth to us, the least first: when places run out, the least of them makes room, and of several
/// the one that was unused the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Worth {
    /// It still has to prove that it speaks TLS.
    Handshake,
    /// We have sent nothing: nothing was heard that deserved an answer.
    Unanswered,
    /// We have answered, or the peer has shown who it is.
    Known,
    /// It has carried an INVITE: a call may hang on it.
    CarriedCall,
}

impl Worth {
    const ALL: [Self; 4] = [Self::Handshake, Self::Unanswered, Self::Known, Self::CarriedCall];
}

/// What a connection's task and the table of connections share.
#[derive(Debug)]
pub(super) struct ConnectionState {
    worth: AtomicU8,
    /// Milliseconds from `began` to the last message either way.
    used: AtomicU64,
    began: Instant,
    pongs: AtomicU32,
    /// Whether the gateway was told of anything.
    told: AtomicBool,
    /// An INVITE has come.
    invited: AtomicBool,
    /// We opened it. It never makes room.
    pub(super) is_ours: bool,
    /// It is from a trunk's address.
    pub(super) is_trunk: bool,
}

impl ConnectionState {
    fn new(now: Instant, worth: Worth, is_ours: bool, is_trunk: bool) -> Self {
        Self {
            worth: AtomicU8::new(worth as u8),
            used: AtomicU64::new(0),
            began: now,
            pongs: AtomicU32::new(0),
            told: AtomicBool::new(is_ours),
            invited: AtomicBool::new(false),
            is_ours,
            is_trunk,
        }
    }

    /// Of a connection that we open.
    pub(super) fn opened(now: Instant) -> Self {
        Self::new(now, Worth::Known, true, true)
    }

    /// Of one that was opened to us; `tls`: a handshake comes first.
    pub(super) fn accepted(now: Instant, tls: bool, is_trunk: bool) -> Self {
        Self::new(now, if tls { Worth::Handshake } else { Worth::Unanswered }, false, is_trunk)
    }

    pub(super) fn worth(&self) -> Worth {
        let worth = usize::from(self.worth.load(Ordering::Relaxed));
        Worth::ALL.get(worth).copied().unwrap_or(Worth::Handshake)
    }

    fn raise(&self, worth: Worth) {
        self.worth.fetch_max(worth as u8, Ordering::Relaxed);
    }

    /// The handshake is done.
    pub(super) fn speaks_tls(&self) {
        self.raise(Worth::Unanswered);
    }

    /// The peer has shown who it is.
    pub(super) fn recognise(&self) {
        self.raise(Worth::Known);
        self.told.store(true, Ordering::Relaxed);
    }

    /// A message went to the peer.
    pub(super) fn sent(&self, message: &[u8]) {
        self.recognise();
        self.use_now();
        // What a source that we do not know asks for is never more than refused.
        let takes_call = message.starts_with(b"SIP/2.0 1") || message.starts_with(b"SIP/2.0 2");
        if message.starts_with(INVITE) || (takes_call && self.invited.load(Ordering::Relaxed)) {
            self.raise(Worth::CarriedCall);
        }
    }

    /// A message came from the peer.
    pub(super) fn received(&self, message: &[u8]) {
        self.told.store(true, Ordering::Relaxed);
        self.use_now();
        if message.starts_with(INVITE) {
            self.invited.store(true, Ordering::Relaxed);
        }
    }

    fn use_now(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.used.store(now, Ordering::Relaxed);
    }

    /// The peer is known: we have sent it something, or it has shown who it is.
    pub(super) fn is_known(&self) -> bool {
        self.worth() >= Worth::Known
    }

    /// Whether the gateway has heard of this connection.
    pub(super) fn is_told(&self) -> bool {
        self.told.load(Ordering::Relaxed)
    }

    /// When the last message passed, or the connection began.
    pub(super) fn last_used(&self) -> Instant {
        self.began + Duration::from_millis(self.used.load(Ordering::Relaxed))
    }

    /// Its place among those that may have to make room, the first to go the least. Nobody whom we do not know,
    /// answered or not, is worth a trunk's connection, unless a call may hang on it.
    pub(super) fn rank(&self) -> impl Ord + use<> {
        let worth = self.worth();
        (worth == Worth::CarriedCall, self.is_trunk, worth, self.last_used())
    }

    /// How many pongs have come.
    pub(super) fn pongs(&self) -> u32 {
        self.pongs.load(Ordering::Relaxed)
    }

    pub(super) fn pong(&self) {
        self.pongs.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trunks_connection_stays_before_all_that_carry_no_call() {
        let now = Instant::now();
        let trunk = ConnectionState::accepted(now, false, true);
        let later = now + Duration::from_secs(60);
        let (answered, called) =
            (ConnectionState::accepted(later, false, false), ConnectionState::accepted(later, false, false));
        answered.sent(b"SIP/2.0 401 Unauthorized\r\n");
        called.received(b"INVITE sip:a SIP/2.0\r\n");
        called.sent(b"SIP/2.0 100 Trying\r\n");
        assert!(answered.rank() < trunk.rank() && trunk.rank() < called.rank());
        let idle = ConnectionState::accepted(later, false, true);
        assert!(trunk.rank() < idle.rank(), "of equals the one that was unused the longest");
    }

    #[test]
    fn a_connection_that_carried_a_call_is_worth_the_most_and_one_that_is_only_refused_is_not() {
        let accepted = || ConnectionState::accepted(Instant::now(), true, false);
        let (silent, refused, called) = (accepted(), accepted(), accepted());
        assert_eq!(silent.worth(), Worth::Handshake);
        for state in [&silent, &refused, &called] {
            state.speaks_tls();
            assert_eq!(state.worth(), Worth::Unanswered);
        }
        assert!(!silent.is_told());
        refused.received(b"INVITE sip:a SIP/2.0\r\n");
        refused.sent(b"SIP/2.0 401 Unauthorized\r\n");
        called.received(b"INVITE sip:a SIP/2.0\r\n");
        called.sent(b"SIP/2.0 100 Trying\r\n");
        called.sent(b"SIP/2.0 403 Forbidden\r\n");
        assert_eq!((refused.worth(), called.worth()), (Worth::Known, Worth::CarriedCall));
        assert!(refused.is_told());
    }
}
