//! Session timers (RFC 4028): calls that last, and calls whose refreshes stay away or come wrongly.

use super::phone::{Agent, End, Odd, says};
use super::world::{Settings, World, ms, secs};
use partyline::gateway::{CallRecord, Cause};
use partyline::sip::message::{HeaderName as H, Method, MinSe, Refresher, Request, SessionExpires};
use std::time::Duration;

const OFFICE: &str = "+442079460123";
const LONG: Duration = Duration::from_secs(35 * 60);

/// Which way the call goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

fn settings() -> Settings {
    Settings { first: "session_expires = \"90s\"", ..Settings::default() }
}

/// A call in the room "lobby" with a session timer of 90 s, which the gateway is to refresh or the phone. `prepare`:
/// what else the phone does.
fn call(way: Way, by_gateway: bool, prepare: impl FnOnce(&mut Agent)) -> (World, usize) {
    let mut world = World::new(settings());
    let phone = match way {
        Way::In => {
            let phone = world.phone();
            let agent = &mut world.phones[phone].agent;
            agent.habits.session = Some(90);
            agent.habits.refresher = if by_gateway { "uas" } else { "uac" };
            phone
        }
        Way::Out => {
            let refresher = if by_gateway { "90;refresher=uac" } else { "90;refresher=uas" };
            world.far_end(1, vec![says(100, 200).with(H::SessionExpires, refresher)])
        }
    };
    prepare(&mut world.phones[phone].agent);
    match way {
        Way::In => world.dial(phone, "2000"),
        Way::Out => _ = world.invite("lobby", OFFICE, Some(false)),
    }
    world.run(secs(3));
    world.assert_talking(&[phone]);
    (world, phone)
}

/// Refreshes of the gateway's that came.
fn refreshes<'a>(world: &'a World, phone: usize, method: &'a Method) -> impl Iterator<Item = &'a Request> {
    let seen = world.phones[phone].agent.seen.iter().filter(|seen| seen.method == *method && seen.status.is_none());
    seen.filter_map(|seen| seen.message.request()).filter(|request| request.to().unwrap().tag().is_some())
}

fn expires(request: &Request) -> SessionExpires {
    request.session_expires().unwrap().unwrap()
}

/// The only record there is.
fn record(world: &World) -> &CallRecord {
    assert_eq!(world.records.len(), 1, "{:#?}", world.tail());
    &world.records[0]
}

#[test]
fn a_call_of_35_minutes_stays_up_while_the_gateway_refreshes() {
    for way in [Way::In, Way::Out] {
        for method in [Method::Invite, Method::Update] {
            let (mut world, phone) = call(way, true, |agent| agent.refreshing.takes_update = method == Method::Update);
            world.run(LONG);
            world.assert_talking(&[phone]);
            // One each 45 s, and none by the other method.
            let count = refreshes(&world, phone, &method).count();
            assert!((45..=47).contains(&count), "{way:?} {method}: {count}");
            for request in refreshes(&world, phone, &method) {
                let asked = expires(request);
                assert_eq!((asked.seconds, asked.refresher), (90, Some(Refresher::Uac)));
                assert!(request.supports("timer"));
            }
            let other = if method == Method::Invite { Method::Update } else { Method::Invite };
            assert_eq!(refreshes(&world, phone, &other).count(), 0, "{way:?} {method}");
            assert_eq!(world.records.len(), 0);
            world.finish();
        }
    }
}

#[test]
fn a_call_of_35_minutes_stays_up_while_the_peer_refreshes() {
    for way in [Way::In, Way::Out] {
        for method in [Method::Invite, Method::Update] {
            let (mut world, phone) = call(way, false, |agent| {
                agent.refreshing.by = Some((method.clone(), secs(45)));
                agent.refreshing.says = Some("90;refresher=uac");
            });
            world.run(LONG);
            world.assert_talking(&[phone]);
            let none = [Method::Invite, Method::Update].iter().map(|method| refreshes(&world, phone, method).count());
            assert_eq!(none.sum::<usize>(), 0, "{way:?} {method}: none of the gateway's");
            let statuses = world.phones[phone].agent.statuses(&method);
            assert!(statuses.iter().filter(|status| **status == 200).count() >= 45, "{way:?} {method}: {statuses:?}");
            let answer = world.phones[phone].agent.response(200).unwrap().session_expires().unwrap().unwrap();
            assert_eq!((answer.seconds, answer.refresher), (90, Some(Refresher::Uac)));
            world.finish();
        }
    }
}

