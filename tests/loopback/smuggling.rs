//! What an untrusted peer claims of who calls, in every spelling, reaches nobody: no session, record, log, status, nor
//! the call that a session makes for the caller.

use super::harness::{Family, Gateway, Playing, Setup, Sipp, address, seconds};
use serde_json::Value;
use std::net::UdpSocket;

/// In every claim, and nowhere else.
const MARK: &str = "2079460999";

/// How many of the claims are spellings of P-Asserted-Identity; they come first.
const ASSERTED: usize = 10;

/// Header lines that claim something, as they come over the wire.
const CLAIMS: [&str; 24] = [
    "P-Asserted-Identity: \"Boss 2079460999\" <sip:+442079460999@boss.example>",
    "P-Asserted-Identity : <sip:+442079460999@boss.example>",
    "P-Asserted-Identity\t:<tel:+442079460999>",
    "P-Asserted-Identity \t : <tel:+442079460999>",
    "p-aSSERTED-iDENTITY: <tel:+442079460999>",
    "P-ASSERTED-IDENTITY : \"Boss\"\r\n <sip:+442079460999@boss.example>",
    "P-Asserted-Identity:\r\n \r\n\t<tel:+442079460999>",
    "P-Asserted-Identity: <tel:+442079460999>\r\nP-Asserted-Identity: <sip:+442079460999@boss.example>",
    "P-Asserted-Identity: <sip:+442079460999@boss.example>, <tel:+442079460999>",
    "P-Asserted-Identity:,,<tel:+442079460999>",
    // No URI, since it is folded within.
    "P-Asserted-Identity:\r\n  <sip:+442079460999\r\n\t@boss.example>",
    "P-Preferred-Identity : <sip:+442079460999@boss.example>",
    "P-Associated-URI: <sip:+442079460999@boss.example>",
    "Remote-Party-ID: \"Boss\" <sip:+442079460999@boss.example>;party=calling;screen=yes;privacy=off",
    "remote-party-id :\r\n <sip:+442079460999@boss.example>",
    "Diversion: <sip:+442079460999@boss.example>;reason=unconditional",
    "DIVERSION : <sip:+442079460999@boss.example>\r\ndiversion:<tel:+442079460999>",
    "History-Info: <sip:+442079460999@boss.example>;index=1",
    "Referred-By: <sip:+442079460999@boss.example>",
    "b : <sip:+442079460999@boss.example>",
    "Reply-To: <sip:+442079460999@boss.example>\r\nOrganization: 2079460999",
    "Call-Info: <sip:+442079460999@boss.example>;purpose=info\r\nAlert-Info: <http://2079460999.example>",
    "P-Asserted_Identity: <tel:+442079460999>\r\nX-Asserted-Identity : +442079460999\r\nP-Charge-Info: <tel:+442079460999>",
    "Identity: 2079460999\r\ny : 2079460999\r\nP-Access-Network-Info: 2079460999\r\nP-Called-Party-ID: <tel:+442079460999>",
];

/// A telephone of a few lines: it calls `number` with `claims` among its headers and says what its call was answered.
struct Caller<'a> {
    socket: UdpSocket,
    gateway: &'a Gateway,
    number: &'a str,
    call: usize,
}

