//! Who hears what: playbacks, conferences, players.

use super::*;
use crate::session::RoomHandle;

/// A script with a call that was answered, in `call`; a message is code.
fn with_call() -> Running {
    let mut running = silent(
        "var call, conf, player;
         VoxEngine.addEventListener(AppEvents.CallAlerting, (e) => {
             call ??= e.call;
             e.call.addEventListener(CallEvents.PlaybackStarted, () => Logger.write('started'));
             e.call.addEventListener(CallEvents.PlaybackFinished, (e) => Logger.write('finished' + (e.error ?? '')));
             e.call.addEventListener(CallEvents.MessageReceived, (e) => (0, eval)(e.text));
         })",
    );
    running.play(&[(incoming(), ""), (answered(CALL), "")]);
    running
}

fn code(text: &str) -> Event {
    message(CALL, text)
}

#[test]
fn a_playback_ends_by_itself_or_is_stopped_and_then_nobody_is_told() {
    with_call().play(&[
        (code("call.say('a')"), "play1 me 'a'"),
        (finished(1), "\"finished\""),
        (finished(1), ""),
        (code("call.say('b')"), "play2 me 'b'"),
        (code("call.stopPlayback()"), "stop2"),
        (finished(2), ""),
        (code("call.stopPlayback()"), ""),
        (code("call.startPlayback('https://example.com/a.mp3', true)"), "play3 me https://example.com/a.mp3 for ever"),
        (code("call.stopPlayback()"), "stop3"),
        (code("call.startPlayback('a', { loop: true })"), "play4 me a for ever"),
    ]);
}

