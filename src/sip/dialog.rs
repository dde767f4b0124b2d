//! Dialogs: tags, CSeq, route set, remote target (RFC 3261 section 12).

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::message::{
    HeaderName as H, Headers, InvalidValue, Method, NameAddr, Request, Response, Scheme, Tag, Text, Uri,
};

/// What the CSeq of a request inside a dialog says (RFC 3261 section 12.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Later than all before.
    InOrder,
    /// Not later than one before: to be answered 500.
    OutOfOrder,
}

/// One dialog, early or confirmed. Plain data.
#[derive(Debug, Clone, PartialEq)]
pub struct Dialog {
    /// The Call-ID header's value.
    pub call_id: Text,
    /// Our tag.
    pub local_tag: Tag,
    /// The peer's tag; empty for an RFC 2543 peer.
    pub remote_tag: Text,
    /// Our address with tag: the From of our requests.
    pub local: Bytes,
    /// The peer's address with tag: the To of our requests.
    pub remote: Bytes,
    /// Where our requests are addressed.
    pub target: Uri,
    /// The routes they travel, nearest first.
    pub routes: Vec<NameAddr>,
    /// CSeq number of our latest request.
    pub local_cseq: u32,
    /// CSeq number of the peer's latest request.
    pub remote_cseq: Option<u32>,
    /// Whether our Call-ID header it is: we sent the INVITE.
    pub initiator: bool,
    /// Whether our Contact must be a `sips:` URI (RFC 3261 section 12.1.1).
    pub secure: bool,
}

impl Dialog {
    /// The dialog an INVITE makes at the callee (RFC 3261 section 12.1.1). `local_cseq` is where our own
    /// numbering begins.
    ///
    /// # Errors
    /// When Contact, From, To or Record-Route cannot be read. RFC 2543 peers may leave Contact out; they are reached
    /// at From.
    pub fn answering(request: &Request, local_tag: Tag, local_cseq: u32) -> Result<Self, InvalidValue> {
        let target =
            if request.headers.contains(&H::Contact) { request.contact()? } else { request.from()? }.uri.for_request();
        let mut local = request.headers.get(&H::To).ok_or(InvalidValue("To"))?.to_vec();
        local.extend_from_slice(format!(";tag={local_tag}").as_bytes());
        let remote = request.headers.get(&H::From).ok_or(InvalidValue("From"))?.clone();
        let routes = request.headers.addresses(&H::RecordRoute)?;
        let secure = request.uri.scheme == Scheme::Sips
            || routes.first().map_or(target.scheme == Scheme::Sips, |route| route.uri.scheme == Scheme::Sips);
        Ok(Self {
            call_id: request.call_id().ok_or(InvalidValue("Call-ID"))?,
            local_tag,
            remote_tag: request.from()?.params.get_text("tag").cloned().unwrap_or_default(),
            local: local.into(),
            remote,
            target,
            routes,
            local_cseq,
            remote_cseq: Some(request.cseq()?.number),
            initiator: false,
            secure,
        })
    }

    /// The dialog a response to our INVITE makes (RFC 3261 section 12.1.2). What cannot be read of the response is done
    /// without, since a 2xx must be acknowledged, and the call it began ended, whatever it looks like: where there is
    /// no Contact of use the request URI is the target, and of the route set the readable part remains.
    ///
    /// # Errors
    /// When Call-ID, From or CSeq of `request`, which is ours, cannot be read.
    pub fn calling(request: &Request, response: &Response, local_tag: Tag) -> Result<Self, InvalidValue> {
        let contact = response.headers.values(&H::Contact).find_map(|value| NameAddr::parse(&value).ok());
        let target = contact.map(|contact| contact.uri.for_request()).filter(Uri::is_sip);
        let routes = response.headers.values(&H::RecordRoute).filter_map(|value| NameAddr::parse(&value).ok());
        let mut routes: Vec<_> = routes.filter(|route| route.uri.is_sip()).collect();
        routes.reverse();
        let remote = response.headers.get(&H::To).or(request.headers.get(&H::To)).ok_or(InvalidValue("To"))?;
        Ok(Self {
            call_id: request.call_id().ok_or(InvalidValue("Call-ID"))?,
            local_tag,
            remote_tag: response.to_tag(),
            local: request.headers.get(&H::From).ok_or(InvalidValue("From"))?.clone(),
            remote: remote.clone(),
            target: target.unwrap_or_else(|| request.uri.clone()),
            routes,
            local_cseq: request.cseq()?.number,
            remote_cseq: None,
            initiator: true,
            secure: request.uri.scheme == Scheme::Sips,
        })
    }

