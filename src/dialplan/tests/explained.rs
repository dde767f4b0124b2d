//! Explanations, word for word.

use super::*;
use explain::{ExplainError, Explanation, Question, explain};

fn told(text: &str, from: &str, number: &str, digits: Option<&str>) -> String {
    asked(text, &Question { from, number, digits, ..Question::default() }).to_string()
}

fn asked(text: &str, question: &Question<'_>) -> Explanation {
    explain(&parse("dialplan.toml", text, &Trusting).unwrap().plan, question).unwrap()
}

#[test]
fn the_way_to_a_room_by_pin() {
    let expected = "\
A call from trunk carrier to +442079460100
  dialled as 0044 20 7946 0100

Routes, top to bottom:
  line 30, InboundFromPSTN: matches, by number \\+4420794601\\d\\d
  3 below not looked at

The call rings for 3 s and is answered.
Ivr conference, in en-GB:
  says prompt enter-pin
  takes 4 to 10 digits, ended by #, begun anew by *; the first within 10 s, each other within 5 s; 3 tries
  try 1: ••••••, no room has this PIN, says prompt wrong-pin, then prompt enter-pin
  try 2: ••••••, is the host PIN of room standup
  says prompt joining
The caller joins room standup.
  alone there: says prompt first-here, then a tone every 20 s until another comes
";
    assert_eq!(told(EXAMPLE, "carrier", "0044 20 7946 0100", Some("482918# 775310#")), expected);
}

#[test]
fn the_way_of_wrong_pins() {
    let expected = "\
127.0.0.1 is trunk local
A call from trunk local to 1000

Routes, top to bottom:
  line 82, Conference: matches, by number 1000
  7 below not looked at

The call is answered at once.
Ivr conference, in en-GB:
  says prompt enter-pin
  takes 4 to 10 digits, ended by #, begun anew by *; the first within 10 s, each other within 5 s; 3 tries
  try 1: ••••••, no room has this PIN, says prompt wrong-pin, then prompt enter-pin
  try 2: •••, too few digits, says prompt too-short, then prompt enter-pin
  try 3: no digit, says prompt no-input, then prompt enter-pin
  try 3: no digit, once more, says prompt no-input
  after 3 tries: says prompt goodbye
The call is ended.
";
    assert_eq!(told(DEMO, "127.0.0.1", "1000", Some("999999#123#")), expected);
}

#[test]
fn the_way_when_no_digits_are_given() {
    let expected = "\
A call from trunk local to 1000

Routes, top to bottom:
  line 82, Conference: matches, by number 1000
  7 below not looked at

The call is answered at once.
Ivr conference, in en-GB:
  says prompt enter-pin
  takes 4 to 10 digits, ended by #, begun anew by *; the first within 10 s, each other within 5 s; 3 tries
  a room's PIN: says prompt joining, the caller joins that room
  a wrong PIN: says prompt wrong-pin, then prompt enter-pin
  a PIN after ten wrong ones in an hour: says prompt pin-blocked, hangs up
  a PIN that has to wait for its check: says prompt please-wait, every few seconds
  too few digits: says prompt too-short, then prompt enter-pin
  no digit in time, which costs no try the first time: says prompt no-input, then prompt enter-pin
  after 3 tries: what was wrong with the last, says prompt goodbye, hangs up
";
    assert_eq!(told(DEMO, "local", "1000", None), expected);
}

#[test]
fn the_way_straight_into_a_room_and_to_a_refusal() {
    let expected = "\
A call from trunk local to 3000
  dialled as sip:30-00@127.0.0.1

Routes, top to bottom:
  line 82, Conference: is for number 1000
  line 88, Lobby: is for number 2000
  line 95, OnDemand: matches, by number 3\\d{3}
  5 below not looked at

The call is answered at once.
The caller joins room 3000 (made on demand).
  alone there: says prompt first-here, then a tone every 20 s until another comes
";
    assert_eq!(told(DEMO, "local", "sip:30-00@127.0.0.1", None), expected);
    let refused = told(EXAMPLE, "users", "alice", None);
    assert!(refused.ends_with("matches, by number .*\n\nThe call is refused with 404.\n"), "{refused}");
}

#[test]
fn a_call_nobody_takes_says_what_each_route_is_for() {
    let expected = "\
A call from trunk local to 1001

Routes, top to bottom:
  line 82, Conference: is for number 1000
  line 88, Lobby: is for number 2000
  line 95, OnDemand: is for number 3\\d{3}
  line 102, Users: is for calls from users
  line 109, InboundFromPSTN: is for number 4000
  line 115, InboundCall: is for calls from users
  line 121, Fwd: is for calls from sessions
  line 128, P2P: is for calls from users

No route matches: the call is refused with 404 Not Found.
";
    assert_eq!(told(DEMO, "local", "1001", None), expected);
    let of_no_room = told(DEMO, "sessions", "conf_604716", None);
    assert!(of_no_room.contains("Fwd: is for number conf_{room} of a room that has invited_call"), "{of_no_room}");
    let unknown = told(DEMO, "192.0.2.1", "1000", None);
    assert_eq!(unknown, "No trunk takes calls from 192.0.2.1: the gateway does not answer at all.\n");
}

