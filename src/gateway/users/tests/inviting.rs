//! Invitations: who comes by one, where to, and for how long.

use super::desk::{ALICE, Client, Desk, PLAN};
use crate::gateway::{
    Cause, Input, InvitationStatus, InvitedUser, Kept, Query, Reply, Request, Rule, Stored, StoredInvitation,
    StoredUser,
};
use crate::session::{self, CallHandle, Party, Verb};
use crate::sip::message::{HeaderName, Method};
use std::time::Duration;

/// Two rooms; users call the lobby.
fn plan() -> String {
    format!("{PLAN}\n[rooms.board]\nannounce = \"none\"\n")
}

/// A gateway whose database has answered, and has nothing.
fn desk() -> Desk {
    let mut desk = Desk::with(&plan());
    desk.answer(Ok(Kept::Loaded(Stored::default())));
    desk
}

/// Seconds since 1970, so many from now.
fn ends_in(desk: &Desk, seconds: u64) -> u64 {
    desk.now.wall.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + seconds
}

fn invitation(desk: &Desk, seconds: u64) -> Request {
    Request::Invite { room: "board".into(), name: "Anna Ashton".into(), until: ends_in(desk, seconds), host: true }
}

/// A room whose conference a scenario holds.
const SCENARIO: &str = "[rooms.board]\ninvited_call = \"joinconf\"\n[[routes]]\nname = \"InboundCall\"\n\
                        from = \"users\"\nnumber = \"joinconf\"\nscenario = \"BrowserGate\"\n";

fn scenarios_desk() -> Desk {
    let mut desk = Desk::with(&format!("{PLAN}\n{SCENARIO}"));
    desk.answer(Ok(Kept::Loaded(Stored::default())));
    desk
}

/// Asks; a query that follows is answered, and comes with the reply.
fn ask(desk: &mut Desk, request: Request) -> (Reply, Option<Query>) {
    desk.input(Input::Control { id: 9, request });
    let query = (!desk.queries.is_empty()).then(|| desk.answer(Ok(Kept::Done)));
    (desk.replies.pop().expect("a reply"), query)
}

fn refusal((reply, _): (Reply, Option<Query>)) -> Rule {
    let Reply::Error(refusal) = reply else { panic!("{reply:?}") };
    refusal.rule
}

fn invited(desk: &mut Desk, seconds: u64) -> (InvitationStatus, StoredInvitation) {
    let request = invitation(desk, seconds);
    let (reply, query) = ask(desk, request);
    let (Reply::InvitationMade(made), Some(Query::AddInvitation(stored))) = (reply, query) else { panic!() };
    (made.invitation, stored)
}

fn using(id: &str) -> Request {
    Request::UseInvitation { id: id.into() }
}

fn used(desk: &mut Desk, id: &str) -> (InvitedUser, StoredUser) {
    desk.input(Input::Control { id: 9, request: using(id) });
    let Query::AddUser(stored) = desk.answer(Ok(Kept::Done)) else { panic!() };
    let Some(Reply::Admitted(user)) = desk.replies.pop() else { panic!("{:?}", desk.replies) };
    (user, stored)
}

/// A client with what an invitation gave.
fn client(user: &InvitedUser, host: u8) -> Client {
    let name: &'static str = user.user.clone().leak();
    Client::new((name, user.password.reveal()), host).by_websocket(u64::from(host))
}

#[test]
fn whoever_shows_an_invitation_may_call_its_room_and_no_other_and_writes_to_nobody() {
    let mut desk = desk();
    let (made, stored) = invited(&mut desk, 3_600);
    assert_eq!(
        (made.room.as_str(), made.name.as_str(), made.host, made.revoked),
        ("board", "Anna Ashton", true, false)
    );
    assert_eq!(stored.id, made.id);
    let (user, kept) = used(&mut desk, &made.id);
    assert!(user.password.reveal().len() >= 32 && kept.temporary_until == Some(stored.until));
    assert!(kept.keys.iter().all(|key| !key.ha1.reveal().contains(user.password.reveal())));
    let mut anna = client(&user, 9);
    assert_eq!(anna.register(&mut desk).unwrap().status.0, 200);
    assert_eq!(anna.call(&mut desk, "lobby").unwrap().status.0, 403, "where all other users may call");
    assert_eq!(anna.call(&mut desk, "alice").unwrap().status.0, 403);
    let message = anna.request(Method::Message, "alice");
    assert_eq!(anna.ask(&mut desk, message).unwrap().status.0, 403);
    assert_eq!(anna.call(&mut desk, "board").unwrap().status.0, 200);
    let listed = desk.users().into_iter().find(|listed| listed.user == user.user).unwrap();
    assert_eq!((listed.display_name.as_str(), listed.invited_to.as_str()), ("Anna Ashton", "board"));
    assert_eq!(Client::new(ALICE, 11).call(&mut desk, "board").unwrap().status.0, 404, "others need a route");
    let said = format!("{:?}", desk.log);
    assert!(!said.contains(user.password.reveal()) && !said.contains("Anna"), "{said}");
    assert!(!format!("{user:?}").contains(user.password.reveal()));
}

