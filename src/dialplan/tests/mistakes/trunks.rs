//! Mistakes in `[trunks.*]`.

use super::{assert_told, mistakes, told, with};
use crate::dialplan::*;

#[test]
fn single_mistakes_of_trunks_are_told_where_they_are() {
    assert_told(&[
        (
            "trunk",
            "proxy = \"sip:a.example;transport=sctp\"",
            "5 error: `proxy` is no SIP address of a host <\"sip:a.example;transport=sctp\">",
        ),
        (
            "trunk",
            "tls = { name = \"a.example:5061\" }",
            "5 error: `name` is no name that a certificate holds <\"a.example:5061\">",
        ),
        ("trunk", "password = \"hunter2\"", "5 error: a password does not belong into the dialplan <\"*******\">"),
        ("trunk", "password = { env = \"A\" }", "5 error: a password without a user name <{ env = \"A\" }>"),
        ("trunk", "media = \"10.0.0.0/33\"", "5 error: `media` holds what is no network <\"10.0.0.0/33\">"),
        ("trunk", "caller_id = \"0207\"", "5 error: `caller_id` is an international number <\"0207\">"),
        ("trunk", "number_from = [\"too\"]", "5 error: `number_from` knows no such word <\"too\">"),
        ("trunk", "100rel = \"always\"", "5 error: `100rel` knows no such word <\"always\">"),
        ("trunk", "srtp = \"maybe\"", "5 error: `srtp` knows no such word <\"maybe\">"),
        ("trunk", "srtp = \"required\"", "5 error: every call of this trunk would be refused <\"required\">"),
        ("trunk", "srtp = \"opportunistic\"", "5 warning: SRTP is not offered to this trunk <\"opportunistic\">"),
        ("trunk", "srtp_keys_in_clear = true", "5 warning: `srtp_keys_in_clear` is for trunks with `srtp` <true>"),
        ("trunk", "automatic_gain = 20", "5 error: `automatic_gain` takes true or false, not a number <20>"),
        (
            "trunk",
            "noise_suppression = true",
            "5 warning: 4000 calls may come by this trunk, and there is time to suppress the noise of 400 <true>",
        ),
        (
            "trunk",
            "noise_suppression = true\ncodecs = [\"opus\", \"pcmu\"]\nmax_calls = 401",
            "5 warning: 401 calls may come by this trunk, and there is time to suppress the noise of 400 <true>",
        ),
        ("trunk", "max_calls_per_second = 0", "5 error: `max_calls_per_second` is from 1 to 10000 <0>"),
        ("trunk", "max_calls_per_secnd = 5", "5 error: a trunk has no key `max_calls_per_secnd` <max_calls_per_secnd>"),
        ("trunk", "digits = \"inband\"", "5 error: `digits` knows no such word <\"inband\">"),
        ("trunk", "redirects = \"yes\"", "5 error: `redirects` takes true or false, not a string <\"yes\">"),
        ("trunk", "refer = \"blind\"", "5 error: `refer` takes true or false, not a string <\"blind\">"),
        ("trunk", "replaces = 1", "5 error: `replaces` takes true or false, not a number <1>"),
        ("trunk", "session_expires = \"10s\"", "5 error: `session_expires` is from 90s to 24h <\"10s\">"),
        ("trunk", "media_timeout = \"5s\"", "5 error: `media_timeout` is from 10s to 24h <\"5s\">"),
        ("trunk", "media = \"::/0\"", "5 warning: this trunk takes sound from anywhere <\"::/0\">"),
        (
            "trunk",
            "[trunks.open]\nallow = \"0.0.0.0/0\"",
            "6 warning: this trunk takes calls from anywhere <\"0.0.0.0/0\">",
        ),
        (
            "trunk",
            "[trunks.twin]\nallow = \"127.0.0.1\"",
            "6 warning: trunk `local` gets all calls from here <\"127.0.0.1\">",
        ),
        ("trunk", "[trunks.none]", "5 error: trunk `none` has neither `address` nor `allow` nor `auth` <none>"),
        ("trunk", "[trunks.users]\nallow = \"192.0.2.1\"", "5 error: `users` cannot be a trunk's name <users>"),
    ]);
}

#[test]
fn registration_needs_address_user_and_password() {
    assert_eq!(
        told(&with("trunk", "register = true")),
        [
            "3 error: registration needs `address` <local>",
            "3 error: registration needs `username` <local>",
            "3 error: registration needs `password` <local>",
        ]
    );
}

#[test]
fn a_bulk_registration_needs_the_same_and_its_numbers_come_in_the_request_uri() {
    let account = "address = \"a.example\"\nusername = \"acme\"\npassword = { env = \"P\" }";
    assert_eq!(told(&with("trunk", "register = \"bulk\"")).len(), 3);
    let wrong = told(&with("trunk", &format!("register = \"bluk\"\n{account}")));
    assert!(wrong.len() == 1 && wrong[0].contains("register") && wrong[0].contains("bluk"), "{wrong:?}");
    assert_eq!(told(&with("trunk", &format!("register = 1\n{account}"))).len(), 1);
    assert!(told(&with("trunk", &format!("register = \"bulk\"\n{account}"))).is_empty());
    let elsewhere = told(&with("trunk", &format!("register = \"bulk\"\nnumber_from = \"to\"\n{account}")));
    assert!(elsewhere.len() == 1 && elsewhere[0].contains("elsewhere first"), "{elsewhere:?}");
}

