//! baresip, a telephone that is not ours. It says a tone from a file and records what it hears.

use super::address::{self, Family};
use super::folder::Folder;
use super::gateway::Gateway;
use super::process::Running;
use super::sound;
use super::wait::{self, seconds};
use std::cell::OnceCell;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

/// Where Debian puts its modules.
const MODULES: &str = "/usr/lib/baresip/modules";

/// A tone that outlasts a call.
fn tone(hertz: f64, length: u64) -> Vec<i16> {
    sound::tone(hertz, seconds(length + 5))
}

/// A call by baresip.
pub struct Baresip {
    process: Running,
    console: SocketAddr,
    /// Where it takes SIP.
    sip: String,
    connection: OnceCell<TcpStream>,
    folder: Folder,
}

impl Baresip {
    /// Calls `number` for about `length` seconds and says a tone of `hertz`.
    pub fn call(gateway: &Gateway, number: &str, tcp: bool, hertz: f64, length: u64) -> Self {
        Self::call_with(gateway, number, tcp, hertz, length, "")
    }

    /// The same with parameters of its account, `;mediaenc=srtp`, `;audio_codecs=opus/48000/2`.
    pub fn call_with(gateway: &Gateway, number: &str, tcp: bool, hertz: f64, length: u64, account: &str) -> Self {
        // It takes its address from an interface, so it cannot have one of its own.
        let address: IpAddr =
            if gateway.family() == Family::V4 { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
        let transport = if tcp { "tcp" } else { "udp" };
        let host = address::host_port(address, 0);
        let host = host.strip_suffix(":0").unwrap();
        let account = format!("<sip:1003@{host};transport={transport}>;regint=0{account}");
        let dial = format!("/dial sip:{number}@{};transport={transport}", gateway.place());
        Self::start(address, &account, Some(&dial), &tone(hertz, length), length)
    }

    /// Registers as user 1003 at a provider, and answers calls at once.
    pub fn registered(provider: &str, transport: &str, hertz: f64, length: u64, account: &str) -> Self {
        let account = format!("<sip:1003@{provider};transport={transport}>;regint=60;answermode=auto{account}");
        let mut baresip = Self::start(Ipv4Addr::LOCALHOST.into(), &account, None, &tone(hertz, length), length);
        baresip.wait_for(" binding");
        baresip
    }

    /// A telephone with this number, which answers calls at once; and its place.
    pub fn listening(number: &str, hertz: f64, length: u64) -> (Self, String) {
        Self::listening_and_saying(number, &tone(hertz, length), length)
    }

    /// The same with something else to say.
    pub fn listening_and_saying(number: &str, says: &[i16], length: u64) -> (Self, String) {
        let account = format!("<sip:{number}@127.0.0.1>;regint=0;answermode=auto");
        let baresip = Self::start(Ipv4Addr::LOCALHOST.into(), &account, None, says, length);
        let place = baresip.sip.clone();
        wait::until_true("baresip at its console", seconds(10), || TcpStream::connect(baresip.console).is_ok());
        (baresip, place)
    }

    /// Ends at its console.
    pub fn quits(&self) {
        self.console().write_all(b"/quit\n").unwrap();
    }

    fn start(address: IpAddr, account: &str, execute: Option<&str>, says: &[i16], length: u64) -> Self {
        let folder = Folder::new();
        sound::write(&folder.file("tone.wav"), says);
        let console = SocketAddr::from(([127, 0, 0, 1], address::free_port(IpAddr::from([127, 0, 0, 1]))));
        let (first, last) = address::free_block(address, 10);
        let sip = address::host_port(address, address::free_port(address));
        let here = folder.path().display();
        // The player is a bridge that leads nowhere: what is decoded goes to a file on its way there.
        let config = format!(
            "sip_listen {sip}\nnet_interface {address}\nrtp_ports {first}-{last}\n\
             audio_source aufile,{here}/tone.wav\naudio_player aubridge,nowhere\naudio_alert aubridge,nowhere\n\
             audio_channels 1\nausrc_srate 8000\nauplay_srate 8000\nausrc_channels 1\nauplay_channels 1\nsnd_path {here}\ncons_listen {console}\nmodule_path {MODULES}\n\
             module g711.so\nmodule g722.so\nmodule opus.so\nmodule aufile.so\nmodule aubridge.so\nmodule sndfile.so\nmodule cons.so\nmodule srtp.so\n\
             module_tmp uuid.so\nmodule_app account.so\nmodule_app menu.so\n"
        );
        std::fs::write(folder.file("config"), config).unwrap();
        std::fs::write(folder.file("contacts"), "").unwrap();
        let codecs = if account.contains("audio_codecs=") { "" } else { ";audio_codecs=PCMU/8000" };
        std::fs::write(folder.file("accounts"), format!("{account}{codecs}\n")).unwrap();
        let mut command = Command::new("baresip");
        command.arg("-f").arg(folder.path()).args(["-t", &length.to_string()]);
        command.args([if address.is_ipv4() { "-4" } else { "-6" }, "-s"]);
        if let Some(execute) = execute {
            command.args(["-e", execute]);
        }
        let process = Running::start(command, folder.path(), "baresip");
        Self { process, console, sip, connection: OnceCell::new(), folder }
    }

    /// Waits until its call is answered.
    pub fn wait_for_answer(&mut self) {
        self.wait_for("Call established");
    }

    /// Waits until it says so.
    pub fn wait_for(&mut self, text: &str) {
        wait::until(&format!("baresip says {text:?}"), seconds(10), || {
            let output = self.process.output() + &self.process.errors();
            assert!(!self.process.has_ended(), "{output}");
            output.contains(text).then_some(())
        });
    }

    /// Dials at its console.
    pub fn dial(&self, uri: &str) {
        self.console().write_all(format!("/dial {uri}\n").as_bytes()).unwrap();
    }

    /// Hangs up at its console.
    pub fn hang_up(&self) {
        self.console().write_all(b"b").unwrap();
    }

    /// Its console, which does not read what a connection that is gone has said.
    fn console(&self) -> &TcpStream {
        self.connection.get_or_init(|| TcpStream::connect(self.console).unwrap())
    }

    /// Keys digits at its console, as a person would: each is held for a tenth of a second.
    pub fn keys(&self, digits: &str) {
        /// What its console takes for the release of a key.
        const RELEASE: u8 = 4;
        let mut console = self.console();
        for digit in digits.bytes() {
            for key in [digit, RELEASE] {
                console.write_all(&[key]).unwrap();
                wait::pass(Duration::from_millis(100));
            }
        }
    }

    /// Waits for its end and gives back what it heard.
    pub fn finish(self, length: u64) -> Vec<i16> {
        self.finish_all(length).swap_remove(0)
    }

    /// Waits for its end and gives back what it heard in each of its calls.
    pub fn finish_all(self, length: u64) -> Vec<Vec<i16>> {
        let outcome = self.process.finish(seconds(length + 15));
        let entries = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut heard: Vec<_> = entries.filter(|path| path.to_string_lossy().ends_with("-dec.wav")).collect();
        assert!(!heard.is_empty(), "baresip had no call:\n{}{}", outcome.output, outcome.errors);
        // Their names begin with the time.
        heard.sort();
        heard.iter().map(|path| sound::read(path)).collect()
    }
}
