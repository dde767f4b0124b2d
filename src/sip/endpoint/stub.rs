use super::*;
use crate::sip::message::*;
use crate::types::Now;
use std::time::Instant;
/// stub
pub struct Endpoint;
#[allow(missing_docs, unused_variables, clippy::all)]
impl Endpoint {
    pub fn new(config: EndpointConfig, seed: u64) -> Self {
        Self
    }
    pub fn handle_input(&mut self, now: Now, input: Input, policy: &mut dyn Policy) {}
    pub fn poll_output(&mut self) -> Option<Output> {
        None
    }
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }
    pub fn handle_timeout(&mut self, now: Now) {}
    pub fn is_idle(&self) -> bool {
        true
    }
    pub fn provisional(
        &mut self,
        now: Now,
        id: InviteId,
        status: StatusCode,
        body: Option<Body>,
    ) -> Result<(), EndpointError> {
        todo!()
    }
    pub fn accept(&mut self, now: Now, id: InviteId, body: Body) -> Result<(), EndpointError> {
        todo!()
    }
    pub fn reject(
        &mut self,
        now: Now,
        id: InviteId,
        status: StatusCode,
        headers: Headers,
    ) -> Result<(), EndpointError> {
        todo!()
    }
    pub fn hangup(&mut self, now: Now, id: InviteId, reason: Option<Reason>) -> Result<(), EndpointError> {
        todo!()
    }
    pub fn answer_offer(
        &mut self,
        now: Now,
        id: InviteId,
        answer: Result<Body, StatusCode>,
    ) -> Result<(), EndpointError> {
        todo!()
    }
    pub fn invite(&mut self, now: Now, invite: OutgoingInvite) -> Result<InviteId, EndpointError> {
        todo!()
    }
    pub fn register(&mut self, now: Now, config: RegistrationConfig) -> RegistrationId {
        todo!()
    }
    pub fn unregister(&mut self, now: Now, id: RegistrationId) -> Result<(), EndpointError> {
        todo!()
    }
    pub fn registered_contact_user(&self, id: RegistrationId) -> Option<&str> {
        todo!()
    }
}
