//! Scenarios that take more than there is, and what comes of it to the calls of others: nothing.

use super::super::harness::http::WebSocket;
use super::super::harness::slot::Slot;
use super::super::harness::{Gateway, Phone, Setup, seconds, sound};
use super::sip_client::{Client, PASSWORD};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

/// Tones of the two who talk meanwhile.
const ANNAS: f64 = 500.0;
const OTTOS: f64 = 1_500.0;
/// Longer than all takes, seconds.
const LONG: f64 = 300.0;

const USERS: &str = r#"
[users.carol]
password = { plain = "a password that nobody guesses" }
"#;

/// What a scenario does once its call is answered, and the cause that its session has failed of; or else a line that it
/// writes, before it hangs up. `SERVER` is a server that may be asked.
const SCENARIOS: [(&str, Result<&str, &str>); 9] = [
    ("while (true) {}", Err("a callback took longer than a second (S0.js:")),
    ("const a = []; while (true) a.push('x'.repeat(1000) + a.length)", Err("it uses more than 16 MB of memory")),
    ("throw new Error('mine')", Err("Error: mine (S2.js:")),
    ("Promise.reject(new Error('late'))", Err("a promise was rejected: Error: late (S3.js:")),
    ("(function f() { f() })()", Err("RangeError: Maximum call stack size exceeded (S4.js:")),
    ("for (let i = 0; i < 1000; i++) setTimeout(() => {}, 60000)", Err("more than 100 timers")),
    ("for (let i = 0; i < 10000; i++) call.sendMessage('x')", Err("a callback asked for more than 1,000 things")),
    ("Net.httpRequest('http://SERVER/large', (r) => end('large: ' + r.code))", Ok("large: 11")),
    ("Net.httpRequest('http://SERVER/home', (r) => end('home: ' + r.code))", Ok("home: 4")),
];

/// Writes 10,000 texts in a second, or as many as go.
const WRITES: &str = "
    let n = 0;
    const timer = setInterval(() => {
        for (let i = 0; i < 100; i++) call.sendMessage('x');
        if (++n < 100) return;
        clearInterval(timer);
        end('written');
    }, 10)";
/// Counts the texts that come, be it before the answer is acknowledged.
const READS: &str = "VoxEngine.addEventListener(AppEvents.CallAlerting, ({ call }) => {
    let n = 0;
    call.addEventListener(CallEvents.MessageReceived, () => { n += 1 });
    call.addEventListener(CallEvents.Disconnected, () => { Logger.write('read ' + n); VoxEngine.terminate() });
    call.addEventListener(CallEvents.Failed, () => Logger.write('read ' + n));
    call.answer();
})";

/// Answers its call and then does so.
fn script(then: &str) -> String {
    format!(
        "VoxEngine.addEventListener(AppEvents.CallAlerting, ({{ call }}) => {{
             const end = (words) => {{ Logger.write(words); call.hangup(); }};
             call.addEventListener(CallEvents.Connected, () => {{ {then} }});
             call.addEventListener(CallEvents.Disconnected, VoxEngine.terminate);
             call.answer();
         }})"
    )
}

/// Each under a number: the scenarios above, then the one that writes, and the one that reads.
const NUMBERS: [&str; 11] = ["7100", "7101", "7102", "7103", "7104", "7105", "7106", "7107", "7108", "7109", "7110"];

fn routes() -> String {
    let route = |(n, number): (usize, &str)| {
        format!(
            "[[routes]]\nname = \"S{n}\"\nfrom = [\"local\", \"users\"]\nnumber = \"{number}\"\nscenario = \"S{n}\"\n"
        )
    };
    USERS.to_owned() + &NUMBERS.into_iter().enumerate().map(route).collect::<String>()
}

/// A server at an address that may be asked: 10 MB at `/large`, and else the way to 127.0.0.1.
fn server() -> String {
    let listener = TcpListener::bind("127.77.0.1:0").unwrap();
    let place = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let _ = if head.first().is_some_and(|line| line.contains("/large")) {
                let body = vec![b'x'; 10 << 20];
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                stream.write_all(&[head.as_bytes(), &body].concat())
            } else {
                let head = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
                stream.write_all(head.as_bytes())
            };
        }
    });
    place
}

