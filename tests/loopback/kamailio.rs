//! Kamailio as the provider, baresip as the telephone behind it: registration, calls in, calls out, over every
//! transport.

use super::harness::baresip::Baresip;
use super::harness::kamailio::{self, Kamailio, Transport};
use super::harness::slot::Slot;
use super::harness::{Gateway, Phone, Setup, seconds, sound};

pub(super) const OFFICE: &str = "+442079460123";
pub(super) const OURS: f64 = 500.0;
const BARESIPS: f64 = 900.0;
/// Seconds that baresip is there for.
const LENGTH: u64 = 24;

/// A gateway with a number at the provider, and the lobby for those who call it; more lines of the trunk.
pub(super) fn customer_of(kamailio: &Kamailio, transport: Transport, more: &str) -> Gateway {
    let tls = match transport {
        Transport::Tls => {
            format!("tls = {{ ca = \"{}\", name = \"{}\" }}", kamailio.authority().display(), kamailio::NAME)
        }
        Transport::Udp | Transport::Tcp => String::new(),
    };
    let routes = format!(
        r#"
[trunks.local]
allow = ["127.0.0.1"]

[trunks.provider]
address     = ["{}"]
transport   = "{}"
ping        = "5s"
username    = "acme"
password    = {{ env = "PROVIDER_PASSWORD" }}
realm       = "provider.example"
register    = true
number_from = ["to"]
caller_id   = "+442079460100"
{tls}
{more}

[rooms.lobby]
announce = "none"

[[routes]]
name   = "In"
from   = ["provider", "local"]
number = "2000"
room   = "lobby"

[[routes]]
name   = "Out"
from   = "sessions"
number = '\+4420\d+'
trunk  = "provider"
"#,
        kamailio.place(transport),
        transport.word()
    );
    let gateway = Setup::new().routes(&routes).environment("PROVIDER_PASSWORD", "correct horse").start();
    wait_for_registration(&gateway);
    gateway
}

fn wait_for_registration(gateway: &Gateway) {
    gateway.wait_for("the trunk is registered", seconds(30), |status| {
        status["trunks"].as_array().unwrap().iter().any(|trunk| trunk["state"] == "registered")
    });
}

/// Baresip calls the gateway by way of Kamailio, and the gateway calls baresip; each time it and a telephone of our own
/// hear each other.
fn calls_pass_both_ways(transport: Transport, algorithm: &str, trunk: &str, account: &str) {
    let _slot = Slot::take();
    let kamailio = Kamailio::start(algorithm);
    let gateway = customer_of(&kamailio, transport, trunk);
    // Digests are MD5 where nothing is said.
    let proof = kamailio.log().lines().find(|line| line.contains("acme proved itself")).unwrap().to_owned();
    assert_eq!(proof.contains("algorithm=sha-256"), algorithm == "SHA-256", "{proof}");

    let mut baresip = Baresip::registered(&kamailio.place(transport), transport.word(), BARESIPS, LENGTH, account);
    baresip.dial(&format!("sip:2000@{};transport={}", kamailio.place(transport), transport.word()));
    gateway.wait_for_members("lobby", 1);
    let heard_in = with_our_telephone(&gateway);
    baresip.hang_up();
    gateway.wait_for("nobody is left", seconds(10), |status| status["calls"].as_array().unwrap().is_empty());

    let dialled = std::thread::scope(|scope| {
        let dialled = scope.spawn(|| gateway.ctl(&["dial", "--room", "lobby", OFFICE]));
        baresip.wait_for("call: answering call");
        // It would not be heard before the call is up.
        gateway.wait_for("the call is up", seconds(10), |status| status["calls"][0]["state"] == "answered");
        baresip.keys("1");
        dialled.join().unwrap()
    });
    assert_eq!(dialled.code(), 0, "{}{}", dialled.output, dialled.errors);
    gateway.wait_for_members("lobby", 1);
    let heard_out = with_our_telephone(&gateway);
    baresip.hang_up();
    baresip.wait_for("terminated");
    let heard = baresip.finish_all(LENGTH);
    assert_eq!(heard.len(), 2, "calls of baresip");
    for (ours, baresips) in [(heard_in, &heard[0]), (heard_out, &heard[1])] {
        sound::assert_hears_other_not_own("the phone", &ours, BARESIPS, OURS);
        sound::assert_hears_other_not_own("baresip", baresips, OURS, BARESIPS);
    }
    let remains = gateway.finish();
    remains.assert_silent_about(&["correct horse", "inline:"]);
    let ways: Vec<_> = remains.records.iter().filter(|record| record["trunk"] == "provider").collect();
    assert_eq!(ways.len(), 2, "{:#?}", remains.records);
    assert_eq!((&ways[0]["way"], &ways[0]["cause"]), (&"in".into(), &"caller-hung-up".into()), "{}", ways[0]);
    assert_eq!((&ways[1]["way"], &ways[1]["cause"]), (&"out".into(), &"called-hung-up".into()), "{}", ways[1]);
    for record in ways {
        assert!(record["media"]["packets_received"].as_u64().unwrap() > 50, "{record}");
        assert_eq!(record["media"]["packets_forged"], 0, "{record}");
    }
}

