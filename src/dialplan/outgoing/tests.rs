use super::*;
use crate::dialplan::{Trusting, parse};

const PLAN: &str = r#"
[gateway]
country_code = "44"

[trunks.a]
address = ["192.0.2.1"]
country = "DE"

[trunks.b]
address = ["192.0.2.2"]

[rooms.lobby]

[[routes]]
name    = "Hotline"
from    = "sessions"
number  = '\+449098790\d{3}'
trunk   = "a"
premium = true

[[routes]]
name   = "Inside"
from   = "sessions"
number = "1000"
room   = "lobby"

[[routes]]
name   = "Blocked"
from   = "sessions"
number = '\+4477\d+'
reject = 603

[[routes]]
name   = "Out"
from   = "sessions"
number = '\+\d+|\d+|[0-9*\#]+'
trunks = ["a", "b"]
"#;

fn asked(number: &str) -> String {
    let plan = parse("dialplan.toml", PLAN, &Trusting).unwrap().plan;
    match allow(&plan, number) {
        Ok(allowed) => {
            let trunks: Vec<&str> = allowed.outgoing.trunks.iter().map(|trunk| trunk.name.as_str()).collect();
            format!("{} by {} ({})", allowed.number, trunks.join(", "), allowed.route.name)
        }
        Err(denied) => denied.to_string(),
    }
}

#[test]
fn a_number_that_a_route_allows_goes_by_its_trunks() {
    assert_eq!(asked("+442079460123"), "+442079460123 by a, b (Out)");
    assert_eq!(asked("020 7946 0123"), "+442079460123 by a, b (Out)");
    assert_eq!(asked("+449098790123"), "+449098790123 by a (Hotline)");
}

#[test]
fn what_no_route_allows_is_refused_by_name() {
    let plan =
        parse("dialplan.toml", &PLAN.replace("'\\+\\d+|\\d+|[0-9*\\#]+'", "'\\+4420\\d+'"), &Trusting).unwrap().plan;
    assert_eq!(allow(&plan, "+4930123456").unwrap_err(), Denied::NoRoute);
    assert_eq!(asked("1000"), "route Inside takes this number, and leads to no trunk");
    assert_eq!(asked("+447700900123"), "route Blocked says reject = 603");
    for name in ["", "joinconf", "alice@example.com", "+", "*#", "+44207946012345678901234567890", "\u{0664}\u{0662}"] {
        assert_eq!(asked(name), "this is no telephone number", "{name}");
    }
}

#[test]
fn emergency_numbers_are_refused_however_they_are_dialled() {
    for number in [
        "112",
        "911",
        "999",
        "110",
        "118",
        "119",
        "000",
        "111",
        "101",
        "18000",
        "19222",
        "0112",
        "00112",
        "9911",
        "9112",
        "0999",
        "999#",
        "*112",
        "+112",
        "+44999",
        "+44112",
        "+49110",
        "+49112",
        "0049110",
        "+1911",
        "1911",
        "+11911",
        "+3315",
        "+3317",
        "+39118",
        "+61000",
        "+64111",
        "tel:112",
        "sip:911@example.com",
        "1 1 2",
        "+44 (0)999",
        "tel:999;phone-context=+44",
        "%39%39%39",
        "0+44999",
        "91911",
        "90112",
        "09112",
        "8112",
        "44999",
        "*31#112",
        "141999",
        "*67911",
        "999#1",
        // Germany's own, which trunk a's country brings in.
        "115",
        "9115",
        "+115",
    ] {
        let said = asked(number);
        let refused = said.starts_with("emergency numbers are never called") || number == "0+44999";
        assert!(refused, "{number}: {said}");
    }
    for number in
        ["+442079460112", "+441119", "1000", "1119", "+4911012345", "+33153456789", "+12129110000", "+13115550100"]
    {
        assert!(!asked(number).starts_with("emergency"), "{number}: {}", asked(number));
    }
}

#[test]
fn a_zero_behind_plus_or_a_country_code_gets_past_no_rule() {
    const REFUSED: &str =
        "behind + come country code and number, seven digits at least, with no 0 before either of them";
    for number in [
        "+4409098790123",
        "+09098790123",
        "+0044909879012",
        "+44077009001",
        "sip:+4409098790123@carrier.example",
        "+44%30909879012",
        "+442079*21",
        "+4479",
        "+17",
    ] {
        assert_eq!(asked(number), REFUSED, "{number}");
    }
    // Here the zero belongs to the number.
    for number in ["+390612345678", "+2250701234567", "+2290197000000", "+37806661234"] {
        assert_eq!(asked(number), format!("{number} by a, b (Out)"));
    }
    assert_eq!(asked("+44 (0)20 7946 0123"), "+442079460123 by a, b (Out)");
}

#[test]
fn premium_numbers_are_refused_unless_the_route_names_them() {
    for (number, rule) in [
        ("+19005550100", "North American premium rate (+1900…)"),
        ("+449011234567", "UK premium rate (+449…)"),
        ("+448712345678", "UK shared cost (+4487…)"),
        ("+447012345678", "UK personal number (+4470…)"),
        ("+33891234567", "French premium rate (+3389…)"),
        ("+499001234567", "German premium rate (+49900…)"),
        ("+8821234567", "international networks (+882…)"),
        ("449098790123", "UK premium rate (+449…)"),
        ("0900 1234567", "UK premium rate (+449…)"),
        ("00499001234567", "German premium rate (+49900…)"),
    ] {
        assert_eq!(
            asked(number),
            format!("{rule} is not called, as route Out does not say premium = true"),
            "{number}"
        );
    }
    assert!(asked("+491711234567").ends_with("(Out)"));
}

#[test]
fn ordinary_numbers_are_not_taken_for_dear_ones() {
    for number in ["+442079460123", "+4930901820", "+33144556677", "+12125550100", "+390612345678", "+41443334455"] {
        assert!(asked(number).ends_with("(Out)"), "{number}: {}", asked(number));
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_judged(text in ".{0,40}") {
        let plan = parse("dialplan.toml", PLAN, &Trusting).unwrap().plan;
        if let Ok(allowed) = allow(&plan, &text) {
            let digits = allowed.number.trim_start_matches('+');
            proptest::prop_assert!(digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b'#')));
        }
    }
}
