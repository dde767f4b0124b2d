//! How long packets have to wait: grow when one came too late, shrink when none needed the time.
//!
//! The measure is slack: from a packet's arrival to the tick that could not have done without it. The least slack of a
//! time is what could be saved; packets that came too late had negative slack. All times in microseconds.

/// Slack that is kept when the delay shrinks, so that the noise of arrivals around a tick does not bring the growth
/// back at once.
const MARGIN: i64 = 2_000;
/// How long slack must be there before the delay shrinks.
const HOLD: i64 = 3_000_000;
/// The longest that `HOLD` grows to on a line where shrinking was regretted.
const LONGEST_HOLD: i64 = 48_000_000;
/// Growth so soon after shrinking means that shrinking was a mistake.
const REGRET: i64 = 10_000_000;
/// After so long without growth a line is trusted a little more.
const TRUST: i64 = 60_000_000;
/// Packets that must be seen before their slack is believed.
const LEAST_PACKETS: u32 = 25;
/// Packets whose slack is believed without a window before them.
const ENOUGH_PACKETS: u32 = 100;
/// Two gaps within this time make a line one that loses.
const LOSSY: i64 = 10_000_000;
/// And so long it stays one after the last of them.
const STAYS_LOSSY: i64 = 30_000_000;
/// The longest reserve for what follows a gap.
const LONGEST_RESERVE: i64 = 60_000;
/// Two packets too late within this time and out of reach are a reason to grow; one is not.
const LATE_PAIR: i64 = 2_000_000;

/// The control of the delay.
#[derive(Debug, Clone)]
pub(super) struct DelayControl {
    window: Window,
    /// The least slack of the window before.
    settled: i64,
    hold: i64,
    shrunk_at: Option<i64>,
    /// When it grew last; until then when it began.
    grown_at: i64,
    grown: bool,
    /// The last packet that came out of reach: when, and by how much too late.
    late: Option<(i64, i64)>,
    /// The last gap, and the last of several packets.
    gap: Option<i64>,
    wide_gap: Option<i64>,
    /// Slack that is kept on a line that loses, so that what follows a gap is there before the gap is played; until
    /// when.
    reserve: i64,
    reserved_until: i64,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    since: i64,
    slack: i64,
    packets: u32,
    /// The least that the playout held at the begin of a tick, samples.
    left_over: usize,
}

impl Window {
    const fn new(since: i64) -> Self {
        Self { since, slack: i64::MAX, packets: 0, left_over: usize::MAX }
    }
}

/// What is to be taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Excess {
    /// Slack that nobody needs, microseconds, [`MARGIN`] apart.
    pub slack: i64,
    /// Samples that waited in the playout all the time.
    pub left_over: usize,
}

impl DelayControl {
    pub const fn new(now: i64) -> Self {
        Self {
            window: Window::new(now),
            settled: 0,
            hold: HOLD,
            shrunk_at: None,
            grown_at: now,
            grown: false,
            late: None,
            gap: None,
            wide_gap: None,
            reserve: 0,
            reserved_until: i64::MIN,
        }
    }

    /// A tick begins with `left_over` samples in the playout.
    pub fn tick(&mut self, left_over: usize) {
        self.window.left_over = self.window.left_over.min(left_over);
    }

    /// A packet was taken with this slack.
    pub fn taken(&mut self, slack: i64) {
        self.window.slack = self.window.slack.min(slack);
        self.window.packets += 1;
    }

    /// The delay grew at `now`, because a packet came late or because it was asked for.
    pub fn grew(&mut self, now: i64) {
        if self.shrunk_at.is_some_and(|at| now - at < REGRET) {
            self.hold = (self.hold * 2).min(LONGEST_HOLD);
            self.shrunk_at = None;
        } else if now - self.grown_at > TRUST {
            self.hold = (self.hold / 2).max(HOLD);
        }
        self.grown_at = now;
        self.grown = true;
        self.settled = 0;
        self.window = Window::new(now);
    }