#[test]
fn a_refresh_that_never_comes_ends_the_call() {
    for way in [Way::In, Way::Out] {
        let (mut world, phone) = call(way, false, |_| {});
        world.run(secs(55));
        world.assert_talking(&[phone]);
        // A third of the interval before it is over.
        world.run(secs(5));
        world.assert_ended(phone, End::Remote);
        assert_eq!(record(&world).cause, Cause::SessionExpired, "{way:?}");
        let bye = world.phones[phone].agent.last_request(&Method::Bye).unwrap();
        assert_eq!(bye.headers.texts(&H::Reason).next().unwrap(), "Q.850;cause=102;text=\"Session timer expired\"");
        world.finish();
    }
}

#[test]
fn a_refresh_of_the_gateways_that_nobody_answers_ends_the_call() {
    for way in [Way::In, Way::Out] {
        let (mut world, phone) = call(way, true, |agent| agent.refreshing.always = Some(Odd::Silent));
        world.run(secs(62));
        world.assert_ended(phone, End::Remote);
        assert_eq!(record(&world).cause, Cause::SessionExpired, "{way:?}");
        world.finish();
    }
}

#[test]
fn a_peer_that_forgets_the_timer_in_its_answers_is_refreshed_all_the_same() {
    for way in [Way::In, Way::Out] {
        for method in [Method::Invite, Method::Update] {
            let (mut world, phone) = call(way, true, |agent| {
                agent.refreshing.takes_update = method == Method::Update;
                agent.refreshing.always = Some(Odd::Forgetful);
            });
            world.run(secs(600));
            world.assert_talking(&[phone]);
            assert!(refreshes(&world, phone, &method).count() >= 12, "{way:?}");
            assert!(refreshes(&world, phone, &method).all(|request| expires(request).seconds == 90));
            // When it vanishes, that is noticed.
            world.phones[phone].agent.refreshing.always = Some(Odd::Silent);
            world.run(secs(70));
            assert_eq!(record(&world).cause, Cause::SessionExpired);
            world.finish();
        }
    }
}

#[test]
fn a_called_peer_without_session_timers_is_refreshed_too() {
    let mut world = World::new(settings());
    let phone = world.far_end(1, vec![says(100, 200)]);
    world.phones[phone].agent.refreshing.always = Some(Odd::Forgetful);
    world.invite("lobby", OFFICE, Some(false));
    world.run(secs(400));
    world.assert_talking(&[phone]);
    assert!(refreshes(&world, phone, &Method::Invite).count() >= 7);
    world.finish();
}

#[test]
fn a_peer_that_takes_the_refreshes_over_and_never_sends_any_keeps_its_call() {
    for way in [Way::In, Way::Out] {
        let (mut world, phone) = call(way, true, |agent| agent.refreshing.always = Some(Odd::Says("90;refresher=uas")));
        world.run(secs(600));
        world.assert_talking(&[phone]);
        let seen = refreshes(&world, phone, &Method::Invite).count();
        // Ours come later than usual, so that both do not send at once.
        assert!((10..=12).contains(&seen), "{way:?}: {seen}");
        world.finish();
    }
}

