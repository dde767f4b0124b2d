//! Behaviour of catalogues and sound files.

use super::*;
use crate::audio::active_level::active_level;
use crate::audio::{level, wav};
use crate::media::command::{Clip, Pcm};
use crate::sound::Loader;
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// A folder of its own for one test, gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("partyline-{}-{test}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn load(&self) -> Catalogue {
        Catalogue::load(&self.0).unwrap()
    }

    /// What is wrong, without the folder's own path.
    fn mistakes(&self) -> Vec<String> {
        let CatalogueError(mistakes) = Catalogue::load(&self.0).unwrap_err();
        let inside = |mistake: &SoundError| mistake.file.strip_prefix(&self.0).unwrap().display().to_string();
        mistakes.iter().map(|mistake| format!("{}: {}", inside(mistake), mistake.problem)).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A WAV file of `len` samples of a steady value.
fn sound(value: i16, len: usize) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    wav::write(&mut bytes, &vec![value; len]).unwrap();
    bytes.into_inner()
}

fn pcm(value: i16, len: usize) -> Option<Pcm> {
    Some(vec![value; len].into())
}

#[test]
fn the_binary_has_every_prompt_of_its_catalogue_and_every_file_of_the_folder() {
    let catalogue = Catalogue::built_in();
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/prompts/en-GB"));
    let mut expected: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| Some(entry.unwrap().file_name().to_str()?.strip_suffix(".wav")?.to_owned()))
        .collect();
    expected.sort();
    let names: Vec<&str> = catalogue.prompts(DEFAULT_LANGUAGE).map(|(name, _)| name).collect();
    assert_eq!(names, expected);
    assert!(catalogue.prompts(DEFAULT_LANGUAGE).all(|(_, text)| text.is_some()));
    // The folder of the repository laid over the binary that was made of it changes nothing and is without mistakes.
    let loaded = Catalogue::load(folder.parent().unwrap()).unwrap();
    assert!(loaded.prompts(DEFAULT_LANGUAGE).eq(catalogue.prompts(DEFAULT_LANGUAGE)));
}

#[test]
fn every_prompt_is_as_loud_as_the_others_not_clipped_and_starts_at_once() {
    let prompts = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/prompts"));
    let catalogue = Catalogue::load(prompts).unwrap();
    let languages: Vec<&str> = catalogue.languages().collect();
    assert_eq!(languages, ["en-GB", "en-US", "es-ES", "fr-FR"]);
    for language in languages {
        assert_eq!(catalogue.missing(language).count(), 0, "{language}");
        for (name, text) in catalogue.prompts(language) {
            let file = prompts.join(language).join(format!("{name}.wav"));
            let mut reader = hound::WavReader::open(&file).unwrap();
            let rate = reader.spec().sample_rate;
            assert!(rate >= 16_000, "{language} {name}: {rate} Hz");
            let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
            let peak = samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
            assert!(peak < 32_000, "{language} {name}: peak {peak}");
            let floats: Vec<f32> = samples.iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
            let level = active_level(&floats, rate).unwrap();
            assert!((level.dbov + 20.0).abs() < 1.0, "{language} {name}: {level:?}");
            // At a telephone's pace: 20 letters a second at most, pauses left out.
            let words = samples.chunks(rate as usize / 50).filter(|frame| level::dbfs(frame) > -40.0).count();
            let seconds = words as f32 / 50.0;
            assert!(text.unwrap().chars().count() as f32 / 20.0 < seconds, "{language} {name}: {seconds} s");
            let first = samples.iter().position(|sample| sample.abs() > 300).unwrap();
            let first = first as f32 / rate as f32;
            assert!((0.025..0.2).contains(&first), "{language} {name} starts after {first} s");
        }
    }
}

#[test]
fn a_prompt_is_found_by_name_and_by_text() {
    let catalogue = Catalogue::built_in();
    let goodbye = catalogue.get("en-GB", "goodbye");
    assert!(goodbye.is_some());
    assert_eq!(catalogue.by_text("en-GB", "Goodbye."), goodbye);
    assert_eq!(catalogue.by_text("en-GB", "  GOODBYE!\n"), goodbye);
    let asked = "Please enter your conference PIN, then press the hash key.";
    assert_eq!(catalogue.by_text("en-GB", asked), catalogue.get("en-GB", "enter-pin"));
    // What it said in an earlier version.
    let asked = "Hello, please enter your conference pin using keypad and press pound key to join the conference.";
    assert_eq!(catalogue.by_text("en-GB", asked), catalogue.get("en-GB", "enter-pin"));
    assert_eq!(catalogue.by_text("en-GB", "Hello"), None);
    assert_eq!(catalogue.by_text("en-GB", "…"), None);
    assert_eq!(catalogue.get("en-GB", "no-such-prompt"), None);
    assert_eq!(catalogue.text("en-GB", "goodbye"), Some("Goodbye."));
}

