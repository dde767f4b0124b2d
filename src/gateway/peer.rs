//! Who a peer is: decided once, when its request is admitted or when we choose whom to call, and kept by the call.
//!
//! The endpoint carries the decision from its [`Policy`](sip::Policy) to the event of the new call as a [`PeerId`];
//! [`Peers`] knows whom it means.

mod user;

pub(super) use user::{User, UserTerms};

use super::InvitedTo;
use crate::dialplan::number::NumberRules;
use crate::dialplan::{DigitTransport, NumberSource, Origin, Plan, ReliableProvisional, SrtpPolicy, Trunk};
use crate::media::command::VoiceProcessing;
use crate::sdp::LocalSrtp;
use crate::sip::message::StatusCode;
use crate::sip::{self, Admitted, PeerId};
use crate::types::{CodecPolicy, IdMap, Network, SrtpKey, SrtpSuite};
use rand::RngCore;
use rand::rngs::StdRng;
use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a limit on calls per second counts over.
const SECOND: Duration = Duration::from_secs(1);

/// Somebody who calls us, or whom we call, with all that is settled between us.
#[derive(Debug, Clone)]
pub(super) enum Peer {
    /// A trunk, as the call's dialplan has it.
    Trunk(Arc<Trunk>),
    /// A user, with the terms that the call's dialplan has for users.
    User(Arc<User>),
    /// Somebody without SIP, whom an administrator's program let in; what holds for users holds here.
    Guest(Arc<User>),
}

/// All guests are counted together.
const GUESTS: &str = "guests";

impl Peer {
    /// A guest of that name.
    pub(super) fn guest(plan: &Plan, name: String) -> Self {
        let terms = UserTerms::of(plan);
        Self::Guest(Arc::new(User { name, display_name: None, max_calls: u32::MAX, invited_to: None, terms }))
    }

    /// Its name, which is its own among peers of its kind.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Trunk(trunk) => &trunk.name,
            Self::User(user) => &user.name,
            Self::Guest(_) => GUESTS,
        }
    }

    /// The trunk's name in status and record; empty for others.
    pub(super) fn trunk_name(&self) -> &str {
        if let Self::Trunk(trunk) = self { &trunk.name } else { "" }
    }

    /// The user's name in status and record; empty for others.
    pub(super) fn user_name(&self) -> &str {
        if let Self::User(user) = self { &user.name } else { "" }
    }

    /// The invitation that it is a user by, and the only room that it may call.
    pub(super) fn invited_to(&self) -> Option<&InvitedTo> {
        if let Self::User(user) = self { user.invited_to.as_ref() } else { None }
    }

    /// What it is and its name, for the log.
    pub(super) fn label(&self) -> String {
        match self {
            Self::Trunk(trunk) => format!("trunk {}", trunk.name),
            Self::User(user) => format!("user {}", user.name),
            Self::Guest(guest) => format!("guest {}", guest.name),
        }
    }

    /// What wrong PINs of its callers are counted under, beside the caller's number.
    pub(super) fn guesser(&self) -> Cow<'_, str> {
        match self {
            Self::Trunk(trunk) => Cow::Borrowed(&trunk.name),
            Self::User(_) | Self::Guest(_) => Cow::Owned(self.label()),
        }
    }

    /// Whether both are one.
    pub(super) fn is(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other) && self.name() == other.name()
    }

    /// What its setting of that name is called, in words for log and record.
    pub(super) fn setting(&self, key: &str) -> String {
        match self {
            Self::Trunk(trunk) => format!("trunks.{}.{key}", trunk.name),
            Self::User(user) => format!("users.{}.{key}", user.name),
            Self::Guest(_) => format!("{GUESTS}.{key}"),
        }
    }

    /// Where its calls come from, as routes have it.
    pub(super) fn origin(&self) -> Origin {
        match self {
            Self::Trunk(trunk) => Origin::Trunk(trunk.name.as_str().into()),
            Self::User(_) => Origin::Users,
            // No route is asked.
            Self::Guest(_) => Origin::Sessions,
        }
    }

    /// What it can have of SIP: session timers, reliable responses, REFER, Replaces.
    pub(super) fn terms(&self) -> sip::Terms {
        match self {
            Self::Trunk(trunk) => sip::Terms {
                session_expires: Some(trunk.session_timer.expires),
                min_session_expires: trunk.session_timer.min,
                reliable_provisional: match trunk.reliable {
                    ReliableProvisional::Never => sip::ReliableProvisional::Never,
                    ReliableProvisional::WhenRequired => sip::ReliableProvisional::WhenRequired,
                    ReliableProvisional::WhenSupported => sip::ReliableProvisional::WhenSupported,
                },
                refer: trunk.refer,
                messages: false,
                replaces: trunk.replaces,
            },
            Self::User(_) | Self::Guest(_) => User::sip_terms(),
        }
    }

    /// How media is exchanged with it.
    pub(super) fn media(&self) -> MediaPolicy<'_> {
        match self {
            Self::Trunk(trunk) => MediaPolicy {
                networks: &trunk.media,
                timeout: trunk.media_timeout,
                srtp: trunk.srtp,
                srtp_keys_in_clear: trunk.srtp_keys_in_clear,
                digits: trunk.digits,
                processing: VoiceProcessing {
                    automatic_gain: trunk.automatic_gain,
                    noise_suppression: trunk.noise_suppression,
                },
            },
            Self::User(_) | Self::Guest(_) => User::media(),
        }
    }

    /// Which codecs are spoken with it.
    pub(super) fn codecs(&self) -> CodecPolicy {
        match self {
            Self::Trunk(trunk) => trunk.codecs.clone(),
            Self::User(user) | Self::Guest(user) => user.terms.codecs.clone(),
        }
    }

    /// Whether it is believed when it asserts who calls (RFC 3325).
    pub(super) fn is_trusted(&self) -> bool {
        match self {
            Self::Trunk(trunk) => trunk.identity.trusted,
            Self::User(_) | Self::Guest(_) => false,
        }
    }

    /// How its numbers are read.
    pub(super) fn numbers(&self) -> &NumberRules {
        match self {
            Self::Trunk(trunk) => &trunk.numbers,
            Self::User(user) | Self::Guest(user) => &user.terms.numbers,
        }
    }

    /// A normalised number as it wants numbers written.
    pub(super) fn written(&self, number: &str) -> String {
        match self {
            Self::Trunk(trunk) => trunk.numbers.written(number, trunk.identity.format),
            Self::User(_) | Self::Guest(_) => number.to_owned(),
        }
    }

    /// Where it puts the called number, the first place first.
    pub(super) fn number_from(&self) -> &[NumberSource] {
        match self {
            Self::Trunk(trunk) => &trunk.number_from,
            Self::User(_) | Self::Guest(_) => &user::NUMBER_FROM,
        }
    }

    /// The address of ours that it must see, if it has one of its own.
    pub(super) fn public_address(&self) -> Option<IpAddr> {
        match self {
            Self::Trunk(trunk) => trunk.public_address,
            Self::User(_) | Self::Guest(_) => None,
        }
    }

    fn limits(&self) -> CallLimits {
        match self {
            Self::Trunk(trunk) => CallLimits {
                calls: trunk.max_calls,
                calls_per_second: trunk.max_calls_per_second.map(|most| most as usize),
            },
            Self::User(user) | Self::Guest(user) => user.limits(),
        }
    }
}

