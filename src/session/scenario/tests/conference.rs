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
fn a_guest_hangs_up_the_telephones_that_they_have_had_called_and_a_host_any() {
    let mut running = conference();
    let dialled = asks(&mut running, ANN, "CALL_PARTICIPANT", r#""number":"+442""#);
    assert!(dialled.contains("dial call1 +442") && dialled.contains(r#""caller":"ann""#), "{dialled}");
    let anns = format!(r#""id":"{}""#, id(&dialled));
    let hang_up = |running: &mut Running, from, about: &str| asks(running, from, "HANGUP_PARTICIPANT", about);
    let refused = hang_up(&mut running, BEN, &anns);
    assert!(!refused.contains("hangup") && refused.contains("another's telephone"), "{refused}");
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
