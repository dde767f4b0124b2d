//! How a request finds its server transaction (RFC 3261 section 17.2.3).

use std::hash::Hasher;

use rand::{Rng, rngs::StdRng};
use smallvec::SmallVec;

use crate::sip::message::{Method, Request, Tag, Via};

/// The identity of a server transaction, or of a request that may have come twice by different ways.
///
/// A digest of what the RFC has compared, made with a secret of this endpoint: sixteen bytes instead of a hundred for
/// as long as a transaction is remembered. That two identities share a digest is as good as impossible, and without the
/// secret nobody can look for two that do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(u64, u64);

impl Key {
    /// A To tag for responses that are sent without remembering the request: the same each time it comes, and none that
    /// a dialog has.
    #[must_use]
    pub fn stateless_tag(&self) -> String {
        format!("{STATELESS}{}", Tag(self.0))
    }
}

/// What sets the tags of answers without a transaction apart from those of dialogs.
const STATELESS: char = 's';

/// Whether a tag is of a response that was sent without a transaction: what acknowledges one is over with its arrival.
#[must_use]
pub fn is_stateless_tag(tag: &str) -> bool {
    tag.strip_prefix(STATELESS).is_some_and(|tag| Tag::parse(tag).is_some())
}

/// Makes keys.
#[derive(Debug, Clone)]
pub struct Keys {
    /// What each half of a digest begins with: as much as the hash has state.
    secrets: [[u8; 32]; 2],
}

/// What a digest is made of.
type Identity = SmallVec<[u8; 192]>;

impl Keys {
    /// Draws the secret.
    #[must_use]
    pub fn new(rng: &mut StdRng) -> Self {
        Self { secrets: [rng.random(), rng.random()] }
    }

    /// The transaction `request` belongs to, if it were of `method`: INVITE for an ACK or a CANCEL.
    ///
    /// With the magic cookie: branch, sent-by, method. Without it, by the rules for RFC 2543 peers: request URI, From
    /// tag, Call-ID, CSeq number, the whole top Via; the To tag is left out, since an ACK's differs from the INVITE's.
    #[must_use]
    pub fn transaction(&self, request: &Request, via: &Via, from_tag: &str, cseq: u32, method: &Method) -> Key {
        if let Some(key) = self.by_branch(via, method) {
            return key;
        }
        let mut identity = Identity::new();
        identity.push(b'2');
        add(&mut identity, &request.uri.to_string());
        add(&mut identity, from_tag);
        add(&mut identity, request.call_id().as_deref().unwrap_or_default());
        identity.extend(cseq.to_be_bytes());
        add(&mut identity, via.branch.as_deref().unwrap_or_default());
        add_sent_by(&mut identity, via);
        add(&mut identity, method.as_str());
        self.digest(&identity)
    }

    /// The same where the magic cookie says that the top Via is enough; `None` where it does not.
    #[must_use]
    pub fn by_branch(&self, via: &Via, method: &Method) -> Option<Key> {
        if !via.has_rfc3261_branch() {
            return None;
        }
        let mut identity = Identity::new();
        identity.push(b'3');
        // Branches are compared as tokens, without regard to case.
        identity.extend(via.branch.as_deref().unwrap_or_default().bytes().map(|byte| byte.to_ascii_lowercase()));
        identity.push(0);
        add_sent_by(&mut identity, via);
        add(&mut identity, method.as_str());
        Some(self.digest(&identity))
    }

    /// What two requests share that left their sender as one (RFC 3261 section 8.2.2.2).
    #[must_use]
    pub fn merged(&self, from_tag: &str, call_id: &str, cseq: u32, method: &Method) -> Key {
        let mut identity = Identity::new();
        identity.push(b'm');
        add(&mut identity, from_tag);
        add(&mut identity, call_id);
        identity.extend(cseq.to_be_bytes());
        add(&mut identity, method.as_str());
        self.digest(&identity)
    }

    fn digest(&self, identity: &[u8]) -> Key {
        let [first, second] = self.secrets.map(|secret| {
            // SipHash: what follows a secret as wide as its state is hashed under a secret key.
            let mut hasher = std::hash::DefaultHasher::new();
            hasher.write(&secret);
            hasher.write(identity);
            hasher.finish()
        });
        Key(first, second)
    }
}

fn add(identity: &mut Identity, part: &str) {
    identity.extend_from_slice(part.as_bytes());
    identity.push(0);
}

fn add_sent_by(identity: &mut Identity, via: &Via) {
    match &via.host {
        crate::sip::message::Host::Ip(std::net::IpAddr::V4(address)) => identity.extend_from_slice(&address.octets()),
        crate::sip::message::Host::Ip(std::net::IpAddr::V6(address)) => identity.extend_from_slice(&address.octets()),
        crate::sip::message::Host::Name(name) => identity.extend(name.bytes().map(|byte| byte.to_ascii_lowercase())),
    }
    identity.push(0);
    identity.extend_from_slice(&via.port.unwrap_or(5060).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::message::Uri;
    use rand::SeedableRng;

    fn keys(seed: u64) -> Keys {
        Keys::new(&mut StdRng::seed_from_u64(seed))
    }

    fn key(via: &str, uri: &str, method: Method) -> Key {
        let request = Request::new(method.clone(), uri.parse::<Uri>().unwrap());
        let via: Via = via.parse().unwrap();
        keys(1).transaction(&request, &via, "a", 1, &method)
    }

    #[test]
    fn with_the_cookie_branch_sent_by_and_method_decide() {
        let one = key("SIP/2.0/UDP h:5060;branch=z9hG4bK1", "sip:a@b", Method::Invite);
        assert_eq!(one, key("SIP/2.0/UDP H;branch=z9hG4bK1", "sip:other@b", Method::Invite));
        assert_ne!(one, key("SIP/2.0/UDP g;branch=z9hG4bK1", "sip:a@b", Method::Invite));
        assert_ne!(one, key("SIP/2.0/UDP h;branch=z9hG4bK2", "sip:a@b", Method::Invite));
        assert_ne!(one, key("SIP/2.0/UDP h;branch=z9hG4bK1", "sip:a@b", Method::Bye));
    }

    #[test]
    fn without_the_cookie_the_request_itself_decides() {
        let one = key("SIP/2.0/UDP h", "sip:a@b", Method::Invite);
        assert_eq!(one, key("SIP/2.0/UDP h", "sip:a@b", Method::Invite));
        assert_ne!(one, key("SIP/2.0/UDP h", "sip:c@b", Method::Invite));
        assert_ne!(one, key("SIP/2.0/UDP h;branch=1", "sip:a@b", Method::Invite));
    }

    #[test]
    fn the_tag_of_a_stateless_answer_is_none_of_a_dialogs() {
        let tag = key("SIP/2.0/UDP h;branch=z9hG4bK1", "sip:a@b", Method::Invite).stateless_tag();
        assert!(is_stateless_tag(&tag) && Tag::parse(&tag).is_none());
        assert!(!is_stateless_tag(&Tag(7).to_string()) && !is_stateless_tag("s"));
    }

    #[test]
    fn both_halves_of_a_key_depend_on_the_secret() {
        let of = |seed| keys(seed).merged("tag", "call", 1, &Method::Invite);
        assert_eq!(of(1), of(1));
        assert_ne!(of(1).0, of(2).0);
        assert_ne!(of(1).1, of(2).1);
        assert_ne!(of(1).0, of(1).1);
    }
}
