//! Streams: a bot of nobody's, in rooms and calls of a scenario.

use super::phone::tone;
use super::scenarios::{called, world};
use super::world::{World, ms, secs};
use partyline::audio::goertzel::tone_dbfs;
use partyline::gateway::{SessionId, StreamEnd};
use partyline::media::command::{LiveWriter, StreamSample};
use partyline::session::{CallHandle, Event, RoomHandle, RoomName, StreamHandle, StreamWay, Unit, Verb};
use partyline::types::SampleRate;
use std::time::Duration;

const ROOM: RoomHandle = RoomHandle(1);
const IN: StreamHandle = StreamHandle(1);
const OUT: StreamHandle = StreamHandle(2);
/// What the bot says: no phone does.
const BOTS: f64 = 2_900.0;
/// How long sound is under way from the gateway to what a phone has heard, at most, milliseconds.
const WAY: usize = 60;
/// Samples in 20 ms.
const FRAME: usize = 160;

/// Whoever has the other ends of two streams.
struct Bot {
    writer: Option<LiveWriter>,
    sound: rtrb::Consumer<i16>,
    said: usize,
    heard: Vec<i16>,
    /// What it answers; where it is none, all that sounds.
    answers: Option<f64>,
}

impl Bot {
    /// Opens a session's streams.
    fn of(world: &mut World, session: SessionId) -> Self {
        let out = StreamWay::Out { rate: SampleRate::HZ_8000, less: Some(IN), ear: false };
        let open = |stream, way| Verb::OpenStream { stream, way };
        world.say(session, vec![open(IN, StreamWay::In), open(OUT, out)]);
        let started = world.scenarios.iter_mut().find(|started| started.session == session).unwrap();
        let ends = std::mem::take(&mut started.streams);
        match <[_; 2]>::try_from(ends) {
            Ok([(IN, StreamEnd::In(writer)), (OUT, StreamEnd::Out(sound))]) => {
                Self { writer: Some(writer), sound, said: 0, heard: Vec::new(), answers: None }
            }
            other => panic!("{other:?}"),
        }
    }

    /// The next piece of its tone.
    fn tone(&mut self, samples: usize) -> Vec<StreamSample> {
        let piece = (self.said..self.said + samples).map(|n| {
            let value = 6_000.0 * (std::f64::consts::TAU * BOTS * n as f64 / 8_000.0).sin();
            StreamSample { narrow: value as i16, wide: [value as i16; 2] }
        });
        let piece = piece.collect();
        self.said += samples;
        piece
    }

    /// Answers each piece that sounds with as much of its tone.
    fn answer(&mut self) {
        while let Ok(chunk) = self.sound.read_chunk(FRAME) {
            let piece: Vec<i16> = chunk.into_iter().collect();
            let sounds = match self.answers {
                Some(hertz) => tone_dbfs(&piece, 8_000, hertz) > -30.0,
                None => piece.iter().any(|sample| sample.unsigned_abs() > 500),
            };
            self.heard.extend(piece);
            let answer = if sounds { self.tone(FRAME) } else { vec![StreamSample::default(); FRAME] };
            self.writer.as_mut().unwrap().write(&answer);
        }
    }

    /// How loud it hears a frequency in the last second.
    fn level(&self, hertz: f64) -> f32 {
        tone_dbfs(&self.heard[self.heard.len() - 8_000..], 8_000, hertz)
    }
}

/// Two phones and the bot in one room of a session. The second phone comes by a session of its own.
fn together() -> (World, SessionId, [usize; 2], Bot) {
    let mut world = world();
    let (one, session, call) = called(&mut world);
    let both = |one, other| [(one, other), (other, one)].map(|(source, sink)| Verb::Connect { source, sink });
    let mut verbs = vec![Verb::Answer { call }, Verb::OpenRoom { room: ROOM, name: RoomName::Plain("desk".into()) }];
    verbs.extend(both(Unit::Call(call), Unit::Room(ROOM)));
    world.say(session, verbs);
    let mut bot = Bot::of(&mut world, session);
    let hears = Verb::Connect { source: Unit::Room(ROOM), sink: Unit::Stream(OUT) };
    world.say(session, vec![Verb::Connect { source: Unit::Stream(IN), sink: Unit::Room(ROOM) }, hears]);
    let (other, session_of_other, call) = called(&mut world);
    let mut verbs = vec![Verb::Answer { call }, Verb::OpenRoom { room: ROOM, name: RoomName::Plain("desk".into()) }];
    verbs.extend(both(Unit::Call(call), Unit::Room(ROOM)));
    world.say(session_of_other, verbs);
    // What nobody has listened to meanwhile is not to be answered late.
    while let Ok(chunk) = bot.sound.read_chunk(FRAME) {
        chunk.commit_all();
    }
    (world, session, [one, other], bot)
}

