//! Numbers and users that exist, and that do not: the same answers, in the same time.

use super::harness::{Family, Gateway, Setup, seconds};
use partyline::sip::auth::{Algorithm, DigestServer, DigestSettings, UserKeys, Verdict};
use partyline::sip::message::{HeaderName, Method, Request};
use std::io::ErrorKind;
use std::net::{IpAddr, UdpSocket};
use std::time::{Duration, Instant};

const PASSWORD: &str = "correct horse battery";
const EXISTS: &str = "1001";
const MISSING: &str = "9001";
/// Wrong answers from one address before nothing is said to it any more are ten.
const GUESSES_EACH: usize = 9;

fn gateway(auth: &str) -> Gateway {
    let routes = format!(
        "[trunks.known]\nallow = [\"127.0.0.77\"]\n[trunks.pbx]\n{auth}\n[rooms.lobby]\n\
         [[routes]]\nname = \"In\"\nfrom = [\"known\", \"pbx\"]\nnumber = '{EXISTS}'\nroom = \"lobby\"\n"
    );
    Setup::new().routes(&routes).environment("PBX_PASSWORD", PASSWORD).start()
}

const AUTH: &str = r#"auth = { username = "pbx", password = { env = "PBX_PASSWORD" } }"#;

fn unknown_source() -> UdpSocket {
    let socket = UdpSocket::bind((Family::V4.own_address(), 0)).unwrap();
    socket.set_read_timeout(Some(seconds(5))).unwrap();
    socket
}

/// A request for `number`; all requests of an unknown source are alike but for it and the branch.
fn request(from: &UdpSocket, gateway: &Gateway, method: &str, number: &str, credentials: &str) -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(1_000_000);
    let (here, place, one) = (from.local_addr().unwrap(), gateway.place(), NEXT.fetch_add(1, Ordering::Relaxed));
    format!(
        "{method} sip:{number}@{place} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{one}\r\nMax-Forwards: 70\r\n\
         From: <sip:caller@{here}>;tag=caller\r\nTo: <sip:{number}@{place}>\r\nCall-ID: {one}\r\nCSeq: 1 {method}\r\n\
         Contact: <sip:caller@{here}>\r\n{credentials}Content-Length: 0\r\n\r\n"
    )
}

/// Sends it and gives back the answer, and how long it took.
fn ask(from: &UdpSocket, gateway: &Gateway, request: &str) -> (String, Duration) {
    let mut buffer = [0; 4096];
    let begun = Instant::now();
    from.send_to(request.as_bytes(), gateway.place()).unwrap();
    let length = from.recv(&mut buffer).unwrap_or_else(|error| panic!("{error}: no answer to\n{request}"));
    let took = begun.elapsed();
    (String::from_utf8(buffer[..length].to_vec()).unwrap(), took)
}

fn nonce(answer: &str) -> &str {
    answer.split_once("nonce=\"").and_then(|(_, rest)| rest.split_once('"')).expect("a nonce").0
}

fn credentials(user: &str, gateway: &Gateway, number: &str, nonce: &str) -> String {
    format!(
        "Authorization: Digest username=\"{user}\", realm=\"partyline\", nonce=\"{nonce}\", \
         uri=\"sip:{number}@{}\", response=\"{:064x}\", algorithm=SHA-256, qop=auth, nc=00000001, cnonce=\"c\"\r\n",
        gateway.place(),
        7
    )
}

/// An answer without what differs between any two: our tag, the nonce, what was copied from the request.
fn plain(answer: &str, number: &str) -> String {
    let nonce = nonce(answer).to_owned();
    assert_eq!(nonce.len(), 64);
    let lines = answer.replace(&nonce, "NONCE").replace(&format!("sip:{number}@"), "sip:NUMBER@");
    let line = |line: &str| match line.split_once(':') {
        Some(("To", value)) => format!("To:{}", value.split_once(";tag=").map_or(value, |(value, _)| value)),
        Some(("Via", _)) => "Via".to_owned(),
        Some(("Call-ID", _)) => "Call-ID".to_owned(),
        Some(("From", value)) => format!("From:{}", value.split_once('@').unwrap().1.split_once(';').unwrap().1),
        _ => line.to_owned(),
    };
    lines.lines().map(line).collect::<Vec<_>>().join("\r\n")
}