#[test]
fn the_pin_of_a_scenarios_conference_is_its_rooms_name_and_stands_in_no_line_of_the_log() {
    let mut desk = Desk::with(&format!("{PLAN}\n{}", SCENARIO.replace("board", "604715")));
    desk.answer(Ok(Kept::Loaded(Stored::default())));
    let (name, until) = ("Anna Ashton".to_owned(), ends_in(&desk, 3_600));
    let (reply, _) = ask(&mut desk, Request::Invite { room: "604715".into(), name, until, host: false });
    let Reply::InvitationMade(made) = reply else { panic!("{reply:?}") };
    assert_eq!(made.pin.as_ref().map(|pin| pin.reveal()), Some("604715"));
    let mut anna = client(&used(&mut desk, &made.invitation.id).0, 9);
    assert_eq!(anna.register(&mut desk).unwrap().status.0, 200);
    for number in ["lobby", "joinconf", "604716"] {
        assert_eq!(anna.call(&mut desk, number).unwrap().status.0, 403, "{number}");
    }
    assert_eq!(anna.call(&mut desk, "604715").unwrap().status.0, 200, "the room itself, without the conference");
    let said: Vec<String> = desk.log.iter().map(|line| format!("{line:?}")).collect();
    for what in ["invitation made", "invitation used", "refused", "incoming"] {
        assert!(said.iter().any(|line| line.contains(what)), "{what}: {said:#?}");
    }
    assert!(!said.iter().any(|line| line.contains("604715")), "{said:#?}");
}

#[test]
fn whoever_is_invited_to_a_scenarios_conference_calls_that_one_and_no_other() {
    let mut desk = scenarios_desk();
    let (made, _) = invited(&mut desk, 3_600);
    let mut anna = client(&used(&mut desk, &made.id).0, 9);
    anna.register(&mut desk).unwrap();
    let calls = |desk: &mut Desk, anna: &mut Client, named: Option<&'static str>| {
        let mut request = anna.request(Method::Invite, "joinconf");
        if let Some(named) = named {
            request = request.with(HeaderName::from("X-Conference-Id"), named);
        }
        anna.ask(desk, request).map(|response| response.status.0)
    };
    for other in [None, Some("lobby"), Some("Board"), Some("")] {
        assert_eq!(calls(&mut desk, &mut anna, other), Some(403), "{other:?}");
    }
    assert_eq!(anna.call(&mut desk, "lobby").unwrap().status.0, 403);
    assert_ne!(calls(&mut desk, &mut anna, Some("board")), Some(403));
}

