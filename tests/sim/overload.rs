//! More calls than can be served: who goes first, who is refused, and what is said of it.

use super::phone::{End, Stage};
use super::world::{Settings, World, ms, secs};
use partyline::gateway::{Reply, Request};
use partyline::sip::message::{HeaderName, Method, Transport};
use partyline::sip::{Flow, Input};
use partyline::types::AudioCodec;

/// So many are served however late they are.
const SERVED: usize = 64;

/// `count` phones of the carrier that dial a number which is refused with 403 when its turn comes.
fn callers(world: &mut World, count: usize) -> Vec<usize> {
    let callers: Vec<usize> = (0..count).map(|_| world.phone()).collect();
    for &caller in &callers {
        world.dial(caller, "4000");
    }
    callers
}

fn finals(world: &World, callers: &[usize], status: u16) -> usize {
    let ended = |phone: &&usize| world.phones[**phone].agent.stage == Stage::Ended(End::Refused(status));
    callers.iter().filter(ended).count()
}

fn refused_late(world: &mut World) -> u64 {
    let Reply::Status(status) = world.ask(Request::Status) else { panic!("no status") };
    status.late_calls_refused
}

#[test]
fn calls_that_there_are_and_options_go_first_and_calls_that_waited_too_long_get_503() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    let began = world.trace.len();
    world.stall(ms(450));
    let late = callers(&mut world, 150);
    let (scanner, watcher) = (world.phone_at([172, 16, 0], AudioCodec::Pcmu), world.phone());
    world.dial(scanner, "2000");
    world.act(scanner, |agent, now| agent.ping(now));
    world.run(ms(50));
    world.act(watcher, |agent, now| agent.ping(now));
    world.reinvite(room[0]);
    world.bye(room[1]);
    world.run(ms(450));
    // Nothing was sent before its turn came; then what costs no call, and only then the others.
    let answers: Vec<&String> =
        world.trace[began..].iter().filter(|line| line.contains("> ") && line.contains(" SIP/2.0 ")).collect();
    let first: Vec<&str> = answers.iter().take(3).filter_map(|line| line.rsplit(' ').next()).collect();
    assert_eq!(first, ["OK", "OK", "OK"], "OPTIONS, re-INVITE and BYE: {answers:#?}");
    assert_eq!((finals(&world, &late, 503), finals(&world, &late, 403)), (150 - SERVED, SERVED));
    for &caller in &late[..150 - SERVED] {
        let refusal = world.phones[caller].agent.response(503).expect("the oldest are refused");
        assert!(refusal.headers.contains(&HeaderName::RetryAfter));
    }
    assert_eq!(world.phones[watcher].agent.statuses(&Method::Options), [200]);
    assert!(world.phones[scanner].agent.seen.is_empty(), "not a word to unknown sources");
    world.assert_ended(room[1], End::Local);
    world.assert_talking(&room[..1]);
    assert_eq!(refused_late(&mut world), (150 - SERVED) as u64);
    assert_eq!(world.lines("overload: new calls come faster").len(), 1);
    world.run(secs(25));
    assert_eq!(world.lines("overload: 86 calls refused with 503 in the last 10 s").len(), 1);
    assert_eq!(world.lines("overload: over").len(), 1);
    world.finish();
}

#[test]
fn a_call_that_was_refused_is_not_taken_when_its_invite_comes_again() {
    let mut world = World::new(Settings::default());
    // Long enough for every INVITE to come twice.
    world.stall(ms(700));
    let late = callers(&mut world, 100);
    world.run(secs(2));
    assert_eq!(finals(&world, &late, 503), late.len());
    for &caller in &late {
        let agent = &world.phones[caller].agent;
        let refusals = agent.seen.iter().filter_map(|seen| seen.message.response());
        let tags: Vec<String> = refusals.map(|refusal| refusal.to_tag().to_string()).collect();
        assert!(tags.len() == 2 && tags[0] == tags[1], "{tags:?}");
    }
    assert!(world.lines("no such call").is_empty() && world.records.is_empty());
    world.finish();
}

