//! The reference page of all settings, made of what stands beside each key in `raw`.

use super::raw::{
    RawAcme, RawApi, RawAuth, RawCollect, RawDigest, RawFetch, RawGateway, RawGatewayTls, RawIce, RawIvr, RawOpus,
    RawRecordings, RawRoom, RawRoute, RawSayTable, RawSecretTable, RawTables, RawThen, RawToken, RawTrunk, RawTrunkTls,
    RawUser, Setting,
};
use std::fmt::Write;

/// A table of the file: its heading, what to know before its keys, and the keys.
type Section = (&'static str, &'static str, &'static [Setting]);

const SECTIONS: [Section; 22] = [
    ("The file", "Each table stands under its own heading below.", RawTables::SETTINGS),
    ("[gateway]", "", RawGateway::SETTINGS),
    ("[gateway] tls = { … }", "", RawGatewayTls::SETTINGS),
    ("[gateway] acme = { … }", "", RawAcme::SETTINGS),
    ("[gateway] digest = { … }", "", RawDigest::SETTINGS),
    ("[gateway] opus = { … }", "", RawOpus::SETTINGS),
    ("[gateway] fetch = { … }", "", RawFetch::SETTINGS),
    ("[gateway] recordings = { … }", "", RawRecordings::SETTINGS),
    ("[api]", "", RawApi::SETTINGS),
    ("[api.tokens.NAME]", "One of `token` and `sha256` must be there, and `role`.", RawToken::SETTINGS),
    ("[ice]", "", RawIce::SETTINGS),
    ("[trunks.NAME]", "One of `address`, `allow` and `auth` must be there.", RawTrunk::SETTINGS),
    ("[trunks.NAME] tls = { … }", "", RawTrunkTls::SETTINGS),
    ("[trunks.NAME] auth = { … }", "", RawAuth::SETTINGS),
    ("A password", "Where it is to be found: one of these.", RawSecretTable::SETTINGS),
    ("[users.NAME]", "", RawUser::SETTINGS),
    ("[rooms.NAME]", "", RawRoom::SETTINGS),
    ("[ivr.NAME]", "", RawIvr::SETTINGS),
    (
        "What is said",
        "The name of a prompt or its text in quotes, or a table with one of these.",
        RawSayTable::SETTINGS,
    ),
    ("[ivr.NAME] collect = { … }", "", RawCollect::SETTINGS),
    ("[ivr.NAME] then = { … }", "One of `room` and `dial`.", RawThen::SETTINGS),
    ("[[routes]]", "A route has one of `ivr`, `room`, `to_user`, `trunk`, `trunks` and `reject`.", RawRoute::SETTINGS),
];

/// All settings, as a page of Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(
        "# Settings of dialplan.toml\n\n\
         This page is made of the sources by `make settings`; a test fails when it is stale. Times are written with their\n\
         unit (`\"500ms\"`, `\"10s\"`, `\"2m\"`, `\"1h\"`), networks as `\"203.0.113.0/24\"` or as one address; relative paths begin\n\
         at the folder of the file. What takes a list takes a single value too.\n",
    );
    for (heading, before, settings) in SECTIONS {
        let _ = write!(page, "\n## {heading}\n\n");
        if !before.is_empty() {
            let _ = write!(page, "{before}\n\n");
        }
        page.push_str("| setting | what it does | for example |\n|---|---|---|\n");
        for Setting { key, example, text } in settings {
            let example = if example.starts_with("a table") || example.starts_with("tables") {
                (*example).to_owned()
            } else {
                format!("`{}`", example.replace('|', "\\|"))
            };
            let _ = writeln!(page, "| `{key}` | {} | {example} |", text.trim().replace('|', "\\|"));
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialplan::{Trusting, parse};

    /// The page in the checkout, written anew if `WRITE_SETTINGS` is set.
    #[test]
    fn the_page_of_settings_is_not_stale() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/settings.md");
        if std::env::var_os("WRITE_SETTINGS").is_some() {
            std::fs::write(path, markdown()).expect("docs/settings.md can be written");
        }
        let page = std::fs::read_to_string(path).unwrap_or_default();
        assert!(page == markdown(), "docs/settings.md is stale: run `make settings`");
    }

    #[test]
    fn every_setting_says_what_it_does() {
        for (heading, _, settings) in SECTIONS {
            for setting in settings {
                assert!(setting.text.trim().ends_with('.'), "{heading} {}: {:?}", setting.key, setting.text);
            }
        }
    }

    /// A file with `line` in that section.
    fn with(heading: &str, line: &str) -> String {
        let at = |section: &str| if section == heading { line } else { "" };
        let within = |section: &str| if section == heading { format!(", {line}") } else { String::new() };
        let inline = |section: &str| if section == heading { line.to_owned() } else { String::new() };
        format!(
            "[gateway]\n{}\ndigest = {{ {} }}\nopus = {{ {} }}\n[trunks.carrier]\naddress = \"192.0.2.1\"\nusername = \"acme\"\n\
             caller_id = \"+442079460100\"\ntls = {{ {} }}\n{}\n[users.alice]\npassword = {{ env = \"P\" }}\n{}\n[rooms.demo]\n{}\n[ivr.menu]\n{}\ncollect = {{ {} }}\n\
             then = {{ room = \"by-pin\"{} }}\n[[routes]]\nname = \"Out\"\nfrom = \"sessions\"\nnumber = '\\+44\\d+'\ntrunk = \"carrier\"\n{}\n\
             [[routes]]\nname = \"In\"\nfrom = \"carrier\"\nnumber = '1'\nivr = \"menu\"\n{}\n",
            at("[gateway]"),
            inline("[gateway] digest = { … }"),
            inline("[gateway] opus = { … }"),
            inline("[trunks.NAME] tls = { … }"),
            at("[trunks.NAME]"),
            at("[users.NAME]"),
            at("[rooms.NAME]"),
            at("[ivr.NAME]"),
            inline("[ivr.NAME] collect = { … }"),
            within("[ivr.NAME] then = { … }"),
            if line.starts_with("answer_after") { "" } else { at("[[routes]]") },
            if line.starts_with("answer_after") { at("[[routes]]") } else { "" },
        )
    }

    #[test]
    fn what_is_called_a_default_is_what_an_absent_setting_means() {
        let plan = |text: &str| match parse("dialplan.toml", text, &Trusting) {
            Ok(loaded) => format!("{:?}", loaded.plan),
            Err(found) => panic!("{found}\n{text}"),
        };
        let absent = plan(&with("", ""));
        let mut looked_at = 0;
        for (heading, _, settings) in SECTIONS {
            for Setting { key, text, .. } in settings {
                let Some((value, _)) = text.split_once("Default `").and_then(|(_, rest)| rest.split_once('`')) else {
                    continue;
                };
                assert_eq!(plan(&with(heading, &format!("{key} = {value}"))), absent, "{heading} {key} = {value}");
                looked_at += 1;
            }
        }
        assert!(looked_at > 50, "{looked_at}");
    }
}
