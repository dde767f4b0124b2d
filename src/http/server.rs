//! The thread of the HTTP server: it listens, shakes hands, and serves one task a connection.

use super::api;
use super::app::{App, Asked};
use super::client::Peer;
use super::conference_page::page;
use super::connections::Connections;
use super::guard::guard;
use super::invitation::{InvitationKey, KeyError};
use super::inviting::Inviting;
use super::problem::Problem;
use super::session;
use super::sip;
use super::whip;
use crate::dialplan::Plan;
use crate::net::{
    ACME_TLS, AcmeCertificate, CertificateError, WebSockets, acme_acceptor, bind_tcp, https_acceptor, prepare,
};
use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

/// Patience with the head of a request, the next one on an idle connection included.
const HEAD: Duration = Duration::from_secs(10);
/// Patience with a TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Octets of the largest head, and how many headers it may have.
const LARGEST_HEAD: usize = 16 * 1_024;
const HEADERS: usize = 64;
/// Wait after a connection that could not be accepted.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// What its thread has less of than the others where there is too little time for all.
const NICENESS: libc::c_int = 5;

/// Why the HTTP server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("cannot listen on {scheme}://{address}: {source}")]
    Listen {
        /// `http` or `https`.
        scheme: &'static str,
        /// Which.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The certificate cannot be used.
    #[error("the certificate of HTTPS: {0}")]
    Certificate(#[from] CertificateError),
    /// Invitations cannot be sealed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The system gave no thread, or nothing to wait with.
    #[error("the HTTP server's thread: {0}")]
    Thread(#[from] io::Error),
}

/// The HTTP server. Ends when it is closed or dropped, and with it every connection.
pub struct HttpServer {
    app: App,
    bound: Vec<(&'static str, SocketAddr)>,
    /// Where HTTPS shows one that we get ourselves.
    acme: Option<AcmeCertificate>,
    /// Takes how long the end may last.
    end: oneshot::Sender<Duration>,
    /// Closed when it is over.
    over: oneshot::Receiver<Infallible>,
}

impl HttpServer {
    /// Starts it on the addresses of a dialplan; `None` where there is none.
    ///
    /// # Errors
    /// When an address cannot be listened on, or the certificate or the key of invitations cannot be used.
    pub fn start(
        plan: &Arc<Plan>,
        asked: mpsc::Sender<Asked>,
        websockets: WebSockets,
    ) -> Result<Option<Self>, StartError> {
        let settings = &plan.gateway;
        if settings.http.is_empty() && settings.https.is_empty() {
            return Ok(None);
        }
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let key = InvitationKey::load(&settings.data)?;
        let app = App::new(Arc::clone(plan), asked, websockets, runtime.handle().clone(), key);
        let (router, connections, mut bound) = (routes(&app), Connections::default(), Vec::new());
        let (closing, is_closing) = watch::channel(false);
        let (alive, mut all_served) = mpsc::channel(1);
        let within = runtime.enter();
        let (tls, acme) = match (&settings.acme, &settings.https_certificate) {
            _ if settings.https.is_empty() => (None, None),
            (Some(acme), _) => acme_acceptor(plan, acme).map(|(tls, acme)| (Some(tls), Some(acme)))?,
            (None, Some(files)) => (Some(https_acceptor(files)?), None),
            (None, None) => (None, None),
        };
        let by_http = settings.http.iter().map(|address| ("http", *address, None));
        let by_https = settings.https.iter().map(|address| ("https", *address, tls.clone()));
        for (scheme, address, tls) in by_http.chain(by_https) {
            let failed = |source| StartError::Listen { scheme, address, source };
            let listener = bind_tcp(address).map_err(failed)?;
            bound.push((scheme, listener.local_addr().map_err(failed)?));
            let (app, router, connections) = (app.clone(), router.clone(), connections.clone());
            let life = Life { is_closing: is_closing.clone(), _alive: alive.clone() };
            let server = Server { app, router, connections, tls, life };
            tokio::spawn(server.accept(listener));
        }
        drop(within);
        let (end, ended) = oneshot::channel::<Duration>();
        let (running, over) = oneshot::channel();
        let shared = app.clone();
        drop(alive);
        thread::Builder::new().name("http".into()).spawn(move || {
            give_way();
            runtime.block_on(async {
                // Where it is dropped there is no patience.
                let Ok(patience) = ended.await else { return };
                closing.send_replace(true);
                let all_served = async {
                    all_served.recv().await;
                    shared.all_followers_gone().await;
                };
                if tokio::time::timeout(patience, all_served).await.is_err() {
                    tracing::debug!("HTTP connections left unserved");
                }
            });
            runtime.shutdown_background();
            drop(running);
        })?;
        Ok(Some(Self { app, bound, acme, end, over }))
    }

    /// Lets all that were asked be answered, and those who follow the events read the last ones, for as long as
    /// `patience` lasts; then closes every connection.
    pub async fn close(self, patience: Duration) {
        if self.end.send(patience).is_ok() {
            let _ = self.over.await;
        }
    }

    /// Takes a dialplan that was read anew: tokens, origins and proxies.
    pub fn set_plan(&self, plan: Arc<Plan>) {
        self.app.set_plan(plan);
    }

    /// Why HTTPS has no certificate, or why it is not renewed; empty when all is well.
    pub fn certificate_trouble(&self) -> String {
        self.acme.as_ref().map(AcmeCertificate::trouble).unwrap_or_default()
    }

    /// What makes invitations for a browser of this machine; `None`: it listens nowhere that one would get a
    /// microphone.
    pub fn inviting(&self) -> Option<Inviting> {
        let is_here = |address: &SocketAddr| address.ip().is_loopback() || address.ip().is_unspecified();
        let (_, address) = self.bound.iter().find(|(scheme, address)| *scheme == "http" && is_here(address))?;
        Some(Inviting::new(self.app.clone(), address.port()))
    }

    /// What URLs of ours begin with; `None`: it listens by no such scheme. The host is a name of the certificate, or
    /// the public address, or the one that it listens on, if it is one.
    #[must_use]
    pub fn url(&self, scheme: &str) -> Option<String> {
        let (_, address) = self.bound.iter().find(|(bound, _)| *bound == scheme)?;
        let plan = self.app.plan();
        let name = plan.gateway.acme.as_ref().filter(|_| scheme == "https").and_then(|acme| acme.domains.first());
        let host = match (name, plan.gateway.public_address) {
            (Some(name), _) => name.clone(),
            (None, Some(public)) => SocketAddr::new(public, 0).to_string().trim_end_matches(":0").to_owned(),
            (None, None) if address.ip().is_unspecified() => "localhost".to_owned(),
            (None, None) => SocketAddr::new(address.ip(), 0).to_string().trim_end_matches(":0").to_owned(),
        };
        Some(format!("{scheme}://{host}:{}", address.port()))
    }

    /// The schemes and addresses it listens on.
    pub fn bound(&self) -> impl Iterator<Item = (&'static str, SocketAddr)> + '_ {
        self.bound.iter().copied()
    }
}

/// Leaves the processor to signalling and sound where they need it.
fn give_way() {
    // SAFETY: it takes plain numbers; 0 is the calling thread.
    let given = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICENESS) };
    if given != 0 {
        tracing::debug!(error = %io::Error::last_os_error(), "the HTTP server's priority");
    }
}

fn routes(app: &App) -> Router {
    Router::new()
        .merge(sip::routes())
        .merge(api::routes(app))
        .merge(whip::routes(app))
        .merge(session::routes())
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "this path has other methods")
        })
        .layer(axum::middleware::from_fn(page))
        .layer(axum::middleware::from_fn_with_state(app.clone(), guard))
        .with_state(app.clone())
}

