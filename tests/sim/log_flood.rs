//! What anybody outside can do again and again must not fill the log.

use super::world::{Settings, World, ms, secs};
use partyline::types::AudioCodec;

/// Times that each thing is done.
const TIMES: usize = 60;

/// Does it again and again, waits until what was left out is told, and gives back the lines of the log but for the
/// ladder.
fn lines(settings: Settings, mut act: impl FnMut(&mut World)) -> Vec<String> {
    let mut world = World::new(settings);
    for _ in 0..TIMES {
        act(&mut world);
        world.run(ms(200));
    }
    world.run(secs(70));
    let lines = world.log.iter().filter(|line| !line.contains(" SIP: ")).cloned().collect();
    world.finish();
    lines
}

fn assert_few(lines: &[String], kind: &str) {
    assert!(lines.len() < 2 * TIMES / 3, "{} lines: {lines:#?}", lines.len());
    let sums: Vec<_> = lines.iter().filter(|line| line.contains("more of this kind in the last minute")).collect();
    assert!(sums.len() == 1 && sums[0].contains(&format!(" {kind}: ")), "{lines:#?}");
}

#[test]
fn requests_of_unknown_sources_are_told_up_to_a_limit_and_then_counted() {
    let mut scanner = None;
    let told = lines(Settings::default(), |world| {
        let scanner = *scanner.get_or_insert_with(|| world.phone_at([172, 16, 0], AudioCodec::Pcmu));
        world.act(scanner, |agent, now| agent.ping(now));
    });
    assert_few(&told, "request dropped");
}

#[test]
fn calls_that_no_route_takes_are_told_up_to_a_limit_and_then_counted() {
    let mut caller = None;
    let told = lines(Settings::default(), |world| {
        let caller = *caller.get_or_insert_with(|| world.phone());
        world.dial(caller, "5555");
    });
    assert_few(&told, "refused");
}

#[test]
fn calls_that_find_no_media_port_are_told_up_to_a_limit_and_then_counted() {
    let mut caller = None;
    let told = lines(Settings { ports: 0, ..Settings::default() }, |world| {
        let caller = *caller.get_or_insert_with(|| world.phone());
        world.dial(caller, "2000");
    });
    // Three kinds: the port, the refusal and the end.
    let of = |kind: &str| told.iter().filter(|line| line.contains(kind)).count();
    assert!(told.len() < 4 * TIMES / 3, "{} lines: {told:#?}", told.len());
    assert_eq!(of("40 more of this kind in the last minute"), 3, "{told:#?}");
}
