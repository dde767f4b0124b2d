use super::*;
use crate::types::RoomId;
use proptest::prelude::*;

const LEG: UnitId = UnitId::Leg(CallId(1));
const ROOM: UnitId = UnitId::Room(RoomId(2));
const OTHER: UnitId = UnitId::Leg(CallId(3));
const A: CallId = CallId(10);
const B: CallId = CallId(11);
const C: CallId = CallId(12);
const D: CallId = CallId(13);

const fn unit(unit: UnitId) -> End {
    End::Unit(unit)
}

const fn half(half: CallId) -> End {
    End::Half(half)
}

fn begun(source: UnitId, sink: UnitId) -> Difference {
    Difference { begun: vec![(source, sink)], ended: Vec::new() }
}

fn ended(source: UnitId, sink: UnitId) -> Difference {
    Difference { begun: Vec::new(), ended: vec![(source, sink)] }
}

fn chain() -> Flat {
    let mut flat = Flat::default();
    flat.join(A, B);
    flat.join(C, D);
    flat
}

#[test]
fn a_chain_of_joins_is_one_connection_in_whatever_order_it_is_made() {
    let steps = [(unit(LEG), half(A)), (half(B), half(C)), (half(D), unit(ROOM))];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut flat = chain();
        let made: Vec<_> = order.iter().map(|&n| flat.connect(steps[n].0, steps[n].1).unwrap()).collect();
        let nothing = Difference::default();
        assert_eq!(made, [nothing, Difference::default(), begun(LEG, ROOM)], "{order:?}");
        for &(source, sink) in &steps {
            assert_eq!(flat.disconnect(source, sink), ended(LEG, ROOM));
            assert_eq!(flat.connect(source, sink).unwrap(), begun(LEG, ROOM));
        }
        assert_eq!(flat.part(D), ended(LEG, ROOM));
        flat.part(A);
        assert!(flat.is_empty());
    }
}

#[test]
fn circles_are_refused_and_nobody_hears_themselves() {
    let mut flat = chain();
    flat.connect(half(B), half(C)).unwrap();
    assert_eq!(flat.connect(half(D), half(A)), Err(Circle));
    assert_eq!(flat.connect(half(B), half(A)), Err(Circle));
    flat.connect(unit(LEG), half(A)).unwrap();
    assert_eq!(flat.connect(half(B), unit(LEG)).unwrap(), Difference::default());
}

#[test]
fn a_half_hears_one_source_and_a_player_beside_it() {
    let (mut flat, player) = (chain(), UnitId::Player(crate::types::PlayerId(5)));
    flat.connect(half(B), unit(ROOM)).unwrap();
    flat.connect(unit(LEG), half(A)).unwrap();
    let replaced = flat.connect(unit(OTHER), half(A)).unwrap();
    assert_eq!(replaced, Difference { begun: vec![(OTHER, ROOM)], ended: vec![(LEG, ROOM)] });
    assert_eq!(flat.connect(unit(player), half(A)).unwrap(), begun(player, ROOM));
    assert_eq!(flat.clear(half(A)), ended(OTHER, ROOM));
    flat.forget(player);
    assert_eq!(flat.part(B), Difference::default(), "the player is gone");
}

#[test]
fn a_muted_half_is_heard_by_nobody_and_a_call_takes_anothers_place() {
    let mut flat = chain();
    flat.connect(half(B), unit(ROOM)).unwrap();
    flat.connect(unit(LEG), half(A)).unwrap();
    assert_eq!(flat.mute(B, true), ended(LEG, ROOM));
    assert_eq!(flat.mute(B, true), Difference::default());
    assert_eq!(flat.mute(B, false), begun(LEG, ROOM));
    flat.rename(LEG, OTHER);
    assert_eq!(flat.disconnect(half(B), unit(ROOM)), ended(OTHER, ROOM));
}

proptest! {
    #[test]
    fn what_was_told_is_what_there_is(steps in prop::collection::vec((0usize..7, 0usize..7, prop::bool::ANY), 0..60)) {
        let ends = [unit(LEG), unit(ROOM), unit(OTHER), half(A), half(B), half(C), half(D)];
        let (mut flat, mut told) = (chain(), BTreeSet::new());
        let mut tell = |difference: Difference| {
            for pair in difference.ended {
                assert!(told.remove(&pair));
            }
            for pair in difference.begun {
                assert!(told.insert(pair));
            }
        };
        for (source, sink, on) in steps {
            let (source, sink) = (ends[source], ends[sink]);
            if !matches!((source, sink), (End::Unit(_), End::Unit(_))) {
                tell(if on { flat.connect(source, sink).unwrap_or_default() } else { flat.disconnect(source, sink) });
            }
        }
        tell(flat.part(A));
        tell(flat.part(C));
        prop_assert!(told.is_empty() && flat.is_empty());
    }
}
