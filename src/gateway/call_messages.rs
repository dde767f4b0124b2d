//! Texts and data inside calls (MESSAGE, INFO): between a call and its scenario, and among those in a room.

use super::forking::{shown_host, user_address};
use super::identity;
use super::message_limit::{LIMIT, LONGEST};
use super::{Audience, Call, Event, Gateway, Level, Refusal, Reply, Rule, SessionId};
use crate::session::{self, CallHandle, VerbError};
use crate::sip::message::{HeaderName, Headers};
use crate::sip::{Body, InviteId};
use crate::types::{CallId, Now};
use bytes::Bytes;

/// Of a text.
const PLAIN: &str = "text/plain;charset=UTF-8";
/// Who said what a room is told: a name-addr, as in From.
const SAID_BY: &str = "X-From";

impl Gateway {
    /// A call's other end sent a text: it is its scenario's, or else for all others in its rooms.
    pub(super) fn on_call_message(&mut self, now: Now, invite: InviteId, content_type: Option<String>, body: Bytes) {
        let Some(id) = self.calls.of(invite) else { return };
        let octets = body.len();
        self.log_limited(now, Level::Debug, Some(id), "message", || format!("{octets} octets"));
        self.effects.event(Event::MessageReceived { call: id, octets });
        if self.is_of_scenario(id) {
            let text = text_of(content_type.as_deref(), &body);
            if text.contains(char::REPLACEMENT_CHARACTER) {
                let why = || format!("{octets} octets, of which some are none of UTF-8");
                self.log_limited(now, Level::Info, Some(id), "message is no text", why);
            }
            self.emit_of(id, |call| session::Event::Message { call, text });
            return;
        }
        let Some(call) = self.calls.get(&id) else { return };
        let host = shown_host(call.plan.gateway.domain.as_deref(), call.remote.ip());
        let mut headers = Headers::new();
        headers.push_display(HeaderName::from(SAID_BY), &user_address(&call.from, &host));
        let body = Body { content_type: content_type.map_or(PLAIN.into(), Into::into), bytes: body };
        let rooms: Vec<_> = self.rooms.of(id).collect();
        for room in rooms {
            self.tell_room(now, room, Some(id), &headers, &body);
        }
    }

    /// A call's other end sent data: a key of a telephone, or something for its scenario.
    pub(super) fn on_call_info(
        &mut self,
        now: Now,
        invite: InviteId,
        content_type: &str,
        headers: &Headers,
        body: &Bytes,
    ) {
        self.on_info(now, invite, content_type, body);
        let Some(id) = self.calls.of(invite) else { return };
        let takes = self.calls.get(&id).is_some_and(|call| call.peer.terms().messages);
        if takes && self.is_of_scenario(id) {
            let body = String::from_utf8(body.to_vec()).unwrap_or_default();
            let (content_type, headers) = (content_type.to_owned(), identity::extensions(headers));
            self.emit_of(id, |call| session::Event::Info { call, content_type, headers, body });
        }
    }

    fn is_of_scenario(&self, id: CallId) -> bool {
        let session = self.calls.get(&id).and_then(|call| self.sessions.get(&call.session));
        session.is_some_and(|session| session.running.scenario().is_some())
    }

    /// Sends a text to all in a room who take any. Says to how many.
    fn tell_room(
        &mut self,
        now: Now,
        room: crate::types::RoomId,
        but: Option<CallId>,
        headers: &Headers,
        body: &Body,
    ) -> usize {
        let members = self.rooms.get(room).into_iter().flat_map(|open| open.calls());
        let members = members.filter(|id| Some(*id) != but);
        let invites: Vec<InviteId> = members.filter_map(|id| self.calls.get(&id)).filter_map(takes_messages).collect();
        for invite in &invites {
            let result = self.endpoint.message(now, *invite, headers, body);
            self.note("message", result);
        }
        invites.len()
    }

    pub(super) fn send_text(
        &mut self,
        now: Now,
        session: SessionId,
        call: CallHandle,
        text: String,
    ) -> Result<(), VerbError> {
        let invite = self.admit_message(now, session, call, "send_message", text.len())?;
        let body = Body { content_type: PLAIN.into(), bytes: text.into() };
        let result = self.endpoint.message(now, invite, &Headers::new(), &body);
        self.note("message", result);
        Ok(())
    }

