use super::*;
use crate::dialplan::{Collect, Greeting, IvrPrompts, Pattern, RoomTemplate, Say, Then};
use crate::session::PinVerdict;
use crate::session::collect::Completion;
use crate::session::testing::*;
use proptest::prelude::*;

fn say(name: &str) -> Say {
    Say::Prompt(name.into())
}

fn plan(then: Then) -> dialplan::Ivr {
    dialplan::Ivr {
        name: "conference".into(),
        language: "en-GB".into(),
        say: say("enter-pin"),
        greetings: vec![Greeting { number: Pattern::new(r"\+33\d+").unwrap(), say: say("bonjour") }],
        collect: Some(Collect {
            min_digits: 4,
            max_digits: 10,
            terminator: Some('#'),
            restart: Some('*'),
            first_digit: Duration::from_secs(10),
            next_digit: Duration::from_secs(5),
            tries: 3,
        }),
        prompts: IvrPrompts {
            wrong: say("wrong-pin"),
            short: say("too-short"),
            timeout: say("no-input"),
            goodbye: say("goodbye"),
            blocked: say("pin-blocked"),
            joining: Some(say("joining")),
            first: say("first-here"),
            full: say("room-full"),
        },
        then,
    }
}

fn by_pin() -> Ivr {
    Ivr::new(Arc::new(plan(Then::ByPin { open_rooms: false })), Duration::ZERO)
}

fn to_room(name: &str) -> Ivr {
    Ivr::new(Arc::new(plan(Then::Room(RoomTemplate::parse(name).unwrap()))), Duration::ZERO)
}

/// A session whose caller hears the greeting: playback 1 plays, timer 2 is set.
fn greeted() -> Ivr {
    let mut ivr = by_pin();
    play_through(&mut ivr, &[(incoming("1000"), ANSWER), (answered(), GREET)]);
    ivr
}

/// A session that waits for the verdict on its caller's first PIN: timer 3 is set, nothing plays.
fn checking() -> Ivr {
    let mut ivr = greeted();
    play_through(&mut ivr, &[(finished(1), ""), (keyed("482917"), "clear2; check 482917 room1; timer3 4s")]);
    ivr
}

const ANSWER: &str = "answer; timer1 45s";
/// 180 s of prompt, 10 s for the first digit, ten times 5 s.
const GREET: &str = "clear1; play1 enter-pin; collect 4-10; timer2 240s";

#[test]
fn the_straight_way_leads_from_the_greeting_to_the_room() {
    play_through(
        &mut by_pin(),
        &[
            (incoming("1000"), ANSWER),
            (answered(), GREET),
            (finished(1), ""),
            (keyed("482917"), "clear2; check 482917 room1; timer3 4s"),
            (opened(), "clear3; no-collect; play2 joining; timer4 30s"),
            (members(3), ""),
            (finished(2), "room1>me; me>room1; clear4; timer5 10s"),
            (members(1), "clear5; play3 first-here"),
            (members(2), ""),
            (ended(), "end"),
        ],
    );
}

#[test]
fn a_pin_keyed_during_the_prompt_works() {
    play_through(
        &mut greeted(),
        &[
            (keyed("482917"), "clear2; check 482917 room1; timer3 4s"),
            (opened(), "clear3; no-collect; play2 joining; timer4 30s"),
            (finished(1), ""),
            (finished(2), "room1>me; me>room1; clear4; timer5 10s"),
            (members(5), "clear5"),
        ],
    );
}

#[test]
fn the_greeting_is_that_of_the_called_number() {
    let french = "clear1; play1 bonjour; collect 4-10; timer2 240s";
    play_through(
        &mut by_pin(),
        &[
            (incoming("+33123456789"), ANSWER),
            (answered(), french),
            (collected("", Completion::NoInput), "clear2; play2 no-input+bonjour; collect 4-10; timer3 240s"),
        ],
    );
}

#[test]
fn three_wrong_pins_end_the_call_with_what_was_wrong_and_a_goodbye() {
    let wrong = || verdict(PinVerdict::Wrong);
    play_through(
        &mut greeted(),
        &[
            (keyed("1111"), "clear2; check 1111 room1; timer3 4s"),
            (wrong(), "clear3; play2 wrong-pin+enter-pin; collect 4-10; timer4 240s"),
            (keyed("2222"), "clear4; check 2222 room2; timer5 4s"),
            (wrong(), "clear5; play3 wrong-pin+enter-pin; collect 4-10; timer6 240s"),
            (keyed("3333"), "clear6; check 3333 room3; timer7 4s"),
            (wrong(), "clear7; no-collect; play4 wrong-pin+goodbye; timer8 30s"),
            (finished(3), ""),
            (finished(4), "hangup pin-refused; clear8; timer9 45s"),
            (ended(), "end"),
        ],
    );
}

