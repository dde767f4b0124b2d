//! aiortc, WebRTC that is neither ours nor a browser's, comes in by WHIP.

use super::harness::process::Running;
use super::harness::slot::Slot;
use super::harness::{OPERATOR, Phone, Setup, VIEWER, seconds, sound};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

const AIORTCS: f64 = 700.0;
const ANNAS: f64 = 500.0;

const ICE: &str = r#"
[ice]
stun = ["stun:stun.example.net"]
turn = ["turn:turn.example.net?transport=udp"]
turn_secret = { plain = "a secret of the turn server" }
"#;

#[test]
fn aiortc_joins_by_whip_hears_a_telephone_and_is_heard_by_it() {
    let _slot = Slot::take();
    let gateway = Setup::new().also(ICE).web().start();
    let run = |token: &str, time: &str| {
        // Where `make test` puts it.
        let programs = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("aiortc").join("bin");
        let mut command = Command::new(programs.join("python"));
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/whip.py"));
        command.arg(format!("http://{}/whip/lobby", gateway.web_place())).arg(token);
        command.args([&AIORTCS.to_string(), time, &ANNAS.to_string()]);
        Running::start(command, gateway.folder(), &format!("aiortc-{time}"))
    };
    let refused = run(VIEWER, "0").finish(seconds(30));
    assert!(refused.code() == 1 && refused.errors.contains("HTTP Error 403"), "{}", refused.errors);
    let aiortc = run(OPERATOR, "6");
    gateway.wait_for_members("lobby", 1);
    let anna = Phone::dials("2000").says(ANNAS).seconds(4.0).call(&gateway);
    sound::assert_hears_other_not_own("Anna", &anna.finish().answered().heard, AIORTCS, ANNAS);
    let outcome = aiortc.finish(seconds(60));
    assert_eq!(outcome.code(), 0, "{}\n{}", outcome.errors, gateway.log());
    let told: Value = serde_json::from_str(&outcome.output).unwrap();
    assert_eq!(told["state"], "connected", "{told}");
    // The servers that would help it through a firewall (RFC 9725 section 4.6).
    let links: Vec<&str> = told["links"].as_array().unwrap().iter().map(|link| link.as_str().unwrap()).collect();
    assert_eq!((links.len(), links[0]), (2, "<stun:stun.example.net>; rel=\"ice-server\""), "{links:?}");
    assert!(links[1].contains("credential-type=\"password\""), "{links:?}");
    let remains = gateway.finish();
    let record = remains.records.iter().find(|record| record["trunk"] == "").unwrap();
    assert!(record["media"]["packets_received"].as_u64() > Some(100), "{record}");
    remains.assert_silent_about(&["a secret of the turn server"]);
}
