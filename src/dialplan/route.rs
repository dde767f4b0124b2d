//! Which route a call takes: the first that matches, top to bottom.

use super::{Origin, Plan, Route, RouteTarget};
use std::sync::Arc;

/// The route for a call from `origin` to `number` (normalised). Allocates nothing.
#[must_use]
pub fn find<'plan>(plan: &'plan Plan, origin: &Origin, number: &str) -> Option<&'plan Arc<Route>> {
    plan.routes.iter().find(|route| miss(plan, route, origin, number).is_none())
}

/// Why a route did not match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Miss {
    /// It takes no calls from there.
    Origin,
    /// The number is another.
    Number,
    /// The number names no room that has `invited_call`, and the route is for such alone.
    Room,
}

/// What was decided, and what stood in the way of each route above it.
#[derive(Debug, Clone)]
pub struct Decision<'plan> {
    /// The route taken.
    pub route: Option<&'plan Arc<Route>>,
    /// The routes above it (all routes, if none was taken), each with why it did not match.
    pub passed: Vec<(&'plan Arc<Route>, Miss)>,
}

/// Routes that [`Decision::no_route`] names.
const NAMED: usize = 16;

impl Decision<'_> {
    /// The room in the number, and that there is one or not, where what was decided tells so. Where the number leads to a
    /// scenario in any case it tells nothing.
    #[must_use]
    pub fn told_room<'number>(&self, number: &'number str) -> Option<(&'number str, bool)> {
        let is_one = self.route.is_some_and(|route| route.for_room.is_some());
        let route = match self.route {
            Some(route) if is_one => route,
            Some(route) if matches!(route.target, RouteTarget::Scenario(_)) => return None,
            _ => self.passed.iter().find(|(_, miss)| *miss == Miss::Room)?.0,
        };
        Some((route.for_room.as_ref()?.room(number)?, is_one))
    }

    /// Why no route was taken, in words: each that was looked at, and what stood in its way.
    #[must_use]
    pub fn no_route(&self) -> String {
        if self.passed.is_empty() {
            return "there are no routes".into();
        }
        let why = |miss: &Miss| match miss {
            Miss::Origin => "takes no calls from there",
            Miss::Number => "is for another number",
            Miss::Room => "there is no such room",
        };
        let misses = self.passed.iter().map(|(route, miss)| format!("{} ({})", route.name, why(miss)));
        format!("no route matches: {}", misses.take(NAMED).collect::<Vec<_>>().join(", "))
    }
}

/// As [`find`], with the reasons.
#[must_use]
pub fn decide<'plan>(plan: &'plan Plan, origin: &Origin, number: &str) -> Decision<'plan> {
    let mut passed = Vec::new();
    for route in &plan.routes {
        match miss(plan, route, origin, number) {
            None => return Decision { route: Some(route), passed },
            Some(why) => passed.push((route, why)),
        }
    }
    Decision { route: None, passed }
}

fn miss(plan: &Plan, route: &Route, origin: &Origin, number: &str) -> Option<Miss> {
    let is_there = |name| plan.room(name).is_some_and(|room| room.invited_call.is_some());
    if !route.from.contains(origin) {
        Some(Miss::Origin)
    } else if !route.number.matches(number) {
        Some(Miss::Number)
    } else if route.for_room.as_ref().is_some_and(|of| !of.room(number).is_some_and(is_there)) {
        Some(Miss::Room)
    } else {
        None
    }
}
