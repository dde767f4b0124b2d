//! Any order of messages, losses and calls of the API is survived, and nothing is left behind.

use std::collections::HashMap;

use proptest::prelude::*;
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::super::*;
use super::pair::Fate;
use super::raw::{inside, invite, request};
use super::{Pair, Raw, Side, ms, sdp, secs};
use crate::sip::message::{HeaderName as H, Headers, Message, Method, Response, StatusCode, Transport};

fn act(pair: &mut Pair, side: Side, id: InviteId, what: u8) {
    let now = pair.now;
    let endpoint = pair.end(side);
    // Whether it is possible is not the point.
    let _ = match what {
        0 => endpoint.provisional(now, id, StatusCode::RINGING, None),
        1 => endpoint.provisional(now, id, StatusCode::SESSION_PROGRESS, Some(sdp("early"))),
        2 | 3 => endpoint.accept(now, id, sdp("answer")),
        4 => endpoint.reject(now, id, StatusCode::BUSY_HERE, Headers::new()),
        5 => endpoint.hangup(now, id, None),
        6 => endpoint.reinvite(now, id, Some(sdp("again"))),
        7 => endpoint.reinvite(now, id, None),
        8 => endpoint.update(now, id, Some(sdp("update"))),
        9 => endpoint.update(now, id, None),
        10 | 11 => endpoint.answer_offer(now, id, Ok(sdp("answer"))),
        12 => endpoint.answer_offer(now, id, Err(StatusCode::NOT_ACCEPTABLE_HERE)),
        13 => endpoint.acknowledge(now, id, Some(sdp("answer"))),
        14 => endpoint.info(now, id, &Headers::new(), &Body { content_type: "text/plain".into(), bytes: "x".into() }),
        _ => endpoint.acknowledge(now, id, None),
    };
}

