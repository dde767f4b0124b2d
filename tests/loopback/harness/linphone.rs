//! linphonec, a telephone that is not ours, without a sound device: it says a tone from a file and records what it
//! hears.

use super::address;
use super::folder::Folder;
use super::kamailio::{Kamailio, Transport};
use super::process::Running;
use super::sound;
use super::wait::{self, seconds};
use partyline::audio::resample::resample;
use std::io::Write;
use std::net::IpAddr;
use std::process::{ChildStdin, Command};

/// One that runs. What it records is one file for each call.
pub struct Linphone {
    process: Running,
    input: ChildStdin,
    calls: usize,
    folder: Folder,
}

impl Linphone {
    /// Registers as user 1003 at a provider by UDP, answers calls at once, and says a tone of `hertz`.
    pub fn registered(provider: &Kamailio, hertz: f64) -> Self {
        let is_registered = || provider.log().contains("1003 has asked to be");
        Self::registered_at(&provider.place(Transport::Udp), "", is_registered, hertz)
    }

    /// The same at whoever takes SIP at `place`, with more lines of its configuration. It does not say itself that it
    /// is registered, at its prompt.
    pub fn registered_at(place: &str, more: &str, is_registered: impl Fn() -> bool, hertz: f64) -> Self {
        let folder = Folder::new();
        // It takes its address from the way to its peer, and listens on all there are.
        let everywhere = IpAddr::from([0, 0, 0, 0]);
        let (sip, (media, _)) = (address::free_port(everywhere), address::free_block(everywhere, 2));
        sound::write(&folder.file("tone.wav"), &sound::tone(hertz, seconds(60)));
        let config = format!(
            "[sip]\nsip_port={sip}\nsip_tcp_port=0\nsip_tls_port=0\nguess_hostname=0\ndefault_proxy=0\n\
             [rtp]\naudio_rtp_port={media}\n[net]\ndns_srv_enabled=0\n\
             [proxy_0]\nreg_proxy=<sip:{place};transport=udp>\nreg_identity=sip:1003@{place}\nreg_expires=60\n\
             reg_sendregister=1\npublish=0\n{more}"
        );
        std::fs::write(folder.file("linphonerc"), config).unwrap();
        // Its databases; it makes no folders for them.
        std::fs::create_dir_all(folder.file(".local/share/linphone")).unwrap();
        let mut command = Command::new("linphonec");
        command
            .arg("-a")
            .arg("-c")
            .arg(folder.file("linphonerc"))
            .current_dir(folder.path())
            .env("HOME", folder.path());
        command.env_remove("XDG_DATA_HOME").env_remove("XDG_CONFIG_HOME");
        let (process, input) = Running::start_with_input(command, folder.path(), "linphonec");
        let mut linphone = Self { process, input, calls: 0, folder };
        wait::until_true("linphonec is registered", seconds(15), is_registered);
        linphone.tell("soundcard use files");
        linphone.wait_for("Using wav files", "");
        linphone.prepare();
        linphone
    }

    /// Where the next call's sound comes from and goes to.
    fn prepare(&mut self) {
        self.calls += 1;
        let (tone, heard) = (self.folder.file("tone.wav"), self.recording(self.calls));
        self.tell(&format!("play {}", tone.display()));
        self.tell(&format!("record {}", heard.display()));
    }

    fn recording(&self, call: usize) -> std::path::PathBuf {
        self.folder.file(&format!("heard-{call}.wav"))
    }

    /// A line at its prompt; digits are keys.
    pub fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    /// Ends its call.
    pub fn hang_up(&mut self) {
        self.tell("terminate");
        let ended = format!("Call {} with", self.calls);
        self.wait_for(&ended, "ended");
        self.prepare();
    }

    /// Waits until a line of what it says has both.
    pub fn wait_for(&mut self, one: &str, other: &str) {
        wait::until(&format!("linphonec says {one:?} {other:?}"), seconds(15), || {
            let output = self.process.output();
            assert!(!self.process.has_ended(), "{output}{}", self.process.errors());
            output.lines().any(|line| line.contains(one) && line.contains(other)).then_some(())
        });
    }

    /// Ends it in good order and gives back what it heard in each of its calls.
    pub fn finish(mut self) -> Vec<Vec<i16>> {
        self.tell("quit");
        let paths: Vec<_> = (1..self.calls).map(|call| self.recording(call)).collect();
        self.process.finish(seconds(15));
        paths.iter().map(|path| samples(&std::fs::read(path).unwrap())).collect()
    }
}

/// The sound of a file it has written, at 8 kHz whatever rate the codec of the call had. Its header counts itself as
/// sound, so that readers miss 44 bytes at the end.
fn samples(file: &[u8]) -> Vec<i16> {
    const HEADER: usize = 44;
    assert_eq!(file[22..24], [1, 0], "one channel");
    let rate = u32::from_le_bytes(file[24..28].try_into().unwrap());
    let sound = file[HEADER..].chunks_exact(2).map(|sample| f32::from(i16::from_le_bytes([sample[0], sample[1]])));
    let narrow = resample(&sound.collect::<Vec<f32>>(), rate, 8_000);
    narrow.into_iter().map(|sample| sample as i16).collect()
}
