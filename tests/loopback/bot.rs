//! A bot on a WebSocket, Python's `websockets`, in a scenario's conference with two telephones; and a call's recording.

use super::harness::http::request;
use super::harness::process::Running;
use super::harness::slot::Slot;
use super::harness::wait;
use super::harness::{Gateway, Phone, Setup, seconds, sound};
use nix::sys::signal::Signal;
use partyline::audio::goertzel;
use std::path::Path;
use std::process::Command;

const BOTS: f64 = 2_900.0;
const ANNAS: f64 = 500.0;
const OTTOS: f64 = 1_500.0;

/// Telephones come by one scenario, and meet the bot in another.
const ROUTES: &str = r#"
[trunks.local]
allow = ["127.0.0.0/8"]

[[routes]]
name     = "In"
from     = "local"
number   = "7000"
scenario = "Gate"

[[routes]]
name     = "Fwd"
from     = "sessions"
number   = "conf_bot"
scenario = "Hall"
"#;
const GATE: &str = "VoxEngine.addEventListener(AppEvents.CallAlerting, ({ call }) => {
    call.addEventListener(CallEvents.Connected, () => {
        const hall = VoxEngine.callConference('conf_bot');
        hall.addEventListener(CallEvents.Connected, () => VoxEngine.sendMediaBetween(call, hall));
        call.addEventListener(CallEvents.Disconnected, VoxEngine.terminate);
    });
    call.answer();
})";
/// The conference. `DOES` is what it does when sound of the bot begins.
const HALL: &str = "
    const conference = VoxEngine.createConference();
    const bot = VoxEngine.createWebSocket('ws://127.0.0.1:PORT/PATH');
    bot.addEventListener(WebSocketEvents.OPEN, () => VoxEngine.sendMediaBetween(conference, bot));
    bot.addEventListener(WebSocketEvents.ERROR, (e) => Logger.write('bot error ' + e.reason));
    bot.addEventListener(WebSocketEvents.CLOSE, (e) => Logger.write('bot closed ' + e.code));
    bot.addEventListener(WebSocketEvents.MEDIA_STARTED, (e) => {
        Logger.write('bot speaks ' + e.encoding + e.customParameters.bot);
        DOES
    });
    VoxEngine.addEventListener(AppEvents.CallAlerting, ({ call }) => {
        call.addEventListener(CallEvents.Connected, () => VoxEngine.sendMediaBetween(conference, call));
        call.answer();
    })";

struct Stage {
    gateway: Gateway,
    bot: Running,
}

fn bot(arguments: &[&str]) -> Command {
    // Where `make test` puts it.
    let programs = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("websockets").join("bin");
    let mut command = Command::new(programs.join("python"));
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bots/echo.py")).args(arguments);
    command
}

