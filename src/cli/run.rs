//! `partyline run`.

use super::control::ControlSocket;
use super::log::{self, Log};
use super::log_filter::{LogFilter, LogLevels};
use super::mistakes::Mistakes;
use super::records::Records;
use super::reload::Loaded;
use super::server::{Server, Sources, is_tracing, now};
use super::{banner, check, fail, limits, records};
use crate::audio::codec::Libraries;
use crate::dialplan::{self, Plan};
use crate::gateway::Gateway;
use crate::http::HttpServer;
use crate::media::thread::{MediaHandle, Settings};
use crate::net::{IceTcp, ListenAddress, Transports, transport};
use crate::scenarios::Scenarios;
use crate::sip::EndpointConfig;
use crate::sound::{self, Loader};
use crate::speech::{self, Library, SoundFiles, Speaker};
use crate::types::Seed;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::mpsc;

/// Messages on their way to the gateway, which puts them into order, before the kernel is left to queue and drop.
const SIP_QUEUE: usize = 4_096;
/// Administrators' requests waiting.
const CONTROL_QUEUE: usize = 16;

/// Requests of the HTTP server waiting: more wait with it.
const HTTP_QUEUE: usize = 16;
/// Answers of scenarios that may wait; whoever has more to say waits too.
const SCENARIO_QUEUE: usize = 256;

/// Patience with administrators' connections when the gateway ends.
const LAST_REPLIES: Duration = Duration::from_secs(1);

