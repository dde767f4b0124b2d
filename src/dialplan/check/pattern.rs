//! Number patterns: compiled; and those told that no call can match, because of the form that numbers have when routes
//! see them, or that are written as another telephone system does it.

use super::Checker;
use crate::dialplan::number::NumberRules;
use crate::dialplan::overlap::{covers, examples};
use crate::dialplan::pattern::Pattern;
use toml::Spanned;

/// Compiles a number pattern; a mistake is underlined where it is within the pattern.
pub(super) fn pattern(checker: &mut Checker<'_>, value: &Spanned<String>) -> Option<Pattern> {
    match Pattern::new(value.get_ref()) {
        Ok(pattern) => {
            let meant = foreign(value.get_ref());
            if let Some(meant) = meant {
                checker
                    .sink
                    .warning(value.span(), "this pattern stands for these very letters")
                    .label("a number pattern is a regular expression")
                    .help(format!("write '{meant}'"));
            }
            Some(pattern)
        }
        Err(error) => {
            let span = checker.within(value, error.span);
            let help = if let Some(meant) = foreign(value.get_ref()) {
                format!("a number pattern is a regular expression: write '{meant}'")
            } else if value.get_ref().starts_with('+') {
                "a plus sign is written \\+ in a pattern, as in '\\+442079460100'".into()
            } else {
                "a number pattern is a regular expression for the whole number, as '\\+4420794601\\d\\d'".into()
            };
            checker.sink.error(span, "this is no number pattern").label(error.reason).help(help);
            None
        }
    }
}

/// Tells what a pattern can never match. `rules` are those of every trunk that its calls come from; it is enough if it
/// matches by one of them.
pub(super) fn unmatched(checker: &mut Checker<'_>, value: &Spanned<String>, pattern: &Pattern, rules: &[&NumberRules]) {
    if let Some(digit) = starred_digit(value.get_ref()) {
        checker
            .sink
            .warning(value.span(), format!("`{digit}*` takes any count of the digit {digit}, and nothing else"))
            .label("a regular expression, no glob")
            .help("for any further digits write \\d*, as in '\\+4420\\d*'");
        return;
    }
    let examples = examples(pattern);
    let arrivals: Vec<(&str, String)> = examples
        .iter()
        .filter_map(|example| {
            let mut forms = rules.iter().map(|rules| rules.normalise(example));
            let first = forms.next()?;
            let lost = !pattern.matches(&first) && forms.all(|form| !pattern.matches(&form));
            lost.then_some((example.as_str(), first))
        })
        .collect();
    // The longest is the likeliest to be a telephone number.
    let Some((example, arrives)) = arrivals.iter().max_by_key(|(example, _)| example.len()) else { return };
    let none_arrives = arrivals.len() == examples.len();
    if !none_arrives && !rules.iter().all(|rules| is_rewritten(pattern, rules)) {
        return;
    }
    let message =
        if none_arrives { "no number can match this pattern" } else { "telephone numbers do not match this pattern" };
    checker.sink.warning(value.span(), message).label(format!("{example} arrives as {arrives}")).help(mend(
        value.get_ref(),
        pattern,
        arrives,
        rules,
    ));
}

/// Whether all that a pattern takes begins with what is not there any more when routes see the number.
fn is_rewritten(pattern: &Pattern, rules: &NumberRules) -> bool {
    let mut prefixes = vec![rules.international_prefix.as_str()];
    if let Some(code) = rules.country_code.as_deref() {
        prefixes.push(rules.national_prefix.as_str());
        prefixes.extend(rules.bare.then_some(code));
    }
    let rewritten = prefixes.into_iter().filter(|prefix| !prefix.is_empty());
    let begun: Vec<Pattern> = rewritten.filter_map(|prefix| Pattern::new(&format!(r"{prefix}\d*")).ok()).collect();
    covers(&begun.iter().collect::<Vec<_>>(), pattern) == Some(true)
}

