//! Peers that name the host of their media instead of giving its address (RFC 8866 section 5.7): the name is looked up
//! while the call goes on, and sending begins when the address comes.

use super::timer::Timer;
use super::{Call, Gateway, Level, Output};
use crate::types::{CallId, Now};
use std::net::IpAddr;
use std::time::Duration;

/// An answer of the DNS that takes longer is told; it still counts when it comes.
const PATIENCE: Duration = Duration::from_secs(5);

/// A name, and whether an IPv6 address of it is wanted.
type Name = (String, bool);

/// What is known of the host of a call's media.
#[derive(Debug, Default)]
pub(super) struct MediaHost {
    /// A question that is open: one at a time, whatever the peer does.
    asked: Option<Name>,
    /// The answer to the last one.
    known: Option<(Name, IpAddr)>,
    /// Why nothing can be sent to the name that counts now.
    trouble: Option<String>,
}

impl Call {
    /// What people should know of its sound, after it was answered for `talked`.
    pub(super) fn warning(&self, talked: Duration) -> Option<String> {
        // Where sound comes from, there it is sent as well.
        let trouble = self.media.host.trouble.clone().filter(|_| !self.media.heard);
        match (trouble, self.no_sound(talked)) {
            (Some(trouble), Some(no_sound)) => Some(format!("{trouble}; {no_sound}")),
            (trouble, no_sound) => trouble.or(no_sound),
        }
    }
}

impl Gateway {
    /// Puts the address of the name that the peer's description gives into what was negotiated, or asks for it.
    pub(super) fn look_up_media_host(&mut self, now: Now, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(negotiation) = &mut call.media.negotiation else { return };
        let host = &mut call.media.host;
        let Some(wanted) = negotiation.host.as_ref().map(|wanted| (wanted.host.clone(), wanted.ip6)) else {
            host.trouble = None;
            return;
        };
        if let Some((_, address)) = host.known.as_ref().filter(|(known, _)| *known == wanted) {
            host.trouble = None;
            return negotiation.resolved(*address);
        }
        // With the answer to another name this one is looked at again.
        if host.asked.is_none() {
            host.asked = Some(wanted.clone());
            self.effects.timers.set(Timer::MediaHost(id), now.instant + PATIENCE);
            self.effects.output(Output::ResolveHost { call: id, host: wanted.0 });
        }
    }

    /// The answer to [`Output::ResolveHost`].
    pub(super) fn on_host_resolved(&mut self, now: Now, id: CallId, found: Result<Vec<IpAddr>, String>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(asked) = call.media.host.asked.take() else { return };
        self.effects.timers.clear(Timer::MediaHost(id));
        let negotiation = call.media.negotiation.as_ref();
        let is_wanted = negotiation
            .and_then(|negotiation| negotiation.host.as_ref())
            .is_some_and(|wanted| wanted.host == asked.0 && wanted.ip6 == asked.1);
        let family = if asked.1 { "IPv6" } else { "IPv4" };
        let of_family = |addresses: Vec<IpAddr>| {
            let address = addresses.into_iter().find(|address| address.is_ipv6() == asked.1);
            address.ok_or_else(|| format!("it has no {family} address"))
        };
        match found.and_then(of_family) {
            Ok(address) => {
                call.media.host.known = Some((asked, address));
                self.apply_negotiation(now, id);
            }
            Err(why) if is_wanted => self.no_media_host(now, id, why),
            Err(_) => self.look_up_media_host(now, id),
        }
    }

    /// The DNS takes too long.
    pub(super) fn on_media_host_overdue(&mut self, now: Now, id: CallId) {
        self.no_media_host(now, id, format!("no answer for {} s", PATIENCE.as_secs()));
    }

    fn no_media_host(&mut self, now: Now, id: CallId, why: String) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let named = call.media.negotiation.as_ref().and_then(|negotiation| negotiation.host.as_ref());
        let Some(name) = named.map(|named| printable(&named.host)) else { return };
        let trouble = format!("DNS lookup failed for the address of its media, {name}: {why}; nothing is sent there");
        call.media.host.trouble = Some(trouble.clone());
        self.log_limited(now, Level::Warn, Some(id), "one-way sound", || trouble);
    }
}

/// What a peer wrote, for log and record.
fn printable(name: &str) -> String {
    name.chars().filter(char::is_ascii_graphic).take(80).collect()
}
