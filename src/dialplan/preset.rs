//! Habits of providers, each as its public documentation tells it. What a trunk says itself goes first.

use super::plan::{FromUser, Identity, IdentityHeader, NumberFormat};

/// What is known of one provider.
#[derive(Debug)]
pub(super) struct Preset {
    /// As `preset = "…"` names it.
    pub name: &'static str,
    /// What it is told of callers. Nobody is trusted by a preset: that is the administrator's to say.
    pub identity: Identity,
    /// Whether its numbers are international without `+`.
    pub bare_numbers: bool,
}

const PLAIN: Identity = Identity {
    trusted: false,
    header: IdentityHeader::From,
    from: FromUser::Number,
    format: NumberFormat::PlusE164,
    show_caller: false,
    diversion: false,
};

/// All presets. Each fact is in the page named beside it; what no page tells keeps the usual default.
pub(super) const PRESETS: [Preset; 6] = [
    // <https://www.twilio.com/docs/glossary/sip-invites>: +E.164 in request URI, To and From.
    // <https://www.twilio.com/docs/api/errors/32204>: the number in From must be ours or verified.
    Preset { name: "twilio", identity: PLAIN, bare_numbers: false },
    // <https://developers.telnyx.com/docs/voice/sip-trunking/configuration/caller-id-policy>: +E.164 is taken for every
    // country; `Privacy: id` hides the number, which must be told all the same, by P-Asserted-Identity for instance.
    // <https://support.telnyx.com/voice-and-fax/general-help/dialing-format>: numbers come in as E.164 without `+`
    // unless the connection is set otherwise.
    Preset { name: "telnyx", identity: Identity { header: IdentityHeader::Asserted, ..PLAIN }, bare_numbers: true },
    // <https://help.sipgate.de/trunking/wie-setze-ich-bei-sipgate-trunking-die-absenderrufnummer>: our number as E.164
    // without `+` in P-Preferred-Identity, the account in From, `Privacy: id`, Diversion for forwarded calls.
    Preset {
        name: "sipgate",
        identity: Identity {
            header: IdentityHeader::Preferred,
            from: FromUser::Username,
            format: NumberFormat::E164,
            diversion: true,
            ..PLAIN
        },
        bare_numbers: true,
    },
    // <https://doc.didww.com/voice/inbound-trunks/creating-a-new-sip-trunk.html>: `{DID}` in the request URI is E.164;
    // <https://doc.didww.com/voice/inbound-trunks/technical-data/caller-id-formats.html>: country code, area code,
    // number; a `+` only where one is set as prefix.
    Preset { name: "didww", identity: PLAIN, bare_numbers: true },
    // <https://www.nfon.com/en/service/documentation/leaflets/nconnect-voice-sip-trunk/leaflet-nconnect-voice/b-technical-specification/2-phone-number-formats>:
    // a number of the trunk always in P-Asserted-Identity, +E.164 taken everywhere, numbers come in with `00`.
    Preset { name: "nfon", identity: Identity { header: IdentityHeader::Asserted, ..PLAIN }, bare_numbers: false },
    // <https://knowledgecenter.cm.com/knowledge-center/communications-platform/sip-trunking/general-information/sip-invite-header-format>:
    // +E.164 in From and To.
    Preset { name: "cm", identity: PLAIN, bare_numbers: false },
];

/// The preset called so.
pub(super) fn named(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}
