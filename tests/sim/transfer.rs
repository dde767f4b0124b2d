//! REFER both ways, and Replaces: who takes whose place, and who does not.

use super::phone::{End, says};
use super::world::{Settings, World, ms, secs};
use partyline::gateway::{Cause, Reply, Request};
use partyline::sip::message::{HeaderName as H, Method};

const OFFICE: &str = "+442079460123";

fn settings() -> Settings {
    Settings {
        carrier: "refer = true\nreplaces = true",
        first: "refer = true",
        second: "refer = true",
        ..Settings::default()
    }
}

/// The phone's news of its REFER, as text.
fn news(world: &World, phone: usize) -> Vec<String> {
    world.phones[phone].agent.news().into_iter().map(|(line, state)| format!("{line} ({state})")).collect()
}

fn refer(world: &mut World, phone: usize, number: &str) {
    let number = number.to_owned();
    world.act(phone, move |agent, now| agent.refer_to(now, &number));
}

#[test]
fn whom_a_caller_is_replaced_by_is_in_the_room_in_its_place() {
    let mut world = World::new(settings());
    let room = world.phones_in("2000", 3);
    let office = world.far_end(1, vec![says(200, 180), says(2_000, 200)]);
    refer(&mut world, room[0], OFFICE);
    world.run(secs(1));
    assert_eq!(world.phones[room[0]].agent.statuses(&Method::Refer), [202]);
    assert_eq!(news(&world, room[0]), ["SIP/2.0 100 Trying (active)", "SIP/2.0 180 Ringing (active)"]);
    // Until there is an answer, everything is as it was, and the callee is heard by nobody.
    world.assert_together(&room);
    world.run(secs(3));
    assert_eq!(news(&world, room[0]).last().unwrap(), "SIP/2.0 200 OK (terminated)");
    world.run(secs(2));
    world.assert_together(&[room[1], room[2], office]);
    // It did not hang up by itself, so the gateway did.
    world.assert_ended(room[0], End::Remote);
    assert!(matches!(&world.record(room[0]).cause, Cause::Replaced(_)));
    let Reply::Status(status) = world.ask(Request::Status) else { panic!() };
    assert_eq!(status.rooms[0].calls.len(), 3);
    assert_eq!(world.phones[office].agent.numbers, [OFFICE]);
    world.bye(office);
    world.run(secs(1));
    let record = world.record_of(OFFICE);
    assert_eq!((&record.cause, &record.rooms[..]), (&Cause::CalledHungUp, &["lobby".to_owned()][..]));
    assert_eq!(record.route.as_deref(), Some("Out"));
    world.finish();
}

#[test]
fn who_hangs_up_at_once_after_the_referral_leaves_the_place_to_the_new_call() {
    for (manner, comes) in
        [(vec![says(100, 180), says(2_000, 200)], true), (vec![says(100, 180), says(2_000, 486)], false)]
    {
        let mut world = World::new(settings());
        let room = world.phones_in("2000", 2);
        let office = world.far_end(1, manner);
        refer(&mut world, room[0], OFFICE);
        world.run(ms(300));
        world.bye(room[0]);
        world.run(secs(4));
        assert_eq!(world.record(room[0]).cause, Cause::CallerHungUp);
        if comes {
            world.assert_together(&[room[1], office]);
            world.bye(office);
            world.run(secs(1));
        } else {
            assert_eq!(world.record_of(OFFICE).cause, Cause::Busy);
        }
        let Reply::Status(status) = world.ask(Request::Status) else { panic!() };
        assert_eq!(status.calls.len(), 1);
        world.finish();
    }
}