fn start() -> Gateway {
    let server = server();
    let setup = Setup::new().web().also(&routes()).setting("fetch = { allow = [\"127.77.0.0/16\"] }");
    setup.prepare(|folder| {
        let folder = folder.join("scenarios");
        std::fs::create_dir(&folder).unwrap();
        let does = SCENARIOS.iter().map(|(then, _)| *then).chain([WRITES]);
        let scripts = does.map(|then| script(&then.replace("SERVER", &server))).chain([READS.to_owned()]);
        for (n, script) in scripts.enumerate() {
            std::fs::write(folder.join(format!("S{n}.js")), script).unwrap();
        }
    })
}

/// Carol, by SIP over WebSocket, in a call with a scenario.
fn carol(gateway: &Gateway, number: &str) -> Client<WebSocket> {
    let mut carol = Client::of(WebSocket::sip(gateway), number, ("carol", PASSWORD));
    let answer = carol.calls();
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    carol
}

/// Reads what a scenario writes until it hangs up. Gives how many texts came.
fn reads(gateway: &Gateway, number: &str) -> usize {
    let mut carol = carol(gateway, number);
    let mut count = 0;
    loop {
        let request = carol.line.receive_text();
        carol.accepts(&request);
        if request.starts_with("BYE ") {
            return count;
        }
        assert!(request.starts_with("MESSAGE "), "{request}");
        count += 1;
    }
}

/// Writes 10,000 texts as fast as they go, and hangs up. Gives how many were taken.
fn writes(gateway: &Gateway, number: &str) -> usize {
    let mut carol = carol(gateway, number);
    let mut taken = 0;
    for _ in 0..100 {
        for _ in 0..100 {
            let text = carol.request("MESSAGE", "", "x").replace("application/sdp", "text/plain");
            carol.line.send(&text);
        }
        for _ in 0..100 {
            let response = carol.final_response();
            let status = &response[8..11];
            assert!(matches!(status, "200" | "503"), "{response}");
            taken += usize::from(status == "200");
        }
    }
    let bye = carol.request("BYE", "", "");
    carol.line.send(&bye);
    let answer = carol.final_response();
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    taken
}

#[test]
fn whatever_a_scenario_takes_a_call_of_others_loses_nothing() {
    let _slot = Slot::take();
    let gateway = start();
    let anna = Phone::dials("2000").from("anna").says(ANNAS).seconds(LONG).call(&gateway);
    let otto = Phone::dials("2000").from("otto").says(OTTOS).seconds(LONG).call(&gateway);
    gateway.wait_for_members("lobby", 2);
    for (number, (_, outcome)) in NUMBERS.into_iter().zip(SCENARIOS) {
        let ended = Phone::dials(number).seconds(30.0).run(&gateway).answered();
        assert!(ended.output.contains("hung up"), "{number}: {}", ended.output);
        let (Ok(line) | Err(line)) = outcome;
        gateway.wait_for_log(line, seconds(10));
    }
    let [.., writer, reader] = NUMBERS;
    // Forty within two seconds, however long it takes.
    let read = reads(&gateway, writer);
    assert!((40..2_000).contains(&read), "{read} of a scenario's 10,000 texts came");
    let taken = writes(&gateway, reader);
    assert!((40..2_000).contains(&taken), "{taken} of 10,000 texts were taken");
    gateway.wait_for_log(&format!("read {taken}"), seconds(10));
    gateway.wait_for_members("lobby", 2);
    for call in gateway.status()["calls"].as_array().unwrap() {
        gateway.ctl(&["kick", call["call"].as_str().unwrap()]);
    }
    let (anna, otto) = (anna.finish().answered().heard, otto.finish().answered().heard);
    sound::assert_hears_other_not_own("Anna", &anna, OTTOS, ANNAS);
    sound::assert_hears_other_not_own("Otto", &otto, ANNAS, OTTOS);
    let remains = gateway.finish();
    assert!(remains.says(&["written"]), "{}", remains.log);
    let of = |what: &str, word: &str| {
        let found = remains.records.iter().find(|record| record[what] == *word);
        found.unwrap_or_else(|| panic!("no record of {word}: {:#?}", remains.records))
    };
    for who in ["anna", "otto"] {
        assert_eq!(of("from", who)["media"]["packets_lost"], 0, "{}", of("from", who));
    }
    for (number, _) in NUMBERS.into_iter().zip(SCENARIOS).filter(|(_, (_, outcome))| outcome.is_err()) {
        assert_eq!(of("number", number)["cause_detail"], "scenario-failed", "{}", of("number", number));
    }
}