    /// A request inside the dialog with the next CSeq number, without Via (RFC 3261 section 12.2.1.1).
    pub fn request(&mut self, method: Method) -> Request {
        self.local_cseq = self.local_cseq.saturating_add(1);
        self.request_numbered(method, self.local_cseq)
    }

    /// The ACK of the 2xx to the INVITE with this CSeq number (RFC 3261 section 13.2.2.4).
    #[must_use]
    pub fn ack(&self, cseq: u32) -> Request {
        self.request_numbered(Method::Ack, cseq)
    }

    fn request_numbered(&self, method: Method, cseq: u32) -> Request {
        let (uri, routes) = self.route();
        let cseq = format!("{cseq} {method}");
        let mut request = Request::new(method, uri);
        let headers = &mut request.headers;
        headers.push(H::MaxForwards, "70");
        for route in routes {
            headers.push_display(H::Route, &route);
        }
        headers.push(H::From, self.local.clone());
        headers.push(H::To, self.remote.clone());
        headers.push(H::CallId, self.call_id.clone());
        headers.push(H::CSeq, cseq);
        request
    }

    /// Request URI and Route headers: through loose routers the target stays the request URI, a strict one at the
    /// top takes its place.
    fn route(&self) -> (Uri, Vec<NameAddr>) {
        match self.routes.split_first() {
            Some((first, rest)) if !first.uri.is_loose_router() => {
                let uri = first.uri.clone().for_request();
                let last = NameAddr::new(self.target.clone());
                (uri, rest.iter().cloned().chain(std::iter::once(last)).collect())
            }
            _ => (self.target.clone(), self.routes.clone()),
        }
    }

    /// The URI our requests go to first.
    #[must_use]
    pub fn next_hop(&self) -> &Uri {
        self.routes.first().map_or(&self.target, |route| &route.uri)
    }

    /// Checks the CSeq number of a request of the peer's and takes note of it.
    pub fn check_order(&mut self, cseq: u32) -> Order {
        if self.remote_cseq.is_some_and(|latest| cseq <= latest) {
            return Order::OutOfOrder;
        }
        self.remote_cseq = Some(cseq);
        Order::InOrder
    }

    /// Takes the remote target from a target refresh request or the 2xx to one; nothing if there is no Contact.
    pub fn refresh_target(&mut self, headers: &Headers) {
        if let Ok(contact) = headers.contact() {
            self.target = contact.uri.for_request();
        }
    }

    /// All that is needed to go on with the dialog elsewhere.
    #[must_use]
    pub fn snapshot(&self) -> DialogSnapshot {
        let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        DialogSnapshot {
            call_id: self.call_id.to_string(),
            local_tag: self.local_tag,
            remote_tag: self.remote_tag.to_string(),
            local: text(&self.local),
            remote: text(&self.remote),
            target: self.target.to_string(),
            routes: self.routes.iter().map(ToString::to_string).collect(),
            local_cseq: self.local_cseq,
            remote_cseq: self.remote_cseq,
            initiator: self.initiator,
            secure: self.secure,
        }
    }

    /// The dialog of a snapshot.
    ///
    /// # Errors
    /// When the target or a route cannot be read.
    pub fn restore(snapshot: &DialogSnapshot) -> Result<Self, InvalidValue> {
        Ok(Self {
            call_id: snapshot.call_id.as_str().into(),
            local_tag: snapshot.local_tag,
            remote_tag: snapshot.remote_tag.as_str().into(),
            local: snapshot.local.clone().into(),
            remote: snapshot.remote.clone().into(),
            target: snapshot.target.parse()?,
            routes: snapshot.routes.iter().map(|route| route.parse()).collect::<Result<_, _>>()?,
            local_cseq: snapshot.local_cseq,
            remote_cseq: snapshot.remote_cseq,
            initiator: snapshot.initiator,
            secure: snapshot.secure,
        })
    }
}

/// A dialog as plain data, to be stored. Fields as in [`Dialog`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "they are the fields of Dialog, described there")]
pub struct DialogSnapshot {
    pub call_id: String,
    pub local_tag: Tag,
    pub remote_tag: String,
    pub local: String,
    pub remote: String,
    pub target: String,
    pub routes: Vec<String>,
    pub local_cseq: u32,
    pub remote_cseq: Option<u32>,
    pub initiator: bool,
    pub secure: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::message::StatusCode;

