//! Sounds of the dialplan: files, and URLs that are fetched beside the calls.

use super::data::{self, Format};
use super::server::{Server, respond, stall};
use crate::dialplan::{FetchSettings, SoundSource, SoundUrl};
use crate::media::command::{Clip, Pcm, Stream};
use crate::sound::{Loader, Patience, Source};
use crate::types::Network;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// A folder of its own for one test, gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("partyline-sound-{}-{test}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Files of the store that are sounds.
    fn kept(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.0.join("sounds")).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_none()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn settings() -> FetchSettings {
    let allow = vec![Network { address: [127, 0, 0, 0].into(), prefix: 8 }];
    FetchSettings { allow, timeout: Duration::from_secs(60), ..FetchSettings::default() }
}

fn loader(folder: &Folder) -> Loader {
    Loader::start(&folder.0, Patience::default()).unwrap()
}

/// A WAV file of a steady value, a tenth of a second.
fn wav(value: i16) -> Vec<u8> {
    Format::new(1, 1, 8_000, 16).file(&[value; 800].map(i16::to_le_bytes).concat())
}

fn usual() -> Pcm {
    vec![7; 80].into()
}

/// The first sample of what is played now.
fn playing(source: &Source) -> i16 {
    match source.clip(false, Some(&usual())) {
        Some(Clip::Samples(pcm)) => pcm.narrow()[0],
        other => panic!("{other:?}"),
    }
}

