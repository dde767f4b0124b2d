//! Any HTTP request, where no sound is fetched: by the same rules of whom may be asked.

use super::fetch::{Cause, FetchError, Fetcher};
use crate::dialplan::SoundUrl;
use std::time::{Duration, Instant};
use ureq::http::{Method, Request, Response, StatusCode, header};
use ureq::{AsSendBody, Body};

/// What is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ask {
    /// GET, POST and so on.
    pub method: String,
    /// Names and values. Those that speak of the connection are left out.
    pub headers: Vec<(String, String)>,
    /// What is sent with it.
    pub body: Option<Vec<u8>>,
    /// Redirects that are followed.
    pub redirects: u32,
}

/// What a server answered, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Headers that are the client's own to set.
const OURS: [&str; 6] = ["host", "content-length", "transfer-encoding", "connection", "upgrade", "accept-encoding"];
/// Headers that whoever a redirect leads to is not told.
const SECRET: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

impl Fetcher {
    /// Makes a request, and those that its redirects lead to. Blocks, but for no longer than the settings say.
    ///
    /// # Errors
    /// Why there is no answer, or not all of it.
    pub fn request(&self, url: &SoundUrl, mut ask: Ask) -> Result<Asked, FetchError> {
        let began = now();
        let mut place = url.clone();
        let failed = |place: &SoundUrl, cause| FetchError { url: place.to_string(), cause };
        for _ in 0..=ask.redirects {
            let left = self.settings().timeout.saturating_sub(now().duration_since(began));
            let response = self.send(&place, &ask, left).map_err(|cause| failed(&place, cause))?;
            let status = response.status();
            let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            let Some(location) = location.filter(|_| status.is_redirection()) else {
                let headers = response.headers().iter().map(|(name, value)| {
                    (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
                });
                let headers = headers.collect();
                let mut body = Vec::new();
                self.take(response, &mut body).map_err(|cause| failed(&place, cause))?;
                return Ok(Asked { status: status.as_u16(), headers, body });
            };
            let next = place.join(location).map_err(|why| failed(&place, Cause::Redirect(why)))?;
            ask.follow(status, next.get().origin() == place.get().origin());
            place = next;
        }
        Err(failed(&place, Cause::Redirect(format!("not more than {} times", ask.redirects))))
    }

    fn send(&self, place: &SoundUrl, ask: &Ask, left: Duration) -> Result<Response<Body>, Cause> {
        match &ask.body {
            Some(body) => self.call(place, ask, left, body.as_slice()),
            None => self.call(place, ask, left, ()),
        }
    }

    fn call(
        &self,
        place: &SoundUrl,
        ask: &Ask,
        left: Duration,
        body: impl AsSendBody,
    ) -> Result<Response<Body>, Cause> {
        if left.is_zero() {
            return Err(Cause::Timeout("it took too long"));
        }
        let other = |error: &dyn std::fmt::Display| Cause::Other(error.to_string());
        let method = Method::from_bytes(ask.method.as_bytes()).map_err(|error| other(&error))?;
        let mut request = Request::builder().method(method).uri(place.get().as_str());
        for (name, value) in &ask.headers {
            if !OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours)) {
                request = request.header(name, value);
            }
        }
        let request = request.body(body).map_err(|error| other(&error))?;
        let agent = self.agent_of_all();
        let request = agent.configure_request(request).timeout_global(Some(left)).build();
        agent.run(request).map_err(Cause::from)
    }
}

impl Ask {
    /// What is asked where a redirect leads (RFC 9110 section 15.4).
    fn follow(&mut self, status: StatusCode, is_same_origin: bool) {
        let is_post = self.method == "POST";
        if status == StatusCode::SEE_OTHER || (is_post && matches!(status.as_u16(), 301 | 302)) {
            if self.method != "HEAD" {
                self.method = "GET".to_owned();
            }
            self.body = None;
        }
        if !is_same_origin {
            self.headers.retain(|(name, _)| !SECRET.iter().any(|secret| name.eq_ignore_ascii_case(secret)));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a shell: servers are waited for in real time")]
fn now() -> Instant {
    Instant::now()
}