#[test]
fn the_first_silence_of_each_try_is_a_reminder_and_costs_none() {
    let nothing = || collected("", Completion::NoInput);
    play_through(
        &mut greeted(),
        &[
            (nothing(), "clear2; play2 no-input+enter-pin; collect 4-10; timer3 240s"),
            (keyed("1111"), "clear3; check 1111 room1; timer4 4s"),
            (verdict(PinVerdict::Wrong), "clear4; play3 wrong-pin+enter-pin; collect 4-10; timer5 240s"),
            (nothing(), "clear5; play4 no-input+enter-pin; collect 4-10; timer6 240s"),
            (keyed("2222"), "clear6; check 2222 room2; timer7 4s"),
            (verdict(PinVerdict::Wrong), "clear7; play5 wrong-pin+enter-pin; collect 4-10; timer8 240s"),
            (nothing(), "clear8; play6 no-input+enter-pin; collect 4-10; timer9 240s"),
            (keyed("482917"), "clear9; check 482917 room3; timer10 4s"),
        ],
    );
}

#[test]
fn more_silence_and_short_entries_use_up_tries_as_well_and_say_what_they_are() {
    let nothing = || collected("", Completion::NoInput);
    play_through(
        &mut greeted(),
        &[
            (nothing(), "clear2; play2 no-input+enter-pin; collect 4-10; timer3 240s"),
            (nothing(), "clear3; play3 no-input+enter-pin; collect 4-10; timer4 240s"),
            (collected("12", Completion::TooShort), "clear4; play4 too-short+enter-pin; collect 4-10; timer5 240s"),
            (nothing(), "clear5; play5 no-input+enter-pin; collect 4-10; timer6 240s"),
            (nothing(), "clear6; no-collect; play6 no-input+goodbye; timer7 30s"),
            (finished(6), "hangup pin-refused; clear7; timer8 45s"),
        ],
    );
    let last = "clear4; no-collect; play4 too-short+goodbye; timer5 30s";
    play_through(
        &mut greeted(),
        &[
            (collected("1", Completion::TooShort), "clear2; play2 too-short+enter-pin; collect 4-10; timer3 240s"),
            (collected("2", Completion::TooShort), "clear3; play3 too-short+enter-pin; collect 4-10; timer4 240s"),
            (collected("3", Completion::TooShort), last),
        ],
    );
}

#[test]
fn every_way_to_end_an_entry_with_enough_digits_is_checked() {
    for how in [Completion::Terminator, Completion::Full, Completion::NextDigitTimeout] {
        play_through(&mut greeted(), &[(collected("4829", how), "clear2; check 4829 room1; timer3 4s")]);
    }
}

#[test]
fn a_blocked_caller_hears_so_and_is_hung_up() {
    play_through(
        &mut checking(),
        &[
            (verdict(PinVerdict::Blocked), "clear3; no-collect; play2 pin-blocked; timer4 30s"),
            (finished(2), "hangup pin-blocked; clear4; timer5 45s"),
        ],
    );
}

#[test]
fn while_checks_are_slow_the_caller_is_asked_for_patience_and_in_the_end_let_go() {
    let mut ivr = checking();
    let (mut playback, mut clock) = (1, 3);
    for _ in 0..entry::PATIENCE {
        playback += 1;
        let asked = format!("play{playback} please-wait; timer{} 180s", clock + 1);
        let heard = format!("clear{}; timer{} 4s", clock + 1, clock + 2);
        play_through(&mut ivr, &[(timer(clock), &asked), (finished(playback), &heard)]);
        clock += 2;
    }
    let goodbye = format!("no-collect; play{} goodbye; timer{} 30s", playback + 1, clock + 1);
    play_through(&mut ivr, &[(timer(clock), &goodbye)]);
}

#[test]
fn a_late_verdict_cuts_the_plea_for_patience_short() {
    play_through(
        &mut checking(),
        &[(timer(3), "play2 please-wait; timer4 180s"), (opened(), "clear4; no-collect; play3 joining; timer5 30s")],
    );
}

