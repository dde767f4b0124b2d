//! The conference that scenarios make: a telephone's session, one for the conference, and telephones that it calls.
//! With ours, and with those of the VoxEngine platform, unchanged, which are not in the project.

use super::phone::End;
use super::world::{Settings, World, ms, secs};
use partyline::gateway::{Input, SessionId};
use partyline::session::scenario::{Fuel, Runtime, Script, Setup, Turn};
use partyline::types::Seed;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The four rules, but that browsers are telephones here.
const ROUTES: &str = r#"
[[routes]]
name     = "InboundFromPSTN"
from     = "carrier"
number   = "7000"
scenario = "Gate"

[[routes]]
name     = "Fwd"
from     = "sessions"
number   = "conf_[A-Za-z0-9]+"
scenario = "Conference"
"#;

/// The same for one room alone.
const OF_A_ROOM: &str = r#"
[rooms.420042]
invited_call = "joinconf"

[[routes]]
name     = "InboundFromPSTN"
from     = "carrier"
number   = "7000"
scenario = "Gate"

[[routes]]
name     = "InboundCall"
from     = "users"
number   = "joinconf"
scenario = "Gate"

[[routes]]
name     = "Fwd"
from     = "sessions"
number   = "conf_[A-Za-z0-9]+"
for_room = "conf_{room}"
scenario = "Conference"
"#;

/// Texts of the scenarios that the routes name, where they are at hand.
struct Texts {
    gate: String,
    conference: String,
}

fn read(folder: &Path, gate: &str, conference: &str) -> Option<Texts> {
    let read = |name: &str| std::fs::read_to_string(folder.join(format!("{name}.js"))).ok();
    Some(Texts { gate: read(gate)?, conference: read(conference)? })
}

fn ours() -> Texts {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    read(&folder, "TelephoneGate", "Conference").expect("they ship")
}

