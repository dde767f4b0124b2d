//! Whether a call may be placed, and its beginning.

use crate::dialplan::outgoing::{self, Denied};
use crate::dialplan::{Origin, route};
use crate::gateway::call::{Beginning, Call, Phase};
use crate::gateway::call_record::{CallRecord, Keyed, Tried, Way};
use crate::gateway::cause::Cause;
use crate::gateway::outgoing::{CallerNumber, Outgoing};
use crate::gateway::peer::Peer;
use crate::gateway::timer::Timer;
use crate::gateway::{Gateway, Level, Masked, Output, Refusal, Reply, Rule, SessionId, TransportKind};
use crate::session::{self, CallHandle, CallerId, DialCause, DialTarget, Party};
use crate::sip::message::Headers;
use crate::types::{CallId, Disturbances, Now};
use std::sync::Arc;
use std::time::Duration;

/// Redirections that one call follows.
const REDIRECTIONS: u8 = 5;

/// A call that a session asks for.
#[derive(Debug)]
pub(in crate::gateway) struct DialRequest {
    /// The session's handle for it. `None`: the session is to know nothing of it.
    pub(in crate::gateway) call: Option<CallHandle>,
    pub(in crate::gateway) to: DialTarget,
    pub(in crate::gateway) caller: CallerId,
    pub(in crate::gateway) timeout: Option<Duration>,
    /// Further headers of the INVITE.
    pub(in crate::gateway) headers: Headers,
}

/// What came of a dial request.
#[derive(Debug)]
pub(in crate::gateway) enum DialResult {
    /// The call is on its way.
    Placed(CallId),
    /// It is not made, by this rule.
    Refused(String),
}

impl Gateway {
    /// Places a call for a session, or tells it by which rule not.
    pub(in crate::gateway) fn dial(&mut self, now: Now, session: SessionId, request: DialRequest) {
        match self.place_call(now, session, request) {
            DialResult::Placed(_) => {}
            DialResult::Refused(rule) => {
                if let Some(running) = self.sessions.get_mut(&session)
                    && let Some(asked) = running.asked.take()
                {
                    let why = Refusal::new(Rule::NotAllowed, format!("the call is not placed: {rule}"));
                    self.effects.reply(asked, Reply::Error(why));
                }
            }
        }
    }

    /// Places a call, or tells the session, the log and a record by which rule not.
    pub(in crate::gateway) fn place_call(&mut self, now: Now, session: SessionId, request: DialRequest) -> DialResult {
        let handle = request.call;
        match self.try_dial(now, session, request) {
            Ok(call) => DialResult::Placed(call),
            Err(NotPlaced { number, route, rule, cause }) => {
                self.note_not_placed(now, number, route, rule.clone(), &cause);
                if let Some(call) = handle {
                    let status = cause.status();
                    self.emit(session, session::Event::DialFailed { call, cause, status });
                }
                DialResult::Refused(rule)
            }
        }
    }

    fn try_dial(&mut self, now: Now, session: SessionId, request: DialRequest) -> Result<CallId, NotPlaced> {
        let written = match &request.to {
            DialTarget::Number(number) => number.clone(),
            DialTarget::User(name) => {
                let name = name.clone();
                return self.try_dial_user(now, session, request, &name);
            }
        };
        let plan = self.sessions.get(&session).map_or_else(|| Arc::clone(&self.plan), |it| Arc::clone(&it.plan));
        let refused = |number: &str, route: Option<String>, rule: String| NotPlaced {
            number: number.to_owned(),
            route,
            cause: DialCause::Refused(rule.clone()),
            rule,
        };
        let allowed = outgoing::allow(&plan, &written).map_err(|denied| {
            let number = plan.gateway.numbers.normalise(&written);
            let rule = match denied {
                Denied::NoRoute => format!("{denied}; {}", route::decide(&plan, &Origin::Sessions, &number).no_route()),
                denied => denied.to_string(),
            };
            refused(&number, None, rule)
        })?;
        let (number, route) = (allowed.number, Arc::clone(allowed.route));
        let settings = Arc::clone(allowed.outgoing);
        let by_rule = |rule: String| refused(&number, Some(route.name.clone()), rule);
        self.session_limit(now, session, (plan.gateway.dial_limit, plan.gateway.dial_rate)).map_err(by_rule)?;
        if let Some((_, rule)) = self.gateway_limit() {
            return Err(by_rule(rule));
        }
        let mut candidates = self.targets(now, &settings.trunks);
        let mut passed = Vec::new();
        let target = self.choice(now).next(None, &mut candidates, &mut passed);
        let Some(target) = target else {
            // Every trunk is full, or none has an address: the first rule that stood in the way.
            let first = passed.into_iter().next();
            let rule = first.map_or_else(
                || format!("no address of {} is known yet", names(&settings.trunks)),
                |passed| passed.outcome,
            );
            return Err(by_rule(rule));
        };
        let caller = match request.caller {
            CallerId::Trunk => CallerNumber::Trunk,
            CallerId::Given(party) if party.number.is_empty() => CallerNumber::Trunk,
            CallerId::Given(party) => CallerNumber::Other(party.number),
            CallerId::Withheld => CallerNumber::Withheld,
            CallerId::Of(other) => {
                let number = self.call_under(session, other).map(|call| call.from.number.clone()).unwrap_or_default();
                if number.is_empty() { CallerNumber::Trunk } else { CallerNumber::Other(number) }
            }
        };
        let outgoing = Outgoing {
            route: Arc::clone(&route),
            number: number.clone(),
            caller,
            target,
            targets: candidates,
            rings: false,
            rang_here: false,
            sounds: false,
            redirections_left: REDIRECTIONS,
            headers: request.headers,
        };
        let ring = request.timeout.unwrap_or(settings.ring_timeout).min(settings.ring_timeout);
        // Media ports on the address from which the target is reached.
        let local = outgoing.target.flow.local.ip();
        let id = self.begin_call(now, session, request.call, outgoing, passed);
        self.effects.timers.set(Timer::NoAnswer(id), now.instant + ring);
        self.emit_of(id, |call| session::Event::Dialled { call, confirm: settings.confirm });
        self.effects.output(Output::OpenTransport { call: id, kind: TransportKind::Rtp, local });
        Ok(id)
    }

