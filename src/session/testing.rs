//! Sessions tested as scripts: what happens, and what the session answers, in short words.

use super::collect::Completion;
use super::*;
use proptest::prelude::*;

pub(super) const CALL: CallHandle = CallHandle::FIRST_GIVEN;

/// Runs a script: each event with the verbs it must lead to, in short, joined by "; ".
#[track_caller]
pub(super) fn play_through(session: &mut impl Session, script: &[(Event, &str)]) {
    for (n, (event, expected)) in script.iter().enumerate() {
        let said = react(session, event).iter().map(short).collect::<Vec<_>>().join("; ");
        assert_eq!(said, *expected, "after event {n}, {event:?}");
    }
}

/// The verbs that one event leads to.
pub(super) fn react(session: &mut impl Session, event: &Event) -> Vec<Verb> {
    let mut out = Verbs::default();
    session.handle(event, &mut out);
    out.drain().collect()
}

pub(super) fn short(verb: &Verb) -> String {
    match verb {
        Verb::Ring { .. } => "ring".into(),
        Verb::Answer { .. } => "answer".into(),
        Verb::Reject { status, .. } => format!("reject {status}"),
        Verb::Hangup { cause, .. } => format!("hangup {cause}"),
        Verb::Play { playback, items, .. } => {
            format!("play{} {}", playback.0, items.iter().map(sound).collect::<Vec<_>>().join("+"))
        }
        Verb::StopPlayback { playback } => format!("stop{}", playback.0),
        Verb::Collect { spec, .. } => format!("collect {}-{}", spec.min_digits, spec.max_digits),
        Verb::StopCollect { .. } => "no-collect".into(),
        Verb::Dial { to: DialTarget::Number(number), .. } => format!("dial {number}"),
        Verb::Dial { to: DialTarget::User(name), .. } => format!("dial user:{name}"),
        Verb::CheckPin { pin, room, open_rooms, .. } => {
            format!("check {}{} room{}", &**pin, if *open_rooms { " open" } else { "" }, room.0)
        }
        Verb::OpenRoom { room, name: RoomName::Own } => format!("open room{}", room.0),
        Verb::OpenRoom { room, name: RoomName::Plain(name) } => format!("open room{} {name}", room.0),
        Verb::OpenRoom { room, name: RoomName::Keyed { template, number, digits } } => {
            format!("open room{} keyed {}", room.0, template.expand(number, digits))
        }
        Verb::Connect { source, sink } => format!("{}>{}", unit(*source), unit(*sink)),
        Verb::Disconnect { source, sink } => format!("{}|{}", unit(*source), unit(*sink)),
        Verb::SetTimer { timer, after } => format!("timer{} {}s", timer.0, after.as_secs()),
        Verb::ClearTimer { timer } => format!("clear{}", timer.0),
        Verb::EndSession => "end".into(),
        other => other.name().into(),
    }
}

fn sound(item: &PlayItem) -> String {
    match item {
        PlayItem::Prompt(name) => name.clone(),
        PlayItem::Text(text) => format!("'{text}'"),
        PlayItem::TextIn { language, text } => format!("'{text}' in {language}"),
        PlayItem::Made { samples, .. } => format!("{} samples", samples.len()),
        PlayItem::File(source) => source.to_string(),
        PlayItem::Tone(tone) => format!("tone:{tone}"),
        PlayItem::Silence(length) => format!("silence:{}", length.as_millis()),
    }
}

fn unit(unit: Unit) -> String {
    match unit {
        Unit::Call(CALL) => "me".into(),
        Unit::Call(CallHandle(other)) => format!("call{other}"),
        Unit::Room(room) => format!("room{}", room.0),
        Unit::Stream(stream) => format!("stream{}", stream.0),
    }
}

pub(super) fn incoming(number: &str) -> Event {
    incoming_by(CALL, number)
}

fn incoming_by(call: CallHandle, number: &str) -> Event {
    Event::Incoming { call, from: Party::default(), number: number.into(), alerting: None }
}

pub(super) fn answered() -> Event {
    Event::Answered { call: CALL }
}

pub(super) fn ended() -> Event {
    Event::Ended { call: CALL, ending: Ending::default() }
}

pub(super) fn collected(digits: &str, how: Completion) -> Event {
    Event::Collected { call: CALL, digits: digits.into(), how }
}

/// An entry ended by the terminator.
pub(super) fn keyed(digits: &str) -> Event {
    collected(digits, Completion::Terminator)
}

pub(super) fn verdict(verdict: PinVerdict) -> Event {
    Event::PinChecked { call: CALL, verdict }
}

pub(super) fn opened() -> Event {
    verdict(PinVerdict::Opened { name: "standup".into(), host: false, members: 0 })
}

