//! Whether a session may call a number, and by which trunks. Nothing is allowed that no route allows.
//!
//! Asked in this order, and the first that refuses is what the caller, the log and the call record are told: it is a
//! telephone number; it is no emergency number ([`emergency`]); the first route that takes calls from `"sessions"` to
//! it leads to trunks; it costs no extra ([`premium`]), or the route says `premium = true`. What depends on the moment,
//! as calls at one time, is the gateway's to ask.

pub mod emergency;
pub mod premium;

use super::plan::{Origin, Outgoing, Plan, Route, RouteTarget};
use super::route;
use std::sync::Arc;

/// Digits of the longest number that is called: E.164 has 15, and some trunks want a prefix before them.
const LONGEST_NUMBER: usize = 24;

/// A number that may be called.
#[derive(Debug, Clone)]
pub struct Allowed<'plan> {
    /// The number, normalised.
    pub number: String,
    /// The route that allows it.
    pub route: &'plan Arc<Route>,
    /// What the route says of such calls.
    pub outgoing: &'plan Arc<Outgoing>,
}

/// The rule by which a number is not called. Shows itself in words that name the setting behind it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// A name, a service code, nothing at all.
    #[error("this is no telephone number")]
    NoNumber,
    /// What begins with `+` and is no international number; a carrier might take it for another number than the rules
    /// did.
    #[error("behind + come country code and number, seven digits at least, with no 0 before either of them")]
    NotInternational,
    /// See [`emergency`].
    #[error("emergency numbers are never called: {0} is one; dial it from a telephone of your own")]
    Emergency(String),
    /// Default deny.
    #[error("no route allows it: none with from = \"sessions\" takes this number")]
    NoRoute,
    /// The first route that matches leads to an IVR, a room or a user.
    #[error("route {0} takes this number, and leads to no trunk")]
    Inside(String),
    /// The first route that matches refuses.
    #[error("route {route} says reject = {status}")]
    Rejected {
        /// Its name.
        route: String,
        /// Its status.
        status: u16,
    },
    /// See [`premium`].
    #[error("{what} ({prefix}…) is not called, as route {route} does not say premium = true")]
    Premium {
        /// What the number is, as "UK premium rate".
        what: &'static str,
        /// The prefix that tells.
        prefix: &'static str,
        /// The route that would have taken it.
        route: String,
    },
}

/// Whether a session may call `number`, written in any way.
///
/// # Errors
/// The rule that refuses it.
pub fn allow<'plan>(plan: &'plan Plan, number: &str) -> Result<Allowed<'plan>, Denied> {
    let number = plan.gateway.numbers.normalise(number);
    let digits = number.strip_prefix('+').unwrap_or(&number);
    let is_key = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'*' | b'#');
    let has_digit = digits.bytes().any(|byte| byte.is_ascii_digit());
    if !has_digit || digits.len() > LONGEST_NUMBER || !digits.bytes().all(is_key) {
        return Err(Denied::NoNumber);
    }
    let own = plan.gateway.numbers.country_code.as_deref();
    let countries = plan.trunks.iter().filter_map(|trunk| trunk.numbers.country_code.as_deref()).chain(own);
    if let Some(known) = emergency::found_in(&number, countries) {
        return Err(Denied::Emergency(known));
    }
    if number.starts_with('+') && !is_international(digits) {
        return Err(Denied::NotInternational);
    }
    let route = route::find(plan, &Origin::Sessions, &number).ok_or(Denied::NoRoute)?;
    let outgoing = match &route.target {
        RouteTarget::Trunks(outgoing) => outgoing,
        RouteTarget::Reject(status) => {
            return Err(Denied::Rejected { route: route.name.clone(), status: *status });
        }
        RouteTarget::Ivr(_)
        | RouteTarget::Room(_)
        | RouteTarget::User(_)
        | RouteTarget::Direct
        | RouteTarget::Scenario(_) => {
            return Err(Denied::Inside(route.name.clone()));
        }
    };
    // A national number that the gateway could not complete is judged as one of the trunk's country.
    let abroad = outgoing.trunks.iter().filter_map(|trunk| trunk.numbers.country_code.as_deref()).chain(own);
    if let Some((prefix, what)) = premium::kind_of(&number, abroad)
        && !outgoing.premium
    {
        return Err(Denied::Premium { what, prefix, route: route.name.clone() });
    }
    Ok(Allowed { number, route, outgoing })
}

/// Country codes behind which numbers may begin with a zero that belongs to them.
const WITH_ZERO: [&str; 8] = ["39", "225", "226", "229", "241", "242", "378", "379"];

/// Whether these are country code and national number, in the one form they have.
fn is_international(digits: &str) -> bool {
    /// Shorter ones are services of a network, which `+` does not make international.
    const SHORTEST: usize = 7;
    let Some((code, national)) = digits.split_at_checked(country_code_length(digits)) else { return false };
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    let zero_fits = !national.starts_with('0') || WITH_ZERO.contains(&code);
    all_digits && digits.len() >= SHORTEST && !digits.starts_with('0') && zero_fits
}

/// How many digits the country code has (ITU-T E.164, list of assigned codes).
fn country_code_length(digits: &str) -> usize {
    const TWO: &str = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 \
                       84 86 90 91 92 93 94 95 98";
    match digits.get(..2) {
        Some(first) if first.starts_with(['1', '7']) => 1,
        Some(first) if TWO.split(' ').any(|code| code == first) => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests;
