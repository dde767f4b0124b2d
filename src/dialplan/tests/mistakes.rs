//! Mistakes, and how they are shown.

use super::*;

fn mistakes(text: &str) -> Diagnostics {
    match parse("dialplan.toml", text, &Trusting) {
        Ok(loaded) => loaded.warnings,
        Err(found) => found,
    }
}

/// Line, severity, message and underlined text of each mistake.
fn told(text: &str) -> Vec<String> {
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
fn with(place: &str, line: &str) -> String {
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

dialplan.toml: 5 errors, 0 warnings";
    assert_eq!(mistakes(&text).render(false), expected);
}

#[test]
fn a_good_file_has_no_mistake() {
    assert_eq!(told(&with("gateway", "")), Vec::<String>::new());
}

#[test]
fn single_mistakes_are_told_where_they_are() {
    let table: &[(&str, &str, &str)] = &[
        ("gateway", "rtp_ports = \"80-90\"", "2 error: `rtp_ports` is no range of ports <\"80-90\">"),
        (
            "gateway",
            "sip = [\"udp://[::]:5060\", \"udp://[::1]:5060\"]",
            "2 error: udp port 5060 is taken twice <\"udp://[::1]:5060\">",
        ),
        (
            "gateway",
            "http = \"0.0.0.0:5060\"\nsip = \"tcp://0.0.0.0:5060\"",
            "2 error: tcp port 5060 is taken twice <\"0.0.0.0:5060\">",
        ),
        (
            "gateway",
            "sip = \"ws://0.0.0.0:5061\"",
            "2 error: this transport is not supported in this version <\"ws://0.0.0.0:5061\">",
        ),
        ("gateway", "sip = \"tls://0.0.0.0\"", "2 error: TLS needs a certificate <\"tls://0.0.0.0\">"),
        (
            "gateway",
            "sip = \"tls://[::]\"\ntls = { certificate = \"a.pem\" }",
            "3 error: a certificate and its key belong together <{ certificate = \"a.pem\" }>",
        ),
        (
            "gateway",
            "sip = [\"tcp://0.0.0.0:5061\", \"tls://0.0.0.0\"]\ntls = { certificate = \"a.pem\", key = \"k.pem\" }",
            "2 error: tls port 5061 is taken twice <\"tls://0.0.0.0\">",
        ),
        (
            "trunk",
            "proxy = \"sip:a.example;transport=sctp\"",
            "5 error: `proxy` is no SIP address of a host <\"sip:a.example;transport=sctp\">",
        ),
        (
            "trunk",
            "tls = { name = \"a.example:5061\" }",
            "5 error: `name` is no name that a certificate holds <\"a.example:5061\">",
        ),
        ("gateway", "sip = []", "2 error: no address to take SIP on <[]>"),
        (
            "gateway",
            "public_address = \"0.0.0.0\"",
            "2 error: `public_address` is no address that others could reach <\"0.0.0.0\">",
        ),
        ("gateway", "dscp = 64", "2 error: `dscp` is from 0 to 63 <64>"),
        ("gateway", "country_code = \"UK\"", "2 error: `country_code` is digits <\"UK\">"),
        ("gateway", "languag = \"en\"", "2 error: [gateway] has no key `languag` <languag>"),
        ("gateway", "max_calls = 9000", "2 warning: there are fewer media ports than calls <9000>"),
        ("trunk", "password = \"hunter2\"", "5 error: a password does not belong into the dialplan <\"*******\">"),
        ("trunk", "password = { env = \"A\" }", "5 error: a password without a user name <{ env = \"A\" }>"),
        ("trunk", "media = \"10.0.0.0/33\"", "5 error: `media` holds what is no network <\"10.0.0.0/33\">"),
        ("trunk", "caller_id = \"0207\"", "5 error: `caller_id` is an international number <\"0207\">"),
        ("trunk", "number_from = [\"too\"]", "5 error: `number_from` knows no such word <\"too\">"),
        ("trunk", "100rel = \"always\"", "5 error: `100rel` knows no such word <\"always\">"),
        ("trunk", "session_expires = \"10s\"", "5 error: `session_expires` is from 90s to 24h <\"10s\">"),
        ("trunk", "media = \"::/0\"", "5 warning: this trunk takes sound from anywhere <\"::/0\">"),
        (
            "trunk",
            "[trunks.open]\nallow = \"0.0.0.0/0\"",
            "6 warning: this trunk takes calls from anywhere <\"0.0.0.0/0\">",
        ),
        (
            "trunk",
            "[trunks.twin]\nallow = \"127.0.0.1\"",
            "6 warning: trunk `local` gets all calls from here <\"127.0.0.1\">",
        ),
        ("trunk", "[trunks.none]", "5 error: trunk `none` has neither `address` nor `allow` <none>"),
        ("trunk", "[trunks.users]\nallow = \"192.0.2.1\"", "5 error: `users` cannot be a trunk's name <users>"),
        ("room", "pin = 482917", "7 error: a PIN stands in quotes <******>"),
        ("room", "pin = \"123\"", "7 error: this is no PIN <\"***\">"),
        ("room", "pin = \"48291748291\"", "7 error: no caller could key this PIN <\"***********\">"),
        ("room", "pin = \"482917\"\nhost_pin = \"482917\"", "8 error: a PIN opens one room, in one way <\"******\">"),
        (
            "room",
            "pin = \"482917\"\n[rooms.b]\npin = \"482917\"",
            "9 error: a PIN opens one room, in one way <\"******\">",
        ),
        ("room", "announce = \"tune\"", "7 error: `announce` knows no such word <\"tune\">"),
        ("room", "max_members = 0", "7 error: `max_members` is from 1 to 10000 <0>"),
        ("room", "music = \"x.wav\"", "7 error: `music` is not supported in this version <music>"),
        ("ivr", "say = \"a b\"\nfile = \"c.wav\"", "12 error: `say` and `file` are both given <\"c.wav\">"),
        (
            "ivr",
            "say = { prompt = \"a\", file = \"b\" }",
            "11 error: one thing is said at a time <{ prompt = \"a\", file = \"b\" }>",
        ),
        ("ivr", "greetings = { '+44' = \"x y\" }", "11 error: this is no number pattern <+>"),
        (
            "ivr",
            "[ivr.other]\nsay = \"a b\"\nthen = { room = \"x\" }",
            "11 warning: no route leads to ivr `other` <other>",
        ),
        ("route", "answer_after = \"61s\"", "17 error: `answer_after` is from 0s to 60s <\"61s\">"),
        ("route", "room = \"x\"", "17 error: this route leads to two places <\"x\">"),
        ("route", "scenario = \"x\"", "17 error: `scenario` is not supported in this version <scenario>"),
        ("route", "to_user = \"x\"", "17 error: `to_user` is not supported in this version <to_user>"),
        (
            "route",
            "answer_after = 3 s",
            "17 error: this is not TOML: string values must be quoted, expected literal string <3 s>",
        ),
        ("route", "name = \"x\"", "17 error: this is not TOML: duplicate key <name>"),
        (
            "route",
            "[[routes]]\nname = \"B\"\nfrom = \"local\"\nnumber = '2'",
            "17 error: this route leads nowhere <[[routes]]>",
        ),
        (
            "route",
            "[[routes]]\nname = \"B\"\nnumber = '2'\nroom = \"x\"",
            "17 error: this route has no `from` <[[routes]]>",
        ),
        (
            "route",
            "[[routes]]\nname = \"B\"\nfrom = []\nnumber = '2'\nroom = \"x\"",
            "19 error: this route takes calls from nowhere <[]>",
        ),
        (
            "route",
            "[[routes]]\nname = \"First\"\nfrom = \"local\"\nnumber = '2'\nroom = \"x\"",
            "18 error: two routes are called `First` <\"First\">",
        ),
        (
            "route",
            "[[routes]]\nname = \"B\"\nfrom = \"local\"\nnumber = '1000'\nroom = \"x\"",
            "20 error: no call can reach route `B` <'1000'>",
        ),
        (
            "route",
            "[[routes]]\nname = \"B\"\nfrom = [\"local\", \"users\"]\nnumber = '1000'\nroom = \"x\"",
            "20 warning: no call from trunk local can reach route `B` <'1000'>",
        ),
        (
            "route",
            "[[routes]]\nname = \"B\"\nfrom = \"local\"\nnumber = '2'\nroom = \"x{caller}\"",
            "21 error: a room's name has a placeholder that means nothing <{caller}>",
        ),
        (
            "route",
            "[[routes]]\nname = \"B\"\nfrom = \"local\"\nnumber = '2'\nroom = \"{digits}\"",
            "21 error: `{digits}` needs digits <\"{digits}\">",
        ),
        (
            "route",
            "[[routes]]\nname = \"B\"\nfrom = \"local\"\nnumber = '2'\nivr = \"menue\"",
            "21 error: there is no ivr `menue` <\"menue\">",
        ),
        (
            "route",
            "[[routes]]\nname = \"B\"\nfrom = \"local\"\nnumber = '2'\nreject = 302",
            "21 error: a call is refused with a SIP status <302>",
        ),
        ("route", "[room.x]", "17 error: the dialplan has no key `room` <room>"),
        (
            "route",
            "[rooms.s]\npin = \"482917\"\n[[routes]]\nname = \"B\"\nfrom = \"local\"\nnumber = '.*'\nroom = \"{number}\"",
            "23 warning: callers get into room `s` without its PIN <\"{number}\">",
        ),
    ];
    let wrong: Vec<_> = table
        .iter()
        .map(|(place, line, expected)| (line, told(&with(place, line)), expected))
        .filter(|(_, told, expected)| *told != [**expected])
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn an_empty_file_lacks_routes_and_nothing_else() {
    assert_eq!(told(""), ["1 error: there is no route, so that no call can come in <>"]);
    assert!(mistakes("").render(false).contains("add a table [[routes]]"));
}

#[test]
fn registration_needs_address_user_and_password() {
    assert_eq!(
        told(&with("trunk", "register = true")),
        [
            "3 error: registration needs `address` <local>",
            "3 error: registration needs `username` <local>",
            "3 error: registration needs `password` <local>",
        ]
    );
}

#[test]
fn routes_above_may_hide_one_together() {
    let more = "[[routes]]\nname = \"B\"\nfrom = \"local\"\nnumber = '2\\d*'\nroom = \"x\"\n\
                [[routes]]\nname = \"C\"\nfrom = \"local\"\nnumber = '1234|2345'\nroom = \"x\"";
    let found = mistakes(&with("route", more));
    assert!(found.to_string().contains("`B` and those above it take every such number first"), "{found}");
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