#[test]
fn a_transfer_that_fails_leaves_the_call_as_it_was_and_tells_why() {
    for (manner, line, cause) in [
        (vec![says(100, 486)], "SIP/2.0 486 Busy Here (terminated)", Cause::Busy),
        (vec![says(100, 404)], "SIP/2.0 404 Not Found (terminated)", Cause::NoSuchNumber),
        (vec![says(100, 603)], "SIP/2.0 603 Decline (terminated)", Cause::Declined("603 Decline".into())),
        (vec![says(100, 180)], "SIP/2.0 480 Temporarily Unavailable (terminated)", Cause::NoAnswer),
    ] {
        let mut world = World::new(settings());
        let room = world.phones_in("2000", 2);
        let _office = world.far_end(1, manner);
        refer(&mut world, room[0], "+442089460123");
        world.run(secs(34));
        assert_eq!(news(&world, room[0]).last().unwrap(), line);
        world.assert_talking(&room);
        world.assert_together(&room);
        assert_eq!(world.record_of("+442089460123").cause, cause);
        // And it can be tried again.
        refer(&mut world, room[0], "+442089460123");
        world.run(secs(1));
        assert_eq!(world.phones[room[0]].agent.statuses(&Method::Refer), [202, 202]);
        world.finish();
    }
}

#[test]
fn a_referral_is_no_way_round_the_rules() {
    for (number, rule) in [
        ("+33140000000", "no route allows it"),
        ("999", "emergency numbers are never called"),
        ("+449011234567", "premium"),
        ("anna", "this is no telephone number"),
        ("", ""),
    ] {
        let mut world = World::new(settings());
        let room = world.phones_in("2000", 2);
        refer(&mut world, room[0], number);
        world.run(secs(1));
        let status = world.phones[room[0]].agent.statuses(&Method::Refer)[0];
        assert_eq!(status, if number.is_empty() { 400 } else { 403 }, "{number}");
        if !number.is_empty() {
            world.assert_logged("transfer refused, call kept");
            world.assert_logged(rule);
        }
        assert!(news(&world, room[0]).is_empty());
        world.assert_together(&room);
        world.finish();
    }
}

#[test]
fn limits_hold_for_referrals_too() {
    let mut world = World::new(Settings { gateway: "dial_rate = 2", ..settings() });
    let anna = world.phones_in("2000", 1)[0];
    let _office = world.far_end(1, vec![says(50, 486)]);
    for status in [202, 202, 403] {
        refer(&mut world, anna, OFFICE);
        world.run(secs(1));
        assert_eq!(world.phones[anna].agent.statuses(&Method::Refer).last(), Some(&status));
    }
    world.assert_logged("dial_rate = 2");
    world.finish();
}

#[test]
fn a_trunk_that_may_not_refer_is_refused_and_told_nothing_of_it_before() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    let _office = world.far_end(1, vec![says(100, 200)]);
    let allow = world.phones[room[0]].agent.response(200).unwrap().headers.texts(&H::Allow).collect::<Vec<_>>();
    assert!(!allow.iter().any(|method| &**method == "REFER"), "{allow:?}");
    refer(&mut world, room[0], OFFICE);
    world.run(secs(2));
    assert_eq!(world.phones[room[0]].agent.statuses(&Method::Refer), [403]);
    world.assert_logged("trunks.carrier.refer is not set");
    world.assert_together(&room);
    assert_eq!(world.records.len(), 0);
    world.finish();
}

