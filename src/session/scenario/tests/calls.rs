//! Calls: what they are asked, what is told of them.

use super::*;

/// A script with a call that came in, in `call`; `code` is what a message "go" leads to.
#[track_caller]
fn with_call(code: &str) -> Running {
    let mut running = silent(&format!(
        "let call;
         VoxEngine.addEventListener(AppEvents.CallAlerting, (e) => {{
             call = e.call;
             call.addEventListener(CallEvents.MessageReceived, () => {{ {code} }});
         }})"
    ));
    assert_eq!(running.tell(&incoming()), "");
    running
}

/// What such code leads to.
#[track_caller]
fn does(code: &str) -> String {
    with_call(code).tell(&message(CALL, "go"))
}

/// The fields of an event of a call, but for the call itself.
const SHOW: &str = "function show(e) { const { call, ...rest } = e; Logger.write(JSON.stringify(rest)) }";

#[test]
fn each_method_asks_for_its_verb() {
    for (code, verbs) in [
        ("call.answer()", "answer me"),
        ("call.ring()", "ring me"),
        ("call.startEarlyMedia()", "early me"),
        ("call.reject()", "reject me 603"),
        ("call.reject(486)", "reject me 486"),
        ("call.decline()", "reject me 603"),
        ("call.hangup()", "hangup me"),
        ("call.handleTones(true)", "digits me true"),
        ("call.handleTones(false)", "digits me false"),
        ("call.sendDigits('12#*a,p')", "send me 12#*A"),
        ("call.sendMessage('hello')", "message me hello"),
        ("call.sendMessage({})", "message me [object Object]"),
        ("call.sendInfo('text/plain', 'body', {'X-A': 'b'})", "info me text/plain body X-A=b"),
        ("call.say('Hello')", "play1 me 'Hello'"),
        ("call.say('<speak>Hello <break/>you</speak>')", "play1 me ' Hello  you '"),
        ("call.say('Hello', Language.UK_ENGLISH_FEMALE)", "play1 me 'Hello' in en-GB"),
        ("call.say('Hello', VoiceList.Amazon.en_GB_Amy)", "play1 me 'Hello' in en-GB"),
        (
            "call.say('Hello', { language: VoiceList.Google.en_US_Standard_A, progressivePlayback: true })",
            "play1 me 'Hello' in en-US",
        ),
        ("call.startPlayback('https://example.com/a.mp3')", "play1 me https://example.com/a.mp3"),
        ("call.startPlayback('welcome')", "play1 me welcome"),
        ("call.stopPlayback()", ""),
        ("call.hold()", "hold me true"),
        ("call.unhold()", "hold me false"),
        ("call.transferTo('+442079460999')", "refer me +442079460999"),
        ("call.transferTo(VoxEngine.callPSTN('5'))", "dial call1 5; refer me to call1 or 5"),
        ("VoxEngine.callPSTN('5').transferTo(call)", "dial call1 5; refer call1 to me or +442079460123"),
    ] {
        assert_eq!(does(code), verbs, "{code}");
    }
}

#[test]
fn wrong_arguments_are_errors_with_their_place() {
    for (code, error) in [
        ("call.reject(200)", "RangeError: reject: 200 is no status of a refusal, 400 to 699"),
        ("call.sendDigits('1x')", "RangeError: sendDigits: 1x has other characters than digits"),
        ("call.startPlayback('ftp://example.com/')", "TypeError: a sound is fetched by http or https, not by ftp"),
        ("call.startPlayback()", "TypeError: a playback needs a URL, or the name of a prompt"),
        ("call.say('a', 5)", "TypeError: a voice is a value of Language or VoiceList"),
        ("call.sendMediaTo({})", "TypeError: sendMediaTo: this is neither a call nor a conference"),
        ("call.addEventListener(undefined, () => {})", "TypeError: addEventListener: the event is no event's name"),
        (
            "call.addEventListener(CallEvents.Connected)",
            "TypeError: addEventListener(Call.Connected): the callback is no",
        ),
        ("call.transferTo()", "TypeError: transferTo: there is nobody to call"),
        ("new call.constructor()", "TypeError: calls are made by VoxEngine"),
    ] {
        let said = does(code);
        assert!(said.starts_with(&format!("FAILED {error}")) && said.contains("(test.js:4:"), "{code}: {said}");
    }
}

