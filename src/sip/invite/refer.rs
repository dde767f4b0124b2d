//! REFER inside a call (RFC 3515, RFC 3892, RFC 4488): the peer's, whose outcome we tell by NOTIFY, and ours, whose
//! outcome we are told. Each way one at a time.

use bytes::Bytes;

use super::{Stage, Usage};
use crate::sip::core::{Core, EndedBy, EndpointError, Event, Referral, check_require};
use crate::sip::message::{
    Body, HeaderName as H, Headers, Method, NameAddr, Replaces, Request, Response, Scheme, StatusCode, WithParams,
};
use crate::sip::transaction::{ClientId, Received, Reply, ServerId};
use crate::types::Now;

/// How long we say that the news of a referral may come; it ends with the call's own answer long before.
const SUBSCRIPTION: &str = "active;expires=300";
/// Longest part of a message/sipfrag that is looked at.
const LONGEST_LINE: usize = 256;

/// The peer's REFER.
#[derive(Debug)]
pub(crate) struct TheirRefer {
    /// Until our user has answered it.
    tx: Option<ServerId>,
    /// What its NOTIFYs are about: its CSeq number.
    cseq: u32,
    /// The peer wants no NOTIFY (RFC 4488).
    silent: bool,
    /// The NOTIFY that has no response yet; the next one waits for it.
    sent: Option<ClientId>,
    /// The news that waits; older news is not told any more.
    next: Option<StatusCode>,
    /// The last NOTIFY is out.
    told: bool,
}

/// A REFER of ours.
#[derive(Debug)]
pub(crate) struct OurRefer {
    tx: ClientId,
    cseq: u32,
    /// Its end was told to our user.
    over: bool,
}

impl Usage {
    /// The peer wants us to call somebody.
    pub(super) fn on_refer(&mut self, core: &mut Core, now: Now, received: Received, tx: ServerId) {
        let Stage::Confirmed(session) = &mut self.stage else {
            return core.transactions.respond(now, tx, Reply::new(StatusCode::REQUEST_PENDING));
        };
        let request = &received.request;
        if let Err(reply) = check_require(request, Some(&session.terms)) {
            return core.transactions.respond(now, tx, reply);
        }
        if session.referred.is_some() {
            return core.transactions.respond(now, tx, Reply::new(StatusCode::REQUEST_PENDING));
        }
        let Some(referral) = referral(request) else {
            return core.transactions.respond(now, tx, Reply::new(StatusCode::BAD_REQUEST));
        };
        let silent = request.headers.texts(&H::ReferSub).next().is_some_and(|value| is_token(&value, "false"));
        let cseq = received.cseq;
        session.referred =
            Some(Box::new(TheirRefer { tx: Some(tx), cseq, silent, sent: None, next: None, told: false }));
        core.event(Event::Referred { invite: self.id, referral: Box::new(referral) });
    }

    /// Our user takes the referral, or refuses it.
    pub fn answer_refer(&mut self, core: &mut Core, now: Now, status: StatusCode) -> Result<(), EndpointError> {
        let Stage::Confirmed(session) = &mut self.stage else { return Err(EndpointError::WrongState) };
        let referred = session.referred.as_mut().ok_or(EndpointError::WrongState)?;
        let tx = referred.tx.take().ok_or(EndpointError::WrongState)?;
        if !status.is_success() {
            session.referred = None;
            core.transactions.respond(now, tx, Reply::new(status));
            return Ok(());
        }
        let silent = referred.silent;
        let mut reply = session.reply(core, &self.common, StatusCode::ACCEPTED);
        if silent {
            reply.headers.push(H::ReferSub, "false");
        }
        core.transactions.respond(now, tx, reply);
        self.notify_refer(core, now, StatusCode::TRYING)
    }

    /// Tells the peer how far the call is that it wanted; a final status is the last it hears.
    pub fn notify_refer(&mut self, core: &mut Core, now: Now, status: StatusCode) -> Result<(), EndpointError> {
        let Stage::Confirmed(session) = &mut self.stage else { return Err(EndpointError::WrongState) };
        let referred = session.referred.as_mut().filter(|it| it.tx.is_none() && !it.told);
        let referred = referred.ok_or(EndpointError::WrongState)?;
        if referred.silent {
            if !status.is_provisional() {
                session.referred = None;
            }
            return Ok(());
        }
        referred.next = Some(status);
        self.send_notify(core, now);
        Ok(())
    }

