//! What outlives the gateway: users who are made, and where users are registered.

use super::desk::{ALICE, Client, Desk};
use crate::gateway::{
    Event, Kept, NewUser, Password, Query, Reply, Request, Rule, Stored, StoredBinding, StoredUser, UserChange,
    UserStatus,
};
use std::time::Duration;

const CAROL: (&str, &str) = ("carol", "open sesame");

fn nothing() -> Result<Kept, String> {
    Ok(Kept::Loaded(Stored::default()))
}

/// A gateway whose database has answered, and has nobody.
fn desk() -> Desk {
    let mut desk = Desk::new();
    assert_eq!(desk.answer(nothing()), Query::Load);
    desk
}

fn carol(temporary: Option<u64>) -> NewUser {
    NewUser {
        name: "carol".into(),
        display_name: "Carol".into(),
        password: Password::new("open sesame".into()),
        temporary,
        max_calls: None,
    }
}

fn add(desk: &mut Desk, new: NewUser) -> Option<Reply> {
    desk.input(crate::gateway::Input::Control { id: 9, request: Request::AddUser(new) });
    desk.replies.pop()
}

/// Makes her; gives what the database keeps of her.
fn made(desk: &mut Desk, temporary: Option<u64>) -> StoredUser {
    assert_eq!(add(desk, carol(temporary)), None, "not before the database has her");
    let Query::AddUser(user) = desk.answer(Ok(Kept::Done)) else { panic!() };
    assert!(matches!(desk.replies.pop(), Some(Reply::UserAdded(UserStatus { in_dialplan: false, .. }))));
    user
}

fn refusal(reply: Option<Reply>) -> Rule {
    let Some(Reply::Error(refusal)) = reply else { panic!("{reply:?}") };
    refusal.rule
}

#[test]
fn a_user_who_is_made_can_call_and_nothing_of_the_password_is_kept() {
    let mut desk = desk();
    assert_eq!(Client::new(CAROL, 9).register(&mut desk).unwrap().status.0, 401);
    let user = made(&mut desk, None);
    assert_eq!(user.keys.len(), 3);
    assert!(user.keys.iter().all(|key| key.realm == "sip.example.com" && !key.ha1.reveal().contains("sesame")));
    assert_eq!(Client::new(CAROL, 10).register(&mut desk).unwrap().status.0, 200);
    assert_eq!(Client::new(CAROL, 11).call(&mut desk, "lobby").unwrap().status.0, 200);
    assert!(desk.events.contains(&Event::UserAdded { user: "carol".into() }));
    assert!(!desk.log.iter().any(|line| line.contains("sesame")), "{:#?}", desk.log);
}

#[test]
fn who_cannot_be_made_is_refused_with_a_reason_for_programs() {
    let mut desk = desk();
    made(&mut desk, None);
    assert_eq!(refusal(add(&mut desk, carol(None))), Rule::Exists);
    assert_eq!(refusal(add(&mut desk, NewUser { name: "alice".into(), ..carol(None) })), Rule::Exists);
    assert_eq!(refusal(add(&mut desk, NewUser { name: "a b".into(), ..carol(None) })), Rule::Invalid);
    assert_eq!(refusal(add(&mut desk, carol(Some(1)))), Rule::Invalid);
    let dave = || NewUser { name: "dave".into(), ..carol(None) };
    assert_eq!(add(&mut desk, dave()), None);
    assert_eq!(refusal(add(&mut desk, dave())), Rule::Exists, "one is on the way");
    desk.answer(Err("it is gone".into()));
    assert_eq!(refusal(desk.replies.pop()), Rule::Unavailable);
    assert_eq!(add(&mut desk, dave()), None, "once more");
}

#[test]
fn a_database_that_is_gone_leaves_users_and_calls_alone_and_is_asked_again() {
    let mut desk = Desk::new();
    let mut alice = Client::new(ALICE, 9);
    assert_eq!(alice.register(&mut desk).unwrap().status.0, 200, "before it has answered");
    assert_eq!(refusal(add(&mut desk, carol(None))), Rule::Unavailable);
    desk.answer(Err("connection refused".into()));
    assert_eq!(alice.call(&mut desk, "lobby").unwrap().status.0, 200);
    let Reply::Status(status) = desk.ask(Request::Status) else { panic!() };
    assert_eq!(status.database_trouble, "connection refused");
    desk.pass(Duration::from_secs(5));
    assert_eq!(desk.answer(nothing()), Query::Load);
    let Reply::Status(status) = desk.ask(Request::Status) else { panic!() };
    assert_eq!(status.database_trouble, "");
    made(&mut desk, None);
}

