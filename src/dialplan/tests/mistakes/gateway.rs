//! Mistakes in `[gateway]` and `[ice]`.

use super::{assert_told, told, with};

#[test]
fn single_mistakes_of_the_gateway_are_told_where_they_are() {
    assert_told(&[
        ("gateway", "rtp_ports = \"80-90\"", "2 error: `rtp_ports` is no range of ports <\"80-90\">"),
        (
            "gateway",
            "sip = [\"udp://[::]:5060\", \"udp://[::1]:5060\"]",
            "2 error: udp port 5060 is taken twice <\"udp://[::1]:5060\">",
        ),
        (
            "gateway",
            "http = \"0.0.0.0:5060\"\nsip = \"tcp://0.0.0.0:5060\"",
            "2 error: tcp port 5060 is taken twice <\"0.0.0.0:5060\">",
        ),
        ("gateway", "http = \"8080\"", "2 error: `http` is no address to listen on <\"8080\">"),
        (
            "gateway",
            "http = [\"0.0.0.0:8080\", \"127.0.0.1:8080\"]",
            "2 error: tcp port 8080 is taken twice <\"127.0.0.1:8080\">",
        ),
        ("gateway", "ice_tcp = \"3478\"", "2 error: `ice_tcp` is no address to listen on <\"3478\">"),
        (
            "gateway",
            "http = \"0.0.0.0:8080\"\nice_tcp = \"127.0.0.1:8080\"",
            "3 error: tcp port 8080 is taken twice <\"127.0.0.1:8080\">",
        ),
        ("gateway", "https = \"[::]:8443\"", "2 error: TLS needs a certificate <\"[::]:8443\">"),
        (
            "gateway",
            "https_tls = { certificate = \"a.pem\", key = \"k.pem\" }",
            "2 warning: no address is listened on by HTTPS <{ certificate = \"a.pem\", key = \"k.pem\" }>",
        ),
        ("gateway", "origins = [\"app.example\"]", "2 error: this is no origin of pages <\"app.example\">"),
        (
            "gateway",
            "origins = [\"https://app.example/page\"]",
            "2 error: this is no origin of pages <\"https://app.example/page\">",
        ),
        ("gateway", "origins = \"*\"", "2 warning: whatever page may open WebSockets <\"*\">"),
        (
            "gateway",
            "sip = \"ws://0.0.0.0:5061\"",
            "2 error: SIP over WebSocket is taken by the HTTP server <\"ws://0.0.0.0:5061\">",
        ),
        ("gateway", "sip = \"tls://0.0.0.0\"", "2 error: TLS needs a certificate <\"tls://0.0.0.0\">"),
        (
            "gateway",
            "sip = \"tls://[::]\"\ntls = { certificate = \"a.pem\" }",
            "3 error: a certificate and its key belong together <{ certificate = \"a.pem\" }>",
        ),
        (
            "gateway",
            "sip = [\"tcp://0.0.0.0:5061\", \"tls://0.0.0.0\"]\ntls = { certificate = \"a.pem\", key = \"k.pem\" }",
            "2 error: tls port 5061 is taken twice <\"tls://0.0.0.0\">",
        ),
        ("gateway", "sip = []", "2 error: no address to take SIP on <[]>"),
        (
            "gateway",
            "public_address = \"0.0.0.0\"",
            "2 error: `public_address` is no address that others could reach <\"0.0.0.0\">",
        ),
        ("gateway", "dscp = 64", "2 error: `dscp` is from 0 to 63 <64>"),
        ("gateway", "country_code = \"UK\"", "2 error: `country_code` is digits <\"UK\">"),
        ("gateway", "languag = \"en\"", "2 error: [gateway] has no key `languag` <languag>"),
        ("gateway", "max_calls = 9000", "2 warning: there are fewer media ports than calls <9000>"),
        (
            "route",
            "[ice]\nturn = \"turn:turn.example.com\"",
            "18 error: these TURN servers let nobody in without a password <\"turn:turn.example.com\">",
        ),
        ("route", "[ice]\nstun = \"turn:x\"", "18 error: this is the URL of no such server <\"turn:x\">"),
        ("route", "[ice]\nturn_secret = { env = \"S\" }", "18 warning: a secret of no TURN server <{ env = \"S\" }>"),
        ("gateway", "recordings = { days = 0 }", "2 error: `days` is from 1 to 3650 <0>"),
        ("gateway", "recordings = { size = 0 }", "2 error: `size` is from 1 to 16777216 <0>"),
        ("gateway", "domain = \"sip:example.com\"", "2 error: `domain` is no host name <\"sip:example.com\">"),
        (
            "gateway",
            "database = \"mysql://x/y\"",
            "2 error: this is no database that users can be kept in <\"mysql://x/y\">",
        ),
        (
            "gateway",
            "database = \"postgres://u:secret@h/n\"",
            "2 error: a password does not belong into the dialplan <\"***********************\">",
        ),
        ("gateway", "domain = \"192.0.2.1\"", "2 error: `domain` is no host name <\"192.0.2.1\">"),
    ]);
}

#[test]
fn dns_servers_are_addresses() {
    assert!(told(&with("gateway", "dns = [\"192.0.2.53\", \"[2001:db8::53]:5353\", \"2001:db8::53\"]")).is_empty());
    let found = told(&with("gateway", "dns = [\"dns.example\", \"192.0.2.53:0\", \"0.0.0.0\", \"[::\"]"));
    assert!(
        found.len() == 4 && found.iter().all(|line| line.contains("no DNS server can be asked there")),
        "{found:?}"
    );
    assert_eq!(told(&with("gateway", "dns = []")).len(), 1);
    assert_eq!(told(&with("gateway", "dns = [\"192.0.2.53\", \"192.0.2.53:53\"]")).len(), 1, "the port is implied");
}
