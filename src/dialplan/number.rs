//! Called and calling numbers, brought to one form before routes see them: E.164 (`+442079460100`) where that can be
//! told, else as dialled without what is only for the eye (`1000`, `*98`); names (`joinconf`) stay as they are.

use super::plan::NumberFormat;

/// More digits than any number that is dialled has; E.164 allows 15.
const LONGEST: usize = 24;

/// How the numbers of this country are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberRules {
    /// Country code without `+`. Default: none, national numbers then stay as they are.
    pub country_code: Option<String>,
    /// What national numbers begin with and E.164 leaves out. Default `0`. Empty where the whole number is dialled
    /// (Spain, Italy): national numbers then stay as they are, unless the numbering plan is asked.
    pub national_prefix: String,
    /// What international numbers begin with instead of `+`. Default `00`.
    pub international_prefix: String,
    /// Whether a number is only brought to E.164 if the numbering plan of its country has numbers of that length, so
    /// that extensions stay what they are. Default no; yes where the country is named.
    pub by_plan: bool,
    /// Whether international numbers come without `+`: `442079460100`. Always by plan. Default no.
    pub bare: bool,
}

impl Default for NumberRules {
    fn default() -> Self {
        Self {
            country_code: None,
            national_prefix: "0".into(),
            international_prefix: "00".into(),
            by_plan: false,
            bare: false,
        }
    }
}

impl NumberRules {
    /// The rules of a country by its ISO 3166-1 code (`GB`), in any case; `None` if there is no such country.
    ///
    /// Countries whose prefixes are not `0` and `00`, as far as they are known here, get their own.
    #[must_use]
    pub fn of_country(code: &str) -> Option<Self> {
        let code = code.to_ascii_uppercase();
        let country = phonelib::country_by_code(&code).filter(|_| code.len() == 2)?;
        // Islands with an area code of their own in the numbering plan of North America.
        let country_code = if country.prefix > 999 { 1 } else { country.prefix }.to_string();
        let (national, international) = match code.as_str() {
            _ if country_code == "1" => ("1", "011"),
            // The zero is part of the number.
            "IT" | "SM" | "VA" => ("", "00"),
            "HU" => ("06", "00"),
            "RU" | "KZ" | "BY" => ("8", "810"),
            "AU" => ("0", "0011"),
            "JP" => ("0", "010"),
            "HK" => ("", "001"),
            _ => ("0", "00"),
        };
        Some(Self {
            country_code: Some(country_code),
            national_prefix: national.into(),
            international_prefix: international.into(),
            by_plan: true,
            bare: false,
        })
    }

    /// An E.164 number as it is written to a trunk; what is none stays.
    #[must_use]
    pub fn written(&self, number: &str, format: NumberFormat) -> String {
        let Some(digits) = number.strip_prefix('+') else { return number.to_owned() };
        match (format, &self.country_code) {
            (NumberFormat::PlusE164, _) => number.to_owned(),
            (NumberFormat::E164, _) => digits.to_owned(),
            (NumberFormat::National, Some(code)) if digits.starts_with(code.as_str()) => {
                format!("{}{}", self.national_prefix, digits.get(code.len()..).unwrap_or_default())
            }
            (NumberFormat::National, _) => format!("{}{digits}", self.international_prefix),
        }
    }

    /// The one form of a number or name, taken from a SIP or tel URI (`sip:+442079460100;ext=1@host;user=phone`,
    /// `tel:+44-20-7946-0100`), or from what stands before its `@`. Never fails: what is no number is a name.
    ///
    /// A local tel number (RFC 3966 section 5.1.4) is completed by its `phone-context`, where that is a number.
    #[must_use]
    pub fn normalise(&self, written: &str) -> String {
        let (user, parameters) = user_part(written.trim());
        let user = percent_decoded(user);
        let Some(dialled) = without_separators(&user) else { return user };
        if dialled.starts_with('+') {
            return dialled;
        }
        if let Some(context) = phone_context(parameters) {
            return format!("{context}{dialled}");
        }
        self.to_international(dialled)
    }

