//! A telephone that keeps every packet it gets.

use super::browser::header;
use super::gateway::Gateway;
use partyline::audio::codec::g711;
use partyline::rtp::{Header, Packet};
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a response may take.
const LIMIT: Duration = Duration::from_secs(5);
/// How often it is looked whether the call is over.
const LOOK: Duration = Duration::from_millis(100);
/// Samples, octets and RTP units in a packet.
const PACKET: u32 = 160;

/// What came, in order.
type Packets = Mutex<Vec<(Header, Vec<u8>)>>;

/// A telephone in a call. It says silence, a packet for each that it gets.
pub struct Listener {
    sip: UdpSocket,
    gateway: String,
    number: String,
    to: String,
    target: String,
    heard: Arc<Packets>,
    is_over: Arc<AtomicBool>,
    media: Option<JoinHandle<()>>,
}

/// Which packets came in a call.
#[derive(Debug)]
pub struct Came {
    pub packets: usize,
    /// Packets that the sequence numbers lack.
    pub missing: usize,
    /// Packets that the timestamps have room for beyond those that came: ticks that were skipped.
    pub skipped: usize,
}

impl Came {
    /// What there is to say of sound that is always on time. One in a hundred may lack, as another program may have had
    /// the processor: what holds up sound for seconds shows all the same.
    pub fn assert_on_time(&self) {
        println!("{self:?}");
        assert!(self.packets > 100 && self.missing + self.skipped <= self.packets / 100, "{self:?}");
    }
}

impl Listener {
    /// Calls `number`, and is answered.
    pub fn calls(number: &str, gateway: &Gateway) -> Self {
        let [sip, media] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
        sip.set_read_timeout(Some(LIMIT)).unwrap();
        media.set_read_timeout(Some(LOOK)).unwrap();
        let place = gateway.place();
        let target = format!("sip:{number}@{place}");
        let to = format!("<{target}>");
        let port = media.local_addr().unwrap().port();
        let (heard, is_over) = (Arc::<Packets>::default(), Arc::<AtomicBool>::default());
        let thread = std::thread::spawn({
            let (heard, is_over) = (Arc::clone(&heard), Arc::clone(&is_over));
            move || listen(&media, &heard, &is_over)
        });
        let number = number.to_owned();
        let mut listener = Self { sip, gateway: place, number, to, target, heard, is_over, media: Some(thread) };
        let offer = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
        );
        listener.send("INVITE", 1, &offer);
        let answer = listener.final_response("INVITE");
        assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
        listener.to = header(&answer, "To");
        listener.target = header(&answer, "Contact").trim_matches(['<', '>']).to_owned();
        listener.send("ACK", 1, "");
        listener
    }

    /// What it has heard so far, mono at 8 kHz.
    pub fn heard(&self) -> Vec<i16> {
        let packets = self.heard.lock().unwrap();
        let mut samples = vec![0; packets.len() * PACKET as usize];
        for (samples, (_, payload)) in samples.chunks_exact_mut(PACKET as usize).zip(&*packets) {
            g711::decode_ulaw(payload, samples);
        }
        samples
    }

    /// Hangs up. Says which packets came.
    pub fn hangs_up(mut self) -> Came {
        self.send("BYE", 2, "");
        assert!(self.final_response("BYE").starts_with("SIP/2.0 200"));
        self.is_over.store(true, Ordering::Release);
        self.media.take().unwrap().join().unwrap();
        let packets = std::mem::take(&mut *self.heard.lock().unwrap());
        let (Some((first, _)), Some((last, _))) = (packets.first(), packets.last()) else {
            return Came { packets: 0, missing: 0, skipped: 0 };
        };
        let steps = packets.windows(2).map(|two| two[1].0.sequence.wrapping_sub(two[0].0.sequence));
        assert!(steps.clone().all(|step| step < 0x8000), "packets came out of order");
        let missing = steps.map(|step| usize::from(step) - 1).sum();
        let ticks = last.timestamp.wrapping_sub(first.timestamp) / PACKET + 1;
        Came { packets: packets.len(), missing, skipped: ticks as usize - packets.len() - missing }
    }

    fn send(&self, method: &str, sequence: u32, body: &str) {
        let Self { sip, gateway, number, to, target, .. } = self;
        let here = sip.local_addr().unwrap();
        let id = format!("listener-{number}-{}", here.port());
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let message = format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK-{id}-{method}\r\nMax-Forwards: 70\r\n\
             From: <sip:1008@{here}>;tag={id}\r\nTo: {to}\r\nCall-ID: {id}\r\nCSeq: {sequence} {method}\r\n\
             Contact: <sip:1008@{here}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        sip.send_to(message.as_bytes(), gateway.as_str()).unwrap();
    }

    /// The final response to a request.
    fn final_response(&self, method: &str) -> String {
        let mut bytes = [0; 8_000];
        loop {
            let length = self.sip.recv(&mut bytes).expect("a response");
            let message = String::from_utf8_lossy(&bytes[..length]).into_owned();
            let is_ours = header(&message, "CSeq").ends_with(method);
            if message.starts_with("SIP/2.0 ") && !message.starts_with("SIP/2.0 1") && is_ours {
                return message;
            }
        }
    }
}

fn listen(media: &UdpSocket, heard: &Packets, is_over: &AtomicBool) {
    let (mut bytes, mut sequence) = ([0; 2_000], 0);
    while !is_over.load(Ordering::Acquire) {
        let Ok((length, source)) = media.recv_from(&mut bytes) else { continue };
        let Ok(packet) = Packet::parse(&bytes[..length]) else { continue };
        assert_eq!(packet.payload.len(), PACKET as usize);
        heard.lock().unwrap().push((packet.header, packet.payload.to_vec()));
        let timestamp = u32::from(sequence) * PACKET;
        let header = Header { marker: sequence == 0, payload_type: 0, sequence, timestamp, ssrc: 7 };
        let mut silence = [0xFF; 12 + PACKET as usize];
        silence[..12].copy_from_slice(&header.to_bytes());
        let _ = media.send_to(&silence, source);
        sequence = sequence.wrapping_add(1);
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
    }
}