#[test]
fn a_playback_that_begins_is_ready_and_has_its_length() {
    with_call().play(&[
        (
            code(
                "for (const name of [CallEvents.PlaybackReady, CallEvents.PlaybackStarted])
                     call.addEventListener(name, (e) => Logger.write([e.name, e.duration, e.call === call, e.id === call.id()]))",
            ),
            "",
        ),
        (code("call.startPlayback('a')"), "play1 me a"),
        (playing(1, 1500), r#""Call.PlaybackReady,,true,true"; "started"; "Call.PlaybackStarted,1500,true,true""#),
        (code("call.say('b')"), "stop1; play2 me 'b'"),
        (playing(1, 1500), ""),
        (code("call.addEventListener(CallEvents.PlaybackReady, () => call.stopPlayback())"), ""),
        (playing(2, 0), "stop2; \"Call.PlaybackReady,,true,true\""),
    ]);
}

#[test]
fn a_player_that_waits_goes_on_and_its_markers_wait_with_it() {
    let later = |running: &mut Running, milliseconds| running.now.wall += Duration::from_millis(milliseconds);
    let mut running = with_call();
    running.play(&[
        (
            code(
                "player = VoxEngine.createURLPlayer('a');
                 for (const name of ['Started', 'PlaybackMarkerReached', 'PlaybackFinished'])
                     player.addEventListener(PlayerEvents[name], (e) => Logger.write([name, e.duration ?? e.offset ?? '']));
                 for (const offset of [500, -100, -5000, 900]) player.addMarker(offset);
                 player.removeMarker(900);",
            ),
            "",
        ),
        (code("player.pause(); player.pause(); player.sendMediaTo(call)"), "play1 me a; pause1"),
        (playing(1, 2000), "\"Started,2000\""),
        (code("player.resume(); player.resume()"), "resume1; timer1 500ms; timer2 1900ms"),
    ]);
    later(&mut running, 300);
    running.play(&[(code("player.pause()"), "pause1; clear1; clear2")]);
    later(&mut running, 60_000);
    running.play(&[(code("player.resume()"), "resume1; timer3 200ms; timer4 1600ms")]);
    later(&mut running, 200);
    running.play(&[(timer(3), "\"PlaybackMarkerReached,500\""), (playing(1, 2000), "")]);
    later(&mut running, 1_700);
    running.play(&[
        (finished(1), "clear4; \"PlaybackFinished,\""),
        (code("player.sendMediaTo(call)"), "play2 me a"),
        (playing(2, 2000), "timer5 1900ms; \"Started,2000\""),
        (code("player.stop(); player.pause(); player.addMarker(1)"), "clear5; stop2"),
    ]);
    for (wrong, error) in [
        ("VoxEngine.createURLPlayer('a').addMarker('x')", "TypeError: addMarker: x is no number of milliseconds"),
        (
            "player = VoxEngine.createURLPlayer('a'); for (let at = 0; at < 30; at++) player.addMarker(at)",
            "RangeError: addMarker: more than 20 markers",
        ),
    ] {
        assert!(with_call().tell(&code(wrong)).starts_with(&format!("FAILED {error}")), "{wrong}");
    }
}

#[test]
fn a_conference_tells_what_could_not_be_connected_and_whose_name_changed() {
    let failed = |room| Event::RoomFailed { room: RoomHandle(room), why: "a circle".into() };
    let listen = "conf = VoxEngine.createConference();
        for (const name of ['ConferenceError', 'EndpointUpdated'])
            conf.addEventListener(ConferenceEvents[name], (e) =>
                Logger.write([name, e.error, e.conference === conf, e.endpoint?.displayName()]));";
    with_call().play(&[
        (code(listen), "open room1"),
        (failed(1), "\"ConferenceError,a circle,true,\""),
        (failed(2), ""),
        (
            code("var one = conf.add({ call }); one.setDisplayName('Bea')"),
            "me>room1; room1>me; \"EndpointUpdated,,true,Bea\"",
        ),
        (
            code("one.remove(); one.setDisplayName('Cid'); Logger.write(one.displayName())"),
            "me|room1; room1|me; \"Cid\"",
        ),
        (code("conf.stop()"), "close room1"),
        (failed(1), ""),
    ]);
}

#[test]
fn a_sound_that_cannot_be_had_ends_its_playback() {
    with_call().play(&[
        (code("call.startPlayback('nothing', true)"), "play1 me nothing for ever"),
        (
            refused(CALL, VerbError::NoSuchSound("nothing".into())),
            r#""play: there is no sound \"nothing\""; "finishedthere is no sound \"nothing\"""#,
        ),
        (code("call.say('a')"), "play2 me 'a'"),
        (Event::PlaybackFinished { playback: PlaybackHandle(2), completed: false }, "\"finishedit was cut off\""),
    ]);
}

#[test]
fn a_call_hears_one_thing_at_a_time() {
    with_call().play(&[
        (code("conf = VoxEngine.createConference()"), "open room1"),
        (code("conf.sendMediaTo(call)"), "room1>me"),
        (code("call.say('a')"), "room1|me; play1 me 'a'"),
        (code("conf.sendMediaTo(call)"), "stop1; room1>me"),
        (finished(1), ""),
        (code("call.sendMediaTo(conf)"), "me>room1"),
        (code("conf.stopMediaTo(call)"), "room1|me"),
        (code("conf.stopMediaTo(call)"), ""),
        (code("call.stopMediaTo(conf)"), "me|room1"),
        (code("VoxEngine.sendMediaBetween(call, conf)"), "me>room1; room1>me"),
        (code("VoxEngine.stopMediaBetween(call, conf)"), "me|room1; room1|me"),
    ]);
}

#[test]
fn conferences_have_endpoints() {
    with_call().play(&[
        (
            code(
                "conf = VoxEngine.createConference();
                 for (const name of Object.values(ConferenceEvents))
                     conf.addEventListener(name, (e) => Logger.write(e.name + (e.endpoint?.displayName() ?? '')))",
            ),
            "open room1; \"Conference.Started\"",
        ),
        (
            code("var one = conf.add({ call, mode: 'FORWARD', direction: 'BOTH', scheme: call.scheme })"),
            "me>room1; room1>me; \"Conference.EndpointAddedAnn\"",
        ),
        (
            code("Logger.write([conf.getList().length, conf.get(one.id()) === one, one.mode(), one.direction()])"),
            "\"1,true,FORWARD,BOTH\"",
        ),
        (code("one.remove(); one.remove()"), "me|room1; room1|me; \"Conference.EndpointRemovedAnn\""),
        (
            code("one = conf.add({ call, direction: 'RECEIVE', displayName: 'B' })"),
            "room1>me; \"Conference.EndpointAddedB\"",
        ),
        (
            code("one.remove(); one = conf.add({ call, direction: 'SEND' })"),
            "room1|me; me>room1; \"Conference.EndpointRemovedB\"; \"Conference.EndpointAddedAnn\"",
        ),
        (
            code("conf.stop(); conf.stop(); call.sendMediaTo(conf)"),
            "me|room1; close room1; \"Conference.EndpointRemovedAnn\"; \"Conference.Stopped\"",
        ),
    ]);
    for (wrong, error) in [
        ("VoxEngine.createConference().add({ call: 5 })", "TypeError: add: `call` is no call"),
        ("VoxEngine.createConference().add({ call, mode: 'X' })", "RangeError: add: the mode is MIX or FORWARD, not X"),
        ("VoxEngine.createConference().add({ call, direction: 'X' })", "RangeError: add: the direction is SEND"),
    ] {
        let said = with_call().tell(&code(wrong));
        assert!(said.starts_with(&format!("FAILED {error}")), "{wrong}: {said}");
    }
}

#[test]
fn who_hangs_up_leaves_the_conference() {
    with_call().play(&[
        (code("conf = VoxEngine.createConference(); conf.add({ call })"), "open room1; me>room1; room1>me"),
        (code("conf.addEventListener(ConferenceEvents.EndpointRemoved, () => Logger.write('removed'))"), ""),
        (ended(CALL), "\"removed\""),
    ]);
}

#[test]
fn players_send_what_they_have_to_each_target_from_its_beginning() {
    let other = CallHandle(CALL.0 + 1);
    let mut running = with_call();
    running.play(&[
        (arriving(other, "2", &[]), ""),
        (
            code(
                "player = VoxEngine.createURLPlayer('https://example.com/a.mp3');
                 for (const name of Object.values(PlayerEvents)) player.addEventListener(name, (e) => Logger.write(e.name))",
            ),
            r#""Player.Created"; "Player.PlaybackReady""#,
        ),
        (code("player.sendMediaTo(call)"), "play1 me https://example.com/a.mp3"),
        (code("conf = VoxEngine.createConference(); player.sendMediaTo(conf)"), "open room1; play2 room1 https://example.com/a.mp3"),
        (finished(1), ""),
        (finished(2), "\"Player.PlaybackFinished\""),
        (code("player.sendMediaTo(call); call.say('x')"), "play3 me https://example.com/a.mp3; stop3; play4 me 'x'"),
        (code("player.sendMediaTo(call)"), "stop4; play5 me https://example.com/a.mp3"),
        (code("player.stopMediaTo(call); player.stopMediaTo(call)"), "stop5"),
        (code("player.stop(); player.sendMediaTo(call)"), "\"Player.Stopped\""),
    ]);
}

#[test]
fn a_sound_that_cannot_be_had_is_known_by_its_name_where_no_call_is_named() {
    let missing = |name: &str| Event::VerbFailed { call: None, error: VerbError::NoSuchSound(name.into()) };
    with_call().play(&[
        (code("call.say('a')"), "play1 me 'a'"),
        (missing("b"), r#""play: there is no sound \"b\"""#),
        (missing("a"), r#""play: there is no sound \"a\""; "finishedthere is no sound \"a\"""#),
        (code("call.startPlayback('http://example.com/a.mp3?b=c')"), "play2 me http://example.com/a.mp3"),
        (
            missing("http://example.com/a.mp3"),
            r#""play: there is no sound \"http://example.com/a.mp3\""; "finishedthere is no sound \"http://example.com/a.mp3\"""#,
        ),
    ]);
}

#[test]
fn players_say_repeat_and_play_one_after_the_other() {
    with_call().play(&[
        (code("VoxEngine.createTTSPlayer('Hello', { language: Language.UK_ENGLISH_MALE }).sendMediaTo(call)"), "play1 me 'Hello' in en-GB"),
        (code("call.stopPlayback(); VoxEngine.createURLPlayer({ url: 'a' }, { loop: true }).sendMediaTo(call)"), "stop1; play2 me a for ever"),
        (
            code("VoxEngine.createSequencePlayer({ segments: [{ ttsPlayer: { text: 'One' } }, { urlPlayer: { url: 'b' } }] }).sendMediaTo(call)"),
            "stop2; play3 me 'One'",
        ),
        (finished(3), "play4 me b"),
        (finished(4), ""),
    ]);
    let said = logs("VoxEngine.createSequencePlayer([])");
    assert!(said.starts_with("FAILED TypeError: createSequencePlayer: there are no segments"), "{said}");
}

#[test]
fn a_player_whose_sound_is_not_there_says_so() {
    with_call().play(&[
        (
            code(
                "player = VoxEngine.createURLPlayer('none'); player.sendMediaTo(call);
                 player.addEventListener(PlayerEvents.Error, (e) => Logger.write(e.error))",
            ),
            "play1 me none",
        ),
        (
            refused(CALL, VerbError::NoSuchSound("none".into())),
            r#""play: there is no sound \"none\""; "there is no sound \"none\"""#,
        ),
    ]);
}

#[test]
fn a_text_is_said_in_the_language_of_the_voice_asked_for() {
    for (voice, language) in [
        ("Language.RU_RUSSIAN_FEMALE", " in ru-RU"),
        ("VoiceList.Amazon.fr_FR_Lea", " in fr-FR"),
        ("{ language: VoiceList.Google.de_DE_Wavenet_A, progressivePlayback: true }", " in de-DE"),
        ("{ voice: Language.US_ENGLISH_MALE }", " in en-US"),
        ("{ rate: 1 }", ""),
        ("undefined", ""),
    ] {
        let said = with_call().tell(&code(&format!("call.say('a', {voice})")));
        assert_eq!(said, format!("play1 me 'a'{language}"), "{voice}");
        let said = with_call().tell(&code(&format!("VoxEngine.createTTSPlayer('a', {voice}).sendMediaTo(call)")));
        assert_eq!(said, format!("play1 me 'a'{language}"), "{voice}");
    }
    let said = with_call().tell(&code("call.say('a', '-x; y')"));
    assert!(said.starts_with("FAILED TypeError: a voice is a value of Language or VoiceList"), "{said}");
}

#[test]
fn tones_are_made_of_scripts() {
    with_call().play(&[
        (code("player = VoxEngine.createToneScriptPlayer('350@-13,440@-13;10(*/0/1+2)')"), ""),
        (code("player.sendMediaTo(call)"), "play1 me 80000 samples"),
        (
            code("VoxEngine.createToneScriptPlayer('425@-20;1(.5/0/1);*(.2/.3/1)').sendMediaTo(call)"),
            "stop1; play2 me 8000 samples+4000 samples for ever",
        ),
        (
            code("VoxEngine.createToneScriptPlayer('425@-20;1(.5/.5/1)', true).sendMediaTo(call)"),
            "stop2; play3 me 8000 samples for ever",
        ),
        (
            code(
                "VoxEngine.createSequencePlayer([{ toneScriptPlayer: { script: '425@-20;1(1/0/1)' } },
                     { urlPlayer: { url: 'a' } }]).sendMediaTo(call)",
            ),
            "stop3; play4 me 8000 samples",
        ),
        (finished(4), "play5 me a"),
    ]);
    let said = logs("VoxEngine.createToneScriptPlayer('beep')");
    assert!(
        said.starts_with("FAILED RangeError: beep is no tone script: a frequency is written hertz@level"),
        "{said}"
    );
}
