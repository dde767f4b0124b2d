//! `[ice]`.

use super::Checker;
use super::auth::password;
use crate::dialplan::plan::Ice;
use crate::dialplan::raw::{Field, RawIce};
use toml::Spanned;

pub(super) fn check(checker: &mut Checker<'_>, field: &Field<RawIce>) -> Ice {
    let standard = Ice::default();
    let Some(raw) = field.get().map(Spanned::get_ref) else { return standard };
    let ice = Ice {
        stun: urls(checker, &raw.stun, &["stun", "stuns"], "\"stun:stun.example.com\""),
        turn: urls(checker, &raw.turn, &["turn", "turns"], "\"turns:turn.example.com:443?transport=tcp\""),
        turn_secret: password(checker, &raw.turn_secret),
        turn_lifetime: checker.time("turn_lifetime", &raw.turn_lifetime, "1m", "24h").unwrap_or(standard.turn_lifetime),
    };
    if let Some(turn) = raw.turn.get().filter(|turn| !turn.get_ref().is_empty() && raw.turn_secret.is_absent()) {
        checker
            .sink
            .error(turn.span(), "these TURN servers let nobody in without a password")
            .label("no `turn_secret`")
            .help("add what they share with us: turn_secret = { env = \"TURN_SECRET\" }");
    }
    if let Some(secret) = raw.turn_secret.get().filter(|_| raw.turn.is_absent()) {
        checker
            .sink
            .warning(secret.span(), "a secret of no TURN server")
            .label("has no effect")
            .help("name the servers: turn = [\"turn:turn.example.com\"]");
    }
    ice
}

/// URLs of servers, `SCHEME:HOST`, `SCHEME:HOST:PORT`, and of TURN with `?transport=udp` or `?transport=tcp`.
fn urls(
    checker: &mut Checker<'_>,
    field: &Field<Vec<Spanned<String>>>,
    schemes: &[&str],
    example: &str,
) -> Vec<String> {
    let Some(list) = field.get() else { return Vec::new() };
    let mut found = Vec::new();
    for value in list.get_ref() {
        if is_url(value.get_ref(), schemes) {
            found.push(value.get_ref().clone());
        } else {
            let label = format!("`{}:`, a host, and a port if it is not the usual one", schemes.join(":` or `"));
            checker
                .sink
                .error(value.span(), "this is the URL of no such server")
                .label(label)
                .help(format!("for example {example}"));
        }
    }
    found
}

fn is_url(text: &str, schemes: &[&str]) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    let takes_transport = scheme.starts_with("turn");
    let is_query = query.is_none_or(|query| takes_transport && matches!(query, "transport=udp" | "transport=tcp"));
    let (host, port) = match place.strip_prefix('[') {
        Some(ip6) => match ip6.split_once(']') {
            Some((host, "")) => (host, None),
            Some((host, after)) => (host, after.strip_prefix(':').or(Some(""))),
            None => return false,
        },
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    let is_host = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':'));
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    schemes.contains(&scheme) && is_host && is_port && is_query
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_servers_are_told_from_what_looks_like_them() {
        let turn = |text| is_url(text, &["turn", "turns"]);
        for good in [
            "turn:turn.example.com",
            "turns:turn.example.com:443?transport=tcp",
            "turn:192.0.2.7:3478?transport=udp",
            "turn:[2001:db8::7]",
            "turns:[2001:db8::7]:5349",
        ] {
            assert!(turn(good), "{good}");
        }
        for bad in [
            "turn.example.com",
            "turn:",
            "turn://turn.example.com",
            "turn:turn.example.com:0",
            "turn:turn.example.com:x",
            "turn:turn.example.com?transport=sctp",
            "turn:user@turn.example.com",
            "turn:[2001:db8::7",
            "turn:[2001:db8::7]5349",
            "stun:stun.example.com",
            "https://turn.example.com",
        ] {
            assert!(!turn(bad), "{bad}");
        }
        assert!(is_url("stun:stun.example.com:3478", &["stun", "stuns"]));
        assert!(!is_url("stun:stun.example.com?transport=tcp", &["stun", "stuns"]));
    }
}
