//! The dialplan as written: every value with its place in the file, nothing judged but its kind.
//!
//! The TOML tree is walked by hand, since serde stops at the first mistake and this must find them all.

mod read;

pub(super) use read::{Field, Meant, Mismatch, Named, Read, Shape, Value};

use super::diagnostic::Sink;
use read::table;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

type Strings = Vec<Spanned<String>>;

/// Reads a whole file. What is no TOML is told, and the rest is read all the same.
pub(super) fn read(text: &str, sink: &mut Sink) -> RawPlan {
    let (table, errors) = DeTable::parse_recoverable(text);
    let broken = !errors.is_empty();
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let help = mend(text, &span, error.message());
        sink.syntax(text, span, format!("this is not TOML: {}", error.message()), help);
    }
    let span = table.span();
    let value = Spanned::new(span, DeValue::Table(table.into_inner()));
    let mut plan = RawPlan::read(&value, sink).unwrap_or_default();
    plan.broken = broken;
    plan
}

/// What to write instead, for the mistakes that TOML invites to.
fn mend(text: &str, span: &Range<usize>, message: &str) -> Option<String> {
    let before = text.get(..span.start).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |at| at.saturating_add(1));
    let line = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let is_single_table =
        |name| line.trim_start().strip_prefix('[').is_some_and(|rest: &str| rest.trim_start().starts_with(name));
    if message.contains("duplicate") && is_single_table("routes") {
        return Some("each route begins with [[routes]], in two brackets".into());
    }
    if message.contains("escape") && line.contains('"') && line.contains('\\') {
        return Some("a pattern stands in single quotes, which leave \\ as it is: number = '\\+4420\\d+'".into());
    }
    None
}

/// The whole file.
#[derive(Debug, Default)]
pub(super) struct RawPlan {
    /// Some of the file could not be read at all, so that absence proves nothing.
    pub broken: bool,
    /// Its tables.
    pub tables: RawTables,
}

impl RawPlan {
    fn read(value: &Value<'_>, sink: &mut Sink) -> Option<Self> {
        if let DeValue::Table(tables) = value.get_ref()
            && let Some((key, written)) = tables.get_key_value("routes")
            && written.get_ref().is_table()
        {
            sink.error(key.span(), "routes are a list, and this is a single table")
                .label("[routes]")
                .help("each route begins with [[routes]], in two brackets");
        }
        RawTables::read(value, sink).ok().map(|tables| Self { broken: false, tables })
    }
}

table! {
    /// The top of the file.
    RawTables, "the dialplan", later ["users", "scenarios", "voices", "store"],
    {
        gateway: RawGateway = "a table [gateway]",
        trunks: Named<RawTrunk> = "a table [trunks.NAME]",
        rooms: Named<RawRoom> = "a table [rooms.NAME]",
        ivr: Named<RawIvr> = "a table [ivr.NAME]",
        routes: Vec<Spanned<RawRoute>> = "tables [[routes]]",
    }
}

table! {
    /// `[gateway]`.
    RawGateway, "[gateway]", later ["stun", "api_key"],
    {
        sip: Strings = r#"["udp://0.0.0.0:5060", "tcp://0.0.0.0:5060"]"#,
        tls: RawGatewayTls = r#"{ certificate = "tls/chain.pem", key = "tls/key.pem" }"#,
        http: String = r#""0.0.0.0:8080""#,
        rtp_ports: String = r#""20000-29999""#,
        public_address: String = r#""203.0.113.7""#,
        local_net: Strings = r#"["10.0.0.0/8"]"#,
        dns: Strings = r#"["192.0.2.53"]"#,
        language: String = r#""en-GB""#,
        data: String = r#""var""#,
        prompts: String = r#""prompts""#,
        digest: RawDigest = r#"{ realm = "partyline", algorithms = ["SHA-256", "MD5"] }"#,
        country: String = r#""GB""#,
        country_code: String = r#""44""#,
        national_prefix: String = r#""0""#,
        international_prefix: String = r#""00""#,
        media_threads: i64 = "2",
        pin_budget: i64 = "60",
        max_calls: i64 = "4000",
        dial_limit: i64 = "20",
        dial_rate: i64 = "10",
        call_records: String = r#""var/calls.jsonl""#,
        control: String = r#""var/partyline.sock""#,
        dscp: i64 = "46",
        log: String = r#""info""#,
    }
}

table! {
    /// `[gateway.tls]`.
    RawGatewayTls, "[gateway.tls]", later ["ciphers", "versions"],
    {
        certificate: String = r#""tls/chain.pem""#,
        key: String = r#""tls/key.pem""#,
    }
}

