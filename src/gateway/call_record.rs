//! The one record each call leaves.

use super::cause::Cause;
use super::reason::PeerReason;
use crate::media::command::LegStatistics;
use crate::types::{DigitSource, Disturbances, Now};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Which way a call goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// Somebody called us.
    In,
    /// We called.
    Out,
}

/// What a caller keyed, counted. Never which keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Keyed {
    /// Keys pressed, in the whole call.
    pub keys: u32,
    /// PINs that no room has.
    pub wrong_pins: u32,
    /// Entries of too few digits.
    pub too_short: u32,
    /// Times that digits were waited for and none came.
    pub no_input: u32,
    /// PINs that were not looked up, since they are not accepted from this caller for now.
    pub blocked_pins: u32,
    /// By which way they came: the best of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<DigitSource>,
}

impl Keyed {
    /// Whether nothing was keyed, nor waited for in vain.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// A target that a call out was tried at, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Tried {
    /// The trunk.
    pub trunk: String,
    /// Its address; none where a limit of the trunk stood in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<std::net::SocketAddr>,
    /// What came of it: `503 Service Unavailable`, `silent for 4 s`.
    pub outcome: String,
}

/// One call, as a line of JSON. Holds full numbers: it is the customer's bill, not a log.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct CallRecord {
    /// The call's name in the log.
    pub call: String,
    /// Which way it went.
    pub way: Way,
    /// SIP's Call-ID header.
    pub sip_call_id: String,
    /// The trunk it came or went by; empty for a call of a user.
    pub trunk: String,
    /// The user who called or was called; empty for a call by a trunk.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// Who called, as far as the trunk said; our own number on a call out.
    pub from: String,
    /// The called number, normalised.
    pub number: String,
    /// The route it took, if one matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// The rooms it was in, in order.
    pub rooms: Vec<String>,
    /// What was keyed, counted.
    #[serde(skip_serializing_if = "Keyed::is_nothing")]
    pub keyed: Keyed,
    /// Targets that a call out was tried at before the last, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<Tried>,
    /// When the INVITE arrived, or the call out was asked for.
    #[serde(serialize_with = "rfc3339")]
    pub started: SystemTime,
    /// When it was answered.
    #[serde(serialize_with = "rfc3339_option", skip_serializing_if = "Option::is_none")]
    pub answered: Option<SystemTime>,
    /// When it was over.
    #[serde(serialize_with = "rfc3339")]
    pub ended: SystemTime,
    /// From answer to end, milliseconds; 0 when it was not answered.
    pub talk_ms: u64,
    /// The final SIP status of the INVITE, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why it ended.
    #[serde(flatten)]
    pub cause: Cause,
    /// Why, in the peer's own words (RFC 3326), where it ended the call and said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<PeerReason>,
    /// What was wrong with its sound, if anything was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
    /// How it disturbed the others in its rooms, if it did.
    #[serde(skip_serializing_if = "Disturbances::is_empty")]
    pub disturbed: Disturbances,
    /// What its leg counted, if it had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media: Option<Box<LegStatistics>>,
}

/// When a call began and was answered.
///
/// The wall clock is read once, when the call begins; everything later is measured from there by the monotonic clock,
/// in whole milliseconds. So a clock that is set while people talk changes no duration, and the times in a record add
/// up.
#[derive(Debug, Clone, Copy)]
pub(super) struct CallTimes {
    started: Now,
    /// From the start.
    answered: Option<Duration>,
}

impl CallTimes {
    /// A call that begins.
    pub(super) fn begin(now: Now) -> Self {
        let since_1970 = now.wall.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: Now { wall: UNIX_EPOCH + whole_millis(since_1970), ..now }, answered: None }
    }

    /// It is answered.
    pub(super) fn answer(&mut self, now: Now) {
        self.answered = Some(self.since_start(now));
    }

    /// When it began.
    pub(super) const fn started(&self) -> SystemTime {
        self.started.wall
    }

    /// When it was answered.
    pub(super) fn answered(&self) -> Option<SystemTime> {
        Some(self.started.wall + self.answered?)
    }

    /// The wall clock as this call sees it.
    pub(super) fn wall(&self, now: Now) -> SystemTime {
        self.started.wall + self.since_start(now)
    }

    /// From the answer to now; nothing when it was not answered.
    pub(super) fn talked(&self, now: Now) -> Duration {
        self.answered.map_or(Duration::ZERO, |answered| self.since_start(now).saturating_sub(answered))
    }

    fn since_start(&self, now: Now) -> Duration {
        whole_millis(now.instant.saturating_duration_since(self.started.instant))
    }
}

fn whole_millis(time: Duration) -> Duration {
    Duration::new(time.as_secs(), time.subsec_millis() * 1_000_000)
}

fn rfc3339<S: serde::Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_rfc3339_millis(*time))
}

fn rfc3339_option<S: serde::Serializer>(time: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => rfc3339(time, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Disturbance;

    #[test]
    fn a_record_is_one_line_of_json_with_its_cause() {
        let started = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let record = CallRecord {
            call: "call-1".into(),
            way: Way::In,
            tried: Vec::new(),
            sip_call_id: "abc".into(),
            trunk: "carrier".into(),
            user: String::new(),
            from: "+442079460001".into(),
            number: "+442079460100".into(),
            route: Some("InboundFromPSTN".into()),
            rooms: vec!["standup".into()],
            keyed: Keyed { keys: 7, by: Some(DigitSource::InBand), ..Keyed::default() },
            started,
            answered: Some(started + Duration::from_secs(1)),
            ended: started + Duration::from_secs(3),
            talk_ms: 2_000,
            status: Some(200),
            cause: Cause::Session("goodbye".into()),
            reason: None,
            warning: None,
            disturbed: [Disturbance::Noise].into_iter().collect(),
            media: None,
        };
        let line = serde_json::to_string(&record).unwrap();
        assert!(line.contains(r#""started":"2023-11-14T22:13:20.000Z""#), "{line}");
        assert!(line.contains(r#""cause":"session","cause_detail":"goodbye""#), "{line}");
        assert!(line.contains(r#""talk_ms":2000"#), "{line}");
        assert!(line.contains(r#""keyed":{"keys":7,"wrong_pins":0"#), "{line}");
        assert!(line.contains(r#""by":"in-band""#), "{line}");
        assert!(line.contains(r#""disturbed":["noise"]"#), "{line}");
        assert!(!line.contains('\n'));
    }

    #[test]
    fn the_times_of_a_call_add_up_though_the_wall_clock_is_set() {
        let wall = UNIX_EPOCH + Duration::from_nanos(1_700_000_000_123_456_789);
        let start = Now { instant: crate::test_clock(), wall };
        let at = |micros, wall| Now { instant: start.instant + Duration::from_micros(micros), wall };
        for set in [wall - Duration::from_secs(3_600), wall + Duration::from_secs(3_600), UNIX_EPOCH] {
            let mut times = CallTimes::begin(start);
            assert_eq!(times.talked(at(500_000, wall)), Duration::ZERO);
            times.answer(at(1_000_900, wall));
            let end = at(5_000_100, set);
            assert_eq!(times.talked(end), Duration::from_secs(4));
            assert_eq!(times.wall(end), times.started() + Duration::from_secs(5));
            assert_eq!(times.wall(end), times.answered().unwrap() + times.talked(end));
        }
    }
}
