//! What a dialplan refers to outside of itself, asked for while it is checked.

use super::plan::{FetchSettings, LONGEST_SCENARIO, SoundSource};
use crate::types::AudioCodec;
use std::path::Path;

/// The questions the check has about the world. A test answers them from its head, [`Files`] from this machine.
pub trait Checks {
    /// The value of an environment variable; `None` when it is not set.
    fn environment(&self, name: &str) -> Option<String>;

    /// The text of a file that holds a password.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn secret_file(&self, path: &Path) -> Result<String, String>;

    /// Whether what the two above give out are the secrets themselves, so that their form can be judged.
    fn secrets_are_real(&self) -> bool {
        true
    }

    /// Whether a certificate and its key can be read and belong together.
    ///
    /// # Errors
    /// Why not.
    fn certificate(&self, _certificate: &Path, _key: &Path) -> Result<(), String> {
        Ok(())
    }

    /// Whether a file holds certificates to trust.
    ///
    /// # Errors
    /// Why not.
    fn authorities(&self, _path: &Path) -> Result<(), String> {
        Ok(())
    }

    /// Whether a codec can be spoken here: some need a library of the system.
    ///
    /// # Errors
    /// What is missing.
    fn codec(&self, _codec: AudioCodec) -> Result<(), String> {
        Ok(())
    }

    /// How many processors there are, and so media threads where nothing is said of them.
    fn processors(&self) -> usize {
        1
    }

    /// Whether a sound file can be played, or a URL fetched as far as can be told without asking its server.
    ///
    /// # Errors
    /// Why it cannot be.
    fn sound(&self, source: &SoundSource, fetch: &FetchSettings) -> Result<(), String>;

    /// The text of a scenario, which can be run as far as can be told without running it.
    ///
    /// # Errors
    /// Why it cannot be read, or where it is wrong: `line 3, column 7: …`.
    fn scenario(&self, _path: &Path) -> Result<String, String> {
        Ok(String::new())
    }

    /// Whether a text of a language can be said. `data` is the gateway's folder.
    ///
    /// # Errors
    /// What is missing.
    fn voice(&self, _data: &Path, _language: &str) -> Result<(), String> {
        Ok(())
    }

    /// The prompts of a language; `None` when nobody knows, every name and text is then taken.
    ///
    /// # Errors
    /// Why the language has no prompts.
    fn prompts(&self, folder: &Path, language: &str) -> Result<Option<Vec<PromptText>>, String>;
}

/// One prompt of a catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptText {
    /// Its name.
    pub name: String,
    /// What it says.
    pub text: String,
    /// It said this in an earlier version, and now says something else.
    pub former: bool,
}

type SoundCheck = Box<dyn Fn(&SoundSource, &FetchSettings) -> Result<(), String> + Send + Sync>;
type CertificateCheck = Box<dyn Fn(&Path, Option<&Path>) -> Result<(), String> + Send + Sync>;
type ScenarioCheck = Box<dyn Fn(&Path, &str) -> Result<(), String> + Send + Sync>;
type CodecCheck = Box<dyn Fn(AudioCodec) -> Result<(), String> + Send + Sync>;
type VoiceCheck = Box<dyn Fn(&Path, &str) -> Result<(), String> + Send + Sync>;
type PromptList = Box<dyn Fn(&Path, &str) -> Result<Option<Vec<PromptText>>, String> + Send + Sync>;

/// This machine's environment and files. What a sound file and a prompt catalogue look like is known to others, who
/// hand their knowledge in; without it, a sound is good when it is a file that can be opened.
pub struct Files {
    sound: SoundCheck,
    certificate: CertificateCheck,
    codec: CodecCheck,
    prompts: PromptList,
    voice: VoiceCheck,
    scenario: ScenarioCheck,
}

impl Default for Files {
    fn default() -> Self {
        Self {
            sound: Box::new(|source, _| opens(source)),
            certificate: Box::new(|_, _| Ok(())),
            codec: Box::new(|_| Ok(())),
            prompts: Box::new(|_, _| Ok(None)),
            voice: Box::new(|_, _| Ok(())),
            scenario: Box::new(|_, _| Ok(())),
        }
    }
}

