//! What goes over the control socket: requests to the gateway, those that its shell answers itself, and the answers.

use super::events::EventReader;
use super::mistakes::Mistakes;
use crate::gateway::{Reply, Request};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A request, one line of JSON.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Ask {
    /// For the gateway.
    Gateway(Request),
    /// For its shell, which has the files and the logger.
    Shell(ShellRequest),
}

/// What the shell is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub(super) enum ShellRequest {
    /// Read the dialplan anew. Answered when that is done.
    Reload,
    /// Say what is logged.
    Log {
        /// What is to be logged from now on: `debug`, `info,partyline::net=debug`.
        #[serde(default)]
        level: Option<String>,
    },
    /// Show the last events, one reply for each.
    Events {
        /// Go on with those that come.
        #[serde(default)]
        follow: bool,
        /// How many of the last; default all that are kept.
        #[serde(default)]
        last: Option<usize>,
    },
}

impl Ask {
    /// Reads a line.
    pub(super) fn parse(line: &str) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Kind {
            r#do: String,
        }
        let Kind { r#do } = serde_json::from_str(line)?;
        Ok(match r#do.as_str() {
            "reload" | "log" | "events" => Self::Shell(serde_json::from_str(line)?),
            _ => Self::Gateway(serde_json::from_str(line)?),
        })
    }
}

/// The shell's answer, one line of JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ShellReply {
    /// What came of a reload.
    Reload(Reloaded),
    /// What is logged.
    Log {
        /// From now on.
        level: String,
        /// Until now, where it was changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<String>,
    },
    /// An event; another reply follows.
    Event(Value),
    /// There are no more events.
    End,
    /// Not done, and why.
    Error(String),
}

/// What came of reading the dialplan anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reloaded {
    pub(super) outcome: ReloadOutcome,
    /// What is in the dialplan now, in a line; empty when it was refused.
    pub(super) summary: String,
    /// What is wrong with it when it was refused, and what is odd about it otherwise.
    #[serde(flatten)]
    pub(super) mistakes: Mistakes,
    /// Settings of `[gateway]` that are as they were until the gateway is started anew.
    pub(super) restart_needed: Vec<String>,
}

/// Whether a dialplan that was read anew is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ReloadOutcome {
    /// It is.
    Loaded,
    /// It is, and its file says what it said before. (Sounds and certificates that it names are new all the same.)
    Unchanged,
    /// It has mistakes: the old one stands.
    Refused,
}

/// An answer on its way to whoever asked.
#[derive(Debug)]
pub(super) enum Answer {
    Gateway(Reply),
    Shell(ShellReply),
    Events(EventReader),
}

/// The answer to whoever still waits when the gateway ends.
pub(super) const ENDING: &str = "the gateway is ending";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_goes_to_whom_it_is_for() {
        let requests = [
            Ask::Gateway(Request::Status),
            Ask::Shell(ShellRequest::Reload),
            Ask::Shell(ShellRequest::Log { level: None }),
            Ask::Shell(ShellRequest::Events { follow: true, last: Some(3) }),
        ];
        for request in requests {
            let line = serde_json::to_string(&request).unwrap();
            let read = Ask::parse(&line).unwrap();
            assert_eq!(format!("{read:?}"), format!("{request:?}"));
        }
        for (line, why) in [
            ("{}", "missing field `do`"),
            ("{\"do\":\"dance\"}", "unknown variant `dance`"),
            ("{\"do\":\"kick\"}", "missing field `call`"),
            ("{\"do\":\"log\",\"level\":7}", "expected a string"),
            ("status", "expected value"),
        ] {
            let error = Ask::parse(line).unwrap_err().to_string();
            assert!(error.contains(why), "{line}: {error}");
        }
    }
}
