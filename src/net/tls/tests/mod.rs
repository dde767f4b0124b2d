//! Two gateways' worth of sockets on loopback, and certificates good and bad.

pub(in crate::net) mod authority;

use super::TlsPeer;
use crate::dialplan::{CertificateFiles, TrunkTls};
use crate::net::{Arrival, ListenAddress, Transports};
use crate::sip::message::Transport;
use crate::sip::{Flow, Input};
use authority::Authority;
use bytes::Bytes;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

const REQUEST: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n";
const ANSWER: &[u8] = b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n";

struct End {
    transports: Transports,
    events: mpsc::Receiver<Arrival>,
}

impl End {
    fn new(listen: &[Transport], certificate: Option<&CertificateFiles>) -> Self {
        let (sender, events) = mpsc::channel(64);
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let listen: Vec<_> = listen.iter().map(|&transport| ListenAddress { transport, address }).collect();
        Self { transports: Transports::bind(&listen, certificate, sender).unwrap(), events }
    }

    fn address(&self) -> SocketAddr {
        self.transports.bound().next().unwrap().address
    }

    /// The next event.
    async fn next(&mut self) -> Input {
        let next = tokio::time::timeout(Duration::from_secs(20), self.events.recv());
        next.await.expect("an event").expect("sockets that live").input
    }
}

fn peer(name: &str, authority: &Authority) -> TlsPeer {
    TlsPeer { name: name.into(), settings: TrunkTls { ca: Some(authority.ca.clone()), ..TrunkTls::default() } }
}

/// The next event that is no success.
async fn failure(end: &mut End) -> Input {
    match end.next().await {
        Input::TlsOpened { .. } => std::future::pending().await,
        other => other,
    }
}

/// Sends a request to a server with `certificate`; what comes of it at both ends.
async fn call(certificate: &CertificateFiles, peer: &TlsPeer) -> Result<(End, Flow, End, Flow), Input> {
    let server = End::new(&[Transport::Tls], Some(certificate));
    let mut client = End::new(&[], None);
    let flow = client.transports.flow_to(Transport::Tls, server.address(), Some(peer)).unwrap();
    client.transports.transmit(flow, Bytes::from_static(REQUEST)).unwrap();
    let mut ends = (server, client);
    let arrived = {
        let (server, client) = &mut ends;
        tokio::select! {
            arrived = server.next() => Ok(arrived),
            failed = failure(client) => Err(failed),
        }
    };
    match arrived {
        Ok(Input::Message { flow: theirs, bytes }) => {
            assert_eq!(bytes, REQUEST);
            // It may have been taken note of before.
            if let Ok(Arrival { input: event, .. }) = ends.1.events.try_recv() {
                assert!(matches!(event, Input::TlsOpened { flow: opened } if opened == flow), "{event:?}");
            }
            Ok((ends.0, theirs, ends.1, flow))
        }
        Ok(other) => Err(other),
        Err(failed) => Err(failed),
    }
}

/// Why a server with `certificate` is not talked to; nothing where it is.
async fn refusal(certificate: &CertificateFiles, peer: &TlsPeer) -> Option<String> {
    match call(certificate, peer).await {
        Ok(_) => None,
        Err(Input::TlsFailed { why, .. }) => Some(why),
        Err(other) => panic!("{other:?}"),
    }
}

async fn is_refused(certificate: &CertificateFiles, peer: &TlsPeer) -> bool {
    refusal(certificate, peer).await.is_some()
}

#[tokio::test]
async fn a_request_and_its_answer_share_a_connection_and_so_does_the_next() {
    let authority = Authority::new("good");
    let certificate = authority.issue("server", &["sip.a.example"]);
    let (mut server, theirs, mut client, ours) = call(&certificate, &peer("sip.a.example", &authority)).await.unwrap();
    assert_eq!((theirs.transport, ours.connection.is_some()), (Transport::Tls, true));
    server.transports.transmit(theirs, Bytes::from_static(ANSWER)).unwrap();
    let Input::Message { flow, bytes } = client.next().await else { panic!("no answer") };
    assert_eq!((flow.connection, &bytes[..]), (ours.connection, ANSWER));
    client.transports.transmit(ours, Bytes::from_static(REQUEST)).unwrap();
    let Input::Message { flow, .. } = server.next().await else { panic!("no request") };
    assert_eq!(flow, theirs, "the same connection");
}