fn run(world: &mut World, bot: &mut Bot, time: Duration) {
    for _ in 0..time.as_millis() / 5 {
        world.run(ms(5));
        bot.answer();
    }
}

/// Since when a tone sounds in what was heard, in milliseconds.
fn onset(heard: &[i16], hertz: f64) -> usize {
    let sounds = |piece: &[i16]| tone_dbfs(piece, 8_000, hertz) > -30.0;
    heard.windows(80).step_by(8).position(sounds).expect("it is heard")
}

#[test]
fn a_bot_in_a_room_hears_all_but_itself_and_is_heard_at_most_60_ms_late() {
    let (mut world, session, [one, other], mut bot) = together();
    bot.answers = Some(tone(other));
    run(&mut world, &mut bot, secs(4));
    world.assert_together(&[one, other]);
    for phone in [one, other] {
        let level = tone_dbfs(&world.last(phone, secs(1))[..8_000], 8_000, BOTS);
        assert!(level > -30.0, "phone {phone} hears the bot at {level} dBFS");
        assert!(bot.level(tone(phone)) > -30.0, "the bot hears phone {phone}");
    }
    assert!(bot.level(BOTS) < -50.0, "it does not hear itself");
    // It answers the phone that came last: how much later than that phone is it heard?
    let heard = world.last(one, secs(6));
    let (first, answer) = (onset(&heard, tone(other)), onset(&heard, BOTS));
    assert!((first..=first + 60).contains(&answer), "the phone after {first} ms, the bot after {answer} ms");
    eprintln!("the bot is {} ms late", answer - first);
    world.say(session, vec![Verb::EndSession]);
    run(&mut world, &mut bot, secs(1));
    assert!(bot.writer.as_ref().unwrap().is_over() && bot.sound.is_abandoned(), "its streams end with the session");
    world.bye(other);
    world.run(secs(70));
    world.finish();
}

#[test]
fn what_is_thrown_away_is_silent_within_40_ms_and_what_comes_after_is_heard() {
    let (mut world, session, [one, other], mut bot) = together();
    world.run(secs(2));
    let ahead = bot.tone(5 * 8_000);
    assert_eq!(bot.writer.as_mut().unwrap().write(&ahead), 0);
    world.run(secs(1));
    let level = |world: &World, from: Duration, length: usize| {
        let heard = world.last(one, from);
        tone_dbfs(&heard[..heard.len().min(length)], 8_000, BOTS)
    };
    assert!(level(&world, ms(200), 1_600) > -30.0);
    bot.writer.as_mut().unwrap().clear();
    // The way to the phone is as long as everything's: 40 ms after what had left by then.
    world.run(ms(300));
    let heard = world.last(one, ms(300));
    let sounding = heard.chunks_exact(40).filter(|piece| tone_dbfs(piece, 8_000, BOTS) > -30.0).count() * 5;
    assert!(sounding <= WAY + 40, "{sounding} ms were still heard");
    let more = bot.tone(4_000);
    bot.writer.as_mut().unwrap().write(&more);
    world.run(ms(400));
    assert!(level(&world, ms(200), 800) > -30.0, "what comes after");
    world.say(session, vec![Verb::EndSession]);
    world.bye(other);
    world.run(secs(70));
    world.finish();
}

#[test]
fn whoever_goes_without_a_word_is_missed_by_nobody() {
    let (mut world, session, [one, other], mut bot) = together();
    run(&mut world, &mut bot, secs(2));
    drop(bot);
    world.run(secs(2));
    world.assert_together(&[one, other]);
    // Its player is over; that the session ends the streams as well is nothing to be told.
    world.say(session, vec![Verb::CloseStream { stream: OUT }, Verb::CloseStream { stream: OUT }]);
    let failed = world.scenarios[0].take().into_iter().filter(|event| matches!(event, Event::VerbFailed { .. }));
    assert_eq!(failed.count(), 1, "there is one stream of that name");
    let lost = [one, other].map(|phone| world.statistics(phone).packets_lost);
    assert_eq!(lost, [0, 0]);
    world.say(session, vec![Verb::EndSession]);
    world.bye(other);
    world.run(secs(70));
    world.finish();
}

