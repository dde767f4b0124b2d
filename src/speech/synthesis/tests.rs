//! Behaviour of the speaker with programs that speak, hang and die.

use super::speaker::QUEUE;
use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc::{self, Receiver};
use std::time::Instant;

/// A natural voice and an espeak-ng that are shell scripts, in a folder that is gone afterwards.
pub(in crate::speech) struct Machine {
    folder: PathBuf,
}

/// Longest wait for what must come.
const LIMIT: Duration = Duration::from_secs(60);
const SOUND: &str = "printf 'sound 8000 800\\n'; head -c 1600 /dev/zero | tr '\\000' '\\060'";
/// An answer to each line, until there is none.
const SPEAKS: &str = "while read -r line; do echo \"$line\" >> \"$1/said\"; SOUND; done";
/// The same, but for the first line, which waits until there is a file `gate`.
pub(in crate::speech) const GATED: &str = "while read -r line; do echo \"$line\" >> \"$1/said\"; \
while [ ! -e \"$1/gate\" ]; do sleep 0.02; done; SOUND; done";
/// A WAV file of 16 bits at 8 kHz.
pub(in crate::speech) const ESPEAK: &str = "cat >> \"$(dirname \"$0\")/fallback\"; printf 'RIFF....WAVEfmt \\020\\000\\000\\000\\001\\000\\001\\000\
\\100\\037\\000\\000\\200\\076\\000\\000\\002\\000\\020\\000data....'; head -c 3200 /dev/zero | tr '\\000' '\\040'";

