//! Whoever speaks, or fetches a sound, hangs or dies: another one takes its place, the caller hears what stands in, and
//! the sound of the calls goes on as if nothing were.

use super::harness::folder::Folder;
use super::harness::slot::Slot;
use super::harness::web::Web;
use super::harness::{Gateway, Listener, PIN, Setup, seconds, sound, wait};
use partyline::audio::goertzel;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What the two voices say to everything, Hz.
const NATURAL: f64 = 900.0;
const PLAIN: f64 = 700.0;
/// 0.5 s of 440 Hz.
const MP3: &[u8] = include_bytes!("../../src/sound/tests/tone.mp3");

fn program(path: &Path, script: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The natural voice of a gateway in `folder`. `failing` is a case of its first lines, by what number it was started
/// and what it is to say.
fn install_natural(folder: &Path, failing: &str) {
    let voice = folder.join("var/voice");
    let speaks = format!(
        "echo >> \"$1/started\"; n=$(wc -l < \"$1/started\"); while read -r line; do case \"$n:$line\" in {failing} *) \
         printf 'sound 8000 8000\\n'; cat \"$1/tone\";; esac; done"
    );
    program(&voice.join("partyline-voice"), &speaks);
    let tone = sound::tone(NATURAL, seconds(1));
    fs::write(voice.join("tone"), tone.iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<u8>>()).unwrap();
    fs::write(voice.join("version"), "1").unwrap();
}

/// Where a gateway finds programs, an espeak-ng of ours first. `says` comes before it speaks.
fn install_plain(folder: &Folder, says: &str) -> String {
    sound::write(&folder.file("tone.wav"), &sound::tone(PLAIN, seconds(1)));
    let speaks = "case \"$*\" in *-q*) exit 0;; esac; cat > /dev/null;";
    let tone = folder.file("tone.wav");
    program(&folder.file("bin/espeak-ng"), &format!("{speaks} {says} cat {}", tone.display()));
    format!("{}:{}", folder.file("bin").display(), std::env::var("PATH").unwrap())
}

/// For how many tenths of a second it has heard a tone.
fn tenths(listener: &Listener, hertz: f64) -> usize {
    let hears = |piece: &&[i16]| goertzel::hears(piece, sound::RATE, hertz, -24.0);
    listener.heard().chunks_exact(800).filter(hears).count()
}

/// Has a text said to the lobby; it is heard by the voice of these Hz.
fn say(gateway: &Gateway, listener: &Listener, text: &str, hertz: f64) {
    let before = tenths(listener, hertz);
    let saying = gateway.start_ctl(&["say", text, "--room", "lobby"]);
    let said = saying.finish(seconds(60));
    assert_eq!(said.code(), 0, "{}", said.errors);
    wait::until_true(&format!("{text:?} is heard at {hertz} Hz"), seconds(10), || {
        tenths(listener, hertz) >= before + 8
    });
}

#[test]
fn a_voice_that_dies_or_hangs_is_replaced_and_no_packet_is_late() {
    let _slot = Slot::take();
    let folder = Folder::new();
    let path = install_plain(&folder, "");
    // The first dies at its first sentence, the second hangs at one of its.
    let gateway = Setup::new().environment("PATH", &path).prepare(|folder| {
        install_natural(folder, "1:*) echo 'no more' >&2; exit 3;; 2:*hang*) exec sleep 1000;;");
    });
    let listener = Listener::calls("2000", &gateway);
    gateway.wait_for_members("lobby", 1);
    say(&gateway, &listener, "This is the first text.", PLAIN);
    say(&gateway, &listener, "This is the second text.", NATURAL);
    say(&gateway, &listener, "Here you hang.", PLAIN);
    say(&gateway, &listener, "You are left alone for a while.", PLAIN);
    let started = || fs::read_to_string(gateway.folder().join("var/voice/started")).unwrap().lines().count();
    assert_eq!(started(), 2);
    let mut number = 0;
    let again = || {
        number += 1;
        assert_eq!(gateway.ctl(&["say", &format!("Text number {number}."), "--room", "lobby"]).code(), 0);
        started() == 3
    };
    wait::until_true_each(seconds(4), "the third voice is started", seconds(120), again);
    say(&gateway, &listener, "This is the last text.", NATURAL);
    listener.hangs_up().assert_on_time();
    let remains = gateway.finish();
    assert!(remains.says(&["the natural voice failed", "no more", "another one takes its place"]), "{}", remains.log);
    assert!(remains.says(&["the natural voice failed", "it has not answered", "left alone"]), "{}", remains.log);
}

#[test]
fn a_caller_whose_text_nobody_says_hears_the_usual_prompt_and_no_packet_is_late() {
    let _slot = Slot::take();
    let folder = Folder::new();
    let path = install_plain(&folder, "exec sleep 1000;");
    let routes = format!(
        "[trunks.local]\nallow = [\"127.0.0.0/8\"]\n[rooms.demo]\npin = \"{PIN}\"\n\
         [ivr.conference]\nsay = {{ text = \"Welcome to the weekly meeting.\" }}\n\
         collect = {{ digits = \"4-10\", end = \"#\" }}\nthen = {{ room = \"by-pin\" }}\n\
         [[routes]]\nname = \"Conference\"\nfrom = \"local\"\nnumber = \"1000\"\nivr = \"conference\"\n"
    );
    let setup = Setup::new().routes(&routes).environment("PATH", &path);
    let gateway = setup.prepare(|folder| install_natural(folder, "*) exec sleep 1000;;"));
    let listener = Listener::calls("1000", &gateway);
    let prompt = sound::prompt("enter-pin");
    wait::until_true("the usual prompt is heard", seconds(30), || sound::contains_prompt(&listener.heard(), &prompt));
    assert!(gateway.ctl(&["reload"]).output.contains("as it was"));
    listener.hangs_up().assert_on_time();
    gateway.finish();
}

#[test]
fn fetches_that_hang_or_stall_are_given_up_and_no_packet_is_late() {
    let _slot = Slot::take();
    let (stalled, good) = (Web::start(None), Web::start(Some(MP3.to_vec())));
    // Nobody ever writes to it: whoever opens it hangs.
    let setup = Setup::new().setting("fetch = { allow = [\"127.0.0.0/8\"], timeout = \"1s\" }");
    let gateway = setup.prepare(|folder| {
        nix::unistd::mkfifo(&folder.join("hangs.wav"), nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
    });
    let listener = Listener::calls("2000", &gateway);
    gateway.wait_for_members("lobby", 1);
    let play = |what: &str| gateway.start_ctl(&["play", what, "--room", "lobby"]);
    let fifo = gateway.folder().join("hangs.wav");
    // As many as may be at work at one time.
    let hanging = [(); 4].map(|()| play(fifo.to_str().unwrap()));
    let stalling = [(); 4].map(|()| play(&stalled.url("/a.mp3")));
    let played = play(&good.url("/a.mp3"));
    assert_eq!(played.finish(seconds(90)).code(), 0);
    for (asked, why) in [(hanging, "not done in time"), (stalling, "it took too long")] {
        for asked in asked {
            let told = asked.finish(seconds(90));
            assert!(told.code() == 1 && told.errors.contains(why), "{}", told.errors);
        }
    }
    wait::until_true("the sound is heard", seconds(10), || tenths(&listener, 440.0) >= 3);
    listener.hangs_up().assert_on_time();
    gateway.finish();
}