    pub(super) fn send_info(
        &mut self,
        now: Now,
        session: SessionId,
        call: CallHandle,
        (content_type, body): (String, String),
        headers: Vec<(String, String)>,
    ) -> Result<(), VerbError> {
        const VERB: &str = "send_info";
        let is_type = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
        if content_type.len() > 128 || !content_type.contains('/') || !content_type.bytes().all(is_type) {
            return Err(VerbError::Limit { verb: VERB, limit: "a content type of type/subtype" });
        }
        let invite = self.admit_message(now, session, call, VERB, body.len())?;
        let body = Body { content_type: content_type.into(), bytes: body.into() };
        let result = self.endpoint.info(now, invite, &identity::extensions_to(headers), &body);
        self.note("info", result);
        Ok(())
    }

    /// Whether a session may send another message, and by which dialog.
    fn admit_message(
        &mut self,
        now: Now,
        session: SessionId,
        call: CallHandle,
        verb: &'static str,
        octets: usize,
    ) -> Result<InviteId, VerbError> {
        if octets > LONGEST {
            return Err(VerbError::Limit { verb, limit: "8 KiB" });
        }
        let call = self.call_under(session, call).ok_or(VerbError::Unknown { verb })?;
        let (id, state) = (call.id, call.phase.name());
        if call.is_answered() && !call.peer.terms().messages {
            return Err(VerbError::WrongState { verb, state: "one with a telephone, which takes none" });
        }
        let invite = takes_messages(call).ok_or(VerbError::WrongState { verb, state })?;
        let admitted = self.calls.get_mut(&id).is_some_and(|call| call.messages.admit(now.instant));
        if admitted { Ok(invite) } else { Err(VerbError::Limit { verb, limit: LIMIT }) }
    }

    /// An administrator's text to a call, or to all in a room.
    pub(super) fn message_to(&mut self, now: Now, to: &Audience, text: String) -> Reply {
        match self.try_message(now, to, text) {
            Ok(1) => Reply::Done("the message is sent to 1 call".into()),
            Ok(count) => Reply::Done(format!("the message is sent to {count} calls")),
            Err(why) => Reply::Error(why),
        }
    }

    fn try_message(&mut self, now: Now, to: &Audience, text: String) -> Result<usize, Refusal> {
        if text.is_empty() || text.len() > LONGEST {
            return Err(Refusal::new(Rule::Invalid, "a message is 1 octet to 8 KiB"));
        }
        let body = Body { content_type: PLAIN.into(), bytes: text.into() };
        match to {
            Audience::Call(name) => {
                let id = self.call_named(name)?;
                let invite = self.calls.get(&id).and_then(takes_messages);
                let why = || Refusal::new(Rule::NotAllowed, format!("{id} takes no messages"));
                let invite = invite.ok_or_else(why)?;
                let sent = self.endpoint.message(now, invite, &Headers::new(), &body);
                sent.map_err(|error| Refusal::new(Rule::Failed, error.to_string()))?;
                Ok(1)
            }
            Audience::Room(name) => {
                let room = self.rooms.id_of(name);
                let why = || Refusal::new(Rule::NobodyThere, format!("there is nobody in a room {name:?}"));
                Ok(self.tell_room(now, room.ok_or_else(why)?, None, &Headers::new(), &body))
            }
        }
    }
}

/// What a message says, by its charset: UTF-8 or one of those of an octet a character that are like Unicode's first
/// 256. What is neither has replacement characters.
fn text_of(content_type: Option<&str>, body: &[u8]) -> String {
    let charset = content_type.unwrap_or_default().split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"').to_ascii_lowercase())
    });
    match charset.as_deref() {
        Some("iso-8859-1" | "latin1" | "us-ascii") => body.iter().map(|octet| char::from(*octet)).collect(),
        _ => String::from_utf8_lossy(body).into_owned(),
    }
}

/// The dialog by which a call's other end takes messages, if it takes any.
fn takes_messages(call: &Call) -> Option<InviteId> {
    call.invite.filter(|_| call.is_answered() && call.peer.terms().messages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_by_its_charset() {
        let utf8 = "caf\u{e9}".as_bytes();
        for (content_type, body, text) in [
            (None, utf8, "caf\u{e9}"),
            (Some("text/plain;charset=UTF-8"), utf8, "caf\u{e9}"),
            (Some("text/plain; charset=\"ISO-8859-1\""), b"caf\xe9", "caf\u{e9}"),
            (Some("text/plain"), b"caf\xe9", "caf\u{fffd}"),
            (Some("application/json"), b"{}", "{}"),
        ] {
            assert_eq!(text_of(content_type, body), text, "{content_type:?}");
        }
    }
}
