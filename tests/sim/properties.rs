//! Whatever phones do, in whatever order: each INVITE gets one final answer and one record, and nothing is left.
//!
//! Every step also checks that after `handle_timeout(t)` the next timeout is later than `t`, see [`World::run`].

use super::network::Weather;
use super::phone::{Says, Stage, says};
use super::plan::{BLUE, RED, WRONG};
use super::world::{Settings, World, ms, secs};
use partyline::gateway::{Input, Request};
use partyline::sip::message::{HeaderName as H, Method};
use partyline::types::Direction;
use proptest::prelude::*;

/// What a phone's user, or somebody else, may do at any moment.
#[derive(Debug, Clone)]
enum Action {
    Dial(usize, &'static str),
    Cancel(usize),
    Bye(usize),
    Key(usize, String),
    Offer(usize, Direction),
    Say(usize, Says),
    Info(usize),
    LoseAcks(usize, u32),
    LateOffer(usize, bool),
    Session(usize, bool),
    Refuse(usize, bool),
    Weather(usize, u8),
    Vanish(usize),
    Refer(usize, &'static str),
    /// The first phone calls, to take the place of the other's call.
    Replace(usize, usize),
    /// The administrator puts a call on hold or takes it back, or has it sent away.
    Hold(u64, bool),
    Transfer(u64),
    Notify(usize, &'static str),
    Wait(u64),
    KickAll,
    Reload,
}

const PHONES: usize = 4;
const MAY: &str = "refer = true\nreplaces = true";
/// With those behind the trunks that calls go out by.
const ALL: usize = PHONES + 2;

fn action() -> impl Strategy<Value = Action> {
    let phone = 0..PHONES;
    let number = prop::sample::select(vec!["1000", "1000", "2000", "2000", "2100", "2200", "3001", "4000", "77"]);
    let keys = prop::sample::select(vec![
        format!("{RED}#"),
        format!("{BLUE}#"),
        format!("{WRONG}#"),
        RED[..3].to_owned(),
        "*".to_owned(),
        "#".to_owned(),
        "1234567890123".to_owned(),
    ]);
    let direction = prop::sample::select(vec![
        Direction::SendRecv,
        Direction::SendRecv,
        Direction::SendOnly,
        Direction::RecvOnly,
        Direction::Inactive,
    ]);
    let number_out = prop::sample::select(vec!["+442079460123", "+442079460123", "+442089460123", "+33140000000"]);
    let fragment =
        prop::sample::select(vec!["SIP/2.0 180 Ringing\r\n", "SIP/2.0 200 OK\r\n", "SIP/2.0 486 Busy\r\n", ""]);
    let says = prop::sample::select(vec![Says::Tone, Says::Tone, Says::Silence, Says::Nothing]);
    prop_oneof![
        6 => (phone.clone(), number).prop_map(|(phone, number)| Action::Dial(phone, number)),
        2 => phone.clone().prop_map(Action::Cancel),
        3 => phone.clone().prop_map(Action::Bye),
        5 => (phone.clone(), keys).prop_map(|(phone, keys)| Action::Key(phone, keys)),
        2 => (phone.clone(), direction).prop_map(|(phone, direction)| Action::Offer(phone, direction)),
        2 => (phone.clone(), says).prop_map(|(phone, says)| Action::Say(phone, says)),
        1 => phone.clone().prop_map(Action::Info),
        1 => (phone.clone(), prop::sample::select(vec![1, 3, u32::MAX])).prop_map(|(p, n)| Action::LoseAcks(p, n)),
        1 => (phone.clone(), any::<bool>()).prop_map(|(phone, late)| Action::LateOffer(phone, late)),
        1 => (phone.clone(), any::<bool>()).prop_map(|(phone, on)| Action::Session(phone, on)),
        1 => (phone.clone(), any::<bool>()).prop_map(|(phone, on)| Action::Refuse(phone, on)),
        2 => (phone.clone(), 0..4u8).prop_map(|(phone, kind)| Action::Weather(phone, kind)),
        1 => phone.clone().prop_map(Action::Vanish),
        2 => (0..ALL, number_out).prop_map(|(phone, number)| Action::Refer(phone, number)),
        1 => (phone, 0..ALL).prop_map(|(phone, other)| Action::Replace(phone, other)),
        2 => (1..40u64, any::<bool>()).prop_map(|(call, on)| Action::Hold(call, on)),
        1 => (1..40u64).prop_map(Action::Transfer),
        1 => (0..ALL, fragment).prop_map(|(phone, fragment)| Action::Notify(phone, fragment)),
        1 => (PHONES..ALL).prop_map(Action::Bye),
        12 => prop::sample::select(vec![5, 15, 25, 120, 480, 700, 2_000, 6_000, 31_000, 62_000]).prop_map(Action::Wait),
        1 => Just(Action::KickAll),
        1 => Just(Action::Reload),
    ]
}

/// The administrator wants something, the reply to which may come later.
fn want(world: &mut World, request: Request) {
    world.input(Input::Control { id: 9, request });
    world.settle();
}

fn act(world: &mut World, action: Action) {
    match action {
        Action::Dial(phone, number) => {
            if matches!(world.phones[phone].agent.stage, Stage::Idle | Stage::Ended(_)) {
                world.dial(phone, number);
            }
        }
        Action::Cancel(phone) => world.cancel(phone),
        Action::Bye(phone) => world.bye(phone),
        Action::Key(phone, keys) if world.phones[phone].is_talking() => world.key(phone, &keys),
        Action::Key(..) => {}
        Action::Offer(phone, direction) => {
            // One offer at a time, as RFC 3264 has it.
            if !world.phones[phone].agent.is_waiting() {
                world.phones[phone].agent.local.direction = direction;
                world.reinvite(phone);
            }
        }
        Action::Say(phone, says) => world.phones[phone].mouth.says = says,
        Action::Info(phone) => {
            let body = Some(("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n"));
            world.act(phone, |agent, now| agent.ask(now, Method::Info, body));
        }
        Action::LoseAcks(phone, count) => world.phones[phone].agent.habits.loses_acks = count,
        Action::LateOffer(phone, late) => world.phones[phone].agent.habits.late_offer = late,
        Action::Session(phone, on) => world.phones[phone].agent.habits.session = on.then_some(90),
        Action::Refuse(phone, on) => world.phones[phone].agent.habits.refuses_offers = on.then_some(488),
        Action::Weather(phone, kind) => {
            let weather = match kind {
                0 => Weather::CLEAR,
                1 => Weather::losing(0.3),
                2 => Weather { jitter: ms(200), reordered: 0.2, duplicated: 0.3, ..Weather::CLEAR },
                _ => Weather { delay: ms(300), loss: 0.05, ..Weather::CLEAR },
            };
            world.phones[phone].sip_weather = weather;
            world.phones[phone].rtp_weather = weather;
        }
        Action::Vanish(phone) => world.phones[phone].gone = true,
        Action::Refer(phone, number) => {
            if world.phones[phone].is_talking() && !world.phones[phone].gone {
                world.act(phone, |agent, now| agent.refer_to(now, number));
            }
        }
        Action::Replace(phone, other) => {
            let free = matches!(world.phones[phone].agent.stage, Stage::Idle | Stage::Ended(_));
            if free && world.phones[other].is_talking() {
                world.phones[phone].agent.carries = vec![(H::Replaces, world.phones[other].agent.as_replaces())];
                world.dial(phone, "2000");
                world.phones[phone].agent.carries.clear();
            }
        }
        Action::Hold(call, on) => {
            let call = call.to_string();
            want(world, if on { Request::Hold { call } } else { Request::Resume { call } });
        }
        Action::Transfer(call) => {
            want(world, Request::Transfer { call: call.to_string(), number: "+442079460123".into() });
        }
        Action::Notify(phone, fragment) => {
            if world.phones[phone].is_talking() {
                let state = if fragment.is_empty() { "terminated" } else { "active" };
                world.act(phone, |agent, now| agent.notify(now, "refer", state, fragment));
            }
        }
        Action::Wait(milliseconds) => world.run(ms(milliseconds)),
        Action::KickAll => {
            for call in 0..64 {
                world.ask(Request::Kick { call: call.to_string() });
            }
        }
        Action::Reload => {
            let carrier = format!("[trunks.carrier]\n{MAY}\n");
            let text = super::plan::with_trunks("", MAY, "").replacen("[trunks.carrier]\n", &carrier, 1);
            world.input(Input::Reload(super::plan::parse(&text)));
            world.settle();
        }
    }
}

/// Lets phones do all this, then checks that it all comes to an end.
fn survive(seed: u64, latency: u64, port_delay: u64, actions: Vec<Action>) {
    let settings = Settings {
        seed,
        media_latency: ms(latency),
        port_delay: ms(port_delay),
        ports: 5,
        gateway: "pin_budget = 4",
        carrier: MAY,
        first: MAY,
        second: "refer = true",
        ..Settings::default()
    };
    let mut world = World::new(settings);
    for _ in 0..PHONES {
        world.phone();
    }
    world.far_end(1, vec![says(100, 180), says(900, 200)]);
    world.far_end(2, vec![says(50, 180), says(4_000, 200)]);
    for action in actions {
        act(&mut world, action);
    }
    // Whoever still rings or dials gets an answer by itself, or gives up, within the time of an INVITE.
    world.run(secs(40));
    for phone in world.phones.iter().filter(|phone| !phone.gone) {
        assert!(!matches!(phone.agent.stage, Stage::Calling { .. }), "an INVITE without an answer");
    }
    world.finish();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn phones_may_do_anything_in_any_order(
        seed in any::<u64>(),
        latency in prop::sample::select(vec![0, 1, 7, 30]),
        port_delay in prop::sample::select(vec![0, 3, 250]),
        actions in prop::collection::vec(action(), 1..40),
    ) {
        survive(seed, latency, port_delay, actions);
    }
}
