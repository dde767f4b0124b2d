//! What is counted over the life of a buffer.

use super::*;

fn concealed(hand: &Hand) -> (u64, u64) {
    let counted = hand.buffer.lifetime();
    (counted.concealed_samples, counted.silent_concealed_samples)
}

#[test]
fn what_is_concealed_counts_once_sound_comes_again() {
    let mut hand = Hand::new();
    hand.talk("ab");
    hand.lose(2);
    assert_eq!(hand.ticks(2), "--");
    assert_eq!(concealed(&hand), (0, 0), "the sender may pause");
    hand.talk("ef");
    assert_eq!(concealed(&hand), (320, 0));
    hand.buffer.restart();
    assert_eq!(concealed(&hand), (320, 0), "another source does not begin anew");
}

#[test]
fn a_pause_of_the_sender_counts_nothing() {
    for pause in [3, 8, 100, 2_000] {
        let mut hand = Hand::new();
        hand.talk("ab");
        hand.ticks(pause);
        hand.timestamp += 160 * pause as u32;
        assert_eq!(hand.talk("cd"), "cd");
        assert_eq!(concealed(&hand), (0, 0), "{pause}");
    }
}

#[test]
fn a_gap_too_long_to_conceal_is_silence_in_its_rest() {
    for lost in [6u64, 30, 200] {
        let mut hand = Hand::new();
        hand.talk("ab");
        hand.lose(lost as u32);
        hand.ticks(lost as usize);
        hand.talk("cd");
        assert_eq!(concealed(&hand), (160 * lost, 160 * (lost - 5)), "{lost}");
    }
}

#[test]
fn what_comes_late_after_silence_counts_as_late() {
    let mut hand = Hand::new();
    hand.talk("ab");
    hand.ticks(7);
    "cdefghi".chars().for_each(|name| {
        hand.packet(name);
    });
    assert!(hand.tick().starts_with('c'));
    assert_eq!(concealed(&hand), (7 * 160, 2 * 160));
}

#[test]
fn a_packet_lost_after_a_long_pause_counts_for_one() {
    let mut hand = Hand::new();
    hand.talk("ab");
    hand.ticks(100);
    hand.timestamp += 160 * 100;
    hand.lose(1);
    hand.tick();
    hand.talk("cd");
    // It looks like more: what was concealed at the beginning of the pause was not missing.
    let (concealed, silent) = concealed(&hand);
    assert!((160..=5 * 160).contains(&concealed) && silent <= 160, "{concealed} {silent}");
}

#[test]
fn what_is_put_in_and_taken_out_counts() {
    let slow = run(&Line { ppm: -200, seconds: 10 * MINUTE, ..Line::default() });
    assert_eq!(slow.lifetime.removed_samples_for_acceleration, slow.counted.shortened_samples);
    assert_eq!(slow.lifetime.inserted_samples_for_deceleration, slow.counted.lengthened_samples);
    let jittery = run(&Line { jitter: 60_000, seconds: MINUTE, ..Line::default() });
    assert_eq!(jittery.lifetime.inserted_samples_for_deceleration, jittery.counted.lengthened_samples);
    assert!(jittery.lifetime.concealed_samples > 0);
    let fast = run(&Line { ppm: 200, seconds: 10 * MINUTE, ..Line::default() });
    assert!(fast.lifetime.removed_samples_for_acceleration > 0, "{:?}", fast.lifetime);
}
