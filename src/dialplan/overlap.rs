//! What can be told of patterns without a call: whether one takes every number that others take, which is how a route
//! is found to be hidden by those above it, and numbers that one takes.

use super::Pattern;
use regex_automata::Anchored;
use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson;
use regex_automata::util::start;
use regex_syntax::hir::{Hir, Look};
use std::collections::{HashMap, HashSet, VecDeque};

/// Pairs of states looked at before the question is given up.
const MOST_STATES: usize = 4_000;

/// Longest example, one more than E.164's `+` and 15 digits.
const LONGEST_EXAMPLE: usize = 17;
/// States followed for each length of an example.
const MOST_OF_A_LENGTH: usize = 64;
/// What examples are made of, the likeliest first.
const EXAMPLE_LETTERS: &[u8] = b"2079146358+*# -.()/";

/// Whether every string that `inner` takes is taken by one of `outer`. `None` when that is too much work to tell.
///
/// Both sides are walked together as deterministic automata: a string that only `inner` takes shows itself as a pair of
/// states of which one accepts and the other does not.
pub(super) fn covers(outer: &[&Pattern], inner: &Pattern) -> Option<bool> {
    if outer.is_empty() {
        return Some(false);
    }
    let mut inner = Automaton::new(inner.hir().clone())?;
    // Among many routes most have nothing in common: one number tells, without an automaton of all of them.
    match inner.shortest()? {
        Some(number) if outer.iter().all(|pattern| !pattern.matches_bytes(&number)) => return Some(false),
        _ => {}
    }
    let union = Hir::alternation(outer.iter().map(|pattern| pattern.hir().clone()).collect());
    let mut outer = Automaton::new(union)?;
    let start = (inner.start()?, outer.start()?);
    let mut seen = HashSet::from([start]);
    let mut open = VecDeque::from([start]);
    while let Some((in_inner, in_outer)) = open.pop_front() {
        if inner.accepts(in_inner)? && !outer.accepts(in_outer)? {
            return Some(false);
        }
        for byte in 0..=u8::MAX {
            let next = inner.next(in_inner, byte)?;
            if next.is_dead() {
                continue;
            }
            let pair = (next, outer.next(in_outer, byte)?);
            if seen.insert(pair) {
                open.push_back(pair);
            }
        }
        if seen.len() > MOST_STATES {
            return None;
        }
    }
    Some(true)
}

/// Numbers that a pattern takes, of every length it takes up to 17, as they might be dialled: digits, `+`, `*`, `#` and
/// the separators that people write. Empty for a pattern of names, or one too complex to follow.
pub(super) fn examples(pattern: &Pattern) -> Vec<String> {
    let found = Automaton::new(pattern.hir().clone()).and_then(|mut automaton| automaton.examples());
    found.unwrap_or_default()
}

/// A deterministic automaton, its states made as they are met.
struct Automaton {
    dfa: DFA,
    cache: Cache,
}

impl Automaton {
    fn new(hir: Hir) -> Option<Self> {
        let whole = Hir::concat(vec![Hir::look(Look::Start), hir, Hir::look(Look::End)]);
        let limits = thompson::Config::new().utf8(false).nfa_size_limit(Some(1 << 20));
        let nfa = thompson::Compiler::new().configure(limits).build_from_hir(&whole).ok()?;
        // A cache that is never cleared keeps the identifiers of states good.
        let config = DFA::config().cache_capacity(16 << 20).minimum_cache_clear_count(Some(0));
        let dfa = DFA::builder().configure(config).build_from_nfa(nfa).ok()?;
        let cache = dfa.create_cache();
        Some(Self { dfa, cache })
    }

    fn start(&mut self) -> Option<LazyStateID> {
        let config = start::Config::new().anchored(Anchored::Yes);
        self.dfa.start_state(&mut self.cache, &config).ok()
    }

    fn next(&mut self, state: LazyStateID, byte: u8) -> Option<LazyStateID> {
        self.dfa.next_state(&mut self.cache, state, byte).ok()
    }

