//! What the gateway asks the world, and nobody waits for: the database, sounds, voices, the DNS.

use super::{Server, now};
use crate::dialplan::{SoundSource, SoundUrl, Trunk};
use crate::gateway::{Audience, Input, Query};
use crate::media::command::{Pcm, StreamSample};
use crate::net::{self, TlsPeer};
use crate::sip::Flow;
use crate::sip::locate::{Candidate, Located};
use crate::speech::{self, Text};
use crate::store::Store;
use crate::types::CallId;
use std::net::IpAddr;
use std::sync::Arc;

/// A sentence of a text that is being said.
pub(super) struct Sentence {
    pub(super) id: u64,
    pub(super) sound: Result<Pcm, String>,
    pub(super) is_last: bool,
}

/// What the DNS was asked for.
pub(super) enum Resolved {
    /// A trunk's servers.
    Trunk { trunk: Arc<Trunk>, found: Located<net::Server> },
    /// A host's addresses.
    Host { call: CallId, host: String, found: Result<Vec<IpAddr>, String> },
}

impl Server {
    /// Asks the database beside the calls.
    pub(super) fn query(&mut self, id: u64, query: Query) {
        if self.store.is_none() {
            match Store::start(&self.plan.gateway.database, self.stored.0.clone()) {
                Ok(store) => self.store = Some(store),
                Err(error) => tracing::error!("no thread for the database: {error}"),
            }
        }
        let asked = self.store.as_ref().map_or_else(|| Err("there is no thread for it".into()), |it| it.ask(id, query));
        if let Err(why) = asked {
            self.gateway.handle_input(now(), Input::QueryDone { id, answer: Err(why) });
        }
    }

    /// Reads or fetches a sound beside the calls.
    pub(super) fn load_sound(&self, id: u64, to: Audience, source: SoundSource) {
        let answer = self.sounds_read.0.clone();
        self.loader.clip(source, &self.plan.gateway.fetch, move |sound| {
            // Where that fails the gateway is gone, and with it who asked.
            let _ = answer.blocking_send(Input::SoundLoaded { id, to, sound });
        });
    }

    /// Fetches a sound beside the calls, for a player that waits for it.
    pub(super) fn stream_sound(&self, id: u64, url: SoundUrl, is_loop: bool, stream: rtrb::Producer<StreamSample>) {
        let answer = self.sounds_read.0.clone();
        self.loader.stream(url, &self.plan.gateway.fetch, is_loop, stream, move |outcome| {
            // Where that fails the gateway is gone, and with it who asked.
            let _ = answer.blocking_send(Input::SoundStreamed { id, outcome });
        });
    }

    /// Has a text said beside the calls.
    pub(super) fn synthesize(&mut self, id: u64, who: speech::For, language: String, text: String) {
        let answer = self.spoken.0.clone();
        let deliver = move |(sound, is_last): speech::synthesis::Piece| {
            let sound = sound.map(speech::Sound::into_pcm).map_err(|error| error.to_string());
            // Where that fails the gateway is gone, and with it who asked.
            answer.blocking_send(Sentence { id, sound, is_last }).is_ok()
        };
        let text = Text { language, text, rate: speech::SPEECH_RATE };
        let queued = match &self.speaker {
            Some(speaker) => speaker.queue(who, text, deliver).map_err(|error| error.to_string()),
            None => Err("this gateway has no speaker; the log says why".to_owned()),
        };
        match queued {
            Ok(saying) => drop(self.sayings.insert(id, saying)),
            Err(why) => self.gateway.handle_input(now(), Input::Sound { id, sound: Err(why), is_last: true }),
        }
    }

    pub(super) fn resolve(&self, name: &str) {
        let Some(trunk) = self.plan.trunk(name).map(Arc::clone) else { return };
        let (resolver, answer) = (self.resolver.clone(), self.resolved.0.clone());
        tokio::spawn(async move {
            let found = resolver.locate(&trunk).await;
            // Where that fails the gateway is gone, and with it who asked.
            let _ = answer.send(Resolved::Trunk { trunk, found }).await;
        });
    }

    pub(super) fn resolve_host(&self, call: CallId, host: String) {
        let (resolver, answer) = (self.resolver.clone(), self.resolved.0.clone());
        tokio::spawn(async move {
            let found = resolver.host(&host).await;
            let _ = answer.send(Resolved::Host { call, host, found }).await;
        });
    }

    pub(super) fn on_resolved(&mut self, resolved: Resolved) {
        let (trunk, found) = match resolved {
            Resolved::Trunk { trunk, found } => (trunk, found),
            Resolved::Host { call, host, found } => {
                return self.gateway.handle_input(now(), Input::HostResolved { call, host, found });
            }
        };
        if !self.plan.trunk(&trunk.name).is_some_and(|now| now.is_reached_as(&trunk)) {
            // It is reached in another way since a reload, which has asked for itself.
            return;
        }
        let Located { candidates, lifetime, doubtful, mut trouble } = found;
        let had_any = !candidates.is_empty();
        let flows = |candidate: Candidate<net::Server>| {
            let flows = candidate.targets.into_iter().filter_map(|server| {
                let peer = TlsPeer { name: trunk.tls.name.clone().unwrap_or(server.name), settings: trunk.tls.clone() };
                let flow = self.transports.flow_to(server.transport, server.address, Some(&peer));
                flow.map_err(|error| tracing::debug!(trunk = %trunk.name, %error, "server passed over")).ok()
            });
            let targets: Vec<Flow> = flows.collect();
            (!targets.is_empty()).then_some(Candidate { rank: candidate.rank, weight: candidate.weight, targets })
        };
        let candidates: Vec<_> = candidates.into_iter().filter_map(flows).collect();
        if had_any && candidates.is_empty() {
            trouble.get_or_insert_with(|| "none of its servers can be reached from the addresses in `sip`".to_owned());
        }
        let found = Located { candidates, lifetime, doubtful, trouble };
        let input = Input::Resolved { trunk: trunk.name.clone(), found };
        self.gateway.handle_input(now(), input);
    }
}
