//! Chromium with a page that has SIP clients for browsers in it (`tests/browser/page.js`), driven by ChromeDriver.

use super::address::free_port;
use super::folder::Folder;
use super::process::Running;
use super::wait::{self, seconds};
use super::web::Web;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use ureq::Agent;

/// What may take as long as it does in a browser on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Louder is heard, dB; and so much less than that is not.
const HEARD: f64 = -65.0;
const DIFFERENCE: f64 = 25.0;
/// Looks at what is heard, a second each.
const TRIES: usize = 20;

/// One browser at a time: it keeps a processor busy.
static ONE: Mutex<()> = Mutex::new(());

/// A browser with the page open.
pub struct Chromium {
    agent: Agent,
    session: String,
    page: Web,
    driver: Option<Running>,
    _folder: Folder,
    _one: MutexGuard<'static, ()>,
}

impl Chromium {
    /// A browser whose user lets pages listen and look; its camera shows a moving picture.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with more of the program's arguments.
    pub fn start_with(more: &[&str]) -> Self {
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = Folder::new();
        let bundle = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("browser/bundle.js");
        let bundle = std::fs::read_to_string(&bundle).unwrap_or_else(|error| {
            panic!("{}: {error}: `make test` makes it (CONTRIBUTING.md)", bundle.display());
        });
        let html = format!("<!doctype html><meta charset=utf-8><title>phones</title><script>{bundle}</script>");
        let page = Web::start(Some(html.into_bytes()));
        let port = free_port(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}"));
        let driver = Running::start(command, folder.path(), "chromedriver");
        let config = Agent::config_builder().timeout_global(Some(LIMIT)).http_status_as_error(false).build();
        let agent = Agent::new_with_config(config);
        let base = format!("http://127.0.0.1:{port}");
        let is_ready = || agent.get(format!("{base}/status")).call().is_ok();
        wait::until_true("chromedriver", seconds(20), is_ready);
        let mut browser = Self { agent, session: base, page, driver: Some(driver), _folder: folder, _one: one };
        let data = format!("--user-data-dir={}", browser._folder.file("profile").display());
        let mut arguments = vec![
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--autoplay-policy=no-user-gesture-required",
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            "--allow-loopback-in-peer-connection",
            &data,
        ];
        arguments.extend(more);
        let options = json!({ "args": arguments });
        // A gateway with TLS has a certificate of the test's own.
        let wanted = json!({ "browserName": "chrome", "acceptInsecureCerts": true, "goog:chromeOptions": options });
        let wanted = json!({ "alwaysMatch": wanted });
        let created = browser.post("/session", &json!({ "capabilities": wanted }));
        let id = created["sessionId"].as_str().unwrap_or_else(|| panic!("no browser: {created}")).to_owned();
        browser.session = format!("{}/session/{id}", browser.session);
        browser.post("/timeouts", &json!({ "script": LIMIT.as_millis() }));
        browser.post("/url", &json!({ "url": browser.origin() }));
        browser
    }

    /// Opens another page, in which `script` runs before anything of its own.
    pub fn opens(&self, url: &str, script: &str) {
        self.commands("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": script }));
        self.post("/url", &json!({ "url": url }));
    }

    /// Has the browser do something by its DevTools protocol; gives what it says.
    pub fn commands(&self, command: &str, params: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": params }))
    }

    /// Opens a window of its own and turns to it; gives its name, by which it is turned to again.
    pub fn opens_window(&self) -> String {
        let window = self.post("/window/new", &json!({ "type": "window" }));
        let name = window["handle"].as_str().unwrap_or_else(|| panic!("no window: {window}")).to_owned();
        self.turns_to(&name);
        name
    }

    /// The name of the window that it is turned to.
    pub fn window(&self) -> String {
        let mut answer = self.agent.get(format!("{}/window", self.session)).call().unwrap();
        let answer: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
        answer["value"].as_str().unwrap_or_else(|| panic!("no window: {answer}")).to_owned()
    }

    pub fn turns_to(&self, window: &str) {
        self.post("/window", &json!({ "handle": window }));
    }

    /// The origin of its page.
    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.page.port())
    }

    /// Runs the body of an asynchronous function in the page, in which `page` is what `page.js` exports. What it keeps
    /// stands in `window`.
    pub fn run(&self, body: &str) -> Result<Value, String> {
        let script = format!(
            "const done = arguments[arguments.length - 1]; (async () => {{ {body} }})()\
             .then(value => done({{ value: value ?? null }}), error => done({{ error: String(error?.message ?? error) }}));"
        );
        let done = self.post("/execute/async", &json!({ "script": script, "args": [] }));
        match done["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(done["value"].clone()),
        }
    }

    /// The same, where nothing goes wrong.
    pub fn does(&self, body: &str) -> Value {
        self.run(body).unwrap_or_else(|error| panic!("{body}: {error}"))
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.session);
        let request = self.agent.post(&url).header("Content-Type", "application/json");
        let mut response = request.send(body.to_string()).unwrap_or_else(|error| panic!("{url}: {error}"));
        let text = response.body_mut().read_to_string().unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{url}: {error}: {text}"));
        assert!(response.status().is_success(), "{url}: {answer}");
        answer["value"].clone()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // The browser goes with its session; the driver alone would leave it behind.
        let _ = self.agent.delete(&self.session).call();
        drop(self.driver.take());
    }
}

/// Who hears these tones, and not the others, if not at once then soon: levels in dB.
pub fn assert_hears(browser: &Chromium, who: &str, heard: &[f64], unheard: &[f64]) {
    let all: Vec<String> = heard.iter().chain(unheard).map(f64::to_string).collect();
    let mut told = Vec::new();
    for _ in 0..TRIES {
        let levels = browser.does(&format!("return await {who}.hears([{}]);", all.join(",")));
        let levels: Vec<f64> = levels.as_array().unwrap().iter().map(|level| level.as_f64().unwrap()).collect();
        let (loud, quiet) = levels.split_at(heard.len());
        let least = loud.iter().copied().fold(f64::INFINITY, f64::min);
        if least > HEARD && quiet.iter().all(|level| *level < least - DIFFERENCE) {
            return;
        }
        told.push(levels);
    }
    panic!("{who} is to hear {heard:?} and not {unheard:?}, and hears them at {told:?} dB");
}
