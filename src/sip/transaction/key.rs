//! How a request finds its server transaction (RFC 3261 section 17.2.3).

use smallvec::SmallVec;

use crate::sip::message::{Method, Request, Via};

/// The identity of a server transaction, or of a request that may have come twice by different ways.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key(SmallVec<[u8; 96]>);

impl Key {
    /// The transaction `request` belongs to, if it were of `method`: INVITE for an ACK or a CANCEL.
    ///
    /// With the magic cookie: branch, sent-by, method. Without it, by the rules for RFC 2543 peers: request URI,
    /// From tag, Call-ID, CSeq number, the whole top Via; the To tag is left out, since an ACK's differs from the INVITE's.
    #[must_use]
    pub fn transaction(request: &Request, via: &Via, from_tag: &str, cseq: u32, method: &Method) -> Self {
        let mut key = SmallVec::new();
        if via.has_rfc3261_branch() {
            key.push(b'3');
            // Branches are compared as tokens, without regard to case.
            key.extend(via.branch.as_deref().unwrap_or_default().bytes().map(|byte| byte.to_ascii_lowercase()));
            key.push(0);
            add_sent_by(&mut key, via);
        } else {
            key.push(b'2');
            add(&mut key, &request.uri.to_string());
            add(&mut key, from_tag);
            add(&mut key, request.call_id().as_deref().unwrap_or_default());
            key.extend(cseq.to_be_bytes());
            add(&mut key, via.branch.as_deref().unwrap_or_default());
            add_sent_by(&mut key, via);
        }
        add(&mut key, method.as_str());
        Self(key)
    }

    /// What two requests share that left their sender as one (RFC 3261 section 8.2.2.2).
    #[must_use]
    pub fn merged(from_tag: &str, call_id: &str, cseq: u32, method: &Method) -> Self {
        let mut key = SmallVec::new();
        key.push(b'm');
        add(&mut key, from_tag);
        add(&mut key, call_id);
        key.extend(cseq.to_be_bytes());
        add(&mut key, method.as_str());
        Self(key)
    }
}

fn add(key: &mut SmallVec<[u8; 96]>, part: &str) {
    key.extend_from_slice(part.as_bytes());
    key.push(0);
}

fn add_sent_by(key: &mut SmallVec<[u8; 96]>, via: &Via) {
    match &via.host {
        crate::sip::message::Host::Ip(std::net::IpAddr::V4(address)) => key.extend_from_slice(&address.octets()),
        crate::sip::message::Host::Ip(std::net::IpAddr::V6(address)) => key.extend_from_slice(&address.octets()),
        crate::sip::message::Host::Name(name) => key.extend(name.bytes().map(|byte| byte.to_ascii_lowercase())),
    }
    key.push(0);
    key.extend_from_slice(&via.port.unwrap_or(5060).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::message::Uri;

    fn key(via: &str, uri: &str, method: Method) -> Key {
        let request = Request::new(method.clone(), uri.parse::<Uri>().unwrap());
        let via: Via = via.parse().unwrap();
        Key::transaction(&request, &via, "a", 1, &method)
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
}
