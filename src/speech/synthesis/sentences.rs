//! A text in pieces that can be spoken one after the other.

/// A piece shorter than this goes with the next one: "No." alone sounds odd.
const SHORTEST: usize = 24;
/// A piece longer than this is cut at a comma or a space, so that the next sound is not late.
const LONGEST: usize = 240;
/// The same for the first piece of a text that somebody waits for.
const SOON: usize = 60;
/// What may stand between the end of a sentence and the space after it.
const CLOSING: [char; 9] = ['"', '\'', '”', '’', '»', ')', ']', '」', '』'];
/// What ends with a dot and no sentence.
const ABBREVIATIONS: [&str; 14] =
    ["Dr", "Mr", "Mrs", "Ms", "Prof", "St", "Sr", "Sra", "Jr", "Mme", "Mlle", "Dott", "Sig", "vs"];

/// The sentences of a text, in order, on one line each. Empty where there is nothing to say.
pub(super) fn sentences(text: &str) -> Vec<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut sentences: Vec<String> = Vec::new();
    let mut begin = 0;
    for (at, mark) in text.char_indices() {
        if let Some(after) = end_of_sentence(&text, at, mark)
            && let Some(piece) = text.get(begin..after)
            && piece.chars().count() >= SHORTEST
        {
            push(&mut sentences, piece);
            begin = after;
        }
    }
    push(&mut sentences, text.get(begin..).unwrap_or_default());
    sentences
}

/// The same with a first piece that is soon said.
pub(super) fn soon_begun(mut sentences: Vec<String>) -> Vec<String> {
    if let Some(first) = sentences.first().filter(|first| first.chars().count() > SOON) {
        let (soon, later) = cut(first, SOON);
        let pieces = [soon.to_owned(), later.to_owned()];
        sentences.splice(..1, pieces);
    }
    sentences
}

/// Where the sentence ends to which a mark belongs, closing quotes and brackets included; `None` where it goes on.
fn end_of_sentence(text: &str, at: usize, mark: char) -> Option<usize> {
    // No space follows these.
    let is_wide = matches!(mark, '。' | '！' | '？');
    if !is_wide && !matches!(mark, '.' | '!' | '?' | '…' | ';') {
        return None;
    }
    let rest = text.get(at + mark.len_utf8()..)?.trim_start_matches(CLOSING);
    if !is_wide && !rest.is_empty() && !rest.starts_with(' ') {
        return None;
    }
    if mark == '.' && is_abbreviation(text.get(..at)?) {
        return None;
    }
    Some(text.len() - rest.len())
}

/// Whether the dot after `before` is that of "Dr." or of an initial.
fn is_abbreviation(before: &str) -> bool {
    let word = before.rsplit(' ').next().unwrap_or_default();
    let word = word.trim_start_matches(|c: char| !c.is_alphanumeric());
    let mut letters = word.chars();
    let is_initial = letters.next().is_some_and(char::is_uppercase) && letters.next().is_none();
    is_initial || ABBREVIATIONS.contains(&word)
}

fn push(sentences: &mut Vec<String>, piece: &str) {
    let mut rest = piece.trim();
    while rest.chars().count() > LONGEST {
        let (first, others) = cut(rest, LONGEST);
        sentences.push(first.to_owned());
        rest = others;
    }
    if !rest.is_empty() {
        sentences.push(rest.to_owned());
    }
}

/// Cuts a piece that is longer than `longest` characters: after its last comma within them, else at a space, else
/// there.
fn cut(piece: &str, longest: usize) -> (&str, &str) {
    let limit = piece.char_indices().nth(longest).map_or(piece.len(), |(at, _)| at);
    let head = piece.get(..limit).unwrap_or_default();
    let at = head.rfind(", ").map(|at| at + 1).or_else(|| head.rfind(' ')).unwrap_or(limit);
    let (first, others) = piece.split_at(at.max(1));
    (first.trim(), others.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_where_sentences_end_and_short_ones_stay_together() {
        let text = "Welcome to the weekly meeting of Acme.  It costs 1.50 a minute.\nNo. Please press one to go on!";
        assert_eq!(
            sentences(text),
            ["Welcome to the weekly meeting of Acme.", "It costs 1.50 a minute.", "No. Please press one to go on!"]
        );
        assert_eq!(sentences(" \n"), Vec::<String>::new());
        assert_eq!(sentences("Goodbye"), ["Goodbye"]);
    }

    #[test]
    fn a_sentence_without_an_end_is_cut_all_the_same() {
        let long = "word ".repeat(200);
        let cut = sentences(&long);
        assert!(cut.len() >= 4 && cut.iter().all(|piece| piece.chars().count() <= LONGEST), "{}", cut.len());
        assert_eq!(cut.join(" "), long.trim());
        assert_eq!(sentences(&"é".repeat(500)).concat(), "é".repeat(500));
    }

    #[test]
    fn titles_and_initials_end_no_sentence_and_closing_quotes_belong_to_theirs() {
        assert_eq!(
            sentences(
                "The meeting is led by Dr. Jones and by J. Smith. They say \"welcome to you all.\" (Press one.) Go."
            ),
            [
                "The meeting is led by Dr. Jones and by J. Smith.",
                "They say \"welcome to you all.\"",
                "(Press one.) Go."
            ]
        );
        assert_eq!(
            sentences("Please wait until it is 5 p.m. Then press one."),
            ["Please wait until it is 5 p.m.", "Then press one."]
        );
    }

    #[test]
    fn a_wide_full_stop_ends_a_sentence_without_a_space() {
        let first = format!("{}。", "会議".repeat(15));
        let second = format!("「{}！」", "会議".repeat(15));
        assert_eq!(sentences(&format!("{first}{second}どうぞ")), [first, second, "どうぞ".to_owned()]);
    }

    #[test]
    fn the_first_piece_of_what_somebody_waits_for_is_short() {
        let long = "Welcome to the weekly meeting of the sales department, which begins in a few minutes from now.";
        let pieces = soon_begun(sentences(long));
        assert_eq!(
            pieces,
            ["Welcome to the weekly meeting of the sales department,", "which begins in a few minutes from now."]
        );
        let words = "word ".repeat(20);
        assert!(soon_begun(sentences(&words))[0].chars().count() <= SOON);
        assert_eq!(soon_begun(sentences("Hello there.")), ["Hello there."]);
        assert!(soon_begun(Vec::new()).is_empty());
    }
}