impl Caller<'_> {
    fn request(&self, method: &str, cseq: &str, to_tag: &str, lines: &str, body: &str) -> String {
        let (here, place, call) = (self.socket.local_addr().unwrap(), self.gateway.place(), self.call);
        format!(
            "{method} sip:{number}@{place} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{call}{method}\r\n\
             Max-Forwards: 70\r\n{lines}From: \"Eve\" <sip:+442079460100@{here}>;tag=eve\r\n\
             To: <sip:{number}@{place}>{to_tag}\r\nCall-ID: smuggler-{call}\r\nCSeq: {cseq} {method}\r\n\
             Contact: <sip:eve@{here}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len(),
            number = self.number,
        )
    }

    fn send(&self, message: &str) {
        self.socket.send_to(message.as_bytes(), self.gateway.place()).unwrap();
    }

    /// The final response to a method, with its To tag.
    fn wait_for_final(&self, method: &str) -> (String, String) {
        let mut buffer = [0; 4096];
        loop {
            let length = self.socket.recv(&mut buffer).expect("an answer");
            let message = String::from_utf8(buffer[..length].to_vec()).unwrap();
            if message.starts_with("SIP/2.0 1") || !message.contains(&format!(" {method}\r\n")) {
                continue;
            }
            let to = message.lines().find(|line| line.starts_with("To:")).unwrap();
            let tag = to.split_once(";tag=").map_or(String::new(), |(_, tag)| format!(";tag={tag}"));
            return (message, tag);
        }
    }

    fn calls(&self, claims: &str) -> String {
        let sdp = format!(
            "v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n",
            self.socket.local_addr().unwrap().ip()
        );
        self.send(&self.request("INVITE", "1", "", &format!("{claims}\r\n"), &sdp));
        let (answer, tag) = self.wait_for_final("INVITE");
        assert!(answer.starts_with("SIP/2.0 200 "), "{claims}\n{answer}");
        assert!(!answer.contains(MARK), "{answer}");
        self.send(&self.request("ACK", "1", &tag, "", ""));
        tag
    }

    /// Says yes to our BYE: the callee has hung up.
    fn is_hung_up(&self) {
        let mut buffer = [0; 4096];
        loop {
            let length = self.socket.recv(&mut buffer).expect("a BYE");
            let message = std::str::from_utf8(&buffer[..length]).unwrap();
            assert_unmarked("a BYE", message);
            if message.starts_with("BYE ") {
                let copied = message.lines().filter(|line| {
                    ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name))
                });
                let copied = copied.map(|line| format!("{line}\r\n")).collect::<String>();
                return self.send(&format!("SIP/2.0 200 OK\r\n{copied}Content-Length: 0\r\n\r\n"));
            }
        }
    }

    fn hangs_up(&self, tag: &str) {
        self.send(&self.request("BYE", "2", tag, "", ""));
        self.wait_for_final("BYE");
    }
}

fn caller<'a>(gateway: &'a Gateway, number: &'a str, call: usize) -> Caller<'a> {
    let socket = UdpSocket::bind((Family::V4.own_address(), 0)).unwrap();
    socket.set_read_timeout(Some(seconds(10))).unwrap();
    Caller { socket, gateway, number, call }
}

/// Number 2000 leads into a room; 3000 to an IVR that calls the carrier's telephone and tells it who calls.
fn gateway(carrier: &Playing) -> Gateway {
    let place = address::host_port(carrier.address, carrier.port);
    let routes = format!(
        "[trunks.untrusted]\nallow = [\"127.0.0.0/8\"]\n\
         [trunks.carrier]\naddress = [\"{place}\"]\nping = \"off\"\ncaller_id = \"+442079460111\"\n\
         identity = \"p-asserted-identity\"\nshow_caller = true\ndiversion = true\n\
         [rooms.lobby]\nannounce = \"none\"\n[ivr.operator]\nsay = {{ prompt = \"goodbye\" }}\nthen = {{ dial = \"+442079460123\" }}\n\
         [[routes]]\nname = \"Lobby\"\nfrom = \"untrusted\"\nnumber = \"2000\"\nroom = \"lobby\"\n\
         [[routes]]\nname = \"Operator\"\nfrom = \"untrusted\"\nnumber = \"3000\"\nivr = \"operator\"\n\
         [[routes]]\nname = \"Out\"\nfrom = \"sessions\"\nnumber = '\\+4420\\d+'\ntrunk = \"carrier\"\n"
    );
    Setup::new().routes(&routes).start()
}

fn assert_unmarked(what: &str, text: &str) {
    assert!(!text.contains(MARK), "a claim is in {what}:\n{text}");
}

