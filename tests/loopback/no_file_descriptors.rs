//! A gateway that may open no more files: new calls are refused, calls in progress go on.

use super::harness::slot::Slot;
use super::harness::{Phone, Setup, Sipp, seconds, sound, wait};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

const ANNAS: f64 = 500.0;
const BENS: f64 = 900.0;
/// Few more than the gateway needs for itself.
const DESCRIPTORS: u32 = 48;

#[test]
fn without_descriptors_new_calls_get_503_and_the_old_go_on() {
    let _slot = Slot::take();
    let gateway = Setup::new().descriptors(DESCRIPTORS).media_ports(200).start();
    let anna = Phone::dials("2000").says(ANNAS).seconds(9.0).call(&gateway);
    let ben = Phone::dials("2000").from("1002").says(BENS).seconds(9.0).call(&gateway);
    gateway.wait_for_members("lobby", 2);
    let many = ["-m", "40", "-r", "40", "-l", "40"];
    Sipp::new("stays_or_is_refused").number("3000").arguments(&many).run(&gateway);
    let (anna, ben) = (anna.finish().answered(), ben.finish().answered());
    sound::assert_hears_other_not_own("Anna", &anna.heard, BENS, ANNAS);
    sound::assert_hears_other_not_own("Ben", &ben.heard, ANNAS, BENS);
    gateway.wait_for("all are gone", seconds(10), |status| status["calls"].as_array().unwrap().is_empty());
    Phone::dials("2000").seconds(0.5).run(&gateway).answered();
    let remains = gateway.finish();
    let refused = remains.records.iter().filter(|record| record["status"] == 503).count();
    assert!(refused > 0 && refused < 40, "{refused} were refused");
    assert!(remains.says(&["no file descriptor is left"]), "{}", remains.log);
    assert!(remains.says(&["file descriptors suffice for"]), "no warning at the start: {}", remains.log);
}

#[test]
fn connections_that_take_all_descriptors_do_not_shut_the_administrator_out() {
    let gateway = Setup::new().descriptors(DESCRIPTORS).start();
    let mut open = Vec::new();
    wait::until_true("no connection can be accepted", seconds(20), || {
        open.push(TcpStream::connect(gateway.place()).unwrap());
        gateway.log().contains("cannot accept a connection")
    });
    for _ in 0..3 {
        let asked = gateway.ctl(&["status"]);
        assert_eq!(asked.code(), 0, "{}", asked.errors);
    }
    // Nor do some who say nothing and take the descriptors that are kept for administrators.
    let idle: Vec<_> = (0..8).map(|_| UnixStream::connect(gateway.control()).unwrap()).collect();
    assert_eq!(gateway.ctl(&["status"]).code(), 0);
    drop((idle, open));
    Phone::dials("2000").seconds(0.5).run(&gateway).answered();
}
