//! `[gateway]`: addresses, ports, folders, limits.

use super::values::parse_host;
use super::{Checker, auth, codecs, database, identity, room, say, web};
use crate::dialplan::log_levels;
use crate::dialplan::number::NumberRules;
use crate::dialplan::plan::{FetchSettings, Gateway, ListenAddress, Retention, SipTransport, TrunkAddress};
use crate::dialplan::raw::{Field, RawFetch, RawGateway, RawRecordings};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::{Range, RangeInclusive};
use std::time::Duration;
use toml::Spanned;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const DEFAULT_PORTS: RangeInclusive<u16> = 20_000..=29_999;

pub(super) fn check(checker: &mut Checker<'_>, raw: &RawGateway, has_users: bool) -> Gateway {
    let listening = listening(checker, raw);
    let by_tls = listening.iter().find(|(address, _)| address.transport == SipTransport::Tls);
    let web = web::check(checker, raw, by_tls.map(|(_, place)| place.clone()));
    conflicts(checker, &listening, &web.places);
    let rtp_ports = ports(checker, raw, &listening);
    let max_calls = checker.number("max_calls", &raw.max_calls, 1..=100_000);
    let pairs = u32::from(rtp_ports.end().saturating_sub(*rtp_ports.start())).saturating_add(1) / 2;
    if let (Some(calls), Some(value)) = (max_calls, raw.max_calls.get())
        && calls > pairs
    {
        let warning = checker.sink.warning(value.span(), "there are fewer media ports than calls");
        warning.label(format!("two ports for each call; `rtp_ports` has enough for {pairs}"));
        warning.help("widen `rtp_ports` or lower `max_calls`");
    }
    let data = checker.path("data", &raw.data).unwrap_or_else(|| checker.base.join("var"));
    let domain = domain(checker, &raw.domain);
    let fetch = fetch(checker, &raw.fetch);
    let music = say::music(checker, &fetch, &raw.music);
    Gateway {
        sip: listening.into_iter().map(|(address, _)| address).collect(),
        certificate: web.certificate,
        http: web.http,
        https: web.https,
        https_certificate: web.https_certificate,
        acme: web.acme,
        ice_tcp: web.ice_tcp,
        trusted_proxies: checker.networks("trusted_proxies", &raw.trusted_proxies),
        origins: web::origins(checker, &raw.origins),
        rtp_ports,
        public_address: checker.address("public_address", &raw.public_address),
        local_net: checker.networks("local_net", &raw.local_net),
        dns: dns(checker, &raw.dns),
        language: checker.language(&raw.language).unwrap_or_else(|| "en-GB".into()),
        prompts: checker.path("prompts", &raw.prompts).unwrap_or_else(|| checker.base.join("prompts")),
        digest: auth::digest(checker, &raw.digest, domain.as_deref(), has_users),
        database: database::check(checker, &raw.database, &data),
        domain,
        numbers: numbers(checker, raw),
        access_number: room::access_number(checker, &raw.access_number),
        media_threads: checker
            .number("media_threads", &raw.media_threads, 1..=256)
            .and_then(|threads| usize::try_from(threads).ok()),
        loudest: checker.number("loudest", &raw.loudest, 1..=1_000).unwrap_or(8),
        pin_budget: checker.number("pin_budget", &raw.pin_budget, 1..=100_000).unwrap_or(60),
        max_calls: max_calls.unwrap_or(pairs.min(4_000)),
        dial_limit: checker.number("dial_limit", &raw.dial_limit, 1..=1_000).unwrap_or(20),
        dial_rate: checker.number("dial_rate", &raw.dial_rate, 1..=1_000).unwrap_or(10),
        call_records: checker.path("call_records", &raw.call_records).unwrap_or_else(|| data.join("calls.jsonl")),
        control: checker.path("control", &raw.control).unwrap_or_else(|| data.join("partyline.sock")),
        codecs: codecs::policy(checker, &raw.codecs).unwrap_or_default(),
        opus: codecs::opus(checker, &raw.opus),
        comfort_noise: raw.comfort_noise.get().is_none_or(|value| *value.get_ref()),
        music,
        fetch,
        recordings: recordings(checker, &raw.recordings),
        dscp: checker.number("dscp", &raw.dscp, 0..=63).and_then(|dscp| u8::try_from(dscp).ok()).unwrap_or(46),
        log: log(checker, &raw.log).unwrap_or_else(|| "info".into()),
        data,
    }
}

/// A host's name: users who write it are here.
fn domain(checker: &mut Checker<'_>, field: &Field<String>) -> Option<String> {
    let text = checker.text("domain", field)?;
    let is_name = |host: &TrunkAddress| host.port.is_none() && host.ip().is_none();
    if parse_host(&text).is_ok_and(|host| is_name(&host)) {
        return Some(text.to_ascii_lowercase());
    }
    let place = field.get()?.span();
    checker
        .sink
        .error(place, "`domain` is no host name")
        .label("a name, without scheme and port")
        .help("for example \"sip.example.com\"; take the line out where users register for an address");
    None
}

