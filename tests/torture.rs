//! The 49 messages of RFC 4475 and what an endpoint does with each.
//!
//! The one table is [`RFC4475`]. The RFC's own files are read from the folder that [`folder`] names and are no part of
//! this project; `torture_own` has a message of ours for each row. [`judge`] is what the message layer alone decides;
//! rows with [`By::Endpoint`] are accepted by it and get their outcome further up.

use std::path::PathBuf;

use bytes::Bytes;
use partyline::sip::message::{
    HeaderName as H, Host, Message, Method, Request, Response, check_request, check_response,
};

/// What an endpoint does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Takes it for what it is; what follows is the method's business (405 for one not offered here included).
    Accept,
    /// Answers with this status.
    Reject(u16),
    /// Says nothing.
    Ignore,
}

/// Who decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Parsing and `check_request` or `check_response`.
    Message,
    /// The endpoint, which knows methods, schemes, options and body types.
    Endpoint,
}

/// One row.
pub struct Case {
    /// The file's name without `.dat`.
    pub name: &'static str,
    /// What is peculiar about it, with the RFC's section.
    pub about: &'static str,
    pub outcome: Outcome,
    pub by: By,
}

impl Case {
    const fn new(name: &'static str, about: &'static str, outcome: Outcome, by: By) -> Self {
        Self { name, about, outcome, by }
    }

    /// What [`judge`] must say.
    pub fn at_message(&self) -> Outcome {
        if self.by == By::Message { self.outcome } else { Outcome::Accept }
    }
}

const ACCEPT: Outcome = Outcome::Accept;
const BAD: Outcome = Outcome::Reject(400);
use By::{Endpoint, Message as Msg};

/// Where the RFC leaves a choice, what stands in the request line must be exact (400), and a header that can be read
/// one way only is read that way.
#[rustfmt::skip]
pub static RFC4475: [Case; 49] = [
    Case::new("wsinv",      "3.1.1.1 folds, white space, case and compact names all over", ACCEPT, Msg),
    Case::new("intmeth",    "3.1.1.2 every character that is allowed; the method is unknown", Outcome::Reject(501), Endpoint),
    Case::new("esc01",      "3.1.1.3 valid use of % escapes", ACCEPT, Msg),
    Case::new("escnull",    "3.1.1.4 escaped nulls in URIs", ACCEPT, Msg),
    Case::new("esc02",      "3.1.1.5 % where it is no escape; so the method is unknown", Outcome::Reject(501), Endpoint),
    Case::new("lwsdisp",    "3.1.1.6 no white space between display name and <", ACCEPT, Msg),
    Case::new("longreq",    "3.1.1.7 long values everywhere", ACCEPT, Msg),
    Case::new("dblreq",     "3.1.1.8 octets behind the body, a request in themselves, are left out", ACCEPT, Msg),
    Case::new("semiuri",    "3.1.1.9 a semicolon in the user part", ACCEPT, Msg),
    Case::new("transports", "3.1.1.10 known and unknown transports in Via", ACCEPT, Msg),
    Case::new("mpart01",    "3.1.1.11 a binary multipart body", ACCEPT, Msg),
    Case::new("unreason",   "3.1.1.12 a reason phrase beyond ASCII", ACCEPT, Msg),
    Case::new("noreason",   "3.1.1.13 an empty reason phrase", ACCEPT, Msg),
    Case::new("badinv01",   "3.1.2.1 separators without anything between them in Via", BAD, Msg),
    Case::new("clerr",      "3.1.2.2 Content-Length larger than the message", BAD, Msg),
    Case::new("ncl",        "3.1.2.3 negative Content-Length", BAD, Msg),
    Case::new("scalar02",   "3.1.2.4 overlarge numbers in a request; that of CSeq decides", BAD, Msg),
    Case::new("scalarlg",   "3.1.2.5 overlarge numbers in a response", Outcome::Ignore, Msg),
    Case::new("quotbal",    "3.1.2.6 a quote in To that is never closed", BAD, Msg),
    Case::new("ltgtruri",   "3.1.2.7 <> around the request URI", BAD, Msg),
    Case::new("lwsruri",    "3.1.2.8 white space in the request URI", BAD, Msg),
    Case::new("lwsstart",   "3.1.2.9 more than one space in the request line", BAD, Msg),
    Case::new("trws",       "3.1.2.10 spaces behind the request line", BAD, Msg),
    Case::new("escruri",    "3.1.2.11 headers in the request URI", BAD, Msg),
    Case::new("baddate",    "3.1.2.12 a zone in Date other than GMT; nobody needs the Date", ACCEPT, Msg),
    Case::new("regbadct",   "3.1.2.13 a Contact URI with headers and without <>", BAD, Msg),
    Case::new("badaspec",   "3.1.2.14 spaces inside <>; they can be passed over", ACCEPT, Msg),
    Case::new("baddn",      "3.1.2.15 an unquoted display name with a comma; the quotes can be inferred", ACCEPT, Msg),
    Case::new("badvers",    "3.1.2.16 a version that is not ours", Outcome::Reject(505), Msg),
    Case::new("mismatch01", "3.1.2.17 CSeq names another method", BAD, Msg),
    Case::new("mismatch02", "3.1.2.18 the same with an unknown method, which says more", Outcome::Reject(501), Endpoint),
    Case::new("bigcode",    "3.1.2.19 an overlarge status code", Outcome::Ignore, Msg),
    Case::new("badbranch",  "3.2.1 a branch of nothing but the magic cookie: matched by the rules of RFC 2543", ACCEPT, Msg),
    Case::new("insuf",      "3.3.1 From, To and Call-ID missing", BAD, Msg),
    Case::new("unkscm",     "3.3.2 a request URI of an unknown scheme", Outcome::Reject(416), Endpoint),
    Case::new("novelsc",    "3.3.3 a request URI of a known scheme that is not SIP's", Outcome::Reject(416), Endpoint),
    Case::new("unksm2",     "3.3.4 unknown schemes in To, From and Contact", ACCEPT, Msg),
    Case::new("bext01",     "3.3.5 unknown options in Require", Outcome::Reject(420), Endpoint),
    Case::new("invut",      "3.3.6 a body of an unknown type", Outcome::Reject(415), Endpoint),
    Case::new("regaut01",   "3.3.7 an unknown authentication scheme", ACCEPT, Msg),
    Case::new("multi01",    "3.3.8 headers that may come once, twice with different values", BAD, Msg),
    Case::new("mcl01",      "3.3.9 two different Content-Lengths", BAD, Msg),
    Case::new("bcast",      "3.3.10 a 200 with somebody else's Via below ours", Outcome::Ignore, Msg),
    Case::new("zeromf",     "3.3.11 Max-Forwards 0: an endpoint forwards nothing and answers", ACCEPT, Msg),
    Case::new("cparam01",   "3.3.12 an unknown Contact parameter", ACCEPT, Msg),
    Case::new("cparam02",   "3.3.13 an unknown parameter of the Contact's URI", ACCEPT, Msg),
    Case::new("regescrt",   "3.3.14 headers in the Contact's URI", ACCEPT, Msg),
    Case::new("sdp01",      "3.3.15 Accept leaves no body we could answer with", Outcome::Reject(406), Endpoint),
    Case::new("inv2543",    "3.4.1 an INVITE of RFC 2543: no branch, no tag, no Contact, no Content-Length", ACCEPT, Msg),
];