#[test]
fn a_call_knows_its_facts() {
    for (code, shown) in [
        ("call.callerid()", "+442079460123"),
        ("call.displayName()", "Ann"),
        ("call.number()", "1000"),
        ("call.state()", "ALERTING"),
        ("call.incoming()", "true"),
        ("call.customData()", ""),
        ("(call.customData('x'), call.customData())", "x"),
        ("call.id() === call.id() && call.id().length", "36"),
        ("JSON.stringify(call.headers())", "{}"),
    ] {
        assert_eq!(does(&format!("Logger.write({code})")), format!("{shown:?}"), "{code}");
    }
}

#[test]
fn an_arriving_call_is_told_with_all_that_is_known() {
    let mut running = silent(&format!(
        "{SHOW} VoxEngine.addEventListener(AppEvents.CallAlerting, (e) => {{ delete e.id; show(e) }})"
    ));
    let said = running.tell(&arriving(CALL, "+442079460123", &[("X-ClientType", "web")]));
    let shown: serde_json::Value = serde_json::from_str(&serde_json::from_str::<String>(&said).unwrap()).unwrap();
    let expected = serde_json::json!({
        "name": "Application.CallAlerting", "callerid": "+442079460123", "displayName": "Ann",
        "headers": { "X-ClientType": "web" }, "destination": "1000", "customData": "",
        "fromURI": "sip:+442079460123", "toURI": "sip:1000", "scheme": {},
    });
    assert_eq!(shown, expected);
}

