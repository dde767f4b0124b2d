//! Calls from which no sound comes are told while they last, and in their records.

use super::phone::Says;
use super::world::{Settings, World, ms, secs};
use partyline::gateway::{Reply, Request};

fn warning(world: &mut World) -> String {
    let Reply::Status(status) = world.ask(Request::Status) else { panic!("a status") };
    status.calls[0].warning.clone()
}

#[test]
fn an_answered_call_without_any_sound_from_its_caller_is_told_after_five_seconds_and_in_its_record() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.phones[anna].mouth.says = Says::Nothing;
    world.dial(anna, "2000");
    world.run(secs(4));
    assert!(!world.log.iter().any(|line| line.contains("one-way sound")), "{:?}", world.tail());
    world.run(secs(4));
    world.assert_logged("one-way sound: 5 s without any sound from the caller; check RTP to ");
    let told = warning(&mut world);
    assert!(told.contains("without any sound from the caller; check RTP to "), "{told}");
    world.bye(anna);
    world.run(secs(2));
    let recorded = world.record(anna).warning.clone().unwrap_or_default();
    assert!(recorded.contains("s without any sound from the caller; check RTP to "), "{recorded}");
    world.finish();
}

#[test]
fn calls_whose_sound_comes_late_or_that_are_on_hold_or_short_are_not_told() {
    let mut world = World::new(Settings::default());
    let late = world.phone();
    world.phones[late].mouth.says = Says::Nothing;
    world.dial(late, "2000");
    world.run(secs(3));
    world.phones[late].mouth.says = Says::Tone;
    world.run(secs(5));
    assert_eq!(warning(&mut world), "");
    world.bye(late);
    world.run(secs(2));
    assert_eq!(world.record(late).warning, None);
    let short = world.phone();
    world.phones[short].mouth.says = Says::Nothing;
    world.dial(short, "2000");
    world.run(ms(600));
    world.bye(short);
    world.run(secs(2));
    assert_eq!(world.record(short).warning, None);
    assert!(!world.log.iter().any(|line| line.contains("one-way sound")), "{:?}", world.tail());
    world.finish();
}
