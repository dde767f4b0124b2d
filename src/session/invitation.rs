//! The session that calls somebody into a room, on behalf of an administrator.

use super::callee::{Called, Callee};
use super::closing::Closing;
use super::in_room::{InRoom, InRoomOutcome, Welcome};
use super::line::Line;
use super::{DialTarget, Event, PlayItem, RoomHandle, RoomName, Session, Unit, Verb, Verbs};

/// The room; no [`Line`] uses this handle.
const ROOM: RoomHandle = RoomHandle(0);

/// Who is called, and into which room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invited {
    /// The room's name.
    pub room: String,
    /// The number, in any way of writing it, or `user:NAME`.
    pub number: String,
    /// Whether the callee must press 1 first. `None`: what the route says, else yes, so that voicemail and fax
    /// machines never enter a room.
    pub confirm: Option<bool>,
    /// Keyed into the line when it is answered, as for an extension.
    pub digits: Option<String>,
}

/// `New → Calling → InRoom → Over`, with a word and a hangup where the room cannot be entered.
#[derive(Debug)]
pub struct Invitation(State);

#[derive(Debug)]
enum State {
    New(Invited),
    Calling(Callee),
    InRoom(Line, InRoom),
    Leaving(Line, Closing),
    Over,
}

impl Invitation {
    /// A session that waits for [`Event::Started`].
    #[must_use]
    pub const fn new(invited: Invited) -> Self {
        Self(State::New(invited))
    }
}

impl State {
    fn step(self, event: &Event, out: &mut Verbs) -> Option<Self> {
        Some(match self {
            Self::New(invited) if *event == Event::Started => {
                let Invited { room, number, confirm, digits } = invited;
                out.push(Verb::OpenRoom { room: ROOM, name: RoomName::Plain(room) });
                Self::Calling(Callee::begin(DialTarget::read(&number), Unit::Room(ROOM), (confirm, true), digits, out))
            }
            Self::Calling(mut callee) => match callee.handle(event, out) {
                Called::NotYet => Self::Calling(callee),
                Called::Joined(mut line) => {
                    // Whoever is called into a conference was told so, or the administrator left that out: no word more
                    // stands between the answer and the room.
                    let welcome = Welcome { joining: None, first: prompt("first-here") };
                    let in_room = InRoom::enter(ROOM, welcome, &mut line, out);
                    Self::InRoom(line, in_room)
                }
                Called::Failed(_) | Called::Gone => return None,
            },
            Self::InRoom(line, _) | Self::Leaving(line, _) if matches!(event, Event::Ended { call, .. } if *call == line.call()) =>
            {
                return None;
            }
            Self::InRoom(mut line, mut in_room) => {
                let (final_prompt, cause) = match in_room.handle(event, &mut line, out) {
                    InRoomOutcome::Stays => return Some(Self::InRoom(line, in_room)),
                    InRoomOutcome::Full => ("room-full", "room-full"),
                    InRoomOutcome::Failed => ("goodbye", "room-failed"),
                };
                in_room.leave(&line, out);
                let closing = Closing::begin(vec![prompt(final_prompt)], cause, &mut line, out);
                Self::Leaving(line, closing)
            }
            Self::Leaving(mut line, mut closing) => {
                if closing.handle(event, &mut line, out) {
                    return None;
                }
                Self::Leaving(line, closing)
            }
            state @ (Self::New(_) | Self::Over) => state,
        })
    }
}

fn prompt(name: &str) -> PlayItem {
    PlayItem::Prompt(name.to_owned())
}

impl Session for Invitation {
    fn handle(&mut self, event: &Event, out: &mut Verbs) {
        let state = std::mem::replace(&mut self.0, State::Over);
        if let Some(next) = state.step(event, out) {
            self.0 = next;
        } else {
            out.push(Verb::EndSession);
        }
    }
}

#[cfg(test)]
mod tests;