#[test]
fn the_room_may_be_fixed_or_bear_number_or_digits() {
    for (template, room) in [("standup", "standup"), ("{number}", "1000"), ("conf_{digits}", "keyed conf_4829")] {
        let enter = format!("clear2; open room1 {room}; no-collect; play2 joining; timer3 30s");
        let script = [(incoming("1000"), ANSWER), (answered(), GREET), (keyed("4829"), enter.as_str())];
        play_through(&mut to_room(template), &script);
    }
}

#[test]
fn where_rooms_are_open_the_check_says_so() {
    let mut ivr = Ivr::new(Arc::new(plan(Then::ByPin { open_rooms: true })), Duration::ZERO);
    let script =
        [(incoming("1000"), ANSWER), (answered(), GREET), (keyed("4829"), "clear2; check 4829 open room1; timer3 4s")];
    play_through(&mut ivr, &script);
}

fn without_digits() -> Ivr {
    let mut plan = plan(Then::Room(RoomTemplate::parse("lobby").unwrap()));
    plan.collect = None;
    Ivr::new(Arc::new(plan), Duration::ZERO)
}

#[test]
fn without_digits_the_greeting_is_heard_to_its_end() {
    let greet = "clear1; play1 enter-pin; timer2 180s";
    play_through(
        &mut without_digits(),
        &[
            (incoming("1"), ANSWER),
            (answered(), greet),
            (finished(1), "open room1 lobby; no-collect; play2 joining; clear2; timer3 30s"),
        ],
    );
    let enter = "open room1 lobby; no-collect; play2 joining; timer3 30s";
    play_through(&mut without_digits(), &[(incoming("1"), ANSWER), (answered(), greet), (timer(2), enter)]);
}

#[test]
fn it_rings_before_it_answers_where_the_route_says_so() {
    let ivr = || Ivr::new(Arc::new(plan(Then::ByPin { open_rooms: false })), Duration::from_secs(3));
    let greet = "clear2; play1 enter-pin; collect 4-10; timer3 240s";
    play_through(
        &mut ivr(),
        &[(incoming("1"), "ring; timer1 3s"), (timer(1), "answer; timer2 45s"), (answered(), greet)],
    );
    play_through(
        &mut ivr(),
        &[(incoming("1"), "ring; timer1 3s"), (refused("ring"), ""), (timer(1), "answer; timer2 45s")],
    );
    play_through(&mut ivr(), &[(incoming("1"), "ring; timer1 3s"), (ended(), "end"), (timer(1), "")]);
}

#[test]
fn a_call_that_cannot_be_answered_is_hung_up() {
    let hangup = "hangup not-answered; clear1; timer2 45s";
    play_through(&mut by_pin(), &[(incoming("1"), ANSWER), (refused("answer"), hangup), (ended(), "end")]);
    let late = "hangup not-answered; timer2 45s";
    play_through(&mut by_pin(), &[(incoming("1"), ANSWER), (timer(1), late), (timer(2), "end"), (ended(), "")]);
}

#[test]
fn a_prompt_that_never_ends_counts_as_a_time_out() {
    play_through(
        &mut greeted(),
        &[
            (timer(2), "no-collect; play2 no-input+enter-pin; collect 4-10; timer3 240s"),
            (timer(3), "no-collect; play3 no-input+enter-pin; collect 4-10; timer4 240s"),
            (timer(4), "no-collect; no-collect; play4 no-input+goodbye; timer5 30s"),
            (timer(5), "stop4; hangup pin-refused; timer6 45s"),
            (timer(6), "end"),
        ],
    );
}

#[test]
fn a_missing_prompt_is_left_out_and_if_none_is_left_a_tone_stands_in() {
    play_through(
        &mut greeted(),
        &[
            (no_sound("enter-pin"), "play2 tone:join"),
            (no_sound("join"), ""),
            (collected("", Completion::NoInput), "clear2; play3 no-input+enter-pin; collect 4-10; timer3 240s"),
            (no_sound("no-input"), "play4 enter-pin"),
            (no_sound("enter-pin"), "play5 tone:join"),
            (keyed("4829"), "clear3; check 4829 room1; timer4 4s"),
            (verdict(PinVerdict::Blocked), "clear4; no-collect; play6 pin-blocked; timer5 30s"),
            (no_sound("pin-blocked"), "play7 tone:busy"),
            (no_sound("busy"), "hangup pin-blocked; clear5; timer6 45s"),
        ],
    );
}

#[test]
fn digits_that_cannot_be_collected_and_pins_that_cannot_be_checked_end_in_a_goodbye() {
    play_through(&mut greeted(), &[(refused("collect"), "no-collect; play2 goodbye; clear2; timer3 30s")]);
    play_through(&mut checking(), &[(limited("check_pin"), "no-collect; play2 goodbye; clear3; timer4 30s")]);
}

