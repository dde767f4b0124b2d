//! The servers of a trunk: which is tried next, which are left alone for a while.

use crate::sip::Flow;
use crate::sip::locate::{Candidate, order};
use crate::sip::message::Transport;
use rand::Rng;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// How long a server that failed is left alone, unless it says itself.
const LEFT_ALONE: Duration = Duration::from_secs(60);
/// A server that wants to be left alone for longer is not believed.
const LONGEST: Duration = Duration::from_secs(1_800);
/// Servers of one trunk: more are not kept.
const MOST: usize = 64;

/// The servers of one trunk. Feed it with [`Targets::found`], [`Targets::failed`] and [`Targets::works`]; ask it with
/// [`Targets::next`] (one after the other) or [`Targets::draw`] (all, for one call, in an order of its own, so that
/// calls share the load as RFC 2782 wants it).
#[derive(Debug, Default)]
pub(super) struct Targets {
    candidates: Vec<Candidate<Flow>>,
    ordered: Vec<Flow>,
    dead: Vec<Dead>,
    /// Places of the configuration of which the DNS has not said all so far.
    doubtful: Vec<u16>,
}

/// A server that is left alone.
#[derive(Debug, Clone, Copy)]
struct Dead {
    server: Key,
    until: Instant,
    /// It said so itself.
    asked: bool,
}

type Key = (Transport, SocketAddr);

fn key(flow: &Flow) -> Key {
    (flow.transport, flow.remote)
}

impl Targets {
    /// Takes what a look-up found; an empty answer leaves everything as it was, since the last good one is better than
    /// none, and for places that are in doubt the last one without a doubt stands. Says whether there is anything.
    pub(super) fn found(
        &mut self,
        mut candidates: Vec<Candidate<Flow>>,
        mut doubtful: Vec<u16>,
        random: &mut impl Rng,
    ) -> bool {
        let was_sure = |place: &u16| {
            !self.doubtful.contains(place) && self.candidates.iter().any(|candidate| candidate.rank.0 == *place)
        };
        let kept: Vec<u16> = doubtful.iter().copied().filter(was_sure).collect();
        let is_kept = |candidate: &Candidate<Flow>| kept.contains(&candidate.rank.0);
        candidates.retain(|candidate| !is_kept(candidate));
        candidates.extend(self.candidates.iter().filter(|candidate| is_kept(candidate)).cloned());
        doubtful.retain(|place| !kept.contains(place));
        if candidates.iter().all(|candidate| candidate.targets.is_empty()) {
            return !self.ordered.is_empty();
        }
        self.candidates = candidates;
        self.doubtful = doubtful;
        self.ordered = self.shuffled(random);
        let ordered = &self.ordered;
        self.dead.retain(|dead| ordered.iter().any(|flow| key(flow) == dead.server));
        true
    }

    /// The first that is not left alone.
    pub(super) fn next(&self, now: Instant) -> Option<Flow> {
        self.ordered.iter().find(|flow| !self.is_dead(now, flow)).copied()
    }

    /// The same, or where all are left alone the one whose time is up first: `None` only while no server is known.
    pub(super) fn best(&self, now: Instant) -> Option<Flow> {
        self.next(now).or_else(|| {
            let until = |flow: &&Flow| self.dead.iter().find(|dead| dead.server == key(flow)).map(|dead| dead.until);
            self.ordered.iter().min_by_key(until).copied()
        })
    }

    /// All, in an order drawn for one call, each with whether it is worth trying before other trunks; those left alone
    /// come last.
    pub(super) fn draw(&self, now: Instant, random: &mut impl Rng) -> Vec<(Flow, bool)> {
        let all = self.shuffled(random).into_iter();
        let mut drawn: Vec<_> = all.map(|flow| (flow, !self.is_dead(now, &flow))).collect();
        drawn.sort_by_key(|(_, alive)| !alive);
        drawn
    }

    /// How long a server is still to be left alone because it asked for it.
    pub(super) fn rests(&self, now: Instant, flow: &Flow) -> Option<Duration> {
        let dead = self.dead.iter().find(|dead| dead.asked && dead.server == key(flow))?;
        Some(dead.until.saturating_duration_since(now)).filter(|left| !left.is_zero())
    }

    /// A server failed: it is left alone for a minute, or as long as it asks for.
    pub(super) fn failed(&mut self, now: Instant, flow: &Flow, retry_after: Option<Duration>) {
        let until = now + retry_after.unwrap_or(LEFT_ALONE).min(LONGEST);
        self.works(flow);
        if self.is_ours(flow) {
            self.dead.push(Dead { server: key(flow), until, asked: retry_after.is_some() });
        }
    }

    /// A server works.
    pub(super) fn works(&mut self, flow: &Flow) {
        self.dead.retain(|dead| dead.server != key(flow));
    }

    /// Whether a flow leads to one of them.
    pub(super) fn is_ours(&self, flow: &Flow) -> bool {
        self.ordered.iter().any(|target| key(target) == key(flow))
    }

    /// Their addresses.
    pub(super) fn addresses(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.ordered.iter().map(Flow::peer)
    }

    fn is_dead(&self, now: Instant, flow: &Flow) -> bool {
        self.dead.iter().any(|dead| dead.server == key(flow) && dead.until > now)
    }

