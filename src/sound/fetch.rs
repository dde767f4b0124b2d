//! Fetches what a URL names, by HTTP. Nothing here knows of sound.
//!
//! Every address is checked by the [`Guard`] after its name was resolved, at each redirect anew, and the connection
//! goes to the very address that was checked. No proxy is asked, or it would ask any address for whoever asks it.

use super::guard::{Guard, Refused};
use crate::dialplan::{FetchSettings, SoundUrl};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::io::{self, Read, Write};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio_rustls::rustls::crypto::ring;
use ureq::config::Config;
use ureq::http::{Response, Uri, header};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Connector, NextTimeout, RustlsConnector, TcpConnector};
use ureq::{Agent, Body, Timeout};

/// Redirects that are followed.
const MOST_REDIRECTS: u32 = 5;
/// Octets of a response's head.
const LONGEST_HEAD: usize = 32 << 10;

/// How long each stage may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Looking up a name, and then connecting.
    pub connect: Duration,
    /// From the request to the response.
    pub first_octet: Duration,
    /// Between two pieces.
    pub idle: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), first_octet: Duration::from_secs(10), idle: Duration::from_secs(10) }
    }
}

/// What is known of something that was fetched before (RFC 9110 section 8.8).
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Validators {
    /// Its entity tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// When it was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is what it was.
    Unchanged,
    /// The body was written.
    Body {
        /// What the server says that it is.
        content_type: Option<String>,
        /// To ask with the next time.
        validators: Validators,
    },
}