fn fetch(checker: &mut Checker<'_>, field: &Field<RawFetch>) -> FetchSettings {
    let standard = FetchSettings::default();
    let Some(raw) = field.get().map(Spanned::get_ref) else { return standard };
    FetchSettings {
        allow: checker.networks("allow", &raw.allow),
        limit: checker.number("limit", &raw.limit, 1..=1_024).map_or(standard.limit, |limit| u64::from(limit) << 20),
        timeout: checker.time("timeout", &raw.timeout, "1s", "10m").unwrap_or(standard.timeout),
    }
}

fn recordings(checker: &mut Checker<'_>, field: &Field<RawRecordings>) -> Retention {
    let Some(raw) = field.get().map(Spanned::get_ref) else { return Retention::default() };
    let days = checker.number("days", &raw.days, 1..=3_650);
    let size = checker.number("size", &raw.size, 1..=1 << 24);
    Retention { age: days.map(|days| DAY.saturating_mul(days)), size: size.map(|mebibytes| u64::from(mebibytes) << 20) }
}

fn log(checker: &mut Checker<'_>, field: &Field<String>) -> Option<String> {
    let text = checker.text("log", field)?;
    let why = match log_levels(&text) {
        Ok(levels) => return Some(levels),
        Err(why) => why,
    };
    let mistake = checker.sink.error(field.get()?.span(), why);
    mistake
        .label("what is to be logged?")
        .help("write a level, or levels by module: log = \"info,partyline::net=debug\"");
    None
}

/// Servers by their addresses: names of name servers would have to be looked up.
fn dns(checker: &mut Checker<'_>, field: &Field<Vec<Spanned<String>>>) -> Vec<SocketAddr> {
    let Some(list) = field.get() else { return Vec::new() };
    let mut servers = Vec::new();
    for value in list.get_ref() {
        let text = value.get_ref().as_str();
        let server = text.parse::<SocketAddr>().ok().or_else(|| {
            let ip = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok()?;
            Some(SocketAddr::new(ip, 53))
        });
        match server.filter(|server| server.port() != 0 && !server.ip().is_unspecified()) {
            Some(server) if servers.contains(&server) => {
                checker.sink.warning(value.span(), "this is named twice").label("asked already").help("take it out");
            }
            Some(server) => servers.push(server),
            None => {
                checker
                    .sink
                    .error(value.span(), "no DNS server can be asked there")
                    .label("an IP address, and a port if it is not 53")
                    .help("for example \"192.0.2.53\" or \"127.0.0.1:5353\"");
            }
        }
    }
    if list.get_ref().is_empty() {
        checker
            .sink
            .error(list.span(), "`dns` is empty")
            .label("no names could be looked up")
            .help("take the line out for the servers of this machine");
    }
    servers
}

pub(super) type Placed<T> = (T, Range<usize>);

fn listening(checker: &mut Checker<'_>, raw: &RawGateway) -> Vec<Placed<ListenAddress>> {
    if raw.sip.is_absent() {
        let both = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
        return [SipTransport::Udp, SipTransport::Tcp]
            .into_iter()
            .flat_map(|transport| {
                both.map(|ip| (ListenAddress { transport, address: SocketAddr::new(ip, 5060) }, 0..0))
            })
            .collect();
    }
    let Some(list) = raw.sip.get() else { return Vec::new() };
    if list.get_ref().is_empty() {
        checker
            .sink
            .error(list.span(), "no address to take SIP on")
            .label("empty")
            .help("for example: sip = [\"udp://0.0.0.0:5060\", \"tcp://0.0.0.0:5060\"]");
    }
    let mut addresses = Vec::new();
    for value in list.get_ref() {
        match listen_address(value.get_ref()) {
            Ok(address) => addresses.push((address, value.span())),
            Err((message, label)) => {
                checker
                    .sink
                    .error(value.span(), message)
                    .label(label)
                    .help("for example \"udp://0.0.0.0:5060\" or \"tcp://[::]:5060\"");
            }
        }
    }
    addresses
}

fn listen_address(text: &str) -> Result<ListenAddress, (&'static str, &'static str)> {
    const NO_ADDRESS: &str = "SIP cannot be taken on this address";
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err((NO_ADDRESS, "begins with udp://, tcp:// or tls://"));
    };
    let transport = match scheme {
        "udp" => SipTransport::Udp,
        "tcp" => SipTransport::Tcp,
        "tls" => SipTransport::Tls,
        "ws" | "wss" => return Err(("SIP over WebSocket is taken by the HTTP server", "not one of udp, tcp and tls")),
        _ => return Err((NO_ADDRESS, "begins with udp://, tcp:// or tls://")),
    };
    let standard = if transport == SipTransport::Tls { 5061 } else { 5060 };
    let address = rest
        .parse::<SocketAddr>()
        .or_else(|_| rest.trim_matches(['[', ']']).parse::<IpAddr>().map(|ip| SocketAddr::new(ip, standard)))
        .map_err(|_| (NO_ADDRESS, "an IP address and a port"))?;
    if address.port() == 0 {
        return Err((NO_ADDRESS, "port 0 is no port that others could call"));
    }
    Ok(ListenAddress { transport, address })
}

