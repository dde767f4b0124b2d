//! What is done when more comes than can be served: who waits where, who is refused, and what is said of it.

use super::intake::{Lane, Next};
use super::{Gateway, Input, Level};
use crate::sip::message::{Method, Outline};
use crate::sip::{self, Endpoint, Flow};
use crate::types::Now;
use std::time::{Duration, Instant};

/// Time between two lines of the log about calls that are refused.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// Calls refused because they had waited too long.
#[derive(Debug, Default)]
pub(super) struct LateCalls {
    /// Since the start.
    pub(super) refused: u64,
    /// Of these, those that the log has still to hear of.
    untold: u64,
    /// When it hears of them.
    tell_at: Option<Instant>,
}

impl LateCalls {
    pub(super) const fn poll_timeout(&self) -> Option<Instant> {
        self.tell_at
    }
}

impl Gateway {
    /// Takes what came from the network at `arrived`, to be served by [`Self::serve`] when its turn comes. A shell that
    /// receives faster than it serves calls this instead of [`Self::handle_input`], and what waits is put into order.
    pub fn queue(&mut self, arrived: Instant, input: sip::Input) {
        let lane = match &input {
            sip::Input::Message { flow, bytes } => self.lane_of(flow, &Outline::of(bytes)),
            _ => Some(Lane::First),
        };
        if let Some(lane) = lane {
            self.intake.push(arrived, input, lane);
        }
    }

    /// Serves one message of those that wait. Says whether there was one.
    pub fn serve(&mut self, now: Now) -> bool {
        let Some(Next { input, is_late }) = self.intake.next(now.instant) else { return false };
        if is_late
            && let sip::Input::Message { flow, bytes } = &input
            && self.endpoint.refuse_late(now, *flow, bytes)
        {
            self.note_late_call(now);
            self.run_until_idle(now);
            return true;
        }
        self.handle_input(now, Input::Sip(input));
        true
    }

    /// Says how busy the least busy media thread is, in thousandths of its time: with little left no call is taken.
    pub const fn note_media_busy(&mut self, thousandths: u32) {
        self.intake.note_busy(thousandths);
    }

    /// Whether anything waits for [`Self::serve`].
    #[must_use]
    pub fn has_queued(&self) -> bool {
        !self.intake.is_empty()
    }

    /// Whether so much waits that what comes next is better left with the kernel.
    #[must_use]
    pub fn queue_is_full(&self) -> bool {
        self.intake.is_full()
    }

    /// Where a message waits; `None` for one of which nothing comes.
    fn lane_of(&self, flow: &Flow, outline: &Outline<'_>) -> Option<Lane> {
        let to_tag = match outline {
            Outline::KeepAlive => return None,
            Outline::Response if self.endpoint.is_awaited(flow) || self.is_known(flow, None) => {
                return Some(Lane::First);
            }
            Outline::Response => return Some(Lane::Unknown),
            Outline::Request { to_tag, .. } => to_tag,
        };
        let Outline::Request { user, .. } = outline else { return None };
        let is = |method: &Method| outline.is(method);
        if is(&Method::Ack) && to_tag.is_some_and(Endpoint::is_stateless_tag) {
            return None;
        }
        if to_tag.is_some_and(|tag| self.endpoint.is_of_call(tag)) {
            return Some(Lane::First);
        }
        if !self.is_known(flow, *user) {
            return Some(Lane::Unknown);
        }
        let first = to_tag.is_some() || is(&Method::Ack) || is(&Method::Options)
            // Never before the INVITE that it may be of.
            || (is(&Method::Cancel) && self.intake.has_nothing_new());
        Some(if first { Lane::First } else { Lane::New { refusable: is(&Method::Invite) } })
    }

    fn note_late_call(&mut self, now: Now) {
        self.late_calls.refused += 1;
        self.late_calls.untold += 1;
        if self.late_calls.tell_at.is_none() {
            self.late_calls.tell_at = Some(now.instant + TELL_EVERY);
            let detail = "new calls come faster than they can be answered: those that wait too long get 503";
            self.log(Level::Warn, None, "overload", detail.into());
        }
    }

    /// Tells how many calls were refused, for as long as there are any.
    pub(super) fn tell_late_calls(&mut self, now: Now) {
        if self.late_calls.tell_at.is_none_or(|at| at > now.instant) {
            return;
        }
        let refused = std::mem::take(&mut self.late_calls.untold);
        if refused == 0 {
            self.late_calls.tell_at = None;
            return self.log(Level::Info, None, "overload", "over".into());
        }
        self.late_calls.tell_at = Some(now.instant + TELL_EVERY);
        let detail = format!("{refused} calls refused with 503 in the last {} s", TELL_EVERY.as_secs());
        self.log(Level::Warn, None, "overload", detail);
    }
}
