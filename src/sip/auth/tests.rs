use bytes::Bytes;

use super::*;
use crate::sip::message::StatusCode;

fn covered<'a>(method: &'a Method, uri: &'a str) -> Covered<'a> {
    Covered { method, uri, body: b"" }
}

fn get() -> Method {
    Method::from_token("GET".into())
}

fn parse(header: &str) -> Authorization {
    Authorization::parse(&Bytes::copy_from_slice(header.as_bytes())).unwrap_or_else(|error| panic!("{header}: {error}"))
}

fn authorize(challenge: &str, covered: Covered<'_>, credentials: &Credentials, cnonce: &str) -> Authorization {
    let challenge = Challenge::parse(&Bytes::copy_from_slice(challenge.as_bytes())).unwrap();
    parse(&DigestClient::new().authorize(&challenge, covered, credentials, cnonce).unwrap())
}

fn challenged(status: StatusCode, challenges: &[&str]) -> Response {
    let name =
        if status == StatusCode::UNAUTHORIZED { HeaderName::WwwAuthenticate } else { HeaderName::ProxyAuthenticate };
    challenges.iter().fold(Response::new(status), |response, value| response.with(name.clone(), (*value).to_owned()))
}

#[test]
fn the_example_of_rfc_2617() {
    let authorization = authorize(
        r#"Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41""#,
        covered(&get(), "/dir/index.html"),
        &Credentials::new("Mufasa", "Circle Of Life"),
        "0a4f113b",
    );
    assert_eq!(authorization.response, "6629fae49393a05397450978507c4ef1");
    assert_eq!(authorization.opaque.as_deref(), Some("5ccc069c403ebaf9f0171e9517f40e41"));
    assert_eq!((authorization.algorithm, authorization.algorithm_named), (Algorithm::Md5, false));
}

