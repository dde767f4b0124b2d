//! Telephones whose RTP is odd: their keys count once, and they are heard all the same.

use super::phone::{LEVEL, Stamps, tone};
use super::plan::RED;
use super::world::{Settings, World, ms, secs};
use partyline::audio::goertzel;

/// Whether the tone of a phone is in a piece of sound, undamaged.
fn hears(piece: &[i16], phone: usize) -> bool {
    (goertzel::tone_dbfs(piece, 8_000, tone(phone)) - LEVEL).abs() < 2.0
}

#[test]
fn a_pin_counts_once_whatever_timestamps_its_keys_bear() {
    for stamps in [Stamps::Start, Stamps::EachPacket, Stamps::EachEnd, Stamps::Never] {
        let mut world = World::new(Settings::default());
        let anna = world.phone();
        world.phones[anna].mouth.stamps = stamps;
        world.dial(anna, "1000");
        world.run(secs(1));
        world.key_and_wait(anna, &format!("{RED}#"));
        world.run(secs(2));
        assert_eq!(world.lines("PIN accepted: room red").len(), 1, "{stamps:?}");
        world.finish();
    }
}

#[test]
fn a_sender_that_starts_anew_with_lower_numbers_is_heard_within_200_ms() {
    for back in [101, 500, 999] {
        let mut world = World::new(Settings::default());
        let phones = world.phones_in("2000", 2);
        world.run(secs(2));
        world.assert_talking(&phones);
        let mouth = &mut world.phones[phones[0]].mouth;
        mouth.sequence = mouth.sequence.wrapping_sub(back);
        world.run(ms(240));
        // A tone is told from silence within 100 ms.
        let heard = world.last(phones[1], ms(100));
        assert!(hears(&heard, phones[0]), "{back} lower");
        world.finish();
    }
}

#[test]
fn packets_of_200_ms_are_heard_and_longer_ones_logged_once_and_counted() {
    for (frames, is_heard) in [(10, true), (12, false)] {
        let mut world = World::new(Settings::default());
        let phones = world.phones_in("2000", 2);
        world.phones[phones[0]].mouth.frames = frames;
        world.run(secs(6));
        let heard = world.last(phones[1], secs(1));
        assert_eq!(hears(&heard, phones[0]), is_heard, "{frames} frames");
        let told = world.lines("sound that cannot be heard").len();
        assert_eq!(told, usize::from(!is_heard), "{:#?}", world.tail());
        assert_eq!(world.statistics(phones[0]).packets_too_long > 0, !is_heard);
        world.finish();
    }
}

#[test]
fn timestamps_at_twice_the_rate_of_the_sound_do_not_break_it() {
    let mut world = World::new(Settings::default());
    let phones = world.phones_in("2000", 2);
    world.phones[phones[0]].mouth.clock = 200;
    world.run(secs(8));
    world.assert_talking(&phones);
    let heard = world.last(phones[1], secs(2));
    let pieces: Vec<bool> = heard.chunks(400).map(|piece| hears(piece, phones[0])).collect();
    let clean = pieces.iter().filter(|is_clean| **is_clean).count();
    assert!(clean * 100 >= pieces.len() * 98, "{clean} of {} pieces", pieces.len());
    world.finish();
}