/// What to write instead.
fn mend(written: &str, pattern: &Pattern, arrives: &str, rules: &[&NumberRules]) -> String {
    let separators = [' ', '-', '/'];
    if written.contains(separators) {
        let without: String = written.chars().filter(|letter| !separators.contains(letter)).collect();
        let takes =
            Pattern::new(&without).is_ok_and(|mended| mended.as_str() != pattern.as_str() && mended.matches(arrives));
        if takes {
            return format!("numbers have no separators any more when routes see them: write '{without}'");
        }
    }
    for rules in rules {
        let code = rules.country_code.as_deref().unwrap_or_default();
        let forms = [(rules.international_prefix.as_str(), ""), (rules.national_prefix.as_str(), code), ("", "")];
        for (prefix, instead) in forms {
            let mended = written.strip_prefix(prefix).map(|rest| format!(r"\+{instead}{rest}"));
            if let Some(mended) = mended.filter(|text| Pattern::new(text).is_ok_and(|mended| mended.matches(arrives))) {
                return format!("routes see numbers in their international form: write '{mended}'");
            }
        }
    }
    "routes see numbers in their international form, without separators, as in '\\+442079460100'".into()
}

/// A digit with a star behind it, which is how a glob would say "and anything".
fn starred_digit(pattern: &str) -> Option<char> {
    let mut before = [' ', ' '];
    let mut in_class = false;
    for letter in pattern.chars() {
        match letter {
            '[' if before[1] != '\\' => in_class = true,
            ']' if before[1] != '\\' => in_class = false,
            '*' if !in_class && before[1].is_ascii_digit() && before[0] != '\\' => return Some(before[1]),
            _ => {}
        }
        before = [before[1], letter];
    }
    None
}

/// What a pattern that cannot be read was probably meant to be, if it is written as another telephone system does it.
fn foreign(written: &str) -> Option<String> {
    let of_asterisk = written.strip_prefix('_').filter(|rest| {
        !rest.is_empty() && rest.chars().all(|letter| letter.is_ascii_digit() || "XZN.!+[]-".contains(letter))
    });
    if let Some(rest) = of_asterisk {
        let mut mended = String::new();
        for letter in rest.chars() {
            match letter {
                'X' => mended.push_str(r"\d"),
                'Z' => mended.push_str("[1-9]"),
                'N' => mended.push_str("[2-9]"),
                '.' => mended.push_str(r"\d+"),
                '!' => mended.push_str(r"\d*"),
                '+' => mended.push_str(r"\+"),
                other => mended.push(other),
            }
        }
        return Some(mended);
    }
    let wildcards = written.chars().filter(|letter| matches!(letter, 'x' | 'X')).count();
    let with_wildcards =
        written.chars().all(|letter| letter.is_ascii_digit() || matches!(letter, 'x' | 'X' | '+' | '\\'));
    let has_digit = written.chars().any(|letter| letter.is_ascii_digit());
    if wildcards > 0 && with_wildcards && has_digit {
        let digits = written.replace(['x', 'X'], r"\d");
        return Some(if digits.starts_with('+') { format!(r"\{digits}") } else { digits });
    }
    // A glob: stars, and nothing that only a regular expression has.
    let is_glob = written.contains('*')
        && written.chars().all(|letter| letter.is_ascii_digit() || matches!(letter, '*' | '+' | '?'))
        && (written.starts_with(['*', '+']) || written.contains("**"));
    is_glob.then(|| written.replace('+', r"\+").replace('?', r"\d").replace('*', r"\d*"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_other_systems_are_known_and_regular_expressions_are_not_taken_for_them() {
        for (written, meant) in [
            ("_1XXX", r"1\d\d\d"),
            ("_+44X.", r"\+44\d\d+"),
            ("_NXX!", r"[2-9]\d\d\d*"),
            ("1xxx", r"1\d\d\d"),
            ("+4420xxxxxxxx", r"\+4420\d\d\d\d\d\d\d\d"),
            ("+44*", r"\+44\d*"),
            ("*", r"\d*"),
        ] {
            assert_eq!(foreign(written).as_deref(), Some(meant), "{written}");
        }
        for regular in ["1000", r"\+44\d*", ".*", "joinconf", "xavier", "conf_[0-9]*", r"\*98", "2?"] {
            assert_eq!(foreign(regular), None, "{regular}");
        }
    }

    #[test]
    fn a_star_behind_a_digit_is_seen_outside_of_classes_only() {
        assert_eq!(starred_digit(r"\+44*"), Some('4'));
        for fine in [r"\d*", ".*", "[0-9*]", r"44\*", "(20)*", r"4\d*"] {
            assert_eq!(starred_digit(fine), None, "{fine}");
        }
    }
}
