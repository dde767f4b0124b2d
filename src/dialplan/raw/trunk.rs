//! `[trunks.*]`, as written.

use super::read::table;
use super::{RawDuration, RawRegister, RawSecret, Strings};

table! {
    /// `[trunks.*]`.
    RawTrunk, "a trunk", later ["backup", "record"],
    {
        /// A provider's habits: `cm`, `didww`, `nfon`, `sipgate`, `telnyx` or `twilio` (README). A setting beside it
        /// goes first. Default: none.
        preset: String = r#""sipgate""#,
        /// Where it is reached, in this order: names (found by NAPTR and SRV records, RFC 3263), or hosts with a port.
        /// Left out: it only calls us.
        address: Strings = r#"["sip.carrier.example"]"#,
        /// How it is called: `udp`, `tcp` or `tls`. Default: as its records say, and UDP where there are none.
        transport: String = r#""udp""#,
        /// Everything to this trunk goes by way of this host, instead of to `address`. Default: none.
        proxy: String = r#""sip:proxy.carrier.example""#,
        /// How it shows who it is, and we to it, when it is called by TLS.
        tls: RawTrunkTls = r#"{ ca = "tls/carrier-ca.pem" }"#,
        /// Time between two OPTIONS that ask whether it is there, 5s to 1h, or `"off"`. Default `"30s"` for a trunk
        /// with an address.
        ping: RawDuration = r#""30s""#,
        /// Networks its calls come from. Default: those of `address` that are IP addresses, and what its names resolve
        /// to.
        allow: Strings = r#"["203.0.113.0/24"]"#,
        /// Networks its sound comes from. Default: the signalling peer and the address in the SDP.
        media: Strings = r#"["198.51.100.0/22"]"#,
        /// What this trunk must see as our address. Default: that of the gateway.
        public_address: String = r#""203.0.113.7""#,
        /// User name for digest authentication and registration.
        username: String = r#""acme""#,
        /// Password for them.
        password: RawSecret = r#"{ env = "CARRIER_PASSWORD" }"#,
        /// The only realm the password is given to. Default: any realm, asked for by this trunk.
        realm: String = r#""carrier.example""#,
        /// What a caller whom no address tells answers our digest challenge with (RFC 7616); whoever proves to know it
        /// is this trunk. Default: nobody is asked.
        auth: RawAuth = r#"{ username = "pbx", password = { env = "PBX_PASSWORD" } }"#,
        /// Whether we register there: `true`, `false`, or `"bulk"` for all numbers at once (RFC 6140). Default `false`.
        register: RawRegister = "true",
        /// How long a registration is asked to last, 1m to 24h. Default `"1h"`.
        expires: RawDuration = r#""1h""#,
        /// Our number on calls we make there, E.164. Default: none, and callees see no number.
        caller_id: String = r#""+442079460100""#,
        /// Where it stands: its numbers, its emergency numbers and the ringing tone (ISO 3166-1). Default: that of the
        /// gateway.
        country: String = r#""GB""#,
        /// Whether its P-Asserted-Identity, Remote-Party-ID, Diversion and headers unknown to us are believed. Default
        /// `false`: who calls is what From says.
        trusted: bool = "true",
        /// Where our number stands besides From: `from` (nowhere), `p-asserted-identity` or `p-preferred-identity` (RFC
        /// 3325). Default `"from"`.
        identity: String = r#""p-asserted-identity""#,
        /// What From says on calls to it: `number` or `username`. Default `"number"`.
        from: String = r#""number""#,
        /// How numbers are written there: `+e164`, `e164` (without the plus) or `national`. Default `"+e164"`.
        number_format: String = r#""+e164""#,
        /// Whether international numbers come from it without the plus: `442079460100`. Default `false`.
        bare_numbers: bool = "true",
        /// Whether a call that was forwarded shows the number of who called us, instead of our own. Default `false`:
        /// few trunks let a customer show others' numbers.
        show_caller: bool = "true",
        /// Whether a forwarded call says by Diversion (RFC 5806) which number of ours was called. Default `false`.
        diversion: bool = "true",
        /// Calls at one time, both ways, 1 to 100000; beyond it the trunk gets 486. Default: no limit of its own.
        max_calls: i64 = "30",
        /// Calls that may begin within any second, both ways, 1 to 10000; beyond it the trunk gets 480, and our calls
        /// go by the next trunk. Default: no limit.
        max_calls_per_second: i64 = "10",
        /// Whether our calls follow its redirections (3xx), by the same routes. Default `false`.
        redirects: bool = "true",
        /// Whether it may refer its calls to somebody else (RFC 3515), and `partyline ctl transfer` its calls. What it
        /// refers to is called by the routes with `from = "sessions"`. Default `false`.
        refer: bool = "true",
        /// Whether a call of this trunk may take the place of another one of it (RFC 3891). Default `false`.
        replaces: bool = "true",
        /// Whether its 480 means that another trunk may do better. Default `false`: the callee is not available.
        failover_on_480: bool = "true",
        /// Codecs spoken with it, best first: `opus`, `g722`, `pcmu`, `pcma`, `g729` (which needs libbcg729). In calls
        /// out they are offered, in calls in their order decides. Default: as the gateway has it.
        codecs: Strings = r#"["g722", "pcma"]"#,
        /// How keys are sent to it: `rfc4733` or `info`. Default `"rfc4733"`.
        digits: String = r#""rfc4733""#,
        /// Where the called number is looked for, in this order: `request-uri`, `to`, `p-called-party-id`, `diversion`.
        /// Default `["request-uri", "to"]`.
        number_from: Strings = r#"["request-uri", "to"]"#,
        /// Session timer that we ask for (RFC 4028), 90s to 24h. Default `"30m"`.
        session_expires: RawDuration = r#""30m""#,
        /// The shortest session timer we agree to, 90s to 24h. Default `"90s"`.
        min_session_expires: RawDuration = r#""90s""#,
        /// How long nothing may come from a call that is not on hold before it is taken for gone, 10s to 24h. Default
        /// `"60s"`.
        media_timeout: RawDuration = r#""60s""#,
        /// When provisional responses are sent reliably (RFC 3262): `never`, `required` (when the peer requires it) or
        /// `supported`. Default `"required"`.
        reliable as "100rel": String = r#""required""#,
        /// Whether its sound is encrypted: `off`, `opportunistic` (where the other side has keys too) or `required`.
        /// Default `"off"`.
        srtp: String = r#""required""#,
        /// Whether SRTP keys are used where whoever listens to the signalling can read them. Default `false`.
        srtp_keys_in_clear: bool = "true",
        /// Whether the others hear each of its callers equally loud: speech is brought towards −20 dBov within some
        /// seconds, by -12 to +20 dB, what gets too loud is limited, and a constant offset is taken out. In pauses
        /// nothing changes, and noise is made no louder than −50 dBov. Default `false`.
        automatic_gain: bool = "true",
        /// Whether noise behind each of its callers, as of a fan or a street, is made quieter for the others, by up to
        /// 12 dB. Each such call takes a media thread about four times as long, another 0.05 % of a core, and 30 KiB,
        /// and is heard 12 ms later. A media thread has time for 400 telephones, or 200 calls of 16 kHz, at a time;
        /// what is beyond that is heard with its noise, and counted in the status. Sound of 48 kHz (Opus) is left as it
        /// is. Default `false`.
        noise_suppression: bool = "true",
    }
}

