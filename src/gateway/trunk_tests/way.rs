//! The way a registration says: out by its Service-Route, in by a bulk Contact.

use super::*;

const ACCOUNT: &str = "username = \"acme\"\npassword = { env = \"P\" }";
const OUT: &str = "[[routes]]\nname = \"Out\"\nfrom = \"sessions\"\nnumber = '\\+4420\\d+'\ntrunk = \"carrier\"";

impl Bench {
    /// Registered at the first of `hosts`, which says which way calls go.
    fn routed(trunk: &str, hosts: &[u8], route: &'static str) -> Self {
        let mut bench = Self::new(&format!("{trunk}\n{ACCOUNT}\n{OUT}"));
        bench.found(hosts);
        let (flow, request) = bench.last(&Method::Register);
        bench.answer(flow, &request, 200, Some((H::ServiceRoute, route)));
        assert_eq!(bench.status().state, "registered");
        bench.sent.clear();
        bench
    }

    fn dial(&mut self) -> (Flow, SipRequest) {
        let request = Request::Dial {
            room: "a".into(),
            number: "+442079460123".into(),
            confirm: Some(false),
            digits: None,
            create: true,
        };
        self.input(Input::Control { id: 7, request });
        self.last(&Method::Invite)
    }

    /// An INVITE to `uri` arrives from a host.
    fn called(&mut self, host: u8, uri: &str) -> Vec<CallRecord> {
        let branch: String = uri.chars().filter(char::is_ascii_alphanumeric).collect();
        let text = format!(
            "INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.{host}:5060;branch=z9hG4bK{branch}{host}\r\nMax-Forwards: 70\r\n\
             From: <sip:+442079460199@carrier.example>;tag=in\r\nTo: <sip:acme@carrier.example>\r\nCall-ID: in-{uri}\r\n\
             CSeq: 1 INVITE\r\nContact: <sip:192.0.2.{host}>\r\nContent-Length: 0\r\n\r\n"
        );
        self.input(Input::Sip(sip::Input::Message { flow: flow(host), bytes: text.into() }));
        std::mem::take(&mut self.records)
    }
}

fn routes(request: &SipRequest) -> Vec<String> {
    request.headers.values(&H::Route).map(|value| String::from_utf8_lossy(&value).into_owned()).collect()
}

#[test]
fn calls_and_pings_go_the_way_that_the_registrar_says() {
    let mut bench = Bench::routed("register = true", &[11], "<sip:p2.example;lr>, <sip:orig@hsp.example;lr>");
    let (to, invite) = bench.dial();
    assert_eq!(
        (to, routes(&invite)),
        (flow(11), vec!["<sip:p2.example;lr>".into(), "<sip:orig@hsp.example;lr>".into()])
    );
    assert_eq!(invite.uri.to_string(), "sip:+442079460123@sip.carrier.example");
    bench.run(secs(3), &[]);
    let (_, options) = bench.last(&Method::Options);
    assert_eq!(routes(&options).len(), 2);
}

#[test]
fn the_proxy_comes_first_and_not_twice() {
    let proxy = "register = true\nproxy = \"proxy.example\"";
    let mut bench = Bench::routed(proxy, &[11], "<sip:hsp.example;lr>");
    assert_eq!(routes(&bench.dial().1), ["<sip:proxy.example;lr>", "<sip:hsp.example;lr>"]);
    let mut bench = Bench::routed(proxy, &[11], "<sip:proxy.example;lr;x=1>, <sip:hsp.example;lr>");
    assert_eq!(routes(&bench.dial().1), ["<sip:proxy.example;lr;x=1>", "<sip:hsp.example;lr>"]);
}

#[test]
fn calls_with_a_service_route_begin_at_the_server_that_has_the_binding_and_others_are_called_without() {
    for _ in 0..8 {
        let mut bench = Bench::routed("register = true\nping = \"off\"", &[11, 12], "<sip:p2.example;lr>");
        // Both of one rank: without a binding either would be the first now and then.
        let mut found = servers(&[11, 12]);
        found.candidates.iter_mut().for_each(|candidate| candidate.rank = (0, 0, 0));
        bench.input(Input::Resolved { trunk: "carrier".into(), found });
        let (first, invite) = bench.dial();
        assert_eq!(first, flow(11));
        bench.answer(first, &invite, 503, None);
        let (second, invite) = bench.last(&Method::Invite);
        assert_eq!((second, routes(&invite)), (flow(12), Vec::new()));
    }
}

