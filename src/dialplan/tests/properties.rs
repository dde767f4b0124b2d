//! Whatever the text, there is a plan or there are diagnostics, and never a PIN among them.

use super::*;
use proptest::prelude::*;

/// Reads, shows, and asks; true when there was a plan.
fn survives(text: &str) -> bool {
    match parse("dialplan.toml", text, &Trusting) {
        Ok(loaded) => {
            let _ = loaded.warnings.render(true);
            for digits in [None, Some("482917#*1#")] {
                let question = explain::Question { from: "local", number: "1000", digits, ..Default::default() };
                let _ = explain::explain(&loaded.plan, &question);
                let question = explain::Question { from: "127.0.0.1", number: "+44 (0)20", digits, ..question };
                let _ = explain::explain(&loaded.plan, &question);
            }
            true
        }
        Err(found) => {
            assert!(found.errors() > 0);
            let _ = found.render(true);
            let _ = found.iter().map(|one| (found.line(one), found.underlined(one).len())).max();
            false
        }
    }
}

/// The demo file and the design's, with a few bytes changed, cut out, doubled or brought in from elsewhere.
fn mutated() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "\"",
        "'",
        "[",
        "]",
        "[[",
        "{",
        "}",
        "=",
        "\n",
        "#",
        ",",
        ".",
        "\\",
        "pin = ",
        "\"\"\"",
        "\u{0}",
        "é",
        "\u{202e}",
        "9999999999999999999",
        "{number}",
        "(",
        "*",
        "{1000}",
        "\r\n",
        "\t",
        "true",
        "from",
        "1979-05-27",
        "[routes]",
        "[[rooms]]",
    ]);
    let change = (any::<prop::sample::Index>(), 0usize..20, pieces, any::<bool>());
    (any::<bool>(), prop::collection::vec(change, 1..6)).prop_map(|(demo, changes)| {
        let mut text = if demo { DEMO } else { EXAMPLE }.to_owned();
        for (place, length, piece, insert) in changes {
            let floor = |mut at: usize, text: &str| {
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                at
            };
            let start = floor(place.index(text.len()), &text);
            let end = floor((start + length).min(text.len()), &text).max(start);
            text.replace_range(start..end, if insert { piece } else { "" });
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text_is_survived(text in "\\PC{0,200}|[\\x00-\\x7f]{0,200}|([a-z]{1,4} ?= ?[\\[{\"'0-9]{1,5}\n){0,9}") {
        survives(&text);
    }

    #[test]
    fn any_change_to_a_good_file_is_survived(text in mutated()) {
        survives(&text);
    }

    #[test]
    fn one_slip_anywhere_shows_no_pin(place in any::<prop::sample::Index>(), letter in "[ -~]?") {
        let mut text = DEMO.to_owned();
        let at = (0..=place.index(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let next = text[at..].chars().next().map_or(0, char::len_utf8);
        text.replace_range(at..at + next, &letter);
        if let Err(found) = parse("dialplan.toml", &text, &Trusting) {
            prop_assert!(!found.to_string().contains("482917"), "{}", found);
        }
    }

    #[test]
    fn any_pattern_is_taken_or_refused_with_its_place(source in "\\PC{0,40}|[0-9+*?()\\[\\]{}|\\\\.^$d-]{0,30}", number in "\\PC{0,30}") {
        match Pattern::new(&source) {
            Ok(pattern) => { let _ = pattern.matches(&number); }
            Err(error) => prop_assert!(error.span.start <= error.span.end && error.span.end <= source.len()),
        }
    }
}

#[test]
fn the_fuzz_corpus_is_survived() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/dialplan");
    let mut plans = 0;
    let mut files = 0;
    for entry in std::fs::read_dir(&folder).expect("the corpus is in the project") {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        files += 1;
        plans += usize::from(survives(&String::from_utf8_lossy(&bytes)));
    }
    assert!(files >= 12 && plans >= 2, "{files} files, {plans} plans");
}
