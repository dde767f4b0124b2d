//! The way to a WebSocket that a scenario opens: the same hosts may be asked as by its HTTP requests, and nothing
//! leads on.

use crate::dialplan::FetchSettings;
use crate::sound::Guard;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// Octets of a message, either way.
pub(super) const LARGEST: usize = 1 << 20;
/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Headers that are the handshake's own.
const OURS: [HeaderName; 4] = [header::HOST, header::CONNECTION, header::UPGRADE, header::CONTENT_LENGTH];

/// What bytes come and go by.
pub(super) trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// A connection that is open.
pub(super) type Socket = WebSocketStream<Box<dyn Io>>;

/// The limits of both sides.
pub(super) fn limits() -> WebSocketConfig {
    WebSocketConfig::default().max_message_size(Some(LARGEST)).max_frame_size(Some(LARGEST))
}

/// Opens one.
///
/// # Errors
/// Why not.
pub(super) async fn connect(
    url: &str,
    protocols: &[String],
    headers: &[(String, String)],
    settings: &FetchSettings,
) -> Result<Socket, String> {
    let opening = open(url, protocols, headers, settings);
    timeout(PATIENCE, opening).await.unwrap_or_else(|_| Err("it took too long".to_owned()))
}

async fn open(
    url: &str,
    protocols: &[String],
    headers: &[(String, String)],
    settings: &FetchSettings,
) -> Result<Socket, String> {
    let parsed = url::Url::parse(url).map_err(|error| format!("this is no URL: {error}"))?;
    let is_secure = match parsed.scheme() {
        "wss" => true,
        "ws" => false,
        other => return Err(format!("the URL begins with {other}: and not with wss: or ws:")),
    };
    let host = parsed.host_str().ok_or("the URL names no host")?;
    // An IPv6 address stands in brackets.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = parsed.port_or_known_default().unwrap_or(if is_secure { 443 } else { 80 });
    let request = request(url, protocols, headers)?;
    let stream = reach(host, port, settings).await?;
    let io: Box<dyn Io> = if is_secure {
        let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
        let connector = TlsConnector::from(tls()?);
        Box::new(connector.connect(name, stream).await.map_err(|error| format!("TLS: {error}"))?)
    } else {
        Box::new(stream)
    };
    let (socket, _) = client_async_with_config(request, io, Some(limits())).await.map_err(|error| error.to_string())?;
    Ok(socket)
}

fn request(url: &str, protocols: &[String], headers: &[(String, String)]) -> Result<Request, String> {
    let mut request = url.into_client_request().map_err(|error| error.to_string())?;
    let all = request.headers_mut();
    for (name, value) in headers {
        let name = HeaderName::try_from(name).map_err(|_| format!("{name:?} is no header"))?;
        let value = HeaderValue::try_from(value).map_err(|_| format!("the value of {name} is none"))?;
        if !OURS.contains(&name) && !name.as_str().starts_with("sec-websocket-") {
            all.append(name, value);
        }
    }
    if !protocols.is_empty() {
        let list = HeaderValue::try_from(protocols.join(", ")).map_err(|_| "these are no subprotocols")?;
        all.insert(header::SEC_WEBSOCKET_PROTOCOL, list);
    }
    Ok(request)
}

/// A connection to the first address of a host that may be asked and answers.
async fn reach(host: &str, port: u16, settings: &FetchSettings) -> Result<TcpStream, String> {
    let found: Vec<SocketAddr> =
        lookup_host((host, port)).await.map_err(|_| "there is no such host".to_owned())?.collect();
    let guard = Guard::new(settings.allow.clone());
    let mut why = "there is no such host".to_owned();
    for address in found {
        if let Err(refused) = guard.check(address.ip()) {
            why = refused.to_string();
            continue;
        }
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // A frame of 20 ms is not to wait for the next one.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => why = error.to_string(),
        }
    }
    Err(why)
}

/// The system's roots; read once.
fn tls() -> Result<Arc<ClientConfig>, String> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(Arc::clone(config));
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::clone(CONFIG.get_or_init(|| Arc::new(config))))
}