/// Each call has exactly one last event, and nothing after it.
fn one_last_event_each<'a>(events: impl Iterator<Item = &'a Event>) {
    let mut over = HashMap::new();
    for event in events {
        let (id, last) = match event {
            Event::Cancelled { invite, .. } | Event::Failed { invite, .. } | Event::Ended { invite, .. } => {
                (invite, true)
            }
            Event::Incoming { invite, .. }
            | Event::Acknowledged { invite, .. }
            | Event::Offer { invite, .. }
            | Event::Answer { invite, .. }
            | Event::OfferFailed { invite, .. }
            | Event::Trying { invite }
            | Event::Progress { invite, .. }
            | Event::Answered { invite, .. }
            | Event::Info { invite, .. } => (invite, false),
            _ => continue,
        };
        assert!(!over.insert(*id, last).unwrap_or(false), "{event:?} after the last event");
    }
    assert!(over.values().all(|over| *over), "{over:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_calls_over_a_bad_network_leaves_nothing(
        seed in any::<u64>(),
        late_offer in any::<bool>(),
        reliable in any::<bool>(),
        stream in any::<bool>(),
        steps in prop::collection::vec((any::<bool>(), 0..16_u8, 0..3_000_u64), 1..40),
    ) {
        let policy = if reliable { ReliableProvisional::WhenSupported } else { ReliableProvisional::WhenRequired };
        let config = EndpointConfig { reliable_provisional: policy, session_expires: Some(secs(90)), ..EndpointConfig::default() };
        let transport = if stream { Transport::Tcp } else { Transport::Udp };
        let mut pair = Pair::with(config.clone(), config, transport, false);
        let mut dice = StdRng::seed_from_u64(seed);
        pair.rule(move |_, _| match dice.random_range(0..10) {
            0 | 1 if !stream => Fate::Drop,
            2 => Fate::Twice,
            3 => Fate::Late(ms(dice.random_range(10..4_000))),
            _ => Fate::Arrive,
        });
        let call = pair.outgoing(Side::A, (!late_offer).then(|| sdp("offer")));
        let now = pair.now;
        let a = pair.end(Side::A).invite(now, call).unwrap();
        let mut b = None;
        for (at_a, what, wait) in steps {
            if let Some(Event::Incoming { invite, .. }) =
                pair.events[1].iter().find(|event| matches!(event, Event::Incoming { .. }))
            {
                b = b.or(Some(*invite));
            }
            match (at_a, b) {
                (true, _) => act(&mut pair, Side::A, a, what),
                (false, Some(b)) => act(&mut pair, Side::B, b, what),
                (false, None) => {}
            }
            pair.run(ms(wait));
        }
        act(&mut pair, Side::A, a, 5);
        pair.run(secs(40));
        if let Some(b) = b {
            act(&mut pair, Side::B, b, 5);
        }
        pair.run(secs(1));
        // A call whose INVITE arrived only now.
        let late: Vec<_> = pair.events[1].iter().filter_map(|event| match event {
            Event::Incoming { invite, .. } => Some(*invite),
            _ => None,
        }).collect();
        for id in late {
            act(&mut pair, Side::B, id, 5);
        }
        pair.run(ms(1));
        for events in &pair.events {
            one_last_event_each(events.iter());
        }
        pair.finish();
    }

    #[test]
    fn any_messages_from_a_peer_leave_nothing(seed in any::<u64>(), count in 1..60_usize) {
        let mut raw = Raw::new();
        let mut dice = StdRng::seed_from_u64(seed);
        let mut seen: Vec<Response> = Vec::new();
        let mut asked = Vec::new();
        let methods = [
            Method::Invite, Method::Ack, Method::Cancel, Method::Bye, Method::Prack, Method::Update, Method::Info,
            Method::Options, Method::Refer,
        ];
        for _ in 0..count {
            let method = methods[dice.random_range(0..methods.len())].clone();
            let branch = format!("b{}", dice.random_range(0..6));
            let cseq = dice.random_range(1..5);
            let mut message = match seen.get(dice.random_range(0..=seen.len())) {
                Some(response) => inside(response, method, cseq, &branch),
                None if dice.random() => invite(&branch),
                None => request(method, &branch),
            };
            if dice.random() {
                message = message.with_body("application/sdp", "v=0\r\n");
            }
            match dice.random_range(0..5) {
                0 => message.headers.push(H::Require, "100rel"),
                1 => message.headers.push(H::RAck, format!("{} 1 INVITE", dice.random_range(0..3))),
                2 => message.headers.push(H::SessionExpires, "90;refresher=uac"),
                _ => {}
            }
            raw.receive(&Message::Request(message));
            for message in raw.sent() {
                match message {
                    Message::Response(response) => seen.push(response),
                    Message::Request(request) => asked.push(request),
                }
            }
            if let Some(request) = asked.get(dice.random_range(0..=asked.len())).cloned() {
                let status = [100, 180, 200, 302, 401, 408, 422, 481, 491, 500][dice.random_range(0..10)];
                let tag = ["x", "y", ""][dice.random_range(0..3)];
                raw.answer(&request, status, tag, |response| {
                    response.headers.push(H::Contact, "<sip:x@192.0.2.9>");
                });
            }
            let calls: Vec<_> = raw.events.iter().filter_map(|event| match event {
                Event::Incoming { invite, .. } => Some(*invite),
                _ => None,
            }).collect();
            let now = raw.now;
            if let Some(id) = calls.get(dice.random_range(0..=calls.len())) {
                let _ = match dice.random_range(0..6) {
                    0 => raw.endpoint.provisional(now, *id, StatusCode::RINGING, Some(sdp("x"))),
                    1 => raw.endpoint.accept(now, *id, sdp("x")),
                    2 => raw.endpoint.answer_offer(now, *id, Ok(sdp("x"))),
                    3 => raw.endpoint.reinvite(now, *id, Some(sdp("x"))),
                    4 => raw.endpoint.update(now, *id, None),
                    _ => raw.endpoint.hangup(now, *id, None),
                };
            }
            raw.wait(ms(dice.random_range(0..2_000)));
        }
        let calls: Vec<_> = raw.events.iter().filter_map(|event| match event {
            Event::Incoming { invite, .. } => Some(*invite),
            _ => None,
        }).collect();
        for id in calls {
            let now = raw.now;
            let _ = raw.endpoint.hangup(now, id, None);
        }
        raw.sent();
        one_last_event_each(raw.events.iter());
        raw.finish();
    }
}