    fn shuffled(&self, random: &mut impl Rng) -> Vec<Flow> {
        let mut ordered: Vec<Flow> = Vec::new();
        for flow in order(&self.candidates, random) {
            if ordered.len() < MOST && !ordered.iter().any(|other| key(other) == key(&flow)) {
                ordered.push(flow);
            }
        }
        ordered
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    fn flow(host: u8) -> Flow {
        let at = |last| SocketAddr::from(([192, 0, 2, last], 5060));
        Flow { transport: Transport::Udp, local: at(1), remote: at(host), connection: None }
    }

    fn two() -> Targets {
        let mut targets = Targets::default();
        let candidate = |priority, host| Candidate { rank: (0, 0, priority), weight: 1, targets: vec![flow(host)] };
        assert!(targets.found(vec![candidate(20, 12), candidate(10, 11)], Vec::new(), &mut StdRng::seed_from_u64(1)));
        targets
    }

    #[expect(clippy::disallowed_methods, reason = "some origin for a virtual clock")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_dead_server_is_passed_over_until_its_time_is_up() {
        let (mut targets, now) = (two(), start());
        assert_eq!(targets.next(now), Some(flow(11)));
        targets.failed(now, &flow(11), None);
        assert_eq!(targets.next(now), Some(flow(12)));
        assert_eq!(targets.draw(now, &mut StdRng::seed_from_u64(1)), [(flow(12), true), (flow(11), false)]);
        assert_eq!(targets.rests(now, &flow(11)), None, "it did not ask");
        assert_eq!(targets.next(now + LEFT_ALONE), Some(flow(11)));
    }

    #[test]
    fn a_server_that_says_when_to_come_back_is_believed_within_reason() {
        let (mut targets, now) = (two(), start());
        targets.failed(now, &flow(11), Some(Duration::from_secs(300)));
        assert_eq!(targets.next(now + Duration::from_secs(299)), Some(flow(12)));
        assert_eq!(targets.next(now + Duration::from_secs(300)), Some(flow(11)));
        assert_eq!(targets.rests(now, &flow(11)), Some(Duration::from_secs(300)));
        assert_eq!(targets.rests(now + Duration::from_secs(300), &flow(11)), None);
        targets.failed(now, &flow(11), Some(Duration::from_secs(u64::MAX)));
        assert_eq!(targets.next(now + LONGEST), Some(flow(11)));
    }

    #[test]
    fn where_all_are_dead_the_first_to_come_back_is_the_best() {
        let (mut targets, now) = (two(), start());
        targets.failed(now, &flow(11), Some(Duration::from_secs(90)));
        targets.failed(now, &flow(12), None);
        assert_eq!((targets.next(now), targets.best(now)), (None, Some(flow(12))));
        assert_eq!(targets.draw(now, &mut StdRng::seed_from_u64(1)), [(flow(11), false), (flow(12), false)]);
        targets.works(&flow(11));
        assert_eq!(targets.next(now), Some(flow(11)));
    }

    #[test]
    fn an_empty_answer_keeps_the_last_good_one() {
        let (mut targets, now) = (two(), start());
        assert!(targets.found(Vec::new(), Vec::new(), &mut StdRng::seed_from_u64(1)));
        assert_eq!(targets.next(now), Some(flow(11)));
        assert!(!Targets::default().found(Vec::new(), Vec::new(), &mut StdRng::seed_from_u64(1)));
        assert_eq!(Targets::default().best(now), None);
    }

    #[test]
    fn what_is_in_doubt_does_not_replace_what_was_sure() {
        let mut random = StdRng::seed_from_u64(1);
        let candidate = |place, host| Candidate { rank: (place, 0, 0), weight: 0, targets: vec![flow(host)] };
        let hosts = |targets: &Targets| targets.addresses().map(|ip| ip.to_string()).collect::<Vec<_>>();
        let mut targets = Targets::default();
        // The first answer is taken as it is, there is none better; and so is the next guess.
        targets.found(vec![candidate(0, 11)], vec![0], &mut random);
        targets.found(vec![candidate(0, 12), candidate(1, 21)], vec![0], &mut random);
        assert_eq!(hosts(&targets), ["192.0.2.12", "192.0.2.21"]);
        targets.found(vec![candidate(0, 13), candidate(1, 21)], Vec::new(), &mut random);
        targets.found(vec![candidate(0, 14), candidate(1, 22)], vec![0], &mut random);
        assert_eq!(
            hosts(&targets),
            ["192.0.2.13", "192.0.2.22"],
            "the second host has moved, of the first nothing is known"
        );
        targets.found(vec![candidate(1, 23)], vec![0], &mut random);
        assert_eq!(hosts(&targets), ["192.0.2.13", "192.0.2.23"]);
        targets.found(vec![candidate(0, 15)], Vec::new(), &mut random);
        assert_eq!(hosts(&targets), ["192.0.2.15"]);
    }

    #[test]
    fn an_unknown_source_is_not_remembered() {
        let (mut targets, now) = (two(), start());
        targets.failed(now, &flow(99), None);
        assert!(targets.dead.is_empty() && !targets.is_ours(&flow(99)));
    }
}
