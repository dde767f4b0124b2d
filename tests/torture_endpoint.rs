//! The torture messages through a whole endpoint: each has the outcome its table says.

use std::net::SocketAddr;
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use partyline::sip::endpoint::{Admission, Admitted, Endpoint, EndpointConfig, Event, Flow, Input, Output, Policy};
use partyline::sip::message::{Message, Request, Transport};
use partyline::types::Now;

use crate::torture::{self, Outcome, RFC4475};
use crate::{torture_ipv6, torture_own};

struct Open;

impl Policy for Open {
    fn admit(&mut self, _: &Request, _: &Flow) -> Admission {
        Admission::Accept(Admitted::default())
    }
}

#[expect(clippy::disallowed_methods, reason = "a test needs some origin; it never reads the clock again")]
fn origin() -> Instant {
    Instant::now()
}

/// What an endpoint of its own does with a message: the statuses it answers with, and whether a call came in.
fn feed(bytes: &Bytes, remote: &str) -> (Vec<u16>, bool) {
    let mut now = Now { instant: origin(), wall: SystemTime::UNIX_EPOCH };
    let mut endpoint = Endpoint::new(EndpointConfig::default(), partyline::types::Seed::fixed(4475));
    let remote: SocketAddr = remote.parse().unwrap();
    let local = if remote.is_ipv4() { "192.0.2.1:5060" } else { "[2001:db8::1]:5060" }.parse().unwrap();
    let flow = Flow { transport: Transport::Udp, local, remote, connection: None };
    endpoint.handle_input(now, Input::Message { flow, bytes: bytes.clone() }, &mut Open);
    let (mut statuses, mut call) = (Vec::new(), false);
    while let Some(output) = endpoint.poll_output() {
        match output {
            Output::Transmit { bytes, .. } => {
                let message = Message::parse(&bytes).expect("what we send can be read");
                statuses.push(message.response().expect("nothing was asked").status.0);
            }
            Output::Event(Event::Incoming { .. }) => call = true,
            Output::Event(_) | Output::Trace(_) => {}
        }
    }
    while let Some(at) = endpoint.poll_timeout() {
        now = now.after(at.saturating_duration_since(now.instant));
        endpoint.handle_timeout(now);
    }
    assert!(endpoint.is_idle(), "{:?}", endpoint.counts());
    (statuses, call)
}

fn expect(name: &str, bytes: &Bytes, outcome: Outcome, remote: &str) {
    let (statuses, call) = feed(bytes, remote);
    let is_response = bytes.trim_ascii_start().starts_with(b"SIP/");
    let is_ack = bytes.trim_ascii_start().starts_with(b"ACK");
    match outcome {
        Outcome::Reject(status) => assert_eq!((statuses, call), (vec![status], false), "{name}"),
        Outcome::Ignore => assert_eq!((statuses, call), (Vec::new(), false), "{name}"),
        Outcome::Accept if is_response || is_ack => assert!(statuses.is_empty() && !call, "{name}: {statuses:?}"),
        Outcome::Accept => {
            // What an endpoint says to a message it has nothing against: it takes the call, answers OPTIONS, has no
            // use for the method, or does not know the dialog.
            assert_eq!(statuses.len(), 1, "{name}");
            assert!([100, 200, 405, 481].contains(&statuses[0]), "{name}: {statuses:?}");
            assert_eq!(call, statuses[0] == 100, "{name}");
        }
    }
}

#[test]
fn the_messages_of_rfc_4475_have_their_outcomes_at_an_endpoint() {
    let Some(messages) = torture::messages() else {
        eprintln!("skipped: no ../shared/rfc4475");
        return;
    };
    for (case, bytes) in messages {
        expect(case.name, &bytes, case.outcome, "192.0.2.9:5060");
    }
}

#[test]
fn our_own_messages_with_the_same_faults_have_the_same_outcomes_at_an_endpoint() {
    for (name, bytes) in torture_own::messages() {
        let case = RFC4475.iter().find(|case| case.name == name).expect("each fault has a row");
        expect(name, &bytes, case.outcome, "192.0.2.9:5060");
    }
}

#[test]
fn the_situations_of_rfc_5118_have_their_outcomes_at_an_endpoint() {
    for case in &torture_ipv6::RFC5118 {
        expect(case.name, &case.bytes(), case.outcome, "[2001:db8::9]:5060");
    }
}
