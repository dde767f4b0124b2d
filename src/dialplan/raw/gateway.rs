//! `[gateway]`, as written.

use super::read::table;
use super::{RawDuration, RawUrl, Strings};

table! {
    /// `[gateway]`.
    RawGateway, "[gateway]", later ["stun", "api_key"],
    {
        /// Addresses SIP is taken on: `udp://`, `tcp://` or `tls://`, an IP address, and the port if it is not 5060
        /// (5061 for TLS). An IPv6 address listens to IPv6 alone. Default: UDP and TCP, port 5060, every address of the
        /// machine. Needs a restart.
        sip: Strings = r#"["udp://0.0.0.0:5060", "tcp://0.0.0.0:5060"]"#,
        /// What we show to those who connect by TLS; needed with a `tls://` address. The files are read anew within 30
        /// s when they change.
        tls: RawGatewayTls = r#"{ certificate = "tls/chain.pem", key = "tls/key.pem" }"#,
        /// Addresses of the HTTP server: its API, and SIP over WebSocket (RFC 7118) at `/sip`. An IP address and a
        /// port. Default: none, and there is no HTTP server. Needs a restart.
        http: Strings = r#""127.0.0.1:8080""#,
        /// The same by HTTPS, with the certificate of `https_tls`. Default: none. Needs a restart.
        https: Strings = r#""0.0.0.0:8443""#,
        /// The certificate of `https`. Default: that of `tls`. The files are read anew within 30 s when they change.
        https_tls: RawGatewayTls = r#"{ certificate = "tls/web.pem", key = "tls/web.key.pem" }"#,
        /// Instead: one that the gateway gets and renews itself, from an authority that speaks ACME (RFC 8555).
        /// Default: none. Needs a restart.
        acme: RawAcme = r#"{ domains = ["conference.example.com"], contact = "admin@example.com" }"#,
        /// Addresses that take the sound of browsers by TCP, where their network lets no UDP through (ICE-TCP, RFC
        /// 6544): an IP address and a port, one for all calls. Default: none. Needs a restart.
        ice_tcp: Strings = r#""0.0.0.0:3478""#,
        /// Reverse proxies before the HTTP server: what they say of a client's address (X-Forwarded-For) and of HTTPS
        /// (X-Forwarded-Proto) is believed. Default `[]`.
        trusted_proxies: Strings = r#"["127.0.0.1"]"#,
        /// Sites whose pages may open WebSockets beside those of our own host, `"*"` for all. Default `[]`.
        origins: Strings = r#"["https://app.example"]"#,
        /// UDP ports for sound, two for each call (RTP even, RTCP odd), 1024 to 65535. Default `"20000-29999"`. Needs a
        /// restart.
        rtp_ports: String = r#""20000-29999""#,
        /// What the world must use as our address, when behind NAT. Default: the address a packet came in on.
        public_address: String = r#""203.0.113.7""#,
        /// Networks on our side of the NAT: peers within them see our own address, never the public one. Loopback
        /// always is one of them. Default `[]`.
        local_net: Strings = r#"["10.0.0.0/8"]"#,
        /// DNS servers that trunks are looked up at, and no others. Default: those of this machine.
        dns: Strings = r#"["192.0.2.53"]"#,
        /// Language of the prompts (RFC 5646): a folder of `prompts`. Default `"en-GB"`.
        language: String = r#""en-GB""#,
        /// Folder for what the gateway writes. Default `"var"`.
        data: String = r#""var""#,
        /// Where users are kept who are made while the gateway runs, and where users are registered: a file of SQLite
        /// (`sqlite://PATH`), or a database of PostgreSQL (`postgres://USER@HOST/NAME`; with a password in it from the
        /// environment or a file). Opened when there may be users. Default `"sqlite://var/partyline.db"`: in the folder
        /// of `data`. Needs a restart.
        database: RawUrl = r#"{ env = "DATABASE_URL" }"#,
        /// Folder of prompts, one folder for each language. Default `"prompts"`.
        prompts: String = r#""prompts""#,
        /// Domain of the users' addresses, a name: `sip:alice@sip.example.com`. Users who register for another name are
        /// refused; those who register for an address of the gateway are not. Default: any.
        domain: String = r#""sip.example.com""#,
        /// How callers that no address tells are asked for a password.
        digest: RawDigest = r#"{ realm = "partyline", algorithms = ["SHA-256", "MD5"] }"#,
        /// Country by whose numbering plan numbers are brought to E.164 (ISO 3166-1): `020 7946 0100` becomes
        /// `+442079460100`, extensions stay. Default: none, national numbers stay as they are.
        country: String = r#""GB""#,
        /// Country code for national numbers, where `country` does not say it; every number that begins with the
        /// national prefix is then completed. 1 to 3 digits.
        country_code: String = r#""44""#,
        /// What national numbers begin with and E.164 leaves out, at most 4 digits. Default: as `country` has it, else
        /// `"0"`.
        national_prefix: String = r#""0""#,
        /// What international numbers begin with instead of `+`, 1 to 5 digits. Default: as `country` has it, else
        /// `"00"`.
        international_prefix: String = r#""00""#,
        /// The number that hosts read out to whoever comes by telephone, as people write it, where the room has none of
        /// its own. Default: none, hosts are told the PIN alone.
        access_number: String = r#""+44 20 7946 0100""#,
        /// Threads that mix sound, 1 to 256. A room is never on more than one. Default: one for each core. Needs a
        /// restart.
        media_threads: i64 = "2",
        /// Who is mixed where more speak at once: so many, the loudest, 1 to 1000; nobody is cut off in a word. The
        /// others are heard when somebody pauses. Default `8`; of a new value rooms know that open later.
        loudest: i64 = "8",
        /// Wrong PINs an hour, all callers together, before PIN checks slow down for everybody; 1 to 100000. Default
        /// `60`.
        pin_budget: i64 = "60",
        /// Calls at one time; beyond it new ones get 503. 1 to 100000; each costs two ports and two sockets. Default
        /// `4000`, or as many as `rtp_ports` has pairs.
        max_calls: i64 = "4000",
        /// Calls that one session may place in all, 1 to 1000. Default `20`.
        dial_limit: i64 = "20",
        /// Calls that one session may place within any minute, 1 to 1000. Default `10`.
        dial_rate: i64 = "10",
        /// File for call records, one JSON object a line. Default `"var/calls.jsonl"`: in the folder of `data`. Needs a
        /// restart.
        call_records: String = r#""var/calls.jsonl""#,
        /// The Unix socket that `partyline ctl` talks to. Default `"var/partyline.sock"`: in the folder of `data`.
        /// Needs a restart.
        control: String = r#""var/partyline.sock""#,
        /// Codecs that trunks without `codecs` of their own speak, best first: `opus`, `g722`, `pcmu`, `pcma`, `g729`.
        /// In calls out they are offered, in calls in their order decides. Default: calls out offer `pcmu` and `pcma`;
        /// calls in may have `opus`, `g722`, `pcmu` or `pcma`, in the caller's order.
        codecs: Strings = r#"["opus", "g722", "pcmu", "pcma"]"#,
        /// How Opus is sent.
        opus: RawOpus = "{ bitrate = 32000, dtx = true }",
        /// Whether comfort noise (RFC 3389) is taken where the other side offers it: pauses are then described and not
        /// sent, both ways. Default `true`. It is never offered first.
        comfort_noise: bool = "false",
        /// What calls on hold hear, and who is alone in a room with `alone = "music"`, over and over: a sound file or a
        /// URL. Default: a tune of the gateway.
        music: String = r#""https://music.example/hold.mp3""#,
        /// How sounds that a URL names are fetched.
        fetch: RawFetch = r#"{ allow = ["10.0.0.0/8"], limit = 64 }"#,
        /// How long what scenarios record is kept, in `recordings` of the folder `data`. Default: for ever.
        recordings: RawRecordings = "{ days = 90, size = 10_000 }",
        /// DSCP of media packets, 0 to 63 (46 is expedited forwarding, RFC 3246). Default `46`. Needs a restart.
        dscp: i64 = "46",
        /// What is logged: a level (`error`, `warn`, `info`, `debug`, `trace`, `off`), or levels by module, as
        /// `info,partyline::net=debug`. PARTYLINE_LOG in the environment goes first, and `partyline ctl log` changes it
        /// until it changes here. Default `"info"`.
        log: String = r#""info""#,
    }
}

