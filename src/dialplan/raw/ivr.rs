//! `[ivr.*]`, as written.

use super::read::table;
use super::{Named, RawDuration, RawSay};

table! {
    /// `[ivr.*]`.
    RawIvr, "an ivr", later ["menu", "voice"],
    {
        /// Language of its prompts. Default: that of the gateway.
        language: String = r#""en-GB""#,
        /// Played first, while keys are taken already; again before each further try. Default `{ prompt = "enter-pin"
        /// }`.
        say: RawSay = r#""Hello, please enter your PIN.""#,
        /// A sound file or a URL to play instead of `say`.
        file: String = r#""welcome.wav""#,
        /// What is played instead of `say` to those who called certain numbers: patterns, and what is said. The first
        /// that matches. Default: none.
        greetings: Named<RawSay> = r#"{ '\+442079460100' = "Welcome to Acme." }"#,
        /// Keys to collect. Left out: the caller goes on when `say` was played.
        collect: RawCollect = r##"{ digits = "4-10", end = "#" }"##,
        /// After a wrong PIN. Default `{ prompt = "wrong-pin" }`.
        wrong: RawSay = r#"{ prompt = "wrong-pin" }"#,
        /// After too few keys. Default `{ prompt = "too-short" }`.
        short: RawSay = r#"{ prompt = "too-short" }"#,
        /// After no key in time. Default `{ prompt = "no-input" }`.
        timeout: RawSay = r#"{ prompt = "no-input" }"#,
        /// After the last try, when what was wrong with it has been said. Default `{ prompt = "goodbye" }`.
        goodbye: RawSay = r#"{ prompt = "goodbye" }"#,
        /// To a caller from whom PINs are not accepted for now. Default `{ prompt = "pin-blocked" }`.
        blocked: RawSay = r#"{ prompt = "pin-blocked" }"#,
        /// To whoever is let into a room, before being in; `"none"` for nothing. Default `{ prompt = "joining" }`.
        joining: RawSay = r#"{ prompt = "joining" }"#,
        /// To the first one in a room. Default `{ prompt = "first-here" }`.
        first: RawSay = r#"{ prompt = "first-here" }"#,
        /// When the room is full. Default `{ prompt = "room-full" }`.
        full: RawSay = r#"{ prompt = "room-full" }"#,
        /// Where the caller goes. Required.
        then: RawThen = r#"{ room = "by-pin" }"#,
    }
}

table! {
    /// `collect = { … }`.
    RawCollect, "collect", later [],
    {
        /// How many keys, as `"4-10"` or `"6"`, 1 to 32: fewer are too short, at the most it ends by itself. Default
        /// `"4-10"`.
        digits: String = r#""4-10""#,
        /// The key that ends the entry: `#`, `*` or `none`. Default `"#"`.
        end: String = r##""#""##,
        /// The key that throws away what was keyed so far: `#`, `*` or `none`. Default `"*"`.
        restart: String = r#""*""#,
        /// Longest wait for the first key, from the end of the prompt, 1s to 2m. Default `"10s"`.
        first_digit: RawDuration = r#""10s""#,
        /// Longest wait between two keys, 500ms to 1m. Default `"5s"`.
        next_digit: RawDuration = r#""5s""#,
        /// Tries before the goodbye, 1 to 10; the first silence of a try costs none. Default `3`.
        tries: i64 = "3",
    }
}

table! {
    /// `then = { … }`.
    RawThen, "then", later ["ivr", "scenario", "hangup"],
    {
        /// `"by-pin"`: the room whose PIN was keyed. Else the name of a room, in which `{number}` is the called number
        /// and `{digits}` what was keyed.
        room: String = r#""by-pin""#,
        /// Whether a PIN that no room has opens a room of its own; with `room = "by-pin"`. Default `false`.
        open_rooms: bool = "true",
        /// Another telephone, called by a route with `from = "sessions"` and joined with the caller.
        dial: String = r#""+442079460123""#,
        /// Whether the callee must press 1 before being heard; with `dial`. Default: what the route says, else no.
        confirm: bool = "true",
    }
}

table! {
    /// `{ prompt = … }`, `{ text = … }` or `{ file = … }`.
    RawSayTable, "what is said", later ["voice"],
    {
        /// A prompt of the catalogue, by its name.
        prompt: String = r#""enter-pin""#,
        /// A text to be spoken: by a recording if it is that of a prompt of the catalogue, else by the gateway's voice.
        text: String = r#""Please enter your PIN.""#,
        /// A sound file (WAV, MP3, Ogg, FLAC and others), or a URL of `http` or `https`.
        file: String = r#""welcome.wav""#,
    }
}
