//! Calls as they are meant to be.

use super::phone::End;
use super::plan::{BLUE, RED};
use super::world::{Settings, World, ms, secs};
use partyline::gateway::Cause;
use partyline::sip::message::Method;
use partyline::types::AudioCodec;

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
    // The first key cut the prompt off, the whole of which takes four seconds: little more than one was heard.
    assert_eq!(world.prompts(anna, secs(9)), ["enter-pin", "joining", "first-here"]);
    assert!(!world.prompts(anna, ms(4_200)).contains(&"enter-pin"));
    world.assert_logged("PIN accepted: room red");
    world.bye(anna);
    world.run(secs(1));
    world.assert_ended(anna, End::Local);
    let record = world.record(anna);
    assert_eq!(
        (&record.rooms[..], &record.cause, record.status),
        (&["red".to_owned()][..], &Cause::CallerHungUp, Some(200))
    );
    world.finish();
}

#[test]
fn whoever_is_alone_hears_a_tone_every_twenty_seconds_until_another_comes_and_again_afterwards() {
    let mut world = World::new(Settings::default());
    let anna = world.phones_in("2000", 1)[0];
    world.run(secs(57));
    // At 20 s, 40 s and 60 s, whatever its length adds.
    let tones = |world: &World| world.prompts(anna, secs(57)).iter().filter(|prompt| **prompt == "alone").count();
    assert_eq!(tones(&world), 2);
    let ben = world.phones_in("2000", 1)[0];
    world.run(secs(57));
    assert_eq!(tones(&world), 0);
    world.assert_together(&[anna, ben]);
    world.bye(ben);
    world.run(secs(57));
    assert_eq!(tones(&world), 2);
    world.finish();
}

#[test]
fn in_a_room_everybody_hears_everybody_else_and_nobody_themselves() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 3);
    world.run(secs(2));
    world.assert_together(&room);
    // Whoever leaves is heard no more.
    world.bye(room[0]);
    world.run(secs(3));
    world.assert_together(&room[1..]);
    world.finish();
}

#[test]
fn callers_of_one_pin_meet_and_those_of_another_do_not() {
    let mut world = World::new(Settings::default());
    let phones: Vec<usize> = (0..4).map(|_| world.phone()).collect();
    for (&phone, pin) in phones.iter().zip([RED, BLUE, RED, BLUE]) {
        world.dial(phone, "1000");
        world.run(secs(1));
        world.key_and_wait(phone, &format!("{pin}#"));
    }
    world.run(secs(4));
    world.assert_together(&[phones[0], phones[2]]);
    world.assert_together(&[phones[1], phones[3]]);
    world.finish();
}

#[test]
fn a_law_and_mu_law_talk_to_each_other() {
    let mut world = World::new(Settings::default());
    let phones = [world.phone_at([198, 51, 100], AudioCodec::Pcmu), world.phone_at([198, 51, 100], AudioCodec::Pcma)];
    for phone in phones {
        world.dial(phone, "2000");
        world.run(secs(1));
    }
    world.run(secs(3));
    world.assert_together(&phones);
    world.finish();
}

#[test]
fn the_first_one_is_told_so_and_hears_the_others_come_and_go() {
    let mut world = World::new(Settings::default());
    let (anna, ben) = (world.phone(), world.phone());
    world.dial(anna, "2000");
    world.run(secs(4));
    assert_eq!(world.prompts(anna, secs(9)), ["first-here"]);
    world.dial(ben, "2000");
    world.run(secs(3));
    assert_eq!(world.prompts(anna, secs(3)), ["join"]);
    assert!(!world.prompts(ben, secs(9)).contains(&"first-here"));
    world.bye(ben);
    world.run(secs(2));
    assert_eq!(world.prompts(anna, secs(2)), ["leave"]);
    world.finish();
}

#[test]
fn sound_comes_with_the_answer_and_never_pauses() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.dial(anna, "1000");
    world.run(secs(6));
    world.key_and_wait(anna, &format!("{RED}#"));
    world.run(secs(10));
    let phone = &world.phones[anna];
    let answered = phone.agent.seen.iter().find(|seen| seen.status == Some(200)).unwrap().at;
    let first = phone.ear.first.unwrap();
    assert!(first <= answered + ms(20), "the first packet came {:?} after the answer", first - answered);
    assert!(phone.ear.longest_gap <= ms(20), "{:?}", phone.ear.longest_gap);
    assert_eq!((phone.ear.sequence_breaks, phone.ear.streams), (0, 1));
    world.finish();
}

#[test]
fn a_route_may_ring_before_it_answers() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.dial(anna, "2100");
    world.run(ms(2_900));
    assert_eq!(world.phones[anna].agent.statuses(&Method::Invite), [100, 180]);
    world.run(secs(1));
    world.assert_talking(&[anna]);
    world.finish();
}

#[test]
fn an_offer_may_come_with_the_ack() {
    let mut world = World::new(Settings::default());
    let (anna, ben) = (world.phone(), world.phone());
    world.phones[anna].agent.habits.late_offer = true;
    for phone in [anna, ben] {
        world.dial(phone, "2000");
        world.run(secs(1));
    }
    world.run(secs(3));
    world.assert_together(&[anna, ben]);
    world.finish();
}

#[test]
fn a_room_on_demand_is_named_by_the_number() {
    let mut world = World::new(Settings::default());
    let phones: Vec<usize> = (0..3).map(|_| world.phone()).collect();
    for (&phone, number) in phones.iter().zip(["3001", "3002", "3001"]) {
        world.dial(phone, number);
        world.run(secs(1));
    }
    world.run(secs(3));
    world.assert_together(&[phones[0], phones[2]]);
    world.assert_together(&[phones[1]]);
    world.finish();
}

#[test]
fn options_are_answered_at_any_time() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.act(anna, |agent, now| agent.ping(now));
    world.run(secs(1));
    world.dial(anna, "2000");
    world.run(secs(1));
    world.act(anna, |agent, now| agent.ask(now, Method::Options, None));
    world.run(secs(1));
    assert_eq!(world.phones[anna].agent.statuses(&Method::Options), [200, 200]);
    world.assert_talking(&[anna]);
    world.finish();
}

#[test]
fn the_same_seed_gives_the_same_run() {
    use super::network::Weather;
    let run = |seed| {
        let mut world = World::new(Settings { seed, ..Settings::default() });
        let bad = Weather { loss: 0.05, jitter: ms(40), reordered: 0.05, duplicated: 0.05, ..Weather::CLEAR };
        let phones: Vec<usize> = (0..4).map(|_| world.phone()).collect();
        for &phone in &phones {
            world.phones[phone].sip_weather = bad;
            world.phones[phone].rtp_weather = bad;
            world.dial(phone, "1000");
        }
        world.run(secs(2));
        for (&phone, pin) in phones.iter().zip([RED, BLUE, RED, RED]) {
            world.key(phone, &format!("{pin}#"));
        }
        world.run(secs(5));
        world.finish()
    };
    let (first, again, other) = (run(5), run(5), run(6));
    let differ = first.iter().zip(&again).find(|(a, b)| a != b);
    assert!(differ.is_none() && first.len() == again.len(), "the runs part at {differ:?}");
    assert_ne!(first, other);
}
