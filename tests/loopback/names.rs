//! Trunks that are found by names, in a DNS of the test's own.

use super::harness::dns::{Dns, Manner};
use super::harness::{Family, Gateway, Setup, Sipp, seconds};
use nix::sys::signal::Signal;
use std::net::{Ipv6Addr, UdpSocket};
use std::time::Duration;

const NUMBER: &str = "+442079460123";

/// A gateway that asks `dns`, with a trunk at `carrier.test`.
fn looks_up_at(dns: &Dns, trunk: &str) -> Gateway {
    let routes = format!(
        "[trunks.carrier]\naddress = \"carrier.test\"\nping = \"off\"\ncaller_id = \"+442079460100\"\n{trunk}\n\
         [rooms.standup]\nannounce = \"none\"\n\
         [[routes]]\nname = \"Out\"\nfrom = \"sessions\"\nnumber = '\\+4420\\d+'\ntrunk = \"carrier\"\nconfirm = false\n"
    );
    Setup::new().routes(&routes).setting(&dns.setting()).start()
}

fn wait_for_server(gateway: &Gateway, server: &str) {
    gateway.wait_for(&format!("{server} is found"), seconds(15), |status| status["trunks"][0]["server"] == server);
}

fn call_is_answered(gateway: &Gateway) {
    let dialled = gateway.ctl(&["dial", "--room", "standup", NUMBER]);
    assert_eq!(dialled.code(), 0, "{}{}\n{}", dialled.output, dialled.errors, gateway.log());
    gateway.wait_for("the call is over", seconds(15), |status| status["calls"].as_array().unwrap().is_empty());
}

#[test]
fn a_slow_dns_leads_by_naptr_and_srv_to_tcp() {
    let carrier = Sipp::new("is_called").tcp().listen(Family::V4);
    let dns = Dns::start()
        .naptr("carrier.test", 20, "SIP+D2U", "_sip._udp.carrier.test")
        .naptr("carrier.test", 10, "SIP+D2T", "_sip._tcp.elsewhere.test")
        .srv("_sip._tcp.elsewhere.test", (10, 60), "pbx.elsewhere.test", carrier.port)
        .srv("_sip._udp.carrier.test", (1, 1), "pbx.elsewhere.test", 9)
        .address("pbx.elsewhere.test", carrier.address);
    dns.behave(Manner::Answers(Duration::from_millis(300)));
    let gateway = looks_up_at(&dns, "");
    wait_for_server(&gateway, &format!("tcp:{}:{}", carrier.address, carrier.port));
    call_is_answered(&gateway);
    carrier.finish();
    let asked = dns.asked();
    let first = |kind: &str| asked.iter().position(|asked| asked.starts_with(kind)).unwrap();
    assert!(first("NAPTR carrier.test.") < first("SRV _sip._tcp.elsewhere.test."), "{asked:?}");
    assert!(first("SRV _sip._tcp.elsewhere.test.") < first("A pbx.elsewhere.test."), "{asked:?}");
    assert_eq!(gateway.finish().record()["cause"], "called-hung-up");
}

#[test]
fn a_dead_server_is_followed_by_the_next_priority_and_remembered() {
    let carrier = Sipp::new("is_called").limit(40).arguments(&["-m", "2"]).listen(Family::V4);
    let dead = UdpSocket::bind((Family::V4.own_address(), 0)).unwrap();
    let dead_place = dead.local_addr().unwrap();
    let dns = Dns::start()
        .srv("_sip._udp.carrier.test", (20, 0), "alive.carrier.test", carrier.port)
        .srv("_sip._udp.carrier.test", (10, 100), "dead.carrier.test", dead_place.port())
        .address("dead.carrier.test", dead_place.ip())
        // An address of a family that the gateway does not listen on is passed over.
        .address("alive.carrier.test", Ipv6Addr::LOCALHOST.into())
        .address("alive.carrier.test", carrier.address);
    let gateway = looks_up_at(&dns, "transport = \"udp\"");
    wait_for_server(&gateway, &format!("udp:{dead_place}"));
    call_is_answered(&gateway);
    wait_for_server(&gateway, &format!("udp:{}:{}", carrier.address, carrier.port));
    call_is_answered(&gateway);
    carrier.finish();
    let records = gateway.finish().records;
    let tried: Vec<usize> = records.iter().map(|record| record["tried"].as_array().map_or(0, Vec::len)).collect();
    assert_eq!(tried, [1, 0], "the second call knows better: {records:#?}");
    let first = &records[0]["tried"][0];
    assert_eq!((&first["target"], &first["outcome"]), (&dead_place.to_string().into(), &"silent for 4 s".into()));
}

#[test]
fn calls_go_on_while_the_dns_fails_and_when_it_is_gone() {
    let carrier = Sipp::new("is_called").limit(60).arguments(&["-m", "2"]).listen(Family::V4);
    // Without its SRV record, the name leads to a port where nobody is.
    let dns = Dns::start()
        .srv("_sip._udp.carrier.test", (10, 0), "pbx.carrier.test", carrier.port)
        .address("pbx.carrier.test", carrier.address)
        .address("carrier.test", carrier.address);
    let gateway = looks_up_at(&dns, "transport = \"udp\"");
    let server = format!("udp:{}:{}", carrier.address, carrier.port);
    wait_for_server(&gateway, &server);
    call_is_answered(&gateway);
    dns.behave(Manner::Fails);
    gateway.signal(Signal::SIGHUP);
    gateway.wait_for("the failure is told", seconds(15), |status| {
        status["trunks"][0]["trouble"] == "the DNS fails for _sip._udp.carrier.test: Server Failure"
    });
    wait_for_server(&gateway, &server);
    dns.behave(Manner::IsSilent);
    gateway.signal(Signal::SIGHUP);
    gateway.wait_for("the silence is told", seconds(40), |status| {
        status["trunks"][0]["trouble"].as_str().unwrap().contains("does not answer")
    });
    drop(dns);
    wait_for_server(&gateway, &server);
    call_is_answered(&gateway);
    carrier.finish();
    let remains = gateway.finish();
    assert!(remains.says(&["carrier", "Server Failure", "the last answer stands"]), "{}", remains.log);
    assert!(remains.records.iter().all(|record| record["cause"] == "called-hung-up"), "{:#?}", remains.records);
}

#[test]
fn a_name_that_does_not_exist_is_told() {
    let dns = Dns::start();
    let gateway = looks_up_at(&dns, "");
    let trouble = "the DNS knows no address of carrier.test";
    gateway.wait_for("it is told", seconds(15), |status| status["trunks"][0]["trouble"] == trouble);
    let shown = gateway.ctl(&["status"]);
    assert!(shown.output.contains(&format!("- ({trouble})")), "{}", shown.output);
    let dialled = gateway.ctl(&["dial", "--room", "standup", NUMBER]);
    assert!(dialled.errors.contains("no address of trunk carrier is known yet"), "{}", dialled.errors);
    let asked = dns.asked();
    for kind in
        ["NAPTR carrier.test.", "SRV _sips._tcp.carrier.test.", "SRV _sip._udp.carrier.test.", "A carrier.test."]
    {
        assert!(asked.iter().any(|asked| asked == kind), "{kind}: {asked:?}");
    }
    let remains = gateway.finish();
    assert!(remains.says(&["carrier: the address of the trunk cannot be found", trouble]), "{}", remains.log);
}
