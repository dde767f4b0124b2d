//! `[trunks.*]`.

use super::values::{parse_host, parse_network};
use super::{Checker, auth, codecs, identity, suppression, tls};
use crate::dialplan::plan::{
    DigitTransport, Gateway, NumberSource, Proxy, Register, ReliableProvisional, SessionTimer, SipTransport,
    SrtpPolicy, Trunk, TrunkAddress,
};
use crate::dialplan::raw::{Field, RawDuration, RawRegister, RawTrunk};
use crate::types::Network;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;

/// Names that mean something else in a route's `from`.
const RESERVED: [&str; 2] = ["users", "sessions"];

const TRANSPORTS: [(&str, SipTransport); 3] =
    [("udp", SipTransport::Udp), ("tcp", SipTransport::Tcp), ("tls", SipTransport::Tls)];
/// How often a trunk is asked whether it is there.
const PING: Duration = Duration::from_secs(30);
const NUMBER_SOURCES: [(&str, NumberSource); 4] = [
    ("request-uri", NumberSource::RequestUri),
    ("to", NumberSource::To),
    ("p-called-party-id", NumberSource::PCalledPartyId),
    ("diversion", NumberSource::Diversion),
];
const REGISTER: [(&str, Register); 1] = [("bulk", Register::Bulk)];
const DIGITS: [(&str, DigitTransport); 2] = [("rfc4733", DigitTransport::Rtp), ("info", DigitTransport::Info)];
const RELIABLE: [(&str, ReliableProvisional); 3] = [
    ("never", ReliableProvisional::Never),
    ("required", ReliableProvisional::WhenRequired),
    ("supported", ReliableProvisional::WhenSupported),
];

const SRTP: [(&str, SrtpPolicy); 3] =
    [("off", SrtpPolicy::Off), ("opportunistic", SrtpPolicy::Opportunistic), ("required", SrtpPolicy::Required)];

pub(super) fn check(
    checker: &mut Checker<'_>,
    raw: &[(Spanned<String>, RawTrunk)],
    gateway: &Gateway,
) -> Vec<Arc<Trunk>> {
    let mut trunks = Vec::new();
    for (name, raw) in raw {
        let trunk = one(checker, name, raw, gateway);
        same_user(checker, &trunks, &trunk, raw);
        overlap(checker, &trunks, &trunk, raw);
        trunks.push((Arc::new(trunk), name.span()));
    }
    trunks.into_iter().map(|(trunk, _)| trunk).collect()
}

fn one(checker: &mut Checker<'_>, name: &Spanned<String>, raw: &RawTrunk, gateway: &Gateway) -> Trunk {
    checker.name("trunk", name);
    if RESERVED.contains(&name.get_ref().as_str()) {
        checker
            .sink
            .error(name.span(), format!("`{}` cannot be a trunk's name", name.get_ref()))
            .label("means other calls in a route's `from`")
            .help("give the trunk another name");
    }
    let address = addresses(checker, raw);
    let allow = if raw.allow.is_absent() {
        address.iter().filter_map(TrunkAddress::ip).map(Network::host).collect()
    } else {
        checker.networks("allow", &raw.allow)
    };
    open_to_all(checker, raw);
    let accepts = raw.tls.get().is_some_and(|tls| !tls.get_ref().accept.is_absent());
    if raw.address.is_absent() && raw.allow.is_absent() && raw.auth.is_absent() && !accepts {
        checker
            .sink
            .error(name.span(), format!("trunk `{}` has neither `address` nor `allow` nor `auth`", name.get_ref()))
            .label("nobody can be called, and nobody may call in")
            .help("say where it is (address = [\"sip.carrier.example\"]) or whose calls it takes (allow = [\"203.0.113.0/24\"]), or what its callers know (auth = { username = \"pbx\", password = { env = \"PBX_PASSWORD\" } })");
    }
    let (identity, numbers) = identity::check(checker, raw, &gateway.numbers);
    let trunk = Trunk {
        name: name.get_ref().clone(),
        address,
        transport: raw.transport.get().and_then(|value| checker.word("transport", value, &TRANSPORTS)),
        proxy: proxy(checker, &raw.proxy),
        tls: tls::trunk(checker, &raw.tls),
        ping: ping(checker, &raw.ping, !raw.address.is_absent()),
        allow,
        media: checker.networks("media", &raw.media),
        public_address: checker.address("public_address", &raw.public_address),
        username: checker.text("username", &raw.username),
        password: auth::password(checker, &raw.password),
        realm: checker.text("realm", &raw.realm),
        auth: auth::trunk(checker, &raw.auth, &gateway.digest),
        register: register(checker, &raw.register),
        expires: checker.time("expires", &raw.expires, "1m", "24h").unwrap_or(Duration::from_secs(3_600)),
        caller_id: caller_id(checker, &raw.caller_id),
        identity,
        numbers,
        max_calls: checker.number("max_calls", &raw.max_calls, 1..=100_000),
        max_calls_per_second: checker.number("max_calls_per_second", &raw.max_calls_per_second, 1..=10_000),
        redirects: raw.redirects.get().is_some_and(|value| *value.get_ref()),
        refer: raw.refer.get().is_some_and(|value| *value.get_ref()),
        replaces: raw.replaces.get().is_some_and(|value| *value.get_ref()),
        failover_on_480: raw.failover_on_480.get().is_some_and(|value| *value.get_ref()),
        codecs: codecs::policy(checker, &raw.codecs).unwrap_or_else(|| gateway.codecs.clone()),
        digits: raw.digits.get().and_then(|value| checker.word("digits", value, &DIGITS)).unwrap_or_default(),
        number_from: number_from(checker, raw),
        session_timer: session_timer(checker, raw),
        media_timeout: checker
            .time("media_timeout", &raw.media_timeout, "10s", "24h")
            .unwrap_or(Duration::from_secs(60)),
        reliable: raw
            .reliable
            .get()
            .and_then(|value| checker.word("100rel", value, &RELIABLE))
            .unwrap_or(ReliableProvisional::WhenRequired),
        srtp: raw.srtp.get().and_then(|value| checker.word("srtp", value, &SRTP)).unwrap_or_default(),
        srtp_keys_in_clear: raw.srtp_keys_in_clear.get().is_some_and(|value| *value.get_ref()),
        automatic_gain: raw.automatic_gain.get().is_some_and(|value| *value.get_ref()),
        noise_suppression: raw.noise_suppression.get().is_some_and(|value| *value.get_ref()),
    };
    media_security(checker, &trunk, gateway, raw);
    suppression::trunk(checker, &raw.noise_suppression, &trunk, gateway);
    credentials(checker, name.span(), &trunk, raw);
    bulk(checker, &trunk, raw);
    trunk
}

