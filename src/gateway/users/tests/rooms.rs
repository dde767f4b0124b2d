//! Rooms that are made and locked, which outlive the gateway.

use super::desk::{Desk, PLAN};
use crate::dialplan::Pin;
use crate::gateway::{Kept, Reply, Request, Rule, Stored, StoredRoom, StoredSettings};
use crate::types::{Disturbance, Disturbances};

fn make(room: &str, pin: &str, replace: bool) -> Request {
    let pin = Some(pin.to_owned());
    Request::MakeRoom { room: room.into(), pin, host_pin: None, max_members: Some(5), mute: muted(), replace }
}

fn muted() -> Disturbances {
    [Disturbance::Echo, Disturbance::Music].into_iter().collect()
}

fn lock(room: &str, locked: bool) -> Request {
    Request::LockRoom { room: room.into(), locked }
}

fn done(desk: &mut Desk, request: Request) {
    let reply = desk.ask(request);
    assert!(matches!(reply, Reply::Done(_)), "{reply:?}");
}

fn refusal(desk: &mut Desk, request: Request) -> Rule {
    let Reply::Error(refusal) = desk.ask(request) else { panic!() };
    refusal.rule
}

fn stored(name: &str, pin: Option<&str>, locked: bool) -> StoredRoom {
    let settings =
        |pin: &str| StoredSettings { pin: Pin::new(pin), host_pin: None, max_members: Some(5), mute: muted() };
    StoredRoom { name: name.into(), made: pin.map(settings), locked }
}

/// A gateway whose database has this of rooms.
fn with(rooms: Vec<StoredRoom>) -> Desk {
    let mut desk = Desk::new();
    desk.answer(Ok(Kept::Loaded(Stored { rooms, ..Stored::default() })));
    desk
}

#[test]
fn what_is_made_of_a_room_is_kept_and_what_is_undone_is_not() {
    let mut desk = with(Vec::new());
    done(&mut desk, make("board", "902817", false));
    done(&mut desk, make("board", "902818", true));
    done(&mut desk, lock("board", true));
    done(&mut desk, lock("lobby", true));
    done(&mut desk, lock("lobby", false));
    done(&mut desk, Request::UnmakeRoom { room: "board".into() });
    let board = |pin, locked| ("board".to_owned(), Some(stored("board", Some(pin), locked)));
    let lobby = Some(stored("lobby", None, true));
    let none = |name: &str| (name.to_owned(), None);
    let expected = [
        board("902817", false),
        board("902818", false),
        board("902818", true),
        ("lobby".into(), lobby),
        none("lobby"),
        none("board"),
    ];
    assert_eq!(desk.kept_rooms, expected);
}

#[test]
fn rooms_and_locks_are_there_after_a_restart() {
    let kept =
        vec![stored("board", Some("902817"), true), stored("lobby", None, true), stored("plain", Some("1"), false)];
    let mut desk = with(kept);
    let Reply::Status(status) = desk.ask(Request::Status) else { panic!() };
    assert_eq!(
        (status.made_rooms, status.locked_rooms),
        (vec!["board".to_owned(), "plain".into()], vec!["board".to_owned(), "lobby".into()])
    );
    assert_eq!(refusal(&mut desk, make("board", "1234", false)), Rule::Exists);
    assert_eq!(refusal(&mut desk, make("other", "902817", false)), Rule::PinTaken);
    done(&mut desk, lock("board", false));
    assert_eq!(desk.kept_rooms, [("board".to_owned(), Some(stored("board", Some("902817"), false)))]);
    desk.assert_logged("rooms loaded");
}

#[test]
fn what_was_done_before_the_database_answered_goes_before_what_it_has() {
    let mut desk = Desk::new();
    done(&mut desk, make("board", "902818", false));
    let rooms = vec![stored("board", Some("902817"), true), stored("lobby", Some("775310"), false)];
    desk.answer(Ok(Kept::Loaded(Stored { rooms, ..Stored::default() })));
    assert_eq!(desk.kept_rooms, [("board".to_owned(), Some(stored("board", Some("902818"), false)))]);
    let Reply::Status(status) = desk.ask(Request::Status) else { panic!() };
    assert_eq!(
        (status.made_rooms, status.locked_rooms),
        (vec!["board".to_owned()], Vec::new()),
        "lobby is the dialplan's"
    );
    assert_eq!(refusal(&mut desk, make("third", "902818", false)), Rule::PinTaken);
    done(&mut desk, make("third", "902817", false));
}

#[test]
fn where_nothing_is_to_outlive_the_process_no_database_is_asked() {
    let plan = PLAN.replace("from   = [\"users\", \"office\"]", "from   = \"office\"");
    let users = plan.find("[users.alice]").unwrap()..plan.find("[rooms.lobby]").unwrap();
    let mut plan = plan;
    plan.replace_range(users, "");
    let mut desk = Desk::with(&plan);
    done(&mut desk, make("board", "902817", false));
    assert!(desk.queries.is_empty() && desk.kept_rooms.is_empty());
    let token = "[api.tokens.admin]\ntoken = { plain = \"of-the-admin-0123456789\" }\nrole = \"admin\"\n";
    let mut desk = Desk::with(&format!("{plan}{token}"));
    assert_eq!(desk.queries.len(), 1);
    done(&mut desk, make("board", "902817", false));
    assert_eq!(desk.kept_rooms.len(), 1);
}
