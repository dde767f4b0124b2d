//! Users: phones that register with a digest, call rooms and are called, with sound.

use super::phone::{End, Stage, says};
use super::world::{GATEWAY, Settings, World, ms, secs};
use partyline::gateway::{Cause, Event, Reply, Request};
use partyline::session::{Event as Told, Verb, VerbError};
use partyline::sip::auth::{Covered, Credentials, DigestClient};
use partyline::sip::message::{HeaderName as H, Method};
use partyline::types::AudioCodec;

/// Tables after `[gateway]`: two users, and where their calls lead.
const USERS: &str = r#"
[users.alice]
display_name = "Alice"
password     = { plain = "correct horse battery" }

[users.bob]
password = { plain = "staple gun and glue" }

[[routes]]
name   = "UsersLobby"
from   = "users"
number = "2000"
room   = "lobby"

[[routes]]
name     = "P2P"
from     = "users"
number   = 'direct-(alice|bob)'
scenario = "P2P"

[[routes]]
name    = "ToUser"
from    = ["users", "carrier"]
number  = 'alice|bob'
to_user = "{number}"
"#;

fn world() -> World {
    World::new(Settings { gateway: USERS, ..Settings::default() })
}

/// A phone that is no trunk's, registered as a user.
struct Client {
    phone: usize,
    digest: DigestClient,
    credentials: Credentials,
}

impl Client {
    fn registered(world: &mut World, name: &str, password: &str, host: u8) -> Self {
        let phone = world.phone_at([100, 70, host], AudioCodec::Pcmu);
        world.phones[phone].agent.number = name.to_owned();
        world.phones[phone].agent.answers = true;
        world.phones[phone].agent.manner = vec![says(100, 180), says(2_000, 200)];
        let mut client = Self { phone, digest: DigestClient::new(), credentials: Credentials::new(name, password) };
        world.act(phone, |agent, now| agent.register(now, None));
        world.run(ms(200));
        let seen = &world.phones[phone].agent.seen;
        let challenge = seen.last().and_then(|seen| seen.message.response()).unwrap().clone();
        assert_eq!(challenge.status.0, 401);
        let uri = format!("sip:{}", std::net::IpAddr::from(GATEWAY));
        let covered = Covered { method: &Method::Register, uri: &uri, body: b"" };
        let mut answer = client.digest.answer(&challenge, covered, &client.credentials, "c").unwrap();
        let answer = answer.remove(0).1;
        world.act(phone, |agent, now| agent.register(now, Some(answer)));
        world.run(ms(200));
        let status = world.phones[phone].agent.seen.last().and_then(|seen| seen.status);
        assert_eq!(status, Some(200));
        client
    }

    /// Calls with the next use of its nonce.
    fn dial(&mut self, world: &mut World, number: &str) {
        let uri = format!("sip:{number}@{}", std::net::IpAddr::from(GATEWAY));
        let body = world.phones[self.phone].agent.local.text();
        let covered = Covered { method: &Method::Invite, uri: &uri, body: body.as_bytes() };
        let (name, value) = self.digest.again(covered, &self.credentials).remove(0);
        world.phones[self.phone].agent.carries = vec![(name, value)];
        world.dial(self.phone, number);
    }
}

fn alice(world: &mut World) -> Client {
    Client::registered(world, "alice", "correct horse battery", 1)
}

fn bob(world: &mut World) -> Client {
    Client::registered(world, "bob", "staple gun and glue", 2)
}

#[test]
fn users_and_a_telephone_are_in_one_room() {
    let mut world = world();
    let (mut alice, bob) = (alice(&mut world), bob(&mut world));
    alice.dial(&mut world, "2000");
    world.run(secs(1));
    let Reply::Progress(_) = world.ask(Request::Dial {
        room: "lobby".into(),
        number: "user:bob".into(),
        confirm: None,
        digits: None,
        create: false,
    }) else {
        panic!("{:?}", world.replies)
    };
    world.run(secs(4));
    let telephone = world.phones_in("2000", 1)[0];
    world.run(secs(2));
    world.assert_talking(&[alice.phone, bob.phone, telephone]);
    world.assert_together(&[alice.phone, bob.phone, telephone]);
    world.finish();
}

