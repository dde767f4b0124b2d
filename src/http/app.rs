//! What all requests share.

use super::invitation::InvitationKey;
use super::limits::Limits;
use crate::dialplan::Plan;
use crate::gateway::{Reply, Request, TimedEvent};
use crate::net::WebSockets;
use crate::types::LogLimit;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot};

/// What the server asks of the gateway's task.
#[derive(Debug)]
pub enum Asked {
    /// A request, and where its replies go.
    Request {
        /// What is asked.
        request: Request,
        /// Takes every reply; full or closed, they are lost.
        answer: mpsc::Sender<Reply>,
    },
    /// A WebSocket to the session of a scenario, by the key in its URL.
    Enter {
        /// The key.
        key: String,
        /// Takes where to hand the connection over when its handshake is done; `None`: nobody takes it.
        answer: oneshot::Sender<Option<oneshot::Sender<TokioIo<Upgraded>>>>,
    },
    /// An HTTP request to the session of a scenario, by the key in its URL.
    Session {
        /// The key.
        key: String,
        /// What is asked.
        request: SessionRequest,
        /// Takes where the answer will come.
        answer: oneshot::Sender<SessionAnswer>,
    },
    /// The events from now on.
    Events {
        /// How many of those that have happened already come first.
        last: usize,
        /// Takes them.
        answer: oneshot::Sender<Followed>,
    },
}

/// What a session is asked.
#[derive(Debug)]
pub struct SessionRequest {
    /// GET, POST and so on.
    pub method: String,
    /// The path, with its query.
    pub path: String,
    /// The body as text.
    pub content: String,
}

/// Where a session's answer will come, `None` if nobody there listens; or why it is not asked.
pub type SessionAnswer = Result<oneshot::Receiver<Option<String>>, SessionUnasked>;

/// Why a session is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionUnasked {
    /// There is none of that key.
    Nobody,
    /// It is asked too often.
    Busy,
}

/// Events for somebody who follows them.
#[derive(Debug)]
pub struct Followed {
    /// Those that have happened, oldest first.
    pub last: VecDeque<Arc<TimedEvent>>,
    /// Those that will.
    pub new: broadcast::Receiver<Arc<TimedEvent>>,
}

/// How many may follow the events at once.
const FOLLOWERS: u32 = 64;

/// What all requests share. Cheap to clone.
#[derive(Clone)]
pub(super) struct App(Arc<Shared>);

struct Shared {
    plan: RwLock<Arc<Plan>>,
    limits: Mutex<Limits>,
    log: Mutex<LogLimit>,
    websockets: WebSockets,
    /// The server's own.
    runtime: Handle,
    asked: mpsc::Sender<Asked>,
    followers: Arc<Semaphore>,
    invitations: InvitationKey,
}

impl App {
    pub(super) fn new(
        plan: Arc<Plan>,
        asked: mpsc::Sender<Asked>,
        websockets: WebSockets,
        runtime: Handle,
        invitations: InvitationKey,
    ) -> Self {
        Self(Arc::new(Shared {
            plan: RwLock::new(plan),
            limits: Mutex::new(Limits::new(Instant::now())),
            log: Mutex::default(),
            websockets,
            runtime,
            asked,
            followers: Arc::new(Semaphore::new(FOLLOWERS as usize)),
            invitations,
        }))
    }

    /// The dialplan as it is now.
    pub(super) fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.0.plan.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn set_plan(&self, plan: Arc<Plan>) {
        *self.0.plan.write().unwrap_or_else(PoisonError::into_inner) = plan;
    }

    /// Looks at the limits, for a moment.
    pub(super) fn limits<T>(&self, look: impl FnOnce(&mut Limits, Instant) -> T) -> T {
        look(&mut self.0.limits.lock().unwrap_or_else(PoisonError::into_inner), Instant::now())
    }

    pub(super) fn websockets(&self) -> &WebSockets {
        &self.0.websockets
    }

    pub(super) fn runtime(&self) -> &Handle {
        &self.0.runtime
    }

    pub(super) fn asked(&self) -> &mpsc::Sender<Asked> {
        &self.0.asked
    }

    /// What invitations are sealed with.
    pub(super) fn invitations(&self) -> &InvitationKey {
        &self.0.invitations
    }

    /// Places of those who follow the events.
    pub(super) fn followers(&self) -> &Arc<Semaphore> {
        &self.0.followers
    }

    /// Waits until nobody follows the events any more.
    pub(super) async fn all_followers_gone(&self) {
        // They are never closed.
        let _ = self.0.followers.acquire_many(FOLLOWERS).await;
    }

    /// A line of the log that anybody outside can cause: a few of each kind a minute are written.
    pub(super) fn log(&self, kind: &'static str, line: std::fmt::Arguments<'_>) {
        let mut limit = self.0.log.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        while let Some(left_out) = limit.pop_due(now) {
            tracing::info!("{left_out}");
        }
        if limit.allows(now, kind) {
            tracing::info!("{kind}: {line}");
        }
    }
}