/// Why nothing was fetched. The URL is shown without what may be secret in it.
#[derive(Debug, thiserror::Error)]
#[error("{url}: {cause}")]
pub struct FetchError {
    /// Of which URL: the last one, where there were redirects.
    pub url: String,
    /// Why.
    pub cause: Cause,
}

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The address may not be asked.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The server did not answer with what was asked for.
    #[error("the server says {0}")]
    Status(String),
    /// A redirect that is not followed.
    #[error("it leads on, but {0}")]
    Redirect(String),
    /// More than is wanted.
    #[error("it is larger than {} MiB (`fetch.limit` of [gateway])", .0 >> 20)]
    TooLarge(u64),
    /// Too slow.
    #[error("{0}")]
    Timeout(&'static str),
    /// The name is not known.
    #[error("no such host")]
    NoHost,
    /// What came is no sound.
    #[error("what the server has {0}")]
    Content(String),
    /// Whoever fetched it has failed.
    #[error("{0}")]
    Lost(&'static str),
    /// Anything else of the network or the disk.
    #[error("{0}")]
    Other(String),
}

/// Whether a URL may be fetched, as far as can be told without asking for its name.
///
/// # Errors
/// Its host is an address that may not be asked.
pub fn check_url(url: &SoundUrl, settings: &FetchSettings) -> Result<(), String> {
    let address = match url.get().host() {
        Some(url::Host::Ipv4(address)) => address.into(),
        Some(url::Host::Ipv6(address)) => address.into(),
        _ => return Ok(()),
    };
    Guard::new(settings.allow.clone()).check(address).map_err(|refused| refused.to_string())
}

/// Fetches by one set of settings.
#[derive(Debug)]
pub struct Fetcher {
    settings: FetchSettings,
    patience: Patience,
    guard: Guard,
    agent: OnceLock<Agent>,
}

impl Fetcher {
    /// A fetcher of these settings.
    #[must_use]
    pub fn new(settings: FetchSettings, patience: Patience) -> Self {
        let guard = Guard::new(settings.allow.clone());
        Self { settings, patience, guard, agent: OnceLock::new() }
    }

    /// Its settings.
    #[must_use]
    pub const fn settings(&self) -> &FetchSettings {
        &self.settings
    }

    /// Fetches and writes what came to `sink`; with `known`, only what has changed since. Blocks, but for no longer
    /// than the settings say.
    ///
    /// # Errors
    /// Why nothing, or not all of it, was fetched.
    pub fn get(&self, url: &SoundUrl, known: &Validators, sink: &mut dyn Write) -> Result<Answer, FetchError> {
        let began = now();
        let mut place = url.clone();
        let failed = |place: &SoundUrl, cause| FetchError { url: place.to_string(), cause };
        for _ in 0..=MOST_REDIRECTS {
            let left = self.settings.timeout.saturating_sub(now().duration_since(began));
            // Whom a redirect leads to is not told the password.
            let credentials = (place.get().origin() == url.get().origin()).then(|| credentials(url)).flatten();
            let response = self.ask(&place, known, credentials, left).map_err(|cause| failed(&place, cause))?;
            match response.status().as_u16() {
                200 => return self.take(response, sink).map_err(|cause| failed(&place, cause)),
                304 => return Ok(Answer::Unchanged),
                301 | 302 | 303 | 307 | 308 => {
                    let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
                    let location = location.ok_or_else(|| failed(&place, Cause::Redirect("not where to".into())))?;
                    place = place.join(location).map_err(|why| failed(&place, Cause::Redirect(why)))?;
                }
                _ => return Err(failed(&place, Cause::Status(response.status().to_string()))),
            }
        }
        Err(failed(&place, Cause::Redirect(format!("not more than {MOST_REDIRECTS} times"))))
    }

    fn ask(
        &self,
        place: &SoundUrl,
        known: &Validators,
        credentials: Option<String>,
        left: Duration,
    ) -> Result<Response<Body>, Cause> {
        if left.is_zero() {
            return Err(Cause::Timeout("it took too long"));
        }
        let mut url = place.get().clone();
        // Neither fails: it has a host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let mut request = self.agent_of_all().get(url.as_str());
        let headers = [
            (header::IF_NONE_MATCH, &known.etag),
            (header::IF_MODIFIED_SINCE, &known.last_modified),
            (header::AUTHORIZATION, &credentials),
        ];
        for (name, value) in headers {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        request.config().timeout_global(Some(left)).build().call().map_err(Cause::from)
    }

    /// Writes a body, as far as it is wanted.
    pub(super) fn take(&self, response: Response<Body>, sink: &mut dyn Write) -> Result<Answer, Cause> {
        let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let content_type = text(header::CONTENT_TYPE);
        let validators = Validators { etag: text(header::ETAG), last_modified: text(header::LAST_MODIFIED) };
        if let Some(encoding) = text(header::CONTENT_ENCODING).filter(|encoding| encoding != "identity") {
            return Err(Cause::Other(format!("it is encoded ({encoding}), though that was not asked for")));
        }
        let limit = self.settings.limit;
        if response.body().content_length().is_some_and(|length| length > limit) {
            return Err(Cause::TooLarge(limit));
        }
        let mut body = response.into_body().into_with_config().limit(u64::MAX).reader();
        let mut piece = [0; 16 << 10];
        let mut length = 0;
        loop {
            let read = match body.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Cause::of_io(error)),
            };
            length += read as u64;
            if length > limit {
                return Err(Cause::TooLarge(limit));
            }
            sink.write_all(piece.get(..read).unwrap_or_default()).map_err(|error| Cause::Other(error.to_string()))?;
        }
        Ok(Answer::Body { content_type, validators })
    }

    pub(super) fn agent_of_all(&self) -> &Agent {
        self.agent.get_or_init(|| self.agent())
    }

    fn agent(&self) -> Agent {
        let roots = rustls_native_certs::load_native_certs().certs;
        let roots: Vec<Certificate<'static>> =
            roots.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
            .build();
        let config: Config = Agent::config_builder()
            .tls_config(tls)
            .proxy(None)
            .max_redirects(0)
            .http_status_as_error(false)
            .max_response_header_size(LONGEST_HEAD)
            .max_idle_connections(0)
            .user_agent(concat!("partyline/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(self.patience.connect))
            .timeout_connect(Some(self.patience.connect))
            .timeout_recv_response(Some(self.patience.first_octet))
            .timeout_per_read(Some(self.patience.idle))
            .timeout_per_write(Some(self.patience.idle))
            .build();
        let connector = ().chain(TcpConnector::default()).chain(RustlsConnector::default());
        Agent::with_parts(config, connector, Checked { guard: self.guard.clone(), names: DefaultResolver::default() })
    }
}

/// Resolves names, and lets only those of their addresses out that may be asked.
#[derive(Debug)]
struct Checked {
    guard: Guard,
    names: DefaultResolver,
}

impl Resolver for Checked {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.names.resolve(uri, config, timeout)?;
        let mut passed = self.empty();
        let mut refused = None;
        for address in &*found {
            match self.guard.check(address.ip()) {
                Ok(()) => passed.push(*address),
                Err(why) => refused = Some(why),
            }
        }
        match refused {
            Some(why) if passed.is_empty() => Err(ureq::Error::Other(Box::new(why))),
            _ => Ok(passed),
        }
    }
}

impl From<ureq::Error> for Cause {
    fn from(error: ureq::Error) -> Self {
        match error {
            ureq::Error::Io(error) => Self::of_io(error),
            ureq::Error::HostNotFound => Self::NoHost,
            ureq::Error::Timeout(stage) => Self::Timeout(match stage {
                Timeout::Resolve => "its name was not resolved in time",
                Timeout::Connect => "no connection in time",
                Timeout::SendRequest | Timeout::PerWrite => "the server does not read",
                Timeout::RecvResponse => "no answer in time",
                Timeout::PerRead => "the server has stalled",
                _ => "it took too long",
            }),
            ureq::Error::Other(error) => match error.downcast::<Refused>() {
                Ok(refused) => Self::Refused(*refused),
                Err(error) => Self::Other(error.to_string()),
            },
            error => Self::Other(error.to_string()),
        }
    }
}

impl Cause {
    /// An error of the library may come wrapped as one of reading.
    fn of_io(error: io::Error) -> Self {
        match error.downcast::<ureq::Error>() {
            Ok(ureq::Error::Io(error)) => Self::Other(error.to_string()),
            Ok(error) => error.into(),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Self::Other("the connection ended before all had come".into())
            }
            // The resolver's: a name without an address.
            Err(error) if error.to_string().contains("lookup address information") => Self::NoHost,
            Err(error) => Self::Other(error.to_string()),
        }
    }
}

/// The user and password of a URL as a header has them (RFC 7617).
fn credentials(url: &SoundUrl) -> Option<String> {
    let url = url.get();
    let plain = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (user, password) = (plain(url.username()), plain(url.password().unwrap_or_default()));
    let given = !user.is_empty() || !password.is_empty();
    given.then(|| format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))))
}

#[expect(clippy::disallowed_methods, reason = "a shell: servers are waited for in real time")]
fn now() -> Instant {
    Instant::now()
}
