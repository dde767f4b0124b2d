//! Invitations for whoever has started the gateway at a terminal.

use super::app::App;
use axum::http::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::time::{Duration, UNIX_EPOCH};

/// How long an invitation of this kind admits.
const LASTS: Duration = Duration::from_secs(12 * 3_600);
/// Time between two looks whether the database has told who is a user, and how many looks there are.
const LOOK: Duration = Duration::from_millis(200);
const LOOKS: usize = 50;

/// Makes URLs that are opened in a browser of this machine.
pub struct Inviting {
    app: App,
    /// The port of `http://localhost`.
    port: u16,
}

impl Inviting {
    pub(super) fn new(app: App, port: u16) -> Self {
        Self { app, port }
    }

    /// Whether the page is in this binary.
    #[must_use]
    pub fn has_page() -> bool {
        super::conference_page::is_built()
    }

    /// The URL of an invitation to a room; `None` where nobody can be invited.
    pub async fn invite(&self, room: &str, name: &str, host: bool) -> Option<String> {
        let end = super::ice::now() + LASTS;
        let end = end.duration_since(UNIX_EPOCH).ok()?.as_secs();
        for _ in 0..LOOKS {
            match self.app.invite(room.to_owned(), name.to_owned(), end, host).await {
                Ok((_, token)) => {
                    let room = utf8_percent_encode(room, NON_ALPHANUMERIC);
                    return Some(format!("http://localhost:{}/join/{room}/{token}", self.port));
                }
                Err(problem) if problem.status == StatusCode::SERVICE_UNAVAILABLE => tokio::time::sleep(LOOK).await,
                Err(_) => return None,
            }
        }
        None
    }
}
