//! Offers calls to a gateway on loopback at a rate that does not care whether they are answered, and says what came of
//! them. What it offers is bounded in rate and time; it sends to loopback addresses only.
//!
//!     cargo bench --bench overload -- --target 127.0.0.1:5090 --rate 12000 --seconds 10
//!
//! A call is INVITE, ACK and BYE. INVITE and BYE are sent again as RFC 3261 has it (timers A and E, T1 = 500 ms, three
//! times); an OPTIONS goes out once, every 20 ms: what is lost of these is counted.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::print_stderr, reason = "it measures, and says what")]

use std::collections::VecDeque;
use std::fmt::Write;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The most that can be asked for.
const MOST_A_SECOND: u32 = 50_000;
const MOST_SECONDS: u32 = 60;
/// Time between two OPTIONS.
const OPTIONS_EVERY: Duration = Duration::from_millis(20);
/// When a request goes out again of which nothing was heard, after the time before: timers A and E.
const AGAIN: [Duration; 3] = [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];
/// What is still waited for after the last call.
const AFTERMATH: Duration = Duration::from_secs(5);
/// Calls sent in one go before answers are looked at.
const BURST: u32 = 32;

const USAGE: &str =
    "usage: overload --target 127.0.0.1:PORT --rate CALLS_A_SECOND --seconds N [--user 1000] [--local IP]";

struct Options {
    target: SocketAddr,
    local: String,
    rate: u32,
    seconds: u32,
    user: String,
}

impl Options {
    fn read() -> Result<Self, String> {
        let mut options = Self {
            target: ([127, 0, 0, 1], 5090).into(),
            local: "127.0.0.1".into(),
            rate: 0,
            seconds: 10,
            user: "1000".into(),
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            if name == "--bench" {
                // Cargo says so.
                continue;
            }
            let value = arguments.next().ok_or_else(|| format!("{name}: a value is missing"))?;
            let number = || value.parse::<u32>().map_err(|_| format!("{name}: {value} is no whole number"));
            match name.as_str() {
                "--target" => options.target = value.parse().map_err(|_| format!("{name}: {value} is no IP:PORT"))?,
                "--local" => options.local = value,
                "--rate" => options.rate = number()?,
                "--seconds" => options.seconds = number()?,
                "--user" => options.user = value,
                _ => return Err(format!("{name} is no option")),
            }
        }
        if !options.target.ip().is_loopback() {
            return Err("--target: only loopback addresses".into());
        }
        if !(1..=MOST_A_SECOND).contains(&options.rate) || !(1..=MOST_SECONDS).contains(&options.seconds) {
            return Err(format!("--rate is 1 to {MOST_A_SECOND}, --seconds 1 to {MOST_SECONDS}"));
        }
        Ok(options)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing was heard.
    Calling,
    /// 1xx.
    Proceeding,
    /// 200, and our BYE is out.
    Ending,
    /// The BYE was answered, or the INVITE refused.
    Over,
}

#[derive(Debug, Clone, Copy)]
struct Call {
    began: Instant,
    stage: Stage,
}

/// What was seen.
#[derive(Debug, Default)]
struct Tally {
    /// From INVITE to 200, of each call that was answered.
    answered: Vec<Duration>,
    /// Of these, those answered while calls were offered.
    answered_in_time: u32,
    unavailable: u32,
    without_retry_after: u32,
    otherwise: u32,
    ended: u32,
    sent_again: u32,
    /// From OPTIONS to 200.
    options: Vec<Duration>,
    /// Longest time by which a call was begun late.
    late: Duration,
}

struct Flood {
    options: Options,
    socket: UdpSocket,
    local: SocketAddr,
    /// Where calls want their sound: nobody reads it.
    sink: u16,
    /// Makes the calls of this run unlike those of another.
    run: u32,
    begin: Instant,
    calls: Vec<Call>,
    /// OPTIONS that are out, and when they were sent.
    asked: Vec<Option<Instant>>,
    /// Which INVITE is sent again next, and when, by how often it was already.
    again: [VecDeque<(Instant, u32)>; 3],
    /// The same of BYEs, with the To header.
    bye_again: [VecDeque<(Instant, u32, String)>; 3],
    tally: Tally,
    text: String,
}

impl Flood {
    fn send(&self) {
        // A full buffer is a lost datagram.
        let _ = self.socket.send_to(self.text.as_bytes(), self.options.target);
    }

