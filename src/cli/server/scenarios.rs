//! What concerns scenarios, on its way to their threads.

use super::{Server, now};
use crate::gateway::{Input, Output};
use crate::scenarios::Scenarios;

impl Server {
    /// The same server with the scenarios whose wishes it hears of.
    pub(in crate::cli) fn with_scenarios(mut self, scenarios: Scenarios) -> Self {
        self.scenarios = Some(scenarios);
        self
    }

    /// Starts a scenario, tells it something, or ends it. Where that fails, its session is over.
    pub(super) fn tell_scenario(&mut self, output: Output) {
        let Some(all) = &mut self.scenarios else { return };
        let (session, done) = match output {
            Output::StartSession { session, scenario, .. } => (session, all.start(session, scenario)),
            Output::SessionEvent { session, event } => (session, all.tell(session, event)),
            Output::StreamOpened { session, stream, end } => return all.stream(session, stream, end),
            Output::SessionOver { session, .. } => return all.end(session),
            _ => return,
        };
        if let Err(cause) = done {
            self.gateway.handle_input(now(), Input::SessionFailed { session, cause });
        }
    }
}