#[test]
fn a_user_calls_another_and_both_end_together() {
    let mut world = world();
    let (mut alice, bob) = (alice(&mut world), bob(&mut world));
    alice.dial(&mut world, "bob");
    world.run(secs(1));
    assert_eq!(world.phones[alice.phone].agent.stage, Stage::Calling { rings: true });
    world.run(secs(4));
    world.assert_together(&[alice.phone, bob.phone]);
    let invite = world.phones[bob.phone].agent.seen.iter().find_map(|seen| seen.message.request()).unwrap().clone();
    assert_eq!(invite.from().unwrap().display.as_deref(), Some("Alice"));
    world.bye(bob.phone);
    world.run(secs(1));
    world.assert_ended(alice.phone, End::Remote);
    let by = |user: &str| world.records.iter().find(|record| record.user == user).unwrap().cause.clone();
    assert_eq!((by("bob"), by("alice")), (Cause::CalledHungUp, Cause::Session("user-hung-up".into())));
    world.finish();
}

/// The MESSAGEs that a phone got: what they say, and by whom.
fn messages(world: &World, phone: usize) -> Vec<(String, String)> {
    let seen = world.phones[phone].agent.seen.iter().filter_map(|seen| seen.message.request());
    let said = seen.filter(|request| request.method == Method::Message).map(|request| {
        let by = request.headers.get_str(&H::from("X-From")).unwrap_or_default().to_owned();
        (String::from_utf8(request.body.to_vec()).unwrap(), by)
    });
    said.collect()
}

#[test]
fn what_one_in_a_room_writes_all_others_read_who_take_messages() {
    let mut world = world();
    let (mut alice, mut bob) = (alice(&mut world), bob(&mut world));
    alice.dial(&mut world, "2000");
    bob.dial(&mut world, "2000");
    world.run(secs(1));
    let telephone = world.phones_in("2000", 1)[0];
    let text = Some(("text/plain", "hello all"));
    world.act(alice.phone, |agent, now| agent.ask(now, Method::Message, text));
    world.run(secs(1));
    let domain = std::net::IpAddr::from(GATEWAY);
    let read = messages(&world, bob.phone);
    assert_eq!(read.len(), 1, "{read:?}");
    assert_eq!(read[0].0, "hello all");
    assert!(read[0].1.contains("Alice") && read[0].1.contains("alice@"), "{domain}: {}", read[0].1);
    assert!(messages(&world, alice.phone).is_empty() && messages(&world, telephone).is_empty());
    assert!(world.gateway_events.iter().any(|event| matches!(event, Event::MessageReceived { octets: 9, .. })));
    assert!(world.lines("hello all").is_empty(), "nothing is logged of it");
    // An administrator's, to the room and to one that takes none.
    let to = partyline::gateway::Audience::Room("lobby".into());
    let Reply::Done(done) = world.ask(Request::Message { to, text: "soon over".into() }) else { panic!() };
    assert_eq!(done, "the message is sent to 2 calls");
    world.run(secs(1));
    assert_eq!((messages(&world, alice.phone).len(), messages(&world, bob.phone).len()), (1, 2));
    let to = partyline::gateway::Audience::Room("nowhere".into());
    let Reply::Error(_) = world.ask(Request::Message { to, text: "x".into() }) else { panic!() };
    // 8 KiB is the most.
    for octets in [8_192, 8_193] {
        let text = Some(("text/plain", &*"x".repeat(octets).leak()));
        world.act(alice.phone, |agent, now| agent.ask(now, Method::Message, text));
        world.run(secs(1));
        assert_eq!(messages(&world, bob.phone).len(), 3, "{octets}");
    }
    world.run(secs(1));
    // More than a burst waits.
    for _ in 0..100 {
        world.act(alice.phone, |agent, now| agent.ask(now, Method::Message, text));
    }
    world.run(secs(1));
    let read = messages(&world, bob.phone).len() - 3;
    assert!((30..=40).contains(&read), "{read} of a hundred");
    world.assert_talking(&[alice.phone, bob.phone, telephone]);
    world.finish();
}