    /// Writes a request; `kind` is the first letter of its branch.
    fn write(&mut self, method: &str, kind: char, number: u32, cseq: u32, to: &str, body: &str) {
        let (local, target, run, user) = (self.local, self.options.target, self.run, &self.options.user);
        self.text.clear();
        let _ = write!(
            self.text,
            "{method} sip:{user}@{target} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK{kind}{number}.{run}\r\n\
             From: <sip:flood@{local}>;tag=f{number}\r\nTo: {to}\r\nCall-ID: {number}.{run}\r\n\
             CSeq: {cseq} {method}\r\nMax-Forwards: 70\r\nContact: <sip:flood@{local}>\r\n"
        );
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let _ = write!(self.text, "{kind}Content-Length: {}\r\n\r\n{body}", body.len());
        self.send();
    }

    fn called(&self) -> String {
        format!("<sip:{}@{}>", self.options.user, self.options.target)
    }

    fn invite(&mut self, number: u32) {
        let body = format!(
            "v=0\r\no=- {number} 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
             m=audio {} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
             a=ptime:20\r\na=sendrecv\r\n",
            self.sink
        );
        let to = self.called();
        self.write("INVITE", 'i', number, 1, &to, &body);
    }

    fn begin_due(&mut self, now: Instant) {
        let due = (now - self.begin).as_secs_f64() * f64::from(self.options.rate);
        let most = self.options.rate * self.options.seconds;
        let due = (due as u32).min(most);
        let from = self.calls.len() as u32;
        for number in from..due.min(from + BURST) {
            let planned = self.begin + Duration::from_secs_f64(f64::from(number) / f64::from(self.options.rate));
            self.tally.late = self.tally.late.max(now.saturating_duration_since(planned));
            self.calls.push(Call { began: now, stage: Stage::Calling });
            self.again[0].push_back((now + AGAIN[0], number));
            self.invite(number);
        }
    }

    fn ask_due(&mut self, now: Instant) {
        let time = Duration::from_secs(self.options.seconds.into());
        let due = (now - self.begin).min(time).as_millis() / OPTIONS_EVERY.as_millis();
        if (self.asked.len() as u128) < due {
            let number = self.asked.len() as u32;
            self.asked.push(Some(now));
            let to = self.called();
            self.write("OPTIONS", 'o', number, 1, &to, "");
        }
    }

    fn send_again_due(&mut self, now: Instant) {
        for stage in 0..AGAIN.len() {
            while let Some((_, number)) = self.again[stage].front().copied().filter(|(at, _)| *at <= now) {
                self.again[stage].pop_front();
                if self.calls[number as usize].stage != Stage::Calling {
                    continue;
                }
                self.tally.sent_again += 1;
                if let Some(next) = self.again.get_mut(stage + 1) {
                    next.push_back((now + AGAIN[stage + 1], number));
                }
                self.invite(number);
            }
        }
    }

    fn send_byes_again_due(&mut self, now: Instant) {
        for stage in 0..AGAIN.len() {
            while self.bye_again[stage].front().is_some_and(|(at, ..)| *at <= now) {
                let Some((_, number, to)) = self.bye_again[stage].pop_front() else { break };
                if self.calls[number as usize].stage != Stage::Ending {
                    continue;
                }
                self.tally.sent_again += 1;
                self.write("BYE", 'b', number, 2, &to, "");
                if let Some(next) = self.bye_again.get_mut(stage + 1) {
                    next.push_back((now + AGAIN[stage + 1], number, to));
                }
            }
        }
    }

    fn receive(&mut self, now: Instant, response: &str) {
        let Some(status) = response.get(8..12).and_then(|text| text.trim().parse::<u16>().ok()) else { return };
        let Some((_, branch)) = response.split_once("branch=z9hG4bK") else { return };
        let number = |text: &str| text.split('.').next().and_then(|number| number.parse::<usize>().ok());
        let run = branch.split(['.', ';', '\r']).nth(1).and_then(|run| run.parse().ok());
        if run != Some(self.run) {
            return;
        }
        let Some(number) = branch.get(1..).and_then(number) else { return };
        match branch.as_bytes().first() {
            Some(b'i') => self.on_invite_answered(now, status, number, response),
            Some(b'b') if status >= 200 => {
                if let Some(call) = self.calls.get_mut(number).filter(|call| call.stage == Stage::Ending) {
                    call.stage = Stage::Over;
                    self.tally.ended += 1;
                }
            }
            Some(b'o') => {
                if let Some(asked) = self.asked.get_mut(number).and_then(Option::take) {
                    self.tally.options.push(now - asked);
                }
            }
            _ => {}
        }
    }

