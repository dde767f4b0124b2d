//! Bad lines, and clocks that drift.

use super::network::Weather;
use super::phone::Says;
use super::world::{Settings, World, ms, secs};
use partyline::gateway::{Reply, Request};
use std::time::{Duration, Instant};

fn room_in(weather: Weather) -> (World, Vec<usize>) {
    let mut world = World::new(Settings::default());
    let phones: Vec<usize> = (0..3).map(|_| world.phone()).collect();
    for &phone in &phones {
        world.phones[phone].sip_weather = weather;
        world.phones[phone].rtp_weather = weather;
        world.dial(phone, "2000");
        world.run(secs(1));
    }
    world.run(secs(12));
    (world, phones)
}

#[test]
fn with_five_percent_lost_everybody_is_heard() {
    let (mut world, phones) = room_in(Weather::losing(0.05));
    world.assert_together(&phones);
    let statistics = world.statistics(phones[0]);
    assert!((10..=60).contains(&statistics.packets_lost), "{} lost", statistics.packets_lost);
    assert!(statistics.frames_concealed > 0);
    // While the call goes on its status tells the same as its leg, and the record at its end.
    let Reply::Status(status) = world.ask(Request::Status) else { panic!("a status") };
    let shown = status.calls[0].playout;
    assert!(shown.concealed_samples >= 160 * 10 && shown.inserted_samples_for_deceleration > 0, "{shown:?}");
    world.bye(phones[0]);
    world.run(secs(1));
    let recorded = world.record(phones[0]).media.as_ref().expect("a leg").playout;
    assert!(recorded.concealed_samples >= shown.concealed_samples, "{recorded:?} after {shown:?}");
    assert!(recorded.concealed_samples <= shown.concealed_samples + 160 * 10, "{recorded:?} after {shown:?}");
    world.finish();
}

#[test]
fn with_sixty_milliseconds_of_jitter_everybody_is_heard() {
    let (mut world, phones) = room_in(Weather { jitter: ms(60), ..Weather::CLEAR });
    world.assert_together(&phones);
    let statistics = world.statistics(phones[1]);
    assert!((40..=200).contains(&statistics.max_buffer_ms), "{} ms", statistics.max_buffer_ms);
    assert!(statistics.jitter_us > 5_000, "{} us", statistics.jitter_us);
    world.finish();
}

#[test]
fn reordered_packets_are_put_in_order() {
    let (mut world, phones) = room_in(Weather { reordered: 0.1, ..Weather::CLEAR });
    world.assert_together(&phones);
    // One that is overtaken counts as lost until it is there.
    let mut looks = (0..5).map(|_| {
        world.run(ms(7));
        world.statistics(phones[1]).packets_lost
    });
    assert!(looks.any(|lost| lost == 0), "a packet is lost for good");
    let statistics = world.statistics(phones[1]);
    // Most came in time once the buffer had seen it.
    assert!(statistics.packets_late < 30, "{} late", statistics.packets_late);
    world.finish();
}

#[test]
fn duplicates_are_heard_once() {
    let (mut world, phones) = room_in(Weather { duplicated: 0.2, ..Weather::CLEAR });
    world.assert_together(&phones);
    let statistics = world.statistics(phones[2]);
    assert!(statistics.packets_duplicate > 50, "{} twice", statistics.packets_duplicate);
    assert_eq!(statistics.frames_concealed, 0);
    world.finish();
}

#[test]
fn all_at_once_is_borne() {
    let bad = Weather { loss: 0.05, jitter: ms(60), reordered: 0.05, duplicated: 0.05, delay: ms(80) };
    let (world, phones) = room_in(bad);
    world.assert_talking(&phones);
    world.assert_together(&phones);
    world.finish();
}