fn addresses(checker: &mut Checker<'_>, raw: &RawTrunk) -> Vec<TrunkAddress> {
    let mut addresses = Vec::new();
    for value in raw.address.get().map(Spanned::get_ref).into_iter().flatten() {
        match parse_host(value.get_ref()) {
            Ok(address) => addresses.push(address),
            Err(label) => {
                checker
                    .sink
                    .error(value.span(), "a trunk cannot be reached at this address")
                    .label(label)
                    .help("for example \"sip.carrier.example\", \"203.0.113.7:5060\" or \"[2001:db8::7]:5060\"");
            }
        }
    }
    addresses
}

/// `sip:proxy.carrier.example:5060;transport=tcp`, or the host alone.
fn proxy(checker: &mut Checker<'_>, field: &Field<String>) -> Option<Proxy> {
    let value = field.get()?;
    let written = value.get_ref().as_str();
    let (secure, rest) = match (written.strip_prefix("sips:"), written.strip_prefix("sip:")) {
        (Some(rest), _) => (true, rest),
        (None, rest) => (false, rest.unwrap_or(written)),
    };
    let mut parts = rest.split(';');
    let address = parse_host(parts.next().unwrap_or_default());
    let mut transport = secure.then_some(SipTransport::Tls);
    let mut unknown = None;
    for part in parts {
        let (name, word) = part.split_once('=').unwrap_or((part, ""));
        let known = TRANSPORTS.iter().find(|(known, _)| word.eq_ignore_ascii_case(known));
        match (name, known) {
            ("lr", _) => {}
            ("transport", Some((_, known))) if !secure => transport = Some(*known),
            _ => unknown = Some("takes `transport=udp`, `tcp` or `tls` and `lr`"),
        }
    }
    match (address, unknown) {
        (Ok(address), None) => Some(Proxy { address, transport }),
        (address, unknown) => {
            checker
                .sink
                .error(value.span(), "`proxy` is no SIP address of a host")
                .label(address.err().or(unknown).unwrap_or_default())
                .help("for example \"sip:proxy.carrier.example\" or \"sip:192.0.2.7:5060;transport=tcp\"");
            None
        }
    }
}

/// How often to ask whether a trunk is there; one without an address cannot be asked.
fn ping(checker: &mut Checker<'_>, field: &Field<RawDuration>, has_address: bool) -> Option<Duration> {
    match field.get() {
        Some(value) if value.get_ref().0 == "off" => None,
        Some(value) if !has_address => {
            let warning = checker.sink.warning(value.span(), "`ping` is for trunks with an address");
            warning.label("has no effect").help("add an `address`, or take it out");
            None
        }
        Some(_) => checker.time("ping", field, "5s", "1h"),
        None => has_address.then_some(PING),
    }
}

