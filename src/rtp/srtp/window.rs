//! Which packets of a source were received (RFC 3711 section 3.3.2), and the sources of one key.

use super::MAX_SOURCES;

/// The packets around the highest index received. 128 of them are remembered; older ones count as received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    highest: u64,
    /// Bit n: the packet n before the highest.
    seen: u128,
}

impl Window {
    /// After the first packet of a source.
    pub(super) const fn starting_with(index: u64) -> Self {
        Self { highest: index, seen: 1 }
    }

    pub(super) const fn highest(&self) -> u64 {
        self.highest
    }

    /// Whether a packet with this index can be one that was received before.
    pub(super) fn holds(&self, index: u64) -> bool {
        match self.highest.checked_sub(index) {
            None => false,
            Some(age) => age >= u64::from(u128::BITS) || self.seen >> age & 1 == 1,
        }
    }

    /// Notes an authentic packet.
    pub(super) fn note(&mut self, index: u64) {
        if let Some(ahead) = index.checked_sub(self.highest) {
            self.seen = u32::try_from(ahead).ok().and_then(|ahead| self.seen.checked_shl(ahead)).unwrap_or(0) | 1;
            self.highest = index;
        } else {
            let age = self.highest - index;
            self.seen |= u32::try_from(age).ok().and_then(|age| 1u128.checked_shl(age)).unwrap_or(0);
        }
    }
}

/// What is kept for each source under one key: the [`MAX_SOURCES`] heard last.
#[derive(Debug, Clone)]
pub(super) struct Sources<T> {
    /// The one heard last first.
    kept: [Option<(u32, T)>; MAX_SOURCES],
}

impl<T> Default for Sources<T> {
    fn default() -> Self {
        Self { kept: [const { None }; MAX_SOURCES] }
    }
}

impl<T> Sources<T> {
    pub(super) fn get(&self, ssrc: u32) -> Option<&T> {
        self.iter().find(|(known, _)| *known == ssrc).map(|(_, kept)| kept)
    }

    /// The one of `ssrc`, which is now the one heard last.
    pub(super) fn get_mut(&mut self, ssrc: u32) -> Option<&mut T> {
        let place = self.kept.iter().position(|kept| kept.as_ref().is_some_and(|(known, _)| *known == ssrc))?;
        self.kept[..=place].rotate_right(1);
        self.kept.first_mut()?.as_mut().map(|(_, kept)| kept)
    }

    /// Adds a source; the one not heard for longest is forgotten if there are too many.
    pub(super) fn add(&mut self, ssrc: u32, kept: T) {
        self.kept.rotate_right(1);
        self.kept[0] = Some((ssrc, kept));
    }

    pub(super) fn is_full(&self) -> bool {
        self.kept.iter().all(Option::is_some)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(u32, T)> {
        self.kept.iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_remembers_exactly_what_was_noted() {
        let mut window = Window::starting_with(1_000);
        for index in [1_001, 1_005, 999, 1_100] {
            assert!(!window.holds(index));
            window.note(index);
            assert!(window.holds(index));
        }
        let noted: Vec<u64> = (973..1_200).filter(|index| window.holds(*index)).collect();
        assert_eq!(noted, [999, 1_000, 1_001, 1_005, 1_100]);
        assert!(window.holds(972), "older than the window");
        window.note(5_000);
        assert!(!window.holds(4_999) && window.holds(1_100) && window.holds(5_000));
        assert_eq!(window.highest(), 5_000);
    }

    #[test]
    fn the_source_not_heard_for_longest_is_forgotten() {
        let mut sources = Sources::default();
        for ssrc in 0..4 {
            sources.add(ssrc, ssrc);
        }
        assert!(sources.is_full());
        assert_eq!(sources.get_mut(0), Some(&mut 0));
        sources.add(9, 9);
        assert_eq!(sources.get(1), None);
        assert!([0, 2, 3, 9].iter().all(|ssrc| sources.get(*ssrc) == Some(ssrc)));
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_taken_twice(indices in proptest::collection::vec(0u64..400, 1..300)) {
            let mut taken = std::collections::HashSet::new();
            let mut window: Option<Window> = None;
            for index in indices {
                let highest = taken.iter().max().copied().unwrap_or(0);
                let expected = !taken.contains(&index) && highest < index + 128;
                match &mut window {
                    None => window = Some(Window::starting_with(index)),
                    Some(window) => {
                        proptest::prop_assert_eq!(!window.holds(index), expected);
                        if expected { window.note(index) }
                    }
                }
                if expected { taken.insert(index); }
            }
        }
    }
}
