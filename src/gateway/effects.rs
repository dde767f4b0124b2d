//! What is to come of an input: the one thing that the gateway hands to all its parts.

use super::{Event, Level, LogLine, Output, Reply, SessionId, Timer};
use crate::media::command::Command;
use crate::session;
use crate::types::{CallId, Deadlines, LeftOut, LogLimit, Now, first_id_of};
use std::collections::VecDeque;
use std::time::Instant;

/// What a session is to hear.
#[derive(Debug)]
pub(super) struct News {
    pub(super) session: SessionId,
    /// The call it is about, unless that is over.
    pub(super) call: Option<CallId>,
    pub(super) event: session::Event,
}

/// Outputs, deadlines, news for sessions, and fresh identifiers.
#[derive(Debug)]
pub(super) struct Effects {
    outputs: VecDeque<Output>,
    pub(super) timers: Deadlines<Timer>,
    news: VecDeque<News>,
    next_id: u64,
    /// Lines that somebody outside can cause.
    log_limit: LogLimit,
}

impl Default for Effects {
    fn default() -> Self {
        Self {
            outputs: VecDeque::new(),
            timers: Deadlines::default(),
            news: VecDeque::new(),
            // 0 is the session of calls that have none.
            next_id: 1,
            log_limit: LogLimit::default(),
        }
    }
}

impl Effects {
    /// Has the world do something.
    pub(super) fn output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    /// The next thing that the world is to do.
    pub(super) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(super) fn media(&mut self, command: Command) {
        self.output(Output::Media(command));
    }

    /// Answers an administrator's request.
    pub(super) fn reply(&mut self, asked: u64, reply: Reply) {
        self.output(Output::Reply { id: asked, reply });
    }

    /// Passes an event on to programs that follow the gateway.
    pub(super) fn event(&mut self, event: Event) {
        self.output(Output::Event(event));
    }

    pub(super) fn log(&mut self, level: Level, call: Option<CallId>, what: &'static str, detail: String) {
        self.output(Output::Log(LogLine { level, call, what, detail }));
    }

    /// The same for a line that somebody outside can cause as often as they like. Says whether it was written.
    pub(super) fn log_limited(
        &mut self,
        now: Now,
        level: Level,
        call: Option<CallId>,
        what: &'static str,
        detail: impl FnOnce() -> String,
    ) -> bool {
        let allowed = self.log_limit.allows(now.instant, what);
        if allowed {
            self.log(level, call, what, detail());
        }
        allowed
    }

    /// Lines that were left out in the minute that is over, one kind at a time.
    pub(super) fn pop_left_out(&mut self, now: Now) -> Option<LeftOut> {
        self.log_limit.pop_due(now.instant)
    }

    /// Tells a session something, once what is being done is done.
    pub(super) fn emit(&mut self, session: SessionId, event: session::Event) {
        self.news.push_back(News { session, call: None, event });
    }

    /// The same of one of its calls.
    pub(super) fn emit_of(&mut self, call: CallId, session: SessionId, event: session::Event) {
        self.news.push_back(News { session, call: Some(call), event });
    }

    /// The oldest news that a session has not heard.
    pub(super) fn pop_news(&mut self) -> Option<News> {
        self.news.pop_front()
    }

    /// Names from now on what there is after this run of the gateway.
    pub(super) fn begin_run(&mut self, run: u32) {
        self.next_id = first_id_of(run);
    }

    /// The run of the gateway.
    pub(super) const fn run(&self) -> u32 {
        CallId(self.next_id).run()
    }

    /// An identifier that nothing had before.
    pub(super) fn fresh_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// When there is something to do, whatever comes in meanwhile.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        [self.timers.next(), self.log_limit.poll_timeout()].into_iter().flatten().min()
    }
}
