//! Bindings that wait to be written: the newest of each user, and of so many users.

use super::PATIENCE;
use super::rows::Rows;
use crate::gateway::StoredBinding;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Users whose bindings may wait. Of one more the oldest are given up, and written at the next refresh.
const MOST: usize = 100_000;
/// Waits after a failure, each longer than the one before.
const WAITS: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(10)];

#[derive(Debug, Default)]
struct Waiting {
    bindings: BTreeMap<String, Vec<StoredBinding>>,
    order: VecDeque<String>,
    /// One is being written.
    busy: bool,
    closed: bool,
}

/// What waits, shared between whoever puts it there and whoever writes it.
#[derive(Debug, Default)]
pub(super) struct Behind {
    waiting: Mutex<Waiting>,
    more: Notify,
    emptied: Notify,
}

impl Behind {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the bindings of a user in the place of those that wait.
    pub(super) fn put(&self, user: String, bindings: Vec<StoredBinding>) {
        let mut waiting = self.waiting();
        if waiting.bindings.insert(user.clone(), bindings).is_none() {
            waiting.order.push_back(user);
        }
        if waiting.order.len() > MOST
            && let Some(oldest) = waiting.order.pop_front()
        {
            waiting.bindings.remove(&oldest);
        }
        drop(waiting);
        self.more.notify_one();
    }

    /// Of how many users something waits, or is being written.
    pub(super) fn count(&self) -> u64 {
        let waiting = self.waiting();
        u64::try_from(waiting.bindings.len()).unwrap_or(u64::MAX) + u64::from(waiting.busy)
    }

    /// Nothing more comes: what waits is written, and then it is over.
    pub(super) fn close(&self) {
        self.waiting().closed = true;
        self.more.notify_one();
    }

    /// Waits until nothing waits.
    pub(super) async fn emptied(&self) {
        loop {
            let notified = self.emptied.notified();
            {
                let waiting = self.waiting();
                if waiting.order.is_empty() && !waiting.busy {
                    return;
                }
            }
            notified.await;
        }
    }

    fn next(&self) -> Option<(String, Vec<StoredBinding>)> {
        let mut waiting = self.waiting();
        let next = loop {
            let Some(user) = waiting.order.pop_front() else { break None };
            if let Some(bindings) = waiting.bindings.remove(&user) {
                break Some((user, bindings));
            }
        };
        waiting.busy = next.is_some();
        next
    }

    /// It could not be written: it waits again, unless something newer does.
    fn put_back(&self, user: String, bindings: Vec<StoredBinding>) {
        let mut waiting = self.waiting();
        if !waiting.bindings.contains_key(&user) {
            waiting.bindings.insert(user.clone(), bindings);
            waiting.order.push_front(user);
        }
    }

    /// Writes what waits, one user after the other, until it is closed and empty.
    pub(super) async fn write(&self, rows: &Rows) {
        let mut failures = 0;
        loop {
            let Some((user, bindings)) = self.next() else {
                self.emptied.notify_waiters();
                if self.waiting().closed {
                    return;
                }
                self.more.notified().await;
                continue;
            };
            let written = match tokio::time::timeout(PATIENCE, rows.keep_bindings(&user, &bindings)).await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
            };
            match written {
                Ok(()) => {
                    if failures > 0 {
                        tracing::info!("the database takes bindings again");
                    }
                    failures = 0;
                }
                Err(error) => {
                    if failures == 0 {
                        tracing::warn!("bindings are not written, and wait: {error}");
                    }
                    self.put_back(user, bindings);
                    if self.waiting().closed {
                        return;
                    }
                    let wait = WAITS.get(failures).or(WAITS.last()).copied().unwrap_or_default();
                    failures += 1;
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_user_the_newest_waits_and_in_the_order_of_the_first() {
        let behind = Behind::default();
        let one = |port: u16| vec![StoredBinding { cseq: port.into(), ..super::super::tests::binding() }];
        behind.put("alice".into(), one(1));
        behind.put("bob".into(), one(2));
        behind.put("alice".into(), one(3));
        let (user, bindings) = behind.next().unwrap();
        assert_eq!((user.as_str(), bindings[0].cseq), ("alice", 3));
        behind.put("alice".into(), one(4));
        behind.put_back(user, bindings);
        assert_eq!(behind.next().unwrap().0, "bob");
        assert_eq!(behind.next().unwrap().1[0].cseq, 4, "what is newer stays");
        assert!(behind.next().is_none());
    }

    #[test]
    fn what_waits_is_bounded() {
        let behind = Behind::default();
        for number in 0..=MOST {
            behind.put(number.to_string(), Vec::new());
        }
        assert_eq!(behind.waiting().bindings.len(), MOST);
        assert_eq!(behind.next().unwrap().0, "1");
    }
}
