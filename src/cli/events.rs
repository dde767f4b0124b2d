//! `partyline ctl events`: the last events are kept, and followers read at their own pace.

use super::wire::ShellReply;
use crate::gateway::{Event, TimedEvent};
use crate::http::Followed;
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::broadcast::{self, error::RecvError};

/// Events that are kept.
const KEPT: usize = 256;
/// Events that a follower may lag behind. It loses those beyond, and is told how many.
const LARGEST_LAG: usize = 1_024;

/// A follower was too slow for so many events, the oldest of those it had not read.
#[derive(Debug, Serialize)]
#[serde(rename = "missed", tag = "event")]
struct Missed {
    count: u64,
}

/// The last events, and those who follow. Nothing here ever waits for a follower.
#[derive(Debug)]
pub(super) struct Events {
    last: VecDeque<Arc<TimedEvent>>,
    followers: broadcast::Sender<Arc<TimedEvent>>,
}

impl Default for Events {
    fn default() -> Self {
        Self { last: VecDeque::with_capacity(KEPT), followers: broadcast::Sender::new(LARGEST_LAG) }
    }
}

impl Events {
    /// Keeps an event and passes it on to whoever follows.
    pub(super) fn push(&mut self, at: SystemTime, event: Event) {
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        let event = Arc::new(TimedEvent { at, event });
        if self.followers.receiver_count() > 0 {
            // It fails only when the last follower has just left.
            let _ = self.followers.send(Arc::clone(&event));
        }
        self.last.push_back(event);
    }

    /// How many follow.
    #[cfg(test)]
    pub(super) fn followers(&self) -> usize {
        self.followers.receiver_count()
    }

    /// The same for a client of the HTTP server, who goes on with those that come.
    pub(super) fn follow(&self, last: usize) -> Followed {
        let skipped = self.last.len().saturating_sub(last);
        Followed { last: self.last.iter().skip(skipped).cloned().collect(), new: self.followers.subscribe() }
    }

    /// The last `last` events that are kept, oldest first (all by default); with `follow` all that come after them too.
    pub(super) fn read(&self, last: Option<usize>, follow: bool) -> EventReader {
        let skipped = self.last.len().saturating_sub(last.unwrap_or(KEPT));
        EventReader {
            last: self.last.iter().skip(skipped).cloned().collect(),
            new: follow.then(|| self.followers.subscribe()),
        }
    }
}

/// Events for one client of the control socket.
#[derive(Debug)]
pub(super) struct EventReader {
    last: VecDeque<Arc<TimedEvent>>,
    /// Of a follower.
    new: Option<broadcast::Receiver<Arc<TimedEvent>>>,
}

impl EventReader {
    /// Whether it goes on until the gateway ends.
    pub(super) const fn follows(&self) -> bool {
        self.new.is_some()
    }

    /// The next event; `None` after the last.
    pub(super) async fn next(&mut self) -> Option<ShellReply> {
        let event = match self.last.pop_front() {
            Some(event) => serde_json::to_value(&*event),
            None => match self.new.as_mut()?.recv().await {
                Ok(event) => serde_json::to_value(&*event),
                Err(RecvError::Lagged(count)) => serde_json::to_value(Missed { count }),
                Err(RecvError::Closed) => return None,
            },
        };
        Some(event.map_or_else(|error| ShellReply::Error(error.to_string()), ShellReply::Event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(events: &mut Events, numbers: impl Iterator<Item = usize>) {
        numbers.for_each(|calls| events.push(SystemTime::UNIX_EPOCH, Event::Draining { calls }));
    }

    /// The numbers of all events, and how many were missed.
    async fn read(mut reader: EventReader) -> (Vec<u64>, u64) {
        let (mut numbers, mut missed) = (Vec::new(), 0);
        while let Some(line) = reader.next().await {
            let ShellReply::Event(event) = line else { panic!("{line:?}") };
            numbers.extend(event["calls"].as_u64());
            missed += event["count"].as_u64().unwrap_or(0);
        }
        (numbers, missed)
    }

    #[tokio::test]
    async fn the_last_events_are_kept_and_a_follower_goes_on_from_them_without_a_gap() {
        let mut events = Events::default();
        push(&mut events, 0..300);
        let (all, some, none) = (events.read(None, false), events.read(Some(2), true), events.read(Some(0), true));
        push(&mut events, 300..303);
        drop(events);
        assert_eq!(read(all).await, ((44..300).collect(), 0));
        assert_eq!(read(some).await, (vec![298, 299, 300, 301, 302], 0));
        assert_eq!(read(none).await, (vec![300, 301, 302], 0));
    }

    #[tokio::test]
    async fn a_slow_follower_loses_the_oldest_events_and_is_told_how_many() {
        let mut events = Events::default();
        let slow = events.read(None, true);
        push(&mut events, 0..3_000);
        drop(events);
        let (numbers, missed) = read(slow).await;
        assert_eq!((missed, numbers), (1_976, (1_976..3_000).collect()));
    }
}
