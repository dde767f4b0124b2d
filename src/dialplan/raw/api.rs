//! `[api]`, as written.

use super::read::table;
use super::{Named, RawSecret, Strings};

table! {
    /// `[api]`.
    RawApi, "[api]", later ["page"],
    {
        /// Bearer tokens, each under a name that the log knows it by. Default: none, and the API lets nobody in.
        tokens: Named<RawToken> = "a table [api.tokens.NAME]",
    }
}

table! {
    /// `[api.tokens.*]`.
    RawToken, "a token", later ["expires"],
    {
        /// The token: 20 or more characters that nobody guesses.
        token: RawSecret = r#"{ env = "API_TOKEN" }"#,
        /// Instead of the token its SHA-256, 64 hexadecimal digits (`printf %s TOKEN | sha256sum`).
        sha256: String = r#""9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08""#,
        /// What it may do: `viewer` (see rooms, calls and events), `operator` (moderate rooms, place calls, read call
        /// records as well) or `admin` (everything).
        role: String = r#""operator""#,
        /// The only rooms it may see and change; calls that are in none of them it does not see either. Default: all.
        rooms: Strings = r#"["standup"]"#,
    }
}
