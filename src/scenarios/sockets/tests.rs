//! Sockets against a server that a test is.

use super::super::Message;
use super::super::mailbox::Reader;
use super::*;
use crate::media::command::{Live, LiveWriter};
use crate::types::Network;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::{WebSocketStream, accept_async};

const SESSION: SessionId = SessionId(1);
const PATIENCE: Duration = Duration::from_secs(30);

/// A scenario's end, and a server's.
struct Stage {
    sockets: Sockets,
    scenario: Reader,
    runtime: Runtime,
    listener: TcpListener,
}

fn stage() -> Stage {
    let allow = vec![Network { address: "127.0.0.0".parse().unwrap(), prefix: 8 }];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let sockets = Sockets::new(FetchSettings { allow, ..FetchSettings::default() });
    Stage { sockets, scenario: Reader::new(), runtime, listener }
}

type Server = WebSocketStream<TcpStream>;

impl Stage {
    fn ask(&self, ask: SocketAsk) {
        self.sockets.ask(SESSION, ask, Arc::clone(&self.scenario.mailbox));
    }

    fn open(&self, headers: &[(&str, &str)]) {
        let url = format!("ws://{}/path", self.listener.local_addr().unwrap());
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.ask(SocketAsk::Open { socket: 1, url, protocols: Vec::new(), headers });
    }

    fn accept(&self) -> Server {
        self.runtime.block_on(async {
            let (stream, _) = self.listener.accept().await.unwrap();
            accept_async(stream).await.unwrap()
        })
    }

    fn connected(&self) -> Server {
        self.open(&[]);
        let server = self.accept();
        assert_eq!(self.next(), SocketNews::Opened);
        server
    }

    fn next(&self) -> SocketNews {
        match self.scenario.next() {
            Message::Socket(1, news) => news,
            other => panic!("{other:?}"),
        }
    }

    fn receive(&self, server: &mut Server) -> Frame {
        self.runtime.block_on(async { tokio::time::timeout(PATIENCE, server.next()).await }).unwrap().unwrap().unwrap()
    }

    fn receive_json(&self, server: &mut Server) -> Value {
        serde_json::from_str(self.receive(server).to_text().unwrap()).unwrap()
    }

    fn send(&self, server: &mut Server, value: &Value) {
        self.runtime.block_on(server.send(Frame::text(value.to_string()))).unwrap();
    }

    /// A stream from the socket. Gives what reads it in place of the media plane.
    fn hear(&self, stream: u32, tag: &str) -> rtrb::Consumer<crate::media::command::StreamSample> {
        let (writer, live): (LiveWriter, Live) = Live::new(Duration::from_secs(1));
        let stream = StreamHandle(stream);
        self.ask(SocketAsk::Hear { socket: 1, stream, tag: tag.to_owned() });
        self.sockets.stream(SESSION, stream, StreamEnd::In(writer));
        live.take_for_test().unwrap()
    }
}

fn media(tag: &str, payload: &[u8]) -> Value {
    use base64::Engine;
    let payload = base64::prelude::BASE64_STANDARD.encode(payload);
    json!({ "event": "media", "media": { "tag": tag, "chunk": 1, "timestamp": 0, "payload": payload } })
}

fn start(tag: &str, encoding: &str) -> Value {
    json!({ "event": "start", "start": { "tag": tag, "mediaFormat": { "encoding": encoding } } })
}