/// How media is exchanged with a peer.
#[derive(Debug, Clone, Copy)]
pub(super) struct MediaPolicy<'a> {
    /// Where its media comes from. Empty: from where its signalling comes, or its SDP says.
    pub(super) networks: &'a [Network],
    /// After so long without a packet it counts as gone.
    pub(super) timeout: Duration,
    pub(super) srtp: SrtpPolicy,
    srtp_keys_in_clear: bool,
    /// How it wants digits sent.
    pub(super) digits: DigitTransport,
    /// What is done to the sound of its callers.
    pub(super) processing: VoiceProcessing,
}

impl MediaPolicy<'_> {
    /// Whether SRTP is spoken with it over signalling that is encrypted or is not.
    pub(super) fn speaks_srtp(&self, signalling_is_secure: bool) -> bool {
        self.srtp != SrtpPolicy::Off && (signalling_is_secure || self.srtp_keys_in_clear)
    }
}

impl MediaPolicy<'_> {
    /// Keys of ours for a call, as its peer wants it and its signalling allows.
    pub(super) fn fresh_srtp(&self, signalling_is_secure: bool, random: &mut StdRng) -> Option<LocalSrtp> {
        self.speaks_srtp(signalling_is_secure).then(|| LocalSrtp {
            required: self.srtp == SrtpPolicy::Required,
            keys: SrtpSuite::ALL.map(|suite| fresh_key(suite, random)).to_vec(),
        })
    }
}

/// A key that nobody has used.
pub(super) fn fresh_key(suite: SrtpSuite, random: &mut StdRng) -> SrtpKey {
    SrtpKey::random(suite, |octets| random.fill_bytes(octets))
}

/// How many calls a peer may have. `None`: as many as it likes.
#[derive(Debug, Clone, Copy)]
struct CallLimits {
    calls: Option<u32>,
    calls_per_second: Option<usize>,
}

/// One peer and its calls.
#[derive(Debug)]
struct Entry {
    /// As the dialplan of today has it; a call keeps what it began with.
    peer: Peer,
    /// The dialplan of today has it.
    is_configured: bool,
    /// Calls in progress, those being set up and ended included.
    calls: u32,
    /// When the latest calls began, where calls per second are limited; as many as that limit.
    begun: VecDeque<Instant>,
}

