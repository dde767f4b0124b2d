//! Players and recorders.

use super::world::{TICK, World, leg, ms, player, recorder, room, tone, tones_in};
use crate::audio::Rate;
use crate::audio::tone::Tone;
use crate::media::command::{Clip, Command, EVERYONE, Event, RecorderSink};
use crate::types::{CallId, Direction, PlayerId, RecorderId, RoomId, SampleRate};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The tone of a phone that is not there.
const PROMPT: u64 = 20;

fn prompt(length: Duration) -> Clip {
    Clip::Samples(Tone::sine(tone(PROMPT), -22.0).samples(length).into())
}

fn finished(player: u64, completed: bool) -> Event {
    Event::PlaybackFinished { player: PlayerId(player), completed }
}

fn add(world: &mut World, n: u64, clips: Vec<Clip>) {
    world.send(Command::AddPlayer { player: PlayerId(n), clips });
}

#[test]
fn a_prompt_is_added_to_what_one_leg_hears() {
    let mut world = World::new(2);
    world.send(Command::AddRoom { room: RoomId(1), loudest: EVERYONE });
    for n in [1, 2, 3] {
        world.phone(n);
        world.join(leg(n), room(1));
    }
    // The third only listens.
    world.phones.get_mut(&3).unwrap().loudness = -99.0;
    add(&mut world, 1, vec![prompt(ms(1_600))]);
    add(&mut world, 2, vec![prompt(ms(1_600))]);
    world.connect(player(1), leg(1));
    world.connect(player(2), leg(3));
    world.run(ms(1_500));
    assert_eq!(world.tones(1, &[1, 2, 3, PROMPT]), [2, PROMPT]);
    assert_eq!(world.tones(2, &[1, 2, 3, PROMPT]), [1]);
    assert_eq!(world.tones(3, &[1, 2, 3, PROMPT]), [1, 2, PROMPT]);
    world.run(ms(200));
    assert!(world.events.contains(&finished(1, true)) && world.events.contains(&finished(2, true)));
    world.run(ms(1_200));
    assert_eq!(world.tones(1, &[1, 2, 3, PROMPT]), [2]);
    world.end();
}

#[test]
fn a_prompt_is_heard_whole_and_its_end_told_on_time() {
    let mut world = World::new(1);
    world.phone(1).talking = false;
    world.run(ms(200));
    add(&mut world, 1, vec![prompt(ms(1_000))]);
    world.run(ms(200));
    assert_eq!(world.events, [], "it waits until it is connected");
    world.connect(player(1), leg(1));
    world.run(ms(1_000) - TICK);
    assert_eq!(world.events, []);
    world.run(TICK);
    assert_eq!(world.events, [finished(1, true)]);
    assert_eq!(tones_in(&world.last(1, ms(1_000)), Rate::Narrow, &[PROMPT]), [PROMPT]);
    world.end();
}

#[test]
fn a_stopped_prompt_is_silent_from_the_next_packet_on() {
    let mut world = World::new(1);
    world.phone(1).talking = false;
    add(&mut world, 1, vec![prompt(ms(5_000))]);
    world.connect(player(1), leg(1));
    world.run(ms(1_500));
    assert_eq!(world.tones(1, &[PROMPT]), [PROMPT]);
    world.send(Command::StopPlayer { player: PlayerId(1) });
    assert_eq!(world.events, [finished(1, false)]);
    world.run(ms(500));
    assert_eq!(tones_in(&world.last(1, ms(500)), Rate::Narrow, &[PROMPT]), [0; 0]);
    world.end();
}

#[test]
fn a_prompt_that_waits_goes_on_where_it_was_without_a_click() {
    let mut world = World::new(1);
    world.phone(1).talking = false;
    let pause = |world: &mut World, paused| world.send(Command::PausePlayer { player: PlayerId(1), paused });
    add(&mut world, 1, vec![prompt(ms(2_000))]);
    pause(&mut world, true);
    world.connect(player(1), leg(1));
    world.run(ms(500));
    assert_eq!(tones_in(&world.last(1, ms(400)), Rate::Narrow, &[PROMPT]), [0; 0], "it waits from its beginning");
    pause(&mut world, false);
    world.run(ms(1_000));
    assert_eq!(world.tones(1, &[PROMPT]), [PROMPT]);
    for _ in 0..2 {
        pause(&mut world, true);
        world.run(ms(5_000));
        assert_eq!(tones_in(&world.last(1, ms(4_000)), Rate::Narrow, &[PROMPT]), [0; 0]);
    }
    assert_eq!(world.events, []);
    let steps = |heard: &[i16]| heard.windows(2).map(|two| (two[1] - two[0]).unsigned_abs()).max().unwrap_or(0);
    let heard = world.last(1, ms(6_500));
    let steady = steps(&heard[..4_000]);
    assert!(steps(&heard) <= steady + steady / 10, "{} and {steady}", steps(&heard));
    pause(&mut world, false);
    // The frame in which it faded out is not played again.
    world.run(ms(960));
    assert_eq!(world.events, []);
    world.run(ms(20));
    assert_eq!(world.events, [finished(1, true)], "a second was left");
    pause(&mut world, true);
    assert!(matches!(world.events.last(), Some(Event::Refused { .. })));
    world.end();
}

