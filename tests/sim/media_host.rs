//! Descriptions with a host name where an address should be.

use super::phone::Says;
use super::world::{Settings, World, ms, secs};
use partyline::gateway::Input;
use partyline::types::Direction;

/// A call whose description names its host, and that says nothing, so that no address is learned from it.
fn silent_call() -> (World, usize) {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.phones[anna].agent.local.host = Some("media.example");
    world.phones[anna].mouth.says = Says::Nothing;
    world.dial(anna, "2000");
    world.run(secs(1));
    (world, anna)
}

#[test]
fn sending_begins_when_the_address_of_the_host_comes() {
    let (mut world, anna) = silent_call();
    world.assert_talking(&[anna]);
    assert_eq!(world.host_lookups.len(), 1);
    let (call, name) = world.host_lookups[0].clone();
    assert_eq!((name.as_str(), world.phones[anna].ear.count), ("media.example", 0));
    let found = Ok(vec!["2001:db8::1".parse().unwrap(), world.phones[anna].agent.local.media.ip()]);
    world.input(Input::HostResolved { call, host: name, found });
    world.run(secs(1));
    assert!(world.phones[anna].ear.count >= 40, "{} packets", world.phones[anna].ear.count);
    // Held and resumed, under the same name: it is not asked for again, and nothing is interrupted.
    for direction in [Direction::SendOnly, Direction::SendRecv] {
        world.phones[anna].agent.local.direction = direction;
        world.reinvite(anna);
        world.run(secs(1));
    }
    assert_eq!(world.host_lookups.len(), 1);
    let before = world.phones[anna].ear.count;
    world.run(secs(1));
    assert!(world.phones[anna].ear.count >= before + 40);
    // Another name is.
    world.phones[anna].agent.local.host = Some("other.example");
    world.reinvite(anna);
    world.run(ms(200));
    assert_eq!(world.host_lookups[1..], [(call, "other.example".to_owned())]);
    world.bye(anna);
    world.run(secs(1));
    // Too late for anybody.
    let (found, host) = (Ok(vec![[10, 9, 9, 9].into()]), "other.example".to_owned());
    world.input(Input::HostResolved { call, host, found });
    world.finish();
}

#[test]
fn why_nothing_is_sent_stands_in_log_and_record_where_the_host_is_not_found() {
    let only_six = || Some(Ok(vec!["2001:db8::1".parse().unwrap()]));
    let unknown = || Some(Err("the DNS knows no address of media.example".to_owned()));
    for (found, why) in [
        (unknown(), "the DNS knows no address of media.example"),
        (only_six(), "it has no IPv4 address"),
        (None, "no answer for 5 s"),
    ] {
        let (mut world, anna) = silent_call();
        let (call, host) = world.host_lookups[0].clone();
        if let Some(found) = found {
            world.input(Input::HostResolved { call, host, found });
        }
        world.run(secs(6));
        let told =
            format!("DNS lookup failed for the address of its media, media.example: {why}; nothing is sent there");
        world.assert_logged(&told);
        assert_eq!(world.phones[anna].ear.count, 0);
        world.bye(anna);
        world.run(secs(1));
        let warning = world.record(anna).warning.clone().unwrap_or_default();
        assert!(warning.contains(&told), "{warning}");
        world.finish();
    }
}

#[test]
fn a_caller_whose_host_is_not_found_is_answered_where_its_sound_comes_from() {
    let (mut world, anna) = silent_call();
    let (call, host) = world.host_lookups[0].clone();
    world.input(Input::HostResolved { call, host, found: Err("nobody has it".to_owned()) });
    world.phones[anna].mouth.says = Says::Tone;
    world.run(secs(2));
    assert!(world.phones[anna].ear.count >= 80, "{} packets", world.phones[anna].ear.count);
    world.bye(anna);
    world.run(secs(1));
    assert_eq!(world.record(anna).warning, None);
    world.finish();
}