table! {
    /// `[trunks.*.tls]`.
    RawTrunkTls, "a trunk's tls", later ["ciphers", "versions"],
    {
        certificate: String = r#""tls/acme.pem""#,
        key: String = r#""tls/acme.key.pem""#,
        ca: String = r#""tls/carrier-ca.pem""#,
        name: String = r#""sip.carrier.example""#,
        wildcard: bool = "true",
        verify: bool = "false",
        accept: Strings = r#"["sip.carrier.example"]"#,
    }
}

table! {
    /// `[trunks.*]`.
    RawTrunk, "a trunk", later ["backup", "record"],
    {
        preset: String = r#""sipgate""#,
        address: Strings = r#"["sip.carrier.example"]"#,
        transport: String = r#""udp""#,
        proxy: String = r#""sip:proxy.carrier.example""#,
        tls: RawTrunkTls = r#"{ ca = "tls/carrier-ca.pem" }"#,
        ping: RawDuration = r#""30s""#,
        allow: Strings = r#"["203.0.113.0/24"]"#,
        media: Strings = r#"["198.51.100.0/22"]"#,
        public_address: String = r#""203.0.113.7""#,
        username: String = r#""acme""#,
        password: RawSecret = r#"{ env = "CARRIER_PASSWORD" }"#,
        realm: String = r#""carrier.example""#,
        auth: RawAuth = r#"{ username = "pbx", password = { env = "PBX_PASSWORD" } }"#,
        register: RawRegister = "true",
        expires: RawDuration = r#""1h""#,
        caller_id: String = r#""+442079460100""#,
        country: String = r#""GB""#,
        trusted: bool = "true",
        identity: String = r#""p-asserted-identity""#,
        from: String = r#""number""#,
        number_format: String = r#""+e164""#,
        bare_numbers: bool = "true",
        show_caller: bool = "true",
        diversion: bool = "true",
        max_calls: i64 = "30",
        max_calls_per_second: i64 = "10",
        redirects: bool = "true",
        refer: bool = "true",
        replaces: bool = "true",
        failover_on_480: bool = "true",
        digits: String = r#""rfc4733""#,
        number_from: Strings = r#"["request-uri", "to"]"#,
        session_expires: RawDuration = r#""30m""#,
        min_session_expires: RawDuration = r#""90s""#,
        media_timeout: RawDuration = r#""60s""#,
        reliable as "100rel": String = r#""required""#,
        srtp: String = r#""required""#,
        srtp_keys_in_clear: bool = "true",
    }
}

table! {
    /// `auth = { … }` of a trunk.
    RawAuth, "auth", later [],
    {
        username: String = r#""pbx""#,
        password: RawSecret = r#"{ env = "PBX_PASSWORD" }"#,
        ha1: RawSecret = r#"{ env = "PBX_HA1" }"#,
    }
}

table! {
    /// `digest = { … }` of the gateway.
    RawDigest, "digest", later [],
    {
        realm: String = r#""partyline""#,
        algorithms: Strings = r#"["SHA-256", "MD5"]"#,
        body: bool = "false",
    }
}

table! {
    /// `[rooms.*]`.
    RawRoom, "a room", later ["music", "record", "moderated", "locked"],
    {
        pin: RawPin = r#""482917""#,
        host_pin: RawPin = r#""775310""#,
        announce: String = r#""tone""#,
        max_members: i64 = "50",
    }
}

table! {
    /// `[ivr.*]`.
    RawIvr, "an ivr", later ["menu", "voice"],
    {
        language: String = r#""en-GB""#,
        say: RawSay = r#""Hello, please enter your PIN.""#,
        file: String = r#""welcome.wav""#,
        greetings: Named<RawSay> = r#"{ '\+442079460100' = "Welcome to Acme." }"#,
        collect: RawCollect = r##"{ digits = "4-10", end = "#" }"##,
        wrong: RawSay = r#"{ prompt = "wrong-pin" }"#,
        timeout: RawSay = r#"{ prompt = "no-input" }"#,
        goodbye: RawSay = r#"{ prompt = "goodbye" }"#,
        blocked: RawSay = r#"{ prompt = "pin-blocked" }"#,
        first: RawSay = r#"{ prompt = "first-here" }"#,
        full: RawSay = r#"{ prompt = "room-full" }"#,
        then: RawThen = r#"{ room = "by-pin" }"#,
    }
}

table! {
    /// `collect = { … }`.
    RawCollect, "collect", later [],
    {
        digits: String = r#""4-10""#,
        end: String = r##""#""##,
        restart: String = r#""*""#,
        first_digit: RawDuration = r#""10s""#,
        next_digit: RawDuration = r#""5s""#,
        tries: i64 = "3",
    }
}

table! {
    /// `then = { … }`.
    RawThen, "then", later ["ivr", "scenario", "hangup"],
    {
        room: String = r#""by-pin""#,
        open_rooms: bool = "true",
        dial: String = r#""+442079460123""#,
        confirm: bool = "true",
    }
}