table! {
    /// `[trunks.*.tls]`.
    RawTrunkTls, "a trunk's tls", later ["ciphers", "versions"],
    {
        /// PEM file of what we show when the trunk asks for a certificate. Default: none.
        certificate: String = r#""tls/acme.pem""#,
        /// PEM file of its private key, not encrypted.
        key: String = r#""tls/acme.key.pem""#,
        /// PEM file of the roots that its certificate must lead to. Default: the roots of the system.
        ca: String = r#""tls/carrier-ca.pem""#,
        /// The name that its certificate must hold. Default: the host in `address` or `proxy` (RFC 5922).
        name: String = r#""sip.carrier.example""#,
        /// Whether `*.carrier.example` in a certificate stands for `sip.carrier.example`, which RFC 5922 section 7.2
        /// forbids. Default `false`.
        wildcard: bool = "true",
        /// Whether its certificate is looked at; `false` lets anybody on the way take the calls. Default `true`.
        verify: bool = "false",
        /// Connections with a client certificate for one of these names are of this trunk, wherever they come from.
        /// Default `[]`.
        accept: Strings = r#"["sip.carrier.example"]"#,
    }
}

table! {
    /// `auth = { … }` of a trunk.
    RawAuth, "auth", later [],
    {
        /// The user name; no two trunks have the same.
        username: String = r#""pbx""#,
        /// The password.
        password: RawSecret = r#"{ env = "PBX_PASSWORD" }"#,
        /// Instead of the password its hashes, at most one for each algorithm: `SHA-256:…` (README tells how to make
        /// them).
        ha1: RawSecret = r#"{ env = "PBX_HA1" }"#,
    }
}

table! {
    /// `{ env = … }`, `{ file = … }` or `{ plain = … }`.
    RawSecretTable, "a password", later ["command"],
    {
        /// The environment variable that holds it.
        env: String = r#""CARRIER_PASSWORD""#,
        /// The file whose first line it is, readable for the gateway's user alone.
        file: String = r#""/etc/partyline/carrier.password""#,
        /// Itself. Everybody who reads the file reads it.
        plain: String = r#""…""#,
    }
}
