use super::*;
use crate::session::callee::CALLEE;
use crate::session::collect::Completion;
use crate::session::testing::*;
use crate::session::{DialCause, VerbError};

fn invitation(confirm: Option<bool>) -> Invitation {
    let (room, number) = ("standup".to_owned(), "+442079460123".to_owned());
    Invitation::new(Invited { room, number, confirm, digits: None })
}

fn dialled(confirm: Option<bool>) -> Event {
    Event::Dialled { call: CALLEE, confirm }
}

fn ringing() -> Event {
    Event::Ringing { call: CALLEE, tone: "ringback".into() }
}

fn answered() -> Event {
    Event::Answered { call: CALLEE }
}

fn ended() -> Event {
    Event::Ended { call: CALLEE, ending: crate::session::Ending::default() }
}

fn collected(digits: &str, how: Completion) -> Event {
    Event::Collected { call: CALLEE, digits: digits.into(), how }
}

fn limited(verb: &'static str) -> Event {
    Event::VerbFailed { call: Some(CALLEE), error: VerbError::Limit { verb, limit: "members" } }
}

const BEGIN: &str = "open room0 standup; dial +442079460123";
const ASK: &str = "play1048577 press-one; collect 1-1; timer1048577 60s";
const ENTER: &str = "no-collect; room0>call1; call1>room0; timer1048578 10s";

fn members_of_room(members: usize) -> Event {
    Event::RoomChanged { room: ROOM, members }
}

#[test]
fn the_callee_presses_1_and_is_in_the_room() {
    play_through(
        &mut invitation(None),
        &[
            (Event::Started, BEGIN),
            (dialled(None), ""),
            (ringing(), "play0 tone:ringback"),
            (Event::EarlyMedia { call: CALLEE }, ""),
            (answered(), ASK),
            (finished(1_048_577), ""),
            (collected("1", Completion::Full), &format!("clear1048577; stop0; {ENTER}")),
            (members_of_room(2), "clear1048578"),
            (ended(), "end"),
        ],
    );
}

#[test]
fn voicemail_that_presses_nothing_never_enters() {
    let again = "clear1048577; stop1048577; play1048578 press-one; collect 1-1; timer1048578 60s";
    let _ = again;
    play_through(
        &mut invitation(None),
        &[
            (Event::Started, BEGIN),
            (dialled(None), ""),
            (answered(), ASK),
            (finished(1_048_577), ""),
            (collected("", Completion::NoInput), "play1048578 press-one; collect 1-1; clear1048577; timer1048578 60s"),
            (finished(1_048_578), ""),
            (collected("2", Completion::Full), "clear1048578; hangup not-confirmed; end"),
        ],
    );
}

#[test]
fn where_nothing_is_asked_early_sound_takes_the_ringing_tones_place() {
    play_through(
        &mut invitation(Some(false)),
        &[
            (Event::Started, BEGIN),
            (dialled(Some(true)), ""),
            (ringing(), "play0 tone:ringback"),
            (Event::EarlyMedia { call: CALLEE }, "stop0; call1>room0"),
            (answered(), "no-collect; room0>call1; call1>room0; timer1048577 10s"),
            (members_of_room(1), "clear1048577; play1048577 first-here"),
            (ended(), "end"),
        ],
    );
}

#[test]
fn a_call_that_does_not_come_about_ends_the_session() {
    let failed = Event::DialFailed { call: CALLEE, cause: DialCause::Busy, status: 486 };
    play_through(
        &mut invitation(None),
        &[
            (Event::Started, BEGIN),
            (dialled(None), ""),
            (ringing(), "play0 tone:ringback"),
            (failed.clone(), "stop0; end"),
        ],
    );
    play_through(&mut invitation(None), &[(Event::Started, BEGIN), (failed, "end")]);
}

#[test]
fn a_full_room_says_so() {
    play_through(
        &mut invitation(Some(false)),
        &[
            (Event::Started, BEGIN),
            (dialled(None), ""),
            (answered(), "no-collect; room0>call1; call1>room0; timer1048577 10s"),
            (
                limited("connect"),
                "call1|room0; room0|call1; no-collect; play1048577 room-full; clear1048577; timer1048578 30s",
            ),
            (finished(1_048_577), "hangup room-full; clear1048578; timer1048579 45s"),
            (ended(), "end"),
        ],
    );
}
