//! The methods by which the endpoint's user keeps bindings at registrars, and answers those who want one here.

use std::net::SocketAddr;

use super::Endpoint;
use crate::sip::core::{EndpointError, RegistrationConfig, RegistrationId, RequestId};
use crate::sip::flow::Flow;
use crate::sip::message::{Headers, NameAddr, StatusCode};
use crate::sip::transaction::Reply;
use crate::types::Now;

impl Endpoint {
    /// Registers, and keeps registered until [`Endpoint::unregister`].
    pub fn register(&mut self, now: Now, config: RegistrationConfig) -> RegistrationId {
        self.registrations.register(&mut self.core, now, config)
    }

    /// Answers a request that came as an event of its own; the status is a final one.
    pub fn respond(&mut self, now: Now, id: RequestId, status: StatusCode, headers: Headers) {
        self.core.transactions.respond(now, id.0, Reply { headers, ..Reply::new(status) });
    }

    /// Removes the binding; `Unregistered` follows, whatever the registrar says.
    ///
    /// # Errors
    /// [`EndpointError::NoSuchCall`] when there is no such registration, [`EndpointError::WrongState`] when it is
    /// being removed already.
    pub fn unregister(&mut self, now: Now, id: RegistrationId) -> Result<(), EndpointError> {
        self.registrations.unregister(&mut self.core, now, id)
    }

    /// Registers by another flow from now on, at once unless a REGISTER is under way there already: the former target
    /// failed, or its connection ended. Failures in a row are counted on, so that their waits grow.
    pub fn register_by(&mut self, now: Now, id: RegistrationId, flow: Flow) {
        self.registrations.register_by(&mut self.core, now, id, flow);
    }

    /// The user part of the Contact we registered: who sends a call there got it from this registrar. `None` for a bulk
    /// registration, whose Contact has no user.
    #[must_use]
    pub fn registered_contact_user(&self, id: RegistrationId) -> Option<&str> {
        self.registrations.contact_user(id)
    }

    /// The host and port of the Contact that REGISTER tells now.
    #[must_use]
    pub fn registered_contact_address(&self, id: RegistrationId) -> Option<SocketAddr> {
        self.registrations.contact_address(&self.core, id)
    }

    /// The Service-Route of the registrar's last answer (RFC 3608): routes for requests to its network by the flow of
    /// the registration. Empty without one, and once the binding has run out or is made elsewhere.
    #[must_use]
    pub fn service_route(&self, now: Now, id: RegistrationId) -> &[NameAddr] {
        self.registrations.service_route(now, id)
    }

    /// Where REGISTER goes now.
    #[must_use]
    pub fn registration_flow(&self, id: RegistrationId) -> Option<Flow> {
        self.registrations.flow(id)
    }
}
