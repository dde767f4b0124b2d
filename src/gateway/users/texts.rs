//! What scenarios keep beyond their sessions, asked of the database.

use super::making::Pending;
use crate::gateway::{Gateway, Kept, Query, SessionId, StorageAnswer, StorageRequest};
use crate::session::{self, StorageHandle};

/// Questions of one session, and of all, that may wait: those about users have more places than that.
const MOST: usize = 20;
const MOST_IN_ALL: usize = 100;

impl Gateway {
    /// A session asks for something that is kept, or is to be. It is answered in any case.
    pub(in crate::gateway) fn ask_storage(&mut self, session: SessionId, request: StorageHandle, what: StorageRequest) {
        let waiting = |of: Option<SessionId>| {
            let is_ours = |pending: &&Pending| matches!(pending, Pending::Text { session, .. } if of.is_none_or(|wanted| wanted == *session));
            self.users.pending.values().filter(is_ours).count()
        };
        let admitted = what.check().and_then(|()| match (waiting(Some(session)), waiting(None)) {
            (MOST.., _) | (_, MOST_IN_ALL..) => Err("too many requests at once".to_owned()),
            _ => Ok(()),
        });
        match admitted {
            Ok(()) => self.query(Pending::Text { session, request }, Query::Text(what)),
            Err(why) => self.emit(session, session::Event::Stored { request, outcome: Err(why) }),
        }
    }

    pub(super) fn on_text(&mut self, session: SessionId, request: StorageHandle, answer: Result<Kept, String>) {
        let outcome = match answer {
            Ok(Kept::Text(StorageAnswer::Full)) => Err("there is no room for another key".to_owned()),
            Ok(Kept::Text(answer)) => Ok(answer),
            Ok(_) => Err("the database gave another answer".to_owned()),
            Err(why) => Err(format!("the database: {why}")),
        };
        self.emit(session, session::Event::Stored { request, outcome });
    }
}
