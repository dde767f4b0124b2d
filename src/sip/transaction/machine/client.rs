//! Non-INVITE client transaction: RFC 3261 figure 6.

use super::{Action, TimerName as T};

/// Where the transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The request is out, nothing came back.
    Trying,
    /// A provisional response came.
    Proceeding,
    /// A final response came; its retransmissions are absorbed.
    Completed,
    /// To be forgotten.
    Terminated,
}

/// What can happen to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A response 100-199.
    Provisional,
    /// A response 200-699.
    Final,
    /// Timer E, F or K fired.
    Timer(T),
    /// The transport failed.
    TransportError,
}

/// What starting the transaction does.
pub const START: &[Action] = &[Action::Send, Action::Start(T::E), Action::Start(T::F)];

/// One row of the figure: the next state and what to do on the way.
#[must_use]
pub fn step(state: State, event: Event) -> (State, &'static [Action]) {
    use Action::{Again, AtT2, PassUp, ReportTimeout, ReportTransportError, Send, Start, Stop};
    use Event as E;
    use State::{Completed, Proceeding, Terminated, Trying};
    match (state, event) {
        (Trying, E::Timer(T::E)) => (Trying, &[Send, Again(T::E)]),
        (Proceeding, E::Timer(T::E)) => (Proceeding, &[Send, AtT2(T::E)]),
        (Trying | Proceeding, E::Timer(T::F)) => (Terminated, &[ReportTimeout]),
        (Trying | Proceeding, E::TransportError) => (Terminated, &[ReportTransportError]),
        (Trying | Proceeding, E::Provisional) => (Proceeding, &[PassUp]),
        (Trying | Proceeding, E::Final) => (Completed, &[Stop(T::E), Stop(T::F), Start(T::K), PassUp]),
        (Completed, E::Timer(T::K)) => (Terminated, &[]),
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
        let finished: &[Action] = &[Stop(T::E), Stop(T::F), Start(T::K), PassUp];
        let rows: &[(State, Event, State, &[Action])] = &[
            (Trying, E::Timer(T::E), Trying, &[Send, Again(T::E)]),
            (Trying, E::Timer(T::F), Terminated, &[ReportTimeout]),
            (Trying, E::TransportError, Terminated, &[ReportTransportError]),
            (Trying, E::Provisional, Proceeding, &[PassUp]),
            (Trying, E::Final, Completed, finished),
            (Proceeding, E::Timer(T::E), Proceeding, &[Send, AtT2(T::E)]),
            (Proceeding, E::Timer(T::F), Terminated, &[ReportTimeout]),
            (Proceeding, E::Provisional, Proceeding, &[PassUp]),
            (Proceeding, E::Final, Completed, finished),
            (Completed, E::Final, Completed, &[]),
            (Completed, E::Provisional, Completed, &[]),
            (Completed, E::TransportError, Completed, &[]),
            (Completed, E::Timer(T::K), Terminated, &[]),
        ];
        for (state, event, next, actions) in rows {
            assert_eq!(step(*state, *event), (*next, *actions), "{state:?} on {event:?}");
        }
    }
}