/// Why the gateway did not start. Each names the thing and the place.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    #[error("{0}\nnothing was started")]
    Load(#[from] Mistakes),
    #[error(transparent)]
    Listen(#[from] crate::net::BindError),
    #[error("call records {path}: {source}")]
    Records { path: PathBuf, source: std::io::Error },
    #[error("control socket {path}: {source}")]
    Control { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    IceTcp(#[from] crate::net::IceTcpError),
    #[error(transparent)]
    Http(#[from] crate::http::StartError),
    #[error("media threads: {0}")]
    Media(std::io::Error),
    #[error("the system refused: {0}")]
    System(#[from] std::io::Error),
    #[error("no random seed: {0}")]
    Random(String),
}

pub(super) fn run(config: &Path) -> ExitCode {
    let log = match Log::to_stderr() {
        Ok(log) => log,
        Err(error) => return fail(&error),
    };
    let served = start(config, &log);
    if let Err(error) = &served {
        // By the log: nothing waits for whoever does not read it.
        log.push(format!("partyline: {error}\n").as_bytes());
    }
    log.flush();
    if served.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn start(config: &Path, log: &Log) -> Result<(), StartError> {
    let colours = std::io::stderr().is_terminal();
    let decoded = Arc::default();
    let libraries = Libraries::default();
    let read = read(config, colours, &decoded, &libraries)?;
    if !read.warnings.is_empty() {
        log.push(format!("{}\n", Mistakes::new(&read.warnings, colours)).as_bytes());
    }
    let filter = start_log(log, &read.plan);
    let voices = Arc::new(Voices { speaker: OnceLock::new(), loader: start_loader(&read.plan)? });
    let loaded = with_sounds(read, colours, &voices, &decoded)?;
    drop(decoded);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(serve(config, loaded, (log, filter), voices, libraries));
    // A look-up of a name that gets no answer would keep the process for as long as the resolver is patient.
    runtime.shutdown_background();
    served
}

/// Where sound comes from, for as long as the gateway runs.
struct Voices {
    /// Started when the first dialplan says where its files are; `None` where there is no thread for it.
    speaker: OnceLock<Option<Speaker>>,
    loader: Loader,
}

fn start_loader(plan: &Plan) -> Result<Loader, StartError> {
    Ok(Loader::start(&plan.gateway.data, sound::Patience::default())?)
}

fn start_speaker(plan: &Plan) -> Option<Speaker> {
    let speaker = Speaker::start(speech::Paths::within(&plan.gateway.data), speech::Patience::default());
    speaker.map_err(|error| tracing::warn!("nothing can be said but prompts: {error}")).ok()
}

/// Reads a dialplan and checks it. The sound files that it needs are `decoded` then.
fn read(
    config: &Path,
    colours: bool,
    decoded: &Arc<SoundFiles>,
    libraries: &Libraries,
) -> Result<dialplan::Loaded, Mistakes> {
    dialplan::load(config, &check::checks(decoded, libraries)).map_err(|found| Mistakes::new(&found, colours))
}

/// Has said what a dialplan says, beside the sounds that its check has `decoded`.
fn with_sounds(
    loaded: dialplan::Loaded,
    colours: bool,
    voices: &Voices,
    decoded: &SoundFiles,
) -> Result<Loaded, Mistakes> {
    let speaker = voices.speaker.get_or_init(|| start_speaker(&loaded.plan));
    let sounds = Library::load(&loaded.plan, speaker.as_ref(), &voices.loader, decoded)
        .map_err(|error| Mistakes::elsewhere(&error.to_string()))?;
    Ok(Loaded {
        summary: loaded.summary(),
        sounds: Arc::new(sounds),
        fingerprint: loaded.fingerprint,
        warnings: Mistakes::new(&loaded.warnings, colours),
        plan: loaded.plan,
    })
}

/// Reads them anew. What is wrong with them is told line by line in the log.
fn reload(config: &Path, voices: &Voices, libraries: &Libraries) -> Result<Loaded, Mistakes> {
    let decoded = Arc::default();
    let loaded = read(config, false, &decoded, libraries).and_then(|read| with_sounds(read, false, voices, &decoded));
    match &loaded {
        Ok(loaded) => loaded.warnings.drawn.iter().for_each(|line| tracing::warn!("{line}")),
        Err(mistakes) => {
            tracing::error!("dialplan not reloaded, the old one stands:");
            mistakes.drawn.iter().for_each(|line| tracing::error!("{line}"));
        }
    }
    loaded
}

/// A file that may not grow any more (`ulimit -f`) is a write that fails, as a full disk is, and not the end of all
/// calls.
fn ignore_size_limit() {
    // SAFETY: no handler is installed that could run at any time; the signal is only left without effect.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
}

fn start_log(log: &Log, plan: &Plan) -> LogFilter {
    log.take_panics();
    ignore_size_limit();
    let (levels, filter) = LogLevels::new(&plan.gateway.log);
    let (subscriber, set) = log::subscriber(log, filter, std::io::stderr().is_terminal());
    // One that is there already, of a test, goes on.
    let _ = tracing::subscriber::set_global_default(subscriber);
    LogFilter::new(levels, set)
}

async fn serve(
    config: &Path,
    loaded: Loaded,
    (log, filter): (&Log, LogFilter),
    voices: Arc<Voices>,
    libraries: Libraries,
) -> Result<(), StartError> {
    let plan = Arc::clone(&loaded.plan);
    let settings = &plan.gateway;
    limits::raise_descriptors(settings.max_calls, !settings.ice_tcp.is_empty());
    let listen: Vec<ListenAddress> = settings
        .sip
        .iter()
        .map(|listen| ListenAddress { transport: transport(listen.transport), address: listen.address })
        .collect();
    let (events, sip) = mpsc::channel(SIP_QUEUE);
    let transports = Transports::bind(&listen, settings.certificate.as_ref(), events)?;
    transports.set_plan(&plan);
    let records = Records::open(&settings.call_records)
        .map_err(|source| StartError::Records { path: settings.call_records.clone(), source })?;
    let (asking, asked) = mpsc::channel(CONTROL_QUEUE);
    let control = ControlSocket::bind(&settings.control, asking)
        .map_err(|source| StartError::Control { path: settings.control.clone(), source })?;
    let (asking, http_asked) = mpsc::channel(HTTP_QUEUE);
    let http = HttpServer::start(&plan, asking, transports.websockets())?;
    let ice_tcp = IceTcp::start(&settings.ice_tcp)?;
    let threads = settings.media_threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let media = MediaHandle::spawn(Settings { threads, realtime: true, libraries: libraries.clone() })
        .map_err(StartError::Media)?;
    let seed = seed()?;
    let endpoint = EndpointConfig { trace: is_tracing(), ..EndpointConfig::default() };
    let gateway = Gateway::new(now(), Arc::clone(&plan), Arc::clone(&loaded.sounds), endpoint, seed)
        .with_run(records::next_run(&settings.call_records));
    for bound in transports.bound() {
        tracing::info!("listening on {}://{}", bound.transport.as_str().to_ascii_lowercase(), bound.address);
    }
    for (scheme, address) in http.iter().flat_map(HttpServer::bound) {
        tracing::info!("listening on {scheme}://{address}");
    }
    for address in ice_tcp.iter().flat_map(IceTcp::bound) {
        tracing::info!("listening on {address} for ICE by TCP");
    }
    if std::io::stdout().is_terminal() {
        show(banner::banner(&plan, &transports))?;
        let inviting = http.as_ref().and_then(HttpServer::inviting);
        if let (Some(inviting), Some(room)) = (inviting, banner::demo(&plan)) {
            tokio::spawn(async move { show(banner::pages(&inviting, &room).await) });
        }
    }
    let (asking, scenarios_asked) = mpsc::channel(SCENARIO_QUEUE);
    let scenarios = Scenarios::new(&self::seed()?, plan.gateway.fetch.clone(), asking)
        .recording_to(settings.data.join("recordings"))
        .with_access(
            ["http", "https"].map(|scheme| http.as_ref().and_then(|http| http.url(scheme)).unwrap_or_default()),
        );
    scenarios.keep_recordings(plan.gateway.recordings);
    let server = Server::new(gateway, loaded, transports, media, records, (log.clone(), filter), voices.loader.clone())
        .with_speaker(voices.speaker.get().cloned().flatten())
        .with_http(http)
        .with_scenarios(scenarios)
        .with_ice_tcp(ice_tcp);
    let config = config.to_owned();
    server
        .run(Sources { sip, asked, http: http_asked, scenarios: scenarios_asked }, move || {
            reload(&config, &voices, &libraries)
        })
        .await?;
    control.close(LAST_REPLIES).await;
    tracing::info!("ended");
    Ok(())
}

/// Writes to the terminal. One may be stopped: the gateway is not to stop with it.
fn show(text: String) -> std::io::Result<()> {
    let write = move || drop(std::io::stdout().write_all(text.as_bytes()));
    std::thread::Builder::new().name("banner".into()).spawn(write).map(drop)
}

/// The draw from the system's randomness from which every choice follows.
pub(super) fn seed() -> Result<Seed, StartError> {
    use rand::TryRngCore;
    let mut bits = [0; 32];
    rand::rngs::OsRng.try_fill_bytes(&mut bits).map_err(|error| StartError::Random(error.to_string()))?;
    Ok(Seed::new(bits))
}
