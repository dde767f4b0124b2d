//! MESSAGE outside of any dialog (RFC 3428).

use super::Endpoint;
use crate::sip::core::{EndpointError, Event, MessageId, Owner};
use crate::sip::flow::Flow;
use crate::sip::message::{Body, HeaderName as H, Method, NameAddr, Request, StatusCode, Uri};
use crate::types::Now;

/// A MESSAGE to be sent.
#[derive(Debug, Clone)]
pub struct OutgoingMessage {
    /// Where it goes.
    pub flow: Flow,
    /// Whom it is for, there.
    pub request_uri: Uri,
    /// Who says it.
    pub from: NameAddr,
    /// Whom it is for.
    pub to: NameAddr,
    /// What it says.
    pub body: Body,
}

impl Endpoint {
    /// Sends a MESSAGE; `Event::MessageAnswered` follows.
    ///
    /// # Errors
    /// [`EndpointError::LimitReached`].
    pub fn send_message(&mut self, now: Now, message: OutgoingMessage) -> Result<MessageId, EndpointError> {
        if self.core.transactions.is_full() {
            return Err(EndpointError::LimitReached);
        }
        let OutgoingMessage { flow, request_uri, from, to, body } = message;
        let id = MessageId(self.core.next_id());
        let tag = self.core.new_tag();
        let mut request = Request::new(Method::Message, request_uri);
        request.headers.push(H::MaxForwards, "70");
        request.headers.push_display(H::From, &from.with_tag(tag.to_string()));
        request.headers.push_display(H::To, &to);
        request.headers.push(H::CallId, self.core.new_call_id());
        request.headers.push(H::CSeq, format!("{} MESSAGE", self.core.new_cseq()));
        request.set_body(Some(&body));
        self.core.transactions.start(now, request, flow, Owner::Message(id).into());
        Ok(id)
    }

    pub(super) fn on_message_answered(&mut self, message: MessageId, status: StatusCode) {
        if !status.is_provisional() {
            self.core.event(Event::MessageAnswered { message, status });
        }
    }
}
