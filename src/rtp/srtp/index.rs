//! The 48-bit index of an RTP packet: rollover counter and sequence number (RFC 3711 section 3.3.1).

/// The first index there is no more.
pub(super) const END: u64 = 1 << 48;

/// The index that a packet with `sequence` most likely has when `highest` is the highest so far; `None` for one before
/// the first or after the last there can be.
pub(super) fn estimate(highest: u64, sequence: u16) -> Option<u64> {
    let step = match sequence.wrapping_sub(low(highest)) {
        // Half way round, the RFC stays with the rollover counter there is.
        0x8000 if low(highest) < 0x8000 => 0x8000,
        step => i64::from(step.cast_signed()),
    };
    highest.checked_add_signed(step).filter(|index| *index < END)
}

/// The indices that the first packet of a source may have, the likeliest first. Its sender counts from rollover 0, but
/// began near the end of the sequence numbers perhaps, and the packets before the wrap were lost. `carried` is the
/// highest index under the key before, from which counting goes on (section 3.3.1), though many start anew.
pub(super) fn first_guesses(carried: Option<u64>, sequence: u16) -> impl Iterator<Item = u64> {
    let fresh = u64::from(sequence);
    let wrapped = (sequence < 1 << 15).then_some((1 << 16) | fresh);
    let carried = carried.and_then(|highest| estimate(highest, sequence));
    let fresh = Some(fresh).filter(|fresh| carried != Some(*fresh));
    let wrapped = wrapped.filter(|wrapped| carried != Some(*wrapped));
    carried.into_iter().chain(fresh).chain(wrapped)
}

/// The rollover counter of an index.
pub(super) fn rollover(index: u64) -> u32 {
    u32::try_from(index >> 16).expect("an index has 48 bits")
}

/// The sequence number of an index.
fn low(index: u64) -> u16 {
    (index & 0xFFFF) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_the_nearest_one() {
        assert_eq!(estimate(0xFFFF, 0), Some(0x1_0000));
        assert_eq!(estimate(0x1_0000, 0xFFFF), Some(0xFFFF));
        assert_eq!(estimate(0x5_8000, 0x7FFF), Some(0x5_7FFF));
        assert_eq!(estimate(0x5_8001, 0x0000), Some(0x6_0000));
        assert_eq!(estimate(0x5_8000, 0x0000), Some(0x5_0000));
        assert_eq!(estimate(0x5_7000, 0xF000), Some(0x5_F000));
        assert_eq!(estimate(0x5_7FFF, 0xFFFF), Some(0x5_FFFF));
        assert_eq!(estimate(0x5_7FFF, 0xFFFE), Some(0x5_FFFE));
    }

    #[test]
    fn there_is_nothing_before_the_first_and_after_the_last() {
        assert_eq!(estimate(3, 0xFFFF), None);
        assert_eq!(estimate(END - 1, 0), None);
        assert_eq!(estimate(END - 2, 0xFFFF), Some(END - 1));
    }

    #[test]
    fn a_first_packet_may_come_after_a_wrap_that_was_not_seen() {
        assert_eq!(first_guesses(None, 5).collect::<Vec<_>>(), [5, 0x1_0005]);
        assert_eq!(first_guesses(None, 0x9000).collect::<Vec<_>>(), [0x9000]);
        assert_eq!(first_guesses(Some(0x3_0004), 5).collect::<Vec<_>>(), [0x3_0005, 5, 0x1_0005]);
        assert_eq!(first_guesses(Some(4), 5).collect::<Vec<_>>(), [5, 0x1_0005]);
    }
}
