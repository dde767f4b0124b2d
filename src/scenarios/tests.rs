//! Scenarios on their threads: what one does to itself is nothing to another.

use super::*;
use crate::dialplan::FetchSettings;
use crate::session::{CallHandle, Event, Party, Verb};
use crate::types::Network;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

const CALL: CallHandle = CallHandle::FIRST_GIVEN;
const GOOD: SessionId = SessionId(1);
const BAD: SessionId = SessionId(2);

/// Answers every call.
const ANSWERS: &str = "VoxEngine.addEventListener(AppEvents.CallAlerting, (e) => e.call.answer());";

struct Host {
    scenarios: Scenarios,
    asked: mpsc::Receiver<Input>,
}

fn host_with(fetch: FetchSettings) -> Host {
    let (ask, asked) = mpsc::channel(16);
    Host { scenarios: Scenarios::new(&Seed::fixed(7), fetch, ask), asked }
}

fn host() -> Host {
    host_with(FetchSettings::default())
}

impl Host {
    fn start(&mut self, session: SessionId, source: &str) {
        let scenario =
            Scenario { name: "Test".into(), source: source.into(), custom_data: String::new(), sounds: Vec::new() };
        self.scenarios.start(session, Arc::new(scenario)).unwrap();
    }

    fn tell(&mut self, session: SessionId, event: Event) {
        self.scenarios.tell(session, event).unwrap();
    }

    /// What is asked for next, within a time that nothing here needs.
    fn next(&mut self) -> Input {
        let patient = async { tokio::time::timeout(Duration::from_secs(30), self.asked.recv()).await };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(patient).expect("something is asked for").expect("somebody asks")
    }

    #[track_caller]
    fn expect_verbs(&mut self, from: SessionId, expected: &[Verb]) {
        match self.next() {
            Input::Verbs { session, verbs } => assert_eq!((session, &*verbs), (from, expected)),
            other => panic!("{other:?}"),
        }
    }
}

fn incoming() -> Event {
    Event::Incoming { call: CALL, from: Party::default(), number: "1".into(), alerting: None }
}

#[test]
fn whatever_one_scenario_does_another_answers_meanwhile() {
    for (bad, cause) in [
        ("while (true) {}", "a callback took longer than a second (Test.js:1:"),
        ("const a = []; while (true) a.push('x'.repeat(1000) + a.length)", "it uses more than 16 MB of memory"),
        ("throw new Error('mine')", "Error: mine (Test.js:1:"),
        ("Promise.reject(new Error('late'))", "a promise was rejected: Error: late (Test.js:1:"),
        ("(function f() { f() })()", "Maximum call stack size exceeded"),
        ("for (let i = 0; i < 1000; i++) setTimeout(() => {}, 1)", "more than 100 timers"),
        ("var a = ;", "SyntaxError"),
    ] {
        let mut host = host();
        host.start(GOOD, ANSWERS);
        host.start(BAD, bad);
        host.tell(GOOD, incoming());
        // The one that answers may come before the end of the other, and never waits for it.
        let mut told = [host.next(), host.next()].map(|input| match input {
            Input::Verbs { session: GOOD, verbs } => format!("{verbs:?}"),
            Input::SessionFailed { session: BAD, cause } => cause,
            other => panic!("{other:?}"),
        });
        told.sort_by_key(|told| told.contains(cause));
        assert!(told[1].contains(cause), "{bad}: {told:?}");
        assert_eq!(told[0], format!("{:?}", [Verb::Answer { call: CALL }]));
    }
}

#[test]
fn a_loop_is_ended_when_its_session_is() {
    let mut host = host();
    host.start(GOOD, ANSWERS);
    host.start(
        BAD,
        &format!("{ANSWERS} VoxEngine.addEventListener(AppEvents.CallAlerting, () => {{ while (true) {{}} }})"),
    );
    host.tell(BAD, incoming());
    host.scenarios.end(BAD);
    host.tell(BAD, incoming());
    host.tell(GOOD, incoming());
    host.expect_verbs(GOOD, &[Verb::Answer { call: CALL }]);
    assert_eq!(host.scenarios.len(), 1);
}