#[test]
fn a_room_that_cannot_be_entered_ends_in_a_word_and_a_hangup() {
    let told = "clear3; no-collect; play2 joining; timer4 30s";
    let enter = "room1>me; me>room1; clear4; timer5 10s";
    let out = |word: &str| format!("me|room1; room1|me; no-collect; play3 {word}; clear5; timer6 30s");
    let in_room = || [(opened(), told), (finished(2), enter)];
    for (failed, word) in [(limited("connect"), "room-full"), (refused("connect"), "goodbye")] {
        let mut ivr = checking();
        play_through(&mut ivr, &in_room());
        play_through(&mut ivr, &[(failed, &out(word))]);
    }
    // Before being in there is nothing to leave.
    let at_once = "no-collect; play3 room-full; clear4; timer5 30s";
    play_through(&mut checking(), &[(opened(), told), (limited("open_room"), at_once)]);
}

#[test]
fn words_before_the_room_that_cannot_be_played_or_never_end_keep_nobody_out() {
    let told = "clear3; no-collect; play2 joining; timer4 30s";
    let enter = "room1>me; me>room1; clear4; timer5 10s";
    play_through(
        &mut checking(),
        &[(opened(), told), (no_sound("joining"), "play3 tone:join"), (no_sound("join"), enter)],
    );
    play_through(&mut checking(), &[(opened(), told), (timer(4), "stop2; room1>me; me>room1; timer5 10s")]);
    let mut plan = plan(Then::ByPin { open_rooms: false });
    plan.prompts.joining = None;
    let mut silent = Ivr::new(Arc::new(plan), Duration::ZERO);
    let check = "clear2; check 482917 room1; timer3 4s";
    play_through(&mut silent, &[(incoming("1000"), ANSWER), (answered(), GREET), (keyed("482917"), check)]);
    play_through(&mut silent, &[(opened(), "clear3; no-collect; stop1; room1>me; me>room1; timer4 10s")]);
}

#[test]
fn a_hangup_that_fails_ends_the_session() {
    let goodbye = "no-collect; play2 goodbye; clear3; timer4 30s";
    let hangup = "hangup pin-not-checked; clear4; timer5 45s";
    let script = [(limited("check_pin"), goodbye), (finished(2), hangup), (refused("hangup"), "end"), (ended(), "")];
    play_through(&mut checking(), &script);
}

#[test]
fn whoever_hangs_up_leaves_nothing_behind_in_any_state() {
    let whole: Vec<Event> = vec![
        incoming("1000"),
        answered(),
        finished(1),
        keyed("1111"),
        verdict(PinVerdict::Wrong),
        keyed("4829"),
        opened(),
        finished(3),
        members(1),
        finished(4),
    ];
    let refused: Vec<Event> = vec![incoming("1"), answered(), keyed("1"), verdict(PinVerdict::Blocked), finished(2)];
    for events in [whole, refused] {
        for length in 1..=events.len() {
            let mut ivr = by_pin();
            for event in events.iter().take(length) {
                react(&mut ivr, event);
            }
            let mut script = vec![(ended(), "end")];
            script.extend(events.iter().map(|event| (event.clone(), "")));
            script.extend((0..10).map(|n| (timer(n), "")));
            play_through(&mut ivr, &script);
        }
    }
}

#[test]
fn events_of_other_calls_and_old_handles_change_nothing() {
    let other = CallHandle(99);
    play_through(
        &mut greeted(),
        &[
            (Event::Ended { call: other, ending: crate::session::Ending::default() }, ""),
            (Event::Collected { call: other, digits: "1234".into(), how: Completion::Full }, ""),
            (incoming("1000"), ""),
            (answered(), ""),
            (timer(1), ""),
            (finished(9), ""),
            (opened(), ""),
            (Event::Digit { call: CALL, digit: '1' }, ""),
        ],
    );
}

proptest! {
    #[test]
    fn any_order_of_events_is_survived(
        events in prop::collection::vec(any_event(), 0..80),
        ring in 0u64..2,
        kind in 0..3,
    ) {
        let plan = match kind {
            0 => plan(Then::ByPin { open_rooms: false }),
            1 => plan(Then::Room(RoomTemplate::parse("conf_{digits}").unwrap())),
            _ => dialplan::Ivr { collect: None, ..plan(Then::Room(RoomTemplate::parse("lobby").unwrap())) },
        };
        survives(&mut Ivr::new(Arc::new(plan), Duration::from_secs(ring)), events)?;
    }
}