/// Each of them calls into the room, all at once; then the status is looked at, and they hang up.
fn all_call_the_room(gateway: &Gateway, lines: &[&str], assert_status: impl Fn(&str)) {
    let callers: Vec<_> = lines
        .iter()
        .enumerate()
        .map(|(call, lines)| {
            let caller = caller(gateway, "2000", call);
            let tag = caller.calls(lines);
            (caller, tag)
        })
        .collect();
    gateway.wait_for_members("lobby", lines.len());
    assert_status(&gateway.status().to_string());
    for (caller, tag) in callers {
        caller.hangs_up(&tag);
    }
}

#[test]
fn no_claim_of_an_untrusted_peer_reaches_anybody() {
    let carrier = Sipp::new("is_called").limit(60).listen(Family::V4);
    let gateway = gateway(&carrier);
    all_call_the_room(&gateway, &CLAIMS, |status| assert_unmarked("the status", status));
    // All of them together, and a call made for this caller.
    let caller = caller(&gateway, "3000", CLAIMS.len());
    caller.calls(&CLAIMS.join("\r\n"));
    let messages = carrier.finish();
    assert_unmarked("the call to the carrier", &messages);
    assert!(messages.contains("P-Asserted-Identity: <sip:+442079460111@"), "{messages}");
    assert!(!messages.contains("Diversion"), "{messages}");
    caller.is_hung_up();
    let remains = gateway.finish();
    assert_unmarked("the log", &remains.log);
    assert_unmarked("a record", &format!("{:?}", remains.records));
    let came_in: Vec<_> = remains.records.iter().filter(|record| record["way"] == "in").collect();
    assert_eq!((came_in.len(), remains.records.len()), (CLAIMS.len() + 1, CLAIMS.len() + 2));
    assert!(came_in.iter().all(|record| record["from"] == "+442079460100"), "{came_in:#?}");
}

/// The counter-proof: each spelling is a claim that the parser understands, and a trusted peer is believed.
#[test]
fn the_same_claims_of_a_trusted_peer_are_believed() {
    let asserted = &CLAIMS[..ASSERTED];
    let routes = "[trunks.trusted]\nallow = [\"127.0.0.0/8\"]\ntrusted = true\n[rooms.lobby]\nannounce = \"none\"\n\
                  [[routes]]\nname = \"In\"\nfrom = \"trusted\"\nnumber = \"2000\"\nroom = \"lobby\"\n";
    let gateway = Setup::new().routes(routes).start();
    all_call_the_room(&gateway, asserted, |_| ());
    let remains = gateway.finish();
    assert_eq!(remains.records.len(), asserted.len());
    let of =
        |record: &Value| record["sip_call_id"].as_str().unwrap().rsplit('-').next().unwrap().parse::<usize>().unwrap();
    let others = remains.records.iter().filter(|record| record["from"] != "+442079460999");
    let others: Vec<_> = others.map(|record| (CLAIMS[of(record)], &record["from"])).collect();
    assert!(others.is_empty(), "{others:#?}");
}

/// Privacy is a wish, no claim: it is honoured whoever has it, in every spelling.
#[test]
fn who_asks_for_privacy_in_any_spelling_is_shown_nowhere() {
    let carrier = Sipp::new("is_called").limit(60).listen(Family::V4);
    let gateway = gateway(&carrier);
    let wishes = ["Privacy: id", "Privacy : user;id", "pRIVACY\t:\r\n full", "Privacy: none\r\nPrivacy: id"];
    let hidden = |text: &str| assert!(!text.contains("2079460100"), "{text}");
    all_call_the_room(&gateway, &wishes, hidden);
    let caller = caller(&gateway, "3000", wishes.len());
    caller.calls(wishes[0]);
    hidden(&carrier.finish());
    caller.is_hung_up();
    let remains = gateway.finish();
    hidden(&format!("{:?}", remains.records));
    assert_eq!(remains.records.len(), wishes.len() + 2);
}
