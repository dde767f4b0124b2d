//! What is kept of answered calls until their record is written: should the gateway be killed, it is made of this.

use super::lines::LineFile;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Lines of calls that are over after which the file is written anew.
const OVER: usize = 4_096;
/// How much of the records is searched for calls whose record was written just before the gateway was killed.
const SEARCHED: u64 = 16 << 20;

/// Records, one line each, by their calls.
pub(super) type Lines = Vec<(String, Vec<u8>)>;

/// The calls that are answered and have no record yet, in a file beside the records: `calls.open`.
///
/// A line is a record as it would be without an end, or `{"over":"call-1-7"}`. The file's time of modification says
/// when the gateway was last alive.
#[derive(Debug)]
pub(super) struct Journal {
    file: LineFile,
    /// By the call's name.
    open: BTreeMap<String, Vec<u8>>,
    /// Of them, those that found no room in the file yet.
    unwritten: VecDeque<String>,
    /// Calls in the file that are over.
    over: usize,
}

impl Journal {
    /// Opens it. Gives back the records, one line each, of the calls that a gateway which was killed left.
    pub(super) fn open(path: &Path, records: &mut LineFile) -> io::Result<(Self, Lines)> {
        // Before anything is mended in it.
        let last_alive = std::fs::metadata(path).and_then(|found| found.modified()).unwrap_or(UNIX_EPOCH);
        let mut file = LineFile::open(path)?;
        let text = file.read_from(0)?;
        let mut open = BTreeMap::new();
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            // What is no line of ours is left out.
            let Ok(Value::Object(entry)) = serde_json::from_slice::<Value>(line) else { continue };
            if let Some(call) = entry.get("over").and_then(Value::as_str) {
                open.remove(call);
            } else if let Some(call) = entry.get("call").and_then(Value::as_str) {
                open.insert(call.to_owned(), line.to_vec());
            }
        }
        if !open.is_empty() {
            let written: HashSet<String> = names_in(&records.tail(SEARCHED)?).collect();
            open.retain(|call, _| !written.contains(call));
        }
        for line in open.values_mut() {
            if let Some(ended) = ended(line, last_alive) {
                *line = ended;
            }
        }
        let left = open.iter().map(|(call, line)| (call.clone(), line.clone())).collect();
        let over = usize::from(!text.is_empty());
        let mut journal = Self { file, open, unwritten: VecDeque::new(), over };
        // On a full disk it stays as it is until there is room.
        let _ = journal.tidy();
        Ok((journal, left))
    }

    /// Whether no call is open.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// A call is answered: its record, as it would be if nothing came any more.
    pub(super) fn begin(&mut self, call: String, line: Vec<u8>) -> io::Result<()> {
        self.unwritten.push_back(call.clone());
        self.open.insert(call, line);
        self.write()
    }

    /// Writes what found no room before.
    pub(super) fn write(&mut self) -> io::Result<()> {
        while let Some(call) = self.unwritten.front() {
            if let Some(line) = self.open.get(call) {
                let (written, result) = self.file.append(line);
                if written < line.len() {
                    return result;
                }
            }
            self.unwritten.pop_front();
        }
        Ok(())
    }

    /// The records of these calls are written.
    pub(super) fn over<'a>(&mut self, calls: impl Iterator<Item = &'a str>) -> io::Result<()> {
        let mut lines = Vec::new();
        for call in calls {
            if self.open.remove(call).is_some() {
                self.unwritten.retain(|unwritten| unwritten != call);
                lines.extend_from_slice(json!({ "over": call }).to_string().as_bytes());
                lines.push(b'\n');
                self.over += 1;
            }
        }
        if lines.is_empty() {
            return Ok(());
        }
        if self.open.is_empty() || self.over > OVER.max(self.open.len()) {
            return self.tidy();
        }
        self.file.append(&lines).1
    }

    /// As [`LineFile::sync`].
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    /// Marks that the gateway is alive.
    pub(super) fn touch(&self) -> io::Result<()> {
        self.file.touch()
    }

    /// Leaves only what is open.
    fn tidy(&mut self) -> io::Result<()> {
        if self.over > 0 {
            let lines: Vec<u8> = self.open.values().flatten().copied().collect();
            self.file.replace(&lines)?;
            self.unwritten.clear();
            self.over = 0;
        }
        Ok(())
    }
}

/// The calls that lines of records are about. A first line that is cut is none.
fn names_in(lines: &[u8]) -> impl Iterator<Item = String> {
    lines.split(|byte| *byte == b'\n').filter_map(|line| {
        let record: Map<String, Value> = serde_json::from_slice(line).ok()?;
        Some(record.get("call")?.as_str()?.to_owned())
    })
}

/// The record of a call that was talking when the gateway was last alive.
fn ended(line: &[u8], last_alive: SystemTime) -> Option<Vec<u8>> {
    let mut record: Map<String, Value> = serde_json::from_slice(line).ok()?;
    if record.get("talk_ms").and_then(Value::as_u64).is_none_or(|talked| talked > 0) {
        // It was found before, and the gateway killed again before its record was written.
        return None;
    }
    let answered = humantime::parse_rfc3339(record.get("answered")?.as_str()?).ok()?;
    let millis = |time: SystemTime| u64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis());
    // In whole milliseconds, and not before the answer, whatever became of the clock.
    let talked = millis(last_alive).ok()?.saturating_sub(millis(answered).ok()?);
    let end = answered + std::time::Duration::from_millis(talked);
    record.insert("ended".into(), humantime::format_rfc3339_millis(end).to_string().into());
    record.insert("talk_ms".into(), talked.into());
    let mut line = serde_json::to_vec(&record).ok()?;
    line.push(b'\n');
    Some(line)
}
