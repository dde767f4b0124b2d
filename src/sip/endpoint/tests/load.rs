//! How fast one core sets calls up and tears them down. Not a check: run it by name, with optimisation.

use super::super::*;
use super::raw::{inside, invite};
use super::{Raw, ms, sdp};
use crate::sip::message::{HeaderName as H, Message, Method};

#[test]
#[ignore = "a measurement; run it by name"]
#[expect(clippy::disallowed_methods, clippy::print_stdout, reason = "it measures, and says what")]
fn calls_a_second() {
    const CALLS: u32 = 20_000;
    let mut raw = Raw::new();
    let began = std::time::Instant::now();
    for at in 0..CALLS {
        let mut invite = invite(&format!("i{at}"));
        invite.headers.set(H::CallId, format!("c{at}"));
        raw.receive(&Message::Request(invite));
        raw.sent();
        let Some(Event::Incoming { invite: id, .. }) = raw.events.pop() else { panic!() };
        let now = raw.now;
        raw.endpoint.provisional(now, id, StatusCode::RINGING, None).unwrap();
        raw.endpoint.accept(now, id, sdp("ours")).unwrap();
        let ok = raw.responses().pop().unwrap();
        for (method, cseq) in [(Method::Ack, 1), (Method::Bye, 2)] {
            let mut request = inside(&ok, method, cseq, &format!("{cseq}x{at}"));
            request.headers.set(H::CallId, format!("c{at}"));
            raw.receive(&Message::Request(request));
        }
        raw.sent();
        raw.events.clear();
        if at % 3 == 0 {
            raw.wait(ms(1));
        }
    }
    let took = began.elapsed();
    println!(
        "{CALLS} calls in {took:?}, the peer's side included: {:.0} a second",
        f64::from(CALLS) / took.as_secs_f64()
    );
    raw.finish();
}
