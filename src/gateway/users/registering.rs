//! REGISTERs of users, and what becomes of their bindings.

use super::making::whole_seconds;
use super::{Entry, Users};
use crate::gateway::kept::StoredBinding;
use crate::gateway::peer::Peer;
use crate::gateway::{BindingStatus, Event, Gateway, Level, Output, UserStatus};
use crate::sip::message::{Headers, Host, Request, StatusCode, Uri};
use crate::sip::registrar::Binding;
use crate::sip::{Flow, PeerId, RequestId};
use crate::types::Now;
use std::time::Instant;

impl Users {
    /// Whether somebody is registered by this flow.
    pub(in crate::gateway) fn is_flow_known(&self, flow: &Flow) -> bool {
        self.registrar.is_flow_known(flow)
    }

    /// When [`Gateway::on_users_timeout`] is due.
    pub(in crate::gateway) fn poll_timeout(&self) -> Option<Instant> {
        let own = [self.registrar.poll_timeout(), self.ends.next(), self.loading.again_at()];
        own.into_iter().flatten().min()
    }

    /// All users, by name.
    pub(in crate::gateway) fn status(&self, now: Now) -> Vec<UserStatus> {
        self.entries.keys().filter_map(|name| self.status_of(now, name)).collect()
    }

    /// One of them.
    pub(super) fn status_of(&self, now: Now, name: &str) -> Option<UserStatus> {
        let Entry { user, stored, .. } = self.entries.get(name)?;
        let until = stored.as_ref().and_then(|stored| stored.temporary_until);
        Some(UserStatus {
            user: user.name.clone(),
            display_name: user.display_name.clone().unwrap_or_default(),
            in_dialplan: stored.is_none(),
            ends_in: until.map(|until| until.duration_since(now.wall).unwrap_or_default().as_secs()),
            invited_to: user.invited_to.as_ref().map_or_else(String::new, |to| to.room.clone()),
            bindings: self.bindings(now.instant, name),
        })
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
        self.end_temporary_users(now);
        self.load_users_again(now);
    }

    /// A connection ended: those who were registered by it are not reached by it any more (RFC 5626 section 7).
    pub(in crate::gateway) fn on_users_connection_ended(&mut self, now: Now, flow: &Flow) {
        for name in self.users.registrar.closed(flow) {
            self.after_loss(now, &name, "its connection ended");
        }
    }

    pub(super) fn after_loss(&mut self, now: Now, name: &str, why: &'static str) {
        if self.users.registrar.live(now.instant, name).is_empty() {
            self.tell_user_gone(now, name, why);
        }
        self.note_bindings(now, name);
    }

    fn tell_user_gone(&mut self, now: Now, name: &str, why: &'static str) {
        self.log_limited(now, Level::Info, None, "user not registered any more", || format!("{name}: {why}"));
        self.effects.event(Event::UserUnregistered { user: name.to_owned() });
    }

    /// The bindings of a user have changed: what outlives a restart is kept.
    fn note_bindings(&mut self, now: Now, name: &str) {
        self.note_presence(now, name);
        let live = self.users.registrar.live(now.instant, name).into_iter();
        let bindings: Vec<StoredBinding> = live
            .filter(|binding| binding.flow.connection.is_none())
            .map(|binding| stored(now, name, binding))
            .collect();
        let had_any = if bindings.is_empty() {
            self.users.kept.remove(name)
        } else {
            self.users.kept.insert(name.to_owned());
            true
        };
        if had_any {
            self.effects.output(Output::KeepBindings { user: name.to_owned(), bindings });
        }
    }
}

/// A binding as it is kept.
fn stored(now: Now, user: &str, binding: Binding) -> StoredBinding {
    let expires = now.wall + binding.left(now.instant);
    StoredBinding {
        user: user.to_owned(),
        contact: binding.contact.to_string(),
        q: binding.q,
        instance: binding.instance,
        reg_id: binding.reg_id,
        call_id: binding.call_id.to_string(),
        cseq: binding.cseq,
        user_agent: binding.user_agent,
        transport: binding.flow.transport.as_str().to_owned(),
        local: binding.flow.local,
        remote: binding.flow.remote,
        expires: whole_seconds(expires),
    }
}
