//! The conference page (`web/`): at `/`, and at the URLs of invitations where it is a browser that opens them.

use super::client::{Peer, place};
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// A file of the page.
#[derive(Debug, Clone, Copy)]
struct File {
    /// Its path below `/`.
    name: &'static str,
    bytes: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

/// The page, as `build.rs` found it.
const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/page.rs"));
/// The one that the others belong to.
const INDEX: &str = "index.html";
const NOT_BUILT: &str = "This gateway runs, but was built without its page. `make run` builds it with the page; with \
                         cargo alone, run `.ci/web target/web` before (it takes npm).\n\nThe API is at /api/.\n";

/// What the page may use: camera, microphone and screen, and nothing else that browsers ask people for.
const PERMISSIONS: (HeaderName, HeaderValue) = (
    HeaderName::from_static("permissions-policy"),
    HeaderValue::from_static(
        "camera=(self), microphone=(self), display-capture=(self), speaker-selection=(self), autoplay=(self), \
         clipboard-write=(self), geolocation=(), payment=(), usb=()",
    ),
);

/// Whether there is a page.
pub(super) fn is_built() -> bool {
    !FILES.is_empty()
}

/// Answers what asks for the page; hands on everything else.
pub(super) async fn page(request: Request, next: Next) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) || request.headers().contains_key(header::UPGRADE) {
        return next.run(request).await;
    }
    let path = request.uri().path();
    let name = match path.strip_prefix('/').unwrap_or(path) {
        "" => INDEX,
        other if other.starts_with("join/") && takes_html(request.headers()) => INDEX,
        other => other,
    };
    match FILES.iter().zip(ETAGS.iter()).find(|(file, _)| file.name == name) {
        Some((file, etag)) => {
            let peer = request.extensions().get::<Peer>();
            let host = peer.map(|peer| place(peer, request.headers()).to_string()).unwrap_or_default();
            answer(file, etag, request.headers(), &host)
        }
        None if name == INDEX => {
            let text = [(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))];
            (StatusCode::NOT_FOUND, text, NOT_BUILT).into_response()
        }
        None => next.run(request).await,
    }
}

/// Whether it is a browser that opens a page, and not a program that asks what an invitation says.
fn takes_html(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| {
        accept.split(',').any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == "text/html"))
    })
}

/// Of each file, by its content.
static ETAGS: LazyLock<Vec<HeaderValue>> = LazyLock::new(|| FILES.iter().map(etag).collect());

fn etag(file: &File) -> HeaderValue {
    // Weak: it is the same for the compressed one.
    let hash = URL_SAFE_NO_PAD.encode(&Sha256::digest(file.bytes)[..12]);
    HeaderValue::from_str(&format!("W/\"{hash}\"")).expect("letters, digits and a few signs")
}

fn answer(file: &File, etag: &HeaderValue, asked: &HeaderMap, host: &str) -> Response {
    let is_index = file.name == INDEX;
    // The names of all others say what is in them.
    let caching = if is_index { "no-cache" } else { "public, max-age=31536000, immutable" };
    let mut headers = HeaderMap::from_iter([
        (header::ETAG, etag.clone()),
        (header::CACHE_CONTROL, HeaderValue::from_static(caching)),
        // At the URL of an invitation a program gets something else.
        (header::VARY, HeaderValue::from_static("Accept, Accept-Encoding")),
    ]);
    let known = asked.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok()).unwrap_or_default();
    if known.split(',').any(|one| one.trim() == "*" || one.trim().as_bytes() == etag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(file.name)));
    if is_index {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy(host, &styles(file.bytes)));
        headers.insert(PERMISSIONS.0, PERMISSIONS.1);
        headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    }
    let compressed = [("br", file.brotli), ("gzip", file.gzip)];
    let taken =
        compressed.into_iter().find_map(|(coding, bytes)| Some((coding, bytes?)).filter(|_| takes(asked, coding)));
    if let Some((coding, _)) = taken {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    (headers, Body::from(taken.map_or(file.bytes, |(_, bytes)| bytes))).into_response()
}

/// The styles that stand in a page, each as its policy names it (CSP 3 section 2.3.1): with blanks between.
fn styles(page: &[u8]) -> String {
    let page = std::str::from_utf8(page).unwrap_or_default();
    let inner = page.split("<style>").skip(1).filter_map(|rest| rest.split("</style>").next());
    inner.map(|style| format!(" 'sha256-{}'", STANDARD.encode(Sha256::digest(style)))).collect()
}