#[test]
fn what_was_kept_is_there_after_a_restart() {
    let mut desk = desk();
    let user = made(&mut desk, None);
    Client::new(CAROL, 10).register(&mut desk).unwrap();
    Client::new(ALICE, 9).register(&mut desk).unwrap();
    Client::new(ALICE, 11).by_tcp(3).register(&mut desk).unwrap();
    let kept: Vec<StoredBinding> = desk.kept.iter().rev().take(3).flat_map(|(_, bindings)| bindings.clone()).collect();
    assert_eq!(kept.iter().filter(|binding| binding.user == "alice").count(), 2, "twice the one by UDP: {kept:#?}");
    let (mut later, mut bindings) = (Desk::new(), kept);
    bindings.dedup();
    later.now = later.now.after(Duration::from_secs(100));
    later.answer(Ok(Kept::Loaded(Stored { users: vec![user], bindings, ..Stored::default() })));
    let users = later.users();
    let names: Vec<&str> = users.iter().map(|user| user.user.as_str()).collect();
    assert_eq!(names, ["alice", "bob", "carol"]);
    assert_eq!(users[0].bindings[0].address, "udp:192.0.2.9:5060");
    assert_eq!((users[2].bindings[0].address.as_str(), users[2].bindings[0].expires), ("udp:192.0.2.10:5060", 500));
    assert_eq!(Client::new(CAROL, 10).call(&mut later, "lobby").unwrap().status.0, 200);
    later.pass(Duration::from_secs(500));
    assert!(later.users().iter().all(|user| user.bindings.is_empty()));
}

#[test]
fn a_user_who_was_made_can_be_removed_and_one_of_the_dialplan_cannot() {
    let mut desk = desk();
    made(&mut desk, None);
    Client::new(CAROL, 9).register(&mut desk).unwrap();
    let remove = |name: &str| Request::RemoveUser { name: name.into() };
    assert_eq!(refusal(Some(desk.ask(remove("alice")))), Rule::InDialplan);
    assert_eq!(refusal(Some(desk.ask(remove("nobody")))), Rule::NoSuchUser);
    desk.input(crate::gateway::Input::Control { id: 9, request: remove("carol") });
    assert_eq!(desk.answer(Ok(Kept::Done)), Query::RemoveUser { name: "carol".into() });
    assert!(matches!(desk.replies.pop(), Some(Reply::Done(_))));
    assert_eq!(desk.users().len(), 2);
    assert_eq!(Client::new(CAROL, 10).register(&mut desk).unwrap().status.0, 401);
    assert!(desk.events.contains(&Event::UserRemoved { user: "carol".into() }));
}

fn change(desk: &mut Desk, name: &str, change: UserChange) -> Option<Reply> {
    desk.input(crate::gateway::Input::Control { id: 9, request: Request::ChangeUser { name: name.into(), change } });
    desk.replies.pop()
}

#[test]
fn what_is_changed_of_a_user_holds_at_once_and_a_new_password_ends_what_was_registered_with_the_old_one() {
    let mut desk = desk();
    let user = made(&mut desk, None);
    let mut client = Client::new(CAROL, 9);
    client.register(&mut desk).unwrap();
    client.call(&mut desk, "lobby").unwrap();
    let shown = UserChange { display_name: Some("Carol C.".into()), max_calls: Some(2), ..UserChange::default() };
    assert_eq!(change(&mut desk, "carol", shown.clone()), None, "not before the database has it");
    assert_eq!(refusal(change(&mut desk, "carol", shown)), Rule::Busy);
    let Query::ChangeUser(kept) = desk.answer(Ok(Kept::Done)) else { panic!() };
    assert_eq!(kept, StoredUser { display_name: Some("Carol C.".into()), max_calls: 2, ..user.clone() });
    let Some(Reply::UserChanged(status)) = desk.replies.pop() else { panic!() };
    assert_eq!((status.display_name.as_str(), status.bindings.len()), ("Carol C.", 1), "it stays registered");
    let secret = UserChange { password: Some(Password::new("shut sesame".into())), ..UserChange::default() };
    assert_eq!(change(&mut desk, "carol", secret), None);
    let Query::ChangeUser(kept) = desk.answer(Ok(Kept::Done)) else { panic!() };
    assert!(kept.keys.len() == 3 && kept.keys != user.keys);
    let Some(Reply::UserChanged(status)) = desk.replies.pop() else { panic!() };
    assert!(status.bindings.is_empty());
    assert_eq!(desk.kept.last(), Some(&("carol".to_owned(), Vec::new())), "nor after a restart");
    assert!(desk.events.contains(&Event::UserUnregistered { user: "carol".into() }));
    assert!(desk.events.contains(&Event::UserChanged { user: "carol".into() }));
    assert!(desk.requests().is_empty(), "calls go on");
    assert_eq!(client.register(&mut desk).unwrap().status.0, 401);
    assert_eq!(Client::new(("carol", "shut sesame"), 10).register(&mut desk).unwrap().status.0, 200);
    assert!(!desk.log.iter().any(|line| line.contains("sesame")), "{:#?}", desk.log);
}

