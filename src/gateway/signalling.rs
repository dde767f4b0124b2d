//! The endpoint's events, each to where it belongs.

use super::cause::Cause;
use super::timer::{FIRST_PACKET, Timer};
use super::{Gateway, Level, LogLine, Output};
use crate::sip::message::{Defect, StatusCode};
use crate::sip::{self, Body, EndpointError, Event, InviteId, TraceDirection};
use crate::types::Now;
use bytes::Bytes;

impl Gateway {
    pub(super) fn drain_endpoint(&mut self, now: Now) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                sip::Output::Transmit { flow, bytes, hurried } => {
                    self.effects.output(Output::Sip { flow, bytes, hurried });
                }
                sip::Output::Event(event) => self.on_signalling(now, event),
                sip::Output::Trace(line) => {
                    let (from, arrow, to) = match line.direction {
                        TraceDirection::In => (line.flow.remote, "──▶", line.flow.local),
                        TraceDirection::Out => (line.flow.local, "──▶", line.flow.remote),
                    };
                    let detail = format!("{from} {arrow} {to} {} [{}]", masked(&line.summary), line.call_id);
                    self.effects.output(Output::Log(LogLine { level: Level::Debug, call: None, what: "SIP", detail }));
                }
            }
        }
        self.tell_unknown_sources(now);
    }

    fn on_signalling(&mut self, now: Now, event: Event) {
        if let Some(which) = self.direct_call_of(&event) {
            return self.on_direct(now, which, event);
        }
        match event {
            Event::Incoming { invite, peer, request, flow, offer, replaces } => {
                self.on_incoming(now, (invite, peer), &request, flow, offer.as_ref(), replaces);
            }
            Event::Acknowledged { invite, body } => self.on_acknowledged(now, invite, body.as_ref()),
            Event::Cancelled { invite, reason } => {
                if let Some(id) = self.calls.of(invite) {
                    self.note_reason(id, reason.as_ref());
                }
                self.on_gone(now, invite, Some(487), Cause::Cancelled);
            }
            Event::Offer { invite, body, .. } => self.on_offer(now, invite, body.as_ref()),
            Event::Answer { invite, body } => {
                if let Some(id) = self.calls.of(invite) {
                    self.on_answer(now, id, &body);
                }
            }
            Event::OfferFailed { invite, status } => {
                if let Some(id) = self.calls.of(invite) {
                    self.on_offer_failed(now, id, status);
                }
            }
            Event::Info { invite, content_type, headers, body } => {
                self.on_call_info(now, invite, content_type.as_deref().unwrap_or_default(), &headers, &body);
            }
            Event::Message { invite, content_type, body } => self.on_call_message(now, invite, content_type, body),
            Event::Messaged { id, peer, request } => self.on_messaged(now, id, peer, &request),
            Event::MessageAnswered { message, status } => self.on_message_answered(now, message, status),
            Event::Referred { invite, referral } => self.on_referred(now, invite, &referral),
            Event::ReferAccepted { invite, over } => self.on_refer_accepted(now, invite, over),
            Event::ReferProgress { invite, status, over } => self.on_refer_progress(now, invite, status, over),
            Event::Ended { invite, by, reason } => self.on_ended(now, invite, by, reason.as_ref()),
            Event::Trying { invite } => self.on_trying(invite),
            Event::Progress { invite, status, body } => self.on_progress(now, invite, status, body.as_ref()),
            Event::Answered { invite, body, .. } => self.on_answered(now, invite, body.as_ref()),
            Event::Failed { invite, status, response } if self.is_calling(invite) => {
                self.on_dial_response(now, invite, status, response.as_deref());
            }
            Event::Failed { invite, status, .. } => {
                self.on_gone(now, invite, Some(status.0), Cause::Refused(format!("no way to answer: {}", status.0)));
            }
            Event::Registered { registration, expires, ignored_routes } => {
                self.on_registered(registration, expires, ignored_routes);
            }
            Event::RegistrationFailed { registration, status, retry_at, retry_after } => {
                self.on_registration_failed(now, registration, status, retry_at, retry_after);
            }
            Event::Unregistered { registration } => self.trunks.unregistered(registration),
            Event::Pinged { ping, status, retry_after, reached } => {
                self.on_pinged(now, ping, status, retry_after, reached);
            }
            Event::Registering { id, peer, request, flow } => self.on_registering(now, id, peer, &request, flow),
            Event::OddResponse { invite, flow, status, defect } => {
                self.on_odd_response(now, invite, &flow, status, defect)
            }
            // An unknown source, of whom admission tells.
            Event::Refused { status: None, .. } => {}
            Event::Refused { summary, flow, status: Some(status), rule } => {
                self.log_limited(now, Level::Info, None, "request refused", || {
                    format!("{} from {}: {}, {rule}", super::Masked(&summary), flow.remote, status.0)
                });
            }
        }
    }

    /// A response that is not as it should be. What came of it is told where it always is.
    fn on_odd_response(
        &mut self,
        now: Now,
        invite: Option<InviteId>,
        flow: &sip::Flow,
        status: StatusCode,
        defect: Defect,
    ) {
        let call = invite.and_then(|invite| self.calls.of(invite));
        self.log_limited(now, Level::Warn, call, "odd response", || {
            format!("{} from {}: {defect}; used as far as it can be read", status.0, flow.remote)
        });
    }

    fn on_acknowledged(&mut self, now: Now, invite: InviteId, answer: Option<&Bytes>) {
        let Some(id) = self.calls.of(invite) else { return };
        let awaiting = self.calls.get(&id).is_some_and(|call| call.media.offered.is_some());
        match answer {
            Some(answer) => {
                self.on_answer(now, id, answer);
                // The wait for the first packet can only begin now that there is a leg to hear it.
                self.effects.timers.set(Timer::FirstPacket(id), now.instant + FIRST_PACKET);
            }
            None if awaiting => {
                return self.hang_up(now, id, Cause::MediaRefused("the ACK brought no answer to our offer".into()));
            }
            None => {}
        }
        self.note_ready(id, true, false);
    }

    /// An INVITE that ended before it was answered.
    fn on_gone(&mut self, now: Now, invite: InviteId, status: Option<u16>, cause: Cause) {
        let Some(id) = self.calls.signalling_over(invite) else { return };
        if let Some(call) = self.calls.get_mut(&id) {
            call.status = status;
        }
        self.end(now, id, cause);
    }

    // A call that is gone under our hands has had its last event or will: nothing to mend here.
    pub(super) fn note(&mut self, what: &'static str, result: Result<(), EndpointError>) {
        if let Err(error) = result {
            self.log(Level::Debug, None, what, error.to_string());
        }
    }

    pub(super) fn provisional(&mut self, now: Now, invite: InviteId, status: StatusCode, body: Option<Bytes>) {
        let result = self.endpoint.provisional(now, invite, status, body.map(Body::sdp));
        self.note("provisional", result);
    }

    pub(super) fn accept(&mut self, now: Now, invite: InviteId, body: Bytes) {
        let result = self.endpoint.accept(now, invite, Body::sdp(body));
        self.note("accept", result);
    }

    pub(super) fn answer_offer(&mut self, now: Now, invite: InviteId, answer: Result<Body, StatusCode>) {
        let result = self.endpoint.answer_offer(now, invite, answer);
        self.note("answer to an offer", result);
    }
}

/// A message in a line, with the number in its URI shortened: no log holds full numbers.
fn masked(summary: &str) -> String {
    let Some((before, uri)) = summary.split_once(':') else { return summary.to_owned() };
    let is_number = before.to_ascii_lowercase().ends_with("tel");
    let end = uri.find('@').unwrap_or(if is_number { uri.len() } else { 0 });
    let (user, host) = uri.split_at(end);
    format!("{before}:{}{host}", super::Masked(user))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_shows_no_full_number() {
        assert_eq!(masked("INVITE sip:+442079460101@10.0.0.1:5060"), "INVITE sip:+442…01@10.0.0.1:5060");
        assert_eq!(masked("INVITE tel:+442079460101"), "INVITE tel:+442…01");
        assert_eq!(masked("OPTIONS sip:192.168.100.101"), "OPTIONS sip:192.168.100.101");
        assert_eq!(masked("200 OK"), "200 OK");
    }
}