pub(super) fn finished(playback: u32) -> Event {
    Event::PlaybackFinished { playback: PlaybackHandle(playback), completed: true }
}

pub(super) fn timer(timer: u32) -> Event {
    Event::Timer { timer: TimerHandle(timer) }
}

pub(super) fn members(members: usize) -> Event {
    Event::RoomChanged { room: RoomHandle(1), members }
}

pub(super) fn refused(verb: &'static str) -> Event {
    Event::VerbFailed { call: Some(CALL), error: VerbError::WrongState { verb, state: "odd" } }
}

pub(super) fn limited(verb: &'static str) -> Event {
    Event::VerbFailed { call: Some(CALL), error: VerbError::Limit { verb, limit: "members" } }
}

pub(super) fn no_sound(name: &str) -> Event {
    Event::VerbFailed { call: Some(CALL), error: VerbError::NoSuchSound(name.into()) }
}

/// Any event, about this call or another, with handles that are sometimes the current ones.
pub(super) fn any_event() -> impl Strategy<Value = Event> {
    let call = prop_oneof![9 => Just(CALL), 1 => Just(CallHandle(8))];
    let how = prop::sample::select(vec![
        Completion::Terminator,
        Completion::Full,
        Completion::NextDigitTimeout,
        Completion::TooShort,
        Completion::NoInput,
    ]);
    let verdicts = prop::sample::select(vec![
        PinVerdict::Opened { name: "standup".into(), host: true, members: 3 },
        PinVerdict::Wrong,
        PinVerdict::Blocked,
    ]);
    let verb = prop::sample::select(vec![
        "ring",
        "answer",
        "hangup",
        "play",
        "stop_playback",
        "collect",
        "stop_collect",
        "check_pin",
        "open_room",
        "connect",
        "disconnect",
        "set_timer",
        "clear_timer",
    ]);
    let error = (verb, 0..4).prop_map(|(verb, kind)| match kind {
        0 => VerbError::Unknown { verb },
        1 => VerbError::Limit { verb, limit: "any" },
        2 => VerbError::NoSuchSound("wrong-pin".into()),
        _ => VerbError::WrongState { verb, state: "any" },
    });
    prop_oneof![
        2 => call.clone().prop_map(|call| incoming_by(call, "1000")),
        2 => call.clone().prop_map(|call| Event::Answered { call }),
        1 => call.clone().prop_map(|call| Event::Ended { call, ending: Ending::default() }),
        1 => call.clone().prop_map(|call| Event::Digit { call, digit: '1' }),
        4 => (call.clone(), how).prop_map(|(call, how)| Event::Collected { call, digits: "1234".into(), how }),
        4 => (call.clone(), verdicts).prop_map(|(call, verdict)| Event::PinChecked { call, verdict }),
        4 => (0u32..8).prop_map(finished),
        4 => (0u32..12).prop_map(timer),
        3 => (0usize..3).prop_map(members),
        3 => (prop::option::of(call), error).prop_map(|(call, error)| Event::VerbFailed { call, error }),
    ]
}

/// What holds for every session of one caller, whatever happens in whatever order.
///
/// Until the end one timer is always set, save in the room where nothing is waited for; after the end there is not one
/// word more.
pub(super) fn survives(session: &mut impl Session, events: Vec<Event>) -> Result<(), TestCaseError> {
    let mut over = false;
    let mut timers = std::collections::HashSet::new();
    let mut inside = false;
    let mut live = false;
    for event in events {
        if let Event::Timer { timer } = &event {
            timers.remove(timer);
        }
        live |= matches!(event, Event::Incoming { .. });
        let verbs = react(session, &event);
        prop_assert!(!over || verbs.is_empty(), "{verbs:?} after the end");
        prop_assert!(verbs.len() <= 12, "{verbs:?}");
        let cleared = verbs.iter().any(|verb| matches!(verb, Verb::ClearTimer { .. }));
        let call_ended = matches!(&event, Event::Ended { .. }) && !verbs.is_empty();
        prop_assert!(!call_ended || verbs == [Verb::EndSession], "{verbs:?} to a caller who has hung up");
        for verb in verbs {
            match verb {
                Verb::SetTimer { timer, .. } => {
                    timers.insert(timer);
                }
                Verb::ClearTimer { timer } => prop_assert!(timers.remove(&timer), "clears what is not set"),
                Verb::EndSession => over = true,
                _ => {}
            }
        }
        inside = timers.is_empty() && (inside || (cleared && matches!(event, Event::RoomChanged { .. })));
        prop_assert!(over || inside || !live || timers.len() == 1, "nothing is waited for after {event:?}");
    }
    Ok(())
}