#[test]
fn a_scenario_that_does_not_keep_up_is_said_to() {
    let mut host = host();
    host.start(BAD, "VoxEngine.addEventListener(AppEvents.CallAlerting, () => { while (true) {} })");
    let flood = (0..=MOST_WAITING + 1).find_map(|_| host.scenarios.tell(BAD, incoming()).err());
    assert_eq!(flood.as_deref(), Some("more than 1024 events wait for it"));
    host.scenarios.end(BAD);
}

#[test]
fn ten_thousand_messages_are_nothing() {
    let mut host = host();
    host.start(GOOD, &format!("let n = 0; {ANSWERS} VoxEngine.addEventListener(AppEvents.CallAlerting, ({{ call }}) =>
        call.addEventListener(CallEvents.ToneReceived, () => {{ if (++n === 10000) call.hangup() }}) || call.handleTones(true))"));
    host.tell(GOOD, incoming());
    host.expect_verbs(GOOD, &[Verb::Answer { call: CALL }, Verb::HandleDigits { call: CALL, on: true }]);
    for _ in 0..10_000 {
        while host.scenarios.tell(GOOD, Event::Digit { call: CALL, digit: '1' }).is_err() {
            std::thread::yield_now();
        }
    }
    host.expect_verbs(GOOD, &[Verb::Hangup { call: CALL, cause: "scenario".into() }]);
}

/// A server that answers each request it gets with `answer`, to which its request is handed.
fn server(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream: TcpStream = stream.unwrap();
            let request = request(&mut stream);
            let _ = stream.write_all(&answer(&request));
        }
    });
    port
}

/// A whole request: its body may come in a segment of its own.
fn request(stream: &mut TcpStream) -> String {
    let mut request = String::new();
    let mut octets = [0; 4_096];
    loop {
        let read = stream.read(&mut octets).unwrap();
        request.push_str(&String::from_utf8_lossy(&octets[..read]));
        let Some((head, body)) = request.split_once("\r\n\r\n") else {
            assert!(read > 0, "it breaks off: {request}");
            continue;
        };
        let head = head.to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return request;
        }
        assert!(read > 0, "its body breaks off: {request}");
    }
}

