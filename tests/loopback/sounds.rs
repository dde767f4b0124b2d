//! Sounds of the dialplan and of administrators: of every form, from the disk and from web servers good and bad.

use super::harness::folder::Folder;
use super::harness::web::Web;
use super::harness::{Gateway, PIN, Phone, Setup, certificate, seconds, sound, wait};

/// 0.5 s of 440 Hz.
const MP3: &[u8] = include_bytes!("../../src/sound/tests/tone.mp3");

/// Loopback servers may be asked.
const ALLOWED: &str = "fetch = { allow = [\"127.0.0.0/8\"] }";

/// A dialplan with one IVR that says what is given, and a room with music.
fn routes(say: &str, music: &str) -> String {
    format!(
        "[trunks.local]\nallow = [\"127.0.0.0/8\"]\n[rooms.demo]\npin = \"{PIN}\"\nannounce = \"none\"\n\
         [rooms.lobby]\nannounce = \"none\"\nalone = \"music\"\n{music}\n\
         [ivr.conference]\nsay = {say}\ncollect = {{ digits = \"4-10\", end = \"#\" }}\nthen = {{ room = \"by-pin\" }}\n\
         [[routes]]\nname = \"Conference\"\nfrom = \"local\"\nnumber = \"1000\"\nivr = \"conference\"\n\
         [[routes]]\nname = \"Lobby\"\nfrom = \"local\"\nnumber = \"2000\"\nroom = \"lobby\"\n"
    )
}

fn hears(heard: &[i16], hertz: f64) -> bool {
    let pieces =
        heard.chunks_exact(800).filter(|piece| partyline::audio::goertzel::hears(piece, sound::RATE, hertz, -28.0));
    pieces.count() >= 3
}

#[test]
fn a_prompt_from_a_web_server_is_heard() {
    let web = Web::start(Some(MP3.to_vec()));
    let url = format!("{{ file = \"{}\" }}", web.url("/welcome.mp3?token=hush"));
    let gateway = Setup::new().setting(ALLOWED).routes(&routes(&url, "")).start();
    // It is there as soon as it was fetched and decoded; calls before that hear the usual prompt.
    wait::until_true("the MP3 is heard", seconds(60), || {
        hears(&Phone::dials("1000").seconds(2.0).run(&gateway).answered().heard, 440.0)
    });
    let asked = web.asked();
    assert_eq!(asked, 1, "it is fetched once");
    let remains = gateway.finish();
    remains.assert_silent_about(&["hush"]);
}

#[test]
fn a_stalled_server_holds_neither_the_start_nor_a_call_nor_a_reload() {
    let web = Web::start(None);
    let url = format!("{{ file = \"{}\" }}", web.url("/welcome.mp3"));
    let music = format!("music = \"{}\"", web.url("/music.mp3"));
    let gateway = Setup::new().setting(ALLOWED).routes(&routes(&url, &music)).start();
    wait::until_true("the server is asked", seconds(15), || web.asked() >= 2);
    let called = Phone::dials("1000").seconds(4.0).run(&gateway).answered();
    assert!(sound::contains_prompt(&called.heard, &prompt("enter-pin")), "the usual prompt is heard instead");
    // The tune instead of the music: its first note is a C.
    let called = Phone::dials("2000").seconds(7.0).run(&gateway).answered();
    assert!(hears(&called.heard, 523.25), "the tune is heard instead");
    assert!(gateway.ctl(&["reload"]).output.contains("as it was"));
    gateway.finish();
}

fn prompt(name: &str) -> Vec<i16> {
    sound::read(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("prompts/en-GB/{name}.wav")))
}

#[test]
fn a_long_file_is_decoded_while_it_is_played() {
    let gateway =
        Setup::new().routes(&routes("{ prompt = \"enter-pin\" }", "music = \"music.ulaw\"")).prepare(|folder| {
            std::fs::write(folder.join("music.ulaw"), sound::tone_as_ulaw(700.0, seconds(62))).unwrap();
        });
    let called = Phone::dials("2000").seconds(8.0).run(&gateway).answered();
    sound::assert_hears("the caller", &called.heard, 700.0);
    gateway.finish();
}

/// A call hears a URL over and over, which does not stand in the text as one, by itself or from a player.
const REPEATING: &str = r#"
VoxEngine.addEventListener(AppEvents.CallAlerting, ({ call, destination }) => {
  const url = ["http:/", VoxEngine.customData(), "tone.mp3"].join("/");
  call.addEventListener(CallEvents.Connected, () => {
    if (destination === "5001") call.startPlayback(url, { loop: true });
    else VoxEngine.createURLPlayer(url, { loop: true }).sendMediaTo(call);
  });
  call.addEventListener(CallEvents.PlaybackFinished, () => call.hangup());
  call.addEventListener(CallEvents.Disconnected, () => VoxEngine.terminate());
  call.answer();
});
"#;

