//! Telephone events: DTMF digits in RTP (RFC 4733).

mod event;
mod habits;
mod press;
mod receiver;
mod sender;
#[cfg(test)]
mod tests;

pub use event::{PAYLOAD_LEN, TelephoneEvent, digit_of, event_of};
pub use receiver::{Receiver, Statistics};
pub use sender::{Outgoing, Sender};