#[test]
fn the_last_player_wins_and_a_player_nobody_hears_ends() {
    let mut world = World::new(2);
    world.phone(1);
    for n in [1, 2, 3] {
        add(&mut world, n, vec![Clip::Loop(vec![500; 16].into())]);
    }
    world.connect(player(1), leg(1));
    world.run(ms(100));
    world.events.clear();
    world.connect(player(2), leg(1));
    assert_eq!(world.events, [finished(1, false)]);
    world.send(Command::Disconnect { source: player(2), sink: leg(1) });
    assert_eq!(world.events[1..], [finished(2, false)]);
    world.connect(player(3), leg(1));
    world.run(ms(100));
    world.send(Command::RemoveLeg { leg: CallId(1) });
    world.phones.clear();
    assert!(world.events.contains(&finished(3, false)));
    add(&mut world, 4, vec![]);
    world.send(Command::StopPlayer { player: PlayerId(4) });
    assert!(world.events.contains(&finished(4, false)), "never connected, and still told");
    world.end();
}

#[test]
fn a_tone_for_the_room_is_heard_by_all_in_it() {
    let mut world = World::new(2);
    world.send(Command::AddRoom { room: RoomId(1), loudest: EVERYONE });
    for n in [1, 2] {
        world.phone(n);
        world.join(leg(n), room(1));
    }
    add(&mut world, 1, vec![prompt(ms(3_000))]);
    world.connect(player(1), room(1));
    world.run(ms(2_000));
    assert_eq!(world.tones(1, &[1, 2, PROMPT]), [2, PROMPT]);
    assert_eq!(world.tones(2, &[1, 2, PROMPT]), [1, PROMPT]);
    world.end();
}

#[test]
fn a_player_goes_on_while_its_leg_is_on_hold() {
    let mut world = World::new(1);
    world.phone(1);
    add(&mut world, 1, vec![prompt(ms(1_000))]);
    world.connect(player(1), leg(1));
    world.update(1, |parameters| parameters.direction = Direction::Inactive);
    world.run(ms(1_100));
    assert!(world.events.contains(&finished(1, true)));
    world.end();
}

#[test]
fn a_recorder_keeps_what_it_hears_silence_included() {
    let mut world = World::new(2);
    let (ring, mut kept) = rtrb::RingBuffer::new(8_000 * 10);
    let sink = RecorderSink(Arc::new(Mutex::new(Some(ring))));
    world.send(Command::AddRoom { room: RoomId(1), loudest: EVERYONE });
    world.send(Command::AddRecorder { recorder: RecorderId(1), sink, rate: SampleRate(8_000), less: None, ear: false });
    world.phone(1);
    world.phone(2);
    world.connect(leg(1), room(1));
    world.connect(room(1), recorder(1));
    world.run(ms(1_500));
    assert_eq!(world.media.thread_of(recorder(1)), world.media.thread_of(leg(1)));
    world.connect(leg(2), recorder(1));
    world.run(ms(1_500));
    world.send(Command::Disconnect { source: leg(2), sink: recorder(1) });
    world.run(ms(1_000));
    let samples: Vec<i16> = std::iter::from_fn(|| kept.pop().ok()).collect();
    assert!((31_800..=32_000).contains(&samples.len()), "{}", samples.len());
    assert_eq!(tones_in(&samples[3_000..11_000], Rate::Narrow, &[1, 2]), [1]);
    assert_eq!(tones_in(&samples[15_000..23_000], Rate::Narrow, &[1, 2]), [2]);
    assert!(samples[25_000..].iter().all(|sample| *sample == 0));
    world.send(Command::RemoveRecorder { recorder: RecorderId(1) });
    assert!(kept.is_abandoned());
    world.end();
}