    fn invite() -> Request {
        Request::new(Method::Invite, "sip:bob@example.com".parse().unwrap())
            .with(H::Via, "SIP/2.0/UDP a;branch=z9hG4bK1")
            .with(H::From, "<sip:alice@a>;tag=alice")
            .with(H::To, "<sip:bob@example.com>")
            .with(H::CallId, "c")
            .with(H::CSeq, "7 INVITE")
            .with(H::Contact, "<sip:alice@192.0.2.1>")
            .with(H::RecordRoute, "<sip:p1;lr>, <sip:p2;lr>")
    }

    fn routes(request: &Request) -> Vec<String> {
        request.headers.addresses(&H::Route).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_callee_keeps_the_order_of_record_routes_and_the_caller_turns_it_round() {
        let mut called = Dialog::answering(&invite(), Tag(1), 10).unwrap();
        let bye = called.request(Method::Bye);
        assert_eq!(routes(&bye), ["<sip:p1;lr>", "<sip:p2;lr>"]);
        assert_eq!(bye.uri.to_string(), "sip:alice@192.0.2.1");
        assert_eq!(bye.cseq().unwrap().number, 11);
        assert_eq!(bye.from().unwrap().tag(), Some("0000000000000001"));

        let mut response = Response::to_request(&invite(), StatusCode::OK).with(H::Contact, "<sip:bob@192.0.2.2>");
        response.headers.copy_all(&H::RecordRoute, &invite().headers);
        response.set_to_tag("bob");
        let mut calling = Dialog::calling(&invite(), &response, Tag(2)).unwrap();
        let bye = calling.request(Method::Bye);
        assert_eq!(routes(&bye), ["<sip:p2;lr>", "<sip:p1;lr>"]);
        assert_eq!(bye.cseq().unwrap().number, 8);
        assert_eq!(calling.ack(7).cseq().unwrap().number, 7);
    }

    #[test]
    fn a_strict_router_takes_the_request_uri() {
        let mut request = invite();
        request.headers.set(H::RecordRoute, "<sip:strict>, <sip:p2;lr>");
        let bye = Dialog::answering(&request, Tag(1), 0).unwrap().request(Method::Bye);
        assert_eq!(bye.uri.to_string(), "sip:strict");
        assert_eq!(routes(&bye), ["<sip:p2;lr>", "<sip:alice@192.0.2.1>"]);
    }

    #[test]
    fn what_no_request_uri_may_have_is_left_out_of_a_contact() {
        const CONTACT: &str = "<sip:bob@192.0.2.2;method=INVITE;transport=udp?Route=x&Subject=y>";
        let mut invite = invite();
        invite.headers.set(H::Contact, CONTACT);
        let mut dialogs = vec![Dialog::answering(&invite, Tag(1), 0).unwrap()];
        let response = Response::to_request(&invite, StatusCode::OK).with(H::Contact, CONTACT);
        dialogs.push(Dialog::calling(&invite, &response, Tag(1)).unwrap());
        let mut refreshed = dialogs[0].clone();
        refreshed.refresh_target(&response.headers);
        dialogs.push(refreshed);
        for mut dialog in dialogs {
            assert_eq!(dialog.request(Method::Bye).uri.to_string(), "sip:bob@192.0.2.2;transport=udp");
        }
    }

    #[test]
    fn requests_out_of_order_are_told_apart() {
        let mut dialog = Dialog::answering(&invite(), Tag(1), 0).unwrap();
        assert_eq!(dialog.check_order(7), Order::OutOfOrder);
        assert_eq!(dialog.check_order(9), Order::InOrder);
        assert_eq!(dialog.check_order(8), Order::OutOfOrder);
    }

    #[test]
    fn only_tags_we_wrote_are_read() {
        let tag = Tag(0x12ab);
        assert_eq!(Tag::parse(&tag.to_string()), Some(tag));
        for other in ["", "12ab", "00000000000012AB", "+00000000000012a", "00000000000012abc"] {
            assert_eq!(Tag::parse(other), None);
        }
    }

    #[test]
    fn a_snapshot_restores_the_dialog() {
        let dialog = Dialog::answering(&invite(), Tag(1), 3).unwrap();
        let stored = serde_json::to_string(&dialog.snapshot()).unwrap();
        let restored = Dialog::restore(&serde_json::from_str(&stored).unwrap()).unwrap();
        assert_eq!(restored.snapshot(), dialog.snapshot());
    }
}
