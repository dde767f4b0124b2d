//! Session timers (RFC 4028): who refreshes, how often, and what too short an interval gets.

use std::time::Duration;

use crate::sip::endpoint::Terms;
use crate::sip::message::{MinSe, Refresher, Request, Response, SessionExpires};

/// What was agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionTimer {
    /// The session interval in seconds.
    pub seconds: u32,
    /// Whether the refreshes are ours to send.
    pub ours: bool,
}

impl SessionTimer {
    /// When to refresh: at half the interval.
    pub fn refresh_after(self) -> Duration {
        Duration::from_secs(self.seconds.into()) / 2
    }

    /// When to give the session up: the lesser of 32 s and a third of the interval before it expires.
    pub fn expiry_after(self) -> Duration {
        Duration::from_secs((self.seconds - (self.seconds / 3).min(32)).into())
    }

    /// Session-Expires for a request of ours that keeps the roles.
    pub fn for_request(self) -> SessionExpires {
        SessionExpires {
            seconds: self.seconds,
            refresher: Some(if self.ours { Refresher::Uac } else { Refresher::Uas }),
        }
    }

    /// What the 2xx to a request of ours agrees to.
    pub fn from_response(terms: &Terms, response: &Response) -> Option<Self> {
        let expires = response.session_expires()?.ok()?;
        let seconds = expires.seconds.max(seconds(terms.min_session_expires)).max(1);
        Some(Self { seconds, ours: expires.refresher != Some(Refresher::Uas) })
    }
}

/// Our answer to what a request wishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Agreed {
    pub timer: SessionTimer,
    /// The peer is to refresh, so the 2xx carries Require: timer.
    pub require: bool,
}

impl Agreed {
    /// Session-Expires for the 2xx.
    pub fn for_response(self) -> SessionExpires {
        let refresher = if self.timer.ours { Refresher::Uas } else { Refresher::Uac };
        SessionExpires { seconds: self.timer.seconds, refresher: Some(refresher) }
    }
}

/// What we agree to when `request` comes (RFC 4028 section 9). `Err`: refuse it with 422 and this Min-SE.
pub(crate) fn agree(terms: &Terms, request: &Request) -> Result<Option<Agreed>, MinSe> {
    let least = seconds(terms.min_session_expires);
    let wished = request.session_expires().and_then(Result::ok);
    let peers_least = request.min_se().and_then(Result::ok).map_or(0, |min_se| min_se.0);
    let supports = request.supports("timer");
    let ours = terms.session_expires.map(seconds);
    let interval = match (wished, ours) {
        (Some(wished), _) if wished.seconds < least && supports => return Err(MinSe(least)),
        (Some(wished), Some(ours)) => wished.seconds.min(ours),
        (Some(wished), None) => wished.seconds,
        // Also with a peer that does not know of it: we refresh, and so learn that it is gone.
        (None, Some(ours)) => ours,
        (None, None) => return Ok(None),
    };
    let peer_refreshes = supports && wished.and_then(|wished| wished.refresher) != Some(Refresher::Uas);
    let timer = SessionTimer { seconds: interval.max(least).max(peers_least).max(1), ours: !peer_refreshes };
    Ok(Some(Agreed { timer, require: peer_refreshes }))
}

/// Whole seconds, at least one.
pub(crate) fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::endpoint::EndpointConfig;
    use crate::sip::message::{HeaderName as H, Method};

    fn agreed(
        supported: bool,
        expires: Option<&'static str>,
        min_se: Option<&'static str>,
    ) -> Result<Option<Agreed>, MinSe> {
        let mut request = Request::new(Method::Invite, "sip:a@b".parse().unwrap());
        if supported {
            request.headers.push(H::Supported, "timer");
        }
        if let Some(expires) = expires {
            request.headers.push(H::SessionExpires, expires);
        }
        if let Some(min_se) = min_se {
            request.headers.push(H::MinSe, min_se);
        }
        agree(&EndpointConfig::default().terms(), &request)
    }

    #[test]
    fn the_refresher_is_the_callers_choice_or_the_caller() {
        let by = |expires| agreed(true, Some(expires), None).unwrap().unwrap().timer;
        assert_eq!(by("600"), SessionTimer { seconds: 600, ours: false });
        assert_eq!(by("600;refresher=uac"), SessionTimer { seconds: 600, ours: false });
        assert_eq!(by("600;refresher=uas"), SessionTimer { seconds: 600, ours: true });
        // One who does not support timers cannot refresh, whatever a proxy on the way asked for.
        assert_eq!(agreed(false, Some("600"), None).unwrap().unwrap().timer, SessionTimer { seconds: 600, ours: true });
    }

    #[test]
    fn intervals_are_bounded_by_both_sides() {
        assert_eq!(agreed(true, Some("60"), None), Err(MinSe(90)));
        assert_eq!(agreed(true, Some("7200"), None).unwrap().unwrap().timer.seconds, 1800);
        assert_eq!(agreed(true, Some("7200"), Some("3600")).unwrap().unwrap().timer.seconds, 3600);
        assert_eq!(agreed(true, None, None).unwrap().unwrap().timer.seconds, 1800);
        let alone = SessionTimer { seconds: 1800, ours: true };
        assert_eq!(agreed(false, None, None).unwrap().unwrap().timer, alone, "a peer without timers may vanish too");
    }

    #[test]
    fn the_session_is_given_up_before_it_expires() {
        let timer = SessionTimer { seconds: 90, ours: true };
        assert_eq!(timer.refresh_after(), Duration::from_secs(45));
        assert_eq!(timer.expiry_after(), Duration::from_secs(60));
        assert_eq!(SessionTimer { seconds: 1800, ours: true }.expiry_after(), Duration::from_secs(1768));
    }
}