/// What the page may do: run itself, and talk to us. Browsers of some years do not take `'self'` for WebSockets.
fn policy(host: &str, styles: &str) -> HeaderValue {
    let sockets = if host.is_empty() { String::new() } else { format!(" ws://{host} wss://{host}") };
    let text = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'{styles}; img-src 'self' data:; media-src 'self' blob:; \
         connect-src 'self'{sockets}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

fn takes(headers: &HeaderMap, coding: &str) -> bool {
    let encodings = headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
    encodings.flat_map(|value| value.split(',')).any(|one| {
        let mut parts = one.split(';').map(str::trim);
        parts.next() == Some(coding) && !parts.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: File =
        File { name: "assets/a-1b2c.js", bytes: b"let a = 1;", brotli: Some(b"\x0b"), gzip: Some(b"\x1f\x8b") };
    const PAGE: File =
        File { name: INDEX, bytes: b"<!doctype html><style>a{b:c}</style>", brotli: None, gzip: Some(b"\x1f\x8b") };
    const TEXT: File = File { name: "assets/a.svg", bytes: b"<svg/>", brotli: None, gzip: None };

    fn ask(file: &File, headers: &[(HeaderName, &str)]) -> Response {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        answer(file, &etag(file), &headers, "gate.example:8443")
    }

    fn header_of(response: &Response, name: HeaderName) -> Option<&str> {
        response.headers().get(name).map(|value| value.to_str().unwrap())
    }

    #[test]
    fn files_whose_names_say_what_is_in_them_are_kept_and_the_page_is_asked_for_again() {
        let (script, page) = (ask(&FILE, &[]), ask(&PAGE, &[]));
        assert_eq!(header_of(&script, header::CONTENT_TYPE), Some("text/javascript; charset=utf-8"));
        assert_eq!(header_of(&script, header::CACHE_CONTROL), Some("public, max-age=31536000, immutable"));
        assert_eq!(header_of(&page, header::CACHE_CONTROL), Some("no-cache"));
        let etag = header_of(&page, header::ETAG).unwrap().to_owned();
        assert_ne!(header_of(&script, header::ETAG), Some(etag.as_str()));
        for (known, status) in [(etag.clone(), 304), (format!("\"x\", {etag}"), 304), ("W/\"x\"".into(), 200)] {
            let response = ask(&PAGE, &[(header::IF_NONE_MATCH, &known)]);
            assert_eq!(response.status().as_u16(), status, "{known}");
            assert_eq!(header_of(&response, header::ETAG), Some(etag.as_str()));
        }
    }

    #[test]
    fn the_pages_scripts_are_small() {
        if !is_built() {
            eprintln!("skipped: the page is not built (`.ci/web target/web`)");
            return;
        }
        let scripts = FILES.iter().filter(|file| file.name.ends_with(".js"));
        let octets: usize = scripts.map(|script| script.gzip.unwrap_or(script.bytes).len()).sum();
        assert!((20 * 1024..=150 * 1024).contains(&octets), "{octets} octets, compressed");
    }

    /// What is loaded before anything is shown: few requests, few octets, and none that the page waits for.
    #[test]
    fn the_first_view_takes_one_script_that_holds_nothing_up_and_little_of_the_rest() {
        let Some(page) = FILES.iter().find(|file| file.name == INDEX) else {
            eprintln!("skipped: the page is not built (`.ci/web target/web`)");
            return;
        };
        let text = std::str::from_utf8(page.bytes).unwrap();
        assert!(!text.contains("rel=\"stylesheet\"") && !text.contains("@import"), "a style that the page waits for");
        let scripts: Vec<&str> = text.split("<script").skip(1).collect();
        assert!(
            scripts.iter().all(|script| script.starts_with(" type=\"module\"")),
            "a script that the page waits for"
        );
        let named = FILES.iter().filter(|file| text.contains(file.name));
        let sizes = named.map(|file| (file.name, file.gzip.unwrap_or(file.bytes).len())).collect::<Vec<_>>();
        assert!(sizes.len() <= 3, "script, icon, and one more: {sizes:?}");
        let octets = sizes.iter().map(|(_, octets)| octets).sum::<usize>() + page.gzip.unwrap().len();
        assert!(octets <= 28 * 1024, "{octets} octets, compressed: {sizes:?}");
    }

    #[test]
    fn everything_is_sent_compressed_that_is_smaller_so() {
        for file in FILES {
            let [brotli, gzip] = [file.brotli, file.gzip].map(|bytes| bytes.map_or(file.bytes.len(), <[u8]>::len));
            assert!(brotli <= gzip && gzip <= file.bytes.len(), "{}: {brotli}, {gzip}", file.name);
            assert!(file.bytes.len() < 4_096 || brotli < file.bytes.len() / 2, "{}: {brotli}", file.name);
        }
    }

    #[test]
    fn who_takes_something_compressed_gets_the_smallest_that_there_is() {
        for (file, accepted, expected) in [
            (&FILE, "gzip, deflate, br", Some("br")),
            (&FILE, "gzip, deflate", Some("gzip")),
            (&FILE, "br;q=0, gzip;q=0.8", Some("gzip")),
            (&FILE, "gzip;q=0", None),
            (&FILE, "identity", None),
            (&PAGE, "gzip, br", Some("gzip")),
            (&TEXT, "gzip, br", None),
        ] {
            let response = ask(file, &[(header::ACCEPT_ENCODING, accepted)]);
            assert_eq!(header_of(&response, header::CONTENT_ENCODING), expected, "{} {accepted}", file.name);
        }
    }

    #[test]
    fn the_page_may_run_itself_and_talk_to_us_and_nothing_else() {
        let page = ask(&PAGE, &[]);
        let policy = header_of(&page, header::CONTENT_SECURITY_POLICY).unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        // Of "a{b:c}".
        assert!(policy.contains("style-src 'self' 'sha256-0cRUVYRKwNwnl1hkfkPGjkht16b039TjFdJzmXfFK2o=';"), "{policy}");
        assert!(policy.contains("connect-src 'self' ws://gate.example:8443 wss://gate.example:8443;"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(header_of(&page, PERMISSIONS.0).unwrap().contains("microphone=(self)"));
    }

    #[test]
    fn a_browser_that_opens_an_invitation_gets_the_page_and_a_program_does_not() {
        for (accept, expected) in [
            ("text/html,application/xhtml+xml,*/*;q=0.8", true),
            ("application/json, text/html;q=0.5", true),
            ("application/json", false),
            ("*/*", false),
            ("text/htmlx", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
            assert_eq!(takes_html(&headers), expected, "{accept}");
        }
        assert!(!takes_html(&HeaderMap::new()));
    }
}