#[test]
fn english_says_hash_key_and_asks_in_one_short_sentence() {
    let catalogue = Catalogue::built_in();
    assert!(catalogue.prompts("en-GB").all(|(_, text)| !text.unwrap().contains("pound")));
    assert_eq!(
        catalogue.text("en-GB", "enter-pin"),
        Some("Please enter your conference PIN, then press the hash key.")
    );
    let seconds = catalogue.get("en-GB", "enter-pin").unwrap().duration().as_secs();
    assert!(seconds <= 4, "{seconds} s");
}

#[test]
fn every_prompt_of_the_binary_is_played_somewhere() {
    fn sources(folder: &Path, all: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() && !entry.ends_with("tests") {
                sources(&entry, all);
            } else if entry.extension().is_some_and(|end| end == "rs") && !entry.ends_with("tests.rs") {
                // Tests of a module come last in its file.
                all.extend(std::fs::read_to_string(&entry).unwrap().split("#[cfg(test)]").next());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = String::new();
    for module in ["session", "gateway", "dialplan/check"] {
        sources(&root.join("src").join(module), &mut all);
    }
    for (name, _) in Catalogue::built_in().prompts("en-GB") {
        assert!(all.contains(&format!("\"{name}\"")), "nobody plays {name}");
    }
}

#[test]
fn another_dialect_or_else_english_stands_in() {
    let folder = Folder::new("dialects");
    folder.file("de-DE/catalogue.toml", "goodbye = \"Auf Wiederhören.\"\n");
    folder.file("de-DE/goodbye.wav", sound(500, 80));
    let catalogue = folder.load();
    for language in ["de-DE", "DE-de", "de-AT", "de"] {
        assert_eq!(catalogue.get(language, "goodbye"), pcm(500, 80), "{language}");
    }
    assert_eq!(catalogue.by_text("de-CH", "auf wiederhören"), pcm(500, 80));
    let english = catalogue.get("en-GB", "goodbye");
    assert_ne!(english, pcm(500, 80));
    for language in ["en-US", "fr-FR", ""] {
        assert_eq!(catalogue.get(language, "goodbye"), english, "{language}");
    }
    assert_eq!(catalogue.get("de-DE", "muted"), catalogue.get("en-GB", "muted"));
    assert!(catalogue.languages().eq(["de-DE", "en-GB"]));
    assert!(catalogue.missing("de-DE").any(|name| name == "muted"));
    assert!(!catalogue.missing("de-DE").any(|name| name == "goodbye"));
    assert_eq!(catalogue.missing("en-GB").count(), 0);
}

#[test]
fn without_a_folder_the_binary_speaks_all_the_same() {
    let catalogue = Catalogue::load(Path::new("/nowhere/at/all")).unwrap();
    assert!(catalogue.get("en-GB", "enter-pin").is_some());
}

#[test]
fn a_file_replaces_one_prompt_and_its_text_and_leaves_the_others() {
    let folder = Folder::new("override");
    folder.file("en-GB/goodbye.wav", sound(700, 160));
    folder.file("en-GB/muted.wav", sound(800, 160));
    folder.file("en-GB/jingle.wav", sound(900, 160));
    folder.file("en-GB/catalogue.toml", "muted = \"Nobody hears you.\"\nunmuted = \"You are no longer muted\"\n");
    folder.file("render.sh", "not a language");
    folder.file(".hidden/x.wav", "not a language either");
    folder.file("notes/readme.txt", "nor this");
    let catalogue = folder.load();
    assert_eq!(catalogue.get("en-GB", "goodbye"), pcm(700, 160));
    assert_eq!(catalogue.by_text("en-GB", "Goodbye."), pcm(700, 160));
    assert_eq!(catalogue.by_text("en-GB", "Nobody hears you."), pcm(800, 160));
    assert_eq!(catalogue.by_text("en-GB", "You are muted."), None);
    assert_eq!(catalogue.get("en-GB", "jingle"), pcm(900, 160));
    assert_eq!(catalogue.text("en-GB", "jingle"), None);
    assert_eq!(catalogue.get("en-GB", "unmuted"), Catalogue::built_in().get("en-GB", "unmuted"));
}

#[test]
fn all_mistakes_of_a_folder_are_told_at_once() {
    let folder = Folder::new("mistakes");
    folder.file(
        "de-DE/catalogue.toml",
        "goodbye = \"Tschüss\"\nmuted = 3\nwelcome = \" \"\n\"Kein Name\" = \"x\"\nbroken = \"da\"\n",
    );
    folder.file("de-DE/broken.wav", "RIFF of nothing");
    folder.file("de-DE/silent.wav", sound(0, 800));
    folder.file("de-DE/Big.wav", sound(9, 800));
    folder.file("en-GB/catalogue.toml", "muted = \"Shush.\"\n");
    folder.file("fr/catalogue.toml", "a = \"b\"\nc = = \"d\"\n");
    let mistakes = folder.mistakes();
    let starts = [
        "de-DE/Big.wav: a prompt's name is made of a-z, 0-9 and hyphens",
        "de-DE/broken.wav: is text, which is not played",
        "de-DE/catalogue.toml: \"Kein Name\": a prompt's name is made of",
        "de-DE/catalogue.toml: muted: its text is missing: muted = \"…\"",
        "de-DE/catalogue.toml: welcome: its text is missing",
        "de-DE/goodbye.wav: is missing, though catalogue.toml has its text",
        "de-DE/silent.wav: holds no sound",
        "en-GB/muted.wav: is missing, and the binary's prompt of this name has another text",
        "fr/catalogue.toml: line 2: ",
    ];
    assert_eq!(mistakes.len(), starts.len(), "{mistakes:#?}");
    for (mistake, start) in mistakes.iter().zip(starts) {
        assert!(mistake.starts_with(start), "{mistake:?} is not {start:?}");
    }
    let message = Catalogue::load(&folder.0).unwrap_err().to_string();
    assert_eq!(message.lines().count(), starts.len());
    assert!(message.starts_with(folder.0.to_str().unwrap()));
}

#[test]
fn of_a_dialect_that_nobody_speaks_only_what_the_others_lack_is_decoded() {
    let folder = Folder::new("unused");
    folder.file("en-US/catalogue.toml", "goodbye = \"GOODBYE\"\nmuted = \"Shush.\"\nhello = \"Hi.\"\n");
    folder.file("en-US/goodbye.wav", "nobody hears this");
    folder.file("en-US/muted.wav", sound(600, 80));
    folder.file("en-US/hello.wav", sound(700, 80));
    let load = |used: &[&str]| Catalogue::load_used(&folder.0, used, &SoundFiles::default());
    let british = load(&["en-GB", "fr-FR"]).unwrap();
    assert_eq!(british.by_text("en-GB", "Shush."), pcm(600, 80));
    assert_eq!(british.get("en-GB", "hello"), pcm(700, 80));
    assert_ne!(british.get("en-GB", "muted"), pcm(600, 80));
    let mistakes = load(&["en-GB", "en-us"]).unwrap_err().to_string();
    assert!(mistakes.contains("en-US/goodbye.wav: is text"), "{mistakes}");
}

#[test]
fn prompts_are_listed_without_decoding_them_and_decoded_once_by_check_and_start() {
    let folder = Folder::new("decoded-once");
    let goodbye = folder.file("de-DE/goodbye.wav", "no sound yet");
    folder.file("de-DE/catalogue.toml", "goodbye = \"Tschüss.\"\n");
    let expected = [crate::dialplan::PromptText { name: "goodbye".into(), text: "Tschüss.".into(), former: false }];
    assert_eq!(list_prompts(&folder.0, "de-DE").unwrap().unwrap(), expected);
    let decoded = SoundFiles::default();
    let mistake = check_prompts(&decoded, &folder.0, "de-DE").unwrap_err();
    assert!(mistake.contains("goodbye.wav: is text"), "{mistake}");
    std::fs::write(&goodbye, sound(500, 80)).unwrap();
    assert_eq!(check_prompts(&decoded, &folder.0, "de-DE").unwrap().unwrap(), expected);
    std::fs::write(&goodbye, "no sound any more").unwrap();
    let catalogue = Catalogue::load_used(&folder.0, &["de-DE"], &decoded).unwrap();
    assert_eq!(catalogue.get("de-DE", "goodbye"), pcm(500, 80));
}

#[test]
fn a_text_that_is_a_prompt_of_its_language_is_heard_by_callers_of_every_language() {
    use crate::gateway::Sounds;
    let folder = Folder::new("languages");
    folder.file("de-DE/goodbye.wav", sound(500, 80));
    folder.file("de-DE/catalogue.toml", "goodbye = \"Auf Wiederhören.\"\n");
    let dialplan = format!(
        "[gateway]\nprompts = {:?}\n[trunks.a]\nallow = \"192.0.2.1\"\n\
         [ivr.bye]\nlanguage = \"de-DE\"\nsay = \"Auf Wiederhören.\"\nthen = {{ room = \"a\" }}\n[rooms.a]\n\
         [[routes]]\nname = \"A\"\nfrom = \"a\"\nnumber = \"1\"\nlanguage = \"en-GB\"\nivr = \"bye\"\n",
        folder.0
    );
    let plan = crate::dialplan::parse("dialplan.toml", &dialplan, &crate::dialplan::Trusting).unwrap().plan;
    let loader = Loader::start(&folder.0, crate::sound::Patience::default()).unwrap();
    let library = Library::load(&plan, None, &loader, &SoundFiles::default()).unwrap();
    assert_eq!(library.text("en-GB", "Auf Wiederhören."), pcm(500, 80));
}

#[test]
fn music_of_the_dialplan_takes_the_place_of_the_tune() {
    use crate::gateway::Sounds;
    let folder = Folder::new("music");
    let music = folder.file("music.wav", sound(1_000, 800));
    let lobby = folder.file("lobby.wav", sound(2_000, 800));
    let parse = |gateway: &str| {
        let dialplan = format!(
            "[gateway]\n{gateway}\n[trunks.a]\nallow = \"192.0.2.1\"\n[rooms.a]\nalone = \"music\"\nmusic = {lobby:?}\n\
             [[routes]]\nname = \"A\"\nfrom = \"a\"\nnumber = \"1\"\nroom = \"a\"\n"
        );
        crate::dialplan::parse("dialplan.toml", &dialplan, &crate::dialplan::Trusting).unwrap().plan
    };
    let loader = Loader::start(&folder.0, crate::sound::Patience::default()).unwrap();
    let library = |plan: &crate::dialplan::Plan| Library::load(plan, None, &loader, &SoundFiles::default()).unwrap();
    let first = |clip: Option<Clip>| match clip {
        Some(Clip::Loop(pcm)) => pcm.narrow()[10],
        other => panic!("{other:?}"),
    };
    let plan = parse(&format!("music = {music:?}"));
    assert_eq!(first(library(&plan).tone("hold")), 1_000);
    assert_eq!(first(library(&plan).file(plan.rooms[0].music.as_ref().unwrap(), true)), 2_000);
    assert!(![1_000, 2_000].contains(&first(library(&parse("")).tone("hold"))));
    // A URL that nobody has fetched yet is the tune.
    let plan = parse("music = \"https://music.example/hold.mp3\"");
    assert_eq!(library(&plan).tone("hold"), tone("hold"));
}

fn load_file(path: &Path) -> Result<Pcm, SoundError> {
    SoundFiles::default().load_prompt(path)
}

#[test]
fn a_file_of_the_dialplan_is_read_whatever_its_format() {
    let folder = Folder::new("file");
    assert_eq!(load_file(&folder.file("plain.wav", sound(1_000, 240))).ok(), pcm(1_000, 240));
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 48_000,
        bits_per_sample: 24,
        sample_format: hound::SampleFormat::Int,
    };
    let path = folder.0.join("studio.wav");
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    for moment in 0..48_000 {
        let value = (std::f64::consts::TAU * 1_000.0 * f64::from(moment) / 48_000.0).sin() * f64::from(1 << 22);
        (0..2).for_each(|_| writer.write_sample(value as i32).unwrap());
    }
    writer.finalize().unwrap();
    let sound = load_file(&path).unwrap();
    assert_eq!(sound.narrow().len(), 8_000);
    assert!((level::dbfs(sound.narrow()) + 6.0).abs() < 0.3);
    let wide = sound.wide().unwrap();
    assert_eq!(wide.len(), 16_000);
    assert!((level::dbfs(wide) + 6.0).abs() < 0.3);
}

#[test]
fn a_file_that_is_no_good_is_named_with_the_reason() {
    let folder = Folder::new("bad-file");
    let missing = load_file(&folder.0.join("missing.wav")).unwrap_err();
    assert!(missing.to_string().contains("missing.wav: cannot be opened: "), "{missing}");
    let text = load_file(&folder.file("text.wav", "hello")).unwrap_err();
    assert!(text.to_string().contains("text.wav: is text, which is not played"), "{text}");
    let whole = sound(1_000, 800);
    // Cut short, it may as well come from a pipe: what is there is sound.
    let cut = load_file(&folder.file("cut.wav", &whole[..whole.len() / 2])).unwrap();
    assert!((300..400).contains(&cut.narrow().len()), "{} samples", cut.narrow().len());
    assert_eq!(load_file(&folder.file("empty.wav", sound(0, 0))).unwrap_err().problem, "holds no sound");
    assert!(load_file(&folder.0).is_err());
}

#[test]
fn the_catalogue_keeps_the_tones() {
    let catalogue = Catalogue::built_in();
    assert!(matches!(catalogue.tone("join"), Some(Clip::Samples(_))));
    assert!(matches!(catalogue.tone("busy"), Some(Clip::Loop(_))));
    assert_eq!(catalogue.tone("hum"), None);
}