#[test]
fn a_refer_that_cannot_be_read_gets_400() {
    let good = "<sip:+442079460123@sip.carrier.example>";
    let replaces = "<sip:+442079460123@h?Replaces=only-a-call-id>";
    let own = "<sip:+442079460123@10.0.0.1>";
    let own_port = "<sip:+442079460123@10.0.0.1:5060;transport=udp>";
    let cases: Vec<Vec<(H, &str)>> = vec![
        vec![],
        vec![(H::ReferTo, good), (H::ReferTo, good)],
        vec![(H::ReferTo, "<sip:+442079460123@a>, <sip:+442079460124@a>")],
        vec![(H::ReferTo, "<tel:+442079460123>")],
        vec![(H::ReferTo, "<http://example.com/+442079460123>")],
        vec![(H::ReferTo, "nonsense <")],
        vec![(H::ReferTo, "<sip:+442079460123@h;method=BYE>")],
        vec![(H::ReferTo, replaces)],
        vec![(H::ReferTo, own)],
        vec![(H::ReferTo, own_port)],
        vec![(H::ReferTo, good), (H::ReferredBy, "<sip:a@b>"), (H::ReferredBy, "<sip:c@d>")],
        vec![(H::ReferTo, good), (H::ReferredBy, "<sip:a@b")],
    ];
    let mut world = World::new(settings());
    let room = world.phones_in("2000", 2);
    for headers in &cases {
        world.act(room[0], |agent, now| agent.refer(now, headers));
        world.run(ms(200));
        assert_eq!(world.phones[room[0]].agent.statuses(&Method::Refer).last(), Some(&400), "{headers:?}");
    }
    // One that requires what nobody knows.
    world.act(room[0], |agent, now| agent.refer(now, &[(H::ReferTo, good), (H::Require, "teleport")]));
    world.run(ms(200));
    assert_eq!(world.phones[room[0]].agent.statuses(&Method::Refer).last(), Some(&420));
    world.run(secs(1));
    world.assert_together(&room);
    world.finish();
}

#[test]
fn a_second_referral_waits_for_the_first() {
    let mut world = World::new(settings());
    let anna = world.phones_in("2000", 1)[0];
    let office = world.far_end(1, vec![says(100, 180), says(3_000, 200)]);
    refer(&mut world, anna, OFFICE);
    world.run(ms(500));
    refer(&mut world, anna, "+442079460124");
    world.run(secs(4));
    assert_eq!(world.phones[anna].agent.statuses(&Method::Refer), [202, 491]);
    assert_eq!(world.phones[office].agent.numbers, [OFFICE]);
    world.finish();
}

#[test]
fn who_wants_no_news_gets_none() {
    let mut world = World::new(settings());
    let room = world.phones_in("2000", 2);
    let office = world.far_end(1, vec![says(100, 180), says(1_000, 200)]);
    let to = format!("<sip:{OFFICE}@sip.carrier.example>");
    world.act(room[0], |agent, now| {
        agent.refer(now, &[(H::ReferTo, &to), (H::ReferSub, "false"), (H::Require, "norefersub")]);
    });
    world.run(secs(5));
    let accepted = world.phones[room[0]].agent.response(202).unwrap();
    assert_eq!(accepted.headers.texts(&H::ReferSub).next().as_deref(), Some("false"));
    assert!(news(&world, room[0]).is_empty());
    world.assert_together(&[room[1], office]);
    world.finish();
}

#[test]
fn an_attended_transfer_carries_replaces_and_who_referred_and_nothing_else() {
    let mut world = World::new(settings());
    let room = world.phones_in("2000", 2);
    let office = world.far_end(1, vec![says(100, 200)]);
    let to = format!(
        "<sip:{OFFICE}@h?Replaces=abc%40there%3Bto-tag%3D1%3Bfrom-tag%3D2&P-Asserted-Identity=%3Csip%3Aboss%40h%3E&Subject=x>"
    );
    world.act(room[0], |agent, now| agent.refer(now, &[(H::ReferTo, &to), (H::ReferredBy, "<sip:anna@h>;cid=1")]));
    world.run(secs(5));
    world.assert_together(&[room[1], office]);
    let invite = world.phones[office].agent.seen.iter().find_map(|seen| seen.message.request()).unwrap();
    assert_eq!(invite.headers.texts(&H::Replaces).next().unwrap().to_string(), "abc@there;to-tag=1;from-tag=2");
    assert_eq!(invite.headers.texts(&H::ReferredBy).next().unwrap().to_string(), "<sip:anna@h>;cid=1");
    assert!(!invite.headers.contains(&H::Subject));
    assert!(invite.headers.texts(&H::PAssertedIdentity).all(|value| !value.contains("boss")));
    // A dialog of our own is no place to call.
    let own = format!(
        "<sip:{OFFICE}@h?Replaces={}>",
        world.phones[room[1]].agent.as_replaces().replace(';', "%3B").replace('=', "%3D")
    );
    world.act(room[1], |agent, now| agent.refer(now, &[(H::ReferTo, &own)]));
    world.run(secs(1));
    assert_eq!(world.phones[room[1]].agent.statuses(&Method::Refer), [400]);
    world.finish();
}