    fn begin_call(
        &mut self,
        now: Now,
        session: SessionId,
        handle: Option<CallHandle>,
        outgoing: Outgoing,
        tried: Vec<Tried>,
    ) -> CallId {
        let id = CallId(self.fresh_id());
        let trunk = Arc::clone(&outgoing.target.trunk);
        let from = match &outgoing.caller {
            CallerNumber::Trunk => trunk.caller_id.clone().unwrap_or_default(),
            CallerNumber::Other(number) => number.clone(),
            CallerNumber::Withheld => String::new(),
        };
        let detail = format!("{} by trunk {}, route {}", Masked(&outgoing.number), trunk.name, outgoing.route.name);
        self.log(Level::Info, Some(id), "calling", detail);
        let peer = Peer::Trunk(Arc::clone(&trunk));
        self.admission.peers.call_began(now.instant, &peer);
        if let Some(running) = self.sessions.get_mut(&session) {
            running.calls.insert(id, handle);
        }
        let plan = self.sessions.get(&session).map_or_else(|| Arc::clone(&self.plan), |it| Arc::clone(&it.plan));
        let beginning = Beginning {
            id,
            session,
            plan,
            peer,
            flow: &outgoing.target.flow.clone(),
            from: Party { number: from, name: None },
            number: outgoing.number.clone(),
            route: outgoing.route.name.clone(),
            phase: Phase::Dialling(Box::new(outgoing)),
            now,
        };
        let call = Call { tried, ..Call::begin(beginning) };
        self.effects.event(call.start_event());
        self.calls.insert(call);
        id
    }

    /// Counts one more call of a session, unless it has placed as many as it may.
    pub(in crate::gateway) fn session_limit(
        &mut self,
        now: Now,
        session: SessionId,
        limits: (u32, u32),
    ) -> Result<(), String> {
        self.sessions.get_mut(&session).map_or(Ok(()), |session| session.count_dial(now, limits))
    }

    /// A call that was asked for and never begun leaves its record too.
    pub(in crate::gateway) fn note_not_placed(
        &mut self,
        now: Now,
        number: String,
        route: Option<String>,
        rule: String,
        cause: &DialCause,
    ) {
        let told =
            self.log_limited(now, Level::Info, None, "not placed", || format!("call to {}: {rule}", Masked(&number)));
        if !told {
            return;
        }
        let id = CallId(self.fresh_id());
        self.effects.output(Output::Record(Box::new(CallRecord {
            call: id.to_string(),
            way: Way::Out,
            sip_call_id: String::new(),
            trunk: String::new(),
            user: String::new(),
            tried: Vec::new(),
            from: String::new(),
            number,
            route,
            rooms: Vec::new(),
            keyed: Keyed::default(),
            started: now.wall,
            answered: None,
            ended: now.wall,
            talk_ms: 0,
            status: None,
            cause: if matches!(cause, DialCause::Refused(_)) { Cause::Refused(rule) } else { Cause::Unreachable(rule) },
            reason: None,
            warning: None,
            disturbed: Disturbances::default(),
            media: None,
        })));
    }

    /// Whether the call is one of ours that is not answered yet.
    pub(in crate::gateway) fn is_being_called(&self, id: CallId) -> bool {
        self.calls.get(&id).is_some_and(|call| call.phase.is_dialling())
    }
}

/// Why a call was not begun.
pub(super) struct NotPlaced {
    pub(super) number: String,
    pub(super) route: Option<String>,
    pub(super) rule: String,
    pub(super) cause: DialCause,
}

fn names(trunks: &[Arc<crate::dialplan::Trunk>]) -> String {
    trunks.iter().map(|trunk| format!("trunk {}", trunk.name)).collect::<Vec<_>>().join(", ")
}
