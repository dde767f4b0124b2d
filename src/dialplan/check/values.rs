//! Single values: times, numbers, addresses, networks, words of a list.

use super::Checker;
use crate::dialplan::plan::TrunkAddress;
use crate::dialplan::raw::{Field, RawDuration};
use crate::dialplan::suggestion;
use crate::types::Network;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;
use toml::Spanned;

impl Checker<'_> {
    /// A text, or the default; empty and over-long texts are told.
    pub(super) fn text(&mut self, key: &str, field: &Field<String>) -> Option<String> {
        let value = field.get()?;
        let text = value.get_ref();
        if text.trim().is_empty() {
            self.sink.error(value.span(), format!("`{key}` is empty")).label("nothing here").help("take the line out");
            return None;
        }
        if text.chars().any(char::is_control) {
            self.sink.error(value.span(), format!("`{key}` has a control character in it")).label("not printable");
            return None;
        }
        Some(text.clone())
    }

    /// A path; relative ones begin at the dialplan's folder.
    pub(super) fn path(&mut self, key: &str, field: &Field<String>) -> Option<PathBuf> {
        self.text(key, field).map(|text| self.base.join(text))
    }

    /// A whole number within a range, or the default.
    pub(super) fn number(&mut self, key: &str, field: &Field<i64>, range: RangeInclusive<u32>) -> Option<u32> {
        let value = field.get()?;
        let number = u32::try_from(*value.get_ref()).ok().filter(|number| range.contains(number));
        if number.is_none() {
            let (least, most) = range.into_inner();
            let message = format!("`{key}` is from {least} to {most}");
            self.sink.error(value.span(), message).label("out of range");
        }
        number
    }

    /// A length of time within a range, or the default.
    pub(super) fn time(&mut self, key: &str, field: &Field<RawDuration>, least: &str, most: &str) -> Option<Duration> {
        let value = field.get()?;
        let Some(time) = parse_duration(&value.get_ref().0) else {
            self.sink
                .error(value.span(), format!("`{key}` is no length of time"))
                .label("a number and its unit")
                .help("units are ms, s, m and h: \"500ms\", \"10s\", \"2m\", \"1m30s\"");
            return None;
        };
        let bound = |text| parse_duration(text).expect("bounds are written in the source");
        if time < bound(least) || time > bound(most) {
            self.sink.error(value.span(), format!("`{key}` is from {least} to {most}")).label("out of range");
            return None;
        }
        Some(time)
    }

    /// An IP address without a port.
    pub(super) fn address(&mut self, key: &str, field: &Field<String>) -> Option<IpAddr> {
        let value = field.get()?;
        let parsed = value.get_ref().trim_matches(['[', ']']).parse::<IpAddr>();
        let fits = parsed.ok().filter(|address| !address.is_unspecified() && !address.is_multicast());
        if fits.is_none() {
            self.sink
                .error(value.span(), format!("`{key}` is no address that others could reach"))
                .label("an IP address without a port")
                .help("for example \"203.0.113.7\" or \"2001:db8::7\"");
        }
        fits
    }

    /// Networks in CIDR notation; a bare address is a network of one.
    pub(super) fn networks(&mut self, key: &str, field: &Field<Vec<Spanned<String>>>) -> Vec<Network> {
        let mut networks = Vec::new();
        for value in field.get().map(Spanned::get_ref).into_iter().flatten() {
            match parse_network(value.get_ref()) {
                Ok(network) => {
                    if network.address != network.first() {
                        let whole = format!("{}/{}", network.first(), network.prefix);
                        self.sink
                            .warning(value.span(), format!("`{key}` names an address and means a network"))
                            .label(format!("taken for {whole}"))
                            .help(format!(
                                "write \"{whole}\" for the network, or \"{}\" for that address",
                                network.address
                            ));
                    }
                    networks.push(network);
                }
                Err(reason) => {
                    self.sink
                        .error(value.span(), format!("`{key}` holds what is no network"))
                        .label(reason)
                        .help("for example \"203.0.113.0/24\", \"2001:db8::/32\", or one address");
                }
            }
        }
        networks
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&mut self, key: &str, value: &Spanned<String>, words: &[(&str, T)]) -> Option<T> {
        let found = words.iter().find(|(word, _)| word == value.get_ref());
        if found.is_none() {
            let help = suggestion::sentence(value.get_ref(), words.iter().map(|(word, _)| *word), "");
            self.sink.error(value.span(), format!("`{key}` knows no such word")).label("unknown").help(help);
        }
        found.map(|(_, meaning)| *meaning)
    }
}