#[test]
fn digits_may_make_the_rooms_name() {
    let text = DEMO
        .replace("{ room = \"by-pin\" }", "{ room = \"conf_{digits}\" }")
        .replace("say     =", "greetings = { '1\\d+' = { file = \"one.wav\" } }\nsay =");
    let way = told(&text, "local", "1000", Some("12*4711#"));
    let way = way.replace("  alone there: says prompt first-here, then a tone every 20 s until another comes\n", "");
    let end = "  try 1: 4 digits, make the room's name from conf_{digits}\n  says prompt joining\n\
               The caller joins room conf_•••• (made on demand).\n";
    assert!(way.ends_with(end), "{way}");
    assert!(!way.contains("4711"), "{way}");
    assert!(way.contains("  says file one.wav\n"), "{way}");
}

#[test]
fn what_cannot_be_explained_is_refused() {
    let plan = example().plan;
    let error = explain(&plan, &Question { from: "carier", number: "1000", ..Question::default() }).unwrap_err();
    assert_eq!(error.to_string(), "there is no trunk `carier`: did you mean `carrier`?");
    assert_eq!(
        explain(&plan, &Question { from: "carrier", number: "1000", digits: Some("12x"), ..Question::default() })
            .unwrap_err(),
        ExplainError::NoDigits
    );
}

const OUT: &str = r#"
[gateway]
country_code = "44"

[trunks.carrier]
address   = ["192.0.2.1"]
max_calls = 30

[trunks.second]
address = ["192.0.2.2:5070", "sip.second.example"]

[ivr.operator]
say  = "One moment please."
then = { dial = "020 7946 0200" }

[[routes]]
name   = "Operator"
from   = "carrier"
number = "5000"
ivr    = "operator"

[[routes]]
name   = "Out"
from   = "sessions"
number = '\+44\d+'
trunks = ["carrier", "second"]
"#;

#[test]
fn the_way_of_a_call_out() {
    let expected = "\
A call from sessions to +442079460123
  dialled as 020 7946 0123

Routes, top to bottom:
  line 16, Operator: is for calls from trunk carrier
  line 22, Out: matches, by number \\+44\\d+

+442079460123 is called:
  by trunk carrier at 192.0.2.1 (at most 30 calls at one time)
  else by trunk second at 192.0.2.2:5070, then sip.second.example
  rings for 1 min at most, lasts 240 min at most
  into a room: the callee must press 1 before being heard
  one session places 20 calls in all and 10 a minute at most
";
    assert_eq!(told(OUT, "sessions", "020 7946 0123", None), expected);
}

#[test]
fn a_number_that_is_not_called_says_by_which_rule() {
    for (number, rule) in [
        ("999", "emergency numbers are never called: 999 is one; dial it from a telephone of your own"),
        ("0901 1234567", "UK premium rate (+449…) is not called, as route Out does not say premium = true"),
        ("+4930123456", "no route allows it: none with from = \"sessions\" takes this number"),
        ("joinconf", "this is no telephone number"),
    ] {
        let way = told(OUT, "sessions", number, None);
        assert!(way.ends_with(&format!("\nThe call is not placed: {rule}.\n")), "{way}");
    }
}

#[test]
fn the_way_on_to_another_telephone() {
    let way = told(OUT, "carrier", "5000", None);
    assert!(way.contains("+442079460200 is called by line 22, Out, and joined with the caller.\n"), "{way}");
    assert!(way.contains("  the callee is heard at once\n"), "{way}");
    assert!(way.contains("  busy: says prompt number-busy, hangs up\n"), "{way}");
}

#[test]
fn what_comes_of_a_call_is_told_apart_from_the_words() {
    let of = |from, number, digits| asked(DEMO, &Question { from, number, digits, ..Question::default() });
    let joined = of("127.0.0.1", "1000", Some("482917#"));
    assert_eq!((joined.from.as_deref(), joined.route.as_deref()), (Some("local"), Some("Conference")));
    assert_eq!((joined.room.as_deref(), joined.refused), (Some("demo"), None));
    for (from, number, digits, why) in [
        ("192.0.2.1", "1000", None, "No trunk takes calls"),
        ("local", "5000", None, "No route matches"),
        ("local", "1000", Some("999999#999999#999999#"), "The call is ended"),
        ("sessions", "112", None, "The call is not placed: emergency"),
    ] {
        let refused = of(from, number, digits).refused.unwrap_or_default();
        assert!(refused.starts_with(why), "{from} {number}: {refused}");
    }
    assert!(asked(EXAMPLE, &Question { from: "users", number: "alice", ..Question::default() }).refused.is_some());
}

#[test]
fn caller_and_time_are_told_as_they_are_read() {
    let question = Question {
        from: "carrier",
        number: "5000",
        caller: Some("020 7946 0100"),
        at: Some("2026-12-24 18:00"),
        ..Question::default()
    };
    let way =
        asked(&OUT.replace("address   = [\"192.0.2.1\"]", "address = [\"192.0.2.1\"]\ncountry = \"GB\""), &question)
            .to_string();
    assert!(way.contains("\n  caller +442079460100, written 020 7946 0100\n"), "{way}");
    assert!(way.contains("\n  at 2026-12-24 18:00: no setting depends on the time\n"), "{way}");
}