fn response(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// Loopback may be asked.
fn home() -> FetchSettings {
    let loopback = Network { address: "127.0.0.0".parse().unwrap(), prefix: 8 };
    FetchSettings { allow: vec![loopback], ..FetchSettings::default() }
}

/// What `Net.httpRequest` of a URL comes to: its code and the text, or the error.
fn fetched(fetch: FetchSettings, url: &str, options: &str) -> String {
    let mut host = host_with(fetch);
    // A verb bears what came to us.
    let source = format!(
        "Net.httpRequest({url:?}, (r) => VoxEngine.callPSTN(r.code + ' ' + (r.error || r.text).slice(0, 200)), {options})"
    );
    host.start(GOOD, &source);
    match host.next() {
        Input::Verbs { verbs, .. } => match &*verbs {
            [Verb::Dial { to: session::DialTarget::Number(text), .. }] => text.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn http_requests_are_answered_with_whatever_the_server_says() {
    let port = server(|request| {
        let first = request.lines().next().unwrap_or_default().to_owned();
        let told =
            request.to_ascii_lowercase().lines().find(|line| line.starts_with("x-a")).unwrap_or_default().to_owned();
        let body = request.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned();
        response("404 Not Found", "", format!("{first}|{told}|{body}").as_bytes())
    });
    let url = format!("http://127.0.0.1:{port}/a?b=c");
    assert_eq!(fetched(home(), &url, "{}"), "404 GET /a?b=c HTTP/1.1||");
    let options = "{ method: 'PUT', postData: 'hello', headers: { 'X-A': 'b', Host: 'evil' } }";
    assert_eq!(fetched(home(), &url, options), "404 PUT /a?b=c HTTP/1.1|x-a: b|hello");
}

#[test]
fn an_address_that_may_not_be_asked_is_not_asked_by_name_literally_or_by_redirect() {
    let port = server(|_| response("200 OK", "", b"secret"));
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"] {
        let said = fetched(FetchSettings::default(), &format!("http://{host}:{port}/"), "{}");
        assert!(said.starts_with("4 ") && said.contains("is loopback"), "{host}: {said}");
    }
    let outside = server(move |_| response("302 Found", &format!("Location: http://127.0.0.2:{port}/\r\n"), b""));
    let only = Network { address: "127.0.0.1".parse().unwrap(), prefix: 32 };
    let settings = FetchSettings { allow: vec![only], ..FetchSettings::default() };
    let said = fetched(settings, &format!("http://127.0.0.1:{outside}/"), "{}");
    assert!(said.starts_with("4 ") && said.contains("127.0.0.2 is loopback"), "{said}");
}

#[test]
fn what_goes_wrong_with_a_request_has_a_code() {
    let large = server(|_| response("200 OK", "", &vec![b'x'; (2 << 20) + 1]));
    let around = server(|_| response("302 Found", "Location: /again\r\n", b""));
    for (url, code) in [
        ("no URL".to_owned(), "2 "),
        ("ftp://example.com/".to_owned(), "2 "),
        (format!("http://127.0.0.1:{large}/"), "11 "),
        (format!("http://127.0.0.1:{around}/"), "10 "),
    ] {
        let said = fetched(home(), &url, "{}");
        assert!(said.starts_with(code), "{url}: {said}");
    }
}

#[test]
fn a_script_is_checked_with_the_place_of_its_first_mistake() {
    assert_eq!(check(Path::new("scenarios/A.js"), ANSWERS), Ok(()));
    let why = check(Path::new("scenarios/A.js"), "var a;\nvar b = ;").unwrap_err();
    assert!(why.starts_with("line 2, column 9: SyntaxError: "), "{why}");
}

#[test]
fn a_session_answers_who_knows_its_key_and_not_too_often() {
    let mut host = host();
    host.scenarios = host.scenarios.with_access(["http://gate".into(), String::new()]);
    host.start(
        GOOD,
        "VoxEngine.addEventListener(AppEvents.Started, (e) => VoxEngine.callPSTN(e.accessURL));
        VoxEngine.addEventListener(AppEvents.HttpRequest, (e) => e.method + e.path + e.content)",
    );
    host.start(BAD, ANSWERS);
    host.tell(GOOD, Event::Started);
    let Input::Verbs { verbs, .. } = host.next() else { panic!() };
    let [Verb::Dial { to: session::DialTarget::Number(url), .. }] = &*verbs else { panic!("{verbs:?}") };
    let key = url.strip_prefix("http://gate/sessions/").unwrap().to_owned();
    let request = || scenario::HttpRequest { method: "PUT".into(), path: "/a".into(), content: "b".into() };
    let answer = host.scenarios.request(&key, request()).unwrap();
    assert_eq!(answer.blocking_recv().unwrap().as_deref(), Some("PUT/ab"));
    assert_eq!(host.scenarios.request("no key", request()).unwrap_err(), Unasked::Nobody);
    let deaf = host.scenarios.running.get(&BAD).unwrap().key.clone();
    assert_eq!(host.scenarios.request(&deaf, request()).unwrap().blocking_recv().unwrap(), None);
    let asked = (0..1_000).map(|_| host.scenarios.request(&key, request()).err());
    assert!(asked.into_iter().any(|why| why == Some(Unasked::Busy)));
    host.scenarios.end(GOOD);
    assert_eq!(host.scenarios.request(&key, request()).unwrap_err(), Unasked::Nobody);
}
