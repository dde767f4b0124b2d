//! `codecs` of the gateway and of a trunk, and `opus`.

use super::Checker;
use crate::dialplan::raw::{Field, RawOpus};
use crate::types::{AudioCodec, CodecPolicy, OpusSettings};
use toml::Spanned;

/// The codecs that are named; `None`: none are.
pub(super) fn policy(checker: &mut Checker<'_>, field: &Field<Vec<Spanned<String>>>) -> Option<CodecPolicy> {
    let list = field.get()?;
    let words = AudioCodec::ALL.map(|codec| (codec.name(), codec));
    let mut codecs = Vec::new();
    for value in list.get_ref() {
        let Some(codec) = checker.word("codecs", value, &words) else { continue };
        if codecs.contains(&codec) {
            checker
                .sink
                .warning(value.span(), "this is named twice")
                .label("has its place already")
                .help("take it out");
            continue;
        }
        if let Err(reason) = checker.checks.codec(codec) {
            checker.sink.error(value.span(), format!("`{}` cannot be spoken", codec.name())).label(reason);
        }
        codecs.push(codec);
    }
    if list.get_ref().is_empty() {
        checker
            .sink
            .error(list.span(), "`codecs` is empty")
            .label("nothing could be heard")
            .help("take the line out for the usual ones");
    } else if !codecs.is_empty() && !codecs.iter().any(|codec| AudioCodec::G711.contains(codec)) {
        checker
            .sink
            .warning(list.span(), "neither `pcmu` nor `pcma` is among the codecs")
            .label("calls with ordinary telephones are refused")
            .help("add \"pcmu\" and \"pcma\" at the end");
    }
    (!codecs.is_empty()).then(|| CodecPolicy::exactly(&codecs))
}

/// How Opus is sent.
pub(super) fn opus(checker: &mut Checker<'_>, field: &Field<RawOpus>) -> OpusSettings {
    let standard = OpusSettings::default();
    let Some(raw) = field.get().map(Spanned::get_ref) else { return standard };
    let complexity = checker.number("complexity", &raw.complexity, 0..=10);
    OpusSettings {
        bitrate: checker.number("bitrate", &raw.bitrate, 6_000..=128_000).unwrap_or(standard.bitrate),
        lossy_bitrate: checker
            .number("lossy_bitrate", &raw.lossy_bitrate, 6_000..=128_000)
            .unwrap_or(standard.lossy_bitrate),
        complexity: complexity.and_then(|value| u8::try_from(value).ok()).unwrap_or(standard.complexity),
        fec: raw.fec.get().map_or(standard.fec, |value| *value.get_ref()),
        dtx: raw.dtx.get().map_or(standard.dtx, |value| *value.get_ref()),
        ..standard
    }
}