#[test]
fn when_a_user_ends_can_be_changed() {
    let mut desk = desk();
    made(&mut desk, Some(3_600));
    let until = |desk: &mut Desk, seconds: u64| {
        assert_eq!(change(desk, "carol", UserChange { temporary: Some(seconds), ..UserChange::default() }), None);
        desk.answer(Ok(Kept::Done));
        let Some(Reply::UserChanged(status)) = desk.replies.pop() else { panic!() };
        status.ends_in
    };
    assert_eq!(until(&mut desk, 0), None);
    desk.pass(Duration::from_secs(4_000));
    assert_eq!(desk.users().len(), 3);
    assert_eq!(until(&mut desk, 60), Some(60));
    desk.pass(Duration::from_secs(61));
    assert_eq!(desk.users().len(), 2);
}

#[test]
fn who_cannot_be_changed_is_refused_with_a_reason_for_programs() {
    let mut desk = desk();
    made(&mut desk, None);
    let shown = || UserChange { max_calls: Some(2), ..UserChange::default() };
    assert_eq!(refusal(change(&mut desk, "alice", shown())), Rule::InDialplan);
    assert_eq!(refusal(change(&mut desk, "nobody", shown())), Rule::NoSuchUser);
    assert_eq!(refusal(change(&mut desk, "carol", UserChange::default())), Rule::Invalid);
    assert_eq!(change(&mut desk, "carol", shown()), None);
    desk.answer(Err("it is gone".into()));
    assert_eq!(refusal(desk.replies.pop()), Rule::Unavailable);
    assert_eq!(change(&mut desk, "carol", shown()), None);
    desk.input(crate::gateway::Input::Control { id: 9, request: Request::RemoveUser { name: "carol".into() } });
    let (changing, removing) = (desk.queries.remove(0), desk.queries.remove(0));
    desk.input(crate::gateway::Input::QueryDone { id: removing.0, answer: Ok(Kept::Done) });
    desk.replies.clear();
    desk.input(crate::gateway::Input::QueryDone { id: changing.0, answer: Ok(Kept::Done) });
    assert_eq!(refusal(desk.replies.pop()), Rule::NoSuchUser);
}

#[test]
fn a_temporary_user_ends_in_time() {
    let mut desk = desk();
    made(&mut desk, Some(3_600));
    let mut client = Client::new(CAROL, 9);
    for _ in 0..7 {
        assert_eq!(client.register(&mut desk).unwrap().status.0, 200);
        desk.pass(Duration::from_secs(510));
    }
    assert_eq!(desk.users().len(), 3);
    desk.pass(Duration::from_secs(30));
    assert_eq!(desk.users().len(), 2);
    assert_eq!(desk.answer(Ok(Kept::Done)), Query::RemoveUser { name: "carol".into() });
}

#[test]
fn a_temporary_user_ends_a_minute_after_the_last_connection() {
    let mut desk = desk();
    made(&mut desk, Some(3_600));
    let gone = |desk: &mut Desk, client: &Client| {
        desk.input(crate::gateway::Input::Sip(crate::sip::Input::FlowClosed { flow: client.flow }));
    };
    let mut client = Client::new(CAROL, 9).by_tcp(1);
    client.register(&mut desk).unwrap();
    gone(&mut desk, &client);
    desk.pass(Duration::from_secs(59));
    // Another connection in time.
    let mut client = Client::new(CAROL, 9).by_tcp(2);
    assert_eq!(client.register(&mut desk).unwrap().status.0, 200);
    desk.pass(Duration::from_secs(100));
    assert_eq!(desk.users().len(), 3);
    gone(&mut desk, &client);
    desk.pass(Duration::from_secs(60));
    assert_eq!(desk.users().len(), 2);
    assert!(desk.events.contains(&Event::UserRemoved { user: "carol".into() }));
}

#[test]
fn a_temporary_user_whose_time_was_over_meanwhile_does_not_come_back() {
    let mut desk = desk();
    let user = made(&mut desk, Some(60));
    let mut later = Desk::new();
    later.pass(Duration::from_secs(60));
    later.answer(Ok(Kept::Loaded(Stored { users: vec![user], ..Stored::default() })));
    assert_eq!(later.answer(Ok(Kept::Done)), Query::RemoveUser { name: "carol".into() });
    assert_eq!(later.users().len(), 2);
}
