//! What is wrong with TLS to a trunk's servers: told once, shown in the status, and written into the records of calls
//! that fail by it.

use super::trunks::{Entry, Trunks};
use super::{Gateway, Level};
use crate::sip::Flow;

impl Entry {
    /// What is wrong with the way to it, in words; empty when all is well.
    pub(super) fn troubles(&self) -> String {
        let current = self.no_tls.iter().filter(|(flow, _)| self.targets.is_ours(flow));
        let tls = current.map(|(flow, why)| format!("no TLS with {}: {why}", flow.remote));
        self.trouble.clone().into_iter().chain(tls).collect::<Vec<_>>().join("; ")
    }

    /// Takes note of how a connection to one of its servers went. Says whether that is news.
    fn note_tls(&mut self, flow: &Flow, why: Option<&str>) -> bool {
        let known = self.no_tls.iter().position(|(known, _)| known == flow);
        let before = known.and_then(|at| self.no_tls.get(at)).map(|(_, why)| why.as_str());
        if before == why {
            return false;
        }
        let targets = &self.targets;
        self.no_tls.retain(|(known, _)| known != flow && targets.is_ours(known));
        self.no_tls.extend(why.map(|why| (*flow, why.to_owned())));
        true
    }
}

impl Trunks {
    /// Why there was no TLS with a server of a trunk when it was last tried.
    pub(super) fn no_tls(&self, name: &str, flow: &Flow) -> Option<&str> {
        let entry = self.named(name)?;
        let same = |known: &Flow| known.remote == flow.remote && known.connection == flow.connection;
        entry.no_tls.iter().find(|(known, _)| same(known)).map(|(_, why)| why.as_str())
    }

    /// Takes note of how a connection went. Says to whose servers, by name, where that is news.
    fn note_tls(&mut self, flow: &Flow, why: Option<&str>) -> Vec<String> {
        let concerned = self.entries.iter_mut().filter(|entry| entry.targets.is_ours(flow));
        concerned.filter_map(|entry| entry.note_tls(flow, why).then(|| entry.trunk.name.clone())).collect()
    }
}

impl Gateway {
    /// A connection that we open has begun TLS, or has not, and why.
    pub(super) fn on_tls(&mut self, flow: &Flow, why: Option<&str>) {
        for trunk in self.trunks.note_tls(flow, why) {
            let remote = flow.remote;
            match why {
                Some(why) => self.log(Level::Warn, None, "trunk", format!("{trunk}: no TLS with {remote}: {why}")),
                None => self.log(Level::Info, None, "trunk", format!("{trunk}: TLS with {remote} works again")),
            }
        }
    }
}
