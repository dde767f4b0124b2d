//! Users: phones that register with a digest, call rooms and are called, with sound.

use super::phone::{End, Stage, says};
use super::world::{GATEWAY, Settings, World, ms, secs};
use partyline::gateway::{Cause, Event, Reply, Request};
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
