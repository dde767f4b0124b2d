//! Calls of ours: each kind of far end comes to its own end, with one record and one cause.

use super::phone::{End, Stage, says};
use super::world::{Settings, World, ms, secs};
use partyline::gateway::{Cause, Reply, Request};
use partyline::sip::message::{HeaderName as H, Method};

const OFFICE: &str = "+442079460123";

/// How the administrator's request came out.
fn outcome(world: &World) -> &Reply {
    world.replies.last().unwrap()
}

fn error(world: &World) -> String {
    match outcome(world) {
        Reply::Error(why) => why.detail.clone(),
        other => panic!("{other:?}"),
    }
}

fn done(world: &World) -> String {
    match outcome(world) {
        Reply::Done(what) => what.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn who_answers_and_presses_1_is_in_the_room() {
    let mut world = World::new(Settings::default());
    let anna = world.phones_in("2000", 1)[0];
    let office = world.far_end(1, vec![says(10, 100), says(200, 180), says(3_000, 200)]);
    assert!(matches!(world.invite("lobby", OFFICE, None), Reply::Progress(_)));
    world.run(secs(2));
    // The room hears it ring, and nothing else.
    assert_eq!(world.prompts(anna, secs(1)), ["ringback"]);
    world.run(secs(2));
    world.assert_talking(&[office]);
    assert_eq!(world.prompts(office, secs(1)), ["press-one"]);
    assert_eq!(world.tones(anna), Vec::<usize>::new());
    assert_eq!(world.tones(office), Vec::<usize>::new());
    world.run(secs(2));
    world.key_and_wait(office, "1");
    world.run(secs(3));
    world.assert_together(&[anna, office]);
    assert!(done(&world).ends_with("is in room lobby"), "{}", done(&world));
    assert_eq!(world.phones[office].agent.numbers, [OFFICE]);
    let invite = world.phones[office].agent.seen.iter().find_map(|seen| seen.message.request()).unwrap();
    assert_eq!(invite.from().unwrap().uri.user_decoded().as_deref(), Some("+442079460100"));
    assert!(invite.headers.contains(&H::SessionExpires));
    world.bye(office);
    world.run(secs(1));
    let record = world.record_of(OFFICE);
    assert_eq!((&record.cause, record.status, &*record.trunk), (&Cause::CalledHungUp, Some(200), "first"));
    assert_eq!((record.rooms.as_slice(), record.route.as_deref()), (&["lobby".to_owned()][..], Some("Out")));
    world.finish();
}

#[test]
fn voicemail_never_enters_the_room() {
    let mut world = World::new(Settings::default());
    let anna = world.phones_in("2000", 1)[0];
    let voicemail = world.far_end(1, vec![says(100, 180), says(500, 200)]);
    world.invite("lobby", OFFICE, None);
    let mut heard = Vec::new();
    for _ in 0..40 {
        world.run(secs(1));
        heard.extend(world.tones(anna));
    }
    assert_eq!(heard, Vec::<usize>::new());
    world.assert_ended(voicemail, End::Remote);
    assert_eq!(world.record_of(OFFICE).cause, Cause::Session("not-confirmed".into()));
    assert!(error(&world).ends_with("not-confirmed"));
    assert_eq!(world.prompts(anna, secs(2)), Vec::<&str>::new());
    world.finish();
}

#[test]
fn sound_before_the_answer_takes_the_ringing_tones_place_where_nothing_is_asked() {
    let mut world = World::new(Settings::default());
    let anna = world.phones_in("2000", 1)[0];
    let office = world.far_end(1, vec![says(100, 180), says(2_000, 183), says(6_000, 200)]);
    world.invite("lobby", OFFICE, Some(false));
    world.run(ms(1_900));
    assert_eq!(world.prompts(anna, secs(1)), ["ringback"]);
    world.run(secs(2));
    assert_eq!(world.prompts(anna, secs(1)), Vec::<&str>::new());
    assert_eq!(world.tones(anna), [office]);
    // Nobody is heard there before the answer.
    assert_eq!(world.tones(office), Vec::<usize>::new());
    world.run(secs(5));
    world.assert_together(&[anna, office]);
    world.bye(office);
    world.run(secs(1));
    assert_eq!(world.record_of(OFFICE).cause, Cause::CalledHungUp);
    world.finish();
}

#[test]
fn who_must_press_1_is_not_heard_before_the_answer_either() {
    let mut world = World::new(Settings::default());
    let anna = world.phones_in("2000", 1)[0];
    let _office = world.far_end(1, vec![says(100, 183), says(4_000, 486)]);
    world.invite("lobby", OFFICE, None);
    world.run(secs(3));
    assert_eq!(world.tones(anna), Vec::<usize>::new());
    assert_eq!(world.prompts(anna, secs(1)), ["ringback"]);
    world.run(secs(2));
    assert_eq!(world.record_of(OFFICE).cause, Cause::Busy);
    world.finish();
}

#[test]
fn each_refusal_has_one_record_and_one_cause() {
    for (manner, cause, status) in [
        (vec![says(10, 100), says(300, 486)], Cause::Busy, 486),
        (vec![says(10, 100), says(300, 600)], Cause::Busy, 600),
        (vec![says(300, 180), says(5_000, 480)], Cause::NoAnswer, 480),
        (vec![says(300, 480)], Cause::NoAnswer, 480),
        (vec![says(300, 404)], Cause::NoSuchNumber, 404),
        (vec![says(300, 604)], Cause::NoSuchNumber, 604),
        (vec![says(300, 488)], Cause::Declined("488 Not Acceptable Here".into()), 488),
        (vec![says(300, 603)], Cause::Declined("603 Decline".into()), 603),
        (vec![says(300, 606)], Cause::Declined("606 Not Acceptable".into()), 606),
        (vec![says(300, 180), says(900, 403)], Cause::Declined("403 Forbidden".into()), 403),
    ] {
        let mut world = World::new(Settings::default());
        let far = world.far_end(1, manner);
        let second = world.far_end(2, vec![says(100, 200)]);
        world.invite("lobby", OFFICE, None);
        world.run(secs(8));
        let record = world.record_of(OFFICE);
        assert_eq!((&record.cause, record.status), (&cause, Some(status)));
        assert!(record.tried.is_empty() && record.talk_ms == 0);
        assert!(error(&world).ends_with(&cause.to_string()), "{:?}", outcome(&world));
        assert_eq!(world.phones[far].agent.requests(&Method::Ack), 1);
        // What the callee says itself is tried nowhere else.
        assert_eq!(world.phones[second].agent.taken, 0, "{status}");
        world.finish();
    }
}

#[test]
fn who_rings_and_does_not_answer_is_cancelled() {
    let mut world = World::new(Settings::default());
    let far = world.far_end(1, vec![says(10, 100), says(200, 180)]);
    world.invite("lobby", "+442081112222", None);
    world.run(secs(29));
    assert_eq!(world.phones[far].agent.requests(&Method::Cancel), 0);
    world.run(secs(2));
    world.assert_ended(far, End::Cancelled);
    assert_eq!(world.record_of("+442081112222").cause, Cause::NoAnswer);
    world.finish();
}

#[test]
fn an_answer_that_crosses_the_cancel_is_ended() {
    let mut world = World::new(Settings::default());
    let far = world.far_end(1, vec![says(200, 180), says(30_200, 200)]);
    world.phones[far].agent.habits.ignores_cancel = true;
    world.invite("lobby", "+442081112222", None);
    world.run(secs(33));
    let agent = &world.phones[far].agent;
    assert_eq!(
        (agent.requests(&Method::Cancel), agent.requests(&Method::Ack), agent.requests(&Method::Bye)),
        (1, 1, 1)
    );
    world.assert_ended(far, End::Remote);
    assert_eq!(world.record_of("+442081112222").cause, Cause::NoAnswer);
    world.finish();
}

#[test]
fn a_far_end_that_never_says_a_word_is_not_reached() {
    let mut world = World::new(Settings::default());
    world.far_end(1, Vec::new());
    world.invite("lobby", "+442081112222", None);
    world.run(secs(29));
    assert_eq!(world.gateway.call_count(), 1);
    world.run(secs(5));
    assert!(matches!(world.record_of("+442081112222").cause, Cause::Unreachable(_)));
    world.finish();
}

#[test]
fn when_a_call_forks_the_first_answer_wins_and_the_others_are_ended() {
    let mut world = World::new(Settings::default());
    let anna = world.phones_in("2000", 1)[0];
    let manner = vec![
        says(100, 180).fork(0),
        says(120, 180).fork(1),
        says(140, 183).fork(2),
        says(1_000, 200).fork(0),
        says(1_050, 200).fork(1),
        says(1_300, 200).fork(2),
    ];
    let far = world.far_end(1, manner);
    world.invite("lobby", OFFICE, Some(false));
    world.run(secs(4));
    let agent = &world.phones[far].agent;
    assert_eq!(agent.forks_that_got(&Method::Ack), ["0", "1", "2"]);
    assert_eq!(agent.forks_that_got(&Method::Bye), ["1", "2"]);
    world.assert_together(&[anna, far]);
    world.bye(far);
    world.run(secs(1));
    assert_eq!(world.record_of(OFFICE).cause, Cause::CalledHungUp);
    world.finish();
}

#[test]
fn redirections_are_followed_only_where_the_trunk_says_so_and_by_the_same_rules() {
    let redirect = |to: &str| vec![says(100, 302).with(H::Contact, to)];
    // Not allowed by the trunk.
    let mut world = World::new(Settings::default());
    world.far_end(1, redirect("<sip:+442079460999@100.64.0.2>"));
    world.invite("lobby", OFFICE, Some(false));
    world.run(secs(2));
    let Cause::Declined(why) = &world.record_of(OFFICE).cause else { panic!("{:?}", world.record_of(OFFICE)) };
    assert!(why.contains("trunks.first.redirects is not set"), "{why}");
    world.finish();
    for (to, rule) in [
        ("<sip:+19005550100@100.64.0.2>", "no route allows it"),
        ("<sip:999@100.64.0.1>", "emergency numbers are never called"),
        ("<sip:+449011234567@100.64.0.1>", "UK premium rate"),
        ("<sip:+442079461999@100.64.0.1>", "route Asked says confirm = true"),
    ] {
        let mut world = World::new(Settings { first: "redirects = true", ..Settings::default() });
        world.far_end(1, redirect(to));
        world.invite("lobby", OFFICE, Some(false));
        world.run(secs(2));
        let Cause::Refused(why) = &world.record_of(OFFICE).cause else { panic!("{:?}", world.record_of(OFFICE)) };
        assert!(why.contains(rule), "{why}");
        world.finish();
    }
}

#[test]
fn a_redirection_leads_to_the_number_it_names() {
    let mut world = World::new(Settings { first: "redirects = true", ..Settings::default() });
    let contacts = "<sip:+442079460998@100.64.0.1>;q=0.2, <sip:+442079460999@198.51.100.99>;q=0.9";
    let far = world.far_end(1, vec![says(100, 302).with(H::Contact, contacts)]);
    world.invite("lobby", OFFICE, Some(false));
    world.run(ms(50));
    world.phones[far].agent.manner = vec![says(100, 180), says(500, 200)];
    world.run(secs(2));
    assert_eq!(world.phones[far].agent.numbers, [OFFICE, "+442079460999"]);
    world.assert_talking(&[far]);
    world.bye(far);
    world.run(secs(1));
    // The record tells what was called in the end, and what led there.
    let record = world.record_of("+442079460999");
    assert_eq!((&record.cause, record.route.as_deref()), (&Cause::CalledHungUp, Some("Out")));
    let outcomes: Vec<&str> = record.tried.iter().map(|tried| &*tried.outcome).collect();
    assert_eq!(outcomes, [format!("302 Moved Temporarily, when {OFFICE} was called")]);
    world.finish();
}

#[test]
fn endless_redirections_come_to_an_end() {
    let mut world = World::new(Settings { first: "redirects = true", ..Settings::default() });
    let far = world.far_end(1, vec![says(10, 302).with(H::Contact, "<sip:+442079460999@100.64.0.1>")]);
    world.invite("lobby", OFFICE, Some(false));
    world.run(secs(5));
    assert_eq!(world.phones[far].agent.taken, 6);
    assert!(matches!(world.record_of("+442079460999").cause, Cause::Declined(_)));
    world.finish();
}

#[test]
fn what_may_not_be_called_is_refused_by_name_and_other_calls_go_on() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    for (number, rule) in [
        ("+4930123456", "no route allows it"),
        ("999", "emergency numbers are never called: 999 is one"),
        ("+44112", "emergency numbers are never called: 112 is one"),
        ("+449011234567", "UK premium rate (+449…) is not called, as route Out does not say premium = true"),
        ("alice", "this is no telephone number"),
    ] {
        world.invite("lobby", number, None);
        let said = error(&world);
        assert!(said.contains(rule), "{said}");
        let record = world.record_of(number);
        let Cause::Refused(why) = &record.cause else { panic!("{record:?}") };
        assert!(why.contains(rule) && record.status.is_none(), "{why}");
    }
    world.run(secs(2));
    world.assert_together(&room);
    world.finish();
}

#[test]
fn the_31st_call_of_a_30_call_trunk_is_refused_and_the_others_go_on() {
    let mut world = World::new(Settings { first: "max_calls = 30", ..Settings::default() });
    let far = world.far_end(1, vec![says(10, 100), says(50, 180)]);
    for n in 0..30 {
        assert!(matches!(world.invite("lobby", &format!("+442081110{n:03}"), None), Reply::Progress(_)), "{n}");
        world.run(ms(200));
    }
    world.invite("lobby", "+442081110030", None);
    assert_eq!(error(&world), "the call is not placed: trunks.first.max_calls = 30 is reached");
    assert_eq!(world.gateway.call_count(), 30);
    assert_eq!(world.record_of("+442081110030").cause, Cause::Refused("trunks.first.max_calls = 30 is reached".into()));
    let _ = far;
    world.run(secs(60));
    assert_eq!(world.gateway.call_count(), 0);
    world.finish();
}

#[test]
fn the_11th_call_in_a_second_of_a_10_a_second_trunk_is_refused_and_the_next_second_is_free() {
    let mut world = World::new(Settings { first: "max_calls_per_second = 10", ..Settings::default() });
    world.far_end(1, vec![says(10, 100), says(50, 180)]);
    for n in 0..10 {
        world.invite("lobby", &format!("+442081110{n:03}"), None);
        world.run(ms(50));
    }
    world.invite("lobby", "+442081110010", None);
    assert_eq!(error(&world), "the call is not placed: trunks.first.max_calls_per_second = 10 is reached");
    assert_eq!(world.gateway.call_count(), 10);
    world.run(ms(510));
    assert!(matches!(world.invite("lobby", "+442081110011", None), Reply::Progress(_)));
    world.run(secs(60));
    world.finish();
}

#[test]
fn a_call_lasts_no_longer_than_its_route_lets_it() {
    let mut world = World::new(Settings::default());
    let far = world.far_end(1, vec![says(100, 200)]);
    world.invite("lobby", "+442081112222", Some(false));
    world.run(secs(595));
    world.assert_talking(&[far]);
    world.run(secs(10));
    world.assert_ended(far, End::Remote);
    assert_eq!(world.record_of("+442081112222").cause, Cause::Limit("max_duration of route Alone is reached".into()));
    world.finish();
}

#[test]
fn a_caller_is_joined_with_the_telephone_that_an_ivr_dials() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    let far = world.far_end(1, vec![says(100, 180), says(3_000, 200)]);
    world.dial(anna, "5000");
    world.run(secs(4));
    assert_eq!(world.prompts(anna, secs(1)), ["ringback"]);
    world.run(secs(3));
    world.assert_together(&[anna, far]);
    world.bye(far);
    world.run(secs(1));
    world.assert_ended(anna, End::Remote);
    assert_eq!(world.record(anna).cause, Cause::Session("far-end-hung-up".into()));
    world.finish();
}