#[test]
fn a_scenario_repeats_a_url_until_its_call_is_over() {
    let web = Web::start(Some(MP3.to_vec()));
    let place = web.url("").replace("http://", "");
    let routes = format!(
        "[trunks.local]\nallow = [\"127.0.0.0/8\"]\n\
         [[routes]]\nname = \"Repeating\"\nfrom = \"local\"\nnumber = '500[12]'\nscenario = \"Repeating\"\n\
         custom_data = \"{place}\"\n"
    );
    let gateway = Setup::new().setting(ALLOWED).routes(&routes).prepare(|folder| {
        std::fs::create_dir(folder.join("scenarios")).unwrap();
        std::fs::write(folder.join("scenarios/Repeating.js"), REPEATING).unwrap();
    });
    for number in ["5001", "5002"] {
        let heard = Phone::dials(number).seconds(6.0).run(&gateway).answered().heard;
        let is_tone = |piece: &&[i16]| partyline::audio::goertzel::hears(piece, sound::RATE, 440.0, -28.0);
        // Half a second, at least eight times.
        let count = heard.chunks_exact(800).filter(is_tone).count();
        assert!(count >= 40, "{number}: {count} of {} tenths of a second", heard.len() / 800);
    }
    let remains = gateway.finish();
    assert!(!remains.log.contains("scenario failed"), "{}", remains.log);
}

#[test]
fn an_administrator_plays_urls_and_is_told_what_is_refused() {
    let web = Web::start(Some(MP3.to_vec()));
    let text = Web::start(Some(b"<html>This is no sound at all.</html>".to_vec()));
    let play = |gateway: &Gateway, what: &str| gateway.ctl(&["play", what, "--room", "lobby"]);
    let strict = Setup::new().start();
    let phone = Phone::dials("2000").seconds(10.0).call(&strict);
    strict.wait_for_members("lobby", 1);
    for url in [web.url("/a.mp3"), web.url("/a.mp3").replace("127.0.0.1", "localhost")] {
        let refused = play(&strict, &url);
        assert!(refused.code() == 1 && refused.errors.contains("is loopback"), "{}", refused.errors);
    }
    let refused = play(&strict, "ftp://music.example/a.mp3");
    assert!(refused.errors.contains("by http or https, not by ftp"), "{}", refused.errors);
    assert_eq!(web.asked(), 0, "nobody connected");
    drop((phone, strict));

    let gateway = Setup::new().setting(ALLOWED).start();
    let phone = Phone::dials("2000").seconds(8.0).call(&gateway);
    gateway.wait_for_members("lobby", 1);
    let refused = play(&gateway, &text.url("/a.mp3?token=hush"));
    assert!(refused.code() == 1 && refused.errors.contains("what the server has"), "{}", refused.errors);
    assert!(!refused.errors.contains("hush"));
    let played = play(&gateway, &web.url("/a.mp3"));
    assert_eq!(played.code(), 0, "{}", played.errors);
    assert!(hears(&phone.finish().answered().heard, 440.0), "the caller hears it");
    gateway.finish();
}

#[test]
fn a_check_says_what_is_wrong_with_a_sound() {
    let gateway = Setup::new().start();
    let config = gateway.folder().join("dialplan.toml");
    let before = std::fs::read_to_string(&config).unwrap();
    std::fs::write(gateway.folder().join("broken.flac"), b"fLaC\x80\0\0\x22").unwrap();
    for (say, told) in [
        ("broken.flac", "is FLAC, but broken about octet 8"),
        ("http://127.0.0.1/a.mp3", "127.0.0.1 is loopback"),
        ("http://2130706433/a.mp3", "127.0.0.1 is loopback"),
        ("ftp://music.example/a.mp3", "by http or https"),
    ] {
        let say = format!("say     = {{ file = \"{say}\" }}");
        std::fs::write(&config, before.replace("say     = { prompt = \"enter-pin\" }", &say)).unwrap();
        let bad = gateway.ctl(&["reload"]);
        assert!(bad.code() == 1 && bad.errors.contains(told), "{say}: {}", bad.errors);
    }
    let url =
        before.replace("say     = { prompt = \"enter-pin\" }", "say     = { file = \"https://music.example/a.mp3\" }");
    std::fs::write(&config, url).unwrap();
    let good = gateway.ctl(&["reload"]);
    assert_eq!(good.code(), 0, "{}", good.errors);
    gateway.finish();
}

#[test]
fn a_server_by_tls_is_known_by_the_roots_of_the_system() {
    let folder = Folder::new();
    certificate::issue(folder.path(), "web", "localhost");
    let web = Web::start_tls(MP3.to_vec(), folder.path());
    let url = format!("https://localhost:{}/a.mp3", web.port());
    let allowed = "fetch = { allow = [\"127.0.0.0/8\", \"::1\"] }";
    for (is_root, told) in [(false, "certificate"), (true, "playing to room lobby")] {
        let mut setup = Setup::new().setting(allowed);
        if is_root {
            setup = setup.environment("SSL_CERT_FILE", folder.file("ca.pem").to_str().unwrap());
        }
        let gateway = setup.start();
        let _phone = Phone::dials("2000").seconds(8.0).call(&gateway);
        gateway.wait_for_members("lobby", 1);
        let played = gateway.ctl(&["play", &url, "--room", "lobby"]);
        assert_eq!(played.code() == 0, is_root, "{}{}", played.output, played.errors);
        let text = format!("{}{}", played.output, played.errors);
        assert!(text.contains(told), "{text}");
    }
}