    fn to_international(&self, dialled: String) -> String {
        let only_digits = dialled.bytes().all(|byte| byte.is_ascii_digit());
        if !only_digits {
            return dialled;
        }
        if (self.by_plan || self.bare) && dialled.len() <= LONGEST {
            let planned = self.candidates(&dialled).into_iter().flatten().find(|number| is_planned(number));
            if planned.is_some() || self.by_plan {
                return planned.unwrap_or(dialled);
            }
        }
        // A prefix with hardly anything after it is a short code, not a number: 00, 0.
        let long_enough = |rest: &&str| rest.len() >= 4;
        let international = dialled.strip_prefix(self.international_prefix.as_str()).filter(long_enough);
        if let Some(rest) = international.filter(|rest| !rest.starts_with('0')) {
            return format!("+{rest}");
        }
        let Some(country) = &self.country_code else { return dialled };
        if self.national_prefix.is_empty() {
            return dialled;
        }
        match dialled.strip_prefix(self.national_prefix.as_str()).filter(long_enough) {
            Some(rest) if !rest.starts_with('0') => format!("+{country}{rest}"),
            _ => dialled,
        }
    }
}

impl NumberRules {
    /// What was dialled, read in every way that it may be meant, the likeliest first.
    fn candidates(&self, dialled: &str) -> [Option<String>; 4] {
        let code = self.country_code.as_deref();
        let after = |prefix: &str| dialled.strip_prefix(prefix).filter(|_| !prefix.is_empty());
        let national = |rest: &str| code.map(|code| format!("+{code}{rest}"));
        [
            after(&self.international_prefix).map(|rest| format!("+{rest}")),
            self.bare.then(|| format!("+{dialled}")),
            after(&self.national_prefix).and_then(national),
            national(dialled),
        ]
    }
}

/// Whether the country's numbering plan has numbers like this.
fn is_planned(number: &str) -> bool {
    phonelib::normalize_phone_number(number).is_some_and(|normal| normal == number)
}

/// The user of a URI, or the whole where there is no URI; and the user's parameters, after `;`.
fn user_part(written: &str) -> (&str, &str) {
    let lower = |scheme: &str| written.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    let scheme = ["sip:", "sips:", "tel:"].into_iter().find(|scheme| lower(scheme));
    let rest = scheme.and_then(|scheme| written.get(scheme.len()..)).unwrap_or(written);
    let user = rest.split_once('@').map_or(rest, |(user, _)| user);
    let (user, parameters) = user.split_once(';').unwrap_or((user, ""));
    // A password after the user (RFC 3261 section 19.1.1) is no part of it.
    (user.split_once(':').map_or(user, |(user, _)| user), parameters)
}

/// The global number prefix of `phone-context=+44`, without separators.
fn phone_context(parameters: &str) -> Option<String> {
    parameters
        .split(';')
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("phone-context"))
        .and_then(|(_, context)| without_separators(&percent_decoded(context)))
        .filter(|context| context.starts_with('+'))
}