#[test]
fn the_examples_of_rfc_7616_section_3_9_1() {
    for (algorithm, response) in [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let authorization = authorize(
            &format!(
                r#"Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#
            ),
            covered(&get(), "/dir/index.html"),
            &Credentials::new("Mufasa", "Circle of Life"),
            "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        );
        assert_eq!(authorization.response, response);
        assert_eq!((authorization.qop, authorization.nonce_count), (Some(Qop::Auth), 1));
    }
}

/// With the values of erratum 4897: those printed in the RFC are not those of its inputs.
#[test]
fn the_example_of_rfc_7616_section_3_9_2() {
    let authorization = authorize(
        r#"Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true"#,
        covered(&get(), "/doe.json"),
        &Credentials::new("J\u{e4}s\u{f8}n Doe", "Secret, or not?"),
        "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
    );
    assert_eq!(authorization.username, "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b");
    assert_eq!(authorization.response, "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5");
    assert!(authorization.verify(&get(), b"", "J\u{e4}s\u{f8}n Doe", "Secret, or not?"));
}

/// Expected values computed with Python's hashlib from the formulas of RFC 7616 section 3.4.
#[test]
fn session_keys_and_covered_bodies() {
    let covered = Covered { method: &Method::Register, uri: "sip:registrar.example", body: b"v=0\r\n" };
    let credentials = Credentials::new("bob", "zanzibar");
    for (extra, response) in EXPECTED {
        let challenge = format!(r#"Digest realm="biloxi.com", nonce="dcd98b71", {extra}"#);
        let authorization = authorize(&challenge, covered, &credentials, "0a4f113b");
        assert_eq!(authorization.response, response, "{extra}");
        assert!(authorization.verify(&Method::Register, b"v=0\r\n", "bob", "zanzibar"));
        assert!(!authorization.verify(&Method::Register, b"v=0\r\n", "bob", "wrong"));
    }
}

#[test]
fn without_qop_there_is_neither_count_nor_client_nonce() {
    let challenge = Challenge::parse(&r#"Digest realm="r", nonce="n""#.into()).unwrap();
    let client = DigestClient::new();
    let text =
        client.authorize(&challenge, covered(&Method::Register, "sip:r"), &Credentials::new("u", "p"), "c").unwrap();
    assert!(!text.contains("nc=") && !text.contains("qop") && !text.contains("cnonce"), "{text}");
}

#[test]
fn the_strongest_supported_challenge_is_answered() {
    let response = challenged(
        StatusCode::PROXY_AUTHENTICATION_REQUIRED,
        &[
            r#"Basic realm="r""#,
            r#"Digest realm="r", nonce="1", algorithm=MD5, qop="auth""#,
            r#"Digest realm="r", nonce="2", algorithm=SHA-256, qop="auth""#,
            r#"Digest realm="r", nonce="3", algorithm=SHA-9000, qop="auth""#,
            r#"Digest realm="r", nonce="4", algorithm=SHA-256, qop="future""#,
            r#"Digest realm="r", nonce="5" nonsense"#,
        ],
    );
    let method = Method::Invite;
    let (name, value) = DigestClient::new()
        .answer(&response, covered(&method, "sip:b@r"), &Credentials::new("u", "p"), "c")
        .unwrap()
        .remove(0);
    assert_eq!((name, &*parse(&value).nonce), (HeaderName::ProxyAuthorization, "2"));
}

#[test]
fn credentials_are_for_their_realm_only() {
    let response = challenged(StatusCode::UNAUTHORIZED, &[r#"Digest realm="evil.example", nonce="1""#]);
    let credentials = Credentials::new("u", "p").for_realm("carrier.example");
    let mut client = DigestClient::new();
    let answer = client.answer(&response, covered(&Method::Invite, "sip:b@r"), &credentials, "c");
    assert_eq!(answer, Err(AuthError::ForeignRealm));
    assert!(client.again(covered(&Method::Invite, "sip:b@r"), &credentials).is_empty());
    let nothing = challenged(StatusCode::UNAUTHORIZED, &[]);
    let answer = client.answer(&nothing, covered(&Method::Invite, "sip:b@r"), &credentials, "c");
    assert_eq!(answer, Err(AuthError::NoChallenge));
}

#[test]
fn each_use_of_a_nonce_is_counted_and_keeps_the_client_nonce() {
    let response =
        challenged(StatusCode::UNAUTHORIZED, &[r#"Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256-sess"#]);
    let credentials = Credentials::new("u", "p");
    let covered = covered(&Method::Register, "sip:r");
    let mut client = DigestClient::new();
    let (_, first) = client.answer(&response, covered, &credentials, "c1").unwrap().remove(0);
    client.accepted(None);
    let (_, second) = client.again(covered, &credentials).remove(0);
    let (first, second) = (parse(&first), parse(&second));
    assert_eq!((first.nonce_count, second.nonce_count), (1, 2));
    assert_eq!(second.cnonce.as_deref(), Some("c1"));
    assert!(first.response != second.response && second.verify(&Method::Register, b"", "u", "p"));

    client.accepted(Some("next"));
    let (_, third) = client.again(covered, &credentials).remove(0);
    assert_eq!((&*parse(&third).nonce, parse(&third).nonce_count), ("next", 1));
}

#[test]
fn a_second_challenge_is_a_refusal_unless_the_nonce_was_stale() {
    let fresh = |nonce: &str, stale: &str| {
        challenged(StatusCode::UNAUTHORIZED, &[&format!(r#"Digest realm="r", nonce="{nonce}", qop="auth"{stale}"#)])
    };
    let credentials = Credentials::new("u", "p");
    let covered = covered(&Method::Register, "sip:r");
    let mut client = DigestClient::new();
    assert!(client.answer(&fresh("1", ""), covered, &credentials, "c").is_ok());
    assert!(client.answer(&fresh("2", ", stale=TRUE"), covered, &credentials, "c").is_ok());
    assert_eq!(client.answer(&fresh("3", ", stale=true"), covered, &credentials, "c"), Err(AuthError::Refused));
    assert_eq!(client.answer(&fresh("4", ""), covered, &credentials, "c"), Err(AuthError::Refused));

    let mut client = DigestClient::new();
    assert!(client.answer(&fresh("1", ""), covered, &credentials, "c").is_ok());
    client.accepted(None);
    let (_, value) = client.answer(&fresh("1", ""), covered, &credentials, "c").unwrap().remove(0);
    assert_eq!(parse(&value).nonce_count, 2);
}

#[test]
fn a_server_and_a_proxy_that_ask_in_one_answer_both_get_theirs() {
    let response = challenged(StatusCode::UNAUTHORIZED, &[r#"Digest realm="a", nonce="1", qop="auth""#])
        .with(HeaderName::ProxyAuthenticate, r#"Digest realm="b", nonce="2", qop="auth""#)
        .with(HeaderName::ProxyAuthenticate, r#"Digest realm="b", nonce="3", algorithm=SHA-256, qop="auth""#);
    let mut client = DigestClient::new();
    let method = Method::Invite;
    let answers = client.answer(&response, covered(&method, "sip:b@r"), &Credentials::new("u", "p"), "c").unwrap();
    let nonces: Vec<_> = answers.iter().map(|(name, value)| (name.clone(), parse(value).nonce.to_string())).collect();
    assert_eq!(nonces, [(HeaderName::Authorization, "1".into()), (HeaderName::ProxyAuthorization, "3".into())]);
}

#[test]
fn a_realm_that_first_asks_after_a_request_was_accepted_is_unknown() {
    let ask = |realm: &str, nonce: &str| {
        challenged(StatusCode::UNAUTHORIZED, &[&format!(r#"Digest realm="{realm}", nonce="{nonce}", qop="auth""#)])
    };
    let (bye, credentials) = (Method::Bye, Credentials::new("u", "p"));
    let covered = covered(&bye, "sip:b@r");
    let mut client = DigestClient::new();
    assert!(client.answer(&ask("carrier", "1"), covered, &credentials, "c").is_ok());
    client.accepted(None);
    assert_eq!(client.answer(&ask("evil", "2"), covered, &credentials, "c"), Err(AuthError::ForeignRealm));
    assert!(client.answer(&ask("carrier", "3"), covered, &credentials, "c").is_ok());
    // One that was never asked at all.
    let mut client = DigestClient::new();
    client.accepted(None);
    assert_eq!(client.answer(&ask("evil", "1"), covered, &credentials, "c"), Err(AuthError::ForeignRealm));
    let named = credentials.for_realm("carrier");
    assert!(client.answer(&ask("carrier", "1"), covered, &named, "c").is_ok());
}

#[test]
fn headers_are_read_as_they_were_written() {
    let challenge = Challenge {
        opaque: Some(r#"a "quoted" \ one"#.into()),
        stale: true,
        userhash: true,
        integrity: true,
        ..Challenge::new("the realm", "n,=\"", Algorithm::Sha256Session)
    };
    assert_eq!(Challenge::parse(&challenge.to_string().into()), Ok(challenge));
    for bad in ["", "Digest", "Digest realm", "Digest realm=\"r", "Digest realm=r", "Digest re alm=r, nonce=n"] {
        assert!(Challenge::parse(&bad.into()).is_err(), "{bad}");
        assert!(Authorization::parse(&bad.into()).is_err(), "{bad}");
    }
    let half = r#"Digest username="u", realm="r", nonce="n", uri="sip:r", response="00", qop=auth, nc=00000001"#;
    assert_eq!(Authorization::parse(&half.into()), Err(AuthError::Malformed));
}

#[test]
fn passwords_are_not_printed() {
    assert!(!format!("{:?}", Credentials::new("u", "hunter2")).contains("hunter2"));
}

const EXPECTED: [(&str, &str); 10] = [
    (r#"algorithm=MD5, qop="auth""#, "4be752e351749073b780d1f5709c44db"),
    (r#"algorithm=MD5, qop="auth-int""#, "f1134f83e742bce0f7cb9f4dc78c1077"),
    (r#"algorithm=MD5"#, "f9c10126de8f4c59174d9d68d5aa75ae"),
    (r#"algorithm=MD5-sess, qop="auth""#, "7fc0225861675675baee29b854b4b5f7"),
    (r#"algorithm=MD5-sess, qop="auth-int""#, "91d88b2f6188a5c7f3c57ab2eee0cd6a"),
    (r#"algorithm=MD5-sess"#, "fecb7339b1d51d35b2d420a2bc840901"),
    (r#"algorithm=SHA-256-sess, qop="auth""#, "30bc7837cffa8d2a78534edc5496e6e49398ca5a232854ecdfd1029a0dbba603"),
    (r#"algorithm=SHA-256-sess, qop="auth-int""#, "5bd79a67727253e2724b2a13e76cccec5ed7cc9020e325427f32b0957de79d1a"),
    (r#"algorithm=SHA-256-sess"#, "0be46e22192767a4d2b0ef54989419617e82c6b6c76a24e162297d16f1eeb3a8"),
    (r#"algorithm=SHA-512-256-sess, qop="auth""#, "10f81f548d41f4458bb60ff21309be8512fa01cd3ec2fa6e9341ab36dd9a213c"),
];