#[test]
fn a_bridged_call_is_transferred_with_the_bridge() {
    let mut world = World::new(settings());
    let anna = world.phone();
    // The IVR "operator" joins its caller with +442079460200.
    let office = world.far_end(1, vec![says(100, 503)]);
    let operator = world.far_end(2, vec![says(100, 200)]);
    world.dial(anna, "5000");
    world.run(secs(8));
    world.assert_together(&[anna, operator]);
    world.phones[office].agent.manner = vec![says(100, 200)];
    refer(&mut world, operator, OFFICE);
    world.run(secs(5));
    world.assert_together(&[anna, office]);
    // The session goes on as if nothing had happened: it ends with the one it joined.
    world.bye(office);
    world.run(secs(1));
    world.assert_ended(anna, End::Remote);
    world.finish();
}

#[test]
fn who_is_muted_stays_muted_in_another_call() {
    let mut world = World::new(settings());
    let room = world.phones_in("2000", 2);
    let office = world.far_end(1, vec![says(1_000, 200)]);
    // On hold while it refers, as phones do it: the one who comes is not.
    world.phones[room[0]].agent.local.direction = partyline::types::Direction::SendOnly;
    world.reinvite(room[0]);
    world.run(secs(1));
    refer(&mut world, room[0], OFFICE);
    world.run(secs(5));
    world.assert_together(&[room[1], office]);
    world.finish();
}

/// The administrator's request, and what came of it.
fn transfer(world: &mut World, call: &str) -> Reply {
    world.ask(Request::Transfer { call: call.into(), number: OFFICE.into() })
}

fn only_call(world: &mut World) -> String {
    let Reply::Status(status) = world.ask(Request::Status) else { panic!() };
    status.calls[0].call.clone()
}

#[test]
fn an_administrator_has_a_call_sent_away() {
    let mut world = World::new(settings());
    let anna = world.phones_in("2000", 1)[0];
    let call = only_call(&mut world);
    transfer(&mut world, &call);
    world.run(ms(200));
    let refer = world.phones[anna].agent.last_request(&Method::Refer).unwrap();
    assert_eq!(refer.headers.texts(&H::ReferTo).next().unwrap().to_string(), format!("<sip:{OFFICE}@198.51.100.10>"));
    assert!(refer.headers.contains(&H::ReferredBy) && refer.headers.contains(&H::Contact));
    let cseq = refer.cseq().unwrap().number;
    assert!(matches!(world.replies.last(), Some(Reply::Progress(what)) if what.what.contains("will call it")));
    for (fragment, state) in [("SIP/2.0 100 Trying\r\n", "active;expires=60"), ("SIP/2.0 180 Ringing\r\n", "active")] {
        world.act(anna, |agent, now| agent.notify(now, &format!("refer;id={cseq}"), state, fragment));
        world.run(ms(200));
    }
    assert_eq!(world.phones[anna].agent.statuses(&Method::Notify), [200, 200]);
    assert!(matches!(world.replies.last(), Some(Reply::Progress(what)) if what.what.ends_with("180 Ringing")));
    world.assert_talking(&[anna]);
    world.act(anna, |agent, now| agent.notify(now, "refer", "terminated;reason=noresource", "SIP/2.0 200 OK\r\n"));
    world.run(secs(1));
    assert!(matches!(world.replies.last(), Some(Reply::Done(what)) if what.contains("is transferred to")));
    world.assert_ended(anna, End::Remote);
    assert_eq!(world.record(anna).cause, Cause::Transferred(OFFICE.into()));
    assert!(world.lines(OFFICE).is_empty(), "no log holds a full number");
    world.finish();
}

