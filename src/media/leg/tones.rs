//! Keys that come as tones in a leg's sound.

use super::super::voices::Presence;
use super::receiver::Receiver;
use crate::audio::Rate;
use crate::audio::dtmf::{Detector, Heard};
use std::collections::VecDeque;

/// Keys of one tick, at most: where ticks were skipped several are gone through at once.
const KEYS: usize = 8;

/// Listens for tones while they may be a leg's keys: where telephone events were not negotiated, while keys are
/// collected, and from the first key on that came so; never again once a telephone event has come.
#[derive(Debug)]
pub(super) struct Tones {
    detector: Detector,
    /// Telephone events were not negotiated.
    is_only_way: bool,
    is_collecting: bool,
    /// A telephone event has come.
    is_over: bool,
    listens: bool,
    /// Something was made up in the last tick.
    conceals: bool,
    /// How often something had been made up before this tick.
    concealments: u64,
    keys: VecDeque<char>,
    count: u64,
}

impl Tones {
    pub(super) fn new(rate: Rate) -> Self {
        Self {
            detector: Detector::new(rate),
            is_only_way: false,
            is_collecting: false,
            is_over: false,
            listens: false,
            conceals: false,
            concealments: 0,
            keys: VecDeque::with_capacity(KEYS),
            count: 0,
        }
    }

    /// Whether nothing else brings keys.
    pub(super) fn set_only_way(&mut self, is_only_way: bool) {
        self.is_only_way = is_only_way;
        self.decide();
    }

    pub(super) fn collect(&mut self, on: bool) {
        self.is_collecting = on;
        self.decide();
    }

    /// A telephone event has come.
    pub(super) fn end(&mut self) {
        self.is_over = true;
        self.keys.clear();
        self.decide();
    }

    #[inline]
    pub(super) const fn listens(&self) -> bool {
        self.listens
    }

    /// Before the frame of a tick is taken.
    #[inline]
    pub(super) const fn begin_tick(&mut self, receiver: &Receiver) {
        self.concealments = receiver.concealments();
    }

    /// Listens to the frame of a tick, and takes the tones out of it.
    #[inline(never)]
    pub(super) fn hear(&mut self, presence: Presence, frame: &mut [i16], receiver: &Receiver) -> Presence {
        if receiver.rate() != self.detector.rate() {
            self.detector = Detector::new(receiver.rate());
        }
        // What is made up in one tick may be heard in the next.
        let conceals = receiver.concealments() != self.concealments;
        let is_concealed = std::mem::replace(&mut self.conceals, conceals) || conceals;
        if presence != Presence::Loud {
            self.detector.pause();
            return presence;
        }
        let Heard { key, is_silent } = self.detector.hear(frame, is_concealed);
        if let Some(key) = key
            && self.keys.len() < KEYS
        {
            self.keys.push_back(key);
            self.count += 1;
        }
        if is_silent { Presence::Absent } else { presence }
    }

    /// The next key.
    #[inline]
    pub(super) fn next_key(&mut self) -> Option<char> {
        self.keys.pop_front()
    }

    /// Keys that came so.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    fn decide(&mut self) {
        let listened = self.listens;
        self.listens = !self.is_over && (self.is_only_way || self.is_collecting || self.count > 0);
        if listened && !self.listens {
            self.detector.pause();
        }
    }
}