pub(super) fn with_our_telephone(gateway: &Gateway) -> Vec<i16> {
    let phone = Phone::dials("2000").says(OURS).seconds(4.0).call(gateway);
    gateway.wait_for_members("lobby", 2);
    phone.finish().answered().heard
}

#[test]
fn over_udp_with_md5() {
    calls_pass_both_ways(Transport::Udp, "MD5", "", "");
}

#[test]
fn over_udp_with_sha_256() {
    calls_pass_both_ways(Transport::Udp, "SHA-256", "", "");
}

#[test]
fn over_tcp_with_md5() {
    calls_pass_both_ways(Transport::Tcp, "MD5", "", "");
}

#[test]
fn over_tcp_with_sha_256() {
    calls_pass_both_ways(Transport::Tcp, "SHA-256", "", "");
}

#[test]
fn over_tls_with_md5_and_srtp() {
    calls_pass_both_ways(Transport::Tls, "MD5", "srtp = \"opportunistic\"", ";mediaenc=srtp");
}

#[test]
fn over_tls_with_sha_256_and_srtp() {
    calls_pass_both_ways(Transport::Tls, "SHA-256", "srtp = \"required\"", ";mediaenc=srtp-mand");
}

/// Kamailio ends, and comes back without knowing who was registered; soon it knows again, and calls come in.
fn a_restart_is_survived(transport: Transport) {
    let mut kamailio = Kamailio::start("SHA-256");
    let gateway = customer_of(&kamailio, transport, "");
    kamailio.go_away();
    gateway.wait_for("the trunk is missed", seconds(40), |status| status["trunks"][1]["presence"] == "down");
    kamailio.come_back();
    gateway.wait_for("the trunk is there again", seconds(40), |status| status["trunks"][1]["presence"] == "up");
    wait_for_registration(&gateway);
    let proofs = || kamailio.log().matches("acme proved itself").count();
    super::harness::wait::until_true("it is registered anew", seconds(20), || proofs() >= 2);
    let baresip = Baresip::registered(&kamailio.place(transport), transport.word(), BARESIPS, 6, "");
    baresip.dial(&format!("sip:2000@{};transport={}", kamailio.place(transport), transport.word()));
    gateway.wait_for_members("lobby", 1);
    baresip.hang_up();
    baresip.finish_all(6);
    gateway.finish();
}

#[test]
fn a_restart_is_survived_over_udp() {
    a_restart_is_survived(Transport::Udp);
}

#[test]
fn a_restart_is_survived_over_tcp() {
    a_restart_is_survived(Transport::Tcp);
}

#[test]
fn a_restart_is_survived_over_tls() {
    a_restart_is_survived(Transport::Tls);
}
