use crate::types::Seed;
use std::collections::BTreeSet;

use super::*;
use crate::sip::auth::{Covered, Credentials, DigestClient};
use crate::sip::message::{Method, Response, StatusCode};

const SOURCE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 7));

fn settings(algorithms: &[Algorithm]) -> DigestSettings {
    DigestSettings { realm: "partyline".into(), algorithms: algorithms.to_vec(), integrity: true }
}

/// A server with one user, and a client that knows a password.
struct Pair {
    server: DigestServer,
    now: Instant,
    keys: UserKeys,
    client: DigestClient,
    credentials: Credentials,
    asked: usize,
}

impl Pair {
    fn new(algorithms: &[Algorithm], password: &str) -> Self {
        let (now, settings) = (crate::test_clock(), settings(algorithms));
        Self {
            keys: UserKeys::of_password("pbx", "correct horse", &settings),
            server: DigestServer::new(now, Seed::fixed(1), settings),
            now,
            client: DigestClient::new(),
            credentials: Credentials::new("pbx", password),
            asked: 0,
        }
    }

    fn judge_from(&mut self, request: &Request, source: IpAddr) -> Verdict {
        let keys = &self.keys;
        self.server.judge(self.now, request, source, |name| (name == "pbx").then_some(keys))
    }

    fn judge(&mut self, request: &Request) -> Verdict {
        self.judge_from(request, SOURCE)
    }

    /// The request with the client's answer to a fresh challenge.
    fn answered(&mut self, request: &Request, stale: bool) -> Request {
        let challenges = self.server.challenge(self.now, SOURCE, stale);
        let response = challenges.iter().fold(Response::new(StatusCode::UNAUTHORIZED), |response, challenge| {
            response.with(HeaderName::WwwAuthenticate, challenge.to_string())
        });
        let uri = request.uri.to_string();
        let covered = Covered { method: &request.method, uri: &uri, body: &request.body };
        self.asked += 1;
        let cnonce = format!("c{}", self.asked);
        let answer = self.client.answer(&response, covered, &self.credentials, &cnonce).unwrap();
        answer.into_iter().fold(request.clone(), |request, (name, value)| request.with(name, value))
    }
}

fn invite() -> Request {
    Request::new(Method::Invite, "sip:1000@gateway.example".parse().unwrap())
}

fn proven() -> Verdict {
    Verdict::Proven { username: "pbx".into() }
}

#[test]
fn every_algorithm_and_quality_is_proven_and_a_wrong_password_is_not() {
    use Algorithm::{Md5, Md5Session, Sha256, Sha256Session, Sha512_256, Sha512_256Session};
    for algorithm in [Md5, Md5Session, Sha256, Sha256Session, Sha512_256, Sha512_256Session] {
        let mut pair = Pair::new(&[algorithm], "correct horse");
        assert_eq!(pair.judge(&invite()), Verdict::Absent);
        let answered = pair.answered(&invite(), false);
        assert_eq!(pair.judge(&answered), proven(), "{algorithm}");
        let mut wrong = Pair::new(&[algorithm], "battery staple");
        let answered = wrong.answered(&invite(), false);
        assert_eq!(wrong.judge(&answered), Verdict::Wrong, "{algorithm}");
    }
}

