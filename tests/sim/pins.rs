//! PINs, right and wrong, and how guessing is bounded.

use super::phone::End;
use super::plan::{BLUE, RED, WRONG};
use super::world::{Settings, World, ms, secs};
use partyline::gateway::Cause;

/// Dials the IVR and keys PINs, one after the other.
fn call_with(world: &mut World, phone: usize, pins: &[&str]) {
    world.dial(phone, "1000");
    world.run(secs(1));
    for pin in pins {
        world.key_and_wait(phone, &format!("{pin}#"));
        world.run(ms(1_500));
    }
}

#[test]
fn three_wrong_pins_end_the_call_with_what_was_wrong_and_a_goodbye() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    call_with(&mut world, anna, &[WRONG, "1234", "55443322"]);
    world.run(secs(3));
    assert_eq!(
        world.prompts(anna, secs(60)),
        ["enter-pin", "wrong-pin", "enter-pin", "wrong-pin", "enter-pin", "wrong-pin", "goodbye"]
    );
    world.assert_ended(anna, End::Remote);
    assert_eq!(world.record(anna).cause, Cause::Session("pin-refused".into()));
    let counted = world.record(anna).keyed;
    assert_eq!((counted.keys, counted.wrong_pins), (7 + 5 + 9, 3));
    assert_eq!(world.lines("wrong PIN").len(), 3);
    world.finish();
}

#[test]
fn whoever_keys_nothing_is_asked_again_and_then_sent_away() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.dial(anna, "1000");
    world.run(secs(130));
    let heard = world.prompts(anna, secs(160));
    // Each try begins with a reminder that costs none.
    assert_eq!(heard, [&["enter-pin"][..], &["no-input", "enter-pin"].repeat(5), &["no-input", "goodbye"]].concat());
    world.assert_ended(anna, End::Remote);
    world.finish();
}

#[test]
fn a_star_begins_the_entry_anew() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    call_with(&mut world, anna, &[&format!("11*{RED}")]);
    world.run(secs(2));
    world.assert_logged("PIN accepted: room red");
    world.finish();
}

#[test]
fn ten_wrong_pins_block_one_caller_and_no_other() {
    let mut world = World::new(Settings::default());
    let (mallory, anna) = (world.phone(), world.phone());
    for _ in 0..3 {
        call_with(&mut world, mallory, &[WRONG, WRONG, WRONG]);
        world.run(secs(4));
        world.assert_ended(mallory, End::Remote);
    }
    call_with(&mut world, mallory, &[WRONG, RED]);
    world.run(secs(4));
    // Even the right PIN is not accepted from there any more.
    assert_eq!(world.prompts(mallory, secs(60)), ["enter-pin", "wrong-pin", "enter-pin", "pin-blocked"]);
    world.assert_ended(mallory, End::Remote);
    assert_eq!(world.record(mallory).cause, Cause::Session("pin-blocked".into()));
    call_with(&mut world, anna, &[RED]);
    world.run(secs(2));
    world.assert_logged("PIN accepted: room red");
    assert!(world.prompts(anna, secs(60)).contains(&"first-here"));
    // For an hour.
    world.run(secs(3_600));
    call_with(&mut world, mallory, &[RED]);
    world.run(secs(3));
    world.assert_talking(&[mallory, anna]);
    world.assert_together(&[mallory, anna]);
    world.finish();
}

#[test]
fn a_spent_budget_slows_everybody_down_and_shuts_nobody_out() {
    let mut world = World::new(Settings { gateway: "pin_budget = 6", ..Settings::default() });
    let guessers = [world.phone(), world.phone()];
    for guesser in guessers {
        call_with(&mut world, guesser, &[WRONG, WRONG, WRONG]);
    }
    let callers: Vec<usize> = (0..4).map(|_| world.phone()).collect();
    for &caller in &callers {
        world.dial(caller, "1000");
    }
    world.run(secs(2));
    for &caller in &callers {
        world.key(caller, &format!("{BLUE}#"));
    }
    world.run(secs(3));
    let let_in = |world: &World| world.lines("PIN accepted").len();
    assert!((1..=2).contains(&let_in(&world)), "{} were let in at once", let_in(&world));
    world.assert_logged("PIN waits");
    world.run(secs(10));
    assert_eq!(let_in(&world), 4);
    assert!(world.prompts(callers[3], secs(20)).contains(&"please-wait"));
    world.run(secs(2));
    world.assert_together(&callers);
    world.finish();
}
