//! What was fetched, on the disk, so that it is there when the gateway starts and when its server is not.

use super::fetch::{Answer, Cause, FetchError, Fetcher, Validators};
use super::form::Hint;
use super::reader::Reader;
use crate::dialplan::SoundUrl;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// Octets that all sounds together may take; the least recently fetched go.
const LIMIT: u64 = 1 << 30;

/// A folder of sounds, each named by a digest of its URL, and beside each what its server said of it.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    /// Of files that are not whole yet.
    next: AtomicU64,
}

/// A sound that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    pub path: PathBuf,
    pub hint: Hint,
}

/// What a server said.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Said {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(flatten)]
    validators: Validators,
}

impl Store {
    /// A store in `folder`. Files that were being written when a gateway ended are deleted.
    pub(super) fn new(folder: PathBuf) -> Self {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "new") {
                let _ = fs::remove_file(entry.path());
            }
        }
        Self { folder, next: AtomicU64::new(0) }
    }

    fn path(&self, url: &SoundUrl) -> PathBuf {
        let digest = Sha256::digest(url.get().as_str());
        let name: String = digest.iter().take(16).map(|octet| format!("{octet:02x}")).collect();
        self.folder.join(name)
    }

    fn said(path: &Path) -> Said {
        let text = fs::read_to_string(path.with_extension("json")).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// What is there of a URL.
    pub(super) fn kept(&self, url: &SoundUrl) -> Option<Kept> {
        let path = self.path(url);
        path.is_file().then(|| Kept { hint: hint(url, &Self::said(&path)), path })
    }

    /// Fetches what a URL names, unless it is what it was. What cannot be played does not replace what can. Says
    /// whether it is new.
    pub(super) fn refresh(&self, fetcher: &Fetcher, url: &SoundUrl) -> Result<bool, FetchError> {
        let failed = |cause| FetchError { url: url.to_string(), cause };
        let disk = |error: io::Error| failed(Cause::Other(format!("{}: {error}", self.folder.display())));
        let path = self.path(url);
        let known = if path.is_file() { Self::said(&path).validators } else { Validators::default() };
        fs::create_dir_all(&self.folder).map_err(disk)?;
        let half = Half(path.with_extension(format!("{}.new", self.next.fetch_add(1, Ordering::Relaxed))));
        let mut file = BufWriter::new(File::create(&half.0).map_err(disk)?);
        let Answer::Body { content_type, validators } = fetcher.get(url, &known, &mut file)? else {
            let _ = File::options().append(true).open(&path).and_then(|file| file.set_modified(now()));
            return Ok(false);
        };
        file.flush().map_err(disk)?;
        let said = Said { content_type, validators };
        let read = File::open(&half.0).map_err(disk)?;
        let opened = Reader::new(BufReader::new(read), &hint(url, &said));
        opened
            .and_then(|mut reader| reader.next().transpose())
            .map_err(|error| failed(Cause::Content(error.to_string())))?;
        let text = serde_json::to_string(&said).map_err(|error| disk(error.into()))?;
        // In this order: validators of something else would keep it for ever.
        let _ = fs::remove_file(path.with_extension("json"));
        fs::rename(&half.0, &path).map_err(disk)?;
        fs::write(path.with_extension("json"), text).map_err(disk)?;
        self.trim().map_err(disk)?;
        Ok(true)
    }

    /// Deletes what was not fetched for the longest until the rest fits.
    fn trim(&self) -> io::Result<()> {
        let mut files: Vec<(SystemTime, u64, PathBuf)> = fs::read_dir(&self.folder)?
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let data = entry.metadata().ok()?;
                let is_sound = data.is_file() && entry.path().extension().is_none();
                is_sound.then(|| Some((data.modified().ok()?, data.len(), entry.path())))?
            })
            .collect();
        let mut total: u64 = files.iter().map(|(_, length, _)| length).sum();
        files.sort();
        for (_, length, path) in files {
            if total <= LIMIT {
                break;
            }
            fs::remove_file(&path)?;
            let _ = fs::remove_file(path.with_extension("json"));
            total -= length;
        }
        Ok(())
    }
}

/// A file that is deleted unless it was given its name.
struct Half(PathBuf);

impl Drop for Half {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn hint(url: &SoundUrl, said: &Said) -> Hint {
    let name = url.get().path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
    let hint = Hint::of_name(name);
    said.content_type.as_deref().map_or_else(|| hint.clone(), |content_type| hint.clone().or_content_type(content_type))
}

#[expect(clippy::disallowed_methods, reason = "a shell: files have times")]
fn now() -> SystemTime {
    SystemTime::now()
}
