//! HTTP requests of scenarios, each on a thread of its own while it lasts.

use super::Message;
use super::mailbox::Mailbox;
use crate::dialplan::{FetchSettings, SoundUrl};
use crate::session::scenario::{Fetch, Fetched};
use crate::sound::{Ask, Asked, Cause, Fetcher, Patience};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Requests at once, of all scenarios.
const MOST: usize = 64;
/// Octets of a response's body.
const LONGEST: u64 = 2 << 20;
/// Redirects that are followed.
const REDIRECTS: u32 = 10;
/// Stack of a request's thread; TLS needs some.
const STACK: usize = 512 << 10;

/// Codes of the original platform for answers that there are none of.
mod code {
    pub(super) const OTHER: u16 = 1;
    pub(super) const BAD_URL: u16 = 2;
    pub(super) const NO_HOST: u16 = 3;
    pub(super) const NO_CONNECTION: u16 = 4;
    pub(super) const NO_HTTP: u16 = 6;
    pub(super) const TIMEOUT: u16 = 8;
    pub(super) const REDIRECTS: u16 = 10;
    pub(super) const TOO_LARGE: u16 = 11;
}

/// By which settings requests are made, and how many are.
#[derive(Debug)]
pub(super) struct Fetches {
    settings: FetchSettings,
    under_way: AtomicUsize,
}

/// One of them, until it is dropped.
struct UnderWay(Arc<Fetches>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Fetches {
    pub(super) const fn new(settings: FetchSettings) -> Self {
        Self { settings, under_way: AtomicUsize::new(0) }
    }

    /// Makes a request; its answer goes to the scenario that asked.
    pub(super) fn begin(all: &Arc<Self>, fetch: Fetch, answers: Arc<Mailbox>) {
        let under_way = UnderWay(Arc::clone(all));
        let id = fetch.id;
        let refused = |why: &str| Message::Fetched(id, none(code::OTHER, why.to_owned()));
        if all.under_way.fetch_add(1, Ordering::Relaxed) >= MOST {
            answers.deliver(refused("too many requests are under way"));
            return;
        }
        let told = Arc::clone(&answers);
        let thread = std::thread::Builder::new().name("scenario-http".into()).stack_size(STACK);
        let begun = thread.spawn(move || {
            let answer = answer(&under_way.0.settings, fetch);
            // A scenario that is over wants no answer.
            answers.deliver(Message::Fetched(id, answer));
        });
        if begun.is_err() {
            told.deliver(refused("there is no thread for it"));
        }
    }
}

fn none(code: u16, error: String) -> Fetched {
    Fetched { code, error, ..Fetched::default() }
}

/// Makes a request, and waits.
fn answer(settings: &FetchSettings, fetch: Fetch) -> Fetched {
    let url = match SoundUrl::read(&fetch.url) {
        Ok(url) => url,
        Err(why) => return none(code::BAD_URL, why),
    };
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    let settings = FetchSettings { limit: LONGEST, timeout: seconds(fetch.timeout), ..settings.clone() };
    let patience = Patience {
        connect: seconds(fetch.connect_timeout),
        first_octet: seconds(fetch.timeout),
        idle: seconds(fetch.timeout),
    };
    let ask = Ask { method: fetch.method, headers: fetch.headers, body: fetch.body, redirects: REDIRECTS };
    match Fetcher::new(settings, patience).request(&url, ask) {
        Ok(Asked { status, headers, body }) => {
            let text = String::from_utf8_lossy(&body).into_owned();
            Fetched { code: status, headers, text, body, error: String::new() }
        }
        Err(error) => none(code_of(&error.cause), error.to_string()),
    }
}

fn code_of(cause: &Cause) -> u16 {
    match cause {
        Cause::Refused(_) => code::NO_CONNECTION,
        Cause::NoHost => code::NO_HOST,
        Cause::Timeout(_) => code::TIMEOUT,
        Cause::Redirect(_) => code::REDIRECTS,
        Cause::TooLarge(_) => code::TOO_LARGE,
        Cause::Status(_) | Cause::Content(_) => code::NO_HTTP,
        Cause::Lost(_) | Cause::Other(_) => code::OTHER,
    }
}
