//! Trunks at the start and after a reload: of each, only what its changed settings ask for is begun anew.

use super::trunks::{Entry, TrunkTimer};
use super::{Gateway, Level, Output};
use crate::dialplan::Plan;
use crate::sip::RegistrationId;
use crate::types::Now;
use std::sync::Arc;

impl Gateway {
    pub(super) fn start_trunks(&mut self, now: Now) {
        self.apply_plan(now, Vec::new());
    }

    /// After a reload: of each trunk, only what its changed settings ask for is begun anew. Its servers are looked for
    /// again where it is reached in another way, its binding is made again where that or an account has changed.
    /// Bindings of trunks that are gone are given up.
    pub(super) fn refresh_trunks(&mut self, now: Now) {
        self.advertise_addresses();
        if self.shutdown.has_begun() {
            // No trunk is to send calls here any more.
            return;
        }
        let before = std::mem::take(&mut self.trunks.entries);
        let timers = std::mem::take(&mut self.trunks.timers);
        let places = before.iter().enumerate();
        let reconnecting: Vec<_> = places
            .filter_map(|(place, entry)| Some((entry.registration?, timers.get(TrunkTimer::Reconnect(place))?)))
            .collect();
        // Whoever was known by a certificate is not any more where the trunk judges certificates in another way.
        let plan = &self.plan;
        let judges_as_before = |name: &str| {
            let before = before.iter().find(|entry| entry.trunk.name == name);
            plan.trunk(name).zip(before).is_some_and(|(trunk, before)| trunk.tls == before.trunk.tls)
        };
        self.trunks.keep_certified(judges_as_before);
        for registration in self.apply_plan(now, before) {
            let result = self.endpoint.unregister(now, registration);
            if let Err(error) = result {
                self.log(Level::Debug, None, "unregister", error.to_string());
            }
        }
        for place in 0..self.trunks.entries.len() {
            // Another account at servers that are known.
            self.start_registration(now, place);
            let Some(entry) = self.trunks.entries.get(place) else { continue };
            let known = entry.registration.zip(entry.contact_address);
            if known.is_some_and(|(id, told)| self.endpoint.registered_contact_address(id) != Some(told)) {
                // Its registrar would send calls to an address that is not ours any more.
                self.register_by_best(now, place);
            }
        }
        for (registration, at) in reconnecting {
            if let Some((place, _)) = self.trunks.by_registration(registration) {
                self.trunks.timers.set(TrunkTimer::Reconnect(place), at);
            }
        }
    }

    /// Makes the entries that the plan asks for, of those there were as far as they still fit. Gives back the
    /// registrations that do not.
    fn apply_plan(&mut self, now: Now, mut before: Vec<Entry>) -> Vec<RegistrationId> {
        let mut given_up = Vec::new();
        let plan: Arc<Plan> = Arc::clone(&self.plan);
        for (place, trunk) in plan.trunks.iter().enumerate() {
            let same = before.iter().position(|entry| entry.trunk.name == trunk.name);
            let entry = match same.map(|at| before.swap_remove(at)) {
                None => Entry::new(trunk),
                Some(entry) => {
                    let (entry, registration) = entry.adapt(trunk);
                    given_up.extend(registration);
                    entry
                }
            };
            self.trunks.entries.push(entry);
            self.schedule_ping(now, place);
            if !trunk.address.is_empty() {
                self.effects.output(Output::Resolve { trunk: trunk.name.clone() });
            }
        }
        self.advertise_addresses();
        given_up.extend(before.into_iter().filter_map(|entry| entry.registration));
        given_up
    }
}
