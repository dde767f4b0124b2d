//! Mistakes in `[rooms.*]` and `[ivr.*]`.

use super::assert_told;

#[test]
fn single_mistakes_of_rooms_and_ivrs_are_told_where_they_are() {
    assert_told(&[
        ("room", "pin = 482917", "7 error: a PIN stands in quotes <******>"),
        ("room", "pin = \"123\"", "7 error: this is no PIN <\"***\">"),
        ("room", "pin = \"48291748291\"", "7 error: no caller could key this PIN <\"***********\">"),
        ("room", "pin = \"482917\"\nhost_pin = \"482917\"", "8 error: a PIN opens one room, in one way <\"******\">"),
        (
            "room",
            "pin = \"482917\"\n[rooms.b]\npin = \"482917\"",
            "9 error: a PIN opens one room, in one way <\"******\">",
        ),
        ("room", "mute = [\"eccho\"]", "7 error: `mute` knows no such word <\"eccho\">"),
        ("room", "mute = [\"echo\", \"echo\"]", "7 warning: this is named twice <\"echo\">"),
        (
            "room",
            "noise_suppression = true",
            "7 warning: 4000 calls may be in this room, and there is time to suppress the noise of 400 <true>",
        ),
        ("room", "announce = \"tune\"", "7 error: `announce` knows no such word <\"tune\">"),
        ("room", "access_number = \"ask Anna\"", "7 error: `access_number` is no number to read out <\"ask Anna\">"),
        ("room", "max_members = 0", "7 error: `max_members` is from 1 to 10000 <0>"),
        (
            "room",
            "invited_call = \"joinconf\"",
            "7 error: no route leads users from this number to a scenario <\"joinconf\">",
        ),
        ("room", "record = true", "7 error: `record` is not supported in this version <record>"),
        ("room", "music = \"x.wav\"", "7 warning: this music is never heard <\"x.wav\">"),
        ("room", "alone = \"music\"\nmusic = \"ftp://x/y\"", "8 error: this sound cannot be fetched <\"ftp://x/y\">"),
        ("ivr", "say = \"a b\"\nfile = \"c.wav\"", "12 error: `say` and `file` are both given <\"c.wav\">"),
        (
            "ivr",
            "say = { prompt = \"a\", file = \"b\" }",
            "11 error: one thing is said at a time <{ prompt = \"a\", file = \"b\" }>",
        ),
        ("ivr", "greetings = { '+44' = \"x y\" }", "11 error: this is no number pattern <+>"),
        (
            "ivr",
            "[ivr.other]\nsay = \"a b\"\nthen = { room = \"demo\" }",
            "11 warning: no route leads to ivr `other` <other>",
        ),
    ]);
}
