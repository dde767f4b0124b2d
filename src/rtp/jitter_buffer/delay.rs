//! How long packets have to wait: grow when one came too late, shrink when none needed the time.
//!
//! The measure is slack: from a packet's arrival to the tick that could not have done without it. The least slack of a
//! time is what could be saved; packets that came too late had negative slack. All times in microseconds.

/// Slack that is kept when the delay shrinks, so that the noise of arrivals around a tick does not bring the growth
/// back at once.
const MARGIN: i64 = 2_000;
/// How long slack must be there before the delay shrinks.
const HOLD: i64 = 3_000_000;
/// The parts of that time: at the end of each one the oldest is forgotten.
const PARTS: usize = 3;
/// Growth of so much at once is a stall of the line, or the end of one.
const STALL: i64 = 40_000;
/// What a stall held up has come so long after the first of it.
const CATCHES_UP: i64 = 60_000;
/// A line that has had the slack for so long after a stall is what it was before.
const RECOVERED: i64 = 300_000;
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
/// Two packets too late within this time and out of reach are a reason to grow; one is not.
const LATE_PAIR: i64 = 2_000_000;

/// The control of the delay.
#[derive(Debug, Clone)]
pub(super) struct DelayControl {
    window: Window,
    /// The last stall, until it is known whether the line has recovered.
    stall: Option<Stall>,
    /// The least slack of the window before.
    settled: i64,
    hold: i64,
    shrunk_at: Option<i64>,
    /// When it grew last; until then when it began.
    grown_at: i64,
    grown: bool,
    /// When it was trusted a little more, or grew.
    trusted_at: i64,
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

/// The last time, in parts, the newest first.
#[derive(Debug, Clone, Copy)]
struct Window {
    /// When the newest part began.
    since: i64,
    parts: [Part; PARTS],
    /// The parts before the newest.
    full: usize,
}

#[derive(Debug, Clone, Copy)]
struct Part {
    slack: i64,
    packets: u32,
    /// The least that the playout held at the begin of a tick, samples.
    left_over: usize,
}

/// A stall of the line, by which the delay grew.
#[derive(Debug, Clone, Copy)]
struct Stall {
    at: i64,
    grown: i64,
    /// When the first packet was taken that came after what was held up.
    since: Option<i64>,
    /// The least slack of those.
    slack: i64,
}

impl Part {
    const EMPTY: Self = Self { slack: i64::MAX, packets: 0, left_over: usize::MAX };
}

impl Window {
    const fn new(since: i64) -> Self {
        Self { since, parts: [Part::EMPTY; PARTS], full: 0 }
    }

    fn slack(&self) -> i64 {
        self.parts.iter().map(|part| part.slack).min().unwrap_or(i64::MAX)
    }

    fn packets(&self) -> u32 {
        self.parts.iter().map(|part| part.packets).sum()
    }

    fn left_over(&self) -> usize {
        let least = self.parts.iter().map(|part| part.left_over).min();
        least.filter(|least| *least < usize::MAX).unwrap_or(0)
    }

    /// The newest part is over.
    fn turn(&mut self, now: i64) {
        self.since = now;
        self.parts.rotate_right(1);
        self.parts[0] = Part::EMPTY;
        self.full = (self.full + 1).min(PARTS - 1);
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
            stall: None,
            settled: 0,
            hold: HOLD,
            shrunk_at: None,
            grown_at: now,
            grown: false,
            trusted_at: now,
            late: None,
            gap: None,
            wide_gap: None,
            reserve: 0,
            reserved_until: i64::MIN,
        }
    }

    /// A tick begins with `left_over` samples in the playout.
    pub fn tick(&mut self, left_over: usize) {
        let part = &mut self.window.parts[0];
        part.left_over = part.left_over.min(left_over);
    }

    /// A packet was taken with this slack, which came at `arrival`.
    pub fn taken(&mut self, slack: i64, arrival: i64) {
        let part = &mut self.window.parts[0];
        part.slack = part.slack.min(slack);
        part.packets += 1;
        if let Some(stall) = self.stall.as_mut().filter(|stall| arrival > stall.at + CATCHES_UP) {
            stall.since.get_or_insert(arrival + slack);
            stall.slack = stall.slack.min(slack);
        }
    }

    /// The line stood still and goes on: since `now` the delay is longer by `grown`.
    pub fn stalled(&mut self, now: i64, grown: i64) {
        if grown >= STALL && self.stall.is_none_or(|stall| stall.at < now) {
            self.stall = Some(Stall { at: now, grown, since: None, slack: i64::MAX });
        }
    }

