//! A registrar that takes SHA-256 alone (RFC 8760), which sipp cannot play.

use super::harness::{Setup, seconds};
use sha2::{Digest, Sha256};
use std::net::UdpSocket;

const REALM: &str = "carrier.example";
const NONCE: &str = "7a1b9c";

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The value of a header; the first there is.
fn header<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
}

/// A parameter of an Authorization, without its quotes.
fn parameter<'a>(authorization: &'a str, name: &str) -> &'a str {
    let parameters = authorization.strip_prefix("Digest ").unwrap().split(',').map(str::trim);
    let found = parameters.filter_map(|part| part.split_once('=')).find(|(key, _)| *key == name);
    found.unwrap_or_else(|| panic!("no {name} in {authorization}")).1.trim_matches('"')
}

/// The response that `authorization` must hold (RFC 7616 section 3.4.1).
fn expected_response(authorization: &str) -> String {
    let secret = hash(&format!("acme:{REALM}:correct horse"));
    let request = hash(&format!("REGISTER:{}", parameter(authorization, "uri")));
    let (count, own) = (parameter(authorization, "nc"), parameter(authorization, "cnonce"));
    hash(&format!("{secret}:{NONCE}:{count}:{own}:auth:{request}"))
}

fn answer(request: &str, status: &str, more: &str) -> String {
    let copied =
        ["Via", "From", "Call-ID", "CSeq"].map(|name| format!("{name}: {}\r\n", header(request, name).unwrap()));
    let to = header(request, "To").unwrap();
    format!("SIP/2.0 {status}\r\n{}To: {to};tag=registrar\r\n{more}Content-Length: 0\r\n\r\n", copied.concat())
}

#[test]
fn a_trunk_registers_with_sha_256() {
    let registrar = UdpSocket::bind("127.0.0.1:0").unwrap();
    registrar.set_read_timeout(Some(seconds(10))).unwrap();
    let routes = format!(
        "[trunks.carrier]\naddress = [\"{}\"]\nping = \"off\"\nusername = \"acme\"\npassword = {{ plain = \"correct horse\" }}\n\
         register = true\n[rooms.lobby]\n\
         [[routes]]\nname = \"In\"\nfrom = \"carrier\"\nnumber = \"2000\"\nroom = \"lobby\"\n",
        registrar.local_addr().unwrap()
    );
    let gateway = Setup::new().routes(&routes).start();
    let receive = || {
        let mut buffer = [0; 4096];
        let (length, from) = registrar.recv_from(&mut buffer).expect("a REGISTER");
        (String::from_utf8(buffer[..length].to_vec()).unwrap(), from)
    };

    let (request, from) = receive();
    assert!(request.starts_with("REGISTER sip:") && header(&request, "Authorization").is_none(), "{request}");
    // The stronger comes first; the other is what an old telephone would take.
    let challenge = format!(
        "WWW-Authenticate: Digest realm=\"{REALM}\", nonce=\"{NONCE}\", algorithm=SHA-256, qop=\"auth\"\r\n\
         WWW-Authenticate: Digest realm=\"{REALM}\", nonce=\"{NONCE}\", algorithm=MD5, qop=\"auth\"\r\n"
    );
    registrar.send_to(answer(&request, "401 Unauthorized", &challenge).as_bytes(), from).unwrap();

    let (request, from) = receive();
    let authorization = header(&request, "Authorization").expect("credentials");
    assert_eq!(parameter(authorization, "algorithm"), "SHA-256");
    assert_eq!(parameter(authorization, "response"), expected_response(authorization));
    let contact = format!("Contact: {}\r\nExpires: 600\r\n", header(&request, "Contact").unwrap());
    registrar.send_to(answer(&request, "200 OK", &contact).as_bytes(), from).unwrap();
    gateway.wait_for("the trunk is registered", seconds(5), |status| status["trunks"][0]["state"] == "registered");

    // When it ends, it takes its binding back.
    let removal = std::thread::scope(|scope| {
        let taker = scope.spawn(|| {
            let (request, from) = receive();
            registrar.send_to(answer(&request, "200 OK", "").as_bytes(), from).unwrap();
            request
        });
        gateway.finish();
        taker.join().unwrap()
    });
    assert!(header(&removal, "Expires") == Some("0") || removal.contains("expires=0"), "{removal}");
}