/// `%2B` is `+`; what is no escape, or would be no text, stays.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match (first, tail) {
            (b'%', [high, low, after @ ..]) if hex(high).is_some() && hex(low).is_some() => {
                bytes.push(hex(high).unwrap_or_default() << 4 | hex(low).unwrap_or_default());
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// A number without its visual separators (RFC 3966 section 5.1.1, and blanks and slashes), `(0)` included;
/// `None` when it is no number.
fn without_separators(text: &str) -> Option<String> {
    let (plus, body) = text.strip_prefix('+').map_or(("", text), |body| ("+", body));
    // `+44 (0)20 …`: the national prefix shown beside the country code is dialled by nobody.
    let body = if plus.is_empty() { body.to_owned() } else { body.replacen("(0)", "", 1) };
    let mut number = String::from(plus);
    for letter in body.chars() {
        match letter {
            '0'..='9' | '*' | '#' => number.push(letter),
            '-' | '.' | '(' | ')' | ' ' | '/' => {}
            _ => return None,
        }
    }
    number.bytes().any(|byte| byte != b'+').then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn british() -> NumberRules {
        NumberRules { country_code: Some("44".into()), ..NumberRules::default() }
    }

    #[test]
    fn every_way_to_write_a_number_comes_to_one() {
        for written in [
            "+442079460100",
            "00442079460100",
            "02079460100",
            "020 7946 0100",
            "(020) 7946-0100",
            "+44 (0)20 7946 0100",
            "tel:+44-20-7946-0100",
            "TEL:+442079460100;ext=12",
            "sip:+442079460100@192.0.2.1",
            "sip:+442079460100;npdi=yes@host;user=phone",
            "sip:%2B442079460100@host",
            "sips:00442079460100:secret@host:5061",
            "tel:2079460100;phone-context=+44",
            "tel:79460100;isub=1;Phone-Context=%2B44-20",
            "  +442079460100 ",
        ] {
            assert_eq!(british().normalise(written), "+442079460100", "{written}");
        }
    }

    #[test]
    fn short_numbers_service_codes_and_names_stay() {
        for (written, kept) in [
            ("1000", "1000"),
            ("sip:1000@127.0.0.1:5060;transport=tcp", "1000"),
            ("sip:1000@[::1]", "1000"),
            ("*98", "*98"),
            ("*98#", "*98#"),
            ("joinconf", "joinconf"),
            ("sip:joinconf@host", "joinconf"),
            ("alice.smith", "alice.smith"),
            ("conf_A-1", "conf_A-1"),
            ("0", "0"),
            ("00", "00"),
            ("000", "000"),
            ("", ""),
            ("+", "+"),
            ("---", "---"),
            ("j%C3%BCrgen", "jürgen"),
            ("bad%FFescape", "bad%FFescape"),
            ("tel:7042;phone-context=example.com", "7042"),
        ] {
            assert_eq!(british().normalise(written), kept, "{written}");
        }
    }

    #[test]
    fn without_a_country_code_national_numbers_stay() {
        assert_eq!(NumberRules::default().normalise("020 7946 0100"), "02079460100");
        assert_eq!(NumberRules::default().normalise("0044 20 7946 0100"), "+442079460100");
    }

    #[test]
    fn prefixes_of_other_countries_are_settings() {
        let american = NumberRules {
            country_code: Some("1".into()),
            national_prefix: "1".into(),
            international_prefix: "011".into(),
            ..NumberRules::default()
        };
        assert_eq!(american.normalise("1-212-555-0100"), "+12125550100");
        assert_eq!(american.normalise("011442079460100"), "+442079460100");
        let spanish =
            NumberRules { country_code: Some("34".into()), national_prefix: String::new(), ..Default::default() };
        assert_eq!(spanish.normalise("910000000"), "910000000");
    }

    #[test]
    fn a_named_country_knows_its_numbers_from_extensions() {
        let of = |code: &str| NumberRules::of_country(code).unwrap();
        for (country, dialled, expected) in [
            ("GB", "020 7946 0100", "+442079460100"),
            ("gb", "0044 20 7946 0100", "+442079460100"),
            ("GB", "00442079460100", "+442079460100"),
            ("GB", "1000", "1000"),
            ("GB", "999", "999"),
            ("GB", "0123", "0123"),
            ("DE", "0211 58000100", "+4921158000100"),
            ("US", "212-555-0100", "+12125550100"),
            ("US", "1 212 555 0100", "+12125550100"),
            ("US", "011442079460100", "+442079460100"),
            ("ES", "910000000", "+34910000000"),
            ("IT", "06 6982 1234", "+390669821234"),
            ("GB", "tel:2079460100;phone-context=+44", "+442079460100"),
        ] {
            assert_eq!(of(country).normalise(dialled), expected, "{country} {dialled}");
        }
        for nowhere in ["XX", "", "GBR", "001", "é"] {
            assert_eq!(NumberRules::of_country(nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn numbers_without_plus_are_international_where_the_trunk_writes_so() {
        let bare = NumberRules { bare: true, ..NumberRules::default() };
        assert_eq!(bare.normalise("442079460100"), "+442079460100");
        assert_eq!(bare.normalise("sip:13125550100@host"), "+13125550100");
        assert_eq!(bare.normalise("00442079460100"), "+442079460100");
        assert_eq!(bare.normalise("1000"), "1000");
        assert_eq!(bare.normalise(&"4".repeat(100)), "4".repeat(100));
    }

    #[test]
    fn numbers_are_written_as_a_trunk_wants_them() {
        let rules = british();
        for (format, national, abroad) in [
            (NumberFormat::PlusE164, "+442079460100", "+4921158000100"),
            (NumberFormat::E164, "442079460100", "4921158000100"),
            (NumberFormat::National, "02079460100", "004921158000100"),
        ] {
            assert_eq!(rules.written("+442079460100", format), national);
            assert_eq!(rules.written("+4921158000100", format), abroad);
            assert_eq!(rules.written("1000", format), "1000");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken_by_every_rule(text in ".{0,60}", digits in "[0-9]{0,30}") {
            for country in ["GB", "US", "IT", "DO"] {
                let rules = NumberRules { bare: true, ..NumberRules::of_country(country).unwrap() };
                let _ = rules.normalise(&text);
                let once = rules.normalise(&digits);
                proptest::prop_assert_eq!(rules.normalise(&once), once);
            }
        }

        #[test]
        fn any_text_is_taken_and_a_normal_form_stays(text in ".{0,60}") {
            let once = british().normalise(&text);
            if once.starts_with('+') && once.bytes().skip(1).all(|byte| byte.is_ascii_digit()) {
                proptest::prop_assert_eq!(british().normalise(&once), once);
            }
        }
    }
}
