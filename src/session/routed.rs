//! From a route of the dialplan to the session of the calls that take it.

use super::{Direct, Event, Ivr, Session, Verb, Verbs};
use crate::dialplan::{Route, RouteTarget};
use std::sync::Arc;

/// The session of one call that took a route.
#[derive(Debug)]
pub enum RouteSession {
    /// A greeting and a PIN.
    Ivr(Ivr),
    /// Straight into a room.
    Direct(Direct),
    /// The route refuses its calls.
    Refuse(Refuse),
}

/// The session for one call that takes `route`. It keeps what it needs of the dialplan, so that a reload changes
/// nothing for it.
#[must_use]
pub fn for_route(route: &Route) -> RouteSession {
    match &route.target {
        RouteTarget::Ivr(ivr) => RouteSession::Ivr(Ivr::new(Arc::clone(ivr), route.answer_after)),
        RouteTarget::Room(room) => RouteSession::Direct(Direct::new(room.clone(), route.answer_after)),
        RouteTarget::Reject(status) => RouteSession::Refuse(Refuse { status: *status }),
    }
}

impl Session for RouteSession {
    fn handle(&mut self, event: &Event, out: &mut Verbs) {
        match self {
            Self::Ivr(session) => session.handle(event, out),
            Self::Direct(session) => session.handle(event, out),
            Self::Refuse(session) => session.handle(event, out),
        }
    }
}

/// Refuses its call with a status and ends.
#[derive(Debug)]
pub struct Refuse {
    /// SIP status, 400 to 699.
    status: u16,
}

impl Session for Refuse {
    fn handle(&mut self, event: &Event, out: &mut Verbs) {
        if let Event::Incoming { call, .. } = event {
            out.push(Verb::Reject { call: *call, status: self.status });
            out.push(Verb::EndSession);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialplan::{Origin, Pattern, RoomTemplate};
    use crate::session::testing::*;
    use std::time::Duration;

    fn session(target: RouteTarget) -> RouteSession {
        for_route(&Route {
            name: "In".into(),
            line: 1,
            from: vec![Origin::Users],
            number: Pattern::new(".*").unwrap(),
            answer_after: Duration::from_secs(2),
            target,
        })
    }

    #[test]
    fn a_route_that_refuses_gives_its_status_and_no_more() {
        let script = [(incoming("1"), "reject 486; end"), (ended(), "")];
        play_through(&mut session(RouteTarget::Reject(486)), &script);
    }

    #[test]
    fn a_route_to_a_room_rings_as_long_as_it_says() {
        let room = RoomTemplate::parse("lobby").unwrap();
        play_through(&mut session(RouteTarget::Room(room)), &[(incoming("1"), "ring; timer1 2s")]);
    }
}
