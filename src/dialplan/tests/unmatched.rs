//! What can never match, or is written as another system writes it: told before a caller finds out.

use super::*;

/// What is said of a route with this pattern, with its help.
fn told(gateway: &str, number: &str) -> Vec<String> {
    told_of(&format!(
        "[gateway]\n{gateway}\n[trunks.carrier]\nallow = \"192.0.2.1\"\n[rooms.lobby]\n[[routes]]\nname = \"In\"\n\
         from = \"carrier\"\nnumber = {number}\nroom = \"lobby\"\n"
    ))
}

fn told_of(text: &str) -> Vec<String> {
    let found = match parse("dialplan.toml", text, &Trusting) {
        Ok(loaded) => loaded.warnings,
        Err(found) => found,
    };
    found.iter().map(|one| format!("{}: {}", one.message, one.help.as_deref().unwrap_or("-"))).collect()
}

#[test]
fn a_pattern_of_a_form_that_no_number_has_is_told_with_what_to_write() {
    let (country, code, none) = ("country = \"GB\"", "country_code = \"44\"", "");
    for (gateway, number, message, help) in [
        (country, r"'0207\d+'", "telephone numbers do not match", r"write '\+44207\d+'"),
        (country, r"'02079460\d\d\d'", "no number can match", r"write '\+442079460\d\d\d'"),
        (country, r"'0044\d+'", "telephone numbers do not match", r"write '\+44\d+'"),
        (code, r"'0\d{10}'", "no number can match", r"write '\+44\d{10}'"),
        (none, r"'0049\d{8,}'", "no number can match", r"write '\+49\d{8,}'"),
        (none, r"'\+44 20 7946 \d{4}'", "no number can match", r"write '\+44207946\d{4}'"),
        (none, r"'020-7946-0100'", "no number can match", "write '02079460100'"),
        (none, r"'\+44*'", "`4*` takes any count of the digit 4", r"\d*"),
        (none, "'+44*'", "this is no number pattern", r"write '\+44\d*'"),
        (none, "'*'", "this is no number pattern", r"write '\d*'"),
        (none, "'_1XXX'", "this pattern stands for these very letters", r"write '1\d\d\d'"),
        (none, "'1xxx'", "this pattern stands for these very letters", r"write '1\d\d\d'"),
    ] {
        let found = told(gateway, number);
        assert!(
            found.len() == 1 && found[0].starts_with(message) && found[0].contains(help),
            "{number} ({gateway}): {found:#?}"
        );
    }
}

#[test]
fn numbers_without_a_plus_match_where_they_come_so_and_are_told_where_they_do_not() {
    let with = |trunk: &str| {
        told_of(&format!(
            "[trunks.carrier]\nallow = \"192.0.2.1\"\n{trunk}\n[rooms.lobby]\n[[routes]]\nname = \"In\"\nfrom = \"carrier\"\n\
             number = '4420\\d{{8}}'\nroom = \"lobby\"\n"
        ))
    };
    assert_eq!(with(""), [""; 0]);
    let bare = with("bare_numbers = true");
    assert!(bare.len() == 1 && bare[0].contains(r"write '\+4420\d{8}'"), "{bare:?}");
}

#[test]
fn patterns_that_some_number_has_are_not_told() {
    let country = "country = \"GB\"";
    for number in [
        r"'\+4420\d+'",
        "'1000'",
        r"'1\d{3}'",
        r"'\d+'",
        "'.*'",
        "'joinconf'",
        "'conf_[A-Za-z0-9]+'",
        r"'\*98#?'",
        r"'0\d\d'",
        r"'0?\d{3}'",
    ] {
        assert_eq!(told(country, number), [""; 0], "{number}");
    }
}

#[test]
fn a_pattern_is_told_only_if_no_trunk_of_its_route_sends_such_numbers() {
    let text = "[trunks.british]\nallow = \"192.0.2.1\"\ncountry = \"GB\"\n[trunks.plain]\nallow = \"192.0.2.2\"\n[rooms.lobby]\n\
                [[routes]]\nname = \"In\"\nfrom = [\"british\", \"plain\"]\nnumber = '0207\\d{7}'\nroom = \"lobby\"\n";
    assert_eq!(told_of(text), [""; 0]);
    assert_eq!(told_of(&text.replace(", \"plain\"", "")).len(), 1);
}

