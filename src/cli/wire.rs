//! What goes over the control socket: requests to the gateway, those that its shell answers itself, and the answers.

use super::mistakes::Mistakes;
use crate::gateway::{Reply, Request};
use serde::{Deserialize, Serialize};

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
            "reload" | "log" => Self::Shell(serde_json::from_str(line)?),
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
}

impl Answer {
    /// What is left to say to those who still wait.
    pub(super) fn ending() -> Self {
        Self::Shell(ShellReply::Error("the gateway is ending".into()))
    }

    /// Whether no other answer follows.
    pub(super) const fn is_last(&self) -> bool {
        match self {
            Self::Gateway(reply) => reply.is_last(),
            Self::Shell(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_goes_to_whom_it_is_for() {
        let requests = [
            Ask::Gateway(Request::Status),
            Ask::Shell(ShellRequest::Reload),
            Ask::Shell(ShellRequest::Log { level: None }),
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
