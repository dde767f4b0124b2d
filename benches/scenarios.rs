//! What scenarios cost: memory of a session, and time of an event. benches/README.md says how to run it.
//!
//! `cargo bench --bench scenarios -- [sessions] [script]`
#![allow(clippy::disallowed_methods, reason = "a bench: it measures time")]

use partyline::dialplan::{FetchSettings, Scenario};
use partyline::gateway::{Input, SessionId};
use partyline::scenarios::{Scenarios, Second};
use partyline::session::scenario::{Runtime, Script, Setup};
use partyline::session::{Alerting, CallHandle, Event, Party, Verb};
use partyline::types::{Now, Seed};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::mpsc;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CALL: CallHandle = CallHandle::FIRST_GIVEN;

fn now() -> Now {
    Now { instant: Instant::now(), wall: SystemTime::now() }
}

/// A scenario with a browser's call that was answered.
fn with_call(script: &Script) -> Runtime {
    let setup =
        Setup { session: "bench".into(), custom_data: String::new(), access: Default::default(), seed: Seed::fixed(1) };
    let mut runtime = Runtime::new(setup, Second::default()).expect("an engine");
    assert_eq!(runtime.begin(now(), script).end, None);
    for event in call() {
        assert_eq!(runtime.handle(now(), &event).end, None);
    }
    runtime
}

/// A browser's call that comes in and is answered.
fn call() -> [Event; 2] {
    let headers = vec![("X-ClientType".into(), "web".into())];
    let alerting = Some(Box::new(Alerting { to: "conf_1".into(), headers }));
    let from = Party { number: "ann".into(), name: None };
    let incoming = Event::Incoming { call: CALL, from, number: "conf_1".into(), alerting };
    [incoming, Event::Answered { call: CALL }]
}

/// Kilobytes of the process that are in memory.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("pages") * 4
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let sessions: usize = arguments.next().map_or(1_000, |number| number.parse().expect("a number of sessions"));
    let script =
        arguments.next().unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/Conference.js").into());
    let source = std::fs::read_to_string(script).expect("a script");
    let began = Instant::now();
    let script = Arc::new(Script::compile("bench.js", &source));
    println!("to compile    {} µs, once", began.elapsed().as_micros());

    let began = Instant::now();
    let mut runtime = with_call(&script);
    println!("first engine  {} µs", began.elapsed().as_micros());
    let began = Instant::now();
    drop((0..20).map(|_| with_call(&script)).collect::<Vec<_>>());
    println!("engine        {} µs", began.elapsed().as_micros() / 20);
    println!("its memory    {} KiB", runtime.memory() >> 10);
    let text = r#"{"type":"ICE_FAILED","caller":"sip:bob@example.com","callee":"x"}"#.to_owned();
    let message = Event::Message { call: CALL, text };
    const EVENTS: u32 = 100_000;
    let began = Instant::now();
    for _ in 0..EVENTS {
        runtime.handle(now(), &message);
    }
    println!("event         {} ns (a message that is parsed)", (began.elapsed() / EVENTS).as_nanos());

    let before = resident();
    let (asks, mut asked) = mpsc::channel(1_024);
    let mut scenarios = Scenarios::new(&Seed::fixed(1), FetchSettings::default(), asks);
    let scenario = Arc::new(Scenario {
        name: "bench".into(),
        source: source.into(),
        custom_data: String::new(),
        sounds: Vec::new(),
    });
    let began = Instant::now();
    for number in 0..sessions {
        let session = SessionId(number as _);
        scenarios.start(session, Arc::clone(&scenario)).expect("a thread");
        for event in call() {
            scenarios.tell(session, event).expect("it keeps up");
        }
    }
    // Each answers its call, whatever else it asks for.
    let mut answering = sessions;
    while answering > 0 {
        match asked.blocking_recv() {
            Some(Input::Verbs { verbs, .. }) => {
                answering -= usize::from(verbs.contains(&Verb::Answer { call: CALL }));
            }
            other => panic!("{other:?}"),
        }
    }
    println!("all sessions  {} ms, {sessions} from their start to the answer of a call", began.elapsed().as_millis());
    // The event that the call is answered is dealt with as well.
    std::thread::sleep(Duration::from_secs(1));
    println!("a session     {} KiB of {sessions}", (resident() - before) / sessions);
    for number in 0..sessions {
        scenarios.end(SessionId(number as _));
    }
    // Threads give back what memory they have when nothing happens.
    std::thread::sleep(Duration::from_secs(12));
    println!("and at the end {} KiB are left of it", resident().saturating_sub(before) / sessions);
}