    fn send_notify(&mut self, core: &mut Core, now: Now) {
        let id = self.id;
        let Stage::Confirmed(session) = &mut self.stage else { return };
        let Some(referred) = session.referred.as_mut().filter(|it| it.sent.is_none()) else { return };
        let Some(status) = referred.next.take() else { return };
        let cseq = referred.cseq;
        referred.told = !status.is_provisional();
        let state = if referred.told { "terminated;reason=noresource" } else { SUBSCRIPTION };
        let mut request = session.dialog.request(Method::Notify);
        session.describe(core, &self.common, &mut request.headers);
        request.headers.push(H::Event, format!("refer;id={cseq}"));
        request.headers.push(H::SubscriptionState, state);
        let line = format!("SIP/2.0 {} {}\r\n", status.0, status.reason());
        let body = Body { content_type: "message/sipfrag;version=2.0".into(), bytes: Bytes::from(line) };
        request.set_body(Some(&body));
        let tx = session.send(core, now, id, &mut self.common, request);
        if let Some(referred) = &mut session.referred {
            referred.sent = Some(tx);
        }
    }

    /// A final response to a NOTIFY came, or none (`None`).
    pub(super) fn on_notify_answered(&mut self, core: &mut Core, now: Now, tx: ClientId, response: Option<&Response>) {
        let Stage::Confirmed(session) = &mut self.stage else { return };
        if session.referred.as_ref().is_none_or(|referred| referred.sent != Some(tx)) {
            return;
        }
        let taken = response.is_some_and(|response| response.status.is_success());
        if !taken && let Some(response) = response {
            let again = session.retry_authorized(core, now, &mut self.common, tx, response);
            if let (Some(again), Some(referred)) = (again, &mut session.referred) {
                referred.sent = Some(again);
                return;
            }
        }
        let Some(referred) = session.referred.as_mut().filter(|referred| taken && !referred.told) else {
            // All is told, or the peer does not want to hear more.
            session.referred = None;
            return;
        };
        referred.sent = None;
        self.send_notify(core, now);
    }

    /// Asks the peer to call somebody.
    pub fn refer(&mut self, core: &mut Core, now: Now, refer_to: &NameAddr) -> Result<(), EndpointError> {
        let id = self.id;
        let Stage::Confirmed(session) = &mut self.stage else { return Err(EndpointError::WrongState) };
        if session.referring.as_ref().is_some_and(|ours| !ours.over) {
            return Err(EndpointError::WrongState);
        }
        let mut request = session.dialog.request(Method::Refer);
        session.describe(core, &self.common, &mut request.headers);
        request.headers.push_display(H::ReferTo, refer_to);
        if let Ok(local) = NameAddr::parse(&session.dialog.local) {
            request.headers.push_display(H::ReferredBy, &NameAddr::new(local.uri));
        }
        let cseq = session.dialog.local_cseq;
        let tx = session.send(core, now, id, &mut self.common, request);
        session.referring = Some(Box::new(OurRefer { tx, cseq, over: false }));
        Ok(())
    }

    /// A final response to our REFER came, or none (`None`).
    pub(super) fn on_refer_answered(&mut self, core: &mut Core, now: Now, tx: ClientId, response: Option<&Response>) {
        let invite = self.id;
        let Stage::Confirmed(session) = &mut self.stage else { return };
        let Some(ours) = session.referring.as_mut().filter(|ours| ours.tx == tx && !ours.over) else { return };
        let status = response.map_or(StatusCode::REQUEST_TIMEOUT, |response| response.status);
        if status.is_success() {
            let silent = response.and_then(|response| response.headers.texts(&H::ReferSub).next());
            // Nothing more will be told (RFC 4488).
            ours.over = silent.is_some_and(|value| is_token(&value, "false"));
            let over = ours.over;
            return core.event(Event::ReferAccepted { invite, over });
        }
        if let Some(response) = response
            && let Some(again) = session.retry_authorized(core, now, &mut self.common, tx, response)
        {
            let cseq = session.dialog.local_cseq;
            session.referring = Some(Box::new(OurRefer { tx: again, cseq, over: false }));
            return;
        }
        session.referring = None;
        core.event(Event::ReferProgress { invite, status: Some(status), over: true });
        if status == StatusCode::CALL_DOES_NOT_EXIST {
            self.lose(core, now, EndedBy::DialogLost);
        }
    }