#[test]
fn a_peer_that_takes_the_refreshes_over_and_means_it_sends_them() {
    let (mut world, phone) = call(Way::In, true, |agent| {
        agent.refreshing.answers.push_back(Odd::Says("90;refresher=uas"));
        agent.refreshing.by = Some((Method::Update, secs(90)));
        agent.refreshing.says = Some("90;refresher=uac");
    });
    // Ours at 45 s, theirs at 90 s: from then on it is theirs to do, each 45 s.
    world.run(secs(80));
    world.phones[phone].agent.refreshing.by = Some((Method::Update, secs(45)));
    let ours = refreshes(&world, phone, &Method::Invite).count();
    assert_eq!(ours, 1);
    world.run(secs(600));
    world.assert_talking(&[phone]);
    assert_eq!(refreshes(&world, phone, &Method::Invite).count(), 1);
    world.finish();
}

#[test]
fn a_request_of_the_peers_may_change_who_refreshes() {
    // The phone was to refresh; its re-INVITE leaves it to the gateway.
    let (mut world, phone) = call(Way::In, false, |agent| agent.refreshing.says = Some("90;refresher=uas"));
    world.act(phone, |agent, now| agent.refresh(now, Method::Invite));
    world.run(secs(300));
    world.assert_talking(&[phone]);
    assert!(refreshes(&world, phone, &Method::Invite).count() >= 6);
    // And takes it back, and does nothing.
    world.phones[phone].agent.refreshing.says = Some("90;refresher=uac");
    world.act(phone, |agent, now| agent.refresh(now, Method::Invite));
    world.run(secs(62));
    world.assert_ended(phone, End::Remote);
    assert_eq!(world.record(phone).cause, Cause::SessionExpired);
    world.finish();
}

#[test]
fn a_refresh_of_a_peer_that_knows_no_timer_restarts_it() {
    // Every 40 s, without Session-Expires: the interval of 90 s stays, and so does who refreshes, as that is the
    // gateway.
    let (mut world, phone) = call(Way::In, true, |agent| agent.refreshing.by = Some((Method::Invite, secs(40))));
    world.run(secs(400));
    world.assert_talking(&[phone]);
    assert_eq!(refreshes(&world, phone, &Method::Invite).count(), 0, "each restarts the timer before ours is due");
    world.phones[phone].agent.refreshing.by = Some((Method::Invite, secs(100_000)));
    world.run(secs(40 + 300));
    world.assert_talking(&[phone]);
    assert!(refreshes(&world, phone, &Method::Invite).count() >= 5);
    assert!(refreshes(&world, phone, &Method::Invite).all(|request| expires(request).seconds == 90));
    world.finish();
}

#[test]
fn an_interval_below_the_least_gets_422_at_the_beginning_and_in_a_refresh() {
    let mut world = World::new(settings());
    let anna = world.phone();
    world.phones[anna].agent.habits.session = Some(30);
    world.dial(anna, "2000");
    world.run(secs(1));
    world.assert_ended(anna, End::Refused(422));
    let refused = world.phones[anna].agent.response(422).unwrap();
    assert_eq!(refused.min_se().unwrap().unwrap(), MinSe(90));
    world.phones[anna].agent.habits.session = Some(90);
    world.phones[anna].agent.refreshing.says = Some("60;refresher=uac");
    world.dial(anna, "2000");
    world.run(secs(1));
    for method in [Method::Invite, Method::Update] {
        world.act(anna, |agent, now| agent.refresh(now, method.clone()));
        world.run(secs(1));
        assert_eq!(world.phones[anna].agent.statuses(&method).last(), Some(&422), "{method}");
        assert_eq!(world.phones[anna].agent.response(422).unwrap().min_se().unwrap().unwrap(), MinSe(90));
    }
    // The call is none the worse for it.
    world.run(secs(200));
    world.assert_talking(&[anna]);
    world.finish();
}

