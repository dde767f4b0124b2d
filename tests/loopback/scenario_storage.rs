//! What scenarios keep outlives their sessions, and the gateway.

use super::harness::postgres::Postgres;
use super::harness::{Phone, Setup, seconds};

const ROUTE: &str = r#"
[[routes]]
name     = "Counter"
from     = "local"
number   = "7000"
scenario = "Counter"
"#;

/// Counts calls.
const COUNTER: &str = "
VoxEngine.addEventListener(AppEvents.CallAlerting, async ({ call }) => {
    const before = await ApplicationStorage.get('calls');
    const count = Number(before?.value ?? 0) + 1;
    await ApplicationStorage.put('calls', String(count), 3600);
    const { keys } = await ApplicationStorage.keys('c*');
    Logger.write(`call ${count} of ${keys}`);
    call.addEventListener(CallEvents.Connected, () => call.hangup());
    call.addEventListener(CallEvents.Disconnected, VoxEngine.terminate);
    call.answer();
})";

fn is_kept(setup: Setup) {
    let gateway = setup.also(ROUTE).prepare(|folder| {
        std::fs::create_dir(folder.join("scenarios")).unwrap();
        std::fs::write(folder.join("scenarios/Counter.js"), COUNTER).unwrap();
    });
    for count in 1..=2 {
        assert!(Phone::dials("7000").run(&gateway).answered().output.contains("hung up"));
        gateway.wait_for_log(&format!("call {count} of calls"), seconds(5));
    }
    let gateway = gateway.kill_and_start_again();
    assert!(Phone::dials("7000").run(&gateway).answered().output.contains("hung up"));
    gateway.wait_for_log("call 3 of calls", seconds(5));
    gateway.finish();
}

#[test]
fn what_a_scenario_keeps_another_session_finds_after_a_kill() {
    is_kept(Setup::new());
}

#[test]
fn what_a_scenario_keeps_another_session_finds_after_a_kill_on_postgresql() {
    let postgres = Postgres::start();
    is_kept(Setup::new().setting(&format!("database = \"{}\"", postgres.url())));
}