    fn on_invite_answered(&mut self, now: Instant, status: u16, number: usize, response: &str) {
        let Some(call) = self.calls.get_mut(number) else { return };
        if status < 200 {
            if call.stage == Stage::Calling {
                call.stage = Stage::Proceeding;
            }
            return;
        }
        let is_new = matches!(call.stage, Stage::Calling | Stage::Proceeding);
        let to = response.split("\r\n").find_map(|line| line.strip_prefix("To: ")).unwrap_or_default().to_owned();
        let index = number as u32;
        if status >= 300 {
            if is_new {
                call.stage = Stage::Over;
                match status {
                    503 => self.tally.unavailable += 1,
                    _ => self.tally.otherwise += 1,
                }
                self.tally.without_retry_after += u32::from(status == 503 && !response.contains("\r\nRetry-After:"));
            }
            return self.write("ACK", 'i', index, 1, &to, "");
        }
        if is_new {
            call.stage = Stage::Ending;
            self.tally.answered.push(now - call.began);
            self.tally.answered_in_time +=
                u32::from(now - self.begin <= Duration::from_secs(self.options.seconds.into()));
        }
        self.write("ACK", 'a', index, 1, &to, "");
        if is_new {
            self.write("BYE", 'b', index, 2, &to, "");
            self.bye_again[0].push_back((now + AGAIN[0], index, to));
        }
    }

    fn run(mut self) {
        let end = self.begin + Duration::from_secs(self.options.seconds.into());
        let mut buffer = vec![0; 65_535];
        loop {
            let now = Instant::now();
            if now >= end + AFTERMATH {
                break;
            }
            self.begin_due(now);
            self.ask_due(now);
            self.send_again_due(now);
            self.send_byes_again_due(now);
            let mut heard = 0;
            while heard < 4 * BURST {
                match self.socket.recv(&mut buffer) {
                    Ok(length) => {
                        heard += 1;
                        let response = std::str::from_utf8(&buffer[..length]).unwrap_or_default().to_owned();
                        self.receive(Instant::now(), &response);
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(_) => {}
                }
            }
            if heard == 0 {
                std::thread::sleep(Duration::from_micros(200));
            }
        }
        self.tell();
    }

    fn tell(mut self) {
        let seconds = f64::from(self.options.seconds);
        let offered = self.calls.len();
        let silent = self.calls.iter().filter(|call| matches!(call.stage, Stage::Calling | Stage::Proceeding)).count();
        let tally = &mut self.tally;
        let answered = quantiles(&mut tally.answered);
        let soon = tally.answered.iter().filter(|took| **took <= Duration::from_millis(500)).count();
        let lost = self.asked.iter().flatten().count();
        let options = quantiles(&mut tally.options);
        println!(
            "offered {:.0}/s, answered {:.0}/s ({soon} of {} within 500 ms), INVITE to 200 p50/p99/max {answered} ms; \
             503 {:.0}/s ({} without Retry-After), other refusals {}, no final answer {silent}; \
             BYE unanswered {}; sent again {}; OPTIONS {} of {} lost, p50/p99/max {options} ms; generator late by {:.0} ms at most",
            offered as f64 / seconds,
            f64::from(tally.answered_in_time) / seconds,
            tally.answered.len(),
            f64::from(tally.unavailable) / seconds,
            tally.without_retry_after,
            tally.otherwise,
            tally.answered.len() - tally.ended as usize,
            tally.sent_again,
            lost,
            self.asked.len(),
            tally.late.as_secs_f64() * 1e3,
        );
    }
}

/// Median, 99th percentile and greatest, in ms.
fn quantiles(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |share: f64| times.get(((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1)));
    let ms = |share| at(share).map_or_else(|| "-".into(), |time| format!("{:.1}", time.as_secs_f64() * 1e3));
    format!("{}/{}/{}", ms(0.5), ms(0.99), ms(1.0))
}

fn start(options: Options) -> std::io::Result<()> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None)?;
    socket.set_recv_buffer_size(8 << 20)?;
    let local: SocketAddr = format!("{}:0", options.local).parse().map_err(std::io::Error::other)?;
    socket.bind(&local.into())?;
    socket.set_nonblocking(true)?;
    let socket = UdpSocket::from(socket);
    let sink = UdpSocket::bind(local)?;
    let (local, run) = (socket.local_addr()?, std::process::id());
    let calls = Vec::with_capacity((options.rate * options.seconds) as usize);
    let flood = Flood {
        options,
        socket,
        local,
        sink: sink.local_addr()?.port(),
        run,
        begin: Instant::now(),
        calls,
        asked: Vec::new(),
        again: Default::default(),
        bye_again: Default::default(),
        tally: Tally::default(),
        text: String::new(),
    };
    flood.run();
    Ok(())
}

fn main() -> ExitCode {
    let told = Options::read().map_err(|error| format!("{error}\n{USAGE}"));
    match told.and_then(|options| start(options).map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
