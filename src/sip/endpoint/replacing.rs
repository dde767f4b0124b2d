//! INVITE with Replaces (RFC 3891): which call it is to take the place of.

use super::Endpoint;
use crate::sip::core::{InviteId, Terms};
use crate::sip::invite::Stage;
use crate::sip::message::{HeaderName as H, Replaces, Request, StatusCode, Tag, Uri};
use crate::sip::transaction::Reply;

impl Endpoint {
    /// The answered call that a new INVITE is to replace, if it is to replace one.
    ///
    /// # Errors
    /// The refusal of section 3: 400 for what cannot be read, 481 without such a call, 486 when only one that rings is
    /// meant, 603 for one that is over; and 403 where the peer may not. A call that rings is not picked up: 481.
    pub(super) fn replaced(&self, request: &Request, terms: &Terms) -> Result<Option<InviteId>, Reply> {
        let mut values = request.headers.values(&H::Replaces);
        let Some(value) = values.next() else { return Ok(None) };
        if !terms.replaces {
            return Err(Reply::new(StatusCode::FORBIDDEN));
        }
        let replaces = Replaces::parse(&value).ok().filter(|_| values.next().is_none());
        let replaces = replaces.ok_or_else(|| Reply::new(StatusCode::BAD_REQUEST))?;
        let id = Tag::parse(&replaces.to_tag).and_then(|tag| self.tags.get(&tag)).copied();
        let stage = id.and_then(|id| self.usages.get(&id)).map(|usage| &usage.stage);
        let refusal = match stage {
            Some(Stage::Confirmed(session)) if is_named(&session.dialog, &replaces) => {
                if !replaces.early_only {
                    return Ok(id);
                }
                StatusCode::BUSY_HERE
            }
            Some(Stage::Ending(session)) if is_named(&session.dialog, &replaces) => StatusCode::DECLINE,
            _ => StatusCode::CALL_DOES_NOT_EXIST,
        };
        Err(Reply::new(refusal))
    }

    /// Whom somebody else is to call who is to have this answered call in our place, at its other end: the address
    /// there, with the Replaces that names the dialog (RFC 5589 section 7.2). `None`: it is not answered, or is over.
    #[must_use]
    pub fn successor_target(&self, id: InviteId) -> Option<Uri> {
        let Some(Stage::Confirmed(session)) = self.usages.get(&id).map(|usage| &usage.stage) else { return None };
        let dialog = &session.dialog;
        // Seen from the other end.
        let tag = if dialog.remote_tag.is_empty() { "0" } else { &dialog.remote_tag };
        let replaces = Replaces {
            call_id: dialog.call_id.clone(),
            to_tag: tag.into(),
            from_tag: dialog.local_tag.to_string().into(),
            early_only: false,
        };
        Some(dialog.target.clone().with_replaces(&replaces))
    }

    /// Whether a dialog of ours is meant, by whichever of its ends.
    #[must_use]
    pub fn is_ours(&self, replaces: &Replaces) -> bool {
        let tags = [&replaces.to_tag, &replaces.from_tag];
        tags.into_iter().filter_map(|tag| Tag::parse(tag)).any(|tag| self.tags.contains_key(&tag))
    }
}

/// Whether the header means this dialog, seen from our end. A peer of RFC 2543 that has no tag is named by `0`.
fn is_named(dialog: &crate::sip::dialog::Dialog, replaces: &Replaces) -> bool {
    let tag = if dialog.remote_tag.is_empty() { "0" } else { &dialog.remote_tag };
    *tag == *replaces.from_tag && *dialog.call_id == *replaces.call_id
}