/// The mistakes of a file whose secrets are what `environment` says.
fn told_with(environment: &'static str, text: &str) -> Vec<String> {
    struct World(&'static str);
    impl Checks for World {
        fn environment(&self, _: &str) -> Option<String> {
            Some(self.0.into())
        }
        fn secret_file(&self, _: &std::path::Path) -> Result<String, String> {
            Ok(self.0.into())
        }
        fn sound(&self, _: &SoundSource, _: &FetchSettings) -> Result<(), String> {
            Ok(())
        }
        fn prompts(&self, _: &std::path::Path, _: &str) -> Result<Option<Vec<PromptText>>, String> {
            Ok(None)
        }
    }
    let found = match parse("dialplan.toml", text, &World(environment)) {
        Ok(loaded) => loaded.warnings,
        Err(found) => found,
    };
    assert!(!found.to_string().contains(environment), "no secret is shown");
    found.iter().map(|one| one.message.clone()).collect()
}

#[test]
fn what_callers_prove_themselves_with_is_checked() {
    let trunk = |auth: &str| with("trunk", &format!("auth = {auth}"));
    assert_eq!(told_with("long and random!", &trunk(r#"{ username = "pbx", password = { env = "P" } }"#)), [""; 0]);
    assert_eq!(
        told_with("hunter2", &trunk(r#"{ username = "pbx", password = { env = "P" } }"#)),
        ["this password is short"]
    );
    assert_eq!(told_with("long and random!", &trunk(r#"{ password = { env = "P" } }"#)), ["`auth` needs a user name"]);
    assert_eq!(told_with("long and random!", &trunk(r#"{ username = "pbx" }"#)), ["`auth` needs a password"]);
    let both = r#"{ username = "pbx", password = { env = "P" }, ha1 = { env = "H" } }"#;
    assert_eq!(told_with("long and random!", &trunk(both)), ["a password and its hash"]);
    let hashed = trunk(r#"{ username = "pbx", ha1 = { env = "H" } }"#);
    for good in [
        "0123456789abcdef0123456789ABCDEF",
        "SHA-256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef, md5:0123456789abcdef0123456789abcdef",
    ] {
        assert_eq!(told_with(good, &hashed), [""; 0], "{good}");
    }
    let no_hash = ["`ha1` holds what is no hash of user name, realm and password"];
    for bad in ["0123456789abcdef", "SHA-1:0123456789abcdef0123456789abcdef", "MD5:x123456789abcdef0123456789abcdef"] {
        assert_eq!(told_with(bad, &hashed), no_hash, "{bad}");
    }
    let other = "SHA-512-256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    assert_eq!(told_with(other, &hashed), ["`ha1` is for no algorithm that is offered"]);
    let twice = hashed + "[trunks.other]\nauth = { username = \"pbx\", ha1 = { env = \"H\" } }\n";
    assert_eq!(
        told_with("0123456789abcdef0123456789abcdef", &twice),
        ["trunk `local` has the same user name for its callers"]
    );
    let unknown = with("gateway", "digest = { algorithms = [\"SHA-1\", \"MD5\", \"MD5\"] }");
    assert_eq!(told_with("no secret", &unknown), ["`algorithms` knows no such word", "this is named twice"]);
}

#[test]
fn a_trunks_habits_are_checked() {
    for (line, message) in [
        ("preset = \"sipgat\"", "5 error: there is no preset `sipgat` <\"sipgat\">"),
        ("country = \"UK\"", "5 error: there is no such country <\"UK\">"),
        ("identity = \"pai\"", "5 error: `identity` knows no such word <\"pai\">"),
        ("number_format = \"national\"", "5 error: national numbers of which country? <\"national\">"),
        ("from = \"username\"", "5 error: From is to hold a user name, and there is none <\"username\">"),
    ] {
        assert_eq!(told(&with("trunk", line)), [message], "{line}");
    }
    assert!(mistakes(&with("trunk", "preset = \"sipgat\"")).to_string().contains("did you mean `sipgate`?"));
    for preset in crate::dialplan::preset::PRESETS {
        let line = format!("preset = \"{}\"\nusername = \"acme\"", preset.name);
        assert_eq!(told(&with("trunk", &line)), [""; 0], "{line}");
    }
}

#[test]
fn srtp_without_a_safe_way_for_its_keys_needs_the_administrators_word() {
    let message = mistakes(&with("trunk", "srtp = \"required\"")).to_string();
    assert!(message.contains("its keys would travel in the clear over udp"), "{message}");
    assert!(message.contains("srtp_keys_in_clear = true"), "{message}");
    for word in ["opportunistic", "required"] {
        let text = with("trunk", &format!("srtp = \"{word}\"\nsrtp_keys_in_clear = true"));
        assert!(told(&text).is_empty(), "{:?}", told(&text));
    }
    assert!(told(&with("trunk", "srtp = \"off\"")).is_empty());
}

#[test]
fn noise_that_there_is_time_to_suppress_is_warned_of_only_where_nothing_is_done() {
    for (place, line) in [
        ("trunk", "noise_suppression = false"),
        ("trunk", "noise_suppression = true\nmax_calls = 400"),
        ("room", "noise_suppression = true\nmax_members = 400"),
        ("gateway", "max_calls = 800\nmedia_threads = 2\n[trunks.x]\nallow = \"192.0.2.1\"\nnoise_suppression = true"),
    ] {
        assert_eq!(told(&with(place, line)), [""; 0], "{line}");
    }
    let opus = told(&with("trunk", "noise_suppression = true\ncodecs = \"opus\""));
    assert!(opus.contains(&"5 warning: noise is not suppressed in sound of 48 kHz <true>".to_owned()), "{opus:?}");
}
