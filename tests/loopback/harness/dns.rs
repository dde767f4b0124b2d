//! A DNS server with records of the test's own, which can be slow, fail, fall silent and go away.

use super::address::Family;
use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, NAPTR, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Seconds that its answers hold: a gateway that is told to look again asks again.
const LIFETIME: u32 = 1;

/// How it behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Answers after this time.
    Answers(Duration),
    /// Says SERVFAIL.
    Fails,
    /// Says nothing.
    IsSilent,
}

#[derive(Default)]
struct Zone {
    records: Vec<(Name, RData)>,
    /// What was asked for, in order: `NAPTR carrier.test.`
    asked: Vec<String>,
}

/// Ends when dropped.
pub struct Dns {
    place: SocketAddr,
    zone: Arc<Mutex<Zone>>,
    manner: Arc<Mutex<Manner>>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Dns {
    /// One that knows nothing yet.
    pub fn start() -> Self {
        let socket = UdpSocket::bind((Family::V4.own_address(), 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let place = socket.local_addr().unwrap();
        let zone = Arc::new(Mutex::new(Zone::default()));
        let manner = Arc::new(Mutex::new(Manner::Answers(Duration::ZERO)));
        let ended = Arc::new(AtomicBool::new(false));
        let shared = (Arc::clone(&zone), Arc::clone(&manner), Arc::clone(&ended));
        let thread = std::thread::spawn(move || serve(&socket, &shared.0, &shared.1, &shared.2));
        Self { place, zone, manner, ended, thread: Some(thread) }
    }

    /// Where it answers.
    pub const fn place(&self) -> SocketAddr {
        self.place
    }

    /// The line of `[gateway]` that makes a gateway ask here.
    pub fn setting(&self) -> String {
        format!("dns = [\"{}\"]", self.place)
    }

    /// `services` such as `SIP+D2T` are found by the SRV records of `replacement`; the lowest order first.
    pub fn naptr(self, name: &str, order: u16, services: &str, replacement: &str) -> Self {
        let bytes = |text: &str| text.as_bytes().into();
        let record = NAPTR::new(order, 10, bytes("s"), bytes(services), bytes(""), absolute(replacement));
        self.record(name, RData::NAPTR(record))
    }

    pub fn srv(self, name: &str, (priority, weight): (u16, u16), target: &str, port: u16) -> Self {
        self.record(name, RData::SRV(SRV::new(priority, weight, port, absolute(target))))
    }

    pub fn address(self, name: &str, address: IpAddr) -> Self {
        let record = match address {
            IpAddr::V4(address) => RData::A(A(address)),
            IpAddr::V6(address) => RData::AAAA(AAAA(address)),
        };
        self.record(name, record)
    }

    fn record(self, name: &str, data: RData) -> Self {
        self.zone.lock().unwrap().records.push((absolute(name), data));
        self
    }

    pub fn behave(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// All that was asked so far.
    pub fn asked(&self) -> Vec<String> {
        self.zone.lock().unwrap().asked.clone()
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // Where it panicked, the test has failed already.
            let _ = thread.join();
        }
    }
}

fn absolute(name: &str) -> Name {
    Name::from_ascii(format!("{}.", name.trim_end_matches('.'))).unwrap()
}

fn serve(socket: &UdpSocket, zone: &Mutex<Zone>, manner: &Mutex<Manner>, ended: &AtomicBool) {
    let mut packet = [0; 1_500];
    while !ended.load(Ordering::Relaxed) {
        let Ok((length, from)) = socket.recv_from(&mut packet) else { continue };
        let Ok(question) = Message::from_vec(&packet[..length]) else { continue };
        let manner = *manner.lock().unwrap();
        if manner == Manner::IsSilent {
            continue;
        }
        let mut answer = Message::response(question.metadata.id, OpCode::Query);
        answer.metadata.recursion_desired = true;
        answer.metadata.recursion_available = true;
        let mut zone = zone.lock().unwrap();
        for query in question.queries {
            zone.asked.push(format!("{} {}", query.query_type(), query.name().to_lowercase()));
            if manner == Manner::Fails {
                answer.metadata.response_code = ResponseCode::ServFail;
            } else {
                let own: Vec<_> = zone.records.iter().filter(|(name, _)| name == query.name()).collect();
                if own.is_empty() {
                    answer.metadata.response_code = ResponseCode::NXDomain;
                }
                let fitting = own.into_iter().filter(|(_, data)| data.record_type() == query.query_type());
                answer.add_answers(
                    fitting.map(|(_, data)| Record::from_rdata(query.name().clone(), LIFETIME, data.clone())),
                );
            }
            answer.add_query(query);
        }
        drop(zone);
        if let Manner::Answers(after) = manner {
            std::thread::sleep(after);
        }
        // Whoever asked may have gone.
        let _ = socket.send_to(&answer.to_vec().unwrap(), from);
    }
}
