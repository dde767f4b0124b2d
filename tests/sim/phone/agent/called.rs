//! A phone that is called: what it says to an INVITE, step by step, as a script has it.

use super::super::description::Remote;
use super::{Agent, Dialog, End, Stage, T1, Unacknowledged};
use bytes::Bytes;
use partyline::sip::message::{HeaderName as H, Method, Request, Response, StatusCode};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// One response to the INVITE.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// From the INVITE's arrival.
    pub(crate) after: Duration,
    pub(crate) status: u16,
    /// With a description; the mouth speaks from then on.
    pub(crate) described: bool,
    /// Which fork says it.
    pub(crate) fork: u8,
    /// One more header.
    pub(crate) header: Option<(H, String)>,
}

/// Says `status` so many milliseconds after the INVITE.
pub(crate) fn says(milliseconds: u64, status: u16) -> Step {
    let described = status == 183 || (200..300).contains(&status);
    Step { after: Duration::from_millis(milliseconds), status, described, fork: 0, header: None }
}

impl Step {
    pub(crate) fn fork(mut self, fork: u8) -> Self {
        self.fork = fork;
        self
    }

    pub(crate) fn with(mut self, name: H, value: &str) -> Self {
        self.header = Some((name, value.to_owned()));
        self
    }
}

/// An INVITE that came.
#[derive(Debug)]
pub(crate) struct Called {
    invite: Request,
    since: Instant,
    steps: VecDeque<Step>,
    last: Option<Bytes>,
    answered: bool,
}

impl Agent {
    /// When the next response is due.
    pub(super) fn next_step(&self) -> Option<Instant> {
        let called = self.called.as_ref()?;
        called.steps.front().map(|step| called.since + step.after)
    }

    /// Whether it is a request of a call to us that is not answered, or not by this fork; it is dealt with then.
    pub(super) fn is_called_by(&mut self, now: Instant, request: &Request) -> bool {
        match request.method {
            Method::Invite if self.answers && request.to().unwrap().tag().is_none() => self.on_invite(now, request),
            Method::Cancel => self.on_cancel(request),
            _ if self.is_for_other_fork(request) => {
                let ok = Response::to_request(request, StatusCode(200)).to_bytes();
                self.transmit(ok);
            }
            _ => return false,
        }
        true
    }

    /// A new INVITE, or the same again.
    fn on_invite(&mut self, now: Instant, request: &Request) {
        let same = |called: &&Called| called.invite.via_top().unwrap().branch == request.via_top().unwrap().branch;
        if let Some(called) = self.called.as_ref().filter(same) {
            let last = called.last.clone();
            return last.into_iter().for_each(|bytes| self.transmit(bytes));
        }
        if self.stage == Stage::Talking {
            let busy = Response::to_request(request, StatusCode(486)).to_bytes();
            return self.transmit(busy);
        }
        self.taken += 1;
        self.numbers.push(request.uri.user_decoded().unwrap_or_default());
        self.stage = Stage::Called { described: false };
        self.dialog = None;
        self.unacknowledged = None;
        self.remote = Some(Remote::read(&request.body));
        let steps = self.manner.iter().cloned().collect();
        self.called = Some(Called { invite: request.clone(), since: now, steps, last: None, answered: false });
        self.take_steps(now);
    }

    pub(super) fn take_steps(&mut self, now: Instant) {
        while self.next_step().is_some_and(|at| at <= now) {
            let Some(step) = self.called.as_mut().and_then(|called| called.steps.pop_front()) else { return };
            self.take_step(now, step);
        }
    }

    fn tag(&self, fork: u8) -> String {
        format!("called-{}-{}-{fork}", self.number.trim_start_matches('+'), self.taken)
    }

    fn take_step(&mut self, now: Instant, step: Step) {
        let tag = self.tag(step.fork);
        let Some(called) = self.called.as_ref() else { return };
        let invite = called.invite.clone();
        let mut response = Response::to_request(&invite, StatusCode(step.status));
        if step.status > 100 {
            response.set_to_tag(&tag);
        }
        if step.status > 100 && step.status < 300 {
            response = response.with(H::Contact, self.contact()).with(H::Allow, self.allow());
        }
        if let Some((name, value)) = step.header {
            response = response.with(name, value);
        }
        if step.described {
            response = response.with_body("application/sdp", self.local.text());
        }
        let bytes = response.to_bytes();
        if let Some(called) = self.called.as_mut() {
            called.last = Some(bytes.clone());
            called.answered |= step.status >= 200;
        }
        self.transmit(bytes.clone());
        match step.status {
            100..=199 if step.described => self.stage = Stage::Called { described: true },
            200..=299 if self.dialog.is_none() => {
                let from = invite.from().unwrap();
                let cseq = invite.cseq().unwrap().number;
                self.dialog = Some(Dialog {
                    call_id: invite.call_id().unwrap().to_string(),
                    tag,
                    remote_tag: from.tag().map(str::to_owned),
                    target: invite.contact().unwrap().uri,
                    to: format!("<{}>", from.uri),
                    cseq: 0,
                    remote_cseq: Some(cseq),
                });
                self.stage = Stage::Talking;
                self.begin_refreshing(now);
                self.unacknowledged = Some(Unacknowledged { cseq, bytes, again: now + T1, interval: T1 });
            }
            300.. => self.stage = Stage::Ended(End::Refused(step.status)),
            _ => {}
        }
    }

    /// CANCEL: 200, and 487 to the INVITE if it has no final response yet.
    fn on_cancel(&mut self, request: &Request) {
        let ok = Response::to_request(request, StatusCode(200)).to_bytes();
        self.transmit(ok);
        let tag = self.tag(0);
        let deaf = self.habits.ignores_cancel;
        let Some(called) = self.called.as_mut().filter(|called| !called.answered && !deaf) else { return };
        called.answered = true;
        called.steps.clear();
        let mut response = Response::to_request(&called.invite, StatusCode(487));
        response.set_to_tag(&tag);
        let bytes = response.to_bytes();
        called.last = Some(bytes.clone());
        self.stage = Stage::Ended(End::Cancelled);
        self.transmit(bytes);
    }

    /// A request to a fork that is not the one we talk by: of a call of ours that was given up.
    pub(super) fn is_for_other_fork(&self, request: &Request) -> bool {
        let tag = request.to().unwrap().tag().map(str::to_owned);
        let ours = self.dialog.as_ref().map(|dialog| dialog.tag.clone());
        tag.as_ref().is_some_and(|tag| tag.starts_with("called-")) && tag != ours
    }

    /// The To tags of all requests of a method, without what comes before the fork.
    pub(crate) fn forks_that_got(&self, method: &Method) -> Vec<String> {
        let requests = self.seen.iter().filter(|seen| seen.method == *method).filter_map(|seen| seen.message.request());
        let tags = requests.filter_map(|request| request.to().ok()?.tag().map(str::to_owned));
        let mut forks: Vec<String> = tags.filter_map(|tag| tag.rsplit('-').next().map(str::to_owned)).collect();
        forks.dedup();
        forks
    }
}
