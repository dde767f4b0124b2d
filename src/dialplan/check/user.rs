//! `[users.*]`: names that can be called, passwords, and a route that takes their calls.

use super::{Checker, auth};
use crate::dialplan::plan::{AuthSecret, Gateway, Origin, Plan, Trunk, USER_MAX_CALLS, User, check_user_name};
use crate::dialplan::raw::RawUser;
use std::sync::Arc;
use toml::Spanned;

pub(super) fn check(
    checker: &mut Checker<'_>,
    raw: &[(Spanned<String>, RawUser)],
    trunks: &[Arc<Trunk>],
    gateway: &Gateway,
) -> Vec<Arc<User>> {
    raw.iter().map(|(name, raw)| Arc::new(one(checker, name, raw, trunks, gateway))).collect()
}

fn one(
    checker: &mut Checker<'_>,
    name: &Spanned<String>,
    raw: &RawUser,
    trunks: &[Arc<Trunk>],
    gateway: &Gateway,
) -> User {
    if let Err(why) = check_user_name(name.get_ref()) {
        checker.sink.error(name.span(), "this cannot be the name of a user").label(why);
    }
    let is_name = |trunk: &&Arc<Trunk>| trunk.auth.as_ref().is_some_and(|auth| auth.username == *name.get_ref());
    if let Some(trunk) = trunks.iter().find(is_name) {
        checker
            .sink
            .error(name.span(), format!("`{}` is the user name of trunk `{}`", name.get_ref(), trunk.name))
            .label("nobody could tell which of the two calls")
            .help("give the user another name");
    }
    let secrets = (&raw.password, &raw.ha1);
    let secret = auth::secret(checker, name.span(), "a user", secrets, &gateway.digest);
    User {
        name: name.get_ref().clone(),
        display_name: checker.text("display_name", &raw.display_name),
        // Where there is none, this has been told, and there is no plan.
        secret: secret.unwrap_or(AuthSecret::Hashes(Vec::new())),
        max_calls: checker.number("max_calls", &raw.max_calls, 1..=1_000).unwrap_or(USER_MAX_CALLS),
    }
}

/// Warns of users whose every call is refused, since no route takes it.
pub(super) fn without_route(
    checker: &mut Checker<'_>,
    raw: &[(Spanned<String>, RawUser)],
    plan: &Plan,
    is_broken: bool,
) {
    let Some((first, _)) = raw.first() else { return };
    if !is_broken && !plan.routes.iter().any(|route| route.from.contains(&Origin::Users)) {
        checker
            .sink
            .warning(first.span(), "no route takes calls from users")
            .label("every call of theirs is refused")
            .help("add \"users\" to the `from` of a route");
    }
}
