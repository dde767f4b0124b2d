//! The dialplan of the simulation.

use partyline::dialplan::{self, Plan, Trusting};
use std::sync::Arc;

/// Opens the room "red".
pub(crate) const RED: &str = "482917";
/// Opens the room "blue".
pub(crate) const BLUE: &str = "775310";
/// Opens nothing.
pub(crate) const WRONG: &str = "909192";

/// What each scenario begins with; `gateway` stands in the table of that name.
pub(crate) fn text(gateway: &str) -> String {
    with_trunks(gateway, "", "")
}

/// The same with more lines for the trunks that calls go out by.
pub(crate) fn with_trunks(gateway: &str, first: &str, second: &str) -> String {
    format!(
        r##"
[gateway]
sip = ["udp://10.0.0.1:5060"]
{gateway}

[trunks.carrier]
allow = ["198.51.100.0/24"]
media = ["198.51.100.0/24", "203.0.113.0/24"]

[trunks.narrow]
allow     = ["192.0.2.0/24"]
max_calls = 2

[trunks.first]
address   = ["100.64.0.1"]
ping      = "off"
caller_id = "+442079460100"
{first}

[trunks.second]
address = ["100.64.0.2"]
ping = "off"
{second}

[trunks.vault]
allow              = ["100.64.1.0/24"]
srtp               = "required"
srtp_keys_in_clear = true

[trunks.eager]
allow              = ["100.64.2.0/24"]
srtp               = "opportunistic"
srtp_keys_in_clear = true

[trunks.overheard]
allow = ["100.64.3.0/24"]
srtp  = "opportunistic"

[rooms.red]
pin = "{RED}"

[rooms.blue]
pin      = "{BLUE}"
announce = "none"

[rooms.closet]
max_members = 1

[ivr.conference]
say     = {{ prompt = "enter-pin" }}
collect = {{ digits = "4-10", end = "#", restart = "*", first_digit = "10s", next_digit = "5s", tries = 3 }}
then    = {{ room = "by-pin" }}

# Texts that no prompt says: one that is soon spoken, one that takes too long, one that nobody can say.
[ivr.spoken]
say     = "goodbye muted"
collect = {{ digits = "4-10", end = "#", tries = 1 }}
then    = {{ room = "by-pin" }}

[ivr.late]
say     = "never spoken"
collect = {{ digits = "4-10", end = "#", tries = 1 }}
then    = {{ room = "by-pin" }}

[ivr.dumb]
say     = "abra cadabra"
collect = {{ digits = "4-10", end = "#", tries = 1 }}
then    = {{ room = "by-pin" }}

[ivr.long]
say     = "enter-pin muted enter-pin muted enter-pin muted enter-pin muted enter-pin muted enter-pin goodbye"
collect = {{ digits = "4-10", end = "#", tries = 1 }}
then    = {{ room = "by-pin" }}

[ivr.operator]
say  = {{ prompt = "please-wait" }}
then = {{ dial = "+442079460200" }}

[[routes]]
name   = "Conference"
from   = ["carrier", "narrow"]
number = "1000"
ivr    = "conference"

[[routes]]
name   = "Lobby"
from   = ["carrier", "narrow", "vault", "eager", "overheard"]
number = "2000"
room   = "lobby"

[[routes]]
name         = "Patient"
from         = "carrier"
number       = "2100"
room         = "lobby"
answer_after = "3s"

[[routes]]
name   = "Closet"
from   = "carrier"
number = "2200"
room   = "closet"

[[routes]]
name   = "OnDemand"
from   = "carrier"
number = '3\d{{3}}'
room   = "{{number}}"

[[routes]]
name   = "Closed"
from   = "carrier"
number = "4000"
reject = 403

[[routes]]
name   = "Spoken"
from   = "carrier"
number = "6000"
ivr    = "spoken"

[[routes]]
name   = "Late"
from   = "carrier"
number = "6100"
ivr    = "late"

[[routes]]
name   = "Dumb"
from   = "carrier"
number = "6200"
ivr    = "dumb"

[[routes]]
name   = "Long"
from   = "carrier"
number = "6300"
ivr    = "long"

[[routes]]
name   = "Operator"
from   = "carrier"
number = "5000"
ivr    = "operator"

[[routes]]
name         = "Alone"
from         = "sessions"
number       = '\+44208\d+'
trunk        = "first"
max_duration = "10m"
ring_timeout = "30s"

[[routes]]
name    = "Asked"
from    = "sessions"
number  = '\+442079461\d+'
trunk   = "first"
confirm = true

[[routes]]
name    = "Out"
from    = "sessions"
number  = '\+44\d+'
trunks  = ["first", "second"]
"##
    )
}

pub(crate) fn parse(text: &str) -> Arc<Plan> {
    match dialplan::parse("dialplan.toml", text, &Trusting) {
        Ok(loaded) => loaded.plan,
        Err(mistakes) => panic!("{mistakes}"),
    }
}
