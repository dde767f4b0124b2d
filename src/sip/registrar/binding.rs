//! One binding, and what is written of it.

use std::time::{Duration, Instant};

use crate::sip::flow::Flow;
use crate::sip::message::{NameAddr, Text, Uri};

/// Where an address of record is reached (RFC 3261 section 10), by which flow (RFC 5626).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The Contact's URI: the request URI of requests to it.
    pub contact: Uri,
    /// Where requests to it go: where its REGISTER came from, and its connection where there is one.
    pub flow: Flow,
    /// Preference, in thousandths: 0 to 1000.
    pub q: u16,
    /// `+sip.instance`, without its quotes: `<urn:uuid:…>`.
    pub instance: Option<String>,
    /// `reg-id`, where the client keeps several flows at once.
    pub reg_id: Option<u32>,
    /// Value of the Call-ID header of its REGISTERs.
    pub call_id: Text,
    /// Of the last of them.
    pub cseq: u32,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// Until then it holds.
    pub expires_at: Instant,
    /// Larger than that of any binding refreshed before it.
    pub refreshed: u64,
}

impl Binding {
    /// Whether a Contact means this binding: the same instance and flow number (RFC 5626 section 6), else the same URI.
    pub(super) fn is_of(&self, contact: &Contact) -> bool {
        match (contact.reg_id, self.reg_id) {
            (Some(reg_id), Some(own)) => own == reg_id && self.instance == contact.instance,
            (None, None) => self.contact == contact.uri || self.contact.is_equivalent(&contact.uri),
            _ => false,
        }
    }

    /// How long it still holds; whole seconds, at least one.
    pub fn left(&self, now: Instant) -> Duration {
        let left = self.expires_at.saturating_duration_since(now);
        Duration::from_secs(left.as_secs().max(1))
    }

    /// Whether it is of the instance that a GRUU with this `gr` names. (URNs of UUIDs are the same in any case, RFC
    /// 4122 section 3.)
    pub(super) fn is_instance(&self, gr: &str) -> bool {
        self.instance.as_deref().is_some_and(|instance| gr_of(instance).eq_ignore_ascii_case(gr))
    }

    /// As a Contact of our answer. `gruu_of`: the address of record, where the client wants to know its GRUU.
    pub(super) fn described(&self, now: Instant, gruu_of: Option<&Uri>) -> NameAddr {
        let mut contact = NameAddr::new(self.contact.clone());
        if self.q < 1_000 {
            contact.params.set("q", format!("0.{:03}", self.q));
        }
        contact.params.set("expires", self.left(now).as_secs().to_string());
        if let Some(instance) = &self.instance {
            contact.params.set("+sip.instance", quoted(instance));
            // An address is nobody's for good, and a request to a GRUU of it might be sent there.
            if let Some(aor) = gruu_of.filter(|aor| aor.host.ip().is_none()) {
                contact.params.set("pub-gruu", quoted(&gruu(aor, instance).to_string()));
            }
        }
        if let Some(reg_id) = self.reg_id {
            contact.params.set("reg-id", reg_id.to_string());
        }
        contact
    }
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// The public GRUU of an instance (RFC 5627 section 5.1): the address of record with the instance as `gr`.
fn gruu(aor: &Uri, instance: &str) -> Uri {
    let mut uri = Uri::sip(None, aor.host.clone(), aor.port);
    uri.scheme = aor.scheme.clone();
    uri.user.clone_from(&aor.user);
    uri.params.set("gr", gr_of(instance).to_owned());
    uri
}

/// An instance as a GRUU names it.
fn gr_of(instance: &str) -> &str {
    instance.trim_start_matches('<').trim_end_matches('>')
}

/// One Contact of a REGISTER, read.
#[derive(Debug, Clone)]
pub(super) struct Contact {
    pub uri: Uri,
    pub q: u16,
    pub instance: Option<String>,
    pub reg_id: Option<u32>,
    /// The wish of the Contact itself, seconds.
    pub expires: Option<u32>,
}

/// Characters of the longest Contact URI and instance that are kept.
const LONGEST: usize = 512;

impl Contact {
    /// Reads one; `None` where it is no address of SIP, or longer than is kept. A `reg-id` without an instance says
    /// nothing (RFC 5626 section 6).
    pub fn read(address: &NameAddr, outbound: bool) -> Option<Self> {
        let fits = |text: &String| text.len() <= LONGEST;
        let uri = address.uri.clone().for_request().to_string();
        if !address.uri.is_sip() || !fits(&uri) {
            return None;
        }
        // Read from a text of its own: what is kept is not to keep the whole message.
        let uri: Uri = uri.parse().ok()?;
        let params = &address.params;
        let is_plain =
            |text: &String| text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'));
        let instance = params.get_unquoted("+sip.instance").filter(|text| !text.is_empty());
        if instance.as_ref().is_some_and(|instance| !fits(instance) || !is_plain(instance)) {
            return None;
        }
        let number = |name: &str| params.get(name).and_then(|text| text.parse::<u32>().ok());
        let q = params.get("q").and_then(|q| q.parse::<f32>().ok()).filter(|q| (0.0..=1.0).contains(q));
        Some(Self {
            uri,
            // Thousandths, as the grammar has them.
            q: q.map_or(1_000, |q| (q * 1_000.0) as u16),
            reg_id: number("reg-id").filter(|_| outbound && instance.is_some()),
            instance,
            // What cannot be read is no wish at all (RFC 3261 section 10.3).
            expires: params.get("expires").map(|text| text.parse::<u32>().unwrap_or(3_600)),
        })
    }
}
