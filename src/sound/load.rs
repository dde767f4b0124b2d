//! Sounds that are short are decoded whole.

use super::reader::Reader;
use super::unplayable::Unplayable;
use crate::media::command::Pcm;
use std::path::Path;
use std::time::Duration;

/// The longest sound that is kept in memory: a minute is 2.9 MB.
pub const LONGEST_WHOLE: Duration = Duration::from_secs(60);

/// Samples of it at 8 kHz.
const MOST_SAMPLES: usize = 60 * 8_000;

/// A file as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loaded {
    /// All of it.
    Whole(Pcm),
    /// It is longer than [`LONGEST_WHOLE`], and is decoded while it is played.
    Long,
}

/// Reads a file of any form.
///
/// # Errors
/// It cannot be opened, is no sound, or holds nothing that can be heard.
pub fn load(path: &Path) -> Result<Loaded, Unplayable> {
    whole(Reader::open(path)?)
}

/// Decodes all of a sound, if it is not too long. One that turns out to be broken is played as far as it goes.
pub(super) fn whole(reader: Reader) -> Result<Loaded, Unplayable> {
    let (mut narrow, mut wide) = (Vec::new(), Vec::new());
    let is_wide = reader.is_wide();
    for block in reader {
        let block = match block {
            Ok(block) => block,
            Err(error) if narrow.is_empty() => return Err(error),
            Err(_) => break,
        };
        narrow.extend(block.narrow);
        if is_wide {
            wide.extend(block.wide);
        }
        if narrow.len() > MOST_SAMPLES {
            return Ok(Loaded::Long);
        }
    }
    // A caller who hears nothing waits for what never comes: a recording that failed is not taken for a prompt.
    if narrow.iter().all(|sample| *sample == 0) {
        return Err(Unplayable::Silent);
    }
    Ok(Loaded::Whole(if is_wide { Pcm::wideband(narrow, wide) } else { narrow.into() }))
}
