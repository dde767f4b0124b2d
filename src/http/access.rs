//! Bearer tokens (RFC 6750): whose a request is.

use super::invitation::Claims;
use super::problem::Problem;
use crate::dialplan::{ApiRole, ApiToken, Plan};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use subtle::{ConditionallySelectable, ConstantTimeEq};

/// What a request says of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Credentials {
    /// Nothing.
    None,
    /// It is one of the dialplan's.
    Known(Caller),
    /// It is none, or no bearer token at all.
    Wrong,
}

/// Whoever has a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) name: String,
    pub(super) hash: [u8; 32],
    role: ApiRole,
    rooms: Option<Vec<String>>,
}

impl Caller {
    fn new(token: &ApiToken) -> Self {
        Self { name: token.name.clone(), hash: token.hash, role: token.role, rooms: token.rooms.clone() }
    }

    /// Whoever shows an invitation: a host acts upon its room, everybody else sees who is in it.
    pub(super) fn invited(token: &str, Claims { id, room, host, .. }: Claims) -> Self {
        let role = if host { ApiRole::Operator } else { ApiRole::Viewer };
        Self { name: format!("invitation {id}"), hash: Sha256::digest(token).into(), role, rooms: Some(vec![room]) }
    }

    /// Whether the token is good for what takes `role`.
    pub(super) fn must_be(&self, role: ApiRole) -> Result<(), Problem> {
        if self.role >= role {
            return Ok(());
        }
        let detail = format!("this takes the role {}, and this token has {}", role.as_str(), self.role.as_str());
        Err(Problem::forbidden("role", &detail))
    }

    /// Whether the token is good for a room.
    pub(super) fn has_room(&self, room: &str) -> bool {
        self.rooms.as_ref().is_none_or(|rooms| rooms.iter().any(|one| one == room))
    }

    /// Refuses what is about a room that the token is not good for.
    pub(super) fn must_have_room(&self, room: &str) -> Result<(), Problem> {
        if self.has_room(room) {
            return Ok(());
        }
        Err(Problem::forbidden("room", "this token is not good for this room"))
    }

    /// Refuses what is about all rooms, where the token is good for some alone.
    pub(super) fn must_have_all_rooms(&self) -> Result<(), Problem> {
        if self.has_all_rooms() {
            return Ok(());
        }
        Err(Problem::forbidden("all-rooms", "this takes a token that is good for all rooms"))
    }

    /// Whether the token is still one of the dialplan's, and as good as it was.
    pub(super) fn is_known_in(&self, plan: &Plan) -> bool {
        plan.api.tokens.iter().any(|token| *self == Self::new(token))
    }

    /// Whether it is good for all rooms.
    pub(super) const fn has_all_rooms(&self) -> bool {
        self.rooms.is_none()
    }
}

/// The token in `Authorization: Bearer TOKEN`, or in the WebSocket subprotocol `bearer.TOKEN`, since pages cannot set
/// headers there.
pub(super) fn credentials(headers: &HeaderMap, plan: &Plan) -> Credentials {
    if headers.contains_key(header::AUTHORIZATION) {
        let token = bearer(headers);
        return token.and_then(|token| known(token, plan)).map_or(Credentials::Wrong, Credentials::Known);
    }
    let offered = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).into_iter().filter_map(|value| value.to_str().ok());
    let mut offered = offered.flat_map(|value| value.split(',')).filter_map(|one| one.trim().strip_prefix("bearer."));
    match offered.next() {
        Some(token) => known(token, plan).map_or(Credentials::Wrong, Credentials::Known),
        None => Credentials::None,
    }
}

/// The token in `Authorization: Bearer TOKEN`.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Whose token it is. All hashes are compared, each in constant time.
pub(super) fn known(token: &str, plan: &Plan) -> Option<Caller> {
    let hash: [u8; 32] = Sha256::digest(token).into();
    let mut found = u32::MAX;
    for (at, known) in (0_u32..).zip(&plan.api.tokens) {
        found.conditional_assign(&at, known.hash.ct_eq(&hash));
    }
    plan.api.tokens.get(usize::try_from(found).ok()?).map(Caller::new)
}

/// The one that a request must have, put there by the guard.
impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match parts.extensions.get::<Credentials>() {
            Some(Credentials::Known(caller)) => Ok(caller.clone()),
            Some(Credentials::Wrong) => Err(Problem::unauthorized("this token is none of ours")),
            _ => Err(Problem::unauthorized("this takes a token: Authorization: Bearer TOKEN")),
        }
    }
}
