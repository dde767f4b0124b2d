//! A file of whole lines that is only ever appended to.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The longest line whose torn beginning is looked for at the end of a file.
const LONGEST_LINE: u64 = 1 << 20;

/// A file in which each line is whole or absent, whatever the disk says.
#[derive(Debug)]
pub(super) struct LineFile {
    path: PathBuf,
    file: File,
    /// The rest of a line that was torn and could not be taken back.
    owed: Vec<u8>,
}

impl LineFile {
    /// Opens or makes it. It holds full numbers, so only its owner may read it. A line that the last writer was torn
    /// away from is taken back.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let is_file = is_file(path);
        let file = OpenOptions::new().create(true).append(true).read(is_file).mode(0o600).open(path)?;
        let mut opened = Self { path: path.to_owned(), file, owed: Vec::new() };
        if is_file {
            opened.mend_end()?;
        }
        Ok(opened)
    }

    fn mend_end(&mut self) -> io::Result<()> {
        let length = self.file.metadata()?.len();
        let from = length.saturating_sub(LONGEST_LINE);
        let mut end = self.read_from(from)?;
        // A power failure may have left a length without its content.
        end.truncate(end.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
        if from + (end.len() as u64) < length {
            self.file.set_len(from + end.len() as u64)?;
        }
        match end.iter().rposition(|byte| *byte == b'\n') {
            Some(last) if last + 1 == end.len() => Ok(()),
            Some(last) => self.file.set_len(from + last as u64 + 1),
            None if end.is_empty() => Ok(()),
            // The only line of the file, or no line of ours.
            None if from == 0 => self.file.set_len(0),
            None => {
                self.owed.push(b'\n');
                Ok(())
            }
        }
    }

    /// What stands in it from a place on.
    pub(super) fn read_from(&mut self, from: u64) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        self.file.seek(SeekFrom::Start(from))?;
        self.file.read_to_end(&mut text)?;
        Ok(text)
    }

    /// Its last bytes, from a line's beginning on where there is one.
    pub(super) fn tail(&mut self, bytes: u64) -> io::Result<Vec<u8>> {
        self.read_from(self.file.metadata()?.len().saturating_sub(bytes))
    }

    /// Has the disk keep what stands in it, should the power fail. What is no file on a disk needs none.
    pub(super) fn sync(&self) -> io::Result<()> {
        match self.file.sync_data() {
            Err(error) if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EROFS | libc::ENOTSUP)) => Ok(()),
            result => result,
        }
    }

    /// Marks that its writer is alive.
    pub(super) fn touch(&self) -> io::Result<()> {
        self.file.set_modified(std::time::SystemTime::now())
    }

    /// Appends lines. Says how many of their bytes are in the file, which is up to a line's end, and what went wrong
    /// then.
    pub(super) fn append(&mut self, lines: &[u8]) -> (usize, io::Result<()>) {
        let start = match self.reopen_if_moved().and_then(|()| self.pay()).and_then(|()| self.file.metadata()) {
            Ok(found) => found.len(),
            Err(error) => return (0, Err(error)),
        };
        let (written, result) = write_as_much(&mut self.file, lines);
        let (done, rest) = lines.split_at(written);
        let whole = done.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if whole == written {
            return (whole, result);
        }
        let is_ours = self.file.metadata().is_ok_and(|found| found.len() == start + written as u64);
        if is_ours && self.file.set_len(start + whole as u64).is_ok() {
            return (whole, result);
        }
        // A file that cannot be cut, or that somebody else writes to: the line is made whole when there is room.
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        self.owed.extend_from_slice(rest.get(..end).unwrap_or_default());
        (written + end, result)
    }

    fn pay(&mut self) -> io::Result<()> {
        let (written, result) = write_as_much(&mut self.file, &self.owed);
        self.owed.drain(..written);
        result
    }

    /// Opens the file anew where another one, or none, is at its path: it was moved away.
    fn reopen_if_moved(&mut self) -> io::Result<()> {
        let identity = |found: std::fs::Metadata| (found.dev(), found.ino());
        if std::fs::metadata(&self.path).map(identity).ok() != self.file.metadata().map(identity).ok() {
            *self = Self { owed: std::mem::take(&mut self.owed), ..Self::open(&self.path)? };
        }
        Ok(())
    }

    /// Puts these lines in the place of all that stands in it, or leaves it as it is.
    pub(super) fn replace(&mut self, lines: &[u8]) -> io::Result<()> {
        if lines.is_empty() {
            self.owed.clear();
            return self.file.set_len(0);
        }
        let beside = self.path.with_extension("new");
        let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&beside)?;
        let synced = file.write_all(lines).and_then(|()| file.sync_data());
        let written = synced.and_then(|()| std::fs::rename(&beside, &self.path));
        if let Err(error) = written {
            // What is left of it is in the way of nobody.
            let _ = std::fs::remove_file(&beside);
            return Err(error);
        }
        *self = Self::open(&self.path)?;
        Ok(())
    }
}

/// Whether it is, or will be, a file on a disk, and not a pipe, say.
pub(super) fn is_file(path: &Path) -> bool {
    std::fs::metadata(path).map_or(true, |found| found.is_file())
}

fn write_as_much(file: &mut File, mut bytes: &[u8]) -> (usize, io::Result<()>) {
    let all = bytes.len();
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return (all - bytes.len(), Err(io::ErrorKind::WriteZero.into())),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (all - bytes.len(), Err(error)),
        }
    }
    (all, Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("partyline-lines-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_torn_line_at_the_end_of_the_file_is_taken_back() {
        let folder = folder("torn");
        let path = folder.join("calls.jsonl");
        let torn = [("", ""), ("{\"a\"", ""), ("one\ntw", "one\n"), ("one\ntwo\n", "one\ntwo\n")];
        // What a power failure leaves.
        let empty = [("\0\0\0", ""), ("one\n\0\0", "one\n"), ("one\ntw\0\0", "one\n")];
        for (before, after) in torn.into_iter().chain(empty) {
            std::fs::write(&path, before).unwrap();
            let mut file = LineFile::open(&path).unwrap();
            assert!(matches!(file.append(b"next\n"), (5, Ok(()))));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{after}next\n"));
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_that_was_moved_away_is_made_anew_and_the_old_one_left_alone() {
        let folder = folder("moved");
        let (path, old) = (folder.join("calls.jsonl"), folder.join("calls.jsonl.1"));
        let mut file = LineFile::open(&path).unwrap();
        assert!(file.append(b"one\n").1.is_ok());
        std::fs::rename(&path, &old).unwrap();
        assert!(file.append(b"two\n").1.is_ok());
        std::fs::remove_file(&path).unwrap();
        assert!(file.append(b"three\n").1.is_ok());
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "one\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "three\n");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