fn wait_for(source: &Source, value: i16) {
    let limit = crate::test_clock() + Duration::from_secs(60);
    while playing(source) != value {
        assert!(crate::test_clock() < limit, "{} is heard and not {value}", playing(source));
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

#[test]
fn a_url_is_heard_once_it_is_there_and_at_once_after_a_restart() {
    let folder = Folder::new("url");
    let changed = Arc::new(AtomicBool::new(false));
    let is_changed = Arc::clone(&changed);
    let server = Server::start("127.0.0.1", move |asked, stream| {
        let (tag, value) = if is_changed.load(Ordering::SeqCst) { ("\"b\"", 90) } else { ("\"a\"", 50) };
        if asked.head.contains(tag) {
            return respond(stream, "304 Not Modified", &[], b"");
        }
        respond(stream, "200 OK", &[&format!("ETag: {tag}")], &wav(value));
    });
    let url = SoundUrl::read(&server.url("/hold.wav")).unwrap();
    let first = loader(&folder);
    let source = first.url(&url, &settings());
    wait_for(&source, 50);
    assert!(matches!(source.clip(true, None), Some(Clip::Loop(_))));
    assert!(!server.next().head.to_lowercase().contains("if-none-match"));
    // Another gateway has it before it has asked; and asks whether it is still that.
    let second = loader(&folder).url(&url, &settings());
    assert_eq!(playing(&second), 50);
    assert!(server.next().head.contains("\"a\""));
    changed.store(true, Ordering::SeqCst);
    wait_for(&loader(&folder).url(&url, &settings()), 90);
    assert_eq!(folder.kept().len(), 1);
}

#[test]
fn a_stalled_server_holds_nobody_and_what_is_usual_is_heard() {
    let folder = Folder::new("stalled");
    let server = Server::start("127.0.0.1", |_, stream| stall(stream));
    let loader = loader(&folder);
    // More of them than there are workers, and none is waited for.
    let sources: Vec<Source> =
        (0..20).map(|n| loader.url(&SoundUrl::read(&server.url(&format!("/{n}.wav"))).unwrap(), &settings())).collect();
    for source in &sources {
        assert_eq!(playing(source), 7);
        assert_eq!(source.clip(true, Some(&usual())), Some(Clip::Loop(usual())));
        assert_eq!(source.clip(false, None), None);
    }
}

#[test]
fn what_is_no_sound_does_not_replace_what_is() {
    let folder = Folder::new("content");
    let good = Arc::new(AtomicBool::new(true));
    let is_good = Arc::clone(&good);
    let server = Server::start("127.0.0.1", move |_, stream| {
        let body = if is_good.load(Ordering::SeqCst) { wav(50) } else { b"<html>Welcome to our new site".to_vec() };
        respond(stream, "200 OK", &["Content-Type: audio/mpeg"], &body);
    });
    let url = SoundUrl::read(&server.url("/hold")).unwrap();
    wait_for(&loader(&folder).url(&url, &settings()), 50);
    server.next();
    good.store(false, Ordering::SeqCst);
    let (told, heard) = mpsc::channel();
    let loader = loader(&folder);
    let play = |url: &str| {
        let told = told.clone();
        let source = SoundSource::read(url, Path::new("/")).unwrap();
        loader.clip(source, &settings(), move |clip| told.send(clip).unwrap());
        heard.recv_timeout(Duration::from_secs(60)).unwrap()
    };
    assert!(matches!(play(&server.url("/hold")), Ok(Clip::Samples(pcm)) if pcm.narrow()[0] == 50));
    let told = play(&server.url("/other?token=hush")).unwrap_err();
    assert!(told.contains("/other: what the server has is text") && !told.contains("hush"), "{told}");
    assert_eq!(folder.kept().len(), 1);
    // Nor is anything left of it.
    let left = std::fs::read_dir(folder.0.join("sounds")).unwrap().flatten();
    assert!(left.map(|entry| entry.path()).all(|path| path.extension().is_none_or(|end| end != "new")));
}

/// All that a player hears of a URL that is fetched for it, and the answer.
fn heard(loader: &Loader, url: &str) -> (Vec<i16>, Result<Option<Duration>, String>) {
    heard_of(loader, url, false, usize::MAX)
}

/// The same of as many samples as are wanted.
fn heard_of(loader: &Loader, url: &str, is_loop: bool, most: usize) -> (Vec<i16>, Result<Option<Duration>, String>) {
    let (producer, stream) = Stream::new(16_000);
    let (sender, answer) = mpsc::channel();
    let url = SoundUrl::read(url).unwrap();
    loader.stream(url, &settings(), is_loop, producer, move |outcome| sender.send(outcome).unwrap());
    let mut player = stream.take_for_test().unwrap();
    let mut samples = Vec::new();
    let limit = crate::test_clock() + Duration::from_secs(60);
    loop {
        let is_over = player.is_abandoned();
        while let Ok(sample) = player.pop() {
            samples.push(sample.narrow);
        }
        if is_over || samples.len() >= most {
            return (samples, answer.recv().unwrap());
        }
        assert!(crate::test_clock() < limit, "{} samples", samples.len());
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

#[test]
fn a_url_is_fetched_for_a_player_that_waits_for_it_and_where_it_cannot_be_its_stream_ends() {
    let folder = Folder::new("for-a-player");
    let server = Server::start("127.0.0.1", |asked, stream| match asked.head.contains("/there") {
        true => respond(stream, "200 OK", &[], &wav(40)),
        false => respond(stream, "404 Not Found", &[], b""),
    });
    let loader = loader(&folder);
    let (samples, outcome) = heard(&loader, &server.url("/there.wav"));
    assert_eq!((samples.len(), outcome), (800, Ok(Some(Duration::from_millis(100)))));
    assert!(samples[100..700].iter().all(|sample| (39..=41).contains(sample)), "{samples:?}");
    let (samples, outcome) = heard(&loader, &server.url("/nothing.wav"));
    assert!(samples.is_empty());
    assert!(outcome.as_ref().is_err_and(|why| why.contains("404")), "{outcome:?}");
    // An address that nobody may ask.
    let (samples, outcome) = heard(&loader, "http://10.0.0.1/a.wav");
    assert!(samples.is_empty() && outcome.is_err(), "{outcome:?}");
}

#[test]
fn a_url_that_a_player_repeats_is_fetched_once_and_heard_over_and_over() {
    let folder = Folder::new("repeated");
    let steps: Vec<i16> = (0..80).flat_map(|step| [step * 100; 100]).collect();
    let octets: Vec<u8> = steps.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let server = Server::with(Format::new(1, 1, 8_000, 16).file(&octets));
    let loader = loader(&folder);
    let (samples, outcome) = heard_of(&loader, &server.url("/steps.wav"), true, 60_000);
    assert_eq!(outcome, Ok(Some(Duration::from_secs(1))));
    let (first, rest) = samples.split_at(8_000);
    for again in rest.chunks_exact(8_000) {
        assert_eq!(again, first, "without a gap, and from its beginning");
    }
    assert_eq!(server.asked(), 1);
}

#[test]
fn a_long_sound_of_a_url_is_repeated_too() {
    let folder = Folder::new("long");
    // Longer than what is kept decoded.
    let octets: Vec<u8> = (0..61_i16).flat_map(|second| [second * 500; 8_000]).flat_map(i16::to_le_bytes).collect();
    let server = Server::with(Format::new(1, 1, 8_000, 16).file(&octets));
    let source = loader(&folder).url(&SoundUrl::read(&server.url("/long.wav")).unwrap(), &settings());
    let limit = crate::test_clock() + Duration::from_secs(60);
    let stream = loop {
        match source.clip(true, Some(&usual())) {
            Some(Clip::Stream(stream)) => break stream,
            other => assert!(crate::test_clock() < limit, "{other:?}"),
        }
        std::thread::park_timeout(Duration::from_millis(5));
    };
    let mut player = stream.take_for_test().unwrap();
    let mut samples = Vec::new();
    while samples.len() < 8_000 * 63 {
        while let Ok(sample) = player.pop() {
            samples.push(sample.narrow);
        }
        assert!(!player.is_abandoned(), "it ended after {} samples", samples.len());
        assert!(crate::test_clock() < limit, "{} samples", samples.len());
        std::thread::park_timeout(Duration::from_millis(1));
    }
    assert!((29_000..31_000).contains(&samples[8_000 * 60 + 4_000]), "its last second");
    assert_eq!(samples[8_000 * 61..8_000 * 63], samples[..8_000 * 2], "and its first two again");
}

#[test]
fn administrators_play_files_and_urls_of_any_form() {
    let folder = Folder::new("clip");
    let loader = loader(&folder);
    let server = Server::with(data::MP3);
    let (path, long) = (folder.0.join("tone.ogg"), folder.0.join("long.ulaw"));
    std::fs::write(&path, data::VORBIS).unwrap();
    std::fs::write(&long, vec![0x55; 8_000 * 61]).unwrap();
    let (told, heard) = mpsc::channel();
    let play = |source: &str| {
        let told = told.clone();
        let source = SoundSource::read(source, Path::new("/")).unwrap();
        loader.clip(source, &settings(), move |clip| told.send(clip).unwrap());
        heard.recv_timeout(Duration::from_secs(60)).unwrap()
    };
    assert!(matches!(play(path.to_str().unwrap()), Ok(Clip::Samples(pcm)) if pcm.wide().is_some()));
    assert!(matches!(play(&server.url("/tone")), Ok(Clip::Samples(pcm)) if pcm.duration().as_millis() > 450));
    assert!(matches!(play(long.to_str().unwrap()), Ok(Clip::Stream(_))));
    let told = play("/nowhere/a.mp3").unwrap_err();
    assert!(told.starts_with("/nowhere/a.mp3: cannot be opened"), "{told}");
}
