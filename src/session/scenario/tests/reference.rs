//! The conference that four scenarios of the VoxEngine platform make, unchanged, each session by itself. Their texts
//! are not ours, so they are not here.

use super::*;
use std::path::{Path, PathBuf};

/// The script of that name, where the texts are at hand.
fn script(name: &str) -> Option<String> {
    let shared = std::env::var_os("PARTYLINE_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let text = std::fs::read_to_string(shared.join("scenarios").join(name));
    if text.is_err() {
        eprintln!("skipped: no ../shared/scenarios/{name}");
    }
    text.ok()
}

/// Runs a script of the reference, if it is there.
fn reference(name: &str) -> Option<(Running, String)> {
    Some(start(&script(name)?))
}

#[test]
fn all_of_them_are_scripts() {
    for name in ["VideoConference", "VideoConferenceGatekeeper", "VideoConferenceP2P", "VideoConferencePSTNgatekeeper"]
    {
        let Some(text) = script(&format!("{name}.js")) else { return };
        assert_eq!(Script::compile(name, &text).fault(), None, "{name}");
    }
}

#[test]
fn users_call_each_other_directly() {
    let Some((mut running, said)) = reference("VideoConferenceP2P.js") else { return };
    assert_eq!(said, "");
    running.play(&[(incoming(), "direct me -")]);
}

#[test]
fn a_telephone_keys_its_pin_and_comes_into_the_conference() {
    let Some((mut running, said)) = reference("VideoConferencePSTNgatekeeper.js") else { return };
    assert_eq!(said, "");
    running.play(&[
        (incoming(), "answer me"),
        (
            answered(CALL),
            "play1 me 'Hello, please enter your conference pin using keypad and press pound key to join the conference.' in en-GB; \
             digits me true",
        ),
        (digit(CALL, '4'), "stop1"),
        (digit(CALL, '2'), ""),
        (
            digit(CALL, '#'),
            "join call1 conf_42 from Ann <+442079460123> X-ClientType=pstn_inbound",
        ),
        (answered(FIRST), "call1>me; me>call1"),
        (ended(CALL), "end"),
    ]);
    let (mut running, _) = reference("VideoConferencePSTNgatekeeper.js").unwrap();
    running.tell(&incoming());
    running.tell(&answered(CALL));
    running.tell(&digit(CALL, '#'));
    assert_eq!(running.tell(&failed(FIRST, 404)), "end", "there is no such conference");
}

#[test]
fn a_browser_waits_with_music_and_comes_into_the_conference() {
    let Some((mut running, _)) = reference("VideoConferenceGatekeeper.js") else { return };
    running.play(&[
        (
            arriving(CALL, "ann", &[("X-Conference-Id", "42")]),
            "early me; play1 me http://cdn.voximplant.com/bb_remix.mp3 for ever; answer me; \"User ann is joining conference 42\"",
        ),
        (
            answered(CALL),
            "stop1; join call1 conf_42 from Ann <ann> X-ClientType=web; \"Joining conference\"; \
             \"CallerID: ann DisplayName: Ann\"",
        ),
        (answered(FIRST), "call1>me; me>call1; \"VideoConference Connected\""),
        (
            message(CALL, r#"{"type":"CALL_PARTICIPANT","number":"123"}"#),
            r#"message call1 {"type":"CALL_PARTICIPANT","number":"123"}; "Message Received: {\"type\":\"CALL_PARTICIPANT\",\"number\":\"123\"}""#,
        ),
        (message(FIRST, "to the browser"), "message me to the browser"),
        (ended(FIRST), "end"),
    ]);
}

#[test]
fn browsers_and_telephones_meet_in_two_conferences() {
    let Some((mut running, said)) = reference("VideoConference.js") else { return };
    assert_eq!(said, "open room1; open room2", "what the browsers hear of, and what the telephones hear");
    let (web, phone) = (CALL, CallHandle(CALL.0 + 1));
    running.play(&[
        (arriving(web, "ann", &[("X-ClientType", "web")]), "answer me"),
        (answered(web), "play1 me 'You have joined the conference.' in en-GB"),
        (
            finished(1),
            r#"room1>me; me>room2; message me {"peers":[{"callerid":"ann","displayName":"Ann"}],"pstnCalls":[]}"#,
        ),
        (arriving(phone, "+44", &[("X-ClientType", "pstn_inbound")]), "answer call101"),
        (answered(phone), "play2 call101 'You have joined the conference .' in en-GB"),
        (
            finished(2),
            "call101>room2; room2>call101; call101>room1; \
             message me {\"type\":\"CALL_PARTICIPANT_CONNECTED\",\"number\":\"+44\",\"inbound\":true}",
        ),
        (
            message(web, r#"{"type":"CALL_PARTICIPANT","number":"123"}"#),
            "message me {\"type\":\"CALL_PARTICIPANT\",\"number\":\"123\"}; dial call1 123; \
             \"Message Recevied: {\\\"type\\\":\\\"CALL_PARTICIPANT\\\",\\\"number\\\":\\\"123\\\"}\"; \
             \"Calling participant with number 123\"",
        ),
        (answered(FIRST), "play3 call1 'You have joined a conference' in en-GB"),
        (
            finished(3),
            "message me {\"type\":\"CALL_PARTICIPANT_CONNECTED\",\"number\":\"123\"}; \
             call1>room2; room2>call1; call1>room1",
        ),
        (
            message(web, r#"{"type":"CALL_PARTICIPANT","number":"5"}"#),
            "message me {\"type\":\"CALL_PARTICIPANT\",\"number\":\"5\"}; dial call2 5; \
             \"Message Recevied: {\\\"type\\\":\\\"CALL_PARTICIPANT\\\",\\\"number\\\":\\\"5\\\"}\"; \
             \"Calling participant with number 5\"",
        ),
        (
            failed(SECOND, 486),
            "message me {\"type\":\"CALL_PARTICIPANT_FAILED\",\"number\":\"5\"}; \
             \"Call to PSTN participant 5 failed\"; \"Caller with number 5 disconnected\"",
        ),
        (
            ended(web),
            "end; GET https://api.voximplant.com/platform_api/DelUser/?account_name=your_voximplant_account_name\
             &api_key=your_voximplant_api_key&user_name=ann; \"Disconnected:\"; \"Caller with id ann disconnected\"",
        ),
    ]);
}
