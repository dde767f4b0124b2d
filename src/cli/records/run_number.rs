//! The number of a run of the gateway, which is a part of the names of its calls.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Counts this run in the file beside the records, `calls.run`, and gives its number.
///
/// Where that cannot be read or written the number is made of the time: long to type, and still no other run's.
pub(in crate::cli) fn next_run(records: &Path) -> u32 {
    let path = records.with_extension("run");
    let last = match std::fs::read_to_string(&path) {
        Ok(text) => text.trim().parse::<u32>().ok(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(0),
        Err(_) => None,
    };
    let counted = last.and_then(|last| last.checked_add(1)).filter(|next| write(&path, *next).is_ok());
    counted.unwrap_or_else(|| {
        tracing::warn!("{} cannot be used: calls have long names from now on", path.display());
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let run = u32::try_from(since_1970).unwrap_or(u32::MAX);
        // A file that could be read and said nothing is good again for the next run.
        let _ = write(&path, run);
        run
    })
}

/// All of it or nothing.
fn write(path: &Path, run: u32) -> std::io::Result<()> {
    let beside = path.with_extension("run.new");
    let mut file = std::fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(format!("{run}\n").as_bytes())?;
    std::fs::rename(beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_run_has_a_number_of_its_own_also_where_none_can_be_kept() {
        let folder = std::env::temp_dir().join(format!("partyline-run-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let records = folder.join("calls.jsonl");
        assert_eq!([next_run(&records), next_run(&records), next_run(&records)], [1, 2, 3]);
        std::fs::write(folder.join("calls.run"), "").unwrap();
        let of_the_time = next_run(&records);
        assert!(of_the_time > 1_000_000);
        assert_eq!(next_run(&records), of_the_time + 1);
        assert!(next_run(&folder.join("nowhere/calls.jsonl")) > 1_000_000);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
