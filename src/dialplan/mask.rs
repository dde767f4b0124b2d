//! Masks PINs and passwords in the text of a dialplan before any of it is shown.
//!
//! Spans of values the parser understood are masked, and besides, whatever stands after a word like `pin` or
//! `password`: a file that is no TOML at all must not give its secrets away either. Bytes keep their places, so that
//! spans still fit.

use std::ops::Range;

/// Words that make a key's value secret.
const SECRET_WORDS: [&str; 7] = ["pin", "passw", "passwd", "secret", "token", "plain", "ha1"];
/// Keys that hold such a word and no secret.
const OPEN_KEYS: [&str; 2] = ["pin_budget", "tokens"];

/// Whether the value of `key` is a secret.
pub(super) fn is_secret_key(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| key.contains(word)) && !OPEN_KEYS.contains(&key.as_str())
}

/// Whether a word was probably meant to be such a key: a slip must not show a PIN.
fn looks_secret(word: &str) -> bool {
    let near = |key: &str, slips: usize| word.len() <= 16 && strsim::damerau_levenshtein(word, key) <= slips;
    is_secret_key(word) || near("pin", 1) || near("host_pin", 2) || near("password", 2)
}

/// `source` with the secrets at `spans`, and whatever else looks like one, masked; every byte keeps its place.
pub(super) fn mask(source: &str, spans: &[Range<usize>]) -> String {
    let mut hidden = vec![false; source.len()];
    let mut hide = |range: Range<usize>| {
        if let Some(bytes) = hidden.get_mut(range.start.min(source.len())..range.end.min(source.len())) {
            bytes.fill(true);
        }
    };
    for span in spans {
        hide(span.clone());
    }
    let mut at = 0usize;
    let mut inside_until = 0usize;
    for line in source.split_inclusive('\n') {
        let end = at.saturating_add(line.len());
        if at >= inside_until {
            for range in secrets_in_line(source, at, line) {
                inside_until = inside_until.max(range.end);
                hide(range);
            }
        }
        if let Some(comment) = line.find('#') {
            digit_runs(source, at.saturating_add(comment)..end).for_each(&mut hide);
        }
        at = end;
    }
    let mut masked = String::with_capacity(source.len());
    for (at, letter) in source.char_indices() {
        let keep = matches!(letter, '\n' | '\r' | '"' | '\'' | '{' | '}' | '[' | ']' | ',' | ' ' | '\t');
        if hidden.get(at).copied().unwrap_or(false) && !keep {
            masked.extend(std::iter::repeat_n('*', letter.len_utf8()));
        } else {
            masked.push(letter);
        }
    }
    masked
}

/// What stands after words that name a secret, in bytes of `source`. `line` begins at byte `start` of it.
fn secrets_in_line(source: &str, start: usize, line: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0usize;
    while let Some((word, first)) = next_word(line, from) {
        let opens_line =
            line.get(..word.start).is_some_and(|before| before.trim_matches(['"', '\'', ' ', '\t']).is_empty());
        from = word.end;
        if !line.get(word.clone()).is_some_and(looks_secret) {
            continue;
        }
        let rest = line.get(word.end..).unwrap_or_default();
        let unquoted = rest.trim_start_matches(['"', '\'', ' ', '\t']);
        let value = match unquoted.strip_prefix(['=', ':']) {
            Some(value) => value.trim_start(),
            None if opens_line && first => unquoted,
            None => continue,
        };
        let offset = line.len().saturating_sub(value.len());
        if names_its_source(value) {
            continue;
        }
        let length = value_length(source, start.saturating_add(offset), value);
        let begin = start.saturating_add(offset);
        found.push(begin..begin.saturating_add(length));
        from = from.max(offset.saturating_add(length)).min(line.len());
    }
    found
}

/// The next run of key characters, and whether it is the line's first.
fn next_word(line: &str, from: usize) -> Option<(Range<usize>, bool)> {
    let is_key = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '-';
    let tail = line.get(from..)?;
    let begin = from.saturating_add(tail.find(is_key)?);
    let word = line.get(begin..)?;
    let length = word.find(|letter| !is_key(letter)).unwrap_or(word.len());
    Some((begin..begin.saturating_add(length), from == 0))
}

/// `{ env = …` and `{ file = …` say where a secret is, not what it is.
fn names_its_source(value: &str) -> bool {
    let Some(inner) = value.strip_prefix('{') else { return false };
    let inner = inner.trim_start();
    let after = inner.strip_prefix("env").or_else(|| inner.strip_prefix("file"));
    after.is_some_and(|after| after.trim_start().starts_with('='))
}

/// How many bytes from `value` on belong to a secret; a string of many lines reaches beyond the line.
fn value_length(source: &str, at: usize, value: &str) -> usize {
    let line = value.trim_end_matches(['\n', '\r']);
    for triple in ["\"\"\"", "'''"] {
        if value.starts_with(triple) {
            let body = at.saturating_add(3);
            let rest = source.get(body..).unwrap_or_default();
            return rest.find(triple).unwrap_or(rest.len()).saturating_add(6);
        }
    }
    let quoted = line.strip_prefix('"').and_then(|body| body.find('"')).or_else(|| line.strip_prefix('\'')?.find('\''));
    let length = quoted.map_or_else(
        || line.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(line.len()),
        |close| close.saturating_add(2),
    );
    let after = line.get(length..).unwrap_or_default().trim_start();
    // What follows a value and is no separator is taken for a part of it.
    if after.is_empty() || after.starts_with([',', '}', '#']) { length } else { line.len() }
}

/// Runs of four and more digits in a part of the text: in a comment, or a line that is no TOML, they may be a PIN.
pub(super) fn digit_runs(source: &str, part: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut at = part.start;
    std::iter::from_fn(move || {
        loop {
            let rest = source.get(at..part.end)?;
            let begin = at.saturating_add(rest.find(|letter: char| letter.is_ascii_digit())?);
            let run = source.get(begin..part.end)?;
            let length = run.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(run.len());
            at = begin.saturating_add(length);
            if length >= 4 {
                return Some(begin..at);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secret_keys_are_masked_and_keep_their_places() {
        for (plain, masked) in [
            ("pin = \"482917\" # 1234567", "pin = \"******\" # *******"),
            ("host_pin=482917", "host_pin=******"),
            ("password = { env = \"CARRIER\" }", "password = { env = \"CARRIER\" }"),
            ("password = { plain = \"hun ter2\" }", "password = { ***** * \"*** ****\" }"),
            ("a = { pin = \"4829\", announce = \"tone\" }", "a = { pin = \"****\", announce = \"tone\" }"),
            ("pinn 482917", "pinn ******"),
            ("pin = \"48\" 2917\"", "pin = \"**\" ****\""),
            ("pin = \"482917", "pin = \"******"),
            ("\"pin\" = '482917'", "\"pin\" = '******'"),
            ("pin = \"\"\"\n482917\n\"\"\"\nmax_calls = 4", "pin = \"\"\"\n******\n\"\"\"\nmax_calls = 4"),
            ("pin_budget = 60", "pin_budget = 60"),
            ("number = '4829'", "number = '4829'"),
            ("password = \"pässword\"", "password = \"*********\""),
        ] {
            assert_eq!(mask(plain, &[]), masked);
            assert_eq!(plain.len(), masked.len());
        }
    }

    #[test]
    fn spans_the_parser_named_are_masked_wherever_they_are() {
        let list = Range { start: 4, end: 17 };
        assert_eq!(mask("x = [\n 4829,\n 17]", std::slice::from_ref(&list)), "x = [\n ****,\n **]");
    }
}
