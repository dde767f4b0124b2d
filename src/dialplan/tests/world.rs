//! What a dialplan refers to outside of itself.

use super::*;

/// A world with one variable, one password file, one sound and two prompts.
struct Small;

impl Checks for Small {
    fn environment(&self, name: &str) -> Option<String> {
        (name == "SET").then(|| "hunter2".to_owned())
    }

    fn secret_file(&self, path: &Path) -> Result<String, String> {
        if path == Path::new("secret") { Ok("hunter3\n".into()) } else { Err("No such file".into()) }
    }

    fn sound(&self, source: &SoundSource, _: &FetchSettings) -> Result<(), String> {
        if source.to_string() == "good.wav" { Ok(()) } else { Err("not a WAV file".into()) }
    }

    fn scenario(&self, path: &Path) -> Result<String, String> {
        match path.to_str() {
            Some("scenarios/Good.js") => Ok("VoxEngine.terminate();".into()),
            Some("scenarios/Long.js") => Ok("x".repeat(LONGEST_SCENARIO + 1)),
            _ => Err("No such file".into()),
        }
    }

    fn voice(&self, _: &Path, _: &str) -> Result<(), String> {
        Err("no voice".into())
    }

    fn prompts(&self, _: &Path, language: &str) -> Result<Option<Vec<PromptText>>, String> {
        if language != "en-GB" {
            return Err("no such folder".into());
        }
        let names = [
            "enter-pin",
            "wrong-pin",
            "too-short",
            "joining",
            "no-input",
            "goodbye",
            "pin-blocked",
            "first-here",
            "room-full",
        ];
        let prompt = |name: &str| PromptText { name: name.into(), text: format!("The text of {name}."), former: false };
        let former = PromptText { text: "What goodbye was.".into(), former: true, ..prompt("goodbye") };
        Ok(Some(names.map(prompt).into_iter().chain([former]).collect()))
    }
}

fn file(trunk: &str, ivr: &str) -> String {
    format!(
        "[trunks.t]\nallow = \"192.0.2.1\"\nusername = \"acme\"\n{trunk}\n[ivr.menu]\ncollect = {{}}\n\
         then = {{ room = \"by-pin\" }}\n{ivr}\n[[routes]]\nname = \"A\"\nfrom = \"t\"\nnumber = '1'\nivr = \"menu\"\n"
    )
}

fn told(trunk: &str, ivr: &str) -> Vec<String> {
    let found = parse("dialplan.toml", &file(trunk, ivr), &Small).map_or_else(|found| found, |loaded| loaded.warnings);
    found.iter().map(|one| format!("{} {}: {}", found.line(one), one.message, one.label)).collect()
}

#[test]
fn a_scenario_is_read_from_beside_the_dialplan() {
    let route = |more: &str| {
        format!("[trunks.t]\nallow = \"192.0.2.1\"\n[[routes]]\nname = \"A\"\nfrom = \"t\"\nnumber = '1'\n{more}\n")
    };
    let good = "scenario = \"Good\"\ncustom_data = \"a word\"";
    let plan = parse("dialplan.toml", &route(good), &Small).unwrap().plan;
    let RouteTarget::Scenario(scenario) = &plan.routes[0].target else { panic!("it leads to the scenario") };
    assert_eq!((&*scenario.source, &*scenario.custom_data), ("VoxEngine.terminate();", "a word"));
    for (more, expected) in [
        ("scenario = \"Gone\"", "7 the scenario scenarios/Gone.js cannot be used: No such file"),
        ("scenario = \"Long\"", "7 the scenario scenarios/Long.js cannot be used: longer than 256 K characters"),
        (
            "scenario = \"../Good\"",
            "7 this cannot be the name of a scenario: letters, digits, `_`, `-` and `.`, at most 64",
        ),
        ("room = \"r\"\ncustom_data = \"x\"", "8 a scenario is handed this: has no effect"),
        ("scenario = \"Good\"\nanswer_after = \"3s\"", "8 a scenario answers when it wants to: has no effect"),
    ] {
        let text = route(more);
        let found = parse("dialplan.toml", &text, &Small).map_or_else(|found| found, |loaded| loaded.warnings);
        let told: Vec<String> =
            found.iter().map(|one| format!("{} {}: {}", found.line(one), one.message, one.label)).collect();
        assert!(told.iter().any(|told| told == expected), "{more}: {told:?}");
    }
}

#[test]
fn passwords_come_from_the_environment_or_a_file() {
    for (line, password) in
        [("{ env = \"SET\" }", "hunter2"), ("{ file = \"secret\" }", "hunter3"), ("{ plain = \"hunter4\" }", "hunter4")]
    {
        let loaded = parse("dialplan.toml", &file(&format!("password = {line}"), ""), &Small).unwrap();
        assert_eq!(loaded.plan.trunks[0].password.as_ref().unwrap().reveal(), password);
    }
    assert_eq!(told("password = { env = \"UNSET\" }", ""), ["4 the environment variable `UNSET` is not set: not set"]);
    assert_eq!(told("password = { file = \"x\" }", ""), ["4 the password's file cannot be used: No such file"]);
    assert_eq!(told("password = {}", ""), ["4 a password comes from one place: from none"]);
}

#[test]
fn sounds_and_prompts_must_be_there() {
    assert_eq!(told("", "say = \"The text of goodbye.\""), Vec::<String>::new());
    assert_eq!(told("", "file = \"good.wav\""), Vec::<String>::new());
    assert_eq!(told("", "file = \"bad.wav\""), ["8 this sound cannot be played: bad.wav: not a WAV file"]);
    assert_eq!(told("", "wrong = \"wrong-pim\""), ["8 there is no prompt `wrong-pim` in en-GB: not in the catalogue"]);
    assert_eq!(
        told("", "say = \"Hello there.\""),
        ["8 nobody here can say this text: a prompt is played instead: no voice"]
    );
    assert_eq!(told("", "language = \"de-DE\""), ["8 there are no prompts for `de-DE`: no such folder"]);
}

#[test]
fn what_a_prompt_said_in_an_earlier_version_is_taken_for_the_prompt_and_told() {
    let text = "say = \"What goodbye was.\"";
    assert_eq!(told("", text), ["8 prompt `goodbye` says something else now: its former text"]);
    let plan = parse("dialplan.toml", &file("", text), &Small).unwrap().plan;
    assert_eq!(plan.ivrs[0].say, Say::Prompt("goodbye".into()));
}

#[test]
fn joining_may_be_silent() {
    let joining =
        |ivr: &str| parse("dialplan.toml", &file("", ivr), &Small).unwrap().plan.ivrs[0].prompts.joining.clone();
    assert_eq!(joining(""), Some(Say::Prompt("joining".into())));
    assert_eq!(joining("joining = \"none\""), None);
}

fn sound(files: &Files, path: &Path) -> Result<(), String> {
    files.sound(&SoundSource::File(path.to_owned()), &FetchSettings::default())
}

#[test]
fn files_of_this_machine_are_looked_at() {
    let files = Files::default();
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(sound(&files, &manifest.join("dialplan.toml")), Ok(()));
    assert!(sound(&files, manifest).is_err(), "a folder is no sound");
    assert!(sound(&files, &manifest.join("nothing.wav")).is_err());
    assert!(files.environment("PATH").is_some());
    let strict = Files::default().with_sounds(|_, _| Err("never".into())).with_prompts(|_, _| Ok(Some(Vec::new())));
    assert_eq!(sound(&strict, Path::new("x")), Err("never".into()));
    assert_eq!(strict.prompts(Path::new("x"), "en-GB"), Ok(Some(Vec::new())));
}