/// All peers: trunks and users there are, and those that are gone and still have calls.
#[derive(Debug, Default)]
pub(super) struct Peers {
    entries: IdMap<PeerId, Entry>,
    trunks: HashMap<String, PeerId>,
    users: HashMap<String, PeerId>,
    guests: HashMap<String, PeerId>,
    last: u64,
}

impl Peers {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut peers = Self::default();
        peers.set_plan(plan);
        peers
    }

    /// Takes the trunks of a plan that was read anew. A peer that is still there keeps its calls, and its limits count
    /// on.
    pub(super) fn set_plan(&mut self, plan: &Plan) {
        for entry in self.entries.values_mut().filter(|entry| matches!(entry.peer, Peer::Trunk(_))) {
            entry.is_configured = false;
        }
        for trunk in &plan.trunks {
            let entry = self.put(Peer::Trunk(Arc::clone(trunk)));
            if trunk.max_calls_per_second.is_none() {
                entry.begun = VecDeque::new();
            }
        }
        self.forget_gone();
    }

    /// Takes all users there are; those before them are gone.
    pub(super) fn set_users(&mut self, users: impl IntoIterator<Item = Arc<User>>) {
        for entry in self.entries.values_mut().filter(|entry| matches!(entry.peer, Peer::User(_))) {
            entry.is_configured = false;
        }
        for user in users {
            self.put(Peer::User(user));
        }
        self.forget_gone();
    }

    /// Takes one more user.
    pub(super) fn add_user(&mut self, user: &Arc<User>) {
        self.put(Peer::User(Arc::clone(user)));
    }

    /// A user is gone, and forgotten after the last call.
    pub(super) fn remove_user(&mut self, name: &str) {
        let Some(&id) = self.users.get(name) else { return };
        let Some(entry) = self.entries.get_mut(&id) else { return };
        entry.is_configured = false;
        if entry.calls == 0 {
            self.entries.remove(&id);
            self.users.remove(name);
        }
    }

    fn forget_gone(&mut self) {
        self.entries.retain(|_, entry| entry.is_configured || entry.calls > 0);
        self.trunks.retain(|_, id| self.entries.contains_key(id));
        self.users.retain(|_, id| self.entries.contains_key(id));
    }

    /// A trunk of the dialplan as the endpoint is to know it.
    pub(super) fn admit(&self, trunk: &str) -> Option<Admitted> {
        self.admitted(*self.trunks.get(trunk)?)
    }

    /// A user as the endpoint is to know it.
    pub(super) fn admit_user(&self, name: &str) -> Option<Admitted> {
        self.admitted(*self.users.get(name)?)
    }

    fn admitted(&self, id: PeerId) -> Option<Admitted> {
        let entry = self.entries.get(&id).filter(|entry| entry.is_configured)?;
        let may_register = matches!(entry.peer, Peer::User(_));
        Some(Admitted { peer: id, terms: Some(entry.peer.terms()), may_register })
    }

    /// Whom the endpoint means.
    pub(super) fn get(&self, id: PeerId) -> Option<&Peer> {
        self.entries.get(&id).map(|entry| &entry.peer)
    }

    /// Counts a call that begins.
    pub(super) fn call_began(&mut self, now: Instant, peer: &Peer) {
        let most = peer.limits().calls_per_second;
        let entry = self.enter(peer);
        entry.calls += 1;
        if let Some(most) = most {
            entry.begun.push_back(now);
            while entry.begun.len() > most {
                entry.begun.pop_front();
            }
        }
    }

    /// Counts a call that is over.
    pub(super) fn call_over(&mut self, peer: &Peer) {
        let Some(id) = self.id_of(peer) else { return };
        let Some(entry) = self.entries.get_mut(&id) else { return };
        entry.calls = entry.calls.saturating_sub(1);
        if entry.calls == 0 && !entry.is_configured {
            self.entries.remove(&id);
            self.names_mut(peer).remove(peer.name());
        }
    }

    /// Calls in progress with a trunk.
    pub(super) fn calls_with(&self, trunk: &str) -> u32 {
        self.trunks.get(trunk).and_then(|id| self.entries.get(id)).map_or(0, |entry| entry.calls)
    }

    /// Whether no call is counted.
    pub(super) fn is_idle(&self) -> bool {
        self.entries.values().all(|entry| entry.calls == 0)
    }

    /// Why no further call may come from or go to this peer now, where `spare` more than usual may: the status, and the
    /// rule for log and record. Not 503, which would park a provider's whole trunk.
    pub(super) fn limit(&self, now: Instant, peer: &Peer, spare: u32) -> Option<(StatusCode, String)> {
        let limits = peer.limits();
        let entry = self.id_of(peer).and_then(|id| self.entries.get(&id))?;
        if let Some(most) = limits.calls.filter(|most| entry.calls >= most.saturating_add(spare)) {
            return Some((StatusCode::BUSY_HERE, format!("{} = {most} is reached", peer.setting("max_calls"))));
        }
        let recent = entry.begun.iter().filter(|at| now.saturating_duration_since(**at) < SECOND).count();
        let most = limits.calls_per_second.filter(|most| recent >= *most)?;
        let rule = format!("{} = {most} is reached", peer.setting("max_calls_per_second"));
        Some((StatusCode::TEMPORARILY_UNAVAILABLE, rule))
    }

    fn id_of(&self, peer: &Peer) -> Option<PeerId> {
        match peer {
            Peer::Trunk(trunk) => self.trunks.get(&trunk.name).copied(),
            Peer::User(user) => self.users.get(&user.name).copied(),
            Peer::Guest(_) => self.guests.get(GUESTS).copied(),
        }
    }

    const fn names_mut(&mut self, peer: &Peer) -> &mut HashMap<String, PeerId> {
        match peer {
            Peer::Trunk(_) => &mut self.trunks,
            Peer::User(_) => &mut self.users,
            Peer::Guest(_) => &mut self.guests,
        }
    }

    /// The entry of a peer as it is from now on.
    fn put(&mut self, peer: Peer) -> &mut Entry {
        let entry = self.enter(&peer);
        entry.peer = peer;
        entry.is_configured = true;
        entry
    }

    /// The entry of a peer, made if it is not there: we may call one that has just left the dialplan.
    fn enter(&mut self, peer: &Peer) -> &mut Entry {
        let id = self.id_of(peer).unwrap_or_else(|| {
            self.last += 1;
            let id = PeerId(self.last);
            self.names_mut(peer).insert(peer.name().to_owned(), id);
            id
        });
        let fresh = || Entry { peer: peer.clone(), is_configured: false, calls: 0, begun: VecDeque::new() };
        self.entries.entry(id).or_insert_with(fresh)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialplan::{Trusting, parse};

    fn plan(trunks: &str) -> Arc<Plan> {
        let text = format!("{trunks}\n[[routes]]\nname = \"R\"\nfrom = \"b\"\nnumber = \"1\"\nroom = \"r\"\n");
        parse("dialplan.toml", &text, &Trusting).unwrap().plan
    }

    const B: &str = "[trunks.b]\nallow = \"192.0.2.2\"\n";

    fn limited(limit: &str) -> (Peers, Peer) {
        let peers = Peers::new(&plan(&format!("{B}[trunks.a]\nallow = \"192.0.2.1\"\n{limit}\n")));
        let peer = peers.admit("a").and_then(|admitted| peers.get(admitted.peer)).cloned().unwrap();
        (peers, peer)
    }

    #[test]
    fn the_eleventh_call_within_a_second_is_one_too_many_wherever_the_second_begins() {
        let (mut peers, a) = limited("max_calls_per_second = 10");
        let start = crate::test_clock();
        let at = |millis| start + Duration::from_millis(millis);
        for n in 0..10 {
            assert!(peers.limit(at(900 + 20 * n), &a, 0).is_none(), "{n}");
            peers.call_began(at(900 + 20 * n), &a);
        }
        let is_rushed = |peers: &Peers, millis| peers.limit(at(millis), &a, 0).is_some();
        assert!(is_rushed(&peers, 1_100) && is_rushed(&peers, 1_899));
        assert!(!is_rushed(&peers, 1_900));
        peers.call_began(at(1_900), &a);
        assert!(is_rushed(&peers, 1_919) && !is_rushed(&peers, 1_920));
        assert_eq!(peers.enter(&a).begun.len(), 10);
    }

    #[test]
    fn a_call_that_takes_anothers_place_may_be_one_more_than_max_calls() {
        let (mut peers, a) = limited("max_calls = 1");
        let now = crate::test_clock();
        peers.call_began(now, &a);
        assert_eq!(peers.limit(now, &a, 0).map(|(status, _)| status), Some(StatusCode::BUSY_HERE));
        assert!(peers.limit(now, &a, 1).is_none());
        peers.call_over(&a);
        assert!(peers.limit(now, &a, 0).is_none() && peers.is_idle());
    }

    #[test]
    fn a_peer_that_leaves_the_dialplan_is_admitted_no_more_and_forgotten_after_its_last_call() {
        let (mut peers, a) = limited("");
        peers.call_began(crate::test_clock(), &a);
        let before = peers.admit("a").unwrap().peer;
        peers.set_plan(&plan(B));
        assert!(peers.admit("a").is_none());
        assert_eq!((peers.calls_with("a"), peers.get(before).map(Peer::name)), (1, Some("a")));
        peers.call_over(&a);
        assert!(peers.get(before).is_none() && peers.trunks.len() == 1);
    }
}
