//! Whether a trunk is there, as its answers to our OPTIONS tell.

use std::time::Duration;

/// Failures in a row that make a trunk down, and answers in a row that make it up again.
const TURNS: u8 = 2;
/// How soon one whose state may be about to change is asked again.
const AGAIN: Duration = Duration::from_secs(5);

/// What is known of a trunk's presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Presence {
    /// It was never asked, or has not answered yet: taken for being there.
    #[default]
    Unknown,
    /// It answers.
    Up,
    /// It does not.
    Down,
}

/// A trunk's presence, with what speaks against it lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Health {
    presence: Presence,
    /// Answers in a row that contradict it.
    against: u8,
}

impl Health {
    pub(super) const fn presence(&self) -> Presence {
        self.presence
    }

    /// Takes one result. Gives the new presence, if it changed.
    pub(super) fn heard(&mut self, answers: bool) -> Option<Presence> {
        let told = if answers { Presence::Up } else { Presence::Down };
        if self.presence == told {
            self.against = 0;
            return None;
        }
        self.against += 1;
        // The first answer there is settles it; a change of mind takes two.
        let enough = self.against >= TURNS || (self.presence == Presence::Unknown && answers);
        if !enough {
            return None;
        }
        *self = Self { presence: told, against: 0 };
        Some(told)
    }

    /// How soon to ask again, where `usual` is the trunk's setting.
    pub(super) fn next_in(&self, usual: Duration) -> Duration {
        if self.against > 0 { AGAIN.min(usual) } else { usual }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_lost_answer_changes_nothing_and_two_do() {
        let usual = Duration::from_secs(30);
        let mut health = Health::default();
        assert_eq!(health.heard(true), Some(Presence::Up));
        assert_eq!(health.next_in(usual), usual);
        assert_eq!(health.heard(false), None);
        assert_eq!(health.next_in(usual), AGAIN);
        assert_eq!(health.heard(true), None);
        assert_eq!(health.heard(false), None);
        assert_eq!(health.heard(false), Some(Presence::Down));
        assert_eq!(health.heard(true), None);
        assert_eq!(health.presence(), Presence::Down);
        assert_eq!(health.heard(true), Some(Presence::Up));
    }

    #[test]
    fn one_that_never_answered_is_down_after_two() {
        let mut health = Health::default();
        assert_eq!(health.heard(false), None);
        assert_eq!(health.presence(), Presence::Unknown);
        assert_eq!(health.heard(false), Some(Presence::Down));
    }
}