impl Files {
    /// Checks sounds with `check`.
    #[must_use]
    pub fn with_sounds(
        mut self,
        check: impl Fn(&SoundSource, &FetchSettings) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        self.sound = Box::new(check);
        self
    }

    /// Checks certificates with `check`: one with its key, or, without a key, a file of roots.
    #[must_use]
    pub fn with_certificates(
        mut self,
        check: impl Fn(&Path, Option<&Path>) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        self.certificate = Box::new(check);
        self
    }

    /// Checks codecs with `check`.
    #[must_use]
    pub fn with_codecs(mut self, check: impl Fn(AudioCodec) -> Result<(), String> + Send + Sync + 'static) -> Self {
        self.codec = Box::new(check);
        self
    }

    /// Asks `check` whether a text can be said: the gateway's folder, and the language.
    #[must_use]
    pub fn with_voice(mut self, check: impl Fn(&Path, &str) -> Result<(), String> + Send + Sync + 'static) -> Self {
        self.voice = Box::new(check);
        self
    }

    /// Checks the texts of scenarios with `check`, which gets the path and the text.
    #[must_use]
    pub fn with_scenarios(mut self, check: impl Fn(&Path, &str) -> Result<(), String> + Send + Sync + 'static) -> Self {
        self.scenario = Box::new(check);
        self
    }

    /// Lists the prompts of a folder and language with `list`.
    #[must_use]
    pub fn with_prompts(
        mut self,
        list: impl Fn(&Path, &str) -> Result<Option<Vec<PromptText>>, String> + Send + Sync + 'static,
    ) -> Self {
        self.prompts = Box::new(list);
        self
    }
}

impl Checks for Files {
    fn environment(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn secret_file(&self, path: &Path) -> Result<String, String> {
        std::fs::read_to_string(path).map_err(|error| error.to_string())
    }

    fn certificate(&self, certificate: &Path, key: &Path) -> Result<(), String> {
        (self.certificate)(certificate, Some(key))
    }

    fn authorities(&self, path: &Path) -> Result<(), String> {
        (self.certificate)(path, None)
    }

    fn codec(&self, codec: AudioCodec) -> Result<(), String> {
        (self.codec)(codec)
    }

    fn processors(&self) -> usize {
        std::thread::available_parallelism().map_or(1, usize::from)
    }

    fn sound(&self, source: &SoundSource, fetch: &FetchSettings) -> Result<(), String> {
        (self.sound)(source, fetch)
    }

    fn scenario(&self, path: &Path) -> Result<String, String> {
        let data = std::fs::metadata(path).map_err(|error| error.to_string())?;
        // Of characters of four octets none has more.
        if data.len() > LONGEST_SCENARIO as u64 * 4 {
            return Err("longer than 256 K characters".to_owned());
        }
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        (self.scenario)(path, &text)?;
        Ok(text)
    }

    fn voice(&self, data: &Path, language: &str) -> Result<(), String> {
        (self.voice)(data, language)
    }

    fn prompts(&self, folder: &Path, language: &str) -> Result<Option<Vec<PromptText>>, String> {
        (self.prompts)(folder, language)
    }
}

fn opens(source: &SoundSource) -> Result<(), String> {
    let SoundSource::File(path) = source else { return Ok(()) };
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let data = file.metadata().map_err(|error| error.to_string())?;
    if data.is_file() { Ok(()) } else { Err("it is no file".into()) }
}

/// A world in which everything that is referred to exists, for tests and for looking at a file on another machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trusting;

impl Checks for Trusting {
    fn environment(&self, _: &str) -> Option<String> {
        Some("set".into())
    }

    fn secret_file(&self, _: &Path) -> Result<String, String> {
        Ok("set".into())
    }

    fn secrets_are_real(&self) -> bool {
        false
    }

    fn sound(&self, _: &SoundSource, _: &FetchSettings) -> Result<(), String> {
        Ok(())
    }

    fn prompts(&self, _: &Path, _: &str) -> Result<Option<Vec<PromptText>>, String> {
        Ok(None)
    }
}
