//! Mistakes in `[[routes]]` and `[users.*]`.

use super::{assert_told, mistakes, told, with};

#[test]
fn single_mistakes_of_routes_and_users_are_told_where_they_are() {
    assert_told(&[
        ("route", "for_room = \"conf_\"", "17 error: this does not say where the room's name stands <\"conf_\">"),
        ("route", "premium = true", "17 error: `premium` goes with `trunk` or `trunks` <true>"),
        ("route", "ring_timeout = \"10s\"", "17 error: `ring_timeout` goes with `trunk` or `trunks` <\"10s\">"),
        ("route", "trunk = \"local\"", "17 error: this route leads to two places <\"local\">"),
        ("route", "answer_after = \"61s\"", "17 error: `answer_after` is from 0s to 60s <\"61s\">"),
        ("route", "room = \"x\"", "17 error: this route leads to two places <\"x\">"),
        ("route", "scenario = \"x\"", "17 error: this route leads to two places <\"x\">"),
        ("route", "to_user = \"x\"", "17 error: this route leads to two places <\"x\">"),
        (
            "route",
            "[[routes]]\nname = \"B\"\nfrom = \"local\"\nnumber = '2'\nto_user = \"direct\"",
            "19 error: direct calls are between users <\"local\">",
        ),
        (
            "route",
            "[[routes]]\nname = \"B\"\nfrom = \"local\"\nnumber = '2'\nto_user = \"a b\"",
            "21 error: this cannot be the name of a user <\"a b\">",
        ),
        (
            "route",
            "[users.alice]\n[[routes]]\nname = \"B\"\nfrom = \"users\"\nnumber = '2'\nroom = \"x\"",
            "17 error: a user needs a password <alice>",
        ),
        (
            "route",
            "[users.\"a@b\"]\npassword = { env = \"P\" }\n[[routes]]\nname = \"B\"\nfrom = \"users\"\nnumber = '2'\nroom = \"x\"",
            "17 error: this cannot be the name of a user <\"a@b\">",
        ),
        ("route", "[users.alice]\npassword = { env = \"P\" }", "17 warning: no route takes calls from users <alice>"),
        (
            "route",
            "[[routes]]\nname = \"B\"\nfrom = \"local\"\nnumber = '2'",
            "17 error: this route leads nowhere <[[routes]]>",
        ),
        (
            "route",
            "[[routes]]\nname = \"B\"\nnumber = '2'\nroom = \"x\"",
            "17 error: this route has no `from` <[[routes]]>",
        ),
        (
            "route",
            "[[routes]]\nname = \"B\"\nfrom = []\nnumber = '2'\nroom = \"x\"",
            "19 error: this route takes calls from nowhere <[]>",
        ),
        (
            "route",
            "[[routes]]\nname = \"First\"\nfrom = \"local\"\nnumber = '2'\nroom = \"x\"",
            "18 error: two routes are called `First` <\"First\">",
        ),
        (
            "route",
            "[[routes]]\nname = \"B\"\nfrom = \"local\"\nnumber = '1000'\nroom = \"x\"",
            "20 error: no call can reach route `B` <'1000'>",
        ),
        (
            "route",
            "[[routes]]\nname = \"B\"\nfrom = [\"local\", \"users\"]\nnumber = '1000'\nroom = \"x\"",
            "20 warning: no call from trunk local can reach route `B` <'1000'>",
        ),
        (
            "route",
            "[[routes]]\nname = \"B\"\nfrom = \"local\"\nnumber = '2'\nroom = \"x{caller}\"",
            "21 error: a room's name has a placeholder that means nothing <{caller}>",
        ),
        (
            "route",
            "[[routes]]\nname = \"B\"\nfrom = \"local\"\nnumber = '2'\nroom = \"{digits}\"",
            "21 error: `{digits}` needs digits <\"{digits}\">",
        ),
        (
            "route",
            "[[routes]]\nname = \"B\"\nfrom = \"local\"\nnumber = '2'\nivr = \"menue\"",
            "21 error: there is no ivr `menue` <\"menue\">",
        ),
        (
            "route",
            "[[routes]]\nname = \"B\"\nfrom = \"local\"\nnumber = '2'\nreject = 302",
            "21 error: a call is refused with a SIP status <302>",
        ),
        (
            "route",
            "[rooms.s]\npin = \"482917\"\n[[routes]]\nname = \"B\"\nfrom = \"local\"\nnumber = '.*'\nroom = \"{number}\"",
            "23 warning: callers get into room `s` without its PIN <\"{number}\">",
        ),
    ]);
}

#[test]
fn routes_above_may_hide_one_together() {
    let more = "[[routes]]\nname = \"B\"\nfrom = \"local\"\nnumber = '2\\d*'\nroom = \"x\"\n\
                [[routes]]\nname = \"C\"\nfrom = \"local\"\nnumber = '1234|2345'\nroom = \"x\"";
    let found = mistakes(&with("route", more));
    assert!(found.to_string().contains("`B` and those above it take every such number first"), "{found}");
}

#[test]
fn mistakes_of_calls_out_are_told_where_they_are() {
    let plan = |route: &str, then: &str| {
        format!(
            "[trunks.carrier]\naddress = \"192.0.2.1\"\ncaller_id = \"+442079460100\"\n[trunks.inward]\nallow = \"192.0.2.9\"\n\
             [ivr.on]\nsay = \"a b\"\nthen = {then}\n[[routes]]\nname = \"In\"\nfrom = \"carrier\"\nnumber = \"1\"\nivr = \"on\"\n\
             [[routes]]\nname = \"Out\"\nnumber = '\\+44\\d+'\n{route}\n"
        )
    };
    let (out, on) = ("from = \"sessions\"\ntrunk = \"carrier\"", "{ dial = \"+442079460123\" }");
    assert_eq!(told(&plan(out, on)), Vec::<String>::new());
    for (route, then, expected) in [
        ("from = \"sessions\"\ntrunk = \"carier\"", on, "there is no trunk `carier` <\"carier\">"),
        ("from = \"sessions\"\ntrunks = [\"inward\"]", on, "trunk `inward` cannot be called <\"inward\">"),
        ("from = \"sessions\"\ntrunks = []", on, "this route names no trunk <[]>"),
        (
            "from = \"carrier\"\ntrunk = \"carrier\"",
            on,
            "a route to a trunk takes calls of sessions alone <\"carrier\">",
        ),
        (
            "from = \"sessions\"\ntrunk = \"carrier\"\nmax_duration = \"1s\"",
            on,
            "`max_duration` is from 10s to 24h <\"1s\">",
        ),
        (
            "from = \"sessions\"\ntrunk = \"carrier\"\nanswer_after = \"1s\"",
            on,
            "a call out is answered by the callee <\"1s\">",
        ),
        (out, "{ dial = \"+4930123456\" }", "this number is not called <\"+4930123456\">"),
        (out, "{ dial = \"112\" }", "this number is not called <\"112\">"),
        (out, "{ dial = \"+442079460123\", room = \"x\" }", "`room` does not go with `dial` <\"x\">"),
        (out, "{ room = \"x\", confirm = true }", "`confirm` goes with `dial` <true>"),
    ] {
        let found = told(&plan(route, then));
        assert!(found.iter().any(|line| line.ends_with(expected)), "{expected}: {found:#?}");
    }
    let all = plan(out, on)
        .replace("'\\+44\\d+'", "'\\+\\d+'")
        .replace("trunk = \"carrier\"", "trunk = \"carrier\"\npremium = true");
    let found = told(&all);
    assert!(found.iter().any(|line| line.contains("allows every premium number of the world")), "{found:#?}");
}