/// `10s`, `500ms`, `1m30s`; at most a day's worth of digits each.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let unit = tail.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, after) = tail.split_at(unit);
        let number: u64 = number.parse().ok()?;
        let milliseconds = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        total = total.checked_add(Duration::from_millis(number.checked_mul(milliseconds)?))?;
        rest = after;
    }
    Some(total)
}

/// A network, or what is wrong with it.
pub(super) fn parse_network(text: &str) -> Result<Network, String> {
    let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let Ok(address) = address.parse::<IpAddr>() else { return Err("no IP address".into()) };
    let Some(prefix) = prefix else { return Ok(Network::host(address)) };
    let longest: u8 = if address.is_ipv4() { 32 } else { 128 };
    match prefix.parse::<u8>() {
        Ok(prefix) if prefix <= longest => Ok(Network { address, prefix }),
        _ => Err(format!("a prefix is from 0 to {longest}")),
    }
}

/// `host`, `host:port`, `192.0.2.1`, `[2001:db8::1]:5060`, `2001:db8::1`.
pub(super) fn parse_host(text: &str) -> Result<TrunkAddress, &'static str> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(TrunkAddress { host: address.to_string(), port: None });
    }
    if text.contains("://") || text.starts_with("sip:") || text.starts_with("sips:") {
        return Err("the host alone, without a scheme");
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && !text.ends_with(']') => match port.parse::<u16>() {
            Ok(port) if port > 0 => (host, Some(port)),
            _ => return Err("a port is from 1 to 65535"),
        },
        _ => (text, None),
    };
    if let Some(inner) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        let address = inner.parse::<std::net::Ipv6Addr>().map_err(|_| "no IPv6 address in the brackets")?;
        return Ok(TrunkAddress { host: address.to_string(), port });
    }
    if let Ok(address) = host.parse::<std::net::Ipv4Addr>() {
        return Ok(TrunkAddress { host: address.to_string(), port });
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let name = host.strip_suffix('.').unwrap_or(host);
    let numeric_end = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    if name.len() <= 253 && !numeric_end && name.split('.').all(label) {
        return Ok(TrunkAddress { host: name.to_ascii_lowercase(), port });
    }
    Err("neither a host name nor an IP address")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_units() {
        for (text, milliseconds) in
            [("10s", 10_000), ("500ms", 500), ("2m", 120_000), ("1m30s", 90_000), ("1h", 3_600_000)]
        {
            assert_eq!(parse_duration(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "10", "s", "10 s", "1d", "99999999999999999999s", "18446744073709551615h", "-1s", "1.5s"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn networks_are_read_and_bad_prefixes_are_not() {
        assert_eq!(parse_network("203.0.113.0/24").unwrap().prefix, 24);
        assert_eq!(parse_network("::1").unwrap(), Network::host("::1".parse().unwrap()));
        for text in ["203.0.113.0/33", "::/129", "203.0.113.0/", "carrier.example", "203.0.113/24", ""] {
            assert!(parse_network(text).is_err(), "{text}");
        }
    }

    #[test]
    fn hosts_are_names_or_addresses_with_or_without_ports() {
        for (text, shown) in [
            ("sip.carrier.example", "sip.carrier.example"),
            ("SIP.Carrier.Example:5080", "sip.carrier.example:5080"),
            ("192.0.2.1:5060", "192.0.2.1:5060"),
            ("[2001:db8::1]:5060", "[2001:db8::1]:5060"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
        ] {
            assert_eq!(parse_host(text).unwrap().to_string(), shown, "{text}");
        }
        for text in
            ["", "sip:carrier.example", "a b", "host:0", "host:99999", "192.0.2.300", "-a.example", "[::1", ":5060"]
        {
            assert!(parse_host(text).is_err(), "{text}");
        }
    }
}