#[test]
fn texts_go_both_ways_and_either_side_may_close() {
    let stage = stage();
    stage.open(&[("X-A", "b"), ("Host", "elsewhere"), ("Sec-WebSocket-Key", "mine")]);
    stage.ask(SocketAsk::Send { socket: 1, text: "early".into() });
    let mut server = stage.accept();
    assert_eq!(stage.next(), SocketNews::Opened);
    assert_eq!(stage.receive(&mut server), Frame::text("early"));
    stage.send(&mut server, &json!({ "event": "mine" }));
    assert_eq!(stage.next(), SocketNews::Message(r#"{"event":"mine"}"#.into()));
    stage.ask(SocketAsk::Close { socket: 1 });
    assert!(stage.receive(&mut server).is_close());
    stage.runtime.block_on(async { while server.next().await.is_some_and(|frame| frame.is_ok()) {} });
    assert!(matches!(stage.next(), SocketNews::Closed { code: 1_000, is_clean: true, .. }));
}

#[test]
fn sound_is_framed_both_ways() {
    let stage = stage();
    let mut server = stage.connected();
    let mut heard = stage.hear(1, "");
    stage.send(&mut server, &start("a", "PCM8"));
    let began = SocketNews::MediaStarted { tag: "a".into(), encoding: "PCM8".into(), custom: String::new() };
    assert_eq!(stage.next(), began);
    stage.send(&mut server, &media("a", &[[0x34_u8, 0x12]; 400].concat()));
    stage.send(&mut server, &json!({ "event": "stop", "tag": "a" }));
    assert_eq!(stage.next(), SocketNews::MediaEnded { tag: "a".into(), milliseconds: 50 });
    let samples: Vec<i16> = std::iter::from_fn(|| heard.pop().ok()).map(|sample| sample.narrow).collect();
    assert!(samples.len() > 500, "a margin, and nearly all of the piece: {}", samples.len());
    assert_eq!((samples[159], samples[160]), (0, 0x1234));

    let (mut ring, sound) = rtrb::RingBuffer::new(8_000);
    let stream = StreamHandle(2);
    stage.sockets.stream(SESSION, stream, StreamEnd::Out(sound));
    let custom = r#"{"x":1}"#.to_owned();
    stage.ask(SocketAsk::Tell { socket: 1, stream, encoding: "ULAW".into(), tag: "t".into(), custom });
    assert_eq!(stage.receive_json(&mut server)["start"]["mediaFormat"]["encoding"], "ULAW");
    (0..400).for_each(|_| ring.push(0).unwrap());
    for chunk in 1..=2 {
        let piece = stage.receive_json(&mut server);
        assert_eq!((&piece["media"]["chunk"], &piece["media"]["tag"]), (&chunk.into(), &"t".into()));
    }
    drop(ring);
    let stop = stage.receive_json(&mut server);
    assert_eq!(stop["stop"]["mediaInfo"], json!({ "bytesSent": 320, "duration": 40 }));
}

#[test]
fn what_cannot_be_used_is_told_once() {
    let stage = stage();
    let mut server = stage.connected();
    for _ in 0..3 {
        stage.send(&mut server, &media("", &[0; 320]));
    }
    assert_eq!(stage.next(), SocketNews::Failed("sound came without a start".into()));
    stage.send(&mut server, &json!("and text goes on"));
    assert_eq!(stage.next(), SocketNews::Message("\"and text goes on\"".into()));
}

#[test]
fn a_peer_that_does_not_read_loses_the_oldest_sound_and_a_killed_one_is_told_of() {
    let stage = stage();
    let mut server = stage.connected();
    let stream = StreamHandle(2);
    let (mut ring, sound) = rtrb::RingBuffer::new(160_000);
    stage.sockets.stream(SESSION, stream, StreamEnd::Out(sound));
    let tell = |encoding: &str| SocketAsk::Tell {
        socket: 1,
        stream,
        encoding: encoding.into(),
        tag: String::new(),
        custom: String::new(),
    };
    stage.ask(tell("PCM16"));
    // More than all buffers on the way hold.
    for _ in 0..30_000 {
        let until = std::time::Instant::now() + PATIENCE;
        while ring.slots() < 320 {
            assert!(std::time::Instant::now() < until, "nobody takes it");
            std::thread::yield_now();
        }
        ring.write_chunk_uninit(320).unwrap().fill_from_iter([0; 320]);
    }
    drop(ring);
    let (mut last, mut gap) = (0, false);
    loop {
        let message = stage.receive_json(&mut server);
        if message["event"] == "stop" {
            break;
        }
        if let Some(chunk) = message["media"]["chunk"].as_u64() {
            gap |= chunk != last + 1;
            assert!(chunk > last, "in order");
            last = chunk;
        }
    }
    assert!(gap && last == 30_000, "the newest is there, and some before it are not");
    drop(server);
    assert!(matches!(stage.next(), SocketNews::Closed { code: 1_006, is_clean: false, .. }));
}

#[test]
fn hosts_that_may_not_be_asked_are_not_and_nothing_leads_on() {
    let stage = stage();
    stage.sockets.ask_by(FetchSettings::default());
    let failed = |url: &str, why: &str| {
        let ask = SocketAsk::Open { socket: 1, url: url.into(), protocols: Vec::new(), headers: Vec::new() };
        stage.ask(ask);
        let SocketNews::Failed(said) = stage.next() else { panic!("{url} opened") };
        assert!(said.contains(why), "{url}: {said}");
        assert!(matches!(stage.next(), SocketNews::Closed { code: 1_006, is_clean: false, .. }));
    };
    let place = stage.listener.local_addr().unwrap();
    failed(&format!("ws://{place}/"), "is loopback");
    failed(&format!("ws://[::1]:{}/", place.port()), "is loopback");
    failed("http://example.com/", "not with wss: or ws:");
    failed("nowhere", "this is no URL");
}

#[test]
fn a_server_that_leads_elsewhere_is_not_followed() {
    let stage = stage();
    stage.open(&[]);
    stage.runtime.block_on(async {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = stage.listener.accept().await.unwrap();
        let mut head = [0; 4_096];
        let _ = stream.read(&mut head).await.unwrap();
        let answer = "HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
    });
    let SocketNews::Failed(said) = stage.next() else { panic!("it opened") };
    assert!(said.contains("302"), "{said}");
}

#[test]
fn a_session_that_is_over_closes_its_sockets() {
    let stage = stage();
    let mut server = stage.connected();
    stage.sockets.end(SESSION);
    assert!(stage.receive(&mut server).is_close());
}

#[test]
fn a_socket_can_be_given_up_before_it_is_open() {
    let stage = stage();
    stage.open(&[]);
    stage.ask(SocketAsk::Close { socket: 1 });
    assert!(matches!(stage.next(), SocketNews::Closed { code: 1_006, is_clean: false, .. }));
}