#[test]
fn routes_that_are_none_are_told() {
    let bench = Bench::routed("register = true\nping = \"off\"", &[11], "<sip:strict.example>, <sip:p2.example;lr>");
    let told = |line: &&String| line.contains("1 of its Service-Route ignored");
    assert_eq!(bench.log.iter().filter(told).count(), 1, "{:?}", bench.log);
}

#[test]
fn a_bulk_trunk_is_known_by_its_contact_and_the_number_is_in_the_request_uri() {
    let bulk = "register = \"bulk\"\nping = \"off\"\nallow = \"192.0.2.11\"";
    let mut bench = Bench::new(&format!(
        "{bulk}\n{ACCOUNT}\n[trunks.other]\naddress = \"192.0.2.11\"\nping = \"off\"\nregister = true\n{ACCOUNT}"
    ));
    // The plan's order would give all calls from there to the first; ask in both.
    bench.found(&[11]);
    let (to, register) = bench.last(&Method::Register);
    assert_eq!(register.headers.get_str(&H::Contact), Some("<sip:192.0.2.1:5060;bnc>"));
    bench.answer(to, &register, 200, None);
    let records = bench.called(11, "sip:+442079460155@192.0.2.1");
    assert_eq!((records[0].trunk.as_str(), records[0].number.as_str()), ("carrier", "+442079460155"));
    assert!(
        bench.called(66, "sip:+442079460155@192.0.2.1").is_empty(),
        "the Contact is no secret: unknown sources stay unknown"
    );
}

#[test]
fn of_two_trunks_at_one_address_the_bulk_one_has_all_calls_that_are_not_the_others_contact() {
    let text = format!(
        "[trunks.one]\naddress = \"192.0.2.11\"\nping = \"off\"\nregister = true\n{ACCOUNT}\n\
         [trunks.all]\naddress = \"192.0.2.11\"\nping = \"off\"\nregister = \"bulk\"\n{ACCOUNT}\n\
         [[routes]]\nname = \"A\"\nfrom = [\"one\", \"all\"]\nnumber = \"1\"\nroom = \"a\"\n"
    );
    let plan = dialplan::parse("dialplan.toml", &text, &Trusting).unwrap();
    assert!(plan.warnings.is_empty(), "{}", plan.warnings);
    let now = Now { instant: crate::test_clock(), wall: SystemTime::UNIX_EPOCH };
    let mut bench = Bench::with_plan(now, plan.plan);
    for trunk in ["one", "all"] {
        bench.input(Input::Resolved { trunk: trunk.into(), found: servers(&[11]) });
    }
    let registers = std::mem::take(&mut bench.sent);
    let own = registers[0].1.contact().unwrap().uri.to_string();
    for (to, register) in registers {
        bench.answer(to, &register, 200, None);
    }
    assert_eq!(bench.called(11, "sip:+442079460155@192.0.2.1:5060")[0].trunk, "all");
    assert_eq!(bench.called(11, &own)[0].trunk, "one");
    assert_eq!(bench.called(11, "sip:+442079460155@192.0.2.77")[0].trunk, "one", "to somewhere else: by address alone");
}

#[test]
fn a_registrar_without_bulk_is_told_with_the_setting() {
    let mut bench = Bench::new(&format!("register = \"bulk\"\nping = \"off\"\n{ACCOUNT}"));
    bench.found(&[11]);
    let (to, register) = bench.last(&Method::Register);
    bench.answer(to, &register, 420, Some((H::Unsupported, "gin")));
    assert_eq!(bench.status().state, "failed 420");
    let told = bench.log.iter().any(|line| line.contains("420") && line.contains("trunks.carrier.register = \"bulk\""));
    assert!(told, "{:?}", bench.log);
}
