//! Where a trunk is reached, and which target is next.

use crate::dialplan::{SrtpPolicy, Trunk};
use crate::gateway::call::Phase;
use crate::gateway::call_record::Tried;
use crate::gateway::outgoing::Target;
use crate::gateway::peer::{Peer, Peers};
use crate::gateway::trunks::Trunks;
use crate::gateway::{Gateway, Output, TransportKind};
use crate::sip::Flow;
use crate::types::{CallId, Now};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

impl Gateway {
    /// All targets of `trunks`, in the order they are tried: trunk by trunk, each one's servers as drawn for this call.
    /// Trunks that are down, and servers that failed a moment ago, come behind all others.
    pub(super) fn targets(&mut self, now: Now, trunks: &[Arc<Trunk>]) -> VecDeque<Target> {
        let (mut good, mut doubtful) = (Vec::new(), Vec::new());
        for trunk in trunks {
            let is_up = self.trunks.is_up(&trunk.name);
            let mut drawn = self.trunks.draw(now.instant, &trunk.name, &mut self.random);
            // Where the registrar says which way calls go, they go by the server that holds our binding.
            drawn.sort_by_key(|(flow, alive)| (!alive, self.service_route(now, &trunk.name, flow).is_empty()));
            for (flow, alive) in drawn {
                // One that asked to be left alone is not tried at all, and stays in its place for the record.
                let asked = self.trunks.rests(now.instant, &trunk.name, &flow).is_some();
                let list = if is_up && (alive || asked) { &mut good } else { &mut doubtful };
                list.push(Target::new(trunk, flow));
            }
        }
        good.into_iter().chain(doubtful).collect()
    }
}

/// What decides which target is next.
pub(super) struct Choice<'a> {
    pub(super) now: Instant,
    pub(super) trunks: &'a Trunks,
    pub(super) peers: &'a Peers,
}

impl Choice<'_> {
    /// Takes the next target that may be tried now; those that may not are noted with the rule that says so. `counted`:
    /// the peer among whose calls this one is counted already.
    pub(super) fn next(
        &self,
        counted: Option<&Peer>,
        targets: &mut VecDeque<Target>,
        passed: &mut Vec<Tried>,
    ) -> Option<Target> {
        while let Some(target) = targets.pop_front() {
            let name = &target.trunk.name;
            let mut passed_over = |target: Option<SocketAddr>, outcome: String| {
                passed.push(Tried { trunk: name.clone(), target, outcome });
            };
            if let Some(left) = self.trunks.rests(self.now, name, &target.flow) {
                let outcome = format!("trunk {name} asked to be left alone for another {} s", left.as_secs().max(1));
                passed_over(Some(target.flow.remote), outcome);
                continue;
            }
            if target.trunk.srtp == SrtpPolicy::Required && !target.trunk.speaks_srtp(target.flow.transport.is_secure())
            {
                let outcome = format!("trunk {name} requires SRTP, and keys would go over unencrypted signalling");
                passed_over(Some(target.flow.remote), outcome);
                continue;
            }
            if counted.is_none_or(|counted| counted.name() != name)
                && let Some((_, rule)) = self.peers.limit(self.now, &Peer::Trunk(Arc::clone(&target.trunk)), 0)
            {
                passed_over(None, rule);
                targets.retain(|other| other.trunk.name != *name);
                continue;
            }
            return Some(target);
        }
        None
    }
}

impl Gateway {
    /// What decides which target is next.
    pub(super) fn choice(&self, now: Now) -> Choice<'_> {
        Choice { now: now.instant, trunks: &self.trunks, peers: &self.admission.peers }
    }

    /// Turns to the next target. Says whether there is one.
    pub(super) fn try_next(&mut self, now: Now, id: CallId) -> bool {
        let choice = Choice { now: now.instant, trunks: &self.trunks, peers: &self.admission.peers };
        let Some(call) = self.calls.get_mut(&id) else { return false };
        let Phase::Dialling(outgoing) = &mut call.phase else { return false };
        let Some(next) = choice.next(Some(&call.peer), &mut outgoing.targets, &mut call.tried) else { return false };
        let here = std::mem::replace(&mut outgoing.target, next);
        let next = &outgoing.target;
        let seen = |flow: &Flow| self.trunks.own_addresses.towards(flow.peer(), flow.local.ip());
        // Ports stay as they are where the next one may be told the same: keys that one trunk has seen are not shown to
        // another.
        let same_ports = here.flow.local.ip() == next.flow.local.ip()
            && seen(&here.flow) == seen(&next.flow)
            && (here.trunk.name == next.trunk.name
                || call.media.local.as_ref().is_some_and(|local| local.srtp.is_none()))
            && call.peer.media().speaks_srtp(call.is_private)
                == next.trunk.speaks_srtp(next.flow.transport.is_secure());
        call.remote = next.flow.remote;
        call.is_private = next.flow.transport.is_secure();
        outgoing.rang_here = false;
        // It was the last one's, of why it did not take the call.
        call.reason = None;
        if next.trunk.name != call.peer.name() {
            self.admission.peers.call_over(&call.peer);
            call.peer = Peer::Trunk(Arc::clone(&next.trunk));
            if let Some(local) = &mut call.media.local {
                local.codecs = call.peer.codecs();
            }
            self.admission.peers.call_began(now.instant, &call.peer);
        }
        if same_ports && call.media.local.is_some() {
            self.send_invite(now, id);
        } else {
            call.media.local = None;
            let local = next.flow.local.ip();
            self.effects.output(Output::CloseTransport { call: id });
            self.effects.output(Output::OpenTransport { call: id, kind: TransportKind::Rtp, local });
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialplan::{Trusting, parse};
    use crate::sip::message::Transport;

    #[test]
    fn targets_of_a_full_trunk_are_passed_over_once_with_the_rule_that_says_so() {
        let text = "[trunks.a]\naddress = \"192.0.2.1\"\nmax_calls = 1\n[trunks.b]\naddress = \"192.0.2.2\"\n\
                    [[routes]]\nname = \"R\"\nfrom = \"a\"\nnumber = \"1\"\nroom = \"r\"\n";
        let plan = parse("dialplan.toml", text, &Trusting).unwrap().plan;
        let (now, mut peers) = (crate::test_clock(), Peers::new(&plan));
        let target = |trunk: &str, remote: &str| {
            let (local, remote) = ("192.0.2.100:5060".parse().unwrap(), remote.parse().unwrap());
            Target::new(plan.trunk(trunk).unwrap(), Flow { transport: Transport::Udp, local, remote, connection: None })
        };
        let all = || {
            VecDeque::from([
                target("a", "192.0.2.1:5060"),
                target("a", "192.0.2.1:5070"),
                target("b", "192.0.2.2:5060"),
            ])
        };
        let full = Peer::Trunk(Arc::clone(plan.trunk("a").unwrap()));
        peers.call_began(now, &full);
        let choice = Choice { now, trunks: &Trunks::default(), peers: &peers };
        let (mut targets, mut passed) = (all(), Vec::new());
        assert_eq!(choice.next(None, &mut targets, &mut passed).unwrap().trunk.name, "b");
        assert_eq!(passed.len(), 1);
        assert_eq!(passed[0].outcome, "trunks.a.max_calls = 1 is reached");
        let own = choice.next(Some(&full), &mut all(), &mut passed).unwrap();
        assert_eq!((own.trunk.name.as_str(), passed.len()), ("a", 1), "the call is one of those that are counted");
    }
}