/// One way to probe the gateway: with which method, for which number, as which user (with a wrong password).
type Probe = (&'static str, &'static str, Option<&'static str>);

const PROBES: [Probe; 8] = [
    ("INVITE", EXISTS, None),
    ("INVITE", MISSING, None),
    ("INVITE", EXISTS, Some("pbx")),
    ("INVITE", MISSING, Some("pbx")),
    ("INVITE", EXISTS, Some("nob")),
    ("OPTIONS", EXISTS, None),
    ("OPTIONS", MISSING, None),
    ("OPTIONS", EXISTS, Some("pbx")),
];

/// Probes once and gives back the answer and its time.
fn probe(from: &UdpSocket, gateway: &Gateway, (method, number, user): Probe) -> (String, Duration) {
    let Some(user) = user else { return ask(from, gateway, &request(from, gateway, method, number, "")) };
    let (asked, _) = ask(from, gateway, &request(from, gateway, method, number, ""));
    let credentials = credentials(user, gateway, number, nonce(&asked));
    ask(from, gateway, &request(from, gateway, method, number, &credentials))
}

#[test]
fn numbers_and_users_that_exist_and_that_do_not_get_the_same_answers() {
    let hashes = "auth = { username = \"pbx\", ha1 = { plain = \"MD5:00112233445566778899aabbccddeeff\" } }";
    for auth in [AUTH, hashes] {
        let gateway = gateway(auth);
        for method in ["INVITE", "OPTIONS"] {
            let answer = |asking| plain(&probe(&unknown_source(), &gateway, asking).0, asking.1);
            let expected = answer((method, EXISTS, None));
            assert!(expected.starts_with("SIP/2.0 401 "), "{expected}");
            for number in [EXISTS, MISSING] {
                for user in [None, Some("pbx"), Some("nobody"), Some("")] {
                    assert_eq!(answer((method, number, user)), expected, "{number} {user:?}");
                }
            }
        }
        // The war that no scanner gives up. One address is challenged so often and no more, so it goes on from another.
        let mut from = unknown_source();
        let expected = plain(&probe(&from, &gateway, ("INVITE", EXISTS, None)).0, EXISTS);
        for number in 900..1100 {
            if number % 40 == 0 {
                from = unknown_source();
            }
            let number = number.to_string();
            let (answer, _) = ask(&from, &gateway, &request(&from, &gateway, "INVITE", &number, ""));
            assert_eq!(plain(&answer, &number), expected, "{number}");
        }
        assert!(gateway.finish().records.is_empty());
    }
}

#[test]
fn what_is_not_asked_for_a_password_gets_silence_for_every_number() {
    let gateway = gateway(AUTH);
    let from = unknown_source();
    for method in
        ["REGISTER", "SUBSCRIBE", "MESSAGE", "NOTIFY", "PUBLISH", "REFER", "BYE", "CANCEL", "INFO", "ACK", "HELLO"]
    {
        for number in [EXISTS, MISSING] {
            for credentials in [String::new(), credentials("pbx", &gateway, number, &"0".repeat(64))] {
                let request = request(&from, &gateway, method, number, &credentials);
                from.send_to(request.as_bytes(), gateway.place()).unwrap();
            }
        }
    }
    // The last is answered, and it came after all the others.
    let request = request(&from, &gateway, "OPTIONS", EXISTS, "");
    let (answer, _) = ask(&from, &gateway, &request);
    assert!(answer.contains("CSeq: 1 OPTIONS"), "{answer}");
    from.set_nonblocking(true).unwrap();
    assert_eq!(from.recv(&mut [0; 4096]).map_err(|error| error.kind()), Err(ErrorKind::WouldBlock));
    assert!(gateway.finish().records.is_empty());
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// The median time of each probe. They take turns, each round begun by another one, so that whatever else the machine
/// does meets all of them alike.
fn medians(gateway: &Gateway, rounds: usize) -> [Duration; PROBES.len()] {
    let mut times: [Vec<Duration>; PROBES.len()] = Default::default();
    let guessers = PROBES.iter().filter(|(_, _, user)| user.is_some()).count();
    let mut from = unknown_source();
    for round in 0..rounds {
        if round % (GUESSES_EACH / guessers) == 0 {
            from = unknown_source();
        }
        for turn in 0..PROBES.len() {
            let which = (round + turn) % PROBES.len();
            times[which].push(probe(&from, gateway, PROBES[which]).1);
        }
    }
    times.map(|mut times| median(&mut times))
}

/// Ratios of medians, on one machine in one run; no absolute time. Other tests run beside this one, so a measurement
/// that fails is made again, twice at most: a difference that is there shows in all three, chance does not.
#[test]
fn numbers_and_users_that_exist_and_that_do_not_take_the_same_time() {
    const ROUNDS: usize = 400;
    // Pairs of probes that must not be told apart.
    const PAIRS: [(usize, usize); 5] = [(0, 1), (2, 3), (2, 4), (3, 4), (5, 6)];
    let gateway = gateway(AUTH);
    medians(&gateway, 20);
    let mut seen = Vec::new();
    for _ in 0..3 {
        let medians = medians(&gateway, ROUNDS);
        let ratio = |(one, other): (usize, usize)| medians[one].as_secs_f64() / medians[other].as_secs_f64();
        let ratios = PAIRS.map(ratio);
        println!("ratios of medians {ratios:.3?}, medians {medians:?}");
        if ratios.iter().all(|ratio| (0.8..=1.25).contains(ratio)) {
            assert!(gateway.finish().records.is_empty());
            return;
        }
        seen.push((ratios, medians));
    }
    panic!("numbers or users can be told apart by time (ratios of medians, medians): {seen:?}");
}

/// The times of judging a wrong answer of a user that exists, and of one that does not, in turns, by a server that is
/// new: one that remembers thousands of guessers takes longer for everybody.
fn times_of_judging(rounds: u32) -> [Vec<Duration>; 2] {
    let settings = DigestSettings { realm: "partyline".into(), algorithms: vec![Algorithm::Sha256], integrity: false };
    let keys = UserKeys::of_password("pbx", PASSWORD, &settings);
    let now = Instant::now();
    let mut server = DigestServer::new(now, partyline::types::Seed::fixed(7), settings);
    let mut judge = |user: &str, source: u32| {
        let source = IpAddr::from(source.to_be_bytes());
        let nonce = server.challenge(now, source, false)[0].nonce.to_string();
        let mut request = Request::new(Method::Invite, "sip:1001@gateway.example".parse().unwrap());
        let answer = format!(
            "Digest username=\"{user}\", realm=\"partyline\", nonce=\"{nonce}\", uri=\"sip:1001@gateway.example\", \
             response=\"{:064x}\", algorithm=SHA-256, qop=auth, nc=00000001, cnonce=\"c\"",
            7
        );
        request.headers.push(HeaderName::Authorization, answer);
        let begun = Instant::now();
        let verdict = server.judge(now, &request, source, |name| (name == "pbx").then_some(&keys));
        let took = begun.elapsed();
        assert_eq!(verdict, Verdict::Wrong);
        took
    };
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..rounds {
        for turn in 0..2 {
            let which = (round + turn) % 2;
            times[which as usize].push(judge(["pbx", "nob"][which as usize], 2 * round + turn));
        }
    }
    times
}

/// Closer to what is computed than a packet's way can be: the judging itself, microseconds of hashing, in this process.
/// (Without the hash for users there are none of, the ratio is 1.7.)
#[test]
fn judging_takes_the_same_time_for_users_that_exist_and_that_do_not() {
    let mut seen = Vec::new();
    for _ in 0..3 {
        let [exists, missing] = times_of_judging(1_000).map(|mut times| median(&mut times));
        let ratio = exists.as_secs_f64() / missing.as_secs_f64();
        println!("ratio of medians {ratio:.3}, medians {exists:?} {missing:?}");
        if (0.8..=1.25).contains(&ratio) {
            return;
        }
        seen.push(ratio);
    }
    panic!("users can be told apart by time (ratios of medians): {seen:?}");
}