/// Warns of a trunk anybody in the world may call in by, or send sound to.
fn open_to_all(checker: &mut Checker<'_>, raw: &RawTrunk) {
    for (field, what, help) in [
        (&raw.allow, "calls", "name the networks your provider calls from"),
        (&raw.media, "sound", "name the networks your provider sends sound from"),
    ] {
        for value in field.get().map(Spanned::get_ref).into_iter().flatten() {
            if parse_network(value.get_ref()).is_ok_and(|network| network.prefix == 0) {
                let warning = checker.sink.warning(value.span(), format!("this trunk takes {what} from anywhere"));
                warning.label("every address there is").help(help);
            }
        }
    }
}

/// Whether the keys of SRTP have a safe way to the other side.
fn media_security(checker: &mut Checker<'_>, trunk: &Trunk, gateway: &Gateway, raw: &RawTrunk) {
    let off = raw.srtp.is_absent() || raw.srtp.get().is_some_and(|value| value.get_ref() == "off");
    if let (true, Some(value)) = (off, raw.srtp_keys_in_clear.get()) {
        let warning = checker.sink.warning(value.span(), "`srtp_keys_in_clear` is for trunks with `srtp`");
        warning.label("has no effect").help("add: srtp = \"required\"");
    }
    // A name without a transport may be found to speak TLS (RFC 3263); who only calls in chooses among what we listen
    // on.
    let takes_tls = gateway.sip.iter().any(|listen| listen.transport == SipTransport::Tls);
    let by_name = trunk.address.iter().any(|address| address.ip().is_none());
    let may_be_tls = by_name || (trunk.address.is_empty() && takes_tls);
    let transport = trunk.transport.or((!may_be_tls).then_some(SipTransport::Udp));
    let in_clear = matches!(transport, Some(SipTransport::Udp | SipTransport::Tcp));
    let Some(value) = raw.srtp.get().filter(|_| in_clear && !trunk.speaks_srtp(false)) else { return };
    let transport = transport.map_or("udp", SipTransport::as_str);
    let help = "encrypt the signalling (transport = \"tls\"), or, where nobody can listen to it (a tunnel, a network of \
                your own), say: srtp_keys_in_clear = true";
    match trunk.srtp {
        SrtpPolicy::Off => {}
        SrtpPolicy::Opportunistic => {
            let warning = checker.sink.warning(value.span(), "SRTP is not offered to this trunk");
            warning.label(format!("its keys would travel in the clear over {transport}")).help(help);
        }
        SrtpPolicy::Required => {
            let error = checker.sink.error(value.span(), "every call of this trunk would be refused");
            error
                .label(format!("SRTP is required, and its keys would travel in the clear over {transport}"))
                .help(help);
        }
    }
}

/// What a password needs beside it, and registration needs.
fn credentials(checker: &mut Checker<'_>, name: Range<usize>, trunk: &Trunk, raw: &RawTrunk) {
    if let (true, Some(value)) = (raw.username.is_absent(), raw.password.get()) {
        checker
            .sink
            .error(value.span(), "a password without a user name")
            .label("whose?")
            .help("add: username = \"acme\"");
    }
    if let (true, Some(value)) = (raw.password.is_absent(), raw.realm.get()) {
        checker.sink.warning(value.span(), "a realm without a password").label("has no effect").help("take it out");
    }
    let Some(register) = raw.register.get().filter(|_| trunk.register != Register::No) else {
        if let Some(value) = raw.expires.get() {
            let warning = checker.sink.warning(value.span(), "`expires` is for trunks we register at");
            warning.label("has no effect").help("add: register = true");
        }
        return;
    };
    let needs = [
        ("address", raw.address.is_absent(), "address = [\"sip.carrier.example\"]"),
        ("username", raw.username.is_absent(), "username = \"acme\""),
        ("password", raw.password.is_absent(), "password = { env = \"CARRIER_PASSWORD\" }"),
    ];
    for (key, absent, example) in needs {
        if absent {
            checker
                .sink
                .error(name.clone(), format!("registration needs `{key}`"))
                .label(format!("has no `{key}`"))
                .also(register.span(), "registers")
                .help(format!("add: {example}"));
        }
    }
}

fn register(checker: &mut Checker<'_>, field: &Field<RawRegister>) -> Register {
    match field.get().map(Spanned::get_ref) {
        None | Some(RawRegister::Plain(false)) => Register::No,
        Some(RawRegister::Plain(true)) => Register::Account,
        // What is misspelt was meant to register somehow: what that needs is told as well.
        Some(RawRegister::Word(word)) => checker.word("register", word, &REGISTER).unwrap_or(Register::Account),
    }
}

