//! Texts that sessions play and that nobody has said before.

use super::plan::RED;
use super::world::{Settings, World, ms, secs};

/// A caller of `number`, 500 ms after the answer.
fn caller(number: &str) -> (World, usize) {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.dial(anna, number);
    world.run(secs(1));
    (world, anna)
}

/// Keys the PIN; the call is let in, and nothing is left of it afterwards.
fn comes_in(mut world: World, anna: usize) {
    world.key_and_wait(anna, &format!("{RED}#"));
    world.run(secs(2));
    world.assert_logged("PIN accepted: room red");
    world.finish();
}

#[test]
fn a_text_is_spoken_while_its_caller_hears_it() {
    let (mut world, anna) = caller("6000");
    world.run(secs(4));
    assert_eq!(world.prompts(anna, secs(5)), ["goodbye", "muted"]);
    assert_eq!(world.cancelled_speeches, 0);
    comes_in(world, anna);
}

#[test]
fn a_text_longer_than_the_stream_is_heard_to_its_end() {
    let (mut world, anna) = caller("6300");
    world.run(secs(32));
    let pair = ["enter-pin", "muted"];
    let heard: Vec<&str> = pair.repeat(5).into_iter().chain(["enter-pin", "goodbye"]).collect();
    assert_eq!(world.prompts(anna, secs(33)), heard);
    comes_in(world, anna);
}

#[test]
fn a_key_cuts_a_text_off_that_is_spoken() {
    let (mut world, anna) = caller("6300");
    world.run(secs(1));
    world.key_and_wait(anna, &format!("{RED}#"));
    world.run(secs(2));
    world.assert_logged("PIN accepted: room red");
    assert!(!world.prompts(anna, secs(4)).contains(&"muted"), "{:?}", world.prompts(anna, secs(4)));
    world.finish();
}

#[test]
fn in_place_of_a_text_that_is_late_the_usual_prompt_is_played() {
    let (mut world, anna) = caller("6100");
    world.run(ms(1_500));
    assert!(world.prompts(anna, secs(3)).is_empty());
    world.run(secs(6));
    assert_eq!(world.prompts(anna, secs(8)), ["enter-pin"]);
    assert_eq!(world.cancelled_speeches, 1);
    world.assert_logged("text not said to its end");
    comes_in(world, anna);
}

#[test]
fn in_place_of_a_text_that_nobody_can_say_and_no_prompt_stands_for_a_tone_asks_for_the_pin() {
    let (mut world, anna) = caller("6200");
    world.run(secs(1));
    assert_eq!(world.prompts(anna, secs(2)), ["join"]);
    comes_in(world, anna);
}

#[test]
fn a_text_is_not_spoken_any_further_for_a_caller_who_is_gone() {
    let (mut world, anna) = caller("6100");
    world.bye(anna);
    world.run(secs(1));
    assert_eq!(world.cancelled_speeches, 1);
    world.finish();
}
