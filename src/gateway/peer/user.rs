//! Users as peers: known by digest alone.

use super::{CallLimits, MediaPolicy};
use crate::dialplan::number::NumberRules;
use crate::dialplan::{DigitTransport, NumberSource, Plan, SrtpPolicy};
use crate::gateway::InvitedTo;
use crate::media::command::VoiceProcessing;
use crate::session::Party;
use crate::sip;
use crate::types::CodecPolicy;
use std::sync::Arc;
use std::time::Duration;

/// A user's client writes whom it calls into the request URI.
pub(super) const NUMBER_FROM: [NumberSource; 1] = [NumberSource::RequestUri];
/// After so long without a packet a user's call counts as gone.
const MEDIA_TIMEOUT: Duration = Duration::from_secs(60);

/// A user, and what holds for all users of the dialplan the call began with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::gateway) struct User {
    pub(in crate::gateway) name: String,
    /// What others are shown.
    pub(in crate::gateway) display_name: Option<String>,
    /// Calls at one time, both directions.
    pub(in crate::gateway) max_calls: u32,
    /// The only room that somebody who was invited may call, whatever routes say.
    pub(in crate::gateway) invited_to: Option<InvitedTo>,
    pub(in crate::gateway) terms: Arc<UserTerms>,
}

/// What holds for all users alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::gateway) struct UserTerms {
    pub(in crate::gateway) codecs: CodecPolicy,
    pub(in crate::gateway) numbers: NumberRules,
}

impl UserTerms {
    pub(in crate::gateway) fn of(plan: &Plan) -> Arc<Self> {
        Arc::new(Self { codecs: plan.gateway.codecs.clone(), numbers: plan.gateway.numbers.clone() })
    }
}

impl User {
    /// The one who calls, whatever the request says: a user's number is the user's name.
    pub(in crate::gateway) fn party(&self) -> Party {
        Party { number: self.name.clone(), name: self.display_name.clone() }
    }

    pub(super) fn sip_terms() -> sip::Terms {
        sip::Terms {
            session_expires: Some(Duration::from_secs(1_800)),
            min_session_expires: Duration::from_secs(90),
            reliable_provisional: sip::ReliableProvisional::WhenRequired,
            refer: false,
            messages: true,
            replaces: false,
        }
    }

    pub(super) fn media() -> MediaPolicy<'static> {
        MediaPolicy {
            networks: &[],
            timeout: MEDIA_TIMEOUT,
            srtp: SrtpPolicy::Opportunistic,
            srtp_keys_in_clear: false,
            digits: DigitTransport::Rtp,
            processing: VoiceProcessing::default(),
        }
    }

    pub(super) fn limits(&self) -> CallLimits {
        CallLimits { calls: Some(self.max_calls), calls_per_second: None }
    }
}
