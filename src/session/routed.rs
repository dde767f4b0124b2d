//! From a route of the dialplan to the session of the calls that take it.

use super::{Direct, Event, Invitation, Invited, Ivr, Session, ToUser, Verbs};
use crate::dialplan::{Plan, RoomTemplate, Route, RouteTarget, Scenario};
use std::sync::Arc;
use std::time::Duration;

/// A running session and what the gateway must know about it.
#[derive(Debug)]
pub struct Running {
    kind: Kind,
    language: String,
}

/// The sessions a dialplan can lead to.
#[derive(Debug)]
enum Kind {
    /// A greeting and a PIN.
    Ivr(Ivr),
    /// Straight into a room.
    Direct(Direct),
    /// To a user.
    ToUser(ToUser),
    /// A call of ours into a room.
    Invitation(Invitation),
    /// A scenario, which runs elsewhere.
    Scenario(Arc<Scenario>),
}

/// The session for one call that takes `route`; `None` where the route refuses its calls. It keeps what it needs of the
/// dialplan, so that a reload changes nothing for it.
#[must_use]
pub fn for_route(plan: &Plan, route: &Route) -> Option<Running> {
    let (kind, language) = match &route.target {
        RouteTarget::Ivr(ivr) => (Kind::Ivr(Ivr::new(Arc::clone(ivr), route.answer_after)), &ivr.language),
        RouteTarget::Room(room) => {
            (Kind::Direct(Direct::new(room.clone(), route.answer_after)), &plan.gateway.language)
        }
        RouteTarget::User(user) => (Kind::ToUser(ToUser::new(user.clone())), &plan.gateway.language),
        RouteTarget::Scenario(scenario) => (Kind::Scenario(Arc::clone(scenario)), &plan.gateway.language),
        RouteTarget::Direct | RouteTarget::Trunks(_) | RouteTarget::Reject(_) => return None,
    };
    let language = route.language.as_ref().unwrap_or(language).clone();
    Some(Running { kind, language })
}

impl Running {
    /// The session of one who goes straight into the room of that name.
    #[must_use]
    pub fn into_room(plan: &Plan, room: &str) -> Self {
        let direct = Direct::new(RoomTemplate::plain(room), Duration::ZERO);
        Self { kind: Kind::Direct(direct), language: plan.gateway.language.clone() }
    }

    /// The session that calls somebody into a room.
    #[must_use]
    pub fn inviting(plan: &Plan, invited: Invited) -> Self {
        Self { kind: Kind::Invitation(Invitation::new(invited)), language: plan.gateway.language.clone() }
    }

    /// The language its prompts are played in.
    #[must_use]
    pub fn language(&self) -> &str {
        &self.language
    }

    /// The scenario, where it is one: it runs elsewhere, is told of events there, and answers when it likes.
    #[must_use]
    pub const fn scenario(&self) -> Option<&Arc<Scenario>> {
        if let Kind::Scenario(scenario) = &self.kind { Some(scenario) } else { None }
    }

    /// As [`Session::handle`]. A scenario does nothing here.
    pub fn handle(&mut self, event: &Event, out: &mut Verbs) {
        match &mut self.kind {
            Kind::Ivr(session) => session.handle(event, out),
            Kind::Direct(session) => session.handle(event, out),
            Kind::ToUser(session) => session.handle(event, out),
            Kind::Invitation(session) => session.handle(event, out),
            Kind::Scenario(_) => {}
        }
    }
}

impl Session for Running {
    fn handle(&mut self, event: &Event, out: &mut Verbs) {
        self.handle(event, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialplan::{Loaded, Trusting, parse};
    use crate::session::testing::*;

    const PLAN: &str = r#"
[gateway]
language = "en-GB"

[trunks.carrier]
allow = ["203.0.113.0/24"]

[ivr.french]
language = "fr-FR"
say      = { text = "Bonjour" }
collect  = { digits = "4" }
then     = { room = "conf_{digits}" }

[[routes]]
name   = "Lobby"
from   = "carrier"
number = "1"
room   = "lobby"
language = "en-US"
answer_after = "2s"

[[routes]]
name   = "French"
from   = "carrier"
number = "2"
ivr    = "french"

[[routes]]
name   = "Nobody"
from   = "carrier"
number = ".*"
reject = 486
"#;

    #[test]
    fn each_route_gets_its_session_and_its_language() {
        let Loaded { plan, .. } = parse("dialplan.toml", PLAN, &Trusting).unwrap();
        let session = |n: usize| for_route(&plan, &plan.routes[n]);
        let mut lobby = session(0).unwrap();
        assert_eq!(lobby.language(), "en-US");
        play_through(&mut lobby, &[(incoming("1"), "ring; timer1 2s")]);
        let mut french = session(1).unwrap();
        assert_eq!(french.language(), "fr-FR");
        let greet = "clear1; play1 'Bonjour'; collect 4-4; timer2 210s";
        play_through(&mut french, &[(incoming("2"), "answer; timer1 45s"), (answered(), greet)]);
        assert!(session(2).is_none());
    }
}