#[test]
fn a_pin_is_understood_on_a_bad_line() {
    let mut world = World::new(Settings { seed: 3, ..Settings::default() });
    let phones: Vec<usize> = (0..8).map(|_| world.phone()).collect();
    for &phone in &phones {
        world.phones[phone].rtp_weather =
            Weather { loss: 0.05, jitter: ms(60), reordered: 0.05, duplicated: 0.05, ..Weather::CLEAR };
        world.dial(phone, "1000");
    }
    world.run(secs(1));
    for &phone in &phones {
        world.key(phone, &format!("{}#", super::plan::RED));
    }
    world.run(secs(5));
    assert_eq!(world.lines("PIN accepted: room red").len(), phones.len());
    world.assert_together(&phones);
    world.finish();
}

#[test]
fn clocks_that_drift_for_four_hours_add_no_delay() {
    let mut world = World::new(Settings::default());
    let pair = [world.phone(), world.phone()];
    for (phone, ppm) in pair.into_iter().zip([200, -200]) {
        world.phones[phone].mouth.ppm = ppm;
        world.phones[phone].mouth.says = Says::Bursts;
        world.phones[phone].ear.memory = secs(2);
        world.dial(phone, "2000");
        world.run(secs(20));
    }
    world.run(secs(4 * 3_600));
    world.assert_talking(&pair);
    for (speaker, listener) in [(pair[0], pair[1]), (pair[1], pair[0])] {
        let heard = &world.phones[listener].ear.onsets;
        let delays: Vec<Duration> =
            world.phones[speaker].mouth.bursts.iter().filter_map(|said| delay_of(*said, heard)).skip(2).collect();
        assert!(delays.len() > 230, "{} bursts were heard", delays.len());
        let (least, most) = (delays.iter().min().unwrap(), delays.iter().max().unwrap());
        // 10 ms of network each way, a tick to wait for, and the buffer.
        assert!(*least >= ms(20) && *most <= ms(60), "from {least:?} to {most:?}");
        let early: Duration = delays[..60].iter().sum::<Duration>() / 60;
        let late: Duration = delays[delays.len() - 60..].iter().sum::<Duration>() / 60;
        assert!(late <= early + ms(20), "{early:?} in the first hour, {late:?} in the last");
        let gap = world.phones[listener].ear.longest_gap;
        assert!(gap <= ms(20), "a gap of {gap:?}");
    }
    world.finish();
}

/// From saying to hearing, if it was heard within half a second.
fn delay_of(said: Instant, heard: &[Instant]) -> Option<Duration> {
    let onset = heard.iter().find(|onset| **onset >= said)?;
    Some(*onset - said).filter(|delay| *delay < ms(500))
}

#[test]
fn clocks_that_drift_on_a_jittery_line_for_an_hour_add_no_delay() {
    let mut world = World::new(Settings::default());
    let pair = [world.phone(), world.phone()];
    for (phone, ppm) in pair.into_iter().zip([200, -200]) {
        world.phones[phone].mouth.ppm = ppm;
        world.phones[phone].mouth.says = Says::Bursts;
        world.phones[phone].ear.memory = secs(2);
        world.phones[phone].rtp_weather = Weather { loss: 0.01, jitter: ms(30), ..Weather::CLEAR };
        world.dial(phone, "2000");
        world.run(secs(20));
    }
    world.run(secs(3_600));
    for (speaker, listener) in [(pair[0], pair[1]), (pair[1], pair[0])] {
        let heard = &world.phones[listener].ear.onsets;
        let said = &world.phones[speaker].mouth.bursts;
        let delays: Vec<Duration> = said.iter().filter_map(|said| delay_of(*said, heard)).skip(2).collect();
        assert!(delays.len() > 50, "{} bursts were heard", delays.len());
        let mean = |delays: &[Duration]| delays.iter().sum::<Duration>() / u32::try_from(delays.len()).unwrap();
        let (early, late) = (mean(&delays[..20]), mean(&delays[delays.len() - 20..]));
        assert!(late <= early + ms(25) && late <= ms(160), "{early:?} at first, {late:?} at last");
    }
    let statistics = world.statistics(pair[0]);
    assert!(statistics.packets_late * 100 < statistics.packets_received, "{} late", statistics.packets_late);
    world.finish();
}
