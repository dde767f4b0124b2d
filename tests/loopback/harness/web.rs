//! A web server that has one body, or says nothing.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A server on 127.0.0.1; it goes with the test's process.
pub struct Web {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Web {
    /// Has this body for every path; without one, takes connections and never answers.
    pub fn start(body: Option<Vec<u8>>) -> Self {
        Self::answering(body, None)
    }

    /// Has this body for every path, by TLS, with the `web.pem` and `web.key.pem` of `folder`.
    pub fn start_tls(body: Vec<u8>, folder: &Path) -> Self {
        let certificate = CertificateDer::from_pem_file(folder.join("web.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(folder.join("web.key.pem")).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Self::answering(Some(body), Some(Arc::new(config)))
    }

    fn answering(body: Option<Vec<u8>>, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let (body, count) = (Arc::new(body), Arc::clone(&asked));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::SeqCst);
                let (body, tls) = (Arc::clone(&body), tls.clone());
                std::thread::spawn(move || match (&*body, tls) {
                    (Some(body), None) => answer(stream, body),
                    (Some(body), Some(tls)) => {
                        answer(StreamOwned::new(ServerConnection::new(tls).unwrap(), stream), body)
                    }
                    (None, _) => drop(stream.read_to_end(&mut Vec::new())),
                });
            }
        });
        Self { address, asked }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// How often somebody has connected.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn answer(mut stream: impl Read + Write, body: &[u8]) {
    let lines = BufReader::new(&mut stream).lines().map_while(Result::ok);
    let _ = lines.take_while(|line| !line.is_empty()).count();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(&[head.as_bytes(), body].concat()).and_then(|()| stream.flush());
}
