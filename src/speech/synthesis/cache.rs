//! What was said before, on the disk.

use super::Sound;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A folder of WAV files, each named by a digest of what it says, by whom, and how. The least recently used go when
/// there are too many; one that cannot be read is not there.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    folder: PathBuf,
    /// Octets.
    limit: u64,
}

impl Cache {
    pub(super) fn new(folder: PathBuf, limit: u64) -> Self {
        Self { folder, limit }
    }

    /// The file of a text. `voice` names the voice and the model that it is of.
    fn file(&self, text: &str, voice: &str, rate: u32) -> PathBuf {
        let mut digest = Sha256::new();
        for part in [text, voice, &rate.to_string()] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        let name: String = digest.finalize().iter().take(16).map(|octet| format!("{octet:02x}")).collect();
        self.folder.join(format!("{name}.wav"))
    }

    pub(super) fn get(&self, text: &str, voice: &str, rate: u32) -> Option<Sound> {
        let file = File::options().read(true).append(true).open(self.file(text, voice, rate)).ok()?;
        let _ = file.set_modified(now());
        let mut reader = hound::WavReader::new(BufReader::new(file)).ok()?;
        let whole = reader.spec().sample_rate == rate && reader.spec().channels == 1;
        let samples = reader.samples::<i16>().collect::<Result<Vec<_>, _>>().ok()?;
        (whole && !samples.is_empty()).then_some(Sound { rate, samples })
    }

    /// Keeps sound.
    ///
    /// # Errors
    /// The disk's.
    pub(super) fn put(&self, text: &str, voice: &str, sound: &Sound) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let path = self.file(text, voice, sound.rate);
        // A name of its own until it is whole: whoever reads never sees half of it.
        let half = path.with_extension(format!("{}.new", std::process::id()));
        let written = File::create(&half).and_then(|file| write(BufWriter::new(file), sound));
        if let Err(error) = written.and_then(|()| fs::rename(&half, &path)) {
            let _ = fs::remove_file(&half);
            return Err(error);
        }
        self.trim();
        Ok(())
    }

    /// Deletes what was not used for the longest until the rest fits. What is not ours is left alone, and what cannot
    /// be deleted stays.
    fn trim(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let mut files: Vec<(SystemTime, u64, PathBuf)> = entries
            .filter_map(|entry| {
                let entry = entry.ok().filter(|entry| entry.file_name().to_str().is_some_and(is_ours))?;
                let data = entry.metadata().ok()?;
                data.is_file().then(|| Some((data.modified().ok()?, data.len(), entry.path())))?
            })
            .collect();
        let mut total: u64 = files.iter().map(|(_, len, _)| len).sum();
        files.sort();
        for (_, len, path) in files {
            if total <= self.limit {
                break;
            }
            if fs::remove_file(path).is_ok() {
                total -= len;
            }
        }
    }
}

/// Whether a file was written here: a digest, then `.wav`, or `.PID.new` while it is not whole.
fn is_ours(name: &str) -> bool {
    let digest = name.split('.').next().unwrap_or_default();
    let is_hex = digest.bytes().all(|octet| octet.is_ascii_digit() || (b'a'..=b'f').contains(&octet));
    let ending = Path::new(name).extension();
    digest.len() == 32 && is_hex && ending.is_some_and(|ending| ending == "wav" || ending == "new")
}

/// Writes sound as WAV, 16 bits.
pub(super) fn write(writer: impl io::Write + io::Seek, sound: &Sound) -> io::Result<()> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: sound.rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let written = hound::WavWriter::new(writer, spec).and_then(|mut writer| {
        sound.samples.iter().try_for_each(|&sample| writer.write_sample(sample))?;
        writer.finalize()
    });
    written.map_err(|error| match error {
        hound::Error::IoError(error) => error,
        other => io::Error::other(other),
    })
}

/// Writes sound to a file, whole or not at all.
pub(super) fn save(path: &Path, sound: &Sound) -> io::Result<()> {
    let half = path.with_extension("new");
    write(BufWriter::new(File::create(&half)?), sound)?;
    fs::rename(half, path)
}

#[expect(clippy::disallowed_methods, reason = "a shell: files have times")]
fn now() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    struct Folder(PathBuf);

    impl Folder {
        fn new(test: &str) -> Self {
            let path = std::env::temp_dir().join(format!("partyline-cache-{}-{test}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn sound(value: i16) -> Sound {
        Sound { rate: 8_000, samples: vec![value; 1_000] }
    }

    #[test]
    fn what_was_kept_is_found_by_text_voice_and_rate_together() {
        let folder = Folder::new("keyed");
        let cache = Cache::new(folder.0.clone(), 1 << 20);
        cache.put("Hello", "emma", &sound(7)).unwrap();
        assert_eq!(cache.get("Hello", "emma", 8_000), Some(sound(7)));
        for (text, voice, rate) in [("Hello", "emma", 16_000), ("Hello", "heart", 8_000), ("Hell", "oemma", 8_000)] {
            assert_eq!(cache.get(text, voice, rate), None);
        }
    }

    #[test]
    fn a_damaged_file_is_not_there() {
        let folder = Folder::new("damaged");
        let cache = Cache::new(folder.0.clone(), 1 << 20);
        cache.put("Hello", "emma", &sound(7)).unwrap();
        let path = cache.file("Hello", "emma", 8_000);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        assert_eq!(cache.get("Hello", "emma", 8_000), None);
        fs::write(&path, "no sound").unwrap();
        assert_eq!(cache.get("Hello", "emma", 8_000), None);
    }

    #[test]
    fn the_least_recently_used_goes_when_there_is_no_room() {
        let folder = Folder::new("bounded");
        // Two of them fit.
        let cache = Cache::new(folder.0.clone(), 5_000);
        for (age, text) in [(300, "first"), (200, "second")] {
            cache.put(text, "emma", &sound(1)).unwrap();
            let file = File::options().append(true).open(cache.file(text, "emma", 8_000)).unwrap();
            file.set_modified(now() - Duration::from_secs(age)).unwrap();
        }
        // Used again: it is the other's turn to go.
        assert!(cache.get("first", "emma", 8_000).is_some());
        cache.put("third", "emma", &sound(1)).unwrap();
        let there = ["first", "second", "third"].map(|text| cache.get(text, "emma", 8_000).is_some());
        assert_eq!(there, [true, false, true]);
    }

    #[test]
    fn files_of_others_are_left_alone_and_what_cannot_be_deleted_is_no_failure() {
        let folder = Folder::new("others");
        fs::create_dir_all(&folder.0).unwrap();
        let recording = folder.0.join("greeting.wav");
        fs::write(&recording, vec![0; 10_000]).unwrap();
        // Nothing fits: what is kept goes at once.
        let cache = Cache::new(folder.0.clone(), 1);
        cache.put("first", "emma", &sound(1)).unwrap();
        assert!(recording.exists());
        assert!(!cache.file("first", "emma", 8_000).exists());
    }
}
