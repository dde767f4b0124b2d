//! INVITE client transaction: RFC 3261 figure 5 with the Accepted state of RFC 6026 figure 3.

use super::{Action, TimerName as T};

/// Where the transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The request is out, nothing came back.
    Calling,
    /// A provisional response came.
    Proceeding,
    /// A 2xx came; more of them may.
    Accepted,
    /// A failure came and was acknowledged.
    Completed,
    /// To be forgotten.
    Terminated,
}

/// What can happen to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A response 100-199.
    Provisional,
    /// A response 200-299.
    Success,
    /// A response 300-699.
    Failure,
    /// Timer A, B, D or M fired.
    Timer(T),
    /// The transport failed.
    TransportError,
}

/// What starting the transaction does.
pub const START: &[Action] = &[Action::Send, Action::Start(T::A), Action::Start(T::B)];

/// One row of the figure: the next state and what to do on the way.
#[must_use]
pub fn step(state: State, event: Event) -> (State, &'static [Action]) {
    use Action::{Ack, Again, PassUp, ReportTimeout, ReportTransportError, Send, Start, Stop};
    use Event as E;
    use State::{Accepted, Calling, Completed, Proceeding, Terminated};
    match (state, event) {
        (Calling, E::Timer(T::A)) => (Calling, &[Send, Again(T::A)]),
        (Calling, E::Timer(T::B)) => (Terminated, &[ReportTimeout]),
        (Calling | Proceeding, E::TransportError) => (Terminated, &[ReportTransportError]),
        (Calling, E::Provisional) => (Proceeding, &[Stop(T::A), Stop(T::B), PassUp]),
        (Proceeding, E::Provisional) => (Proceeding, &[PassUp]),
        (Calling | Proceeding, E::Success) => (Accepted, &[Stop(T::A), Stop(T::B), Start(T::M), PassUp]),
        (Calling | Proceeding, E::Failure) => (Completed, &[Stop(T::A), Stop(T::B), Ack, Start(T::D), PassUp]),
        (Accepted, E::Success) => (Accepted, &[PassUp]),
        (Accepted, E::Timer(T::M)) => (Terminated, &[]),
        (Completed, E::Failure) => (Completed, &[Ack]),
        (Completed, E::Timer(T::D)) | (Completed, E::TransportError) => (Terminated, &[]),
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
        let final_stop: &[Action] = &[Stop(T::A), Stop(T::B), Start(T::M), PassUp];
        let failed: &[Action] = &[Stop(T::A), Stop(T::B), Ack, Start(T::D), PassUp];
        let rows: &[(State, Event, State, &[Action])] = &[
            (Calling, E::Timer(T::A), Calling, &[Send, Again(T::A)]),
            (Calling, E::Timer(T::B), Terminated, &[ReportTimeout]),
            (Calling, E::TransportError, Terminated, &[ReportTransportError]),
            (Calling, E::Provisional, Proceeding, &[Stop(T::A), Stop(T::B), PassUp]),
            (Calling, E::Success, Accepted, final_stop),
            (Calling, E::Failure, Completed, failed),
            (Proceeding, E::Provisional, Proceeding, &[PassUp]),
            (Proceeding, E::Success, Accepted, final_stop),
            (Proceeding, E::Failure, Completed, failed),
            (Proceeding, E::Timer(T::B), Proceeding, &[]),
            (Accepted, E::Success, Accepted, &[PassUp]),
            (Accepted, E::Provisional, Accepted, &[]),
            (Accepted, E::Failure, Accepted, &[]),
            (Accepted, E::Timer(T::M), Terminated, &[]),
            (Completed, E::Failure, Completed, &[Ack]),
            (Completed, E::Success, Completed, &[]),
            (Completed, E::Provisional, Completed, &[]),
            (Completed, E::Timer(T::D), Terminated, &[]),
            (Completed, E::TransportError, Terminated, &[]),
        ];
        for (state, event, next, actions) in rows {
            assert_eq!(step(*state, *event), (*next, *actions), "{state:?} on {event:?}");
        }
    }
}
