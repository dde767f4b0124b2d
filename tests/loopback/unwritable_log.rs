//! A log that nobody reads, that nobody can read, or whose disk is full: calls go on.

use super::harness::{Gateway, Phone, Setup, seconds, wait};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::fs::OpenOptions;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::net::UdpSocket;
use std::sync::mpsc;

/// A call from beginning to end, and an answer on the control socket in the middle of it.
fn assert_takes_calls(gateway: &Gateway) {
    let phone = Phone::dials("2000").seconds(1.5).call(gateway);
    gateway.wait_for_members("lobby", 1);
    assert_eq!(gateway.ctl(&["status"]).code(), 0);
    phone.finish().answered();
}

/// A pipe that takes not one byte more. `waits`: who writes waits for room, as is usual, instead of hearing EAGAIN.
fn full_pipe(waits: bool) -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = pipe().unwrap();
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
    while writer.write(&[b'\n'; 512]).is_ok() {}
    while writer.write(b"\n").is_ok() {}
    if waits {
        fcntl(&writer, FcntlArg::F_SETFL(OFlag::empty())).unwrap();
    }
    (reader, writer)
}

/// Makes the gateway write lines until it drops some.
fn fill(gateway: &Gateway) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let place = gateway.place();
    let mut n = 0;
    wait::until_true("lines of the log are dropped", seconds(60), || {
        for _ in 0..500 {
            n += 1;
            let request = format!(
                "OPTIONS sip:{place} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK{n}\r\nMax-Forwards: 70\r\n\
                 From: <sip:a@127.0.0.1>;tag=a\r\nTo: <sip:{place}>\r\nCall-ID: {n}\r\nCSeq: 1 OPTIONS\r\n\r\n"
            );
            socket.send_to(request.as_bytes(), &place).unwrap();
        }
        gateway.status()["backlog"]["log_lines_dropped"].as_u64().unwrap() > 0
    });
}

fn assert_goes_on_beside_a_full_pipe(waits: bool) {
    let (mut reader, writer) = full_pipe(waits);
    let gateway = Setup::new().errors_to(writer).start();
    assert_takes_calls(&gateway);
    fill(&gateway);
    assert_takes_calls(&gateway);
    let shown = gateway.ctl(&["status"]).output;
    assert!(shown.contains("lines of the log dropped"), "{shown}");
    // Somebody reads again: what waited comes, and how many lines did not.
    let (told, telling) = mpsc::channel();
    let reading = std::thread::spawn(move || {
        let (mut text, mut buffer) = (String::new(), [0; 4_096]);
        while let Ok(read @ 1..) = reader.read(&mut buffer) {
            text.push_str(&String::from_utf8_lossy(&buffer[..read]));
            if let Some((before, _)) = text.split_once(" lines of the log were dropped") {
                // Nobody waits for it any more once the test has failed.
                let _ = told.send(before.rsplit(' ').next().unwrap().parse::<u64>().unwrap());
            }
        }
        text
    });
    assert!(telling.recv_timeout(seconds(20)).unwrap() > 0);
    assert_takes_calls(&gateway);
    assert_eq!(gateway.finish().records.len(), 3);
    let text = reading.join().unwrap();
    let ladder = text.lines().filter(|line| line.contains("SIP: "));
    assert!(ladder.clone().count() > 100, "{text}");
    for line in ladder {
        assert!(line.starts_with("20") && line.ends_with(']'), "a torn line: {line}");
    }
}

#[test]
fn calls_go_on_while_nobody_reads_the_log_and_the_dropped_lines_are_told_when_somebody_does() {
    assert_goes_on_beside_a_full_pipe(true);
}

#[test]
fn a_log_that_says_try_again_is_no_different() {
    assert_goes_on_beside_a_full_pipe(false);
}

#[test]
fn calls_go_on_when_the_reader_of_the_log_is_gone() {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let gateway = Setup::new().errors_to(writer).start();
    assert_takes_calls(&gateway);
    gateway.wait_for("dropped lines are counted", seconds(10), |status| status["backlog"]["log_lines_dropped"] != 0);
    assert_eq!(gateway.finish().records.len(), 1);
}

#[test]
fn calls_go_on_when_the_disk_of_the_log_is_full() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let gateway = Setup::new().errors_to(full).start();
    assert_takes_calls(&gateway);
    assert_eq!(gateway.finish().records.len(), 1);
}
