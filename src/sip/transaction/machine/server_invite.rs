//! INVITE server transaction: RFC 3261 figure 7 with the Accepted state of RFC 6026 figure 5.

use super::{Action, TimerName as T};

/// Where the transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// No final response yet.
    Proceeding,
    /// A 2xx went out; its retransmission is the user's business.
    Accepted,
    /// A failure went out; the ACK is awaited.
    Completed,
    /// The ACK came; repeated ones are absorbed.
    Confirmed,
    /// To be forgotten.
    Terminated,
}

/// What can happen to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The INVITE came again.
    Invite,
    /// An ACK that matches the transaction.
    Ack,
    /// The user sends a response 101-199 (or 100).
    SendProvisional,
    /// The user sends a 2xx, for the first time or again.
    SendSuccess,
    /// The user sends a response 300-699.
    SendFailure,
    /// Timer G, H, I or L fired.
    Timer(T),
    /// The transport failed.
    #[cfg_attr(not(test), expect(dead_code, reason = "the figure has it; here a lost transport shows in the call"))]
    TransportError,
}

/// One row of the figure: the next state and what to do on the way. `Send` sends the latest response.
#[must_use]
pub fn step(state: State, event: Event) -> (State, &'static [Action]) {
    use Action::{Again, PassUp, ReportTimeout, ReportTransportError, Send, Start, Stop};
    use Event as E;
    use State::{Accepted, Completed, Confirmed, Proceeding, Terminated};
    match (state, event) {
        (Proceeding, E::Invite | E::SendProvisional) => (Proceeding, &[Send]),
        (Proceeding, E::SendSuccess) => (Accepted, &[Send, Start(T::L)]),
        (Proceeding, E::SendFailure) => (Completed, &[Send, Start(T::G), Start(T::H)]),
        (Proceeding, E::TransportError) => (Proceeding, &[ReportTransportError]),
        (Accepted, E::SendSuccess) => (Accepted, &[Send]),
        (Accepted, E::Ack) => (Accepted, &[PassUp]),
        (Accepted, E::Timer(T::L)) => (Terminated, &[]),
        (Completed, E::Invite) => (Completed, &[Send]),
        (Completed, E::Timer(T::G)) => (Completed, &[Send, Again(T::G)]),
        (Completed, E::Timer(T::H)) => (Terminated, &[ReportTimeout]),
        (Completed, E::Ack) => (Confirmed, &[Stop(T::G), Stop(T::H), Start(T::I)]),
        (Confirmed, E::Timer(T::I)) => (Terminated, &[]),
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
            (Proceeding, E::Invite, Proceeding, &[Send]),
            (Proceeding, E::SendProvisional, Proceeding, &[Send]),
            (Proceeding, E::SendSuccess, Accepted, &[Send, Start(T::L)]),
            (Proceeding, E::SendFailure, Completed, &[Send, Start(T::G), Start(T::H)]),
            (Proceeding, E::TransportError, Proceeding, &[ReportTransportError]),
            (Proceeding, E::Ack, Proceeding, &[]),
            (Accepted, E::Invite, Accepted, &[]),
            (Accepted, E::SendSuccess, Accepted, &[Send]),
            (Accepted, E::Ack, Accepted, &[PassUp]),
            (Accepted, E::SendFailure, Accepted, &[]),
            (Accepted, E::Timer(T::L), Terminated, &[]),
            (Completed, E::Invite, Completed, &[Send]),
            (Completed, E::Timer(T::G), Completed, &[Send, Again(T::G)]),
            (Completed, E::Timer(T::H), Terminated, &[ReportTimeout]),
            (Completed, E::Ack, Confirmed, &[Stop(T::G), Stop(T::H), Start(T::I)]),
            (Confirmed, E::Ack, Confirmed, &[]),
            (Confirmed, E::Invite, Confirmed, &[]),
            (Confirmed, E::Timer(T::I), Terminated, &[]),
        ];
        for (state, event, next, actions) in rows {
            assert_eq!(step(*state, *event), (*next, *actions), "{state:?} on {event:?}");
        }
    }
}
