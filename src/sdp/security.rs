//! Which streams are SRTP, and under which keys: the profile of an `m=` line and its `a=crypto` lines, or its ICE and
//! DTLS, taken together.

use super::audio::AudioLine;
use super::crypto::Crypto;
use super::error::Refusal;
use super::local::LocalMedia;
use crate::types::{SrtpKey, SrtpKeys, SrtpSuite, WebRtcPeer};

/// What we do about SRTP on a call's stream. Without it only plain RTP is spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalSrtp {
    /// Whether plain RTP is refused. If not, keys are offered on an RTP/AVP line, whose other side may leave them
    /// (RFC 8643).
    pub required: bool,
    /// Our keys, each of another suite, the one preferred first. One that was in use and is no more is never to be used
    /// again: give it up with [`LocalSrtp::replace`].
    pub keys: Vec<SrtpKey>,
}

impl LocalSrtp {
    /// Puts `fresh` in the place of the key of the same suite.
    pub fn replace(&mut self, fresh: SrtpKey) {
        if let Some(key) = self.keys.iter_mut().find(|key| key.suite() == fresh.suite()) {
            *key = fresh;
        }
    }

    fn key(&self, suite: SrtpSuite) -> Option<&SrtpKey> {
        self.keys.iter().find(|key| key.suite() == suite)
    }
}

/// The profiles of `m=` lines that are spoken; feedback (AVPF, SAVPF) is not needed and does no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Profile {
    /// RTP/AVP, RTP/AVPF.
    Plain,
    /// RTP/SAVP, RTP/SAVPF.
    Secure,
    /// UDP/TLS/RTP/SAVPF, and without feedback.
    WebRtc,
}

impl Profile {
    pub(super) fn of(protocol: &str) -> Option<Self> {
        let is = |names: [&str; 2]| names.iter().any(|name| name.eq_ignore_ascii_case(protocol));
        if is(["RTP/AVP", "RTP/AVPF"]) {
            Some(Self::Plain)
        } else if is(["RTP/SAVP", "RTP/SAVPF"]) {
            Some(Self::Secure)
        } else {
            is(["UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP"]).then_some(Self::WebRtc)
        }
    }
}

/// What is agreed on of a stream's security.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Agreed {
    Plain,
    /// SRTP under keys of the description.
    Keyed {
        /// Our line in an answer.
        line: Crypto,
        /// The keys of both sides.
        keys: Box<SrtpKeys>,
    },
    /// SRTP under keys that DTLS makes.
    WebRtc(Box<WebRtcPeer>),
}

impl Agreed {
    /// What was settled of keys and of ICE and DTLS.
    pub(super) fn into_parts(self) -> (Option<SrtpKeys>, Option<Box<WebRtcPeer>>) {
        match self {
            Self::Plain => (None, None),
            Self::Keyed { keys, .. } => (Some(*keys), None),
            Self::WebRtc(peer) => (None, Some(peer)),
        }
    }
}

/// Decides on an offered line. Of its keys the first whose suite is ours counts: their order is the peer's preference.
pub(super) fn for_offered(
    protocol: &str,
    peer: &AudioLine,
    local: &LocalMedia,
    before: Option<&WebRtcPeer>,
) -> Result<Agreed, Refusal> {
    let unsupported = || Refusal::UnsupportedTransport(protocol.to_owned());
    let profile = Profile::of(protocol).ok_or_else(unsupported)?;
    if local.webrtc.is_some() {
        let described = peer.webrtc.as_ref().ok_or_else(unsupported)?;
        return Ok(Agreed::WebRtc(Box::new(described.for_offered(before)?)));
    }
    let Some(local) = local.srtp.as_ref().filter(|_| profile != Profile::WebRtc) else {
        return if profile == Profile::Plain { Ok(Agreed::Plain) } else { Err(unsupported()) };
    };
    let agreed = peer.crypto.iter().find_map(|theirs| {
        let ours = local.key(theirs.key.suite())?;
        let keys = Box::new(SrtpKeys { send: ours.clone(), receive: theirs.key.clone() });
        Some(Agreed::Keyed { line: Crypto { tag: theirs.tag, key: ours.clone() }, keys })
    });
    match (agreed, profile) {
        (Some(agreed), _) => Ok(agreed),
        (None, Profile::Plain) if local.required => Err(Refusal::SrtpRequired),
        (None, Profile::Plain) => Ok(Agreed::Plain),
        (None, _) => Err(Refusal::NoUsableCrypto),
    }
}

/// Our keys as lines of an offer; the suite in use comes first, so that it is kept where nothing speaks against it.
pub(super) fn offered(local: Option<&LocalSrtp>, in_use: Option<&SrtpKeys>) -> Vec<Crypto> {
    let mut keys: Vec<&SrtpKey> = local.iter().flat_map(|local| &local.keys).collect();
    keys.sort_by_key(|key| in_use.is_none_or(|in_use| in_use.send.suite() != key.suite()));
    (1..).zip(keys).map(|(tag, key)| Crypto { tag, key: key.clone() }).collect()
}

/// Decides on the answer to a line of ours, read from our offer.
pub(super) fn for_answered(
    offered: (&str, &AudioLine),
    answered: (&str, &AudioLine),
    required: bool,
) -> Result<(Option<SrtpKeys>, Option<Box<WebRtcPeer>>), Refusal> {
    let changed = || Refusal::AnswerChangedTransport(answered.0.to_owned());
    let profile = Profile::of(answered.0).ok_or_else(changed)?;
    if (profile == Profile::WebRtc) != offered.1.webrtc.is_some() {
        return Err(changed());
    }
    if let Some(described) = &answered.1.webrtc {
        return Ok((None, Some(Box::new(described.for_answered()?))));
    }
    for_keys(offered, answered, profile, required).map(|keys| (keys, None))
}

fn for_keys(
    offered: (&str, &AudioLine),
    answered: (&str, &AudioLine),
    profile: Profile,
    required: bool,
) -> Result<Option<SrtpKeys>, Refusal> {
    let (ours, theirs) = (&offered.1.crypto, &answered.1.crypto);
    if ours.is_empty() {
        let changed = || Refusal::AnswerChangedTransport(answered.0.to_owned());
        return if profile == Profile::Plain { Ok(None) } else { Err(changed()) };
    }
    let agreed = theirs.iter().find_map(|theirs| {
        let ours = ours.iter().find(|ours| ours.tag == theirs.tag && ours.key.suite() == theirs.key.suite())?;
        Some(SrtpKeys { send: ours.key.clone(), receive: theirs.key.clone() })
    });
    if agreed.is_some() {
        return Ok(agreed);
    }
    // A peer that names keys will use them: plain RTP would be noise to both.
    if profile == Profile::Secure || answered.1.names_keys {
        return Err(Refusal::NoUsableCrypto);
    }
    if required || Profile::of(offered.0) == Some(Profile::Secure) {
        return Err(Refusal::SrtpRequired);
    }
    Ok(None)
}