impl Machine {
    pub(in crate::speech) fn new(test: &str, natural: Option<&str>, espeak: Option<&str>) -> Self {
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

    pub(in crate::speech) fn script(&self, name: &str, script: &str) {
        let path = self.folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(in crate::speech) fn paths(&self) -> Paths {
        let path = |name| self.folder.join(name);
        Paths { voice: path("voice"), cache: path("cache"), espeak: path("espeak") }
    }

    pub(in crate::speech) fn speaker(&self) -> Speaker {
        self.patient(Patience { start: LIMIT, sentence: LIMIT, ..Patience::default() })
    }

    fn patient(&self, patience: Patience) -> Speaker {
        Speaker::start(self.paths(), patience).unwrap()
    }

    /// How many lines a program was told.
    fn lines(&self, name: &str) -> usize {
        fs::read_to_string(self.folder.join(name)).map_or(0, |text| text.lines().count())
    }

    /// What the natural voice was told, without the voice's name.
    pub(in crate::speech) fn said(&self) -> Vec<String> {
        let lines = fs::read_to_string(self.folder.join("voice/said")).unwrap_or_default();
        lines.lines().filter_map(|line| Some(line.split_once('\t')?.1.to_owned())).collect()
    }

    /// Lets the first line of a [`GATED`] voice be said.
    pub(in crate::speech) fn open_gate(&self) {
        fs::write(self.folder.join("voice/gate"), "").unwrap();
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Waits until something is so that a program does.
#[expect(clippy::disallowed_methods, reason = "programs take their time, and tell nobody")]
pub(in crate::speech) fn until(what: impl Fn() -> bool) {
    let began = Instant::now();
    while !what() {
        assert!(began.elapsed() < LIMIT, "it never came");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Has a text said; gives what is told of its pieces: whether it is sound, and the last.
fn queue(speaker: &Speaker, who: For, words: &str) -> (Saying, Receiver<(bool, bool)>) {
    let (told, pieces) = mpsc::channel();
    let saying = speaker.queue(who, text(words), move |(sound, last)| told.send((sound.is_ok(), last)).is_ok());
    (saying.unwrap(), pieces)
}

/// Everything that was queued before has been looked for on the disk.
fn settle(speaker: &Speaker) {
    assert!(speaker.known(&text(KNOWN)).is_some());
    speaker.render(text(KNOWN)).unwrap();
}

const KNOWN: &str = "Hello there";

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
    let speaker = machine.speaker();
    let (_saying, pieces) = queue(&speaker, For::Caller, LONG);
    assert_eq!(pieces.iter().collect::<Vec<_>>(), [(true, false), (true, false), (true, true)]);
}

#[test]
fn a_panic_on_the_way_ends_the_text_with_an_error_and_the_next_is_said() {
    let machine = Machine::new("panic", Some(SPEAKS), None);
    let speaker = machine.speaker();
    let (told, pieces) = mpsc::channel();
    let deliver = move |(sound, last): Piece| match sound {
        Ok(_) => panic!("as a bug would"),
        Err(error) => told.send((error, last)).is_ok(),
    };
    let _saying = speaker.queue(For::Caller, text(LONG), deliver).unwrap();
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

/// Hangs at its first sentence, and so does what it has started; the next one that is started speaks.
const HANGS: &str = "[ -e \"$1/hung\" ] || { echo $$ > \"$1/hung\"; sleep 1000 & echo $! >> \"$1/hung\"; wait; }; ";

#[test]
fn a_voice_that_hangs_is_killed_with_all_that_it_started_and_left_alone_for_a_while() {
    let machine = Machine::new("hangs", Some(&format!("{HANGS}{SPEAKS}")), Some(ESPEAK));
    let speaker = machine.patient(Patience { start: Duration::from_secs(2), ..Patience::default() });
    assert!(speaker.render(text(LONG)).is_ok());
    assert_eq!((machine.lines("fallback"), machine.lines("voice/said")), (3, 0));
    let is_running = |pid: &str| {
        let state = fs::read_to_string(Path::new("/proc").join(pid).join("stat")).unwrap_or_default();
        state.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with(['Z', 'X']))
    };
    let pids = fs::read_to_string(machine.folder.join("voice/hung")).unwrap();
    assert_eq!(pids.lines().count(), 2);
    until(|| !pids.lines().any(is_running));
}

#[test]
fn a_voice_that_hung_is_replaced_after_its_rest() {
    let machine = Machine::new("rests", Some(&format!("{HANGS}{SPEAKS}")), Some(ESPEAK));
    let patience = Patience { start: Duration::from_secs(2), rest: Duration::ZERO, ..Patience::default() };
    assert!(machine.patient(patience).render(text(LONG)).is_ok());
    assert_eq!((machine.lines("fallback"), machine.lines("voice/said")), (1, 2));
}

#[test]
fn a_voice_that_cannot_say_one_sentence_says_the_others() {
    let refuses = "echo >> \"$1/started\"; while read -r line; do case $line in *second*) echo 'error no such sound';; \
                   *) SOUND;; esac; done";
    let machine = Machine::new("refuses", Some(refuses), Some(ESPEAK));
    assert!(machine.speaker().render(text(LONG)).is_ok());
    assert_eq!((machine.lines("voice/started"), machine.lines("fallback")), (1, 1));
}

#[test]
fn a_voice_that_was_installed_anew_takes_the_place_of_the_one_that_runs() {
    let machine = Machine::new("anew", Some(&format!("echo >> \"$1/started\"; {SPEAKS}")), None);
    let speaker = machine.speaker();
    for (version, words) in [("1", "one"), ("1", "two"), ("2", "three"), ("2", "one")] {
        fs::write(machine.folder.join("voice/version"), version).unwrap();
        speaker.render(text(words)).unwrap();
    }
    // What the old one said is not taken for the new one's.
    assert_eq!(
        (machine.said(), machine.lines("voice/started")),
        (["one", "two", "three", "one"].map(Into::into).into(), 2)
    );
}

#[test]
fn what_was_said_before_does_not_wait_for_what_has_to_be_said() {
    let machine = Machine::new("known", Some(SPEAKS), None);
    machine.speaker().render(text(KNOWN)).unwrap();
    machine.script("voice/partyline-voice", "exec sleep 1000");
    let speaker = machine.speaker();
    let (_saying, endless) = queue(&speaker, For::Caller, "This is never said.");
    let (_known, pieces) = queue(&speaker, For::Administrator, KNOWN);
    assert_eq!(pieces.recv_timeout(LIMIT), Ok((true, true)));
    assert!(endless.try_recv().is_err());
}

#[test]
fn texts_take_turns_and_callers_go_before_the_dialplan_and_that_before_administrators() {
    let machine = Machine::new("turns", Some(SPEAKS), None);
    machine.speaker().render(text(KNOWN)).unwrap();
    machine.script("voice/partyline-voice", &GATED.replace("SOUND", SOUND));
    let speaker = machine.speaker();
    let two = |name: &str| format!("This is the first sentence of {name}. This is the second sentence of {name}.");
    let first = queue(&speaker, For::Administrator, &two("Anna"));
    until(|| machine.said().len() == 2);
    let others = [(For::Administrator, "Ben"), (For::Dialplan, "Cleo"), (For::Caller, "Dora"), (For::Caller, "Emil")]
        .map(|(who, name)| queue(&speaker, who, &two(name)));
    settle(&speaker);
    machine.open_gate();
    for (_, pieces) in others.iter().chain([&first]) {
        assert_eq!(pieces.iter().collect::<Vec<_>>(), [(true, false), (true, true)]);
    }
    let order: Vec<String> =
        machine.said().iter().filter_map(|said| Some(said.rsplit(' ').next()?.to_owned())).collect();
    let names = ["Anna.", "Dora.", "Emil.", "Dora.", "Emil.", "Cleo.", "Cleo.", "Ben.", "Anna.", "Ben."];
    assert_eq!(order.get(1..), Some(&names.map(str::to_owned)[..]));
}

#[test]
fn nothing_more_is_said_of_a_text_that_nobody_wants_any_more() {
    let machine = Machine::new("cancelled", Some(GATED), None);
    let speaker = machine.speaker();
    let (saying, pieces) = queue(&speaker, For::Administrator, LONG);
    until(|| machine.said().len() == 1);
    drop(saying);
    machine.open_gate();
    assert_eq!(pieces.iter().count(), 1);
    // Nor where the one who takes it says so.
    let _saying = speaker.queue(For::Caller, text(&LONG.replace("This", "That")), |_| false).unwrap();
    speaker.render(text("The last one")).unwrap();
    let said = machine.said();
    assert_eq!((said.len(), said.last().map(String::as_str)), (3, Some("The last one")), "{said:?}");
}

#[test]
fn what_waits_is_not_said_once_the_speaker_is_gone() {
    let machine = Machine::new("dropped", Some(GATED), None);
    let speaker = machine.speaker();
    let (_first, pieces) = queue(&speaker, For::Administrator, LONG);
    until(|| machine.said().len() == 1);
    let (_second, others) = queue(&speaker, For::Caller, "Another text.");
    drop(speaker);
    machine.open_gate();
    assert_eq!((pieces.iter().count(), others.iter().count()), (1, 0));
    assert_eq!(machine.said().len(), 1);
}

#[test]
fn no_more_is_said_than_is_soon_heard() {
    // 31 s each, but for the barrier.
    let slow = "while read -r line; do case $line in *else*) SOUND;; \
                *) printf 'sound 8000 248000\\n'; head -c 496000 /dev/zero | tr '\\000' '\\060';; esac; done";
    let machine = Machine::new("ahead", Some(slow), None);
    let speaker = machine.speaker();
    let (saying, pieces) = queue(&speaker, For::Administrator, LONG);
    assert_eq!(pieces.recv_timeout(LIMIT), Ok((true, false)));
    speaker.render(text("Something else")).unwrap();
    assert!(pieces.try_recv().is_err());
    saying.heard(Duration::from_secs(20));
    assert_eq!(pieces.recv_timeout(LIMIT), Ok((true, false)));
    // The dialplan's texts are kept for whoever comes: they are said to their end.
    assert!(speaker.render(text(LONG)).is_ok());
}

#[test]
fn espeak_is_asked_once_for_each_language_whether_it_has_a_voice() {
    let asks = "echo \"$4\" >> \"$(dirname \"$0\")/asked\"; [ \"$4\" = de-de ] || { echo 'Error: no such voice' >&2; exit 1; }";
    let machine = Machine::new("asked", None, Some(asks));
    let paths = machine.paths();
    assert_eq!((can_say(&paths, "de-DE"), can_say(&paths, "de-DE")), (Ok(()), Ok(())));
    assert_eq!(machine.lines("asked"), 1);
    let why = can_say(&paths, "xx-YY").unwrap_err();
    assert_eq!(why, "espeak-ng has no voice `xx-yy`: Error: no such voice");
    let nowhere = Paths { espeak: "/nowhere/espeak-ng".into(), ..paths };
    assert_eq!(
        can_say(&nowhere, "de-DE").unwrap_err(),
        "neither the natural voice nor the program espeak-ng is installed"
    );
}

#[test]
fn what_espeak_complains_of_is_told() {
    let machine = Machine::new("complains", None, Some("cat > /dev/null; echo 'Error: bad voice' >&2; exit 1"));
    let error = machine.speaker().render(text("Hello")).unwrap_err().to_string();
    assert!(error.ends_with("Error: bad voice"), "{error}");
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
    let speaker = machine.speaker();
    let queued = (0..200).map(|n| speaker.queue(For::Administrator, text(&format!("Text {n}")), |_| true));
    let queued: Vec<_> = queued.filter_map(Result::ok).collect();
    assert!((QUEUE..=QUEUE + 2).contains(&queued.len()), "{}", queued.len());
    // The dialplan's are not: there are as many as it has.
    assert!(speaker.queue(For::Dialplan, text("One more"), |_| true).is_ok());
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
