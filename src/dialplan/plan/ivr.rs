//! `[ivr.*]`.

use super::{RoomTemplate, SoundSource};
use crate::dialplan::Pattern;
use std::time::Duration;

/// What a caller hears and keys before being let into a room.
#[derive(Debug, Clone)]
pub struct Ivr {
    /// Its name in the file.
    pub name: String,
    /// Language of its prompts. Default: the gateway's.
    pub language: String,
    /// Played first, while digits are already taken; again before each further try.
    pub say: Say,
    /// Played instead of `say` to those who called a certain number; the first that matches.
    pub greetings: Vec<Greeting>,
    /// Digits to collect. `None`: the caller goes on when `say` was played.
    pub collect: Option<Collect>,
    /// What is said when things go otherwise.
    pub prompts: IvrPrompts,
    /// Where the caller goes.
    pub then: Then,
}

impl Ivr {
    /// What greets a caller of `number` (normalised).
    #[must_use]
    pub fn greeting(&self, number: &str) -> &Say {
        self.greetings.iter().find(|greeting| greeting.number.matches(number)).map_or(&self.say, |found| &found.say)
    }
}

/// A greeting for some called numbers.
#[derive(Debug, Clone)]
pub struct Greeting {
    /// The called numbers.
    pub number: Pattern,
    /// What greets them.
    pub say: Say,
}

/// Something to be heard.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Say {
    /// A prompt of the catalogue, by name.
    Prompt(String),
    /// A text to speak.
    Text(String),
    /// A sound file, checked when the dialplan was, or a URL.
    File(SoundSource),
}

/// How digits are collected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collect {
    /// Fewest digits that may be ended by the terminator or a time-out. Default 4; 1 to 32.
    pub min_digits: u8,
    /// The collection ends by itself at this many. Default 10; 1 to 32.
    pub max_digits: u8,
    /// Ends the entry and is no part of it. Default `#`.
    pub terminator: Option<char>,
    /// Throws away what was keyed so far. Default `*`.
    pub restart: Option<char>,
    /// Longest wait for the first digit, from the end of the prompt. Default 10 s; 1 s to 2 min.
    pub first_digit: Duration,
    /// Longest wait between two digits. Default 5 s; 500 ms to 1 min.
    pub next_digit: Duration,
    /// Tries before the goodbye; the first silence of a try costs none. Default 3; 1 to 10.
    pub tries: u8,
}

/// What an IVR says on the ways that are not the straight one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IvrPrompts {
    /// After a wrong PIN. Default: prompt `wrong-pin`.
    pub wrong: Say,
    /// After too few digits. Default: prompt `too-short`.
    pub short: Say,
    /// After no digit in time. Default: prompt `no-input`.
    pub timeout: Say,
    /// After the last try, when what was wrong with it has been said. Default: prompt `goodbye`.
    pub goodbye: Say,
    /// To a caller from whom PINs are not accepted for now. Default: prompt `pin-blocked`.
    pub blocked: Say,
    /// To whoever is let in, before being in. Default: prompt `joining`; `None`: nothing.
    pub joining: Option<Say>,
    /// To the first one in a room. Default: prompt `first-here`.
    pub first: Say,
    /// When the room is full. Default: prompt `room-full`.
    pub full: Say,
}

/// Where an IVR leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    /// `room = "by-pin"`: the room whose PIN was keyed.
    ByPin {
        /// `open_rooms = true`: a PIN that no room has opens a room of its own. Default no.
        open_rooms: bool,
    },
    /// The room of that name, configured or made on demand.
    Room(RoomTemplate),
    /// Another telephone, called by a route with `from = "sessions"` and joined with the caller.
    Dial {
        /// The number, normalised.
        number: String,
        /// Whether the callee must press 1 first. Default: what the route says, else no.
        confirm: Option<bool>,
    },
}