fn reference() -> Option<Texts> {
    let shared = std::env::var_os("PARTYLINE_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let texts = read(&shared.join("scenarios"), "VideoConferencePSTNgatekeeper", "VideoConference");
    if texts.is_none() {
        eprintln!("skipped: no ../shared/scenarios");
    }
    texts
}

/// A world in which scenarios run.
struct Stage {
    world: World,
    texts: Texts,
    running: Vec<(SessionId, Runtime)>,
    lines: Vec<String>,
}

impl Stage {
    fn new(texts: Texts, routes: &'static str) -> Self {
        let world = World::new(Settings { gateway: routes, ..Settings::default() });
        Self { world, texts, running: Vec::new(), lines: Vec::new() }
    }

    fn run(&mut self, time: Duration) {
        let until = self.world.now.instant + time;
        while self.world.now.instant < until {
            self.world.run(ms(20));
            while self.turn() {}
        }
    }

    /// Starts scenarios and tells them what happened. Says whether there was anything to do.
    fn turn(&mut self) -> bool {
        let now = self.world.now;
        let mut turns = Vec::new();
        for (n, started) in self.world.scenarios.iter_mut().enumerate() {
            if n == self.running.len() {
                let setup = Setup {
                    session: format!("s{n}"),
                    custom_data: String::new(),
                    access: Default::default(),
                    seed: Seed::fixed(n as u64),
                };
                let mut runtime = Runtime::new(setup, Fuel::new(1_000)).unwrap();
                let text = if started.scenario == "Gate" { &self.texts.gate } else { &self.texts.conference };
                turns.push((started.session, runtime.begin(now, &Script::compile("test.js", text))));
                self.running.push((started.session, runtime));
            }
            let (session, runtime) = &mut self.running[n];
            for event in started.take() {
                turns.push((*session, runtime.handle(now, &event)));
            }
        }
        let is_busy = !turns.is_empty();
        for (session, Turn { verbs, lines, end, .. }) in turns {
            self.lines.extend(lines);
            if let Some(fault) = end {
                self.world.input(Input::SessionFailed { session, cause: fault.to_string() });
                panic!("{fault}");
            }
            self.world.say(session, verbs);
        }
        is_busy
    }

    /// A telephone that keys the PIN of a conference and is let in.
    fn join(&mut self, pin: &str) -> usize {
        let phone = self.world.phone();
        self.world.dial(phone, "7000");
        self.run(secs(2));
        self.key(phone, pin);
        phone
    }

    /// A telephone whose call is over calls again, and keys one PIN after the other.
    fn call_again(&mut self, phone: usize, pins: &[&str]) {
        self.world.dial(phone, "7000");
        self.run(secs(2));
        for pin in pins {
            self.key(phone, pin);
        }
        self.run(secs(6));
    }

    fn key(&mut self, phone: usize, pin: &str) {
        self.world.remember_pin(pin);
        for key in pin.chars().chain(['#']) {
            self.world.key(phone, &key.to_string());
            self.run(ms(400));
        }
        self.run(secs(4));
    }

    fn conferences(&self) -> usize {
        self.world.scenarios.iter().filter(|started| started.scenario == "Conference" && started.over.is_none()).count()
    }
}

fn telephones_meet(texts: Texts) {
    let mut stage = Stage::new(texts, ROUTES);
    let (anna, ben) = (stage.join("42"), stage.join("42"));
    let other = stage.join("43");
    assert_eq!(stage.conferences(), 2, "{:?}", stage.lines);
    stage.run(secs(2));
    stage.world.assert_together(&[anna, ben]);
    assert!(stage.world.tones(other).is_empty(), "another PIN is another conference");
    stage.world.bye(anna);
    stage.run(secs(2));
    stage.world.assert_talking(&[ben]);
    assert!(stage.world.tones(ben).is_empty());
    for phone in [ben, other] {
        stage.world.bye(phone);
    }
    stage.run(secs(125));
    assert!(stage.world.scenarios.iter().all(|started| started.over.is_some()), "all sessions are over");
    stage.world.finish();
}

#[test]
fn telephones_that_key_one_pin_meet_in_our_scenarios() {
    telephones_meet(ours());
}

#[test]
fn telephones_that_key_one_pin_meet_in_the_scenarios_of_the_reference() {
    let Some(texts) = reference() else { return };
    telephones_meet(texts);
}

#[test]
fn a_pin_that_is_no_rooms_opens_nothing_and_may_be_corrected_twice() {
    let mut stage = Stage::new(ours(), OF_A_ROOM);
    let (anna, ben) = (stage.join("420042"), stage.join("430043"));
    assert_eq!(stage.conferences(), 1, "{:?}", stage.lines);
    assert!(stage.world.tones(anna).is_empty(), "nobody else is in it");
    stage.key(ben, "4200421");
    stage.key(ben, "420042");
    stage.world.assert_together(&[anna, ben]);
    let guesser = stage.join("410041");
    for pin in ["430043", "440044"] {
        stage.key(guesser, pin);
    }
    stage.run(secs(10));
    stage.world.assert_ended(guesser, End::Remote);
    assert_eq!(stage.conferences(), 1);
    stage.world.assert_logged(" joins conf_");
    stage.world.assert_logged("Fwd (there is no such room)");
    for phone in [anna, ben] {
        stage.world.bye(phone);
    }
    stage.run(secs(125));
    // No line of the log holds a PIN that was keyed.
    stage.world.finish();
}

#[test]
fn ten_wrong_pins_block_one_caller_of_a_gate_and_no_other() {
    let mut stage = Stage::new(ours(), OF_A_ROOM);
    let mallory = stage.join("410041");
    for _ in 0..2 {
        stage.key(mallory, "410042");
    }
    stage.run(secs(6));
    stage.world.assert_ended(mallory, End::Remote);
    assert_eq!(stage.world.record(mallory).keyed.wrong_pins, 3);
    for _ in 0..3 {
        stage.call_again(mallory, &["410043", "410044", "410045"]);
    }
    assert_eq!(stage.world.lines("the caller is blocked for an hour").len(), 1);
    stage.call_again(mallory, &["420042"]);
    assert_eq!(stage.world.prompts(mallory, secs(14)), ["enter-pin", "pin-blocked", "goodbye"]);
    stage.world.assert_ended(mallory, End::Remote);
    let counted = stage.world.record(mallory).keyed;
    assert_eq!((counted.wrong_pins, counted.blocked_pins), (0, 1));
    assert_eq!(stage.conferences(), 0);
    let anna = stage.join("420042");
    stage.world.assert_talking(&[anna]);
    assert_eq!(stage.conferences(), 1);
    // For an hour.
    stage.run(secs(3_600));
    stage.call_again(mallory, &["420042"]);
    stage.world.assert_together(&[mallory, anna]);
    for phone in [anna, mallory] {
        stage.world.bye(phone);
    }
    stage.run(secs(125));
    stage.world.finish();
}

#[test]
fn a_spent_budget_slows_the_callers_of_a_gate_down_and_shuts_nobody_out() {
    let mut stage = Stage::new(ours(), format!("pin_budget = 3\n{OF_A_ROOM}").leak());
    let guesser = stage.join("410041");
    for _ in 0..2 {
        stage.key(guesser, "410042");
    }
    let callers: Vec<usize> = (0..5).map(|_| stage.world.phone()).collect();
    for &caller in &callers {
        stage.world.dial(caller, "7000");
    }
    stage.run(secs(3));
    for key in "420042#".chars() {
        for &caller in &callers {
            stage.world.key(caller, &key.to_string());
        }
        stage.run(ms(400));
    }
    stage.world.assert_logged("PIN waits");
    // Whoever hangs up meanwhile waits for nothing.
    stage.world.bye(callers[1]);
    stage.run(secs(7));
    let waited = callers.iter().filter(|caller| stage.world.prompts(**caller, secs(8)).contains(&"please-wait"));
    assert!(waited.count() >= 2, "they hear why nothing happens");
    stage.run(secs(15));
    let there: Vec<usize> = callers.iter().copied().filter(|caller| *caller != callers[1]).collect();
    stage.world.assert_together(&there);
    // Who is told of a wrong PIN while it is said that it waits hears the one after the other, and whole.
    let guessers: Vec<usize> = (0..4).map(|_| stage.world.phone()).collect();
    for &guesser in &guessers {
        stage.world.dial(guesser, "7000");
    }
    stage.run(secs(3));
    for key in "410041#".chars() {
        for &guesser in &guessers {
            stage.world.key(guesser, &key.to_string());
        }
        stage.run(ms(400));
    }
    stage.run(secs(20));
    let heard = guessers.iter().map(|guesser| stage.world.prompts(*guesser, secs(20)));
    let heard: Vec<_> = heard.collect();
    assert!(heard.iter().all(|heard| heard.ends_with(&["wrong-pin", "enter-pin"])), "{heard:?}");
    assert!(heard.iter().any(|heard| heard.contains(&"please-wait")), "{heard:?}");
    for phone in there.into_iter().chain(guessers) {
        stage.world.bye(phone);
    }
    stage.run(secs(125));
    stage.world.finish();
}