#[test]
fn the_strongest_of_several_challenges_is_answered() {
    let mut pair = Pair::new(&[Algorithm::Sha512_256, Algorithm::Sha256, Algorithm::Md5], "correct horse");
    let challenges = pair.server.challenge(pair.now, SOURCE, false);
    let offered: Vec<_> = challenges.iter().map(|challenge| challenge.algorithm).collect();
    assert_eq!(offered, [Algorithm::Sha512_256, Algorithm::Sha256, Algorithm::Md5]);
    assert!(challenges[0].to_string().contains(r#"qop="auth,auth-int""#));
    let answered = pair.answered(&invite(), false);
    let value = answered.headers.get_str(&HeaderName::Authorization).unwrap();
    assert!(value.contains("algorithm=SHA-512-256,"), "{value}");
    assert_eq!(pair.judge(&answered), proven());
}

#[test]
fn an_answer_that_covers_the_body_fails_for_another_body() {
    let mut pair = Pair::new(&[Algorithm::Sha256], "correct horse");
    let mut challenge = pair.server.challenge(pair.now, SOURCE, false).remove(0);
    challenge.qop = Some(Qop::AuthInt);
    let request = invite().with_body("application/sdp", "v=0\r\n");
    let covered = Covered { method: &request.method, uri: "sip:1000@gateway.example", body: &request.body };
    let value = pair.client.authorize(&challenge, covered, &pair.credentials, "c").unwrap();
    let other = invite().with_body("application/sdp", "v=1\r\n").with(HeaderName::Authorization, value.clone());
    assert_eq!(pair.judge(&other), Verdict::Wrong);
    assert_eq!(pair.judge(&request.with(HeaderName::Authorization, value)), proven());
}

#[test]
fn a_request_taken_from_the_wire_cannot_be_sent_again() {
    let mut pair = Pair::new(&[Algorithm::Sha256], "correct horse");
    let answered = pair.answered(&invite(), false);
    // From another address the nonce is not even ours.
    assert_eq!(pair.judge_from(&answered, [192, 0, 2, 9].into()), Verdict::Stale);
    assert_eq!(pair.judge(&answered), proven());
    assert_eq!(pair.judge(&answered), Verdict::Stale);
    // Nor for another number or method.
    let other = Request::new(Method::Invite, "sip:2000@gateway.example".parse().unwrap());
    let moved =
        other.with(HeaderName::Authorization, answered.headers.get(&HeaderName::Authorization).unwrap().clone());
    assert_eq!(pair.judge(&moved), Verdict::Wrong);
}

#[test]
fn one_nonce_serves_many_requests_in_any_near_order() {
    let mut pair = Pair::new(&[Algorithm::Sha256], "correct horse");
    let first = pair.answered(&invite(), false);
    pair.client.accepted(None);
    let mut requests = vec![first];
    for _ in 0..3 {
        let covered = Covered { method: &Method::Invite, uri: "sip:1000@gateway.example", body: b"" };
        let (name, value) = pair.client.again(covered, &pair.credentials).remove(0);
        requests.push(invite().with(name, value));
    }
    for at in [1, 0, 3, 2] {
        assert_eq!(pair.judge(&requests[at]), proven(), "{at}");
    }
    assert_eq!(pair.judge(&requests[0]), Verdict::Stale);
}

#[test]
fn an_old_nonce_is_stale_and_the_client_goes_on_with_the_next() {
    let mut pair = Pair::new(&[Algorithm::Sha256], "correct horse");
    let answered = pair.answered(&invite(), false);
    pair.now += LIFETIME + Duration::from_millis(1);
    assert_eq!(pair.judge(&answered), Verdict::Stale);
    let again = pair.answered(&invite(), true);
    assert_eq!(pair.judge(&again), proven());
}

#[test]
fn nonces_are_neither_repeated_nor_made_by_others() {
    let mut pair = Pair::new(&[Algorithm::Sha256], "correct horse");
    let mut nonces = BTreeSet::new();
    for _ in 0..100 {
        assert!(nonces.insert(pair.server.challenge(pair.now, SOURCE, false)[0].nonce.to_string()));
    }
    let one = nonces.first().unwrap().clone();
    for at in 0..NONCE_DIGITS {
        let other = if one.as_bytes()[at] == b'0' { "1" } else { "0" };
        let mut forged = one.clone();
        forged.replace_range(at..=at, other);
        assert!(pair.server.good_nonce(pair.now, &forged, SOURCE).is_none(), "{at}");
    }
    assert!(pair.server.good_nonce(pair.now, &one, SOURCE).is_some());
    for odd in ["", "0", &"+".repeat(64), &"é".repeat(32), &"f".repeat(64), &"f".repeat(65)] {
        assert!(pair.server.good_nonce(pair.now, odd, SOURCE).is_none(), "{odd}");
    }
    let mut other = DigestServer::new(pair.now, Seed::fixed(2), settings(&[Algorithm::Sha256]));
    assert!(other.good_nonce(pair.now, &one, SOURCE).is_none());
}

#[test]
fn who_does_not_exist_hears_what_a_wrong_password_hears() {
    let mut pair = Pair::new(&[Algorithm::Sha256], "wrong");
    let wrong = pair.answered(&invite(), false);
    pair.client.clear();
    pair.credentials = Credentials::new("nobody", "wrong");
    let nobody = pair.answered(&invite(), false);
    assert_eq!((pair.judge(&wrong), pair.judge(&nobody)), (Verdict::Wrong, Verdict::Wrong));
}

#[test]
fn answers_of_kinds_that_were_not_asked_for_are_wrong() {
    let mut pair = Pair::new(&[Algorithm::Sha256], "correct horse");
    for alter in [
        |challenge: &mut Challenge| challenge.algorithm = Algorithm::Md5,
        |challenge: &mut Challenge| challenge.qop = None,
        |challenge: &mut Challenge| challenge.userhash = true,
    ] {
        let mut challenge = pair.server.challenge(pair.now, SOURCE, false).remove(0);
        alter(&mut challenge);
        let covered = Covered { method: &Method::Invite, uri: "sip:1000@gateway.example", body: b"" };
        let value = pair.client.authorize(&challenge, covered, &pair.credentials, "c").unwrap();
        assert_eq!(pair.judge(&invite().with(HeaderName::Authorization, value.clone())), Verdict::Wrong, "{value}");
    }
    for noise in ["Basic cGJ4OnB3", "Digest realm=\"other\", nonsense", "Digest"] {
        assert_eq!(pair.judge(&invite().with(HeaderName::Authorization, noise)), Verdict::Absent, "{noise}");
    }
}

#[test]
fn a_guesser_hears_nothing_more_and_the_owner_elsewhere_is_served() {
    let mut pair = Pair::new(&[Algorithm::Sha256], "guess");
    let mut verdicts = Vec::new();
    for _ in 0..12 {
        pair.client.clear();
        let guess = pair.answered(&invite(), false);
        verdicts.push(pair.judge(&guess));
    }
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Wrong).count(), 10);
    assert_eq!(verdicts.last(), Some(&Verdict::Barred));
    assert_eq!(pair.judge_from(&invite(), [192, 0, 2, 9].into()), Verdict::Absent);
}

