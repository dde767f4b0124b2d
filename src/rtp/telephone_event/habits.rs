//! How a sender writes its key presses, as far as it was seen.

/// What a sender does with the timestamp from one packet of a key press to the next. RFC 4733 (section 2.5.1.2) wants
/// it held: the timestamp is the start of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Timestamp {
    #[default]
    Unknown,
    Held,
    Moved,
}

/// From which packet of a key press to which.
#[derive(Debug, Clone, Copy)]
pub(super) struct Transition {
    pub(super) from_end: bool,
    pub(super) to_end: bool,
}

/// What the marker bit means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Marker {
    #[default]
    Unknown,
    /// The first packet of a key press, as RFC 4733 (section 2.5.1.2) has it.
    Start,
    /// Nothing.
    Anywhere,
}

/// What was seen of a sender in packets that came in a row.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Habits {
    /// From update to update, from the last update to the first end, from end to end.
    updates: Timestamp,
    ending: Timestamp,
    repeats: Timestamp,
    marker: Marker,
}

impl Habits {
    pub(super) fn note_timestamp(&mut self, transition: Transition, held: bool) {
        let habit = match (transition.from_end, transition.to_end) {
            (false, false) => &mut self.updates,
            (false, true) => &mut self.ending,
            (true, _) => &mut self.repeats,
        };
        // Who moves it once may do so at any time.
        if !held {
            *habit = Timestamp::Moved;
        } else if *habit == Timestamp::Unknown {
            *habit = Timestamp::Held;
        }
    }

    /// What this sender does with the timestamp over a transition with packets missing in it.
    pub(super) fn timestamp_over(&self, transition: Transition) -> Timestamp {
        let crossed: &[Timestamp] = match (transition.from_end, transition.to_end) {
            (false, false) => &[self.updates],
            (false, true) => &[self.updates, self.ending, self.repeats],
            (true, _) => &[self.repeats],
        };
        if crossed.contains(&Timestamp::Moved) {
            Timestamp::Moved
        } else if crossed.contains(&Timestamp::Unknown) {
            Timestamp::Unknown
        } else {
            Timestamp::Held
        }
    }

    /// Whether a packet, or an end, has the timestamp of the start.
    pub(super) fn holds_timestamp(&self, end: bool) -> bool {
        self.timestamp_over(Transition { from_end: false, to_end: end }) == Timestamp::Held
    }

    pub(super) fn note_marker(&mut self, on_first: bool, on_next: bool) {
        if on_next {
            self.marker = Marker::Anywhere;
        } else if on_first && self.marker == Marker::Unknown {
            self.marker = Marker::Start;
        }
    }

    /// Whether a marked packet begins a key press; `likely` is whether all else speaks for it.
    pub(super) fn marks_starts(&self, likely: bool) -> bool {
        match self.marker {
            Marker::Unknown => likely,
            Marker::Start => true,
            Marker::Anywhere => false,
        }
    }
}
