//! The conference that ships (`scenarios/Conference.js`): who may do what in it.

use super::*;

const SCRIPT: &str = include_str!("../../../../scenarios/Conference.js");

/// Browsers of a host and two guests, and a telephone that called in.
const HOST: CallHandle = CALL;
const ANN: CallHandle = CallHandle(CALL.0 + 1);
const BEN: CallHandle = CallHandle(CALL.0 + 2);
const CALLED_IN: CallHandle = CallHandle(CALL.0 + 3);

fn conference() -> Running {
    let (mut running, said) = start(SCRIPT);
    assert_eq!(said, "open room1; open room2");
    for (call, user, role) in [(HOST, "hanna", "host"), (ANN, "ann", "guest"), (BEN, "ben", "guest")] {
        running.tell(&arriving(call, user, &[("X-ClientType", "web"), ("X-Conference-Role", role)]));
        running.tell(&answered(call));
    }
    running.tell(&arriving(CALLED_IN, "+441", &[("X-ClientType", "pstn_inbound")]));
    running.tell(&answered(CALLED_IN));
    running
}

/// What comes of a message that asks for something about a call.
fn asks(running: &mut Running, from: CallHandle, kind: &str, about: &str) -> String {
    running.tell(&message(from, &format!(r#"{{"type":"{kind}",{about}}}"#)))
}

/// How messages call what is `name`d here.
fn id(said: &str) -> String {
    let message = said.split("message me ").nth(1).and_then(|rest| rest.split("; ").next()).unwrap();
    let message: serde_json::Value = serde_json::from_str(message).unwrap();
    message["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_guest_hangs_up_and_keys_to_the_telephones_that_they_have_had_called_and_a_host_to_any() {
    let mut running = conference();
    let dialled = asks(&mut running, ANN, "CALL_PARTICIPANT", r#""number":"+442""#);
    assert!(dialled.contains("dial call1 +442") && dialled.contains(r#""caller":"ann""#), "{dialled}");
    let anns = format!(r#""id":"{}""#, id(&dialled));
    let hang_up = |running: &mut Running, from, about: &str| asks(running, from, "HANGUP_PARTICIPANT", about);
    let refused = hang_up(&mut running, BEN, &anns);
    assert!(!refused.contains("hangup") && refused.contains("another's telephone"), "{refused}");
    let keys = |running: &mut Running, from| asks(running, from, "SEND_TONE", &format!(r#"{anns},"tone":"5""#));
    let refused = keys(&mut running, BEN);
    assert!(!refused.contains("send call") && refused.contains("another's telephone"), "{refused}");
    for from in [ANN, HOST] {
        assert_eq!(keys(&mut running, from), "send call1 5");
    }
    assert_eq!(hang_up(&mut running, ANN, &anns), "hangup call1");
    running.tell(&ended(FIRST));
    assert_eq!(hang_up(&mut running, ANN, &anns), "", "it is not there any more");

    let dialled = asks(&mut running, ANN, "CALL_PARTICIPANT", r#""number":"+443""#);
    assert_eq!(hang_up(&mut running, HOST, &format!(r#""id":"{}""#, id(&dialled))), "hangup call2");

    // Who called in themselves was called by nobody.
    let list = running.tell(&arriving(CallHandle(CALL.0 + 4), "eve", &[("X-ClientType", "web")]));
    assert!(list.starts_with("answer"), "{list}");
    let list = running.tell(&answered(CallHandle(CALL.0 + 4)));
    let list = list.split("message me ").find(|message| message.contains("pstnCalls")).unwrap();
    let list: serde_json::Value = serde_json::from_str(list.split("; ").next().unwrap()).unwrap();
    let [called_in, called] = list["pstnCalls"].as_array().unwrap().as_slice() else { panic!("{list}") };
    assert_eq!((&called_in["callerid"], called_in.get("caller")), (&serde_json::json!("+441"), None), "{list}");
    assert_eq!((&called["caller"], &called["state"]), (&serde_json::json!("ann"), &serde_json::json!("calling")));
    let called_in = format!(r#""id":{}"#, called_in["id"]);
    for guest in [ANN, BEN] {
        assert!(!hang_up(&mut running, guest, &called_in).contains("hangup"), "a guest hangs up who called in");
    }
    assert_eq!(hang_up(&mut running, HOST, &called_in), format!("hangup {}", name(CALLED_IN)));
}

#[test]
fn guests_neither_mute_nor_remove_nor_lock_nor_end() {
    let mut running = conference();
    for (kind, about) in [
        ("MUTE_PARTICIPANT", r#""id":"hanna","on":true"#),
        ("REMOVE_PARTICIPANT", r#""id":"hanna""#),
        ("LOCK_CONFERENCE", r#""on":true"#),
        ("END_CONFERENCE", r#""id":"""#),
    ] {
        let said = asks(&mut running, ANN, kind, about);
        assert!(said.starts_with('"') && said.contains("no host"), "{kind}: {said}");
    }
}

#[test]
fn hosts_are_told_who_disturbs_and_guests_are_not() {
    let mut running = conference();
    let told = |said: &str| -> Vec<(String, serde_json::Value)> {
        let messages = said.split("; ").filter_map(|verb| verb.strip_prefix("message ")?.split_once(' '));
        messages.map(|(to, text)| (to.to_owned(), serde_json::from_str(text).unwrap())).collect()
    };
    let disturbing = |said: &str| {
        let told = told(said);
        let [(to, state)] = told.as_slice() else { panic!("the host alone is told: {said}") };
        assert_eq!(to, "me");
        state["disturbing"].clone()
    };
    let gates = |on| message(CALLED_IN, &format!(r#"{{"type":"DISTURBANCE","disturbance":"echo","on":{on}}}"#));
    let said = running.tell(&gates(true));
    let called_in = disturbing(&said)[0]["id"].clone();
    assert_eq!(disturbing(&said), serde_json::json!([{ "id": called_in, "disturbs": ["echo"] }]));
    let said = asks(&mut running, ANN, "DISTURBANCE", r#""disturbance":"music","on":true"#);
    assert_eq!(disturbing(&said)[1], serde_json::json!({ "id": "ann", "disturbs": ["music"] }));
    assert_eq!(disturbing(&running.tell(&gates(false))).as_array().unwrap().len(), 1);
    for wrong in ["no JSON", r#"{"type":"DISTURBANCE","disturbance":"whistling","on":true}"#, "null", "7"] {
        assert!(told(&running.tell(&message(CALLED_IN, wrong))).is_empty(), "{wrong}");
    }

    // Of a telephone that the conference calls itself nobody else tells it.
    asks(&mut running, ANN, "CALL_PARTICIPANT", r#""number":"+442""#);
    running.tell(&answered(FIRST));
    let noise = |on| Event::Disturbs { call: FIRST, disturbance: Disturbance::Noise, on };
    assert_eq!(disturbing(&running.tell(&noise(true)))[1]["disturbs"], serde_json::json!(["noise"]));
    running.tell(&ended(FIRST));
    let left = disturbing(&running.tell(&gates(true)));
    assert_eq!(left.as_array().unwrap().len(), 2, "who has left disturbs nobody: {left}");
}

#[test]
fn gates_pass_on_how_a_call_disturbs() {
    let music = Event::Disturbs { call: CALL, disturbance: Disturbance::Music, on: true };
    let told = r#"message call1 {"type":"DISTURBANCE","disturbance":"music","on":true}"#;
    let mut browser = silent(include_str!("../../../../scenarios/BrowserGate.js"));
    browser.tell(&arriving(CALL, "ann", &[("X-Conference-Id", "42")]));
    browser.tell(&answered(CALL));
    browser.tell(&answered(FIRST));
    assert_eq!(browser.tell(&music), told);
    let mut telephone = silent(include_str!("../../../../scenarios/TelephoneGate.js"));
    telephone.tell(&incoming());
    telephone.tell(&answered(CALL));
    assert_eq!(telephone.tell(&music), "", "there is no conference yet");
    telephone.tell(&digit(CALL, '4'));
    telephone.tell(&digit(CALL, '#'));
    telephone.tell(&answered(FIRST));
    assert_eq!(telephone.tell(&music), told);
}
