//! What `scenario` of a route names.

use std::fmt;
use std::sync::Arc;

/// The longest source of a scenario, in characters.
pub const LONGEST_SCENARIO: usize = 256 * 1_024;

/// A JavaScript scenario, as it was when the dialplan was loaded.
#[derive(Clone, PartialEq, Eq)]
pub struct Scenario {
    /// Its name: that of the file `scenarios/NAME.js` beside the dialplan.
    pub name: String,
    /// Its text. At most [`LONGEST_SCENARIO`] characters.
    pub source: Arc<str>,
    /// What the route hands to it. Default empty.
    pub custom_data: String,
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scenario").field("name", &self.name).field("octets", &self.source.len()).finish_non_exhaustive()
    }
}
