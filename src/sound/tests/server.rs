//! A web server that does as a test wants.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};

/// What a client asks for.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub path: String,
    /// All lines of the head.
    pub head: String,
}

/// A server on an address of its own; it goes with the process.
pub(super) struct Server {
    pub address: SocketAddr,
    asked: Receiver<Asked>,
}

impl Server {
    /// Answers each connection on a thread of its own.
    pub(super) fn start(ip: &str, answer: impl Fn(&Asked, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((ip, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (told, asked) = mpsc::channel();
        let answer = std::sync::Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, told, answer) = (stream.unwrap(), told.clone(), std::sync::Arc::clone(&answer));
                std::thread::spawn(move || {
                    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                    let head: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
                    let Some(first) = head.first() else { return };
                    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
                    let asked = Asked { path, head: head.join("\n") };
                    let _ = told.send(asked.clone());
                    answer(&asked, &mut stream);
                });
            }
        });
        Self { address, asked }
    }

    /// Has a body for every path.
    pub(super) fn with(body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self::start("127.0.0.1", move |_, stream| respond(stream, "200 OK", &[], &body))
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many requests have come, but for those that were taken.
    pub(super) fn asked(&self) -> usize {
        self.asked.try_iter().count()
    }

    /// The next request that has come.
    pub(super) fn next(&self) -> Asked {
        self.asked.recv_timeout(std::time::Duration::from_secs(60)).unwrap()
    }
}

/// A whole response.
pub(super) fn respond(stream: &mut TcpStream, status: &str, headers: &[&str], body: &[u8]) {
    let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
    headers.iter().for_each(|header| head.push_str(&format!("{header}\r\n")));
    let _ = stream.write_all(&[head.as_bytes(), b"\r\n", body].concat());
}

/// Keeps a connection open, and says nothing, until the other end is gone.
pub(super) fn stall(stream: &TcpStream) {
    let mut rest = Vec::new();
    let _ = std::io::Read::read_to_end(&mut &*stream, &mut rest);
}
