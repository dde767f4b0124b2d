//! "Did you mean …?"

/// The known word that `given` was most probably meant to be.
pub(super) fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Far too long to be anybody's slip, and costly to compare.
    if given.len() > 64 {
        return None;
    }
    let given = given.to_lowercase();
    let allowed = given.chars().count().div_ceil(3).min(3);
    known
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(&given, &word.to_lowercase()), word))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// The same as a sentence; without a near word, all known ones, if they are few.
pub(super) fn sentence<'a>(given: &str, known: impl IntoIterator<Item = &'a str> + Clone, none: &str) -> String {
    if let Some(word) = nearest(given, known.clone()) {
        return format!("did you mean `{word}`?");
    }
    let words: Vec<String> = known.into_iter().map(|word| format!("`{word}`")).collect();
    match words.len() {
        0 => none.to_owned(),
        1..=30 => format!("known are {}", words.join(", ")),
        count => format!("{count} others are known"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_another_word_is_not() {
        let known = ["carrier", "local", "users"];
        assert_eq!(nearest("carier", known), Some("carrier"));
        assert_eq!(nearest("Local", known), Some("local"));
        assert_eq!(nearest("sessions", known), None);
        assert_eq!(sentence("zzz", known, "none"), "known are `carrier`, `local`, `users`");
        assert_eq!(sentence("zzz", [], "none"), "none");
    }
}
