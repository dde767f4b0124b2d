//! SIPVicious, the scanner that finds its way to every open SIP port: its map, war and crack.

use super::harness::process::{Outcome, Running};
use super::harness::{Family, Gateway, Setup, address, seconds};
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

/// The password that crack is after, and words like it. It is not among the first ten.
const PASSWORD: &str = "correct horse battery";
const NEIGHBOURS: [&str; 24] = [
    "correct horse batter",
    "correct horse battery.",
    "Correct horse battery",
    "correct horse batterx",
    "correct-horse-battery",
    "correcthorsebattery",
    "correct horse",
    "pbx",
    "1001",
    "1234",
    "",
    "password",
    "admin",
    "correct horse battery1",
    "correct horse battery staple",
    PASSWORD,
    "secret",
    "test",
    "0000",
    "partyline",
    "letmein",
    "qwerty",
    "asterisk",
    PASSWORD,
];

/// A trunk known by its address, which the scanner has not, and numbers that exist. With `auth` also a trunk known by
/// its password. MD5 alone, since the scanner knows nothing better.
fn gateway(auth: bool) -> Gateway {
    let (pbx, from) = if auth {
        ("[trunks.pbx]\nauth = { username = \"pbx\", password = { env = \"PBX_PASSWORD\" } }\n", r#"["known", "pbx"]"#)
    } else {
        ("", r#""known""#)
    };
    let routes = format!(
        "[trunks.known]\nallow = [\"127.0.0.77\"]\n{pbx}[rooms.lobby]\n\
         [[routes]]\nname = \"In\"\nfrom = {from}\nnumber = '10[0-4]\\d|\\+4420\\d+'\nroom = \"lobby\"\n"
    );
    Setup::new()
        .setting("digest = { algorithms = [\"MD5\"] }")
        .routes(&routes)
        .environment("PBX_PASSWORD", PASSWORD)
        .start()
}

/// What `sipvicious_{tool}` says of whatever listens at `port` of `host`.
fn scan(tool: &str, folder: &Path, host: &str, port: u16, arguments: &[&str]) -> Outcome {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("{tool}-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    // Where `make test` puts it.
    let programs = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("python").join("bin");
    let mut command = Command::new(programs.join(format!("sipvicious_{tool}")));
    let own = address::free_port(Ipv4Addr::LOCALHOST.into());
    command.current_dir(folder).args(["-x", "127.0.0.1", "-P", &own.to_string(), "-p", &port.to_string()]);
    command.args(arguments).arg(host);
    Running::start(command, folder, &name).finish(seconds(60))
}

fn scan_gateway(tool: &str, gateway: &Gateway, arguments: &[&str]) -> Outcome {
    scan(tool, gateway.folder(), &gateway.address.to_string(), gateway.port, arguments)
}

/// It said so itself, and named nothing.
fn assert_found_nothing(what: &str, outcome: &Outcome) {
    let said = format!("{}{}", outcome.output, outcome.errors);
    assert!(said.contains("found nothing") && !said.contains("| "), "{what}:\n{said}");
}

/// It said what it found; so that the silence of another run means something.
fn assert_found(what: &str, outcome: &Outcome) {
    let said = format!("{}{}", outcome.output, outcome.errors);
    let shown = said.lines().any(|line| line.starts_with('|') && line.contains(what));
    assert!(shown, "{what} was there to be found:\n{said}");
}

const METHODS: [&str; 3] = ["INVITE", "OPTIONS", "REGISTER"];

/// Each method's runs side by side: most of their time is waiting for answers that do not come.
fn with_each_method(run: impl Fn(&str) + Sync) {
    std::thread::scope(|scope| {
        for method in METHODS {
            scope.spawn(|| run(method));
        }
    });
}

#[test]
fn svmap_does_not_find_a_gateway_that_knows_its_trunks_by_address() {
    let gateway = gateway(false);
    with_each_method(|method| assert_found_nothing(method, &scan_gateway("svmap", &gateway, &["-m", method])));
    assert!(gateway.finish().records.is_empty());
}

/// It gives up where all it sees is 401, even when told to go on: `equal_answers` walks the numbers for it.
#[test]
fn svwar_finds_no_number() {
    for auth in [false, true] {
        let gateway = gateway(auth);
        with_each_method(|method| {
            for more in [&[][..], &["--force"]] {
                let arguments = [&["-m", method, "-e", "990-1090", "--maximumtime=2"], more].concat();
                assert_found_nothing(&format!("{method} {more:?}"), &scan_gateway("svwar", &gateway, &arguments));
            }
        });
        assert!(gateway.finish().records.is_empty());
    }
}

#[test]
fn svcrack_finds_no_password_even_when_it_has_it() {
    let gateway = gateway(true);
    std::fs::write(gateway.folder().join("words"), NEIGHBOURS.join("\n")).unwrap();
    with_each_method(|method| {
        let arguments = ["-m", method, "-u", "pbx", "-e", "1001", "-d", "words", "--maximumtime=2"];
        let outcome = scan_gateway("svcrack", &gateway, &arguments);
        assert!(!outcome.errors.contains("Exception"), "{}", outcome.errors);
        assert_found_nothing(method, &outcome);
    });
    let remains = gateway.finish();
    assert!(remains.records.is_empty());
    assert!(remains.says(&["request dropped", "after ten wrong passwords"]), "{}", remains.log);
}

/// The counter-proof: what is there to be found is found by these same runs.
#[test]
fn what_leaks_is_found() {
    let gateway = gateway(true);
    std::fs::write(gateway.folder().join("words"), [&NEIGHBOURS[..3], &[PASSWORD]].concat().join("\n")).unwrap();
    let arguments = ["-m", "OPTIONS", "-u", "pbx", "-e", "1001", "-d", "words", "--maximumtime=2"];
    assert_found(PASSWORD, &scan_gateway("svcrack", &gateway, &arguments));

    // It must ask for a password, so it can be seen that there is something, and what.
    assert_found("Partyline", &scan_gateway("svmap", &gateway, &["-m", "OPTIONS"]));

    // A server that says of each number whether there is one, as many do.
    let leaky = UdpSocket::bind((Family::V4.own_address(), 0)).unwrap();
    leaky.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let (host, port) = (leaky.local_addr().unwrap().ip().to_string(), leaky.local_addr().unwrap().port());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut buffer = [0; 4096];
            while !done.load(Ordering::Relaxed) {
                let Ok((length, from)) = leaky.recv_from(&mut buffer) else { continue };
                let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
                let status = if request.contains("sip:1003@") { "200 OK" } else { "404 Not Found" };
                let copied = request.lines().filter(|line| {
                    ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name))
                });
                let copied = copied.map(|line| format!("{line}\r\n")).collect::<String>();
                leaky.send_to(format!("SIP/2.0 {status}\r\n{copied}\r\n").as_bytes(), from).unwrap();
            }
        });
        let arguments = ["-m", "OPTIONS", "-e", "1000-1005", "--maximumtime=2"];
        let outcome = scan("svwar", gateway.folder(), &host, port, &arguments);
        done.store(true, Ordering::Relaxed);
        assert_found("1003", &outcome);
    });
    gateway.finish();
}