#[test]
fn a_right_answer_even_a_replayed_one_forgives_no_wrong_one() {
    let mut pair = Pair::new(&[Algorithm::Sha256], "correct horse");
    let mut guesser = Pair::new(&[Algorithm::Sha256], "wrong");
    std::mem::swap(&mut guesser.server, &mut pair.server);
    let right = guesser_right(&mut guesser);
    for _ in 0..10 {
        let guess = guesser.answered(&invite(), true);
        guesser.client.clear();
        assert_eq!(guesser.judge(&guess), Verdict::Wrong);
        assert_ne!(guesser.judge(&right), Verdict::Wrong);
    }
    assert_eq!(guesser.judge(&right), Verdict::Barred);
}

/// A right answer, made with the password of the one who was overheard.
fn guesser_right(pair: &mut Pair) -> Request {
    let known = Credentials::new("pbx", "correct horse");
    let wrong = std::mem::replace(&mut pair.credentials, known);
    let right = pair.answered(&invite(), false);
    pair.credentials = wrong;
    pair.client.clear();
    right
}

#[test]
fn keys_may_be_stored_instead_of_the_password() {
    let mut pair = Pair::new(&[Algorithm::Sha256, Algorithm::Md5], "correct horse");
    let key = Algorithm::Sha256.hash(&["pbx", "partyline", "correct horse"]);
    assert!(!format!("{:?}", pair.keys).contains(&key));
    pair.keys = UserKeys::of_hashes([(Algorithm::Sha256, key.to_ascii_uppercase())]);
    let answered = pair.answered(&invite(), false);
    assert_eq!(pair.judge(&answered), proven());
}
