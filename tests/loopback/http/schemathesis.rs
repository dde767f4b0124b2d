//! schemathesis asks the API whatever its description allows, and much that it does not.

use super::super::harness::http::request;
use super::super::harness::process::Running;
use super::super::harness::slot::Slot;
use super::super::harness::{ADMIN, Gateway, Phone, Setup, seconds};
use std::path::Path;
use std::process::Command;

/// No answer may be one that the description does not know, or a fault of ours.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";

/// Asks all but the stream of events, which never ends, and the drain. `names` are those of rooms and calls that there
/// are; without them they are made up.
fn ask_everything(gateway: &Gateway, name: &str, names: &str) {
    std::fs::write(gateway.folder().join("schemathesis.toml"), names).unwrap();
    // Where `make test` puts it.
    let programs = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("schemathesis").join("bin");
    let mut command = Command::new(programs.join("schemathesis"));
    let api = format!("http://{}:{}/api/openapi.json", gateway.address, gateway.web_port());
    command.current_dir(gateway.folder()).arg("run").arg(api);
    command.args(["-H", &format!("Authorization: Bearer {ADMIN}"), "--checks", CHECKS]);
    command.args(["--exclude-path", "/api/v1/events", "--exclude-path", "/api/v1/drain"]);
    command.args(["--phases", "examples,coverage,fuzzing", "--max-examples", "15", "--seed", "1", "--no-color"]);
    command.args(["--request-timeout", "60"]);
    let outcome = Running::start(command, gateway.folder(), name).finish(seconds(240));
    assert_eq!(outcome.code(), 0, "{}{}", outcome.output, outcome.errors);
    assert!(outcome.output.contains("Operations:"), "{}", outcome.output);
}

#[test]
fn whatever_is_asked_is_answered_as_described() {
    let _slot = Slot::take();
    let routes = "[[routes]]\nname = \"Users\"\nfrom = \"users\"\nnumber = \"2000\"\nroom = \"lobby\"\n";
    let gateway = Setup::new().also(routes).web().start();
    gateway.wait_for_log("users loaded", seconds(20));
    let phone = Phone::dials("2000").seconds(400.0).call(&gateway);
    gateway.wait_for_members("lobby", 1);
    let call = gateway.status()["calls"][0]["call"].as_str().unwrap().to_owned();
    ask_everything(&gateway, "made-up", "");
    let invite = Some(r#"{"name":"Anna","expires":"2h"}"#);
    let invited = request(&gateway, "POST", "/api/v1/rooms/lobby/invitations", Some(ADMIN), invite).json();
    let names = format!(
        "[parameters]\n\"path.room\" = \"lobby\"\n\"path.call\" = \"{call}\"\n\"path.invitation\" = {}\n",
        invited["token"]
    );
    ask_everything(&gateway, "known", &names);
    let _ = gateway.ctl(&["kick", "--room", "lobby"]);
    phone.finish();
    gateway.wait_for("nobody is left", seconds(10), |status| status["calls"].as_array().unwrap().is_empty());
    gateway.finish();
}
