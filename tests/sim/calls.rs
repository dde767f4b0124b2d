//! Calls as they are meant to be.

use super::phone::End;
use super::plan::RED;
use super::world::{Settings, World, ms, secs};

#[test]
fn a_pin_keyed_during_the_prompt_opens_the_room() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.dial(anna, "1000");
    world.run(ms(1_500));
    assert_eq!(world.prompts(anna, secs(9)), ["enter-pin"]);
    world.key_and_wait(anna, &format!("{RED}#"));
    world.run(secs(3));
    world.assert_talking(&[anna]);
    // The prompt was cut off by the first key: the whole of it takes four seconds.
    assert_eq!(world.prompts(anna, secs(9)), ["enter-pin", "first-here"]);
    world.assert_logged("PIN accepted: room red");
    world.bye(anna);
    world.run(secs(1));
    world.assert_ended(anna, End::Local);
    assert_eq!(world.record(anna).rooms, ["red"]);
    world.finish();
}
