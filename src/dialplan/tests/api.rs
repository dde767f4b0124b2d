//! `[api]`: who may use the HTTP API.

use super::mistakes::{told, with};
use super::*;

/// A good file with an HTTP server and this of `[api]`.
fn api(text: &str) -> String {
    with("gateway", "http = \"127.0.0.1:8080\"") + text
}

#[test]
fn a_token_is_kept_as_its_hash_with_its_role_and_rooms() {
    let hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let text = api(&format!(
        "[api.tokens.desk]\ntoken = {{ plain = \"0123456789abcdefghij\" }}\nrole = \"operator\"\nrooms = \"demo\"\n\
         [api.tokens.eye]\nsha256 = \"{hash}\"\nrole = \"viewer\"\n"
    ));
    let loaded = parse("dialplan.toml", &text, &Trusting).unwrap();
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    let [desk, eye] = &loaded.plan.api.tokens[..] else { panic!("{:?}", loaded.plan.api) };
    assert_eq!((desk.name.as_str(), desk.role, &desk.rooms), ("desk", ApiRole::Operator, &Some(vec!["demo".into()])));
    assert_eq!((eye.role, &eye.rooms, eye.hash[0], eye.hash[31]), (ApiRole::Viewer, &None, 0x9f, 0x08));
    assert!(!format!("{:?}", loaded.plan.api).contains("159"), "no octet of a hash");
}

#[test]
fn mistakes_with_tokens_are_told_where_they_are() {
    for (text, expected) in [
        ("[api.tokens.a]\nrole = \"viewer\"\n", "error: there is no token <a>"),
        (
            "[api.tokens.a]\ntoken = { env = \"A\" }\nsha256 = \"00\"\nrole = \"viewer\"\n",
            "error: a token and its hash <****>",
        ),
        ("[api.tokens.a]\nsha256 = \"00\"\nrole = \"viewer\"\n", "error: `sha256` is no SHA-256 <****>"),
        ("[api.tokens.a]\ntoken = { env = \"A\" }\n", "error: a token needs a role <a>"),
        ("[api.tokens.a]\ntoken = { env = \"A\" }\nrole = \"boss\"\n", "error: `role`"),
        (
            "[api.tokens.a]\ntoken = { env = \"A\" }\nrole = \"admin\"\nrooms = [\"demo\"]\n",
            "error: an admin has all rooms <[\"demo\"]>",
        ),
        (
            "[api.tokens.a]\ntoken = { env = \"A\" }\nrole = \"viewer\"\nrooms = []\n",
            "error: this token may see no room <[]>",
        ),
        ("[api.tokens.a]\ntoken = \"in clear\"\nrole = \"viewer\"\n", "error: a password does not belong"),
        ("[api.tokens.a]\nrole = \"viewer\"\ntokn = \"x\"\n", "error: a token has no key `tokn`"),
    ] {
        let told = told(&api(text));
        let found =
            told.iter().any(|one| one.split_once(' ').unwrap().1.starts_with(expected.split(" <").next().unwrap()));
        assert!(found, "{text}: {told:?}");
    }
}

#[test]
fn tokens_without_a_server_or_in_clear_are_warned_of() {
    let token = "[api.tokens.a]\ntoken = { env = \"A\" }\nrole = \"viewer\"\n";
    assert_eq!(told(&(with("gateway", "") + token)), ["18 warning: there is no HTTP server <a>"]);
    let open = with("gateway", "http = \"0.0.0.0:8080\"") + token;
    assert_eq!(told(&open), ["18 warning: tokens are sent in clear to 0.0.0.0:8080 <a>"]);
    let proxied = with("gateway", "http = \"0.0.0.0:8080\"\ntrusted_proxies = \"10.0.0.1\"") + token;
    assert!(told(&proxied).is_empty(), "{:?}", told(&proxied));
}

#[test]
fn a_short_token_and_one_that_two_have_are_refused() {
    let of = |token: &str| format!("token = {{ plain = \"{token}\" }}\nrole = \"viewer\"\n");
    let real = |text: &str| match parse("dialplan.toml", text, &Files::default()) {
        Ok(_) => String::new(),
        Err(found) => found.to_string(),
    };
    let text = |first: &str, second: &str| {
        let menu = with("gateway", "http = \"127.0.0.1:8080\"");
        menu + &format!("[api.tokens.a]\n{}[api.tokens.b]\n{}", of(first), of(second))
    };
    let (long, other) = ("0123456789abcdefghij", "1123456789abcdefghij");
    assert_eq!(real(&text(long, other)), "");
    assert!(real(&text(long, "short")).contains("this token is short"));
    assert!(real(&text(long, long)).contains("two tokens are the same"));
}