#[test]
fn a_caller_who_gives_up_takes_the_dialled_call_along() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    let far = world.far_end(1, vec![says(100, 180)]);
    world.dial(anna, "5000");
    world.run(secs(4));
    assert_eq!(world.phones[far].agent.stage, Stage::Called { described: false });
    world.bye(anna);
    world.run(secs(1));
    world.assert_ended(far, End::Cancelled);
    world.finish();
}

#[test]
fn a_caller_hears_why_nobody_was_reached() {
    for (status, prompt) in [(486, "number-busy"), (480, "no-answer"), (404, "no-such-number"), (603, "call-failed")] {
        let mut world = World::new(Settings::default());
        let anna = world.phone();
        world.far_end(1, vec![says(100, status)]);
        world.dial(anna, "5000");
        world.run(secs(10));
        assert!(world.prompts(anna, secs(9)).contains(&prompt), "{status}: {:?}", world.prompts(anna, secs(9)));
        world.assert_ended(anna, End::Remote);
        world.finish();
    }
}

#[test]
fn a_kick_and_a_drain_end_a_call_that_rings() {
    let mut world = World::new(Settings::default());
    let far = world.far_end(1, vec![says(100, 180)]);
    world.invite("lobby", OFFICE, None);
    world.run(secs(2));
    let Reply::Progress(said) = world.replies.first().unwrap() else { panic!() };
    let call = said.call.clone();
    world.ask(Request::Kick { call });
    world.run(secs(1));
    world.assert_ended(far, End::Cancelled);
    assert_eq!(world.record_of(OFFICE).cause, Cause::Kicked);
    world.finish();
}

#[test]
fn digits_are_pressed_when_it_is_answered_by_rfc_4733_or_by_info() {
    for (first, infos) in [("", 0), ("digits = \"info\"", 3)] {
        let mut world = World::new(Settings { first, ..Settings::default() });
        let far = world.far_end(1, vec![says(100, 200)]);
        let (room, number, digits) = ("lobby".to_owned(), OFFICE.to_owned(), Some("12#".to_owned()));
        world.ask(Request::Dial { room, number, confirm: Some(false), digits, create: true });
        world.run(secs(4));
        let agent = &world.phones[far].agent;
        let bodies = agent.seen.iter().filter(|seen| seen.method == Method::Info);
        let bodies = bodies.filter_map(|seen| Some(String::from_utf8(seen.message.request()?.body.to_vec()).unwrap()));
        let signals: Vec<String> = bodies.map(|body| body.lines().next().unwrap().to_owned()).collect();
        assert_eq!(signals.len(), infos);
        if infos > 0 {
            assert_eq!(signals, ["Signal=1", "Signal=2", "Signal=#"]);
        }
        world.finish();
    }
}
