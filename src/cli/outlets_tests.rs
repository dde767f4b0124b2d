//! Hostile text through everything that people read.

use super::log::{self, Log};
use super::{ctl, json, plain_lines};
use crate::gateway::{
    BindingStatus, CallRecord, CallStatus, Cause, Level, LogLine, Masked, Progress, Refusal, Reply, Rule, Status,
    UserStatus, Way,
};
use crate::types::{Disturbances, is_plain};
use std::sync::{Arc, Mutex};
use std::time::UNIX_EPOCH;

const HOSTILE: [&str; 9] = [
    "\u{1b}]0;title\u{7}",
    "\u{9b}31m",
    "1\r\n2026-01-01T00:00:00Z ERROR forged",
    "\u{202e}0010+",
    "\u{2066}a\u{2069}",
    "a\u{2028}b\u{2029}c",
    "a\u{85}b\u{8d}",
    "\u{200b}\u{feff}\u{ad}",
    "\"\\\t\0\x08\x0c\x7f",
];

/// Plain, but for the line ends that are ours.
fn assert_plain(what: &str, text: &str, lines: usize) {
    let odd: Vec<_> = text.chars().filter(|c| *c != '\n' && !is_plain(*c)).collect();
    assert!(odd.is_empty(), "{what}: {odd:?} in {text:?}");
    assert_eq!(text.lines().count(), lines, "{what}: {text:?}");
}

fn logged(write: impl FnOnce()) -> String {
    let written = Arc::new(Mutex::new(Vec::new()));
    let to = Arc::clone(&written);
    let log = Log::to(move |bytes| {
        to.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    })
    .unwrap();
    let (logger, _) = log::subscriber(&log, "info".parse().unwrap(), false);
    tracing::subscriber::with_default(logger, write);
    log.flush();
    let written = written.lock().unwrap().clone();
    String::from_utf8(written).unwrap()
}

#[test]
fn hostile_text_reaches_no_log() {
    for hostile in HOSTILE {
        let line = LogLine {
            level: Level::Info,
            call: None,
            what: "incoming",
            detail: format!("{} as {hostile}", Masked(hostile)),
        };
        let written = logged(|| {
            tracing::info!("{line}");
            // As a field, in both ways of writing one.
            tracing::info!(name = hostile, error = %hostile, "no TLS");
        });
        assert_plain("the log", &written, 2);
        assert!(written.contains("incoming: ") && written.contains("no TLS name="), "{written}");
    }
}

/// A record in which a text stands wherever there is one.
pub(super) fn record(text: &str) -> CallRecord {
    let text = || text.to_owned();
    CallRecord {
        call: "call-1".into(),
        way: Way::In,
        sip_call_id: text(),
        trunk: text(),
        user: text(),
        from: text(),
        number: text(),
        route: Some(text()),
        rooms: vec![text()],
        keyed: Default::default(),
        tried: Vec::new(),
        started: UNIX_EPOCH,
        answered: None,
        ended: UNIX_EPOCH,
        talk_ms: 0,
        status: None,
        cause: Cause::Declined(text()),
        reason: None,
        warning: None,
        disturbed: Disturbances::default(),
        media: None,
    }
}

#[test]
fn hostile_text_reaches_no_record() {
    for hostile in HOSTILE {
        let line = String::from_utf8(json::line(&record(hostile)).unwrap()).unwrap();
        assert_plain("a record", &line, 1);
        // Nor is it hidden in an escape.
        let decoded: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_plain("a record's number", decoded["number"].as_str().unwrap(), 1);
        assert_plain("a record's cause", decoded["cause_detail"].as_str().unwrap(), 1);
    }
}

#[test]
fn hostile_text_reaches_no_administrator() {
    let refused = |text: &str| Reply::Error(Refusal::new(Rule::Failed, text));
    let progress = |text: &str| Reply::Progress(Progress { call: "call-1".into(), what: text.into() });
    for hostile in HOSTILE {
        let call = CallStatus { from: hostile.into(), number: hostile.into(), ..CallStatus::default() };
        let status = Status { calls: vec![call], ..Status::default() };
        let binding = BindingStatus { contact: hostile.into(), client: hostile.into(), ..BindingStatus::default() };
        let user = UserStatus {
            user: hostile.into(),
            display_name: hostile.into(),
            bindings: vec![binding],
            ..UserStatus::default()
        };
        let words = [refused(hostile), progress(hostile)];
        for reply in [Reply::Status(status), Reply::Users(vec![user])].into_iter().chain(words) {
            let line = String::from_utf8(json::line(&reply).unwrap()).unwrap();
            assert_plain("a reply", &line, 1);
            match serde_json::from_str(&line).unwrap() {
                Reply::Status(status) => assert_plain("the status", &ctl::table::calls(&status.calls), 2),
                Reply::Users(users) => assert_plain("the users", &ctl::table::users(&users), 2),
                Reply::UserAdded(user) | Reply::UserChanged(user) => {
                    assert_plain("a user", &ctl::table::users(&[user]), 2)
                }
                Reply::Error(why) => assert_plain("a word", &why.to_string(), 1),
                Reply::Progress(progress) => assert_plain("a word", &progress.to_string(), 1),
                Reply::Joined { call, .. } => assert_plain("a call", &call, 1),
                Reply::Done(text) => assert_plain("a word", &text, 1),
                // No subcommand prints them.
                Reply::Invited(_) | Reply::Invitations(_) | Reply::InvitationMade(_) | Reply::Admitted(_) => {}
            }
        }
    }
}

#[test]
fn what_explain_and_check_print_is_plain_but_for_its_line_ends() {
    for hostile in HOSTILE {
        let printed = plain_lines(&format!("{hostile}\n"));
        assert!(printed.chars().all(|c| c == '\n' || is_plain(c)), "{printed:?}");
        // Nor does it come out of an escape, save for line ends and tabs.
        let printed = json::pretty(&[hostile]).unwrap();
        let [decoded]: [String; 1] = serde_json::from_str(&printed).unwrap();
        assert!(decoded.chars().all(|c| matches!(c, '\n' | '\t') || is_plain(c)), "{decoded:?}");
    }
    assert_eq!(json::pretty(&[["a\nb"]]).unwrap(), "[\n  [\n    \"a\\nb\"\n  ]\n]\n");
}