#[tokio::test]
async fn a_flow_outlives_its_connection() {
    let authority = Authority::new("outlives");
    let certificate = authority.issue("server", &["a.example"]);
    let (mut server, theirs, mut client, flow) = call(&certificate, &peer("a.example", &authority)).await.unwrap();
    // What cannot be framed ends the connection.
    client.transports.transmit(flow, Bytes::from_static(b"A sip:b SIP/2.0\r\nl: 1\r\nl: 2\r\n\r\n")).unwrap();
    assert!(matches!(server.next().await, Input::FlowClosed { flow } if flow == theirs));
    assert!(matches!(client.next().await, Input::FlowClosed { flow: closed } if closed == flow));
    client.transports.transmit(flow, Bytes::from_static(REQUEST)).unwrap();
    let Input::Message { flow: anew, bytes } = server.next().await else { panic!("no request") };
    assert_eq!(bytes, REQUEST);
    assert_ne!(anew.connection, theirs.connection);
    server.transports.transmit(anew, Bytes::from_static(ANSWER)).unwrap();
    // The report that the addresses failed, for whoever sent before the connection had its number.
    assert!(matches!(client.next().await, Input::SendFailed { .. }));
    assert!(matches!(client.next().await, Input::TlsOpened { .. }));
    assert!(matches!(client.next().await, Input::Message { flow: same, .. } if same.connection == flow.connection));
}

#[tokio::test]
async fn names_are_compared_as_rfc_5922_has_it() {
    let authority = Authority::new("names");
    for (names, wanted, good) in [
        (&["sip:a.example"][..], "a.example", true),
        (&["sip:b.example", "a.example"], "a.example", false),
        (&["sip:bob@a.example", "a.example"], "a.example", true),
        (&["A.Example"], "a.example", true),
        (&["b.example"], "a.example", false),
        (&["*.a.example"], "sip.a.example", false),
        (&["127.0.0.1"], "127.0.0.1", true),
        (&["127.0.0.2"], "127.0.0.1", false),
    ] {
        let certificate = authority.issue("server", names);
        let refused = is_refused(&certificate, &peer(wanted, &authority)).await;
        assert_eq!(!refused, good, "{names:?} for {wanted}");
    }
    let mut lenient = peer("sip.a.example", &authority);
    lenient.settings.wildcard = true;
    assert!(!is_refused(&authority.issue("server", &["*.a.example"]), &lenient).await);
}

#[tokio::test]
async fn an_expired_certificate_and_an_unknown_authority_are_refused_unless_nobody_is_to_look() {
    let (authority, other) = (Authority::new("known"), Authority::new("unknown"));
    let expired = authority.issue_until("old", &["a.example"], 2021);
    let foreign = other.issue("foreign", &["a.example"]);
    let mut blind = peer("a.example", &authority);
    assert!(is_refused(&expired, &blind).await);
    assert!(is_refused(&foreign, &blind).await);
    blind.settings.verify = false;
    assert!(!is_refused(&foreign, &blind).await);
}

#[tokio::test]
async fn trunks_that_trust_differently_do_not_share_a_connection() {
    let authority = Authority::new("apart");
    let certificate = authority.issue("server", &["b.example"]);
    let mut blind = peer("a.example", &authority);
    blind.settings.verify = false;
    let (server, _, mut client, open) = call(&certificate, &blind).await.unwrap();
    let careful = peer("a.example", &authority);
    let flow = client.transports.flow_to(Transport::Tls, server.address(), Some(&careful)).unwrap();
    assert_ne!(flow.connection, open.connection);
    client.transports.transmit(flow, Bytes::from_static(REQUEST)).unwrap();
    let why = client.next().await;
    assert!(matches!(why, Input::TlsFailed { flow: closed, .. } if closed.connection == flow.connection), "{why:?}");
    let failed = client.next().await;
    assert!(matches!(failed, Input::FlowClosed { flow: closed } if closed.connection == flow.connection));
    let nameless = client.transports.flow_to(Transport::Tls, server.address(), None);
    assert!(nameless.is_err(), "nobody is called by TLS without a name to look for");
}

