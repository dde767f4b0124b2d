//! Mistakes, and how they are shown.

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
        ("gateway", "http = \"8080\"", "2 error: `http` is no address to listen on <\"8080\">"),
        (
            "gateway",
            "http = [\"0.0.0.0:8080\", \"127.0.0.1:8080\"]",
            "2 error: tcp port 8080 is taken twice <\"127.0.0.1:8080\">",
        ),
        ("gateway", "ice_tcp = \"3478\"", "2 error: `ice_tcp` is no address to listen on <\"3478\">"),
        (
            "gateway",
            "http = \"0.0.0.0:8080\"\nice_tcp = \"127.0.0.1:8080\"",
            "3 error: tcp port 8080 is taken twice <\"127.0.0.1:8080\">",
        ),
        ("gateway", "https = \"[::]:8443\"", "2 error: TLS needs a certificate <\"[::]:8443\">"),
        (
            "gateway",
            "https_tls = { certificate = \"a.pem\", key = \"k.pem\" }",
            "2 warning: no address is listened on by HTTPS <{ certificate = \"a.pem\", key = \"k.pem\" }>",
        ),
        ("gateway", "origins = [\"app.example\"]", "2 error: this is no origin of pages <\"app.example\">"),
        (
            "gateway",
            "origins = [\"https://app.example/page\"]",
            "2 error: this is no origin of pages <\"https://app.example/page\">",
        ),
        ("gateway", "origins = \"*\"", "2 warning: whatever page may open WebSockets <\"*\">"),
        (
            "gateway",
            "sip = \"ws://0.0.0.0:5061\"",
            "2 error: SIP over WebSocket is taken by the HTTP server <\"ws://0.0.0.0:5061\">",
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
        ("trunk", "srtp = \"maybe\"", "5 error: `srtp` knows no such word <\"maybe\">"),
        ("trunk", "srtp = \"required\"", "5 error: every call of this trunk would be refused <\"required\">"),
        ("trunk", "srtp = \"opportunistic\"", "5 warning: SRTP is not offered to this trunk <\"opportunistic\">"),
        ("trunk", "srtp_keys_in_clear = true", "5 warning: `srtp_keys_in_clear` is for trunks with `srtp` <true>"),
        ("trunk", "automatic_gain = 20", "5 error: `automatic_gain` takes true or false, not a number <20>"),
        ("trunk", "max_calls_per_second = 0", "5 error: `max_calls_per_second` is from 1 to 10000 <0>"),
        ("trunk", "max_calls_per_secnd = 5", "5 error: a trunk has no key `max_calls_per_secnd` <max_calls_per_secnd>"),
        ("trunk", "digits = \"inband\"", "5 error: `digits` knows no such word <\"inband\">"),
        ("trunk", "redirects = \"yes\"", "5 error: `redirects` takes true or false, not a string <\"yes\">"),
        ("trunk", "refer = \"blind\"", "5 error: `refer` takes true or false, not a string <\"blind\">"),
        ("trunk", "replaces = 1", "5 error: `replaces` takes true or false, not a number <1>"),
        ("route", "for_room = \"conf_\"", "17 error: this does not say where the room's name stands <\"conf_\">"),
        ("route", "premium = true", "17 error: `premium` goes with `trunk` or `trunks` <true>"),
        ("route", "ring_timeout = \"10s\"", "17 error: `ring_timeout` goes with `trunk` or `trunks` <\"10s\">"),
        ("route", "trunk = \"local\"", "17 error: this route leads to two places <\"local\">"),
        ("trunk", "session_expires = \"10s\"", "5 error: `session_expires` is from 90s to 24h <\"10s\">"),
        ("trunk", "media_timeout = \"5s\"", "5 error: `media_timeout` is from 10s to 24h <\"5s\">"),
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
        ("trunk", "[trunks.none]", "5 error: trunk `none` has neither `address` nor `allow` nor `auth` <none>"),
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
        ("room", "mute = [\"eccho\"]", "7 error: `mute` knows no such word <\"eccho\">"),
        ("room", "mute = [\"echo\", \"echo\"]", "7 warning: this is named twice <\"echo\">"),
        ("room", "announce = \"tune\"", "7 error: `announce` knows no such word <\"tune\">"),
        ("room", "access_number = \"ask Anna\"", "7 error: `access_number` is no number to read out <\"ask Anna\">"),
        ("room", "max_members = 0", "7 error: `max_members` is from 1 to 10000 <0>"),
        (
            "room",
            "invited_call = \"joinconf\"",
            "7 error: no route leads users from this number to a scenario <\"joinconf\">",
        ),
        ("room", "record = true", "7 error: `record` is not supported in this version <record>"),
        ("room", "music = \"x.wav\"", "7 warning: this music is never heard <\"x.wav\">"),
        ("room", "alone = \"music\"\nmusic = \"ftp://x/y\"", "8 error: this sound cannot be fetched <\"ftp://x/y\">"),
        ("ivr", "say = \"a b\"\nfile = \"c.wav\"", "12 error: `say` and `file` are both given <\"c.wav\">"),
        (
            "ivr",
            "say = { prompt = \"a\", file = \"b\" }",
            "11 error: one thing is said at a time <{ prompt = \"a\", file = \"b\" }>",
        ),
        ("ivr", "greetings = { '+44' = \"x y\" }", "11 error: this is no number pattern <+>"),
        (
            "ivr",
            "[ivr.other]\nsay = \"a b\"\nthen = { room = \"demo\" }",
            "11 warning: no route leads to ivr `other` <other>",
        ),
        (
            "route",
            "[ice]\nturn = \"turn:turn.example.com\"",
            "18 error: these TURN servers let nobody in without a password <\"turn:turn.example.com\">",
        ),
        ("route", "[ice]\nstun = \"turn:x\"", "18 error: this is the URL of no such server <\"turn:x\">"),
        ("route", "[ice]\nturn_secret = { env = \"S\" }", "18 warning: a secret of no TURN server <{ env = \"S\" }>"),
        ("route", "answer_after = \"61s\"", "17 error: `answer_after` is from 0s to 60s <\"61s\">"),
        ("route", "room = \"x\"", "17 error: this route leads to two places <\"x\">"),
        ("route", "scenario = \"x\"", "17 error: this route leads to two places <\"x\">"),
        ("route", "to_user = \"x\"", "17 error: this route leads to two places <\"x\">"),
        (
            "route",
            "[[routes]]\nname = \"B\"\nfrom = \"local\"\nnumber = '2'\nto_user = \"direct\"",
            "19 error: direct calls are between users <\"local\">",
        ),
        (
            "route",
            "[[routes]]\nname = \"B\"\nfrom = \"local\"\nnumber = '2'\nto_user = \"a b\"",
            "21 error: this cannot be the name of a user <\"a b\">",
        ),
        (
            "route",
            "[users.alice]\n[[routes]]\nname = \"B\"\nfrom = \"users\"\nnumber = '2'\nroom = \"x\"",
            "17 error: a user needs a password <alice>",
        ),
        (
            "route",
            "[users.\"a@b\"]\npassword = { env = \"P\" }\n[[routes]]\nname = \"B\"\nfrom = \"users\"\nnumber = '2'\nroom = \"x\"",
            "17 error: this cannot be the name of a user <\"a@b\">",
        ),
        ("route", "[users.alice]\npassword = { env = \"P\" }", "17 warning: no route takes calls from users <alice>"),
        ("gateway", "recordings = { days = 0 }", "2 error: `days` is from 1 to 3650 <0>"),
        ("gateway", "recordings = { size = 0 }", "2 error: `size` is from 1 to 16777216 <0>"),
        ("gateway", "domain = \"sip:example.com\"", "2 error: `domain` is no host name <\"sip:example.com\">"),
        (
            "gateway",
            "database = \"mysql://x/y\"",
            "2 error: this is no database that users can be kept in <\"mysql://x/y\">",
        ),
        (
            "gateway",
            "database = \"postgres://u:secret@h/n\"",
            "2 error: a password does not belong into the dialplan <\"***********************\">",
        ),
        ("gateway", "domain = \"192.0.2.1\"", "2 error: `domain` is no host name <\"192.0.2.1\">"),
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
fn a_bulk_registration_needs_the_same_and_its_numbers_come_in_the_request_uri() {
    let account = "address = \"a.example\"\nusername = \"acme\"\npassword = { env = \"P\" }";
    assert_eq!(told(&with("trunk", "register = \"bulk\"")).len(), 3);
    let wrong = told(&with("trunk", &format!("register = \"bluk\"\n{account}")));
    assert!(wrong.len() == 1 && wrong[0].contains("register") && wrong[0].contains("bluk"), "{wrong:?}");
    assert_eq!(told(&with("trunk", &format!("register = 1\n{account}"))).len(), 1);
    assert!(told(&with("trunk", &format!("register = \"bulk\"\n{account}"))).is_empty());
    let elsewhere = told(&with("trunk", &format!("register = \"bulk\"\nnumber_from = \"to\"\n{account}")));
    assert!(elsewhere.len() == 1 && elsewhere[0].contains("elsewhere first"), "{elsewhere:?}");
}

#[test]
fn dns_servers_are_addresses() {
    assert!(told(&with("gateway", "dns = [\"192.0.2.53\", \"[2001:db8::53]:5353\", \"2001:db8::53\"]")).is_empty());
    let found = told(&with("gateway", "dns = [\"dns.example\", \"192.0.2.53:0\", \"0.0.0.0\", \"[::\"]"));
    assert!(
        found.len() == 4 && found.iter().all(|line| line.contains("no DNS server can be asked there")),
        "{found:?}"
    );
    assert_eq!(told(&with("gateway", "dns = []")).len(), 1);
    assert_eq!(told(&with("gateway", "dns = [\"192.0.2.53\", \"192.0.2.53:53\"]")).len(), 1, "the port is implied");
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

/// The mistakes of a file whose secrets are what `environment` says.
fn told_with(environment: &'static str, text: &str) -> Vec<String> {
    struct World(&'static str);
    impl Checks for World {
        fn environment(&self, _: &str) -> Option<String> {
            Some(self.0.into())
        }
        fn secret_file(&self, _: &std::path::Path) -> Result<String, String> {
            Ok(self.0.into())
        }
        fn sound(&self, _: &SoundSource, _: &FetchSettings) -> Result<(), String> {
            Ok(())
        }
        fn prompts(&self, _: &std::path::Path, _: &str) -> Result<Option<Vec<PromptText>>, String> {
            Ok(None)
        }
    }
    let found = match parse("dialplan.toml", text, &World(environment)) {
        Ok(loaded) => loaded.warnings,
        Err(found) => found,
    };
    assert!(!found.to_string().contains(environment), "no secret is shown");
    found.iter().map(|one| one.message.clone()).collect()
}

#[test]
fn what_callers_prove_themselves_with_is_checked() {
    let trunk = |auth: &str| with("trunk", &format!("auth = {auth}"));
    assert_eq!(told_with("long and random!", &trunk(r#"{ username = "pbx", password = { env = "P" } }"#)), [""; 0]);
    assert_eq!(
        told_with("hunter2", &trunk(r#"{ username = "pbx", password = { env = "P" } }"#)),
        ["this password is short"]
    );
    assert_eq!(told_with("long and random!", &trunk(r#"{ password = { env = "P" } }"#)), ["`auth` needs a user name"]);
    assert_eq!(told_with("long and random!", &trunk(r#"{ username = "pbx" }"#)), ["`auth` needs a password"]);
    let both = r#"{ username = "pbx", password = { env = "P" }, ha1 = { env = "H" } }"#;
    assert_eq!(told_with("long and random!", &trunk(both)), ["a password and its hash"]);
    let hashed = trunk(r#"{ username = "pbx", ha1 = { env = "H" } }"#);
    for good in [
        "0123456789abcdef0123456789ABCDEF",
        "SHA-256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef, md5:0123456789abcdef0123456789abcdef",
    ] {
        assert_eq!(told_with(good, &hashed), [""; 0], "{good}");
    }
    let no_hash = ["`ha1` holds what is no hash of user name, realm and password"];
    for bad in ["0123456789abcdef", "SHA-1:0123456789abcdef0123456789abcdef", "MD5:x123456789abcdef0123456789abcdef"] {
        assert_eq!(told_with(bad, &hashed), no_hash, "{bad}");
    }
    let other = "SHA-512-256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    assert_eq!(told_with(other, &hashed), ["`ha1` is for no algorithm that is offered"]);
    let twice = hashed + "[trunks.other]\nauth = { username = \"pbx\", ha1 = { env = \"H\" } }\n";
    assert_eq!(
        told_with("0123456789abcdef0123456789abcdef", &twice),
        ["trunk `local` has the same user name for its callers"]
    );
    let unknown = with("gateway", "digest = { algorithms = [\"SHA-1\", \"MD5\", \"MD5\"] }");
    assert_eq!(told_with("no secret", &unknown), ["`algorithms` knows no such word", "this is named twice"]);
}

#[test]
fn a_trunks_habits_are_checked() {
    for (line, message) in [
        ("preset = \"sipgat\"", "5 error: there is no preset `sipgat` <\"sipgat\">"),
        ("country = \"UK\"", "5 error: there is no such country <\"UK\">"),
        ("identity = \"pai\"", "5 error: `identity` knows no such word <\"pai\">"),
        ("number_format = \"national\"", "5 error: national numbers of which country? <\"national\">"),
        ("from = \"username\"", "5 error: From is to hold a user name, and there is none <\"username\">"),
    ] {
        assert_eq!(told(&with("trunk", line)), [message], "{line}");
    }
    assert!(mistakes(&with("trunk", "preset = \"sipgat\"")).to_string().contains("did you mean `sipgate`?"));
    for preset in crate::dialplan::preset::PRESETS {
        let line = format!("preset = \"{}\"\nusername = \"acme\"", preset.name);
        assert_eq!(told(&with("trunk", &line)), [""; 0], "{line}");
    }
}

#[test]
fn srtp_without_a_safe_way_for_its_keys_needs_the_administrators_word() {
    let message = mistakes(&with("trunk", "srtp = \"required\"")).to_string();
    assert!(message.contains("its keys would travel in the clear over udp"), "{message}");
    assert!(message.contains("srtp_keys_in_clear = true"), "{message}");
    for word in ["opportunistic", "required"] {
        let text = with("trunk", &format!("srtp = \"{word}\"\nsrtp_keys_in_clear = true"));
        assert!(told(&text).is_empty(), "{:?}", told(&text));
    }
    assert!(told(&with("trunk", "srtp = \"off\"")).is_empty());
}

#[test]
fn mistakes_of_calls_out_are_told_where_they_are() {
    let plan = |route: &str, then: &str| {
        format!(
            "[trunks.carrier]\naddress = \"192.0.2.1\"\ncaller_id = \"+442079460100\"\n[trunks.inward]\nallow = \"192.0.2.9\"\n\
             [ivr.on]\nsay = \"a b\"\nthen = {then}\n[[routes]]\nname = \"In\"\nfrom = \"carrier\"\nnumber = \"1\"\nivr = \"on\"\n\
             [[routes]]\nname = \"Out\"\nnumber = '\\+44\\d+'\n{route}\n"
        )
    };
    let (out, on) = ("from = \"sessions\"\ntrunk = \"carrier\"", "{ dial = \"+442079460123\" }");
    assert_eq!(told(&plan(out, on)), Vec::<String>::new());
    for (route, then, expected) in [
        ("from = \"sessions\"\ntrunk = \"carier\"", on, "there is no trunk `carier` <\"carier\">"),
        ("from = \"sessions\"\ntrunks = [\"inward\"]", on, "trunk `inward` cannot be called <\"inward\">"),
        ("from = \"sessions\"\ntrunks = []", on, "this route names no trunk <[]>"),
        (
            "from = \"carrier\"\ntrunk = \"carrier\"",
            on,
            "a route to a trunk takes calls of sessions alone <\"carrier\">",
        ),
        (
            "from = \"sessions\"\ntrunk = \"carrier\"\nmax_duration = \"1s\"",
            on,
            "`max_duration` is from 10s to 24h <\"1s\">",
        ),
        (
            "from = \"sessions\"\ntrunk = \"carrier\"\nanswer_after = \"1s\"",
            on,
            "a call out is answered by the callee <\"1s\">",
        ),
        (out, "{ dial = \"+4930123456\" }", "this number is not called <\"+4930123456\">"),
        (out, "{ dial = \"112\" }", "this number is not called <\"112\">"),
        (out, "{ dial = \"+442079460123\", room = \"x\" }", "`room` does not go with `dial` <\"x\">"),
        (out, "{ room = \"x\", confirm = true }", "`confirm` goes with `dial` <true>"),
    ] {
        let found = told(&plan(route, then));
        assert!(found.iter().any(|line| line.ends_with(expected)), "{expected}: {found:#?}");
    }
    let all = plan(out, on)
        .replace("'\\+44\\d+'", "'\\+\\d+'")
        .replace("trunk = \"carrier\"", "trunk = \"carrier\"\npremium = true");
    let found = told(&all);
    assert!(found.iter().any(|line| line.contains("allows every premium number of the world")), "{found:#?}");
}
