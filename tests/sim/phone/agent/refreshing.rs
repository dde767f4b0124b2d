//! A phone's session refreshes (RFC 4028), and its answers to the gateway's: as they should be, and as they are.

use super::{Agent, Stage};
use partyline::sip::message::{HeaderName as H, Method, Request, Response, StatusCode};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How the phone keeps its calls alive.
#[derive(Debug, Default)]
pub(crate) struct Refreshing {
    /// It sends refreshes by this method, so often.
    pub(crate) by: Option<(Method, Duration)>,
    /// Session-Expires in them; nothing: they have none, nor `Supported: timer`.
    pub(crate) says: Option<&'static str>,
    /// It takes UPDATE.
    pub(crate) takes_update: bool,
    /// What it answers to the gateway's next refreshes; as it should be when there is nothing more in here.
    pub(crate) answers: VecDeque<Odd>,
    /// It goes on answering like this.
    pub(crate) always: Option<Odd>,
    next: Option<Instant>,
}

/// An answer to a refresh that is not as it should be.
#[derive(Debug, Clone)]
pub(crate) enum Odd {
    /// 200 without Session-Expires.
    Forgetful,
    /// 200 with this Session-Expires.
    Says(&'static str),
    /// A refusal, perhaps with one more header.
    Refuses(u16, Option<(H, &'static str)>),
    /// Nothing.
    Silent,
}

impl Agent {
    /// When the next refresh of ours is due.
    pub(super) fn next_refresh(&self) -> Option<Instant> {
        self.refreshing.next.filter(|_| self.stage == Stage::Talking)
    }

    /// The call begins: so do refreshes.
    pub(super) fn begin_refreshing(&mut self, now: Instant) {
        self.refreshing.next = self.refreshing.by.as_ref().map(|(_, every)| now + *every);
    }

    pub(super) fn refresh_if_due(&mut self, now: Instant) {
        if self.next_refresh().is_some_and(|at| at <= now) {
            self.begin_refreshing(now);
            let method = self.refreshing.by.as_ref().map(|(method, _)| method.clone()).unwrap();
            self.refresh(now, method);
        }
    }

    /// Sends a refresh that changes nothing.
    pub(crate) fn refresh(&mut self, now: Instant, method: Method) {
        let says = self.refreshing.says;
        let mut request = self.request(method.clone());
        request.headers.remove(&H::SessionExpires);
        request.headers.remove(&H::Supported);
        if method == Method::Update {
            request.headers.push(H::Contact, self.contact());
        }
        if let Some(says) = says {
            request.headers.push(H::SessionExpires, says);
            request.headers.push(H::Supported, "timer");
        }
        if method == Method::Invite {
            request = request.with_body("application/sdp", self.local.text());
        }
        self.send(now, request);
    }

    /// Makes the answer to a refresh of the gateway's odd, if it is to be. `None`: there is none.
    pub(super) fn odd(&mut self, request: &Request, response: Response) -> Option<Response> {
        let odd = self.refreshing.answers.pop_front().or_else(|| self.refreshing.always.clone());
        let mut response = response;
        match odd {
            None => {}
            Some(Odd::Forgetful) => {
                response.headers.remove(&H::SessionExpires);
                response.headers.remove(&H::Require);
            }
            Some(Odd::Says(says)) => response.headers.set(H::SessionExpires, says),
            Some(Odd::Refuses(status, header)) => {
                response = Response::to_request(request, StatusCode(status));
                if let Some((name, value)) = header {
                    response = response.with(name, value);
                }
            }
            Some(Odd::Silent) => return None,
        }
        Some(response)
    }

    /// Allow: without UPDATE, session refreshes come as re-INVITEs.
    pub(super) fn allow(&self) -> &'static str {
        if self.refreshing.takes_update {
            "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE"
        } else {
            "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO"
        }
    }
}