    /// A shortest string it takes; `Some(None)` when it takes none at all.
    fn shortest(&mut self) -> Option<Option<Vec<u8>>> {
        let start = self.start()?;
        let mut seen = HashSet::from([start]);
        let mut open = VecDeque::from([(start, Vec::new())]);
        while let Some((state, path)) = open.pop_front() {
            if self.accepts(state)? {
                return Some(Some(path));
            }
            for byte in 0..=u8::MAX {
                let next = self.next(state, byte)?;
                if !next.is_dead() && seen.insert(next) {
                    open.push_back((next, [path.as_slice(), &[byte]].concat()));
                }
            }
            if seen.len() > MOST_STATES {
                return None;
            }
        }
        Some(None)
    }

    fn examples(&mut self) -> Option<Vec<String>> {
        let mut found = Vec::new();
        let mut ends = HashMap::from([(self.start()?, String::new())]);
        for _ in 0..LONGEST_EXAMPLE {
            let mut longer = HashMap::new();
            for (state, text) in ends {
                for letter in EXAMPLE_LETTERS {
                    let next = self.next(state, *letter)?;
                    if !next.is_dead() && longer.len() < MOST_OF_A_LENGTH && !longer.contains_key(&next) {
                        longer.insert(next, format!("{text}{}", char::from(*letter)));
                    }
                }
            }
            for (state, text) in &longer {
                if self.accepts(*state)? {
                    found.push(text.clone());
                }
            }
            ends = longer;
        }
        Some(found)
    }

    fn accepts(&mut self, state: LazyStateID) -> Option<bool> {
        Some(self.dfa.next_eoi_state(&mut self.cache, state).ok()?.is_match())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(outer: &[&str], inner: &str) -> Option<bool> {
        let outer: Vec<Pattern> = outer.iter().map(|pattern| Pattern::new(pattern).unwrap()).collect();
        covers(&outer.iter().collect::<Vec<_>>(), &Pattern::new(inner).unwrap())
    }

    #[test]
    fn a_pattern_is_covered_when_every_number_it_takes_is() {
        assert_eq!(covered(&[".*"], "1000"), Some(true));
        assert_eq!(covered(&["1000"], "1000"), Some(true));
        assert_eq!(covered(&[r"\+44\d*"], r"\+4420794601\d\d"), Some(true));
        assert_eq!(covered(&["1[0-4]", "1[5-9]"], r"1\d"), Some(true));
        assert_eq!(covered(&[r"\d+"], r"\d{4}|\d{6}"), Some(true));
        assert_eq!(covered(&[".*"], ""), Some(true));
    }

    #[test]
    fn a_pattern_with_one_number_of_its_own_is_not_covered() {
        assert_eq!(covered(&[".+"], ".*"), Some(false));
        assert_eq!(covered(&["1[0-4]", "1[5-8]"], r"1\d"), Some(false));
        assert_eq!(covered(&["1000"], "2000"), Some(false));
        assert_eq!(covered(&["conf_[a-z]+"], "conf_[A-Za-z]+"), Some(false));
        assert_eq!(covered(&[], "1"), Some(false));
    }

    #[test]
    fn examples_are_taken_by_their_pattern_in_every_length_it_has() {
        for (pattern, lengths) in
            [("1000", vec![4]), (r"\+44\d{2,3}", vec![5, 6]), ("joinconf", vec![]), (r"\d{40}", vec![])]
        {
            let pattern = Pattern::new(pattern).unwrap();
            let mut found: Vec<usize> = examples(&pattern).iter().map(String::len).collect();
            assert!(examples(&pattern).iter().all(|example| pattern.matches(example)));
            found.sort_unstable();
            assert_eq!(found, lengths, "{pattern}");
        }
    }

    #[test]
    fn a_question_too_large_is_given_up() {
        assert_eq!(covered(&[r"\d*1\d{200}"], r"\d*1\d{199}"), None);
    }
}