    /// The peer tells how far the call is that we wanted.
    pub(super) fn on_notify(&mut self, core: &mut Core, now: Now, received: &Received, tx: ServerId) {
        let news = match &self.stage {
            Stage::Confirmed(session) => {
                let terms = Some(&session.terms);
                check_require(&received.request, terms).and_then(|()| news(&received.request.headers))
            }
            _ => Err(Reply::new(StatusCode::CALL_DOES_NOT_EXIST)),
        };
        let (id, ended) = match news {
            Ok(news) => news,
            Err(reply) => return core.transactions.respond(now, tx, reply),
        };
        let Stage::Confirmed(session) = &mut self.stage else { return };
        let ours = session.referring.as_mut().filter(|ours| id.is_none_or(|id| id == ours.cseq));
        let Some(ours) = ours else {
            return core.transactions.respond(now, tx, Reply::new(StatusCode::CALL_DOES_NOT_EXIST));
        };
        let status = match fragment(&received.request) {
            Ok(status) => status,
            Err(reply) => return core.transactions.respond(now, tx, reply),
        };
        core.transactions.respond(now, tx, Reply::new(StatusCode::OK));
        if ours.over {
            return;
        }
        ours.over = ended || status.is_some_and(|status| !status.is_provisional());
        core.event(Event::ReferProgress { invite: self.id, status, over: ours.over });
    }
}

/// What a REFER asks for; `None` where it is not one request for one call (RFC 3515 section 2.4.2).
fn referral(request: &Request) -> Option<Referral> {
    let mut targets = request.headers.values(&H::ReferTo);
    let target = NameAddr::parse(&targets.next()?).ok()?;
    let mut referrers = request.headers.values(&H::ReferredBy);
    let referred_by = referrers.next().map(|value| NameAddr::parse(&value)).transpose().ok()?;
    if targets.next().is_some() || referrers.next().is_some() {
        return None;
    }
    let is_invite = target.uri.params.get("method").is_none_or(|method| method == "INVITE");
    if !matches!(target.uri.scheme, Scheme::Sip | Scheme::Sips) || !is_invite {
        return None;
    }
    let replaces = Replaces::in_refer_to(&target).transpose().ok()?;
    // All other headers it would put into our INVITE stay out.
    let uri = target.uri.for_request();
    Some(Referral { uri, replaces, referred_by })
}

/// Of a NOTIFY: which REFER it is about, if it says so, and whether it is the last.
fn news(headers: &Headers) -> Result<(Option<u32>, bool), Reply> {
    let event = headers.get(&H::Event).and_then(|event| WithParams::parse(event).ok());
    let event = event.filter(|event| event.is("refer"));
    let event = event.ok_or_else(|| Reply::new(StatusCode::BAD_EVENT).with(H::AllowEvents, "refer"))?;
    let id = event
        .params
        .get("id")
        .map(str::parse::<u32>)
        .transpose()
        .map_err(|_| Reply::new(StatusCode::CALL_DOES_NOT_EXIST))?;
    let state = headers.texts(&H::SubscriptionState).next().ok_or_else(|| Reply::new(StatusCode::BAD_REQUEST))?;
    Ok((id, is_token(&state, "terminated")))
}

/// The status in the message/sipfrag of a NOTIFY (RFC 3420); `None` where it has no body.
fn fragment(request: &Request) -> Result<Option<StatusCode>, Reply> {
    if request.body.is_empty() {
        return Ok(None);
    }
    if !request.headers.content_type().is_some_and(|kind| is_token(&kind, "message/sipfrag")) {
        return Err(Reply::new(StatusCode::UNSUPPORTED_MEDIA_TYPE).with(H::Accept, "message/sipfrag"));
    }
    let line = request.body.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let line = std::str::from_utf8(line.get(..LONGEST_LINE.min(line.len())).unwrap_or_default()).unwrap_or_default();
    let code = line.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)?.parse::<u16>().ok());
    let status = code.filter(|code| (100..700).contains(code)).map(StatusCode);
    status.map(Some).ok_or_else(|| Reply::new(StatusCode::BAD_REQUEST))
}

/// Whether a value is `token`, parameters left aside.
fn is_token(value: &str, token: &str) -> bool {
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(token)
}