#[test]
fn a_call_hears_a_stream_and_streams_have_one_way() {
    let mut world = world();
    let (phone, session, call) = called(&mut world);
    world.say(session, vec![Verb::Answer { call }]);
    let mut bot = Bot::of(&mut world, session);
    world.say(
        session,
        vec![
            Verb::Connect { source: Unit::Call(call), sink: Unit::Stream(OUT) },
            Verb::Connect { source: Unit::Stream(IN), sink: Unit::Call(call) },
        ],
    );
    run(&mut world, &mut bot, secs(3));
    assert!(tone_dbfs(&world.last(phone, secs(1))[..8_000], 8_000, BOTS) > -30.0);
    assert!(bot.level(tone(phone)) > -30.0);
    world.scenarios[0].take();
    let made = CallHandle(7);
    world.say(
        session,
        vec![
            Verb::Connect { source: Unit::Stream(OUT), sink: Unit::Call(call) },
            Verb::Connect { source: Unit::Call(call), sink: Unit::Stream(IN) },
            Verb::Connect { source: Unit::Stream(StreamHandle(9)), sink: Unit::Call(call) },
            Verb::OpenStream { stream: IN, way: StreamWay::In },
            Verb::Connect { source: Unit::Stream(IN), sink: Unit::Call(made) },
        ],
    );
    let told = world.scenarios[0].take();
    let failed = told.iter().filter(|event| matches!(event, Event::VerbFailed { .. })).count();
    assert_eq!(failed, 5, "{told:?}");
    // It is heard no more, and goes on: whoever it is sent to next hears it.
    world.say(session, vec![Verb::Disconnect { source: Unit::Stream(IN), sink: Unit::Call(call) }]);
    run(&mut world, &mut bot, secs(2));
    assert!(tone_dbfs(&world.last(phone, secs(1))[..8_000], 8_000, BOTS) < -50.0);
    world.say(session, vec![Verb::Connect { source: Unit::Stream(IN), sink: Unit::Call(call) }]);
    run(&mut world, &mut bot, secs(2));
    assert!(tone_dbfs(&world.last(phone, secs(1))[..8_000], 8_000, BOTS) > -30.0);
    world.say(session, vec![Verb::EndSession]);
    world.run(secs(1));
    world.finish();
}

#[test]
fn an_ear_hears_what_a_call_hears_whoever_that_is_and_not_what_it_says() {
    let (mut world, session, [one, other], mut bot) = together();
    let (ear, call) = (StreamHandle(5), CallHandle::FIRST_GIVEN);
    let way = StreamWay::Out { rate: SampleRate::HZ_8000, less: None, ear: true };
    world.say(
        session,
        vec![
            Verb::OpenStream { stream: ear, way },
            Verb::Connect { source: Unit::Call(call), sink: Unit::Stream(ear) },
        ],
    );
    let Some((_, StreamEnd::Out(mut sound))) = world.scenarios[0].streams.pop() else { panic!() };
    let mut heard = || {
        let samples = sound.slots();
        let all: Vec<i16> = sound.read_chunk(samples).unwrap().into_iter().collect();
        all[all.len() - 8_000..].to_vec()
    };
    run(&mut world, &mut bot, secs(2));
    let levels = |heard: &[i16]| [tone(one), tone(other), BOTS].map(|hertz| tone_dbfs(heard, 8_000, hertz));
    let [own, others, bots] = levels(&heard());
    assert!(own < -50.0 && others > -30.0 && bots > -30.0, "{own} {others} {bots}");
    // It hears something else now, and so does its ear.
    world.say(
        session,
        vec![
            Verb::Disconnect { source: Unit::Room(ROOM), sink: Unit::Call(call) },
            Verb::Connect { source: Unit::Stream(IN), sink: Unit::Call(call) },
        ],
    );
    run(&mut world, &mut bot, secs(2));
    let [own, others, bots] = levels(&heard());
    assert!(own < -50.0 && others < -50.0 && bots > -30.0, "{own} {others} {bots}");
    world.say(session, vec![Verb::EndSession]);
    world.bye(other);
    world.run(secs(70));
    world.finish();
}
