//! OPTIONS to trunks: which of them are there (`health.rs` judges), and which of their servers.

use super::health::Presence;
use super::trunks::{TrunkState, TrunkTimer};
use super::{Event, Gateway, Level};
use crate::sip::PingId;
use crate::sip::message::StatusCode;
use crate::types::Now;
use rand::Rng;
use std::time::Duration;

/// Patience with the answer to an OPTIONS: as long as with a silent server before a call is tried elsewhere.
const PATIENCE: Duration = Duration::from_secs(4);
/// The first question, when its address is known.
const FIRST: Duration = Duration::from_secs(2);

impl Gateway {
    /// Sets the time of the next question.
    pub(super) fn schedule_ping(&mut self, now: Now, place: usize) {
        let Some(entry) = self.trunks.entries.get(place) else { return };
        let Some(usual) = entry.trunk.ping else { return };
        let wait = match entry.health.presence() {
            Presence::Unknown if entry.health.next_in(usual) == usual => FIRST.min(usual),
            _ => entry.health.next_in(usual),
        };
        // Many trunks are not asked at one moment.
        let wait = wait.mul_f64(self.random.random_range(0.9..1.0));
        self.trunks.timers.set(TrunkTimer::Ping(place), now.instant + wait);
    }

    pub(super) fn ping_trunk(&mut self, now: Now, place: usize) {
        let Some(entry) = self.trunks.entries.get(place).filter(|_| !self.shutdown.has_begun()) else { return };
        let Some(flow) = entry.targets.best(now.instant) else {
            // Its name is still being looked up.
            return self.schedule_ping(now, place);
        };
        let (uri, route) = self.way_to(now, &entry.trunk, &flow);
        let ping = self.endpoint.ping(now, flow, uri, &route);
        if let Some(entry) = self.trunks.entries.get_mut(place) {
            entry.ping = Some((ping, flow));
        }
        self.trunks.timers.set(TrunkTimer::PingLate(place), now.instant + PATIENCE);
    }

    pub(super) fn on_ping_late(&mut self, now: Now, place: usize) {
        self.on_ping_result(now, place, false, "it does not answer", None);
    }

    pub(super) fn on_pinged(
        &mut self,
        now: Now,
        ping: PingId,
        status: StatusCode,
        retry_after: Option<Duration>,
        reached: bool,
    ) {
        // A late answer to an earlier question has been given up.
        let place = self.trunks.entries.iter().position(|entry| entry.ping.is_some_and(|(asked, _)| asked == ping));
        let Some(place) = place else { return };
        // Any answer shows that it is there, a refusal too; but these say that somebody else did not answer, or that it
        // cannot work.
        let answers = reached && !matches!(status.0, 408 | 503);
        let why =
            if reached { format!("it says {} {}", status.0, status.reason()) } else { "it cannot be reached".into() };
        self.on_ping_result(now, place, answers, &why, retry_after);
    }

    fn on_ping_result(&mut self, now: Now, place: usize, answers: bool, why: &str, retry_after: Option<Duration>) {
        self.trunks.timers.clear(TrunkTimer::PingLate(place));
        let Some(entry) = self.trunks.entries.get_mut(place) else { return };
        let Some((_, flow)) = entry.ping.take() else { return };
        if answers {
            entry.targets.works(&flow);
        } else {
            entry.targets.failed(now.instant, &flow, retry_after);
            if entry.targets.next(now.instant).is_some() {
                // The next of its servers, before the trunk itself is doubted.
                let detail = format!("{}: {} left alone for now: {why}", entry.trunk.name, flow.remote);
                self.log(Level::Warn, None, "trunk", detail);
                return self.ping_trunk(now, place);
            }
        }
        let before = entry.health.presence();
        let change = entry.health.heard(answers);
        let (name, failed) = (entry.trunk.name.clone(), matches!(entry.state, TrunkState::Failed { .. }));
        match change {
            Some(Presence::Up) => {
                self.effects.event(Event::TrunkUp { trunk: name.clone() });
                self.log(Level::Info, None, "trunk up", name);
                if failed || before == Presence::Down {
                    // No need to wait for as long as its silence had taught us to; and one that was away may have
                    // forgotten our binding.
                    self.register_by_best(now, place);
                }
            }
            Some(Presence::Down) => {
                self.log(Level::Warn, None, "trunk down", format!("{name}: {why}"));
                self.effects.event(Event::TrunkDown { trunk: name, why: why.to_owned() });
            }
            _ => {}
        }
        self.schedule_ping(now, place);
    }
}
