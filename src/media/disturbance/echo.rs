//! Echo: what a leg sends is, fainter and later, what it was sent.
//!
//! Both are known as powers of 20 ms. For each delay the gain is taken from the loudest of what was sent; what would
//! come back by it is compared with what came. Of speech that has nothing to do with the other a fourth agrees so, of
//! an echo nearly all.

/// Full scale is 1; what is quieter does not pass the gate of a leg (−58 dBov).
pub(super) const FAINTEST: f32 = 1.6e-6;
/// What was sent counts where it is louder, −45 dBov.
const AUDIBLE: f32 = 3.2e-5;
/// Delays, half frames: 40 ms, the least that a network and a jitter buffer take, to 900 ms.
const DELAYS: std::ops::RangeInclusive<usize> = 4..=90;
/// The longest delay, frames.
pub(super) const LONGEST: usize = *DELAYS.end() / 2 + 1;
/// Gains: 4 dB up, 42 dB down.
const GAINS: std::ops::RangeInclusive<f32> = 6.3e-5..=2.5;
/// Frames in which something audible was sent, at least, for anything to be said: 1.2 s.
const SENT: usize = 60;
/// And those in which an echo would be heard.
const HEARD: usize = 45;
/// What agrees is half to twice of what is expected, 3 dB; so many hundredths of the frames do.
const AGREEING: usize = 66;
/// So much does what comes back go up and down, decibels: of a steady noise nothing can be told.
const LEAST_DEVIATION: f32 = 2.0;

/// What there is to be told of a few seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Echo {
    /// Too little was sent to be heard again.
    Unknown,
    /// None.
    No,
    /// One, so many half frames later.
    After(usize),
}

/// Looks for what was `sent` in what came, the `own` sound of a leg: the powers of the same frames, those of `sent`
/// with [`LONGEST`] more before them.
pub(super) fn find(own: &[f32], sent: &[f32], scratch: &mut Vec<f32>) -> Echo {
    let (best, _) = best(own, sent, scratch);
    best
}

pub(super) fn best(own: &[f32], sent: &[f32], scratch: &mut Vec<f32>) -> (Echo, usize) {
    debug_assert_eq!(sent.len(), own.len() + LONGEST);
    scratch.clear();
    scratch.extend(sent[LONGEST..].iter().filter(|power| **power > AUDIBLE));
    if scratch.len() < SENT {
        return (Echo::Unknown, 0);
    }
    let loud = part(scratch, 3, 4);
    if own.iter().filter(|power| **power > FAINTEST).count() < HEARD {
        return (Echo::No, 0);
    }
    scratch.clear();
    scratch.extend_from_slice(own);
    let floor = part(scratch, 1, 10).max(FAINTEST);
    let mut best = (Echo::No, 0);
    for delay in DELAYS {
        let after = |frame: usize| {
            let at = frame + LONGEST - delay / 2;
            if delay % 2 == 0 { sent[at] } else { (sent[at] + sent[at - 1]) / 2.0 }
        };
        scratch.clear();
        for (frame, power) in own.iter().enumerate() {
            let sent = after(frame);
            if sent >= loud {
                scratch.push(power / sent);
            }
        }
        if scratch.len() < SENT / 6 {
            continue;
        }
        let gain = part(scratch, 1, 2);
        if !GAINS.contains(&gain) || gain * loud < 1.6 * floor {
            continue;
        }
        let (mut heard, mut agreeing, mut sum, mut squares) = (0, 0, 0.0, 0.0);
        for (frame, power) in own.iter().enumerate() {
            let expected = gain * after(frame);
            if expected > 1.6 * floor {
                let expected = expected + floor;
                let part = (power + floor) / expected;
                heard += 1;
                agreeing += usize::from((0.5..=2.0).contains(&part));
                let decibels = 10.0 * expected.log10();
                sum += decibels;
                squares += decibels * decibels;
            }
        }
        if heard < HEARD {
            continue;
        }
        #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
        let count = heard as f32;
        let variance = squares / count - (sum / count) * (sum / count);
        let score = 100 * agreeing / heard;
        if variance >= LEAST_DEVIATION * LEAST_DEVIATION && score > best.1 {
            best = (if score >= AGREEING { Echo::After(delay) } else { Echo::No }, score);
        }
    }
    best
}

/// The value that `part` of `parts` of all are below.
fn part(values: &mut [f32], part: usize, parts: usize) -> f32 {
    let at = values.len() * part / parts;
    *values.select_nth_unstable_by(at, f32::total_cmp).1
}