    /// A packet arrived too late for any use, by `deficit`. Says by how much the delay should grow, if at all.
    pub fn out_of_reach(&mut self, now: i64, deficit: i64) -> Option<i64> {
        let before = self.late.replace((now, deficit));
        let (at, other) = before?;
        (now - at < LATE_PAIR).then(|| other.min(deficit))
    }

    /// So many packets were lost in a row, of `packet` microseconds each. Says by how much the delay should grow, if at
    /// all, so that what follows the next gap is there in time.
    pub fn lost(&mut self, now: i64, packets: i64, packet: i64) -> Option<i64> {
        let within = |before: Option<i64>| before.is_some_and(|at| now - at < LOSSY);
        let is_lossy = within(self.gap.replace(now));
        let is_wide = packets > 1 && within(self.wide_gap.replace(now));
        if !is_lossy {
            return None;
        }
        let reserve = (packet * if is_wide { 2 } else { 1 }).min(LONGEST_RESERVE);
        let before = self.reserve(now);
        self.reserve = reserve.max(before);
        self.reserved_until = now + STAYS_LOSSY;
        let missing = self.reserve + MARGIN - self.known().max(0);
        (self.reserve > before && missing > 0).then_some(missing)
    }

    /// What was taken for lost came after all: more delay is what helps, and that is seen to elsewhere.
    pub const fn came_late(&mut self) {
        self.gap = None;
        self.wide_gap = None;
    }

    /// Slack that is kept for what follows a gap.
    pub const fn reserve(&self, now: i64) -> i64 {
        if now < self.reserved_until { self.reserve } else { 0 }
    }

    /// At the end of each window: what nobody needed in it.
    pub fn excess(&mut self, now: i64) -> Option<Excess> {
        // Long packets take longer to be enough.
        if now - self.window.since < self.hold || self.window.packets < LEAST_PACKETS {
            return None;
        }
        let window = std::mem::replace(&mut self.window, Window::new(now));
        self.settled = window.slack;
        let left_over = if window.left_over == usize::MAX { 0 } else { window.left_over };
        Some(Excess { slack: (window.slack - MARGIN - self.reserve(now)).max(0), left_over })
    }

    /// The delay was made shorter.
    pub fn shrank(&mut self, now: i64) {
        self.shrunk_at = Some(now);
        self.settled = 0;
        self.window = Window::new(now);
    }

    /// All ticks come later by so much, or earlier.
    pub fn shift(&mut self, micros: i64) {
        if self.window.packets > 0 {
            self.window.slack += micros;
        }
        if self.settled > 0 {
            self.settled = (self.settled + micros).max(0);
        }
    }

    /// The least slack of a time that is long enough to tell.
    pub fn least(&self, now: i64) -> Option<i64> {
        let least = if self.settled > 0 {
            Some(self.settled.min(self.window.slack))
        } else {
            (self.window.packets >= ENOUGH_PACKETS).then_some(self.window.slack)
        };
        least.map(|slack| (slack - self.reserve(now)).max(0))
    }

    /// When the delay grew last.
    pub fn grown_at(&self) -> Option<i64> {
        self.grown.then_some(self.grown_at)
    }

    /// By how much a talk spurt may begin earlier than it is due.
    pub fn spare(&self, now: i64) -> i64 {
        (self.known() - MARGIN - self.reserve(now)).max(0)
    }

    /// A talk spurt begins, `early` before it was due (or that much late); `None` when nothing is known of when it was
    /// due.
    pub fn spurt(&mut self, now: i64, early: Option<i64>) {
        self.settled = early.map_or(0, |early| (self.known() - early).max(0));
        self.window = Window::new(now);
    }

    /// The least slack known, from spurts too short to be believed alone as well.
    fn known(&self) -> i64 {
        if self.window.packets >= LEAST_PACKETS { self.window.slack } else { self.settled.min(self.window.slack) }
    }
}
