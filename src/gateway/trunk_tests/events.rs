//! What programs that follow the gateway learn of trunks and reloads.

use super::*;

impl Bench {
    /// The events since the last look.
    fn events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }
}

fn trunk() -> String {
    "carrier".to_owned()
}

#[test]
fn registered_is_an_event_again_only_after_a_failure_or_a_lost_connection() {
    let registered = || Event::Registered { trunk: trunk(), expires: 3_600 };
    let mut bench = Bench::registering();
    let by_tcp = Flow { transport: Transport::Tcp, ..flow(11) };
    bench.input(Input::Resolved { trunk: trunk(), found: vec![by_tcp].into() });
    bench.run(secs(1), &[11]);
    assert_eq!(bench.events(), [registered()]);
    bench.run(secs(7_200), &[11]);
    assert_eq!(bench.events(), [], "refreshes");
    bench.input(Input::Sip(sip::Input::FlowClosed { flow: Flow { connection: Some(7), ..by_tcp } }));
    assert_eq!(bench.events(), [Event::RegistrationLost { trunk: trunk() }]);
    assert_eq!(bench.status().state, "trying");
    bench.run(secs(4), &[]);
    let (flow, request) = bench.last(&Method::Register);
    bench.answer(flow, &request, 403, None);
    let why = "the registrar refuses this account".to_owned();
    assert_eq!(bench.events(), [Event::RegistrationFailed { trunk: trunk(), status: 403, why }]);
    bench.sent.clear();
    bench.run(secs(7_200), &[11]);
    assert_eq!(bench.events(), [registered()]);
}

#[test]
fn a_trunk_that_goes_down_and_comes_back_is_an_event_each() {
    let mut bench = Bench::new("ping = \"30s\"");
    bench.found(&[11]);
    bench.run(secs(10), &[11]);
    bench.run(secs(90), &[]);
    bench.sent.clear();
    bench.run(secs(90), &[11]);
    let (up, why) = (Event::TrunkUp { trunk: trunk() }, "it does not answer".to_owned());
    assert_eq!(bench.events(), [up.clone(), Event::TrunkDown { trunk: trunk(), why }, up]);
}

#[test]
fn a_reload_is_an_event_that_names_what_needs_a_restart() {
    let mut bench = Bench::new("ping = \"off\"");
    let plan = Bench::new("ping = \"off\"\n[gateway]\nmedia_threads = 1").plan;
    bench.input(Input::Reload(plan));
    assert_eq!(bench.events(), [Event::Reloaded { routes: 1, restart_needed: vec!["media_threads"] }]);
}