#[test]
fn a_scenario_reads_and_writes_and_forwards_its_caller_directly() {
    let mut world = world();
    let (mut alice, bob) = (alice(&mut world), bob(&mut world));
    alice.dial(&mut world, "direct-bob");
    world.run(secs(1));
    let (session, told) = (world.scenarios[0].session, world.scenarios[0].take());
    let Some(Told::Incoming { call, .. }) = told.last() else { panic!("{told:?}") };
    let call = *call;
    world.say(session, vec![Verb::SendMessage { call, text: "too soon".into() }]);
    assert!(matches!(world.scenarios[0].take().as_slice(), [Told::VerbFailed { .. }]));
    world.say(session, vec![Verb::ForwardDirect { call, to: Some("bob".into()) }]);
    world.run(secs(4));
    world.assert_talking(&[alice.phone, bob.phone]);
    world.assert_together(&[alice.phone, bob.phone]);
    assert_eq!(world.scenarios[0].take(), [Told::Answered { call }]);
    world.bye(bob.phone);
    world.run(secs(1));
    world.assert_ended(alice.phone, End::Remote);
    let told = world.scenarios[0].take();
    assert!(matches!(told.as_slice(), [Told::Ended { .. }]), "{told:?}");
    world.say(session, vec![Verb::EndSession]);
    // Answered by the scenario, they write to each other.
    alice.dial(&mut world, "direct-bob");
    world.run(secs(1));
    let (session, told) = (world.scenarios[1].session, world.scenarios[1].take());
    let Some(Told::Incoming { call, .. }) = told.last() else { panic!("{told:?}") };
    let call = *call;
    world.say(session, vec![Verb::Answer { call }]);
    world.run(secs(1));
    let text = Some(("text/plain", "hello"));
    world.act(alice.phone, |agent, now| agent.ask(now, Method::Message, text));
    world.act(alice.phone, |agent, now| agent.ask(now, Method::Info, Some(("application/json", "{}"))));
    world.say(session, vec![Verb::SendMessage { call, text: "hello yourself".into() }]);
    world.run(secs(1));
    let told = world.scenarios[1].take();
    assert!(told.contains(&Told::Message { call, text: "hello".into() }), "{told:?}");
    let info = |event: &Told| matches!(event, Told::Info { content_type, body, .. } if content_type == "application/json" && body == "{}");
    assert!(told.iter().any(info), "{told:?}");
    assert_eq!(messages(&world, alice.phone), [("hello yourself".to_owned(), String::new())]);
    // 8 KiB is the most, either way, and 40 within two seconds.
    world.run(secs(2));
    let long = "x".repeat(8_193);
    let info = |body: &str| Verb::SendInfo {
        call,
        content_type: "application/json".into(),
        headers: vec![("X-Kind".into(), "test".into()), ("Subject".into(), "no".into())],
        body: body.into(),
    };
    world.say(session, vec![Verb::SendMessage { call, text: long.clone() }, info(&long), info(&long[1..])]);
    world.run(secs(1));
    let is_limit = |event: &Told| matches!(event, Told::VerbFailed { error: VerbError::Limit { .. }, .. });
    let told = world.scenarios[1].take();
    assert!(told.len() == 2 && told.iter().all(is_limit), "{told:?}");
    let got = world.phones[alice.phone].agent.last_request(&Method::Info).unwrap();
    assert_eq!((got.body.len(), got.headers.get_str(&H::from("X-Kind"))), (8_192, Some("test")));
    assert!(!got.headers.contains(&H::from("Subject")));
    world.run(secs(2));
    world.say(session, vec![Verb::SendMessage { call, text: "x".into() }; 100]);
    world.run(secs(1));
    assert_eq!(world.scenarios[1].take().iter().filter(|event| is_limit(event)).count(), 60);
    assert_eq!(messages(&world, alice.phone).len(), 41);
    world.say(session, vec![Verb::EndSession]);
    world.run(secs(1));
    world.finish();
}

#[test]
fn a_telephone_calls_a_user_and_gives_up() {
    let mut world = world();
    let bob = bob(&mut world);
    let telephone = world.phone();
    world.dial(telephone, "bob");
    world.run(secs(1));
    assert!(matches!(world.phones[bob.phone].agent.stage, Stage::Called { .. }));
    world.cancel(telephone);
    world.run(secs(1));
    world.assert_ended(bob.phone, End::Cancelled);
    world.finish();
}

#[test]
fn a_user_whose_registration_has_run_out_is_not_called() {
    let mut world = world();
    let bob = bob(&mut world);
    let telephone = world.phone();
    world.run(secs(601));
    assert!(world.gateway_events.contains(&Event::UserUnregistered { user: "bob".into() }));
    world.dial(telephone, "bob");
    world.run(secs(1));
    world.assert_ended(telephone, End::Refused(480));
    assert_eq!(world.phones[bob.phone].agent.taken, 0);
    let invite = world.phones[telephone].agent.seen.iter().any(|seen| seen.status == Some(480));
    assert!(
        invite
            && !world.phones[telephone]
                .agent
                .seen
                .iter()
                .any(|seen| seen.message.headers().contains(&H::WwwAuthenticate))
    );
    world.finish();
}