#[test]
fn a_transfer_of_ours_that_fails_keeps_the_call() {
    // Refused at once.
    let mut world = World::new(settings());
    let anna = world.phones_in("2000", 1)[0];
    world.phones[anna].agent.takes_refer = 603;
    let call = only_call(&mut world);
    transfer(&mut world, &call);
    world.run(secs(1));
    assert!(matches!(world.replies.last(), Some(Reply::Error(why)) if why.detail.ends_with("goes on: 603 Decline")));
    // Taken, and it came to nothing.
    world.phones[anna].agent.takes_refer = 202;
    transfer(&mut world, &call);
    world.run(secs(1));
    world.act(anna, |agent, now| {
        agent.notify(now, "refer", "terminated;reason=noresource", "SIP/2.0 486 Busy Here\r\n")
    });
    world.run(secs(1));
    assert!(matches!(world.replies.last(), Some(Reply::Error(why)) if why.detail.ends_with("goes on: 486 Busy Here")));
    // Ended without a word of the outcome.
    transfer(&mut world, &call);
    world.run(secs(1));
    world.act(anna, |agent, now| agent.notify(now, "refer", "terminated;reason=timeout", ""));
    world.run(secs(1));
    assert!(matches!(world.replies.last(), Some(Reply::Error(why)) if why.detail.ends_with("tells nothing more")));
    // Never ended.
    transfer(&mut world, &call);
    world.run(secs(185));
    assert!(
        matches!(world.replies.last(), Some(Reply::Error(why)) if why.detail.ends_with("no word of the outcome came"))
    );
    world.assert_talking(&[anna]);
    world.finish();
}

#[test]
fn a_transfer_of_ours_obeys_the_rules() {
    let mut world = World::new(Settings::default());
    let _anna = world.phones_in("2000", 1);
    let call = only_call(&mut world);
    assert!(
        matches!(transfer(&mut world, &call), Reply::Error(why) if why.detail.contains("trunks.carrier.refer is not set"))
    );
    world.finish();
    let mut world = World::new(settings());
    let anna = world.phones_in("2000", 1)[0];
    let call = only_call(&mut world);
    for (number, rule) in [("999", "emergency"), ("+33140000000", "no route allows it")] {
        let reply = world.ask(Request::Transfer { call: call.clone(), number: number.into() });
        assert!(matches!(&reply, Reply::Error(why) if why.detail.contains(rule)), "{reply:?}");
    }
    assert!(matches!(transfer(&mut world, "call-99"), Reply::Error(_)));
    assert_eq!(world.phones[anna].agent.requests(&Method::Refer), 0);
    world.finish();
}

#[test]
fn news_of_no_referral_are_refused_and_harm_nothing() {
    let mut world = World::new(settings());
    let anna = world.phones_in("2000", 1)[0];
    let ok = "SIP/2.0 200 OK\r\n";
    let mut expected = Vec::new();
    let mut tell = |world: &mut World, event: &str, state: &str, fragment: &'static str, status: u16| {
        world.act(anna, |agent, now| agent.notify(now, event, state, fragment));
        world.run(ms(100));
        expected.push(status);
        assert_eq!(world.phones[anna].agent.statuses(&Method::Notify), expected[..], "{event} {state} {fragment}");
    };
    tell(&mut world, "refer", "active", ok, 481);
    let call = only_call(&mut world);
    transfer(&mut world, &call);
    world.run(ms(100));
    tell(&mut world, "presence", "active", ok, 489);
    tell(&mut world, "", "active", ok, 489);
    tell(&mut world, "refer;id=77777", "active", ok, 481);
    tell(&mut world, "refer;id=x", "active", ok, 481);
    tell(&mut world, "refer", "", ok, 400);
    tell(&mut world, "refer", "active", "SIP/2.0 2", 400);
    tell(&mut world, "refer", "active", "SIP/2.0 999 Odd", 400);
    tell(&mut world, "refer", "active", "\u{fffd}\u{0}", 400);
    world.assert_talking(&[anna]);
    tell(&mut world, "refer", "terminated", ok, 200);
    world.run(secs(1));
    world.assert_ended(anna, End::Remote);
    world.finish();
}
