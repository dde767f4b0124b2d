//! A request as it came, with what everybody asks of it.

use std::net::SocketAddr;

use super::key::{Key, Keys};
use crate::sip::flow::{Flow, literal_address};
use crate::sip::message::{Method, Request, Text, Via};

/// A request with what was read of it once, for all that follows.
pub(crate) struct Received {
    pub request: Request,
    pub flow: Flow,
    pub via: Via,
    pub from_tag: Text,
    pub to_tag: Option<Text>,
    pub call_id: Text,
    pub cseq: u32,
}

impl Received {
    /// Reads what every request must have. `None`: something of it cannot be read.
    pub fn read(mut request: Request, flow: Flow) -> Option<Self> {
        let via = request.mark_received(flow.remote).ok()?;
        let from_tag = request.from().ok()?.params.get_text("tag").cloned().unwrap_or_default();
        let to_tag = request.to().ok()?.params.get_text("tag").filter(|tag| !tag.is_empty()).cloned();
        let call_id = request.call_id()?;
        let cseq = request.cseq().ok()?.number;
        Some(Self { request, flow, via, from_tag, to_tag, call_id, cseq })
    }

    /// The key of the transaction it belongs to, as if it were of `method`.
    pub(super) fn key(&self, keys: &Keys, method: &Method) -> Key {
        keys.transaction(&self.request, &self.via, &self.from_tag, self.cseq, method)
    }

    /// The key by which the same request that came by another way is recognised.
    pub(super) fn merged(&self, keys: &Keys) -> Key {
        keys.merged(&self.from_tag, &self.call_id, self.cseq, &self.request.method)
    }

    /// Where responses go (RFC 3261 section 18.2.2, RFC 3581). `maddr` is left unheeded: it would let anybody who
    /// may talk to us aim our responses at somebody else.
    pub fn response_flow(&self) -> Flow {
        response_flow(self.flow, &self.via)
    }

    /// The neighbour's own idea of its address, where it is not a name.
    pub fn sent_by(&self) -> Option<SocketAddr> {
        literal_address(&self.via.host, self.via.port, self.flow.transport)
    }
}

pub(super) fn response_flow(flow: Flow, via: &Via) -> Flow {
    if flow.transport.is_reliable() {
        return flow;
    }
    let port = via.rport.flatten().or(via.port).unwrap_or(flow.transport.default_port());
    flow.towards(SocketAddr::new(flow.remote.ip(), port))
}
