//! The wall clock is set while people talk.

use super::world::{Settings, World, ms, secs};
use partyline::gateway::{Reply, Request};

fn seconds_in_status(world: &mut World) -> u64 {
    let Reply::Status(status) = world.ask(Request::Status) else { panic!("a status") };
    status.calls[0].seconds
}

#[test]
fn a_call_lasts_as_long_as_it_lasts_though_the_clock_is_set_back_or_forward() {
    for forward in [true, false] {
        let mut world = World::new(Settings::default());
        let anna = world.phone();
        world.dial(anna, "2000");
        world.run(secs(2));
        let talked = seconds_in_status(&mut world);
        let hour = secs(3_600);
        world.now.wall = if forward { world.now.wall + hour } else { world.now.wall - hour };
        world.run(secs(4));
        assert_eq!(seconds_in_status(&mut world), talked + 4, "forward: {forward}");
        world.bye(anna);
        world.run(secs(1));
        let record = world.record(anna);
        assert!((4_000..7_000).contains(&record.talk_ms), "{record:?}");
        let answered = record.answered.unwrap();
        assert_eq!(record.ended, answered + ms(record.talk_ms), "{record:?}");
        assert!(record.started <= answered, "{record:?}");
        world.finish();
    }
}
