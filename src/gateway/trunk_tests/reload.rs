//! A reload begins anew what it changed, and nothing else.

use super::*;

const TRUNK: &str = "register = true\nping = \"off\"\nusername = \"acme\"\npassword = { env = \"P\" }";

/// Registered at host 11, and nothing sent since.
fn registered(gateway: &str, trunk: &str) -> Bench {
    let mut bench = bench(gateway, trunk);
    bench.found(&[11]);
    bench.run(secs(1), &[11]);
    assert_eq!(bench.status().state, "registered");
    bench.sent.clear();
    bench
}

fn bench(gateway: &str, trunk: &str) -> Bench {
    Bench::new(&format!("{trunk}\n[gateway]\n{gateway}\n"))
}

impl Bench {
    fn reload(&mut self, gateway: &str, trunk: &str) {
        let plan = bench(gateway, trunk).plan;
        self.input(Input::Reload(plan));
    }

    fn registers(&self) -> Vec<&SipRequest> {
        let all = self.sent.iter().map(|(_, request)| request);
        all.filter(|request| request.method == Method::Register).collect()
    }
}

#[test]
fn a_limit_that_changes_keeps_servers_registration_and_known_connections() {
    let by_tls = Flow { transport: Transport::Tls, connection: Some(7), ..flow(99) };
    let mut bench = registered("", TRUNK);
    bench.input(Input::Sip(sip::Input::FlowIdentified { flow: by_tls, peer: "carrier".into() }));
    bench.reload("", &format!("{TRUNK}\nmax_calls = 3\ncaller_id = \"+442079460100\""));
    // The DNS is down just then.
    bench.found(&[]);
    bench.run(secs(2), &[]);
    assert!(bench.registers().is_empty(), "{:?}", bench.registers());
    let status = bench.status();
    assert_eq!((status.state.as_str(), status.server.as_str()), ("registered", "udp:192.0.2.11:5060"));
    assert_eq!(bench.gateway.trunks.by_certificate(&by_tls), Some("carrier"));
}

#[test]
fn an_account_that_changes_is_registered_at_the_servers_that_are_known() {
    let mut bench = registered("", TRUNK);
    bench.reload("", &TRUNK.replace("acme", "apex"));
    let sent = bench.registers();
    let of = |user: &str| sent.iter().filter(|request| request.to().unwrap().to_string().contains(user)).count();
    assert_eq!((of("acme"), of("apex")), (1, 1), "one given up and one made: {sent:?}");
    bench.run(secs(1), &[11]);
    assert_eq!(bench.status().state, "registered");
}

#[test]
fn a_trunk_that_is_reached_in_another_way_is_looked_for_anew() {
    let mut bench = registered("", TRUNK);
    let lookups = bench.lookups;
    bench.reload("", &format!("{TRUNK}\ntransport = \"tcp\""));
    assert_eq!((bench.lookups, bench.status().server.as_str()), (lookups + 1, ""));
}

#[test]
fn a_public_address_that_is_taken_away_or_changed_is_told_to_the_registrar_at_once() {
    let mut bench = registered("public_address = \"203.0.113.7\"", TRUNK);
    let contact = |bench: &Bench| {
        let sent = bench.registers();
        sent.last().map(|request| String::from_utf8_lossy(request.headers.get(&H::Contact).unwrap()).into_owned())
    };
    bench.reload("public_address = \"203.0.113.8\"", TRUNK);
    assert!(contact(&bench).unwrap().contains("203.0.113.8"));
    bench.run(secs(1), &[11]);
    bench.sent.clear();
    bench.reload("", TRUNK);
    let told = contact(&bench).unwrap();
    assert!(!told.contains("203.0.113"), "{told}");
    bench.run(secs(1), &[11]);
    // The answer of the DNS that the reload asked for does not bring it back.
    bench.found(&[11]);
    bench.sent.clear();
    bench.reload("", TRUNK);
    assert!(bench.registers().is_empty());
}

#[test]
fn settings_that_need_a_restart_are_named_each() {
    let mut bench = bench("", TRUNK);
    bench.reload("max_calls = 7", TRUNK);
    assert!(!bench.log.iter().any(|line| line.contains("restart")), "{:?}", bench.log);
    bench.reload("dscp = 0\nrtp_ports = \"30000-30999\"", TRUNK);
    for name in ["gateway.dscp", "gateway.rtp_ports"] {
        assert!(bench.log.iter().any(|line| line.contains("restart needed") && line.contains(name)), "{:?}", bench.log);
    }
}
