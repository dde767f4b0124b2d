//! Mistakes, and how they are shown.

mod gateway;
mod rooms;
mod routes;
mod trunks;

use super::*;

pub(super) fn mistakes(text: &str) -> Diagnostics {
    match parse("dialplan.toml", text, &Trusting) {
        Ok(loaded) => loaded.warnings,
        Err(found) => found,
    }
}

/// Line, severity, message and underlined text of each mistake.
pub(super) fn told(text: &str) -> Vec<String> {
    let found = mistakes(text);
    found
        .iter()
        .map(|one| {
            let sign = if one.severity == Severity::Error { "error" } else { "warning" };
            format!("{} {sign}: {} <{}>", found.line(one), one.message, found.underlined(one))
        })
        .collect()
}

/// A good file with one line more in the place of `# HERE:place`.
pub(super) fn with(place: &str, line: &str) -> String {
    const BASE: &str = "\
[gateway]
# HERE:gateway
[trunks.local]
allow = [\"127.0.0.0/8\"]
# HERE:trunk
[rooms.demo]
# HERE:room
[ivr.menu]
collect = { digits = \"4-10\" }
then = { room = \"by-pin\" }
# HERE:ivr
[[routes]]
name = \"First\"
from = \"local\"
number = '1\\d{3}'
ivr = \"menu\"
# HERE:route
";
    BASE.replace(&format!("# HERE:{place}"), line)
}

/// Each line, written in its place into a good file, is the one mistake that is told.
fn assert_told(table: &[(&str, &str, &str)]) {
    let wrong: Vec<_> = table
        .iter()
        .map(|(place, line, expected)| (line, told(&with(place, line)), expected))
        .filter(|(_, told, expected)| *told != [**expected])
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn five_mistakes_are_shown_at_once_each_in_its_place() {
    let text = EXAMPLE
        .replace("rtp_ports = \"20000-29999\"", "rtp_ports = \"29999-20000\"")
        .replace("pin       = \"482917\"", "pin       = \"1234\"")
        .replace("first_digit = \"10s\"", "first_digit = 10")
        .replace("from   = \"carrier\"  ", "from   = \"carier\"  ")
        .replace("[A-Za-z0-9]+", "[A-Za-z0-9+");
    let expected = "\
error: `rtp_ports` is no range of ports
 --> dialplan.toml:4:13
  |
4 | rtp_ports = \"29999-20000\"
  |             ^^^^^^^^^^^^^ two ports from 1024 to 65535, the lower first, an even one and its neighbour at least
  |
  = help: for example: rtp_ports = \"20000-29999\"

error: this PIN is easily guessed
  --> dialplan.toml:21:13
   |
21 | pin       = \"****\"
   |             ^^^^^^ a sequence of digits
   |
   = help: take six digits or more, by chance, for example from: shuf -i 100000-999999 -n 1

warning: `host_pin` has no effect of its own yet
  --> dialplan.toml:22:13
   |
22 | host_pin  = \"******\"
   |             ^^^^^^^^ opens the room as `pin` does
   |
   = help: hosts cannot do more than others in this version; take it out, or leave it for later

error: `first_digit` takes a length of time with its unit, in quotes, not a number
  --> dialplan.toml:27:57
   |
27 | collect   = { digits = \"4-10\", end = \"#\", first_digit = 10, next_digit = \"5s\", tries = 3 }
   |                                                         ^^ expected a length of time with its unit, in quotes
   |
   = help: for example: first_digit = \"10s\"

error: there is no trunk `carier`
  --> dialplan.toml:32:10
   |
32 | from   = \"carier\"                         # required: a trunk, \"users\", \"sessions\" (calls that sessions make), or a list
   |          ^^^^^^^^ unknown
   |
   = help: did you mean `carrier`?

error: this is no number pattern
  --> dialplan.toml:46:18
   |
46 | number   = \"conf_[A-Za-z0-9+\"
   |                  ^ unclosed character class
   |
   = help: a number pattern is a regular expression for the whole number, as '\\+4420794601\\d\\d'

dialplan.toml: 5 errors, 1 warning";
    assert_eq!(mistakes(&text).render(false), expected);
}

#[test]
fn a_host_pin_is_told_to_have_no_effect_of_its_own() {
    let loaded = parse("dialplan.toml", EXAMPLE, &Trusting).unwrap();
    let told: Vec<_> = loaded.warnings.iter().map(|one| format!("{}: {}", one.message, one.label)).collect();
    assert_eq!(told, ["`host_pin` has no effect of its own yet: opens the room as `pin` does"]);
}

#[test]
fn a_good_file_has_no_mistake() {
    assert_eq!(told(&with("gateway", "")), Vec::<String>::new());
}

#[test]
fn an_empty_file_lacks_routes_and_nothing_else() {
    assert_eq!(told(""), ["1 error: there is no route, so that no call can come in <>"]);
    assert!(mistakes("").render(false).contains("add a table [[routes]]"));
}

#[test]
fn what_is_no_file_of_ours_is_told_where_it_is() {
    assert_told(&[
        (
            "route",
            "answer_after = 3 s",
            "17 error: this is not TOML: string values must be quoted, expected literal string <3 s>",
        ),
        ("route", "name = \"x\"", "17 error: this is not TOML: duplicate key <name>"),
        ("route", "[room.x]", "17 error: the dialplan has no key `room` <room>"),
    ]);
}

#[test]
fn no_secret_is_shown_however_the_file_is_broken() {
    for line in [
        "pin = \"739164\" x",
        "pin = 739164",
        "pin \"739164\"",
        "pin = [\"739164\"]",
        "pin = { x = \"739164\" }",
        "pni = \"739164\"",
        "code = \"739164\"",
        "pin = \"739164",
        "pin = \"\"\"\n739164",
        "\"pin\" = '739164'\n= = #739164",
        "host-pin = 739164 = 3",
        "[rooms.demo.pin]\nvalue = \"739164\"",
        "[rooms]\n[rooms.demo]\npin = \"739164\"",
        "[roms.x]\nnumber = \"739164\"\n= =",
        "announce = 3 # PIN is 739164",
    ] {
        let text = with("room", line);
        let found = mistakes(&text);
        assert!(!found.is_empty(), "{line}");
        assert!(!found.to_string().contains("739164"), "{line}\n{found}");
        assert!(!format!("{found:?}").contains("739164"), "{line}");
    }
}

#[test]
fn colours_change_the_looks_only() {
    let found = mistakes(&with("gateway", "dscp = 64"));
    assert!(found.render(true).contains("\u{1b}["));
    assert!(!found.render(false).contains('\u{1b}'));
    assert_eq!(found.summary(), "dialplan.toml: 1 error, 0 warnings");
}