#[test]
fn where_the_peer_wants_a_longer_interval_it_is_asked_for() {
    // At the beginning …
    let mut world = World::new(settings());
    let far = world.far_end(1, vec![says(50, 422).with(H::MinSe, "240")]);
    world.invite("lobby", OFFICE, Some(false));
    world.run(ms(40));
    world.phones[far].agent.manner = vec![says(50, 200).with(H::SessionExpires, "240;refresher=uac")];
    world.run(secs(3));
    world.assert_talking(&[far]);
    let invite = world.phones[far].agent.last_request(&Method::Invite).unwrap();
    assert_eq!((expires(invite).seconds, invite.min_se().unwrap().unwrap()), (240, MinSe(240)));
    // … and in a refresh.
    world.phones[far].agent.refreshing.answers.push_back(Odd::Refuses(422, Some((H::MinSe, "600"))));
    world.run(secs(125));
    let asked: Vec<u32> = refreshes(&world, far, &Method::Invite).map(|request| expires(request).seconds).collect();
    assert_eq!(asked, [240, 600]);
    world.run(secs(290));
    assert_eq!(refreshes(&world, far, &Method::Invite).count(), 2, "half of 600 s is not over");
    world.run(secs(20));
    assert_eq!(refreshes(&world, far, &Method::Invite).count(), 3);
    world.assert_talking(&[far]);
    world.finish();
}

#[test]
fn a_peer_that_does_not_know_the_call_any_more_ends_it() {
    for status in [481, 408] {
        for method in [Method::Invite, Method::Update] {
            let (mut world, phone) = call(Way::In, true, |agent| {
                agent.refreshing.takes_update = method == Method::Update;
                agent.refreshing.always = Some(Odd::Refuses(status, None));
            });
            world.run(secs(46));
            world.assert_ended(phone, End::Remote);
            assert_eq!(refreshes(&world, phone, &method).count(), 1);
            assert_eq!(record(&world).cause, Cause::TransportFailed);
            world.finish();
        }
    }
}

#[test]
fn a_refresh_that_is_refused_for_now_is_sent_again() {
    for (refusal, again) in [
        // Drawn: the phone made the Call-ID, so up to 2 s.
        (Odd::Refuses(491, None), ms(0)..=ms(2_100)),
        (Odd::Refuses(500, Some((H::RetryAfter, "3"))), ms(2_900)..=ms(3_100)),
        (Odd::Refuses(503, Some((H::RetryAfter, "4"))), ms(3_900)..=ms(4_100)),
        (Odd::Refuses(500, None), ms(4_900)..=ms(5_100)),
        // Too late for the session: half of what is left.
        (Odd::Refuses(503, Some((H::RetryAfter, "3600"))), ms(7_000)..=ms(8_000)),
    ] {
        let (mut world, phone) = call(Way::In, true, |agent| agent.refreshing.answers.push_back(refusal.clone()));
        world.run(secs(300));
        world.assert_talking(&[phone]);
        let seen = world.phones[phone].agent.seen.iter();
        let times: Vec<_> =
            seen.filter(|seen| seen.method == Method::Invite && seen.status.is_none()).map(|seen| seen.at).collect();
        let after = times[1] - times[0];
        assert!(again.contains(&after), "{refusal:?}: {after:?}");
        world.finish();
    }
}

#[test]
fn a_refresh_that_is_refused_for_good_ends_the_call_when_the_session_is_over() {
    for status in [403, 488, 503] {
        let (mut world, phone) = call(Way::In, true, |agent| {
            agent.refreshing.always = Some(Odd::Refuses(status, None));
        });
        world.run(secs(55));
        world.assert_talking(&[phone]);
        world.run(secs(8));
        world.assert_ended(phone, End::Remote);
        assert_eq!(record(&world).cause, Cause::SessionExpired);
        world.finish();
    }
}

#[test]
fn a_peer_that_refuses_update_is_refreshed_by_reinvite() {
    for status in [405, 501] {
        let (mut world, phone) = call(Way::In, true, |agent| {
            agent.refreshing.takes_update = true;
            agent.refreshing.answers.push_back(Odd::Refuses(status, None));
        });
        world.run(secs(200));
        world.assert_talking(&[phone]);
        assert_eq!(refreshes(&world, phone, &Method::Update).count(), 1);
        assert!(refreshes(&world, phone, &Method::Invite).count() >= 3);
        world.finish();
    }
}