/// One listening address.
struct Server {
    app: App,
    router: Router,
    connections: Connections,
    tls: Option<TlsAcceptor>,
    life: Life,
}

/// What everything has that is waited for at the end.
#[derive(Clone)]
struct Life {
    /// Nothing more is asked of us.
    is_closing: watch::Receiver<bool>,
    _alive: mpsc::Sender<Infallible>,
}

impl Life {
    async fn is_over(&mut self) {
        // Where it fails the server is gone.
        let _ = self.is_closing.wait_for(|is_closing| *is_closing).await;
    }
}

impl Server {
    async fn accept(self, listener: TcpListener) {
        let mut life = self.life.clone();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = life.is_over() => return,
            };
            match accepted {
                Ok((stream, remote)) => self.take(stream, remote),
                Err(error) => {
                    self.app.log("cannot accept an HTTP connection", format_args!("{error}"));
                    // Out of descriptors, most likely: the waiting connection stays in the backlog.
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            }
        }
    }

    fn take(&self, stream: TcpStream, remote: SocketAddr) {
        let Ok(local) = stream.local_addr() else { return };
        prepare(&stream);
        let address = remote.ip().to_canonical();
        let is_proxy = self.app.plan().gateway.trusted_proxies.iter().any(|network| network.contains(address));
        let peer = Peer { local, remote, tls: self.tls.is_some(), is_known: Arc::default() };
        let is_known = Arc::clone(&peer.is_known);
        let (router, tls, connections) = (self.router.clone(), self.tls.clone(), self.connections.clone());
        let life = self.life.clone();
        let taken = self.connections.take(address, is_proxy, is_known, |number| {
            let serving = async move {
                match tls {
                    None => serve(stream, peer, router, life).await,
                    Some(tls) => {
                        let shaken = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await;
                        // An authority that looks whether our names are ours has seen it in the handshake.
                        if let Ok(Ok(stream)) = shaken
                            && stream.get_ref().1.alpn_protocol() != Some(ACME_TLS)
                        {
                            serve(stream, peer, router, life).await;
                        }
                    }
                }
                connections.ended(number);
            };
            tokio::spawn(serving).abort_handle()
        });
        if !taken {
            self.app.log("HTTP connection refused", format_args!("{address}: there are too many"));
        }
    }
}

/// Serves a connection until it ends or becomes a WebSocket.
async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    router: Router,
    mut life: Life,
) {
    let service = service_fn(|mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        router.clone().call(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(LARGEST_HEAD)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = life.is_over() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::trace!(%error, "HTTP connection");
    }
}
