//! Non-INVITE server transaction: RFC 3261 figure 8.

use super::{Action, TimerName as T};

/// Where the transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// No response yet.
    Trying,
    /// A provisional response went out.
    Proceeding,
    /// The final response went out.
    Completed,
    /// To be forgotten.
    Terminated,
}

/// What can happen to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The request came again.
    Request,
    /// The user sends a response 100-199.
    SendProvisional,
    /// The user sends a response 200-699.
    SendFinal,
    /// Timer J fired.
    Timer(T),
    /// The transport failed.
    #[cfg_attr(not(test), expect(dead_code, reason = "the figure has it; here a lost transport shows in the call"))]
    TransportError,
}

/// One row of the figure: the next state and what to do on the way. `Send` sends the latest response.
#[must_use]
pub fn step(state: State, event: Event) -> (State, &'static [Action]) {
    use Action::{ReportTransportError, Send, Start};
    use Event as E;
    use State::{Completed, Proceeding, Terminated, Trying};
    match (state, event) {
        (Trying | Proceeding, E::SendProvisional) => (Proceeding, &[Send]),
        (Trying | Proceeding, E::SendFinal) => (Completed, &[Send, Start(T::J)]),
        (Proceeding | Completed, E::Request) => (state, &[Send]),
        (Proceeding | Completed, E::TransportError) => (Terminated, &[ReportTransportError]),
        (Completed, E::Timer(T::J)) => (Terminated, &[]),
        (state, _) => (state, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::*;
    use State::*;

    #[test]
    fn the_table_is_the_figure() {
        type E = Event;
        let rows: &[(State, Event, State, &[Action])] = &[
            (Trying, E::Request, Trying, &[]),
            (Trying, E::SendProvisional, Proceeding, &[Send]),
            (Trying, E::SendFinal, Completed, &[Send, Start(T::J)]),
            (Proceeding, E::Request, Proceeding, &[Send]),
            (Proceeding, E::SendProvisional, Proceeding, &[Send]),
            (Proceeding, E::SendFinal, Completed, &[Send, Start(T::J)]),
            (Proceeding, E::TransportError, Terminated, &[ReportTransportError]),
            (Completed, E::Request, Completed, &[Send]),
            (Completed, E::SendFinal, Completed, &[]),
            (Completed, E::TransportError, Terminated, &[ReportTransportError]),
            (Completed, E::Timer(T::J), Terminated, &[]),
        ];
        for (state, event, next, actions) in rows {
            assert_eq!(step(*state, *event), (*next, *actions), "{state:?} on {event:?}");
        }
    }
}