/// Where the RFC's files are, if they are here.
fn folder() -> Option<PathBuf> {
    let shared = std::env::var_os("PARTYLINE_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let folder = shared.join("rfc4475");
    folder.is_dir().then_some(folder)
}

/// Every row with the RFC's message, if the files are here.
pub fn messages() -> Option<Vec<(&'static Case, Bytes)>> {
    let folder = folder()?;
    let read = |case: &'static Case| {
        let path = folder.join(case.name).with_extension("dat");
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (case, Bytes::from(bytes))
    };
    Some(RFC4475.iter().map(read).collect())
}

/// What parsing and checking make of a message.
pub fn judge(bytes: &Bytes) -> Outcome {
    match Message::parse(bytes) {
        Ok(Message::Request(request)) => match check_request(&request) {
            Ok(()) => Outcome::Accept,
            Err(_) if request.method == Method::Ack => Outcome::Ignore,
            Err(defect) => Outcome::Reject(defect.status().0),
        },
        Ok(Message::Response(response)) => match check_response(&response) {
            Ok(()) => Outcome::Accept,
            Err(_) => Outcome::Ignore,
        },
        Err(error) => error.status().map_or(Outcome::Ignore, |status| Outcome::Reject(status.0)),
    }
}

#[test]
fn the_messages_of_rfc_4475_have_their_outcomes() {
    let Some(messages) = messages() else {
        println!("skipped: the files of RFC 4475 are not here");
        return;
    };
    let mut wrong = Vec::new();
    for (case, bytes) in messages {
        let found = judge(&bytes);
        if found != case.at_message() {
            wrong.push(format!("{}: {found:?}, {}: {:?}", case.name, case.about, Message::parse(&bytes)));
        }
        if let Ok(message) = Message::parse(&bytes) {
            means_what_it_says(case.name, &message);
            assert_eq!(Message::parse(&message.to_bytes()).as_ref(), Ok(&message), "{}", case.name);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn request(message: &Message) -> &Request {
    message.request().expect("a request")
}

fn response(message: &Message) -> &Response {
    message.response().expect("a response")
}

/// That the parser not only took a message but understood it.
fn means_what_it_says(name: &str, message: &Message) {
    let headers = message.headers();
    match name {
        "wsinv" => {
            let request = request(message);
            assert!(request.uri.params.contains("unknownparam"));
            assert_eq!(request.to().unwrap().tag(), Some("1918181833n"));
            assert_eq!(request.from().unwrap().display.as_deref(), Some(r#"J Rosenberg \""#));
            assert_eq!(request.max_forwards().unwrap().unwrap().0, 68);
            assert_eq!(request.cseq().unwrap().to_string(), "9 INVITE");
            assert_eq!(
                headers.get_str(&H::from("newfangledheader")),
                Some("newfangled value continued newfangled value")
            );
            assert_eq!(headers.get_str(&H::Subject), Some(""));
            let vias: Vec<_> = headers.values(&H::Via).collect();
            assert_eq!(vias.len(), 3);
            assert!(!request.via_top().unwrap().has_rfc3261_branch());
            let contact = request.contact().unwrap();
            assert_eq!(contact.display.as_deref(), Some(r#"Quoted string """#));
            assert_eq!((contact.params.get("newparam"), contact.params.get("q")), (Some("newvalue"), Some("0.33")));
            assert_eq!(request.body.len(), 150);
        }
        "intmeth" => {
            let request = request(message);
            assert_eq!(request.method, request.cseq().unwrap().method);
            assert_eq!(request.uri.host, Host::from("example.com"));
            let password = "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)";
            assert_eq!(request.uri.password.as_deref(), Some(password));
            assert_eq!(request.to().unwrap().display.as_deref(), Some("BEL:\u{7} NUL:\0 DEL:\u{7f}"));
            assert_eq!(request.from().unwrap().tag(), Some("_token~1'+`*%!-."));
        }
        "esc01" => {
            let request = request(message);
            assert_eq!(request.uri.user_decoded().as_deref(), Some("sips:user@example.com"));
            assert_eq!(request.to().unwrap().uri.user_decoded().as_deref(), Some("user"));
            let contact = request.contact().unwrap();
            assert_eq!(contact.uri.user_decoded().as_deref(), Some("caller"));
            assert!(!contact.uri.is_loose_router(), "an escaped name is another name");
        }
        "escnull" => {
            let request = request(message);
            assert_eq!(request.to().unwrap().uri.user_decoded().as_deref(), Some("null-\0-null"));
            assert_eq!(headers.addresses(&H::Contact).unwrap().len(), 2);
        }
        "esc02" => {
            assert_eq!(request(message).method.as_str(), "RE%47IST%45R");
            assert_eq!(headers.all(&H::Contact).count(), 2);
        }
        "lwsdisp" => assert_eq!(request(message).from().unwrap().display.as_deref(), Some("caller")),
        "dblreq" => assert!(message.body().is_empty()),
        "semiuri" => {
            let uri = &request(message).uri;
            assert_eq!(uri.user_decoded().as_deref(), Some("user;par=u@example.net"));
            assert!(uri.params.is_empty());
        }
        "transports" => assert_eq!(headers.values(&H::Via).count(), 5),
        "mpart01" => assert_eq!(message.body().len(), 553),
        "unreason" => assert!(response(message).reason.ends_with("простое")),
        "noreason" => assert_eq!(&*response(message).reason, ""),
        "badbranch" => assert!(!request(message).via_top().unwrap().has_rfc3261_branch()),
        "badaspec" => assert_eq!(request(message).to().unwrap().uri.to_string(), "sip:t.watson@example.org"),
        "baddn" => assert_eq!(request(message).from().unwrap().display.as_deref(), Some("Bell, Alexander")),
        "zeromf" => assert_eq!(request(message).max_forwards().unwrap().unwrap().0, 0),
        "cparam01" => assert!(request(message).contact().unwrap().params.contains("unknownparam")),
        "cparam02" => assert!(request(message).contact().unwrap().uri.params.contains("unknownparam")),
        "regescrt" => assert!(request(message).contact().unwrap().uri.headers.is_some()),
        "bext01" => assert_eq!(request(message).require().count(), 2),
        "inv2543" => {
            assert_eq!(request(message).via_top().unwrap().branch, None);
            assert!(message.body().starts_with(b"v=0"));
        }
        _ => {}
    }
}
