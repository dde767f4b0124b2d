//! Behaviour of the speaker with programs that speak, hang and die.

use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// A natural voice and an espeak-ng that are shell scripts, in a folder that is gone afterwards.
struct Machine {
    folder: PathBuf,
}

const SOUND: &str = "printf 'sound 8000 800\\n'; head -c 1600 /dev/zero | tr '\\000' '\\060'";
/// An answer to each line, until there is none.
const SPEAKS: &str = "while read -r line; do echo \"$line\" >> \"$1/said\"; SOUND; done";
/// A WAV file of 16 bits at 8 kHz.
const ESPEAK: &str = "cat >> \"$(dirname \"$0\")/fallback\"; printf 'RIFF....WAVEfmt \\020\\000\\000\\000\\001\\000\\001\\000\
\\100\\037\\000\\000\\200\\076\\000\\000\\002\\000\\020\\000data....'; head -c 3200 /dev/zero | tr '\\000' '\\040'";

impl Machine {
    fn new(test: &str, natural: Option<&str>, espeak: Option<&str>) -> Self {
        let folder = std::env::temp_dir().join(format!("partyline-speaker-{}-{test}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("voice")).unwrap();
        let machine = Self { folder };
        if let Some(script) = natural {
            machine.script("voice/partyline-voice", &script.replace("SOUND", SOUND));
            fs::write(machine.folder.join("voice/version"), "1").unwrap();
        }
        if let Some(script) = espeak {
            machine.script("espeak", script);
        }
        machine
    }

    fn script(&self, name: &str, script: &str) {
        let path = self.folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn paths(&self) -> Paths {
        let path = |name| self.folder.join(name);
        Paths { voice: path("voice"), cache: path("cache"), espeak: path("espeak") }
    }

    fn speaker(&self) -> Speaker {
        self.patient(Patience { start: Duration::from_secs(30), character: Duration::ZERO })
    }

    fn patient(&self, patience: Patience) -> Speaker {
        Speaker::start(self.paths(), patience).unwrap()
    }

    /// How many lines a program was told.
    fn lines(&self, name: &str) -> usize {
        fs::read_to_string(self.folder.join(name)).map_or(0, |text| text.lines().count())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn text(words: &str) -> Text {
    Text { language: "en-GB".into(), text: words.into(), rate: 8_000 }
}

const LONG: &str = "This is the first of three sentences. This is the second one of them. And this is the last one.";

#[test]
fn the_natural_voice_speaks_and_what_it_said_is_not_asked_twice() {
    let machine = Machine::new("natural", Some(SPEAKS), Some(ESPEAK));
    let speaker = machine.speaker();
    let first = speaker.render(text("Hello there")).unwrap();
    assert!(!first.samples.is_empty());
    assert_eq!(speaker.render(text("Hello there")).unwrap(), first);
    assert_eq!((machine.lines("voice/said"), machine.lines("fallback")), (1, 0));
    // Another run finds it, too.
    assert_eq!(machine.speaker().render(text("Hello there")).unwrap(), first);
    assert_eq!(machine.lines("voice/said"), 1);
    assert_eq!(fs::read_to_string(machine.folder.join("voice/said")).unwrap(), "bf_emma\tHello there\n");
}

#[test]
fn a_long_text_comes_sentence_by_sentence() {
    let machine = Machine::new("pieces", Some(SPEAKS), None);
    let (told, pieces) = mpsc::channel();
    machine.speaker().queue(text(LONG), move |(sound, last)| told.send((sound.is_ok(), last)).unwrap()).unwrap();
    assert_eq!(pieces.iter().collect::<Vec<_>>(), [(true, false), (true, false), (true, true)]);
}

#[test]
fn a_panic_on_the_way_ends_the_text_with_an_error_and_the_next_is_said() {
    let machine = Machine::new("panic", Some(SPEAKS), None);
    let speaker = machine.speaker();
    let (told, pieces) = mpsc::channel();
    let deliver = move |(sound, last): Piece| match sound {
        Ok(_) => panic!("as a bug would"),
        Err(error) => told.send((error, last)).unwrap(),
    };
    speaker.queue(text(LONG), deliver).unwrap();
    assert_eq!(pieces.iter().collect::<Vec<_>>(), [(SpeechError::NoVoice(FAILED.into()), true)]);
    assert!(speaker.render(text("Hello there")).is_ok());
}

#[test]
fn without_a_natural_voice_espeak_speaks() {
    let machine = Machine::new("plain", None, Some(ESPEAK));
    assert!(!machine.speaker().render(text("Hello there")).unwrap().samples.is_empty());
    assert_eq!(machine.lines("fallback"), 1);
}

#[test]
fn a_voice_that_dies_is_replaced_and_espeak_says_what_it_did_not() {
    // Dies at its first sentence; the next one that is started speaks.
    let dies = format!("[ -e \"$1/died\" ] || {{ read -r line; touch \"$1/died\"; exit 1; }}; {SPEAKS}");
    let machine = Machine::new("dies", Some(&dies), Some(ESPEAK));
    assert!(machine.speaker().render(text(LONG)).is_ok());
    assert_eq!((machine.lines("fallback"), machine.lines("voice/said")), (1, 2));
}

#[test]
fn a_voice_that_hangs_is_killed_and_replaced() {
    let hangs = format!("[ -e \"$1/hung\" ] || {{ echo $$ > \"$1/hung\"; exec sleep 1000; }}; {SPEAKS}");
    let machine = Machine::new("hangs", Some(&hangs), Some(ESPEAK));
    let speaker = machine.patient(Patience { start: Duration::from_secs(2), character: Duration::ZERO });
    assert!(speaker.render(text(LONG)).is_ok());
    assert_eq!(machine.lines("fallback"), 1);
    let pid = fs::read_to_string(machine.folder.join("voice/hung")).unwrap();
    assert!(!Path::new("/proc").join(pid.trim()).exists(), "{pid} still runs");
}

#[test]
fn a_voice_that_talks_nonsense_or_fails_again_and_again_is_left_alone() {
    let nonsense = "echo >> \"$1/started\"; while read -r line; do echo 'sound 8000 99999999999'; done";
    let machine = Machine::new("nonsense", Some(nonsense), Some(ESPEAK));
    let speaker = machine.speaker();
    for words in ["one", "two", "three", "four", "five"] {
        assert!(speaker.render(text(words)).is_ok());
    }
    assert_eq!((machine.lines("voice/started"), machine.lines("fallback")), (3, 5));
}

#[test]
fn where_nobody_can_speak_it_is_said_what_is_missing() {
    let machine = Machine::new("mute", None, None);
    let error = machine.speaker().render(text("Hello")).unwrap_err().to_string();
    assert!(error.contains("apt-get install espeak-ng"), "{error}");
    assert_eq!(machine.speaker().render(text(" … ")), Err(SpeechError::Empty));
    assert_eq!(machine.speaker().render(text(&"word ".repeat(4_000))), Err(SpeechError::TooLong));
}

#[test]
fn more_texts_than_the_queue_holds_are_refused_and_nobody_waits() {
    let machine = Machine::new("full", Some("exec sleep 1000"), None);
    let speaker = machine.patient(Patience { start: Duration::from_secs(1), character: Duration::ZERO });
    let queued = (0..200).map(|n| speaker.queue(text(&format!("Text {n}")), |_| {}));
    let queued = queued.filter(Result::is_ok).count();
    assert!((QUEUE..=QUEUE + 2).contains(&queued), "{queued}");
}

#[test]
fn the_natural_voice_of_this_machine_speaks_at_the_right_level() {
    let paths = Paths::within(&Path::new(env!("CARGO_MANIFEST_DIR")).join("var"));
    if !paths.voice.join("version").exists() {
        eprintln!("skipped: no natural voice in {} (make voice)", paths.voice.display());
        return;
    }
    let machine = Machine::new("real", None, None);
    let paths = Paths { voice: paths.voice, ..machine.paths() };
    let speaker = Speaker::start(paths, Patience::default()).unwrap();
    let words = Text { rate: 16_000, ..text("Nobody has ever said this sentence before.") };
    let sound = speaker.render(words).unwrap();
    assert!((1.5..6.0).contains(&(sound.samples.len() as f64 / 16_000.0)), "{} samples", sound.samples.len());
    let samples: Vec<f32> = sound.samples.iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
    let level = crate::audio::active_level::active_level(&samples, 16_000).unwrap().dbov;
    assert!((level - LEVEL).abs() < 1.0, "{level} dBov");
}
