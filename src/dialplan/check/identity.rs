//! A trunk's habits: preset, country, what it is told of callers.

use super::Checker;
use crate::dialplan::number::NumberRules;
use crate::dialplan::plan::{FromUser, Identity, IdentityHeader, NumberFormat};
use crate::dialplan::preset::{self, PRESETS, Preset};
use crate::dialplan::raw::{Field, RawTrunk};
use crate::dialplan::suggestion;
use toml::Spanned;

const HEADERS: [(&str, IdentityHeader); 3] = [
    ("from", IdentityHeader::From),
    ("p-asserted-identity", IdentityHeader::Asserted),
    ("p-preferred-identity", IdentityHeader::Preferred),
];
const FROM: [(&str, FromUser); 2] = [("number", FromUser::Number), ("username", FromUser::Username)];
const FORMATS: [(&str, NumberFormat); 3] =
    [("+e164", NumberFormat::PlusE164), ("e164", NumberFormat::E164), ("national", NumberFormat::National)];

/// What a trunk is told and believed, and how it writes numbers, where the gateway's rules do not say it.
pub(super) fn check(checker: &mut Checker<'_>, raw: &RawTrunk, gateway: &NumberRules) -> (Identity, NumberRules) {
    let preset = raw.preset.get().and_then(|value| chosen(checker, value));
    let usual = preset.map_or_else(Identity::default, |preset| preset.identity);
    let flag = |field: &Field<bool>, usual: bool| field.get().map_or(usual, |value| *value.get_ref());
    let identity = Identity {
        trusted: flag(&raw.trusted, usual.trusted),
        header: word(checker, "identity", &raw.identity, &HEADERS).unwrap_or(usual.header),
        from: word(checker, "from", &raw.from, &FROM).unwrap_or(usual.from),
        format: word(checker, "number_format", &raw.number_format, &FORMATS).unwrap_or(usual.format),
        show_caller: flag(&raw.show_caller, usual.show_caller),
        diversion: flag(&raw.diversion, usual.diversion),
    };
    let country = country(checker, &raw.country);
    let mut numbers = country.unwrap_or_else(|| gateway.clone());
    numbers.bare = flag(&raw.bare_numbers, preset.is_some_and(|preset| preset.bare_numbers));
    if let (FromUser::Username, true, Some(value)) = (identity.from, raw.username.is_absent(), raw.from.get()) {
        checker
            .sink
            .error(value.span(), "From is to hold a user name, and there is none")
            .label("whose?")
            .help("add: username = \"acme\"");
    }
    if let (NumberFormat::National, None, Some(value)) =
        (identity.format, &numbers.country_code, raw.number_format.get())
    {
        checker
            .sink
            .error(value.span(), "national numbers of which country?")
            .label("neither the trunk nor the gateway says it")
            .help("add: country = \"GB\"");
    }
    (identity, numbers)
}

/// A country by its code.
pub(super) fn country(checker: &mut Checker<'_>, field: &Field<String>) -> Option<NumberRules> {
    let value = field.get()?;
    let rules = NumberRules::of_country(value.get_ref());
    if rules.is_none() {
        checker
            .sink
            .error(value.span(), "there is no such country")
            .label("a code of two letters (ISO 3166-1)")
            .help("for example \"GB\", \"DE\", \"US\"");
    }
    rules
}

fn chosen(checker: &mut Checker<'_>, value: &Spanned<String>) -> Option<&'static Preset> {
    let found = preset::named(value.get_ref());
    if found.is_none() {
        let help = suggestion::sentence(value.get_ref(), PRESETS.iter().map(|preset| preset.name), "");
        checker
            .sink
            .error(value.span(), format!("there is no preset `{}`", value.get_ref()))
            .label("unknown")
            .help(help);
    }
    found
}

fn word<T: Copy>(checker: &mut Checker<'_>, key: &str, field: &Field<String>, words: &[(&str, T)]) -> Option<T> {
    field.get().and_then(|value| checker.word(key, value, words))
}
