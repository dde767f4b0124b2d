//! What concerns scenarios, on its way to their threads.

use super::{Server, now};
use crate::gateway::{Input, Output};
use crate::http::{SessionAnswer, SessionRequest, SessionUnasked};
use crate::scenarios::{Scenarios, Unasked};
use crate::session::scenario::HttpRequest;

impl Server {
    /// The same server with the scenarios whose wishes it hears of.
    pub(in crate::cli) fn with_scenarios(mut self, scenarios: Scenarios) -> Self {
        self.scenarios = Some(scenarios);
        self
    }

    /// Somebody asks the session of that key by HTTP.
    pub(super) fn ask_session(&mut self, key: &str, request: SessionRequest) -> SessionAnswer {
        let SessionRequest { method, path, content } = request;
        let all = self.scenarios.as_mut().ok_or(SessionUnasked::Nobody)?;
        all.request(key, HttpRequest { method, path, content }).map_err(|why| match why {
            Unasked::Nobody => SessionUnasked::Nobody,
            Unasked::Busy => SessionUnasked::Busy,
        })
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