    /// The delay grew at `now`, because a packet came late or because it was asked for.
    pub fn grew(&mut self, now: i64) {
        if self.shrunk_at.is_some_and(|at| now - at < REGRET) {
            self.hold = (self.hold * 2).min(LONGEST_HOLD);
            self.shrunk_at = None;
        } else {
            self.trust(now);
        }
        self.grown_at = now;
        self.trusted_at = now;
        self.grown = true;
        self.settled = 0;
        self.window = Window::new(now);
    }

    /// A line on which the delay has not grown for long is trusted a little more.
    fn trust(&mut self, now: i64) {
        if now - self.trusted_at > TRUST {
            self.hold = (self.hold / 2).max(HOLD);
            self.trusted_at = now;
        }
    }

    /// A packet arrived too late for any use, by `deficit`. Says by how much the delay should grow, if at all.
    pub fn out_of_reach(&mut self, now: i64, deficit: i64) -> Option<i64> {
        let before = self.late.replace((now, deficit));
        let (at, other) = before?;
        (now - at < LATE_PAIR).then(|| other.min(deficit))
    }

    /// So many packets were lost in a row, of `packet` microseconds each, and what follows helps where it is there `most`
    /// microseconds before it is due at most. Says by how much the delay should grow, if at all, so that what follows the
    /// next gap is there in time.
    pub fn lost(&mut self, now: i64, packets: i64, packet: i64, most: i64) -> Option<i64> {
        let within = |before: Option<i64>| before.is_some_and(|at| now - at < LOSSY);
        let is_lossy = within(self.gap.replace(now));
        let is_wide = packets > 1 && within(self.wide_gap.replace(now));
        if !is_lossy {
            return None;
        }
        let reserve = if is_wide { packets * packet } else { packet }.min(most);
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
    #[inline]
    pub fn excess(&mut self, now: i64) -> Option<Excess> {
        // All ticks but a few.
        if self.stall.is_none() && (now - self.window.since) * (PARTS as i64) < self.hold {
            return None;
        }
        self.end_part(now)
    }

    #[inline(never)]
    fn end_part(&mut self, now: i64) -> Option<Excess> {
        // Long packets take longer to be enough.
        if self.stall.is_some_and(|stall| stall.since.is_some_and(|since| now - since >= RECOVERED)) {
            return self.recovered(now);
        }
        if (now - self.window.since) * (PARTS as i64) < self.hold {
            return None;
        }
        self.trust(now);
        if self.window.full < PARTS - 1 {
            self.window.turn(now);
            return None;
        }
        if self.window.packets() < LEAST_PACKETS {
            return None;
        }
        let (slack, left_over) = (self.window.slack(), self.window.left_over());
        self.window.turn(now);
        self.settled = slack;
        Some(Excess { slack: (slack - MARGIN - self.reserve(now)).max(0), left_over })
    }

    /// By how much a stall made the delay longer is not needed where the line is again what it was, and where shrinking
    /// was not regretted lately.
    #[cold]
    fn recovered(&mut self, now: i64) -> Option<Excess> {
        let stall = self.stall.take().filter(|_| self.hold == HOLD)?;
        let spare = (stall.slack - MARGIN - self.reserve(now)).min(stall.grown);
        (spare > 0).then_some(Excess { slack: spare, left_over: 0 })
    }

    /// The delay was made shorter.
    pub fn shrank(&mut self, now: i64) {
        self.shrunk_at = Some(now);
        self.settled = 0;
        self.window = Window::new(now);
    }

    /// All ticks come later by so much, or earlier.
    pub fn shift(&mut self, micros: i64) {
        for part in self.window.parts.iter_mut().filter(|part| part.packets > 0) {
            part.slack += micros;
        }
        if let Some(stall) = self.stall.as_mut().filter(|stall| stall.since.is_some()) {
            stall.slack += micros;
        }
        if self.settled > 0 {
            self.settled = (self.settled + micros).max(0);
        }
    }

    /// The least slack of a time that is long enough to tell.
    pub fn least(&self, now: i64) -> Option<i64> {
        let least = if self.settled > 0 {
            Some(self.settled.min(self.window.slack()))
        } else {
            (self.window.packets() >= ENOUGH_PACKETS).then_some(self.window.slack())
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
        let slack = self.window.slack();
        if self.window.packets() >= LEAST_PACKETS { slack } else { self.settled.min(slack) }
    }
}
