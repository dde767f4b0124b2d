//! What happens to each call: `dialplan.toml`, read, checked and ready to use.
//!
//! The file becomes a [`Plan`] through [`load`] (from disk) or [`parse`] (from text), which tell every mistake at once
//! as [`Diagnostics`]. A call is then led by [`route::find`]; [`explain::explain`] tells the same way in words.
//!
//! On the way: `raw` is the file as written, every value with its place; `check` judges it and makes the plan; `world`
//! is what the check asks about environment and files. Nothing here knows of sound, signalling or time.

mod check;
mod diagnostic;
pub mod explain;
mod log_levels;
mod mask;
pub mod number;
pub mod outgoing;
mod overlap;
mod pattern;
mod plan;
mod preset;
mod raw;
pub mod reference;
pub mod route;
mod suggestion;
mod world;

pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use log_levels::log_levels;
pub use pattern::{Pattern, PatternError};
pub use plan::{
    Acme, Alone, Announce, Api, ApiRole, ApiToken, AuthSecret, BadPlaceholder, CertificateFiles, Collect, Database,
    Digest, DigestAlgorithm, DigitTransport, FetchSettings, FromUser, Gateway, Greeting, Ice, Identity, IdentityHeader,
    Ivr, IvrPrompts, LONGEST_SCENARIO, ListenAddress, NumberFormat, NumberSource, Origin, Origins, Outgoing, Pin, Plan,
    Proxy, Register, ReliableProvisional, Retention, Room, RoomAccess, RoomTemplate, Route, RouteTarget, Say, Scenario,
    Secret, SessionTimer, SipTransport, SoundSource, SoundUrl, SrtpPolicy, Then, Trunk, TrunkAddress, TrunkAuth,
    TrunkTls, USER_MAX_CALLS, User, check_user_name,
};
pub use world::{Checks, Files, PromptText, Trusting};

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Arc;

/// The largest file that is read, in bytes. A plan of ten thousand rooms is smaller.
const LARGEST_FILE: usize = 4 << 20;

/// A plan that can be used, and what is odd about it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The plan.
    pub plan: Arc<Plan>,
    /// Warnings only.
    pub warnings: Diagnostics,
    /// Of the file's text and its scenarios': another one where that has changed.
    pub fingerprint: u64,
}

impl Loaded {
    /// What is in it, in a line: `2 trunks, 1 room, 1 IVR, 3 routes; no mistakes`, or how many warnings there are.
    #[must_use]
    pub fn summary(&self) -> String {
        let Plan { trunks, users, rooms, ivrs, routes, .. } = &*self.plan;
        let users = (!users.is_empty()).then_some((users.len(), "user"));
        let parts = [(trunks.len(), "trunk")].into_iter().chain(users);
        let parts = parts.chain([(rooms.len(), "room"), (ivrs.len(), "IVR"), (routes.len(), "route")]);
        let parts: Vec<String> = parts.map(|(count, word)| diagnostic::counted(count, word)).collect();
        let parts = parts.join(", ");
        match self.warnings.warnings() {
            0 => format!("{parts}; no mistakes"),
            warnings => format!("{parts}; {}", diagnostic::counted(warnings, "warning")),
        }
    }
}

/// Reads and checks a dialplan. `name` is what messages call the file; relative paths in it begin at its folder.
///
/// # Errors
/// All mistakes, errors and warnings, if at least one is an error.
pub fn parse(name: &str, text: &str, checks: &dyn Checks) -> Result<Loaded, Diagnostics> {
    let mut sink = diagnostic::Sink::default();
    let base = Path::new(name).parent().unwrap_or_else(|| Path::new(""));
    let raw = raw::read(text, &mut sink);
    let plan = check::check(&raw, text, base, checks, &mut sink);
    let found = sink.finish(name, text);
    if found.errors() > 0 {
        return Err(found);
    }
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    for route in &plan.routes {
        if let RouteTarget::Scenario(scenario) = &route.target {
            scenario.source.hash(&mut hasher);
        }
    }
    Ok(Loaded { plan: Arc::new(plan), warnings: found, fingerprint: hasher.finish() })
}

/// Reads and checks a dialplan from disk.
///
/// # Errors
/// As [`parse`]; and when the file cannot be read, is larger than 4 MiB, or is not UTF-8.
pub fn load(path: &Path, checks: &dyn Checks) -> Result<Loaded, Diagnostics> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| Diagnostics::unreadable(&name, &error.to_string()))?;
    if bytes.len() > LARGEST_FILE {
        return Err(Diagnostics::unreadable(&name, "it is larger than 4 MiB"));
    }
    match String::from_utf8(bytes) {
        Ok(text) => parse(&name, &text, checks),
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            let lines = error.as_bytes().iter().take(good).filter(|byte| **byte == b'\n').count();
            let reason = format!("line {} is not UTF-8", lines.saturating_add(1));
            Err(Diagnostics::unreadable(&name, &reason))
        }
    }
}

#[cfg(test)]
mod tests;