fn stage(path: &str, does: &str) -> Stage {
    let folder = std::env::temp_dir().join(format!("partyline-bot-{}-{path}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let bot = Running::start(bot(&[&BOTS.to_string()]), &folder, "bot");
    wait::until_true("the bot listens", seconds(30), || bot.output().ends_with('\n'));
    let hall = HALL.replace("PORT", bot.output().trim()).replace("PATH", path).replace("DOES", does);
    let setup = Setup::new().routes(ROUTES).setting("fetch = { allow = [\"127.0.0.0/8\"] }");
    let gateway = setup.prepare(|folder| {
        let folder = folder.join("scenarios");
        std::fs::create_dir(&folder).unwrap();
        for (name, text) in [("Gate", GATE), ("Hall", &hall)] {
            std::fs::write(folder.join(format!("{name}.js")), text).unwrap();
        }
    });
    Stage { gateway, bot }
}

fn phone(gateway: &Gateway, from: &str, hertz: f64, length: f64) -> super::harness::phone::Calling {
    Phone::dials("7000").from(from).says(hertz).seconds(length).call(gateway)
}

/// When a tone is heard first, in milliseconds from the beginning.
fn onset(heard: &[i16], hertz: f64) -> usize {
    let sounds = |piece: &[i16]| goertzel::tone_dbfs(piece, sound::RATE, hertz) > -28.0;
    heard.windows(160).step_by(8).position(sounds).expect("it is heard")
}

#[test]
fn two_telephones_and_a_bot_hear_each_other_and_its_death_costs_nobody_a_packet() {
    let _slot = Slot::take();
    let Stage { gateway, bot } = stage("echo", "");
    let otto = phone(&gateway, "otto", OTTOS, 14.0);
    gateway.wait_for_log("bot speaks PCM8echo", seconds(20));
    let anna = phone(&gateway, "anna", ANNAS, 8.0);
    let anna = anna.finish().answered().heard;
    bot.signal(Signal::SIGKILL);
    gateway.wait_for_log("bot closed 1006", seconds(20));
    let otto = otto.finish().answered().heard;
    for (who, heard, other, own) in [("Anna", &anna, OTTOS, ANNAS), ("Otto", &otto, ANNAS, OTTOS)] {
        sound::assert_hears_other_not_own(who, heard, other, own);
        sound::assert_hears(who, heard, BOTS);
    }
    let first = onset(&anna, BOTS);
    eprintln!("Anna hears Otto after {} ms, and the bot's answers after {first} ms", onset(&anna, OTTOS));
    let remains = gateway.finish();
    for who in ["anna", "otto"] {
        let record = remains.records.iter().find(|record| record["from"] == *who).unwrap();
        assert_eq!(record["media"]["packets_lost"], 0, "{record}");
    }
}

#[test]
fn a_bot_that_comes_to_the_url_of_a_session_hears_a_telephone_and_is_heard() {
    let _slot = Slot::take();
    let desk = "VoxEngine.allowWebSocketConnections();
        let asks = (e) => e.method + ' ' + e.path.split('/').pop() + ' ' + e.content;
        VoxEngine.addEventListener(AppEvents.HttpRequest, (e) => asks(e));
        VoxEngine.addEventListener(AppEvents.Started, (e) => Logger.write('come to ' + e.accessURL + ' now'));
        let call;
        VoxEngine.addEventListener(AppEvents.WebSocket, ({ websocket }) => {
            VoxEngine.sendMediaBetween(call, websocket);
            websocket.addEventListener(WebSocketEvents.CLOSE, (e) => Logger.write('bot closed ' + e.code));
        });
        VoxEngine.addEventListener(AppEvents.CallAlerting, (e) => { call = e.call; call.answer(); });";
    let routes = ROUTES.replace("\"Gate\"", "\"Desk\"").replace("\"Hall\"", "\"Desk\"");
    let setup = Setup::new().web().routes(&routes);
    let gateway = setup.prepare(|folder| {
        let folder = folder.join("scenarios");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("Desk.js"), desk).unwrap();
    });
    let otto = phone(&gateway, "otto", OTTOS, 8.0);
    gateway.wait_for_log("come to ", seconds(20));
    let log = gateway.log();
    let (_, rest) = log.split_once("come to http://").unwrap();
    let (_, path) = rest.split_once(" now").map(|(url, _)| url.split_once('/').unwrap()).unwrap();
    let asked = request(&gateway, "POST", &format!("/{path}/below?a=b"), None, Some("{}"));
    assert_eq!((asked.status, asked.body), (200, "POST below?a=b {}".to_owned()));
    assert_eq!(request(&gateway, "GET", "/sessions/0000/below", None, None).status, 404);
    let come = |path: &str, name: &str| {
        let url = format!("ws://{}/{path}", gateway.web_place());
        Running::start(bot(&[&BOTS.to_string(), &url]), gateway.folder(), name)
    };
    let stranger = come("sessions/0000", "stranger").finish(seconds(30));
    assert!(stranger.code() == 1 && stranger.errors.contains("404"), "{}", stranger.errors);
    let bot = come(path, "guest");
    let otto = otto.finish().answered().heard;
    sound::assert_hears("Otto", &otto, BOTS);
    bot.signal(Signal::SIGKILL);
    gateway.wait_for_log("bot closed 1006", seconds(20));
    gateway.finish();
}

#[test]
fn a_call_is_recorded_in_a_file_with_a_channel_for_each_side() {
    let _slot = Slot::take();
    let desk = "VoxEngine.addEventListener(AppEvents.CallAlerting, ({ call }) => {
        call.addEventListener(CallEvents.Connected, () => {
            call.record({ stereo: true });
            call.startPlayback('enter-pin', true);
        });
        call.addEventListener(CallEvents.RecordStopped, (e) => Logger.write(`recorded ${e.url} ${e.duration}`));
        call.answer();
    });";
    let routes = ROUTES.replace("\"Gate\"", "\"Desk\"").replace("\"Hall\"", "\"Desk\"");
    let gateway = Setup::new().routes(&routes).prepare(|folder| {
        let folder = folder.join("scenarios");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("Desk.js"), desk).unwrap();
    });
    let otto = phone(&gateway, "otto", OTTOS, 5.0).finish().answered();
    gateway.wait_for_log("recorded file:///", seconds(20));
    let log = gateway.log();
    let path = log.split_once("recorded file://").unwrap().1.split_once(' ').unwrap().0;
    let mut file = hound::WavReader::open(path).unwrap();
    assert_eq!((file.spec().channels, file.spec().sample_rate), (2, 8_000));
    let samples: Vec<i16> = file.samples::<i16>().map(Result::unwrap).collect();
    let channel = |n| samples.iter().skip(n).step_by(2).copied().collect::<Vec<i16>>();
    let prompt = sound::prompt("enter-pin");
    sound::assert_hears("the file's left side", &channel(0), OTTOS);
    assert!(sound::contains_prompt(&channel(1), &prompt) && sound::contains_prompt(&otto.heard, &prompt));
    assert!(!sound::contains_prompt(&channel(0), &prompt));
    gateway.finish();
}

#[test]
fn what_a_bot_has_said_ahead_is_cut_off_where_its_buffer_is_cleared() {
    let _slot = Slot::take();
    // Eight seconds of sound, of which one is heard.
    let does = "bot.send('ahead 8'); setTimeout(() => { bot.clearMediaBuffer(); Logger.write('cleared'); }, 1000);";
    let Stage { gateway, bot } = stage("quiet", does);
    let otto = phone(&gateway, "otto", OTTOS, 8.0);
    gateway.wait_for_log("cleared", seconds(20));
    let heard = otto.finish().answered().heard;
    sound::assert_hears("Otto", &heard, BOTS);
    let pieces = heard.chunks_exact(800).filter(|piece| goertzel::hears(piece, sound::RATE, BOTS, -28.0)).count();
    eprintln!("Otto hears it for {} ms", 100 * pieces);
    assert!(pieces < 40, "less than half of it is heard: {pieces} tenths of a second");
    drop(bot);
    gateway.finish();
}
