//! PINs: long enough, hard to guess, one for each room, and such as an IVR can take.

use super::Checker;
use super::ivr::Checked;
use crate::dialplan::plan::Then;
use crate::dialplan::raw::RawRoom;
use std::collections::HashMap;
use std::ops::Range;
use toml::Spanned;

const FEWEST: usize = 4;
const MOST: usize = 16;

pub(super) fn check(checker: &mut Checker<'_>, rooms: &[(Spanned<String>, RawRoom)], ivrs: &[Checked]) {
    let mut seen: HashMap<&str, (Range<usize>, String)> = HashMap::new();
    for (name, room) in rooms {
        for (key, field) in [("pin", &room.pin), ("host_pin", &room.host_pin)] {
            let Some(value) = field.get() else { continue };
            let pin = value.get_ref().0.as_str();
            if let Some((message, label)) = weakness(pin) {
                checker
                    .sink
                    .error(value.span(), message)
                    .label(label)
                    .help("take six digits or more, by chance, for example from: shuf -i 100000-999999 -n 1");
            }
            let holder = format!("`{key}` of room `{}`", name.get_ref());
            if let Some((place, other)) = seen.get(pin) {
                checker
                    .sink
                    .error(value.span(), "a PIN opens one room, in one way")
                    .label("the same PIN again")
                    .also(place.clone(), format!("is {other} already"))
                    .help("give each its own PIN");
            } else {
                seen.insert(pin, (value.span(), holder));
                if key == "host_pin" {
                    checker
                        .sink
                        .warning(value.span(), "`host_pin` has no effect of its own yet")
                        .label("opens the room as `pin` does")
                        .help("hosts cannot do more than others in this version; take it out, or leave it for later");
                }
            }
            reachable(checker, value.span(), pin.len(), ivrs);
        }
    }
}

/// What is wrong with a PIN by itself. Says nothing of its digits.
fn weakness(pin: &str) -> Option<(&'static str, &'static str)> {
    const BAD: &str = "this is no PIN";
    const WEAK: &str = "this PIN is easily guessed";
    let digits = pin.as_bytes();
    if !digits.iter().all(u8::is_ascii_digit) {
        return Some((BAD, "digits 0 to 9 only"));
    }
    if digits.len() < FEWEST {
        return Some((BAD, "at least 4 digits"));
    }
    if digits.len() > MOST {
        return Some((BAD, "at most 16 digits"));
    }
    let step = |by: i16| digits.windows(2).all(|pair| matches!(pair, [a, b] if next(*a, by) == *b));
    if step(0) {
        return Some((WEAK, "one digit repeated"));
    }
    if step(1) || step(-1) {
        return Some((WEAK, "a sequence of digits"));
    }
    if (1..=digits.len() / 2).any(|length| repeats(digits, length)) {
        return Some((WEAK, "a few digits repeated"));
    }
    if matches!(
        pin,
        "2580" | "0852" | "1379" | "1397" | "147258" | "147258369" | "159753" | "121314" | "112233" | "123321"
    ) {
        return Some((WEAK, "a pattern of the keypad"));
    }
    if digits.len() == 4 && (pin.starts_with("19") || pin.starts_with("20")) {
        return Some((WEAK, "looks like a year"));
    }
    None
}

/// The digit `by` further on; 0 follows 9.
const fn next(digit: u8, by: i16) -> u8 {
    match (digit, by) {
        (b'9', 1) => b'0',
        (b'0', -1) => b'9',
        (_, 1) => digit.saturating_add(1),
        (_, -1) => digit.saturating_sub(1),
        _ => digit,
    }
}

/// Whether it is a shorter piece over and over.
fn repeats(digits: &[u8], length: usize) -> bool {
    digits.len().is_multiple_of(length) && digits.chunks(length).all(|chunk| digits.starts_with(chunk))
}

/// Tells a PIN that every IVR which asks for PINs would refuse by its length.
fn reachable(checker: &mut Checker<'_>, span: Range<usize>, length: usize, ivrs: &[Checked]) {
    let asking = || {
        ivrs.iter().filter_map(|checked| match (&checked.ivr.then, &checked.ivr.collect) {
            (Then::ByPin { .. }, Some(collect)) => Some((checked, collect)),
            _ => None,
        })
    };
    let takes = |least: u8, most: u8| (usize::from(least)..=usize::from(most)).contains(&length);
    if !(FEWEST..=MOST).contains(&length) || asking().any(|(_, collect)| takes(collect.min_digits, collect.max_digits))
    {
        return;
    }
    let Some((checked, collect)) = asking().next() else {
        checker
            .sink
            .warning(span, "nobody is asked for this PIN")
            .label("no ivr asks for PINs")
            .help("give an ivr: then = { room = \"by-pin\" }");
        return;
    };
    let (least, most) = (collect.min_digits, collect.max_digits);
    checker
        .sink
        .error(span, "no caller could key this PIN")
        .label(format!("{length} digits"))
        .also(checked.digits.clone(), format!("ivr `{}` takes {least} to {most}", checked.ivr.name))
        .help(format!("make the PIN {least} to {most} digits long, or change `digits`"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easily_guessed_pins_are_refused_and_others_are_not() {
        for pin in
            ["1234", "0000", "9876", "111111", "123", "", "7890", "12345678", "1212", "482482", "2580", "1984", "12a4"]
        {
            assert!(weakness(pin).is_some(), "{pin}");
        }
        for pin in ["482917", "775310", "4829", "100200", "11222"] {
            assert!(weakness(pin).is_none(), "{pin}");
        }
        assert!(weakness("12345678901234567").is_some());
    }
}
