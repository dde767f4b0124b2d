//! Names of events, modules and voices, and those that do not exist.

use super::*;

#[test]
fn what_does_not_exist_is_an_error_that_names_the_page() {
    for name in [
        "VoxEngine.nothing",
        "VoxEngine.createASR",
        "AppEvents.Nothing",
        "CallEvents.Nothing",
        "CallEvents.BeepDetectionComplete",
        "ConferenceEvents.Nothing",
        "PlayerEvents.Nothing",
        "RecorderEvents.Nothing",
        "WebSocketEvents.Nothing",
        "Modules.ASR",
        "Language.KLINGON_MALE",
        "Logger.nothing",
        "CryptoEngine.sha3",
        "CallList",
    ] {
        let said = logs(name);
        let expected =
            format!("FAILED ReferenceError: {name} does not exist here: docs/scenarios.md tells what does (test.js:1:");
        assert!(said.starts_with(&expected), "{name}: {said}");
    }
}

#[test]
fn an_absent_member_of_a_call_or_conference_is_an_error_too() {
    let mut running = silent("VoxEngine.addEventListener(AppEvents.CallAlerting, (e) => e.call.handleMicStatus(true))");
    let said = running.tell(&incoming());
    assert!(said.starts_with("FAILED ReferenceError: Call.handleMicStatus does not exist here"), "{said}");
    let said = logs("VoxEngine.createConference().sendMessage('x')");
    assert!(said.contains("Conference.sendMessage does not exist here"), "{said}");
}

#[test]
fn a_script_may_give_an_absent_name_a_meaning_of_its_own() {
    assert_eq!(value("(globalThis.CallList = 5, CallList)"), "5");
    assert_eq!(value("(VoxEngine.mine = 6, VoxEngine.mine)"), "6");
    assert_eq!(logs("var IVR = 7; Logger.write(IVR)"), "\"7\"");
}

#[test]
fn what_comes_late_is_there_for_whoever_looks() {
    let names = "Net setTimeout ConferenceEvents Date Uint8Array DataView WeakRef";
    let there = format!("'{names}'.split(' ').every((name) => name in globalThis && globalThis[name] === eval(name))");
    assert_eq!(value(&there), "true");
    assert_eq!(
        value("[typeof Net, typeof Date, typeof Float64Array, typeof Nothing, 'CallList' in globalThis]"),
        r#"["object","function","function","undefined",false]"#
    );
    assert_eq!(value("['callPSTN' in VoxEngine, 'record' in VoxEngine]"), "[true,false]");
    assert_eq!(value("[...new Uint8Array([1, 2])].concat(new Date(5).getTime())"), "[1,2,5]");
    // Whatever has a meaning of the script's own keeps it.
    assert_eq!(value("(globalThis.Net = 5, [Net, Object.hasOwn(globalThis, 'Net')])"), "[5,true]");
    assert_eq!(
        logs("var Date = 6; const Net = 7; function setTimeout() { return 8 } Logger.write(Date + Net + setTimeout())"),
        "\"21\""
    );
    assert_eq!(value("(VoxEngine.callPSTN = () => 9, VoxEngine.callPSTN())"), "9");
    assert!(logs("VoxEngine.callPSTN('1').hold = 5").starts_with("dial"));
}

#[test]
fn languages_with_text_of_their_own_can_be_told_from_their_absence() {
    assert_eq!(value("['x' in VoxEngine, 'terminate' in VoxEngine, `${typeof VoxEngine}`]"), "[false,true,\"object\"]");
    assert_eq!(value("Object.prototype.toString.call(AppEvents)"), "\"[object Object]\"");
}

#[test]
fn every_event_has_its_name() {
    for (expression, expected) in [
        ("Object.values(AppEvents)", 6),
        ("Object.values(CallEvents)", 21),
        ("Object.values(ConferenceEvents)", 6),
        ("Object.values(PlayerEvents)", 7),
        ("Object.values(RecorderEvents)", 3),
        ("Object.values(WebSocketEvents)", 6),
    ] {
        let names: Vec<String> = serde_json::from_str(&value(expression)).unwrap();
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!((names.len(), distinct.len()), (expected, expected), "{expression}: {names:?}");
    }
}

#[test]
fn a_module_that_exists_loads_and_another_does_not() {
    for name in ["Conference", "Player", "Recorder", "ApplicationStorage", "WebSocket", "Crypto"] {
        assert_eq!(logs(&format!("require(Modules.{name})")), "", "{name}");
    }
    for wrong in ["require('fs')", "require()", "require('Conference')"] {
        assert!(logs(wrong).contains("does not exist here: docs/scenarios.md"), "{wrong}");
    }
}

#[test]
fn voices_are_languages() {
    for (voice, language) in [
        ("Language.UK_ENGLISH_FEMALE", "en-GB"),
        ("Language.US_ENGLISH_MALE", "en-US"),
        ("VoiceList.Default.en_GB_Female", "en-GB"),
        ("VoiceList.Amazon.Neural.fr_FR_Lea", "fr-FR"),
        ("VoiceList.Google.de_DE_Wavenet_A", "de-DE"),
    ] {
        assert_eq!(value(voice), format!("\"{language}\""), "{voice}");
    }
}

#[test]
fn foreign_code_cannot_be_loaded() {
    let said = logs("import('fs').then(() => Logger.write('loaded'))");
    assert!(said.starts_with("FAILED a promise was rejected"), "{said}");
    assert_eq!(
        value("[typeof process, typeof std, typeof os, typeof host]"),
        r#"["undefined","undefined","undefined","undefined"]"#
    );
}