table! {
    /// `[gateway.tls]`.
    RawGatewayTls, "[gateway.tls]", later ["ciphers", "versions"],
    {
        /// PEM file of the certificate, followed by those that lead to its root.
        certificate: String = r#""tls/chain.pem""#,
        /// PEM file of its private key: PKCS #8, SEC1 or PKCS #1, not encrypted.
        key: String = r#""tls/key.pem""#,
    }
}

table! {
    /// `acme = { … }` of the gateway.
    RawAcme, "acme", later ["challenge", "eab"],
    {
        /// Names that browsers know this gateway by. The authority looks whether they are ours on port 443, which must
        /// lead to `https` (TLS-ALPN-01, RFC 8737).
        domains: Strings = r#"["conference.example.com"]"#,
        /// An address that the authority may write to. Default: none.
        contact: String = r#""admin@example.com""#,
        /// The authority: `letsencrypt`, whose [terms](https://letsencrypt.org/repository/) you agree to by this,
        /// `letsencrypt-staging`, whose certificates no browser believes, or the URL of another one's directory.
        /// Default `"letsencrypt"`.
        directory: String = r#""https://ca.example/acme/directory""#,
        /// PEM file of the roots that the authority's own server is believed by. Default: the system's.
        ca: String = r#""tls/ca.pem""#,
    }
}