#[tokio::test]
async fn a_trunk_is_known_by_its_client_certificate_and_nobody_by_one_of_another_authority() {
    let (authority, other) = (Authority::new("client"), Authority::new("impostor"));
    let text = format!(
        "[trunks.carrier]\ntls = {{ accept = [\"carrier.example\"], ca = \"{}\" }}\n[rooms.a]\npin = \"482917\"\n\
         [[routes]]\nname = \"A\"\nfrom = \"carrier\"\nnumber = \"1\"\nroom = \"a\"\n",
        authority.ca.display()
    );
    let plan = crate::dialplan::parse("dialplan.toml", &text, &crate::dialplan::Trusting).unwrap().plan;
    for (issuer, name, known) in [
        (&authority, "carrier.example", true),
        (&authority, "other.example", false),
        (&other, "carrier.example", false),
    ] {
        let mut server = End::new(&[Transport::Tls], Some(&authority.issue("server", &["a.example"])));
        server.transports.set_plan(&plan);
        let mut client = End::new(&[], None);
        let mut peer = peer("a.example", &authority);
        peer.settings.certificate = Some(issuer.issue("client", &[name]));
        let flow = client.transports.flow_to(Transport::Tls, server.address(), Some(&peer)).unwrap();
        client.transports.transmit(flow, Bytes::from_static(REQUEST)).unwrap();
        let first = server.next().await;
        match first {
            Input::FlowIdentified { peer, .. } => assert!(known && peer == "carrier", "{name}"),
            Input::Message { .. } => assert!(!known, "{name}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn plain_text_and_silence_are_no_handshake() {
    let authority = Authority::new("slow");
    let mut server = End::new(&[Transport::Tls], Some(&authority.issue("server", &["a.example"])));
    let mut plain = TcpStream::connect(server.address()).await.unwrap();
    plain.write_all(REQUEST).await.unwrap();
    // An alert comes, and then the end.
    let mut heard = Vec::new();
    _ = plain.read_to_end(&mut heard).await;
    // Nothing is said at all: the server has had enough after a while, by its own clock.
    let mut silent = TcpStream::connect(server.address()).await.unwrap();
    assert_eq!(silent.read(&mut [0; 16]).await.unwrap_or(0), 0, "closed");
    assert!(server.events.try_recv().is_err(), "the gateway has nothing to do with it");
}

#[tokio::test]
async fn a_refused_connection_is_told_for_the_addresses_it_was_asked_for() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut client = End::new(&[Transport::Udp], None);
    let flow = client.transports.flow_to(Transport::Tcp, nobody, None).unwrap();
    client.transports.transmit(flow, Bytes::from_static(REQUEST)).unwrap();
    assert!(matches!(client.next().await, Input::FlowClosed { .. }));
    assert!(matches!(client.next().await, Input::SendFailed { flow: failed } if failed == flow));
}

#[tokio::test]
async fn silent_handshakes_make_room_for_one_that_speaks() {
    let authority = Authority::new("crowd");
    let server = End::new(&[Transport::Tls], Some(&authority.issue("server", &["a.example"])));
    let mut silent = Vec::new();
    // As many as may be in progress, and one more; of one address they would be too many.
    for number in 0..65_u8 {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 2 + number / 33], 0))).unwrap();
        silent.push(socket.connect(server.address()).await.unwrap());
    }
    // The first one makes room long before its time is up, of which the others have as much as it had.
    assert_eq!(silent[0].read(&mut [0; 16]).await.unwrap_or(0), 0, "closed");
    assert!(silent[1..].iter().all(|stream| stream.try_read(&mut [0; 16]).is_err()), "only one");
}

#[tokio::test]
async fn why_there_is_no_tls_is_said_in_words() {
    let (authority, other) = (Authority::new("words"), Authority::new("elsewhere"));
    let sip = peer("sip.carrier.example", &authority);
    for (certificate, words) in [
        (authority.issue("wrong", &["wrong.example"]), "the certificate is for wrong.example, not sip.carrier.example"),
        (
            authority.issue("wild", &["*.carrier.example"]),
            "the certificate is for *.carrier.example, not sip.carrier.example; `wildcard = true` in the trunk's tls would take it",
        ),
        (authority.issue_until("old", &["sip.carrier.example"], 2021), "the certificate expired on 2021-12-31"),
        (other.issue("foreign", &["sip.carrier.example"]), "it is signed by an authority we do not know"),
    ] {
        assert_eq!(refusal(&certificate, &sip).await.as_deref(), Some(words));
    }
}

/// What is said of a server that answers a hello with these bytes and then nothing more.
async fn words_for(answer: &'static [u8]) -> String {
    let authority = Authority::new("strange");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = End::new(&[], None);
    let address = listener.local_addr().unwrap();
    let flow = client.transports.flow_to(Transport::Tls, address, Some(&peer("a.example", &authority))).unwrap();
    client.transports.transmit(flow, Bytes::from_static(REQUEST)).unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    assert!(stream.read(&mut [0; 2048]).await.unwrap() > 0);
    stream.write_all(answer).await.unwrap();
    stream.shutdown().await.unwrap();
    match client.next().await {
        Input::TlsFailed { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_server_that_is_too_old_or_speaks_something_else_is_told_apart() {
    // A fatal alert: protocol version.
    assert_eq!(words_for(b"\x15\x03\x01\0\x02\x02\x46").await, "the peer speaks no TLS 1.2 or later");
    // A ServerHello of TLS 1.0 with TLS_RSA_WITH_AES_128_CBC_SHA.
    let old = b"\x16\x03\x01\0\x2a\x02\0\0\x26\x03\x01\
        01234567890123456789012345678901\0\0\x2f\0";
    assert_eq!(words_for(old).await, "the peer speaks no TLS 1.2 or later");
    assert_eq!(words_for(b"SIP/2.0 400 Bad Request\r\n\r\n").await, "the peer does not speak TLS on this port");
    assert_eq!(words_for(b"").await, "the peer closed the connection during the handshake");
}
