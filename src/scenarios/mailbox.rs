//! What waits for one session.

use super::Message;
use std::collections::VecDeque;
#[cfg(test)]
use std::sync::{
    Arc,
    mpsc::{Receiver, channel},
};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Messages that may wait for one session.
pub(super) const MOST_WAITING: usize = 1_024;

/// Messages to one session, from whoever has some, to whoever serves it at the time.
pub(super) struct Mailbox {
    inbox: Mutex<Inbox>,
    wake: Box<dyn Fn() + Send + Sync>,
}

struct Inbox {
    waiting: VecDeque<Message>,
    /// Whoever reads it will look again.
    is_awake: bool,
    is_closed: bool,
}

/// Why a message was not taken.
#[derive(Debug)]
pub(super) enum Unsent {
    /// Too many wait; here it is again.
    Full(Message),
    /// The session is over.
    Closed,
}

impl Mailbox {
    /// An empty one, whose reader looks into it at first. `wake` is called as the first message comes after
    /// [`take`](Self::take) gave none.
    pub(super) fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        let inbox = Inbox { waiting: VecDeque::new(), is_awake: true, is_closed: false };
        Self { inbox: Mutex::new(inbox), wake: Box::new(wake) }
    }

    /// Hands in a message.
    ///
    /// # Errors
    /// It is not taken.
    pub(super) fn try_send(&self, message: Message) -> Result<(), Unsent> {
        if self.inbox().waiting.len() >= MOST_WAITING {
            return Err(Unsent::Full(message));
        }
        if self.deliver(message) { Ok(()) } else { Err(Unsent::Closed) }
    }

    /// Hands in a message for which there is always room: the answer to what the session asked for. Says whether there
    /// is anybody to read it.
    pub(super) fn deliver(&self, message: Message) -> bool {
        let mut inbox = self.inbox();
        if inbox.is_closed {
            return false;
        }
        inbox.waiting.push_back(message);
        let sleeps = !std::mem::replace(&mut inbox.is_awake, true);
        drop(inbox);
        if sleeps {
            (self.wake)();
        }
        true
    }

    /// The next message. `None`: whoever reads is woken when there is one.
    pub(super) fn take(&self) -> Option<Message> {
        let mut inbox = self.inbox();
        let next = inbox.waiting.pop_front();
        inbox.is_awake = next.is_some();
        next
    }

    /// Takes no more, and drops what waits.
    pub(super) fn close(&self) {
        let mut inbox = self.inbox();
        inbox.is_closed = true;
        drop(std::mem::take(&mut inbox.waiting));
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        // What is done under it does not panic.
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailbox").field("waiting", &self.inbox().waiting.len()).finish_non_exhaustive()
    }
}

/// Reads a mailbox in a test.
#[cfg(test)]
pub(super) struct Reader {
    pub(super) mailbox: Arc<Mailbox>,
    woken: Receiver<()>,
}

#[cfg(test)]
impl Reader {
    pub(super) fn new() -> Self {
        let (wake, woken) = channel();
        let mailbox = Arc::new(Mailbox::new(move || {
            // A test that is over reads nothing.
            let _ = wake.send(());
        }));
        Self { mailbox, woken }
    }

    /// The next message, within a time that nothing here needs.
    pub(super) fn next(&self) -> Message {
        loop {
            match self.mailbox.take() {
                Some(message) => return message,
                None => self.woken.recv_timeout(std::time::Duration::from_secs(30)).expect("something comes"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_reads_is_woken_once_for_all_that_came_since_it_found_nothing() {
        let reader = Reader::new();
        let Reader { mailbox, woken } = &reader;
        mailbox.try_send(Message::Over).unwrap();
        assert!(woken.try_recv().is_err(), "it looks at first without being told");
        assert!(mailbox.take().is_some());
        mailbox.try_send(Message::Over).unwrap();
        assert!(woken.try_recv().is_err(), "it has not slept");
        assert!(mailbox.take().is_some() && mailbox.take().is_none());
        for _ in 0..3 {
            mailbox.try_send(Message::Over).unwrap();
        }
        assert!(woken.try_recv().is_ok() && woken.try_recv().is_err());
    }

    #[test]
    fn a_full_one_takes_answers_alone_and_a_closed_one_nothing() {
        let Reader { mailbox, .. } = Reader::new();
        for _ in 0..MOST_WAITING {
            mailbox.try_send(Message::Over).unwrap();
        }
        assert!(matches!(mailbox.try_send(Message::Over), Err(Unsent::Full(Message::Over))));
        assert!(mailbox.deliver(Message::Over));
        mailbox.close();
        assert!(matches!(mailbox.try_send(Message::Over), Err(Unsent::Closed)));
        assert!(!mailbox.deliver(Message::Over) && mailbox.take().is_none());
    }
}