fn conflicts(checker: &mut Checker<'_>, sip: &[Placed<ListenAddress>], web: &[Placed<SocketAddr>]) {
    let web = web.iter().map(|(address, span)| (SipTransport::Tcp, *address, span.clone()));
    let all = sip.iter().map(|(one, span)| (one.transport, one.address, span.clone())).chain(web);
    let mut earlier: Vec<(SipTransport, SocketAddr, Range<usize>)> = Vec::new();
    for (transport, address, span) in all {
        let clash = earlier
            .iter()
            .find(|(other, taken, _)| is_stream(*other) == is_stream(transport) && clash(*taken, address));
        if let Some((_, taken, first)) = clash {
            let (port, taken) = (address.port(), *taken);
            checker
                .sink
                .error(span.clone(), format!("{} port {port} is taken twice", transport.as_str()))
                .label("cannot be listened on as well")
                .also(first.clone(), format!("{taken} holds it already"))
                .help("take one of the two out, or give it another port");
        }
        earlier.push((transport, address, span));
    }
}

/// TCP and TLS share their ports.
fn is_stream(transport: SipTransport) -> bool {
    transport != SipTransport::Udp
}

fn clash(one: SocketAddr, other: SocketAddr) -> bool {
    let same_address = one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() == other.port() && one.is_ipv4() == other.is_ipv4() && same_address
}

fn ports(checker: &mut Checker<'_>, raw: &RawGateway, sip: &[Placed<ListenAddress>]) -> RangeInclusive<u16> {
    let Some(value) = raw.rtp_ports.get() else { return DEFAULT_PORTS };
    let range = parse_ports(value.get_ref());
    let Some(range) = range else {
        checker
            .sink
            .error(value.span(), "`rtp_ports` is no range of ports")
            .label("two ports from 1024 to 65535, the lower first, an even one and its neighbour at least")
            .help("for example: rtp_ports = \"20000-29999\"");
        return DEFAULT_PORTS;
    };
    let inside =
        |one: &&Placed<ListenAddress>| one.0.transport == SipTransport::Udp && range.contains(&one.0.address.port());
    if let Some((address, place)) = sip.iter().find(inside) {
        let error = checker.sink.error(value.span(), "SIP listens on one of the media ports");
        error.label(format!("holds port {}", address.address.port())).help("choose a range that leaves it out");
        if !place.is_empty() {
            error.also(place.clone(), "listens here");
        }
    }
    range
}

/// The range, begun at an even port (RFC 3550 section 11).
fn parse_ports(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-')?;
    let (first, last): (u16, u16) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    let first = first.checked_add(first % 2)?;
    (first >= 1024 && first < last).then_some(first..=last)
}

fn numbers(checker: &mut Checker<'_>, raw: &RawGateway) -> NumberRules {
    let named = identity::country(checker, &raw.country);
    if let (Some(_), Some(value)) = (&named, raw.country_code.get()) {
        let warning = checker.sink.warning(value.span(), "`country` says the country code already");
        warning.label("goes first").help("take one of the two out");
    }
    let standard = named.unwrap_or_default();
    let country_code = digits(checker, "country_code", &raw.country_code, 1..=3, "\"44\"");
    let country_code = country_code.filter(|code| {
        let fits = !code.starts_with('0');
        if let (false, Some(value)) = (fits, raw.country_code.get()) {
            checker.sink.error(value.span(), "no country code begins with 0").label("not a country code");
        }
        fits
    });
    NumberRules {
        country_code: country_code.or(standard.country_code),
        by_plan: standard.by_plan,
        bare: false,
        national_prefix: digits(checker, "national_prefix", &raw.national_prefix, 0..=4, "\"0\"")
            .unwrap_or(standard.national_prefix),
        international_prefix: digits(checker, "international_prefix", &raw.international_prefix, 1..=5, "\"00\"")
            .unwrap_or(standard.international_prefix),
    }
}

fn digits(
    checker: &mut Checker<'_>,
    key: &str,
    field: &Field<String>,
    length: RangeInclusive<usize>,
    example: &str,
) -> Option<String> {
    let value: &Spanned<String> = field.get()?;
    let text = value.get_ref().strip_prefix('+').unwrap_or(value.get_ref());
    if length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.to_owned());
    }
    let (least, most) = length.into_inner();
    let label = format!("{least} to {most} digits");
    checker.sink.error(value.span(), format!("`{key}` is digits")).label(label).help(format!("for example {example}"));
    None
}