#[test]
fn a_scenario_is_told_who_is_its_host_and_nobody_says_so_of_himself() {
    let mut desk = scenarios_desk();
    for (host, role) in [(true, "host"), (false, "guest")] {
        let name = "Anna Ashton".into();
        let asked = Request::Invite { room: "board".into(), name, until: ends_in(&desk, 3_600), host };
        let (Reply::InvitationMade(made), _) = ask(&mut desk, asked) else { panic!() };
        let mut anna = client(&used(&mut desk, &made.invitation.id).0, 9);
        anna.register(&mut desk).unwrap();
        let mut request = anna.request(Method::Invite, "joinconf");
        for (header, value) in [("X-Conference-Id", "board"), ("X-CONFERENCE-ROLE", "host"), ("x-word", "w")] {
            request = request.with(HeaderName::from(header), value);
        }
        anna.ask(&mut desk, request);
        let told = desk.told.drain(..).find_map(|event| match event {
            session::Event::Incoming { alerting, .. } => alerting,
            _ => None,
        });
        let mut headers = told.expect("a call").headers;
        headers.sort();
        let expected = [("X-Conference-Id", "board"), ("X-Conference-Role", role), ("x-word", "w")];
        assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}

#[test]
fn who_is_invited_to_a_conference_waits_behind_nobodys_wrong_pins() {
    let route = "[[routes]]\nname = \"Fwd\"\nfrom = \"sessions\"\nnumber = \"conf_[a-z0-9]+\"\n\
                 for_room = \"conf_{room}\"\nscenario = \"Conference\"\n";
    let plan = PLAN.replace("[gateway]", "[gateway]\npin_budget = 1");
    let mut desk = Desk::with(&format!("{plan}\n{SCENARIO}{route}"));
    desk.answer(Ok(Kept::Loaded(Stored::default())));
    let (made, _) = invited(&mut desk, 3_600);
    let mut anna = client(&used(&mut desk, &made.id).0, 9);
    anna.register(&mut desk).unwrap();
    let request = anna.request(Method::Invite, "joinconf").with(HeaderName::from("X-Conference-Id"), "board");
    anna.ask(&mut desk, request);
    let session = desk.gateway.calls.values().next().expect("a call").session;
    let mut join = |number: u32, name: &str| {
        let (call, to) = (CallHandle(number), format!("conf_{name}"));
        let verb = Verb::Join { call, to, from: Party::default(), headers: Vec::new() };
        desk.told.clear();
        desk.input(Input::Verbs { session, verbs: vec![verb] });
        let of_it = |event: &session::Event| match event {
            session::Event::Dialled { call: of, .. } if *of == call => Some("called"),
            session::Event::DialFailed { call: of, .. } if *of == call => Some("failed"),
            _ => None,
        };
        desk.told.iter().find_map(of_it)
    };
    assert_eq!((join(1, "red"), join(2, "blue")), (Some("failed"), Some("failed")), "guesses, the last for now");
    assert_eq!((join(3, "green"), join(4, "board")), (None, Some("called")));
}

#[test]
fn a_second_use_takes_the_place_of_the_first_whose_calls_end() {
    let mut desk = desk();
    let (made, _) = invited(&mut desk, 3_600);
    let (first, _) = used(&mut desk, &made.id);
    let mut before = client(&first, 9);
    before.register(&mut desk).unwrap();
    assert_eq!(before.call(&mut desk, "board").unwrap().status.0, 200);
    let (second, _) = used(&mut desk, &made.id);
    assert_ne!((&first.user, first.password.reveal()), (&second.user, second.password.reveal()));
    assert_eq!(desk.answer(Ok(Kept::Done)), Query::RemoveUser { name: first.user.clone() });
    assert_eq!(desk.records.iter().map(|record| &record.cause).collect::<Vec<_>>(), [&Cause::Kicked]);
    assert_eq!(desk.records[0].user, first.user);
    assert_eq!(before.register(&mut desk).unwrap().status.0, 401);
    let mut after = client(&second, 10);
    assert_eq!(after.register(&mut desk).unwrap().status.0, 200);
    assert_eq!(after.call(&mut desk, "board").unwrap().status.0, 200);
}

#[test]
fn an_invitation_that_is_taken_back_admits_nobody_and_sends_out_who_came_by_it() {
    let mut desk = desk();
    let (made, _) = invited(&mut desk, 3_600);
    let (user, _) = used(&mut desk, &made.id);
    let mut anna = client(&user, 9);
    assert_eq!(anna.call(&mut desk, "board").unwrap().status.0, 200);
    let revoke = |room: &str| Request::RevokeInvitation { id: made.id.clone(), room: room.into() };
    assert_eq!(refusal(ask(&mut desk, revoke("lobby"))), Rule::NoSuchInvitation, "it is another room's");
    let (reply, query) = ask(&mut desk, revoke("board"));
    assert_eq!(query, Some(Query::RevokeInvitation { id: made.id.clone() }));
    assert!(matches!(reply, Reply::Done(_)), "{reply:?}");
    desk.answer(Ok(Kept::Done));
    assert_eq!(desk.records.iter().map(|record| &record.cause).collect::<Vec<_>>(), [&Cause::Kicked]);
    assert_eq!(anna.register(&mut desk).unwrap().status.0, 401);
    assert_eq!(refusal(ask(&mut desk, using(&made.id))), Rule::InvitationRevoked);
    assert_eq!(refusal(ask(&mut desk, revoke("board"))), Rule::NoChange);
    let Reply::Invitations(listed) = desk.ask(Request::Invitations) else { panic!() };
    assert!(listed.len() == 1 && listed[0].revoked && listed[0].user.is_empty(), "until its end: {listed:?}");
}

#[test]
fn an_invitation_that_is_taken_back_while_it_is_used_admits_nobody() {
    let mut desk = desk();
    let (made, _) = invited(&mut desk, 3_600);
    desk.input(Input::Control { id: 9, request: using(&made.id) });
    desk.input(Input::Control { id: 10, request: Request::RevokeInvitation { id: made.id.clone(), room: made.room } });
    let (using, revoking) = (desk.queries.remove(0), desk.queries.remove(0));
    desk.input(Input::QueryDone { id: revoking.0, answer: Ok(Kept::Done) });
    desk.input(Input::QueryDone { id: using.0, answer: Ok(Kept::Done) });
    assert_eq!(refusal((desk.replies.pop().unwrap(), None)), Rule::InvitationRevoked);
    let Query::AddUser(user) = using.1 else { panic!() };
    assert_eq!(desk.answer(Ok(Kept::Done)), Query::RemoveUser { name: user.name });
    assert_eq!(desk.users().len(), 2);
}

#[test]
fn an_invitation_ends_in_time_and_what_it_made_with_it() {
    let mut desk = desk();
    let (made, _) = invited(&mut desk, 600);
    let (user, _) = used(&mut desk, &made.id);
    let mut anna = client(&user, 9);
    assert_eq!(anna.register(&mut desk).unwrap().status.0, 200);
    desk.pass(Duration::from_secs(599));
    assert_eq!(desk.users().len(), 3);
    desk.pass(Duration::from_secs(2));
    assert_eq!(desk.users().len(), 2);
    desk.answer(Ok(Kept::Done));
    assert_eq!(refusal(ask(&mut desk, using(&made.id))), Rule::InvitationExpired);
    let Reply::Invitations(listed) = desk.ask(Request::Invitations) else { panic!() };
    assert!(listed.is_empty());
}

#[test]
fn who_never_registers_is_no_user_after_a_minute_and_may_come_again() {
    let mut desk = desk();
    let (made, _) = invited(&mut desk, 3_600);
    used(&mut desk, &made.id);
    desk.pass(Duration::from_secs(61));
    assert_eq!(desk.users().len(), 2);
    desk.answer(Ok(Kept::Done));
    used(&mut desk, &made.id);
}

#[test]
fn what_cannot_be_an_invitation_is_refused_with_a_reason_for_programs() {
    let mut desk = desk();
    let end = ends_in(&desk, 60);
    let with = |room: &str, name: &str, until: u64| Request::Invite {
        room: room.into(),
        name: name.into(),
        until,
        host: false,
    };
    for (request, rule) in [
        (with("nowhere", "Anna", end), Rule::NoSuchRoom),
        (with("board", "", end), Rule::Invalid),
        (with("board", "An\nna", end), Rule::Invalid),
        (with("board", &"a".repeat(65), end), Rule::Invalid),
        (with("board", "Anna", ends_in(&desk, 0)), Rule::Invalid),
        (with("board", "Anna", ends_in(&desk, 367 * 24 * 3_600)), Rule::Invalid),
        (with("board", "Anna", u64::MAX), Rule::Invalid),
        (using("0123456789abcdef"), Rule::NoSuchInvitation),
        (Request::RevokeInvitation { id: "x".into(), room: "board".into() }, Rule::NoSuchInvitation),
    ] {
        assert_eq!(refusal(ask(&mut desk, request.clone())), rule, "{request:?}");
    }
    let mut early = Desk::with(&plan());
    assert_eq!(early.queries.len(), 1);
    for request in [invitation(&early, 60), using("x"), Request::RevokeInvitation { id: "x".into(), room: "b".into() }]
    {
        early.input(Input::Control { id: 9, request });
        assert_eq!(refusal((early.replies.pop().unwrap(), None)), Rule::Unavailable, "nothing is loaded yet");
    }
    let mut gone = desk;
    gone.input(Input::Control { id: 9, request: with("board", "Anna", end) });
    gone.answer(Err("it is gone".into()));
    assert_eq!(refusal((gone.replies.pop().unwrap(), None)), Rule::Unavailable);
}

#[test]
fn invitations_and_who_came_by_them_are_there_after_a_restart() {
    let mut desk = desk();
    let (made, stored) = invited(&mut desk, 3_600);
    let (user, kept) = used(&mut desk, &made.id);
    let (_, short) = invited(&mut desk, 60);
    let mut later = Desk::with(&plan());
    later.now = later.now.after(Duration::from_secs(61));
    let loaded = Stored { users: vec![kept], invitations: vec![stored.clone(), short.clone()], ..Stored::default() };
    later.answer(Ok(Kept::Loaded(loaded)));
    let Reply::Invitations(listed) = later.ask(Request::Invitations) else { panic!() };
    assert_eq!((listed.len(), &listed[0].id, &listed[0].user), (1, &stored.id, &user.user));
    let mut anna = client(&user, 9);
    assert_eq!(anna.call(&mut later, "lobby").unwrap().status.0, 403);
    assert_eq!(anna.call(&mut later, "board").unwrap().status.0, 200);
    assert_eq!(refusal(ask(&mut later, using(&short.id))), Rule::NoSuchInvitation);
    let mut again = Desk::with(&plan());
    let revoked = StoredInvitation { revoked: true, ..stored };
    again.answer(Ok(Kept::Loaded(Stored { invitations: vec![revoked], ..Stored::default() })));
    assert_eq!(refusal(ask(&mut again, using(&made.id))), Rule::InvitationRevoked);
}
