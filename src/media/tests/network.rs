//! Bad lines.

use super::world::{Weather, World, leg, ms, room};
use crate::media::command::{Command, EVERYONE, Event};
use crate::types::RoomId;
use std::time::Duration;

fn room_in(weather: Weather) -> World {
    let mut world = World::new(2);
    world.send(Command::AddRoom { room: RoomId(1), loudest: EVERYONE });
    for n in [1, 2, 3] {
        world.phone(n).weather = weather;
        world.join(leg(n), room(1));
    }
    world
}

#[test]
fn with_five_percent_lost_everybody_is_still_heard() {
    let mut world = room_in(Weather { loss: 0.05, ..Weather::default() });
    world.run(Duration::from_secs(10));
    world.assert_hears(&[1, 2, 3], |listener, talker| listener != talker);
    let statistics = world.statistics(1);
    assert!((10..=45).contains(&statistics.packets_lost), "{statistics:?}");
    assert!(statistics.frames_concealed > 0);
    world.end();
}

#[test]
fn with_jitter_reordering_and_duplicates_everybody_is_heard() {
    let mut world = room_in(Weather { jitter: ms(60), duplicates: 0.05, ..Weather::default() });
    world.run(Duration::from_secs(20));
    world.assert_hears(&[1, 2, 3], |listener, talker| listener != talker);
    let statistics = world.statistics(2);
    assert!(statistics.packets_duplicate > 0 && statistics.max_buffer_ms <= 200, "{statistics:?}");
    for phone in world.phones.values() {
        phone.assert_continuous(ms(20));
    }
    world.end();
}

#[test]
fn on_a_clean_line_nothing_is_concealed_and_little_delay_added() {
    let mut world = room_in(Weather::default());
    world.run(Duration::from_secs(30));
    let statistics = world.statistics(1);
    assert_eq!((statistics.packets_lost, statistics.packets_late, statistics.frames_concealed), (0, 0, 0));
    assert!(statistics.max_buffer_ms <= 40, "{statistics:?}");
    world.end();
}

#[test]
fn a_late_thread_catches_up_a_little_and_skips_more() {
    let mut world = room_in(Weather::default());
    world.run(ms(1_000));
    let late = |world: &mut World, by: Duration| {
        let sent = world.phones[&1].heard.len();
        let skipped_to = world.now.after(by);
        world.now = skipped_to;
        world.run(ms(20));
        world.phones[&1].heard.len() - sent
    };
    assert_eq!(late(&mut world, ms(60)), 4, "three late ticks and the next");
    assert!(!world.events.iter().any(|event| matches!(event, Event::TicksSkipped { .. })));
    assert!(late(&mut world, ms(1_000)) <= 3);
    let skipped: u64 = world
        .events
        .iter()
        .filter_map(|event| if let Event::TicksSkipped { count, .. } = event { Some(*count) } else { None })
        .sum();
    assert!((45..=50).contains(&skipped), "{skipped}");
    // Time went on for the listener: the timestamp tells.
    let heard = &world.phones[&1].heard;
    let (first, last) = (&heard[0], &heard[heard.len() - 1]);
    let real = (last.0 - first.0).as_millis() as u32 * 8;
    let told = last.1.timestamp.wrapping_sub(first.1.timestamp);
    assert!(real.abs_diff(told) <= 160, "{real} {told}");
    world.run(ms(2_000));
    world.assert_hears(&[1, 2, 3], |listener, talker| listener != talker);
    world.end();
}

#[test]
fn clocks_that_drift_add_no_delay() {
    for drift in [-200, 200] {
        let mut world = room_in(Weather { drift, ..Weather::default() });
        // 200 ppm are 120 ms, six packets, in ten minutes.
        world.run(Duration::from_secs(600));
        world.assert_hears(&[1, 2, 3], |listener, talker| listener != talker);
        let statistics = world.statistics(1);
        assert!(statistics.max_buffer_ms <= 60, "{statistics:?}");
        assert!(statistics.frames_concealed <= 12, "{statistics:?}");
        world.end();
    }
}
