//! Whom a leg hears by their SSRC: its sound has one source and its telephone events have one, mostly the same. Each
//! kind follows its own, so that events under an SSRC of their own take nothing from the sound.

use crate::rtp::Header;
use crate::rtp::sequence::{Source, Verdict};
use std::time::{Duration, Instant};

/// A source silent for this long is replaced by another SSRC at once; before, two packets in a row are needed.
const SSRC_SILENCE: Duration = Duration::from_millis(100);

/// The sources of one leg.
#[derive(Debug)]
pub(crate) struct Sources {
    /// Of the sound's timestamps, Hz.
    clock_rate: u32,
    sound: Option<Source>,
    sound_follower: Follower,
    /// Of the events, where it is not that of the sound.
    events: Option<Source>,
    events_follower: Follower,
    /// The SSRC under which events come.
    events_ssrc: Option<u32>,
    changes: u64,
    /// Of the sources that were given up.
    lost_before: i64,
    duplicates_before: u64,
}

/// A packet of a source that is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Followed {
    pub(crate) verdict: Verdict,
    /// It takes the place of another source of its kind.
    pub(crate) is_another: bool,
}

/// When to follow another SSRC.
#[derive(Debug, Clone, Copy, Default)]
struct Follower {
    heard: Option<Instant>,
    /// Another SSRC that sent one packet.
    candidate: Option<u32>,
}

impl Follower {
    /// Whether a packet of this SSRC is taken, where `followed` is the one until now.
    fn follows(&mut self, arrival: Instant, ssrc: u32, followed: Option<u32>) -> bool {
        // Asked for nearly never: the clocks are compared in every packet otherwise.
        let is_silent = || self.heard.is_none_or(|heard| arrival.saturating_duration_since(heard) >= SSRC_SILENCE);
        let is_known = followed.is_none_or(|followed| followed == ssrc);
        if is_known || self.candidate == Some(ssrc) || is_silent() {
            self.hear(arrival);
            return true;
        }
        self.candidate = Some(ssrc);
        false
    }

    fn hear(&mut self, arrival: Instant) {
        self.candidate = None;
        self.heard = Some(arrival);
    }
}

impl Default for Sources {
    /// Nobody is heard yet; the clock is that of telephones.
    fn default() -> Self {
        Self {
            clock_rate: 8_000,
            sound: None,
            sound_follower: Follower::default(),
            events: None,
            events_follower: Follower::default(),
            events_ssrc: None,
            changes: 0,
            lost_before: 0,
            duplicates_before: 0,
        }
    }
}

impl Sources {
    /// The sound's timestamps run at this rate from here on, Hz.
    pub(crate) fn change_clock(&mut self, clock_rate: u32) {
        self.clock_rate = clock_rate;
        if let Some(sound) = &mut self.sound {
            sound.change_clock(clock_rate);
        }
    }

    /// Takes note of a packet of sound. `None` if it is of a source that is not followed.
    pub(crate) fn receive_sound(&mut self, arrival: Instant, header: &Header) -> Option<Followed> {
        self.receive_of_sound(arrival, header, Source::receive)
    }

    /// Whether the packet of the sound at this place has not come.
    pub(crate) fn is_missing(&self, place: i64) -> bool {
        self.sound.as_ref().is_some_and(|sound| sound.is_missing(place))
    }

    /// The same of a packet that describes the noise between the sound.
    pub(crate) fn receive_noise(&mut self, arrival: Instant, header: &Header) -> Option<Followed> {
        self.receive_of_sound(arrival, header, Source::receive_other)
    }

    #[inline]
    fn receive_of_sound(
        &mut self,
        arrival: Instant,
        header: &Header,
        receive: impl FnOnce(&mut Source, Instant, &Header) -> Verdict,
    ) -> Option<Followed> {
        let followed = self.ssrc_of_sound();
        if !self.sound_follower.follows(arrival, header.ssrc, followed) {
            return None;
        }
        if followed != Some(header.ssrc) {
            // One that was known for its events alone goes on counting.
            let known = self.events.take_if(|events| events.ssrc() == header.ssrc);
            let clock_rate = self.clock_rate;
            let before = self.sound.replace(known.unwrap_or_else(|| Source::new(header.ssrc, clock_rate)));
            self.give_up(before);
            // Events that came with the sound may come with the new one's, or go on.
            self.events_ssrc = self.events_ssrc.filter(|ssrc| followed != Some(*ssrc));
        }
        let verdict = receive(self.sound.as_mut()?, arrival, header);
        Some(Followed { verdict, is_another: followed.is_some_and(|followed| followed != header.ssrc) })
    }