table! {
    /// `opus = { … }` of the gateway.
    RawOpus, "opus", later [],
    {
        /// Bits a second, 6000 to 128000; less where the other side asks for less. It is asked for as much. Default
        /// `24000`.
        bitrate: i64 = "32000",
        /// Bits a second where the other side reports that it loses more than 3 % of the packets, 6000 to 128000; less
        /// where it asks for less. From 36000 on packets then describe the last 100 ms as well (DRED). Default `40000`;
        /// not more than `bitrate` means that nothing changes.
        lossy_bitrate: i64 = "24000",
        /// Work spent on each packet, 0 (least) to 10. Default `6`.
        complexity: i64 = "9",
        /// Whether packets carry what mends the loss of the one before (in-band FEC), where the other side can use it.
        /// Default `true`.
        fec: bool = "false",
        /// Whether silence is left out (DTX), by us and, so we ask, by the other side. Default `false`.
        dtx: bool = "true",
    }
}

table! {
    /// `fetch = { … }` of the gateway.
    RawFetch, "fetch", later [],
    {
        /// Networks beside the public Internet that URLs may lead to. Private, loopback, link-local and other addresses
        /// that are not public are refused everywhere else, whatever name leads to them. Default `[]`.
        allow: Strings = r#"["10.0.0.0/8"]"#,
        /// The largest sound that is fetched, in MiB, 1 to 1024. Default `32`.
        limit: i64 = "64",
        /// The longest time for one, 1s to 10m. Default `"60s"`.
        timeout: RawDuration = r#""2m""#,
    }
}

table! {
    /// `recordings = { … }` of the gateway.
    RawRecordings, "recordings", later [],
    {
        /// Recordings that ended so many days ago are removed, 1 to 3650. Default: none is.
        days: i64 = "90",
        /// MiB that all of them may take, 1 to 16777216: beyond it the oldest are removed. Default: as many as the disk
        /// has.
        size: i64 = "10_000",
    }
}

table! {
    /// `digest = { … }` of the gateway.
    RawDigest, "digest", later [],
    {
        /// What the passwords are for; stored hashes hold it. Default: `domain`, else `"partyline"`.
        realm: String = r#""partyline""#,
        /// The algorithms offered, best first: `SHA-512-256`, `SHA-256`, `MD5`. Default: `["SHA-256", "MD5"]`; where
        /// there may be users `["MD5"]`, for many of their clients give up at one that they do not know.
        algorithms: Strings = r#"["SHA-256", "MD5"]"#,
        /// Whether the answer may cover the body of the request as well (`auth-int`): few peers can. Default `false`.
        body: bool = "false",
    }
}