table! {
    /// `[[routes]]`.
    RawRoute, "a route", later ["scenario", "to_user", "dial", "record"],
    {
        name: String = r#""InboundFromPSTN""#,
        from: Strings = r#""carrier""#,
        number: String = r#"'\+4420794601\d\d'"#,
        ivr: String = r#""conference""#,
        room: String = r#""standup""#,
        trunk: String = r#""carrier""#,
        trunks: Strings = r#"["carrier", "second"]"#,
        reject: i64 = "404",
        premium: bool = "true",
        ring_timeout: RawDuration = r#""60s""#,
        max_duration: RawDuration = r#""4h""#,
        confirm: bool = "true",
        answer_after: RawDuration = r#""3s""#,
    }
}

table! {
    /// `{ prompt = … }`, `{ text = … }` or `{ file = … }`.
    RawSayTable, "what is said", later ["voice"],
    {
        prompt: String = r#""enter-pin""#,
        text: String = r#""Please enter your PIN.""#,
        file: String = r#""welcome.wav""#,
    }
}

table! {
    /// `{ env = … }`, `{ file = … }` or `{ plain = … }`.
    RawSecretTable, "a password", later ["command"],
    {
        env: String = r#""CARRIER_PASSWORD""#,
        file: String = r#""/etc/partyline/carrier.password""#,
        plain: String = r#""…""#,
    }
}

/// Something to be said: a word or text, or a table that says which.
#[derive(Debug)]
pub(super) enum RawSay {
    /// A prompt's name or a text.
    Plain(Spanned<String>),
    /// A table.
    Table(Box<RawSayTable>),
}

impl Read for RawSay {
    const WHAT: &'static str = "a text, a prompt's name, or { file = … }";

    fn read(value: &Value<'_>, sink: &mut Sink) -> Result<Self, Mismatch> {
        match value.get_ref() {
            DeValue::String(text) => Ok(Self::Plain(Spanned::new(value.span(), text.to_string()))),
            DeValue::Table(_) => RawSayTable::read(value, sink).map(|table| Self::Table(Box::new(table))),
            _ => Err(Mismatch::Kind),
        }
    }
}

/// A password: where it is to be found.
#[derive(Debug)]
pub(super) struct RawSecret(pub RawSecretTable);

impl Read for RawSecret {
    const WHAT: &'static str = "a table that says where the password is";

    fn read(value: &Value<'_>, sink: &mut Sink) -> Result<Self, Mismatch> {
        if value.get_ref().is_str() {
            sink.secret(value.span());
            sink.error(value.span(), "a password does not belong into the dialplan")
                .label("everybody who reads the file reads it")
                .help("write { env = \"NAME\" } or { file = \"PATH\" }; or, if it must be, { plain = \"…\" }");
            return Err(Mismatch::Reported);
        }
        RawSecretTable::read(value, sink).map(Self)
    }
}

/// A PIN. Not printed by Debug.
pub(super) struct RawPin(pub String);

impl std::fmt::Debug for RawPin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RawPin(••••)")
    }
}

impl Read for RawPin {
    const WHAT: &'static str = "digits in quotes";

    fn read(value: &Value<'_>, sink: &mut Sink) -> Result<Self, Mismatch> {
        sink.secret(value.span());
        match value.get_ref() {
            DeValue::String(text) => Ok(Self(text.to_string())),
            DeValue::Integer(_) => {
                sink.error(value.span(), "a PIN stands in quotes")
                    .label("a number loses its leading zeros")
                    .help("put quotes around the digits");
                Err(Mismatch::Reported)
            }
            _ => Err(Mismatch::Kind),
        }
    }
}

/// `true`, `false`, or a word that says how.
#[derive(Debug)]
pub(super) enum RawRegister {
    /// Whether.
    Plain(bool),
    /// How.
    Word(Spanned<String>),
}

impl Read for RawRegister {
    const WHAT: &'static str = "true, false or \"bulk\"";

    fn read(value: &Value<'_>, _: &mut Sink) -> Result<Self, Mismatch> {
        match value.get_ref() {
            DeValue::Boolean(whether) => Ok(Self::Plain(*whether)),
            DeValue::String(word) => Ok(Self::Word(Spanned::new(value.span(), word.to_string()))),
            _ => Err(Mismatch::Kind),
        }
    }
}

/// A length of time as text.
#[derive(Debug)]
pub(super) struct RawDuration(pub String);

impl Read for RawDuration {
    const WHAT: &'static str = "a length of time with its unit, in quotes";

    fn read(value: &Value<'_>, _: &mut Sink) -> Result<Self, Mismatch> {
        value.get_ref().as_str().map(|text| Self(text.to_owned())).ok_or(Mismatch::Kind)
    }
}
