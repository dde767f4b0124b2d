//! What the gateway's task is asked, and its answers as responses.

use super::access::Caller;
use super::app::{App, Asked};
use super::invitation::Claims;
use super::problem::Problem;
use crate::gateway::{InvitationStatus, MadeInvitation, Refusal, Reply, Request, Rule, Status};
use axum::http::StatusCode;
use std::time::Duration;
use tokio::sync::mpsc;

/// Patience with the gateway's task, and with sounds that are fetched or spoken, and peers that are offered something.
const PATIENCE: Duration = Duration::from_secs(45);
/// Replies that may wait to be read.
const REPLIES: usize = 4;
/// The same where each of them counts.
const FOLLOWED: usize = 32;

impl App {
    /// Asks, and waits for the first reply.
    pub(super) async fn ask(&self, request: Request) -> Result<Reply, Problem> {
        let (answer, mut answers) = mpsc::channel(REPLIES);
        let asked = async {
            self.asked().send(Asked::Request { request, answer }).await.ok()?;
            answers.recv().await
        };
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Some(Reply::Error(why))) => Err(why.into()),
            Ok(Some(reply)) => Ok(reply),
            Ok(None) => Err(Problem::unavailable("ending", "the gateway is ending")),
            Err(_) => Err(Problem::unavailable("no-answer", "there is no answer yet")),
        }
    }

    /// Asks, and gives all replies: the first one is no refusal, and the last one is no progress.
    pub(super) async fn follow(&self, request: Request) -> Result<(Reply, mpsc::Receiver<Reply>), Problem> {
        let (answer, mut answers) = mpsc::channel(FOLLOWED);
        let ending = || Problem::unavailable("ending", "the gateway is ending");
        self.asked().send(Asked::Request { request, answer }).await.map_err(|_| ending())?;
        match tokio::time::timeout(PATIENCE, answers.recv()).await {
            Ok(Some(Reply::Error(why))) => Err(why.into()),
            Ok(Some(reply)) => Ok((reply, answers)),
            Ok(None) => Err(ending()),
            Err(_) => Err(Problem::unavailable("no-answer", "there is no answer yet")),
        }
    }

    /// Invites one person to a room until a time, in seconds since 1970; gives the invitation, what goes with it, and its token.
    pub(super) async fn invite(
        &self,
        room: String,
        name: String,
        until: u64,
        host: bool,
    ) -> Result<(MadeInvitation, String), Problem> {
        let Reply::InvitationMade(made) = self.ask(Request::Invite { room, name, until, host }).await? else {
            return Err(Problem::unavailable("no-answer", "nothing is known of the invitation"));
        };
        let InvitationStatus { id, room, name, host, until, .. } = made.invitation.clone();
        Ok((made, self.invitations().seal(&Claims { id, room, name, host, until })))
    }

    /// Asks for what is either done or not.
    pub(super) async fn order(&self, request: Request) -> Result<StatusCode, Problem> {
        self.ask(request).await.map(|_| StatusCode::NO_CONTENT)
    }

    /// What is going on.
    pub(super) async fn status(&self) -> Result<Status, Problem> {
        match self.ask(Request::Status).await? {
            Reply::Status(status) => Ok(status),
            _ => Err(Problem::unavailable("no-answer", "the gateway does not say what is going on")),
        }
    }

    /// Whether a caller may see and change a call: one that is not in its rooms does not exist for it.
    pub(super) async fn must_see(&self, caller: &Caller, call: &str) -> Result<(), Problem> {
        if caller.has_all_rooms() {
            return Ok(());
        }
        let calls = self.status().await?.calls;
        let sees = calls.iter().any(|known| known.call == call && known.rooms.iter().any(|room| caller.has_room(room)));
        if sees { Ok(()) } else { Err(Refusal::new(Rule::NoSuchCall, format!("there is no call {call:?}")).into()) }
    }
}

impl From<Refusal> for Problem {
    fn from(Refusal { rule, detail }: Refusal) -> Self {
        let status = match rule {
            Rule::NoSuchCall | Rule::NoSuchRoom | Rule::NoSuchUser | Rule::NoSuchInvitation => StatusCode::NOT_FOUND,
            Rule::Invalid | Rule::NoSuchSound => StatusCode::UNPROCESSABLE_ENTITY,
            Rule::InvitationExpired | Rule::InvitationRevoked => StatusCode::GONE,
            Rule::NotAllowed => StatusCode::FORBIDDEN,
            Rule::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::CONFLICT,
        };
        // `partyline ctl` has no place here.
        let detail = detail.split("; `partyline ctl").next().unwrap_or_default().to_owned();
        let retry_after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(10);
        Self { retry_after, ..Self::new(status, rule.as_str(), detail) }
    }
}