/// Calls to a bulk Contact have their number in the request URI, and nowhere else for certain.
fn bulk(checker: &mut Checker<'_>, trunk: &Trunk, raw: &RawTrunk) {
    let (Register::Bulk, Some(register), Some(list)) = (trunk.register, raw.register.get(), raw.number_from.get())
    else {
        return;
    };
    if trunk.number_from.first() != Some(&NumberSource::RequestUri) {
        checker
            .sink
            .warning(list.span(), "the called number is looked for elsewhere first")
            .label("a bulk registration's calls have it in the request URI")
            .also(register.span(), "registers all numbers at once")
            .help("take the line out, or begin with \"request-uri\"");
    }
}

fn caller_id(checker: &mut Checker<'_>, field: &Field<String>) -> Option<String> {
    let value = field.get()?;
    let digits = value.get_ref().strip_prefix('+');
    let fits = digits.is_some_and(|digits| {
        (3..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    if !fits {
        checker
            .sink
            .error(value.span(), "`caller_id` is an international number")
            .label("`+`, country code, number, no blanks (E.164)")
            .help("for example \"+442079460100\"");
    }
    fits.then(|| value.get_ref().clone())
}

fn number_from(checker: &mut Checker<'_>, raw: &RawTrunk) -> Vec<NumberSource> {
    let standard = || vec![NumberSource::RequestUri, NumberSource::To];
    let Some(list) = raw.number_from.get() else { return standard() };
    let mut sources = Vec::new();
    for value in list.get_ref() {
        let Some(source) = checker.word("number_from", value, &NUMBER_SOURCES) else { continue };
        if sources.contains(&source) {
            checker.sink.warning(value.span(), "this is named twice").label("looked at already").help("take it out");
        } else {
            sources.push(source);
        }
    }
    if list.get_ref().is_empty() {
        checker
            .sink
            .error(list.span(), "`number_from` is empty")
            .label("the called number must come from somewhere")
            .help("take the line out for the usual order: [\"request-uri\", \"to\"]");
    }
    if sources.is_empty() { standard() } else { sources }
}

fn session_timer(checker: &mut Checker<'_>, raw: &RawTrunk) -> SessionTimer {
    let expires = checker.time("session_expires", &raw.session_expires, "90s", "24h");
    let min = checker.time("min_session_expires", &raw.min_session_expires, "90s", "24h");
    let timer = SessionTimer {
        expires: expires.unwrap_or(Duration::from_secs(1_800)),
        min: min.unwrap_or(Duration::from_secs(90)),
    };
    if let (true, Some(value)) = (timer.min > timer.expires, raw.min_session_expires.get()) {
        checker
            .sink
            .error(value.span(), "`min_session_expires` is longer than `session_expires`")
            .label("longer than what we ask for ourselves")
            .help("make it as long at most");
    }
    timer
}

/// Two trunks whose callers give one user name could not be told apart.
fn same_user(checker: &mut Checker<'_>, earlier: &[(Arc<Trunk>, Range<usize>)], trunk: &Trunk, raw: &RawTrunk) {
    let (Some(auth), Some(value)) = (&trunk.auth, raw.auth.get()) else { return };
    let same = |other: &Trunk| other.auth.as_ref().is_some_and(|other| other.username == auth.username);
    if let Some((other, place)) = earlier.iter().find(|(other, _)| same(other)) {
        checker
            .sink
            .error(value.span(), format!("trunk `{}` has the same user name for its callers", other.name))
            .label("which of the two would it be?")
            .also(place.clone(), "the other trunk")
            .help("give each trunk a user name of its own");
    }
}

/// Warns when two trunks take calls from one address: the first gets them all, unless accounts tell them apart.
fn overlap(checker: &mut Checker<'_>, earlier: &[(Arc<Trunk>, Range<usize>)], trunk: &Trunk, raw: &RawTrunk) {
    let values = raw.allow.get().map(Spanned::get_ref).into_iter().flatten();
    let networks = values.filter_map(|value| Some((parse_network(value.get_ref()).ok()?, value.span())));
    for (network, span) in networks {
        let holds = |other: &Trunk| {
            other.allow.iter().any(|wide| wide.prefix <= network.prefix && wide.contains(network.address))
        };
        // One of the two may have a Contact without a user: its calls are those for nobody else's.
        let told_apart = |other: &Trunk| match (other.register, trunk.register) {
            (Register::No, _) | (_, Register::No) | (Register::Bulk, Register::Bulk) => false,
            (Register::Account | Register::Bulk, Register::Account | Register::Bulk) => true,
        };
        let taken = earlier.iter().find(|(other, _)| holds(other) && !told_apart(other));
        if let Some((other, place)) = taken {
            checker
                .sink
                .warning(span, format!("trunk `{}` gets all calls from here", other.name))
                .label("belongs to an earlier trunk already")
                .also(place.clone(), "the first that fits is taken")
                .help("take the network out of one of the two");
        }
    }
}