/// A request from anywhere, without a phone that waits for the answer.
fn request(method: &Method, from: &str, branch: &str) -> Input {
    let text = format!(
        "{method} sip:2100@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{branch}\r\n\
         From: <sip:7@{from}>;tag=7\r\nTo: <sip:2100@10.0.0.1>\r\nCall-ID: {branch}\r\nCSeq: 1 {method}\r\n\
         Contact: <sip:7@{from}>\r\nMax-Forwards: 70\r\n\r\n"
    );
    let (local, remote) = ("10.0.0.1:5060".parse().unwrap(), format!("{from}:5060").parse().unwrap());
    Input::Message { flow: Flow { transport: Transport::Udp, local, remote, connection: None }, bytes: text.into() }
}

#[test]
fn a_flood_of_unknown_sources_takes_no_trunks_turn_and_gets_silence() {
    const FLOOD: usize = 6_000;
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 1);
    let began = world.trace.len();
    world.stall(ms(450));
    for n in 0..FLOOD {
        let method = if n % 2 == 0 { Method::Invite } else { Method::Options };
        world.gateway.queue(world.now.instant, request(&method, "203.0.113.5", &n.to_string()));
    }
    // One who guesses that a tag helps.
    let Input::Message { flow, bytes } = request(&Method::Bye, "203.0.113.5", "tagged") else { panic!() };
    let text = String::from_utf8_lossy(&bytes).replace("10.0.0.1>\r\nCall", "10.0.0.1>;tag=0123456789abcdef\r\nCall");
    world.gateway.queue(world.now.instant, Input::Message { flow, bytes: text.into() });
    let anna = world.phone();
    world.dial(anna, "2000");
    world.run(ms(450));
    let first = world.trace[began..].iter().position(|line| line.contains("100 Trying")).expect("an answer");
    let dropped = world.trace[began..].iter().position(|line| line.contains("request dropped")).expect("a line");
    assert!(first < dropped, "the trunk's call goes first");
    world.run(secs(3));
    world.assert_together(&[room[0], anna]);
    let Reply::Status(status) = world.ask(Request::Status) else { panic!("no status") };
    assert_eq!((status.unknown_sources, status.late_calls_refused), (FLOOD as u64 + 1, 0));
    assert!(!world.trace.iter().any(|line| line.contains("> 203.0.113.5:")), "not a word");
    world.finish();
}

#[test]
fn a_cancel_never_overtakes_its_invite() {
    let mut world = World::new(Settings::default());
    world.stall(ms(50));
    for method in [Method::Invite, Method::Cancel] {
        // From a phone that does not wait for a provisional response, as RFC 3261 section 9.1 asks.
        world.gateway.queue(world.now.instant, request(&method, "198.51.100.250", "hasty"));
    }
    world.run(ms(60));
    let sent: Vec<&str> =
        world.trace.iter().filter_map(|line| line.split_once("250:5060 SIP/2.0 ")).map(|it| it.1).collect();
    assert_eq!(sent, ["100 Trying", "180 Ringing", "200 OK", "487 Request Terminated"]);
    world.finish();
}

#[test]
fn no_call_is_taken_or_made_while_the_media_threads_have_no_time_for_it() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    world.gateway.note_media_busy(900);
    let caller = world.phone();
    world.dial(caller, "2000");
    world.run(secs(1));
    world.assert_ended(caller, End::Refused(503));
    assert!(world.phones[caller].agent.response(503).unwrap().headers.contains(&HeaderName::RetryAfter));
    let cause = format!("{:?}", world.record(caller).cause);
    assert!(cause.contains("the media threads have no time for another call"), "{cause}");
    // Many at once cost no record each.
    world.stall(ms(50));
    let many = callers(&mut world, 150);
    world.run(secs(1));
    assert_eq!(finals(&world, &many, 503), many.len());
    assert_eq!(refused_late(&mut world), (150 - SERVED) as u64);
    world.assert_talking(&room);
    world.gateway.note_media_busy(600);
    let caller = world.phone();
    world.dial(caller, "2000");
    world.run(secs(2));
    world.assert_talking(&[room[0], room[1], caller]);
    world.finish();
}