#[test]
fn the_first_packet_is_told_once_and_of_a_call_that_comes_in_after_its_answer() {
    let first = |call| Event::FirstPacket { call };
    let listen = "for (const name of ['Connected', 'AudioStarted', 'FirstAudioPacketReceived'])
        call.addEventListener(CallEvents[name], () => Logger.write(name));";
    let alerting = format!("VoxEngine.addEventListener(AppEvents.CallAlerting, ({{ call }}) => {{ {listen} }})");
    let all = r#""Connected"; "AudioStarted"; "FirstAudioPacketReceived""#;
    silent(&alerting).play(&[(incoming(), ""), (first(CALL), ""), (answered(CALL), all), (first(CALL), "")]);
    silent(&alerting).play(&[
        (incoming(), ""),
        (answered(CALL), r#""Connected"; "AudioStarted""#),
        (first(CALL), "\"FirstAudioPacketReceived\""),
        (first(CALL), ""),
        (ended(CALL), ""),
        (first(CALL), ""),
    ]);
    let (mut running, _) = start(&format!("const call = VoxEngine.callPSTN('1'); {listen}"));
    running.play(&[
        (Event::EarlyMedia { call: FIRST }, "\"AudioStarted\""),
        (first(FIRST), "\"FirstAudioPacketReceived\""),
        (answered(FIRST), "\"Connected\""),
        (first(FIRST), ""),
    ]);
}

/// Every event of a call, with what it bears.
#[test]
fn each_event_comes_with_its_fields() {
    const LISTEN: &str = "
        function show(e) {
            const { call, ...rest } = e;
            if (call.id() !== e.id) Logger.write('wrong call');
            delete rest.id;
            Logger.write(JSON.stringify(rest));
        }
        VoxEngine.addEventListener(AppEvents.CallAlerting, (e) => {
            for (const name of Object.values(CallEvents)) e.call.addEventListener(name, show);
            e.call.handleTones(true);
        })";
    let all = |event: Event| {
        let mut running = silent(LISTEN);
        assert_eq!(running.tell(&incoming()), "digits me true");
        running.tell(&event)
    };
    let line = |text: &str| format!("{text:?}");
    let info = Event::Info {
        call: CALL,
        content_type: "text/plain".into(),
        headers: vec![("X-A".into(), "b".into())],
        body: "hi".into(),
    };
    for (event, shown) in [
        (Event::Ringing { call: CALL, tone: "ringback".into() }, r#"{"name":"Call.Ringing","headers":{}}"#),
        (Event::EarlyMedia { call: CALL }, r#"{"name":"Call.AudioStarted"}"#),
        (message(CALL, "hi"), r#"{"name":"Call.MessageReceived","text":"hi"}"#),
        (info, r#"{"name":"Call.InfoReceived","mimeType":"text/plain","body":"hi","headers":{"X-A":"b"}}"#),
        (digit(CALL, '#'), r##"{"name":"Call.ToneReceived","tone":"#"}"##),
        (Event::Held { call: CALL, on: true }, r#"{"name":"Call.OnHold"}"#),
        (Event::Held { call: CALL, on: false }, r#"{"name":"Call.OffHold"}"#),
        (Event::SoundStopped { call: CALL }, r#"{"name":"Call.RtpStopped"}"#),
        (
            Event::Disturbs { call: CALL, disturbance: Disturbance::Echo, on: true },
            r#"{"name":"Call.DisturbanceBegan","disturbance":"echo"}"#,
        ),
        (
            Event::Disturbs { call: CALL, disturbance: Disturbance::Music, on: false },
            r#"{"name":"Call.DisturbanceEnded","disturbance":"music"}"#,
        ),
        (referred(200), r#"{"name":"Call.TransferComplete","role":"transferor"}"#),
        (referred(603), r#"{"name":"Call.TransferFailed","code":603,"reason":"why","role":"transferor"}"#),
        (failed(CALL, 486), r#"{"name":"Call.Failed","code":486,"reason":"Busy Here","headers":{}}"#),
        (ended(CALL), r#"{"name":"Call.Failed","code":487,"reason":"bye","headers":{}}"#),
    ] {
        assert_eq!(all(event.clone()), line(shown), "{event:?}");
    }
    assert_eq!(
        all(answered(CALL)),
        [r#"{"name":"Call.Connected","headers":{},"customData":""}"#, r#"{"name":"Call.AudioStarted"}"#]
            .map(line)
            .join("; ")
    );
    let mut running = silent(LISTEN);
    running.tell(&incoming());
    running.tell(&answered(CALL));
    let over = r#"{"name":"Call.Disconnected","reason":"bye","duration":9,"cost":0,"headers":{},"internalCode":200}"#;
    assert_eq!(running.tell(&ended(CALL)), line(over));
    for late in [answered(CALL), ended(CALL), digit(CALL, '1'), message(CALL, "hi"), failed(CALL, 486)] {
        assert_eq!(running.tell(&late), "", "nothing is told of a call that is over: {late:?}");
    }
}

#[test]
fn failures_have_the_code_that_the_gateway_gives_and_a_reason() {
    for (status, cause, code, reason) in [
        (486, DialCause::Busy, 486, "Busy Here"),
        (404, DialCause::NoSuchNumber, 404, "Not Found"),
        (480, DialCause::Unreachable, 480, "Temporarily Unavailable"),
        (403, DialCause::Refused("sessions may not".into()), 402, "sessions may not"),
        (603, DialCause::Declined, 603, "Decline"),
        (408, DialCause::NoAnswer, 408, "Request Timeout"),
    ] {
        let (mut running, _) = start(
            "VoxEngine.callPSTN('1').addEventListener(CallEvents.Failed, (e) => Logger.write(e.code + e.reason + e.call.state()))",
        );
        let event = Event::DialFailed { call: FIRST, cause, status };
        assert_eq!(running.tell(&event), format!("\"{code}{reason}FAILED\""));
    }
}

#[test]
fn tones_are_told_only_where_they_are_asked_for() {
    let mut running = with_call("call.addEventListener(CallEvents.ToneReceived, (e) => Logger.write(e.tone))");
    running.play(&[(message(CALL, "go"), ""), (digit(CALL, '1'), "")]);
    let mut running = with_call(
        "call.addEventListener(CallEvents.ToneReceived, (e) => Logger.write(e.tone)); call.handleTones(true)",
    );
    running.play(&[(message(CALL, "go"), "digits me true"), (digit(CALL, '1'), "\"1\"")]);
}

#[test]
fn listeners_come_in_order_and_go() {
    let mut running = silent(
        "const a = () => Logger.write('a'), b = () => Logger.write('b');
         VoxEngine.addEventListener(AppEvents.CallAlerting, ({ call }) => {
             call.addEventListener(CallEvents.MessageReceived, a);
             call.addEventListener(CallEvents.MessageReceived, b);
             call.addEventListener(CallEvents.InfoReceived, () => call.removeEventListener(CallEvents.MessageReceived, a));
             call.addEventListener(CallEvents.AudioStarted, () => call.removeEventListener(CallEvents.MessageReceived));
             call.removeEventListener(CallEvents.Ringing, a);
         })",
    );
    let info = Event::Info { call: CALL, content_type: String::new(), headers: Vec::new(), body: String::new() };
    running.play(&[
        (incoming(), ""),
        (message(CALL, "1"), r#""a"; "b""#),
        (info, ""),
        (message(CALL, "2"), r#""b""#),
        (Event::EarlyMedia { call: CALL }, ""),
        (message(CALL, "3"), ""),
    ]);
}

#[test]
fn what_a_call_is_asked_after_its_end_is_logged_and_not_done() {
    let mut running = silent(
        "let call;
         VoxEngine.addEventListener(AppEvents.CallAlerting, (e) => {
             call = e.call;
             setTimeout(() => { call.sendMessage('late'); call.say('late'); call.sendMediaTo(call); call.stopPlayback() }, 5);
         })",
    );
    running.play(&[
        (incoming(), "timer1 5ms"),
        (ended(CALL), ""),
        (timer(1), r#""sendMessage: the call is over"; "say: the call is over""#),
    ]);
}

#[test]
fn calls_are_made_in_the_old_way_and_the_new() {
    for (code, verbs) in [
        ("VoxEngine.callPSTN('123')", "dial call1 123"),
        ("VoxEngine.callPSTN('123', '+4420')", "dial call1 123 from +4420"),
        ("VoxEngine.callPSTN('123', { callerid: '+4420' })", "dial call1 123 from +4420"),
        ("VoxEngine.callPSTN(123, '+4420', { displayName: 'Bob' })", "dial call1 123 from Bob <+4420>"),
        ("VoxEngine.callUser('bob', 'ann', 'Ann', { 'X-A': 'b' })", "dial call1 user:bob from Ann <ann> X-A=b"),
        (
            "VoxEngine.callUser({ username: 'bob', callerid: 'ann', displayName: 'Ann', extraHeaders: { 'X-A': 'b' } })",
            "dial call1 user:bob from Ann <ann> X-A=b",
        ),
        ("VoxEngine.callSIP('sip:123@example.com', 'ann')", "dial call1 123 from ann"),
        (
            "VoxEngine.callSIP('sip:123@example.com', { callerid: 'ann', headers: { 'X-A': 1 } })",
            "dial call1 123 from ann X-A=1",
        ),
        ("VoxEngine.callConference('conf_7', 'ann', 'Ann', { 'X-A': 'b' })", "join call1 conf_7 from Ann <ann> X-A=b"),
        (
            "VoxEngine.callConference({ conferenceId: 'conf_7', callerid: 'ann', extraHeaders: { 'X-A': 'b' } })",
            "join call1 conf_7 from ann X-A=b",
        ),
    ] {
        assert_eq!(logs(code), verbs, "{code}");
    }
    for (code, error) in [
        ("VoxEngine.callPSTN()", "TypeError: a call needs somebody to call"),
        ("VoxEngine.callUser({})", "TypeError: a call needs somebody to call"),
        ("VoxEngine.callSIP('@')", "TypeError: callSIP: @ is no SIP URI"),
        ("VoxEngine.callSIP('sip:a@b', { password: 'x' })", "RangeError: callSIP: trunks have the passwords"),
    ] {
        assert!(logs(code).starts_with(&format!("FAILED {error}")), "{code}: {}", logs(code));
    }
}

#[test]
fn a_call_of_ours_tells_how_it_goes() {
    let (mut running, said) = start(
        "const call = VoxEngine.callPSTN('123', '+4420');
         Logger.write([call.number(), call.callerid(), call.state(), call.incoming()]);
         for (const name of ['Ringing', 'AudioStarted', 'Connected', 'Disconnected', 'Failed'])
             call.addEventListener(CallEvents[name], () => Logger.write(name + ' ' + call.state()));",
    );
    assert_eq!(said, "dial call1 123 from +4420; \"123,+4420,CONNECTING,false\"");
    running.play(&[
        (Event::Ringing { call: FIRST, tone: "ringback".into() }, "\"Ringing PROGRESSING\""),
        (Event::EarlyMedia { call: FIRST }, "\"AudioStarted PROGRESSING\""),
        (answered(FIRST), "\"Connected CONNECTED\""),
        (ended(FIRST), "\"Disconnected DISCONNECTED\""),
    ]);
}

#[test]
fn two_calls_that_are_processed_easily_share_what_happens_to_them() {
    let begun = || {
        let mut running = silent(
            "VoxEngine.addEventListener(AppEvents.CallAlerting, (e) =>
                 VoxEngine.easyProcess(e.call, VoxEngine.callPSTN('5'), (a, b) => Logger.write([a === e.call, b.number()])))",
        );
        running.play(&[
            (incoming(), "dial call1 5"),
            (Event::Ringing { call: FIRST, tone: "ringback".into() }, "ring me"),
            (answered(FIRST), "answer me"),
            (answered(CALL), "me>call1; call1>me; \"true,5\""),
        ]);
        running
    };
    let info = |call| Event::Info { call, content_type: "a/b".into(), headers: Vec::new(), body: "c".into() };
    begun().play(&[
        (message(CALL, "x"), "message call1 x"),
        (message(FIRST, "y"), "message me y"),
        (info(CALL), "info call1 a/b c"),
        (Event::Held { call: FIRST, on: true }, "hold me true"),
        (Event::Held { call: FIRST, on: false }, "hold me false"),
        (ended(FIRST), "end"),
    ]);
    begun().play(&[(ended(CALL), "end")]);
}

#[test]
fn a_direct_call_is_one_for_both() {
    let mut running = silent("VoxEngine.forwardCallToUserDirect()");
    assert_eq!(running.tell(&incoming()), "direct me -");
    let mut running = silent(
        "VoxEngine.addEventListener(AppEvents.CallAlerting, (e) => {
             const peer = VoxEngine.callUserDirect(e.call, 'bob');
             peer.addEventListener(CallEvents.Connected, () => { e.call.answerDirect(peer); Logger.write('both') });
             peer.addEventListener(CallEvents.Disconnected, () => VoxEngine.terminate());
         })",
    );
    running.play(&[(incoming(), "direct me bob"), (answered(CALL), "\"both\""), (ended(CALL), "end")]);
}

#[test]
fn a_call_is_forwarded() {
    for (code, dialled) in [
        ("VoxEngine.forwardCallToUser()", "dial call1 user:1000 from Ann <+442079460123>"),
        ("VoxEngine.forwardCallToPSTN()", "dial call1 1000 from +442079460123"),
        ("VoxEngine.forwardCallToPSTN((n) => '9' + n, () => '55')", "dial call1 91000 from 55"),
        ("VoxEngine.forwardCallToSIP()", "dial call1 1000 from +442079460123"),
    ] {
        let mut running = silent(code);
        running.play(&[
            (incoming(), dialled),
            (Event::Ringing { call: FIRST, tone: "ringback".into() }, "ring me"),
            (Event::EarlyMedia { call: FIRST }, "early me; call1>me"),
            (answered(FIRST), "answer me"),
            (answered(CALL), "me>call1; call1>me"),
            (message(CALL, "hi"), "message call1 hi"),
            (message(FIRST, "ho"), "message me ho"),
            (ended(CALL), "end"),
            (ended(FIRST), ""),
        ]);
    }
    let mut running = silent("VoxEngine.forwardCallToPSTN()");
    running.play(&[(incoming(), "dial call1 1000 from +442079460123"), (failed(FIRST, 486), "reject me 486; end")]);
}

#[test]
fn a_sound_is_played_and_the_call_hung_up() {
    let mut running = silent("VoxEngine.playSoundAndHangup('https://example.com/a.mp3')");
    running.play(&[
        (incoming(), "answer me"),
        (answered(CALL), "play1 me https://example.com/a.mp3"),
        (finished(1), "hangup me"),
        (ended(CALL), "end"),
    ]);
}

#[test]
fn terminate_ends_the_session_after_the_code_that_runs() {
    let mut running = silent(
        "VoxEngine.addEventListener(AppEvents.Terminating, () => Logger.write('terminating'));
         VoxEngine.addEventListener(AppEvents.Terminated, () => Logger.write('terminated'));
         VoxEngine.addEventListener(AppEvents.CallAlerting, (e) => {
             VoxEngine.terminate(); VoxEngine.terminate();
             e.call.sendMessage('still');
         })",
    );
    running.play(&[(incoming(), r#"message me still; end; "terminating"; "terminated""#), (message(CALL, "x"), "")]);
}

#[test]
fn the_gateways_end_of_a_session_is_told() {
    let (mut running, _) = start(
        "VoxEngine.addEventListener(AppEvents.Terminating, () => { VoxEngine.callPSTN('1'); Logger.write('bye') })",
    );
    assert_eq!(short(&running.runtime.over(running.now)), "\"bye\"", "it asks for nothing any more");
    assert_eq!(running.tell(&incoming()), "");
}

#[test]
fn the_session_begins_with_its_name_and_data() {
    assert_eq!(
        logs(
            "VoxEngine.addEventListener(AppEvents.Started, (e) => Logger.write([e.name, e.sessionId, VoxEngine.customData()]))"
        ),
        "\"Application.Started,s1,data\""
    );
    assert_eq!(value("(VoxEngine.customData('mine'), VoxEngine.customData())"), "\"mine\"");
}

#[test]
fn a_verb_that_cannot_be_done_is_logged() {
    let mut running = with_call("");
    let error = VerbError::Unknown { verb: "answer" };
    assert_eq!(running.tell(&refused(CALL, error)), "\"answer: answer names something this session does not have\"");
}

#[test]
fn a_call_that_the_gateway_cannot_make_has_failed() {
    for (make, verb) in [("callPSTN('1')", "dial"), ("callUser('ann')", "dial"), ("callConference('c')", "join")] {
        let mut running = silent(&format!(
            "VoxEngine.addEventListener(AppEvents.CallAlerting, () => {{
                 VoxEngine.{make}.addEventListener(CallEvents.Failed, (e) => Logger.write(e.code + ' ' + e.reason));
             }})"
        ));
        running.tell(&incoming());
        let error = VerbError::Limit { verb, limit: "of the day" };
        let why = format!("{verb} would exceed a limit: of the day");
        let expected = format!("\"{verb}: {why}\"; \"480 {why}\"");
        assert_eq!(running.tell(&refused(FIRST, error)), expected, "{make}");
        assert_eq!(running.tell(&answered(FIRST)), "", "{make}");
    }
}

#[test]
fn a_call_that_cannot_go_directly_is_told_or_refused() {
    let error = || VerbError::WrongState { verb: "forward_direct", state: "one of a telephone" };
    let why = "forward_direct is not possible while the call is one of a telephone";
    let mut running = silent("VoxEngine.forwardCallToUserDirect()");
    running.play(&[
        (incoming(), "direct me -"),
        (refused(CALL, error()), &format!("reject me 480; \"forward_direct: {why}\"")),
    ]);
    let mut running = silent(
        "VoxEngine.addEventListener(AppEvents.CallAlerting, (e) => {
             VoxEngine.callUserDirect(e.call, 'ben').addEventListener(CallEvents.Failed, (e) => e.call.number() + e.code);
             e.call.addEventListener(CallEvents.Failed, (e) => Logger.write('mine ' + e.code));
         })",
    );
    running.play(&[
        (incoming(), "direct me ben"),
        (refused(CALL, error()), &format!("\"forward_direct: {why}\"")),
        (ended(CALL), "\"mine 487\""),
    ]);
}

#[test]
fn refused_messages_are_counted_and_told_in_two_lines() {
    let limit = || VerbError::Limit { verb: "send_message", limit: "40 within 2 s" };
    let other = || VerbError::Unknown { verb: "send_info" };
    let mut running = silent("VoxEngine.addEventListener(AppEvents.CallAlerting, () => {})");
    running.play(&[
        (incoming(), ""),
        (refused(CALL, limit()), "timer0 10000ms; \"send_message would exceed a limit: 40 within 2 s\""),
        (refused(CALL, limit()), ""),
        (refused(CALL, other()), "\"send_info names something this session does not have\""),
        (refused(CALL, limit()), ""),
        (timer(0), "\"send_message would exceed a limit: 40 within 2 s, and for 2 more\""),
        (timer(0), ""),
        (refused(CALL, other()), "timer0 10000ms; \"send_info names something this session does not have\""),
        (refused(CALL, other()), ""),
    ]);
    let turn = running.runtime.over(running.now);
    assert_eq!(short(&turn), "\"send_info names something this session does not have, and for 1 more\"");
}
