//! REGISTERs of users, and what becomes of their bindings.

use super::Users;

use crate::gateway::peer::{Peer, User};
use crate::gateway::{BindingStatus, Event, Gateway, Level, UserStatus};
use crate::sip::message::{Headers, Host, Request, StatusCode, Uri};
use crate::sip::{Flow, PeerId, RequestId};
use crate::types::Now;
use std::sync::Arc;
use std::time::Instant;

impl Users {
    /// Whether somebody is registered by this flow.
    pub(in crate::gateway) fn is_flow_known(&self, flow: &Flow) -> bool {
        self.registrar.is_flow_known(flow)
    }

    /// When [`Gateway::on_users_timeout`] is due.
    pub(in crate::gateway) fn poll_timeout(&self) -> Option<Instant> {
        self.registrar.poll_timeout()
    }

    /// All users, by name.
    pub(in crate::gateway) fn status(&self, now: Now) -> Vec<UserStatus> {
        let one = |user: &Arc<User>| UserStatus {
            user: user.name.clone(),
            display_name: user.display_name.clone().unwrap_or_default(),
            bindings: self.bindings(now.instant, &user.name),
        };
        self.entries.values().map(|entry| one(&entry.user)).collect()
    }

    fn bindings(&self, now: Instant, name: &str) -> Vec<BindingStatus> {
        let live = self.registrar.live(now, name).into_iter();
        live.map(|binding| BindingStatus {
            contact: binding.contact.to_string(),
            address: format!("{}:{}", binding.flow.transport.as_param(), binding.flow.remote),
            client: binding.user_agent.clone().unwrap_or_default(),
            expires: binding.left(now).as_secs(),
        })
        .collect()
    }
}

impl Gateway {
    /// A user, who has proven to be one, wants to register.
    pub(in crate::gateway) fn on_registering(
        &mut self,
        now: Now,
        id: RequestId,
        peer: PeerId,
        request: &Request,
        flow: Flow,
    ) {
        let name = match self.admission.peers.get(peer) {
            Some(Peer::User(user)) => user.name.clone(),
            _ => return self.refuse_registration(now, id, flow, StatusCode::FORBIDDEN, "no user"),
        };
        if let Err((status, rule)) = self.check_registration(&name, request) {
            return self.refuse_registration(now, id, flow, status, rule);
        }
        let before = self.users.registrar.live(now.instant, &name).len();
        let registered = self.users.registrar.register(now.instant, &name, request, flow);
        self.endpoint.respond(now, id, registered.status, registered.headers);
        if registered.status != StatusCode::OK {
            return self.tell_refused_registration(now, flow, registered.status, "its bindings stay as they are");
        }
        let bindings = self.users.registrar.live(now.instant, &name).len();
        if registered.fresh {
            self.log_limited(now, Level::Info, None, "user registered", || {
                format!("{name} at {}:{}, {bindings} in all", flow.transport.as_param(), flow.remote)
            });
            self.effects.event(Event::UserRegistered { user: name.clone(), bindings });
        } else if before > 0 && bindings == 0 {
            self.tell_user_gone(now, &name, "removed");
        }
        if registered.changed {
            self.note_bindings(now, &name);
        }
    }

    /// Whether a user registers for itself, and here.
    fn check_registration(&self, name: &str, request: &Request) -> Result<(), (StatusCode, &'static str)> {
        let domain = self.plan.gateway.domain.as_deref();
        let is_ours = |uri: &Uri| match (&uri.host, domain) {
            (Host::Name(host), Some(domain)) => host.eq_ignore_ascii_case(domain),
            _ => true,
        };
        let Ok(to) = request.to() else { return Err((StatusCode::BAD_REQUEST, "its To cannot be read")) };
        if !is_ours(&request.uri) || !is_ours(&to.uri) {
            return Err((StatusCode::NOT_FOUND, "it is for another domain"));
        }
        if to.uri.user_decoded().as_deref() != Some(name) {
            return Err((StatusCode::FORBIDDEN, "a user registers for itself alone"));
        }
        Ok(())
    }

    fn refuse_registration(&mut self, now: Now, id: RequestId, flow: Flow, status: StatusCode, rule: &'static str) {
        self.endpoint.respond(now, id, status, Headers::new());
        self.tell_refused_registration(now, flow, status, rule);
    }

    fn tell_refused_registration(&mut self, now: Now, flow: Flow, status: StatusCode, rule: &'static str) {
        self.log_limited(now, Level::Info, None, "request refused", || {
            format!("REGISTER from {}: {}, {rule}", flow.remote, status.0)
        });
    }

    /// Takes away the bindings that have run out.
    pub(in crate::gateway) fn on_users_timeout(&mut self, now: Now) {
        while let Some(name) = self.users.registrar.expire(now.instant) {
            self.after_loss(now, &name, "not refreshed in time");
        }
    }

    /// A connection ended: those who were registered by it are not reached by it any more (RFC 5626 section 7).
    pub(in crate::gateway) fn on_users_connection_ended(&mut self, now: Now, flow: &Flow) {
        for name in self.users.registrar.closed(flow) {
            self.after_loss(now, &name, "its connection ended");
        }
    }

    fn after_loss(&mut self, now: Now, name: &str, why: &'static str) {
        if self.users.registrar.live(now.instant, name).is_empty() {
            self.tell_user_gone(now, name, why);
        }
        self.note_bindings(now, name);
    }

    fn tell_user_gone(&mut self, now: Now, name: &str, why: &'static str) {
        self.log_limited(now, Level::Info, None, "user not registered any more", || format!("{name}: {why}"));
        self.effects.event(Event::UserUnregistered { user: name.to_owned() });
    }

    /// The bindings of a user have changed.
    fn note_bindings(&mut self, _now: Now, _name: &str) {}
}
