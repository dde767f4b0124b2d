//! Session timers (RFC 4028): who refreshes, how often, and what too short an interval gets.

use std::time::Duration;

use crate::sip::core::{Terms, seconds};
use crate::sip::message::{MinSe, Refresher, Request, Response, SessionExpires};

/// What was agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionTimer {
    /// The session interval in seconds.
    pub seconds: u32,
    /// Whether the refreshes are ours to send.
    pub ours: bool,
    /// They are, and yet the peer says that it sends them: ours come only when it has not done so.
    pub claimed: bool,
}

impl SessionTimer {
    pub const fn new(seconds: u32, ours: bool) -> Self {
        Self { seconds, ours, claimed: false }
    }

    /// When to refresh: at half the interval. Where the peer claims to do it, midway between that and the end.
    pub fn refresh_after(self) -> Duration {
        let half = Duration::from_secs(self.seconds.into()) / 2;
        if self.claimed { (half + self.expiry_after()) / 2 } else { half }
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

    /// What the 2xx to a request of ours agrees to, which asked for `asked`.
    ///
    /// A peer that says nothing of it does not know of session timers, or forgot: we refresh, and so learn that it is
    /// gone (section 7.2). One that takes the refreshes from us, although the request kept them, may not mean it: we
    /// send them where it does not.
    pub fn from_response(terms: &Terms, asked: Option<&SessionExpires>, response: &Response) -> Option<Self> {
        let least = seconds(terms.min_session_expires);
        let Some(Ok(expires)) = response.session_expires() else {
            return asked.map(|asked| Self::new(asked.seconds.max(least).max(1), true));
        };
        let theirs = expires.refresher == Some(Refresher::Uas);
        let claimed = theirs && asked.is_some_and(|asked| asked.refresher == Some(Refresher::Uac));
        Some(Self { seconds: expires.seconds.max(least).max(1), ours: !theirs || claimed, claimed })
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

/// What we agree to when `request` comes (RFC 4028 section 9). `now`: what holds already, in a call that is up; a
/// request that does not speak of it changes neither the interval nor who refreshes. `Err`: refuse it with 422 and this
/// Min-SE.
pub(crate) fn agree(terms: &Terms, now: Option<SessionTimer>, request: &Request) -> Result<Option<Agreed>, MinSe> {
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
        (None, ours) => match now.map(|now| now.seconds).or(ours) {
            Some(seconds) => seconds,
            None => return Ok(None),
        },
    };
    let peer_refreshes = supports
        && match (wished.and_then(|wished| wished.refresher), now) {
            (Some(refresher), _) => refresher != Refresher::Uas,
            (None, Some(now)) => !now.ours,
            (None, None) => true,
        };
    let timer = SessionTimer::new(interval.max(least).max(peers_least).max(1), !peer_refreshes);
    Ok(Some(Agreed { timer, require: peer_refreshes }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::core::EndpointConfig;
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
        agree(&EndpointConfig::default().terms(), None, &request)
    }

    #[test]
    fn the_refresher_is_the_callers_choice_or_the_caller() {
        let by = |expires| agreed(true, Some(expires), None).unwrap().unwrap().timer;
        assert_eq!(by("600"), SessionTimer::new(600, false));
        assert_eq!(by("600;refresher=uac"), SessionTimer::new(600, false));
        assert_eq!(by("600;refresher=uas"), SessionTimer::new(600, true));
        // One who does not support timers cannot refresh, whatever a proxy on the way asked for.
        assert_eq!(agreed(false, Some("600"), None).unwrap().unwrap().timer, SessionTimer::new(600, true));
    }

    #[test]
    fn intervals_are_bounded_by_both_sides() {
        assert_eq!(agreed(true, Some("60"), None), Err(MinSe(90)));
        assert_eq!(agreed(true, Some("7200"), None).unwrap().unwrap().timer.seconds, 1800);
        assert_eq!(agreed(true, Some("7200"), Some("3600")).unwrap().unwrap().timer.seconds, 3600);
        assert_eq!(agreed(true, None, None).unwrap().unwrap().timer.seconds, 1800);
        let alone = SessionTimer::new(1800, true);
        assert_eq!(agreed(false, None, None).unwrap().unwrap().timer, alone, "a peer without timers may vanish too");
    }

    #[test]
    fn the_session_is_given_up_before_it_expires() {
        let timer = SessionTimer::new(90, true);
        assert_eq!(timer.refresh_after(), Duration::from_secs(45));
        assert_eq!(timer.expiry_after(), Duration::from_secs(60));
        assert_eq!(SessionTimer::new(1800, true).expiry_after(), Duration::from_secs(1768));
    }

    fn answered(asked: Option<Refresher>, expires: Option<&'static str>) -> SessionTimer {
        let request = Request::new(Method::Invite, "sip:a@b".parse().unwrap());
        let mut response = Response::to_request(&request, crate::sip::message::StatusCode::OK);
        if let Some(expires) = expires {
            response.headers.push(H::SessionExpires, expires);
        }
        let asked = SessionExpires { seconds: 120, refresher: asked };
        SessionTimer::from_response(&EndpointConfig::default().terms(), Some(&asked), &response).unwrap()
    }

    #[test]
    fn an_answer_that_says_nothing_of_it_leaves_the_refreshes_to_us() {
        assert_eq!(answered(None, None), SessionTimer::new(120, true));
        assert_eq!(answered(Some(Refresher::Uas), None), SessionTimer::new(120, true));
        assert_eq!(answered(None, Some("nonsense")), SessionTimer::new(120, true));
        assert_eq!(answered(None, Some("10")), SessionTimer::new(90, true));
    }

    #[test]
    fn an_answer_that_takes_the_refreshes_from_us_is_believed_only_once_they_come() {
        assert_eq!(answered(None, Some("90;refresher=uas")), SessionTimer::new(90, false));
        let claimed = answered(Some(Refresher::Uac), Some("90;refresher=uas"));
        assert_eq!(claimed, SessionTimer { seconds: 90, ours: true, claimed: true });
        let late = claimed.refresh_after();
        assert!(late > Duration::from_secs(45) && late < claimed.expiry_after(), "{late:?}");
    }

    #[test]
    fn what_holds_in_a_call_is_kept_by_a_request_that_does_not_speak_of_it() {
        let terms = EndpointConfig::default().terms();
        for ours in [true, false] {
            let now = SessionTimer::new(90, ours);
            let mut request = Request::new(Method::Invite, "sip:a@b".parse().unwrap());
            // A peer that cannot refresh is not left to.
            assert_eq!(agree(&terms, Some(now), &request).unwrap().unwrap().timer, SessionTimer::new(90, true));
            request.headers.push(H::Supported, "timer");
            assert_eq!(agree(&terms, Some(now), &request).unwrap().unwrap().timer, now);
            request.headers.push(H::SessionExpires, "300");
            assert_eq!(agree(&terms, Some(now), &request).unwrap().unwrap().timer, SessionTimer::new(300, ours));
            request.headers.set(H::SessionExpires, "300;refresher=uas");
            assert_eq!(agree(&terms, Some(now), &request).unwrap().unwrap().timer, SessionTimer::new(300, true));
        }
    }
}
