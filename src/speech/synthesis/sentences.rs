//! A text in pieces that can be spoken one after the other.

/// A piece shorter than this goes with the next one: "No." alone sounds odd.
const SHORTEST: usize = 24;
/// A piece longer than this is cut at a comma or a space, so that the first sound is not late.
const LONGEST: usize = 240;

/// The sentences of a text, in order, on one line each. Empty where there is nothing to say.
pub(super) fn sentences(text: &str) -> Vec<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut sentences: Vec<String> = Vec::new();
    let mut begin = 0;
    for (at, end) in text.char_indices().filter(|(_, c)| matches!(c, '.' | '!' | '?' | '…' | ';' | '。')) {
        let after = at + end.len_utf8();
        let is_end = text.get(after..).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
        if is_end && text.get(begin..after).is_some_and(|piece| piece.chars().count() >= SHORTEST) {
            push(&mut sentences, text.get(begin..after).unwrap_or_default());
            begin = after;
        }
    }
    push(&mut sentences, text.get(begin..).unwrap_or_default());
    sentences
}

fn push(sentences: &mut Vec<String>, piece: &str) {
    let mut rest = piece.trim();
    while rest.chars().count() > LONGEST {
        let limit = rest.char_indices().nth(LONGEST).map_or(rest.len(), |(at, _)| at);
        let head = rest.get(..limit).unwrap_or_default();
        let cut = head.rfind(", ").map(|at| at + 1).or_else(|| head.rfind(' ')).unwrap_or(limit);
        let (first, others) = rest.split_at(cut.max(1));
        sentences.push(first.trim().to_owned());
        rest = others.trim();
    }
    if !rest.is_empty() {
        sentences.push(rest.to_owned());
    }
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
}
