//! Beats and phases: when in the 20 ms of a tick each unit has its own.
//!
//! Time is counted in beats of 2.5 ms from an epoch that all engines share. A unit ticks on every eighth beat; which of
//! the eight is its phase. Units that are connected tick together. The phases spread the work of many rooms over the
//! whole 20 ms, and let a room tick just after the packets of those who talk in it have come (see `alignment.rs`).

use std::time::Duration;

/// A number of a beat: beat `n` is due at `epoch + n · 2.5 ms`.
pub(crate) type Beat = u64;

/// The time between two beats.
pub(crate) const BEAT: Duration = Duration::from_micros(2_500);
/// How many phases there are.
pub(crate) const PHASES: usize = 8;
/// Beats from one tick of a unit to its next.
pub(crate) const TICK_BEATS: Beat = PHASES as Beat;

/// On which of the phases a beat falls.
pub(crate) const fn phase_of(beat: Beat) -> usize {
    (beat % TICK_BEATS) as usize
}

/// By how many beats what ticks on `from` has to move to tick with `to`: the nearer way, −4 to 3.
pub(crate) const fn shift(from: Beat, to: Beat) -> i64 {
    let half = TICK_BEATS / 2;
    let ahead = (to % TICK_BEATS + TICK_BEATS + half - from % TICK_BEATS) % TICK_BEATS;
    ahead as i64 - half as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearer_way_leads_to_the_phase() {
        for from in 16..24u64 {
            for to in 0..30u64 {
                let by = shift(from, to);
                assert!((-4..4).contains(&by));
                assert_eq!(phase_of(from.saturating_add_signed(by)), phase_of(to));
            }
        }
    }
}