    /// Takes note of a telephone event. `None` if it is of a source that is not followed.
    pub(crate) fn receive_event(&mut self, arrival: Instant, header: &Header) -> Option<Followed> {
        let followed = self.events_ssrc;
        if !self.events_follower.follows(arrival, header.ssrc, followed) {
            return None;
        }
        self.events_ssrc = Some(header.ssrc);
        let verdict = if self.ssrc_of_sound() == Some(header.ssrc) {
            let before = self.events.take();
            self.give_up(before);
            self.sound_follower.hear(arrival);
            self.sound.as_mut()?.receive_other(arrival, header)
        } else {
            if self.events.as_ref().is_none_or(|events| events.ssrc() != header.ssrc) {
                let before = self.events.replace(Source::new(header.ssrc, self.clock_rate));
                self.give_up(before);
            }
            self.events.as_mut()?.receive_other(arrival, header)
        };
        Some(Followed { verdict, is_another: followed.is_some_and(|followed| followed != header.ssrc) })
    }

    /// Takes note of a packet whose payload type was not negotiated; says whether it is of the source of the sound.
    /// `None` if it is of none that is followed: it makes none be followed either.
    pub(crate) fn receive_unknown(&mut self, arrival: Instant, header: &Header) -> Option<(Verdict, bool)> {
        let of_ssrc = |source: &&mut Source| source.ssrc() == header.ssrc;
        if let Some(sound) = self.sound.as_mut().filter(of_ssrc) {
            self.sound_follower.hear(arrival);
            return Some((sound.receive_other(arrival, header), true));
        }
        let events = self.events.as_mut().filter(of_ssrc)?;
        Some((events.receive_other(arrival, header), false))
    }

    /// Whether events come in the sound's own sequence.
    pub(crate) fn is_one(&self) -> bool {
        self.events_ssrc.is_some() && self.events_ssrc == self.ssrc_of_sound()
    }

    /// The source that reports are about: that of the sound, or until there is one that of the events.
    pub(crate) fn reported(&mut self) -> Option<&mut Source> {
        self.sound.as_mut().or(self.events.as_mut())
    }

    pub(crate) fn ssrc(&self) -> Option<u32> {
        self.sound.as_ref().or(self.events.as_ref()).map(Source::ssrc)
    }

    pub(crate) fn lost(&self) -> i64 {
        self.lost_before + self.sound.iter().chain(&self.events).map(Source::lost).sum::<i64>()
    }

    pub(crate) fn duplicates(&self) -> u64 {
        self.duplicates_before + self.sound.iter().chain(&self.events).map(Source::duplicates).sum::<u64>()
    }

    pub(crate) fn jitter_us(&self) -> u64 {
        self.sound.as_ref().map_or(0, Source::jitter_us)
    }

    /// How often another source took the place of one.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    fn ssrc_of_sound(&self) -> Option<u32> {
        self.sound.as_ref().map(Source::ssrc)
    }

    fn give_up(&mut self, source: Option<Source>) {
        if let Some(source) = source {
            self.lost_before += source.lost();
            self.duplicates_before += source.duplicates();
            self.changes += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(ssrc: u32, sequence: u16) -> Header {
        Header { marker: false, payload_type: 0, sequence, timestamp: u32::from(sequence) * 160, ssrc }
    }

    #[test]
    fn each_kind_follows_a_source_of_its_own() {
        let mut now = crate::test_clock();
        let mut sources = Sources::default();
        for n in 0..100 {
            now += Duration::from_millis(10);
            let sound = sources.receive_sound(now, &header(1, n)).unwrap();
            let event = sources.receive_event(now, &header(2, 7_000 + n)).unwrap();
            assert!(!sound.is_another && !event.is_another);
        }
        assert_eq!((sources.changes(), sources.lost(), sources.ssrc(), sources.is_one()), (0, 0, Some(1), false));
    }

    #[test]
    fn a_source_known_by_its_events_goes_on_with_its_sound() {
        let now = crate::test_clock();
        let mut sources = Sources::default();
        sources.receive_event(now, &header(1, 10));
        sources.receive_event(now, &header(1, 11));
        assert_eq!(sources.ssrc(), Some(1));
        assert!(!sources.receive_sound(now, &header(1, 13)).unwrap().is_another);
        assert_eq!((sources.changes(), sources.lost(), sources.is_one()), (0, 1, true));
    }

    #[test]
    fn of_either_kind_one_stray_packet_is_not_followed_and_two_in_a_row_are() {
        let now = crate::test_clock();
        let mut sources = Sources::default();
        type Receive = fn(&mut Sources, Instant, &Header) -> Option<Followed>;
        let kinds: [Receive; 2] = [Sources::receive_sound, Sources::receive_event];
        for (kind, receive) in (1..).zip(kinds) {
            assert!(receive(&mut sources, now, &header(kind, 1)).is_some());
            assert!(receive(&mut sources, now, &header(9, 1)).is_none());
            assert!(receive(&mut sources, now, &header(kind, 2)).is_some());
            assert!(receive(&mut sources, now, &header(9, 2)).is_none());
            assert!(receive(&mut sources, now, &header(9, 3)).unwrap().is_another);
        }
        assert_eq!((sources.changes(), sources.is_one()), (2, true));
    }

    #[test]
    fn a_source_that_fell_silent_is_replaced_at_once() {
        let now = crate::test_clock();
        let mut sources = Sources::default();
        sources.receive_sound(now, &header(1, 1));
        assert!(sources.receive_sound(now + SSRC_SILENCE, &header(2, 1)).unwrap().is_another);
    }
}