#[test]
fn patterns_in_double_quotes_and_routes_in_single_brackets_are_told_with_the_mend() {
    let quoted = told("", r#""\+4420\d+""#);
    assert!(quoted.len() == 1 && quoted[0].contains(r"number = '\+4420\d+'"), "{quoted:?}");
    let route = |name: &str, number: u32| {
        format!("[routes]\nname = \"{name}\"\nfrom = \"local\"\nnumber = '{number}'\nroom = \"lobby\"\n")
    };
    let trunk = "[trunks.local]\nallow = \"127.0.0.1\"\n[rooms.lobby]\n";
    let one = told_of(&format!("{trunk}{}", route("A", 1)));
    assert_eq!(
        one,
        ["routes are a list, and this is a single table: each route begins with [[routes]], in two brackets"]
    );
    let two = told_of(&format!("{trunk}{}{}", route("A", 1), route("B", 2)));
    assert!(two.iter().any(|line| line.contains("duplicate") && line.contains("[[routes]]")), "{two:?}");
}

#[test]
fn what_calls_out_without_a_number_or_to_the_whole_world_is_told() {
    let plan = |trunk: &str, number: &str| {
        told_of(&format!(
            "[trunks.carrier]\naddress = \"192.0.2.1\"\n{trunk}\n[rooms.lobby]\n[[routes]]\nname = \"In\"\nfrom = \"carrier\"\n\
             number = '1'\nroom = \"lobby\"\n[[routes]]\nname = \"Out\"\nfrom = \"sessions\"\nnumber = {number}\n\
             trunk = \"carrier\"\n"
        ))
    };
    let caller_id = "caller_id = \"+442079460100\"";
    assert_eq!(plan(caller_id, r"'\+44\d+'"), [""; 0]);
    let none = plan("", r"'\+44\d+'");
    assert!(none.len() == 1 && none[0].starts_with("calls by trunk `carrier` show no number"), "{none:?}");
    for every in ["'.*'", r"'\+?\d+'", r"'\+\d*'"] {
        let found = plan(caller_id, every);
        assert!(
            found.len() == 1 && found[0].starts_with("by this route every number of the world"),
            "{every}: {found:?}"
        );
    }
}

#[test]
fn a_room_that_an_ivr_names_and_nobody_configured_is_told() {
    let plan = |rooms: &str| {
        told_of(&format!(
            "[trunks.local]\nallow = \"127.0.0.1\"\n{rooms}\n[ivr.welcome]\nsay = \"Hello to all.\"\nthen = {{ room = \"standup\" }}\n\
             [[routes]]\nname = \"In\"\nfrom = \"local\"\nnumber = '1'\nivr = \"welcome\"\n"
        ))
    };
    assert_eq!(plan("[rooms.standup]"), [""; 0]);
    assert!(plan("")[0].contains("add a table [rooms.standup]"), "{:?}", plan(""));
    assert!(plan("[rooms.standdup]")[0].contains("did you mean `standdup`?"));
}

#[test]
fn an_address_with_the_mask_of_its_network_is_told_and_taken_for_the_network() {
    let text = "[trunks.carrier]\nallow = [\"10.1.2.3/24\", \"2001:db8::7/64\", \"10.2.0.0/16\"]\n[rooms.lobby]\n[[routes]]\nname = \"In\"\n\
                from = \"carrier\"\nnumber = '1'\nroom = \"lobby\"\n";
    let found = told_of(text);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("\"10.1.2.0/24\" for the network, or \"10.1.2.3\""), "{found:?}");
    assert!(found[1].contains("2001:db8::/64"), "{found:?}");
    let plan = parse("dialplan.toml", text, &Trusting).unwrap().plan;
    assert!(plan.trunk_for("10.1.2.200".parse().unwrap()).is_some());
}

#[test]
fn the_summary_counts_in_plain_words_and_agrees_with_the_warnings() {
    let text = "[trunks.carrier]\nallow = \"192.0.2.1\"\n[rooms.a]\n[rooms.b]\n[[routes]]\nname = \"In\"\nfrom = \"carrier\"\nnumber = '1'\nroom = \"a\"\n";
    let summary = |text: &str| parse("dialplan.toml", text, &Trusting).unwrap().summary();
    assert_eq!(summary(text), "1 trunk, 2 rooms, 0 IVRs, 1 route; no mistakes");
    assert_eq!(summary(&text.replace("192.0.2.1", "192.0.2.1/24")), "1 trunk, 2 rooms, 0 IVRs, 1 route; 1 warning");
}
