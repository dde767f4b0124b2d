use super::*;
use crate::session::testing::*;
use proptest::prelude::*;

fn direct(room: &str) -> Direct {
    Direct::new(RoomTemplate::parse(room).unwrap(), Duration::ZERO)
}

const ENTER: &str = "clear1; open room1 lobby; no-collect; room1>me; me>room1; timer2 10s";

#[test]
fn a_caller_goes_straight_into_the_room_and_hears_of_being_the_first() {
    play_through(
        &mut direct("lobby"),
        &[
            (incoming("1000"), "answer; timer1 45s"),
            (answered(), ENTER),
            (members(1), "clear2; play1 first-here"),
            (finished(1), ""),
            (members(2), ""),
            (members(1), ""),
            (ended(), "end"),
            (timer(2), ""),
        ],
    );
}

#[test]
fn who_is_not_the_first_hears_the_others() {
    let script = [(incoming("1000"), "answer; timer1 45s"), (answered(), ENTER), (members(2), "clear2")];
    play_through(&mut direct("lobby"), &script);
}

#[test]
fn the_room_may_bear_the_called_number() {
    let enter = "clear1; open room1 r-+442079460123; no-collect; room1>me; me>room1; timer2 10s";
    let script = [(incoming("+442079460123"), "answer; timer1 45s"), (answered(), enter)];
    play_through(&mut direct("r-{number}"), &script);
}

#[test]
fn it_rings_first_where_the_route_says_so() {
    let mut session = Direct::new(RoomTemplate::parse("lobby").unwrap(), Duration::from_secs(3));
    play_through(
        &mut session,
        &[(incoming("1"), "ring; timer1 3s"), (timer(1), "answer; timer2 45s"), (timer(1), ""), (ended(), "end")],
    );
}

#[test]
fn a_full_room_is_told_and_the_call_ends() {
    let out = "me|room1; room1|me; no-collect; play1 room-full; clear2; timer3 30s";
    play_through(
        &mut direct("lobby"),
        &[
            (incoming("1000"), "answer; timer1 45s"),
            (answered(), ENTER),
            (limited("connect"), out),
            (limited("connect"), ""),
            (finished(1), "hangup room-full; clear3; timer4 45s"),
            (ended(), "end"),
        ],
    );
}

#[test]
fn a_room_that_never_answers_ends_in_a_goodbye() {
    let out = "me|room1; room1|me; no-collect; play1 goodbye; timer3 30s";
    let script = [(incoming("1"), "answer; timer1 45s"), (answered(), ENTER), (timer(2), out)];
    play_through(&mut direct("lobby"), &script);
}

proptest! {
    #[test]
    fn any_order_of_events_is_survived(events in prop::collection::vec(any_event(), 0..60), ring in 0u64..2) {
        let room = RoomTemplate::parse("{number}").unwrap();
        let mut session = Direct::new(room, Duration::from_secs(ring));
        survives(&mut session, events)?;
    }
}
